"""Whether a site may command a charger or a load."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.data import ChargerData, LoadData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorSwitchDescription[DataT](AmpSensorEntityDescription[DataT], SwitchEntityDescription):
    """Describes a switch."""

    value_fn: Callable[[DataT], bool]
    set_fn: Callable[[SiteCoordinator, DataT, bool], None]


CHARGER_SWITCHES: Final = (
    AmpSensorSwitchDescription[ChargerData](
        key="managed",
        translation_key="managed",
        value_fn=lambda charger: charger.settings.managed,
        set_fn=lambda coordinator, charger, on: coordinator.async_set_charger(
            charger.id, replace(charger.settings, managed=on)
        ),
    ),
    AmpSensorSwitchDescription[ChargerData](
        key="may_wake",
        translation_key="may_wake",
        entity_category=EntityCategory.CONFIG,
        suits_fn=lambda charger: charger.can_wake,
        value_fn=lambda charger: charger.settings.may_wake,
        set_fn=lambda coordinator, charger, on: coordinator.async_set_charger(
            charger.id, replace(charger.settings, may_wake=on)
        ),
    ),
)

LOAD_SWITCHES: Final = (
    AmpSensorSwitchDescription[LoadData](
        key="managed",
        translation_key="managed",
        value_fn=lambda load: load.settings.managed,
        set_fn=lambda coordinator, load, on: coordinator.async_set_load(load.id, replace(load.settings, managed=on)),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches of the chargers and the loads."""
    add_described_entities(
        entry.runtime_data, async_add_entities, AmpSensorSwitch, charger=CHARGER_SWITCHES, load=LOAD_SWITCHES
    )


class AmpSensorSwitch[DataT](AmpSensorEntity[DataT], SwitchEntity):
    """Something that a person allows."""

    entity_description: AmpSensorSwitchDescription[DataT]

    @property
    @override
    def is_on(self) -> bool:
        """Return whether it is allowed."""
        return self.entity_description.value_fn(self.shown)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Allow it, at once and for good."""
        self.entity_description.set_fn(self.coordinator, self.shown, True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Forbid it, at once and for good."""
        self.entity_description.set_fn(self.coordinator, self.shown, False)
