"""What Home Assistant's registry tells of a device is enough to know what its entities are for."""

from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.chargers import proposal
from custom_components.amp_sensor.chargers.profile import ActionCall, ChargerProfile, Find, Pause
from custom_components.amp_sensor.chargers.profiles import PROFILES
from custom_components.amp_sensor.chargers.proposal import propose
from custom_components.amp_sensor.chargers.roles import Roles


class Device:
    """A device of an integration, and its entities."""

    def __init__(self, hass: HomeAssistant, integration: str) -> None:
        self._entry = MockConfigEntry(domain=integration)
        self._entry.add_to_hass(hass)
        self._registry = er.async_get(hass)
        self._integration = integration
        self.id = (
            dr.async_get(hass)
            .async_get_or_create(config_entry_id=self._entry.entry_id, identifiers={(integration, "one")})
            .id
        )

    def add(self, find: Find, *, by_unique_id: bool = False, **changes: Any) -> str:
        """Give it what is looked for; return its reference."""
        unique_id = f"0123_{find.key}" if by_unique_id else f"0123_{find.domain}_{len(self._registry.entities)}"
        return self._registry.async_get_or_create(
            find.domain,
            self._integration,
            unique_id,
            config_entry=self._entry,
            device_id=self.id,
            translation_key=None if by_unique_id else find.key,
            **changes,
        ).id


PEBLAR = next(profile for profile in PROFILES if profile.key == "peblar")


@pytest.mark.parametrize("by_unique_id", [False, True])
def test_a_known_device_is_filled_in(hass: HomeAssistant, *, by_unique_id: bool) -> None:
    device = Device(hass, "peblar")
    assert PEBLAR.pause is not None
    finds = {"current": PEBLAR.current, "pause": PEBLAR.pause.pause, "state": PEBLAR.state, "power": PEBLAR.power}
    refs = {role: device.add(find, by_unique_id=by_unique_id) for role, find in finds.items() if isinstance(find, Find)}
    device.add(Find(domain="sensor", key="something_else"), by_unique_id=by_unique_id)
    profile, roles = propose(hass, device.id)
    assert profile is PEBLAR
    assert {role: roles[role] for role in refs} == refs
    assert roles["pause_state"] == "off"
    assert Roles.of(roles, profile).states["charging"] == "charging"


def test_what_is_disabled_is_left_out_but_for_what_is_needed(hass: HomeAssistant) -> None:
    device = Device(hass, "peblar")
    disabled = {"disabled_by": er.RegistryEntryDisabler.INTEGRATION}
    assert isinstance(PEBLAR.current, Find)
    assert PEBLAR.power is not None
    ref = device.add(PEBLAR.current, **disabled)
    device.add(PEBLAR.power, **disabled)
    for find in PEBLAR.needed[1:]:
        device.add(find)
    profile, roles = propose(hass, device.id)
    assert profile is PEBLAR
    assert roles["current"] == ref
    assert "power" not in roles


def test_an_unknown_device_or_half_a_known_one_is_nothing(hass: HomeAssistant) -> None:
    assert propose(hass, "no such device") == (None, {})
    assert isinstance(PEBLAR.current, Find)
    for integration in ("peblar", "something"):
        device = Device(hass, integration)
        device.add(PEBLAR.current)
        assert propose(hass, device.id) == (None, {}), integration


def test_actions_are_steps_of_a_script(hass: HomeAssistant) -> None:
    known = ChargerProfile(
        key="own",
        title="Own",
        integration="own",
        source="",
        current=ActionCall(action="own.set", data={"amps": "{{ amps }}", "of": {"device": "{{ device_id }}"}}),
        pause=Pause(pause=ActionCall(action="own.stop"), resume=Find(domain="button", key="go")),
        state=Find(domain="sensor", key="state"),
    )
    device = Device(hass, "own")
    state, go = (device.add(Find(domain=domain, key=key)) for domain, key in (("sensor", "state"), ("button", "go")))
    with patch.object(proposal, "PROFILES", (known,)):
        profile, roles = propose(hass, device.id)
    assert profile is known
    assert roles["set_current"] == [
        {"action": "own.set", "data": {"amps": "{{ amps }}", "of": {"device": "{{ device_id }}"}}}
    ]
    assert roles["pause_action"] == [{"action": "own.stop", "data": {}}]
    assert (roles["state"], roles["resume"]) == (state, go)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.key)
def test_the_roles_of_every_profile_are_understood(hass: HomeAssistant, profile: ChargerProfile) -> None:
    device = Device(hass, profile.integration)
    finds = [profile.current, profile.state, profile.plugged, profile.power, *profile.currents, profile.place]
    finds += [profile.pause.pause, profile.pause.resume] if profile.pause else []
    for find in {each for each in finds if isinstance(each, Find)}:
        device.add(find)
    found, proposed = propose(hass, device.id)
    if found is None:
        assert not profile.needed, "only what has no device of its own is chosen by hand"
        return
    roles = Roles.of(proposed, found)
    assert roles.sets_current == (found.current is not None)
    assert roles.zero_pauses == (found.current is not None and found.pause is None)
    if found.pause is not None:
        assert roles.pause_state != roles.resume_state or found.pause.resume is not None
