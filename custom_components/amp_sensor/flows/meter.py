"""Choosing what measures a supply: a sensor that posts, or sensors that Home Assistant has."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import Platform
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..chargers.profiles import PROFILES
from ..const import CONF_METER, CONF_SUPPLY, CONF_VOLTAGE, DEFAULT_VOLTAGE, DOMAIN
from ..control import Supply
from ..meters.entity import (
    CURRENT,
    KINDS,
    PHASES,
    POWER,
    POWER_EXPORT,
    UNITS,
    Kind,
    Value,
    fraction_is_unknown,
    power_of,
    read_phases,
    read_state,
    refs_of,
)
from ..meters.proposals import Proposal, async_find, ref_of, slow_interval_s
from ..texts import async_texts
from .entities import charger_devices

BY_HAND: Final = "by_hand"
TOTALS: Final = "totals"
SLOW_S: Final = 10.0
"""From which interval of a meter on a person is told what it costs, s: two of the project's firmware."""
_CHARGERS: Final = {profile.integration for profile in PROFILES} - {"esphome", "mqtt"}
"""Integrations whose devices are chargers or cars; those of the other two may be anything."""
_PLACES: Final = ("l1", "l2", "l3")
_SUPPLIES: Final = (Supply.SINGLE, Supply.SPLIT, Supply.THREE)
_DOMAINS: Final = [str(Platform.SENSOR), str(Platform.NUMBER), "input_number"]


def _sensor(role: str, ours: list[str]) -> EntitySelector:
    wanted = EntityWithDeviceFilterSelectorConfig(domain=_DOMAINS, unit_of_measurement=UNITS[KINDS[role]])
    return EntitySelector(EntitySelectorConfig(filter=wanted, exclude_entities=ours))


def _meter_schema(typed: Mapping[str, Any], ours: list[str]) -> vol.Schema:
    """Return the form of the sensors; places that nothing is chosen for are closed, but for the first.

    Entities of `ours` show what is read here: they cannot be what it is read from.
    """
    places: dict[str, tuple[str, ...]] = {**dict.fromkeys(_PLACES, tuple(KINDS)), TOTALS: (POWER, POWER_EXPORT)}
    return vol.Schema(
        {
            vol.Required(place): section(
                vol.Schema({vol.Optional(role): _sensor(role, ours) for role in roles}),
                {"collapsed": place != _PLACES[0] and not typed.get(place)},
            )
            for place, roles in places.items()
        }
    )


def supply_of(meter: Mapping[str, Any]) -> Supply:
    """Return how a house is fed whose meter has so many phases."""
    return _SUPPLIES[len(meter[PHASES]) - 1]


class MeterSteps(ConfigFlow):
    """The pages that choose the sensors of a meter, and show what they say before anything is saved."""

    _data: dict[str, Any]
    _proposals: Mapping[str, Proposal]

    @abstractmethod
    async def _async_meter_chosen(self) -> ConfigFlowResult:
        """Go on with the sensors that are in the settings."""

    async def async_step_which_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer what was found."""
        if user_input is None:
            found = await async_find(self.hass, chargers=_CHARGERS, but=set(charger_devices(self.hass)))
            self._proposals = {proposal.key: proposal for proposal in found}
            if not self._proposals:
                return await self.async_step_meter()
            options = [SelectOptionDict(value=key, label=each.title) for key, each in self._proposals.items()]
            texts = await async_texts(self.hass, "config_panel.meter")
            options.append(SelectOptionDict(value=BY_HAND, label=texts[BY_HAND]))
            choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
            first = next(iter(self._proposals))
            schema = vol.Schema({vol.Required(CONF_METER, default=first): choice})
            return self.async_show_form(step_id="which_meter", data_schema=schema)
        if (proposal := self._proposals.get(user_input[CONF_METER])) is None:
            return await self.async_step_meter()
        self._data[CONF_METER] = proposal.meter
        return await self.async_step_meter_shown()

    async def async_step_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which sensor measures what."""
        errors: dict[str, str] = {}
        typed = user_input
        entities = er.async_get(self.hass).entities.values()
        ours = [entry.entity_id for entry in entities if entry.platform == DOMAIN]
        if user_input is not None:
            meter, errors = self._typed_meter(user_input)
            if not errors:
                self._data[CONF_METER] = meter
                return await self.async_step_meter_shown()
        else:
            typed = self._shown_meter()
        return self.async_show_form(
            step_id="meter",
            data_schema=self.add_suggested_values_to_schema(_meter_schema(typed or {}, ours), typed),
            errors=errors,
        )

    def _typed_meter(self, user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the sensors as they are kept, and the errors of the form."""
        places = {
            place: {role: ref_of(self.hass, entity_id) for role, entity_id in user_input.get(place, {}).items()}
            for place in (*_PLACES, TOTALS)
        }
        phases = [places[place] for place in _PLACES]
        while len(phases) > 1 and not phases[-1]:
            phases.pop()
        total = places[TOTALS]
        if len(phases) == 1 and not phases[0].keys() & {CURRENT, POWER}:
            phases, total = [{**phases[0], **total}], {}
        meter = {PHASES: phases, **total}
        refs = [ref for _, _, ref in refs_of(meter)]
        if not all(phase.keys() & {CURRENT, POWER} for phase in phases):
            return meter, {"base": "phase_missing"}
        if len(set(refs)) < len(refs):
            return meter, {"base": "sensor_twice"}
        return meter, {}

    def _shown_meter(self) -> dict[str, dict[str, str]]:
        """Return the sensors as the form shows them."""
        meter = self._data.get(CONF_METER, {PHASES: []})
        registry = er.async_get(self.hass)
        shown: dict[str, dict[str, str]] = {place: {} for place in (*_PLACES, TOTALS)}
        for place, role, ref in refs_of(meter):
            if (entity_id := er.async_resolve_entity_id(registry, ref)) is not None:
                shown[place.lower() or TOTALS][role] = entity_id
        return shown

    async def async_step_meter_shown(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what the sensors say now, and what they cannot say."""
        texts = await async_texts(self.hass, "config_panel.meter")
        meter = self._data[CONF_METER]
        phases, total = read_phases(meter, self._look, nominal_volts=self._data.get(CONF_VOLTAGE, DEFAULT_VOLTAGE))
        names = [f"L{number}" for number, _ in enumerate(phases, 1)] if len(phases) > 1 else [""]
        shown = [
            f"{name} {'?' if phase.amps is None else f'{phase.amps:.1f} A'}".strip()
            for name, phase in zip(names, phases, strict=True)
        ]
        is_told = any(phase.amps is not None for phase in phases)
        power = f" ({power_of(phases, total):.0f} W)" if is_told else ""
        notes = [texts[key].format(**words) for key, words in self._notes(meter)] or [texts["fine"]]
        return self.async_show_menu(
            step_id="meter_shown",
            menu_options=["use_meter", "meter_shown", "meter"],
            description_placeholders={
                "readings": ", ".join(shown) + power,
                "notes": "\n".join(f"- {note}" for note in notes),
            },
        )

    def _look(self, ref: str | None, kind: Kind) -> float | None:
        found = read_state(self.hass, ref, kind)
        return found.number if isinstance(found, Value) else None

    def _notes(self, meter: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield what a person should know of a meter, by its key, each with what is to be filled in."""
        states = {(place, role): read_state(self.hass, ref, KINDS[role]) for place, role, ref in refs_of(meter)}
        silent = [
            self._name_of(ref) for place, role, ref in refs_of(meter) if not isinstance(states[place, role], Value)
        ]
        if silent:
            yield "silent", {"sensors": ", ".join(dict.fromkeys(silent))}
        if not all(CURRENT in phase for phase in meter[PHASES]):
            yield "power_only", {}
        currents = [state for (_, role), state in states.items() if role == CURRENT]
        if any(isinstance(state, Value) and state.number for state in currents) and all(
            fraction_is_unknown(state) for state in currents
        ):
            yield "whole_amps", {}
        is_negative = any(isinstance(state, Value) and state.number < 0 for state in currents)
        has_sign = all(POWER in phase for phase in meter[PHASES]) or (len(meter[PHASES]) == 1 and POWER in meter)
        if not has_sign and not is_negative:
            yield "no_sign", {}
        if (slow := slow_interval_s(self.hass, meter)) is not None and slow[0] > SLOW_S:
            yield "slow_option", {"seconds": f"{slow[0]:.0f}"}
        elif (age_s := self._age_s(meter)) is not None and age_s > SLOW_S:
            yield "slow", {"seconds": f"{age_s:.0f}"}

    def _name_of(self, ref: str) -> str:
        return er.async_resolve_entity_id(er.async_get(self.hass), ref) or ref

    def _age_s(self, meter: Mapping[str, Any]) -> float | None:
        """Return how old the newest is of what the sensors say, s."""
        states = (
            self.hass.states.get(self._name_of(ref))
            for _, role, ref in refs_of(meter)
            if role in (CURRENT, POWER, POWER_EXPORT)
        )
        newest = max((state.last_reported for state in states if state is not None), default=None)
        return None if newest is None else (dt_util.utcnow() - newest).total_seconds()

    async def async_step_use_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take these sensors."""
        self._data[CONF_SUPPLY] = supply_of(self._data[CONF_METER])
        return await self._async_meter_chosen()
