"""Charging with surplus is judged by what was left over, and by who knew it."""

from dataclasses import replace as changed

import numpy as np
import pytest

from simulation.benchmark import SHIPPED, UCI
from simulation.plant import Charger
from simulation.sun import (
    CONTENDERS,
    PLUS,
    SURPLUS_ONLY,
    Case,
    Result,
    Run,
    cases,
    clairvoyant_wh,
    judge,
    table,
    under_clouds,
    whole_wh,
)

CAR = Charger(max_amps=16)
HOUR = 3600


def _judge(drawn: list[float], left: list[float], *, starts: int = 1, with_: str = "surplus_only") -> tuple[float, ...]:
    """Judge what was drawn each hour of what was left over, A at 230 V; return shares of the hours' Wh at 1 A."""
    hours = (np.repeat(np.array(each), HOUR) * 230.0 for each in (drawn, left))
    charge_with = PLUS if with_ == PLUS else SURPLUS_ONLY
    found = judge(*hours, CAR, amp_w=230.0, charge_with=charge_with, starts=starts)
    return tuple(round(each / 230, 2) for each in found)


def test_what_is_drawn_beyond_what_is_left_over_is_imported() -> None:
    best, taken, imported = _judge([8, 16, 0], [8.5, 10.5, 4.0])
    assert (best, taken, imported) == (18.0, 18.5, 5.5)


def test_with_the_minimum_only_what_is_beyond_it_is_imported() -> None:
    best, taken, imported = _judge([5, 7], [0.0, 6.0], with_=PLUS)
    assert (best, taken, imported) == (6.0, 6.0, 1.0)


def test_who_knows_everything_has_as_many_starts_as_who_is_judged() -> None:
    sky = [10.0, -5.0, 10.0, -5.0, 10.0]
    assert [_judge([0] * 5, sky, starts=starts)[0] for starts in (1, 2, 3, 9)] == [10.0, 20.0, 30.0, 30.0]


def test_who_knows_everything_bridges_what_costs_little() -> None:
    sun_w = np.array([2300.0] * 1000 + [1100.0] * 10 + [2300.0] * 1000)
    right_w = np.maximum(sun_w, 1150.0)
    assert clairvoyant_wh(right_w, sun_w, 1) == pytest.approx(sun_w.sum() / 3600, rel=0.01)


def test_all_whole_amps_are_those_from_the_minimum_to_the_maximum() -> None:
    assert whole_wh(np.array([4.9, 5.9, 40.0, -3.0]) * 230 * 1.0, CAR, amp_w=230.0) == pytest.approx(21 * 230 / 3600)


@pytest.mark.parametrize("contender", CONTENDERS)
@pytest.mark.parametrize("charge_with", [SURPLUS_ONLY, PLUS])
def test_every_contender_charges_with_the_sun_of_a_noon(contender: str, charge_with: str) -> None:
    case = changed(cases((SHIPPED,))[0], start_h=107.0, hours=0.5)
    run = Run(case=case, charge_with=SURPLUS_ONLY if charge_with == SURPLUS_ONLY else PLUS, contender=contender, seed=1)
    result = run.result()
    assert isinstance(result, Result)
    assert result.taken_kwh_per_day > 0
    assert contender in table({run: result})


def test_clouds_pass_over_the_same_sun_and_are_the_same_for_one_seed() -> None:
    sun = np.full(2 * HOUR, 6000.0)
    shaded = under_clouds(sun, seed=1)
    parts = np.split(shaded, np.flatnonzero(np.diff(shaded)) + 1)
    assert all(60 <= len(part) <= 600 for part in parts[:-1]), "a minute to ten each"
    light, shadows = parts[::2], parts[1::2]
    assert all((part == 6000).all() for part in light)
    assert all((part >= 0.2 * 6000).all() and (part <= 0.4 * 6000).all() for part in shadows)
    assert (under_clouds(sun, seed=1) == shaded).all()
    assert (under_clouds(sun, seed=2) != shaded).any()
    assert (sun == 6000).all(), "the recording itself stays"


def test_a_house_under_clouds_has_less_left_over() -> None:
    case = Case(path=SHIPPED / UCI, budget=25, charger=CAR, about="", start_h=107.0, hours=0.5)
    cloudy, sunny = (changed(case, clouds=clouds).house().phases.mean() for clouds in (1, None))
    assert cloudy > sunny + 1
