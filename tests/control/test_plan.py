"""When a charger charges: what it needs by its time, at the least cost that its owner's house allows."""

from collections.abc import Sequence
from itertools import combinations

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control.plan import PRESSED_S, QUARTER_S, START_KWH, Plan, Slot, When, make_plan

PRICES = st.lists(st.floats(-0.5, 1.0), min_size=1, max_size=60)
NEEDS = st.floats(1.0, 40000.0)


def night(
    prices: Sequence[float], *, watts: float = 4000.0, safe: float | None = None, start: float = 0.0
) -> list[Slot]:
    """Return quarters of an hour with these prices, each of which has room for so much."""
    return [
        Slot(
            start=start + QUARTER_S * number,
            end=start + QUARTER_S * (number + 1),
            price=price,
            usual_watts=watts,
            safe_watts=watts if safe is None else safe,
        )
        for number, price in enumerate(prices)
    ]


def quarters(plan: Plan) -> list[int]:
    return [int(slot.start // QUARTER_S) for slot in plan.slots]


def test_it_charges_in_the_cheapest_quarters() -> None:
    plan = make_plan(When.CHEAPEST, night([0.3] * 8 + [0.1] * 4 + [0.3] * 8), 4000.0)
    assert quarters(plan) == [8, 9, 10, 11]
    assert plan.cost == pytest.approx(0.4)
    assert plan.makes_it
    assert (plan.start, plan.end) == (8 * QUARTER_S, 12 * QUARTER_S)


def test_where_all_cost_the_same_it_begins_at_once() -> None:
    assert quarters(make_plan(When.CHEAPEST, night([0.2] * 20), 3000.0)) == [0, 1, 2]


def test_a_saving_that_is_smaller_than_a_start_is_left() -> None:
    prices = [0.3] * 4 + [0.2, 0.2, 0.205, 0.2, 0.2] + [0.3] * 4
    assert quarters(make_plan(When.CHEAPEST, night(prices), 4000.0)) == [4, 5, 6, 7]


def test_two_cheap_times_far_apart_are_worth_two_starts() -> None:
    assert quarters(make_plan(When.CHEAPEST, night([0.1, 0.1, *[0.4] * 10, 0.1, 0.1]), 4000.0)) == [0, 1, 12, 13]


def test_to_go_on_costs_no_start() -> None:
    prices = [0.21, *[0.3] * 6, 0.2, 0.2, 0.2]
    assert 0 not in quarters(make_plan(When.CHEAPEST, night(prices), 3000.0))
    assert 0 in quarters(make_plan(When.CHEAPEST, night(prices), 4000.0, is_charging=True))


def test_as_late_as_safe_leaves_what_a_busy_night_takes() -> None:
    plan = make_plan(When.LATE, night([0.2] * 20, safe=2000.0), 3000.0)
    assert quarters(plan)[0] == 14, "six quarters of a busy night, not three of a usual one"
    assert make_plan(When.LATE, night([0.2] * 20, safe=0.0), 3000.0).charges_at(0.0), "nothing is sure: at once"


def test_once_begun_late_it_goes_on() -> None:
    began = make_plan(When.LATE, night([0.2] * 6, safe=2000.0), 3000.0)
    assert began.is_pressed
    assert make_plan(When.LATE, night([0.2] * 6), 3000.0, was_pressed=began.is_pressed).charges_at(0.0)


def test_a_busy_night_begins_earlier_than_is_cheap() -> None:
    prices = [0.4] * 8 + [0.1] * 4
    assert not make_plan(When.CHEAPEST, night(prices), 4000.0).is_pressed
    pressed = make_plan(When.CHEAPEST, night(prices, safe=1000.0), 4000.0)
    assert pressed.is_pressed
    assert pressed.charges_at(0.0)


def test_it_stops_again_only_when_there_is_time_to_spare() -> None:
    prices = [0.4] * 8 + [0.1] * 8
    for spare in range(6):
        slots = night(prices, safe=4000.0)
        plan = make_plan(When.CHEAPEST, slots, 1000.0 * (15 - spare), was_pressed=True)
        assert plan.is_pressed == ((spare + 1) * QUARTER_S < PRESSED_S), spare


def test_too_little_time_is_used_whole_and_told() -> None:
    plan = make_plan(When.CHEAPEST, night([0.1, 0.5, 0.3]), 10000.0)
    assert quarters(plan) == [0, 1, 2]
    assert not plan.makes_it
    assert plan.expected_wh == pytest.approx(3000.0)


@pytest.mark.parametrize("when", When)
def test_who_needs_nothing_or_has_no_time_has_no_hours(when: When) -> None:
    assert make_plan(when, night([0.2] * 4), 0.0) == make_plan(when, night([0.2] * 4), -5.0)
    assert make_plan(when, night([0.2] * 4), 0.0).makes_it
    late = make_plan(when, [], 1000.0)
    assert (late.slots, late.start, late.end, late.makes_it) == ((), None, None, False)


@given(prices=PRICES, needed=NEEDS, watts=st.floats(0.0, 11000.0), is_charging=st.booleans(), pressed=st.booleans())
def test_it_plans_what_is_needed_and_nothing_beyond_its_time(
    prices: list[float], needed: float, watts: float, is_charging: bool, pressed: bool
) -> None:
    slots = night(prices, watts=watts, safe=watts / 2)
    for when in When:
        plan = make_plan(when, slots, needed, is_charging=is_charging, was_pressed=pressed)
        assert set(plan.slots) <= set(slots)
        assert list(plan.slots) == sorted(plan.slots, key=lambda slot: slot.start)
        usual = sum(slot.usual_wh for slot in slots)
        assert plan.expected_wh == pytest.approx(min(needed, usual))
        assert plan.makes_it == (usual >= needed)


@given(prices=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9), count=st.integers(1, 9))
def test_no_choice_is_cheaper_by_more_than_a_start(prices: list[float], count: int) -> None:
    count = min(count, len(prices))
    plan = make_plan(When.CHEAPEST, night(prices), 1000.0 * count)
    start = START_KWH * sum(prices) / len(prices)

    def worth(chosen: Sequence[int]) -> float:
        starts = sum(number - 1 not in chosen for number in chosen)
        return sum(prices[number] for number in chosen) + starts * start

    best = min(worth(chosen) for chosen in combinations(range(len(prices)), count))
    assert worth(quarters(plan)) <= best + 1.001 * start
