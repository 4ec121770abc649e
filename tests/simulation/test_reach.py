"""What the project reaches where the plant is not what it assumes: the benchmark's cases, an evening of each."""

from dataclasses import replace as changed
from functools import cache

import pytest

from custom_components.amp_sensor.control import Mode
from simulation.benchmark import KNOWN, SHIPPED, UCI, Case, Group, Run
from simulation.replay import Result

EVENING_H, HOURS = 17.0, 3.0
LIVELY_H, LIVELY_HOURS = 48 + 17.5, 2.0
"""The house goes from 3 to 31 A and back, a dozen times: for one car, as two would not fit."""


def _evening(case: Case) -> Case:
    lively = case.phases == 1 and len(case.chargers) == 1
    later, hours = (LIVELY_H, LIVELY_HOURS) if lively else (EVENING_H, HOURS)
    at_once = tuple(start_h + later for start_h in case.at_once)
    return changed(case, path=SHIPPED / UCI, start_h=case.start_h + later, hours=hours, at_once=at_once)


CASES = [_evening(case) for case in KNOWN if case.path == UCI and not case.is_house]


LITTLE_AMP_S_PER_DAY = 300.0
"""So little is over that nothing is to be compared: an ampere for five minutes a day."""


@cache
def _result(case: Case, controller: str) -> Result:
    run = Run(case=case, conditions="normal", controller=controller, mode=Mode.BALANCED, seed=1, report_delta=1.0)
    return run.result()


def _of(*groups: Group) -> pytest.MarkDecorator:
    some = [case for case in CASES if case.group in groups]
    return pytest.mark.parametrize("case", some, ids=[f"{case.group.name}: {case.about}" for case in some])


@_of(*Group)
def test_it_is_far_less_over_than_upstream_and_opens_nothing(case: Case) -> None:
    ours, upstream = _result(case, "amp_sensor"), _result(case, "upstream")
    assert ours.over_amp_s_per_day <= max(0.4 * upstream.over_amp_s_per_day, LITTLE_AMP_S_PER_DAY)
    assert ours.trips == 0


@_of(*Group)
def test_the_cars_charge_nevertheless(case: Case) -> None:
    assert _result(case, "amp_sensor").energy_pct >= 0.8 * _result(case, "foresight").energy_pct


@_of(Group.PHASES)
def test_hardly_a_command_is_for_a_phase_that_the_car_does_not_load(case: Case) -> None:
    """One may be, while nobody knows yet which phases these are."""
    assert _result(case, "amp_sensor").needless <= 1


@_of(Group.SEVERAL)
def test_cars_share_as_their_priorities_say(case: Case) -> None:
    result = _result(case, "amp_sensor")
    assert result.share_off_pct <= 5
    assert result.commands_per_h <= 10 * len(case.chargers)


@_of(Group.LOCAL)
def test_a_charger_that_is_told_directly_is_hardly_over(case: Case) -> None:
    ours, upstream = _result(case, "amp_sensor"), _result(case, "upstream")
    assert ours.over_amp_s_per_day <= 0.15 * upstream.over_amp_s_per_day
