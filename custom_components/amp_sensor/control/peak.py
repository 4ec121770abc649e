"""What was imported in a window of the clock, and what may be until its end: contracts bill, or bound, such peaks."""

from dataclasses import dataclass
import math
from typing import Any, TypedDict

RESERVE_PART = 0.01
"""The part of a window's energy that is not planned with: what the house's last step in it may take before a car has
followed. As much as a window may be exceeded by in the benchmark."""
LATER_PART = 0.08
"""What is planned with is less by this part of what the rest of a window may have: a car gets less of its part early,
and more late, so that a step of the house in the last half finds something left. Tried on the traces."""
AHEAD_S = 120.0
"""What was left unused is spread over this time at least, s: towards the end of a window a car would be raised for
seconds, and lowered again in the next."""
LAST_S = 10.0
"""What was used too much is made up for over this time at least, s: the time that a cut takes, and its reading."""
RECOVER_S = 60.0
"""What the house leaves of a window, if it goes on as it does now, is spent no faster than over this time, s: a car
draws on until it was told, has obeyed, and a stop of it has come."""
STEADY_PART = 1 / 3
"""The house is expected to draw for the rest of a window what it drew on average over this part of that time: a
compressor or a thermostat is averaged out at the beginning, and each step counts at the end."""
SPREAD_S = 60.0
"""Within this time after a window began more is allowed than at the end of the one before, s: not everything that waits
starts at the same second, of which others' users report that it opens the meter's switch."""
RISKY_PART = 0.95
"""From this part of the limit on a window is at risk of exceeding it."""
LATE_S = 60.0
"""The most that a meter's own average may lag behind, s: DSMR sends it every 1 or 10 s."""
DRIFT_S = 2.0
"""The wall's clock and the controller's drift apart, and it is looked at once a second: a difference of no more than
this is followed, s. A clock is slewed by 0.45 s in a quarter of an hour at most (500 ppm); more was set."""


class WindowRecord(TypedDict):
    """What has to survive a restart, with the time of the wall in s."""

    began_at: float
    until: float
    imported_ws: float
    house_ws: float
    unknown_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """How a window stands. Power in W, of all phases together; import only."""

    average_watts: float
    """From its beginning until now, as far as anything is known of that time."""
    expected_watts: float
    """Over all of it, if what flows now goes on; what nobody knows of it is at the limit."""
    is_at_risk: bool
    ends_in_s: float


class Window:
    """Import in fixed windows of the clock. Times are those of the controller's clock, s.

    What is exported does not make up for what is imported in the same window: a register of import never goes back.
    """

    def __init__(self, length_s: float, began_at: float, now: float, *, spread_s: float = SPREAD_S) -> None:
        """Begin in the middle of one: nothing is known of what it had before `now`."""
        self.length_s = length_s
        self.began_at = began_at
        self.imported_ws = 0.0
        """What is known to have been imported, W·s."""
        self.house_ws = 0.0
        """What of it the house would have imported without any charger, W·s."""
        self.unknown_s = max(0.0, now - began_at)
        """For how long nothing was known, s."""
        self.highest_watts = 0.0
        """The mean of the highest window that ended; of those that are not known wholly, the least that it can be."""
        self._spread_s = spread_s
        self._at = now
        self._watts = self._house_watts = self._usual_watts = 0.0
        self._known_until = -math.inf
        self._told_ws = -math.inf
        self._by_meter = self._awaits_fall = False
        """Whether the meter's own window is what counts, and whether it still tells of the one before."""
        self._allowed = self._allowed_before = math.inf

    @property
    def ends_at(self) -> float:
        """When it ends, s."""
        return self.began_at + self.length_s

    def align(self, began_at: float, now: float) -> None:
        """Take it from the clock when the window under way began, unless the meter itself tells."""
        self.integrate(now)
        if self._by_meter:
            return
        drift_s = math.remainder(began_at - self.began_at, self.length_s)
        if abs(drift_s) <= DRIFT_S:
            self.began_at += drift_s
            if self.ends_at <= now:
                self._end()
            return
        # Somebody set the clock: of what was seen, that counts which flowed since the beginning that it tells of now
        if began_at > self.began_at:
            part = (now - began_at) / (now - self.began_at)
            self.imported_ws, self.house_ws = self.imported_ws * part, self.house_ws * part
            self.unknown_s *= part
        else:
            self.unknown_s += self.began_at - began_at
        self.began_at = began_at

    def add(self, watts: float, house_watts: float, now: float, *, holds_s: float) -> None:
        """Take what flows from now on: in all, and without the chargers; it is believed for `holds_s`."""
        self.integrate(now)
        if self._known_until == -math.inf:
            self._usual_watts = max(0.0, house_watts)
        self._watts, self._house_watts, self._known_until = watts, house_watts, now + holds_s

    def tell(self, average_watts: float, now: float) -> None:
        """Take the meter's own average of its window, which grows from 0: its energy so far over its whole length."""
        self.integrate(now)
        told_ws = average_watts * self.length_s
        if told_ws < self._told_ws - self.length_s:  # it tells whole watts
            late_s = min(LATE_S, told_ws / self._watts) if self._watts > 0 else 0.0
            self._begin(now - late_s)
            self._by_meter, self._awaits_fall = True, False
        is_late = self._awaits_fall and now - self.began_at < LATE_S
        if told_ws != self._told_ws and not is_late:
            self._awaits_fall = False
            self.house_ws = max(0.0, self.house_ws + min(0.0, told_ws - self.imported_ws))
            self.imported_ws, self.unknown_s = told_ws, 0.0
        self._told_ws = told_ws

    def integrate(self, now: float) -> None:
        """Let what was read last flow until now, over the end of the window where that is past."""
        while self._at < now:
            until = min(now, self.ends_at)
            duration_s = until - self._at
            known_s = min(duration_s, max(0.0, self._known_until - self._at))
            self.imported_ws += max(0.0, self._watts) * known_s
            self.house_ws += max(0.0, self._house_watts) * known_s
            self.unknown_s += duration_s - known_s
            house, steady_s = max(0.0, self._house_watts), STEADY_PART * (self.ends_at - self._at)
            self._usual_watts += (house - self._usual_watts) * -math.expm1(-duration_s / max(steady_s, 1.0))
            self._at = until
            if until >= self.ends_at:
                self._end()

    def _end(self) -> None:
        self._begin(self.ends_at)
        self._awaits_fall = self._told_ws > -math.inf

    def _begin(self, at: float) -> None:
        self.highest_watts = max(self.highest_watts, self.imported_ws / self.length_s)
        self.began_at = at
        self.imported_ws = self.house_ws = self.unknown_s = 0.0
        self._allowed_before = self._allowed

    def allowed_watts(self, limit_watts: float, now: float) -> float:
        """Return what may flow in all from now on, W: what is left of the window's energy over the time that is left.

        Of that, a part is kept for later, which is less and less.
        Less is to come from the house where it draws more than it usually does, which is borne as long as the chargers
        could still make up for it.
        """
        self.integrate(now)
        left_s = self.ends_at - now
        left_ws = limit_watts * (self.length_s * (1 - RESERVE_PART) - self.unknown_s) - self.imported_ws
        lead_ws = left_ws - limit_watts * left_s * (1 + LATER_PART)
        pace = limit_watts + lead_ws / max(left_s, AHEAD_S if lead_ws > 0 else LAST_S)
        house = max(0.0, self._house_watts)
        allowed = min(pace + house - self._usual_watts, self.bearable_watts(limit_watts, now))
        if now - self.began_at < self._spread_s:
            allowed = min(allowed, max(self._allowed_before, 0.0))
        else:
            self._allowed_before = math.inf
        self._allowed = allowed
        return allowed

    def bearable_watts(self, limit_watts: float, now: float) -> float:
        """Return what may flow in all as long as the chargers could still make up for it by having nothing later, W.

        What is kept for the house's last step may be used for this: a stop costs a start.
        """
        left_s = self.ends_at - now
        left_ws = limit_watts * (self.length_s - self.unknown_s) - self.imported_ws
        house = max(0.0, self._house_watts)
        return house + (left_ws - house * left_s) / min(RECOVER_S, max(left_s, LAST_S))

    def left_watts(self, limit_watts: float, now: float) -> float:
        """Return what may flow in all from now to its end, W: what loads are judged by."""
        self.integrate(now)
        left_ws = limit_watts * (self.length_s * (1 - RESERVE_PART) - self.unknown_s) - self.imported_ws
        return left_ws / max(self.ends_at - now, 1.0)

    def is_house_alone(self, limit_watts: float, now: float) -> bool:
        """Whether the house by itself takes more than the window has, so that nothing of a charger's would help."""
        house_ws = self.house_ws + max(0.0, self._house_watts) * (self.ends_at - now)
        return house_ws + limit_watts * self.unknown_s > limit_watts * self.length_s

    def state(self, limit_watts: float, now: float) -> WindowState:
        """Return how it stands."""
        self.integrate(now)
        left_s, known_s = self.ends_at - now, now - self.began_at - self.unknown_s
        coming_ws = max(0.0, self._watts if now <= self._known_until else limit_watts) * left_s
        expected = (self.imported_ws + limit_watts * self.unknown_s + coming_ws) / self.length_s
        return WindowState(
            average_watts=self.imported_ws / known_s if known_s > 0 else max(0.0, self._watts),
            expected_watts=expected,
            is_at_risk=expected > RISKY_PART * limit_watts,
            ends_in_s=left_s,
        )

    def record(self, wall_s: float) -> WindowRecord:
        """Return what has to survive a restart, as JSON holds it; `wall_s` is the wall's time at 0 of this clock."""
        return {
            "began_at": self.began_at + wall_s,
            "until": self._at + wall_s,
            "imported_ws": round(self.imported_ws),
            "house_ws": round(self.house_ws),
            "unknown_s": round(self.unknown_s, 1),
        }

    def restore(self, record: Any, wall_s: float) -> None:
        """Go on with the window of a record, if it is this one: what was missed since is unknown."""
        if not isinstance(record, dict) or not all(_is_amount(record.get(key)) for key in WindowRecord.__annotations__):
            raise ValueError("not the record of a window")
        if abs(record["began_at"] - wall_s - self.began_at) >= 1:
            return
        missed_s = self._at + wall_s - record["until"]
        if missed_s >= 0 and record["unknown_s"] + missed_s <= self._at - self.began_at + 1:
            self.imported_ws, self.house_ws = record["imported_ws"], record["house_ws"]
            self.unknown_s = record["unknown_s"] + missed_s


def _is_amount(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
