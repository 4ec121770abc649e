"""A noisy meter does not fill the database, and a step is seen at once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.publication import INTERVAL_S, SPACING_S, Publication

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dead_band", "first", "second", "after_s", "due"),
    [
        (0.25, 10.0, 10.2, 30, False),
        (0.25, 10.0, 10.2, INTERVAL_S, True),
        (0.25, 10.0, 10.0, 10 * INTERVAL_S, False),
        (0.25, 10.0, 10.25, SPACING_S, True),
        (0.25, 10.0, 20.0, SPACING_S - 0.1, False),
        (0.25, 10.0, None, 0.1, True),
        (0.25, None, 10.0, 0.1, True),
        (None, 10.0, 10.01, 0.1, True),
        (None, "raised", "paused", 0.1, True),
        (timedelta(minutes=1), NOON, NOON + timedelta(seconds=59), 59, False),
        (timedelta(minutes=1), NOON, NOON + timedelta(seconds=60), 60, True),
    ],
)
def test_what_is_worth_a_state(
    dead_band: float | timedelta | None, first: object, second: object, after_s: float, due: bool
) -> None:
    publication = Publication(dead_band)
    assert publication.is_due(first, now=1000.0)
    assert not publication.is_due(first, now=1000.0)
    assert publication.is_due(second, now=1000.0 + after_s) is due


def test_details_wait_for_the_interval_or_a_new_value() -> None:
    publication = Publication(None)
    assert publication.is_due("waiting", now=0.0, detail={"seconds": 5.0})
    assert not publication.is_due("waiting", now=INTERVAL_S - 1, detail={"seconds": 59.0})
    assert publication.is_due("waiting", now=INTERVAL_S, detail={"seconds": 60.0})
    assert publication.is_due("raised", now=INTERVAL_S + 1, detail={"seconds": 60.0})


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 100)), min_size=1, max_size=300))
def test_what_is_shown_is_never_far_off_for_long_and_never_too_often(readings: list[tuple[float, float]]) -> None:
    publication = Publication(0.25)
    now, shown, shown_at, off_since = 0.0, None, 0.0, None
    for gap, value in readings:
        now += gap
        if publication.is_due(value, now=now):
            assert shown is None or now - shown_at >= SPACING_S
            shown, shown_at = value, now
        off_since = None if shown == value else off_since or now
        assert off_since is None or now - shown_at < INTERVAL_S
        assert shown is not None
        assert abs(shown - value) < 0.25 or now - shown_at < SPACING_S
