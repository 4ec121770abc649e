"""A noisy meter does not fill the database, and a step is seen at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.publication import BURST, Lasting, Policy, Publication

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AMPS = Policy(dead_band=0.25, interval_s=120.0, amiss_s=40.0)
FOLLOWING = replace(AMPS, amiss_s=300.0)


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
        (FOLLOWING, 10.0, 10.25, 2, True),
        (AMPS.coarser(), 10.0, 10.9, 299, False),
        (AMPS.coarser(), 10.0, 11.0, 1.9, True),
        (AMPS, 10.0, None, 0.1, True),
        (AMPS, None, 10.0, 0.1, True),
        (None, 10.0, 10.01, 0.1, True),
        (None, "charging", "stopped", 0.1, True),
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


def test_a_word_that_comes_and_goes_has_to_last_unless_what_it_is_about_changes() -> None:
    publication = Publication(Lasting(lasts_s=120.0))
    shown = []
    for second in range(1000):
        match second:
            case _ if second < 300:
                word, about = ("waiting", "no room")[second // 100 % 2], "limited"
            case 300 | 301:
                word, about = "raised", "free"
            case _:
                word, about = "at maximum", "free"
        if publication.is_due(word, now=float(second), situation=about):
            shown.append((second, publication.value))
    assert shown == [(0, "waiting"), (300, "raised"), (422, "at maximum")]


def test_a_word_that_is_back_before_another_lasted_is_not_shown_again() -> None:
    publication = Publication(Lasting(lasts_s=120.0))
    due = [publication.is_due("waiting" if second % 119 else "no room", now=float(second)) for second in range(1, 1000)]
    assert due == [True] + [False] * 998


def test_a_small_change_that_stays_is_soon_shown_as_it_is() -> None:
    publication = Publication(AMPS)
    shown = []
    for second in range(200):
        publication.is_due(10.0 if second < 60 else 10.2, now=float(second))
        shown.append(publication.value)
    assert shown[59] == 10.0
    assert shown[90] == 10.2
    assert shown[-1] == 10.2


def test_where_there_are_many_steps_another_number_is_shown_less_often_and_its_mean_stays() -> None:
    read = [10.0 + 0.4 * (second // 4 % 2) for second in range(7200)]
    publication = Publication(FOLLOWING)
    due, shown = [], []
    for second, amps in enumerate(read):
        due.append(publication.is_due(amps, now=float(second)))
        assert isinstance(publication.value, float)
        shown.append(publication.value)
    assert sum(due[: 4 * BURST]) >= BURST - 1, "the first few as they come"
    assert 3600 / 60 - 1 <= sum(due[3600:]) <= 3600 / 60 + 3600 / 300 * 2 + 1, "one a minute, and the highest of five"
    assert sum(shown) == pytest.approx(sum(read), abs=60)


def test_where_a_number_would_be_far_off_it_is_shown_however_many_there_are() -> None:
    publication = Publication(FOLLOWING)
    for second in range(600):
        publication.is_due(10.0 * (second // 3 % 2), now=float(second))
    for second in range(600, 600 + 20):
        publication.is_due(0.0, now=float(second))
    assert publication.value == 0.0


def test_a_peak_is_shown_at_once_once_in_five_minutes() -> None:
    publication = Publication(FOLLOWING)
    shown = []
    for second in range(600):
        peak = second >= 100 and second % 10 == 0
        if publication.is_due(12.0 if peak else 0.5 * (second % 2), now=float(second)) and publication.value == 12.0:
            shown.append(second)
    assert shown[0] == 100
    assert any(second >= 400 for second in shown)
    assert len(shown) < 25, "of fifty"


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


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), min_size=1, max_size=BURST))
def test_in_a_calm_house_what_is_left_changes_together_with_what_is_drawn(readings: list[tuple[int, int]]) -> None:
    budget, now = 25.0, 0.0
    drawn, left = Publication(AMPS), Publication(replace(FOLLOWING, urgent=-1))
    for sixteenths, after_s in readings:
        now += after_s
        amps = sixteenths / 16
        assert drawn.is_due(amps, now=now) == left.is_due(budget - amps, now=now)
        assert isinstance(drawn.value, float)
        assert isinstance(left.value, float)
        assert drawn.value + left.value == pytest.approx(budget, abs=0.011)  # both are rounded
