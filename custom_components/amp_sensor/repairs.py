"""What can be put right from the page of a repair."""

from abc import abstractmethod
import asyncio
from typing import Final, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from .chargers.charger import ChargerError
from .const import CONF_OLD_WEBHOOKS, DOMAIN
from .control import LoadAction
from .site.coordinator import AmpSensorConfigEntry


class _ConfirmFlow(RepairsFlow):
    """Asks to confirm, in the words of the repair itself."""

    def __init__(self, entry: AmpSensorConfigEntry) -> None:
        self._entry = entry
        self._errors: dict[str, str] = {}

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask, and go on once that is confirmed."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        if issue is None:
            return self.async_abort(reason="gone")  # it was put right while the page was open
        if user_input is not None:
            return await self._async_confirmed()
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=self._errors,
            description_placeholders=issue.translation_placeholders,
        )

    @abstractmethod
    async def _async_confirmed(self) -> RepairsFlowResult:
        """Do it."""


class OldAddressFlow(_ConfirmFlow):
    """Stops watching the addresses that a site had before."""

    @override
    async def _async_confirmed(self) -> RepairsFlowResult:
        self.hass.config_entries.async_update_entry(self._entry, data={**self._entry.data, CONF_OLD_WEBHOOKS: {}})
        return self.async_create_entry(data={})


class AsleepFlow(_ConfirmFlow):
    """Wakes a car that fell asleep while we had paused it: only a person may."""

    _waking: asyncio.Task[None] | None = None

    def __init__(self, entry: AmpSensorConfigEntry, charger_id: str) -> None:
        super().__init__(entry)
        self._charger_id = charger_id

    @override
    async def _async_confirmed(self) -> RepairsFlowResult:
        return await self.async_step_wake()

    async def async_step_wake(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Wait until the car is awake, or has said why not."""
        if self._waking is None:
            waking = self._entry.runtime_data.async_wake(self._charger_id)
            self._waking = self.hass.async_create_task(waking, eager_start=False)
        if not self._waking.done():
            issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
            return self.async_show_progress(
                step_id="wake",
                progress_action="waking",
                progress_task=self._waking,
                description_placeholders=issue.translation_placeholders if issue else None,
            )
        return self.async_show_progress_done(next_step_id="woken")

    async def async_step_woken(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Tell how it ended."""
        assert self._waking is not None  # noqa: S101 -- it has just ended
        waking, self._waking = self._waking, None
        try:
            await waking
        except ChargerError:
            self._errors = {"base": "cannot_wake"}
            return await self.async_step_confirm()
        return self.async_create_entry(data={})


class LoadFlow(_ConfirmFlow):
    """Lets a load be switched off or on that asks first."""

    def __init__(self, entry: AmpSensorConfigEntry, load_id: str, action: LoadAction) -> None:
        super().__init__(entry)
        self._load_id = load_id
        self._action = action

    @override
    async def _async_confirmed(self) -> RepairsFlowResult:
        self._entry.runtime_data.async_answer(self._load_id, self._action, is_yes=True)
        return self.async_create_entry(data={})


_ASKING: Final = {"load_asks_off": LoadAction.SHED, "load_asks_on": LoadAction.RESTORE}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of a repair that has one; `Issues.set` made it."""
    told = data or {}
    if told["key"] in ("left_paused", "load_left_off", "memory_damaged"):
        return ConfirmRepairFlow()  # only to be read; its site may be gone
    entry: AmpSensorConfigEntry = hass.config_entries.async_get_known_entry(str(told["entry_id"]))
    if told["key"] == "old_address":
        return OldAddressFlow(entry)
    if (action := _ASKING.get(str(told["key"]))) is not None:
        return LoadFlow(entry, str(told["of"]), action)
    return AsleepFlow(entry, str(told["of"]))
