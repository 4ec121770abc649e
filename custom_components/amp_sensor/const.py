"""Names and limits that several modules share."""

from typing import Final

DOMAIN: Final = "amp_sensor"

# Settings of a site. They keep the names of the service that this integration replaces.
CONF_MAX_AMPS: Final = "max_amps"
CONF_VOLTAGE: Final = "voltage"
CONF_LOCAL_ONLY: Final = "local_only"

# How the house is fed: a value of `control.Supply`; without one, the readings show how many phases there are
CONF_SUPPLY: Final = "supply"

# Webhook ids that a site had before, and until when they are watched (seconds since 1970)
CONF_OLD_WEBHOOKS: Final = "old_webhooks"

# What opens when the budget is exceeded for long; a section of the site's settings
CONF_PROTECTION: Final = "protection"
CONF_KIND: Final = "kind"
CONF_RATING: Final = "rating_amps"
CONF_TOLERANCE: Final = "tolerance_percent"
CONF_TIME: Final = "time_s"

# Which sensors of Home Assistant measure a site's supply; without it, one posts to the site's webhook
CONF_METER: Final = "meter"

# Settings of a charger
SUBENTRY_CHARGER: Final = "charger"
CONF_TESSIE_TOKEN: Final = "tessie_token"  # noqa: S105 -- the name of a setting, not a token
CONF_CAR_VIN: Final = "car_vin"
CONF_MAX_AMPS_CAR: Final = "max_amps_car"
CONF_CHARGER_LOCATION: Final = "charger_location"
CONF_TESSIE_URL: Final = "tessie_url"
CONF_PHASES: Final = "phases"  # a list of numbers from 1 (L1); without one, the charger or the meter shows them

# Settings of a charger that Home Assistant knows; one without them is a Tesla through Tessie
CONF_ROLES: Final = "roles"  # which entity or action does what
CONF_PROFILE: Final = "profile"  # the key of what is known of its integration; None where nothing is
CONF_LEARNED: Final = "learned"  # what its rehearsal measured

# Where the prices of a site come from: an integration's action, its config entry and area, or an entity
SUBENTRY_PRICES: Final = "prices"
CONF_PRICE_ACTION: Final = "price_action"
CONF_PRICE_ENTRY: Final = "price_entry"
CONF_AREA: Final = "area"
CONF_PRICE_ENTITY: Final = "price_entity"
# A home battery beside a site's chargers
SUBENTRY_BATTERY: Final = "battery"
CONF_POWER: Final = "power"  # the sensor of what it takes and gives, or of what a load draws
CONF_POSITIVE: Final = "positive"  # what it does while its power is positive
CONF_STATE_OF_CHARGE: Final = "state_of_charge"
CONF_FIRST_UNTIL: Final = "first_until_percent"
# Settings of a limit of the supply beside its budget; powers in kW, of all phases together
SUBENTRY_LIMIT: Final = "limit"
CONF_LIMIT_KW: Final = "limit_kw"  # what a peak may have; the number entity changes it
CONF_WINDOW: Final = "window_min"  # over how long it is averaged; "0" holds at each moment
CONF_FOLLOWS_PEAK: Final = "follows_peak"  # whether a month's peak is not paid for twice
CONF_AVERAGE: Final = "average"  # the sensor with the meter's own average of its window
CONF_ENTITY: Final = "entity"  # who says what holds; of a load, what is switched
CONF_ON_KW: Final = "on_kw"  # what holds while an entity that is on or off is on
CONF_FALLBACK_KW: Final = "fallback_kw"  # what holds once the entity was unavailable for a time; without: nothing
CONF_FALLBACK_AFTER: Final = "fallback_after_min"
CONF_SWITCHES_LOADS: Final = "switches_loads"  # whether loads are switched off for a limit too
CONF_EACH_CHARGER: Final = "each_charger"  # whether it bounds each charger, not the supply
CONF_BLOCKS: Final = "blocks"  # when which power holds; the first that holds counts
CONF_FIRST_MONTH: Final = "first_month"
CONF_LAST_MONTH: Final = "last_month"
CONF_WEEKDAYS: Final = "weekdays"
CONF_FROM: Final = "from"
CONF_TO: Final = "to"
# Settings of a load
SUBENTRY_LOAD: Final = "load"
CONF_OFF: Final = "off"  # what counts as off for it: one of the following
OFF_OFF, OFF_SETBACK, OFF_ECO = "off", "setback", "eco"
CONF_SETBACK: Final = "setback"  # the temperature of `OFF_SETBACK`
CONF_WATTS: Final = "watts"  # what it draws; without it, that is learned from the meter
CONF_LEAST_ON: Final = "least_on_min"
CONF_LEAST_OFF: Final = "least_off_min"
CONF_RESTORE: Final = "restore"  # a value of `control.Restore`
CONF_RESPECTS_USER: Final = "respects_user"
CONF_ASKS: Final = "asks"  # whether somebody is asked before it is switched off
CONF_ASK_FOR: Final = "ask_for_s"
CONF_NOTIFY: Final = "notify"  # the action that asks on a phone; without it, a repair asks

# Which charger a reauthentication is about
CONF_SUBENTRY_ID: Final = "subentry_id"

# Options of a site
CONF_CONNECTED_TIMEOUT: Final = "connected_timeout_s"
CONF_DEAD_BAND: Final = "dead_band_amps"
CONF_PUBLISH_INTERVAL: Final = "publish_interval_s"

# Limits of the settings
MIN_BUDGET_A: Final = 6  # the least a charging standard (IEC 61851) lets a car draw, and so the least budget of use
MAX_BUDGET_A: Final = 125  # the largest rating of household breakers (IEC 60898)
MIN_CAR_A: Final = 5  # the floor of Tesla's own app
MAX_CAR_A: Final = 48  # the largest on-board charger of a Tesla
MAX_CHARGER_A: Final = 80  # the most that a charger can offer (IEC 61851: the control pilot)
MAX_RESERVE_W: Final = 20000  # more than a household's roof gives
MAX_WAIT_MIN: Final = 60  # clouds that last longer are a cloudy day
DEFAULT_VOLTAGE: Final = 230  # IEC 60038
MIN_VOLTAGE: Final = 100  # the lowest nominal voltage of households (IEC 60038: Japan)
MAX_VOLTAGE: Final = 260  # above the highest nominal one with its tolerance (240 V + 6 %: 254 V)
MAX_TOLERANCE_PERCENT: Final = 50  # Italian meters let 10 % more pass for good, and 33 % for hours: none lets more
DEFAULT_TOLERANCE_PERCENT: Final = 0  # nothing is taken for granted
MIN_TIME_S: Final = 1  # an electronic switch without delay
MAX_TIME_S: Final = 10800  # the three hours of Italian meters, the longest there is
DEFAULT_TIME_S: Final = 60  # the shortest that contracts name
MAX_LIMIT_KW: Final = 100  # above what 125 A on three phases carry
MIN_PEAK_KW: Final = 0.5  # below, there is nothing left for a car
DEFAULT_PEAK_KW: Final = 2.5  # Belgium bills at least this peak
DEFAULT_FALLBACK_AFTER_MIN: Final = 5  # integrations that are reloaded take seconds, a box that restarts some minutes
MAX_FALLBACK_AFTER_MIN: Final = 1440
MIN_LOAD_W: Final = 100  # less is hardly half an ampere, which no switching off is worth
MAX_LOAD_W: Final = 40000  # a heat pump on three phases of 63 A
MAX_LEAST_MIN: Final = 240  # four hours: longer, and it is no load to be switched off
DEFAULT_LEAST_MIN: Final = {"climate": 10}  # compressors do not like more than a few starts an hour
MIN_ASK_S: Final = 15  # to see it on a phone and press a button
MAX_ASK_S: Final = 600  # an overload of a fifth opens a breaker within minutes
DEFAULT_ASK_S: Final = 60
DEFAULT_TESSIE_URL: Final = "https://api.tessie.com"
DEFAULT_RADIUS_M: Final = 100  # around the charger; the replaced service's rule
MIN_RADIUS_M: Final = 20  # a car's position is good to some ten metres
MAX_RADIUS_M: Final = 1000  # beyond, other people's chargers come in reach
DEFAULT_CONNECTED_TIMEOUT_S: Final = 60  # the replaced service's alive check
MIN_CONNECTED_TIMEOUT_S: Final = 15  # three posts of the project's firmware, which posts every 5 s at the latest
MAX_CONNECTED_TIMEOUT_S: Final = 3600  # later than an hour nobody needs to be told
DEFAULT_DEAD_BAND_A: Final = 0.25  # 1 % of a 25 A supply, and what the clamps people use are good to
MIN_DEAD_BAND_A: Final = 0.05  # half of what the sensors show
MAX_DEAD_BAND_A: Final = 5  # the least that a car charges with: a larger band would hide it
DEFAULT_PUBLISH_INTERVAL_S: Final = 30  # with it the hourly mean stays within 0.5 %: docs/scaling.md
MIN_PUBLISH_INTERVAL_S: Final = 10  # two posts of the project's firmware
MAX_PUBLISH_INTERVAL_S: Final = 300  # the period of the recorder's finest statistics: one sample in each
