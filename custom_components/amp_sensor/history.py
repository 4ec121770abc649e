"""What a site drew, by interval: from states, short-term and long-term statistics as if they were one."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from homeassistant.core import HomeAssistant, ServiceResponse

from .coordinator import AmpSensorConfigEntry

DEFAULT_COUNT: Final = 100
"""Rows of a page, where nothing else is asked for."""


class Interval(StrEnum):
    """What a row covers: whole ones of the clock and of the calendar."""

    FIVE_MINUTES = "5_minutes"
    QUARTER = "15_minutes"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


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
) -> ServiceResponse:
    """Return a page of rows."""
    return {"rows": []}
