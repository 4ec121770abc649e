"""A meter that reports every half minute, or rounds: the limits of silence follow it, and its doubt is kept free."""

from typing import override

import pytest

from custom_components.amp_sensor.control import Protection, Reading
from custom_components.amp_sensor.control.house import House
from custom_components.amp_sensor.control.meter import Meter
from tests.control.bench import Bench


class SlowBench(Bench):
    """Its meter posts every so many seconds."""

    every_s = 30

    @override
    def post(self) -> None:
        if self.now % self.every_s == 0:
            super().post()


@pytest.fixture(params=[20, 30, 60])
def slow(request: pytest.FixtureRequest) -> SlowBench:
    bench = SlowBench()
    bench.every_s = request.param
    return bench


def test_a_calm_house_keeps_its_car_at_what_it_has(slow: SlowBench) -> None:
    slow.run(1800)
    assert not slow.sent()
    assert slow.car.amps == 16


def test_a_car_is_lowered_once_and_raised_again(slow: SlowBench) -> None:
    slow.run(600)
    slow.house = 15.0
    slow.run(slow.every_s + 10)
    assert [command.amps for command in slow.sent()] == [10]
    slow.run(600)
    assert len(slow.sent()) == 1, "it is not told again before the meter could show it"
    slow.house = 5.0
    slow.run(3600)
    assert slow.car.amps == 16


def test_a_lost_cut_is_sent_again_once_the_meter_has_not_shown_it(slow: SlowBench) -> None:
    slow.run(600)
    slow.car.obeys = slow.car.reports = False
    slow.house = 15.0
    slow.run(3 * slow.every_s + 30)
    assert len(slow.sent()) > 1


def test_a_meter_that_falls_silent_stops_the_car_by_its_own_measure(slow: SlowBench) -> None:
    slow.run(1200)
    slow.meter = False
    quiet = slow.now
    slow.run(2 * slow.every_s)
    assert not slow.sent(after=quiet) or slow.every_s < 30
    slow.run(max(120, 4 * slow.every_s) + 10 - 2 * slow.every_s)
    assert slow.car.state == "stopped"


def test_a_meter_slower_than_a_minute_is_silent_in_between() -> None:
    bench = SlowBench()
    bench.every_s = 300
    bench.run(1800)
    assert bench.car.state == "stopped"


def test_power_is_bridged_as_far_as_the_meters_own_habit() -> None:
    meter = Meter()
    for number in range(7):
        meter.add(Reading(at=61.0 * number, amps=(10.0,), volts=(230.0,), watts=2300.0))
    counted_wh = meter.energy_wh
    assert counted_wh == pytest.approx(2300 * 61 * 3 / 3600), "three gaps are needed to know the habit"
    assert meter.is_connected(6 * 61.0 + 140, 60)
    assert not meter.is_connected(6 * 61.0 + 160, 60)


def test_what_a_meter_may_hide_is_kept_free() -> None:
    def house(doubt: float) -> House:
        found = House(max_amps=25, protection=Protection(rating_amps=25), phases=1, now=0.0)
        reading = Reading(at=1.0, amps=(12.0,), volts=(230.0,), watts=2760.0, doubt_amps=(doubt,))
        assert found.add(reading, believable_amps=250)
        found.share(lambda _: (8.0, 8.0), {})
        return found

    assert house(0.0).read == (12.0,)
    assert house(0.5).read == (12.5,)
    assert house(0.5).amps == (4.5,)


def test_doubt_makes_no_export_and_no_room() -> None:
    found = House(max_amps=25, protection=Protection(rating_amps=25), phases=1, now=0.0)
    found.add(Reading(at=1.0, amps=(-3.0,), volts=(230.0,), watts=-690.0, doubt_amps=(0.5,)), believable_amps=250)
    assert found.exports
    assert found.read == (-2.5,)


@pytest.mark.parametrize("doubt", [(-0.1,), (0.5, 0.5), (float("nan"),), (501.0,)])
def test_a_doubt_that_is_none_is_refused(doubt: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="doubt_amps"):
        Reading(at=1.0, amps=(3.0,), volts=(230.0,), watts=690.0, doubt_amps=doubt)
