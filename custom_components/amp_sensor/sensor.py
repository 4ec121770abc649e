"""What the meter and the controller see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
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

from .control import ChargingState, Decision, Reading, Reason
from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities, is_connected, is_reported
from .site.coordinator import AmpSensorConfigEntry
from .site.data import ChargerData, SiteData

PARALLEL_UPDATES = 0

W_PER_A: Final = 240.0
"""Of a dead band: at the highest usual voltage, so that power is shown no more often than current."""
V_PER_A: Final = 8.0
"""2 V for the usual dead band of 0.25 A: the mains moves by one volt all the time."""
PERCENT_PER_A: Final = 4.0
"""Of a budget of 25 A."""
DEAD_BAND_TIME: Final = timedelta(minutes=1)
"""Nobody needs to know more exactly when the last reading came, before the meter is called silent."""

type SensorValue = float | str | datetime | None


@dataclass(frozen=True, kw_only=True)
class AmpSensorSensorDescription[DataT](AmpSensorEntityDescription[DataT], SensorEntityDescription):
    """Describes a sensor."""

    value_fn: Callable[[DataT], SensorValue]
    attributes_fn: Callable[[DataT], Mapping[str, float] | None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class AmpSensorCurrentDescription[DataT](AmpSensorSensorDescription[DataT]):
    """Describes a sensor of amps."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.CURRENT
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT
    native_unit_of_measurement: str | None = UnitOfElectricCurrent.AMPERE
    suggested_display_precision: int | None = 1
    dead_band: float | timedelta | None = 1.0


@dataclass(frozen=True, kw_only=True)
class AmpSensorEnergyDescription[DataT](AmpSensorSensorDescription[DataT]):
    """Describes a sensor of energy."""

    device_class: SensorDeviceClass | None = SensorDeviceClass.ENERGY
    state_class: SensorStateClass | None = SensorStateClass.TOTAL_INCREASING
    native_unit_of_measurement: str | None = UnitOfEnergy.WATT_HOUR
    suggested_unit_of_measurement: str | None = UnitOfEnergy.KILO_WATT_HOUR
    suggested_display_precision: int | None = 2


def _is_decided(charger: ChargerData) -> bool:
    return charger.decision is not None


class ChargingControl(StrEnum):
    """What a site does to a charger: what `reason` comes to for those who automate."""

    INACTIVE = "inactive"  # not ours to command
    FREE = "free"  # it may have all it takes
    LIMITED = "limited"
    PAUSED = "paused"


def _charging_control(charger: ChargerData) -> ChargingControl | None:
    match charger.decision:
        case None:
            return None
        case Decision(cap=0):
            return ChargingControl.INACTIVE
        case Decision(target=0):
            return ChargingControl.PAUSED
        case Decision(target=target, cap=cap):
            return ChargingControl.LIMITED if target < cap else ChargingControl.FREE


STEADY: Final = {
    Reason.ADOPTING,
    Reason.METER_SILENT,
    Reason.METER_FROZEN,
    Reason.METER_WRONG,
    Reason.PHASE_SILENT,
    Reason.REPORT_STALE,
    Reason.LIMIT_TOO_LOW,
    Reason.USER_LIMIT,
}
"""Of the reasons why a car has what it has, those that do not come and go with what the house draws."""


def _situation(charger: ChargerData) -> object:
    """Return what a reason is about: while a car follows the house, what is done to it, and else the reason itself."""
    control = _charging_control(charger)
    if charger.decision is None or (control is not ChargingControl.INACTIVE and charger.decision.reason not in STEADY):
        return control
    return charger.decision.reason


def _read(value_fn: Callable[[Reading, SiteData], SensorValue]) -> Callable[[SiteData], SensorValue]:
    """Take a value from the present reading, rounded to what a meter can tell."""

    def value(site: SiteData) -> SensorValue:
        if site.reading is None:
            return None
        return value_fn(site.reading, site)

    return value


SITE_SENSORS: Final[tuple[AmpSensorSensorDescription[SiteData], ...]] = (
    AmpSensorCurrentDescription(
        key="current",
        translation_key="current",
        value_fn=_read(lambda reading, _: round(reading.current, 2)),
        available_fn=is_connected,
        amiss_s=40.0,  # of all numbers this one has the history to be true to: what it costs stands at AMISS_S
    ),
    AmpSensorSensorDescription(
        key="power",
        translation_key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=_read(lambda reading, _: round(reading.watts)),
        available_fn=is_connected,
        dead_band=W_PER_A,
    ),
    AmpSensorSensorDescription(
        key="voltage",
        translation_key="voltage",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=0,
        value_fn=_read(lambda reading, _: round(reading.volts[0], 1)),
        available_fn=is_connected,
        dead_band=V_PER_A,
    ),
    AmpSensorEnergyDescription(
        key="energy",
        translation_key="energy",
        value_fn=lambda site: round(site.energy_wh, 1),
    ),
    AmpSensorCurrentDescription(
        key="headroom",
        translation_key="headroom",
        value_fn=_read(lambda reading, site: round(site.settings.max_amps - reading.current, 2)),
        available_fn=is_connected,
        urgent=-1,  # so it changes together with the current, and both add up to the budget while the house is calm
    ),
    AmpSensorSensorDescription(
        key="budget_used",
        translation_key="budget_used",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_read(lambda reading, site: round(100 * reading.current / site.settings.max_amps, 1)),
        available_fn=is_connected,
        is_derived=True,
        dead_band=PERCENT_PER_A,
    ),
    AmpSensorCurrentDescription(
        key="house_current",
        translation_key="house_current",
        value_fn=lambda site: None if site.house_current is None else round(site.house_current, 2),
        available_fn=is_connected,
        is_derived=True,
    ),
    AmpSensorSensorDescription(
        key="protection_load",
        translation_key="protection_load",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda site: round(100 * site.protection_load),
        available_fn=is_connected,
        dead_band=PERCENT_PER_A,
    ),
    AmpSensorSensorDescription(
        key="last_reading",
        translation_key="last_reading",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda site: site.read_at,
        dead_band=DEAD_BAND_TIME,
    ),
)


def _phase_sensor(phase: int) -> AmpSensorCurrentDescription[SiteData]:
    def amps(site: SiteData) -> float | None:
        told = () if site.reading is None else site.reading.amps
        return None if len(told) < phase or (current := told[phase - 1]) is None else round(current, 2)

    return AmpSensorCurrentDescription(
        key=f"current_l{phase}",
        translation_key=f"current_l{phase}",
        value_fn=amps,
        available_fn=lambda site: amps(site) is not None,
        is_derived=True,
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
        value_fn=lambda charger: None if charger.decision is None else charger.decision.target,
        available_fn=_is_decided,
        dead_band=None,
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
        value_fn=lambda charger: None if charger.decision is None else charger.decision.reason,
        attributes_fn=lambda charger: None if charger.decision is None else charger.decision.numbers,
        available_fn=_is_decided,
        situation_fn=_situation,
    ),
    AmpSensorSensorDescription(
        key="charging_control",
        translation_key="charging_control",
        device_class=SensorDeviceClass.ENUM,
        options=list(ChargingControl),
        value_fn=_charging_control,
        available_fn=_is_decided,
    ),
    AmpSensorEnergyDescription(
        key="energy",
        translation_key="energy",
        value_fn=lambda charger: round(charger.energy_wh, 1),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of a site and of its chargers; those of the phases once the site is known to have several."""
    coordinator = entry.runtime_data
    add_described_entities(coordinator, async_add_entities, AmpSensorSensor, site=SITE_SENSORS, charger=CHARGER_SENSORS)
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
        """Return what is seen, or what is held for it until something else is worth a state."""
        value = self.entity_description.value_fn(self.shown)
        held = self._publication.value
        plain = float | int | str
        return held if isinstance(held, plain) and isinstance(value, plain) else value

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the numbers behind what is seen."""
        return self.entity_description.attributes_fn(self.shown)
