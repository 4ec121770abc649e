"""One charger as the controller sees it: whose it is, what it was told, and what it is believed to do."""

from collections.abc import Callable, Mapping
import math
from typing import Any, TypedDict

from .belief import STEADY_A, Belief, Change
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .decision import Mode, Reason
from .settings import ChargerSettings
from .usual import Usual

SUSPECT_S, UNUSABLE_S = 120.0, 300.0
"""Age of a report from which it allows no raise, and from which its numbers are not used at all, s; in between Tesla's
cloud is merely slow."""
LATE_S = 300.0
"""How long after a command was given up without an answer it may come yet, s: in a simulated cloud that takes 20 s for
most, and 64 for some, stops came two minutes later."""
OBEY_S = 5.0
"""A report that is newer than the answer to a command by this much shows its effect, s: 3 s to move, and a bit."""
RESEND_S = (5.0, 8.0, 16.0, 32.0, 64.0, 120.0)
"""How long after a cut that did not show it may be sent again, s, so that a deaf car is not hammered. Two chances come
quickly: at 1.6 times its rating a warm breaker has half a minute."""
DISOBEYED_A = 1.0 + STEADY_A
"""Who draws more than the limit that it tells by this much does not keep it, A: a car may be an ampere off."""
DISOBEYED_S = 16.0
"""How long after a limit was told that is not kept it is told again, s: who hears again obeys within half a minute."""
RETRY_S = (2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
"""How long after a command that failed on its way the next may be sent, s."""
URGENT_S = 10.0
"""What the protection bears for less than this until half of its tolerance is used cannot wait for an answer, s: a warm
breaker opens after twice or three times as long, and a client waits for an answer as long."""
AGAIN_S = 3.0
"""How long after a cut that has no answer, or that failed, the next is sent at the latest where it cannot wait, s: half
of all answers come within 2.5 s. To lower twice does no harm, and no cloud is known to mind 20 calls in a minute."""
AGAIN_TIMES = 7
"""How often that is done: for the 20 s in which a warm breaker opens. Later `URGENT_S` are between two."""
UNKNOWN_S = 8.0
"""How long after a command without an answer the next may be sent, s: the meter shows by then one that came through."""
BLOCKED_S = 120.0
"""A longer wait than any of our own is what the cloud asked for: token, subscription, key, or too many calls."""
REFUSED_S = 60.0
"""How long to leave a car alone that said no, s: the next report will say why."""
WAKE_EVERY_S = 3600.0
"""How long after it was woken a car may be woken again, s: each time costs it energy, and may come to nothing."""
STARTS, START_EVERY_S = 4, 900.0
"""Starts in a row, and the time after which one more is allowed, s. About ten stops in a row have made a car refuse to
start, and others restart a quarter of an hour after a stop at the soonest."""
LONGEST_COMMAND_S = 60.0
"""A command without an end after this has no end, s: every client gives up before."""
PERSON_RAISE_S, PERSON_CUT_S = 900.0, (30.0, 60.0)
"""What only a person can fix: how long until a raise is tried again, s, and until a cut is, the first time and later.
It may be fixed without our hearing of it, and a cut that is refused costs nothing."""
PATIENCE_CUT_S = 120.0
"""The longest that a cut waits because the cloud asked for patience, s: a breaker at 1.45 times its rating may have an
hour, and a cloud that was asked too often says so again."""
REFUSING_S = 20.0
"""For how long no command gets through before that is the reason, s: a hiccup is over by then, at the third try."""
DEAF_S = 5.0
"""Who cannot be told anything for longer than this is not waited for, s: another can be lowered within it."""
NOTHING_S = 10.0
"""Nor who has done nothing of what it was told for longer than this, s: a client waits for an answer as long, and a cut
that was lost shows by then."""
UNUSED_S = 30.0
"""Who uses less than it may for so long is taken to go on so, s: a car raises its current within 20 s."""


class ChargerRecord(TypedDict):
    """What has to survive a restart."""

    paused: bool
    user_limit: int | None
    phases: list[int] | None
    """What was learned of its phases, from 0."""


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
        self.rehearsed: int | None = None
        """The most that a rehearsal lets it have, A; None while there is none."""
        self.rations: Mapping[Reason, int] = {}
        """The most that it may have for other reasons than the supply, A, each by its reason; 0 lets it stand still."""
        self.usual = Usual()
        """What it usually can have, by the hour of the week."""
        self.in_flight: Command | None = None
        self.not_before = self.no_cut_before = -math.inf
        """No command before this, s; and no cut."""
        self._urgent_at = math.inf
        """From when on a cut may follow one that failed, where the protection does not bear the wait, s."""
        self.deaf_at = math.inf
        """Since when nothing that it was told has come to anything, s; inf while it obeys."""
        self.is_failing = False
        """Whether that is because commands fail, rather than that nothing comes of them."""
        self.latency_s = settings.profile.latency_s
        self.report_wanted_at = -math.inf
        """No raise before a report that was measured after this, s."""
        self.chosen_at = -math.inf
        """When its target was last chosen, s."""
        self.debt_as = 0.0
        """What holding its minimum has cost so far, A·s over the budget."""
        self.is_held = False
        """Whether it is held at its minimum although not even that fits."""
        self.settled_at = -math.inf
        """When the meter had shown all of its last change, s."""
        self.learned: tuple[int, ...] | None = None
        """The phases that it was seen to load, from 0."""
        self._odd: tuple[int, ...] | None = None
        self.has_turn = False
        self.turn_at = self.waiting_at = -math.inf
        """Since when it has had its turn, and has waited for one, s."""
        self._unused_at = math.inf
        self._sent_at = self._ended_at = self._stopped_at = self._tried_at = -math.inf
        self._accepted: tuple[Command | None, float] = (None, math.inf)
        """What was accepted last, and when first."""
        self._failures = self._resends = 0
        self._seen_running = self._stop_sent = False
        self._stop_is_denied = False
        """Whether it is only said to charge by what was last said before our stop: what is stuck denies nothing."""
        self._is_doubted = False
        """Whether it is only said to charge by what may be older than a stop of ours before we began."""
        self._possible: set[int] = set()
        """Limits of which one is in force: what was sent since a report confirmed one, and what was there before."""
        self._unanswered: dict[int, float] = {}
        """Limits that were sent without an answer, and when that was given up, s: they may come into force yet."""
        self._unanswered_stop_at = -math.inf
        """When a stop was given up that had no answer, s: it may come yet, also after a start."""
        self.woken_at = -math.inf
        self._sent: Action | None = None
        self._writes = 0.0
        self._starts = float(STARTS)
        self._starts_at = -math.inf

    # -- what comes in ------------------------------------------------------------------------------------------

    def add_report(self, report: ChargerReport, now: float, *, is_watched: bool = True) -> None:
        """Take what it says of itself, as far as that is newer than what is known.

        `is_watched` is whether the meter could show what it does.
        """
        measured_at = now - max(0.0, report.age_s)
        last, self.report, self.measured_at = self.report, report, measured_at
        proves_cut = is_watched and self._proves(report, measured_at)
        if not _draws_here(report) and (self.running or not self.is_failing):
            self.deaf_at = math.inf  # it stopped, whatever the meter shows
        if last is None:
            was_paused = self.paused
            self._adopt(report)
            if was_paused and self.running:
                # It may be its cloud's copy of before our stop: what is measured from now on tells whose pause it is
                self._stop_sent, self._ended_at, self._is_doubted = True, now, True
        elif not self.in_flight and (measured_at >= self._ended_at + OBEY_S or report.asleep):
            self._follow(report, measured_at, now)
        elif proves_cut:
            if _draws_here(report):
                self._compare(report, measured_at, now)
            else:
                self._stands_still(measured_at, now)
        if last is not None and last.phases != report.phases:
            self.learned = None
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            self.user_limit, self.paused, self._failures, self.deaf_at = None, False, 0, math.inf
        self._note_use(now)

    def stands_after_all(self, least_shown: Callable[[float], float], shown: float, now: float) -> bool:
        """Take it that our stop did come, where the meter shows too little for what an older report says that it draws.

        Its cloud's copy may be stuck in the time before it; then only the meter tells. Return whether that was so.
        """
        report = self.report
        if report is None or not (self.running and self._is_doubted) or self.in_flight or self.belief.change:
            return False
        if now < self._ended_at + OBEY_S or report.measured_amps is None or shown >= least_shown(report.measured_amps):
            return False
        self.running, self.paused, self.target, self._is_doubted = False, True, 0, False
        self.belief.settle(0.0, 0.0)
        return True

    def _note_use(self, now: float) -> None:
        """Note since when it leaves something unused, until it uses all again: an ampere too much proves nothing."""
        if not self.running or (self.request is not None and self.belief.low >= self.request - STEADY_A):
            self._unused_at = math.inf
        elif not self.uses_what_it_has:
            self._unused_at = min(self._unused_at, now)

    @property
    def accepted_at(self) -> float:
        """When the last command that was accepted was accepted first, s; inf where none was."""
        return self._accepted[1]

    def _proves(self, report: ChargerReport, measured_at: float) -> bool:
        """Whether it shows that a cut came which is sent again just now: a house that rose meanwhile hides it."""
        change, (command, accepted_at) = self.belief.change, self._accepted
        if change is None or not change.is_cut or change.command != command or report.measured_amps is None:
            return False
        if command.action is Action.STOP and not _draws_here(report):
            # One like it may have been accepted before this one: what was measured before is no proof
            accepted_at = max(accepted_at, self.deaf_at)
            has_obeyed = report.measured_amps <= STEADY_A
        else:
            has_obeyed = abs(report.measured_amps - change.to) <= STEADY_A and report.state is ChargingState.CHARGING
        return has_obeyed and measured_at >= accepted_at + OBEY_S

    def _follow(self, report: ChargerReport, measured_at: float, now: float) -> None:
        """Take a report that shows what came of the last command."""
        self._is_doubted = False
        if not _draws_here(report):
            self._stands_still(measured_at, now)
            return
        self._seen_running = self._seen_running or report.state is ChargingState.CHARGING
        is_stuck = now - report.quiet_s < self._stopped_at
        self._stop_is_denied = is_stuck and (self._stop_sent or self._stop_is_denied)
        self._stop_sent = False
        if not self.running:
            self._adopt(report)  # started by somebody else, or never stopped
        elif now - measured_at < UNUSABLE_S:
            self._compare(report, measured_at, now)

    def _adopt(self, report: ChargerReport) -> None:
        """Go on from what it is doing, whoever told it."""
        self.running = self._seen_running = _draws_here(report)
        self.paused = self.paused and not self.running
        limits = [amps for amps in (report.requested_amps, report.measured_amps) if amps is not None]
        most = max(limits, default=float(self.settings.max_amps if self.request is None else self.request))
        # Where it does not tell its limit, it may draw what it does, or all it can.
        self.request = self.target = round(most if report.requested_amps is None else report.requested_amps)
        if self.user_limit is not None and self.request > self.user_limit:
            self.user_limit = None
        if not self.running:
            self.target = 0
            self._settle_standing(report)
        elif report.measured_amps is not None and report.state is ChargingState.CHARGING and report.age_s < SUSPECT_S:
            self.belief.settle(report.measured_amps, report.measured_amps)
        else:
            self.belief.settle(0.0, most)

    def _stands_still(self, measured_at: float, now: float) -> None:
        change, start_s = self.belief.change, self.settings.profile.start_s
        if change and change.command.action is Action.START and measured_at < self._ended_at + start_s:
            return
        if self.running:
            # A stop of ours that nobody confirmed, or that an old report denied, one that comes late, and a start that
            # came to nothing, are ours; others its user's.
            recent = measured_at < max(self._stopped_at + SUSPECT_S, self._unanswered_stop_at + LATE_S)
            self.paused = self._stop_sent or self._stop_is_denied or recent or not self._seen_running
        self.running = False
        self.target = 0
        if self.report is not None:
            self._settle_standing(self.report)
            # Somebody may set it while it stands, and it would start with that
            self._note_limit(self.report, measured_at)

    def _settle_standing(self, report: ChargerReport) -> None:
        """A car that does not charge may draw current all the same: it heats its cabin, full or stopped."""
        usable = report.age_s < SUSPECT_S and report.at_home is not False
        drawn = report.measured_amps if usable and not report.asleep and report.plugged_in is not False else 0.0
        self.belief.settle(drawn or 0.0, drawn or 0.0)

    def _note_limit(self, report: ChargerReport, measured_at: float) -> None:
        """Hold the limit that it tells against the one that it is assumed to have."""
        if report.requested_amps is None:
            return
        requested, had = round(report.requested_amps), self.target if self.running else self.request
        if requested < self.floor:
            # Less than it can charge with is nobody's wish: what we want is sent again, or weighed if nothing flows.
            # Whom 0 A pauses may say so until what it was told since has come
            self.request = requested
            if not requested and self.belief.change is None:
                self.target = 0
        elif requested != self.request:
            late = measured_at < self._unanswered.get(requested, -math.inf) + LATE_S
            if late or requested in self._possible or self.request is None or requested == report.limit_amps:
                # Of our own, or the car's: nothing to go up for.
                self.target = min(self.target, requested)
                self.request = requested
            elif measured_at > self._ended_at + self.settings.profile.late_limit_s:
                self.user_limit = requested if had is not None and requested < had else None
                self.request = requested
                if self.running:
                    self.target = requested
        if requested == self.request:
            self._possible = {requested}

    def _compare(self, report: ChargerReport, measured_at: float, now: float) -> None:
        """Hold a running charger's newer report against what is assumed."""
        self._note_limit(report, measured_at)
        if report.state is ChargingState.CHARGING and report.measured_amps is not None:
            measured = report.measured_amps
            if self.request is not None and abs(measured - self.request) <= STEADY_A:
                measured = float(self.request)
            change = self.belief.change
            if change and measured_at < change.ends_at() and abs(measured - change.to) > STEADY_A:
                return  # measured on its way: the rest of the way is not the house's
            if change:
                self.settled_at = now
                if abs(measured - change.to) <= STEADY_A:
                    self.deaf_at = math.inf
                elif change.is_cut:  # of a raise it may leave a part unused
                    self.deaf_at = min(self.deaf_at, change.sent_at)
            self.belief.settle(measured, measured)
            self._resends = 0
            excess = 0.0 if self.request is None else measured - self.request
            if excess <= STEADY_A or not self.settings.profile.report_is_evidence:
                return
            is_late = measured_at < self._ended_at + self.settings.profile.late_limit_s
            is_due = excess > DISOBEYED_A and not is_late and now >= self._sent_at + DISOBEYED_S
            if report.requested_amps is None or is_due:
                self.request = None  # the cut did not come, or did not last, and its limit does not tell so: once more

    def acknowledge(
        self, command: Command, outcome: Outcome, now: float, *, retry_after_s: float = 0.0, needs_person: bool = False
    ) -> None:
        """Take the end of the command in flight; the end of any other comes too late to say anything."""
        change = self.belief.change
        if command is not self.in_flight:
            # An equal one was sent again meanwhile: only that its cloud asks for patience counts, and shortens none
            if retry_after_s > 0:
                before = self.not_before, self.no_cut_before
                self._wait(retry_after_s, now)
                self.not_before = max(self.not_before, before[0])
                self._urgent_at = self.no_cut_before = max(self.no_cut_before, before[1])
            return
        self.in_flight, self._ended_at = None, now
        if outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
            self.latency_s += 0.2 * (min(now - self._tried_at, 45.0) - self.latency_s)
        if change:
            change.acked_at = now
        if outcome is Outcome.ACCEPTED and command != self._accepted[0]:
            self._accepted = command, now
        if outcome is Outcome.ACCEPTED:
            self.not_before = self.no_cut_before = now
        if retry_after_s > 0:
            self._wait(retry_after_s, now)
        if outcome is Outcome.UNKNOWN and command.action is Action.SET_AMPS:
            self._unanswered[command.amps] = now
        if outcome is Outcome.UNKNOWN and command.action is Action.STOP:
            self._unanswered_stop_at = now
        if outcome is Outcome.ACCEPTED or (
            outcome is Outcome.UNKNOWN and change and (not change.is_cut or change.seen_at is not None)
        ):
            # A raise that may have been applied is taken for applied: that is the higher of the two.
            self._failures = 0
            if self.is_failing:
                self.deaf_at, self.is_failing = math.inf, False
            if command.action is Action.SET_AMPS:
                self.request = command.amps
            else:
                self.running = command.action is Action.START
                self.paused = not self.running
                if self.paused:
                    self.target = 0
            return
        self._failures += 1
        self.deaf_at, self.is_failing = min(self.deaf_at, self._sent_at), True
        retry_s = RETRY_S[min(self._failures, len(RETRY_S)) - 1]
        if outcome is Outcome.UNKNOWN:
            retry_s = max(retry_s, UNKNOWN_S)
        again_at = now + REFUSED_S if outcome is Outcome.REFUSED else self._sent_at + retry_s
        cut_at = again_at
        if needs_person:
            again_at = now + PERSON_RAISE_S
            cut_at = now + PERSON_CUT_S[min(self._failures, len(PERSON_CUT_S)) - 1]
        self.not_before = max(self.not_before, again_at)
        self.no_cut_before = max(self.no_cut_before, cut_at)
        is_told_to_wait = retry_after_s > 0 or needs_person or outcome is Outcome.REFUSED
        self._urgent_at = self.no_cut_before if is_told_to_wait else self._sent_at + self._again_s
        if command.action is Action.SET_AMPS and outcome is Outcome.UNKNOWN:
            self.request = None
        # A raise is to be weighed again rather than repeated.
        if not self.running:
            self.target = 0
        elif change and not change.is_cut:
            self.target = self.target if self.request is None else self.request

    def _wait(self, seconds: float, now: float) -> None:
        """Send nothing for as long as its cloud asks for, but a cut after a while."""
        self.not_before = now + seconds
        self._urgent_at = self.no_cut_before = now + min(seconds, PATIENCE_CUT_S)

    def learn(self, phases: tuple[int, ...] | None) -> None:
        """Take the phases on which a step of it showed; None where that was not clear. One odd step is passed over."""
        if phases is None or phases == self.learned:
            self._odd = None
        elif self.learned is None or phases == self._odd:
            self.learned, self._odd = phases, None
        else:
            self._odd = phases

    def drop_cut(self, room: float) -> None:
        """Give up a cut that did not arrive, where what it was to end has ended by itself."""
        high = self.belief.bounds(math.inf)[1]
        known = round(high) if self.request is None else self.request
        if self.in_flight or not self.running or self.target >= known or high > room:
            return
        # A report may have settled already what the cut was sent for: then it is only wanted still
        if (change := self.belief.change) is None or change.is_cut:
            self.target = self.request = known
            self.belief.settle(self.belief.low, high)

    def settled(self, change: Change, now: float) -> None:
        """Take note that the meter has shown a change."""
        self._resends, self.settled_at, self.deaf_at = 0, now, math.inf
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
        if report.at_home is not True:
            return Reason.PLACE_UNKNOWN if report.at_home is None else Reason.AWAY
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            return Reason.UNPLUGGED
        if report.asleep:
            return Reason.ASLEEP
        if report.scheduled and not self.paused:
            return Reason.SCHEDULED
        if report.state is ChargingState.COMPLETE:
            return Reason.COMPLETE
        if report.state is ChargingState.NO_POWER:
            return Reason.NO_POWER
        return None if self.running or self.paused else Reason.STOPPED_BY_USER

    def may_be_woken(self, now: float) -> bool:
        """Whether it sleeps because of us, and its owner allows to wake it."""
        return self.settings.may_wake and self.paused and now >= self.woken_at + WAKE_EVERY_S

    @property
    def is_asleep(self) -> bool:
        """Whether it says that it sleeps: what it told before is all there is."""
        return self.report is not None and self.report.asleep

    def is_blocked(self, now: float) -> bool:
        """Whether its cloud refuses us for longer than any patience of our own."""
        return self.not_before - now > BLOCKED_S

    def is_deaf(self, now: float) -> bool:
        """Whether something is wanted of it, and nothing that it was told has come to anything."""
        return self.deaf_at < math.inf and (self._is_wanted or now - self._sent_at < 2 * RETRY_S[-1])

    @property
    def _is_wanted(self) -> bool:
        """Whether anything is that it was not seen to do."""
        return bool(self.in_flight or self.belief.change or self._next_command())

    def is_refusing(self, now: float) -> bool:
        """Whether what is wanted of it fails again and again."""
        return self.is_failing and now - self.deaf_at > REFUSING_S and self.is_deaf(now)

    @property
    def floor(self) -> int:
        """The least that it can charge with, A; less only where its owner wants it to be tried."""
        if self.settings.profile.is_switched:
            return self.settings.max_amps
        told = 0.0 if self.report is None else self.report.least_amps or 0.0
        return max(min(self.settings.profile.floor_amps, self.settings.min_amps), math.ceil(told))

    def least(self, cap: int) -> int:
        """Return the least that it charges with, A: its owner's minimum, or its own where it may not even have that."""
        return max(self.settings.min_amps, self.floor) if self.settings.min_amps <= cap else self.floor

    def cap(self, budget: int) -> int:
        """Return the most that it may be given, A."""
        return min([self.most(budget), *self.rations.values()])

    def rationed_by(self, budget: int) -> Reason | None:
        """Return why it may have less than it could, where that is for another reason than the supply."""
        cap = self.most(budget)
        amps, reason = min(((amps, reason) for reason, amps in self.rations.items()), default=(cap, None))
        return reason if amps < cap else None

    def most(self, budget: int) -> int:
        """Return the most that it can be given, A, if nothing but the supply, itself and its user matters."""
        limits = [self.settings.max_amps, budget]
        # A limit of its own below its floor is for itself to keep
        if self.report and self.report.limit_amps is not None and self.report.limit_amps >= self.floor:
            limits.append(int(self.report.limit_amps))
        if self.user_limit is not None:
            limits.append(self.user_limit)
        if self.rehearsed is not None:
            limits.append(self.rehearsed)
        return min(limits)

    @property
    def expected_amps(self) -> float:
        """What it will draw once everything that was asked of it has happened, A."""
        change = self.belief.change
        if not self.running and not self.target:
            return self.belief.high if change is None else change.to
        if change is None and self.running and self.target and self.request == self.target:
            return min(float(self.target), self.belief.high)
        return float(self.target)

    def is_waited_for(self, now: float) -> bool:
        """Whether the others may count on what it was told: it can be told, and what it was told last shows so far."""
        cannot_be_told = not self.in_flight and self.no_cut_before - now > DEAF_S
        return not (cannot_be_told or (self._is_wanted and now - self.deaf_at > NOTHING_S))

    def expected_by_others(self, now: float) -> float:
        """What the others have to reckon with, A: where it is not waited for, with what it draws."""
        if self.is_waited_for(now):
            return self.expected_amps
        return max(self.expected_amps, self.belief.bounds(now)[1])

    @property
    def committed_amps(self) -> float:
        """The most that it may draw without being told anything more, A."""
        return max(float(self.target), self.belief.high)

    @property
    def draws_unasked(self) -> bool:
        """Whether it draws current although it does not charge."""
        stops = self.belief.change is not None and self.belief.change.command.action is not Action.SET_AMPS
        return not (self.running or self.target or stops) and self.belief.high > STEADY_A

    def usable_amps(self, cap: int, now: float) -> int:
        """Return what it would use of `cap`, A: who has left an ampere or more unused for a while will go on so."""
        if now - self._unused_at < UNUSED_S:
            return cap
        return min(cap, max(self.least(cap), math.ceil(self.belief.high) + 1))

    @property
    def is_told_of_last_command(self) -> bool:
        """Whether what it said last was measured after everything that it was told had its effect."""
        return self.belief.is_settled and not self.in_flight and self.measured_at >= self._ended_at + OBEY_S

    @property
    def stop_is_unproven(self) -> bool:
        """Whether its newest report is older than the stop that it is assumed to have obeyed."""
        is_past = not (self.running or self.target or self.in_flight or self.belief.change)
        return is_past and self.paused and self.report is not None and _draws_here(self.report)

    @property
    def start_is_due(self) -> bool:
        """Whether it was meant to start, and was not told to yet."""
        return self.target > 0 and not self.running and self.in_flight is None

    @property
    def uses_what_it_has(self) -> bool:
        """Whether it draws about as much as it may."""
        if not self.running or self.request is None or not self.belief.is_settled:
            return True
        return self.belief.high >= self.request - 1 - STEADY_A

    def starts_left(self, now: float) -> float:
        """Return how many starts are allowed now; a part of one is not enough."""
        return min(float(STARTS), self._starts + (now - self._starts_at) / START_EVERY_S)

    # -- what goes out ------------------------------------------------------------------------------------------

    def hurry(self, now: float, bears_s: float) -> None:
        """Send a cut after one that failed sooner where the protection does not bear the wait, unless asked to wait."""
        if bears_s < self.no_cut_before - now:
            self.no_cut_before = min(self.no_cut_before, self._urgent_at)

    def look(self, now: float, read_at: float, *, lag_s: float = 0.0) -> bool:
        """Draw the consequences of a change that did not show in time; return whether a cut has to be sent again.

        A cut is sent again also where the meter has said nothing since, but `lag_s` later, by which it is slower than
        most; of a raise only a reading (`read_at`) can tell.
        """
        change = self.belief.change
        seen_until = max(min(read_at, now), now - lag_s)
        if change is None or not self.belief.is_overdue(seen_until if change.is_cut else read_at):
            return False
        if not change.is_cut:
            # Not seen: it may not have come, or the car may not use it. Only a report can tell.
            self.belief.settle(change.low, change.low)
            self.report_wanted_at = now
            if change.command.action is Action.START:
                self.running, self.paused, self.target = False, True, 0
            return False
        if self.in_flight or now < max(self.no_cut_before, self._sent_at + self._patience_s):
            return False
        if self.is_too_soon(change.command, now):
            return False
        self._resends += 1
        self.deaf_at = min(self.deaf_at, change.sent_at)
        if self._resends > 1:
            # Not where it was looked for: perhaps it loads other phases than it once seemed
            self.learned = None
        if change.command.action is Action.STOP:
            self.running = True
        else:
            self.request = None
        return True

    def may_have_obeyed(self, read_at: float, now: float) -> bool:
        """Whether a cut of which the meter shows nothing may have come all the same, as the house rose by as much.

        It was answered, and must have shown by the last reading (`read_at`); or some were not, for long.
        """
        change = self.belief.change
        if change is None or not change.is_cut:
            return False
        has_no_answer = any(at > self.deaf_at for at in self._unanswered.values())
        return self.belief.is_overdue(read_at) or (has_no_answer and now - self.deaf_at > NOTHING_S)

    @property
    def _patience_s(self) -> float:
        """How long after a cut it may be sent again, s."""
        return RESEND_S[min(self._resends, len(RESEND_S) - 1)]

    def doubt_stop(self, now: float) -> bool:
        """Take it that an unproven stop may not have come after all; return whether it has to be sent again.

        Only the meter showed it, and a house that fell in the same seconds would have looked the same.
        """
        if now < max(self.no_cut_before, self._sent_at + self._patience_s):
            return False
        self._resends += 1
        self.running = True
        self.belief.settle(0.0, self.belief.high if self.request is None else float(self.request))
        return True

    def next_command(self, now: float) -> Command | None:
        """Return the next command towards the target; None where none is needed, or none may be sent yet."""
        command = self._next_command()
        if command is None or self.in_flight or self.is_too_soon(command, now):
            return None
        return command if now >= (self.no_cut_before if self.is_cut(command) else self.not_before) else None

    def is_too_soon(self, command: Command, now: float) -> bool:
        """Whether it was told something so shortly before that this has to wait.

        A stop never does, nor a start with the limit that it was given for it.
        """
        is_rest = command.action is Action.START and self._sent is Action.SET_AMPS
        return command.action is not Action.STOP and not is_rest and now < self.written_until

    @property
    def written_until(self) -> float:
        """Until when it is not to be told anything more, s."""
        return self._sent_at + self.settings.profile.write_every_s

    def cut_waits_s(self, now: float) -> float:
        """Return for how long a cut that is wanted, or was lost, has to wait because it was told just now, s."""
        command, change = self._next_command(), self.belief.change
        if change is not None and change.is_cut and self.belief.is_overdue(now):
            command = change.command
        elif command is not None and not self.is_cut(command):
            return 0.0
        if command is None or self.in_flight or not self.running or not self.is_too_soon(command, now):
            return 0.0
        return self.written_until - now

    def writes_left(self, now: float) -> float:
        """Return how many raises it bears now; a part of one is not enough."""
        a_day = self.settings.profile.writes_per_day
        if not a_day:
            return math.inf
        if self._sent is None:
            return float(a_day)
        return min(float(a_day), self._writes + (now - self._sent_at) * a_day / 86400)

    def is_cut(self, command: Command) -> bool:
        """Whether a command takes something from it."""
        if command.action is not Action.SET_AMPS:
            return command.action is Action.STOP
        known = self.belief.high if self.request is None else float(self.request)
        return command.amps < known

    def _next_command(self) -> Command | None:
        if self.running and self.target == 0:
            # A limit of 0 A stops the current as well: nothing is left to stop
            is_still = self.request == 0 and self.belief.bounds(math.inf)[1] <= STEADY_A
            return None if is_still else Command(charger_id=self.charger_id, action=Action.STOP)
        if self.target and self.request != self.target:
            return Command(charger_id=self.charger_id, action=Action.SET_AMPS, amps=self.target)
        if self.target and not self.running:
            return Command(charger_id=self.charger_id, action=Action.START)
        return None

    @property
    def _again_s(self) -> float:
        """How long after a cut that cannot wait the next may be sent, s; a cloud that is down is asked less often."""
        return AGAIN_S if self._failures < AGAIN_TIMES else URGENT_S

    def is_lost(self, now: float) -> bool:
        """Whether the end of the command in flight will not be heard of any more."""
        return self.in_flight is not None and now - self._sent_at > LONGEST_COMMAND_S

    def stop_waiting(self, now: float, bears_s: float) -> None:
        """Give up the command in flight where its end will not be heard of any more.

        Also a cut that shows nothing yet, where the protection bears what flows for `bears_s` only, so that it is sent
        once more: its end may come far too late.
        """
        if (command := self.in_flight) is None:
            return
        change, is_due = self.belief.change, now >= self._sent_at + self._again_s
        if self.is_lost(now):
            self.acknowledge(command, Outcome.UNKNOWN, now)
        elif is_due and bears_s < URGENT_S and change and change.is_cut and change.seen_at is None:
            latency_s, no_cut_before = self.latency_s, max(self.no_cut_before, now)
            self.acknowledge(command, Outcome.UNKNOWN, now)
            self.latency_s = latency_s
            self._urgent_at = self.no_cut_before = no_cut_before

    def send(self, command: Command, now: float, before: tuple[float, ...]) -> None:
        """Put a command in flight; the meter said `before` of the phases last."""
        if self.settings.profile.writes_per_day:
            self._writes = self.writes_left(now) - 1
        self.in_flight, self._sent_at, self._sent = command, now, command.action
        self._is_doubted = False
        lowers = self.is_cut(command)
        if not (lowers and self._failures):
            self._tried_at = now
        if command.action is Action.SET_AMPS:
            self._possible |= {command.amps, command.amps if self.request is None else self.request}
        self._stop_sent = command.action is Action.STOP or (self._stop_sent and command.action is Action.SET_AMPS)
        if command.action is Action.STOP:
            self._stopped_at = now
        if command.action is Action.START:
            self._seen_running, self._stopped_at = False, -math.inf
            self._starts = self.starts_left(now) - 1
            self._starts_at = now
        if command.action is Action.SET_AMPS and not self.running and not self.draws_unasked:
            return
        match command.action:
            case Action.STOP:
                to = 0.0
            case Action.START:
                to = float(self.target if self.request is None else self.request)
            case Action.SET_AMPS:
                to = float(command.amps)
                if lowers and self.belief.is_settled and to >= self.belief.high:
                    return  # it draws less than that already: no current moves
        self.belief.begin(command, to, now, profile=self.settings.profile, before=before)

    # -- what is kept -------------------------------------------------------------------------------------------

    def record(self) -> ChargerRecord:
        """Return what has to survive a restart, as JSON holds it.

        Whose pause it is: a stop that was sent may have stopped it, and a start may have come to nothing.
        """
        return {
            "paused": self.paused or self._stop_sent or (self.running and not self._seen_running),
            "user_limit": self.user_limit,
            "phases": None if self.learned is None else list(self.learned),
        }

    def restore(self, record: Mapping[str, Any]) -> None:
        """Go on from a record, as far as it can be believed; raise ValueError where it cannot."""
        paused, limit, phases = record.get("paused", False), record.get("user_limit"), record.get("phases")
        if not isinstance(paused, bool) or not (limit is None or isinstance(limit, int)):
            raise ValueError("not the record of a charger")
        self.paused = paused
        self.user_limit = limit if limit is not None and limit >= self.floor else None
        if isinstance(phases, list) and phases and all(phase in (0, 1, 2) for phase in phases):
            self.learned = tuple(phases)
