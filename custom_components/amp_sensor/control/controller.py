"""The controller of one site: readings, reports and acknowledgements in, decisions out."""

from dataclasses import dataclass

from .charging import ChargerReport, Command, Outcome
from .decision import Decision, Mode
from .meter import Meter
from .protection import Protection
from .reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What the site's owner set."""

    max_amps: float
    """The budget, A per phase (6–125)."""
    mode: Mode = Mode.BALANCED
    protection: Protection | None = None
    """What opens when the budget is exceeded for long; None is an MCB rated at the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSettings:
    """What the owner set for one charger."""

    max_amps: int
    """The most it may be given, A per phase (5–48)."""
    min_amps: int = 5
    """The least it charges with; below it, it is stopped. 5 A is the floor of Tesla's own app."""
    managed: bool = True
    """Whether this site may command it at all."""


class Controller:
    """Decides for all chargers of one site. Every method is quick, never blocks, and takes the time from outside.

    Times are seconds on one monotonic clock of the caller's choice.
    """

    def __init__(self, settings: SiteSettings, *, now: float) -> None: ...

    meter: Meter
    """Statistics and energy of the readings so far."""

    def configure(self, settings: SiteSettings, *, now: float) -> None:
        """Take new settings of the site, at once."""

    def set_charger(self, charger_id: str, settings: ChargerSettings, *, now: float) -> None:
        """Add a charger, or take new settings for one."""

    def remove_charger(self, charger_id: str) -> None:
        """Forget a charger."""

    def add_reading(self, reading: Reading) -> None:
        """Take a reading; call `decide` right after."""

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a charger says of itself."""

    def acknowledge(self, command: Command, outcome: Outcome, *, now: float, retry_after_s: float = 0.0) -> None:
        """Take the end of the command in flight. No command goes to its charger for `retry_after_s` (may be inf)."""

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide for every charger. A decision with a command puts that command in flight until `acknowledge`."""
        raise NotImplementedError

    def release(self, charger_id: str, *, now: float) -> Command | None:
        """Return what to send when control ends: the charger's maximum, where that is safe; else nothing."""
        raise NotImplementedError

    def house_current(self) -> float | None:
        """Current without the managed chargers, A, highest phase; None before the first reading."""
        raise NotImplementedError

    @property
    def protection_load(self) -> float:
        """How near the protection is to opening, 0 (cold) to 1 (opens), of the worst phase."""
        raise NotImplementedError
