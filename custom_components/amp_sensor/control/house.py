"""What the house itself draws on each phase, and what its supply has borne."""

from collections import deque
from collections.abc import Callable, Mapping

from .memory import HouseMemory
from .protection import PhaseLoad, Protection
from .reading import Reading

BRIDGE_S = 60.0
"""After a longer silence the house may have done anything meanwhile, s."""
NOISE, SMOOTHING = 0.03, 0.25
"""A change of the house by less than this part of a reading may be the noise of a 1 % sensor: of it, only this part is
believed at each reading. More is a step, and believed at once."""
PEAK_MINUTES = 60
"""How far back the house's peak is looked for when a safe current is needed, minutes: appliances run for an hour."""
LEARNED_AFTER = 3
"""So many readings in a row have to tell of more phases than are known: one odd post is no new phase."""
EXPORT_A = 0.5
"""What flows backwards by more than this is export, A: less is the noise of a sensor that knows the sign."""

type Bounds = tuple[float, float]
"""The least and the most that is drawn, A."""


class Phase:
    """One phase of the supply."""

    def __init__(self, memory: HouseMemory, load: PhaseLoad, now: float) -> None:
        self.memory = memory
        self.load = load
        self.read: float | None = None
        """What the meter said last, A; None before it said anything."""
        self.read_at = now
        """When that was, s; the beginning where it never said anything."""
        self.held_at = now
        """When it was that this current did flow, s: earlier where it said less since, and may have meant another."""
        self.told = 0.0
        """What the last reading said of it, A: more than `read` never, less where that may have meant another."""
        self.beyond_at: float | None = None
        """Since when more flows than the sensor can show, s: `read` is then the least that it can be."""
        self.amps = 0.0
        """The house's part of it, A."""
        self.beside: dict[str, float] = {}
        """The same if a charger whose phases nobody knows loads this one, A."""
        self.peaks = deque([0.0], maxlen=PEAK_MINUTES)
        """The house's highest of each of the last minutes, A."""

    def share(self, drawn: Bounds, unknown: Mapping[str, Bounds], *, exports: bool) -> None:
        """Tell the house's part of what was read last from the chargers'.

        What those draw that load it lies within `drawn`; what each of the others draws that may load it, in `unknown`.
        """
        if (read := self.read) is None:
            return
        self.amps = _part(self.amps, read, drawn, exports=exports)
        self.beside = {
            charger_id: _part(
                self.beside.get(charger_id, self.amps), read, (drawn[0] + low, drawn[1] + high), exports=exports
            )
            for charger_id, (low, high) in unknown.items()
        }

    def split(self, drawn: Mapping[str, Bounds]) -> dict[str, float]:
        """Tell what each charger that loads it draws of what was read last, within its bounds: the rest is the house's.

        Where several may have moved, each is taken to have gone the same part of its way, A.
        """
        low, high = sum([least for least, _ in drawn.values()]), sum([most for _, most in drawn.values()])
        rest = 0.0 if self.read is None else self.read - self.amps - low
        part = min(1.0, max(0.0, rest / (high - low))) if high > low else 0.0
        return {charger_id: least + part * (most - least) for charger_id, (least, most) in drawn.items()}


def _part(before: float, read: float, drawn: Bounds, *, exports: bool) -> float:
    """Return the house's part, which is taken to have changed as little as the meter allows.

    A house that never exported draws no less than nothing, whatever the chargers say.
    """
    low, high = drawn
    least = read - high if exports else max(0.0, read - high)
    most = read - low if exports else max(0.0, read - low)
    change = min(max(before, least), most) - before
    return before + (change * SMOOTHING if abs(change) < NOISE * abs(read) else change)


class House:
    """The phases of one supply. They are known by their place; those that are not told stay as they were."""

    def __init__(self, *, max_amps: float, protection: Protection, phases: int, now: float) -> None:
        """Expect so many phases; 0 learns them from the first reading."""
        self._max_amps = max_amps
        self._protection = protection
        self._expected = phases
        self.phases: list[Phase] = []
        self.exports = False
        """Whether it was ever seen to export."""
        self.is_complete = False
        """Whether the last reading told of every phase."""
        self._told_at = now
        """When it was, s."""
        self._more = 0
        self.shown_part = 1.0
        """Which part of what flows the meter shows, 0.3 to 1: all of it, unless a charger's steps tell otherwise."""
        self._peak_since = self._integrated_at = now
        self._reach(max(1, phases), now)

    def configure(self, *, max_amps: float, protection: Protection, phases: int) -> None:
        """Take new settings; what is known of the phases stays, and so does their heat."""
        self._max_amps, self._protection = max_amps, protection
        if phases:
            self._expected = phases
            del self.phases[phases:]
        for phase in self.phases:
            phase.memory.reach(max_amps)
            phase.load.configure(protection)
        self._reach(phases, self._integrated_at)

    def expect(self, phases: int) -> None:
        """Take it from a record how many phases there are, unless somebody told."""
        if not self._expected and 1 <= phases <= 3:
            self._expected = phases
            self._reach(phases, self._integrated_at)

    def _reach(self, phases: int, now: float) -> None:
        for _ in range(len(self.phases), phases):
            self.phases.append(Phase(HouseMemory(self._max_amps), PhaseLoad(self._protection), now))

    @property
    def expected(self) -> int:
        """How many phases are known; 0 before the first reading."""
        return self._expected

    @property
    def amps(self) -> tuple[float, ...]:
        """The house's part by phase, A."""
        return tuple([phase.amps for phase in self.phases])

    @property
    def read(self) -> tuple[float, ...]:
        """What the meter said last of each phase, A."""
        return tuple([phase.read or 0.0 for phase in self.phases])

    @property
    def is_beyond_range(self) -> bool:
        """Whether more flows on any phase than its sensor can show."""
        return any(phase.beyond_at is not None for phase in self.phases)

    @property
    def is_told(self) -> bool:
        """Whether the meter ever told of all phases."""
        return bool(self.phases) and all(phase.read is not None for phase in self.phases)

    def integrate(self, now: float) -> None:
        """Let what was read last flow until now."""
        if now == self._integrated_at:
            return
        for phase in self.phases:
            phase.load.integrate(phase.read or 0.0, now - self._integrated_at)
        self._integrated_at = now

    def add(self, reading: Reading, *, believable_amps: float) -> bool:
        """Take a reading; return whether anything of it can be believed. Call `share` after it."""
        told = [amps if amps is not None and abs(amps) < believable_amps else None for amps in reading.amps]
        self.is_complete = False
        if not any(amps is not None for amps in told):
            return False
        self._count(len(told), reading.at)
        self._told_at = reading.at
        # Which of its phases a shorter reading left out, nobody knows: nothing of it may make room
        is_short = len(told) < self._expected
        for number, shown in enumerate(told):
            phase = self.phases[number]
            if shown is None:
                continue
            self.exports = self.exports or shown < -EXPORT_A
            # What may flow
            amps = shown / self.shown_part if shown > 0 else shown
            if reading.doubt_amps:
                amps += reading.doubt_amps[number]
            was, phase.told = phase.read, amps
            phase.read = amps if was is None or not is_short else max(was, amps)
            phase.read_at = reading.at
            if number not in reading.beyond:
                phase.beyond_at = None
            elif phase.beyond_at is None:
                phase.beyond_at = reading.at
            if phase.read == amps:
                phase.held_at = reading.at
            if was is None:
                phase.amps = amps
        self.is_complete = not is_short and None not in told
        return True

    def _count(self, told: int, now: float) -> None:
        if not self._expected:
            self._expected = told
        self._more = self._more + 1 if told > self._expected else 0
        if self._more >= LEARNED_AFTER:
            self._expected, self._more = told, 0
        # What an odd post brought along goes with the next
        del self.phases[max(told, self._expected) :]
        self._reach(max(told, self._expected), now)

    def share(self, drawn: Callable[[int], Bounds], unknown: Mapping[str, Bounds]) -> None:
        """Tell the house's part of what was read last from the chargers', of each phase.

        Where a phase was not told last, its chargers may have changed since: what is known of its house stays. Where
        what was told may have meant another, the house draws no less than what the chargers leave of it.
        """
        for number, phase in enumerate(self.phases):
            if phase.held_at == self._told_at:
                phase.share(drawn(number), unknown, exports=self.exports)
            elif phase.read_at == self._told_at:
                phase.amps = max(phase.amps, phase.told - drawn(number)[1])

    def remember(self, now: float, held_s: float, *, was_blind: bool, patience_s: float = 0.0) -> None:
        """Learn from the house as it is from now on; what it was before held for `held_s`.

        For so long as `patience_s` a slow meter says nothing by its own habit.
        """
        bridged_s = max(BRIDGE_S, patience_s)
        is_new_minute = now - self._peak_since >= 60
        if is_new_minute:
            self._peak_since = now
        for phase in self.phases:
            if held_s > bridged_s or was_blind or phase.beyond_at is not None:
                phase.memory.interrupt(now)
            if is_new_minute:
                phase.peaks.append(phase.amps)
            phase.peaks[-1] = max(phase.peaks[-1], phase.amps)
            phase.memory.add(phase.amps, now, min(held_s, bridged_s))

    def forget_minute(self) -> None:
        """Take back what was taken for the house's, and was a charger's."""
        for phase in self.phases:
            phase.peaks[-1] = phase.amps
