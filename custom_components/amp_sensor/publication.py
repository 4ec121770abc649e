"""When a value is worth a state: states are what a database grows by, not readings."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import Final

from .const import DEFAULT_PUBLISH_INTERVAL_S

PERIOD_S: Final = 300.0
"""The period of the recorder's finest statistics: of each, the highest is to be there."""
SPACING_S: Final = 2.0
"""The longest that a larger change waits, s: an induction hob switches every second, and nobody reads faster."""
SETTLING_S: Final = 10.0
"""A small change is shown no sooner than this, s: two posts of the project's firmware, so that there is a range."""
CARRY_S: Final = 60.0
"""Over how long that is made good, which a held value was off by, s: about how long small changes are held."""
HELD_S: Final = 16.0
"""For how long a value may be off by its dead band, or for how much longer by less.

With it the hourly mean of the current stays within 0.5 % of that of all readings (docs/scaling.md has what a real
recorder makes of it): within 0.42 % for this rule alone, handed twelve days of four houses second by second.
"""
BURST: Final = 10
"""How many changes are shown as they come, before they count as many."""
EVERY_S: Final = 60.0
"""How often a change is shown on average, where there are many: a sensor with a noise of 1 % changes by more than the
dead band all the time where a car charges, and would make 7,000 states a day."""
AMISS_S: Final = 300.0
"""For how long a number may be off by its dead band where there are many changes, or for how much shorter by more.

On the busiest of twelve days of four houses, 40 s make 1,300 more states, and means of five minutes that are off by
0.1 A instead of 0.5 A.
"""


class _Nothing:
    """What is shown before anything is."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What of a number is worth a state."""

    dead_band: float
    """The least change that is shown at once, in the unit of the number."""
    interval_s: float = DEFAULT_PUBLISH_INTERVAL_S
    """The longest that a smaller change waits."""
    amiss_s: float = AMISS_S
    urgent: int = 1
    """Whether the highest (1) or the lowest (−1) is what must not be missed."""

    def coarser(self) -> Policy:
        """Return the policy of what only repeats another number in other words."""
        return replace(self, dead_band=4 * self.dead_band, interval_s=max(PERIOD_S, self.interval_s))


@dataclass(frozen=True, kw_only=True)
class Lasting:
    """Of words, what lasts is worth a state, and any change of what they are about."""

    lasts_s: float = DEFAULT_PUBLISH_INTERVAL_S


class Publication:
    """What of one entity was last shown, and whether something newer is worth showing.

    A change by the dead band is shown soon, and a new peak at once; a smaller change waits. What is shown after waiting
    makes good what the value held meanwhile was off by, as far as the readings since then went: so the mean of what is
    shown is that of what was read.
    """

    def __init__(self, policy: Policy | Lasting | timedelta | None) -> None:
        """Take the least change of a time; or None, where any change is worth a state."""
        self._policy = policy
        self.value: object = _Nothing()
        """What is shown: what was read, but for numbers with a policy, and words that have to last."""
        self._at = self._peak_at = -inf
        self._read: object = None
        self._read_at = 0.0
        """When it was read; of words, since when."""
        self._situation: object = _Nothing()
        self._left = float(BURST)
        self._low = self._high = self._peak = 0.0
        self._debt = 0.0
        """What was read but not shown, in the number's unit times s."""

    def is_due(self, value: object, *, now: float, situation: object = None) -> bool:
        """Return whether to show `self.value` now, s. `situation` is what words are about."""
        last = self.value
        match self._policy:
            case Policy() as policy:
                worth = self._number(value, policy, now)
            case Lasting(lasts_s=lasts_s):
                worth = value if self._has_lasted(value, situation, lasts_s, now) else last
            case timedelta() as least if isinstance(value, datetime) and isinstance(last, datetime):
                worth = value if abs(value - last) >= least else last
            case _:
                worth = value
        self.value = worth
        return worth != last

    def _has_lasted(self, word: object, situation: object, lasts_s: float, now: float) -> bool:
        if word != self._read:
            self._read, self._read_at = word, now
        if situation == self._situation and now - self._read_at < lasts_s:
            return False
        self._situation = situation
        return True

    def _number(self, value: object, policy: Policy, now: float) -> object:
        """Return what is worth showing, and remember it as shown."""
        last, worth = self.value, self._worth_of(value, policy, now)
        if worth != last and isinstance(value, int | float) and isinstance(worth, int | float):
            self._at, self._low, self._high = now, value, value
            if policy.urgent * (worth - self._peak) >= 0:
                self._peak, self._peak_at = worth, now
        return worth

    def _worth_of(self, value: object, policy: Policy, now: float) -> object:
        read, self._read = self._read, value
        elapsed_s, self._read_at = now - self._read_at, now
        last = self.value
        if not (isinstance(value, int | float) and isinstance(last, int | float) and isinstance(read, int | float)):
            self._debt, self._peak_at = 0.0, -inf
            return value
        self._debt += (read - last) * elapsed_s
        self._low, self._high = min(self._low, value), max(self._high, value)
        if now - self._peak_at >= PERIOD_S:
            self._peak, self._peak_at = last, now
        if policy.urgent * (value - self._peak) >= policy.dead_band:
            return value
        self._left = min(float(BURST), self._left + elapsed_s / EVERY_S)
        shown_s, owed_s = now - self._at, abs(self._debt) / policy.dead_band
        changed = shown_s >= SPACING_S and abs(value - last) >= policy.dead_band
        wrong = shown_s >= SETTLING_S and owed_s >= HELD_S
        if (changed or wrong) and (self._left >= 1 or owed_s >= policy.amiss_s):
            self._left = max(0.0, self._left - 1)
        elif shown_s < policy.interval_s:
            return last
        worth = min(self._high, max(self._low, value + self._debt / CARRY_S))
        return round(worth) if isinstance(value, int) else round(worth, 2)
