"""What the owner of a charger wants by when, and what is planned for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, TypedDict

from ..control import When

DEFAULT_CAPACITY_KWH: Final = 60.0
"""Of a battery that nobody told and that was not learned yet, kWh: about what most electric cars on the road have."""
MIN_CAPACITY_KWH: Final = 5.0
MAX_CAPACITY_KWH: Final = 250.0
"""From a plug-in hybrid to the largest pick-up trucks."""
MAX_WANTED_KWH: Final = 200.0


class Days(StrEnum):
    """On which days it is to be ready."""

    EVERY_DAY = "every_day"
    WORKING_DAYS = "working_days"
    WEEKEND = "weekend"

    @property
    def numbers(self) -> range:
        """Of the days of the week, from Monday (0)."""
        return {Days.EVERY_DAY: range(7), Days.WORKING_DAYS: range(5), Days.WEEKEND: range(5, 7)}[self]


class GoalMemory(TypedDict, total=False):
    """What is remembered of a charger's goal."""

    when: str
    ready_by: str
    days: str
    percent: float
    kwh: float
    capacity_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the owner of a charger set."""

    when: When = When.NOW
    ready_by: time = time(7)
    """By the clock of the wall."""
    days: Days = Days.EVERY_DAY
    percent: float = 80.0
    """How full the battery is to be, where that is known: what makers advise for every day."""
    kwh: float = 10.0
    """What it is to get since it was plugged in, otherwise: 50 km."""
    capacity_kwh: float | None = None
    """Of the battery; None learns it."""

    def next_ready(self, after: datetime) -> datetime:
        """Return when it is to be ready next after a time, in the zone of that time."""
        for days in range(9):
            day = after.date() + timedelta(days=days)
            ready = datetime.combine(day, self.ready_by, tzinfo=after.tzinfo)
            if ready > after and day.weekday() in self.days.numbers:
                return ready
        raise AssertionError("within 9 days each weekday comes after any time")  # pragma: no cover

    def memory(self) -> GoalMemory:
        """Return what to remember of it."""
        return GoalMemory(
            when=self.when,
            ready_by=self.ready_by.isoformat(),
            days=self.days,
            percent=self.percent,
            kwh=self.kwh,
            capacity_kwh=self.capacity_kwh,
        )

    @classmethod
    def remembered(cls, memory: Mapping[str, Any]) -> Goal:
        """Return what was remembered; raise ValueError, TypeError or KeyError where it cannot be read."""
        goal = cls(
            when=When(memory["when"]),
            ready_by=time.fromisoformat(memory["ready_by"]),
            days=Days(memory["days"]),
            percent=float(memory["percent"]),
            kwh=float(memory["kwh"]),
            capacity_kwh=None if memory["capacity_kwh"] is None else float(memory["capacity_kwh"]),
        )
        is_in_range = 0 <= goal.percent <= 100 and 0 <= goal.kwh <= MAX_WANTED_KWH
        if not is_in_range or not MIN_CAPACITY_KWH <= (goal.capacity_kwh or DEFAULT_CAPACITY_KWH) <= MAX_CAPACITY_KWH:
            raise ValueError("out of range")
        return goal


def is_goal(memory: Any) -> bool:
    """Whether this is what is remembered of a goal."""
    try:
        Goal.remembered(memory)
    except KeyError, TypeError, ValueError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A part of the time until it is to be ready."""

    start: datetime
    end: datetime
    price: float | None
    """Of a kWh; None where nobody knows it yet."""
    is_planned: bool


@dataclass(frozen=True, kw_only=True)
class ChargerPlan:
    """What is planned for a charger, as it is shown."""

    ready_at: datetime
    start: datetime | None
    end: datetime | None
    needed_kwh: float
    cost: float | None
    """None while no price is known."""
    makes_it: bool
    is_met: bool
    """Whether it has what it is to get."""
    strips: tuple[Strip, ...]
