"""What is so, or is not so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities, is_connected, is_reported
from .site.coordinator import AmpSensorConfigEntry
from .site.data import ChargerData, SiteData
from .site.limiting import LimitData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorBinarySensorDescription[DataT](AmpSensorEntityDescription[DataT], BinarySensorEntityDescription):
    """Describes a binary sensor."""

    value_fn: Callable[[DataT], bool | None]


SITE_BINARY_SENSORS: Final = (
    AmpSensorBinarySensorDescription[SiteData](
        key="over_budget",
        translation_key="over_budget",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda site: None if site.shown is None else site.is_over(site.shown),
        available_fn=is_connected,
    ),
    AmpSensorBinarySensorDescription[SiteData](
        key="connected",
        translation_key="connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda site: site.connected,
    ),
)
CHARGER_BINARY_SENSORS: Final = (
    AmpSensorBinarySensorDescription[ChargerData](
        key="plugged_in",
        translation_key="plugged_in",
        device_class=BinarySensorDeviceClass.PLUG,
        value_fn=lambda charger: None if charger.report is None else charger.report.plugged_in,
        available_fn=is_reported,
    ),
    AmpSensorBinarySensorDescription[ChargerData](
        key="at_home",
        translation_key="at_home",
        device_class=BinarySensorDeviceClass.PRESENCE,
        value_fn=lambda charger: None if charger.report is None else charger.report.at_home,
        available_fn=is_reported,
    ),
    AmpSensorBinarySensorDescription[ChargerData](
        key="ready_in_time",
        translation_key="ready_in_time",
        value_fn=lambda charger: None if charger.plan is None else charger.plan.makes_it,
        is_wanted_fn=lambda site: site.has_prices,
    ),
)

LIMIT_BINARY_SENSORS: Final = (
    AmpSensorBinarySensorDescription[LimitData](
        key="at_risk",
        translation_key="at_risk",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda limit: limit.is_at_risk,
        suits_fn=lambda limit: limit.is_averaged,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of a site, its chargers and its limits."""
    add_described_entities(
        entry.runtime_data,
        async_add_entities,
        AmpSensorBinarySensor,
        site=SITE_BINARY_SENSORS,
        charger=CHARGER_BINARY_SENSORS,
        limit=LIMIT_BINARY_SENSORS,
    )


class AmpSensorBinarySensor[DataT](AmpSensorEntity[DataT], BinarySensorEntity):
    """Something that is so, or is not so."""

    entity_description: AmpSensorBinarySensorDescription[DataT]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is so."""
        return self.entity_description.value_fn(self.shown)
