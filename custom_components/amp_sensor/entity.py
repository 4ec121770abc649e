"""What the entities of a site, of its chargers and of its loads have in common."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .chargers.tessie import model_of
from .const import CONF_CAR_VIN, CONF_ROLES, DOMAIN
from .site.coordinator import SiteCoordinator
from .site.data import ChargerData, LoadData, SiteData
from .site.limiting import LimitData


@dataclass(frozen=True, kw_only=True)
class AmpSensorEntityDescription[DataT](EntityDescription):
    """Describes an entity that shows something of a site, a charger or a load."""

    value_fn: Callable[[DataT], object]
    available_fn: Callable[[DataT], bool] = lambda _: True
    is_wanted_fn: Callable[[SiteData], bool] = lambda _: True
    """Whether it says anything at such a site: else there is none."""
    more_fn: Callable[[DataT], object] = lambda _: None
    """What is worth a state when it changes, beside the value."""
    suits_fn: Callable[[DataT], bool] = lambda _: True
    """Whether it says anything of such a site or charger: else there is none."""


@dataclass(frozen=True, kw_only=True)
class Source[DataT]:
    """Whose data an entity shows: the site's, one charger's or one load's."""

    id: str
    """Of the config entry or the subentry: what unique ids begin with."""
    device_info: DeviceInfo
    read: Callable[[SiteData], DataT]


def _site_source(coordinator: SiteCoordinator) -> Source[SiteData]:
    entry_id = coordinator.config_entry.entry_id
    return Source(id=entry_id, device_info=DeviceInfo(identifiers={(DOMAIN, entry_id)}), read=lambda site: site)


def _make(hass: HomeAssistant, charger: ConfigSubentry) -> tuple[str | None, str | None]:
    """Return who made a charger, and which model it is."""
    if CONF_ROLES not in charger.data:
        return "Tesla", model_of(charger.data[CONF_CAR_VIN])
    device = dr.async_get(hass).async_get(charger.data.get(CONF_DEVICE_ID) or "")
    return (device.manufacturer, device.model) if isinstance(device, dr.DeviceEntry) else (None, None)


def _charger_source(coordinator: SiteCoordinator, charger_id: str) -> Source[ChargerData]:
    charger = coordinator.config_entry.subentries[charger_id]
    manufacturer, model = _make(coordinator.hass, charger)
    return Source(
        id=charger_id,
        device_info=DeviceInfo(
            identifiers={(DOMAIN, charger_id)},
            manufacturer=manufacturer,
            model=model,
            name=charger.title,
            via_device_id=coordinator.device_id,
        ),
        read=lambda site: site.chargers[charger_id],
    )


def _limit_source(coordinator: SiteCoordinator, limit_id: str) -> Source[LimitData]:
    return Source(
        id=limit_id,
        device_info=DeviceInfo(
            identifiers={(DOMAIN, limit_id)},
            entry_type=dr.DeviceEntryType.SERVICE,
            name=coordinator.config_entry.subentries[limit_id].title,
            via_device_id=coordinator.device_id,
        ),
        read=lambda site: site.limits[limit_id],
    )


def _load_source(coordinator: SiteCoordinator, load_id: str) -> Source[LoadData]:
    return Source(
        id=load_id,
        device_info=DeviceInfo(
            identifiers={(DOMAIN, load_id)},
            name=coordinator.config_entry.subentries[load_id].title,
            via_device_id=coordinator.device_id,
        ),
        read=lambda site: site.loads[load_id],
    )


@callback
def add_described_entities(
    coordinator: SiteCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[SiteCoordinator, Source[Any], Any], Entity],
    *,
    site: Collection[AmpSensorEntityDescription[SiteData]] = (),
    charger: Collection[AmpSensorEntityDescription[ChargerData]] = (),
    load: Collection[AmpSensorEntityDescription[LoadData]] = (),
    limit: Collection[AmpSensorEntityDescription[LimitData]] = (),
) -> None:
    """Add a platform's entities: one for each description of the site, of every charger, load and limit.

    One that comes to say something while the site runs is added then.
    """
    registry = er.async_get(coordinator.hass)
    entries = er.async_entries_for_config_entry(registry, coordinator.config_entry.entry_id)
    known = {entry.unique_id: entry.entity_id for entry in entries}
    added: set[str] = set()

    def created[DataT](
        source: Source[DataT], descriptions: Iterable[AmpSensorEntityDescription[DataT]]
    ) -> Iterator[Entity]:
        for description in descriptions:
            unique_id = _unique_id(source, description)
            suits = description.suits_fn(source.read(coordinator.data))
            if unique_id in added:
                continue
            if suits and description.is_wanted_fn(coordinator.data):
                added.add(unique_id)
                yield create(coordinator, source, description)
            elif entity_id := known.pop(unique_id, None):
                registry.async_remove(entity_id)

    site_source = _site_source(coordinator)
    data = coordinator.data
    parts: list[tuple[str, Source[Any], Collection[AmpSensorEntityDescription[Any]]]] = [
        *((charger_id, _charger_source(coordinator, charger_id), charger) for charger_id in data.chargers),
        *((load_id, _load_source(coordinator, load_id), load) for load_id in data.loads),
        *((limit_id, _limit_source(coordinator, limit_id), limit) for limit_id in data.limits),
    ]

    @callback
    def async_add() -> None:
        if entities := list(created(site_source, site)):
            async_add_entities(entities)
        for subentry_id, source, descriptions in parts:
            if entities := list(created(source, descriptions)):
                async_add_entities(entities, config_subentry_id=subentry_id)

    async_add()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(async_add))


def _unique_id(source: Source[Any], description: EntityDescription) -> str:
    return f"{source.id}_{description.key}"


def is_connected(site: SiteData) -> bool:
    """Whether the meter is heard."""
    return site.shown is not None


def is_reported(charger: ChargerData) -> bool:
    """Whether the charger is heard."""
    return charger.report is not None


@callback
def filter_by_key(hass: HomeAssistant, entity_ids: Iterable[str], key: str) -> set[str]:
    """Return those of the entities that are ours and show what `key` stands for."""
    registry = er.async_get(hass)
    entries = [entry for entity_id in entity_ids if (entry := registry.async_get(entity_id)) is not None]
    return {entry.entity_id for entry in entries if entry.platform == DOMAIN and entry.translation_key == key}


class AmpSensorEntity[DataT](CoordinatorEntity[SiteCoordinator]):
    """An entity that shows what the coordinator knows, whenever that changes."""

    _attr_has_entity_name = True
    entity_description: AmpSensorEntityDescription[DataT]

    def __init__(
        self, coordinator: SiteCoordinator, source: Source[DataT], description: AmpSensorEntityDescription[DataT]
    ) -> None:
        super().__init__(coordinator)
        self.entity_description = description
        self._source = source
        self._written: object = None
        self._attr_unique_id = _unique_id(source, description)
        self._attr_device_info = source.device_info

    @property
    def shown(self) -> DataT:
        """What is known of the site or the charger."""
        return self._source.read(self.coordinator.data)

    @property
    @override
    def available(self) -> bool:
        """Return whether there is anything to show."""
        return self.entity_description.available_fn(self.shown)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        description, shown = self.entity_description, self.shown
        value = description.value_fn(shown) if description.available_fn(shown) else STATE_UNAVAILABLE
        written = value, description.more_fn(shown)
        if written != self._written:
            self._written = written
            super()._handle_coordinator_update()
