"""Rehearse in a process of its own: Python does one thing at a time, and the event loop must not wait for a replay.

The process loads what is pure, and nothing of Home Assistant. What it is asked comes through its standard input, what
it answers through its output: lines of JSON, first how far it is, then all outlooks.
"""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
import json
import logging
from pathlib import Path
import sys
from typing import BinaryIO, Final

from ..control import ChargeWith, Mode, ProtectionKind
from .rehearsal import House, Outlook, Plan, Wanted, Wiring, rehearse

_LOGGER = logging.getLogger(__name__)

STEP: Final = 0.01
"""How often it tells how far it is: every hundredth of the whole."""
NICE: Final = 10
"""How far it steps back behind everybody else on the machine: half of what there is."""
# The package's own beginning would bring all of Home Assistant along: an empty one of the same place stands in for it
_BEGIN: Final = f"""\
import os, sys, types
os.nice({NICE})
package = types.ModuleType("amp_sensor")
package.__path__ = [sys.argv[1]]
sys.modules["amp_sensor"] = package
from amp_sensor.what_if.process import answer
answer(sys.stdin.buffer, sys.stdout.buffer)
"""


class RehearsalFailed(Exception):
    """The process ended without an answer; the log has what it said."""


async def async_rehearse(
    house: House,
    plans: Sequence[Plan],
    wiring: Wiring,
    *,
    kind: ProtectionKind,
    wanted: Wanted | None,
    progress: Callable[[float], None],
) -> list[Outlook]:
    """Return the outlook of each plan; `progress` is told the part of all that is done, 0 to 1.

    Raises RehearsalFailed. If it is cancelled, the process ends.
    """
    request = json.dumps(
        {
            "wiring": asdict(wiring),
            "kind": kind,
            "wanted": None if wanted is None else asdict(wanted),
            "plans": [asdict(plan) for plan in plans],
        }
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _BEGIN, str(Path(__file__).parents[1])), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101 -- pipes, as asked for
    try:
        process.stdin.write(request.encode() + b"\n" + house.to_bytes())
        process.stdin.write_eof()
        async for line in process.stdout:
            if isinstance(told := json.loads(line), list):
                return [Outlook(**outlook) for outlook in told]
            progress(told)
        _LOGGER.error("What if failed: %s", (await process.stderr.read()).decode(errors="replace").strip())
        raise RehearsalFailed
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def answer(request: BinaryIO, answers: BinaryIO) -> None:
    """Be the process: work out what is asked."""
    asked = json.loads(request.readline())
    house = House.from_bytes(request.read())
    plans = [
        Plan(**plan | {"mode": Mode(plan["mode"]), "charge_with": ChargeWith(plan["charge_with"])})
        for plan in asked["plans"]
    ]
    wanted = None if asked["wanted"] is None else Wanted(**asked["wanted"])
    told = -STEP

    def tell(done: float, number: int) -> None:
        nonlocal told
        if (all_done := (number + done) / len(plans)) >= told + STEP:
            told = all_done
            answers.write(f"{told:.3f}\n".encode())
            answers.flush()

    outlooks = [
        rehearse(
            house,
            plan,
            Wiring(**asked["wiring"]),
            kind=ProtectionKind(asked["kind"]),
            wanted=wanted,
            progress=partial(tell, number=number),
        )
        for number, plan in enumerate(plans)
    ]
    answers.write(json.dumps([asdict(outlook) for outlook in outlooks]).encode() + b"\n")
    answers.flush()
