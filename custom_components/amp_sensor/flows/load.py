"""Adding a load that may be switched off, and changing it."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import UnitOfPower, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol

from ..const import (
    CONF_ASK_FOR,
    CONF_ASKS,
    CONF_ENTITY,
    CONF_LEAST_OFF,
    CONF_LEAST_ON,
    CONF_NOTIFY,
    CONF_OFF,
    CONF_PHASES,
    CONF_POWER,
    CONF_RESPECTS_USER,
    CONF_RESTORE,
    CONF_SETBACK,
    CONF_WATTS,
    DEFAULT_ASK_S,
    DEFAULT_LEAST_MIN,
    DOMAIN,
    MAX_ASK_S,
    MAX_LEAST_MIN,
    MAX_LOAD_W,
    MIN_ASK_S,
    MIN_LOAD_W,
    OFF_ECO,
    OFF_OFF,
    OFF_SETBACK,
    SUBENTRY_LOAD,
)
from ..control import Restore
from ..loads.load import DOMAINS
from ..meters.entity import UNITS, Kind
from ..meters.proposals import ref_of
from .adding import phases_of
from .forms import phases_schema, whole_number

CONF_HARMLESS: Final = "harmless"
"""Of a form, and not kept: that nothing hangs on the load that must go on."""
SECTION_ASKING: Final = "asking"
SECTION_TIMES: Final = "times"
_OFF: Final = {"climate": (OFF_OFF, OFF_SETBACK), "water_heater": (OFF_OFF, OFF_ECO)}
"""What counts as off, where there is a choice."""


def _choice(options: tuple[str, ...], key: str) -> SelectSelector:
    return SelectSelector(SelectSelectorConfig(options=list(options), translation_key=key))


def _phones(hass: HomeAssistant) -> list[str]:
    """Return the actions that notify a phone with Home Assistant's app."""
    actions = hass.services.async_services().get("notify", {})
    return sorted(f"notify.{action}" for action in actions if action.startswith("mobile_app_"))


def _settings_schema(hass: HomeAssistant, domain: str, phases: int) -> vol.Schema:
    """Return the form of a load of this domain, at a site with so many phases."""
    power = EntityWithDeviceFilterSelectorConfig(
        domain=["sensor", "input_number"], unit_of_measurement=UNITS[Kind.POWER]
    )
    minutes = whole_number(0, MAX_LEAST_MIN, UnitOfTime.MINUTES)
    least = DEFAULT_LEAST_MIN.get(domain, 0)
    fields: dict[Any, Any] = {}
    if domain in _OFF:
        fields[vol.Required(CONF_OFF, default=OFF_OFF)] = _choice(_OFF[domain], "load_off")
    if domain == "climate":
        degrees = NumberSelectorConfig(step=0.5, mode=NumberSelectorMode.BOX)
        fields[vol.Optional(CONF_SETBACK)] = NumberSelector(degrees)
    more: dict[Any, Any] = {
        vol.Optional(CONF_WATTS): whole_number(MIN_LOAD_W, MAX_LOAD_W, UnitOfPower.WATT),
        **phases_schema(phases),
        vol.Optional(CONF_POWER): EntitySelector(EntitySelectorConfig(filter=power)),
        vol.Required(CONF_RESTORE, default=Restore.YES): _choice(tuple(Restore), "load_restore"),
        vol.Required(SECTION_TIMES): section(
            vol.Schema(
                {
                    vol.Required(CONF_LEAST_ON, default=least): minutes,
                    vol.Required(CONF_LEAST_OFF, default=least): minutes,
                    vol.Required(CONF_RESPECTS_USER, default=True): BooleanSelector(),
                }
            ),
            {"collapsed": True},
        ),
        vol.Required(SECTION_ASKING): section(
            vol.Schema(
                {
                    vol.Required(CONF_ASKS, default=False): BooleanSelector(),
                    vol.Required(CONF_ASK_FOR, default=DEFAULT_ASK_S): whole_number(
                        MIN_ASK_S, MAX_ASK_S, UnitOfTime.SECONDS
                    ),
                    vol.Optional(CONF_NOTIFY): SelectSelector(
                        SelectSelectorConfig(options=_phones(hass), custom_value=True)
                    ),
                }
            ),
            {"collapsed": True},
        ),
    }
    return vol.Schema(fields | more)


class LoadSubentryFlow(ConfigSubentryFlow):
    """Add a load to a site, or change it."""

    _entity_id: str

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what may be switched off, and whether it is harmless."""
        return await self._async_choose("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask the same of a load that is there."""
        return await self._async_choose("reconfigure", user_input)

    async def _async_choose(self, step_id: str, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        errors: dict[str, str] = {}
        registry = er.async_get(self.hass)
        ours = [entry.entity_id for entry in registry.entities.values() if entry.platform == DOMAIN]
        if user_input is not None:
            self._entity_id = user_input[CONF_ENTITY]
            errors = self._errors(user_input)
            if not errors:
                return await self.async_step_settings()
        elif (data := self._kept()) and (entity_id := er.async_resolve_entity_id(registry, data[CONF_ENTITY])):
            user_input = {CONF_ENTITY: entity_id}
        schema = vol.Schema(
            {
                vol.Required(CONF_ENTITY): EntitySelector(EntitySelectorConfig(domain=DOMAINS, exclude_entities=ours)),
                vol.Required(CONF_HARMLESS, default=False): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
        )

    def _kept(self) -> Mapping[str, Any]:
        """Return the settings of the load that is changed; none of a new one."""
        return self._get_reconfigure_subentry().data if self.source == SOURCE_RECONFIGURE else {}

    def _errors(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        entry = er.async_get(self.hass).async_get(self._entity_id)
        if entry is None and self.hass.states.get(self._entity_id) is None:
            return {CONF_ENTITY: "load_missing"}
        ref = ref_of(self.hass, self._entity_id)
        others = {
            load.unique_id
            for site in self.hass.config_entries.async_entries(DOMAIN)
            for load in site.get_subentries_of_type(SUBENTRY_LOAD)
        }
        if ref in others and ref != self._kept().get(CONF_ENTITY):
            return {CONF_ENTITY: "load_known"}
        return {} if user_input[CONF_HARMLESS] else {CONF_HARMLESS: "not_harmless"}

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how it is switched off, and when it comes back."""
        domain = self._entity_id.split(".")[0]
        errors: dict[str, str] = {}
        shown = user_input
        if user_input is not None:
            if user_input.get(CONF_OFF) == OFF_SETBACK and CONF_SETBACK not in user_input:
                errors = {CONF_SETBACK: "setback_missing"}
            else:
                return self._finish(self._typed(user_input))
        elif data := self._kept():
            shown = self._shown(data)
        name = self._name()
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(
                _settings_schema(self.hass, domain, phases_of(self._get_entry().data)), shown
            ),
            errors=errors,
            description_placeholders={"load": name},
        )

    def _name(self) -> str:
        state = self.hass.states.get(self._entity_id)
        return self._entity_id if state is None else state.name

    def _typed(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was typed as it is kept."""
        data = {key: value for key, value in user_input.items() if key not in (SECTION_ASKING, SECTION_TIMES)}
        data |= {CONF_ENTITY: ref_of(self.hass, self._entity_id), **user_input[SECTION_TIMES]}
        data |= user_input[SECTION_ASKING]
        if phases := data.pop(CONF_PHASES, None):
            data[CONF_PHASES] = sorted(int(phase) for phase in phases)
        if CONF_POWER in data:
            data[CONF_POWER] = ref_of(self.hass, data[CONF_POWER])
        return data

    def _shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings as the form shows them; what is gone is left empty."""
        shown: dict[str, Any] = dict(data)
        for name, keys in (
            (SECTION_TIMES, (CONF_LEAST_ON, CONF_LEAST_OFF, CONF_RESPECTS_USER)),
            (SECTION_ASKING, (CONF_ASKS, CONF_ASK_FOR, CONF_NOTIFY)),
        ):
            shown[name] = {key: shown.pop(key) for key in keys if key in shown}
        if CONF_PHASES in shown:
            shown[CONF_PHASES] = [str(phase) for phase in shown[CONF_PHASES]]
        if CONF_POWER in shown:
            power = er.async_resolve_entity_id(er.async_get(self.hass), shown.pop(CONF_POWER))
            shown |= {} if power is None else {CONF_POWER: power}
        return shown

    def _finish(self, data: dict[str, Any]) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            return self.async_update_and_abort(self._get_entry(), subentry, data=data, unique_id=data[CONF_ENTITY])
        return self.async_create_entry(title=self._name(), data=data, unique_id=data[CONF_ENTITY])
