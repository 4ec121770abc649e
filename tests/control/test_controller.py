"""What the owner of a house and a car gets, second by second."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any

import pytest

from custom_components.amp_sensor.control import Clock, LimitSettings, Protection, ProtectionKind, Reason
from custom_components.amp_sensor.control.profile import TESSIE
from tests.control.bench import Bench, BenchCar, running

# -- lowering ---------------------------------------------------------------------------------------------------


def test_a_reading_over_the_budget_lowers_the_car_at_once(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(5)
    assert len(bench.commands) == 1
    at, command = bench.commands[0]
    assert (command.action, command.amps) == ("set_amps", 9)
    assert at == bench.now
    assert bench.last.reason == "over_budget"
    assert bench.last.numbers["over_amps"] == pytest.approx(6.0, abs=0.1)
    bench.run(60)
    assert bench.total <= 25
    assert len(bench.commands) == 1, "one was enough"


def test_a_house_that_rises_on_lowers_the_car_on(bench: Bench) -> None:
    bench.house = 12.0
    bench.run(5)
    bench.house = 18.0
    bench.run(30)
    asked = [command.amps for command in bench.sent()]
    assert asked == sorted(asked, reverse=True)
    assert bench.car.amps == 6
    assert bench.total <= 25


def test_one_command_is_in_flight_and_the_newest_target_follows(bench: Bench) -> None:
    bench.car.latency_s = 20
    for house in (11.0, 14.0, 17.0):
        bench.house = house
        bench.run(5)
    assert len(bench.commands) == 1
    bench.run(10)
    assert [command.amps for command in bench.sent()] == [13, 7]


def test_noise_around_the_budget_is_no_reason_to_lower(bench: Bench) -> None:
    bench.house = 9.2
    bench.run(60)
    assert not bench.commands


def test_a_cut_that_the_meter_does_not_show_is_sent_again_ever_less_often(bench: Bench) -> None:
    bench.car.obeys = bench.car.reports = False
    bench.house = 12.0
    bench.run(90)
    assert {command.action for command in bench.sent()} == {"set_amps"}
    bench.run(510)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(bench.commands)]
    assert gaps[0] <= 16
    assert gaps[:4] == sorted(gaps[:4])
    assert 100 < max(gaps) <= 125
    assert "resent" in bench.reasons
    assert bench.commands[-1][1].action == "stop", "what the protection does not bear is not waited for"


def test_a_stop_that_the_meter_does_not_show_is_sent_again(bench: Bench) -> None:
    bench.car.obeys = bench.car.reports = False
    bench.house = 30.0
    bench.run(60)
    assert len(bench.sent("stop")) >= 3


def test_a_stop_that_only_the_meter_showed_is_sent_again_where_the_house_is_far_over(bench: Bench) -> None:
    """It was lost, and the house fell by as much in the same seconds: no report is there yet to tell them apart."""
    bench.car.reports = bench.car.obeys = False
    bench.house = 30.0
    bench.run(5)
    assert [command.action for command in bench.sent()] == ["stop"]
    bench.house = 14.0
    bench.run(20)
    assert bench.car.amps == 16
    assert bench.sent("stop")[1:] == []
    bench.car.obeys = True
    bench.house = 30.0
    bench.run(15)
    assert bench.car.amps == 0
    assert "resent" in bench.reasons


def test_a_stop_that_the_car_confirmed_is_not_sent_again_whatever_the_house_does(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(30)
    bench.house = 45.0
    bench.run(120)
    assert len(bench.sent("stop")) == 1


@pytest.mark.parametrize("latency_s", [2.0, inf])
def test_a_cut_that_the_house_hides_becomes_a_stop_before_a_breaker_opens(bench: Bench, latency_s: float) -> None:
    """It came, and the house rose by as much: the meter shows neither, and no report is there yet to tell them."""
    bench.car.reports, bench.car.latency_s = False, latency_s
    bench.house = 18.0
    for _ in range(40):
        bench.run(1)
        if latency_s == inf:
            bench.car.coming += bench.sent(after=bench.now - 1)  # it comes, and only its answer does not
        bench.house = max(bench.house, min(27.0, 34.0 - bench.car.amps))
    assert bench.house == 27
    assert bench.car.amps == 0
    assert bench.controller.protection_load < 1


def test_what_the_cars_report_shows_need_not_be_sent_again() -> None:
    """The house rose by as much as the car gave up: the meter shows nothing, but the car tells that it obeyed."""
    bench = running(house=5.0)
    bench.house = 11.0
    bench.run(8)
    bench.house = 14.0
    bench.run(60)
    assert bench.car.amps == 10, "14 A and the sensor's noise leave a bit less than 11 A"
    assert bench.total <= 25
    assert len(bench.commands) <= 4


def test_an_ampere_that_just_fits_is_neither_taken_nor_given_back(bench: Bench) -> None:
    bench.house = 14.95
    bench.run(900)
    assert [command.amps for command in bench.sent()] == [10]
    bench.house = 15.8
    bench.run(60)
    bench.house = 14.95
    bench.run(900)
    assert [command.amps for command in bench.sent()] == [10, 9]


def test_a_little_too_much_is_not_worth_a_command_at_once(bench: Bench) -> None:
    bench.house = 9.8
    bench.run(6)
    assert bench.last.reason == "no_headroom"
    assert not bench.commands
    bench.house = 5.0
    bench.run(60)
    assert not bench.commands, "it ended by itself"
    bench.house = 9.8
    bench.run(40)
    assert bench.total <= 25, "it did not"


def test_a_little_too_much_is_cut_at_once_where_the_protection_bears_none(bench: Bench) -> None:
    switch = Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=25, time_s=10)
    bench.configure(protection=switch)
    bench.house = 9.8
    bench.run(6)
    assert bench.sent("set_amps")


def test_noise_is_averaged_and_a_step_is_not(bench: Bench) -> None:
    bench.run(10)
    bench.house = 5.5
    bench.run(5)
    assert 5.0 < bench.controller.house_current() < 5.3
    bench.house = 9.0
    bench.run(5)
    assert bench.controller.house_current() == pytest.approx(9.0, abs=0.05)


def test_a_reading_right_after_a_command_shows_nothing_of_it(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(5)
    bench.house = 5.0
    bench.post()
    bench.decide()
    assert bench.last.reason == "verifying"
    bench.run(4)
    assert bench.last.reason == "verifying"
    assert bench.last.target == 9


def test_a_report_that_shows_the_old_current_sends_the_cut_again(bench: Bench) -> None:
    bench.car.obeys = False
    bench.house = 15.0
    bench.run(40)
    assert len(bench.sent("set_amps")) >= 2
    bench.car.obeys = True
    bench.run(60)
    assert bench.total <= 25


def test_a_command_that_failed_is_tried_again_soon_and_then_less_often(bench: Bench) -> None:
    bench.car.outcome, bench.car.reports = "failed", False
    bench.house = 15.0
    bench.run(60)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(bench.commands)]
    assert gaps[:4] == [2, 4, 8, 16], "as soon as the answer is there, and then ever later"


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_cut_that_fails_is_tried_as_soon_as_a_hot_breaker_needs_it(bench: Bench, outcome: str) -> None:
    bench.car.outcome, bench.car.reports = outcome, False
    bench.house = 20.0
    bench.run(300)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(bench.commands)]
    assert max(gaps[-10:]) <= 11, "at 1.4 times its rating"
    bench.car.outcome = "accepted"
    bench.run(20)
    assert bench.total <= 25


@pytest.mark.parametrize(
    ("asks", "least_s"),
    [({"retry_after_s": 45.0}, 45), ({"needs_person": True}, 30), ({"outcome": "refused"}, 60)],
)
def test_who_asks_for_patience_or_cannot_be_helped_is_not_hurried(
    bench: Bench, asks: dict[str, Any], least_s: int
) -> None:
    bench.car.outcome, bench.car.reports = "failed", False
    for name, value in asks.items():
        setattr(bench.car, name, value)
    bench.house = 20.0
    bench.run(300)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(bench.commands)]
    assert min(gaps) >= least_s


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_commands_that_fail_are_the_reason_and_not_a_meter_that_is_waited_for(bench: Bench, outcome: str) -> None:
    bench.car.outcome = outcome
    bench.house = 15.0
    bench.run(120)
    shown = [decision.reason for decision in bench.decisions[-60:]]
    assert shown.count("blocked") > 50
    assert bench.controller.chargers["car"].is_deaf(bench.now)
    bench.car.outcome = "accepted"
    bench.run(90)
    assert bench.last.reason != "blocked"
    assert not bench.controller.chargers["car"].is_deaf(bench.now)


def test_a_car_that_does_nothing_of_what_it_accepts_is_deaf_until_it_does(bench: Bench) -> None:
    bench.car.obeys = False
    bench.house = 15.0
    bench.run(60)
    assert bench.controller.chargers["car"].is_deaf(bench.now)
    assert bench.last.reason != "blocked", "nobody refuses"
    bench.car.obeys = True
    bench.run(90)
    assert not bench.controller.chargers["car"].is_deaf(bench.now)


def test_a_car_is_not_deaf_for_longer_than_something_is_wanted_of_it(bench: Bench) -> None:
    bench.car.outcome = "failed"
    bench.house = 15.0
    bench.run(30)
    bench.car.become(state="disconnected", plugged_in=False)
    bench.run(30)
    assert not bench.controller.chargers["car"].is_deaf(bench.now)


def test_after_a_time_out_the_meter_is_looked_at_first(bench: Bench) -> None:
    bench.car.outcome, bench.car.reports = "unknown", False
    bench.house = 15.0
    bench.run(40)
    (first, _), (second, _) = bench.commands[:2]
    assert second - first == 8, "one that came through shows by then"


def test_a_time_out_that_the_meter_shows_to_have_worked_is_over(bench: Bench) -> None:
    bench.car.outcome = "unknown"
    bench.house = 15.0
    bench.run(6)
    bench.car.apply(bench.commands[0][1])
    bench.run(60)
    assert len(bench.commands) == 1


def test_after_a_long_time_out_a_cut_is_sent_again_at_once(bench: Bench) -> None:
    bench.car.outcome, bench.car.reports, bench.car.latency_s = "unknown", False, 10.0
    bench.house = 15.0
    bench.run(40)
    (first, _), (second, _) = bench.commands[:2]
    assert second - first == 10


def test_a_limit_of_ours_that_comes_into_force_late_is_not_its_users(bench: Bench) -> None:
    bench.car.outcome = "unknown"
    bench.house = 15.0
    bench.run(6)
    assert [command.amps for command in bench.sent("set_amps")] == [9]
    bench.car.outcome, bench.house = "accepted", 17.0
    bench.run(60)
    assert bench.car.request == 7
    bench.car.apply(bench.commands[0][1])  # the first one, a minute late
    bench.house = 5.0
    bench.run(400)
    assert bench.car.request == 16
    assert "user_limit" not in bench.reasons


def test_a_car_that_refuses_is_left_alone_for_a_minute(bench: Bench) -> None:
    bench.car.outcome, bench.car.reports = "refused", False
    bench.house = 15.0
    bench.run(200)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(bench.commands)]
    assert gaps
    assert min(gaps) >= 60


def test_a_cloud_that_asks_for_patience_gets_it(bench: Bench) -> None:
    bench.car.outcome, bench.car.retry_after_s = "failed", 100.0
    bench.house = 15.0
    bench.run(100)
    assert len(bench.commands) == 1
    bench.run(10)
    assert len(bench.commands) == 2


@pytest.mark.parametrize("retry_after_s", [900.0, inf])
def test_a_cloud_that_shuts_us_out_is_only_asked_for_cuts_and_seldom(bench: Bench, retry_after_s: float) -> None:
    bench.car.outcome, bench.car.retry_after_s = "failed", retry_after_s
    bench.house = 15.0
    bench.run(600)
    assert len(bench.commands) == 5, "every two minutes: over the budget, nobody can wait for a quarter of an hour"
    assert bench.last.reason == "blocked"
    bench.house = 2.0
    calm = bench.now + 10
    bench.run(600)
    assert not bench.sent(after=calm), "nothing is to be cut any more"


def test_an_answer_that_nobody_waits_for_changes_nothing(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(5)
    command = bench.commands[0][1]
    bench.run(60)
    for charger_id in ("car", "other"):
        answer = bench.control.Command(charger_id=charger_id, action=command.action, amps=16)
        bench.controller.acknowledge(answer, bench.control.Outcome.FAILED, now=bench.now)
    bench.run(5)
    assert len(bench.commands) == 1


# -- raising ----------------------------------------------------------------------------------------------------


def test_headroom_must_last_before_the_car_is_raised(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.house = 5.0
    freed = bench.now
    bench.run(10)
    assert not bench.sent(after=freed)
    assert bench.last.reason == "waiting"
    bench.run_until("raised")
    (command,) = bench.sent(after=freed)
    assert command.amps > 9
    bench.run(600)
    assert bench.car.amps == 16
    assert bench.last.reason == "at_maximum"
    assert bench.total <= 25


def test_a_thermostat_is_not_followed_up_each_time(bench: Bench) -> None:
    for _ in range(20):
        bench.house = 15.0
        bench.run(30)
        bench.house = 5.0
        bench.run(30)
    assert len(bench.commands) <= 10, "an up and a down each minute would be 40"


def test_eager_raises_sooner_than_strict() -> None:
    raised = {}
    for mode in ("strict", "balanced", "eager"):
        bench = running(mode=mode)
        bench.house = 15.0
        bench.run(60)
        bench.house = 5.0
        freed = bench.now
        bench.run_until("raised", within=1800)
        raised[mode] = bench.now - freed
    assert raised["eager"] <= raised["balanced"] <= raised["strict"]
    assert raised["eager"] < raised["strict"]


def test_a_failed_raise_is_weighed_again_and_not_before_its_patience_is_over(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.car.outcome, bench.car.retry_after_s = "failed", 60.0
    bench.house = 5.0
    bench.run_until("raised")
    freed = bench.now
    bench.run(5)
    bench.house = 15.0
    bench.run(100)
    assert not bench.sent(after=freed), "the headroom is gone, and with it the raise"


def test_a_raise_that_timed_out_counts_as_done(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.car.outcome = "unknown"
    bench.house = 5.0
    bench.run_until("raised")
    bench.run(3)
    bench.house = 17.0
    bench.car.outcome = "accepted"
    raised = bench.now
    bench.run(10)
    assert bench.sent("set_amps", after=raised), "it may draw what it was given, so it is lowered again"


def test_a_raise_that_does_not_show_waits_for_the_cars_word(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.car.obeys = False
    bench.house = 5.0
    bench.run_until("raised")
    bench.car.reports = False
    raised = bench.now
    bench.run(300)
    assert not bench.sent(after=raised)
    bench.car.reports = bench.car.obeys = True
    bench.run(600)
    assert bench.car.amps == 16


def test_a_report_from_within_a_raise_is_not_taken_for_its_end(bench: Bench) -> None:
    """What the car draws less at that moment would be taken for the house's, and the car be lowered for it."""
    bench.house = 15.0
    bench.run(60)
    bench.house = 8.0
    bench.run_until("raised", within=300)
    bench.car.reports = False
    bench.car.draw = lambda: None  # type: ignore[method-assign]  # it rises by an ampere a second, after a moment
    bench.run(6)
    for bench.car.amps in range(10, 14):
        bench.run(1)
    bench.report(bench.car)
    for bench.car.amps in range(14, 17):
        bench.run(1)
    bench.run(6)
    bench.report(bench.car)
    bench.run(60)
    assert [command.amps for command in bench.sent("set_amps")] == [9, 16]


def test_a_car_that_does_not_use_what_it_has_is_given_no_more() -> None:
    bench = running(cars=(BenchCar(request=10.0, amps=6.0, takes=6.0),), seconds=600)
    assert not bench.commands
    assert bench.last.reason == "not_used"
    bench.car.takes = inf
    bench.car.draw()
    bench.run(300)
    assert bench.car.amps > 10


def test_a_car_that_uses_less_leaves_the_rest_to_the_house() -> None:
    """Lowering it would change nothing: 12 A of the house and its 6 A are within 25 A, whatever it may."""
    bench = running(cars=(BenchCar(amps=6.0, takes=6.0),))
    bench.house = 12.0
    bench.run(120)
    assert not bench.commands


def _thermostat(bench: Bench, amps: float) -> None:
    """Let the house go that high three times in short, while nobody controls anything: it is known for it now."""
    mode = bench.settings.mode
    bench.configure(mode="off")
    for _ in range(3):
        bench.house = amps
        bench.run(20)
        bench.house = 5.0
        bench.run(60)
    bench.configure(mode=mode)
    bench.run(10)


# -- minimum, stop, start ---------------------------------------------------------------------------------------


def test_the_minimum_is_held_for_a_while_rather_than_stopped(bench: Bench) -> None:
    _thermostat(bench, 21.0)
    bench.house = 21.0
    bench.run(30)
    assert bench.last.reason == "minimum"
    assert bench.car.amps == 5
    bench.house = 15.0
    bench.run(600)
    assert not bench.sent("stop")
    assert bench.car.amps > 5


def test_the_minimum_is_not_held_for_ever(bench: Bench) -> None:
    _thermostat(bench, 21.0)
    bench.house = 21.0
    bench.run_until("paused")
    assert "minimum" in bench.reasons
    bench.run(10)
    assert bench.car.state == "stopped"
    assert bench.last.target == 0


def test_far_over_the_budget_the_car_is_stopped_at_once(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(10)
    assert [command.action for command in bench.sent()] == ["stop"]
    bench.run(20)
    assert bench.last.reason == "house_over_budget"


def test_strict_never_uses_the_tolerance_of_the_protection() -> None:
    bench = running(mode="strict")
    _thermostat(bench, 21.0)
    bench.house = 21.0
    bench.run(10)
    assert [command.action for command in bench.sent()] == ["stop"]


@pytest.mark.parametrize(("before", "action"), [(1.0, "set_amps"), (9.0, "stop")], ids=["cold", "warm"])
def test_the_minimum_is_held_only_where_the_protection_bears_the_way_down_to_it(before: float, action: str) -> None:
    """At 1.6 times its rating a warm breaker has no time for a command that is changed on its way."""
    bench = running(mode="eager", house=before, seconds=300)
    bench.house = 23.8
    bench.run(5)
    assert [command.action for command in bench.sent()] == [action]


def test_the_minimum_is_held_only_while_the_protection_has_half_of_its_tolerance_left() -> None:
    stopped = {}
    for time_s in (60.0, 600.0):
        bench = running(mode="eager")
        bench.configure(
            protection=Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=25.0, tolerance=0.0, time_s=time_s)
        )
        _thermostat(bench, 21.0)
        bench.house = 21.0
        since = bench.now
        bench.run_until("paused", within=1200)
        stopped[time_s] = bench.now - since
        assert bench.controller.protection_load <= 0.5
    assert stopped[60.0] <= 30
    assert stopped[600.0] > 100


def test_a_pause_ends_when_headroom_lasts_and_the_car_is_told_its_amps_first(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 5.0
    freed = bench.now
    bench.run_until("started")
    assert bench.now - freed > 5
    bench.run(30)
    resumed = bench.sent(after=freed)
    assert resumed[-1].action == "start"
    assert all(command.action == "set_amps" for command in resumed[:-1])
    bench.run(600)
    assert bench.car.amps == 16


def test_a_paused_car_says_so_for_as_long_as_the_minimum_does_not_fit(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    assert bench.last.reason == "house_over_budget"
    bench.house = 22.0
    bench.run(60)
    assert bench.last.reason == "paused"


def test_a_start_costs_no_second_command_where_the_car_has_about_the_right_limit(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    assert bench.car.request == 9
    bench.house = 28.0
    bench.run(60)
    bench.house = 12.0
    freed = bench.now
    bench.run_until("started")
    assert [(command.action, bench.car.request) for command in bench.sent(after=freed)] == [("start", 9)]


def test_a_start_is_given_up_when_the_headroom_goes_while_its_amps_are_set(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 12.0
    bench.car.latency_s = 15
    bench.run_until("started")
    assert bench.sent()[-1].action == "set_amps"
    bench.house = 23.0
    bench.run(60)
    assert not bench.sent("start")
    assert bench.last.target == 0


def test_a_minimum_that_is_a_bit_over_may_be_held_but_not_started(bench: Bench) -> None:
    _thermostat(bench, 20.6)
    bench.house = 28.0
    bench.run(60)
    bench.house = 12.0
    bench.car.latency_s = 15
    bench.run_until("started")
    assert bench.sent()[-1].action == "set_amps"
    bench.house = 20.6
    bench.run(14)
    assert bench.last.reason == "minimum"
    bench.run(60)
    assert not bench.sent("start")


def test_a_start_is_given_up_when_the_meter_goes_silent_while_its_amps_are_set(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    for latency_s, bench.house in ((20, 12.0), (35, 14.0)):  # each start has to set its amps
        bench.car.latency_s = latency_s
        bench.run_until("started")
        assert bench.sent()[-1].action == "set_amps"
        bench.meter = False
        bench.run(100)
        assert not bench.sent("start")
        bench.meter = True


def test_what_a_user_sets_while_we_have_paused_it_is_known_when_it_starts(bench: Bench) -> None:
    """Else it would start with that, and what it draws more be taken for the house's."""
    bench.house = 15.0
    bench.run(30)
    bench.house = 28.0
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.car.request = 14
    bench.run(60)
    bench.house = 16.0
    before = bench.now
    bench.run(300)
    assert [(each.action, each.amps) for each in bench.sent(after=before)][:2] == [("set_amps", 8), ("start", 0)]
    assert not bench.sent("stop", after=before)


@pytest.mark.parametrize(("sets", "charges"), [(7, 7), (14, 16)])
def test_a_limit_set_while_we_have_paused_it_is_its_users_where_it_is_lower(
    bench: Bench, sets: int, charges: int
) -> None:
    bench.house = 15.0
    bench.run(30)
    assert bench.car.request == 9
    bench.house = 28.0
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.car.request = sets
    bench.run(60)
    bench.house = 4.0
    bench.run(900)
    assert bench.car.amps == charges


def test_a_start_that_failed_is_weighed_again(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 5.0
    bench.car.outcome = "refused"
    bench.run_until("started")
    bench.run(40)
    bench.car.outcome = "accepted"
    bench.run(300)
    assert bench.car.state == "charging"


def test_a_start_that_comes_to_nothing_is_tried_again_within_bounds(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 5.0
    bench.car.obeys = False
    bench.run(3600)
    assert 4 <= len(bench.sent("start")) <= 4 + 4
    assert "starts_exhausted" in bench.reasons


def test_a_start_that_neither_meter_nor_cloud_shows_is_tried_again(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 5.0
    bench.car.obeys = bench.car.reports = False
    bench.run_until("started")
    bench.run(100)
    assert bench.last.target == 0
    assert bench.last.reason == "settling", "its cloud has to tell what came of it"
    bench.car.obeys = bench.car.reports = True
    bench.run(300)
    assert bench.car.state == "charging"


def test_a_car_that_was_unplugged_while_it_was_told_to_stop_is_not_started_by_the_answer(bench: Bench) -> None:
    bench.car.latency_s = 50
    bench.house = 28.0
    bench.run(5)
    assert bench.sent("stop")
    bench.house = 5.0
    for state, plugged_in in (("disconnected", False), ("charging", True)):
        bench.car.state, bench.car.plugged_in = state, plugged_in
        bench.run(15)
    bench.run(22)
    assert not bench.sent("start")


def test_starts_are_bounded_whatever_the_house_does(bench: Bench) -> None:
    for _ in range(20):
        bench.house = 28.0
        bench.run(60)
        bench.house = 5.0
        bench.run(240)
    assert len(bench.sent("start")) <= 4 + 6000 / 900 + 1
    assert "starts_exhausted" in bench.reasons


# -- failing safe -----------------------------------------------------------------------------------------------


def test_a_silent_meter_first_ends_raises_then_takes_a_safe_current_then_stops_the_car(bench: Bench) -> None:
    bench.house = 13.0
    bench.run(60)
    bench.house = 5.0
    bench.run(900)
    assert bench.car.amps == 16
    bench.meter = False
    quiet = bench.now
    bench.run(29)
    assert not bench.sent(after=quiet)
    bench.run(5)
    (command,) = bench.sent(after=quiet)
    assert (command.action, command.amps) == ("set_amps", 11), "what fits with the house's peak of the last hour"
    assert bench.last.reason == "meter_silent"
    assert bench.last.numbers["silence_s"] > 30
    bench.run(80)
    assert {command.amps for command in bench.sent(after=quiet)} == {11}, "nobody sees it obey, so it is told again"
    bench.run(15)
    assert bench.sent(after=quiet)[-1].action == "stop"
    bench.run(3600)
    assert not bench.sent("start")
    bench.meter = True
    bench.run(900)
    assert bench.car.state == "charging", "its silence over, it goes on"


def test_nothing_is_raised_on_a_reading_older_than_15_s(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.house = 5.0
    bench.run(15)
    bench.meter = False
    quiet = bench.now
    bench.run(30)
    assert not [command for command in bench.sent(after=quiet + 15) if command.amps > 9]
    assert bench.last.reason == "meter_silent"


def test_the_owners_maximum_holds_over_a_silent_meter_too(bench: Bench) -> None:
    bench.meter = False
    bench.run(20)
    bench.set_charger(max_amps=8)
    bench.run(20)
    assert {command.amps for command in bench.sent()} == {8}
    bench.run(100)
    assert bench.car.state == "stopped"


def test_a_meter_that_shows_nothing_of_a_change_of_the_car_is_frozen(bench: Bench) -> None:
    bench.stuck = 27.0
    bench.run(1)
    bench.house = 11.0
    bench.run_until("meter_frozen", within=120)
    stopped_within = 130
    bench.run(stopped_within)
    assert bench.car.state == "stopped"
    bench.run(600)
    assert bench.last.reason == "meter_frozen"
    assert not bench.sent("start")
    bench.stuck, bench.house = None, 5.0
    thawed = bench.now
    bench.run(5)
    assert not bench.sent(after=thawed), "nobody saw the house meanwhile"
    bench.run(900)
    assert bench.car.state == "charging"


def test_a_meter_that_rounds_to_whole_amps_is_not_frozen(bench: Bench) -> None:
    bench.rounds = round
    for house in (15.0, 5.0, 18.0, 5.0):
        bench.house = house
        bench.run(300)
    assert "meter_frozen" not in bench.reasons
    assert "meter_silent" not in bench.reasons
    assert bench.car.amps >= 15


def test_old_telemetry_allows_cuts_and_no_raises(bench: Bench) -> None:
    bench.car.age_s = 200.0
    bench.house = 15.0
    bench.run(60)
    assert bench.total <= 25
    bench.house = 5.0
    lowered = bench.now
    bench.run(600)
    assert bench.last.reason == "report_stale"
    assert not bench.sent(after=lowered)
    bench.car.age_s = 2.0
    bench.run(300)
    assert bench.car.amps == 16


def test_a_cloud_whose_clock_is_ahead_is_taken_for_fresh(bench: Bench) -> None:
    bench.car.age_s = -50.0
    bench.house = 15.0
    bench.run(60)
    bench.house = 5.0
    bench.run(600)
    assert bench.car.amps == 16


def test_a_meter_that_was_never_heard_stops_a_car_after_two_minutes() -> None:
    bench = Bench()
    bench.meter = False
    bench.run(20)
    assert bench.last.reason == "adopting"
    bench.run(140)
    assert bench.car.state == "stopped"
    assert bench.controller.house_current() is None


def test_a_clock_that_jumped_raises_nothing_at_once(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.house = 5.0
    bench.now += 4000
    woke = bench.now
    bench.post()
    bench.decide()
    bench.run(4)
    assert not [command for command in bench.sent(after=woke - 1) if command.amps > 9 or command.action == "start"]


# -- whose car, and where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at_home": False}, "away"),
        ({"at_home": None}, "place_unknown"),
        ({"plugged_in": False}, "unplugged"),
        ({"state": "disconnected"}, "unplugged"),
        ({"state": "complete"}, "complete"),
        ({"state": "no_power"}, "no_power"),
        ({"state": "stopped"}, "stopped_by_user"),
        ({"state": "stopped", "scheduled": True}, "scheduled"),
        ({"state": "stopped", "asleep": True}, "asleep"),
        ({"state": "charging", "asleep": True}, "asleep"),
    ],
)
def test_a_car_that_is_not_to_be_commanded_is_not(bench: Bench, change: dict[str, object], reason: str) -> None:
    for name, value in change.items():
        setattr(bench.car, name, value)
    bench.car.draw()
    bench.run(15)
    since = bench.now
    for house in (30.0, 5.0, 30.0):
        bench.house = house
        bench.run(200)
        assert bench.last.reason == reason
        assert bench.last.target == 0
    assert not bench.sent(after=since)


def test_a_paused_car_that_fell_asleep_is_not_woken(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.car.asleep = True
    bench.run(30)
    bench.house = 5.0
    bench.run(900)
    assert not bench.sent("start")
    bench.car.asleep = False
    bench.run(300)
    assert bench.sent("start"), "once it woke, its pause is still ours"


def test_a_car_that_its_user_stopped_stays_stopped_and_one_that_its_user_starts_goes_on(bench: Bench) -> None:
    bench.car.state = "stopped"
    bench.car.draw()
    bench.run(900)
    assert not bench.commands
    bench.car.state = "charging"
    bench.car.draw()
    bench.run(30)
    assert bench.last.reason == "at_maximum"
    bench.house = 15.0
    bench.run(30)
    assert bench.total <= 25


def test_an_old_report_in_a_new_guise_does_not_turn_our_pause_into_its_users(bench: Bench) -> None:
    """The clock of Home Assistant may be behind that of the cloud: then all that the car says seems to be of now."""
    bench.house = 28.0
    bench.run(10)
    assert bench.sent("stop")
    bench.car.reports = False
    report = bench.control.ChargerReport(
        age_s=-30.0,
        state=bench.control.ChargingState.CHARGING,
        requested_amps=16.0,
        measured_amps=16.0,
        plugged_in=True,
        at_home=True,
    )
    bench.controller.add_report("car", report, now=bench.now)
    bench.house = 5.0
    bench.run(5)
    bench.car.reports = True
    bench.run(600)
    assert bench.sent("start")


def test_a_car_that_leaves_during_our_pause_is_not_ours_to_start_when_it_is_back(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.car.state, bench.car.plugged_in = "disconnected", False
    bench.run(15)
    bench.house = 5.0
    bench.car.state, bench.car.plugged_in = "stopped", True
    bench.run(900)
    assert bench.last.reason == "stopped_by_user"
    assert not bench.sent("start")


def test_a_car_unplugged_under_an_unconfirmed_stop_is_not_ours_to_start(bench: Bench) -> None:
    bench.car.outcome = "failed"
    bench.house = 28.0
    bench.run_until("paused")
    bench.car.retry_after_s = 100.0
    bench.car.state, bench.car.plugged_in = "disconnected", False
    bench.car.draw()
    bench.run(20)
    bench.report(bench.car)
    bench.car.state, bench.car.plugged_in, bench.car.outcome = "stopped", True, "accepted"
    bench.house = 5.0
    bench.run(900)
    assert not bench.sent("start")


def test_a_charger_that_said_nothing_yet_is_not_commanded() -> None:
    bench = Bench(house=30.0)
    bench.car.reports = False
    bench.run(120)
    assert bench.last.reason == "no_report"
    assert not bench.commands


def test_a_lower_limit_from_the_cars_app_is_kept_until_it_is_unplugged(bench: Bench) -> None:
    bench.car.request = 8.0
    bench.car.draw()
    bench.run(600)
    assert not bench.commands
    assert bench.last.reason == "user_limit"
    assert bench.last.target == 8
    bench.house = 18.0
    bench.run(30)
    bench.house = 5.0
    bench.run(600)
    assert bench.car.amps == 8
    bench.car.state, bench.car.plugged_in = "disconnected", False
    bench.car.draw()
    bench.run(60)
    bench.car.state, bench.car.plugged_in = "charging", True
    bench.car.draw()
    bench.run(600)
    assert bench.car.amps == 16


def test_a_limit_that_the_user_sets_right_after_a_command_of_ours_is_kept_too(bench: Bench) -> None:
    bench.house = 12.0
    bench.run(14)
    assert bench.car.amps == 12
    bench.car.request = 8.0
    bench.car.draw()
    bench.house = 5.0
    bench.run(600)
    assert bench.car.amps == 8
    assert bench.last.reason == "user_limit"


@pytest.mark.parametrize("limit", [0.0, 4.0])
def test_a_limit_that_no_car_charges_with_is_nobodys_wish(bench: Bench, limit: float) -> None:
    bench.car.request = limit
    bench.car.draw()
    bench.run(600)
    assert bench.car.amps == 16
    assert not bench.sent("start")
    assert len(bench.sent("set_amps")) == 1


def test_a_higher_limit_from_the_cars_app_counts_as_long_as_it_fits(bench: Bench) -> None:
    bench.house = 12.0
    bench.run(60)
    bench.house = 5.0
    bench.car.request = 15.0
    bench.car.draw()
    bench.run(20)
    assert bench.car.amps == 15
    bench.set_charger(max_amps=13)
    bench.run(60)
    assert bench.car.amps == 13


def test_a_limit_that_is_back_where_our_command_was_lost_is_lowered_again(bench: Bench) -> None:
    bench.house = 12.0
    bench.run(60)
    bench.car.request = 16.0
    bench.car.draw()
    bench.run(60)
    assert bench.total <= 25


def test_what_the_car_accepts_at_most_is_not_exceeded(bench: Bench) -> None:
    bench.car.limit = bench.car.request = 10.0
    bench.car.draw()
    bench.run(300)
    assert bench.last.target == 10
    assert not bench.sent("stop")
    bench.car.limit = 16.0
    bench.run(300)
    assert bench.car.amps == 16


def test_a_limit_that_the_car_lowers_by_itself_is_no_wish_of_its_user(bench: Bench) -> None:
    bench.car.limit = 10.0
    bench.car.request = 10.0
    bench.car.draw()
    bench.run(60)
    bench.car.limit = 16.0
    bench.run(400)
    assert bench.car.amps == 16
    assert "user_limit" not in bench.reasons


@pytest.mark.parametrize("age_s", [2.0, inf])
def test_a_car_that_tells_little_is_controlled_by_the_meter_alone(bench: Bench, age_s: float) -> None:
    bench.car.reports = False
    report = bench.control.ChargerReport(age_s=age_s, state=bench.control.ChargingState.UNKNOWN, at_home=True)
    for house in (15.0, 5.0, 15.0):
        bench.house = house
        for _ in range(10):
            bench.controller.add_report("car", report, now=bench.now)
            bench.run(15)
    assert bench.total <= 25
    assert bench.sent("set_amps")


def test_a_car_that_is_found_charging_with_an_unknown_limit_is_not_given_more_at_once() -> None:
    bench = Bench(cars=(BenchCar(amps=6.0, request=6.0),))
    bench.car.reports = False
    report = bench.control.ChargerReport(age_s=2.0, state=bench.control.ChargingState.CHARGING, at_home=True)
    bench.controller.add_report("car", report, now=0.0)
    bench.run(59)
    assert max(command.amps for command in bench.sent()) < 16, "lowered by what it might draw, and not raised to it"


def test_a_car_that_is_found_starting_may_draw_all_that_it_was_given() -> None:
    bench = Bench(cars=(BenchCar(state="starting", amps=0.0),), house=12.0)
    bench.run(15)
    bench.car.state = "charging"
    bench.car.draw()
    bench.run(20)
    assert bench.total <= 25


# -- settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["off", "monitor"])
def test_off_and_monitor_send_nothing(mode: str) -> None:
    bench = running(mode=mode)
    for house in (15.0, 28.0, 5.0):
        bench.house = house
        bench.run(200)
    assert not bench.commands


def test_monitor_tells_what_balanced_would_do() -> None:
    bench = running(mode="monitor")
    bench.house = 15.0
    bench.run(5)
    assert bench.last.reason == "over_budget"
    assert bench.last.target == 9
    assert bench.last.command is None


def test_switching_to_monitor_ends_commands_and_switching_back_goes_on(bench: Bench) -> None:
    bench.configure(mode="off")
    bench.house = 15.0
    bench.run(60)
    assert bench.last.reason == "off"
    bench.configure(mode="monitor")
    bench.run(60)
    assert not bench.commands
    bench.configure(mode="balanced")
    bench.run(20)
    assert bench.total <= 25


def test_an_unmanaged_car_is_left_alone_and_counted(bench: Bench) -> None:
    bench.set_charger(managed=False)
    bench.house = 15.0
    bench.run(60)
    assert bench.last.reason == "not_managed"
    assert not bench.commands
    assert bench.controller.house_current() == pytest.approx(15.0, abs=0.1)


def test_a_lower_budget_lowers_the_car_at_once(bench: Bench) -> None:
    bench.configure(max_amps=15.0)
    bench.run(1)
    assert [command.amps for command in bench.sent()] == [9]
    bench.run(60)
    assert bench.total <= 15


def test_a_higher_budget_is_used_once_the_house_is_known(bench: Bench) -> None:
    bench.configure(max_amps=15.0)
    bench.run(60)
    bench.configure(max_amps=25.0)
    bench.run(600)
    assert bench.car.amps == 16


def test_a_lower_maximum_of_the_car_holds_at_once_also_below_the_minimum() -> None:
    bench = running(min_amps=8)
    bench.set_charger(max_amps=6, min_amps=8)
    bench.run(10)
    assert [command.amps for command in bench.sent()] == [6]
    bench.house = 21.0
    bench.run(10)
    bench.set_charger(max_amps=5, min_amps=8)
    bench.run(30)
    assert all(command.amps <= 6 for command in bench.sent())


def test_a_maximum_that_does_not_fit_beside_the_house_is_no_detour(bench: Bench) -> None:
    bench.house = 15.0
    bench.set_charger(max_amps=14)
    bench.post()
    bench.run(5)
    assert [command.amps for command in bench.sent()] == [9]


def test_a_charger_that_was_removed_is_forgotten(bench: Bench) -> None:
    bench.controller.remove_charger("car")
    bench.controller.remove_charger("car")
    bench.car.reports = False
    bench.run(10)
    assert bench.controller.decide(now=bench.now) == ()
    assert bench.controller.house_current() == pytest.approx(21.0, abs=0.1)


# -- beginning, end, memory -------------------------------------------------------------------------------------


def test_nothing_is_raised_within_the_first_minute() -> None:
    bench = Bench(cars=(BenchCar(amps=8.0, request=8.0),))
    bench.run(59)
    assert not bench.commands
    assert bench.last.reason == "adopting"
    bench.run(120)
    assert bench.sent("set_amps")


def test_a_restart_goes_on_with_what_the_car_is_doing(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    lowered = bench.now
    bench.start()
    bench.run(50)
    assert not bench.sent(after=lowered)
    assert bench.last.target == 9


def test_our_pause_survives_a_restart_and_is_ended_by_us(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    record = bench.controller.record()
    assert record["chargers"]["car"]["paused"]
    for kept in (None, record):
        bench.start(kept)
        bench.house = 5.0
        bench.run(600)
        assert bool(bench.sent("start")) is (kept is not None)
    assert bench.car.state == "charging"


def test_a_pause_of_a_charger_that_is_gone_is_forgotten(bench: Bench) -> None:
    other = {"paused": True, "user_limit": 8, "phases": None}
    assert bench.controller.restore({"chargers": {"other": other}}) == ()
    bench.run(5)
    assert not bench.controller.paused
    assert bench.controller.record()["chargers"].keys() == {"car"}


def test_what_the_house_taught_survives_a_restart(bench: Bench) -> None:
    for _ in range(10):
        bench.house = 12.0
        bench.run(60)
        bench.house = 2.0
        bench.run(120)
    record = bench.controller.record()
    bench.start(record)
    assert bench.controller.record()["house"] == record["house"]


def test_what_was_learned_under_another_budget_is_restored(bench: Bench) -> None:
    bench.run(600)
    record = bench.controller.record()
    bench.configure(max_amps=20.0)
    bench.start(record)
    [before], [restored] = record["house"], bench.controller.record()["house"]
    levels = restored["levels"]
    assert levels == before["levels"][: len(levels)], "a level is in amps, whatever the budget"


def test_a_changed_budget_keeps_what_the_house_taught(bench: Bench) -> None:
    bench.run(600)
    before = bench.controller.record()["house"][0]["levels"]
    bench.configure(max_amps=30.0)
    after = bench.controller.record()["house"][0]["levels"]
    assert len(after) > len(before)
    assert after[: len(before)] == before


def test_release_gives_the_maximum_back_where_that_is_safe(bench: Bench) -> None:
    assert bench.controller.release("car", now=bench.now) is None, "it has its maximum"
    bench.house = 15.0
    bench.run(60)
    assert bench.controller.release("car", now=bench.now) is None, "it would be over the budget"
    bench.house = 8.0
    bench.run(5)
    assert bench.controller.release("car", now=bench.now + 20) is None, "nobody knows what the house does"
    assert _released(bench) == [("set_amps", 16)]


def test_release_starts_a_car_that_we_paused_with_what_fits(bench: Bench) -> None:
    bench.house = 30.0
    bench.run_until("paused")
    bench.run(30)
    assert bench.car.amps == 0
    assert bench.controller.release("car", now=bench.now) is None, "there is no room"
    bench.house = 20.5
    bench.run(5)
    assert bench.controller.release("car", now=bench.now) is None, "not even for its minimum"
    bench.house = 15.4
    bench.run(5)
    assert _released(bench) == [("set_amps", 9), ("start", 0)]
    assert bench.car.amps == 9
    bench.house = 3.0
    bench.run(60)
    assert _released(bench) == [("set_amps", 16)], "and more once there is room"
    assert _released(bench) == []


def test_release_starts_a_car_whose_limit_is_about_right_at_once(bench: Bench) -> None:
    bench.house = 30.0
    bench.run_until("paused")
    bench.run(30)
    bench.house = 3.0
    bench.run(5)
    bench.set_charger(managed=False)
    assert bench.car.request == 16
    assert _released(bench) == [("start", 0)]


def test_release_leaves_a_car_alone_that_its_user_stopped(bench: Bench) -> None:
    bench.car.state = "stopped"
    bench.car.draw()
    bench.run(60)
    assert bench.last.reason == "stopped_by_user"
    assert _released(bench) == []


def _released(bench: Bench) -> list[tuple[str, int]]:
    """End control, give the car back, and return what it was told."""
    bench.configure(mode="off")
    told = []
    while (command := bench.controller.release("car", now=bench.now)) is not None:
        told.append((str(command.action), command.amps))
        bench.car.in_flight, bench.car.answer_at = command, bench.now + bench.car.latency_s
        bench.run(10)
    return told


def test_release_leaves_alone_what_is_not_ours_or_under_way(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(6)
    bench.house = 2.0
    bench.post()
    assert bench.controller.release("car", now=bench.now) is None, "a command is in flight"
    bench.run(2)
    assert bench.controller.release("car", now=bench.now) is None, "it was not seen to work"
    bench.run(20)
    bench.car.at_home = False
    bench.report(bench.car)
    assert bench.controller.release("car", now=bench.now) is None


def test_release_counts_the_other_cars() -> None:
    bench = running(budget=32.0, cars=(BenchCar("one"), BenchCar("two")), house=5.0, seconds=300)
    assert bench.cars[0].amps + bench.cars[1].amps <= 27
    for car in bench.cars:
        assert bench.controller.release(car.charger_id, now=bench.now) is None


# -- phases, several cars ---------------------------------------------------------------------------------------


def test_the_worst_phase_counts() -> None:
    bench = running(house=(3.0, 5.0, 1.0))
    bench.house = (3.0, 5.0, 14.0)
    bench.run(30)
    assert [command.amps for command in bench.sent()] == [10]
    assert bench.controller.house_current() == pytest.approx(14.0, abs=0.1)


def test_a_phase_that_appears_is_counted(bench: Bench) -> None:
    bench.house = (5.0, 12.0, 1.0)
    bench.run(30)
    assert bench.total <= 25


def test_two_cars_stay_within_the_budget_together() -> None:
    bench = running(budget=32.0, cars=(BenchCar("one"), BenchCar("two")), house=5.0)
    assert bench.total <= 32
    bench.house = 18.0
    bench.run(60)
    assert bench.total <= 32
    bench.house = 0.5
    bench.run(1800)
    assert bench.total <= 32
    assert bench.total > 26


def test_holding_one_cars_minimum_ends_though_another_is_paused() -> None:
    bench = running(budget=32.0, cars=(BenchCar("one"), BenchCar("two")), house=5.0)
    bench.house = 28.5
    bench.run(400)
    assert bench.total <= 32


def test_a_car_that_charges_elsewhere_leaves_its_budget_to_the_other() -> None:
    elsewhere = BenchCar("two", amps=0.0, state="stopped")
    bench = running(cars=(BenchCar("one"), elsewhere))
    report = bench.control.ChargerReport(
        age_s=2.0,
        state=bench.control.ChargingState.CHARGING,
        requested_amps=200.0,
        measured_amps=200.0,
        plugged_in=True,
        at_home=False,
    )
    elsewhere.reports = False
    for _ in range(20):
        bench.controller.add_report("two", report, now=bench.now)
        bench.run(15)
    assert bench.car.amps == 16
    assert not bench.commands
    assert bench.controller.house_current() == pytest.approx(5.0, abs=0.1)


# -- reasons ----------------------------------------------------------------------------------------------------


def _lowered(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.house = 5.0
    bench.run(400)


def _stopped(bench: Bench) -> None:
    bench.house = 28.0
    bench.run(60)
    bench.house = 5.0
    bench.run(300)


def _cycling(bench: Bench) -> None:
    for _ in range(12):
        _stopped(bench)


def _held(bench: Bench) -> None:
    _thermostat(bench, 21.0)
    bench.house = 21.0
    bench.run(200)


def _deaf(bench: Bench) -> None:
    bench.car.obeys = bench.car.reports = False
    _lowered(bench)


def _full(bench: Bench) -> None:
    bench.house = 15.5
    bench.run(100)


def _car(**changes: object) -> Callable[[Bench], None]:
    def change(bench: Bench) -> None:
        for name, value in changes.items():
            setattr(bench.car, name, value)
        bench.car.draw()
        bench.run(60)
        if "age_s" in changes:
            _lowered(bench)

    return change


def _mute(bench: Bench) -> None:
    bench.meter = False
    bench.run(200)


def _stick(bench: Bench) -> None:
    bench.stuck = 27.0
    bench.run(60)


def _shut(bench: Bench) -> None:
    bench.car.outcome, bench.car.retry_after_s = "failed", 900.0
    _lowered(bench)


def _thrifty(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.car.takes = 4.0
    bench.car.draw()
    bench.house = 5.0
    bench.run(400)


def _short(bench: Bench) -> None:
    bench.house = (5.0, 5.0, 5.0)
    bench.run(60)
    bench.shows = lambda flows: flows[:2]
    bench.run(60)


def _clipped(bench: Bench) -> None:
    """A clamp that shows no more than 20 A, and says so."""
    bench.run(60)
    bench.sensor_range = 20.0
    bench.house = 12.0
    bench.run(60)


def _off(bench: Bench) -> None:
    bench.shows = lambda flows: (0.1,)
    bench.run(60)


def _joined(bench: Bench, house: float) -> None:
    """A second car comes, and the house leaves so much that they have to share or to take turns."""
    bench.house = house
    bench.run(300)
    bench.cars += (BenchCar("other", request=6.0, amps=0.0, state="stopped"),)
    bench.set_charger("other")
    bench.cars[1].become(state="charging")
    bench.run(1200)


def _slow_to_write(bench: Bench) -> None:
    bench.set_charger(profile=replace(TESSIE, write_every_s=60.0))
    bench.house = 13.0
    bench.run(15)
    bench.house = 16.0
    bench.run(30)


def _worn(bench: Bench) -> None:
    bench.set_charger(profile=replace(TESSIE, writes_per_day=1))
    _lowered(bench)


def _asleep_while_paused(bench: Bench) -> None:
    bench.set_charger(may_wake=True)
    bench.house = 28.0
    bench.run(60)
    bench.car.asleep = True
    bench.run(60)
    bench.house = 5.0
    bench.run(300)


def _limited(reason: Reason, *, max_watts: float = 3000.0, window_s: float = 0.0) -> Callable[[Bench], None]:
    def limit(bench: Bench) -> None:
        settings = LimitSettings(reason=reason, max_watts=max_watts, window_s=window_s)
        bench.controller.limit({"limit": settings}, Clock(wall_s=0.0, month="2026-11"), now=bench.now)
        bench.run(120)

    return limit


def _rationed(reason: Reason) -> Callable[[Bench], None]:
    def ration(bench: Bench) -> None:
        bench.controller.ration("car", {reason: 0})
        bench.run(60)

    return ration


HOW: dict[Reason, Callable[[Bench], None]] = {
    Reason.OFF: lambda bench: (bench.configure(mode="off"), bench.run(1))[1],
    Reason.NOT_MANAGED: lambda bench: (bench.set_charger(managed=False), bench.run(1))[1],
    Reason.NO_REPORT: lambda bench: None,
    Reason.AWAY: _car(at_home=False),
    Reason.UNPLUGGED: _car(plugged_in=False, state="disconnected"),
    Reason.COMPLETE: _car(state="complete"),
    Reason.SCHEDULED: _car(state="stopped", scheduled=True),
    Reason.STOPPED_BY_USER: _car(state="stopped"),
    Reason.NO_POWER: _car(state="no_power"),
    Reason.ASLEEP: _car(state="stopped", asleep=True),
    Reason.PLACE_UNKNOWN: _car(at_home=None),
    Reason.BLOCKED: _shut,
    Reason.ADOPTING: lambda bench: (bench.start(), bench.report(bench.car), bench.run(20))[2],
    Reason.METER_SILENT: _mute,
    Reason.METER_FROZEN: _stick,
    Reason.METER_WRONG: _off,
    Reason.BEYOND_RANGE: _clipped,
    Reason.PHASE_SILENT: _short,
    Reason.REPORT_STALE: _car(age_s=200.0),
    Reason.OVER_BUDGET: _lowered,
    Reason.VERIFYING: _lowered,
    Reason.RESENT: _deaf,
    Reason.HOUSE_OVER_BUDGET: _stopped,
    Reason.MINIMUM: _held,
    Reason.PAUSED: _stopped,
    Reason.WRITE_TOO_SOON: _slow_to_write,
    Reason.LIMIT_TOO_LOW: lambda bench: (bench.set_charger(max_amps=4), bench.run(1))[1],
    Reason.SHARED: lambda bench: _joined(bench, 5.0),
    Reason.WAITING_FOR_TURN: lambda bench: _joined(bench, 17.0),
    **{
        reason: _rationed(reason)  # which of them when is surplus.py's and the plan's to say
        for reason in (
            *(Reason.PLANNED, Reason.WANTED_REACHED, Reason.SURPLUS),
            *(Reason.WAITING_FOR_SURPLUS, Reason.SURPLUS_UNKNOWN, Reason.NO_SIGN),
        )
    },
    Reason.PEAK_LIMIT: _limited(Reason.PEAK_LIMIT, window_s=900.0),
    Reason.OUTSIDE_LIMIT: _limited(Reason.OUTSIDE_LIMIT),
    Reason.SCHEDULED_LIMIT: _limited(Reason.SCHEDULED_LIMIT),
    Reason.HOUSE_OVER_LIMIT: lambda bench: (bench.run(1), _limited(Reason.PEAK_LIMIT, max_watts=500.0)(bench))[1],
    Reason.SETTLING: _lowered,
    Reason.WAITING: _lowered,
    Reason.NO_HEADROOM: _full,
    Reason.STARTED: _stopped,
    Reason.STARTS_EXHAUSTED: _cycling,
    Reason.RAISED: _lowered,
    Reason.WRITES_EXHAUSTED: _worn,
    Reason.WOKEN: _asleep_while_paused,
    Reason.NOT_USED: _thrifty,
    Reason.USER_LIMIT: _car(request=8.0),
    Reason.AT_MAXIMUM: lambda bench: None,
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_given(bench: Bench, reason: Reason) -> None:
    HOW[reason](bench)
    assert reason in bench.reasons


def test_every_decision_says_when_for_whom_and_why(bench: Bench) -> None:
    _cycling(bench)
    for decision in bench.decisions:
        assert decision.charger_id == "car"
        assert decision.reason in Reason
        assert decision.target >= 0
        assert decision.command is None or decision.command.charger_id == "car"


# -- what the facade adds ---------------------------------------------------------------------------------------


def test_a_release_starts_with_one_ampere_less_than_fits_rather_than_set_it_anew(bench: Bench) -> None:
    for house, action in ((14.2, "start"), (15.2, "start"), (13.2, "set_amps"), (16.2, "set_amps")):
        bench = running(house=15.0)
        bench.run(60)
        assert bench.car.request == 9
        bench.house = 28.0
        bench.run(60)
        bench.house = house
        bench.meter = True
        bench.configure(mode="off")
        bench.run(30)
        command = bench.controller.release("car", now=bench.now)
        assert command is not None
        assert command.action == action


def test_a_command_that_is_sent_again_tells_its_numbers_too(bench: Bench) -> None:
    bench.car.obeys = False
    bench.house = 15.0
    bench.run_until("resent")
    assert set(bench.last.numbers) >= {"house_amps", "budget_amps"}


def test_how_long_the_house_was_calm_is_learned(bench: Bench) -> None:
    bench.run(300)
    (phase,) = bench.controller.record()["house"]
    assert sum(sum(level[10:20]) for level in phase["levels"]) > 0


def test_a_car_that_heats_is_not_lowered_before_the_meter_was_heard() -> None:
    bench = Bench(house=30.0, cars=(BenchCar(state="complete", unasked=8.0, amps=8.0),))
    bench.meter = False
    bench.run(100)
    assert not bench.commands


def test_where_all_phases_are_silent_it_is_the_meter() -> None:
    bench = running(house=(5.0, 5.0, 5.0), supply="three")
    bench.meter = False
    bench.run(60)
    assert bench.last.reason == "meter_silent"


def test_room_is_used_as_soon_as_the_first_minute_is_over() -> None:
    bench = Bench(cars=(BenchCar(request=6, amps=6),))
    bench.run(120)
    assert bench.commands[0][0] == 60


@pytest.mark.parametrize(("warmth", "sent"), [(1.3, [15]), (0.8, [])])
def test_of_several_phases_the_one_that_bears_least_counts(warmth: float, sent: list[int]) -> None:
    """An ampere too much on L2, which its breaker bears for a while unless it is warm already."""
    bench = running(
        house=(5.0, 5.0, 5.0), supply="three", cars=(BenchCar(says_phases=3),), protection=Protection(rating_amps=24)
    )
    bench.controller.restore(bench.controller.record() | {"heat_a2": [400.0, warmth * 24**2, 400.0]})
    bench.house = (5.0, 9.9, 5.0)
    bench.run(5)
    assert [command.amps for command in bench.sent()] == sent


def test_a_release_waits_for_what_is_in_flight(bench: Bench) -> None:
    bench.house = 15.0
    bench.run(60)
    bench.configure(mode="off")
    bench.house = 5.0
    bench.run(60)
    assert bench.controller.release("car", now=bench.now) is not None
    assert bench.controller.release("car", now=bench.now) is None, "it is in flight"


def test_what_monitor_would_do_is_not_remembered_as_done(bench: Bench) -> None:
    bench.configure(mode="monitor")
    bench.house = 15.0
    bench.run(30)
    assert bench.last.target < 16
    assert bench.controller.chargers["car"].target == 16
