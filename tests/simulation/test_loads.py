"""A boiler and a heat pump in a house whose breaker is too small for both."""

import numpy as np
import pytest

from simulation.house import DAY_S, House
from simulation.loads import Boiler, HeatPump, run


@pytest.fixture
def evening() -> House:
    """Two hours in which a cooker adds 9 A every other quarter of an hour."""
    seconds = 2 * 3600
    cooker = np.where(np.arange(seconds) // 900 % 2, 9.0, 0.0)
    return House(name="evening", start_s=19 * 3600, phases=(3.0 + cooker)[np.newaxis, :])


def test_its_breaker_opens_without_us_and_not_with_us(evening: House) -> None:
    alone = run(evening, rating=16, controlled=False, loads=False)
    without = run(evening, rating=16, controlled=False)
    ours = run(evening, rating=16, controlled=True)
    assert alone.trips == ours.trips == 0
    assert without.trips > 0
    assert ours.sheds > 0
    assert ours.boiler_kwh > 0


def test_it_exceeds_its_quarters_of_an_hour_without_us_and_not_with_us(evening: House) -> None:
    without = run(evening, rating=40, controlled=False)
    ours = run(evening, rating=40, controlled=True, limit_watts=4000)
    assert len(without.windows_watts) == len(ours.windows_watts) == 7, "the last has not ended"
    assert max(without.windows_watts) > 4040 >= max(ours.windows_watts)
    assert ours.boiler_kwh > 0.9 * without.boiler_kwh


def test_the_same_luck_comes_to_the_same(evening: House) -> None:
    assert run(evening, rating=16, controlled=True) == run(evening, rating=16, controlled=True)


def test_a_boiler_takes_what_is_drawn_and_lost() -> None:
    boiler = Boiler()
    for second in range(2 * DAY_S):
        boiler.tick(second % DAY_S)
    assert boiler.taken_kwh == pytest.approx(2 * (5.8 + 1.8), rel=0.07)
    assert boiler.coldest_kwh > 0


def test_a_heat_pump_runs_as_long_as_it_has_to_and_never_for_a_moment() -> None:
    pump = HeatPump(part=0.4)
    ran = [pump.tick(second) > 0 for second in range(DAY_S)]
    assert sum(ran) == pytest.approx(0.4 * DAY_S, rel=0.03)
    changes = np.flatnonzero(np.diff(ran))
    assert np.diff(changes).min() >= 600
