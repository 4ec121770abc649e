"""The models open when the standards and contracts say that the devices do; the controller's forecast agrees."""

from math import inf

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
