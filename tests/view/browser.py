"""Open an address in Chromium as somebody with a telephone or a desk does: `browser.py CHROMIUM ADDRESS FOLDER`.

Leaves a picture of each in the folder, and prints as JSON what a visitor would run into.
"""

import json
from pathlib import Path
import sys

from playwright.sync_api import Page, sync_playwright

SIZES = {"desktop": (1000, 1000), "phone": (390, 1000)}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
MEASURE = """() => ({
  canvas: document.querySelectorAll("#plot canvas").length,
  legend: Object.fromEntries(
    [...document.querySelectorAll("#legend div")].map((each) => [...each.children].map((part) => part.textContent)),
  ),
  painted: (() => {
    const canvas = document.querySelector("#plot canvas");
    const seen = new Set();
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    return ["house", "charger-1", "over", "maximum", "budget"].filter((name) => {
      const style = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
      const [r, g, b] = [1, 3, 5].map((from) => parseInt(style.slice(from, from + 2), 16));
      return seen.has(`${r},${g},${b}`);
    });
  })(),
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""  # noqa: E501
LEGEND = """() => [...document.querySelectorAll("#legend dd")].map((each) => each.textContent)"""
POINTED = 0.3
"""At which part of the plot somebody points."""


def point(page: Page, *, finger: bool) -> list[str]:
    """Point into the plot, and return what the legend tells."""
    box = page.locator("#plot .u-over").bounding_box()
    assert box is not None
    at = box["x"] + POINTED * box["width"], box["y"] + box["height"] / 2
    if finger:
        page.touchscreen.tap(*at)
    else:
        page.mouse.move(*at)
    told: list[str] = page.evaluate(LEGEND)
    return told


def main(chromium: str, url: str, folder: Path) -> None:
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    device_scale_factor=2 if size == "phone" else 1,
                    has_touch=size == "phone",
                    color_scheme=scheme,
                )
                page = context.new_page()
                problems: list[str] = []
                page.on("console", lambda message, problems=problems: problems.append(message.text))
                page.on("pageerror", lambda error, problems=problems: problems.append(str(error)))
                page.on("requestfailed", lambda request, problems=problems: problems.append(request.url))
                page.goto(url, wait_until="networkidle")
                page.screenshot(path=folder / f"view-{size}-{scheme}.png")
                measured = page.evaluate(MEASURE)
                pointed = point(page, finger=size == "phone")
                found[f"{size} {scheme}"] = measured | {"pointed": pointed, "problems": problems}
                context.close()
        browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
