"""The simulated car behaves as owners and Tessie's reference say a Tesla does."""

from collections.abc import Callable
from random import Random
import time
from typing import Any

from hypothesis import given, strategies as st
import pytest

from simulation.car import Car, CarState
from simulation.cost import trivial_loop_s


def _charging(**settings: Any) -> Car:
    car = Car(rng=Random(1), charging=True, **settings)
    car.tick(0)
    return car


def _seconds_until(car: Car, condition: Callable[[], bool], limit_s: float = 300) -> float:
    begin = now = car.now
    while not condition():
        now += 0.1
        assert now - begin < limit_s
        car.tick(now)
    return now - begin


@pytest.mark.parametrize("seed", range(20))
def test_the_first_amp_takes_its_time(seed: int) -> None:
    car = Car(rng=Random(seed))
    car.tick(1_700_000_000)
    assert (car.state, car.amps) == (CarState.STARTING, 0)
    assert 10 <= _seconds_until(car, lambda: car.amps > 0) <= 40.2
    assert car.state is CarState.CHARGING
    assert _seconds_until(car, lambda: car.amps == 16) == pytest.approx(16, abs=0.2)


@pytest.mark.parametrize("seed", range(20))
def test_it_reacts_late_falls_fast_and_rises_slowly(seed: int) -> None:
    car = Car.endless(rng=Random(seed))
    car.tick(0)
    car.set_amps(7)
    assert (car.request, car.amps) == (7, 16)
    assert 0.5 <= _seconds_until(car, lambda: car.amps < 16) <= 3.2
    assert _seconds_until(car, lambda: car.amps == 7) == pytest.approx(3, abs=0.2)
    car.set_amps(10)
    assert 0.5 <= _seconds_until(car, lambda: car.amps > 7) <= 3.2
    assert _seconds_until(car, lambda: car.amps == 10) == pytest.approx(3, abs=0.2)


def test_more_than_the_limit_is_clamped_silently() -> None:
    car = _charging()
    assert car.set_amps(99) is None
    assert car.request == 16


def test_the_limit_can_fall_and_changes_with_the_cable() -> None:
    car = _charging()
    car.set_limit(10)
    car.tick(30)
    assert (car.request, car.amps) == (10, 10)
    car.set_amps(16)
    assert car.request == 10
    car.unplug()
    assert car.limit == 16


def test_low_amps_are_taken_when_said_twice() -> None:
    car = _charging()
    car.set_amps(3)
    assert car.request == 5
    car.set_amps(3)
    assert car.request == 3
    car.tick(30)
    assert car.amps == 3

    car.unplug()
    car.plug()
    car.set_amps(3)
    assert car.request == 5
    car.set_amps(2)
    assert car.request == 5


def test_some_cars_refuse_low_amps() -> None:
    car = _charging(takes_low_amps=False)
    car.set_amps(3)
    car.set_amps(3)
    assert car.request == 5


def test_from_zero_it_recovers_slowly_or_not_at_all() -> None:
    waits = []
    for seed in range(40):
        car = Car(rng=Random(seed), charging=True)
        car.tick(0)
        car.set_amps(0)
        car.tick(30)
        assert (car.state, car.amps) == (CarState.CHARGING, 0)
        car.set_amps(16)
        car.tick(60)
        assert car.amps == 0
        car.tick(300)
        waits.append(car.amps)
        if not car.amps:
            car.stop()
            car.start()
            car.tick(400)
            assert car.amps == 16
    assert set(waits) == {0, 16}


def test_stop_and_start() -> None:
    car = _charging()
    assert car.stop() is None
    assert car.stop() == "not_charging"
    car.set_amps(8)
    car.tick(30)
    assert (car.state, car.amps, car.request) == (CarState.STOPPED, 0, 8)
    assert car.start() is None
    assert car.start() == "requested"
    car.tick(100)
    assert (car.state, car.amps, car.closings) == (CarState.CHARGING, 8, 2)
    assert car.start() == "is_charging"


def test_a_stop_while_it_starts_counts() -> None:
    car = Car(rng=Random(1))
    car.tick(0)
    car.stop()
    car.tick(100)
    assert (car.state, car.amps, car.closings) == (CarState.STOPPED, 0, 0)


def test_ten_stops_in_a_row_and_it_sulks() -> None:
    car = _charging()
    for now in range(100, 1100, 100):
        car.stop()
        car.start()
        car.tick(now)
    assert (car.state, car.amps) == (CarState.STOPPED, 0)
    car.tick(6000)
    car.start()
    car.tick(6100)
    assert car.state is CarState.CHARGING


def test_a_pulled_cable_ends_the_current_at_once() -> None:
    car = _charging()
    car.unplug()
    assert (car.state, car.amps, car.plugged_in) == (CarState.DISCONNECTED, 0, False)
    assert (car.start(), car.stop()) == ("disconnected", "disconnected")
    car.plug()
    assert car.state is CarState.STARTING


def test_it_charges_to_its_limit() -> None:
    car = _charging(battery_kwh=60, soc=78, charge_limit_soc=80)
    car.tick(4 * 3600)
    assert (car.state, car.amps) == (CarState.COMPLETE, 0)
    assert car.soc == pytest.approx(80, abs=0.1)
    assert car.energy_added_kwh == pytest.approx(1.2, abs=0.05)
    assert car.start() == "complete"
    car.unplug()
    car.plug()
    assert car.state is CarState.COMPLETE


def test_an_almost_full_battery_takes_less() -> None:
    car = _charging(soc=98.5, charge_limit_soc=100)
    car.tick(60)
    assert 1 <= car.amps < 9


def test_dead_mains() -> None:
    car = _charging()
    car.set_mains(on=False)
    assert (car.state, car.amps, car.start()) == (CarState.NO_POWER, 0, "no_power")
    car.unplug()
    car.plug()
    assert car.state is CarState.NO_POWER
    car.set_mains(on=True)
    assert car.state is CarState.STARTING
    car.unplug()
    car.set_mains(on=False)
    assert car.state is CarState.DISCONNECTED


def test_a_schedule_stops_it_and_starts_it() -> None:
    car = _charging()
    car.schedule(3600)
    car.tick(60)
    assert (car.state, car.scheduled, car.amps) == (CarState.STOPPED, True, 0)
    car.tick(3601)
    assert (car.state, car.scheduled) == (CarState.STARTING, False)


def test_a_schedule_can_be_overridden_or_dropped() -> None:
    car = _charging()
    car.schedule(3600)
    car.start()
    assert (car.state, car.scheduled) == (CarState.STARTING, False)

    car.schedule(3600)
    car.schedule(None)
    car.tick(7200)
    assert (car.state, car.scheduled) == (CarState.STOPPED, False)

    car.unplug()
    car.schedule(9000)
    car.plug()
    assert car.scheduled
    car.unplug()
    car.tick(9100)
    assert not car.scheduled
    car.plug()
    assert car.state is CarState.STARTING


def test_it_sleeps_when_idle_and_only_then() -> None:
    car = _charging(sleep_after_s=600)
    car.tick(7200)
    assert not car.asleep
    car.stop()
    car.tick(7300)
    assert not car.asleep
    car.tick(7801)
    assert car.asleep
    car.wake()
    assert not car.asleep
    car.tick(9000)
    car.set_amps(8)
    assert not car.asleep


def test_it_remembers_amps_per_location() -> None:
    car = _charging()
    car.set_amps(6)
    car.drive_away()
    assert (car.driving, car.at_home, car.plugged_in, car.request) == (True, False, False, 16)
    car.tick(3600)
    assert not car.asleep
    car.park(at_home=True, used_kwh=7.5)
    assert (car.driving, car.at_home, car.parked_at, car.request, car.soc) == (False, True, 3600, 6, 10)
    car.plug()
    assert car.plugged_in


def test_mains_sag_under_load() -> None:
    car = _charging(phases=3, max_amps=10)
    assert car.voltage == pytest.approx(226)
    assert car.power_w == pytest.approx(3 * 10 * 226)


def test_an_endless_car_goes_on_charging() -> None:
    car = Car.endless(rng=Random(1), max_amps=13)
    car.tick(0)
    car.tick(7 * 86_400)
    assert (car.state, car.amps, car.asleep) == (CarState.CHARGING, 13, False)
    assert car.soc < 20.1


def test_a_day_is_cheap() -> None:
    car = Car(rng=Random(1))
    before = time.thread_time()
    for now in range(86_400):
        car.tick(now)
    assert time.thread_time() - before < 1500 * trivial_loop_s()  # 300 where it was written


ACTIONS = st.sampled_from(
    ["start", "stop", "plug", "unplug", "wake", "drive_away", "home", "away", "dead", "alive", "schedule", "drop"]
) | st.integers(0, 40)


@given(seed=st.integers(0, 1000), steps=st.lists(st.tuples(ACTIONS, st.floats(0, 2000)), max_size=30))
def test_no_order_of_events_makes_an_impossible_car(seed: int, steps: list[tuple[str | int, float]]) -> None:
    car = Car(rng=Random(seed))
    now = 0.0
    car.tick(now)
    for action, wait in steps:
        match action:
            case int():
                car.set_amps(action)
            case "home" | "away":
                car.park(at_home=action == "home")
            case "dead" | "alive":
                car.set_mains(on=action == "alive")
            case "schedule":
                car.schedule(now + 100)
            case "drop":
                car.set_limit(9)
            case _:
                getattr(car, action)()
        begin = car.amps
        now += wait
        car.tick(now)
        assert car.now == now
        assert 0 <= car.amps <= 16
        assert car.amps <= begin + wait * 1.0 + 1e-6
        assert car.plugged_in or car.amps == 0
        assert not (car.asleep and car.amps)
        assert 0 <= car.soc <= 100


def test_a_full_car_heats_its_cabin_from_the_mains_as_far_as_its_limit_goes() -> None:
    car = _charging(soc=80.0)
    car.tick(30)
    assert (car.state, car.amps) == (CarState.COMPLETE, 0)
    soc = car.soc
    car.heat(14)
    car.tick(3600)
    assert (car.state, car.amps, car.soc, car.asleep) == (CarState.COMPLETE, 14, soc, False)
    car.set_amps(6)
    car.tick(3700)
    assert car.amps == 6
    car.unplug()
    assert (car.amps, car.active) == (0, False)


def test_a_charging_car_heats_with_a_part_of_its_current() -> None:
    warm, cold = _charging(), _charging()
    cold.heat(10)
    for car in (warm, cold):
        car.tick(3600)
    assert warm.amps == cold.amps == 16
    assert cold.energy_added_kwh == pytest.approx(warm.energy_added_kwh * 6 / 16)
    cold.stop()
    cold.tick(3700)
    assert (cold.state, cold.amps) == (CarState.STOPPED, 10)
