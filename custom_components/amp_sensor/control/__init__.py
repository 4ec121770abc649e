"""Deciding what the chargers may draw. Pure: no Home Assistant, no clock, no I/O; the caller hands in the time."""

from .charger import ChargerSettings
from .charging import Action, ChargerReport, ChargingState, Command, Outcome
from .controller import Controller, ControlRecord, SiteSettings
from .decision import Decision, Mode, Reason
from .meter import Meter
from .protection import Protection, ProtectionKind
from .reading import Reading

__all__ = [
    "Action",
    "ChargerReport",
    "ChargerSettings",
    "ChargingState",
    "Command",
    "ControlRecord",
    "Controller",
    "Decision",
    "Meter",
    "Mode",
    "Outcome",
    "Protection",
    "ProtectionKind",
    "Reading",
    "Reason",
    "SiteSettings",
]
