"""A power that differs by season, weekday and hour, as contracts name it."""

from collections.abc import Iterable
from dataclasses import dataclass

DAY_MIN = 24 * 60
"""Minutes of a day, by the clock: also of those that have an hour more or less."""
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """When a power holds. Raises ValueError where a number is out of range."""

    max_watts: float
    first_month: int = 1
    last_month: int = 12
    """The months of the season, 1 to 12; it goes over the turn of the year where the last is before the first."""
    weekdays: frozenset[int] = EVERY_DAY
    """0 is Monday."""
    from_min: int = 0
    to_min: int = DAY_MIN
    """Minutes after midnight, local time; it goes over midnight where the end is not after the beginning. The weekday
    is that of the moment: what begins on Friday at 22:00 ends with Friday where Saturday is not among them."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        months = 1 <= self.first_month <= 12 and 1 <= self.last_month <= 12
        minutes = 0 <= self.from_min <= DAY_MIN and 0 <= self.to_min <= DAY_MIN
        if not (months and minutes and self.weekdays and self.weekdays <= EVERY_DAY and self.max_watts >= 0):
            raise ValueError(f"not a block: {self}")

    def holds(self, *, month: int, weekday: int, minute: int) -> bool:
        """Whether it holds in this minute of the day."""
        in_season = _within(month, self.first_month, self.last_month + 1)
        return in_season and weekday in self.weekdays and _within(minute, self.from_min, self.to_min)


def _within(value: int, first: int, end: int) -> bool:
    return first <= value < end if first < end else value >= first or value < end


def watts_at(blocks: Iterable[Block], *, month: int, weekday: int, minute: int) -> float | None:
    """Return the power of the first block that holds, W; None where none does."""
    holding = (block.max_watts for block in blocks if block.holds(month=month, weekday=weekday, minute=minute))
    return next(holding, None)
