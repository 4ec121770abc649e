"""When a charger is to charge, so that it has what its owner wants by a time: at once, cheaply, or late.

A plan only ever takes away: outside of it a charger has a ration of nothing, within it all that the limits leave. It is
made again every few minutes, from what is still needed and the time that is left, so a plan that turns out wrong mends
itself as long as there is time; `safe` watts are how it keeps some.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
import math
from statistics import fmean

QUARTER_S = 900.0
"""The longest slot that is planned with, s: most prices are of a quarter of an hour."""
REPLAN_S = 120.0
"""How often a plan is made again, s: an eighth of its shortest part."""
AHEAD_S = 600.0
"""How long before its time it is to be ready, s: the last part of a plan is never cut to the second."""
START_KWH = 0.2
"""What a start is worth, kWh at the mean price: each is a command, a contactor, and perhaps a car to be woken. A few
cents are no reason for one more."""
PRESSED_S = 1800.0
"""Once time presses, charging goes on until so much of it is spare, s: else it would stop and start all night."""
ROUNDS = 30
"""Halvings of the range of prices: a billionth of it."""


class When(StrEnum):
    """When it is to charge."""

    NOW = "now"
    """As ever: whenever there is room."""
    CHEAPEST = "cheapest"
    LATE = "late"
    """As late as is safe: a full battery ages, and one that was just charged is warm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A part of the time that is left, of one price, no longer than a quarter of an hour."""

    start: float
    end: float
    """Seconds since 1970."""
    price: float
    """Of a kWh."""
    usual_watts: float
    """What it can usually have then."""
    safe_watts: float
    """What it can have then even on a busy night."""

    @property
    def usual_wh(self) -> float:
        """What it can usually take in all of it."""
        return self.usual_watts * (self.end - self.start) / 3600

    @property
    def safe_wh(self) -> float:
        """What it can take in all of it even on a busy night."""
        return self.safe_watts * (self.end - self.start) / 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When it charges, and what comes of that."""

    slots: tuple[Slot, ...]
    """Those in which it charges, in their order."""
    expected_wh: float
    """What it will usually have got by the end of them, of what it needs."""
    cost: float
    """Of that."""
    makes_it: bool
    """Whether what it can usually have by its time is enough."""
    is_pressed: bool
    """Whether it charges because hardly any time is left for what it needs."""

    @property
    def start(self) -> float | None:
        """When it charges first, s; None where it needs nothing."""
        return self.slots[0].start if self.slots else None

    @property
    def end(self) -> float | None:
        """When it has charged last, s."""
        return self.slots[-1].end if self.slots else None

    def charges_at(self, at: float) -> bool:
        """Whether it charges at a time, s."""
        return any(slot.start <= at < slot.end for slot in self.slots)


def make_plan(
    when: When, slots: Sequence[Slot], needed_wh: float, *, is_charging: bool = False, was_pressed: bool = False
) -> Plan:
    """Plan for what is needed within `slots`, which follow each other from now until it is to be ready.

    `is_charging` and `was_pressed` are how it is now: to go on costs no start.
    """
    if needed_wh <= 0 or not slots:
        return Plan(slots=(), expected_wh=0.0, cost=0.0, makes_it=needed_wh <= 0, is_pressed=False)
    latest = _latest(slots, needed_wh)
    spare_s = slots[latest].start - slots[0].start
    is_pressed = latest == 0 or (was_pressed and (when is When.LATE or spare_s < PRESSED_S))
    match when:
        case When.NOW:
            chosen = [True] * len(slots)
        case When.LATE:
            chosen = [is_pressed or number >= latest for number in range(len(slots))]
        case When.CHEAPEST:
            chosen = _cheapest(slots, needed_wh, is_charging=is_charging)
    chosen[0] = chosen[0] or is_pressed
    return _told(slots, chosen, needed_wh, is_pressed=is_pressed)


def _told(slots: Sequence[Slot], chosen: Sequence[bool], needed_wh: float, *, is_pressed: bool) -> Plan:
    """Return the plan of what was chosen: it ends where it has what it needs."""
    left, cost, taken = needed_wh, 0.0, []
    for slot, is_chosen in zip(slots, chosen, strict=True):
        if is_chosen and left > 0:
            taken.append(slot)
            wh = min(left, slot.usual_wh)
            left -= wh
            cost += wh / 1000 * slot.price
    usual = sum(slot.usual_wh for slot in slots)
    return Plan(
        slots=tuple(taken),
        expected_wh=needed_wh - left,
        cost=cost,
        makes_it=usual >= needed_wh,
        is_pressed=is_pressed,
    )


def _latest(slots: Sequence[Slot], needed_wh: float) -> int:
    """Return the slot with which it has to begin at the latest, even on a busy night."""
    left = needed_wh
    for number in range(len(slots) - 1, 0, -1):
        left -= slots[number].safe_wh
        if left <= 0:
            return number
    return 0


def _cheapest(slots: Sequence[Slot], needed_wh: float, *, is_charging: bool) -> list[bool]:
    """Choose the slots in which it usually gets what it needs at the least cost, starts included.

    What a kWh may cost at most is sought by halving; for each such price the best choice is found slot by slot.
    """
    if sum(slot.usual_wh for slot in slots) <= needed_wh:
        return [True] * len(slots)
    prices = [slot.price for slot in slots]
    start_cost = START_KWH * max(1e-6, abs(fmean(prices)))
    low, high = min(prices) - start_cost, max(prices) + start_cost + 1
    while sum(_energies(slots, _choose(slots, high, start_cost, is_charging=is_charging))) < needed_wh:
        high += high - low  # so little fits into a slot that even a start costs more than the dearest
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        if sum(_energies(slots, _choose(slots, middle, start_cost, is_charging=is_charging))) < needed_wh:
            low = middle
        else:
            high = middle
    return _trimmed(slots, _choose(slots, high, start_cost, is_charging=is_charging), needed_wh, start_cost)


def _energies(slots: Sequence[Slot], chosen: Sequence[bool]) -> list[float]:
    return [slot.usual_wh for slot, is_chosen in zip(slots, chosen, strict=True) if is_chosen]


def _choose(slots: Sequence[Slot], worth: float, start_cost: float, *, is_charging: bool) -> list[bool]:
    """Choose for a price that a kWh is worth: in each slot on or off, whichever is better with all that follows."""
    off, on = (math.inf, 0.0) if is_charging else (0.0, math.inf)
    came: list[tuple[bool, bool]] = []
    for slot in slots:
        gain = (slot.price - worth) * slot.usual_wh / 1000
        stays_on = on <= off + start_cost
        stays_off = off <= on
        came.append((not stays_off, stays_on))
        off, on = min(off, on), min(on, off + start_cost) + gain
    is_on = on < off
    chosen = [False] * len(slots)
    for number in range(len(slots) - 1, -1, -1):
        chosen[number] = is_on
        is_on = came[number][is_on]
    return chosen


def _trimmed(slots: Sequence[Slot], chosen: list[bool], needed_wh: float, start_cost: float) -> list[bool]:
    """Leave out what saves most, and the latest of equals, as long as there is enough.

    Never the next instead, which may be the one that has begun and is shorter: it would be put off for ever.
    """
    spare = sum(_energies(slots, chosen)) - needed_wh

    def saving(number: int) -> float:
        beside = sum(chosen[other] for other in (number - 1, number + 1) if 0 <= other < len(slots))
        return slots[number].price * slots[number].usual_wh / 1000 + (1 - beside) * start_cost

    while True:
        most = max((number for number, is_in in enumerate(chosen) if is_in), key=lambda each: (saving(each), each))
        if slots[most].usual_wh > spare or saving(most) <= 0:
            return chosen
        chosen[most] = False
        spare -= slots[most].usual_wh
