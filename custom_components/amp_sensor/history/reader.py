"""What the recorder knows of a site: states, short-term and long-term statistics as if they were one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from math import isfinite
from operator import itemgetter
from typing import Final, Literal

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from . import recorder
from .table import CURRENT, ENERGY, QUANTITIES, Quantity, Table

_CHUNK_S: Final = {False: 15 * 86400, True: 4 * 86400}
"""How much is read at once, without and with short-term statistics: 5,000 rows, which a driver makes in 10 ms without
letting Home Assistant do anything else."""
_STATES_CHUNK_S: Final = 86400
"""The same for states: of a day, where a sensor has no statistics."""
_BEFORE: Final = timedelta(milliseconds=1)
_HOUR_S: Final = 3600

_UNITS: Final = {quantity.converter.UNIT_CLASS: quantity.unit for quantity in QUANTITIES}


class Reader:
    """Reads the history of one site: of our sensors, and what was imported from before there were any."""

    @callback
    def __init__(self, hass: HomeAssistant, entry_id: str, charger_ids: Iterable[str] = ()) -> None:
        """Look up our sensors, which may have been renamed, or removed: the site's, and of chargers their current."""
        self._hass = hass
        self.chargers = tuple(replace(CURRENT, key=f"{charger_id}_charging_current") for charger_id in charger_ids)
        self._quantities = (*QUANTITIES, *self.chargers)
        registry = er.async_get(hass)
        unique_ids = {quantity.key: f"{entry_id}_{quantity.key}" for quantity in QUANTITIES}
        unique_ids |= {charger.key: charger.key for charger in self.chargers}
        self._own_ids = {
            key: registry.async_get_entity_id(SENSOR_DOMAIN, DOMAIN, unique_id) for key, unique_id in unique_ids.items()
        }
        self._imported_ids = {quantity.key: f"{DOMAIN}:{entry_id.lower()}_{quantity.key}" for quantity in QUANTITIES}
        self._all_own_ids = set(filter(None, self._own_ids.values()))

    def read(self, table: Table) -> None:
        """Fill a table. Blocks: for the recorder's executor."""
        end = table.edges[-1]
        covered = dict.fromkeys(self._own_ids, table.edges[0])
        # Hours that begin before the first row, or end after the last, are in it for their part
        begin = _hour(table.edges[0])
        while begin < end:
            chunk_end = min(begin + _CHUNK_S[table.is_fine], end)
            for key, until in self._read_statistics(table, begin, chunk_end).items():
                covered[key] = max(covered[key], until)
            begin = chunk_end
        end = min(end, dt_util.utcnow().timestamp())
        for quantity in self._quantities:
            if (entity_id := self._own_ids[quantity.key]) is not None:
                self._read_states(quantity, entity_id, table, (covered[quantity.key], end))

    def _read_statistics(self, table: Table, begin: float, end: float) -> dict[str, float]:
        """Take each hour from the best there is: short-term statistics, the hour's own ones, or what was imported.

        Returns up to when each quantity is known.
        """
        hourly = self._statistics(begin, end, self._all_own_ids | set(self._imported_ids.values()), "hour")
        fine_begin = begin
        if not table.is_fine:
            own = [rows for own_id in self._all_own_ids if (rows := hourly.get(own_id))]
            fine_begin = max((rows[-1]["end"] for rows in own), default=begin)
        fine = self._statistics(fine_begin, end, self._all_own_ids, "5minute") if fine_begin < end else {}
        # The recorder purges in the middle of an hour: that one is better taken as a whole
        fine_from = min((rows[0]["start"] for rows in fine.values()), default=end)
        fine_from += -fine_from % _HOUR_S
        known_until: dict[str, float] = {}
        for quantity in self._quantities:
            own_id = self._own_ids[quantity.key] or ""
            own_hours = {row["start"]: row for row in hourly.get(own_id, ())}
            fine_rows = [
                row
                for row in fine.get(own_id, ())
                if (hour := _hour(row["start"])) >= fine_from or hour not in own_hours
            ]
            fine_hours = {_hour(row["start"]) for row in fine_rows}
            own_rows = [row for hour, row in own_hours.items() if hour not in fine_hours]
            known_hours = own_hours.keys() | fine_hours
            imported = hourly.get(self._imported_ids.get(quantity.key, ""), ())
            imported_rows = [row for row in imported if row["start"] not in known_hours]
            if table.is_fine and (by_hour := [*own_rows, *imported_rows]):
                table.hourly_until = max(table.hourly_until or 0.0, *(row["end"] for row in by_hour))
            rows = sorted([*own_rows, *fine_rows], key=itemgetter("start"))
            if all_rows := [*imported_rows, *rows]:
                known_until[quantity.key] = max(row["end"] for row in all_rows)
            if quantity is not ENERGY:
                for row in all_rows:
                    if (mean := row.get("mean")) is not None and (highest := row.get("max")) is not None:
                        table.add(quantity.key, row["start"], row["end"], mean, highest)
                continue
            for row in imported_rows:
                table.add_energy(row["start"], row["end"], row.get("change") or 0.0)
            if not rows:
                continue
            first = next(iter(own_hours.values()), None)
            total = self._total_before(own_id, begin) if first is None else _sum(first) - (first.get("change") or 0.0)
            for row in rows:
                if total is not None:
                    table.add_energy(row["start"], row["end"], _gain(total, _sum(row)))
                total = _sum(row)
        return known_until

    def _total_before(self, energy_id: str, moment: float) -> float | None:
        """Return the sum of the last hour before short-term statistics go on alone; None where nobody can tell."""
        start = recorder.last_sum_start(self._hass, energy_id)
        if start is None:
            return 0.0  # the first hour of a sensor
        if start >= moment:
            return None
        # Once more, in our unit
        return _sum(self._statistics(start, start + _HOUR_S, {energy_id}, "hour")[energy_id][0])

    def _statistics(self, begin: float, end: float, ids: set[str], period: Literal["hour", "5minute"]) -> recorder.Rows:
        return recorder.statistics(
            self._hass,
            dt_util.utc_from_timestamp(begin),
            dt_util.utc_from_timestamp(end),
            ids,
            period=period,
            # Of short-term rows, the change is wrong where the one before was purged
            values={"mean", "max", "sum", "change"} if period == "hour" else {"mean", "max", "sum"},
            units=_UNITS,
        )

    def _read_states(self, quantity: Quantity, entity_id: str, table: Table, span: tuple[float, float]) -> None:
        """Take what statistics do not have yet, a day at a time."""
        begin, end = span
        last: tuple[float, float] | None = None
        while begin < end:
            until = min(begin + _STATES_CHUNK_S, end)
            # The recorder counts what happens just at the start neither as before nor as after it
            since = dt_util.utc_from_timestamp(begin) - _BEFORE
            states = recorder.states(self._hass, since, dt_util.utc_from_timestamp(until), entity_id)
            ends = [*(state.last_updated_timestamp for state in states[1:]), until]
            for state, state_end in zip(states, ends, strict=False):
                if (value := _value(state, quantity)) is None:
                    continue
                at = max(state.last_updated_timestamp, begin)
                if quantity is not ENERGY:
                    table.add(quantity.key, at, state_end, value, value)
                    continue
                if last is not None:
                    table.add_energy(last[0], at, _gain(last[1], value))
                last = at, value
            begin = until


def _hour(moment: float) -> float:
    return moment - moment % _HOUR_S


def _sum(row: recorder.Row) -> float:
    return row.get("sum") or 0.0


def _gain(before: float, after: float) -> float:
    """Return what a counter counted. One that is lower than before began anew: so do the recorder's, after ten days."""
    return after - before if after >= before else after


def _value(state: State, quantity: Quantity) -> float | None:
    """Return a state in our unit, whichever unit somebody has chosen for the sensor."""
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit not in quantity.converter.VALID_UNITS:
        return None
    try:
        value = float(state.state)
    except ValueError:
        return None
    return quantity.converter.convert(value, unit, quantity.unit) if isfinite(value) else None
