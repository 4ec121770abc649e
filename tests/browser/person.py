"""A person in front of a browser: clicks what can be seen, reads what is there, and remembers what the browser said."""

from collections.abc import AsyncGenerator
import contextlib
from dataclasses import dataclass, field
import functools
import json
from pathlib import Path
import re
import subprocess
import sys
from typing import Final

from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect

PATIENCE_MS: Final = 30_000  # two cores that also run Home Assistant
SIZES: Final = {"desktop": (1280, 1000), "phone": (390, 844)}
# Debian's Chromium runs as root, without a screen and without a network here
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Icons of other makers and maps come from the internet, which is not there
OUTSIDE: Final = ("/api/brands/", "/api/map_tiles/")
# A long list of the frontend that is left while it lays itself out rejects its promise with this bare word
OF_THE_FRONTEND: Final = ("disconnected",)
ROOT: Final = Path(__file__).parents[2]
MISSING: Final = "Chromium is missing: apt install chromium"
TEXTS: Final = ROOT / "custom_components" / "amp_sensor" / "translations" / "en.json"


def written(key: str) -> str:
    """Return a text of ours by its key in the translations, with dots."""
    text = json.loads(TEXTS.read_text())
    for part in key.split("."):
        text = text[part]
    assert isinstance(text, str)
    return text


def shrink(path: Path) -> None:
    """Leave a picture 256 colours, which nobody sees on flat cards."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


@functools.cache
def find_chromium() -> str | None:
    """Return the path of the browser that the set-up brings or finds; without one, it says what to do."""
    command = [sys.executable, ROOT / "scripts" / "setup.py", "chromium"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip() or None  # noqa: S603


@contextlib.asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Start Chromium."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError(MISSING)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Person:
    """Somebody at a page of Home Assistant."""

    page: Page
    url: str
    size: str
    pictures: Path | None
    complaints: list[str] = field(default_factory=list)
    """What the browser's console called an error, and what was thrown: ours, as far as one can tell."""

    def _hear(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not any(path in where for path in OUTSIDE):
            self.complaints.append(f"{message.text} ({where})")

    def _catch(self, error: Exception) -> None:
        if str(error) not in OF_THE_FRONTEND:
            self.complaints.append(str(error))

    async def go(self, path: str) -> None:
        """Open a page of Home Assistant."""
        await self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")

    def button(self, name: str) -> Locator:
        """Find a button by what is written on it."""
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true").last

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.button(name).click()

    async def submit(self) -> None:
        """Go on to the next page of a dialog."""
        await self.press("Submit")

    async def copy(self) -> str:
        """Press the button that copies what a page shows, and return what can be pasted then."""
        await self.press("Copy to clipboard")
        text = await self.page.evaluate("navigator.clipboard.readText()")
        assert isinstance(text, str)
        return text

    async def choose(self, text: str) -> None:
        """Click what is written somewhere: an entry of a list or a menu."""
        await self.page.get_by_text(text, exact=True).locator("visible=true").last.click()

    async def fill(self, label: str, text: str) -> None:
        """Type into the field with this label."""
        name = re.compile(rf"^{re.escape(label)}\*?$")  # a star where something is required
        field = self.page.get_by_role("textbox", name=name).or_(self.page.get_by_role("spinbutton", name=name))
        await field.locator("visible=true").last.fill(text)

    async def see(self, text: str | re.Pattern[str]) -> Locator:
        """Wait until a text can be seen."""
        found = self.page.get_by_text(text).locator("visible=true").first
        await expect(found).to_be_visible()
        return found

    async def picture(self, name: str, *, scheme: str | None = None) -> None:
        """Take a picture, if pictures are wanted."""
        if self.pictures is None:
            return
        path = self.pictures / f"{'-'.join(filter(None, (name, self.size, scheme)))}.png"
        await self.page.wait_for_timeout(1500)  # dialogs slide in, icons come one by one
        await self.page.screenshot(path=path)
        shrink(path)


async def sit_down(browser: Browser, url: str, *, size: str, scheme: str, pictures: Path | None = None) -> Person:
    """Open a browser's window for somebody who is not logged in yet: Home Assistant lets in who is at this machine."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if size == "phone" else 1,
        has_touch=size == "phone",
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page = await context.new_page()
    person = Person(page, url, size, pictures)
    page.on("console", person._hear)
    page.on("pageerror", person._catch)
    return person
