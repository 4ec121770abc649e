"""Each blueprint does what it says, in Home Assistant: its file is loaded, filled in and set off by a real site."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
import shutil
import time
from typing import Any, override

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import CoreState, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import ChargingState
from custom_components.amp_sensor.meters.device_config import REF, REPOSITORY
from tests.conftest import CHARGING, Site

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "blueprints" / "automation" / DOMAIN
FILES = sorted(FOLDER.glob("*.yaml"))

TELL = [{"action": "test.tell", "data": {"message": "{{ message | default('') }}"}}]


class Busy(Site):
    """A site beside which automations run that wait for something: nobody must wait for their end."""

    @override
    async def settle(self) -> None:
        await self.coordinator.async_idle()
        for _ in range(100):  # an automation's steps follow one another without anything that could be waited for
            await asyncio.sleep(0)


@dataclass
class Use:
    """A blueprint, filled in."""

    site: Busy
    told: list[ServiceCall] = field(default_factory=list)

    async def set_up(self, blueprint: str, **inputs: Any) -> None:
        automation = {"alias": "It", "use_blueprint": {"path": f"{DOMAIN}/{blueprint}.yaml", "input": inputs}}
        assert await async_setup_component(self.site.hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: automation})
        await self.site.hass.async_block_till_done()
        assert self.site.state("automation.it") == "on"

    async def set(self, entity_id: str, state: str, **attributes: Any) -> None:
        self.site.hass.states.async_set(entity_id, state, attributes)
        await self.site.settle()

    @property
    def messages(self) -> list[str]:
        return [call.data["message"] for call in self.told]


@pytest.fixture
def use(site: Site, tmp_path: Path) -> Use:
    """Put the blueprints where Home Assistant looks for them."""
    shutil.copytree(ROOT / "blueprints", tmp_path / "blueprints")
    site.hass.config.config_dir = str(tmp_path)
    busy = Busy(site.hass, site.entry, site.freezer, site.charger, site.client)
    return Use(busy, async_mock_service(site.hass, "test", "tell"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_it_can_be_imported_and_comes_from_where_it_says(use: Use, path: Path) -> None:
    assert await async_setup_component(use.site.hass, AUTOMATION_DOMAIN, {})
    blueprint = await async_get_blueprints(use.site.hass).async_get_blueprint(f"{DOMAIN}/{path.name}")
    assert isinstance(blueprint, Blueprint)
    assert blueprint.validate() is None, "this Home Assistant is new enough"
    place = path.relative_to(ROOT)
    assert blueprint.metadata["source_url"] == f"https://github.com/{REPOSITORY}/blob/{REF}/{place}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_pages_offer_the_right_entities(path: Path) -> None:
    """What is ours is offered by integration; and every input says what it is for."""
    inputs = load_yaml(str(path))["blueprint"]["input"]
    ours = 0
    for name, each in inputs.items():
        assert each["name"], name
        assert each["selector"], name
        for entities in (each["selector"].get("entity") or {}).get("filter", []):
            ours += entities.get("integration") == DOMAIN
    assert ours


# The sensor is silent


SILENT = {"connected": "binary_sensor.casa_connected", "after": {"minutes": 1}}


async def test_a_silent_sensor_is_told_once_and_its_return(use: Use) -> None:
    say = [{"action": "test.tell", "data": {"message": "{{ site }} silent"}}]
    back = [{"action": "test.tell", "data": {"message": "{{ site }} back"}}]
    await use.set_up("sensor_silent", **SILENT, silent_actions=say, back_actions=back)
    await use.site.post(amps=10.0, watts=2300.0)
    await use.site.advance(110)
    assert not use.messages
    await use.site.advance(11)
    assert use.messages == ["Casa silent"]
    await use.site.advance(300, step_s=5)
    assert use.messages == ["Casa silent"]
    await use.site.post(amps=10.0, watts=2300.0)
    assert use.messages == ["Casa silent", "Casa back"]
    await use.site.advance(130)
    assert use.messages == ["Casa silent", "Casa back", "Casa silent"]


async def test_a_short_silence_is_not_told(use: Use) -> None:
    await use.set_up("sensor_silent", **SILENT, silent_actions=TELL, back_actions=TELL)
    await use.site.post(amps=10.0, watts=2300.0)
    await use.site.advance(100)
    await use.site.post(amps=10.0, watts=2300.0)
    await use.site.advance(100)
    assert not use.messages


async def test_without_anything_filled_in_home_assistant_itself_tells(use: Use) -> None:
    hass = use.site.hass
    await async_setup_component(hass, "persistent_notification", {})
    created = async_mock_service(hass, "persistent_notification", "create")
    dismissed = async_mock_service(hass, "persistent_notification", "dismiss")
    await use.set_up("sensor_silent", connected="binary_sensor.casa_connected")
    await use.site.post(amps=10.0, watts=2300.0)
    await use.site.advance(125)
    (call,) = created
    assert call.data["title"] == "Casa: the sensor is silent"
    assert call.data["message"].startswith("The silence was noticed at ")
    await use.site.post(amps=10.0, watts=2300.0)
    assert len(dismissed) == 1
    assert dismissed[0].data["notification_id"] == call.data["notification_id"]


@pytest.fixture
async def posted(socket_enabled: None) -> AsyncGenerator[tuple[str, asyncio.Queue[Any]]]:
    """Somebody else's web address, and what is posted to it."""
    bodies: asyncio.Queue[Any] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        bodies.put_nowait(await request.json())
        return web.Response()

    server = TestServer(web.Application())
    server.app.router.add_post("/alive", take)
    await server.start_server()
    yield str(server.make_url("/alive")), bodies
    await server.close()


async def _next(bodies: asyncio.Queue[Any]) -> Any:
    """Return what is posted next. The clock stands still: waiting takes a thread's time."""
    for _ in range(500):
        if not bodies.empty():
            break
        await asyncio.to_thread(time.sleep, 0.01)
    return bodies.get_nowait()


async def test_a_web_address_is_called_both_times_though_the_telephone_fails(
    posted: tuple[str, asyncio.Queue[Any]], use: Use
) -> None:
    url, bodies = posted
    rest_command = {
        "alive_check": {
            "url": url,
            "method": "post",
            "content_type": "application/json",
            "payload": '{"site": "{{ site }}", "state": "{{ state }}"}',
        }
    }
    assert await async_setup_component(use.site.hass, "rest_command", {"rest_command": rest_command})
    async_mock_service(use.site.hass, "notify", "telephone", raise_exception=HomeAssistantError("It is off"))
    await use.set_up(
        "sensor_silent",
        **SILENT,
        silent_actions=[{"action": "notify.telephone"}],
        back_actions=TELL,
        webhook="alive_check",
    )
    await use.site.post(amps=10.0, watts=2300.0)
    await use.site.advance(125)
    assert await _next(bodies) == {"site": "Casa", "state": "silent"}
    await use.site.post(amps=10.0, watts=2300.0)
    assert await _next(bodies) == {"site": "Casa", "state": "back"}
    assert bodies.empty()


# Over budget


OVER = {
    "over_budget": "binary_sensor.casa_over_budget",
    "headroom": "sensor.casa_headroom",
    "after": {"seconds": 30},
    "appliances": ["switch.heater", "light.hall", "climate.parlour", "switch.pump"],
    "power_sensors": ["sensor.oven", "sensor.fridge", "sensor.boiler", "sensor.hall", "sensor.lost"],
    "actions": TELL,
    "rest": 15,
}


async def test_over_budget_is_told_with_what_started_and_what_draws_most(use: Use) -> None:
    use.site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False)
    for entity_id, name in (("switch.heater", "Heater"), ("light.hall", "Hall"), ("climate.parlour", "Parlour")):
        await use.set(entity_id, "off", friendly_name=name)
    await use.set("switch.pump", "on", friendly_name="Pump")
    watts = {"unit_of_measurement": "W", "device_class": "power"}
    await use.set("sensor.oven", "2300", friendly_name="Oven", **watts)
    await use.set("sensor.fridge", "90", friendly_name="Fridge", **watts)
    await use.set("sensor.boiler", "3.2", friendly_name="Boiler", unit_of_measurement="kW", device_class="power")
    await use.set("sensor.hall", "20", friendly_name="Hall power", **watts)
    await use.set("sensor.lost", "unavailable", friendly_name="Lost", **watts)
    await use.set_up("over_budget", **OVER)
    await use.site.advance(600, step_s=5, amps=20.0, watts=4600.0)
    await use.set("switch.heater", "on", friendly_name="Heater")
    await use.set("climate.parlour", "heat", friendly_name="Parlour")
    await use.site.advance(25, amps=27.5, watts=6000.0)
    assert not use.messages
    await use.site.advance(10, amps=27.5, watts=6000.0)
    assert use.messages == [
        "2.5 A too much. Started lately: Parlour, Heater. The largest: Boiler 3200 W, Oven 2300 W, Fridge 90 W."
    ]
    await use.site.advance(5, amps=20.0, watts=4600.0)
    await use.site.advance(60, amps=27.5, watts=6000.0)
    assert len(use.messages) == 1, "it is quiet for a while"
    await use.site.advance(900, step_s=5, amps=20.0, watts=4600.0)
    await use.site.advance(40, amps=26.0, watts=6000.0)
    assert len(use.messages) == 2
    assert use.messages[1].startswith("1.0 A too much. The largest")


async def test_what_the_car_gives_way_to_is_no_message(use: Use) -> None:
    await use.set_up("over_budget", **OVER)
    await use.site.advance(20, amps=27.0, watts=6000.0)
    await use.site.advance(60, amps=24.0, watts=5500.0)
    assert not use.messages


# Off-peak


OFF_PEAK = {
    "budget": "number.casa_budget",
    "off_peak": "schedule.night",
    "off_peak_amps": 32,
    "peak_amps": 20,
}


async def test_the_budget_follows_a_schedule(use: Use) -> None:
    await use.set("schedule.night", "off")
    await use.set_up("off_peak_budget", **OFF_PEAK)
    assert use.site.state("number.casa_budget") == "25", "nothing has changed yet"
    await use.set("schedule.night", "on")
    await use.site.settle()
    assert use.site.state("number.casa_budget") == "32.0"
    assert use.site.coordinator.data.settings.max_amps == 32
    await use.set("schedule.night", "off")
    await use.site.settle()
    assert use.site.state("number.casa_budget") == "20.0"
    await use.set("schedule.night", "unavailable")
    await use.site.call("number", "set_value", "number.casa_budget", value=16)
    assert use.site.state("number.casa_budget") == "16.0", "who sets another by hand has it until the next change"


async def test_the_budget_is_set_when_the_site_comes_back(use: Use) -> None:
    await use.set("schedule.night", "on")
    await use.set_up("off_peak_budget", **OFF_PEAK)
    await use.site.hass.config_entries.async_reload(use.site.entry.entry_id)
    await use.site.hass.async_block_till_done()
    await use.site.settle()
    assert use.site.state("number.casa_budget") == "32.0"


# Under pressure


PRESSURE = {
    "over_budget": "binary_sensor.casa_over_budget",
    "house_current": "sensor.casa_house_current",
    "budget": "number.casa_budget",
    "loads": ["input_boolean.boiler", "input_boolean.pool"],
    "after": {"seconds": 30},
    "room_amps": 12,
    "room_for": {"minutes": 5},
}


@pytest.fixture
async def loads(use: Use) -> None:
    """A boiler that is on, and a pool that is not."""
    config = {"boiler": {"initial": True}, "pool": {"initial": False}}
    assert await async_setup_component(use.site.hass, "homeassistant", {})
    assert await async_setup_component(use.site.hass, "input_boolean", {"input_boolean": config})
    use.site.charger.report = replace(CHARGING, state=ChargingState.DISCONNECTED, plugged_in=False, measured_amps=0.0)
    await use.site.advance(20)


async def test_something_goes_off_under_pressure_and_on_again_when_there_is_room(loads: None, use: Use) -> None:
    await use.set_up("switch_off_under_pressure", **PRESSURE)
    await use.site.advance(25, amps=27.0, watts=6200.0)
    assert use.site.state("input_boolean.boiler") == "on"
    await use.site.advance(10, amps=27.0, watts=6200.0)
    assert use.site.state("input_boolean.boiler") == "off"
    await use.site.advance(400, step_s=5, amps=15.0, watts=3400.0)
    assert use.site.state("input_boolean.boiler") == "off", "10 A are left, which is not enough"
    await use.site.advance(240, step_s=5, amps=12.0, watts=2800.0)
    await use.site.advance(10, step_s=5, amps=15.0, watts=3400.0)
    await use.site.advance(240, step_s=5, amps=12.0, watts=2800.0)
    assert use.site.state("input_boolean.boiler") == "off", "not for long enough without a break"
    await use.site.advance(90, step_s=5, amps=12.0, watts=2800.0)
    assert use.site.state("input_boolean.boiler") == "on"
    assert use.site.state("input_boolean.pool") == "off", "it was off before"


async def test_what_was_switched_off_is_remembered_over_a_restart(loads: None, use: Use) -> None:
    hass = use.site.hass
    await use.site.call("input_boolean", "turn_off", "input_boolean.boiler")
    await use.site.call("input_boolean", "turn_on", "input_boolean.pool")
    assert await async_setup_component(hass, "input_text", {"input_text": {"noted": {"max": 100}}})
    await use.set_up("switch_off_under_pressure", **PRESSURE, memory="input_text.noted")
    await use.site.advance(35, amps=27.0, watts=6200.0)
    assert use.site.state("input_boolean.pool") == "off"
    assert use.site.state("input_text.noted") == "1"

    await use.site.call("automation", "turn_off", "automation.it")  # as Home Assistant's end: nobody waits any more
    hass.set_state(CoreState.not_running)
    await use.site.call("automation", "turn_on", "automation.it")
    await hass.async_start()
    await use.site.advance(240, step_s=5, amps=12.0, watts=2800.0)
    assert use.site.state("input_boolean.pool") == "off"
    await use.site.advance(90, step_s=5, amps=12.0, watts=2800.0)
    assert use.site.state("input_boolean.pool") == "on"
    assert use.site.state("input_boolean.boiler") == "off", "it was off before"
    assert use.site.state("input_text.noted") == ""


async def test_a_moment_over_budget_switches_nothing_off(loads: None, use: Use) -> None:
    await use.set_up("switch_off_under_pressure", **PRESSURE)
    await use.site.advance(20, amps=27.0, watts=6200.0)
    await use.site.advance(60, amps=24.0, watts=5500.0)
    assert use.site.state("input_boolean.boiler") == "on"


@pytest.mark.parametrize(("charging_control", "after"), [(["sensor.rocinante_charging_control"], "off"), ([], "on")])
async def test_a_car_that_is_paused_is_pressure_where_it_is_more_important(
    loads: None, use: Use, charging_control: list[str], after: str
) -> None:
    use.site.charger.report = CHARGING
    await use.site.advance(20)
    await use.set_up("switch_off_under_pressure", **PRESSURE, charging_control=charging_control)
    await use.site.post(amps=90.0, watts=20000.0)
    assert use.site.state("sensor.rocinante_charging_control") == "paused"
    use.site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0)
    await use.site.advance(40, amps=24.0, watts=5500.0)
    assert use.site.state("sensor.rocinante_charging_control") == "paused"
    assert use.site.state("input_boolean.boiler") == after


# Cheap electricity


CHEAP = {
    "price": "sensor.price",
    "limit": 0.15,
    "charge_switch": "input_boolean.charging",
    "reason": "sensor.rocinante_reason",
}


@pytest.fixture
async def car(use: Use) -> Callable[[], Awaitable[None]]:
    """A car that another integration starts and stops, as ours then hears."""
    config = {"charging": {"initial": True}}
    assert await async_setup_component(use.site.hass, "homeassistant", {})
    assert await async_setup_component(use.site.hass, "input_boolean", {"input_boolean": config})

    async def obey() -> None:
        on = use.site.state("input_boolean.charging") == "on"
        use.site.charger.report = replace(
            CHARGING,
            state=ChargingState.CHARGING if on else ChargingState.STOPPED,
            measured_amps=16.0 if on else 0.0,
        )
        await use.site.advance(20, amps=20.0 if on else 4.0, watts=900.0)

    await use.set("sensor.price", "0.10")
    await obey()
    return obey


async def test_the_car_stops_when_electricity_is_dear_and_starts_when_it_is_cheap(
    use: Use, car: Callable[[], Awaitable[None]]
) -> None:
    await use.set_up("charge_while_cheap", **CHEAP)
    await use.set("sensor.price", "0.14")
    assert use.site.state("input_boolean.charging") == "on"
    await use.set("sensor.price", "0.20")
    assert use.site.state("input_boolean.charging") == "off"
    await car()
    assert use.site.state("sensor.rocinante_reason") == "stopped_by_user"
    assert not use.site.charger.commands, "ours leaves alone what somebody else stopped"
    await use.set("sensor.price", "0.19")
    assert use.site.state("input_boolean.charging") == "off"
    await use.set("sensor.price", "0.12")
    assert use.site.state("input_boolean.charging") == "on"
    await car()
    assert use.site.state("sensor.rocinante_charging_control") == "free"


async def test_a_car_that_is_plugged_in_while_it_is_dear_stops(use: Use, car: Callable[[], Awaitable[None]]) -> None:
    await use.site.call("input_boolean", "turn_off", "input_boolean.charging")
    await use.set("sensor.price", "0.20")
    await use.set_up("charge_while_cheap", **CHEAP)
    await use.site.call("input_boolean", "turn_on", "input_boolean.charging")
    assert use.site.state("input_boolean.charging") == "off"


async def test_a_car_elsewhere_goes_on_whatever_it_costs_at_home(use: Use, car: Callable[[], Awaitable[None]]) -> None:
    use.site.charger.report = replace(CHARGING, at_home=False)
    await use.site.advance(20)
    await use.set_up("charge_while_cheap", **CHEAP)
    await use.set("sensor.price", "0.20")
    assert use.site.state("input_boolean.charging") == "on"


async def test_what_we_paused_is_not_started_by_a_price(use: Use, car: Callable[[], Awaitable[None]]) -> None:
    await use.set("sensor.price", "0.20")
    await use.set_up("charge_while_cheap", **CHEAP)
    await use.site.post(amps=90.0, watts=20000.0)
    assert use.site.state("sensor.rocinante_charging_control") == "paused"
    await use.site.call("input_boolean", "turn_off", "input_boolean.charging")
    use.site.charger.report = replace(CHARGING, state=ChargingState.STOPPED, measured_amps=0.0)
    await use.site.advance(20, amps=24.0, watts=5500.0)
    await use.set("sensor.price", "0.10")
    assert use.site.state("input_boolean.charging") == "off"
