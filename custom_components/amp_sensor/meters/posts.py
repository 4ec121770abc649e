"""What arrived at a webhook: for whoever wonders why nothing is heard, in memory only and never growing for long."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Any, Final

from ..control.meter import BRIDGED_GAP_S

KEPT: Final = 20
"""Refusals, gaps and clients that are kept: a device that is wrong is wrong each time in the same way."""
MAX_USER_AGENT: Final = 120
"""Characters of a user agent that are kept; a browser's have about as many."""


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
    refusals: deque[Refusal] = field(default_factory=lambda: deque(maxlen=KEPT))
    _intervals: Intervals = field(default_factory=Intervals)
    _gaps: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _senders: dict[Sender, tuple[int, datetime]] = field(default_factory=dict)
    """How often each posted, and when last."""
    _read_at: float | None = None

    @property
    def last_refusal(self) -> Refusal | None:
        """What was not taken last."""
        return self.refusals[-1] if self.refusals else None

    @property
    def last_sender(self) -> Sender | None:
        """Who posted last."""
        return next(reversed(self._senders), None)

    def accept(self, sender: Sender, *, at: datetime, now: float) -> None:
        """Take note of a reading; `now` is of a clock that nobody sets, s."""
        self.readings += 1
        if self._read_at is not None:
            interval_s = now - self._read_at
            self._intervals.add(interval_s)
            if interval_s > BRIDGED_GAP_S:
                self._gaps.append({"until": at.isoformat(), "duration_s": round(interval_s, 1)})
        self._read_at = now
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
