"""Adding and changing sites and chargers by hand."""

from abc import abstractmethod
import asyncio
from collections.abc import Mapping
from math import inf
from typing import Any, Final, override

from homeassistant.components.webhook import async_generate_id, async_generate_path, async_generate_url
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryBaseFlow,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_LATITUDE,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_RADIUS,
    CONF_WEBHOOK_ID,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    QrCodeSelector,
    QrCodeSelectorConfig,
    QrErrorCorrectionLevel,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
)
import voluptuous as vol
from yarl import URL

from .chargers.charger import (
    ChargerAuthError,
    ChargerBusy,
    ChargerError,
    ChargerSubscriptionError,
)
from .chargers.tessie import TessieClient
from .const import (
    CONF_CAR_VIN,
    CONF_CHARGER_LOCATION,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_MAX_AMPS_CAR,
    CONF_PROTECTION,
    CONF_RATING,
    CONF_SUBENTRY_ID,
    CONF_TESSIE_TOKEN,
    CONF_TESSIE_URL,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    DEFAULT_RADIUS_M,
    DEFAULT_TESSIE_URL,
    DOMAIN,
    MAX_RADIUS_M,
    MIN_RADIUS_M,
    SUBENTRY_CHARGER,
)
from .control import ProtectionKind
from .flows.forms import (
    CAR_SCHEMA,
    DEVICE_CHOICE,
    OPTION_SECTIONS,
    OPTIONS_SCHEMA,
    REAUTH_SCHEMA,
    SECTION_SERVER,
    SITE_SCHEMA,
    account_schema,
)
from .meters.device_config import KITS, REF, REPOSITORY, Recipe, device_yaml, recipe
from .meters.first_reading import FirstReading
from .site.address import with_new_address

_TOKEN_URL = "[my.tessie.com/settings/api](https://my.tessie.com/settings/api)"  # noqa: S105 -- where to get one
_GUIDE_URL = f"[the guide](https://github.com/{REPOSITORY}/blob/{REF}/firmware/README.md)"

_EMPTY: Final = ""
"""For a number that has to be typed: where nothing is suggested, the frontend suggests 0."""

# Of a form, and not kept
_DEVICE = "device"
_QR_CODE = "qr_code"


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


async def _async_cars(hass: HomeAssistant, account: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the cars that this account shows (names by VIN), and the errors of the form; one of them is empty."""
    if not _is_plain_address(account[CONF_TESSIE_URL]):
        return {}, {"base": "invalid_url"}
    client = TessieClient(async_get_clientsession(hass), account[CONF_TESSIE_TOKEN], account[CONF_TESSIE_URL])
    try:
        cars = {vehicle.vin: vehicle.name for vehicle in await client.vehicles()}
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
) -> tuple[dict[str, str], dict[str, str]]:
    """Return as `_async_cars` does; that this car is not among them is an error too."""
    cars, errors = await _async_cars(hass, account)
    return cars, errors or ({} if vin in cars else {CONF_TESSIE_TOKEN: "other_account"})


def _car_settings(user_input: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings of a car as they are kept, and the errors of the form."""
    location = {CONF_RADIUS: DEFAULT_RADIUS_M, **user_input[CONF_CHARGER_LOCATION]}
    settings = {CONF_MAX_AMPS_CAR: user_input[CONF_MAX_AMPS_CAR], CONF_CHARGER_LOCATION: location}
    in_range = MIN_RADIUS_M <= location[CONF_RADIUS] <= MAX_RADIUS_M
    return settings, {} if in_range else {CONF_CHARGER_LOCATION: "radius"}


def _known_cars(hass: HomeAssistant) -> set[str | None]:
    """Return the VINs that any site has."""
    return {
        subentry.unique_id
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.get_subentries_of_type(SUBENTRY_CHARGER)
    }


def _webhook_url(hass: HomeAssistant, site: Mapping[str, Any]) -> str | None:
    """Return where the sensor of a site posts to; None where Home Assistant does not know its own address."""
    from_outside = not site[CONF_LOCAL_ONLY]
    try:
        return async_generate_url(
            hass, site[CONF_WEBHOOK_ID], allow_external=from_outside, prefer_external=from_outside
        )
    except NoURLAvailableError:
        return None


def _site_id(name: str) -> str:
    """Return what two names of the same site have in common."""
    return "".join(name.casefold().split())


class _TeslaSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any], HandlerT](
    FlowHandler[ContextT, ResultT, HandlerT]
):
    """The steps that add a Tesla through Tessie: to a new site as to one that is there."""

    _token: type[vol.Required | vol.Optional] = vol.Required
    _account: dict[str, str]
    _cars: dict[str, str]
    """The cars to choose from: names by VIN."""

    @abstractmethod
    async def _async_add_car(self, car: ConfigSubentryData) -> ResultT:
        """Go on with a car whose settings are complete."""

    async def async_step_tesla(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask for the account."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._account = _typed_account(user_input)
            cars, errors = await _async_cars(self.hass, self._account)
            known = _known_cars(self.hass)
            self._cars = {vin: name for vin, name in cars.items() if vin not in known}
            if self._cars:
                return await self.async_step_car()
            errors = errors or {"base": "car_known"}
        return self.async_show_form(
            step_id="tesla",
            data_schema=self.add_suggested_values_to_schema(account_schema(self._token), user_input),
            errors=errors,
            description_placeholders={"token_url": _TOKEN_URL},
        )

    async def async_step_car(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask which car, how much it may draw, and where its charger is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            settings, errors = _car_settings(user_input)
            vin = user_input.get(CONF_CAR_VIN) or next(iter(self._cars))
            if not errors:
                data = {**self._account, CONF_CAR_VIN: vin, **settings}
                return await self._async_add_car(
                    ConfigSubentryData(data=data, subentry_type=SUBENTRY_CHARGER, title=self._cars[vin], unique_id=vin)
                )
        else:
            home = {
                CONF_LATITUDE: self.hass.config.latitude,
                CONF_LONGITUDE: self.hass.config.longitude,
                CONF_RADIUS: DEFAULT_RADIUS_M,
            }
            user_input = {CONF_MAX_AMPS_CAR: _EMPTY, CONF_CHARGER_LOCATION: home}
        schema = CAR_SCHEMA
        if len(self._cars) > 1:
            # Two cars may have the same name: the end of the VIN tells them apart.
            options = [SelectOptionDict(value=vin, label=f"{name} (…{vin[-4:]})") for vin, name in self._cars.items()]
            choice = SelectSelector(SelectSelectorConfig(options=options))
            schema = vol.Schema({vol.Required(CONF_CAR_VIN): choice, **schema.schema})
        return self.async_show_form(
            step_id="car",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"cars": ", ".join(self._cars.values())},
        )


class _DeviceSteps(ConfigEntryBaseFlow):
    """The pages that show what to put on a device: of a new site as of one that is there."""

    @abstractmethod
    def _finish(self) -> ConfigFlowResult:
        """End the flow."""

    def _show_device(self, device: str, site: Mapping[str, Any], url: str) -> ConfigFlowResult:
        code = QrCodeSelectorConfig(data=url, scale=6, error_correction_level=QrErrorCorrectionLevel.QUARTILE)
        schema = vol.Schema({vol.Optional(_QR_CODE): QrCodeSelector(code)})
        for kit in KITS:
            if kit.key == device:
                return self.async_show_form(
                    step_id="esphome",
                    data_schema=schema,
                    description_placeholders={
                        "yaml": device_yaml(kit, webhook_url=url, voltage=site[CONF_VOLTAGE]),
                        "largest_amps": str(kit.largest_amps),
                        "guide_url": _GUIDE_URL,
                    },
                )
        return self.async_show_form(
            step_id="recipe",
            data_schema=schema,
            description_placeholders={"lines": recipe(Recipe(device), webhook_url=url)},
        )

    async def async_step_esphome(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go on when what was shown is copied."""
        return self._finish()

    async_step_recipe = async_step_esphome


class AmpSensorConfigFlow(
    _DeviceSteps, _TeslaSteps[ConfigFlowContext, ConfigFlowResult, str], ConfigFlow, domain=DOMAIN
):
    """Add a site, change it, or renew the token of one of its cars."""

    _token = vol.Optional  # a new site does without a car
    _car: ConfigSubentryData | None = None
    _first: FirstReading
    """Listens from the page that shows the address until the site is saved."""
    _is_listening = False
    _waiting: asyncio.Task[None] | None = None
    _reauth_subentry_id: str | None = None

    def __init__(self) -> None:
        self._title = ""
        self._data: dict[str, Any] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow for the options of a site."""
        return AmpSensorOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to a site."""
        return {SUBENTRY_CHARGER: ChargerSubentryFlow}

    def _take_site(self, user_input: dict[str, Any]) -> dict[str, str]:
        """Keep what was typed about the site, and return the errors of the form."""
        self._data.update(user_input)
        self._title = " ".join(self._data.pop(CONF_NAME).split())
        site_id = _site_id(self._title)
        others = (
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry.entry_id != self.context.get("entry_id")
        )
        if not site_id:
            return {CONF_NAME: "name_empty"}
        if any(site_id in (entry.unique_id, _site_id(entry.title)) for entry in others):
            return {CONF_NAME: "site_known"}
        protection = self._data[CONF_PROTECTION]
        tolerance = protection[CONF_TOLERANCE] / 100 if protection[CONF_KIND] == ProtectionKind.METER_SWITCH else 0
        if self._data[CONF_MAX_AMPS] > protection.get(CONF_RATING, inf) * (1 + tolerance):
            return {CONF_MAX_AMPS: "above_protection"}
        return {}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask about the site."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._take_site(user_input)
            if not errors:
                # Two windows may be adding the same site: the first to finish ends the other.
                await self.async_set_unique_id(_site_id(self._title), raise_on_progress=False)
                self._data[CONF_WEBHOOK_ID] = async_generate_id()
                return await self.async_step_charger()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(
                SITE_SCHEMA, user_input or {CONF_NAME: self.hass.config.location_name, CONF_MAX_AMPS: _EMPTY}
            ),
            errors=errors,
        )

    async def async_step_charger(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether there is a car."""
        return self.async_show_menu(step_id="charger", menu_options=["tesla", "webhook"])

    @override
    async def async_step_tesla(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the account; without a token the site is added without a car."""
        if user_input is not None and not user_input.get(CONF_TESSIE_TOKEN):
            return await self.async_step_webhook()
        return await super().async_step_tesla(user_input)

    @override
    async def _async_add_car(self, car: ConfigSubentryData) -> ConfigFlowResult:
        self._car = car
        return await self.async_step_webhook()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask about a site that is there."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._take_site(user_input)
            if not errors:
                self._data[CONF_WEBHOOK_ID] = entry.data[CONF_WEBHOOK_ID]
                return await self.async_step_webhook()
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                SITE_SCHEMA, user_input or {CONF_NAME: entry.title, **entry.data}
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_webhook(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show where the sensor posts to, and ask what to put on it."""
        if not self._is_listening and self.source != SOURCE_RECONFIGURE:
            self._is_listening = True
            self._first = FirstReading(
                self.hass,
                self._data[CONF_WEBHOOK_ID],
                nominal_volts=self._data[CONF_VOLTAGE],
                local_only=self._data[CONF_LOCAL_ONLY],
            )
        url = _webhook_url(self.hass, self._data)
        if user_input is not None:
            device = user_input.get(_DEVICE)
            return self._finish() if url is None or device is None else self._show_device(device, self._data, url)
        if url is None:
            path = async_generate_path(self._data[CONF_WEBHOOK_ID])
            return self.async_show_form(step_id="webhook_path", description_placeholders={"path": path})
        return self.async_show_form(
            step_id="webhook",
            data_schema=vol.Schema({vol.Optional(_DEVICE): DEVICE_CHOICE}),
            description_placeholders={"url": url},
        )

    async_step_webhook_path = async_step_webhook

    @override
    def _finish(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_reconfigure_entry(),
                unique_id=_site_id(self._title),
                title=self._title,
                data_updates=self._data,
            )
        return self.async_show_menu(step_id="reading", menu_options=["wait", "finish"])

    async def async_step_reading(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to wait for the sensor."""
        return self._finish()

    async def async_step_wait(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Wait for the first reading."""
        if self._waiting is None:
            self._waiting = self.hass.async_create_task(self._first.async_wait(), eager_start=False)
        if not self._waiting.done():
            return self.async_show_progress(
                step_id="wait", progress_action="wait_for_reading", progress_task=self._waiting
            )
        self._waiting = None
        return self.async_show_progress_done(next_step_id=self._first.outcome)

    async def async_step_arrived(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the first reading."""
        if user_input is not None:
            return await self.async_step_finish()
        return self.async_show_form(step_id="arrived", description_placeholders=self._first.told())

    async def async_step_no_reading(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Help where nothing arrived."""
        url = _webhook_url(self.hass, self._data) or async_generate_path(self._data[CONF_WEBHOOK_ID])
        return self.async_show_menu(
            step_id="no_reading", menu_options=["wait", "finish"], description_placeholders={"url": url}
        )

    async def async_step_refused(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Help where something arrived that is no reading."""
        return self.async_show_menu(
            step_id="refused", menu_options=["wait", "finish"], description_placeholders=self._first.told()
        )

    async def async_step_outside(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Help where a post came from outside of the local network."""
        return self.async_show_menu(
            step_id="outside", menu_options=["anywhere", "wait", "finish"], description_placeholders=self._first.told()
        )

    async def async_step_anywhere(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take readings from outside of the local network as well, and wait for one."""
        self._data[CONF_LOCAL_ONLY] = False
        self._first.accept_from_anywhere()
        return await self.async_step_wait()

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Save the site."""
        self.async_remove()
        # Another window may have added the same while this one was open.
        self._abort_if_unique_id_configured()
        if self._car and self._car["unique_id"] in _known_cars(self.hass):
            return self.async_abort(reason="car_known")
        return self.async_create_entry(title=self._title, data=self._data, subentries=[self._car] if self._car else [])

    @callback
    @override
    def async_remove(self) -> None:
        """Stop listening: the site will, or there is none."""
        if self._is_listening:
            self._is_listening = False
            self._first.stop()

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
        if subentry is None:
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

    def _renew_token(self, entry: ConfigEntry, old: str, new: str, cars: Mapping[str, str]) -> ConfigFlowResult:
        """Give the new token to each car of the site that had the old one and is in the same account."""
        for subentry in entry.get_subentries_of_type(SUBENTRY_CHARGER):
            if subentry.data[CONF_TESSIE_TOKEN] == old and subentry.data[CONF_CAR_VIN] in cars:
                self.hass.config_entries.async_update_subentry(
                    entry, subentry, data={**subentry.data, CONF_TESSIE_TOKEN: new}
                )
        if new == old:
            # Mended at Tessie's end: nothing changed that would reload the site.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_update_and_abort(entry)


class ChargerSubentryFlow(_TeslaSteps[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """Add a charger to a site, or change it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Begin with the account."""
        return await self.async_step_tesla(user_input)

    @override
    async def _async_add_car(self, car: ConfigSubentryData) -> SubentryFlowResult:
        if car["unique_id"] in _known_cars(self.hass):
            # Another window added it while this one was open.
            return self.async_abort(reason="car_known")
        return self.async_create_entry(title=car["title"], data=car["data"], unique_id=car["unique_id"])

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about a car that is there. Only a changed account needs Tessie's answer: the rest works without it."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        if user_input is not None:
            account = _typed_account(user_input, subentry.data[CONF_TESSIE_TOKEN])
            settings, errors = _car_settings(user_input)
            if not errors and not account.items() <= subentry.data.items():
                _, errors = await _async_cars_with(self.hass, account, subentry.data[CONF_CAR_VIN])
            if not errors:
                return self.async_update_and_abort(self._get_entry(), subentry, data_updates={**account, **settings})
        else:
            user_input = {
                CONF_MAX_AMPS_CAR: subentry.data[CONF_MAX_AMPS_CAR],
                CONF_CHARGER_LOCATION: subentry.data[CONF_CHARGER_LOCATION],
                SECTION_SERVER: {CONF_TESSIE_URL: subentry.data[CONF_TESSIE_URL]},
            }
        schema = vol.Schema({**CAR_SCHEMA.schema, **account_schema(vol.Optional).schema})
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"car": subentry.title, "token_url": _TOKEN_URL},
        )


class AmpSensorOptionsFlow(_DeviceSteps, OptionsFlow):
    """Change the options of a site, or show what to put on its device."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what it is about."""
        return self.async_show_menu(step_id="init", menu_options=["settings", "device", "address"])

    async def async_step_settings(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        options = self.config_entry.options
        if user_input is not None:
            typed = {key: value for group in user_input.values() for key, value in group.items()}
            return self.async_create_entry(data={**options, **typed})
        return self.async_show_form(
            step_id="settings",
            data_schema=self.add_suggested_values_to_schema(OPTIONS_SCHEMA, dict.fromkeys(OPTION_SECTIONS, options)),
        )

    async def async_step_address(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Give the site a new address, and show what to put on its sensor."""
        entry = self.config_entry
        if _webhook_url(self.hass, entry.data) is None:
            return self.async_abort(reason="no_address")
        if user_input is None:
            return self.async_show_form(step_id="address", description_placeholders={"site": entry.title})
        self.hass.config_entries.async_update_entry(entry, data=with_new_address(entry.data))
        return await self.async_step_device()

    async def async_step_device(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what measures the current."""
        site = self.config_entry.data
        url = _webhook_url(self.hass, site)
        if url is None:
            return self.async_abort(reason="no_address")
        if user_input is not None:
            return self._show_device(user_input[_DEVICE], site, url)
        return self.async_show_form(step_id="device", data_schema=vol.Schema({vol.Required(_DEVICE): DEVICE_CHOICE}))

    @override
    def _finish(self) -> ConfigFlowResult:
        return self.async_create_entry(data=self.config_entry.options)
