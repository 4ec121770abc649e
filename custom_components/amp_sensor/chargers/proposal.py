"""What is proposed for a device: stands in until the chargers' own is there."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .profile import ActionCall, ChargerProfile, Find
from .profiles import PROFILES


def propose(hass: HomeAssistant, device_id: str) -> tuple[ChargerProfile | None, dict[str, Any]]:
    """Return the profile of a device, and its roles filled in."""
    device = dr.async_get(hass).async_get(device_id)
    if device is None:
        return None, {}
    entities = er.async_entries_for_device(er.async_get(hass), device_id)
    entries = (hass.config_entries.async_get_entry(each) for each in device.config_entries)
    domains = {entry.domain for entry in entries if entry is not None}

    def ref(find: Find | ActionCall | None) -> str | None:
        return next((each.id for each in entities if isinstance(find, Find) and find.matches(each)), None)

    for profile in PROFILES:
        if profile.integration not in domains or not all(ref(find) for find in profile.needed):
            continue
        pause = profile.pause
        roles: dict[str, Any] = {
            "current": ref(profile.current),
            "pause": ref(pause.pause) if pause else None,
            "pause_state": pause.pause_state if pause else None,
            "resume_state": pause.resume_state if pause else None,
            "state": ref(profile.state),
            "plugged": ref(profile.plugged),
            "charging": ref(profile.charging),
            "currents": [found for each in profile.currents if (found := ref(each))],
            "power": ref(profile.power),
            "voltage": ref(profile.voltage),
            "phases": ref(profile.phases),
            "limit": ref(profile.limit),
            "place": ref(profile.place),
            "scheduled": ref(profile.scheduled),
            "asleep": ref(profile.asleep),
            "wake": ref(profile.wake),
        }
        return profile, {role: value for role, value in roles.items() if value}
    return None, {}
