"""What the meter and the controller see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    MATCH_ALL,
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfPower,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import ChargingState, LoadReason, Reason
from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities, is_connected, is_reported
from .site.coordinator import AmpSensorConfigEntry
from .site.data import ChargerData, LoadData, SiteData
from .site.goal import ChargerPlan
from .site.limiting import LimitData
from .site.shown import ChargingControl, Moment

PARALLEL_UPDATES = 0

type SensorValue = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class AmpSensorSensorDescription[DataT](AmpSensorEntityDescription[DataT], SensorEntityDescription):
    """Describes a sensor."""

    value_fn: Callable[[DataT], SensorValue]
    attributes_fn: Callable[[DataT], Mapping[str, Any] | None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class AmpSensorCurrentDescription[DataT](AmpSensorSensorDescription[DataT]):
    """Describes a sensor of amps."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.CURRENT
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str | None = UnitOfElectricCurrent.AMPERE
    suggested_display_precision: int | None = 1


@dataclass(frozen=True, kw_only=True)
class AmpSensorEnergyDescription[DataT](AmpSensorSensorDescription[DataT]):
    """Describes a sensor of energy."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.ENERGY
    state_class: SensorStateClass | None = SensorStateClass.TOTAL_INCREASING
    native_unit_of_measurement: str | None = UnitOfEnergy.WATT_HOUR
    suggested_unit_of_measurement: str | None = UnitOfEnergy.KILO_WATT_HOUR
    suggested_display_precision: int | None = 2


def _timeline(plan: ChargerPlan) -> dict[str, Any]:
    """Return what is planned, part by part, as the card draws it."""
    return {
        "ready_at": plan.ready_at.isoformat(),
        "needed_kwh": plan.needed_kwh,
        "timeline": [
            {
                "start": strip.start.isoformat(),
                "end": strip.end.isoformat(),
                "price": strip.price,
                "planned": strip.is_planned,
            }
            for strip in plan.strips
        ],
    }


def _is_decided(charger: ChargerData) -> bool:
    return charger.shown is not None


def _at(value_fn: Callable[[Moment, SiteData], SensorValue]) -> Callable[[SiteData], SensorValue]:
    """Take a value from the moment that is shown."""

    def value(site: SiteData) -> SensorValue:
        return None if site.shown is None else value_fn(site.shown, site)

    return value


SITE_SENSORS: Final[tuple[AmpSensorSensorDescription[SiteData], ...]] = (
    AmpSensorCurrentDescription(
        key="current",
        translation_key="current",
        value_fn=_at(lambda moment, _: moment.current),
        available_fn=is_connected,
    ),
    AmpSensorSensorDescription(
        key="power",
        translation_key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=_at(lambda moment, _: round(moment.watts)),
        available_fn=is_connected,
    ),
    AmpSensorSensorDescription(
        key="voltage",
        translation_key="voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=0,
        value_fn=_at(lambda moment, _: round(moment.volts[0])),
        available_fn=is_connected,
    ),
    AmpSensorEnergyDescription(
        key="energy",
        translation_key="energy",
        value_fn=lambda site: round(site.energy_wh, 1),
    ),
    AmpSensorCurrentDescription(
        key="headroom",
        translation_key="headroom",
        value_fn=_at(lambda moment, site: site.headroom(moment)),
        available_fn=is_connected,
    ),
    AmpSensorSensorDescription(
        key="budget_used",
        translation_key="budget_used",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,  # the headroom in other words
        value_fn=_at(lambda moment, site: round(100 * moment.current / site.settings.max_amps, 1)),
        available_fn=is_connected,
    ),
    AmpSensorCurrentDescription(
        key="house_current",
        translation_key="house_current",
        value_fn=_at(lambda moment, _: moment.house_current),
        available_fn=is_connected,
        is_wanted_fn=lambda site: bool(site.chargers),  # otherwise all current is the house's
    ),
    AmpSensorSensorDescription(
        key="protection_load",
        translation_key="protection_load",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_at(lambda moment, _: round(100 * moment.protection_load)),
        available_fn=is_connected,
    ),
    AmpSensorSensorDescription(
        key="last_reading",
        translation_key="last_reading",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda site: site.read_at if site.shown is None else site.shown.read_at,
    ),
)


def _phase_sensor(phase: int) -> AmpSensorCurrentDescription[SiteData]:
    def amps(site: SiteData) -> float | None:
        told = () if site.shown is None else site.shown.amps
        return told[phase - 1] if len(told) >= phase else None

    return AmpSensorCurrentDescription(
        key=f"current_l{phase}",
        translation_key=f"current_l{phase}",
        value_fn=amps,
        available_fn=lambda site: amps(site) is not None,
    )


PHASE_SENSORS: Final = tuple(_phase_sensor(phase) for phase in (1, 2, 3))
CHARGER_PHASE_SENSORS: Final[tuple[AmpSensorSensorDescription[ChargerData], ...]] = (
    AmpSensorSensorDescription(
        key="phases",
        translation_key="phases",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda charger: (
            None if charger.phases is None else " + ".join(f"L{phase}" for phase in charger.phases)
        ),
    ),
)
CHARGER_SENSORS: Final[tuple[AmpSensorSensorDescription[ChargerData], ...]] = (
    AmpSensorCurrentDescription(
        key="target_current",
        translation_key="target_current",
        suggested_display_precision=0,
        value_fn=lambda charger: None if charger.shown is None else charger.shown.target,
        available_fn=_is_decided,
    ),
    AmpSensorCurrentDescription(
        key="charging_current",
        translation_key="charging_current",
        suggested_display_precision=0,
        value_fn=lambda charger: charger.charging_amps,
        available_fn=is_reported,
    ),
    AmpSensorSensorDescription(
        key="charging_state",
        translation_key="charging_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(ChargingState),
        value_fn=lambda charger: None if charger.report is None else charger.report.state,
        available_fn=is_reported,
    ),
    AmpSensorSensorDescription(
        key="reason",
        translation_key="reason",
        device_class=SensorDeviceClass.ENUM,
        options=list(Reason),
        value_fn=lambda charger: None if charger.shown is None else charger.shown.reason,
        attributes_fn=lambda charger: None if charger.shown is None else charger.shown.numbers,
        available_fn=_is_decided,
    ),
    AmpSensorSensorDescription(
        key="charging_control",
        translation_key="charging_control",
        device_class=SensorDeviceClass.ENUM,
        options=list(ChargingControl),
        value_fn=lambda charger: charger.control,
        available_fn=_is_decided,
    ),
    AmpSensorEnergyDescription(
        key="energy",
        translation_key="energy",
        value_fn=lambda charger: round(charger.energy_wh, 1),
    ),
    AmpSensorSensorDescription(
        key="planned_start",
        translation_key="planned_start",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda charger: None if charger.plan is None else charger.plan.start,
        attributes_fn=lambda charger: None if charger.plan is None else _timeline(charger.plan),
        more_fn=lambda charger: None if charger.plan is None else (charger.plan.ready_at, charger.plan.strips),
        is_wanted_fn=lambda site: site.has_prices,
    ),
    AmpSensorSensorDescription(
        key="planned_end",
        translation_key="planned_end",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda charger: None if charger.plan is None else charger.plan.end,
        is_wanted_fn=lambda site: site.has_prices,
    ),
    AmpSensorSensorDescription(
        key="expected_cost",
        translation_key="expected_cost",
        device_class=SensorDeviceClass.MONETARY,
        suggested_display_precision=2,
        value_fn=lambda charger: None if charger.plan is None else charger.plan.cost,
        is_wanted_fn=lambda site: site.has_prices,
    ),
)


@dataclass(frozen=True, kw_only=True)
class AmpSensorPowerDescription[DataT](AmpSensorSensorDescription[DataT]):
    """Describes a sensor of the power of all phases together."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.POWER
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str | None = UnitOfPower.WATT
    suggested_unit_of_measurement: str | None = UnitOfPower.KILO_WATT
    suggested_display_precision: int | None = 2


LIMIT_SENSORS: Final[tuple[AmpSensorSensorDescription[LimitData], ...]] = (
    AmpSensorPowerDescription(
        key="limit_in_force",
        translation_key="limit_in_force",
        value_fn=lambda limit: limit.in_force_watts,
        suits_fn=lambda limit: not limit.is_current,
    ),
    AmpSensorCurrentDescription(
        key="limit_current",
        translation_key="limit_current",
        value_fn=lambda limit: limit.in_force_amps,
        suits_fn=lambda limit: limit.is_current,
    ),
    AmpSensorPowerDescription(
        key="window_average",
        translation_key="window_average",
        value_fn=lambda limit: limit.average_watts,
        suits_fn=lambda limit: limit.is_averaged,
    ),
    AmpSensorPowerDescription(
        key="window_expected",
        translation_key="window_expected",
        value_fn=lambda limit: limit.expected_watts,
        suits_fn=lambda limit: limit.is_averaged,
    ),
    AmpSensorPowerDescription(
        key="month_peak",
        translation_key="month_peak",
        value_fn=lambda limit: limit.peak_watts,
        suits_fn=lambda limit: limit.is_averaged,
    ),
)
LOAD_SENSORS: Final[tuple[AmpSensorSensorDescription[LoadData], ...]] = (
    AmpSensorSensorDescription(
        key="load_state",
        translation_key="load_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(LoadReason),
        value_fn=lambda load: load.reason,
        attributes_fn=lambda load: {
            key: value for key, value in (("amps", load.amps), ("limit", load.limit)) if value is not None
        },
    ),
    AmpSensorSensorDescription(
        key="shed_today",
        translation_key="shed_today",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda load: load.shed_today,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of a site, its chargers, loads and limits; of the phases once it is known to have several."""
    coordinator = entry.runtime_data
    add_described_entities(
        coordinator,
        async_add_entities,
        AmpSensorSensor,
        site=SITE_SENSORS,
        charger=CHARGER_SENSORS,
        load=LOAD_SENSORS,
        limit=LIMIT_SENSORS,
    )
    added = 0

    @callback
    def add_phases() -> None:
        nonlocal added
        phases = coordinator.data.phases
        if phases > max(added, 1):
            add_described_entities(
                coordinator,
                async_add_entities,
                AmpSensorSensor,
                site=PHASE_SENSORS[added:phases],
                charger=() if added else CHARGER_PHASE_SENSORS,
            )
            added = phases

    add_phases()
    entry.async_on_unload(coordinator.async_add_listener(add_phases))


class AmpSensorSensor[DataT](AmpSensorEntity[DataT], SensorEntity):
    """Something that the meter or the controller sees."""

    # The numbers behind a reason change with every decision: for reading now, not for the database
    _unrecorded_attributes = frozenset({MATCH_ALL})
    entity_description: AmpSensorSensorDescription[DataT]

    @property
    @override
    def native_value(self) -> SensorValue:
        """Return what is seen."""
        return self.entity_description.value_fn(self.shown)

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit; of money, the currency of Home Assistant."""
        is_money = self.entity_description.device_class is SensorDeviceClass.MONETARY
        return self.hass.config.currency if is_money else super().native_unit_of_measurement

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the numbers behind what is seen."""
        return self.entity_description.attributes_fn(self.shown)
