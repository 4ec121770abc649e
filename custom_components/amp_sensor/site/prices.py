"""What electricity costs, hour by hour: from another integration's action, or from an entity with a forecast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil, floor, isfinite
from statistics import fmean
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import CONF_AREA, CONF_PRICE_ACTION, CONF_PRICE_ENTITY, CONF_PRICE_ENTRY

QUARTER_S: Final = 900
QUARTERS_A_DAY: Final = 96
"""On the days on which clocks are changed there are four less, or more: the times here are those of no clock."""
KEPT: Final = 2 * QUARTERS_A_DAY
"""How many quarters of an hour that are past are kept: where tomorrow is not known yet, yesterday stands in."""
TOMORROW_H: Final = 12
"""From which hour on tomorrow's prices are asked for: the exchanges publish them soon after noon."""
LOOK: Final = timedelta(minutes=5)
"""How often it is looked for prices: what is known already is not asked for again."""
HOUR: Final = timedelta(hours=1)

_STARTS: Final = ("start", "start_time", "startsAt", "starts_at", "from", "timestamp", "datetime", "time", "hour")
_ENDS: Final = ("end", "end_time", "endsAt", "ends_at", "till", "to")
_PRICES: Final = ("price", "total", "value", "per_kwh", "price_per_kwh", "value_inc_vat")
"""What the beginning, the end and the price of a part of the day are called by those who tell them."""
_PARTS: Final = {"ct": 0.01, "c": 0.01, "cent": 0.01, "cents": 0.01, "¢": 0.01, "p": 0.01, "öre": 0.01, "øre": 0.01}
"""Parts of a currency that prices are told in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAction:
    """An action of another integration that answers with prices."""

    domain: str
    name: str
    data: Callable[[str, date], Mapping[str, Any]]
    """What it is called with for a day, given the id of its config entry."""
    per_kwh: float = 1.0
    """What turns its prices into those of a kWh."""


ACTIONS: Final = {
    action.domain: action
    for action in (
        PriceAction(
            domain="nordpool",
            name="get_prices_for_date",
            data=lambda entry_id, day: {"config_entry": entry_id, "date": day.isoformat()},
            per_kwh=0.001,
        ),
        PriceAction(
            domain="tibber",
            name="get_prices",
            data=lambda _, day: {
                "start": f"{day.isoformat()}T00:00:00",
                "end": f"{(day + timedelta(days=1)).isoformat()}T00:00:00",
            },
        ),
        PriceAction(domain="omie", name="get_prices_for_date", data=lambda _, day: {"date": day.isoformat()}),
        PriceAction(
            domain="green_planet_energy",
            name="get_prices",
            data=lambda entry_id, _: {"config_entry_id": entry_id, "hours": 24},
        ),
        PriceAction(
            domain="energyzero",
            name="get_energy_prices",
            data=lambda entry_id, day: {
                "config_entry": entry_id,
                "incl_vat": True,
                "interval": "quarter",
                "start": day.isoformat(),
                "end": day.isoformat(),
            },
        ),
        PriceAction(
            domain="amberelectric",
            name="get_forecasts",
            data=lambda entry_id, _: {"config_entry_id": entry_id, "channel_type": "general"},
        ),
    )
}
"""By the integration, as their sources in Home Assistant 2026.11 have them."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a kWh costs in each quarter of an hour since 1970, as far as it is known."""

    by_quarter: Mapping[int, float]

    def known(self, quarter: int) -> float | None:
        """Return the price of a quarter of an hour; None where it is not known."""
        return self.by_quarter.get(quarter)

    def guess(self, quarter: int) -> float:
        """Return the price, or that of the same time on the nearest day that is known, or the mean; 0 knows nothing."""
        for days in (0, 1, -1, 2, 3, 4, 5, 6, 7):
            if (price := self.by_quarter.get(quarter - days * QUARTERS_A_DAY)) is not None:
                return price
        return fmean(self.by_quarter.values()) if self.by_quarter else 0.0

    def and_then(self, newer: Mapping[int, float], now: float) -> Prices:
        """Return them with newer ones, without what is long past."""
        first = int(now // QUARTER_S) - KEPT
        return Prices({quarter: price for quarter, price in {**self.by_quarter, **newer}.items() if quarter >= first})

    def until(self, now: float) -> float:
        """Return until when they are known without a gap, s since 1970."""
        quarter = int(now // QUARTER_S)
        while quarter in self.by_quarter:
            quarter += 1
        return float(quarter * QUARTER_S)


def _time(value: Any) -> datetime | None:
    told = dt_util.parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(told, datetime):
        return None
    return dt_util.as_utc(told)


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _rows(told: Any) -> Iterator[tuple[datetime, datetime | None, float]]:
    """Yield the beginning, the end where it is told, and the price of whatever looks like a part of a day."""
    match told:
        case Mapping():
            start, price = _time(_first(told, _STARTS)), _first(told, _PRICES)
            if start is not None and type(price) in (int, float) and isfinite(price):
                yield start, _time(_first(told, _ENDS)), float(price)
            else:
                for each in told.values():
                    yield from _rows(each)
        case list() | tuple():
            for each in told:
                yield from _rows(each)


def quarters_of(told: Any, per_kwh: float = 1.0) -> dict[int, float]:
    """Return the price of a kWh by quarters of an hour, of whatever in `told` looks like parts of a day."""
    rows = sorted(_rows(told), key=lambda row: row[0])
    starts = sorted({start for start, _, _ in rows})
    following = dict(pairwise(starts))
    usual = min((after - start for start, after in following.items()), default=HOUR)
    prices: dict[int, float] = {}
    for start, told_end, price in rows:
        end = told_end or min(following.get(start, start + usual), start + HOUR)
        for quarter in range(floor(start.timestamp() / QUARTER_S), ceil(end.timestamp() / QUARTER_S)):
            prices.setdefault(quarter, price * per_kwh)
    return prices


def part_of_unit(unit: str | None) -> float:
    """Return what turns a price in such a unit into one of a kWh, in the currency itself: EUR/MWh, ct/kWh."""
    money, _, energy = (unit or "").partition("/")
    return _PARTS.get(money.strip().lower(), 1.0) * (0.001 if energy.strip().lower() == "mwh" else 1.0)


def of_entity(state: State | None) -> dict[int, float]:
    """Return the prices that the attributes of an entity tell of."""
    if state is None:
        return {}
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    lists = [value for value in state.attributes.values() if isinstance(value, (list, tuple, Mapping))]
    return quarters_of(lists, part_of_unit(unit))


class PricesError(Exception):
    """An integration with prices does not tell them."""


async def async_ask(hass: HomeAssistant, domain: str, entry_id: str, day: date) -> dict[str, dict[int, float]]:
    """Return what an integration's action says of a day: prices by area, country or home. Raises PricesError."""
    action = ACTIONS[domain]
    try:
        told = await hass.services.async_call(
            domain, action.name, dict(action.data(entry_id, day)), blocking=True, return_response=True
        )
    except Exception as error:  # whatever is wrong with another integration, or its version
        raise PricesError(f"{domain}.{action.name} failed: {type(error).__name__}") from error
    answer: Any = told or {}
    while isinstance(answer, Mapping) and len(answer) == 1 and isinstance(only := next(iter(answer.values())), Mapping):
        answer = only
    return {
        str(area): quarters
        for area, rows in answer.items()
        if isinstance(rows, list) and (quarters := quarters_of(rows, action.per_kwh))
    }


def sources(hass: HomeAssistant) -> list[tuple[str, str, str]]:
    """Return the integrations that can be asked: domain, id of the config entry, title."""
    return [
        (domain, entry.entry_id, entry.title)
        for domain, action in ACTIONS.items()
        if hass.services.has_service(domain, action.name)
        for entry in hass.config_entries.async_entries(domain)
        if entry.state is ConfigEntryState.LOADED
    ]


class PriceSource:
    """Where a site's prices come from."""

    def __init__(self, hass: HomeAssistant, settings: Mapping[str, Any], known: Prices) -> None:
        """`known` is what it has told already."""
        self._hass = hass
        self._settings = settings
        self.prices = known

    @callback
    def async_start(self, take: Callable[[Prices], None]) -> CALLBACK_TYPE:
        """Hand on prices as they become known, until what is returned is called."""

        async def async_look(_: Any) -> None:
            take(await self.async_read())

        stop = [
            async_at_started(self._hass, async_look),
            async_track_time_interval(self._hass, async_look, LOOK, cancel_on_shutdown=True),
        ]

        @callback
        def async_stop() -> None:
            for each in stop:
                each()

        return async_stop

    async def async_read(self) -> Prices:
        """Return what is known now. It asks another integration only for what it may know by now and was not told."""
        now = dt_util.now()
        at = now.timestamp()
        if (ref := self._settings.get(CONF_PRICE_ENTITY)) is not None:
            entity_id = er.async_resolve_entity_id(er.async_get(self._hass), ref)
            state = None if entity_id is None else self._hass.states.get(entity_id)
            self.prices = self.prices.and_then(of_entity(state), at)
            return self.prices
        days = [now.date(), *([now.date() + timedelta(days=1)] if now.hour >= TOMORROW_H else [])]
        for day in days:
            end = dt_util.start_of_local_day(day + timedelta(days=1)).timestamp()
            if self.prices.until(at) < end - 3600:  # the day of an exchange may begin an hour off the house's
                await self._async_ask(day, at)
        return self.prices

    async def _async_ask(self, day: date, at: float) -> None:
        domain = self._settings[CONF_PRICE_ACTION]
        if not self._hass.services.has_service(domain, ACTIONS[domain].name):
            return
        with suppress(PricesError):
            told = await async_ask(self._hass, domain, self._settings[CONF_PRICE_ENTRY], day)
            self.prices = self.prices.and_then(told.get(self._settings[CONF_AREA], {}), at)
