"""What a site comes to by itself: within its budget, and charging with what is left; and who would not come to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, find, given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control import (
    ChargerSettings,
    Controller,
    Mode,
    Priority,
    Reading,
    SiteSettings,
    Supply,
    charger as charger_module,
    choice as choice_module,
    controller as controller_module,
)
from custom_components.amp_sensor.control.known import Known
from tests.control.honest import HonestCar, HonestSite
from tests.control.liveness import Liveness

SAFE_S = 15.0
"""Within which a site comes to its budget, s: 5 until the next reading, 2 until the cloud's answer, 1 until the car
moves and 4 until it has lowered its current, and a reading until the others are told what is left."""
MOVING_S = 45.0
"""How much longer it may take where a car is about to start or to raise its current as the house steps up, s: 10 until
it does, 5 for its minimum, 15 until its next report tells whose step it was, and 15 for a cut of the other."""
UNANSWERED_S = 65.0
"""The same where the first command is never answered, s: 60 are its longest life, and it is sent again 5 s later."""
CHARGING_S = 300.0
"""Within which a car charges that may, s: a house has to be calm for a minute or two, a start takes 10 s and another's
cut is waited for; a start of which nothing is heard is given up after 60 s and a minute and a half."""
FULL_S = 480.0
"""Within which it charges with all that it may, s: strict weighs a raise against steps of a house seen for minutes."""
PRICED = (Mode.STRICT, Mode.BALANCED, Mode.EAGER)
SUPPLIES = {1: Supply.SINGLE, 2: Supply.SPLIT, 3: Supply.THREE}
BROKEN = settings(
    max_examples=300,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class OneCar:
    """A car as it is found."""

    phases: tuple[int, ...]
    known: str
    request: int
    charging: bool
    max_amps: int
    min_amps: int
    priority: Priority


@dataclass(frozen=True)
class Situation:
    """A site whose house changes once, and stays so or is soon as it was."""

    budget: float
    mode: Mode
    before: tuple[float, ...]
    after: tuple[float, ...]
    cars: tuple[OneCar, ...]
    supply_is_told: bool
    unanswered: int
    late_s: float = inf
    """How long what is not answered takes until it reaches the car all the same."""
    passes_s: float = 0.0
    """How long it is as it comes to be, until it is again as it was; 0 is for good."""

    def begin(self) -> Liveness:
        """Let it be as it was before for three minutes."""
        supply = SUPPLIES[len(self.before)] if self.supply_is_told else None
        site_settings = SiteSettings(max_amps=self.budget, mode=self.mode, supply=supply)
        controller = controller_module.Controller(site_settings, now=0)
        cars, chargers = [], {}
        for name, car in zip("ab", self.cars, strict=False):
            told = tuple(phase + 1 for phase in car.phases) if car.known == "told" else None
            chargers[name] = ChargerSettings(
                max_amps=car.max_amps, min_amps=car.min_amps, priority=car.priority, phases=told
            )
            controller.set_charger(name, chargers[name], now=0)
            cars.append(
                HonestCar(
                    name,
                    phases=car.phases,
                    request=car.request,
                    charging=car.charging,
                    is_users_stop=not car.charging,
                    tells_phases=car.known == "reported",
                )
            )
            cars[-1].settle()
        site = HonestSite(controller, cars, lambda _: self.before)
        site.run(180)
        site.house = lambda _: self.after
        for each in cars:
            each.unanswered, each.late_s = self.unanswered, self.late_s
        if self.passes_s:
            site.run(self.passes_s)
            site.house = lambda _: self.before
        return Liveness(site, site_settings, chargers)

    def come_right(self) -> dict[str, float]:
        """Whether it comes right from there."""
        there = self.begin()
        is_moving = any(car.is_moving for car in there.site.cars.values())
        safe_s = SAFE_S + UNANSWERED_S * bool(self.unanswered) + MOVING_S * is_moving
        return there.come_right(safe_s=safe_s, charging_s=CHARGING_S, full_s=FULL_S)


@st.composite
def situations(draw: st.DrawFn, *, least_phases: int = 1) -> Situation:
    """Any site with one or two cars."""
    phases = draw(st.integers(least_phases, 3))
    subset = st.lists(st.integers(0, phases - 1), min_size=1, unique=True).map(lambda each: tuple(sorted(each)))
    house = st.tuples(*[st.integers(-8, 20).map(float)] * phases)
    car = st.builds(
        OneCar,
        phases=subset,
        known=st.sampled_from(["told", "reported", "unknown"]),
        request=st.integers(5, 16),
        charging=st.sampled_from([True] * 6 + [False]),
        max_amps=st.sampled_from([8, 16]),
        min_amps=st.sampled_from([5, 5, 7]),
        priority=st.sampled_from(Priority),
    )
    return Situation(
        budget=draw(st.sampled_from([10.0, 16.0, 20.0, 25.0])),
        mode=draw(st.sampled_from(PRICED)),
        before=draw(house),
        after=draw(house),
        cars=tuple(draw(st.lists(car, min_size=1, max_size=2))),
        supply_is_told=draw(st.booleans()),
        unanswered=draw(st.sampled_from([0, 0, 1])),
        late_s=draw(st.sampled_from([inf, 90.0, 240.0])),
        passes_s=draw(st.sampled_from([0.0, 0.0, 90.0])),
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(situation=situations())
def test_a_site_comes_to_its_budget_and_charges_with_what_is_left(situation: Situation) -> None:
    situation.come_right()


def _another_phase(phase: int, draws: int, over: float, mode: Mode) -> None:
    """All but one phase come to be over the budget, and the car is on that one."""
    car = OneCar((phase,), "told", draws, charging=True, max_amps=16, min_amps=5, priority=Priority.NORMAL)
    calm = (8.0, 8.0, 8.0)
    site = Situation(25.0, mode, calm, calm, (car,), supply_is_told=True, unanswered=0).begin().site
    site.run(900)
    assert site.draws["a"] == 16
    site.house = lambda _: tuple(amps if number == phase else 25.0 + over for number, amps in enumerate(calm))
    before = len(site.commands)
    site.run(1800)
    assert site.commands[before:] == []
    assert site.draws["a"] == 16


@settings(max_examples=20, deadline=None, derandomize=True)
@given(phase=st.integers(0, 2), draws=st.integers(6, 16), over=st.floats(0.5, 12), mode=st.sampled_from(PRICED))
def test_what_only_another_phase_carries_brings_no_command(phase: int, draws: int, over: float, mode: Mode) -> None:
    """To lower a car helps the phases that it loads and no other."""
    _another_phase(phase, draws, over, mode)


def _silence(number: int, missing: int | None) -> None:
    """Three phases of which one is told no more: it makes no room."""
    site_settings = SiteSettings(max_amps=25.0)
    controller = controller_module.Controller(site_settings, now=0)
    car = HonestCar("a", phases=(number,), request=8)
    car.settle()
    controller.set_charger("a", ChargerSettings(max_amps=16, phases=(number + 1,)), now=0)
    there = HonestSite(controller, [car], lambda _: tuple(22.0 - 8 * (phase == number) for phase in range(3)))
    there.run(200)
    assert there.draws["a"] == 8 + 2
    before = controller.house[number]
    for _ in range(20):
        there.now += 5
        told = tuple(None if phase == number else 5.0 for phase in range(3))[:missing]
        controller.add_reading(Reading(at=there.now, amps=told, volts=(230.0,) * len(told), watts=0.0))
        (decision,) = controller.decide(now=there.now)
        assert decision.target <= 10
        assert controller.house[number] >= before - 0.1
    assert controller.silent_phases(there.now) == (number + 1,)


@pytest.mark.parametrize(("number", "missing"), [(0, None), (1, None), (2, None), (2, 2)])
def test_a_phase_that_is_not_told_makes_no_room(number: int, missing: int | None) -> None:
    _silence(number, missing)


# -- controllers of which each lacks something -------------------------------------------------------------------


@contextmanager
def _never_cuts() -> Iterator[None]:
    choose = choice_module.choose

    def stay(view: Any) -> Any:
        choice = choose(view)
        return replace(choice, target=max(choice.target, view.charger.target))

    with patch.object(controller_module, "choose", stay):
        yield


@contextmanager
def _never_raises() -> Iterator[None]:
    choose = choice_module.choose

    def stay(view: Any) -> Any:
        choice = choose(view)
        return replace(choice, target=min(choice.target, view.charger.target))

    with patch.object(controller_module, "choose", stay):
        yield


@contextmanager
def _controlled_by(controller: type[Controller]) -> Iterator[None]:
    with patch.object(controller_module, "Controller", controller):
        yield


def _forgets_a_phase() -> Any:
    """Looks at the first two only."""

    class Forgetful(Controller):
        def add_reading(self, reading: Reading) -> None:
            super().add_reading(replace(reading, amps=reading.amps[:2], volts=reading.volts[:2]))

    return _controlled_by(Forgetful)


def _believes_silence_to_be_zero() -> Any:
    class Gullible(Controller):
        def add_reading(self, reading: Reading) -> None:
            told = [amps or 0.0 for amps in reading.amps] + [0.0] * (3 - len(reading.amps))
            super().add_reading(replace(reading, amps=tuple(told), volts=(230.0,) * 3))

    return _controlled_by(Gullible)


def _waits_for_ever() -> Any:
    """For the answer to a command."""
    return patch.object(charger_module.ManagedCharger, "is_lost", lambda *_: False)


def _takes_each_phase_for_the_cars() -> Any:
    """Counts a car on every phase, whatever it was told."""

    return patch.object(Known, "phases_of", lambda known, _charger: known.all_phases)


def _never_starts() -> Any:
    return patch.object(charger_module.ManagedCharger, "starts_left", lambda *_: 0.0)


@pytest.mark.parametrize(
    ("broken", "why", "phases"),
    [
        (_never_cuts, "over the budget", 1),
        (_never_raises, "does not charge", 1),
        (_forgets_a_phase, "over the budget", 3),
        (_waits_for_ever, "over the budget", 1),
        (_never_starts, "does not charge:", 1),
    ],
)
def test_a_controller_that_lacks_something_does_not_come_right(
    broken: Callable[[], Any], why: str, phases: int
) -> None:
    def goes_wrong(situation: Situation) -> bool:
        try:
            situation.come_right()
        except AssertionError as problem:
            return str(problem).startswith(why)
        return False

    with broken():
        find(situations(least_phases=phases), goes_wrong, settings=BROKEN)


@pytest.mark.parametrize(("number", "missing"), [(0, None), (2, 2)])
def test_a_controller_that_believes_silence_to_be_zero_is_caught(number: int, missing: int | None) -> None:
    with _believes_silence_to_be_zero(), pytest.raises(AssertionError):
        _silence(number, missing)


def test_a_controller_that_counts_a_car_on_every_phase_is_caught() -> None:
    with _takes_each_phase_for_the_cars(), pytest.raises(AssertionError):
        _another_phase(1, 10, 3.0, Mode.BALANCED)
