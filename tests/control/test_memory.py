"""The house teaches when its next step is likely."""

from math import nan
from random import Random
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control.memory import HouseMemory, Risk


def _watch(memory: HouseMemory, amps: float, start: float, seconds: int) -> float:
    for at in range(int(start), int(start) + seconds, 5):
        memory.add(amps, at, 5)
    return start + seconds


def _cycles(memory: HouseMemory, times: int, *, on_s: int = 60, off_s: int = 120, start: float = 0) -> float:
    """Let a thermostat click: 2 A and 12 A by turns, ending with the first 5 s of 2 A."""
    for _ in range(times):
        start = _watch(memory, 2.0, start, off_s)
        start = _watch(memory, 12.0, start, on_s)
    return _watch(memory, 2.0, start, 5)


def _risk(memory: HouseMemory, amps: float, now: float) -> Risk:
    risk = memory.risk(amps, now)
    assert risk is not None
    return risk


def test_the_longer_it_was_calm_the_less_likely_is_a_step() -> None:
    memory = HouseMemory(25)
    _watch(memory, 2.0, 0, 5)
    chances = [_risk(memory, 6.0, now).per_s for now in (10, 30, 100, 300, 1000, 3000)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 10 * chances[-1]


def test_the_more_often_it_came_back_lately_the_likelier_is_a_step() -> None:
    chances = []
    for times in (0, 2, 5):
        memory = HouseMemory(25)
        now = _cycles(memory, times)
        chances.append(_risk(memory, 6.0, now + 60).per_s)
    assert chances == sorted(chances)
    assert chances[-1] > 1.5 * chances[0]


def test_returns_are_forgotten_after_a_while() -> None:
    memory = HouseMemory(25)
    now = _cycles(memory, 3)
    soon = _risk(memory, 6.0, now + 300).per_s
    assert _risk(memory, 6.0, now + 1500).per_s < soon / 3


def test_a_step_far_below_the_level_is_a_lesser_risk_than_one_near_it() -> None:
    memory = HouseMemory(25)
    _watch(memory, 2.0, 0, 60)
    assert _risk(memory, 20.0, 100).per_s < _risk(memory, 4.0, 100).per_s


def test_a_house_with_a_thermostat_is_learned() -> None:
    """After days of cycles, the minute in which it clicks is known for dangerous, and the size of its step too."""
    learned = HouseMemory(25)
    now = _cycles(learned, 200)
    fresh = HouseMemory(25)
    for each in (learned, fresh):
        each.interrupt(now)
    other = _cycles(fresh, 8)
    due, usual = _risk(learned, 6.0, now + 100), _risk(fresh, 6.0, other + 100)
    assert due.per_s > usual.per_s
    assert due.step_amps == pytest.approx(6.0, abs=0.5), "12 A against a level of 6 A"


def test_a_level_that_is_exceeded_has_no_room() -> None:
    memory = HouseMemory(25)
    assert memory.risk(10.0, 0) is None, "nothing was seen yet"
    _watch(memory, 8.0, 0, 60)
    assert memory.risk(7.0, 60) is None
    assert _risk(memory, 9.0, 60).calm_s == 60


def test_a_current_between_two_levels_is_weighed_as_the_nearer_one() -> None:
    """A budget of 15 A, less a margin of 0.1 A and a car of 12 A, leaves 2.9 A: a house of 2.8 A fits."""
    memory = HouseMemory(15)
    now = _watch(memory, 2.8, 0, 60)
    assert _risk(memory, 2.9, now).calm_s == pytest.approx(60)
    assert memory.risk(2.6, now) is None


def test_nobody_watched_for_a_while_so_the_calm_begins_anew() -> None:
    memory = HouseMemory(25)
    _watch(memory, 2.0, 0, 600)
    memory.interrupt(2000)
    assert _risk(memory, 6.0, 2010).calm_s == 10
    assert memory.risk(1.0, 2010) is None


def test_what_was_learned_survives() -> None:
    learned = HouseMemory(25)
    now = _cycles(learned, 30)
    again = HouseMemory(25)
    again.restore(learned.record())
    assert again.record() == learned.record()
    _watch(again, 2.0, now, 5)
    assert _risk(again, 6.0, now + 100).step_amps == pytest.approx(_risk(learned, 6.0, now + 100).step_amps, abs=0.01)


_DAMAGED = st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.none() | st.text(max_size=2)


@given(st.lists(st.lists(_DAMAGED, max_size=3) | st.lists(_DAMAGED, min_size=22, max_size=22), max_size=60))
def test_a_damaged_record_does_no_harm(record: Any) -> None:
    memory = HouseMemory(25)
    memory.restore(record)
    _watch(memory, 2.0, 0, 30)
    risk = _risk(memory, 6.0, 30)
    assert risk.per_s > 0
    assert risk.step_amps >= 0


def test_damaged_levels_are_passed_over_one_by_one() -> None:
    learned = HouseMemory(25)
    _cycles(learned, 30)
    good = learned.record()["levels"]
    damaged = [list(values) for values in good]
    damaged[10][0], damaged[11][3], damaged[12] = nan, -1.0, [1.0]
    memory = HouseMemory(25)
    memory.restore(damaged)
    fresh = HouseMemory(25).record()["levels"]
    for number, values in enumerate(memory.record()["levels"]):
        assert values == (fresh if number in (10, 11, 12) else good)[number]


@given(st.integers(0, 2**32))
def test_a_chance_is_a_chance_whatever_the_house_did(seed: int) -> None:
    luck = Random(seed)
    memory, now = HouseMemory(20), 0.0
    for _ in range(60):
        gap = luck.choice([1, 5, 30])
        now += gap
        memory.add(luck.uniform(0, 25), now, gap)
        for amps in (-3.0, 0.0, 7.7, 20.0, 99.0):
            risk = memory.risk(amps, now)
            if risk is not None:
                assert risk.per_s > 0
                assert risk.step_amps > 0
                assert risk.calm_s >= 0
