"""What is shown is what is: of one moment, soon, and seldom."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control import Command, Decision, Reading, Reason
from custom_components.amp_sensor.control.charging import Action
from custom_components.amp_sensor.site.shown import ChargingControl, Moment, ShownDecision, ShownMoment, control_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BAND_A, LATE_S, SOON_S = 0.25, 30.0, 10.0
AMPS = st.floats(-100, 100)


def read(at: float, *amps: float | None, load: float = 0.0, **drawn: Sequence[float]) -> Moment:
    reading = Reading(at=at, amps=amps, volts=(230.0,) * len(amps), watts=230.0 * sum(each or 0.0 for each in amps))
    read_at = NOON + timedelta(seconds=at)
    return Moment.of(reading, phases=len(amps), read_at=read_at, drawn=drawn, protection_load=load)


def showing(*moments: Moment) -> list[tuple[float, float]]:
    """Return when something else was shown, and its current."""
    shown, found = ShownMoment(dead_band_amps=BAND_A, interval_s=LATE_S), []
    last: Moment | None = None
    for moment in moments:
        shown.add(moment)
        if shown.moment is not last and shown.moment is not None:
            found.append((moment.at, shown.moment.current))
        last = shown.moment
    return found


@given(
    st.lists(
        st.tuples(st.floats(0.1, 90), st.lists(st.none() | AMPS, min_size=3, max_size=3), st.floats(0, 48)),
        min_size=1,
        max_size=30,
    ).filter(lambda rows: all(any(amps is not None for amps in row[1]) for row in rows))
)
def test_whatever_is_shown_adds_up_to_the_last_digit(rows: list[tuple[float, list[float | None], float]]) -> None:
    shown, at = ShownMoment(dead_band_amps=BAND_A, interval_s=LATE_S), 0.0
    for after_s, amps, car in rows:
        at += after_s
        shown.add(read(at, *amps, car=(car, 0.0, car / 2)))
        moment = shown.moment
        assert moment is not None
        assert moment.current == max(amps for amps in moment.amps if amps is not None)
        for phase, (total, house) in enumerate(zip(moment.amps, moment.house, strict=True)):
            if total is not None and house is not None:
                assert round(house + moment.drawn["car"][phase], 2) == total
        assert round(moment.house_current + moment.drawn["car"][moment.phase], 2) == moment.current


def test_a_step_is_shown_with_the_reading_that_brings_it() -> None:
    assert showing(read(0, 5.0), read(1, 5.0), read(2, 5.25), read(3, 5.25)) == [(0, 5.0), (2, 5.25)]


def test_where_much_flows_a_sensors_noise_is_no_step() -> None:
    assert showing(read(0, 20.0), read(1, 20.5)) == [(0, 20.0)]
    assert showing(read(0, 20.0), read(1, 20.7)) == [(0, 20.0), (1, 20.7)]


def test_a_slow_change_is_shown_as_its_mean_within_ten_seconds() -> None:
    slow = [read(second, 10.0 + 0.1 * second) for second in range(12)]
    (_, (at, amps), *_) = showing(*slow)
    assert at == SOON_S
    assert amps == pytest.approx(10.0 + 0.1 * 4.5)


def test_a_small_change_is_shown_as_its_mean_within_half_a_minute() -> None:
    found = showing(*(read(second, 10.0 if second < 15 else 10.1) for second in range(31)))
    assert found == [(0, 10.0), (LATE_S, 10.05)]


def test_a_mean_counts_a_reading_for_as_long_as_it_was_the_last_one() -> None:
    found = showing(read(0, 10.0), read(5, 10.2), read(10, 10.0), read(20, 10.2), read(30, 10.0))
    assert found[-1] == (30, round((5 * 10.0 + 5 * 10.2 + 10 * 10.0 + 10 * 10.2) / 30, 2))


def test_a_car_that_goes_where_the_house_came_from_is_a_step_too() -> None:
    before, after = read(0, 20.0, car=(16.0,)), read(1, 20.0, car=(6.0,))
    shown = ShownMoment(dead_band_amps=BAND_A, interval_s=LATE_S)
    for moment in (before, after):
        shown.add(moment)
    assert shown.moment == after
    assert after.house_current == 14.0


def test_a_breaker_that_gets_warm_is_shown_as_warm_as_it_is() -> None:
    assert showing(read(0, 36.0), read(1, 36.0, load=0.01), read(2, 36.0, load=0.02)) == [(0, 36.0), (2, 36.0)]


@pytest.mark.parametrize("after", [read(1, 10.0, None), read(1, 10.0), read(1, 10.0, 4.0, car=(6.0, 0.0))])
def test_another_phase_or_charger_is_shown_at_once(after: Moment) -> None:
    shown = ShownMoment(dead_band_amps=BAND_A, interval_s=LATE_S)
    for moment in (read(0, 10.0, 4.0), after):
        shown.add(moment)
    assert shown.moment == after


def test_after_a_silence_nothing_of_the_time_before_is_shown() -> None:
    shown = ShownMoment(dead_band_amps=BAND_A, interval_s=LATE_S)
    shown.add(read(0, 10.0))
    shown.clear()
    assert shown.moment is None
    shown.add(read(90, 10.1))
    assert shown.moment == read(90, 10.1)


@given(st.lists(st.floats(0, 60), min_size=2, max_size=40))
def test_the_highest_reading_is_missed_by_no_more_than_noise(loads: list[float]) -> None:
    readings = [read(second, load) for second, load in enumerate(load for load in loads for _ in range(90))]
    highest = max(moment.current for moment in readings)
    shown = max(amps for _, amps in showing(*readings))
    assert highest - max(BAND_A, 0.03 * highest) <= shown <= highest


def test_a_phase_that_is_missing_at_the_end_is_not_told() -> None:
    reading = Reading(at=0.0, amps=(5.0,), volts=(231.0,), watts=1155.0)
    moment = Moment.of(reading, phases=3, read_at=NOON, drawn={"car": (2.0, 0.0, 0.0)}, protection_load=0.0)
    assert moment.amps == (5.0, None, None)
    assert moment.house == (3.0, None, None)
    assert moment.watts_of(moment.drawn["car"]) == 462.0


# What was decided


SET = Command(charger_id="car", action=Action.SET_AMPS, amps=10)
NO_ROOM = Decision(at=0.0, charger_id="car", target=6, cap=16, reason=Reason.NO_HEADROOM)


def decided(*decisions: Decision) -> list[tuple[float, Reason]]:
    """Return when another reason was shown, and which."""
    shown, found = ShownDecision(lasts_s=LATE_S), []
    for decision in decisions:
        before = shown.decision and shown.decision.reason
        shown.add(decision)
        assert shown.decision is not None
        if shown.decision.reason is not before:
            found.append((decision.at, shown.decision.reason))
    return found


@pytest.mark.parametrize(
    "then",
    [
        replace(NO_ROOM, reason=Reason.RAISED, target=10, command=SET),
        replace(NO_ROOM, reason=Reason.VERIFYING, target=5),
        replace(NO_ROOM, reason=Reason.OVER_BUDGET, command=SET),
        replace(NO_ROOM, reason=Reason.METER_SILENT),
        replace(NO_ROOM, reason=Reason.UNPLUGGED, cap=0),
        replace(NO_ROOM, reason=Reason.AT_MAXIMUM, cap=6),
    ],
)
def test_what_is_done_is_a_reason_at_once(then: Decision) -> None:
    assert decided(NO_ROOM, replace(then, at=1.0))[-1] == (1.0, then.reason)


def test_what_is_only_waited_for_has_to_last() -> None:
    waits = [
        replace(NO_ROOM, at=float(second), reason=Reason.WAITING if second >= 10 else Reason.NO_HEADROOM)
        for second in range(60)
    ]
    assert decided(*waits) == [(0.0, Reason.NO_HEADROOM), (10 + LATE_S, Reason.WAITING)]


def test_the_numbers_are_those_of_the_last_decision_for_the_same_reason() -> None:
    shown = ShownDecision(lasts_s=LATE_S)
    for second in range(3):
        shown.add(replace(NO_ROOM, at=float(second), numbers={"room_amps": second}))
    assert shown.decision is not None
    assert shown.decision.numbers == {"room_amps": 2}


@pytest.mark.parametrize(
    ("target", "cap", "control"), [(0, 0, "inactive"), (0, 16, "paused"), (6, 16, "limited"), (16, 16, "free")]
)
def test_what_a_decision_does(target: int, cap: int, control: str) -> None:
    assert control_of(replace(NO_ROOM, target=target, cap=cap)) == ChargingControl(control)
