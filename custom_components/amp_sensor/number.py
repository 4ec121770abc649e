"""The numbers that a person sets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberEntityDescription, NumberMode
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import (
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    DOMAIN,
    MAX_BUDGET_A,
    MAX_LIMIT_KW,
    MAX_RESERVE_W,
    MAX_WAIT_MIN,
    MIN_BUDGET_A,
    MIN_PEAK_KW,
)
from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.data import ChargerData, SiteData
from .site.goal import MAX_CAPACITY_KWH, MAX_WANTED_KWH, MIN_CAPACITY_KWH
from .site.limiting import LimitData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorNumberDescription[DataT](AmpSensorEntityDescription[DataT], NumberEntityDescription):
    """Describes a number."""

    value_fn: Callable[[DataT], float]
    set_fn: Callable[[SiteCoordinator, DataT, float], None]
    device_class: NumberDeviceClass | None = NumberDeviceClass.CURRENT
    entity_category: EntityCategory | None = EntityCategory.CONFIG
    range_fn: Callable[[DataT], tuple[float, float]] | None = None
    """Its least and its most, where they differ from one to the other."""
    mode: NumberMode | None = NumberMode.BOX  # a slider hides the number
    native_step: float | None = 1
    native_unit_of_measurement: str | None = UnitOfElectricCurrent.AMPERE


def _set_range(
    coordinator: SiteCoordinator, charger: ChargerData, *, min_amps: float | None = None, max_amps: float | None = None
) -> None:
    settings = replace(
        charger.settings,
        min_amps=charger.settings.min_amps if min_amps is None else round(min_amps),
        max_amps=charger.settings.max_amps if max_amps is None else round(max_amps),
    )
    if settings.min_amps > settings.max_amps:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="min_above_max",
            translation_placeholders={"min_amps": str(settings.min_amps), "max_amps": str(settings.max_amps)},
        )
    coordinator.async_set_charger(charger.id, settings)


def _range_of(charger: ChargerData) -> tuple[float, float]:
    return min(charger.settings.profile.floor_amps, charger.settings.max_amps), charger.most_amps


SITE_NUMBERS: Final = (
    AmpSensorNumberDescription[SiteData](
        key=CONF_MAX_AMPS,
        translation_key=CONF_MAX_AMPS,
        native_min_value=MIN_BUDGET_A,
        native_max_value=MAX_BUDGET_A,
        value_fn=lambda site: site.settings.max_amps,
        set_fn=lambda coordinator, site, amps: coordinator.async_configure(replace(site.settings, max_amps=amps)),
    ),
)
CHARGER_NUMBERS: Final = (
    AmpSensorNumberDescription[ChargerData](
        key=CONF_MAX_AMPS_CAR,
        translation_key=CONF_MAX_AMPS_CAR,
        range_fn=_range_of,
        value_fn=lambda charger: charger.settings.max_amps,
        set_fn=lambda coordinator, charger, amps: _set_range(coordinator, charger, max_amps=amps),
    ),
    AmpSensorNumberDescription[ChargerData](
        key="min_amps_car",
        translation_key="min_amps_car",
        range_fn=_range_of,
        value_fn=lambda charger: charger.settings.min_amps,
        set_fn=lambda coordinator, charger, amps: _set_range(coordinator, charger, min_amps=amps),
    ),
    AmpSensorNumberDescription[ChargerData](
        key="reserve_w",
        translation_key="reserve_w",
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=MAX_RESERVE_W,
        value_fn=lambda charger: charger.settings.reserve_w,
        set_fn=lambda coordinator, charger, watts: coordinator.async_set_charger(
            charger.id, replace(charger.settings, reserve_w=watts)
        ),
        is_wanted_fn=lambda site: site.offers_surplus,
    ),
    AmpSensorNumberDescription[ChargerData](
        key="start_after",
        translation_key="start_after",
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=0,
        native_max_value=MAX_WAIT_MIN,
        value_fn=lambda charger: charger.settings.start_after_s / 60,
        set_fn=lambda coordinator, charger, minutes: coordinator.async_set_charger(
            charger.id, replace(charger.settings, start_after_s=60 * minutes)
        ),
        is_wanted_fn=lambda site: site.offers_surplus,
    ),
    AmpSensorNumberDescription[ChargerData](
        key="stop_after",
        translation_key="stop_after",
        device_class=NumberDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=0,
        native_max_value=MAX_WAIT_MIN,
        value_fn=lambda charger: charger.settings.stop_after_s / 60,
        set_fn=lambda coordinator, charger, minutes: coordinator.async_set_charger(
            charger.id, replace(charger.settings, stop_after_s=60 * minutes)
        ),
        is_wanted_fn=lambda site: site.offers_surplus,
    ),
    AmpSensorNumberDescription[ChargerData](
        key="wanted_percent",
        translation_key="wanted_percent",
        device_class=NumberDeviceClass.BATTERY,
        entity_category=None,
        native_min_value=0,
        native_max_value=100,
        native_unit_of_measurement=PERCENTAGE,
        value_fn=lambda charger: charger.goal.percent,
        set_fn=lambda coordinator, charger, percent: coordinator.async_set_goal(
            charger.id, replace(charger.goal, percent=percent)
        ),
        suits_fn=lambda charger: charger.knows_battery,
        is_wanted_fn=lambda site: site.has_prices,
    ),
    AmpSensorNumberDescription[ChargerData](
        key="wanted_energy",
        translation_key="wanted_energy",
        device_class=NumberDeviceClass.ENERGY,
        entity_category=None,
        native_min_value=0,
        native_max_value=MAX_WANTED_KWH,
        native_step=0.1,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        value_fn=lambda charger: charger.goal.kwh,
        set_fn=lambda coordinator, charger, kwh: coordinator.async_set_goal(charger.id, replace(charger.goal, kwh=kwh)),
        suits_fn=lambda charger: not charger.knows_battery,
        is_wanted_fn=lambda site: site.has_prices,
    ),
    AmpSensorNumberDescription[ChargerData](
        key="battery_capacity",
        translation_key="battery_capacity",
        device_class=NumberDeviceClass.ENERGY_STORAGE,
        native_min_value=MIN_CAPACITY_KWH,
        native_max_value=MAX_CAPACITY_KWH,
        native_step=0.1,
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        value_fn=lambda charger: charger.capacity_kwh,
        set_fn=lambda coordinator, charger, kwh: coordinator.async_set_goal(
            charger.id, replace(charger.goal, capacity_kwh=kwh)
        ),
        suits_fn=lambda charger: charger.knows_battery,
        is_wanted_fn=lambda site: site.has_prices,
    ),
)
LIMIT_NUMBERS: Final = (
    AmpSensorNumberDescription[LimitData](
        key="peak_limit",
        translation_key="peak_limit",
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.KILO_WATT,
        native_min_value=MIN_PEAK_KW,
        native_max_value=MAX_LIMIT_KW,
        native_step=0.1,
        value_fn=lambda limit: (limit.set_watts or 0.0) / 1000,
        set_fn=lambda coordinator, limit, kw: coordinator.async_set_limit(limit.id, 1000 * kw),
        suits_fn=lambda limit: limit.is_peak,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the numbers of a site, its chargers and its limits."""
    add_described_entities(
        entry.runtime_data,
        async_add_entities,
        AmpSensorNumber,
        site=SITE_NUMBERS,
        charger=CHARGER_NUMBERS,
        limit=LIMIT_NUMBERS,
    )


class AmpSensorNumber[DataT](AmpSensorEntity[DataT], NumberEntity):
    """A number that a person sets."""

    entity_description: AmpSensorNumberDescription[DataT]

    @property
    @override
    def native_min_value(self) -> float:
        """Return the least that may be set."""
        range_fn = self.entity_description.range_fn
        return super().native_min_value if range_fn is None else range_fn(self.shown)[0]

    @property
    @override
    def native_max_value(self) -> float:
        """Return the most that may be set."""
        range_fn = self.entity_description.range_fn
        return super().native_max_value if range_fn is None else range_fn(self.shown)[1]

    @property
    @override
    def native_value(self) -> float:
        """Return what is set."""
        return self.entity_description.value_fn(self.shown)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set it, at once and for good."""
        self.entity_description.set_fn(self.coordinator, self.shown, value)
