"""When a meter that goes on telling is not to be believed: it stands still, or shows less than a car draws."""

from collections.abc import Mapping, Sequence
import math

from .belief import STEADY_A, Change
from .charger import OBEY_S, SUSPECT_S, ManagedCharger
from .charging import ChargingState
from .house import EXPORT_A, House
from .learning import leans_right, phases_moved, shows_reversed
from .reading import Reading

FROZEN_AMPS = 2.0
"""A change of the car by this much must move even a meter that rounds to whole amps, A."""
WRONG_AMPS, WRONG_PART = 1.5, 0.15
"""A meter may show less than the car says by so much, A, or by this part of it: both round, and a cheap clamp is right
to a tenth."""
IMPORTS_S, TRIAL_EVERY_S = 60.0, 900.0
"""For how long a meter that was reversed shows import on each phase before it is tried, s, and how often at most, s: as
often as a car bears a start."""


class MeterDoubt:
    """What speaks against the meter, and since when."""

    def __init__(self, now: float) -> None:
        self.frozen_at: float | None = None
        """Since when it shows nothing of what it must show, s."""
        self.wrong_at: float | None = None
        """Since when it shows less than a fresh report says that a charger draws, s."""
        self.reversed_at: float | None = None
        """Since when the steps of a charger show the wrong way round, s."""
        self.is_on_trial = False
        """Whether it was reversed, and its sign is plausible again: nothing is proven before the next step."""
        self._trial_at, self._imports_at = -math.inf, math.inf
        """When that was tried last, s; and since when each phase imports."""
        self._less_at: float | None = None
        self._shown: dict[int, float] = {}
        """The phases on which it shows less, and the least that it showed there, A."""
        self._moved_at = now

    @property
    def since(self) -> float | None:
        """Since when nothing that it says is believed, s."""
        each = [at for at in (self.frozen_at, self.wrong_at, self.reversed_at) if at is not None]
        return min(each) if each else None

    @property
    def accused_at(self) -> float | None:
        """Since when it shows less than a charger draws, or what it draws the wrong way round, s."""
        return self.reversed_at if self.wrong_at is None else self.wrong_at

    @property
    def is_low(self) -> bool:
        """Whether it shows less than is said to be drawn, believed or not yet."""
        return self._less_at is not None or self.reversed_at is not None

    def look_for_reversed(self, house: House, change: Change, loads: Sequence[int] | None, now: float) -> None:
        """Doubt a meter on which a step of the only charger that moved shows the wrong way round, until one is right.

        It loads the phases `loads`, from 0, where these are known. Only a meter that knows the sign can: the house
        seems to export.
        """
        if not house.is_complete:
            return
        if house.exports and shows_reversed(change, house.read, loads):
            self.reversed_at, self.is_on_trial = now if self.reversed_at is None else self.reversed_at, False
        elif phases_moved(change, house.read):
            self.reversed_at, self.is_on_trial = None, False
        elif self.is_on_trial and leans_right(change, house.read):
            self.is_on_trial = False

    def look_at_sign(self, house: House, now: float) -> None:
        """Try a meter that was reversed once it shows import everywhere: while nobody charges, a reversed one does not.

        But for one behind a roof that feeds in. So whoever starts then starts with the least, and that step tells.
        Nothing is risked by it: which way round, what is shown has the right size.
        """
        if self.reversed_at is None or not house.is_complete or min(house.read) <= EXPORT_A:
            self._imports_at = math.inf
        else:
            self._imports_at = min(self._imports_at, now)
        if now - self._imports_at >= IMPORTS_S and now - self._trial_at >= TRIAL_EVERY_S:
            self.reversed_at, self.is_on_trial, self._trial_at = None, True, now

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

    def look_for_obeyed(self, change: Change, accepted_at: float, last: Reading | None) -> None:
        """Doubt a meter that stood still all the time, and goes on, while a charger says that it moved."""
        is_past = last is not None and last.at > accepted_at + OBEY_S
        if is_past and change.amps >= FROZEN_AMPS and self._moved_at < accepted_at and self.frozen_at is None:
            self.frozen_at = accepted_at

    def compare(
        self,
        house: House,
        chargers: Mapping[str, ManagedCharger],
        phases: Mapping[str, Sequence[int] | None],
        now: float,
    ) -> None:
        """Hold what the chargers say that they draw against what is measured; of unknown `phases`, against the highest.

        Where sun comes in beside the meter it may show less, so a house that ever exported is left alone. A report from
        before the meter fell proves nothing: a car may have stopped. Nor does a car that stands still prove that the
        meter is right again, and it would be started beside a clamp that is off: what it showed has to change.
        """
        said, anywhere, measured_at = [0.0] * len(house.phases), 0.0, math.inf
        for charger_id, charger in chargers.items():
            if (drawn := _said(charger, now)) == 0:
                continue
            measured_at = min(measured_at, charger.measured_at)
            if (loads := phases[charger_id]) is None:
                anywhere = max(anywhere, drawn)
            else:
                for phase in loads:
                    said[phase] += drawn
        if house.is_complete and max(house.read) < least_shown(anywhere):
            said = [max(anywhere, amps) for amps in said]
        everywhere = range(len(said))  # what was seen while nobody knew where says nothing of phases that none loads
        loaded = {phase for loads in phases.values() for phase in (everywhere if loads is None else loads)}
        shown = {number: amps for number, amps in self._shown.items() if number in loaded.intersection(everywhere)}
        told = [number for number, phase in enumerate(house.phases) if phase.read_at == now]
        less = {number: house.read[number] for number in told if house.read[number] < least_shown(said[number])}
        if self.wrong_at is not None:
            less = {
                number: min(amps, house.read[number])
                for number, amps in shown.items()
                if number not in told
                or house.read[number] <= (said[number] - STEADY_A if said[number] else amps + WRONG_AMPS)
            } | less
        if house.exports or not less:
            self._less_at = self.wrong_at = None
        elif self._less_at is None:
            self._less_at = now
        elif OBEY_S <= measured_at - self._less_at < math.inf:
            self.wrong_at = self._less_at
        self._shown = less


def _said(charger: ManagedCharger, now: float) -> float:
    """Return what a charger says that it draws by now, A; 0 where that is no evidence."""
    report = charger.report
    if report is None or report.at_home is not True or report.state is not ChargingState.CHARGING:
        return 0.0
    is_fresh = now - charger.measured_at < SUSPECT_S and charger.is_told_of_last_command
    return report.measured_amps or 0.0 if is_fresh and charger.settings.profile.report_is_evidence else 0.0


def least_shown(amps: float) -> float:
    """Return the least that a meter shows which works, where a charger draws `amps`, A."""
    return amps - max(WRONG_AMPS, WRONG_PART * amps)
