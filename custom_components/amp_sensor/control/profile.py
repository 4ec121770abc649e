"""What is known of a kind of charger before it has shown anything: its floor, and how fast it follows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

LONGER = 1.5
"""How much longer than it was seen to take something may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a kind of charger behaves. Amps per phase; times in s."""

    floor_amps: int
    """The least that it can charge with at all."""
    latency_s: float
    """From a command to its answer, before this charger has shown its own."""
    earliest_move_s: float
    """The soonest that the current follows a command that was sent."""
    moving_s: float
    """From the answer to the first movement, usually."""
    answer_s: float
    """From the answer to the first movement, at the longest."""
    down_a_per_s: float
    up_a_per_s: float
    """How fast it lowers and raises its current, A/s."""
    start_lead_s: float
    """From a start to the first current, usually."""
    start_s: float
    """From a start to the first current, at the longest."""
    late_limit_s: float = 30.0  # of Tessie's copies
    """How long after a command it may still tell a limit from before; what it tells after that was somebody's."""
    write_every_s: float = 0.0
    """The shortest time between two writes; 0 where they may follow each other at once."""
    command_part: float = 1.0
    """What a command costs, as a part of what a mode thinks one is worth: a provider bills each."""
    writes_per_day: int = 0
    """How many writes a day it bears, of which raises may make use; 0 where it bears any number."""
    is_switched: bool = False
    """Whether it can only be switched on and off: it draws its maximum, or nothing."""
    report_is_evidence: bool = True
    """Whether the current that it reports is measured; False where it repeats what it was told."""

    def with_learned(self, learned: Mapping[str, Any]) -> Self:
        """Return how one charger of this kind behaves, whose rehearsal measured this: see `Rehearsal.learned`.

        One that was slower than its kind is given longer; one that was quicker once is not hurried.
        """
        if not learned:
            return self
        moving_s, lead_s = learned.get("moving_s", self.moving_s), learned.get("start_lead_s", self.start_lead_s)
        return replace(
            self,
            latency_s=learned.get("latency_s", self.latency_s),
            moving_s=moving_s,
            answer_s=max(self.answer_s, LONGER * moving_s),
            start_lead_s=lead_s,
            start_s=max(self.start_s, LONGER * lead_s),
        )


TESSIE = Profile(
    floor_amps=5,  # of Tesla's own app
    latency_s=2.5,  # the median of owners' reports
    earliest_move_s=0.5,
    moving_s=1.75,  # the middle of 0.5 to 3 s
    answer_s=3.5,  # 0.5 to 3 s were seen, and a bit
    down_a_per_s=3.0,
    up_a_per_s=1.0,  # owners' reports, nobody published it
    start_lead_s=20.0,  # the middle of 10 to 40 s
    start_s=40.0,
)
"""A Tesla through its cloud (docs: how the car behaves)."""

LOCAL = Profile(
    floor_amps=6,  # IEC 61851: the least that a pilot signal can offer
    latency_s=0.4,
    earliest_move_s=0.0,
    moving_s=0.5,
    answer_s=2.0,
    down_a_per_s=10.0,
    up_a_per_s=5.0,  # a car follows the pilot within five seconds (IEC 61851: 5 s); most within one
    start_lead_s=8.0,
    start_s=40.0,
    late_limit_s=5.0,  # it tells of itself: 3 s to move, and a bit
    command_part=0.4,  # nobody bills it, but each wears; so chosen on the benchmark
)
"""A charger in the same house that is told directly."""

CLOUD = Profile(
    floor_amps=6,  # IEC 61851
    latency_s=2.5,  # no maker tells: as through Tesla's cloud
    earliest_move_s=0.5,
    moving_s=3.0,  # the cloud answers before the charger has heard of it
    answer_s=15.0,  # Zaptec's integration looks 2, 7 and 15 s after a command, and then no more
    down_a_per_s=10.0,  # the car follows the pilot as at any charger
    up_a_per_s=5.0,
    start_lead_s=20.0,
    start_s=60.0,  # 40 s at the longest for a car, and a cloud before it
    command_part=1.0,  # nobody bills it, but makers count calls
)
"""A charger in the house that is told through its maker's cloud."""

TESLA_BLE = replace(
    TESSIE,
    latency_s=1.0,  # a message by Bluetooth and its answer: owners' reports
    earliest_move_s=0.0,  # ESPHome answers at once, before the car has heard of it
    answer_s=5.0,  # so that a second more passes than through the cloud, and one for a message that is repeated
    command_part=LOCAL.command_part,  # nobody bills it
)
"""A Tesla that is told by Bluetooth."""
