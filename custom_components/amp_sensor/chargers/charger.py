"""What the coordinator asks of any charger, and how a charger fails."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from homeassistant.core import CALLBACK_TYPE, callback

from ..control import ChargerReport, Command, Outcome, Profile


class ChargerError(Exception):
    """A charger or its cloud did not do what was asked. The text holds no token, VIN, or URL."""

    outcome = Outcome.FAILED
    """What a command that ended so is worth to the controller."""
    needs_person: bool = False
    """Whether only a person can fix it, so that trying again soon is of no use."""
    retry_after_s: float = 0.0
    """How long to leave this charger alone, s; 0 leaves it to the controller."""
    body: str = ""
    """The beginning of what the cloud answered, for diagnosis: as free of secrets as the text."""


class ChargerUnreachable(ChargerError):
    """The cloud, the network or the car did not answer as it should; it may next time."""


class ChargerTimeout(ChargerUnreachable):
    """No answer in time, or none that tells how it ended: a command may have been applied all the same."""

    outcome = Outcome.UNKNOWN


class ChargerBusy(ChargerUnreachable):
    """Too many calls; `retry_after_s` says when to come back."""


class ChargerRefused(ChargerError):
    """The charger itself said no: unplugged, complete, not charging."""

    outcome = Outcome.REFUSED


class ChargerAuthError(ChargerError):
    """The token is wrong or revoked: only its owner can mend that."""

    needs_person = True
    missing_scope = False
    """Whether the token is right, but was not given enough rights."""


class ChargerSubscriptionError(ChargerError):
    """The cloud wants to be paid."""

    needs_person = True


class ChargerKeyMissing(ChargerError):
    """The car accepts reads but no commands: the virtual key was never paired."""

    needs_person = True


class ChargerGone(ChargerError):
    """The account has no such car any more."""

    needs_person = True


class ChargerEntityGone(ChargerError):
    """An entity that it is read or commanded through was removed or disabled."""

    needs_person = True


type Hear = Callable[[ChargerReport | ChargerError], None]
"""What takes that a charger told of itself, or cannot any more."""


class Charger(Protocol):
    """Any charger whose current can be set."""

    profile: Profile
    """How it behaves."""

    @property
    def gone(self) -> Sequence[str]:
        """Return the names of what it is read or commanded through and that is gone, for people."""
        return ()

    @property
    def can_wake(self) -> bool:
        """Whether there is a way to wake it."""
        return False

    @property
    def knows_battery(self) -> bool:
        """Whether it tells how full the car's battery is."""
        return False

    @property
    def switches_phases(self) -> bool:
        """Whether it can be switched between one phase and three."""
        return False

    async def async_switch_phases(self, phases: int) -> None:
        """Switch it, which stands, to so many phases; raise ChargerError where that fails."""
        raise ChargerRefused("it cannot be switched")

    async def async_report(self) -> ChargerReport:
        """Return what the charger says of itself now; raise ChargerError."""

    async def async_command(self, command: Command) -> Outcome:
        """Carry out one command once; raise ChargerError."""

    async def async_wake(self) -> None:
        """Wake it, which only a person may ask for; raise ChargerError where that fails."""

    def diagnostics(self) -> Sequence[Mapping[str, Any]]:
        """Return what its cloud answered last, oldest first, for diagnosis: free of secrets, as JSON holds it."""

    def poll_after_s(self, report: ChargerReport | None, *, commanded: bool) -> float:
        """Return how long the next look can wait, s, given the last report and whether a command was just sent."""

    @callback
    def async_listen(self, hear: Hear) -> CALLBACK_TYPE:
        """Tell what changes without being asked, as far as it can, until what is returned is called."""
        return lambda: None
