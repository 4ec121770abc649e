"""The benchmark compares like with like, and says what it left out."""

from dataclasses import replace as changed
import gzip
from pathlib import Path
import sys

import pytest
from tqdm import tqdm

from custom_components.amp_sensor.control import Mode
from simulation.__main__ import main
from simulation.benchmark import (
    EVERYBODY,
    KNOWN,
    SHIPPED,
    SUN,
    UCI,
    Case,
    Group,
    Run,
    cases,
    single_phase,
    summary,
)
from simulation.plant import CONDITIONS, Charger
from simulation.replay import Result
from simulation.report import tables

RESULT = Result(
    days=4,
    energy_pct=98,
    over_amp_s_per_day=1000,
    over_s_per_day=400,
    longest_over_s=60,
    commands_per_h=6,
    starts=0,
    stops=0,
    trips=0,
    share_off_pct=0,
    needless=0,
)


def _trace(path: Path, amps: list[float]) -> None:
    rows = "".join(f"{second},{value}\n" for second, value in enumerate(amps))
    path.write_bytes(gzip.compress(f"t_s,amps\n{rows}".encode()))


def _run(case: Case, controller: str, *, seed: int = 1, conditions: str = "normal") -> Run:
    return Run(case=case, conditions=conditions, controller=controller, mode=Mode.BALANCED, seed=seed, report_delta=1)


def test_the_shipped_house_is_there_and_the_others_are_named_as_absent(tmp_path: Path) -> None:
    found, absent = cases((SHIPPED, tmp_path))
    assert {case.name for case in found} == {"uci_sceaux_2007jan_1min"}
    assert {case.group for case in found} == {*Group} - {Group.GUESSED}
    assert absent == [
        *("bellenden_2012mar_6s", "ukdale_h1_2013apr_6s", "nl_dsmr_2017sep_3ph_10s", "nl_dsmr5_2019mar_3ph_1s")
    ]


def test_the_first_folder_wins(tmp_path: Path) -> None:
    _trace(tmp_path / "uci_sceaux_2007jan_1min.csv.gz", [1.0, 2.0])
    found, _ = cases((SHIPPED, tmp_path))
    assert {case.path.parent for case in found} == {SHIPPED}


def test_the_houses_that_constants_were_chosen_on_are_called_so_and_no_other_has_their_days_and_budget() -> None:
    chosen = [case for case in KNOWN if case.group is Group.CHOSEN]
    assert [(case.name.split("_")[0], case.budget, case.chargers[0].max_amps) for case in chosen] == [
        ("bellenden", 15, 13),
        ("ukdale", 15, 13),
        ("uci", 25, 16),
    ]
    for case in chosen:
        for other in KNOWN:
            if other.group is Group.UNSEEN and other.path == case.path:
                assert other.budget != case.budget or other.start_h >= case.start_h + case.hours


@pytest.mark.parametrize("case", [case for case in KNOWN if case.path == UCI], ids=lambda case: case.title)
def test_every_case_of_the_shipped_house_can_be_replayed(case: Case) -> None:
    """A few minutes each; by all whom it is put to."""
    case = changed(case, path=SHIPPED / UCI, hours=0.2)
    for controller, mode in case.contenders:
        run = Run(case=case, conditions="normal", controller=controller, mode=mode, seed=1, report_delta=1)
        result = run.result()
        assert result.energy_pct >= 0
        assert result.days == pytest.approx(0.2 / 24)


def test_a_house_of_three_phases_is_made_of_three_times_of_one() -> None:
    whole = Case(path=SHIPPED / UCI, budget=25, chargers=(Charger(max_amps=16),), hours=168)
    three = changed(whole, hours=2, at_once=(0, 48, 96)).house()
    begins = [whole.house().window(start_h=start_h, hours=2).phases[0].tolist() for start_h in (0, 48, 96)]
    assert three.phases.tolist() == begins


def test_the_sun_makes_currents_signed() -> None:
    case = next(case for case in KNOWN if case.sun and case.path == UCI and case.phases == 1)
    house = changed(case, path=SHIPPED / UCI).house()
    assert house.phases.min() < -10
    assert (house.phases <= changed(case, path=SHIPPED / UCI, sun=0.0).house().phases).all()


def test_upstreams_rule_reaches_a_local_charger_through_the_cloud() -> None:
    case = next(case for case in KNOWN if case.group is Group.LOCAL)
    assert [charger.local for charger in _run(case, "upstream").chargers] == [False]
    assert [charger.local for charger in _run(case, "amp_sensor").chargers] == [True]


def test_the_roof_is_no_house() -> None:
    found, _ = cases((SHIPPED,))
    assert (SHIPPED / SUN).exists()
    assert SUN not in {case.path.name for case in found}


@pytest.mark.parametrize(("amps", "budget", "car_max"), [(3.0, 10, 10), (12.9, 13, 13), (13.0, 16, 16), (40, 50, 16)])
def test_an_unknown_house_gets_the_breaker_it_might_have(
    tmp_path: Path, amps: float, budget: int, car_max: int
) -> None:
    _trace(tmp_path / "new.csv.gz", [1.0] * 900 + [amps] * 100 + [99.0])
    (case,), _ = cases((tmp_path,), hours=0.1)
    assert (case.name, case.budget, case.group) == ("new", budget, Group.GUESSED)
    assert [charger.max_amps for charger in case.chargers] == [car_max]
    assert case.house().seconds == 360


def test_each_house_is_compared_with_upstream_in_that_house_and_with_that_luck() -> None:
    small, large = KNOWN[:2]
    over = {
        (small, "upstream", 1): 100,
        (small, "helb", 1): 50,
        (large, "upstream", 1): 1000,
        (large, "helb", 1): 1500,
        (small, "upstream", 2): 200,
        (small, "helb", 2): 50,
        (large, "upstream", 2): 1000,
        (large, "helb", 2): 250,
    }
    results = {
        _run(case, controller, seed=seed): changed(RESULT, over_amp_s_per_day=value, trips=seed)
        for (case, controller, seed), value in over.items()
    }
    upstream, helb = summary(results)
    assert (upstream.label, upstream.over_pct.mean) == ("upstream", 100)
    assert (helb.over_pct.least, helb.over_pct.mean, helb.over_pct.most) == (25, 62.5, 100)
    assert (helb.trips.least, helb.trips.most) == (2, 4)
    assert helb.energy_pct.mean == 98


def test_a_summary_is_of_single_phase_houses_of_one_group_under_one_of_the_conditions() -> None:
    three = next(case for case in KNOWN if case.phases == 3)
    unknown = changed(KNOWN[0], group=Group.GUESSED)
    runs = [_run(KNOWN[0], "full"), _run(three, "full"), _run(unknown, "full")]
    runs.append(_run(KNOWN[0], "full", conditions="stress"))
    assert list(single_phase(dict.fromkeys(runs, RESULT), Group.UNSEEN, "normal")) == runs[:1]


def test_the_tables_show_the_spread_of_the_seeds_and_what_was_absent() -> None:
    results = {
        _run(KNOWN[0], "upstream", seed=seed, conditions=conditions): changed(RESULT, energy_pct=energy)
        for seed, energy in ((1, 97.0), (2, 98.0))
        for conditions in CONDITIONS
    }
    text = tables(results, ["ukdale", "uci"])
    assert "97.5 (97.0 to 98.0)" in text
    assert "ukdale, uci" in text
    assert all(text.count(f"{conditions} conditions") == 2 for conditions in CONDITIONS)


def test_the_page_leads_with_houses_that_no_constant_was_chosen_on() -> None:
    cases_of = {group: next(case for case in KNOWN if case.group is group) for group in Group if group != Group.GUESSED}
    text = tables({_run(case, "upstream"): RESULT for case in cases_of.values()}, [])
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings[0].startswith(f"## {Group.UNSEEN}")
    assert headings[1].startswith(f"## {Group.CHOSEN}")
    assert [heading.removeprefix("## ").split(":")[0] for heading in headings[2:]] == [*cases_of]


def test_all_of_it_in_a_few_minutes_of_one_house(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--hours", "0.1", "--seeds", "1", "--docs", str(tmp_path), "--traces", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["simulation", "benchmark", *arguments])
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # its watching thread would outlive the test
    assert main() == 0
    table = capsys.readouterr().out
    page = (tmp_path / "benchmark.md").read_text()
    assert table.strip() in page
    rows = [line for line in table.splitlines() if line.startswith("| uci_sceaux_2007jan_1min, 25/16 A |")]
    assert len(rows) == len(EVERYBODY) * len(CONDITIONS)
    assert "bellenden_2012mar_6s" in page
    pictures = [line.partition("](")[2].rstrip(")") for line in page.splitlines() if line.startswith("![")]
    assert len(pictures) == 3
    assert all((tmp_path / picture).read_bytes().startswith(b"\x89PNG") for picture in pictures)
