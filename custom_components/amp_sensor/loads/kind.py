"""What all kinds of loads have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from homeassistant.core import State

type Call = tuple[str, dict[str, Any]]
"""An action of the entity's domain, and what it is told beside the entity."""
type Before = Mapping[str, Any]
"""How a load was before it was switched off, as JSON holds it."""


class Kind(ABC):
    """How one kind of entity is read, switched off and on again. It only looks at states, and calls nothing itself."""

    domains: ClassVar[tuple[str, ...]]
    runs_on_s: ClassVar[float] = 0.0
    """How long it may go on drawing once it was switched off, s."""

    @abstractmethod
    def is_on(self, state: State) -> bool:
        """Whether it may draw more than we would leave it."""

    def draws(self, state: State) -> bool | None:
        """Whether it does, where its state tells."""
        return None

    def before(self, state: State) -> Before:
        """Return what has to be remembered of how it is."""
        return {}

    @abstractmethod
    def shed(self, state: State) -> Call:
        """Return what switches it off."""

    @abstractmethod
    def restore(self, before: Before) -> Call:
        """Return what makes it again as it was."""
