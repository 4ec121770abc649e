"""The controller of one site: readings, reports and acknowledgements in, decisions out."""

from collections.abc import Mapping, Sequence
import math
from typing import Any, TypedDict

from .asking import Asking
from .bearing import Bearing
from .bounds import Bounds
from .charger import URGENT_S, ChargerRecord, ManagedCharger
from .charging import Action, ChargerReport, Command, Outcome
from .choice import QUIET_S, Choice, View, choose
from .decision import Decision, Mode, Reason
from .flows import Flows
from .known import PROTECT_AT, Known
from .limits import Clock, LimitSettings, Reserved, SupplyLimit, room
from .load import Strain
from .memory import Record
from .meter import SLOWEST_S, USUAL_INTERVAL_S
from .prices import OVER_A, PRICES
from .reading import Reading
from .rehearsal import LEAST_A, Rehearsal, Scene
from .restoring import restore
from .settings import ChargerSettings, SiteSettings
from .sharing import Share
from .witness import Witness

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
        self._known = known = Known(settings, now)
        self.meter, self._house, self._chargers, self._doubt = known.meter, known.house, known.chargers, known.doubt
        self._bounds = Bounds(known)
        self._bearing = Bearing(known, self._bounds)
        self._witness = Witness(known)
        self._asking = Asking()
        self.rehearsal: Rehearsal | None = None
        """The one that is under way."""

    @property
    def settings(self) -> SiteSettings:
        """The site's settings, as they were told last."""
        return self._known.settings

    @property
    def supply_limits(self) -> Mapping[str, SupplyLimit]:
        """What else than the budget may bound the supply, by an id, to look at only."""
        return self._bounds.others

    # -- what comes in ------------------------------------------------------------------------------------------

    def configure(self, settings: SiteSettings, *, now: float) -> None:
        """Take new settings of the site, at once."""
        self._known.configure(settings, now)
        self._bounds.configure(now)

    def set_charger(self, charger_id: str, settings: ChargerSettings, *, now: float) -> None:
        """Add a charger, or take new settings for one."""
        if charger := self._chargers.get(charger_id):
            charger.settings = settings
        else:
            self._chargers[charger_id] = ManagedCharger(charger_id, settings)

    def remove_charger(self, charger_id: str) -> None:
        """Forget a charger."""
        self._chargers.pop(charger_id, None)
        self._witness.forget(charger_id)

    def ration(self, charger_id: str, rations: Mapping[Reason, int]) -> None:
        """Let a charger have no more than each of `rations`, A, for its reason, until told otherwise; 0 pauses it.

        It moves by the same rules as within the budget: a raise is weighed, starts are bounded.
        """
        self._chargers[charger_id].rations = rations

    def limit(self, limits: Mapping[str, LimitSettings], clock: Clock, *, now: float) -> None:
        """Let the supply be bounded by these, by an id of each, beside its budget, until told otherwise."""
        self._bounds.set(limits, clock, now)

    def add_reading(self, reading: Reading) -> None:
        """Take a reading; call `decide` right after."""
        now, last = reading.at, self.meter.last
        was_doubted, was_wrong = self._doubt.since is not None, self._doubt.accused_at is not None
        self._house.integrate(now)
        before = self._house.amps
        self.meter.add(reading)
        if not self._house.add(reading, believable_amps=self._known.protection.opens_at_once_amps):
            return
        self._doubt.add(reading, last)
        if last is not None:
            self._witness.look(before, now)
        self._known.share(now)
        self._bounds.add(reading)
        self._bounds.look(now)  # it may be of more phases than the one before
        loads = self._known.loaded
        self._doubt.compare(self._house, self._chargers, loads, now)
        self._doubt.look_at_sign(self._house, now)
        if self._doubt.accused_at is not None and not was_wrong:
            self._witness.doubt_learned(loads, now)
        self._witness.believe_stops(loads, now)
        self._asking.add(max(self._house.read), now)
        is_seen_again = was_doubted and self._doubt.since is None
        self._house.remember(
            now,
            0.0 if last is None else now - last.at,
            was_blind=is_seen_again,
            patience_s=self.meter.patience_s,
        )

    def add_report(self, charger_id: str, report: ChargerReport, *, now: float) -> None:
        """Take what a charger says of itself."""
        self._witness.add_report(self._chargers[charger_id], report, now)

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
            view = self._bearing.view(charger, self._bearing.flows(now), {}, now)
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
        loads = self._known.loaded
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
        return self._doubt.accused_at

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
        quiet_s, last = self._known.quiet_s, max(phase.read_at for phase in self._house.phases)
        return tuple(number for number, phase in enumerate(self._house.phases, 1) if last - phase.read_at > quiet_s)

    def phases_of(self, charger_id: str) -> tuple[int, ...] | None:
        """Return the numbers, from 1, of the phases that a charger loads: told, reported or learned; None: unknown."""
        known = self._known.phases_of(self._chargers[charger_id]) if self._house.expected else None
        return None if known is None else tuple(phase + 1 for phase in known)

    def fits(self, charger_id: str, *, now: float) -> tuple[int, int] | None:
        """Return the whole amps that a charger could have beside the house alone, and beside the others too.

        By the limits and its own settings, whatever its rations are; None before the house is known.
        """
        if not self._house.is_told:
            return None
        charger, loads = self._chargers[charger_id], self._known.loads(charger_id)
        most = min(charger.settings.max_amps, int(self.settings.max_amps))
        alone = [phase.beside.get(charger_id, phase.amps) for phase in self._house.phases]
        beside = (alone, self._bearing.flows(now).beside(charger))
        margin_amps = PRICES.get(self.settings.mode, PRICES[Mode.BALANCED]).margin_amps  # while it is off, as it begins
        amps = [min(most, math.floor(room(self._bounds.all, each, loads) - margin_amps)) for each in beside]
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
        self._bounds.reserved = amps

    def strain(self, now: float) -> Strain:
        """Return how much the supply bears now: what loads are judged by. Call it after `decide`."""
        flows, phases = self._bearing.flows(now), self._house.phases
        giving = [charger for charger in self._bearing.ours(now) if not charger.is_blocked(now)]
        silence_s = self._known.silence_s(self._known.all_phases, now)
        return Strain(
            house=self._house.amps,
            read=self._house.read,
            kept=flows.without(giving),
            limits=[limit for limit in self._bounds.all if not isinstance(limit, Reserved)],
            read_at=self.meter.last.at if self.meter.last else -math.inf,
            silence_s=silence_s,
            interval_s=self.meter.interval_s,
            is_known=self._house.is_told and silence_s <= self._known.quiet_s and not self._doubt.is_low,
            bears_s=lambda phase, amps: phases[phase].load.tolerated_s(amps, PROTECT_AT),
            opens_s=lambda phase, amps: phases[phase].load.tolerated_s(amps, 1.0),
            heat=[phase.load.load for phase in phases],
            claims=self._bounds.claims(now),
        )

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
                charger.stop_waiting(now, self._known.bears_s(charger))
        self._bounds.look(now)
        flows = self._bearing.flows(now)
        shares = self._bearing.shares(flows, now)
        decisions = {}
        last: ManagedCharger | None = None
        for charger in self._bearing.by_turn(flows):
            if last is not None:
                flows.renew(last)
            decisions[charger.charger_id] = self._decide(charger, flows, shares, now)
            last = charger
        return tuple(decisions[charger_id] for charger_id in self._chargers)

    def release(self, charger_id: str, *, now: float) -> Command | None:
        """Return the next command that gives a charger back as it was, where that is safe; else nothing.

        For when control of it has ended, whatever the mode says by then: its maximum, and what we paused runs again
        with what fits. A command is in flight until `acknowledge`; then ask again.
        """
        charger = self._chargers[charger_id]
        if charger.out_of_reach(now) or self._is_unsure(charger, now):
            return None
        self._bounds.look(now)
        request, cap = charger.request or 0, charger.most(int(self.settings.max_amps))
        free = room(
            self._bounds.all, self._bearing.flows(now).beside(charger, committed=True), self._known.loads(charger_id)
        )
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
        return bool(waits) or not self._house.is_told or self._known.silence_s(self._known.all_phases, now) > QUIET_S

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
            self._witness.look_for_reversed(charger, change, now)
        # A cut cannot be seen before a slow meter speaks again; one that posts every ten seconds is waited for anyway
        interval_s = min(self.meter.interval_s, SLOWEST_S)
        lag_s = interval_s - USUAL_INTERVAL_S if interval_s > 2 * USUAL_INTERVAL_S else 0.0
        charger.hurry(now, self._known.bears_s(charger))
        resend = charger.look(now, read_at, lag_s=lag_s)
        view = self._bearing.view(charger, flows, shares, now)
        if charger.stop_is_unproven and not monitoring and view.tolerated_s(0.0) < PROVEN_S:
            resend = charger.doubt_stop(now)
        if charger.is_blocked(now) or charger.cut_waits_s(now):
            charger.drop_cut(view.room)
        choice = self._doubt_cut(charger, view, choose(view), read_at)
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
            cap=self._bearing.cap(charger) or charger.most(int(self.settings.max_amps)),
            numbers=choice.numbers,
            command=command,
        )

    def _doubt_cut(self, charger: ManagedCharger, view: View, choice: Choice, read_at: float) -> Choice:
        """Where a cut shows nothing, and the protection does not bear that, take it that it came and the house rose.

        One that was lost looks the same, and the less helps against both.
        """
        if self._known.bears_s(charger) >= URGENT_S or not charger.may_have_obeyed(read_at, view.now):
            return choice
        low, high = charger.belief.bounds(view.now)
        left = math.floor(view.room - (high - low))
        target = left if left >= view.least else 0
        return choice if target >= choice.target else Choice(target, Reason.RESENT, choice.numbers)

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
        choice = choose(self._bearing.view(charger, flows, shares, now))
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
        left = room(self._bounds.all, flows.beside(charger), self._known.loads(charger.charger_id))
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
