"""What the house draws itself on each phase: told from the chargers', phase by phase."""

from collections.abc import Mapping

import pytest

from custom_components.amp_sensor.control import Protection, Reading
from custom_components.amp_sensor.control.house import House

PROTECTION = Protection(rating_amps=25)


def _house(phases: int = 0) -> House:
    return House(max_amps=25, protection=PROTECTION, phases=phases, now=0.0)


def _read(
    house: House,
    at: float,
    *amps: float | None,
    drawn: tuple[float, float] | Mapping[int, tuple[float, float]] = (0.0, 0.0),
    unknown: Mapping[str, tuple[float, float]] | None = None,
) -> bool:
    reading = Reading(at=at, amps=amps, volts=(230.0,) * len(amps), watts=0.0)
    believed = house.add(reading, believable_amps=250)
    house.share((lambda _: drawn) if isinstance(drawn, tuple) else drawn.__getitem__, unknown or {})
    return believed


# -- its part -------------------------------------------------------------------------------------------------------


def test_what_no_charger_draws_is_the_houses() -> None:
    house = _house()
    _read(house, 1, 12.0, drawn=(8.0, 8.0))
    assert house.amps == (4.0,)
    _read(house, 2, 20.0, drawn=(8.0, 8.0))
    assert house.amps == (12.0,)


def test_within_what_a_charger_may_draw_the_house_is_taken_to_stand_still() -> None:
    house = _house()
    _read(house, 1, 20.0, drawn=(16.0, 16.0))
    for at, read, amps in ((2, 20.0, 4.0), (3, 12.0, 4.0), (4, 8.0, 2.0), (5, 30.0, 14.0)):
        _read(house, at, read, drawn=(6.0, 16.0))
        assert house.amps == (amps,)


def test_a_house_that_never_exported_draws_no_less_than_nothing() -> None:
    house = _house()
    _read(house, 1, 10.0, drawn=(12.0, 12.0))
    assert house.amps == (0.0,)
    assert not house.exports
    _read(house, 2, -0.5, drawn=(12.0, 12.0))
    assert not house.exports
    _read(house, 3, -0.51, drawn=(12.0, 12.0))
    assert house.exports
    assert house.amps == (-12.51,)
    _read(house, 4, 3.0, drawn=(12.0, 12.0))
    assert house.amps == (-9.0,)


def test_of_what_may_be_noise_a_quarter_is_believed_and_a_step_at_once() -> None:
    house = _house()
    _read(house, 1, 10.0)
    _read(house, 2, 10.3)
    assert house.amps == (pytest.approx(10.075),)
    _read(house, 3, 10.0)
    assert house.amps == (pytest.approx(10.05625),)
    _read(house, 4, 11.0)
    assert house.amps == (11.0,)


def test_where_a_chargers_phases_are_unknown_each_has_two_truths() -> None:
    house = _house(2)
    _read(house, 1, 20.0, 5.0, drawn={0: (0.0, 0.0), 1: (3.0, 3.0)}, unknown={"a": (10.0, 10.0)})
    assert house.amps == (20.0, 2.0)
    assert [phase.beside for phase in house.phases] == [{"a": 10.0}, {"a": 0.0}]
    _read(house, 2, 20.0, 5.0, drawn={0: (0.0, 0.0), 1: (3.0, 3.0)})
    assert [phase.beside for phase in house.phases] == [{}, {}]


def test_what_may_be_drawn_by_those_that_are_known_bounds_both_truths() -> None:
    house = _house(1)
    assert list(house.phases[0].peaks) == [0.0]
    _read(house, 1, 20.0, drawn=(2.0, 6.0), unknown={"a": (3.0, 3.0)})
    assert house.amps == (18.0,)
    assert house.phases[0].beside == {"a": 15.0}
    _read(house, 2, 10.0, drawn=(2.0, 6.0), unknown={"a": (3.0, 3.0)})
    assert house.phases[0].beside == {"a": 5.0}
    _read(house, 3, 30.0, drawn=(2.0, 6.0), unknown={"a": (3.0, 3.0)})
    assert house.phases[0].beside == {"a": 21.0}


def test_what_is_unknown_stands_still_by_itself() -> None:
    house = _house(1)
    _read(house, 1, 20.0, unknown={"a": (10.0, 10.0)})
    _read(house, 2, 16.0, unknown={"a": (5.0, 10.0)})
    assert house.phases[0].beside == {"a": 10.0}
    assert house.amps == (16.0,)


# -- which phases there are ---------------------------------------------------------------------------------------


def test_the_first_reading_says_how_many_phases_there_are() -> None:
    house = _house()
    assert (house.expected, house.is_told, len(house.phases)) == (0, False, 1)
    _read(house, 1, 5.0, 6.0, 7.0)
    assert (house.expected, house.is_told, house.is_complete, house.read) == (3, True, True, (5.0, 6.0, 7.0))


def test_one_odd_post_is_no_new_phase_and_three_are() -> None:
    house = _house(1)
    for at in (1, 2):
        _read(house, at, 5.0, 6.0)
        assert (house.expected, len(house.phases)) == (1, 2)
        assert house.is_complete
    _read(house, 3, 5.0)
    assert (house.expected, len(house.phases)) == (1, 1)
    for at in (4, 5, 6):
        _read(house, at, 5.0, 6.0)
    assert (house.expected, len(house.phases)) == (2, 2)
    for at in (7, 8, 9):
        assert house.expected == 2
        _read(house, at, 5.0, 6.0, 7.0)
    assert house.expected == 3


def test_as_many_posts_as_there_may_be_of_the_usual_make_an_odd_one_no_phase() -> None:
    house = _house(1)
    for at in range(9):
        _read(house, at, 5.0)
    _read(house, 10, 5.0, 6.0)
    assert house.expected == 1


def test_before_the_first_reading_nothing_is_known() -> None:
    house = _house(1)
    assert (house.is_complete, house.is_told, house.amps) == (False, False, (0.0,))
    house.share(lambda _: (0.0, 16.0), {})
    assert house.amps == (0.0,)


@pytest.mark.parametrize(("drawn", "amps"), [((16.0, 16.0), -20.0), ((0.0, 20.0), -5.0)])
def test_once_it_exported_the_houses_part_may_be_below_nothing(drawn: tuple[float, float], amps: float) -> None:
    house = _house(1)
    _read(house, 0, -5.0)
    _read(house, 5, -4.0, drawn=drawn)
    assert house.amps == (amps,)


def test_a_house_learns_for_as_long_as_a_reading_held() -> None:
    house = _house(1)
    for at in (0, 5):
        _read(house, at, 2.0)
        house.remember(at, 5.0, was_blind=False)
    level = house.phases[0].memory.record()["levels"][20]
    assert sum(level[10:20]) == pytest.approx(5 * (0.17 / 9**0.5 / 5 + 1 / 10800), abs=0.002)


def test_a_phase_that_is_left_out_in_its_place_stays_as_it_was() -> None:
    house = _house(3)
    _read(house, 1, 5.0, 6.0, 7.0)
    _read(house, 2, 8.0, None, 9.0)
    assert (house.read, house.is_complete) == ((8.0, 6.0, 9.0), False)
    assert [phase.read_at for phase in house.phases] == [2, 1, 2]
    assert house.amps == (8.0, 6.0, 9.0)


def test_a_short_post_may_only_raise_what_is_known() -> None:
    """Which phase it left out, nobody knows."""
    house = _house(3)
    _read(house, 1, 5.0, 6.0, 7.0)
    _read(house, 2, 9.0, 2.0)
    assert (house.read, house.is_complete) == ((9.0, 6.0, 7.0), False)
    assert [phase.held_at for phase in house.phases] == [2, 1, 1]
    assert [phase.read_at for phase in house.phases] == [2, 2, 1]
    _read(house, 3, 9.0, 2.0, 7.0)
    assert house.read == (9.0, 2.0, 7.0)


def test_what_may_have_been_another_phase_only_raises_what_the_house_draws() -> None:
    """What the chargers draw less leaves more of it to the house."""
    house = _house(3)
    _read(house, 1, 20.0, 6.0, 7.0, drawn=(5.0, 5.0))
    _read(house, 2, 9.0, 2.0, drawn=(0.0, 0.0))
    assert house.amps == (15.0, 2.0, 2.0)


def test_a_current_that_no_fuse_carries_is_not_believed() -> None:
    house = _house(2)
    _read(house, 1, 5.0, 6.0)
    assert not _read(house, 2, 250.0, 300.0)
    assert (house.read, house.is_complete) == ((5.0, 6.0), False)
    assert _read(house, 3, 8.0, -250.0)
    assert (house.read, house.is_complete) == ((8.0, 6.0), False)
    assert _read(house, 4, 249.9, 1.0)
    assert house.is_complete


def test_a_phase_that_was_never_told_is_not_known() -> None:
    house = _house(3)
    _read(house, 1, 5.0, None, 7.0)
    assert not house.is_told
    assert house.read == (5.0, 0.0, 7.0)


# -- settings -----------------------------------------------------------------------------------------------------


def test_what_its_owner_says_of_its_phases_holds() -> None:
    house = _house()
    _read(house, 1, 5.0, 6.0, 7.0)
    house.configure(max_amps=16, protection=PROTECTION, phases=1)
    assert (house.expected, house.read) == (1, (5.0,))
    house.configure(max_amps=16, protection=PROTECTION, phases=3)
    assert (house.expected, house.read, house.is_told) == (3, (5.0, 0.0, 0.0), False)
    house.configure(max_amps=16, protection=PROTECTION, phases=0)
    assert house.expected == 3
    house.expect(2)
    assert house.expected == 3


@pytest.mark.parametrize(("kept", "expected"), [(0, 0), (1, 1), (3, 3), (4, 0)])
def test_a_record_says_how_many_there_were(kept: int, expected: int) -> None:
    house = _house()
    house.expect(kept)
    assert house.expected == expected
    assert len(house.phases) == max(1, expected)


def test_another_fuse_keeps_the_heat_and_what_was_learned() -> None:
    house = _house(1)
    _read(house, 1, 30.0)
    house.integrate(1000)
    assert house.phases[0].load.heat_a2 == pytest.approx(900, rel=1e-3)
    house.configure(max_amps=50, protection=Protection(rating_amps=50), phases=0)
    assert house.phases[0].load.heat_a2 == pytest.approx(900, rel=1e-3)
    assert house.phases[0].load.load == 0
    assert house.phases[0].memory.risk(49.0, 1000) is None
    house.remember(1000, 5, was_blind=False)
    assert house.phases[0].memory.risk(49.0, 1000) is not None


# -- over time ----------------------------------------------------------------------------------------------------


def test_what_was_read_flows_until_the_next() -> None:
    house = _house(1)
    house.integrate(100)
    assert house.phases[0].load.heat_a2 == 0
    _read(house, 100, 20.0)
    house.integrate(160)
    once = house.phases[0].load.heat_a2
    assert once == pytest.approx(400 * 0.632, rel=1e-2)
    house.integrate(160)
    assert house.phases[0].load.heat_a2 == once


def test_the_highest_of_each_minute_is_kept_for_an_hour() -> None:
    house = _house(1)
    for second in range(0, 3700, 10):
        _read(house, second, {0: 9.0, 120: 20.0}.get(second, 2.0))
        house.remember(second, 10, was_blind=False)
        if second in (110, 130, 3500):
            assert max(house.phases[0].peaks) == {110: 9.0, 130: 20.0, 3500: 20.0}[second]
    assert len(house.phases[0].peaks) == 60
    for second in range(3700, 3800, 10):
        house.remember(second, 10, was_blind=False)
    assert max(house.phases[0].peaks) == 2.0


def test_what_was_a_chargers_is_taken_back() -> None:
    house = _house(1)
    _read(house, 0, 20.0)
    house.remember(0, 0, was_blind=False)
    assert list(house.phases[0].peaks) == [20.0]
    _read(house, 5, 20.0, drawn=(16.0, 16.0))
    house.forget_minute()
    assert list(house.phases[0].peaks) == [4.0]


@pytest.mark.parametrize(("held_s", "was_blind", "calm_s"), [(60, False, 160), (60.01, False, 0), (5, True, 0)])
def test_what_nobody_watched_is_no_calm(held_s: float, was_blind: bool, calm_s: float) -> None:
    house = _house(1)
    _read(house, 0, 2.0)
    house.remember(0, 0, was_blind=False)
    house.remember(160, held_s, was_blind=was_blind)
    risk = house.phases[0].memory.risk(10.0, 160)
    assert risk is not None
    assert risk.calm_s == calm_s
