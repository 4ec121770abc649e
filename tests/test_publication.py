"""A noisy meter does not fill the database, and a step is seen at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.publication import DETAIL_S, Policy, Publication

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AMPS = Policy(dead_band=0.25, interval_s=120.0)


@pytest.mark.parametrize(
    ("policy", "first", "second", "after_s", "due"),
    [
        (AMPS, 10.0, 10.1, 30, False),
        (AMPS, 10.0, 10.1, 120, True),
        (AMPS, 10.0, 10.0, 1200, False),
        (AMPS, 10.0, 10.25, 2, True),
        (AMPS, 10.0, 20.0, 1.9, True),
        (AMPS, 20.0, 10.0, 1.9, False),
        (AMPS, 20.0, 10.0, 2, True),
        (AMPS.derived(), 10.0, 10.9, 299, False),
        (AMPS.derived(), 10.0, 20.0, 1.9, False),
        (AMPS.derived(), 10.0, 20.0, 2, True),
        (AMPS, 10.0, None, 0.1, True),
        (AMPS, None, 10.0, 0.1, True),
        (None, 10.0, 10.01, 0.1, True),
        (None, "raised", "paused", 0.1, True),
        (timedelta(minutes=1), NOON, NOON + timedelta(seconds=59), 59, False),
        (timedelta(minutes=1), NOON, NOON + timedelta(seconds=60), 60, True),
    ],
)
def test_what_is_worth_a_state(
    policy: Policy | timedelta | None, first: object, second: object, after_s: float, due: bool
) -> None:
    publication = Publication(policy)
    assert publication.is_due(first, now=1000.0)
    assert not publication.is_due(first, now=1000.0)
    assert publication.is_due(second, now=1000.0 + after_s) is due
    assert publication.value == (second if due else first)


def test_details_wait_for_their_time_or_a_new_value() -> None:
    publication = Publication(None)
    assert publication.is_due("waiting", now=0.0, detail={"seconds": 5.0})
    assert not publication.is_due("waiting", now=DETAIL_S - 1, detail={"seconds": 59.0})
    assert publication.is_due("waiting", now=DETAIL_S, detail={"seconds": 60.0})
    assert publication.is_due("raised", now=DETAIL_S + 1, detail={"seconds": 60.0})


def test_a_small_change_that_stays_is_soon_shown_as_it_is() -> None:
    publication = Publication(AMPS)
    shown = []
    for second in range(200):
        publication.is_due(10.0 if second < 60 else 10.2, now=float(second))
        shown.append(publication.value)
    assert shown[59] == 10.0
    assert shown[90] == 10.2
    assert shown[-1] == 10.2


def test_a_derived_number_follows_a_few_steps_and_then_every_half_minute() -> None:
    publication = Publication(AMPS.derived())
    due = [publication.is_due(10.0 * (second % 2), now=2.0 * second) for second in range(1000)]
    assert all(due[:11])
    assert sum(due) == pytest.approx(11 + 2000 / 30, abs=2)


def test_whole_watts_stay_whole() -> None:
    publication = Publication(Policy(dead_band=60.0))
    for second in range(500):
        publication.is_due(2300 + second % 7, now=float(second))
        assert isinstance(publication.value, int)


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=40).map(lambda loads: [load for load in loads for _ in range(90)]),
    st.lists(st.floats(-0.05, 0.05), min_size=11, max_size=31),
)
def test_the_mean_and_the_highest_of_what_is_shown_are_those_of_what_is_read(
    loads: list[float], noise: list[float]
) -> None:
    publication = Publication(AMPS)
    read, shown = [], []
    for second, load in enumerate(loads):
        read.append(round(load + noise[second % len(noise)], 2))
        publication.is_due(read[-1], now=float(second))
        assert isinstance(publication.value, float)
        shown.append(publication.value)
    off = sum(read) - sum(shown)
    assert abs(off) <= 30.0 + 2 * 100, "A·s: what is not made good yet, and the last fall"
    assert max(read) - max(shown) < AMPS.dead_band
    assert max(shown) <= max(read)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), min_size=1, max_size=60))
def test_what_is_left_changes_together_with_what_is_drawn(readings: list[tuple[int, int]]) -> None:
    budget, now = 25.0, 0.0
    drawn, left = Publication(AMPS), Publication(replace(AMPS, urgent=-1))
    for sixteenths, after_s in readings:
        now += after_s
        amps = sixteenths / 16
        assert drawn.is_due(amps, now=now) == left.is_due(budget - amps, now=now)
        assert isinstance(drawn.value, float)
        assert isinstance(left.value, float)
        assert drawn.value + left.value == pytest.approx(budget, abs=0.011)  # both are rounded
