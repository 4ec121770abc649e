"""What a device of Home Assistant is as a charger, as far as its integration is known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .profile import ActionCall, ChargerProfile, Find
from .profiles import PROFILES

_ROLES = ("state", "plugged", "charging", "power", "voltage", "phases", "limit", "place", "scheduled", "asleep", "wake")
"""Roles that are called the same in a profile."""


def propose(hass: HomeAssistant, device_id: str) -> tuple[ChargerProfile | None, dict[str, Any]]:
    """Return what is known of a device's integration, and which of its entities has which role; None where nothing is.

    An entity is found by what its integration calls it. Of those that are disabled only what is needed is named.
    """
    entries = er.async_entries_for_device(er.async_get(hass), device_id, include_disabled_entities=True)
    platforms = {entry.platform for entry in entries}
    fitting = (each for each in PROFILES if each.integration in platforms and each.claims(entries))
    # Of several of one integration, the one that asks for the most knows the device best
    profile = max(fitting, key=lambda each: len(each.needed), default=None)
    return profile, {} if profile is None else roles_of(profile, entries)


def roles_of(profile: ChargerProfile, entries: Sequence[er.RegistryEntry]) -> dict[str, Any]:
    """Return the roles of a device's entities, as the flow keeps them."""
    entries = [entry for entry in entries if entry.platform == profile.integration]
    enabled = [entry for entry in entries if entry.disabled_by is None]
    roles: dict[str, Any] = {}

    def name(role: str, find: Find | None) -> None:
        entry = None if find is None else _found(find, entries if find in profile.needed else enabled)
        if entry is not None:
            roles[role] = entry.id

    if isinstance(profile.current, ActionCall):
        roles["set_current"] = _steps(profile.current)
    else:
        name("current", profile.current)
    if profile.pause is not None:
        for role, how in (("pause", profile.pause.pause), ("resume", profile.pause.resume)):
            if isinstance(how, ActionCall):
                roles[f"{role}_action"] = _steps(how)
            else:
                name(role, how)
        roles |= {"pause_state": profile.pause.pause_state, "resume_state": profile.pause.resume_state}
    for role in _ROLES:
        name(role, getattr(profile, role))
    currents = [entry.id for find in profile.currents if (entry := _found(find, enabled)) is not None]
    if currents:
        roles["currents"] = currents
    return roles


def _found(find: Find, entries: Iterable[er.RegistryEntry]) -> er.RegistryEntry | None:
    """Return the entity; where several end alike, the one that is called so, else the shortest."""
    matching = [entry for entry in entries if find.matches(entry)]
    return min(matching, key=lambda entry: (entry.translation_key != find.key, len(str(entry.unique_id))), default=None)


def _steps(call: ActionCall) -> list[dict[str, Any]]:
    return [{"action": call.action, "data": _plain(call.data)}]


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(each) if isinstance(each, Mapping) else each for key, each in data.items()}
