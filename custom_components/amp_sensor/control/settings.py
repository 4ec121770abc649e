"""What owners set: of a site, and of each charger."""

from dataclasses import dataclass
from enum import StrEnum

from .decision import Mode
from .profile import TESSIE, Profile
from .protection import Protection


class Supply(StrEnum):
    """How a house is fed."""

    SINGLE = "single"
    SPLIT = "split"
    """Two legs, as in North America: what lies between them is twice what each has."""
    THREE = "three"

    @property
    def phases(self) -> int:
        """How many phases, or legs, that are."""
        return {Supply.SINGLE: 1, Supply.SPLIT: 2, Supply.THREE: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What the site's owner set. Raises ValueError where the budget is out of range."""

    max_amps: float
    """The budget, A per phase (1–125)."""
    mode: Mode = Mode.BALANCED
    protection: Protection | None = None
    """What is in the fuse box; None is an MCB rated at the highest budget that there was."""
    supply: Supply | None = None
    """None learns the number of phases from the readings."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        if not 1 <= self.max_amps <= 125:
            raise ValueError(f"max_amps must be 1 to 125 A, not {self.max_amps}")


class Priority(StrEnum):
    """Who comes first where there is not enough for all."""

    FIRST = "first"
    NORMAL = "normal"
    LAST = "last"


class ChargeWith(StrEnum):
    """What a charger may charge with."""

    GRID = "grid"
    """Whatever the budget leaves."""
    MINIMUM_PLUS_SURPLUS = "minimum_plus_surplus"
    SURPLUS_ONLY = "surplus_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSettings:
    """What the owner set for one charger. Raises ValueError where a number is out of range."""

    max_amps: int
    """The most it may be given, A per phase (1–125)."""
    min_amps: int = 5
    """The least it charges with where it may; below it, it is stopped. 5 A is the floor of Tesla's own app."""
    managed: bool = True
    """Whether this site may command it at all."""
    priority: Priority = Priority.NORMAL
    phases: tuple[int, ...] | None = None
    """The phases that it loads, by their numbers from 1 (L1); None where nobody told."""
    may_wake: bool = False
    """Whether it may be woken where it fell asleep while we had paused it."""
    charge_with: ChargeWith = ChargeWith.GRID
    reserve_w: float = 0.0
    """What of the surplus is left to the grid, W (0–20000)."""
    start_after_s: float = 300.0
    """How long its minimum must have been left over before it starts, s (0–3600)."""
    stop_after_s: float = 600.0
    """How long half of its minimum may be missing before it stops, s (0–3600); less of it for longer."""
    switches_phases: bool = False
    """Whether it can be switched between one phase and all of its own while it stands."""
    profile: Profile = TESSIE

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        for name in ("max_amps", "min_amps"):
            if not 1 <= getattr(self, name) <= 125:
                raise ValueError(f"{name} must be 1 to 125 A, not {getattr(self, name)}")
        for name, most in (("reserve_w", 20000), ("start_after_s", 3600), ("stop_after_s", 3600)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be 0 to {most}, not {getattr(self, name)}")
        if self.profile.is_switched:
            object.__setattr__(self, "min_amps", self.max_amps)
        if self.phases is not None and not (self.phases and set(self.phases) <= {1, 2, 3}):
            raise ValueError(f"phases are numbered 1 to 3, not {self.phases}")
