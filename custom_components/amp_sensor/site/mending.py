"""What somebody has to mend at a site and its chargers: told as long as it is wrong, and withdrawn by itself."""

from collections.abc import Collection, Mapping
import logging
from math import inf
from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant

from ..chargers.charger import (
    ChargerAuthError,
    ChargerError,
    ChargerGone,
    ChargerKeyMissing,
    ChargerRefused,
    ChargerSubscriptionError,
)
from ..const import CONF_METER, CONF_SUBENTRY_ID
from ..control import ChargerReport, Controller, Mode, Reading, SiteSettings
from ..control.meter import WINDOW_S
from ..meters.posts import PostLog, Sender
from ..notices.issues import Issues
from ..notices.watch import PowerWatch, SiteWatch
from .link import Link

_LOGGER = logging.getLogger(__name__)

OLD_ADDRESS_QUIET_S: Final = 3600.0
"""How long nothing may arrive at an address of before until that counts as mended: devices repeat within a minute."""
PAIRING_URL: Final = "https://tesla.com/_ak/tessie.com"
"""Where an owner pairs the virtual key of Tessie."""

_BLOCKING: Final[Mapping[type[ChargerError], str | None]] = {
    ChargerAuthError: None,  # asks for a new token instead
    ChargerSubscriptionError: "subscription",
    ChargerKeyMissing: "virtual_key_missing",
    ChargerGone: "charger_gone",
}
"""Errors that only a person can mend, and the issue that tells the person. Some are mended elsewhere, where we do not
hear of it: the charger goes on being asked, and what is told withdraws itself with the next success."""
_WITHOUT_COMMANDS: Final = (Mode.OFF, Mode.MONITOR)


def controls(settings: SiteSettings, link: Link) -> bool:
    """Whether commands are sent to a charger, as far as its owner is concerned."""
    return settings.mode not in _WITHOUT_COMMANDS and link.settings.managed


class Mending:
    """Watches one site and its chargers, and tells what a person should fix."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        controller: Controller,
        links: Mapping[str, Link],
        *,
        was_heard: bool,
        now: float,
    ) -> None:
        """`was_heard` is whether the meter was ever heard: only one that was can be missed."""
        self._hass = hass
        self._entry = entry
        self._controller = controller
        self._links = links
        self._site_watch = SiteWatch(was_heard=was_heard, now=now)
        self._power_watch = PowerWatch()
        self.issues = Issues(hass, entry.entry_id)
        self._old_address_used_at = -inf
        self._reauth_of: str | None = None
        """The charger whose token was asked for last."""

    def add_reading(self, reading: Reading) -> None:
        """Take a reading."""
        self._power_watch.add(reading)

    def add_report(self, link: Link, report: ChargerReport, now: float) -> None:
        """Take what a charger says of itself."""
        readings = self._controller.meter.since(now - WINDOW_S)
        link.watch.add_report(report, readings, is_alone=self._is_alone(link, now), now=now)

    def take_answer(self, link: Link, call: str, error: ChargerError | None) -> None:
        """Tell whoever can mend what stands in the way of a kind of call, until it succeeds again.

        Reads may go on working where commands do not. But a token that is taken once is not wrong.
        """
        if error is not None and error.needs_person:
            link.obstacles[call] = error
        elif error is None or isinstance(error, ChargerRefused):
            link.obstacles.pop(call, None)
            for other, obstacle in list(link.obstacles.items()):
                if isinstance(obstacle, ChargerAuthError) and not obstacle.missing_scope:
                    del link.obstacles[other]
        else:
            return  # of a call that came to nothing nobody learns more
        kinds = [type(obstacle) for obstacle in link.obstacles.values()]
        for kind, key in _BLOCKING.items():
            if key is not None:
                self.issues.set(
                    key, link.charger_id, is_wrong=kind in kinds, charger=link.title, pairing_url=PAIRING_URL
                )
        if ChargerAuthError in kinds:
            self._ask_for_token(link)
        else:
            self._withdraw_token_request(link)

    def _ask_for_token(self, link: Link) -> None:
        if not any(self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})):
            self._reauth_of = link.charger_id
            self._entry.async_start_reauth(self._hass, data={CONF_SUBENTRY_ID: link.charger_id})

    def _withdraw_token_request(self, link: Link) -> None:
        """Stop asking for a token that works. What was asked before a reload was ended by that."""
        if self._reauth_of == link.charger_id:
            self._reauth_of = None
            for flow in list(self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH})):
                self._hass.config_entries.flow.async_abort(flow["flow_id"])

    def look(self, settings: SiteSettings, posts: PostLog, *, is_heard: bool, now: float) -> None:
        """Tell what was wrong for long enough, and no longer what has been mended."""
        elsewhere = [self._look_at(link, settings, now) for link in self._links.values()]
        entry, controller = self._entry, self._controller
        last = controller.meter.last
        house = None if settings.mode is Mode.OFF or not is_heard else controller.house_current()
        silent, rivals = controller.silent_phases(now), posts.rivals
        wrong = self._site_watch.look(
            read_at=None if last is None else last.at,
            refused_at=posts.refused_at,
            is_beyond_range=posts.is_beyond_range,
            is_frozen=controller.frozen_at is not None,
            is_partial=bool(silent),
            # A car on another circuit explains it
            is_wrong=controller.meter_wrong_at is not None and not any(elsewhere),
            excess_amps=-inf if house is None else house - settings.max_amps,
            now=now,
        )
        if CONF_METER in entry.data:
            wrong["sensors_silent"] = wrong.pop("meter_silent")
        first, second = rivals or ("", "")
        wrong |= self._power_watch.look() | {"meter_low": controller.shown_part < 1, "two_devices": rivals is not None}
        for key, is_wrong in wrong.items():
            self.issues.set(
                key,
                entry.entry_id,
                is_wrong=is_wrong,
                site=entry.title,
                budget=f"{settings.max_amps:g}",
                charger=", ".join(link.title for link in self._links.values() if link.charging_amps(now)),
                client=str(posts.last_sender),
                first=str(first),
                percent=f"{100 * controller.shown_part:.0f}",
                phases=", ".join(f"L{number}" for number in silent),
                refusal=posts.last_refusal.text if posts.last_refusal else "",
                second=str(second),
            )
        if now - self._old_address_used_at > OLD_ADDRESS_QUIET_S:
            self.issues.set("old_address", entry.entry_id, is_wrong=False)

    def _look_at(self, link: Link, settings: SiteSettings, now: float) -> bool:
        """Tell what is wrong with a charger; return whether it is fed from elsewhere."""
        is_paused, report, ours = link.charger_id in self._controller.paused, link.report, controls(settings, link)
        is_wanted = 0 not in self._controller.chargers[link.charger_id].rations.values()
        wrong = link.watch.look(
            # One that may be woken is, once there is room
            is_asleep=is_paused
            and ours
            and is_wanted
            and report is not None
            and report.asleep
            and not link.settings.may_wake,
            is_lost=ours and report is not None and report.at_home is None and report.plugged_in is True,
            is_gone=bool(gone := link.charger.gone),
            # What only a person can mend is told as what it is
            is_deaf=ours and not gone and not link.obstacles and self._controller.is_deaf(link.charger_id, now=now),
            now=now,
        )
        for key, is_wrong in wrong.items():
            self.issues.set(
                key,
                link.charger_id,
                is_wrong=is_wrong,
                answer=link.answer,
                charger=link.title,
                entities=", ".join(gone),
                site=self._entry.title,
                writer=link.watch.writers.writer,
            )
        if ours or not is_paused:
            self.issues.set("left_paused", link.charger_id, is_wrong=False)
        return wrong["other_circuit"]

    def _is_alone(self, link: Link, now: float) -> bool:
        """Whether all that moves the meter is the house and this charger."""
        others = (other for other in self._links.values() if other is not link)
        return self._controller.frozen_at is None and all(other.charging_amps(now) == 0.0 for other in others)

    def note_old_address(self, sender: Sender, now: float) -> None:
        """Tell of a post to an address that the site had before."""
        self._old_address_used_at = now
        self.issues.set("old_address", self._entry.entry_id, is_wrong=True, site=self._entry.title, client=str(sender))

    def tell_left_paused(self, link: Link) -> None:
        """Tell of a car that stands still because of us, where nobody will start it any more."""
        is_paused = link.charger_id in self._controller.paused
        self.issues.set("left_paused", link.charger_id, is_wrong=is_paused, charger=link.title)

    def tell_lost(self, lost: Collection[str]) -> None:
        """Tell what of the memory could not be read."""
        if not lost:
            return
        entry = self._entry
        titles = {charger_id: link.title for charger_id, link in self._links.items()}
        parts = ", ".join(".".join(titles.get(word, word) for word in name.split(".")) for name in lost)
        _LOGGER.warning("Amp Sensor %s cannot read what it had stored, and goes on without: %s", entry.title, parts)
        self.issues.set("memory_damaged", entry.entry_id, is_wrong=True, site=entry.title, parts=parts)
