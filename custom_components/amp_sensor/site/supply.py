"""Where a site's readings come from: its address, or sensors that Home Assistant has."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..const import CONF_METER, CONF_VOLTAGE
from ..meters.entity import EntityMeter
from ..notices.watch import Lasting
from . import address
from .coordinator import AmpSensorConfigEntry

LOOK: Final = timedelta(seconds=10)
"""How often it is looked whether the sensors are there."""
GONE_S: Final = 60.0
"""How long a sensor is missing until that is told, s: integrations that are reloaded take seconds."""


def async_register(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Take the site's readings from now until the entry is unloaded."""
    if (settings := entry.data.get(CONF_METER)) is None:
        address.async_register(hass, entry)
        return
    coordinator = entry.runtime_data
    meter = EntityMeter(hass, settings, coordinator.async_add_reading, nominal_volts=entry.data[CONF_VOLTAGE])
    coordinator.posts = meter.posts
    gone = Lasting(GONE_S)

    @callback
    def async_look(_now: datetime) -> None:
        """Tell which sensors Home Assistant does not have any more. While it starts, others are not ready yet."""
        missing = meter.missing if hass.is_running else []
        coordinator.issues.set(
            "meter_entity_gone",
            entry.entry_id,
            is_wrong=gone.look(bool(missing), coordinator.now()),
            site=entry.title,
            entities=", ".join(missing),
        )

    entry.async_on_unload(meter.async_start())
    entry.async_on_unload(async_track_time_interval(hass, async_look, LOOK, cancel_on_shutdown=True))
