"""The shortest of the matrix, at every run: `scripts/faults` lets all faults happen, for longer."""

import pytest

from tests.faults.conftest import Spend
from tests.faults.evening import SHORT
from tests.faults.faults import ALL

MINUTE_S = 60


@pytest.mark.parametrize(
    "name",
    [
        "meter: silent",
        "Tessie: 401, the token was revoked",
        "Tessie: the car obeys, the answer never comes",
        "network: no way to anybody",
        "Home Assistant: killed at a stop",
        "Home Assistant: clock set 1 h ahead, and back",
    ],
)
async def test_whatever_fails_no_breaker_opens_and_charging_goes_on_by_itself(name: str, spend: Spend) -> None:
    row, drawn = await spend(ALL[name], SHORT)
    assert not row.errors
    assert row.avoidable == 0
    assert row.away == row.asleep == 0
    assert min(drawn) == 0, "an evening in which it has to be stopped"
    assert sum(drawn[-MINUTE_S:]) > 5 * MINUTE_S, "it charges again"
