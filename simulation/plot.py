"""Pictures of a replay: what the house drew, what the car drew, what it was told, and why."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, MultipleLocator
import numpy as np
from numpy.typing import NDArray

from custom_components.amp_sensor.control import Action, Reason

from .house import House
from .replay import HOUR_S, Record

HOUSE, CAR, OVER, TARGET, BUDGET, INK = "#8d99a6", "#7fc4a4", "#d1495b", "#12355b", "#d1495b", "#333333"
BINS = 3000
"""Points across the picture at most: each is the highest of its seconds, so that no peak is lost."""
MARKS = {Action.SET_AMPS: "|", Action.START: "^", Action.STOP: "v"}


def draw(path: Path, record: Record, house: House, *, budget: float, title: str) -> None:
    """Write a PNG of a replay: currents above, reasons below, on the recording's own clock (day and hour)."""
    seconds = len(record.house)
    step = max(1, seconds // BINS)
    hours = (house.start_s + np.arange(0, seconds, step)) / HOUR_S
    drawn = _highest(np.array(record.house), step)
    total = _highest(np.array(record.house) + np.array(record.car), step)
    target = np.array(record.target)[::step]

    given = set(record.reason)
    reasons = [reason for reason in Reason if reason in given]
    figure, (top, bottom) = plt.subplots(
        2,
        1,
        figsize=(13, 5.6 + 0.26 * len(reasons)),
        height_ratios=(5.0, 0.6 + 0.26 * len(reasons)),
        sharex=True,
        layout="constrained",
    )
    top.fill_between(hours, drawn, step="post", color=HOUSE, linewidth=0, label="house")
    top.fill_between(hours, drawn, total, step="post", color=CAR, linewidth=0, label="car")
    floor = np.maximum(drawn, budget)
    over = np.maximum(total, floor)
    top.fill_between(hours, floor, over, step="post", color=OVER, linewidth=0, label="over budget because of the car")
    short = over > floor  # drawn as lines too: a few seconds in a day would be thinner than a pixel
    top.vlines(hours[short], floor[short], over[short], color=OVER, linewidth=0.9)
    top.step(hours, target, where="post", color=TARGET, linewidth=1.1, label="target of the car")
    top.axhline(budget, color=BUDGET, linewidth=1.2, linestyle="--")
    top.annotate(
        f"budget {budget:g} A",
        (1.004, budget),
        xycoords=("axes fraction", "data"),
        va="center",
        color=BUDGET,
        fontsize=9,
    )
    top.set_ylim(0, max(budget * 1.15, float(total.max()) * 1.08))
    top.set_ylabel("A, highest phase" if len(house.phases) > 1 else "A")
    top.grid(axis="y", color="#e4e7ea", linewidth=0.7)
    top.set_axisbelow(True)
    figure.suptitle(title, fontsize=12, color=INK)
    top.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False, fontsize=9)

    rows = {reason: row for row, reason in enumerate(reversed(reasons), start=1)}
    for reason, row in rows.items():
        spans = _spans(np.array([each is reason for each in record.reason]))
        bars = [((house.start_s + first) / HOUR_S, length / HOUR_S) for first, length in spans]
        bottom.broken_barh(bars, (row - 0.36, 0.72), facecolor=TARGET, edgecolor=TARGET, linewidth=0.4)
    for action, marker in MARKS.items():
        at = [(house.start_s + second) / HOUR_S for second, sent in record.commands if sent is action]
        bottom.plot(at, [0] * len(at), marker, color=INK, markersize=6, markeredgewidth=0.8, clip_on=False)
    bottom.set_yticks(
        [0, *rows.values()],
        ["sent: | amps  ▲ start  ▼ stop", *(reason.replace("_", " ") for reason in rows)],
        fontsize=9,
    )
    bottom.set_ylim(-0.6, len(rows) + 0.6)
    bottom.grid(axis="x", color="#e4e7ea", linewidth=0.7)
    bottom.set_axisbelow(True)
    bottom.xaxis.set_major_locator(MultipleLocator(_tick_h(seconds / HOUR_S)))
    bottom.xaxis.set_major_formatter(FuncFormatter(_clock))
    bottom.set_xlim(hours[0], (house.start_s + seconds) / HOUR_S)
    for axes in (top, bottom):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, colors=INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def _highest(values: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    highest: NDArray[np.float64] = np.maximum.reduceat(values, np.arange(0, len(values), step))
    return highest


def _spans(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first second and length of each stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    return [(int(first), int(last - first)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _tick_h(hours: float) -> float:
    """Return a step of the time axis that gives some ten ticks."""
    return next((step for step in (1 / 12, 1 / 4, 1 / 2, 1, 2, 3, 6, 12, 24) if hours / step <= 14), 24)


def _clock(hours: float, _position: int | None = None) -> str:
    minutes = round(hours * 60)
    clock = f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
    return f"{clock}\nday {minutes // 1440 + 1}" if minutes % 1440 == 0 else clock
