"""A charger that may have less than the supply allows, for another reason."""

from custom_components.amp_sensor.control import Reason
from tests.control.bench import Bench


def test_it_is_lowered_to_its_ration_and_raised_again_when_that_ends(bench: Bench) -> None:
    bench.controller.ration("car", {Reason.SHARED: 8})
    bench.run(30)
    assert bench.car.amps == 8
    assert bench.last.reason is Reason.SHARED
    assert bench.last.cap == 8
    bench.controller.ration("car", {})
    bench.run(300)
    assert bench.car.amps == 16


def test_a_ration_of_nothing_pauses_it_and_the_end_of_it_starts_it(bench: Bench) -> None:
    bench.controller.ration("car", {Reason.SHARED: 0})
    bench.run(60)
    assert bench.car.state == "stopped"
    assert bench.last.reason is Reason.SHARED
    bench.run(1800)
    assert not bench.sent("start")
    bench.controller.ration("car", {})
    bench.run(300)
    assert bench.car.state == "charging"


def test_the_least_of_several_rations_counts_and_none_makes_room(bench: Bench) -> None:
    bench.controller.ration("car", {Reason.SHARED: 12, Reason.WAITING_FOR_TURN: 7})
    bench.run(60)
    assert (bench.car.amps, bench.last.reason) == (7, Reason.WAITING_FOR_TURN)
    bench.controller.ration("car", {Reason.SHARED: 80})
    bench.house = 17.0
    bench.run(300)
    assert bench.total <= 25
    assert bench.last.reason is not Reason.SHARED, "it is not the ration that bounds it"


def test_a_ration_ends_with_control(bench: Bench) -> None:
    bench.controller.ration("car", {Reason.SHARED: 8})
    bench.run(30)
    command = bench.controller.release("car", now=bench.now)
    assert command is not None
    assert command.amps == 16


def test_a_car_that_fell_asleep_while_it_had_nothing_is_woken_once_it_may_charge(bench: Bench) -> None:
    bench.set_charger(may_wake=True)
    bench.controller.ration("car", {Reason.PLANNED: 0})
    bench.run(60)
    bench.car.become(asleep=True)
    bench.run(3600)
    assert not bench.sent("wake"), "there is room, but it may have none of it"
    bench.controller.ration("car", {})
    bench.run(300)
    assert len(bench.sent("wake")) == 1
    assert bench.car.state == "charging"


def test_who_may_have_nothing_for_now_is_ours_all_the_same(bench: Bench) -> None:
    bench.controller.ration("car", {Reason.PLANNED: 0})
    bench.run(60)
    assert bench.last.cap == 16, "0 would say that it is not ours"


def test_what_it_could_have_is_told_beside_the_house_and_whatever_its_ration(bench: Bench) -> None:
    assert bench.controller.fits("car", now=bench.now) is not None
    bench.controller.ration("car", {Reason.PLANNED: 0})
    bench.house = 15.0
    bench.run(60)
    assert bench.controller.fits("car", now=bench.now) == (9, 9)
    bench.house = 21.0
    bench.run(60)
    assert bench.controller.fits("car", now=bench.now) == (0, 0), "less than its minimum is nothing"
