"""What can go wrong at Tessie, by name: so that tests, demo and benchmark speak of the same troubles."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
import math
from random import Random
from typing import Final


class Scope(Enum):
    """Which calls a fault can hit."""

    ANY = auto()
    STATE = auto()
    COMMAND = auto()
    WAKE = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong."""

    about: str
    """What happens, in a few words."""
    scope: Scope
    probability: float
    """Share of the calls that a demonstration lets it hit: 1 for what lasts, less for what comes and goes."""


FAULTS: Final[Mapping[str, Fault]] = {
    # Refused at the door
    "unauthorized": Fault("401, the token was revoked", Scope.ANY, 1.0),
    "token_expired": Fault("401, the account's link to Tesla has ended", Scope.ANY, 1.0),
    "no_subscription": Fault("402, the subscription has ended", Scope.ANY, 1.0),
    "forbidden": Fault("403, the token lacks a scope", Scope.ANY, 1.0),
    "vehicle_gone": Fault("404, the car has left the account", Scope.ANY, 1.0),
    "car_offline": Fault("408, the car cannot be reached", Scope.ANY, 0.2),
    "failed_dependency": Fault("424, Tesla's side failed", Scope.ANY, 0.2),
    "too_many": Fault("429 with Retry-After in seconds", Scope.ANY, 0.1),
    "too_many_date": Fault("429 with Retry-After as a date", Scope.ANY, 0.1),
    "too_many_bare": Fault("429 without Retry-After", Scope.ANY, 0.1),
    "key_missing": Fault("500, the virtual key was never paired", Scope.COMMAND, 1.0),
    "server_error": Fault("500 without a word why", Scope.COMMAND, 0.2),
    "vehicle_unavailable": Fault("500, the car cannot be reached", Scope.COMMAND, 0.2),
    "forbidden_page": Fault("403 with a page of HTML, by a proxy on the way", Scope.ANY, 0.2),
    "bad_gateway": Fault("502 with a page of HTML", Scope.ANY, 0.2),
    "unavailable": Fault("503", Scope.ANY, 0.2),
    "gateway_timeout": Fault("504", Scope.ANY, 0.2),
    # Answers that are none
    "html": Fault("200 with a page of HTML", Scope.ANY, 0.2),
    "empty": Fault("200 without a body", Scope.ANY, 0.2),
    "wrong_type": Fault("200 with JSON of another shape", Scope.ANY, 0.2),
    "truncated": Fault("JSON that ends in the middle", Scope.ANY, 0.2),
    "cut_off": Fault("the connection ends in the middle of the body", Scope.ANY, 0.2),
    "huge": Fault("a body without end", Scope.ANY, 0.1),
    "reset": Fault("the connection is reset instead of an answer", Scope.ANY, 0.2),
    "hang": Fault("no answer for a minute", Scope.ANY, 0.1),
    "slow": Fault("answers take five times as long", Scope.ANY, 1.0),
    # Commands
    "applied_then_timeout": Fault("the car obeys, the answer never comes", Scope.COMMAND, 0.3),
    "applied_then_reset": Fault("the car obeys, the connection is reset", Scope.COMMAND, 0.3),
    "lost": Fault("accepted, and never applied", Scope.COMMAND, 0.3),
    "could_not_wake_buses": Fault("refused: the car did not wake up inside", Scope.COMMAND, 0.3),
    "refused": Fault("refused for a reason that nobody has heard of", Scope.COMMAND, 0.3),
    "wake_fails": Fault("the car does not wake up", Scope.WAKE, 1.0),
    # The cloud's picture of the car
    "frozen": Fault("the picture stays as it is for five minutes, even while charging", Scope.STATE, 0.05),
    "missing_fields": Fault("a third of the fields are missing", Scope.STATE, 0.5),
    "null_fields": Fault("a third of the fields are null", Scope.STATE, 0.5),
    "wrong_types": Fault("a third of the fields are of another type", Scope.STATE, 0.5),
    "unknown_state": Fault("a charging state that nobody has heard of", Scope.STATE, 0.5),
    "no_position": Fault("the position is null", Scope.STATE, 1.0),
    "position_off": Fault("the position is 150 m off", Scope.STATE, 0.2),
    "gear_empty": Fault("the gear of a parked car is an empty text", Scope.STATE, 1.0),
    "gear_sna": Fault('the gear of a parked car is "SNA", signal not available', Scope.STATE, 1.0),
    "asleep_bare": Fault("a sleeping car shows nothing but its sleep", Scope.STATE, 1.0),
    "asleep_offline": Fault("a sleeping car is called offline", Scope.STATE, 1.0),
    # The car and its owner
    "user_amps": Fault("somebody changes the amps in Tesla's app", Scope.STATE, 0.05),
    "user_stop": Fault("somebody stops charging in Tesla's app", Scope.STATE, 0.02),
    "limit_drop": Fault("the car lowers its maximum by a quarter: heat, unstable mains", Scope.STATE, 0.02),
    "heats": Fault("the car heats its cabin from the mains, charging or not", Scope.STATE, 0.02),
    "no_power": Fault("the charger loses its supply", Scope.STATE, 0.02),
    "unplugged": Fault("somebody pulls the cable", Scope.STATE, 0.02),
}


@dataclass(slots=True, kw_only=True)
class _Injection:
    """When one fault strikes."""

    name: str
    probability: float
    count: float
    start: float
    end: float


class Faults:
    """The faults that are switched on."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._injections: list[_Injection] = []

    def inject(
        self,
        name: str,
        *,
        probability: float = 1.0,
        count: int | None = None,
        start: float = -math.inf,
        end: float = math.inf,
    ) -> None:
        """Let a fault strike calls in its scope.

        `probability` for each call, at most `count` times, from `start` until `end` (s on the server's clock).
        Raises KeyError for a name that is not in FAULTS.
        """
        FAULTS[name]
        self._injections.append(
            _Injection(
                name=name, probability=probability, count=math.inf if count is None else count, start=start, end=end
            )
        )

    def clear(self) -> None:
        """Switch all faults off."""
        self._injections.clear()

    def strike(self, scope: Scope, now: float) -> set[str]:
        """Return the names of the faults that hit a call."""
        hits = set()
        for injection in self._injections:
            if (
                FAULTS[injection.name].scope in (Scope.ANY, scope)
                and injection.start <= now < injection.end
                and injection.count > 0
                and self._rng.random() < injection.probability
            ):
                injection.count -= 1
                hits.add(injection.name)
        return hits
