"""What a charger draws, as far as anyone can know: bounds, not a number.

A command is a wish until the current has moved. After one, both the old and the new current are possible, until the
meter has shown the change or the time for it has passed; what the charger's cloud says counts only where it is newer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import math

from .charging import Action, Command
from .profile import Profile

SHOWN_S = 1.0
"""From a change of current to the reading that shows it, s: the firmware posts at once on a change."""
SEEN_PART, SEEN_AMPS = 0.5, 2.0
"""The part of an expected change that counts as seen: between none and all of it. Of a cut 2 A are enough: a car that
began to lower goes on, and a cut that was lost is noticed sooner."""
STEADY_A = 0.7
"""Difference that rounding to whole amps and noise can make, A."""


@dataclass(slots=True, kw_only=True)
class Change:
    """A change of the charger's current that was asked for and has not been settled."""

    command: Command
    low: float
    high: float
    """What it may have drawn before, A."""
    to: float
    """What it draws once it has obeyed, A."""
    sent_at: float
    before: tuple[float, ...]
    """What the meter said of each phase when it was sent, A."""
    profile: Profile
    acked_at: float | None = None
    seen_at: float | None = None
    """When the meter showed it."""

    @property
    def is_cut(self) -> bool:
        """Whether the current is meant to fall."""
        return self.to < self.high

    @property
    def start(self) -> float:
        """Where the current begins to move, A."""
        return self.high if self.is_cut else self.low

    @property
    def amps(self) -> float:
        """How much the current is to change, A."""
        return abs(self.to - self.start)

    @property
    def _visible_from(self) -> float:
        """Where what it does is told from what was asked before: of a cut, below a cut that is under way already, A."""
        return self.low if self.is_cut and self.low > self.to + STEADY_A else self.start

    @property
    def visible_amps(self) -> float:
        """How much of the change counts as seen, A."""
        part = SEEN_PART * abs(self.to - self._visible_from)
        return min(part, SEEN_AMPS) if self.is_cut else part

    def shows(self, seen: float) -> bool:
        """Whether it has begun, if the charger draws what was `seen`, A."""
        moved = self._visible_from - seen if self.is_cut else seen - self._visible_from
        return moved >= self.visible_amps

    def has_come(self, seen: float) -> bool:
        """Whether it has when its time is up: of a cut, where `seen`, A, is nearer to its end than to its beginning."""
        return not self.is_cut or seen - self.to <= SEEN_PART * (self._visible_from - self.to)

    @property
    def _a_per_s(self) -> float:
        return self.profile.down_a_per_s if self.is_cut else self.profile.up_a_per_s

    def due_at(self) -> float | None:
        """When the meter must have shown it, s; None while the cloud has not answered."""
        if self.acked_at is None:
            return None
        if self.is_cut:
            return self.acked_at + self.profile.answer_s + SHOWN_S + self.visible_amps / self._a_per_s
        return self.ends_at()

    def ends_at(self) -> float:
        """When its current must have arrived, s; inf while the cloud has not answered."""
        answered_at = math.inf if self.acked_at is None else self.acked_at
        starts = not self.is_cut and (self.low == 0 or self.command.action is Action.START)
        wait_s = self.profile.start_s if starts else self.profile.answer_s
        return answered_at + wait_s + self.rest_s

    @property
    def rest_s(self) -> float:
        """How long the current takes from its first movement until it has arrived, s."""
        return self.amps / self._a_per_s


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
        if change is None or now < change.sent_at + change.profile.earliest_move_s:
            return self.low, self.high
        return min(change.low, change.to), max(change.high, change.to)

    def settle(self, low: float, high: float) -> None:
        """Take `low` and `high` as known, and forget any change under way."""
        self.low, self.high, self.change = low, high, None

    def begin(
        self, command: Command, to: float, now: float, *, profile: Profile, before: tuple[float, ...] = ()
    ) -> None:
        """A command was sent after which the charger should draw `to`; the meter said `before` of the phases."""
        low, high = self.bounds(now)
        self.low, self.high = low, high
        self.change = Change(command=command, low=low, high=high, to=to, sent_at=now, before=before, profile=profile)

    def witness(self, change: Change, seen_amps: Sequence[float], now: float) -> None:
        """Hold what it must be drawing on each phase, were the house unchanged, against the change under way."""
        # Of a cut the slowest phase counts, of a raise the quickest: so neither is seen lower than it may be
        seen = max(seen_amps)
        if change.seen_at is None:
            if now < change.sent_at + change.profile.earliest_move_s:
                return
            if change.shows(seen):
                change.seen_at = now
        if change.seen_at is None or change.acked_at is None:
            return
        if abs(seen - change.to) <= STEADY_A:
            self.settle(change.to, change.to)
        elif now >= change.seen_at + change.rest_s:
            if change.has_come(seen):
                self.settle(change.to, change.to)
            else:
                change.seen_at = None  # what began was the house's, or a cut before it

    def is_overdue(self, now: float) -> bool:
        """Whether the change should have been seen by now, and was not."""
        change = self.change
        if change is None or change.seen_at is not None:
            return False
        due = change.due_at()
        return due is not None and now >= due
