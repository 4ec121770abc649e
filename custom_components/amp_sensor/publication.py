"""When a value is worth a state: states are what a database grows by, not readings."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import Final

from .const import DEFAULT_PUBLISH_INTERVAL_S

DETAIL_S: Final = 300.0
"""Attributes alone are written again no sooner than this: the period of the recorder's finest statistics."""
SETTLING_S: Final = 10.0
"""A small change is shown no sooner than this, s: two posts of the project's firmware, so that there is a range."""
CARRY_S: Final = 60.0
"""Over how long that is made good, which a held value was off by, s: about how long small changes are held."""
HELD_S: Final = 16.0
"""For how long a value may be off by its dead band, or for how much longer by less.

With it the hourly mean of the current stays within 0.5 % of that of all readings: within 0.21 % with a real recorder
(`python -m simulation recorder`) for a day of two recorded houses and six hours of a third, and within 0.47 % for this
rule alone, handed the first three days of four houses second by second.
"""
BURST: Final = 10
"""How many larger changes of a derived number are shown before they count as many."""


class _Nothing:
    """What is shown before anything is."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What of a number is worth a state."""

    dead_band: float
    """The least change that is shown at once, in the unit of the number."""
    interval_s: float = DEFAULT_PUBLISH_INTERVAL_S
    """The longest that a smaller change waits."""
    spacing_s: float = 2.0
    """The longest that a larger one waits: an induction hob switches every second, and nobody reads faster."""
    every_s: float = 0.0
    """How often a larger change is shown on average, where there are many: BURST of them are shown as they come."""
    urgent: int = 1
    """Of larger changes a rise (1), a fall (−1) or neither (0) waits for nothing: peaks are kept."""

    def derived(self) -> Policy:
        """Return the policy of what only repeats another number in other words: with it, but more coarsely."""
        return replace(
            self,
            dead_band=4 * self.dead_band,
            interval_s=max(DETAIL_S, self.interval_s),
            every_s=30.0,
            urgent=0,
        )


class Publication:
    """What of one entity was last shown, and whether something newer is worth showing.

    A change by the dead band is shown as it was read. A smaller one waits, and then makes good what the value held
    meanwhile was off by, as far as the readings since then went: so the mean of what is shown is that of what was read.
    """

    def __init__(self, policy: Policy | timedelta | None) -> None:
        """Take the least change of a time; or None, where any change is worth a state."""
        self._policy = policy
        self.value: object = _Nothing()
        """What is shown: what was read, but for numbers with a policy."""
        self._detail: object = None
        self._at = -inf
        self._read: object = None
        self._read_at = 0.0
        self._left = float(BURST)
        self._low = self._high = 0.0
        self._debt = 0.0
        """What was read but not shown, in the number's unit times s."""

    def is_due(self, value: object, *, now: float, detail: object = None) -> bool:
        """Return whether to show `self.value` now, s.

        `detail` (attributes) never is worth a state of its own, but does not stay old for longer than DETAIL_S.
        """
        if self._policy is not None and not isinstance(self._policy, timedelta):
            worth = self._worth_of(value, self._policy, now)
        else:
            worth = value if self._is_worth(value) else self.value
        if worth == self.value and (detail == self._detail or now - self._at < DETAIL_S):
            return False
        self.value, self._detail, self._at = worth, detail, now
        if isinstance(value, int | float):
            self._low = self._high = value
        return True

    def _is_worth(self, value: object) -> bool:
        match self.value, value, self._policy:
            case datetime() as last, datetime(), timedelta() as least:
                return abs(value - last) >= least
            case _:
                return True

    def _worth_of(self, value: object, policy: Policy, now: float) -> object:
        read, self._read = self._read, value
        elapsed_s, self._read_at = now - self._read_at, now
        last = self.value
        if not (isinstance(value, int | float) and isinstance(last, int | float) and isinstance(read, int | float)):
            self._debt = 0.0
            return value
        self._debt += (read - last) * elapsed_s
        self._low, self._high = min(self._low, value), max(self._high, value)
        shown_s = now - self._at
        self._left = min(float(BURST), self._left + elapsed_s / policy.every_s) if policy.every_s else BURST
        may = self._left >= 1
        large = abs(value - last) >= policy.dead_band
        if large and policy.urgent * (value - last) > 0:
            self._left -= 1
            return value
        if large and may and shown_s >= policy.spacing_s:
            self._left -= 1
            if self._left >= 1:
                return value
        else:
            late = shown_s >= policy.interval_s
            wrong = may and shown_s >= SETTLING_S and abs(self._debt) >= HELD_S * policy.dead_band
            if not late and not wrong:
                return last
            self._left -= wrong
        worth = min(self._high, max(self._low, value + self._debt / CARRY_S))
        return round(worth) if isinstance(value, int) else round(worth, 2)
