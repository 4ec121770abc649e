"""One charger as the controller sees it: whose it is, what it was told, and what it is believed to do."""

from dataclasses import dataclass
from enum import StrEnum
import math

from .belief import START_S, STEADY_A, Belief, Change
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .decision import Mode, Reason
from .profile import TESSIE, Profile

SUSPECT_S, UNUSABLE_S = 120.0, 300.0
"""Age of a report from which it allows no raise, and from which its numbers are not used at all, s; in between Tesla's
cloud is merely slow."""
OBEY_S = 5.0
"""A report that is newer than the answer to a command by this much shows its effect, s: 3 s to move, and a bit."""
MANUAL_S = 30.0
"""How long after a command the cloud may still show a limit from before, s; a change after that was somebody's."""
RESEND_S = (5.0, 8.0, 16.0, 32.0, 64.0, 120.0)
"""How long after a cut that did not show it may be sent again, s, so that a deaf car is not hammered. Two chances come
quickly: at 1.6 times its rating a warm breaker has half a minute."""
RETRY_S = (2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
"""How long after a command that failed on its way the next may be sent, s."""
UNKNOWN_S = 8.0
"""How long after a command without an answer the next may be sent, s: the meter shows by then one that came through."""
BLOCKED_S = 120.0
"""A longer wait than any of our own is what the cloud asked for: token, subscription, key, or too many calls."""
REFUSED_S = 60.0
"""How long to leave a car alone that said no, s: the next report will say why."""
STARTS, START_EVERY_S = 4, 900.0
"""Starts in a row, and the time after which one more is allowed, s. About ten stops in a row have made a car refuse to
start, and others restart a quarter of an hour after a stop at the soonest."""
USUAL_LATENCY_S = 2.5
"""From a command to its answer, s, before this cloud has shown its own: the median of owners' reports."""


class Priority(StrEnum):
    """Who comes first where there is not enough for all."""

    FIRST = "first"
    NORMAL = "normal"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSettings:
    """What the owner set for one charger."""

    max_amps: int
    """The most it may be given, A per phase (5–48)."""
    min_amps: int = 5
    """The least it charges with; below it, it is stopped. 5 A is the floor of Tesla's own app."""
    managed: bool = True
    """Whether this site may command it at all."""
    priority: Priority = Priority.NORMAL
    phases: tuple[int, ...] | None = None
    """The phases that it loads, by their numbers from 1 (L1); None where nobody told."""
    profile: Profile = TESSIE


def _draws_here(report: ChargerReport) -> bool:
    """Tell whether it may draw current through this site's meter."""
    return report.state.draws and not report.asleep and report.at_home is not False


class ManagedCharger:
    """What is known, assumed and wanted of one charger."""

    def __init__(self, charger_id: str, settings: ChargerSettings) -> None:
        self.charger_id = charger_id
        self.settings = settings
        self.belief = Belief()
        self.report: ChargerReport | None = None
        self.measured_at = -math.inf
        """When the data of the last report was measured, s."""
        self.target = 0
        """The newest thing wanted of it, A; 0 is stopped."""
        self.request: int | None = None
        """The limit that it is assumed to have, A; None where nobody knows."""
        self.running = False
        """Whether it is assumed to charge, or to be about to."""
        self.paused = False
        """Whether it stands still because of us."""
        self.user_limit: int | None = None
        """What its user set below our target in the car's app, A."""
        self.in_flight: Command | None = None
        self.not_before = -math.inf
        """No command before this, s; inf where only its owner can mend that."""
        self.latency_s = USUAL_LATENCY_S
        self.report_wanted_at = -math.inf
        """No raise before a report that was measured after this, s."""
        self.chosen_at = -math.inf
        """When its target was last chosen, s."""
        self.debt_as = 0.0
        """What holding its minimum has cost so far, A·s over the budget."""
        self._sent_at = self._ended_at = self._stopped_at = -math.inf
        self._failures = self._resends = 0
        self._seen_running = self._stop_sent = False
        self._possible: set[int] = set()
        """Limits of which one is in force: what was sent since a report confirmed one, and what was there before."""
        self._unanswered: dict[int, float] = {}
        """Limits that were sent without an answer, and when that was given up, s: they may come into force yet."""
        self._starts = float(STARTS)
        self._starts_at = -math.inf

    # -- what comes in ------------------------------------------------------------------------------------------

    def add_report(self, report: ChargerReport, now: float) -> None:
        """Take what it says of itself, as far as that is newer than what is known."""
        measured_at = now - max(0.0, report.age_s)
        first = self.report is None
        self.report, self.measured_at = report, measured_at
        if first:
            self._adopt(report)
        elif not self.in_flight and (measured_at >= self._ended_at + OBEY_S or report.asleep):
            self._follow(report, measured_at, now)
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            self.user_limit, self.paused, self._failures = None, False, 0

    def _follow(self, report: ChargerReport, measured_at: float, now: float) -> None:
        """Take a report that shows what came of the last command."""
        if not _draws_here(report):
            self._stands_still(measured_at, now)
            return
        self._seen_running = self._seen_running or report.state is ChargingState.CHARGING
        self._stop_sent = False
        if not self.running:
            # Started by somebody else, or never stopped.
            self.running, self.paused = True, False
            self._adopt(report)
        elif now - measured_at < UNUSABLE_S:
            self._compare(report, measured_at, now)

    def _adopt(self, report: ChargerReport) -> None:
        """Go on from what it is doing, whoever told it."""
        self.running = self._seen_running = _draws_here(report)
        self.paused = self.paused and not self.running
        limits = [amps for amps in (report.requested_amps, report.measured_amps) if amps is not None]
        most = max(limits, default=float(self.request or self.settings.max_amps))
        # Where it does not tell its limit, it may draw what it does, or all it can.
        self.request = self.target = round(most if report.requested_amps is None else report.requested_amps)
        if not self.running:
            self.target = 0
            self.belief.settle(0.0, 0.0)
        elif report.measured_amps is not None and report.state is ChargingState.CHARGING and report.age_s < SUSPECT_S:
            self.belief.settle(report.measured_amps, report.measured_amps)
        else:
            self.belief.settle(0.0, most)

    def _stands_still(self, measured_at: float, now: float) -> None:
        change = self.belief.change
        if change and change.command.action is Action.START and measured_at < self._ended_at + START_S:
            return
        if self.running:
            # A stop of ours that nobody confirmed, or that an old report denied, and a start that came to nothing, are
            # ours; others its user's.
            recent = measured_at < self._stopped_at + SUSPECT_S
            self.paused = self._stop_sent or recent or not self._seen_running
        self.running = False
        self.target = 0
        self.belief.settle(0.0, 0.0)

    def _compare(self, report: ChargerReport, measured_at: float, now: float) -> None:
        """Hold a running charger's newer report against what is assumed."""
        requested = None if report.requested_amps is None else round(report.requested_amps)
        if requested is not None and requested != self.request:
            late = measured_at < self._unanswered.get(requested, -math.inf) + SUSPECT_S
            if late or requested in self._possible or self.request is None or requested == report.limit_amps:
                # Of our own, or the car's: nothing to go up for.
                self.target = min(self.target, requested)
                self.request = requested
            elif measured_at > self._ended_at + MANUAL_S:
                self.user_limit = requested if requested < self.target else None
                self.target = self.request = requested
        if requested is not None and requested == self.request:
            self._possible = {requested}
        if report.state is ChargingState.CHARGING and report.measured_amps is not None:
            measured = report.measured_amps
            if self.request is not None and abs(measured - self.request) <= STEADY_A:
                measured = float(self.request)
            change = self.belief.change
            if change and measured_at < change.ends_at() and abs(measured - change.to) > STEADY_A:
                return  # measured on its way: the rest of the way is not the house's
            self.belief.settle(measured, measured)
            self._resends = 0

    def acknowledge(self, outcome: Outcome, now: float, retry_after_s: float) -> None:
        """Take the end of the command in flight."""
        command, change = self.in_flight, self.belief.change
        if command is None:
            return
        self.in_flight, self._ended_at = None, now
        self.latency_s += 0.2 * (min(now - self._sent_at, 45.0) - self.latency_s)
        if change:
            change.acked_at = now
        if retry_after_s:
            self.not_before = now + retry_after_s
        if outcome is Outcome.UNKNOWN and command.action is Action.SET_AMPS:
            self._unanswered[command.amps] = now
        if outcome is Outcome.ACCEPTED or (
            outcome is Outcome.UNKNOWN and change and (not change.is_cut or change.seen_at is not None)
        ):
            # A raise that may have been applied is taken for applied: that is the higher of the two.
            self._failures = 0
            if command.action is Action.SET_AMPS:
                self.request = command.amps
            else:
                self.running = command.action is Action.START
                self.paused = not self.running
                if self.paused:
                    self.target = 0
            return
        self._failures += 1
        retry_s = RETRY_S[min(self._failures, len(RETRY_S)) - 1]
        if outcome is Outcome.UNKNOWN:
            retry_s = max(retry_s, UNKNOWN_S)
        again_at = now + REFUSED_S if outcome is Outcome.REFUSED else self._sent_at + retry_s
        self.not_before = max(self.not_before, again_at)
        if command.action is Action.SET_AMPS and outcome is Outcome.UNKNOWN:
            self.request = None
        # A raise is to be weighed again rather than repeated.
        if not self.running:
            self.target = 0
        elif change and not change.is_cut:
            self.target = self.request or self.target

    def settled(self, change: Change) -> None:
        """Take note that the meter has shown a change."""
        self._resends = 0
        if change.command.action is Action.SET_AMPS:
            self.request = change.command.amps

    # -- what is known ------------------------------------------------------------------------------------------

    def not_ours(self, mode: Mode, now: float) -> Reason | None:
        """Why it is not to be commanded; None where it is."""
        if mode is Mode.OFF:
            return Reason.OFF
        if not self.settings.managed:
            return Reason.NOT_MANAGED
        return self.out_of_reach(now)

    def out_of_reach(self, now: float) -> Reason | None:
        """Why nobody should command it, whatever its owner set; None where one may."""
        report = self.report
        if report is None:
            return Reason.NO_REPORT
        if self.not_before - now > BLOCKED_S:
            return Reason.BLOCKED
        if report.at_home is not True:
            return Reason.AWAY
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            return Reason.UNPLUGGED
        if report.asleep:
            return Reason.ASLEEP
        if report.scheduled:
            return Reason.SCHEDULED
        if report.state is ChargingState.COMPLETE:
            return Reason.COMPLETE
        if report.state is ChargingState.NO_POWER:
            return Reason.NO_POWER
        return None if self.running or self.paused else Reason.STOPPED_BY_USER

    def cap(self, budget: int) -> int:
        """Return the most that it may be given, A."""
        limits = [self.settings.max_amps, budget]
        if self.report and self.report.limit_amps is not None and self.report.limit_amps >= 1:
            limits.append(int(self.report.limit_amps))
        if self.user_limit is not None:
            limits.append(self.user_limit)
        return min(limits)

    @property
    def expected_amps(self) -> float:
        """What it will draw once everything that was asked of it has happened, A."""
        if self.running and self.target and self.belief.change is None and self.request == self.target:
            return min(float(self.target), self.belief.high)
        return float(self.target)

    @property
    def start_is_due(self) -> bool:
        """Whether it was meant to start, and was not told to yet."""
        return self.target > 0 and not self.running and self.in_flight is None

    @property
    def uses_what_it_has(self) -> bool:
        """Whether it draws about as much as it may."""
        return self.request is None or self.belief.high >= self.request - 1 - STEADY_A

    def starts_left(self, now: float) -> float:
        """Return how many starts are allowed now; a part of one is not enough."""
        return min(float(STARTS), self._starts + (now - self._starts_at) / START_EVERY_S)

    # -- what goes out ------------------------------------------------------------------------------------------

    def look(self, now: float, read_at: float) -> bool:
        """Draw the consequences of a change that did not show in time; return whether a cut has to be sent again.

        A cut is sent again also where the meter has said nothing since; of a raise only a reading (`read_at`) can tell.
        """
        change = self.belief.change
        if change is None or not self.belief.is_overdue(now if change.is_cut else read_at):
            return False
        if not change.is_cut:
            # Not seen: it may not have come, or the car may not use it. Only a report can tell.
            self.belief.settle(change.low, change.low)
            self.report_wanted_at = now
            if change.command.action is Action.START:
                self.running, self.paused, self.target = False, True, 0
            return False
        patience_s = RESEND_S[min(self._resends, len(RESEND_S) - 1)]
        if self.in_flight or now < max(self.not_before, self._sent_at + patience_s):
            return False
        self._resends += 1
        if change.command.action is Action.STOP:
            self.running = True
        else:
            self.request = None
        return True

    def next_command(self, now: float) -> Command | None:
        """Return the next command towards the target; None where none is needed, or none may be sent yet."""
        if self.in_flight or now < self.not_before:
            return None
        if self.running and self.target == 0:
            return Command(charger_id=self.charger_id, action=Action.STOP)
        if self.target and self.request != self.target:
            return Command(charger_id=self.charger_id, action=Action.SET_AMPS, amps=self.target)
        if self.target and not self.running:
            return Command(charger_id=self.charger_id, action=Action.START)
        return None

    def send(self, command: Command, now: float) -> None:
        """Put a command in flight."""
        self.in_flight, self._sent_at = command, now
        if command.action is Action.SET_AMPS:
            self._possible |= {command.amps, self.request or command.amps}
        self._stop_sent = command.action is Action.STOP or (self._stop_sent and command.action is Action.SET_AMPS)
        if command.action is Action.STOP:
            self._stopped_at = now
        if command.action is Action.START:
            self._seen_running = False
            self._starts = self.starts_left(now) - 1
            self._starts_at = now
        if command.action is not Action.SET_AMPS or self.running:
            to = {Action.STOP: 0.0, Action.START: float(self.request or self.target)}.get(
                command.action, float(command.amps)
            )
            self.belief.begin(command, to, now)
