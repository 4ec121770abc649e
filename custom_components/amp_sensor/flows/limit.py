"""Adding a limit of the supply beside its budget, and changing it."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME, Platform, UnitOfPower, UnitOfTime
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TimeSelector,
)
import voluptuous as vol

from ..const import (
    CONF_AVERAGE,
    CONF_BLOCKS,
    CONF_EACH_CHARGER,
    CONF_ENTITY,
    CONF_FALLBACK_AFTER,
    CONF_FALLBACK_KW,
    CONF_FIRST_MONTH,
    CONF_FOLLOWS_PEAK,
    CONF_FROM,
    CONF_KIND,
    CONF_LAST_MONTH,
    CONF_LIMIT_KW,
    CONF_ON_KW,
    CONF_SWITCHES_LOADS,
    CONF_TO,
    CONF_WEEKDAYS,
    CONF_WINDOW,
    DEFAULT_FALLBACK_AFTER_MIN,
    DEFAULT_PEAK_KW,
    MAX_FALLBACK_AFTER_MIN,
    MAX_LIMIT_KW,
    MIN_PEAK_KW,
    SUBENTRY_LOAD,
)
from ..meters.entity import UNITS, Kind
from ..meters.proposals import ref_of
from ..site.limiting import ON_OFF, WEEKDAYS, kind_of
from ..texts import async_texts

_REFS: Final = (CONF_AVERAGE, CONF_ENTITY)
_NUMBERS: Final = [str(Platform.SENSOR), str(Platform.NUMBER), "input_number"]
_SWITCHES: Final = [str(Platform.BINARY_SENSOR), str(Platform.SWITCH), "input_boolean"]


def _kw(least: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=least,
            max=MAX_LIMIT_KW,
            step="any",
            unit_of_measurement=UnitOfPower.KILO_WATT,
            mode=NumberSelectorMode.BOX,
        )
    )


def _window(*lengths_min: int) -> SelectSelector:
    options = [str(length) for length in lengths_min]
    return SelectSelector(SelectSelectorConfig(options=options, translation_key=CONF_WINDOW))


_MONTH: Final = NumberSelector(NumberSelectorConfig(min=1, max=12, mode=NumberSelectorMode.BOX))
_POWER: Final = EntitySelector(
    EntitySelectorConfig(
        filter=EntityWithDeviceFilterSelectorConfig(domain=_NUMBERS, unit_of_measurement=UNITS[Kind.POWER])
    )
)
_PEAK: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_LIMIT_KW, default=DEFAULT_PEAK_KW): _kw(MIN_PEAK_KW),
        vol.Required(CONF_FOLLOWS_PEAK, default=False): BooleanSelector(),
        vol.Required(CONF_WINDOW, default="15"): _window(15, 30, 60),
        vol.Optional(CONF_AVERAGE): _POWER,
    }
)
_OUTSIDE: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_ENTITY): EntitySelector(
            EntitySelectorConfig(filter=EntityWithDeviceFilterSelectorConfig(domain=[*_NUMBERS, *_SWITCHES]))
        ),
        vol.Optional(CONF_ON_KW): _kw(0),
        vol.Required(CONF_EACH_CHARGER, default=False): BooleanSelector(),
        vol.Required(CONF_FALLBACK_AFTER, default=DEFAULT_FALLBACK_AFTER_MIN): NumberSelector(
            NumberSelectorConfig(
                min=0,
                max=MAX_FALLBACK_AFTER_MIN,
                unit_of_measurement=UnitOfTime.MINUTES,
                mode=NumberSelectorMode.BOX,
            )
        ),
        vol.Optional(CONF_FALLBACK_KW): _kw(0),
    }
)
_WEEKDAYS: Final = SelectSelector(
    SelectSelectorConfig(options=list(WEEKDAYS), multiple=True, translation_key=CONF_WEEKDAYS)
)


def _schedule(power_kw: float) -> vol.Schema:
    """Return the form of blocks. A new one begins with this power: without it, with the least that may be typed."""
    blocks = ObjectSelector(
        ObjectSelectorConfig(
            multiple=True,
            translation_key=CONF_BLOCKS,
            fields={
                CONF_LIMIT_KW: {"required": True, "default": power_kw, "selector": _kw(0)},
                CONF_FROM: {"selector": TimeSelector()},
                CONF_TO: {"selector": TimeSelector()},
                CONF_WEEKDAYS: {"selector": _WEEKDAYS},
                CONF_FIRST_MONTH: {"selector": _MONTH},
                CONF_LAST_MONTH: {"selector": _MONTH},
            },
        )
    )
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_BLOCKS): blocks,
            vol.Optional(CONF_LIMIT_KW): _kw(0),
            vol.Required(CONF_WINDOW, default="0"): _window(0, 15, 30, 60),
        }
    )


class LimitSubentryFlow(ConfigSubentryFlow):
    """Add a limit to a site, or change it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what kind of limit it is."""
        return self.async_show_menu(step_id="user", menu_options=["peak", "outside", "schedule"])

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a limit that is there."""
        data = self._get_reconfigure_subentry().data
        if CONF_ENTITY in data:
            return await self.async_step_outside()
        return await (self.async_step_schedule() if CONF_BLOCKS in data else self.async_step_peak())

    async def async_step_peak(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a peak that is billed, or must not be exceeded."""
        return await self._async_ask("peak", _PEAK, user_input)

    async def async_step_outside(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which entity says what holds."""
        errors: dict[str, str] = {}
        if user_input is not None:
            kind = kind_of(self.hass, ref_of(self.hass, user_input[CONF_ENTITY]))
            if kind is None:
                errors = {CONF_ENTITY: "limit_unreadable"}
            elif kind == ON_OFF and CONF_ON_KW not in user_input:
                errors = {CONF_ON_KW: "on_kw_missing"}
            else:
                user_input = {**user_input, CONF_KIND: kind}
        return await self._async_ask("outside", _OUTSIDE, user_input, errors)

    async def async_step_schedule(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask when which power holds."""
        errors = {CONF_BLOCKS: "no_blocks"} if user_input is not None and not user_input[CONF_BLOCKS] else {}
        kept = self._get_reconfigure_subentry().data if self.source == SOURCE_RECONFIGURE else {}
        power_kw = (user_input or kept).get(CONF_LIMIT_KW, DEFAULT_PEAK_KW)
        return await self._async_ask("schedule", _schedule(power_kw), user_input, errors)

    async def _async_ask(
        self, step: str, schema: vol.Schema, user_input: dict[str, Any] | None, errors: dict[str, str] | None = None
    ) -> SubentryFlowResult:
        """Show a form, or keep what was typed."""
        if self._get_entry().get_subentries_of_type(SUBENTRY_LOAD):
            # What is billed is rather paid for than done without; what must not be exceeded is not
            schema = schema.extend({vol.Required(CONF_SWITCHES_LOADS, default=step != "peak"): BooleanSelector()})
        changes = self.source == SOURCE_RECONFIGURE
        if user_input is not None and not errors:
            if name := " ".join(user_input[CONF_NAME].split()):
                data = {
                    key: ref_of(self.hass, value) if key in _REFS else value
                    for key, value in user_input.items()
                    if key != CONF_NAME
                }
                if changes:
                    subentry = self._get_reconfigure_subentry()
                    return self.async_update_and_abort(self._get_entry(), subentry, title=name, data=data)
                return self.async_create_entry(title=name, data=data)
            errors = {CONF_NAME: "name_empty"}
        shown: Mapping[str, Any] | None = user_input
        if shown is None:
            shown = self._kept() if changes else {CONF_NAME: await self._async_name(step)}
        return self.async_show_form(
            step_id=step, data_schema=self.add_suggested_values_to_schema(schema, shown), errors=errors
        )

    def _kept(self) -> Mapping[str, Any]:
        """Return a limit that is there as its form shows it."""
        subentry, registry = self._get_reconfigure_subentry(), er.async_get(self.hass)
        kept = {CONF_NAME: subentry.title, **subentry.data}
        for key in _REFS:
            if key in kept and (entity_id := er.async_resolve_entity_id(registry, kept[key])) is not None:
                kept[key] = entity_id
        return kept

    async def _async_name(self, step: str) -> str:
        """Return what to call a new one, in the language of Home Assistant."""
        return (await async_texts(self.hass, "config_panel.limit"))[step]
