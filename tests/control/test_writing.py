"""How often a charger is set, where its cloud or its memory bears only so much."""

from dataclasses import replace
from itertools import pairwise

from custom_components.amp_sensor.control import Protection, ProtectionKind
from custom_components.amp_sensor.control.profile import LOCAL
from tests.control.bench import Bench, running


def _set_times(bench: Bench) -> list[float]:
    return [at for at, command in bench.commands if command.action == "set_amps"]


def _restless(bench: Bench, seconds: int) -> None:
    for second in range(0, seconds, 20):
        bench.house = (5.0, 12.0, 16.0, 9.0)[second // 20 % 4]
        bench.run(20)


def _bench(**changes: float) -> Bench:
    profile = replace(LOCAL, **changes)  # type: ignore[arg-type]
    bench = running(protection=Protection(kind=ProtectionKind.MCB_C, rating_amps=32.0), min_amps=6)
    bench.car.latency_s = 1.0
    bench.set_charger(min_amps=6, profile=profile)
    return bench


def test_its_current_is_never_set_more_often_than_it_may_be() -> None:
    bench = _bench(write_every_s=60.0)
    _restless(bench, 3600)
    times = _set_times(bench)
    assert len(times) > 10
    assert min(later - earlier for earlier, later in pairwise(times)) >= 60
    assert "write_too_soon" in bench.reasons


def test_a_cut_that_waits_says_so_and_is_sent_as_soon_as_it_may() -> None:
    bench = _bench(write_every_s=60.0)
    bench.house = 13.0
    bench.run(10)
    (first,) = _set_times(bench)
    bench.house = 15.9
    bench.run(20)
    assert bench.last.reason == "write_too_soon"
    assert bench.last.target == 9
    bench.run(int(first + 60 - bench.now) + 1)
    assert [command.amps for command in bench.sent("set_amps")][-1] == 9
    assert _set_times(bench)[-1] == first + 60
    assert not bench.sent("stop")


def test_a_cut_that_has_become_needless_meanwhile_is_not_sent() -> None:
    bench = _bench(write_every_s=300.0)
    bench.house = 13.0
    bench.run(10)
    bench.house = 16.0
    bench.run(20)
    bench.house = 13.0
    bench.run(250)
    assert len(bench.sent("set_amps")) == 1


def test_it_is_stopped_where_the_protection_does_not_bear_the_wait() -> None:
    bench = _bench(write_every_s=900.0)
    bench.house = 13.0
    bench.run(10)
    bench.house = 28.0
    bench.run(60)
    assert bench.sent("stop"), "40 A for a quarter of an hour would open the breaker"
    assert bench.last.reason in {"paused", "house_over_budget"}


def test_a_start_follows_its_limit_at_once() -> None:
    bench = _bench(write_every_s=900.0)
    bench.house = 28.0
    bench.run(60)
    assert bench.car.state == "stopped"
    bench.house = 5.0
    bench.run(1200)
    assert bench.car.state == "charging"
    start_at = next(at for at, command in bench.commands if command.action == "start")
    before = [at for at in _set_times(bench) if at <= start_at]
    assert not before or start_at - before[-1] < 30


def test_raises_are_spared_where_it_bears_only_so_many_a_day_and_cuts_are_not() -> None:
    bench = _bench(writes_per_day=10)
    _restless(bench, 3 * 3600)
    raised = lowered = 0
    limit = 16
    for command in bench.sent("set_amps"):
        raised, lowered = raised + (command.amps > limit), lowered + (command.amps < limit)
        limit = command.amps
    assert raised <= 10
    assert bench.total <= 25
    assert "writes_exhausted" in bench.reasons
    bench.house = 5.0
    bench.run(5 * 3600)
    assert bench.car.amps > 9, "and with time there are some again"
