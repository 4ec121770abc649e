"""Parts of a site that may fail, each for itself."""

from collections.abc import Hashable, Mapping
from contextlib import AbstractContextManager
import logging
from types import TracebackType
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

    def part(self, name: str, key: Hashable = None) -> AbstractContextManager[None, bool]:
        """Do what is inside, any number of times; `key` tells apart those that share a name."""
        return _Part(self, name, key, self._failing)

    def end(self, name: str, key: Hashable, error: BaseException | None) -> bool:
        """Take how a part ended; return whether all else goes on."""
        part = (name, key)
        if isinstance(error, Exception):
            if part not in self._failing:
                _LOGGER.error("%s: a failure in its %s; all else goes on", self._site, name, exc_info=error)
            self._failing[part] = 0
        elif error is None and part in self._failing:
            self._failing[part] += 1
            if self._failing[part] == GOOD_RUNS:
                del self._failing[part]
                _LOGGER.info("%s: no more failures in its %s", self._site, name)
        return isinstance(error, Exception)


class _Part:
    """What is inside of one part. Not a generator: there are a dozen in each reading, and nothing fails in most."""

    __slots__ = ("_failing", "_key", "_name", "_parts")

    def __init__(self, parts: Parts, name: str, key: Hashable, failing: Mapping[Hashable, int]) -> None:
        self._parts, self._name, self._key, self._failing = parts, name, key, failing

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None and not self._failing:
            return False
        return self._parts.end(self._name, self._key, error)
