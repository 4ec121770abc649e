"""When a meter that goes on telling is not to be believed."""

from dataclasses import replace

import pytest

from custom_components.amp_sensor.control import Action, Command, Protection, Reading
from custom_components.amp_sensor.control.belief import Change
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.charging import ChargerReport, ChargingState
from custom_components.amp_sensor.control.doubt import MeterDoubt
from custom_components.amp_sensor.control.house import House
from custom_components.amp_sensor.control.profile import LOCAL, TESSIE, Profile
from custom_components.amp_sensor.control.settings import ChargerSettings


def _car(says: float, *, measured_at: float, profile: Profile = TESSIE, **changes: object) -> ManagedCharger:
    car = ManagedCharger("a", ChargerSettings(max_amps=32, profile=profile))
    fields = {"state": ChargingState.CHARGING, "at_home": True, "requested_amps": says, "measured_amps": says}
    car.add_report(ChargerReport(age_s=0.0, **fields | changes), measured_at)  # type: ignore[arg-type]
    return car


def _reading(at: float, *amps: float | None, watts: float = 1000.0) -> Reading:
    return Reading(at=at, amps=amps, volts=(230.0,) * len(amps), watts=watts)


class _Site:
    def __init__(self, phases: int = 1) -> None:
        protection = Protection(rating_amps=40)
        self.house = House(max_amps=40, protection=protection, phases=phases, now=0.0)
        self.doubt = MeterDoubt(0.0)

    def read(self, at: float, *amps: float | None, car: ManagedCharger, phases: tuple[int, ...] | None = (0,)) -> bool:
        """Take a reading; tell whether the meter is held for wrong."""
        assert self.house.add(_reading(at, *amps), believable_amps=400)
        self.doubt.compare(self.house, {"a": car}, {"a": phases}, at)
        return self.doubt.wrong_at is not None


# -- it shows less than is drawn ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "is_low"), [(8.5, False), (8.49, True), (20.0, False)])
def test_less_than_the_car_says_is_doubted_beyond_what_rounding_makes(shown: float, is_low: bool) -> None:
    site = _Site()
    site.read(10, shown, car=_car(10.0, measured_at=9))
    assert site.doubt.is_low is is_low


@pytest.mark.parametrize(("shown", "is_low"), [(17.0, False), (16.99, True)])
def test_of_much_a_cheap_clamp_is_right_to_a_seventh(shown: float, is_low: bool) -> None:
    site = _Site()
    site.read(10, shown, car=_car(20.0, measured_at=9))
    assert site.doubt.is_low is is_low


@pytest.mark.parametrize(("second", "is_wrong"), [(14.99, False), (15.0, True)])
def test_it_is_wrong_once_a_report_from_later_says_so_again(second: float, is_wrong: bool) -> None:
    """A report from before the meter fell proves nothing: the car may have stopped."""
    site = _Site()
    assert not site.read(10, 2.0, car=_car(10.0, measured_at=9))
    assert not site.read(30, 2.0, car=_car(10.0, measured_at=9))
    assert site.read(31, 2.0, car=_car(10.0, measured_at=second)) is is_wrong
    assert site.doubt.since == (10 if is_wrong else None)


def _wrong(shown: float = 2.0) -> _Site:
    site = _Site()
    site.read(10, shown, car=_car(10.0, measured_at=9))
    assert site.read(20, shown, car=_car(10.0, measured_at=19))
    return site


@pytest.mark.parametrize(("shown", "is_wrong"), [(9.3, True), (9.31, False)])
def test_it_is_right_again_once_it_shows_what_the_car_says(shown: float, is_wrong: bool) -> None:
    assert _wrong().read(30, shown, car=_car(10.0, measured_at=29)) is is_wrong


@pytest.mark.parametrize(("shown", "is_wrong"), [(3.5, True), (3.51, False)])
def test_a_car_that_stands_still_does_not_make_it_right_but_what_it_shows_does(shown: float, is_wrong: bool) -> None:
    stopped = _car(0.0, measured_at=29, state=ChargingState.STOPPED)
    assert _wrong().read(30, shown, car=stopped) is is_wrong


def test_the_least_that_it_showed_is_what_has_to_change() -> None:
    site = _wrong(shown=2.0)
    stopped = _car(0.0, measured_at=29, state=ChargingState.STOPPED)
    assert site.read(30, 1.0, car=stopped)
    assert site.read(31, 2.5, car=stopped)
    assert not site.read(32, 2.51, car=stopped)


def test_a_house_that_exports_is_left_alone() -> None:
    site = _wrong()
    assert not site.read(30, -3.0, car=_car(10.0, measured_at=29))
    assert not site.doubt.is_low
    site.read(40, 1.0, car=_car(10.0, measured_at=39))
    assert not site.doubt.is_low


@pytest.mark.parametrize(
    "car",
    [
        _car(10.0, measured_at=9, at_home=False),
        _car(10.0, measured_at=9, at_home=None),
        _car(10.0, measured_at=9, state=ChargingState.STOPPED),
        _car(10.0, measured_at=9, state=ChargingState.STARTING),
        _car(10.0, measured_at=-111),
        _car(10.0, measured_at=9, profile=replace(LOCAL, report_is_evidence=False)),
    ],
    ids=["away", "nobody knows where", "stopped", "starting", "old", "repeats what it was told"],
)
def test_what_is_no_evidence_speaks_against_nothing(car: ManagedCharger) -> None:
    site = _Site()
    site.read(10, 2.0, car=car)
    assert not site.doubt.is_low


def test_a_report_from_before_a_command_had_its_effect_is_no_evidence() -> None:
    car = _car(10.0, measured_at=9)
    car.send(Command(charger_id="a", action=Action.SET_AMPS, amps=6), 9.5, (10.0,))
    site = _Site()
    site.read(10, 2.0, car=car)
    assert not site.doubt.is_low


def test_of_several_phases_each_is_held_against_those_that_load_it() -> None:
    for phases, is_low in (((0,), False), ((1,), True), ((0, 1), True), (None, False)):
        site = _Site(3)
        site.read(10, 12.0, 1.0, 1.0, car=_car(10.0, measured_at=9), phases=phases)
        assert site.doubt.is_low is is_low
    site = _Site(3)
    site.read(10, 1.0, 8.0, 1.0, car=_car(10.0, measured_at=9), phases=None)
    assert site.doubt.is_low, "nobody knows its phases, but one of them has to show it"


def test_what_a_phase_that_was_not_told_showed_is_kept() -> None:
    site = _Site(3)
    for at in (10, 20):
        site.read(at, 1.0, 1.0, 1.0, car=_car(10.0, measured_at=at - 1), phases=(1,))
    assert site.doubt.wrong_at == 10
    assert site.read(30, 5.0, None, 1.0, car=_car(10.0, measured_at=29), phases=(1,))
    assert site.read(35, 5.0, None, 1.0, car=_car(1.5, measured_at=34), phases=(1,)), "whatever it draws by now"
    assert not site.read(40, 5.0, 12.0, 1.0, car=_car(10.0, measured_at=39), phases=(1,))


def test_a_phase_that_is_gone_accuses_nobody() -> None:
    """Two odd posts told of a second one, that showed nothing of the car."""
    site = _Site(1)
    for at, wrong in ((10, False), (16, True)):
        assert site.read(at, 20.0, 1.0, car=_car(10.0, measured_at=at - 0.5), phases=(1,)) is wrong
    assert not site.read(21, 20.0, car=_car(10.0, measured_at=20), phases=(0,))


def test_a_phase_that_was_not_told_is_no_sign_of_less() -> None:
    for phases in ((0,), None):
        site = _Site(2)
        site.read(10, 5.0, 5.0, car=_car(0.0, measured_at=9), phases=phases)
        site.read(20, None, 5.0, car=_car(10.0, measured_at=19), phases=phases)
        assert not site.doubt.is_low


@pytest.mark.parametrize(("shown", "is_low"), [(8.5, False), (8.49, True)])
def test_of_unknown_phases_the_highest_shows_it(shown: float, is_low: bool) -> None:
    site = _Site(2)
    site.read(10, shown, 1.0, car=_car(10.0, measured_at=9), phases=None)
    assert site.doubt.is_low is is_low


def test_a_report_counts_for_two_minutes_and_only_where_it_tells_a_current() -> None:
    for at, is_low in ((129.99, True), (130.0, False)):
        site = _Site()
        site.read(at, 2.0, car=_car(10.0, measured_at=10))
        assert site.doubt.is_low is is_low
    site, car = _Site(), _car(10.0, measured_at=10)
    car.add_report(ChargerReport(age_s=0.0, state=ChargingState.CHARGING, at_home=True), 19)
    assert car.is_told_of_last_command
    site.read(20, 2.0, car=car)
    assert not site.doubt.is_low


def test_who_draws_nothing_is_not_waited_for() -> None:
    site, idle = _Site(), _car(0.0, measured_at=5)
    for at in (10.0, 20.0):
        site.house.add(_reading(at, 2.0), believable_amps=400)
        cars = {"a": idle, "b": _car(10.0, measured_at=at - 1)}
        site.doubt.compare(site.house, cars, {"a": (0,), "b": (0,)}, at)
    assert site.doubt.wrong_at == 10


# -- it stands still --------------------------------------------------------------------------------------------


def _told(to: int, *, at: float = 100.0) -> ManagedCharger:
    car = _car(16.0, measured_at=at - 10)
    command = Command(charger_id="a", action=Action.SET_AMPS, amps=to)
    car.send(command, at, (20.0,))
    assert car.belief.change is not None
    car.belief.change.acked_at = at
    return car


@pytest.mark.parametrize(("to", "freezes"), [(14, True), (15, False)])
def test_a_meter_that_shows_nothing_at_all_of_a_change_is_frozen(to: int, freezes: bool) -> None:
    doubt, car = MeterDoubt(0.0), _told(to)
    doubt.add(_reading(99.0, 20.0), None)
    due = car.belief.change.due_at() if car.belief.change else None
    assert due is not None
    doubt.look_for_change(car, due - 0.01)
    assert doubt.since is None
    doubt.look_for_change(car, due)
    assert (doubt.frozen_at, doubt.since) == ((100.0, 100.0) if freezes else (None, None))


def test_a_meter_that_moved_since_is_not_frozen() -> None:
    doubt, car = MeterDoubt(0.0), _told(10)
    doubt.add(_reading(101.0, 20.1), _reading(96.0, 20.0))
    doubt.look_for_change(car, 200.0)
    assert doubt.frozen_at is None
    doubt = MeterDoubt(100.0)
    doubt.look_for_change(car, 200.0)
    assert doubt.frozen_at is None, "nor one that moved as it was sent"


@pytest.mark.parametrize(
    ("amps", "watts", "moves"), [(20.0, 1000.0, False), (20.1, 1000.0, True), (20.0, 1001.0, True)]
)
def test_whatever_changes_in_it_ends_that(amps: float, watts: float, moves: bool) -> None:
    doubt = MeterDoubt(0.0)
    doubt.frozen_at = 100.0
    doubt.add(_reading(130.0, amps, watts=watts), _reading(125.0, 20.0))
    assert (doubt.frozen_at is None) is moves


@pytest.mark.parametrize(("read_at", "freezes"), [(107.0, False), (107.01, True)])
def test_a_car_that_says_it_obeyed_speaks_against_a_meter_that_stood_still(read_at: float, freezes: bool) -> None:
    doubt, car = MeterDoubt(0.0), _told(10)
    assert car.belief.change is not None
    doubt.look_for_obeyed(car.belief.change, 102.0, _reading(read_at, 20.0))
    assert doubt.frozen_at == (102.0 if freezes else None)
    doubt = MeterDoubt(0.0)
    doubt.frozen_at = 50.0
    doubt.look_for_obeyed(car.belief.change, 102.0, _reading(read_at, 20.0))
    assert doubt.frozen_at == 50, "it stands still since then"
    doubt = MeterDoubt(102.0)
    doubt.look_for_obeyed(car.belief.change, 102.0, _reading(read_at, 20.0))
    assert doubt.frozen_at is None, "it moved after that"
    doubt = MeterDoubt(0.0)
    doubt.look_for_obeyed(_told(14).belief.change, 102.0, _reading(200.0, 20.0))  # type: ignore[arg-type]
    assert doubt.frozen_at == 102
    doubt = MeterDoubt(0.0)
    doubt.look_for_obeyed(_told(15).belief.change, 102.0, _reading(read_at, 20.0))  # type: ignore[arg-type]
    assert doubt.frozen_at is None, "an ampere may not show"


def test_the_older_doubt_counts() -> None:
    doubt = MeterDoubt(0.0)
    assert doubt.since is None
    doubt.frozen_at = 50.0
    assert doubt.since == 50
    doubt.wrong_at = 40.0
    assert doubt.since == 40
    doubt.frozen_at = None
    assert doubt.since == 40


@pytest.mark.parametrize(("loads", "is_wrong"), [(None, True), ((0,), False), ((0, 2), True)])
def test_what_was_seen_while_nobody_knew_where_the_car_is_says_nothing_of_other_phases(
    loads: tuple[int, ...] | None, is_wrong: bool
) -> None:
    site = _Site(3)
    for second in (10, 20):
        site.read(second, 3.0, 0.0, 4.0, car=_car(8.0, measured_at=second - 1), phases=None)
    assert site.doubt.wrong_at == 10
    assert site.read(30, 8.0, 0.0, 0.0, car=_car(8.0, measured_at=29), phases=loads) is is_wrong


# -- it is the wrong way round --------------------------------------------------------------------------------------


def _step(low: float, to: float, before: tuple[float, ...]) -> Change:
    command = Command(charger_id="a", action=Action.SET_AMPS, amps=round(to))
    return Change(command=command, low=low, high=low, to=to, sent_at=0, before=before, profile=TESSIE)


@pytest.mark.parametrize(
    ("before", "after", "is_reversed"),
    [
        ((-10.0,), (-20.0,), True),
        ((-10.0,), (-17.0,), True),
        ((-10.0,), (-23.0,), True),
        ((-10.0,), (-16.9,), False),
        ((-10.0,), (-23.1,), False),
        ((-10.0,), (0.0,), False),
        ((-10.0,), (-10.0,), False),
        ((-10.0, 5.0, 5.0), (-20.0, 15.0, 15.0), True),
        ((-10.0, 5.0, 5.0), (-20.0, 5.0, 5.0), True),
        ((-10.0, 5.0, 5.0), (-20.0, 9.0, 5.0), False),
        ((-10.0, 5.0, 5.0), (-10.0, 15.0, 5.0), False),
    ],
)
def test_a_step_shows_which_way_round_the_clamp_is(
    before: tuple[float, ...], after: tuple[float, ...], is_reversed: bool
) -> None:
    site = _Site(len(before))
    site.read(10, *before, car=_car(0.0, measured_at=9), phases=None)
    site.read(20, *after, car=_car(0.0, measured_at=19), phases=None)
    site.doubt.look_for_reversed(site.house, _step(6.0, 16.0, before), None, 20)
    assert (site.doubt.since, site.doubt.is_low) == ((20, True) if is_reversed else (None, False))
    site.doubt.look_for_reversed(site.house, _step(6.0, 16.0, before), None, 25)
    assert site.doubt.reversed_at == (20 if is_reversed else None)


@pytest.mark.parametrize(
    ("loads", "is_reversed"), [(None, True), ((0,), False), ((1,), True), ((0, 1), True), ((2,), False)]
)
def test_what_another_phase_does_meanwhile_is_the_houses(loads: tuple[int, ...] | None, is_reversed: bool) -> None:
    """Else a car that starts as the sun comes out would be stopped until the evening."""
    site = _Site(3)
    site.read(10, -2.0, 5.0, 5.0, car=_car(0.0, measured_at=9), phases=None)
    site.read(20, 8.0, -5.0, 5.0, car=_car(0.0, measured_at=19), phases=None)
    site.doubt.look_for_reversed(site.house, _step(6.0, 16.0, (-2.0, 5.0, 5.0)), loads, 20)
    assert (site.doubt.reversed_at is not None) is is_reversed


def test_only_a_clear_step_behind_a_meter_that_knows_the_sign_tells() -> None:
    for before, after, to in (((10.0,), (0.0,), 16.0), ((-10.0,), (-14.9,), 10.9)):
        site = _Site()
        site.read(10, *before, car=_car(0.0, measured_at=9))
        site.read(20, *after, car=_car(0.0, measured_at=19))
        site.doubt.look_for_reversed(site.house, _step(6.0, to, before), None, 20)
        assert site.doubt.reversed_at is None
    site = _Site(2)
    site.read(10, -10.0, -1.0, car=_car(0.0, measured_at=9))
    site.read(20, -20.0, None, car=_car(0.0, measured_at=19))
    site.doubt.look_for_reversed(site.house, _step(6.0, 16.0, (-10.0, -1.0)), None, 20)
    assert site.doubt.reversed_at is None, "one phase was not told"


def test_a_step_that_shows_right_ends_it() -> None:
    site = _Site()
    site.read(10, -10.0, car=_car(0.0, measured_at=9))
    site.doubt.reversed_at = 5
    for after, is_reversed in ((-10.0, True), (-20.0, True), (0.0, False)):
        site.read(20, after, car=_car(0.0, measured_at=19))
        site.doubt.look_for_reversed(site.house, _step(6.0, 16.0, (-10.0,)), None, 20)
        assert (site.doubt.reversed_at is not None) is is_reversed
