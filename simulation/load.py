"""What readings cost a real Home Assistant, how many it takes, and whether a flood keeps others waiting.

All of it in one run: what counts are the ratios. Those who post are processes of their own.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
import json
import math
from multiprocessing import get_context
import os
from pathlib import Path
from random import Random
import selectors
import socket
from statistics import mean, median, quantiles
import tempfile
import time
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

from .car import Car
from .demo import CAR_MAX_A, HOUSE, add_site
from .home_assistant import HomeAssistant
from .house import VOLTS, load
from .lateness import Delays
from .tessie_server import TessieServer

CONNECTIONS: Final = 8
"""Of one who posts as often as it can."""
NOTHING: Final = "/api/webhook/probe-nothing"
FLOODED: Final = 64
"""Posts that a flood sends on each connection without waiting for an answer."""
FLOOD_PER_S: Final = 10_000
OTHERS: Final = 4
"""Sites beside the one that is flooded."""
LIMIT_PER_S: Final = 4
WARM_UP_S: Final = 20.0
"""Until nothing is done any more that a start of Home Assistant leaves to do."""
WARM: Final = 200
"""Readings at the beginning that are not looked at: much is done for the first time."""
PART: Final = 400
TURNS: Final = 9
"""How often a webhook that does nothing and a site have their turns: a busy machine is another one a second later."""
READINGS: Final = 3000
"""Ten minutes of them at the highest rate that is allowed, and some before: so much is kept, and no more."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What came of posts."""

    statuses: Counter[int]
    seconds: float
    waits_s: list[float]

    @property
    def per_s(self) -> float:
        """How many were answered in a second."""
        return self.statuses.total() / self.seconds


class _Connection:
    """One that stays open, on which posts may be sent before the earlier ones are answered."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.sent_at: list[float] = []
        self.rest = b""

    def send(self, request: bytes) -> None:
        self.rest += request
        self.sent_at.append(time.perf_counter())
        self.flush()

    def flush(self) -> None:
        with suppress(BlockingIOError):
            self.rest = self.rest[self.socket.send(self.rest) :]


def _request(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def post(
    port: int,
    paths: Sequence[str],
    bodies: Sequence[str],
    *,
    seconds: float,
    connections: int = 1,
    depth: int = 1,
    per_s: float = math.inf,
) -> Answers:
    """Post on several connections, each with up to `depth` posts without an answer yet, and no more than `per_s`."""
    requests = [_request(path, body) for body in bodies for path in paths]
    statuses: Counter[int] = Counter()
    waits_s: list[float] = []
    sent = 0
    began = now = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            each = _Connection(port)
            selector.register(each.socket, selectors.EVENT_READ, each)
        each_of_them: list[_Connection] = [key.data for key in selector.get_map().values()]
        while now < began + seconds:
            for each in each_of_them:
                if each.rest:
                    each.flush()
                while len(each.sent_at) < depth and sent <= (now - began) * per_s:
                    each.send(requests[sent % len(requests)])
                    sent += 1
            for key, _ in selector.select(timeout=0.001):
                each = key.data
                for answer in each.socket.recv(1 << 16).split(b"HTTP/1.1 ")[1:]:  # none is cut before its status
                    statuses[int(answer[:3])] += 1
                    waits_s.append(time.perf_counter() - each.sent_at.pop(0))
            now = time.perf_counter()
        for each in each_of_them:
            each.socket.close()
    return Answers(statuses=statuses, seconds=now - began, waits_s=waits_s)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Posts to one webhook, and what they cost the event loop's thread, s of a processor."""

    answers: Answers
    cpu_s: float

    @property
    def cost_s(self) -> float:
        """What each cost."""
        return self.cpu_s / self.answers.statuses.total()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run came to."""

    early_s: list[float]
    late_s: list[float]
    """What each reading cost at the beginning, and after ten minutes' worth of them."""
    turns: list[tuple[Turn, Turn]]
    """Of a webhook that does nothing, and of a site's without a limit: somebody posts as often as it can."""
    alone: Answers
    flooded: Answers
    """Other sites' posts without a flood, and beside one."""
    flood: Answers
    flood_delays: Delays
    sites: int
    accepted: int
    cpu: float
    delays: Delays
    """Of all sites at 1 Hz, with cars."""
    machine: tuple[float, float]
    """The machine's load at the beginning and at the end: how many wanted a processor, in the mean of a minute."""


class Load:
    """A Home Assistant with a probe, and those who post."""

    def __init__(self, home_assistant: HomeAssistant, session: ClientSession, tessie: TessieServer) -> None:
        """Take one that runs."""
        self._home_assistant = home_assistant
        self._session = session
        self._tessie = tessie
        self._loop = asyncio.get_running_loop()
        self._pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
        self._amps = load(HOUSE).peak
        self._paths: list[str] = []
        self._cars: list[Car] = []

    async def ask(self, what: str, **data: object) -> Any:
        """Ask the probe."""
        async with self._session.post(f"{self._home_assistant.url}/api/webhook/probe-{what}", json=data) as response:
            return await response.json()

    async def add_sites(self, count: int) -> None:
        """Add sites, each with a car that charges."""
        for _ in range(count):
            number = len(self._paths)
            vin = f"5YJ3E1EA7KF{number:06}"
            self._cars.append(Car.endless(rng=Random(number), max_amps=CAR_MAX_A))
            self._tessie.add_car(vin, self._cars[-1], name=f"Car {number}")
            address, _ = await add_site(self._home_assistant, self._tessie, phases=1, vins=[vin], name=f"Home {number}")
            self._paths.append(URL(address).path)

    def body(self, number: int, second: int) -> str:
        """Return what the sensor of a site posts: its own part of the recording, and what its car draws."""
        amps = float(self._amps[(second + number * 3600) % len(self._amps)]) + self._cars[number].amps
        return json.dumps({"amps": round(amps, 2), "watts": round(amps * VOLTS, 1)})

    async def post(self, paths: Sequence[str], bodies: Sequence[str], **how: float) -> Answers:
        """Let a process post."""
        work = _Work(self._home_assistant.port, tuple(paths), tuple(bodies), how)
        return await self._loop.run_in_executor(self._pool, work)

    async def _turn(self, path: str, bodies: Sequence[str], *, seconds: float) -> Turn:
        before_s = await self.ask("cpu")
        answers = await self.post([path], bodies, seconds=seconds, connections=CONNECTIONS)
        return Turn(answers=answers, cpu_s=await self.ask("cpu") - before_s)

    async def measure(self, *, sites: int, seconds: int) -> Found:
        """Measure all of it."""
        load_before, *_ = os.getloadavg()
        await self.add_sites(1)
        await asyncio.sleep(WARM_UP_S)
        bodies = [self.body(0, second) for second in range(READINGS)]
        webhook_id = self._paths[0].rpartition("/")[2]
        costs_s: list[float] = await self.ask("readings", webhook_id=webhook_id, bodies=bodies)
        for path in (NOTHING, self._paths[0]):
            await self._turn(path, bodies, seconds=1)  # what is done for the first time
        turns = [
            (
                await self._turn(NOTHING, bodies, seconds=seconds / 4 / TURNS),
                await self._turn(self._paths[0], bodies, seconds=seconds / 4 / TURNS),
            )
            for _ in range(TURNS)
        ]
        await self.ask("limit", lift=False)
        await self.add_sites(1 + OTHERS)
        victim, others = self._paths[1], self._paths[2 : 2 + OTHERS]
        usual: dict[str, float] = {"seconds": seconds / 3, "per_s": OTHERS * LIMIT_PER_S * 0.9}
        alone = await self.post(others, bodies, **usual)
        await self.ask("begin")
        flood, flooded = await asyncio.gather(
            self.post(
                [victim],
                bodies,
                seconds=seconds / 3,
                connections=CONNECTIONS,
                depth=FLOODED,
                per_s=FLOOD_PER_S,
            ),
            self.post(others, bodies, **usual),
        )
        flood_delays = _delays(await self.ask("end"))
        await self.add_sites(sites - len(self._paths))
        await asyncio.sleep(10)
        await self.ask("begin")
        accepted = await self._live(seconds)
        told = await self.ask("end")
        return Found(
            early_s=costs_s[WARM : WARM + PART],
            late_s=costs_s[-PART:],
            turns=turns,
            alone=alone,
            flooded=flooded,
            flood=flood,
            flood_delays=flood_delays,
            sites=len(self._paths),
            accepted=accepted,
            cpu=told["cpu_s"] / seconds,
            delays=_delays(told),
            machine=(load_before, os.getloadavg()[0]),
        )

    async def _live(self, seconds: int) -> int:
        """Let each site post once a second; return how many posts were accepted."""
        began, accepted = time.perf_counter(), 0
        for second in range(seconds):
            self._tessie.advance()
            for number, path in enumerate(self._paths):
                due = began + second + number / len(self._paths)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                body, headers = self.body(number, second), {"Content-Type": "application/json"}
                async with self._session.post(
                    f"{self._home_assistant.url}{path}", data=body, headers=headers
                ) as response:
                    accepted += response.status == 200
        return accepted


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process of its own is told to post."""

    port: int
    paths: tuple[str, ...]
    bodies: tuple[str, ...]
    how: dict[str, Any]

    def __call__(self) -> Answers:
        return post(self.port, self.paths, self.bodies, **self.how)


def _delays(told: dict[str, float]) -> Delays:
    return Delays(**{name: told[name] for name in ("median", "high", "highest", "blocked")})


async def measure(*, sites: int, seconds: int) -> Found:
    """Start a Home Assistant, and measure."""
    with tempfile.TemporaryDirectory(prefix="amp-sensor-load-") as folder:
        async with (
            ClientSession() as session,
            TessieServer(rng=Random("load")) as tessie,
            HomeAssistant(session, Path(folder), home=tessie.home, is_probed=True) as home_assistant,
        ):
            return await Load(home_assistant, session, tessie).measure(sites=sites, seconds=seconds)


def _late_ms(answers: Answers) -> str:
    waits_ms = [wait_s * 1000 for wait_s in answers.waits_s]
    return (
        f"{median(waits_ms):.1f} ms (median), {quantiles(waits_ms, n=100)[-1]:.1f} ms (99 of 100), "
        f"{max(waits_ms):.1f} ms (highest) of {len(waits_ms)}"
    )


def report(found: Found) -> str:
    """Say it for a person."""
    early, late = ([cost_s * 1000 for cost_s in costs_s] for costs_s in (found.early_s, found.late_s))
    nothing, readings = ([turn.answers.per_s for turn in turns] for turns in zip(*found.turns, strict=True))
    spent, taken = ([turn.cost_s for turn in turns] for turns in zip(*found.turns, strict=True))
    ratios = [taken_per_s / per_s for per_s, taken_per_s in zip(nothing, readings, strict=True)]
    costs = [spent_s / taken_s for spent_s, taken_s in zip(spent, taken, strict=True)]
    statuses = sum((site.answers.statuses for _, site in found.turns), Counter[int]())
    return (
        f"a reading, all in     {mean(early):.2f} ms (median {median(early):.2f}); after ten minutes "
        f"{mean(late):.2f} ms (median {median(late):.2f})\n"
        f"without a limit       {median(readings):,.0f} posts a second, {median(ratios):.1%} of the "
        f"{median(nothing):,.0f} of a webhook that does nothing (in {len(ratios)} turns {min(ratios):.1%} to "
        f"{max(ratios):.1%}); {dict(statuses)}\n"
        f"  processor           {median(taken) * 1000:.2f} ms a post, "
        f"{median(spent) * 1000:.2f} ms where nothing is done: {median(costs):.1%} ({min(costs):.1%} to "
        f"{max(costs):.1%})\n"
        f"a flood on one site   {FLOOD_PER_S:,} a second sent, {found.flood.per_s:,.0f} answered: "
        f"{dict(found.flood.statuses)}\n"
        f"  event loop          {found.flood_delays}\n"
        f"  posts of others     {_late_ms(found.flooded)}; {dict(found.flooded.statuses)}\n"
        f"  … without a flood   {_late_ms(found.alone)}; {dict(found.alone.statuses)}\n"
        f"{found.sites} sites with a car each, once a second: {found.accepted:,} posts accepted\n"
        f"  processor           {found.cpu:.1%} of one core\n"
        f"  event loop          {found.delays}\n"
        f"the machine           {os.cpu_count()} cores, a load of {found.machine[0]:.1f} at the beginning and "
        f"{found.machine[1]:.1f} at the end"
    )
