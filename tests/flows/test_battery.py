"""Adding a home battery, and changing it."""

from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import SUBENTRY_BATTERY
from tests.conftest import TEXTS
from tests.test_config_flow import Dialog


@pytest.fixture(autouse=True)
def integration() -> Generator[AsyncMock]:
    """Set nothing up: only what is kept is looked at."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True) as setup:
        yield setup


@pytest.fixture
def power(hass: HomeAssistant) -> er.RegistryEntry:
    """The sensor of an inverter that shows what its battery takes."""
    config = MockConfigEntry(domain="inverter")
    config.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=config.entry_id, identifiers={("inverter", "1")}, name="Inverter"
    )
    entry = er.async_get(hass).async_get_or_create(
        "sensor", "inverter", "power", config_entry=config, device_id=device.id, suggested_object_id="battery_power"
    )
    hass.states.async_set(entry.entity_id, "-1.2", {"unit_of_measurement": "kW"})
    hass.states.async_set("sensor.battery_charge", "64", {"unit_of_measurement": "%"})
    return entry


async def _begin(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    result = await flow.async_init((entry.entry_id, SUBENTRY_BATTERY), context={"source": SOURCE_USER})
    return Dialog(flow, TEXTS["config_subentries"][SUBENTRY_BATTERY], result)


async def _change(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    (battery,) = entry.get_subentries_of_type(SUBENTRY_BATTERY)
    result = await entry.start_subentry_reconfigure_flow(hass, battery.subentry_id)
    return Dialog(hass.config_entries.subentries, TEXTS["config_subentries"][SUBENTRY_BATTERY], result)


async def _add(hass: HomeAssistant, entry: MockConfigEntry, **typed: Any) -> Dialog:
    entry.add_to_hass(hass)
    dialog = await _begin(hass, entry)
    await dialog.submit({"power": "sensor.battery_power", "positive": "charging", "first_until_percent": 100} | typed)
    return dialog


async def test_a_battery_is_kept_by_what_its_sensor_is_whatever_it_is_called(
    hass: HomeAssistant, entry: MockConfigEntry, power: er.RegistryEntry
) -> None:
    dialog = await _add(hass, entry, state_of_charge="sensor.battery_charge", first_until_percent=80)
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY
    assert dialog.result["title"] == "Inverter"
    (battery,) = entry.get_subentries_of_type(SUBENTRY_BATTERY)
    assert dict(battery.data) == {
        "power": power.id,
        "positive": "charging",
        "state_of_charge": "sensor.battery_charge",
        "first_until_percent": 80,
    }


async def test_a_sensor_without_a_device_gives_its_name(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.states.async_set("sensor.battery_power", "5", {"unit_of_measurement": "W", "friendly_name": "Cellar"})
    dialog = await _add(hass, entry)
    assert dialog.result["title"] == "Cellar"


@pytest.mark.parametrize(
    ("state", "unit"), [("64", "%"), ("full", "W"), ("5", None)], ids=["percent", "text", "no unit"]
)
async def test_what_shows_no_power_is_not_taken(
    hass: HomeAssistant, entry: MockConfigEntry, state: str, unit: str | None
) -> None:
    hass.states.async_set("sensor.battery_power", state, {"unit_of_measurement": unit} if unit else {})
    dialog = await _add(hass, entry)
    assert dialog.result["errors"] == {"power": "no_power"}
    hass.states.async_set("sensor.battery_power", "unavailable")
    await dialog.submit({"power": "sensor.battery_power", "positive": "charging", "first_until_percent": 100})
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY, "it may tell later"


async def test_a_battery_is_added_once(hass: HomeAssistant, entry: MockConfigEntry, power: er.RegistryEntry) -> None:
    await _add(hass, entry)
    dialog = await _begin(hass, entry)
    await dialog.submit({"power": "sensor.battery_power", "positive": "charging", "first_until_percent": 100})
    assert dialog.result["errors"] == {"power": "battery_known"}


async def test_a_battery_is_changed_and_shows_what_it_was(
    hass: HomeAssistant, entry: MockConfigEntry, power: er.RegistryEntry
) -> None:
    await _add(hass, entry, state_of_charge="sensor.battery_charge")
    er.async_get(hass).async_update_entity(power.entity_id, new_entity_id="sensor.renamed")
    hass.states.async_set("sensor.renamed", "1", {"unit_of_measurement": "kW"})
    dialog = await _change(hass, entry)
    shown = {str(key): key.description["suggested_value"] for key in dialog.result["data_schema"].schema}
    assert shown["power"] == "sensor.renamed"
    await dialog.submit({"power": "sensor.renamed", "positive": "discharging", "first_until_percent": 50})
    assert dialog.result["type"] is FlowResultType.ABORT
    (battery,) = entry.get_subentries_of_type(SUBENTRY_BATTERY)
    assert dict(battery.data) == {"power": power.id, "positive": "discharging", "first_until_percent": 50}
