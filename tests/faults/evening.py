"""A real evening at a site, second by second: the whole integration, over HTTP both ways, and one fault in its midst.

Time is virtual. The event loop's own clock is moved a second at a time, and within one everything is dealt with that
does not wait for it: patience, retries and the cloud's latency all pass on that clock. The clock on the wall is another
one, which may be set; and that of the world, by which the house draws and the cloud lives, is a third.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
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
from simulation.plant import NORMAL, Sensor
from simulation.tessie_server import TessieServer
from simulation.virtual_time import VirtualTime
from tests.conftest import VIN, WEBHOOK_ID
from tests.faults.box import Box
from tests.faults.judge import Judge, Judged, Row

TRACE: Final = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
KNOWN_S: Final = 30.0
"""After what the cloud shows is known here, s: it is asked every 20 s, and may take 8 s to answer."""


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
class Fault(Judged):
    """Something that goes wrong for a while."""

    begin: Deed = nothing
    end: Deed = nothing
    meter: Callable[[], Meter] | None = None
    phases: int = 1
    clock: str = "2026-11-20 18:12:00+00:00"
    """What it is on the wall when the evening begins."""
    box: bool = False
    """Whether the car hangs on a charger of entities, rather than on Tessie."""


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
        self._left_at = self._shown_at = 0
        self.is_dark = False
        """Whether Home Assistant does not run."""
        self._judge: Judge

    @property
    def row(self) -> Row:
        """Return what comes of it."""
        return self._judge.row

    @property
    def drawn(self) -> list[float]:
        """Return what the car drew, second by second, A."""
        return self._judge.drawn

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
        self._judge = Judge(fault, phases=fault.phases)
        self.fault, self.hours = fault, hours
        house = hours.house(fault.phases)
        self._house = list(zip(*house.phases.tolist(), strict=True))
        if fault.phases > 1:
            self.car = Car.endless(rng=Random(1), phases=fault.phases)
        self.server.add_car(VIN, self.car)
        self.box = Box(self.hass, self.car) if fault.box else None
        self._sensor = Sensor(NORMAL, report_delta=1.0, seed=1)
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
        helpless = self.is_faulty and (
            self.fault.deaf or self.second < self.hours.begin + self.fault.blind_s or self.is_dark
        )
        self._judge.tick(self.second, self._house[self.second], self.car.amps, helpless=helpless)

    def _count_away(self) -> None:
        if self.car.at_home:
            self._left_at = self.second
        if self.server.shown(VIN)["charge_state"]["conn_charge_cable"] == "IEC":
            self._shown_at = self.second
        commands = self.server.counters.commands_away
        if commands > self.row.away + len(self.row.unknown_at):
            left_s = self.second - self._left_at
            if self.second - self._shown_at > KNOWN_S:
                self.row.away += 1
                self.row.away_at.append(left_s)
            else:
                self.row.unknown_at.append(left_s)

    def _due(self) -> dict[str, Any] | None:
        reading = self._sensor.sample(self.second, self._totals)
        if reading is None:
            return None
        if len(reading.amps) == 1:
            return {"amps": reading.amps[0], "watts": reading.watts}
        return {"phases": [{"amps": amps} for amps in reading.amps]}

    def _look(self) -> None:
        """Note what people are told from now on."""

        @callback
        def repair(event: Event[Any]) -> None:
            issue = ir.async_get(self.hass).async_get_issue(event.data["domain"], event.data["issue_id"])
            if issue is not None and issue.domain in (DOMAIN, "homeassistant") and issue.active:
                self.row.tell(f"{issue.translation_key}")

        shown: dict[str, Any] = {"reason": None, "at": 0}
        seconds = self.row.reasons

        @callback
        def state(event: Event[EventStateChangedData]) -> None:
            new = event.data["new_state"]
            if event.data["entity_id"] == "binary_sensor.casa_connected" and new is not None and new.state == "off":
                self.row.tell("connected off")
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
