"""Deciding what the chargers may draw. Pure: no Home Assistant, no clock, no I/O; the caller hands in the time."""

from .charger import ChargerSettings, Priority
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .controller import Controller, ControlRecord, SiteSettings, Supply
from .decision import Decision, Mode, Reason
from .load import LoadAction, LoadCommand, LoadDecision, LoadReason, LoadReport, LoadSettings, Restore, Strain
from .loads import Loads
from .meter import Meter
from .profile import Profile
from .protection import Protection, ProtectionKind
from .reading import Reading
from .rehearsal import Rehearsal, Step, Trial, Verdict

__all__ = [
    "Action",
    "ChargerReport",
    "ChargerSettings",
    "ChargingState",
    "Command",
    "ControlRecord",
    "Controller",
    "Decision",
    "LoadAction",
    "LoadCommand",
    "LoadDecision",
    "LoadReason",
    "LoadReport",
    "LoadSettings",
    "Loads",
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
    "Restore",
    "SiteSettings",
    "Step",
    "Strain",
    "Supply",
    "Trial",
    "Verdict",
]
