"""What is switched off where the protection cannot bear the house, and switched on again when there is room."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
import math

from .decision import Mode
from .limits import Claim, room
from .load import (
    OVER_S,
    SHOWN_S,
    LoadAction,
    LoadCommand,
    LoadDecision,
    LoadReason,
    LoadSettings,
    ManagedLoad,
    Restore,
    Strain,
)
from .prices import OVER_A
from .sharing import RANKS

NEED_S = 60.0
"""What the protection bears for less than this is ended by switching off, s: a switch acts within seconds, a meter
shows it with its next post, and a load that does nothing leaves time for the next. With 30 s a simulated breaker opened
once in two days more, and nothing was switched less."""
GIVEN_UP_AT = 0.75
"""The protection's load at which chargers are not waited for any more: they give before half of it."""
UNKNOWN_A, UNKNOWN_PART = 16.0, 0.5
"""What a load is taken to need where nobody knows, A: a household's socket (IEC 60884), but no more than half of what
the limits allow: it would never come back."""
NEXT_S = 30.0
"""How long after one the next load may come back, s: the meter shows by then what the first draws."""
GIVEN_S = 30.0
"""What a load that comes back adds has to be borne for so long, s: chargers give way within it."""
MARGIN_A = 0.5
"""What is kept free below the limits when a load comes back, A: the noise of a 1 % sensor at 30 A, and a bit."""
BLIND_S = 3600.0
"""After a silence of the meter this long loads come back, s: a house is not left cold because of a sensor."""


class Loads:
    """Decides for all loads of one site. It is handed the time and how much the supply bears."""

    def __init__(self) -> None:
        self._loads: dict[str, ManagedLoad] = {}
        self._came_back_at = -math.inf
        self._over_since: dict[str, float] = {}
        """Since when each limit beside the budget is exceeded, s."""
        self.reserved: tuple[float, ...] = ()
        """What chargers are to leave on each phase, A, so that the next load can come back."""

    @property
    def each(self) -> Mapping[str, ManagedLoad]:
        """The loads by their id, to look at only."""
        return self._loads

    def set_load(self, load_id: str, settings: LoadSettings, *, now: float) -> None:
        """Add a load, or take new settings for one."""
        if load := self._loads.get(load_id):
            load.settings = settings
        else:
            self._loads[load_id] = ManagedLoad(load_id, settings, now)

    def go_on(self, before: Loads, load_ids: Collection[str]) -> None:
        """Take over what another knows of these loads, which have their settings here."""
        for load_id in load_ids:
            load = before._loads[load_id]
            load.settings = self._loads[load_id].settings
            self._loads[load_id] = load
        self._came_back_at, self.reserved = before._came_back_at, before.reserved

    def begin_day(self) -> None:
        """Begin to count anew, and forget what somebody switched on yesterday."""
        for load in self._loads.values():
            load.today, load.kept_on = 0, False

    def decide(self, strain: Strain, mode: Mode, *, now: float) -> tuple[LoadDecision, ...]:
        """Decide for every load. A decision with a command puts that command in flight until `acknowledge`."""
        self.reserved = ()
        commands: dict[str, LoadCommand] = {}
        wanted: dict[str, str | None] = {}
        for load in self._loads.values():
            load.look(strain, now)
            self._look_for_room(load, strain, now)
        if mode is Mode.OFF or not strain.is_known:
            self._over_since.clear()
        else:
            for load, is_urgent, claim in chain(self._too_much(strain, now), self._over_limits(strain, now)):
                wanted.setdefault(load.load_id, None if claim is None else claim.limit_id)
                load.wanted_at = now
                if mode is not Mode.MONITOR and load.may(LoadAction.SHED, now, is_urgent=is_urgent):
                    commands[load.load_id] = self._shed(load, strain, now, claim)
        for load in self._loads.values():
            is_over = not load.is_shed and now - load.wanted_at > OVER_S
            if is_over or mode in (Mode.OFF, Mode.MONITOR):
                load.forget_question()
        if mode not in (Mode.OFF, Mode.MONITOR) and not wanted:
            for load in self._to_bring_back(strain, now):
                if not load.may(LoadAction.RESTORE, now):
                    continue
                if self._is_borne(load, strain):
                    commands[load.load_id] = load.send(LoadAction.RESTORE, strain, now)
                    self._came_back_at = now
                    self._note_others(load)
                else:
                    self._reserve(load, strain)
                break
        return tuple(self._told(load, mode, commands.get(load.load_id), wanted, now) for load in self._loads.values())

    def release(self, load_id: str, strain: Strain, *, now: float) -> LoadCommand | None:
        """Return the command that gives back a load that we switched off, where that is safe; else nothing.

        For when control of it has ended. Who is to be asked, or never to be switched on by itself, stays off.
        """
        load = self._loads[load_id]
        returns = load.is_shed and not load.in_flight and load.settings.restore is Restore.YES
        if not returns or load.report.is_on is not False or now < load.not_before:
            return None
        phases = load.phases(len(strain.read))
        need = self._need(load, strain, phases)
        for_good = all(strain.endures(phase, strain.kept[phase] + need, math.inf) for phase in phases)
        if strain.is_known and not (for_good and self._is_borne(load, strain)):
            return None  # nobody would switch it off again
        return load.send(LoadAction.RESTORE, strain, now)

    def _too_much(self, strain: Strain, now: float) -> Iterator[tuple[ManagedLoad, bool, None]]:
        """Yield what has to be switched off, the last and then the best fitting first, and whether that is urgent.

        Who asks first is told of it earlier, by the time that the answer may take.
        """
        taken = [0.0] * len(strain.kept)
        for phase, kept in enumerate(strain.kept):
            amps = max(kept, strain.read[phase]) if strain.heat[phase] >= GIVEN_UP_AT else kept
            is_urgent = amps > 0 and strain.opens_s(phase, amps) < SHOWN_S
            if self._count_awaited(taken, (phase,), strain, now) and not is_urgent:
                continue  # how much that is, the meter will show
            left = amps - taken[phase]
            for load in self._candidates((phase,), strain, self._enough(strain, phase, left), now):
                if strain.endures(phase, amps - taken[phase], NEED_S + (load.settings.ask_s or 0.0)):
                    continue
                if load.passed_over and not is_urgent:
                    load.pass_over(now)
                    continue
                yield load, is_urgent, None
                if load.asking is not None:
                    continue  # meanwhile another may have to go
                if load.amps is None and not is_urgent:
                    break
                self._count(load, taken)

    @staticmethod
    def _enough(strain: Strain, phase: int, amps: float) -> Callable[[ManagedLoad], bool]:
        return lambda load: strain.endures(phase, amps - (load.amps or 0.0), NEED_S)

    def _over_limits(self, strain: Strain, now: float) -> Iterator[tuple[ManagedLoad, bool, Claim]]:
        """Yield what has to be switched off for limits beside the budget, in the same order, and for which of them.

        Nothing is waited for longer than can be made up for, and nothing is done before it lasts.
        """
        before = self._over_since
        held = [
            claim
            for claim in strain.claims
            if claim.over(strain.kept, by_amps=0.0 if claim.limit_id in before else OVER_A)
        ]
        self._over_since = {claim.limit_id: before.get(claim.limit_id, now) for claim in held}
        taken = [0.0] * len(strain.kept)
        for claim in held:
            over = claim.over(strain.kept)
            if self._count_awaited(taken, over, strain, now):
                continue
            lasts_s = now - self._over_since[claim.limit_id]
            flowing = [amps - each for amps, each in zip(strain.kept, taken, strict=True)]
            for load in self._candidates(over, strain, self._enough_for(claim, flowing), now):
                ask_s = load.settings.ask_s or 0.0
                if lasts_s < claim.patience_s - ask_s:
                    break
                if not set(claim.over(flowing)) & set(load.phases(len(flowing))):
                    continue
                if load.passed_over:
                    load.pass_over(now)
                    continue
                off = self._drawn(load, len(flowing))
                if claim.can_wait(flowing, off, ask_s):
                    break
                yield load, False, claim
                if load.asking is not None:
                    continue
                if load.amps is None:
                    break
                flowing = [amps - each for amps, each in zip(flowing, off, strict=True)]

    def _enough_for(self, claim: Claim, flowing: Sequence[float]) -> Callable[[ManagedLoad], bool]:
        def is_enough(load: ManagedLoad) -> bool:
            off = self._drawn(load, len(flowing))
            return not claim.over([amps - each for amps, each in zip(flowing, off, strict=True)])

        return is_enough

    @staticmethod
    def _drawn(load: ManagedLoad, count: int) -> list[float]:
        """Return what is known that a load draws of each phase, A."""
        phases = load.phases(count)
        return [(load.amps or 0.0) if phase in phases else 0.0 for phase in range(count)]

    def _count_awaited(self, taken: list[float], phases: Sequence[int], strain: Strain, now: float) -> bool:
        """Count what was switched off and does not show yet; return whether nobody knows of any how much that is."""
        awaited = [load for load in self._loads.values() if load.is_awaited(strain, now)]
        taken[:] = [0.0] * len(taken)
        for load in awaited:
            self._count(load, taken)
        return any(load.amps is None and set(phases) & set(load.phases(len(taken))) for load in awaited)

    @staticmethod
    def _count(load: ManagedLoad, taken: list[float]) -> None:
        for phase in load.phases(len(taken)):
            taken[phase] += load.amps or 0.0

    def _candidates(
        self, phases: Sequence[int], strain: Strain, is_enough: Callable[[ManagedLoad], bool], now: float
    ) -> list[ManagedLoad]:
        """Return what may be switched off on these phases: first what does something, of that the last of its owner's.

        Among equals the least that is enough, or else the most.
        """

        def order(load: ManagedLoad) -> tuple[bool, int, bool, float]:
            draws, enough = load.amps or 0.0, is_enough(load)
            return load.missed > 0, -RANKS[load.settings.priority], not enough, draws if enough else -draws

        return sorted(
            (
                load
                for load in self._loads.values()
                if load.settings.managed
                and not load.is_shed
                and not load.in_flight
                and load.report.draws is not False
                and load.obstacle(now) is None
                and set(phases) & set(load.phases(len(strain.kept)))
            ),
            key=order,
        )

    def _shed(self, load: ManagedLoad, strain: Strain, now: float, claim: Claim | None) -> LoadCommand:
        place = 1 + max(each.place for each in self._loads.values())
        command = load.send(LoadAction.SHED, strain, now, place=place, claim=claim)
        self._note_others(load)
        return command

    def _note_others(self, load: ManagedLoad) -> None:
        """Note that not one alone moves the meter."""
        for other in self._loads.values():
            if other is not load and other.before is not None:
                other.is_alone = load.is_alone = False

    @staticmethod
    def _need(load: ManagedLoad, strain: Strain, phases: Sequence[int]) -> float:
        """Return how much room a load needs to come back, A."""
        if load.amps is not None:
            return load.amps
        nothing = [0.0] * len(strain.kept)
        # What fell with others is not all its own: it would wait for room for them too, and perhaps for ever
        fell = math.inf if load.fell_amps is None else load.fell_amps
        return min(fell, UNKNOWN_A, UNKNOWN_PART * room(strain.limits, nothing, phases))

    def _look_for_room(self, load: ManagedLoad, strain: Strain, now: float) -> None:
        """Note when there was last no room for what is off."""
        phases = load.phases(len(strain.kept))
        need = self._need(load, strain, phases)
        if strain.silence_s >= BLIND_S:
            return
        if not strain.is_known or room(strain.limits, strain.kept, phases) < need + MARGIN_A:
            load.no_room_at = now

    def _is_borne(self, load: ManagedLoad, strain: Strain) -> bool:
        """Whether what a load adds is borne until the chargers have given way; nobody knows without a meter."""
        phases = load.phases(len(strain.read))
        need = self._need(load, strain, phases)
        return not strain.is_known or all(strain.endures(phase, strain.read[phase] + need, GIVEN_S) for phase in phases)

    def _reserve(self, load: ManagedLoad, strain: Strain) -> None:
        """Let chargers give way before a load comes back that would be too much beside them."""
        phases = load.phases(len(strain.read))
        need = self._need(load, strain, phases)
        self.reserved = tuple(need if phase in phases else 0.0 for phase in range(len(strain.read)))

    def _to_bring_back(self, strain: Strain, now: float) -> Iterator[ManagedLoad]:
        """Yield what may come back, the last that went first; who cannot come stands in nobody's way."""
        if now - self._came_back_at < NEXT_S or any(load.in_flight for load in self._loads.values()):
            return
        taken: set[int] = set()
        for load in sorted(self._loads.values(), key=lambda load: -load.place):
            if self._stays_off(load, now) is not None or not load.settings.managed or not load.is_shed:
                continue
            phases = set(load.phases(len(strain.kept)))
            if not phases & taken and now - load.no_room_at >= load.lasts_s:
                yield load
                if load.asking is not None:
                    continue
            taken |= phases

    @staticmethod
    def _stays_off(load: ManagedLoad, now: float) -> LoadReason | None:
        """Say why a load that we switched off is not to come back, whatever room there is."""
        if load.report.is_on is not False or load.before is not None:
            return LoadReason.UNAVAILABLE if load.report.is_on is None else LoadReason.SHEDDING
        if load.settings.restore is Restore.NEVER:
            return LoadReason.LEFT_OFF
        if now < load.declined_until:
            return LoadReason.DECLINED
        if now < load.not_before:
            return LoadReason.FAILED
        return LoadReason.LEAST_OFF if now - load.sent_at < load.settings.least_off_s else None

    def _told(
        self,
        load: ManagedLoad,
        mode: Mode,
        command: LoadCommand | None,
        wanted: Mapping[str, str | None],
        now: float,
    ) -> LoadDecision:
        return LoadDecision(
            at=now,
            load_id=load.load_id,
            reason=self._reason(load, mode, load.load_id in wanted, now),
            numbers={} if load.amps is None else {"amps": round(load.amps, 1)},
            command=command,
            asks=load.asking,
            limit_id=load.limit_id if load.is_shed else wanted.get(load.load_id),
        )

    def _reason(self, load: ManagedLoad, mode: Mode, is_wanted: bool, now: float) -> LoadReason:
        if load.in_flight is not None and load.in_flight.action is LoadAction.RESTORE:
            return LoadReason.RESTORING
        if load.is_shed:
            return self._reason_off(load, now)
        if mode is Mode.OFF:
            return LoadReason.OFF
        if not load.settings.managed:
            return LoadReason.NOT_MANAGED
        if is_wanted:
            return LoadReason.WOULD_SHED if mode is Mode.MONITOR else LoadReason.ASKED
        obstacle = load.obstacle(now)
        return obstacle or LoadReason.ON

    def _reason_off(self, load: ManagedLoad, now: float) -> LoadReason:
        if load.in_flight is not None or load.before is not None:
            return LoadReason.SHEDDING
        if load.asking is LoadAction.RESTORE:
            return LoadReason.ASKED_BACK
        stays = self._stays_off(load, now)
        if stays in (LoadReason.UNAVAILABLE, LoadReason.LEFT_OFF, LoadReason.FAILED, LoadReason.DECLINED):
            return stays
        if load.missed:
            return LoadReason.NO_EFFECT
        if load.no_room_at == now:
            return LoadReason.SHED if load.limit_id is None else LoadReason.SHED_FOR_LIMIT
        return LoadReason.LEAST_OFF if stays is LoadReason.LEAST_OFF else LoadReason.WAITING
