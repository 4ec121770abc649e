"""What is known of an integration's chargers: which of a device's entities has which role, and how it behaves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.helpers.entity_registry import RegistryEntry

from ..control import ChargingState
from ..control.profile import LOCAL, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """How an entity of a device is found: by what its integration calls it, never by its name."""

    domain: str
    """Of the entity: number, sensor, …"""
    key: str
    """Its translation key; of an entity without one, its unique id or the end of that."""

    def matches(self, entry: RegistryEntry) -> bool:
        """Whether this is the entity."""
        if entry.domain != self.domain:
            return False
        if entry.translation_key is not None:
            return entry.translation_key == self.key
        # ESPHome's end in the name that the firmware gave, or in what becomes of that in an older version
        unique_id, key = (text.lower().replace(" ", "_") for text in (str(entry.unique_id), self.key))
        return unique_id == key or any(unique_id.endswith(f"{separator}{key}") for separator in "_-/.:")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """An action of Home Assistant instead of an entity, as a script would have it.

    Its data may hold the templates `{{ amps }}` and `{{ device_id }}`.
    """

    action: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How charging is paused and resumed without ending its session."""

    pause: Find | ActionCall
    """A switch, a select, a button, or an action."""
    resume: Find | ActionCall | None = None
    """None is the same entity."""
    pause_state: str = "off"
    """Which state of a switch, or option of a select, pauses."""
    resume_state: str = "on"
    """Which one resumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerProfile:
    """What is known of the chargers of one integration."""

    key: str
    """The name of its file."""
    title: str
    """What people call these chargers."""
    integration: str
    """The domain of the integration."""
    source: str
    """Where all this was read, and of which release."""
    current: Find | ActionCall | None
    """What sets the current, A per phase; None where it can only be switched on and off."""
    pause: Pause | None = None
    """None where only 0 A pauses."""
    state: Find | None = None
    """A sensor whose states `states` tells."""
    states: Mapping[str, ChargingState] = field(default_factory=dict)
    """Whatever is not here is unknown, never unplugged."""
    scheduled_states: frozenset[str] = frozenset()
    """States of `state` in which it waits for a schedule of its user."""
    plugged: Find | None = None
    """A binary sensor: a car is plugged in."""
    plugged_state: str = "on"
    """Which of its states says so, where it is no binary one."""
    charging: Find | None = None
    """A binary sensor: it charges."""
    currents: tuple[Find, ...] = ()
    """What it draws, A: of each phase, or of one."""
    power: Find | None = None
    """What it draws, in the unit that its state has."""
    voltage: Find | None = None
    phases: Find | None = None
    """How many phases it draws that from."""
    phases_states: Mapping[str, int] = field(default_factory=dict)
    """How many phases a state of `phases` means, where it is no number of them."""
    limit: Find | None = None
    """The most that it takes now, A, where the number's own maximum does not tell."""
    place: Find | None = None
    """A device tracker: of a car, which may be elsewhere."""
    scheduled: Find | None = None
    """A binary sensor: it waits for a schedule of its user."""
    asleep: Find | None = None
    """A binary sensor: it sleeps."""
    asleep_state: str = "on"
    """Which of its states says so: "off" of a sensor that is on while it is awake."""
    wake: Find | None = None
    """A button that wakes it."""
    behaviour: Profile = LOCAL
    late_s: float = 0.0
    """How old what is shown may be already when it comes, s: a cloud's copy of the car."""
    refresh_s: float = 10.0
    """The longest after which a change at the charger is shown in Home Assistant, s."""
    traps: str = ""
    """What people should know of it, for the documentation."""

    def claims(self, entries: Iterable[RegistryEntry]) -> bool:
        """Whether the device with these entities is one of these."""
        own = [entry for entry in entries if entry.platform == self.integration]
        return all(any(find.matches(entry) for entry in own) for find in self.needed)

    @property
    def needed(self) -> tuple[Find, ...]:
        """What a device must have to be taken for one of these."""
        wanted = (self.current, self.pause and self.pause.pause, self.state, self.plugged)
        return tuple(each for each in wanted if isinstance(each, Find))
