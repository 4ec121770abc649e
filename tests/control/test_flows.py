"""What flows beside each charger, once everything that was told has happened."""

from custom_components.amp_sensor.control import Protection, Reading
from custom_components.amp_sensor.control.charger import ManagedCharger
from custom_components.amp_sensor.control.flows import Flows
from custom_components.amp_sensor.control.house import House
from custom_components.amp_sensor.control.settings import ChargerSettings


def _car(name: str, drawn: float, target: int) -> ManagedCharger:
    car = ManagedCharger(name, ChargerSettings(max_amps=16))
    car.running, car.target, car.request = True, target, round(drawn)
    car.belief.settle(drawn, drawn)
    return car


def _flows(
    read: tuple[float, ...], cars: dict[ManagedCharger, tuple[int, ...] | None], *, ours: bool = True
) -> tuple[House, Flows]:
    house = House(max_amps=25, protection=Protection(rating_amps=25), phases=len(read), now=0.0)
    house.add(Reading(at=1.0, amps=read, volts=(230.0,) * len(read), watts=0.0), believable_amps=250)
    known = [(car.belief.high, phases) for car, phases in cars.items() if phases is not None]

    def drawn(phase: int) -> tuple[float, float]:
        amps = sum(each for each, phases in known if phase in phases)
        return amps, amps

    unknown = {car.charger_id: (car.belief.low, car.belief.high) for car, phases in cars.items() if phases is None}
    house.share(drawn, unknown)
    loads = {car.charger_id: phases for car, phases in cars.items()}
    return house, Flows(house, cars, loads, cars if ours else (), 2.0)


def test_beside_one_flow_the_house_and_what_the_others_were_told() -> None:
    a, b, c = _car("a", 10.0, 10), _car("b", 8.0, 6), _car("c", 4.0, 9)
    _, flows = _flows((30.0, 12.0), {a: (0,), b: (0, 1), c: (0,)})
    assert flows.beside(a) == [8 + 6 + 9, 4 + 6]
    assert flows.beside(b) == [8 + 10 + 9, 4]
    assert flows.beside(c) == [8 + 10 + 6, 4 + 6]


def test_what_they_may_draw_is_what_they_draw_yet_or_are_told() -> None:
    a, b, c = _car("a", 10.0, 10), _car("b", 8.0, 6), _car("c", 4.0, 9)
    _, flows = _flows((30.0,), {a: (0,), b: (0,), c: (0,)})
    assert flows.beside(a, committed=True) == [8 + 8 + 9]
    _, flows = _flows((30.0,), {a: (0,), b: (0,), c: (0,)}, ours=False)
    assert flows.beside(a, committed=True) == [8 + 6 + 9], "who is not ours is told nothing more"


def test_who_was_told_since_is_counted_anew() -> None:
    a, b = _car("a", 10.0, 10), _car("b", 8.0, 8)
    _, flows = _flows((26.0, 3.0), {a: (0,), b: (0, 1)})
    b.target = 12
    flows.renew(b)
    assert flows.beside(a)[0] == 8 + 12
    assert flows.beside(b)[0] == 8 + 10


def test_of_unknown_phases_more_counts_on_each_and_what_flows_on_none() -> None:
    a, b = _car("a", 10.0, 12), _car("b", 8.0, 8)
    house, flows = _flows((18.0, 12.0), {a: None, b: (1,)})
    assert house.amps == (18.0, 4.0)
    assert flows.beside(b) == [18 + 2, 4 + 2]
    assert flows.beside(a) == [8.0, 0.0 + 8], "for itself, what it draws is its own"
    a.target = 8
    flows.renew(a)
    assert flows.beside(b) == [18.0, 4.0], "less is not counted before it shows"


def test_without_those_who_share_flow_the_house_and_the_others() -> None:
    a, b, c = _car("a", 10.0, 12), _car("b", 8.0, 8), _car("c", 4.0, 4)
    _, flows = _flows((30.0, 10.0), {a: (0,), b: (0, 1), c: (0,)})
    assert flows.without((a, b)) == [8 + 4, 2.0]
    assert flows.without((a, b, c)) == [8.0, 2.0]
    _, flows = _flows((30.0, 4.0), {a: None, b: (0,)})
    assert flows.without((a, b)) == [12.0, 0.0], "where nobody knows, the least that the house may draw"
