"""One load: an entity of Home Assistant that is read, and told to go off or on again."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers import entity_registry as er

from ..const import CONF_ENTITY, CONF_OFF, CONF_POWER, CONF_SETBACK, OFF_ECO, OFF_SETBACK
from ..control import LoadReport
from ..meters.entity import Kind as Measured, Value, read_state
from .climate import Climate
from .kind import Before, Call, Kind
from .number import Number
from .switch import Switch
from .water_heater import WaterHeater

ANSWER_S: Final = 10.0
"""How long an entity may take to do as told, s: what takes longer has failed, and another load goes."""
STANDBY_W: Final = 20.0
"""A power sensor that shows less shows a load that stands still, W: displays and pumps draw some."""


DOMAINS: Final = [*Switch.domains, *Climate.domains, *WaterHeater.domains, *Number.domains]
"""What can be a load."""


class LoadFailed(Exception):
    """A load did not do as told; the text is for the log."""


class Load:
    """An entity, read where Home Assistant keeps its state: nothing is waited for but the end of an action."""

    def __init__(self, hass: HomeAssistant, data: Mapping[str, Any]) -> None:
        """Take the settings of its subentry."""
        self._hass = hass
        self._ref: str = data[CONF_ENTITY]
        self._power: str | None = data.get(CONF_POWER)
        self._off: str | None = data.get(CONF_OFF)
        self._setback: float | None = data.get(CONF_SETBACK)
        self.before: Before = {}
        """How it was before it was switched off."""

    @property
    def entity_id(self) -> str | None:
        """Its entity; None where that is gone."""
        return er.async_resolve_entity_id(er.async_get(self._hass), self._ref)

    def _state(self) -> State | None:
        state = None if (entity_id := self.entity_id) is None else self._hass.states.get(entity_id)
        return None if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN) else state

    def _kind(self, state: State) -> Kind:
        if state.domain in Climate.domains:
            return Climate(self._setback if self._off == OFF_SETBACK else None)
        if state.domain in WaterHeater.domains:
            return WaterHeater(eco=self._off == OFF_ECO)
        return Number() if state.domain in Number.domains else Switch()

    def report(self) -> LoadReport:
        """Return how it is."""
        if (state := self._state()) is None:
            return LoadReport(is_on=None)
        kind = self._kind(state)
        try:
            is_on = kind.is_on(state)
        except KeyError, ValueError:  # a number without a number
            return LoadReport(is_on=None)
        found = read_state(self._hass, self._power, Measured.POWER)
        draws = abs(found.number) >= STANDBY_W if isinstance(found, Value) else kind.draws(state)
        return LoadReport(is_on=is_on, draws=draws, runs_on_s=kind.runs_on_s)

    def take_before(self) -> None:
        """Remember how it is, to make it so again."""
        if (state := self._state()) is not None:
            self.before = self._kind(state).before(state)

    async def async_switch(self, *, on: bool) -> None:
        """Switch it off, or make it again as it was. Raises LoadFailed."""
        if (state := self._state()) is None:
            raise LoadFailed("unavailable")
        kind = self._kind(state)
        try:
            call: Call = kind.restore(self.before) if on else kind.shed(state)
            async with asyncio.timeout(ANSWER_S):
                await self._hass.services.async_call(
                    state.domain,
                    call[0],
                    {**call[1], ATTR_ENTITY_ID: state.entity_id},
                    blocking=True,
                    context=Context(),
                )
        except Exception as error:
            raise LoadFailed(f"{type(error).__name__}: {error}") from error
