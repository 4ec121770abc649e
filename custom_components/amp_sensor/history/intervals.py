"""Time cut into intervals of the clock and of the calendar, as somebody in a time zone sees them."""

from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

_DAY: Final = timedelta(days=1)


class Interval(StrEnum):
    """What a row covers."""

    FIVE_MINUTES = "5_minutes"
    QUARTER = "15_minutes"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


LENGTHS_S: Final = {Interval.FIVE_MINUTES: 300, Interval.QUARTER: 900, Interval.HOUR: 3600}
"""Of the intervals of the clock; those of the calendar differ with months and with summer time."""


def _midnight(day: date, zone: tzinfo) -> float:
    """Return when a day begins. Where summer time begins at midnight, that is at one o'clock."""
    return datetime.combine(day, time(), zone).timestamp()


def _first_day(moment: datetime, interval: Interval) -> date:
    day = moment.date()
    if interval is Interval.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval is Interval.MONTH else day


def _next_day(day: date, interval: Interval) -> date:
    if interval is Interval.WEEK:
        return day + 7 * _DAY
    return (day + 31 * _DAY).replace(day=1) if interval is Interval.MONTH else day + _DAY


def cut(start: datetime, end: datetime, interval: Interval, zone: tzinfo) -> list[float]:
    """Return where the intervals begin that hold the time from `start` to `end`, and where the last one ends, s (Unix).

    The days when summer time begins and ends have 23 and 25 hours.
    """
    begin, stop = start.timestamp(), end.timestamp()
    day = _first_day(start.astimezone(zone), interval)
    edges = [_midnight(day, zone)]
    while (midnight := edges[-1]) < stop:
        day = _next_day(day, interval)
        following = _midnight(day, zone)
        if (length_s := LENGTHS_S.get(interval)) is not None:
            edges.extend(midnight + step for step in range(length_s, int(following - midnight), length_s))
        edges.append(following)
    first = next(index for index, edge in enumerate(edges[1:]) if edge > begin)
    last = next(index for index, edge in enumerate(edges) if edge >= stop)
    return edges[first : last + 1]
