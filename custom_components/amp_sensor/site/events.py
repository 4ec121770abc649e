"""What happens to a site: the queue of its task holds these, in the order in which they happened."""

from collections.abc import Collection
from dataclasses import dataclass

from ..chargers.charger import ChargerError
from ..control import (
    ChargerReport,
    ChargerSettings,
    Command,
    LoadAction,
    LoadCommand,
    Outcome,
    Reading,
    SiteSettings,
)
from .prices import Prices
from .rehearsing import Rehearsing


@dataclass(frozen=True, slots=True)
class ReadingArrived:
    """The meter said something."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Ticked:
    """A second passed."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A charger said how it is."""

    charger_id: str
    report: ChargerReport


@dataclass(frozen=True, slots=True)
class PollFailed:
    """A charger was asked how it is, and did not say."""

    charger_id: str
    error: ChargerError


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command ended, well or with an error."""

    command: Command
    outcome: Outcome
    error: ChargerError | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """The site has new settings."""

    settings: SiteSettings


@dataclass(frozen=True, slots=True)
class ChargerSet:
    """A charger has new settings."""

    charger_id: str
    settings: ChargerSettings


@dataclass(frozen=True, slots=True)
class GoalSet:
    """The owner of a charger wants something else by a time."""

    charger_id: str


@dataclass(frozen=True, slots=True)
class PricesKnown:
    """What electricity costs was read."""

    prices: Prices


@dataclass(frozen=True, slots=True)
class ControlEnded:
    """Somebody switched off the control of some chargers, or of none."""

    charger_ids: Collection[str]


@dataclass(frozen=True, slots=True)
class RehearsalAsked:
    """Somebody wants a charger to be rehearsed."""

    rehearsing: Rehearsing


@dataclass(frozen=True, slots=True)
class RehearsalLeft:
    """Nobody waits for that any more."""

    rehearsing: Rehearsing


@dataclass(frozen=True, slots=True)
class LoadSwitched:
    """What a load was told ended."""

    command: LoadCommand
    is_done: bool


@dataclass(frozen=True, slots=True)
class LoadAnswered:
    """Somebody said whether something may be done to a load."""

    load_id: str
    action: LoadAction
    is_yes: bool


type SiteEvent = (
    ReadingArrived
    | Ticked
    | Reported
    | PollFailed
    | Acknowledged
    | Configured
    | ChargerSet
    | GoalSet
    | PricesKnown
    | ControlEnded
    | RehearsalAsked
    | RehearsalLeft
    | LoadSwitched
    | LoadAnswered
)
