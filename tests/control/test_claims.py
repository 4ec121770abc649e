"""Several chargers at one moment: who has which part of what is left, and what another waits for."""

from collections.abc import Mapping
from math import inf

import pytest

from custom_components.amp_sensor.control import ChargerSettings, Priority
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.charging import ChargerReport, ChargingState
from custom_components.amp_sensor.control.sharing import Share, Sharing

NOW = 10_000.0
ALWAYS, NEVER = (lambda *_: True), (lambda *_: False)


def _car(name: str, amps: int = 0, *, priority: Priority = Priority.NORMAL, maximum: int = 16) -> ManagedCharger:
    """Return a car that draws so much, long since; 0 is stopped by us."""
    car = ManagedCharger(name, ChargerSettings(max_amps=maximum, min_amps=6, priority=priority))
    state = ChargingState.CHARGING if amps else ChargingState.STOPPED
    report = ChargerReport(age_s=1.0, state=state, requested_amps=amps or 6, measured_amps=amps, at_home=True)
    car.add_report(report, NOW - 100)
    car.paused = not amps
    return car


class _Site:
    """Chargers on one phase, or on those that are given."""

    def __init__(self, *cars: ManagedCharger, **phases: tuple[int, ...]) -> None:
        self.cars = cars
        self.sharing = Sharing()
        self.phases = {car.charger_id: phases.get(car.charger_id, (0,)) for car in cars}

    def shares(self, *room: float, now: float = NOW, wants: object = ALWAYS) -> dict[str, Share]:
        caps = {car.charger_id: car.settings.max_amps for car in self.cars}
        return self.sharing.shares(self.cars, caps, self.phases, room, wants=wants, now=now)  # type: ignore[arg-type]

    def parts(self, *room: float, now: float = NOW, wants: object = NEVER) -> list[int]:
        return [share.amps for share in self.shares(*room, now=now, wants=wants).values()]

    def waits(self, *room: float, now: float, wants: object = ALWAYS) -> list[bool]:
        return [share.must_share for share in self.shares(*room, now=now, wants=wants).values()]


def test_equal_cars_have_equal_parts_and_the_first_comes_first() -> None:
    assert _Site(_car("a", 10), _car("b", 10)).parts(20.0) == [10, 10]
    first = _Site(_car("a", 10), _car("b", 10, priority=Priority.FIRST))
    assert first.parts(24.0) == [8, 16]
    last = _Site(_car("a", 10, priority=Priority.LAST), _car("b", 10))
    assert last.parts(24.0) == [8, 16]


def test_a_car_bounds_the_others_on_its_own_phases_only() -> None:
    site = _Site(_car("a", 10), _car("b", 10), _car("c", 10), b=(1,), c=(0, 1))
    assert site.parts(20.0, 12.0) == [14, 6, 6]


# -- what another waits for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drawn", "waits_s"), [(8, 60.0), (0, 120.0)])
def test_a_part_that_another_has_is_claimed_after_a_while(drawn: int, waits_s: float) -> None:
    """A raise waits for a minute, a start for two readings."""
    site = _Site(_car("a", 16), _car("b", drawn))
    assert site.waits(24.0, now=NOW) == [False, False]
    assert site.waits(24.0, now=NOW + waits_s - 0.01) == [False, False]
    assert site.waits(24.0, now=NOW + waits_s) == [True, True]


@pytest.mark.parametrize(("drawn", "claims"), [(10, True), (11, False), (12, False), (13, False)])
def test_an_ampere_is_not_worth_two_commands(drawn: int, claims: bool) -> None:
    site = _Site(_car("a", 16), _car("b", drawn))
    site.shares(24.0)
    assert site.waits(24.0, now=NOW + 100) == [claims, claims]


def test_a_start_is_worth_it_whatever_it_brings() -> None:
    site = _Site(_car("a", 16), _car("b", maximum=6))
    site.shares(22.0)
    assert site.waits(22.0, now=NOW + 100) == [False, False], "6 A are free beside the other"
    site.shares(21.9)
    assert site.waits(21.9, now=NOW + 200) == [True, True]


def test_nothing_is_claimed_that_is_free_or_not_worth_it() -> None:
    for room, wants in ((32.0, ALWAYS), (24.0, NEVER)):
        site = _Site(_car("a", 16), _car("b", 8))
        site.shares(room, wants=wants)
        assert site.waits(room, now=NOW + 1000, wants=wants) == [False, False]


def test_a_claim_begins_anew_where_it_was_given_up() -> None:
    site = _Site(_car("a", 16), _car("b", 8))
    site.shares(24.0)
    site.shares(24.0, now=NOW + 59, wants=NEVER)
    site.shares(24.0, now=NOW + 60)
    assert site.waits(24.0, now=NOW + 119) == [False, False]
    assert site.waits(24.0, now=NOW + 120) == [True, True]


def test_it_is_claimed_from_those_who_load_the_same_phases() -> None:
    site = _Site(_car("a", 16), _car("b", 8), _car("c", 8), c=(1,))
    site.shares(24.0, 16.0)
    assert site.waits(24.0, 16.0, now=NOW + 100) == [True, True, False]


def test_claims_on_several_phases_all_count() -> None:
    site = _Site(_car("a", 16), _car("b", 8), _car("c", 16), _car("d", 8), _car("e", 8), c=(1,), d=(1,), e=(2,))
    site.shares(24.0, 24.0, 24.0)
    assert site.waits(24.0, 24.0, 24.0, now=NOW + 100) == [True, True, True, True, False]


def test_who_has_no_part_claims_none() -> None:
    site = _Site(_car("a", 16), _car("b"))
    site.shares(10.0)
    assert site.waits(10.0, now=NOW + 100) == [False, False]


def test_whoever_wants_is_asked_for_its_own_part() -> None:
    asked: dict[str, tuple[int, Mapping[str, int]]] = {}

    def wants(car: ManagedCharger, part: int, parts: Mapping[str, int]) -> bool:
        asked[car.charger_id] = part, dict(parts)
        return False

    _Site(_car("a", 16), _car("b", 8)).shares(24.0, wants=wants)
    assert asked == {"b": (12, {"a": 12, "b": 12})}


# -- turns --------------------------------------------------------------------------------------------------------


def test_where_the_minima_do_not_all_fit_who_has_waited_longest_comes_when_a_turn_is_over() -> None:
    site = _Site(_car("a", 10), _car("b"), _car("c"))
    b, c = site.cars[1:]
    b.waiting_at, c.waiting_at = NOW - 50, NOW - 60
    assert site.parts(10.0) == [10, 0, 0], "its turn begins"
    assert site.cars[0].turn_at == NOW
    assert site.parts(10.0, now=NOW + 779.9) == [10, 0, 0]
    assert site.parts(10.0, now=NOW + 780) == [0, 0, 10]
    assert site.parts(14.0, now=NOW + 780) == [0, 7, 7]


def test_who_waits_comes_before_whose_turn_is_over_since_whenever_it_waits() -> None:
    site = _Site(_car("a", 10), _car("b"))
    site.parts(10.0)
    site.cars[1].waiting_at = NOW + 600
    assert site.parts(10.0, now=NOW + 780) == [0, 10]


def test_who_is_about_to_start_has_its_turn() -> None:
    site = _Site(_car("a"), _car("b", 10))
    site.cars[0].target = 6
    site.parts(20.0)
    assert (site.cars[0].has_turn, site.cars[0].turn_at) == (True, NOW)
    assert not Share(16).must_share


def test_who_has_its_turn_keeps_it_however_long_it_waited_before() -> None:
    site = _Site(_car("a", 10), _car("b"))
    site.cars[0].waiting_at, site.cars[1].waiting_at = NOW, NOW - 500
    assert site.parts(10.0) == [10, 0]


def test_who_had_a_turn_waits_from_its_end() -> None:
    site = _Site(_car("a", 10), _car("b"))
    a = site.cars[0]
    site.shares(10.0)
    a.running, a.target, a.settled_at = False, 0, NOW + 900
    site.shares(10.0, now=NOW + 901)
    assert (a.has_turn, a.waiting_at) == (False, NOW + 901)
    site.shares(10.0, now=NOW + 950)
    assert a.waiting_at == NOW + 901, "it keeps its place"


def test_who_is_about_to_stop_has_its_turn_yet() -> None:
    site = _Site(_car("a", 10), _car("b"))
    site.shares(10.0)
    site.cars[0].target, site.cars[0].settled_at = 0, NOW + 50
    site.shares(10.0, now=NOW + 60)
    assert (site.cars[0].has_turn, site.cars[0].waiting_at) == (True, -inf)


def test_a_turn_in_which_nothing_flowed_was_none() -> None:
    site = _Site(_car("a", 10), _car("b"))
    a = site.cars[0]
    site.shares(10.0)
    a.running, a.target, a.settled_at = False, 0, NOW
    site.shares(10.0, now=NOW + 30)
    assert (a.has_turn, a.waiting_at) == (False, -inf)


def test_who_has_no_start_left_has_no_part() -> None:
    site = _Site(_car("a", 10), _car("b"))
    site.cars[1]._starts, site.cars[1]._starts_at = 0.99, NOW
    assert site.parts(32.0) == [16, 0]
    site.cars[1]._starts = 1.0
    assert site.parts(32.0) == [16, 16]
    site.cars[0]._starts, site.cars[0]._starts_at = 0.0, NOW
    assert site.parts(32.0) == [16, 16], "what runs needs none"


def test_it_may_turn_where_its_minimum_fits_without_the_others() -> None:
    site = _Site(_car("a", 10), _car("b"))
    for room, may in ((6.0, True), (5.99, False)):
        assert [share.may_turn for share in site.shares(room, wants=NEVER).values()] == [may, may]
    both = _Site(_car("a", 10), _car("b"), a=(0, 1))
    assert [share.may_turn for share in both.shares(10.0, 5.0, wants=NEVER).values()] == [False, True]
