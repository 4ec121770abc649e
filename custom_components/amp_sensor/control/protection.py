"""What opens when a current stays too high for too long, and how near it is to that."""

from dataclasses import dataclass
from enum import StrEnum
import math


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
    tolerance: float = 0.0
    """Of a meter switch: what it lets pass for good above its rating, as a part of it (0.1 in Italy)."""
    time_s: float = 60.0
    """Of a meter switch: how long it lets more than that pass, s; the shortest that contracts name is a minute."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        for name, least in (("rating_amps", 1.0), ("tolerance", 0.0), ("time_s", 1.0)):
            if not least <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be {least:g} or more, not {getattr(self, name)}")

    @property
    def opens_at_once_amps(self) -> float:
        """A current that it cannot carry for a second, A: a reading of it that is not the last is a mistake."""
        curve = _CURVES.get(self.kind, _CURVES[ProtectionKind.MCB_C])  # a switch in the meter has a breaker beside it
        melts_at = curve.opens_at / math.sqrt(-math.expm1(-1 / curve.tau_s))
        return self.rating_amps * min(curve.instant_at, melts_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The bimetal or the melting element as one thermal mass, heated by the square of the current."""

    opens_at: float
    """Multiple of the rated current that it carries for an hour and no more."""
    tau_s: float
    """Thermal time constant, s."""
    instant_from: float = math.inf
    """Multiple of the rated current from which it may open at once (magnetic part)."""
    instant_at: float = math.inf
    """Multiple of the rated current at which that part certainly opens."""


# IEC 60898-1: 1.13 In must hold for an hour, 1.45 In must open within it, 2.55 In within 1 to 60 s from cold. With
# 60 s the model opens after 56 s at 1.45 In and after 13 s at 2.55 In: on the quick side of makers' curves.
# The magnetic part opens between 3 and 5 (B), 5 and 10 (C), 10 and 20 (D) times In.
_MCB_OPENS_AT, _MCB_TAU_S = 1.13, 60.0
# IEC 60269-1: from 16 A a gG fuse holds 1.25 In for an hour and melts at 1.6 In within it; a 16 A one must carry
# 33 A (2.06 In) for 10 s, which a time constant of 22 s or more grants.
_FUSE_OPENS_AT, _FUSE_TAU_S = 1.25, 22.0

_CURVES = {
    ProtectionKind.MCB_B: _Curve(opens_at=_MCB_OPENS_AT, tau_s=_MCB_TAU_S, instant_from=3.0, instant_at=5.0),
    ProtectionKind.MCB_C: _Curve(opens_at=_MCB_OPENS_AT, tau_s=_MCB_TAU_S, instant_from=5.0, instant_at=10.0),
    ProtectionKind.MCB_D: _Curve(opens_at=_MCB_OPENS_AT, tau_s=_MCB_TAU_S, instant_from=10.0, instant_at=20.0),
    ProtectionKind.FUSE_GG: _Curve(opens_at=_FUSE_OPENS_AT, tau_s=_FUSE_TAU_S),
}


class PhaseLoad:
    """How much of its tolerance the protection of one phase has used up.

    `load` is 0 while the current stays within the rating, and 1 where the device may open. What heats is the size of
    the current, whichever way it flows. The heat is kept in A²: it survives a change of what is in the fuse box.
    """

    def __init__(self, protection: Protection) -> None:
        self.heat_a2 = 0.0
        """Of a thermal device, the square of the current that would keep it as warm as it is, A²."""
        self.used = 0.0
        """Of a meter switch, the part of its time that is used up, 0 to 1."""
        self.configure(protection)

    def configure(self, protection: Protection) -> None:
        """Take what is in the fuse box; the heat stays."""
        self.protection = protection
        self._curve = _CURVES.get(protection.kind)

    @property
    def load(self) -> float:
        """Used part of the tolerance, 0 to 1."""
        if self._curve is None:
            return self.used
        heat = self.heat_a2 / self.protection.rating_amps**2
        return min(1.0, max(0.0, heat - 1) / (self._curve.opens_at**2 - 1))

    def integrate(self, amps: float, duration_s: float) -> None:
        """Let `amps` flow for `duration_s`, either way."""
        curve, rating = self._curve, self.protection.rating_amps
        tau_s = _MCB_TAU_S if curve is None else curve.tau_s  # a switch in the meter has a breaker beside it
        self.heat_a2 += (amps**2 - self.heat_a2) * -math.expm1(-duration_s / tau_s)
        above = abs(amps) > rating * (1 + self.protection.tolerance)
        self.used = min(1.0, max(0.0, self.used + (1 if above else -1) * duration_s / self.protection.time_s))

    def tolerated_s(self, amps: float, load: float) -> float:
        """How long `amps` may flow from now until `load` is reached, s; inf where it never is."""
        ratio = abs(amps) / self.protection.rating_amps
        if self._curve is None:
            if ratio <= 1 + self.protection.tolerance:
                return math.inf
            return max(0.0, load - self.used) * self.protection.time_s
        if ratio >= self._curve.instant_from:
            return 0.0
        limit, heat = 1 + load * (self._curve.opens_at**2 - 1), self.heat_a2 / self.protection.rating_amps**2
        if ratio**2 <= limit:
            return math.inf
        if heat >= limit:
            return 0.0
        return self._curve.tau_s * math.log((ratio**2 - heat) / (ratio**2 - limit))
