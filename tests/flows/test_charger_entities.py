"""A person adds a charger that Home Assistant knows: what is known is filled in, and everything can be changed."""

from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentry
from homeassistant.const import CONF_DEVICE_ID, UnitOfElectricCurrent
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.amp_sensor.chargers.profile import Find
from custom_components.amp_sensor.chargers.profiles import PROFILES
from custom_components.amp_sensor.chargers.proposal import propose
from custom_components.amp_sensor.const import (
    CONF_LEARNED,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PHASES,
    CONF_PROFILE,
    CONF_ROLES,
    CONF_SUPPLY,
    DOMAIN,
    SUBENTRY_CHARGER,
)
from tests.test_config_flow import SITE, TEXTS, Dialog, add_site, car_data, new_site, typed

PEBLAR: dict[str, tuple[str, str]] = {
    "current": ("number", "charge_current_limit"),
    "pause": ("switch", "charge"),
    "state": ("sensor", "cp_state"),
    "power": ("sensor", "power_total"),
}
NO_ROLES: dict[str, dict[str, Any]] = {"commands": {}, "reports": {}}


@pytest.fixture(autouse=True)
def integration(enable_custom_integrations: None) -> Generator[AsyncMock]:
    """Let Home Assistant find the integration; setting a site up is not what these tests are about."""
    with patch("custom_components.amp_sensor.async_setup_entry", return_value=True) as setup:
        yield setup


@pytest.fixture
def peblar(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry, entity_registry: er.EntityRegistry
) -> dr.DeviceEntry:
    """A charger whose integration is known, as its integration registers it."""
    entry = MockConfigEntry(domain="peblar", title="Peblar")
    entry.add_to_hass(hass)
    device = device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("peblar", "23-45-A4O-MOF")}, name="Peblar EV Charger"
    )
    for domain, key in PEBLAR.values():
        entity_registry.async_get_or_create(
            domain,
            "peblar",
            f"23-45-A4O-MOF_{key}",
            device_id=device.id,
            config_entry=entry,
            translation_key=key,
            suggested_object_id=f"peblar_{key}",
        )
    amps = UnitOfElectricCurrent.AMPERE
    hass.states.async_set("number.peblar_charge_current_limit", "16", {"max": 20, "unit_of_measurement": amps})
    return device


@pytest.fixture
async def helpers(hass: HomeAssistant) -> HomeAssistant:
    """Give Home Assistant what somebody can make a charger of: real helpers."""
    amps = {"min": 0, "max": 32, "step": 1, "initial": 16, "unit_of_measurement": "A"}
    assert await async_setup_component(hass, "input_number", {"input_number": {"amps": {**amps, "name": "Box"}}})
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"allowed": None, "plugged": None}})
    assert await async_setup_component(hass, "input_button", {"input_button": {"halt": None, "go": None}})
    options = {"options": ["auto", "active", "disabled"]}
    assert await async_setup_component(hass, "input_select", {"input_select": {"mode": options}})
    hass.states.async_set("sensor.box", "ready", {"options": ["ready", "charging", "full", "unplugged"]})
    await hass.async_block_till_done()
    return hass


async def add_charger(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_USER}
    result = await flow.async_init((entry.entry_id, SUBENTRY_CHARGER), context=context)
    dialog = Dialog(flow, TEXTS["config_subentries"][SUBENTRY_CHARGER], result)
    await dialog.choose("device")
    return dialog


async def by_hand(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    dialog = await add_charger(hass, entry)
    assert (await dialog.submit({"other": {}}))["step_id"] == "entities"
    return dialog


async def change_charger(hass: HomeAssistant, entry: MockConfigEntry) -> Dialog:
    flow = hass.config_entries.subentries
    context: Any = {"source": SOURCE_RECONFIGURE, "subentry_id": only(entry).subentry_id}
    result = await flow.async_init((entry.entry_id, SUBENTRY_CHARGER), context=context)
    dialog = Dialog(flow, TEXTS["config_subentries"][SUBENTRY_CHARGER], result)
    assert dialog.result["menu_options"] == ["settings", "rehearse"]
    await dialog.choose("settings")
    return dialog


def only(entry: MockConfigEntry) -> ConfigSubentry:
    (subentry,) = entry.subentries.values()
    return subentry


def ref(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an entity is kept as: its registry's id where it has one, so that a new name does not lose it."""
    entry = er.async_get(hass).async_get(entity_id)
    return entity_id if entry is None else entry.id


def filled_in(result: Any) -> dict[str, Any]:
    """Return what a form holds, as a person submits it without a change."""
    return typed(result)


async def test_a_known_device_is_proposed_and_needs_no_more_than_two_pages(
    hass: HomeAssistant, peblar: dr.DeviceEntry, entity_registry: er.EntityRegistry
) -> None:
    entry = add_site(hass)
    dialog = await add_charger(hass, entry)
    assert typed(dialog.result)[CONF_DEVICE_ID] == peblar.id
    form = await dialog.submit(typed(dialog.result))
    assert filled_in(form) == {
        CONF_MAX_AMPS_CAR: 20,
        "commands": {
            "current": "number.peblar_charge_current_limit",
            "pause": "switch.peblar_charge",
            "pause_state": "off",
            "resume_state": "on",
        },
        "reports": {"state": "sensor.peblar_cp_state", "power": "sensor.peblar_power_total"},
    }
    result = await dialog.submit(filled_in(form))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    charger = only(entry)
    assert (charger.title, charger.unique_id) == ("Peblar EV Charger", peblar.id)
    ids = {role: entity_registry.async_get(f"{domain}.peblar_{key}") for role, (domain, key) in PEBLAR.items()}
    assert charger.data == {
        CONF_DEVICE_ID: peblar.id,
        CONF_PROFILE: "peblar",
        CONF_MAX_AMPS_CAR: 20,
        CONF_ROLES: {
            **{role: each.id for role, each in ids.items() if each is not None},
            "pause_state": "off",
            "resume_state": "on",
        },
    }


async def test_no_more_is_proposed_than_the_house_may_draw(hass: HomeAssistant, peblar: dr.DeviceEntry) -> None:
    entry = add_site(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_MAX_AMPS: 13})
    dialog = await add_charger(hass, entry)
    assert typed(await dialog.submit(typed(dialog.result)))[CONF_MAX_AMPS_CAR] == 13


async def test_a_new_site_has_its_charger_from_the_start(hass: HomeAssistant, peblar: dr.DeviceEntry) -> None:
    dialog = await new_site(hass)
    await dialog.submit({**SITE, CONF_SUPPLY: "three"})
    await dialog.choose("device")
    form = await dialog.submit(typed(dialog.result))
    await dialog.submit({**filled_in(form), CONF_PHASES: ["2"]})
    result = await dialog.finish()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description_placeholders"] == {"charger": "Peblar EV Charger"}
    assert TEXTS["config"]["create_entry"][result["description"]].format(**result["description_placeholders"])
    charger = only(result["result"])
    assert charger.data[CONF_PHASES] == [2]
    assert charger.data[CONF_PROFILE] == "peblar"


async def test_a_house_with_one_phase_is_not_asked_for_phases(hass: HomeAssistant, peblar: dr.DeviceEntry) -> None:
    entry = add_site(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_SUPPLY: "single"})
    dialog = await add_charger(hass, entry)
    form = await dialog.submit(typed(dialog.result))
    assert CONF_PHASES not in form["data_schema"].schema


async def test_a_known_device_of_another_site_is_refused(hass: HomeAssistant, peblar: dr.DeviceEntry) -> None:
    entry, other = add_site(hass), add_site(hass, "Garage")
    slow = await add_charger(hass, other)
    form = await slow.submit(typed(slow.result))
    quick = await add_charger(hass, entry)
    await quick.submit((await quick.submit(typed(quick.result))) and filled_in(quick.result))
    assert (await slow.submit(filled_in(form)))["reason"] == "charger_known"
    late = await add_charger(hass, other)
    assert CONF_DEVICE_ID not in typed(late.result), "what a site has already is not proposed"
    form = await late.submit({"other": {"other_device": peblar.id}})
    assert form["errors"] == {"other": "charger_known"}


async def test_any_device_can_be_chosen_and_mapped_by_hand(
    helpers: HomeAssistant, hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    owner = MockConfigEntry(domain="something")
    owner.add_to_hass(hass)
    device = device_registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("something", "1")}, name="Old box"
    )
    entry = add_site(hass)
    dialog = await add_charger(hass, entry)
    form = await dialog.submit({"other": {"other_device": device.id}})
    assert typed(form) == {CONF_MAX_AMPS_CAR: "", **NO_ROLES}
    commands = {"pause": "input_boolean.allowed"}
    await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": commands, "reports": {}})
    charger = only(entry)
    assert (charger.title, charger.unique_id) == ("Old box", device.id)
    assert charger.data == {
        CONF_DEVICE_ID: device.id,
        CONF_PROFILE: None,
        CONF_MAX_AMPS_CAR: 16,
        CONF_ROLES: {"pause": ref(hass, "input_boolean.allowed")},
    }, "one that can only be switched is a charger too"


async def test_the_states_of_an_unknown_sensor_are_sorted(helpers: HomeAssistant, hass: HomeAssistant) -> None:
    entry = add_site(hass)
    dialog = await by_hand(hass, entry)
    commands, reports = {"current": "input_number.amps"}, {"state": "sensor.box"}
    form = await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": commands, "reports": reports})
    assert form["step_id"] == "states"
    assert form["description_placeholders"] == {"entity": "sensor.box"}
    assert typed(form) == {
        "charging": ["charging"],
        "complete": ["full"],
        "stopped": [],
        "starting": [],
        "no_power": [],
        "disconnected": ["unplugged"],
    }, "what words usually mean is proposed"
    form = await dialog.submit({"charging": ["charging", "ready"], "stopped": ["ready"]})
    assert form["errors"] == {"base": "state_twice"}
    form = await dialog.submit({"stopped": ["ready"]})
    assert form["errors"] == {"charging": "no_charging_state"}
    states = {"charging": ["charging"], "stopped": ["ready", "a word of one's own"], "disconnected": ["unplugged"]}
    await dialog.submit(states)
    charger = only(entry)
    amps = ref(hass, "input_number.amps")
    assert charger.data[CONF_ROLES] == {"current": amps, "state": "sensor.box", "states": states}
    assert (charger.title, charger.unique_id) == ("Box", amps)


@pytest.mark.parametrize(
    ("commands", "reports", "errors", "named"),
    [
        ({}, {"state": "sensor.box"}, {"commands": "nothing_to_command"}, {}),
        ({"current": "number.gone"}, {}, {"commands": "entity_missing"}, {"entity": "number.gone"}),
        (
            {"current": "input_number.amps"},
            {"power": "sensor.gone"},
            {"reports": "entity_missing"},
            {"entity": "sensor.gone"},
        ),
        ({"pause": "input_button.halt"}, {}, {"commands": "no_resume"}, {}),
        ({"pause_action": [{"action": "scene.turn_on"}]}, {}, {"commands": "no_resume"}, {}),
        (
            {"current": "input_number.amps", "switch_phases": "input_select.mode", "one_phase_state": "1"},
            {},
            {"commands": "no_such_option"},
            {"entity": "input_select.mode", "options": "auto, active, disabled"},
        ),
        (
            {"pause": "input_select.mode", "pause_state": "off", "resume_state": "auto"},
            {},
            {"commands": "no_such_option"},
            {"entity": "input_select.mode", "options": "auto, active, disabled"},
        ),
    ],
)
async def test_what_cannot_work_is_named_at_its_field(
    helpers: HomeAssistant,
    commands: dict[str, Any],
    reports: dict[str, Any],
    errors: dict[str, str],
    named: dict[str, str],
) -> None:
    hass = helpers
    entry = add_site(hass)
    dialog = await by_hand(hass, entry)
    wrong = {CONF_MAX_AMPS_CAR: 16, "commands": commands, "reports": reports}
    form = await dialog.submit(wrong)
    assert form["errors"] == errors
    assert named.items() <= form["description_placeholders"].items()
    assert typed(form) == wrong, "nothing has to be typed again"
    await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": {"current": "input_number.amps"}, "reports": {}})
    assert only(entry).data[CONF_ROLES] == {"current": ref(hass, "input_number.amps")}


@pytest.mark.parametrize("amps", [4, 81])
async def test_absurd_currents_are_not_taken(helpers: HomeAssistant, hass: HomeAssistant, amps: int) -> None:
    dialog = await by_hand(hass, add_site(hass))
    commands = {"current": "input_number.amps"}
    with pytest.raises(InvalidData):
        await dialog.submit({CONF_MAX_AMPS_CAR: amps, "commands": commands, "reports": {}})


async def test_our_own_entities_are_no_charger(hass: HomeAssistant, entity_registry: er.EntityRegistry) -> None:
    entry = add_site(hass)
    entity_registry.async_get_or_create("number", DOMAIN, "x", suggested_object_id="home_budget", config_entry=entry)
    dialog = await by_hand(hass, entry)
    commands = {"current": "number.home_budget"}
    form = await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": commands, "reports": {}})
    assert form["errors"] == {"commands": "entity_ours"}


async def test_what_is_disabled_is_named(
    hass: HomeAssistant, peblar: dr.DeviceEntry, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_update_entity("switch.peblar_charge", disabled_by=er.RegistryEntryDisabler.USER)
    dialog = await add_charger(hass, add_site(hass))
    form = await dialog.submit(typed(dialog.result))
    form = await dialog.submit(filled_in(form))
    assert form["errors"] == {"commands": "entity_disabled"}
    assert form["description_placeholders"]["entity"] == "switch.peblar_charge"


async def test_actions_are_kept_as_they_are(hass: HomeAssistant) -> None:
    entry = add_site(hass)
    dialog = await by_hand(hass, entry)
    actions = {
        "set_current": [{"action": "keba.set_current", "data": {"current": "{{ amps }}"}}],
        "pause_action": [{"action": "keba.disable"}],
        "resume_action": [{"action": "keba.enable"}],
    }
    await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": actions, "reports": {}})
    assert only(entry).data[CONF_ROLES] == actions
    assert only(entry).unique_id


async def test_it_can_be_changed_and_a_renamed_entity_is_followed(
    hass: HomeAssistant, peblar: dr.DeviceEntry, entity_registry: er.EntityRegistry
) -> None:
    entry = add_site(hass)
    dialog = await add_charger(hass, entry)
    await dialog.submit((await dialog.submit(typed(dialog.result))) and filled_in(dialog.result))
    before = only(entry).data
    learned = {"latency_s": 0.3}
    hass.config_entries.async_update_subentry(entry, only(entry), data={**before, CONF_LEARNED: learned})
    entity_registry.async_update_entity("switch.peblar_charge", new_entity_id="switch.garage")

    dialog = await change_charger(hass, entry)
    shown = filled_in(dialog.result)
    assert shown["commands"]["pause"] == "switch.garage"
    result = await dialog.submit({**shown, CONF_MAX_AMPS_CAR: 10, CONF_PHASES: ["1", "3"]})
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).data == {**before, CONF_MAX_AMPS_CAR: 10, CONF_PHASES: [1, 3], CONF_LEARNED: learned}

    dialog = await change_charger(hass, entry)
    shown = filled_in(dialog.result)
    assert shown[CONF_PHASES] == ["1", "3"]
    shown["reports"] = {}
    del shown[CONF_PHASES]
    await dialog.submit(shown)
    assert "state" not in only(entry).data[CONF_ROLES]
    assert CONF_PHASES not in only(entry).data


async def test_the_meaning_of_states_can_be_changed(helpers: HomeAssistant, hass: HomeAssistant) -> None:
    entry = add_site(hass)
    dialog = await by_hand(hass, entry)
    commands, reports = {"current": "input_number.amps"}, {"state": "sensor.box"}
    await dialog.submit({CONF_MAX_AMPS_CAR: 16, "commands": commands, "reports": reports})
    await dialog.submit({"charging": ["charging"], "stopped": ["own"]})
    dialog = await change_charger(hass, entry)
    form = await dialog.submit(filled_in(dialog.result))
    assert typed(form) == {"charging": ["charging"], "stopped": ["own"]}
    await dialog.submit({"charging": ["charging"], "stopped": ["ready"]})
    assert only(entry).data[CONF_ROLES]["states"] == {"charging": ["charging"], "stopped": ["ready"]}


async def test_a_tesla_beside_it_finds_its_account(hass: HomeAssistant, peblar: dr.DeviceEntry) -> None:
    entry = add_site(hass, cars=[car_data("http://127.0.0.1:9")])
    dialog = await add_charger(hass, entry)
    await dialog.submit((await dialog.submit(typed(dialog.result))) and filled_in(dialog.result))
    flow, context = hass.config_entries.subentries, {"source": SOURCE_USER}
    menu: Any = await flow.async_init((entry.entry_id, SUBENTRY_CHARGER), context=context)  # type: ignore[arg-type]
    assert menu["menu_options"] == ["known_account", "tesla", "device"]
    assert menu["description_placeholders"] == {"cars": "Red"}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.key)
async def test_whatever_a_profile_needs_is_proposed(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    profile: Any,
) -> None:
    """A device that has exactly what a profile needs is known, and its form can be submitted as it is."""
    if not profile.needed:
        pytest.skip("it has no entities to be known by")
    owner = MockConfigEntry(domain=profile.integration)
    owner.add_to_hass(hass)
    device = device_registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={(profile.integration, "1")}, name="Box"
    )
    resume = [profile.pause.resume] if profile.pause and isinstance(profile.pause.resume, Find) else []
    for find in [*profile.needed, *resume]:
        made = entity_registry.async_get_or_create(
            find.domain, profile.integration, f"1_{find.key}", device_id=device.id, config_entry=owner
        )
        hass.states.async_set(made.entity_id, "1", {"max": 16} if find.domain == "number" else {})
    found, roles = propose(hass, device.id)
    assert found is not None
    assert found.integration == profile.integration
    entry = add_site(hass)
    dialog = await add_charger(hass, entry)
    form = await dialog.submit({CONF_DEVICE_ID: device.id, "other": {}})
    result = await dialog.submit({**filled_in(form), CONF_MAX_AMPS_CAR: 16})
    assert result["type"] is FlowResultType.CREATE_ENTRY, result.get("errors")
    kept = only(entry).data[CONF_ROLES]
    assert kept == {role: roles[role] for role in kept}
    assert roles.keys() - kept.keys() <= {"pause_state", "resume_state"}, "an action has no state"


async def test_what_a_known_charger_measures_is_not_proposed_as_the_meter(
    hass: HomeAssistant, peblar: dr.DeviceEntry, entity_registry: er.EntityRegistry
) -> None:
    for phase in (1, 2, 3):
        made = entity_registry.async_get_or_create(
            "sensor",
            "peblar",
            f"23-45-A4O-MOF_current_phase_{phase}",
            device_id=peblar.id,
            translation_key=f"current_phase_{phase}",
            original_device_class=SensorDeviceClass.CURRENT,
        )
        hass.states.async_set(made.entity_id, "16", {"unit_of_measurement": "A", "device_class": "current"})
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    page = await flow.async_configure(result["flow_id"], {"next_step_id": "which_meter"})
    assert page["step_id"] == "meter", "there is nothing else, so they are asked for one by one"
