"""Adding a home battery, and changing it."""

from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.components.energy import data as energy_data
from homeassistant.components.recorder import Recorder
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
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


def _shown(dialog: Dialog) -> dict[str, Any]:
    schema = dialog.result["data_schema"].schema
    return {str(key): (key.description or {}).get("suggested_value") for key in schema}


def _add_sensor(hass: HomeAssistant, beside: er.RegistryEntry, name: str, *, kind: str = "battery") -> str:
    entry = er.async_get(hass).async_get_or_create(
        "sensor", "inverter", name, device_id=beside.device_id, original_device_class=kind
    )
    return entry.entity_id


async def _tell_dashboard(hass: HomeAssistant, *batteries: dict[str, Any]) -> None:
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()
    manager = await energy_data.async_get_manager(hass)
    kwh = {"type": "battery", "stat_energy_from": "sensor.out_kwh", "stat_energy_to": "sensor.in_kwh"}
    await manager.async_update({"energy_sources": energy_data.ENERGY_SOURCE_SCHEMA([kwh | each for each in batteries])})


async def test_the_battery_of_the_energy_dashboard_is_filled_in_with_its_sign(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, power: er.RegistryEntry
) -> None:
    """Home Assistant has no public way to ask for that: this fails where the way that is used has moved."""
    entry.add_to_hass(hass)
    assert _shown(await _begin(hass, entry))["power"] is None
    plain = {"power_config": {"stat_rate": power.entity_id}, "stat_soc": "sensor.battery_charge"}
    inverted = {"power_config": {"stat_rate_inverted": "sensor.other_power"}}
    await _tell_dashboard(hass, {}, plain, inverted)
    dialog = await _begin(hass, entry)
    shown = _shown(dialog)
    assert shown["power"] == power.entity_id
    assert (shown["positive"], shown["state_of_charge"]) == ("discharging", "sensor.battery_charge")
    await dialog.submit({"power": power.entity_id, "positive": "discharging", "first_until_percent": 100})
    shown = _shown(await _begin(hass, entry))
    assert (shown["power"], shown["positive"]) == ("sensor.other_power", "charging")
    assert shown["state_of_charge"] is None


@pytest.mark.parametrize(("others", "is_shown"), [(("charge",), True), (("charge", "of_a_phone"), False)])
async def test_the_only_state_of_charge_of_its_device_is_filled_in(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    entry: MockConfigEntry,
    power: er.RegistryEntry,
    others: tuple[str, ...],
    *,
    is_shown: bool,
) -> None:
    entry.add_to_hass(hass)
    _add_sensor(hass, power, "volts", kind="voltage")
    charge, *_ = [_add_sensor(hass, power, name) for name in others]
    await _tell_dashboard(hass, {"power_config": {"stat_rate": power.entity_id}})
    assert _shown(await _begin(hass, entry))["state_of_charge"] == (charge if is_shown else None)


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
