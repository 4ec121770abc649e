"""What all ways of adding a charger have in common: the site that it is added to, and what the sites have already."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from ..const import CONF_SUPPLY, DOMAIN, SUBENTRY_CHARGER
from ..control import Supply


def phases_of(site: Mapping[str, Any]) -> int:
    """Return how many phases a site has at most."""
    return Supply(site.get(CONF_SUPPLY, Supply.THREE)).phases


def chargers(hass: HomeAssistant) -> Iterator[ConfigSubentry]:
    """Yield the chargers of every site."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        yield from entry.get_subentries_of_type(SUBENTRY_CHARGER)


def known_chargers(hass: HomeAssistant) -> set[str | None]:
    """Return the unique ids of the chargers that any site has: of a Tesla through Tessie its VIN."""
    return {charger.unique_id for charger in chargers(hass)}


class AddingSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that add a charger: to a new site as to one that is there."""

    @abstractmethod
    def _site(self) -> Mapping[str, Any]:
        """Return the settings of the site that the charger belongs to."""

    @abstractmethod
    async def _async_add_charger(self, charger: ConfigSubentryData) -> ResultT:
        """Go on with a charger whose settings are complete."""
