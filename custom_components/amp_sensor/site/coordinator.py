"""Where the readings, the controller and the chargers of one site meet."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..chargers.charger import Charger, ChargerError
from ..const import (
    CONF_CONNECTED_TIMEOUT,
    CONF_DEAD_BAND,
    CONF_KIND,
    CONF_MAX_AMPS,
    CONF_PROTECTION,
    CONF_PUBLISH_INTERVAL,
    CONF_RATING,
    CONF_SUPPLY,
    CONF_TIME,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    DEFAULT_CONNECTED_TIMEOUT_S,
    DEFAULT_DEAD_BAND_A,
    DEFAULT_PUBLISH_INTERVAL_S,
    SUBENTRY_CHARGER,
    SUBENTRY_PRICES,
)
from ..control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargeWith,
    Controller,
    Decision,
    LoadAction,
    LoadSettings,
    Mode,
    Outcome,
    Protection,
    ProtectionKind,
    Reading,
    Reason,
    SiteSettings,
    Supply,
)
from ..control.meter import BRIDGED_GAP_S, Counter
from ..loads.load import Load
from ..meters.posts import PostLog, Sender
from ..notices.announcer import Announcer
from ..notices.deeds import Deeds
from .data import SiteData
from .errands import STOP_TIMEOUT_S, Errands
from .events import (
    Acknowledged,
    ChargerSet,
    Configured,
    ControlEnded,
    GoalSet,
    LoadAnswered,
    LoadSwitched,
    PollFailed,
    PricesKnown,
    ReadingArrived,
    RehearsalAsked,
    RehearsalLeft,
    Reported,
    SiteEvent,
    Ticked,
)
from .goal import Goal
from .keeper import Keeper
from .limiting import Limiting
from .link import Link
from .loading import Loading
from .mending import Mending, controls
from .parts import Parts
from .planning import Planner
from .prices import Prices
from .rehearsing import Rehearsing
from .shown import Moment, ShownMoment
from .store import CounterMemory, SiteMemory
from .surplus import SiteSurplus
from .today import Today

_LOGGER = logging.getLogger(__name__)

TICK: Final = timedelta(seconds=1)
"""How often the controller decides where no reading arrives: it acts on seconds of silence."""
SHOW_S: Final = 300.0
"""How often energy that was saved is shown: as often as the recorder makes statistics of it."""
SHOW_LEAD_S: Final = 10.0
"""How long before the end of each of its five minutes: two posts of the project's firmware, to be shown in time."""
RELEASE_S: Final = 120.0
"""For how long a car whose control was switched off is still given back: a start shows within 40 s, and its report
comes up to a minute later. Whatever happens after that would surprise who switched it off."""
DECISIONS_KEPT: Final = 100
"""What diagnostics show of the past: some hours of a calm house, a quarter of an hour of a restless one."""

type AmpSensorConfigEntry = ConfigEntry[SiteCoordinator]


class SiteCoordinator(DataUpdateCoordinator[SiteData]):
    """Runs one site: one task takes what happens in the order in which it happened, and alone talks to the controller.

    A charger's answer may take most of a minute: polls and commands are tasks of their own, and their ends are events
    like any other. The controller sees to it that a charger has one command in flight at most, but for a cut that is
    sent once more because it cannot wait for an answer.
    """

    config_entry: AmpSensorConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AmpSensorConfigEntry,
        chargers: Mapping[str, Charger],
        loads: Mapping[str, Load],
        *,
        device_id: str,
    ) -> None:
        """Take the chargers and the loads by the id of their subentry, and the id of the site's device."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=f"Amp Sensor {entry.title}")
        self.device_id = device_id
        self._chargers = chargers
        self._loads = loads
        self._configured_max_amps: float = entry.data[CONF_MAX_AMPS]
        self._nominal_volts: float = entry.data[CONF_VOLTAGE]
        self._timeout_s: float = entry.options.get(CONF_CONNECTED_TIMEOUT, DEFAULT_CONNECTED_TIMEOUT_S)
        self._publish_interval_s: float = entry.options.get(CONF_PUBLISH_INTERVAL, DEFAULT_PUBLISH_INTERVAL_S)
        self._events: asyncio.Queue[SiteEvent] = asyncio.Queue()
        self._children: set[asyncio.Task[Any]] = set()
        self._watchers: set[CALLBACK_TYPE] = set()
        self._read_at: datetime | None = None
        self._parts = Parts(self.name)
        self._keeper = Keeper(hass, entry.entry_id, self._parts)
        self._is_ending = False
        self.goes_on = False
        """Whether it ends only because something was added or changed."""
        self._made_of = {entry.entry_id: dict(entry.data)} | {
            subentry.subentry_id: dict(subentry.data)
            for subentry in entry.subentries.values()
            if subentry.subentry_type in (SUBENTRY_CHARGER, SUBENTRY_PRICES)
        }
        """What makes it another site when it changes."""
        self._is_heard = True
        self._announcer = Announcer(hass)
        self._deeds = Deeds()
        self._moment: Moment | None = None
        self._shown_moment = ShownMoment(
            dead_band_amps=entry.options.get(CONF_DEAD_BAND, DEFAULT_DEAD_BAND_A), interval_s=self._publish_interval_s
        )
        self._today = Today(day=dt_util.now().date())
        self.posts = PostLog()
        self.decisions: deque[tuple[datetime, Decision]] = deque(maxlen=DECISIONS_KEPT)
        """What was decided last, and when; one that says the same again is left out."""
        self._releasing: dict[str, float] = {}
        """Chargers that are being given back, and until when, s."""
        self._rehearsing: Rehearsing | None = None
        """The rehearsal that somebody waits for."""

    @staticmethod
    def now() -> float:
        """Return the time of everything that is decided here: seconds on a clock that nobody sets."""
        return time.monotonic()

    # Beginning and end

    async def async_start(self, lost: Collection[str] = (), before: SiteCoordinator | None = None) -> None:
        """Go on where the site stopped: with its settings and energy, and with whatever its chargers are doing.

        `lost` is what else could not be read of what is kept; `before` is what ran it until a moment ago, whose
        knowledge is taken over.
        """
        if before is not None and not self._is_like(before):
            before = None
        entry = self.config_entry
        now = self.now()
        memory = await self._keeper.async_load(lost)
        supply = entry.data.get(CONF_SUPPLY)
        self._settings = SiteSettings(
            max_amps=self._configured_max_amps,
            mode=Mode(memory.get("mode", Mode.BALANCED)),
            protection=self._protection(),
            supply=None if supply is None else Supply(supply),
        )
        if memory.get("configured_max_amps") == self._configured_max_amps and "max_amps" in memory:
            self._settings = replace(self._settings, max_amps=memory["max_amps"])
        self._limiting = Limiting(self.hass, entry, memory.get("limits", {}), interval_s=self._publish_interval_s)
        if before is None:
            self.controller = Controller(self._settings, now=now)
            counter = memory.get("counter")
            self.controller.meter.restore(memory.get("energy_wh", 0.0), counter and Counter(**counter))
        else:
            self._take_controller(before, now)
        self._links = {
            charger_id: Link(
                charger,
                entry.subentries[charger_id],
                memory.get("chargers", {}).get(charger_id),
                lasts_s=self._publish_interval_s,
            )
            for charger_id, charger in self._chargers.items()
        }
        for charger_id, link in self._links.items():
            self.controller.set_charger(charger_id, link.settings, now=now)
        if before is None:
            await self._keeper.async_restore(self.controller, memory.get("control", {}))
        self._keeper.begin(now)
        with self._parts.part("limits"):
            self._limiting.look(self.controller, now=now)
        has_prices = any(entry.get_subentries_of_type(SUBENTRY_PRICES))
        self._planner = Planner(self.controller, self._links, has_prices=has_prices)
        self._was_heard = memory.get("heard", False)
        self._surplus = SiteSurplus(self.hass, entry, self.controller, knows_sign=memory.get("knows_sign", False))
        self._loading = Loading(
            self.hass,
            entry,
            self._loads,
            memory.get("loads", {}),
            parts=self._parts,
            save=self._async_save,
            spawn=self._spawn,
            emit=self._emit,
            now=now,
        )
        self._shown = self._memory()
        self._show_at = _next_show_at(now)
        self._started_at = now
        self._mending = Mending(self.hass, entry, self.controller, self._links, was_heard=self._was_heard, now=now)
        self.issues = self._mending.issues
        self._errands = Errands(
            self.controller,
            self._links,
            self._mending,
            self._parts,
            emit=self._emit,
            spawn=self._spawn,
            save=self._async_save,
            now=self.now,
        )
        self._ticked_at = now
        if before is not None:
            self._go_on(before, now)
        self.data = self._snapshot()
        with self._parts.part("repairs"):
            self.issues.hide_all()  # of the last time, when the site was disabled
            self._mending.tell_lost(self._keeper.lost)
        self._task = entry.async_create_background_task(self.hass, self._async_run(), self.name)
        for stop in self._errands.async_listen():
            entry.async_on_unload(stop)
        entry.async_on_unload(self._loading.async_listen())
        entry.async_on_unload(
            async_track_time_interval(self.hass, self._tick, TICK, name=self.name, cancel_on_shutdown=True)
        )
        # Home Assistant stops without unloading, and writes its stores last of all
        entry.async_on_unload(self.hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._async_on_stop))
        self._tick()

    def _is_like(self, before: SiteCoordinator) -> bool:
        """Whether all is still the same that control knows of, with more at most."""
        return before._made_of.items() <= self._made_of.items()

    def _take_controller(self, before: SiteCoordinator, now: float) -> None:
        self.controller = before.controller
        self.controller.configure(self._settings, now=now)
        self._limiting.go_on(before._limiting)

    def _go_on(self, before: SiteCoordinator, now: float) -> None:
        """Take over what is known of what goes on."""
        for charger in self.controller.chargers.values():
            if (command := charger.in_flight) is not None:  # nobody waits for its end any more
                self.controller.acknowledge(command, Outcome.UNKNOWN, now=now)
        for charger_id, link in before._links.items():
            self._links[charger_id].go_on(link)
        self._planner.go_on(before._planner)
        self._surplus.go_on(before._surplus)
        self._loading.go_on(before._loading, now)
        self._read_at, self._moment, self._shown_moment.moment = before._read_at, before._moment, before.data.shown
        self._is_heard, self._today, self._ticked_at = before._is_heard, before._today, before._ticked_at
        self._announcer, self._deeds = before._announcer, before._deeds
        self._errands.go_on(before._errands)
        self.decisions = before.decisions

    async def async_stop(self, *, ended: Collection[str]) -> None:
        """Stop controlling, for good in the case of the chargers in `ended`: nobody goes on with those."""
        self._task.cancel()
        self._is_ending = True
        await self._errands.async_end()
        await self._loading.async_stop(STOP_TIMEOUT_S)
        while not self._events.empty():
            self._take(self._events.get_nowait())
            self._events.task_done()
        self._events.shutdown()
        self._end_rehearsal()
        with self._parts.part("repairs"):
            self.issues.hide_all()
        await self.async_release(ended)
        await self._async_save()
        await self._keeper.async_save_record(self.controller, now=self.now())

    async def async_release(self, ids: Collection[str]) -> None:
        """Give chargers and loads back as they were, where that is safe.

        A car remembers the last amps, or a stop, for ever, and a load that it is off.
        """
        await asyncio.gather(
            self._loading.async_release(ids, self.controller, now=self.now()),
            *(
                self._errands.async_release(link)
                for charger_id, link in self._links.items()
                if charger_id in ids and (controls(self._settings, link) or charger_id in self._releasing)
            ),
        )

    async def async_wake(self, charger_id: str) -> None:
        """Wake a charger, which takes up to two minutes; only a person may ask for that. Raises ChargerError."""
        await self._errands.async_wake(charger_id)

    @callback
    def _async_on_stop(self, _event: Event) -> None:
        self._spawn(self._async_save(), "save")
        self._spawn(self._keeper.async_save_record(self.controller, now=self.now()), "save")

    # What happens

    @callback
    def async_add_reading(self, reading: Reading) -> bool:
        """Take a reading, soon: nothing is waited for. Return whether there is anybody left to take it."""
        return self._emit(ReadingArrived(reading))

    @callback
    def async_note_old_address(self, sender: Sender) -> None:
        """Tell of a post to an address that the site had before."""
        with self._parts.part("repair of an old address"):
            self._mending.note_old_address(sender, self.now())

    @callback
    def async_configure(self, settings: SiteSettings) -> None:
        """Take new settings of the site, at once and for good."""
        before = self._controlled()
        self._settings = settings
        self._keep(Configured(settings), ended=before - self._controlled())

    @callback
    def async_set_charger(self, charger_id: str, settings: ChargerSettings) -> None:
        """Take new settings of a charger, at once and for good."""
        before = self._controlled()
        self._links[charger_id].settings = settings
        self._keep(ChargerSet(charger_id, settings), ended=before - self._controlled())

    @callback
    def async_set_goal(self, charger_id: str, goal: Goal) -> None:
        """Take what the owner of a charger wants by a time, at once and for good."""
        self._planner.set_goal(charger_id, goal)
        self._keep(GoalSet(charger_id), ended=())

    @callback
    def async_take_prices(self, prices: Prices) -> None:
        """Take what electricity costs."""
        self._emit(PricesKnown(prices))

    @property
    def prices(self) -> Prices:
        """What electricity costs, as far as it is known."""
        return self._planner.prices

    @callback
    def async_set_limit(self, limit_id: str, watts: float) -> None:
        """Take what a person set of a limit, at once and for good, W."""
        self._limiting.set(limit_id, watts)
        self._keep(Ticked(), ended=())

    @callback
    def async_set_load(self, load_id: str, settings: LoadSettings) -> None:
        """Take new settings of a load, at once and for good."""
        self._loading.set_load(load_id, settings, self.now())
        self._keep(Ticked(), ended=())

    @callback
    def async_answer(self, load_id: str, action: LoadAction, *, is_yes: bool) -> None:
        """Take what somebody says to what a load asks."""
        self._emit(LoadAnswered(load_id, action, is_yes))

    @callback
    def async_rehearse(self, charger_id: str) -> Rehearsing | None:
        """Rehearse with a charger; None while that is done with one already, which the meter could not tell apart."""
        if self._rehearsing is not None:
            return None
        self._rehearsing = Rehearsing(charger_id)
        if not self._emit(RehearsalAsked(self._rehearsing)):
            self._end_rehearsal()
            return None
        return self._rehearsing

    @callback
    def async_leave_rehearsal(self, rehearsing: Rehearsing) -> None:
        """End a rehearsal whose page was closed."""
        self._emit(RehearsalLeft(rehearsing))

    def _controlled(self) -> set[str]:
        return {charger_id for charger_id, link in self._links.items() if controls(self._settings, link)}

    def _protection(self) -> Protection:
        """Return what the flow was told of the fuse box. Without a rating of its own it has that of the budget there.

        A budget that is set later says nothing of what hangs on the wall.
        """
        told: Mapping[str, Any] = self.config_entry.data.get(CONF_PROTECTION, {})
        if not told:
            return Protection(rating_amps=self._configured_max_amps)
        return Protection(
            kind=ProtectionKind(told[CONF_KIND]),
            rating_amps=told.get(CONF_RATING, self._configured_max_amps),
            tolerance=told[CONF_TOLERANCE] / 100,
            time_s=told[CONF_TIME],
        )

    async def async_idle(self) -> None:
        """Wait until all that happened so far is dealt with, answers of chargers included."""
        await self._events.join()
        while self._children:
            await asyncio.wait(self._children)
            await self._events.join()

    @override
    async def _async_update_data(self) -> SiteData:
        """Return what is known: somebody asked an entity to update itself, but nothing here is polled for."""
        return self._snapshot()

    @override
    def async_add_listener(self, update_callback: CALLBACK_TYPE, context: Any = None) -> Callable[[], None]:
        """Show an entity what is known, whatever becomes of the others."""
        part = self._parts.part("entities", update_callback)

        @callback
        def async_show() -> None:
            with part:
                update_callback()

        return super().async_add_listener(async_show, context)

    @callback
    def async_watch(self, look: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `look` after each reading and decision, shown or not; return how to stop that."""
        self._watchers.add(look)
        return lambda: self._watchers.discard(look)

    def _show(self) -> None:
        with self._parts.part("data"):
            if (data := self._snapshot()) != self.data:
                self.async_set_updated_data(data)
            self.data = data
        for look in list(self._watchers):
            with self._parts.part("live view", look):
                look()

    def _emit(self, event: SiteEvent) -> bool:
        try:
            self._events.put_nowait(event)
        except asyncio.QueueShutDown:  # what happens after the end is nobody's any more
            return False
        return True

    def _keep(self, event: SiteEvent, *, ended: Collection[str]) -> None:
        self._emit(event)
        self._emit(ControlEnded(ended))
        self._spawn(self._async_save(), "save")
        self._show()

    def _spawn[ResultT](self, work: Coroutine[Any, Any, ResultT], name: str) -> asyncio.Task[ResultT]:
        task = self.config_entry.async_create_background_task(self.hass, work, f"{self.name} {name}")
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task

    @callback
    def _tick(self, _now: datetime | None = None) -> None:
        self._emit(Ticked())

    # The task

    async def _async_run(self) -> None:
        while True:
            event = await self._events.get()
            # Whatever is wrong with one event: the house goes on drawing, so its control must go on too
            with self._parts.part("dealing with events"):
                self._take(event)
            if self._events.empty():
                self._show()
            self._events.task_done()

    def _take(self, event: SiteEvent) -> None:
        """Let control have what is in an event and act on it, and only then everybody else."""
        now = self.now()
        match event:
            case ReadingArrived(reading):
                with self._parts.part("control"):
                    self.controller.add_reading(reading)
                self._act(now)
                self._take_reading(reading)
            case Ticked():
                with self._parts.part("limits"):
                    self._limiting.look(self.controller, now=now)
                self._act(now)  # that nothing came in a second is news enough
                self._take_tick(now)
            case Reported(charger_id, report):
                with self._parts.part("control"):
                    self.controller.add_report(charger_id, report, now=now)
                self._act(now)
                self._take_report(self._links[charger_id], report, now)
            case PollFailed(charger_id, error):
                self._take_poll_failure(self._links[charger_id], error, now)
            case Acknowledged(command, outcome, error):
                with self._parts.part("control"):
                    self.controller.acknowledge(
                        command,
                        outcome,
                        now=now,
                        retry_after_s=0.0 if error is None else error.retry_after_s,
                        needs_person=error is not None and error.needs_person,
                    )
                self._act(now)
                self._take_acknowledgement(self._links[command.charger_id], event, now)
            case Configured(settings):
                with self._parts.part("control"):
                    self.controller.configure(settings, now=now)
                self._act(now)
            case ChargerSet(charger_id, settings):
                with self._parts.part("control"):
                    self.controller.set_charger(charger_id, settings, now=now)
                self._act(now)
            case GoalSet():
                self._act(now)  # it may be meant to charge now
            case PricesKnown(prices):
                self._planner.take_prices(prices)
            case ControlEnded(charger_ids):
                self._take_end_of_control(charger_ids, now)
            case RehearsalAsked(rehearsing):
                with self._parts.part("control"):
                    if not rehearsing.is_over:
                        rehearsing.rehearsal = self.controller.rehearse(rehearsing.charger_id, now=now)
                self._act(now)
            case LoadSwitched() | LoadAnswered():
                with self._parts.part("loads"):
                    self._loading.take(event, now)
                self._act(now)
            case RehearsalLeft(rehearsing):
                with self._parts.part("control"):
                    if rehearsing is self._rehearsing:
                        self._end_rehearsal()
                self._act(now)

    def _act(self, now: float) -> None:
        """Decide, and send what was decided, before anything else is done."""
        if self._is_ending:
            return
        self._look_at_rehearsal(now)
        self._ration(now)
        decisions: tuple[Decision, ...] = ()
        with self._parts.part("decisions"):
            decisions = self.controller.decide(now=now)
        commands = [decision.command for decision in decisions if decision.command is not None]
        if self._releasing:
            with self._parts.part("giving back"):
                back = [self.controller.release(charger_id, now=now) for charger_id in self._releasing]
                commands.extend(command for command in back if command is not None)
        if commands:
            self._errands.send(commands)
        with self._parts.part("phases"):
            self._errands.switch_phases(self._surplus.switches, self._settings)
        with self._parts.part("loads"):
            self._loading.decide(self.controller, now=now)
        with self._parts.part("polls"):
            self._errands.poll(now)
        with self._parts.part("list of decisions"):
            for decision in decisions:
                link = self._links[decision.charger_id]
                if decision.command or link.decision is None or _differ(decision, link.decision):
                    self.decisions.append((dt_util.utcnow(), decision))
                link.decision = decision
        with self._parts.part("what is shown"):
            for decision in decisions:
                self._links[decision.charger_id].shown.add(decision)
                self._take_deed(decision)
        with self._parts.part("logbook"):
            for decision in decisions:
                link = self._links[decision.charger_id]
                self._announcer.add(decision, link.deed, name=link.title)

    def _ration(self, now: float) -> None:
        """Bound the chargers by what their owners want of them. A wish that fails bounds nothing.

        At the time of its plan a charger takes what the supply has; at others with what is left over, if it is to.
        """
        at = dt_util.now()
        rations: dict[str, Mapping[Reason, int]] = {charger_id: {} for charger_id in self._links}
        with self._parts.part("surplus"):
            rations |= self._surplus.look(now)
        with self._parts.part("plans"):
            self._planner.look(now, at, self._volts, supply=self._settings.supply)
            for charger_id, link in self._links.items():
                planned = self._planner.rations(charger_id, at)
                if planned is not None and (not planned or link.settings.charge_with is ChargeWith.GRID):
                    rations[charger_id] = planned
        for charger_id, ration in rations.items():
            self.controller.ration(charger_id, ration)

    def _look_at_rehearsal(self, now: float) -> None:
        """Let a rehearsal go on. One that fails is over: it must not hold a charger down."""
        if (rehearsing := self._rehearsing) is None:
            return
        is_over = True
        with self._parts.part("rehearsal"):
            self.controller.look_at_rehearsal(now=now)
            rehearsing.tell()
            is_over = rehearsing.is_over
        if is_over:
            self._end_rehearsal()

    def _end_rehearsal(self) -> None:
        if (rehearsing := self._rehearsing) is not None:
            self._rehearsing = None
            self.controller.end_rehearsal()
            rehearsing.end()

    # What comes of it beside control

    def _take_reading(self, reading: Reading) -> None:
        self._read_at = dt_util.utcnow()
        with self._parts.part("watch of power"):
            self._mending.add_reading(reading)
        if not self._is_heard:
            self._is_heard = True
            _LOGGER.info("%s has readings again", self.name)

        with self._parts.part("what is shown"):
            self._moment = Moment.of(
                reading,
                phases=max(self.controller.phases, len(reading.amps)),
                read_at=self._read_at,
                drawn=self.controller.drawn(reading.at),
                protection_load=self.controller.protection_load,
            )
            self._shown_moment.add(self._moment)

    def _take_deed(self, decision: Decision) -> None:
        if (deed := self._deeds.add(decision)) is not None:
            link = self._links[decision.charger_id]
            link.deed, link.deed_at = deed, dt_util.utcnow()
            self._today = replace(self._today, cuts=self._today.cuts + deed.is_cut)

    def _take_tick(self, now: float) -> None:
        elapsed_s = now - self._ticked_at
        self._ticked_at = now
        if self._is_heard and now - self._started_at >= self._timeout_s:
            self._is_heard = self.controller.meter.is_connected(now, self._timeout_s)
            if not self._is_heard:
                _LOGGER.warning("%s has had no reading for %.0f s", self.name, self._timeout_s)
        if (day := dt_util.now().date()) != self._today.day:
            self._today = Today(day=day)
        with self._parts.part("energy of the chargers"):
            if elapsed_s <= BRIDGED_GAP_S:
                self._integrate(elapsed_s, now)
        with self._parts.part("repairs of what was left paused"):
            for charger_id in [charger_id for charger_id, until in self._releasing.items() if now >= until]:
                del self._releasing[charger_id]
                self._mending.tell_left_paused(self._links[charger_id])
        with self._parts.part("watch"):
            self._mending.look(self._settings, self.posts, is_heard=self._is_heard, now=now)
        with self._parts.part("repairs of plans"):
            self._planner.tell(self.issues, dt_util.now(), now, site=self.config_entry.title)
        if now >= self._show_at:
            self._show_at = _next_show_at(now)
            self._spawn(self._async_save_and_show(), "save")
        elif self._keeper.is_due(now):
            self._spawn(self._async_save(), "save")
        if self._keeper.is_record_due(now):
            self._spawn(self._keeper.async_save_record(self.controller, now=self.now()), "save")

    def _integrate(self, elapsed_s: float, now: float) -> None:
        """Add what was charged, and for how long the budget was exceeded, to what the chargers and the day have."""
        charged_wh = 0.0
        for link in self._links.values():
            charged_wh += (energy_wh := self._watts(link, now) * elapsed_s / 3600)
            link.energy_wh += energy_wh
        moment = self.data.moment
        is_over = moment is not None and self.data.is_over(moment)
        self._today = replace(
            self._today,
            charged_wh=self._today.charged_wh + charged_wh,
            over_s=self._today.over_s + (elapsed_s if is_over else 0.0),
        )

    def _take_end_of_control(self, ended: Collection[str], now: float) -> None:
        """Begin to give chargers back whose control was switched off, unless it is on again."""
        self._releasing |= dict.fromkeys(ended, now + RELEASE_S)
        for charger_id in self._controlled():
            self._releasing.pop(charger_id, None)
        self._act(now)

    def _take_report(self, link: Link, report: ChargerReport, now: float) -> None:
        link.take_report(report, now)
        with self._parts.part("memory"):
            self._remember()
        with self._parts.part("repairs of chargers"):
            self._mending.take_answer(link, "poll", None)
        with self._parts.part("watch of chargers"):
            self._mending.add_report(link, report, now)

    def _take_poll_failure(self, link: Link, error: ChargerError, now: float) -> None:
        link.take_failure(error, now)
        with self._parts.part("repairs of chargers"):
            self._mending.take_answer(link, "poll", error)

    def _take_acknowledgement(self, link: Link, event: Acknowledged, now: float) -> None:
        link.take_end_of_command(now)
        error = event.error
        if event.command.action is Action.SET_AMPS and error is None:
            link.watch.writers.told(now)
        with self._parts.part("memory"):
            self._remember()
        with self._parts.part("list of answers"):
            link.answer = str(error or event.outcome)
            self._errands.note(event.command, event.outcome, error)
            if error is not None:
                _LOGGER.debug("%s did not do what it was told: %s", link.title, error)
        with self._parts.part("repairs of chargers"):
            self._mending.take_answer(link, "command", error)

    # What is known, and what is kept

    @property
    def answers(self) -> Collection[Mapping[str, Any]]:
        """How the last commands ended."""
        return self._errands.answers

    def surplus_diagnostics(self) -> dict[str, Any]:
        """Return what is left over for the chargers, and of which batteries."""
        return self._surplus.diagnostics()

    def charger_diagnostics(self, charger_id: str) -> dict[str, Any]:
        """Return what is believed of a charger, and what its cloud said last."""
        told = self._links[charger_id].diagnostics(self.controller.chargers[charger_id], self.now())
        return told | {"plan": self._planner.diagnostics(charger_id)}

    @property
    def _volts(self) -> tuple[float, ...]:
        last = self.controller.meter.last
        return (self._nominal_volts,) if last is None else last.volts

    def load_diagnostics(self, load_id: str) -> dict[str, Any]:
        """Return what is believed of a load."""
        return self._loading.diagnostics(load_id)

    def _watts(self, link: Link, now: float) -> float:
        return link.watts(
            now,
            self._volts,
            phases=self.controller.phases_of(link.charger_id),
            is_split=self._settings.supply is Supply.SPLIT,
        )

    def _snapshot(self) -> SiteData:
        now = self.now()
        meter = self.controller.meter
        connected = meter.is_connected(now, self._timeout_s)
        is_fresh = meter.last is None and now - self._started_at < self._timeout_s
        if not connected:
            self._shown_moment.clear()
        return SiteData(
            settings=self._settings,
            moment=self._moment if connected else None,
            shown=self._shown_moment.moment,
            read_at=self._read_at,
            connected=None if is_fresh else connected,
            phases=self.controller.phases,
            knows_sign=self._surplus.knows_sign,
            has_batteries=self._surplus.has_batteries,
            silent_phases=self.controller.silent_phases(now),
            energy_wh=self._shown["energy_wh"],
            today=self._today,
            has_prices=self._planner.has_prices,
            chargers={
                charger_id: link.data(
                    self._shown_moment.moment,
                    energy_wh=self._shown["chargers"][charger_id]["energy_wh"],
                    phases=self.controller.phases_of(charger_id),
                    goal=self._planner.goal(charger_id),
                    plan=self._planner.shown(charger_id),
                    capacity_kwh=self._planner.capacity_kwh(charger_id),
                    now=now,
                )
                for charger_id, link in self._links.items()
            },
            limits=self._limiting.data,
            loads=self._loading.data(),
        )

    def _memory(self) -> SiteMemory:
        meter = self.controller.meter
        return SiteMemory(
            heard=self._was_heard or meter.last is not None,
            knows_sign=self._surplus.knows_sign,
            max_amps=self._settings.max_amps,
            configured_max_amps=self._configured_max_amps,
            mode=self._settings.mode,
            energy_wh=meter.energy_wh,
            counter=None
            if (counter := meter.counter) is None
            else CounterMemory(energy_wh=counter.energy_wh, boot_id=counter.boot_id),
            chargers={
                charger_id: link.memory() | self._planner.memory(charger_id) for charger_id, link in self._links.items()
            },
            loads=self._loading.memory(),
            control=self._urgent(),
            **({"limits": limits} if (limits := self._limiting.memory()) else {}),
        )

    def _urgent(self) -> dict[str, Any]:
        """Return what of the controller's record must not wait: who paused a charger is known to nobody else."""
        return {"chargers": {charger_id: each.record() for charger_id, each in self.controller.chargers.items()}}

    def _remember(self) -> None:
        """Save at once what the controller learned of whose wish something is: nobody else would know."""
        if self._keeper.is_new(self._urgent()):
            self._spawn(self._async_save(), "save")

    async def _async_save(self) -> SiteMemory:
        return await self._keeper.async_save(self._memory, now=self.now())

    async def _async_save_and_show(self) -> None:
        """Save; only then is the energy shown: a counter that was shown must not go back after a power cut."""
        self._shown = await self._async_save()


def _next_show_at(now: float) -> float:
    """Aim at the clock's next mark but for the nearest one: two clocks never agree to the second."""
    past_s = (time.time() + SHOW_LEAD_S + SHOW_S / 2) % SHOW_S - SHOW_S / 2
    return now + SHOW_S - past_s


def _differ(decision: Decision, last: Decision) -> bool:
    return (decision.reason, decision.target) != (last.reason, last.target)
