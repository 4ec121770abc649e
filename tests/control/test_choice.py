"""One charger at one moment: what it should have now, and why. Everything that bears on it is given."""

from math import inf
from typing import Any

import pytest

from custom_components.amp_sensor.control import Action, Command
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.charging import ChargerReport, ChargingState, Outcome
from custom_components.amp_sensor.control.choice import Choice, View, choose
from custom_components.amp_sensor.control.decision import Mode, Reason
from custom_components.amp_sensor.control.memory import Risk
from custom_components.amp_sensor.control.prices import PRICES, Prices
from custom_components.amp_sensor.control.settings import ChargerSettings

NOW = 1000.0
PRICED = Prices(over=3.0, command_as=180.0, hold_as=60.0, margin_amps=0.5)
CALM = Risk(per_s=1e-6, step_amps=2.0, calm_s=600.0)


def _charger(*, target: int = 10, running: bool = True, min_amps: int = 6, **state: Any) -> ManagedCharger:
    """Return a charger that draws what it was told, and has said so just now."""
    charger = ManagedCharger("car", ChargerSettings(max_amps=16, min_amps=min_amps))
    report = ChargerReport(
        age_s=1.0,
        state=ChargingState.CHARGING if running else ChargingState.STOPPED,
        requested_amps=target,
        measured_amps=target if running else 0.0,
        at_home=True,
    )
    charger.add_report(report, NOW)
    charger.paused = not running
    charger.chosen_at = NOW - 1
    for name, value in state.items():
        setattr(charger, name, value)
    return charger


def _view(charger: ManagedCharger, **changes: Any) -> View:
    return View(
        **{
            "now": NOW,
            "charger": charger,
            "prices": PRICED,
            "budget_amps": 25.0,
            "house_amps": 25.0 - changes.get("room", 20.0),
            "cap": 16,
            "rationed_by": None,
            "bound_by": None,
            "bound_numbers": {},
            "momentary_room": changes.get("room", 20.0),
            "bearable_room": changes.get("room", 20.0),
            "share": 16,
            "has_phases": True,
            "kept": 0,
            "slack": 0,
            "is_hidden": False,
            "must_share": False,
            "may_turn": False,
            "room": 20.0,
            "free": 20.0,
            "safe_room": lambda: 12.4,
            "house_is_over": lambda: False,
            "is_adopting": False,
            "patience_s": 12.5,
            "silence_s": 1.0,
            "beyond_s": None,
            "silent": Reason.METER_SILENT,
            "is_quiet": False,
            "is_known": True,
            "tolerated_s": lambda _: inf,
            "returns": lambda _: 2,
            "risk": lambda *_: CALM,
        }
        | changes
    )


def _chosen(charger: ManagedCharger | None = None, **changes: Any) -> tuple[int, Reason]:
    view = _view(charger or _charger(), **changes)
    choice = choose(view)
    told = {"silence_s": view.silence_s} if choice.reason is view.silent else view.numbers if view.is_known else {}
    assert choice.numbers.items() >= told.items(), "every reason comes with its numbers"
    return choice.target, choice.reason


# -- the meter says nothing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("silence_s", "chosen"),
    [
        (120.01, (0, Reason.PHASE_SILENT)),
        (120.0, (10, Reason.PHASE_SILENT)),
        (30.01, (10, Reason.PHASE_SILENT)),
        (30.0, (16, Reason.RAISED)),
    ],
)
def test_a_silence_first_holds_a_safe_current_and_then_stops(silence_s: float, chosen: tuple[int, Reason]) -> None:
    assert _chosen(silence_s=silence_s, silent=Reason.PHASE_SILENT) == chosen
    assert choose(_view(_charger(), silence_s=60.0)).numbers == {"silence_s": 60.0}


@pytest.mark.parametrize(
    ("safe_room", "cap", "held"),
    [(20.0, 16, 10), (10.5, 16, 10), (10.49, 16, 9), (8.0, 16, 7), (3.0, 16, 6), (-5.0, 16, 6), (20.0, 8, 8)],
)
def test_what_is_safe_is_what_the_houses_peak_leaves_but_no_less_than_the_minimum(
    safe_room: float, cap: int, held: int
) -> None:
    assert _chosen(silence_s=60.0, safe_room=lambda: safe_room, cap=cap)[0] == held


def test_nothing_is_started_on_an_old_reading() -> None:
    due = _charger(target=10, running=False)
    due.target = 10
    assert due.start_is_due
    assert _chosen(due, silence_s=60.0) == (0, Reason.METER_SILENT)
    assert _chosen(due, is_quiet=True) == (0, Reason.METER_SILENT)
    assert _chosen(is_quiet=True) == (10, Reason.METER_SILENT), "what runs goes on"


def test_a_house_that_nobody_knows_is_only_watched() -> None:
    assert _chosen(is_known=False) == (10, Reason.ADOPTING)
    assert _chosen(is_known=False, cap=8) == (8, Reason.ADOPTING)


@pytest.mark.parametrize(
    ("beyond_s", "room", "chosen"),
    [
        (0.0, 20.0, (6, Reason.BEYOND_RANGE)),
        (30.0, 20.0, (6, Reason.BEYOND_RANGE)),
        (30.01, 20.0, (0, Reason.BEYOND_RANGE)),
        (0.0, 8.0, (6, Reason.BEYOND_RANGE)),
        (0.0, -20.0, (0, Reason.PAUSED)),
    ],
)
def test_beyond_the_sensors_range_what_can_be_given_up_is(
    beyond_s: float, room: float, chosen: tuple[int, Reason]
) -> None:
    changes = {"room": room, "tolerated_s": lambda _: 0.0} if room < 0 else {"room": room}
    choice = choose(_view(_charger(), beyond_s=beyond_s, **changes))
    assert (choice.target, choice.reason) == chosen
    assert (choice.reason is Reason.BEYOND_RANGE) == (choice.numbers == {"beyond_s": beyond_s})


def test_nothing_is_started_beyond_the_sensors_range() -> None:
    due = _charger(target=10, running=False)
    due.target = 10
    assert choose(_view(due, beyond_s=0.0)).target == 0


# -- the most that it may have --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cap", "chosen"), [(4, (0, Reason.LIMIT_TOO_LOW)), (5, (5, Reason.AT_MAXIMUM))])
def test_less_than_it_can_charge_with_is_nothing(cap: int, chosen: tuple[int, Reason]) -> None:
    assert _chosen(cap=cap) == chosen


@pytest.mark.parametrize(
    ("room", "lowered"), [(9.5, 8), (8.4, 7), (8.49, 7), (8.5, 8), (9.8, 8), (6.6, 6), (2.0, 6), (20.0, 8)]
)
def test_a_maximum_below_what_it_has_holds_at_once(room: float, lowered: int) -> None:
    """Where not even that fits, it is no detour; where it is hardly over, the margin does not count."""
    assert _chosen(cap=8, room=room) == (lowered, Reason.AT_MAXIMUM)
    thrifty = _charger()
    thrifty.belief.settle(8.0, 8.0)
    assert _chosen(thrifty, cap=9, room=8.4) == (9, Reason.AT_MAXIMUM), "of what it leaves unused nothing is over"


# -- over the budget ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("room", "lowered"), [(8.4, 8), (8.0, 8), (7.99, 7), (6.0, 6)])
def test_over_the_budget_it_has_what_is_left(room: float, lowered: int) -> None:
    choice = choose(_view(_charger(), room=room))
    assert (choice.target, choice.reason) == (lowered, Reason.OVER_BUDGET)
    assert choice.numbers == {
        "house_amps": pytest.approx(25 - room),
        "budget_amps": 25.0,
        "over_amps": pytest.approx(10 - room),
    }


@pytest.mark.parametrize(
    ("changes", "target", "reason"),
    [
        ({"room": 8.4}, 8, Reason.PEAK_LIMIT),
        ({"free": 10.0}, 10, Reason.PEAK_LIMIT),
        ({"room": -30.0, "returns": lambda _: 5}, 0, Reason.PEAK_LIMIT),
        ({"room": 5.5}, 6, Reason.MINIMUM),
        ({}, 16, Reason.RAISED),
    ],
)
def test_another_limit_than_the_budget_is_named(changes: dict[str, Any], target: int, reason: Reason) -> None:
    numbers = {"limit_watts": 4000.0}
    choice = choose(_view(_charger(), bound_by=Reason.PEAK_LIMIT, bound_numbers=numbers, **changes))
    assert (choice.target, choice.reason) == (target, reason)
    assert (choice.numbers.get("limit_watts") == 4000.0) is (reason is Reason.PEAK_LIMIT)


def test_over_what_is_left_of_a_window_a_cut_waits_and_a_stop_until_it_must_be() -> None:
    window: dict[str, Any] = {"bound_by": Reason.PEAK_LIMIT, "momentary_room": 20.0}
    assert _chosen(room=8.1, **window) == (10, Reason.PEAK_LIMIT), "it may end by itself"
    assert _chosen(room=7.9, **window) == (7, Reason.PEAK_LIMIT)
    assert _chosen(room=2.0, bearable_room=7.0, **window) == (6, Reason.PEAK_LIMIT)
    assert _chosen(room=-30.0, bearable_room=5.0, returns=lambda _: 5, **window) == (0, Reason.PEAK_LIMIT)


def test_a_house_that_alone_exceeds_another_limit_is_named_too() -> None:
    charger = _charger(running=False)
    choice = choose(_view(charger, room=-1.0, free=-1.0, house_is_over=lambda: True, bound_by=Reason.OUTSIDE_LIMIT))
    assert (choice.target, choice.reason) == (0, Reason.HOUSE_OVER_LIMIT)


def test_no_more_than_the_noise_is_not_over() -> None:
    assert _chosen(room=9.7, free=9.7) == (10, Reason.NO_HEADROOM)


def test_a_little_over_waits_until_it_is_worth_a_command() -> None:
    """6 % of 25 A are 1.5 A; 180 A·s times 0.075 over 3 are 4.5 A·s: the fifth second of 1 A."""
    charger = _charger()
    seen = []
    for second in range(6):
        seen.append(_chosen(charger, now=NOW + second, room=9.0))
        charger.chosen_at = NOW + second
    assert seen == [(10, Reason.NO_HEADROOM)] * 4 + [(9, Reason.OVER_BUDGET)] * 2
    assert _chosen(_charger(), room=8.5) == (10, Reason.NO_HEADROOM)
    assert _chosen(_charger(), room=8.49) == (8, Reason.OVER_BUDGET)


def test_what_was_over_is_forgotten_when_it_is_not() -> None:
    charger = _charger(debt_as=4.4)
    _chosen(charger, room=9.8)
    assert charger.debt_as == 0
    charger.debt_as = 4.4
    assert _chosen(charger, room=9.0) == (9, Reason.OVER_BUDGET)


def test_a_long_gap_between_decisions_counts_for_a_second() -> None:
    charger = _charger(chosen_at=NOW - 100)
    assert _chosen(charger, room=9.0) == (10, Reason.NO_HEADROOM)
    assert charger.debt_as == 1.0


@pytest.mark.parametrize(("tolerated_s", "target"), [(10.0, 10), (9.99, 9)])
def test_a_little_over_does_not_wait_where_the_protection_does_not_bear_it(tolerated_s: float, target: int) -> None:
    bears = {"amps": -1.0}

    def tolerated(amps: float) -> float:
        bears["amps"] = amps
        return tolerated_s

    assert _chosen(room=9.0, tolerated_s=tolerated)[0] == target
    assert bears["amps"] == 10


def test_of_several_nobody_gives_his_part_while_another_has_more_than_his() -> None:
    assert _chosen(room=6.5, kept=8) == (8, Reason.OVER_BUDGET)
    assert _chosen(room=6.5, share=8) == (6, Reason.OVER_BUDGET)
    assert _chosen(room=6.5, kept=16) == (10, Reason.OVER_BUDGET)
    assert _chosen(room=7.5, share=0) == (7, Reason.OVER_BUDGET)


def test_where_nobody_knows_its_phases_the_step_is_big_enough_to_show_them() -> None:
    assert _chosen(_charger(target=16), room=14.0, has_phases=False)[0] == 12
    assert _chosen(_charger(target=16), room=9.0, has_phases=False)[0] == 9
    assert _chosen(_charger(target=9), room=7.0, has_phases=False)[0] == 6, "no less than the minimum"
    assert _chosen(_charger(target=16), room=14.0, has_phases=True)[0] == 14


# -- not even the minimum -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "returns", "chosen"),
    [
        (4.01, 3, (6, Reason.MINIMUM)),  # 30 s of 1.99 A are within 60 A·s
        (4.0, 3, (0, Reason.PAUSED)),
        (5.59, 2, (6, Reason.MINIMUM)),  # 0.8 of it
        (4.39, 2, (0, Reason.PAUSED)),
        (5.61, 1, (6, Reason.MINIMUM)),  # a first time: a fifth of it
        (5.59, 1, (0, Reason.PAUSED)),
        (3.01, 5, (6, Reason.MINIMUM)),  # a thermostat: half as much again
        (3.0, 9, (0, Reason.PAUSED)),
    ],
)
def test_the_minimum_is_held_where_that_is_cheaper(room: float, returns: int, chosen: tuple[int, Reason]) -> None:
    asked = []

    def times(excess: float) -> int:
        asked.append(excess)
        return returns

    assert _chosen(room=room, returns=times) == chosen
    assert asked == [pytest.approx(6 - room)]


def test_holding_the_minimum_ends_when_it_has_cost_its_price() -> None:
    charger = _charger(target=6)
    for second in range(100):
        chosen = _chosen(charger, now=NOW + second, room=5.0, returns=lambda _: 3)
        charger.chosen_at = NOW + second
        if chosen == (0, Reason.PAUSED):
            break
        assert chosen == (6, Reason.MINIMUM)
    assert second == 59


def test_what_the_minimum_is_over_is_counted_by_the_second() -> None:
    charger = _charger(target=6)
    assert _chosen(charger, room=5.5) == (6, Reason.MINIMUM)
    assert charger.debt_as == 0.5
    assert ManagedCharger("a", ChargerSettings(max_amps=16)).chosen_at == -inf


@pytest.mark.parametrize(("tolerated_s", "target"), [(10.0, 6), (9.99, 0)])
def test_the_minimum_is_not_held_beyond_what_the_protection_bears(tolerated_s: float, target: int) -> None:
    assert _chosen(_charger(target=6), room=5.0, tolerated_s=lambda _: tolerated_s)[0] == target


def test_on_the_way_to_the_minimum_more_flows_and_that_has_to_be_borne_too() -> None:
    """From 10 to 6 A at 3 A/s: 2.5 s to the answer, 1.75 s to the first movement, half of 1.33 s."""
    way_s = 2.5 + 1.75 + 4 / 3 / 2
    for bears_s, target in ((way_s, 6), (way_s - 0.01, 0)):
        tolerated = {6.0: inf, 10.0: bears_s}
        assert _chosen(room=5.0, tolerated_s=tolerated.__getitem__)[0] == target
    told = _charger()
    told.send(Command(charger_id="car", action=Action.SET_AMPS, amps=6), NOW, (30.0,))
    told.target = 6
    assert _chosen(told, room=5.0, tolerated_s={6.0: 10.0}.__getitem__)[0] == 6, "it is told already"


def test_a_start_that_does_not_fit_any_more_is_given_up() -> None:
    due = _charger(target=8, running=False)
    due.target = 8
    assert _chosen(due, room=7.0) == (0, Reason.PAUSED)
    assert _chosen(due, room=7.8) == (8, Reason.STARTED)


# -- sharing ------------------------------------------------------------------------------------------------------


def test_what_another_waits_for_is_given_up() -> None:
    assert _chosen(share=7, must_share=True) == (7, Reason.SHARED)
    assert _chosen(share=0, must_share=True) == (0, Reason.WAITING_FOR_TURN)
    assert _chosen(share=7) == (10, Reason.SHARED), "nobody waits for it"
    assert _chosen(share=10, must_share=True) == (10, Reason.SHARED), "it has no more than its part"


def test_a_raise_goes_no_further_than_its_part() -> None:
    assert _chosen(share=13) == (13, Reason.RAISED)
    assert _chosen(share=10) == (10, Reason.SHARED)
    stopped = _charger(running=False)
    assert _chosen(stopped, share=0) == (0, Reason.WAITING_FOR_TURN)
    assert _chosen(stopped, share=0, free=3.0, may_turn=True) == (0, Reason.WAITING_FOR_TURN)
    assert _chosen(stopped, share=0, free=3.0) == (0, Reason.PAUSED)
    assert _chosen(stopped, share=0, free=3.0, house_is_over=lambda: True) == (0, Reason.HOUSE_OVER_BUDGET)


# -- raising ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("free", "target"), [(13.5, 13), (13.49, 12), (16.5, 16), (30.0, 16), (11.5, 11), (11.49, 10)])
def test_a_raise_leaves_the_margin_free(free: float, target: int) -> None:
    assert _chosen(free=free) == (target, Reason.RAISED if target > 10 else Reason.NO_HEADROOM)


def test_a_raise_waits_for_a_cut_to_show_and_for_a_raise_to_end() -> None:
    for amps, reason in ((8, Reason.VERIFYING), (12, Reason.SETTLING)):
        charger = _charger()
        command = Command(charger_id="car", action=Action.SET_AMPS, amps=amps)
        charger.send(command, NOW, (15.0,))
        charger.target = amps
        assert _chosen(charger) == (amps, reason)
        charger.acknowledge(command, Outcome.ACCEPTED, NOW)
        assert _chosen(charger) == (amps, reason), "its end is not its effect"


def test_a_raise_waits_where_something_is_not_known() -> None:
    unknown = _charger()
    unknown.belief.settle(0.0, 10.0)
    assert _chosen(unknown) == (10, Reason.SETTLING)
    assert _chosen(_charger(not_before=NOW + 0.01)) == (10, Reason.SETTLING)
    assert _chosen(_charger(not_before=NOW)) == (16, Reason.RAISED)
    assert _chosen(_charger(report_wanted_at=NOW)) == (10, Reason.SETTLING)
    assert _chosen(_charger(report_wanted_at=NOW - 1)) == (16, Reason.RAISED)
    assert _chosen(is_adopting=True) == (10, Reason.ADOPTING)


@pytest.mark.parametrize(("age_s", "chosen"), [(120.0, (16, Reason.RAISED)), (120.01, (10, Reason.REPORT_STALE))])
def test_an_old_report_allows_no_raise_but_a_start(age_s: float, chosen: tuple[int, Reason]) -> None:
    assert _chosen(_charger(measured_at=NOW - age_s)) == chosen
    assert _chosen(_charger(running=False, measured_at=NOW - age_s)) == (16, Reason.STARTED)


def test_its_maximum_has_a_name() -> None:
    assert _chosen(cap=10) == (10, Reason.AT_MAXIMUM)
    assert _chosen(_charger(user_limit=10), cap=10) == (10, Reason.USER_LIMIT)


def test_a_car_that_does_not_use_what_it_has_gets_no_more() -> None:
    charger = _charger()
    charger.belief.settle(8.0, 8.0)
    assert _chosen(charger) == (10, Reason.NOT_USED)
    charger.belief.settle(8.4, 8.4)
    assert _chosen(charger) == (16, Reason.RAISED)


def test_a_start_begins_with_the_minimum_at_least_and_is_bounded() -> None:
    stopped = _charger(target=6, running=False)
    assert _chosen(stopped, free=6.5) == (6, Reason.STARTED)
    assert _chosen(stopped, free=6.49) == (0, Reason.PAUSED)
    stopped = _charger(target=6, running=False, _starts=0.99, _starts_at=NOW)
    assert _chosen(stopped, free=6.5) == (0, Reason.STARTS_EXHAUSTED)
    stopped = _charger(target=6, running=False, _starts=1.0, _starts_at=NOW)
    assert _chosen(stopped, free=6.5) == (6, Reason.STARTED)


def test_a_raise_that_does_not_pay_waits() -> None:
    restless = Risk(per_s=0.1, step_amps=5.0, calm_s=600.0)
    assert _chosen(risk=lambda amps, _: CALM if amps == 10 else restless) == (10, Reason.WAITING)
    assert _chosen(risk=lambda amps, _: CALM if amps <= 12 else restless) == (12, Reason.RAISED)
    assert _chosen(risk=lambda *_: None) == (10, Reason.WAITING)
    assert _chosen(prices=PRICES[Mode.BALANCED]) == (16, Reason.RAISED)


@pytest.mark.parametrize(
    ("charger", "changes", "reason"),
    [
        (_charger(target=8, running=False), {"room": 7.0, "due": 8}, Reason.PAUSED),
        (_charger(), {"room": 12.0, "share": 7, "must_share": True}, Reason.SHARED),
        (_charger(), {"room": 5.0}, Reason.MINIMUM),
        (_charger(), {"room": 12.0, "cap": 10}, Reason.AT_MAXIMUM),
        (_charger(target=6), {"room": 1.0}, Reason.PAUSED),
    ],
)
def test_a_reason_comes_with_what_the_house_draws_and_may(
    charger: ManagedCharger, changes: dict[str, Any], reason: Reason
) -> None:
    charger.target = changes.pop("due", charger.target)
    choice = choose(_view(charger, **changes))
    assert choice.reason is reason
    assert choice.numbers["house_amps"] == 25.0 - changes["room"]
    assert choice.numbers["budget_amps"] == 25.0


def test_a_choice_carries_the_numbers_of_its_reason() -> None:
    choice = choose(_view(_charger(), room=12.0, free=12.0))
    assert choice == Choice(11, Reason.RAISED, {"house_amps": 13.0, "budget_amps": 25.0})


def test_who_has_its_part_and_no_more_gives_none_of_it() -> None:
    assert _chosen(must_share=True, share=12) == (12, Reason.RAISED)
    assert _chosen(_charger(target=16), must_share=True, share=16) == (16, Reason.AT_MAXIMUM)


@pytest.mark.parametrize(("free", "reason"), [(11.5, Reason.SHARED), (11.0, Reason.NO_HEADROOM)])
def test_the_others_are_the_reason_where_the_next_step_would_fit(free: float, reason: Reason) -> None:
    assert _chosen(share=10, free=free) == (10, reason)


def test_where_nobody_knows_its_phases_it_stops_too_where_not_even_the_minimum_fits() -> None:
    assert _chosen(has_phases=False, room=2.0) == (0, Reason.PAUSED)


@pytest.mark.parametrize(("ago_s", "debt_as"), [(0.5, 0.25), (1.0, 0.5), (100.0, 0.5)])
def test_holding_the_minimum_costs_by_time_and_a_gap_no_more_than_a_second(ago_s: float, debt_as: float) -> None:
    charger = _charger(target=6, chosen_at=NOW - ago_s)
    assert _chosen(charger, room=5.5) == (6, Reason.MINIMUM)
    assert charger.debt_as == debt_as


def test_what_is_in_flight_is_waited_for_though_it_moves_no_current() -> None:
    charger = _charger()
    charger.in_flight = Command(charger_id="car", action=Action.SET_AMPS, amps=12)
    assert _chosen(charger) == (10, Reason.SETTLING)


def test_who_charges_needs_no_start() -> None:
    assert _chosen(_charger(_starts=0.0, _starts_at=NOW))[1] is Reason.RAISED


@pytest.mark.parametrize("request_", [11, 12])
def test_a_start_with_the_limit_that_it_has_costs_one_command_less(request_: int) -> None:
    """Calm for 40 s: 12 A earn 336 A·s, a start costs 200 of them and a limit 180."""
    charger = _charger(target=request_, running=False)
    calm = Risk(per_s=1e-6, step_amps=2.0, calm_s=40.0)
    assert _chosen(charger, cap=12, risk=lambda *_: calm) == (request_, Reason.STARTED)


def test_a_car_that_heats_beyond_what_is_left_may_start_with_that() -> None:
    charger = _charger(target=0, running=False)
    charger.belief.settle(9.0, 9.0)
    assert _chosen(charger, room=8.0, free=8.0) == (7, Reason.STARTED)
