"""A charger of another integration, with a car on it: real entities of a real config entry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.config_entries import HANDLERS, ConfigEntry, ConfigFlow
from homeassistant.const import UnitOfElectricCurrent, UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

DOMAIN = "box"
DEVICE = {(DOMAIN, "one")}


@dataclass
class Box:
    """What such a charger is and does; one car is plugged in, on all three phases."""

    amps: float = 16.0
    allowed: bool = True
    plugged: bool = True
    takes: float = 32.0
    least: float = 6.0
    most: float = 32.0
    step: float = 1.0
    available: bool = True
    failure: Exception | None = None
    shows: bool = True
    """Whether its number shows what is set."""
    zero_pauses: bool = False
    writes: list[float | str] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    @property
    def draws(self) -> float:
        """What it draws, A on each phase."""
        return min(self.amps, self.takes) if self.plugged and self.allowed and self.amps >= 6 else 0.0

    @property
    def state(self) -> str:
        if not self.plugged:
            return "none"
        return "charging" if self.draws else "waiting"

    def write(self, what: float | str) -> None:
        """Take what Home Assistant tells it."""
        if self.failure is not None:
            raise self.failure
        self.writes.append(what)
        if isinstance(what, str):
            self.allowed = what == "on"
        else:
            self.amps = what
        self.show()

    def show(self) -> None:
        """Let Home Assistant know how it is."""
        for entity in self.entities:
            if entity.hass is not None:
                entity.async_write_ha_state()

    def change(self, **changes: Any) -> None:
        """Become something, and show it."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.show()


class _Entity(Entity):
    _attr_should_poll = False
    _attr_has_entity_name = True

    def __init__(self, box: Box, key: str) -> None:
        self.box = box
        self._attr_translation_key = self._attr_name = key
        self._attr_unique_id = f"5YJ3E1EA7KF000316_{key}"
        self._attr_device_info = dr.DeviceInfo(identifiers=DEVICE, name="Box", manufacturer="Boxes", model="B1")

    @property
    @override
    def available(self) -> bool:
        return self.box.available


class _Limit(_Entity, NumberEntity):
    _attr_device_class = NumberDeviceClass.CURRENT
    _attr_native_unit_of_measurement = UnitOfElectricCurrent.AMPERE
    _attr_mode = NumberMode.BOX

    @property
    @override
    def native_value(self) -> float:
        return self.box.amps if self.box.shows else 32.0

    @property
    @override
    def native_min_value(self) -> float:
        return 0.0 if self.box.zero_pauses else self.box.least

    @property
    @override
    def native_max_value(self) -> float:
        return self.box.most

    @property
    @override
    def native_step(self) -> float:
        return self.box.step

    @override
    async def async_set_native_value(self, value: float) -> None:
        self.box.write(value)


class _Allow(_Entity, SwitchEntity):
    @property
    @override
    def is_on(self) -> bool:
        return self.box.allowed

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self.box.write("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.box.write("off")


class _Value(_Entity, SensorEntity):
    def __init__(self, box: Box, key: str, value_fn: Callable[[Box], Any], **attributes: Any) -> None:
        super().__init__(box, key)
        self._value_fn = value_fn
        for name, value in attributes.items():
            setattr(self, f"_attr_{name}", value)

    @property
    @override
    def native_value(self) -> Any:
        return self._value_fn(self.box)


class _Flow(ConfigFlow):
    """It has none, but Home Assistant asks for its version."""


async def add_box(hass: HomeAssistant, box: Box) -> MockConfigEntry:
    """Add a charger to Home Assistant, with its integration."""

    async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, ["number", "sensor", "switch"])
        return True

    async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        box.entities.clear()
        return await hass.config_entries.async_unload_platforms(entry, ["number", "sensor", "switch"])

    def platform(create: Callable[[], list[Entity]]) -> MockPlatform:
        async def setup(
            hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
        ) -> None:
            entities = create()
            box.entities.extend(entities)
            async_add_entities(entities)

        return MockPlatform(async_setup_entry=setup)

    mock_integration(
        hass,
        MockModule(DOMAIN, async_setup_entry=async_setup_entry, async_unload_entry=async_unload_entry),
        built_in=False,
    )
    mock_platform(hass, f"{DOMAIN}.config_flow")
    mock_platform(hass, f"{DOMAIN}.number", platform(lambda: [_Limit(box, "limit")]))
    mock_platform(hass, f"{DOMAIN}.switch", platform(lambda: [_Allow(box, "allow")]))
    mock_platform(
        hass,
        f"{DOMAIN}.sensor",
        platform(
            lambda: [
                _Value(box, "state", lambda each: each.state),
                _Value(
                    box,
                    "power",
                    lambda each: each.draws * 3 * 0.23,
                    device_class=SensorDeviceClass.POWER,
                    native_unit_of_measurement=UnitOfPower.KILO_WATT,
                ),
            ]
        ),
    )
    entry = MockConfigEntry(domain=DOMAIN, title="Box", entry_id="01JBOX")
    entry.add_to_hass(hass)
    HANDLERS[DOMAIN] = _Flow
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def box_roles(hass: HomeAssistant, **changes: Any) -> dict[str, Any]:
    """Return the roles of its entities, as the flow keeps them."""
    registry = er.async_get(hass)
    ids = {entry.translation_key: entry.id for entry in registry.entities.values() if entry.platform == DOMAIN}
    roles = {
        "current": ids["limit"],
        "pause": ids["allow"],
        "pause_state": "off",
        "resume_state": "on",
        "state": ids["state"],
        "states": {"charging": ["charging"], "stopped": ["waiting"], "complete": ["full"], "disconnected": ["none"]},
        "power": ids["power"],
    }
    return {role: each for role, each in {**roles, **changes}.items() if each is not None}


def entity_id_of(hass: HomeAssistant, key: str) -> str:
    """Return what an entity of it is called now."""
    registry = er.async_get(hass)
    return next(
        entry.entity_id
        for entry in registry.entities.values()
        if entry.platform == DOMAIN and entry.translation_key == key
    )


REFUSED = ServiceValidationError("not now")
BROKEN = HomeAssistantError("cannot reach 5YJ3E1EA7KF000316")
