"""A charger at the simulated Tessie, over real HTTP, and a cloud that answers whatever a test wants, without."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
import json
from random import Random
import re
from typing import Any
from unittest.mock import Mock

from aiohttp import ClientResponse, ClientSession
from aioresponses import CallbackResult, aioresponses
import pytest
from yarl import URL

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


class Answer(ClientResponse):
    """Give aiohttp's answer an argument that aiohttp 3.14 wants and aioresponses 0.7.9 does not know of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=Mock(output_size=0), **kwargs)


@dataclass
class Cloud:
    """Answers every call with the same."""

    url: str = "http://127.0.0.1:9"
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def say(self, payload: Any) -> None:
        self.body = json.dumps(payload).encode()

    def answer(self, url: URL, **_: Any) -> CallbackResult:
        self.calls.append(url.path)
        return CallbackResult(status=self.status, body=self.body, headers=self.headers, response_class=Answer)


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
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    with aioresponses() as answers:
        for add in (answers.get, answers.post):
            add(re.compile(re.escape(cloud.url)), callback=cloud.answer, repeat=True)
        yield cloud


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
