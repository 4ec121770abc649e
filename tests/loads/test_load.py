"""Each kind of load goes off and comes back as it was, in a real Home Assistant."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.amp_sensor.control import LoadReport
from custom_components.amp_sensor.loads import load as module
from custom_components.amp_sensor.loads.load import DOMAINS, Load, LoadFailed

PUMP, TANK, ROD, PLUG = (
    "climate.heatpump",
    "water_heater.demo_water_heater",
    "input_number.rod",
    "switch.decorative_lights",
)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Home Assistant's demo leaves some behind."""
    return True


@pytest.fixture(autouse=True)
async def devices(hass: HomeAssistant) -> None:
    """Home Assistant's demo, and a helper for a boiler with a power controller."""
    assert await async_setup_component(hass, "homeassistant", {})
    helpers = {"rod": {"min": 0, "max": 3000, "initial": 1800}}
    assert await async_setup_component(hass, "input_number", {"input_number": helpers})
    platforms = [Platform.CLIMATE, Platform.WATER_HEATER, Platform.SWITCH]
    with patch("homeassistant.components.demo.COMPONENTS_WITH_CONFIG_ENTRY_DEMO_PLATFORM", platforms):
        assert await async_setup_component(hass, "demo", {"demo": {}})
        await hass.async_block_till_done()


def state(hass: HomeAssistant, entity_id: str) -> Any:
    found = hass.states.get(entity_id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("entity_id", "settings", "attribute"),
    [
        pytest.param(PLUG, {}, None, id="switch"),
        pytest.param(PUMP, {"off": "off"}, None, id="climate"),
        pytest.param(PUMP, {"off": "setback", "setback": 15.0}, "temperature", id="climate with another temperature"),
        pytest.param(TANK, {"off": "off"}, "operation_mode", id="water heater"),
        pytest.param(ROD, {}, None, id="number"),
    ],
)
async def test_it_goes_off_and_comes_back_as_it_was(
    hass: HomeAssistant, entity_id: str, settings: dict[str, Any], attribute: str | None
) -> None:
    load = Load(hass, {"entity": entity_id, **settings})
    before = state(hass, entity_id)
    assert load.report().is_on
    load.take_before()
    await load.async_switch(on=False)
    await hass.async_block_till_done()
    assert load.report().is_on is False
    kept = dict(load.before)
    load = Load(hass, {"entity": entity_id, **settings})  # as after a restart
    load.before = kept
    await load.async_switch(on=True)
    await hass.async_block_till_done()
    assert load.report().is_on
    after = state(hass, entity_id)
    assert after.state == before.state
    assert attribute is None or after.attributes[attribute] == before.attributes[attribute]


async def test_eco_counts_as_off(hass: HomeAssistant) -> None:
    load = Load(hass, {"entity": TANK, "off": "eco"})
    assert load.report().is_on is False, "it is in eco from the beginning"
    assert Load(hass, {"entity": TANK, "off": "off"}).report().is_on
    data = {"entity_id": TANK, "operation_mode": "performance"}
    await hass.services.async_call("water_heater", "set_operation_mode", data, blocking=True)
    await hass.async_block_till_done()
    assert load.report().is_on
    load.take_before()
    await load.async_switch(on=False)
    await hass.async_block_till_done()
    assert state(hass, TANK).state == "eco"
    await load.async_switch(on=True)
    await hass.async_block_till_done()
    assert state(hass, TANK).state == "performance"


async def test_a_water_heater_with_a_switch_is_switched(hass: HomeAssistant) -> None:
    """Demo's has none: what such a one is told."""
    heater = module.WaterHeater(eco=False)
    hass.states.async_set("water_heater.tank", "on", {"supported_features": 8})
    tank = state(hass, "water_heater.tank")
    assert heater.shed(tank) == ("turn_off", {})
    assert heater.restore(heater.before(tank)) == ("turn_on", {})


async def test_what_nobody_remembers_is_switched_on(hass: HomeAssistant) -> None:
    assert module.Climate(None).restore({}) == ("turn_on", {})


@pytest.mark.parametrize(("action", "draws"), [("idle", False), ("heating", True), (None, None)])
async def test_a_climate_that_tells_whether_it_runs_is_believed(
    hass: HomeAssistant, action: str | None, draws: bool | None
) -> None:
    hass.states.async_set("climate.room", "heat", {} if action is None else {"hvac_action": action})
    report = Load(hass, {"entity": "climate.room"}).report()
    assert report == LoadReport(is_on=True, draws=draws, runs_on_s=105.0), "and its compressor may run on"


@pytest.mark.parametrize(("power", "draws"), [("2100", True), ("3", False), ("unavailable", None)])
async def test_a_power_sensor_tells_whether_it_runs(hass: HomeAssistant, power: str, draws: bool | None) -> None:
    hass.states.async_set("sensor.power", power, {"unit_of_measurement": "W"})
    load = Load(hass, {"entity": PLUG, "power": "sensor.power"})
    assert load.report() == LoadReport(is_on=True, draws=draws)


@pytest.mark.parametrize("text", ["unavailable", "unknown", "a word"])
async def test_what_says_nothing_is_unavailable(hass: HomeAssistant, text: str) -> None:
    hass.states.async_set("number.rod", text, {"min": 0, "max": 10})
    assert Load(hass, {"entity": "number.rod"}).report().is_on is None


async def test_what_is_gone_cannot_be_switched(hass: HomeAssistant) -> None:
    load = Load(hass, {"entity": "switch.gone"})
    load.take_before()
    assert load.report().is_on is None
    with pytest.raises(LoadFailed, match="unavailable"):
        await load.async_switch(on=False)


async def test_what_fails_is_told(hass: HomeAssistant) -> None:
    with (
        patch(
            "homeassistant.components.demo.switch.DemoSwitch.async_turn_off", side_effect=HomeAssistantError("no route")
        ),
        pytest.raises(LoadFailed, match="HomeAssistantError: no route"),
    ):
        await Load(hass, {"entity": PLUG}).async_switch(on=False)


async def test_what_takes_too_long_has_failed(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)

    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    with patch("homeassistant.components.demo.switch.DemoSwitch.async_turn_off", hang), pytest.raises(LoadFailed):
        await Load(hass, {"entity": PLUG}).async_switch(on=False)


def test_each_kind_is_offered() -> None:
    assert DOMAINS == ["switch", "input_boolean", "climate", "water_heater", "number", "input_number"]
