"""The controller of one site: readings, reports and acknowledgements in, decisions out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
import math
from typing import Any, TypedDict

from .asking import Asking
from .belief import Change
from .charger import ChargerRecord, ManagedCharger
from .charging import Action, ChargerReport, Command, Outcome
from .choice import QUIET_S, STOP_PART, STOP_S, Choice, View, choose
from .decision import Decision, Mode, Reason
from .doubt import MeterDoubt, least_shown
from .flows import Flows
from .house import House
from .learning import known_phases, phases_moved
from .limits import Budget, Claim, Clock, Limit, LimitSettings, Power, Reserved, SupplyLimit, binding, power_of, room
from .load import Strain
from .memory import Record, Risk, together
from .meter import SLOWEST_S, USUAL_INTERVAL_S, WINDOW_S, Meter
from .prices import OVER_A, PRICES, Prices, best_raise
from .protection import Protection
from .reading import Reading
from .rehearsal import LEAST_A, Rehearsal, Scene
from .restoring import restore
from .settings import ChargerSettings, SiteSettings, Supply
from .sharing import RANKS, Share, Sharing
from .steps import ShownPart, Steps

ADOPT_S = 60.0
"""For how long after the start nothing is raised, s: a minute shows whether the house is calm."""
PROTECT_AT = 0.5
"""The protection's load that nothing is planned beyond: half of its tolerance is left for what comes."""
PROVEN_S = 20.0
"""What the protection does not bear for so long cannot wait for the report that proves a stop, s: clouds renew theirs
every 15 s, and it takes up to five."""
LOWERABLE = (Reason.COMPLETE, Reason.SCHEDULED, Reason.STOPPED_BY_USER)
"""Why a charger is left alone although its limit may be lowered."""


class ControlRecord(TypedDict):
    """What has to survive a restart."""

    house: list[Record]
    """What was learned of each phase."""
    heat_a2: list[float]
    """How warm the protection of each phase is."""
    exports: bool
    chargers: dict[str, ChargerRecord]
    usual: dict[str, list[list[float] | None]]
    """What each charger usually can have."""


class Controller:
    """Decides for all chargers of one site. Every method is quick, never blocks, and takes the time from outside.

    Times are seconds on one monotonic clock of the caller's choice.
    """

    def __init__(self, settings: SiteSettings, *, now: float) -> None:
        self.settings = settings
        self.meter = Meter()
        self._rating_amps = settings.max_amps
        self._budget = Budget(max_amps=settings.max_amps)
        self._limits: tuple[Limit, ...] = (self._budget,)
        """What bounds the supply at this moment."""
        self._reserved: Sequence[float] = ()
        """What chargers keep free on each phase, A."""
        self._momentary: tuple[Limit, ...] = self._limits
        """Those of them that hold at each moment, not on average."""
        self.supply_limits: dict[str, SupplyLimit] = {}
        """What else than the budget may bound it, by an id, to look at only."""
        self._house = House(max_amps=settings.max_amps, protection=self._protection, phases=self._told_phases, now=now)
        self._chargers: dict[str, ManagedCharger] = {}
        self._doubt = MeterDoubt(now)
        self._asking = Asking()
        self._shown_part = ShownPart()
        self._steps: defaultdict[str, Steps] = defaultdict(Steps)
        self._sharing = Sharing()
        self._is_unread = False
        """Whether a charger told that it draws less than was believed, after the last reading."""
        self._started_at = now
        self.rehearsal: Rehearsal | None = None
        """The one that is under way."""

    # -- what comes in ------------------------------------------------------------------------------------------

    def configure(self, settings: SiteSettings, *, now: float) -> None:
        """Take new settings of the site, at once."""
        self._house.integrate(now)
        self.settings = settings
        self._rating_amps = max(self._rating_amps, settings.max_amps)
        self._budget = Budget(max_amps=settings.max_amps)
        self._house.configure(max_amps=settings.max_amps, protection=self._protection, phases=self._told_phases)
        self._bind(now)

    def set_charger(self, charger_id: str, settings: ChargerSettings, *, now: float) -> None:
        """Add a charger, or take new settings for one."""
        if charger := self._chargers.get(charger_id):
            charger.settings = settings
        else:
            self._chargers[charger_id] = ManagedCharger(charger_id, settings)

    def remove_charger(self, charger_id: str) -> None:
        """Forget a charger."""
        self._chargers.pop(charger_id, None)
        self._steps.pop(charger_id, None)

    def ration(self, charger_id: str, rations: Mapping[Reason, int]) -> None:
        """Let a charger have no more than each of `rations`, A, for its reason, until told otherwise; 0 pauses it.

        It moves by the same rules as within the budget: a raise is weighed, starts are bounded.
        """
        self._chargers[charger_id].rations = rations

    def limit(self, limits: Mapping[str, LimitSettings], clock: Clock, *, now: float) -> None:
        """Let the supply be bounded by these, by an id of each, beside its budget, until told otherwise."""
        for limit_id in self.supply_limits.keys() - limits.keys():
            del self.supply_limits[limit_id]
        for limit_id, settings in limits.items():
            if (known := self.supply_limits.get(limit_id)) is None:
                self.supply_limits[limit_id] = SupplyLimit(limit_id, settings, clock, now)
            else:
                known.set(settings, clock, now)

    def add_reading(self, reading: Reading) -> None:
        """Take a reading; call `decide` right after."""
        now, last = reading.at, self.meter.last
        was_doubted, was_wrong = self._doubt.since is not None, self.meter_wrong_at is not None
        self._house.integrate(now)
        before = self._house.amps
        self.meter.add(reading)
        if not self._house.add(reading, believable_amps=self._protection.opens_at_once_amps):
            return
        self._doubt.add(reading, last)
        if last is not None:
            self._witness(before, now)
        self._share(now)
        self._count_import(reading)
        self._bind(now)  # it may be of more phases than the one before
        loads = self._loaded
        self._doubt.compare(self._house, self._chargers, loads, now)
        self._doubt.look_at_sign(self._house, now)
        if self.meter_wrong_at is not None and not was_wrong:
            self._doubt_learned(loads, now)
        self._believe_stops(loads, now)
        self._asking.add(max(self._house.read), now)
        is_seen_again = was_doubted and self._doubt.since is None
        self._house.remember(
            now,
            0.0 if last is None else now - last.at,
            was_blind=is_seen_again,
            patience_s=self.meter.patience_s,
        )

    def _count_import(self, reading: Reading) -> None:
        """Let the limits have what a reading tells of all phases together."""
        if self.supply_limits and self._house.is_complete and not self._house.is_beyond_range:
            watts, house = power_of(reading), self._power(self._house.amps) + self._beside_watts
            for limit in self.supply_limits.values():
                limit.add(watts, house, reading.at, holds_s=self._quiet_s)

    def _believe_stops(self, loads: Mapping[str, Sequence[int] | None], now: float) -> None:
        """See from the meter that a stop came which a cloud does not show; where sun comes in too, it shows nothing."""
        if self._house.exports or not self._house.is_complete or self._house.is_beyond_range:
            return
        for charger_id, charger in self._chargers.items():
            phases = self._all_phases if (known := loads[charger_id]) is None else known
            shown = max(self._house.read[phase] for phase in phases)
            if charger.stands_after_all(least_shown, shown, now):
                self._share(now)

    def _doubt_learned(self, loads: Mapping[str, Sequence[int] | None], now: float) -> None:
        """Where phases were only learned, doubt those before the meter, which the next reading may accuse again."""
        for charger_id, charger in self._chargers.items():
            if charger.learned and charger.settings.phases is None and loads[charger_id] == charger.learned:
                charger.learned = self._doubt.wrong_at = None
        self._share(now)

    def _witness(self, house: Sequence[float], now: float) -> None:
        """Hold what the meter shows against the changes under way; `house` is what was known of it before."""
        read = self._house.read
        for charger in self._chargers.values():
            if not (change := charger.belief.change):
                continue
            known = self._known_phases(charger)
            if known is None:
                if not (change.is_cut or self._is_alone(charger, change)):
                    continue  # it would take another's rise for its own, and the house for lower than it is
                steps = [after - before for after, before in zip(read, change.before, strict=False)]
                seen = [change.start + (min(steps) if change.is_cut else max(steps))]
            else:
                seen = [
                    read[phase] - house[phase] - self._drawn_by_others(charger, phase, now)
                    for phase in known
                    if phase < len(house) and self._house.phases[phase].held_at == now
                ]
            bearing = range(len(self._house.phases)) if known is None else known
            if not seen or any(self._house.phases[phase].beyond_at is not None for phase in bearing):
                continue  # what lies beyond the sensor's range hides a change
            charger.belief.witness(change, seen, now)
            moved = self._moved(charger, change)
            if charger.belief.change is None:
                charger.settled(change, now)
                charger.learn(moved)
                self._look_for_reversed(charger, change, now)
            elif moved and known == charger.learned and charger.belief.is_overdue(now):
                # It did as told, but not where it was looked for
                charger.learned = moved
                charger.belief.settle(change.to, change.to)
                charger.settled(change, now)

    def _moved(self, charger: ManagedCharger, change: Change) -> tuple[int, ...] | None:
        """Return the phases on which a change shows by now; None where that is not clear, or others moved as well."""
        is_clear = self._house.is_complete and self._is_alone(charger, change)
        return phases_moved(change, self._house.read) if is_clear else None

    def _look_for_reversed(self, charger: ManagedCharger, change: Change, now: float) -> None:
        """See from a step that has ended, or must have, whether the meter shows it the right way round."""
        if self._is_alone(charger, change):
            self._doubt.look_for_reversed(self._house, change, self._known_phases(charger), now)

    def _others_move(self, charger: ManagedCharger, now: float) -> bool:
        """Whether another is about to: not one that cannot be told, or does nothing of it, maybe for a whole night."""
        others = (other for other in self._chargers.values() if other is not charger)
        return any(other.belief.change and other.is_waited_for(now) for other in others)

    def _is_alone(self, charger: ManagedCharger, change: Change) -> bool:
        """Whether nobody else has moved meanwhile."""
        return all(
            other.belief.change is None and other.settled_at < change.sent_at
            for other in self._chargers.values()
            if other is not charger
        )

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a charger says of itself."""
        charger = self._chargers[charger_id]
        was_drawing, change = charger.belief.high, charger.belief.change
        charger.add_report(report, now, is_watched=self._house.is_complete)
        self._look_at_steps(charger, report, now)
        if change and charger.belief.change is None:
            if not self._house.is_beyond_range:
                self._doubt.look_for_obeyed(change, charger.accepted_at, self.meter.last)
            if moved := self._moved(charger, change):
                charger.learn(moved)
            self._look_for_reversed(charger, change, now)
        if charger.belief.low > was_drawing and self._house.is_told:
            # Until now, what it draws more was taken for the house's
            self._share(now)
            self._house.forget_minute()
        elif charger.belief.high < was_drawing:
            self._is_unread = True  # what was taken for its own may be the house's: the next reading tells

    def _look_at_steps(self, charger: ManagedCharger, report: ChargerReport, now: float) -> None:
        """Hold the steps that a charger tells of against the meter: where it shows a part, it shows that of everything.

        The same part of several steps, up and down, is no chance: its factor is wrong, or it sits on one of two cables.
        """
        others = (other for other in self._chargers.values() if other is not charger)
        is_alone = self.frozen_at is None and all(other.belief.bounds(now)[1] == 0 for other in others)
        is_evidence = charger.settings.profile.report_is_evidence
        shown = self._steps[charger.charger_id].add(
            report, self.meter.since(now - WINDOW_S), is_alone=is_alone and is_evidence, now=now
        )
        if shown is not None and not self._house.exports:
            self._shown_part.add(shown)
            self._house.shown_part = self._shown_part.part

    def acknowledge(
        self,
        command: Command,
        outcome: Outcome,
        *,
        now: float,
        retry_after_s: float = 0.0,
        needs_person: bool = False,
    ) -> None:
        """Take the end of the command in flight.

        No command goes to its charger for `retry_after_s`, but for a cut after two minutes. What only a person can fix
        is tried again every quarter of an hour, a cut every minute.
        """
        if charger := self._chargers.get(command.charger_id):
            charger.acknowledge(command, outcome, now, retry_after_s=retry_after_s, needs_person=needs_person)
        if self.rehearsal is not None:
            self.rehearsal.take_answer(command, outcome, now)

    def record(self) -> ControlRecord:
        """Return what has to survive a restart, as JSON holds it."""
        return {
            "house": [phase.memory.record() for phase in self._house.phases],
            "heat_a2": [round(phase.load.heat_a2, 2) for phase in self._house.phases],
            "exports": self._house.exports,
            "chargers": {charger_id: charger.record() for charger_id, charger in self._chargers.items()},
            "usual": {charger_id: charger.usual.record() for charger_id, charger in self._chargers.items()},
        }

    def restore(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """Go on from a record, after the chargers are set and before their first reports; return what was unreadable.

        It may be of any age or state: what cannot be read is left out.
        """
        return restore(record, self._house, self._chargers)

    # -- rehearsing ---------------------------------------------------------------------------------------------

    def rehearse(self, charger_id: str, *, now: float) -> Rehearsal:
        """Begin to rehearse with a charger, instead of any rehearsal before; call `look_at_rehearsal` from now on."""
        self.end_rehearsal()
        self.rehearsal = Rehearsal(self._chargers[charger_id], now)
        return self.rehearsal

    def end_rehearsal(self) -> None:
        """End the rehearsal that is under way, if any: its charger is controlled as before."""
        if (rehearsal := self.rehearsal) is not None:
            rehearsal.end()
            rehearsal.charger.rehearsed = None
            self.rehearsal = None

    def look_at_rehearsal(self, *, now: float) -> None:
        """Let the rehearsal go on; call `decide` right after."""
        if (rehearsal := self.rehearsal) is None:
            return
        rehearsal.look(self._scene(rehearsal.charger, now), now)
        rehearsal.charger.rehearsed = rehearsal.most_amps
        if rehearsal.is_over:
            self.rehearsal = None

    def _scene(self, charger: ManagedCharger, now: float) -> Scene:
        obstacle = Reason.OFF if self.settings.mode is Mode.MONITOR else charger.not_ours(self.settings.mode, now)
        if obstacle is None and charger.is_blocked(now):
            obstacle = Reason.BLOCKED
        delay: Reason | None = Reason.METER_SILENT
        least, silent = charger.settings.min_amps, Reason.METER_SILENT
        if obstacle is Reason.NO_REPORT:
            obstacle, delay = None, obstacle
        elif obstacle is None and self._house.is_told:
            view = self._view(charger, self._flows(now), {}, now)
            least, silent, delay = view.least, view.silent, self._delay(charger, view, now)
        return Scene(
            obstacle=obstacle,
            delay=delay,
            least=least,
            read=self._house.read,
            read_at=self.meter.last.at if self.meter.last else -math.inf,
            silent=silent,
        )

    def _delay(self, charger: ManagedCharger, view: View, now: float) -> Reason | None:
        """Say why a rehearsal cannot begin yet."""
        delays = (
            (view.is_quiet, view.silent),
            (view.is_adopting, Reason.ADOPTING),
            (not charger.running, Reason.PAUSED),
            (charger.in_flight or now < charger.not_before or not charger.belief.is_settled, Reason.SETTLING),
            (view.fit < view.least, Reason.NO_HEADROOM),
            (charger.starts_left(now) < 1, Reason.STARTS_EXHAUSTED),
            (charger.writes_left(now) < 1, Reason.WRITES_EXHAUSTED),
            (charger.belief.high < LEAST_A, Reason.NOT_USED),
        )
        return next((reason for is_in_the_way, reason in delays if is_in_the_way), None)

    # -- what is known ------------------------------------------------------------------------------------------

    @property
    def phases(self) -> int:
        """How many phases the site is known to have; 0 before its first reading."""
        return self._house.expected

    @property
    def house(self) -> tuple[float, ...]:
        """Current without the managed chargers by phase, A; negative where more comes from the roof."""
        return self._house.amps if self._house.is_told else ()

    def house_current(self) -> float | None:
        """Current without the managed chargers, A, highest phase; None before the first reading."""
        return max(self.house, default=None)

    @property
    def exports(self) -> bool:
        """Whether the meter ever showed that current flows out: only then it is known to tell which way it flows."""
        return self._house.exports

    def trust_sign(self) -> None:
        """Take it that the meter tells which way current flows, although no phase has shown it: somebody told."""
        self._house.exports = True

    def drawn(self, now: float) -> dict[str, tuple[float, ...]]:
        """Return what each charger draws of the last reading, A by phase; not of those whose phases nobody knows."""
        bounds = {each.charger_id: each.belief.bounds(now) for each in self._chargers.values()}
        loads = self._loaded
        parts = [
            phase.split({each: bounds[each] for each, phases in loads.items() if phases and number in phases})
            for number, phase in enumerate(self._house.phases)
        ]
        return {
            charger_id: tuple([part.get(charger_id, 0.0) for part in parts])
            for charger_id, phases in loads.items()
            if phases is not None
        }

    @property
    def chargers(self) -> Mapping[str, ManagedCharger]:
        """The chargers by their id, to look at only."""
        return self._chargers

    def is_deaf(self, charger_id: str, *, now: float) -> bool:
        """Whether something is wanted of a charger that is ours to command, and nothing comes of what it is told."""
        charger = self._chargers[charger_id]
        if self._doubt.since is not None and not charger.is_failing:
            return False  # a meter that is not believed shows nothing of it either
        return charger.not_ours(self.settings.mode, now) is None and charger.is_deaf(now)

    @property
    def frozen_at(self) -> float | None:
        """Since when the meter shows nothing of what it must show, s; None while it shows what it should."""
        return self._doubt.frozen_at

    @property
    def meter_wrong_at(self) -> float | None:
        """Since when the meter shows less than a charger draws, or what it draws the wrong way round, s."""
        return self._doubt.reversed_at if self._doubt.wrong_at is None else self._doubt.wrong_at

    @property
    def shown_part(self) -> float:
        """Which part of what flows the meter shows, by the steps of chargers, 0.3 to 1."""
        return self._house.shown_part

    @property
    def is_complete(self) -> bool:
        """Whether the last reading told of every phase that is known."""
        return self._house.is_complete

    def silent_phases(self, now: float) -> tuple[int, ...]:
        """Return the numbers, from 1, of the phases that are not told any more while others are."""
        quiet_s, last = self._quiet_s, max(phase.read_at for phase in self._house.phases)
        return tuple(number for number, phase in enumerate(self._house.phases, 1) if last - phase.read_at > quiet_s)

    def phases_of(self, charger_id: str) -> tuple[int, ...] | None:
        """Return the numbers, from 1, of the phases that a charger loads: told, reported or learned; None: unknown."""
        known = self._known_phases(self._chargers[charger_id]) if self._house.expected else None
        return None if known is None else tuple(phase + 1 for phase in known)

    def fits(self, charger_id: str, *, now: float) -> tuple[int, int] | None:
        """Return the whole amps that a charger could have beside the house alone, and beside the others too.

        By the limits and its own settings, whatever its rations are; None before the house is known.
        """
        if not self._house.is_told:
            return None
        charger, loads = self._chargers[charger_id], self._loads(charger_id)
        most = min(charger.settings.max_amps, int(self.settings.max_amps))
        alone = [phase.beside.get(charger_id, phase.amps) for phase in self._house.phases]
        beside = (alone, self._flows(now).beside(charger))
        margin_amps = PRICES.get(self.settings.mode, PRICES[Mode.BALANCED]).margin_amps  # while it is off, as it begins
        amps = [min(most, math.floor(room(self._limits, each, loads) - margin_amps)) for each in beside]
        by_house, by_all = [each if each >= charger.least(most) else 0 for each in amps]
        return by_house, by_all

    @property
    def paused(self) -> list[str]:
        """The chargers that stand still because of us."""
        return [charger_id for charger_id, charger in self._chargers.items() if charger.paused]

    @property
    def protection_load(self) -> float:
        """How near the protection is to opening, 0 (cold) to 1 (opens), of the worst phase."""
        return max([phase.load.load for phase in self._house.phases])

    def reserve(self, amps: Sequence[float]) -> None:
        """Let chargers keep so much free on each phase, A, for loads that are to come back; nothing keeps nothing."""
        self._reserved = amps

    def strain(self, now: float) -> Strain:
        """Return how much the supply bears now: what loads are judged by. Call it after `decide`."""
        flows, phases = self._flows(now), self._house.phases
        giving = [charger for charger in self._ours(now) if not charger.is_blocked(now)]
        silence_s = self._silence_s(self._all_phases, now)
        return Strain(
            house=self._house.amps,
            read=self._house.read,
            kept=flows.without(giving),
            limits=[limit for limit in self._limits if not isinstance(limit, Reserved)],
            read_at=self.meter.last.at if self.meter.last else -math.inf,
            silence_s=silence_s,
            interval_s=self.meter.interval_s,
            is_known=self._house.is_told and silence_s <= self._quiet_s and not self._doubt.is_low,
            bears_s=lambda phase, amps: phases[phase].load.tolerated_s(amps, PROTECT_AT),
            opens_s=lambda phase, amps: phases[phase].load.tolerated_s(amps, 1.0),
            heat=[phase.load.load for phase in phases],
            claims=self._claims(now),
        )

    def _claims(self, now: float) -> list[Claim]:
        if not self.supply_limits:
            return []
        volts, beside = self._volts, self._beside_watts
        claims = [limit.claim(limit_id, volts, beside, now) for limit_id, limit in self.supply_limits.items()]
        return [claim for claim in claims if claim is not None]

    def reports_wanted(self, now: float) -> tuple[str, ...]:
        """Return the chargers whose report is needed now: something draws that none of them told of."""
        excess = max(self._house.read) - self.settings.max_amps
        return self._asking.wanted(self._chargers.values(), excess, now)

    # -- what goes out ------------------------------------------------------------------------------------------

    def decide(self, *, now: float) -> tuple[Decision, ...]:
        """Decide for every charger. A decision with a command puts that command in flight until `acknowledge`."""
        self._house.integrate(now)
        for charger in self._chargers.values():
            if charger.in_flight:
                charger.stop_waiting(now, self._bears_s(charger))
        self._bind(now)
        flows = self._flows(now)
        shares = self._shares(flows, now)
        decisions = {}
        last: ManagedCharger | None = None
        for charger in self._by_turn(flows):
            if last is not None:
                flows.renew(last)
            decisions[charger.charger_id] = self._decide(charger, flows, shares, now)
            last = charger
        return tuple(decisions[charger_id] for charger_id in self._chargers)

    def _bind(self, now: float) -> None:
        """See what bounds the supply at this moment."""
        own: tuple[Limit, ...] = (self._budget,)
        if len(self._reserved) >= len(self._house.phases):
            own = (self._budget, Reserved(max_amps=self._budget.max_amps, amps=self._reserved))
        if not self.supply_limits:
            self._limits = self._momentary = own
            return
        volts, beside = self._volts, self._beside_watts
        others = [limit.bound(volts, beside, now) for limit in self.supply_limits.values()]
        self._limits = (*own, *(limit for limit in others if limit is not None))
        self._momentary = tuple(limit for limit in self._limits if not limit.is_averaged)

    @property
    def _volts(self) -> tuple[float, ...]:
        """Of every phase; of one that was not told, those of the first, V."""
        told = self.meter.last.volts if self.meter.last else (1.0,)
        return (*told, *told[:1] * len(self._house.phases))[: len(self._house.phases)]

    def _power(self, amps: Sequence[float]) -> float:
        return sum(each * volts for each, volts in zip(amps, self._volts, strict=True))

    @property
    def _beside_watts(self) -> float:
        """By how much the meter's power differs from what its amps come to, W; 0 where it did not tell of all."""
        last = self.meter.last
        return 0.0 if last is None or not self._house.is_complete else power_of(last) - self._power(self._house.read)

    def release(self, charger_id: str, *, now: float) -> Command | None:
        """Return the next command that gives a charger back as it was, where that is safe; else nothing.

        For when control of it has ended, whatever the mode says by then: its maximum, and what we paused runs again
        with what fits. A command is in flight until `acknowledge`; then ask again.
        """
        charger = self._chargers[charger_id]
        if charger.out_of_reach(now) or self._is_unsure(charger, now):
            return None
        self._bind(now)
        request, cap = charger.request or 0, charger.most(int(self.settings.max_amps))
        free = room(self._limits, self._flows(now).beside(charger, committed=True), self._loads(charger_id))
        fits = min(cap, math.floor(free))
        command: Command | None = None
        if charger.running:
            if request < cap <= fits:
                command = Command(charger_id=charger_id, action=Action.SET_AMPS, amps=cap)
        elif fits >= charger.least(cap):
            # One below what fits is as good: a house that wavers would have it told again and again.
            if fits - 1 <= request <= fits:
                command = Command(charger_id=charger_id, action=Action.START)
            else:
                command = Command(charger_id=charger_id, action=Action.SET_AMPS, amps=fits)
        if command and charger.is_too_soon(command, now):
            return None
        if command:
            charger.send(command, now, self._house.read)
        return command

    def _is_unsure(self, charger: ManagedCharger, now: float) -> bool:
        """Whether nobody knows what it may be given for good now, or a command is to wait."""
        waits = charger.in_flight or now < charger.not_before or not charger.belief.is_settled
        return bool(waits) or not self._house.is_told or self._silence_s(self._all_phases, now) > QUIET_S

    def _decide(self, charger: ManagedCharger, flows: Flows, shares: Mapping[str, Share], now: float) -> Decision:
        monitoring = self.settings.mode is Mode.MONITOR
        if reason := charger.not_ours(self.settings.mode, now):
            if reason is Reason.ASLEEP and not monitoring and self._wakes(charger, flows, shares, now):
                return self._wake(charger, now)
            return self._leave(charger, reason, flows, now)
        if charger.paused and (command := self._lower_unasked(charger, flows, now)):
            return Decision(at=now, charger_id=charger.charger_id, target=0, reason=Reason.OVER_BUDGET, command=command)
        kept, read_at = charger.target, self.meter.last.at if self.meter.last else -math.inf
        if not self._house.is_beyond_range:  # where a sensor stands at its end
            self._doubt.look_for_change(charger, read_at)
        change = charger.belief.change
        if change and charger.belief.is_overdue(read_at):
            self._look_for_reversed(charger, change, now)
        # A cut cannot be seen before a slow meter speaks again; one that posts every ten seconds is waited for anyway
        interval_s = min(self.meter.interval_s, SLOWEST_S)
        lag_s = interval_s - USUAL_INTERVAL_S if interval_s > 2 * USUAL_INTERVAL_S else 0.0
        charger.hurry(now, self._bears_s(charger))
        resend = charger.look(now, read_at, lag_s=lag_s)
        view = self._view(charger, flows, shares, now)
        if charger.stop_is_unproven and not monitoring and view.tolerated_s(0.0) < PROVEN_S:
            resend = charger.doubt_stop(now)
        if charger.is_blocked(now) or charger.cut_waits_s(now):
            charger.drop_cut(view.room)
        choice = choose(view)
        charger.chosen_at, charger.is_held = now, choice.reason is Reason.MINIMUM
        if resend and choice.target <= kept:
            choice = Choice(choice.target, Reason.RESENT, choice.numbers)
        charger.target = choice.target
        if wait_s := charger.cut_waits_s(now):
            choice = self._bear(charger, view, choice, wait_s)
            charger.target = choice.target
        command = None if monitoring else charger.next_command(now)
        if command:
            charger.send(command, now, self._house.read)
        elif monitoring:
            charger.target = kept
        if not command and (charger.is_blocked(now) or charger.is_refusing(now)) and choice.target >= kept:
            choice = Choice(choice.target, Reason.BLOCKED)
        return Decision(
            at=now,
            charger_id=charger.charger_id,
            target=choice.target,
            reason=choice.reason,
            # Of one that may have nothing for now, what it might: 0 says that it is not ours
            cap=self._cap(charger) or charger.most(int(self.settings.max_amps)),
            numbers=choice.numbers,
            command=command,
        )

    def _bears_s(self, charger: ManagedCharger) -> float:
        """Return for how long the protection bears what flows on a charger's phases, s."""
        phases = [self._house.phases[number] for number in self._loads(charger.charger_id)]
        return min(phase.load.tolerated_s(phase.read or 0.0, PROTECT_AT) for phase in phases)

    def _bear(self, charger: ManagedCharger, view: View, choice: Choice, wait_s: float) -> Choice:
        """Bear what flows until a cut may be sent, or stop the charger where the protection does not: a stop may go."""
        drawn = charger.belief.bounds(view.now)[1]
        if view.tolerated_s(drawn) >= wait_s + charger.latency_s:
            return Choice(choice.target, Reason.WRITE_TOO_SOON, choice.numbers)
        return Choice(0, Reason.PAUSED, choice.numbers)

    def _wakes(self, charger: ManagedCharger, flows: Flows, shares: Mapping[str, Share], now: float) -> bool:
        """Whether a car that fell asleep while we had paused it is to be woken: where it would be started."""
        if not charger.may_be_woken(now):
            return False
        choice = choose(self._view(charger, flows, shares, now))
        return choice.target > 0 and choice.reason is Reason.STARTED

    def _wake(self, charger: ManagedCharger, now: float) -> Decision:
        charger.woken_at = now
        command = Command(charger_id=charger.charger_id, action=Action.WAKE)
        return Decision(at=now, charger_id=charger.charger_id, target=0, reason=Reason.WOKEN, command=command)

    def _leave(self, charger: ManagedCharger, reason: Reason, flows: Flows, now: float) -> Decision:
        """Leave alone what is not ours, but for the limit of a car that draws without charging."""
        if charger.running:
            charger.target = charger.target if charger.request is None else charger.request
        else:
            charger.target = 0
        command = self._lower_unasked(charger, flows, now) if reason in LOWERABLE else None
        return Decision(
            at=now,
            charger_id=charger.charger_id,
            target=command.amps if command else 0,
            reason=Reason.OVER_BUDGET if command else reason,
            command=command,
        )

    def _lower_unasked(self, charger: ManagedCharger, flows: Flows, now: float) -> Command | None:
        """Lower the limit of a car that draws without charging (it heats its cabin), where the site is over."""
        if not charger.draws_unasked or self.settings.mode is Mode.MONITOR or not self._house.is_told:
            return None
        charger.look(now, -math.inf)
        left = room(self._limits, flows.beside(charger), self._loads(charger.charger_id))
        command = Command(
            charger_id=charger.charger_id, action=Action.SET_AMPS, amps=max(charger.floor, math.floor(left))
        )
        is_due = charger.expected_amps - left > OVER_A and charger.is_cut(command)
        waits = charger.in_flight or now < charger.no_cut_before or charger.is_too_soon(command, now)
        if not is_due or waits:
            return None
        charger.send(command, now, self._house.read)
        return command

    # -- what bears on a charger --------------------------------------------------------------------------------

    def _view(self, charger: ManagedCharger, flows: Flows, shares: Mapping[str, Share], now: float) -> View:
        loads = self._loads(charger.charger_id)
        flowing, lasting = flows.beside(charger), flows.beside(charger, committed=True)
        phases = self._house.phases
        cap = self._cap(charger)
        bound = binding(self._limits, flowing, loads)
        share = shares.get(charger.charger_id, Share(cap))
        silence_s, quietest_s = self._silence_s(loads, now), self._silence_s(self._all_phases, now)
        return View(
            now=now,
            charger=charger,
            prices=self._prices.of(charger.settings.profile),
            budget_amps=self.settings.max_amps,
            house_amps=self.settings.max_amps - self._budget.room(flowing, loads),
            cap=cap,
            rationed_by=self._rationed_by(charger),
            bound_by=bound.reason,
            bound_numbers=bound.numbers,
            momentary_room=room(self._momentary, flowing, loads),
            bearable_room=min(limit.bearable(flowing, loads) for limit in self._limits),
            share=share.amps,
            slack=share.slack,
            has_phases=self._known_phases(charger) is not None,
            is_hidden=self._is_unread or (self._known_phases(charger) is None and self._others_move(charger, now)),
            kept=self._kept(charger, share) if charger.charger_id in shares else 0,
            must_share=share.must_share,
            may_turn=share.may_turn,
            room=room(self._limits, flowing, loads),
            free=room(self._limits, lasting, loads),
            safe_room=lambda: room(self._limits, self._highest(flowing), loads),
            house_is_over=lambda: room(self._limits, self._house.amps, loads) < 0,
            is_adopting=now - self._started_at < ADOPT_S,
            patience_s=self.meter.patience_s,
            silence_s=silence_s,
            beyond_s=self._beyond_s(loads, now),
            silent=self._silent_reason(quietest_s, now),
            is_quiet=quietest_s > self._quiet_s or not self._house.is_complete or self._doubt.is_low,
            is_known=all(phases[phase].read is not None for phase in loads),
            tolerated_s=lambda amps: min(
                [phases[phase].load.tolerated_s(flowing[phase] + amps, PROTECT_AT) for phase in loads]
            ),
            returns=lambda excess: self._returns(loads, flowing, excess, now),
            risk=lambda amps, at: self._risk(loads, lasting, amps, at),
        )

    def _kept(self, charger: ManagedCharger, share: Share) -> int:
        """Return what it keeps although too much flows, A: its part, but its least beside one that gives up no more."""
        loads = set(self._loads(charger.charger_id))
        held = [each.charger_id for each in self._chargers.values() if each.is_held and each.running]
        if any(loads.intersection(self._loads(charger_id)) for charger_id in held):
            return min(share.amps, charger.least(self._cap(charger)))
        return share.amps

    def _highest(self, flowing: Iterable[float]) -> list[float]:
        """Return what flows on each phase if the house draws what it did in its highest minute of the last hour, A."""
        return [
            amps - min(amps, phase.amps) + max(phase.peaks)
            for amps, phase in zip(flowing, self._house.phases, strict=True)
        ]

    def _returns(self, loads: Sequence[int], flowing: Sequence[float], excess: float, now: float) -> int:
        """Return how often the phase with the least room went lately where `excess` would be missing, A."""
        phase = self._house.phases[min(loads, key=lambda number: self._budget.room(flowing, (number,)))]
        return phase.memory.returns(phase.amps - excess, now)

    def _risk(self, loads: Sequence[int], flowing: Sequence[float], amps: float, at: float) -> Risk | None:
        """Return what the house threatens beside what flows and `amps` more; None while it does not even fit.

        A window of the clock is threatened by no step: what it takes is made up for until its end.
        """
        taken = amps + self._prices.margin_amps

        def beside(number: int) -> list[float]:
            return [each + taken if phase in loads and phase != number else each for phase, each in enumerate(flowing)]

        return together(
            phase.memory.risk(phase.amps + room(self._momentary, beside(number), (number,)) - taken, at)
            for number, phase in enumerate(self._house.phases)
            if number in loads
        )

    def _flows(self, now: float) -> Flows:
        return Flows(self._house, self._chargers.values(), self._loaded, self._ours(now), now)

    def _ours(self, now: float) -> list[ManagedCharger]:
        return [each for each in self._chargers.values() if each.not_ours(self.settings.mode, now) is None]

    def _shares(self, flows: Flows, now: float) -> dict[str, Share]:
        """Return the parts of those who can be told anything, where they are several."""
        if len(self._chargers) < 2:
            return {}
        ours = [charger for charger in self._ours(now) if charger.is_waited_for(now)]
        if len(ours) < 2 or not self._house.is_told:
            return {}
        flowing = flows.without(ours)
        free = [room(self._limits, flowing, (phase,)) - self._prices.margin_amps for phase in self._all_phases]
        loads = {charger.charger_id: self._loads(charger.charger_id) for charger in ours}

        def wants(charger: ManagedCharger, part: int, parts: Mapping[str, int]) -> bool:
            beside = list(flowing)
            for other in ours:
                if other is not charger:
                    for phase in loads[other.charger_id]:
                        beside[phase] += parts[other.charger_id]
            if charger.start_is_due or not self._may_rise(charger, now):
                return False
            first = max(charger.target + 1, charger.least(self._cap(charger)))
            best = best_raise(
                charger.target,
                range(first, part + 1),
                self._prices.of(charger.settings.profile),
                latency_s=charger.latency_s,
                profile=charger.settings.profile,
                request=charger.request,
                risk=lambda amps, at: self._risk(loads[charger.charger_id], beside, amps, at),
                now=now,
            )
            return best > charger.target

        caps = {charger.charger_id: self._cap(charger) for charger in ours}
        summed = [limit for limit in self._limits if isinstance(limit, Power)]
        whole = min((room(summed, flowing, (phase,)) for phase in self._all_phases if summed), default=math.inf)
        return self._sharing.shares(ours, caps, loads, free, whole=whole, wants=wants, now=now)

    def _may_rise(self, charger: ManagedCharger, now: float) -> bool:
        """Whether anything but the others stands in the way of a raise."""
        waits = charger.in_flight or now < charger.not_before or not charger.belief.is_settled
        may_write = now >= charger.written_until and charger.writes_left(now) >= 1
        return not waits and may_write and now - self._started_at >= ADOPT_S and charger.uses_what_it_has

    def _by_turn(self, flows: Flows) -> list[ManagedCharger]:
        """Order the chargers: first those that have to give, the last and the highest before all, then who may take."""
        chargers = list(self._chargers.values())
        if len(chargers) < 2 or not self._house.is_told:
            return chargers

        def place(charger: ManagedCharger) -> tuple[bool, int, int]:
            left = room(self._limits, flows.beside(charger), self._loads(charger.charger_id))
            gives = charger.expected_amps - left > OVER_A
            rank = RANKS[charger.settings.priority]
            return (not gives, -rank, -charger.target) if gives else (not gives, rank, charger.target)

        return sorted(chargers, key=place)

    def _known_phases(self, charger: ManagedCharger) -> tuple[int, ...] | None:
        """Return the phases that a charger loads, from 0; None where nobody knows."""
        is_split = self.settings.supply is Supply.SPLIT
        return known_phases(charger, len(self._house.phases), is_split=is_split, last=self.meter.last)

    @property
    def _loaded(self) -> dict[str, tuple[int, ...] | None]:
        """The phases that each charger loads, from 0; None where nobody knows."""
        return {charger_id: self._known_phases(charger) for charger_id, charger in self._chargers.items()}

    def _loads(self, charger_id: str) -> tuple[int, ...]:
        """Return the phases that bear on a charger, from 0: all of them where nobody knows."""
        known = self._known_phases(self._chargers[charger_id])
        return self._all_phases if known is None else known

    @property
    def _all_phases(self) -> tuple[int, ...]:
        return tuple(range(len(self._house.phases)))

    def _share(self, now: float) -> None:
        """Tell the house's part of what was read last from the chargers'."""
        self._is_unread = False
        bounds = {each.charger_id: each.belief.bounds(now) for each in self._chargers.values()}
        loads = self._loaded

        def drawn(phase: int) -> tuple[float, float]:
            on_it = [bounds[charger_id] for charger_id, phases in loads.items() if phases and phase in phases]
            return sum([low for low, _ in on_it]), sum([high for _, high in on_it])

        self._house.share(drawn, {each: bounds[each] for each, phases in loads.items() if phases is None})

    def _drawn_by_others(self, charger: ManagedCharger, phase: int, now: float) -> float:
        """Return the most that they draw of a phase, A; it may be there that those rise whose phases nobody knows."""
        most = 0.0
        for other in self._chargers.values():
            low, high = other.belief.bounds(now)
            if other is charger:
                continue
            if (known := self._known_phases(other)) is None:
                change = other.belief.change
                most += high - low if change and not change.is_cut else 0.0
            elif phase in known:
                most += high
        return most

    def _cap(self, charger: ManagedCharger) -> int:
        cap = charger.cap(int(self.settings.max_amps))
        if (most := self._outside_most(charger)) is not None:
            cap = min(cap, math.floor(most[0]))
        # A meter that was reversed has to show one step the right way round first
        return min(cap, charger.least(cap)) if self._doubt.is_on_trial else cap

    def _outside_most(self, charger: ManagedCharger) -> tuple[float, Reason] | None:
        """Return the most that a limit of each charger lets this one have, A, and what to call that."""
        volts = [self._volts[phase] for phase in self._loads(charger.charger_id)] if self.supply_limits else []
        told = [(limit.most_amps(volts), limit.settings.reason) for limit in self.supply_limits.values()]
        return min((each for each in told if each[0] < math.inf), default=None)

    def _rationed_by(self, charger: ManagedCharger) -> Reason | None:
        """Return why a charger may have less than it could, where that is for another reason than the supply."""
        budget = int(self.settings.max_amps)
        most = self._outside_most(charger)
        return charger.rationed_by(budget) if most is None or most[0] >= charger.cap(budget) else most[1]

    @property
    def _prices(self) -> Prices:
        return PRICES[self.settings.mode]

    @property
    def _protection(self) -> Protection:
        return self.settings.protection or Protection(rating_amps=self._rating_amps)

    @property
    def _told_phases(self) -> int:
        return 0 if self.settings.supply is None else self.settings.supply.phases

    @property
    def _quiet_s(self) -> float:
        """From which age of a reading on nothing is raised, s."""
        return max(3 * min(self.meter.interval_s, SLOWEST_S), QUIET_S)

    def _silence_s(self, phases: Sequence[int], now: float) -> float:
        """For how long the meter has said nothing of these phases that can be believed."""
        if (since := self._doubt.since) is not None:
            # One that is mounted the wrong way round makes room of what is drawn: the stop shows at once whether it is
            at_once_s = 2 * max(STOP_S, STOP_PART * self.meter.patience_s)
            return now - since + (at_once_s if self._doubt.reversed_at is not None else 0.0)
        return now - min([self._house.phases[phase].read_at for phase in phases])

    def _beyond_s(self, phases: Sequence[int], now: float) -> float | None:
        """For how long more has flowed on these phases than their sensor can show; None where it can show all."""
        since = [at for phase in phases if (at := self._house.phases[phase].beyond_at) is not None]
        return now - min(since) if since else None

    def _silent_reason(self, quietest_s: float, now: float) -> Reason:
        """Say what is wrong with the meter, if anything is."""
        if self._doubt.frozen_at is not None:
            return Reason.METER_FROZEN
        if self._doubt.is_low:
            return Reason.METER_WRONG if self.meter_wrong_at is not None else Reason.SETTLING
        last = max([phase.read_at for phase in self._house.phases])
        is_partial = now - last < quietest_s or not self._house.is_complete
        return Reason.PHASE_SILENT if is_partial and len(self._house.phases) > 1 else Reason.METER_SILENT
