"""Nights in which a car is to be ready by seven are played with the project's own plan."""

from dataclasses import replace

import pytest

from custom_components.amp_sensor.control import When
from simulation.benchmark import SHIPPED, UCI
from simulation.nights import Night, Result, by_rating, from_hour, nights, ours, play, price, summary
from simulation.plant import Charger

NIGHT = Night(path=SHIPPED / UCI, budget=25.0, charger=Charger(max_amps=16), day=3, seed=1)


def test_a_night_is_made_at_little_more_than_the_least_cost() -> None:
    result = play(NIGHT, ours(When.CHEAPEST))
    assert result.is_made
    assert 1.0 <= result.cost / result.best_cost < 1.1


def test_prices_are_the_same_for_everybody_and_lowest_at_night() -> None:
    curve = [price(quarter, 0, 1) for quarter in range(96)]
    assert curve == [price(quarter, 0, 1) for quarter in range(96)]
    assert curve != [price(quarter, 1, 1) for quarter in range(96)]
    assert sum(curve[4:20]) < sum(curve[72:88])


def test_nights_are_those_of_the_recordings_that_are_there() -> None:
    found = nights(SHIPPED, 2)
    assert len(found) == 12
    assert {night.path.name for night in found} == {UCI.name}


def test_fixed_times_are_fixed() -> None:
    assert by_rating(3680.0)([], 1.0, False, plan := from_hour(23)([], 1.0, False, None)) is plan


def test_what_nights_came_to_is_told() -> None:
    made = Result(needed_wh=1000.0, got_wh=1000.0, cost=0.21, best_cost=0.2, starts=2)
    assert summary([made, replace(made, got_wh=900.0)]) == "1 of 2 | 105.0 % | 2.0"
    assert made.cost / made.best_cost == pytest.approx(1.05)
