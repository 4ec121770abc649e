"""Whether a car hangs on this meter is told after much evidence, and by nothing that has another cause."""

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from random import Random

import pytest

from custom_components.amp_sensor.control import ChargerReport, ChargingState, Reading
from custom_components.amp_sensor.notices.watch import (
    OTHER_AFTER_S,
    OTHER_WITHIN_S,
    ChargerWatch,
    Lasting,
    Misfit,
    PowerWatch,
    WriterWatch,
)

REPORT_S, METER_S = 15, 5


class Circuit:
    """A meter, and a car that is fed through it or not."""

    def __init__(self, *, is_fed: bool = True, meter_s: int = METER_S, lag_s: float = 10.0, phase: int = 0) -> None:
        self.watch = ChargerWatch()
        self.is_fed = is_fed
        self.meter_s = meter_s
        self.lag_s = lag_s
        self.phase = phase
        self.now = 0
        self.readings: list[Reading] = []
        self.drawn: list[float] = []
        self.is_alone = True
        self.told: list[bool] = []

    def run(self, seconds: int, car: Callable[[int], float], house: Callable[[int], float] = lambda _: 4.0) -> bool:
        """Let time pass, and return whether the car is taken for one on another circuit."""
        for _ in range(seconds):
            self.now += 1
            amps = car(self.now)
            self.drawn.append(amps)
            if self.now % self.meter_s == 0:
                phases = [house(self.now), 0.5, 0.7]
                phases[self.phase] += amps if self.is_fed else 0.0
                reading = Reading(at=self.now, amps=tuple(phases), volts=(230.0,) * 3, watts=0.0)
                self.readings = [r for r in self.readings if r.at > self.now - 600] + [reading]
            if self.now % REPORT_S == 0 and len(self.drawn) > self.lag_s:
                seen = self.drawn[-1 - int(max(0.0, self.lag_s))]
                report = ChargerReport(
                    age_s=self.lag_s,
                    state=ChargingState.CHARGING if seen else ChargingState.STOPPED,
                    measured_amps=seen,
                    at_home=True,
                )
                self.tell(report)
        return self.look()

    def tell(self, report: ChargerReport) -> None:
        self.watch.add_report(report, self.readings, is_alone=self.is_alone, now=self.now)
        self.told.append(self.look())

    def look(self) -> bool:
        return self.watch.look(is_asleep=False, is_lost=False, now=self.now)["other_circuit"]


def steps(now: int) -> float:
    """A car that draws 16 and 6 A in turn, for two minutes each."""
    return 16.0 if now // 120 % 2 else 6.0


def on_off(now: int) -> float:
    return 10.0 if now // 200 % 2 else 0.0


@pytest.mark.parametrize("car", [steps, on_off])
def test_a_car_elsewhere_is_told_after_several_changes_and_not_before(car: Callable[[int], float]) -> None:
    circuit = Circuit(is_fed=False)
    assert not circuit.run(570, car)
    assert circuit.run(1200, car)
    circuit.is_fed = True
    assert not circuit.run(600, car), "and no longer once it is seen"


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("lag_s", [-30.0, 0.0, 5.0, 20.0, 50.0])
def test_a_car_on_the_meter_is_never_taken_for_one_elsewhere(lag_s: float, phase: int) -> None:
    """Whatever the house does, and although the car is lowered because of it, and wherever its clock stands."""
    random = Random(f"{lag_s} {phase}")
    kettle = [0.0]

    def house(now: int) -> float:
        if random.random() < 0.01:
            kettle[0] = 0.0 if kettle[0] else random.choice([2.0, 4.0, 8.0, 9.0, 13.0])
        return 3.0 + kettle[0] + random.random() / 5

    requests: list[float] = []

    def car(now: int) -> float:
        requests.append(max(5.0, 20.0 - 3.0 - round(kettle[0])))
        return requests[max(0, len(requests) - 6)]

    circuit = Circuit(lag_s=lag_s, phase=phase)
    circuit.run(20_000, car, house)
    assert not any(circuit.told)


@pytest.mark.parametrize(
    "case", ["slow meter", "old reports", "other cars", "away", "unknown", "no current", "small changes", "no meter"]
)
def test_what_is_no_evidence_is_not_taken_for_any(case: str) -> None:
    circuit = Circuit(is_fed=False)
    car = steps
    tell = circuit.tell
    match case:
        case "slow meter":
            circuit.meter_s = 20
        case "old reports":
            circuit.lag_s = 70
        case "other cars":
            circuit.is_alone = False
        case "away":
            circuit.tell = lambda report: tell(replace(report, at_home=None))  # type: ignore[method-assign]
        case "unknown":
            circuit.tell = lambda report: tell(replace(report, state=ChargingState.UNKNOWN))  # type: ignore[method-assign]
        case "no current":
            circuit.tell = lambda report: tell(replace(report, measured_amps=None))  # type: ignore[method-assign]
        case "small changes":
            car = lambda now: steps(now) / 4  # noqa: E731
        case "no meter":
            circuit.meter_s = 10**6
    circuit.run(3000, car)
    assert not any(circuit.told)


def test_half_of_a_change_is_no_evidence_either_way() -> None:
    circuit = Circuit(is_fed=False)
    assert circuit.run(1800, steps)
    assert circuit.run(1800, steps, lambda now: 4.0 + steps(now) / 2)
    circuit = Circuit(is_fed=False)
    assert not circuit.run(3000, steps, lambda now: 4.0 + steps(now) / 2)


def test_a_clock_ahead_makes_no_car_behind() -> None:
    watch = ChargerWatch()

    def tell(age_s: float, now: float, **changes: object) -> dict[str, bool]:
        report = ChargerReport(age_s=age_s, state=ChargingState.CHARGING, **changes)  # type: ignore[arg-type]
        watch.add_report(report, (), is_alone=True, now=now)
        return {
            key: is_wrong for key, is_wrong in watch.look(is_asleep=False, is_lost=False, now=now).items() if is_wrong
        }

    assert [tell(-100.0, now) for now in (0, 20, 40)][-1] == {"clock_ahead": True}
    assert tell(150.0, 60) == {}
    assert [tell(150.0, now) for now in range(80, 180, 20)][-1] == {"clock_behind": True}
    assert tell(2.0, 180) == {}
    assert all(tell(100.0 + now, now) == {} for now in range(200, 400, 20)), "a cloud that says the same again"
    assert all(tell(150.0, now, asleep=True) == {} for now in range(400, 600, 20)), "a car that sleeps"


def test_what_lasts_counts_until_it_was_over_for_a_while() -> None:
    lasting = Lasting(10.0, 5.0)
    told = [lasting.look(is_so, now) for now, is_so in enumerate([True] * 9 + [False] + [True] * 11)]
    assert told == [False] * 20 + [True]
    assert [lasting.look(is_so, 30 + now) for now, is_so in enumerate([False, True, *[False] * 6, True])] == [
        *[True] * 7,
        False,
        False,
    ]


# Power that does not fit the current


def _power(*readings: tuple[tuple[float | None, ...], float], seconds: int = 900, every_s: int = 5) -> PowerWatch:
    """Post these in turns."""
    watch = PowerWatch()
    _go_on(watch, *readings, start=0, seconds=seconds, every_s=every_s)
    return watch


def _go_on(
    watch: PowerWatch,
    *readings: tuple[tuple[float | None, ...], float],
    start: int,
    seconds: int,
    every_s: int = 5,
) -> None:
    for at, (amps, watts) in zip(range(start, start + seconds, every_s), cycle(readings), strict=False):
        watch.add(Reading(at=at, amps=amps, volts=(230.0,) * len(amps), watts=watts))


@pytest.mark.parametrize(
    ("amps", "watts", "misfit"),
    [
        ((21.0,), 4.83, Misfit.TOO_SMALL),
        ((21.0,), 0.0, Misfit.TOO_SMALL),
        ((-21.0,), -4.83, Misfit.TOO_SMALL),
        ((21.0,), 480.0, Misfit.TOO_SMALL),
        ((8.0, 2.0, 5.0), 3.45, Misfit.TOO_SMALL),
        ((8.0, None, 5.0), 2.99, Misfit.TOO_SMALL),
        ((21.0,), 4.83e5, Misfit.TOO_LARGE),
        ((2.1,), 2000.0, Misfit.TOO_LARGE),
        ((8.0, 2.0, 5.0), 5e5, Misfit.TOO_LARGE),
    ],
)
def test_power_that_is_far_off_for_long_is_told(amps: tuple[float | None, ...], watts: float, misfit: Misfit) -> None:
    watch = _power((amps, watts))
    assert watch.misfit is misfit
    assert watch.look() == {"watts_implausible": True}
    assert watch.is_energy_wrong
    _go_on(watch, (amps, 230.0 * sum(abs(a) for a in amps if a)), start=900, seconds=600)
    assert watch.misfit is misfit
    _go_on(watch, (amps, 230.0 * sum(abs(a) for a in amps if a)), start=1500, seconds=60)
    assert watch.look() == {"watts_implausible": False}, "and no longer once it is right"
    assert not watch.is_energy_wrong


@pytest.mark.parametrize(
    "readings",
    [
        [((21.0,), 4830.0)],
        [((21.0,), 500.0)],
        [((1.9,), 0.4)],
        [((21.0,), 4.83), ((21.0,), 4830.0)],
        [((8.0, -4.0, -4.0), 0.0)],
        [((8.0, 4.0, 4.0), -30.0)],
        [((8.0, 4.0, 4.0), 30.0)],
        [((8.0, None), 1840.0)],
        [((2.1,), 1400.0)],
    ],
    ids=["right", "a motor", "little", "now and then", "export", "a battery", "the same", "silent", "late"],
)
def test_power_that_may_be_right_is_not_told(readings: list[tuple[tuple[float | None, ...], float]]) -> None:
    assert _power(*readings, seconds=7200).misfit is None


def test_power_is_told_neither_early_nor_on_few_readings() -> None:
    assert _power(((21.0,), 4.83), seconds=600).misfit is None
    assert _power(((21.0,), 4.83), seconds=605).misfit is Misfit.TOO_SMALL
    assert _power(((21.0,), 4.83), seconds=9 * 120, every_s=120).misfit is None
    assert _power(((21.0,), 4.83), seconds=10 * 120, every_s=120).misfit is Misfit.TOO_SMALL


def test_energy_of_a_counter_is_right_whatever_power_says() -> None:
    watch = PowerWatch()
    for at in range(0, 900, 5):
        watch.add(Reading(at=at, amps=(21.0,), volts=(230.0,), watts=4.83, energy_wh=6.7 * at))
    assert watch.misfit is Misfit.TOO_SMALL
    assert not watch.is_energy_wrong


def test_a_phase_that_was_silent_meanwhile_is_looked_at_all_the_same() -> None:
    circuit = Circuit(is_fed=False)
    circuit.run(570, steps)
    circuit.readings = [
        replace(reading, amps=(None, *reading.amps[1:])) if number % 3 else reading
        for number, reading in enumerate(circuit.readings)
    ]
    assert circuit.run(1200, steps)


# -- something else that sets a charger


def test_what_sets_a_charger_after_us_again_and_again_is_told_and_named() -> None:
    writers = WriterWatch()
    for round_ in range(3):
        assert not writers.look(round_ * 600.0)
        writers.told(round_ * 600.0)
        for later in (30, 40, 50):
            writers.add("Follow the sun", round_ * 600.0 + later)  # every report says so until we set it again
    assert writers.look(1300.0)
    assert writers.writer == "Follow the sun"
    assert not writers.look(30 + OTHER_WITHIN_S + 1), "and no longer once that has ended"


def test_once_or_late_or_by_nobody_is_nothing() -> None:
    for writer, after_s, times in (("", 30, 2), ("", OTHER_AFTER_S + 1, 9), (None, 30, 9)):
        writers = WriterWatch()
        for round_ in range(times):
            writers.told(round_ * 300.0)
            writers.add(writer, round_ * 300.0 + after_s)
        assert not writers.look(times * 300.0)


def test_three_in_more_than_an_hour_are_not_again_and_again() -> None:
    writers = WriterWatch()
    for at in (0.0, 2000.0, 4000.0):
        writers.told(at)
        writers.add("", at + 10)
    assert not writers.look(4020.0)


def test_what_is_gone_for_a_moment_is_not_told() -> None:
    watch = ChargerWatch()
    told = [
        watch.look(is_asleep=False, is_lost=False, is_gone=True, now=now)["charger_entity_gone"] for now in (0, 30, 60)
    ]
    assert told == [False, False, True]
    assert not watch.look(is_asleep=False, is_lost=False, is_gone=False, now=61)["charger_entity_gone"]
