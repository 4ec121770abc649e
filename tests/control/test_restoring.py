"""A record of before is put back as far as it can be read, part by part."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.amp_sensor.control import ChargerSettings, Controller, SiteSettings, Supply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda each: (
        st.lists(each, max_size=4) | st.dictionaries(st.sampled_from(["a", "paused", "first", ""]), each, max_size=3)
    ),
    max_leaves=8,
)
PARTS = ["house", "heat_a2", "exports", "paused", "chargers"]


def _controller(supply: Supply | None = None) -> Controller:
    controller = Controller(SiteSettings(max_amps=25, supply=supply), now=0)
    controller.set_charger("a", ChargerSettings(max_amps=16), now=0)
    return controller


@given(JSON | st.dictionaries(st.sampled_from(PARTS), JSON))
def test_nothing_that_can_be_stored_is_an_error(record: Any) -> None:
    controller = _controller()
    unreadable = controller.restore(record)
    assert set(unreadable) <= ({*PARTS} & {*record} if isinstance(record, dict) else {"record"})
    again = controller.record()
    assert _controller().restore(again) == ()
    assert 0 <= controller.protection_load <= 1


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("house", 7),
        ("house", [7]),
        ("house", [{"first": 1, "levels": []}]),
        ("heat_a2", 7),
        ("heat_a2", ["hot"]),
        ("heat_a2", [-1.0]),
        ("heat_a2", [500.0**2 + 1]),
        ("heat_a2", [float("nan")]),
        ("heat_a2", [None]),
        ("paused", 7),
        ("chargers", 7),
        ("chargers", {"a": 7}),
        ("chargers", {"a": {"paused": "yes"}}),
        ("chargers", {"a": {"user_limit": "8"}}),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_taken(part: str, wrong: Any) -> None:
    good = {
        "heat_a2": [400.0],
        "exports": True,
        "chargers": {"a": {"paused": True, "user_limit": 8, "phases": None}},
    }
    controller = _controller()
    assert controller.restore(good | {part: wrong}) == (part,)
    record = controller.record()
    assert record["exports"] is True
    assert record["heat_a2"] == ([0.0] if part == "heat_a2" else [400.0])
    charger = record["chargers"]["a"]
    assert (charger["paused"], charger["user_limit"]) == ((False, None) if part == "chargers" else (True, 8))


@pytest.mark.parametrize(
    ("limit", "kept"), [(5, 5), (4, None), (0, None), (None, None)], ids=["least", "too little", "nothing", "none"]
)
def test_a_limit_below_what_it_can_charge_with_was_nobodys_wish(limit: int | None, kept: int | None) -> None:
    controller = _controller()
    controller.restore({"chargers": {"a": {"paused": False, "user_limit": limit, "phases": None}}})
    assert controller.chargers["a"].user_limit == kept


@pytest.mark.parametrize(
    ("phases", "learned"),
    [([0], (0,)), ([0, 2], (0, 2)), ([], None), ([3], None), ([-1], None), ("0", None), (None, None)],
)
def test_phases_that_were_learned_are_known_again(phases: Any, learned: tuple[int, ...] | None) -> None:
    controller = _controller()
    controller.restore({"chargers": {"a": {"paused": False, "user_limit": None, "phases": phases}}})
    assert controller.chargers["a"].learned == learned


def test_who_is_unknown_by_now_is_left_out() -> None:
    controller = _controller()
    assert controller.restore({"chargers": {"gone": 7}, "paused": ["gone"]}) == ()
    assert controller.paused == []


def test_the_first_format_is_read_too() -> None:
    """One phase's memory as a list of levels, and a list of those that stood still."""
    levels = _controller().record()["house"][0]["levels"]
    levels[10][0] = 5.0
    controller = _controller(Supply.THREE)
    assert controller.restore({"house": levels, "paused": ["a"]}) == ()
    assert controller.paused == ["a"]
    assert [phase["levels"][10][0] for phase in controller.record()["house"]] == [5.0] * 3


@pytest.mark.parametrize(("supply", "phases"), [(None, 2), (Supply.THREE, 3), (Supply.SINGLE, 1)])
def test_the_number_of_phases_is_kept_unless_somebody_told(supply: Supply | None, phases: int) -> None:
    record = _controller(Supply.SPLIT).record()
    controller = _controller(supply)
    assert controller.restore(record) == ()
    assert controller.phases == phases


@pytest.mark.parametrize("heat_a2", [0, 0.0, 400, 500.0**2])
def test_any_heat_that_a_reading_can_bring_about_is_kept(heat_a2: float) -> None:
    controller = _controller()
    assert controller.restore({"heat_a2": [heat_a2]}) == ()
    assert controller.record()["heat_a2"] == [heat_a2]
