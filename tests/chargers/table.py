"""The table of chargers in the documentation, from what is known of them."""

from pathlib import Path

from custom_components.amp_sensor.chargers.profile import ActionCall, ChargerProfile, Find
from custom_components.amp_sensor.chargers.profiles import PROFILES
from custom_components.amp_sensor.control.profile import CLOUD

PAGE = Path(__file__).parents[2] / "docs" / "chargers.md"
HEADS = ("Charger", "Current", "Pause", "State", "Measured", "Phases", "Shown after", "Told", "To know", "Tried")
START, END = "<!-- chargers: made by `python -m tests.chargers.table` -->", "<!-- /chargers -->"
ONLY_READ = "source only"


def in_order() -> list[ChargerProfile]:
    return sorted(PROFILES, key=lambda profile: profile.title.casefold())


def _by(what: Find | ActionCall | None) -> str:
    if what is None:
        return "–"
    return f"`{what.action}`" if isinstance(what, ActionCall) else what.domain.replace("_", " ")


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds <= 90 else f"{seconds / 60:g} min"


def _pause(profile: ChargerProfile) -> str:
    if profile.pause is None:
        return "0 A"
    resume = profile.pause.resume
    if isinstance(resume, Find) and isinstance(profile.pause.pause, Find):
        return f"two {profile.pause.pause.domain}s"
    paused = [_by(profile.pause.pause), *([_by(resume)] if resume else [])]
    return ", ".join(dict.fromkeys(paused))


def _state(profile: ChargerProfile) -> str:
    found = []
    if profile.state:
        full = "complete" in {str(state) for state in profile.states.values()}
        found.append("charging, full" if full else "charging")
    elif profile.charging:
        found.append("charging")
    found.append("plugged in")
    if profile.scheduled or profile.scheduled_states:
        found.append("scheduled")
    if profile.asleep:
        found.append("asleep")
    return ", ".join(found)


def _measured(profile: ChargerProfile) -> str:
    found = []
    if profile.currents:
        found.append("A of each phase" if len(profile.currents) > 1 else "A")
    return ", ".join([*found, *(["W"] if profile.power else []), *(["V"] if profile.voltage else [])]) or "–"


def _told(profile: ChargerProfile) -> str:
    behaviour = profile.behaviour
    way = "by cloud" if behaviour.latency_s >= CLOUD.latency_s else "locally"
    every = f", every {_duration(behaviour.write_every_s)} at most" if behaviour.write_every_s else ""
    a_day = f", {behaviour.writes_per_day} times a day" if behaviour.writes_per_day else ""
    return f"{way}{every}{a_day}"


def cells(profile: ChargerProfile, tried: str = ONLY_READ) -> list[str]:
    return [
        profile.title,
        f"{_by(profile.current)}, from {profile.behaviour.floor_amps} A" if profile.current else "on and off only",
        _pause(profile),
        _state(profile),
        _measured(profile),
        "yes" if profile.phases or len(profile.currents) > 1 else "–",
        _duration(profile.refresh_s),
        _told(profile),
        profile.traps,
        tried,
    ]


def told() -> dict[str, list[str]]:
    """Return the cells of the page, by charger."""
    rows = PAGE.read_text().partition(START)[2].partition(END)[0].strip().splitlines()[2:]
    found = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row for row in found}


def write() -> None:
    """Write the table anew; what was said of how each was tried stays."""
    before, _, rest = PAGE.read_text().partition(START)
    tried = {title: row[-1] for title, row in told().items()}
    rows = [list(HEADS), ["---"] * len(HEADS)]
    rows += [cells(profile, tried.get(profile.title, ONLY_READ)) for profile in in_order()]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    PAGE.write_text(f"{before}{START}\n{lines}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    write()
