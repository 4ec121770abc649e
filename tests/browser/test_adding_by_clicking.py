"""A home battery, limits, a load and prices: added by clicking to a site that is there, and seen on the dashboard."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import re
from typing import Final

from playwright.async_api import expect
import pytest

from .home import CAR_MAX_A, Home, at_home
from .person import TEXTS, Person, chromium, sit_down, written

PICTURES: Final = Path(folder) if (folder := os.environ.get("AMP_SENSOR_LOOKS")) else None
"""Where to put a picture of each page, for whoever looks through them."""
SHOWN: Final = Path(folder) if (folder := os.environ.get("AMP_SENSOR_PICTURES")) else None
"""Where to put those that the documentation shows: of a phone."""
DASHBOARD: Final = "amp-sensor"
HOURS: Final = 30
"""Of prices that are known: of today and of a part of tomorrow, as after noon."""
KEY: Final = re.compile(r"component\.amp_sensor|config_subentries|config_panel|\{\w+\}")
"""What nobody should read: the key of a text, or a place that nothing was put into."""


def names_in_all_languages() -> dict[str, list[str]]:
    """Return what settings are called elsewhere, by their English name: of those beside which the same is shown."""
    names: dict[str, list[str]] = {}
    for path in TEXTS.parent.glob("*.json"):
        entities = json.loads(path.read_text())["entity"]
        for platform in ("number", "switch", "time"):
            for key, entity in entities.get(platform, {}).items():
                names.setdefault(written(f"entity.{platform}.{key}.name"), []).append(entity["name"])
    return names


async def add_helpers(home: Home) -> None:
    """Let Home Assistant have a battery, a box of the grid's operator, a boiler and prices, all made of helpers."""
    call, post = home.home_assistant.call, home.home_assistant.post
    for name, unit in (("Battery power", "W"), ("Battery level", "%")):
        await call("input_number/create", name=name, min=-5000, max=5000, step=1, unit_of_measurement=unit, mode="box")
    for name in ("Grid box", "Relay"):
        await call("input_boolean/create", name=name)
    relay = {"target": {"entity_id": "input_boolean.relay"}}
    boiler = {
        "name": "Boiler",
        "value_template": "{{ is_state('input_boolean.relay', 'on') }}",
        "turn_on": [{"action": "input_boolean.turn_on", **relay}],
        "turn_off": [{"action": "input_boolean.turn_off", **relay}],
    }
    await home.home_assistant.add_integration("template", [("user", {"next_step_id": "switch"}), ("switch", boiler)])
    await post("/api/services/input_boolean/turn_on", {"entity_id": "input_boolean.relay"})
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    forecast = [
        {"start": (begin + timedelta(hours=hour)).isoformat(), "value": (2 + hour % 5) / 10} for hour in range(HOURS)
    ]
    attributes = {"friendly_name": "Electricity price", "unit_of_measurement": "EUR/kWh", "forecast": forecast}
    await post("/api/states/sensor.price", {"state": "0.2", "attributes": attributes})


async def add_site(home: Home) -> None:
    """Let there be a site with a car, and its dashboard."""
    await home.add_meter()
    latitude, longitude = home.tessie.home
    place = {"latitude": latitude, "longitude": longitude, "radius": 100}
    await home.home_assistant.add_integration(
        "amp_sensor",
        [
            ("user", {"next_step_id": "which_meter"}),
            ("which_meter", {}),
            ("meter_shown", {"next_step_id": "use_meter"}),
            ("site", {"name": "Home", "max_amps": 25, "voltage": 230, "protection": {}}),
            ("charger", {"next_step_id": "tesla"}),
            ("tesla", {"tessie_token": home.tessie.token, "server": {"tessie_url": home.tessie.url}}),
            ("car", {"max_amps_car": CAR_MAX_A, "charger_location": place}),
        ],
    )
    call = home.home_assistant.call
    await call("lovelace/dashboards/create", url_path=DASHBOARD, title="Amp Sensor", mode="storage")
    await call("lovelace/config/save", url_path=DASHBOARD, config={"strategy": {"type": "custom:amp-sensor"}})


WATCH = """async () => {
  const { hass } = document.querySelector("home-assistant");
  window.siteStates = [];
  await hass.connection.subscribeMessage(
    (changes) => {
      const sites = changes.map((change) => change.entry).filter((entry) => entry.domain === "amp_sensor");
      window.siteStates.push(...sites.map((site) => site.state));
    },
    { type: "config_entries/subscribe" },
  );
}"""
ENTITIES = """(device) => {
  const { hass } = document.querySelector("home-assistant");
  return Object.values(hass.entities).filter((entity) => entity.device_id === device).length;
}"""
"""How many of a device there are."""
ARE_CUT = """(rows, translated) => rows.flatMap((row) => {
  const name = row.textContent.trim();
  const twin = row.cloneNode(true);
  row.replaceWith(twin);
  const cut = [name, ...(translated[name] ?? [])].filter((text) => {
    twin.textContent = text;
    return twin.scrollWidth > twin.clientWidth;
  });
  twin.replaceWith(row);
  return cut;
})"""
"""The names of entities that end in dots, in any language."""
IS_LOADED_ANEW = """() =>
  window.siteStates.some((state) => state !== "loaded") && window.siteStates.at(-1) === "loaded"
"""


async def show(person: Person, name: str) -> None:
    """Take a picture for the documentation."""
    if SHOWN is not None and person.size == "phone":
        await replace(person, pictures=SHOWN).picture(name)


class Adding:
    """Somebody who adds something: a page, its title, and what is to be typed there."""

    def __init__(self, person: Person, kind: str) -> None:
        self.person = person
        self.kind = kind
        self.key = f"config_subentries.{kind}"
        self.step = ""

    async def begin(self) -> None:
        await self.person.go("/config/integrations/integration/amp_sensor")
        button = self.person.button(written(f"{self.key}.initiate_flow.user"))
        await expect(button).to_be_visible()
        await self.person.page.evaluate(WATCH)
        await button.click()

    async def page(self, step: str) -> None:
        """See a page, all of whose texts are there, and which fits the screen."""
        self.step = f"{self.key}.step.{step}"
        await self.person.see(written(f"{self.step}.title"))
        await self.person.picture(f"add-{self.kind}-{step}")
        dialog = self.person.page.get_by_role("dialog").last
        assert KEY.search(await dialog.aria_snapshot()) is None
        width = await self.person.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, f"the page {step} is wider than the screen"

    async def pick(self, field: str, name: str) -> None:
        """Choose an entity by its name."""
        page, label = self.person.page, written(f"{self.step}.data.{field}")
        await page.get_by_label(re.compile(rf"^{re.escape(label)}\*?$")).locator("visible=true").last.click()
        await page.get_by_placeholder("Search").locator("visible=true").last.fill(name)
        await page.locator("ha-combo-box-item").filter(has_text=name).locator("visible=true").first.click()

    async def is_refused(self, error: str) -> None:
        await self.person.submit()
        await self.person.see(written(f"{self.key}.error.{error}"))

    async def finish(self, title: str, *, button: str = "Submit") -> None:
        await self.person.press(button)
        await self.person.see(f"Created configuration for {title}.")
        await self.person.press("Finish")
        await expect(self.person.page.get_by_role("dialog")).to_have_count(0)
        await self.person.page.wait_for_function(IS_LOADED_ANEW)  # nothing is added to a site that is not there


async def add_battery(person: Person) -> None:
    adding = Adding(person, "battery")
    await adding.begin()
    await adding.page("battery")
    await adding.pick("power", "Battery power")
    await adding.pick("state_of_charge", "Battery level")
    await adding.finish("Battery power")


async def add_limits(person: Person) -> None:
    """Add one of each kind."""
    adding = Adding(person, "limit")
    menu = "config_subentries.limit.step.user.menu_options"

    await adding.begin()
    await adding.page("user")
    await person.choose(written(f"{menu}.peak"))
    await adding.page("peak")
    await show(person, "flow-limit")
    await adding.finish(written("config_panel.limit.peak"))

    await adding.begin()
    await person.choose(written(f"{menu}.outside"))
    await adding.page("outside")
    await adding.pick("entity", "Grid box")
    await adding.is_refused("on_kw_missing")
    await person.fill(written(f"{adding.step}.data.on_kw"), "4.2")
    await adding.finish(written("config_panel.limit.outside"))

    await adding.begin()
    await person.choose(written(f"{menu}.schedule"))
    await adding.page("schedule")
    await adding.is_refused("no_blocks")
    await person.press("Add")
    await person.fill(written("selector.blocks.fields.limit_kw.name"), "5")
    begin = person.page.get_by_role("group", name=written("selector.blocks.fields.from.name"))
    await begin.get_by_role("spinbutton", name="hh").fill("22")
    await person.picture("add-limit-block")
    await person.press("Add")
    await person.see(re.compile(r"^5\skW · 22:00"))
    await person.picture("add-limit-blocks")
    await adding.finish(written("config_panel.limit.schedule"))


async def add_load(person: Person) -> None:
    adding = Adding(person, "load")
    await adding.begin()
    await adding.page("user")
    await adding.pick("entity", "Boiler")
    await show(person, "flow-load")
    await adding.is_refused("not_harmless")
    await person.page.get_by_role("switch").locator("visible=true").last.check(force=True)  # a drawing lies above it
    await person.submit()
    await adding.page("settings")
    await adding.finish("Boiler", button=written(f"{adding.step}.submit"))


async def add_prices(person: Person) -> None:
    adding = Adding(person, "prices")
    await adding.begin()
    await adding.page("entity")
    await adding.pick("price_entity", "Battery power")
    await adding.is_refused("no_prices")
    await adding.pick("price_entity", "Electricity price")
    await adding.finish("Electricity price")


async def look(person: Person, home: Home) -> None:
    """See what came of it: on each device's page, and on the dashboard."""
    devices = await person.page.evaluate("Object.values(document.querySelector('home-assistant').hass.devices)")
    ours = {device["name"]: device["id"] for device in devices if device["identifiers"][0][0] == "amp_sensor"}
    limits = {written(f"config_panel.limit.{kind}") for kind in ("peak", "outside", "schedule")}
    assert ours.keys() == {"Home", "Model 3", "Boiler", *limits}
    for name, device_id in ours.items():
        await person.go(f"/config/devices/device/{device_id}")
        await person.see(name)
        rows = await person.page.evaluate(ENTITIES, device_id)
        await expect(person.page.locator("hui-generic-entity-row")).to_have_count(rows)
        await person.picture(f"device-{name.lower().replace(' ', '-')}")
        cut = await person.page.locator("hui-generic-entity-row .info").evaluate_all(ARE_CUT, names_in_all_languages())
        assert cut == []
    await person.go(f"/{DASHBOARD}")
    card = person.page.locator("amp-sensor-card")
    await card.locator("summary").first.wait_for()
    for summary in await card.locator("summary").all():
        await summary.click()
    await card.get_by_label(written("entity.select.charge_with.name")).select_option(label="Surplus only")
    no_sign = written("exceptions.no_sign.message").format(site="Home")
    await person.see(re.compile(re.escape(no_sign[:60])))  # this meter shows currents only
    plan = card.get_by_role("combobox", name=written("entity.select.plan.name"), exact=True)
    await plan.select_option(label="Cheapest hours")
    await expect(card.get_by_text(re.compile("^Ready by .*, charges"))).to_be_visible()
    await person.picture("added")
    told = await card.aria_snapshot()
    assert KEY.search(told) is None
    assert re.search("Boiler May run", told)
    assert re.search(r"Peak Limit in force 2\.5\skW", told)


async def journey(size: str, scheme: str) -> None:
    async with at_home() as home, chromium() as browser:
        await add_helpers(home)
        await add_site(home)
        person = await sit_down(browser, home.home_assistant.url, size=size, scheme=scheme, pictures=PICTURES)
        try:
            await add_battery(person)
            await add_limits(person)
            await add_load(person)
            await add_prices(person)
            await look(person, home)
        except Exception as error:
            error.add_note(f"The page showed:\n{await person.page.locator('body').aria_snapshot()}")
            raise
        assert person.complaints == []
        assert home.our_troubles() == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_what_a_house_has_besides_is_added_by_clicking(size: str, scheme: str) -> None:
    asyncio.run(journey(size, scheme))
