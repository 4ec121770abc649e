"""Whose report is needed now: the meter shows something that no charger has told of yet."""

from collections import deque
from collections.abc import Iterable
import math

from .charger import ManagedCharger
from .prices import OVER_A

CAR_AMPS = 4.0
"""A rise by this much may be a car: it charges with 5 A at least, and 1 A is the house's noise."""
RISE_S = 30.0
"""Over which time a rise is looked for, s: a car takes 16 s to 16 A."""
ASK_S = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""How old a report, and then the last question, must be for the next, s: a cloud shows a start after 15 s, at times
after a minute."""


class Asking:
    """Asks for reports, ever less often while nothing new comes of it."""

    def __init__(self) -> None:
        self._lowest: deque[tuple[float, float]] = deque()
        self._asked: dict[str, tuple[float, int]] = {}
        self._rose_at = -math.inf

    def add(self, amps: float, now: float) -> None:
        """Take the current of the highest phase."""
        while self._lowest and self._lowest[-1][1] >= amps:
            self._lowest.pop()
        self._lowest.append((now, amps))
        while self._lowest[0][0] < now - RISE_S:
            self._lowest.popleft()
        if amps - self._lowest[0][1] >= CAR_AMPS:
            if now - self._rose_at > RISE_S:
                self._asked.clear()
            self._rose_at = now

    def wanted(self, chargers: Iterable[ManagedCharger], excess: float, now: float) -> tuple[str, ...]:
        """Return who is to be asked now: those that are not known to charge, while something unknown does."""
        over = excess > OVER_A
        if not over and now - self._rose_at > 2 * RISE_S:
            self._asked.clear()
            return ()
        found = []
        for charger in chargers:
            asked_at, times = self._asked.get(charger.charger_id, (charger.measured_at, 0))
            if charger.running or (times == len(ASK_S) and not over):
                continue
            if now - asked_at >= ASK_S[min(times, len(ASK_S) - 1)]:
                self._asked[charger.charger_id] = (now, times + 1)
                found.append(charger.charger_id)
        return tuple(found)
