"""A house without a car, whose boiler and heat pump may be switched off: how often its breaker opens, and hot water."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from custom_components.amp_sensor.control import (
    Clock,
    Controller,
    LimitSettings,
    LoadAction,
    LoadCommand,
    LoadReport,
    Loads,
    LoadSettings,
    Mode,
    Priority,
    Reason,
    SiteSettings,
)

from .house import DAY_S, VOLTS, House, load
from .peaks import TOLERANCE_PART, WINDOW_S
from .plant import NORMAL, Breaker, Conditions, Sensor

SWITCH_S = (0.5, 3.0)
"""How long a switch takes, least and most, s: plugs on a mesh."""
TANK_KWH = 9.3
"""What a tank of 200 l holds between 20 and 60 °C: 1.163 Wh per litre and degree."""
DRAWN_KWH_A_DAY = 5.8
"""Hot water of three people: 125 l a day at 60 °C."""
LOST_KWH_A_DAY = 1.8
"""What such a tank loses (EN 60379: class C)."""
TAPS_H = ((7.0, 0.35), (12.5, 0.15), (19.0, 0.3), (21.5, 0.2))
"""When how much of a day's water is drawn: an assumption."""
HYSTERESIS = 0.1
"""The part of the tank that is gone before its thermostat switches on."""
LEAST_RUN_S = 600
"""How long a heat pump runs, and rests, at least, s."""


class Boiler:
    """A tank with an element of a fixed power and a thermostat, whose supply can be cut."""

    amps = 2300 / VOLTS

    def __init__(self) -> None:
        self.kwh = TANK_KWH
        self.is_supplied = True
        self.taken_kwh = 0.0
        self.coldest_kwh = TANK_KWH
        self._heats = False

    def tick(self, second_of_day: int) -> float:
        """Return what it draws in this second, A."""
        self.kwh -= LOST_KWH_A_DAY / DAY_S
        for hour, part in TAPS_H:
            if hour * 3600 <= second_of_day < hour * 3600 + 900:
                self.kwh -= part * DRAWN_KWH_A_DAY / 900
        if self.kwh <= TANK_KWH * (1 - HYSTERESIS):
            self._heats = True
        if self.kwh >= TANK_KWH:
            self._heats = False
        self.coldest_kwh = min(self.coldest_kwh, self.kwh)
        if not (self._heats and self.is_supplied):
            return 0.0
        energy_kwh = self.amps * VOLTS / 3.6e6
        self.kwh += energy_kwh
        self.taken_kwh += energy_kwh
        return self.amps


class HeatPump:
    """A compressor that keeps a house warm: it has to run for a part of each day, sooner or later."""

    amps = 1840 / VOLTS

    def __init__(self, *, part: float) -> None:
        """Run for this part of the time."""
        self._part = part
        self.is_supplied = True
        self.owed_s = 0.0
        self.taken_kwh = 0.0
        self._runs = False
        self._since_s = LEAST_RUN_S

    def tick(self, second_of_day: int) -> float:
        """Return what it draws in this second, A."""
        self.owed_s += self._part
        self._since_s += 1
        wants = self.is_supplied and (self.owed_s > LEAST_RUN_S or (self._runs and self.owed_s > 0))
        if not self.is_supplied and self._runs:
            self._runs, self._since_s = False, 0
        elif wants is not self._runs and self._since_s >= LEAST_RUN_S:
            self._runs, self._since_s = wants, 0
        if not self._runs:
            return 0.0
        self.owed_s -= 1
        self.taken_kwh += self.amps * VOLTS / 3.6e6
        return self.amps


@dataclass(kw_only=True)
class LoadResult:
    """What so many days came to."""

    days: float
    trips: int
    sheds: int
    boiler_kwh: float
    pump_kwh: float
    coldest: float
    """The least that the tank held, as a part of it."""
    at: list[int] = field(default_factory=list)
    """When the breaker opened, s."""
    windows_watts: list[float] = field(default_factory=list)
    """What was imported in each whole quarter of an hour, W."""


def run(
    house: House,
    *,
    rating: float,
    controlled: bool,
    pump_part: float = 0.4,
    conditions: Conditions = NORMAL,
    told: bool = True,
    loads: bool = True,
    limit_watts: float | None = None,
    seed: int = 1,
) -> LoadResult:
    """Let a house of one phase live behind a breaker; `controlled` lets the project's controller have its loads.

    `told` is whether their power was told, or is to be learned; without `loads` the house is as it was recorded. A
    breaker that opened is closed again at once: its heat begins anew. `limit_watts` bounds each quarter of an hour.
    """
    luck = Random(f"{seed} switches")
    boiler, pump = Boiler(), HeatPump(part=pump_part)
    devices: dict[str, Boiler | HeatPump] = {"boiler": boiler, "pump": pump}
    sensor = Sensor(conditions, report_delta=1.0, seed=seed)
    breaker = Breaker(rating)
    control = Controller(SiteSettings(max_amps=rating, mode=Mode.BALANCED), now=0.0)
    decider = Loads()
    for name, device in devices.items():
        settings = LoadSettings(
            amps=device.amps if told else None,
            priority=Priority.FIRST if name == "pump" else Priority.NORMAL,
            least_off_s=LEAST_RUN_S if name == "pump" else 0.0,
        )
        decider.set_load(name, settings, now=0.0)
    limits = {}
    if limit_watts is not None:
        limits["peak"] = LimitSettings(reason=Reason.PEAK_LIMIT, max_watts=limit_watts, window_s=WINDOW_S, sheds=True)
    coming: list[tuple[float, LoadCommand]] = []
    imported_ws, began = 0.0, -1
    result = LoadResult(days=house.seconds / DAY_S, trips=0, sheds=0, boiler_kwh=0.0, pump_kwh=0.0, coldest=1.0)
    for now, amps in enumerate(house.phases[0].tolist()):
        second_of_day = (house.start_s + now) % DAY_S
        flows = amps + (sum(device.tick(second_of_day) for device in devices.values()) if loads else 0.0)
        if breaker.tick(flows):
            result.trips += 1
            result.at.append(now)
        if second_of_day % WINDOW_S == 0:
            if began >= 0:
                result.windows_watts.append(imported_ws / WINDOW_S)
            imported_ws, began = 0.0, now
        imported_ws += flows * VOLTS
        if not controlled:
            continue
        if limits:
            control.limit(limits, Clock(wall_s=house.start_s, month=""), now=now)
        for at, command in list(coming):
            if now >= at:
                coming.remove((at, command))
                devices[command.load_id].is_supplied = command.action is LoadAction.RESTORE
                decider.each[command.load_id].acknowledge(command, is_done=True, now=now)
        for name, device in devices.items():
            decider.each[name].add_report(LoadReport(is_on=device.is_supplied), now)
        if (reading := sensor.sample(now, (flows,))) is not None:
            control.add_reading(reading)
        control.decide(now=now)
        for decision in decider.decide(control.strain(now), Mode.BALANCED, now=now):
            if decision.command is not None:
                coming.append((now + luck.uniform(*SWITCH_S), decision.command))
                result.sheds += decision.command.action is LoadAction.SHED
    result.boiler_kwh, result.pump_kwh = boiler.taken_kwh, pump.taken_kwh
    result.coldest = boiler.coldest_kwh / TANK_KWH
    return result


HOUSES = (("bellenden_2012mar_6s", 16.0), ("ukdale_h1_2013apr_6s", 16.0), ("uci_sceaux_2007jan_1min", 25.0))
"""Recorded houses, each with half of a usual rating (32, 32 and 50 A)."""


def table(traces: Path, *, hours: float) -> Iterator[str]:
    """Yield the rows of the first table in docs/loads.md."""
    trips = ("Trips without", "Trips with", "House alone")
    heads = ("House", "Breaker", *trips, "Switched off", "Boiler", "Heat pump", "Tank")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for name, rating in HOUSES:
        house = load(traces / f"{name}.csv.gz").window(hours=hours)
        alone, without = (run(house, rating=rating, controlled=False, loads=are_there) for are_there in (False, True))
        ours = run(house, rating=rating, controlled=True)
        yield (
            f"| {name} | {rating:g} A | {without.trips} | {ours.trips} | {alone.trips} | {ours.sheds} "
            f"| {100 * ours.boiler_kwh / without.boiler_kwh:.1f} % | {100 * ours.pump_kwh / without.pump_kwh:.1f} % "
            f"| {100 * without.coldest:.0f} → {100 * ours.coldest:.0f} % |"
        )


LIMIT_KW, WIDE_A = 4.0, 40.0
"""A limit on each quarter of an hour, behind a breaker that bears all of it."""


def limit_table(traces: Path, *, hours: float) -> Iterator[str]:
    """Yield the rows of the second table in docs/loads.md."""
    over = ("Over without", "Over with", "House alone", "Ours")
    heads = ("House", "Limit", "Windows", *over, "Switched off", "Boiler", "Heat pump", "Tank")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    most = 1000 * LIMIT_KW * (1 + TOLERANCE_PART)
    for name, _ in HOUSES:
        house = load(traces / f"{name}.csv.gz").window(hours=hours)
        alone, without = (run(house, rating=WIDE_A, controlled=False, loads=are_there) for are_there in (False, True))
        ours = run(house, rating=WIDE_A, controlled=True, limit_watts=1000 * LIMIT_KW)
        counts = (sum(watts > most for watts in each.windows_watts) for each in (without, ours, alone))
        caused = sum(
            watts > most and beside <= 1000 * LIMIT_KW
            for watts, beside in zip(ours.windows_watts, alone.windows_watts, strict=True)
        )
        yield (
            f"| {name} | {LIMIT_KW:g} kW | {len(ours.windows_watts)} | {' | '.join(map(str, counts))} | {caused} "
            f"| {ours.sheds} | {100 * ours.boiler_kwh / without.boiler_kwh:.1f} % "
            f"| {100 * ours.pump_kwh / without.pump_kwh:.1f} % "
            f"| {100 * without.coldest:.0f} → {100 * ours.coldest:.0f} % |"
        )
