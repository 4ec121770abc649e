"""A person who is about to choose a contracted power asks the house's own history."""

from dataclasses import asdict
from datetime import timedelta
import io
import json
import os
import time
from typing import Any

from homeassistant.auth.models import User
from homeassistant.components import persistent_notification
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticData, StatisticMeanType, StatisticMetaData
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import probatio
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargeWith, Mode, ProtectionKind
from custom_components.amp_sensor.what_if import process as rehearsal_process
from custom_components.amp_sensor.what_if.process import answer, async_rehearse
from custom_components.amp_sensor.what_if.rehearsal import House, Plan, Wanted, Wiring, rehearse
from simulation.cost import trivial_loop_s
from simulation.lateness import Lateness
from tests.conftest import Site

POWER = "sensor.casa_power"
HOUSE, CURRENT, CHARGING = "sensor.casa_house_current", "sensor.casa_current", "sensor.rocinante_charging_current"
ROUNDS = 3
LONGEST_BLOCK = 150
"""Trivial loops: 20 ms where this was written."""
"""The longest that anything may block the event loop."""


@pytest.fixture
async def recorded(recorder_mock: Recorder, site: Site) -> Site:
    """Set up a site with a recorder, which must be there first."""
    await site.hass.config_entries.async_unload(site.entry.entry_id)
    return site


def unit(entity_id: str) -> str:
    return "W" if entity_id == POWER else "A"


async def live(site: Site, states: list[dict[str, Any]], *, step_s: int = 60) -> None:
    """Let states follow one another, up to now, in a site that was asleep meanwhile."""
    for shown in states:
        for entity_id, state in shown.items():
            site.hass.states.async_set(entity_id, str(state), {"unit_of_measurement": unit(entity_id)})
        site.freezer.tick(step_s)
    await async_wait_recording_done(site.hass)
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.settle()


async def ask(site: Site, **data: Any) -> dict[str, Any]:
    response = await site.hass.services.async_call(
        DOMAIN, "what_if", {"site": site.entry.entry_id, **data}, blocking=True, return_response=True
    )
    assert response is not None
    return response


async def test_each_combination_gets_its_answer(recorded: Site) -> None:
    await live(recorded, [{HOUSE: amps + minute % 2 / 10} for amps in (2.0, 18.0) for minute in range(120)])
    answer = await ask(recorded, max_amps=[20, "32"], max_amps_car=[13], modes=["off", "balanced"])
    assert answer["days"] == pytest.approx(4 / 24, abs=0.01)
    results = {(row["max_amps"], row["max_amps_car"], row["mode"]): row for row in answer["results"]}
    assert list(results) == [(20, 13, "off"), (20, 13, "balanced"), (32, 13, "off"), (32, 13, "balanced")]
    all_kwh = 13 * 4 * 230 / 1000
    uncontrolled, balanced = results[20, 13, "off"], results[20, 13, "balanced"]
    assert uncontrolled["kwh"] == pytest.approx(all_kwh, abs=0.1)
    assert uncontrolled["over_minutes"] == pytest.approx(120, abs=2)
    assert uncontrolled["trips"] > 0
    assert balanced["kwh"] == pytest.approx(all_kwh / 2, rel=0.03)
    assert balanced["share_percent"] == pytest.approx(100, abs=2)
    assert balanced["over_minutes"] < 2
    assert balanced["trips"] == 0
    assert balanced["commands_per_hour"] > 0
    assert results[32, 13, "balanced"]["kwh"] == pytest.approx(all_kwh, rel=0.03)
    assert {row["house_over_minutes"] for row in answer["results"]} == {0}


async def test_what_is_left_out_is_as_it_is_now(recorded: Site) -> None:
    await live(recorded, [{HOUSE: 3.0 + minute % 2} for minute in range(90)])
    [row] = (await ask(recorded))["results"]
    assert (row["max_amps"], row["max_amps_car"], row["mode"]) == (25, 16, "balanced")
    await recorded.call("select", "select_option", "select.casa_mode", option="strict")
    [row] = (await ask(recorded))["results"]
    assert row["mode"] == "strict"
    await recorded.call("select", "select_option", "select.casa_mode", option="monitor")
    [row] = (await ask(recorded))["results"]
    assert row["mode"] == "balanced"


async def test_where_nothing_fits_there_is_no_share(recorded: Site) -> None:
    await live(recorded, [{HOUSE: 5.0 + minute % 2} for minute in range(90)])
    [row] = (await ask(recorded, max_amps=8))["results"]
    assert row["share_percent"] is None
    assert row["kwh"] < 0.2


async def test_without_its_sensor_the_house_is_what_the_car_leaves(recorded: Site) -> None:
    er.async_get(recorded.hass).async_remove(HOUSE)
    states = [
        {CURRENT: "unavailable" if 10 <= minute < 20 else 20.0 + minute % 2, CHARGING: 16} for minute in range(90)
    ]
    await live(recorded, [*states, {CURRENT: 4.0, CHARGING: "unavailable"}])
    answer = await ask(recorded, modes="balanced")
    assert answer["days"] == pytest.approx(81 / 1440, abs=0.005)
    assert answer["results"][0]["share_percent"] == pytest.approx(100, abs=1)


async def test_where_states_are_gone_statistics_tell(recorded: Site) -> None:
    """Ten minutes of an hour at 22 A, 50 at 2 A."""
    start = dt_util.utcnow().replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
    rows = [
        StatisticData(start=start + timedelta(minutes=5 * number), mean=16 / 3, min=2, max=22) for number in range(288)
    ]
    metadata = StatisticMetaData(
        source="recorder",
        statistic_id=HOUSE,
        name=None,
        mean_type=StatisticMeanType.ARITHMETIC,
        has_sum=False,
        unit_class="electric_current",
        unit_of_measurement="A",
    )
    nothing = StatisticData(start=start + timedelta(hours=24), mean=None, min=None, max=None)
    now = dt_util.utcnow()
    seen = StatisticData(
        start=now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0), mean=30, min=30, max=30
    )
    get_instance(recorded.hass).async_import_statistics(metadata, [*rows, nothing, seen], StatisticsShortTerm)
    await live(recorded, [{HOUSE: 2.0}])
    answer = await ask(recorded, modes="off", max_amps=25, days=2)
    assert answer["days"] == pytest.approx(1, abs=0.01)
    [row] = answer["results"]
    assert row["over_minutes"] == pytest.approx(240, abs=5)
    assert row["kwh"] == pytest.approx(16 * 24 * 0.23, rel=0.01)


def drawing(watts: float, car: float = 0.0) -> dict[str, Any]:
    """Say what a house of one phase shows while it draws so much, and a car so many amps."""
    return {POWER: watts + car * 230, HOUSE: watts / 230, CURRENT: watts / 230 + car, CHARGING: car}


async def test_what_the_roof_would_have_given_is_told(recorded: Site) -> None:
    """A car took 8 A at first, which is not the house's; then 3 kW were left over, while the meter shows the sign."""
    parts = [(500.0, 8.0, 60), (-3000.0, 0.0, 120), (500.0, 0.0, 60)]
    await live(recorded, [drawing(watts + minute % 2, car) for watts, car, long in parts for minute in range(long)])
    await recorded.post(amps=-5, watts=-1150)
    answer = await ask(recorded, charge_with=["grid", "minimum_plus_surplus", "surplus_only"], reserve_w=300)
    grid, plus, only = answer["results"]
    assert [(row["charge_with"], row["reserve_w"]) for row in answer["results"]] == [
        ("grid", 0),
        ("minimum_plus_surplus", 300),
        ("surplus_only", 300),
    ]
    assert answer["days_from_means"] == 0
    assert grid["kwh"] == pytest.approx(16 * 4 * 0.23, abs=0.3)
    assert grid["surplus_kwh"] == pytest.approx(6, abs=0.2)
    assert only["kwh"] == pytest.approx(11 * 2 * 0.23, rel=0.1)
    assert only["surplus_kwh"] >= 0.93 * only["kwh"]
    assert only["kwh"] < plus["kwh"] < grid["kwh"]
    assert only["imported_kwh"] == pytest.approx(1 + only["kwh"] - only["surplus_kwh"], abs=0.2)


async def test_five_minute_means_of_signed_power_tell_the_surplus(recorded: Site) -> None:
    """Each five minutes have half a minute of cloud: 500 W come in, 3 kW go out for the rest of it."""
    start = dt_util.utcnow().replace(minute=0, second=0, microsecond=0) - timedelta(hours=10)
    for entity_id, unit_class, factor in ((HOUSE, "electric_current", 1 / 230), (POWER, "power", 1.0)):
        metadata = StatisticMetaData(
            source="recorder",
            statistic_id=entity_id,
            name=None,
            mean_type=StatisticMeanType.ARITHMETIC,
            has_sum=False,
            unit_class=unit_class,
            unit_of_measurement=unit(entity_id),
        )
        rows = [
            StatisticData(
                start=start + timedelta(minutes=5 * number),
                mean=-2650 * factor,
                min=-3000 * factor,
                max=500 * factor,
            )
            for number in range(96)
        ]
        get_instance(recorded.hass).async_import_statistics(metadata, rows, StatisticsShortTerm)
    await live(recorded, [drawing(500.0)])
    await recorded.post(amps=-5, watts=-1150)
    answer = await ask(recorded, charge_with="surplus_only", days=1)
    assert answer["days_from_means"] == pytest.approx(8 / 24, abs=0.01)
    [row] = answer["results"]
    assert row["kwh"] == pytest.approx(8 * 13 * 0.23, rel=0.1)
    assert 0.9 * row["kwh"] < row["surplus_kwh"] < row["kwh"] - 0.5, "a cloud costs something, but no stop"
    assert row["house_highest_quarter_kw"] == pytest.approx(0.05, abs=0.02), (
        "import only: 500 W for half a minute of five"
    )


async def test_without_a_sign_there_is_no_surplus_to_tell_of(recorded: Site) -> None:
    await live(recorded, [drawing(500.0 + minute % 2) for minute in range(90)])
    with pytest.raises(ServiceValidationError) as raised:
        await ask(recorded, charge_with="surplus_only")
    assert raised.value.translation_key == "no_surplus_history"


async def test_what_a_peak_limit_leaves_is_told(recorded: Site) -> None:
    await live(recorded, [drawing(watts + minute % 2) for watts in (300.0, 2000.0) for minute in range(120)])
    two, four = (await ask(recorded, peak_limit_kw=["2.5", 4]))["results"]
    assert (two["peak_limit_kw"], four["peak_limit_kw"]) == (2.5, 4)
    assert two["highest_quarter_kw"] <= 2.53
    assert 3.5 < four["highest_quarter_kw"] <= 4.04
    assert two["house_highest_quarter_kw"] == four["house_highest_quarter_kw"] == pytest.approx(2, abs=0.01)
    assert 0 < two["kwh"] < four["kwh"] < 16 * 4 * 0.23
    [free] = (await ask(recorded))["results"]
    assert free["peak_limit_kw"] is None
    assert free["highest_quarter_kw"] == pytest.approx(2 + 16 * 0.23, abs=0.02)


async def test_whether_it_would_have_been_ready_is_told(recorded: Site) -> None:
    """Two nights by the clock of the house, of which all is known."""
    recorded.freezer.move_to(dt_util.now().replace(hour=15, minute=0, second=0, microsecond=0))
    await live(recorded, [drawing(500.0 + part % 2) for part in range(4 * 42)], step_s=900)
    [row] = (await ask(recorded, ready_by="07:00", wanted_kwh=8, plugged_in_at="19:00"))["results"]
    assert (row["nights"], row["nights_ready"]) == (2, 2)
    assert row["kwh"] == pytest.approx(16, abs=0.6)
    [row] = (await ask(recorded, ready_by="07:00", wanted_kwh=60))["results"]
    assert (row["nights"], row["nights_ready"]) == (2, 0)
    [row] = (await ask(recorded, ready_by="14:00", plugged_in_at="09:00", wanted_kwh=4))["results"]
    assert (row["nights"], row["nights_ready"]) == (1, 1)
    [row] = (await ask(recorded))["results"]
    assert row["nights"] is row["nights_ready"] is None


async def test_a_power_that_is_shown_in_kw_is_the_same(recorded: Site) -> None:
    er.async_get(recorded.hass).async_update_entity_options(POWER, "sensor", {"unit_of_measurement": "kW"})
    await live(recorded, [drawing(watts) | {POWER: watts / 1000} for watts in (600.0, 610.0) * 60])
    [row] = (await ask(recorded, modes="off"))["results"]
    assert row["house_highest_quarter_kw"] == pytest.approx(0.605, abs=0.006)


async def test_without_history_nothing_can_be_told(recorded: Site) -> None:
    await live(recorded, [{HOUSE: 3.0 + minute % 2} for minute in range(50)])
    with pytest.raises(ServiceValidationError) as raised:
        await ask(recorded)
    assert raised.value.translation_key == "no_house_history"


async def test_without_any_of_its_sensors_nothing_can_be_told(recorded: Site) -> None:
    await live(recorded, [])
    for entity_id in (HOUSE, CURRENT, CHARGING):
        er.async_get(recorded.hass).async_remove(entity_id)
    with pytest.raises(ServiceValidationError) as raised:
        await ask(recorded)
    assert raised.value.translation_key == "no_house_history"


async def test_without_a_recorder_there_is_no_history(site: Site) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await ask(site)
    assert raised.value.translation_key == "no_recorder"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"days": 31}, "days"),
        ({"days": 0}, "days"),
        ({"max_amps": [20, 3]}, "max_amps"),
        ({"max_amps": [126]}, "max_amps"),
        ({"max_amps_car": [4]}, "max_amps_car"),
        ({"max_amps_car": ["many"]}, "max_amps_car"),
        ({"modes": ["monitor"]}, "modes"),
        ({"modes": ["turbo"]}, "modes"),
        ({"charge_with": ["moonlight"]}, "charge_with"),
        ({"reserve_w": -1}, "reserve_w"),
        ({"peak_limit_kw": [4, 0]}, "peak_limit_kw"),
        ({"ready_by": "noon"}, "ready_by"),
        ({"wanted_kwh": 0}, "wanted_kwh"),
    ],
)
async def test_what_cannot_be_is_named(site: Site, data: dict[str, Any], told: str) -> None:
    with pytest.raises(probatio.Invalid, match=told):
        await ask(site, **data)


async def test_too_many_combinations_are_refused(recorded: Site) -> None:
    await live(recorded, [])
    with pytest.raises(ServiceValidationError) as raised:
        await ask(recorded, max_amps=list(range(6, 27)), max_amps_car=[10, 13, 16])
    assert raised.value.translation_placeholders == {"plans": "63", "limit": "60"}


async def test_only_an_administrator_may(recorded: Site, hass_read_only_user: User) -> None:
    await live(recorded, [])
    with pytest.raises(Unauthorized):
        await recorded.hass.services.async_call(
            DOMAIN,
            "what_if",
            {"site": recorded.entry.entry_id},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_how_far_it_is_shows_meanwhile_and_not_afterwards(recorded: Site) -> None:
    await live(recorded, [{HOUSE: 3.0 + minute % 2} for minute in range(90)])
    told: list[str] = []
    persistent_notification.async_register_callback(
        recorded.hass, callback(lambda _, changed: told.extend(note["message"] for note in changed.values()))
    )
    await ask(recorded, modes=["strict", "eager"])
    await recorded.hass.async_block_till_done()
    assert told[0] == "Casa: 0 % done."
    assert 10 < len(told) <= 22, "every twentieth"
    assert not persistent_notification._async_get_or_create_notifications(recorded.hass)


def test_another_process_answers_the_same() -> None:
    """Here in the same one, where it can be looked at."""
    states = [(0.0, 3.0, None), (600.0, 15.0, 3450.0), (1200.0, None, 1.0), (1300.0, 4.0, -920.0)]
    house, wiring = House.of(states, 2000.0), Wiring(volts=230)
    wanted = Wanted(wh=100, nights=[(0.0, 1500.0)])
    plan = Plan(max_amps=16, max_amps_car=13, mode=Mode.BALANCED, charge_with=ChargeWith.SURPLUS_ONLY, peak_limit_kw=3)
    asked = {"wiring": asdict(wiring), "kind": "mcb_c", "wanted": asdict(wanted), "plans": [asdict(plan)]}
    answers = io.BytesIO()
    answer(io.BytesIO(json.dumps(asked).encode() + b"\n" + house.to_bytes()), answers)
    *steps, outlooks = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert steps == sorted(steps)
    assert outlooks == [asdict(rehearse(house, plan, wiring, wanted=wanted))]


async def test_a_process_that_fails_is_told_in_words_and_in_the_log(
    recorded: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await live(recorded, [{HOUSE: 3.0 + minute % 2} for minute in range(90)])
    monkeypatch.setattr(rehearsal_process, "_BEGIN", "raise SystemExit('out of memory')")
    with pytest.raises(HomeAssistantError) as raised:
        await ask(recorded)
    assert raised.value.translation_key == "what_if_failed"
    assert "out of memory" in caplog.text
    caplog.clear()


async def test_the_event_loop_goes_on(hass: HomeAssistant) -> None:
    """A week of a lively house: `AMP_SENSOR_HOURS=168 scripts/test tests/what_if/test_what_if.py -s`."""
    from tests.what_if.test_rehearsal import lively

    hours = float(os.environ.get("AMP_SENSOR_HOURS", "6"))
    known: House = lively(hours)
    plan = Plan(max_amps=20, max_amps_car=16, mode=Mode.BALANCED)
    hass.loop.set_debug(enabled=False)  # it looks up where each task came from
    blocked_ms = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        async with Lateness() as lateness:
            await async_rehearse(
                known, [plan], Wiring(volts=230), kind=ProtectionKind.MCB_C, wanted=None, progress=lambda _: None
            )
        print(f"\n{hours:g} h: {time.perf_counter() - began:.2f} s; event loop {lateness.delays}")
        blocked_ms.append(lateness.delays.blocked)
    longest_ms = 1000 * LONGEST_BLOCK * trivial_loop_s()
    assert min(blocked_ms) <= longest_ms, "what it does it does each time; a machine may stand still once"
