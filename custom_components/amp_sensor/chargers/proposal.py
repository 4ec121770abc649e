"""What is proposed for a device that a profile knows: which of its entities has which role."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_registry import RegistryEntry

from .profile import ActionCall, ChargerProfile, Find
from .profiles import PROFILES

_ROLES = ("state", "plugged", "charging", "power", "voltage", "phases", "limit", "place", "scheduled", "asleep", "wake")


def propose(hass: HomeAssistant, device_id: str) -> tuple[ChargerProfile | None, dict[str, Any]]:
    """Return what is known of a device's integration, and the roles as the flow keeps them; nothing where it is not."""
    entities = [
        entry for entry in er.async_entries_for_device(er.async_get(hass), device_id) if entry.disabled_by is None
    ]
    for profile in PROFILES:
        own = [entry for entry in entities if entry.platform == profile.integration]
        if own and all(_ref(own, find) for find in _needed(profile)):
            return profile, _roles(own, profile)
    return None, {}


def _needed(profile: ChargerProfile) -> Iterator[Find]:
    """Yield what a device must have; what pauses by one button resumes by another."""
    yield from profile.needed
    if profile.pause is not None and isinstance(profile.pause.resume, Find):
        yield profile.pause.resume


def _ref(entities: Sequence[RegistryEntry], find: Find | ActionCall | None) -> str | None:
    """Return the id of the registry's entry of an entity; None where the device has none."""
    return next((entry.id for entry in entities if isinstance(find, Find) and find.matches(entry)), None)


def _roles(entities: Sequence[RegistryEntry], profile: ChargerProfile) -> dict[str, Any]:
    pause = profile.pause
    roles: dict[str, Any] = {"current": _ref(entities, profile.current), "set_current": _steps(profile.current)}
    if pause is not None:
        roles |= {
            "pause": _ref(entities, pause.pause),
            "pause_action": _steps(pause.pause),
            "resume": _ref(entities, pause.resume),
            "resume_action": _steps(pause.resume),
        }
        if isinstance(pause.pause, Find) and pause.pause.domain in ("switch", "select"):
            roles |= {"pause_state": pause.pause_state, "resume_state": pause.resume_state}
    roles |= {role: _ref(entities, getattr(profile, role)) for role in _ROLES}
    roles["currents"] = [ref for each in profile.currents if (ref := _ref(entities, each)) is not None]
    return {role: value for role, value in roles.items() if value}


def _steps(call: Find | ActionCall | None) -> list[dict[str, Any]]:
    """Return an action as a list of steps."""
    return [asdict(call)] if isinstance(call, ActionCall) else []
