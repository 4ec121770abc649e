"""Many meters on one Home Assistant, in real time: what they cost its processor, its event loop and its database."""

import asyncio
from dataclasses import dataclass
import gc
import logging
from pathlib import Path
import tempfile
import time
from typing import Final

from .house import House
from .lateness import Delays, Lateness
from .recorder import Poster, add_site, cost, home_assistant, posts_of

POST_S: Final = 5
"""How often each meter posts: as the project's firmware does at the latest."""
OFFSET_S: Final = 3600
"""How far apart the meters are in the recording, so that they do not all step at once."""
FIRST: Final = 2
"""How many states of each entity belong to its beginning, and not to a day: unknown, and its first."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a run came to."""

    meters: int
    seconds: float
    posts: int
    cpu: float
    """Of one core, as a fraction; recorder included."""
    delays: Delays
    rows: int
    """In the recorder's database, after the first of each entity."""


async def measure(house: House, *, meters: int, seconds: int) -> Load:
    """Let `meters` sites live for so long, s, each with a part of the recording of its own."""
    posts = posts_of(house)
    logging.getLogger("homeassistant").setLevel(logging.ERROR)
    posted = 0
    with tempfile.TemporaryDirectory(prefix="amp-sensor-fleet-") as top:
        folder = Path(top)
        (folder / "custom_components").symlink_to(Path(__file__).parent.parent / "custom_components")
        async with home_assistant(folder) as hass:
            sites: list[Poster] = [await add_site(hass, f"{number:016x}", f"Home {number}") for number in range(meters)]
            # Python looks through all that a start has left but once, and that is not what fifty meters cost
            gc.collect()
            async with Lateness() as lateness:
                began, cpu = time.perf_counter(), time.process_time()
                for second in range(seconds):
                    for number, post in enumerate(sites):
                        if (second + number) % POST_S == 0:
                            await post(posts[(second + number * OFFSET_S) % len(posts)])
                            posted += 1
                    await asyncio.sleep(max(0.0, began + second + 1 - time.perf_counter()))
                took_s = time.perf_counter() - began
                cpu = time.process_time() - cpu
        rows = sum(max(0, count - FIRST) for count in cost(folder)[1].values())
    return Load(meters=meters, seconds=took_s, posts=posted, cpu=cpu / took_s, delays=lateness.delays, rows=rows)


def report(found: Load) -> str:
    """Say it for a person."""
    return (
        f"{found.meters} meters, {found.seconds:.0f} s, {found.posts} posts\n"
        f"  processor          {found.cpu:.1%} of one core\n"
        f"  event loop         {found.delays}\n"
        f"  rows               {found.rows}, {found.rows / found.meters / found.seconds * 86400:,.0f} "
        "for each meter and day"
    )
