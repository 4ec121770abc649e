"""What a charger reports, what it can be told, and how it answers."""

from dataclasses import dataclass
from enum import StrEnum
import math


class ChargingState(StrEnum):
    """What a charger is doing. An unknown state is never taken for an unplugged car."""

    DISCONNECTED = "disconnected"
    NO_POWER = "no_power"
    STARTING = "starting"
    CHARGING = "charging"
    COMPLETE = "complete"
    STOPPED = "stopped"
    UNKNOWN = "unknown"

    @property
    def draws(self) -> bool:
        """Whether current may flow, now or in the next seconds."""
        return self in (ChargingState.STARTING, ChargingState.CHARGING, ChargingState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerReport:
    """What a charger says of itself. It is telemetry: late, rounded, sometimes frozen.

    Raises ValueError where a number is not finite or out of range.
    """

    age_s: float
    """Age of the data when it reached us, s. Negative where the charger's clock is ahead of ours."""
    state: ChargingState
    quiet_s: float = 0.0
    """For how long nothing new was said, s, where `age_s` takes it that what does not change still holds: it may be
    stuck."""
    requested_amps: float | None = None
    """The limit that the charger believes it was given, A per phase. Not a measurement."""
    measured_amps: float | None = None
    """What it says it draws, A per phase."""
    phases: int | None = None
    """How many phases it draws that from, 1 to 3; None where it does not tell."""
    volts: float | None = None
    """What it is fed with, V: in a split-phase house, what lies between both legs; None where it does not tell."""
    limit_amps: float | None = None
    """The most it will accept now (cable, heat, mains), A per phase; it may fall during a session."""
    least_amps: float | None = None
    """The least that it can be told, A per phase."""
    plugged_in: bool | None = None
    other_writer: str | None = None
    """Who set its limit after us, for people to see: a name, or "" where it has none; None where nobody did but a
    person."""
    at_home: bool | None = None
    """Whether it is at its charger. None means that nobody knows, and then nothing is commanded."""
    scheduled: bool = False
    """Waiting for a schedule of its user: not ours to start."""
    asleep: bool = False
    """Asleep: old data is normal, and nothing may wake it."""
    battery_percent: float | None = None
    limit_percent: float | None = None
    """How full its battery is, and is to be, 0 to 100 %."""
    full_in_s: float | None = None
    """How long it will take until then, s; all three for people to see: nothing is decided on them."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        for name in ("requested_amps", "measured_amps", "limit_amps", "least_amps", "volts", "full_in_s"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be 0 or more, not {value}")
        for name in ("battery_percent", "limit_percent"):
            if (value := getattr(self, name)) is not None and not 0 <= value <= 100:
                raise ValueError(f"{name} must be 0 to 100, not {value}")
        if math.isnan(self.age_s) or not self.quiet_s >= 0 or (self.phases is not None and not 1 <= self.phases <= 3):
            raise ValueError(f"age_s must be a number and phases 1 to 3, not {self.age_s} and {self.phases}")


class Action(StrEnum):
    """What a charger can be told."""

    SET_AMPS = "set_amps"
    START = "start"
    STOP = "stop"
    WAKE = "wake"
    """Nobody waits for its end: that it woke up shows in its reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to tell one charger."""

    charger_id: str
    action: Action
    amps: int = 0
    """With SET_AMPS: whole amps per phase."""


class Outcome(StrEnum):
    """How a command ended, as far as anyone can tell. Only the meter knows whether it worked."""

    ACCEPTED = "accepted"
    """The charger's cloud said yes, or that it was so already."""
    REFUSED = "refused"
    """The charger itself said no: unplugged, complete, not charging."""
    FAILED = "failed"
    """It went wrong on the way; it was probably not applied."""
    UNKNOWN = "unknown"
    """Time ran out: it may have been applied, or may be applied yet."""
