"""A week of a recorded house and a car that comes and goes, in virtual time through the whole integration.

A real recorder on SQLite, real files, and HTTP both ways; the sensor posts every 10 s. What should stay as it is is
looked at every hour, and energy is held against what truly flowed.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
import gc
from http import HTTPStatus
from itertools import pairwise
import logging
import os
from pathlib import Path
from random import Random
import sqlite3
from statistics import linear_regression
import sys
import tempfile
import time
from typing import Any, Final, override
from unittest.mock import patch

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.webhook import async_generate_path
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import storage
from homeassistant.helpers.recorder import get_instance
from homeassistant.util.file import write_utf8_file_atomic
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.chargers.tessie import TessieCharger
from custom_components.amp_sensor.const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_VOLTAGE,
    DOMAIN,
    SUBENTRY_CHARGER,
)

from .car import Car
from .home_assistant import DATABASE
from .house import DAY_S, VOLTS, House, load
from .plant import NORMAL, Sensor
from .recorder import BEGIN, BUDGET_A, SEED, WEBHOOK_ID, home_assistant
from .tessie_server import TessieServer
from .virtual_time import VirtualTime

HOUSE: Final = Path(__file__).parent / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
HOUR_S: Final = 3600
SYNC_S: Final = 300
"""How often the recorder, a thread, is waited for."""
STEP_S: Final = 10
"""How often the sensor posts, and by how much Home Assistant's clock moves at once; the world goes second by second."""
VIN: Final = "5YJ3E1EA7KF000316"
CAR_MAX_A: Final = 16
SOC: Final = 60.0
LEAVES_H: Final = 7.7
RETURNS_H: Final = 17.4
SPREAD_H: Final = 0.5
"""Somebody who goes to work, and how much earlier or later."""
USES_KWH: Final = (10.0, 30.0)
"""On such a day, 60 to 180 km: the battery is full again on some mornings, and not on others."""
ENERGY: Final = "sensor.home_energy"
CAR_ENERGY: Final = "sensor.car_energy"
KEEP_DAYS: Final = 1
"""For how long the recorder keeps states: the least that it takes, so that a week shows whether the database grows."""
OFF: Final = 0.001
"""How far energies may be apart, as a fraction."""
DAY_H: Final = 24
SETTLED: Final = 2
"""Days after which everything has been there once: a car that left and came back, a night, and a purge."""
GROWTH: Final = 0.01
"""How much anything may grow within the days after, as a fraction of what it was on the day before them."""
CACHED: Final = 0.05
"""The same of what grows without being lost: SQLite keeps up to 16 MB of its file in the process's memory, and the
hourly statistics, which the recorder keeps for ever, are a row per hour and entity."""
RESTLESS: Final = 0.25
"""The same of what follows how much happens in the house, which is not the same each day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was there at the end of an hour."""

    resident: int
    """Memory of the process, bytes."""
    blocks: int
    """Of Python's own memory, after what nobody needs any more was looked for."""
    tasks: int
    timers: int
    listeners: int
    handles: int
    database: int
    """Size of the file and its log, bytes."""
    rows: int
    """States written so far."""


@dataclass(kw_only=True)
class Found:
    """What a run came to."""

    looks: list[Look] = field(default_factory=list)
    true_kwh: float = 0.0
    """Up to the moment at which the meter's energy was shown last."""
    shown_kwh: float = 0.0
    recorded_true_kwh: float = 0.0
    """The same up to the last of its states in the last whole hour."""
    recorded_kwh: float = 0.0
    """The recorder's own sum for that hour."""
    commands: Counter[str] = field(default_factory=Counter)
    away: int = 0
    asleep: int = 0
    """Commands to a car that was away or asleep."""
    visits: int = 0
    """How often the car came home."""
    charged_kwh: float = 0.0
    """What the car drew, and what is shown of that."""
    car_kwh: float = 0.0
    writes: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    """How often each file was written, and how many bytes in all."""
    logged: list[str] = field(default_factory=list)
    """Warnings and worse."""
    took_s: float = 0.0


class _Log(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


class Week(VirtualTime):
    """The world around a site."""

    def __init__(self, hass: HomeAssistant, recorder: Recorder, clock: FrozenDateTimeFactory, house: House) -> None:
        """Take a Home Assistant without a site, and what the house draws."""
        super().__init__()
        self._hass = hass
        self._recorder = recorder
        self._clock = clock
        self._amps: list[float] = house.peak.tolist()
        self._total = 0.0
        """What flows now, A."""
        self._second = 0
        self._began = time.time()
        self._car = Car(rng=Random(SEED), max_amps=CAR_MAX_A, soc=SOC)
        self._server = TessieServer(rng=Random(SEED), clock=lambda: self._began + self._second, latency_scale=0.0)
        self._sensor = Sensor(replace(NORMAL, post_s=STEP_S), report_delta=0.0, seed=SEED)
        self._plan = _plan(house)
        self._post: Callable[..., Any] | None = None
        self._true_kwh = self._posted_kwh = 0.0
        """What has truly flowed, and what of it until the last post: what a meter can know."""
        self._shown = ""
        self._true_kwh_at: dict[int, float] = {}
        """What the latter was when energy was shown, by second."""
        self.found = Found()

    async def run(self, look: Callable[[int, Look], None]) -> None:
        """Live for as long as there is something recorded; `look` is told each hour."""
        await self._server.start()
        self._server.add_car(VIN, self._car)
        entry = self._entry()
        entry.add_to_hass(self._hass)
        defaults: dict[str, Any] = TessieCharger.__init__.__kwdefaults__  # type: ignore[assignment]
        with patch.dict(defaults, clock=time.time):  # its own was not frozen
            if not await self.wait_for(self._hass.config_entries.async_setup(entry.entry_id)):
                raise RuntimeError("the site was not set up")
        assert self._hass.http is not None  # noqa: S101 -- the webhook needs it
        async with TestServer(self._hass.http.app) as server, ClientSession() as session:
            self._post = partial(session.post, server.make_url(async_generate_path(WEBHOOK_ID)))
            await self._live(look)
            self._post = None
        gc.unfreeze()
        await self.wait_for(self._hass.config_entries.async_unload(entry.entry_id))
        await self.wait_for(self._server.stop())

    async def _live(self, look: Callable[[int, Look], None]) -> None:
        gc.collect()
        gc.freeze()  # what is there now stays, and need not be looked through each hour
        while self._second < len(self._amps) or self._second % HOUR_S:  # the last value is held to the hour's end
            await self.tick()
            if self._second % HOUR_S == 0:
                self.found.looks.append(self._look())
                look(self._second // HOUR_S, self.found.looks[-1])
        found, counters = self.found, self._server.counters
        found.shown_kwh, found.true_kwh = float(self._shown), self.true_kwh_shown(until_s=self._second)
        found.car_kwh = float(self._hass.states.get(CAR_ENERGY).state)  # type: ignore[union-attr]  # it is always there
        found.away, found.asleep = counters.commands_away, counters.commands_asleep
        found.commands.update(each.action for each in counters.received)

    def true_kwh_shown(self, *, until_s: float) -> float:
        """Return what had truly flowed when energy was shown for the last time until then."""
        return next(kwh for second, kwh in reversed(self._true_kwh_at.items()) if second <= until_s)

    def _entry(self) -> MockConfigEntry:
        latitude, longitude = self._server.home
        car: dict[str, Any] = {
            CONF_TESSIE_TOKEN: self._server.token,
            CONF_TESSIE_URL: self._server.url,
            CONF_CAR_VIN: VIN,
            CONF_MAX_AMPS_CAR: CAR_MAX_A,
            CONF_CHARGER_LOCATION: {"latitude": latitude, "longitude": longitude, "radius": 100.0},
        }
        return MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            data={
                CONF_MAX_AMPS: BUDGET_A,
                CONF_VOLTAGE: int(VOLTS),
                CONF_LOCAL_ONLY: False,
                CONF_WEBHOOK_ID: WEBHOOK_ID,
            },
            subentries_data=[ConfigSubentryData(data=car, subentry_type=SUBENTRY_CHARGER, title="Car", unique_id=VIN)],
        )

    @override
    async def tick(self) -> None:
        """Let a step pass for everybody."""
        for _ in range(STEP_S):
            self._pass_second()
        self._clock.tick(STEP_S)
        self._monotonic += STEP_S
        await self.settle()
        self._note_energy()
        if self._post is not None and (reading := self._sensor.sample(self._second, (self._total,))) is not None:
            await self._tell({"amps": reading.amps[0], "watts": reading.watts})
            self._note_energy()  # shown with a reading, but from before it
            self._posted_kwh = self._true_kwh
        if self._second % SYNC_S == 0:
            await self._recorder.async_block_till_done()

    def _pass_second(self) -> None:
        """Let a second pass for house, car and cloud."""
        house = self._amps[min(self._second, len(self._amps) - 1)]
        self._second += 1
        self._server.advance()
        if (deed := self._plan.get(self._second)) is not None:
            deed(self._car)
            self.found.visits += self._car.at_home
        self._total = house + self._car.amps
        if self._post is not None:
            self._true_kwh += self._total * VOLTS / HOUR_S / 1000
            self.found.charged_kwh += self._car.power_w / HOUR_S / 1000

    def _note_energy(self) -> None:
        state = self._hass.states.get(ENERGY)
        if state is not None and state.state != self._shown:
            self._shown = state.state
            self._true_kwh_at[self._second] = self._posted_kwh

    async def _tell(self, body: Mapping[str, float | None]) -> None:
        """Post what the meter says, and let it be dealt with."""
        task = asyncio.ensure_future(self._async_post(body))
        await self.settle()
        if (status := task.result()) != HTTPStatus.OK:
            self.found.logged.append(f"ERROR a post was answered with {status}")

    async def _async_post(self, body: Mapping[str, float | None]) -> int:
        assert self._post is not None  # noqa: S101 -- else nobody posts
        async with self._post(json=body) as response:
            status: int = response.status
            return status

    def _look(self) -> Look:
        gc.collect()
        loop = asyncio.get_running_loop()
        database = Path(self._hass.config.path(DATABASE))
        with closing(sqlite3.connect(database)) as connection:
            (rows,) = connection.execute("SELECT MAX(state_id) FROM states").fetchone()
        return Look(
            resident=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            blocks=sys.getallocatedblocks(),
            tasks=len(asyncio.all_tasks()),
            timers=len([each for each in loop._scheduled if not each.cancelled()]),  # type: ignore[attr-defined]  # noqa: SLF001
            listeners=sum(self._hass.bus.async_listeners().values()),
            handles=len(list(Path("/proc/self/fd").iterdir())),
            database=sum(path.stat().st_size for path in database.parent.glob(f"{DATABASE}*")),
            rows=rows or 0,
        )


def _plan(house: House) -> dict[int, Callable[[Car], None]]:
    """Return what the car's owner does, and at which second: off in the morning, back in the evening, each day."""
    luck = Random(SEED)
    plan: dict[int, Callable[[Car], None]] = {}

    def come(used_kwh: float) -> Callable[[Car], None]:
        def deed(car: Car) -> None:
            car.park(at_home=True, used_kwh=used_kwh)
            car.plug()

        return deed

    for midnight_s in range(-house.start_s, house.seconds, DAY_S):
        leaves_s, returns_s = (
            midnight_s + round((hour + luck.uniform(-SPREAD_H, SPREAD_H)) * HOUR_S) for hour in (LEAVES_H, RETURNS_H)
        )
        plan |= {leaves_s: Car.drive_away, returns_s: come(luck.uniform(*USES_KWH))}
    return plan


@contextmanager
def _counting(found: Found) -> Generator[None]:
    """Count what is written of our own files."""

    def counted(path: str, data: bytes | str, *args: Any, **more: Any) -> None:
        if (name := Path(path).name).startswith(DOMAIN):
            kind = "what was learned of the house" if name.endswith(".control") else "energy and settings"
            found.writes[kind] += 1
            found.written[kind] += len(data)
        write_utf8_file_atomic(path, data, *args, **more)

    with patch.object(storage, "write_utf8_file_atomic", counted):
        yield


async def live(house: House, folder: Path, look: Callable[[int, Look], None] = lambda _hour, _look: None) -> Found:
    """Let a site live in a folder for as long as a house was recorded. Whole hours, two at least."""
    began = time.monotonic()
    (folder / "custom_components").symlink_to(Path(__file__).parent.parent / "custom_components")
    freezer = freeze_time(BEGIN)
    clock = freezer.start()
    assert isinstance(clock, FrozenDateTimeFactory)  # noqa: S101 -- it ticks only when it is told to
    async with home_assistant(folder, keep_days=KEEP_DAYS) as hass:
        try:
            await hass.config.async_set_time_zone("UTC")
            week = Week(hass, get_instance(hass), clock, house)
            logging.getLogger().addHandler(log := _Log(week.found.logged))
            with week.virtual_time(), _counting(week.found):
                await week.run(look)
        finally:
            freezer.stop()  # Home Assistant's end waits for timeouts of a clock that runs
    logging.getLogger().removeHandler(log)
    found = week.found
    query = (
        "SELECT start_ts, sum FROM statistics JOIN statistics_meta m ON m.id = metadata_id "
        "WHERE m.statistic_id = ? ORDER BY start_ts DESC LIMIT 1"
    )
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        start, found.recorded_kwh = database.execute(query, (ENERGY,)).fetchone()
    end_s = start + HOUR_S - BEGIN.timestamp()
    found.recorded_true_kwh = week.true_kwh_shown(until_s=end_s)
    found.took_s = time.monotonic() - began
    return found


@dataclass(frozen=True, kw_only=True)
class Daily:
    """One of the things that are looked at, day by day."""

    name: str
    days: list[float]
    allowed: float = GROWTH

    @property
    def growth(self) -> float | None:
        """How much it rises in the days after `SETTLED`, by a straight line; None where they are too few to tell."""
        rest = self.days[SETTLED:]
        return linear_regression(range(len(rest)), rest).slope * len(rest) if len(rest) > 1 else None

    @property
    def is_flat(self) -> bool:
        """Whether that is next to nothing."""
        return self.growth is None or self.growth <= self.allowed * self.days[SETTLED - 1]


def dailies(looks: Sequence[Look]) -> list[Daily]:
    """Sum up each whole day of looks.

    It is the lowest of the day that counts: what comes and goes is missing at one of them, and what stays is not. The
    file of the database never gets smaller, so there it is the highest.
    """
    days = [looks[first : first + DAY_H] for first in range(0, len(looks) - DAY_H + 1, DAY_H)]
    rows = [0, *(day[-1].rows for day in days)]
    low = {name: [float(min(getattr(look, name) for look in day)) for day in days] for name in Look.__slots__}
    return [
        Daily(name="memory of the process, MB", days=[each / 1e6 for each in low["resident"]], allowed=CACHED),
        Daily(name="memory of Python, thousand blocks", days=[each / 1e3 for each in low["blocks"]]),
        *(Daily(name=name, days=low[name]) for name in ("tasks", "timers", "listeners")),
        Daily(name="open files and sockets", days=low["handles"]),
        Daily(
            name="database, MB (highest)",
            days=[max(look.database for look in day) / 1e6 for day in days],
            allowed=CACHED,
        ),
        Daily(
            name="new states, thousand", days=[(last - first) / 1e3 for first, last in pairwise(rows)], allowed=RESTLESS
        ),
    ]


def wrong(found: Found) -> list[str]:
    """Return what must not be."""
    told = [f"{each.name}: rises by {each.growth:.3g}" for each in dailies(found.looks) if not each.is_flat]
    for name, kwh, true_kwh in (
        ("the meter's energy", found.shown_kwh, found.true_kwh),
        ("the recorder's statistics", found.recorded_kwh, found.recorded_true_kwh),
    ):
        if abs(kwh / true_kwh - 1) > OFF:
            told.append(f"{name}: off by {kwh / true_kwh - 1:.2%}")
    if found.away or found.asleep:
        told.append(f"{found.away} commands to a car that is away, {found.asleep} to one that is asleep")
    return told + [text for text in dict.fromkeys(found.logged) if DOMAIN in text or not text.startswith("WARNING")]


def report(found: Found) -> str:
    """Say it for a person."""
    hours = len(found.looks)
    told = dailies(found.looks)
    days = range(1, len(told[0].days) + 1)
    header = ["lowest of each day", *(f"day {day}" for day in days), f"from day {SETTLED + 1} on"]
    lines = ["| " + " | ".join(row) + " |" for row in (header, ["---", *("--:" for _ in header[1:])])]
    for each in told:
        growth = "–" if each.growth is None else f"{each.growth:+.3g} ({each.growth / each.days[SETTLED - 1]:+.2%})"
        lines.append("| " + " | ".join([each.name, *(f"{value:,.5g}" for value in each.days), growth]) + " |")
    commands = ", ".join(f"{count} × {name}" for name, count in sorted(found.commands.items()))
    lines += [
        "",
        f"{hours} h in {found.took_s / 60:.0f} min; the car came home {found.visits} times, and was told: {commands}",
        f"  commands to a car that is away: {found.away}, asleep: {found.asleep}",
        f"  the meter's energy               {_energy(found.shown_kwh, found.true_kwh)}",
        f"  the recorder's statistics        {_energy(found.recorded_kwh, found.recorded_true_kwh)}",
        f"  the car's energy, by its reports {_energy(found.car_kwh, found.charged_kwh)}",
    ]
    lines += [
        f"  {kind} written {count / hours:.1f} times an hour: {found.written[kind] / hours:,.0f} bytes"
        for kind, count in found.writes.items()
    ]
    lines += [f"  {count} × {text}" for text, count in Counter(found.logged).items()]
    return "\n".join(lines)


def _energy(kwh: float, true_kwh: float) -> str:
    return f"{kwh:.3f} kWh of {true_kwh:.3f} that truly flowed, off by {kwh / true_kwh - 1:+.4%}"


def main() -> int:
    """Run it; 0 where everything stays as it is, and energies agree."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--days",
        type=float,
        default=7.0,
        metavar="N",
        help="of the recording's seven, whole hours, two at least; from four on it tells what grows. Default: 7",
    )
    options = parser.parse_args()
    logging.getLogger("homeassistant").setLevel(logging.WARNING)

    def look(hour: int, seen: Look) -> None:
        print(
            f"\r{hour} h: {', '.join(f'{value} {name}' for name, value in asdict(seen).items())}",
            end="",
            file=sys.stderr,
        )
        sys.stderr.flush()

    with tempfile.TemporaryDirectory(prefix="amp-sensor-soak-") as folder:
        found = asyncio.run(live(load(HOUSE).window(hours=options.days * 24), Path(folder), look))
    print("\r" + report(found))
    for text in (failures := wrong(found)):
        print(f"WRONG: {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
