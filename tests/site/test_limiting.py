"""Limits beside the budget, at a site with real entities of Home Assistant."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.amp_sensor.const import SUBENTRY_LIMIT, SUBENTRY_LOAD
from custom_components.amp_sensor.control import Reason
from custom_components.amp_sensor.diagnostics import async_get_config_entry_diagnostics
from custom_components.amp_sensor.notices.announcer import EVENT_DECISION
from tests.conftest import CHARGER_ID, CHARGING, STOPPED, TEXTS, Site

LIMIT_ID = "01JLIMIT"
PEAK = {"limit_kw": 3.0, "follows_peak": False, "window_min": "15"}
OUTSIDE = {"entity": "input_number.grid", "kind": "power", "each_charger": False, "fallback_after_min": 5}


async def limit(site: Site, title: str = "Peak", **data: Any) -> None:
    """Add a limit to a site, as the flow does."""
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(
            data=MappingProxyType(data),
            subentry_id=LIMIT_ID,
            subentry_type=SUBENTRY_LIMIT,
            title=title,
            unique_id=None,
        ),
    )
    await site.hass.async_block_till_done()


def to_the_quarter(site: Site) -> None:
    """Let a window of the clock begin now."""
    site.freezer.tick(-dt_util.utcnow().timestamp() % 900)


async def draw(site: Site, seconds: int, house: float = 4.0) -> None:
    """Let time pass in which the house draws so much, and the car what it was told last."""
    for _ in range(seconds // 5):
        amps = next((command.amps for command in reversed(site.charger.commands) if command.amps), 16)
        running = not site.charger.commands or site.charger.commands[-1].action != "stop"
        drawn = float(amps) if running else 0.0
        charging = replace(CHARGING, requested_amps=drawn, measured_amps=drawn)
        site.charger.report = charging if running else replace(STOPPED, requested_amps=float(amps))
        await site.advance(5, amps=house + drawn, watts=230 * (house + drawn))


def reason(site: Site) -> Reason:
    decision = site.coordinator.data.chargers[CHARGER_ID].decision
    assert decision is not None
    return decision.reason


async def input_number(site: Site, value: float = 6000.0, unit: str = "W") -> None:
    """Add a helper that says what holds."""
    config = {"grid": {"min": 0, "max": 20000, "initial": value, "unit_of_measurement": unit, "mode": "box"}}
    assert await async_setup_component(site.hass, "input_number", {"input_number": config})


# -- a quarter of an hour -----------------------------------------------------------------------------------------


async def test_a_car_keeps_within_a_quarter_of_an_hour(site: Site) -> None:
    to_the_quarter(site)
    await limit(site, **PEAK)
    await draw(site, 900)
    assert site.coordinator.data.limits[LIMIT_ID].peak_watts is not None
    assert 2400 < site.coordinator.data.limits[LIMIT_ID].peak_watts <= 3030
    await draw(site, 300)
    assert reason(site) is Reason.PEAK_LIMIT
    assert float(site.state("sensor.peak_average_of_this_window")) <= 3.3
    assert site.state("sensor.peak_limit_in_force") == "3.0"
    assert float(site.state("sensor.peak_expected_at_its_end")) <= 3.46, "a cut for up to 2 A waits"
    await draw(site, 610)
    assert float(site.state("sensor.peak_this_month_s_peak")) <= 3.03


async def test_a_number_changes_it_at_once_and_for_good(site: Site) -> None:
    await limit(site, **PEAK)
    await site.call("number", "set_value", "number.peak_peak_limit", value=4.5)
    assert site.state("number.peak_peak_limit") == "4.5"
    await site.advance(2)
    assert site.state("sensor.peak_limit_in_force") == "4.5"
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.hass.async_block_till_done()
    assert site.state("number.peak_peak_limit") == "4.5"


async def test_a_month_s_peak_survives_a_restart(site: Site) -> None:
    to_the_quarter(site)
    await limit(site, **PEAK | {"follows_peak": True})
    await draw(site, 930, house=18.0)
    peak = site.state("sensor.peak_this_month_s_peak")
    assert float(peak) > 3.5
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.hass.async_block_till_done()
    assert site.state("sensor.peak_this_month_s_peak") == peak
    assert site.state("sensor.peak_limit_in_force") == peak, "it is paid for already"


async def test_a_window_that_is_about_to_be_lost_is_at_risk(site: Site) -> None:
    await limit(site, **PEAK)
    await draw(site, 120, house=18.0)
    assert site.state("binary_sensor.peak_at_risk") == "on"
    assert reason(site) is Reason.HOUSE_OVER_LIMIT


async def test_the_meters_own_average_counts(site: Site) -> None:
    to_the_quarter(site)
    site.hass.states.async_set("sensor.average", "0.5", {"unit_of_measurement": "kW"})
    await limit(site, **PEAK | {"average": "sensor.average"})
    await draw(site, 300)
    site.hass.states.async_set("sensor.average", "2.9", {"unit_of_measurement": "kW"})
    await draw(site, 60)
    assert site.charger.commands[-1].action == "stop", "the meter knows what was drawn"


# -- from elsewhere -----------------------------------------------------------------------------------------------


async def test_a_helper_says_what_holds_and_the_logbook_when(site: Site) -> None:
    told: list[Event] = async_capture_events(site.hass, EVENT_DECISION)
    await input_number(site)
    await limit(site, "Grid", **OUTSIDE)
    await draw(site, 30)
    assert site.state("sensor.grid_limit_in_force") == "6.0"
    assert not site.hass.states.async_entity_ids("number.grid")
    await site.call("input_number", "set_value", "input_number.grid", value=2500)
    await draw(site, 60)
    assert reason(site) is Reason.OUTSIDE_LIMIT
    assert site.charger.commands[-1].amps == 6
    texts = TEXTS["config_panel"]["logbook"]
    said = [texts[event.data["kind"]].format(**event.data) for event in told if event.data["name"] == "Grid"]
    assert said == ["6 kW hold from now on", "2.5 kW hold from now on"]


async def test_what_it_said_last_holds_for_a_while_and_then_what_was_set(site: Site) -> None:
    await input_number(site, 3000)
    await limit(site, "Grid", **OUTSIDE | {"fallback_kw": 4.2})
    await site.advance(2)
    site.hass.states.async_set("input_number.grid", "unavailable")
    await site.advance(298)
    assert site.state("sensor.grid_limit_in_force") == "3.0"
    await site.advance(10)
    assert site.state("sensor.grid_limit_in_force") == "4.2"
    site.hass.states.async_set("input_number.grid", "2000", {"unit_of_measurement": "W"})
    await site.advance(2)
    assert site.state("sensor.grid_limit_in_force") == "2.0"


async def test_what_was_never_heard_is_what_was_set_and_what_was_heard_is_kept(site: Site) -> None:
    await limit(site, "Grid", **OUTSIDE | {"fallback_kw": 4.2})
    assert site.state("sensor.grid_limit_in_force") == "4.2"
    site.hass.states.async_set("input_number.grid", "3", {"unit_of_measurement": "kW"})
    await site.advance(2)
    site.hass.states.async_set("input_number.grid", "unavailable")
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.hass.async_block_till_done()
    assert site.state("sensor.grid_limit_in_force") == "3.0"


async def test_a_relay_dims_each_charger(site: Site) -> None:
    """§ 14a EnWG, with one phase: 4.2 kW are 18 A."""
    told: list[Event] = async_capture_events(site.hass, EVENT_DECISION)
    assert await async_setup_component(site.hass, "input_boolean", {"input_boolean": {"dim": {"initial": False}}})
    relay = {"entity": "input_boolean.dim", "kind": "on_off", "on_kw": 2.3, "each_charger": True}
    await limit(site, "Grid", **OUTSIDE | relay)
    await draw(site, 30)
    assert site.state("sensor.grid_limit_in_force") == "unknown"
    await site.call("input_boolean", "turn_on", "input_boolean.dim")
    await draw(site, 30, house=12.0)
    assert site.charger.commands[-1].amps == 10
    assert reason(site) is Reason.OUTSIDE_LIMIT
    await site.call("input_boolean", "turn_off", "input_boolean.dim")
    await site.advance(2)
    assert [event.data["kind"] for event in told if event.data["name"] == "Grid"] == ["limit_kw", "limit_gone"]


async def test_a_current_is_shown_as_one(site: Site) -> None:
    site.hass.states.async_set("sensor.box", "10", {"unit_of_measurement": "A"})
    await limit(site, "Grid", **OUTSIDE | {"entity": "sensor.box", "kind": "current"})
    await draw(site, 60)
    assert site.state("sensor.grid_current_limit_in_force") == "10.0"
    assert site.charger.commands[-1].amps in (5, 6)


# -- blocks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "power"),
    [({"limit_kw": 3.0}, "3.0"), ({"limit_kw": 3.0, "first_month": 1, "last_month": 1, "from": "02:00:00"}, "5.0")],
)
async def test_a_schedule_holds_by_the_hour(site: Site, block: dict[str, Any], power: str) -> None:
    if "first_month" in block:
        month = site.coordinator.data.today.day.month
        block |= {"first_month": month % 12 + 1, "last_month": month % 12 + 1}
    await limit(site, "Contract", blocks=[block], limit_kw=5.0, window_min="0")
    assert site.state("sensor.contract_limit_in_force") == power
    assert "binary_sensor.contract_at_risk" not in site.states("binary_sensor")
    assert "number.contract_peak_limit" not in site.states("number"), "the schedule says it"


@pytest.mark.parametrize("kept", [7, {"record": {"peak_watts": "much"}, "limit_kw": "more", "told": [1]}])
async def test_a_memory_that_is_damaged_costs_no_more_than_what_is_in_it(
    site: Site, hass_storage: dict[str, Any], kept: Any
) -> None:
    await limit(site, **PEAK)
    await site.call("number", "set_value", "number.peak_peak_limit", value=4.5)
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)
    hass_storage["amp_sensor.01JSITE"]["data"]["limits"][LIMIT_ID] = kept
    assert await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.hass.async_block_till_done()
    assert site.state("number.peak_peak_limit") == "3.0"
    assert site.state("sensor.peak_limit_in_force") == "3.0"
    assert site.state("sensor.peak_this_month_s_peak") == "0.0"


async def test_diagnostics_have_the_limits(site: Site) -> None:
    await limit(site, **PEAK)
    (told,) = (await async_get_config_entry_diagnostics(site.hass, site.entry))["limits"]
    assert told["data"] == PEAK
    assert told["title"] == "**REDACTED**"


async def test_a_house_without_limits_remembers_and_shows_nothing_of_them(site: Site) -> None:
    await draw(site, 120)
    assert site.coordinator.data.limits == {}
    assert "limits" not in site.coordinator._memory()
    assert not [entity_id for entity_id in site.states("sensor") if "limit" in entity_id]


async def test_the_car_gives_all_it_can_before_a_load_goes(site: Site) -> None:
    await input_number(site, value=4600)  # 20 A
    assert await async_setup_component(site.hass, "input_boolean", {"input_boolean": {"boiler": {"initial": True}}})
    boiler = ConfigSubentry(
        data=MappingProxyType({"entity": "input_boolean.boiler", "watts": 2300, "restore": "yes", "asks": False}),
        subentry_type=SUBENTRY_LOAD,
        title="Boiler",
        unique_id="boiler",
    )
    site.hass.config_entries.async_add_subentry(site.entry, boiler)
    await limit(site, "Grid operator", **OUTSIDE)
    await draw(site, 300, house=8.0 + 10.0)
    assert (site.charger.commands[-1].action, reason(site)) == ("stop", Reason.OUTSIDE_LIMIT)
    assert site.state("sensor.boiler_load_state") == "on"
    for _ in range(24):
        await draw(site, 5, house=11.0 + (10.0 if site.state("input_boolean.boiler") == "on" else 0.0))
    assert site.state("input_boolean.boiler") == "off"
    assert site.state("sensor.boiler_load_state") == "shed_for_limit"
