"""An event loop on a clock of ours: patience, retries and the cloud's latency pass as fast as it is moved."""

from abc import abstractmethod
import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from math import inf
import time
from typing import Any, Final
from unittest.mock import patch

from pytest_homeassistant_custom_component import patch_time  # noqa: F401 -- else Home Assistant's own clock goes on

QUIET_TURNS: Final = 3
"""Turns of the event loop without anything to do, after which nothing is left: what a socket holds shows in one."""
PATIENCE: Final = 200_000
"""Turns after which something has to be wrong."""


class VirtualTime:
    """Somebody who moves the event loop's clock a second at a time, and the world with it."""

    def __init__(self) -> None:
        self._monotonic = time.monotonic()
        self._executing = 0

    @abstractmethod
    async def tick(self) -> None:
        """Let a second pass for everybody."""

    @contextmanager
    def virtual_time(self) -> Generator[None]:
        """Let the event loop live on our clock."""
        loop = asyncio.get_running_loop()
        loop.set_debug(False)
        loop.slow_callback_duration = inf
        run = loop.run_in_executor

        def run_in_executor(*args: Any) -> Any:
            future = run(*args)
            self._executing += 1
            future.add_done_callback(self._executed)
            return future

        with (
            patch.object(time, "monotonic", lambda: self._monotonic),
            patch.object(loop, "run_in_executor", run_in_executor),
            # So large a time has no room for a nanosecond, without which what is due now would come a second later
            patch.object(loop, "_clock_resolution", 1e-3),
        ):
            yield

    def _executed(self, _: object) -> None:
        self._executing -= 1

    async def settle(self) -> None:
        """Let everything be dealt with that does not wait for the clock."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # noqa: SLF001 -- nothing else tells
        quiet = 0
        for _ in range(PATIENCE):
            if self._executing:
                time.sleep(0.0002)  # noqa: ASYNC251 -- in real time: for a thread
            quiet = 0 if ready or self._executing else quiet + 1
            if quiet > QUIET_TURNS:
                return
            await asyncio.sleep(0)
        raise AssertionError("it never comes to rest")

    async def wait_for[ResultT](self, work: Awaitable[ResultT]) -> ResultT:
        """Let time pass until something is done."""
        task = asyncio.ensure_future(work)
        await self.settle()
        while not task.done():
            await self.tick()
        return task.result()
