"""What the pages of the flows ask for: fields, limits, units, defaults."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.const import (
    CONF_NAME,
    PERCENTAGE,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfTime,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    LocationSelector,
    LocationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TemplateSelector,
    TemplateSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..const import (
    CONF_CHARGER_LOCATION,
    CONF_CONNECTED_TIMEOUT,
    CONF_DEAD_BAND,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_METER,
    CONF_PHASES,
    CONF_PROTECTION,
    CONF_PUBLISH_INTERVAL,
    CONF_RATING,
    CONF_SUPPLY,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_TIME,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    DEFAULT_CONNECTED_TIMEOUT_S,
    DEFAULT_DEAD_BAND_A,
    DEFAULT_PUBLISH_INTERVAL_S,
    DEFAULT_TESSIE_URL,
    DEFAULT_TIME_S,
    DEFAULT_TOLERANCE_PERCENT,
    DEFAULT_VOLTAGE,
    MAX_BUDGET_A,
    MAX_CAR_A,
    MAX_CHARGER_A,
    MAX_CONNECTED_TIMEOUT_S,
    MAX_DEAD_BAND_A,
    MAX_PUBLISH_INTERVAL_S,
    MAX_TIME_S,
    MAX_TOLERANCE_PERCENT,
    MAX_VOLTAGE,
    MIN_BUDGET_A,
    MIN_CAR_A,
    MIN_CONNECTED_TIMEOUT_S,
    MIN_DEAD_BAND_A,
    MIN_PUBLISH_INTERVAL_S,
    MIN_TIME_S,
    MIN_VOLTAGE,
)
from ..control import ProtectionKind, Supply
from ..meters.device_config import KITS, Recipe

SECTION_SERVER: Final = "server"
EMPTY: Final = ""
"""For a number that has to be typed: where nothing is suggested, the frontend suggests 0."""
LEARN: Final = "learn"
"""For a supply that the readings show: none is kept."""


def whole_number(minimum: int, maximum: int, unit: str) -> vol.All[int]:
    """Return a field for a whole number."""
    config = NumberSelectorConfig(min=minimum, max=maximum, unit_of_measurement=unit, mode=NumberSelectorMode.BOX)
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: Iterable[str], translation_key: str) -> SelectSelector:
    return SelectSelector(SelectSelectorConfig(options=list(options), translation_key=translation_key))


_TOKEN = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))

PROTECTION_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_KIND, default=ProtectionKind.MCB_C): _choice(ProtectionKind, "protection_kind"),
        # Without one it is the budget of this form, whatever is set later by the entity
        vol.Optional(CONF_RATING): whole_number(MIN_BUDGET_A, MAX_BUDGET_A, UnitOfElectricCurrent.AMPERE),
        vol.Required(CONF_TOLERANCE, default=DEFAULT_TOLERANCE_PERCENT): whole_number(
            0, MAX_TOLERANCE_PERCENT, PERCENTAGE
        ),
        vol.Required(CONF_TIME, default=DEFAULT_TIME_S): whole_number(MIN_TIME_S, MAX_TIME_S, UnitOfTime.SECONDS),
    }
)
SUPPLY_CHOICE = _choice((LEARN, *Supply), "supply")
SITE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_MAX_AMPS): whole_number(MIN_BUDGET_A, MAX_BUDGET_A, UnitOfElectricCurrent.AMPERE),
        vol.Required(CONF_VOLTAGE, default=DEFAULT_VOLTAGE): whole_number(
            MIN_VOLTAGE, MAX_VOLTAGE, UnitOfElectricPotential.VOLT
        ),
        vol.Required(CONF_SUPPLY, default=LEARN): SUPPLY_CHOICE,
        vol.Required(CONF_LOCAL_ONLY, default=True): BooleanSelector(),
        vol.Required(CONF_PROTECTION): section(PROTECTION_SCHEMA, {"collapsed": True}),
    }
)
MEASURED_BY: Final = "measured_by"
"""Of the form that changes a site, and not kept: what measures the supply is either `POSTS` or `SENSORS`."""
POSTS, SENSORS = "posts", "sensors"
OPTION_SECTIONS: Final[Mapping[str, vol.Schema]] = {
    "sensor": vol.Schema(
        {
            vol.Required(CONF_CONNECTED_TIMEOUT, default=DEFAULT_CONNECTED_TIMEOUT_S): whole_number(
                MIN_CONNECTED_TIMEOUT_S, MAX_CONNECTED_TIMEOUT_S, UnitOfTime.SECONDS
            ),
        }
    ),
    "history": vol.Schema(
        {
            vol.Required(CONF_DEAD_BAND, default=DEFAULT_DEAD_BAND_A): NumberSelector(
                NumberSelectorConfig(
                    min=MIN_DEAD_BAND_A,
                    max=MAX_DEAD_BAND_A,
                    step=0.05,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfElectricCurrent.AMPERE,
                )
            ),
            vol.Required(CONF_PUBLISH_INTERVAL, default=DEFAULT_PUBLISH_INTERVAL_S): whole_number(
                MIN_PUBLISH_INTERVAL_S, MAX_PUBLISH_INTERVAL_S, UnitOfTime.SECONDS
            ),
        }
    ),
}
"""What is shown together; they are kept without these groups."""
OPTIONS_SCHEMA = vol.Schema({vol.Required(name): section(schema) for name, schema in OPTION_SECTIONS.items()})
TO_COPY = TemplateSelector(TemplateSelectorConfig(read_only=True))
"""Shows a text with a button to copy it: of all selectors the only one that has it."""
REAUTH_SCHEMA = vol.Schema({vol.Required(CONF_TESSIE_TOKEN): _TOKEN})


def site_schema(site: Mapping[str, Any]) -> vol.Schema:
    """Return the form of a site. Sensors of Home Assistant show how many phases there are, and post nothing."""
    if CONF_METER not in site:
        return SITE_SCHEMA
    hidden = (CONF_SUPPLY, CONF_LOCAL_ONLY)
    return vol.Schema({key: value for key, value in SITE_SCHEMA.schema.items() if key not in hidden})


def change_schema(site: Mapping[str, Any]) -> vol.Schema:
    """Return the form that changes a site."""
    is_now = SENSORS if CONF_METER in site else POSTS
    choice = _choice((POSTS, SENSORS), MEASURED_BY)
    return site_schema(site).extend({vol.Required(MEASURED_BY, default=is_now): choice})


def device_choice(budget_amps: float) -> SelectSelector:
    """Return what can be put on a device: of the kits those that still measure where the budget is exceeded."""
    return _choice((*(kit.key for kit in KITS if kit.largest_amps > budget_amps), *Recipe), "device")


def car_schema(phases: int) -> vol.Schema:
    """Return the form of a car at a site with so many phases."""
    schema = vol.Schema(
        {
            vol.Required(CONF_MAX_AMPS_CAR): whole_number(MIN_CAR_A, MAX_CAR_A, UnitOfElectricCurrent.AMPERE),
            vol.Required(CONF_CHARGER_LOCATION): LocationSelector(LocationSelectorConfig(radius=True)),
        }
    )
    return schema.extend(phases_schema(phases))


def charger_schema(phases: int) -> vol.Schema:
    """Return the beginning of the form of a charger in Home Assistant, at a site with so many phases."""
    amps = whole_number(MIN_CAR_A, MAX_CHARGER_A, UnitOfElectricCurrent.AMPERE)
    return vol.Schema({vol.Required(CONF_MAX_AMPS_CAR): amps, **phases_schema(phases)})


def phases_schema(phases: int) -> dict[vol.Optional, SelectSelector]:
    """Return the field for the phases that something loads, at a site that has so many; none where it has one."""
    if phases == 1:
        return {}
    options = [SelectOptionDict(value=str(phase), label=f"L{phase}") for phase in range(1, phases + 1)]
    return {vol.Optional(CONF_PHASES): SelectSelector(SelectSelectorConfig(options=options, multiple=True))}


def account_schema(token: type[vol.Required | vol.Optional], user_input: Mapping[str, Any]) -> vol.Schema:
    """Return the form of an account; `token` is whether one has to be typed.

    An address that is not the usual one can be seen at once.
    """
    url = user_input.get(SECTION_SERVER, {}).get(CONF_TESSIE_URL) or DEFAULT_TESSIE_URL
    return vol.Schema(
        {
            token(CONF_TESSIE_TOKEN): _TOKEN,
            vol.Required(SECTION_SERVER): section(
                vol.Schema(
                    {
                        vol.Optional(CONF_TESSIE_URL, default=DEFAULT_TESSIE_URL): TextSelector(
                            TextSelectorConfig(type=TextSelectorType.URL)
                        )
                    }
                ),
                {"collapsed": url == DEFAULT_TESSIE_URL},
            ),
        }
    )
