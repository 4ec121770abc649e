"""Adding a charger, changing it, renewing its token."""

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentry,
    ConfigSubentryData,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import CONF_LATITUDE, CONF_LONGITUDE, CONF_RADIUS
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowContext, FlowResult
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import SelectOptionDict, SelectSelector, SelectSelectorConfig
import voluptuous as vol
from yarl import URL

from ..chargers.charger import ChargerAuthError, ChargerBusy, ChargerError, ChargerSubscriptionError
from ..chargers.tessie import TessieClient, TessieVehicle
from ..const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_LEARNED,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PHASES,
    CONF_ROLES,
    CONF_SUBENTRY_ID,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    DEFAULT_RADIUS_M,
    DEFAULT_TESSIE_URL,
    MAX_CAR_A,
    MAX_RADIUS_M,
    MIN_CAR_A,
    MIN_RADIUS_M,
    SUBENTRY_CHARGER,
)
from .adding import AddingSteps, chargers, known_chargers, phases_of
from .entities import EntitySteps
from .forms import EMPTY, REAUTH_SCHEMA, SECTION_SERVER, account_schema, car_schema
from .rehearsal import RehearsalSteps

_TOKEN_URL: Final = "[my.tessie.com/settings/api](https://my.tessie.com/settings/api)"  # noqa: S105 -- where to get one


def _typed_account(user_input: Mapping[str, Any], token: str = "") -> dict[str, str]:
    """Return the settings of the account as they are kept; `token` is the one to keep where none was typed."""
    return {
        CONF_TESSIE_TOKEN: user_input.get(CONF_TESSIE_TOKEN, "").strip() or token,
        CONF_TESSIE_URL: user_input[SECTION_SERVER][CONF_TESSIE_URL].strip().rstrip("/") or DEFAULT_TESSIE_URL,
    }


def _is_plain_address(text: str) -> bool:
    """Whether this is a web address, and nothing more: no credentials, query or fragment."""
    try:
        url = URL(text)
    except ValueError:
        return False
    plain = url.host is not None and url.with_user(None).with_query(None).with_fragment(None) == url
    return plain and url.scheme in ("http", "https")


async def _async_cars(
    hass: HomeAssistant, account: Mapping[str, Any]
) -> tuple[dict[str, TessieVehicle], dict[str, str]]:
    """Return the cars that this account shows, by VIN, and the errors of the form; one of them is empty."""
    if not _is_plain_address(account[CONF_TESSIE_URL]):
        return {}, {"base": "invalid_url"}
    client = TessieClient(async_get_clientsession(hass), account[CONF_TESSIE_TOKEN], account[CONF_TESSIE_URL])
    try:
        cars = {vehicle.vin: vehicle for vehicle in await client.vehicles()}
    except ChargerAuthError as error:
        return {}, {CONF_TESSIE_TOKEN: "missing_scope" if error.missing_scope else "invalid_auth"}
    except ChargerSubscriptionError:
        return {}, {"base": "no_subscription"}
    except ChargerBusy:
        return {}, {"base": "busy"}
    except ChargerError:
        return {}, {"base": "cannot_connect"}
    return cars, {} if cars else {"base": "no_vehicle"}


async def _async_cars_with(
    hass: HomeAssistant, account: Mapping[str, Any], vin: str
) -> tuple[dict[str, TessieVehicle], dict[str, str]]:
    """Return as `_async_cars` does; that this car is not among them is an error too."""
    cars, errors = await _async_cars(hass, account)
    return cars, errors or ({} if vin in cars else {CONF_TESSIE_TOKEN: "other_account"})


def _car_settings(user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings of a car as they are kept, and the errors of the form."""
    location = {CONF_RADIUS: DEFAULT_RADIUS_M, **user_input[CONF_CHARGER_LOCATION]}
    settings = {CONF_MAX_AMPS_CAR: user_input[CONF_MAX_AMPS_CAR], CONF_CHARGER_LOCATION: location}
    if phases := user_input.get(CONF_PHASES):
        settings[CONF_PHASES] = sorted(int(phase) for phase in phases)
    in_range = MIN_RADIUS_M <= location[CONF_RADIUS] <= MAX_RADIUS_M
    return settings, {} if in_range else {CONF_CHARGER_LOCATION: "radius"}


def with_phases_of(site: Mapping[str, Any], car: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a car without the phases that its site does not have: no form would show them."""
    phases = phases_of(site)
    kept = [phase for phase in car.get(CONF_PHASES, ()) if phase <= phases]
    rest = {key: value for key, value in car.items() if key != CONF_PHASES}
    return {**rest, CONF_PHASES: kept} if kept and phases > 1 else rest


def _teslas(chargers: Iterable[ConfigSubentry]) -> list[ConfigSubentry]:
    """Return those that are told through Tessie."""
    return [charger for charger in chargers if CONF_TESSIE_TOKEN in charger.data]


def known_accounts(hass: HomeAssistant) -> list[dict[str, str]]:
    """Return the accounts that the cars of any site are in."""
    keys = (CONF_TESSIE_TOKEN, CONF_TESSIE_URL)
    accounts = dict.fromkeys(tuple(charger.data[key] for key in keys) for charger in _teslas(chargers(hass)))
    return [dict(zip(keys, account, strict=True)) for account in accounts]


def names_of_cars(hass: HomeAssistant) -> str:
    """Return what the cars of all sites are called that are told through Tessie."""
    return ", ".join(charger.title for charger in _teslas(chargers(hass)))


def _proposed_amps(car: TessieVehicle, site: Mapping[str, Any]) -> int | str:
    """Return the maximum to propose for a car: what it says that it takes, and no more than the house may draw."""
    amps = int(min(car.limit_amps or 0, site[CONF_MAX_AMPS], MAX_CAR_A))
    return amps if amps >= MIN_CAR_A else EMPTY


class TeslaSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    AddingSteps[ContextT, ResultT, HandlerT]
):
    """The steps that add a Tesla through Tessie: to a new site as to one that is there."""

    _token: type[vol.Required | vol.Optional] = vol.Required
    _cars: dict[str, tuple[TessieVehicle, dict[str, str]]]
    """The cars to choose from by VIN, each with its account."""
    _vin: str
    """The one that was chosen."""

    async def async_step_tesla(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the account."""
        if user_input is None:
            return self._ask_for_account({})
        errors = await self._async_find_cars([_typed_account(user_input)])
        return self._ask_for_account(user_input, errors) if errors else await self.async_step_which_car()

    async def async_step_known_account(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Look for another car in the accounts of those that are there; ask for an account where none is found."""
        accounts = known_accounts(self.hass)
        errors = await self._async_find_cars(accounts)
        if not errors:
            return await self.async_step_which_car()
        url = accounts[0][CONF_TESSIE_URL] if accounts else DEFAULT_TESSIE_URL
        return self._ask_for_account({SECTION_SERVER: {CONF_TESSIE_URL: url}}, errors)

    async def _async_find_cars(self, accounts: Iterable[dict[str, str]]) -> dict[str, str]:
        """Find the cars that no site has yet; return the errors of the form where there are none."""
        known = known_chargers(self.hass)
        self._cars = {}
        failures = []
        for account in accounts:
            cars, errors = await _async_cars(self.hass, account)
            self._cars |= {vin: (car, account) for vin, car in cars.items() if vin not in known}
            failures.append(errors)
        return {} if self._cars else next(filter(None, failures), {"base": "car_known"})

    def _ask_for_account(self, user_input: Mapping[str, Any], errors: dict[str, str] | None = None) -> ResultT:
        return self.async_show_form(
            step_id="tesla",
            data_schema=self.add_suggested_values_to_schema(account_schema(self._token, user_input), user_input),
            errors=errors,
            description_placeholders={"token_url": _TOKEN_URL},
        )

    async def async_step_which_car(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask which car, where there are several."""
        if user_input is None and len(self._cars) > 1:
            # Two cars may have the same name: the end of the VIN tells them apart.
            options = [
                SelectOptionDict(value=vin, label=f"{car.name} (…{vin[-4:]})") for vin, (car, _) in self._cars.items()
            ]
            choice = SelectSelector(SelectSelectorConfig(options=options))
            return self.async_show_form(
                step_id="which_car", data_schema=vol.Schema({vol.Required(CONF_CAR_VIN): choice})
            )
        self._vin = (user_input or {}).get(CONF_CAR_VIN) or next(iter(self._cars))
        return await self.async_step_car()

    async def async_step_car(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask how much the car may draw, and where its charger is."""
        car, account = self._cars[self._vin]
        errors: dict[str, str] = {}
        if user_input is not None:
            settings, errors = _car_settings(user_input)
            if not errors:
                data = {**account, CONF_CAR_VIN: car.vin, **settings}
                return await self._async_add_charger(
                    ConfigSubentryData(data=data, subentry_type=SUBENTRY_CHARGER, title=car.name, unique_id=car.vin)
                )
        else:
            home = {
                CONF_LATITUDE: self.hass.config.latitude,
                CONF_LONGITUDE: self.hass.config.longitude,
                CONF_RADIUS: DEFAULT_RADIUS_M,
            }
            user_input = {CONF_MAX_AMPS_CAR: _proposed_amps(car, self._site()), CONF_CHARGER_LOCATION: home}
        return self.async_show_form(
            step_id="car",
            data_schema=self.add_suggested_values_to_schema(car_schema(phases_of(self._site())), user_input),
            errors=errors,
            description_placeholders={"car": car.name},
        )


class TokenSteps(ConfigFlow):
    """The steps that renew the token of a car."""

    _reauth_subentry_id: str | None = None

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Renew the token of one car.

        The site has no token: whoever starts this says which charger's was refused, by
        `entry.async_start_reauth(hass, data={CONF_SUBENTRY_ID: subentry.subentry_id})`.
        """
        self._reauth_subentry_id = entry_data.get(CONF_SUBENTRY_ID)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the new token."""
        entry = self._get_reauth_entry()
        subentry = entry.subentries.get(self._reauth_subentry_id or "")
        if subentry is None or CONF_TESSIE_TOKEN not in subentry.data:
            return self.async_abort(reason="car_removed")
        errors: dict[str, str] = {}
        if user_input is not None:
            account = {**subentry.data, CONF_TESSIE_TOKEN: user_input[CONF_TESSIE_TOKEN].strip()}
            cars, errors = await _async_cars_with(self.hass, account, subentry.data[CONF_CAR_VIN])
            if not errors:
                return self._renew_token(entry, subentry.data[CONF_TESSIE_TOKEN], account[CONF_TESSIE_TOKEN], cars)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(REAUTH_SCHEMA, user_input),
            errors=errors,
            description_placeholders={"car": subentry.title, "token_url": _TOKEN_URL},
        )

    def _renew_token(self, entry: ConfigEntry, old: str, new: str, cars: Container[str]) -> ConfigFlowResult:
        """Give the new token to each car of the site that had the old one and is in the same account."""
        for subentry in _teslas(entry.get_subentries_of_type(SUBENTRY_CHARGER)):
            if subentry.data[CONF_TESSIE_TOKEN] == old and subentry.data[CONF_CAR_VIN] in cars:
                self.hass.config_entries.async_update_subentry(
                    entry, subentry, data={**subentry.data, CONF_TESSIE_TOKEN: new}
                )
        if new == old:
            # Mended at Tessie's end: nothing changed that would reload the site.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_update_and_abort(entry)


class ChargerSubentryFlow(
    TeslaSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    EntitySteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]],
    RehearsalSteps,
):
    """Add a charger to a site, change it, or rehearse with it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which kind of charger it is, and whether its account is known."""
        cars = names_of_cars(self.hass)
        return self.async_show_menu(
            step_id="user",
            menu_options=["known_account", "tesla", "device"] if cars else ["tesla", "device"],
            description_placeholders={"cars": cars},
        )

    @override
    def _site(self) -> Mapping[str, Any]:
        return self._get_entry().data

    @override
    async def _async_add_charger(self, charger: ConfigSubentryData) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self._change(charger["data"])
        if charger["unique_id"] in known_chargers(self.hass):
            # Another window added it while this one was open.
            return self.async_abort(reason="car_known" if CONF_CAR_VIN in charger["data"] else "charger_known")
        return self.async_create_entry(title=charger["title"], data=charger["data"], unique_id=charger["unique_id"])

    def _change(self, data: Mapping[str, Any]) -> SubentryFlowResult:
        """Keep new settings; what a rehearsal taught stays."""
        subentry = self._get_reconfigure_subentry()
        learned = {key: value for key, value in subentry.data.items() if key == CONF_LEARNED}
        return self.async_update_and_abort(self._get_entry(), subentry, data={**learned, **data})

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to do with a charger that is there."""
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["settings", "rehearse"],
            description_placeholders={"charger": self._get_reconfigure_subentry().title},
        )

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a charger that is there."""
        data = self._get_reconfigure_subentry().data
        return await (self.async_step_change_car() if CONF_ROLES not in data else self._async_change_entities(data))

    async def async_step_change_car(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a car that is there. Only a changed account needs Tessie's answer: the rest works without it."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None:
            account = _typed_account(user_input, subentry.data[CONF_TESSIE_TOKEN])
            settings, errors = _car_settings(user_input)
            if not errors and not account.items() <= subentry.data.items():
                _, errors = await _async_cars_with(self.hass, account, subentry.data[CONF_CAR_VIN])
            if not errors:
                return self._change({CONF_CAR_VIN: subentry.data[CONF_CAR_VIN], **account, **settings})
        else:
            user_input = {
                CONF_MAX_AMPS_CAR: subentry.data[CONF_MAX_AMPS_CAR],
                CONF_CHARGER_LOCATION: subentry.data[CONF_CHARGER_LOCATION],
                SECTION_SERVER: {CONF_TESSIE_URL: subentry.data[CONF_TESSIE_URL]},
            }
            if phases := subentry.data.get(CONF_PHASES):
                user_input[CONF_PHASES] = [str(phase) for phase in phases]
        schema = car_schema(phases_of(self._site())).extend(account_schema(vol.Optional, user_input).schema)
        return self.async_show_form(
            step_id="change_car",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"car": subentry.title, "token_url": _TOKEN_URL},
        )
