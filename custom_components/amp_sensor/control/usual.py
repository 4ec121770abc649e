"""What a charger can usually have, by the hour of the week: this house's own record."""

from collections.abc import Sequence
import math
from typing import Any

HOURS = 168
"""Of a week, from Monday 0:00 by the clock of the wall."""
LEAST_S = 1800.0
"""An hour counts where at least this much of it was seen, s."""
WEEKS = 8
"""For how many weeks an hour is remembered: a season changes within about two months."""
OTHER_DAY = 0.1
"""What the same hour of another day says, of what it says of its own: weekends differ, most evenings do not."""
LEAST_SPREAD = 0.1
"""The least that an hour is taken to differ from one week to the next, of its mean: a record of a few is too even."""

SAFE_SPREADS = 1.0
"""By how many times its usual spread a busy night has less room than usual: five of six nights have more."""
UNKNOWN_SPREAD = 0.4
"""By what part of what there is now it may differ later, while nothing is known of how the house usually is."""
TONIGHT_S = 3600.0
"""Over how long it is looked how busy it is now, s."""
BUSY_LASTS_S = 4 * 3600.0
"""For how long a busy evening goes on to matter, s: guests stay for about as long."""

type Hour = tuple[float, float, int]
"""Mean, A, variance, A², and how many weeks they come from."""


class Usual:
    """How much a charger could have had beside the house in each hour of the week, A, and how much that differs."""

    def __init__(self) -> None:
        self._hours: list[Hour | None] = [None] * HOURS
        self._hour: int | None = None
        self._amp_s = self._seen_s = 0.0
        self._now = 0.0
        """What it can have at the moment, A."""
        self.has = self.usually_has = 0.0
        """What it could have had lately, and usually could, A."""

    def add(self, hour: int, alone: float, now: float, seconds: float) -> None:
        """Take what it could have had for some seconds of an hour of the week: beside the house, and beside all else.

        Only the first is learned: what other chargers had is no habit of the house.
        """
        if hour != self._hour:
            self._close()
            self._hour = hour
        self._amp_s += alone * seconds
        self._seen_s += seconds
        self._now = now
        if (usual := self.of(hour)) is not None:
            part = min(1.0, seconds / TONIGHT_S)
            self.has += part * (now - self.has)
            self.usually_has += part * (usual[0] - self.usually_has)

    def expect(self, hour: int, ahead_s: float) -> tuple[float, float]:
        """Return what it will probably have in an hour of the week, and what it will even if that is a busy one, A.

        `ahead_s` is how far that is ahead: the nearer, the more it matters how busy it is now.
        """
        mean, spread = self.of(hour) or (self._now, UNKNOWN_SPREAD * self._now)
        busy = min(1.0, self.has / self.usually_has) if self.usually_has else 1.0
        part = 1 - (1 - busy) * math.exp(-ahead_s / BUSY_LASTS_S)
        return mean * part, max(0.0, mean - SAFE_SPREADS * spread) * part

    def _close(self) -> None:
        if self._hour is not None and self._seen_s >= LEAST_S:
            amps = self._amp_s / self._seen_s
            mean, variance, weeks = self._hours[self._hour] or (amps, 0.0, 0)
            weeks = min(weeks + 1, WEEKS)
            off = amps - mean
            self._hours[self._hour] = (
                mean + off / weeks,
                (1 - 1 / weeks) * (variance + off * off / weeks),
                weeks,
            )
        self._amp_s = self._seen_s = 0.0

    def of(self, hour: int) -> tuple[float, float] | None:
        """Return the mean of an hour of the week, A, and by how much it differs; None before anything is known.

        Where little is known of it, the same hour of other days counts, and then all hours.
        """
        same = [
            (cell, cell[2] * (1.0 if other == hour else OTHER_DAY))
            for other in range(hour % 24, HOURS, 24)
            if (cell := self._hours[other]) is not None
        ]
        known = same or [(cell, 1.0) for cell in self._hours if cell is not None]
        if not known:
            return None
        weight = sum(part for _, part in known)
        mean = sum(cell[0] * part for cell, part in known) / weight
        variance = sum((cell[1] + (cell[0] - mean) ** 2) * part for cell, part in known) / weight
        return mean, max(math.sqrt(variance), LEAST_SPREAD * mean)

    def record(self) -> list[list[float] | None]:
        """Return what has to survive a restart, as JSON holds it."""
        return [None if cell is None else [round(cell[0], 2), round(cell[1], 2), cell[2]] for cell in self._hours]

    def restore(self, record: Sequence[Any]) -> None:
        """Go on from a record; raise ValueError where it is none."""
        if not is_usual(record):
            raise ValueError("not a record of what is usual")
        self._hours = [None if cell is None else (float(cell[0]), float(cell[1]), int(cell[2])) for cell in record]


def is_usual(record: Any) -> bool:
    """Whether this is a record of what is usual."""

    def is_hour(cell: Any) -> bool:
        if cell is None:
            return True
        numbers = isinstance(cell, list) and len(cell) == 3 and all(type(each) in (int, float) for each in cell)
        return numbers and all(math.isfinite(each) and each >= 0 for each in cell) and 1 <= cell[2] <= WEEKS

    return isinstance(record, list) and len(record) == HOURS and all(map(is_hour, record))
