"""What bears on one charger of a site: what the house leaves it, what its meter and the others are in the way of."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerSettings,
    ChargingState,
    Command,
    Mode,
    Outcome,
    Priority,
    Protection,
    ProtectionKind,
    Reason,
    SiteSettings,
    Supply,
)
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.profile import LOCAL
from custom_components.amp_sensor.control.protection import PhaseLoad
from custom_components.amp_sensor.control.sharing import Share
from tests.control.direct import Site

STRICT, BALANCED, MONITOR, OFF = Mode.STRICT, Mode.BALANCED, Mode.MONITOR, Mode.OFF
THREE = Supply.THREE


def _site(*phases: tuple[int, ...] | None, house: tuple[float, ...] = (5.0,), amps: float = 8.0, **site: Any) -> Site:
    """Return a site that is past its first minute, with a car on each of these phases, from 1."""
    names = "abcd"[: len(phases)]
    made = Site(*names, settings={name: {"phases": each} for name, each in zip(names, phases, strict=True)}, **site)
    flows = [each + amps * sum(number in (some or (1,)) for some in phases) for number, each in enumerate(house, 1)]
    made.read(*flows)
    for name in names:
        made.report(name, amps)
    while made.now < 120:
        made.read(*flows)
    for name in names:
        made.report(name, amps)
    return made


# -- what is left for it --------------------------------------------------------------------------------------------


def test_it_has_what_the_house_and_the_others_leave_on_the_worst_of_its_phases() -> None:
    site = _site((1, 2), (2,), (3,), house=(5.0, 4.0, 6.0))
    assert site.view("a").room == 25 - 4 - 8
    assert site.view("b").room == 25 - 4 - 8
    assert site.view("c").room == 25 - 6
    assert site.view("a").numbers == {"house_amps": 12, "budget_amps": 25}


def test_a_raise_counts_what_the_others_may_draw_and_a_cut_what_they_will() -> None:
    site = _site((1,), (1,))
    site.car("b").target = 6
    view = site.view()
    assert (view.room, view.free) == (25 - 5 - 6, 25 - 5 - 8)


def test_where_it_loads_nobody_knows_it_has_what_the_worst_of_all_phases_leaves() -> None:
    site = _site(None, house=(5.0, 20.0, 6.0))
    view = site.view()
    assert (view.room, view.has_phases) == (25 - (20 - 8), False)
    assert _site((2,), house=(5.0, 11.0, 6.0)).view().has_phases


def test_a_house_that_draws_next_to_nothing_leaves_the_rest() -> None:
    site = Site("a")
    site.read(0.5)
    assert site.view().safe_room() == 24.5


def test_what_is_safe_is_what_the_houses_highest_minute_leaves_beside_the_others() -> None:
    site = _site((1,), (1,))
    site.read(12.0 + 16)
    site.read(5.0 + 16)
    assert site.view().safe_room() == 25 - 8 - 12
    while site.now < 120 + 59 * 60:
        site.read(5.0 + 16)
    assert site.view().safe_room() == 25 - 8 - 12
    for _ in range(24):
        site.read(5.0 + 16)
    assert site.view().safe_room() == 25 - 8 - 5, "an hour later it is forgotten"


def test_a_house_that_is_over_by_itself_is_known() -> None:
    site = _site((1,), (2,), house=(25.0, 25.01))
    assert [site.view(name).house_is_over() for name in "ab"] == [False, True]


def test_the_protection_bears_what_its_weakest_phase_does() -> None:
    site = _site((1, 2), (1,), house=(10.0, 14.0, 20.0), protection=Protection(rating_amps=20.0))
    site.controller.restore({"heat_a2": [380.0, 200.0, 399.0]})
    loads = []
    for heat_a2, flowing in ((380.0, 10.0 + 8), (200.0, 14.0)):
        load = PhaseLoad(Protection(rating_amps=20.0))
        load.heat_a2 = heat_a2
        loads.append(load.tolerated_s(flowing + 9.0, 0.5))
    assert site.view().tolerated_s(9.0) == pytest.approx(min(loads))
    assert 0 < min(loads) < max(loads) < inf


def test_how_often_it_was_so_high_is_asked_of_the_worst_phase() -> None:
    site = _site((1, 2), house=(3.0, 4.0))
    for high in (13.0, 3.0, 13.0, 3.0, 13.0):
        site.read(high + 8, 12.0, after=60.0)
    assert [site.view().returns(excess) for excess in (3.0, -0.5, 10.5)] == [3, 0, 0]
    site.read(8 + 3, 12.0, after=60.0)
    assert site.view().returns(-3.0) == 0, "the other one is the worst now"


@pytest.mark.parametrize("mode", [BALANCED, STRICT])
def test_the_house_threatens_it_from_what_it_would_leave_on(mode: Mode) -> None:
    margin = {BALANCED: 0.1, STRICT: 0.3}[mode]
    site = _site((1,), (1,), (2,), house=(5.0, 9.0), mode=mode)
    site.car("b").target = 6
    for phase in (0, 1):
        for high in (16.0, 5.0):
            site.read(high + 16 if phase == 0 else 21.0, high + 8 if phase else 17.0, after=30.0)
    site.now += 3
    assert site.view().risk(5.0, site.now) == site.risk(25 - 8 - 5 - margin)
    assert site.view().risk(13.0, site.now) is None
    assert site.view("c").risk(8.0, site.now) == site.risk(25 - 8 - margin, 1)
    later = site.now + 20
    assert site.view().risk(5.0, later) != site.view().risk(5.0, site.now)


# -- what it may have -----------------------------------------------------------------------------------------------


def test_alone_it_has_all_that_it_may() -> None:
    view = _site((1,)).view()
    assert (view.cap, view.share, view.kept, view.must_share, view.may_turn) == (16, 16, 0, False, False)
    assert _site((1,), max_amps=12.7).view().cap == 12


def test_what_a_command_costs_depends_on_the_mode_and_on_the_charger() -> None:
    site = _site((1,))
    assert site.view().prices.command_as == 180
    site = Site("a", settings={"a": {"profile": LOCAL}}, mode=Mode.EAGER)
    site.read(5.0)
    assert site.view().prices.command_as == 90 * 0.4


def test_parts_are_of_what_is_left_without_those_who_share_it() -> None:
    site = _site((1,), (1,), (1,), house=(4.0,), amps=6.0, mode=STRICT, max_amps=32.0)
    site.controller.set_charger("c", ChargerSettings(max_amps=16, phases=(1,), managed=False), now=site.now)
    assert [site.view(name).share for name in "abc"] == [11, 10, 16]
    assert [site.view(name).kept for name in "abc"] == [11, 10, 0]


# -- what the meter says ----------------------------------------------------------------------------------------------


def test_the_first_minute_is_for_looking() -> None:
    site = Site("a")
    site.controller._known.started_at = 40.0
    site.read(5.0, after=99.9)
    assert site.view().is_adopting
    site.read(5.0, after=0.1)
    assert not site.view().is_adopting


@pytest.mark.parametrize(
    ("phases", "read", "known"),
    [((1,), (5.0, None, None), True), ((1, 2), (5.0, None, None), False), (None, (5.0, None, 5.0), False)],
)
def test_a_house_is_known_where_its_phases_were_told(
    phases: tuple[int, ...] | None, read: tuple[float | None, ...], known: bool
) -> None:
    site = Site("a", settings={"a": {"phases": phases}}, supply=THREE)
    site.read(*read)
    assert site.view().is_known is known
    assert site.view().is_quiet


def test_silence_is_counted_of_its_own_phases_and_ends_raises_on_any() -> None:
    site = _site((1,), (3,), (1, 2, 3), house=(5.0, 5.0, 5.0))
    assert not site.view().is_quiet
    for _ in range(3):
        site.read(21.0, 13.0, None)
    site.now += 1
    seen = [(view.silence_s, view.is_quiet, view.silent) for view in map(site.view, "abc")]
    assert seen == [(each, True, Reason.PHASE_SILENT) for each in (1, 16, 16)]
    assert site.controller.silent_phases(site.now) == ()
    site.read(21.0, 13.0, None)
    assert site.controller.silent_phases(site.now) == (3,)


@pytest.mark.parametrize(("interval_s", "quiet_s"), [(5.0, 15.0), (2.0, 15.0), (10.0, 30.0)])
def test_three_posts_or_15_s_are_quiet(interval_s: float, quiet_s: float) -> None:
    site = Site("a", settings={"a": {"phases": (1,)}})
    for number in range(10):
        site.read(5.0 + number % 2, 5.0, after=interval_s)
    site.report()
    site.now += quiet_s
    assert (site.view().is_quiet, site.view().silence_s) == (False, quiet_s)
    site.now += 0.01
    assert site.view().is_quiet
    assert site.view().silent is Reason.METER_SILENT
    site.now -= 0.01 + quiet_s
    for _ in range(2):
        site.read(5.0, None, after=quiet_s / 2)
    assert site.controller.silent_phases(site.now) == ()
    site.read(5.0, None, after=0.01)
    assert site.controller.silent_phases(site.now) == (2,)


def test_of_one_phase_it_is_the_meter_that_is_silent() -> None:
    site = _site((1,))
    site.read(300.0)
    site.now += 20
    assert site.view().silent is Reason.METER_SILENT


def test_a_post_that_lacks_a_phase_ends_raises_at_once() -> None:
    site = _site((1,), house=(5.0, 5.0))
    site.read(13.0, None)
    assert site.view().is_quiet
    assert site.view().silent is Reason.PHASE_SILENT
    site.read(13.0, 5.0)
    assert not site.view().is_quiet


def test_where_all_phases_are_silent_it_is_the_meter() -> None:
    site = _site((1,), house=(5.0, 5.0, 5.0))
    site.now += 20
    assert site.view().silent is Reason.METER_SILENT


def test_phases_that_its_owner_told_of_and_that_were_never_heard_are_silent() -> None:
    site = _site((1,))
    site.read(13.0)
    site.now += 1
    site.controller.configure(SiteSettings(max_amps=25.0, supply=THREE), now=site.now)
    site.now += 20
    assert site.view().silent is Reason.PHASE_SILENT


def test_a_meter_in_doubt_ends_raises_and_one_that_is_wrong_has_been_silent_since() -> None:
    site = _site((1,))
    site.read(5.0)
    assert (site.view().is_quiet, site.view().silent) == (True, Reason.SETTLING)
    assert site.view().silence_s == 0
    began = site.now
    for _ in range(2):
        site.now += 5
        site.report(amps=8)
        site.read(5.01, after=1.0)
    assert (site.view().silence_s, site.view().silent) == (site.now - began, Reason.METER_WRONG)


def test_what_several_say_is_held_against_the_meter_together() -> None:
    site = _site((1,), (1,))
    site.read(13.0)
    assert site.view().is_quiet, "two times 8 A do not show"
    site = _site((1,), (2,), house=(5.0, 5.0))
    site.pause("a")
    site.read(5.0, 5.0)
    assert site.view().is_quiet, "whoever stands still beside it"


def test_before_the_meter_was_heard_a_report_says_nothing_against_it() -> None:
    site = Site("a")
    site.report()
    site.tell(10)
    site.now += 60
    site.report(amps=10)
    assert site.car().belief.change is None
    assert site.controller.frozen_at is None


def test_a_frozen_meter_is_frozen_since_the_first_command_that_it_did_not_show() -> None:
    site = _site((1,), amps=16.0)
    frozen_at = site.now
    for amps in (10, 6):
        site.tell(amps)
        for _ in range(3):
            site.read(21.0)
        site.decide()
        site.car().in_flight = None
        assert site.controller.frozen_at == frozen_at


def test_a_frozen_meter_has_been_silent_since_the_command() -> None:
    site = _site((1,), amps=16.0)
    site.tell(10)
    began = site.now
    site.read(21.0)
    site.read(21.0)
    site.decide()
    assert (site.view().silence_s, site.view().silent) == (site.now - began, Reason.METER_FROZEN)


def test_before_the_first_reading_it_is_silent_since_the_beginning() -> None:
    site = Site("a")
    site.report()
    site.now = 100.0
    view = site.view()
    assert (view.silence_s, view.is_known, view.silent) == (100, False, Reason.METER_SILENT)
    assert site.controller.silent_phases(site.now) == ()
    assert site.controller.protection_load == 0


def test_the_worst_phase_tells_how_near_the_protection_is() -> None:
    site = Site(protection=Protection(rating_amps=20.0), supply=THREE)
    site.controller.restore({"heat_a2": [100.0, 440.0, 420.0]})
    assert site.controller.protection_load == pytest.approx((440 / 400 - 1) / (1.13**2 - 1))
    assert site.controller.record()["heat_a2"] == [100.0, 440.0, 420.0]
    site.controller.restore({"heat_a2": [123.456]})
    assert site.controller.record()["heat_a2"] == [123.46, 440.0, 420.0]


def test_what_flows_warms_the_protection_between_two_readings_too() -> None:
    site = _site((1,), protection=Protection(rating_amps=20.0))
    site.read(25.0)
    assert site.controller.protection_load == 0
    site.decide(after=60.0)
    assert site.controller.protection_load > 0


# -- settings -------------------------------------------------------------------------------------------------------


def test_a_new_budget_bounds_at_once_and_what_flowed_before_has_warmed_the_breaker() -> None:
    site = Site("a", protection=Protection(rating_amps=25.0))
    site.read(25.0, after=0.0)
    site.report()
    site.now = 60.0
    site.controller.configure(SiteSettings(max_amps=20.0, protection=Protection(rating_amps=50.0)), now=60.0)
    (heat_a2,) = site.controller.record()["heat_a2"]
    assert heat_a2 == pytest.approx(625 * (1 - 2.718281828**-1), abs=0.01)
    assert (site.view().room, site.view().budget_amps) == (20 - 9, 20)
    assert site.controller.protection_load == 0


def test_without_a_protection_it_is_rated_by_the_highest_budget_that_there_was() -> None:
    site = Site("a", max_amps=20.0)
    for budget, rating in ((25.0, 25), (16.0, 25), (32.0, 32)):
        site.controller.configure(SiteSettings(max_amps=budget), now=0.0)
        assert site.controller._house.phases[0].load.protection == Protection(rating_amps=rating)
    site.read(281.0)
    assert site.controller.house == (281.0,)
    site.read(282.0)
    assert site.controller.house == (281.0,), "it would have opened"


def test_new_settings_of_a_charger_hold_for_what_is_known_of_it() -> None:
    site = _site((1,))
    site.controller.set_charger("a", ChargerSettings(max_amps=9), now=site.now)
    assert (site.view().cap, site.car().running, site.car().request) == (9, True, 8)


@pytest.mark.parametrize(("supply", "count"), [(Supply.SINGLE, 1), (Supply.SPLIT, 2), (THREE, 3), (None, 0)])
def test_a_supply_has_so_many_phases(supply: Supply | None, count: int) -> None:
    assert Site(supply=supply).controller.phases == count


def test_a_charger_that_is_gone_is_not_decided_for() -> None:
    site = _site((1,), (1,))
    site.tell(6, "b", outcome=None)
    command = site.car("b").in_flight
    assert command is not None
    for _ in range(2):
        site.controller.remove_charger("b")
        assert [decision.charger_id for decision in site.controller.decide(now=site.now)] == ["a"]
        site.controller.acknowledge(command, Outcome.ACCEPTED, now=site.now)
    assert site.controller.record()["chargers"].keys() == {"a"}


def test_phases_are_told_by_their_numbers_once_there_are_any() -> None:
    site = Site("a", settings={"a": {"phases": (2, 3)}})
    assert site.controller.phases_of("a") is None
    site.read(5.0, 6.0, 7.0)
    assert site.controller.phases_of("a") == (2, 3)
    assert site.controller.house_current() == 7
    assert _site(None, house=(5.0, 5.0)).controller.phases_of("a") is None


def test_who_stands_still_because_of_us_is_told() -> None:
    site = _site((1,), (1,))
    site.pause("b")
    assert site.controller.paused == ["b"]


def test_an_acknowledgement_tells_how_long_to_wait() -> None:
    ends: tuple[tuple[Outcome, dict[str, Any], float], ...] = (
        (Outcome.ACCEPTED, {}, 0),
        (Outcome.REFUSED, {}, 60),
        (Outcome.REFUSED, {"retry_after_s": 300.0}, 300),
        (Outcome.REFUSED, {"needs_person": True}, 900),
    )
    for outcome, end, waits_s in ends:
        site = _site((1,))
        site.tell(6, outcome=None)
        command = site.car().in_flight
        assert command is not None
        site.controller.acknowledge(command, outcome, now=site.now, **end)
        assert site.car().not_before == site.now + waits_s


# -- what is decided --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, True),
        ({"in_flight": Command(charger_id="a", action=Action.STOP)}, False),
        ({"not_before": 120.01}, False),
        ({"not_before": 120.0}, True),
    ],
)
def test_a_release_waits_for_whatever_is_under_way(state: dict[str, Any], told: bool) -> None:
    site = _site((1,))
    for name, value in state.items():
        setattr(site.car(), name, value)
    command = site.controller.release("a", now=site.now)
    assert command == (Command(charger_id="a", action=Action.SET_AMPS, amps=16) if told else None)
    if told:
        assert site.car().in_flight is command
        assert site.controller.release("a", now=site.now) is None


def test_a_release_waits_until_what_it_draws_is_known_and_for_the_meter() -> None:
    site = _site((1,))
    site.car().belief.settle(0.0, 8.0)
    assert site.controller.release("a", now=site.now) is None
    site.car().belief.settle(8.0, 8.0)
    assert site.controller.release("a", now=site.now + 15.01) is None
    assert site.controller.release("a", now=site.now + 15) is not None
    silent = Site("a")
    silent.report()
    silent.car().request = 8
    assert silent.controller.release("a", now=1.0) is None


@pytest.mark.parametrize(("house", "told"), [(25 - 16, 16), (25 - 15.99, None)])
def test_a_release_gives_the_maximum_only_where_all_of_it_fits(house: float, told: int | None) -> None:
    command = _site((1,), house=(house,)).controller.release("a", now=120.0)
    assert (None if command is None else command.amps) == told
    full = _site((1,), amps=16.0, house=(2.0,))
    assert full.controller.release("a", now=120.0) is None, "it has it"
    unknown = _site((1,))
    unknown.car().request = None
    assert unknown.controller.release("a", now=120.0) is not None


def test_a_release_sets_a_limit_where_nobody_knows_it_and_leaves_a_car_that_is_away() -> None:
    site = _site((1,))
    site.controller.set_charger("a", ChargerSettings(max_amps=16, min_amps=2, phases=(1,)), now=site.now)
    site.pause()
    site.car().request = None
    site.read(22.5)
    command = site.controller.release("a", now=site.now)
    assert command == Command(charger_id="a", action=Action.SET_AMPS, amps=2)
    away = _site((1,))
    away.report("a", 8.0, at_home=False)
    assert away.controller.release("a", now=away.now) is None


@pytest.mark.parametrize(
    ("house", "told"),
    [
        (25 - 4.99, None),
        (25 - 5.0, (Action.SET_AMPS, 5)),
        (25 - 8.5, (Action.START, 0)),
        (25 - 9.5, (Action.START, 0)),
        (25 - 10.5, (Action.SET_AMPS, 10)),
        (8.0, (Action.SET_AMPS, 16)),
    ],
)
def test_a_release_starts_with_what_fits_beside_what_the_others_may_draw(
    house: float, told: tuple[Action, int] | None
) -> None:
    site = _site((1,), (1,), house=(house - 8,))
    site.pause()
    site.read(house)
    site.car("b").target = 7
    command = site.controller.release("a", now=site.now)
    assert (None if command is None else (command.action, command.amps)) == told


def test_whose_answer_never_came_is_tried_again() -> None:
    site = _site((1,))
    site.tell(6, outcome=None)
    command = site.car().in_flight
    site.decide(after=60.0)
    assert site.car().in_flight is command
    site.decide(after=0.1)
    assert site.car().in_flight is not command


@pytest.mark.parametrize("borne_s", [19.5, 20.5])
@pytest.mark.parametrize("mode", [BALANCED, MONITOR])
def test_a_stop_that_only_the_meter_showed_is_sent_again_where_the_protection_does_not_bear_the_house_for_20_s(
    borne_s: float, mode: Mode
) -> None:
    """Whatever the car would draw besides."""
    site = _site((1,), amps=16.0, mode=mode, protection=Protection(rating_amps=25.0))
    site.car().target = 0
    site.car().send(Command(charger_id="a", action=Action.STOP), site.now, (21.0,))
    site.controller.acknowledge(site.car().in_flight, Outcome.ACCEPTED, now=site.now)  # type: ignore[arg-type]
    site.read(5.0)
    assert site.car().stop_is_unproven
    site.read(32.0, after=15.0)
    load = site.controller._house.phases[0].load
    low, high = 0.0, 1000.0
    while high - low > 0.001:
        load.heat_a2 = (low + high) / 2
        if load.tolerated_s(32.0, 0.5) > borne_s:
            low = load.heat_a2
        else:
            high = load.heat_a2
    command = site.decide().command
    assert (command is not None) is site.car().running is (borne_s < 20 and mode is BALANCED)
    if command:
        assert command.action is Action.STOP


def test_twenty_seconds_are_enough_for_a_stop_that_only_the_meter_showed() -> None:
    site = _site((1,), protection=Protection(rating_amps=25.0, kind=ProtectionKind.METER_SWITCH, time_s=40.0))
    site.car().running, site.car().paused, site.car().target = False, True, 0
    site.car().belief.settle(0.0, 0.0)
    site.read(26.0)
    assert site.car().stop_is_unproven
    assert site.view().tolerated_s(0.0) == 20
    assert site.decide().command is None


def test_a_car_that_charges_has_no_stop_to_be_proven() -> None:
    site = _site((1,))
    site.read(60.0)
    assert site.view().tolerated_s(0.0) < 20
    command = site.decide().command
    change = site.car().belief.change
    assert command is not None
    assert change is not None
    assert (command.action, change.low) == (Action.STOP, 8)


def test_a_decision_tells_what_it_rests_on_and_its_command_is_in_flight() -> None:
    site = _site((1,), house=(12.0,), amps=16.0)
    site.read(12.0 + 16)
    decision = site.decide()
    assert (decision.target, decision.reason, decision.cap) == (13, Reason.OVER_BUDGET, 16)
    assert decision.numbers == {"house_amps": 12, "budget_amps": 25, "over_amps": 3}
    assert site.car().in_flight is decision.command
    assert decision.command == Command(charger_id="a", action=Action.SET_AMPS, amps=13)
    assert site.decide(after=1.0).reason is Reason.VERIFYING


def test_monitoring_decides_and_does_nothing() -> None:
    site = _site((1,), house=(12.0,), amps=16.0, mode=MONITOR)
    site.read(12.0 + 16)
    for _ in range(2):
        decision = site.decide()
        assert (decision.target, decision.reason, decision.command) == (13, Reason.OVER_BUDGET, None)
        assert (site.car().target, site.car().in_flight) == (16, None)


@pytest.mark.parametrize(("rises", "target"), [(0.0, 13), (2.0, 8)])
def test_a_cut_that_is_sent_again_says_so_also_where_it_goes_further(rises: float, target: int) -> None:
    """The protection does not bear 30 A for long, and the 3 A that it was to give may be the house's by now."""
    site = _site((1,), house=(12.0,), amps=16.0)
    site.read(12.0 + 16)
    command = site.decide().command
    assert command is not None
    site.controller.acknowledge(command, Outcome.ACCEPTED, now=site.now)
    site.read(28.01)
    site.read(28.0 + rises)
    decision = site.decide()
    assert (decision.target, decision.reason) == (target, Reason.RESENT)
    assert decision.numbers["budget_amps"] == 25


def test_a_second_over_the_budget_is_counted_once() -> None:
    site = _site((1,))
    site.read(26.0)
    site.decide()
    assert site.car().debt_as == 1
    site.decide()
    assert site.car().debt_as == 1
    site.decide(after=0.5)
    assert site.car().debt_as == 1.5


def test_a_raise_is_not_given_up_before_the_meter_was_heard() -> None:
    site = Site("a")
    site.report(amps=8)
    site.tell(16)
    site.decide(after=100.0)
    assert site.car().belief.change is not None


def _blocked(site: Site, *, cut_after_s: float = inf) -> None:
    site.car().not_before = site.now + 600
    site.car().no_cut_before = site.now + cut_after_s


def test_a_cloud_that_shuts_us_out_is_the_reason_where_nothing_is_to_be_taken() -> None:
    site = _site((1,))
    _blocked(site)
    decision = site.decide()
    assert (decision.reason, decision.command, decision.target) == (Reason.BLOCKED, None, 8)
    assert decision.cap == 16
    site.read(27.0)
    decision = site.decide()
    assert (decision.reason, decision.command, decision.target) == (Reason.OVER_BUDGET, None, 6)
    assert site.decide(after=1.0).reason is Reason.BLOCKED, "it is wanted for a while"
    site.car().no_cut_before = site.now
    decision = site.decide(after=1.0)
    assert decision.command is not None, "a cut may be tried"
    assert (decision.reason, decision.target) == (Reason.SETTLING, 6)


def test_a_cut_that_could_not_be_sent_is_given_up_where_there_is_room_again() -> None:
    site = _site((1,))
    _blocked(site)
    site.read(27.0)
    assert site.decide().target == 6
    site.read(12.0)
    assert site.decide().target == 8
    site.car().not_before = -inf
    site.read(27.0)
    assert site.decide().target == 6
    site.read(12.0)
    assert site.decide().target == 6, "a cut that only waits is not"


@pytest.mark.parametrize(("requested", "target"), [(6, 6), (None, 8)])
def test_who_is_left_alone_goes_on_with_what_it_has(requested: int | None, target: int) -> None:
    site = _site((1,))
    site.car().request = requested
    site.controller.configure(SiteSettings(max_amps=25.0, mode=OFF), now=site.now)
    decision = site.decide()
    assert site.car().target == target
    assert (decision.target, decision.reason, decision.cap, decision.command) == (0, Reason.OFF, 0, None)
    site.car().running = False
    site.decide()
    assert site.car().target == 0


# -- a car that heats -------------------------------------------------------------------------------------------------


def _heating(room: float, *, requested: int = 16, amps: float = 9.0, mode: Mode = BALANCED) -> Site:
    """Return a site with a full car that draws all the same, and is left so much room."""
    site = Site("a", mode=mode)
    site.read(25 - room + amps)
    site.report(amps=amps, state=ChargingState.COMPLETE, requested_amps=requested)
    site.read(25 - room + amps)
    return site


@pytest.mark.parametrize(
    ("room", "told"), [(9.0, None), (8.71, None), (8.69, 8), (7.99, 7), (5.9, 5), (3.0, 5), (-4.0, 5)]
)
def test_a_car_that_heats_has_its_limit_lowered_to_what_is_left(room: float, told: int | None) -> None:
    decision = _heating(room).decide()
    assert (None if decision.command is None else decision.command.amps) == told
    assert (decision.target, decision.reason) == ((0, Reason.COMPLETE) if told is None else (told, Reason.OVER_BUDGET))


def test_a_limit_that_would_take_nothing_from_what_it_heats_with_is_not_set() -> None:
    assert _heating(6.5, requested=6).decide().command is None
    assert _heating(6.5, requested=7).decide().command is not None


def test_a_car_that_we_paused_and_that_heats_is_still_paused() -> None:
    site = Site("a")
    site.read(27.0)
    site.report(amps=9, state=ChargingState.STOPPED, requested_amps=16)
    site.car().paused = True
    site.read(27.0)
    decision = site.decide()
    assert (decision.at, decision.charger_id, decision.target) == (10, "a", 0)
    assert (decision.reason, decision.command and decision.command.amps) == (Reason.OVER_BUDGET, 7)
    assert site.car().in_flight is decision.command


def test_a_car_that_heats_is_left_alone_before_the_meter_told_of_each_phase() -> None:
    site = Site("a", supply=THREE)
    site.read(27.0, 27.0, None)
    site.report(amps=9, state=ChargingState.COMPLETE, requested_amps=16)
    assert site.decide().command is None
    site.read(27.0, 27.0, 27.0)
    assert site.decide().command is not None


def test_a_car_that_heats_is_told_once_and_when_it_may_be() -> None:
    site = _heating(7.0)
    site.car().no_cut_before = site.now + 1
    assert site.decide().command is None
    assert site.decide(after=1.0).command is not None
    site.read(30.0)
    assert site.decide().command is None, "it is in flight"
    assert _heating(7.0, mode=MONITOR).decide().command is None
    assert _heating(7.0, mode=OFF).decide().command is None


def test_a_limit_that_does_not_show_is_set_again_for_a_car_that_heats() -> None:
    site = _heating(3.0)
    command = site.decide().command
    assert command is not None
    site.controller.acknowledge(command, Outcome.ACCEPTED, now=site.now)
    site.read(31.01)
    assert site.decide().command is None
    assert site.decide(after=0.2).command == command


# -- several ----------------------------------------------------------------------------------------------------------


def _order(site: Site) -> str:
    return "".join(car.charger_id for car in site.controller._bearing.by_turn(site.controller._bearing.flows(site.now)))


@pytest.mark.parametrize(
    ("ranks", "targets", "order"),
    [
        ("nnn", (8, 10, 6), "cab"),
        ("nfl", (8, 10, 6), "bac"),
        ("lnf", (8, 8, 8), "cba"),
    ],
)
def test_who_may_take_comes_by_priority_and_then_who_has_least(
    ranks: str, targets: tuple[int, ...], order: str
) -> None:
    site = _ranked(ranks, targets, house=0.0)
    assert _order(site) == order


@pytest.mark.parametrize(
    ("ranks", "targets", "order"),
    [
        ("nnn", (8, 10, 6), "bac"),
        ("nfl", (8, 10, 6), "cab"),
        ("fnl", (8, 8, 8), "cba"),
    ],
)
def test_who_has_to_give_is_first_who_comes_last_and_then_who_has_most(
    ranks: str, targets: tuple[int, ...], order: str
) -> None:
    site = _ranked(ranks, targets, house=20.0)
    assert _order(site) == order


def _ranked(ranks: str, targets: tuple[int, ...], house: float, **site: Any) -> Site:
    made = _site((1,), (1,), (1,), house=(house,), max_amps=40.0, **site)
    for name, rank, target in zip("abc", ranks, targets, strict=True):
        made.controller.set_charger(
            name,
            ChargerSettings(
                max_amps=16,
                phases=(1,),
                priority={"f": Priority.FIRST, "n": Priority.NORMAL, "l": Priority.LAST}[rank],
            ),
            now=made.now,
        )
        made.car(name).target = target
    return made


def test_what_one_is_told_counts_for_the_next() -> None:
    site = _site((1,), (1,), house=(7.0,), max_amps=24.0)
    site.read(11.0 + 16)
    decisions = site.controller.decide(now=site.now)
    assert [decision.target for decision in decisions] == [5, 8], (
        "of 3 A too much, the first gives all, though that is an ampere of its part: one command less"
    )
    assert [decision.charger_id for decision in decisions] == ["a", "b"]


def test_who_has_to_give_comes_before_who_may_take() -> None:
    site = _site((1,), (2,), house=(5.0, 20.0))
    assert _order(site) == "ba"
    site = _site((1,), (2,), house=(5.0, 25 - 8 + 0.29))
    assert _order(site) == "ab", "no more than noise"


def test_nobody_is_put_in_order_before_the_meter_was_heard() -> None:
    site = Site("a", "b", supply=THREE)
    for name, amps in (("a", 10), ("b", 6)):
        site.report(name, amps)
    assert _order(site) == "ab"
    site.read(21.0, 21.0, 21.0)
    assert _order(site) == "ba"


def test_there_is_nothing_to_share_for_one_or_before_the_meter_was_heard() -> None:
    site = Site("a", "b", supply=THREE)
    site.read(21.0, 21.0, None)
    for name in "ab":
        site.report(name, 8)
    assert site.view().kept == 0
    site.read(21.0, 21.0, 21.0)
    assert site.view().kept == 6
    site.report("b", 8, at_home=False)
    assert site.view().kept == 0


class _Asked:
    """What sharing is asked."""

    wants: Callable[[ManagedCharger, int, Mapping[str, int]], bool]
    room: list[float]

    def shares(self, _chargers: Any, caps: Any, phases: Any, room: Any, **others: Any) -> dict[str, Share]:
        self.caps, self.phases, self.room, self.wants = caps, phases, list(room), others["wants"]
        assert others["whole"] == inf, "nothing bounds all phases together"
        return {}


def _asked(site: Site) -> _Asked:
    asked = _Asked()
    site.controller._bearing._sharing = asked  # type: ignore[assignment]
    site.controller._bearing.shares(site.controller._bearing.flows(site.now), site.now)
    return asked


def test_what_is_shared_is_what_each_phase_leaves_without_the_margin() -> None:
    asked = _asked(_site((1,), (2, 3), house=(5.0, 9.0, 3.0)))
    assert asked.room == pytest.approx([19.9, 15.9, 21.9])
    assert asked.phases == {"a": (0,), "b": (1, 2)}
    assert asked.caps == {"a": 16, "b": 16}


def _wants(site: Site, part: int, others: int = 8) -> bool:
    parts = dict.fromkeys(site.controller._chargers, others) | {"a": part}
    return _asked(site).wants(site.car(), part, parts)


def _calm(*phases: tuple[int, ...] | None, calm_s: float = 100.0, **site: Any) -> Site:
    made = _site(*phases, **site)
    made.calm_since(made.now - calm_s)
    return made


def test_a_part_is_wanted_where_the_house_lets_it_pay() -> None:
    assert _wants(_calm((1,), (1,), max_amps=40.0), 13)
    assert not _wants(_calm((1,), (1,), max_amps=40.0, calm_s=6.9), 13), "it has to last"
    assert not _wants(_calm((1,), (1,), max_amps=40.0), 9), "an ampere does not pay"
    assert not _wants(_calm((1,), (1,), max_amps=20.0), 13), "nor does what does not even fit beside the other's part"
    assert _wants(_calm((1,), (1,), max_amps=20.0), 13, others=0)
    assert _wants(_calm((1,), (2,), max_amps=20.0, house=(5.0, 5.0)), 13), "who loads another phase is not in the way"
    cheap = _calm((1,), (1,), max_amps=40.0)
    assert not _wants(cheap, 10)
    cheap.controller.set_charger("a", ChargerSettings(max_amps=16, phases=(1,), profile=LOCAL), now=cheap.now)
    assert _wants(cheap, 10)
    cheap.calm_since(cheap.now - 200)
    assert _wants(cheap, 9)


@pytest.mark.parametrize(
    "state",
    [
        {"in_flight": Command(charger_id="a", action=Action.STOP)},
        {"not_before": 120.01},
        {"running": False, "paused": True},
        {"request": 13},
    ],
    ids=["in flight", "patience", "about to start", "leaves something unused"],
)
def test_a_part_is_not_wanted_while_a_raise_would_wait(state: dict[str, Any]) -> None:
    site = _calm((1,), (1,), max_amps=40.0)
    for name, value in state.items():
        setattr(site.car(), name, value)
    assert not _wants(site, 13)


def test_a_part_is_not_wanted_before_it_is_known_what_it_draws_nor_in_the_first_minute() -> None:
    site = _calm((1,), (1,), max_amps=40.0)
    site.car().belief.settle(0.0, 8.0)
    site.car().request = None
    assert not _wants(site, 13)
    site = _calm((1,), (1,), max_amps=40.0)
    site.controller._known.started_at = site.now - 59.9
    assert not _wants(site, 13)
    site.controller._known.started_at = site.now - 60
    site.car().not_before = site.now
    assert _wants(site, 13)


def test_a_start_is_wanted_from_the_minimum_on() -> None:
    site = _calm((1,), (1,), max_amps=40.0)
    site.pause()
    assert _wants(site, 13)
    site.calm_since(site.now - 10)
    assert not _wants(site, 13), "so soon a start does not earn two commands"
    site.car().request = 13
    assert _wants(site, 13), "but its own"
    site.calm_since(site.now - 290)
    assert _wants(site, 5)
    assert not _wants(site, 4), "with less it does not charge"
