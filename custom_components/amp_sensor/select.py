"""How a site is controlled, what its chargers charge with and when, and who of them and of its loads comes first."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .control import ChargeWith, Mode, Priority, When
from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.data import ChargerData, LoadData, SiteData
from .site.goal import Days

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorSelectDescription[DataT](AmpSensorEntityDescription[DataT], SelectEntityDescription):
    """Describes a choice."""

    value_fn: Callable[[DataT], str]
    select_fn: Callable[[SiteCoordinator, DataT, str], None]


def _charge_with(coordinator: SiteCoordinator, charger: ChargerData, option: ChargeWith) -> None:
    if option is not ChargeWith.GRID and not coordinator.data.knows_sign:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_sign",
            translation_placeholders={"site": coordinator.config_entry.title},
        )
    coordinator.async_set_charger(charger.id, replace(charger.settings, charge_with=option))


SITE_SELECTS: Final = (
    AmpSensorSelectDescription[SiteData](
        key="mode",
        translation_key="mode",
        options=list(Mode),
        value_fn=lambda site: site.settings.mode,
        select_fn=lambda coordinator, site, option: coordinator.async_configure(
            replace(site.settings, mode=Mode(option))
        ),
    ),
)
CHARGER_SELECTS: Final = (
    AmpSensorSelectDescription[ChargerData](
        key="charge_with",
        translation_key="charge_with",
        options=list(ChargeWith),
        value_fn=lambda charger: charger.settings.charge_with,
        select_fn=lambda coordinator, charger, option: _charge_with(coordinator, charger, ChargeWith(option)),
        is_wanted_fn=lambda site: site.offers_surplus,
    ),
    AmpSensorSelectDescription[ChargerData](
        key="priority",
        translation_key="priority",
        entity_category=EntityCategory.CONFIG,
        options=list(Priority),
        value_fn=lambda charger: charger.settings.priority,
        select_fn=lambda coordinator, charger, option: coordinator.async_set_charger(
            charger.id, replace(charger.settings, priority=Priority(option))
        ),
        is_wanted_fn=lambda site: len(site.chargers) > 1,  # who is alone comes first anyway
    ),
    AmpSensorSelectDescription[ChargerData](
        key="plan",
        translation_key="plan",
        options=list(When),
        value_fn=lambda charger: charger.goal.when,
        select_fn=lambda coordinator, charger, option: coordinator.async_set_goal(
            charger.id, replace(charger.goal, when=When(option))
        ),
        is_wanted_fn=lambda site: site.has_prices,
    ),
    AmpSensorSelectDescription[ChargerData](
        key="ready_days",
        translation_key="ready_days",
        entity_category=EntityCategory.CONFIG,
        options=list(Days),
        value_fn=lambda charger: charger.goal.days,
        select_fn=lambda coordinator, charger, option: coordinator.async_set_goal(
            charger.id, replace(charger.goal, days=Days(option))
        ),
        is_wanted_fn=lambda site: site.has_prices,
    ),
)
LOAD_SELECTS: Final = (
    AmpSensorSelectDescription[LoadData](
        key="priority",
        translation_key="priority",
        entity_category=EntityCategory.CONFIG,
        options=list(Priority),
        value_fn=lambda load: load.settings.priority,
        select_fn=lambda coordinator, load, option: coordinator.async_set_load(
            load.id, replace(load.settings, priority=Priority(option))
        ),
        is_wanted_fn=lambda site: len(site.loads) > 1,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the choices of a site, of its chargers and of its loads."""
    add_described_entities(
        entry.runtime_data,
        async_add_entities,
        AmpSensorSelect,
        site=SITE_SELECTS,
        charger=CHARGER_SELECTS,
        load=LOAD_SELECTS,
    )


class AmpSensorSelect[DataT](AmpSensorEntity[DataT], SelectEntity):
    """A choice."""

    entity_description: AmpSensorSelectDescription[DataT]

    @property
    @override
    def current_option(self) -> str:
        """Return what is chosen."""
        return self.entity_description.value_fn(self.shown)

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose, at once and for good."""
        self.entity_description.select_fn(self.coordinator, self.shown, option)
