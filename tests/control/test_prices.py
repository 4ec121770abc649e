"""What a raise is worth, against what the house's next step makes of it: docs/controller.md by hand."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest

from custom_components.amp_sensor.control.memory import Risk
from custom_components.amp_sensor.control.prices import Prices, best_raise
from custom_components.amp_sensor.control.profile import LOCAL, TESSIE

PRICED = Prices(over=4.0, command_as=120.0, hold_as=100.0, margin_amps=0.0)
PROFILE = replace(TESSIE, moving_s=2.0, down_a_per_s=2.5, start_lead_s=20.0)


def _risk(per_s: float = 0.0, step: float = 5.0, calm_s: float = 100.0) -> Risk:
    return Risk(per_s=per_s, step_amps=step, calm_s=calm_s)


def _best(
    target: int, candidates: range, risk: Callable[[int, float], Risk | None] = lambda *_: _risk(), **changes: object
) -> int:
    known = {"latency_s": 2.0, "profile": PROFILE, "now": 1000.0}
    return best_raise(target, candidates, PRICED, risk=risk, **known | changes)  # type: ignore[arg-type]


def test_drawing_nothing_is_worth_nothing_and_what_does_not_fit_less() -> None:
    assert PRICED.worth(0, _risk(1.0), 2.0, PROFILE) == 0
    assert PRICED.worth(6, None, 2.0, PROFILE) == -inf


def test_it_is_worth_its_charge_less_what_the_next_step_costs() -> None:
    """Seen after 1 s, told 2 s later, 2 s to the first movement, and half of 5 A at 2.5 A/s: 6 s of 5 A at 4."""
    assert PRICED.worth(10, _risk(), 2.0, PROFILE) == 10
    assert PRICED.worth(10, _risk(0.01), 2.0, PROFILE) == pytest.approx(10 - 0.01 * (4 * 6 * 5 + 120))


def test_of_a_charger_in_the_house_a_command_costs_four_tenths() -> None:
    assert PRICED.of(TESSIE) is PRICED
    assert PRICED.of(LOCAL) == replace(PRICED, command_as=48.0)


def test_a_raise_earns_its_command_within_the_time_that_the_house_stays_calm() -> None:
    """0.7 times as long as it was: 60 s are enough for 2 A to earn 120 A·s, and 86 s were calm before."""
    assert _best(10, range(11, 13), lambda *_: _risk(calm_s=86.0)) == 12
    assert _best(10, range(11, 13), lambda *_: _risk(calm_s=85.0)) == 10


def test_nothing_is_expected_for_longer_than_five_minutes() -> None:
    dear = replace(PRICED, command_as=299.0)
    known = {"latency_s": 2.0, "profile": PROFILE, "now": 0.0, "risk": lambda *_: _risk(calm_s=10_000.0)}
    assert best_raise(10, range(11, 12), dear, **known) == 11  # type: ignore[arg-type]
    assert best_raise(10, range(11, 12), replace(dear, command_as=300.0), **known) == 10  # type: ignore[arg-type]


@pytest.mark.parametrize(("calm_s", "best"), [(7.0, 40), (6.99, 10)])
def test_room_counts_once_it_was_there_for_more_than_a_reading(calm_s: float, best: int) -> None:
    assert _best(10, range(11, 41), lambda *_: _risk(calm_s=calm_s)) == best


@pytest.mark.parametrize(("calm_s", "best"), [(25.0, 30), (24.99, 0)])
def test_a_start_is_weighed_as_of_its_first_current(calm_s: float, best: int) -> None:
    asked = []

    def risk(amps: int, at: float) -> Risk:
        asked.append((amps, at))
        return _risk(calm_s=calm_s)

    assert _best(0, range(6, 31), risk) == best
    assert asked[:2] == [(0, 1000.0), (6, 1020.0)]


def test_a_start_costs_its_price_and_a_command_where_its_limit_has_to_be_set() -> None:
    """200 A·s, and 120 for a command: 6 A earn that in 53.3 s, or in 33.3 s."""

    def starts(calm_s: float, request: int | None) -> bool:
        return _best(0, range(6, 7), lambda *_: _risk(calm_s=calm_s), request=request) == 6

    assert starts(33.34 / 0.7, 6)
    assert not starts(33.32 / 0.7, 6)
    assert starts(53.34 / 0.7, 5)
    assert not starts(53.32 / 0.7, 5)
    assert not starts(53.32 / 0.7, None)


def test_a_limit_that_it_has_already_may_be_better_than_a_higher_one() -> None:
    def best(calm_s: float) -> int:
        return _best(0, range(6, 17), lambda *_: _risk(calm_s=calm_s), request=14)

    assert best(59.0 / 0.7) == 14
    assert best(61.0 / 0.7) == 16


def test_what_threatens_above_a_level_ends_the_search_there() -> None:
    def risk(amps: int, _: float) -> Risk | None:
        return None if amps == 14 else _risk()

    assert _best(10, range(11, 17), risk) == 13


def test_the_one_that_earns_most_is_taken_and_not_the_highest() -> None:
    def risk(amps: int, _: float) -> Risk:
        return _risk(0.0 if amps <= 13 else 0.02)

    assert _best(10, range(11, 17), risk) == 13


def test_what_it_has_is_weighed_too() -> None:
    """Where what it draws now is as likely to be too much, only the difference counts."""
    assert _best(10, range(11, 13), lambda *_: _risk(0.02)) == 12


@pytest.mark.parametrize(("debt_as", "pays"), [(2.25, True), (2.24, False)])
def test_a_cut_is_worth_its_command_after_a_part_of_its_price(debt_as: float, pays: bool) -> None:
    """0.075 of 120 A·s, at 4 for each A·s over the budget."""
    assert PRICED.pays_for_cut(debt_as) is pays


@pytest.mark.parametrize(
    ("returns", "hold_as"), [(0, 20), (1, 20), (2, 80), (3, 100), (4, 100), (5, 150), (6, 150), (99, 150)]
)
def test_the_minimum_is_held_by_how_often_the_house_came_back(returns: int, hold_as: float) -> None:
    assert PRICED.holds_minimum(0.1, hold_as - 0.01, returns)
    assert not PRICED.holds_minimum(0.1, hold_as, returns)
    assert PRICED.holds_minimum(hold_as / 30 - 0.001, 0.0, returns)
    assert not PRICED.holds_minimum(hold_as / 30, 0.0, returns)
