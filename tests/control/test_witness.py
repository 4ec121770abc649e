"""What a reading shows of a change that was asked for: that it came, on which phases, or that the meter is wrong."""

from typing import Any

import pytest

from custom_components.amp_sensor.control import Outcome, Supply
from tests.control.direct import Site


def _site(*phases: tuple[int, ...] | None, rest: float = 5.0, amps: float = 16.0, count: int = 3, **site: Any) -> Site:
    """Return a site with a car on each of these phases, from 1, that draws so much; None is one that nobody knows.

    Those of which nobody knows are on L1.
    """
    names = "abc"[: len(phases)]
    told = {name: {"phases": each} for name, each in zip(names, phases, strict=True) if each}
    made = Site(*names, settings=told, **site)
    flows = [rest + amps * sum(number in (each or (1,)) for each in phases) for number in range(1, count + 1)]
    made.read(*flows)
    for name in names:
        made.report(name, amps)
    made.read(*flows)
    return made


def _learn(site: Site, *phases: int, name: str = "a") -> None:
    """Let the phases of a car be known, from 0, as its steps seemed to show."""
    site.car(name).learned = phases
    site.controller._known.share(site.now)


# -- a change that shows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phases", [(1,), None], ids=["told", "unknown"])
@pytest.mark.parametrize(("before", "to"), [(16.0, 10), (8.0, 14)])
def test_a_change_is_over_once_the_meter_has_shown_it(phases: tuple[int, ...] | None, before: float, to: int) -> None:
    site = _site(phases, amps=before)
    site.car()._resends = 1
    site.tell(to, outcome=Outcome.UNKNOWN)
    site.read(5.0 + to, 5.0, 5.0)
    car = site.car()
    assert (car.belief.change, car.belief.low, car.belief.high) == (None, to, to)
    assert (car.request, car.settled_at, car._resends) == (to, site.now, 0)
    assert car.learned == (0,)


def test_beside_others_that_draw_their_current_is_no_sign_of_it() -> None:
    site = _site((1,), (1,), (2,), rest=3.0, amps=8.0)
    site.tell(5)
    site.read(3.0 + 5 + 8, 11.0, 3.0)
    assert (site.car().belief.change, site.car().belief.high) == (None, 5)


def test_what_another_may_draw_at_most_is_taken_off() -> None:
    site = _site((1,), (1,), rest=3.0)
    site.car("b").belief.settle(4.0, 16.0)
    site.tell(10)
    site.read(3.0 + 10 + 16, 3.0, 3.0)
    assert (site.car().belief.change, site.car().belief.high) == (None, 10)


def test_one_of_unknown_phases_is_not_taken_off_any() -> None:
    site = _site((2,), None, rest=3.0, amps=8.0)
    site.tell(5)
    site.read(11.0, 8.0, 3.0)
    assert site.car().belief.change is None


def test_a_rise_that_another_of_unknown_phases_may_have_made_is_not_taken_for_its_own() -> None:
    """Else the house would seem to draw less than it does, and somebody would be raised for it."""
    site = _site((1,), None, rest=3.0, amps=8.0)
    site.tell(14)
    site.tell(14, "b")
    site.read(3.0 + 16 + 6, 3.0, 3.0)
    assert [site.car(name).belief.change is None for name in "ab"] == [False, False]
    site.car("b").belief.settle(14.0, 14.0)
    site.read(3.0 + 8 + 14, 3.0, 3.0)
    assert site.car().belief.change is None


def test_what_a_car_draws_less_is_the_houses_until_a_reading_tells() -> None:
    """A house that stepped up as a car lowered itself hides that; a report that tells of it makes no room yet."""
    site = _site((1,), (1,), rest=3.0, amps=6.0)
    assert not site.view().is_hidden
    site.report("b", 16.0)
    site.read(19.0, 3.0, 3.0)
    site.report("b", 6.0)
    assert site.view().is_hidden
    site.read(19.0, 3.0, 3.0)
    assert (site.view().is_hidden, site.controller.house[0]) == (False, 7.0)


def test_of_unknown_phases_it_waits_only_for_one_that_may_still_move() -> None:
    """A cloud that is down all night leaves the other's car no less."""
    site = _site(None, (2,), rest=3.0, amps=8.0)
    site.tell(5, "b")
    site.read(11.0, 11.0, 3.0)
    assert site.view().is_hidden
    site.car("b").deaf_at = site.now - 10.1
    assert not site.view().is_hidden


def test_a_phase_that_a_post_leaves_out_says_nothing_of_it() -> None:
    site = _site((1,), rest=1.0)
    site.tell(6)
    site.read(14.0, 1.0, 1.0, after=2.0)
    change = site.car().belief.change
    assert change is not None
    seen_at = change.seen_at
    assert seen_at == site.now
    site.read(None, 1.0, 1.0)
    assert change.seen_at == seen_at, "what was read before is no proof that it went no further"
    site.read(7.0, 1.0, 1.0)
    assert site.car().belief.change is None


def test_a_phase_that_appears_during_a_change_is_not_waited_for() -> None:
    site = Site("a", settings={"a": {"phases": (1, 2, 3)}})
    site.read(21.0)
    site.report()
    site.tell(10)
    site.read(15.0, 15.0, 15.0)
    assert (site.car().belief.change, site.car().belief.high) == (None, 10)


def test_the_first_reading_shows_nothing_of_a_change() -> None:
    """What the house drew before it, nobody knows."""
    site = Site("a")
    site.report(amps=16)
    site.tell(6)
    site.read(6.0, after=10.0)
    assert site.car().belief.change is not None


def test_each_of_several_is_looked_at() -> None:
    site = _site((3,), (1,), (2,))
    site.tell(10, "a")
    site.tell(10, "c")
    site.read(21.0, 15.0, None)
    assert [site.car(name).belief.change is None for name in "abc"] == [False, True, True]


# -- on which phases ------------------------------------------------------------------------------------------------


def test_what_does_as_told_on_another_phase_than_it_seemed_to_load_is_found_there() -> None:
    site = _site(None, rest=20.0)
    _learn(site, 1)
    site.tell(10)
    site.read(30.0, 20.0, 20.0, after=2.0)
    assert site.car().learned == (1,), "it may be late"
    site.car()._resends = 1
    site.read(30.0, 20.0, 20.0, after=8.0)
    car = site.car()
    assert (car.learned, car.belief.change, car.belief.low, car.belief.high) == ((0,), None, 10, 10)
    assert (car.settled_at, car._resends) == (site.now, 0)


def test_what_shows_nowhere_stays_where_it_was() -> None:
    site = _site(None, rest=20.0)
    _learn(site, 1)
    site.tell(10)
    site.read(36.0, 20.0, 20.0, after=10.0)
    assert site.car().learned == (1,)
    assert site.car().belief.change is not None


def test_what_its_owner_told_is_not_learned_otherwise() -> None:
    site = _site((2,), rest=20.0)
    site.tell(10)
    site.read(14.0, 36.0, 20.0, after=10.0)
    assert site.car().belief.change is not None, "it shows on L1"


def _moved_elsewhere(site: Site) -> None:
    site.car("b").settled_at = site.now


def _moving_elsewhere(site: Site) -> None:
    site.tell(10, "b", outcome=None)


def _moved_before(site: Site) -> None:
    site.car("b").settled_at = site.now - 0.01


@pytest.mark.parametrize(
    ("other", "is_clear"), [(_moved_elsewhere, False), (_moving_elsewhere, False), (_moved_before, True)]
)
def test_nothing_is_learned_while_others_move(other: Any, is_clear: bool) -> None:
    for is_seen in (True, False):
        site = _site(None, (2,))
        site.tell(10)
        other(site)
        if is_seen:
            site.read(15.0, 21.0, 5.0)
        else:
            site.read(16.0, 21.0, 5.0)
            site.now += 5
            site.report(amps=10)
        assert site.car().belief.change is None
        assert site.car().learned == ((0,) if is_clear else None)


def test_nothing_is_learned_from_a_post_that_lacks_a_phase() -> None:
    site = _site(None)
    site.tell(10)
    site.read(15.0, 5.0, None)
    assert site.car().belief.change is None
    assert site.car().learned is None


@pytest.mark.parametrize("shown", [(5.0, 21.0, 5.0), (5.0, 21.0, None)])
def test_a_report_proves_a_cut_that_is_sent_again_only_where_the_meter_could_show_it(
    shown: tuple[float | None, ...],
) -> None:
    site = _site((2,))
    site.tell(10)
    site.now += 6
    site.tell(10, outcome=None)
    site.read(*shown, after=1.0)
    site.report(amps=10)
    assert (site.car().belief.change is None) is (None not in shown)


def test_what_a_report_shows_to_have_ended_is_learned_too() -> None:
    site = _site(None, amps=10.0)
    site.tell(16)
    site.read(20.0, 5.0, 5.0)
    site.report(amps=15.0)
    assert site.car().learned is None, "it is on its way"
    site.read(20.0, 5.0, 5.0)
    site.report(amps=15.0)
    assert site.car().belief.change is None
    assert site.car().learned == (0,)


# -- the meter is wrong ---------------------------------------------------------------------------------------------


def _exporting(amps: float = 10.0, **site: Any) -> Site:
    """Return a site of one phase that exports, and a car behind a clamp that is the wrong way round."""
    made = _site((1,), rest=-20.0, amps=amps, count=1, **site)
    assert made.controller._house.exports
    return made


def test_a_step_that_ends_the_wrong_way_round_is_seen_in_the_report() -> None:
    site = _exporting()
    site.tell(16)
    site.read(-16.0)
    site.now += 60
    site.report(amps=16)
    assert site.controller.meter_wrong_at == site.now


def test_a_step_whose_time_is_up_is_looked_at_too() -> None:
    site = _exporting(amps=16.0)
    site.tell(10)
    site.read(2.0)
    site.decide()
    assert site.controller.meter_wrong_at is None
    site.read(2.01, after=10.0)
    site.decide()
    assert site.controller.meter_wrong_at == site.now
    assert site.view().silence_s > 120, "the car is stopped at once, which shows it"


def test_a_step_that_shows_right_ends_the_doubt() -> None:
    site = _exporting()
    site.tell(16)
    site.read(-16.0)
    site.now += 60
    site.report(amps=16)
    assert site.controller.meter_wrong_at is not None
    site.tell(10)
    site.read(-22.0)
    assert site.car().belief.change is None
    assert site.controller.meter_wrong_at is None


def test_a_step_beside_another_says_nothing_against_the_meter() -> None:
    for ends in ("report", "time"):
        site = Site("a", "b")
        site.read(-10.0)
        for name in "ab":
            site.report(name, 10.0)
        site.read(-10.0)
        site.car("b").settled_at = site.now + 1
        site.tell(16)
        site.read(-16.0)
        site.now += 60
        if ends == "report":
            site.report(amps=16)
        else:
            site.read(-16.01)
            site.decide()
        assert site.controller.meter_wrong_at is None


@pytest.mark.parametrize(("after", "is_frozen"), [(5.01, True), (5.0, False)])
def test_a_meter_that_stood_still_while_a_report_says_that_it_moved_is_frozen(after: float, is_frozen: bool) -> None:
    site = _site((1,), count=1)
    site.now += 1
    site.tell(10, outcome=None)
    accepted_at = site.now = site.now + 1
    site.controller.acknowledge(site.car().in_flight, Outcome.ACCEPTED, now=site.now)  # type: ignore[arg-type]
    site.read(21.0, after=after)
    site.now += 5
    site.report(amps=10)
    assert site.controller.frozen_at == (accepted_at if is_frozen else None)


def test_a_report_that_ends_no_change_says_nothing_against_the_meter() -> None:
    site = _site((1,), count=1)
    site.tell(10)
    site.read(21.0, after=5.2)
    site.report(amps=13)
    assert site.car().belief.change is not None
    assert site.controller.frozen_at is None


def test_a_reading_that_cannot_be_is_no_sign_of_life() -> None:
    site = _site((1,), count=1)
    site.tell(10)
    for _ in range(3):
        site.read(21.0)
    site.decide()
    assert site.controller.frozen_at is not None
    before = site.controller.record()["house"]
    site.read(400.0)
    assert site.controller.frozen_at is not None
    assert site.controller.record()["house"] == before, "nor does it teach anything"
    site.read(20.0)
    assert site.controller.frozen_at is None


def _accused(learned: tuple[int, ...] | None, *, told: tuple[int, ...] | None = None, says: int | None = None) -> Site:
    """Return a site whose meter shows nothing of a car on the phases that it is thought to load."""
    site = _site(told)
    site.car().learned = learned
    site.controller._known.share(site.now)
    for _ in range(3):
        site.report(phases=says)
        site.car().learned = learned
        site.read(5.0, 5.0, 5.0) if learned is None or says else site.read(21.0, 5.0, 5.0)
    return site


def test_phases_that_were_only_learned_are_doubted_before_the_meter() -> None:
    site = _accused((1,))
    assert site.controller.meter_wrong_at is None
    assert site.controller.phases_of("a") is None
    assert [phase.beside["a"] for phase in site.controller._house.phases] == [5.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("learned", "told", "says"),
    [(None, None, None), ((1,), (2,), None), ((0,), None, 3)],
    ids=["unknown", "told", "says"],
)
def test_where_phases_were_not_learned_it_is_the_meter(
    learned: tuple[int, ...] | None, told: tuple[int, ...] | None, says: int | None
) -> None:
    site = _accused(learned, told=told, says=says)
    assert site.controller.meter_wrong_at is not None
    assert site.car().learned == learned


def test_while_the_meter_is_wrong_nothing_that_is_learned_speaks_for_it() -> None:
    site = _accused(None)
    wrong_at = site.controller.meter_wrong_at
    assert wrong_at is not None
    _learn(site, 1)
    site.read(5.0, 5.0, 5.01)
    assert (site.controller.meter_wrong_at, site.car().learned) == (wrong_at, (1,))


# -- a car that was not known to draw ---------------------------------------------------------------------------------


def test_what_a_car_is_found_to_draw_was_never_the_houses() -> None:
    site = Site("a")
    site.read(21.0)
    assert site.controller.house == (21.0,)
    site.report(amps=16)
    assert site.controller.house == (5.0,)
    site.read(21.0)
    assert site.view().safe_room() == 20, "nor is it expected of it to come back"


def test_a_report_of_what_was_known_leaves_the_houses_peak() -> None:
    site = _site((1,), count=1)
    site.read(25.0)
    site.read(21.0)
    site.report(amps=16)
    assert site.view().safe_room() == 25 - 9


def test_before_all_phases_were_told_nothing_is_told_apart() -> None:
    site = Site("a", settings={"a": {"phases": (1,)}}, supply=Supply.THREE)
    site.read(21.0, None, None)
    site.report(amps=16)
    assert site.controller.house == ()
    assert site.controller.house_current() is None
    assert site.controller._house.amps == (21, 0, 0)


# -- several readings -----------------------------------------------------------------------------------------------


def test_questions_follow_a_rise_of_the_highest_phase() -> None:
    site = Site("a", supply=Supply.THREE)
    site.report(amps=0.0)
    site.read(2.0, 9.0, 2.0)
    site.read(2.0, 9.0, 2.0, after=20.0)
    assert site.controller.reports_wanted(site.now) == ()
    site.read(2.0, 13.0, 2.0)
    assert site.controller.reports_wanted(site.now) == ("a",)


def test_over_the_budget_questions_do_not_end() -> None:
    for amps, wanted in ((25.31, ("a",)), (25.29, ())):
        site = Site("a")
        site.report(amps=0.0)
        site.read(5.0, amps, 5.0)
        site.now += 400
        assert site.controller.reports_wanted(site.now) == wanted


def test_what_was_not_watched_is_no_calm() -> None:
    """A meter that stood still has shown nothing of the house meanwhile."""
    site = _site((1,), count=1, amps=16.0)
    site.tell(10)
    for _ in range(3):
        site.read(21.0)
    site.decide()
    assert site.controller.frozen_at is not None
    site.read(15.0)
    risk = site.risk(10.0)
    assert risk is not None
    assert risk.calm_s == 0
    site.read(15.01)
    site.read(15.0)
    risk = site.risk(10.0)
    assert risk is not None
    assert risk.calm_s == 10


def test_the_first_reading_has_held_for_no_time() -> None:
    site = Site("a")
    site.read(5.0, after=50.0)
    (phase,) = site.controller.record()["house"]
    assert not any(any(level[10:20]) for level in phase["levels"])
    site.read(5.0)
    (phase,) = site.controller.record()["house"]
    assert any(any(level[10:20]) for level in phase["levels"])
