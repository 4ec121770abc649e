"""What a site drew, by interval: a question that somebody asks, and its answer."""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from math import ceil
from typing import Final, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..site.coordinator import AmpSensorConfigEntry
from . import recorder
from .intervals import LENGTHS_S, Interval, cut
from .reader import Reader
from .table import Row, Table, iso

DEFAULT_COUNT: Final = 100
"""Rows of a page, where nothing else is asked for."""
MAX_COUNT: Final = 1000
"""Rows of a page: 200 kB of an answer, which somebody still can handle in a template."""
OLDEST: Final = timedelta(days=3660)
"""How long ago a range may begin: ten years, 90,000 hours."""
LONGEST: Final = {Interval.FIVE_MINUTES: timedelta(days=366), Interval.QUARTER: timedelta(days=366)}
"""How long a range of short intervals may be: a year, 100,000 rows on all pages together."""
_HOUR_S: Final = 3600


class Readings(TypedDict):
    """A page of rows."""

    time_zone: str
    interval: str
    page: int
    pages: int
    count: int
    total: int
    """Rows on all pages."""
    hourly_until: str | None
    """Up to here, shorter intervals show what is known of their hour; None where everything is known exactly."""
    rows: list[Row]


async def async_get_readings(
    hass: HomeAssistant,
    entry: AmpSensorConfigEntry,
    *,
    start: datetime,
    end: datetime | None = None,
    interval: Interval = Interval.HOUR,
    time_zone: str | None = None,
    page: int = 1,
    count: int = DEFAULT_COUNT,
    charger_ids: Iterable[str] = (),
) -> Readings:
    """Return the intervals that hold the time from `start` to `end` (now): page by page, oldest first.

    With `charger_ids`, rows also tell how the current is shared between the house and these chargers.
    Times without an offset are those of the time zone: Home Assistant's, where none is given. Raises
    ServiceValidationError, which names the field and its limit, for what cannot be answered.
    """
    if not recorder.is_recorded(hass):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_recorder")
    name = time_zone or hass.config.time_zone
    if (zone := await dt_util.async_get_time_zone(name)) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="unknown_time_zone", translation_placeholders={"time_zone": name}
        )
    begin, stop = _checked_range(_in_zone(start, zone), end and _in_zone(end, zone), interval)
    if not 1 <= count <= MAX_COUNT:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="count_out_of_range",
            translation_placeholders={"count": str(count), "limit": str(MAX_COUNT)},
        )
    reader = Reader(hass, entry.entry_id, charger_ids)

    def read() -> Readings:
        edges = cut(begin, stop, interval, zone)
        total = len(edges) - 1
        pages = ceil(total / count)
        if not 1 <= page <= pages:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="page_out_of_range",
                translation_placeholders={"page": str(page), "limit": str(pages)},
            )
        first = (page - 1) * count
        table = Table(edges[first : first + count + 1], is_fine=_is_fine(interval, edges), chargers=reader.chargers)
        reader.read(table)
        return Readings(
            time_zone=name,
            interval=interval,
            page=page,
            pages=pages,
            count=count,
            total=total,
            hourly_until=None if table.hourly_until is None else iso(table.hourly_until, zone),
            rows=table.rows(zone),
        )

    return await recorder.async_in_recorder(hass, read)


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _checked_range(start: datetime, end: datetime | None, interval: Interval) -> tuple[datetime, datetime]:
    now = dt_util.utcnow()
    if start >= now:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="start_in_future")
    if start < now - OLDEST:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="start_too_early",
            translation_placeholders={"limit": str(OLDEST.days)},
        )
    if end is not None and end <= start:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="end_before_start")
    stop = now if end is None else min(end, now)
    if stop - start > (longest := LONGEST.get(interval, OLDEST)):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="range_too_long",
            translation_placeholders={"interval": interval.replace("_", " "), "limit": str(longest.days)},
        )
    return start, stop


def _is_fine(interval: Interval, edges: list[float]) -> bool:
    """Whether statistics by the hour are too coarse: also for the hours and days of India, which begin at half past."""
    return LENGTHS_S.get(interval, _HOUR_S) < _HOUR_S or any(edge % _HOUR_S for edge in edges)
