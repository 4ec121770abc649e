"""Names and limits that several modules share."""

from typing import Final

DOMAIN: Final = "amp_sensor"

# Settings of a site. They keep the names of the service that this integration replaces.
CONF_MAX_AMPS: Final = "max_amps"
CONF_VOLTAGE: Final = "voltage"
CONF_LOCAL_ONLY: Final = "local_only"

# Settings of a charger
SUBENTRY_CHARGER: Final = "charger"
CONF_TESSIE_TOKEN: Final = "tessie_token"  # noqa: S105 -- the name of a setting, not a token
CONF_CAR_VIN: Final = "car_vin"
CONF_MAX_AMPS_CAR: Final = "max_amps_car"
CONF_CHARGER_LOCATION: Final = "charger_location"
CONF_TESSIE_URL: Final = "tessie_url"

# Limits of the settings
MIN_BUDGET_A: Final = 6  # the least a charging standard (IEC 61851) lets a car draw, and so the least budget of use
MAX_BUDGET_A: Final = 125  # the largest rating of household breakers (IEC 60898)
MIN_CAR_A: Final = 5  # the floor of Tesla's own app
MAX_CAR_A: Final = 48  # the largest on-board charger of a Tesla
DEFAULT_VOLTAGE: Final = 230  # IEC 60038
