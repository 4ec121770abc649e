"""What the meter said at one moment."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One accepted post of the meter, in the order of its phases (a single-phase house has one)."""

    at: float
    """When it arrived, in seconds on the controller's monotonic clock."""
    amps: tuple[float, ...]
    """RMS current of each phase, A, ≥ 0; one to three of them."""
    volts: tuple[float, ...]
    """RMS voltage of each phase, V, > 0; the site's nominal voltage where the meter sent none."""
    watts: float
    """Power of all phases together, W; negative while exporting."""
    energy_wh: float | None = None
    """The device's own energy counter, Wh, monotonic within one `boot_id`; None where it keeps none."""
    boot_id: str | None = None
    """Changes whenever the device restarted, and its counter with it."""

    @property
    def current(self) -> float:
        """Current of the highest phase, A: the one that the breaker would open for."""
        return max(self.amps)
