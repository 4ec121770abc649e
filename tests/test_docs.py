"""The documentation, held against itself and against the code."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit

from homeassistant.components.webhook import async_generate_path
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
import yaml

from custom_components.amp_sensor.const import DOMAIN
from custom_components.amp_sensor.control import LoadReason
from custom_components.amp_sensor.meters import webhook
from custom_components.amp_sensor.site import address
from tests.conftest import TEXTS, Site
from tests.evidence import missing

ROOT = Path(__file__).parent.parent
HIDDEN = {".github"}
PAGES = sorted(
    path
    for top in ROOT.iterdir()
    if not top.name.startswith(".") or top.name in HIDDEN
    for path in ([top] if top.is_file() else top.rglob("*"))
    if path.suffix == ".md" and not any(part.startswith(".") for part in path.relative_to(top).parts)
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_is_named_exists(page: Path) -> None:
    told = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", page.read_text())
    assert [wrong for name in told if not (page.parent / name).exists() and (wrong := missing(name))] == []


EXAMPLES = [
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
]


def test_the_readme_names_every_blueprint() -> None:
    text = " ".join((ROOT / "README.md").read_text().split())
    blueprints = sorted((ROOT / "blueprints").rglob("*.yaml"))
    assert blueprints
    for path in blueprints:
        (name,) = re.findall(r"name: \"Amp Sensor: (.+)\"", path.read_text())
        assert f"*{name}*" in text


async def end_automations(hass: HomeAssistant) -> None:
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_the_readmes_automations_are_accepted(hass: HomeAssistant) -> None:
    automations = [example for example in EXAMPLES if "alias" in example]
    assert automations
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    states = hass.states.async_all("automation")
    assert {state.name for state in states} == {automation["alias"] for automation in automations}
    assert {state.state for state in states} == {"on"}
    await end_automations(hass)


REFERENCE = ROOT / "docs" / "reference.md"


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, up to the next one."""
    text = page.read_text().split(f"# {heading}\n", 1)[1]
    lines = re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if not set(row[0]) <= {"-", ":"}][1:]


def named(heading: str) -> dict[str, str]:
    """Return what a table names, by key."""
    found: dict[str, str] = {}
    for row in rows(REFERENCE, heading):
        names, keys = row[0].split(", "), re.findall(r"`([^`]+)`", row[1])
        assert len(names) == len(keys), row
        found |= dict(zip(keys, names, strict=True))
    return found


def test_the_reference_has_every_entity() -> None:
    entities = {(key, text["name"]) for platform in TEXTS["entity"].values() for key, text in platform.items()}
    tables = [named(f"Entities of a {kind}") for kind in ("site", "car", "limit", "load")]
    assert {item for table in tables for item in table.items()} == entities


def labels(step: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = dict(step.get("data", {}))
    for section in step.get("sections", {}).values():
        found |= section["data"]
    return found


def test_the_reference_has_every_setting() -> None:
    site, car = TEXTS["config"]["step"], TEXTS["config_subentries"]["charger"]["step"]
    assert named("Settings of a site") == labels(site["reconfigure"])
    assert named("Settings of a car") == labels(car["tesla"]) | labels(car["which_car"]) | labels(car["car"])
    battery = TEXTS["config_subentries"]["battery"]["step"]["battery"]
    assert named("Settings of a home battery") == labels(battery)
    load = TEXTS["config_subentries"]["load"]["step"]
    assert named("Settings of a load") == labels(load["user"]) | labels(load["settings"])
    assert named("Options") == labels(TEXTS["options"]["step"]["settings"])


@pytest.mark.parametrize(("heading", "kind"), [("Triggers", "triggers"), ("Conditions", "conditions")])
def test_the_reference_has_every_trigger_and_condition(heading: str, kind: str) -> None:
    assert named(heading) == {f"{DOMAIN}.{key}": text["name"] for key, text in TEXTS[kind].items()}


def test_the_reference_has_every_action_with_its_fields() -> None:
    assert {*re.findall(rf"^### .+: `{DOMAIN}\.(\w+)`$", REFERENCE.read_text(), re.MULTILINE)} == TEXTS[
        "services"
    ].keys()
    for key, text in TEXTS["services"].items():
        fields = [row[0].strip("`") for row in rows(REFERENCE, f"{text['name']}: `{DOMAIN}.{key}`")]
        assert fields == list(text["fields"])


def test_the_reference_has_every_repair() -> None:
    keys = [key for row in rows(REFERENCE, "Repairs") for key in re.findall(r"`(\w+)`", row[0])]
    assert sorted(keys) == sorted(TEXTS["issues"])


def test_the_page_of_loads_has_every_state() -> None:
    texts = TEXTS["entity"]["sensor"]["load_state"]["state"]
    table = rows(ROOT / "docs" / "loads.md", "What it shows")
    assert {row[0].strip("`"): row[1] for row in table} == texts
    assert list(texts) == list(LoadReason)


def test_the_protocol_has_every_answer() -> None:
    told = {row[0] for row in rows(ROOT / "docs" / "protocol.md", "The answer")}
    source = Path(webhook.__file__).read_text() + Path(address.__file__).read_text()
    assert told == {"200"} | {str(HTTPStatus[name].value) for name in re.findall(r"HTTPStatus\.(\w+)", source)}


async def test_the_webhook_answers_as_the_protocol_shows(site: Site) -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    examples = re.findall(r"^> (.+)\n< (\d+) (.+)$", text, re.MULTILINE)
    assert len(examples) > 5
    for body, status, answer in examples:
        site.freezer.tick(1)
        response = await site.client.post(async_generate_path(site.entry.data[CONF_WEBHOOK_ID]), data=body.encode())
        assert (response.status, await response.json()) == (int(status), json.loads(answer)), body


# -- figures of the benchmark -----------------------------------------------------------------------------------------

MODES = ("amp_sensor, strict", "amp_sensor, balanced", "amp_sensor, eager")
HOUSES = ("Houses that no constant was chosen on", "Houses that constants were chosen on")


def benchmark(heading: str) -> list[dict[str, str]]:
    """Return the rows of a table of the benchmark, by its heads; of each figure the mean."""
    text = (ROOT / "docs" / "benchmark.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    head, *rows = (row[1:-1].split("|") for row in text.splitlines() if row.startswith("| "))
    return [
        {name.strip(): figure.split(" (")[0].strip() for name, figure in zip(head, row, strict=True)} for row in rows
    ]


def figures(headings: Iterable[str], column: str, controller: str) -> list[float]:
    """Return what tables say of a controller."""
    rows = [row for heading in headings for row in benchmark(heading) if row["controller"] == controller]
    return [float(row[column].replace(",", "")) for row in rows if row[column]]


def test_the_readme_says_of_energy_and_trips_what_the_benchmark_does() -> None:
    normal, stress = ([f"{houses}, together: {each} conditions" for houses in HOUSES] for each in ("normal", "stress"))
    readme = (ROOT / "README.md").read_text()
    assert [sum(figures(normal, "trips", mode)) for mode in MODES] == [0, 0, 0]
    assert "none in 28 simulated days in any mode" in readme
    strict, balanced, eager, upstream = (sum(figures(stress, "trips", each)) for each in (*MODES, "upstream"))
    assert f"{strict:g} in strict, {balanced:g} in balanced, {eager:g} in eager; {upstream:g} with the" in readme
    energy = [each for mode in MODES for each in figures(normal, "energy, of the clairvoyant's", mode)]
    assert f"{int(min(energy))} to {int(max(energy))} % of what perfect foresight would" in readme


def test_the_readme_says_for_how_long_the_budget_is_exceeded_at_most() -> None:
    readme = (ROOT / "README.md").read_text()
    longest = [max(figures([f"{each}: normal conditions" for each in HOUSES], "longest, s", mode)) for mode in MODES]
    strict_s, balanced_min, eager_min = longest[0], longest[1] / 60, longest[2] / 60
    assert f"at most {strict_s:g} s at a time in strict mode, {balanced_min:g} min in balanced, {eager_min:g}" in readme


def test_the_page_of_reliability_says_of_three_phases_what_the_benchmark_does() -> None:
    page, cases = (
        (ROOT / "docs" / "reliability.md").read_text(),
        ["Cars on one, two and three phases: normal conditions"],
    )
    ours = {name: figures(cases, name, MODES[1]) for name in ("energy, %", "of upstream's, %", "trips", "needless")}
    energy, over = ours["energy, %"], ours["of upstream's, %"]
    assert f"{min(energy):g} to {max(energy):g} % of the clairvoyant's energy" in page
    assert f"{min(over):g} to {max(over):g} % of the replaced service's" in page
    assert (max(ours["trips"]), max(ours["needless"])) == (0, 1)
    assert f"(the replaced service: up to {max(figures(cases, 'needless', 'upstream')):g})" in page
