"""Where a site's chargers get their part of the surplus from."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import CONF_METER, SUBENTRY_BATTERY
from ..control import Battery, Controller, Reason, Surplus
from ..meters.battery import read_battery
from ..meters.entity import tells_sign


class SiteSurplus:
    """Rations what is left over, with what the home batteries say at that moment."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, controller: Controller, *, knows_sign: bool) -> None:
        """`knows_sign` is whether it was ever known which way power flows."""
        self._hass = hass
        self._controller = controller
        self._settings = [battery.data for battery in entry.get_subentries_of_type(SUBENTRY_BATTERY)]
        meter = entry.data.get(CONF_METER)
        # A battery may take all that would flow out; without one, the meter will show it
        is_told = bool(self._settings) and meter is not None and tells_sign(meter)
        self._surplus = Surplus(knows_sign=knows_sign or is_told)
        self.batteries: list[Battery] = []

    def go_on(self, before: SiteSurplus) -> None:
        """Take over what is left over, and for how long it has been."""
        before._surplus.knows_sign = before.knows_sign or self.knows_sign
        self._surplus = before._surplus

    @property
    def has_batteries(self) -> bool:
        """Whether the site has a home battery."""
        return bool(self._settings)

    @property
    def knows_sign(self) -> bool:
        """Whether it is known which way power flows."""
        return self._surplus.knows_sign

    @property
    def switches(self) -> Mapping[str, int]:
        """The chargers whose phases are to be switched now, and to how many each."""
        return self._surplus.switches

    def diagnostics(self) -> dict[str, Any]:
        """Return what is left over, and what the batteries said last."""
        told = [dict(settings) for settings in self._settings]
        said = [asdict(battery) for battery in self.batteries]
        return {"knows_sign": self.knows_sign, "left_over_w": self._surplus.watts, "batteries": told, "said": said}

    def look(self, now: float) -> Mapping[str, Mapping[Reason, int]]:
        """Return each charger's part, as the controller is told of it; call it whenever something happened."""
        self.batteries = [read_battery(self._hass, settings) for settings in self._settings]
        return self._surplus.look(self._controller, now=now, batteries=self.batteries)
