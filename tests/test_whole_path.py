"""From a post of the sensor to the car and back, over HTTP both ways: what is decided is what the controller decides.

Time is virtual: a second is a tick of the frozen clock, and the simulated Tessie sleeps on that clock too, so answers
come late and out of step with the readings, as they do. All that the coordinator's controller is given is written down,
and a second controller, given the same by hand, must decide the same.
"""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
import logging
from pathlib import Path
from random import Random
import time
from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.chargers.tessie import COMMAND_TIMEOUT_S, TessieCharger
from custom_components.amp_sensor.const import CONF_TESSIE_URL
from custom_components.amp_sensor.control import Action, Command, Controller, Decision, Reading
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from simulation.car import Car
from simulation.house import load
from simulation.plant import NORMAL, Sensor
from simulation.tessie_server import TessieServer
from tests.conftest import CHARGER_ID, TOKEN, VIN, WEBHOOK_ID, car_data

TRACE = Path(__file__).parents[1] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
START_H, HOURS = 17.0, 6.0
"""An evening in which the car is lowered, stopped, started and raised."""
TESSIE = {"set_charging_amps": Action.SET_AMPS, "start_charging": Action.START, "stop_charging": Action.STOP}

PATIENCE = 100_000
"""Turns of the event loop, some seconds: what is not settled by then never will be."""


class PunctualCloud(Random):
    """Chance, but no latency that its caller would not wait for: the cloud would sleep on for nobody.

    A request sleeps twice, each time up to the next whole second.
    """

    @override
    def lognormvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return min(super().lognormvariate(mu, sigma), COMMAND_TIMEOUT_S - 2)


class Written(Controller):
    """A controller that writes down what it is given, and what it returns."""

    log: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]]

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.log = [("__init__", args, kwargs, None)]
        super().__init__(*args, **kwargs)


def _written(name: str) -> Any:
    def call(self: Written, *args: Any, **kwargs: Any) -> Any:
        result = getattr(Controller, name)(self, *args, **kwargs)
        self.log.append((name, args, kwargs, result))
        return result

    return call


for _name in ("configure", "set_charger", "add_reading", "add_report", "acknowledge", "restore", "decide"):
    setattr(Written, _name, _written(_name))


@dataclass
class VirtualSleep:
    """Lets the cloud's latency pass on the frozen clock."""

    sleepers: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self.sleepers.append((time.time() + seconds, future))
        await future

    def wake(self) -> None:
        """Wake those whose time has come."""
        now = time.time()
        for at, future in self.sleepers:
            if at <= now:
                future.set_result(None)
        self.sleepers = [each for each in self.sleepers if each[0] > now]


async def _settle(coordinator: SiteCoordinator, sleep: VirtualSleep) -> None:
    """Let all be dealt with that does not wait for the clock: a call is either answered, or asleep in the cloud."""
    for _ in range(PATIENCE):
        await coordinator._events.join()
        calls = [link.polling + len(link.commanding) for link in coordinator._links.values()]
        if sum(calls) == len(sleep.sleepers) and coordinator._events.empty():
            return
        await asyncio.sleep(0)
    pytest.fail(f"{calls} calls are under way, and {len(sleep.sleepers)} of them are asleep in the cloud")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Six hours of debugging are long."""
    caplog.set_level(logging.WARNING)


async def test_over_http_the_same_is_decided_as_by_hand(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.amp_sensor.site.coordinator.Controller", Written)
    # A default is bound when its module is loaded, before the clock was frozen
    monkeypatch.setitem(TessieCharger.__init__.__kwdefaults__, "clock", time.time)
    hass.loop.set_debug(False)  # a traceback for each of some hundred thousand callbacks would take half of the time
    house = load(TRACE).window(start_h=START_H, hours=HOURS).phases[0].tolist()
    sleep, sensor = VirtualSleep(), Sensor(NORMAL, report_delta=1.0, seed=1)
    car = Car.endless(rng=Random(1))
    server = TessieServer(rng=PunctualCloud(2), token=TOKEN, clock=time.time, sleep=sleep)
    server.faults.inject("lost", probability=0.1)
    server.faults.inject("unavailable", probability=0.05)
    server.add_car(VIN, car)
    posted: list[Reading] = []
    async with server:
        entry.add_to_hass(hass)
        hass.config_entries.async_update_subentry(
            entry, entry.subentries[CHARGER_ID], data=car_data(**{CONF_TESSIE_URL: server.url})
        )
        assert await hass.config_entries.async_setup(entry.entry_id)
        coordinator: SiteCoordinator = entry.runtime_data
        client = await hass_client_no_auth()
        repairs = async_capture_events(hass, ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED)
        for second, amps in enumerate(house):
            freezer.tick(1)
            async_fire_time_changed(hass)
            sleep.wake()
            await _settle(coordinator, sleep)
            server.advance()
            reading = sensor.sample(second, (amps + car.amps,))
            if reading is None:
                continue
            response = await client.post(
                async_generate_path(WEBHOOK_ID), json={"amps": reading.amps[0], "watts": reading.watts}
            )
            assert response.status == HTTPStatus.OK
            assert await response.json() == {"accepted": True}
            posted.append(reading)
            await _settle(coordinator, sleep)
        assert isinstance(coordinator.controller, Written)
        log = list(coordinator.controller.log)
        # What is still asleep has to be answered before the end, and may sleep twice
        unloading = hass.async_create_task(hass.config_entries.async_unload(entry.entry_id))
        for _ in range(PATIENCE):
            if unloading.done():
                break
            freezer.tick(1)
            sleep.wake()
            await asyncio.sleep(0)
        assert unloading.result()

    assert {event.data["issue_id"] for event in repairs} <= {f"house_over_budget_{entry.entry_id}"}, "a false alarm"

    read = [args[0] for name, args, _, _ in log if name == "add_reading"]
    assert [(reading.amps, reading.watts) for reading in read] == [(each.amps, each.watts) for each in posted]
    begun = log[0][2]["now"]
    assert [round(reading.at - begun) for reading in read] == [round(each.at) + 1 for each in posted]

    ages_s = [args[1].age_s for name, args, _, _ in log if name == "add_report"]
    assert len(ages_s) > HOURS * 100
    assert min(ages_s) >= 0, "cloud and controller live on the same clock"

    (_, args, kwargs, _), *rest = log
    by_hand = Controller(*args, **kwargs)
    commands: list[tuple[Action, int]] = []
    reasons = set()
    own: dict[int, Command] = {}
    """By-hand's own command for each: an answer ends the one that was sent, and not its equal."""
    for name, args, kwargs, result in rest:
        given = [own.get(id(arg), arg) for arg in args]
        again = getattr(by_hand, name)(*given, **kwargs)
        assert again == result
        for decision, same in zip(result or (), again or (), strict=True):
            assert isinstance(decision, Decision)
            reasons.add(decision.reason)
            if decision.command is not None:
                commands.append((decision.command.action, decision.command.amps))
                own[id(decision.command)] = same.command

    # All that was decided went to the cloud, in that order; what it answered with a fault got no further
    received = [(TESSIE[each.action], each.amps or 0) for each in server.counters.received]
    remaining = iter(commands)
    assert all(command in remaining for command in received)
    assert len(received) > len(commands) / 2
    assert server.counters.commands == len(commands)
    assert {Action.SET_AMPS, Action.STOP, Action.START} == {action for action, _ in commands}
    assert {"over_budget", "verifying", "raised", "paused", "started", "waiting", "settling"} <= reasons
