"""A power by season, weekday and hour."""

from typing import Any

import pytest

from custom_components.amp_sensor.control import Block, watts_at

SPAIN = (
    Block(max_watts=3450, weekdays=frozenset(range(5)), from_min=8 * 60, to_min=24 * 60),
    Block(max_watts=5750),
)
"""P1: working days from 8 to 24 h; P2: all other times."""
SLOVENIA = (
    Block(max_watts=4000, first_month=11, last_month=2, weekdays=frozenset(range(5)), from_min=7 * 60, to_min=14 * 60),
    Block(max_watts=5000, first_month=11, last_month=2, from_min=22 * 60, to_min=6 * 60),
)


@pytest.mark.parametrize(
    ("blocks", "month", "weekday", "minute", "watts"),
    [
        (SPAIN, 6, 0, 8 * 60, 3450),
        (SPAIN, 6, 0, 8 * 60 - 1, 5750),
        (SPAIN, 6, 4, 24 * 60 - 1, 3450),
        (SPAIN, 6, 5, 12 * 60, 5750),
        (SLOVENIA, 12, 2, 9 * 60, 4000),
        (SLOVENIA, 1, 2, 9 * 60, 4000),
        (SLOVENIA, 3, 2, 9 * 60, None),
        (SLOVENIA, 1, 6, 23 * 60, 5000),
        (SLOVENIA, 1, 6, 5 * 60, 5000),
        (SLOVENIA, 1, 6, 6 * 60, None),
    ],
)
def test_the_first_block_that_holds_counts(
    blocks: tuple[Block, ...], month: int, weekday: int, minute: int, watts: float | None
) -> None:
    assert watts_at(blocks, month=month, weekday=weekday, minute=minute) == watts


@pytest.mark.parametrize(
    "wrong", [{"max_watts": -1}, {"first_month": 0}, {"last_month": 13}, {"to_min": 1441}, {"weekdays": frozenset()}]
)
def test_what_is_no_block_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="block"):
        Block(**{"max_watts": 1000.0} | wrong)
