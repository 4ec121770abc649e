"""The readings of one site over time."""

from collections import deque
from dataclasses import dataclass
from statistics import median

from .reading import Reading

WINDOW_S = 600.0
"""How far back the statistics can look, s: long enough for the longest hold time of the controller."""
BRIDGED_GAP_S = 60.0
"""The longest gap over which power is assumed to go in a straight line, s; after it a meter counts as silent."""
PLAUSIBLE_AMPS = 500.0
"""More than any household supply, A: a counter that grew faster than this allows was reset or exchanged."""
USUAL_INTERVAL_S = 5.0
"""How often the project's firmware posts, s: assumed until a few readings show the meter's own habit."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The device's own energy counter as it last was."""

    energy_wh: float
    boot_id: str | None


class Meter:
    """The readings of the last minutes, how often there is one, and energy that only grows."""

    def __init__(self) -> None:
        self.last: Reading | None = None
        self.energy_wh = 0.0
        """Imported energy, Wh."""
        self.counter: Counter | None = None
        self._readings: deque[Reading] = deque()
        self._gaps: deque[float] = deque(maxlen=20)

    def restore(self, energy_wh: float, counter: Counter | None) -> None:
        """Go on from what was kept over a restart."""
        self.energy_wh, self.counter = energy_wh, counter

    def add(self, reading: Reading) -> None:
        """Take the next reading. One that is not newer than the last is a mistake of the caller: ValueError."""
        last = self.last
        if last and reading.at < last.at:
            raise ValueError("readings go forward in time")
        self.energy_wh += self._energy_since_last(reading)
        if last:
            self._gaps.append(reading.at - last.at)
        if reading.energy_wh is not None:
            self.counter = Counter(reading.energy_wh, reading.boot_id)
        self.last = reading
        self._readings.append(reading)
        while self._readings[0].at < reading.at - WINDOW_S:
            self._readings.popleft()

    def _energy_since_last(self, reading: Reading) -> float:
        last, counter = self.last, self.counter
        if reading.energy_wh is not None and counter is not None:
            same_boot = reading.boot_id == counter.boot_id and reading.energy_wh >= counter.energy_wh
            if last is None:
                # First reading after a restart of ours: nobody knows how long that took, so only an unbroken
                # counter of the same boot is believed.
                return reading.energy_wh - counter.energy_wh if same_boot and reading.boot_id else 0.0
            # A device that restarted either kept its counter, or began again at zero.
            grown = reading.energy_wh - (counter.energy_wh if reading.energy_wh >= counter.energy_wh else 0.0)
            plausible = (reading.at - last.at) / 3600 * PLAUSIBLE_AMPS * sum(reading.volts)
            return grown if grown <= plausible else 0.0
        if reading.energy_wh is not None or last is None or reading.at - last.at > BRIDGED_GAP_S:
            return 0.0
        return (max(0.0, last.watts) + max(0.0, reading.watts)) / 2 * (reading.at - last.at) / 3600

    def is_connected(self, now: float, timeout_s: float) -> bool:
        """Whether the last reading is younger than `timeout_s`."""
        return self.last is not None and now - self.last.at < timeout_s

    @property
    def interval_s(self) -> float:
        """How often this meter posts by itself, s: the median of the longer half of the last gaps.

        The longer half, because a meter that also posts on changes posts more often just now.
        """
        if len(self._gaps) < 3:
            return USUAL_INTERVAL_S
        return max(1.0, median(sorted(self._gaps)[len(self._gaps) // 2 :]))

    def since(self, start: float) -> list[Reading]:
        """Return the readings from `start` on, oldest first; at most the last ten minutes."""
        found = []
        for reading in reversed(self._readings):
            if reading.at < start:
                break
            found.append(reading)
        return found[::-1]
