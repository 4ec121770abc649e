"""What is known of one site: its meter, its house, its chargers and where they are, and what speaks against it."""

from collections.abc import Sequence

from .charger import ManagedCharger
from .choice import QUIET_S, STOP_PART, STOP_S
from .decision import Reason
from .doubt import MeterDoubt
from .house import House
from .learning import known_phases
from .limits import power_of
from .meter import SLOWEST_S, Meter
from .protection import Protection
from .settings import SiteSettings, Supply

PROTECT_AT = 0.5
"""The protection's load that nothing is planned beyond: half of its tolerance is left for what comes."""


class Known:
    """What the parts of a controller know together. Phases are numbered from 0."""

    def __init__(self, settings: SiteSettings, now: float) -> None:
        self.settings = settings
        self._rating_amps = settings.max_amps
        self.started_at = now
        self.meter = Meter()
        self.house = House(max_amps=settings.max_amps, protection=self.protection, phases=self._told_phases, now=now)
        self.chargers: dict[str, ManagedCharger] = {}
        self.doubt = MeterDoubt(now)
        self.is_unread = False
        """Whether a charger told that it draws less than was believed, after the last reading."""

    def configure(self, settings: SiteSettings, now: float) -> None:
        """Take new settings of the site."""
        self.house.integrate(now)
        self.settings = settings
        self._rating_amps = max(self._rating_amps, settings.max_amps)
        self.house.configure(max_amps=settings.max_amps, protection=self.protection, phases=self._told_phases)

    def phases_of(self, charger: ManagedCharger) -> tuple[int, ...] | None:
        """Return the phases that a charger loads, from 0; None where nobody knows."""
        is_split = self.settings.supply is Supply.SPLIT
        return known_phases(charger, len(self.house.phases), is_split=is_split, last=self.meter.last)

    @property
    def loaded(self) -> dict[str, tuple[int, ...] | None]:
        """The phases that each charger loads, from 0; None where nobody knows."""
        return {charger_id: self.phases_of(charger) for charger_id, charger in self.chargers.items()}

    def loads(self, charger_id: str) -> tuple[int, ...]:
        """Return the phases that bear on a charger, from 0: all of them where nobody knows."""
        known = self.phases_of(self.chargers[charger_id])
        return self.all_phases if known is None else known

    @property
    def all_phases(self) -> tuple[int, ...]:
        """All that the site is known to have."""
        return tuple(range(len(self.house.phases)))

    @property
    def volts(self) -> tuple[float, ...]:
        """Of every phase; of one that was not told, those of the first, V."""
        told = self.meter.last.volts if self.meter.last else (1.0,)
        return (*told, *told[:1] * len(self.house.phases))[: len(self.house.phases)]

    def power(self, amps: Sequence[float]) -> float:
        """Return what currents of all phases come to together, W."""
        return sum(each * volts for each, volts in zip(amps, self.volts, strict=True))

    @property
    def beside_watts(self) -> float:
        """By how much the meter's power differs from what its amps come to, W; 0 where it did not tell of all."""
        last = self.meter.last
        return 0.0 if last is None or not self.house.is_complete else power_of(last) - self.power(self.house.read)

    def share(self, now: float) -> None:
        """Tell the house's part of what was read last from the chargers'."""
        self.is_unread = False
        bounds = {each.charger_id: each.belief.bounds(now) for each in self.chargers.values()}
        loads = self.loaded

        def drawn(phase: int) -> tuple[float, float]:
            on_it = [bounds[charger_id] for charger_id, phases in loads.items() if phases and phase in phases]
            return sum([low for low, _ in on_it]), sum([high for _, high in on_it])

        self.house.share(drawn, {each: bounds[each] for each, phases in loads.items() if phases is None})

    def bears_s(self, charger: ManagedCharger) -> float:
        """Return for how long the protection bears what flows on a charger's phases, s."""
        phases = [self.house.phases[number] for number in self.loads(charger.charger_id)]
        return min(phase.load.tolerated_s(phase.read or 0.0, PROTECT_AT) for phase in phases)

    @property
    def protection(self) -> Protection:
        """What the supply hangs on: as told, else a breaker of the highest budget so far."""
        return self.settings.protection or Protection(rating_amps=self._rating_amps)

    @property
    def _told_phases(self) -> int:
        return 0 if self.settings.supply is None else self.settings.supply.phases

    @property
    def quiet_s(self) -> float:
        """From which age of a reading on nothing is raised, s."""
        return max(3 * min(self.meter.interval_s, SLOWEST_S), QUIET_S)

    def silence_s(self, phases: Sequence[int], now: float) -> float:
        """For how long the meter has said nothing of these phases that can be believed."""
        if (since := self.doubt.since) is not None:
            # One that is mounted the wrong way round makes room of what is drawn: the stop shows at once whether it is
            at_once_s = 2 * max(STOP_S, STOP_PART * self.meter.patience_s)
            return now - since + (at_once_s if self.doubt.reversed_at is not None else 0.0)
        return now - min([self.house.phases[phase].read_at for phase in phases])

    def beyond_s(self, phases: Sequence[int], now: float) -> float | None:
        """For how long more has flowed on these phases than their sensor can show; None where it can show all."""
        since = [at for phase in phases if (at := self.house.phases[phase].beyond_at) is not None]
        return now - min(since) if since else None

    def silent_reason(self, quietest_s: float, now: float) -> Reason:
        """Say what is wrong with the meter, if anything is."""
        if self.doubt.frozen_at is not None:
            return Reason.METER_FROZEN
        if self.doubt.is_low:
            return Reason.METER_WRONG if self.doubt.accused_at is not None else Reason.SETTLING
        last = max([phase.read_at for phase in self.house.phases])
        is_partial = now - last < quietest_s or not self.house.is_complete
        return Reason.PHASE_SILENT if is_partial and len(self.house.phases) > 1 else Reason.METER_SILENT
