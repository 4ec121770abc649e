"""What a phase of this house is likely to do next, learned from what it did.

For each half ampere the memory knows for how long the house has stayed below it, how often it came back lately, and
how soon it came back in the past. From that follows the chance that it rises above that level within the next second,
which is what a raise of the car has to be weighed against.

In every house that we looked at (the traces in docs/benchmark.md) the chance falls with the time already spent below
the level, close to `c / time`, and `c` grows with the number of returns in the last minutes: a thermostat that clicked
eight times is not done. That law is the start; the house's own record replaces it as it grows.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import math
from typing import Any, TypedDict

RECENT_S = 1200.0
"""Returns within this time count as one cluster, s: ovens, air fryers and water heaters cycle well within it."""
CALM, PER_RETURN, BUSIEST = 0.17, 0.12, 8
"""`c` of the law: 0.17 + 0.12 per recent return, up to eight; fitted to two British houses and a French one.
With the distance to the level the chance falls by the root of (1 + A), by the same fit."""
RARE_PER_S = 1 / 10800
"""However long it has been calm: something is switched on every few hours, per s."""
SHORTEST_S = 5.0
"""Shorter absences are not resolved by a meter that posts every 5 s, s."""
TYPICAL_STEP_A = 2.0
"""By how much a return exceeds its level, A, before this house has shown it; the mean of the same three houses."""
CREDIT = 3.0
"""How many expected returns the law counts for against the house's own record."""
HYSTERESIS_A = 0.3
"""A level counts as exceeded only by more than this, A: a sensor's noise of 1 % at 30 A."""
GRID_A = 0.5
"""Distance of the levels, A: finer than the whole amps of a car, coarser than the sensor's noise."""
EDGES_S = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0)
"""Times below a level are told apart by factors of two, s, as the law suggests."""


BINS = len(EDGES_S) + 1

DEEPEST_A = 125.0
"""What is exported beyond this is not told apart, A: no household's supply carries more."""


class Record(TypedDict):
    """What was learned, level by level."""

    first: int
    levels: list[list[float]]


@dataclass(slots=True)
class _Level:
    """The record of one level."""

    below_since: float | None = None
    returns: deque[float] = field(default_factory=deque)
    happened: list[float] = field(default_factory=lambda: [0.0] * BINS)
    expected: list[float] = field(default_factory=lambda: [0.0] * BINS)
    step_sum: float = TYPICAL_STEP_A * CREDIT
    step_count: float = CREDIT


@dataclass(frozen=True, slots=True)
class Risk:
    """What staying below a level is worth."""

    per_s: float
    """Chance that the house rises above the level in the next second."""
    step_amps: float
    """By how much it then exceeds the level, A, on average."""
    calm_s: float
    """For how long it has been below the level, s."""


def _bin(calm_s: float) -> int:
    return bisect_right(EDGES_S, calm_s)


_BASES = tuple(CALM + PER_RETURN * returns for returns in range(BUSIEST + 1))
"""`c` at no distance, by the number of returns."""


def _law(calm_s: float, returns: int, gap: float) -> float:
    c = _BASES[min(BUSIEST, returns)] / math.sqrt(1 + gap)
    return c / (max(SHORTEST_S, calm_s)) + RARE_PER_S


class HouseMemory:
    """The steps of one phase, level by level; below zero too, once the house exports."""

    def __init__(self, highest_amps: float) -> None:
        self._amps = 0.0
        self._first = 0
        """The number of the lowest level: so many times the grid."""
        self._levels: list[_Level] = []
        self.reach(highest_amps)

    def reach(self, highest_amps: float) -> None:
        """Learn up to this level too; what was learned stays, so that a budget may change by the hour."""
        missing = math.ceil(highest_amps / GRID_A) + 1 - self._first - len(self._levels)
        self._levels.extend(_Level() for _ in range(missing))

    def add(self, amps: float, at: float, held_s: float) -> None:
        """Take the house's current as it was from `at` on; `held_s` is how long the one before it held, s."""
        if (below := self._first - math.ceil(max(amps, -DEEPEST_A) / GRID_A)) > 0:
            self._first -= below
            self._levels[:0] = [_Level() for _ in range(below)]
        before, recent_from = self._amps, at - RECENT_S
        last_since, calm_s, index = -math.inf, 0.0, 0
        amount = self._first * GRID_A - GRID_A
        # There are a hundred levels at times, at each reading: `_law` as it is written there, without the call
        for level in self._levels:
            amount += GRID_A
            since = level.below_since
            if since is None:
                if amps <= amount:
                    level.below_since = at
                continue
            if since != last_since:  # it fell below many levels at once
                last_since, calm_s = since, at - since
                index = _bin(calm_s)
                calm_s = max(SHORTEST_S, calm_s)
            c = _BASES[0]
            if returns := level.returns:
                while returns and returns[0] < recent_from:
                    returns.popleft()
                c = _BASES[min(BUSIEST, len(returns))]
            if amount > before:
                c /= math.sqrt(1 + (amount - before))
            level.expected[index] += (c / calm_s + RARE_PER_S) * held_s
            if amps > amount + HYSTERESIS_A:
                level.happened[index] += 1
                level.step_sum += amps - amount
                level.step_count += 1
                level.returns.append(at)
                level.below_since = None
        self._amps = amps

    def interrupt(self, at: float) -> None:
        """Forget what is under way: nobody watched for a while."""
        for level in self._levels:
            level.below_since = None if level.below_since is None else at

    def risk(self, amps: float, now: float) -> Risk | None:
        """Weigh the level `amps`; None while the house is above it."""
        level = self._level(amps)
        if level.below_since is None:
            return None
        calm_s = now - level.below_since
        index = _bin(calm_s)
        own = (level.happened[index] + CREDIT) / (level.expected[index] + CREDIT)
        recent = self.returns(amps, now)
        return Risk(_law(calm_s, recent, max(0.0, amps - self._amps)) * own, level.step_sum / level.step_count, calm_s)

    def returns(self, amps: float, now: float) -> int:
        """Return how often the house rose above the level `amps` in the last minutes, this time included."""
        level = self._level(amps)
        return sum(1 for time in level.returns if time >= now - RECENT_S)

    def _level(self, amps: float) -> _Level:
        # The nearest one, not the one below: with a margin of 0.1 A that would keep half an ampere free.
        return self._levels[max(0, min(round(amps / GRID_A) - self._first, len(self._levels) - 1))]

    def record(self) -> Record:
        """Return what was learned, as JSON can hold it."""
        return {
            "first": self._first,
            "levels": [
                [*(round(value, 3) for value in (*level.happened, *level.expected, level.step_sum)), level.step_count]
                for level in self._levels
            ],
        }

    def restore(self, record: Any) -> None:
        """Take what was learned before; levels that are damaged are passed over. Raises ValueError for no record."""
        first, levels = (record["first"], record["levels"]) if isinstance(record, dict) else (0, record)
        if not isinstance(levels, list) or not isinstance(first, int) or not -DEEPEST_A / GRID_A <= first <= 0:
            raise ValueError("not the record of a house")
        if first < self._first:
            self._levels[:0] = [_Level() for _ in range(self._first - first)]
            self._first = first
        for level, values in zip(self._levels[first - self._first :], levels, strict=False):
            if not isinstance(values, list) or len(values) != 2 * BINS + 2:
                continue
            if all(isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values):
                level.happened, level.expected = list(values[:BINS]), list(values[BINS : 2 * BINS])
                level.step_sum, level.step_count = values[-2], max(values[-1], CREDIT)


def together(risks: Iterable[Risk | None]) -> Risk | None:
    """Return the risk of several phases for what loads them all; None where one of them is above its level already.

    The house has one set of appliances, whose steps come on one phase or the other: their chances add up.
    """
    each = list(risks)
    if any(risk is None for risk in each):
        return None
    known = [risk for risk in each if risk is not None]
    if len(known) == 1:
        return known[0]
    per_s = sum(risk.per_s for risk in known)
    step = sum(risk.per_s * risk.step_amps for risk in known) / per_s
    return Risk(per_s, step, min(risk.calm_s for risk in known))
