"""A person adds a load: what may be switched off, how, and when it comes back."""

from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import CONF_SUPPLY, DOMAIN, SUBENTRY_LOAD
from tests.test_config_flow import TEXTS, Dialog, add_site, typed

TIMES = {"least_on_min": 0, "least_off_min": 0, "respects_user": True}
ASKING = {"asks": False, "ask_for_s": 60}
REST = {"restore": "yes", "times": TIMES, "asking": ASKING}


@pytest.fixture(autouse=True)
def integration(enable_custom_integrations: None) -> Generator[AsyncMock]:
    """Let Home Assistant find the integration; setting a site up is not what these tests are about."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True) as setup:
        yield setup


@pytest.fixture
def house(hass: HomeAssistant, entity_registry: er.EntityRegistry) -> MockConfigEntry:
    """A site, and what its house has."""
    for domain, name in (("switch", "boiler"), ("climate", "pump"), ("water_heater", "tank"), ("sensor", "power")):
        entry = entity_registry.async_get_or_create(domain, "shelly", name, suggested_object_id=name)
        unit = {"unit_of_measurement": "W"} if domain == "sensor" else {}
        hass.states.async_set(entry.entity_id, "5", {"friendly_name": name.capitalize(), **unit})
    hass.states.async_set("input_number.rod", "5", {"friendly_name": "Rod", "min": 0})
    return add_site(hass)


async def new_load(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow, context = hass.config_entries.subentries, {"source": SOURCE_USER}
    result = await flow.async_init((entry.entry_id, SUBENTRY_LOAD), context=context)  # type: ignore[arg-type]
    return Dialog(flow, TEXTS["config_subentries"][SUBENTRY_LOAD], result)


async def change_load(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": only(entry).subentry_id}
    result = await flow.async_init((entry.entry_id, SUBENTRY_LOAD), context=context)
    return Dialog(flow, TEXTS["config_subentries"][SUBENTRY_LOAD], result)


def only(entry: MockConfigEntry) -> ConfigSubentry:
    (subentry,) = entry.subentries.values()
    return subentry


async def chosen(hass: HomeAssistant, entry: MockConfigEntry, entity_id: str) -> Dialog:
    dialog = await new_load(hass, entry)
    await dialog.submit({"entity": entity_id, "harmless": True})
    assert dialog.result["step_id"] == "settings"
    return dialog


async def test_a_boiler_is_added(
    hass: HomeAssistant, house: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    dialog = await chosen(hass, house, "switch.boiler")
    assert "off" not in dialog.result["data_schema"].schema
    hass.services.async_register("notify", "mobile_app_phone", lambda call: None)
    result = await dialog.submit(
        {
            **REST,
            "watts": 2300,
            "phases": ["2"],
            "power": "sensor.power",
            "asking": {"asks": True, "ask_for_s": 90, "notify": "notify.mobile_app_phone"},
        }
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    boiler, power = (entity_registry.async_get(each) for each in ("switch.boiler", "sensor.power"))
    assert boiler is not None
    assert power is not None
    assert only(house).title == "Boiler"
    assert only(house).unique_id == boiler.id
    assert only(house).data == {
        "entity": boiler.id,
        "restore": "yes",
        "watts": 2300,
        "phases": [2],
        "power": power.id,
        **TIMES,
        "asks": True,
        "ask_for_s": 90,
        "notify": "notify.mobile_app_phone",
    }


async def test_nothing_is_added_that_nobody_said_is_harmless(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await new_load(hass, house)
    result = await dialog.submit({"entity": "switch.boiler", "harmless": False})
    assert result["errors"] == {"harmless": "not_harmless"}
    assert typed(result)["entity"] == "switch.boiler"


async def test_what_is_a_load_already_is_told(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await chosen(hass, house, "switch.boiler")
    await dialog.submit(REST)
    dialog = await new_load(hass, house)
    result = await dialog.submit({"entity": "switch.boiler", "harmless": True})
    assert result["errors"] == {"entity": "load_known"}


async def test_what_is_gone_meanwhile_is_told(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await new_load(hass, house)
    result = await dialog.submit({"entity": "switch.nothing", "harmless": True})
    assert result["errors"] == {"entity": "load_missing"}


async def test_a_heat_pump_may_get_another_temperature(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await chosen(hass, house, "climate.pump")
    result = await dialog.submit({**REST, "off": "setback"})
    assert result["errors"] == {"setback": "setback_missing"}
    result = await dialog.submit({**REST, "off": "setback", "setback": 16.5})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert only(house).data["setback"] == 16.5


async def test_compressors_are_given_time(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await chosen(hass, house, "climate.pump")
    times = dialog.result["data_schema"].schema["times"].schema({})
    assert (times["least_on_min"], times["least_off_min"]) == (10, 10)


@pytest.mark.parametrize("entity_id", ["water_heater.tank", "input_number.rod"])
async def test_others_are_added(hass: HomeAssistant, house: MockConfigEntry, entity_id: str) -> None:
    dialog = await chosen(hass, house, entity_id)
    result = await dialog.submit({**REST, **({"off": "eco"} if "tank" in entity_id else {})})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_on_one_phase_nobody_is_asked_for_phases(hass: HomeAssistant, house: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(house, data={**house.data, CONF_SUPPLY: "single"})
    dialog = await chosen(hass, house, "switch.boiler")
    assert "phases" not in dialog.result["data_schema"].schema


async def test_it_can_be_changed(hass: HomeAssistant, house: MockConfigEntry) -> None:
    dialog = await chosen(hass, house, "switch.boiler")
    await dialog.submit({**REST, "phases": ["3"], "power": "sensor.power"})
    dialog = await change_load(hass, house)
    assert typed(dialog.result) == {"entity": "switch.boiler"}
    await dialog.submit({"entity": "switch.boiler", "harmless": True})
    shown = typed(dialog.result)
    assert shown["phases"] == ["3"]
    assert shown["power"] == "sensor.power"
    assert shown["asking"]["ask_for_s"] == 60
    result = await dialog.submit({**REST, "restore": "never"})
    assert result["type"] is FlowResultType.ABORT
    assert only(house).data["restore"] == "never"
    assert "power" not in only(house).data
    dialog = await change_load(hass, house)
    await dialog.submit({"entity": "switch.boiler", "harmless": True})
    assert typed(dialog.result)["restore"] == "never"


async def test_what_is_gone_is_left_empty(
    hass: HomeAssistant, house: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    dialog = await chosen(hass, house, "switch.boiler")
    await dialog.submit({**REST, "power": "sensor.power"})
    entity_registry.async_remove("switch.boiler")
    entity_registry.async_remove("sensor.power")
    dialog = await change_load(hass, house)
    assert typed(dialog.result) == {}
    await dialog.submit({"entity": "input_number.rod", "harmless": True})
    assert "power" not in typed(dialog.result)
    await dialog.submit(REST)
    assert only(house).data["entity"] == "input_number.rod"


async def test_our_own_switches_are_no_loads(
    hass: HomeAssistant, house: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    ours = entity_registry.async_get_or_create("switch", DOMAIN, "managed", config_entry=house)
    dialog = await new_load(hass, house)
    assert ours.entity_id in dialog.result["data_schema"].schema["entity"].config["exclude_entities"]
