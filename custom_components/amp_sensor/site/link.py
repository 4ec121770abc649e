"""One charger, and how things stand with it: what it said, when it is asked again, and what stands in the way."""

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict, replace
import logging
from math import inf
import traceback
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry

from ..chargers.charger import Charger, ChargerError
from ..const import CONF_MAX_AMPS_CAR, CONF_PHASES
from ..control import ChargerReport, ChargerSettings, Decision, Priority
from ..control.charger import UNUSABLE_S, ManagedCharger
from ..notices.watch import ChargerWatch
from .data import ChargerData
from .store import ChargerMemory

_LOGGER = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 30.0
LAST_RETRY_S: Final = 900.0
"""Polls that fail are repeated after 30 s, then twice that, up to a quarter of an hour."""
RETRY_DOUBLINGS: Final = 5
"""Enough to come from the first to the last."""


class Link:
    """One charger, and how things stand with it."""

    def __init__(self, charger: Charger, subentry: ConfigSubentry, memory: ChargerMemory | None) -> None:
        """Take what is remembered of it, where the flow did not change its mind since."""
        self.charger = charger
        self.charger_id = subentry.subentry_id
        self.title = subentry.title
        self._configured_max_amps: int = subentry.data[CONF_MAX_AMPS_CAR]
        phases = subentry.data.get(CONF_PHASES)
        self.settings = ChargerSettings(
            max_amps=self._configured_max_amps, phases=None if phases is None else tuple(phases)
        )
        self.energy_wh = 0.0
        if memory is not None:
            if memory["configured_max_amps_car"] == self._configured_max_amps:
                self.settings = replace(self.settings, max_amps=memory["max_amps_car"])
            self.settings = replace(
                self.settings,
                min_amps=min(memory["min_amps_car"], self.settings.max_amps),
                managed=memory["managed"],
                priority=Priority(memory.get("priority", Priority.NORMAL)),
            )
            self.energy_wh = memory["energy_wh"]
        self.decision: Decision | None = None
        self.report: ChargerReport | None = None
        self.reported_at = -inf
        self.reachable = True
        self.poll_at = -inf
        self.polling = False
        self.commanding: asyncio.Task[None] | None = None
        self.watch = ChargerWatch()
        self.issues: dict[str, str | None] = {}
        """What stands in the way of each kind of call."""
        self._failures = 0
        self._was_commanded = False
        """Whether a command ended while a poll was under way, which then saw the charger before it."""

    async def async_ask[AnswerT](self, call: Awaitable[AnswerT]) -> AnswerT | ChargerError:
        """Return the charger's answer, or how it failed. It never raises: nobody would hear how the call ended."""
        try:
            return await call
        except ChargerError as error:
            return error
        except Exception as error:  # noqa: BLE001 -- whatever it is, the controller waits for the end of its command
            # Where it was raised, but not its text: aiohttp's texts name the address
            where = "".join(traceback.format_tb(error.__traceback__))
            name = type(error).__name__
            _LOGGER.error("%s failed in a way that nobody expected: %s\n%s", self.title, name, where)  # noqa: TRY400 -- as above
            return ChargerError(name)

    def take_report(self, report: ChargerReport, now: float) -> None:
        """Take what the charger said, which was heard at `now`, s."""
        self.report = report
        self.reported_at = now
        self._failures = 0
        self.polling = False
        self.poll_at = now + self.charger.poll_after_s(report, commanded=self._was_commanded)
        self._was_commanded = False
        if not self.reachable:
            self.reachable = True
            _LOGGER.info("%s can be reached again", self.title)

    def take_failure(self, error: ChargerError, *, pause_s: float, is_blocking: bool, now: float) -> None:
        """Take it that the charger said nothing, and leave it alone for `pause_s` at least.

        One that only a person can mend is gone at once; any other may come back before what it said last is too old.
        """
        backoff_s = min(FIRST_RETRY_S * 2 ** min(self._failures, RETRY_DOUBLINGS), LAST_RETRY_S)
        self._failures += 1
        self.polling = False
        self.poll_at = now + max(pause_s, backoff_s)
        if self.reachable and (is_blocking or now - self.reported_at > UNUSABLE_S):
            self.reachable = False
            _LOGGER.warning("%s cannot be reached: %s", self.title, error)

    def take_end_of_command(self, now: float) -> None:
        """See to it that what became of a command, which ended at `now`, s, is looked at soon."""
        self.commanding = None
        if self.polling:
            self._was_commanded = True
        elif not self._failures:
            self.poll_at = min(self.poll_at, now + self.charger.poll_after_s(self.report, commanded=True))

    def charging_amps(self, now: float) -> float | None:
        """Return what the charger draws by its own account, A per phase; None where that is unknown or too old."""
        if self.report is None or not self.reachable:
            return None
        if not self.report.state.draws:
            return 0.0
        return None if self.report.age_s + now - self.reported_at > UNUSABLE_S else self.report.measured_amps

    def watts(self, now: float, volts: float) -> float:
        """Return what the charger draws by its own account, W, where a phase has `volts`; 0 where nobody knows."""
        amps = self.charging_amps(now)
        return 0.0 if self.report is None or amps is None else amps * (self.report.phases or 1) * volts

    def data(self, *, energy_wh: float, phases: tuple[int, ...] | None, now: float) -> ChargerData:
        """Return what is known of the charger, which loads `phases`; of its energy only what was saved is shown, Wh."""
        return ChargerData(
            id=self.charger_id,
            settings=self.settings,
            report=self.report if self.reachable else None,
            charging_amps=self.charging_amps(now),
            decision=self.decision,
            energy_wh=energy_wh,
            phases=phases,
        )

    def memory(self) -> ChargerMemory:
        """Return what to remember of the charger."""
        return ChargerMemory(
            max_amps_car=self.settings.max_amps,
            configured_max_amps_car=self._configured_max_amps,
            min_amps_car=self.settings.min_amps,
            managed=self.settings.managed,
            priority=self.settings.priority,
            energy_wh=self.energy_wh,
        )

    def diagnostics(self, managed: ManagedCharger, now: float) -> dict[str, Any]:
        """Return what is believed of the charger, and what its cloud said last."""
        belief = managed.belief
        return {
            "reachable": self.reachable,
            "failures": self._failures,
            "reported_s_ago": now - self.reported_at,
            "belief": {
                "low_amps": belief.low,
                "high_amps": belief.high,
                "change": belief.change and asdict(belief.change) | {"sent_s_ago": now - belief.change.sent_at},
                "target_amps": managed.target,
                "request_amps": managed.request,
                "user_limit_amps": managed.user_limit,
                "running": managed.running,
                "paused_by_us": managed.paused,
                "in_flight": managed.in_flight and asdict(managed.in_flight),
                "no_command_for_s": max(0.0, managed.not_before - now),
                "latency_s": managed.latency_s,
                "starts_left": managed.starts_left(now),
            },
            "cloud": self.charger.diagnostics(),
        }
