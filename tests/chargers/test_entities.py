"""A charger made of entities: real ones of Home Assistant's own helpers and of a small platform of the test's."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.amp_sensor.chargers.entities import EntityCharger
from custom_components.amp_sensor.control import Action, ChargingState, Command


def command(action: Action, amps: int = 0) -> Command:
    return Command(charger_id="one", action=action, amps=amps)


@pytest.fixture
async def box(hass: HomeAssistant) -> HomeAssistant:
    """Give Home Assistant what a charger has."""
    assert await async_setup_component(
        hass,
        "input_number",
        {"input_number": {"amps": {"min": 0, "max": 32, "step": 1, "initial": 16, "unit_of_measurement": "A"}}},
    )
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"allowed": {"initial": True}, "plugged": {"initial": True}}}
    )
    assert await async_setup_component(
        hass,
        "input_select",
        {"input_select": {"mode": {"options": ["auto", "active", "disabled"], "initial": "auto"}}},
    )
    assert await async_setup_component(hass, "input_button", {"input_button": {"stop": None, "go": None}})
    hass.states.async_set("sensor.state", "Charging")
    hass.states.async_set("sensor.power", "11.04", {"unit_of_measurement": "kW"})
    await hass.async_block_till_done()
    return hass


ROLES: dict[str, Any] = {
    "current": "input_number.amps",
    "pause": "input_boolean.allowed",
    "pause_state": "off",
    "state": "sensor.state",
    "states": {"charging": ["charging"], "stopped": ["waiting"], "complete": ["full"], "disconnected": ["none"]},
    "power": "sensor.power",
}


def charger(hass: HomeAssistant, roles: dict[str, Any] = ROLES, **changes: Any) -> EntityCharger:
    return EntityCharger(hass, roles, **{"max_amps": 16, "volts": 230.0, "phases": 3, **changes})


def value(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.state


async def test_it_reports_what_its_entities_say(box: HomeAssistant) -> None:
    report = await charger(box).async_report()
    assert report.state is ChargingState.CHARGING
    assert report.plugged_in is report.at_home is True
    assert report.requested_amps == 16
    assert report.measured_amps == pytest.approx(16), "11.04 kW at 3 × 230 V"
    assert report.limit_amps == 32
    assert 0 <= report.age_s < 1


async def test_it_is_set_paused_and_resumed(box: HomeAssistant) -> None:
    one = charger(box)
    await one.async_command(command(Action.SET_AMPS, 9))
    assert value(box, "input_number.amps") == "9.0"
    await one.async_command(command(Action.STOP))
    assert value(box, "input_boolean.allowed") == "off"
    await one.async_command(command(Action.START))
    assert value(box, "input_boolean.allowed") == "on"
    assert (await one.async_report()).requested_amps == 9
