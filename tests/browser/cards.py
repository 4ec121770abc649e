"""What the card is told in each state of a home, and what went before: no Home Assistant is needed to see it."""

from collections.abc import AsyncGenerator, Iterable, Mapping
import contextlib
from datetime import UTC, datetime
from itertools import pairwise
import json
from math import cos, pi
from pathlib import Path
from random import Random
from typing import Any, Final

from playwright.async_api import Browser, Page, Route

from custom_components.amp_sensor.control.plan import Slot, When, make_plan

from .person import PATIENCE_MS, SIZES

HERE: Final = Path(__file__).parent
INTEGRATION: Final = HERE.parents[1] / "custom_components" / "amp_sensor"
ADDRESS: Final = "http://card.test"
FOLDERS: Final = {"frontend": INTEGRATION / "frontend" / "static", "page": HERE}
TYPES: Final = {".js": "text/javascript", ".html": "text/html"}

AT: Final = 1_795_010_000.0  # some afternoon, when the prices of tomorrow are known
BUDGET_A: Final = 25.0
VOLTS: Final = 230.0
SILENT_S: Final = 300
NAMES: Final = ("Model 3", "Model Y with a rather long name", "Zoe", "Guest")

SITE: Final = {
    "current": "sensor.home_current",
    "house_current": "sensor.home_house_current",
    "power": "sensor.home_power",
    "max_amps": "number.home_budget",
    "mode": "select.home_mode",
}


def charger_entities(number: int) -> dict[str, str]:
    """Return the ids of a charger's entities."""
    return {
        "charging_current": f"sensor.car_{number}_charging_current",
        "target_current": f"sensor.car_{number}_target_current",
        "reason": f"sensor.car_{number}_reason",
        "max_amps_car": f"number.car_{number}_maximum_current",
        "min_amps_car": f"number.car_{number}_minimum_current",
        "managed": f"switch.car_{number}_managed",
        "priority": f"select.car_{number}_priority",
    }


def planned_entities(number: int) -> dict[str, str]:
    """Return the ids of what a charger has besides, where prices are known."""
    return {
        "plan": f"select.car_{number}_plan",
        "ready_by": f"time.car_{number}_ready_by",
        "planned_start": f"sensor.car_{number}_planned_start",
        "planned_end": f"sensor.car_{number}_planned_end",
        "expected_cost": f"sensor.car_{number}_expected_cost",
        "ready_in_time": f"binary_sensor.car_{number}_ready_in_time",
    }


def entities_of(number: int, told: dict[str, Any]) -> dict[str, str]:
    """Return the ids of the entities of a charger of an event."""
    return charger_entities(number) | (planned_entities(number) if is_planned(told) else {})


def is_planned(told: dict[str, Any]) -> bool:
    """Whether a charger of an event waits for its planned time."""
    return bool(told["reason"] == "planned")


def charger(number: int, *amps: float, **more: Any) -> dict[str, Any]:
    """Return a charger of an event: it charges with this on each phase."""
    drawn = max(amps)
    return {
        "id": f"charger-{number}",
        "device_id": f"device-{number}",
        "name": NAMES[number],
        "amps": list(amps),
        "drawn_amps": drawn,
        "watts": sum(amps) * VOLTS,
        "state": "charging" if drawn else "disconnected",
        "plugged_in": bool(drawn),
        "at_home": True,
        "target_amps": round(drawn),
        "cap_amps": 16 if drawn else 0,
        "control": "limited" if drawn else "inactive",
        "reason": "no_headroom" if drawn else "unplugged",
        "numbers": {},
        "battery_percent": 54,
        "limit_percent": 80,
        "full_in_s": 5400 if drawn else None,
        "session_wh": 3400.0 if drawn else None,
        "deed": None,
        **more,
    }


def deed(kind: str, ago_s: float = 20, **more: Any) -> dict[str, Any]:
    """Return what was done."""
    numbers = {"amps": 7, "from_amps": 15, "rise_amps": 8, "house_amps": 18, "budget_amps": 25}
    return {"at": AT - ago_s, "kind": kind, **numbers, **more}


def event(house: list[float] | None, *chargers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an event: the house draws this on each phase, beside the chargers."""
    known: dict[str, Any] = {}
    if house is not None:
        totals = [round(amps + sum(each["amps"][phase] for each in chargers), 2) for phase, amps in enumerate(house)]
        tight = max(range(len(totals)), key=totals.__getitem__)
        known = {
            "connected": True,
            "reading": {
                "at": AT,
                "amps": totals,
                "volts": [VOLTS for _ in totals],
                "watts": round(sum(house) * VOLTS * 0.97 + sum(each["watts"] for each in chargers), 1),
            },
            "current_amps": totals[tight],
            "headroom_amps": round(BUDGET_A - totals[tight], 2),
            "house_amps": house,
            "house_current_amps": house[tight],
            "over_amps": max(0.0, round(totals[tight] - BUDGET_A, 2)),
            "protection_load": 0.12,
        }
    return {
        "at": AT,
        "title": "Home",
        "mode": "balanced",
        "budget_amps": BUDGET_A,
        "phases": len(house or [0]),
        "connected": False,
        "reading": None,
        "current_amps": None,
        "headroom_amps": None,
        "house_amps": None,
        "house_current_amps": None,
        "over_amps": 0.0,
        "protection_load": None,
        "chargers": list(chargers),
        "today": {
            "charged_wh": 8240.0 if chargers else 0.0,
            "over_s": 31.0 if chargers else 0.0,
            "cuts": 12 if chargers else 0,
        },
        **known,
        **more,
    }


def first(told: dict[str, Any]) -> dict[str, Any]:
    """Return an event as the first one is: it tells the entities' ids as well."""
    chargers = [{**each, "entities": entities_of(number, each)} for number, each in enumerate(told["chargers"])]
    return {**told, "entities": SITE, "chargers": chargers}


def waiting_for_its_time(number: int, **more: Any) -> dict[str, Any]:
    """Return a charger of an event that stands until it is cheap."""
    stands = {"state": "stopped", "cap_amps": 16, "control": "paused", "reason": "planned", "plugged_in": True}
    return charger(number, 0.0, **stands, **more)


STATES: Final[dict[str, dict[str, Any]]] = {
    "one": event([8.62], charger(0, 7.05, deed=deed("lowered_house_rose"))),
    "none": event([8.62]),
    "room": event([2.31], charger(0, 15.96, reason="at_maximum", target_amps=16)),
    "over": event(
        [22.41], charger(0, 5.97, reason="over_budget", deed=deed("lowered_over_budget", 4, amps=5, house_amps=22.4))
    ),
    "silent": event(
        None,
        charger(
            0, 0.0, amps=[None], drawn_amps=None, watts=None, state="charging", target_amps=6, reason="meter_silent"
        ),
    ),
    "waiting": event(
        None,
        charger(
            0,
            0.0,
            state=None,
            target_amps=None,
            cap_amps=0,
            reason=None,
            drawn_amps=None,
            watts=None,
            battery_percent=None,
            limit_percent=None,
        ),
        connected=None,
        phases=0,
    ),
    "sun": event([-9.44], charger(0, 6.02, reason="no_headroom")),
    "sunny": event([-3.1], charger(0, 8.02, reason="raised", deed=deed("raised", 65, amps=8, from_amps=7))),
    "two": event(
        [4.33], charger(0, 9.06, reason="shared"), charger(1, 5.94, deed=deed("started", 40, amps=6), reason="started")
    ),
    "four": event([3.42], charger(0, 6.03), charger(1, 5.01), charger(2, 5.96), charger(3, 0.0)),
    "planned": event([3.42], waiting_for_its_time(0)),
    "more": event(
        [-9.95],
        charger(
            0, 8.98, reason="surplus", battery_percent=78, full_in_s=2090, deed=deed("raised", amps=9, from_amps=8)
        ),
        waiting_for_its_time(1, name="Zoe"),
        protection_load=0.0,
    ),
    "three": event(
        [6.31, 2.74, 9.46],
        charger(0, 11.02, 11.04, 10.97, deed=deed("lowered_house_rose", amps=11, from_amps=16, rise_amps=5.2)),
    ),
    "three-over": event(
        [6.3, 21.74, 3.46], charger(0, 6.02, 6.04, 5.97, reason="over_budget"), charger(1, 0.0, 5.1, 0.0)
    ),
}
"""Each state of a home that the card has to look right in."""


def line(name: str, key: str, state: str, unit: str = "") -> dict[str, Any]:
    """Return what is told in a line of the card: a load or a limit, by its entity."""
    entity = {"state": state, "attributes": {"unit_of_measurement": unit}}
    return {"name": name, "key": key, "entity_id": f"sensor.{name.lower()}_{key}", "state": entity}


BESIDE: Final = {"more": [line("Boiler", "load_state", "on"), line("Peak", "limit_in_force", "4.5", "kW")]}
"""The loads and limits that a home has besides."""


def states_of(told: dict[str, Any]) -> dict[str, Any]:
    """Return the states of the entities that can be set."""

    def number(value: float, least: float, most: float) -> dict[str, Any]:
        return {"state": str(value), "attributes": {"min": least, "max": most, "step": 1, "unit_of_measurement": "A"}}

    found: dict[str, Any] = {
        SITE["max_amps"]: number(BUDGET_A, 6, 125),
        SITE["mode"]: {
            "state": told["mode"],
            "attributes": {"options": ["off", "monitor", "strict", "balanced", "eager"]},
        },
    }
    for index in range(len(told["chargers"])):
        entities = charger_entities(index)
        found[entities["max_amps_car"]] = number(16, 5, 48)
        found[entities["min_amps_car"]] = number(5, 5, 16)
        found[entities["managed"]] = {"state": "on", "attributes": {}}
        found[entities["priority"]] = {"state": "normal", "attributes": {"options": ["first", "normal", "last"]}}
        if is_planned(told["chargers"][index]):
            found |= plan_states(planned_entities(index))
    return found


NEEDED_WH: Final = (80 - 54) * 600.0
"""From the battery of `charger` to its limit, of 60 kWh."""
MAX_W: Final = 16 * VOLTS
READY_H: Final = 16.25
"""From the beginning of the quarter of an hour of `AT`: seven in the morning in Berlin."""


def plan_states(entities: dict[str, str]) -> dict[str, Any]:
    """Return the states of a plan: the cheapest hours of a night, as the site itself would find them."""
    begin = AT - AT % 900

    def moment(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat()

    slots = [
        Slot(
            start=start,
            end=start + 900,
            price=round(0.21 + 0.07 * cos((start - begin - 4.25 * 3600) / (8 * 3600) * pi), 4),
            usual_watts=MAX_W,
            safe_watts=MAX_W,
        )
        for start in (begin + 900 * quarter for quarter in range(int(READY_H * 4)))
    ]
    plan = make_plan(When.CHEAPEST, slots, NEEDED_WH)
    assert plan.start is not None
    assert plan.end is not None
    timeline = [
        {
            "start": moment(slot.start),
            "end": moment(slot.end),
            "price": slot.price,
            "planned": plan.charges_at(slot.start),
        }
        for slot in slots
    ]
    return {
        entities["plan"]: {"state": "cheapest", "attributes": {"options": ["now", "cheapest", "late"]}},
        entities["ready_by"]: {"state": "07:00:00", "attributes": {}},
        entities["planned_start"]: {
            "state": moment(plan.start),
            "attributes": {
                "timeline": timeline,
                "ready_at": moment(begin + READY_H * 3600),
                "needed_kwh": NEEDED_WH / 1000,
            },
        },
        entities["planned_end"]: {"state": moment(plan.end), "attributes": {}},
        entities["expected_cost"]: {"state": str(round(plan.cost, 2)), "attributes": {"unit_of_measurement": "EUR"}},
        entities["ready_in_time"]: {"state": "on", "attributes": {}},
    }


def past(told: dict[str, Any], *, seconds: float, step_s: float = 10) -> dict[str, list[tuple[float, Any]]]:
    """Return the history of a home that ends as it is told: appliances come and go, and the cars give way."""
    chance = Random("past")
    count = len(told["chargers"])
    ids = [charger_entities(index) for index in range(count)]
    found: dict[str, list[tuple[float, Any]]] = {SITE["max_amps"]: [(AT - seconds, BUDGET_A)]}

    def tell(entity_id: str, at: float, value: Any) -> None:
        rows = found.setdefault(entity_id, [])
        if not rows or rows[-1][1] != value:
            rows.append((at, value))

    roof = min(0.0, told["house_current_amps"] or 0.0)
    oven, base, calm_s, targets, at = 0.0, 2.0, 0.0, [0.0] * count, AT - seconds
    while at < AT - 30:
        if chance.random() < step_s / 420:
            oven = chance.choice([0.0, 0.0, 3.5, 8.6, 9.2, 12.1, 17.5])
        base = min(4.0, max(0.6, base + chance.uniform(-0.1, 0.1)))
        if roof and at > AT - 600:
            oven, base = 0.0, 1.0
        house = base + oven + roof + chance.uniform(-0.15, 0.15)
        drawn = [round(target + chance.uniform(-0.05, 0.05), 2) if target else 0.0 for target in targets]
        if told["reading"] is None and at > AT - SILENT_S:
            for entity_id in (SITE["current"], SITE["house_current"], *(each["charging_current"] for each in ids)):
                tell(entity_id, at, "unavailable")
            break
        tell(SITE["current"], at, round(house + sum(drawn), 2))
        tell(SITE["house_current"], at, round(house, 2))
        served = min(count, max(0, int((BUDGET_A - 0.5 - house) / 5)))
        share = float(int(min(16.0, (BUDGET_A - 0.5 - house) / served))) if served else 0.0
        shares = [share if index < served else 0.0 for index in range(count)]
        for index, each in enumerate(told["chargers"]):
            if is_planned(each):
                shares[index] = 0.0
            elif roof and at > AT - 600 and each["deed"]:
                shares[index] = float(each["deed"]["from_amps"])
            elif each["reason"] == "surplus":
                shares[index] = float(max(5, min(16, int(-house))))
        calm_s = calm_s + step_s if sum(shares) >= sum(targets) + 1 else 0.0
        for index in range(count):
            tell(ids[index]["charging_current"], at, drawn[index])
            if shares[index] < targets[index] or (calm_s >= 60 and shares[index] > targets[index]):
                tell(ids[index]["reason"], at, "over_budget" if shares[index] < targets[index] else "raised")
                targets[index] = shares[index]
            else:
                tell(ids[index]["reason"], at, "waiting" if calm_s else "no_headroom")
            tell(ids[index]["target_current"], at, targets[index])
        at += step_s
    if told["reading"] is not None:  # how it came to be as it is
        at = max([AT - 20, *(each["deed"]["at"] for each in told["chargers"] if each["deed"])])
        tell(SITE["current"], at - 2, told["current_amps"])
        tell(SITE["house_current"], at - 2, told["house_current_amps"])
        for entities, each in zip(ids, told["chargers"], strict=True):
            tell(entities["reason"], at, each["reason"])
            tell(entities["target_current"], at, each["target_amps"])
            tell(entities["charging_current"], at - 2, each["drawn_amps"])
    return found


def hourly(history: dict[str, list[tuple[float, Any]]]) -> dict[str, list[dict[str, float]]]:
    """Return the statistics of a history: the mean and the highest of each hour."""
    found = {}
    for entity_id, rows in history.items():
        if not entity_id.endswith("current"):
            continue
        hours: dict[int, list[float]] = {}
        for (at, value), _ in pairwise([*rows, rows[-1]]):
            if value != "unavailable":
                hours.setdefault(int(at // 3600), []).append(value)
        found[entity_id] = [
            {"start": hour * 3_600_000, "end": (hour + 1) * 3_600_000, "mean": sum(all_) / len(all_), "max": max(all_)}
            for hour, all_ in sorted(hours.items())
        ]
    return found


def texts(language: str) -> dict[str, str]:
    """Return our texts as the frontend asks for them."""

    def leaves(node: dict[str, Any], path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in node.items():
            found |= leaves(value, f"{path}.{key}") if isinstance(value, dict) else {f"{path}.{key}": value}
        return found

    return leaves(json.loads((INTEGRATION / "translations" / f"{language}.json").read_text()), "component.amp_sensor")


async def _serve(route: Route) -> None:
    _, folder, name = route.request.url.removeprefix(ADDRESS).split("/", 2)
    path = FOLDERS.get(folder, HERE) / name
    if folder not in FOLDERS or not path.is_file():
        await route.fulfill(status=404)
        return
    await route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])


@contextlib.asynccontextmanager
async def card_page(browser: Browser, *, size: str = "desktop", **more: Any) -> AsyncGenerator[Page]:
    """Open the page that the card is put on; it collects what the browser complained of in `complaints`."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if size == "phone" else 1,
        has_touch=size == "phone",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.route(f"{ADDRESS}/**", _serve)
    await page.goto(f"{ADDRESS}/page/card_page.html")
    await page.wait_for_function("window.home")
    await page.clock.set_fixed_time(AT)
    try:
        yield page
    finally:
        await context.close()
    assert complaints == []


async def put_card(
    page: Page,
    told: dict[str, Any] | None,
    *,
    language: str = "en",
    dark: bool = False,
    seconds: float = 3600,
    config: dict[str, Any] | None = None,
    sites: int = 1,
    beside: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Put the card on the page, after a history of so many seconds, and tell it this."""
    shown = told or event([0.0])
    known = shown["reading"] is not None or shown["connected"] is False
    history = past(shown, seconds=seconds, step_s=max(10, seconds / 4000)) if seconds and known else {}
    await page.evaluate(
        "(options) => home.begin(options)",
        {
            "language": language,
            "dark": dark,
            "texts": texts(language),
            "states": states_of(shown) | {line["entity_id"]: line["state"] for line in beside},
            "history": history,
            "statistics": hourly(history),
            "config": {"type": "custom:amp-sensor-card", **(config or {})},
            "sites": sites,
            "beside": [{key: line[key] for key in ("name", "key", "entity_id")} for line in beside],
        },
    )
    if told is not None:
        await page.evaluate("(event) => home.tell(event)", first(told))
