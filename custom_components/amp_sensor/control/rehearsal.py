"""A rehearsal: on request a charger is lowered, paused and started again, and the meter has to show each.

It only limits what the charger may have: whatever is sent is decided as always, and may be less at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .belief import Change
from .charger import OBEY_S, ManagedCharger
from .charging import Action, ChargingState, Command, Outcome
from .decision import Reason

READY_S = 120.0
"""How long to wait until a rehearsal can begin, s: a site that was just set up watches its house for a minute."""
SENT_S = 120.0
"""How long to wait for each command, s, beside the time that the charger wants between two: a start needs room."""
CUT_S, START_S = 60.0, 90.0
"""How long after the answer a cut and a start have to show, s: cars start within 40 s, and meters speak every 30."""
LEAST_A = 2.0
"""A smaller step is not told from the house's own, A."""
SHOWN_PART = 0.5
"""The part of a step that the meter has to show."""


class Step(StrEnum):
    """What is rehearsed, in this order."""

    READY = "ready"
    LOWER = "lower"
    STOP = "stop"
    START = "start"


class Verdict(StrEnum):
    """How a step went."""

    WORKED = "worked"
    UNSEEN = "unseen"
    """The charger says that it did as told, and the meter shows nothing of it."""
    IGNORED = "ignored"
    """It accepted, and nothing happened."""
    REFUSED = "refused"
    UNANSWERED = "unanswered"


_ACTIONS = {Step.LOWER: Action.SET_AMPS, Step.STOP: Action.STOP, Step.START: Action.START}
_NEXT = {Step.LOWER: Step.STOP, Step.STOP: Step.START, Step.START: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a rehearsal has to know of the site at one moment."""

    obstacle: Reason | None
    """Why it cannot go on at all."""
    delay: Reason | None
    """Why it cannot begin yet."""
    least: int
    """The least that the charger charges with, A."""
    read: Sequence[float]
    """What the meter said last of each phase, A."""
    read_at: float
    silent: Reason
    """What is wrong with the meter where it says nothing."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """One step, and how it went."""

    step: Step
    began_at: float
    sent_by: float
    """When it must have been sent, s."""
    amps: int
    """What the charger may have in it, A."""
    change: Change | None = None
    """What was sent for it first."""
    answered_at: float | None = None
    shown_at: float | None = None
    """When the meter had shown it, s."""
    moved: tuple[float, ...] = ()
    """By how much the current of each phase went the right way, A."""
    failed: bool = False
    verdict: Verdict | None = None

    @property
    def answered_s(self) -> float | None:
        """From the command to its answer."""
        return None if self.change is None or self.answered_at is None else self.answered_at - self.change.sent_at

    @property
    def shown_s(self) -> float | None:
        """From the command to the reading that showed it."""
        return None if self.change is None or self.shown_at is None else self.shown_at - self.change.sent_at

    @property
    def phases(self) -> tuple[int, ...]:
        """The phases on which it showed, by their numbers from 1."""
        least = 0.0 if self.change is None else SHOWN_PART * self.change.amps
        return tuple(number for number, amps in enumerate(self.moved, 1) if amps >= max(least, 1.0))

    def watch(self, read: Sequence[float], read_at: float) -> None:
        """Hold a reading against what it was before the command."""
        change = self.change
        if change is None or read_at <= change.sent_at or len(read) != len(change.before):
            return
        sign = -1 if self.step is Step.START else 1
        self.moved = tuple(sign * (before - now) for before, now in zip(change.before, read, strict=True))
        if self.shown_at is None and max(self.moved) >= SHOWN_PART * change.amps:
            self.shown_at = read_at

    @property
    def is_late_at(self) -> float:
        """When it must have shown, or come to nothing, s."""
        if self.change is None:
            return self.sent_by
        answered_at = self.change.sent_at + SENT_S if self.answered_at is None else self.answered_at
        return answered_at + self.change.rest_s + (START_S if self.step is Step.START else CUT_S)


class Rehearsal:
    """The steps of one charger."""

    def __init__(self, charger: ManagedCharger, now: float) -> None:
        self.charger = charger
        self.step = Step.READY
        self.trials: list[Trial] = []
        self.obstacle: Reason | None = None
        """Why it did not begin, or did not end as it should."""
        self.is_over = False
        self._began_at = now

    @property
    def most_amps(self) -> int | None:
        """The most that the charger may have now, A; None where that is not for the rehearsal to say."""
        return None if self.is_over or not self.trials else self.trials[-1].amps

    def end(self, obstacle: Reason | None = None) -> None:
        """Leave the charger to the controller again."""
        self.obstacle = self.obstacle or obstacle
        self.is_over = True

    def take_answer(self, command: Command, outcome: Outcome, now: float) -> None:
        """Take the end of a command."""
        if self.is_over or not self.trials or command.charger_id != self.charger.charger_id:
            return
        trial = self.trials[-1]
        if command.action is not _ACTIONS[trial.step]:
            return
        trial.failed = outcome is not Outcome.ACCEPTED
        if outcome is Outcome.REFUSED:
            self._judge(trial, Verdict.REFUSED)
        elif outcome is Outcome.ACCEPTED and trial.answered_at is None:
            trial.answered_at = now

    def look(self, scene: Scene, now: float) -> None:
        """Go on as far as possible."""
        if self.is_over:
            return
        if scene.obstacle is not None:
            self.end(scene.obstacle)
        elif self.step is Step.READY:
            self._begin(scene, now)
        else:
            self._watch(self.trials[-1], scene, now)

    def _begin(self, scene: Scene, now: float) -> None:
        if scene.delay is None:
            is_higher = self.charger.belief.high - scene.least >= LEAST_A
            self._go_to(Step.LOWER if is_higher else Step.STOP, scene.least, now)
        elif now - self._began_at >= READY_S:
            self.end(scene.delay)

    def _go_to(self, step: Step, least: int, now: float) -> None:
        self.step = step
        sent_by = now + SENT_S + self.charger.settings.profile.write_every_s
        amps = 0 if step is Step.STOP else least
        self.trials.append(Trial(step=step, began_at=now, sent_by=sent_by, amps=amps))

    def _watch(self, trial: Trial, scene: Scene, now: float) -> None:
        change = self.charger.belief.change
        if change is not None and change.sent_at >= trial.began_at:
            if trial.change is None and change.command.action is _ACTIONS[trial.step]:
                trial.change = change
            elif change.command.action is Action.STOP and trial.step is not Step.STOP:
                self.end(Reason.PAUSED)  # the house needed what it had
                return
        trial.watch(scene.read, scene.read_at)
        if trial.change is not None and trial.shown_at is not None:
            if change is None or now >= trial.shown_at + trial.change.rest_s + OBEY_S:
                self._judge(trial, Verdict.WORKED)
                if (step := _NEXT[trial.step]) is not None:
                    self._go_to(step, scene.least, now)
        elif now >= trial.is_late_at:
            self._give_up(trial, scene)

    def _give_up(self, trial: Trial, scene: Scene) -> None:
        if trial.change is None:
            self.end(Reason.NO_HEADROOM if trial.step is Step.START else Reason.BLOCKED)
        elif scene.read_at <= trial.change.sent_at:
            self.end(scene.silent)
        elif self._has_obeyed(trial):
            self._judge(trial, Verdict.UNSEEN)
        else:
            self._judge(trial, Verdict.UNANSWERED if trial.answered_at is None else Verdict.IGNORED)

    def _has_obeyed(self, trial: Trial) -> bool:
        """Whether the charger says that it did as it was told."""
        report = self.charger.report
        if report is None or trial.answered_at is None or self.charger.measured_at < trial.answered_at:
            return False
        match trial.step:
            case Step.LOWER:
                said = report.requested_amps if report.measured_amps is None else report.measured_amps
                return said is not None and said < trial.amps + 1
            case Step.STOP:
                return not report.state.draws
            case _:
                return report.state is ChargingState.CHARGING

    def _judge(self, trial: Trial, verdict: Verdict) -> None:
        trial.verdict = verdict
        if verdict is not Verdict.WORKED or trial.step is Step.START:
            self.end()

    def learned(self) -> dict[str, Any]:
        """Return what it taught of the charger, as JSON holds it."""
        worked = [trial for trial in self.trials if trial.verdict is Verdict.WORKED]
        if not worked:
            return {}
        answers = [each for trial in worked if (each := trial.answered_s) is not None]
        cuts, starts = (
            [
                max(0.0, trial.shown_s - trial.answered_s)
                for trial in worked
                if (trial.step is Step.START) is is_start and trial.shown_s is not None and trial.answered_s is not None
            ]
            for is_start in (False, True)
        )
        found = {"latency_s": answers, "moving_s": cuts, "start_lead_s": starts}
        learned: dict[str, Any] = {key: round(sum(each) / len(each), 1) for key, each in found.items() if each}
        phases = {trial.phases for trial in worked}
        if len(phases) == 1 and (shown := phases.pop()):
            learned["phases"] = list(shown)
        return learned
