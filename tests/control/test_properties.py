"""Whatever happens, in whatever order: what the controller never does, and what it comes to once all is well again."""

from dataclasses import dataclass, field
import json
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
    Priority,
    Reading,
    Reason,
    SiteSettings,
    Supply,
)
from custom_components.amp_sensor.control.bearing import ADOPT_S
from custom_components.amp_sensor.control.belief import STEADY_A
from custom_components.amp_sensor.control.charger import (
    AGAIN_S,
    LONGEST_COMMAND_S,
    PATIENCE_CUT_S,
    PERSON_CUT_S,
    PERSON_RAISE_S,
    START_EVERY_S,
    STARTS,
)
from custom_components.amp_sensor.control.choice import QUIET_S
from custom_components.amp_sensor.control.prices import OVER_A
from tests.control.honest import HonestCar
from tests.control.liveness import liveness

CARS = st.sampled_from(["one", "two"])
BUDGETS = st.sampled_from([40.0, 25.0, 15.5, 10.0, 6.0])
PRICED = st.sampled_from([Mode.STRICT, Mode.BALANCED, Mode.EAGER])
MODES = st.sampled_from([Mode.BALANCED, Mode.EAGER, Mode.STRICT, Mode.EAGER, Mode.BALANCED, Mode.OFF, Mode.MONITOR])
OFTEN = st.sampled_from([True, True, True, False])
LIMITS = st.none() | st.sampled_from([0.0, 5.0, 8.0, 13.0, 16.0, 32.0])
KNOWN = st.sampled_from(["told", "told", "reported", "unknown"])
PHASES = st.integers(0, 2)
FLOOR = 5
"""The least that these cars can charge with, A."""
SMOOTHED_PART = 0.03
"""The most of a reading by which averaging may leave the house too low (docs/controller.md)."""
SAFE_AGAIN_S = 240.0
"""Once everything is as it should be, within which a site is at its budget whatever was before, s: a cloud that asked
for patience is left alone for 120, or a command without an answer lives for 60; then two rounds of cuts."""
CHARGES_AGAIN_S = 1200.0
"""Within which a car charges that may, s: where a person was needed, the cloud asked for patience, or starts are used
up, it waits for 900, and a house that was busy has to be calm for minutes."""
FULL_AGAIN_S = 1500.0
"""Within which it charges with all that it may, s: another raise after that."""


def _reading(now: float, *amps: float | None) -> Reading:
    told = [each for each in amps if each is not None]
    return Reading(at=now, amps=amps, volts=(230.0,) * len(amps), watts=230.0 * sum(told))


def _lowers(command: Command, first: Command) -> bool:
    """Whether a command asks for no more than one before it."""
    return command.action is Action.STOP or (command.action is Action.SET_AMPS and command.amps <= (first.amps or 0))


def _check_smoothing(controller: Controller, told: tuple[float | None, ...], now: float) -> None:
    """No more is taken off a phase than those may draw that are known to load it; what is not told is not less."""
    for phase, (house, amps) in enumerate(zip(controller.house, told, strict=False)):
        if amps is None:
            continue
        most = sum(
            charger.belief.bounds(now)[1]
            for charger_id, charger in controller.chargers.items()
            if phase + 1 in (controller.phases_of(charger_id) or ())
        )
        assert house >= amps - most - SMOOTHED_PART * abs(amps) - 1e-9, "averaging hides a rise of the house"


@given(
    draws=st.sampled_from([0.0, 5.0, 16.0, 32.0]),
    changes=st.lists(st.floats(-0.06, 0.06) | st.floats(-1, 1), min_size=1, max_size=60),
    phases=st.integers(1, 3),
    exports=st.sampled_from([0.0, 20.0]),
)
def test_averaging_the_noise_hides_no_more_of_a_rise_than_it_says(
    draws: float, changes: list[float], phases: int, exports: float
) -> None:
    """However the house rises: at once, or by what each time could be noise."""
    controller = Controller(SiteSettings(max_amps=40), now=0)
    controller.set_charger("car", ChargerSettings(max_amps=32, phases=(phases,)), now=0)
    state = ChargingState.CHARGING if draws else ChargingState.STOPPED
    report = ChargerReport(
        age_s=1, state=state, requested_amps=draws, measured_amps=draws, limit_amps=32, plugged_in=True, at_home=True
    )
    controller.add_report("car", report, now=0)
    house = 4.0
    for number, change in enumerate(changes):
        house = min(60.0, max(0.0, house + change * (house + draws)))
        told = tuple(house - exports + (draws if phase == phases - 1 else 0.0) for phase in range(phases))
        controller.add_reading(_reading(5.0 * number, *told))
        _check_smoothing(controller, told, 5.0 * number)


@dataclass
class Car(HonestCar):
    """What the test knows of one car, by what went over the wire and no more."""

    settings: ChargerSettings = field(default_factory=lambda: ChargerSettings(max_amps=16))
    last: ChargerReport | None = None
    sent_at: float = -inf
    sent_amps: int | None = None
    no_raise_before: float = -inf
    no_cut_before: float = -inf
    starts: list[float] = field(default_factory=list)
    late: list[Command] = field(default_factory=list)
    """Commands that were given up; their ends may come yet."""
    ours: bool = False
    """Whether it was told to stop, or to start, since it was last seen charging."""
    stopped_by_user: bool = False

    def forbids(self, *, although_unmanaged: bool = False) -> bool:
        """Whether nobody may command it now."""
        report = self.last
        return (
            not self.may_be_reached(although_unmanaged=although_unmanaged)
            or report is None
            or self.stopped_by_user
            or (report.scheduled and not (self.ours or report.state.draws))
            or report.state in (ChargingState.COMPLETE, ChargingState.NO_POWER)
        )

    def may_be_reached(self, *, although_unmanaged: bool = False) -> bool:
        """Whether it is here, connected and awake."""
        report = self.last
        return (
            report is not None
            and (self.settings.managed or although_unmanaged)
            and report.at_home is True
            and report.plugged_in is not False
            and not report.asleep
            and report.state is not ChargingState.DISCONNECTED
        )

    def draws_unasked(self) -> bool:
        """Whether it said that it draws current although it does not charge."""
        report = self.last
        return report is not None and not report.state.draws and (report.measured_amps or 0.0) > STEADY_A

    def most(self, budget: float) -> int:
        """Return the most that it may be given, A."""
        limit = self.last.limit_amps if self.last else None
        known = [int(limit)] if limit is not None and limit >= FLOOR else []
        return min(self.settings.max_amps, floor(budget), *known)


class AnyOrder(RuleBasedStateMachine):
    """A site with two cars to which everything happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.house = [3.0]
        self.cars: dict[str, Car] = {}
        self.decisions: tuple[Decision, ...] = ()

    @initialize(
        budget=BUDGETS,
        mode=PRICED,
        phases=st.sampled_from([1, 1, 2, 3, 3]),
        supply_is_told=st.booleans(),
        loads=st.tuples(*[st.lists(PHASES, min_size=1, unique=True)] * 2),
        known=st.tuples(KNOWN, KNOWN),
    )
    def begin(
        self,
        *,
        budget: float,
        mode: Mode,
        phases: int,
        supply_is_told: bool,
        loads: tuple[list[int], ...],
        known: tuple[str, ...],
    ) -> None:
        supply = {1: Supply.SINGLE, 2: Supply.SPLIT, 3: Supply.THREE}[phases]
        self.settings = SiteSettings(max_amps=budget, mode=mode, supply=supply if supply_is_told else None)
        self.house = [3.0] * phases
        for name, on, how in zip(("one", "two"), loads, known, strict=True):
            loaded = tuple(sorted(phase for phase in on if phase < phases)) or (0,)
            told = tuple(phase + 1 for phase in loaded) if how == "told" else None
            self.cars[name] = Car(
                name,
                phases=loaded,
                request=5 if name == "one" else 16,
                charging=name == "one",
                tells_phases=how == "reported",
                settings=ChargerSettings(max_amps=16, phases=told),
            )
            self.cars[name].settle()
        self._start(None)
        self.all_goes_its_way(20, answers=True, reports=True)

    def _start(self, record: Any) -> None:
        self.controller = Controller(self.settings, now=self.now)
        self.started_at, self.read_at = self.now, -inf
        self.told: tuple[float | None, ...] = ()
        self.is_believed = self.exported = False
        self.highest_budget = self.settings.max_amps
        for name, car in self.cars.items():
            car.in_flight = car.sent_amps = car.last = None
            car.no_raise_before = car.no_cut_before = car.sent_at = -inf
            car.starts, car.late, car.stopped_by_user = [], [], False
            self.controller.set_charger(name, car.settings, now=self.now)
        if record is not None:
            self.unreadable = self.controller.restore(record)
            self.exported = self.controller.record()["exports"]
        for name, car in self.cars.items():
            car.ours = name in self.controller.paused

    # -- what happens -------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 2, 4, 8, 16, 31]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self._decide()

    @rule(seconds=st.sampled_from([61, 125, 400, 4000]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.now += seconds
        self._decide()

    @rule(amps=st.sampled_from([-25.0, -3.0, 0.5, 2.0, 5.0, 9.0, 12.0, 14.0, 20.0, 30.0]), phase=st.none() | PHASES)
    def the_house_changes(self, amps: float, phase: int | None) -> None:
        for number in range(len(self.house)):
            if phase is None or number == phase % len(self.house):
                self.house[number] = amps

    @rule(noise=st.sampled_from([0.0, 0.0, 0.1, -0.4]))
    def the_meter_reads(self, noise: float) -> None:
        self._read(*(amps + noise for amps in self._flows()))

    @rule(amps=st.lists(st.none() | st.floats(-30, 70) | st.sampled_from([480.0, -480.0, 0.0]), min_size=1, max_size=3))
    def the_meter_reads_anything(self, amps: list[float | None]) -> None:
        if any(each is not None for each in amps):
            self._read(*amps)

    @rule(phase=PHASES, is_short=st.booleans(), times=st.sampled_from([1, 1, 6, 30]))
    def the_meter_leaves_out_a_phase(self, phase: int, is_short: bool, times: int) -> None:
        flows: list[float | None] = list(self._flows())
        if len(flows) == 1:
            return
        if is_short:
            flows.pop(phase % len(flows))
        else:
            flows[phase % len(flows)] = None
        for number in range(times):
            self.now += 5
            self._read(*(None if amps is None else amps + number % 2 / 50 for amps in flows))

    @rule(times=st.sampled_from([3, 12, 30, 60]), answers=OFTEN, reports=OFTEN)
    def all_goes_its_way(self, times: int, answers: bool, reports: bool) -> None:
        for number in range(times):
            self.now += 5
            self._decide()
            for name, car in self.cars.items():
                if answers and car.in_flight:
                    self.it_ends(name, Outcome.ACCEPTED, 0.0, needs_person=False, obeys=True)
                if reports and number % 3 == 0:
                    self._report(name, age_s=1.0)
            self._read(*(amps + number % 2 / 50 for amps in self._flows()))

    @rule(
        name=CARS,
        outcome=st.sampled_from(Outcome),
        wait_s=st.sampled_from([0.0, 0.0, 20.0, 900.0]),
        needs_person=st.sampled_from([False, False, False, True]),
        obeys=st.booleans(),
    )
    def it_ends(self, name: str, outcome: Outcome, wait_s: float, needs_person: bool, obeys: bool) -> None:
        car = self.cars[name]
        if (command := car.in_flight) is None:
            return
        self._acknowledge(car, command, outcome, wait_s=wait_s, needs_person=needs_person)
        if obeys:
            self._obey(car, command)
        self._decide()

    @rule(name=CARS, outcome=st.sampled_from(Outcome), obeys=st.booleans())
    def the_end_of_an_old_command_comes_late(self, name: str, outcome: Outcome, obeys: bool) -> None:
        car = self.cars[name]
        if not car.late:
            return
        command = car.late.pop()
        self._acknowledge(car, command, outcome, wait_s=0.0, needs_person=False)
        if obeys:
            self._obey(car, command)
        self._decide()

    @rule(name=CARS, age_s=st.sampled_from([-3.0, 1.0, 4.0, 40.0, 130.0, 400.0, inf]))
    def a_car_tells(self, name: str, age_s: float) -> None:
        self._report(name, age_s=age_s)
        self._decide()

    @rule(amps=st.sampled_from([-9.0, 2.0, 4.0, 11.0]), seconds=st.sampled_from([1, 2, 5]))
    def the_house_calms_down_and_then_time_passes(self, amps: float, seconds: int) -> None:
        self.house = [amps] * len(self.house)
        self.all_goes_its_way(60, answers=True, reports=True)
        self.time_passes(seconds)

    @rule(name=CARS, amps=st.sampled_from([0, 5, 7, 10, 16, 32]))
    def a_user_sets_amps(self, name: str, amps: int) -> None:
        self.cars[name].request = amps
        self.cars[name].settle()

    @rule(name=CARS, on=OFTEN)
    def a_user_starts_or_stops(self, name: str, on: bool) -> None:
        self.cars[name].charging = on
        self.cars[name].settle()

    @rule(
        name=CARS,
        age_s=st.sampled_from([1.0, 400.0]),
        state=st.sampled_from(ChargingState),
        requested=LIMITS,
        measured=LIMITS,
        limit=LIMITS,
        phases=st.sampled_from([None, 1, 2, 3]),
        volts=st.sampled_from([None, 230.0, 460.0]),
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
        self._set(budget, mode)
        self._decide()

    @rule(part=st.floats(0.3, 0.99))
    def the_budget_is_lowered(self, part: float) -> None:
        before = {decision.charger_id: decision.target for decision in self._decide()}
        self._set(max(6.0, self.settings.max_amps * part), self.settings.mode)
        for decision in self._decide():
            # But for a raise that is due anyhow: what each level threatens was learned by itself, and need not agree;
            # and for a cut that is given up because it cannot be sent, and what it was to end has ended
            is_due = decision.reason in (Reason.RAISED, Reason.STARTED, Reason.BLOCKED)
            assert is_due or decision.target <= before[decision.charger_id], "a lower budget raised a target"

    def _set(self, budget: float, mode: Mode) -> None:
        self.settings = SiteSettings(max_amps=budget, mode=mode, supply=self.settings.supply)
        self.highest_budget = max(self.highest_budget, budget)
        self.controller.configure(self.settings, now=self.now)

    @rule(
        name=CARS,
        most=st.sampled_from([5, 8, 16, 32]),
        least=st.sampled_from([5, 8]),
        managed=OFTEN,
        priority=st.sampled_from(Priority),
        is_told=st.booleans(),
    )
    def a_charger_is_set(
        self, *, name: str, most: int, least: int, managed: bool, priority: Priority, is_told: bool
    ) -> None:
        car = self.cars[name]
        car.settings = ChargerSettings(
            max_amps=most,
            min_amps=least,
            managed=managed,
            priority=priority,
            phases=tuple(phase + 1 for phase in car.phases) if is_told else None,
        )
        self.controller.set_charger(name, car.settings, now=self.now)
        self._decide()

    @precondition(lambda self: self.now > 300)
    @rule(
        remembers=OFTEN,
        damaged=st.none() | st.sampled_from(["house", "heat_a2", "exports", "chargers"]),
        by=st.sampled_from([None, 7, "x", [[]], {"one": 3}]),
    )
    def it_restarts(self, remembers: bool, damaged: str | None, by: Any) -> None:
        record: Any = json.loads(json.dumps(self.controller.record()))
        if damaged is not None:
            record[damaged] = by
        self._start(record if remembers else None)
        if remembers:
            assert set(self.unreadable) <= {damaged}
        self._decide()

    @rule(name=CARS)
    def control_of_a_car_ends(self, name: str) -> None:
        car = self.cars[name]
        command = self.controller.release(name, now=self.now)
        if command is None:
            return
        assert command.action is not Action.STOP
        assert not car.forbids(although_unmanaged=True)
        assert self.now >= car.no_raise_before
        assert car.in_flight is None
        assert command.amps <= car.most(self.settings.max_amps)
        assert self.now - self.read_at <= QUIET_S
        self._check_room(car, command.amps or 0)
        self._send(car, command)

    # -- how it happens -----------------------------------------------------------------------------------------

    def _flows(self) -> tuple[float, ...]:
        return tuple(
            amps + sum(car.draws for car in self.cars.values() if phase in car.phases)
            for phase, amps in enumerate(self.house)
        )

    def _read(self, *amps: float | None) -> None:
        most = 8 * self.highest_budget
        told = tuple(None if each is None or abs(each) > most else each for each in amps)
        held = self.controller._house.read if len(told) < self.controller.phases else ()
        self.controller.add_reading(_reading(self.now, *amps))
        self.told, self.is_believed = told, any(each is not None for each in told)
        if self.is_believed:
            self.read_at = self.now
            self.exported = self.exported or min(each for each in told if each is not None) < -0.5
            # Which phases a short reading left out, nobody knows: less than before says nothing of any
            rises = [None if each is None or each <= was else each for each, was in zip(told, held, strict=False)]
            _check_smoothing(self.controller, tuple(rises) if held else told, self.now)
        self._decide()

    def _acknowledge(self, car: Car, command: Command, outcome: Outcome, *, wait_s: float, needs_person: bool) -> None:
        if command == car.in_flight:
            car.in_flight = None
            if outcome is Outcome.ACCEPTED:
                car.no_raise_before = car.no_cut_before = -inf
            elif needs_person and outcome is not Outcome.UNKNOWN:  # that may be taken for done
                car.no_raise_before, car.no_cut_before = self.now + PERSON_RAISE_S, self.now + PERSON_CUT_S[0]
            if wait_s:
                car.no_raise_before = max(car.no_raise_before if needs_person else -inf, self.now + wait_s)
                car.no_cut_before = self.now + min(wait_s, PATIENCE_CUT_S)
        self.controller.acknowledge(command, outcome, now=self.now, retry_after_s=wait_s, needs_person=needs_person)

    @staticmethod
    def _obey(car: Car, command: Command) -> None:
        car.obey(command)
        car.settle()

    def _report(self, name: str, age_s: float) -> None:
        self._tell(name, ChargerReport(**{**_fields(self.cars[name].report()), "age_s": age_s}))

    def _tell(self, name: str, report: ChargerReport) -> None:
        car = self.cars[name]
        first, car.last = car.last is None, report
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
        for car in self.cars.values():
            if car.in_flight is not None and self.now - car.sent_at > LONGEST_COMMAND_S:
                car.late.append(car.in_flight)
                car.in_flight = None
        chargers = self.controller.chargers
        settled = {name: chargers[name].belief.is_settled for name in self.cars}
        self.decisions = self.controller.decide(now=self.now)
        for name, car in self.cars.items():
            sent = next((each.command for each in self.decisions if each.charger_id == name), None)
            if car.in_flight is not None and (sent is not None or chargers[name].in_flight is None):
                assert self.now - car.sent_at >= AGAIN_S, "a second command in flight"
                assert sent is None or _lowers(sent, car.in_flight), "a raise beside a command in flight"
                car.late.append(car.in_flight)
                car.in_flight = None
        for decision in self.decisions:
            car = self.cars[decision.charger_id]
            assert decision.reason in Reason
            assert decision.target >= 0
            if decision.command is not None:
                self._check(car, decision, decision.command, settled=settled[decision.charger_id])
                self._send(car, decision.command)
        assert set(self.controller.reports_wanted(self.now)) <= set(self.cars)
        return self.decisions

    def _send(self, car: Car, command: Command) -> None:
        car.in_flight, car.sent_at = command, self.now
        if command.action is Action.SET_AMPS:
            car.sent_amps = command.amps
        else:
            car.ours = True

    def _check(self, car: Car, decision: Decision, command: Command, *, settled: bool) -> None:
        assert car.in_flight is None, "a second command in flight"
        assert self.settings.mode not in (Mode.OFF, Mode.MONITOR)
        assert self.now >= car.no_cut_before, "a command before the cloud wanted one"
        last = car.last.requested_amps if car.last else None
        known = [amps for amps in (car.sent_amps, last) if amps is not None]
        if car.forbids():
            # But for the limit of a car that heats its cabin
            assert car.may_be_reached(), "a command to a car that is not to be commanded"
            assert car.draws_unasked(), "a command to a car that is not to be commanded"
            assert command.action is Action.SET_AMPS
            assert command.amps >= FLOOR
            assert decision.reason is Reason.OVER_BUDGET
            return
        match command.action:
            case Action.SET_AMPS:
                assert FLOOR <= command.amps <= car.most(self.settings.max_amps), "more than it may have, or too little"
                heats = decision.target == 0 and car.draws_unasked()  # its cabin, while it is paused
                assert heats or command.amps == decision.target
                if known and command.amps > max(known):
                    self._check_raise(car, command.amps, settled=settled)
            case Action.START:
                # One whose limit was set for it goes on where no more than noise is missing
                self._check_raise(car, decision.target, settled=settled, spare=OVER_A)
                car.starts.append(self.now)
                for number, at in enumerate(car.starts):
                    allowed = STARTS + (self.now - at) / START_EVERY_S
                    assert len(car.starts) - number <= allowed + 1e-9, "too many starts"

    def _check_raise(self, car: Car, amps: int, *, settled: bool, spare: float = 1e-9) -> None:
        assert settled, "a raise while nobody knows what it draws"
        assert self.now >= car.no_raise_before, "a raise before the cloud wanted one"
        assert self.now - self.started_at >= ADOPT_S, "a raise in the first minute"
        quiet_s = max(QUIET_S, 3 * self.controller.meter.interval_s)
        assert self.now - self.read_at <= quiet_s, "a raise on an old reading"
        assert None not in self.told, "a raise on a reading that does not tell all"
        assert len(self.told) >= self.controller.phases, "a raise on a reading that does not tell all"
        self._check_room(car, amps, spare=spare)

    def _check_room(self, car: Car, amps: int, *, spare: float = 1e-9) -> None:
        """What the others may draw, the house and this one fit on every phase that it is known to load."""
        for number in self.controller.phases_of(car.name) or ():
            others = sum(
                charger.belief.bounds(self.now)[1]
                for name, charger in self.controller.chargers.items()
                if name != car.name and number in (self.controller.phases_of(name) or ())
            )
            assert self.controller.house[number - 1] + others + amps <= self.settings.max_amps + spare, "no room for it"

    @invariant()
    def the_protection_is_between_cold_and_open(self) -> None:
        if self.cars:
            assert 0 <= self.controller.protection_load <= 1

    @invariant()
    def a_house_that_never_exported_draws_no_less_than_nothing(self) -> None:
        if self.cars and not self.exported:
            assert all(amps >= 0 for amps in self.controller.house)

    @invariant()
    def it_knows_no_more_phases_than_there_can_be(self) -> None:
        if self.cars:
            assert self.controller.phases <= 3, "no house has more"
            if self.settings.supply is not None:
                assert self.controller.phases >= self.settings.supply.phases
            assert all(1 <= number <= 3 for number in self.controller.silent_phases(self.now))

    # -- how it ends --------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """From now on, everything is as it should be: so it comes right."""
        if not self.cars:
            return
        if self.settings.mode in (Mode.OFF, Mode.MONITOR):
            self._set(self.settings.max_amps, Mode.BALANCED)
        for car in self.cars.values():
            car.tells_phases = car.tells_phases or car.settings.phases is None
            car.is_users_stop = True  # whatever its reports said of it
        liveness(
            self.controller,
            list(self.cars.values()),
            tuple(self.house),
            settings=self.settings,
            chargers={name: car.settings for name, car in self.cars.items()},
            now=self.now,
        ).come_right(safe_s=SAFE_AGAIN_S, charging_s=CHARGES_AGAIN_S, full_s=FULL_AGAIN_S, stays_s=300.0)


def _fields(report: ChargerReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in ChargerReport.__slots__}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
