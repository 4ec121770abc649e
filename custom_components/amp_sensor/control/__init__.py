"""Deciding what the chargers may draw. Pure: no Home Assistant, no clock, no I/O; the caller hands in the time."""

from .blocks import Block, watts_at
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .controller import Controller, ControlRecord
from .decision import Decision, Mode, Reason
from .limits import Clock, LimitSettings, LimitState
from .load import LoadAction, LoadCommand, LoadDecision, LoadReason, LoadReport, LoadSettings, Restore, Strain
from .loads import Loads
from .meter import Meter
from .plan import Plan, Slot, When, make_plan
from .profile import Profile
from .protection import Protection, ProtectionKind
from .reading import Reading
from .rehearsal import Rehearsal, Step, Trial, Verdict
from .settings import ChargerSettings, ChargeWith, Priority, SiteSettings, Supply
from .surplus import Battery, Surplus
from .usual import Usual

__all__ = [
    "Action",
    "Battery",
    "Block",
    "ChargeWith",
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
    "Plan",
    "Priority",
    "Profile",
    "Protection",
    "ProtectionKind",
    "Reading",
    "Reason",
    "Rehearsal",
    "Restore",
    "SiteSettings",
    "Slot",
    "Step",
    "Strain",
    "Supply",
    "Surplus",
    "Trial",
    "Usual",
    "Verdict",
    "When",
    "make_plan",
    "watts_at",
]
