"""Answer what another budget, car or mode would have made of the house's own last weeks."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, time, timedelta
from itertools import product
from math import inf, isfinite, nan
from operator import itemgetter
from typing import Final

from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.const import CONF_UNIT_OF_MEASUREMENT, UnitOfPower
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter

from ..const import CONF_VOLTAGE, DOMAIN
from ..control import ChargeWith, Mode, ProtectionKind
from ..history import recorder
from ..notices.progress import Progress
from ..site.coordinator import AmpSensorConfigEntry
from ..site.data import SiteData
from ..site.goal import Goal
from .process import RehearsalFailed, async_rehearse
from .rehearsal import House, Outlook, Plan, Wanted, Wiring

MAX_DAYS: Final = 30
"""How far back is looked, days: a month has all that a house does."""
DEFAULT_DAYS: Final = 7
MAX_PLANS: Final = 60
"""How many plans are tried at once: five budgets, three cars and four modes."""
MODES: Final = (Mode.OFF, Mode.STRICT, Mode.BALANCED, Mode.EAGER)
"""Monitor is as off."""
LEAST: Final = timedelta(hours=1)
"""Of less history nothing can be told."""
DEFAULT_WANTED_KWH: Final = Goal().kwh
DEFAULT_PLUGGED_IN_AT: Final = time(18)
"""When most people are home from work."""
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
    charge_with: Sequence[ChargeWith] = (),
    reserve_w: float = 0.0,
    peak_limit_kw: Sequence[float] = (),
    ready_by: time | None = None,
    wanted_kwh: float = DEFAULT_WANTED_KWH,
    plugged_in_at: time = DEFAULT_PLUGGED_IN_AT,
) -> ServiceResponse:
    """Return an answer for each combination. Raises translated errors.

    Budget, car and mode that are left out are as they are now; without the others, the budget alone bounds.
    """
    if not recorder.is_recorded(hass):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recorder")
    site = entry.runtime_data.data
    cars = [charger.settings.max_amps for charger in site.chargers.values()]
    peaks: Sequence[float | None] = peak_limit_kw or [None]
    plans = [
        Plan(
            max_amps=budget,
            max_amps_car=car,
            mode=mode,
            charge_with=source,
            reserve_w=0.0 if source is ChargeWith.GRID else reserve_w,
            peak_limit_kw=peak,
        )
        for budget, car, mode, source, peak in product(
            dict.fromkeys(max_amps or [site.settings.max_amps]),
            dict.fromkeys(max_amps_car or cars or [USUAL_CAR_A]),
            dict.fromkeys(modes or [site.settings.mode if site.settings.mode in MODES else Mode.BALANCED]),
            dict.fromkeys(charge_with or [ChargeWith.GRID]),
            dict.fromkeys(peaks),
        )
    ]
    if len(plans) > MAX_PLANS:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="too_many_plans",
            translation_placeholders={"plans": str(len(plans)), "limit": str(MAX_PLANS)},
        )
    if not site.knows_sign and any(plan.charge_with is not ChargeWith.GRID for plan in plans):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_surplus_history")
    end = dt_util.utcnow()
    begin = end - timedelta(days=days)
    wiring = _wiring(site, entry.data[CONF_VOLTAGE])
    wanted = None if ready_by is None else _wanted(wanted_kwh, plugged_in_at, ready_by, begin, end)
    history = _History(hass, entry, wiring)
    house = await recorder.async_in_recorder(hass, history.house, begin, end)
    if house.seconds < LEAST.total_seconds():
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_house_history")
    protection = site.settings.protection
    kind = ProtectionKind.MCB_C if protection is None else protection.kind
    progress = await Progress.async_create(hass, "what_if", entry)

    try:
        outlooks = await async_rehearse(house, plans, wiring, kind=kind, wanted=wanted, progress=progress.show)
    except RehearsalFailed as error:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="what_if_failed") from error
    finally:
        progress.dismiss()
    return {
        "days": round(house.seconds / _DAY.total_seconds(), 2),
        "days_from_means": round(
            sum(held.seconds for held in house if held.at < history.means_until) / _DAY.total_seconds(), 2
        ),
        "results": [
            {
                **asdict(plan),
                "mode": plan.mode.value,
                "charge_with": plan.charge_with.value,
                **_answer(outlook, house, wiring.volts * wiring.car_phases),
                "nights": None if wanted is None else outlook.nights,
                "nights_ready": None if wanted is None else outlook.nights_ready,
            }
            for plan, outlook in zip(plans, outlooks, strict=True)
        ],
    }


def _wiring(site: SiteData, volts: float) -> Wiring:
    car = max((charger.report.phases or 1 for charger in site.chargers.values() if charger.report), default=1)
    supply = site.settings.supply
    told = supply.phases if supply else len(site.shown.amps) if site.shown else 1
    return Wiring(volts=volts, phases=max(told, car), car_phases=car)


def _wanted(kwh: float, plugged_in_at: time, ready_by: time, begin: datetime, end: datetime) -> Wanted:
    local, offset = dt_util.as_local(begin), dt_util.as_local(end).utcoffset()
    nights = []
    for number in range(-1, (end - begin).days + 2):
        day = local.date() + timedelta(days=number)
        next_day = day if plugged_in_at < ready_by else day + _DAY
        plugged, ready = datetime.combine(day, plugged_in_at), datetime.combine(next_day, ready_by)
        nights.append(tuple(each.replace(tzinfo=local.tzinfo).timestamp() for each in (plugged, ready)))
    return Wanted(
        wh=1000 * kwh,
        nights=[(plugged, ready) for plugged, ready in nights],
        offset_s=0.0 if offset is None else offset.total_seconds(),
    )


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
        "surplus_kwh": round(outlook.surplus_wh / 1000, 1),
        "imported_kwh": round(outlook.imported_wh / 1000, 1),
        "highest_quarter_kw": round(outlook.highest_watts / 1000, 2),
        "house_highest_quarter_kw": round(outlook.house_highest_watts / 1000, 2),
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

    def __init__(self, hass: HomeAssistant, entry: AmpSensorConfigEntry, wiring: Wiring) -> None:
        self._hass = hass
        self.means_until = -inf
        """Until when only means of five minutes are known, s since 1970."""
        self._watts_per_amp = wiring.volts * wiring.car_phases
        self._knows_sign = entry.runtime_data.data.knows_sign
        registry = er.async_get(hass)
        self._house = registry.async_get_entity_id(SENSOR, DOMAIN, f"{entry.entry_id}_house_current")
        self._current = registry.async_get_entity_id(SENSOR, DOMAIN, f"{entry.entry_id}_current")
        self._power = registry.async_get_entity_id(SENSOR, DOMAIN, f"{entry.entry_id}_power")
        self._charging = [
            entity_id
            for charger_id in entry.runtime_data.data.chargers
            if (entity_id := registry.async_get_entity_id(SENSOR, DOMAIN, f"{charger_id}_charging_current"))
        ]

    def house(self, start: datetime, end: datetime) -> House:
        """Return what the house drew without its cars. Waits for the database."""
        power = self._series(self._power, start, end, unit=UnitOfPower.WATT)
        charging = [self._series(entity_id, start, end) for entity_id in self._charging]
        alone = self._series(self._house, start, end)
        house = House.of(self._drawn(alone, power, charging, is_alone=True), end.timestamp())
        if house.seconds >= LEAST.total_seconds():
            return house
        # Switched off, or switched on just now
        current = self._series(self._current, start, end)
        return House.of(self._drawn(current, power, charging, is_alone=False), end.timestamp())

    def _drawn(
        self, current: _Series, power: _Series, charging: Sequence[_Series], *, is_alone: bool
    ) -> Iterator[tuple[float, float | None, float | None]]:
        """Tell amps and watts without what cars draw, whenever one of them changes; with `is_alone` the amps are."""
        for at, (amps, watts, *cars) in _merged(current, power, *charging):
            drawn = sum(each or 0.0 for each in cars)
            alone = amps if amps is None or is_alone else amps - drawn
            if alone is not None and not is_alone and not self._knows_sign:
                alone = max(0.0, alone)
            yield at, alone, None if watts is None else watts - drawn * self._watts_per_amp

    def _series(self, entity_id: str | None, start: datetime, end: datetime, *, unit: str | None = None) -> _Series:
        """Return its states, and for the time before there are any its short-term statistics; a power in `unit`."""
        series = _Series()
        if entity_id is None:
            return series
        entity = er.async_get(self._hass).async_get(entity_id)
        chosen = None if entity is None or SENSOR not in entity.options else entity.options[SENSOR]
        shown_in = None if chosen is None else chosen.get(CONF_UNIT_OF_MEASUREMENT)
        factor = 1.0 if unit is None or shown_in is None else PowerConverter.get_unit_ratio(unit, shown_in)
        states = _Series()
        for day in range((end - start).days + 1):
            begin = start + day * _DAY
            stop = min(begin + _DAY, end)
            for at, state in recorder.bare_states(self._hass, begin, stop, entity_id, with_start=day == 0):
                states.add(at, factor * _number(state))
        until = end.timestamp() if states.begins is None else states.begins
        rows = recorder.statistics(
            self._hass,
            start,
            end,
            {entity_id},
            period="5minute",
            values={"mean", "min", "max"},
            units=None if unit is None else {"power": unit},
        )
        for row in rows.get(entity_id, []):
            if row["start"] + _ROW_S <= until:
                self.means_until = max(self.means_until, row["start"] + _ROW_S)
                _add_row(series, row["start"], row.get("min"), row.get("mean"), row.get("max"))
        for at, value in states:
            series.add(at, nan if value is None else value)
        return series


def _number(state: str | None) -> float:
    """Return what a state says; an entity that was removed leaves a state of None."""
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


def _merged(*series: _Series) -> Iterator[tuple[float, list[float | None]]]:
    """Tell what all of them show, whenever one of them changes."""
    changes = sorted(((at, number, value) for number, one in enumerate(series) for at, value in one), key=itemgetter(0))
    values: list[float | None] = [None] * len(series)
    for at, number, value in changes:
        values[number] = value
        yield at, values
