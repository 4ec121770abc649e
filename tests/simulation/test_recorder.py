"""The comparison of databases counts what is there, and divides ours by theirs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from homeassistant.core import HomeAssistant
import numpy as np
import pytest

from custom_components.amp_sensor.const import DEFAULT_DEAD_BAND_A
from simulation.house import House, load
from simulation.recorder import Comparison, Cost, Poster, add_naive, add_site, compare, cost, fill, posts_of, report

PROJECT = Path(__file__).parents[2]


def _house(seconds: int) -> House:
    """4 A and 12 A, a minute each."""
    return House(name="made up", start_s=0, phases=np.array([4.0 + 8.0 * (np.arange(seconds) // 60 % 2)]))


@pytest.mark.parametrize("add", [add_naive, add_site])
def test_all_that_was_posted_is_counted(tmp_path: Path, add: Callable[[HomeAssistant], Awaitable[Poster]]) -> None:
    (tmp_path / "custom_components").symlink_to(PROJECT / "custom_components")
    asyncio.run(fill(posts_of(_house(300)), tmp_path, add))
    found, rows = cost(tmp_path)
    assert found.rows == sum(rows.values())
    assert found.file_bytes > 0
    if add is add_naive:
        assert rows == {"sensor.home_amps": 300, "sensor.home_watts": 300}
    else:
        assert 5 <= rows["sensor.home_current"] <= 30, "each step, and little else"


def test_less_than_an_hour_has_no_hourly_mean() -> None:
    with pytest.raises(ValueError, match="made up is shorter than an hour"):
        asyncio.run(compare(_house(3599)))


def test_an_hour_of_a_real_house_takes_few_rows_and_is_true_to_its_readings() -> None:
    house = load(PROJECT / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz").window(start_h=19, hours=1)
    found = asyncio.run(compare(house))
    assert found.naive.rows == 2 * 3600
    assert found.ours.rows == sum(found.rows_by_entity.values()) >= found.rows_by_entity["sensor.home_current"] >= 20
    assert found.ours.rows <= 0.05 * found.naive.rows
    assert found.mean_off <= 0.005
    assert found.max_off_amps <= DEFAULT_DEAD_BAND_A
    assert found.energy_off <= 0.005, "the last ten of 3600 s are not shown yet"
    assert found.moments >= 60
    assert found.amiss == 0, "whoever looks sees one moment, whenever that is"
    assert found.buckets_off_amps < 1e-9


def test_the_report_tells_ours_of_theirs() -> None:
    found = Comparison(
        hours=2,
        ours=Cost(rows=50, file_bytes=300),
        naive=Cost(rows=2000, file_bytes=4000),
        rows_by_entity={"sensor.home_current": 50},
        mean_off=0.001,
        max_off_amps=0.06,
        energy_off=0.00083,
        moments=100,
        amiss=1,
        buckets_off_amps=0.25,
    )
    lines = [line.split() for line in report(_house(7200), found).splitlines()]
    assert lines[1] == ["rows", "50", "of", "2,000", "2.50%"]
    assert lines[2] == ["bytes", "300", "of", "4,000", "7.50%"]
    assert [line[-1] for line in lines[3:6]] == ["0.10%", "A", "0.083%"]
    assert lines[6][-5:] == ["but", "1", "of", "100", "moments,"]
    assert lines[7][-2:] == ["0.2", "A"]
    assert lines[8] == ["sensor.home_current", "50"]
