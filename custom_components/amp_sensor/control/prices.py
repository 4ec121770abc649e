"""What being wrong costs, and so when a raise or a stop is worth it. The modes differ in nothing but these prices.

Everything is weighed in A·s of charge. Drawing `amps` is worth that much charge a second, less what the house's next
step will cost: the chance of it, times the time until a cut is seen, sent and obeyed, times its size, times the price
of an A·s over the budget, and the price of the command itself. A raise must earn its own command within the time that
the house is expected to stay as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
import math

from .decision import Mode
from .memory import Risk
from .profile import Profile

OVER_A = 0.3
"""A reading is over the budget from here, A: less is the noise of a 1 % sensor at 30 A, and warms no breaker."""
STEADY_S = 7.0
"""Headroom counts only once it was there for this long, s: more than one usual reading."""
START_STEADY_S = 5.0
"""Headroom for a start counts from here, s: one usual reading, as the car takes its time."""
START_PRICE_AS = 200.0
"""What a start costs, A·s: half a minute without 6 A; the number of starts is bounded elsewhere."""
LASTING = 0.7
"""A house that was calm for a time stays so for about 0.7 of it: the median of a chance of `c / time` with c of 2."""
LONGEST_S = 300.0
"""The longest time over which a raise is expected to pay, s: houses rarely stay calm for longer by day."""
SHORT_SHARE = (0.2, 0.2, 0.8, 1.0, 1.0, 1.5)
"""How much of the hold is granted by how often the house went so high within the last minutes, this time included. Of
first times, 64 of 85 lasted for more than 40 s in three houses (a kettle); of later ones, one in ten (a thermostat)."""
LONG_HOLD_S = 30.0
"""An appliance that goes over stays on for this long at least, s: it is what the minimum must be affordable for."""
CUT_SHARE = 0.075
"""The part of a command's price that being slightly over the budget may cost before it is sent: most such excesses end
by themselves, and those that do not are no dearer for it."""
SEEING_S = 1.0
"""From a step of the house to the reading that shows it, s: the firmware posts at once on a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a mode thinks things are worth."""

    over: float
    """Of one A·s over the budget, A·s of charge."""
    command_as: float
    """Of one command, A·s of charge: providers bill each, and each is one more thing that can go wrong."""
    hold_as: float
    """A·s over the budget that holding the minimum may cost before it is stopped; 0 uses no tolerance at all."""
    margin_amps: float
    """What a raise keeps free below the budget, A."""

    def of(self, profile: Profile) -> Prices:
        """Return them for a kind of charger, whose commands may cost less."""
        return replace(self, command_as=self.command_as * profile.command_part) if profile.command_part < 1 else self

    def pays_for_cut(self, debt_as: float) -> bool:
        """Whether so much over the budget, A·s, was worth a command to end it."""
        return debt_as * self.over >= CUT_SHARE * self.command_as

    def holds_minimum(self, excess: float, debt_as: float, returns: int) -> bool:
        """Whether the minimum, `excess` A over the budget, may be held on after `debt_as` A·s of that.

        `returns` tells how often the house went that high lately, this time included.
        """
        hold_as = self.hold_as * SHORT_SHARE[min(returns, len(SHORT_SHARE) - 1)]
        return debt_as < hold_as and excess * LONG_HOLD_S < hold_as

    def worth(self, amps: int, risk: Risk | None, latency_s: float, profile: Profile) -> float:
        """Return what drawing `amps` is worth, A·s of charge a second; −inf where it does not fit."""
        if amps == 0:
            return 0.0
        if risk is None:
            return -math.inf
        over_s = SEEING_S + latency_s + profile.moving_s + risk.step_amps / profile.down_a_per_s / 2
        return amps - risk.per_s * (self.over * over_s * risk.step_amps + self.command_as)


# Chosen on the benchmark (docs/benchmark.md): balanced meets its bounds on three houses, strict halves what goes over,
# eager takes what the protection allows. A price of zero would be the original service's rule.
PRICES = {
    Mode.STRICT: Prices(over=12.0, command_as=180.0, hold_as=0.0, margin_amps=0.3),
    Mode.BALANCED: Prices(over=3.0, command_as=180.0, hold_as=45.0, margin_amps=0.1),
    Mode.EAGER: Prices(over=1.5, command_as=90.0, hold_as=600.0, margin_amps=0.0),
}
PRICES[Mode.MONITOR] = PRICES[Mode.BALANCED]


def best_raise(
    target: int,
    candidates: Iterable[int],
    prices: Prices,
    *,
    latency_s: float,
    profile: Profile,
    risk: Callable[[int, float], Risk | None],
    now: float,
    request: int | None = None,
) -> int:
    """Return the candidate that earns most over the target, or the target where none earns its command.

    A start is weighed as of its first current.
    """
    starting = target == 0
    at = now + profile.start_lead_s if starting else now
    calm_s = profile.start_lead_s + START_STEADY_S if starting else STEADY_S
    price_as = START_PRICE_AS if starting else prices.command_as
    here = prices.worth(target, risk(target, now), latency_s, profile)
    best, best_gain = target, 0.0
    for amps in candidates:
        ahead = risk(amps, at)
        if ahead is None or ahead.calm_s < calm_s:
            break
        worth = prices.worth(amps, ahead, latency_s, profile)
        gain = (worth - here) * min(LASTING * ahead.calm_s, LONGEST_S) - price_as
        if starting and amps != request:
            gain -= prices.command_as
        if gain > best_gain:
            best, best_gain = amps, gain
    return best
