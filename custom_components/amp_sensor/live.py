"""What is known of a site, for whoever looks at it now: each reading and decision as it happens; nothing is stored."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import websocket_command
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from .const import DOMAIN
from .site.coordinator import AmpSensorConfigEntry, SiteCoordinator
from .site.data import ChargerData, SiteData
from .site.shown import Moment, control_of

_ENDS: HassKey[dict[str, set[Callable[[], None]]]] = HassKey(f"{DOMAIN}_live")
"""Of each site, what tells those who look at it that it ends."""
DEED_TIME: Final = timedelta(minutes=10)
"""For how long what was done to a charger is told: later it explains nothing of what is seen."""


@callback
def async_setup(hass: HomeAssistant) -> None:
    """Let Home Assistant's frontend subscribe."""
    websocket_api.async_register_command(hass, subscribe)


@websocket_command({vol.Required("type"): f"{DOMAIN}/subscribe", vol.Required(ATTR_DEVICE_ID): str})
@callback
def subscribe(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send what is known of the site of a device now, and again whenever it changes; null when the site ends."""
    coordinator = _coordinator(hass, message[ATTR_DEVICE_ID])
    if coordinator is None:
        connection.send_error(message["id"], ERR_NOT_FOUND, "There is no such site, or it is not loaded")
        return
    entities, names = _entities(hass, coordinator), _names(hass, coordinator)
    if not may_see(hass, connection.user, coordinator):
        raise Unauthorized
    last: dict[str, Any] = {}

    @callback
    def send(*, is_first: bool = False) -> None:
        nonlocal last
        if (known := _known(coordinator, names)) != last:
            last = known
            told = known | {"at": dt_util.utcnow().timestamp()}
            connection.send_event(message["id"], _with_entities(told, entities) if is_first else told)

    @callback
    def leave() -> None:
        ends.discard(end)
        stop()

    @callback
    def end() -> None:
        connection.subscriptions.pop(message["id"], None)
        leave()
        connection.send_event(message["id"], None)

    stop = coordinator.async_watch(send)
    ends = hass.data.setdefault(_ENDS, {}).setdefault(coordinator.config_entry.entry_id, set())
    ends.add(end)
    connection.subscriptions[message["id"]] = leave
    connection.send_result(message["id"])
    send(is_first=True)


@callback
def async_end(hass: HomeAssistant, entry: AmpSensorConfigEntry) -> None:
    """Tell whoever looks at a site that it ends."""
    for end in list(hass.data.get(_ENDS, {}).pop(entry.entry_id, ())):
        end()


def _coordinator(hass: HomeAssistant, device_id: str) -> SiteCoordinator | None:
    device = dr.async_get(hass).async_get(device_id)
    if device is None or device.config_entry_id is None:
        return None
    entry: AmpSensorConfigEntry | None = hass.config_entries.async_get_entry(device.config_entry_id)
    if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
        return None
    return entry.runtime_data


def _entities(hass: HomeAssistant, coordinator: SiteCoordinator) -> dict[str, str]:
    """Return the entities that are enabled, by their unique ids."""
    entry_id = coordinator.config_entry.entry_id
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    return {entry.unique_id: entry.entity_id for entry in entries if not entry.disabled}


def _names(hass: HomeAssistant, coordinator: SiteCoordinator) -> dict[str, dict[str, str | None]]:
    """Return what each charger is called, and its device. Whatever changes that loads the site anew."""
    entry = coordinator.config_entry
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    ids = {owner: device.id for device in devices for domain, owner in device.identifiers if domain == DOMAIN}
    return {
        charger_id: {"name": entry.subentries[charger_id].title, "device_id": ids.get(charger_id)}
        for charger_id in coordinator.data.chargers
    }


def may_see(hass: HomeAssistant, user: User, coordinator: SiteCoordinator) -> bool:
    """Whether somebody may see all of a site: its readings tell what each of its entities does."""
    entity_ids = _entities(hass, coordinator).values()
    return all(user.permissions.check_entity(entity_id, POLICY_READ) for entity_id in entity_ids)


def _with_entities(told: Mapping[str, Any], entities: Mapping[str, str]) -> dict[str, Any]:
    """Add the ids of the entities, by their keys."""

    def of(owner: str) -> dict[str, str]:
        begin = f"{owner}_"
        return {key.removeprefix(begin): entity_id for key, entity_id in entities.items() if key.startswith(begin)}

    chargers = [charger | {"entities": of(charger["id"])} for charger in told["chargers"]]
    return {**told, "entities": of(told["id"]), "chargers": chargers}


def _known(coordinator: SiteCoordinator, names: Mapping[str, Mapping[str, str | None]]) -> dict[str, Any]:
    """Return what is known of a site, as docs/live.md has it."""
    site, entry = coordinator.data, coordinator.config_entry
    moment = site.moment
    return {
        "id": entry.entry_id,
        "title": entry.title,
        "mode": site.settings.mode,
        "budget_amps": site.settings.max_amps,
        "phases": site.phases,
        "connected": site.connected,
        **(_nothing() if moment is None else _flowing(site, moment)),
        "chargers": [{**names[charger.id], **_charger(charger, moment)} for charger in site.chargers.values()],
        "today": {
            "charged_wh": round(site.today.charged_wh),
            "over_s": round(site.today.over_s),
            "cuts": site.today.cuts,
        },
    }


def _nothing() -> dict[str, None]:
    names = "reading", "current_amps", "headroom_amps", "house_amps", "house_current_amps", "over_amps"
    return dict.fromkeys((*names, "protection_load"))


def _flowing(site: SiteData, moment: Moment) -> dict[str, Any]:
    return {
        "reading": {
            "at": moment.read_at.timestamp(),
            "amps": moment.amps,
            "volts": moment.volts,
            "watts": moment.watts,
        },
        "current_amps": moment.current,
        "headroom_amps": site.headroom(moment),
        "house_amps": moment.house,
        "house_current_amps": moment.house_current,
        "over_amps": -site.headroom(moment) if site.is_over(moment) else 0.0,
        "protection_load": round(moment.protection_load, 3),
    }


def _charger(charger: ChargerData, moment: Moment | None) -> dict[str, Any]:
    report, decision = charger.report, charger.decision
    drawn = None if moment is None else moment.drawn.get(charger.id)
    return {
        "id": charger.id,
        "amps": drawn,
        "drawn_amps": charger.charging_amps if drawn is None else max(drawn),
        "watts": None if drawn is None or moment is None else round(moment.watts_of(drawn)),
        "state": None if report is None else report.state,
        "plugged_in": None if report is None else report.plugged_in,
        "at_home": None if report is None else report.at_home,
        "battery_percent": None if report is None else report.battery_percent,
        "limit_percent": None if report is None else report.limit_percent,
        "full_in_s": None if report is None else report.full_in_s,
        "target_amps": None if decision is None else decision.target,
        "cap_amps": None if decision is None else decision.cap,
        "control": None if decision is None else control_of(decision),
        "reason": None if decision is None else decision.reason,
        "numbers": {} if decision is None else dict(decision.numbers),
        "session_wh": round(charger.session_wh),
        "deed": _deed(charger),
    }


def _deed(charger: ChargerData) -> dict[str, Any] | None:
    deed, at = charger.deed, charger.deed_at
    if deed is None or at is None or dt_util.utcnow() - at > DEED_TIME:
        return None
    return {
        **deed.numbers,
        "at": at.timestamp(),
        "kind": deed.kind,
        "amps": deed.amps,
        "from_amps": deed.from_amps,
    }
