"""The documentation, held against itself and against the code."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from urllib.parse import urlsplit

from homeassistant.components.webhook import async_generate_path
from homeassistant.const import CONF_WEBHOOK_ID
import pytest

from tests.conftest import Site

ROOT = Path(__file__).parent.parent
HIDDEN = {".github"}
PAGES = sorted(
    path
    for top in ROOT.iterdir()
    if not top.name.startswith(".") or top.name in HIDDEN
    for path in ([top] if top.is_file() else top.rglob("*"))
    if path.suffix == ".md" and ".esphome" not in path.parts
)

CODE = re.compile(r"^(`{3,}).*?^\1`*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|(?:href|src)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


def prose(page: Path) -> str:
    return CODE.sub("", page.read_text())


def links(page: Path) -> Iterator[str]:
    for link in LINK.finditer(prose(page)):
        yield link[1] or link[2]


def anchors(page: Path) -> set[str]:
    """Return what can stand behind a # in a link to a page, by the rule of GitHub."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = {*ANCHOR.findall(text)}
    for heading in HEADING.findall(text):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = "".join(c for c in shown if c in "-_ " or c.isalnum())
        name = name.replace(" ", "-")
        number = 0
        while (candidate := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(candidate)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            assert re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), link
            continue
        target = (page.parent / parts.path).resolve() if parts.path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), f"{link}: there is no such file"
        if parts.fragment and target.suffix == ".md":
            assert parts.fragment in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_picture_says_what_it_shows(page: Path) -> None:
    text = prose(page)
    assert not re.search(r"!\[\s*\]\(", text)
    for image in re.findall(r"<img[^>]*>", text):
        assert re.search(r'alt="[^"]+"', image), image


def test_every_page_can_be_found() -> None:
    """From README or CONTRIBUTING, in a few clicks."""
    seen: set[Path] = set()
    waiting = {ROOT / "README.md", ROOT / "CONTRIBUTING.md"}
    while waiting:
        page = waiting.pop()
        seen.add(page)
        for link in links(page):
            if not urlsplit(link).scheme and (path := urlsplit(link).path):
                target = (page.parent / path).resolve()
                if target.suffix == ".md" and target not in seen and target.exists():
                    waiting.add(target)
    assert {page for page in PAGES if ".github" not in page.parts} - seen == set()


async def test_the_webhook_answers_as_the_protocol_shows(site: Site) -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    examples = re.findall(r"^> (.+)\n< (\d+) (.+)$", text, re.MULTILINE)
    assert len(examples) > 5
    for body, status, answer in examples:
        site.freezer.tick(1)
        response = await site.client.post(async_generate_path(site.entry.data[CONF_WEBHOOK_ID]), data=body.encode())
        assert (response.status, await response.json()) == (int(status), json.loads(answer)), body
