"""Take the pictures of the documentation: `.environment/dev/bin/python scripts/screenshots.py`.

Takes twenty minutes, so that the dashboard's graph has something to show. Needs Chromium.
"""

import asyncio
import os
from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.person import chromium, sit_down  # noqa: E402 -- a script is started outside of the project's packages

IMAGES = ROOT / "docs" / "images"
LIVE_S = 960  # a little more than what the graph shows
SETTLE_MS = 20_000  # the frontend loads its cards and icons one by one, and its graphs last
HEIGHTS = {"desktop": 1640, "phone": 1370}


async def take_dashboard(url: str) -> None:
    async with chromium() as browser:
        for size, height in HEIGHTS.items():
            for scheme in ("light", "dark"):
                person = await sit_down(browser, url, size=size, scheme=scheme, pictures=IMAGES)
                await person.page.set_viewport_size({"width": person.page.viewport_size["width"], "height": height})
                await person.go("/amp-sensor?kiosk")
                await person.page.wait_for_timeout(SETTLE_MS)
                await person.picture("dashboard", scheme=scheme)
                await person.page.context.close()


def main() -> int:
    """Go the way of a new user, then let the demo run for a while."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    journey = [sys.executable, ROOT / "scripts" / "run_tests.py", "browser"]
    if subprocess.run(journey, cwd=ROOT, env=os.environ | {"AMP_SENSOR_PICTURES": str(IMAGES)}, check=False).returncode:
        return 1
    command = [sys.executable, "-m", "simulation.demo", "--headless", "--seconds", str(LIVE_S + 300)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        url = next(line.strip() for line in demo.stdout if line.strip().startswith("http://"))
        asyncio.run(later(url))
        demo.terminate()
        demo.communicate()  # it says its last words
    return 0


async def later(url: str) -> None:
    await asyncio.sleep(LIVE_S)
    await take_dashboard(url)


if __name__ == "__main__":
    sys.exit(main())
