"""What the Energy dashboard was told of the grid, and of home batteries.

Home Assistant has no public way to ask for that: this depends on `homeassistant.components.energy.data`, as of 2026.10.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.core import HomeAssistant, valid_entity_id

from .battery import Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One connection to the grid."""

    power: str | None
    """The entity that measures its power: what comes in, less what goes out unless `export` does that."""
    export: str | None
    entities: tuple[str, ...]
    """All its entities, those of its energy included: they are of the device that measures it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySensors:
    """The sensors of one home battery."""

    power: str
    positive: Positive
    state_of_charge: str | None


async def async_grids(hass: HomeAssistant) -> list[Grid]:
    """Return the connections to the grid that somebody added to the Energy dashboard."""
    return [_grid(source) for source in await _async_sources(hass, "grid")]


async def async_batteries(hass: HomeAssistant) -> list[BatterySensors]:
    """Return the home batteries whose power somebody added to the Energy dashboard."""
    batteries = (_battery(source) for source in await _async_sources(hass, "battery"))
    return [battery for battery in batteries if battery is not None]


async def _async_sources(hass: HomeAssistant, kind: str) -> list[Mapping[str, Any]]:
    if "energy" not in hass.config.components:
        return []
    manager = await async_get_manager(hass)
    if manager.data is None:
        return []
    return [source for source in manager.data["energy_sources"] if source["type"] == kind]


def _battery(source: Mapping[str, Any]) -> BatterySensors | None:
    """Return its sensors: what the dashboard counts is positive while it gives, made so of another sensor or not."""
    inverted = source.get("power_config", {}).get("stat_rate_inverted")
    if (power := inverted or source.get("stat_rate")) is None:
        return None
    positive = Positive.CHARGING if inverted else Positive.DISCHARGING
    return BatterySensors(power=power, positive=positive, state_of_charge=source.get("stat_soc"))


def _grid(source: Mapping[str, Any]) -> Grid:
    config = source.get("power_config", {})
    power, export = config.get("stat_rate_from"), config.get("stat_rate_to")
    if power is None or export is None:
        power, export = config.get("stat_rate"), None
        if not config:
            power = source.get("stat_rate")
    return Grid(power=power, export=export, entities=tuple(dict.fromkeys(_entities(source))))


def _entities(source: Mapping[str, Any]) -> Iterator[str]:
    for key, value in {**source, **source.get("power_config", {})}.items():
        # Statistics of other origin are no entities
        if key.startswith("stat_") and "cost" not in key and isinstance(value, str) and valid_entity_id(value):
            yield value
