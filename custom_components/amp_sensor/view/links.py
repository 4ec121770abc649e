"""Links that show the readings of a site to somebody without an account, until they expire or are revoked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import hashlib
import hmac
import logging
from math import isfinite
import secrets
from typing import Final, NotRequired, TypedDict

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..site.store import async_keep_copy, async_load

_LOGGER = logging.getLogger(__name__)

PATH: Final = f"/api/{DOMAIN}/view"
MAX_DAYS: Final = 90
"""A season. Who is to see the readings for longer is better given an account."""
DEFAULT_DAYS: Final = 7

_VERSION: Final = 1
KEY: Final = "key"
"""The parameter that holds what nobody can guess."""
_KEY_BYTES: Final = 32
"""As many as Home Assistant's own tokens have."""
_ID_BYTES: Final = 8
"""Tells links apart."""
LINKS: HassKey[Links] = HassKey(f"{DOMAIN}_view_links")


class LinkMemory(TypedDict):
    """What is remembered of a link: not the link itself."""

    entry_id: str
    expires: float
    """s (Unix)"""
    digest: str
    """SHA-256 of its key."""
    names: NotRequired[bool]
    """Whether the page says whose readings these are."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link that is valid."""

    entry_id: str
    expires: datetime
    names: bool


def _is_link(stored: object) -> bool:
    match stored:
        case {"entry_id": str(), "expires": int() | float() as expires, "digest": str() as digest, **more}:
            return isfinite(expires) and digest.isascii() and isinstance(more.get("names", False), bool)
    return False


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class Links:
    """The links of all sites.

    Home Assistant could sign them, but verifies that with a key that lasts until its next start, and for one set of
    parameters. A link that is given away has to outlive an update, and to have pages: so it has a key of its own, which
    we know again by its digest, and it is our store that ends it.
    """

    def __init__(self, hass: HomeAssistant, links: dict[str, LinkMemory], store: Store[dict[str, LinkMemory]]) -> None:
        self._hass = hass
        self._links = links
        self._store = store
        self.lost: tuple[str, ...] = ()
        """What could not be read, until somebody was told."""

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Links:
        """Load what was remembered over a restart. A link that cannot be read is no longer valid."""
        store: Store[dict[str, LinkMemory]] = Store(
            hass, _VERSION, f"{DOMAIN}.view_links", private=True, atomic_writes=True
        )
        stored, is_read = await async_load(store)
        found: dict[str, LinkMemory] = {}
        if isinstance(stored, Mapping):
            found = {link_id: link for link_id, link in stored.items() if _is_link(link)}
        links = cls(hass, found, store)
        if not is_read or (stored is not None and found != stored):
            if is_read:
                await async_keep_copy(store)
            _LOGGER.warning("Links to the readings cannot be read, and are no longer valid: make new ones")
            links.lost = (store.key,)
        return links

    async def async_create(
        self, entry_id: str, days: int = DEFAULT_DAYS, *, names: bool = False
    ) -> tuple[str, datetime]:
        """Return the address of a new link, and when it expires. Raises ServiceValidationError."""
        if not 1 <= days <= MAX_DAYS:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="days_out_of_range",
                translation_placeholders={"days": str(days), "limit": str(MAX_DAYS)},
            )
        try:
            base = get_url(self._hass, prefer_external=True)
        except NoURLAvailableError as error:
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_url") from error
        now = dt_util.utcnow()
        lifetime = timedelta(days=days)
        link_id = secrets.token_hex(_ID_BYTES)
        key = secrets.token_urlsafe(_KEY_BYTES)
        # Those that expired are forgotten when somebody makes another one
        self._links = {id_: link for id_, link in self._links.items() if link["expires"] > now.timestamp()}
        self._links[link_id] = LinkMemory(
            entry_id=entry_id,
            expires=(now + lifetime).timestamp(),
            digest=_digest(key),
            names=names,
        )
        await self._store.async_save(self._links)
        return f"{base}{PATH}/{link_id}?{KEY}={key}", now + lifetime

    async def async_revoke(self, entry_id: str) -> int:
        """End all links of a site, and return how many there were."""
        left = {id_: link for id_, link in self._links.items() if link["entry_id"] != entry_id}
        ended = len(self._links) - len(left)
        self._links = left
        await self._store.async_save(left)
        return ended

    @callback
    def find(self, link_id: str, key: str) -> Link | None:
        """Return a link, if it is one of ours and still valid."""
        if (link := self._links.get(link_id)) is None or not hmac.compare_digest(link["digest"], _digest(key)):
            return None
        expires = dt_util.utc_from_timestamp(link["expires"])
        if dt_util.utcnow() >= expires:
            return None
        return Link(entry_id=link["entry_id"], expires=expires, names=link.get("names", False))
