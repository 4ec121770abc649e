"""A charger made with ESPHome, through Home Assistant's own integration of it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulation.car import Car
from simulation.devices.esphome import EsphomeCharger, build
from simulation.devices.wallbox import DeviceError, breathe
from simulation.plant import BEHIND_PILOT
from tests.real.evening import CAR_MAX_A, Evening, add, device_of, entity_of, until, until_state

STATES = {
    "charging": ["Charging"],
    "starting": ["Starting"],
    "stopped": ["Stopped"],
    "complete": ["Complete"],
    "no_power": ["NoPower"],
    "disconnected": ["Disconnected"],
}


@pytest.fixture(scope="session")
def program() -> Path:
    try:
        return build()
    except DeviceError as error:
        pytest.skip(str(error))


@pytest.fixture
async def device(
    socket_enabled: None, freezer: FrozenDateTimeFactory, program: Path, tmp_path: Path
) -> AsyncIterator[EsphomeCharger]:
    car = Car.endless(rng=Random(1), max_amps=CAR_MAX_A, pace=BEHIND_PILOT)
    async with EsphomeCharger(car, program, tmp_path, clock=time.time) as device:
        yield device


@dataclass
class Home:
    """A Home Assistant that knows the device, and our site with it."""

    hass: HomeAssistant
    device: EsphomeCharger
    esphome: Any
    evening: Evening
    lost: int = 0

    def entity(self, domain: str, ending: str) -> str:
        return entity_of(self.hass, "esphome", domain, ending)

    def state(self, domain: str, ending: str) -> str:
        entry = er.async_get(self.hass).async_get(self.entity(domain, ending))
        assert entry is not None
        state = self.hass.states.get(entry.entity_id)
        assert state is not None
        return state.state

    async def arrive(self) -> None:
        """Let the device hear what it was told, and Home Assistant see what its car does."""
        device = self.device
        if not device.is_on or self.state("number", "charging_current") == "unavailable":
            self.lost = len(self.evening.calls) - device.heard  # whatever is told now is told to nobody
            await breathe()
            return
        await until(lambda: device.heard >= len(self.evening.calls) - self.lost, "the device to hear a command")
        if await device.show():
            await until(lambda: self.shows(device.shown), "what the car does to be seen")

    def shows(self, car: Mapping[str, Any]) -> bool:
        """Whether Home Assistant shows what the device was told of its car."""
        amps, state = self.state("sensor", "measured_current"), self.state("sensor", "state")
        return state == car["state"] and abs(float(amps) - car["amps"]) < 0.01


@pytest.fixture
def network(hass_storage: dict[str, Any], enable_custom_integrations: None) -> None:
    """Let devices be looked for on this machine alone."""
    hass_storage["core.network"] = {"version": 1, "key": "core.network", "data": {"configured_adapters": ["lo"]}}


@pytest.fixture
async def home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    network: None,
    hass_client_no_auth: ClientSessionGenerator,
    device: EsphomeCharger,
) -> Home:
    esphome = await add(hass, "esphome", {"host": "127.0.0.1", "port": device.port})
    evening = Evening(hass=hass, freezer=freezer, wallbox=device, new_client=hass_client_no_auth)
    home = Home(hass, device, esphome, evening)
    evening.arrive = home.arrive
    await until_state(hass, "switch.charger_charging", lambda state: state == "on")
    await evening.add_site(
        roles={
            "current": home.entity("number", "charging_current"),
            "pause": home.entity("switch", "charging"),
            "pause_state": "off",
            "resume_state": "on",
            "state": home.entity("sensor", "state"),
            "states": STATES,
            "plugged": home.entity("binary_sensor", "vehicle"),
            "currents": [home.entity("sensor", "measured_current")],
            "power": home.entity("sensor", "measured_power"),
            "voltage": home.entity("sensor", "measured_voltage"),
        },
        device_id=device_of(hass, esphome),
    )
    return home


async def test_an_evening_stays_within_the_budget(home: Home) -> None:
    await home.evening.spend()


async def test_it_survives_what_goes_wrong(home: Home) -> None:
    async def leave() -> None:
        await home.device.stop()
        await until(lambda: home.state("number", "charging_current") == "unavailable", "it to be gone")

    def is_back() -> bool:
        return home.state("number", "charging_current") != "unavailable"

    await home.evening.survive(
        leave=leave,
        come_back=home.device.start,
        reload=lambda: home.evening.reload(home.esphome),
        is_back=is_back,
    )
