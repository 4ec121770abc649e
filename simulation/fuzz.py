"""Post to a real Home Assistant whatever may arrive, and look for what must not come of it.

The first part looks for bodies that go new ways through the code, in this process; then they, and requests that are
made up as a whole, go through a socket. The limit of posts is lifted, so that they are looked at.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
import re
import sys
import tempfile
import time
from typing import Final

from aiohttp import ClientSession
from yarl import URL

from custom_components.amp_sensor.control import reading
from custom_components.amp_sensor.meters import webhook

from .car import Car
from .demo import CARS, add_site
from .home_assistant import HomeAssistant
from .hostile import GOOD, Attack, Case, Framing, Hostile, below_us, explore, made_up, out_of_range
from .tessie_server import TessieServer

ROUND: Final = 2000
"""Cases after which log and states are looked at."""
TRIES_PER_CASE: Final = 1
"""Bodies that are tried in this process, for each case that goes through the socket."""
RECORD: Final = re.compile(r"^\d{4}-\d\d-\d\d \S+ ([A-Z]+) \(.+?\) \[([^\]]+)\] ", re.MULTILINE)


class Log:
    """What Home Assistant said since it was looked at last."""

    def __init__(self, home_assistant: HomeAssistant) -> None:
        self._home_assistant = home_assistant
        self._seen = len(home_assistant.log)
        self.below_us: Counter[str] = Counter()

    def look(self) -> None:
        """Count what is not ours. Raises Hostile for anything else that went wrong."""
        log = self._home_assistant.log
        new, self._seen = log[self._seen :], len(log)
        _, *records = RECORD.split(new)
        for level, logger, text in zip(records[::3], records[1::3], records[2::3], strict=True):
            if level not in ("ERROR", "CRITICAL") and "Traceback" not in text:
                continue
            if (below := below_us(logger, text)) is None:
                raise Hostile(f"logged by {logger}: {text}")
            self.below_us[below] += 1


def parse(body: bytes) -> None:
    """Take or refuse a body; anything else is a mistake."""
    with suppress(webhook.Refused):
        webhook.parse(body, at=0.0, nominal_volts=230.0)


def plain(body: bytes) -> Case:
    """Return the request that has nothing wrong but its body."""
    return Case(
        method="POST",
        encoding=None,
        content_type="application/json",
        header=None,
        body=body,
        framing=Framing.LENGTH,
        cut=0,
        ends=True,
    )


def send(attack: Attack, rng: Random, bodies: Sequence[bytes], cases: int) -> None:
    """Send so many made-up cases, one or two on a connection."""
    end = attack.sent + cases
    while attack.sent < end:
        attack.send(*(made_up(rng, bodies) for _ in range(rng.choice((1, 1, 2)))))


async def run(*, cases: int, first: int) -> str:
    """Attack, and return what was seen. Raises Hostile."""
    began = time.monotonic()
    bodies = explore(parse, (webhook, reading), tries=cases * TRIES_PER_CASE, seed=first)
    explored_s = time.monotonic() - began
    with tempfile.TemporaryDirectory(prefix="amp-sensor-fuzz-") as folder:
        async with (
            ClientSession() as session,
            TessieServer(rng=Random(first)) as tessie,
            HomeAssistant(session, Path(folder), home=tessie.home, is_probed=True) as home_assistant,
        ):
            vin, name = next(iter(CARS.items()))
            tessie.add_car(vin, Car.endless(rng=Random(first)), name=name)
            address, _ = await add_site(home_assistant, tessie, phases=1, vins=[vin])
            log, attack = Log(home_assistant), Attack(port=home_assistant.port, path=URL(address).path)
            began = time.monotonic()

            async def look() -> None:
                home_assistant.check()
                log.look()
                if wrong := out_of_range(await home_assistant.states()):
                    raise Hostile("; ".join(wrong))
                async with session.post(address, data=GOOD) as answer:
                    if answer.status != 200 or await answer.json() != {"accepted": True}:
                        raise Hostile(f"a good post was answered with {answer.status}")

            try:
                for body in bodies:
                    await asyncio.to_thread(attack.send, plain(body))
                await look()
                rng = Random(first)
                while attack.sent < cases:
                    await asyncio.to_thread(send, attack, rng, bodies, min(ROUND, cases - attack.sent))
                    await look()
                    print(f"\r{attack.sent:,} of {cases:,}", end="", file=sys.stderr, flush=True)
            finally:
                attack.end()
            took_s = time.monotonic() - began
    answers = ", ".join(f"{count:,} × {status}" for status, count in sorted(attack.statuses.items()))
    below = "".join(f"\n    {count:,} × {text}" for text, count in log.below_us.most_common())
    return (
        f"{cases * TRIES_PER_CASE:,} bodies in {explored_s:.0f} s, of which {len(bodies)} each went another way\n"
        f"{attack.sent:,} requests in {took_s:.0f} s: {answers}; {attack.unanswered:,} connections without an answer\n"
        f"  nothing of ours failed, or was logged as an error, and no state was out of range\n"
        f"  logged by the server below Home Assistant, by itself: {log.below_us.total():,}{below}"
    )


def main() -> int:
    """Run it; 0 where nothing was found."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=100_000, metavar="N", help="default: 100,000")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what is made up; default: 1")
    options = parser.parse_args()
    try:
        print("\r" + asyncio.run(run(cases=options.cases, first=options.seed)))
    except Hostile as found:
        print(f"\n{found}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
