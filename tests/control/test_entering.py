"""What is not finite or out of range is refused where it enters, with an error that names it and its limits."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from custom_components.amp_sensor.control import (
    Action,
    ChargerReport,
    ChargerSettings,
    ChargingState,
    Mode,
    Outcome,
    Priority,
    Protection,
    ProtectionKind,
    Reading,
    Reason,
    SiteSettings,
    Supply,
)
from custom_components.amp_sensor.control.reading import signed


def _reading(**changes: Any) -> Reading:
    return Reading(**{"at": 1.0, "amps": (10.0, 2.0), "volts": (230.0, 231.0), "watts": 2760.0} | changes)


def _report(**changes: Any) -> ChargerReport:
    return ChargerReport(**{"age_s": 1.0, "state": ChargingState.CHARGING} | changes)


def _charger(**changes: Any) -> ChargerSettings:
    return ChargerSettings(**{"max_amps": 16} | changes)


def _site(**changes: Any) -> SiteSettings:
    return SiteSettings(**{"max_amps": 25.0} | changes)


def _protection(**changes: Any) -> Protection:
    return Protection(**{"rating_amps": 25.0} | changes)


OUT: list[tuple[Callable[..., object], str, list[Any]]] = [
    (_reading, "amps", [(500.01, 1.0), (1.0, -500.01), (nan, 1.0), (inf, 1.0), (None, None)]),
    (_reading, "volts", [(0.0, 230.0), (230.0, -1.0), (nan, 230.0), (230.0, inf), (230.0,), (230.0,) * 3]),
    (_reading, "watts", [nan, inf, -inf]),
    (_reading, "at", [nan, inf]),
    (_reading, "energy_wh", [nan, inf, -inf]),
    (_report, "requested_amps", [-0.01, nan, inf]),
    (_report, "measured_amps", [-0.01, nan, inf]),
    (_report, "limit_amps", [-0.01, nan, inf]),
    (_report, "volts", [-0.01, nan, inf]),
    (_report, "age_s", [nan]),
    (_report, "phases", [0, 4, -1]),
    (_charger, "max_amps", [0, 126, -16]),
    (_charger, "min_amps", [0, 126]),
    (_charger, "phases", [(), (0,), (4,), (1, 4)]),
    (_site, "max_amps", [0.99, 125.01, nan, -inf]),
    (_protection, "rating_amps", [0.99, nan, inf]),
    (_protection, "tolerance", [-0.01, nan, inf]),
    (_protection, "time_s", [0.99, nan, inf]),
]
IN: list[tuple[Callable[..., object], str, list[Any]]] = [
    (_reading, "amps", [(500.0, -500.0), (0.0, 0.0), (None, 1.0)]),
    (_reading, "volts", [(0.01, 1000.0)]),
    (_reading, "watts", [-1e6, 0.0, 1e6]),
    (_reading, "energy_wh", [None, 0.0, -1.0, 1e9]),
    (_report, "requested_amps", [0.0, 32.0, None]),
    (_report, "measured_amps", [0.0, 32.0, None]),
    (_report, "limit_amps", [0.0, 32.0, None]),
    (_report, "volts", [0.0, 400.0, None]),
    (_report, "age_s", [-5.0, 0.0, inf]),
    (_report, "phases", [None, 1, 2, 3]),
    (_charger, "max_amps", [1, 125]),
    (_charger, "min_amps", [1, 125]),
    (_charger, "phases", [None, (1,), (3,), (1, 2, 3)]),
    (_site, "max_amps", [1.0, 125.0]),
    (_protection, "rating_amps", [1.0]),
    (_protection, "tolerance", [0.0]),
    (_protection, "time_s", [1.0]),
]


def _each(table: list[tuple[Callable[..., object], str, list[Any]]]) -> list[Any]:
    return [
        pytest.param(make, name, value, id=f"{make.__name__[1:]} {name} {value}")
        for make, name, values in table
        for value in values
    ]


@pytest.mark.parametrize(("make", "name", "value"), _each(OUT))
def test_what_is_out_of_range_is_refused_by_name(make: Callable[..., object], name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        make(**{name: value})


@pytest.mark.parametrize(("make", "name", "value"), _each(IN))
def test_the_limits_themselves_are_within_the_range(make: Callable[..., object], name: str, value: object) -> None:
    assert getattr(make(**{name: value}), name) == value


@pytest.mark.parametrize("count", [0, 4])
def test_a_reading_has_one_to_three_phases(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 3 phases"):
        _reading(amps=(1.0,) * count, volts=(230.0,) * count)


def test_a_reading_of_one_phase_or_three_is_taken() -> None:
    for count in (1, 3):
        assert _reading(amps=(1.0,) * count, volts=(230.0,) * count).known == (1.0,) * count


def test_a_phase_that_was_not_told_is_not_zero() -> None:
    reading = _reading(amps=(None, -3.0))
    assert reading.known == (-3.0,)
    assert reading.current == -3.0
    assert _reading(amps=(-5.0, -3.0)).current == -3.0
    assert _reading(amps=(7.0, 9.0)).current == 9.0


@pytest.mark.parametrize(
    ("amps", "watts", "flows"),
    [
        (10.0, 2300.0, 10.0),
        (10.0, None, 10.0),
        (10.0, 0.0, 10.0),
        (10.0, -2300.0, -10.0),
        (-10.0, -2300.0, -10.0),
        (-10.0, 2300.0, -10.0),
        (-10.0, None, -10.0),
        (0.0, -1.0, 0.0),
    ],
)
def test_a_size_of_current_has_the_sign_of_its_power(amps: float, watts: float | None, flows: float) -> None:
    assert signed(amps, watts) == flows


def test_a_supply_has_its_phases() -> None:
    assert [supply.phases for supply in (Supply.SINGLE, Supply.SPLIT, Supply.THREE)] == [1, 2, 3]


def test_a_state_draws_unless_it_certainly_does_not() -> None:
    assert {state for state in ChargingState if state.draws} == {
        ChargingState.STARTING,
        ChargingState.CHARGING,
        ChargingState.UNKNOWN,
    }


def test_what_is_stored_is_called_as_ever() -> None:
    """By these words a site's settings are found again after an update."""
    stored = (ProtectionKind, Supply, Priority, Mode)
    assert [[each.value for each in kind] for kind in stored] == [
        ["mcb_b", "mcb_c", "mcb_d", "fuse_gg", "meter_switch"],
        ["single", "split", "three"],
        ["first", "normal", "last"],
        ["off", "monitor", "strict", "balanced", "eager"],
    ]
    for kind in (Reason, Action, Outcome, ChargingState):
        assert [each.value for each in kind] == [each.name.lower() for each in kind]
