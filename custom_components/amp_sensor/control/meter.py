"""The readings of one site over time."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
import math

from .reading import MAX_AMPS, Reading

WINDOW_S = 600.0
"""How far back the statistics can look, s: long enough for the longest hold time of the controller."""
BRIDGED_GAP_S = 60.0
"""The longest gap over which power is assumed to go in a straight line, s; after it a meter counts as silent."""
USUAL_INTERVAL_S = 5.0
"""How often the project's firmware posts, s: assumed until a few readings show the meter's own habit."""
HABIT_GAPS = 3
"""A gap is the meter's habit where at least so many of the last ones were about as long; a single one is an outage."""
NOISE_PART, NOISE_WH = 0.1, 1.0
"""A counter that falls by less than this part, or by less than this, Wh, did not begin anew: sums flicker."""
DOUBT_S = 300.0
"""How long a counter goes on from where it fell or jumped to until that is believed for good, s."""
SLOWEST_S = 60.0
"""The slowest habit that the limits of silence follow, s: what reports less often than each minute is no meter."""
PATIENCE = 2.5
"""Intervals of a slow meter after which it counts as silent: one that is lost, and the next that is late."""
_MOST_REFERENCES = 10


def usual_interval_s(gaps: Iterable[float]) -> float:
    """Return how often something reports by itself, s: the median of the longer half of its last gaps.

    The longer half, because what also reports changes reports more often just now; without gaps that no others were
    like, because those are outages.
    """
    ordered = sorted(gaps)
    while len(ordered) >= HABIT_GAPS and ordered[-HABIT_GAPS] < ordered[-1] / 2:
        ordered.pop()
    if len(ordered) < HABIT_GAPS:
        return USUAL_INTERVAL_S
    longer = ordered[len(ordered) // 2 :]  # statistics.median would sort what is in order already
    middle = len(longer) // 2
    return max(1.0, longer[middle] if len(longer) % 2 else (longer[middle - 1] + longer[middle]) / 2)


@dataclass(frozen=True, slots=True)
class Counter:
    """The device's own energy counter, as far as it has been counted."""

    energy_wh: float
    boot_id: str | None


@dataclass(slots=True, kw_only=True)
class _Reference:
    """One way to read the device's counter: with `offset_wh` it is the total."""

    offset_wh: float
    highest_wh: float
    highest_at: float
    """When it was there last, s: growth is believed from then on, not from noise in between."""
    boot_id: str | None
    since: float
    at: float
    """When the counter last agreed with it, s; -inf before this life."""

    def agrees(self, counter_wh: float, at: float, most_wh_per_s: float) -> bool:
        """Tell whether a counter goes on from here, if it can have grown so fast: falling a little is noise."""
        noise_wh = max(NOISE_PART * self.highest_wh, NOISE_WH)
        return -noise_wh < counter_wh - self.highest_wh <= (at - self.highest_at) * most_wh_per_s


class Meter:
    """The readings of the last minutes, how often there is one, and energy that only grows."""

    def __init__(self) -> None:
        self.last: Reading | None = None
        self.energy_wh = 0.0
        """Imported energy, Wh."""
        self._references: list[_Reference] = []
        """Where the counter may be counted from: the first was believed for long, the others are in doubt."""
        self._readings: deque[Reading] = deque()
        self._gaps: deque[float] = deque(maxlen=20)
        self.interval_s = USUAL_INTERVAL_S
        """How often this meter posts by itself, s."""

    @property
    def counter(self) -> Counter | None:
        """What to keep beside `energy_wh`, to go on from both."""
        if not self._references:
            return None
        believed = self._references[0]
        return Counter(self.energy_wh - believed.offset_wh, believed.boot_id)

    def restore(self, energy_wh: float, counter: Counter | None) -> None:
        """Go on from what was kept over a restart."""
        self.energy_wh = energy_wh
        self._references = []
        if counter is not None:
            self._refer(counter.energy_wh, boot_id=counter.boot_id, at=-math.inf)

    def add(self, reading: Reading) -> None:
        """Take the next reading. One that is not newer than the last is a mistake of the caller: ValueError."""
        last = self.last
        if last and reading.at < last.at:
            raise ValueError("readings go forward in time")
        if reading.energy_wh is not None:
            self._count(reading.energy_wh, reading)
        elif last and reading.at - last.at <= max(BRIDGED_GAP_S, self.patience_s):
            # The counter, where there is one, counts this time too; it then adds what is beyond.
            self.energy_wh += (max(0.0, last.watts) + max(0.0, reading.watts)) / 2 * (reading.at - last.at) / 3600
        if last:
            self._gaps.append(reading.at - last.at)
            self.interval_s = usual_interval_s(self._gaps)
        self.last = reading
        self._readings.append(reading)
        while self._readings[0].at < reading.at - WINDOW_S:
            self._readings.popleft()

    def _refer(self, counter_wh: float, *, boot_id: str | None, at: float, is_anew: bool = False) -> None:
        """Count from here, or from the zero at which a counter just began anew."""
        offset_wh = self.energy_wh if is_anew else self.energy_wh - counter_wh
        self._references.append(
            _Reference(offset_wh=offset_wh, highest_wh=counter_wh, highest_at=at, boot_id=boot_id, since=at, at=at)
        )
        if len(self._references) > _MOST_REFERENCES:
            del self._references[1]

    def _count(self, counter_wh: float, reading: Reading) -> None:
        """Take the device's counter.

        Where it does not go on from where it was, it may be another one, or wrong once: both ways to read it are kept,
        and none of it is counted before it goes on. If it comes back, what was counted meanwhile is not counted again.
        """
        references, boot_id, at = self._references, reading.boot_id, reading.at
        if references and references[0].at == -math.inf:
            # First after a restart of ours: nobody knows how long that took, so only an unbroken counter of the same
            # boot is believed, but that without limit.
            kept = references[0]
            kept.at = kept.highest_at = at
            if counter_wh >= kept.highest_wh:
                if boot_id is not None and boot_id == kept.boot_id:
                    kept.highest_wh = counter_wh
                else:
                    references.clear()
        if not references:
            self._refer(counter_wh, boot_id=boot_id, at=at)
        # A counter that grew faster than any supply allows was reset or exchanged
        most_wh_per_s = MAX_AMPS * sum(reading.volts) / 3600
        agreeing = [each for each in references if each.agrees(counter_wh, at, most_wh_per_s)]
        if not agreeing:
            newest = references[-1]
            # No more than can have been drawn since it was last seen: it begins anew. A device that restarted says so.
            is_anew = counter_wh <= (at - newest.at) * most_wh_per_s
            is_sure = is_anew and None not in (boot_id, newest.boot_id) and boot_id != newest.boot_id
            self._refer(counter_wh, boot_id=boot_id, at=at, is_anew=is_anew)
            if is_sure:
                self.energy_wh += counter_wh
            return
        # Of several, one that did not fall, and by which the least was used: what is counted is never taken back.
        found = max(agreeing, key=lambda each: (counter_wh >= each.highest_wh, each.highest_wh))
        if counter_wh >= found.highest_wh:
            found.highest_wh, found.highest_at = counter_wh, at
        found.at, found.boot_id = at, boot_id
        self.energy_wh = max(self.energy_wh, counter_wh + found.offset_wh)
        if len(references) > 1:
            is_for_good = at - found.since >= DOUBT_S
            number = references.index(found)
            self._references = [found] if is_for_good else references[: number + 1]

    def is_connected(self, now: float, timeout_s: float) -> bool:
        """Whether the last reading is younger than `timeout_s`, or not late yet for a meter that is so slow."""
        return self.last is not None and now - self.last.at < max(timeout_s, self.patience_s)

    @property
    def patience_s(self) -> float:
        """How long this meter may say nothing by its own habit, s: only what is longer than usual limits matters."""
        return PATIENCE * min(self.interval_s, SLOWEST_S)

    def since(self, start: float) -> list[Reading]:
        """Return the readings from `start` on, oldest first; at most the last ten minutes."""
        found = []
        for reading in reversed(self._readings):
            if reading.at < start:
                break
            found.append(reading)
        return found[::-1]
