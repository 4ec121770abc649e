"""Where the readings, the controller and the chargers of one site meet."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
import logging
from math import inf
import time
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..chargers.charger import (
    Charger,
    ChargerAuthError,
    ChargerError,
    ChargerGone,
    ChargerKeyMissing,
    ChargerSubscriptionError,
)
from ..const import (
    CONF_CONNECTED_TIMEOUT,
    CONF_KIND,
    CONF_MAX_AMPS,
    CONF_PROTECTION,
    CONF_RATING,
    CONF_SUBENTRY_ID,
    CONF_SUPPLY,
    CONF_TIME,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    DEFAULT_CONNECTED_TIMEOUT_S,
)
from ..control import (
    ChargerReport,
    ChargerSettings,
    Command,
    Controller,
    Decision,
    Mode,
    Outcome,
    Protection,
    ProtectionKind,
    Reading,
    SiteSettings,
    Supply,
)
from ..control.meter import BRIDGED_GAP_S, WINDOW_S, Counter
from ..meters.posts import PostLog, Sender
from ..notices.announcer import Announcer
from ..notices.issues import Issues
from ..notices.watch import SiteWatch
from .data import SiteData
from .link import LAST_RETRY_S, Link
from .store import CounterMemory, SiteMemory, control_store, site_store

_LOGGER = logging.getLogger(__name__)

TICK: Final = timedelta(seconds=1)
"""How often the controller decides where no reading arrives: it acts on seconds of silence."""
SAVE_S: Final = 300.0
"""How often energy is saved, and so shown: as often as the recorder makes statistics of it."""
SAVE_LEAD_S: Final = 10.0
"""How long before the end of each of its five minutes: two posts of the project's firmware, to be shown in time."""
RECORD_S: Final = 900.0
"""How often the controller's record is saved, which grows over days and has tens of kB: a memory card wears."""
STOP_TIMEOUT_S: Final = 10.0
"""How long unloading waits for a command: one is answered within 2 to 10 s, or something is wrong."""
RELEASE_S: Final = 120.0
"""For how long a car whose control was switched off is still given back: a start shows within 40 s, and its report
comes up to a minute later. Whatever happens after that would surprise who switched it off."""
DECISIONS_KEPT: Final = 100
"""What diagnostics show of the past: some hours of a calm house, a quarter of an hour of a restless one."""
OLD_ADDRESS_QUIET_S: Final = 3600.0
"""How long nothing may arrive at an address of before until that counts as mended: devices repeat within a minute."""
PAIRING_URL: Final = "https://tesla.com/_ak/tessie.com"
"""Where an owner pairs the virtual key of Tessie."""

_BLOCKING: Final[Mapping[type[ChargerError], str | None]] = {
    ChargerAuthError: None,  # asks for a new token instead
    ChargerSubscriptionError: "subscription",
    ChargerKeyMissing: "virtual_key_missing",
    ChargerGone: "charger_gone",
}
"""Errors that only a person can mend, and the issue that tells the person. Some are mended elsewhere, where we do not
hear of it: the charger is asked again every LAST_RETRY_S."""

_WITHOUT_COMMANDS: Final = (Mode.OFF, Mode.MONITOR)

type AmpSensorConfigEntry = ConfigEntry[SiteCoordinator]


class SiteCoordinator(DataUpdateCoordinator[SiteData]):
    """Runs one site: one task takes what happens in the order in which it happened, and alone talks to the controller.

    A charger's answer may take most of a minute: polls and commands are tasks of their own, and their ends are events
    like any other. The controller sees to it that a charger has one command in flight at most.
    """

    config_entry: AmpSensorConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: AmpSensorConfigEntry, chargers: Mapping[str, Charger], *, device_id: str
    ) -> None:
        """Take the chargers by the id of their subentry, and the id of the site's device."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=f"Amp Sensor {entry.title}")
        self.device_id = device_id
        self._chargers = chargers
        self._configured_max_amps: float = entry.data[CONF_MAX_AMPS]
        self._nominal_volts: float = entry.data[CONF_VOLTAGE]
        self._timeout_s: float = entry.options.get(CONF_CONNECTED_TIMEOUT, DEFAULT_CONNECTED_TIMEOUT_S)
        self._store = site_store(hass, entry.entry_id)
        self._control_store = control_store(hass, entry.entry_id)
        self._events: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._children: set[asyncio.Task[None]] = set()
        self._read_at: datetime | None = None
        self._is_failing = False
        self._is_heard = True
        self._announcer = Announcer(hass)
        self.issues = Issues(hass, entry.entry_id)
        self.posts = PostLog()
        self.decisions: deque[tuple[datetime, Decision]] = deque(maxlen=DECISIONS_KEPT)
        """What was decided last, and when; one that says the same again is left out."""
        self.answers: deque[Mapping[str, Any]] = deque(maxlen=DECISIONS_KEPT)
        """How the last commands ended."""
        self._old_address_used_at = -inf
        self._releasing: dict[str, float] = {}
        """Chargers that are being given back, and until when, s."""

    @staticmethod
    def now() -> float:
        """Return the time of everything that is decided here: seconds on a clock that nobody sets."""
        return time.monotonic()

    # Beginning and end

    async def async_start(self) -> None:
        """Go on where the site stopped: with its settings and energy, and with whatever its chargers are doing."""
        entry = self.config_entry
        now = self.now()
        memory = await self._store.async_load()
        supply = entry.data.get(CONF_SUPPLY)
        self._settings = SiteSettings(
            max_amps=self._configured_max_amps,
            protection=self._protection(),
            supply=None if supply is None else Supply(supply),
        )
        if memory is not None:
            if memory["configured_max_amps"] == self._configured_max_amps:
                self._settings = replace(self._settings, max_amps=memory["max_amps"])
            self._settings = replace(self._settings, mode=Mode(memory["mode"]))
        self.controller = Controller(self._settings, now=now)
        if memory is not None:
            counter = memory["counter"]
            self.controller.meter.restore(memory["energy_wh"], counter and Counter(**counter))
        self._links = {
            charger_id: Link(
                charger,
                entry.subentries[charger_id],
                memory["chargers"].get(charger_id) if memory is not None else None,
            )
            for charger_id, charger in self._chargers.items()
        }
        for charger_id, link in self._links.items():
            self.controller.set_charger(charger_id, link.settings, now=now)
        self.issues.hide_all()  # of the last time, when the site was disabled
        await self._async_restore_control()
        self._recorded_pauses = self.controller.paused
        self._record_at = now + RECORD_S
        self._was_heard = memory is not None and memory.get("heard", False)
        self._saved = self._memory()
        self._save_at = _next_save_at(now)
        self._started_at = now
        self._site_watch = SiteWatch(was_heard=self._was_heard, now=now)
        self._ticked_at = now
        self.data = self._snapshot()
        self._task = entry.async_create_background_task(self.hass, self._async_run(), self.name)
        entry.async_on_unload(
            async_track_time_interval(self.hass, self._tick, TICK, name=self.name, cancel_on_shutdown=True)
        )
        # Home Assistant stops without unloading, and writes its stores last of all
        entry.async_on_unload(self.hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._async_on_stop))
        self._tick()

    async def async_stop(self, *, ended: Collection[str]) -> None:
        """Stop controlling, for good in the case of the chargers in `ended`: nobody goes on with those."""
        self._task.cancel()
        if commanding := [link.commanding for link in self._links.values() if link.commanding is not None]:
            await asyncio.wait(commanding, timeout=STOP_TIMEOUT_S)
        while not self._events.empty():
            self._events.get_nowait()()
            self._events.task_done()
        self._events.shutdown()
        self.issues.hide_all()
        await self.async_release(ended)
        await self._async_save()
        await self._async_save_control()

    async def async_release(self, charger_ids: Collection[str]) -> None:
        """Give chargers back as they were, where that is safe: a car remembers the last amps, or a stop, for ever."""
        await asyncio.gather(
            *(
                self._async_release(link)
                for charger_id in charger_ids
                if self._controls(link := self._links[charger_id]) or charger_id in self._releasing
            )
        )

    async def _async_release(self, link: Link) -> None:
        while (command := self.controller.release(link.charger_id, now=self.now())) is not None:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    answer = await link.async_ask(link.charger.async_command(command))
            except TimeoutError:
                answer = Outcome.UNKNOWN
            outcome = answer.outcome if isinstance(answer, ChargerError) else answer
            self.controller.acknowledge(command, outcome, now=self.now())
            if outcome is not Outcome.ACCEPTED:
                _LOGGER.info("%s could not be given back: set its current, or start it, in the car", link.title)
                break
        self._tell_left_paused(link)

    async def async_wake(self, charger_id: str) -> None:
        """Wake a charger, which takes up to two minutes; only a person may ask for that. Raises ChargerError."""
        link = self._links[charger_id]
        try:
            await link.charger.async_wake()
        except ChargerError as error:
            if type(error) in _BLOCKING:
                self._take_error(link, "command", error)
            raise
        link.watch.woken()
        link.poll_at = self.now()

    def _controls(self, link: Link) -> bool:
        """Whether commands are sent to a charger, as far as its owner is concerned."""
        return self._settings.mode not in _WITHOUT_COMMANDS and link.settings.managed

    @callback
    def _async_on_stop(self, _event: Event) -> None:
        self._spawn(self._async_save(), "save")
        self._spawn(self._async_save_control(), "save")

    # What happens

    @callback
    def async_add_reading(self, reading: Reading) -> bool:
        """Take a reading, soon: nothing is waited for. Return whether there is anybody left to take it."""
        return self._emit(partial(self._take_reading, reading))

    @callback
    def async_note_old_address(self, sender: Sender) -> None:
        """Tell of a post to an address that the site had before."""
        self._old_address_used_at = self.now()
        self.issues.set(
            "old_address",
            self.config_entry.entry_id,
            is_wrong=True,
            site=self.config_entry.title,
            client=str(sender),
        )

    @callback
    def async_configure(self, settings: SiteSettings) -> None:
        """Take new settings of the site, at once and for good."""
        before = self._controlled()
        self._settings = settings
        self._keep(lambda: self.controller.configure(settings, now=self.now()), ended=before - self._controlled())

    @callback
    def async_set_charger(self, charger_id: str, settings: ChargerSettings) -> None:
        """Take new settings of a charger, at once and for good."""
        before = self._controlled()
        self._links[charger_id].settings = settings
        self._keep(
            lambda: self.controller.set_charger(charger_id, settings, now=self.now()),
            ended=before - self._controlled(),
        )

    def _controlled(self) -> set[str]:
        return {charger_id for charger_id, link in self._links.items() if self._controls(link)}

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

    def _emit(self, event: Callable[[], None]) -> bool:
        try:
            self._events.put_nowait(event)
        except asyncio.QueueShutDown:  # what happens after the end is nobody's any more
            return False
        return True

    def _keep(self, event: Callable[[], None], *, ended: Collection[str]) -> None:
        self._emit(event)
        self._emit(partial(self._take_end_of_control, ended))
        self._spawn(self._async_save(), "save")
        self.async_set_updated_data(self._snapshot())

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self.config_entry.async_create_background_task(self.hass, work, f"{self.name} {name}")
        self._children.add(task)
        task.add_done_callback(self._children.discard)
        return task

    @callback
    def _tick(self, _now: datetime | None = None) -> None:
        self._emit(self._take_tick)

    # The task

    async def _async_run(self) -> None:
        while True:
            event = await self._events.get()
            try:
                event()
                self._decide()
            except Exception:
                # Whatever is wrong with one event: the house goes on drawing, so its control must go on too
                if not self._is_failing:
                    _LOGGER.exception("%s could not deal with an event", self.name)
                self._is_failing = True
            else:
                self._is_failing = False
            if self._events.empty():
                self.async_set_updated_data(self._snapshot())
            self._events.task_done()

    def _decide(self) -> None:
        for decision in self.controller.decide(now=self.now()):
            link = self._links[decision.charger_id]
            if decision.command or link.decision is None or _differ(decision, link.decision):
                self.decisions.append((dt_util.utcnow(), decision))
            link.decision = decision
            self._announcer.add(decision, name=link.title)
            if decision.command is not None:
                self._send(link, decision.command)
        for charger_id in self._releasing:
            if (command := self.controller.release(charger_id, now=self.now())) is not None:
                self._send(self._links[charger_id], command)

    def _send(self, link: Link, command: Command) -> None:
        link.commanding = self._spawn(self._async_command(link, command), "command")

    def _take_end_of_control(self, ended: Collection[str]) -> None:
        """Begin to give chargers back whose control was switched off, unless it is on again."""
        until = self.now() + RELEASE_S
        self._releasing |= dict.fromkeys(ended, until)
        for charger_id in self._controlled():
            self._releasing.pop(charger_id, None)

    def _take_reading(self, reading: Reading) -> None:
        self._read_at = dt_util.utcnow()
        if not self._is_heard:
            self._is_heard = True
            _LOGGER.info("%s has readings again", self.name)
        self.controller.add_reading(reading)

    def _take_tick(self) -> None:
        now = self.now()
        elapsed_s = now - self._ticked_at
        self._ticked_at = now
        if self._is_heard and now - self._started_at >= self._timeout_s:
            self._is_heard = self.controller.meter.is_connected(now, self._timeout_s)
            if not self._is_heard:
                _LOGGER.warning("%s has had no reading for %.0f s", self.name, self._timeout_s)
        for link in self._links.values():
            if elapsed_s <= BRIDGED_GAP_S:
                link.energy_wh += link.watts(now, self._volts()) * elapsed_s / 3600
            if now >= link.poll_at and not link.polling:
                link.polling = True
                self._spawn(self._async_poll(link), "poll")
        for charger_id in [charger_id for charger_id, until in self._releasing.items() if now >= until]:
            del self._releasing[charger_id]
            self._tell_left_paused(self._links[charger_id])
        self._watch(now)
        if now >= self._save_at:
            self._save_at = _next_save_at(now)
            self._spawn(self._async_save(), "save")
        if now >= self._record_at or self.controller.paused != self._recorded_pauses:
            self._spawn(self._async_save_control(), "save")

    async def _async_poll(self, link: Link) -> None:
        answer = await link.async_ask(link.charger.async_report())
        if isinstance(answer, ChargerError):
            self._emit(partial(self._take_poll_failure, link, answer))
        else:
            self._emit(partial(self._take_report, link, answer))

    def _take_report(self, link: Link, report: ChargerReport) -> None:
        now = self.now()
        link.take_report(report, now)
        self._set_issue(link, "poll", None)
        link.watch.add_report(
            report, self.controller.meter.since(now - WINDOW_S), is_alone=self._is_alone(link), now=now
        )
        self.controller.add_report(link.charger_id, report, now=now)

    def _take_poll_failure(self, link: Link, error: ChargerError) -> None:
        now = self.now()
        pause_s = self._take_error(link, "poll", error)
        link.take_failure(error, pause_s=pause_s, is_blocking=type(error) in _BLOCKING, now=now)

    async def _async_command(self, link: Link, command: Command) -> None:
        answer = await link.async_ask(link.charger.async_command(command))
        self._emit(partial(self._take_acknowledgement, link, command, answer))

    def _take_acknowledgement(self, link: Link, command: Command, answer: Outcome | ChargerError) -> None:
        now = self.now()
        self.answers.append(
            {
                "at": dt_util.utcnow().isoformat(),
                **asdict(command),
                "answer": f"{type(answer).__name__}: {answer}" if isinstance(answer, ChargerError) else str(answer),
            }
        )
        if isinstance(answer, ChargerError):
            _LOGGER.debug("%s did not do what it was told: %s", link.title, answer)
            outcome = answer.outcome
            retry_after_s = self._take_error(link, "command", answer)
        else:
            outcome = answer
            retry_after_s = 0.0
            self._set_issue(link, "command", None)
        link.take_end_of_command(now)
        self.controller.acknowledge(command, outcome, now=now, retry_after_s=retry_after_s)

    # Errors that somebody has to mend

    def _take_error(self, link: Link, call: str, error: ChargerError) -> float:
        """Tell whoever can mend it; return how long to leave the charger alone, s."""
        if isinstance(error, ChargerAuthError):
            self.config_entry.async_start_reauth(self.hass, data={CONF_SUBENTRY_ID: link.charger_id})
        self._set_issue(link, call, _BLOCKING.get(type(error)))
        return max(LAST_RETRY_S if type(error) in _BLOCKING else 0.0, error.retry_after_s)

    def _set_issue(self, link: Link, call: str, issue: str | None) -> None:
        """Note what stands in the way of a kind of call: reads may go on working where commands do not."""
        link.issues[call] = issue
        for key in filter(None, _BLOCKING.values()):
            self.issues.set(
                key,
                link.charger_id,
                is_wrong=key in link.issues.values(),
                charger=link.title,
                pairing_url=PAIRING_URL,
            )

    def _watch(self, now: float) -> None:
        """Tell what was wrong for long enough, and no longer what has been mended."""
        entry, last, posts = self.config_entry, self.controller.meter.last, self.posts
        house = None if self._settings.mode is Mode.OFF or self.data.reading is None else self.data.house_current
        wrong = self._site_watch.look(
            read_at=None if last is None else last.at,
            refused_at=posts.refused_at,
            is_frozen=self.controller.frozen_at is not None,
            excess_amps=-inf if house is None else house - self._settings.max_amps,
            now=now,
        )
        for key, is_wrong in wrong.items():
            self.issues.set(
                key,
                entry.entry_id,
                is_wrong=is_wrong,
                site=entry.title,
                budget=f"{self._settings.max_amps:g}",
                client=str(posts.last_sender),
                refusal=posts.last_refusal.text if posts.last_refusal else "",
            )
        if now - self._old_address_used_at > OLD_ADDRESS_QUIET_S:
            self.issues.set("old_address", entry.entry_id, is_wrong=False)
        for charger_id, link in self._links.items():
            is_paused = charger_id in self.controller.paused
            is_asleep = is_paused and self._controls(link) and link.report is not None and link.report.asleep
            for key, is_wrong in link.watch.look(is_asleep=is_asleep, now=now).items():
                self.issues.set(key, charger_id, is_wrong=is_wrong, charger=link.title, site=entry.title)
            if self._controls(link) or not is_paused:
                self.issues.set("left_paused", charger_id, is_wrong=False)

    def _is_alone(self, link: Link) -> bool:
        """Whether all that moves the meter is the house and this charger."""
        others = (other for other in self._links.values() if other is not link)
        return self.controller.frozen_at is None and all(other.charging_amps(self.now()) == 0.0 for other in others)

    def _tell_left_paused(self, link: Link) -> None:
        """Tell of a car that stands still because of us, where nobody will start it any more."""
        is_paused = link.charger_id in self.controller.paused
        self.issues.set("left_paused", link.charger_id, is_wrong=is_paused, charger=link.title)

    # What is known, and what is kept

    def charger_diagnostics(self, charger_id: str) -> dict[str, Any]:
        """Return what is believed of a charger, and what its cloud said last."""
        return self._links[charger_id].diagnostics(self.controller.chargers[charger_id], self.now())

    def _volts(self) -> float:
        last = self.controller.meter.last
        return self._nominal_volts if last is None else last.volts[0]

    def _snapshot(self) -> SiteData:
        now = self.now()
        meter = self.controller.meter
        connected = meter.is_connected(now, self._timeout_s)
        is_fresh = meter.last is None and now - self._started_at < self._timeout_s
        return SiteData(
            settings=self._settings,
            reading=meter.last if connected else None,
            read_at=self._read_at,
            connected=None if is_fresh else connected,
            phases=self.controller.phases,
            house_current=self.controller.house_current(),
            protection_load=self.controller.protection_load,
            energy_wh=self._saved["energy_wh"],
            chargers={
                charger_id: link.data(
                    energy_wh=self._saved["chargers"][charger_id]["energy_wh"],
                    phases=self.controller.phases_of(charger_id),
                    now=now,
                )
                for charger_id, link in self._links.items()
            },
        )

    def _memory(self) -> SiteMemory:
        meter = self.controller.meter
        return SiteMemory(
            heard=self._was_heard or meter.last is not None,
            max_amps=self._settings.max_amps,
            configured_max_amps=self._configured_max_amps,
            mode=self._settings.mode,
            energy_wh=meter.energy_wh,
            counter=None
            if (counter := meter.counter) is None
            else CounterMemory(energy_wh=counter.energy_wh, boot_id=counter.boot_id),
            chargers={charger_id: link.memory() for charger_id, link in self._links.items()},
        )

    async def _async_save(self) -> None:
        """Save; only then is the energy shown: a counter that was shown must not go back after a power cut."""
        memory = self._memory()
        await self._store.async_save(memory)
        self._saved = memory

    async def _async_restore_control(self) -> None:
        record = await self._control_store.async_load()
        if record is None:
            return
        try:
            self.controller.restore(record)
        except KeyError, TypeError:
            # Somebody edited it, or a disk did. The house teaches it again; only a car that we paused waits for a hand
            _LOGGER.warning("%s cannot read what its controller had learned, and begins anew", self.name)

    async def _async_save_control(self) -> None:
        """Save what the controller learned, and at once whose pauses are ours: nobody else would end those."""
        self._record_at = self.now() + RECORD_S
        self._recorded_pauses = self.controller.paused
        await self._control_store.async_save(self.controller.record())


def _next_save_at(now: float) -> float:
    """Aim at the clock's next mark but for the nearest one: two clocks never agree to the second."""
    past_s = (time.time() + SAVE_LEAD_S + SAVE_S / 2) % SAVE_S - SAVE_S / 2
    return now + SAVE_S - past_s


def _differ(decision: Decision, last: Decision) -> bool:
    return (decision.reason, decision.target) != (last.reason, last.target)
