"""The simulated meter, cloud and breaker are as good and as bad as they claim."""

from dataclasses import replace
from itertools import pairwise
import math
from random import Random
from statistics import NormalDist, median, quantiles

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control import Action, ChargingState, Command, Outcome, Reading
from simulation.car import Car
from simulation.plant import (
    NORMAL,
    NORMAL_P95,
    STRESS,
    TIMEOUT_S,
    TIMEOUTS,
    Breaker,
    Cloud,
    Conditions,
    Sensor,
)

PERFECT = Conditions(noise=0, lost_posts=0, failing=0, silently_lost=0)


def _set(amps: int) -> Command:
    return Command(charger_id="car", action=Action.SET_AMPS, amps=amps)


def _posts(conditions: Conditions, load: list[float], *, report_delta: float = 0, seed: int = 1) -> list[Reading]:
    sensor = Sensor(conditions, report_delta=report_delta, seed=seed)
    return [post for now, amps in enumerate(load) if (post := sensor.sample(now, (amps,))) is not None]


class Link:
    """A cloud and its car, driven second by second."""

    def __init__(self, conditions: Conditions, *, seed: int = 1) -> None:
        self.car = Car.endless(rng=Random(seed))
        self.cloud = Cloud(self.car, conditions, seed=seed)
        self.now = 0.0
        self.car.tick(0)

    def step(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.cloud.tick(self.now)
        self.car.tick(self.now)

    def command(self, command: Command) -> tuple[float, Outcome]:
        """Send, wait for the answer, and return how long it took."""
        sent = self.now
        self.cloud.send(command, sent)
        while (answer := self.cloud.answer(self.now)) is None:
            self.step(0.1)
        assert answer[0] is command
        return self.now - sent, answer[1]


def test_the_meter_posts_at_its_interval() -> None:
    assert [post.at for post in _posts(PERFECT, [1.0] * 21)] == [0, 5, 10, 15, 20]
    assert [post.at for post in _posts(replace(PERFECT, post_s=10), [1.0] * 21)] == [0, 10, 20]


def test_a_change_is_posted_at_once_and_the_interval_goes_on() -> None:
    load = [1.0] * 7 + [2.0] * 14
    assert [post.at for post in _posts(PERFECT, load, report_delta=1)] == [0, 5, 7, 10, 15, 20]
    assert [post.at for post in _posts(PERFECT, load, report_delta=1.1)] == [0, 5, 10, 15, 20]


def test_a_slow_drift_is_posted_when_it_adds_up() -> None:
    load = [second * 0.25 for second in range(20)]
    assert [post.at for post in _posts(replace(PERFECT, post_s=100), load, report_delta=1)] == [0, 4, 8, 12, 16]


@given(st.lists(st.floats(0, 60), min_size=1, max_size=50), st.floats(0.1, 5))
def test_the_meter_never_posts_twice_a_second_nor_below_zero(load: list[float], delta: float) -> None:
    posts = _posts(replace(STRESS, noise=2.0), load, report_delta=delta)
    assert len({post.at for post in posts}) == len(posts)
    assert all(amps >= 0 for post in posts for amps in post.amps)


@pytest.mark.parametrize("conditions", [NORMAL, STRESS])
def test_noise_and_losses_are_as_large_as_they_claim(conditions: Conditions) -> None:
    posts = _posts(replace(conditions, post_s=1), [10.0] * 20000)
    assert 1 - len(posts) / 20000 == pytest.approx(conditions.lost_posts, rel=0.2)
    amps = [post.current for post in posts]
    assert sum(amps) / len(amps) == pytest.approx(10, rel=0.001)
    assert (sum((each - 10) ** 2 for each in amps) / len(amps)) ** 0.5 == pytest.approx(0.1, rel=0.05)


def test_the_meters_luck_is_that_of_the_second_not_of_the_load() -> None:
    calm = {post.at: post.current / 10 for post in _posts(NORMAL, [10.0] * 300)}
    lively = _posts(NORMAL, [10.0 + second % 7 for second in range(300)], report_delta=1)
    same = [post for post in lively if post.at in calm]
    assert len(same) == len(calm) < len(lively)
    assert all(post.current / (10 + post.at % 7) == pytest.approx(calm[post.at]) for post in same)


@pytest.mark.parametrize("conditions", [NORMAL, STRESS])
def test_commands_are_as_slow_and_as_unreliable_as_they_claim(conditions: Conditions) -> None:
    link = Link(conditions)
    answers = [link.command(_set(6 + number % 10)) for number in range(4000)]
    failing = [outcome for _, outcome in answers if outcome is not Outcome.ACCEPTED]
    spread = math.log(conditions.latency_p95_s / conditions.latency_median_s) / NORMAL_P95
    log_latency = NormalDist(math.log(conditions.latency_median_s), spread)
    late = 1 - log_latency.cdf(math.log(TIMEOUT_S))
    unknown = conditions.failing / TIMEOUTS + late * (1 - conditions.failing / TIMEOUTS)
    expected = conditions.failing * (1 - 1 / TIMEOUTS) * (1 - late) + unknown
    assert len(failing) / 4000 == pytest.approx(expected, rel=0.2)
    assert failing.count(Outcome.UNKNOWN) / len(failing) == pytest.approx(unknown / expected, abs=0.08)
    latencies = [latency for latency, outcome in answers if outcome is not Outcome.UNKNOWN]
    assert median(latencies) == pytest.approx(math.exp(log_latency.inv_cdf((1 - late) / 2)), rel=0.05)
    # The slowest have become time-outs.
    slow_s = math.exp(log_latency.inv_cdf(0.95 * (1 - late)))
    assert quantiles(latencies, n=20)[-1] == pytest.approx(slow_s, rel=0.1)
    assert all(latency == pytest.approx(TIMEOUT_S, abs=0.11) for latency, out in answers if out is Outcome.UNKNOWN)


def test_accepted_commands_can_be_lost_and_failed_ones_are_not_applied() -> None:
    link = Link(STRESS)
    applied: dict[Outcome, list[bool]] = {outcome: [] for outcome in Outcome}
    for number in range(2000):
        amps = 6 + number % 10
        _, outcome = link.command(_set(amps))
        link.step(0.1)
        applied[outcome].append(link.car.request == amps)
    accepted = applied[Outcome.ACCEPTED]
    assert accepted.count(False) / 2000 == pytest.approx(STRESS.silently_lost, rel=0.3)
    assert not any(applied[Outcome.FAILED])
    assert {True, False} == set(applied[Outcome.UNKNOWN])


def test_each_command_has_its_own_answer() -> None:
    link = Link(PERFECT)
    link.cloud.send(_set(6), 0)
    link.cloud.send(_set(7), 0)
    answers = [link.cloud.answer(10), link.cloud.answer(10)]
    assert answers == [(_set(6), Outcome.ACCEPTED), (_set(7), Outcome.ACCEPTED)]
    assert link.cloud.answer(10) is None


def test_the_nth_command_meets_the_same_luck_whatever_it_says() -> None:
    amps, starts = Link(STRESS), Link(STRESS)
    start = Command(charger_id="car", action=Action.START)
    for _ in range(50):
        assert amps.command(_set(9)) == pytest.approx(starts.command(start))


def test_stop_and_start_reach_the_car() -> None:
    link = Link(PERFECT)
    link.command(Command(charger_id="car", action=Action.STOP))
    link.step(15)
    assert link.car.amps == 0
    link.command(Command(charger_id="car", action=Action.START))
    link.step(60)
    assert link.car.amps == 16


@pytest.mark.parametrize("conditions", [NORMAL, STRESS])
def test_telemetry_comes_at_its_interval_late_and_honest_about_its_age(conditions: Conditions) -> None:
    link = Link(conditions)
    copies = []
    drawn = []
    for second in range(1200):
        drawn.append(link.car.amps)
        if second == 600:
            link.car.set_amps(7)
        if (report := link.cloud.report(link.now)) is not None:
            copies.append(link.now - report.age_s)
            assert 1 <= report.age_s <= 5
            assert report.measured_amps == round(drawn[round(copies[-1])])
            assert report.state is ChargingState.CHARGING
            assert report.at_home
            assert report.plugged_in
        link.step()
    assert [b - a for a, b in pairwise(copies)] == pytest.approx([conditions.telemetry_s] * (len(copies) - 1), abs=1)


@pytest.mark.parametrize(("times", "least_s", "most_s"), [(1.13, 3601, None), (1.45, 1, 3600), (2.55, 1, 60)])
def test_the_breaker_keeps_to_iec_60898(times: float, least_s: int, most_s: int | None) -> None:
    breaker = Breaker(16)
    opens = next((second for second in range(1, 3601) if breaker.tick(16 * times)), None)
    assert opens is None if most_s is None else opens is not None and least_s <= opens <= most_s


def test_an_opened_breaker_begins_cold() -> None:
    breaker = Breaker(16)
    first, second = [sum(1 for _ in iter(lambda: breaker.tick(30), True)) for _ in range(2)]
    assert first == second > 0
