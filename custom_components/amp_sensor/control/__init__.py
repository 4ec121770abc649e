"""Deciding what the chargers may draw. Pure: no Home Assistant, no clock, no I/O; the caller hands in the time."""

from .blocks import Block, watts_at
from .charger import ChargerSettings, Priority
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .controller import Controller, ControlRecord, SiteSettings, Supply
from .decision import Decision, Mode, Reason
from .limits import Clock, LimitSettings, LimitState
from .meter import Meter
from .profile import Profile
from .protection import Protection, ProtectionKind
from .reading import Reading
from .rehearsal import Rehearsal, Step, Trial, Verdict

__all__ = [
    "Action",
    "Block",
    "ChargerReport",
    "ChargerSettings",
    "ChargingState",
    "Clock",
    "Command",
    "ControlRecord",
    "Controller",
    "Decision",
    "LimitSettings",
    "LimitState",
    "Meter",
    "Mode",
    "Outcome",
    "Priority",
    "Profile",
    "Protection",
    "ProtectionKind",
    "Reading",
    "Reason",
    "Rehearsal",
    "SiteSettings",
    "Step",
    "Supply",
    "Trial",
    "Verdict",
    "watts_at",
]
