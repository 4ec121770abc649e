"""What a day of readings costs Home Assistant's database, beside an integration that writes two states per post.

Real webhook, coordinator, entities, recorder and statistics, on SQLite; only the clock is virtual.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
import json
import logging
from math import inf
from operator import itemgetter
from pathlib import Path
import sqlite3
import tempfile
from typing import Final

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory, StepTickTimeFactory, TickingDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.tasks import StatisticsTask, SynchronizeTask
from homeassistant.components.webhook import async_handle_webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_initialize_recorder, get_instance
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from homeassistant.util.aiohttp import MockRequest
import numpy as np
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_test_home_assistant,
)

from custom_components.amp_sensor.const import CONF_LOCAL_ONLY, CONF_MAX_AMPS, CONF_VOLTAGE, DOMAIN

from .home_assistant import DATABASE
from .house import VOLTS, House

NOISE_A: Final = 0.03
"""Assumed, RMS: a recording that is rounded or held has lost its own, and no clamp on a real ESP32 was measured.

In the firmware's simulated comparison (firmware/images/accuracy.csv), eleven readings of a steady current are less than
0.03 A apart with `amp_meter`, and with ESPHome's `ct_clamp` up to 0.03 A below 1 A and 0.6 A at 24 A.
"""
BEGIN: Final = datetime(2026, 1, 5, tzinfo=UTC)
WEBHOOK_ID: Final = "0123456789abcdef"
SEED: Final = 1
BUDGET_A: Final = 25
KEEP_DAYS: Final = 10
"""Home Assistant's default."""
STEP_S: Final = 300
"""How often the recorder is waited for: it makes statistics every five minutes."""

type Post = dict[str, float]
type Clock = StepTickTimeFactory | TickingDateTimeFactory | FrozenDateTimeFactory
type Poster = Callable[[Post], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What is in the database after all posts."""

    rows: int
    file_bytes: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both integrations after the same posts, and how true our statistics are to the posts."""

    hours: int
    ours: Cost
    naive: Cost
    rows_by_entity: dict[str, int]
    mean_off: float
    """Of the hourly mean of the current, the largest, as a fraction of the posts' mean."""
    max_off_amps: float
    """Of the hourly highest current, the largest, A."""
    energy_off: float
    """Of the energy of all hours, as a fraction."""
    moments: int
    """How many moments the states of the current and the headroom are of."""
    amiss: int
    """In how many of them both do not make up the budget to the last digit."""
    buckets_off_amps: float
    """Of five minutes' means of both, by how much they miss the budget at most, A."""


def posts_of(house: House) -> list[Post]:
    """Return a post for each second: the highest phase, with a clamp's noise."""
    noise = np.random.default_rng(SEED).normal(0, NOISE_A, house.seconds)
    amps = np.maximum(0, house.peak + noise).round(2)
    return [{"amps": each, "watts": round(each * VOLTS, 1)} for each in amps.tolist()]


@asynccontextmanager
async def home_assistant(folder: Path, *, keep_days: int = KEEP_DAYS) -> AsyncGenerator[HomeAssistant]:
    """Run a Home Assistant in a folder, with a recorder on SQLite that keeps states for so many days."""
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        hass.loop.slow_callback_duration = inf  # a step of the clock is no slow callback
        hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
        async_initialize_recorder(hass)
        options = {"db_url": f"sqlite:///{folder / DATABASE}", "purge_keep_days": keep_days}
        if not await async_setup_component(hass, "recorder", {"recorder": options}):
            raise RuntimeError("the recorder did not start")
        await hass.async_block_till_done()
        # A recorder that is told to stop before its loop runs forgets it, and is waited for for a minute
        runs = hass.loop.create_future()
        get_instance(hass).queue_task(SynchronizeTask(runs))
        await runs
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


async def add_site(hass: HomeAssistant, webhook_id: str = WEBHOOK_ID, title: str = "Home") -> Poster:
    """Add a site without a car, and return what posts to it."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=title,
        data={CONF_MAX_AMPS: BUDGET_A, CONF_VOLTAGE: int(VOLTS), CONF_LOCAL_ONLY: False, CONF_WEBHOOK_ID: webhook_id},
    )
    entry.add_to_hass(hass)
    if not await hass.config_entries.async_setup(entry.entry_id):
        raise RuntimeError("the site was not set up")

    async def post(reading: Post) -> None:
        content = json.dumps(reading).encode()
        request = MockRequest(content, "test", method="POST", headers={"Content-Type": "application/json"})
        response = await async_handle_webhook(hass, webhook_id, request)
        if response.status != 200:
            raise RuntimeError(f"a post was answered with {response.status}")
        await entry.runtime_data.async_idle()

    return post


async def add_naive(hass: HomeAssistant) -> Poster:
    """Return what writes two states for every post, as many integrations do."""
    units = {"amps": ("current", "A"), "watts": ("power", "W")}

    async def post(reading: Post) -> None:
        for key, (device_class, unit) in units.items():
            attributes = {
                "state_class": "measurement",
                "unit_of_measurement": unit,
                "device_class": device_class,
                "friendly_name": f"Home {key}",
            }
            hass.states.async_set(f"sensor.home_{key}", str(reading[key]), attributes, force_update=True)

    return post


async def _replay(hass: HomeAssistant, recorder: Recorder, clock: Clock, posts: list[Post], post: Poster) -> None:
    for second, reading in enumerate(posts):
        await post(reading)
        clock.tick()
        async_fire_time_changed(hass)
        if second % STEP_S == STEP_S - 1:
            await hass.async_block_till_done()
            await recorder.async_block_till_done()
            # Its own timer waits for a Home Assistant that was really started
            begin = BEGIN + timedelta(seconds=second + 1 - STEP_S)
            recorder.queue_task(StatisticsTask(begin, fire_events=False))
            await recorder.async_block_till_done()


def cost(folder: Path) -> tuple[Cost, dict[str, int]]:
    """Return what is in the database of a Home Assistant that has stopped; rows by entity too."""
    path = folder / DATABASE
    query = (
        "SELECT m.entity_id, COUNT(*) FROM states JOIN states_meta m USING (metadata_id) "
        "WHERE m.entity_id LIKE '%.home%' GROUP BY m.entity_id"
    )
    with closing(sqlite3.connect(path)) as database:
        rows: dict[str, int] = dict(database.execute(query).fetchall())
        database.execute("VACUUM")
    return Cost(rows=sum(rows.values()), file_bytes=path.stat().st_size), rows


def _moments(folder: Path) -> tuple[int, int]:
    """Return how many moments there are states of, and in how many the parts do not make up the budget."""
    names = dict.fromkeys(("number.home_budget", "sensor.home_current", "sensor.home_headroom"), "")
    query = (
        "SELECT last_updated_ts, m.entity_id, state FROM states JOIN states_meta m USING (metadata_id) "
        "WHERE m.entity_id IN (?, ?, ?) ORDER BY last_updated_ts"
    )
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        rows = database.execute(query, tuple(names)).fetchall()
    moments = amiss = 0
    for _, group in groupby(rows, key=itemgetter(0)):  # the clock stands still while one moment is written
        names |= {entity_id: state for _, entity_id, state in group}
        budget, current, headroom = names.values()
        if _is_number(current) or _is_number(headroom):
            moments += 1
            amiss += not (_is_number(current) and _is_number(headroom)) or (
                round(float(budget) - float(current), 2) != float(headroom)
            )
    return moments, amiss


def _is_number(state: str) -> bool:
    return state.lstrip("-").replace(".", "", 1).isdecimal()


def _five_minutely(folder: Path, entity_id: str) -> list[float]:
    """Return the mean of each five minutes, as the recorder's own statistics have it."""
    query = (
        "SELECT mean FROM statistics_short_term JOIN statistics_meta m ON m.id = metadata_id "
        "WHERE m.statistic_id = ? ORDER BY start_ts"
    )
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        return [mean for (mean,) in database.execute(query, (entity_id,))]


def _hourly(folder: Path, entity_id: str) -> list[tuple[float, float, float]]:
    """Return mean, highest and sum so far of each hour, as the recorder's own statistics have them."""
    query = (
        "SELECT mean, max, sum FROM statistics JOIN statistics_meta m ON m.id = metadata_id "
        "WHERE m.statistic_id = ? ORDER BY start_ts"
    )
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        return database.execute(query, (entity_id,)).fetchall()


async def fill(posts: list[Post], folder: Path, add: Callable[[HomeAssistant], Awaitable[Poster]]) -> None:
    """Let one integration live in a folder for as long as there are posts, one a second."""
    freezer = freeze_time(BEGIN)
    clock = freezer.start()
    async with home_assistant(folder) as hass:
        try:
            await _replay(hass, get_instance(hass), clock, posts, await add(hass))
        finally:
            freezer.stop()  # Home Assistant's end waits for timeouts of a clock that runs


async def compare(house: House) -> Comparison:
    """Post a house's readings to both integrations. Whole hours only; raises ValueError where there is none."""
    hours = house.seconds // 3600
    if not hours:
        raise ValueError(f"{house.name} is shorter than an hour")
    posts = posts_of(house)[: hours * 3600]
    logging.getLogger("homeassistant").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="amp-sensor-recorder-") as top:
        folders = [Path(top) / name for name in ("empty", "naive", "ours")]
        for folder in folders:
            folder.mkdir()
        empty, naive, ours = folders
        (ours / "custom_components").symlink_to(Path(__file__).parent.parent / "custom_components")
        await fill([], empty, add_naive)
        await fill(posts, naive, add_naive)
        await fill(posts, ours, add_site)
        base = cost(empty)[0].file_bytes
        naive_cost, _ = cost(naive)
        our_cost, rows = cost(ours)
        current = np.array([row[:2] for row in _hourly(ours, "sensor.home_current")])
        energy_kwh = _hourly(ours, "sensor.home_energy")[-1][2]
        moments, amiss = _moments(ours)
        parts = (_five_minutely(ours, f"sensor.home_{key}") for key in ("current", "headroom"))
        buckets_off_amps = max(abs(BUDGET_A - sum(means)) for means in zip(*parts, strict=True))
    amps = np.array([post["amps"] for post in posts]).reshape(hours, 3600)
    posted_kwh = sum(post["watts"] for post in posts) / 3600 / 1000
    return Comparison(
        hours=hours,
        ours=Cost(rows=our_cost.rows, file_bytes=our_cost.file_bytes - base),
        naive=Cost(rows=naive_cost.rows, file_bytes=naive_cost.file_bytes - base),
        rows_by_entity=rows,
        mean_off=float(abs(current[:, 0] / amps.mean(axis=1) - 1).max()),
        max_off_amps=float(abs(current[:, 1] - amps.max(axis=1)).max()),
        energy_off=float(abs(energy_kwh / posted_kwh - 1)),
        moments=moments,
        amiss=amiss,
        buckets_off_amps=buckets_off_amps,
    )


def report(house: House, found: Comparison) -> str:
    """Say it for a person."""
    rows = found.ours.rows / found.naive.rows
    size = found.ours.file_bytes / found.naive.file_bytes
    lines = [
        f"{house.name}, {found.hours} h at 1 Hz",
        f"  rows    {found.ours.rows:>12,} of {found.naive.rows:>12,}  {rows:7.2%}",
        f"  bytes   {found.ours.file_bytes:>12,} of {found.naive.file_bytes:>12,}  {size:7.2%}",
        f"  hourly mean off by at most {found.mean_off:.2%}",
        f"  hourly maximum off by at most {found.max_off_amps:.2f} A",
        f"  energy off by {found.energy_off:.3%}",
        f"  current and headroom make up the budget in all but {found.amiss} of {found.moments:,} moments,",
        f"  and in the means of five minutes to {found.buckets_off_amps:.1g} A",
    ]
    lines += [f"    {entity_id:40} {count:>7,}" for entity_id, count in found.rows_by_entity.items()]
    return "\n".join(lines)
