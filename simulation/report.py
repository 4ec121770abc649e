"""The benchmark in words, tables and pictures: docs/benchmark.md."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from matplotlib import pyplot as plt

from custom_components.amp_sensor.control import Mode

from .benchmark import Case, Line, Run, Spread, single_phase, summary
from .plant import CONDITIONS
from .plot import draw
from .replay import Record, Result

PICTURE = "uci_sceaux_2007jan_1min"
"""The trace that may be shown; the licences of the others do not allow it."""
PICTURE_H = (15.0, 9.0)
"""First hour of the picture, and how many: an afternoon and evening with all that happens in a house."""

ABOUT = """\
# Benchmark

Made by `python -m simulation benchmark`; do not edit. Every controller has the same houses, the same meter, the same
slow cloud, the same car and the same luck: `simulation/plant.py` is the plant, `simulation/baselines.py` has the peers'
rules.

- **Energy**: charge that the car took, of a clairvoyant's that always draws the right whole amps (5 or more, else 0).
- **Over**: only what the car added to a house above its budget by more than 0.3 A, on the worst phase.
- **Trips**: openings of a breaker rated at the budget while the car drew current. The simulated breaker is as touchy as
  IEC 60898 allows.
- **foresight** knows the true load, raises only where the next 60 s allow, and its commands never fail: reacting alone
  gets nobody past it at that energy.
- **full** is no control at all.
"""
TABLE_HEAD = """\
| house, budget/car | controller | energy, % | over, A·s/day | over, s/day | longest, s | commands/h | starts | \
stops | trips |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"""
SUMMARY_HEAD = """\
| controller | over budget, of upstream's A·s | energy, of the clairvoyant's | commands/h | trips |
|---|--:|--:|--:|--:|"""


def tables(results: dict[Run, Result], absent: Sequence[str]) -> str:
    """Return the tables as Markdown: a summary for each of the conditions, then every house."""
    some = next(iter(results))
    seeds = max(run.seed for run in results)
    delta = f"The meter also posts on a change of {some.report_delta:g} A. " if some.report_delta else ""
    parts = [f"{delta}{seeds} seeds; in brackets the least and the most of them."]
    for conditions in CONDITIONS:
        counted = single_phase(results, conditions)
        if not counted:
            continue
        days = sum({run.case: result.days for run, result in counted.items()}.values())
        names = ", ".join(dict.fromkeys(run.case.name for run in counted))
        lines = [_summary_row(line) for line in summary(counted)]
        title = f"## Single-phase houses together, {conditions} conditions"
        parts += [title, f"Means over {names}; trips in {days:.1f} days.", "\n".join([SUMMARY_HEAD, *lines])]
    for conditions in CONDITIONS:
        rows = _house_rows({run: result for run, result in results.items() if run.conditions == conditions})
        parts += [f"## Each house, {conditions} conditions", "\n".join([TABLE_HEAD, *rows])]
    if absent:
        parts.append(f"Not there, and so not in these tables: {', '.join(absent)}.")
    return "\n\n".join(parts) + "\n"


def write(folder: Path, results: dict[Run, Result], absent: Sequence[str]) -> None:
    """Write `benchmark.md` and its pictures into a folder."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    parts = [ABOUT]
    counted = single_phase(results, "normal")
    if counted:
        _draw_trade(images / "benchmark-trade.png", summary(counted))
        parts.append("![Energy against time over budget](images/benchmark-trade.png)\n")
    parts.append(tables(results, absent))
    shown = next((run.case for run in results if run.case.name == PICTURE), None)
    if shown is not None:
        parts.append(_evenings(images, shown, next(iter(results)).report_delta))
    (folder / "benchmark.md").write_text("\n".join(parts), encoding="utf-8")


def _evenings(images: Path, case: Case, report_delta: float) -> str:
    parts = ["## One evening\n"]
    for controller, mode in (("amp_sensor", Mode.BALANCED), ("upstream", Mode.BALANCED)):
        one = Run(
            case=Case(
                path=case.path, budget=case.budget, car_max=case.car_max, start_h=PICTURE_H[0], hours=PICTURE_H[1]
            ),
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


def _house_rows(results: dict[Run, Result]) -> list[str]:
    groups: dict[tuple[Case, str], list[Result]] = {}
    for run, result in results.items():
        groups.setdefault((run.case, run.label), []).append(result)
    rows = []
    for (case, label), group in groups.items():
        cells = (
            _ranged(Spread.of(result.energy_pct for result in group)),
            _ranged(Spread.of(result.over_amp_s_per_day for result in group), 0),
            _ranged(Spread.of(result.over_s_per_day for result in group), 0),
            f"{max(result.longest_over_s for result in group)}",
            _ranged(Spread.of(result.commands_per_h for result in group)),
            f"{fmean(result.starts for result in group):.0f}",
            f"{fmean(result.stops for result in group):.0f}",
            _ranged(Spread.of(result.trips for result in group)),
        )
        rows.append(f"| {case.name}, {case.budget:g}/{case.car_max} A | {label} | {' | '.join(cells)} |")
    return rows


def _ranged(spread: Spread, digits: int = 1) -> str:
    mean, least, most = (f"{value:,.{digits}f}" for value in (spread.mean, spread.least, spread.most))
    return mean if least == most else f"{mean} ({least} to {most})"
