"""A page that shows the readings of a site, and nothing else, to somebody who was given a link."""

import asyncio
from collections.abc import Mapping, Sequence
import csv
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
import io
import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from homeassistant.components.http.server import StaticPathConfig
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.util import dt as dt_util
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..const import DOMAIN
from ..history import MAX_COUNT, OLDEST, Readings, async_get_readings
from ..history.intervals import LENGTHS_S, Interval
from ..site.coordinator import AmpSensorConfigEntry
from ..site.data import SiteData
from ..texts import async_texts
from .links import KEY, LINKS, PATH, Links

STATIC_URL: Final = f"/{DOMAIN}/view"
VENDOR_URL: Final = f"/{DOMAIN}/vendor"
_FOLDER: Final = Path(__file__).parent
_DAYS: Final = {
    Interval.FIVE_MINUTES: 1,
    Interval.QUARTER: 2,
    Interval.HOUR: 7,
    Interval.DAY: 28,
    Interval.WEEK: 364,
    Interval.MONTH: 731,
}
"""What a page covers: as many rows as a plot on a phone can tell apart, 24 to 288."""
_MONTHS: Final = 24
"""The same, where days do not divide."""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_TEMPLATES: Final = Environment(autoescape=True, loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined)


async def async_setup(hass: HomeAssistant) -> None:
    """Load the links, and serve the page."""
    hass.data[LINKS] = await Links.async_load(hass)
    await hass.http.async_register_static_paths(
        [
            StaticPathConfig(STATIC_URL, str(_FOLDER / "static"), cache_headers=False),
            StaticPathConfig(VENDOR_URL, str(_FOLDER / "vendor"), cache_headers=False),
        ]
    )
    hass.http.register_view(ReadingsView(hass))


def window(today: date, interval: Interval, page: int) -> tuple[date, date]:
    """Return the first day of a page, and the one after its last. The first page is the one with today."""
    if interval is Interval.MONTH:
        end_month = today.year * 12 + today.month - _MONTHS * (page - 1)
        start_month = end_month - _MONTHS
        return date(start_month // 12, start_month % 12 + 1, 1), date(end_month // 12, end_month % 12 + 1, 1)
    end = today + timedelta(days=1)
    if interval is Interval.WEEK:
        end = today + timedelta(days=7 - today.weekday())
    end -= timedelta(days=_DAYS[interval] * (page - 1))
    return end - timedelta(days=_DAYS[interval]), end


class ReadingsView(HomeAssistantView):
    """Shows readings as a page, JSON or CSV.

    It lets in by itself who has a link: a link that has expired is no attack, of which Home Assistant would warn.
    """

    url = f"{PATH}/{{link_id}}"
    extra_urls = [f"{PATH}/{{link_id}}/readings.{{form:json|csv}}"]  # noqa: RUF012 -- as its base class has it
    name = f"api:{DOMAIN}:view"
    requires_auth = False

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._one_at_a_time = asyncio.Lock()

    async def get(self, request: web.Request, link_id: str, form: str = "html") -> web.Response:
        """Answer with the readings of a page of time."""
        hass = self._hass
        key = request.query.get(KEY, "")
        if (link := hass.data[LINKS].find(link_id, key)) is None:
            return await _notice(hass, "not_valid", HTTPStatus.NOT_FOUND)
        entry: AmpSensorConfigEntry | None = hass.config_entries.async_get_entry(link.entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return await _notice(hass, "not_now", HTTPStatus.SERVICE_UNAVAILABLE)
        interval, page = _asked(request.query)
        charger_ids = _stacked(entry.runtime_data.data)
        # Visitors wait for each other, not Home Assistant for them
        async with self._one_at_a_time:
            try:
                readings = await _async_read(hass, entry, interval, page, charger_ids)
            except ServiceValidationError:  # no recorder
                return await _notice(hass, "not_now", HTTPStatus.SERVICE_UNAVAILABLE)
        budget_amps = entry.runtime_data.data.settings.max_amps
        texts = await _async_texts(hass)
        chargers = [entry.subentries[charger_id].title for charger_id in charger_ids]
        if not link.names:
            numbers = range(1, len(chargers) + 1)
            chargers = [f"{texts['charger']} {number}" if len(numbers) > 1 else texts["charger"] for number in numbers]
        if form == "json":
            text = await hass.async_add_executor_job(_json, readings, page, budget_amps, chargers)
            return _response(text, "application/json")
        if form == "csv":
            text = await hass.async_add_executor_job(_csv, readings)
            return _response(text, "text/csv", {"Content-Disposition": 'attachment; filename="readings.csv"'})
        context = {
            "lang": hass.config.language,
            "texts": texts,
            "name": entry.title if link.names else None,
            "chargers": chargers,
            "columns": _columns(texts, chargers),
            "interval": interval,
            "intervals": list(Interval),
            "page": page,
            "pages": _pages(interval),
            "readings": readings,
            "budget_amps": budget_amps,
            "expires": dt_util.as_local(link.expires),
            "is_clock": interval in LENGTHS_S,
            "time": _short,
            "link": lambda interval, page: urlencode({"interval": interval, "page": page, KEY: key}),
            "base": link_id,
            "static_url": STATIC_URL,
            "vendor_url": VENDOR_URL,
        }
        return _response(await hass.async_add_executor_job(_render, "page.html", context), "text/html")


def _stacked(site: SiteData) -> tuple[str, ...]:
    """Return the chargers whose part in the current can be told: not those on one of several phases."""
    chargers = site.chargers.values()
    if site.phases > 1 and not all(len(charger.phases or ()) == site.phases for charger in chargers):
        return ()
    return tuple(charger.id for charger in chargers)


def _columns(texts: Mapping[str, str], chargers: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return the columns of the table: the key of a row, the heading, and how many digits are shown."""
    parts = [("mean_house_amps", f"{texts['house']} (A)", 1)] if chargers else []
    parts += [(f"mean_charger_{number}_amps", f"{name} (A)", 1) for number, name in enumerate(chargers, 1)]
    return [
        ("mean_amps", texts["mean_amps"], 1),
        *parts,
        ("max_amps", texts["max_amps"], 1),
        *((key, texts[key], 0) for key in ("mean_volts", "mean_watts", "max_watts")),
        ("kwh", texts["kwh"], 2),
    ]


def _asked(query: Mapping[str, str]) -> tuple[Interval, int]:
    """Return what somebody wants to see; of what there is not, the nearest."""
    try:
        interval = Interval(query.get("interval", Interval.HOUR))
    except ValueError:
        interval = Interval.HOUR
    page = query.get("page", "1")
    return interval, min(max(int(page) if page.isdecimal() and len(page) < 6 else 1, 1), _pages(interval))


def _pages(interval: Interval) -> int:
    return OLDEST.days // _DAYS[interval] - 1


async def _async_read(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, interval: Interval, page: int, charger_ids: Sequence[str]
) -> Readings:
    zone = dt_util.get_default_time_zone()
    start, end = (datetime.combine(day, time(), zone) for day in window(dt_util.now(zone).date(), interval, page))
    return await async_get_readings(
        hass, entry, start=start, end=end, interval=interval, count=MAX_COUNT, charger_ids=charger_ids
    )


async def _async_texts(hass: HomeAssistant) -> dict[str, str]:
    return await async_texts(hass, "config_panel.view") | await async_texts(hass, "selector.interval.options")


async def _notice(hass: HomeAssistant, key: str, status: HTTPStatus) -> web.Response:
    texts = await _async_texts(hass)
    context = {
        "lang": hass.config.language,
        "texts": texts,
        "name": None,
        "text": texts[key],
        "static_url": STATIC_URL,
    }
    text = await hass.async_add_executor_job(_render, "notice.html", context)
    return _response(text, "text/html", status=status)


def _render(template: str, context: dict[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(context)


def _short(moment: str, *, is_clock: bool = True) -> str:
    """Return a time as it is on the clocks of the house."""
    return moment[:16].replace("T", " ") if is_clock else moment[:10]


def _json(readings: Readings, page: int, budget_amps: float, chargers: list[str]) -> str:
    # Without the name of the time zone, which is nearly that of a town
    return json.dumps(
        {
            "interval": readings["interval"],
            "page": page,
            "budget_amps": budget_amps,
            "chargers": chargers,
            "hourly_until": readings["hourly_until"],
            "rows": readings["rows"],
        }
    )


def _csv(readings: Readings) -> str:
    with io.StringIO(newline="") as file:
        table = csv.DictWriter(file, readings["rows"][0])
        table.writeheader()
        table.writerows(readings["rows"])
        return file.getvalue()


def _response(
    text: str, content_type: str, headers: Mapping[str, str] | None = None, status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    return web.Response(
        text=text, content_type=content_type, charset="utf-8", headers=_HEADERS | dict(headers or {}), status=status
    )
