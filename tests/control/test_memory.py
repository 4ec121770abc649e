"""The house teaches when its next step is likely."""

from math import inf, nan
from random import Random
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control.memory import HouseMemory, Risk, _bin, _law, together


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
    damaged[10][0], damaged[11][3], damaged[12], damaged[13][0] = nan, -1.0, [1.0], inf
    memory = HouseMemory(25)
    memory.restore(damaged)
    fresh = HouseMemory(25).record()["levels"]
    for number, values in enumerate(memory.record()["levels"]):
        assert values == (fresh if number in (10, 11, 12, 13) else good)[number]


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


# -- the law, by hand ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calm_s", "returns", "gap", "per_s"),
    [
        (100.0, 0, 0.0, 0.17 / 100 + 1 / 10800),
        (100.0, 1, 0.0, 0.29 / 100 + 1 / 10800),
        (100.0, 8, 0.0, 1.13 / 100 + 1 / 10800),
        (100.0, 20, 0.0, 1.13 / 100 + 1 / 10800),
        (100.0, 0, 3.0, 0.085 / 100 + 1 / 10800),
        (2.0, 0, 0.0, 0.17 / 5 + 1 / 10800),
        (5.0, 0, 0.0, 0.17 / 5 + 1 / 10800),
    ],
)
def test_the_law_is_that_of_the_page(calm_s: float, returns: int, gap: float, per_s: float) -> None:
    assert _law(calm_s, returns, gap) == pytest.approx(per_s)


def test_times_are_told_apart_by_factors_of_two() -> None:
    for number in range(9):
        assert _bin(10 * 2**number - 0.01) == number
        assert _bin(10 * 2**number) == number + 1
    assert (_bin(0.0), _bin(1e9)) == (0, 9)


def test_a_house_that_was_never_seen_to_step_is_as_the_law_says() -> None:
    memory = HouseMemory(25)
    memory.add(2.0, 0, 0)
    risk = _risk(memory, 6.0, 100)
    assert risk == Risk(per_s=pytest.approx(_law(100, 0, 4.0)), step_amps=2.0, calm_s=100)  # type: ignore[arg-type]


def test_its_own_record_replaces_the_law_as_it_grows() -> None:
    """One step from 2 to 9 A after 100 s: at the level of 6 A, by 3 A."""
    memory = HouseMemory(25)
    memory.add(2.0, 0, 0)
    memory.add(2.0, 50, 50)
    memory.add(9.0, 100, 50)
    memory.add(2.0, 110, 10)
    # Expected: 50 s at 50 s of calm (40 to 80) and 50 s at 100 s (80 to 160)
    risk = _risk(memory, 6.0, 210)
    expected = 50 * _law(100, 0, 4.0)
    assert risk.per_s == pytest.approx(_law(100, 1, 4.0) * (1 + 3) / (expected + 3))
    assert risk.step_amps == pytest.approx((2.0 * 3 + 3.0) / 4)
    assert memory.returns(6.0, 210) == 1
    assert memory.returns(9.5, 210) == 0
    earlier = _risk(memory, 6.0, 160)
    assert earlier.per_s == pytest.approx(_law(50, 1, 4.0) * 3 / (50 * _law(50, 0, 4.0) + 3))


@pytest.mark.parametrize(("amps", "exceeds"), [(6.3, False), (6.31, True)])
def test_noise_above_a_level_does_not_exceed_it(amps: float, exceeds: bool) -> None:
    memory = HouseMemory(25)
    memory.add(2.0, 0, 0)
    memory.add(amps, 60, 60)
    assert (memory.risk(6.0, 60) is None) is exceeds
    assert memory.returns(6.0, 60) == exceeds


def test_a_house_at_a_level_is_not_above_it() -> None:
    memory = HouseMemory(25)
    memory.add(6.0, 0, 0)
    assert _risk(memory, 6.0, 60).calm_s == 60
    assert memory.risk(5.5, 60) is None


def test_the_lowest_level_that_there_is_may_be_kept() -> None:
    memory = HouseMemory(25)
    memory.restore({"first": -250, "levels": []})
    assert memory.record()["first"] == -250


@pytest.mark.parametrize(("second", "returns"), [(1260.0, 1), (1260.01, 0)])
def test_returns_count_for_twenty_minutes(second: float, returns: int) -> None:
    memory = HouseMemory(25)
    memory.add(2.0, 0, 0)
    memory.add(9.0, 60, 60)
    assert memory.returns(6.0, second) == returns


def test_what_a_house_exports_is_a_level_too_down_to_what_no_supply_carries() -> None:
    memory = HouseMemory(5)
    memory.add(2.0, 0, 0)
    memory.add(-8.2, 10, 10)
    assert memory.record()["first"] == -16
    assert len(memory.record()["levels"]) == 11 + 16
    assert _risk(memory, -8.0, 70).calm_s == 60
    assert _risk(memory, 3.0, 70).calm_s == 70
    memory.add(-1000.0, 80, 70)
    assert memory.record()["first"] == -250


def test_levels_reach_as_high_as_the_budget_and_stay() -> None:
    memory = HouseMemory(10.2)
    assert len(memory.record()["levels"]) == 22
    memory.add(2.0, 0, 0)
    assert _risk(memory, 30.0, 60).calm_s == 60
    memory.reach(5)
    assert len(memory.record()["levels"]) == 22
    memory.reach(20)
    assert len(memory.record()["levels"]) == 41
    assert memory.risk(19.0, 60) is None
    assert _risk(memory, 10.0, 60).calm_s == 60


@pytest.mark.parametrize(
    "record", [{"first": 1, "levels": []}, {"first": -251, "levels": []}, {"first": 0.5, "levels": []}, 7, {}, "levels"]
)
def test_what_is_no_record_of_a_house_is_refused(record: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        HouseMemory(25).restore(record)


def test_a_record_finds_its_levels_wherever_they_begin() -> None:
    learned = HouseMemory(25)
    learned.add(-3.0, 0, 0)
    learned.add(9.0, 60, 60)
    record = learned.record()
    assert record["first"] == -6
    for before in (2.0, -10.0):
        again = HouseMemory(25)
        again.add(before, 0, 0)
        again.restore(record)
        again.add(2.0, 10, 10)
        assert _risk(again, 4.0, 10).step_amps == pytest.approx((2.0 * 3 + 5.0) / 4)
        assert _risk(again, 20.0, 10).step_amps == 2.0


def test_a_step_count_below_its_credit_is_not_believed() -> None:
    memory = HouseMemory(25)
    record = memory.record()
    record["levels"][12][-1] = 0
    memory.restore(record)
    memory.add(2.0, 0, 0)
    assert _risk(memory, 6.0, 60).step_amps == 2.0


# -- several phases ---------------------------------------------------------------------------------------------


def test_of_several_phases_the_chances_add_up() -> None:
    one, two = Risk(per_s=0.01, step_amps=3.0, calm_s=50.0), Risk(per_s=0.03, step_amps=7.0, calm_s=20.0)
    assert together([one]) is one
    assert together([one, None]) is None
    assert together([one, two]) == Risk(per_s=pytest.approx(0.04), step_amps=pytest.approx(6.0), calm_s=20.0)  # type: ignore[arg-type]
