"""How much of a charger's own steps the meter shows: what it tells that it draws, held against the readings."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from math import inf

from .belief import STEADY_A
from .charging import ChargerReport, ChargingState
from .reading import Reading

CHANGE_A = 4.0
"""Changes of a car from which on its meter is looked at, A: twice what a house does all the time."""
LAG_S, SHOWN_S = 60.0, 15.0
"""How old what a car tells may be to be looked at, s, and how soon a meter shows what happened: three of its posts."""
AHEAD_S = 60.0
"""How far a car's data may come from the future, s: clocks that set themselves agree within a second."""
UNSEEN_PART, SEEN_PART = 0.3, 0.7
"""Parts of such a change below which the meter did not show it, and above which it did; in between nobody knows."""
MOST_PART = 1.3
"""The part beyond which the house moved as well."""
LOW_TIMES, ALIKE = 4, 0.15
"""How many steps in a row, up and down, have to show about the same part (as far apart as this) before a meter counts
as one with a wrong factor: by chance, a house hides a part of one step, but not of each the same."""
RIGHT_TIMES = 2
"""How many in a row have to show right before it counts as right again."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What a charger drew by its own account when its report arrived."""

    amps: float
    at: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What the meter showed of a step."""

    part: float
    """The most of it that it can have shown, 1 is all: of the phase that moved most."""
    is_rise: bool


class Steps:
    """The steps of one charger."""

    def __init__(self) -> None:
        self._before: _Drawn | None = None
        """What it drew when two reports agreed last."""
        self._last: _Drawn | None = None

    def add(self, report: ChargerReport, readings: Sequence[Reading], *, is_alone: bool, now: float) -> Shown | None:
        """Take a report, and the readings of the last minutes; return what they show of the step before it, if any.

        `is_alone` is whether all that moves the meter is the house and this charger.
        """
        amps = report.measured_amps if report.state is ChargingState.CHARGING else 0.0
        usable = is_alone and report.at_home is True and -AHEAD_S <= report.age_s <= LAG_S
        if not usable or amps is None or report.state in (ChargingState.STARTING, ChargingState.UNKNOWN):
            self._before = self._last = None
            return None
        shown, last, self._last = None, self._last, _Drawn(amps, now)
        # Judged once it stays: by then the meter has shown whatever it will, and all of it is of this step
        if last is not None and abs(amps - last.amps) <= STEADY_A:
            shown = None if self._before is None else _shown(self._before, last, readings)
            self._before = self._last
        return shown


def _shown(before: _Drawn, after: _Drawn, readings: Sequence[Reading]) -> Shown | None:
    """Return what the meter shows of a step, on any phase, whenever it may have been; None where nobody knows."""
    change = abs(after.amps - before.amps)
    first, end = before.at - LAG_S, after.at + SHOWN_S
    inside = [reading for reading in readings if first <= reading.at <= end]
    times = [first, *(reading.at for reading in inside), end]
    if change < CHANGE_A or any(later - earlier > SHOWN_S for earlier, later in pairwise(times)):
        return None
    if any(reading.beyond for reading in inside):
        return None  # a sensor at its end shows a part of what changes, and the right one of everything else
    phases = zip_longest(*(reading.amps for reading in inside))
    is_rise = after.amps > before.amps
    sign = 1 if is_rise else -1
    moved = max(_largest_rise([sign * amps for amps in phase if amps is not None]) for phase in phases)
    return Shown(moved / change, is_rise)


def _largest_rise(values: Sequence[float]) -> float:
    """Return by how much a later value exceeds an earlier one at most."""
    lowest, rise = inf, 0.0
    for value in values:
        lowest = min(lowest, value)
        rise = max(rise, value - lowest)
    return rise


class ShownPart:
    """Which part of all that flows the meter shows: 1, unless the steps of chargers agree on less."""

    def __init__(self) -> None:
        self.part = 1.0
        self._last: deque[Shown] = deque(maxlen=LOW_TIMES)

    def add(self, shown: Shown) -> None:
        """Take what the meter showed of a step; of nothing, or far more than it, something else may be the cause."""
        if not UNSEEN_PART < shown.part < MOST_PART:
            return
        self._last.append(shown)
        parts = [each.part for each in self._last]
        if min(parts[-RIGHT_TIMES:]) >= SEEN_PART and len(parts) >= RIGHT_TIMES:
            self.part = 1.0
        elif (
            len(parts) == LOW_TIMES
            and max(parts) < SEEN_PART
            and max(parts) - min(parts) <= ALIKE
            and {each.is_rise for each in self._last} == {False, True}
        ):
            self.part = min(parts)
