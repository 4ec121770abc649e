"""Choosing what measures a supply: pages that are few, filled in, and show the numbers before they are kept."""

from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.const import CONF_NAME, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import CONF_LOCAL_ONLY, CONF_METER, CONF_SUPPLY, DOMAIN
from tests.conftest import TEXTS
from tests.test_config_flow import SETTINGS, Dialog, add_site, change_options, change_site

P1 = {
    "instantaneous_current_l1": ("current", "A", "4"),
    "instantaneous_active_power_l1_positive": ("power", "kW", "0.966"),
    "instantaneous_active_power_l1_negative": ("power", "kW", "0"),
}
SITE = {
    CONF_NAME: "Home",
    "max_amps": 25,
    "voltage": 230,
    "protection": {"kind": "mcb_c", "tolerance_percent": 0, "time_s": 60},
}


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find this integration."""


@pytest.fixture
def integration() -> Generator[AsyncMock]:
    """Set nothing up: only what is kept is looked at."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True) as setup:
        yield setup


@pytest.fixture
def p1(hass: HomeAssistant) -> dict[str, str]:
    """A P1 meter with one phase; return the registry ids of its sensors."""
    config = MockConfigEntry(domain="dsmr")
    config.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=config.entry_id, identifiers={("dsmr", "1")}, name="Electricity Meter"
    )
    ids = {}
    for key, (kind, unit, state) in P1.items():
        entry = er.async_get(hass).async_get_or_create(
            "sensor",
            "dsmr",
            f"1_{key}",
            config_entry=config,
            device_id=device.id,
            original_device_class=kind,
            suggested_object_id=key,
        )
        hass.states.async_set(entry.entity_id, state, {"unit_of_measurement": unit})
        ids[key] = entry.id
    return ids


async def begin(hass: HomeAssistant) -> Dialog:
    flow = hass.config_entries.flow
    return Dialog(flow, TEXTS["config"], await flow.async_init(DOMAIN, context={"source": SOURCE_USER}))


def site_of(result: Any) -> ConfigEntry:
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    return entry


async def test_a_known_meter_is_added_in_five_pages(
    hass: HomeAssistant, integration: AsyncMock, p1: dict[str, str]
) -> None:
    dialog = await begin(hass)
    page = await dialog.choose("which_meter")
    (field,) = page["data_schema"].schema
    options = page["data_schema"].schema["meter"].config["options"]
    assert [option["label"] for option in options] == ["Electricity Meter (dsmr)", "Choose the sensors by hand"]
    page = await dialog.submit({"meter": field.default()})
    assert (page["type"], page["step_id"]) == (FlowResultType.MENU, "meter_shown")
    assert page["description_placeholders"]["readings"] == "4.0 A (966 W)"
    form = await dialog.choose("use_meter")
    assert form["step_id"] == "site"
    assert not {CONF_SUPPLY, CONF_LOCAL_ONLY} & {str(key) for key in form["data_schema"].schema}
    await dialog.submit(SITE)
    entry = site_of(await dialog.choose("webhook"))
    assert entry.data[CONF_METER] == {
        "phases": [
            {
                "current": p1["instantaneous_current_l1"],
                "power": p1["instantaneous_active_power_l1_positive"],
                "power_export": p1["instantaneous_active_power_l1_negative"],
            }
        ]
    }
    assert entry.data[CONF_SUPPLY] == "single"
    assert entry.data[CONF_LOCAL_ONLY] is True
    assert entry.data[CONF_WEBHOOK_ID], "switching back keeps an address"


async def test_what_a_meter_cannot_tell_is_told_before_it_is_saved(hass: HomeAssistant, p1: dict[str, str]) -> None:
    dialog = await begin(hass)
    page = await dialog.choose("which_meter")
    (field,) = page["data_schema"].schema
    notes = (await dialog.submit({"meter": field.default()}))["description_placeholders"]["notes"]
    assert "every 30 s" in notes
    assert "`time_between_update`" in notes
    assert "whole amps" in notes
    assert "feed in" not in notes, "it has the power of its phase"

    hass.states.async_set("sensor.instantaneous_current_l1", "unavailable")
    page = await dialog.choose("meter_shown")
    assert page["description_placeholders"]["readings"] == "?"
    assert "sensor.instantaneous_current_l1" in page["description_placeholders"]["notes"]

    hass.states.async_set("sensor.instantaneous_current_l1", "8.25", {"unit_of_measurement": "A"})
    page = await dialog.choose("meter_shown")
    assert page["description_placeholders"]["readings"] == "8.2 A (966 W)"
    assert "whole amps" not in page["description_placeholders"]["notes"]


@pytest.mark.parametrize(
    ("sensors", "readings", "note"),
    [
        ({"l1": {"current": "sensor.a"}}, "4.2 A (966 W)", "Charging with your own solar power alone is not possible"),
        ({"l1": {"power": "sensor.w"}}, "4.2 A (966 W)", "Only power is known"),
        ({"totals": {"power": "sensor.w"}}, "4.2 A (966 W)", "Only power is known"),
        ({"l1": {"current": "sensor.a", "power": "sensor.w"}}, "4.2 A (966 W)", "Nothing is missing"),
        ({"l1": {"current": "sensor.a", "power_export": "sensor.w"}}, "4.2 A (966 W)", "not possible"),
        ({"l1": {"current": "sensor.a"}, "l2": {"current": "sensor.b"}}, "L1 4.2 A, L2 1.5 A (1311 W)", "not possible"),
    ],
)
async def test_sensors_can_be_chosen_by_hand(
    hass: HomeAssistant, integration: AsyncMock, sensors: dict[str, Any], readings: str, note: str
) -> None:
    hass.states.async_set("sensor.a", "4200", {"unit_of_measurement": "mA"})
    hass.states.async_set("sensor.b", "1.5", {"unit_of_measurement": "A"})
    hass.states.async_set("sensor.w", "0.966", {"unit_of_measurement": "kW"})
    dialog = await begin(hass)
    form = await dialog.choose("which_meter")
    assert form["step_id"] == "meter", "nothing was found, and nobody is asked which"
    page = await dialog.submit({"l1": {}, "l2": {}, "l3": {}, "totals": {}, **sensors})
    assert page["description_placeholders"]["readings"] == readings
    assert note in page["description_placeholders"]["notes"]
    await dialog.choose("use_meter")
    await dialog.submit(SITE)
    entry = site_of(await dialog.choose("webhook"))
    assert entry.data[CONF_SUPPLY] == ("split" if "l2" in sensors else "single")


@pytest.mark.parametrize(
    ("sensors", "error"),
    [
        ({}, "phase_missing"),
        ({"l2": {"current": "sensor.a"}}, "phase_missing"),
        ({"l1": {"voltage": "sensor.v"}}, "phase_missing"),
        ({"l1": {"current": "sensor.a"}, "l3": {"current": "sensor.b"}}, "phase_missing"),
        ({"l1": {"current": "sensor.a"}, "l2": {"current": "sensor.a"}}, "sensor_twice"),
    ],
)
async def test_a_form_that_cannot_be_read_says_why(hass: HomeAssistant, sensors: dict[str, Any], error: str) -> None:
    dialog = await begin(hass)
    await dialog.choose("which_meter")
    page = await dialog.submit({"l1": {}, "l2": {}, "l3": {}, "totals": {}, **sensors})
    assert page["errors"] == {"base": error}
    page = await dialog.submit({"l1": {"current": "sensor.a"}, "l2": {}, "l3": {}, "totals": {}})
    assert page["step_id"] == "meter_shown"


async def test_a_proposal_can_be_changed(hass: HomeAssistant, p1: dict[str, str]) -> None:
    dialog = await begin(hass)
    page = await dialog.choose("which_meter")
    (field,) = page["data_schema"].schema
    await dialog.submit({"meter": field.default()})
    form = await dialog.choose("meter")
    suggested = {str(key): key.description for key in form["data_schema"].schema["l1"].schema.schema}
    assert suggested["current"] == {"suggested_value": "sensor.instantaneous_current_l1"}
    page = await dialog.submit({"l1": {"current": "sensor.instantaneous_current_l1"}, "l2": {}, "l3": {}, "totals": {}})
    assert "not possible" in page["description_placeholders"]["notes"]


async def test_a_site_changes_to_sensors_and_back(
    hass: HomeAssistant, integration: AsyncMock, p1: dict[str, str]
) -> None:
    entry = add_site(hass)
    before = dict(entry.data)
    dialog = await change_site(hass, entry)
    common = {CONF_NAME: "Casa Ana", **{key: SETTINGS[key] for key in ("max_amps", "voltage", "protection")}}
    asked = {CONF_LOCAL_ONLY: True, CONF_SUPPLY: "learn"}
    page = await dialog.submit({**common, **asked, "measured_by": "sensors"})
    (field,) = page["data_schema"].schema
    await dialog.submit({"meter": field.default()})
    result = await dialog.choose("use_meter")
    assert result["reason"] == "reconfigure_successful"
    assert entry.data[CONF_METER]["phases"][0]["current"] == p1["instantaneous_current_l1"]
    assert entry.data[CONF_SUPPLY] == "single"
    assert entry.data[CONF_WEBHOOK_ID] == before[CONF_WEBHOOK_ID]

    dialog = await change_site(hass, entry)
    page = await dialog.submit({**common, "measured_by": "sensors"})
    assert page["step_id"] == "meter_shown", "who changes the name only sees what is used"
    await dialog.choose("use_meter")

    dialog = await change_site(hass, entry)
    page = await dialog.submit({**common, "measured_by": "posts"})
    assert page["step_id"] == "webhook"
    result = await dialog.submit({})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {**before, CONF_SUPPLY: "single"}


async def test_a_site_with_sensors_has_neither_device_nor_address(hass: HomeAssistant, integration: AsyncMock) -> None:
    entry = add_site(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_METER: {"phases": [{"current": "sensor.a"}]}}
    )
    assert (await change_options(hass, entry)).result["step_id"] == "settings"


async def test_energy_and_entities_outlive_the_change(hass: HomeAssistant, p1: dict[str, str]) -> None:
    entry = add_site(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    entry.runtime_data.controller.meter.energy_wh = 1234.0
    entities = {
        each.entity_id: each.id for each in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    assert entities
    dialog = await change_site(hass, entry)
    page = await dialog.submit(
        {
            CONF_NAME: "Casa Ana",
            **{key: SETTINGS[key] for key in ("max_amps", "voltage", "protection")},
            CONF_LOCAL_ONLY: True,
            CONF_SUPPLY: "learn",
            "measured_by": "sensors",
        }
    )
    (field,) = page["data_schema"].schema
    await dialog.submit({"meter": field.default()})
    await dialog.choose("use_meter")
    await hass.async_block_till_done()
    after = {each.entity_id: each.id for each in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)}
    assert after == entities
    assert entry.runtime_data.controller.meter.energy_wh == 1234.0
    hass.states.async_set("sensor.instantaneous_current_l1", "7", {"unit_of_measurement": "A"})
    hass.states.async_set("sensor.instantaneous_active_power_l1_positive", "1.6", {"unit_of_measurement": "kW"})
    hass.states.async_set("sensor.instantaneous_active_power_l1_negative", "0.0", {"unit_of_measurement": "kW"})
    await entry.runtime_data.async_idle()
    await hass.async_block_till_done()
    assert entry.runtime_data.controller.meter.last.amps == (7.0,)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_site_cannot_be_measured_by_itself(hass: HomeAssistant) -> None:
    registry = er.async_get(hass)
    ours = registry.async_get_or_create("sensor", DOMAIN, "x", suggested_object_id="home_current")
    dialog = await begin(hass)
    await dialog.choose("which_meter")
    with pytest.raises(InvalidData):
        await dialog.submit({"l1": {"current": ours.entity_id}, "l2": {}, "l3": {}, "totals": {}})


async def test_a_charger_is_no_meter(hass: HomeAssistant) -> None:
    config = MockConfigEntry(domain="easee")
    config.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        "sensor", "easee", "current", config_entry=config, original_device_class="current"
    )
    dialog = await begin(hass)
    assert (await dialog.choose("which_meter"))["step_id"] == "meter", "nothing else is there to propose"


async def test_the_sensors_can_be_chosen_although_a_meter_was_found(hass: HomeAssistant, p1: dict[str, str]) -> None:
    dialog = await begin(hass)
    await dialog.choose("which_meter")
    assert (await dialog.submit({"meter": "by_hand"}))["step_id"] == "meter"
