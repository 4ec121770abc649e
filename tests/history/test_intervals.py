"""Intervals are those of the wall clock and of the calendar, on the odd days too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.amp_sensor.history.intervals import Interval, cut

MADRID = ZoneInfo("Europe/Madrid")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
SANTIAGO = ZoneInfo("America/Santiago")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def labels(edges: list[float], zone: ZoneInfo, form: str = "%d %H:%M") -> list[str]:
    return [datetime.fromtimestamp(edge, zone).strftime(form) for edge in edges]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.FIVE_MINUTES, ["10:05", "10:10", "10:15", "10:20"]),
        (Interval.QUARTER, ["10:00", "10:15", "10:30"]),
        (Interval.HOUR, ["10:00", "11:00"]),
    ],
)
def test_the_first_and_the_last_interval_are_whole(interval: Interval, expected: list[str]) -> None:
    start = datetime(2026, 11, 18, 10, 7, 13, tzinfo=MADRID)
    assert labels(cut(start, start + timedelta(minutes=9), interval, MADRID), MADRID, "%H:%M") == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.DAY, ["11-18", "11-19", "11-20"]),
        (Interval.WEEK, ["11-16", "11-23"]),  # from Monday
        (Interval.MONTH, ["11-01", "12-01"]),
    ],
)
def test_intervals_of_the_calendar(interval: Interval, expected: list[str]) -> None:
    edges = cut(datetime(2026, 11, 18, 10, 7, tzinfo=MADRID), datetime(2026, 11, 20, tzinfo=MADRID), interval, MADRID)
    assert labels(edges, MADRID, "%m-%d") == expected


def test_every_month_of_a_year_is_there_once() -> None:
    edges = cut(datetime(2025, 1, 31, tzinfo=MADRID), datetime(2026, 1, 1, tzinfo=MADRID), Interval.MONTH, MADRID)
    assert labels(edges, MADRID, "%m-%d %H:%M") == [f"{1 + month % 12:02}-01 00:00" for month in range(13)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (MADRID, datetime(2026, 3, 29), 23),  # noqa: DTZ001 -- the zone is the parameter beside it
        (MADRID, datetime(2026, 10, 25), 25),  # noqa: DTZ001
        (SANTIAGO, datetime(2026, 9, 6), 23),  # noqa: DTZ001 -- it has no midnight
        (LORD_HOWE, datetime(2026, 10, 4), 24),  # noqa: DTZ001 -- of 23.5 hours: the last one is a half
    ],
)
def test_days_of_summer_time_have_their_own_length(zone: ZoneInfo, day: datetime, hours: int) -> None:
    start = day.replace(hour=12, tzinfo=zone)
    (begin, end) = cut(start, start, Interval.DAY, zone)
    edges = cut(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC), Interval.HOUR, zone)
    assert (edges[0], edges[-1], len(edges) - 1) == (begin, end, hours)
    assert edges == sorted(set(edges))


def test_hours_of_a_zone_with_quarters_begin_when_its_clocks_say_so() -> None:
    start = datetime(2026, 11, 18, 10, 7, tzinfo=KATHMANDU)
    edges = cut(start, start + timedelta(hours=1), Interval.HOUR, KATHMANDU)
    assert labels(edges, KATHMANDU, "%H:%M") == ["10:00", "11:00", "12:00"]
    assert labels(edges, ZoneInfo("UTC"), "%H:%M") == ["04:15", "05:15", "06:15"]
