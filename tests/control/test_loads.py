"""A house whose boiler and heat pump are switched off where its breaker cannot bear them."""

from dataclasses import dataclass, field
import json
from typing import Any

from hypothesis import Phase, example, given, settings as examined, strategies as st
import pytest

from custom_components.amp_sensor.control import (
    LoadAction,
    LoadCommand,
    LoadDecision,
    LoadReason,
    LoadReport,
    Loads,
    LoadSettings,
    Mode,
    Priority,
    Protection,
    Restore,
)
from tests.control.bench import Bench, BenchCar


@dataclass
class BenchLoad:
    """A load that does as told a second later."""

    load_id: str = "boiler"
    amps: float = 10.0
    phases: tuple[int, ...] = (1,)
    is_on: bool = True
    draws: bool = True
    says_draws: bool | None = None
    available: bool = True
    obeys: bool = True
    """Whether what was accepted reaches it."""
    outcome: bool = True
    runs_on_s: float = 0.0
    """How long it says that it goes on drawing once it is off."""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> float:
        return self.amps if self.is_on and self.draws else 0.0


class LoadBench(Bench):
    """A site with loads."""

    def __init__(self, *loads: BenchLoad, budget: float = 16.0, house: float = 3.0, **site: Any) -> None:
        self.loads = loads or (BenchLoad(),)
        self.told: list[tuple[float, LoadCommand]] = []
        self.load_decisions: list[LoadDecision] = []
        self.coming_loads: list[tuple[float, LoadCommand]] = []
        super().__init__(budget=budget, house=house, **{"cars": (), **site})

    def start(self, record: Any = None) -> None:
        super().start(record)
        before = getattr(self, "control_loads", None)
        self.control_loads = Loads()
        for load in self.loads:
            self.control_loads.set_load(load.load_id, LoadSettings(**load.settings), now=self.now)
            if before is not None:
                record = json.loads(json.dumps(before.each[load.load_id].record()))
                self.control_loads.each[load.load_id].restore(record)
        self.coming_loads.clear()

    @property
    def flows(self) -> tuple[float, ...]:
        return tuple(
            amps + sum(load.drawn for load in self.loads if phase in load.phases)
            for phase, amps in enumerate(super().flows, 1)
        )

    @property
    def load(self) -> BenchLoad:
        return self.loads[0]

    def decide(self) -> None:
        super().decide()
        now = self.now
        for at, command in list(self.coming_loads):
            if now >= at + 1:
                self.coming_loads.remove((at, command))
                load = next(load for load in self.loads if load.load_id == command.load_id)
                if load.obeys and load.outcome:
                    load.is_on = command.action is LoadAction.RESTORE
                self.control_loads.each[load.load_id].acknowledge(command, is_done=load.outcome, now=now)
        for load in self.loads:
            report = LoadReport(
                is_on=load.is_on if load.available else None, draws=load.says_draws, runs_on_s=load.runs_on_s
            )
            self.control_loads.each[load.load_id].add_report(report, now)
        decisions = self.control_loads.decide(self.controller.strain(now), self.settings.mode, now=now)
        self.controller.reserve(self.control_loads.reserved)
        self.load_decisions += decisions
        for decision in decisions:
            if decision.command is not None:
                self.told.append((now, decision.command))
                self.coming_loads.append((now, decision.command))

    def reason(self, load_id: str = "boiler") -> LoadReason:
        return next(each.reason for each in reversed(self.load_decisions) if each.load_id == load_id)

    def asks(self, load_id: str = "boiler") -> LoadAction | None:
        return next(each.asks for each in reversed(self.load_decisions) if each.load_id == load_id)

    def actions(self, action: str, *, after: float = -1.0) -> list[str]:
        return [command.load_id for at, command in self.told if command.action == action and at > after]


def calm(*loads: BenchLoad, **site: Any) -> LoadBench:
    """Return a site that has been watched for a while."""
    bench = LoadBench(*loads, **site)
    bench.run(300)
    assert not bench.told
    return bench


def test_nothing_is_switched_off_while_the_breaker_bears_it() -> None:
    bench = calm()
    bench.house = 6.5  # 16.5 A through 16 A
    bench.run(3600)
    assert not bench.told
    assert bench.reason() is LoadReason.ON


def test_it_is_switched_off_before_the_breaker_opens_and_comes_back_when_room_lasts() -> None:
    bench = calm()
    bench.house = 14.0
    bench.run(30)
    assert bench.actions("shed") == ["boiler"]
    bench.run(10)
    assert bench.reason() is LoadReason.SHED
    bench.house = 3.0
    bench.run(60)
    assert bench.reason() is LoadReason.WAITING
    assert not bench.load.is_on
    bench.run(90)
    assert bench.load.is_on
    assert bench.reason() is LoadReason.ON


def test_a_short_peak_is_borne() -> None:
    bench = calm()
    bench.house = 8.0  # 18 A through 16 A
    bench.run(15)
    bench.house = 3.0
    bench.run(60)
    assert not bench.told


def test_it_teaches_what_it_draws() -> None:
    bench = calm(BenchLoad(amps=10.0, phases=(2,)), house=(1.0, 3.0, 1.0), supply="three")
    bench.house = (1.0, 14.0, 1.0)
    bench.run(60)
    load = bench.control_loads.each["boiler"]
    assert load.amps == pytest.approx(10.0, abs=0.3)
    assert load.learned_phases == (1,)


PUMP: dict[str, Any] = {"load_id": "pump", "amps": 6.0}


def test_the_last_goes_first_and_comes_back_last() -> None:
    pump = BenchLoad(**PUMP, settings={"priority": Priority.FIRST, "amps": 6.0})
    boiler = BenchLoad(amps=8.0, settings={"amps": 8.0})
    bench = calm(pump, boiler, house=1.0)
    bench.house = 9.0  # 23 A: without the boiler, 15
    bench.run(60)
    assert bench.actions("shed") == ["boiler"]
    bench.house = 17.0
    bench.run(60)
    assert bench.actions("shed") == ["boiler", "pump"]
    bench.house = 1.0
    bench.run(400)
    assert bench.actions("restore") == ["pump", "boiler"]


def test_among_equals_the_least_that_is_enough_goes() -> None:
    bench = calm(
        BenchLoad(load_id="large", amps=8.0, settings={"amps": 8.0}),
        BenchLoad(load_id="small", amps=4.0, settings={"amps": 4.0}),
        house=1.0,
    )
    bench.house = 7.0  # 19 A
    bench.run(120)
    assert bench.actions("shed") == ["small"]


def test_several_go_at_once_where_one_is_not_enough() -> None:
    bench = calm(BenchLoad(amps=6.0, settings={"amps": 6.0}), BenchLoad(**PUMP, settings={"amps": 6.0}), house=1.0)
    bench.house = 16.0  # 28 A
    bench.run(15)
    assert {load.is_on for load in bench.loads} == {False}


def idle_and_pump() -> LoadBench:
    """Return a site whose boiler was switched off in vain, and both are on again."""
    idle = BenchLoad(amps=6.0, draws=False, settings={"amps": 6.0})
    pump = BenchLoad(**PUMP, settings={"amps": 6.0, "priority": Priority.FIRST})
    bench = calm(idle, pump)
    bench.house = 13.0  # 19 A
    bench.run(120)
    assert bench.actions("shed") == ["boiler", "pump"]
    assert bench.reason() is LoadReason.NO_EFFECT
    assert bench.reason("pump") is LoadReason.SHED
    bench.house = 3.0
    bench.run(600)
    bench.told.clear()
    return bench


def test_one_that_does_nothing_is_counted_as_nothing_and_passed_over_once() -> None:
    bench = idle_and_pump()
    for expected in (["pump"], ["pump", "boiler"]):
        at = bench.now
        bench.house = 13.0
        bench.run(40)
        bench.house = 18.5  # without the pump it is too much again
        bench.run(20)
        assert bench.actions("shed", after=at) == expected
        bench.house = 3.0
        bench.run(900)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_it_is_passed_over_where_nothing_else_can_go_but_not_for_long(is_restarted: bool) -> None:
    bench = idle_and_pump()
    bench.load.draws, bench.loads[1].draws, bench.loads[1].available = True, False, False
    if is_restarted:
        bench.restart()
        bench.run(60)
    bench.house = 12.0  # 18 A through 16 A: borne for good, but too near to opening
    bench.run(110)
    assert not bench.told
    bench.run(30)
    assert bench.actions("shed") == ["boiler"]
    assert bench.controller.protection_load < 1


def test_it_is_not_passed_over_once_it_says_that_it_draws() -> None:
    bench = idle_and_pump()
    bench.load.says_draws = bench.load.draws = True
    bench.house = 9.0  # 21 A
    bench.run(40)
    assert bench.actions("shed")[0] == "pump", "what was in vain still comes last"
    bench.house = 14.0  # 20 A
    bench.run(40)
    assert bench.actions("shed") == ["pump", "boiler"]


def test_where_the_breaker_would_open_nothing_is_passed_over() -> None:
    bench = idle_and_pump()
    bench.load.draws = True
    bench.loads[1].available = False
    bench.house = 24.0  # 30 A through 16 A
    bench.run(30)
    assert bench.actions("shed") == ["boiler"]


@pytest.mark.parametrize(("runs_on_s", "reason"), [(105.0, LoadReason.SHED), (0.0, LoadReason.NO_EFFECT)])
def test_a_compressor_may_run_on_for_a_while(runs_on_s: float, reason: LoadReason) -> None:
    bench = calm(BenchLoad(runs_on_s=runs_on_s, settings={"amps": 10.0}))
    bench.house = 9.0
    while bench.load.is_on:
        bench.run(1)
    bench.house = 19.0  # it goes on drawing
    bench.run(60)
    bench.house = 9.0
    bench.run(15)
    assert bench.reason() is reason


def test_nobody_waits_for_a_compressor_that_runs_on() -> None:
    climate = BenchLoad(amps=6.0, draws=False, runs_on_s=105.0, settings={"amps": 6.0})
    bench = calm(climate, BenchLoad(**PUMP, settings={"amps": 6.0, "priority": Priority.FIRST}))
    bench.house = 13.0  # 19 A
    bench.run(50)
    assert bench.actions("shed") == ["boiler", "pump"]


def test_one_that_is_said_to_draw_nothing_is_not_touched() -> None:
    bench = calm(BenchLoad(draws=False, says_draws=False))
    bench.house = 20.0
    bench.run(60)
    assert not bench.told


def test_one_that_is_unavailable_blocks_nobody() -> None:
    boiler = BenchLoad(amps=6.0, settings={"amps": 6.0})
    pump = BenchLoad(**PUMP, settings={"amps": 6.0, "priority": Priority.FIRST})
    bench = calm(boiler, pump)
    boiler.available = False
    bench.house = 10.0
    bench.run(60)
    assert bench.actions("shed") == ["pump"]
    assert bench.reason() is LoadReason.UNAVAILABLE
    # Nor on the way back
    boiler.available = True
    bench.house = 16.0
    bench.run(60)
    assert bench.actions("shed") == ["pump", "boiler"]
    boiler.available = False
    bench.house = 2.0
    bench.run(600)
    assert bench.actions("restore") == ["pump"]
    boiler.available = True
    bench.run(200)
    assert bench.actions("restore") == ["pump", "boiler"]


def test_one_that_does_not_do_as_told_is_left_alone_for_a_while() -> None:
    boiler = BenchLoad(amps=6.0, outcome=False, settings={"amps": 6.0})
    pump = BenchLoad(**PUMP, settings={"amps": 6.0, "priority": Priority.FIRST})
    bench = calm(boiler, pump)
    bench.house = 8.0
    bench.run(30)
    assert bench.reason() is LoadReason.FAILED
    assert bench.actions("shed") == ["boiler", "pump"]
    bench.run(300)
    assert bench.actions("shed") == ["boiler", "pump"]


def test_one_that_was_accepted_and_never_goes_off_is_not_ours() -> None:
    bench = calm(BenchLoad(obeys=False))
    bench.house = 8.0
    bench.run(120)
    assert bench.reason() is LoadReason.FAILED
    assert bench.control_loads.each["boiler"].missed == 1
    bench.house = 2.0
    bench.run(600)
    assert bench.actions("restore") == []


def test_a_person_who_switches_it_on_is_respected_until_tomorrow() -> None:
    bench = calm()
    bench.house = 14.0
    bench.run(60)
    bench.load.is_on = True
    bench.run(60)
    assert bench.actions("shed") == ["boiler"]
    assert bench.reason() is LoadReason.BY_USER
    bench.control_loads.begin_day()
    bench.run(60)
    assert bench.actions("shed") == ["boiler"] * 2


def test_a_person_may_choose_not_to_be_respected() -> None:
    bench = calm(BenchLoad(settings={"respects_user": False}))
    bench.house = 14.0
    bench.run(60)
    bench.load.is_on = True
    bench.run(60)
    assert bench.actions("shed") == ["boiler"] * 2


def test_what_a_person_switched_off_stays_off() -> None:
    bench = calm()
    bench.load.is_on = False
    bench.run(600)
    assert bench.reason() is LoadReason.STANDBY
    assert not bench.told


def test_monitor_shows_it_and_switches_nothing() -> None:
    bench = calm(mode="monitor")
    bench.house = 14.0
    bench.run(60)
    assert not bench.told
    assert bench.reason() is LoadReason.WOULD_SHED


@pytest.mark.parametrize(("mode", "managed", "reason"), [("off", True, "off"), ("balanced", False, "not_managed")])
def test_what_is_not_ours_is_not_touched(mode: str, managed: bool, reason: str) -> None:
    bench = calm(BenchLoad(settings={"managed": managed}), mode=mode)
    bench.house = 14.0
    bench.run(120)
    assert not bench.told
    assert bench.reason() == reason


def test_least_times_are_kept() -> None:
    boiler = BenchLoad(is_on=False, settings={"least_on_s": 600.0, "least_off_s": 900.0, "amps": 10.0})
    bench = calm(boiler)
    boiler.is_on = True
    bench.house = 8.0
    bench.run(590)
    assert not bench.told
    assert bench.reason() is LoadReason.LEAST_ON
    bench.run(20)
    assert bench.actions("shed") == ["boiler"]
    bench.house = 2.0
    bench.run(500)
    assert bench.reason() is LoadReason.LEAST_OFF
    bench.run(500)
    assert bench.actions("restore") == ["boiler"]


class TestAsking:
    def asked(self, **settings: Any) -> LoadBench:
        bench = calm(BenchLoad(amps=6.0, settings={"ask_s": 60.0, "amps": 6.0, **settings}), house=8.0)
        bench.house = 12.5  # 18.5 A through 16 A: borne for a minute and a half
        bench.run(10)
        assert bench.asks() is LoadAction.SHED
        assert bench.reason() is LoadReason.ASKED
        assert not bench.told
        return bench

    def test_a_yes_switches_it_off(self) -> None:
        bench = self.asked()
        bench.control_loads.each["boiler"].answer(LoadAction.SHED, is_yes=True, now=bench.now)
        bench.run(10)
        assert bench.actions("shed") == ["boiler"]
        assert bench.asks() is None

    def test_a_no_leaves_it_on(self) -> None:
        bench = self.asked()
        bench.control_loads.each["boiler"].answer(LoadAction.SHED, is_yes=False, now=bench.now)
        bench.run(300)
        assert not bench.told
        assert bench.reason() is LoadReason.DECLINED

    def test_without_an_answer_it_goes_off_in_time(self) -> None:
        bench = self.asked()
        bench.run(80)
        assert bench.actions("shed") == ["boiler"]

    def test_what_is_not_needed_any_more_is_not_asked_any_more(self) -> None:
        bench = self.asked()
        bench.house = 3.0
        bench.run(120)
        assert bench.asks() is None
        bench.control_loads.each["boiler"].answer(LoadAction.SHED, is_yes=True, now=bench.now)
        bench.run(20)
        assert not bench.told

    def test_where_the_breaker_would_open_nobody_is_waited_for(self) -> None:
        bench = calm(BenchLoad(settings={"ask_s": 600.0}))
        bench.house = 24.0  # 34 A through 16 A
        bench.run(15)
        assert bench.actions("shed") == ["boiler"]

    def test_another_goes_meanwhile(self) -> None:
        pump = BenchLoad(**PUMP, settings={"amps": 6.0, "priority": Priority.FIRST})
        bench = calm(BenchLoad(amps=6.0, settings={"ask_s": 300.0, "amps": 6.0}), pump)
        bench.house = 8.0  # 20 A
        bench.run(60)
        assert bench.actions("shed") == ["pump"]

    def test_it_may_ask_before_it_switches_on(self) -> None:
        bench = calm(BenchLoad(settings={"restore": Restore.ASK}))
        bench.house = 14.0
        bench.run(60)
        bench.house = 2.0
        bench.run(600)
        assert bench.asks() is LoadAction.RESTORE
        assert bench.reason() is LoadReason.ASKED_BACK
        assert bench.actions("restore") == []
        bench.control_loads.each["boiler"].answer(LoadAction.RESTORE, is_yes=True, now=bench.now)
        bench.run(5)
        assert bench.actions("restore") == ["boiler"]


def test_an_iron_is_never_switched_on_again() -> None:
    bench = calm(BenchLoad(settings={"restore": Restore.NEVER}))
    bench.house = 14.0
    bench.run(60)
    bench.house = 2.0
    bench.run(3600)
    assert bench.actions("restore") == []
    assert bench.reason() is LoadReason.LEFT_OFF
    assert bench.control_loads.release("boiler", bench.controller.strain(bench.now), now=bench.now) is None


def test_whose_shed_it_is_survives_a_restart() -> None:
    bench = calm()
    bench.house = 14.0
    bench.run(60)
    bench.restart()
    bench.run(60)
    assert bench.reason() is LoadReason.SHED
    bench.house = 2.0
    bench.run(300)
    assert bench.actions("restore") == ["boiler"]


def test_one_that_was_not_told_any_more_before_a_restart_is_not_ours() -> None:
    bench = calm()
    bench.house = 14.0
    while not bench.told:
        bench.run(1)
    bench.restart()  # it was remembered, and the process ended before it was told
    bench.house = 2.0
    bench.run(60)
    assert bench.load.is_on
    assert bench.reason() is LoadReason.ON


@pytest.mark.parametrize(
    "record", [{}, {"shed": True, "amps": "x", "phases": [7], "missed": -1, "today": None}, {"shed": -3, "phases": []}]
)
def test_a_damaged_record_is_left_out(record: dict[str, Any]) -> None:
    bench = LoadBench()
    bench.control_loads.each["boiler"].restore(record)
    bench.run(60)
    assert bench.reason() is LoadReason.ON


def test_it_is_given_back_when_control_ends_where_that_is_safe() -> None:
    bench = calm()
    bench.house = 14.0
    bench.run(60)
    strain = bench.controller.strain(bench.now)
    assert bench.control_loads.release("boiler", strain, now=bench.now) is None
    bench.house = 2.0
    bench.run(5)
    strain = bench.controller.strain(bench.now)
    command = bench.control_loads.release("boiler", strain, now=bench.now)
    assert command == LoadCommand(load_id="boiler", action=LoadAction.RESTORE)


def test_chargers_give_all_they_can_before_anything_goes_off() -> None:
    bench = calm(BenchLoad(amps=6.0), cars=(BenchCar(),), budget=25.0, house=2.0)
    bench.house = 16.0  # with the boiler 22 A: the car's 16 A are too much, the boiler is not
    bench.run(120)
    assert not bench.told
    assert bench.car.amps == 0 or bench.total <= 25.3
    bench.house = 25.0
    bench.run(120)
    assert bench.actions("shed") == ["boiler"]


def test_a_charger_gives_way_to_a_load_that_is_to_come_back() -> None:
    bench = calm(BenchLoad(settings={"amps": 10.0}), cars=(BenchCar(),), budget=25.0, house=2.0)
    bench.house = 17.0  # 27 A without the car
    bench.run(900)
    assert bench.actions("shed") == ["boiler"]
    bench.house = 8.0  # the car takes all the rest
    for _ in range(400):
        bench.run(1)
        assert bench.controller.protection_load < 0.5
    assert bench.actions("restore") == ["boiler"]
    bench.run(300)
    assert bench.total <= 25.3
    assert bench.car.amps >= 5


def test_a_charger_that_cannot_be_told_is_not_waited_for_in_vain() -> None:
    bench = calm(BenchLoad(amps=8.0), cars=(BenchCar(),), budget=25.0, house=1.0)
    bench.car.obeys = False
    bench.house = 6.0  # 30 A
    for _ in range(300):
        bench.run(1)
        assert bench.controller.protection_load < 1
    assert bench.actions("shed")


def test_nothing_is_done_about_export() -> None:
    bench = calm()
    bench.house = -45.0
    bench.run(120)
    assert not bench.told


def test_nothing_is_switched_while_the_meter_is_silent_and_all_comes_back_after_an_hour() -> None:
    bench = calm()
    bench.house = 14.0
    bench.run(60)
    bench.meter = False
    bench.run(3000)
    assert bench.actions("restore") == []
    bench.run(1000)
    assert bench.actions("restore") == ["boiler"]


def test_one_that_has_to_go_again_soon_waits_for_longer() -> None:
    bench = calm(BenchLoad(settings={"amps": 10.0}))
    for _ in range(3):
        bench.house = 12.0
        bench.run(60)
        bench.house = 2.0
        bench.run(130)
    assert len(bench.actions("shed")) == 2, "the third time it had not come back yet"


@pytest.mark.parametrize(
    "settings", [{"amps": -1.0}, {"least_on_s": float("nan")}, {"phases": (4,)}, {"phases": ()}, {"ask_s": -1.0}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|numbered"):
        LoadSettings(**settings)


@examined(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@example(house=[4.7, 12.8, 13.8, 6.1, 1.9], amps=(7.0, 5.4), told=False)  # both go at once
@given(
    house=st.lists(st.floats(0.0, 15.0), min_size=3, max_size=5),
    amps=st.tuples(st.floats(2.0, 7.0), st.floats(2.0, 7.0)),
    told=st.booleans(),
)
def test_a_house_that_alone_is_borne_never_opens_its_breaker_and_all_comes_back(
    house: list[float], amps: tuple[float, float], told: bool
) -> None:
    bench = LoadBench(
        *(
            BenchLoad(load_id=name, amps=each, settings={"amps": each} if told else {})
            for name, each in zip(("boiler", "pump"), amps, strict=True)
        ),
        protection=Protection(rating_amps=16.0),
    )
    for level in house:
        bench.house = level
        for _ in range(180):
            bench.run(1)
            assert bench.controller.protection_load < 1
    bench.house = 0.0
    bench.run(2500)
    assert all(load.is_on for load in bench.loads)
    assert bench.settings.mode is Mode.BALANCED
