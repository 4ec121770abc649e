"""Who of several chargers gets how much: held against what anybody can work out by trying everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations, product

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.amp_sensor.control.allocation import Demand, allocate

ROOMS = st.lists(st.integers(-4, 80).map(lambda tenths: tenths / 2) | st.floats(-3, 40), min_size=3, max_size=3)
PHASES = st.sampled_from([(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])


def _demand(name: str, minimum: int = 5, cap: int = 16, **rest: object) -> Demand:
    return Demand(**{"charger_id": name, "phases": (0,), "minimum": minimum, "cap": cap} | rest)  # type: ignore[arg-type]


@st.composite
def _several(draw: st.DrawFn, most: int = 5, phases: st.SearchStrategy[tuple[int, ...]] = PHASES) -> list[Demand]:
    """Up to `most` chargers; no two have the same turn."""
    turns = draw(st.permutations(range(most)))
    return [
        Demand(
            charger_id=f"{number}",
            phases=draw(phases),
            minimum=draw(st.integers(1, 10)),
            cap=draw(st.integers(0, 20)),
            rank=draw(st.integers(0, 2)),
            turn=(draw(st.integers(0, 2)), float(turns[number])),
        )
        for number in range(draw(st.integers(1, most)))
    ]


def _left(room: Sequence[float], demands: Sequence[Demand], given_: Mapping[str, int]) -> list[float]:
    left = list(room)
    for demand in demands:
        for phase in demand.phases:
            left[phase] -= given_[demand.charger_id]
    return left


@pytest.mark.parametrize(
    ("room", "demands", "parts"),
    [
        ([18.3], [_demand("a"), _demand("b")], [9, 9]),
        ([17.9], [_demand("a", turn=(0, 1.0)), _demand("b", turn=(0, 2.0))], [9, 8]),
        ([17.9], [_demand("a", turn=(0, 2.0)), _demand("b", turn=(0, 1.0))], [8, 9]),
        ([18.0], [_demand("a", rank=0), _demand("b")], [13, 5]),
        ([18.0], [_demand("a"), _demand("b", rank=0)], [5, 13]),
        ([18.0], [_demand("a", cap=6), _demand("b")], [6, 12]),
        ([40.0], [_demand("a"), _demand("b")], [16, 16]),
        ([10.0], [_demand("a"), _demand("b")], [5, 5]),
        ([22.0], [_demand("a", minimum=6), _demand("b", minimum=10)], [11, 11]),
        ([19.0], [_demand("a", minimum=6), _demand("b", minimum=10)], [9, 10]),
        ([9.99], [_demand("a"), _demand("b")], [9, 0]),
        ([9.99], [_demand("a", turn=(1, 0.0)), _demand("b")], [0, 9]),
        ([9.99], [_demand("a", turn=(0, 0.0), rank=2), _demand("b", turn=(2, 9.0))], [0, 9]),
        ([5.0], [_demand("a")], [5]),
        ([4.99], [_demand("a")], [0]),
        ([-3.0], [_demand("a")], [0]),
        ([30.0], [_demand("a", minimum=6, cap=5)], [0]),
        ([30.0], [_demand("a", minimum=5, cap=5)], [5]),
        ([20.0], [_demand("a", minimum=10), _demand("b", minimum=5)], [10, 10]),
        ([24.0], [_demand("a"), _demand("b"), _demand("c")], [8, 8, 8]),
        # Who wants more than is left does not keep the smaller one from it
        ([8.0], [_demand("a", minimum=9, turn=(0, 0.0)), _demand("b", turn=(0, 1.0))], [0, 8]),
        ([9.0, 20.0, 20.0], [_demand("a", phases=(0, 1, 2)), _demand("b", phases=(1,))], [9, 11]),
        ([20.0, 9.0, 20.0], [_demand("a"), _demand("b", phases=(1,)), _demand("c", phases=(2,))], [16, 9, 16]),
        ([12.0, 30.0, 12.0], [_demand("a", phases=(0, 1)), _demand("b", phases=(1, 2))], [12, 12]),
        ([0.0, 30.0, 0.0], [_demand("a", phases=(0, 1)), _demand("b", phases=(1,))], [0, 16]),
        ([30.0], [], []),
    ],
)
def test_everybody_gets_what_anyone_would_say(room: list[float], demands: list[Demand], parts: list[int]) -> None:
    assert list(allocate(room, demands).values()) == parts


@given(room=ROOMS, demands=_several())
def test_no_phase_carries_more_than_its_room_and_nobody_gets_what_it_cannot_take(
    room: list[float], demands: list[Demand]
) -> None:
    parts = allocate(room, demands)
    assert list(parts) == [demand.charger_id for demand in demands]
    for demand in demands:
        part = parts[demand.charger_id]
        assert part == 0 or demand.minimum <= part <= demand.cap
        if part:
            assert all(_left(room, demands, parts)[phase] >= 0 for phase in demand.phases)


@given(room=ROOMS, demands=_several())
def test_nothing_is_left_that_somebody_could_take(room: list[float], demands: list[Demand]) -> None:
    parts = allocate(room, demands)
    left = _left(room, demands, parts)
    for demand in demands:
        part = parts[demand.charger_id]
        more = 1 if part else demand.minimum
        if part + more <= demand.cap:
            assert any(left[phase] < more for phase in demand.phases)


@given(room=ROOMS, demands=_several(), more=st.floats(0, 10))
def test_more_room_is_never_less_for_all_of_them(room: list[float], demands: list[Demand], more: float) -> None:
    """On one phase: on several, who needs more than one of them may take from two what one alone would have."""
    demands = [replace(demand, phases=(0,)) for demand in demands]
    before, after = allocate(room[:1], demands), allocate([room[0] + more], demands)
    assert sum(after.values()) >= sum(before.values())


@given(room=ROOMS, demands=_several(), phases=PHASES, minimum=st.integers(1, 8), cap=st.integers(8, 20))
def test_equals_are_treated_alike(
    room: list[float], demands: list[Demand], phases: tuple[int, ...], minimum: int, cap: int
) -> None:
    twins = [
        _demand(name, minimum=minimum, cap=cap, phases=phases, turn=(0, number)) for number, name in enumerate("xy", 5)
    ]
    parts = allocate(room, [*demands, *twins])
    if parts["y"]:
        assert abs(parts["x"] - parts["y"]) <= 1


@given(room=ROOMS, demands=_several(most=4), data=st.data())
def test_the_order_in_which_they_are_named_is_nothing(
    room: list[float], demands: list[Demand], data: st.DataObject
) -> None:
    assert allocate(room, data.draw(st.permutations(demands))) == allocate(room, demands)


@given(room=ROOMS, demands=_several(), number=st.integers(0, 4))
def test_who_is_more_important_never_gets_less(room: list[float], demands: list[Demand], number: int) -> None:
    """On one phase, for the same reason as above."""
    demands = [replace(demand, phases=(0,)) for demand in demands]
    chosen = demands[number % len(demands)]
    promoted = [replace(chosen, rank=chosen.rank - 1) if each is chosen else each for each in demands]
    assert allocate(room, promoted)[chosen.charger_id] >= allocate(room, demands)[chosen.charger_id]


@given(room=ROOMS, demands=_several(), rank=st.integers(0, 2), cap=st.integers(0, 20))
def test_of_who_is_less_important_only_the_minimum_counts(
    room: list[float], demands: list[Demand], rank: int, cap: int
) -> None:
    def capped(demand: Demand) -> Demand:
        is_served = demand.cap >= demand.minimum and demand.rank > rank
        return replace(demand, cap=max(demand.minimum, cap)) if is_served else demand

    before, after = allocate(room, demands), allocate(room, [capped(demand) for demand in demands])
    for demand in demands:
        if demand.rank <= rank:
            assert after[demand.charger_id] == before[demand.charger_id]


@given(room=ROOMS, demands=_several())
def test_who_gets_less_than_it_could_shares_a_full_phase_with_nobody_who_has_more(
    room: list[float], demands: list[Demand]
) -> None:
    """That is what filling like water means: nobody can be given an ampere but by one who has no more."""
    parts = allocate(room, demands)
    left = _left(room, demands, parts)
    for demand in demands:
        part = parts[demand.charger_id]
        if not part or part == demand.cap:
            continue
        others = [other for other in demands if other is not demand and parts[other.charger_id] > other.minimum]
        assert any(
            left[phase] < 1
            and all(
                other.rank < demand.rank or (other.rank == demand.rank and parts[other.charger_id] <= part + 1)
                for other in others
                if phase in other.phases
            )
            for phase in demand.phases
        )


def _possible(room: Sequence[float], demands: Sequence[Demand], fixed: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Try everything for those that are not fixed."""
    open_ = [demand for demand in demands if demand.charger_id not in fixed]
    for amounts in product(*(range(demand.minimum, demand.cap + 1) for demand in open_)):
        parts = {**fixed, **{demand.charger_id: amps for demand, amps in zip(open_, amounts, strict=True)}}
        left = _left(room, demands, parts)
        if all(left[phase] >= 0 for demand in demands if parts[demand.charger_id] for phase in demand.phases):
            yield parts


def _best(room: Sequence[float], demands: Sequence[Demand]) -> Iterator[tuple[int, list[list[int]]]]:
    """Tell for each rank the fairest parts in ascending order: first the best, and then all that are as good."""
    served: list[Demand] = []
    for demand in sorted(demands, key=lambda demand: (demand.rank, demand.turn)):
        minima = {each.charger_id: each.minimum for each in (*served, demand)}
        if demand.minimum <= demand.cap and all(
            each >= 0 or phase not in demand.phases for phase, each in enumerate(_left(room, [*served, demand], minima))
        ):
            served.append(demand)
    parts = allocate(room, demands)
    for rank in sorted({demand.rank for demand in served}):
        mine = [demand for demand in served if demand.rank == rank]
        fixed = {each.charger_id: parts[each.charger_id] for each in served if each.rank < rank}
        fixed |= {each.charger_id: each.minimum for each in served if each.rank > rank}
        yield (
            rank,
            sorted(
                (sorted(tried[each.charger_id] for each in mine) for tried in _possible(room, served, fixed)),
                reverse=True,
            ),
        )


@settings(max_examples=60)
@given(room=ROOMS, demands=_several(most=3))
def test_trying_everything_finds_nothing_fairer(room: list[float], demands: list[Demand]) -> None:
    """The least that anybody of a rank has is the most possible; on one phase, so is everything else."""
    for phases in (None, (0,)):
        alike = demands if phases is None else [replace(demand, phases=phases) for demand in demands]
        parts = allocate(room, alike)
        for rank, fairest in _best(room, alike):
            found = sorted(parts[each.charger_id] for each in alike if each.rank == rank and parts[each.charger_id])
            if phases is None:
                assert found[0] == fairest[0][0]
            else:
                assert found == fairest[0]


def test_three_share_by_turn_whatever_is_left_over() -> None:
    for order in permutations(range(3)):
        demands = [_demand(f"{number}", turn=(0, float(turn))) for number, turn in enumerate(order)]
        parts = allocate([26.0], demands)
        assert [parts[f"{number}"] for number in range(3)] == [9 if turn < 2 else 8 for turn in order]
