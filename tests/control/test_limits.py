"""What a limit leaves for a consumer on the phases that it loads."""

from custom_components.amp_sensor.control.limits import Budget, room

FLOWS = (5.0, 20.0, -8.0)


def test_a_budget_leaves_what_its_fullest_phase_has() -> None:
    budget = Budget(max_amps=25.0)
    assert budget.room(FLOWS, (0,)) == 20
    assert budget.room(FLOWS, (0, 1)) == 5
    assert budget.room(FLOWS, (0, 1, 2)) == 5


def test_what_is_exported_leaves_more_room() -> None:
    assert Budget(max_amps=25.0).room(FLOWS, (2,)) == 33


def test_a_budget_that_is_exceeded_says_by_how_much() -> None:
    assert Budget(max_amps=16.0).room(FLOWS, (1,)) == -4


def test_of_several_limits_the_tightest_counts() -> None:
    limits = (Budget(max_amps=25.0), Budget(max_amps=16.0), Budget(max_amps=32.0))
    assert room(limits, FLOWS, (0,)) == 11
    assert room(limits[::-1], FLOWS, (1,)) == -4
