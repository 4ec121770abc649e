"""Choosing where the prices of a site come from."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_AREA, CONF_PRICE_ACTION, CONF_PRICE_ENTITY, CONF_PRICE_ENTRY, DOMAIN, SUBENTRY_PRICES
from ..meters.proposals import ref_of
from ..site.prices import QUARTER_S, PricesError, async_ask, of_entity, sources

SOURCE: Final = "source"
ENTITY: Final = "entity"
_DOMAINS: Final = ["sensor", "number", "input_number"]


class PricesSubentryFlow(ConfigSubentryFlow):
    """Choose a source of prices, or another one."""

    _sources: Mapping[str, tuple[str, Mapping[str, str]]]
    """What can be chosen: its title, and the settings that stand for it."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which source: of integrations, those that answer with a price of now."""
        entry = self._get_entry()
        if self.source != SOURCE_RECONFIGURE and any(entry.get_subentries_of_type(SUBENTRY_PRICES)):
            return self.async_abort(reason="already_configured")
        if user_input is None:
            self._sources = await self._async_find()
            if not self._sources:
                return await self.async_step_entity()
            options = [SelectOptionDict(value=key, label=title) for key, (title, _) in self._sources.items()]
            texts = await async_get_translations(self.hass, self.hass.config.language, "config_panel", [DOMAIN])
            label = texts[f"component.{DOMAIN}.config_panel.prices.{ENTITY}"]
            options.append(SelectOptionDict(value=ENTITY, label=label))
            choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
            schema = vol.Schema({vol.Required(SOURCE, default=next(iter(self._sources))): choice})
            return self.async_show_form(step_id="user", data_schema=schema)
        if (chosen := user_input[SOURCE]) == ENTITY:
            return await self.async_step_entity()
        title, settings = self._sources[chosen]
        return self._finish(title, settings)

    async_step_reconfigure = async_step_user

    async def _async_find(self) -> dict[str, tuple[str, Mapping[str, str]]]:
        """Return what answers with a price of now."""
        now = dt_util.now()
        found: dict[str, tuple[str, Mapping[str, str]]] = {}
        for domain, entry_id, title in sources(self.hass):
            try:
                told = await async_ask(self.hass, domain, entry_id, now.date())
            except PricesError:
                continue
            for area, prices in told.items():
                if int(now.timestamp() // QUARTER_S) in prices:
                    settings = {CONF_PRICE_ACTION: domain, CONF_PRICE_ENTRY: entry_id, CONF_AREA: area}
                    found[f"{domain}.{entry_id}.{area}"] = f"{title} ({area})" if len(told) > 1 else title, settings
        return found

    async def async_step_entity(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for an entity whose attributes list prices."""
        errors: dict[str, str] = {}
        if user_input is not None:
            entity_id = user_input[CONF_PRICE_ENTITY]
            state = self.hass.states.get(entity_id)
            if state is not None and int(dt_util.utcnow().timestamp() // QUARTER_S) in of_entity(state):
                return self._finish(state.name, {CONF_PRICE_ENTITY: ref_of(self.hass, entity_id)})
            errors = {CONF_PRICE_ENTITY: "no_prices"}
        elif self.source == SOURCE_RECONFIGURE:
            ref = self._get_reconfigure_subentry().data.get(CONF_PRICE_ENTITY, "")
            user_input = {CONF_PRICE_ENTITY: er.async_resolve_entity_id(er.async_get(self.hass), ref)} if ref else None
        selector = EntitySelector(EntitySelectorConfig(domain=_DOMAINS))
        return self.async_show_form(
            step_id="entity",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_PRICE_ENTITY): selector}), user_input
            ),
            errors=errors,
        )

    def _finish(self, title: str, settings: Mapping[str, str]) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            return self.async_update_and_abort(self._get_entry(), subentry, title=title, data=dict(settings))
        return self.async_create_entry(title=title, data=dict(settings), unique_id=SUBENTRY_PRICES)
