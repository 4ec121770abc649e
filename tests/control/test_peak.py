"""What is left of a window of the clock."""

import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import Clock, LimitSettings, Reason
from custom_components.amp_sensor.control.peak import LATER_PART, RESERVE_PART, Window
from tests.control.bench import Bench, running
from tests.control.test_limits import limited

QUARTER_S = 900.0
LIMIT = 4000.0


def window(began_at: float = 0.0, now: float = 0.0) -> Window:
    return Window(QUARTER_S, began_at, now, spread_s=0.0)


def fed(watts: float, *, house: float | None = None, until: float, since: float = 0.0) -> Window:
    """Return a window in which so much flowed from its beginning on."""
    fresh = window()
    for now in range(int(since), int(until), 5):
        fresh.add(watts, watts if house is None else house, now, holds_s=15.0)
    fresh.integrate(until)
    return fresh


def test_at_its_beginning_a_window_has_what_the_limit_says_but_for_what_is_kept() -> None:
    assert window().allowed_watts(LIMIT, 0.0) == pytest.approx(LIMIT * (1 - RESERVE_PART - LATER_PART))


def test_what_is_kept_for_the_house_is_there_late_and_is_drawn_in_the_end() -> None:
    drawn = window()
    for now in range(0, 900, 5):
        drawn.add(drawn.allowed_watts(LIMIT, now), 0.0, now, holds_s=15.0)
        if now == 600:
            kept_ws = LIMIT * 600 - drawn.imported_ws
            assert kept_ws > 0.03 * LIMIT * QUARTER_S
    drawn.integrate(899.0)
    assert 0.97 * LIMIT * QUARTER_S < drawn.imported_ws < 0.99 * LIMIT * QUARTER_S


def test_what_was_drawn_is_missing_later_and_what_was_not_is_there() -> None:
    left = (LIMIT * (1 - RESERVE_PART) * 900 - 6000 * 450) / 450
    allowed = fed(6000.0, house=0.0, until=450).allowed_watts(LIMIT, 450.0)
    assert allowed == pytest.approx(left - LIMIT * LATER_PART)
    assert fed(1000.0, house=0.0, until=450).allowed_watts(LIMIT, 450.0) > LIMIT


def test_what_is_unknown_counts_as_at_the_limit() -> None:
    late = window(now=600.0)
    assert late.allowed_watts(LIMIT, 600.0) == pytest.approx(LIMIT * (1 - RESERVE_PART * 900 / 300 - LATER_PART))
    silent = fed(0.0, until=100)
    assert silent.state(LIMIT, 900.0 - 1e-6).expected_watts == pytest.approx(LIMIT * (800 - 10) / 900, rel=0.01)


def test_what_loads_may_still_let_flow_is_what_is_left_over_the_time_that_is_left() -> None:
    left = (LIMIT * (1 - RESERVE_PART) * 900 - 6000 * 450) / 450
    assert fed(6000.0, until=450).left_watts(LIMIT, 450.0) == pytest.approx(left)
    assert window(now=450.0).left_watts(LIMIT, 450.0) == pytest.approx(LIMIT * (1 - 2 * RESERVE_PART)), "unknown so far"


def test_export_does_not_make_up_for_import() -> None:
    """As in Belgium: the registers of import and export are apart."""
    sunny = fed(-5000.0, until=450)
    assert sunny.imported_ws == 0
    assert sunny.allowed_watts(LIMIT, 450.0) <= (LIMIT * 900) / 450


def test_each_window_begins_anew_and_the_highest_is_kept() -> None:
    two = fed(3000.0, until=1350)
    assert two.began_at == 900
    assert two.imported_ws == pytest.approx(3000 * 450)
    assert two.highest_watts == pytest.approx(3000)


def test_a_window_is_at_risk_before_it_is_lost() -> None:
    calm, busy = (fed(watts, until=300).state(LIMIT, 300.0) for watts in (2000.0, 4500.0))
    assert (calm.is_at_risk, busy.is_at_risk) == (False, True)
    assert busy.average_watts == pytest.approx(4500)
    assert busy.expected_watts == pytest.approx(4500)
    assert busy.ends_in_s == 600


def test_a_house_that_alone_takes_it_all_is_not_the_chargers_fault() -> None:
    assert fed(6000.0, house=5000.0, until=300).is_house_alone(LIMIT, 300.0)
    assert not fed(6000.0, house=3000.0, until=300).is_house_alone(LIMIT, 300.0)


def test_a_kettle_is_borne_where_it_can_be_made_up_for() -> None:
    """Three kilowatts more for a minute, early in the window: what the house usually draws is what counts."""
    boiling = fed(1000.0, until=100)
    boiling.add(4000.0, 4000.0, 100.0, holds_s=15.0)
    assert boiling.allowed_watts(LIMIT, 101.0) > LIMIT + 1000


def test_nothing_jumps_when_a_window_begins() -> None:
    spread = Window(QUARTER_S, 0.0, 0.0, spread_s=40.0)
    for now in range(0, 900, 5):
        spread.add(4200.0, 0.0, now, holds_s=15.0)
    before = spread.allowed_watts(LIMIT, 899.0)
    assert before < 2000
    assert spread.allowed_watts(LIMIT, 905.0) == max(before, 0.0)
    assert spread.allowed_watts(LIMIT, 941.0) > 3500


def test_no_two_limits_raise_at_the_same_second() -> None:
    bench = running()
    spreads = set()
    for number in range(8):
        settings = LimitSettings(reason=Reason.PEAK_LIMIT, max_watts=LIMIT, window_s=900.0)
        bench.controller.limit({f"01J{number}": settings}, Clock(wall_s=0.0, month=""), now=bench.now)
        spreads.add(bench.controller.supply_limits[f"01J{number}"]._spread_s)
    assert len(spreads) == 8
    assert all(20 <= spread <= 60 for spread in spreads)


# -- whose clock counts -------------------------------------------------------------------------------------------


def test_the_meters_own_window_counts_where_it_tells() -> None:
    own = fed(3600.0, until=500)
    own.tell(2000.0, 500.0)
    assert own.imported_ws == pytest.approx(2000 * 900)
    own.tell(20.0, 700.0)
    assert own.began_at == pytest.approx(700 - 20 * 900 / 3600), "it fell: a window began five seconds ago"
    own.align(0.0, 700.0)
    assert own.began_at == pytest.approx(695), "no other clock is asked any more"


def test_a_meter_that_is_later_than_the_clock_does_not_fill_the_new_window() -> None:
    own = fed(3600.0, until=890)
    own.tell(3500.0, 890.0)
    own.tell(3560.0, 903.0)
    assert own.imported_ws == pytest.approx(0.0, abs=3 * 3600 + 1)
    own.tell(4.0, 906.0)
    assert own.began_at == pytest.approx(905)


@pytest.mark.parametrize("ppm", [-500.0, -40.0, 40.0, 500.0])
def test_a_clock_that_drifts_leaves_nothing_unknown(ppm: float) -> None:
    """The wall's clock goes its own way, for six hours: each window ends by it, and none counts as at its limit."""
    drifting = window()
    for now in range(1, 21_600):
        drifting.add(1000.0, 1000.0, now, holds_s=15.0)
        ahead_s = now * ppm / 1e6
        drifting.align(now - (now + ahead_s) % QUARTER_S, now)
        assert drifting.unknown_s <= 1
        assert abs(math.remainder(drifting.ends_at + ahead_s, QUARTER_S)) < 0.01
    assert drifting.highest_watts == pytest.approx(1000.0, rel=0.002)


def test_a_clock_that_is_behind_by_a_moment_does_not_bring_the_last_window_back() -> None:
    early = fed(1000.0, until=900)
    early.align(0.3, 900.0)
    assert early.began_at == pytest.approx(900.3)
    assert (early.imported_ws, early.unknown_s, early.highest_watts) == (0, 0, pytest.approx(1000))


def test_a_clock_that_is_ahead_by_a_moment_ends_a_window_with_what_was_in_it() -> None:
    late = fed(1000.0, until=899.8)
    late.align(899.6, 899.8)
    assert late.began_at == pytest.approx(899.6)
    assert (late.imported_ws, late.unknown_s, late.highest_watts) == (0, 0, pytest.approx(1000, rel=0.001))


def test_what_nobody_knew_before_the_new_beginning_does_not_count() -> None:
    moved = window(now=300.0)
    moved.align(150.0, 300.0)
    assert moved.unknown_s == pytest.approx(150)


@pytest.mark.parametrize(("began_at", "imported_ws", "unknown_s"), [(-200.0, 300_000, 200), (200.0, 100_000, 0)])
def test_a_clock_that_somebody_sets_leaves_unknown_what_nobody_saw(
    began_at: float, imported_ws: float, unknown_s: float
) -> None:
    moved = fed(1000.0, until=300)
    moved.align(began_at, 300.0)
    assert moved.began_at == began_at
    assert moved.imported_ws == pytest.approx(imported_ws)
    assert moved.house_ws == pytest.approx(imported_ws)
    assert moved.unknown_s == pytest.approx(unknown_s)


# -- over a restart -----------------------------------------------------------------------------------------------


def test_a_window_goes_on_after_a_restart_and_what_was_missed_is_unknown() -> None:
    before = fed(2000.0, until=300)
    after = window(began_at=1000.0, now=1000.0 + 360)
    after.restore(before.record(1000.0), 0.0)
    assert after.imported_ws == pytest.approx(2000 * 300, abs=1)
    assert after.unknown_s == pytest.approx(60)


@pytest.mark.parametrize("record", [None, {}, {"began_at": "now"}, {"began_at": -1.0, "until": 1.0}])
def test_what_is_no_record_is_refused(record: Any) -> None:
    with pytest.raises(ValueError, match="record"):
        window().restore(record, 0.0)


def test_a_record_of_another_window_is_passed_over() -> None:
    fresh = window(began_at=900.0, now=900.0)
    fresh.restore(fed(2000.0, until=300).record(0.0), 0.0)
    assert fresh.imported_ws == 0


# -- a month ------------------------------------------------------------------------------------------------------


def test_a_months_peak_is_kept_and_allowed_until_the_month_ends(bench: Bench) -> None:
    def now_on(month: str = "2026-11") -> None:
        limited(bench, month, reason=Reason.PEAK_LIMIT, max_watts=2500.0, window_s=QUARTER_S, follows_peak=True)

    now_on()
    bench.house = 20.0
    bench.run(2 * 900)
    now_on()
    limit = bench.controller.supply_limits["limit"]
    assert limit.state(bench.now).peak_watts == pytest.approx(4600, rel=0.01)
    assert limit.max_watts == pytest.approx(4600, rel=0.01), "it is paid for already"
    record = limit.record()
    bench.restart()
    now_on()
    fresh = bench.controller.supply_limits["limit"]
    fresh.restore(record)
    assert fresh.max_watts == pytest.approx(4600, rel=0.01)
    now_on("2026-12")
    assert (fresh.peak_watts, fresh.max_watts) == (0, 2500)


@pytest.mark.parametrize("record", [{}, {"peak_watts": None}, {"peak_watts": -1}, {"peak_watts": float("nan")}])
def test_what_is_no_record_of_a_limit_is_refused(bench: Bench, record: dict[str, Any]) -> None:
    limited(bench, max_watts=2500.0, window_s=QUARTER_S)
    with pytest.raises(ValueError, match="record"):
        bench.controller.supply_limits["limit"].restore(record)


# -- a car --------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=6)
@given(kilowatts=st.floats(2.6, 6.0), house=st.floats(1.0, 5.0))
def test_a_car_charges_with_what_a_window_leaves_and_no_more(kilowatts: float, house: float) -> None:
    bench = running(house=house)
    limited(bench, reason=Reason.PEAK_LIMIT, max_watts=1000 * kilowatts, window_s=QUARTER_S)
    bench.run(900 - int(bench.now))
    for _ in range(3):
        drawn_ws = 0.0
        for _ in range(900):
            bench.run(1)
            drawn_ws += bench.total * bench.volts
        assert drawn_ws / 900 <= 1000 * kilowatts
    room_amps = min(16.0, 1000 * kilowatts / bench.volts - house)
    if room_amps >= 6:
        assert drawn_ws / 900 >= 0.95 * (room_amps - 1 + house) * bench.volts, "what is left is used"


def test_a_step_of_the_house_in_the_last_minutes_finds_something_left() -> None:
    """The house alone draws a tenth more than the limit for the last five minutes, and little until then."""
    bench = running(house=1250 / 230)
    limited(bench, reason=Reason.PEAK_LIMIT, max_watts=LIMIT, window_s=QUARTER_S)
    bench.run(1800 - int(bench.now))
    drawn_ws = 0.0
    for second in range(900):
        if second == 600:
            bench.house = (1.1 * LIMIT / bench.volts,)
        bench.run(1)
        drawn_ws += bench.total * bench.volts
    assert drawn_ws / 900 <= 1.01 * LIMIT
    assert drawn_ws / 900 >= 0.96 * LIMIT, "the rest was not kept from the car"
