"""What a limit leaves for a consumer on the phases that it loads."""

from math import inf
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import Clock, LimitSettings, Reading, Reason
from custom_components.amp_sensor.control.limits import Budget, Power, Reserved, binding, power_of, room
from tests.control.bench import Bench, BenchCar, running

FLOWS = (5.0, 20.0, -8.0)


def test_a_budget_leaves_what_its_fullest_phase_has() -> None:
    budget = Budget(max_amps=25.0)
    assert budget.room(FLOWS, (0,)) == 20
    assert budget.room(FLOWS, (0, 1)) == 5
    assert budget.room(FLOWS, (0, 1, 2)) == 5


def test_what_is_exported_leaves_more_room() -> None:
    assert Budget(max_amps=25.0).room(FLOWS, (2,)) == 33


def test_what_is_kept_free_for_loads_is_no_room() -> None:
    kept = Reserved(max_amps=25.0, amps=(8.0, 0.0, 0.0))
    assert kept.room(FLOWS, (0,)) == kept.bearable(FLOWS, (0,)) == 12
    assert kept.room(FLOWS, (1,)) == 5


def test_a_budget_that_is_exceeded_says_by_how_much() -> None:
    assert Budget(max_amps=16.0).room(FLOWS, (1,)) == -4


def test_of_several_limits_the_tightest_counts() -> None:
    limits = (Budget(max_amps=25.0), Budget(max_amps=16.0), Budget(max_amps=32.0))
    assert room(limits, FLOWS, (0,)) == 11
    assert room(limits[::-1], FLOWS, (1,)) == -4


def test_a_power_is_that_of_all_phases_together() -> None:
    power = Power(max_watts=5520.0, volts=(230.0,) * 3, reason=Reason.OUTSIDE_LIMIT)
    assert power.room(FLOWS, (0,)) == pytest.approx(24 - 17)
    assert power.room(FLOWS, (0, 1)) == pytest.approx(7 / 2)
    assert power.room(FLOWS, (0, 1, 2)) == pytest.approx(7 / 3), "whatever flows on each of them"


def test_real_power_counts_where_the_meter_tells_it() -> None:
    power = Power(max_watts=2300.0, volts=(230.0,), beside_watts=-230.0, reason=Reason.OUTSIDE_LIMIT)
    assert power.room((4.0,), (0,)) == pytest.approx(7.0)


def test_the_one_that_leaves_the_least_is_named() -> None:
    budget, power = Budget(max_amps=25.0), Power(max_watts=2300.0, volts=(230.0,), reason=Reason.PEAK_LIMIT)
    assert binding((budget, power), (4.0,), (0,)).reason is Reason.PEAK_LIMIT
    assert binding((Budget(max_amps=9.0), power), (4.0,), (0,)).reason is None


@pytest.mark.parametrize(
    ("amps", "watts", "power"),
    [
        ((4.0, 3.0), 1500.0, 1500.0),
        ((4.0, 3.0), 0.0, 805.0),
        ((-4.0, -3.0), -1600.0, -1600.0),
        ((-4.0, -3.0), -1700.0, -1610.0),
        ((4.0, None), 1000.0, 1000.0),
    ],
)
def test_in_doubt_more_flows(amps: tuple[float | None, ...], watts: float, power: float) -> None:
    """A meter that tells no power at all, or more export than its amps can be, must not make room."""
    assert power_of(Reading(at=0.0, amps=amps, volts=(230.0, 230.0), watts=watts)) == pytest.approx(power)


@pytest.mark.parametrize("wrong", [{"max_watts": -1.0}, {"max_amps": inf}, {"window_s": -900.0}])
def test_a_limit_that_nothing_can_be_decided_on_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be 0 or more"):
        LimitSettings(reason=Reason.OUTSIDE_LIMIT, **wrong)


# -- a supply with such limits ------------------------------------------------------------------------------------


def limited(bench: Bench, month: str = "2026-11", **limit: Any) -> None:
    """Let a limit hold at a bench from now on, whose clock began at midnight."""
    settings = LimitSettings(**{"reason": Reason.OUTSIDE_LIMIT} | limit)
    bench.controller.limit({"limit": settings}, Clock(wall_s=0.0, month=month), now=bench.now)


def test_a_car_keeps_within_a_power_and_rises_again_when_that_ends(bench: Bench) -> None:
    limited(bench, max_watts=3000.0)
    bench.run(60)
    assert bench.total * bench.volts <= 3000
    assert bench.car.amps == 8
    assert bench.last.reason is Reason.OUTSIDE_LIMIT
    assert bench.last.numbers["limit_watts"] == 3000
    bench.controller.limit({}, Clock(wall_s=0.0, month=""), now=bench.now)
    bench.run(300)
    assert bench.car.amps == 16


def test_a_current_from_elsewhere_is_one_more_budget(bench: Bench) -> None:
    limited(bench, max_amps=13.5)
    bench.run(60)
    assert (bench.car.amps, bench.last.reason) == (8, Reason.OUTSIDE_LIMIT)


def test_a_car_on_three_phases_has_a_third_of_the_power() -> None:
    bench = running(house=(2.0, 4.0, 3.0), supply="three")
    limited(bench, max_watts=7000.0)
    bench.run(120)
    assert sum(bench.flows) * bench.volts <= 7000
    assert bench.car.amps == 7


def test_each_charger_may_have_what_holds_for_it_whatever_the_house_draws() -> None:
    """§ 14a EnWG: 4.2 kW are 6 A on each of three phases."""
    bench = running(house=(8.0, 8.0, 8.0), supply="three")
    limited(bench, max_watts=4200.0, each_charger=True)
    bench.run(60)
    assert (bench.car.amps, bench.last.reason, bench.last.cap) == (6, Reason.OUTSIDE_LIMIT, 6)
    limited(bench, max_amps=10.0, each_charger=True)
    bench.run(300)
    assert bench.car.amps == 10
    limited(bench, each_charger=True)
    bench.run(300)
    assert bench.car.amps == 16


def test_a_house_that_alone_exceeds_a_limit_is_said_to(bench: Bench) -> None:
    limited(bench, max_watts=1000.0)
    bench.run(120)
    assert bench.car.state == "stopped"
    assert bench.last.reason is Reason.HOUSE_OVER_LIMIT


def test_two_cars_share_a_power() -> None:
    cars = (BenchCar("a", phases=(1,)), BenchCar("b", phases=(2,)))
    for number, car in enumerate(cars, 1):
        car.settings["phases"] = (number,)
    bench = running(house=(1.0, 1.0, 1.0), cars=cars, supply="three")
    limited(bench, max_watts=230.0 * 20)
    bench.run(600)
    assert sum(bench.flows) * bench.volts <= 4600
    assert sorted(car.amps for car in cars) == [8, 8]


@settings(deadline=None, max_examples=8)
@given(
    house=st.tuples(*[st.floats(0, 6)] * 3),
    watts=st.floats(1000, 15000),
    phases=st.sampled_from([(1,), (2, 3), (1, 2, 3)]),
)
def test_no_power_is_exceeded_for_good(house: tuple[float, ...], watts: float, phases: tuple[int, ...]) -> None:
    bench = running(house=house, supply="three", cars=(BenchCar(phases=phases, settings={"phases": phases}),))
    limited(bench, max_watts=watts)
    bench.run(240)
    assert (
        bench.car.amps == 0 or bench.car.state == "stopped" or sum(bench.flows) * bench.volts <= watts + 3 * 0.3 * 230
    )
    room_amps = (watts / bench.volts - sum(house)) / len(phases)
    bench.run(900)
    if room_amps >= 6:
        assert bench.car.state == "charging", "what fits is given"


@pytest.mark.parametrize("phases", [1, 3])
def test_what_fits_is_known_from_the_very_reading_that_shows_more_phases(phases: int) -> None:
    bench = Bench(house=(5.0,) * phases)
    bench.car.become(state="stopped")
    limited(bench, max_watts=9000.0)
    bench.decide()  # of a house of which nobody knows anything, and so one phase
    bench.post()
    left = (9000 / 230 - phases * 5.1) / phases
    assert bench.controller.fits("car", now=bench.now) == (min(16, int(left)),) * 2
