"""Run the demo and take the pictures of the documentation: `.environment/dev/bin/python scripts/screenshots.py`.

Takes a quarter of an hour, so that the dashboard's graph has something to show. Needs Chromium.
"""

from pathlib import Path
import shutil
import subprocess
import sys
import time

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LIVE_S = 960  # a little more than what the graph shows
SETTLE_MS = 20_000  # the frontend loads its cards and icons one by one, and its graphs last
STEP_MS = 5_000  # from one page of a dialog to the next
SIZES = {"desktop": (1280, 1150), "phone": (390, 1370), "dialog": (640, 960)}
SCHEMES = ("light", "dark")
# Debian's Chromium runs as root, without a screen and without a network here
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def save(page: Page, name: str) -> None:
    """Take a picture, in 256 colours: a third of the size, and nobody sees the difference on flat cards."""
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def open_page(browser: Browser, url: str, size: str, scheme: str) -> Page:
    """Open a page as somebody who is not logged in yet: the demo lets in who comes from this machine."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if size == "phone" else 1,
        color_scheme=scheme,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_timeout(SETTLE_MS)
    return page


def take_dashboard(browser: Browser, url: str) -> None:
    for size in ("desktop", "phone"):
        for scheme in SCHEMES:
            page = open_page(browser, f"{url}/amp-sensor?kiosk", size, scheme)
            save(page, f"dashboard-{size}-{scheme}")
            page.context.close()


def take_flow(browser: Browser, url: str) -> None:
    """Add a second site by hand, up to the last page but not beyond."""
    page = open_page(browser, f"{url}/config/integrations/dashboard/add?domain=amp_sensor", "dialog", "light")
    page.get_by_role("button", name="OK").click()
    page.wait_for_timeout(STEP_MS)
    page.get_by_role("textbox").last.fill("My house")
    page.get_by_role("spinbutton").first.fill("25")
    save(page, "flow-site")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_timeout(STEP_MS)
    page.get_by_text("Continue without a car").click()
    page.wait_for_timeout(STEP_MS)
    save(page, "flow-sensor")
    page.context.close()


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is missing: `apt install chromium`, or put Chrome on PATH as google-chrome.", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "simulation.demo", "--headless", "--seconds", str(LIVE_S + 300)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        url = next(line.strip() for line in demo.stdout if line.strip().startswith("http://"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            began = time.monotonic()
            take_flow(browser, url)
            time.sleep(max(0.0, began + LIVE_S - time.monotonic()))
            take_dashboard(browser, url)
            browser.close()
        demo.terminate()
        demo.communicate()  # it says its last words
    return 0


if __name__ == "__main__":
    sys.exit(main())
