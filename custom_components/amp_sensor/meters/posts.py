"""What arrived at a webhook: for whoever wonders why nothing is heard, in memory only and never growing for long."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from math import inf
from typing import Any, Final

from ..control import Reading
from ..control.meter import BRIDGED_GAP_S

KEPT: Final = 20
"""Refusals, gaps and clients that are kept: a device that is wrong is wrong each time in the same way."""
MAX_USER_AGENT: Final = 120
"""Characters of a user agent that are kept; a browser's have about as many."""
RIVAL_TURNS: Final = 3
"""How often each of two devices has its turn until they are told apart from one that got a new address: A B A B A B."""
RIVALS_S: Final = 300.0
"""Within which time, s: devices that post every 100 s are still found."""
SIGN_MATTERS_A: Final = 1.0
"""Currents below it are noise where the sign is concerned, A."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who posted."""

    address: str | None
    """IP address; None where it came another way."""
    user_agent: str

    def __str__(self) -> str:
        return self.address or "?"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A post that was not taken, and why."""

    at: datetime
    sender: Sender
    status: int
    text: str


@dataclass(frozen=True, kw_only=True)
class _Device:
    """Who posted, as far as a post shows."""

    sender: Sender
    boot_id: str | None
    phases: int

    def differs_from(self, other: _Device) -> bool:
        """Tell two devices from one whose posts are not all alike: a field may be missing in some."""
        if self.sender != other.sender:
            return True
        if self.boot_id is not None and other.boot_id is not None:
            return self.boot_id != other.boot_id
        return self.phases != other.phases


@dataclass(kw_only=True)
class _Turn:
    """Posts of one device in a row."""

    device: _Device
    at: float
    posts: int = 1


@dataclass(kw_only=True)
class Intervals:
    """How long one reading was after the other, s."""

    count: int = 0
    shortest_s: float = inf
    longest_s: float = 0.0
    total_s: float = 0.0
    gaps: int = 0
    """How many were so long that the meter counted as silent meanwhile."""

    def add(self, interval_s: float) -> None:
        """Take one more."""
        self.count += 1
        self.shortest_s = min(self.shortest_s, interval_s)
        self.longest_s = max(self.longest_s, interval_s)
        self.total_s += interval_s
        self.gaps += interval_s > BRIDGED_GAP_S

    def as_dict(self) -> dict[str, Any]:
        """Return what there is to tell."""
        if not self.count:
            return {"count": 0}
        return {
            "count": self.count,
            "min_s": round(self.shortest_s, 2),
            "mean_s": round(self.total_s / self.count, 2),
            "max_s": round(self.longest_s, 2),
            "gaps": self.gaps,
        }


@dataclass(kw_only=True)
class PostLog:
    """The posts of one webhook since it was set up."""

    readings: int = 0
    refused: int = 0
    refused_at: float = -inf
    """When a post was not taken last, s on a clock that nobody sets."""
    sign_unknown: bool = False
    """Whether the meter told that power is exported, but not on which phase: all count as import."""
    is_beyond_range: bool = False
    """Whether the last reading is too low, because more flowed than the sensor can show."""
    version: str | None = None
    """Of what runs on the device, as the last reading said; None where it did not."""
    refusals: deque[Refusal] = field(default_factory=lambda: deque(maxlen=KEPT))
    _intervals: Intervals = field(default_factory=Intervals)
    _gaps: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _senders: dict[Sender, tuple[int, datetime]] = field(default_factory=dict)
    """How often each posted, and when last."""
    _read_at: float | None = None
    _turns: deque[_Turn] = field(default_factory=lambda: deque(maxlen=3 * RIVAL_TURNS))
    """The last ones: enough to find two devices, even with a third between them."""

    @property
    def last_refusal(self) -> Refusal | None:
        """What was not taken last."""
        return self.refusals[-1] if self.refusals else None

    @property
    def last_sender(self) -> Sender | None:
        """Who posted last."""
        return next(reversed(self._senders), None)

    @property
    def rivals(self) -> tuple[Sender, Sender] | None:
        """Two devices that post in turns, as if they were one; the same sender twice where a proxy hides them."""
        if self._read_at is None:
            return None
        since = self._read_at - RIVALS_S
        turns: dict[_Device, list[_Turn]] = {}
        for turn in self._turns:
            if turn.at >= since:
                turns.setdefault(turn.device, []).append(turn)
        often = [device for device, taken in turns.items() if len(taken) >= RIVAL_TURNS]
        for one, other in combinations(often, 2):
            # A device that leaves out a phase now and then is no second one: those that only differ so must alternate
            is_sure = one.sender != other.sender or None not in (one.boot_id, other.boot_id)
            if one.differs_from(other) and (is_sure or all(t.posts == 1 for t in turns[one] + turns[other])):
                return one.sender, other.sender
        return None

    def accept(self, sender: Sender, reading: Reading, *, at: datetime, version: str | None = None) -> None:
        """Take note of a reading, and of who posted it."""
        now = reading.at
        self.is_beyond_range = bool(reading.beyond)
        self.version = version
        self.readings += 1
        if self._read_at is not None:
            interval_s = now - self._read_at
            self._intervals.add(interval_s)
            if interval_s > BRIDGED_GAP_S:
                self._gaps.append({"until": at.isoformat(), "duration_s": round(interval_s, 1)})
        self._read_at = now
        device = _Device(sender=sender, boot_id=reading.boot_id, phases=len(reading.amps))
        if self._turns and self._turns[-1].device == device:
            self._turns[-1].posts += 1
            self._turns[-1].at = now
        else:
            self._turns.append(_Turn(device=device, at=now))
        if min(reading.known) < 0:
            self.sign_unknown = False
        elif reading.watts < 0 and len(reading.amps) > 1 and reading.current >= SIGN_MATTERS_A:
            self.sign_unknown = True
        self._note(sender, at)

    def refuse(self, sender: Sender, *, at: datetime, now: float, status: int, text: str) -> None:
        """Take note of a post that was not taken."""
        self.refused += 1
        self.refused_at = now
        self.refusals.append(Refusal(at=at, sender=sender, status=status, text=text))
        self._note(sender, at)

    def _note(self, sender: Sender, at: datetime) -> None:
        posts, _ = self._senders.pop(sender, (0, at))
        self._senders[sender] = (posts + 1, at)
        if len(self._senders) > KEPT:
            del self._senders[next(iter(self._senders))]  # that was silent for longest

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, as JSON holds it."""
        return {
            "readings": self.readings,
            "intervals": self._intervals.as_dict(),
            "last_gaps": list(self._gaps),
            "sign_unknown": self.sign_unknown,
            "beyond_range": self.is_beyond_range,
            "version": self.version,
            "rivals": [str(sender) for sender in self.rivals or ()],
            "refused": self.refused,
            "last_refusals": [
                {
                    "at": refusal.at.isoformat(),
                    "from": refusal.sender.address,
                    "status": refusal.status,
                    "error": refusal.text,
                }
                for refusal in self.refusals
            ],
            "senders": [
                {
                    "address": sender.address,
                    "user_agent": sender.user_agent,
                    "posts": posts,
                    "last": last.isoformat(),
                }
                for sender, (posts, last) in self._senders.items()
            ],
        }
