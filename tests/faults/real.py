"""The worst of the faults in a real process, in real time: `scripts/faults --real`.

Home Assistant runs in a process of its own, which is killed, suspended, or kept from its disk. The sensor posts once a
second; Tessie and the car are simulated, behind a real socket. The clock on the wall is everybody's, and is left alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import contextlib
from dataclasses import asdict, dataclass
import os
from pathlib import Path
from random import Random
import re
import resource
import signal
import sqlite3
import tempfile
import time
from typing import Any, Final

from aiohttp import ClientSession

from custom_components.amp_sensor.const import DOMAIN
from simulation.car import Car
from simulation.demo import CAR_MAX_A, add_site, find_entities
from simulation.home_assistant import DATABASE, HomeAssistant, HomeAssistantError
from simulation.sensor import PostingSensor
from simulation.tessie_server import TessieServer
from tests.faults.judge import Judge, Judged

VIN: Final = "5YJ3E1EA7KF000316"
BEGIN_S: Final = 40
END_S: Final = 100
LOWER_S: Final = 45
STOP_S: Final = 70
OVER_S: Final = 110
SECONDS: Final = 320
"""Without a fault the car draws its maximum again after 180 s."""
RECORD: Final = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:)", re.MULTILINE)
LOGGER: Final = re.compile(r"\[(?P<logger>[\w.]+)\] (?P<text>.*)")
OURS: Final = re.compile(rf"custom_components[./]{DOMAIN}\b")
"""Our code, in a traceback or as a logger's name."""
UNWRITABLE: Final = "/sys"
"""A folder in which nobody may write, not even who may do everything else."""


def house(second: int) -> float:
    """Return what the house draws, A: first the car has to be lowered, and 25 s later it does not fit any more."""
    if LOWER_S <= second < OVER_S:
        return 15.0 if second < STOP_S else 22.0
    return 8.0


type Deed = Callable[[RealEvening], Awaitable[None]]


async def _nothing(_: RealEvening) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class RealFault(Judged):
    """Something that goes wrong for a while with a process."""

    begin: Deed = _nothing
    end: Deed = _nothing


class RealEvening:
    """The world around a Home Assistant."""

    def __init__(
        self,
        fault: RealFault,
        home_assistant: HomeAssistant,
        tessie: TessieServer,
        session: ClientSession,
        folder: Path,
    ) -> None:
        """Take what goes wrong, and what it goes wrong with; `folder` is Home Assistant's."""
        self.home_assistant = home_assistant
        self.tessie = tessie
        self.folder = folder
        self.second = 0
        self.is_dark = False
        """Whether Home Assistant does not run: from its end to the first reading that it takes."""
        self.is_silent = False
        """Whether the sensor does not post."""
        self.lock: sqlite3.Connection | None = None
        """What holds the recorder's database."""
        self._fault = fault
        self._session = session
        self._car = Car.endless(rng=Random(1), max_amps=CAR_MAX_A)
        self._judge = Judge(fault, phases=1)
        self._is_faulty = False
        self._around: list[asyncio.Task[None]] = []

    async def run(self) -> dict[str, Any]:
        """Let it pass; return what came of it."""
        self.tessie.add_car(VIN, self._car, name="Car")
        address, entry_id = await add_site(self.home_assistant, self.tessie, phases=1, vins=[VIN])
        site, (charger,) = await find_entities(self.home_assistant, entry_id, cars=1)
        sensor = PostingSensor(self._session, address, seed=1, post_s=1.0)
        around = (self._live(), self._post(sensor), self._look(site["connected"], charger["reason"]))
        self._around = [asyncio.create_task(each) for each in around]
        try:
            await self._act()
        finally:
            for task in self._around:
                task.cancel()
            await asyncio.gather(*self._around, return_exceptions=True)
        row = self._judge.row
        row.away, row.asleep = self.tessie.counters.commands_away, self.tessie.counters.commands_asleep
        for logger, text in _failures(self.home_assistant.log):
            if logger.startswith("custom_components"):
                row.tell(f"log: {text}")
            else:
                row.errors.append(f"{logger}: {text}")
        return {**asdict(row), "drawn": [round(amps, 1) for amps in self._judge.drawn]}

    async def _act(self) -> None:
        await self.until(BEGIN_S)
        self._is_faulty = True
        await self._fault.begin(self)
        await self.until(END_S)
        await self._fault.end(self)
        self._is_faulty = False
        self._judge.row.ended = self.second
        await self.until(SECONDS)

    async def until(self, second: int) -> None:
        """Wait until so much time has passed, s."""
        while self.second < second:
            for task in self._around:
                if task.done():
                    task.result()  # how it failed
            await asyncio.sleep(0.05)

    async def _live(self) -> None:
        """Let house and car draw what they do, second by second."""
        began = time.monotonic()
        self._judge.warm((house(0),), self._car.amps)
        while True:
            await asyncio.sleep(max(0.0, began + self.second + 1 - time.monotonic()))
            self.tessie.advance()
            since_s = self.second - BEGIN_S
            helpless = self._is_faulty and (self._fault.deaf or since_s < self._fault.blind_s or self.is_dark)
            self._judge.tick(self.second, (house(self.second),), self._car.amps, helpless=helpless)
            self.second += 1

    async def _post(self, sensor: PostingSensor) -> None:
        began = time.monotonic()
        while True:
            if not self.is_silent:
                accepted = sensor.accepted
                await sensor.tick(house(self.second) + self._car.amps)
                self.is_dark = self.is_dark and sensor.accepted == accepted
            past_s = time.monotonic() - began
            await asyncio.sleep(1 - past_s % 1)

    async def _look(self, connected: str, reason: str) -> None:
        """Note each second what people are told, where it can be asked."""
        row = self._judge.row
        while True:
            await asyncio.sleep(1)
            if not self.home_assistant.is_connected:
                continue
            try:
                states = {each["entity_id"]: each["state"] for each in await self.home_assistant.call("get_states")}
                issues = (await self.home_assistant.call("repairs/list_issues"))["issues"]
            except HomeAssistantError:  # it was ended meanwhile
                if self.home_assistant.is_connected:
                    raise
                continue
            if states.get(connected) == "off":
                row.tell("connected off")
            for issue in issues:
                if issue["domain"] in (DOMAIN, "homeassistant"):
                    row.tell(issue["translation_key"])
            row.reasons[states[reason]] = row.reasons.get(states[reason], 0) + 1

    async def next_command(self) -> None:
        """Wait until a command is on its way to the car."""
        commands = self.tessie.counters.commands
        while self.tessie.counters.commands == commands:  # noqa: ASYNC110 -- the server counts, and tells nobody
            await asyncio.sleep(0.01)


def _failures(log: str) -> list[tuple[str, str]]:
    """Return each error in which we occur, as the log tells: whose it is, and its first line."""
    errors = (text for text in RECORD.split(log) if " ERROR " in text.partition("\n")[0])
    return [
        (match["logger"], match["text"])
        for text in errors
        if OURS.search(text) and (match := LOGGER.search(text)) is not None
    ]


# What happens


async def _kill(evening: RealEvening) -> None:
    await evening.home_assistant.kill()
    evening.is_dark = True
    await evening.home_assistant.start_again()


async def _kill_at_the_first(evening: RealEvening) -> None:
    await evening.next_command()
    await _kill(evening)


async def _kill_at_a_stop(evening: RealEvening) -> None:
    await evening.until(STOP_S)
    await _kill_at_the_first(evening)


async def _restart(evening: RealEvening) -> None:
    await evening.until(LOWER_S)
    await evening.home_assistant.stop()
    evening.is_dark = True
    await evening.home_assistant.start_again()


async def _suspend(evening: RealEvening) -> None:
    evening.is_dark = True
    os.kill(evening.home_assistant.pid, signal.SIGSTOP)


async def _go_on(evening: RealEvening) -> None:
    os.kill(evening.home_assistant.pid, signal.SIGCONT)


async def _fill_disk(evening: RealEvening) -> None:
    """Let no file take anything any more: as on a full disk, its log and its database included."""
    resource.prlimit(evening.home_assistant.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


async def _empty_disk(evening: RealEvening) -> None:
    limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(evening.home_assistant.pid, resource.RLIMIT_FSIZE, limits)


async def _protect_storage(evening: RealEvening) -> None:
    storage = evening.folder / ".storage"
    storage.rename(evening.folder / "kept")
    storage.symlink_to(UNWRITABLE)


async def _free_storage(evening: RealEvening) -> None:
    storage = evening.folder / ".storage"
    storage.unlink()
    (evening.folder / "kept").rename(storage)


async def _lock(evening: RealEvening) -> None:
    def lock() -> sqlite3.Connection:
        connection = sqlite3.connect(
            evening.folder / DATABASE, isolation_level=None, timeout=30, check_same_thread=False
        )
        connection.execute("BEGIN EXCLUSIVE")
        return connection

    evening.lock = await asyncio.to_thread(lock)


async def _unlock(evening: RealEvening) -> None:
    if evening.lock is not None:
        evening.lock.close()


def _inject(name: str) -> Deed:
    async def begin(evening: RealEvening) -> None:
        evening.tessie.faults.inject(name)

    return begin


async def _clear(evening: RealEvening) -> None:
    evening.tessie.faults.clear()


async def _silence(evening: RealEvening) -> None:
    evening.is_silent = True


async def _speak(evening: RealEvening) -> None:
    evening.is_silent = False


REAL: Final = {
    fault.name: fault
    for fault in (
        RealFault(name="nothing wrong"),
        RealFault(name="Home Assistant: killed while it lowers the car", begin=_kill_at_the_first),
        RealFault(name="Home Assistant: killed while it stops the car", begin=_kill_at_a_stop),
        RealFault(name="Home Assistant: restarted", begin=_restart),
        RealFault(name="Home Assistant: suspended for 60 s", begin=_suspend, end=_go_on),
        RealFault(name="Home Assistant: disk full", begin=_fill_disk, end=_empty_disk),
        RealFault(name="Home Assistant: storage read-only", begin=_protect_storage, end=_free_storage),
        RealFault(name="Home Assistant: database locked", begin=_lock, end=_unlock),
        RealFault(name="Tessie: no answer for a minute", begin=_inject("hang"), end=_clear, deaf=True),
        RealFault(name="Tessie: 503", begin=_inject("unavailable"), end=_clear, deaf=True),
        RealFault(
            name="network: no way to Tessie (refused)",
            begin=lambda evening: evening.tessie.cut(),
            end=lambda evening: evening.tessie.mend(),
            deaf=True,
        ),
        RealFault(name="meter: silent", begin=_silence, end=_speak, blind_s=120.0),
    )
}


async def _spend(fault: RealFault) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="amp-sensor-fault-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(ClientSession())
            tessie = await stack.enter_async_context(TessieServer(rng=Random(2)))
            home_assistant = HomeAssistant(session, Path(folder), home=tessie.home)
            await stack.enter_async_context(home_assistant)
            return await RealEvening(fault, home_assistant, tessie, session, Path(folder)).run()


async def spend_all(faults: Sequence[RealFault], *, at_once: int) -> list[dict[str, Any]]:
    """Let an evening pass with each fault, so many side by side; return what came of them.

    Raises ExceptionGroup where one could not be spent.
    """
    turns = asyncio.Semaphore(at_once)

    async def spend(fault: RealFault) -> dict[str, Any]:
        async with turns:
            row = await _spend(fault)
            print(f"{fault.name}: {row['over_s']} s over", flush=True)
            return row

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(spend(fault)) for fault in faults]
    return [task.result() for task in tasks]
