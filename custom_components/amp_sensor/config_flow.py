"""Adding and changing sites, chargers and loads by hand."""

from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigSubentryFlow
from homeassistant.core import callback

from .const import (
    DOMAIN,
    SUBENTRY_BATTERY,
    SUBENTRY_CHARGER,
    SUBENTRY_LIMIT,
    SUBENTRY_LOAD,
    SUBENTRY_PRICES,
)
from .flows.battery import BatterySubentryFlow
from .flows.charger import ChargerSubentryFlow, TokenSteps
from .flows.limit import LimitSubentryFlow
from .flows.load import LoadSubentryFlow
from .flows.options import AmpSensorOptionsFlow
from .flows.prices import PricesSubentryFlow
from .flows.site import SiteSteps
from .site.coordinator import AmpSensorConfigEntry


class AmpSensorConfigFlow(SiteSteps, TokenSteps, domain=DOMAIN):
    """Add a site, change it, or renew the token of one of its cars."""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: AmpSensorConfigEntry) -> AmpSensorOptionsFlow:
        """Return the flow for the options of a site."""
        return AmpSensorOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a site."""
        return {
            SUBENTRY_CHARGER: ChargerSubentryFlow,
            SUBENTRY_LOAD: LoadSubentryFlow,
            SUBENTRY_LIMIT: LimitSubentryFlow,
            SUBENTRY_BATTERY: BatterySubentryFlow,
            SUBENTRY_PRICES: PricesSubentryFlow,
        }
