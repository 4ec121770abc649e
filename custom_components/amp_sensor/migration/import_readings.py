"""Bring the readings of the original service into long-term statistics.

The statistics are of our own kind (source `amp_sensor`), hour by hour, beside those of the site's entities. An hour
that is already as it should be is not written again: so an import that was interrupted goes on where it was, and a
second one changes nothing. Several files may be imported into one site, in any order; where they overlap, the last one
counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from homeassistant.const import UnitOfElectricCurrent, UnitOfElectricPotential, UnitOfEnergy, UnitOfPower
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.unit_conversion import (
    ElectricCurrentConverter,
    ElectricPotentialConverter,
    EnergyConverter,
    PowerConverter,
)

from ..const import DOMAIN
from ..history import recorder
from ..notices.progress import Progress
from ..site.coordinator import AmpSensorConfigEntry
from ..texts import async_texts
from .old_database import (
    Hour,
    NoReadings,
    NotOurs,
    NotReadable,
    OldDatabaseError,
    OldReadings,
    Source,
    WhichSource,
    read,
)

WINDOW: Final = timedelta(days=2)
"""How much is written before the recorder is waited for: some 200 rows keep it from states for a tenth of a second.

More at once is not quicker (measured: ten times as much took a fifth more of the processor), and leaves more garbage.
"""
READING_SHARE: Final = 0.6
"""How much of the time goes into reading the file, measured on ten million readings."""

_RUNNING: HassKey[set[str]] = HassKey(f"{DOMAIN}_imports")
"""The sites into which something is being imported."""


@dataclass(frozen=True, kw_only=True)
class ImportedStatistic:
    """One of the statistics that a site's imported readings are kept as."""

    key: str
    """That of the entity which shows the same."""
    unit: str
    unit_class: str
    has_sum: bool = False

    def id(self, entry_id: str) -> str:
        """Return its id for a site."""
        return f"{DOMAIN}:{entry_id.lower()}_{self.key}"


CURRENT: Final = ImportedStatistic(
    key="current", unit=UnitOfElectricCurrent.AMPERE, unit_class=ElectricCurrentConverter.UNIT_CLASS
)
POWER: Final = ImportedStatistic(key="power", unit=UnitOfPower.WATT, unit_class=PowerConverter.UNIT_CLASS)
VOLTAGE: Final = ImportedStatistic(
    key="voltage", unit=UnitOfElectricPotential.VOLT, unit_class=ElectricPotentialConverter.UNIT_CLASS
)
ENERGY: Final = ImportedStatistic(
    key="energy", unit=UnitOfEnergy.KILO_WATT_HOUR, unit_class=EnergyConverter.UNIT_CLASS, has_sum=True
)
IMPORTED: Final = (CURRENT, POWER, VOLTAGE, ENERGY)


@dataclass(kw_only=True)
class _Window:
    """What there is to do within some hours."""

    changes: dict[ImportedStatistic, list[recorder.NewRow]] = field(default_factory=dict)
    sum_kwh: float
    """The energy at their end."""

    @property
    def hours(self) -> int:
        """How many hours change."""
        return len({row["start"] for rows in self.changes.values() for row in rows})


async def async_import_readings(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, *, path: str, token: str | None = None
) -> ServiceResponse:
    """Import a file, and return what came of it. Raises translated errors; then nothing was changed."""
    if not recorder.is_recorded(hass):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recorder")
    running = hass.data.setdefault(_RUNNING, set())
    if entry.entry_id in running:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="import_running")
    running.add(entry.entry_id)
    progress = await Progress.async_create(hass, "import_readings", entry)
    try:
        progress.show(0)
        readings = await _async_read(hass, path, token, progress)
        hours = await _async_write(hass, entry, readings, progress)
    except BaseException:
        progress.dismiss()
        raise
    finally:
        running.discard(entry.entry_id)
    source = readings.source
    progress.end(
        readings=_grouped(readings.readings),
        energy=_grouped(round(readings.energy_kwh)),
        first=source.first,
        last=source.last,
    )
    return {
        "token": source.shown,
        "location": source.location,
        "first": source.first,
        "last": source.last,
        "readings": readings.readings,
        "readings_skipped": source.readings - readings.readings,
        "hours": len(readings),
        "hours_changed": hours,
        "energy_kwh": round(readings.energy_kwh, 3),
        "statistic_ids": [statistic.id(entry.entry_id) for statistic in _statistics(readings)],
    }


async def _async_read(hass: HomeAssistant, path: str, token: str | None, progress: Progress) -> OldReadings:
    now = dt_util.utcnow().timestamp()

    def job() -> OldReadings:
        # Resolved once: what was allowed is what is opened
        file = Path(path).resolve()
        if not hass.config.is_allowed_path(str(file)):
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="path_not_allowed", translation_placeholders={"path": path}
            )
        if not file.is_file():
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="file_not_found", translation_placeholders={"path": path}
            )
        return read(file, token, now=now, progress=lambda done: progress.show(done * READING_SHARE))

    try:
        return await hass.async_add_executor_job(job)
    except OldDatabaseError as error:
        key, placeholders = _refusal(error)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={"path": path, **placeholders},
        ) from error


def _refusal(error: OldDatabaseError) -> tuple[str, Mapping[str, str]]:
    match error:
        case NotReadable():
            return "database_damaged", {"error": str(error)}
        case NotOurs():
            return "database_foreign", {}
        case NoReadings():
            return "database_empty", {}
        case WhichSource(sources=sources):
            return "database_token", {"tokens": "; ".join(map(_described, sources))}
    raise AssertionError(error)


def _described(source: Source) -> str:
    parts = (source.shown, source.location, f"{source.first[:10]} – {source.last[:10]}", _grouped(source.readings))
    return " · ".join(part for part in parts if part is not None)


def _grouped(number: int) -> str:
    """Write a number as every language reads it."""
    return f"{number:,}".replace(",", "\u202f")


def _statistics(readings: OldReadings) -> Iterable[ImportedStatistic]:
    return IMPORTED if readings.has_volts else (CURRENT, POWER, ENERGY)


async def _async_write(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, readings: OldReadings, progress: Progress
) -> int:
    """Write what differs, and return how many hours did: a window at a time, each as soon as the last is kept."""
    statistics = _Statistics(hass, entry, await _async_metadata(hass, entry, readings))
    first = datetime.fromtimestamp(next(iter(readings)).start, UTC)
    # Whatever was imported earlier and is younger than these hours follows them: its energy goes on from theirs
    end = dt_util.utcnow()
    sum_kwh = await recorder.async_in_recorder(hass, statistics.sum_before, first)
    hours = iter(readings)
    pending = next(hours, None)
    start, changed = first, 0
    while start < end:
        until = start + WINDOW
        inside: list[Hour] = []
        while pending is not None and pending.start < until.timestamp():
            inside.append(pending)
            pending = next(hours, None)
        window = await recorder.async_in_recorder(hass, statistics.compare, inside, start, sum_kwh)
        for statistic, rows in window.changes.items():
            recorder.async_add(hass, statistics.metadata[statistic], rows)
        if window.changes:
            await recorder.async_kept(hass)
            if (await recorder.async_in_recorder(hass, statistics.compare, inside, start, sum_kwh)).changes:
                raise HomeAssistantError(translation_domain=DOMAIN, translation_key="import_not_kept")
        changed += window.hours
        sum_kwh = window.sum_kwh
        progress.show(READING_SHARE + (1 - READING_SHARE) * ((until - first) / (end + WINDOW - first)))
        start = until
    return changed


async def _async_metadata(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, readings: OldReadings
) -> dict[ImportedStatistic, recorder.Metadata]:
    texts = await async_texts(hass, "config_panel.import_readings")
    return {
        statistic: recorder.metadata(
            statistic_id=statistic.id(entry.entry_id),
            name=f"{entry.title} {texts[statistic.key]}",
            unit=statistic.unit,
            unit_class=statistic.unit_class,
            has_sum=statistic.has_sum,
        )
        for statistic in _statistics(readings)
    }


class _Statistics:
    """What a site has imported so far. Its methods wait for the database."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: AmpSensorConfigEntry,
        metadata: Mapping[ImportedStatistic, recorder.Metadata],
    ) -> None:
        self.metadata = metadata
        self._hass = hass
        self._energy_id = ENERGY.id(entry.entry_id)

    def sum_before(self, start: datetime) -> float:
        """Return the energy of what was imported earlier and is older than `start`, kWh."""
        earlier = recorder.statistics(
            self._hass, datetime.fromtimestamp(0, UTC), start, {self._energy_id}, period="hour", values={"sum"}
        ).get(self._energy_id)
        return (earlier[-1].get("sum") or 0.0) if earlier else 0.0

    def compare(self, hours: list[Hour], start: datetime, sum_kwh: float) -> _Window:
        """Tell what a window lacks to hold these hours, and to go on from `sum_kwh`."""
        found = recorder.statistics(
            self._hass,
            start,
            start + WINDOW,
            {metadata["statistic_id"] for metadata in self.metadata.values()},
            period="hour",
            values={"mean", "min", "max", "state", "sum"},
        )
        window = _Window(sum_kwh=sum_kwh)
        for statistic, metadata in self.metadata.items():
            kept = {row["start"]: row for row in found.get(metadata["statistic_id"], [])}
            wanted = _energy(hours, kept, window) if statistic is ENERGY else _means(hours, statistic)
            changes = [row for row in wanted if not _is_kept(row, kept.get(row["start"].timestamp()))]
            if changes:
                window.changes[statistic] = changes
        return window


def _is_kept(row: recorder.NewRow, kept: recorder.Row | None) -> bool:
    return kept is not None and all(kept.get(key) == value for key, value in row.items() if key != "start")


def _means(hours: Iterable[Hour], statistic: ImportedStatistic) -> Iterator[recorder.NewRow]:
    for hour in hours:
        mean, least, most = {
            CURRENT: (hour.mean_amps, hour.min_amps, hour.max_amps),
            POWER: (hour.mean_watts, hour.min_watts, hour.max_watts),
            VOLTAGE: (hour.mean_volts, hour.min_volts, hour.max_volts),
        }[statistic]
        yield recorder.NewRow(start=datetime.fromtimestamp(hour.start, UTC), mean=mean, min=least, max=most)


def _energy(hours: Iterable[Hour], kept: Mapping[float, recorder.Row], window: _Window) -> Iterator[recorder.NewRow]:
    """Tell each hour's energy (the state) and the sum, of the file's hours and of those that are there beside them."""
    energy = {start: row.get("state") or 0.0 for start, row in kept.items()}
    energy |= {hour.start: hour.energy_kwh for hour in hours}
    for start, kwh in sorted(energy.items()):
        window.sum_kwh += kwh
        yield recorder.NewRow(start=datetime.fromtimestamp(start, UTC), state=kwh, sum=window.sum_kwh)
