"""Something is added beside a car that charges: what goes on goes on, and nobody is told anything else meanwhile."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
import pytest

from custom_components.amp_sensor.chargers.charger import ChargerBusy
from custom_components.amp_sensor.const import SUBENTRY_BATTERY, SUBENTRY_LIMIT, SUBENTRY_LOAD, SUBENTRY_PRICES
from tests.conftest import CHARGER_ID, CHARGING, Site, add_car, car_data

BOILER = {"entity": "switch.boiler", "watts": 2000, "restore": "yes"}
ADDED: dict[str, Mapping[str, Any]] = {
    SUBENTRY_LOAD: BOILER,
    SUBENTRY_LIMIT: {"entity": "sensor.grid", "kind": "power"},
    SUBENTRY_BATTERY: {"power": "sensor.battery", "positive": "charging", "first_until_percent": 100},
    SUBENTRY_PRICES: {"price_entity": "sensor.price"},
}
ADDED_ID = "01JADDED"
SHOWN = ("target_current", "charging_current", "charging_state", "reason", "charging_control")
HOUSE = {"amps": 24.6, "watts": 5658.0}


def _shown(site: Site) -> dict[str, str]:
    return {key: site.state(f"sensor.rocinante_{key}") for key in SHOWN}


async def _add(site: Site, added: str, **data: Any) -> None:
    """Add something as its flow does."""
    settings = MappingProxyType({**ADDED[added], **data})
    site.hass.config_entries.async_add_subentry(
        site.entry,
        ConfigSubentry(data=settings, subentry_id=ADDED_ID, subentry_type=added, title="Boiler", unique_id=None),
    )
    await site.hass.async_block_till_done()
    await site.settle()


@pytest.fixture
async def charging(site: Site) -> Site:
    """Let the car charge with 10 A, which the site lowered it to."""
    site.hass.states.async_set("switch.boiler", "on")
    await site.advance(65, amps=19.0, watts=4370.0)
    await site.post(amps=30.6, watts=7038.0)
    assert [command.amps for command in site.charger.commands] == [10]
    site.charger.report = replace(CHARGING, requested_amps=10.0, measured_amps=10.0, age_s=0.0)
    await site.advance(180, step_s=5, **HOUSE)
    assert len(site.charger.commands) == 1
    return site


@pytest.mark.parametrize("kind", ADDED)
async def test_what_is_added_beside_a_charging_car_commands_and_hides_nothing(charging: Site, kind: str) -> None:
    site, before, old = charging, _shown(charging), charging.coordinator
    assert before == {
        "target_current": "10",
        "charging_current": "10.0",
        "charging_state": "charging",
        "reason": "no_headroom",
        "charging_control": "limited",
    }
    today = old.data.today
    await _add(site, kind)
    assert site.coordinator is not old
    assert _shown(site) == before, "at once, without any reading"
    assert (site.state("sensor.casa_current"), site.state("sensor.casa_headroom")) == ("24.6", "0.4")
    assert site.coordinator.data.today == today
    assert today.cuts == 1
    for _ in range(30):
        await site.advance(5, step_s=5, **HOUSE)
        assert _shown(site) == before
    assert len(site.charger.commands) == 1
    assert len(site.coordinator.decisions) >= len(old.decisions) > 1


async def test_what_is_removed_again_bounds_nothing_any_more(charging: Site) -> None:
    site = charging
    site.hass.states.async_set("sensor.grid", "5.2", {"unit_of_measurement": "kW", "device_class": "power"})
    await _add(site, SUBENTRY_LIMIT, entity="sensor.grid", kind="power")
    await site.advance(5, step_s=5, **HOUSE)
    assert {command.amps for command in site.charger.commands[1:]} == {8}
    site.charger.report = replace(CHARGING, requested_amps=8.0, measured_amps=8.0, age_s=0.0)
    await site.advance(60, step_s=5, amps=22.6, watts=5198.0)
    assert site.state("sensor.rocinante_reason") == "outside_limit"
    site.hass.config_entries.async_remove_subentry(site.entry, ADDED_ID)
    await site.hass.async_block_till_done()
    await site.settle()
    assert site.coordinator.data.limits == {}
    assert site.coordinator.controller.supply_limits == {}
    told = len(site.charger.commands)
    await site.advance(600, step_s=5, amps=12.0, watts=2760.0)
    assert site.charger.commands[told].amps > 8


async def test_a_command_that_is_on_its_way_meanwhile_is_not_waited_for(
    charging: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is unknown: the car draws what it did, so that it is told again."""
    monkeypatch.setattr("custom_components.amp_sensor.site.errands.STOP_TIMEOUT_S", -1.0)  # the clock stands still
    site = charging
    site.charger.hold = asyncio.Event()
    await site.post(amps=27.6, watts=6348.0)
    assert [command.amps for command in site.charger.commands[1:]] == [7]
    await _add(site, SUBENTRY_LOAD)
    (managed,) = site.coordinator.controller.chargers.values()
    assert managed.in_flight is None
    site.charger.hold.set()
    told = len(site.charger.commands)
    await site.advance(20, amps=27.6, watts=6348.0)
    assert {command.amps for command in site.charger.commands[told:]} == {7}


async def test_what_a_cloud_asked_for_is_kept_to(charging: Site) -> None:
    site = charging
    site.charger.report = ChargerBusy("later")
    site.charger.report.retry_after_s = 300.0
    await site.advance(20, **HOUSE)
    polls = site.charger.polls
    await _add(site, SUBENTRY_LOAD)
    await site.advance(60, **HOUSE)
    assert site.charger.polls == polls
    assert site.state("sensor.rocinante_charging_state") == "charging", "it said so a minute ago"


@pytest.mark.parametrize("change", ["reloaded by a person", "another car", "another supply"])
async def test_whatever_may_be_another_begins_anew(charging: Site, change: str) -> None:
    hass, entry = charging.hass, charging.entry
    match change:
        case "reloaded by a person":
            await hass.config_entries.async_reload(entry.entry_id)
        case "another car":
            data = car_data(car_vin="7SAYGDEE8NF000612")
            hass.config_entries.async_update_subentry(entry, entry.subentries[CHARGER_ID], data=data)
        case _:
            hass.config_entries.async_update_entry(entry, data={**entry.data, "voltage": 240})
    await hass.async_block_till_done()
    await charging.settle()
    assert charging.state("sensor.rocinante_reason") == "adopting"
    assert charging.state("sensor.rocinante_target_current") == "10"
    assert len(charging.charger.commands) == 1


async def test_another_car_beside_one_that_charges_changes_nothing_for_it(charging: Site) -> None:
    site, before = charging, _shown(charging)
    add_car(site, "01JOTHER", "Other")
    await site.hass.async_block_till_done()
    await site.settle()
    assert _shown(site) | {"reason": ""} == before | {"reason": ""}
    assert site.state("sensor.rocinante_reason") != "adopting"
