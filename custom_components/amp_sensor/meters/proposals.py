"""Finds what measures the supply among the entities that Home Assistant has: best first, filled in.

The meters of integrations that are known are told by their unique ids, never by names, which anybody may change.
Those are of Home Assistant 2026.10; `docs/meters.md` says what each gives.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from .energy_dashboard import Grid, async_grids
from .entity import CURRENT, PHASES, POWER, POWER_EXPORT, VOLTAGE

MOST: Final = 20
"""How many are proposed: of a house full of smart plugs nobody reads the rest."""
_NUMBERS: Final = {"1": 0, "2": 1, "3": 2, "a": 0, "b": 1, "c": 2}
"""Which phase a part of a unique id is."""
_OBIS: Final = {"3": 0, "5": 1, "7": 2}
"""Which phase an OBIS code is of, by its first digit: those of L1 are 21 to 40, and each phase is 20 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowOption:
    """The option of an integration that says how often its entities report."""

    key: str
    default_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How an integration names the sensors of a meter: what its unique ids end with, `phase` being the number."""

    phase: Mapping[str, str] = field(default_factory=dict)
    total: Mapping[str, str] = field(default_factory=dict)
    meter: str = r".+"
    """What the rest of a unique id looks like, which is the same for all sensors of a meter."""
    slow: SlowOption | None = None


_ABC: Final = r"(?P<phase>[abc])"
_123: Final = r"(?P<phase>[123])"
_CHANNEL: Final = r"(?:em1:|emeter_)(?P<channel>[012])"
"""Three channels are three phases; two are as often the house and its roof, which nobody can tell."""

KNOWN: Final[Mapping[str, Known]] = {
    "dsmr": Known(
        phase={
            CURRENT: rf"_instantaneous_current_l{_123}",
            POWER: rf"_instantaneous_active_power_l{_123}_positive",
            POWER_EXPORT: rf"_instantaneous_active_power_l{_123}_negative",
            VOLTAGE: rf"_instantaneous_voltage_l{_123}",
        },
        total={POWER: r"_current_electricity_usage", POWER_EXPORT: r"_current_electricity_delivery"},
        slow=SlowOption(key="time_between_update", default_s=30),
    ),
    "homewizard": Known(
        meter=r"HWE-P1_.+",
        phase={
            CURRENT: rf"_active_current_l{_123}_a",
            POWER: rf"_active_power_l{_123}_w",
            VOLTAGE: rf"_active_voltage_l{_123}_v",
        },
        total={POWER: r"_active_power_w"},
    ),
    "tibber": Known(
        phase={CURRENT: rf"_rt_currentL{_123}", VOLTAGE: rf"_rt_voltagePhase{_123}"},
        total={POWER: r"_rt_power", POWER_EXPORT: r"_rt_powerProduction"},
    ),
    "youless": Known(
        phase={
            CURRENT: rf"_phase_{_123}_current",
            POWER: rf"_phase_{_123}_power",
            VOLTAGE: rf"_phase_{_123}_voltage",
        },
        total={POWER: r"(?<!_extra)_usage"},
    ),
    "edl21": Known(
        phase={
            CURRENT: r"_1-0:(?P<phase>31|51|71)\.7\.0\*255",
            POWER: r"_1-0:(?P<phase>36|56|76)\.7\.0\*255",
            VOLTAGE: r"_1-0:(?P<phase>32|52|72)\.7\.0\*255",
        },
        total={POWER: r"_1-0:16\.7\.0\*255"},
    ),
    "shelly": Known(
        phase={
            CURRENT: rf"(?:-em:0-{_ABC}_current|-{_CHANNEL}-current(?:_em1)?)",
            POWER: rf"(?:-em:0-{_ABC}_act_power|-{_CHANNEL}-power(?:_em1)?)",
            VOLTAGE: rf"(?:-em:0-{_ABC}_voltage|-{_CHANNEL}-voltage(?:_em1)?)",
        },
        total={POWER: r"-em:0-total_act_power"},
    ),
    "fronius": Known(
        phase={
            CURRENT: rf"-current_ac_phase_{_123}",
            POWER: rf"-power_real_phase_{_123}",
            VOLTAGE: rf"-voltage_ac_phase_{_123}",
        },
        total={POWER: r"-power_real"},
    ),
    "teleinfo": Known(phase={CURRENT: r"_IINST"}),
}
"""By the integration's domain."""

_KINDS: Final[Mapping[str, str]] = {
    SensorDeviceClass.CURRENT: CURRENT,
    SensorDeviceClass.POWER: POWER,
    SensorDeviceClass.VOLTAGE: VOLTAGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A meter that was found."""

    key: str
    title: str
    meter: dict[str, Any]
    """Its sensors, in the form in which a site keeps them."""
    platform: str | None
    is_known: bool
    """Whether its integration's own names say what is what."""


@dataclass(kw_only=True)
class _Found:
    """The sensors of a meter, while they are gathered."""

    platform: str
    entries: list[er.RegistryEntry] = field(default_factory=list)
    phases: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    total: dict[str, str] = field(default_factory=dict)

    channels: set[int] = field(default_factory=set)

    def meter(self) -> dict[str, Any] | None:
        """Return its settings; None where they do not tell of any current, or not of which."""
        phases = []
        if len(self.channels) == 2:
            return None
        for number in range(3):
            phase = self.phases.get(number, {})
            if CURRENT not in phase and POWER not in phase:
                break
            phases.append(dict(phase))
        if not phases and POWER in self.total:
            return {PHASES: [dict(self.total)]}
        return {PHASES: phases, **self.total} if phases else None


def _phase(text: str | None) -> int:
    if text is None:
        return 0
    return _OBIS[text[0]] if len(text) == 2 else _NUMBERS[text]


def _sensors(hass: HomeAssistant) -> list[er.RegistryEntry]:
    return [
        entry
        for entry in er.async_get(hass).entities.values()
        if entry.domain == Platform.SENSOR and entry.disabled_by is None and entry.platform != DOMAIN
    ]


def _known_meters(sensors: Iterable[er.RegistryEntry]) -> list[_Found]:
    """Return the meters of known integrations."""
    found: dict[tuple[str, str], _Found] = {}
    for entry in sensors:
        if (known := KNOWN.get(entry.platform)) is None:
            continue
        for is_total, roles in ((False, known.phase), (True, known.total)):
            for role, ending in roles.items():
                if match := re.fullmatch(f"(?P<meter>{known.meter}?){ending}", entry.unique_id):
                    one = found.setdefault((entry.platform, match["meter"]), _Found(platform=entry.platform))
                    groups = match.groupdict()
                    if channel := groups.get("channel"):
                        number = int(channel)
                        one.channels.add(number)
                    else:
                        number = _phase(groups.get("phase"))
                    place = one.total if is_total else one.phases[number]
                    place[role] = entry.id
                    one.entries.append(entry)
    return list(found.values())


def _device_meters(sensors: Iterable[er.RegistryEntry]) -> list[_Found]:
    """Return what measures a current or power by sensors of those classes, where it is clear what is what.

    Sensors without a device stand for themselves.
    """
    by_device: dict[str, list[er.RegistryEntry]] = defaultdict(list)
    for entry in sensors:
        if (entry.device_class or entry.original_device_class) in _KINDS:
            by_device[entry.device_id or entry.id].append(entry)
    found = []
    for entries in by_device.values():
        one = _Found(platform=entries[0].platform)
        for kind, role in _KINDS.items():
            of_kind = [entry for entry in entries if (entry.device_class or entry.original_device_class) == kind]
            for number, entry in enumerate(_in_order(of_kind)):
                one.phases[number][role] = entry.id
                one.entries.append(entry)
        found.append(one)
    return found


def _in_order(entries: list[er.RegistryEntry]) -> list[er.RegistryEntry]:
    """Return one sensor, or three whose unique ids only differ by the number of the phase; else none of them."""
    if len(entries) < 2:
        return entries
    split = [re.split(r"(?<![a-z0-9])[lL]?([1-3a-cA-C])(?![a-z0-9])", entry.unique_id) for entry in entries]
    phases = {parts[1].lower(): entry for parts, entry in zip(split, entries, strict=True) if len(parts) == 3}
    rest = {(parts[0], parts[-1]) for parts in split}
    if len(entries) == len(phases) == 3 and len(rest) == 1 and set(phases) in ({*"123"}, {*"abc"}):
        return [phases[key] for key in sorted(phases)]
    return []


def _title(hass: HomeAssistant, one: _Found) -> str:
    entry = one.entries[0]
    device = dr.async_get(hass).async_get(entry.device_id) if entry.device_id else None
    name = entry.name or entry.original_name if device is None else device.name_by_user or device.name
    return f"{name or entry.entity_id} ({one.platform})"


def _loose(hass: HomeAssistant) -> list[Proposal]:
    """Return the sensors that are in no registry, as those of configuration.yaml often are: each for itself."""
    registry, found = er.async_get(hass), []
    for state in hass.states.async_all(Platform.SENSOR):
        role = _KINDS.get(state.attributes.get(ATTR_DEVICE_CLASS, ""))
        if role in (CURRENT, POWER) and registry.async_get(state.entity_id) is None:
            meter = {PHASES: [{role: state.entity_id}]}
            found.append(Proposal(key=state.entity_id, title=state.name, meter=meter, platform=None, is_known=False))
    return found


def _worth(meter: Mapping[str, Any]) -> tuple[bool, int, bool]:
    """Return what makes one meter better than another: current, then phases, then the sign."""
    phases = meter[PHASES]
    return all(CURRENT in each for each in phases), len(phases), all(POWER in each for each in phases)


async def async_find(hass: HomeAssistant, *, chargers: Container[str] = (), but: Container[str] = ()) -> list[Proposal]:
    """Return what may measure the supply, best first.

    The integrations of `chargers` measure those only, and of the devices `but` it is known what else they are.
    """
    sensors = [entry for entry in _sensors(hass) if entry.platform not in chargers and entry.device_id not in but]
    grids = await async_grids(hass)
    known = [(one, True) for one in _known_meters(sensors)]
    taken = {entry.device_id for one, _ in known if one.meter() for entry in one.entries}
    others = [(one, False) for one in _device_meters(entry for entry in sensors if entry.device_id not in taken)]
    of_grid = {entity_id for grid in grids for entity_id in grid.entities}
    grid_devices = {entry.device_id for entry in sensors if entry.entity_id in of_grid and entry.device_id}
    ranked = []
    for one, is_known in known + others:
        if (meter := one.meter()) is None:
            continue
        device_ids = {entry.device_id for entry in one.entries}
        is_grid = bool(device_ids & grid_devices)
        proposal = Proposal(
            key=one.entries[0].id,
            title=_title(hass, one),
            meter=meter,
            platform=one.platform,
            is_known=is_known,
        )
        ranked.append(((is_known, is_grid, *_worth(meter)), proposal))
        grids = [grid for grid in grids if not (is_grid and _is_of(hass, grid, device_ids))]
    powers = [power for grid in grids if (power := _of_grid(hass, grid)) is not None]
    ranked += [((False, True, *_worth(power.meter)), power) for power in powers]
    known_refs = {power.key for power in powers}
    ranked += [((False, False, *_worth(each.meter)), each) for each in _loose(hass) if each.key not in known_refs]
    ranked.sort(key=lambda each: each[0], reverse=True)
    return [proposal for _, proposal in ranked[:MOST]]


def _is_of(hass: HomeAssistant, grid: Grid, device_ids: set[str | None]) -> bool:
    registry = er.async_get(hass)
    entries = (registry.async_get(entity_id) for entity_id in grid.entities)
    return any(entry is not None and entry.device_id in device_ids for entry in entries)


def _of_grid(hass: HomeAssistant, grid: Grid) -> Proposal | None:
    """Return what the Energy dashboard knows of power, where no device of its own was found."""
    if grid.power is None or hass.states.get(grid.power) is None:
        return None
    phase = {POWER: ref_of(hass, grid.power)}
    if grid.export is not None:
        phase[POWER_EXPORT] = ref_of(hass, grid.export)
    return Proposal(key=grid.power, title=f"{grid.power}", meter={PHASES: [phase]}, platform=None, is_known=False)


def ref_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return how to keep an entity, so that it is found under any name."""
    entry = er.async_get(hass).async_get(entity_id)
    return entity_id if entry is None else entry.id


def slow_interval_s(hass: HomeAssistant, meter: Mapping[str, Any]) -> tuple[float, str] | None:
    """Return how often a meter reports, and the option of its integration that says so; None where there is none."""
    registry = er.async_get(hass)
    for phase in meter[PHASES]:
        for ref in phase.values():
            entity_id = er.async_resolve_entity_id(registry, ref)
            entry = None if entity_id is None else registry.async_get(entity_id)
            slow = None if entry is None or (known := KNOWN.get(entry.platform)) is None else known.slow
            if entry is None or slow is None or entry.config_entry_id is None:
                continue
            if (config := hass.config_entries.async_get_entry(entry.config_entry_id)) is not None:
                return float(config.options.get(slow.key, slow.default_s)), slow.key
    return None
