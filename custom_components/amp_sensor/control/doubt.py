"""When a meter that goes on telling is not to be believed: it stands still, or shows less than a car draws."""

from collections.abc import Mapping, Sequence
import math

from .charger import OBEY_S, SUSPECT_S, ManagedCharger
from .charging import ChargingState
from .house import House
from .reading import Reading

FROZEN_AMPS = 2.0
"""A change of the car by this much must move even a meter that rounds to whole amps, A."""
WRONG_AMPS, WRONG_PART = 1.5, 0.15
"""A meter may show less than the car says by so much, A, or by this part of it: both round, and a cheap clamp is right
to a tenth."""


class MeterDoubt:
    """What speaks against the meter, and since when."""

    def __init__(self, now: float) -> None:
        self.frozen_at: float | None = None
        """Since when it shows nothing of what it must show, s."""
        self.wrong_at: float | None = None
        """Since when it shows less than a fresh report says that a charger draws, s."""
        self._less_at: float | None = None
        self._moved_at = now

    @property
    def since(self) -> float | None:
        """Since when nothing that it says is believed, s."""
        return min((at for at in (self.frozen_at, self.wrong_at) if at is not None), default=None)

    @property
    def is_low(self) -> bool:
        """Whether it shows less than is said to be drawn, believed or not yet."""
        return self._less_at is not None

    def add(self, reading: Reading, last: Reading | None) -> None:
        """Take a reading, and the one before it."""
        if last is None or (last.amps, last.watts) != (reading.amps, reading.watts):
            self._moved_at, self.frozen_at = reading.at, None

    def look_for_change(self, charger: ManagedCharger, read_at: float) -> None:
        """Doubt a meter that shows nothing at all while a charger must have moved, as of its last reading."""
        change = charger.belief.change
        if change is None or self.frozen_at is not None or change.amps < FROZEN_AMPS:
            return
        if charger.belief.is_overdue(read_at) and self._moved_at < change.sent_at:
            self.frozen_at = change.sent_at

    def compare(
        self, house: House, chargers: Mapping[str, ManagedCharger], phases: Mapping[str, Sequence[int]], now: float
    ) -> None:
        """Hold what the chargers say that they draw against what is measured.

        Where sun comes in beside the meter it may show less, so a house that ever exported is left alone. A report from
        before the meter fell proves nothing: a car may have stopped.
        """
        said = [0.0] * len(house.phases)
        measured_at = math.inf
        for charger_id, charger in chargers.items():
            report = charger.report
            fresh = report is not None and now - charger.measured_at < SUSPECT_S and report.at_home is True
            if not fresh or report is None or report.state is not ChargingState.CHARGING or not report.measured_amps:
                continue
            if not charger.is_told_of_last_command or not charger.settings.profile.report_is_evidence:
                continue
            measured_at = min(measured_at, charger.measured_at)
            for phase in phases[charger_id]:
                said[phase] += report.measured_amps
        is_less = not house.exports and any(
            phase.read is not None and phase.read < amps - max(WRONG_AMPS, WRONG_PART * amps)
            for phase, amps in zip(house.phases, said, strict=True)
        )
        if not is_less:
            self._less_at = self.wrong_at = None
        elif self._less_at is None:
            self._less_at = now
        elif measured_at >= self._less_at + OBEY_S:
            self.wrong_at = self._less_at
