"""What is so, or is not so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import AmpSensorConfigEntry, ChargerData, SiteData
from .entity import AmpSensorEntity, AmpSensorEntityDescription, charger_sources, site_source

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
        value_fn=lambda site: None if site.reading is None else site.reading.current > site.settings.max_amps,
        available_fn=lambda site: site.reading is not None,
    ),
    AmpSensorBinarySensorDescription[SiteData](
        key="connected",
        translation_key="connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda site: site.reading is not None,
    ),
)
CHARGER_BINARY_SENSORS: Final = (
    AmpSensorBinarySensorDescription[ChargerData](
        key="plugged_in",
        translation_key="plugged_in",
        device_class=BinarySensorDeviceClass.PLUG,
        value_fn=lambda charger: None if charger.report is None else charger.report.plugged_in,
        available_fn=lambda charger: charger.report is not None,
    ),
    AmpSensorBinarySensorDescription[ChargerData](
        key="at_home",
        translation_key="at_home",
        device_class=BinarySensorDeviceClass.PRESENCE,
        value_fn=lambda charger: None if charger.report is None else charger.report.at_home,
        available_fn=lambda charger: charger.report is not None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of a site and of its chargers."""
    coordinator = entry.runtime_data
    site = site_source(coordinator)
    async_add_entities(AmpSensorBinarySensor(coordinator, site, description) for description in SITE_BINARY_SENSORS)
    for charger in charger_sources(coordinator):
        async_add_entities(
            (AmpSensorBinarySensor(coordinator, charger, description) for description in CHARGER_BINARY_SENSORS),
            config_subentry_id=charger.id,
        )


class AmpSensorBinarySensor[DataT](AmpSensorEntity[DataT], BinarySensorEntity):
    """Something that is so, or is not so."""

    entity_description: AmpSensorBinarySensorDescription[DataT]

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is so."""
        return self.entity_description.value_fn(self.shown)
