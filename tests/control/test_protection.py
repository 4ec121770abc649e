"""The models open when the standards and contracts say that the devices do; the controller's forecast agrees."""

from math import exp, inf, log

from hypothesis import assume, given, strategies as st
import pytest

from custom_components.amp_sensor.control import Protection, ProtectionKind
from custom_components.amp_sensor.control.protection import PhaseLoad

MCBS = (ProtectionKind.MCB_B, ProtectionKind.MCB_C, ProtectionKind.MCB_D)
HOUR_S = 3600


def _opens_after(kind: ProtectionKind, ratio: float, limit_s: int = HOUR_S) -> float:
    load = PhaseLoad(Protection(kind=kind, rating_amps=16.0))
    for second in range(limit_s):
        load.integrate(16.0 * ratio, 1)
        if load.load >= 1:
            return second + 1
    return inf


@pytest.mark.parametrize("kind", MCBS)
def test_a_breaker_holds_113_percent_for_an_hour_and_opens_at_145_within_it(kind: ProtectionKind) -> None:
    assert _opens_after(kind, 1.129) == inf
    assert _opens_after(kind, 1.45) <= HOUR_S


@pytest.mark.parametrize("kind", MCBS)
def test_a_breaker_opens_at_255_percent_within_1_to_60_s(kind: ProtectionKind) -> None:
    assert 1 <= _opens_after(kind, 2.55) <= 60


@pytest.mark.parametrize(
    ("kind", "instant"), [(ProtectionKind.MCB_B, 3.0), (ProtectionKind.MCB_C, 5.0), (ProtectionKind.MCB_D, 10.0)]
)
def test_the_magnetic_part_may_open_at_once(kind: ProtectionKind, instant: float) -> None:
    load = PhaseLoad(Protection(kind=kind, rating_amps=16.0))
    assert load.tolerated_s(16.0 * instant, 0.5) == 0
    assert load.tolerated_s(16.0 * instant * 0.99, 0.5) > 0


def test_a_fuse_holds_125_percent_for_an_hour_and_melts_at_160_within_it() -> None:
    assert _opens_after(ProtectionKind.FUSE_GG, 1.249) == inf
    assert _opens_after(ProtectionKind.FUSE_GG, 1.6) <= HOUR_S


def test_a_16_a_fuse_carries_33_a_for_10_s() -> None:
    assert _opens_after(ProtectionKind.FUSE_GG, 33 / 16) >= 10


def test_a_meter_switch_lets_its_tolerance_pass_for_good_and_more_for_its_time() -> None:
    contract = Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=20.0, tolerance=0.1, time_s=120.0)
    load = PhaseLoad(contract)
    load.integrate(22.0, HOUR_S)
    assert load.load == 0
    assert load.tolerated_s(22.0, 1.0) == inf
    assert load.tolerated_s(22.1, 0.5) == 60
    load.integrate(22.1, 119)
    assert load.load < 1
    load.integrate(22.1, 1)
    assert load.load == 1
    load.integrate(20.0, 120)
    assert load.load == 0


@pytest.mark.parametrize("kind", ProtectionKind)
def test_what_is_within_the_rating_uses_up_nothing(kind: ProtectionKind) -> None:
    load = PhaseLoad(Protection(kind=kind, rating_amps=16.0))
    load.integrate(16.0, HOUR_S)
    assert load.load == pytest.approx(0)
    assert load.tolerated_s(16.0, 0.5) == inf


@given(
    kind=st.sampled_from(ProtectionKind),
    past=st.floats(0, 2.5),
    past_s=st.floats(0, 600),
    ratio=st.floats(0.5, 2.9),
    until=st.floats(0.1, 0.9),
)
def test_the_forecast_is_what_then_happens(
    kind: ProtectionKind, past: float, past_s: float, ratio: float, until: float
) -> None:
    load = PhaseLoad(Protection(kind=kind, rating_amps=10.0))
    load.integrate(10 * past, past_s)
    assume(load.load < 1)
    tolerated_s = load.tolerated_s(10 * ratio, until)
    if tolerated_s == inf:
        load.integrate(10 * ratio, 10 * HOUR_S)
        assert load.load <= until + 1e-6
    elif tolerated_s > 0:
        load.integrate(10 * ratio, tolerated_s)
        assert load.load == pytest.approx(until, abs=1e-6)
    else:
        assert load.load >= until - 1e-9


@pytest.mark.parametrize(
    ("kind", "ratio"),
    [
        (ProtectionKind.MCB_B, 5.0),
        (ProtectionKind.MCB_C, 1.13 / (1 - exp(-1 / 60)) ** 0.5),
        (ProtectionKind.MCB_D, 1.13 / (1 - exp(-1 / 60)) ** 0.5),
        (ProtectionKind.FUSE_GG, 1.25 / (1 - exp(-1 / 22)) ** 0.5),
        (ProtectionKind.METER_SWITCH, 1.13 / (1 - exp(-1 / 60)) ** 0.5),
    ],
)
def test_what_cannot_flow_for_a_second_is_told_by_the_magnet_or_by_what_melts(
    kind: ProtectionKind, ratio: float
) -> None:
    assert Protection(kind=kind, rating_amps=16.0).opens_at_once_amps == pytest.approx(16 * ratio)


@pytest.mark.parametrize(("kind", "amps"), [(ProtectionKind.MCB_C, 20.0), (ProtectionKind.FUSE_GG, 24.0)])
def test_what_flows_out_heats_as_what_flows_in(kind: ProtectionKind, amps: float) -> None:
    into, out = (PhaseLoad(Protection(kind=kind, rating_amps=16.0)) for _ in range(2))
    into.integrate(amps, 100)
    out.integrate(-amps, 100)
    assert into.load == out.load > 0
    assert into.tolerated_s(amps, 1.0) == out.tolerated_s(-amps, 1.0)


def test_a_meter_switch_has_a_breaker_beside_it_that_is_warm_by_the_time_it_counts() -> None:
    load = PhaseLoad(Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=20.0))
    load.integrate(30.0, 30)
    assert load.used == 0.5
    assert load.heat_a2 == pytest.approx(900 * (1 - exp(-0.5)))
    assert load.load == 0.5
    full = PhaseLoad(Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=20.0))
    full.integrate(30.0, 240)
    full.integrate(0.0, 30)
    assert full.used == 0.5, "it counts no further than its time"
    load.integrate(-30.0, 15)
    assert load.used == 0.75
    load.configure(Protection(rating_amps=20.0))
    assert load.load == pytest.approx(((900 * (1 - exp(-0.75))) / 400 - 1) / (1.13**2 - 1))


def test_from_warm_it_bears_less() -> None:
    cold, warm = (PhaseLoad(Protection(rating_amps=16.0)) for _ in range(2))
    warm.integrate(16.0, 600)
    assert 0 < warm.tolerated_s(20.0, 0.5) < cold.tolerated_s(20.0, 0.5) < inf
    assert cold.tolerated_s(20.0, 0.5) == pytest.approx(60 * log((20 / 16) ** 2 / ((20 / 16) ** 2 - 1 - 0.5 * 0.2769)))
    warm.integrate(30.0, 30)
    assert warm.tolerated_s(20.0, 0.1) == 0


def test_however_hot_no_more_than_all_of_its_tolerance_is_used_up() -> None:
    load = PhaseLoad(Protection(rating_amps=10.0))
    load.heat_a2 = 10_000.0
    assert load.load == 1
    assert load.tolerated_s(20.0, 0.5) == 0


def test_what_it_carries_for_good_it_carries_whatever_may_be_used_up() -> None:
    load = PhaseLoad(Protection(rating_amps=10.0))
    assert load.tolerated_s(10.0, 0.0) == inf
    assert load.tolerated_s(10.4, 0.0) < inf, "by a little more it is warmed"


def test_a_meter_switch_bears_what_is_left_of_its_time() -> None:
    load = PhaseLoad(Protection(kind=ProtectionKind.METER_SWITCH, rating_amps=10.0, time_s=60.0))
    load.integrate(20.0, 15.0)
    assert load.tolerated_s(20.0, 0.5) == 15
    load.integrate(20.0, 30.0)
    assert load.tolerated_s(20.0, 0.5) == 0
