"""Loads that are switched off for a limit of the contract, which the protection would bear."""

from typing import Any

from hypothesis import Phase, given, settings as examined, strategies as st
import pytest

from custom_components.amp_sensor.control import (
    Clock,
    LimitSettings,
    LoadAction,
    LoadDecision,
    LoadReason,
    Priority,
    Reason,
    Restore,
)
from custom_components.amp_sensor.control.limits import Claim, Power
from tests.control.bench import BenchCar
from tests.control.test_loads import BenchLoad, LoadBench

WINDOW_S = 900


def known(name: str = "boiler", amps: float = 10.0, **settings: Any) -> BenchLoad:
    """Return a load whose power was told."""
    return BenchLoad(load_id=name, amps=amps, settings={"amps": amps, **settings})


class LimitBench(LoadBench):
    """A site with loads and one limit beside its budget of 32 A."""

    def __init__(self, *loads: BenchLoad, house: float | tuple[float, ...] = 3.0, limit: Any = None, **site: Any):
        self.imported_ws: dict[int, float] = {}
        self.sheds = True
        super().__init__(*(loads or (known(),)), **{"budget": 32.0, "house": house} | site)
        self.limit(**(limit or {}))
        self.run(300)
        assert not self.told

    def limit(self, **limit: Any) -> None:
        """Let a limit hold from now on, by a clock that began at midnight."""
        settings = LimitSettings(**{"reason": Reason.OUTSIDE_LIMIT, "sheds": True} | limit)
        self.controller.limit({"limit": settings}, Clock(wall_s=0.0, month=""), now=self.now)

    def decide(self) -> None:
        super().decide()
        window = int((self.now - 1) // WINDOW_S)
        self.imported_ws[window] = self.imported_ws.get(window, 0.0) + max(0.0, sum(self.flows)) * self.volts

    def average(self, window: int) -> float:
        """Return what was imported in a window, W."""
        return self.imported_ws[window] / WINDOW_S

    def decision(self, name: str = "boiler") -> LoadDecision:
        return next(each for each in reversed(self.load_decisions) if each.load_id == name)


MOMENT: dict[str, Any] = {"max_watts": 3100.0}
"""13.5 A of one phase: the boiler with 3 A beside it, and no more."""
QUARTER: dict[str, Any] = {"max_watts": 2500.0, "window_s": WINDOW_S, "reason": Reason.PEAK_LIMIT}


# -- a limit that holds at each moment ------------------------------------------------------------------------------


def test_it_goes_where_a_limit_is_exceeded_for_a_minute_and_comes_back_when_room_lasts() -> None:
    bench = LimitBench(limit=MOMENT)
    bench.house = 5.0
    bench.run(55)
    assert not bench.told
    bench.run(25)
    assert bench.actions("shed") == ["boiler"]
    assert bench.decision().reason is LoadReason.SHED_FOR_LIMIT or bench.decision().reason is LoadReason.SHEDDING
    assert bench.decision().limit_id == "limit"
    bench.run(600)
    assert bench.decision().reason is LoadReason.SHED_FOR_LIMIT
    bench.house = 2.5
    bench.run(60)
    assert not bench.load.is_on
    assert bench.decision().limit_id == "limit"
    bench.run(90)
    assert bench.load.is_on
    assert bench.decision().limit_id is None


def test_what_ends_within_a_minute_is_borne() -> None:
    bench = LimitBench(limit=MOMENT)
    for _ in range(5):
        bench.house = 9.0
        bench.run(50)
        bench.house = 3.0
        bench.run(10)
    assert not bench.told


def test_a_wavering_house_is_not_taken_for_one_that_keeps_within() -> None:
    """Begun with 0.3 A, the excess lasts until it has gone, not until it is a little less."""
    bench = LimitBench(limit=MOMENT)
    for amps in (4.0, 3.7) * 6:
        bench.house = amps
        bench.run(10)
    assert bench.actions("shed") == ["boiler"]
    bench = LimitBench(limit=MOMENT)
    bench.house = 3.6  # 0.1 A too much: a meter's noise
    bench.run(600)
    assert not bench.told


@pytest.mark.parametrize("limit", [{"sheds": False}, {"each_charger": True}, {"max_watts": None}])
def test_it_stays_on_where_the_limit_is_not_for_loads(limit: dict[str, Any]) -> None:
    bench = LimitBench(limit=MOMENT | limit)
    bench.house = 12.0
    bench.run(600)
    assert not bench.told
    assert bench.decision().reason is LoadReason.ON


def test_a_current_is_of_each_phase() -> None:
    pump = known("pump", phases=(2,))
    pump.phases = (2,)
    boiler = known(phases=(1,))
    bench = LimitBench(pump, boiler, house=(2.0, 2.0, 2.0), supply="three", limit={"max_amps": 13.0})
    bench.house = (2.0, 2.0, 20.0)
    bench.run(200)
    assert not bench.told, "neither is on the third phase"
    bench.house = (2.0, 5.0, 2.0)
    bench.run(100)
    assert bench.actions("shed") == ["pump"]


def test_the_last_goes_first_and_comes_back_last() -> None:
    bench = LimitBench(known("pump", 6.0, priority=Priority.FIRST), known(amps=4.0), house=2.0, limit=MOMENT)
    bench.house = 6.0  # 16 A
    bench.run(90)
    assert bench.actions("shed") == ["boiler"]
    bench.house = 10.0
    bench.run(90)
    assert bench.actions("shed") == ["boiler", "pump"]
    bench.house = 2.0
    bench.run(600)
    assert bench.actions("restore") == ["pump", "boiler"]


def test_one_that_does_nothing_is_followed_by_another_and_passed_over_the_next_time() -> None:
    boiler = known(amps=6.0)
    boiler.draws = False
    bench = LimitBench(boiler, known("pump", 6.0, priority=Priority.FIRST), limit=MOMENT)
    bench.house = 9.0
    bench.run(120)
    assert bench.actions("shed") == ["boiler", "pump"]
    assert bench.reason() is LoadReason.NO_EFFECT
    bench.house = 0.0
    bench.run(600)
    at = bench.now
    bench.house = 15.0  # too much without the pump, too
    bench.run(100)
    assert bench.actions("shed", after=at) == ["pump"]
    bench.run(60)
    assert bench.actions("shed", after=at) == ["pump", "boiler"]


def test_who_does_not_draw_so_much_as_to_help_alone_is_followed_at_once() -> None:
    bench = LimitBench(known("pump", 5.0), known(amps=5.0), house=2.0, limit=MOMENT)
    bench.house = 12.0
    bench.run(70)
    assert len(bench.actions("shed")) == 2


def test_of_one_that_nobody_knows_the_meter_shows_what_it_did() -> None:
    bench = LimitBench(BenchLoad(amps=9.0), BenchLoad(load_id="pump", amps=2.0), house=2.0, limit=MOMENT)
    bench.house = 6.0
    bench.run(90)
    assert len(bench.told) == 1 or sum(load.drawn for load in bench.loads) == 0
    bench.run(60)
    assert bench.total <= 13.5


def test_cars_give_all_they_can_first() -> None:
    bench = LimitBench(cars=(BenchCar(),), limit={"max_watts": 5520.0})
    bench.house = 12.0  # 22 A with the boiler through 24 A, which leaves nothing for a car
    bench.run(900)
    assert not bench.told
    assert bench.car.amps == 0
    bench.house = 16.0
    bench.run(90)
    assert bench.actions("shed") == ["boiler"]


def test_it_asks_first() -> None:
    bench = LimitBench(known(ask_s=120.0), limit=MOMENT)
    bench.house = 6.0
    bench.run(10)
    assert bench.asks() is LoadAction.SHED
    assert bench.reason() is LoadReason.ASKED
    assert bench.decision().limit_id == "limit"
    bench.run(90)
    assert not bench.told
    bench.run(30)
    assert bench.actions("shed") == ["boiler"]


def test_another_goes_while_one_is_asked() -> None:
    bench = LimitBench(known(amps=5.0, ask_s=600.0), known("pump", 5.0, priority=Priority.FIRST), limit=MOMENT)
    bench.house = 6.0
    bench.run(90)
    assert bench.actions("shed") == ["pump"]


def test_monitor_shows_for_which_limit() -> None:
    bench = LimitBench(limit=MOMENT, mode="monitor")
    bench.house = 6.0
    bench.run(90)
    assert not bench.told
    assert (bench.decision().reason, bench.decision().limit_id) == (LoadReason.WOULD_SHED, "limit")


def test_for_which_limit_it_is_off_survives_a_restart() -> None:
    bench = LimitBench(limit=MOMENT)
    bench.house = 6.0
    bench.run(90)
    bench.restart()
    bench.limit(**MOMENT)
    bench.run(60)
    assert (bench.decision().reason, bench.decision().limit_id) == (LoadReason.SHED_FOR_LIMIT, "limit")


def test_while_the_meter_is_silent_nothing_is_counted() -> None:
    bench = LimitBench(limit=MOMENT)
    bench.house = 6.0
    bench.run(30)
    bench.meter = False
    bench.run(300)
    bench.meter = True
    bench.run(40)
    assert not bench.told
    bench.run(60)
    assert bench.actions("shed") == ["boiler"]


# -- a window of the clock ------------------------------------------------------------------------------------------


def test_it_is_switched_off_for_a_window_as_late_as_can_be_made_up_for() -> None:
    bench = LimitBench(house=0.5, limit=QUARTER)
    bench.run(600)
    bench.house = 3.0  # 2990 W through 2500
    bench.run(300)
    assert not bench.told, "0.49 kW too much in 900 s are 192 s of the boiler, and 60 s are kept"
    bench.run(5 * WINDOW_S)
    averages = [bench.average(window) for window in range(1, 6)]
    assert max(averages) < 2500
    assert sum(averages) / 5 > 0.85 * 2500, "what is left early in a window is given out late in it"
    assert len(bench.told) < 8
    assert bench.decision().limit_id == "limit" or bench.load.is_on
    bench.house = 0.0
    bench.run(WINDOW_S)
    assert bench.load.is_on


def test_a_kettle_switches_nothing_off() -> None:
    bench = LimitBench(known(amps=7.0), house=0.5, limit=QUARTER)
    bench.run(600 + 200)
    bench.house = 9.5  # 3.8 kW
    bench.run(150)
    bench.house = 0.5
    bench.run(WINDOW_S)
    assert not bench.told
    assert bench.average(1) < 2500


def test_at_the_end_of_a_window_each_step_counts() -> None:
    bench = LimitBench(house=0.5, limit=QUARTER)
    bench.run(600 + 550)
    bench.house = 9.5
    bench.run(350)
    assert bench.actions("shed") == ["boiler"]
    assert bench.average(1) < 2525


def test_a_window_that_begins_anew_makes_nobody_wait_for_longer() -> None:
    bench = LimitBench(house=0.5, limit=QUARTER)
    for _ in range(3):
        bench.house = 0.5
        bench.run(WINDOW_S - int(bench.now) % WINDOW_S + 500)
        bench.house = 12.0  # within ten minutes
        bench.run(395)
    assert len(bench.actions("shed")) == 3
    assert bench.control_loads.each["boiler"].lasts_s == 120


def test_for_a_window_the_first_is_not_taken_because_it_is_less() -> None:
    boiler, pump = known(amps=10.0), known("pump", 3.0, priority=Priority.FIRST)
    bench = LimitBench(pump, boiler, house=0.0, limit=QUARTER)
    bench.run(600)
    bench.house = 2.0
    bench.run(6 * WINDOW_S)
    assert set(bench.actions("shed")) == {"boiler"}
    assert max(bench.average(window) for window in range(1, 7)) < 2500


def test_both_go_where_one_is_not_enough() -> None:
    bench = LimitBench(known("pump", 6.0), known(amps=6.0), house=0.0, limit=QUARTER)
    bench.run(600)
    bench.house = 9.0
    bench.run(6 * WINDOW_S)
    assert set(bench.actions("shed")) == {"boiler", "pump"}
    assert max(bench.average(window) for window in range(1, 7)) < 2500


def test_cars_within_a_window_give_all_they_can_first() -> None:
    bench = LimitBench(known(amps=8.0), cars=(BenchCar(),), house=1.0, limit=QUARTER)
    bench.run(600)
    bench.house = 2.5  # 2415 W with the boiler
    bench.run(4 * WINDOW_S)
    assert not bench.told
    assert max(bench.average(window) for window in range(1, 5)) < 2525


def moment(left_s: float | None, watts: float = 2300.0) -> Claim:
    return Claim(
        limit_id="limit", limit=Power(max_watts=watts, volts=(230.0,), reason=Reason.PEAK_LIMIT), left_s=left_s
    )


@pytest.mark.parametrize(
    ("left_s", "ask_s", "waits"),
    [
        (None, 0.0, False),  # each moment counts
        (600.0, 0.0, True),  # 5 A too much: half of what the load takes, which still can be made up for in 540 s
        (121.0, 0.0, True),
        (119.0, 0.0, False),
        (600.0, 230.0, True),
        (600.0, 250.0, False),  # whoever is asked needs that time too
        (16.0, 0.0, False),
        (14.0, 0.0, True),  # it would not show any more
    ],
)
def test_when_a_load_can_wait(left_s: float | None, ask_s: float, waits: bool) -> None:
    assert moment(left_s).can_wait((15.0,), (10.0,), ask_s) is waits


def test_the_patience_is_less_at_the_end_of_a_window() -> None:
    assert moment(None).patience_s == 60
    assert moment(900.0).patience_s == 75
    assert moment(120.0).patience_s == 10


# -- whatever happens -----------------------------------------------------------------------------------------------


@examined(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    house=st.lists(st.floats(0.0, 14.0), min_size=2, max_size=3),
    amps=st.tuples(st.floats(2.0, 8.2), st.floats(2.0, 8.2)),
    limit=st.sampled_from([{"max_watts": 4000.0}, {"max_amps": 17.0}, {"max_watts": 4000.0, "window_s": WINDOW_S}]),
    told=st.booleans(),
    has_car=st.booleans(),
)
def test_loads_go_only_where_the_cars_are_not_enough_and_then_they_do_and_come_back(
    house: list[float], amps: tuple[float, float], limit: dict[str, Any], told: bool, has_car: bool
) -> None:
    loads = [
        BenchLoad(load_id=name, amps=each, settings={"amps": each} if told else {})
        for name, each in zip(("boiler", "pump"), amps, strict=True)
    ]
    bench = LimitBench(*loads, house=0.0, limit=limit, cars=(BenchCar(),) if has_car else ())
    most = 17.0 if "max_amps" in limit else 4000 / 230
    for level in house:
        bench.house, since, before = level, bench.now, len(bench.told)
        for _ in range(WINDOW_S):
            bench.run(1)
            if bench.now - since > 30 and "window_s" not in limit:
                new = [command for _, command in bench.told[before:] if command.action is LoadAction.SHED]
                assert not new or level + sum(amps) > most - 0.5, "without the car there was room"
        if "window_s" not in limit and level < most:
            beside = level + sum(load.drawn for load in loads)
            assert beside <= most + 0.4, "what can be switched off is"
    if "window_s" in limit:
        later = range(1, len(bench.imported_ws) - 1)
        assert all(bench.average(window) < 4000 * 1.01 for window in later)
    bench.house = 0.0
    bench.run(3 * WINDOW_S)
    assert all(load.is_on for load in loads)
    assert {load.settings.restore for load in bench.control_loads.each.values()} == {Restore.YES}
