"""Adding a site, and changing it."""

import asyncio
from collections.abc import Mapping
from math import inf
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowContext,
    ConfigFlowResult,
    ConfigSubentryData,
)
from homeassistant.const import CONF_NAME, CONF_WEBHOOK_ID
from homeassistant.core import callback
import voluptuous as vol

from ..const import (
    CONF_CAR_VIN,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MAX_AMPS,
    CONF_METER,
    CONF_PROTECTION,
    CONF_RATING,
    CONF_SUPPLY,
    CONF_TESSIE_TOKEN,
    CONF_TOLERANCE,
    CONF_VOLTAGE,
    SUBENTRY_CHARGER,
)
from ..control import ProtectionKind
from ..meters import endpoint
from ..meters.first_reading import FirstReading
from .adding import known_chargers
from .charger import TeslaSteps, names_of_cars, with_phases_of
from .device import ADDRESS, DEVICE, DeviceSteps, device_schema, webhook_url
from .entities import EntitySteps
from .forms import EMPTY, LEARN, MEASURED_BY, POSTS, TO_COPY, change_schema, site_schema
from .meter import MeterSteps


def _site_id(name: str) -> str:
    """Return what two names of the same site have in common."""
    return "".join(name.casefold().split())


class SiteSteps(
    DeviceSteps,
    MeterSteps,
    TeslaSteps[ConfigFlowContext, ConfigFlowResult, str],
    EntitySteps[ConfigFlowContext, ConfigFlowResult, str],
    ConfigFlow,
):
    """The steps that add a site, with its first charger where there is one, or change it."""

    _token = vol.Optional  # a new site does without a car
    _charger: ConfigSubentryData | None = None
    _first: FirstReading
    """Listens from the page that shows the address until the site is saved."""
    _is_listening = False
    _waiting: asyncio.Task[None] | None = None

    def __init__(self) -> None:
        self._title = ""
        self._data: dict[str, Any] = {}

    def _take_site(self, user_input: dict[str, Any]) -> dict[str, str]:
        """Keep what was typed about the site, and return the errors of the form."""
        self._data.update(user_input)
        self._title = " ".join(self._data.pop(CONF_NAME).split())
        if self._data.get(CONF_SUPPLY) == LEARN:
            del self._data[CONF_SUPPLY]
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
        """Ask what measures the supply."""
        return self.async_show_menu(step_id="user", menu_options=["which_meter", "site"])

    @override
    async def _async_meter_chosen(self) -> ConfigFlowResult:
        return self._finish() if self.source == SOURCE_RECONFIGURE else await self.async_step_site()

    async def async_step_site(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask about the site."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._take_site(user_input)
            if not errors:
                # Two windows may be adding the same site: the first to finish ends the other.
                await self.async_set_unique_id(_site_id(self._title), raise_on_progress=False)
                self._data[CONF_WEBHOOK_ID] = endpoint.new_id()
                self._data.setdefault(CONF_LOCAL_ONLY, True)
                return await self.async_step_charger()
        return self.async_show_form(
            step_id="site",
            data_schema=self.add_suggested_values_to_schema(
                site_schema(self._data), user_input or {CONF_NAME: self.hass.config.location_name, CONF_MAX_AMPS: EMPTY}
            ),
            errors=errors,
        )

    async def async_step_charger(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether there is a charger, of which kind, and whether its account is known."""
        cars = names_of_cars(self.hass)
        return self.async_show_menu(
            step_id="charger",
            menu_options=[*(["known_account"] if cars else []), "tesla", "device", "webhook"],
            description_placeholders={"cars": cars},
        )

    @override
    async def async_step_tesla(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the account; without a token the site is added without a car."""
        if user_input is not None and not user_input.get(CONF_TESSIE_TOKEN):
            return await self.async_step_webhook()
        return await super().async_step_tesla(user_input)

    @override
    def _site(self) -> Mapping[str, Any]:
        return self._data

    @override
    async def _async_add_charger(self, charger: ConfigSubentryData) -> ConfigFlowResult:
        self._charger = charger
        return await self.async_step_webhook()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask about a site that is there."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._take_site(user_input)
            if not errors:
                asked = {str(key) for key in change_schema(entry.data).schema}
                kept = {key: value for key, value in entry.data.items() if key not in asked}
                self._data = {**kept, **self._data}
                if self._data.pop(MEASURED_BY) == POSTS:
                    self._data.pop(CONF_METER, None)
                    return await self.async_step_webhook()
                has_sensors = CONF_METER in self._data
                return await (self.async_step_meter_shown() if has_sensors else self.async_step_which_meter())
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                change_schema(entry.data), user_input or {CONF_NAME: entry.title, **entry.data}
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    async def async_step_webhook(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show where the sensor posts to, and ask what to put on it; a site with sensors of its own is complete."""
        if CONF_METER in self._data:
            return await self.async_step_finish()
        if not self._is_listening and self.source != SOURCE_RECONFIGURE:
            self._is_listening = True
            self._first = FirstReading(
                self.hass,
                self._data[CONF_WEBHOOK_ID],
                nominal_volts=self._data[CONF_VOLTAGE],
                local_only=self._data[CONF_LOCAL_ONLY],
            )
        url = webhook_url(self.hass, self._data)
        if user_input is not None:
            device = user_input.get(DEVICE)
            return self._finish() if url is None or device is None else self._show_device(device, self._data, url)
        schema = vol.Schema({vol.Optional(ADDRESS): TO_COPY})
        if url is not None:
            schema = schema.extend(device_schema(vol.Optional, self._data).schema)
        address = url or endpoint.path_of(self._data[CONF_WEBHOOK_ID])
        return self.async_show_form(
            step_id="webhook_path" if url is None else "webhook",
            data_schema=self.add_suggested_values_to_schema(schema, {ADDRESS: address}),
            description_placeholders={"budget": str(self._data[CONF_MAX_AMPS])},
        )

    async_step_webhook_path = async_step_webhook

    @override
    def _finish(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            for car in entry.get_subentries_of_type(SUBENTRY_CHARGER):
                self.hass.config_entries.async_update_subentry(entry, car, data=with_phases_of(self._data, car.data))
            return self.async_update_and_abort(
                entry, unique_id=_site_id(self._title), title=self._title, data=self._data
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
        url = webhook_url(self.hass, self._data) or endpoint.path_of(self._data[CONF_WEBHOOK_ID])
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
        if (charger := self._charger) is None:
            return self.async_create_entry(title=self._title, data=self._data)
        if charger["unique_id"] in known_chargers(self.hass):
            return self.async_abort(reason="car_known" if CONF_CAR_VIN in charger["data"] else "charger_known")
        return self.async_create_entry(
            title=self._title,
            data=self._data,
            subentries=[charger],
            description="charger",
            description_placeholders={"charger": charger["title"]},
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Stop listening: the site will, or there is none."""
        if self._is_listening:
            self._is_listening = False
            self._first.stop()
