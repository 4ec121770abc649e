"""A notification in Home Assistant's side bar: the one way to reach a person without an automation.

Only its actions are documented: this depends on `homeassistant.components.persistent_notification`, as of 2026.10.
"""

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant


def show(hass: HomeAssistant, notification_id: str, *, title: str, text: str) -> None:
    """Show a notification, in the place of the one with the same id; from any thread."""
    persistent_notification.create(hass, text, title, notification_id)


def dismiss(hass: HomeAssistant, notification_id: str) -> None:
    """Show it no more; from any thread."""
    persistent_notification.dismiss(hass, notification_id)
