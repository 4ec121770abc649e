"""A charger at the simulated Tessie, and a cloud that answers whatever a test wants, both over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
import json
from random import Random
from typing import Any

from aiohttp import ClientSession, web
import pytest

from custom_components.amp_sensor.chargers.tessie import TessieCharger, TessieClient
from simulation.car import Car
from simulation.tessie_server import TessieServer

TOKEN = "s3cret-t0ken-of-the-owner"
VIN = "5YJ3E1EA7KF317000"
HOME = (43.36, -8.83)
NOW = 1_700_000_000.0


class Clock:
    """Wall clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Cloud:
    """Answers every call with the same."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def say(self, payload: Any) -> None:
        self.body = json.dumps(payload).encode()

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(request.path)
        return web.Response(status=self.status, body=self.body, headers=self.headers)


def create_charger(client: TessieClient, clock: Clock) -> TessieCharger:
    return TessieCharger(client, VIN, latitude=HOME[0], longitude=HOME[1], clock=clock, sleep=clock.sleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def car() -> Car:
    return Car.endless(rng=Random(1))


@pytest.fixture
async def server(socket_enabled: None, clock: Clock, car: Car) -> AsyncIterator[TessieServer]:
    server = TessieServer(
        rng=Random(2), token=TOKEN, clock=clock, sleep=clock.sleep, latency_scale=0, lag_s=0, home=HOME
    )
    server.add_car(VIN, car, name="Model 3")
    async with server:
        yield server


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncIterator[Cloud]:
    cloud = Cloud()
    runner = web.ServerRunner(web.Server(cloud.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cloud.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield cloud
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def client(session: ClientSession, server: TessieServer, clock: Clock) -> TessieClient:
    return TessieClient(session, TOKEN, server.url, clock=clock)


@pytest.fixture
def charger(client: TessieClient, clock: Clock) -> TessieCharger:
    return create_charger(client, clock)


@pytest.fixture
def clouded(session: ClientSession, cloud: Cloud, clock: Clock) -> TessieCharger:
    """Return a charger at the cloud that answers what the test wants."""
    return create_charger(TessieClient(session, TOKEN, cloud.url, clock=clock), clock)
