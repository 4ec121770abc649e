"""Which part of what flows a meter shows, by what it shows of a charger's own steps."""

from itertools import cycle
from random import Random

import pytest

from custom_components.amp_sensor.control.charging import ChargerReport, ChargingState
from custom_components.amp_sensor.control.reading import Reading
from custom_components.amp_sensor.control.steps import Shown, ShownPart, Steps


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ((0.5, 0.5, 0.5, 0.5), 0.5),
        ((0.5, 0.45, 0.55, 0.6), 0.45),
        ((0.5, 0.5, 0.5), 1.0),
        ((0.5, 0.5, 0.5, 0.66), 1.0),
        ((0.5, 0.5, 0.7, 0.5), 1.0),
        ((0.5, 0.5, 0.1, 0.5, 2.0, 0.5), 0.5),
        ((0.5, 0.5, 0.5, 0.5, 1.0), 0.5),
        ((0.5, 0.5, 0.5, 0.5, 1.0, 1.0), 1.0),
        ((0.5, 0.5, 0.5, 0.5, 1.0, 0.5, 1.0), 0.5),
    ],
)
def test_several_steps_have_to_agree(parts: tuple[float, ...], found: float) -> None:
    shown = ShownPart()
    for part, is_rise in zip(parts, cycle((True, False)), strict=False):
        shown.add(Shown(part, is_rise))
    assert shown.part == found


def test_steps_of_one_direction_prove_nothing() -> None:
    """A house that rises just as a car is lowered because of it hides a part of each cut."""
    shown = ShownPart()
    for _ in range(10):
        shown.add(Shown(0.5, is_rise=False))
    assert shown.part == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("factor", [1.0, 0.5, 0.4])
def test_an_honest_meter_is_never_accused_and_a_wrong_one_soon(seed: int, factor: float) -> None:
    """Whatever the house does, and although the car is lowered because of it."""
    random, steps, shown = Random(seed), Steps(), ShownPart()
    kettle, readings, found, amps = 0.0, [], set(), 16.0
    requests = [16.0] * 12
    for now in range(1, 40_000):
        if random.random() < 0.004:
            kettle = 0.0 if kettle else random.choice([2.0, 4.0, 8.0, 9.0, 13.0])
        requests.append(max(5.0, 17.0 - kettle) if now % 3 else requests[-1])
        amps += max(-3.0, min(1.0, round(requests.pop(0)) - amps))
        if now % 5 == 0:
            flows = factor * (3.0 + kettle + amps + random.random() / 2)
            readings = [*readings[-120:], Reading(at=now, amps=(flows,), volts=(230.0,), watts=0.0)]
        if now % 20 == 0:
            report = ChargerReport(
                age_s=10.0, state=ChargingState.CHARGING, measured_amps=float(round(amps)), at_home=True
            )
            if (step := steps.add(report, readings, is_alone=True, now=now)) is not None:
                shown.add(step)
        found.add(shown.part)
    if factor == 1:
        assert found == {1.0}
    else:
        assert min(found) == pytest.approx(factor, abs=0.1)
