"""What a site remembers over a restart: settings changed while it ran, its energy, and what its controller learned."""

from typing import Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..control import ControlRecord

_VERSION: Final = 1


class ChargerMemory(TypedDict):
    """What is remembered of a charger."""

    max_amps_car: int
    configured_max_amps_car: int
    """What the flow said at that time: where it says something else now, the flow wins."""
    min_amps_car: int
    managed: bool
    priority: NotRequired[str]
    energy_wh: float


class CounterMemory(TypedDict):
    """The meter's own energy counter as it last was: what it counts while we are away is not lost."""

    energy_wh: float
    boot_id: str | None


class SiteMemory(TypedDict):
    """What is remembered of a site."""

    max_amps: float
    configured_max_amps: float
    """As with a charger."""
    mode: str
    heard: NotRequired[bool]
    """Whether the meter was ever heard: only one that was can be missed."""
    energy_wh: float
    counter: CounterMemory | None
    chargers: dict[str, ChargerMemory]


def site_store(hass: HomeAssistant, entry_id: str) -> Store[SiteMemory]:
    """Return where a site's memory is kept: atomic, so that a power cut leaves the last one whole."""
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}", atomic_writes=True)


def control_store(hass: HomeAssistant, entry_id: str) -> Store[ControlRecord]:
    """Return where a site's controller keeps its record: tens of kB, so apart from what is saved every minute."""
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.control", atomic_writes=True)
