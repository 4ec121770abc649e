"""Somebody waits for a rehearsal, step by step."""

import asyncio

from ..control import Rehearsal, Step


class Rehearsing:
    """A rehearsal of one charger, from the moment that it was asked for; `rehearsal` is there once it began."""

    def __init__(self, charger_id: str) -> None:
        self.charger_id = charger_id
        self.rehearsal: Rehearsal | None = None
        self.is_over = False
        self._changed = asyncio.Event()

    @property
    def step(self) -> Step:
        """What is being done."""
        return Step.READY if self.rehearsal is None else self.rehearsal.step

    def tell(self) -> None:
        """Tell who waits that something may have changed."""
        self.is_over = self.is_over or (self.rehearsal is not None and self.rehearsal.is_over)
        self._changed.set()

    def end(self) -> None:
        """Tell who waits that nothing more will come."""
        self.is_over = True
        self.tell()

    async def async_wait_beyond(self, step: Step) -> None:
        """Wait until this step has ended."""
        while self.step is step and not self.is_over:
            self._changed.clear()
            await self._changed.wait()
