"""Answer what another budget, car or mode would have made of the house's own last weeks."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import product
from math import isfinite, nan
from operator import itemgetter
from typing import Final

from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import CONF_VOLTAGE, DOMAIN
from ..control import Mode, ProtectionKind
from ..history import recorder
from ..notices.progress import Progress
from ..site.coordinator import AmpSensorConfigEntry
from .process import RehearsalFailed, async_rehearse
from .rehearsal import House, Outlook, Plan

MAX_DAYS: Final = 30
"""How far back is looked, days: a month has all that a house does."""
DEFAULT_DAYS: Final = 7
MAX_PLANS: Final = 60
"""How many plans are tried at once: five budgets, three cars and four modes."""
MODES: Final = (Mode.OFF, Mode.STRICT, Mode.BALANCED, Mode.EAGER)
"""Monitor is as off."""
LEAST: Final = timedelta(hours=1)
"""Of less history nothing can be told."""
USUAL_CAR_A: Final = 16
"""What a car draws from most charging cables and household chargers, A: taken where the site has no car."""
_DAY: Final = timedelta(days=1)
_ROW_S: Final = 300.0
"""What a row of the recorder's short-term statistics covers, s."""


async def async_what_if(
    hass: HomeAssistant,
    entry: AmpSensorConfigEntry,
    *,
    days: int = DEFAULT_DAYS,
    max_amps: Sequence[float] = (),
    max_amps_car: Sequence[int] = (),
    modes: Sequence[Mode] = (),
) -> ServiceResponse:
    """Return an answer for each combination; what is left out is as it is now. Raises translated errors."""
    if not recorder.is_recorded(hass):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recorder")
    site = entry.runtime_data.data
    cars = [charger.settings.max_amps for charger in site.chargers.values()]
    plans = [
        Plan(max_amps=budget, max_amps_car=car, mode=mode)
        for budget, car, mode in product(
            dict.fromkeys(max_amps or [site.settings.max_amps]),
            dict.fromkeys(max_amps_car or cars or [USUAL_CAR_A]),
            dict.fromkeys(modes or [site.settings.mode if site.settings.mode in MODES else Mode.BALANCED]),
        )
    ]
    if len(plans) > MAX_PLANS:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_plans",
            translation_placeholders={"plans": str(len(plans)), "limit": str(MAX_PLANS)},
        )
    end = dt_util.utcnow()
    history = _History(hass, entry)
    house = await recorder.async_in_recorder(hass, history.house, end - timedelta(days=days), end)
    if house.seconds < LEAST.total_seconds():
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_house_history")
    phases = max((charger.report.phases or 1 for charger in site.chargers.values() if charger.report), default=1)
    volts: float = entry.data[CONF_VOLTAGE]
    protection = site.settings.protection
    kind = ProtectionKind.MCB_C if protection is None else protection.kind
    progress = await Progress.async_create(hass, "what_if", entry)

    try:
        outlooks = await async_rehearse(house, plans, volts=volts, kind=kind, progress=progress.show)
    except RehearsalFailed as error:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="what_if_failed") from error
    finally:
        progress.dismiss()
    return {
        "days": round(house.seconds / _DAY.total_seconds(), 2),
        "results": [
            {**asdict(plan), "mode": plan.mode.value, **_answer(outlook, house, volts * phases)}
            for plan, outlook in zip(plans, outlooks, strict=True)
        ],
    }


def _answer(outlook: Outlook, house: House, volts: float) -> dict[str, float | None]:
    days = house.seconds / _DAY.total_seconds()
    return {
        "kwh": round(outlook.charge_ah * volts / 1000, 1),
        "kwh_per_day": round(outlook.charge_ah * volts / 1000 / days, 1),
        "share_percent": round(100 * outlook.charge_ah / outlook.best_ah, 1) if outlook.best_ah else None,
        "over_minutes": round(outlook.over_s / 60, 1),
        "house_over_minutes": round(outlook.house_over_s / 60, 1),
        "trips": outlook.trips,
        "commands_per_hour": round(outlook.commands * 3600 / house.seconds, 1),
    }


class _Series:
    """What a sensor showed, from time to time; None where it showed nothing."""

    def __init__(self) -> None:
        self._times = array("d")
        self._values = array("d")

    def add(self, at: float, value: float) -> None:
        """Take what it showed from `at` on; NaN is nothing."""
        self._times.append(at)
        self._values.append(value)

    def __iter__(self) -> Iterator[tuple[float, float | None]]:
        return ((at, value if isfinite(value) else None) for at, value in zip(self._times, self._values, strict=True))

    @property
    def begins(self) -> float | None:
        """When it begins, s; None if it is empty."""
        return self._times[0] if self._times else None


class _History:
    """What the recorder knows of a house."""

    def __init__(self, hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
        self._hass = hass
        registry = er.async_get(hass)
        self._house = registry.async_get_entity_id(SENSOR, DOMAIN, f"{entry.entry_id}_house_current")
        self._current = registry.async_get_entity_id(SENSOR, DOMAIN, f"{entry.entry_id}_current")
        self._charging = [
            entity_id
            for charger_id in entry.runtime_data.data.chargers
            if (entity_id := registry.async_get_entity_id(SENSOR, DOMAIN, f"{charger_id}_charging_current"))
        ]

    def house(self, start: datetime, end: datetime) -> House:
        """Return what the house drew without its cars. Waits for the database."""
        house = House.of(self._series(self._house, start, end), end.timestamp())
        if house.seconds >= LEAST.total_seconds():
            return house
        # Switched off, or switched on just now
        current = self._series(self._current, start, end)
        charging = [self._series(entity_id, start, end) for entity_id in self._charging]
        return House.of(_difference(current, charging), end.timestamp())

    def _series(self, entity_id: str | None, start: datetime, end: datetime) -> _Series:
        """Return its states, and for the time before there are any its short-term statistics."""
        series = _Series()
        if entity_id is None:
            return series
        states = _Series()
        for day in range((end - start).days + 1):
            begin = start + day * _DAY
            stop = min(begin + _DAY, end)
            for at, state in recorder.bare_states(self._hass, begin, stop, entity_id, with_start=day == 0):
                states.add(at, _amps(state))
        until = end.timestamp() if states.begins is None else states.begins
        rows = recorder.statistics(self._hass, start, end, {entity_id}, period="5minute", values={"mean", "min", "max"})
        for row in rows.get(entity_id, []):
            if row["start"] + _ROW_S <= until:
                _add_row(series, row["start"], row.get("min"), row.get("mean"), row.get("max"))
        for at, value in states:
            series.add(at, nan if value is None else value)
        return series


def _amps(state: str | None) -> float:
    """Return what a state says, A; an entity that was removed leaves a state of None."""
    try:
        return float(state or "")
    except ValueError:
        return nan


def _add_row(series: _Series, at: float, least: float | None, mean: float | None, most: float | None) -> None:
    """Let five minutes be at their least first, then at their most, for as long as their mean tells: peaks count."""
    if least is None or mean is None or most is None:
        return
    high_s = _ROW_S * (mean - least) / (most - least) if most > least else 0.0
    series.add(at, least)
    series.add(at + _ROW_S - high_s, most)
    series.add(at + _ROW_S, nan)


def _difference(current: _Series, charging: Iterable[_Series]) -> Iterator[tuple[float, float | None]]:
    """Tell the current without what cars draw, whenever one of them changes."""
    changes = sorted(
        ((at, number, value) for number, series in enumerate((current, *charging)) for at, value in series),
        key=itemgetter(0),
    )
    values: dict[int, float | None] = {}
    for at, number, value in changes:
        values[number] = value
        if (total := values.get(0)) is None:
            yield at, None
        else:
            yield at, max(0.0, total - sum(amps or 0.0 for number, amps in values.items() if number))
