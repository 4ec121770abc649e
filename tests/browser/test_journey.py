"""A person, a browser, a real Home Assistant: from nothing to a charging car, by clicking."""

import asyncio
from http import HTTPStatus
import os
from pathlib import Path
import re

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect
import pytest

from .home import CAR_MAX_A, Home, at_home
from .person import Person, chromium, sit_down, written

MOST_PAGES = 8
"""From "Amp Sensor is installed" to "the car is controlled": more than that nobody should have to go through."""
PICTURES = Path(folder) if (folder := os.environ.get("AMP_SENSOR_PICTURES")) else None
"""Where to put the documentation's pictures: of the phone, whose pages can be read side by side."""


async def add_integration(person: Person) -> None:
    await person.go("/config/integrations/dashboard")
    await person.press("Add integration")
    await person.page.get_by_placeholder("Search for a brand name").locator("visible=true").fill("Amp Sensor")
    await person.choose("Amp Sensor")


async def describe_site(person: Person) -> None:
    """Fill in the page of the site."""
    step = "config.step.site"
    await person.see(written(f"{step}.title"))
    await person.fill(written(f"{step}.data.name"), "Home")
    await person.fill(written(f"{step}.data.max_amps"), "25")
    await person.submit()


async def add_car(person: Person, home: Home) -> None:
    """Fill in the pages of the car."""
    step = "config.step"
    await person.choose(written(f"{step}.charger.menu_options.tesla"))
    await person.fill(written(f"{step}.tesla.data.tessie_token"), home.tessie.token)
    await person.choose(written(f"{step}.tesla.sections.server.name"))
    await person.fill(written(f"{step}.tesla.sections.server.data.tessie_url"), home.tessie.url)
    await person.submit()

    await person.see(written(f"{step}.car.title"))
    await person.fill(written(f"{step}.car.data.max_amps_car"), str(CAR_MAX_A))
    await person.submit()


async def add_site(person: Person, home: Home) -> str:
    """Fill in the pages, see the first reading arrive, and finish; return the address of the sensor."""
    step = "config.step"
    await person.see(written(f"{step}.user.title"))
    await person.choose(written(f"{step}.user.menu_options.site"))
    await describe_site(person)
    await add_car(person, home)
    await person.see(written(f"{step}.webhook.title"))
    url = await person.copy()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/webhook/\w+", url)
    await person.picture("flow-sensor")
    await person.submit()
    await person.choose(written(f"{step}.reading.menu_options.wait"))
    await person.see(re.compile(written("config.progress.wait_for_reading").split("\n", maxsplit=1)[0]))
    home.switch_on_sensor(url)
    await person.see(written(f"{step}.arrived.title"))
    await person.picture("flow-arrived")
    await person.press(written(f"{step}.arrived.submit"))
    await person.press("Skip and finish")
    return url


async def open_dashboard(person: Person) -> None:
    """Add it where Home Assistant lists dashboards, and open it from the sidebar."""
    await person.go("/config/lovelace/dashboards")
    await person.press("Add dashboard")
    await person.page.get_by_text("Amp Sensor").last.click()
    await person.press("Create")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)  # for a moment there are two: one goes, one comes
    await person.go("/amp-sensor")


async def use_dashboard(person: Person, home: Home) -> None:
    """See what there is to see, and change mode and budget."""
    await person.see(re.compile(r"\d\sA of 25\sA free"))
    await person.see("Model 3")
    await home.becomes("sensor.model_3_charging_state", "charging")
    await person.see(re.compile("Charging$"))

    site = person.page.locator("amp-sensor-card .site")
    await site.locator("summary").click()
    await site.get_by_label("Mode").select_option(label="Strict")
    await home.becomes("select.home_mode", "strict")
    await site.get_by_label("Budget").fill("24")
    await site.get_by_label("Budget").press("Enter")
    await home.becomes("number.home_budget", "24.0")


async def follow_repair(person: Person, home: Home, old_url: str) -> None:
    """Give the sensor a new address, be told that something uses the old one, and settle that."""
    await person.go("/config/integrations/integration/amp_sensor")
    await person.press("Configure")
    await person.choose(written("options.step.init.menu_options.address"))
    await person.see(written("options.step.address.title"))
    await person.submit()
    await person.see(written("options.step.device.title"))
    await person.submit()
    await person.see(written("options.step.esphome.title"))
    found = re.search(r"http://127[\w.:/-]+", await person.copy())
    assert found is not None
    assert found[0] != old_url
    await home.is_told(old_url, HTTPStatus.GONE)
    home.switch_on_sensor(found[0])

    await person.go("/config/repairs")
    await person.choose(written("issues.old_address.title").format(site="Home"))
    await person.picture("repair")
    await person.submit()
    await person.press("Finish")
    await person.see("There are currently no repairs pending")


async def read_history(guest: Person, home: Home) -> None:
    """Open the page for people without an account, in a browser that never saw Home Assistant."""
    answer = await home.home_assistant.call(
        "call_service",
        domain="amp_sensor",
        service="create_view_link",
        service_data={"site": await home.site_id(), "days": 1},
        return_response=True,
    )
    await guest.page.goto(answer["response"]["url"])
    await guest.see(written("config_panel.view.title"))
    await expect(guest.page.locator("canvas")).to_be_visible()
    found = await Axe().run(guest.page)
    assert found.violations_count == 0, found.generate_report()


async def journey(size: str, scheme: str) -> None:
    pictures = PICTURES if size == "phone" else None
    async with at_home() as home, chromium() as browser:
        person = await sit_down(browser, home.home_assistant.url, size=size, scheme=scheme, pictures=pictures)
        guest = await sit_down(browser, home.home_assistant.url, size=size, scheme=scheme)
        try:
            await add_integration(person)
            url = await add_site(person, home)
            await open_dashboard(person)
            await use_dashboard(person, home)
            await follow_repair(person, home, url)
            await read_history(guest, home)
        except Exception as error:
            error.add_note(f"The page showed:\n{await person.page.locator('body').aria_snapshot()}")
            raise
        assert person.complaints + guest.complaints == []
        assert home.our_troubles() == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_somebody_goes_from_nothing_to_a_charging_car_by_clicking(size: str, scheme: str) -> None:
    asyncio.run(journey(size, scheme))


async def from_sensors(size: str) -> None:
    """Add a site and a car to a Home Assistant that has a meter already."""
    step = "config.step"
    async with at_home() as home, chromium() as browser:
        await home.add_meter()
        pictures = PICTURES if size == "phone" else None
        person = await sit_down(browser, home.home_assistant.url, size=size, scheme="light", pictures=pictures)
        pages = set[str]()
        person.page.on("response", lambda response: pages.add(response.url + str(response.request.post_data)))
        try:
            await add_integration(person)
            await person.choose(written(f"{step}.user.menu_options.which_meter"))
            await person.see(written(f"{step}.which_meter.title"))
            await person.choose("Current of the meter (template)")
            await person.submit()
            await person.see(re.compile(r"^\d+\.\d A \(\d+ W\)$"))
            await person.picture("flow-meter")
            await person.choose(written(f"{step}.meter_shown.menu_options.use_meter"))
            await describe_site(person)
            await add_car(person, home)
            await person.press("Skip and finish")
            await home.becomes("sensor.model_3_charging_state", "charging")
            home.house_amps = 18.0
            await home.car_draws_at_most(7.0)
        except Exception as error:
            error.add_note(f"The page showed:\n{await person.page.locator('body').aria_snapshot()}")
            raise
        assert person.complaints == []
        assert home.our_troubles() == []
        answered = [page for page in pages if "/config_entries/flow" in page and "{" in page]
        assert len(answered) <= MOST_PAGES, answered


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_meter_that_is_there_needs_few_pages(size: str) -> None:
    asyncio.run(from_sensors(size))
