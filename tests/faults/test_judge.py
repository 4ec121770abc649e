"""A judge tells a trip that nobody could have kept from one that was."""

import pytest

from tests.faults.judge import Judge, Judged


def judge(*, deaf: bool = False) -> Judge:
    made = Judge(Judged(name="a fault", deaf=deaf), phases=1)
    made.warm((8.0,), 16.0)
    return made


def spend(made: Judge, house: float, car: float, *, seconds: int, helpless: bool = False) -> None:
    first = len(made.drawn)
    for second in range(first, first + seconds):
        made.tick(second, (house,), car, helpless=helpless)


@pytest.mark.parametrize(("helpless", "avoidable"), [(False, 1), (True, 0)])
def test_a_trip_could_have_been_avoided_where_somebody_could_do_anything(helpless: bool, avoidable: int) -> None:
    made = judge()
    spend(made, 22.0, 16.0, seconds=40, helpless=helpless)
    assert made.row.trips == 1
    assert made.row.avoidable == avoidable


def test_a_breaker_that_was_cold_would_have_held() -> None:
    made = Judge(Judged(name="a fault"), phases=1)
    spend(made, 22.0, 16.0, seconds=40)
    assert made.row.trips == 0


def test_a_car_that_is_gone_in_time_keeps_the_breaker_in() -> None:
    made = judge()
    spend(made, 22.0, 16.0, seconds=15)
    spend(made, 22.0, 0.0, seconds=600)
    assert made.row.trips == 0
    assert (made.row.over_s, made.row.longest_s) == (15, 15)


@pytest.mark.parametrize(("deaf", "avoidable"), [(True, 0), (False, 1)])
def test_after_a_cloud_is_back_a_command_may_take_ten_seconds_more(deaf: bool, avoidable: int) -> None:
    made = judge(deaf=deaf)
    spend(made, 8.0, 16.0, seconds=10, helpless=True)
    spend(made, 15.0, 16.0, seconds=10, helpless=True)
    spend(made, 24.0, 16.0, seconds=40)
    assert (made.row.trips, made.row.avoidable) == (1, avoidable)
