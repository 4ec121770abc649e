"""A charger is paused until its planned hours, and started in them: with real entities that tell the prices."""

from dataclasses import replace
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import CONF_PRICE_ENTITY, SUBENTRY_PRICES
from custom_components.amp_sensor.control import Action, ChargerReport, ChargingState, Reason
from tests.conftest import CHARGING, FakeCharger, Site

PRICE = "sensor.price"


def set_prices(hass: HomeAssistant, prices: dict[int, float], *, usual: float = 0.30) -> None:
    """Let a sensor tell prices of today and tomorrow: `prices` by the hours from today's midnight, else the usual."""
    midnight = dt_util.start_of_local_day()
    rows = [
        {"start": (midnight + timedelta(hours=hour)).isoformat(), "price": prices.get(hour, usual)}
        for hour in range(48)
    ]
    hass.states.async_set(PRICE, str(usual), {"unit_of_measurement": "EUR/kWh", "prices": rows})


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry) -> MockConfigEntry:
    """A site that knows prices, at half past one at night: cheap from two to four."""
    await hass.config.async_set_time_zone("Europe/Madrid")
    freezer.move_to("2026-11-25 00:30:00")
    set_prices(hass, {2: 0.10, 3: 0.10})
    prices = ConfigSubentryDataWithId(
        data={CONF_PRICE_ENTITY: PRICE},
        subentry_id="01JPRICES",
        subentry_type=SUBENTRY_PRICES,
        title="Prices",
        unique_id="prices",
    )
    chargers = [ConfigSubentryDataWithId(**each.as_dict()) for each in entry.subentries.values()]
    return MockConfigEntry(
        domain=entry.domain,
        title=entry.title,
        unique_id=entry.unique_id,
        entry_id=entry.entry_id,
        data=dict(entry.data),
        subentries_data=[*chargers, prices],
    )


@pytest.fixture
def charger(charger: FakeCharger) -> FakeCharger:
    """A car that is at 70 %, and charges."""
    charger.report = replace(CHARGING, battery_percent=70.0, age_s=0.0)
    return charger


def report_of(site: Site) -> ChargerReport:
    assert isinstance(site.charger.report, ChargerReport)
    return site.charger.report


def repairs(site: Site) -> list[str]:
    return site.coordinator.issues.keys()


async def run(site: Site, minutes: float, *, house: float = 5.0, step_s: int = 10) -> None:
    """Let time pass, with a reading each step; the car does as it was told before, and its battery of 60 kWh fills."""
    for _ in range(round(minutes * 60 / step_s)):
        report = report_of(site)
        amps = report.measured_amps or 0.0
        await site.advance(step_s, step_s=step_s, amps=house + amps, watts=230 * (house + amps))
        percent = (report.battery_percent or 0.0) + amps * 230 * step_s / 3600 / 600
        report = replace(report, battery_percent=percent)
        for command in site.charger.commands:
            match command.action:
                case Action.STOP:
                    report = replace(report, state=ChargingState.STOPPED, measured_amps=0.0)
                case Action.START:
                    amps = report.requested_amps or 0.0
                    report = replace(report, state=ChargingState.CHARGING, measured_amps=amps)
                case Action.SET_AMPS:
                    drawn = command.amps if report.state.draws else 0.0
                    report = replace(report, requested_amps=float(command.amps), measured_amps=float(drawn))
        site.charger.commands.clear()
        site.charger.report = report


async def test_a_car_waits_for_the_cheap_hours_and_charges_in_them(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await run(site, 3)
    assert site.state("select.rocinante_plan") == "now"
    assert report_of(site).state is ChargingState.CHARGING
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 3)
    assert report_of(site).state is ChargingState.STOPPED
    assert site.state("sensor.rocinante_reason") == Reason.PLANNED
    assert site.state("sensor.rocinante_charging_control") == "paused"
    assert site.state("sensor.rocinante_planned_start") == "2026-11-25T01:00:00+00:00", "two o'clock in Madrid"
    assert site.state("binary_sensor.rocinante_ready_in_time") == "on"
    assert 0.50 <= float(site.state("sensor.rocinante_expected_cost")) <= 0.7
    await run(site, 20)
    assert report_of(site).state is ChargingState.STOPPED
    await run(site, 10)
    assert report_of(site).state is ChargingState.CHARGING, site.state("sensor.rocinante_reason")
    site.charger.report = replace(report_of(site), battery_percent=80.0)
    await run(site, 5)
    assert report_of(site).state is ChargingState.STOPPED
    assert site.state("sensor.rocinante_reason") == Reason.WANTED_REACHED


async def test_without_leave_to_wake_it_a_plan_tells_that_it_may_not_charge(site: Site) -> None:
    await site.call("select", "select_option", "select.rocinante_plan", option="late")
    await run(site, 1)
    assert "plan_cannot_wake" in repairs(site)
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await run(site, 0.5)
    assert "plan_cannot_wake" not in repairs(site)


async def test_a_goal_that_is_too_high_is_told_and_charged_for_at_once(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await site.call("number", "set_value", "number.rocinante_battery_size", value=200)
    await site.call("number", "set_value", "number.rocinante_wanted_charge", value=100)
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 3)
    assert site.state("binary_sensor.rocinante_ready_in_time") == "off"
    assert report_of(site).state is ChargingState.CHARGING
    assert "plan_late" not in repairs(site), "not at once"
    await run(site, 15)
    assert "plan_late" in repairs(site)
    await site.call("number", "set_value", "number.rocinante_wanted_charge", value=75)
    await run(site, 18)
    assert "plan_late" not in repairs(site)


async def test_a_goal_is_kept_over_a_restart_and_shown(site: Site) -> None:
    await site.call("time", "set_value", "time.rocinante_ready_by", time="06:30:00")
    await site.call("select", "select_option", "select.rocinante_ready_on", option="weekend")
    await site.call("select", "select_option", "select.rocinante_plan", option="late")
    await site.call("number", "set_value", "number.rocinante_wanted_charge", value=90)
    await run(site, 1)
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    await run(site, 1)
    assert site.state("time.rocinante_ready_by") == "06:30:00"
    assert site.state("select.rocinante_ready_on") == "weekend"
    assert site.state("select.rocinante_plan") == "late"
    assert site.state("number.rocinante_wanted_charge") == "90.0"
    planned = site.hass.states.get("sensor.rocinante_planned_start")
    assert planned is not None
    assert planned.attributes["ready_at"] == "2026-11-28T05:30:00+00:00", "on Saturday"
    assert planned.attributes["timeline"][0]["start"] == "2026-11-25T00:30:00+00:00"
    assert {row["price"] for row in planned.attributes["timeline"]} == {0.1, 0.3, None}


async def test_a_car_that_left_has_no_plan_and_one_that_comes_is_paused_at_once(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    here = report_of(site)
    site.charger.report = replace(here, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await run(site, 3)
    assert site.state("sensor.rocinante_planned_start") == "unknown"
    assert site.state("sensor.rocinante_reason") == Reason.UNPLUGGED
    site.charger.report = here
    await run(site, 2)
    assert report_of(site).state is ChargingState.STOPPED
    assert site.state("sensor.rocinante_reason") == Reason.PLANNED


async def test_without_its_battery_known_it_charges_as_ever(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    site.charger.report = replace(report_of(site), battery_percent=None)
    await site.advance(60, step_s=10, amps=21.0, watts=4830.0)
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await site.advance(60, step_s=10, amps=21.0, watts=4830.0)
    assert not site.charger.commands
    assert report_of(site).state is ChargingState.CHARGING
    assert site.state("sensor.rocinante_planned_start") == "unknown"


async def test_a_site_without_prices_shows_none_of_it(site: Site) -> None:
    site.hass.config_entries.async_remove_subentry(site.entry, "01JPRICES")
    await site.hass.async_block_till_done()
    for entity_id in ("select.rocinante_plan", "time.rocinante_ready_by", "sensor.rocinante_planned_start"):
        assert site.hass.states.get(entity_id) is None


async def test_without_a_battery_level_it_gets_so_many_kwh(site: Site) -> None:
    site.charger.knows_battery = False
    assert await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert site.hass.states.get("number.rocinante_wanted_charge") is None
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await site.call("number", "set_value", "number.rocinante_wanted_energy", value=4.5)
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 3)
    planned = site.hass.states.get("sensor.rocinante_planned_start")
    assert planned is not None
    assert 4.2 <= planned.attributes["needed_kwh"] <= 4.5
    assert planned.state == "2026-11-25T01:00:00+00:00"
    await site.call("number", "set_value", "number.rocinante_wanted_energy", value=0)
    await run(site, 1)
    assert site.state("sensor.rocinante_reason") == Reason.WANTED_REACHED


async def test_what_is_late_goes_on_and_then_the_next_time_counts(site: Site) -> None:
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await site.call("time", "set_value", "time.rocinante_ready_by", time="01:45:00")
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 18)
    assert report_of(site).state is ChargingState.CHARGING
    assert site.state("binary_sensor.rocinante_ready_in_time") == "off"
    site.charger.report = replace(report_of(site), battery_percent=80.0)
    await run(site, 5)
    assert report_of(site).state is ChargingState.STOPPED
    assert site.state("binary_sensor.rocinante_ready_in_time") == "on"
    planned = site.hass.states.get("sensor.rocinante_planned_start")
    assert planned is not None
    assert planned.attributes["ready_at"] == "2026-11-26T00:45:00+00:00"


async def test_the_battery_is_learned_until_a_person_says_what_it_holds(site: Site) -> None:
    assert site.state("number.rocinante_battery_size") == "60.0"
    await run(site, 14)
    site.charger.report = replace(report_of(site), battery_percent=81.0)
    await run(site, 1)
    assert 5.0 <= float(site.state("number.rocinante_battery_size")) <= 10.0, "a percent took about 80 Wh"
    await site.call("number", "set_value", "number.rocinante_battery_size", value=50)
    await run(site, 0.5)
    assert site.state("number.rocinante_battery_size") == "50.0"


async def test_a_full_car_needs_nothing(site: Site) -> None:
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    site.charger.report = replace(report_of(site), state=ChargingState.COMPLETE, measured_amps=0.0)
    await run(site, 3)
    assert site.state("sensor.rocinante_reason") == Reason.COMPLETE
    assert site.state("binary_sensor.rocinante_ready_in_time") == "on"


async def test_without_prices_it_begins_at_once_and_that_is_told(site: Site, freezer: FrozenDateTimeFactory) -> None:
    site.hass.states.async_remove(PRICE)
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    freezer.tick(timedelta(days=3))
    await run(site, 1)
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 3)
    assert "prices_missing" not in repairs(site)
    freezer.tick(timedelta(hours=3))
    await run(site, 1)
    assert "prices_missing" in repairs(site)


async def test_what_is_added_beside_a_plan_starts_nothing(site: Site) -> None:
    """Until another integration has told the prices again, a plan would be a guess."""
    await site.call("switch", "turn_on", "switch.rocinante_may_be_woken")
    await site.call("select", "select_option", "select.rocinante_plan", option="cheapest")
    await run(site, 6)
    assert site.state("sensor.rocinante_reason") == Reason.PLANNED
    planned = site.state("sensor.rocinante_planned_start")
    site.hass.states.async_remove(PRICE)
    site.hass.config_entries.async_update_entry(site.entry, title="House")
    await site.hass.async_block_till_done()
    await site.settle()
    assert site.state("sensor.rocinante_reason") == Reason.PLANNED
    assert site.state("sensor.rocinante_planned_start") == planned
    await run(site, 3)
    assert report_of(site).state is ChargingState.STOPPED
