"""Energy counts what was measured and nothing else, and never goes back."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import Meter, Reading
from custom_components.amp_sensor.control.meter import DOUBT_S, Counter


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
    later = _reading(5, energy_wh=1100, boot_id="a")
    assert _meter(start, later, _reading(60, energy_wh=10, boot_id="b")).energy_wh == pytest.approx(110)


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
    meter.add(_reading(5, energy_wh=903, boot_id="a"))
    assert meter.energy_wh == pytest.approx(203), "it did not begin anew: nobody knows how long that took"


def test_after_our_restart_a_counter_of_another_boot_is_another_counter() -> None:
    for kept, boot_id in (("a", "b"), (None, None)):
        meter = Meter()
        meter.restore(200.0, Counter(1000.0, kept))
        meter.add(_reading(0, energy_wh=1500, boot_id=boot_id))
        meter.add(_reading(5, energy_wh=1003, boot_id=boot_id))
        assert meter.energy_wh == 200


def test_where_no_counter_was_kept_the_next_one_is_only_noted() -> None:
    meter = _meter(_reading(0, energy_wh=1000))
    meter.restore(200.0, None)
    assert meter.counter is None
    meter.add(_reading(5, energy_wh=1003))
    assert meter.energy_wh == 200
    assert meter.counter == Counter(1003, None)
    assert Meter().counter is None


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
    meter.add(_reading(608))
    assert [reading.at for reading in meter.since(0)] == [8, 9, 608]
    meter.add(_reading(700))
    assert [reading.at for reading in meter.since(0)] == [608, 700]


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


# A counter that is wrong now and then


@pytest.mark.parametrize("wrong", [21_153.9, 19_500.0, 10_000.0, 2_000.0, 120.0, 0.0, 5e6])
@pytest.mark.parametrize("times", [1, 3, 40])
@pytest.mark.parametrize("boot_id", [None, "a"])
def test_a_counter_that_was_wrong_for_a_while_is_not_counted_twice(
    wrong: float, times: int, boot_id: str | None
) -> None:
    """Two tariffs, of which one is missing, or a sensor that rounds: once it is back, its growth is what counts."""
    meter, counter = Meter(), 21_154.0
    for number in range(150):
        counter += 3.0
        shown = wrong if 20 <= number < 20 + times else counter
        meter.add(_reading(5.0 * number, energy_wh=shown, boot_id=boot_id))
        if times == 1 or number >= 60:
            assert meter.energy_wh <= 3.0 * number + 1e-6
    assert meter.energy_wh == pytest.approx(3.0 * 149)


def test_a_counter_that_begins_anew_without_saying_so_is_counted_from_zero_once_it_goes_on() -> None:
    meter = _meter(_reading(0, energy_wh=5000), _reading(5, energy_wh=5003))
    meter.add(_reading(20, energy_wh=2))
    assert meter.energy_wh == pytest.approx(3), "it may be wrong once"
    meter.add(_reading(25, energy_wh=5))
    assert meter.energy_wh == pytest.approx(8)


def test_a_counter_that_fell_in_between_is_counted_on_from_there() -> None:
    meter = _meter(_reading(0, energy_wh=5000), _reading(5, energy_wh=5003), _reading(10, energy_wh=2000))
    for number in range(1, 101):
        meter.add(_reading(10 + 5 * number, energy_wh=2000 + 3 * number))
    assert meter.energy_wh == pytest.approx(303)
    meter.add(_reading(515, energy_wh=5009))
    assert meter.energy_wh == pytest.approx(303), "it was another counter for long"


@pytest.mark.parametrize(("fallen_wh", "is_noise"), [(9_000.5, True), (9_000.0, False), (8_999.5, False)])
def test_a_fall_by_less_than_a_tenth_is_noise(fallen_wh: float, is_noise: bool) -> None:
    meter = _meter(_reading(0, energy_wh=10_000), _reading(5, energy_wh=fallen_wh))
    for number in range(1, 101):
        meter.add(_reading(5 + 5 * number, energy_wh=fallen_wh + number))
    assert meter.energy_wh == pytest.approx(0 if is_noise else 100)


def test_a_small_counter_that_flickers_did_not_begin_anew() -> None:
    assert _meter(*(_reading(number, energy_wh=0.5 - number % 2 / 10) for number in range(20))).energy_wh == 0


@pytest.mark.parametrize(("fallen_wh", "counted"), [(2.2, 1.0), (1.5, 2.7)])
def test_of_a_small_counter_less_than_a_watt_hour_is_noise(fallen_wh: float, counted: float) -> None:
    shown = (2.0, 3.0, fallen_wh, fallen_wh + 0.2)
    assert _meter(*(_reading(5.0 * at, energy_wh=wh) for at, wh in enumerate(shown))).energy_wh == pytest.approx(
        counted
    )


@pytest.mark.parametrize(
    ("first", "boot_id", "counted"), [("a", "a", 0), (None, "b", 0), ("a", None, 0), ("a", "b", 10)]
)
def test_only_a_device_that_says_that_it_restarted_is_counted_from_zero_at_once(
    first: str | None, boot_id: str | None, counted: float
) -> None:
    meter = _meter(_reading(0, energy_wh=1000, boot_id=first), _reading(5, energy_wh=10, boot_id=boot_id))
    assert meter.energy_wh == counted
    meter.add(_reading(10, energy_wh=12, boot_id=boot_id))
    assert meter.energy_wh == pytest.approx(12), "and any from zero once it goes on"
    meter = _meter(_reading(0, energy_wh=1000, boot_id=first), _reading(5, energy_wh=161, boot_id=boot_id))
    meter.add(_reading(10, energy_wh=163, boot_id=boot_id))
    assert meter.energy_wh == pytest.approx(2), "500 A make no 161 Wh in 5 s"


@pytest.mark.parametrize(("counter_wh", "counted"), [(905, 25), (1010, 20)])
def test_of_two_ways_to_read_a_counter_the_one_counts_that_goes_on_and_uses_least(
    counter_wh: float, counted: float
) -> None:
    meter = _meter(*(_reading(5.0 * at, energy_wh=wh) for at, wh in enumerate((990, 1000, 890, counter_wh))))
    assert meter.energy_wh == pytest.approx(counted)


def test_a_counter_that_stands_still_is_read_as_before() -> None:
    shown = (990, 1000, 890, 905, 905, 908)
    meter = _meter(*(_reading(5.0 * at, energy_wh=wh) for at, wh in enumerate(shown)))
    assert meter.energy_wh == pytest.approx(28)


def test_another_way_to_read_a_counter_is_forgotten_once_the_first_goes_on() -> None:
    meter = _meter(*(_reading(5.0 * at, energy_wh=wh) for at, wh in enumerate((990, 1000, 890, 1003, 899))))
    assert meter.energy_wh == pytest.approx(13)


def test_a_device_that_restarted_may_have_counted_all_that_500_amps_could_draw() -> None:
    most_wh = 36 * (500 * 230 / 3600)
    for counter_wh, counted in ((most_wh, most_wh), (most_wh + 0.01, 0)):
        start = _reading(0, energy_wh=50_000, boot_id="a")
        assert _meter(start, _reading(36, energy_wh=counter_wh, boot_id="b")).energy_wh == counted


@pytest.mark.parametrize(("doubted_s", "comes_back"), [(295, True), (300, False)])
def test_a_counter_that_was_another_for_five_minutes_is_that_one(doubted_s: int, comes_back: bool) -> None:
    meter = _meter(
        _reading(0, energy_wh=10_000), *(_reading(5 + at, energy_wh=2000) for at in range(0, doubted_s + 1, 5))
    )
    meter.add(_reading(10 + doubted_s, energy_wh=10_100))
    assert meter.energy_wh == (100 if comes_back else 0)


@pytest.mark.parametrize(("number", "counted"), [(0, 3), (1, 0), (2, 3), (10, 3)])
def test_ten_ways_to_read_a_counter_are_kept_and_of_those_in_doubt_the_newest(number: int, counted: float) -> None:
    shown = [1e6 * 0.75**at for at in range(11)]
    meter = _meter(*(_reading(5.0 * at, energy_wh=wh) for at, wh in enumerate(shown)))
    meter.add(_reading(55, energy_wh=shown[number] + 3))
    assert meter.energy_wh == pytest.approx(counted)


def test_what_is_kept_over_our_restart_is_the_counter_that_was_believed() -> None:
    meter = _meter(*(_reading(5.0 * number, energy_wh=20_000 + 3 * number, boot_id="a") for number in range(100)))
    meter.add(_reading(500, energy_wh=300, boot_id="a"))
    again = Meter()
    again.restore(meter.energy_wh, meter.counter)
    again.add(_reading(0, energy_wh=20_310, boot_id="a"))
    assert again.energy_wh == pytest.approx(310)


def test_after_our_restart_a_counter_is_waited_for_as_if_it_came_first() -> None:
    for boot_id, expected in (("a", 700.0), ("b", 200.0)):
        meter = Meter()
        meter.restore(200.0, Counter(1000.0, "a"))
        meter.add(_reading(0, watts=0))
        meter.add(_reading(5, watts=0, energy_wh=1500, boot_id=boot_id))
        assert meter.energy_wh == pytest.approx(expected)


@pytest.mark.parametrize("each", [2, 3, 7])
def test_power_and_counter_do_not_count_the_same_time(each: int) -> None:
    """2.3 kW for an hour, and a counter in some of the posts."""
    meter = Meter()
    for number in range(721):
        counter = 7000 + 2300 * number / 720
        meter.add(_reading(5.0 * number, energy_wh=None if number % each else counter))
    assert meter.energy_wh == pytest.approx(2300, rel=0.001)


def test_power_that_promised_more_than_the_counter_shows_is_made_up_for() -> None:
    meter = Meter()
    for number in range(720):
        counter = 7000 + 2000 * number / 720
        meter.add(_reading(5.0 * number, energy_wh=None if number % 2 else counter))
    assert meter.energy_wh == pytest.approx(2000, rel=0.005)


def test_power_goes_on_where_the_counter_ends() -> None:
    meter = _meter(_reading(0, energy_wh=1000), _reading(36, energy_wh=1023))
    meter.add(_reading(72))
    meter.add(_reading(108))
    assert meter.energy_wh == pytest.approx(23 * 3)


_HONEST = ("part", 1.0)
_WRONG = st.sampled_from(
    [
        ("missing", 0.0),
        *(("part", part) for part in (0.0, 0.3, 0.5, 0.8, 0.95, 0.999)),
        *(("more", more) for more in (1e5, 1e6, 1e9)),
    ]
)


@given(
    start=st.floats(2e6, 1e9),
    posts=st.lists(st.tuples(st.floats(1, 55), st.floats(0, 20_000), st.just(_HONEST) | _WRONG), max_size=40),
    reboot=st.none() | st.integers(0, 40),
    gives_boot_id=st.booleans(),
)
@settings(max_examples=300)
def test_no_glitch_makes_more_of_a_counter_than_it_counted(
    start: float, posts: list[tuple[float, float, tuple[str, float]]], reboot: int | None, gives_boot_id: bool
) -> None:
    """Wrong or missing at any time and for however long, also while the device restarts and keeps its counter.

    Wrong by more than 500 A could explain: what a house may have drawn nobody can tell from a glitch.
    """
    meter, counter, at, bridged = Meter(), start, 0.0, 0.0

    def post(energy_wh: float | None, watts: float, number: int) -> None:
        boot_id = ("b" if reboot is not None and number >= reboot else "a") if gives_boot_id else None
        before = meter.energy_wh
        meter.add(_reading(at, watts, energy_wh, boot_id))
        assert before <= meter.energy_wh <= counter - start + bridged + 0.01

    post(counter, 0.0, 0)
    for number, (gap_s, watts, (kind, by)) in enumerate([*posts, *[(5.0, 2160.0, _HONEST)] * 3]):
        at += gap_s
        counter += watts * gap_s / 3600
        if kind == "missing":
            bridged += 20_000 * gap_s / 3600
            post(None, watts, number)
        else:
            post(counter * by if kind == "part" else counter + by, watts, number)
    if at < DOUBT_S:
        assert meter.energy_wh >= counter - start - 0.01, "nor less, where it was not wrong for long"


@given(
    st.lists(st.lists(st.tuples(st.floats(1, 100), st.floats(0, 20_000)), min_size=2, max_size=20), max_size=5),
)
def test_a_counter_that_begins_anew_with_each_restart_is_never_counted_twice(
    lives: list[list[tuple[float, float]]],
) -> None:
    meter, at, total = Meter(), 0.0, 0.0
    for number, life in enumerate(lives):
        counter = 0.0
        for gap_s, watts in life:
            at += gap_s
            counter += watts * gap_s / 3600
            total += watts * gap_s / 3600
            meter.add(_reading(at, watts, counter, str(number)))
            assert meter.energy_wh <= total + 0.01


def test_lives_of_more_than_some_minutes_are_counted_whole() -> None:
    meter, at, total = Meter(), 0.0, 0.0
    for life in range(5):
        for number in range(1, 201):
            at += 5
            total += 3 if life or number > 1 else 0
            meter.add(_reading(at, energy_wh=3.0 * number, boot_id=str(life)))
    assert meter.energy_wh == pytest.approx(total)


# Its habit


def test_a_long_gap_is_no_habit() -> None:
    assert _meter(*map(_reading, (0, 5, 10, 3610))).interval_s == 5
    assert _meter(*map(_reading, (0, 10, 20, 30, 3630, 3640, 12_000, 12_010))).interval_s == 10
    assert _meter(*map(_reading, (0, 10, 20, 30, 3630, 3640, 12_000, 12_010, 12_100))).interval_s == 10


def _interval_s(*gaps: float) -> float:
    return _meter(_reading(0), *(_reading(sum(gaps[: number + 1])) for number in range(len(gaps)))).interval_s


def test_a_gap_is_a_habit_where_two_others_were_half_as_long() -> None:
    assert _interval_s(5, 5, 5, 11) == 5
    assert _interval_s(5, 5, 5, 10) == 7.5
    assert _interval_s(5, 8, 8, 11, 11) == 11
    assert _interval_s(8, 8) == 5, "two are too few to tell"
    assert _interval_s(8, 8, 8) == 8


def test_a_habit_is_that_of_the_last_twenty_gaps() -> None:
    assert _interval_s(*[20] * 12, *[5] * 8) == 20
    assert _interval_s(*[20] * 12, *[5] * 18) == 5


@pytest.mark.parametrize("interval_s", [2, 60, 120])
def test_a_slow_meter_is_known_after_four_readings(interval_s: int) -> None:
    jitter = (0.0, 0.4, -0.3, 0.1)
    meter = _meter(*(_reading(interval_s * number + jitter[number]) for number in range(4)))
    assert meter.interval_s == pytest.approx(interval_s, abs=1)
    meter.add(_reading(interval_s * 4 + 7200))
    assert meter.interval_s == pytest.approx(interval_s, abs=1), "and an outage changes nothing"


def test_a_phase_that_is_silent_changes_nothing_of_the_energy() -> None:
    meter = Meter()
    for number in range(3):
        amps = (10.0, None, 5.0) if number == 1 else (10.0, 2.0, 5.0)
        meter.add(Reading(at=5.0 * number, amps=amps, volts=(230.0,) * 3, watts=3600, energy_wh=1000 + 5.0 * number))
    assert meter.energy_wh == pytest.approx(10)
