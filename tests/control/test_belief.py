"""What a car draws while a change is under way: when it must have shown, and what counts as shown."""

from math import inf

import pytest

from custom_components.amp_sensor.control import Action, Command
from custom_components.amp_sensor.control.belief import Belief, Change
from custom_components.amp_sensor.control.profile import Profile

PROFILE = Profile(
    floor_amps=5,
    latency_s=2.0,
    earliest_move_s=0.5,
    moving_s=1.0,
    answer_s=4.0,
    down_a_per_s=2.0,
    up_a_per_s=0.5,
    start_lead_s=10.0,
    start_s=30.0,
)
SET, START, STOP = (
    Command(charger_id="a", action=action, amps=7) for action in (Action.SET_AMPS, Action.START, Action.STOP)
)


def _begun(command: Command, before: float, to: float, *, acked_at: float | None = 102.0) -> tuple[Belief, Change]:
    belief = Belief()
    belief.settle(before, before)
    belief.begin(command, to, 100.0, profile=PROFILE, before=(20.0,))
    assert belief.change is not None
    belief.change.acked_at = acked_at
    return belief, belief.change


@pytest.mark.parametrize(
    ("command", "before", "to", "due_at", "ends_at"),
    [
        (SET, 16, 6, 102 + 4 + 1 + 2 / 2, 102 + 4 + 10 / 2),  # 2 A of a cut are enough
        (SET, 8, 6, 102 + 4 + 1 + 1 / 2, 102 + 4 + 2 / 2),  # or half of it
        (STOP, 16, 0, 102 + 4 + 1 + 2 / 2, 102 + 4 + 16 / 2),
        (SET, 6, 16, 102 + 4 + 10 / 0.5, 102 + 4 + 10 / 0.5),
        (SET, 0, 16, 102 + 30 + 16 / 0.5, 102 + 30 + 16 / 0.5),
        (START, 0, 6, 102 + 30 + 6 / 0.5, 102 + 30 + 6 / 0.5),
        (START, 1, 6, 102 + 30 + 5 / 0.5, 102 + 30 + 5 / 0.5),  # it heats its cabin
    ],
)
def test_a_change_is_due_once_it_must_have_shown(
    command: Command, before: float, to: float, due_at: float, ends_at: float
) -> None:
    belief, change = _begun(command, before, to)
    assert change.due_at() == due_at
    assert change.ends_at() == ends_at
    assert not belief.is_overdue(due_at - 0.001)
    assert belief.is_overdue(due_at)
    change.seen_at = 103
    assert not belief.is_overdue(inf)


def test_nothing_is_due_before_the_cloud_has_answered() -> None:
    belief, change = _begun(SET, 16, 6, acked_at=None)
    assert change.due_at() is None
    assert change.ends_at() == inf
    assert not belief.is_overdue(1e9)
    assert not Belief().is_overdue(1e9)


@pytest.mark.parametrize(
    ("to", "shown", "not_yet"), [(6.0, 14.0, 14.001), (14.0, 15.0, 15.001), (24.0, 20.0, 19.999), (17.0, 16.5, 16.499)]
)
def test_part_of_a_change_counts_as_seen(to: float, shown: float, not_yet: float) -> None:
    """Of a cut half of it, but no more than 2 A; of a raise half of it."""
    belief, change = _begun(SET, 16.0, to, acked_at=None)
    belief.witness(change, [not_yet], 101)
    assert change.seen_at is None
    belief.witness(change, [shown], 102)
    assert change.seen_at == 102
    belief.witness(change, [16.0], 103)
    assert change.seen_at == 102, "the first time counts"


def test_what_moves_the_other_way_is_the_houses() -> None:
    for to, seen in ((6.0, 26.0), (26.0, 6.0)):
        belief, change = _begun(SET, 16.0, to)
        belief.witness(change, [seen], 105)
        assert change.seen_at is None


def test_what_shows_before_it_could_have_moved_is_the_houses() -> None:
    belief, change = _begun(SET, 16.0, 6.0)
    belief.witness(change, [6.0], 100.499)
    assert change.seen_at is None
    belief.witness(change, [6.0], 100.5)
    assert belief.change is None


def test_of_several_phases_the_highest_counts() -> None:
    belief, change = _begun(SET, 16.0, 6.0)
    belief.witness(change, [6.0, 16.0], 103)
    assert change.seen_at is None
    belief.witness(change, [6.0, 6.0], 104)
    assert (belief.low, belief.high, belief.change) == (6.0, 6.0, None)


@pytest.mark.parametrize(("seen", "settles"), [(0.7, True), (0.701, False), (-0.7, True), (-0.701, False)])
def test_a_change_has_ended_where_it_shows_within_what_rounding_can_make(seen: float, settles: bool) -> None:
    belief, change = _begun(STOP, 16.0, 0.0)
    belief.witness(change, [seen], 103)
    assert belief.is_settled is settles


def test_a_change_has_ended_once_there_was_time_for_the_rest_of_it() -> None:
    """The house moved as well, so that it never shows what was expected."""
    belief, change = _begun(SET, 16.0, 6.0)
    belief.witness(change, [9.0], 103)
    belief.witness(change, [9.0], 107.999)
    assert belief.change is change
    belief.witness(change, [9.0], 108)
    assert (belief.low, belief.high) == (6.0, 6.0)


def test_a_change_has_not_ended_before_the_cloud_has_answered() -> None:
    belief, change = _begun(SET, 16.0, 6.0, acked_at=None)
    belief.witness(change, [6.0], 103)
    assert belief.change is change


@pytest.mark.parametrize(("to", "bounds"), [(6.0, (6.0, 16.0)), (20.0, (16.0, 20.0))])
def test_before_and_after_are_possible_while_it_is_under_way(to: float, bounds: tuple[float, float]) -> None:
    belief, _ = _begun(SET, 16.0, to)
    assert belief.bounds(100.499) == (16.0, 16.0)
    assert belief.bounds(100.5) == bounds
    assert not belief.is_settled
    belief.begin(SET, 10.0, 104, profile=PROFILE)
    assert belief.bounds(104) == bounds, "the next begins where this one may have come to"


@pytest.mark.parametrize(("high", "settled"), [(0.7, True), (0.701, False)])
def test_it_is_known_what_it_draws_to_within_what_rounding_can_make(high: float, settled: bool) -> None:
    belief = Belief()
    belief.settle(0.0, high)
    assert belief.is_settled is settled


def test_a_stop_is_not_seen_in_the_cut_before_it() -> None:
    """13 A, told 11 and then to stop: a fall to 11 A is the first of the two."""
    belief, _ = _begun(SET, 13.0, 11.0, acked_at=None)
    belief.begin(STOP, 0.0, 103, profile=PROFILE)
    stop = belief.change
    assert stop is not None
    for seen, is_seen in ((11.0, False), (9.001, False), (9.0, True)):
        belief.witness(stop, [seen], 105)
        assert (stop.seen_at is not None) is is_seen


def test_a_cut_is_measured_from_where_the_current_is_where_the_one_before_it_went_as_low() -> None:
    belief, _ = _begun(SET, 13.0, 6.0, acked_at=None)
    belief.begin(SET, 6.0, 103, profile=PROFILE)
    again = belief.change
    assert again is not None
    belief.witness(again, [11.0], 105)
    assert again.seen_at == 105


@pytest.mark.parametrize(("seen", "has_come"), [(11.0, True), (11.001, False), (5.0, True), (-3.0, True)])
def test_what_began_and_is_not_half_way_when_its_time_is_up_has_not_come(seen: float, has_come: bool) -> None:
    """The house fell in the same seconds: the car is still where it was, and is to be told again."""
    belief, change = _begun(SET, 16.0, 6.0)
    belief.witness(change, [13.0], 103)
    assert change.seen_at == 103
    belief.witness(change, [seen], 108)
    assert (belief.change is None) is has_come
    assert belief.is_overdue(108) is not has_come


@pytest.mark.parametrize("seen", [7.0, 12.0])
def test_a_raise_that_began_has_come_when_its_time_is_up(seen: float) -> None:
    """That is the higher of the two."""
    belief, change = _begun(SET, 6.0, 16.0)
    belief.witness(change, [11.0], 110)
    belief.witness(change, [seen], 110 + 10 / 0.5)
    assert (belief.low, belief.high) == (16.0, 16.0)


def test_a_change_to_where_it_is_is_no_cut() -> None:
    assert not _begun(SET, 16.0, 16.0)[1].is_cut
    assert _begun(SET, 16.0, 15.9)[1].is_cut


def test_of_what_nobody_told_nothing_is_drawn() -> None:
    assert Belief().bounds(0.0) == (0.0, 0.0)


def test_a_change_of_what_is_not_known_goes_the_longest_way_that_it_may() -> None:
    """A cut at the most that it may have drawn, a raise at the least; and only a raise from nothing is a start."""
    belief = Belief()
    belief.settle(0.0, 10.0)
    for to, start, ends_at in ((6.0, 10.0, 102 + 4 + 4 / 2), (16.0, 0.0, 102 + 30 + 16 / 0.5)):
        belief.change = None
        belief.begin(SET, to, 100.0, profile=PROFILE)
        assert belief.change is not None
        belief.change.acked_at = 102.0
        assert (belief.change.start, belief.change.ends_at()) == (start, ends_at)
