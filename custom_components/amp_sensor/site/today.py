"""What a day came to so far."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Today:
    """Since midnight, or since the site was loaded if that is later."""

    day: date
    charged_wh: float = 0.0
    over_s: float = 0.0
    """For how long more flowed than the budget."""
    cuts: int = 0
    """How often a charger was lowered or paused."""
