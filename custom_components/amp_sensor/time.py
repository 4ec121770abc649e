"""The time by which a car is to be ready."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import time
from typing import Final, override

from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.data import ChargerData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorTimeDescription[DataT](AmpSensorEntityDescription[DataT], TimeEntityDescription):
    """Describes a time of the day."""

    value_fn: Callable[[DataT], time]
    set_fn: Callable[[SiteCoordinator, DataT, time], None]


CHARGER_TIMES: Final = (
    AmpSensorTimeDescription[ChargerData](
        key="ready_by",
        translation_key="ready_by",
        value_fn=lambda charger: charger.goal.ready_by,
        set_fn=lambda coordinator, charger, at: coordinator.async_set_goal(
            charger.id, replace(charger.goal, ready_by=at)
        ),
        is_wanted_fn=lambda site: site.has_prices,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the times of the chargers."""
    add_described_entities(entry.runtime_data, async_add_entities, AmpSensorTime, charger=CHARGER_TIMES)


class AmpSensorTime[DataT](AmpSensorEntity[DataT], TimeEntity):
    """A time that a person sets."""

    entity_description: AmpSensorTimeDescription[DataT]

    @property
    @override
    def native_value(self) -> time:
        """Return what is set."""
        return self.entity_description.value_fn(self.shown)

    @override
    async def async_set_value(self, value: time) -> None:
        """Set it, at once and for good."""
        self.entity_description.set_fn(self.coordinator, self.shown, value)
