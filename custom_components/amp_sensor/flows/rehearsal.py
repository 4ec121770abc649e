"""Rehearsing with a charger: what happens is told step by step."""

import asyncio
from typing import Any, Self, override

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from ..const import CONF_LEARNED
from ..control import Rehearsal, Step, Trial, Verdict
from ..site.coordinator import SiteCoordinator
from ..site.rehearsing import Rehearsing
from ..texts import async_texts


class Words:
    """Tells how a rehearsal goes, in Home Assistant's language: the browser cannot put such a list together."""

    def __init__(self, texts: dict[str, str], reasons: dict[str, str]) -> None:
        self._texts = texts
        self._reasons = reasons

    @classmethod
    async def async_create(cls, hass: HomeAssistant) -> Self:
        """Load the texts."""
        return cls(
            await async_texts(hass, "config_panel.rehearsal"), await async_texts(hass, "entity.sensor.reason.state")
        )

    def _text(self, key: str, **placeholders: str) -> str:
        return self._texts[key].format(**placeholders)

    def results(self, rehearsal: Rehearsal | None) -> str:
        """Return what came of it so far, as a list."""
        if rehearsal is None:
            return self._text("interrupted")
        lines = [self._of(trial) for trial in rehearsal.trials if trial.verdict is not None]
        if lines and rehearsal.trials[0].step is not Step.LOWER:
            lines.insert(0, self._text("not_lowered"))
        if rehearsal.is_over:
            lines += self._end(rehearsal)
        return "\n".join(f"- {line}" for line in lines)

    def _of(self, trial: Trial) -> str:
        if trial.verdict is not Verdict.WORKED:
            return self._text(str(trial.verdict), step=self._text(str(trial.step)))
        return self._text(
            f"{trial.step}_worked",
            amps=str(trial.amps),
            moved=f"{max(trial.moved):.1f}",
            seconds=f"{trial.shown_s or 0:.0f}",
        )

    def _end(self, rehearsal: Rehearsal) -> list[str]:
        """Return what stood in the way, or what it taught."""
        if rehearsal.obstacle is not None:
            reason = self._reasons[rehearsal.obstacle]
            return [self._text("obstacle" if rehearsal.trials else "not_begun", reason=reason)]
        if not rehearsal.trials or rehearsal.trials[-1].verdict is None:
            return [self._text("interrupted")]
        learned = rehearsal.learned()
        phases = learned.get("phases") if len(rehearsal.trials[-1].moved) > 1 else None
        return [self._text("phases", phases=", ".join(f"L{number}" for number in phases))] if phases else []


class RehearsalSteps(ConfigSubentryFlow):
    """The pages that rehearse with a charger that is there."""

    _rehearsing: Rehearsing | None = None
    _waiting: asyncio.Task[None] | None = None

    @property
    def _coordinator(self) -> SiteCoordinator | None:
        """What runs the site, while it is loaded and knows the charger."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        return entry.runtime_data if entry is not None and entry.state is ConfigEntryState.LOADED else None

    async def async_step_rehearse(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what will happen, and begin on request."""
        if user_input is None:
            return self.async_show_form(
                step_id="rehearse",
                data_schema=vol.Schema({}),
                description_placeholders={"charger": self._get_reconfigure_subentry().title},
            )
        if (coordinator := self._coordinator) is None:
            return self.async_abort(reason="not_loaded")
        self._rehearsing = coordinator.async_rehearse(self._reconfigure_subentry_id)
        if self._rehearsing is None:
            return self.async_abort(reason="rehearsal_elsewhere")
        self._words = await Words.async_create(self.hass)
        return await self.async_step_rehearsing()

    async def async_step_rehearsing(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Wait for one step after the other, and tell what came of those before."""
        rehearsing = self._rehearsing
        assert rehearsing is not None  # noqa: S101 -- nothing leads here without one
        if rehearsing.is_over:
            return self.async_show_progress_done(next_step_id="rehearsed")
        step = rehearsing.step
        if self._waiting is None or self._waiting.done():
            waits = rehearsing.async_wait_beyond(step)
            self._waiting = self.hass.async_create_background_task(waits, "rehearsal", eager_start=False)
        return self.async_show_progress(
            step_id="rehearsing",
            progress_action=f"rehearse_{step}",
            progress_task=self._waiting,
            description_placeholders={"results": self._words.results(rehearsing.rehearsal)},
        )

    async def async_step_rehearsed(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Keep what was measured, and tell how it went."""
        assert self._rehearsing is not None  # noqa: S101 -- only `async_step_rehearsing` leads here
        rehearsal, subentry = self._rehearsing.rehearsal, self._get_reconfigure_subentry()
        if rehearsal is not None and (learned := rehearsal.learned()):
            self.hass.config_entries.async_update_subentry(
                self._get_entry(), subentry, data={**subentry.data, CONF_LEARNED: learned}
            )
        return self.async_abort(
            reason="rehearsed",
            description_placeholders={"charger": subentry.title, "results": self._words.results(rehearsal)},
        )

    @callback
    @override
    def async_remove(self) -> None:
        """End the rehearsal with its page: the charger is the controller's again."""
        rehearsing, coordinator = self._rehearsing, self._coordinator
        if rehearsing is not None and not rehearsing.is_over and coordinator is not None:
            coordinator.async_leave_rehearsal(rehearsing)
