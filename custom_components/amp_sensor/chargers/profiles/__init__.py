"""The profiles, one file for each integration."""

from typing import Final

from ..profile import ChargerProfile
from . import peblar

PROFILES: Final[tuple[ChargerProfile, ...]] = (peblar.PROFILE,)
