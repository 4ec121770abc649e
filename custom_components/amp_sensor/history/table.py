"""Rows, while they are being filled: what was known of some time goes to the rows that it is in."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import inf
from typing import Final

from homeassistant.const import (
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
)
from homeassistant.util.unit_conversion import (
    BaseUnitConverter,
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    PowerConverter,
)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something that rows tell, and the sensor that it comes from."""

    key: str
    """Of the site's sensor, and of the statistics of the service that this integration replaces."""
    unit: str
    converter: type[BaseUnitConverter]
    name: str
    """In a row, after `mean_` and `max_`."""
    digits: int


CURRENT: Final = Quantity(
    key="current",
    unit=UnitOfElectricCurrent.AMPERE,
    converter=ElectricCurrentConverter,
    name="amps",
    digits=2,
)
MEASURED: Final = (
    CURRENT,
    Quantity(
        key="voltage",
        unit=UnitOfElectricPotential.VOLT,
        converter=ElectricPotentialConverter,
        name="volts",
        digits=1,
    ),
    Quantity(key="power", unit=UnitOfPower.WATT, converter=PowerConverter, name="watts", digits=0),
)
ENERGY: Final = Quantity(
    key="energy",
    unit=UnitOfEnergy.KILO_WATT_HOUR,
    converter=EnergyConverter,
    name="kwh",
    digits=4,
)
QUANTITIES: Final = (*MEASURED, ENERGY)

type Row = dict[str, str | float | None]
"""`start` and `end` (ISO 8601, with the offset of the time zone), `mean_amps`, `max_amps`, `mean_volts`, `max_volts`,
`mean_watts`, `max_watts` and `kwh`: None where nothing is known. With chargers also `mean_house_amps` and
`mean_charger_1_amps`, …, which add up to `mean_amps`."""


def iso(moment: float, zone: tzinfo) -> str:
    """Write a time, s (Unix), as ISO 8601 with the offset of a time zone."""
    return datetime.fromtimestamp(moment, zone).isoformat()


@dataclass
class _Cell:
    """One quantity in one row."""

    weighted: float = 0.0
    weight_s: float = 0.0
    highest: float = -inf

    def mean(self, digits: int) -> float:
        """Return the mean of the time that is known."""
        return round(self.weighted / self.weight_s, digits)


@dataclass
class Table:
    """The rows of a page, while they are being filled."""

    edges: list[float]
    is_fine: bool
    """Whether short-term statistics are wanted wherever there are any."""
    chargers: tuple[Quantity, ...] = ()
    """What each charger drew of the current."""
    hourly_until: float | None = None
    cells: defaultdict[str, dict[int, _Cell]] = field(default_factory=lambda: defaultdict(dict))
    kwh: dict[int, float] = field(default_factory=dict)

    def _spread(self, start: float, end: float) -> Iterator[tuple[int, float]]:
        """Yield the rows that a time touches, and how much of it is in each, s."""
        index = max(bisect_right(self.edges, start) - 1, 0)
        while index < len(self.edges) - 1 and self.edges[index] < end:
            overlap_s = min(end, self.edges[index + 1]) - max(start, self.edges[index])
            if overlap_s > 0:
                yield index, overlap_s
            index += 1

    def add(self, key: str, start: float, end: float, mean: float, highest: float) -> None:
        """Add what a quantity was for a time."""
        cells = self.cells[key]
        for index, overlap_s in self._spread(start, end):
            cell = cells.setdefault(index, _Cell())
            cell.weighted += mean * overlap_s
            cell.weight_s += overlap_s
            cell.highest = max(cell.highest, highest)

    def add_energy(self, start: float, end: float, kwh: float) -> None:
        """Add the energy of a time."""
        for index, overlap_s in self._spread(start, end):
            self.kwh[index] = self.kwh.get(index, 0.0) + kwh * overlap_s / (end - start)

    def rows(self, zone: tzinfo) -> list[Row]:
        """Return the rows, oldest first."""
        return [self._row(index, zone) for index in range(len(self.edges) - 1)]

    def _row(self, index: int, zone: tzinfo) -> Row:
        row: Row = {"start": iso(self.edges[index], zone), "end": iso(self.edges[index + 1], zone)}
        for quantity in MEASURED:
            cell = self.cells[quantity.key].get(index)
            row[f"mean_{quantity.name}"] = None if cell is None else cell.mean(quantity.digits)
            row[f"max_{quantity.name}"] = None if cell is None else round(cell.highest, quantity.digits)
        kwh = self.kwh.get(index)
        row[ENERGY.name] = None if kwh is None else round(kwh, ENERGY.digits)
        if self.chargers:
            house, drawn = self._shares(index)
            row["mean_house_amps"] = house
            row |= {f"mean_charger_{number}_amps": amps for number, amps in enumerate(drawn, 1)}
        return row

    def _shares(self, index: int) -> tuple[float | None, list[float | None]]:
        """Return the part of the house in the mean current, and that of each charger, which counts while it is known.

        A house with sun has a negative part.
        """
        cells = [self.cells[charger.key].get(index) for charger in self.chargers]
        if (total := self.cells[CURRENT.key].get(index)) is None:
            return None, [None] * len(cells)
        mean = total.mean(CURRENT.digits)
        drawn = [None if cell is None else cell.weighted / max(cell.weight_s, total.weight_s) for cell in cells]
        rounded = [None if amps is None else round(amps, CURRENT.digits) for amps in drawn]
        return round(mean - sum(filter(None, rounded)), CURRENT.digits), rounded
