"""Somebody else sets the charger, or it does not keep the limit that it tells, right after a command of ours."""

import pytest

from custom_components.amp_sensor.control.profile import LOCAL
from tests.control.bench import Bench, BenchCar


def _bench() -> Bench:
    charger = BenchCar(settings={"profile": LOCAL, "max_amps": 32, "min_amps": 6}, latency_s=0.4, age_s=0.0)
    bench = Bench(cars=(charger,))
    bench.run(120)
    return bench


@pytest.mark.parametrize("raised_to", [12, 16, 20, 32])
@pytest.mark.parametrize("after_s", [12, 20, 25, 29])
def test_a_raise_by_somebody_else_right_after_our_cut_is_taken_back_at_its_first_report(
    raised_to: int, after_s: int
) -> None:
    bench = _bench()
    bench.house = 17.0
    bench.run(after_s)
    assert bench.total <= 25
    bench.car.become(request=raised_to)
    bench.report(bench.car)
    bench.run(8)
    assert bench.total <= 25, "not half a minute later"


def test_a_charger_that_draws_more_than_it_tells_is_told_again_and_not_hammered() -> None:
    bench = _bench()
    bench.house = 17.0
    bench.run(10)
    begun, bench.car.obeys = len(bench.commands), False
    bench.car.amps = 14.0  # and its limit stays at 8
    for _ in range(60):
        bench.report(bench.car)
        bench.run(5)
    again = [at for at, _ in bench.commands[begun:]]
    assert 10 <= len(again) <= 30, "in five minutes"
    bench.car.obeys = True
    bench.run(30)
    assert bench.total <= 25


def test_what_a_late_cloud_shows_of_before_a_cut_is_no_reason_to_send_it_again() -> None:
    """Home Assistant shows a limit at once that it was told, and the current of the cloud's last copy for a while."""
    bench = Bench(house=5.0)
    bench.run(120)
    bench.car.age_s = 0.0
    bench.house = 17.0
    bench.run(12)
    begun = len(bench.commands)
    assert bench.total <= 25
    bench.car.says_amps = 16.0
    for _ in range(3):
        bench.report(bench.car)
        bench.run(5)
    assert not bench.commands[begun:]
