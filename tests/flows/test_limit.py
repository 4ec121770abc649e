"""Adding limits beside the budget, and changing them."""

from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.const import SUBENTRY_LIMIT, SUBENTRY_LOAD
from tests.conftest import TEXTS
from tests.test_config_flow import Dialog, add_site, typed

PEAK = {CONF_NAME: "Peak", "limit_kw": 4.5, "follows_peak": True, "window_min": "15"}
BLOCK = {"limit_kw": 3.5, "from": "08:00:00", "to": "22:00:00", "weekdays": ["mon", "fri"]}


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find this integration."""


@pytest.fixture(autouse=True)
def nothing_is_set_up() -> Any:
    """Only what is kept is looked at."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True):
        yield


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """A site without a car."""
    return add_site(hass)


async def new_limit(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> Dialog:
    flow = hass.config_entries.subentries
    result = await flow.async_init((entry.entry_id, SUBENTRY_LIMIT), context={"source": SOURCE_USER})
    dialog = Dialog(flow, TEXTS["config_subentries"][SUBENTRY_LIMIT], result)
    await dialog.choose(kind)
    return dialog


async def change_limit(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": only_limit(entry).subentry_id}
    result = await flow.async_init((entry.entry_id, SUBENTRY_LIMIT), context=context)
    return Dialog(flow, TEXTS["config_subentries"][SUBENTRY_LIMIT], result)


def only_limit(entry: MockConfigEntry) -> ConfigSubentry:
    (limit,) = entry.get_subentries_of_type(SUBENTRY_LIMIT)
    return limit


async def test_a_peak_takes_two_pages_and_is_changed_on_one(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    dialog = await new_limit(hass, entry, "peak")
    assert typed(dialog.result) == {CONF_NAME: "Peak"}
    result = await dialog.submit(PEAK)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert only_limit(entry).title == "Peak"
    assert dict(only_limit(entry).data) == {"limit_kw": 4.5, "follows_peak": True, "window_min": "15"}
    dialog = await change_limit(hass, entry)
    assert typed(dialog.result) == PEAK
    await dialog.submit(PEAK | {CONF_NAME: " Flemish  peak ", "window_min": "60"})
    assert only_limit(entry).title == "Flemish peak"
    assert only_limit(entry).data["window_min"] == "60"


@pytest.mark.parametrize(("kind", "is_wanted"), [("peak", False), ("outside", True), ("schedule", True)])
async def test_whether_loads_are_switched_off_for_it_is_asked_where_there_are_loads(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str, is_wanted: bool
) -> None:
    dialog = await new_limit(hass, entry, kind)
    assert "switches_loads" not in {str(key) for key in dialog.result["data_schema"].schema}
    load = ConfigSubentry(
        data=MappingProxyType({"entity": "switch.boiler"}), subentry_type=SUBENTRY_LOAD, title="Boiler", unique_id=None
    )
    hass.config_entries.async_add_subentry(entry, load)
    dialog = await new_limit(hass, entry, kind)
    hass.states.async_set("input_number.grid", "4200", {"unit_of_measurement": "W"})
    answers: dict[str, Any] = {
        "peak": PEAK,
        "outside": {CONF_NAME: "Grid", "entity": "input_number.grid"},
        "schedule": {CONF_NAME: "Hours", "blocks": [BLOCK]},
    }
    await dialog.submit(answers[kind])
    assert only_limit(entry).data["switches_loads"] is is_wanted
    dialog = await change_limit(hass, entry)
    await dialog.submit(answers[kind] | {"switches_loads": not is_wanted})
    assert only_limit(entry).data["switches_loads"] is not is_wanted


async def test_the_meters_own_average_is_found_under_any_name(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    average = entity_registry.async_get_or_create("sensor", "dsmr", "average", suggested_object_id="average")
    dialog = await new_limit(hass, entry, "peak")
    await dialog.submit(PEAK | {"average": average.entity_id})
    assert only_limit(entry).data["average"] == average.id
    entity_registry.async_update_entity(average.entity_id, new_entity_id="sensor.quarter")
    assert typed((await change_limit(hass, entry)).result)["average"] == "sensor.quarter"


@pytest.mark.parametrize(
    ("entity_id", "state", "unit", "kind"),
    [
        ("sensor.box", "4.2", "kW", "power"),
        ("input_number.most", "16", "A", "current"),
        ("switch.dimming", "off", None, "on_off"),
    ],
)
async def test_an_entity_may_tell_a_power_a_current_or_that_it_is_on(  # noqa: PLR0917 -- its parameters
    hass: HomeAssistant, entry: MockConfigEntry, entity_id: str, state: str, unit: str | None, kind: str
) -> None:
    hass.states.async_set(entity_id, state, {} if unit is None else {"unit_of_measurement": unit})
    dialog = await new_limit(hass, entry, "outside")
    settings = {"entity": entity_id, "on_kw": 4.2, "each_charger": True, "fallback_after_min": 10, "fallback_kw": 4.2}
    await dialog.submit({CONF_NAME: "Grid", **settings})
    assert dict(only_limit(entry).data) == settings | {"kind": kind}
    assert typed((await change_limit(hass, entry)).result) == {CONF_NAME: "Grid", **settings}


async def test_an_entity_of_which_nothing_can_be_understood_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.states.async_set("sensor.box", "unavailable")
    hass.states.async_set("switch.dimming", "on")
    dialog = await new_limit(hass, entry, "outside")
    typed_in = {CONF_NAME: "Grid", "entity": "sensor.box", "each_charger": False, "fallback_after_min": 5}
    assert (await dialog.submit(typed_in))["errors"] == {"entity": "limit_unreadable"}
    result = await dialog.submit(typed_in | {"entity": "switch.dimming"})
    assert result["errors"] == {"on_kw": "on_kw_missing"}
    result = await dialog.submit(typed_in | {"entity": "switch.dimming", "on_kw": 4.2})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_schedule_is_a_list_of_blocks(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    dialog = await new_limit(hass, entry, "schedule")
    typed_in = {CONF_NAME: "Contract", "blocks": [BLOCK], "limit_kw": 6.0, "window_min": "0"}
    assert (await dialog.submit(typed_in | {"blocks": []}))["errors"] == {"blocks": "no_blocks"}
    assert (await dialog.submit(typed_in | {CONF_NAME: " "}))["errors"] == {CONF_NAME: "name_empty"}
    await dialog.submit(typed_in)
    assert only_limit(entry).data["blocks"] == [BLOCK]
    assert typed((await change_limit(hass, entry)).result) == typed_in


def new_block(dialog: Dialog) -> Any:
    """Return the power that the page of a new block begins with."""
    fields = {str(key): field for key, field in dialog.result["data_schema"].schema.items()}
    return fields["blocks"].serialize()["selector"]["object"]["fields"]["limit_kw"]["default"]


async def test_a_new_block_begins_with_a_power_that_may_be_meant(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Not with the least that the field takes, 0 kW, with which nothing would charge."""
    dialog = await new_limit(hass, entry, "schedule")
    assert new_block(dialog) == 2.5
    await dialog.submit({CONF_NAME: "Contract", "blocks": [BLOCK], "limit_kw": 6.0, "window_min": "0"})
    assert new_block(await change_limit(hass, entry)) == 6.0


async def test_a_block_without_a_power_is_refused(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    dialog = await new_limit(hass, entry, "schedule")
    with pytest.raises(InvalidData):
        await dialog.submit({CONF_NAME: "Contract", "blocks": [{"from": "08:00:00"}], "window_min": "0"})


def test_every_field_of_a_block_has_a_name() -> None:
    assert set(TEXTS["selector"]["blocks"]["fields"]) == {*BLOCK, "first_month", "last_month"}
