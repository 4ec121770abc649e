"""When the controller wants a report: something draws that no charger told of."""

from collections.abc import Iterable

import pytest

from custom_components.amp_sensor.control.asking import Asking
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.settings import ChargerSettings

TIMES = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0]


def _car(name: str = "a", *, running: bool = False, measured_at: float = 0.0) -> ManagedCharger:
    car = ManagedCharger(name, ChargerSettings(max_amps=16))
    car.running, car.measured_at = running, measured_at
    return car


def _asked(asking: Asking, cars: Iterable[ManagedCharger], excess: float, until: int, since: int = 0) -> list[float]:
    cars = list(cars)
    return [now / 2 for now in range(2 * since, 2 * until) if asking.wanted(cars, excess, now / 2)]


def test_over_the_budget_it_asks_ever_less_often_and_never_ends() -> None:
    at = [sum(TIMES[: count + 1]) for count in range(len(TIMES))]
    assert _asked(Asking(), [_car()], 0.31, 1300) == [*at, at[-1] + 300, at[-1] + 600][:9]


def test_within_the_budget_and_without_a_rise_it_asks_nobody() -> None:
    assert _asked(Asking(), [_car()], 0.3, 1000) == []


def test_only_those_are_asked_that_are_not_known_to_charge() -> None:
    cars = [_car("a", running=True), _car("b")]
    assert Asking().wanted(cars, 5.0, 100.0) == ("b",)


def test_a_fresh_report_need_not_be_asked_for() -> None:
    assert Asking().wanted([_car(measured_at=96.0)], 5.0, 100.0) == ()
    assert Asking().wanted([_car(measured_at=95.0)], 5.0, 100.0) == ("a",)


@pytest.mark.parametrize(("rise", "over_s", "asks"), [(4.0, 30, True), (3.99, 30, False), (4.0, 31, False)])
def test_a_rise_as_of_a_car_is_asked_about(rise: float, over_s: float, asks: bool) -> None:
    asking = Asking()
    asking.add(5.0, 100.0)
    asking.add(5.0 + rise, 100.0 + over_s)
    assert bool(asking.wanted([_car()], -10.0, 140.0)) is asks


def test_the_lowest_of_the_last_half_minute_counts() -> None:
    asking = Asking()
    for at, amps in ((0, 9.0), (10, 5.0), (20, 8.0), (30, 9.0)):
        asking.add(amps, at)
    assert asking.wanted([_car()], -1.0, 40.0) == ("a",)


def test_a_rise_is_asked_about_for_a_minute_and_then_forgotten() -> None:
    asking = Asking()
    asking.add(0.0, 0.0)
    asking.add(10.0, 10.0)
    car = _car()
    assert _asked(asking, [car], -5.0, 200, since=10) == [10.0, 20.0, 40.0]
    asking.add(10.0, 300.0)
    asking.add(20.0, 310.0)
    assert asking.wanted([car], -5.0, 310.0) == ("a",), "the next one is asked about from the beginning"


def test_within_the_budget_the_questions_end() -> None:
    """A rise that goes on, once in half a minute: it is one rise, and seven questions."""
    asking, car, asked = Asking(), _car(), []
    for now in range(0, 3000, 5):
        asking.add(now / 3, float(now))
        asked += [now] if asking.wanted([car], -5.0, float(now)) else []
    assert len(asked) == len(TIMES)
    asking.add(5000.0, 3005.0)
    assert asking.wanted([car], 1.0, 3400.0) == ("a",), "but not while it is over the budget"


def test_a_second_rise_begins_anew() -> None:
    asking, car = Asking(), _car()
    asking.add(0.0, 0.0)
    asking.add(10.0, 5.0)
    assert _asked(asking, [car], -5.0, 36, since=5) == [5.0, 15.0, 35.0]
    asking.add(10.0, 36.0)
    asking.add(14.0, 40.0)
    assert asking.wanted([car], -5.0, 45.0) == ("a",)
