"""Energy counts what was measured and nothing else, and never goes back."""

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control import Meter, Reading
from custom_components.amp_sensor.control.meter import Counter


def _reading(at: float, watts: float = 2300.0, energy_wh: float | None = None, boot_id: str | None = None) -> Reading:
    return Reading(at=at, amps=(abs(watts) / 230,), volts=(230.0,), watts=watts, energy_wh=energy_wh, boot_id=boot_id)


def _meter(*readings: Reading) -> Meter:
    meter = Meter()
    for reading in readings:
        meter.add(reading)
    return meter


def test_power_between_two_readings_goes_in_a_straight_line() -> None:
    meter = _meter(_reading(0, 1000), _reading(36, 3000))
    assert meter.energy_wh == pytest.approx(2000 * 36 / 3600)


def test_a_gap_of_more_than_a_minute_is_not_bridged() -> None:
    assert _meter(_reading(0), _reading(60)).energy_wh == pytest.approx(2300 / 60)
    assert _meter(_reading(0), _reading(61)).energy_wh == 0


def test_exported_power_is_no_imported_energy() -> None:
    assert _meter(_reading(0, -2000), _reading(36, -2000)).energy_wh == 0


def test_the_devices_own_counter_bridges_every_gap() -> None:
    meter = _meter(_reading(0, energy_wh=1000, boot_id="a"), _reading(1800, energy_wh=2100, boot_id="a"))
    assert meter.energy_wh == pytest.approx(1100)


@pytest.mark.parametrize("gap_s", [86_400, 30 * 86_400])
def test_a_silence_of_any_length_is_bridged_up_to_what_500_amps_could_have_drawn(gap_s: int) -> None:
    most_wh = 500 * 230 * gap_s / 3600
    start = _reading(0, energy_wh=1000, boot_id="a")
    assert _meter(start, _reading(gap_s, energy_wh=1000 + most_wh, boot_id="a")).energy_wh == pytest.approx(most_wh)
    meter = _meter(start, _reading(gap_s, energy_wh=1010 + most_wh, boot_id="a"))
    assert meter.energy_wh == 0, "not that counter"
    meter.add(_reading(gap_s + 5, energy_wh=1013 + most_wh, boot_id="a"))
    assert meter.energy_wh == pytest.approx(3), "but on from there"


def test_a_device_that_restarted_begins_at_zero_or_goes_on() -> None:
    start = _reading(0, energy_wh=1000, boot_id="a")
    assert _meter(start, _reading(60, energy_wh=10, boot_id="b")).energy_wh == pytest.approx(10)
    assert _meter(start, _reading(60, energy_wh=1030, boot_id="b")).energy_wh == pytest.approx(30)


def test_a_counter_that_jumps_further_than_any_house_draws_is_not_believed() -> None:
    meter = _meter(_reading(0, energy_wh=1000, boot_id="a"), _reading(5, energy_wh=9_000_000, boot_id="a"))
    assert meter.energy_wh == 0
    meter.add(_reading(10, energy_wh=9_000_003, boot_id="a"))
    assert meter.energy_wh == pytest.approx(3)


def test_after_our_restart_only_an_unbroken_counter_of_the_same_boot_is_believed() -> None:
    for boot_id, expected in (("a", 700.0), ("b", 200.0), (None, 200.0)):
        meter = Meter()
        meter.restore(200.0, Counter(1000.0, "a"))
        meter.add(_reading(0, energy_wh=1500, boot_id=boot_id))
        assert meter.energy_wh == pytest.approx(expected)
    meter = Meter()
    meter.restore(200.0, Counter(1000.0, "a"))
    meter.add(_reading(0, energy_wh=900, boot_id="a"))
    assert meter.energy_wh == pytest.approx(200)


def test_the_first_counter_ever_is_only_noted() -> None:
    assert _meter(_reading(0), _reading(5, energy_wh=1000, boot_id="a")).energy_wh == 0


def test_readings_go_forward() -> None:
    meter = _meter(_reading(5))
    with pytest.raises(ValueError, match="forward"):
        meter.add(_reading(4))


def test_the_interval_is_the_meters_own_not_that_of_posts_on_changes() -> None:
    assert _meter(_reading(0), _reading(1)).interval_s == 5
    moments, at = [], 0.0
    for _ in range(5):
        moments += [at, at + 1, at + 2]
        at += 12
    assert _meter(*(_reading(moment) for moment in moments)).interval_s >= 5
    assert _meter(*(_reading(10.0 * number) for number in range(5))).interval_s == 10
    assert _meter(*(_reading(number / 10) for number in range(9))).interval_s == 1


def test_connected_is_to_have_heard_of_it() -> None:
    assert not Meter().is_connected(0, 60)
    meter = _meter(_reading(10))
    assert meter.is_connected(69, 60)
    assert not meter.is_connected(70, 60)


def test_the_last_ten_minutes_can_be_looked_at_again() -> None:
    meter = _meter(_reading(0), _reading(8), _reading(9))
    assert [reading.at for reading in meter.since(8)] == [8, 9]
    meter.add(_reading(700))
    assert [reading.at for reading in meter.since(0)] == [700]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 4000),
            st.floats(-20_000, 20_000),
            st.none() | st.floats(0, 1e7),
            st.sampled_from([None, "a", "b"]),
        ),
        max_size=30,
    )
)
def test_energy_never_goes_back(posts: list[tuple[float, float, float | None, str | None]]) -> None:
    meter, at = Meter(), 0.0
    for gap_s, watts, energy_wh, boot_id in posts:
        at += gap_s
        before = meter.energy_wh
        meter.add(_reading(at, watts, energy_wh, boot_id))
        assert meter.energy_wh >= before
