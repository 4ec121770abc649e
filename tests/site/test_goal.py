"""What a car is to have by when: the next time by the clock of the wall, and what is remembered of it."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from custom_components.amp_sensor.control import When
from custom_components.amp_sensor.site.goal import Days, Goal, is_goal

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("days", "after", "ready"),
    [
        (Days.EVERY_DAY, "2026-11-26 06:59", "2026-11-26T07:00:00+01:00"),
        (Days.EVERY_DAY, "2026-11-26 07:00", "2026-11-27T07:00:00+01:00"),
        (Days.WORKING_DAYS, "2026-11-27 20:00", "2026-11-30T07:00:00+01:00"),
        (Days.WORKING_DAYS, "2026-11-26 20:00", "2026-11-27T07:00:00+01:00"),
        (Days.WEEKEND, "2026-11-29 08:00", "2026-12-05T07:00:00+01:00"),
        (Days.EVERY_DAY, "2026-03-28 20:00", "2026-03-29T07:00:00+02:00"),
        (Days.EVERY_DAY, "2026-10-24 20:00", "2026-10-25T07:00:00+01:00"),
    ],
)
def test_the_next_time_is_one_of_the_wall_also_where_clocks_are_changed(days: Days, after: str, ready: str) -> None:
    goal = Goal(ready_by=time(7), days=days)
    assert goal.next_ready(datetime.fromisoformat(after).replace(tzinfo=BERLIN)).isoformat() == ready


def test_what_is_remembered_is_what_was_set() -> None:
    goal = Goal(when=When.LATE, ready_by=time(6, 30), days=Days.WEEKEND, percent=90.0, kwh=7.5, capacity_kwh=52.0)
    assert is_goal(goal.memory())
    assert Goal.remembered(goal.memory()) == goal
    assert Goal.remembered(Goal().memory()) == Goal()


@pytest.mark.parametrize(
    "wrong",
    [
        {"when": "never"},
        {"ready_by": "noon"},
        {"days": 5},
        {"percent": 101},
        {"kwh": -1},
        {"kwh": None},
        {"capacity_kwh": 1},
        {"capacity_kwh": "big"},
    ],
)
def test_what_cannot_be_read_is_told(wrong: dict[str, object]) -> None:
    assert not is_goal({**Goal().memory(), **wrong})
    assert not is_goal({})
    assert not is_goal(None)
