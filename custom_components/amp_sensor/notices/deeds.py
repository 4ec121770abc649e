"""What was done to the chargers, and what the house did before."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..control import Decision, Reason

RISE_S: Final = 60.0
"""How far back a rise of the house is looked for: whatever was switched on earlier was borne until now."""
RISE_A: Final = 1.0
"""Less than that is no appliance."""

CAUSES: Final = {
    Reason.LIMIT_TOO_LOW: ("lowered", "paused_limit_too_low"),
    Reason.METER_WRONG: ("lowered_meter_wrong", "paused_meter_wrong"),
    Reason.BEYOND_RANGE: ("lowered_beyond_range", "paused_beyond_range"),
    Reason.PHASE_SILENT: ("lowered_phase_silent", "paused_phase_silent"),
    Reason.SHARED: ("lowered_shared", "paused_shared"),
    Reason.WAITING_FOR_TURN: ("lowered_shared", "paused_shared"),
    Reason.PLANNED: ("lowered", "paused_planned"),
    Reason.WANTED_REACHED: ("lowered", "paused_wanted_reached"),
    Reason.SURPLUS: ("lowered_surplus", "paused_surplus"),
    Reason.WAITING_FOR_SURPLUS: ("lowered_surplus", "paused_surplus"),
    Reason.SURPLUS_UNKNOWN: ("lowered_surplus_unknown", "paused_surplus_unknown"),
    Reason.NO_SIGN: ("lowered_surplus_unknown", "paused_surplus_unknown"),
    Reason.PEAK_LIMIT: ("lowered_peak_limit", "paused_peak_limit"),
    Reason.OUTSIDE_LIMIT: ("lowered_outside_limit", "paused_outside_limit"),
    Reason.SCHEDULED_LIMIT: ("lowered_scheduled_limit", "paused_scheduled_limit"),
    Reason.HOUSE_OVER_LIMIT: ("lowered_house_over_limit", "paused_house_over_limit"),
}
"""Reasons that say it all, whatever the house does meanwhile: what to tell of a charger that is lowered, and paused."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A change of what one charger may take, with what a sentence about it needs."""

    at: float
    """When it was decided, s."""
    kind: str
    """The key of its text in `config_panel.logbook`."""
    reason: Reason
    from_amps: int
    amps: int
    numbers: Mapping[str, int]
    """The whole amps behind it, named as in its text."""

    @property
    def is_cut(self) -> bool:
        """Whether it was lowered, or paused."""
        return self.amps < self.from_amps


@dataclass
class _Past:
    """What one charger had, and what the house drew."""

    amps: int
    house: deque[tuple[float, float]] = field(default_factory=deque)
    """The house in the last minute: when, s, and A; of each moment only what nothing after it was below."""

    def rise_amps(self, decision: Decision) -> float:
        """Return by how much the house rose within the last minute."""
        if "house_amps" not in decision.numbers:
            return 0.0
        amps = decision.numbers["house_amps"]
        while self.house and self.house[-1][1] >= amps:
            self.house.pop()
        self.house.append((decision.at, amps))
        while self.house[0][0] < decision.at - RISE_S:
            self.house.popleft()
        return amps - self.house[0][1]


class Deeds:
    """Tells from all that is decided what was done."""

    def __init__(self) -> None:
        self._past: dict[str, _Past] = {}

    def add(self, decision: Decision) -> Deed | None:
        """Take each decision as it is made; return what it does, if it does anything."""
        if not decision.cap:
            self._past.pop(decision.charger_id, None)
            return None
        if (past := self._past.get(decision.charger_id)) is None:
            past = self._past[decision.charger_id] = _Past(decision.target)
        rise_amps = past.rise_amps(decision)
        before = past.amps
        if decision.command is None or decision.target == before:
            return None
        past.amps = decision.target
        return Deed(
            at=decision.at,
            kind=kind_of(decision, before, rise_amps),
            reason=decision.reason,
            from_amps=before,
            amps=decision.target,
            numbers={
                "rise_amps": round(rise_amps),
                **{key: round(amps) for key, amps in decision.numbers.items() if key.endswith("_amps")},
            },
        )


def kind_of(decision: Decision, before: int, rise_amps: float) -> str:
    """Return what happened to a charger that had `before`, A: the key of its text."""
    if decision.target > before:
        return "raised" if before else "started"
    if decision.reason in CAUSES:
        lowered, paused = CAUSES[decision.reason]
        return lowered if decision.target else paused
    change = "lowered" if decision.target else "paused"
    if "silence_s" in decision.numbers:
        return f"{change}_no_readings"
    if rise_amps >= RISE_A:
        return f"{change}_house_rose"
    return f"{change}_over_budget" if decision.numbers.get("over_amps", 0) > 0 or not decision.target else change
