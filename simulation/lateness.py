"""How late an event loop is, and how much of that is its own process's doing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
import inspect
import os
import sys
from time import perf_counter, thread_time
from types import TracebackType
from typing import Final, Self

EVERY_S: Final = 0.005
"""How often the event loop is looked at: as often as Python makes a thread that computes give way to another."""
_THREADS: Final = "/proc/self/task"
_SCANDIR: Final[Callable[[str], Iterator[os.DirEntry[str]]]] = inspect.unwrap(os.scandir)
"""Home Assistant wraps it, and tells of each call on its event loop: files do not wait for a disk here."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """How late an event loop was, ms."""

    median: float
    high: float
    """At most, in 99 of 100 looks."""
    highest: float
    blocked: float
    """At most, less what threads of this process waited for a processor meanwhile. Only Linux tells.

    What the loop itself computes counts in full; what other threads keep it from counts too little on a busy machine.
    """

    def __str__(self) -> str:
        return (
            f"late by {self.median:.1f} ms (median), {self.high:.1f} ms (99 of 100), {self.highest:.1f} ms (highest), "
            f"{self.blocked:.1f} ms less waits for a processor"
        )


class Lateness:
    """Ask the running event loop all the time to do something soon, from the beginning of `async with` to its end."""

    def __init__(self) -> None:
        self._late_s: list[float] = []
        self._blocked_s: list[float] = []
        self._files: dict[str, int] = {}
        self._waited_ns: dict[str, int] = {}
        self._looking: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._waits_s()
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        for file in self._files.values():
            os.close(file)

    async def _look(self) -> None:
        while True:
            begun, computed_s = perf_counter(), thread_time()
            await asyncio.sleep(EVERY_S)
            late_s = perf_counter() - begun - EVERY_S
            self._late_s.append(late_s)
            # What it computed before it was due made nothing late
            blocked_s = max(thread_time() - computed_s, late_s - self._waits_s())
            self._blocked_s.append(min(blocked_s, late_s))

    def _waits_s(self) -> float:
        """Return how long threads were ready to run without a processor since this was asked last, s, all together."""
        waits_ns = 0
        for thread in _SCANDIR(_THREADS) if sys.platform == "linux" else ():
            with suppress(OSError):  # it may have ended by now
                if thread.name not in self._files:
                    self._files[thread.name] = os.open(f"{thread.path}/schedstat", os.O_RDONLY)
                waited_ns = int(os.pread(self._files[thread.name], 100, 0).split()[1])
                waits_ns += waited_ns - self._waited_ns.get(thread.name, 0)
                self._waited_ns[thread.name] = waited_ns
        return waits_ns / 1e9

    @property
    def delays(self) -> Delays:
        """What was seen. Raises IndexError where it was too short for a look."""
        late_ms = sorted(late_s * 1000 for late_s in self._late_s)
        last = len(late_ms) - 1
        return Delays(
            median=late_ms[last // 2],
            high=late_ms[int(last * 0.99)],
            highest=late_ms[last],
            blocked=max(self._blocked_s) * 1000,
        )
