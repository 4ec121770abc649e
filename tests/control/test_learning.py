"""Which phases a car loads: learned from steps that can be nobody else's, and forgotten where they do not show."""

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Controller,
    Reading,
    SiteSettings,
    Supply,
)
from custom_components.amp_sensor.control.belief import Change
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.learning import LEAST_A, known_phases, phases_moved
from custom_components.amp_sensor.control.profile import TESSIE
from tests.control.honest import HonestCar, HonestSite


def _change(low: float, high: float, to: float, before: tuple[float, ...] = (5.0, 5.0, 5.0)) -> Change:
    command = Command(charger_id="a", action=Action.SET_AMPS, amps=round(to))
    return Change(command=command, low=low, high=high, to=to, sent_at=0, before=before, profile=TESSIE)


@pytest.mark.parametrize(
    ("moved", "phases"),
    [
        ((10.0, 0.0, 0.0), (0,)),
        ((0.0, 10.0, 0.0), (1,)),
        ((10.0, 0.0, 10.0), (0, 2)),
        ((10.0, 10.0, 10.0), (0, 1, 2)),
        ((7.0, 0.0, 0.0), (0,)),
        ((6.9, 0.0, 0.0), None),
        ((13.0, 0.0, 0.0), (0,)),
        ((13.1, 0.0, 0.0), None),
        ((10.0, 2.9, -2.9), (0,)),
        ((10.0, 3.0, 0.0), None),
        ((10.0, 0.0, -3.0), None),
        ((0.0, 0.0, 0.0), None),
        ((-10.0, 0.0, 0.0), None),
    ],
)
def test_a_phase_moved_with_it_or_stood_still_or_nobody_knows(
    moved: tuple[float, ...], phases: tuple[int, ...] | None
) -> None:
    raised = tuple(5.0 + amps for amps in moved)
    assert phases_moved(_change(5, 5, 15), raised) == phases
    lowered = tuple(5.0 - amps for amps in moved)
    assert phases_moved(_change(15, 15, 5), lowered) == phases


def test_a_small_step_teaches_nothing() -> None:
    assert phases_moved(_change(5, 5, 5 + LEAST_A), (5.0 + LEAST_A, 5.0, 5.0)) == (0,)
    assert phases_moved(_change(5, 5, 4.9 + LEAST_A), (4.9 + LEAST_A, 5.0, 5.0)) is None


def test_a_step_is_only_told_from_as_many_phases_as_there_were() -> None:
    assert phases_moved(_change(5, 5, 15, before=(5.0, 5.0)), (15.0, 5.0, 5.0)) is None


def test_one_odd_step_is_passed_over_and_two_alike_are_not() -> None:
    charger = ManagedCharger("a", ChargerSettings(max_amps=16))
    charger.learn(None)
    assert charger.learned is None
    charger.learn((1,))
    assert charger.learned == (1,)
    charger.learn((2,))
    charger.learn((1,))
    charger.learn((2,))
    assert charger.learned == (1,), "two odd steps with a usual one between"
    charger.learn(None)
    charger.learn((2,))
    assert charger.learned == (1,), "nor with one that was not clear"
    charger.learn((0, 1))
    assert charger.learned == (1,), "nor two that differ"
    charger.learn((0, 1))
    assert charger.learned == (0, 1)
    charger.learn(None)
    charger.learn(None)
    assert charger.learned == (0, 1), "what is not clear is no step"


def _site(*cars: HonestCar, budget: float = 20.0) -> HonestSite:
    controller = Controller(SiteSettings(max_amps=budget, supply=Supply.THREE), now=0)
    for car in cars:
        car.settle()
        controller.set_charger(car.name, ChargerSettings(max_amps=16), now=0)
    return HonestSite(controller, cars, lambda _: (4.0, 4.0, 4.0))


@pytest.mark.parametrize("phases", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_a_step_shows_where_a_car_is(phases: tuple[int, ...]) -> None:
    site = _site(HonestCar("a", phases=phases, request=6))
    assert site.controller.phases_of("a") is None
    site.run(600)
    assert site.draws["a"] >= 15
    assert site.controller.phases_of("a") == tuple(phase + 1 for phase in phases)


def test_two_that_move_at_once_teach_nothing() -> None:
    """Each would be taken to load the phases of both."""
    site = _site(HonestCar("a", phases=(0,)), HonestCar("b", phases=(1,)))
    site.run(60)
    site.house = lambda _: (13.0, 13.0, 13.0)
    site.run(20)
    assert {command.charger_id for command in site.sent()} == {"a", "b"}
    assert site.controller.phases_of("a") is None
    assert site.controller.phases_of("b") is None


def test_what_was_learned_is_doubted_before_the_meter() -> None:
    site = _site(HonestCar("a", phases=(1,)), budget=25.0)
    site.controller.chargers["a"].learned = (0,)
    site.run(600)
    assert site.commands == []
    assert "meter_wrong" not in {reason for at, _, reason in site.heard if at > 60}


def test_what_was_learned_wrongly_is_forgotten_where_its_steps_do_not_show() -> None:
    site = _site(HonestCar("a", phases=(1,)))
    site.controller.chargers["a"].learned = (0,)
    site.run(60)
    site.house = lambda _: (10.0, 10.0, 10.0)
    site.run(300)
    assert site.flows[1] <= 20
    assert site.controller.phases_of("a") in (None, (2,))
    site.house = lambda _: (4.0, 4.0, 4.0)
    site.run(900)
    assert site.controller.phases_of("a") == (2,)
    assert site.draws["a"] == 15


@pytest.mark.parametrize(("volts", "phases"), [(240.0, None), (301.0, (0, 1)), (300.0, None), (None, None)])
def test_what_hangs_between_two_legs_is_told_from_the_higher_of_them(
    volts: float | None, phases: tuple[int, ...] | None
) -> None:
    charger = ManagedCharger("a", ChargerSettings(max_amps=16))
    charger.report = ChargerReport(age_s=0, state=ChargingState.CHARGING, volts=volts)
    last = Reading(at=0, amps=(1.0, 1.0), volts=(120.0, 200.0), watts=320)
    assert known_phases(charger, 2, is_split=True, last=last) == phases
    assert known_phases(charger, 2, is_split=False, last=last) is None
    assert known_phases(charger, 2, is_split=True, last=None) is None
    assert known_phases(charger, 1, is_split=True, last=last) == (0,)
    charger.learned = (1,)
    assert known_phases(charger, 2, is_split=False, last=last) == (1,)
    assert known_phases(charger, 3, is_split=False, last=last) == (1,)
    charger.learned = (0, 2)
    assert known_phases(charger, 2, is_split=False, last=last) is None
    charger.settings = ChargerSettings(max_amps=16, phases=(2, 3))
    assert known_phases(charger, 3, is_split=False, last=last) == (1, 2)
    assert known_phases(charger, 2, is_split=False, last=last) == (1,)
    charger.settings = ChargerSettings(max_amps=16, phases=(3,))
    assert known_phases(charger, 2, is_split=False, last=last) is None


@pytest.mark.parametrize(("reported", "phases"), [(None, (1,)), (1, (1,)), (2, None), (3, (0, 1, 2))])
def test_what_was_learned_has_to_agree_with_how_many_phases_it_tells(
    reported: int | None, phases: tuple[int, ...] | None
) -> None:
    charger = ManagedCharger("a", ChargerSettings(max_amps=16))
    charger.learned = (1,)
    charger.report = ChargerReport(age_s=0, state=ChargingState.CHARGING, phases=reported)
    assert known_phases(charger, 3, is_split=False, last=None) == phases
