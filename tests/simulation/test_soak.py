"""A morning of what `scripts/soak` does for a week; and what it calls wrong."""

import asyncio
from dataclasses import replace
import logging
from pathlib import Path

import pytest

from simulation.house import load
from simulation.soak import DAY_H, HOUSE, Found, Look, live, report, wrong

LOOK = Look(resident=250_000_000, blocks=1_100_000, tasks=4, timers=11, listeners=39, handles=29, database=0, rows=0)


@pytest.mark.usefixtures("socket_enabled")
def test_in_a_morning_nothing_piles_up_and_no_energy_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "sqlalchemy.engine"):
        caplog.set_level(logging.WARNING, name)  # what is said of each query is kept, too
    found = asyncio.run(live(load(HOUSE).window(start_h=6.5, hours=2), tmp_path))
    assert not wrong(found)
    first, *_, last = found.looks
    assert (last.listeners, last.handles) <= (first.listeners, first.handles)
    assert max(last.tasks - first.tasks, last.timers - first.timers) <= 1, "one that looks at the car may be there"
    assert last.blocks < 1.01 * first.blocks
    assert found.true_kwh > 5
    assert found.recorded_true_kwh > 3, "a whole hour"
    assert 2 < found.charged_kwh < 7, "until it left"
    assert found.car_kwh == pytest.approx(found.charged_kwh, rel=0.03)
    assert found.writes["energy and settings"] == pytest.approx(2 * 60, abs=10), "once a minute"


def _week(**changes: float) -> Found:
    """A week in which nothing happens, but that something rises from hour to hour."""
    looks = []
    for hour in range(7 * DAY_H):
        rising = {name: round(getattr(LOOK, name) + each * hour) for name, each in changes.items()}
        looks.append(replace(LOOK, database=30_000_000, rows=400 * (hour + 1), **rising))
    energies = {"true_kwh": 250.0, "shown_kwh": 250.0, "recorded_true_kwh": 248.0, "recorded_kwh": 248.0}
    return Found(looks=looks, **energies, charged_kwh=90.0, car_kwh=89.0)


def test_a_week_in_which_nothing_grows_is_fine() -> None:
    assert not wrong(_week())
    assert "| memory of the process, MB | 250 | 250 | 250 | 250 | 250 | 250 | 250 | +0 (+0.00%) |" in report(_week())


@pytest.mark.parametrize(
    ("name", "per_hour"),
    [("resident", 150_000), ("blocks", 200), ("tasks", 0.04), ("timers", 0.1), ("listeners", 0.1), ("handles", 0.1)],
)
def test_what_rises_slowly_is_told(name: str, per_hour: float) -> None:
    (told,) = wrong(_week(**{name: per_hour}))
    assert "rises by" in told


def test_what_comes_and_goes_is_not_told() -> None:
    found = _week()
    found.looks[100:110] = [replace(look, tasks=9, handles=40) for look in found.looks[100:110]]
    assert not wrong(found)


@pytest.mark.parametrize("changes", [{"shown_kwh": 249.7}, {"recorded_kwh": 247.7}, {"away": 1}, {"asleep": 1}])
def test_energy_that_is_lost_and_commands_to_nobody_are_told(changes: dict[str, float]) -> None:
    assert len(wrong(replace(_week(), **changes))) == 1


def test_what_was_logged_of_ours_is_told_once() -> None:
    ours = "WARNING custom_components.amp_sensor: something is wrong"
    found = replace(_week(), logged=[ours, ours, "WARNING aiohttp_fast_zlib: slower than it could be", "ERROR x: y"])
    assert wrong(found) == [ours, "ERROR x: y"]
