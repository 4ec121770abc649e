"""One charger, and how things stand with it: what it said, when it is asked again, and what stands in the way."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
import logging
from math import inf
import traceback
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry

from ..chargers.charger import Charger, ChargerError, ChargerTimeout
from ..const import CONF_LEARNED, CONF_MAX_AMPS_CAR, CONF_PHASES, CONF_ROLES, MAX_CAR_A, MAX_CHARGER_A
from ..control import ChargerReport, ChargerSettings, ChargeWith, Decision, Priority
from ..control.charger import UNUSABLE_S, ManagedCharger
from ..notices.deeds import Deed
from ..notices.watch import ChargerWatch
from .data import ChargerData
from .goal import ChargerPlan, Goal
from .shown import Moment, ShownDecision
from .store import ChargerMemory

_LOGGER = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 30.0
LAST_RETRY_S: Final = 900.0
"""Polls that fail are repeated after 30 s, then twice that, up to a quarter of an hour."""
RETRY_DOUBLINGS: Final = 5
"""Enough to come from the first to the last."""
ANSWER_TIMEOUT_S: Final = 60.0
"""The longest that any call may take, s: as long as the controller waits for the end of a command. Each charger has
shorter limits of its own; a call that never ended would be the last one of its kind."""


class Link:
    """One charger, and how things stand with it."""

    def __init__(
        self, charger: Charger, subentry: ConfigSubentry, memory: ChargerMemory | None, *, lasts_s: float
    ) -> None:
        """Take what is remembered of it, where the flow did not change its mind since.

        A reason that comes and goes has to last for `lasts_s` before it is shown.
        """
        self.charger = charger
        self.charger_id = subentry.subentry_id
        self.title = subentry.title
        self.remembered = memory = memory or {}
        self._configured_max_amps: int = subentry.data[CONF_MAX_AMPS_CAR]
        phases = subentry.data.get(CONF_PHASES)
        self.settings = ChargerSettings(
            max_amps=self._configured_max_amps,
            min_amps=min(charger.profile.floor_amps, self._configured_max_amps),
            phases=tuple(phases) if phases else None,
            switches_phases=charger.switches_phases,
            profile=charger.profile.with_learned(subentry.data.get(CONF_LEARNED, {})),
        )
        if memory.get("configured_max_amps_car") == self._configured_max_amps and "max_amps_car" in memory:
            self.settings = replace(self.settings, max_amps=int(memory["max_amps_car"]))
        self.settings = replace(
            self.settings,
            min_amps=min(int(memory.get("min_amps_car", self.settings.min_amps)), self.settings.max_amps),
            managed=memory.get("managed", self.settings.managed),
            may_wake=memory.get("may_wake", False),
            priority=Priority(memory.get("priority", self.settings.priority)),
            charge_with=ChargeWith(memory.get("charge_with", self.settings.charge_with)),
            reserve_w=memory.get("reserve_w", self.settings.reserve_w),
            start_after_s=memory.get("start_after_s", self.settings.start_after_s),
            stop_after_s=memory.get("stop_after_s", self.settings.stop_after_s),
        )
        self._most_amps = MAX_CHARGER_A if CONF_ROLES in subentry.data else MAX_CAR_A
        self.energy_wh = memory.get("energy_wh", 0.0)
        self._session_from_wh = self.energy_wh
        self._was_unplugged = False
        self.decision: Decision | None = None
        self.shown = ShownDecision(lasts_s=lasts_s)
        self.deed: Deed | None = None
        self.deed_at: datetime | None = None
        self.report: ChargerReport | None = None
        self.reported_at = -inf
        self.reachable = True
        self.poll_at = -inf
        self.polling = False
        self.commanding: set[asyncio.Task[None]] = set()
        """Commands on their way: more than one only where the controller gave up an earlier one."""
        self.watch = ChargerWatch()
        self.obstacles: dict[str, ChargerError] = {}
        """What only a person can take out of the way of each kind of call."""
        self.answer = ""
        """How the last command ended, for people."""
        self._failures = 0
        self._patience_until = -inf
        """Until when nobody asks how it is, whatever happens, s."""
        self._was_commanded = False
        """Whether a command ended while a poll was under way, which then saw the charger before it."""

    def go_on(self, before: Link) -> None:
        """Take over how things stood with the same charger a moment ago; it is asked anew at once, where it may be."""
        self.decision, self.deed, self.deed_at = before.decision, before.deed, before.deed_at
        self.shown.decision = before.shown.decision
        self.report, self.reported_at, self.reachable = before.report, before.reported_at, before.reachable
        self.watch, self.answer = before.watch, before.answer
        self._session_from_wh, self._was_unplugged = before._session_from_wh, before._was_unplugged
        self._failures, self._patience_until = before._failures, before._patience_until
        self.poll_at = before._patience_until

    async def async_ask[AnswerT](self, call: Awaitable[AnswerT]) -> AnswerT | ChargerError:
        """Return the charger's answer, or how it failed. It never raises: nobody would hear how the call ended."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await call
        except ChargerError as error:
            return error
        except TimeoutError:
            return ChargerTimeout(f"no answer within {ANSWER_TIMEOUT_S:g} s")
        except Exception as error:  # noqa: BLE001 -- whatever it is, the controller waits for the end of its command
            # Where it was raised, but not its text: aiohttp's texts name the address
            where = "".join(traceback.format_tb(error.__traceback__))
            name = type(error).__name__
            _LOGGER.error("%s failed in a way that nobody expected: %s\n%s", self.title, name, where)  # noqa: TRY400 -- without the text
            return ChargerError(name)

    def take_report(self, report: ChargerReport, now: float) -> None:
        """Take what the charger said, which was heard at `now`, s."""
        if report.plugged_in and self._was_unplugged:
            self._session_from_wh = self.energy_wh
        if report.plugged_in is not None:
            self._was_unplugged = not report.plugged_in
        self.report = report
        self.reported_at = now
        self._failures = 0
        self._patience_until = -inf
        self.polling = False
        self.poll_at = now + self.charger.poll_after_s(report, commanded=self._was_commanded)
        self._was_commanded = False
        if not self.reachable:
            self.reachable = True
            _LOGGER.info("%s can be reached again", self.title)

    def take_failure(self, error: ChargerError, now: float) -> None:
        """Take it that the charger said nothing, and leave it alone for a while.

        One that only a person can mend is gone at once; any other may come back before what it said last is too old.
        """
        backoff_s = min(FIRST_RETRY_S * 2 ** min(self._failures, RETRY_DOUBLINGS), LAST_RETRY_S)
        self._failures += 1
        self.polling = False
        self.poll_at = now + max(error.retry_after_s, backoff_s)
        self._patience_until = self.poll_at if error.needs_person else now + error.retry_after_s
        if self.reachable and (error.needs_person or now - self.reported_at > UNUSABLE_S):
            self.reachable = False
            _LOGGER.warning("%s cannot be reached: %s", self.title, error)

    def want_report(self, now: float) -> None:
        """Ask how it is at `now`, s, rather than later, where that is of use."""
        if now >= self._patience_until:
            self.poll_at = min(self.poll_at, now)

    def take_end_of_command(self, now: float) -> None:
        """See to it that what became of a command, which ended at `now`, s, is looked at soon."""
        if self.polling:
            self._was_commanded = True
        elif not self._failures:
            self.poll_at = min(self.poll_at, now + self.charger.poll_after_s(self.report, commanded=True))

    def charging_amps(self, now: float) -> float | None:
        """Return what the charger draws by its own account, A per phase; None where that is unknown or too old."""
        report = self.report
        if report is None or not self.reachable:
            return None
        is_old = report.age_s + now - self.reported_at > UNUSABLE_S
        if not report.state.draws:
            # A car that is done or was stopped may heat its cabin
            return 0.0 if is_old or report.plugged_in is False else report.measured_amps or 0.0
        return None if is_old else report.measured_amps

    def watts(self, now: float, volts: Sequence[float], *, phases: tuple[int, ...] | None, is_split: bool) -> float:
        """Return what the charger draws by its own account, W; 0 where nobody knows.

        It lies on `phases` of a house whose phases have `volts`; None where nobody knows, which is both legs of a
        split supply.
        """
        amps = self.charging_amps(now)
        return 0.0 if amps is None else amps * self.watts_per_amp(volts, phases=phases, is_split=is_split)

    def watts_per_amp(self, volts: Sequence[float], *, phases: tuple[int, ...] | None, is_split: bool) -> float:
        """Return the power of each amp per phase, W, as `watts` has it."""
        report = self.report
        count = (None if report is None else report.phases) or 1
        if report is not None and report.volts is not None:
            return report.volts * (1 if is_split else report.phases or len(phases or (1,)))
        if phases is None and is_split:
            count = 2
        if phases is None or count > len(phases):
            return volts[0] * count
        return sum(volts[phase - 1] if phase <= len(volts) else volts[0] for phase in phases)

    def data(
        self,
        shown: Moment | None,
        *,
        energy_wh: float,
        phases: tuple[int, ...] | None,
        goal: Goal,
        plan: ChargerPlan | None,
        capacity_kwh: float,
        now: float,
    ) -> ChargerData:
        """Return what is known of the charger, which loads `phases`, at the moment that is shown.

        Of its energy only what was saved is shown, Wh.
        """
        is_here = self.report is None or self.report.at_home is not False
        drawn = shown.drawn.get(self.charger_id) if shown is not None and is_here else None
        return ChargerData(
            id=self.charger_id,
            most_amps=self._most_amps,
            can_wake=self.charger.can_wake,
            knows_battery=self.charger.knows_battery,
            goal=goal,
            plan=plan,
            capacity_kwh=capacity_kwh,
            settings=self.settings,
            report=self.report if self.reachable else None,
            charging_amps=self.charging_amps(now) if drawn is None else max(drawn),
            decision=self.decision,
            shown=self.shown.decision,
            deed=self.deed,
            deed_at=self.deed_at,
            energy_wh=energy_wh,
            session_wh=self.energy_wh - self._session_from_wh,
            phases=phases,
        )

    def memory(self) -> ChargerMemory:
        """Return what to remember of the charger."""
        return ChargerMemory(
            max_amps_car=self.settings.max_amps,
            configured_max_amps_car=self._configured_max_amps,
            min_amps_car=self.settings.min_amps,
            managed=self.settings.managed,
            may_wake=self.settings.may_wake,
            priority=self.settings.priority,
            charge_with=self.settings.charge_with,
            reserve_w=self.settings.reserve_w,
            start_after_s=self.settings.start_after_s,
            stop_after_s=self.settings.stop_after_s,
            energy_wh=self.energy_wh,
        )

    def diagnostics(self, managed: ManagedCharger, now: float) -> dict[str, Any]:
        """Return what is believed of the charger, and what its cloud said last."""
        belief = managed.belief
        return {
            "reachable": self.reachable,
            "failures": self._failures,
            "obstacles": {call: type(error).__name__ for call, error in self.obstacles.items()},
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
