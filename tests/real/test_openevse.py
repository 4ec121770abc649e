"""An OpenEVSE, through Home Assistant's own integration of it, over its HTTP and its WebSocket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulation.car import Car
from simulation.devices.openevse import OpenEvse
from simulation.devices.wallbox import breathe
from simulation.plant import BEHIND_PILOT
from tests.real.evening import CAR_MAX_A, Evening, add, device_of, until


@dataclass
class Home:
    """A Home Assistant that knows the charger, and our site with it."""

    hass: HomeAssistant
    device: OpenEvse
    openevse: Any
    evening: Evening

    def state(self, entity_id: str) -> str:
        state = self.hass.states.get(entity_id)
        assert state is not None, self.hass.states.async_entity_ids()
        return state.state

    @property
    def is_there(self) -> bool:
        """Whether Home Assistant hears it."""
        return self.device.is_on and self.openevse.runtime_data.charger._ws_listening

    async def arrive(self) -> None:
        """Let Home Assistant see what the car does; what it tells is answered."""
        if not self.is_there:
            await breathe()
        elif await self.device.show():
            await until(self.shows, "what the car does to be seen")

    def shows(self) -> bool:
        shown = self.device.shown
        return self.openevse.runtime_data.charger.charging_current == shown["amp"]


@pytest.fixture
async def device(socket_enabled: None, freezer: FrozenDateTimeFactory) -> AsyncIterator[OpenEvse]:
    car = Car.endless(rng=Random(1), max_amps=CAR_MAX_A, pace=BEHIND_PILOT)
    async with OpenEvse(car, clock=time.time) as device:
        yield device


@pytest.fixture
async def home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    enable_custom_integrations: None,
    hass_client_no_auth: ClientSessionGenerator,
    device: OpenEvse,
) -> Home:
    openevse = await add(hass, "openevse", {"host": device.host})
    evening = Evening(hass=hass, freezer=freezer, wallbox=device, new_client=hass_client_no_auth)
    home = Home(hass, device, openevse, evening)
    evening.arrive = home.arrive
    await until(lambda: home.is_there, "its WebSocket")
    await evening.add_site(device_id=device_of(hass, openevse), profile="openevse")
    return home


async def test_an_evening_stays_within_the_budget(home: Home) -> None:
    await home.evening.spend()


async def test_it_survives_what_goes_wrong(home: Home) -> None:
    await home.evening.survive(
        leave=home.device.stop,
        come_back=home.device.start,
        reload=lambda: home.evening.reload(home.openevse),
        is_back=lambda: home.is_there,
    )
