"""A past for the demo: what the recorder would have kept of the site's last week, written before Home Assistant starts.

Home Assistant takes states and five-minute statistics from nobody else, so its own tables are filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Final

from homeassistant.components.recorder.const import SupportedDialect
from homeassistant.components.recorder.db_schema import (
    SCHEMA_VERSION,
    Base,
    RecorderRuns,
    SchemaChanges,
    StateAttributes,
    States,
    StatesMeta,
    Statistics,
    StatisticsMeta,
    StatisticsRuns,
    StatisticsShortTerm,
)
from homeassistant.components.recorder.models import StatisticMeanType
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from .hindsight import allocation
from .house import DAY_S, VOLTS, House
from .plant import Charger

PERIOD_S: Final = 300
"""Of the recorder's short-term statistics; energy is shown as often."""
HOUR_S: Final = 3600
PLUGGED_IN_H: Final = 18
"""When a car comes home, by the recording's clock."""
CHARGES_H: Final = 8
"""For how long it charges then, every second night if there are two cars."""
ENERGY: Final = "energy"
UNITS: Final = {
    "current": ("electric_current", "A"),
    "voltage": ("voltage", "V"),
    "power": ("power", "W"),
    ENERGY: ("energy", "kWh"),
}
"""Of a device class: what the recorder calls its unit, and the unit."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """What an entity showed, second by second, until the end."""

    entity_id: str
    values: NDArray[np.float64]
    device_class: str = "current"
    has_statistics: bool = True

    def on_change(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the seconds at which another state came, and the states."""
        shown = self.values.round(2)
        if self.device_class == ENERGY:
            shown[np.arange(len(shown)) % PERIOD_S != 0] = np.nan
        seconds = np.flatnonzero(~np.isnan(shown))
        kept = np.r_[True, np.diff(shown[seconds]) != 0]
        return seconds[kept], shown[seconds[kept]]


def week(house: House, *, budget: float, chargers: Sequence[Charger], names: Sequence[str]) -> list[Series]:
    """Return the past of a site "Home" with these cars, `names` in entity ids; it ends where the house begins again.

    The cars charge as somebody with foresight would have let them: their controller's own luck takes longer to work out
    than anybody waits for a demo.
    """
    phases = house.phases.copy()
    clock_s = house.start_s + np.arange(house.seconds)
    drawn: list[NDArray[np.float64]] = []
    for number, charger in enumerate(chargers):
        since_s = clock_s - PLUGGED_IN_H * HOUR_S
        tonight = (since_s % DAY_S < CHARGES_H * HOUR_S) & (since_s // DAY_S % len(chargers) == number)
        amps = np.where(tonight, allocation(replace(house, phases=phases), budget=budget, chargers=[charger])[0], 0.0)
        for phase in charger.phases_in(len(phases)):
            phases[phase - 1] += amps
        drawn.append(amps)
    current, watts = phases.max(axis=0), phases.sum(axis=0) * VOLTS
    series = [
        Series(entity_id="sensor.home_current", values=current),
        Series(entity_id="sensor.home_house_current", values=house.peak),
        Series(entity_id="sensor.home_headroom", values=budget - current),
        Series(entity_id="sensor.home_power", values=watts, device_class="power"),
        Series(entity_id="sensor.home_voltage", values=np.full(house.seconds, VOLTS), device_class="voltage"),
        Series(entity_id="sensor.home_energy", values=_kwh(watts), device_class=ENERGY),
        Series(entity_id="number.home_budget", values=np.full(house.seconds, budget), has_statistics=False),
    ]
    if len(phases) > 1:
        series += [
            Series(entity_id=f"sensor.home_current_l{number}", values=amps) for number, amps in enumerate(phases, 1)
        ]
    for name, charger, amps in zip(names, chargers, drawn, strict=True):
        power = amps * VOLTS * len(charger.phases_in(len(phases)))
        series += [
            Series(entity_id=f"sensor.{name}_charging_current", values=amps),
            Series(entity_id=f"sensor.{name}_target_current", values=amps),
            Series(entity_id=f"sensor.{name}_energy", values=_kwh(power), device_class=ENERGY),
        ]
    return series


def _kwh(watts: NDArray[np.float64]) -> NDArray[np.float64]:
    counted: NDArray[np.float64] = np.cumsum(np.maximum(watts, 0.0)) / HOUR_S / 1000
    return counted


def write(path: Path, series: Sequence[Series], *, end: float) -> None:
    """Make the recorder's database, with what was there up to `end`, s (Unix)."""
    engine = create_engine(f"{SupportedDialect.SQLITE}:///{path}")
    Base.metadata.create_all(engine)
    start = end - max(len(each.values) for each in series)
    with Session(engine) as session:
        session.add(SchemaChanges(schema_version=SCHEMA_VERSION))
        session.add(RecorderRuns(start=_time(start), end=_time(end)))
        session.add(StatisticsRuns(start=_time(end - end % PERIOD_S - PERIOD_S)))
        for number, each in enumerate(series, 1):
            _add_states(session, number, each, start)
            if each.has_statistics:
                _add_statistics(session, number, each, end)
        session.commit()
    engine.dispose()


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _add_states(session: Session, number: int, series: Series, start: float) -> None:
    _, unit = UNITS[series.device_class]
    attributes = json.dumps({"unit_of_measurement": unit, "device_class": series.device_class}).encode()
    session.add(StatesMeta(metadata_id=number, entity_id=series.entity_id))
    session.add(
        StateAttributes(
            attributes_id=number,
            hash=StateAttributes.hash_shared_attrs_bytes(attributes),
            shared_attrs=attributes.decode(),
        )
    )
    session.flush()
    seconds, values = series.on_change()
    rows = [
        {
            "metadata_id": number,
            "attributes_id": number,
            "state": f"{value:g}",
            "last_updated_ts": start + second,
            "origin_idx": 0,
        }
        for second, value in zip(seconds.tolist(), values.tolist(), strict=True)
    ]
    session.execute(insert(States), rows)


def _add_statistics(session: Session, number: int, series: Series, end: float) -> None:
    unit_class, unit = UNITS[series.device_class]
    counts = series.device_class == ENERGY
    session.add(
        StatisticsMeta(
            id=number,
            statistic_id=series.entity_id,
            source="recorder",
            unit_class=unit_class,
            unit_of_measurement=unit,
            has_sum=counts,
            mean_type=StatisticMeanType.NONE if counts else StatisticMeanType.ARITHMETIC,
        )
    )
    session.flush()
    for table, length_s in ((StatisticsShortTerm, PERIOD_S), (Statistics, HOUR_S)):
        whole = len(series.values) - int(end % length_s)
        parts = series.values[whole % length_s : whole].reshape(-1, length_s)
        first = end - end % length_s - parts.size
        rows = [
            {"metadata_id": number, "created_ts": end, "start_ts": first + index * length_s}
            | (
                {"state": float(part[-1]), "sum": float(part[-1])}
                if counts
                else {"mean": float(part.mean()), "min": float(part.min()), "max": float(part.max())}
            )
            for index, part in enumerate(parts)
        ]
        session.execute(insert(table), rows)
