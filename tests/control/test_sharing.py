"""Several cars behind one budget: who gets what, how soon, and with how many commands."""

from collections.abc import Callable
from itertools import pairwise
from math import inf, sin
from typing import Any

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerSettings,
    Controller,
    Mode,
    Priority,
    Reason,
    SiteSettings,
)
from custom_components.amp_sensor.control.charger import START_EVERY_S, STARTS
from custom_components.amp_sensor.control.sharing import CLAIM_RAISE_S, TURN_S
from tests.control.bench import Bench, BenchCar
from tests.control.honest import HonestCar, HonestSite

HOUR_S = 3600


def _site(
    *cars: HonestCar,
    budget: float = 20.0,
    house: float | Callable[[float], tuple[float, ...]] = 2.0,
    mode: Mode = Mode.BALANCED,
    **settings: dict[str, Any],
) -> HonestSite:
    controller = Controller(SiteSettings(max_amps=budget, mode=mode), now=0)
    for car in cars:
        controller.set_charger(car.name, ChargerSettings(**{"max_amps": 16} | settings.get(car.name, {})), now=0)
        car.settle()
    return HonestSite(controller, cars, house if callable(house) else lambda _: (house,))


def _two(**site: Any) -> HonestSite:
    return _site(HonestCar("a", request=5), HonestCar("b", request=5), **site)


def _shares(site: HonestSite) -> list[float]:
    return list(site.draws.values())


def test_two_alike_get_alike() -> None:
    site = _two()
    site.run(1800)
    assert sorted(_shares(site)) == [8, 9]
    assert site.flows[0] <= 20
    assert len(site.commands) <= 4


def test_two_alike_fill_what_is_there_for_them() -> None:
    """18.3 A for two."""
    site = _two(budget=20.4)
    site.run(1800)
    assert _shares(site) == [9, 9]


@pytest.mark.parametrize("first", ["a", "b"])
def test_who_comes_first_gets_what_the_minimum_of_the_other_leaves(first: str) -> None:
    site = _two(**{first: {"priority": Priority.FIRST}})
    site.run(1800)
    assert site.draws == {"a": 5, "b": 5} | {first: 12}


def test_who_came_first_gives_half_to_who_comes_later() -> None:
    late = HonestCar("b", charging=True, plugged_in=False, request=16)
    site = _site(HonestCar("a"), late)
    site.run(900)
    assert _shares(site) == [16, 0]
    late.plugged_in = True
    late.request = 5
    site.run(300)
    assert sorted(_shares(site)) == [8, 9]


def test_three_share_too() -> None:
    site = _site(*(HonestCar(name, request=5) for name in "abc"), budget=32.2)
    site.run(2400)
    assert _shares(site) == [10, 10, 10]


@pytest.mark.parametrize(("takes", "rest"), [(5.0, 12), (5.5, 11), (6.3, 9), (7.0, 9)])
def test_who_uses_less_than_it_may_gives_the_rest_back_within_two_minutes(takes: float, rest: int) -> None:
    """All but the ampere by which it is seen that it wants no more; and a single one is not worth two commands."""
    site = _two(budget=20.4)
    site.run(1800)
    site.cars["a"].takes = takes
    assert site.run_until(lambda: site.draws["b"] >= rest, within_s=120) is not None
    site.run(300)
    began = site.now
    site.run(2 * HOUR_S)
    assert site.draws == {"a": takes, "b": rest}
    assert site.sent(after=began) == []


def test_who_uses_all_again_gets_its_part_again() -> None:
    site = _two(budget=20.4)
    site.cars["a"].takes = 5.0
    site.run(1800)
    assert site.draws["b"] == 12
    site.cars["a"].takes = 16
    assert site.run_until(lambda: _shares(site) == [9, 9], within_s=600) is not None


@pytest.mark.parametrize("lost", [True, False])
def test_nobody_is_raised_before_the_meter_has_shown_the_cut_of_another(lost: bool) -> None:
    site = _site(HonestCar("a", request=12), HonestCar("b", request=5), budget=20.4, a={"priority": Priority.LAST})
    site.cars["a"].obeys = not lost
    end = 900
    while site.now < end:
        site.step()
        assert site.flows[0] <= 20.4
        told = site.cars["b"].request
        assert told <= 20.4 - 2 - site.cars["a"].draws
    assert site.sent("a", Action.SET_AMPS), "a is told to give"
    assert site.draws == ({"a": 12, "b": 6} if lost else {"a": 5, "b": 13})


def test_priority_can_be_changed_while_they_charge() -> None:
    site = _two(budget=20.4)
    site.run(1800)
    site.controller.set_charger("b", ChargerSettings(max_amps=16, priority=Priority.FIRST), now=site.now)
    assert site.run_until(lambda: _shares(site) == [5, 13], within_s=600) is not None
    site.controller.set_charger("b", ChargerSettings(max_amps=16, priority=Priority.LAST), now=site.now)
    assert site.run_until(lambda: _shares(site) == [13, 5], within_s=600) is not None
    site.run(900)
    assert _shares(site) == [13, 5]


def test_who_comes_first_and_plugs_in_late_is_served_within_minutes() -> None:
    site = _site(
        HonestCar("a"), HonestCar("b", request=5, plugged_in=False), budget=20.4, b={"priority": Priority.FIRST}
    )
    site.run(900)
    assert site.draws == {"a": 16, "b": 0}
    site.cars["b"].plugged_in = True
    assert site.run_until(lambda: site.draws == {"a": 5, "b": 13}, within_s=600) is not None


def test_a_lone_car_has_all_to_itself() -> None:
    site = _site(HonestCar("a", request=5), HonestCar("b", plugged_in=False), budget=20.4)
    site.run(900)
    assert site.draws["a"] == 16


# -- turns -------------------------------------------------------------------------------------------------------


def _turns(**site: Any) -> HonestSite:
    """7.9 A for two that take 5 A at least."""
    found = _two(budget=10.0, **site)
    found.run(3 * HOUR_S)
    return found


def test_where_the_minima_do_not_all_fit_each_has_its_turn() -> None:
    site = _turns()
    starts = {
        name: [at for at, command in site.commands if command.action is Action.START and command.charger_id == name]
        for name in "ab"
    }
    assert all(len(each) >= 3 for each in starts.values()), "both charge, one after the other"
    for each in starts.values():
        lengths = [later - earlier for earlier, later in pairwise(each)]
        assert all(2 * TURN_S <= length <= 2 * TURN_S + 240 for length in lengths)
    reasons = {reason for _, _, reason in site.heard}
    assert Reason.WAITING_FOR_TURN in reasons
    assert len(site.commands) <= 3 * 4 * 3 + 6


def test_a_turn_is_no_longer_than_it_must_be() -> None:
    """The energy of both together is almost that of one that charges throughout."""
    site = _two(budget=10.0)
    site.run(900)
    charge = {"a": 0.0, "b": 0.0}
    began = site.now
    while site.now < began + 2 * HOUR_S:
        before = site.now
        site.step()
        for name, car in site.cars.items():
            charge[name] += car.draws * (site.now - before)
    assert sum(charge.values()) >= 0.9 * 7 * 2 * HOUR_S
    assert charge["a"] == pytest.approx(charge["b"], rel=0.15)


def test_turns_are_within_the_starts_that_a_car_has() -> None:
    site = _turns()
    for name in "ab":
        starts = [at for at, command in site.commands if command.action is Action.START and command.charger_id == name]
        for number, at in enumerate(starts):
            for later, until in enumerate(starts[number:], 1):
                assert later <= STARTS + (until - at) / START_EVERY_S


def test_who_comes_first_has_no_turns() -> None:
    site = _turns(a={"priority": Priority.FIRST})
    assert site.draws["a"] == 7
    assert site.draws["b"] == 0
    assert site.decisions["b"].reason is Reason.WAITING_FOR_TURN
    assert len(site.commands) <= 6


def test_the_site_stays_within_its_budget_through_turns() -> None:
    site = _two(budget=10.0)
    site.run(300)
    while site.now < 2 * HOUR_S:
        site.step()
        assert site.flows[0] <= 10


def test_nobody_starts_before_the_meter_has_shown_that_another_stopped() -> None:
    site = _two(budget=10.0)
    site.run(300)
    (first,) = (car for car in site.cars.values() if car.draws)
    first.obeys = False
    began = site.now
    while len(site.sent(first.name, Action.STOP)) < 2:
        site.step()
        assert site.flows[0] <= 10
        assert not site.sent(action=Action.START, after=began)
        assert site.now < began + 2 * TURN_S
    first.obeys = True
    assert site.run_until(lambda: site.draws == {"a": 7, "b": 7} | {first.name: 0}, within_s=300) is not None


def test_two_on_different_phases_need_no_turns() -> None:
    site = _site(
        HonestCar("a", request=5, phases=(0,)),
        HonestCar("b", request=5, phases=(1,)),
        budget=10.0,
        house=lambda _: (2.0, 3.0, 4.0),
        a={"phases": (1,)},
        b={"phases": (2,)},
    )
    site.run(1800)
    assert site.draws == {"a": 7, "b": 6}


def test_a_three_phase_car_shares_each_phase_with_who_is_on_it() -> None:
    site = _site(
        HonestCar("a", request=5, phases=(0, 1, 2)),
        HonestCar("b", request=5, phases=(1,)),
        budget=20.4,
        house=lambda _: (2.0, 2.0, 2.0),
        a={"phases": (1, 2, 3)},
        b={"phases": (2,)},
    )
    site.run(1800)
    assert site.draws == {"a": 9, "b": 9}


def test_two_that_may_rise_at_once_rise_one_after_the_other_until_it_is_known_where_they_are() -> None:
    """A step that shows beside another's teaches nothing, and of unknown phases each would get too little for ever."""
    site = _site(
        HonestCar("a", request=5, tells_phases=True),
        HonestCar("b", request=5, tells_phases=True),
        budget=40.0,
        house=lambda _: (0.0, 0.0),
    )
    site.run(600)
    assert site.draws == {"a": 16, "b": 16}
    assert [site.controller.phases_of(name) for name in "ab"] == [(1,), (1,)]


def test_beside_one_that_is_held_at_its_minimum_another_keeps_no_more_than_its_own() -> None:
    """It gives nothing more up, so its part is not to be had."""
    house = (0.0, 0.0)
    site = _site(
        HonestCar("a", request=5),
        HonestCar("b", request=5, phases=(0, 1)),
        budget=13.0,
        house=lambda _: house,
        mode=Mode.EAGER,
        a={"phases": (1,), "max_amps": 8},
        b={"phases": (1, 2), "max_amps": 8},
    )
    site.run(900)
    assert sorted(site.draws.values()) == [5, 8] or sorted(site.draws.values()) == [6, 7]
    house = (1.0, 10.0)
    site.run(30)
    assert site.draws == {"a": 7, "b": 5}
    assert site.decisions["b"].reason is Reason.MINIMUM
    house = (4.0, 10.0)
    site.run(30)
    assert site.draws == {"a": 5, "b": 5}
    assert site.decisions["b"].reason is Reason.MINIMUM


@pytest.mark.parametrize("step", [2.0, -2.0])
def test_what_one_command_can_do_takes_no_two(step: float) -> None:
    """Two that are apart by an ampere or two are equal."""
    house = 4.0
    site = _two(house=lambda _: (house,), budget=20.4)
    site.run(1800)
    assert sorted(_shares(site)) == [8, 8]
    house += step
    before = site.now
    site.run(600)
    assert len(site.sent(after=before)) == 1
    assert sum(_shares(site)) == 16 - step


# -- nobody flaps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.STRICT, Mode.BALANCED, Mode.EAGER])
@pytest.mark.parametrize("budget", [14.0, 16.5, 20.0, 20.4, 25.0, 32.0])
def test_a_constant_house_brings_no_commands(mode: Mode, budget: float) -> None:
    site = _two(budget=budget, mode=mode)
    site.run(HOUR_S)
    site.run(HOUR_S)
    assert site.sent(after=HOUR_S) == []


@pytest.mark.parametrize("budget", [16.5, 20.0, 25.0])
def test_a_house_that_changes_slowly_brings_few(budget: float) -> None:
    """By 2 A up and down within half an hour, beside which one car alone is told about four times an hour."""
    site = _two(budget=budget, house=lambda now: (round(3 + sin(now / 300), 2),))
    site.run(HOUR_S)
    site.run(4 * HOUR_S)
    assert len(site.sent(after=HOUR_S)) <= 4 * 10
    assert not site.sent(action=Action.STOP)


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_noise_brings_no_commands(names: str) -> None:
    site = _site(
        *(HonestCar(name, request=5) for name in names),
        budget=25.0,
        house=lambda now: (3 + 0.2 * ((now // 5) % 2) + 0.1 * ((now // 15) % 2),),
    )
    site.run(HOUR_S)
    site.run(2 * HOUR_S)
    assert len(site.sent(after=HOUR_S)) <= 2


def test_raises_wait_for_their_claim_only_where_somebody_has_too_much() -> None:
    """Room that is free already is taken as by a car alone."""
    site = _two(budget=20.4)
    assert (site.run_until(lambda: sum(_shares(site)) == 18, within_s=600) or 600) < 240 + CLAIM_RAISE_S


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("house", [9.0, 12.0, 14.0])
@pytest.mark.parametrize(
    "fault", [{"obeys": False}, {"obeys": False, "reports": False}, {"outcome": "failed"}, {"latency_s": inf}]
)
def test_one_that_does_nothing_of_what_it_is_told_is_not_waited_for(
    fault: dict[str, Any], house: float, priority: Priority
) -> None:
    """A breaker of 25 A; whatever the one draws, the other leaves."""
    cars = (BenchCar(charger_id="a", settings={"priority": priority}), BenchCar(charger_id="b"))
    bench = Bench(house=2.0, cars=cars)
    bench.run(130)
    bench.car.become(**fault)
    bench.house = house
    bench.run(90)
    for _ in range(600):
        bench.run(1)
        assert bench.total <= max(25, house + bench.car.amps)
    bench.car.become(obeys=True, reports=True, outcome="accepted", latency_s=2.0)
    bench.house = 2.0
    bench.run(1800)
    assert min(car.amps for car in bench.cars) >= 5, "both charge again"
