"""A Peblar, through Home Assistant's own integration of it, which asks it every ten seconds over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from peblar import PeblarApi
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from simulation.car import Car
from simulation.devices.peblar import PASSWORD, Peblar
from simulation.devices.wallbox import breathe
from simulation.plant import BEHIND_PILOT
from tests.real.evening import CAR_MAX_A, Evening, add, device_of


class AnyPort:
    """Its library knows port 80 alone, which tests may not have: the address is taken with its port."""

    def __new__(cls, text: str) -> URL:  # type: ignore[misc]
        return URL(text)

    @staticmethod
    def build(*, scheme: str, host: str, path: str) -> URL:
        return URL(f"{scheme}://{host}{path}")


@dataclass
class Home:
    """A Home Assistant that knows the charger, and our site with it."""

    hass: HomeAssistant
    device: Peblar
    peblar: Any
    evening: Evening

    @property
    def is_there(self) -> bool:
        """Whether Home Assistant has reached it the last time."""
        return self.device.is_on and self.peblar.runtime_data.data_coordinator.last_update_success

    async def arrive(self) -> None:
        """Let what is asked be answered: nothing is pushed."""
        await (self.hass.async_block_till_done() if self.is_there else breathe())


@pytest.fixture
async def device(
    socket_enabled: None, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Peblar]:
    for module in ("peblar", "websocket"):
        monkeypatch.setattr(f"peblar.{module}.URL", AnyPort)
    apis: list[PeblarApi] = []
    begin = PeblarApi.__post_init__

    def note(api: PeblarApi) -> None:
        begin(api)
        apis.append(api)

    monkeypatch.setattr(PeblarApi, "__post_init__", note)
    car = Car.endless(rng=Random(1), max_amps=CAR_MAX_A, pace=BEHIND_PILOT)
    async with Peblar(car, clock=time.time) as device:
        yield device
    for api in apis:  # it opens sessions that Home Assistant does not close
        await api.close()


@pytest.fixture
async def home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    enable_custom_integrations: None,
    hass_client_no_auth: ClientSessionGenerator,
    device: Peblar,
) -> Home:
    peblar = await add(hass, "peblar", {"host": device.host, "password": PASSWORD})
    evening = Evening(hass=hass, freezer=freezer, wallbox=device, new_client=hass_client_no_auth)
    home = Home(hass, device, peblar, evening)
    evening.arrive = home.arrive
    await evening.add_site(device_id=device_of(hass, peblar), profile="peblar")
    return home


async def test_an_evening_stays_within_the_budget(home: Home) -> None:
    await home.evening.spend()


async def test_it_survives_what_goes_wrong(home: Home) -> None:
    await home.evening.survive(
        leave=home.device.stop,
        come_back=home.device.start,
        reload=lambda: home.evening.reload(home.peblar),
        is_back=lambda: home.is_there,
    )
