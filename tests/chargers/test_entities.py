"""A charger made of entities: real ones, of another integration and of Home Assistant's own helpers."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, CoreState, HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.amp_sensor.chargers import entities
from custom_components.amp_sensor.chargers.charger import (
    ChargerEntityGone,
    ChargerError,
    ChargerRefused,
    ChargerTimeout,
    ChargerUnreachable,
)
from custom_components.amp_sensor.chargers.entities import EntityCharger
from custom_components.amp_sensor.chargers.profile import ChargerProfile
from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Controller,
    Outcome,
    Reading,
    SiteSettings,
)
from custom_components.amp_sensor.control.profile import LOCAL
from tests.chargers.box import BROKEN, REFUSED, Box, add_box, box_roles, entity_id_of


def do(action: Action, amps: int = 0) -> Command:
    return Command(charger_id="one", action=action, amps=amps)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def hass_with_box(hass: HomeAssistant, box: Box) -> HomeAssistant:
    await add_box(hass, box)
    return hass


def charger(hass: HomeAssistant, known: ChargerProfile | None = None, **changes: Any) -> EntityCharger:
    """Return the charger of the box; roles and settings may be changed by name."""
    given_roles = changes.pop("roles", None)
    return EntityCharger(
        hass,
        box_roles(hass) if given_roles is None else given_roles,
        known,
        **{"max_amps": 16, "volts": 230.0, "phases": 3, **changes},
    )


# -- what it says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "percent"), [("54.5", 54.5), ("0", 0), ("101", None), ("-1", None), ("full", None), ("unknown", None)]
)
async def test_it_tells_how_full_the_battery_is_where_something_does(
    hass_with_box: HomeAssistant, state: str, percent: float | None
) -> None:
    hass_with_box.states.async_set("sensor.battery", state, {"unit_of_measurement": "%"})
    known = charger(hass_with_box, roles={**box_roles(hass_with_box), "battery": "sensor.battery"})
    assert known.knows_battery
    assert (await known.async_report()).battery_percent == percent
    unknown = charger(hass_with_box)
    assert not unknown.knows_battery
    assert (await unknown.async_report()).battery_percent is None


async def test_it_reports_what_its_entities_say(hass_with_box: HomeAssistant) -> None:
    report = await charger(hass_with_box).async_report()
    assert report.state is ChargingState.CHARGING
    assert report.plugged_in is report.at_home is True
    assert report.requested_amps == 16
    assert report.measured_amps == pytest.approx(16), "11.04 kW at 3 × 230 V"
    assert (report.least_amps, report.limit_amps) == (6, 32)
    assert report.age_s < 1


async def test_power_tells_no_current_where_nobody_knows_the_phases(hass_with_box: HomeAssistant) -> None:
    assert (await charger(hass_with_box, phases=None).async_report()).measured_amps is None


@pytest.mark.parametrize(("unit", "text"), [("A", "9.5"), ("mA", "9500"), (None, "9.5")])
async def test_units_are_those_of_each_state(hass_with_box: HomeAssistant, unit: str | None, text: str) -> None:
    for phase in (1, 2, 3):
        hass_with_box.states.async_set(f"sensor.l{phase}", text, {"unit_of_measurement": unit} if unit else {})
    roles = box_roles(hass_with_box, currents=[f"sensor.l{phase}" for phase in (1, 2, 3)])
    report = await charger(hass_with_box, roles=roles).async_report()
    assert report.measured_amps == pytest.approx(9.5)
    assert report.phases == 3


async def test_a_missing_phase_is_no_phase_without_current(hass_with_box: HomeAssistant) -> None:
    hass_with_box.states.async_set("sensor.l1", "unknown")
    hass_with_box.states.async_set("sensor.l2", "0")
    roles = box_roles(hass_with_box, currents=["sensor.l1", "sensor.l2"], power=None)
    report = await charger(hass_with_box, roles=roles).async_report()
    assert report.measured_amps is None
    assert report.phases is None


@pytest.mark.parametrize("text", ["unknown", "unavailable", "none of our words", "", "5"])
async def test_no_text_means_unplugged_that_does_not_say_so(hass_with_box: HomeAssistant, text: str) -> None:
    hass_with_box.states.async_set("sensor.other", text)
    roles = box_roles(hass_with_box, state="sensor.other")
    report = await charger(hass_with_box, roles=roles).async_report()
    assert report.state is ChargingState.UNKNOWN
    assert report.plugged_in is None


@pytest.mark.parametrize(
    ("plugged", "charging", "state", "plugged_in"),
    [
        ("on", "on", ChargingState.CHARGING, True),
        ("on", "off", ChargingState.STOPPED, True),
        ("off", "off", ChargingState.DISCONNECTED, False),
        ("off", "on", ChargingState.CHARGING, True),
        ("unavailable", "off", ChargingState.STOPPED, None),
        ("on", "unknown", ChargingState.UNKNOWN, True),
        ("unknown", "unavailable", ChargingState.UNKNOWN, None),
    ],
)
async def test_binary_sensors_tell_the_state(
    hass_with_box: HomeAssistant, plugged: str, charging: str, state: ChargingState, *, plugged_in: bool | None
) -> None:
    hass_with_box.states.async_set("binary_sensor.plug", plugged)
    hass_with_box.states.async_set("binary_sensor.charging", charging)
    roles = box_roles(
        hass_with_box, state=None, power=None, plugged="binary_sensor.plug", charging="binary_sensor.charging"
    )
    report = await charger(hass_with_box, roles=roles).async_report()
    assert (report.state, report.plugged_in) == (state, plugged_in)


async def test_without_any_state_the_current_tells(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box, roles=box_roles(hass_with_box, state=None, states=None))
    assert (await one.async_report()).state is ChargingState.CHARGING
    box.change(plugged=False)
    report = await one.async_report()
    assert report.state is ChargingState.STOPPED
    assert report.plugged_in is None


async def test_done_is_what_a_pause_looks_like_too(hass_with_box: HomeAssistant) -> None:
    hass_with_box.states.async_set("sensor.other", "full")
    one = charger(hass_with_box, roles=box_roles(hass_with_box, state="sensor.other"))
    assert (await one.async_report()).state is ChargingState.COMPLETE
    await one.async_command(do(Action.STOP))
    assert (await one.async_report()).state is ChargingState.STOPPED


async def test_a_push_that_tells_only_changes_is_no_older_than_its_refresh(
    hass_with_box: HomeAssistant, box: Box, freezer: FrozenDateTimeFactory
) -> None:
    known = ChargerProfile(key="x", title="x", integration="box", source="", current=None, refresh_s=25.0)
    one = charger(hass_with_box, known)
    box.show()
    freezer.tick(7)
    assert (await one.async_report()).age_s == pytest.approx(7, abs=0.1)
    freezer.tick(1000)
    report = await one.async_report()
    assert report.age_s == 25.0
    assert report.quiet_s == pytest.approx(1007, abs=0.1), "for how long it may be stuck"


async def test_its_own_answer_to_a_command_makes_nothing_fresher(
    hass_with_box: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass_with_box.states.async_set("sensor.other", "charging")
    one = charger(hass_with_box, roles=box_roles(hass_with_box, state="sensor.other", power=None))
    freezer.tick(8)
    await one.async_command(do(Action.SET_AMPS, 9))
    assert (await one.async_report()).age_s == pytest.approx(8, abs=0.1)


# -- a car that may be elsewhere --------------------------------------------------------------------------------------


async def test_a_place_or_the_cable_tells_where_a_car_is(
    hass_with_box: HomeAssistant, box: Box, freezer: FrozenDateTimeFactory
) -> None:
    hass = hass_with_box
    one = charger(hass, roles=box_roles(hass, place="device_tracker.car"))
    place = lambda text: hass.states.async_set("device_tracker.car", text)  # noqa: E731 -- said often below

    async def at_home() -> bool | None:
        return (await one.async_report()).at_home

    with pytest.raises(ChargerEntityGone):
        await one.async_report()
    place("unknown")
    assert await at_home() is None
    place("not_home")
    assert await at_home() is False
    place("home")
    assert await at_home() is True
    place("not_home")
    assert await at_home() is True, "it is still on the same cable"
    freezer.tick(601)
    assert await at_home() is False, "nobody saw that cable for ten minutes"
    place("home")
    assert await at_home() is True
    place("unavailable")
    assert await at_home() is True
    box.change(plugged=False)
    assert await at_home() is None


# -- what it is told --------------------------------------------------------------------------------------------------


async def test_it_is_set_paused_and_resumed(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box)
    for command in (do(Action.SET_AMPS, 9), do(Action.STOP), do(Action.SET_AMPS, 7), do(Action.START)):
        await one.async_command(command)
    assert box.writes == [9.0, "off", 7.0, "on"]
    report = await one.async_report()
    assert (report.state, report.requested_amps) == (ChargingState.CHARGING, 7)


async def test_a_switch_may_mean_paused_when_it_is_on(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box, roles=box_roles(hass_with_box, pause_state="on", resume_state="off"))
    await one.async_command(do(Action.STOP))
    assert box.writes == ["on"]
    await one.async_command(do(Action.START))
    assert box.writes == ["on", "off"]


async def test_selects_and_buttons_and_helpers_do_as_well(hass: HomeAssistant) -> None:
    for domain, config in {
        "input_number": {"amps": {"min": 6, "max": 32, "step": 1, "initial": 16}},
        "input_select": {"mode": {"options": ["auto", "disabled"], "initial": "auto"}},
        "input_button": {"halt": {}, "go": {}},
        "input_boolean": {"plug": {"initial": True}},
    }.items():
        assert await async_setup_component(hass, domain, {domain: config})
    shared = {"current": "input_number.amps", "plugged": "input_boolean.plug"}
    by_select = {"pause": "input_select.mode", "pause_state": "disabled", "resume_state": "auto"}
    one = charger(hass, roles=shared | by_select)
    await one.async_command(do(Action.SET_AMPS, 8))
    await one.async_command(do(Action.STOP))
    states = hass.states
    assert [each.state for each in (states.get("input_number.amps"), states.get("input_select.mode")) if each] == [
        "8.0",
        "disabled",
    ]
    assert (await one.async_report()).state is ChargingState.STOPPED
    two = charger(hass, roles=shared | {"pause": "input_button.halt", "resume": "input_button.go"})
    await two.async_command(do(Action.STOP))
    assert (await two.async_report()).state is ChargingState.STOPPED, "a button tells nothing, but we pressed it"
    halted = states.get("input_button.halt")
    assert halted is not None
    assert halted.state != "unknown"
    await two.async_command(do(Action.START))
    assert (await two.async_report()).state is ChargingState.UNKNOWN


async def test_actions_get_the_amps_and_the_device(hass_with_box: HomeAssistant) -> None:
    calls: list[ServiceCall] = []
    for name in ("set", "halt", "go"):
        hass_with_box.services.async_register("own", name, calls.append)
    roles = box_roles(
        hass_with_box,
        current=None,
        pause=None,
        set_current=[{"action": "own.set", "data": {"amps": "{{ amps }}", "device": "{{ device_id }}"}}],
        pause_action=[{"action": "own.halt"}],
        resume_action=[{"action": "own.go"}],
    )
    one = charger(hass_with_box, roles=roles, device_id="abc")
    assert (await one.async_report()).requested_amps is None
    for command in (do(Action.SET_AMPS, 9), do(Action.STOP), do(Action.START)):
        await one.async_command(command)
    assert [(call.service, call.data) for call in calls] == [
        ("set", {"amps": 9, "device": "abc"}),
        ("halt", {}),
        ("go", {}),
    ]
    assert (await one.async_report()).requested_amps == 9


async def test_an_action_that_fails_or_is_none_is_refused(hass_with_box: HomeAssistant) -> None:
    for steps in ([{"action": "there.is_none"}], [{"nonsense": 1}], [{"condition": "state"}]):
        roles = box_roles(hass_with_box, current=None, set_current=steps)
        with pytest.raises(ChargerError):
            await charger(hass_with_box, roles=roles).async_command(do(Action.SET_AMPS, 9))


async def test_where_nothing_pauses_nothing_is_drawn(hass_with_box: HomeAssistant, box: Box) -> None:
    box.change(zero_pauses=True)
    one = charger(hass_with_box, roles=box_roles(hass_with_box, pause=None))
    await one.async_command(do(Action.STOP))
    assert box.writes == [0.0]
    assert (await one.async_report()).requested_amps == 16, "what it will start with again"
    await one.async_command(do(Action.SET_AMPS, 8))
    assert box.writes == [0.0], "it would start"
    report = await one.async_report()
    assert (report.state, report.requested_amps) == (ChargingState.STOPPED, 8)
    await one.async_command(do(Action.START))
    assert box.writes == [0.0, 8.0]
    await one.async_command(do(Action.SET_AMPS, 10))
    assert box.writes == [0.0, 8.0, 10.0]


async def test_what_can_only_be_switched_takes_any_current_for_its_own(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box, roles=box_roles(hass_with_box, current=None))
    assert one.profile.is_switched
    assert (await one.async_report()).requested_amps == 16
    await one.async_command(do(Action.SET_AMPS, 16))
    assert box.writes == []
    await one.async_command(do(Action.STOP))
    assert box.writes == ["off"]


async def test_the_range_is_that_of_the_number_at_that_moment(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box)
    box.change(most=13.0)
    await one.async_command(do(Action.SET_AMPS, 16))
    assert box.writes == [13.0]
    assert (await one.async_report()).requested_amps == 16, "as far as it could"
    box.change(least=10.0)
    with pytest.raises(ChargerRefused, match="it takes 10 to 13"):
        await one.async_command(do(Action.SET_AMPS, 8))
    assert box.writes == [13.0]


async def test_a_coarse_step_is_rounded_down_and_still_ours(hass_with_box: HomeAssistant, box: Box) -> None:
    box.change(step=4.0)
    one = charger(hass_with_box)
    await one.async_command(do(Action.SET_AMPS, 13))
    assert box.writes == [10.0], "6, 10, 14 …"
    assert (await one.async_report()).requested_amps == 13, "nobody else set that"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    amps=st.integers(0, 125),
    ends=st.tuples(st.floats(0, 40), st.floats(0.1, 80)),
    step=st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0]),
    unit=st.sampled_from(["A", "mA", None]),
)
async def test_no_command_is_ever_outside_the_range(
    hass: HomeAssistant, amps: int, ends: tuple[float, float], step: float, unit: str | None
) -> None:
    least, most = ends[0], sum(ends)
    written: list[float] = []
    hass.services.async_register("number", "set_value", lambda call: written.append(call.data["value"]))
    range_of = {"min": least, "max": most, "step": step} | ({"unit_of_measurement": unit} if unit else {})
    hass.states.async_set("number.any", "7", range_of)
    one = charger(hass, roles={"current": "number.any"})
    try:
        await one.async_command(do(Action.SET_AMPS, amps))
    except ChargerRefused:
        assert amps * (1000 if unit == "mA" else 1) < least
    if written:
        (value,) = written
        assert least - 1e-6 <= value <= most + 1e-6
        assert value <= amps * (1000 if unit == "mA" else 1) + 1e-6, "never more than was meant"


# -- how it fails -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (REFUSED, ChargerRefused),
        (BROKEN, ChargerUnreachable),
        (ValueError("5YJ3E1EA7KF000316"), ChargerError),
        (TimeoutError(), ChargerTimeout),
    ],
)
async def test_whatever_goes_wrong_is_an_error_of_the_charger(
    hass_with_box: HomeAssistant, box: Box, failure: Exception, expected: type[ChargerError]
) -> None:
    one = charger(hass_with_box)
    box.failure = failure
    for command in (do(Action.SET_AMPS, 9), do(Action.STOP), do(Action.START)):
        with pytest.raises(ChargerError) as caught:
            await one.async_command(command)
        assert type(caught.value) is expected
        assert "5YJ3E1EA7KF000316" not in str(caught.value)
    assert "5YJ3E1EA7KF000316" not in str(one.diagnostics())
    box.failure = None
    in_doubt = expected is ChargerTimeout
    assert (await one.async_report()).requested_amps == (None if in_doubt else 16)


async def test_a_command_that_hangs_is_given_up(hass: HomeAssistant) -> None:
    async def hang(_call: ServiceCall) -> None:
        await asyncio.Event().wait()

    hass.services.async_register("number", "set_value", hang)
    hass.states.async_set("number.any", "7", {"min": 6, "max": 32, "step": 1})
    with patch.object(entities, "COMMAND_TIMEOUT_S", 0.01), pytest.raises(ChargerTimeout):
        await charger(hass, roles={"current": "number.any"}).async_command(do(Action.SET_AMPS, 9))


async def test_an_unavailable_charger_is_not_taken_for_told(hass_with_box: HomeAssistant, box: Box) -> None:
    one = charger(hass_with_box)
    box.change(available=False)
    with pytest.raises(ChargerUnreachable):
        await one.async_report()
    for command in (do(Action.SET_AMPS, 9), do(Action.STOP)):
        with pytest.raises(ChargerUnreachable):
            await one.async_command(command)
    box.change(available=True)
    assert (await one.async_report()).state is ChargingState.CHARGING


async def test_an_entity_that_is_gone_or_disabled_is_named(hass_with_box: HomeAssistant) -> None:
    registry = er.async_get(hass_with_box)
    one = charger(hass_with_box)
    assert list(one.gone) == []
    limit = entity_id_of(hass_with_box, "limit")
    registry.async_remove(limit)
    assert list(one.gone) == [limit]
    with pytest.raises(ChargerEntityGone):
        await one.async_report()
    with pytest.raises(ChargerEntityGone):
        await one.async_command(do(Action.SET_AMPS, 9))
    power = entity_id_of(hass_with_box, "power")
    registry.async_update_entity(power, disabled_by=er.RegistryEntryDisabler.USER)
    assert list(one.gone) == sorted([limit, power])


async def test_what_only_tells_more_may_be_gone(hass_with_box: HomeAssistant) -> None:
    one = charger(hass_with_box)
    er.async_get(hass_with_box).async_remove(entity_id_of(hass_with_box, "power"))
    report = await one.async_report()
    assert (report.state, report.measured_amps) == (ChargingState.CHARGING, None)
    assert list(one.gone) == ["sensor.box_power"]


async def test_while_home_assistant_starts_everything_is_only_late(hass: HomeAssistant) -> None:
    hass.set_state(CoreState.starting)
    one = charger(hass, roles={"current": "input_number.amps"})
    with pytest.raises(ChargerUnreachable):
        await one.async_report()
    assert list(one.gone) == []
    hass.set_state(CoreState.running)
    with pytest.raises(ChargerEntityGone):
        await one.async_report()


# -- a readback that tells nothing, and other writers -----------------------------------------------------------------


async def test_a_number_that_does_not_show_what_is_set_tells_nothing(
    hass_with_box: HomeAssistant, box: Box, freezer: FrozenDateTimeFactory
) -> None:
    box.change(shows=False)
    one = charger(hass_with_box)
    freezer.tick(1)
    await one.async_command(do(Action.SET_AMPS, 9))
    freezer.tick(60)
    box.show()
    assert (await one.async_report()).requested_amps is None


async def _set_by(hass: HomeAssistant, amps: float, context: Context) -> None:
    data = {"entity_id": entity_id_of(hass, "limit"), "value": amps}
    await hass.services.async_call("number", "set_value", data, blocking=True, context=context)


async def test_what_repeats_what_was_set_is_no_measurement(hass_with_box: HomeAssistant) -> None:
    known = ChargerProfile(
        key="x",
        title="x",
        integration="box",
        source="",
        current=None,
        behaviour=replace(LOCAL, report_is_evidence=False),
    )
    assert (await charger(hass_with_box, known).async_report()).measured_amps is None
    roles = box_roles(hass_with_box, power=None)
    report = await charger(hass_with_box, roles={**roles, "currents": [roles["current"]]}).async_report()
    assert report.measured_amps is None


async def test_a_number_that_shows_nothing_during_a_pause_is_no_wish(hass_with_box: HomeAssistant, box: Box) -> None:
    box.change(least=0.0)
    one = charger(hass_with_box)
    await one.async_command(do(Action.SET_AMPS, 9))
    await one.async_command(do(Action.STOP))
    box.change(amps=0.0)
    report = await one.async_report()
    assert (report.state, report.requested_amps) == (ChargingState.STOPPED, 9)


async def test_a_limit_of_nothing_with_which_it_draws_is_none(hass_with_box: HomeAssistant, box: Box) -> None:
    box.change(least=0.0)
    one = charger(hass_with_box)
    hass_with_box.states.async_set(entity_id_of(hass_with_box, "limit"), "0", {"min": 0, "max": 32, "step": 1})
    report = await one.async_report()
    assert report.measured_amps == pytest.approx(16)
    assert report.requested_amps is None, "SmartEVSE's, where nobody has set one"


async def test_what_a_cloud_shows_is_as_old_as_its_copy(hass_with_box: HomeAssistant) -> None:
    known = ChargerProfile(key="x", title="x", integration="box", source="", current=None, late_s=15.0)
    assert (await charger(hass_with_box, known).async_report()).age_s == pytest.approx(15, abs=1)


async def test_who_else_sets_it_is_named_where_home_assistant_knows(
    hass_with_box: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass = hass_with_box
    one = charger(hass)
    freezer.tick(1)
    await one.async_command(do(Action.SET_AMPS, 9))
    assert (await one.async_report()).other_writer is None
    freezer.tick(60)
    person = await hass.auth.async_create_user("Somebody", group_ids=["system-admin"])
    await _set_by(hass, 16, Context(user_id=person.id))
    report = await one.async_report()
    assert (report.requested_amps, report.other_writer) == (16, None), "a person may"
    freezer.tick(1)
    await _set_by(hass, 15, Context())
    assert (await one.async_report()).other_writer == ""
    freezer.tick(1)
    context = Context(parent_id="whatever began it")
    hass.states.async_set("automation.sun", "on", {"friendly_name": "Follow the sun"}, context=context)
    await _set_by(hass, 14, context)
    assert (await one.async_report()).other_writer == "Follow the sun"


async def test_what_we_set_before_and_is_shown_late_is_ours(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    hass.services.async_register("number", "set_value", lambda call: None)
    attributes = {"min": 6, "max": 32, "step": 1}
    hass.states.async_set("number.any", "16", attributes)
    one = charger(hass, roles={"current": "number.any"})
    for amps in (10, 8):
        freezer.tick(5)
        await one.async_command(do(Action.SET_AMPS, amps))
    freezer.tick(5)
    hass.states.async_set("number.any", "10", attributes)
    assert (await one.async_report()).other_writer is None


# -- hearing of it ----------------------------------------------------------------------------------------------------


async def _pass(hass: HomeAssistant, seconds: float = 2) -> None:
    """Let the time pass that is kept between two reports."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done()


async def test_changes_are_told_at_once_and_together(hass_with_box: HomeAssistant, box: Box) -> None:
    hass = hass_with_box
    heard: list[ChargerReport | ChargerError] = []
    end = charger(hass).async_listen(heard.append)
    box.change(plugged=False)
    await _pass(hass)
    assert [each.state for each in heard if isinstance(each, ChargerReport)] == [ChargingState.DISCONNECTED]
    box.change(available=False)
    await _pass(hass)
    await _pass(hass)
    assert isinstance(heard[-1], ChargerUnreachable)
    assert sum(isinstance(each, ChargerError) for each in heard) == 1, "told once"
    box.change(available=True, plugged=True)
    await _pass(hass)
    last = heard[-1]
    assert isinstance(last, ChargerReport)
    assert last.state is ChargingState.CHARGING
    end()
    count = len(heard)
    box.change(plugged=False)
    await _pass(hass)
    assert len(heard) == count


async def test_a_renamed_entity_is_followed(hass_with_box: HomeAssistant, box: Box) -> None:
    hass = hass_with_box
    heard: list[ChargerReport | ChargerError] = []
    one = charger(hass)
    end = one.async_listen(heard.append)
    for key in ("state", "limit"):
        entity_id = entity_id_of(hass, key)
        er.async_get(hass).async_update_entity(entity_id, new_entity_id=f"{entity_id}_new")
    await hass.async_block_till_done()
    await _pass(hass)
    heard.clear()
    box.change(plugged=False)
    await _pass(hass)
    assert [each.state for each in heard if isinstance(each, ChargerReport)][-1] is ChargingState.DISCONNECTED
    await one.async_command(do(Action.SET_AMPS, 9))
    assert box.writes == [9.0]
    end()


# -- with the controller ----------------------------------------------------------------------------------------------


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["home", "not_home", "Work", "unknown", "unavailable"]),
            st.sampled_from(["charging", "waiting", "none", "unknown"]),
            st.sampled_from([2.0, 14.0, 30.0]),
        ),
        min_size=1,
        max_size=12,
    )
)
async def test_a_car_that_is_away_is_never_told_anything(
    hass: HomeAssistant, steps: list[tuple[str, str, float]]
) -> None:
    told: list[ServiceCall] = []
    hass.services.async_register("number", "set_value", told.append)
    hass.services.async_register("switch", "turn_off", told.append)
    hass.services.async_register("switch", "turn_on", told.append)
    hass.states.async_set("number.amps", "16", {"min": 6, "max": 32, "step": 1})
    hass.states.async_set("switch.charge", "on")
    roles = {
        "current": "number.amps",
        "pause": "switch.charge",
        "state": "sensor.state",
        "place": "person.car",
        "states": {"charging": ["charging"], "stopped": ["waiting"], "disconnected": ["none"]},
    }
    one = charger(hass, roles=roles)
    controller = Controller(SiteSettings(max_amps=25), now=0.0)
    controller.set_charger("one", ChargerSettings(max_amps=16, min_amps=6, profile=one.profile), now=0.0)
    now, is_on_cable = 0.0, False
    for place, state, house in steps:
        hass.states.async_set("person.car", place)
        hass.states.async_set("sensor.state", state)
        for _ in range(15):
            now += 5
            report = await one.async_report()
            if state == "none":
                is_on_cable = False
            elif place == "home" and state != "unknown":
                is_on_cable = True
            controller.add_report("one", report, now=now)
            watts = 230 * house
            controller.add_reading(Reading(at=now, amps=(house,), volts=(230.0,), watts=watts))
            for decision in controller.decide(now=now):
                if decision.command is not None:
                    assert place == "home" or is_on_cable, "nobody knows that it is here"
                    await one.async_command(decision.command)
                    controller.acknowledge(decision.command, Outcome.ACCEPTED, now=now)
    assert all(6 <= call.data["value"] <= 32 for call in told if call.service == "set_value")


# -- its phases -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity_id", "options", "one", "all_"),
    [
        ("input_select.phases", ["Auto", "1 phase", "3 phases"], "1 phase", "3 phases"),
        ("input_boolean.three", None, "off", "on"),
    ],
)
async def test_its_phases_are_switched_by_an_entity_and_told_by_it(
    hass_with_box: HomeAssistant, entity_id: str, options: list[str] | None, one: str, all_: str
) -> None:
    hass = hass_with_box
    domain, name = entity_id.split(".")
    settings = {} if options is None else {"options": options, "initial": all_}
    assert await async_setup_component(hass, domain, {domain: {name: settings}})
    told = {} if options is None else {"one_phase_state": one, "all_phases_state": all_}
    switched = charger(hass, roles=box_roles(hass, switch_phases=entity_id, **told))
    assert switched.switches_phases
    await switched.async_switch_phases(1)
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state == one
    assert (await switched.async_report()).phases == 1
    await switched.async_switch_phases(3)
    assert (await switched.async_report()).phases == 3


async def test_a_charger_without_a_switch_of_its_phases_cannot_be_switched(hass_with_box: HomeAssistant) -> None:
    plain = charger(hass_with_box)
    assert not plain.switches_phases
    with pytest.raises(ChargerRefused):
        await plain.async_switch_phases(1)


async def test_a_switch_of_the_phases_that_takes_for_ever_is_given_up(hass_with_box: HomeAssistant) -> None:
    async def hang(_call: ServiceCall) -> None:
        await asyncio.sleep(60)

    hass_with_box.states.async_set("switch.phases", "on")
    hass_with_box.services.async_register("switch", "turn_off", hang)
    with patch.object(entities, "COMMAND_TIMEOUT_S", 0.01), pytest.raises(ChargerTimeout):
        await charger(hass_with_box, roles=box_roles(hass_with_box, switch_phases="switch.phases")).async_switch_phases(
            1
        )
