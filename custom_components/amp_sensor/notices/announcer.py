"""What was done to a charger, told on Home Assistant's event bus: read in sequence, it is the story of a day."""

from dataclasses import dataclass, replace
from typing import Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_NAME, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..control import Decision
from .deeds import Deed

EVENT_DECISION: Final = f"{DOMAIN}_decision"
ATTR_KIND: Final = "kind"

LASTS_S: Final = 60.0
"""How long a current has to last until it is told, s: a kettle boils for longer, a motor starts within. Pauses and
starts always are told, at once: the controller bounds those itself."""
MATTERS_A: Final = 2
"""Half a kilowatt at 230 V. Changes by less are told once they add up to that, or by what comes next."""


@dataclass
class _Told:
    """What was told of one charger."""

    amps: int
    """What whoever reads believes it has, A."""
    change: Deed | None = None
    """The last change, where it was not told yet."""
    cut: Deed | None = None
    """The last that lowered it since."""


def tell_load(hass: HomeAssistant, kind: str, load_id: str, name: str, **values: str) -> None:
    """Tell what was done to a load; `kind` is the end of its text's key, and `values` are what the text names."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{load_id}_load_state")
    entry = registry.async_get(entity_id) if entity_id is not None else None
    hass.bus.async_fire(
        EVENT_DECISION,
        {
            ATTR_DEVICE_ID: entry and entry.device_id,
            ATTR_ENTITY_ID: entity_id,
            ATTR_NAME: name,
            ATTR_KIND: f"load_{kind}",
            **values,
        },
    )


class Announcer:
    """Tells what was done to the chargers of a site, where it lasted."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._told: dict[str, _Told] = {}

    @callback
    def add(self, decision: Decision, deed: Deed | None, *, name: str) -> None:
        """Take every decision as it is made, with what was done last and the charger's name; tell what lasted."""
        if not decision.cap:
            self._told.pop(decision.charger_id, None)
            return
        if (told := self._told.get(decision.charger_id)) is None:
            told = self._told[decision.charger_id] = _Told(decision.target)
        if deed is not None and deed.at == decision.at:
            told.change, told.cut = deed, deed if deed.is_cut else told.cut
        if (change := told.change) is None:
            return
        before, cut, lasted_s = told.amps, told.cut, decision.at - change.at
        matters = lasted_s >= LASTS_S and abs(change.amps - before) >= MATTERS_A
        if not matters and (change.amps == 0) == (before == 0):
            return
        self._told[decision.charger_id] = _Told(change.amps)
        if change.amps > before:
            self._tell(replace(change, kind="raised" if before else "started"), lasted_s, decision.charger_id, name)
        elif cut is not None:
            # What brought it down, even where some of that was given back meanwhile
            self._tell(replace(cut, amps=change.amps), lasted_s, decision.charger_id, name)

    def _tell(self, deed: Deed, lasted_s: float, charger_id: str, name: str) -> None:
        registry = er.async_get(self._hass)
        entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, f"{charger_id}_charging_control")
        entry = registry.async_get(entity_id) if entity_id is not None else None
        self._hass.bus.async_fire(
            EVENT_DECISION,
            {
                ATTR_DEVICE_ID: entry and entry.device_id,
                ATTR_ENTITY_ID: entity_id,
                ATTR_NAME: name,
                ATTR_KIND: deed.kind,
                "reason": deed.reason,
                "amps": deed.amps,
                **deed.numbers,
            },
            time_fired=dt_util.utcnow().timestamp() - lasted_s,
        )
