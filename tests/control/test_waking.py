"""A car that fell asleep while it was paused is woken for a start, where its owner allows that."""

from itertools import pairwise

import pytest

from custom_components.amp_sensor.control.charger import WAKE_EVERY_S
from tests.control.bench import Bench


def _pause_and_sleep(bench: Bench, *, may_wake: bool = True) -> None:
    bench.set_charger(may_wake=may_wake)
    bench.house = 28.0
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.car.asleep = True
    bench.run(60)
    assert bench.last.reason == "asleep"


def test_it_is_woken_and_started_once_there_is_room(bench: Bench) -> None:
    _pause_and_sleep(bench)
    bench.run(600)
    assert not bench.sent("wake"), "the house still needs the current"
    bench.house = 5.0
    bench.run(300)
    assert len(bench.sent("wake")) == 1
    assert bench.car.state == "charging"
    assert bench.total <= 25


def test_nothing_wakes_it_unless_its_owner_allows_that(bench: Bench) -> None:
    _pause_and_sleep(bench, may_wake=False)
    bench.house = 5.0
    bench.run(1200)
    assert not bench.sent("wake")
    assert bench.last.reason == "asleep"


def test_one_that_does_not_wake_up_is_left_alone_for_an_hour(bench: Bench) -> None:
    _pause_and_sleep(bench)
    bench.car.obeys = False
    bench.car.apply = lambda command: None  # type: ignore[method-assign]  # it sleeps on
    bench.house = 5.0
    bench.run(int(3.5 * WAKE_EVERY_S))
    times = [at for at, command in bench.commands if command.action == "wake"]
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) >= WAKE_EVERY_S


@pytest.mark.parametrize(
    "change", [{"at_home": False}, {"at_home": None}, {"plugged_in": False, "state": "disconnected"}]
)
def test_only_one_that_waits_here_for_us_is_woken(bench: Bench, change: dict[str, object]) -> None:
    _pause_and_sleep(bench)
    bench.car.become(**change)
    bench.run(30)
    bench.house = 5.0
    bench.run(600)
    assert not bench.sent("wake")


def test_one_that_its_user_stopped_sleeps_on(bench: Bench) -> None:
    bench.set_charger(may_wake=True)
    bench.car.become(state="stopped", asleep=True)
    bench.run(900)
    assert not bench.sent()


@pytest.mark.parametrize("mode", ["off", "monitor"])
def test_where_nothing_is_sent_nothing_is_woken(bench: Bench, mode: str) -> None:
    _pause_and_sleep(bench)
    bench.configure(mode=mode)
    bench.house = 5.0
    bench.run(600)
    assert not bench.sent("wake")


def test_without_readings_nothing_is_woken(bench: Bench) -> None:
    _pause_and_sleep(bench)
    bench.meter = False
    bench.run(600)
    assert not bench.sent("wake")
