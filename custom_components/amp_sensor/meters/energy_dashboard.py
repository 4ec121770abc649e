"""What the Energy dashboard was told of the grid.

Home Assistant has no public way to ask for that: this depends on `homeassistant.components.energy.data`, as of 2026.10.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.core import HomeAssistant, valid_entity_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One connection to the grid."""

    power: str | None
    """The entity that measures its power: what comes in, less what goes out unless `export` does that."""
    export: str | None
    entities: tuple[str, ...]
    """All its entities, those of its energy included: they are of the device that measures it."""


async def async_grids(hass: HomeAssistant) -> list[Grid]:
    """Return the connections to the grid that somebody added to the Energy dashboard."""
    if "energy" not in hass.config.components:
        return []
    manager = await async_get_manager(hass)
    if manager.data is None:
        return []
    return [_grid(source) for source in manager.data["energy_sources"] if source["type"] == "grid"]


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
