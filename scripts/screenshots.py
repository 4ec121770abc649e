"""Take the pictures of the documentation: `.environment/dev/bin/python scripts/screenshots.py`, or some: `… view card`.

Takes ten minutes. Needs Chromium. Look at what it makes.
"""

import argparse
import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
import contextlib
import io
import os
from pathlib import Path
import sys
import time
from typing import Final

from PIL import Image
from playwright.async_api import Browser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.person import Person, chromium, sit_down  # noqa: E402 -- a script is started outside of the packages

IMAGES: Final = ROOT / "docs" / "images"
SCHEMES: Final = ("light", "dark")
SETTLE_MS: Final = 20_000  # the frontend loads its cards and icons one by one, and its graphs last
LIVE_S: Final = 180  # until the graphs tell something of today's car; what was before is there from the beginning
DASHBOARD_SIZES: Final = {"desktop": (1024, 1410), "phone": (390, 1310)}  # px: all of it, or the card
ALONE: Final = 'window.dispatchEvent(new CustomEvent("hass-kiosk-mode", { detail: { enable: true } }))'
"""Hides Home Assistant's own bars."""
VIEW_SIZES: Final = {"desktop": (1000, 1000), "phone": (390, 1000)}
POINTED_H: Final = 12  # how long ago of what readings show somebody points at: an evening with a car

CARD: Final = "amp-sensor-card"
CARD_WIDTH: Final = 844  # px, of the window: the card is 780 wide
FRAMES: Final = 80
BEFORE: Final = 20
"""So many of them are of before the budget was exceeded."""
OVER: Final = 'document.querySelector("home-assistant").hass.states["binary_sensor.home_over_budget"].state === "on"'
EVERY_S: Final = 0.6  # a frame is taken
SHOWN_MS: Final = 125  # ten seconds in all
ANIMATION_BYTES: Final = 1_000_000
QUALITIES: Final = (80, 65, 50, 35, 20)
CONNECTED: Final = "document.querySelector('home-assistant')?.hass?.connected"
LINK: Final = """async () => {
  const { hass } = document.querySelector("home-assistant");
  const [{ entry_id: site }] = await hass.callWS({ type: "config_entries/get", domain: "amp_sensor" });
  const action = { domain: "amp_sensor", service: "create_view_link", service_data: { site, names: true } };
  const { response } = await hass.callWS({ type: "call_service", ...action, return_response: true });
  return response.url;
}"""


async def take_flows() -> None:
    """Go the way of a new user."""
    command = [sys.executable, ROOT / "scripts" / "run_tests.py", "browser"]
    journey = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=os.environ | {"AMP_SENSOR_PICTURES": str(IMAGES)}
    )
    if await journey.wait():
        raise SystemExit("the way of a new user came to no end")


async def open_dashboard(browser: Browser, url: str, *, size: str, scheme: str, width: int, height: int) -> Person:
    person = await sit_down(browser, url, size=size, scheme=scheme, pictures=IMAGES)
    await person.page.set_viewport_size({"width": width, "height": height})
    await person.go("/amp-sensor")
    await person.page.wait_for_function(CONNECTED)
    await person.page.evaluate(ALONE)
    await person.page.wait_for_timeout(SETTLE_MS)
    return person


async def take_card(browser: Browser, url: str) -> None:
    """Make an animation of the card, by day and by night: of the next time that the budget is exceeded."""
    people = [
        await open_dashboard(browser, url, size="desktop", scheme=scheme, width=CARD_WIDTH, height=1400)
        for scheme in SCHEMES
    ]
    cards = [person.page.locator(CARD).first for person in people]
    for card in cards:
        await card.get_by_role("radio").first.check(force=True)  # the last quarter of an hour
    films: list[deque[bytes]] = [deque(maxlen=FRAMES) for _ in cards]
    began = time.monotonic()
    taken, over_at = 0, None
    while over_at is None or taken < over_at + FRAMES - BEFORE:
        await asyncio.sleep(began + taken * EVERY_S - time.monotonic())
        for card, film in zip(cards, films, strict=True):
            film.append(await card.screenshot())
        taken += 1
        if over_at is None and taken >= BEFORE and await people[0].page.evaluate(OVER):
            over_at = taken
    for person, scheme, film in zip(people, SCHEMES, films, strict=True):
        await person.page.context.close()
        write_animation(IMAGES / f"card-{scheme}.webp", [Image.open(io.BytesIO(png)).convert("RGB") for png in film])


def write_animation(path: Path, frames: list[Image.Image]) -> None:
    """Write what begins again at its end, as well as fits. Each is as large as the first one."""
    first, *others = (frame.crop((0, 0, *frames[0].size)) for frame in frames)
    for quality in QUALITIES:
        first.save(path, save_all=True, append_images=others, duration=SHOWN_MS, loop=0, quality=quality, method=6)
        if path.stat().st_size <= ANIMATION_BYTES:
            return
    raise SystemExit(f"{path.name} is larger than {ANIMATION_BYTES / 1e6:g} MB")


async def take_view(browser: Browser, url: str) -> None:
    """Open the page for people without an account."""
    owner = await sit_down(browser, url, size="desktop", scheme="light")
    await owner.go("/amp-sensor")
    await owner.page.wait_for_function(CONNECTED)
    link: str = await owner.page.evaluate(LINK)
    for size, (width, height) in VIEW_SIZES.items():
        for scheme in SCHEMES:
            guest = await sit_down(browser, url, size=size, scheme=scheme, pictures=IMAGES)
            await guest.page.set_viewport_size({"width": width, "height": height})
            await guest.page.goto(link, wait_until="networkidle")
            box = await guest.page.locator("#plot .u-over").bounding_box()
            assert box is not None
            hours = await guest.page.locator("tbody tr").count()
            at = box["x"] + box["width"] * (1 - POINTED_H / hours), box["y"] + box["height"] / 2
            await (guest.page.touchscreen.tap(*at) if size == "phone" else guest.page.mouse.move(*at))
            await guest.picture("view", scheme=scheme)
            await guest.page.context.close()
    await owner.page.context.close()


async def take_dashboard(browser: Browser, url: str) -> None:
    """Open the dashboard."""
    for size, (width, height) in DASHBOARD_SIZES.items():
        for scheme in SCHEMES:
            person = await open_dashboard(browser, url, size=size, scheme=scheme, width=width, height=height)
            await person.picture("dashboard", scheme=scheme)
            await person.page.context.close()


PARTS: Final[dict[str, Callable[[Browser, str], Awaitable[None]]]] = {
    "view": take_view,
    "dashboard": take_dashboard,
    "card": take_card,
}
FLOWS: Final = "flows"


@contextlib.asynccontextmanager
async def demo() -> AsyncGenerator[str]:
    """Run the demo, and tell its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulation.demo", "--headless"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = (line.decode().strip() async for line in process.stdout)
    try:
        yield await anext(line async for line in lines if line.startswith("http://"))
    finally:
        process.terminate()
        await process.communicate()  # it says its last words


async def take(parts: list[str]) -> None:
    if FLOWS in parts:
        await take_flows()
    if live := [part for part in PARTS if part in parts]:
        async with demo() as url, chromium() as browser:
            began = time.monotonic()
            for part in live:
                if part != "view":
                    await asyncio.sleep(began + LIVE_S - time.monotonic())
                await PARTS[part](browser, url)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join([FLOWS, *PARTS])}; default: all")
    parts = parser.parse_args().parts or [FLOWS, *PARTS]
    if unknown := {*parts} - {FLOWS, *PARTS}:
        parser.error(f"there is no part {', '.join(unknown)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(parts))


if __name__ == "__main__":
    main()
