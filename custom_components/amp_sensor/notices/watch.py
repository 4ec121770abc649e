"""What was wrong for long enough that a person should know. Pure: values and the time in, what to tell out."""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from math import inf
from typing import Final

from ..control import ChargerReport, Reading
from ..control.charger import SUSPECT_S
from ..control.prices import OVER_A
from ..control.steps import AHEAD_S, SEEN_PART, UNSEEN_PART, Steps

SILENT_S: Final = 600.0
"""How long nothing may come from a meter before somebody has to look, s: a router restarts in five minutes."""
FROZEN_S: Final = 300.0
"""The same of a meter that shows nothing of what the car does, s: by then it was stopped, and not even that shows."""
OVER_BUDGET_S, WITHIN_BUDGET_S = 900.0, 300.0
"""How long the house alone is over the budget before that is no accident, s, and how long within it before it is over:
an oven heats up in a quarter of an hour, and its thermostat clicks every few minutes."""
BEYOND_RANGE_S, IN_RANGE_S = 10.0, 86400.0
"""How long more flows than the sensor can show before that is told, s, which is longer than a motor takes to start; and
how long not before it is no longer told: a house that exceeds it in the evening does so again the next evening."""
PHASE_SILENT_S: Final = 300.0
"""How long a phase that was told before is missing, s: by then a car that may draw from it was stopped."""
WRONG_S: Final = 300.0
"""How long a meter shows less than a car says it draws, s."""
PLACE_UNKNOWN_S: Final = 600.0
"""How long nobody knows where a car is that is plugged in, s: after a start of the cloud it may take minutes."""
ASLEEP_S: Final = 600.0
"""How long a car sleeps that we paused before that is told, s: some wake by themselves when the app looks at them."""
DEAF_S: Final = 180.0
"""How long nothing comes of any command before that is told, s: longer than the cloud's hiccups, and than a command of
ours that waits because it is asked to (two minutes)."""
GONE_S: Final = 60.0
"""How long something of a charger is gone before that is told, s: a reload of what makes it takes seconds."""
OTHER_AFTER_S: Final = 120.0
"""How soon after us something else sets a charger to count as working against us, s: rules run each minute."""
OTHER_TIMES, OTHER_WITHIN_S = 3, 3600.0
"""How often, and within which time, s: once is a person at the charger's app."""
AHEAD_REPORTS, BEHIND_REPORTS = 3, 5
"""How many reports in a row have to say so. Data that is merely late is common in Tesla's cloud."""

UNSEEN_TIMES, SEEN_TIMES = 5, 2
"""How often in a row before a car counts as fed from elsewhere, and as fed from here after all."""

JUDGED_A: Final = 2.0
"""Currents from which on power is compared with them, A: below, both are mostly noise."""
LEAST_PART, MOST_PART = 0.1, 3.0
"""Parts of amps × volts between which power is believed: no house has a power factor of 0.1, and 1 is the most."""
LEAST_PART_OF_PHASES: Final = 1 / 300
"""The same of a total of several phases, which sun or a battery may bring near zero: only kW explain a thousandth."""
MISFIT_S, MISFIT_READINGS = 600.0, 10
"""How long and how often in a row power must not fit the current, or fit again, s."""


class Misfit(StrEnum):
    """How power does not fit the current."""

    TOO_SMALL = "too_small"
    """As if it were in kW."""
    TOO_LARGE = "too_large"
    """As if it were in mW, or of more phases than the current."""


class Lasting:
    """Something that counts once it lasted, and until it was over for a while."""

    def __init__(self, after_s: float, over_s: float = 0.0) -> None:
        self._after_s = after_s
        self._over_s = over_s
        self._since: float | None = None
        self._counts = False

    def look(self, is_so: bool, now: float) -> bool:
        """Return whether it counts, given whether it is so now, s."""
        if is_so == self._counts:
            self._since = None
        elif self._since is None:
            self._since = now
        if self._since is not None and now - self._since >= (self._over_s if self._counts else self._after_s):
            self._counts, self._since = is_so, None
        return self._counts


class SiteWatch:
    """The meter, and the house."""

    def __init__(self, *, was_heard: bool, now: float) -> None:
        """`was_heard` is whether the meter was heard in an earlier life: one that never was is still being built."""
        self._heard_at = now if was_heard else None
        self._frozen = Lasting(FROZEN_S)
        self._phases = Lasting(PHASE_SILENT_S)
        self._wrong = Lasting(WRONG_S)
        self._beyond_range = Lasting(BEYOND_RANGE_S, IN_RANGE_S)
        self._house = Lasting(OVER_BUDGET_S, WITHIN_BUDGET_S)

    def look(
        self,
        *,
        read_at: float | None,
        refused_at: float,
        is_beyond_range: bool,
        is_frozen: bool,
        is_partial: bool,
        is_wrong: bool,
        excess_amps: float,
        now: float,
    ) -> dict[str, bool]:
        """Return what is wrong by the key of its repair.

        The last reading and the last refused post came at `read_at` and `refused_at`. The meter says itself that more
        flows than it can show, or shows nothing of what a car does, or leaves out phases, or shows less than a car
        draws. The house alone exceeds the budget by `excess_amps`, -inf where nobody knows or cares.
        """
        heard_at = self._heard_at if read_at is None else read_at
        is_silent = heard_at is not None and now - heard_at >= SILENT_S
        is_refused = now - refused_at < SILENT_S
        return {
            "beyond_range": self._beyond_range.look(is_beyond_range, now),
            "meter_silent": is_silent and not is_refused,
            "meter_refused": is_silent and is_refused,
            "meter_frozen": self._frozen.look(is_frozen, now),
            "meter_wrong": self._wrong.look(is_wrong, now),
            "phase_silent": self._phases.look(is_partial, now),
            "house_over_budget": self._house.look(excess_amps > OVER_A, now),
        }


class PowerWatch:
    """The meter's power, held against its current: a sensor in kW is an easy slip, and control never looks at power."""

    def __init__(self) -> None:
        self.misfit: Misfit | None = None
        """What is wrong."""
        self.is_energy_wrong = False
        """Whether energy comes from that power: the meter has no counter of its own."""
        self._next: Misfit | None = None
        self._since = 0.0
        self._count = 0

    def add(self, reading: Reading) -> None:
        """Take a reading. Most are beyond doubt, and some prove nothing."""
        apparent = sum([abs(a) * v for a, v in zip(reading.amps, reading.volts, strict=True) if a is not None])
        known = reading.known
        if sum(map(abs, known)) <= JUDGED_A or min(known) < 0 < max(known):
            return  # what one phase imports and another exports is taken off each other
        part = abs(reading.watts) / apparent
        least = LEAST_PART if len(reading.amps) == 1 else LEAST_PART_OF_PHASES
        found = Misfit.TOO_SMALL if part < least else Misfit.TOO_LARGE if part > MOST_PART else None
        if found is self.misfit:
            self._count = 0
        elif found is not self._next or not self._count:
            self._next, self._since, self._count = found, reading.at, 1
        else:
            self._count += 1
            if self._count >= MISFIT_READINGS and reading.at - self._since >= MISFIT_S:
                self.misfit, self._count = found, 0
        self.is_energy_wrong = self.misfit is not None and reading.energy_wh is None

    def look(self) -> dict[str, bool]:
        """Return what is wrong by the key of its repair."""
        return {"watts_implausible": self.misfit is not None}


class WriterWatch:
    """Something else that sets a charger right after us, again and again."""

    def __init__(self) -> None:
        self.writer = ""
        """What it was called last; "" where nobody knows."""
        self._told_at = -inf
        self._changed_at: deque[float] = deque(maxlen=OTHER_TIMES)

    def told(self, now: float) -> None:
        """We set it."""
        self._told_at = now

    def add(self, writer: str | None, now: float) -> None:
        """Take who set it since, None where nobody did; what follows one setting of ours counts once."""
        if writer is not None and now - self._told_at <= OTHER_AFTER_S:
            self._changed_at.append(now)
            self._told_at, self.writer = -inf, writer

    def look(self, now: float) -> bool:
        """Return whether that goes on."""
        return len(self._changed_at) == OTHER_TIMES and now - self._changed_at[0] <= OTHER_WITHIN_S


class ChargerWatch:
    """A car: its clock, its sleep, and whether it hangs on this meter at all."""

    def __init__(self) -> None:
        self.writers = WriterWatch()
        self._gone = Lasting(GONE_S)
        self._deaf = Lasting(DEAF_S)
        self._asleep = Lasting(ASLEEP_S)
        self._lost = Lasting(PLACE_UNKNOWN_S)
        self._ahead = self._behind = 0
        self._measured_at = -inf
        self._steps = Steps()
        self._seen = self._unseen = 0
        self._is_elsewhere = False

    def woken(self) -> None:
        """Somebody woke it: it may take its time to say so."""
        self._asleep = Lasting(ASLEEP_S)

    def look(
        self, *, is_asleep: bool, is_lost: bool, is_gone: bool = False, is_deaf: bool = False, now: float
    ) -> dict[str, bool]:
        """Return what is wrong by the key of its repair.

        It sleeps although we paused it, or nobody knows where it is although it is plugged in, or something is gone
        through which it is read or commanded, or nothing comes of what it is told.
        """
        is_set_by_others, has_name = self.writers.look(now), bool(self.writers.writer)
        return {
            "asleep_while_paused": self._asleep.look(is_asleep, now),
            "clock_ahead": self._ahead >= AHEAD_REPORTS,
            "clock_behind": self._behind >= BEHIND_REPORTS,
            "commands_fail": self._deaf.look(is_deaf, now),
            "charger_entity_gone": self._gone.look(is_gone, now),
            "other_circuit": self._is_elsewhere,
            "other_writer": is_set_by_others and not has_name,
            "other_writer_known": is_set_by_others and has_name,
            "place_unknown": self._lost.look(is_lost, now),
        }

    def add_report(self, report: ChargerReport, readings: Sequence[Reading], *, is_alone: bool, now: float) -> None:
        """Take a report, and the readings of the last minutes.

        `is_alone` is whether all that moves the meter is the house and this car; a frozen meter is not moved at all.
        """
        self._look_at_clock(report, now)
        self.writers.add(report.other_writer, now)
        if (shown := self._steps.add(report, readings, is_alone=is_alone, now=now)) is None:
            return
        if shown.part <= UNSEEN_PART:
            self._seen, self._unseen = 0, self._unseen + 1
        elif shown.part >= SEEN_PART:
            self._seen, self._unseen = self._seen + 1, 0
        if self._unseen >= UNSEEN_TIMES:
            self._is_elsewhere = True
        elif self._seen >= SEEN_TIMES:
            self._is_elsewhere = False

    def _look_at_clock(self, report: ChargerReport, now: float) -> None:
        measured_at = now - report.age_s
        is_new = measured_at > self._measured_at + 1
        self._measured_at = measured_at
        self._ahead = self._ahead + 1 if report.age_s < -AHEAD_S else 0
        if report.age_s <= SUSPECT_S:
            self._behind = 0
        elif is_new and report.state.draws and not report.asleep:
            self._behind += 1
