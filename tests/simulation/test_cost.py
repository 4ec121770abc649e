"""What deciding costs is measured, and is little."""

import sys

import pytest

from simulation.__main__ import main
from simulation.benchmark import SHIPPED, UCI
from simulation.cost import Cost, measure, report
from simulation.house import load


def test_a_cost_is_the_usual_time_and_how_many_trivial_loops_that_is() -> None:
    cost = Cost.of("a decision", [0.002] * 98 + [0.5] * 2, 0.001)
    assert (cost.usual_s, cost.loops) == (0.002, 2)
    assert cost.slow_s == pytest.approx(0.5)
    assert report([cost]).splitlines()[-1] == "| a decision | 2,000 | 500,000 | 2.00 |"


def test_a_decision_for_ten_chargers_on_three_phases_costs_no_more_than_seven_trivial_loops() -> None:
    """A millisecond where it was written; a trivial loop tells a slow machine from a slow controller."""
    costs = {cost.title: cost for cost in measure(load(SHIPPED / UCI).window(start_h=17, hours=0.25))}
    many = costs["a decision for ten chargers on three phases"]
    assert many.loops < 7
    assert costs["a decision for one charger"].usual_s < many.usual_s


def test_the_command_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["simulation", "cost", "--hours", "0.02"])
    assert main() == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + 4
