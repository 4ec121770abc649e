"""A rehearsal: lowered, paused and started on request, by the usual means, and the meter has to show each."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import Action, Reason, Rehearsal, Step, Verdict
from custom_components.amp_sensor.control.rehearsal import CUT_S, READY_S, SENT_S, START_S
from tests.control.bench import Bench, BenchCar

LONGEST_S = int(READY_S + 3 * (SENT_S + START_S + CUT_S))
MARGIN_A = 0.5
"""What the bench's noise makes of a budget, A."""


class Stage(Bench):
    """A bench whose controller looks at its rehearsal before each decision, as the site does."""

    rehearsal: Rehearsal

    def decide(self) -> None:
        """Look, then decide."""
        self.controller.look_at_rehearsal(now=self.now)
        super().decide()

    def begin(self, charger_id: str = "car") -> Rehearsal:
        """Begin to rehearse."""
        self.began_at = self.now
        self.rehearsal = self.controller.rehearse(charger_id, now=self.now)
        return self.rehearsal

    def run_until(self, is_there: Callable[[], bool], seconds: int = LONGEST_S) -> None:
        """Let time pass until something is so."""
        for _ in range(seconds):
            if is_there():
                return
            self.run(1)
        raise AssertionError("it did not come to that")

    def rehearse(self) -> Rehearsal:
        """Rehearse to the end."""
        self.begin()
        self.run_until(lambda: self.rehearsal.is_over)
        return self.rehearsal

    @property
    def told(self) -> list[tuple[Action, int]]:
        """What was sent since the rehearsal began."""
        return [(command.action, command.amps) for command in self.sent(after=self.began_at)]


def stage(seconds: int = 70, **more: Any) -> Stage:
    """Return a bench that is past its first minute."""
    made = Stage(**more)
    made.run(seconds)
    return made


def verdicts(rehearsal: Rehearsal) -> list[tuple[Step, Verdict | None]]:
    return [(trial.step, trial.verdict) for trial in rehearsal.trials]


def test_it_is_lowered_paused_and_started_and_each_is_seen() -> None:
    bench = stage()
    rehearsal = bench.rehearse()
    worked = Verdict.WORKED
    assert verdicts(rehearsal) == [(Step.LOWER, worked), (Step.STOP, worked), (Step.START, worked)]
    assert bench.told[:3] == [(Action.SET_AMPS, 5), (Action.STOP, 0), (Action.START, 0)]
    lower, stop, start = rehearsal.trials
    assert lower.moved == pytest.approx((11,), abs=0.1)
    assert stop.moved == start.moved == pytest.approx((5,), abs=0.1)
    for trial in rehearsal.trials:
        assert trial.answered_s == 2
        assert trial.shown_s is not None
        assert 3 <= trial.shown_s <= 8, "a second after the answer it moves, and the meter posts every five"
        assert trial.phases == (1,)
    assert rehearsal.obstacle is None


def test_what_it_taught_is_kept_as_numbers() -> None:
    bench = stage(house=(5.0, 4.0, 3.0), cars=(BenchCar(phases=(2, 3)),))
    learned = bench.rehearse().learned()
    assert learned["latency_s"] == 2
    assert learned["phases"] == [2, 3]
    assert 0 <= learned["moving_s"] <= 6
    assert 0 <= learned["start_lead_s"] <= 6


def test_afterwards_it_is_controlled_as_before() -> None:
    bench = stage()
    bench.rehearse()
    assert bench.controller.rehearsal is None
    bench.run(600)
    assert bench.car.amps == 16


def test_a_charger_at_its_minimum_is_not_lowered() -> None:
    bench = stage(cars=(BenchCar(amps=6, request=6, limit=6),))
    assert [step for step, _ in verdicts(bench.rehearse())] == [Step.STOP, Step.START]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda bench: bench.configure(mode="off"), Reason.OFF),
        (lambda bench: bench.configure(mode="monitor"), Reason.OFF),
        (lambda bench: bench.set_charger(managed=False), Reason.NOT_MANAGED),
        (lambda bench: bench.car.become(plugged_in=False), Reason.UNPLUGGED),
        (lambda bench: bench.car.become(at_home=False), Reason.AWAY),
        (lambda bench: bench.car.become(at_home=None), Reason.PLACE_UNKNOWN),
        (lambda bench: bench.car.become(state="complete", amps=0.0), Reason.COMPLETE),
        (lambda bench: bench.car.become(state="stopped"), Reason.STOPPED_BY_USER),
    ],
)
def test_where_it_may_not_be_commanded_it_is_not(make: Callable[[Bench], None], reason: Reason) -> None:
    bench = stage()
    make(bench)
    bench.report(bench.car)
    rehearsal = bench.rehearse()
    assert (rehearsal.obstacle, rehearsal.trials, bench.told) == (reason, [], [])
    assert bench.now - bench.began_at <= 2


def test_without_a_meter_nothing_is_tried() -> None:
    bench = stage()
    bench.meter = False
    bench.run(20)
    rehearsal = bench.rehearse()
    assert (rehearsal.obstacle, rehearsal.trials) == (Reason.METER_SILENT, [])
    never = Stage()
    never.meter = False
    assert never.rehearse().obstacle is Reason.METER_SILENT


def test_where_a_start_would_not_fit_it_is_not_paused() -> None:
    bench = stage(house=20.2, cars=(BenchCar(amps=5, request=5),))
    rehearsal = bench.rehearse()
    assert rehearsal.trials == []
    assert rehearsal.obstacle in (Reason.NO_HEADROOM, Reason.PAUSED)


def test_it_waits_until_a_new_site_knows_its_house() -> None:
    bench = stage(seconds=10)
    rehearsal = bench.rehearse()
    assert all(verdict is Verdict.WORKED for _, verdict in verdicts(rehearsal))


def test_a_charger_behind_another_meter_is_told_from_one_that_is_deaf() -> None:
    bench = stage(house=20.0, budget=40.0)
    bench.shows = lambda flows: tuple(amps - bench.car.amps for amps in flows)
    bench.run(30)
    assert verdicts(bench.rehearse()) == [(Step.LOWER, Verdict.UNSEEN)]
    deaf = stage()
    deaf.car.obeys = False
    assert verdicts(deaf.rehearse()) == [(Step.LOWER, Verdict.IGNORED)]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({"outcome": "refused"}, Verdict.REFUSED), ({"latency_s": 1e9}, Verdict.UNANSWERED)],
)
def test_a_charger_that_does_not_answer_well_is_told_so(changes: dict[str, Any], verdict: Verdict) -> None:
    bench = stage()
    for name, value in changes.items():
        setattr(bench.car, name, value)
    assert verdicts(bench.rehearse())[-1] == (Step.LOWER, verdict)
    assert bench.controller.chargers["car"].rehearsed is None


def test_a_meter_that_falls_silent_meanwhile_is_named() -> None:
    bench = stage()
    rehearsal = bench.begin()
    bench.run_until(lambda: bool(bench.told))
    bench.meter = False
    bench.run_until(lambda: rehearsal.is_over)
    assert rehearsal.obstacle is Reason.METER_SILENT


def test_it_is_left_alone_from_the_moment_that_it_is_not_ours() -> None:
    bench = stage()
    rehearsal = bench.begin()
    bench.run_until(lambda: rehearsal.step is Step.STOP)
    bench.configure(mode="off")
    bench.run(1)
    assert rehearsal.is_over
    assert rehearsal.obstacle is Reason.OFF
    assert rehearsal.charger.rehearsed is None


def test_ended_while_it_is_paused_it_charges_again_by_itself() -> None:
    bench = stage()
    bench.begin()
    bench.run_until(lambda: bench.car.amps == 0)
    bench.controller.end_rehearsal()
    bench.run(600)
    assert bench.car.amps == 16


def test_a_house_that_rises_meanwhile_comes_first() -> None:
    bench = stage()
    rehearsal = bench.begin()
    bench.run_until(lambda: bench.car.amps == 5)
    bench.house = 40.0
    bench.run_until(lambda: rehearsal.is_over)
    bench.run(10)
    assert bench.car.amps == 0
    assert rehearsal.trials[-1].verdict is not Verdict.WORKED
    assert bench.controller.chargers["car"].rehearsed is None


def test_another_charger_is_controlled_meanwhile() -> None:
    cars = (
        BenchCar("car", amps=8, request=8, limit=16, phases=(1,)),
        BenchCar("other", amps=8, request=8, limit=16, phases=(2,)),
    )
    bench = stage(cars=cars, house=(5.0, 5.0, 0.0))
    bench.begin()
    bench.run_until(lambda: bool(bench.told))
    bench.house = (5.0, 20.0, 0.0)
    bench.run(20)
    assert cars[1].amps <= 5
    bench.run_until(lambda: bench.rehearsal.is_over)
    assert bench.rehearsal.trials[0].verdict is Verdict.WORKED


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    houses=st.lists(st.sampled_from([2.0, 5.0, 9.0, 14.0, 19.0, 21.0, 26.0]), min_size=6, max_size=14),
    at=st.integers(0, 240),
    mode=st.sampled_from(["strict", "balanced", "eager"]),
)
def test_it_never_asks_for_more_than_there_is_room_for(houses: list[float], at: int, mode: str) -> None:
    """Whatever the house does: while it is rehearsed nothing goes up but a start with the minimum that fits."""
    bench = stage(mode=mode)
    bench.run(at)
    rehearsal = bench.begin()
    for house in houses:
        bench.house = house
        for _ in range(40):
            sent = len(bench.commands)
            was = bench.car.amps
            bench.run(1)
            if rehearsal.is_over:
                return
            for _, command in bench.commands[sent:]:
                if rehearsal.step is Step.READY:
                    continue
                assert command.action is not Action.SET_AMPS or command.amps <= 5
                if command.action is Action.START:
                    assert was == 0
                    assert max(bench.controller._house.read) + 5 <= bench.settings.max_amps + MARGIN_A
