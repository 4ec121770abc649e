"""Meters, cars and clouds that fail in a way that real ones do: what the owner of the house gets all the same."""

from collections.abc import Callable
from itertools import pairwise
from math import inf, isnan, nan

import pytest

from custom_components.amp_sensor.control import Protection, ProtectionKind
from custom_components.amp_sensor.control.profile import LOCAL
from tests.control.bench import Bench, BenchCar, running

type Flows = tuple[float, ...]
type Shown = tuple[float | None, ...]
type Shows = Callable[[Flows], Shown]

LOADS = [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3)]
"""Cars of one phase and of two: each leaves at least one phase alone."""


def on(*phases: int, told: bool = True, **changes: object) -> BenchCar:
    """Return a car that loads these phases; where its owner did not tell, it says at least how many they are."""
    settings = {"phases": phases} if told else {}
    return BenchCar(phases=phases, says_phases=len(phases), settings=settings, **changes)  # type: ignore[arg-type]


def three(rest: float, **phases: float) -> Flows:
    """Return what a house draws: `three(2.0, L2=20.0)`."""
    return tuple(phases.get(f"L{number}", rest) for number in (1, 2, 3))


def at(phases: tuple[int, ...], amps: float, rest: float) -> Flows:
    """Return a house that draws `amps` on some phases, and the rest on the others."""
    return tuple(amps if number in phases else rest for number in (1, 2, 3))


def not_in(phases: tuple[int, ...]) -> int:
    """Return a phase that a car does not load."""
    return min({1, 2, 3} - set(phases))


# -- meters that lack something -------------------------------------------------------------------------------------


def hole(*numbers: int) -> Shows:
    """Leave phases out in their place."""
    return lambda flows: tuple(None if number in numbers else amps for number, amps in enumerate(flows, 1))


def short(count: int) -> Shows:
    """Tell of the first phases only."""
    return lambda flows: flows[:count]


def shown(number: int, makes: Callable[[float], float]) -> Shows:
    """Make something else of one phase."""
    return lambda flows: tuple(makes(amps) if number == each else amps for each, amps in enumerate(flows, 1))


def every(count: int, shows: Shows) -> Shows:
    """Fail in every so many-th post."""
    posts = 0

    def turns(flows: Flows) -> Shown:
        nonlocal posts
        posts += 1
        return flows if posts % count else shows(flows)

    return turns


# -- phases: a car counts where it draws (M1 to M3) -----------------------------------------------------------------


@pytest.mark.parametrize("rest", [2.0, -20.0], ids=["drawing", "exporting"])
@pytest.mark.parametrize("phases", LOADS)
def test_a_car_is_taken_off_the_house_only_where_it_draws(phases: tuple[int, ...], rest: float) -> None:
    free = not_in(phases)
    house = at((free,), 20.0, rest)
    bench = running(house=house, cars=(on(*phases),))
    assert bench.controller.house == pytest.approx(house, abs=0.15)
    assert bench.controller.house_current() == pytest.approx(20.0, abs=0.15)


def test_a_car_on_both_legs_is_found_by_its_volts_and_one_on_one_leg_is_not() -> None:
    for volts, phases in ((240.0, (1, 2)), (120.0, None)):
        bench = Bench(supply="split", house=(5.0, 8.0), cars=(BenchCar(volts=volts),))
        bench.volts = 120.0
        bench.run(120)
        assert bench.controller.phases_of("car") == phases
        if phases:
            assert bench.controller.house == pytest.approx((5.0, 8.0), abs=0.15)


def test_a_car_that_reports_three_phases_is_known_at_once() -> None:
    bench = running(house=three(2.0, L2=8.0), cars=(on(1, 2, 3, told=False),))
    assert bench.controller.phases_of("car") == (1, 2, 3)
    assert bench.controller.house == pytest.approx((2.0, 8.0, 2.0), abs=0.15)
    bench.house = three(2.0, L3=14.5)
    bench.run(10)
    assert [command.amps for command in bench.sent()] == [10]


def _learned(phases: tuple[int, ...]) -> Bench:
    """Return a site with a car of which nobody told the phases; a cut showed them."""
    bench = running(house=three(5.0), cars=(on(*phases, told=False),))
    assert bench.controller.phases_of("car") is None
    bench.house = at(phases, 15.0, 5.0)
    bench.run(60)
    bench.house = three(5.0)
    bench.run(900)
    assert bench.car.amps == 16
    assert bench.controller.phases_of("car") == phases
    return bench


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "learned"])
@pytest.mark.parametrize("phases", LOADS)
def test_a_car_goes_on_while_only_a_phase_is_over_that_it_does_not_load(phases: tuple[int, ...], is_told: bool) -> None:
    bench = running(house=three(5.0), cars=(on(*phases),)) if is_told else _learned(phases)
    since = bench.now
    for amps in (20.0, 27.0, 40.0):
        bench.house = at((not_in(phases),), amps, 5.0)
        bench.run(161)
        assert bench.last.reason == "at_maximum"
    assert not bench.sent(after=since)
    assert bench.car.amps == 16


@pytest.mark.parametrize("steady", [21.0, 24.9, 30.0])
@pytest.mark.parametrize("phases", [*LOADS, (1, 2, 3)])
def test_a_pause_ends_once_its_own_phases_are_free_whatever_the_others_carry(
    phases: tuple[int, ...], steady: float
) -> None:
    bench = running(house=three(5.0), cars=(on(*phases),))
    bench.house = at(phases, 28.0, steady)
    bench.run(120)
    assert bench.car.state == "stopped"
    bench.house = at(phases, 2.0, steady)
    bench.run(600)
    assert bench.car.state == "charging"
    assert bench.car.amps == 16


@pytest.mark.parametrize("phases", [*LOADS, (1, 2, 3)])
def test_a_car_is_lowered_for_the_worst_of_its_own_phases(phases: tuple[int, ...]) -> None:
    for number in phases:
        bench = running(house=three(5.0), cars=(on(*phases),))
        bench.house = at((number,), 15.0, 5.0)
        bench.run(60)
        assert [command.amps for command in bench.sent()] == [9]


# -- phases that are not told (M4) ----------------------------------------------------------------------------------

LACKS = {
    "only L1": (short(1), (2, 3)),
    "no L3": (short(2), (3,)),
    "hole at L1": (hole(1), (1,)),
    "hole at L2": (hole(2), (2,)),
    "hole at L3": (hole(3), (3,)),
    "only L2": (hole(1, 3), (1, 3)),
}
LACKING = [
    pytest.param(shows, number, every_, id=f"{name}, L{number} carries, every {every_}")
    for name, (shows, missing) in (LACKS | {"L1 gone, the others move up": (lambda flows: flows[1:], (1,))}).items()
    for number in missing
    for every_ in (1, 2, 10)
]


@pytest.mark.parametrize(("shows", "number", "nth"), LACKING)
@pytest.mark.parametrize("is_alone", [True, False], ids=["one phase", "three phases"])
def test_a_phase_that_a_post_lacks_never_makes_room(shows: Shows, number: int, nth: int, is_alone: bool) -> None:
    car = on(number) if is_alone else on(1, 2, 3)
    bench = running(house=at((number,), 13.5, 1.0), cars=(car,))
    bench.run(60)
    assert bench.car.amps == 11
    bench.house = at((number,), 30.0 - 11.0, 1.0)  # the phase carries 30 A, and its post is lacking at once
    since, bench.shows = bench.now, every(nth, shows)
    most = 0.0
    for _ in range(900):
        bench.run(1)
        most = max(most, bench.car.amps)
    assert most <= 11
    assert not bench.sent("start", after=since)
    assert nth == 1 or bench.total <= 25, "what is told is acted on"
    bench.shows, bench.house = tuple, three(1.0)
    bench.run(900)
    assert bench.car.amps == 16, "told again, it goes on"


@pytest.mark.parametrize(("shows", "number", "nth"), LACKING)
def test_the_heat_of_a_phase_that_is_not_told_stays(shows: Shows, number: int, nth: int) -> None:
    bench = running(
        house=at((number,), 30.0, 1.0), cars=(on(not_in((number,)), amps=0.0, state="stopped"),), seconds=600
    )
    before = bench.controller.protection_load
    assert before == 1
    bench.shows = every(nth, shows)
    bench.run(60)
    assert bench.controller.protection_load == 1


@pytest.mark.parametrize(
    ("shows", "missing"), [pytest.param(*lack, id=name) for name, lack in LACKS.items() if "only L2" not in name]
)
def test_a_silent_phase_is_named_and_ends_raises_then_charging_on_it(shows: Shows, missing: tuple[int, ...]) -> None:
    bench = running(house=three(13.5), cars=(on(*missing),))
    bench.run(60)
    assert bench.car.amps == 11
    bench.house = three(1.0)
    since, bench.shows = bench.now, shows
    bench.run(29)
    assert bench.last.reason == "phase_silent"
    assert bench.controller.silent_phases(bench.now) == missing
    assert not bench.sent(after=since)
    bench.run(130)
    assert bench.car.state == "stopped"
    assert bench.last.reason == "phase_silent"
    assert bench.controller.phases == 3
    bench.shows = tuple
    bench.run(900)
    assert bench.controller.silent_phases(bench.now) == ()
    assert bench.car.amps == 16


@pytest.mark.parametrize("shows", [hole(1), hole(2), short(2)], ids=["L1", "L2", "L3"])
def test_a_silent_phase_that_the_car_does_not_load_ends_raises_only(shows: Shows) -> None:
    (lacking,) = (number for number, amps in enumerate((*shows((1.0, 1.0, 1.0)), None)[:3], 1) if amps is None)
    phases = tuple({1, 2, 3} - {lacking})
    bench = running(house=three(13.5), cars=(on(*phases),))
    bench.run(60)
    bench.house, bench.shows = three(1.0), shows
    since = bench.now
    bench.run(900)
    assert not bench.sent(after=since)
    assert bench.car.amps == 11
    assert bench.last.reason == "phase_silent"
    bench.house = at(phases, 17.5, 1.0)
    bench.run(300)
    assert bench.car.amps == 7, "what must be lowered is, and no more"


@pytest.mark.parametrize("shows", [short(1), short(2), hole(2)], ids=["one", "two", "hole"])
def test_nothing_is_raised_on_a_post_that_lacks_phases(shows: Shows) -> None:
    bench = running(house=three(13.5), cars=(on(1, 2, 3),))
    bench.run(60)
    bench.house, bench.shows = three(1.0), every(2, shows)
    raised = None
    for _ in range(600):
        before = bench.car.request
        bench.run(1)
        if bench.commands[-1][0] == bench.now and bench.commands[-1][1].amps > before:
            raised = bench.controller.meter.last
            assert len(raised.known) == 3
    assert raised is not None, "a post in two tells enough"


@pytest.mark.parametrize("shows", [hole(2), hole(3), hole(2, 3)], ids=["L2", "L3", "both"])
def test_a_cut_is_seen_on_the_phases_that_are_told(shows: Shows) -> None:
    bench = running(house=three(5.0), cars=(on(1, 2, 3),))
    bench.car.reports = False
    bench.house = three(5.0, L1=14.5)
    bench.run(7)
    bench.shows = shows
    bench.run(20)
    assert len(bench.commands) == 1


@pytest.mark.parametrize("shows", [short(1), short(2), hole(2)], ids=["one", "two", "hole"])
def test_a_cut_is_still_known_after_a_post_that_lacks_phases(shows: Shows) -> None:
    bench = running(house=three(5.0), cars=(on(1, 2, 3),))
    bench.car.reports = False
    bench.house = three(5.0, L1=14.5)
    bench.run(12)
    assert len(bench.sent()) == 1
    bench.shows = shows
    bench.run(6)
    bench.shows = tuple
    bench.run(60)
    assert len(bench.commands) == 1
    bench.shows = every(2, shows)
    bench.run(60)
    assert len(bench.commands) == 1
    assert bench.controller.house[0] == pytest.approx(14.5, abs=0.1)


@pytest.mark.parametrize("shows", [short(1), short(2), hole(3)], ids=["one", "two", "hole"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_restart_during_posts_that_lack_phases_makes_no_room(shows: Shows, nth: int, is_recorded: bool) -> None:
    if not is_recorded and nth == 1:
        return  # that nobody can know
    bench = running(house=three(1.0, L3=17.5), cars=(on(3),))
    bench.run(60)
    assert bench.car.amps == 7
    bench.shows = every(nth, shows)
    if is_recorded:
        bench.restart()
    else:
        bench.start()
        bench.report(bench.car)
    since = bench.now
    bench.run(900)
    assert not [command for command in bench.sent(after=since) if command.action != "stop" and command.amps > 7]
    bench.shows, bench.house = tuple, three(1.0)
    bench.run(900)
    assert bench.car.amps == 16


def _frozen() -> Callable[[float], float]:
    first: list[float] = []

    def stays(amps: float) -> float:
        first.append(amps)
        return first[0]

    return stays


WRONG: dict[str, Callable[[], Callable[[float], float]]] = {
    "zero": lambda: lambda amps: 0.0,
    "noise of a clamp that is off": lambda: lambda amps: abs(amps) / 150,
    "half": lambda: lambda amps: amps / 2,
    "frozen": _frozen,
}


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    ("wrong", "nth"),
    # Of 24 A, half is more than the car draws: for good, nobody can tell that from a house of 3 A
    [(wrong, nth) for wrong in WRONG for nth in (1, 2, 10) if (wrong, nth) != ("half", 1)],
)
@pytest.mark.parametrize("is_alone", [True, False], ids=["one phase", "three phases"])
def test_no_wrong_value_of_one_phase_makes_a_charging_car_draw_more(
    number: int, wrong: str, nth: int, is_alone: bool
) -> None:
    """The house has less room than the meter shows: 15 A on a phase, of which it tells too little, or nothing new."""
    bench = running(house=at((number,), 15.0, 1.0), cars=(on(number) if is_alone else on(1, 2, 3),))
    bench.run(60)
    assert bench.car.amps == 9
    makes, since = WRONG[wrong](), bench.now
    bench.shows = every(nth, shown(number, makes))
    bench.run(1200)
    assert all(command.amps <= 10 for command in bench.sent("set_amps", after=since))
    assert not bench.sent("start", after=since) or nth == 1
    assert bench.total <= 26


# -- sun (M5 to M7) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("sun", [24.0, 15.5, 40.0])
def test_sun_leaves_more_room_and_charging_on_takes_heat_from_the_breaker(phases: int, sun: float) -> None:
    bench = Bench(budget=15.0, house=(0.5,) * phases, cars=(BenchCar(request=6.0, amps=6.0, says_phases=phases),))
    bench.run(30)
    bench.house = (0.5 - sun,) * phases
    bench.run(600)
    assert not bench.sent("stop")
    assert bench.car.amps == 15, "all that its site may ever give it"
    assert bench.controller.house == pytest.approx(bench.house, abs=0.5)
    assert bench.last.reason == "at_maximum"
    if sun < 30:
        assert bench.controller.protection_load == 0


def test_a_breaker_is_heated_by_what_is_exported_too() -> None:
    bench = Bench(budget=15.0, house=-20.0, cars=())
    bench.run(120)
    assert bench.controller.protection_load > 0.5


@pytest.mark.parametrize("phases", LOADS)
def test_a_pause_ends_when_the_sun_comes_out_on_its_phase(phases: tuple[int, ...]) -> None:
    bench = running(house=three(5.0), cars=(on(*phases),))
    bench.house = at(phases, 28.0, 3.0)
    bench.run(120)
    assert bench.car.state == "stopped"
    bench.house = at(phases, -22.0, 3.0)
    bench.run(600)
    assert bench.car.amps == 16


def test_export_on_one_phase_is_no_room_on_another() -> None:
    bench = running(house=(-22.0, 15.0, 3.0), cars=(on(1, 2, 3),), seconds=300)
    assert bench.total <= 25
    assert bench.car.amps in {10, 9}


@pytest.mark.parametrize("amps", [-3.2, -0.6, -100.0])
def test_a_house_that_exports_is_not_silent(amps: float) -> None:
    bench = running(house=5.0)
    bench.house = amps - 16.0
    bench.run(300)
    assert not bench.commands
    assert bench.car.amps == 16


def test_a_cloud_over_the_roof_lowers_the_car() -> None:
    bench = running(house=-15.0, cars=(BenchCar(limit=32.0, request=30.0, amps=30.0),), car_max=32)
    bench.run(120)
    bench.house = 4.5
    bench.run(30)
    assert bench.car.amps == 20


# -- several cars (M8) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priorities", "expected"),
    [
        (("normal", "normal"), (9, 9)),
        (("first", "normal"), (13, 5)),
        (("normal", "last"), (13, 5)),
        (("last", "first"), (5, 13)),
        (("last", "last"), (9, 9)),
    ],
)
@pytest.mark.parametrize("starts", [(16.0, 16.0), (16.0, 5.0), (5.0, 5.0)])
@pytest.mark.parametrize("profile", [None, LOCAL], ids=["cloud", "local"])
def test_two_cars_share_by_their_priority(
    priorities: tuple[str, str], expected: tuple[int, int], starts: tuple[float, float], profile: object
) -> None:
    least = 6 if profile else 5
    settings = {} if profile is None else {"profile": profile, "min_amps": 6}
    latency_s = 0.4 if profile else 2.0
    cars = tuple(
        BenchCar(
            f"car{number}",
            request=max(amps, least),
            amps=max(amps, least),
            latency_s=latency_s,
            settings={"priority": priority} | settings,
        )
        for number, (priority, amps) in enumerate(zip(priorities, starts, strict=True))
    )
    for car in cars:
        car.settings["priority"] = _priority(car.settings["priority"])
    bench = Bench(budget=20.0, house=2.0, cars=cars)
    bench.run(1800)
    wanted = tuple(max(least, min(amps, 18 - least)) for amps in expected)
    got = tuple(car.amps for car in bench.cars)
    assert got == pytest.approx(wanted, abs=1.0)
    assert 17 <= sum(got) <= 18


def _priority(name: str) -> object:
    from custom_components.amp_sensor.control import Priority

    return Priority(name)


# -- who draws without charging (M10) -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["complete", "stopped"])
@pytest.mark.parametrize("is_scheduled", [False, True])
@pytest.mark.parametrize(("house", "limit"), [(20.0, 5), (17.4, 7), (24.0, 5)])
def test_a_car_that_draws_without_charging_has_its_limit_lowered(
    state: str, is_scheduled: bool, house: float, limit: int
) -> None:
    bench = running(house=5.0)
    bench.car.become(state=state, scheduled=is_scheduled, unasked=14.0)
    bench.run(20)
    assert bench.controller.house_current() == pytest.approx(5.0, abs=0.1)
    bench.house = house
    bench.run(60)
    assert [command.amps for command in bench.sent("set_amps")] == [limit]
    assert bench.car.amps == limit
    assert bench.controller.house_current() == pytest.approx(house, abs=0.1)
    assert not bench.sent("stop")
    assert not bench.sent("start")


def test_a_car_that_draws_while_we_paused_it_has_its_limit_lowered_and_starts_again() -> None:
    bench = running(house=5.0)
    bench.house = 28.0
    bench.run(60)
    bench.car.become(unasked=14.0)
    bench.house = 22.0
    bench.run(60)
    assert bench.car.amps == 5
    assert bench.car.state == "stopped"
    bench.house = 5.0
    bench.car.become(unasked=0.0)
    bench.run(900)
    assert bench.car.state == "charging"
    assert bench.car.amps == 16


@pytest.mark.parametrize("mode", ["off", "monitor"])
def test_a_car_that_draws_without_charging_is_left_alone_where_nothing_is_to_be_sent(mode: str) -> None:
    bench = running(house=5.0, mode=mode)
    bench.car.become(state="complete", unasked=14.0)
    bench.house = 20.0
    bench.run(60)
    assert not bench.commands


def test_a_limit_that_does_not_bound_what_a_full_car_draws_is_not_sent_for_ever() -> None:
    bench = running(house=5.0)
    bench.car.become(state="complete", unasked=14.0)
    bench.car.draw = lambda: None  # type: ignore[method-assign]
    bench.house = 20.0
    bench.run(1800)
    assert 1 <= len(bench.sent("set_amps")) <= 4
    since = bench.now
    bench.run(7200)
    assert not bench.sent(after=since)


# -- a meter that shows less than a car draws (M11) -----------------------------------------------------------------

CLAMPS: dict[str, tuple[Flows, tuple[int, ...], Shows]] = {
    "off": ((17.0,), (1,), lambda flows: (abs(flows[0]) % 0.2,)),
    "half": ((3.0,), (1,), lambda flows: (flows[0] / 2,)),
    "L1 of three off": (three(3.0), (1, 2, 3), shown(1, lambda amps: 0.1)),
    "L2 of three off": (three(3.0), (1, 2, 3), shown(2, lambda amps: 0.1)),
    "L3 of three off": (three(3.0), (1, 2, 3), shown(3, lambda amps: 0.1)),
    "its own of three off": (three(3.0), (2,), shown(2, lambda amps: 0.1)),
}


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("amps", [8.0, 16.0])
def test_a_meter_that_shows_less_than_a_car_draws_is_not_believed(clamp: str, amps: float) -> None:
    house, phases, shows = CLAMPS[clamp]
    car = on(*phases) if len(house) > 1 else BenchCar()
    car.become(request=amps, takes=amps)
    bench = Bench(house=house, cars=(car,))
    bench.shows = shows
    bench.run(50)
    bench.car.takes = inf
    bench.run(60)
    assert not [command for command in bench.sent("set_amps") if command.amps > amps]
    assert bench.controller.meter_wrong_at is not None
    assert bench.last.reason == "meter_wrong"
    bench.run(120)
    assert bench.car.state == "stopped"
    bench.shows, bench.house = tuple, tuple(5.0 for _ in house)
    bench.run(1200)
    assert bench.controller.meter_wrong_at is None
    assert bench.car.amps == 16


def test_a_car_whose_phases_nobody_told_is_held_against_the_highest_only() -> None:
    for phase in (1, 2, 3):
        bench = running(house=three(2.0), cars=(BenchCar(phases=(phase,)),), seconds=600)
        assert bench.controller.meter_wrong_at is None
        assert not bench.commands
        bench.shows = shown(phase, lambda amps: 0.1)
        bench.run(60)
        assert bench.last.reason == "meter_wrong"


def test_a_phase_that_was_only_seen_for_a_moment_takes_its_accusation_along(bench: Bench) -> None:
    bench.set_charger(phases=(1, 2))
    bench.house = (5.0, 5.0)
    bench.shows = lambda flows: (flows[0], 0.1)
    bench.car.says_phases = 2
    for _ in range(2):
        bench.run(5)
    bench.shows = lambda flows: flows[:1]
    bench.run(300)
    assert bench.controller.meter_wrong_at is None
    assert bench.car.amps == 16


def test_a_clamp_that_is_off_while_the_car_is_paused_is_found_by_its_first_start_and_not_tried_again_and_again() -> (
    None
):
    bench = running(house=5.0)
    bench.house = 28.0
    bench.run(120)
    bench.shows = lambda flows: (0.1,)
    bench.run(3600)
    assert len(bench.sent("start")) <= 2


@pytest.mark.parametrize("amps", [-10.0, -14.0, -16.2, -30.0])
def test_a_house_that_exports_may_show_less_than_its_car_draws(amps: float) -> None:
    bench = running(house=5.0)
    bench.house = -20.0
    bench.run(120)
    bench.house = amps
    bench.run(600)
    assert bench.controller.meter_wrong_at is None
    assert bench.car.amps == 16
    assert not bench.commands
    bench.restart()
    bench.run(600)
    assert bench.controller.meter_wrong_at is None
    assert not bench.commands


def test_the_first_sun_that_a_site_sees_beside_a_car_costs_it_one_stop_at_most() -> None:
    """Nobody knows yet that there is a roof: once the car stands still it is seen to export."""
    bench = running(house=5.0)
    for amps in (-5.0, 5.0) * 4:
        bench.house = amps
        bench.run(900)
    assert bench.car.amps == 16
    assert len(bench.sent("stop")) == 1
    assert bench.controller.meter_wrong_at is None


@pytest.mark.parametrize("age_s", [2.0, 20.0, 60.0])
def test_a_meter_is_not_accused_by_a_car_that_stopped_before_its_report(age_s: float) -> None:
    bench = running(house=5.0)
    bench.run(14)
    bench.report(bench.car)  # the last that it says of its charge
    bench.car.reports = False
    bench.car.amps = 0.0
    bench.run(30)
    bench.car.age_s, bench.car.says_amps = age_s + bench.now % 2, 16.0
    bench.now += 0  # its cloud repeats what it knew
    bench.run(60)
    assert bench.controller.meter_wrong_at is None
    bench.car.become(reports=True, age_s=2.0, says_amps=None, state="complete", takes=0.0)
    bench.run(60)
    assert bench.controller.meter_wrong_at is None
    assert "meter_silent" not in bench.reasons


@pytest.mark.parametrize("part", [0.9, 1.1])
def test_a_cheap_clamp_is_not_accused(part: float) -> None:
    bench = Bench(house=1.0)
    bench.shows = lambda flows: (flows[0] * part,)
    bench.run(900)
    assert bench.controller.meter_wrong_at is None
    assert "meter_wrong" not in bench.reasons


# -- a reading that cannot be (M13) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*ProtectionKind, None])
@pytest.mark.parametrize("amps", [480.0, -480.0, 251.0])
@pytest.mark.parametrize("number", [1, 2, 3, None])
@pytest.mark.parametrize("count", [1, 2])
def test_a_current_that_no_breaker_lets_pass_was_not_real(
    kind: ProtectionKind | None, amps: float, number: int | None, count: int
) -> None:
    protection = None if kind is None else Protection(kind=kind, rating_amps=25.0)
    if number is None:
        bench = running(house=0.0, protection=protection)
        bench.shows = lambda flows: (amps,)
    else:
        bench = running(house=three(0.0), cars=(on(1, 2, 3),), protection=protection)
        bench.shows = shown(number, lambda _: amps)
    before = bench.controller.house
    bench.run(5 * count)
    bench.shows = tuple
    bench.run(60)
    assert not bench.commands
    assert bench.controller.protection_load == 0
    assert bench.controller.house == pytest.approx(before, abs=0.1)


@pytest.mark.parametrize("sensor_range", [10.0, 20.0, 24.9, 30.0])
@pytest.mark.parametrize("house", [8.0, 14.0, 18.0, 24.0, 40.0])
@pytest.mark.parametrize("number", [1, 3, None])
def test_a_sensor_at_its_end_makes_no_room(sensor_range: float, house: float, number: int | None) -> None:
    """The car falls to its minimum at once, and is stopped where that does not bring the house back in range."""
    if number is None:
        bench = running(house=5.0)
        rest: float | Flows = house
    else:
        bench = running(house=three(5.0), cars=(on(number),), supply="three")
        rest = tuple(house if phase == number else 5.0 for phase in (1, 2, 3))
    bench.sensor_range = sensor_range
    bench.house = rest
    is_beyond = house + bench.car.amps > sensor_range
    for elapsed_s in range(900):
        bench.run(1)
        if elapsed_s > 20 and house + bench.car.amps > max(25.0, sensor_range):
            assert bench.car.amps <= 5, "at its least once the cut can have come"
    if house > sensor_range:
        assert bench.car.state == "stopped"
        assert bench.last.reason == "beyond_range", "why is said, and nothing starts beside it"
    elif is_beyond and sensor_range <= 25:
        assert max(bench.flows) <= sensor_range or bench.car.amps <= 5
    bench.sensor_range, bench.house = 100.0, 5.0 if number is None else three(5.0)
    bench.run(3600)
    assert bench.car.amps == 16, "what ends is forgotten"


def test_a_phase_beyond_its_range_that_the_car_does_not_load_is_not_its_affair() -> None:
    bench = running(house=three(5.0), cars=(on(1),), supply="three")
    bench.sensor_range = 21.5
    bench.house = (5.0, 22.0, 5.0)
    bench.run(600)
    assert (bench.car.amps, bench.commands) == (16, [])


def test_a_sensor_that_stands_at_its_end_is_not_frozen() -> None:
    bench = running(house=5.0)
    bench.sensor_range, bench.house = 20.0, 12.0
    bench.run(20)
    assert bench.controller.frozen_at is None
    assert "meter_frozen" not in bench.reasons


def test_a_meter_that_tells_nothing_else_is_silent() -> None:
    bench = running(house=0.0)
    bench.shows = lambda flows: (480.0,)
    bench.run(140)
    assert bench.last.reason == "meter_silent"
    assert bench.car.state == "stopped"
    bench.shows = tuple
    bench.run(900)
    assert bench.car.amps == 16


def test_a_high_current_that_a_breaker_does_let_pass_for_a_moment_is_acted_on() -> None:
    bench = running(house=0.0)
    bench.house = 60.0
    bench.run(5)
    assert bench.sent("stop")


# -- numbers (N1 to N5, N8, N9) -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["measured_amps", "requested_amps", "limit_amps", "volts", "age_s"])
@pytest.mark.parametrize("value", [nan, inf, -inf, -1.0])
def test_a_number_that_is_none_is_refused_and_control_goes_on(bench: Bench, name: str, value: float) -> None:
    fields: dict[str, object] = {"age_s": 2.0, "state": bench.control.ChargingState.CHARGING, "at_home": True}
    if name != "age_s" or isnan(value):
        with pytest.raises(ValueError, match=name):
            bench.control.ChargerReport(**fields | {name: value})
    else:
        bench.controller.add_report("car", bench.control.ChargerReport(**fields | {name: value}), now=bench.now)
    bench.car.reports = False
    bench.house = 24.0
    bench.run(30)
    assert bench.total <= 25


@pytest.mark.parametrize("value", [nan, inf, -inf, 501.0, -501.0])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_reading_that_is_no_number_is_refused(bench: Bench, value: float, number: int) -> None:
    amps = at((number,), value, 2.0)
    with pytest.raises(ValueError, match="amps"):
        bench.control.Reading(at=bench.now, amps=amps, volts=(230.0,) * 3, watts=1000.0)


@pytest.mark.parametrize("limit", [0.0, 1.0, 4.0])
def test_a_car_that_is_found_with_a_limit_that_nothing_charges_with_is_adopted_as_it_is(limit: float) -> None:
    bench = Bench(cars=(BenchCar(request=limit, amps=limit),))
    bench.run(59)
    assert not bench.commands
    assert bench.last.reason == "adopting"
    bench.run(600)
    assert bench.car.amps == 16


@pytest.mark.parametrize("limit", [0.0, 1.0, 4.0])
def test_a_lost_limit_below_the_cars_least_is_not_taken_for_its_users_wish(bench: Bench, limit: float) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.car.request = limit
    bench.house = 5.0
    bench.run_until("started")
    while bench.sent()[-1].action != "start":  # the amps are accepted, and lost
        bench.run(1)
        bench.car.coming.clear()
    bench.run(900)
    assert bench.car.amps == 16
    assert bench.controller.chargers["car"].user_limit is None


LIMITS: dict[str, Callable[[Bench, float], None]] = {
    "user": lambda bench, amps: bench.car.become(request=amps),
    "cable": lambda bench, amps: bench.car.become(limit=amps, request=amps),
    "owner": lambda bench, amps: bench.set_charger(max_amps=int(amps), min_amps=10),
    "budget": lambda bench, amps: bench.configure(max_amps=amps),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("amps", [6.0, 8.0])
def test_a_limit_below_the_minimum_is_what_it_charges_with_before_a_pause_and_after(limit: str, amps: float) -> None:
    bench = running(house=0.0, min_amps=10)
    LIMITS[limit](bench, amps)
    bench.run(120)
    expected = amps - 1 if limit == "budget" else amps  # the house takes a bit of the budget
    assert bench.car.amps == expected
    bench.house = 28.0
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.house = 0.0
    bench.run(900)
    assert bench.car.state == "charging"
    assert bench.car.amps == expected


@pytest.mark.parametrize("limit", ["owner", "budget"])
@pytest.mark.parametrize("amps", [1.0, 4.0])
def test_a_limit_that_nothing_charges_with_stops_the_car_and_says_so(limit: str, amps: float) -> None:
    bench = running(house=0.0, min_amps=10)
    LIMITS[limit](bench, amps)
    bench.run(120)
    assert bench.car.state == "stopped"
    assert bench.last.reason == "limit_too_low"
    LIMITS[limit](bench, 16.0)
    bench.run(900)
    assert bench.car.state == "charging"


def test_heat_survives_a_budget_that_goes_and_comes(bench: Bench) -> None:
    bench.configure(mode="off")
    bench.house = 12.0
    bench.run(300)
    before = bench.controller.protection_load
    assert before > 0.8
    for budget in (24.0, 25.0, 10.0, 25.0):
        bench.configure(max_amps=budget)
        assert bench.controller.protection_load == pytest.approx(before, abs=0.01)
    bench.configure(mode="balanced")
    assert bench.controller.protection_load == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("budget", [10.0, 6.0, 24.0])
def test_a_lower_budget_heats_no_breaker(bench: Bench, budget: float) -> None:
    bench.configure(max_amps=budget, mode="off")
    bench.house = -2.0
    bench.run(900)
    assert bench.controller.protection_load < 0.35
    bench.configure(protection=Protection(kind=ProtectionKind.MCB_B, rating_amps=25.0))
    bench.run(60)
    assert bench.controller.protection_load < 0.35


# -- clouds that refuse (T3, T8) ------------------------------------------------------------------------------------


def test_what_only_a_person_can_fix_is_asked_again_for_a_cut_after_30_s_and_then_every_minute(bench: Bench) -> None:
    bench.car.outcome, bench.car.needs_person = "failed", True
    bench.house = 15.0
    bench.run(400)
    moments = [at_ for at_, _ in bench.commands]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps[0] == pytest.approx(30, abs=3)
    assert gaps[1:] == pytest.approx([60] * len(gaps[1:]), abs=3)
    assert len(gaps) >= 5
    assert bench.last.reason == "blocked"
    bench.car.outcome, bench.car.needs_person = "accepted", False
    bench.run(70)
    assert bench.total <= 25
    bench.house = 5.0
    bench.run(600)
    assert bench.car.amps == 16, "a success takes it back"
    assert bench.last.reason == "at_maximum"


@pytest.mark.parametrize("is_paused", [False, True])
def test_what_only_a_person_can_fix_is_not_asked_for_more(bench: Bench, is_paused: bool) -> None:
    bench.house = 28.0 if is_paused else 15.0
    bench.run(60)
    bench.car.outcome, bench.car.needs_person = "failed", True
    bench.house = 5.0
    since = bench.now
    bench.run(600)
    assert len(bench.sent(after=since)) == 1
    assert bench.last.reason == "blocked"
    bench.car.outcome, bench.car.needs_person = "accepted", False
    bench.run(1200)
    assert bench.car.amps == 16


@pytest.mark.parametrize("retry_after_s", [30.0, 120.0, 900.0, inf])
def test_a_cut_waits_for_a_busy_cloud_no_longer_than_two_minutes(bench: Bench, retry_after_s: float) -> None:
    bench.car.outcome, bench.car.retry_after_s = "failed", retry_after_s
    bench.house = 15.0
    bench.run(130)
    (first, _), (second, _), *_rest = bench.commands
    assert second - first == min(retry_after_s, 120.0) + bench.car.latency_s
    bench.car.outcome, bench.car.retry_after_s = "accepted", 0.0
    bench.run(130)
    assert bench.total <= 25


def test_a_command_that_is_never_acknowledged_is_tried_again_after_a_minute(bench: Bench) -> None:
    bench.car.latency_s = inf
    bench.house = 12.0
    bench.run(70)
    assert [command.action for command in bench.sent()] == ["set_amps"] * 2
    (first, lost), (second, _) = bench.commands
    assert 60 <= second - first <= 65
    # The answer to the first comes now, and says nothing of the second
    bench.controller.acknowledge(lost, bench.control.Outcome.ACCEPTED, now=bench.now)
    bench.car.latency_s = 2.0
    bench.run(120)
    assert bench.total <= 25
    bench.house = 5.0
    bench.run(900)
    assert bench.car.amps == 16


@pytest.mark.parametrize(("house", "action"), [(15.0, "set_amps"), (28.0, "stop")])
def test_a_cut_that_a_hot_breaker_waits_for_is_sent_again_soon_and_then_less_often(
    bench: Bench, house: float, action: str
) -> None:
    """Every 3 s, which is how a cloud with hiccups is reached in time; one that is down is not hammered."""
    bench.car.latency_s = inf
    bench.house = house
    bench.run(110)
    assert bench.sent()[0].action == action
    assert {command.action for command in bench.sent()[6:]} == {"stop"}, "it may have come, and the house risen"
    waits = [after - before for (before, _), (after, _) in pairwise(bench.commands)]
    assert 3 in waits
    assert waits.count(3) <= 7
    assert set(waits[-3:]) == {10}
    bench.car.latency_s = 20.0  # each that is on its way comes, and does no harm
    bench.run(120)
    assert bench.total <= max(25, house)
    bench.car.latency_s, bench.house = 2.0, 5.0
    bench.run(900)
    assert bench.car.amps == 16


def test_a_late_acknowledgement_of_another_command_is_ignored(bench: Bench) -> None:
    bench.car.latency_s = 20.0
    bench.house = 15.0
    bench.run(5)
    (_, first) = bench.commands[0]
    bench.run(5)
    other = bench.control.Command(charger_id="car", action=first.action, amps=12)
    bench.controller.acknowledge(other, bench.control.Outcome.FAILED, now=bench.now)
    bench.controller.acknowledge(other, bench.control.Outcome.ACCEPTED, now=bench.now)
    assert bench.controller.chargers["car"].in_flight == first
    bench.run(60)
    assert bench.car.amps == 9


def test_a_raise_or_a_start_that_is_never_acknowledged_ends_too(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.car.latency_s = inf
    bench.house = 5.0
    bench.run_until("started")
    bench.run(100)
    bench.car.latency_s = 2.0
    bench.run(900)
    assert bench.car.amps == 16


# -- whose report is needed (T5) ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["away", "unplugged", "paused", "stopped"])
def test_a_car_that_draws_though_nobody_knows_is_asked_and_lowered_soon(change: str) -> None:
    bench = running(house=5.0)
    if change == "paused":
        bench.house = 28.0
        bench.run(60)
        bench.house = 15.0
        bench.run(15)
    else:
        bench.car.become(
            state={"away": "stopped", "unplugged": "disconnected", "stopped": "stopped"}[change],
            plugged_in=change != "unplugged",
            at_home=change != "away",
        )
        bench.house = 15.0
        bench.run(300)
    since, bench.car.is_polled = bench.now, True
    bench.car.become(state="charging", plugged_in=True, at_home=True, request=16.0)
    bench.run(14)
    assert next(at_ - since for at_, _ in bench.asked if at_ > since) <= 6
    assert bench.total <= 25 or bench.car.coming or bench.car.in_flight
    bench.run(10)
    assert bench.total <= 25


def test_a_jump_of_a_cars_size_asks_and_one_of_a_kettle_in_a_house_where_the_car_charges_does_not() -> None:
    for state, is_asked in (("charging", False), ("stopped", True), ("complete", True)):
        bench = running(house=2.0, cars=(BenchCar(state=state, amps=16.0 if state == "charging" else 0.0, limit=8.0),))
        since = bench.now
        bench.house = 7.5
        bench.run(30)
        assert bool([at_ for at_, _ in bench.asked if at_ > since]) is is_asked


def test_a_car_is_asked_ever_less_often_and_then_left_alone() -> None:
    bench = running(house=2.0, cars=(BenchCar(state="stopped", amps=0.0),))
    bench.car.reports = False
    since = bench.now
    bench.house = 12.0
    bench.run(1800)
    asked = [at_ for at_, _ in bench.asked if at_ > since]
    assert 1 <= len(asked) <= 7
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps == sorted(gaps)
    bench.run(1800)
    assert len([at_ for at_, _ in bench.asked if at_ > since]) == len(asked)


def test_a_house_that_steps_all_the_time_does_not_have_a_car_asked_all_the_time() -> None:
    bench = running(house=2.0, cars=(BenchCar(state="stopped", amps=0.0),))
    bench.car.reports = False
    for number in range(240):
        bench.house = 12.0 if number % 2 else 2.0
        bench.run(15)
    assert 1 <= len(bench.asked) <= 7


def test_while_the_site_is_over_a_car_that_is_thought_away_is_asked_at_most_every_five_minutes_in_the_end() -> None:
    bench = running(house=5.0, cars=(BenchCar(state="stopped", amps=0.0, at_home=False),))
    bench.car.reports = False
    bench.house = 30.0
    bench.run(7200)
    asked = [at_ for at_, _ in bench.asked]
    assert 20 <= len(asked) <= 35
    assert asked[-1] - asked[-2] >= 300


# -- what its user wants (T6, T7, T9, T10) --------------------------------------------------------------------------

MOMENTS: dict[str, Callable[[Bench], None]] = {
    "restart": lambda bench: bench.restart(),
    "option": lambda bench: bench.set_charger(max_amps=16, min_amps=6),
    "budget": lambda bench: bench.configure(max_amps=24.0),
    "mode": lambda bench: (bench.configure(mode="off"), bench.run(60), bench.configure(mode="balanced"))[0],
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("is_paused", [False, True])
@pytest.mark.parametrize("limit", [8.0, 12.0])
def test_a_limit_of_its_user_is_kept_until_it_is_unplugged(
    bench: Bench, moment: str, is_paused: bool, limit: float
) -> None:
    bench.car.become(request=limit)
    bench.run(60)
    if is_paused:
        bench.house = 28.0
        bench.run(60)
    MOMENTS[moment](bench)
    bench.house = 2.0
    bench.run(1200)
    assert bench.car.amps == limit
    assert bench.last.reason == "user_limit"
    bench.car.become(state="disconnected", plugged_in=False)
    bench.run(60)
    bench.car.become(state="charging", plugged_in=True)
    bench.run(900)
    assert bench.car.amps == 16


@pytest.mark.parametrize("start_after_s", [10, 60])
@pytest.mark.parametrize("stop_after_s", [15, 16, 45, 119])
def test_a_stop_in_the_app_soon_after_our_own_stop_and_start_is_its_users(
    bench: Bench, start_after_s: int, stop_after_s: int
) -> None:
    bench.house = 28.0
    bench.run_until("paused")
    bench.run(start_after_s)
    bench.house = 5.0
    for _ in range(300):
        bench.run(1)
        if bench.car.state == "charging":
            break
    bench.run(stop_after_s)
    while bench.now % 15:  # it was seen charging
        bench.run(1)
    bench.run(1)
    bench.car.become(state="stopped")
    since = bench.now
    bench.run(900)
    assert bench.last.reason == "stopped_by_user"
    assert not bench.sent("start", after=since)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_schedule_that_appears_after_our_stop_does_not_make_the_pause_its_users(
    bench: Bench, is_restarted: bool
) -> None:
    bench.car.schedules = True
    bench.house = 28.0
    bench.run(60)
    assert bench.car.scheduled
    assert bench.last.reason != "scheduled"
    if is_restarted:
        bench.restart()
    bench.house = 5.0
    bench.run(900)
    assert bench.car.state == "charging"
    assert bench.car.amps == 16


def test_a_schedule_that_was_there_before_is_its_users(bench: Bench) -> None:
    bench.car.become(state="stopped", scheduled=True)
    bench.run(900)
    assert bench.last.reason == "scheduled"
    assert not bench.commands


def test_a_car_whose_place_nobody_knows_says_so_and_goes_on_once_it_is_known() -> None:
    bench = Bench(cars=(BenchCar(at_home=None),), house=5.0)
    bench.run(120)
    bench.house = 15.0
    bench.run(60)
    assert bench.last.reason == "place_unknown"
    assert not bench.commands
    bench.car.at_home = True
    bench.run(60)
    assert bench.total <= 25


# -- nights ---------------------------------------------------------------------------------------------------------


def _meter(bench: Bench, shows: Shows) -> None:
    bench.shows = shows


FAULTS: dict[str, tuple[Callable[[Bench], object], Callable[[Bench], object]]] = {
    "silent meter": (lambda b: setattr(b, "meter", False), lambda b: setattr(b, "meter", True)),
    "frozen meter": (lambda b: setattr(b, "stuck", 27.0), lambda b: setattr(b, "stuck", None)),
    "short posts": (lambda b: _meter(b, short(1)), lambda b: _meter(b, tuple)),
    "hole": (lambda b: _meter(b, hole(2)), lambda b: _meter(b, tuple)),
    "clamp off": (lambda b: _meter(b, shown(2, lambda amps: 0.1)), lambda b: _meter(b, tuple)),
    "spikes": (lambda b: _meter(b, every(3, shown(2, lambda amps: 480.0))), lambda b: _meter(b, tuple)),
    "only spikes": (lambda b: _meter(b, shown(2, lambda amps: 480.0)), lambda b: _meter(b, tuple)),
    "failing cloud": (lambda b: b.car.become(outcome="failed"), lambda b: b.car.become(outcome="accepted")),
    "refusing car": (lambda b: b.car.become(outcome="refused"), lambda b: b.car.become(outcome="accepted")),
    "slow cloud": (lambda b: b.car.become(outcome="unknown"), lambda b: b.car.become(outcome="accepted")),
    "person": (
        lambda b: b.car.become(outcome="failed", needs_person=True),
        lambda b: b.car.become(outcome="accepted", needs_person=False),
    ),
    "busy cloud": (
        lambda b: b.car.become(outcome="failed", retry_after_s=600.0),
        lambda b: b.car.become(outcome="accepted", retry_after_s=0.0),
    ),
    "deaf car": (lambda b: b.car.become(obeys=False), lambda b: b.car.become(obeys=True)),
    "silent cloud": (lambda b: b.car.become(latency_s=inf), lambda b: b.car.become(latency_s=2.0)),
    "old reports": (lambda b: b.car.become(age_s=400.0), lambda b: b.car.become(age_s=2.0)),
    "no reports": (lambda b: b.car.become(reports=False), lambda b: b.car.become(reports=True)),
    "unknown place": (lambda b: b.car.become(at_home=None), lambda b: b.car.become(at_home=True)),
    "no power": (lambda b: b.car.become(state="no_power"), lambda b: b.car.become(state="charging")),
    "asleep": (lambda b: b.car.become(asleep=True), lambda b: b.car.become(asleep=False)),
    "cable": (lambda b: b.car.become(limit=8.0, request=8.0), lambda b: b.car.become(limit=16.0)),
    "low limit": (lambda b: b.car.become(limit=4.0), lambda b: b.car.become(limit=16.0)),
    "house over": (lambda b: setattr(b, "house", three(30.0)), lambda b: setattr(b, "house", three(5.0))),
    "low budget": (lambda b: b.configure(max_amps=4.0), lambda b: b.configure(max_amps=25.0)),
}


@pytest.mark.parametrize(
    ("phases", "lasts_s"),
    [((2,), 1800), ((1, 2, 3), 1800), ((1, 2, 3), 60), (None, 900)],
    ids=["L2", "three", "three, shortly", "unknown"],
)
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_that_ends_charging_goes_on_by_itself(
    fault: str, phases: tuple[int, ...] | None, lasts_s: int
) -> None:
    begin, end = FAULTS[fault]
    car = BenchCar(phases=(2,)) if phases is None else on(*phases)
    bench = running(house=three(5.0), cars=(car,))
    begin(bench)
    while bench.now < 120 + lasts_s:
        if fault != "house over":
            bench.house = three(15.0) if int(bench.now) // 240 % 2 == 0 else three(5.0)
        bench.run(1)
    end(bench)
    bench.house = three(5.0)
    bench.run(1500)
    assert bench.car.state == "charging"
    assert bench.car.amps == 16


# -- a clamp that is mounted the wrong way round --------------------------------------------------------------------


@pytest.mark.parametrize("house", [2.0, 12.0, 20.0])
@pytest.mark.parametrize("drawn", [5.0, 8.0])
def test_a_clamp_the_wrong_way_round_makes_no_room_of_what_is_drawn(house: float, drawn: float) -> None:
    """The meter knows the sign: what the house imports looks like sun, and more of the car like more of it."""
    bench = Bench(house=house, cars=(BenchCar(request=drawn, amps=drawn),))
    bench.shows = lambda flows: tuple(-amps for amps in flows)
    over_s = 0
    for _ in range(1800):
        bench.run(1)
        over_s += bench.total > bench.settings.max_amps
    assert over_s <= (20 if house + drawn <= 25 else 90)
    assert (bench.car.amps, bench.last.reason) == (0, "meter_wrong")
    assert bench.controller.meter_wrong_at is not None


@pytest.mark.parametrize("sun", [0.0, 15.0])
def test_a_clamp_that_is_turned_round_again_lets_the_car_go_on_by_itself(sun: float) -> None:
    bench = Bench(house=5.0, cars=(BenchCar(request=5.0, amps=5.0),))
    bench.shows = lambda flows: tuple(-amps for amps in flows)
    bench.run(900)
    assert (bench.car.amps, bench.last.reason) == (0, "meter_wrong")
    since, bench.house = bench.now, 5.0 - sun
    bench.shows = tuple
    bench.run(900)
    if not sun:
        assert (bench.car.amps, bench.last.reason) == (16, "at_maximum")
        assert bench.sent("set_amps", after=since)[0].amps == 5, "the least shows it first"
    assert bench.total <= 25


@pytest.mark.parametrize("house", [5.0, 18.0])
def test_a_clamp_that_is_still_the_wrong_way_round_is_only_tried_where_its_size_leaves_room(house: float) -> None:
    """Behind a roof that feeds in, it shows import: what the house draws beyond that looks the other way."""
    bench = Bench(house=5.0, cars=(BenchCar(request=5.0, amps=5.0),))
    bench.shows = lambda flows: tuple(-amps for amps in flows)
    bench.run(900)
    assert bench.last.reason == "meter_wrong"
    since, most, bench.house = bench.now, 0.0, -house
    for _ in range(3600):
        bench.run(1)
        most = max(most, abs(bench.total), bench.car.amps)
    assert most <= 25
    starts = len(bench.sent("start", after=since))
    assert starts <= 5, "now and then"
    assert all(command.amps == 5 for command in bench.sent("set_amps", after=since))


def _half(amps: float) -> float:
    return amps / 2


@pytest.mark.parametrize("phases", [(), (1,)])
def test_a_meter_that_shows_half_of_each_step_shows_half_of_everything(phases: tuple[int, ...]) -> None:
    bench = Bench(house=14.0, cars=(on(*phases) if phases else BenchCar(),))

    def live(*amps: float) -> None:
        for each in amps:
            bench.house = (each, 1.0, 1.0) if phases else each
            bench.run(900)

    bench.shows = lambda flows: tuple(map(_half, flows))
    live(44.0, 14.0, 44.0, 14.0, 44.0)
    assert bench.controller.shown_part == pytest.approx(0.5, abs=0.05)
    live(16.0)
    assert bench.total <= 26, "as much as a right one would leave it"
    assert bench.car.amps > 0
    bench.shows = tuple
    live(35.0, 1.0, 35.0, 1.0)
    assert bench.controller.shown_part == 1, "it is right again once it shows two steps as they are"
    assert bench.car.amps == 16


def test_one_phase_of_three_the_wrong_way_round_is_noticed_too() -> None:
    bench = Bench(house=(15.0, 2.0, 2.0), supply="three", cars=(on(1, 2, 3, request=5.0, amps=5.0),))
    bench.shows = lambda flows: (-flows[0], *flows[1:])
    bench.run(900)
    assert max(bench.flows) <= 25


def test_a_house_that_falls_as_a_car_rises_is_no_clamp_the_wrong_way_round_for_long() -> None:
    """Behind a roof that exports: the stop shows that the meter is right, and charging goes on by itself."""
    bench = Bench(house=-3.0, cars=(BenchCar(request=5.0, amps=5.0),))
    bench.run(59)
    bench.car.latency_s = 4
    while not bench.sent("set_amps"):
        bench.run(1)
    rise = bench.sent("set_amps")[-1].amps - 5
    bench.house = -3.0 - 2 * rise
    bench.run(120)
    bench.house = -3.0
    bench.run(900)
    assert bench.controller.meter_wrong_at is None
    assert bench.car.amps == 16
