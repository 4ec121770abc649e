"""The measurement of a fleet counts posts and rows, and says what they come to in a day."""

import asyncio

import numpy as np
import pytest

from simulation.fleet import Load, measure, report
from simulation.house import House
from simulation.lateness import Delays

DELAYS = Delays(median=0.2, high=1.5, highest=30, blocked=2)


def test_every_meter_posts_every_5_s_and_its_step_is_in_the_database() -> None:
    house = House(name="made up", start_s=0, phases=np.array([np.where(np.arange(7200) % 3600 < 3, 4.0, 12.0)]))
    found = asyncio.run(measure(house, meters=3, seconds=6))
    assert found.meters == 3
    assert found.seconds == pytest.approx(6, abs=2)
    assert found.posts == 4, "the first meter twice"
    assert found.cpu > 0
    assert 0 < found.delays.median <= found.delays.high <= found.delays.highest
    assert found.delays.blocked <= found.delays.highest
    assert found.rows >= 2, "the step of the first meter: current and power"


def test_the_report_tells_rows_of_a_meter_and_day() -> None:
    load = Load(meters=2, seconds=10.0, posts=4, cpu=0.05, delays=DELAYS, rows=6)
    told = report(load)
    assert "5.0% of one core" in told
    assert "6, 25,920 for each meter and day" in told
    assert f"event loop         {DELAYS}\n" in told
