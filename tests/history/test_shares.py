"""The mean current is shared between the house and its chargers, and the parts add up to it."""

from dataclasses import replace
from datetime import UTC

import pytest

from custom_components.amp_sensor.history.table import CURRENT, Row, Table

CHARGERS = tuple(replace(CURRENT, key=key) for key in ("one", "two"))


def row(current: tuple[float, float], *drawn: tuple[float, float]) -> Row:
    """Return the row of an hour; of each quantity its mean, A, and for how long it was known, s."""
    table = Table([0.0, 3600.0], is_fine=False, chargers=CHARGERS[: len(drawn)])
    for quantity, (mean, known_s) in zip((CURRENT, *CHARGERS), (current, *drawn), strict=False):
        if known_s:
            table.add(quantity.key, 0.0, known_s, mean, mean)
    (row,) = table.rows(UTC)
    return row


@pytest.mark.parametrize(
    ("current", "drawn", "house", "shares"),
    [
        pytest.param((20, 3600), [(12, 3600)], 8, [12], id="a car"),
        pytest.param((20, 3600), [(9, 3600), (6, 3600)], 5, [9, 6], id="two cars"),
        pytest.param((20, 3600), [(0, 3600)], 20, [0], id="a car that does not charge"),
        pytest.param((7, 3600), [(16, 900)], 3, [4], id="a car that was known for a quarter of the time"),
        pytest.param((7, 1800), [(6, 3600)], 1, [6], id="a meter that was heard for half of the time"),
        pytest.param((7, 3600), [(0, 0)], 7, [None], id="a car of which nothing is known"),
        pytest.param((0, 0), [(6, 3600)], None, [None], id="a meter of which nothing is known"),
        pytest.param((15.7, 3600), [(16, 3600)], -0.3, [16], id="a car that rounds up"),
        pytest.param((2, 3600), [(6, 3600)], -4, [6], id="sun"),
        pytest.param((-5, 3600), [(0, 3600)], -5, [0], id="more sun than the house takes"),
    ],
)
def test_who_drew_what(
    current: tuple[float, float], drawn: list[tuple[float, float]], house: float | None, shares: list[float | None]
) -> None:
    found = row(current, *drawn)
    assert [found[f"mean_charger_{number}_amps"] for number in range(1, len(drawn) + 1)] == pytest.approx(
        shares, abs=0.01
    )
    assert found["mean_house_amps"] == (None if house is None else pytest.approx(house, abs=0.01))


def test_parts_add_up_to_the_last_digit() -> None:
    found = row((10 / 3, 3600), (1 / 3, 3600), (2 / 3, 1800))
    parts = [found[key] for key in ("mean_house_amps", "mean_charger_1_amps", "mean_charger_2_amps")]
    assert round(sum(part for part in parts if isinstance(part, float)), 2) == found["mean_amps"] == 3.33


def test_without_chargers_a_row_is_as_it_was() -> None:
    assert not [key for key in row((1, 3600)) if "house" in key or "charger" in key]
