"""The allocation with hindsight is what a person would work out for each second."""

import numpy as np
import pytest

from custom_components.amp_sensor.control import Priority
from simulation.hindsight import TURN_S, allocation
from simulation.house import House
from simulation.plant import Charger

FIRST, NORMAL, LAST = (Charger(max_amps=16, priority=priority) for priority in Priority)


def _house(*phases: list[float]) -> House:
    return House(name="made up", start_s=0, phases=np.array(phases, dtype=float))


def _split(chargers: tuple[Charger, ...], *phases: float, budget: float = 20) -> list[float]:
    """Return what each charger is given in the first second of a house that draws so much."""
    house = _house(*([amps] for amps in phases))
    return allocation(house, budget=budget, chargers=chargers)[:, 0].tolist()


def test_one_car_takes_whole_amps_from_its_minimum_up_to_its_most() -> None:
    house = _house([2.0, 9.1, 15.0, 15.1, 30.0])
    (amps,) = allocation(house, budget=20, chargers=(Charger(max_amps=13),))
    assert amps.tolist() == [13, 10, 5, 0, 0]
    (amps,) = allocation(house, budget=20, chargers=(Charger(max_amps=13, min_amps=6),))
    assert amps.tolist() == [13, 10, 0, 0, 0]


@pytest.mark.parametrize(
    ("phases", "amps"),
    [((1,), 16), ((2,), 8), ((3,), 0), ((1, 2), 8), (None, 0)],
    ids=["L1", "L2", "L3", "both", "all"],
)
def test_only_the_phases_that_a_car_loads_count(phases: tuple[int, ...] | None, amps: int) -> None:
    assert _split((Charger(max_amps=16, phases=phases),), 1.0, 12.0, 19.0) == [amps]


def test_export_leaves_more_room() -> None:
    assert _split((NORMAL,), -10.0, budget=6) == [16]


@pytest.mark.parametrize(
    ("chargers", "house", "amps"),
    [
        ((NORMAL, NORMAL), 2.0, [9, 9]),
        ((NORMAL, NORMAL), 3.0, [9, 8]),
        ((NORMAL, NORMAL), 10.0, [5, 5]),
        ((NORMAL, NORMAL), 11.0, [9, 0]),
        ((NORMAL, FIRST), 2.0, [5, 13]),
        ((NORMAL, LAST), 2.0, [13, 5]),
        ((LAST, NORMAL, FIRST), 2.0, [5, 5, 8]),
        ((LAST, NORMAL, FIRST), 6.0, [0, 5, 9]),
        ((NORMAL, Charger(max_amps=6)), 2.0, [12, 6]),
    ],
)
def test_minima_come_first_and_then_priorities(chargers: tuple[Charger, ...], house: float, amps: list[int]) -> None:
    assert _split(chargers, house) == amps


def test_a_car_on_another_phase_takes_nothing_from_this_one() -> None:
    one, other, three = Charger(max_amps=16, phases=(1,)), Charger(max_amps=16, phases=(2,)), Charger(max_amps=16)
    assert _split((one, other), 4.0, 8.0, 0.0) == [16, 12]
    assert _split((one, three), 4.0, 8.0, 0.0) == [8, 8]


def test_equals_take_turns_where_only_one_minimum_fits() -> None:
    house = _house([12.0] * 4 * TURN_S)
    amps = allocation(house, budget=20, chargers=(NORMAL, NORMAL))
    assert amps[:, ::TURN_S].tolist() == [[8, 0, 8, 0], [0, 8, 0, 8]]
