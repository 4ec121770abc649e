"""How far the house rose within the last minute, which tells why a car was lowered."""

from hypothesis import given, strategies as st

from custom_components.amp_sensor.control import Action, Command, Decision, Reason
from custom_components.amp_sensor.notices.deeds import RISE_S, Deeds


def decided(at: float, amps: float, *, target: int, is_command: bool = False) -> Decision:
    command = Command(charger_id="a", action=Action.SET_AMPS, amps=target) if is_command else None
    return Decision(
        at=at,
        charger_id="a",
        target=target,
        reason=Reason.OVER_BUDGET,
        cap=16,
        numbers={"house_amps": amps},
        command=command,
    )


@given(st.lists(st.tuples(st.floats(0.01, 30), st.floats(-20, 20)), min_size=1, max_size=60))
def test_a_rise_is_that_over_the_lowest_of_the_last_minute(moves: list[tuple[float, float]]) -> None:
    deeds, at, past = Deeds(), 0.0, list[tuple[float, float]]()
    for after_s, amps in moves:
        at += after_s
        past.append((at, amps))
        deeds.add(decided(at, amps, target=16))
    deed = deeds.add(decided(at, past[-1][1], target=8, is_command=True))
    assert deed is not None
    lowest = min(amps for then, amps in past if then >= at - RISE_S)
    assert deed.numbers["rise_amps"] == round(past[-1][1] - lowest)
