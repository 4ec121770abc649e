"""When a value is worth a state: states are what a database grows by, not readings."""

from datetime import datetime, timedelta
from typing import Final

INTERVAL_S: Final = 60.0
"""Small changes wait for this long: five samples in each of the recorder's 5-minute statistics."""
SPACING_S: Final = 2.0
"""Large ones for this long at most: an induction hob switches every second, and nobody reads faster."""


class Publication:
    """What of one entity was last shown, and whether something newer is worth showing."""

    def __init__(self, dead_band: float | timedelta | None) -> None:
        """`dead_band` is the least change that is worth a state of its own; None is any change."""
        self._dead_band = dead_band
        self._shown: tuple[object, object] | None = None
        self._at = 0.0

    def is_due(self, value: object, *, now: float, detail: object = None) -> bool:
        """Return whether to show the value now, s; it then counts as shown.

        `detail` (attributes) never is worth a state of its own, but does not stay old for longer than the interval.
        """
        if self._shown == (value, detail) or not self._is_worth(value, now - self._at):
            return False
        self._shown = (value, detail)
        self._at = now
        return True

    def _is_worth(self, value: object, elapsed_s: float) -> bool:
        if self._shown is None or elapsed_s >= INTERVAL_S:
            return True
        last, _ = self._shown
        if last == value:
            return False
        match last, value, self._dead_band:
            case (int() | float(), int() | float(), float() as dead_band):
                return elapsed_s >= SPACING_S and abs(value - last) >= dead_band
            case (datetime(), datetime(), timedelta() as dead_band):
                return abs(value - last) >= dead_band
            case _:
                return True
