"""What the meter said at one moment."""

from dataclasses import dataclass
import math

MAX_AMPS = 500.0
"""Above any household supply, A, below what a sensor with a wrong factor (mA for A) sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One accepted post of the meter. Its phases are known by their place: the first is L1.

    A place that is None, or that is missing at the end, is a phase of which the meter said nothing: never zero.
    Raises ValueError where a number is not finite or out of range.
    """

    at: float
    """When it arrived, in seconds on the controller's monotonic clock."""
    amps: tuple[float | None, ...]
    """RMS current of each phase, A: positive is import, negative is export (−500 to 500); one to three of them."""
    volts: tuple[float, ...]
    """RMS voltage of each phase, V, > 0; the site's nominal voltage where the meter sent none."""
    watts: float
    """Power of all phases together, W; negative while exporting."""
    energy_wh: float | None = None
    """The device's own energy counter, Wh, monotonic within one `boot_id`; None where it keeps none."""
    beyond: tuple[int, ...] = ()
    """The phases, from 0, on which more flows than their sensor can show, so that `amps` is too low by nobody knows
    what."""
    boot_id: str | None = None
    """Changes whenever the device restarted, and its counter with it."""
    doubt_amps: tuple[float, ...] = ()
    """How much more than `amps` may flow on each phase, A, where the meter rounds or knows the power only.

    It is taken off the room, and shown nowhere: what is shown was measured.
    """

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        if not 1 <= len(self.amps) <= 3 or len(self.volts) != len(self.amps):
            raise ValueError(f"a reading has 1 to 3 phases, each with amps and volts, not {len(self.amps)}")
        if self.amps.count(None) == len(self.amps):
            raise ValueError("amps must tell of one phase at least")
        for amps, volts in zip(self.amps, self.volts, strict=True):
            if amps is not None and not abs(amps) <= MAX_AMPS:
                raise ValueError(f"amps must be between {-MAX_AMPS:g} and {MAX_AMPS:g}, not {amps}")
            if not (math.isfinite(volts) and volts > 0):
                raise ValueError(f"volts must be above 0, not {volts}")
        if self.doubt_amps and len(self.doubt_amps) != len(self.amps):
            raise ValueError(f"doubt_amps must tell of each phase, not of {len(self.doubt_amps)}")
        for doubt in self.doubt_amps:
            if not 0 <= doubt <= MAX_AMPS:
                raise ValueError(f"doubt_amps must be between 0 and {MAX_AMPS:g}, not {self.doubt_amps}")
        for name, value in (("at", self.at), ("watts", self.watts), ("energy_wh", self.energy_wh)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} must be finite, not {value}")

    @property
    def known(self) -> tuple[float, ...]:
        """The currents of the phases that were told, A."""
        return tuple([amps for amps in self.amps if amps is not None])

    @property
    def current(self) -> float:
        """Current of the phase with the least room, A; negative where all of them export."""
        return max(self.known)


def signed(amps: float, watts: float | None) -> float:
    """Return the current of a phase with the sign of its power: most meters tell its size only.

    A current that is negative already comes from a meter that knows, and stays as it is.
    """
    return -amps if watts is not None and watts < 0 < amps else amps
