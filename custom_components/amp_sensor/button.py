"""What a person can have done with a site."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import AmpSensorEntity, AmpSensorEntityDescription, add_described_entities
from .site.coordinator import AmpSensorConfigEntry
from .site.data import SiteData
from .view.share import async_share

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class AmpSensorButtonDescription(AmpSensorEntityDescription[SiteData], ButtonEntityDescription):
    """Describes a button."""

    value_fn: Callable[[SiteData], object] = lambda _: None
    press_fn: Callable[[HomeAssistant, AmpSensorConfigEntry], Awaitable[None]]


SITE_BUTTONS: Final = (
    AmpSensorButtonDescription(
        key="share", translation_key="share", entity_category=EntityCategory.CONFIG, press_fn=async_share
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AmpSensorConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the buttons of a site."""
    add_described_entities(entry.runtime_data, async_add_entities, AmpSensorButton, site=SITE_BUTTONS)


class AmpSensorButton(AmpSensorEntity[SiteData], ButtonEntity):
    """Something that is done at once."""

    entity_description: AmpSensorButtonDescription

    @override
    async def async_press(self) -> None:
        """Do it, if whoever pressed may: a link lets in whoever has it, as an account does."""
        user_id = self._context.user_id if self._context else None
        if user_id is not None and (
            (user := await self.hass.auth.async_get_user(user_id)) is None or not user.is_admin
        ):
            raise Unauthorized(context=self._context, entity_id=self.entity_id)
        await self.entity_description.press_fn(self.hass, self.coordinator.config_entry)
