"""What opens when a current stays too high for too long, and how near it is to that."""

from dataclasses import dataclass
from enum import StrEnum


class ProtectionKind(StrEnum):
    """The device that a house's supply goes through."""

    MCB_B = "mcb_b"
    MCB_C = "mcb_c"
    MCB_D = "mcb_d"
    FUSE_GG = "fuse_gg"
    METER_SWITCH = "meter_switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """A device and its rating."""

    kind: ProtectionKind = ProtectionKind.MCB_C
    rating_amps: float
    """Rated current, A; of a meter switch the contracted power over the nominal voltage."""
