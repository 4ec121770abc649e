"""What a form shows and keeps of entities that are gone, empty, or no charger's."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.config_flow import AmpSensorConfigFlow
from custom_components.amp_sensor.const import CONF_METER
from custom_components.amp_sensor.control.rehearsal import Rehearsal, Step, Trial, Verdict
from custom_components.amp_sensor.flows import entities
from custom_components.amp_sensor.flows.rehearsal import Words

NOBODY = "0" * 32
"""The registry's id of an entity that is not there any more."""


def test_what_was_left_empty_is_not_kept(hass: HomeAssistant) -> None:
    fields = iter(entities._FIELDS)
    commands, tells = next(fields), next(fields)
    typed = {commands: {"pause_state": " "}, tells: {"currents": ["sensor.l1", "sensor.l2"]}}
    typed |= {name: {} for name in entities._FIELDS if name not in typed}
    assert entities._typed_roles(hass, typed) == {"currents": ["sensor.l1", "sensor.l2"]}


def test_what_is_gone_is_left_empty(hass: HomeAssistant) -> None:
    shown = entities._shown_roles(hass, {"current": NOBODY, "currents": [NOBODY, "sensor.l1"]})
    assert {role: value for fields in shown.values() for role, value in fields.items()} == {"currents": ["sensor.l1"]}


def test_a_sensor_that_is_gone_is_left_empty(hass: HomeAssistant) -> None:
    flow = AmpSensorConfigFlow()
    flow.hass = hass
    flow._data = {CONF_METER: {"phases": [{"current": NOBODY, "power": "sensor.power"}]}}
    assert flow._shown_meter()["l1"] == {"power": "sensor.power"}


def test_a_device_that_is_no_charger_is_not_proposed(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry, entity_registry: er.EntityRegistry
) -> None:
    entry = MockConfigEntry(domain="peblar")
    entry.add_to_hass(hass)
    device_registry.async_get_or_create(config_entry_id=entry.entry_id, identifiers={("peblar", "lamp")})
    assert list(entities.charger_devices(hass)) == []


@pytest.mark.parametrize("value", [None, "much"])
def test_a_range_that_is_no_number_is_none(value: str | None) -> None:
    assert entities._number_of(State("number.amps", "6", {"max": value}), "max") == 0.0
    assert entities._number_of(State("number.amps", "6"), "max") == 0.0


async def test_an_old_report_is_told(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    hass.states.async_set("sensor.current", "4.2", {"unit_of_measurement": "A"})
    freezer.tick(timedelta(seconds=31))
    flow = AmpSensorConfigFlow()
    flow.hass = hass
    notes = dict(flow._notes({"phases": [{"current": "sensor.current"}]}))
    assert notes["slow"] == {"seconds": "31"}


async def test_a_rehearsal_that_is_gone_was_interrupted(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    words = await Words.async_create(hass)
    assert words.results(None)


async def test_a_car_that_was_at_its_minimum_already_is_told_not_to_have_been_lowered(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    words = await Words.async_create(hass)
    trials = [Trial(step=Step.STOP, began_at=0.0, sent_by=30.0, amps=0, verdict=Verdict.IGNORED)]
    told = words.results(cast("Rehearsal", SimpleNamespace(trials=trials, is_over=False))).splitlines()
    assert len(told) == 2
