"""Adding a charger that Home Assistant knows, and changing it: which of its entities and actions does what."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowContext, FlowResult, section
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.selector import (
    ActionSelector,
    DeviceFilterSelectorConfig,
    DeviceSelector,
    DeviceSelectorConfig,
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)
from homeassistant.util.ulid import ulid_now
import voluptuous as vol

from ..chargers.profile import ChargerProfile
from ..chargers.profiles import PROFILES
from ..chargers.proposal import propose
from ..const import (
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PHASES,
    CONF_PROFILE,
    CONF_ROLES,
    DOMAIN,
    MAX_CHARGER_A,
    MIN_BUDGET_A,
    SUBENTRY_CHARGER,
)
from ..control import ChargingState
from .adding import AddingSteps, known_chargers, phases_of
from .forms import EMPTY, charger_schema

# Of a form, and not kept
_OTHER: Final = "other"
_OTHER_DEVICE: Final = "other_device"
COMMANDS: Final = "commands"
REPORTS: Final = "reports"
STATES: Final = "states"


def _entity(*domains: str, multiple: bool = False) -> EntitySelector:
    return EntitySelector(EntitySelectorConfig(domain=list(domains), multiple=multiple))


_SWITCHES: Final = ("switch", "input_boolean", "select", "input_select", "button", "input_button")
_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    COMMANDS: {
        "current": _entity("number", "input_number"),
        "pause": _entity(*_SWITCHES),
        "pause_state": TextSelector(),
        "resume": _entity(*_SWITCHES),
        "resume_state": TextSelector(),
        "set_current": ActionSelector(),
        "pause_action": ActionSelector(),
        "resume_action": ActionSelector(),
        "wake": _entity("button", "input_button"),
        "switch_phases": _entity("switch", "input_boolean", "select", "input_select"),
        "one_phase_state": TextSelector(),
        "all_phases_state": TextSelector(),
    },
    REPORTS: {
        "state": _entity("sensor", "select"),
        "plugged": _entity("binary_sensor", "sensor", "input_boolean"),
        "charging": _entity("binary_sensor", "input_boolean"),
        "currents": _entity("sensor", "input_number", multiple=True),
        "power": _entity("sensor", "input_number"),
        "voltage": _entity("sensor", "input_number"),
        "phases": _entity("sensor", "number", "select", "switch", "binary_sensor", "input_number"),
        "limit": _entity("sensor", "number", "input_number"),
        "place": _entity("device_tracker", "person"),
        "scheduled": _entity("binary_sensor", "input_boolean"),
        "asleep": _entity("binary_sensor", "input_boolean"),
        "battery": _entity("sensor", "number", "input_number"),
    },
}
"""What can be chosen for each role, in two sections."""
_TEXTS: Final = ("pause_state", "resume_state", "one_phase_state", "all_phases_state")
_STATES_OF: Final = {"pause": _TEXTS[:2], "switch_phases": _TEXTS[2:]}
"""What the states of a list have to be told for."""
_ACTIONS: Final = ("set_current", "pause_action", "resume_action")
_MOVES: Final = ("current", "set_current", "pause", "pause_action")
"""One of them is needed."""
_SORTED: Final = (
    ChargingState.CHARGING,
    ChargingState.COMPLETE,
    ChargingState.STOPPED,
    ChargingState.STARTING,
    ChargingState.NO_POWER,
    ChargingState.DISCONNECTED,
)
"""What the states of a sensor are sorted into; whatever is left out is unknown."""
_USUAL: Final[Mapping[ChargingState, Collection[str]]] = {
    ChargingState.CHARGING: ("charging", "c2", "c"),
    ChargingState.COMPLETE: ("complete", "completed", "charge complete", "charged", "finished", "full"),
    ChargingState.STOPPED: ("stopped", "paused", "suspended", "connected", "plugged in", "waiting", "b", "b1", "b2"),
    ChargingState.STARTING: ("starting", "preparing"),
    ChargingState.NO_POWER: ("no power", "error", "fault", "faulted", "e", "f"),
    ChargingState.DISCONNECTED: ("disconnected", "unplugged", "available", "not connected", "no ev connected", "a"),
}
"""What states usually mean by their names: proposed, and shown."""


def ref_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return what an entity is kept as, so that it is still found once it is renamed."""
    entry = er.async_get(hass).async_get(entity_id)
    return entity_id if entry is None else entry.id


def entity_id_of(hass: HomeAssistant, ref: str) -> str | None:
    """Return what an entity is called today; None where there is none any more."""
    return er.async_resolve_entity_id(er.async_get(hass), ref)


def _typed_roles(hass: HomeAssistant, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed as it is kept: nothing of what was left empty."""
    roles: dict[str, Any] = {}
    for fields in _FIELDS:
        for role, typed in user_input[fields].items():
            if role in _TEXTS:
                value: Any = typed.strip()
            elif role in _ACTIONS:
                value = typed
            elif isinstance(typed, list):
                value = [ref_of(hass, each) for each in typed]
            else:
                value = ref_of(hass, typed)
            if value:
                roles[role] = value
    if "pause" not in roles:
        for role in ("pause_state", "resume", "resume_state"):
            roles.pop(role, None)
    if "switch_phases" not in roles:
        for role in _STATES_OF["switch_phases"]:
            roles.pop(role, None)
    return roles


def _shown_roles(hass: HomeAssistant, roles: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the roles as a form shows them; what is gone is left empty."""
    shown: dict[str, dict[str, Any]] = {fields: {} for fields in _FIELDS}
    for fields, schema in _FIELDS.items():
        for role in schema:
            if (value := roles.get(role)) is None:
                continue
            if role not in (*_TEXTS, *_ACTIONS):
                refs = value if isinstance(value, list) else [value]
                found = [entity_id for ref in refs if (entity_id := entity_id_of(hass, ref)) is not None]
                value = found if isinstance(value, list) else next(iter(found), None)
            if value:
                shown[fields][role] = value
    return shown


def _entities(hass: HomeAssistant, roles: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each role that an entity has, and that entity."""
    for schema in _FIELDS.values():
        for role in schema:
            if role in roles and role not in (*_TEXTS, *_ACTIONS):
                value = roles[role]
                for ref in value if isinstance(value, list) else [value]:
                    yield role, entity_id_of(hass, ref) or ref


def _errors(hass: HomeAssistant, roles: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the errors of the form, each at the section of its field, and what they name."""
    if not any(role in roles for role in _MOVES):
        return {COMMANDS: "nothing_to_command"}, {}
    if "pause_action" in roles and "resume_action" not in roles:
        return {COMMANDS: "no_resume"}, {}
    registry = er.async_get(hass)
    for role, entity_id in _entities(hass, roles):
        entry = registry.async_get(entity_id)
        fields = next(fields for fields, schema in _FIELDS.items() if role in schema)
        if entry is None and hass.states.get(entity_id) is None:
            return {fields: "entity_missing"}, {"entity": entity_id}
        if entry is not None and entry.disabled_by is not None:
            return {fields: "entity_disabled"}, {"entity": entity_id}
        if entry is not None and entry.platform == DOMAIN:
            return {fields: "entity_ours"}, {"entity": entity_id}
        if role in _STATES_OF and entity_id.split(".")[0] in ("select", "input_select"):
            state = hass.states.get(entity_id)
            options = state.attributes.get("options", ()) if state else ()
            for text in _STATES_OF[role]:
                if roles.get(text) not in options and options:
                    return {COMMANDS: "no_such_option"}, {"entity": entity_id, "options": ", ".join(options)}
        if role == "pause" and entity_id.split(".")[0] in ("button", "input_button") and "resume" not in roles:
            return {COMMANDS: "no_resume"}, {}
    return {}, {}


def device_name(hass: HomeAssistant, device_id: str | None) -> str | None:
    """Return what people call a device."""
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    return None if device is None else device.name_by_user or device.name


def charger_devices(hass: HomeAssistant) -> Iterator[str]:
    """Yield the devices that a profile knows for chargers."""
    integrations = {profile.integration for profile in PROFILES}
    for entry in hass.config_entries.async_entries(include_ignore=False, include_disabled=False):
        if entry.domain in integrations:
            for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
                if propose(hass, device.id)[0] is not None:
                    yield device.id


def _number_of(state: State | None, attribute: str) -> float:
    try:
        return float(state.attributes[attribute]) if state is not None else 0.0
    except KeyError, TypeError, ValueError:
        return 0.0


class EntitySteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    AddingSteps[ContextT, ResultT, HandlerT]
):
    """The steps that add a charger of Home Assistant: to a new site as to one that is there."""

    _device_id: str | None = None
    _profile: ChargerProfile | None = None
    _proposed: Mapping[str, Any]
    """The roles that the form begins with."""
    _settings: dict[str, Any]
    """What was typed so far."""

    async def async_step_device(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask which device the charger is."""
        errors: dict[str, str] = {}
        taken = known_chargers(self.hass)
        known = [device_id for device_id in charger_devices(self.hass) if device_id not in taken]
        if user_input is not None:
            chosen = user_input.get(_OTHER, {}).get(_OTHER_DEVICE) or user_input.get(CONF_DEVICE_ID)
            if chosen is None or chosen not in taken:
                self._device_id = chosen
                self._profile, self._proposed = propose(self.hass, chosen) if chosen else (None, {})
                return await self.async_step_entities()
            errors = {_OTHER if user_input.get(_OTHER, {}).get(_OTHER_DEVICE) else CONF_DEVICE_ID: "charger_known"}
        other = vol.Schema({vol.Optional(_OTHER_DEVICE): DeviceSelector()})
        schema: dict[Any, Any] = {vol.Required(_OTHER): section(other, {"collapsed": bool(known)})}
        if known or user_input is not None:
            integrations = [
                DeviceFilterSelectorConfig(integration=each)
                for each in sorted({profile.integration for profile in PROFILES})
            ]
            choice = DeviceSelector(DeviceSelectorConfig(filter=integrations))
            schema = {vol.Optional(CONF_DEVICE_ID): choice, **schema}
        return self.async_show_form(
            step_id="device",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(schema), user_input or ({CONF_DEVICE_ID: known[0]} if known else {})
            ),
            errors=errors,
        )

    async def _async_change_entities(self, data: Mapping[str, Any]) -> ResultT:
        """Ask about a charger that is there."""
        self._device_id, self._proposed = data.get(CONF_DEVICE_ID), data[CONF_ROLES]
        self._profile = next((profile for profile in PROFILES if profile.key == data.get(CONF_PROFILE)), None)
        shown = {CONF_MAX_AMPS_CAR: data[CONF_MAX_AMPS_CAR], **_shown_roles(self.hass, self._proposed)}
        if phases := data.get(CONF_PHASES):
            shown[CONF_PHASES] = [str(phase) for phase in phases]
        return self._ask_for_entities(shown)

    def _proposed_amps(self) -> int | str:
        """Return the most that the charger can be set to, and no more than the house may draw."""
        ref = self._proposed.get("current")
        state = self.hass.states.get(entity_id_of(self.hass, ref) or "") if ref else None
        amps = int(min(_number_of(state, "max"), self._site()[CONF_MAX_AMPS], MAX_CHARGER_A))
        return amps if amps >= MIN_BUDGET_A else EMPTY

    async def async_step_entities(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask how much it may draw, and what does what."""
        if user_input is None:
            return self._ask_for_entities(
                {CONF_MAX_AMPS_CAR: self._proposed_amps(), **_shown_roles(self.hass, self._proposed)}
            )
        return await self._async_take_entities(user_input)

    def _ask_for_entities(
        self,
        user_input: Mapping[str, Any],
        errors: Mapping[str, str] | None = None,
        named: Mapping[str, str] | None = None,
    ) -> ResultT:
        schema = charger_schema(phases_of(self._site())).extend(
            {
                vol.Required(fields): section(
                    vol.Schema({vol.Optional(role): kind for role, kind in schema.items()}),
                    {"collapsed": self._profile is not None and fields not in (errors or {})},
                )
                for fields, schema in _FIELDS.items()
            }
        )
        return self.async_show_form(
            step_id="entities",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=dict(errors or {}),
            description_placeholders={
                "charger": device_name(self.hass, self._device_id) or "?",
                "profile": self._profile.title if self._profile else "?",
                **(named or {}),
            },
        )

    async def _async_take_entities(self, user_input: dict[str, Any]) -> ResultT:
        roles = _typed_roles(self.hass, user_input)
        errors, named = _errors(self.hass, roles)
        if errors:
            return self._ask_for_entities(user_input, errors, named)
        self._settings = {
            CONF_ROLES: roles,
            CONF_PROFILE: self._profile.key if self._profile else None,
            CONF_DEVICE_ID: self._device_id,
            CONF_MAX_AMPS_CAR: user_input[CONF_MAX_AMPS_CAR],
        }
        if phases := user_input.get(CONF_PHASES):
            self._settings[CONF_PHASES] = sorted(int(phase) for phase in phases)
        is_known = self._profile is not None and roles.get("state") == self._proposed.get("state")
        if "state" not in roles or (is_known and STATES not in self._proposed):
            return await self._async_finish_entities()
        return await self.async_step_states()

    def _states_there_are(self) -> list[str]:
        """Return what the sensor can say, as far as it tells; and what it was told to mean."""
        told: Mapping[str, list[str]] = self._proposed.get(STATES, {})
        state = self.hass.states.get(entity_id_of(self.hass, self._settings[CONF_ROLES]["state"]) or "")
        options = [] if state is None else [*map(str, state.attributes.get("options") or ()), state.state]
        words = [*options, *(word for words in told.values() for word in words)]
        return [word for word in dict.fromkeys(words) if word not in ("unknown", "unavailable")]

    async def async_step_states(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask what the texts of an unknown sensor mean."""
        words = self._states_there_are()
        errors: dict[str, str] = {}
        if user_input is not None:
            states = {meaning: texts for meaning, texts in user_input.items() if texts}
            told = [text for texts in states.values() for text in texts]
            if len(told) != len(set(told)):
                errors = {"base": "state_twice"}
            elif ChargingState.CHARGING not in states:
                errors = {ChargingState.CHARGING: "no_charging_state"}
            else:
                self._settings[CONF_ROLES] = {**self._settings[CONF_ROLES], STATES: states}
                return await self._async_finish_entities()
        else:
            usual = {
                meaning: [word for word in words if word.casefold().replace("_", " ").replace("-", " ") in names]
                for meaning, names in _USUAL.items()
            }
            user_input = dict(self._proposed.get(STATES, usual))
        choice = SelectSelector(SelectSelectorConfig(options=words, multiple=True, custom_value=True))
        schema = vol.Schema({vol.Optional(str(meaning)): choice for meaning in _SORTED})
        return self.async_show_form(
            step_id="states",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"entity": entity_id_of(self.hass, self._settings[CONF_ROLES]["state"]) or ""},
        )

    def _unique_id(self) -> str:
        """Return what a charger is known by: its device, or what it is commanded through."""
        roles = self._settings[CONF_ROLES]
        return self._device_id or roles.get("current") or roles.get("pause") or ulid_now()

    async def _async_finish_entities(self) -> ResultT:
        roles = self._settings[CONF_ROLES]
        moved = entity_id_of(self.hass, roles.get("current") or roles.get("pause") or "") or ""
        state = self.hass.states.get(moved)
        title = device_name(self.hass, self._device_id) or (state.name if state else None) or moved or "EV"
        return await self._async_add_charger(
            ConfigSubentryData(
                data=self._settings, subentry_type=SUBENTRY_CHARGER, title=title, unique_id=self._unique_id()
            )
        )
