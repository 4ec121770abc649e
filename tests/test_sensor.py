"""What the meter and the controller see."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.amp_sensor.const import CONF_SUPPLY
from custom_components.amp_sensor.control import ChargingState, Mode, Protection, ProtectionKind, Reading, Reason
from custom_components.amp_sensor.sensor import SITE_SENSORS
from tests.conftest import CHARGER_ID, CHARGING, TEXTS, Site, car_data

THREE_PHASES = [{"amps": 20.0, "watts": 4600.0}, {"amps": 4.0, "watts": 900.0}, {"amps": 6.5, "watts": 1500.0}]
"""With the car on L1."""


async def test_sensors(site: Site, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion) -> None:
    site.hass.config_entries.async_update_subentry(
        site.entry, site.entry.subentries[CHARGER_ID], data=car_data(phases=[1])
    )
    await site.hass.async_block_till_done()
    await site.post(phases=THREE_PHASES, volts=231.0)
    await site.advance(300, step_s=5, phases=THREE_PHASES, volts=231.0)
    for entry in er.async_entries_for_config_entry(entity_registry, site.entry.entry_id):
        if entry.domain == "sensor":
            assert entry == snapshot(name=f"{entry.entity_id}-entry")
    for entity_id, state in site.states("sensor").items():
        assert state == snapshot(name=f"{entity_id}-state")


async def test_before_the_first_reading_nothing_is_made_up(site: Site) -> None:
    unknown = {description.key for description in SITE_SENSORS if description.value_fn(site.coordinator.data) is None}
    numbers = {"current", "power", "voltage", "headroom", "budget_used", "house_current", "protection_load"}
    assert unknown == numbers | {"last_reading"}


async def test_phases_appear_once_the_site_is_known_to_have_them_and_stay(site: Site) -> None:
    await site.post(phases=[{"amps": 1.0}])
    await site.post(phases=THREE_PHASES)
    await site.post(phases=[{"amps": 1.0}])
    assert "sensor.casa_current_l1" not in site.states("sensor"), "one odd post is no proof"
    assert "sensor.rocinante_phases" not in site.states("sensor")
    await site.advance(60, step_s=5, phases=THREE_PHASES[:2])
    assert site.state("sensor.casa_current_l2") == "4.0"
    assert "sensor.casa_current_l3" not in site.states("sensor")
    await site.advance(60, step_s=5, phases=THREE_PHASES)
    assert [site.state(f"sensor.casa_current_l{phase}") for phase in (1, 2, 3)] == ["20.0", "4.0", "6.5"]
    assert site.state("sensor.casa_current") == "20.0", "the highest phase"
    await site.post(phases=THREE_PHASES[:2])
    assert site.state("sensor.casa_current_l2") == "4.0"
    assert site.state("sensor.casa_current_l3") == "unavailable", "silent, not zero"
    await site.hass.config_entries.async_reload(site.entry.entry_id)
    await site.settle()
    assert site.state("sensor.casa_current_l3") == "unavailable", "known before the first reading"
    await site.post(phases=THREE_PHASES)
    assert site.state("sensor.casa_current_l3") == "6.5"


async def test_phases_that_the_settings_tell_are_there_from_the_beginning(site: Site) -> None:
    site.hass.config_entries.async_update_entry(site.entry, data={**site.entry.data, CONF_SUPPLY: "split"})
    await site.hass.async_block_till_done()
    await site.settle()
    shown = [entity_id for entity_id in site.states("sensor") if "current_l" in entity_id]
    assert shown == ["sensor.casa_current_l1", "sensor.casa_current_l2"]


@pytest.mark.parametrize(
    ("told", "reported", "shown"),
    [
        (None, None, "unknown"),
        ([2], None, "L2"),
        ([1, 3], 3, "L1 + L3"),
        (None, 3, "L1 + L2 + L3"),
    ],
)
async def test_the_phases_of_a_car_are_shown(
    site: Site, told: list[int] | None, reported: int | None, shown: str
) -> None:
    entry = site.entry
    site.hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_SUPPLY: "three"})
    car = car_data() if told is None else car_data(phases=told)
    site.hass.config_entries.async_update_subentry(entry, entry.subentries[CHARGER_ID], data=car)
    await site.hass.async_block_till_done()
    site.charger.report = replace(CHARGING, phases=reported)
    await site.advance(20)
    assert site.state("sensor.rocinante_phases") == shown


async def test_feeding_in_leaves_more_room_than_the_budget(site: Site) -> None:
    site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    reading = Reading(at=site.coordinator.now(), amps=(-10.0,), volts=(230.0,), watts=-2300.0)
    site.coordinator.async_add_reading(reading)
    await site.settle()
    assert site.state("sensor.casa_current") == "-10.0"
    assert site.state("sensor.casa_headroom") == "35.0"
    assert site.state("binary_sensor.casa_over_budget") == "off"


async def test_headroom_follows_a_new_budget_without_a_reading(site: Site) -> None:
    await site.post(amps=10.0, watts=2300.0)
    assert site.state("sensor.casa_headroom") == "15.0"
    await site.advance(3)
    site.coordinator.async_configure(replace(site.coordinator.data.settings, max_amps=20.0))
    await site.settle()
    assert site.state("sensor.casa_headroom") == "10.0"


async def test_the_house_is_what_the_car_does_not_draw(site: Site) -> None:
    await site.post(amps=20.0, watts=4600.0)
    await site.advance(3, amps=20.0, watts=4600.0)
    assert site.state("sensor.casa_house_current") == "4.0"


async def test_a_long_overload_warms_the_breaker(site: Site) -> None:
    await site.post(amps=36.0, watts=8280.0)
    assert float(site.state("sensor.casa_protection_load")) == 0
    await site.advance(60, amps=36.0, watts=8280.0)
    assert 1 < float(site.state("sensor.casa_protection_load")) <= 100


async def _protect(site: Site, **protection: Any) -> None:
    """Change what protects the site, as the flow does, and begin with it cold."""
    told = {"kind": "mcb_c", "tolerance_percent": 0, "time_s": 60, **protection}
    site.hass.config_entries.async_update_entry(site.entry, data={**site.entry.data, "protection": told})
    await site.hass.async_block_till_done()


async def _load_after(site: Site, seconds: int, amps: float) -> float:
    await site.post(amps=amps, watts=amps * 230)
    await site.advance(seconds, amps=amps, watts=amps * 230)
    return float(site.state("sensor.casa_protection_load"))


@pytest.mark.parametrize(
    ("protection", "load"),
    [
        ({}, 100),
        (
            {"kind": "mcb_b", "rating_amps": 28},
            16,
        ),  # from cold: (36/28)² (1 − 1/e) − 1, of the 1.13² − 1 to open it
        ({"kind": "mcb_c", "rating_amps": 63}, 0),
        ({"kind": "fuse_gg", "rating_amps": 32}, 33),  # (36/32)² (1 − e^(−60/22)) − 1, of 1.25² − 1
        ({"kind": "meter_switch", "rating_amps": 33, "tolerance_percent": 10}, 0),
        ({"kind": "meter_switch", "rating_amps": 32, "tolerance_percent": 10, "time_s": 120}, 50),
        ({"kind": "meter_switch"}, 100),
    ],
    ids=str,
)
async def test_the_load_is_that_of_the_protection_that_was_chosen(
    site: Site, protection: dict[str, Any], load: float
) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=Mode.MONITOR))
    await _protect(site, **protection)
    assert await _load_after(site, 60, 36.0) == pytest.approx(load, abs=3)


async def test_a_protection_without_a_rating_of_its_own_has_that_of_the_budget_in_the_settings(site: Site) -> None:
    site.coordinator.async_configure(replace(site.coordinator.data.settings, mode=Mode.MONITOR))
    await _protect(site, kind="mcb_b")
    await site.call("number", "set_value", "number.casa_budget", value=40)
    assert await _load_after(site, 60, 36.0) == 100
    protection = site.coordinator.data.settings.protection
    assert protection == Protection(kind=ProtectionKind.MCB_B, rating_amps=25)


async def test_a_protection_with_a_rating_of_its_own_keeps_it(site: Site) -> None:
    await _protect(site, rating_amps=63)
    await site.call("number", "set_value", "number.casa_budget", value=20)
    protection = site.coordinator.data.settings.protection
    assert protection == Protection(kind=ProtectionKind.MCB_C, rating_amps=63)


async def test_export_counts_no_energy(site: Site) -> None:
    await site.advance(125, amps=10.0, watts=-2300.0)
    assert site.state("sensor.casa_power") == "-2300"
    assert site.state("sensor.casa_energy") == "0.0"


async def test_the_last_reading_is_for_those_who_want_it(site: Site, entity_registry: er.EntityRegistry) -> None:
    entity_id = "sensor.casa_last_reading"
    entry = entity_registry.async_get(entity_id)
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    entity_registry.async_update_entity(entity_id, disabled_by=None)
    await site.advance(31)  # Home Assistant reloads the site by itself
    assert site.state(entity_id) == "unknown"
    posted_at = dt_util.utcnow().replace(microsecond=0)
    await site.post(amps=1.0, watts=230.0)
    assert datetime.fromisoformat(site.state(entity_id)) == posted_at
    await site.advance(120)
    assert datetime.fromisoformat(site.state(entity_id)) == posted_at, "also when the meter is silent"


async def test_the_used_part_of_the_budget_is_for_those_who_want_it(
    site: Site, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_update_entity("sensor.casa_budget_used", disabled_by=None)
    await site.advance(31)  # Home Assistant reloads the site by itself
    await site.post(amps=10.0, watts=2300.0)
    assert site.state("sensor.casa_budget_used") == "40.0"


async def test_a_noisy_meter_writes_few_states_and_a_step_is_seen_at_once(site: Site) -> None:
    await site.call("switch", "turn_off", "switch.rocinante_managed")
    await site.post(amps=10.0, watts=2300.0)
    written: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        written.append(event.data["entity_id"])

    async_track_state_change_event(site.hass, list(site.states("sensor")), note)
    for second in range(300):
        await site.advance(1)
        await site.post(amps=10.0 + 0.1 * (second % 2), watts=2300.0 + 20 * (second % 2), volts=230.0 + second % 2)
    assert len(written) <= 10 * 5, "of 300 readings, five that move and are then the same"
    written.clear()
    await site.advance(2)
    await site.post(amps=19.0, watts=4370.0)
    assert {"sensor.casa_current", "sensor.casa_power", "sensor.casa_headroom"} <= set(written)


async def test_a_reason_that_only_waits_is_not_shown_until_it_lasts(site: Site) -> None:
    await site.advance(120, amps=18.0, watts=4140.0)
    assert site.state("sensor.rocinante_reason") == "at_maximum"
    site.charger.hold = asyncio.Event()
    await site.post(amps=30.0, watts=6900.0)
    assert site.state("sensor.rocinante_reason") == "over_budget", "what is done to the car changed: at once"
    site.charger.hold.set()
    amps = float(site.charger.commands[-1].amps)
    site.charger.report = replace(CHARGING, requested_amps=amps, measured_amps=amps)
    decided = len(site.coordinator.decisions)
    await site.advance(29, amps=24.0, watts=5520.0)
    (*_, (_, last)) = site.coordinator.decisions
    assert len(site.coordinator.decisions) > decided, "what is decided goes on"
    assert last.reason not in ("over_budget", "at_maximum")
    assert site.state("sensor.rocinante_reason") == "over_budget"
    await site.advance(30, amps=24.0, watts=5520.0)
    assert site.state("sensor.rocinante_reason") == last.reason
    await site.call("switch", "turn_off", "switch.rocinante_managed")
    assert site.state("sensor.rocinante_reason") == "not_managed"


async def test_the_numbers_behind_a_reason_are_there_to_read_and_not_to_record(site: Site) -> None:
    site.charger.hold = asyncio.Event()
    await site.post(amps=30.0, watts=6900.0)
    state = site.states("sensor")["sensor.rocinante_reason"]
    assert state.attributes["budget_amps"] == 25
    assert state.state_info is not None
    assert "*" in state.state_info["unrecorded_attributes"]
    site.charger.hold.set()
    await site.settle()


def test_every_state_has_a_text() -> None:
    texts = TEXTS["entity"]["sensor"]
    assert set(texts["reason"]["state"]) == set(Reason)
    assert set(texts["charging_state"]["state"]) == set(ChargingState)


@pytest.mark.parametrize("state", ChargingState)
async def test_every_charging_state_is_shown(site: Site, state: ChargingState) -> None:
    site.charger.report = replace(CHARGING, state=state)
    await site.advance(20)
    shown = site.states("sensor")["sensor.rocinante_charging_state"]
    assert shown.state == state
    assert shown.attributes["device_class"] == SensorDeviceClass.ENUM
