"""The benchmark in words, tables and pictures: docs/benchmark.md."""

from collections.abc import Sequence
from dataclasses import replace as changed
from itertools import product
from pathlib import Path
from statistics import fmean

from matplotlib import pyplot as plt

from custom_components.amp_sensor.control import Mode

from . import cost
from .benchmark import Case, Group, Line, Run, Spread, share, single_phase, summary
from .plant import CONDITIONS
from .plot import draw
from .replay import Record, Result

PICTURE = "uci_sceaux_2007jan_1min"
"""The trace that may be shown; the licences of the others do not allow it."""
PICTURE_H = (15.0, 9.0)
"""First hour of the picture, and how many: an afternoon and evening with all that happens in a house."""
COST_H = 0.25
"""Some hundreds of decisions."""

ABOUT = """\
# Benchmark

Made by `python -m simulation benchmark`; do not edit. Every controller has the same houses, the same meter, the same
slow cloud, the same cars and the same luck: `simulation/plant.py` is the plant, `simulation/baselines.py` has the
peers' rules.

The project's constants were chosen on three houses: the first four days of bellenden, ukdale and uci, at the budgets
that are shown below with them. What comes first here are other days, other budgets, another house.

- **Energy**: what the cars took, of the best allocation with hindsight (`simulation/hindsight.py`), which always gives
  the right whole amps: the minimum or more, else none, on each phase that a car loads.
- **Over**: only what the cars added to a phase above its budget by more than 0.3 A, on the worst phase; import only.
- **Trips**: openings of a breaker rated at the budget, one on each phase, while a car drew current from it. The
  simulated breaker is as touchy as IEC 60898 allows, and what is exported heats it too.
- **Shares off**: how far the cars' shares of the energy are from those of that allocation, percentage points.
- **Needless**: limits lowered while only phases were over the budget that the car does not load.
- **foresight** knows the true load, raises only where the next 60 s allow, and its commands never fail: reacting alone
  gets nobody past it at that energy.
- **full** is no control at all.
"""
ABOUT_COST = """\
## What deciding costs

Processor time on the machine that made this page (`python -m simulation cost`); a trivial loop says what it is worth.
"""
TABLE_HEAD = """\
| house, budget/car | controller | energy, % | over, A·s/day | of upstream's, % | over, s/day | longest, s | \
commands/h | starts | stops | trips | shares off | needless |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"""
SUMMARY_HEAD = """\
| controller | over budget, of upstream's A·s | energy, of the clairvoyant's | commands/h | trips |
|---|--:|--:|--:|--:|"""

NOTES = {
    Group.PHASES: "Nobody told the controller which phases the car loads: it has to find out. The peers' rules know no \
phases. *Made of one*: three times two days of one house, each on a phase of its own.",
    Group.SEVERAL: "Each of the peers' rules stands for one car here, as if there were several of them.",
    Group.SUN: "The roof is that of `simulation/traces/README.md`; it gives on all phases alike.",
    Group.LOCAL: "Answers in 0.4 s (median), moves within a second, tells of itself each second. Upstream's rule goes \
through the cloud.",
}


def tables(results: dict[Run, Result], absent: Sequence[str]) -> str:
    """Return the tables as Markdown: what no constant was chosen on first, each group's summary before its rows."""
    some = next(iter(results))
    seeds = max(run.seed for run in results)
    delta = f"The meter also posts on a change of {some.report_delta:g} A. " if some.report_delta else ""
    parts = [f"{delta}Seeds: {seeds}; in brackets the least and the most of them."]
    for group in (Group.UNSEEN, Group.CHOSEN):
        for conditions in CONDITIONS:
            parts += _summary(single_phase(results, group, conditions), f"{group}, together: {conditions} conditions")
    for group, conditions in product(Group, CONDITIONS):
        rows = {run: each for run, each in results.items() if (run.case.group, run.conditions) == (group, conditions)}
        if rows:
            parts += [f"## {group}: {conditions} conditions", *filter(None, [NOTES.get(group)])]
            parts.append("\n".join([TABLE_HEAD, *_rows(rows)]))
    if absent:
        parts.append(f"Not there, and so not in these tables: {', '.join(absent)}.")
    return "\n\n".join(parts) + "\n"


def _summary(results: dict[Run, Result], title: str) -> list[str]:
    """Return a summary of houses of one phase, where there are any."""
    if not results:
        return []
    days = sum({run.case: result.days for run, result in results.items()}.values())
    names = "; ".join(dict.fromkeys(run.case.title for run in results))
    lines = [_summary_row(line) for line in summary(results)]
    about = f"Means over houses of one phase: {names}; trips in {days:.1f} days."
    return [f"## {title}", about, "\n".join([SUMMARY_HEAD, *lines])]


def write(folder: Path, results: dict[Run, Result], absent: Sequence[str]) -> None:
    """Write `benchmark.md` and its pictures into a folder."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    parts = [ABOUT]
    counted = single_phase(results, Group.UNSEEN, "normal") or single_phase(results, Group.CHOSEN, "normal")
    if counted:
        _draw_trade(images / "benchmark-trade.png", summary(counted))
        parts.append("![Energy against time over budget](images/benchmark-trade.png)\n")
    parts.append(tables(results, absent))
    shown = next((run.case for run in results if run.case.name == PICTURE and run.case.group is Group.CHOSEN), None)
    if shown is not None:
        parts.append(_evenings(images, shown, next(iter(results)).report_delta))
        afternoon = changed(shown, start_h=PICTURE_H[0], hours=COST_H).house()
        parts.append(f"{ABOUT_COST}\n{cost.report(cost.measure(afternoon))}\n")
    (folder / "benchmark.md").write_text("\n".join(parts), encoding="utf-8")


def _evenings(images: Path, case: Case, report_delta: float) -> str:
    parts = ["## One evening\n"]
    for controller, mode in (("amp_sensor", Mode.BALANCED), ("upstream", Mode.BALANCED)):
        one = Run(
            case=changed(case, start_h=PICTURE_H[0], hours=PICTURE_H[1]),
            conditions="normal",
            controller=controller,
            mode=mode,
            seed=1,
            report_delta=report_delta,
        )
        record = Record()
        one.result(record)
        file = images / f"benchmark-{controller}.png"
        draw(file, record, one.case.house(), budget=case.budget, title=f"{case.name}: {one.label}")
        parts.append(f"![{one.label}](images/{file.name})\n")
    parts.append("House: UCI, see `simulation/traces/README.md` (CC BY 4.0).\n")
    return "\n".join(parts)


def _draw_trade(path: Path, lines: Sequence[Line]) -> None:
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for line in lines:
        if line.label == "full":
            continue
        ours = line.label.startswith("amp_sensor")
        over, energy = line.over_pct, line.energy_pct
        axes.errorbar(
            over.mean,
            energy.mean,
            xerr=[[over.mean - over.least], [over.most - over.mean]],
            yerr=[[energy.mean - energy.least], [energy.most - energy.mean]],
            fmt="o" if ours else "s",
            color="#12355b" if ours else "#8d99a6",
            capsize=2,
            linewidth=1,
        )
        axes.annotate(line.label, (over.mean, energy.mean), xytext=(7, 5), textcoords="offset points", fontsize=9)
    axes.set_xlabel("over budget because of the car, % of upstream's A·s (left is safer)")
    axes.set_ylabel("energy, % of the clairvoyant's")
    axes.set_xlim(left=0)
    axes.grid(color="#e4e7ea", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _summary_row(line: Line) -> str:
    cells = (_ranged(line.over_pct, 0), _ranged(line.energy_pct), _ranged(line.commands_per_h), _ranged(line.trips))
    return f"| {line.label} | {' | '.join(cells)} |"


def _rows(results: dict[Run, Result]) -> list[str]:
    upstream = {(run.case, run.seed): result for run, result in results.items() if run.controller == "upstream"}
    groups: dict[tuple[Case, str], list[tuple[Result, Result]]] = {}
    for run, result in results.items():
        groups.setdefault((run.case, run.label), []).append((result, upstream[run.case, run.seed]))
    rows = []
    for (case, label), pairs in groups.items():
        group = [result for result, _ in pairs]
        cells = (
            _ranged(Spread.of(result.energy_pct for result in group)),
            _ranged(Spread.of(result.over_amp_s_per_day for result in group), 0),
            _ranged(Spread.of(share(mine, theirs) for mine, theirs in pairs), 0),
            _ranged(Spread.of(result.over_s_per_day for result in group), 0),
            f"{max(result.longest_over_s for result in group)}",
            _ranged(Spread.of(result.commands_per_h for result in group)),
            f"{fmean(result.starts for result in group):.0f}",
            f"{fmean(result.stops for result in group):.0f}",
            _ranged(Spread.of(result.trips for result in group)),
            f"{fmean(result.share_off_pct for result in group):.1f}" if len(case.chargers) > 1 else "",
            f"{fmean(result.needless for result in group):.0f}" if case.phases > 1 else "",
        )
        rows.append(f"| {case.title} | {label} | {' | '.join(cells)} |")
    return rows


def _ranged(spread: Spread, digits: int = 1) -> str:
    mean, least, most = (f"{value:,.{digits}f}" for value in (spread.mean, spread.least, spread.most))
    return mean if least == most else f"{mean} ({least} to {most})"
