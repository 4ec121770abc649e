"""What keeps an event loop from its work is seen, on the loop itself and on other threads."""

import asyncio
from collections.abc import Callable
import ctypes
import time

import pytest

from simulation.lateness import Delays, Lateness

BUSY_S = 0.1


def compute() -> None:
    """Keep a processor busy for so long; other threads may have Python's lock meanwhile."""
    begun = time.thread_time()
    while time.thread_time() - begun < BUSY_S:
        pass


def keep_the_lock() -> None:
    """Let nobody else have Python's lock for so long: what is called through `PyDLL` does not give it back.

    A signal ends it sooner.
    """
    ctypes.PyDLL(None).usleep(round(BUSY_S * 1e6))


async def seen(work: Callable[[], object] | None, *, on_loop: bool = False) -> Delays:
    async with Lateness() as lateness:
        await asyncio.sleep(0.05)
        if work is not None and on_loop:
            work()
        elif work is not None:
            await asyncio.to_thread(work)
        await asyncio.sleep(0.05)
    return lateness.delays


def test_what_computes_on_the_loop_blocks_it() -> None:
    delays = asyncio.run(seen(compute, on_loop=True))
    assert delays.median < BUSY_S * 900 < delays.blocked


def test_what_keeps_the_lock_on_another_thread_is_seen() -> None:
    assert max(asyncio.run(seen(keep_the_lock)).highest for _ in range(3)) > BUSY_S * 900


@pytest.mark.parametrize("work", [None, compute])
def test_what_gives_way_does_not(work: Callable[[], object] | None) -> None:
    blocked = min(asyncio.run(seen(work)).blocked for _ in range(3))
    assert blocked < BUSY_S * 200, "a fifth of it, three times in a row, is no accident"


def test_it_says_so() -> None:
    told = str(Delays(median=0.21, high=4.04, highest=94.7, blocked=6.5))
    assert told == ("late by 0.2 ms (median), 4.0 ms (99 of 100), 94.7 ms (highest), 6.5 ms less waits for a processor")
