"""Charging with what the roof gives: how much each charger may have of what would flow out to the grid.

What is left over is what flows out, and what these chargers draw already: −P + Σ drawn − reserve, W of all phases
together, as a meter that nets its phases counts it. What a home battery takes is not left over before it is full
enough; what it gives never is. Each watt is counted once: minima first, by priority, then what is left of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
import math

from .charger import ManagedCharger
from .controller import Controller
from .decision import Reason
from .meter import BRIDGED_GAP_S
from .reading import Reading
from .settings import ChargeWith
from .sharing import RANKS

EXPORT_W = 100.0
"""What flows out by more than this shows that the meter knows the sign, W: less is the noise of one that does."""
HOLD_S = 600.0
"""How long a charger that only takes surplus keeps its minimum while nobody knows the surplus, s."""
CUT_AS = 30.0
"""What is taken from the grid before a limit is lowered for it, A·s: an ampere for half a minute."""
RAISE_AS = 120.0
"""What is left unused before a limit is raised for it, A·s: two amperes for a minute."""
ALL_PHASES = 3
"""What a charger that can be switched has beside one."""
STARTS, START_EVERY_S = 3, 10800.0
"""Starts in a row for want of sun, and the time after which one more is allowed, s: six in a day of ten hours of sun,
and a car that was stopped about ten times may refuse to start."""

PHASES_UP_S = 900.0
"""How long enough for all phases must have been left over before a charger on one is stopped and switched, s: a quarter
of an hour, as contactors and cars bear it (`sharing.TURN_S`)."""
SWITCH_EVERY_S, SWITCH_S = 1800.0, 60.0
"""The shortest time between two switchings, s, and how long a charger stands after one before it starts, s: cars need
to notice that the phases changed, and some do not wake from it if that comes often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a home battery does. Raises ValueError where a number is not finite or out of range."""

    watts: float | None
    """What it takes, W; negative while it gives. None where it does not tell."""
    percent: float | None = None
    """How full it is, 0 to 100; None where it does not tell."""
    first_until_percent: float = 100.0
    """Until it is so full, what it takes is its own."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be decided on."""
        if self.watts is not None and not math.isfinite(self.watts):
            raise ValueError(f"watts must be finite, not {self.watts}")
        for name in ("percent", "first_until_percent"):
            if (value := getattr(self, name)) is not None and not 0 <= value <= 100:
                raise ValueError(f"{name} must be 0 to 100, not {value}")

    @property
    def left_over_watts(self) -> float:
        """What of its power the chargers may have, W; negative while it gives, which is nobody's surplus."""
        watts = self.watts or 0.0
        is_second = self.percent is not None and self.percent >= self.first_until_percent
        return watts if watts < 0 or is_second else 0.0


@dataclass(slots=True, kw_only=True)
class _Part:
    """How things stand with one charger."""

    is_on: bool = False
    amps: int = 0
    """The most that it may have, A."""
    enough_s: float = 0.0
    """For how long its minimum has been there while it stood."""
    short_s: float = 0.0
    """For how long half of its minimum has come from the grid while it was on, less for how long all of it was left
    over again: a tenth counts for a fifth of its time, all of it twice. So it is an energy at which it stops."""
    over_as: float = 0.0
    left_as: float = 0.0
    """What it took too much, and too little, since its limit was right, A·s."""
    steady: int = 0
    """The least that it could have had all that time, A."""
    more_s: float = 0.0
    """For how long there has been enough for all phases, while it charged on one."""
    is_switching: bool = False
    """Whether it was stopped to be switched to all phases."""
    switched_at: float = -math.inf
    starts: float = STARTS
    starts_at: float = -math.inf

    def starts_left(self, now: float) -> float:
        return min(float(STARTS), self.starts + (now - self.starts_at) / START_EVERY_S)

    def begin(self, amps: int) -> None:
        self.is_on, self.is_switching, self.amps = True, False, amps
        self.more_s = self.enough_s = self.short_s = self.over_as = self.left_as = 0.0

    def end(self) -> None:
        self.is_on, self.amps = False, 0
        self.enough_s = self.short_s = 0.0

    def follow(self, amps: float, least: int, most: int, seconds: float) -> None:
        """Move its limit towards what there is, `amps`, once that is worth a command."""
        whole = min(most, max(least, math.floor(amps)))
        self.amps = min(most, max(least, self.amps))
        if whole <= self.amps:
            self.left_as = 0.0
        if amps < self.amps:
            self.over_as += (self.amps - amps) * seconds
        else:
            self.over_as = max(0.0, self.over_as - (amps - self.amps) * seconds)
        if whole > self.amps:
            self.steady = whole if not self.left_as else min(self.steady, whole)
            self.left_as += (min(amps, most) - self.amps) * seconds
        if self.over_as >= CUT_AS and whole < self.amps:
            self.amps, self.over_as = whole, 0.0
        elif self.left_as >= RAISE_AS:
            self.amps, self.left_as = self.steady, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taker:
    """What a charger could take at this moment."""

    charger: ManagedCharger
    part: _Part
    amp_w: float
    """What an ampere of it comes to, W."""
    phases: int
    """On how many it is now."""
    least: int
    most: int

    @property
    def least_w(self) -> float:
        return self.least * self.amp_w

    @property
    def switches(self) -> bool:
        """Whether its phases follow the surplus: a minimum that is kept by night is kept on whatever it is on."""
        settings = self.charger.settings
        return settings.switches_phases and settings.charge_with is ChargeWith.SURPLUS_ONLY

    def amp_w_on(self, phases: int) -> float:
        """Return what an ampere comes to on so many phases, W."""
        return self.amp_w / self.phases * phases

    def wanted_phases(self, watts: float) -> int:
        """Return on how many phases it makes the most of `watts`."""
        if not self.switches:
            return self.phases
        return ALL_PHASES if watts >= self.least * self.amp_w_on(ALL_PHASES) else 1

    @property
    def rank(self) -> int:
        return RANKS[self.charger.settings.priority]

    @property
    def is_plus(self) -> bool:
        """Whether it keeps its minimum whatever there is."""
        return self.charger.settings.charge_with is ChargeWith.MINIMUM_PLUS_SURPLUS


class Surplus:
    """Tells the chargers of one site how much of the surplus each may have. It takes the time from outside."""

    def __init__(self, *, knows_sign: bool = False) -> None:
        self.knows_sign = knows_sign
        """Whether it is known which way power flows: the meter has shown that it flowed out, or somebody told."""
        self._parts: dict[str, _Part] = {}
        self._heard: set[str] = set()
        """The chargers that have told of themselves: what they do first, they did before we began."""
        self._whole: Reading | None = None
        """The last reading that told of every phase: of a part of them nobody knows what flows out in all."""
        self._read_at: float | None = None
        """When the last reading was that counted, s."""
        self._known_at: float | None = None
        self.switches: dict[str, int] = {}
        """The chargers that are to be switched now, and to how many phases each: they stand."""
        self.watts: float | None = None
        """What was left over at last, before any reserve, W; None while nobody knows, or asks."""

    def look(
        self, controller: Controller, *, now: float, batteries: Sequence[Battery] = ()
    ) -> dict[str, Mapping[Reason, int]]:
        """Return the rations of all chargers; call it whenever something happened, before the controller decides."""
        last = controller.meter.last
        self.switches = {}
        if controller.is_complete:
            self._whole = last
        self.knows_sign = self.knows_sign or controller.exports or (last is not None and last.watts < -EXPORT_W)
        if self._known_at is None:
            self._known_at = now
        told = {charger_id for charger_id, charger in controller.chargers.items() if charger.report is not None}
        new, self._heard = told - self._heard, told
        wishing = [each for each in controller.chargers.values() if each.settings.charge_with is not ChargeWith.GRID]
        if wishing and self.knows_sign:
            controller.trust_sign()  # a car that takes all that flows out is no reason to doubt the meter
        ours = [charger for charger in wishing if _may_charge(charger, controller, now)]
        for charger_id in self._parts.keys() - {charger.charger_id for charger in ours}:
            self._parts[charger_id].end()
        takers = [self._taker(controller, charger, is_new=charger.charger_id in new, now=now) for charger in ours]
        self.watts = watts = self._left_over(controller, wishing, batteries, now) if wishing else None
        if watts is not None and self._whole is not None:
            read_at = self._whole.at
            seconds = 0.0 if self._read_at is None else min(read_at - self._read_at, BRIDGED_GAP_S)
            self._read_at, self._known_at = read_at, now
            self._share(takers, watts, seconds, now)
        is_signless = last is not None and not self.knows_sign
        unknown = None if watts is not None else Reason.NO_SIGN if is_signless else Reason.SURPLUS_UNKNOWN
        rations: dict[str, Mapping[Reason, int]] = {charger_id: {} for charger_id in controller.chargers}
        rations |= {charger.charger_id: {Reason.WAITING_FOR_SURPLUS: 0} for charger in wishing}
        return rations | {taker.charger.charger_id: self._ration(taker, unknown, now) for taker in takers}

    def _taker(self, controller: Controller, charger: ManagedCharger, *, is_new: bool, now: float) -> _Taker:
        cap = charger.most(int(controller.settings.max_amps))
        least = charger.least(cap)
        part = self._parts.setdefault(charger.charger_id, _Part())
        is_plus = charger.settings.charge_with is ChargeWith.MINIMUM_PLUS_SURPLUS
        if not part.is_on and (is_plus or (is_new and charger.running)):
            part.begin((charger.running and charger.request) or least)  # goes on from what it has
        return _Taker(
            charger=charger,
            part=part,
            amp_w=_amp_watts(controller, charger),
            phases=(charger.report and charger.report.phases) or 1,
            least=least,
            most=max(least, charger.usable_amps(cap, now)),
        )

    def _left_over(
        self, controller: Controller, wishing: Iterable[ManagedCharger], batteries: Sequence[Battery], now: float
    ) -> float | None:
        """Return what is left over for these chargers together, W; None where nobody knows."""
        whole = self._whole
        is_told = self.knows_sign and all(battery.watts is not None for battery in batteries)
        is_doubted = controller.meter_wrong_at is not None or controller.frozen_at is not None
        if whole is None or not is_told or is_doubted:
            return None
        if now - whole.at >= max(BRIDGED_GAP_S, controller.meter.patience_s):
            return None
        drawn = controller.drawn(now)
        taken = 0.0
        for charger in wishing:
            by_phase = drawn.get(charger.charger_id)
            if by_phase is None:
                taken += charger.belief.low * _amp_watts(controller, charger)
            else:
                taken += sum(amps * volts for amps, volts in zip(by_phase, whole.volts, strict=False))
        return taken - whole.watts + sum(battery.left_over_watts for battery in batteries)

    def _share(self, takers: Sequence[_Taker], watts: float, seconds: float, now: float) -> None:
        """Share out what is left over: the minima of those that are on, by priority; then rank by rank.

        Who keeps its minimum whatever the sky does draws it before anybody else's surplus begins.
        """
        ordered = sorted(takers, key=lambda taker: (taker.rank, not taker.part.is_on))
        left = watts
        for taker in sorted((each for each in ordered if each.part.is_on), key=lambda taker: not taker.is_plus):
            self._look_for_end(taker, left, seconds)
            left -= taker.least_w
        for rank in dict.fromkeys(taker.rank for taker in ordered):
            equals = [taker for taker in ordered if taker.rank == rank]
            for taker in (each for each in equals if not each.part.is_on):
                # Those that matter less give up theirs for it
                giving = (each for each in ordered if each.part.is_on and each.rank > rank and not each.is_plus)
                later = sum(each.least_w for each in giving)
                if self._look_for_start(taker, left + later, seconds, now):
                    left -= taker.least_w
            for taker in (each for each in equals if each.part.is_on):
                reserve_w = taker.charger.settings.reserve_w
                more = (left - reserve_w) / taker.amp_w
                if self._look_for_more(taker, taker.least_w + left - reserve_w, seconds, now):
                    continue
                taker.part.follow(taker.least + more, taker.least, taker.most, seconds)
                left -= max(0, min(taker.most - taker.least, math.floor(more))) * taker.amp_w

    def _look_for_end(self, taker: _Taker, left: float, seconds: float) -> None:
        part, settings = taker.part, taker.charger.settings
        missing = (taker.least_w - (left - settings.reserve_w)) / taker.least_w
        if missing <= 0:
            part.short_s = max(0.0, part.short_s - seconds)
            return
        part.short_s += seconds * 2 * min(1.0, missing)  # what the house takes beyond is not for it
        if not taker.is_plus and part.short_s >= settings.stop_after_s:
            part.end()

    def _look_for_more(self, taker: _Taker, watts: float, seconds: float, now: float) -> bool:
        """Stop a charger on one phase, to be switched, once there has been enough for all of them for long."""
        part = taker.part
        is_more = taker.phases < taker.wanted_phases(watts)
        part.more_s = part.more_s + seconds if is_more else 0.0
        may_switch = now - part.switched_at >= SWITCH_EVERY_S and part.starts_left(now) >= 1
        if part.more_s < PHASES_UP_S or not may_switch:
            return False
        part.end()
        part.is_switching, part.enough_s = True, taker.charger.settings.start_after_s
        return True

    def _look_for_start(self, taker: _Taker, left: float, seconds: float, now: float) -> bool:
        """Return whether its minimum is there, and start it once that has lasted."""
        part, charger = taker.part, taker.charger
        watts = left - charger.settings.reserve_w
        wanted = taker.wanted_phases(watts)
        if watts < taker.least * taker.amp_w_on(wanted):
            part.enough_s = 0.0
            return False
        part.enough_s += seconds
        amps = min(taker.most, math.floor(watts / taker.amp_w))
        if charger.running:
            if amps >= taker.least and not part.is_switching:
                part.begin(amps)
        elif part.enough_s >= charger.settings.start_after_s and part.starts_left(now) >= 1:
            since_s = now - part.switched_at
            if wanted != taker.phases and since_s >= SWITCH_EVERY_S:
                if charger.belief.is_settled:  # it stands
                    part.switched_at = now
                    self.switches[charger.charger_id] = wanted
            elif since_s >= SWITCH_S and amps >= taker.least:
                part.starts, part.starts_at = part.starts_left(now) - 1, now
                part.begin(amps)
        return True

    def _ration(self, taker: _Taker, unknown: Reason | None, now: float) -> Mapping[Reason, int]:
        part = taker.part
        if unknown is None:
            return {Reason.SURPLUS: part.amps} if part.is_on else {Reason.WAITING_FOR_SURPLUS: 0}
        silent_s = now - (now if self._known_at is None else self._known_at)
        if not taker.is_plus and (unknown is Reason.NO_SIGN or silent_s > HOLD_S):
            part.end()
        if self._read_at is not None or unknown is Reason.NO_SIGN:
            part.amps = min(part.amps, taker.least)
        return {unknown: part.amps}


def _may_charge(charger: ManagedCharger, controller: Controller, now: float) -> bool:
    """Whether it would charge if it were told to; one that sleeps because of us, where it may be woken."""
    reason = charger.not_ours(controller.settings.mode, now)
    return reason is None or (reason is Reason.ASLEEP and charger.paused and charger.settings.may_wake)


def _amp_watts(controller: Controller, charger: ManagedCharger) -> float:
    """Return what an ampere of a charger comes to on all its phases, W."""
    last = controller.meter.last
    volts = (230.0,) if last is None else last.volts
    if (phases := controller.phases_of(charger.charger_id)) is not None:
        return sum(volts[phase - 1] if phase <= len(volts) else volts[0] for phase in phases)
    return volts[0] * ((charger.report and charger.report.phases) or 1)
