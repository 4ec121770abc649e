"""A house: the load that it had, second by second, as somebody once measured it; and the sun on its roof."""

from collections.abc import Sequence
import csv
from dataclasses import dataclass, replace
import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PHASES = ("amps_l1", "amps_l2", "amps_l3")
VOLTS = 230.0
"""Of every phase, always."""
DAY_S = 86400


@dataclass(frozen=True, kw_only=True)
class House:
    """A recorded load on a grid of one second, each sample held until the next: nothing is interpolated.

    Gaps stay as they were recorded: the value before them is held for as long as they last.
    """

    name: str
    start_s: int
    """The recording's own time of the first second."""
    phases: NDArray[np.float64]
    """RMS amps, one row per phase, one column per second; negative is export."""

    @property
    def seconds(self) -> int:
        """How long the recording is."""
        return int(self.phases.shape[1])

    @property
    def peak(self) -> NDArray[np.float64]:
        """Amps of the phase with the least room, each second."""
        highest: NDArray[np.float64] = self.phases.max(axis=0)
        return highest

    def window(self, *, start_h: float = 0.0, hours: float | None = None) -> House:
        """Return the part from `start_h` on the recording's own clock, `hours` long or less where it ends before.

        Raises ValueError where nothing of the recording is left.
        """
        first = max(0, round(start_h * 3600) - self.start_s)
        last = self.seconds if hours is None else min(self.seconds, first + round(hours * 3600))
        if first >= last:
            raise ValueError(
                f"{self.name} has nothing from hour {start_h:g} on: it is {self.seconds / 3600:.1f} h long"
            )
        return House(name=self.name, start_s=self.start_s + first, phases=self.phases[:, first:last])

    def under_sun(self, watts: NDArray[np.float64]) -> House:
        """Return the house with a roof that gives `watts` on all its phases alike, by the clock of both recordings."""
        times = (self.start_s + np.arange(self.seconds)) % len(watts)
        return replace(self, phases=self.phases - watts[times] / VOLTS / len(self.phases))


def load_sun(path: Path) -> NDArray[np.float64]:
    """Read what a roof gave: columns `t_s` (from midnight) and `watts`; whole days, dark where nothing was recorded.

    Raises ValueError as `load` does.
    """
    times, table = _read(path, (), "watts")
    grid = np.arange(-(-(int(times[-1]) + 1) // DAY_S) * DAY_S)
    held = np.searchsorted(times, grid, side="right") - 1
    return np.where((grid < times[0]) | (grid > times[-1]), 0.0, table[held, 0])


def load(path: Path) -> House:
    """Read a trace: `.csv` or `.csv.gz` with the columns `t_s` and `amps`, or `amps_l1` to `amps_l3`.

    Raises ValueError where a column or all rows are missing, or where time does not increase.
    """
    times, table = _read(path, PHASES, "amps")
    start_s = int(np.ceil(times[0]))
    grid = np.arange(start_s, int(times[-1]) + 1)
    held = np.searchsorted(times, grid, side="right") - 1
    return House(name=path.name.split(".")[0], start_s=start_s, phases=table[held].T.copy())


def _read(path: Path, names: Sequence[str], usual: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times of a recording, and its columns of these names, or the usual one where it has none of them."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = csv.reader(content.decode().splitlines())
    header = next(rows, [])
    columns = [name for name in names if name in header] or [usual]
    missing = [name for name in ("t_s", *columns) if name not in header]
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}")
    picks = [header.index(name) for name in ("t_s", *columns)]
    table = np.array([[float(row[pick]) for pick in picks] for row in rows if row], dtype=np.float64)
    if not len(table):
        raise ValueError(f"{path.name} has no rows")
    times = table[:, 0]
    if (np.diff(times) <= 0).any():
        raise ValueError(f"{path.name}: t_s does not increase throughout")
    return times, table[:, 1:]
