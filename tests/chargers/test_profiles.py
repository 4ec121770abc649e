"""What is known of other integrations' chargers, held to those integrations.

Those of Home Assistant itself are read as they are installed; of custom ones, entities are kept in `fixtures/`.
"""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.chargers import profile as profile_module
from custom_components.amp_sensor.chargers.profile import ActionCall, ChargerProfile, Find
from custom_components.amp_sensor.chargers.profiles import PROFILES
from custom_components.amp_sensor.chargers.proposal import propose
from custom_components.amp_sensor.control import ChargingState
from tests.chargers import installed, table

FIXTURES = Path(__file__).parent / "fixtures"
ROLES = (
    *("current", "state", "plugged", "charging", "power", "voltage", "phases", "limit"),
    *("place", "scheduled", "asleep", "wake"),
)
KEYS = {profile.key: profile for profile in PROFILES}
CORE = {
    key: profile
    for key, profile in KEYS.items()
    if installed.is_core(profile.integration) and profile.source.startswith("Home Assistant")
}
every = pytest.mark.parametrize("profile", KEYS.values(), ids=KEYS)
every_of_core = pytest.mark.parametrize("profile", CORE.values(), ids=CORE)


def finds(profile: ChargerProfile) -> Iterator[tuple[str, Find]]:
    """Give all that a profile looks for, with its role."""
    for role in ROLES:
        if isinstance(find := getattr(profile, role), Find):
            yield role, find
    for role in ("pause", "resume"):
        if profile.pause and isinstance(find := getattr(profile.pause, role), Find):
            yield role, find
    for find in profile.currents:
        yield "currents", find


def calls(profile: ChargerProfile) -> list[ActionCall]:
    pause = profile.pause
    wanted = (profile.current, pause and pause.pause, pause and pause.resume)
    return [each for each in wanted if isinstance(each, ActionCall)]


# -- each says what it has to


@every
def test_a_profile_says_all_that_control_and_people_need(profile: ChargerProfile) -> None:
    module = f"custom_components.amp_sensor.chargers.profiles.{profile.key}"
    assert __import__(module, fromlist=["PROFILE"]).PROFILE is profile, "its key is the name of its file"
    assert profile.title
    assert profile.source
    assert profile.traps.endswith(".")
    assert profile.current or profile.pause, "there is nothing to control it with"
    assert profile.state or profile.plugged, "nothing tells whether a car is there"
    assert bool(profile.states) == (profile.state is not None)
    assert profile.state or profile.charging, "nothing tells whether it charges"
    assert profile.refresh_s > 0
    assert profile.needed, "it would claim every device of its integration"


@every
def test_its_states_tell_a_car_that_charges_from_one_that_does_not(profile: ChargerProfile) -> None:
    if profile.state is None:
        assert profile.plugged
        assert profile.charging
        return
    assert ChargingState.CHARGING in profile.states.values()
    assert ChargingState.STOPPED in profile.states.values()
    assert ChargingState.DISCONNECTED in profile.states.values() or profile.plugged
    assert {profile.states[word] for word in profile.scheduled_states} <= {ChargingState.STOPPED}


def test_keys_and_titles_are_told_apart() -> None:
    assert len(KEYS) == len(PROFILES) == len({profile.title for profile in PROFILES})
    files = {path.stem for path in Path(table.__file__).parents[2].glob("custom_components/*/chargers/profiles/*.py")}
    assert files - {"__init__"} == KEYS.keys()


def test_a_phase_count_is_one_to_three() -> None:
    for profile in PROFILES:
        assert {*profile.phases_states.values()} <= {1, 2, 3}
        assert profile.phases or not profile.phases_states


def test_a_teslas_floor_is_its_own() -> None:
    for profile in PROFILES:
        floor = {"technove": 8}.get(profile.key, 5 if "Tesla" in profile.title else 6)
        assert profile.behaviour.floor_amps == floor


# -- found in the registry


@pytest.fixture
def devices(hass: HomeAssistant) -> dict[str, list[er.RegistryEntry]]:
    """Register the device of each fixture, with its entities."""
    registry, found = er.async_get(hass), {}
    for key, profile in KEYS.items():
        fixture = json.loads((FIXTURES / f"{key}.json").read_text())
        entry = MockConfigEntry(domain=profile.integration)
        entry.add_to_hass(hass)
        device = fixture["device"] and dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={(profile.integration, key)}, **fixture["device"]
        )
        found[key] = [
            registry.async_get_or_create(
                each["domain"],
                profile.integration,
                each["unique_id"],
                config_entry=entry if device else None,
                device_id=device.id if device else None,
                translation_key=each.get("translation_key"),
                disabled_by=er.RegistryEntryDisabler.INTEGRATION if each.get("disabled") else None,
            )
            for each in fixture["entities"]
        ]
    return found


@every
def test_each_role_is_found_on_its_device_and_nothing_else(
    devices: dict[str, list[er.RegistryEntry]], profile: ChargerProfile
) -> None:
    wanted = {
        (each["domain"], each["unique_id"]): each.get("role")
        for each in json.loads((FIXTURES / f"{profile.key}.json").read_text())["entities"]
    }
    for entry in devices[profile.key]:
        found = {role for role, find in finds(profile) if find.matches(entry)}
        role = wanted[entry.domain, entry.unique_id]
        assert found == ({role} if role else set()), f"{profile.key}: {entry.domain} {entry.unique_id}"
    for role, find in finds(profile):
        matching = [entry.unique_id for entry in devices[profile.key] if find.matches(entry)]
        if (profile.key, find.key) == ("lektrico", "current"):
            assert matching == []  # of one with one phase
        else:
            assert len(matching) == 1, f"{profile.key}: {role} is {matching}"


def test_no_device_is_claimed_by_two(devices: dict[str, list[er.RegistryEntry]]) -> None:
    for key, entries in devices.items():
        assert [profile.key for profile in PROFILES if profile.claims(entries)] == [key]


@every
def test_the_roles_of_its_device_are_proposed(
    hass: HomeAssistant, devices: dict[str, list[er.RegistryEntry]], profile: ChargerProfile
) -> None:
    """All that are enabled: of others only what is needed."""
    if (device_id := devices[profile.key][0].device_id) is None:
        assert profile.key == "keba"  # of YAML, which has no devices
        return
    found, roles = propose(hass, device_id)
    assert found is profile
    entities = json.loads((FIXTURES / f"{profile.key}.json").read_text())["entities"]
    for each, entry in zip(entities, devices[profile.key], strict=True):
        if (role := each.get("role")) and not entry.disabled:
            assert entry.id in ([roles[role]] if role != "currents" else roles[role])
    assert ("set_current" in roles) == isinstance(profile.current, ActionCall)


@every
def test_a_device_of_another_integration_with_the_same_entities_is_not_claimed(
    hass: HomeAssistant, profile: ChargerProfile
) -> None:
    entities = json.loads((FIXTURES / f"{profile.key}.json").read_text())["entities"]
    registry = er.async_get(hass)
    entries = [
        registry.async_get_or_create(
            each["domain"], "another", each["unique_id"], translation_key=each.get("translation_key")
        )
        for each in entities
    ]
    assert [each.key for each in PROFILES if each.claims(entries)] == []


@every
def test_a_device_without_its_number_is_not_claimed(
    devices: dict[str, list[er.RegistryEntry]], profile: ChargerProfile
) -> None:
    """Whatever is needed: a key without the right to command, an Equalizer, a load balancer."""
    for find in profile.needed:
        assert not profile.claims([entry for entry in devices[profile.key] if not find.matches(entry)])


@every
def test_every_state_that_is_known_has_a_meaning(profile: ChargerProfile) -> None:
    entities: list[dict[str, Any]] = json.loads((FIXTURES / f"{profile.key}.json").read_text())["entities"]
    for each in entities:
        options = {*each.get("options", ())}
        if each.get("role") == "state":
            assert profile.states.keys() == options
        elif each.get("role") == "pause" and options:
            assert profile.pause is not None
            assert {profile.pause.pause_state, profile.pause.resume_state} <= options
        elif each.get("role") == "plugged" and options:
            assert profile.plugged_state in options
        elif each.get("role") == "phases" and options:
            assert profile.phases_states.keys() <= options


# -- as Home Assistant has it installed


@every_of_core
def test_its_entities_are_in_the_installed_source(profile: ChargerProfile) -> None:
    for _, find in finds(profile):
        there = installed.described(profile.integration, find.domain)
        if profile.integration == "keba":  # describes them by place, without keywords
            assert f'"{find.key}"' in installed.source("keba", find.domain), (
                f"keba: there is no {find.domain} '{find.key}' any more"
            )
            continue
        assert find.key in there, (
            f"{profile.integration}: there is no {find.domain} '{find.key}' any more, only {sorted(there)}"
        )


@every_of_core
def test_its_entities_are_told_apart_as_the_installed_source_does(profile: ChargerProfile) -> None:
    """By a translation key, which has a text; without one, by the end of a unique id."""
    for _, find in finds(profile):
        if installed.texts(profile.integration, find.domain, find.key):
            continue
        sources = "".join(installed.source(profile.integration, module) for module in (find.domain, "entity"))
        assert re.search(r"unique_id = f\"[^\"]*\}[-_]\{[\w.]*(key|entity_type)\}\"", sources), (
            f"{profile.integration}: the {find.domain} '{find.key}' has no translation key,"
            " and its unique id does not end in its key any more"
        )


@every_of_core
def test_its_states_are_those_of_the_installed_source(profile: ChargerProfile) -> None:
    if profile.state is None:
        return
    there = installed.states(profile.integration, profile.state.domain, profile.state.key)
    known = profile.states.keys()
    assert there, f"{profile.integration}: no states are told for '{profile.state.key}' any more"
    assert known == there, (
        f"{profile.integration}: states of '{profile.state.key}' that are gone: {sorted(known - there)},"
        f" and that are new: {sorted(there - known)}"
    )


@every_of_core
def test_what_pauses_and_counts_phases_has_the_options_of_the_installed_source(profile: ChargerProfile) -> None:
    pause = profile.pause
    wanted: list[tuple[Find, set[str]]] = []
    if pause and isinstance(pause.pause, Find) and pause.pause.domain == "select":
        wanted.append((pause.pause, {pause.pause_state, pause.resume_state}))
    if profile.phases and profile.phases.domain == "select":
        wanted.append((profile.phases, {*profile.phases_states}))
    for find, options in wanted:
        there = installed.states(profile.integration, find.domain, find.key)
        assert options <= there, f"{profile.integration}: '{find.key}' has no {sorted(options - there)} any more"


OFF = {
    "peblar": {"current_phase_1", "current_phase_2", "current_phase_3", "voltage_phase_1"},
    "teslemetry": {"charge_state_scheduled_charging_pending", "charge_state_charger_phases"},
    "tesla_fleet": {"charge_state_scheduled_charging_pending", "charge_state_charger_phases"},
}
"""What is off by default, as the traps say."""


@every_of_core
def test_what_is_off_by_default_is_told(profile: ChargerProfile) -> None:
    off = {
        find.key
        for _, find in finds(profile)
        if (each := installed.described(profile.integration, find.domain).get(find.key))
        and each.values.get("entity_registry_enabled_default") is False
    }
    assert off == OFF.get(profile.key, set()), f"{profile.integration}: off by default are {sorted(off)} now"
    assert not off or "off by default" in profile.traps


RANGES: dict[str, tuple[Any, Any, Any]] = {
    "peblar": (6, installed.UNKNOWN, 1),
    "tessie": (0, 32, 1),
    "teslemetry": (0, 32, 1),
    "tesla_fleet": (0, 32, 1),
    "openevse": (installed.UNKNOWN, installed.UNKNOWN, 1.0),
    "wallbox": (installed.UNKNOWN, installed.UNKNOWN, 1),
    "v2c": (6, 32, installed.UNKNOWN),
    "lektrico": (0, 32, 1),
    "technove": (installed.UNKNOWN, installed.UNKNOWN, 1),
    "nrgkick": (6, installed.UNKNOWN, 0.1),
}
"""Least, most and step of each number; unknown is told by the charger."""


@pytest.mark.parametrize("key", [key for key, profile in CORE.items() if isinstance(profile.current, Find)])
def test_its_range_is_that_of_the_installed_source(key: str) -> None:
    current = KEYS[key].current
    assert isinstance(current, Find)
    values = installed.described(KEYS[key].integration, current.domain)[current.key].values
    for name, wanted in zip(("native_min_value", "native_max_value", "native_step"), RANGES[key], strict=True):
        value = values.get(name, installed.UNKNOWN)
        shown = ["told by the charger" if each is installed.UNKNOWN else each for each in (value, wanted)]
        assert value == wanted, f"{key}: {name} of '{current.key}' is {shown[0]} now, not {shown[1]}"


@every_of_core
def test_its_actions_are_in_the_installed_source(profile: ChargerProfile) -> None:
    for call in calls(profile):
        domain, action = call.action.split(".")
        there = installed.actions(domain)
        assert action in there, f"{domain}: there is no action '{action}' any more"
        fields = {*((there[action] or {}).get("fields") or {})}
        assert {*call.data} == fields, f"{domain}: '{action}' takes {sorted(fields)} now"


def test_kebas_action_takes_what_it_took() -> None:
    current = installed.actions("keba")["set_current"]["fields"]["current"]["selector"]["number"]
    assert (current["min"], current["max"], current["step"]) == (6, 63, 0.1), "keba: the range of set_current moved"


def test_what_wallboxes_map_their_codes_to_is_told() -> None:
    """Their texts are no options, so that nothing else would tell that one is not used any more."""
    used = {*re.findall(r"ChargerStatus\.(\w+)", installed.source("wallbox", "coordinator"))}
    assert used == {each.name for each in installed.enum("wallbox", "ChargerStatus")}


def test_a_tesla_is_awake_while_its_sensor_is_on() -> None:
    for key in ("tessie", "teslemetry", "tesla_fleet"):
        found = re.search(r"key=\"state\",.{0,200}?== \w+\.ONLINE", installed.source(key, "binary_sensor"), re.DOTALL)
        assert found, f"{key}: 'state' says something else now"
        assert KEYS[key].asleep_state == "off"


def test_openevses_options_that_pause_are_its_own() -> None:
    assert installed.constants("openevse", "select")["OVERRIDE_STATE_OPTIONS"] == ["auto", "active", "disabled"]
    assert {*installed.constants("openevse", "sensor")["STATUS_OPTIONS"]} == KEYS["openevse"].states.keys()


# -- told to people


def test_the_documentation_has_every_profile_as_it_is() -> None:
    """`python -m tests.chargers.table` writes it anew."""
    told = table.told()
    assert list(told) == [profile.title for profile in table.in_order()]
    for profile in PROFILES:
        assert told[profile.title][:-1] == table.cells(profile)[:-1]
        assert told[profile.title][-1], f"{profile.title}: how was it tried?"


def test_the_example_of_the_documentation_is_a_profile(hass: HomeAssistant) -> None:
    page = table.PAGE.read_text()
    (code,), (fixture,) = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("python", "json"))
    names: dict[str, Any] = {"Final": object, **vars(profile_module), "ChargingState": ChargingState}
    exec(code, names)  # noqa: S102
    entries = {
        each["unique_id"]: (
            each.get("role"),
            er.async_get(hass).async_get_or_create(
                each["domain"], "my_charger", each["unique_id"], translation_key=each.get("translation_key")
            ),
        )
        for each in json.loads(fixture)["entities"]
    }
    profile = names["PROFILE"]
    assert profile.claims(entry for _, entry in entries.values())
    for role, entry in entries.values():
        assert [found for found, find in finds(profile) if find.matches(entry)] == ([role] if role else [])


@pytest.mark.parametrize("unique_id", ["A0B7654C3210/0/number/Charging Amps", "a0b7654c3210-number-charging_amps"])
def test_an_entity_of_esphome_is_known_in_its_new_form_and_its_old(hass: HomeAssistant, unique_id: str) -> None:
    entry = er.async_get(hass).async_get_or_create("number", "esphome", unique_id)
    current = KEYS["esphome_tesla_ble"].current
    assert isinstance(current, Find)
    assert current.matches(entry)


def test_a_translation_key_says_more_than_the_end_of_a_unique_id(hass: HomeAssistant) -> None:
    entry = er.async_get(hass).async_get_or_create(
        "sensor", "lektrico", "500006_installation_current", translation_key="installation_current"
    )
    assert not Find(domain="sensor", key="current").matches(entry)
    assert Find(domain="sensor", key="installation_current").matches(entry)
