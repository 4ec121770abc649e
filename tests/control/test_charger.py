"""One charger by itself: what its reports, its commands and their ends make of what is known of it."""

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from custom_components.amp_sensor.control import Action, Command, Outcome
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.charging import ChargerReport, ChargingState
from custom_components.amp_sensor.control.decision import Mode, Reason
from custom_components.amp_sensor.control.profile import TESSIE
from custom_components.amp_sensor.control.settings import ChargerSettings

CHARGING, STOPPED, STARTING = ChargingState.CHARGING, ChargingState.STOPPED, ChargingState.STARTING


def _set(amps: int) -> Command:
    return Command(charger_id="a", action=Action.SET_AMPS, amps=amps)


START, STOP = (Command(charger_id="a", action=action) for action in (Action.START, Action.STOP))


def _report(amps: float | None = 16.0, **changes: Any) -> ChargerReport:
    return ChargerReport(
        **{
            "age_s": 0.0,
            "state": CHARGING,
            "requested_amps": amps,
            "measured_amps": amps,
            "at_home": True,
            "plugged_in": True,
        }
        | changes
    )


def _car(report: ChargerReport | None = None, **settings: Any) -> ManagedCharger:
    """Return a car of which one report is known, from second 0: it draws 16 A."""
    car = ManagedCharger("a", ChargerSettings(**{"max_amps": 16} | settings))
    car.add_report(report or _report(), 0.0)
    return car


def _paused(**report: Any) -> ManagedCharger:
    """Return one that was stopped by us and has said so."""
    car = _car()
    _do(car, STOP, 10.0)
    car.add_report(_report(**{"state": STOPPED, "measured_amps": 0.0} | report), 30.0)
    assert car.paused
    assert not car.running
    return car


def _do(car: ManagedCharger, command: Command, now: float, outcome: Outcome = Outcome.ACCEPTED, **end: Any) -> None:
    """Send a command and take its end two seconds later."""
    if command.action is not Action.STOP:
        car.target = command.amps or car.target
    else:
        car.target = 0
    car.send(command, now, (20.0,))
    car.acknowledge(command, outcome, now + 2, **end)


# -- the first report ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "running", "requested", "bounds"),
    [
        (_report(10.0), True, 10, (10.0, 10.0)),
        (_report(10.0, measured_amps=8.0), True, 10, (8.0, 8.0)),
        (_report(10.0, measured_amps=12.0), True, 10, (12.0, 12.0)),
        (_report(10.0, measured_amps=None), True, 10, (0.0, 10.0)),
        (_report(None, measured_amps=8.0), True, 8, (8.0, 8.0)),
        (_report(None), True, 16, (0.0, 16.0)),
        (_report(10.0, state=STARTING, measured_amps=0.0), True, 10, (0.0, 10.0)),
        (_report(10.0, state=ChargingState.UNKNOWN, measured_amps=4.0), True, 10, (0.0, 10.0)),
        (_report(10.0, age_s=119.0, measured_amps=8.0), True, 10, (8.0, 8.0)),
        (_report(10.0, age_s=120.0, measured_amps=8.0), True, 10, (0.0, 10.0)),
        (_report(10.0, state=STOPPED, measured_amps=0.0), False, 10, (0.0, 0.0)),
        (_report(10.0, state=STOPPED, measured_amps=None), False, 10, (0.0, 0.0)),
        (_report(None, state=STOPPED), False, 16, (0.0, 0.0)),
        (_report(10.0, state=STOPPED, measured_amps=3.0), False, 10, (3.0, 3.0)),  # it heats its cabin
        (_report(10.0, state=STOPPED, measured_amps=3.0, age_s=120.0), False, 10, (0.0, 0.0)),
        (_report(10.0, state=STOPPED, measured_amps=3.0, at_home=False), False, 10, (0.0, 0.0)),
        (_report(10.0, state=STOPPED, measured_amps=3.0, plugged_in=False), False, 10, (0.0, 0.0)),
        (_report(10.0, at_home=False), False, 10, (0.0, 0.0)),
        (_report(10.0, at_home=None), True, 10, (10.0, 10.0)),
        (_report(10.0, asleep=True), False, 10, (0.0, 0.0)),
    ],
)
def test_it_is_adopted_as_it_is(
    report: ChargerReport, running: bool, requested: int, bounds: tuple[float, float]
) -> None:
    car = _car(report)
    assert (car.running, car.request, car.target) == (running, requested, requested if running else 0)
    assert (car.belief.low, car.belief.high) == bounds
    assert car.measured_at == -max(0.0, report.age_s)
    assert not car.paused
    assert not car.record()["paused"]


def test_of_one_that_said_nothing_yet_nothing_is_known_or_wanted() -> None:
    car = ManagedCharger("a", ChargerSettings(max_amps=16))
    assert (car.running, car.paused, car.target, car.request, car.learned) == (False, False, 0, None, None)
    assert (car.measured_at, car.report_wanted_at, car.chosen_at) == (-inf, -inf, -inf)
    assert (car.has_turn, car.turn_at, car.waiting_at, car.debt_as) == (False, -inf, -inf, 0.0)
    assert (car.expected_amps, car.committed_amps, car.cap(25)) == (0.0, 0.0, 16)
    assert car.next_command(0.0) is None
    assert not car.look(100.0, 100.0)


def test_a_clock_that_is_ahead_is_not_believed_to_be() -> None:
    assert _car(_report(age_s=-30.0)).measured_at == 0


# -- whose it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (_report(), None),
        (_report(at_home=False), Reason.AWAY),
        (_report(at_home=None), Reason.PLACE_UNKNOWN),
        (_report(plugged_in=False), Reason.UNPLUGGED),
        (_report(state=ChargingState.DISCONNECTED, plugged_in=None), Reason.UNPLUGGED),
        (_report(asleep=True), Reason.ASLEEP),
        (_report(state=STOPPED, scheduled=True), Reason.SCHEDULED),
        (_report(state=ChargingState.COMPLETE), Reason.COMPLETE),
        (_report(state=ChargingState.NO_POWER), Reason.NO_POWER),
        (_report(state=STOPPED), Reason.STOPPED_BY_USER),
        (_report(state=STOPPED, scheduled=True, at_home=False, plugged_in=False), Reason.AWAY),
    ],
)
def test_why_it_is_left_alone(report: ChargerReport, reason: Reason | None) -> None:
    car = _car(report)
    assert car.not_ours(Mode.BALANCED, 0.0) is reason
    assert car.not_ours(Mode.OFF, 0.0) is Reason.OFF
    car.settings = ChargerSettings(max_amps=16, managed=False)
    assert car.not_ours(Mode.BALANCED, 0.0) is Reason.NOT_MANAGED
    assert car.out_of_reach(0.0) is reason


def test_without_a_report_nothing_is_known() -> None:
    car = ManagedCharger("a", ChargerSettings(max_amps=16))
    assert car.not_ours(Mode.EAGER, 0.0) is Reason.NO_REPORT
    assert not car.stop_is_unproven


def test_a_schedule_does_not_make_our_pause_its_users() -> None:
    assert _paused(scheduled=True).out_of_reach(30.0) is None


# -- who stopped and who started it -------------------------------------------------------------------------------


def test_a_car_that_stopped_without_a_word_of_ours_was_stopped_by_its_user() -> None:
    car = _car()
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 15.0)
    assert (car.running, car.paused, car.target) == (False, False, 0)
    assert car.out_of_reach(15.0) is Reason.STOPPED_BY_USER
    car = _car(_report(state=STOPPED, measured_amps=0.0))
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 30.0)
    assert not car.paused, "nor is it ours when it was found so"
    car = _car()
    _do(car, _set(10), 10.0)
    car.add_report(_report(10.0, state=STOPPED, measured_amps=0.0), 60.0)
    assert not car.paused, "a limit is no stop"


def test_a_car_that_its_user_stops_after_a_start_of_ours_stays_stopped() -> None:
    car = _paused()
    car.target = 16
    _do(car, START, 60.0)
    assert car.target == 16
    car.add_report(_report(), 110.0)
    car.add_report(_report(state=STARTING), 125.0)
    assert not car.record()["paused"], "it was seen to charge"
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 300.0)
    assert (car.running, car.paused) == (False, False)


def test_a_car_that_fell_asleep_does_not_charge_whatever_it_was_told() -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    car.add_report(_report(asleep=True), 13.0)
    assert not car.running


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.FAILED, Outcome.REFUSED])
def test_a_stop_of_ours_that_nobody_confirmed_is_ours(outcome: Outcome) -> None:
    car = _car()
    _do(car, STOP, 10.0, outcome)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 30.0)
    assert (car.running, car.paused) == (False, True)
    assert car.record()["paused"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REFUSED])
@pytest.mark.parametrize(("stopped_at", "ours"), [(129.99, True), (130.0, False)])
def test_a_stop_that_was_denied_may_be_ours_for_two_minutes_yet(
    outcome: Outcome, stopped_at: float, ours: bool
) -> None:
    car = _car()
    _do(car, STOP, 10.0, outcome)
    car.add_report(_report(), 25.0)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), stopped_at)
    assert car.paused is ours


@pytest.mark.parametrize("is_started", [True, False])
@pytest.mark.parametrize(("stopped_at", "ours"), [(311.99, True), (312.0, False)])
def test_a_stop_without_an_answer_may_come_for_five_minutes(is_started: bool, stopped_at: float, ours: bool) -> None:
    """Also where it was sent once more, and the car was started since: it stands because of us."""
    car = _car()
    _do(car, STOP, 10.0, Outcome.UNKNOWN)
    if is_started:
        _do(car, STOP, 20.0)
        car.add_report(_report(state=STOPPED, measured_amps=0.0), 30.0)
        car.target = 16
        _do(car, START, 40.0)
    car.add_report(_report(), 90.0)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), stopped_at)
    assert car.paused is ours


def test_a_car_that_was_started_by_somebody_else_is_adopted() -> None:
    car = _paused()
    car.add_report(_report(12.0), 60.0)
    assert (car.running, car.paused, car.target, car.request) == (True, False, 12, 12)
    assert (car.belief.low, car.belief.high) == (12.0, 12.0)
    assert not car.record()["paused"]


def test_who_is_started_and_tells_no_limit_has_the_one_that_it_had() -> None:
    car = _paused()
    car.request = 10
    car.add_report(_report(None), 60.0)
    assert (car.running, car.request, car.belief.high) == (True, 10, 10.0)


@pytest.mark.parametrize(("second", "runs"), [(101.0, True), (102.0, False)])
def test_a_start_has_its_time_and_then_came_to_nothing(second: float, runs: bool) -> None:
    """40 s from its answer. It was ours, and is so still."""
    car = _paused()
    car.target = 16
    _do(car, START, 60.0)
    assert car.running
    assert car.record()["paused"], "until it is seen to charge"
    car.add_report(_report(state=STOPPED, measured_amps=0.0), second)
    assert car.running is runs
    assert car.paused is not runs


def test_a_start_that_is_seen_is_no_pause_any_more() -> None:
    car = _paused()
    car.target = 16
    _do(car, START, 60.0)
    car.add_report(_report(state=STARTING, measured_amps=0.0), 70.0)
    assert car.record()["paused"]
    car.add_report(_report(), 85.0)
    assert not car.record()["paused"]


@pytest.mark.parametrize(
    "report", [_report(6.0, plugged_in=False, state=STOPPED), _report(state=ChargingState.DISCONNECTED)]
)
def test_pulling_the_cable_ends_whatever_we_or_its_user_wanted(report: ChargerReport) -> None:
    car = _paused()
    car.user_limit = 8
    _do(car, _set(8), 40.0, Outcome.FAILED)
    _do(car, _set(8), 50.0, Outcome.FAILED)
    car.add_report(report, 60.0)
    assert (car.paused, car.user_limit) == (False, None)
    _do(car, _set(10), 100.0, Outcome.FAILED)
    assert car.not_before == 102, "nor does a failure before it count"


@pytest.mark.parametrize("report", [_report(8.0), _report(8.0, plugged_in=None, state=STOPPED)])
def test_whoever_is_not_known_to_be_unplugged_keeps_it(report: ChargerReport) -> None:
    car = _paused()
    car.user_limit = 8
    car.add_report(report, 31.0)
    assert car.user_limit is not None


def test_a_stop_that_no_report_denied_is_ours_however_late_it_shows() -> None:
    car = _car()
    _do(car, STOP, 10.0, Outcome.UNKNOWN)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 500.0)
    assert car.paused


def test_a_stop_that_nobody_answered_is_ours_after_another_limit_too_and_a_limit_is_no_stop() -> None:
    for first, is_ours in ((STOP, True), (_set(12), False)):
        car = _car()
        _do(car, first, 10.0, Outcome.UNKNOWN)
        _do(car, _set(8), 30.0)
        car.add_report(_report(8.0, state=STOPPED, measured_amps=0.0), 500.0)
        assert car.paused is is_ours


# -- reports from before and after a command ----------------------------------------------------------------------


@pytest.mark.parametrize(("second", "age_s", "counts"), [(16.99, 0.0, False), (17.0, 0.0, True), (20.0, 3.01, False)])
def test_a_report_counts_five_seconds_after_the_answer(second: float, age_s: float, counts: bool) -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    car.add_report(_report(10.0, age_s=age_s), second)
    assert car.belief.is_settled is counts
    assert (car.belief.high == 10) is counts
    assert car.is_told_of_last_command is counts
    car = _car(_report(6.0))
    _do(car, _set(8), 10.0)
    car.add_report(_report(8.0, age_s=age_s), second)
    assert car.belief.is_settled is counts


def test_it_was_told_of_its_last_command_where_nothing_is_under_way_or_unknown() -> None:
    car = _car()
    assert car.is_told_of_last_command
    car.in_flight = _set(10)
    assert not car.is_told_of_last_command
    car.in_flight = None
    car.belief.settle(0.0, 8.0)
    assert not car.is_told_of_last_command
    car.belief.settle(8.0, 8.0)
    car._ended_at = -4.99
    assert not car.is_told_of_last_command


def test_a_report_says_nothing_of_a_command_in_flight() -> None:
    car = _car()
    car.target = 10
    car.send(_set(10), 10.0, (20.0,))
    car.add_report(_report(10.0), 30.0)
    assert not car.belief.is_settled


def test_a_report_shows_that_a_cut_came_that_is_sent_again_just_now() -> None:
    for amps, watched, settles in ((10.0, True, True), (10.7, True, True), (10.8, True, False), (10.0, False, False)):
        car = _car()
        _do(car, _set(10), 10.0)
        car.request = None
        car.send(_set(10), 20.0, (20.0,))
        car.add_report(_report(10.0, measured_amps=amps), 21.0, is_watched=watched)
        assert (car.belief.change is None) is settles
        assert (car.request == 10) is settles
    for second, settles in ((16.99, False), (17.0, True)):
        car = _car()
        _do(car, STOP, 10.0)
        car.running = True
        car.send(STOP, 14.0, (20.0,))
        car.add_report(_report(16.0, measured_amps=0.7), second)
        assert (car.belief.change is None) is settles


def test_what_proves_no_cut_changes_nothing_before_the_effect_of_a_command() -> None:
    def now(first: Command, again: Command, report: ChargerReport, drawn: float = 16.0) -> ManagedCharger:
        car = _car(_report(drawn))
        _do(car, first, 10.0)
        car.request = None
        car.send(again, 20.0, (20.0,))
        assert car.belief.change is not None
        car.add_report(report, 21.0)
        return car

    for car in (
        now(_set(10), _set(10), _report(10.0, measured_amps=None)),
        now(_set(10), _set(8), _report(8.0)),
        now(_set(16), _set(16), _report(16.0), 6.0),
    ):
        assert car.belief.change is not None
        assert car.request is None
    car = _car()
    _do(car, _set(10), 10.0)
    car.belief.settle(10.0, 10.0)
    car.add_report(_report(16.0), 14.0)
    assert (car.request, car.belief.high) == (10, 10.0), "it is from before"


def test_only_a_car_that_charges_proves_that_a_cut_came() -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    car.request = None
    car.send(_set(10), 20.0, (20.0,))
    car.add_report(_report(9.0, state=STOPPED, measured_amps=10.0), 21.0)
    assert car.request is None


@pytest.mark.parametrize(("age_s", "measured", "comes"), [(3.0, 0.0, True), (15.0, 0.0, False), (3.0, 4.0, False)])
def test_a_stop_that_is_sent_again_is_proven_by_a_car_that_stands(
    age_s: float, measured: float, *, comes: bool
) -> None:
    """The house rose as it stopped, and each time that it is sent again would make its reports too old."""
    car = _car()
    _do(car, STOP, 10.0)
    assert car.look(20.0, inf)
    car.send(STOP, 20.0, (20.0,))
    car.add_report(_report(state=STOPPED, measured_amps=measured, age_s=age_s), 24.0)
    assert car.paused
    assert car.running is not comes
    assert car.belief.bounds(24.0)[1] == (0.0 if comes else 16.0)


def test_a_stop_before_is_no_proof_of_one_that_is_sent_again() -> None:
    """It was started by its user meanwhile; what tells of the time before that is late."""
    car = _car()
    _do(car, STOP, 10.0)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 30.0)
    car.add_report(_report(), 60.0)
    assert car.running
    _do(car, STOP, 70.0)
    assert car.look(80.0, inf)
    car.send(STOP, 80.0, (20.0,))
    car.add_report(_report(state=STOPPED, measured_amps=0.0, age_s=40.0), 82.0)
    assert car.running


def test_what_is_measured_on_its_way_is_neither_the_old_nor_the_new() -> None:
    car = _car(_report(6.0))
    _do(car, _set(16), 10.0)
    car.add_report(_report(16.0, measured_amps=11.0), 18.0)
    assert car.belief.change is not None
    car._resends = 1
    car.add_report(_report(16.0, measured_amps=11.0), 25.5)
    assert (car.belief.low, car.belief.high) == (11.0, 11.0)
    assert (car.settled_at, car._resends) == (25.5, 0)
    car.add_report(_report(16.0, measured_amps=11.0), 40.0)
    assert car.settled_at == 25.5, "nothing has changed since"


@pytest.mark.parametrize(("measured", "drawn"), [(15.3, 16.0), (16.7, 16.0), (15.2, 15.2), (16.8, 16.8)])
def test_what_rounds_to_its_limit_is_its_limit(measured: float, drawn: float) -> None:
    car = _car()
    car.add_report(_report(16.0, measured_amps=measured), 15.0)
    assert car.belief.high == drawn
    car.add_report(_report(2.0, measured_amps=1.3), 30.0)
    assert car.belief.high == 2.0


def test_what_does_not_charge_yet_or_tells_no_number_says_nothing_of_what_it_draws() -> None:
    car = _car()
    for number, report in enumerate(
        (
            _report(16.0, state=STARTING, measured_amps=0.0),
            _report(16.0, measured_amps=None),
            _report(16.0, state=ChargingState.UNKNOWN, measured_amps=3.0),
        ),
        1,
    ):
        car.add_report(report, 15.0 * number)
        assert (car.belief.low, car.belief.high) == (16.0, 16.0)
    car.request = None
    car.add_report(_report(None, measured_amps=9.0), 100.0)
    assert (car.request, car.belief.high) == (None, 9.0)


@pytest.mark.parametrize(("age_s", "counts"), [(299.0, True), (300.0, False)])
def test_numbers_that_are_too_old_are_not_used(age_s: float, counts: bool) -> None:
    car = _car()
    car.add_report(_report(16.0, measured_amps=4.0, age_s=age_s), 400.0)
    assert (car.belief.high == 4) is counts


# -- whose limit it is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "limit"), [(9.0, 9), (15.0, 15), (16.0, None), (17.0, None), (4.0, None), (5.0, 5)]
)
def test_a_lower_limit_that_is_not_ours_is_its_users(requested: float, limit: int | None) -> None:
    car = _car(max_amps=32)
    car.add_report(_report(requested), 60.0)
    assert car.user_limit == limit
    assert car.request == requested
    assert car.target == (16 if requested == 4 else requested)


@pytest.mark.parametrize(("second", "is_users"), [(42.0, False), (42.01, True)])
def test_a_cloud_may_show_an_old_limit_for_half_a_minute(second: float, is_users: bool) -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    car.add_report(_report(10.0), 20.0)
    car.add_report(_report(8.0), second)
    assert (car.user_limit == 8) is is_users


def test_a_limit_of_our_own_that_shows_late_is_nobodys_wish() -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    _do(car, _set(7), 40.0)
    car.add_report(_report(10.0), 80.0)
    assert (car.user_limit, car.request, car.target) == (None, 10, 7)


@pytest.mark.parametrize(("second", "is_users"), [(311.99, False), (312.0, True)])
def test_a_limit_that_was_not_answered_may_come_for_five_minutes(second: float, is_users: bool) -> None:
    car = _car()
    _do(car, _set(8), 10.0, Outcome.UNKNOWN)
    car.add_report(_report(16.0), 20.0)
    car.target = 16
    car.add_report(_report(8.0), second)
    assert car.user_limit == (8 if is_users else None)
    assert car.target == 8


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ACCEPTED])
def test_a_limit_that_was_answered_comes_no_later_than_half_a_minute(outcome: Outcome) -> None:
    car = _car()
    _do(car, _set(8), 10.0, outcome)
    car.add_report(_report(8.0 if outcome is Outcome.ACCEPTED else 16.0), 20.0)
    car.target = 16
    _do(car, _set(16), 30.0)
    car.add_report(_report(16.0), 50.0)
    car.add_report(_report(8.0), 100.0)
    assert car.user_limit == 8


def test_of_what_was_sent_since_a_report_confirmed_one_each_may_be_in_force() -> None:
    car = _car()
    _do(car, _set(10), 10.0)
    _do(car, _set(7), 40.0)
    car.add_report(_report(16.0), 80.0)
    assert (car.target, car.request) == (7, 16)
    car = _car()
    _do(car, _set(10), 10.0)
    car.add_report(_report(8.0), 20.0)
    assert car.request == 10, "it is too soon to tell whose that is"
    car.add_report(_report(16.0), 60.0)
    assert (car.target, car.request) == (10, 16)


def test_any_limit_is_taken_where_none_was_known() -> None:
    car = _car()
    _do(car, _set(10), 10.0, Outcome.UNKNOWN)
    car.add_report(_report(12.0), 60.0)
    assert (car.user_limit, car.target, car.request) == (None, 10, 12)


def test_a_limit_that_is_as_known_or_as_wanted_is_no_wish_of_its_user() -> None:
    car = _car(max_amps=32)
    car.target = 20
    car.add_report(_report(16.0), 60.0)
    assert (car.target, car.user_limit) == (20, None)
    car.target = 12
    car.add_report(_report(12.0), 120.0)
    assert (car.target, car.request, car.user_limit) == (12, 12, None)
    car.add_report(_report(None, measured_amps=12.0), 180.0)
    assert car.request == 12, "who tells none has that"


def test_a_limit_that_the_car_lowered_itself_is_nobodys_wish() -> None:
    car = _car()
    car.add_report(_report(12.0, limit_amps=12.0), 60.0)
    assert (car.user_limit, car.request, car.target) == (None, 12, 12)


def test_a_limit_that_is_set_while_it_stands_is_known_when_it_starts() -> None:
    car = _paused()
    car.add_report(_report(9.0, state=STOPPED, measured_amps=0.0), 90.0)
    assert (car.user_limit, car.request, car.target) == (9, 9, 0)
    car.add_report(_report(12.0, state=STOPPED, measured_amps=0.0), 120.0)
    assert (car.user_limit, car.request) == (None, 12)


def test_a_higher_limit_ends_that_of_its_user_when_it_is_adopted() -> None:
    car = _paused()
    car.user_limit = 8
    car.add_report(_report(9.0), 60.0)
    assert car.user_limit is None


def test_a_users_limit_is_below_what_we_want_and_not_below_what_it_has() -> None:
    car = _car()
    car.target = 12
    car.add_report(_report(14.0), 60.0)
    assert (car.user_limit, car.request, car.target) == (None, 14, 14)


# -- the end of a command ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "running", "paused", "requested"),
    [(_set(10), True, False, 10), (STOP, False, True, 16)],
)
def test_what_was_accepted_is_assumed(command: Command, running: bool, paused: bool, requested: int) -> None:
    car = _car()
    _do(car, command, 10.0)
    assert (car.running, car.paused, car.request, car.in_flight) == (running, paused, requested, None)
    assert car.not_before == car.no_cut_before == 12
    assert car.accepted_at == 12


def test_what_is_accepted_again_was_accepted_before() -> None:
    car = _car()
    assert car.accepted_at == inf
    for command, at, outcome, accepted_at in (
        (_set(10), 10.0, Outcome.ACCEPTED, 12),
        (_set(10), 20.0, Outcome.ACCEPTED, 12),
        (_set(8), 30.0, Outcome.FAILED, 12),
        (_set(8), 40.0, Outcome.ACCEPTED, 42),
    ):
        _do(car, command, at, outcome)
        assert car.accepted_at == accepted_at


def test_a_stop_that_was_accepted_ends_what_was_wanted_meanwhile() -> None:
    car = _car()
    car.target = 0
    car.send(STOP, 10.0, (20.0,))
    assert car.record()["paused"], "from the moment when it is sent"
    car.target = 10
    car.acknowledge(STOP, Outcome.ACCEPTED, 12.0)
    assert (car.target, car.paused) == (0, True)


def test_a_stop_that_nobody_answered_leaves_its_limit_known() -> None:
    car = _car()
    _do(car, STOP, 10.0, Outcome.UNKNOWN)
    assert (car.request, car.running) == (16, True)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_what_failed_on_its_way_is_tried_again_ever_less_often(outcome: Outcome) -> None:
    """From when it was sent; without an answer, no sooner than the meter shows one that came through."""
    car = _car()
    for number, wait_s in enumerate((2.0, 4.0, 8.0, 16.0, 30.0, 60.0, 60.0)):
        at = 1000.0 * (number + 1)
        _do(car, _set(10), at, outcome)
        waits = max(wait_s, 8.0) if outcome is Outcome.UNKNOWN else wait_s
        assert car.not_before == car.no_cut_before == max(at + waits, at)
    assert car.request == (None if outcome is Outcome.UNKNOWN else 16)
    assert car.target == 10
    _do(car, _set(10), 9000.0)
    _do(car, _set(8), 9100.0, Outcome.FAILED)
    assert car.no_cut_before == 9102, "the first failure since"


def test_a_car_that_says_no_is_left_alone_for_a_minute_from_its_answer() -> None:
    car = _car()
    _do(car, _set(10), 10.0, Outcome.REFUSED)
    assert car.not_before == car.no_cut_before == 72
    assert car.request == 16


def test_one_of_which_nothing_is_wanted_any_more_is_waited_for_though_its_last_command_failed() -> None:
    """Else another that waits for its part would wait until this one is told something by chance."""
    car = _car()
    car.target = 10
    _do(car, _set(10), 10.0, Outcome.FAILED)
    car.add_report(_report(), 50.0)
    assert not car.is_waited_for(60.0)
    car.target = 16
    assert car.is_waited_for(60.0)


def test_what_a_cloud_asks_for_is_kept_where_the_protection_bears_little() -> None:
    """Also where it took the command, and after one that failed."""
    car = _car()
    _do(car, _set(10), 10.0, Outcome.FAILED)
    _do(car, _set(8), 20.0, Outcome.ACCEPTED, retry_after_s=900.0)
    car.hurry(30.0, 0.0)
    assert car.no_cut_before == 22 + 120


def test_a_car_that_its_user_set_to_nothing_is_not_raised_unweighed() -> None:
    car = _car()
    car.add_report(_report(0.0), 30.0)
    assert (car.target, car.next_command(30.0)) == (0, None)
    car = _car()
    car.add_report(_report(3.0), 30.0)
    assert car.target == 16
    car = _paused()
    car.target = 16
    _do(car, START, 60.0)
    car.add_report(_report(0.0), 70.0)
    assert car.target == 16, "one that is paused with 0 A may say so for a while"


def test_what_only_a_person_can_fix_is_tried_now_and_then() -> None:
    car = _car()
    for at, cut_s in ((10.0, 30.0), (100.0, 60.0), (300.0, 60.0)):
        _do(car, _set(10), at, Outcome.FAILED, needs_person=True)
        assert (car.not_before, car.no_cut_before) == (at + 2 + 900, at + 2 + cut_s)


@pytest.mark.parametrize(
    ("asked_s", "cut_s"), [(0.5, 0.5), (60.0, 60.0), (120.0, 120.0), (121.0, 120.0), (900.0, 120.0)]
)
def test_patience_that_is_asked_for_bounds_a_cut_by_two_minutes(asked_s: float, cut_s: float) -> None:
    car = _car()
    _do(car, _set(10), 10.0, Outcome.FAILED, retry_after_s=asked_s)
    assert (car.not_before, car.no_cut_before) == (12 + asked_s, 12 + cut_s)
    assert car.is_blocked(12.0) is (asked_s > 120)
    _do(car, _set(10), 2000.0, Outcome.ACCEPTED, retry_after_s=asked_s)
    assert car.not_before == 2002 + asked_s


def test_a_raise_without_an_answer_is_taken_for_the_higher_of_the_two() -> None:
    car = _car(_report(6.0))
    _do(car, _set(16), 10.0, Outcome.UNKNOWN)
    assert (car.request, car.target) == (16, 16)


def test_a_cut_without_an_answer_is_not_taken_for_done_unless_it_shows() -> None:
    for seen_at, request in ((None, None), (11.0, 10)):
        car = _car()
        car.target = 10
        car.send(_set(10), 10.0, (20.0,))
        assert car.belief.change is not None
        car.belief.change.seen_at = seen_at
        car.acknowledge(_set(10), Outcome.UNKNOWN, 12.0)
        assert car.in_flight is not None, "an equal one is another"
        car.acknowledge(car.in_flight, Outcome.UNKNOWN, 20.0)
        assert (car.request, car.target) == (request, 10)


def test_a_raise_that_failed_is_to_be_weighed_again() -> None:
    car = _car(_report(6.0))
    _do(car, _set(16), 10.0, Outcome.FAILED)
    assert (car.request, car.target) == (6, 6)
    car = _paused()
    car.target = 16
    _do(car, START, 60.0, Outcome.FAILED)
    assert (car.running, car.target) == (False, 0)
    car = _car(_report(6.0))
    car.request = None
    _do(car, _set(16), 10.0, Outcome.FAILED)
    assert car.target == 16, "where nobody knows what it has, it is wanted still"


def test_how_long_a_command_takes_is_learned_from_the_first_try_of_a_cut_on() -> None:
    car = _car()
    assert car.latency_s == TESSIE.latency_s == 2.5
    _do(car, _set(10), 10.0)
    assert car.latency_s == pytest.approx(2.5 + 0.2 * (2 - 2.5))
    car.latency_s = 2.5
    _do(car, _set(8), 20.0, Outcome.FAILED)
    assert car.latency_s == 2.5
    _do(car, _set(8), 26.0)
    assert car.latency_s == pytest.approx(2.5 + 0.2 * (8 - 2.5))
    car.latency_s = 2.5
    _do(car, _set(12), 30.0, Outcome.FAILED)
    _do(car, _set(12), 36.0)
    assert car.latency_s == pytest.approx(2.5 + 0.2 * (2 - 2.5)), "a raise is sent again when it is worth it"
    car.latency_s = 2.5
    car.send(_set(6), 50.0, ())
    car.acknowledge(_set(6), Outcome.ACCEPTED, 51.0)
    assert car.in_flight is not None
    car.acknowledge(car.in_flight, Outcome.UNKNOWN, 110.0)
    assert car.latency_s == pytest.approx(2.5 + 0.2 * (45 - 2.5))


def test_a_failure_does_not_end_the_patience_that_the_cloud_asked_for() -> None:
    car = _car()
    _do(car, _set(10), 10.0, Outcome.FAILED, retry_after_s=500.0)
    _do(car, _set(8), 140.0, Outcome.FAILED)
    assert car.not_before == 512
    _do(car, _set(8), 150.0)
    assert car.not_before == 152


def test_a_command_that_moves_no_current_may_fail_too() -> None:
    car = _car(_report(16.0, measured_amps=8.0))
    _do(car, _set(10), 10.0, Outcome.FAILED)
    assert car.belief.change is None
    assert (car.target, car.request) == (10, 16)
    _do(car, _set(10), 20.0)
    assert car.request == 10
    _do(car, _set(9), 30.0, Outcome.UNKNOWN)
    assert (car.target, car.request) == (9, None)


def test_a_limit_at_what_it_draws_moves_no_current() -> None:
    car = _car(_report(16.0, measured_amps=10.0))
    car.send(_set(10), 10.0, (20.0,))
    assert car.belief.change is None
    car.send(_set(9), 10.0, (20.0, 5.0))
    assert car.belief.change is not None
    assert car.belief.change.before == (20.0, 5.0)


@pytest.mark.parametrize(("requested", "to"), [(12, 12), (None, 16)])
def test_a_start_is_expected_to_reach_its_limit(requested: int | None, to: int) -> None:
    car = _paused()
    car.request, car.target = requested, 16
    car.send(START, 60.0, (5.0,))
    assert car.belief.change is not None
    assert car.belief.change.to == to


def test_a_lower_limit_moves_something_where_nobody_knows_what_it_draws() -> None:
    car = _car()
    car.belief.settle(0.0, 8.0)
    car.send(_set(10), 10.0, (20.0,))
    assert car.belief.change is not None


# -- the next command ---------------------------------------------------------------------------------------------


def test_the_next_command_goes_towards_the_target() -> None:
    car = _car()
    assert car.next_command(10.0) is None
    for target, command in ((10, _set(10)), (0, STOP), (20, _set(20))):
        car.target = target
        assert car.next_command(10.0) == command
    car = _paused()
    assert car.next_command(40.0) is None
    car.target = 10
    assert car.next_command(40.0) == _set(10)
    car.target = 16
    assert car.next_command(40.0) == START


def test_a_command_waits_for_its_time_and_a_cut_for_its_own() -> None:
    car = _car()
    car.not_before, car.no_cut_before = 100.0, 50.0
    for target, due_at in ((20, 100.0), (10, 50.0), (0, 50.0)):
        car.target = target
        assert car.next_command(due_at - 0.01) is None
        assert car.next_command(due_at) is not None
    car.in_flight = _set(10)
    assert car.next_command(1000.0) is None


def test_a_charger_that_may_not_be_written_to_so_often_waits_for_that_too() -> None:
    car = _car(profile=replace(TESSIE, write_every_s=20.0))
    _do(car, _set(10), 10.0)
    car.target = 8
    assert car.next_command(29.99) is None
    assert _car().settings.profile.write_every_s == 0, "others may be at once"
    assert car.next_command(30.0) == _set(8)


def test_a_limit_of_nothing_stops_the_current_as_well() -> None:
    car = _car(_report(0.0))
    car.target = 0
    assert car.next_command(10.0) is None
    car.belief.settle(0.0, 0.7)
    assert car.next_command(10.0) is None
    car.belief.settle(0.0, 0.71)
    assert car.next_command(10.0) == STOP
    car.request = 16
    car.belief.settle(0.0, 0.0)
    assert car.next_command(10.0) == STOP, "it may draw any time"


@pytest.mark.parametrize(
    ("requested", "command", "cut"),
    [(10, _set(9), True), (10, _set(10), False), (10, _set(11), False), (None, _set(15), True), (10, STOP, True)],
)
def test_a_cut_takes_something_from_it(requested: int | None, command: Command, cut: bool) -> None:
    car = _car()
    car.request = requested
    assert car.is_cut(command) is cut
    assert not car.is_cut(START)


def test_a_command_without_an_end_is_lost_after_a_minute() -> None:
    car = _car()
    car.stop_waiting(1000.0, 0.0)
    assert not car.in_flight
    car.send(_set(10), 10.0, ())
    car.stop_waiting(70.0, inf)
    assert car.in_flight
    car.stop_waiting(70.01, inf)
    assert not car.in_flight
    assert car.request is None, "nobody knows what came of it"


def _urgent(command: Command = STOP) -> ManagedCharger:
    """Return one whose cut was sent at second 10 and has no answer at second 13, when nothing can wait for one."""
    car = _car()
    car.target = command.amps
    car.send(command, 10.0, (20.0,))
    car.stop_waiting(12.99, 0.0)
    assert car.in_flight, "most answers come in time"
    car.stop_waiting(13.0, 9.99)
    return car


@pytest.mark.parametrize("command", [STOP, _set(6)])
def test_a_cut_without_an_answer_is_sent_again_where_the_breaker_does_not_bear_the_wait(command: Command) -> None:
    car = _urgent(command)
    assert not car.in_flight
    assert car.next_command(13.0) == command
    assert car.latency_s == TESSIE.latency_s, "how long the answer takes is not known"


@pytest.mark.parametrize(
    ("command", "bears_s", "seen"), [(STOP, 10.0, False), (STOP, 0.0, True), (_set(20), 0.0, False)]
)
def test_a_command_is_waited_for_where_that_may_be(command: Command, bears_s: float, *, seen: bool) -> None:
    """The breaker bears it, the meter shows already that it came, or it is a raise."""
    car = _car()
    car.target = command.amps
    car.send(command, 10.0, (20.0,))
    assert car.belief.change is not None
    car.belief.change.seen_at = 12.0 if seen else None
    car.stop_waiting(60.0, bears_s)
    assert car.in_flight == command


def test_the_end_of_what_was_sent_again_says_nothing_but_that_the_cloud_asks_for_patience() -> None:
    car = _urgent()
    first, again = STOP, Command(charger_id="a", action=Action.STOP)
    car.send(again, 13.0, (20.0,))
    car.acknowledge(first, Outcome.ACCEPTED, 14.0)
    assert car.in_flight is again
    assert car.running
    car.acknowledge(first, Outcome.FAILED, 17.0, retry_after_s=30.0)
    car.acknowledge(first, Outcome.FAILED, 18.0, retry_after_s=5.0)
    car.stop_waiting(20.0, 0.0)
    assert not car.in_flight
    car.hurry(20.0, 0.0)
    assert car.next_command(46.0) is None
    assert car.next_command(47.0) == STOP


# -- a cut that does not show -----------------------------------------------------------------------------------


def test_a_cut_that_does_not_show_is_sent_again_ever_less_often() -> None:
    """Due 3.5 s + 1 s + 2 A at 3 A/s after its answer; then 5, 8, 16 s and so on after the last."""
    car = _car()
    _do(car, _set(10), 0.0)
    assert not car.look(7.16, inf)
    assert car.look(7.17, -inf)
    assert car.request is None
    assert car.learned is None
    now = 7.17
    for wait_s in (8.0, 16.0, 32.0, 64.0, 120.0, 120.0):
        _do(car, _set(10), now)
        assert not car.look(now + max(wait_s, 7.17) - 0.01, inf)
        now += max(wait_s, 7.17)
        assert car.look(now, inf)


def test_where_it_does_not_show_a_second_time_its_phases_are_doubted() -> None:
    car = _car()
    car.learned = (1,)
    _do(car, _set(10), 0.0)
    assert car.look(10.0, 10.0)
    assert car.learned == (1,)
    _do(car, _set(10), 10.0)
    assert car.look(20.0, 20.0)
    assert car.learned is None


def test_a_stop_that_does_not_show_is_sent_again() -> None:
    car = _car()
    _do(car, STOP, 0.0)
    assert car.look(10.0, 10.0)
    assert car.running
    assert car.next_command(10.0) == STOP


def test_of_a_raise_only_a_reading_can_tell_and_then_only_a_report() -> None:
    car = _car(_report(6.0))
    _do(car, _set(16), 0.0)
    assert not car.look(100.0, 15.49)
    assert car.belief.change is not None
    assert not car.look(100.0, 15.5)
    assert (car.belief.low, car.belief.high, car.report_wanted_at) == (6.0, 6.0, 100.0)
    assert car.belief.change is None
    assert car.running


def test_a_start_that_does_not_show_is_a_pause_again() -> None:
    car = _paused()
    car.target = 16
    _do(car, START, 60.0)
    assert not car.look(200.0, 200.0)
    assert (car.running, car.paused, car.target) == (False, True, 0)


def test_a_stop_is_unproven_until_a_report_shows_it() -> None:
    car = _car()
    _do(car, STOP, 10.0)
    assert not car.stop_is_unproven, "the meter has not shown it"
    car.belief.settle(0.0, 0.0)
    assert car.stop_is_unproven
    assert not car.doubt_stop(14.99)
    assert car.doubt_stop(15.0)
    assert (car.belief.low, car.belief.high) == (0.0, 16.0)
    assert car.next_command(15.0) == STOP
    assert not _paused().stop_is_unproven


def test_an_unproven_stop_is_sent_again_ever_less_often_while_none_is_under_way() -> None:
    car = _car()
    now = 0.0
    for wait_s in (5.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0):
        _do(car, STOP, now)
        car.belief.settle(0.0, 9.0)
        assert car.stop_is_unproven
        car.in_flight = STOP
        assert not car.stop_is_unproven
        car.in_flight = None
        assert not car.doubt_stop(now + wait_s - 0.01)
        car.request = None
        now += wait_s
        assert car.doubt_stop(now)
        assert (car.belief.low, car.belief.high) == (0.0, 9.0), "where its limit is unknown, what it drew"


def test_whoever_is_to_start_or_said_nothing_yet_is_not_doubted() -> None:
    car = _car()
    _do(car, STOP, 10.0)
    car.belief.settle(0.0, 0.0)
    car.target = 10
    assert not car.stop_is_unproven
    again = ManagedCharger("a", ChargerSettings(max_amps=16))
    assert again.settled_at == -inf
    again.restore({"paused": True})
    assert not again.stop_is_unproven


def test_a_limit_of_a_car_that_stands_moves_nothing() -> None:
    car = _paused()
    car.target = 10
    car.send(_set(10), 40.0, (5.0,))
    assert car.belief.change is None
    car.request = 6
    car.send(_set(10), 50.0, (5.0,))
    assert car.belief.change is None
    heats = _car(_report(state=STOPPED, measured_amps=9.0))
    heats.send(_set(7), 40.0, (9.0,))
    assert heats.belief.change is not None, "unless it heats"
    assert heats.draws_unasked


# -- starts -------------------------------------------------------------------------------------------------------


def test_starts_are_used_up_and_come_back_one_in_a_quarter_of_an_hour() -> None:
    car = _paused()
    car.target = 16
    assert car.starts_left(60.0) == 4
    for left in (3, 2, 1, 0):
        car.send(START, 60.0, ())
        assert car.starts_left(60.0) == left
    assert car.starts_left(60.0 + 450) == 0.5
    assert car.starts_left(60.0 + 900) == 1
    assert car.starts_left(1e6) == 4


# -- what it will draw --------------------------------------------------------------------------------------------


def test_the_most_that_it_may_have_is_the_least_of_all_limits() -> None:
    car = _car(_report(limit_amps=13.9), max_amps=20)
    assert car.cap(25) == 13
    assert car.cap(11) == 11
    car.user_limit = 9
    assert car.cap(25) == 9
    assert _car(_report(limit_amps=4.9)).cap(25) == 16, "a limit that nothing charges with is for itself to keep"
    assert _car(_report(limit_amps=5.0)).cap(25) == 5
    assert _car(_report(limit_amps=None), max_amps=20).cap(25) == 20


@pytest.mark.parametrize(
    ("min_amps", "cap", "least"), [(8, 16, 8), (8, 8, 8), (8, 7, 5), (5, 16, 5), (3, 16, 3), (3, 2, 3)]
)
def test_its_minimum_holds_where_it_may_have_it(min_amps: int, cap: int, least: int) -> None:
    car = _car(min_amps=min_amps)
    assert car.least(cap) == least
    assert car.floor == min(5, min_amps)


def test_what_is_expected_of_it() -> None:
    car = _car()
    assert (car.expected_amps, car.committed_amps) == (16.0, 16.0)
    car.belief.settle(12.0, 12.0)
    assert (car.expected_amps, car.committed_amps) == (12.0, 16.0), "it uses less, but may use all"
    car.target = 10
    assert (car.expected_amps, car.committed_amps) == (10.0, 12.0)
    car.target = 0
    assert car.expected_amps == 0.0
    _do(car, STOP, 10.0)
    assert (car.expected_amps, car.committed_amps) == (0.0, 12.0)
    assert not car.draws_unasked, "it is about to end"
    car = _paused()
    car.target = 16
    assert car.expected_amps == 16.0, "it is about to start"
    assert car.start_is_due
    car = _car(_report(6.0))
    _do(car, _set(16), 10.0)
    assert car.expected_amps == 16.0, "it is about to rise"
    car = _car(_report(16.0, measured_amps=8.0))
    car.target = 10
    assert car.expected_amps == 10.0, "what it was not told yet is not taken for used"
    heats = _car(_report(state=STOPPED, measured_amps=3.0))
    assert (heats.expected_amps, heats.committed_amps, heats.draws_unasked) == (3.0, 3.0, True)
    heats.target = 6
    assert not heats.draws_unasked, "it is about to charge"
    assert not _car(_report(state=STOPPED, measured_amps=0.7)).draws_unasked


@pytest.mark.parametrize(
    ("target", "running", "in_flight", "due"),
    [
        (1, False, None, True),
        (0, False, None, False),
        (10, True, None, False),
        (0, True, None, False),
        (10, False, START, False),
    ],
)
def test_a_start_is_due_where_it_is_wanted_and_was_not_told(
    target: int, running: bool, in_flight: Command | None, due: bool
) -> None:
    car = _car()
    car.target, car.running, car.in_flight = target, running, in_flight
    assert car.start_is_due is due


@pytest.mark.parametrize(("deaf_s", "expected"), [(5.0, 10.0), (5.01, 16.0)])
def test_who_cannot_be_told_is_reckoned_with_as_it_is(deaf_s: float, expected: float) -> None:
    car = _car()
    car.target = 10
    car.no_cut_before = 100.0 + deaf_s
    assert car.expected_by_others(100.0) == expected
    car.in_flight = _set(10)
    assert car.expected_by_others(100.0) == 10.0


@pytest.mark.parametrize(("deaf_at", "expected"), [(90.0, 10.0), (89.99, 16.0), (inf, 10.0)])
def test_who_does_nothing_of_what_it_was_told_is_reckoned_with_as_it_is(deaf_at: float, expected: float) -> None:
    car = _car()
    car.target, car.deaf_at, car.in_flight = 10, deaf_at, _set(10)
    assert car.expected_by_others(100.0) == expected


def test_who_leaves_something_unused_for_half_a_minute_is_given_one_more_than_it_uses() -> None:
    car = _car()
    assert car.usable_amps(16, 1000.0) == 16
    car.add_report(_report(16.0, measured_amps=9.4), 20.0)
    assert not car.uses_what_it_has
    assert car.usable_amps(16, 49.99) == 16
    assert car.usable_amps(16, 50.0) == 11
    assert car.usable_amps(8, 50.0) == 8
    car.add_report(_report(16.0, measured_amps=15.0), 60.0)
    assert car.usable_amps(16, 60.0) == 16, "one more proves nothing"
    car.add_report(_report(16.0, measured_amps=1.0), 70.0)
    assert car.usable_amps(16, 70.0) == 5, "no less than its minimum"
    car.add_report(_report(16.0, measured_amps=15.5), 80.0)
    assert car.usable_amps(16, 1000.0) == 16
    car.add_report(_report(16.0, measured_amps=9.4), 1010.0)
    assert car.usable_amps(16, 1020.0) == 16, "it counts from then on"
    car.add_report(_report(16.0, state=STOPPED, measured_amps=0.0), 1100.0)
    car.add_report(_report(16.0, measured_amps=9.4), 1200.0)
    assert car.usable_amps(16, 1210.0) == 16, "nor does it count across a stop"
    car.request = None
    car.add_report(_report(None, measured_amps=9.4), 1240.0)
    assert car.usable_amps(16, 1240.0) == 11
    car = _car()
    car.add_report(_report(16.0, measured_amps=14.5), 20.0)
    assert car.usable_amps(20, 60.0) == 20


@pytest.mark.parametrize(("measured", "uses"), [(14.3, True), (14.29, False), (16.0, True)])
def test_an_ampere_less_is_still_used(measured: float, uses: bool) -> None:
    car = _car()
    car.add_report(_report(16.0, measured_amps=measured), 20.0)
    assert car.uses_what_it_has is uses


def test_what_nobody_knows_is_taken_for_used() -> None:
    car = _car()
    car.belief.settle(2.0, 2.0)
    assert not car.uses_what_it_has
    car.request = None
    assert car.uses_what_it_has
    car.request = 16
    car.belief.settle(0.0, 2.0)
    assert car.uses_what_it_has
    assert _paused().uses_what_it_has


# -- a cut that is not needed any more ----------------------------------------------------------------------------


def test_a_cut_that_cannot_be_sent_is_dropped_where_the_house_has_room_again() -> None:
    for room, target in ((16.0, 16), (15.99, 10)):
        car = _car()
        car.target = 10
        car.drop_cut(room)
        assert car.target == target
    car = _car()
    car.target = 10
    car.in_flight = _set(10)
    car.drop_cut(20.0)
    assert car.target == 10, "it is on its way"
    car = _car()
    _do(car, _set(10), 10.0, Outcome.UNKNOWN)
    car.drop_cut(20.0)
    assert (car.target, car.request, car.belief.change) == (16, 16, None)
    car = _car()
    _do(car, _set(10), 10.0)
    car.drop_cut(20.0)
    assert car.belief.change is not None, "it was accepted, and is to show"
    car = _car(_report(16.0, measured_amps=12.0))
    car.target = 10
    car.drop_cut(20.0)
    assert (car.target, car.request) == (16, 16)
    car.target = 20
    car.drop_cut(20.0)
    assert car.target == 20, "it is no cut"
    car = _paused()
    car.drop_cut(20.0)
    assert car.target == 0
    car = _car(_report(6.0))
    _do(car, _set(16), 10.0)
    car.target = 8
    car.drop_cut(20.0)
    assert car.target == 8, "a raise is under way"


# -- what is kept -------------------------------------------------------------------------------------------------


def test_what_is_kept_is_put_back() -> None:
    car = _paused()
    car.user_limit, car.learned = 8, (0, 2)
    again = ManagedCharger("a", ChargerSettings(max_amps=16))
    again.restore(car.record())
    assert (again.paused, again.user_limit, again.learned) == (True, 8, (0, 2))


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ({}, (False, None, None)),
        ({"user_limit": 5}, (False, 5, None)),
        ({"user_limit": 4}, (False, None, None)),
        ({"phases": [3]}, (False, None, None)),
        ({"phases": [0, 3]}, (False, None, None)),
        ({"phases": []}, (False, None, None)),
        ({"phases": [2]}, (False, None, (2,))),
        ({"phases": [0, 1, 2]}, (False, None, (0, 1, 2))),
        ({"phases": (2,)}, (False, None, None)),
    ],
)
def test_of_a_record_what_cannot_be_is_left_out(record: dict[str, Any], kept: tuple[object, ...]) -> None:
    car = ManagedCharger("a", ChargerSettings(max_amps=16))
    car.restore(record)
    assert (car.paused, car.user_limit, car.learned) == kept


@pytest.mark.parametrize("record", [{"paused": 1}, {"user_limit": "8"}, {"user_limit": 8.0}])
def test_what_is_no_record_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="charger"):
        ManagedCharger("a", ChargerSettings(max_amps=16)).restore(record)


def test_another_number_of_phases_makes_what_was_learned_void() -> None:
    car = _car(_report(phases=1))
    car.learned = (1,)
    car.add_report(_report(phases=1), 15.0)
    assert car.learned == (1,)
    car.add_report(_report(phases=3), 30.0)
    assert car.learned is None


# -- whether it does what it is told --------------------------------------------------------------------------------


def test_a_stop_that_only_the_charger_shows_got_through() -> None:
    """A meter that is the wrong way round shows nothing of it, so it is sent again before a report tells."""
    car = _car()
    _do(car, STOP, 10.0)
    assert car.look(40.0, 40.0)
    assert car.is_deaf(40.0)
    _do(car, STOP, 40.0)
    assert car.is_deaf(42.0)
    car.add_report(_report(state=STOPPED, measured_amps=0.0, age_s=15.0), 50.0)
    assert not car.is_deaf(50.0), "though it may be older than the second"


def test_starts_that_fail_are_no_less_deaf_for_a_report_that_it_stands_still() -> None:
    car = _paused()
    car.target = 6
    _do(car, START, 100.0, Outcome.FAILED)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 120.0)
    assert car.is_deaf(120.0)
    car.target = 6
    _do(car, START, 130.0)
    assert not car.is_deaf(132.0)


# -- states that are stuck ------------------------------------------------------------------------------------------


def _stopped_while_stuck(seconds: int = 480, *, quiet: bool = True) -> ManagedCharger:
    """Return one that obeyed our stop, while for so long its entities went on showing what was before it."""
    car = _car()
    _do(car, STOP, 10.0)
    for now in range(20, 20 + seconds, 30):
        car.add_report(_report(quiet_s=float(now) if quiet else 0.0), float(now))
    assert car.running, "what is not known to have come is reckoned with"
    assert car.belief.high == 16
    return car


def test_a_pause_is_ours_though_what_is_stuck_denied_it_for_long() -> None:
    car = _stopped_while_stuck()
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 520.0)
    assert car.paused
    assert car.not_ours(Mode.BALANCED, 520.0) is None


def test_a_stop_is_its_users_where_it_was_seen_to_charge_on_after_ours() -> None:
    car = _stopped_while_stuck(quiet=False)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 520.0)
    assert car.not_ours(Mode.BALANCED, 520.0) is Reason.STOPPED_BY_USER


def test_what_moves_again_after_a_stop_that_came_to_nothing_is_its_users_to_stop() -> None:
    car = _stopped_while_stuck()
    car.add_report(_report(quiet_s=0.0), 515.0)
    car.add_report(_report(state=STOPPED, measured_amps=0.0), 700.0)
    assert car.not_ours(Mode.BALANCED, 700.0) is Reason.STOPPED_BY_USER
