"""Home Assistant's own Tessie integration, pointed at the simulated Tessie."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from random import Random
import time
from typing import Any, override

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from tesla_fleet_api.tessie import Tessie
from tessie_api.tessie_wrapper import tessieRequest

from custom_components.amp_sensor.const import DEFAULT_TESSIE_URL
from custom_components.amp_sensor.control import Action
from simulation.car import Car
from simulation.devices.wallbox import Told, Wallbox, breathe
from simulation.tessie_server import TessieServer
from tests.conftest import TOKEN, VIN
from tests.real.evening import CAR_MAX_A, Evening, add, device_of

ACTIONS = {"set_charging_amps": Action.SET_AMPS, "start_charging": Action.START, "stop_charging": Action.STOP}
COMMANDS = 25
"""Each is billed: its cloud's late copies are not to be taken for a car that did not obey."""
OVER_S = 120
"""With a late copy, a small excess may wait until that says something newer: 14 s, and once 82 s, were seen."""
FAR_OVER_S = 20
"""A Tesla begins to follow up to 3 s after it was told, and is believed when its cloud has shown it."""


class Cloud(Wallbox):
    """The car at the simulated Tessie."""

    def __init__(self, car: Car, server: TessieServer) -> None:
        self.server = server
        super().__init__(car, clock=time.time)

    @override
    def tick(self) -> None:
        self.server.advance()
        self.told = [
            Told(at=each.at, action=ACTIONS[each.action], amps=each.amps or 0) for each in self.server.counters.received
        ]

    @property
    def obeys(self) -> bool:
        return self._obeys

    @obeys.setter
    def obeys(self, obeys: bool) -> None:
        self._obeys = obeys
        if obeys:
            self.server.faults.clear()
        else:
            self.server.faults.inject("lost")


def _to(server: str) -> Callable[..., Any]:
    """Return the library's way to send a command, to another address than the one that is written there."""

    class Redirected:
        def __init__(self, session: ClientSession) -> None:
            self._session = session

        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            return self._session.request(method, url.replace(DEFAULT_TESSIE_URL, server), **kwargs)

    async def request(session: ClientSession, *args: Any, **kwargs: Any) -> Any:
        return await tessieRequest(Redirected(session), *args, **kwargs)

    return request


@dataclass
class Home:
    """A Home Assistant with the car, and our site with it."""

    hass: HomeAssistant
    cloud: Cloud
    tessie: Any
    evening: Evening
    is_on: bool = True

    @property
    def is_there(self) -> bool:
        """Whether Home Assistant has reached the cloud the last time."""
        return self.is_on and self.tessie.runtime_data.vehicles[0].data_coordinator.last_update_success

    async def arrive(self) -> None:
        """Let what is asked be answered: nothing is pushed."""
        await (self.hass.async_block_till_done() if self.is_there else breathe())


@pytest.fixture
async def cloud(
    hass: HomeAssistant, socket_enabled: None, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Cloud]:
    car = Car(rng=Random(1), max_amps=CAR_MAX_A, soc=40, charging=True, zero_sticks=0.0)
    home = hass.config.latitude, hass.config.longitude
    server = TessieServer(rng=Random(2), token=TOKEN, clock=time.time, latency_scale=0.0, home=home, takes_get=True)
    server.add_car(VIN, car)
    async with server:
        # Their address is written into both of its libraries
        monkeypatch.setattr(Tessie, "server", server.url)
        monkeypatch.setattr("tessie_api.charging.tessieRequest", _to(server.url))
        yield Cloud(car, server)


@pytest.fixture
async def home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    enable_custom_integrations: None,
    hass_client_no_auth: ClientSessionGenerator,
    cloud: Cloud,
) -> Home:
    assert await async_setup_component(hass, "zone", {})
    tessie = await add(hass, "tessie", {"access_token": TOKEN})
    evening = Evening(hass=hass, freezer=freezer, wallbox=cloud, new_client=hass_client_no_auth)
    home = Home(hass, cloud, tessie, evening)
    evening.arrive = home.arrive
    await evening.add_site(device_id=device_of(hass, tessie), profile="tessie")
    return home


async def test_an_evening_stays_within_the_budget(home: Home) -> None:
    account = await home.evening.spend(over_s=OVER_S, far_over_s=FAR_OVER_S, actions=[Action.SET_AMPS])  # 5 A fit
    assert home.cloud.server.counters.commands == account.commands <= COMMANDS


async def test_it_survives_what_goes_wrong(home: Home) -> None:
    async def leave() -> None:
        home.is_on = False
        home.cloud.server.faults.inject("reset")

    async def come_back() -> None:
        home.is_on = True
        home.cloud.server.faults.clear()

    await home.evening.survive(
        leave=leave,
        come_back=come_back,
        reload=lambda: home.evening.reload(home.tessie),
        is_back=lambda: home.is_there,
        far_over_s=FAR_OVER_S,
    )
