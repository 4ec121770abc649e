"""What a charger draws, as far as anyone can know: bounds, not a number.

A command is a wish until the current has moved. After one, both the old and the new current are possible, until the
meter has shown the change or the time for it has passed; what the charger's cloud says counts only where it is newer.
"""

from dataclasses import dataclass
import math

from .charging import Command

EARLIEST_MOVE_S = 0.5
"""The soonest that a car follows a command, s (docs: how the car behaves)."""
ANSWER_S = 3.5
"""The longest from the answer of the cloud to the first change of current, s: 0.5 to 3 s were seen, and a bit."""
DOWN_A_PER_S, UP_A_PER_S = 3.0, 1.0
"""How fast a car lowers and raises its current, A/s; owners' reports, nobody published it."""
SHOWN_S = 1.0
"""From a change of current to the reading that shows it, s: the firmware posts at once on a change."""
START_S = 40.0
"""The longest from start_charging to the first ampere, s."""
SEEN_PART, SEEN_AMPS = 0.5, 2.0
"""The part of an expected change that counts as seen: between none and all of it. Of a cut 2 A are enough: a car that
began to lower goes on, and a cut that was lost is noticed sooner."""
STEADY_A = 0.7
"""Difference that rounding to whole amps and noise can make, A."""


@dataclass(slots=True)
class Change:
    """A change of the charger's current that was asked for and has not been settled."""

    command: Command
    low: float
    high: float
    """What it may have drawn before, A."""
    to: float
    """What it draws once it has obeyed, A."""
    sent_at: float
    acked_at: float | None = None
    seen_at: float | None = None
    """When the meter showed it."""

    @property
    def is_cut(self) -> bool:
        """Whether the current is meant to fall."""
        return self.to < self.high

    @property
    def amps(self) -> float:
        """How much the current is to change, A."""
        return abs(self.to - (self.high if self.is_cut else self.low))

    @property
    def visible_amps(self) -> float:
        """How much of the change counts as seen, A."""
        part = SEEN_PART * self.amps
        return min(part, SEEN_AMPS) if self.is_cut else part

    def due_at(self) -> float | None:
        """When the meter must have shown it, s; None while the cloud has not answered."""
        if self.acked_at is None:
            return None
        if self.is_cut:
            return self.acked_at + ANSWER_S + SHOWN_S + self.visible_amps / DOWN_A_PER_S
        return self.ends_at()

    def ends_at(self) -> float:
        """When its current must have arrived, s; inf while the cloud has not answered."""
        answered_at = math.inf if self.acked_at is None else self.acked_at
        wait = START_S if self.low == 0 and not self.is_cut else ANSWER_S
        return answered_at + wait + self.amps / (DOWN_A_PER_S if self.is_cut else UP_A_PER_S)


class Belief:
    """Bounds on what one charger draws, A per phase."""

    def __init__(self) -> None:
        self.low = 0.0
        self.high = 0.0
        self.change: Change | None = None

    @property
    def is_settled(self) -> bool:
        """Whether it is known what the charger draws."""
        return self.change is None and self.high - self.low <= STEADY_A

    def bounds(self, now: float) -> tuple[float, float]:
        """Return the least and the most that it may draw now."""
        change = self.change
        if change is None or now < change.sent_at + EARLIEST_MOVE_S:
            return self.low, self.high
        return min(change.low, change.to), max(change.high, change.to)

    def settle(self, low: float, high: float) -> None:
        """Take `low` and `high` as known, and forget any change under way."""
        self.low, self.high, self.change = low, high, None

    def begin(self, command: Command, to: float, now: float) -> None:
        """A command was sent after which the charger should draw `to`."""
        low, high = self.bounds(now)
        self.low, self.high = low, high
        self.change = Change(command, low, high, to, now)

    def witness(self, change: Change, seen_amps: float, now: float) -> None:
        """Hold what the charger must be drawing, were the house unchanged, against the change under way."""
        start = change.high if change.is_cut else change.low
        if change.seen_at is None:
            if now < change.sent_at + EARLIEST_MOVE_S:
                return
            if abs(seen_amps - start) >= change.visible_amps and (seen_amps < start) == change.is_cut:
                change.seen_at = now
        if change.seen_at is not None and change.acked_at is not None:
            rest_s = change.amps / (DOWN_A_PER_S if change.is_cut else UP_A_PER_S)
            if abs(seen_amps - change.to) <= STEADY_A or now >= change.seen_at + rest_s:
                self.settle(change.to, change.to)

    def is_overdue(self, now: float) -> bool:
        """Whether the change should have been seen by now, and was not."""
        change = self.change
        if change is None or change.seen_at is not None:
            return False
        due = change.due_at()
        return due is not None and now >= due
