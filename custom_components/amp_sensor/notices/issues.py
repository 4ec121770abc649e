"""The repairs of one site: each is shown once, and goes with its cause."""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN

FIXABLE: Final = (
    "asleep_while_paused",
    "left_paused",
    "load_asks_off",
    "load_asks_on",
    "load_left_off",
    "memory_damaged",
    "old_address",
)
"""Where there is something to confirm; `repairs.py` says what then happens."""
ERRORS: Final = (
    "charger_gone",
    "commands_fail",
    "meter_entity_gone",
    "meter_refused",
    "meter_silent",
    "place_unknown",
    "sensors_silent",
    "subscription",
    "two_devices",
    "virtual_key_missing",
)
"""Until these are fixed there is no control at all."""


class Issues:
    """What a person should fix at one site and its chargers."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._hass = hass
        self.entry_id = entry_id

    def set(self, key: str, of: str, *, is_wrong: bool, **placeholders: str) -> None:
        """Show the repair `key` of a site or charger (its id) while something is wrong, and hide it when it is not."""
        issue_id = f"{key}_{of}"
        issue = ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id)
        if is_wrong == (issue is not None and issue.active):
            return  # shown as it was at first: what changes all the time is no news
        if not is_wrong:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"entry_id": self.entry_id, "key": key, "of": of},
            is_fixable=key in FIXABLE,
            severity=ir.IssueSeverity.ERROR if key in ERRORS else ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    def _shown(self) -> list[ir.IssueEntry]:
        issues = ir.async_get(self._hass).issues.values()
        return [
            issue
            for issue in issues
            if issue.domain == DOMAIN and issue.data is not None and issue.data.get("entry_id") == self.entry_id
        ]

    def keys(self) -> list[str]:
        """Return what is shown."""
        return sorted(str(issue.translation_key) for issue in self._shown())

    def hide_all(self) -> None:
        """Hide all repairs: nobody watches any more whether they still hold."""
        for issue in self._shown():
            ir.async_delete_issue(self._hass, DOMAIN, issue.issue_id)
