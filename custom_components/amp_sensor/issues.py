"""The repairs of one site: each is shown once, and goes with its cause."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN

FIXABLE: Final = ("asleep_while_paused", "old_address")
"""Where there is something to confirm; `repairs.py` says what then happens."""
ERRORS: Final = ("charger_gone", "meter_refused", "meter_silent", "subscription", "virtual_key_missing")
"""Without these mended there is no control at all."""


class Issues:
    """What a person should mend at one site and its chargers."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self._entry_id = entry_id
        self._shown: set[str] = set()

    def set(self, key: str, of: str, *, is_wrong: bool, **placeholders: str) -> None:
        """Show the repair `key` of a site or charger (its id) while something is wrong, and hide it when it is not."""
        issue_id = f"{key}_{of}"
        if is_wrong == (issue_id in self._shown):
            return
        if is_wrong:
            self._show(key, issue_id, placeholders)
        else:
            self.hide(issue_id)

    def _show(self, key: str, issue_id: str, placeholders: Mapping[str, str]) -> None:
        self._shown.add(issue_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"entry_id": self._entry_id, "key": key},
            is_fixable=key in FIXABLE,
            severity=ir.IssueSeverity.ERROR if key in ERRORS else ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=dict(placeholders),
        )

    def hide(self, issue_id: str) -> None:
        """Hide a repair."""
        self._shown.discard(issue_id)
        ir.async_delete_issue(self._hass, DOMAIN, issue_id)

    def hide_all(self) -> None:
        """Hide all repairs: nobody watches any more whether they still hold."""
        for issue_id in list(self._shown):
            self.hide(issue_id)
