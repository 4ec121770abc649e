"""Two devices on one address are told from one device that changed, and from one whose posts are not all alike."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import cycle, islice

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control import Reading
from custom_components.amp_sensor.meters.posts import PostLog, Sender

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Sender(address="10.0.0.1", user_agent="ESPHome")
OTHER = Sender(address="10.0.0.2", user_agent="ESPHome")
SCRIPT = Sender(address="10.0.0.1", user_agent="curl")

type Post = tuple[Sender, int, str | None]
"""Who, how many phases, which boot."""


def _log(posts: Iterable[Post], every_s: float = 5.0) -> PostLog:
    log = PostLog()
    for number, (sender, phases, boot_id) in enumerate(posts):
        amps = (3.0,) * phases
        reading = Reading(at=every_s * number, amps=amps, volts=(230.0,) * phases, watts=700.0, boot_id=boot_id)
        log.accept(sender, reading, at=AT)
    return log


def _turns(*posts: Post, count: int) -> Iterable[Post]:
    return islice(cycle(posts), count)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((ONE, 1, None), (OTHER, 1, None)),
        ((ONE, 1, None), (OTHER, 3, None)),
        ((ONE, 1, None), (SCRIPT, 1, None)),
        ((ONE, 1, "a"), (ONE, 1, "b")),
        ((ONE, 1, "a"), (OTHER, 1, "a")),
        ((ONE, 1, None), (ONE, 3, None)),
    ],
    ids=["addresses", "phases too", "agents", "boots", "a boot_id that is a constant", "phases alone"],
)
def test_two_devices_that_post_in_turns_are_found(first: Post, second: Post) -> None:
    assert _log(_turns(first, second, count=5)).rivals is None
    for count in (6, 7, 100):
        assert set(_log(_turns(first, second, count=count)).rivals or ()) == {first[0], second[0]}


def test_two_devices_are_found_whatever_their_rates() -> None:
    posts = _turns(*[(ONE, 1, None)] * 19, (OTHER, 1, None), count=200)
    assert set(_log(posts, every_s=1).rivals or ()) == {ONE, OTHER}


def test_two_devices_are_found_beside_a_third() -> None:
    third = Sender(address="10.0.0.3", user_agent="ESPHome")
    assert _log(_turns((ONE, 1, None), (OTHER, 1, None), (third, 1, None), count=9)).rivals is not None


@pytest.mark.parametrize(
    "posts",
    [
        [(ONE, 1, None)] * 50 + [(OTHER, 1, None)] * 50,
        [(ONE, 1, "a")] * 50 + [(ONE, 1, "b")] * 50 + [(ONE, 1, "c")] * 50,
        [*[(ONE, 1, None)] * 9, (OTHER, 1, None), (ONE, 1, None), *[(OTHER, 1, None)] * 9],
        list(_turns(*[(ONE, 3, None)] * 9, (ONE, 2, None), count=100)),
        list(_turns((ONE, 3, "a"), (ONE, 2, "a"), count=100)),
        list(_turns((ONE, 1, "a"), (ONE, 1, None), count=100)),
        list(_turns(*[(ONE, 1, None)] * 99, (SCRIPT, 1, None), count=400)),
    ],
    ids=[
        "new address",
        "restarts",
        "between two networks",
        "a phase left out",
        "the same boot",
        "half a boot",
        "by hand",
    ],
)
def test_one_device_is_not_taken_for_two(posts: list[Post]) -> None:
    assert _log(posts).rivals is None


def test_two_devices_are_forgotten_once_one_is_gone() -> None:
    posts = [*_turns((ONE, 1, None), (OTHER, 1, None), count=20), *[(ONE, 1, None)] * 60]
    assert _log(posts[:70]).rivals is not None
    assert _log(posts).rivals is None


@given(st.lists(st.tuples(st.sampled_from([ONE, OTHER, SCRIPT]), st.integers(1, 3), st.sampled_from([None, "a", "b"]))))
def test_rivals_are_two_who_did_post(posts: list[Post]) -> None:
    rivals = _log(posts).rivals
    assert rivals is None or {*rivals} <= {sender for sender, _, _ in posts}


def _reading(watts: float, *amps: float | None) -> Reading:
    return Reading(at=0.0, amps=amps, volts=(230.0,) * len(amps), watts=watts)


def test_export_on_a_phase_that_nobody_knows_is_noted_until_the_meter_tells() -> None:
    log = PostLog()
    for reading in (_reading(-4025, -17.5), _reading(900, 5, 4, 6), _reading(-20, 0.2, 0.1, 0.0), _reading(-9, -5, 4)):
        log.accept(ONE, reading, at=AT)
        assert not log.sign_unknown
    log.accept(ONE, _reading(-900, 5, None, 6), at=AT)
    assert log.sign_unknown
    log.accept(ONE, _reading(900, 5, 4, 6), at=AT)
    assert log.sign_unknown, "that proves nothing"
    assert log.as_dict()["sign_unknown"] is True
    log.accept(ONE, _reading(-900, -5, 4, 6), at=AT)
    assert not log.sign_unknown
