"""The readings of one site over time."""

from .reading import Reading


class Meter:
    """Sliding statistics by time (not by count), and energy that only grows."""

    last: Reading | None
    energy_wh: float
    """Imported energy since it was first counted, Wh; set it once to go on from a restored total."""

    def add(self, reading: Reading) -> None:
        """Take the next reading."""

    def is_connected(self, now: float, timeout_s: float) -> bool:
        """Whether the last reading is younger than `timeout_s`."""
        raise NotImplementedError
