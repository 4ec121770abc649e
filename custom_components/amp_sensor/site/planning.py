"""When the chargers of a site charge, so that each has what its owner wants by a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any, Final, cast

from homeassistant.util import dt as dt_util

from ..control import ChargerReport, ChargingState, Controller, Plan, Reason, Slot, Supply, When, make_plan
from ..control.plan import AHEAD_S, REPLAN_S
from ..notices.issues import Issues
from ..notices.watch import Lasting
from .goal import DEFAULT_CAPACITY_KWH, MAX_CAPACITY_KWH, MIN_CAPACITY_KWH, ChargerPlan, Goal, Strip
from .link import Link
from .prices import QUARTER_S, Prices
from .store import ChargerMemory

SEEN_S: Final = 60.0
"""The longest time between two looks, and since the last reading, of which is learned, s."""
OVERDUE_S: Final = 12 * 3600.0
"""For how long it goes on being charged where it was not ready, s; then the next time counts."""
AGAIN_PERCENT: Final = 3.0
"""By how much a battery that was full enough has to fall to be charged again, %: a car at rest loses 1 % a day, and
more where its cabin is kept warm."""
LEARN_PERCENT: Final = 10.0
"""Over how much its battery is learned, %: its level is told in whole per cents."""
_KEYS: Final = ("goal", "goal_due", "goal_from_wh", "wh_per_percent")
"""What is remembered of a charger here."""
LATE_S: Final = 900.0
"""For how long a plan does not get by until that is told, s: a kettle is no reason."""
NO_PRICES_S: Final = 3 * 3600.0
"""For how long no price is known until that is told, s."""


@dataclass(kw_only=True)
class _Charger:
    """What is known of one charger's plan."""

    link: Link
    goal: Goal
    wh_per_percent: float | None = None
    """What it takes from the socket for each per cent of its battery, Wh."""
    due: float | None = None
    """When it is to be ready, s since 1970."""
    from_wh: float = 0.0
    """Its energy counter when what is wanted began to count."""
    is_plugged: bool = False
    is_met: bool = False
    began: float | None = None
    """When the part of the plan began in which it charges now, s since 1970."""
    plan: Plan | None = None
    slots: tuple[Slot, ...] = ()
    needed_wh: float = 0.0
    level: tuple[float, float] | None = None
    """The battery's level, %, and the energy counter, Wh, from which on its battery is learned."""
    late: Lasting = field(default_factory=lambda: Lasting(LATE_S, LATE_S))

    @property
    def report(self) -> ChargerReport | None:
        """What it said last."""
        return self.link.report

    @property
    def per_percent_wh(self) -> float:
        """What it takes for each per cent, Wh: as its owner told, or as it was learned, or as most do."""
        if self.goal.capacity_kwh is not None or self.wh_per_percent is None:
            return (self.goal.capacity_kwh or DEFAULT_CAPACITY_KWH) * 10
        return self.wh_per_percent

    @property
    def is_here(self) -> bool | None:
        """Whether there is a car at the charger; None where it does not tell."""
        report = self.report
        if report is None:
            return None
        if report.plugged_in is False or report.state is ChargingState.DISCONNECTED:
            return False
        return report.at_home


class Planner:
    """Learns what each charger can usually have, plans for what their owners want, and rations them by that."""

    def __init__(self, controller: Controller, links: Mapping[str, Link], *, has_prices: bool) -> None:
        """`has_prices` is whether the site has a source of prices."""
        self._controller = controller
        self.has_prices = has_prices
        self.prices = Prices({})
        self._chargers = {charger_id: _remembered(link) for charger_id, link in links.items()}
        self._looked_at: float | None = None
        self._plan_at = 0.0
        self._without_prices = Lasting(NO_PRICES_S)

    def go_on(self, before: Planner) -> None:
        """Take over the plans of a moment ago, and the prices: without them a car would start, or stop, at a guess."""
        self.prices = before.prices
        for charger_id, charger in before._chargers.items():
            self._chargers[charger_id] = replace(charger, link=self._chargers[charger_id].link)

    # What comes in

    def goal(self, charger_id: str) -> Goal:
        """Return what the owner of a charger set."""
        return self._chargers[charger_id].goal

    def set_goal(self, charger_id: str, goal: Goal) -> None:
        """Take what the owner of a charger sets."""
        charger = self._chargers[charger_id]
        if (goal.ready_by, goal.days) != (charger.goal.ready_by, charger.goal.days):
            charger.due = None
        if goal != charger.goal:
            charger.is_met = False
        if charger.goal.when is When.NOW:
            charger.due = None
        charger.goal = goal
        self._plan_at = 0.0

    def take_prices(self, prices: Prices) -> None:
        """Take what electricity costs."""
        if prices != self.prices:
            self.prices = prices
            self._plan_at = 0.0

    def look(self, now: float, at: datetime, volts: tuple[float, ...], *, supply: Supply | None) -> None:
        """Learn from the last seconds, and plan anew where it is time.

        `now` is the controller's time, `at` the same by the clock of the wall, in the zone of the house; a phase has
        `volts`.
        """
        elapsed_s = 0.0 if self._looked_at is None else now - self._looked_at
        if self._looked_at is not None and elapsed_s < 1:
            return
        self._looked_at = now
        is_due = now >= self._plan_at
        is_heard = self._controller.meter.is_connected(now, SEEN_S)
        for charger_id, charger in self._chargers.items():
            fits = self._controller.fits(charger_id, now=now)
            if fits is not None and is_heard and elapsed_s <= SEEN_S:
                self._controller.chargers[charger_id].usual.add(_hour(at), *fits, elapsed_s)
            was_plugged = charger.is_plugged
            self._follow(charger, at.timestamp())
            if is_due or charger.is_plugged != was_plugged:
                watts = charger.link.watts_per_amp(
                    volts, phases=self._controller.phases_of(charger_id), is_split=supply is Supply.SPLIT
                )
                self._plan(charger, at, watts)
        if is_due:
            self._plan_at = now + REPLAN_S

    def _follow(self, charger: _Charger, at: float) -> None:
        """Take note of whether a car came or left, of what its battery shows, and of whether its time has passed."""
        link, report = charger.link, charger.report
        if (is_here := charger.is_here) is False:
            charger.due, charger.is_met, charger.level = None, False, None
        elif is_here and not charger.is_plugged and charger.due is None:
            charger.from_wh = link.energy_wh
        charger.is_plugged = is_here is True
        if not is_here or report is None:
            return
        is_over = charger.due is not None and at >= charger.due + (0.0 if charger.is_met else OVERDUE_S)
        if is_over:
            charger.from_wh, charger.is_met = link.energy_wh, False
        if charger.due is None or is_over:
            charger.due = charger.goal.next_ready(dt_util.as_local(dt_util.utc_from_timestamp(at))).timestamp()
        if (percent := report.battery_percent) is not None:
            _learn_battery(charger, percent, link.energy_wh)

    def _plan(self, charger: _Charger, at: datetime, watts_per_amp: float) -> None:
        """Plan for one charger; without a plan it is bounded by nothing but the supply."""
        was, charger.plan, charger.slots = charger.plan, None, ()
        needed = self._needed_wh(charger)
        if charger.goal.when is When.NOW or not self.has_prices or charger.due is None or needed is None:
            return
        now, when = at.timestamp(), When(charger.goal.when)
        until = charger.due - AHEAD_S
        if is_late := until <= now:
            until, when = now + OVERDUE_S, When.NOW
        charger.needed_wh, charger.is_met = needed, needed <= 0
        charger.slots = self._slots(charger, now, until, watts_per_amp)
        managed = self._controller.chargers[charger.link.charger_id]
        charger.plan = make_plan(
            when,
            charger.slots,
            needed,
            is_charging=managed.running,
            was_pressed=was is not None and was.is_pressed,
        )
        if is_late and not charger.is_met:
            charger.plan = replace(charger.plan, makes_it=False)
        charger.began = (charger.began or now) if charger.plan.charges_at(now) else None

    def _needed_wh(self, charger: _Charger) -> float | None:
        """Return what it still needs, Wh from the socket; None where there is no car, or nobody knows."""
        report = charger.report
        if report is None or not charger.is_plugged:
            return None
        if report.state is ChargingState.COMPLETE:
            return 0.0
        if not charger.link.charger.knows_battery:
            return charger.goal.kwh * 1000 - (charger.link.energy_wh - charger.from_wh)
        if report.battery_percent is None:
            return None
        wanted = charger.goal.percent - (AGAIN_PERCENT if charger.is_met else 0.0)
        return (wanted - report.battery_percent) * charger.per_percent_wh

    def _slots(self, charger: _Charger, now: float, until: float, watts_per_amp: float) -> tuple[Slot, ...]:
        """Return the quarters of an hour that are left, and what it can have in each."""
        managed = self._controller.chargers[charger.link.charger_id]
        most = managed.most(int(self._controller.settings.max_amps))
        slots = []
        for quarter in range(int(now // QUARTER_S), ceil(until / QUARTER_S)):
            start, end = max(now, quarter * QUARTER_S), min(until, (quarter + 1) * QUARTER_S)
            local = dt_util.as_local(dt_util.utc_from_timestamp(start))
            usual, safe = managed.usual.expect(_hour(local), start - now)
            slots.append(
                Slot(
                    start=start,
                    end=end,
                    price=self.prices.guess(quarter),
                    usual_watts=watts_per_amp * min(most, usual),
                    safe_watts=watts_per_amp * min(most, safe),
                )
            )
        return tuple(slots)

    # What comes of it

    def rations(self, charger_id: str, at: datetime) -> Mapping[Reason, int] | None:
        """Return what a charger may have at most because of its plan, A: nothing outside of it; None without a plan."""
        charger = self._chargers[charger_id]
        if charger.plan is None:
            return None
        if charger.is_met:
            return {Reason.WANTED_REACHED: 0}
        return {} if charger.plan.charges_at(at.timestamp()) else {Reason.PLANNED: 0}

    def shown(self, charger_id: str) -> ChargerPlan | None:
        """Return what is planned for a charger, as it is shown; None where nothing is."""
        charger = self._chargers[charger_id]
        plan = charger.plan
        if plan is None or charger.due is None:
            return None
        known = any(self.prices.known(int(slot.start // QUARTER_S)) is not None for slot in charger.slots)
        return ChargerPlan(
            ready_at=dt_util.utc_from_timestamp(charger.due),
            start=_quarter(charger.began or plan.start),
            end=_quarter(plan.end),
            needed_kwh=round(max(0.0, charger.needed_wh) / 1000, 1),
            cost=round(plan.cost, 2) if known else None,
            makes_it=plan.makes_it,
            is_met=charger.is_met,
            strips=tuple(self._strips(charger, plan)),
        )

    def _strips(self, charger: _Charger, plan: Plan) -> list[Strip]:
        planned = {slot.start for slot in plan.slots}
        strips = []
        for slot in charger.slots:
            quarter = int(slot.start // QUARTER_S)
            strips.append(
                Strip(
                    start=dt_util.utc_from_timestamp(quarter * QUARTER_S),
                    end=dt_util.utc_from_timestamp((quarter + 1) * QUARTER_S),
                    price=self.prices.known(quarter),
                    is_planned=slot.start in planned,
                )
            )
        return strips

    def capacity_kwh(self, charger_id: str) -> float:
        """Return what the battery of a charger's car is taken to hold, kWh from the socket."""
        return round(self._chargers[charger_id].per_percent_wh / 10, 1)

    def memory(self, charger_id: str) -> ChargerMemory:
        """Return what to remember of a charger: while there are no prices, what was remembered before."""
        charger = self._chargers[charger_id]
        if not self.has_prices:
            kept = {key: value for key, value in charger.link.remembered.items() if key in _KEYS}
            return cast("ChargerMemory", kept)
        return ChargerMemory(
            goal=charger.goal.memory(),
            goal_due=charger.due,
            goal_from_wh=charger.from_wh,
            wh_per_percent=charger.wh_per_percent,
        )

    def tell(self, issues: Issues, at: datetime, now: float, *, site: str) -> None:
        """Tell what a person should know or fix."""
        is_planning = False
        for charger_id, charger in self._chargers.items():
            is_managed = charger.link.settings.managed
            has_plan = self.has_prices and is_managed and charger.goal.when is not When.NOW
            is_planning = is_planning or has_plan
            may_wake, can_wake = charger.link.settings.may_wake, charger.link.charger.can_wake
            issues.set(
                "plan_cannot_wake",
                charger_id,
                is_wrong=has_plan and can_wake and not may_wake,
                charger=charger.link.title,
            )
            plan = charger.plan
            is_late = charger.late.look(is_managed and plan is not None and not plan.makes_it, now)
            ready = None if charger.due is None else dt_util.as_local(dt_util.utc_from_timestamp(charger.due))
            issues.set(
                "plan_late",
                charger_id,
                is_wrong=is_late and ready is not None,
                charger=charger.link.title,
                time="" if ready is None else f"{ready:%H:%M}",
                missing=f"{max(0.0, charger.needed_wh - (plan.expected_wh if plan else 0.0)) / 1000:.1f}",
            )
        is_missing = is_planning and self.prices.known(int(at.timestamp() // QUARTER_S)) is None
        issues.set("prices_missing", issues.entry_id, is_wrong=self._without_prices.look(is_missing, now), site=site)

    def diagnostics(self, charger_id: str) -> dict[str, Any]:
        """Return what is known of a charger's plan."""
        charger, usual = self._chargers[charger_id], self._controller.chargers[charger_id].usual
        return {
            "wh_per_percent": charger.wh_per_percent,
            "has_amps": usual.has,
            "usually_has_amps": usual.usually_has,
            "is_pressed": charger.plan is not None and charger.plan.is_pressed,
        }


def _remembered(link: Link) -> _Charger:
    memory = link.remembered
    goal = Goal.remembered(memory["goal"]) if "goal" in memory else Goal()
    return _Charger(
        link=link,
        goal=goal,
        wh_per_percent=memory.get("wh_per_percent"),
        due=memory.get("goal_due"),
        from_wh=memory.get("goal_from_wh", link.energy_wh),
    )


def _learn_battery(charger: _Charger, percent: float, energy_wh: float) -> None:
    """Learn what a per cent takes, from one level of the battery to another."""
    if charger.level is None or percent < charger.level[0]:
        charger.level = percent, energy_wh
    elif percent >= charger.level[0] + LEARN_PERCENT:
        wh = (energy_wh - charger.level[1]) / (percent - charger.level[0])
        charger.level = percent, energy_wh
        if MIN_CAPACITY_KWH * 10 <= wh <= MAX_CAPACITY_KWH * 10:
            before = charger.wh_per_percent
            charger.wh_per_percent = round(wh if before is None else (before + wh) / 2, 1)


def _hour(local: datetime) -> int:
    """Return the hour of the week."""
    return 24 * local.weekday() + local.hour


def _quarter(at: float | None) -> datetime | None:
    """Return a time to the quarter of an hour: a plan that begins now begins at another second each time it is made."""
    return None if at is None else dt_util.utc_from_timestamp(at // QUARTER_S * QUARTER_S)
