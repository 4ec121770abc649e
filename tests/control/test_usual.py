"""What a charger can usually have by the hour of the week is this house's own record."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control.usual import HOURS, WEEKS, Usual, is_usual

EVENING, NEXT = 19, 43


def week(usual: Usual, amps: dict[int, float], *, other: float = 16.0) -> None:
    """Let a week pass, with so much room in some of its hours."""
    for hour in range(HOURS):
        usual.add(hour, amps.get(hour, other), amps.get(hour, other), 3600.0)


def test_an_hour_is_remembered_for_itself() -> None:
    usual = Usual()
    for _ in range(4):
        week(usual, {EVENING: 6.0})
    assert usual.of(EVENING) is not None
    assert usual.of(EVENING)[0] < 12  # type: ignore[index]
    assert usual.of(EVENING - 1)[0] == pytest.approx(16.0)  # type: ignore[index]


def test_what_an_hour_was_long_ago_is_forgotten() -> None:
    usual = Usual()
    for _ in range(WEEKS):
        week(usual, {}, other=6.0)
    for _ in range(3 * WEEKS):
        week(usual, {})
    assert usual.of(EVENING)[0] > 15  # type: ignore[index]


def test_an_hour_that_was_never_seen_is_taken_as_that_of_other_days_or_of_any() -> None:
    usual = Usual()
    assert usual.of(EVENING) is None
    for hour, amps in ((EVENING, 8.0), (EVENING + 1, 12.0), (EVENING + 2, 0.0)):
        for _ in range(60):
            usual.add(hour, amps, amps, 60.0)
    assert usual.of(NEXT)[0] == pytest.approx(8.0)  # type: ignore[index]
    assert usual.of(3)[0] == pytest.approx(10.0)  # type: ignore[index]


def test_an_hour_of_which_little_was_seen_says_nothing() -> None:
    usual = Usual()
    usual.add(EVENING, 16.0, 16.0, 600.0)
    usual.add(EVENING + 1, 16.0, 16.0, 600.0)
    assert usual.of(EVENING) is None


def test_while_nothing_is_known_what_there_is_now_counts() -> None:
    usual = Usual()
    usual.add(EVENING, 10.0, 10.0, 1.0)
    assert usual.expect(3, 3600.0) == (10.0, 6.0)


def test_a_busy_night_makes_the_next_hours_count_less_and_later_ones_hardly() -> None:
    usual = Usual()
    week(usual, {})
    calm = usual.expect(NEXT, 600.0)
    for _ in range(120):
        usual.add(EVENING, 4.0, 4.0, 60.0)
    soon, later = usual.expect(NEXT, 600.0), usual.expect(NEXT, 12 * 3600.0)
    assert soon[0] < 0.6 * calm[0]
    assert soon[1] < 0.6 * calm[1]
    assert later[0] > 0.9 * calm[0]


def test_what_other_chargers_take_is_tonight_and_no_habit() -> None:
    usual = Usual()
    week(usual, {})
    for _ in range(120):
        usual.add(EVENING, 16.0, 0.0, 60.0)
    assert usual.of(EVENING)[0] == pytest.approx(16.0)  # type: ignore[index]
    assert usual.expect(NEXT, 0.0)[0] < 4


def test_a_night_with_more_room_than_usual_is_no_promise() -> None:
    usual = Usual()
    week(usual, {}, other=8.0)
    for _ in range(120):
        usual.add(EVENING, 16.0, 16.0, 60.0)
    assert usual.expect(EVENING + 3, 600.0)[0] == pytest.approx(8.0)


@given(st.dictionaries(st.integers(0, HOURS - 1), st.floats(0.0, 80.0)), st.integers(0, HOURS - 1), st.floats(0.0, 1e5))
def test_a_busy_hour_never_has_more_than_a_usual_one_and_a_restart_changes_nothing(
    amps: dict[int, float], hour: int, ahead_s: float
) -> None:
    usual = Usual()
    week(usual, amps)
    usually, safe = usual.expect(hour, ahead_s)
    assert 0 <= safe <= usually <= 80
    restored = Usual()
    restored.restore(json.loads(json.dumps(usual.record())))
    assert restored.of(hour) == pytest.approx(usual.of(hour), abs=0.1)


@pytest.mark.parametrize(
    "record", [None, {}, [], [None] * 3, [[1.0, 2.0]] * HOURS, [[1.0, -1.0, 1]] * HOURS, ["x"] * HOURS]
)
def test_what_is_no_record_is_refused(record: object) -> None:
    assert not is_usual(record)
    with pytest.raises(ValueError, match="not a record"):
        Usual().restore(record)  # type: ignore[arg-type]
