"""Loading what a site remembers, and saving it often enough."""

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..control import Controller
from .parts import Parts
from .store import SiteMemory, async_keep_copy, async_load, control_store, read_memory, site_store

SAVE_S: Final = 60.0
"""How often energy is saved, s: what a power cut may cost."""
RECORD_S: Final = 900.0
"""How often the controller's record is saved, s, which grows over days and has tens of kB: a memory card wears."""


class Keeper:
    """Keeps the memory of one site, and the record of its controller."""

    def __init__(self, hass: HomeAssistant, entry_id: str, parts: Parts) -> None:
        self._store = site_store(hass, entry_id)
        self._control_store = control_store(hass, entry_id)
        self._parts = parts
        self._saved: SiteMemory = {}
        self._save_at = self._record_at = inf
        self.lost: list[str] = []
        """What could not be read."""

    async def async_load(self, lost: Collection[str]) -> SiteMemory:
        """Return what is remembered; `lost` is what else could not be read."""
        stored, is_read = await async_load(self._store)
        memory, unreadable = read_memory(stored, self._store.key)
        if unreadable:
            await async_keep_copy(self._store)
        self.lost = [*unreadable, *lost, *(() if is_read else (self._store.key,))]
        return memory

    async def async_restore(self, controller: Controller, urgent: Mapping[str, Any]) -> None:
        """Let a controller go on with its record, and what of it was too urgent to wait."""
        stored, is_read = await async_load(self._control_store)
        lost, key = [], self._control_store.key
        if not isinstance(stored, Mapping):
            if not is_read or stored is not None:
                lost.append(key)
            stored = {}
        lost.extend(f"{key}.{name}" for name in controller.restore({**stored, **urgent}))
        if lost and is_read:
            await async_keep_copy(self._control_store)
        self.lost += lost

    def begin(self, now: float) -> None:
        """Save from `now`, s."""
        self._save_at, self._record_at = now + SAVE_S, now + RECORD_S

    def is_new(self, urgent: Mapping[str, Any]) -> bool:
        """Whether this is not what was saved: what the controller learned of whose wish something is."""
        return urgent != self._saved.get("control")

    def is_due(self, now: float) -> bool:
        """Whether it is time to save."""
        return now >= self._save_at

    def is_record_due(self, now: float) -> bool:
        """Whether it is time to save the controller's record."""
        return now >= self._record_at

    async def async_save(self, memory: Callable[[], SiteMemory], *, now: float) -> SiteMemory:
        """Save what changed; return what is saved now."""
        with self._parts.part("memory"):
            self._save_at = now + SAVE_S
            if (current := memory()) != self._saved:
                await self._store.async_save(current)
                self._saved = current
        return self._saved

    async def async_save_record(self, controller: Controller, *, now: float) -> None:
        """Save what the controller learned of the house."""
        with self._parts.part("memory of the house"):
            self._record_at = now + RECORD_S
            await self._control_store.async_save(controller.record())
