"""Parts of a site that may fail, each for itself."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
import logging
from typing import Final

_LOGGER = logging.getLogger(__name__)

GOOD_RUNS: Final = 5
"""How often in a row a part has to work before it counts as mended: many fail with some of what they are given only."""


class Parts:
    """Keeps what fails in one part of a site from all that comes after it, and tells it once each way."""

    def __init__(self, site: str) -> None:
        """Take the name of the site."""
        self._site = site
        self._failing: dict[Hashable, int] = {}
        """What failed, and how often in a row it has worked since."""

    @contextmanager
    def part(self, name: str, key: Hashable = None) -> Iterator[None]:
        """Do what is inside; `key` tells apart those that share a name."""
        part = (name, key)
        try:
            yield
        except Exception:
            if part not in self._failing:
                _LOGGER.exception("%s: a failure in its %s; all else goes on", self._site, name)
            self._failing[part] = 0
        else:
            if part in self._failing:
                self._failing[part] += 1
                if self._failing[part] == GOOD_RUNS:
                    del self._failing[part]
                    _LOGGER.info("%s: no more failures in its %s", self._site, name)
