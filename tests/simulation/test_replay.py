"""What a replay counts, and that it counts the same every time."""

from collections.abc import Callable
from dataclasses import asdict
import json
from pathlib import Path
import runpy
import sys

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    Command,
    Decision,
    Mode,
    Outcome,
    Reading,
    Reason,
)
from simulation.__main__ import main
from simulation.account import ON_ITS_WAY, TOO_MUCH, account
from simulation.baselines import CONTROLLERS, Rule, Site
from simulation.benchmark import SUN
from simulation.car import Pace
from simulation.house import House, load, load_sun
from simulation.plant import NORMAL, STRESS, Charger, Conditions
from simulation.replay import Record, replay

SHIPPED = Path(__file__).parents[2] / "simulation" / "traces" / "uci_sceaux_2007jan_1min.csv.gz"
PERFECT = Conditions(noise=0, lost_posts=0, failing=0, silently_lost=0)


def _house(*phases: list[float]) -> House:
    return House(name="made up", start_s=0, phases=np.array(phases, dtype=float))


def _one(max_amps: int) -> tuple[Charger, ...]:
    return (Charger(max_amps=max_amps),)


class Script:
    """Sends what it is told to at given seconds, and keeps what it is given."""

    def __init__(self, commands: dict[int, Command]) -> None:
        self._commands = commands
        self.readings: list[Reading] = []
        self.reports: list[tuple[float, ChargerReport]] = []
        self.answers: list[tuple[float, Command, Outcome]] = []

    def __call__(self, _: Site) -> Rule:
        return self

    def add_reading(self, reading: Reading) -> None:
        self.readings.append(reading)

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        self.reports.append((now, report))

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float) -> None:
        self.answers.append((now, command, outcome))

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        command = self._commands.get(int(now))
        if command is None:
            return ()
        charger_id, reason = command.charger_id, Reason.OVER_BUDGET
        return (Decision(at=now, charger_id=charger_id, target=command.amps, reason=reason, command=command),)


def _set(amps: int) -> Command:
    return Command(charger_id="car", action=Action.SET_AMPS, amps=amps)


def test_only_what_the_car_adds_counts_as_over() -> None:
    house = _house([10.0] * 1000 + [20.0] * 1000 + [30.0] * 1000)
    result = replay(house, "full", budget=25, chargers=_one(10))
    assert result.over_s_per_day * result.days == pytest.approx(2000)
    assert result.over_amp_s_per_day * result.days == pytest.approx(1000 * 5 + 1000 * 10)
    assert result.longest_over_s == 2000


def test_a_house_that_is_over_by_itself_costs_nothing_once_the_car_stopped() -> None:
    stop = Script({0: Command(charger_id="car", action=Action.STOP)})
    result = replay(_house([30.0] * 3600), stop, budget=25, chargers=_one(10), conditions=PERFECT)
    assert result.over_s_per_day * result.days < 20
    assert (result.stops, result.starts, result.trips) == (1, 0, 0)


def test_a_little_over_does_not_count() -> None:
    assert replay(_house([15.29] * 100), "full", budget=25, chargers=_one(10)).over_s_per_day == 0
    assert replay(_house([15.31] * 100), "full", budget=25, chargers=_one(10)).longest_over_s == 100


def test_the_worst_phase_counts_and_the_car_is_on_all() -> None:
    calm, busy = [1.0] * 600, [14.0] * 600
    result = replay(_house(calm, busy, calm), "full", budget=16, chargers=_one(8))
    assert result.over_amp_s_per_day * result.days == pytest.approx(600 * 6)
    script = Script({})
    replay(_house(calm, busy, calm), script, budget=16, chargers=_one(8), conditions=PERFECT)
    assert script.readings[0].amps == (9, 22, 9)


def test_only_the_phases_that_a_car_loads_are_its_fault() -> None:
    house = _house([20.0] * 600, [1.0] * 600, [30.0] * 600)
    result = replay(house, "full", budget=25, chargers=(Charger(max_amps=10, phases=(1,)),))
    assert result.over_amp_s_per_day * result.days == pytest.approx(600 * 5)
    elsewhere = replay(house, "full", budget=25, chargers=(Charger(max_amps=10, phases=(2,)),))
    assert (elsewhere.over_amp_s_per_day, elsewhere.energy_pct, elsewhere.trips) == (0, 100, 0)
    script = Script({})
    replay(house, script, budget=25, chargers=(Charger(max_amps=10, phases=(1, 2)),), conditions=PERFECT)
    assert script.readings[0].amps == (30, 11, 30)
    assert script.reports[0][1].phases == 2


def test_export_is_room_for_a_car_and_heats_the_breaker() -> None:
    script = Script({})
    result = replay(_house([-30.0] * 900), script, budget=16, chargers=_one(10), conditions=PERFECT)
    assert script.readings[0].amps == (-20,)
    assert script.readings[0].watts == -20 * 230
    assert (result.over_amp_s_per_day, result.energy_pct) == (0, 100)
    imported = replay(_house([10.0] * 900), "full", budget=16, chargers=_one(10))
    assert result.trips == imported.trips > 0


def test_several_cars_share_a_supply_and_each_has_its_own_cloud_and_luck() -> None:
    script = Script({100: _set(6), 101: Command(charger_id="car 2", action=Action.SET_AMPS, amps=9)})
    record = Record()
    replay(_house([1.0] * 600), script, budget=20, chargers=_one(16) * 2, conditions=PERFECT, record=record)
    assert script.readings[0].amps == (33,)
    assert (record.car[99], record.car[-1]) == (32, 15)
    first, second = (answered - sent for (answered, *_), sent in zip(script.answers, (100, 101), strict=True))
    assert first != second
    told = {report.measured_amps for _, report in script.reports[-2:]}
    assert told == {6, 9}


def test_energy_of_several_cars_is_that_of_the_best_split_and_shares_are_told() -> None:
    house, hold = _house([2.0] * 3600), {0: _set(9)}
    even = Script(hold | {1: Command(charger_id="car 2", action=Action.SET_AMPS, amps=9)})
    odd = Script(hold | {1: Command(charger_id="car 2", action=Action.SET_AMPS, amps=5)})
    both = _one(16) * 2
    result = replay(house, even, budget=20, chargers=both, conditions=PERFECT)
    assert result.energy_pct == pytest.approx(100, abs=0.5)
    assert result.share_off_pct == pytest.approx(0, abs=0.5)
    result = replay(house, odd, budget=20, chargers=both, conditions=PERFECT)
    assert result.energy_pct == pytest.approx(100 * 14 / 18, abs=0.5)
    assert result.share_off_pct == pytest.approx(100 * (9 / 14 - 1 / 2), abs=0.5)


def test_a_car_counts_as_many_times_as_it_loads_phases() -> None:
    chargers = (Charger(max_amps=10, phases=(1,)), Charger(max_amps=10))
    stop = Script({0: Command(charger_id="car", action=Action.STOP)})
    result = replay(_house(*[[0.0] * 3600] * 3), stop, budget=20, chargers=chargers, conditions=PERFECT)
    assert result.energy_pct == pytest.approx(100 * 3 / 4, abs=0.2)


def test_a_limit_that_is_lowered_for_another_phase_is_needless() -> None:
    house = _house([1.0] * 300, [1.0] * 100 + [30.0] * 100 + [1.0] * 100)
    script = Script({50: _set(10), 120: _set(8), 130: _set(9), 290: _set(6)})
    on_l1, on_l2 = (Charger(max_amps=16, phases=(phase,)) for phase in (1, 2))
    counts = [
        replay(house, script, budget=20, chargers=(charger,), conditions=PERFECT).needless for charger in (on_l1, on_l2)
    ]
    assert counts == [1, 0]


def test_a_car_may_be_slower_and_start_later_and_its_cloud_may_be_slower() -> None:
    late = Pace(first_amp_s=(90.0, 90.0))
    commands = {0: Command(charger_id="car", action=Action.STOP), 60: Command(charger_id="car", action=Action.START)}
    began = {}
    for name, charger in {
        "usual": Charger(max_amps=16),
        "late": Charger(max_amps=16, pace=late),
        "slow cloud": Charger(max_amps=16, latency_s=20),
        "local": Charger(max_amps=16, local=True),
    }.items():
        record, script = Record(), Script(commands)
        replay(_house([1.0] * 300), script, budget=20, chargers=(charger,), conditions=PERFECT, record=record)
        stopped = record.car.index(0)
        began[name] = next(second for second, amps in enumerate(record.car) if second > stopped and amps), stopped
    assert 70 < began["usual"][0] < 60 + 10 + 40
    assert began["late"][0] > 60 + 90
    assert began["slow cloud"][1] > began["usual"][1]
    assert began["local"][1] <= 5
    assert began["local"][0] < 60 + 25


def test_a_local_charger_tells_of_itself_each_second() -> None:
    script = Script({})
    replay(_house([1.0] * 60), script, budget=20, chargers=(Charger(max_amps=16, local=True),))
    assert [at for at, _ in script.reports] == list(range(60))
    assert {report.age_s for _, report in script.reports} == {0}


def test_energy_is_of_the_clairvoyants() -> None:
    assert replay(_house([10.0] * 600), "full", budget=20, chargers=_one(10)).energy_pct == pytest.approx(100)
    assert replay(_house([15.0] * 600), "full", budget=20, chargers=_one(10)).energy_pct == pytest.approx(200)
    assert replay(_house([18.0] * 600), "full", budget=20, chargers=_one(10)).energy_pct == 0


def test_trips_count_while_the_car_draws_and_the_breaker_is_closed_again() -> None:
    assert replay(_house([20.0] * 600), "full", budget=20, chargers=_one(16)).trips > 1
    house_alone = Script({0: Command(charger_id="car", action=Action.STOP)})
    assert replay(_house([2.0] * 60 + [60.0] * 600), house_alone, budget=20, chargers=_one(16)).trips == 0


@pytest.mark.parametrize("controller", ["amp_sensor", "upstream"])
def test_the_account_sums_up_to_what_the_replay_counted(controller: str) -> None:
    house, record = load(SHIPPED).window(start_h=15, hours=4), Record()
    result = replay(house, controller, budget=25, chargers=_one(16), record=record)
    causes = account(record, house, budget=25, charger=Charger(max_amps=16))
    assert sum(causes.lost_pct.values()) == pytest.approx(100 - result.energy_pct)
    assert sum(causes.over_amp_s_per_day.values()) == pytest.approx(result.over_amp_s_per_day)


def test_the_account_tells_what_was_decided_from_what_was_on_its_way() -> None:
    """Two seconds each: told to take 16 A where 16 A fit, to take 10 A there, and to stop, still over the budget."""
    house = _house([4.0, 4.0, 4.0, 4.0, 14.0, 14.0])
    record = Record(
        house=house.peak.tolist(),
        car=[10.0, 16.0, 10.0, 10.0, 10.0, 10.0],
        target=[16, 16, 10, 10, 0, 0],
        reason=[Reason.RAISED, Reason.AT_MAXIMUM, Reason.WAITING, Reason.WAITING, Reason.PAUSED, Reason.VERIFYING],
    )
    causes = account(record, house, budget=20, charger=Charger(max_amps=16))
    charge = {cause: round(share * (4 * 16 + 2 * 6) / 100, 6) for cause, share in causes.lost_pct.items()}
    assert charge == {ON_ITS_WAY: 6.0, "waiting": 12.0, TOO_MUCH: -8.0}
    over = {cause: round(share * house.seconds / 86400, 6) for cause, share in causes.over_amp_s_per_day.items()}
    assert over == {ON_ITS_WAY: 8.0}


def test_commands_are_counted_and_answered_and_the_car_obeys_them() -> None:
    script = Script({100: _set(6), 200: _set(9)})
    record = Record()
    result = replay(_house([1.0] * 600), script, budget=20, chargers=_one(16), conditions=PERFECT, record=record)
    assert result.commands_per_h == 12
    assert [command for _, command, _ in script.answers] == [_set(6), _set(9)]
    assert (record.car[99], record.car[199], record.car[-1]) == (16, 6, 9)
    assert record.commands == [(100, Action.SET_AMPS), (200, Action.SET_AMPS)]
    assert [record.target[second] for second in (99, 100, 200)] == [16, 6, 9]
    assert script.reports[-1][1].measured_amps == 9


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_the_same_seed_gives_the_same_result_and_another_seed_another(controller: str) -> None:
    house = load(SHIPPED).window(start_h=17, hours=2)
    first, again, other = (
        replay(house, controller, budget=15, chargers=_one(16), conditions=STRESS, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert (first == other) == (controller == "full")


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.floats(0, 40)), min_size=1, max_size=8),
    st.sampled_from(sorted(CONTROLLERS)),
    st.sampled_from([NORMAL, STRESS]),
    st.integers(0, 1000),
)
def test_no_count_is_ever_impossible(
    steps: list[tuple[int, float]], controller: str, conditions: Conditions, seed: int
) -> None:
    house = _house([amps for seconds, amps in steps for _ in range(seconds)])
    record = Record()
    result = replay(house, controller, budget=20, chargers=_one(16), conditions=conditions, seed=seed, record=record)
    full = replay(house, "full", budget=20, chargers=_one(16), seed=seed)
    assert all(0 <= amps <= 16 for amps in record.car)
    assert 0 <= result.over_amp_s_per_day <= full.over_amp_s_per_day
    assert 0 <= result.over_s_per_day <= full.over_s_per_day
    assert 0 <= result.energy_pct <= full.energy_pct
    assert result.longest_over_s <= result.over_s_per_day * result.days + 1e-6
    assert len(record.house) == len(record.target) == len(record.reason) == house.seconds


@pytest.mark.parametrize("conditions", [NORMAL, STRESS])
def test_the_limit_is_below_the_project_and_the_project_below_the_original(conditions: Conditions) -> None:
    house = load(SHIPPED).window(start_h=17, hours=6)
    limit, ours, upstream = (
        replay(
            house, controller, budget=25, chargers=_one(16), conditions=conditions, report_delta=1
        ).over_amp_s_per_day
        for controller in ("foresight", "amp_sensor", "upstream")
    )
    assert 0 < limit < ours < upstream


class TestCommandLine:
    ARGUMENTS = ("replay", str(SHIPPED), "--budget", "25", "--car-max", "16", "--start-h", "17", "--hours", "1")

    @pytest.fixture
    def run(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., tuple[int, str]]:
        def _run(*arguments: str) -> tuple[int, str]:
            monkeypatch.setattr(sys, "argv", ["simulation", *self.ARGUMENTS, *arguments])
            code = main()
            captured = capsys.readouterr()
            return code, captured.out if code == 0 else captured.err

        return _run

    def test_json_has_the_promised_keys_and_the_replays_figures(self, run: Callable[..., tuple[int, str]]) -> None:
        code, out = run("--json", "--controller", "upstream", "--report-delta", "1", "--post-s", "7", "--seed", "3")
        house = load(SHIPPED).window(start_h=17, hours=1)
        conditions = Conditions(post_s=7)
        expected = replay(
            house,
            "upstream",
            budget=25,
            chargers=_one(16),
            conditions=conditions,
            report_delta=1,
            seed=3,
        )
        figures = json.loads(out)
        assert code == 0
        assert set(figures) >= {
            *("energy_pct", "over_amp_s_per_day", "over_s_per_day", "longest_over_s"),
            *("commands_per_h", "starts", "stops", "trips"),
        }
        assert figures == pytest.approx(asdict(expected), abs=0.001)

    def test_conditions_and_mode_reach_the_replay(self, run: Callable[..., tuple[int, str]]) -> None:
        house = load(SHIPPED).window(start_h=17, hours=1)
        _, out = run("--json", "--mode", "strict", "--conditions", "stress")
        expected = replay(house, "amp_sensor", budget=25, chargers=_one(16), mode=Mode.STRICT, conditions=STRESS)
        assert json.loads(out) == pytest.approx(asdict(expected), abs=0.001)

    def test_cars_phases_sun_and_a_local_charger_reach_the_replay(self, run: Callable[..., tuple[int, str]]) -> None:
        house = load(SHIPPED).window(start_h=17, hours=1).under_sun(0.5 * load_sun(SHIPPED.with_name(SUN)))
        _, out = run("--json", "--cars", "2", "--car-phases", "1", "--local", "--sun", "0.5", "--controller", "evcc")
        chargers = (Charger(max_amps=16, phases=(1,), local=True),) * 2
        expected = replay(house, "evcc", budget=25, chargers=chargers)
        assert json.loads(out) == pytest.approx(asdict(expected), abs=0.001)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [(("--car-phases", "2"), "has 1 phase"), (("--account", "--cars", "2"), "an account is of one car")],
    )
    def test_what_this_house_or_an_account_cannot_do_is_said(
        self, run: Callable[..., tuple[int, str]], arguments: tuple[str, ...], said: str
    ) -> None:
        code, error = run(*arguments)
        assert code == 2
        assert said in error

    def test_a_plot_is_drawn(self, run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        assert run("--plot", str(tmp_path / "new" / "p.png"))[0] == 0
        assert (tmp_path / "new" / "p.png").read_bytes().startswith(b"\x89PNG")

    def test_an_account_is_given(self, run: Callable[..., tuple[int, str]]) -> None:
        _, out = run("--account")
        assert "charge lost" in out
        assert "over budget, A·s a day" in out

    def test_what_cannot_be_done_is_said(self, run: Callable[..., tuple[int, str]]) -> None:
        code, error = run("--start-h", "1000")
        assert code == 2
        assert "nothing from hour 1000 on" in error

    def test_it_runs_as_a_module(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr(sys, "argv", ["simulation", "replay", "absent.csv", "--budget", "25", "--car-max", "16"])
        monkeypatch.delitem(sys.modules, "simulation.__main__")
        with pytest.raises(SystemExit, match="2"):
            runpy.run_module("simulation", run_name="__main__")
        assert "absent.csv" in capsys.readouterr().err
