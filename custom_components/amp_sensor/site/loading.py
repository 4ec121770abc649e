"""The loads of one site: read at each decision, told what was decided, and remembered before they are."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_ASK_FOR,
    CONF_ASKS,
    CONF_LEAST_OFF,
    CONF_LEAST_ON,
    CONF_NOTIFY,
    CONF_PHASES,
    CONF_RESPECTS_USER,
    CONF_RESTORE,
    CONF_VOLTAGE,
    CONF_WATTS,
    SUBENTRY_LIMIT,
)
from ..control import (
    Controller,
    LoadAction,
    LoadCommand,
    LoadDecision,
    LoadReason,
    Loads,
    LoadSettings,
    Mode,
    Priority,
    Restore,
)
from ..loads.load import Load, LoadFailed
from ..notices.announcer import tell_load
from ..notices.issues import Issues
from ..notices.question import Question, async_listen
from .data import LoadData
from .errands import Spawn
from .events import LoadAnswered, LoadSwitched
from .parts import Parts
from .store import LoadMemory

_LOGGER = logging.getLogger(__name__)

REMEMBER_S: Final = 0.2
"""The longest that a load waits for the disk, s, which is to know whose doing that is before it is switched."""
RELEASE_S: Final = 120.0
"""For how long a load whose control has ended is still given back, s: later it would surprise who ended it."""
_WITHOUT_COMMANDS: Final = (Mode.OFF, Mode.MONITOR)

type Emit = Callable[[LoadSwitched | LoadAnswered], bool]


def _settings(entry: ConfigEntry, subentry: ConfigSubentry, memory: LoadMemory) -> LoadSettings:
    """Return the settings of a load as control knows them."""
    data = subentry.data
    phases: list[int] = data.get(CONF_PHASES, [])
    watts = data.get(CONF_WATTS)
    return LoadSettings(
        managed=memory.get("managed", True),
        priority=Priority(memory.get("priority", Priority.NORMAL)),
        amps=None if watts is None else watts / entry.data[CONF_VOLTAGE] / max(1, len(phases)),
        phases=tuple(phases) or None,
        least_on_s=60.0 * data.get(CONF_LEAST_ON, 0),
        least_off_s=60.0 * data.get(CONF_LEAST_OFF, 0),
        ask_s=float(data[CONF_ASK_FOR]) if data.get(CONF_ASKS) else None,
        restore=Restore(data.get(CONF_RESTORE, Restore.YES)),
        respects_user=data.get(CONF_RESPECTS_USER, True),
    )


class Loading:
    """Decides for the loads after the chargers, and alone tells them."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        loads: Mapping[str, Load],
        memory: Mapping[str, LoadMemory],
        *,
        parts: Parts,
        save: Callable[[], Awaitable[Any]],
        spawn: Spawn,
        emit: Emit,
        now: float,
    ) -> None:
        """Take the loads by the id of their subentry, and what is remembered of them."""
        self._hass = hass
        self._loads = loads
        self._issues = Issues(hass, entry.entry_id)
        self._parts = parts
        self._save, self._spawn, self._emit = save, spawn, emit
        self._control = Loads()
        self._made_of = {load_id: dict(entry.subentries[load_id].data) for load_id in loads}
        self._names = {load_id: entry.subentries[load_id].title for load_id in loads}
        self._limits = {limit.subentry_id: limit.title for limit in entry.get_subentries_of_type(SUBENTRY_LIMIT)}
        self._questions: dict[str, Question] = {}
        self._decisions: dict[str, LoadDecision] = {}
        self._told: dict[str, LoadReason] = {}
        self._ended_at: dict[str, float] = {}
        self._switching: set[asyncio.Task[Any]] = set()
        self._day = dt_util.now().date()
        for load_id, load in loads.items():
            subentry, remembered = entry.subentries[load_id], memory.get(load_id, LoadMemory())
            self._control.set_load(load_id, _settings(entry, subentry, remembered), now=now)
            self._control.each[load_id].restore(remembered.get("record", {}))
            load.before = remembered.get("before", {})
            notify = subentry.data.get(CONF_NOTIFY)
            self._questions[load_id] = Question(hass, self._issues, load_id, subentry.title, notify)
        if any(kept.get("day") not in (None, self._day.isoformat()) for kept in memory.values()):
            self._control.begin_day()

    def go_on(self, before: Loading, now: float) -> None:
        """Take over how the loads stood that are still the same."""
        same = {load_id for load_id, made_of in self._made_of.items() if before._made_of.get(load_id) == made_of}
        for load_id in same:
            if (command := (load := before._control.each[load_id]).in_flight) is not None:
                load.acknowledge(command, is_done=False, now=now)  # nobody waits for its end any more
        self._control.go_on(before._control, same)
        self._told = before._told

    def async_listen(self) -> CALLBACK_TYPE:
        """Hear what people answer; return how to stop that."""

        @callback
        def answer(load_id: str, action: LoadAction, is_yes: bool) -> None:
            self._emit(LoadAnswered(load_id, action, is_yes))

        return async_listen(self._hass, self._loads, answer)

    def take(self, event: LoadSwitched | LoadAnswered, now: float) -> None:
        """Let control have what happened."""
        match event:
            case LoadSwitched(command, is_done):
                self._control.each[command.load_id].acknowledge(command, is_done=is_done, now=now)
            case LoadAnswered(load_id, action, is_yes):
                self._control.each[load_id].answer(action, is_yes=is_yes, now=now)

    def set_load(self, load_id: str, settings: LoadSettings, now: float) -> None:
        """Take new settings of a load."""
        self._control.set_load(load_id, settings, now=now)

    def decide(self, controller: Controller, *, now: float) -> None:
        """Read all loads, decide for them, and send what was decided."""
        if not self._loads:
            controller.reserve(())
            return
        if (day := dt_util.now().date()) != self._day:
            self._day = day
            self._control.begin_day()
        for load_id, load in self._loads.items():
            self._control.each[load_id].add_report(load.report(), now)
        mode, strain = controller.settings.mode, controller.strain(now)
        decisions = self._control.decide(strain, mode, now=now)
        controller.reserve(self._control.reserved)
        commands = [decision.command for decision in decisions if decision.command is not None]
        for load_id in self._loads:
            if self._is_being_released(load_id, mode, now):
                command = self._control.release(load_id, strain, now=now)
                commands += [] if command is None else [command]
        self._send(commands)
        for decision in decisions:
            with self._parts.part("loads", decision.load_id):
                self._tell(decision)

    def _is_being_released(self, load_id: str, mode: Mode, now: float) -> bool:
        """Whether a load is off because of us, and control of it has ended just now; tell what is left off."""
        load = self._control.each[load_id]
        is_ended = load.is_shed and (mode in _WITHOUT_COMMANDS or not load.settings.managed)
        if not is_ended:
            self._ended_at.pop(load_id, None)
        is_late = is_ended and now - self._ended_at.setdefault(load_id, now) > RELEASE_S
        self._tell_left_off(load_id, is_left=is_late)
        return is_ended and not is_late

    def _tell_left_off(self, load_id: str, *, is_left: bool) -> None:
        self._issues.set("load_left_off", load_id, is_wrong=is_left, load=self._names[load_id])

    def _send(self, commands: Collection[LoadCommand]) -> None:
        """Remember whose doing it is, and then do it."""
        if not commands:
            return
        for command in commands:
            if command.action is LoadAction.SHED:
                self._loads[command.load_id].take_before()
        remembered = self._spawn(self._async_remember(), "save")
        for command in commands:
            task = self._spawn(self._async_switch(command, remembered), "load")
            self._switching.add(task)
            task.add_done_callback(self._switching.discard)

    async def _async_remember(self) -> None:
        await self._save()

    async def _async_switch(self, command: LoadCommand, remembered: asyncio.Task[Any] | None) -> None:
        if remembered is not None and not remembered.done():
            await asyncio.wait({remembered}, timeout=REMEMBER_S)
        is_done = True
        try:
            await self._loads[command.load_id].async_switch(on=command.action is LoadAction.RESTORE)
        except LoadFailed as error:
            is_done = False
            _LOGGER.warning("%s did not do as told: %s", self._names[command.load_id], error)
        if not self._emit(LoadSwitched(command, is_done)):
            self.take(LoadSwitched(command, is_done), now=self._control.each[command.load_id].sent_at)

    def _tell(self, decision: LoadDecision) -> None:
        """Tell people what came of a load: what is asked, what did nothing, and what was done."""
        load, load_id, name = self._control.each[decision.load_id], decision.load_id, self._names[decision.load_id]
        self._decisions[load_id] = decision
        self._questions[load_id].show(decision.asks, seconds=load.settings.ask_s)
        self._issues.set("load_no_effect", load_id, is_wrong=load.missed > 0, load=name)
        if decision.command is not None:
            limit, kind = self._limit(decision), decision.command.action
            if kind is LoadAction.SHED and limit is not None:
                tell_load(self._hass, LoadReason.SHED_FOR_LIMIT, load_id, name, limit=limit)
            else:
                tell_load(self._hass, kind, load_id, name)
        elif decision.reason is LoadReason.NO_EFFECT is not self._told.get(load_id):
            tell_load(self._hass, LoadReason.NO_EFFECT, load_id, name)
        self._told[load_id] = decision.reason

    def _limit(self, decision: LoadDecision | None) -> str | None:
        """Return what the limit is called for which something is decided."""
        return None if decision is None or decision.limit_id is None else self._limits.get(decision.limit_id)

    async def async_stop(self, timeout_s: float) -> None:
        """Wait for what is under way, and ask nothing any more."""
        for question in self._questions.values():
            question.show(None, seconds=None)
        if self._switching:
            await asyncio.wait(self._switching, timeout=timeout_s)

    async def async_release(self, load_ids: Collection[str], controller: Controller, *, now: float) -> None:
        """Give loads back as they were, where that is safe; tell of those that stay off."""
        for load_id in load_ids & self._loads.keys():
            load = self._control.each[load_id]
            load.add_report(self._loads[load_id].report(), now)
            if (command := self._control.release(load_id, controller.strain(now), now=now)) is not None:
                await self._async_switch(command, None)
                load.add_report(self._loads[load_id].report(), now)
            self._tell_left_off(load_id, is_left=load.is_shed)

    # What is known, and what is kept

    def data(self) -> dict[str, LoadData]:
        """Return what is known of each load."""
        shown = {}
        for load_id in self._loads:
            load, decision = self._control.each[load_id], self._decisions.get(load_id)
            shown[load_id] = LoadData(
                id=load_id,
                settings=load.settings,
                reason=None if decision is None else decision.reason,
                amps=None if load.amps is None else round(load.amps, 1),
                shed_today=load.today,
                limit=self._limit(decision),
            )
        return shown

    def memory(self) -> dict[str, LoadMemory]:
        """Return what to remember of each load."""
        return {
            load_id: LoadMemory(
                managed=(managed := self._control.each[load_id]).settings.managed,
                priority=managed.settings.priority,
                record=dict(managed.record()),
                before=dict(load.before),
                day=self._day.isoformat(),
            )
            for load_id, load in self._loads.items()
        }

    def diagnostics(self, load_id: str) -> dict[str, Any]:
        """Return what is believed of a load."""
        load, decision = self._control.each[load_id], self._decisions.get(load_id)
        return {
            "decision": decision and asdict(decision),
            "report": asdict(load.report),
            "record": dict(load.record()),
            "before": dict(self._loads[load_id].before),
        }
