"""Any charger that Home Assistant knows, read and commanded through its entities and actions."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
import logging
import math
from typing import Any, Final, override

from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_OPTION,
    EVENT_HOMEASSISTANT_STARTED,
    SERVICE_SELECT_OPTION,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_HOME,
    STATE_ON,
    STATE_UNAVAILABLE,
    UnitOfElectricCurrent,
)
from homeassistant.core import CALLBACK_TYPE, Context, CoreState, Event, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError, ServiceNotFound, ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import ElectricCurrentConverter
import voluptuous as vol

from ..const import DOMAIN, MAX_BUDGET_A
from ..control import Action, ChargerReport, ChargingState, Command, Outcome
from ..control.profile import LOCAL
from .charger import (
    Charger,
    ChargerEntityGone,
    ChargerError,
    ChargerRefused,
    ChargerTimeout,
    ChargerUnreachable,
    Hear,
)
from .profile import ChargerProfile
from .roles import NEEDED, Roles, Seen, factor

_LOGGER = logging.getLogger(__name__)

COMMAND_TIMEOUT_S: Final = 10.0
"""As for Tessie: a command that hangs keeps the next cut waiting."""
WAKE_TIMEOUT_S: Final = 100.0
REFRESH_S: Final = 10.0
"""How soon a change is shown in Home Assistant where nothing is known of the integration, s: what most poll in."""
POLL_S: Final = 30.0
"""How often it is looked at although nothing changed, s: all that changes then is its age."""
POLL_COMMANDED_S: Final = 6.0
"""How long after what it may show at the earliest the effect of a command is looked for, s."""
TELL_EVERY_S: Final = 1.0
"""The shortest time between two reports, s: some devices send four values a second."""
SUPPLY_V: Final = (80.0, 310.0)
"""What a socket gives, V: as in `tessie`."""
DRAWS_A: Final = 1.0
"""What draws more than this charges, where nothing else tells, A: chargers themselves take some watts."""
PHASES_A: Final = 2.0
"""From here on, A, the measured currents show how many phases there are."""
UNSEEN_S: Final = 600.0
"""How long a plugged in car may go unseen and still be at the same plug, s: as in `tessie`."""
OURS, LATE_S = 10, 30.0
"""How many of our settings a charger may still show late, and how long after its refresh, s."""
CALLS_KEPT: Final = 30


class EntityCharger(Charger):
    """A charger that is made up of entities of Home Assistant."""

    def __init__(
        self,
        hass: HomeAssistant,
        roles: Mapping[str, Any],
        known: ChargerProfile | None = None,
        *,
        max_amps: int,
        volts: float,
        phases: int | None = None,
        device_id: str | None = None,
    ) -> None:
        """Take its roles as the flow keeps them, and what is known of its integration.

        It may draw `max_amps`, and has `volts` and `phases` where it does not tell.
        """
        self._hass = hass
        self._roles = Roles.of(roles, known)
        self._seen = Seen(hass, self._roles)
        self._refresh_s = known.refresh_s if known else REFRESH_S
        self._late_s = known.late_s if known else 0.0
        behaviour = known.behaviour if known else LOCAL
        self.profile = replace(behaviour, is_switched=not self._roles.sets_current)
        self._volts = volts
        self._phases = phases
        self._device_id = device_id
        self._told_phases: int | None = None
        self._told: int | None = None if self._roles.sets_current else max_amps
        """What it was told last, A."""
        self._written = math.nan
        """What was written to its number for that."""
        self._ours: deque[tuple[float, datetime]] = deque(maxlen=OURS)
        """What was written to its number lately, A, and when."""
        self._told_at = self._paused_at = datetime.min.replace(tzinfo=dt_util.UTC)
        self._is_paused: bool | None = None
        """Whether it was paused last, or resumed; None before either."""
        self._at_plug_at = -math.inf
        """When it was last known to be plugged in at home, s (Unix)."""
        self._scripts: dict[str, Script] = {}
        self._calls: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)

    # -- what it says -------------------------------------------------------------------------------------------

    @override
    async def async_report(self) -> ChargerReport:
        """Return what its entities say now."""
        return self._report()

    @property
    @override
    def gone(self) -> Sequence[str]:
        """Return the names of entities that are gone."""
        return sorted(self._seen.gone().values()) if self._is_started else ()

    def _report(self) -> ChargerReport:
        self._look_for_gone()
        if not self._seen.is_available():
            raise ChargerUnreachable("none of its entities is available")
        seen, now = self._seen, dt_util.utcnow()
        newest = seen.newest()
        age_s = self._refresh_s if newest is None else (now - newest).total_seconds()
        phases, volts = self._report_phases(), seen.volts()
        if volts is not None and not SUPPLY_V[0] <= volts <= SUPPLY_V[1]:
            volts = None
        measured = self._measured_amps(volts or self._volts, phases)
        state = self._state(measured)
        plugged_in = self._plugged_in(state)
        asleep = seen.flag("asleep") is True
        return ChargerReport(
            age_s=min(max(age_s, 0.0), self._refresh_s) + self._late_s,
            quiet_s=max(age_s, 0.0),
            state=state,
            requested_amps=self._requested_amps(measured),
            measured_amps=measured if self.profile.report_is_evidence else None,
            phases=phases,
            volts=volts,
            limit_amps=self._limit_amps(),
            least_amps=self._least_amps(),
            other_writer=self._other_writer(),
            plugged_in=plugged_in,
            at_home=self._is_at_home(plugged_in=plugged_in, asleep=asleep, now=now.timestamp()),
            scheduled=self._is_scheduled() and state not in (ChargingState.STARTING, ChargingState.CHARGING),
            asleep=asleep,
            battery_percent=seen.percent("battery"),
        )

    @property
    def _is_started(self) -> bool:
        return self._hass.state is CoreState.running

    def _is_scheduled(self) -> bool:
        return self._seen.flag("scheduled") is True or self._seen.word("state") in self._roles.scheduled_states

    def _look_for_gone(self) -> None:
        """Raise where an entity is gone without which there is no control; while Home Assistant starts, it is late."""
        if any(self._seen.is_gone(ref) for role, ref in self._roles.entities.items() if role in NEEDED):
            if self._is_started:
                raise ChargerEntityGone("an entity of it is gone or disabled")
            raise ChargerUnreachable("an entity of it is not there yet")

    def _state(self, measured: float | None) -> ChargingState:
        """Return what it is doing: as it says itself, else as far as its plug and its current show."""
        state = self._roles.states.get((self._seen.word("state") or "").casefold(), ChargingState.UNKNOWN)
        if state is ChargingState.COMPLETE and self._paused:
            return ChargingState.STOPPED  # where "done" is also what a pause looks like
        if state is not ChargingState.UNKNOWN:
            return state
        plugged, charging = self._seen.flag("plugged"), self._seen.flag("charging")
        if charging:
            return ChargingState.CHARGING
        if plugged is False:
            return ChargingState.DISCONNECTED
        if charging is False or self._paused:
            return ChargingState.STOPPED
        has_own = any(role in self._roles.entities for role in ("state", "charging"))
        if has_own or measured is None:
            return ChargingState.UNKNOWN
        return ChargingState.CHARGING if measured > DRAWS_A else ChargingState.STOPPED

    def _plugged_in(self, state: ChargingState) -> bool | None:
        if state is ChargingState.DISCONNECTED:
            return False
        if state in (ChargingState.CHARGING, ChargingState.STARTING):
            return True
        if (plugged := self._seen.flag("plugged")) is not None:
            return plugged
        is_told = (self._seen.word("state") or "").casefold() in self._roles.states
        return True if is_told and state is not ChargingState.UNKNOWN else None

    def _report_phases(self) -> int | None:
        """Return how many phases it draws from; while it draws nothing, as many as it did last."""
        phases = self._seen.phases()
        currents = self._seen.currents()
        if phases is None and currents is not None and len(currents) > 1 and max(currents) >= PHASES_A:
            phases = sum(amps >= max(currents) / 2 for amps in currents)
        self._told_phases = phases or self._told_phases
        return self._told_phases

    def _measured_amps(self, volts: float, phases: int | None) -> float | None:
        """Return what it draws, A: measured, or of its power where the phases are known."""
        if (currents := self._seen.currents()) is not None:
            return min(max(*currents, 0.0), MAX_BUDGET_A)
        watts, count = self._seen.watts(), phases or self._phases
        if watts is None:
            return None
        if count is None:
            return 0.0 if abs(watts) < DRAWS_A * volts else None
        return min(max(watts, 0.0) / volts / count, MAX_BUDGET_A)

    def _requested_amps(self, measured: float | None = None) -> float | None:
        """Return its limit, in terms of what it was told; None where its number does not tell.

        A limit of 0 A with which it draws something is none: so it is said that there is no limit.
        """
        if "current" not in self._roles.entities or (self._roles.zero_pauses and self._paused):
            return self._told
        state, amps = self._seen.of("current"), self._seen.amps("current")
        if state is None or amps is None or amps < 0 or (amps == 0 and (measured or 0.0) > DRAWS_A):
            return None
        if amps == 0 and self._paused:
            return self._told  # some show nothing while they are paused, and go on from what they had
        if math.isclose(amps, self._written, abs_tol=0.05):
            return self._told
        # One that stayed as it was when something else was written does not show what is written, or not yet
        return amps if state.last_changed > self._told_at else None

    def _other_writer(self) -> str | None:
        """Return who set its number after us, where that was no person."""
        state, amps = self._seen.of("current"), self._seen.amps("current")
        if state is None or amps is None or not self._ours or state.last_changed <= self._told_at:
            return None
        late = timedelta(seconds=self._refresh_s + LATE_S)
        if any(math.isclose(amps, ours, abs_tol=0.05) and at > state.last_changed - late for ours, at in self._ours):
            return None
        context = state.context
        for other in self._hass.states.async_all(("automation", "script")):
            if other.context.id in (context.id, context.parent_id):
                return other.name
        return None if context.user_id else ""

    def _limit_amps(self) -> float | None:
        limits = [self._seen.amps("limit"), self._bound("max")]
        return min((amps for amps in limits if amps is not None and amps > 0), default=None)

    def _least_amps(self) -> float | None:
        return least if (least := self._bound("min")) is not None and least > 0 else None

    def _bound(self, name: str) -> float | None:
        """Return an end of the range of the number, A."""
        state = self._seen.state(self._roles.entities.get("current"))
        value = None if state is None else state.attributes.get(name)
        if state is None or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return value * factor(state, ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE)

    @property
    def _paused(self) -> bool:
        """Whether it is paused: as it shows since it was told, else as it was told."""
        if self._roles.zero_pauses:
            state, amps = self._seen.of("current"), self._seen.amps("current")
            shown = None if amps is None else amps == 0
        else:
            state = self._seen.of("pause")
            domain = "" if state is None else state.domain
            shown = (
                None
                if state is None or domain in ("button", "input_button")
                else state.state == self._roles.pause_state
            )
        if state is None or shown is None or (self._is_paused is not None and state.last_changed <= self._paused_at):
            return self._is_paused is True
        return shown

    def _is_at_home(self, *, plugged_in: bool | None, asleep: bool, now: float) -> bool | None:
        """Return whether it is here: a charger always is, a car where its place, or once there its cable, says so."""
        if "place" not in self._roles.entities:
            return True
        place = self._seen.word("place")
        at_home = None if place is None else place == STATE_HOME
        if plugged_in is False:
            self._at_plug_at = -math.inf
        elif plugged_in and (at_home or now - self._at_plug_at <= UNSEEN_S):
            self._at_plug_at = now
            return True
        elif asleep and now - self._at_plug_at <= UNSEEN_S:
            self._at_plug_at = now  # its data is old, but it has not gone anywhere
        return at_home

    # -- what it is told ----------------------------------------------------------------------------------------

    @override
    async def async_command(self, command: Command) -> Outcome:
        """Carry out a command, once."""
        call: dict[str, Any] = {"at": dt_util.utcnow().isoformat(), "command": f"{command.action} {command.amps}"}
        self._calls.append(call)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                await self._carry_out(command, Context())
        except TimeoutError:
            call["answer"] = "timeout"
            raise ChargerTimeout(f"no answer within {COMMAND_TIMEOUT_S:g} s") from None
        except ChargerError as error:
            call["answer"] = f"{type(error).__name__}: {error}"
            raise
        call["answer"] = Outcome.ACCEPTED.value
        return Outcome.ACCEPTED

    async def _carry_out(self, command: Command, context: Context) -> None:
        match command.action:
            case Action.SET_AMPS:
                await self._set_amps(command.amps, context)
            case Action.STOP:
                await self._stop(context)
            case Action.START:
                await self._start(context)

    async def _set_amps(self, amps: int, context: Context) -> None:
        before, self._told = self._told, amps or self._told
        try:
            if self._roles.zero_pauses and self._paused and amps:
                self._writable(amps)  # refused now rather than at the start
            elif self._roles.sets_current:
                await self._write(amps, context)
        except ChargerError:
            self._told = before
            raise

    async def _stop(self, context: Context) -> None:
        kept = self._requested_amps()
        if self._roles.zero_pauses:
            await self._write(0, context)
        elif self._roles.pause_action:
            await self._run("pause", self._roles.pause_action, context)
        else:
            await self._press("pause", self._roles.pause_state, context)
        if self._told is None and kept:
            self._told = round(kept)
        self._is_paused, self._paused_at = True, dt_util.utcnow()

    async def _start(self, context: Context) -> None:
        if self._roles.zero_pauses:
            amps = self._told or math.ceil(self._least_amps() or 0)
            if not amps:
                raise ChargerRefused("it was never told a current to start with")
            await self._write(amps, context)
            self._told = amps
        elif self._roles.resume_action:
            await self._run("resume", self._roles.resume_action, context)
        else:
            role = "resume" if "resume" in self._roles.entities else "pause"
            await self._press(role, self._roles.resume_state, context)
        self._is_paused, self._paused_at = False, dt_util.utcnow()

    def _writable(self, amps: int) -> tuple[State, float] | None:
        """Return the number, and what to write to it for a current; None where an action sets it."""
        if "current" not in self._roles.entities:
            return None
        state = self._writable_state("current")
        unit_amps = factor(state, ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE)
        least, most, step = (_attribute(state, name, usual) for name, usual in (("min", 0), ("max", 0), ("step", 1)))
        value = amps / unit_amps
        if most > least:  # some say 0 to 0 until they know
            value = min(value, most)
        if value < least:
            raise ChargerRefused(f"it takes {least:g} to {most:g}, not {value:g}")
        if step > 0:
            value = max(least, round(least + math.floor((value - least) / step + 1e-6) * step, 6))
        return state, value

    def _writable_state(self, role: str) -> State:
        """Return the state of an entity that can be told something now; raise ChargerError where it cannot.

        Home Assistant passes over an unavailable entity without a word.
        """
        self._look_for_gone()
        state = self._seen.state(self._roles.entities.get(role))
        if state is None or state.state == STATE_UNAVAILABLE:
            raise ChargerUnreachable("an entity of it is not available")
        return state

    async def _write(self, amps: int, context: Context) -> None:
        """Write a current, A."""
        if (found := self._writable(amps)) is None:
            await self._run("set_current", self._roles.set_current, context, amps=amps)
            self._told_at = dt_util.utcnow()
            return
        state, value = found
        data = {ATTR_ENTITY_ID: state.entity_id, "value": value}
        before = self._written, self._told_at
        # It may show the new value before the call returns
        self._written = value * factor(state, ElectricCurrentConverter, UnitOfElectricCurrent.AMPERE)
        self._told_at = dt_util.utcnow()
        self._ours.append((self._written, self._told_at))
        try:
            await self._call(state.domain, "set_value", data, context)
        except ChargerError:
            self._written, self._told_at = before
            raise

    async def _press(self, role: str, wanted: str, context: Context) -> None:
        """Pause it, resume it or wake it by an entity."""
        if role not in self._roles.entities:
            raise ChargerRefused("there is nothing to tell it that with")
        state = self._writable_state(role)
        data = {ATTR_ENTITY_ID: state.entity_id}
        match state.domain:
            case "button" | "input_button":
                await self._call(state.domain, "press", data, context)
            case "select" | "input_select":
                await self._call(state.domain, SERVICE_SELECT_OPTION, data | {ATTR_OPTION: wanted}, context)
            case domain:
                service = SERVICE_TURN_ON if wanted == STATE_ON else SERVICE_TURN_OFF
                await self._call(domain, service, data, context)

    async def _call(self, domain: str, service: str, data: dict[str, Any], context: Context) -> None:
        await _guard(self._hass.services.async_call(domain, service, data, blocking=True, context=context))

    async def _run(self, name: str, steps: Sequence[Mapping[str, Any]], context: Context, **variables: Any) -> None:
        """Run an action."""
        if name not in self._scripts:
            try:
                sequence = await async_validate_actions_config(
                    self._hass, cv.SCRIPT_SCHEMA([dict(step) for step in steps])
                )
            except vol.Invalid, HomeAssistantError:
                raise ChargerRefused("its action is not valid") from None
            self._scripts[name] = Script(
                self._hass, sequence, f"charger {name}", DOMAIN, script_mode="parallel", log_exceptions=False
            )
        script = self._scripts[name]
        await _guard(script.async_run({"device_id": self._device_id, **variables}, context))

    @property
    @override
    def knows_battery(self) -> bool:
        """Whether there is something that tells."""
        return "battery" in self._roles.entities

    @property
    @override
    def can_wake(self) -> bool:
        """Whether there is something to wake it with."""
        return "wake" in self._roles.entities

    @override
    async def async_wake(self) -> None:
        """Press what wakes it."""
        try:
            async with asyncio.timeout(WAKE_TIMEOUT_S):
                await self._press("wake", STATE_ON, Context())
        except TimeoutError:
            raise ChargerTimeout("it did not wake up") from None

    @property
    @override
    def switches_phases(self) -> bool:
        """Whether there is something to switch its phases with."""
        return "switch_phases" in self._roles.entities

    @override
    async def async_switch_phases(self, phases: int) -> None:
        """Switch it to one phase, or to all of its own."""
        wanted = self._roles.one_phase_state if phases == 1 else self._roles.all_phases_state
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                await self._press("switch_phases", wanted, Context())
        except TimeoutError:
            raise ChargerTimeout("its phases were not switched in time") from None

    # -- when it is looked at -----------------------------------------------------------------------------------

    @override
    def poll_after_s(self, report: ChargerReport | None, *, commanded: bool) -> float:
        """Return how long the next look can wait, s: changes are heard of at once."""
        return self._refresh_s + POLL_COMMANDED_S if commanded else POLL_S

    @override
    @callback
    def async_listen(self, hear: Hear) -> CALLBACK_TYPE:
        """Tell every change of its entities, until what is returned is called."""
        return _Listener(self._hass, self._seen, self._report, hear).async_end

    @override
    def diagnostics(self) -> Sequence[Mapping[str, Any]]:
        """Return what it was told last, and how that ended."""
        return tuple(self._calls)


class _Listener:
    """Hears of changes of a charger's entities, whatever they are called, and tells of them together."""

    def __init__(self, hass: HomeAssistant, seen: Seen, report: Callable[[], ChargerReport], hear: Hear) -> None:
        self._hass, self._seen, self._report, self._hear = hass, seen, report, hear
        self._ids: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = -math.inf
        self._has_failed = False
        self._end_of_states: CALLBACK_TYPE = lambda: None
        self._ends = [
            hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_updated),
            hass.bus.async_listen(EVENT_HOMEASSISTANT_STARTED, self._async_changed),
        ]
        self._follow()

    @callback
    def async_end(self) -> None:
        """Hear no more."""
        for end in (*self._ends, self._end_of_states):
            end()
        if self._timer is not None:
            self._timer.cancel()

    def _follow(self) -> None:
        self._ids = self._seen.entity_ids()
        limit = self._seen.roles.entities.get("current")
        self._limit_id = None if limit is None else self._seen.entity_id(limit)
        self._end_of_states()
        self._end_of_states = async_track_state_change_event(self._hass, self._ids, self._async_changed)

    @callback
    def _async_registry_updated(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        ids = {event.data["entity_id"], event.data.get("old_entity_id")}
        if self._ids & ids or self._seen.entity_ids() != self._ids:
            self._follow()
            self._async_changed()

    @callback
    def _async_changed(self, event: Event[Any] | None = None) -> None:
        """Tell it together with whatever else changes at this moment; its limit at once, which others may change."""
        if event is not None and event.data.get("entity_id") == self._limit_id:
            self._tell()
        elif self._timer is None:
            wait_s = max(0.0, self._told_at + TELL_EVERY_S - self._hass.loop.time())
            self._timer = self._hass.loop.call_later(wait_s, self._tell)

    @callback
    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._told_at = self._hass.loop.time()
        try:
            answer: ChargerReport | ChargerError = self._report()
        except ChargerError as error:
            if self._has_failed:
                return
            answer = error
        self._has_failed = isinstance(answer, ChargerError)
        self._hear(answer)


async def _guard(call: Any) -> None:
    """Wait for Home Assistant; raise only ChargerError. Texts of other integrations may hold anything: left out."""
    try:
        await call
    except ServiceNotFound:
        raise ChargerUnreachable("its integration is not loaded") from None
    except (ServiceValidationError, vol.Invalid) as error:
        raise ChargerRefused(_name(error)) from None
    except HomeAssistantError as error:
        raise ChargerUnreachable(_name(error)) from None
    except ChargerError, TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever another integration raises
        _LOGGER.debug("An integration failed at a command: %s", type(error).__name__)
        raise ChargerError(type(error).__name__) from None


def _name(error: Exception) -> str:
    key = getattr(error, "translation_key", None)
    return f"{type(error).__name__} ({key})" if key else type(error).__name__


def _attribute(state: State, name: str, usual: float) -> float:
    value = state.attributes.get(name, usual)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else float(usual)
