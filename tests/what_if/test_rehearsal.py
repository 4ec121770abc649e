"""What a car would have got: known houses have known answers, and the controller is the very same."""

import math
from random import Random
from typing import Any

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerSettings,
    ChargeWith,
    Command,
    Controller,
    Mode,
    Outcome,
    Protection,
    Reading,
    SiteSettings,
)
from custom_components.amp_sensor.what_if.rehearsal import (
    CAR,
    CHANGE_A,
    House,
    Outlook,
    Plan,
    Wanted,
    Wiring,
    _Car,
    rehearse,
)

HOUR_S = 3600.0
ONE = Wiring(volts=230)
THREE = Wiring(volts=230, phases=3, car_phases=3)


def house(*parts: tuple[float, float]) -> House:
    """Make one of currents, A, and hours; the meter tells each minute."""
    found = House()
    for amps, hours in parts:
        for _ in range(int(hours * 60)):
            found.add(amps, 60.0)
    return found


def lively(hours: float, seed: int = 3) -> House:
    """A house in which things are switched on and off."""
    luck, found, base = Random(seed), House(), 3.0
    while found.seconds < hours * HOUR_S:
        if luck.random() < 0.05:
            base = luck.choice([1, 2, 3, 5, 9, 12, 18])
        found.add(max(0.0, base + luck.gauss(0, 0.1)), float(luck.randint(2, 60)))
    return found


def test_a_calm_house_leaves_a_car_all_it_can_take() -> None:
    outlook = rehearse(house((3.0, 24)), Plan(max_amps=25, max_amps_car=16, mode=Mode.BALANCED), ONE)
    assert outlook.charge_ah == pytest.approx(16 * 24)
    assert outlook.best_ah == pytest.approx(16 * 24)
    assert (outlook.over_s, outlook.house_over_s, outlook.trips, outlook.commands) == (0, 0, 0, 0)


@pytest.mark.parametrize("mode", [Mode.STRICT, Mode.BALANCED, Mode.EAGER])
def test_a_house_that_is_full_half_of_the_time_leaves_half(mode: Mode) -> None:
    outlook = rehearse(house(*[(2.0, 3), (22.0, 3)] * 4), Plan(max_amps=25, max_amps_car=16, mode=mode), ONE)
    assert outlook.best_ah == pytest.approx(16 * 12), "3 A are less than any car takes"
    assert outlook.charge_ah == pytest.approx(16 * 12, rel=0.03)
    assert 0 < outlook.over_s < 4 * (240 if mode is Mode.EAGER else 60), "eager holds the least for minutes"
    assert outlook.trips == 0


def test_what_the_house_exceeds_alone_is_told_apart() -> None:
    plan = Plan(max_amps=25, max_amps_car=16, mode=Mode.BALANCED)
    outlook = rehearse(house((2.0, 1), (28.0, 1), (2.0, 1)), plan, ONE)
    assert outlook.house_over_s == pytest.approx(HOUR_S)
    assert outlook.over_s < 60


def test_without_control_the_breaker_opens() -> None:
    plan = Plan(max_amps=25, max_amps_car=16, mode=Mode.OFF)
    outlook = rehearse(house((2.0, 1), (20.0, 1)), plan, ONE)
    assert outlook.charge_ah == pytest.approx(32)
    assert outlook.over_s == pytest.approx(HOUR_S)
    assert outlook.trips > 0
    assert outlook.commands == 0


def test_where_nothing_fits_even_a_clairvoyant_gets_nothing() -> None:
    outlook = rehearse(house((5.0, 2)), Plan(max_amps=8, max_amps_car=16, mode=Mode.BALANCED), ONE)
    assert outlook.best_ah == 0
    assert outlook.charge_ah < 0.5


UNCOUNTED: Any = dict.fromkeys(
    ("surplus_wh", "imported_wh", "highest_watts", "house_highest_watts", "nights", "nights_ready"), 0
)


def _by_hand(known: House, plan: Plan) -> Outlook:
    """The same second by second, with a decision at each, as the coordinator does it."""
    protection = Protection(rating_amps=plan.max_amps)
    controller = Controller(SiteSettings(max_amps=plan.max_amps, mode=plan.mode, protection=protection), now=0.0)
    controller.set_charger(CAR, ChargerSettings(max_amps=plan.max_amps_car), now=0.0)
    seconds = [held.amps for held in known for _ in range(int(held.seconds))]
    car, posted, charge_as, over_s, commands, answers = _Car(plan.max_amps_car), -math.inf, 0.0, 0.0, 0, {}
    for second, amps in enumerate(seconds):
        now = float(second)
        if (command := car.advance(now, 1.0 if second else 0.0)) is not None:
            answers[second] = command
            controller.acknowledge(command, Outcome.ACCEPTED, now=now)
        total = amps + car.amps
        if second % 20 == 0:
            controller.add_report(CAR, car.report(), now=now)
        if second % 5 == 0 or abs(total - posted) >= CHANGE_A:
            posted = total
            controller.add_reading(Reading(at=now, amps=(total,), volts=(230.0,), watts=total * 230))
        [decision] = controller.decide(now=now)
        if decision.command is not None:
            car.send(decision.command, now)
            commands += 1
        charge_as += car.amps
        over_s += total - plan.max_amps > 0.3 and car.amps > 0
    return Outlook(
        charge_ah=charge_as / 3600, best_ah=0, over_s=over_s, house_over_s=0, trips=0, commands=commands, **UNCOUNTED
    )


@pytest.mark.parametrize("mode", [Mode.STRICT, Mode.BALANCED, Mode.EAGER])
@pytest.mark.parametrize("budget", [20, 25])
def test_it_comes_to_what_the_controller_does_second_by_second(mode: Mode, budget: float) -> None:
    plan = Plan(max_amps=budget, max_amps_car=16, mode=mode)
    outlook, expected = rehearse(lively(12), plan, ONE), _by_hand(lively(12), plan)
    assert outlook.charge_ah == pytest.approx(expected.charge_ah, rel=0.02)
    assert outlook.over_s == pytest.approx(expected.over_s, rel=0.15)
    assert outlook.commands == pytest.approx(expected.commands, rel=0.3)


def test_a_car_that_is_starting_takes_its_time_whatever_it_is_told() -> None:
    car = _Car(16)
    commands = (Action.STOP, 0), (Action.START, 0), (Action.SET_AMPS, 7)
    now, drawn = 0.0, {}
    for action, amps in commands:
        car.send(Command(charger_id=CAR, action=action, amps=amps), now)
        for _ in range(10):
            now += 1.0
            car.advance(now, 1.0)
            drawn[now] = car.amps
    for _ in range(30):
        now += 1.0
        car.advance(now, 1.0)
        drawn[now] = car.amps
    assert [at for at, amps in drawn.items() if amps == 0] == list(range(11, 34)), "20 s from the start's answer"
    assert car.amps == 7


def test_how_far_it_is_is_told_often() -> None:
    told: list[float] = []
    plan = Plan(max_amps=25, max_amps_car=16, mode=Mode.BALANCED)
    rehearse(house((3.0, 4)), plan, ONE, progress=told.append)
    assert told[-1] == 1.0
    assert len(told) == pytest.approx(4 * 12, abs=1)


def test_time_without_readings_is_left_out() -> None:
    states = [(0.0, 3.0, 690.0), (60.0, None, 700.0), (600.0, 4.0, 5.0), (600.0, 5.0, 1150.0), (50_000.0, 6.0, 0.0)]
    known = House.of(states, 50_010.0)
    assert list(known) == [(3.0, 690.0, 60.0, 0.0), (5.0, 1150.0, HOUR_S, 600.0), (6.0, 0.0, 10.0, 50_000.0)]
    assert known.seconds == 60 + HOUR_S + 10
    assert list(House.from_bytes(known.to_bytes())) == list(known)


def powered(*parts: tuple[float, float], phases: int = 1) -> House:
    """Make a house of powers, W, and hours, from midnight."""
    found = House()
    for watts, hours in parts:
        for _ in range(int(hours * 60)):
            found.add(abs(watts) / 230 / phases, 60.0, watts=watts)
    return found


SUNNY = (400.0, 6), (-1000.0, 2), (-3000.0, 4), (-900.0, 2), (600.0, 6)
"""3 kW are left over for four hours, and less than any car takes for four more."""


def plan(charge_with: ChargeWith = ChargeWith.GRID, **more: Any) -> Plan:
    return Plan(max_amps=25, max_amps_car=16, mode=Mode.BALANCED, charge_with=charge_with, **more)


def test_with_surplus_only_nothing_is_bought_but_a_few_minutes() -> None:
    outlook = rehearse(powered(*SUNNY), plan(ChargeWith.SURPLUS_ONLY), ONE)
    assert outlook.charge_ah * 230 == pytest.approx(4 * 13 * 230, rel=0.06), "whole amps of 3 kW"
    assert outlook.surplus_wh >= 0.95 * outlook.charge_ah * 230
    assert outlook.trips == 0


def test_the_minimum_goes_on_by_night() -> None:
    outlook = rehearse(powered(*SUNNY), plan(ChargeWith.MINIMUM_PLUS_SURPLUS), ONE)
    assert outlook.charge_ah == pytest.approx(4 * 13 + 16 * 5, rel=0.05)
    assert outlook.surplus_wh == pytest.approx(4 * 13 * 230 + 2 * 1000 + 2 * 900, rel=0.05)


def test_what_is_reserved_flows_out() -> None:
    outlook = rehearse(powered(*SUNNY), plan(ChargeWith.SURPLUS_ONLY, reserve_w=1000), ONE)
    assert outlook.charge_ah == pytest.approx(4 * 8, rel=0.1)


def test_three_phases_take_three_times_the_power() -> None:
    day = (600.0, 6), (-6000.0, 6), (600.0, 6)
    outlook = rehearse(powered(*day, phases=3), plan(ChargeWith.SURPLUS_ONLY), THREE)
    assert outlook.charge_ah == pytest.approx(6 * 8, rel=0.1), "8 A on each of three are 5.5 kW"
    assert outlook.surplus_wh >= 0.95 * outlook.charge_ah * 690


@pytest.mark.parametrize("wiring", [ONE, THREE])
@pytest.mark.parametrize("limit_kw", [2.5, 4.0])
def test_no_quarter_of_an_hour_is_above_the_limit(wiring: Wiring, limit_kw: float) -> None:
    house = powered(*[(300.0, 1), (1500.0, 1)] * 6, phases=wiring.phases)
    free, held = [rehearse(house, plan(peak_limit_kw=limit), wiring) for limit in (None, limit_kw)]
    assert free.highest_watts > 1000 * limit_kw
    assert held.highest_watts <= 1010 * limit_kw
    assert held.house_highest_watts == free.house_highest_watts == pytest.approx(1500)
    assert 0 < held.charge_ah < free.charge_ah
    assert held.imported_wh == pytest.approx(12 * 900 + held.charge_ah * 230 * wiring.car_phases)


def test_a_house_above_the_limit_is_told_apart() -> None:
    outlook = rehearse(powered((500.0, 2), (6000.0, 1), (500.0, 2)), plan(peak_limit_kw=4), ONE)
    assert outlook.house_highest_watts == pytest.approx(6000)
    assert outlook.highest_watts <= 6000 * 1.01


def test_after_a_gap_windows_are_those_of_the_clock() -> None:
    house = powered((500.0, 1))
    for minute in range(60):
        house.add(2.0, 60.0, watts=460.0, at=7200.0 + 400 + 60 * minute)
    outlook = rehearse(house, plan(peak_limit_kw=3), ONE)
    assert 2500 < outlook.highest_watts <= 3030


def test_where_only_the_current_is_known_all_phases_are_as_high() -> None:
    outlook = rehearse(house((3.0, 4)), plan(peak_limit_kw=5), THREE)
    assert outlook.house_highest_watts == pytest.approx(3 * 690)
    assert outlook.highest_watts <= 5050


DAY_S = 86400.0


def wanting(kwh: float, days: int) -> Wanted:
    """From 18:00 to 7:00."""
    return Wanted(wh=1000 * kwh, nights=[((day - 0.25) * DAY_S, day * DAY_S + 7 * HOUR_S) for day in range(days + 1)])


@pytest.mark.parametrize(("kwh", "made"), [(12, 2), (25, 0)])
def test_how_many_nights_it_would_have_been_ready_is_told(kwh: float, made: int) -> None:
    """Under 14 A, the house leaves nothing from 18:00 to 1:30, and 11 A for the other five and a half hours."""
    house = powered((600.0, 18), *[(2200.0, 7.5), (600.0, 16.5)] * 2)
    one = Plan(max_amps=14, max_amps_car=16, mode=Mode.BALANCED)
    outlook = rehearse(house, one, ONE, wanted=wanting(kwh, 2))
    assert (outlook.nights, outlook.nights_ready) == (2, made)
    room_kwh = 11 * 0.23 * (5.5 + 5.5 + 7)
    assert outlook.charge_ah * 0.23 == pytest.approx(3 * 12 if made else room_kwh, rel=0.06)


def test_a_car_is_charged_late_in_the_night_and_away_by_day() -> None:
    outlook = rehearse(powered((500.0, 32)), plan(), ONE, wanted=wanting(5, 1))
    assert (outlook.nights, outlook.nights_ready) == (1, 1)
    assert outlook.charge_ah * 0.23 == pytest.approx(5 + 5, abs=0.4), "of the night that began before as well"


def test_a_night_with_a_gap_does_not_count() -> None:
    house = powered((500.0, 20))
    house.add(2.0, 3600.0, watts=460.0, at=DAY_S + 4 * HOUR_S)
    house.add(2.0, 12 * 3600.0, watts=460.0, at=DAY_S + 5 * HOUR_S)
    outlook = rehearse(house, plan(), ONE, wanted=wanting(5, 1))
    assert (outlook.nights, outlook.nights_ready) == (0, 0)
