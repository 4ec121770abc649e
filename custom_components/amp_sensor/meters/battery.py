"""What a home battery says of itself, through sensors of Home Assistant."""

from collections.abc import Mapping
from enum import StrEnum
from math import isfinite
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import CONF_FIRST_UNTIL, CONF_POSITIVE, CONF_POWER, CONF_STATE_OF_CHARGE
from ..control import Battery
from .entity import Kind, Value, read_state


class Positive(StrEnum):
    """What a battery does while its sensor shows a positive power: makers do not agree."""

    CHARGING = "charging"
    DISCHARGING = "discharging"


def read_battery(hass: HomeAssistant, settings: Mapping[str, Any]) -> Battery:
    """Return what a battery does now. One whose state of charge is not told is taken for one that is not full."""
    power = read_state(hass, settings[CONF_POWER], Kind.POWER)
    sign = 1.0 if settings[CONF_POSITIVE] == Positive.CHARGING else -1.0
    return Battery(
        watts=sign * power.number if isinstance(power, Value) else None,
        percent=_percent(hass, settings.get(CONF_STATE_OF_CHARGE)),
        first_until_percent=settings[CONF_FIRST_UNTIL],
    )


def _percent(hass: HomeAssistant, ref: str | None) -> float | None:
    entity_id = er.async_resolve_entity_id(er.async_get(hass), ref) if ref else None
    state = None if entity_id is None else hass.states.get(entity_id)
    try:
        percent = float("nan" if state is None else state.state)
    except ValueError:
        return None
    return percent if isfinite(percent) and 0 <= percent <= 100 else None
