"""What the meter shows, held against what the chargers were told and what they tell: the meter is the witness."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .belief import Change
from .charger import ManagedCharger
from .charging import ChargerReport
from .doubt import least_shown
from .known import Known
from .learning import phases_moved
from .meter import WINDOW_S
from .steps import ShownPart, Steps


class Witness:
    """Settles what is believed of the chargers of one site, and says where meter and chargers contradict each other."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._house, self._chargers, self._doubt = known.house, known.chargers, known.doubt
        self._shown_part = ShownPart()
        self._steps: defaultdict[str, Steps] = defaultdict(Steps)

    def forget(self, charger_id: str) -> None:
        """Forget a charger."""
        self._steps.pop(charger_id, None)

    def look(self, house: Sequence[float], now: float) -> None:
        """Hold what the meter shows against the changes under way; `house` is what was known of it before."""
        read = self._house.read
        for charger in self._chargers.values():
            if not (change := charger.belief.change):
                continue
            known = self._known.phases_of(charger)
            if known is None:
                if not (change.is_cut or self._is_alone(charger, change)):
                    continue  # it would take another's rise for its own, and the house for lower than it is
                steps = [after - before for after, before in zip(read, change.before, strict=False)]
                seen = [change.start + (min(steps) if change.is_cut else max(steps))]
            else:
                seen = [
                    read[phase] - house[phase] - self._drawn_by_others(charger, phase, now)
                    for phase in known
                    if phase < len(house) and self._house.phases[phase].held_at == now
                ]
            bearing = range(len(self._house.phases)) if known is None else known
            if not seen or any(self._house.phases[phase].beyond_at is not None for phase in bearing):
                continue  # what lies beyond the sensor's range hides a change
            charger.belief.witness(change, seen, now)
            moved = self._moved(charger, change)
            if charger.belief.change is None:
                charger.settled(change, now)
                charger.learn(moved)
                self.look_for_reversed(charger, change, now)
            elif moved and known == charger.learned and charger.belief.is_overdue(now):
                # It did as told, but not where it was looked for
                charger.learned = moved
                charger.belief.settle(change.to, change.to)
                charger.settled(change, now)

    def _moved(self, charger: ManagedCharger, change: Change) -> tuple[int, ...] | None:
        """Return the phases on which a change shows by now; None where that is not clear, or others moved as well."""
        is_clear = self._house.is_complete and self._is_alone(charger, change)
        return phases_moved(change, self._house.read) if is_clear else None

    def look_for_reversed(self, charger: ManagedCharger, change: Change, now: float) -> None:
        """See from a step that has ended, or must have, whether the meter shows it the right way round."""
        if self._is_alone(charger, change):
            self._doubt.look_for_reversed(self._house, change, self._known.phases_of(charger), now)

    def _is_alone(self, charger: ManagedCharger, change: Change) -> bool:
        """Whether nobody else has moved meanwhile."""
        return all(
            other.belief.change is None and other.settled_at < change.sent_at
            for other in self._chargers.values()
            if other is not charger
        )

    def _drawn_by_others(self, charger: ManagedCharger, phase: int, now: float) -> float:
        """Return the most that they draw of a phase, A; it may be there that those rise whose phases nobody knows."""
        most = 0.0
        for other in self._chargers.values():
            low, high = other.belief.bounds(now)
            if other is charger:
                continue
            if (known := self._known.phases_of(other)) is None:
                change = other.belief.change
                most += high - low if change and not change.is_cut else 0.0
            elif phase in known:
                most += high
        return most

    def add_report(self, charger: ManagedCharger, report: ChargerReport, now: float) -> None:
        """Take what a charger says of itself."""
        was_drawing, change = charger.belief.high, charger.belief.change
        charger.add_report(report, now, is_watched=self._house.is_complete)
        self._look_at_steps(charger, report, now)
        if change and charger.belief.change is None:
            if not self._house.is_beyond_range:
                self._doubt.look_for_obeyed(change, charger.accepted_at, self._known.meter.last)
            if moved := self._moved(charger, change):
                charger.learn(moved)
            self.look_for_reversed(charger, change, now)
        if charger.belief.low > was_drawing and self._house.is_told:
            # Until now, what it draws more was taken for the house's
            self._known.share(now)
            self._house.forget_minute()
        elif charger.belief.high < was_drawing:
            self._known.is_unread = True  # what was taken for its own may be the house's: the next reading tells

    def _look_at_steps(self, charger: ManagedCharger, report: ChargerReport, now: float) -> None:
        """Hold the steps that a charger tells of against the meter: where it shows a part, it shows that of everything.

        The same part of several steps, up and down, is no chance: its factor is wrong, or it sits on one of two cables.
        """
        others = (other for other in self._chargers.values() if other is not charger)
        is_alone = self._doubt.frozen_at is None and all(other.belief.bounds(now)[1] == 0 for other in others)
        is_evidence = charger.settings.profile.report_is_evidence
        shown = self._steps[charger.charger_id].add(
            report, self._known.meter.since(now - WINDOW_S), is_alone=is_alone and is_evidence, now=now
        )
        if shown is not None and not self._house.exports:
            self._shown_part.add(shown)
            self._house.shown_part = self._shown_part.part

    def believe_stops(self, loads: Mapping[str, Sequence[int] | None], now: float) -> None:
        """See from the meter that a stop came which a cloud does not show; where sun comes in too, it shows nothing."""
        if self._house.exports or not self._house.is_complete or self._house.is_beyond_range:
            return
        for charger_id, charger in self._chargers.items():
            phases = self._known.all_phases if (known := loads[charger_id]) is None else known
            shown = max(self._house.read[phase] for phase in phases)
            if charger.stands_after_all(least_shown, shown, now):
                self._known.share(now)

    def doubt_learned(self, loads: Mapping[str, Sequence[int] | None], now: float) -> None:
        """Where phases were only learned, doubt those before the meter, which the next reading may accuse again."""
        for charger_id, charger in self._chargers.items():
            if charger.learned and charger.settings.phases is None and loads[charger_id] == charger.learned:
                charger.learned = self._doubt.wrong_at = None
        self._known.share(now)
