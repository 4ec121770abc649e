"""What is known of a site and its chargers: what entities, triggers and diagnostics read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..control import ChargerReport, ChargerSettings, Decision, Reading, SiteSettings


@dataclass(frozen=True, kw_only=True)
class ChargerData:
    """What is known of one charger."""

    id: str
    """The id of its subentry."""
    settings: ChargerSettings
    report: ChargerReport | None
    """What it said last; None before it said anything, and while it cannot be reached."""
    charging_amps: float | None
    """What it draws by its own account, A per phase; None where nobody knows."""
    decision: Decision | None
    energy_wh: float
    phases: tuple[int, ...] | None
    """The phases that it loads, by their numbers from 1 (L1); None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class SiteData:
    """What is known of one site."""

    settings: SiteSettings
    reading: Reading | None
    """The last reading; None while the meter is silent."""
    read_at: datetime | None
    """When the last reading arrived, silent or not."""
    connected: bool | None
    """Whether the meter is heard; None while it was not heard yet, and could not be called silent."""
    phases: int
    """How many phases it is known to have; 0 before anybody knows."""
    house: tuple[float, ...]
    """What is drawn beside the managed chargers, A by phase, negative while exporting; empty before anybody knows."""
    silent_phases: tuple[int, ...]
    """The phases, by their numbers from 1 (L1), of which the meter says nothing any more."""
    house_current: float | None
    protection_load: float
    energy_wh: float
    chargers: Mapping[str, ChargerData]
