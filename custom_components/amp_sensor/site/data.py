"""What is known of a site and its chargers: what entities, triggers and diagnostics read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..control import (
    ChargerReport,
    ChargerSettings,
    ChargeWith,
    Decision,
    LoadReason,
    LoadSettings,
    SiteSettings,
)
from ..notices.deeds import Deed
from .goal import ChargerPlan, Goal
from .limiting import LimitData
from .shown import NOISE_PART, ChargingControl, Moment, control_of
from .today import Today


@dataclass(frozen=True, kw_only=True)
class ChargerData:
    """What is known of one charger. Two are equal where entities show the same of both."""

    id: str
    """The id of its subentry."""
    settings: ChargerSettings
    most_amps: int
    """The highest maximum that may be set for it, A per phase."""
    can_wake: bool
    """Whether there is a way to wake it."""
    knows_battery: bool
    """Whether it tells how full the car's battery is."""
    goal: Goal
    """What its owner wants by when."""
    plan: ChargerPlan | None
    """What is planned for that."""
    capacity_kwh: float
    """What the car's battery is taken to hold: told, learned or assumed."""
    report: ChargerReport | None
    """What it said last; None before it said anything, and while it cannot be reached."""
    charging_amps: float | None
    """What it draws, A per phase: of the moment that is shown, or by its own account where the meter does not tell."""
    decision: Decision | None = field(compare=False)
    """What was decided last."""
    shown: Decision | None
    """What is shown of it: what was done last, or has lasted."""
    deed: Deed | None
    """What was last done to it."""
    deed_at: datetime | None
    energy_wh: float
    """Of what was saved: it must not go back after a power cut."""
    session_wh: float
    """Since it was plugged in, or was first heard."""
    phases: tuple[int, ...] | None
    """The phases that it loads, by their numbers from 1 (L1); None where nobody knows."""

    @property
    def control(self) -> ChargingControl | None:
        """What is done to it, as it is shown."""
        return None if self.shown is None else control_of(self.shown)


@dataclass(frozen=True, kw_only=True)
class LoadData:
    """What is known of one load. Two are equal where entities show the same of both."""

    id: str
    """The id of its subentry."""
    settings: LoadSettings
    reason: LoadReason | None
    """How it stands with it; None before anything was decided."""
    amps: float | None
    """What it draws while it is on, A per phase: told or learned; None where nobody knows."""
    shed_today: int
    """How often it was switched off today."""
    limit: str | None
    """What the limit is called for which it is off, or should be; None where it is not for one."""


@dataclass(frozen=True, kw_only=True)
class SiteData:
    """What is known of one site. Two are equal where entities show the same of both."""

    settings: SiteSettings
    moment: Moment | None = field(compare=False)
    """What was read last, and who draws it; None while the meter is silent."""
    shown: Moment | None
    """What entities show of it: all numbers of the site and its chargers are of this one moment."""
    read_at: datetime | None = field(compare=False)
    """When the last reading arrived, silent or not; shown only while it is silent."""
    connected: bool | None
    """Whether the meter is heard; None while it was not heard yet, and could not be called silent."""
    phases: int
    """How many phases it is known to have; 0 before anybody knows."""
    knows_sign: bool
    """Whether it is known which way power flows, without which nobody knows of a surplus."""
    has_batteries: bool
    silent_phases: tuple[int, ...]
    """The phases, by their numbers from 1 (L1), of which the meter says nothing any more."""
    energy_wh: float
    today: Today
    has_prices: bool
    """Whether it is known what electricity costs, so that there are plans."""
    chargers: Mapping[str, ChargerData]
    loads: Mapping[str, LoadData] = field(default_factory=dict)
    limits: Mapping[str, LimitData] = field(default_factory=dict)
    """What bounds the supply beside its budget."""

    @property
    def consumers(self) -> set[str]:
        """The ids of its chargers and loads."""
        return {*self.chargers, *self.loads}

    @property
    def offers_surplus(self) -> bool:
        """Whether there may be a surplus, so that people choose what their chargers charge with."""
        wishing = any(each.settings.charge_with is not ChargeWith.GRID for each in self.chargers.values())
        return self.knows_sign or self.has_batteries or wishing

    def headroom(self, moment: Moment) -> float:
        """Return what is left of the budget, A: with the current it makes the budget, to 0.01 A."""
        return round(self.settings.max_amps - moment.current, 2)

    def is_over(self, moment: Moment) -> bool:
        """Return whether the budget is exceeded by more than a sensor's noise, which would come and go all the time.

        The controller is stricter; a breaker bears 13 % for an hour.
        """
        return moment.current > self.settings.max_amps * (1 + NOISE_PART)
