"""Charging with what is left over: how much of it, how soon, how often; whoever else is there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any, override

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import Battery, ChargerSettings, ChargeWith, Priority, Reason, Surplus
from custom_components.amp_sensor.control.surplus import HOLD_S
from tests.control.bench import Bench, BenchCar, running

ONLY, PLUS = ChargeWith.SURPLUS_ONLY, ChargeWith.MINIMUM_PLUS_SURPLUS


@dataclass
class HomeBattery:
    """A battery that does what the test says."""

    watts: float | None = 0.0
    percent: float | None = None
    first_until: float = 100.0


class SunnyBench(Bench):
    """A site whose chargers may be told to charge with surplus. Its house is negative while the roof gives more."""

    surplus: Surplus
    knows_sign = True
    batteries: tuple[HomeBattery, ...] = ()
    switches = True
    """Whether a switch of its phases arrives."""
    switched: tuple[tuple[float, int], ...] = ()

    def start(self, record: Any = None) -> None:
        self.surplus = Surplus(knows_sign=self.knows_sign)
        super().start(record)

    def decide(self) -> None:
        batteries = [
            Battery(watts=each.watts, percent=each.percent, first_until_percent=each.first_until)
            for each in self.batteries
        ]
        for charger_id, rations in self.surplus.look(self.controller, now=self.now, batteries=batteries).items():
            self.controller.ration(charger_id, rations)
        for charger_id, phases in self.surplus.switches.items():
            car = next(each for each in self.cars if each.charger_id == charger_id)
            assert not car.amps or car.state != "charging", "it stands while it is switched"
            self.switched += ((self.now, phases),)
            if self.switches:
                car.says_phases, car.phases = phases, (2,) if phases == 1 else (1, 2, 3)
        super().decide()


def sunny(with_: ChargeWith = ONLY, *, house: Any = -10.5, **site: Any) -> SunnyBench:
    """Return a site with one car that charges with surplus, after ten minutes."""
    car = BenchCar(settings={"charge_with": with_} | site.pop("settings", {}))
    bench = SunnyBench(house=house, cars=(car,), **site)
    bench.run(600)
    return bench


def test_it_takes_whole_amps_of_what_is_left_over_and_nothing_from_the_grid() -> None:
    bench = sunny()
    assert (bench.car.amps, bench.last.reason) == (10, Reason.SURPLUS)
    assert bench.total <= 0


def test_grid_is_as_if_there_were_no_surplus() -> None:
    bench = sunny(ChargeWith.GRID)
    assert bench.car.amps == 16
    assert bench.last.reason is Reason.AT_MAXIMUM


def test_a_reserve_is_left_to_the_grid() -> None:
    assert sunny(settings={"reserve_w": 690.0}).car.amps == 7


def test_on_three_phases_what_all_of_them_give_counts() -> None:
    bench = sunny(house=(4.0, -20.0, -9.5), settings={"phases": (1, 2, 3)})
    assert bench.car.amps == 8, "25.5 A flow out in all, three for each of its own"


def test_on_one_phase_of_three_the_others_give_too() -> None:
    bench = SunnyBench(
        house=(-2.0, -4.0, -4.5), cars=(BenchCar(phases=(2,), settings={"charge_with": ONLY, "phases": (2,)}),)
    )
    bench.run(600)
    assert bench.car.amps == 10


def test_it_stops_after_half_the_minimum_was_missing_for_as_long_as_was_set() -> None:
    bench = sunny()
    bench.house = -2.5
    bench.run(60)
    assert bench.car.amps == 5
    bench.run(520)
    assert bench.car.amps == 5
    bench.run(60)
    assert (bench.car.state, bench.last.reason) == ("stopped", Reason.WAITING_FOR_SURPLUS)
    assert bench.last.cap == 16, "it is ours"


def test_it_stops_sooner_where_all_of_the_minimum_comes_from_the_grid() -> None:
    bench = sunny()
    bench.house = 6.0
    bench.run(270)
    assert bench.car.amps == 5
    bench.run(60)
    assert bench.car.state == "stopped"


@pytest.mark.parametrize(("missing", "minutes"), [(1.0, 5), (0.5, 10), (0.1, 50)])
def test_it_stops_at_an_energy_from_the_grid_whether_that_comes_fast_or_slowly(missing: float, minutes: int) -> None:
    bench = sunny()
    began = bench.now
    bench.house = -5.0 * (1 - missing)
    while bench.car.state == "charging" and bench.now - began < 7200:
        bench.run(10)
    assert (bench.now - began) / 60 == pytest.approx(minutes, abs=1, rel=0.1)


def test_what_the_house_takes_beyond_the_minimum_is_not_counted_against_it() -> None:
    bench = sunny()
    bench.house = 12.0
    bench.run(270)
    assert bench.car.state == "charging"


def test_who_may_not_be_missing_a_moment_charges_while_nothing_is() -> None:
    bench = sunny(settings={"stop_after_s": 0.0})
    bench.run(1200)
    assert bench.car.amps == 10
    assert not bench.sent("stop")
    bench.house = -3.5
    bench.run(30)
    assert bench.car.state == "stopped"


def test_a_cloud_that_passes_stops_nothing() -> None:
    bench = sunny()
    for _ in range(6):
        bench.house = -2.0
        bench.run(120)
        bench.house = -10.5
        bench.run(180)
    assert not bench.sent("stop")


def test_it_starts_once_the_minimum_has_lasted_and_with_what_there_is() -> None:
    bench = sunny()
    bench.house = 6.0
    bench.run(900)
    assert bench.car.state == "stopped"
    bench.house = -9.5
    bench.run(290)
    assert bench.car.state == "stopped"
    bench.run(60)
    assert (bench.car.state, bench.car.amps) == ("charging", 9)
    bench.house = 6.0
    bench.run(900)
    bench.house = -9.5
    bench.run(200)
    bench.house = -1.0
    bench.run(10)
    bench.house = -9.5
    bench.run(200)
    assert bench.car.state == "stopped", "it has not lasted"


def test_broken_clouds_do_not_start_it_more_than_six_times_a_day() -> None:
    bench = sunny(settings={"start_after_s": 60.0, "stop_after_s": 60.0})
    for _ in range(40):
        bench.house = 6.0
        bench.run(450)
        bench.house = -12.0
        bench.run(450)
    assert 0 < len(bench.sent("start")) <= 6, "in ten hours"


def test_a_sky_that_flickers_costs_few_commands() -> None:
    bench = sunny()
    began = bench.now
    for _ in range(60):
        bench.house = -12.0
        bench.run(30)
        bench.house = -10.0
        bench.run(30)
    assert len(bench.sent(after=began)) <= 4


def test_minimum_plus_surplus_holds_its_minimum_by_night() -> None:
    bench = sunny(PLUS)
    assert bench.car.amps == 10
    bench.house = 4.0
    bench.run(3600)
    assert (bench.car.amps, bench.last.reason) == (5, Reason.SURPLUS)
    assert not bench.sent("stop")


def test_the_budget_is_kept_all_the_same() -> None:
    bench = sunny(PLUS, house=(18.0, -30.0, -30.0), settings={"phases": (1,)}, budget=25.0)
    assert bench.flows[0] <= 25


@pytest.mark.parametrize(("with_", "amps"), [(ONLY, 0), (PLUS, 5)])
def test_a_meter_that_never_showed_a_direction_knows_of_no_surplus(with_: ChargeWith, amps: int) -> None:
    bench = SunnyBench(house=3.0, cars=(BenchCar(settings={"charge_with": with_}),))
    bench.surplus = Surplus()
    bench.run(120)
    assert bench.last.reason is Reason.NO_SIGN
    assert bench.car.amps == amps if amps else bench.car.state == "stopped"


@pytest.mark.parametrize(("with_", "is_held"), [(ONLY, False), (PLUS, True)])
def test_a_battery_that_says_nothing_leaves_the_minimum_and_for_surplus_only_ten_minutes_of_it(
    with_: ChargeWith, is_held: bool
) -> None:
    bench = sunny(with_)
    bench.batteries = (HomeBattery(watts=None),)
    bench.run(30)
    assert (bench.car.amps, bench.last.reason) == (5, Reason.SURPLUS_UNKNOWN)
    bench.run(int(HOLD_S))
    assert bench.last.reason is Reason.SURPLUS_UNKNOWN
    assert bench.car.state == ("charging" if is_held else "stopped")
    bench.batteries = (HomeBattery(),)
    bench.run(400)
    assert bench.car.amps == 10


class SlowSunnyBench(SunnyBench):
    """Its meter posts once a minute."""

    @override
    def post(self) -> None:
        if self.now % 60 == 0:
            super().post()


def test_one_lost_reading_of_a_slow_meter_makes_nothing_unknown() -> None:
    bench = SlowSunnyBench(house=-10.5, cars=(BenchCar(settings={"charge_with": ONLY}),))
    bench.run(900)
    bench.meter = False
    bench.run(100)
    assert bench.surplus.watts is not None
    assert bench.car.amps == 10


def test_a_meter_that_says_nothing_is_the_protections_business_first() -> None:
    bench = sunny()
    bench.meter = False
    bench.run(300)
    assert bench.car.state == "stopped"
    bench.meter = True
    bench.run(400)
    assert bench.car.amps == 10


@pytest.mark.parametrize(
    "shows",
    [lambda flows: (flows[0], flows[1], None), lambda flows: flows[:2]],
    ids=["a phase without a value", "two of three"],
)
@pytest.mark.parametrize(("with_", "is_held"), [(ONLY, False), (PLUS, True)])
def test_while_a_phase_is_not_told_nobody_knows_what_is_left_over(
    with_: ChargeWith, is_held: bool, shows: Callable[[tuple[float, ...]], tuple[float | None, ...]]
) -> None:
    car = BenchCar(phases=(2,), settings={"charge_with": with_, "phases": (2,)})
    bench = SunnyBench(house=(-4.5, -12.0, 6.0), cars=(car,))  # the third takes what the others give
    bench.run(600)
    assert bench.car.amps == 10
    bench.shows = shows
    bench.run(50)
    assert bench.car.amps == 10, "one that is told again within a minute changes nothing"
    bench.run(30)
    assert (bench.car.amps, bench.last.reason) == (5, Reason.PHASE_SILENT)
    bench.run(int(HOLD_S))
    assert bench.car.state == ("charging" if is_held else "stopped")
    bench.shows = tuple
    bench.run(400)
    assert bench.car.amps == 10


@pytest.mark.parametrize(
    ("battery", "amps"),
    [
        (HomeBattery(watts=-1150.0), 5),  # it gives 5 A of the 10
        (HomeBattery(watts=1150.0), 10),  # it takes 5 A more, which are its own
        (HomeBattery(watts=1150.0, percent=79.0, first_until=80.0), 10),
        (HomeBattery(watts=1150.0, percent=80.0, first_until=80.0), 15),
        (HomeBattery(watts=-1150.0, percent=100.0, first_until=0.0), 5),
        (HomeBattery(watts=1150.0, first_until=0.0), 10),  # nobody knows how full it is
    ],
)
def test_what_a_battery_gives_is_nobodys_and_what_it_takes_its_own_until_it_is_full_enough(
    battery: HomeBattery, amps: int
) -> None:
    bench = sunny()
    bench.batteries = (battery,)
    bench.run(600)
    assert bench.car.amps == amps


def test_a_restart_goes_on_with_what_it_had() -> None:
    bench = sunny()
    bench.restart()
    began = bench.now
    bench.run(300)
    assert bench.car.amps == 10
    assert not bench.sent("stop", after=began)


def test_who_plugs_in_by_night_is_stopped_and_started_by_the_sun() -> None:
    bench = sunny(house=3.0)
    bench.car.become(plugged_in=False, state="disconnected")
    bench.run(60)
    bench.car.become(plugged_in=True, state="charging")
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.house = -8.5
    bench.run(500)
    assert bench.car.amps == 8


def test_who_plugs_in_under_the_sun_charges_on() -> None:
    bench = sunny(house=-17.0)
    bench.car.become(plugged_in=False, state="disconnected", amps=0.0)
    bench.car.request = 0.0
    bench.car.draw()
    bench.run(60)
    bench.car.request = 16.0
    bench.car.become(plugged_in=True, state="charging")
    bench.run(120)
    assert bench.car.state == "charging"
    assert not bench.sent("stop")


def _two(house: float, **priorities: Priority) -> SunnyBench:
    cars = tuple(
        BenchCar(name, settings={"charge_with": ONLY, "priority": priority}) for name, priority in priorities.items()
    )
    bench = SunnyBench(house=house, cars=cars, budget=40.0)
    bench.run(1200)
    return bench


def test_two_never_count_the_same_watt_twice() -> None:
    bench = _two(-17.5, a=Priority.NORMAL, b=Priority.NORMAL)
    assert sum(car.amps for car in bench.cars) == 17
    assert all(car.amps >= 5 for car in bench.cars)


def test_what_is_enough_for_one_goes_to_who_comes_first() -> None:
    bench = _two(-8.5, last=Priority.LAST, first=Priority.FIRST)
    assert [(car.charger_id, car.state) for car in bench.cars] == [("last", "stopped"), ("first", "charging")]
    assert bench.cars[1].amps == 8
    bench.house = -14.5
    bench.run(900)
    assert [car.amps for car in bench.cars] == [0, 14] or bench.cars[0].state == "stopped"
    bench.house = -23.0
    bench.run(900)
    assert [car.amps for car in bench.cars] == [7, 16]


def test_who_comes_first_starts_although_another_has_the_sun() -> None:
    bench = _two(-8.5, last=Priority.LAST, first=Priority.FIRST)
    bench.cars[1].become(plugged_in=False, state="disconnected", request=0.0)
    bench.run(900)
    assert bench.cars[0].amps == 8
    bench.cars[1].become(plugged_in=True, state="stopped", request=16.0)
    bench.run(60)
    bench.controller.chargers["first"].paused = True
    bench.run(1800)
    assert bench.cars[1].amps == 8
    assert bench.cars[0].state == "stopped"


def _switching(phases: int, *, house: float, told: tuple[int, ...] | None = (1, 2, 3)) -> SunnyBench:
    """Return a house of three phases, each with so much, and a car on surplus that stands and can be switched."""
    car = BenchCar(
        state="stopped",
        request=6,
        amps=0.0,
        phases=(2,) if phases == 1 else (1, 2, 3),
        says_phases=phases,
        settings={"charge_with": ONLY, "min_amps": 6, "switches_phases": True, "phases": told},
    )
    bench = SunnyBench(house=(house,) * 3, cars=(car,))
    bench.run(30)
    bench.controller.chargers["car"].paused = True
    bench.run(570)
    return bench


@pytest.mark.parametrize("told", [(1, 2, 3), None])
def test_it_starts_on_as_many_phases_as_there_is_surplus_for(told: tuple[int, ...] | None) -> None:
    little = _switching(3, house=-3.5, told=told)
    assert little.car.says_phases == 1
    assert (little.car.state, little.car.amps) == ("charging", 10)
    much = _switching(1, house=-8.5, told=told)
    assert much.car.says_phases == 3
    assert (much.car.state, much.car.amps) == ("charging", 8)


def test_it_is_switched_up_once_there_has_been_enough_for_long_and_seldom() -> None:
    bench = _switching(1, house=-3.5)
    bench.house = (-8.5,) * 3
    bench.run(840)
    assert (bench.car.amps, bench.switched) == (16, ())
    bench.run(300)
    assert (bench.car.says_phases, bench.car.amps) == (3, 8)
    began = bench.now
    for _ in range(12):
        for house in (-3.5, -8.5):
            bench.house = (house,) * 3
            bench.run(1200)
    assert 0 < len([at for at, _ in bench.switched if at > began]) <= 8, "in eight hours"
    assert len(bench.sent("start", after=began)) <= 6


def test_a_switch_that_never_comes_does_not_keep_it_from_charging() -> None:
    bench = _switching(1, house=-3.5)
    bench.switches = False
    bench.house = (-8.5,) * 3
    bench.run(1500)
    assert (bench.car.says_phases, bench.car.state, bench.car.amps) == (1, "charging", 16)


def test_one_that_is_not_charged_with_surplus_only_is_left_on_its_phases() -> None:
    bench = _switching(3, house=-3.5)
    bench = SunnyBench(
        house=(-3.5,) * 3, cars=(replace(bench.car, settings=bench.car.settings | {"charge_with": PLUS}),)
    )
    bench.run(900)
    assert bench.switched == ()


@settings(max_examples=25, deadline=None)
@given(
    sky=st.lists(st.floats(-30, 20), min_size=2, max_size=6),
    with_=st.sampled_from([(ONLY, ONLY), (ONLY, PLUS), (PLUS, ONLY)]),
    reserve_w=st.sampled_from([0.0, 500.0]),
)
@example(sky=[0.0, -4.75], with_=(ONLY, ONLY), reserve_w=0.0)
def test_once_the_sky_stays_as_it_is_no_more_is_drawn_than_is_left_over_or_the_minimum(
    sky: list[float], with_: tuple[ChargeWith, ChargeWith], reserve_w: float
) -> None:
    cars = tuple(
        BenchCar(f"car {number}", settings={"charge_with": each, "reserve_w": reserve_w})
        for number, each in enumerate(with_)
    )
    bench = SunnyBench(house=-15.0, cars=cars, budget=40.0)
    bench.run(60)
    for amps in sky:
        bench.house = amps
        bench.run(200)
    stays_s, minimum = 1200, 5
    bench.run(stays_s)
    drawn = sum(car.amps for car in cars if car.state == "charging")
    minima = sum(minimum for car in cars if car.settings["charge_with"] is PLUS)
    left = max(0.0, -sky[-1] - reserve_w / 230)
    # A little less than the minimum stops nobody yet: half of it may come from the grid for so long, less for longer
    missing_as = minimum / 2 * ChargerSettings(max_amps=16).stop_after_s
    assert drawn - max(left, minima) <= (missing_as / stays_s if drawn == minimum else 0.1)


@pytest.mark.parametrize(
    "wrong",
    [{"watts": nan}, {"watts": inf}, {"watts": 0.0, "percent": 101.0}, {"watts": 0.0, "first_until_percent": -1.0}],
)
def test_a_battery_refuses_what_nothing_can_be_decided_on(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Battery(**wrong)


@pytest.mark.parametrize("wrong", [{"reserve_w": -1.0}, {"start_after_s": 3601.0}, {"stop_after_s": nan}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ChargerSettings(max_amps=16, **wrong)


def test_a_site_without_wishes_has_no_rations() -> None:
    bench = running(house=-10.0)
    assert Surplus().look(bench.controller, now=bench.now) == {"car": {}}
