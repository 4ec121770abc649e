"""The card, in a page of its own: what it says of each state of a home, and what can be done with it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
import os
from pathlib import Path
import re
from typing import Any, Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect
import pytest

from tests.test_translations import LANGUAGES

from .cards import AT, BESIDE, BUDGET_A, STATES, card_page, charger, deed, event, first, line, put_card
from .person import chromium, shrink, written

PICTURES = Path(folder) if (folder := os.environ.get("AMP_SENSOR_PICTURES")) else None
"""Where to put a picture of each state."""

SENTENCES: Final = {
    "one": "9.3 A of 25 A free. The house rose by 8 A 20 seconds ago: Model 3 lowered to 7 A.",
    "none": "16.4 A of 25 A free.",
    "room": "6.7 A of 25 A free. Model 3: At its maximum.",
    "over": "3.4 A over the budget of 25 A. 4 seconds ago the house alone drew 22.4 A of 25 A: Model 3 lowered to 5 A.",
    "silent": "The sensor is silent: what the house draws is not known.",
    "waiting": "Waiting for the first reading of the sensor.",
    "sun": "3.4 A fed into the grid: all 25 A are free. Model 3: No room for more.",
    "sunny": "20.1 A of 25 A free. There was room 1 minute ago: Model 3 raised to 8 A.",
    "two": "5.7 A of 25 A free. There was room 40 seconds ago: Model Y with a rather long name started with 6 A.",
    "four": "4.6 A of 25 A free. Model 3, Model Y with a rather long name, and Zoe: No room for more. "
    "Guest: Not plugged in.",
    "planned": "21.6 A of 25 A free. Model 3: Waiting for its planned time.",
    "more": "1.0 A fed into the grid: all 25 A are free. There was room 20 seconds ago: Model 3 raised to 9 A.",
    "three": "4.6 A of 25 A free. The house rose by 5.2 A 20 seconds ago: Model 3 lowered to 11 A.",
    "three-over": "7.9 A over the budget of 25 A. "
    "Model 3: Lowered: over budget. Model Y with a rather long name: No room for more.",
}

type Look = Callable[[Page], Awaitable[None]]


def look(*steps: Look, **more: Any) -> None:
    """Open the page, and do these things one after the other."""

    async def run() -> None:
        async with chromium() as browser, card_page(browser, **more) as page:
            for step in steps:
                await step(page)

    asyncio.run(run())


def card(page: Page, selector: str) -> Locator:
    return page.locator(f"amp-sensor-card {selector}")


async def text_of(locator: Locator) -> str:
    return re.sub(r"\s+", " ", await locator.inner_text()).strip()


async def number_of(locator: Locator) -> float:
    """Return the number that is shown first."""
    text = await text_of(locator)
    found = re.search(r"[−-]?\d+(?:[.,]\d+)?", text)
    assert found is not None, text
    return float(found[0].replace("−", "-").replace(",", "."))


async def sums_agree(page: Page, told: dict[str, Any]) -> None:
    """What house and chargers take is what the grid gives, and with what is free the budget, to the last digit."""
    nodes = card(page, ".nodes .node")
    labels = card(page, ".gauge-label")
    count = len(told["reading"]["amps"])
    for phase in range(count):
        total = await number_of(labels.nth(phase).locator(".amps"))
        assert abs(total - told["reading"]["amps"][phase]) < 0.06
        rest = await text_of(labels.nth(phase).locator(".rest"))
        if total > 0:
            free = float(rest.strip("▲ ").split()[0]) * (-1 if "▲" in rest else 1)
            assert round(total + free, 6) == BUDGET_A
        parts = []
        for index in range(await nodes.count()):
            amps = nodes.nth(index).locator(".by-phase" if count > 1 else ".amps")
            shown = (await text_of(amps)).split(" · ")
            parts.append(float(shown[phase].replace("−", "-").removesuffix(" A")) if shown != [""] else 0.0)
        assert round(sum(parts), 6) == total
    powers = [await text_of(nodes.nth(index).locator(".more")) for index in range(await nodes.count())]
    kilowatts = [float(power.replace("−", "-").removesuffix(" kW")) for power in powers if power]
    assert round(sum(kilowatts), 6) == await number_of(card(page, ".node.grid .amps"))
    for index in range(len(told["chargers"])):
        tile = card(page, ".charger").nth(index)
        assert await text_of(tile.locator(".amps")) == await text_of(nodes.nth(index + 1).locator(".amps"))


async def nothing_is_cut(page: Page) -> None:
    """Nothing reaches beyond the card, and no text is longer than its place."""
    beyond = await page.evaluate(
        """() => {
          const root = document.querySelector("amp-sensor-card").shadowRoot;
          const { left, right } = root.host.getBoundingClientRect();
          return [...root.querySelectorAll("ha-card *")].filter((element) => {
            if (element.closest(".unseen, .none, .dots, defs") || !element.checkVisibility()) return false;
            const box = element.getBoundingClientRect();
            const { children, clientWidth, scrollWidth } = element;
            const cut = !children.length && clientWidth && scrollWidth > clientWidth + 1;
            return box.width && (cut || box.left < left - 0.5 || box.right > right + 0.5);
          }).map((element) => `${element.className.baseVal ?? element.className} ${element.textContent}`);
        }"""
    )
    assert beyond == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def is_accessible(page: Page) -> None:
    found = await Axe().run(page)
    assert found.response["violations"] == []


async def take_picture(shown: Page | Locator, name: str) -> None:
    """Take a picture of a page, or of a part of it."""
    if PICTURES is not None:
        page = shown if isinstance(shown, Page) else shown.page
        await page.wait_for_timeout(600)  # the past is looked up, and fonts are loaded
        path = PICTURES / f"{name}.png"
        await (shown.screenshot(path=path, full_page=True) if isinstance(shown, Page) else shown.screenshot(path=path))
        shrink(path)


async def reload(page: Page) -> None:
    """Begin anew, in the same browser."""
    await page.reload()
    await page.wait_for_function("window.home")


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("desktop", True), ("phone", False), ("phone", True)])
def test_each_state_of_a_home_is_told_in_a_sentence_and_in_numbers_that_agree(size: str, dark: bool) -> None:
    def state(name: str) -> Look:
        async def step(page: Page) -> None:
            told = STATES[name]
            await put_card(page, told, dark=dark, beside=BESIDE.get(name, ()))
            await expect(card(page, ".sentence p")).to_have_text(SENTENCES[name], use_inner_text=True)
            if told["reading"] is not None:
                await sums_agree(page, told)
            await nothing_is_cut(page)
            await is_accessible(page)
            scheme = "dark" if dark else "light"
            await take_picture(page, f"card-{name}-{size}-{scheme}")
            if name == "planned":
                await take_picture(card(page, ".charger"), f"plan-{size}-{scheme}")
            await reload(page)

        return step

    assert SENTENCES.keys() == STATES.keys()
    look(*map(state, STATES), size=size)


def test_it_speaks_each_language_on_a_phone() -> None:
    def language(name: str) -> Look:
        async def step(page: Page) -> None:
            await put_card(page, STATES["three"], language=name)
            said = await text_of(card(page, ".sentence"))
            assert "Model 3" in said
            assert "{" not in said
            for summary in await card(page, "summary").all():
                await summary.click()
            empty = await card(
                page, "h2, summary, dt, .field > span:first-child, .entry-name, .node .name"
            ).all_inner_texts()
            assert all(empty)
            await nothing_is_cut(page)
            await reload(page)

        return step

    look(*map(language, ["en", *LANGUAGES]), size="phone")


async def tell(page: Page, told: dict[str, Any]) -> None:
    await page.evaluate("(event) => home.tell(event)", told)


def test_a_reading_is_shown_at_once_but_only_what_turned_is_spoken() -> None:
    async def step(page: Page) -> None:
        await put_card(page, event([8.0], charger(0, 6.0)))
        spoken = card(page, "[role=status]")
        for second in range(1, 20):
            await tell(page, event([8.0 + second / 10], charger(0, 6.0), at=AT + second))
            await expect(card(page, ".head")).to_have_text(
                f"{11 - second / 10:.1f} A of 25 A free.", use_inner_text=True
            )
            await expect(spoken).to_have_text("")
        done = deed("lowered_house_rose", -20, amps=5, rise_amps=9.6)
        await tell(page, event([17.0], charger(0, 5.0, deed=done), at=AT + 20))
        await expect(spoken).to_have_text(
            "3.0 A of 25 A free. The house rose by 9.6 A 1 second ago: Model 3 lowered to 5 A.", use_inner_text=False
        )
        await tell(page, event([21.0], charger(0, 5.0, deed=done), at=AT + 21))
        await expect(card(page, ".head")).to_have_text("1.0 A over the budget of 25 A.", use_inner_text=True)
        assert "3.0" in await text_of(spoken)  # a second later it is too soon to speak again
        await tell(page, event([21.0], charger(0, 5.0, deed=done), at=AT + 31))
        await expect(spoken).to_have_text(re.compile(r"^1\.0\sA over"))

    look(step)


def test_what_is_over_by_no_more_than_noise_is_no_alarm() -> None:
    async def step(page: Page) -> None:
        await put_card(page, event([19.1], charger(0, 6.02), over_amps=0.0))
        await expect(card(page, ".head")).to_have_text("0.1 A over the budget of 25 A.", use_inner_text=True)
        await expect(card(page, ".sentence-icon")).to_be_hidden()
        await tell(page, event([19.5], charger(0, 6.02), at=AT + 1))
        await expect(card(page, ".sentence-icon")).to_be_visible()

    look(step)


def test_a_deed_that_the_card_does_not_know_is_told_as_the_logbook_has_it() -> None:
    async def step(page: Page) -> None:
        await put_card(page, event([8.0], charger(0, 6.0, deed=deed("lowered"))))
        await expect(card(page, ".tail")).to_have_text("20 seconds ago: Model 3 lowered to 7 A.", use_inner_text=True)

    look(step)


def test_it_comes_back_after_the_site_was_loaded_anew() -> None:
    async def step(page: Page) -> None:
        await page.clock.install()
        await put_card(page, STATES["one"])
        await page.evaluate("home.listeners.pop()(null)")
        assert await page.evaluate("home.listeners.length") == 0
        await page.clock.run_for(6000)
        assert await page.evaluate("home.listeners.length") == 1
        await card(page, "[value='6']").check(force=True)
        await card(page, ".charger summary").click()
        await page.evaluate("(event) => home.tell(event)", first(STATES["one"]))
        await expect(card(page, "[value='6']")).to_be_checked()  # nothing that somebody did is lost
        await expect(card(page, ".charger").get_by_label("Managed")).to_be_visible()
        await page.evaluate("document.querySelector('amp-sensor-card').remove()")
        await page.clock.run_for(6000)
        assert await page.evaluate("home.listeners.length") == 0  # nobody looks any more

    look(step)


@pytest.mark.parametrize(("code", "said"), [("unauthorized", "unauthorized"), ("not_found", "not_loaded")])
def test_it_says_why_there_is_nothing_to_see(code: str, said: str) -> None:
    async def step(page: Page) -> None:
        await page.evaluate("(code) => { home.refusal = { code }; }", code)
        await put_card(page, None)
        await expect(card(page, ".notice")).to_have_text(written(f"config_panel.card.{said}"), use_inner_text=True)

    look(step)


def test_without_a_site_it_leads_to_where_one_is_added() -> None:
    async def step(page: Page) -> None:
        await put_card(page, None, sites=0)
        link = card(page, ".notice a")
        await expect(link).to_have_text(written("config_panel.card.add_site"))
        assert await link.get_attribute("href") == "/config/integrations/dashboard/add?domain=amp_sensor"
        await is_accessible(page)

    look(step)


async def asked(page: Page, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("(kind) => home.asked.filter(({ type }) => type === kind)", kind)
    return found


def test_it_shows_the_site_and_the_parts_that_it_is_told_to() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"], config={"site": "other", "show": ["sentence", "today"]}, sites=2)
        (message,) = await asked(page, "amp_sensor/subscribe")
        assert message["device_id"] == "other"
        await expect(card(page, ".today")).to_be_visible()
        for part in (".flow", ".picture", ".charger", "details"):
            await expect(card(page, part)).to_have_count(0)
        assert await asked(page, "history/history_during_period") == []

    look(step)


@pytest.mark.parametrize("config", [{"hours": 2}, {"show": ["house"]}, {"show": "flow"}])
def test_it_refuses_what_it_does_not_know(config: dict[str, Any]) -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        error = await page.evaluate(
            "(config) => { try { home.card.setConfig(config); } catch (error) { return error.message; } }", config
        )
        assert error.startswith(f"{next(iter(config))}: ")

    look(step)


def test_the_editor_offers_what_can_be_configured() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        form = await page.evaluate(
            """async () => {
              const original = document.querySelector.bind(document);
              document.querySelector = (name) => (name === "home-assistant" ? { hass: home.hass } : original(name));
              const form = await customElements.get("amp-sensor-card").getConfigForm();
              const names = form.schema.map(({ name }) => name);
              return { names, labels: form.schema.map(form.computeLabel), schema: form.schema };
            }"""
        )
        assert form["names"] == ["site", "hours", "show"]
        assert form["labels"] == [written(f"config_panel.card.editor.{name}") for name in form["names"]]
        parts = form["schema"][2]["selector"]["select"]["options"]
        assert [part["label"] for part in parts] == ["Sentence", "Flow", "Picture", "Chargers and settings", "Today"]

    look(step)


def test_loads_and_limits_are_told_in_a_line_each() -> None:
    beside = [
        line("Boiler", "load_state", "shed"),
        line("Box", "limit_in_force", "unknown", "kW"),
        line("Contract", "limit_current", "16", "A"),
        line("Peak", "limit_in_force", "2.5", "kW"),
    ]

    async def step(page: Page) -> None:
        await put_card(page, STATES["one"], beside=beside)
        said = [await text_of(each) for each in await card(page, ".beside li").all()]
        assert said == [
            "Boiler Switched off: there is too little room",
            "Box Limit in force –",
            "Contract Current limit in force 16 A",
            "Peak Limit in force 2.5 kW",
        ]
        await card(page, ".beside button").first.click()
        assert await page.evaluate("home.opened") == ["sensor.boiler_load_state"]
        await nothing_is_cut(page)
        await is_accessible(page)
        await reload(page)
        await put_card(page, STATES["one"])
        await expect(card(page, ".beside")).to_be_hidden()

    look(step, size="phone")


def test_what_can_be_set_is_sent_to_home_assistant() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["two"])
        tile = card(page, ".charger").first
        await tile.locator("summary").click()
        await tile.get_by_label("Maximum current").fill("13")
        await tile.get_by_label("Maximum current").press("Tab")
        await tile.get_by_label("Managed").click()
        await tile.get_by_label("Priority").select_option(label="First")
        await card(page, ".site summary").click()
        await card(page, ".site").get_by_label("Mode").select_option(label="Strict")
        assert await page.evaluate("home.called") == [
            ["number", "set_value", {"entity_id": "number.car_0_maximum_current", "value": 13}],
            ["switch", "turn_off", {"entity_id": "switch.car_0_managed"}],
            ["select", "select_option", {"entity_id": "select.car_0_priority", "option": "first"}],
            ["select", "select_option", {"entity_id": "select.home_mode", "option": "strict"}],
        ]

    look(step)


def test_a_plan_is_a_line_and_a_bar_for_each_part_of_the_night() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["planned"])
        said = await text_of(card(page, ".plan-said"))
        assert re.fullmatch(r"Ready by \w+,? 07:00, charges 01:00 to 05:15, about 2.31 EUR", said), said
        assert await card(page, ".hour").count() == 65
        assert await card(page, ".hour.planned").count() == 17
        await expect(card(page, ".hour.unknown")).to_have_count(0)
        await page.evaluate(
            """() => {
              const id = "sensor.car_0_planned_start";
              const { attributes, ...state } = home.hass.states[id];
              const timeline = attributes.timeline.map((hour, index) => (index < 57 ? hour : { ...hour, price: null }));
              const planned = { ...state, attributes: { ...attributes, timeline } };
              home.card.hass = { ...home.hass, states: { ...home.hass.states, [id]: planned } };
            }"""
        )
        await tell(page, {**STATES["planned"], "at": AT + 1})
        await expect(card(page, ".hour.unknown")).to_have_count(8)
        label = await card(page, ".hours").get_attribute("aria-label")
        assert label is not None
        assert label.startswith("Prices and planned hours until ")
        await put_card(page, STATES["one"])
        await expect(card(page, ".plan")).to_be_hidden()

    look(step)


def test_what_is_refused_is_shown_as_it_was() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        await card(page, ".charger summary").click()
        field = card(page, ".charger").get_by_label("Minimum current")
        await page.evaluate("() => { home.refusal = { code: 'home_assistant_error' }; }")
        await field.fill("16")
        await field.press("Tab")
        await expect(field).to_have_value("5")
        await field.fill("99")  # more than Home Assistant allows is not even asked for
        await field.press("Tab")
        await expect(field).to_have_value("5")
        assert len(await page.evaluate("home.called")) == 1

    look(step)


def test_the_past_comes_from_history_and_a_week_of_it_from_statistics() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"], seconds=7 * 86400)
        ranges = card(page, ".ranges input")
        spans: Iterable[tuple[str, float]] = [("0.25", 900), ("6", 21_600), ("24", 86_400)]
        for value, seconds in [("1", 3600), *spans]:
            if value != "1":
                await ranges.locator(f"xpath=self::*[@value='{value}']").check(force=True)
            await page.wait_for_function(
                "(count) => home.asked.filter(({ type }) => type === 'history/history_during_period').length >= count",
                arg=1 + ["1", "0.25", "6", "24"].index(value),
            )
            message = (await asked(page, "history/history_during_period"))[-2 if value == "168" else -1]
            length = await page.evaluate(
                "({ start_time, end_time }) => Date.parse(end_time) - Date.parse(start_time)", message
            )
            assert length == pytest.approx(seconds * 1000, abs=2)
            assert not message["significant_changes_only"]
        await ranges.locator("xpath=self::*[@value='168']").check(force=True)
        await expect(card(page, "canvas")).to_have_attribute("aria-label", re.compile("^Over the last 7 days: "))
        assert {message["period"] for message in await asked(page, "recorder/statistics_during_period")} == {
            "5minute",
            "hour",
        }

    look(step)


def test_marks_tell_what_was_done_to_fingers_and_keys() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        marks = card(page, ".mark")
        tip = card(page, ".tip")
        await marks.last.hover()
        await expect(tip).to_contain_text("Model 3: Lowered to 7 A: the house rose by 8 A.")
        await page.mouse.move(0, 0)
        await expect(tip).to_be_hidden()
        await marks.last.focus()
        await page.keyboard.press("ArrowLeft")
        await expect(tip).to_contain_text(re.compile(r"Model 3: \d+\sA → \d+\sA"))
        names = await marks.evaluate_all("(marks) => marks.map((mark) => mark.ariaLabel)")
        assert all("Model 3: " in name for name in names)
        listed = await card(page, ".picture .unseen li").all_inner_texts()
        assert "Model 3: Lowered to 7 A: the house rose by 8 A." in listed[0].replace("\u00a0", " ")

    look(step)


def test_the_picture_tells_the_numbers_below_the_pointer() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["two"], seconds=0)
        for second in range(1, 200, 10):
            await tell(page, event([8.0], charger(0, 6.0), charger(1, 5.0), at=AT + second))
        await page.wait_for_function("home.card.parts.picture.view?.now > 1")
        await page.evaluate("home.card.parts.picture.draw(home.card.event.at)")
        box = await card(page, "canvas").bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
        said = await text_of(card(page, ".tip"))
        assert said.endswith("Model Y with a rather long name 5.0 A Model 3 6.0 A House 8.0 A")

    look(step)


def test_dots_run_unless_somebody_wants_no_motion() -> None:
    count = "[...home.card.shadowRoot.querySelectorAll('.dot')].flatMap((dot) => dot.getAnimations()).length"

    async def running(page: Page) -> None:
        await put_card(page, STATES["one"])
        await page.wait_for_function(f"{count} === 4")
        await expect(card(page, ".arrow").first).to_be_hidden()

    async def still(page: Page) -> None:
        await put_card(page, STATES["one"])
        await expect(card(page, ".arrow")).to_have_count(2)
        await expect(card(page, ".arrow").first).to_be_visible()  # they show which way
        assert await page.evaluate(count) == 0

    look(running)
    look(still, reduced_motion="reduce")


def test_who_draws_opens_home_assistants_own_view_of_it() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        for button in (".node.grid", ".nodes .node >> nth=0", ".nodes .node >> nth=1", ".charger-top"):
            await card(page, button).click()
        assert await page.evaluate("home.opened") == [
            "sensor.home_current",
            "sensor.home_house_current",
            "sensor.car_0_charging_current",
            "sensor.car_0_charging_current",
        ]

    look(step)


def test_nothing_is_drawn_while_nobody_looks() -> None:
    async def step(page: Page) -> None:
        await put_card(page, STATES["one"])
        await page.evaluate("document.querySelector('main').style.marginTop = '5000px'")
        await page.wait_for_function("home.card.inView === false")
        await tell(page, event([20.0], charger(0, 6.0), at=AT + 5))
        await expect(card(page, ".head")).to_have_text("9.3 A of 25 A free.", use_inner_text=True)
        await page.evaluate("document.querySelector('main').style.marginTop = ''")
        await expect(card(page, ".head")).to_have_text("1.0 A over the budget of 25 A.", use_inner_text=True)

    look(step)
