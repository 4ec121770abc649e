"""Whatever happens, in whatever order: what the controller never does."""

from dataclasses import dataclass, field
from math import floor, inf
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Command,
    Controller,
    Decision,
    Mode,
    Outcome,
    Reading,
    Reason,
    SiteSettings,
)
from custom_components.amp_sensor.control.charger import BLOCKED_S, START_EVERY_S, STARTS
from custom_components.amp_sensor.control.controller import ADOPT_S, QUIET_S

CARS = st.sampled_from(["one", "two"])
BUDGETS = st.sampled_from([40.0, 25.0, 15.5, 10.0, 6.0])
MODES = st.sampled_from([Mode.BALANCED, Mode.EAGER, Mode.STRICT, Mode.EAGER, Mode.BALANCED, Mode.OFF, Mode.MONITOR])
OFTEN = st.sampled_from([True, True, True, False])
LIMITS = st.none() | st.sampled_from([0.0, 5.0, 8.0, 13.0, 16.0, 32.0])


SMOOTHED_PART = 0.03
"""The most of a reading by which averaging may leave the house too low (docs/controller.md)."""


def _reading(now: float, *amps: float) -> Reading:
    return Reading(at=now, amps=amps, volts=(230.0,) * len(amps), watts=230.0 * sum(amps))


def _check_smoothing(controller: Controller, amps: float, now: float) -> None:
    most = sum(charger.belief.bounds(now)[1] for charger in controller.chargers.values())
    house = controller.house_current()
    assert house is not None
    assert house >= amps - most - SMOOTHED_PART * amps - 1e-9, "averaging hides a rise of the house"


@given(
    draws=st.sampled_from([0.0, 5.0, 16.0, 32.0]),
    changes=st.lists(st.floats(-0.06, 0.06) | st.floats(-1, 1), min_size=1, max_size=60),
)
def test_averaging_the_noise_hides_no_more_of_a_rise_than_it_says(draws: float, changes: list[float]) -> None:
    """However the house rises: at once, or by what each time could be noise."""
    controller = Controller(SiteSettings(max_amps=40), now=0)
    controller.set_charger("car", ChargerSettings(max_amps=32), now=0)
    state = ChargingState.CHARGING if draws else ChargingState.STOPPED
    report = ChargerReport(
        age_s=1, state=state, requested_amps=draws, measured_amps=draws, limit_amps=32, plugged_in=True, at_home=True
    )
    controller.add_report("car", report, now=0)
    house = 4.0
    for number, change in enumerate(changes):
        house = min(60.0, max(0.0, house + change * (house + draws)))
        controller.add_reading(_reading(5.0 * number, house + draws))
        _check_smoothing(controller, house + draws, 5.0 * number)


@dataclass
class Car:
    """What the test knows of one car, by what went over the wire and no more."""

    settings: ChargerSettings
    report: ChargerReport | None = None
    draws: float = 0.0
    request: int = 16
    in_flight: Command | None = None
    sent_amps: int | None = None
    blocked_until: float = -inf
    starts: list[float] = field(default_factory=list)
    ours: bool = False
    """Whether it was told to stop, or to start, since it was last seen charging."""
    stopped_by_user: bool = False

    def forbids(self, now: float, *, although_unmanaged: bool = False) -> bool:
        """Whether nobody may command it now."""
        report = self.report
        return (
            report is None
            or not (self.settings.managed or although_unmanaged)
            or self.stopped_by_user
            or report.at_home is not True
            or report.plugged_in is False
            or report.asleep
            or report.scheduled
            or report.state in (ChargingState.DISCONNECTED, ChargingState.COMPLETE, ChargingState.NO_POWER)
            or self.blocked_until - now > BLOCKED_S
        )

    def most(self, budget: float) -> int:
        """Return the most that it may be given, A."""
        limit = self.report.limit_amps if self.report else None
        return min(self.settings.max_amps, floor(budget), *([int(limit)] if limit else []))


class AnyOrder(RuleBasedStateMachine):
    """A site with two cars to which everything happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.house = 3.0
        self.cars: dict[str, Car] = {}
        self.decisions: tuple[Decision, ...] = ()

    @initialize(budget=BUDGETS, mode=st.sampled_from([Mode.STRICT, Mode.BALANCED, Mode.EAGER]))
    def begin(self, budget: float, mode: Mode) -> None:
        self.settings = SiteSettings(max_amps=budget, mode=mode)
        self.cars = {
            "one": Car(ChargerSettings(max_amps=16), draws=5.0, request=5),
            "two": Car(ChargerSettings(max_amps=16)),
        }
        self._start(None)
        self.all_goes_its_way(20, answers=True, reports=True)

    def _start(self, record: Any) -> None:
        self.controller = Controller(self.settings, now=self.now)
        self.started_at, self.read_at, self.moved_at = self.now, -inf, self.now
        self.last_amps: tuple[float, ...] | None = None
        for name, car in self.cars.items():
            car.in_flight = car.sent_amps = car.report = None
            car.blocked_until, car.starts, car.ours = -inf, [], bool(record and name in record["paused"])
            car.stopped_by_user = False
            self.controller.set_charger(name, car.settings, now=self.now)
        if record:
            self.controller.restore(record)

    # -- what happens -------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 2, 4, 8, 16, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self._decide()

    @rule(seconds=st.sampled_from([61, 125, 400, 4000]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.now += seconds
        self._decide()

    @rule(amps=st.sampled_from([0.5, 2.0, 5.0, 9.0, 12.0, 14.0, 20.0, 30.0]))
    def the_house_changes(self, amps: float) -> None:
        self.house = amps

    @rule(noise=st.sampled_from([0.0, 0.0, 0.1, -0.4]))
    def the_meter_reads(self, noise: float) -> None:
        self._read(max(0.0, self.house + noise + sum(car.draws for car in self.cars.values())))

    @rule(amps=st.floats(0, 70), phases=st.integers(1, 3))
    def the_meter_reads_anything(self, amps: float, phases: int) -> None:
        self._read(*[amps / (number + 1) for number in range(phases)])

    @rule(times=st.sampled_from([3, 12, 30, 60]), answers=OFTEN, reports=OFTEN)
    def all_goes_its_way(self, times: int, answers: bool, reports: bool) -> None:
        for number in range(times):
            self.now += 5
            self._decide()
            for name, car in self.cars.items():
                if answers and car.in_flight:
                    self.it_ends(name, Outcome.ACCEPTED, 0.0, obeys=True)
                if reports and number % 3 == 0:
                    self._report(name, age_s=1.0)
            self._read(self.house + number % 2 / 50 + sum(car.draws for car in self.cars.values()))

    @rule(
        name=CARS,
        outcome=st.sampled_from(Outcome),
        wait_s=st.sampled_from([0.0, 0.0, 20.0, 900.0]),
        obeys=st.booleans(),
    )
    def it_ends(self, name: str, outcome: Outcome, wait_s: float, obeys: bool) -> None:
        car = self.cars[name]
        if (command := car.in_flight) is None:
            return
        car.in_flight = None
        if wait_s:
            car.blocked_until = self.now + wait_s
        self.controller.acknowledge(command, outcome, now=self.now, retry_after_s=wait_s)
        if obeys:
            if command.action is Action.SET_AMPS:
                car.request = command.amps
                car.draws = command.amps if car.draws else 0.0
            else:
                car.draws = car.request if command.action is Action.START else 0.0
        self._decide()

    @rule(name=CARS, age_s=st.sampled_from([-3.0, 1.0, 4.0, 40.0, 130.0, 400.0, inf]))
    def a_car_tells(self, name: str, age_s: float) -> None:
        self._report(name, age_s=age_s)
        self._decide()

    @rule(amps=st.sampled_from([2.0, 4.0, 11.0]), seconds=st.sampled_from([1, 2, 5]))
    def the_house_calms_down_and_then_time_passes(self, amps: float, seconds: int) -> None:
        self.house = amps
        self.all_goes_its_way(60, answers=True, reports=True)
        self.time_passes(seconds)

    @rule(name=CARS, amps=st.sampled_from([0, 5, 7, 10, 16, 32]))
    def a_user_sets_amps(self, name: str, amps: int) -> None:
        car = self.cars[name]
        car.request = amps
        car.draws = amps if car.draws else 0.0

    @rule(name=CARS, on=OFTEN)
    def a_user_starts_or_stops(self, name: str, on: bool) -> None:
        self.cars[name].draws = self.cars[name].request if on else 0.0

    @rule(
        name=CARS,
        age_s=st.sampled_from([1.0, 400.0]),
        state=st.sampled_from(ChargingState),
        requested=LIMITS,
        measured=LIMITS,
        limit=LIMITS,
        plugged_in=st.sampled_from([True, True, False, None]),
        at_home=st.sampled_from([True, True, False, None]),
        scheduled=st.sampled_from([False, False, True]),
        asleep=st.sampled_from([False, False, True]),
    )
    def a_car_tells_anything(
        self, name: str, age_s: float, requested: float | None, measured: float | None, limit: float | None, **rest: Any
    ) -> None:
        self._tell(
            name,
            ChargerReport(age_s=age_s, requested_amps=requested, measured_amps=measured, limit_amps=limit, **rest),
        )
        self._decide()

    @rule(budget=BUDGETS, mode=MODES)
    def the_site_is_set(self, budget: float, mode: Mode) -> None:
        self.settings = SiteSettings(max_amps=budget, mode=mode)
        self.controller.configure(self.settings, now=self.now)
        self._decide()

    @rule(part=st.floats(0.3, 0.99))
    def the_budget_is_lowered(self, part: float) -> None:
        before = {decision.charger_id: decision.target for decision in self._decide()}
        self.settings = SiteSettings(max_amps=max(6.0, self.settings.max_amps * part), mode=self.settings.mode)
        self.controller.configure(self.settings, now=self.now)
        for decision in self._decide():
            assert decision.target <= before[decision.charger_id], "a lower budget raised a target"

    @rule(name=CARS, most=st.sampled_from([5, 8, 16, 32]), least=st.sampled_from([5, 8]), managed=OFTEN)
    def a_charger_is_set(self, name: str, most: int, least: int, managed: bool) -> None:
        self.cars[name].settings = ChargerSettings(max_amps=most, min_amps=least, managed=managed)
        self.controller.set_charger(name, self.cars[name].settings, now=self.now)
        self._decide()

    @precondition(lambda self: self.now > 300)
    @rule(remembers=st.booleans())
    def it_restarts(self, remembers: bool) -> None:
        self._start(self.controller.record() if remembers else None)
        self._decide()

    @rule(name=CARS)
    def control_of_a_car_ends(self, name: str) -> None:
        car = self.cars[name]
        command = self.controller.release(name, now=self.now)
        if command is None:
            return
        assert command.action is not Action.STOP
        assert not car.forbids(self.now, although_unmanaged=True)
        assert self.now >= car.blocked_until
        assert car.in_flight is None
        assert command.amps <= car.most(self.settings.max_amps)
        assert self.now - self.read_at <= QUIET_S
        assert max(self.last_amps or (0.0,)) < self.settings.max_amps + 1
        car.in_flight = command
        if command.action is Action.SET_AMPS:
            car.sent_amps = command.amps
        else:
            car.ours = True

    # -- how it happens -----------------------------------------------------------------------------------------

    def _read(self, *amps: float) -> None:
        if self.last_amps != amps:
            self.moved_at = self.now
        self.read_at, self.last_amps = self.now, amps
        self.controller.add_reading(_reading(self.now, *amps))
        _check_smoothing(self.controller, max(amps), self.now)
        self._decide()

    def _report(self, name: str, age_s: float) -> None:
        car = self.cars[name]
        state = ChargingState.CHARGING if car.draws else ChargingState.STOPPED
        self._tell(
            name,
            ChargerReport(
                age_s=age_s,
                state=state,
                requested_amps=car.request,
                measured_amps=car.draws,
                limit_amps=32.0,
                plugged_in=True,
                at_home=True,
            ),
        )

    def _tell(self, name: str, report: ChargerReport) -> None:
        car = self.cars[name]
        first, car.report = car.report is None, report
        self.controller.add_report(name, report, now=self.now)
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            car.ours = False
        elif report.state.draws and not report.asleep:
            car.stopped_by_user = False
            if report.state is ChargingState.CHARGING and not first and car.in_flight is None:
                car.ours = False
        if first and report.state is ChargingState.STOPPED and not car.ours:
            car.stopped_by_user = True

    def _decide(self) -> tuple[Decision, ...]:
        chargers = self.controller._chargers
        settled = {name: chargers[name].belief.is_settled for name in self.cars}
        self.decisions = self.controller.decide(now=self.now)
        for decision in self.decisions:
            car = self.cars[decision.charger_id]
            assert decision.reason in Reason
            assert decision.target >= 0
            if decision.command is not None:
                self._check(car, decision, decision.command, settled=settled[decision.charger_id])
                car.in_flight = decision.command
        return self.decisions

    def _check(self, car: Car, decision: Decision, command: Command, *, settled: bool) -> None:
        assert car.in_flight is None, "a second command in flight"
        assert self.settings.mode not in (Mode.OFF, Mode.MONITOR)
        assert not car.forbids(self.now), "a command to a car that is not to be commanded"
        assert self.now >= car.blocked_until, "a command before the cloud wanted one"
        match command.action:
            case Action.SET_AMPS:
                assert 1 <= command.amps <= car.most(self.settings.max_amps), "more than it may have"
                assert command.amps == decision.target
                known = [amps for amps in (car.sent_amps, car.report and car.report.requested_amps) if amps is not None]
                if known and command.amps > max(known):
                    self._check_raise(settled=settled)
                car.sent_amps = command.amps
            case Action.START:
                self._check_raise(settled=settled)
                car.ours = True
                car.starts.append(self.now)
                for number, at in enumerate(car.starts):
                    allowed = STARTS + (self.now - at) / START_EVERY_S
                    assert len(car.starts) - number <= allowed + 1e-9, "too many starts"
            case Action.STOP:
                car.ours = True

    def _check_raise(self, *, settled: bool) -> None:
        assert settled, "a raise while nobody knows what it draws"
        assert self.now - self.started_at >= ADOPT_S, "a raise in the first minute"
        quiet_s = max(QUIET_S, 3 * self.controller.meter.interval_s)
        assert self.now - self.read_at <= quiet_s, "a raise on an old reading"

    @invariant()
    def the_protection_is_between_cold_and_open(self) -> None:
        if self.cars:
            assert 0 <= self.controller.protection_load <= 1

    @invariant()
    def the_house_draws_no_less_than_nothing(self) -> None:
        if self.cars:
            assert (self.controller.house_current() or 0.0) >= 0


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
