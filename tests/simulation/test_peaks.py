"""A car within a limit on each quarter of an hour, in a recorded house."""

import numpy as np
import pytest

from simulation.benchmark import SHIPPED, UCI
from simulation.house import House, load
from simulation.peaks import best_ws, measure
from simulation.plant import Charger

CAR = Charger(max_amps=16, min_amps=5)


def test_somebody_who_knows_the_house_has_its_mean_room_or_nothing() -> None:
    phases = np.concatenate([np.full(450, 2.0), np.full(450, 6.0), np.full(900, 14.0)])[np.newaxis]
    house = House(name="steps", start_s=0, phases=phases)
    best = best_ws(house, CAR, budget=25.0, limit_watts=230 * 12.0)
    assert best.tolist() == pytest.approx([230 * 8 * 900, 0.0])


def test_a_car_keeps_within_the_limit_and_loses_little() -> None:
    came = measure(
        load(SHIPPED / UCI).window(start_h=26.0, hours=1.5),
        CAR,
        budget=30.0,
        limit_watts=4000.0,
        conditions="normal",
        seed=1,
    )
    assert (came.windows, came.over) == (6, 0)
    assert came.worst_pct <= 1
    assert came.charge_pct > 80, "it has to be looked at for a minute first"
