"""A real evening at a site, second by second: the whole integration, over HTTP both ways, and one fault in its midst.

Time is virtual. The event loop's own clock is moved a second at a time, and within one everything is dealt with that
does not wait for it: patience, retries and the cloud's latency all pass on that clock. The clock on the wall is another
one, which may be set; and that of the world, by which the house draws and the cloud lives, is a third.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
import sqlite3
import time
from typing import Any, Final, override

from aiohttp import ClientError
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.webhook import async_generate_path
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
import numpy as np
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.site.coordinator import SiteCoordinator
from simulation.car import Car
from simulation.house import House, load
from simulation.plant import NORMAL, Breaker, Sensor
from simulation.replay import Watch
from simulation.tessie_server import TessieServer
from simulation.virtual_time import VirtualTime
from tests.conftest import VIN, WEBHOOK_ID
from tests.faults.box import Box

TRACE: Final = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
BUDGET_A: Final = 25.0
REPEATED_S: Final = 60.0
"""How often a command is repeated that does not get through: nobody can know when the cloud is back."""
LOWERED_S: Final = 20.0
"""Within what a car can be lowered: a reading after 5 s, a command of 8 s, a car that takes 3 s, and falls."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A part of the recording, and the fault's part of that, s."""

    start_h: float
    seconds: int
    begin: int
    end: int

    def house(self, phases: int) -> House:
        """Return what was drawn; other phases are the same hours of other days."""
        whole = load(TRACE)
        days = [whole.window(start_h=self.start_h + 24 * day, hours=self.seconds / 3600) for day in range(phases)]
        return House(name=whole.name, start_s=0, phases=np.concatenate([day.phases for day in days]))


LONG: Final = Hours(start_h=19.4, seconds=1800, begin=120, end=600)
"""The house rises from 9 to 21 A while the fault lasts, to 25 A three minutes later, and draws 14 A from then on."""
SHORT: Final = Hours(start_h=19.4, seconds=1200, begin=120, end=600)

type Bodies = Iterable[dict[str, Any]]
type Meter = Callable[[int, dict[str, Any] | None], Bodies]
"""What is posted at a second, of what should be: that is due every few seconds, and None in between."""
type Deed = Callable[[Evening], Awaitable[None]]


async def nothing(_: Evening) -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong for a while."""

    name: str
    begin: Deed = nothing
    end: Deed = nothing
    meter: Callable[[], Meter] | None = None
    deaf: bool = False
    """Whether no command can arrive meanwhile."""
    blind_s: float = 0.0
    """For how long of it nobody could know what flows."""
    lasts: bool = False
    """Whether what it brings about stays, because somebody wants it so: nothing is to resume."""
    twin: str = "nothing wrong"
    """The evening that it is held against."""
    phases: int = 1
    clock: str = "2026-11-20 18:12:00+00:00"
    """What it is on the wall when the evening begins."""
    box: bool = False
    """Whether the car hangs on a charger of entities, rather than on Tessie."""


@dataclass(kw_only=True)
class Row:
    """What came of an evening."""

    name: str
    over_s: int = 0
    longest_s: int = 0
    trips: int = 0
    avoidable: int = 0
    """Of these trips."""
    ended: int = 0
    """When the fault was over, s."""
    away: int = 0
    """Commands to a car that was away."""
    away_at: list[int] = field(default_factory=list)
    """When, s after it left."""
    asleep: int = 0
    told: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    """For how long each was shown in the fault, s."""
    errors: list[str] = field(default_factory=list)


class Evening(VirtualTime):
    """The world around a site."""

    def __init__(
        self,
        hass: HomeAssistant,
        freezer: FrozenDateTimeFactory,
        entry: MockConfigEntry,
        storage: dict[str, Any],
        connect: ClientSessionGenerator,
    ) -> None:
        """Take a Home Assistant whose site is not yet set up, what is on its disk, and how one connects to it."""
        super().__init__()
        self.hass = hass
        self.entry = entry
        self.storage = storage
        self.freezer = freezer
        self.second = 0
        self._began = time.time()
        self.car = Car.endless(rng=Random(1))
        self.server = TessieServer(rng=Random(2), clock=lambda: self._began + self.second, token="token-of-the-tests")
        self._connect = connect
        self.client: TestClient[Any, Any]
        self.box: Box | None = None
        self.lock: sqlite3.Connection | None = None
        """What holds the recorder's database."""
        self.meter: Meter | None = None
        self._left_at = 0
        self.is_dark = False
        """Whether Home Assistant does not run."""
        self.row = Row(name="")
        self.drawn: list[float] = []
        """What the car drew, second by second, A."""

    @property
    def coordinator(self) -> SiteCoordinator:
        """Return the site."""
        coordinator: SiteCoordinator = self.entry.runtime_data
        return coordinator

    # Time

    def set_clock(self, seconds: float) -> None:
        """Set the clock on the wall."""
        self.freezer.tick(seconds)

    @override
    async def tick(self, *, suspended: bool = False) -> None:
        """Let a second pass for everybody, but for Home Assistant where its machine is suspended."""
        self.second += 1
        self.freezer.tick(1)
        if not suspended:
            self._monotonic += 1
            await self.settle()
        self.server.advance()
        self._count_away()
        if self.box and not suspended:
            self.box.tick(self.second)
        self._measure()
        body = self._due()
        if not suspended:
            bodies = [body] if body else []
            for each in self.meter(self.second, body) if self.meter else bodies:
                await self.post(each)

    async def post(self, body: dict[str, Any]) -> None:
        """Post what a meter says, and let it be dealt with."""
        if self.is_dark:
            return
        task = asyncio.ensure_future(self._post(body))
        await self.settle()
        assert task.done(), "no answer to a post within the second"
        task.result()

    async def _post(self, body: dict[str, Any]) -> None:
        try:
            async with self.client.post(async_generate_path(WEBHOOK_ID), json=body) as response:
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    self.row.errors.append(f"{response.status} for a post")
        except ClientError as error:
            self.row.errors.append(type(error).__name__)

    # What happens

    async def run(self, fault: Fault, hours: Hours) -> Row:
        """Let an evening pass."""
        self.row = Row(name=fault.name)
        self.fault, self.hours = fault, hours
        house = hours.house(fault.phases)
        self._house = list(zip(*house.phases.tolist(), strict=True))
        if fault.phases > 1:
            self.car = Car.endless(rng=Random(1), phases=fault.phases)
        self.server.add_car(VIN, self.car)
        self.box = Box(self.hass, self.car) if fault.box else None
        self._sensor = Sensor(NORMAL, report_delta=1.0, seed=1)
        self._watch = Watch(BUDGET_A, fault.phases)
        self._ideals = [Breaker(BUDGET_A) for _ in range(fault.phases)]
        self._reals = [Breaker(BUDGET_A) for _ in range(fault.phases)]
        self._over_s = [0.0] * fault.phases
        self._totals = self._house[0]
        self._look()
        assert await self.wait_for(self.hass.config_entries.async_setup(self.entry.entry_id))
        self.client = await self._connect()
        while self.second < hours.begin:
            await self.tick()
        await fault.begin(self)
        if fault.meter:
            self.meter = fault.meter()
        while self.second < hours.end:
            await self.tick()
        await fault.end(self)
        self.meter = None
        ended = self.second
        while self.second < hours.seconds - 1:
            await self.tick()
        row = self.row
        row.over_s, row.longest_s, row.trips = self._watch.over_s, self._watch.longest_s, self._watch.trips
        row.asleep = self.server.counters.commands_asleep
        row.ended = ended
        assert await self.wait_for(self.hass.config_entries.async_unload(self.entry.entry_id))
        return row

    @property
    def is_faulty(self) -> bool:
        """Whether the fault is there now."""
        return self.hours.begin <= self.second < self.hours.end

    def _measure(self) -> None:
        if self.second >= len(self._house):
            return
        self._totals = tuple(amps + self.car.amps for amps in self._house[self.second])
        self._watch.tick(self.second, self._totals, [self.car.amps] * len(self._totals))
        self.drawn.append(self.car.amps)
        # What is called avoidable: that it would not have opened if the car had been gone as soon as it can be
        helpless = self.is_faulty and (
            self.fault.deaf or self.second < self.hours.begin + self.fault.blind_s or self.is_dark
        )
        for phase, total in enumerate(self._totals):
            over = total > BUDGET_A * Breaker.HOLDS
            if not over:
                self._over_s[phase] = 0.0
            elif helpless:
                self._over_s[phase] = -REPEATED_S if self.fault.deaf else 0.0
            else:
                self._over_s[phase] += 1
            late = self._over_s[phase] > LOWERED_S
            held = not self._ideals[phase].tick(total - self.car.amps if late else total)
            if self._reals[phase].tick(total) and self.car.amps > 0 and held:
                self.row.avoidable += 1

    def _count_away(self) -> None:
        if self.car.at_home:
            self._left_at = self.second
        if self.server.counters.commands_away > self.row.away:
            self.row.away = self.server.counters.commands_away
            self.row.away_at.append(self.second - self._left_at)

    def _due(self) -> dict[str, Any] | None:
        reading = self._sensor.sample(self.second, self._totals)
        if reading is None:
            return None
        if len(reading.amps) == 1:
            return {"amps": reading.amps[0], "watts": reading.watts}
        return {"phases": [{"amps": amps} for amps in reading.amps]}

    def _look(self) -> None:
        """Note what people are told from now on."""
        told = self.row.told

        def note(text: str) -> None:
            if text not in told:
                told.append(text)

        @callback
        def repair(event: Event[Any]) -> None:
            issue = ir.async_get(self.hass).async_get_issue(event.data["domain"], event.data["issue_id"])
            if issue is not None and issue.domain in (DOMAIN, "homeassistant") and issue.active:
                note(f"{issue.translation_key}")

        shown: dict[str, Any] = {"reason": None, "at": 0}
        seconds = self.row.reasons

        @callback
        def state(event: Event[EventStateChangedData]) -> None:
            new = event.data["new_state"]
            if event.data["entity_id"] == "binary_sensor.casa_connected" and new is not None and new.state == "off":
                note("connected off")
            if event.data["entity_id"] == "sensor.rocinante_reason":
                if shown["reason"]:
                    seconds[shown["reason"]] = seconds.get(shown["reason"], 0) + self.second - shown["at"]
                shown.update(reason=None if new is None else new.state, at=self.second)

        self.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, repair)
        self.hass.bus.async_listen("state_changed", state)

    async def kill(self, *, away_s: int) -> None:
        """End Home Assistant's process at once, and begin again after a while with what was on the disk."""
        kept = deepcopy(self.storage)
        coordinator = self.coordinator
        coordinator._task.cancel()
        for task in list(coordinator._children):
            task.cancel()
        await self.settle()
        await self._begin_again(kept, away_s)

    async def restart(self, *, away_s: int) -> None:
        """End Home Assistant properly, and begin again after a while."""
        await self.wait_for(self.hass.config_entries.async_unload(self.entry.entry_id))
        await self._begin_again(deepcopy(self.storage), away_s, is_unloaded=True)

    async def _begin_again(self, kept: dict[str, Any], away_s: int, *, is_unloaded: bool = False) -> None:
        self.is_dark = True
        if not is_unloaded:
            await self.wait_for(self.hass.config_entries.async_unload(self.entry.entry_id))
        for _ in range(away_s):
            await self.tick()
        for key in [key for key in self.storage if key.startswith(DOMAIN)]:
            del self.storage[key]
        self.storage.update({key: value for key, value in kept.items() if key.startswith(DOMAIN)})
        self.is_dark = False
        await self.wait_for(self.hass.config_entries.async_setup(self.entry.entry_id))

    async def reload(self) -> None:
        """Load the site again."""
        await self.wait_for(self.hass.config_entries.async_reload(self.entry.entry_id))
