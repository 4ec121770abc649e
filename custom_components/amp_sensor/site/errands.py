"""What chargers are told and asked. An answer may take most of a minute, so each is a task of its own."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import asdict
from functools import partial
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..chargers.charger import ChargerError
from ..control import Action, ChargerReport, Command, Controller, Outcome, SiteSettings
from .events import Acknowledged, PollFailed, Reported, SiteEvent
from .link import Link
from .mending import Mending, controls
from .parts import Parts

_LOGGER = logging.getLogger(__name__)

REMEMBER_S: Final = 0.2
"""The longest that a stop or a start waits for the disk, which is to know whose pause that is before the car does.

A memory card takes 5 to 50 ms, a command 2 s. A disk that hangs must not keep a car charging; nor does a lower current
wait at all, of which nothing is lost with the process.
"""
STOP_TIMEOUT_S: Final = 10.0
"""How long unloading waits for a command: one is answered within 2 to 10 s, or something is wrong."""
ANSWERS_KEPT: Final = 100
"""What diagnostics show of the past: some hours of a calm house, a quarter of an hour of a restless one."""

_URGENT: Final = (Action.START, Action.STOP)
"""Commands that change whose pause it is."""

type Spawn = Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]]


class Errands:
    """Carries commands and questions to the chargers of one site, and what comes of them back as events."""

    def __init__(
        self,
        controller: Controller,
        links: Mapping[str, Link],
        mending: Mending,
        parts: Parts,
        *,
        emit: Callable[[SiteEvent], bool],
        spawn: Spawn,
        save: Callable[[], Coroutine[Any, Any, Any]],
        now: Callable[[], float],
    ) -> None:
        self._controller = controller
        self._links = links
        self._mending = mending
        self._parts = parts
        self._emit = emit
        self._spawn = spawn
        self._save = save
        self._now = now
        self.answers: deque[Mapping[str, Any]] = deque(maxlen=ANSWERS_KEPT)
        """How the last commands ended."""

    def go_on(self, before: Errands) -> None:
        """Take over what came of those before."""
        self.answers = before.answers

    def async_listen(self) -> list[CALLBACK_TYPE]:
        """Hear what chargers tell unasked; return how to stop that."""
        return [link.charger.async_listen(partial(self._hear, charger_id)) for charger_id, link in self._links.items()]

    def send(self, commands: Collection[Command]) -> None:
        """Send commands, each at once."""
        remembered: asyncio.Task[Any] | None = None
        if any(command.action in _URGENT for command in commands):
            with self._parts.part("memory"):
                remembered = self._spawn(self._save(), "save")
        for command in commands:
            with self._parts.part("commands", command.charger_id):
                link = self._links[command.charger_id]
                if command.action is Action.WAKE:
                    self._spawn(self._async_wake_unasked(link, command), "wake")
                    continue
                first = remembered if command.action in _URGENT else None
                task = self._spawn(self._async_command(link, command, first), "command")
                link.commanding.add(task)
                task.add_done_callback(link.commanding.discard)

    async def _async_command(self, link: Link, command: Command, remembered: asyncio.Task[Any] | None) -> None:
        if remembered is not None and not remembered.done():
            await asyncio.wait({remembered}, timeout=REMEMBER_S)
        answer = await link.async_ask(link.charger.async_command(command))
        if isinstance(answer, ChargerError):
            self._emit(Acknowledged(command, answer.outcome, answer))
        else:
            self._emit(Acknowledged(command, answer))

    def note(self, command: Command, outcome: Outcome, error: ChargerError | None) -> None:
        """Keep how a command ended."""
        self._note(asdict(command), str(outcome) if error is None else _said(error))

    def _note(self, what: Mapping[str, Any], answer: str) -> None:
        self.answers.append({"at": dt_util.utcnow().isoformat(), **what, "answer": answer})

    async def async_end(self) -> None:
        """Wait for the commands that are on their way, but not for ever."""
        if commanding := [task for link in self._links.values() for task in link.commanding]:
            await asyncio.wait(commanding, timeout=STOP_TIMEOUT_S)

    async def async_release(self, link: Link) -> None:
        """Give a charger back as it was, where that is safe."""
        while (command := self._controller.release(link.charger_id, now=self._now())) is not None:
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    answer = await link.async_ask(link.charger.async_command(command))
            except TimeoutError:
                answer = Outcome.UNKNOWN
            outcome = answer.outcome if isinstance(answer, ChargerError) else answer
            self._controller.acknowledge(command, outcome, now=self._now())
            if outcome is not Outcome.ACCEPTED:
                _LOGGER.info("%s could not be given back: set its current, or start it, in the car", link.title)
                break
        self._mending.tell_left_paused(link)

    def switch_phases(self, switches: Mapping[str, int], settings: SiteSettings) -> None:
        """Switch chargers to so many phases, where they stand."""
        for charger_id, phases in switches.items():
            charger = self._controller.chargers[charger_id]
            # A plan may start it at this very moment
            stands = not charger.running and charger.in_flight is None
            if stands and controls(settings, link := self._links[charger_id]):
                self._spawn(self._async_switch_phases(link, phases), "switch phases")

    async def _async_switch_phases(self, link: Link, phases: int) -> None:
        answer = await link.async_ask(link.charger.async_switch_phases(phases))
        if answer is not None:
            _LOGGER.info("%s could not be switched to %s phases: %s", link.title, phases, answer)
        told = Outcome.ACCEPTED if answer is None else _said(answer)
        self._note({"charger_id": link.charger_id, "phases": phases}, told)
        link.want_report(self._now())

    async def async_wake(self, charger_id: str) -> None:
        """Wake a charger, which takes up to two minutes. Raises ChargerError."""
        link = self._links[charger_id]
        try:
            await link.charger.async_wake()
        except ChargerError as error:
            with self._parts.part("repairs of chargers"):
                self._mending.take_answer(link, "command", error)
            raise
        link.watch.woken()
        link.poll_at = self._now()

    async def _async_wake_unasked(self, link: Link, command: Command) -> None:
        """Wake a charger whose owner allowed that."""
        answer: str = Outcome.ACCEPTED
        try:
            await self.async_wake(link.charger_id)
        except ChargerError as error:
            answer = _said(error)
            _LOGGER.info("%s could not be woken: %s", link.title, error)
        self._note(asdict(command), answer)

    def poll(self, now: float) -> None:
        """Ask those chargers how they are whose time has come, or of which control wants to know now."""
        for charger_id in self._controller.reports_wanted(now):
            self._links[charger_id].want_report(now)
        for link in self._links.values():
            if now >= link.poll_at and not link.polling:
                link.polling = True
                self._spawn(self._async_poll(link), "poll")

    async def _async_poll(self, link: Link) -> None:
        self._hear(link.charger_id, await link.async_ask(link.charger.async_report()))

    @callback
    def _hear(self, charger_id: str, answer: ChargerReport | ChargerError) -> None:
        """Take what a charger told, asked or not."""
        if isinstance(answer, ChargerError):
            self._emit(PollFailed(charger_id, answer))
        else:
            self._emit(Reported(charger_id, answer))


def _said(error: ChargerError) -> str:
    return f"{type(error).__name__}: {error}"
