"""A boiler and a heat pump of a real Home Assistant, switched off where the breaker cannot bear them."""

from collections.abc import AsyncGenerator
from math import inf
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.mobile_app.const import DOMAIN as MOBILE_APP
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState, ConfigSubentry, ConfigSubentryData
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.amp_sensor.const import (
    CONF_ASK_FOR,
    CONF_ASKS,
    CONF_ENTITY,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_RESTORE,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_LIMIT,
    SUBENTRY_LOAD,
)
from custom_components.amp_sensor.diagnostics import async_get_config_entry_diagnostics
from custom_components.amp_sensor.notices.announcer import EVENT_DECISION
from custom_components.amp_sensor.repairs import async_create_fix_flow
from tests.conftest import TEXTS, WEBHOOK_ID, FakeCharger, Site

BOILER = "input_boolean.boiler"
STATE = "sensor.boiler_load_state"
LOAD_ID = "01JBOILER"


def load_data(entity: str = BOILER, **changes: Any) -> dict[str, Any]:
    """Return the settings of a load as the flow keeps them."""
    return {CONF_ENTITY: entity, CONF_RESTORE: "yes", CONF_ASKS: False, CONF_ASK_FOR: 60, **changes}


def load(load_id: str = LOAD_ID, title: str = "Boiler", **data: Any) -> ConfigSubentryData:
    return ConfigSubentryData(
        data=load_data(**data), subentry_id=load_id, subentry_type=SUBENTRY_LOAD, title=title, unique_id=title
    )


@pytest.fixture
def loads() -> list[ConfigSubentryData]:
    """What can be switched off; tests may say otherwise."""
    return [load()]


@pytest.fixture
async def house(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    enable_custom_integrations: None,
    loads: list[ConfigSubentryData],
) -> AsyncGenerator[Site]:
    """Set up a house without a car, with a budget and a breaker of 16 A."""
    hass.loop.slow_callback_duration = inf
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {name: {"initial": True} for name in ("boiler", "pump")}}
    )
    assert await async_setup_component(
        hass,
        "input_number",
        {"input_number": {"power": {"min": 0, "max": 9000, "initial": 2300, "unit_of_measurement": "W"}}},
    )
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Casa",
        unique_id="casa",
        entry_id="01JSITE",
        data={CONF_MAX_AMPS: 16, CONF_VOLTAGE: 230, CONF_LOCAL_ONLY: True, CONF_WEBHOOK_ID: WEBHOOK_ID},
        subentries_data=loads,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    site = Site(hass, entry, freezer, FakeCharger(), await hass_client_no_auth())
    await site.settle()
    yield site
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


async def draw(site: Site, amps: float, seconds: int, *, boiler: float = 10.0) -> None:
    """Let the house draw so much beside its boiler for a while, second by second."""
    for second in range(1, seconds + 1):
        await site.advance(1)
        if second % 5 == 0:
            flows = amps + (boiler if site.state(BOILER) == "on" else 0.0)
            await site.post(amps=flows, watts=flows * 230)


async def overload(site: Site, *, seconds: int = 40) -> None:
    await draw(site, 14.0, seconds)


async def test_it_goes_off_before_the_breaker_opens_and_comes_back(house: Site) -> None:
    events = async_capture_events(house.hass, EVENT_DECISION)
    await draw(house, 2.0, 10)
    assert house.state(STATE) == "on"
    await overload(house)
    assert house.state(BOILER) == "off"
    assert house.state(STATE) == "shed"
    assert house.state("sensor.boiler_switched_off_today") == "1"
    state = house.hass.states.get(STATE)
    assert state is not None
    assert state.attributes["amps"] == pytest.approx(10, abs=0.1)
    await draw(house, 2.0, 60)
    assert house.state(STATE) == "waiting"
    await draw(house, 2.0, 80)
    assert house.state(BOILER) == "on"
    assert house.state(STATE) == "on"
    kinds = [event.data["kind"] for event in events]
    assert kinds == ["load_shed", "load_restore"]
    assert all(TEXTS["config_panel"]["logbook"][kind] for kind in kinds)
    assert events[0].data["entity_id"] == STATE


async def test_entities(house: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    await draw(house, 2.0, 5)
    for domain in ("sensor", "switch", "select"):
        for entity_id, state in house.states(domain).items():
            if "boiler" in entity_id:
                assert entity_registry.async_get(entity_id) == snapshot(name=f"{entity_id}-entry")
                assert state == snapshot(name=f"{entity_id}-state")


async def test_whose_doing_it_is_survives_a_kill(house: Site, hass_storage: dict[str, Any]) -> None:
    """The memory is on the disk before the switch is told."""
    stored: list[Any] = []

    def told(event: Event[Any]) -> None:
        if event.data.get("service") == "turn_off":
            stored.append(hass_storage[f"{DOMAIN}.01JSITE"]["data"]["loads"][LOAD_ID]["record"]["shed"])

    house.hass.bus.async_listen("call_service", told)
    await overload(house)
    assert stored == [1]


async def test_it_goes_on_after_a_restart(house: Site) -> None:
    await overload(house)
    await house.hass.config_entries.async_reload("01JSITE")
    await house.settle()
    assert house.state(BOILER) == "off", "a reload gives nothing back"
    await draw(house, 2.0, 150)
    assert house.state(BOILER) == "on"


async def test_what_is_added_beside_it_changes_nothing_for_it(house: Site) -> None:
    await overload(house)
    await draw(house, 2.0, 60)
    before = house.state(STATE)
    assert (house.state(BOILER), before) == ("off", "waiting")
    house.hass.config_entries.async_update_entry(house.entry, title="House")
    await house.hass.async_block_till_done()
    await house.settle()
    assert house.state(STATE) == before
    await draw(house, 2.0, 75)
    assert house.state(BOILER) == "on", "what it had waited for counts"


@pytest.mark.parametrize("how", ["managed", "mode", "monitor"])
async def test_it_is_given_back_when_control_ends(house: Site, how: str) -> None:
    await overload(house)
    await draw(house, 2.0, 10)
    assert house.state(BOILER) == "off"
    if how == "managed":
        await house.call("switch", "turn_off", "switch.boiler_managed")
    else:
        option = "off" if how == "mode" else "monitor"
        await house.call("select", "select_option", "select.casa_mode", option=option)
    await draw(house, 2.0, 5)
    assert house.state(BOILER) == "on"


@pytest.mark.parametrize("how", ["disabled", "removed", "load removed"])
async def test_it_is_given_back_when_nobody_is_left_to_do_it(house: Site, how: str) -> None:
    await overload(house)
    await draw(house, 2.0, 10)
    if how == "disabled":
        await house.hass.config_entries.async_set_disabled_by("01JSITE", ConfigEntryDisabler.USER)
    elif how == "removed":
        await house.hass.config_entries.async_remove("01JSITE")
    else:
        house.hass.config_entries.async_remove_subentry(house.entry, LOAD_ID)
    await house.hass.async_block_till_done()
    assert house.state(BOILER) == "on"


async def test_a_day_that_passed_meanwhile_counts_anew(house: Site) -> None:
    await overload(house)
    assert house.state("sensor.boiler_switched_off_today") == "1"
    await house.hass.config_entries.async_unload("01JSITE")
    house.freezer.tick(86400)
    await house.hass.config_entries.async_setup("01JSITE")
    await house.settle()
    assert house.state(BOILER) == "off"
    assert house.state("sensor.boiler_switched_off_today") == "0"
    await draw(house, 2.0, 150)
    assert house.state(BOILER) == "on", "whose doing it was is not forgotten with the day"


async def test_what_cannot_be_given_back_safely_is_told(house: Site, issue_registry: ir.IssueRegistry) -> None:
    await overload(house)
    await house.call("select", "select_option", "select.casa_mode", option="off")
    await overload(house, seconds=125)
    assert house.state(BOILER) == "off"
    assert issue_registry.async_get_issue(DOMAIN, f"load_left_off_{LOAD_ID}")
    flow = await async_create_fix_flow(house.hass, "left", {"key": "load_left_off", "of": LOAD_ID})
    assert type(flow).__name__ == "ConfirmRepairFlow"


async def test_one_that_does_nothing_is_told(house: Site, issue_registry: ir.IssueRegistry) -> None:
    for second in range(90):
        await house.advance(1)
        if second % 5 == 0:
            await house.post(amps=22.0, watts=5000.0)
    assert house.state(STATE) == "no_effect"
    assert issue_registry.async_get_issue(DOMAIN, f"load_no_effect_{LOAD_ID}")


async def test_a_person_is_respected_until_tomorrow(house: Site) -> None:
    await overload(house)
    await house.call("input_boolean", "turn_on", BOILER)
    await overload(house)
    assert house.state(STATE) == "by_user"
    assert house.state(BOILER) == "on"
    house.freezer.tick(86400)
    await house.post(amps=24.0, watts=5520.0)
    await overload(house)
    assert house.state(BOILER) == "off"
    assert house.state("sensor.boiler_switched_off_today") == "1"


async def test_one_whose_entity_is_gone_blocks_nobody(house: Site) -> None:
    house.hass.states.async_remove(BOILER)
    await house.advance(5)
    assert house.state(STATE) == "unavailable"


@pytest.mark.parametrize("loads", [[load(power="input_number.power", watts=2300)]])
async def test_one_that_stands_still_is_not_switched(house: Site) -> None:
    await house.call("input_number", "set_value", "input_number.power", value=3)
    await overload(house)
    assert house.state(BOILER) == "on"
    await house.call("input_number", "set_value", "input_number.power", value=2300)
    await overload(house, seconds=10)
    assert house.state(BOILER) == "off"


@pytest.mark.parametrize("loads", [[load(), load("01JPUMP", "Pump", entity="input_boolean.pump")]])
async def test_priority_decides_who_goes_first(house: Site) -> None:
    await house.call("select", "select_option", "select.boiler_priority", option="first")
    assert house.state("select.boiler_priority") == "first"
    await overload(house)
    assert house.state("input_boolean.pump") == "off"


class TestAsking:
    @pytest.fixture
    def loads(self) -> list[ConfigSubentryData]:
        return [load(asks=True, notify="notify.mobile_app_phone", watts=2300)]

    @pytest.fixture
    def phone(self, hass: HomeAssistant) -> list[ServiceCall]:
        calls: list[ServiceCall] = []
        hass.services.async_register("notify", "mobile_app_phone", calls.append)
        return calls

    async def asked(self, house: Site) -> None:
        await draw(house, 9.0, 15)  # 19 A through 16 A
        assert house.state(STATE) == "asked"
        assert house.state(BOILER) == "on"

    async def test_a_phone_is_asked_and_its_answer_taken(self, phone: list[ServiceCall], house: Site) -> None:
        await self.asked(house)
        (call,) = phone
        assert call.data["title"] == "Boiler"
        assert "60 s" in call.data["message"]
        yes, no = call.data["data"]["actions"]
        assert (yes["title"], no["title"]) == ("Yes", "No")
        house.hass.bus.async_fire(f"{MOBILE_APP}_notification_action", {"action": "of somebody else"})
        house.hass.bus.async_fire(f"{MOBILE_APP}_notification_action", {"action": yes["action"]})
        await draw(house, 9.0, 5)
        assert house.state(BOILER) == "off"
        assert phone[-1].data["message"] == "clear_notification"
        assert phone[-1].data["data"]["tag"] == call.data["data"]["tag"]

    async def test_a_no_leaves_it_on(self, phone: list[ServiceCall], house: Site) -> None:
        await self.asked(house)
        no = phone[0].data["data"]["actions"][1]["action"]
        house.hass.bus.async_fire(f"{MOBILE_APP}_notification_action", {"action": no})
        await draw(house, 9.0, 60)
        assert house.state(BOILER) == "on"
        assert house.state(STATE) == "declined"

    async def test_a_repair_asks_as_well(self, house: Site, issue_registry: ir.IssueRegistry) -> None:
        """The phone is gone: nobody ever registered that action."""
        await self.asked(house)
        issue = issue_registry.async_get_issue(DOMAIN, f"load_asks_off_{LOAD_ID}")
        assert issue is not None
        flow: Any = await async_create_fix_flow(house.hass, issue.issue_id, issue.data)
        flow.hass, flow.issue_id = house.hass, issue.issue_id
        form = await flow.async_step_init()
        assert form["type"] == "form"
        await flow.async_step_confirm({})
        await draw(house, 9.0, 5)
        assert house.state(BOILER) == "off"
        assert issue_registry.async_get_issue(DOMAIN, f"load_asks_off_{LOAD_ID}") is None

    async def test_without_an_answer_it_goes_off(self, house: Site) -> None:
        await self.asked(house)
        await draw(house, 9.0, 60)
        assert house.state(BOILER) == "off"


async def test_diagnostics_tell_of_it(house: Site) -> None:
    await draw(house, 2.0, 5)
    told = await async_get_config_entry_diagnostics(house.hass, house.entry)
    assert told["loads"][LOAD_ID]["known"]["reason"] == "on"
    assert "Boiler" not in str(told["loads"])


async def test_a_load_can_be_added_to_a_site_with_a_car(site: Site) -> None:
    assert await async_setup_component(site.hass, "input_boolean", {"input_boolean": {"boiler": {"initial": True}}})
    subentry = load()
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            data=MappingProxyType(dict(subentry["data"])),
            subentry_id=LOAD_ID,
            subentry_type=SUBENTRY_LOAD,
            title="Boiler",
            unique_id="boiler",
        ),
    )
    await site.hass.async_block_till_done()
    await site.advance(30, amps=20.0, watts=4600.0)
    assert site.state(STATE) == "on"


class TestForALimit:
    """The grid operator says 3 kW, which is 13 A."""

    @pytest.fixture
    def loads(self) -> list[ConfigSubentryData]:
        return [load(watts=2300), self.limit()]

    def limit(self, **data: Any) -> ConfigSubentryData:
        told = {CONF_ENTITY: "input_number.power", "kind": "power", "fallback_after_min": 5, **data}
        return ConfigSubentryData(
            data=told, subentry_id="01JLIMIT", subentry_type=SUBENTRY_LIMIT, title="Dimming", unique_id=None
        )

    async def test_a_load_goes_for_it_and_comes_back_when_it_ends(self, house: Site) -> None:
        await house.call("input_number", "set_value", "input_number.power", value=3000)
        events = async_capture_events(house.hass, EVENT_DECISION)
        await draw(house, 4.0, 50)
        assert house.state(BOILER) == "on", "it may end by itself"
        await draw(house, 4.0, 40)
        assert house.state(BOILER) == "off"
        assert house.state(STATE) == "shed_for_limit"
        state = house.hass.states.get(STATE)
        assert state is not None
        assert state.attributes["limit"] == "Dimming"
        (event,) = [event for event in events if event.data["kind"].startswith("load_")]
        text = TEXTS["config_panel"]["logbook"][event.data["kind"]]
        assert text.format(**event.data) == "Switched off: Dimming would be exceeded"
        await house.hass.config_entries.async_reload("01JSITE")
        await house.settle()
        await draw(house, 4.0, 60)
        assert house.state(STATE) == "shed_for_limit", "over a restart too"
        await house.call("input_number", "set_value", "input_number.power", value=9000)
        await draw(house, 4.0, 150)
        assert house.state(BOILER) == "on"
        state = house.hass.states.get(STATE)
        assert state is not None
        assert "limit" not in state.attributes

    @pytest.mark.parametrize("switches_loads", [False, True])
    async def test_a_peak_is_kept_with_loads_only_where_somebody_wants_that(
        self, house: Site, switches_loads: bool
    ) -> None:
        house.hass.config_entries.async_remove_subentry(house.entry, "01JLIMIT")
        told = {"limit_kw": 2.5, "follows_peak": False, "window_min": "15"}
        told |= {"switches_loads": True} if switches_loads else {}
        limit = ConfigSubentry(
            data=MappingProxyType(told),
            subentry_id="01JPEAK",
            subentry_type=SUBENTRY_LIMIT,
            title="Peak",
            unique_id=None,
        )
        house.hass.config_entries.async_add_subentry(house.entry, limit)
        await house.hass.async_block_till_done()
        house.freezer.tick(-house.freezer.time_to_freeze.timestamp() % 900)
        await draw(house, 4.0, 500)  # 3.2 kW
        assert house.state(BOILER) == "on", "there is time to make up for it"
        await draw(house, 4.0, 390)
        assert house.state(BOILER) == ("off" if switches_loads else "on")
        state = house.hass.states.get(STATE)
        assert state is not None
        assert state.attributes.get("limit") == ("Peak" if switches_loads else None)
        expected = float(house.state("sensor.peak_expected_at_its_end"))
        assert expected <= 2.5 if switches_loads else expected > 3
