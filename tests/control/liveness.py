"""What must come true by itself once everything is as it should be, from whatever state."""

from math import ceil, floor

from custom_components.amp_sensor.control import ChargerSettings, Controller, Reason, SiteSettings
from custom_components.amp_sensor.control.sharing import CLAIM_A
from tests.control.honest import HonestCar, HonestSite

STANDING = 0.5
"""What may stay over the budget for good, A: 0.3 is a sensor's noise, and averaging hides a little."""
HELD_AS = 950.0
"""The most that a minimum may be held for over the budget, A·s: eager's hold, one and a half times."""
SLACK = 1.0
"""What may be lacking for a raise, A: the margin, and what averaging leaves of a reading."""
NOT_OURS = frozenset(
    {
        Reason.OFF,
        Reason.NOT_MANAGED,
        Reason.NO_REPORT,
        Reason.AWAY,
        Reason.PLACE_UNKNOWN,
        Reason.UNPLUGGED,
        Reason.ASLEEP,
        Reason.SCHEDULED,
        Reason.COMPLETE,
        Reason.NO_POWER,
        Reason.STOPPED_BY_USER,
    }
)


class Liveness:
    """A site with what its owner set, to see whether it comes right."""

    def __init__(self, site: HonestSite, settings: SiteSettings, chargers: dict[str, ChargerSettings]) -> None:
        self.site = site
        self.settings = settings
        self.chargers = chargers

    @property
    def controller(self) -> Controller:
        return self.site.controller

    def least(self, name: str) -> int:
        """The least that it charges with, A."""
        return max(5, min(self.chargers[name].min_amps, self.cap(name)))

    def cap(self, name: str) -> int:
        """The most that it may have, A."""
        limit = self.controller.chargers[name].user_limit
        caps = [self.chargers[name].max_amps, floor(self.settings.max_amps), floor(self.site.cars[name].limit)]
        return min(caps if limit is None else [*caps, limit])

    def is_safe(self) -> bool:
        """Whether each phase is within the budget, or carries no more of the cars than it must."""
        for phase, amps in enumerate(self.site.flows):
            if amps <= self.settings.max_amps + STANDING:
                continue
            for name, car in self.site.cars.items():
                if phase in car.phases and self.chargers[name].managed and car.draws > self.least(name):
                    return False
        return True

    def over_as(self, seconds: float) -> float:
        """The A·s over the budget of the phase that has most, while a car of ours could still be stopped."""
        return seconds * max(
            (
                amps - self.settings.max_amps
                for phase, amps in enumerate(self.site.flows)
                if amps > self.settings.max_amps + STANDING
                and any(
                    phase in car.phases and car.draws and self.chargers[name].managed
                    for name, car in self.site.cars.items()
                )
            ),
            default=0.0,
        )

    def expected(self) -> tuple[set[str], list[set[str]], dict[str, int]]:
        """Tell who must charge; of whom one must; and who must have all that it may."""
        if self.controller.phases != len(self.site.flows):
            return set(), [], {}  # a phase that it was once told of is silent
        if self.controller.meter_wrong_at is not None and min(self.site.house(self.site.now)) < 0:
            return set(), [], {}  # sun of which no export was ever seen looks like a meter that shows too little
        decisions = self.site.decisions
        ours = {
            name: car
            for name, car in self.site.cars.items()
            if (reason := decisions[name].reason) not in NOT_OURS
            or (reason is Reason.STOPPED_BY_USER and not car.is_users_stop)
        }
        house = self.site.house(self.site.now)
        left = [self.settings.max_amps - SLACK - amps for amps in house]
        for name, car in self.site.cars.items():
            if name not in ours:
                for phase in car.phases:
                    left[phase] -= car.draws
        loads = {name: self._loads(name, len(house)) for name in ours}

        def fit(amps: dict[str, int]) -> bool:
            return all(
                sum(each for name, each in amps.items() if phase in loads[name]) <= left[phase]
                for name in amps
                for phase in loads[name]
            )

        leasts, caps = {name: self.least(name) for name in ours}, {name: self.cap(name) for name in ours}
        able = {name: amps for name, amps in leasts.items() if caps[name] >= amps and fit({name: amps})}
        # Who need not charge may all the same
        rest = {name: ceil(self.site.cars[name].draws) for name in ours.keys() - able}
        if fit(able | rest):
            full = {name: caps[name] for name in able}
            # Steps of less than 3 A never teach which phases a car loads: it gets what is sure to be left on each
            is_known = all(self.controller.phases_of(name) for name in ours) or len(ours) == 1
            return set(able), [], full if is_known and fit(full | rest) else {}
        return set(), [{other for other in ours if set(loads[other]) & set(loads[name])} for name in able], {}

    def _loads(self, name: str, phases: int) -> tuple[int, ...]:
        known = self.controller.phases_of(name)
        return tuple(range(phases)) if known is None else tuple(phase - 1 for phase in known)

    def charges(self) -> bool:
        """Whether whoever may charge does."""
        everyone, one_of, _ = self.expected()
        draws = self.site.draws
        # Who was found with an ampere less than its minimum may keep that: a command each is dearer
        does = {name: draws[name] > self.least(name) - CLAIM_A for name in draws}
        return all(does[name] for name in everyone) and all(any(does[name] for name in some) for some in one_of)

    def charges_fully(self) -> bool:
        """Whether whoever may have all that it can take has it."""
        return all(self.site.draws[name] >= amps for name, amps in self.expected()[2].items())

    def come_right(
        self, *, safe_s: float, charging_s: float, full_s: float, stays_s: float = 600.0
    ) -> dict[str, float]:
        """Let time pass while everything is as it should be; return how long each thing took, s."""
        site, began = self.site, self.site.now
        took: dict[str, float] = {}
        held_as = 0.0
        charged_at = began
        while len(took) < 3 or site.now < began + safe_s + stays_s:
            before = site.now
            site.step()
            passed_s = site.now - began
            is_safe = self.is_safe()
            is_upset = any(0 <= site.now - car.comes_late_at <= safe_s for car in site.cars.values())
            assert is_safe or is_upset or passed_s <= safe_s, f"over the budget after {passed_s:g} s: {self}"
            held_as = (
                held_as + over
                if passed_s > safe_s and not is_upset and (over := self.over_as(site.now - before))
                else 0.0
            )
            assert held_as <= HELD_AS, f"held for {held_as:.0f} A·s over the budget: {self}"
            for name, is_so in (("safe", is_safe), ("charging", self.charges()), ("full", self.charges_fully())):
                if is_so:
                    took.setdefault(name, passed_s)
                    charged_at = site.now if name == "charging" else charged_at
            assert site.now - charged_at < charging_s, f"does not charge: {self}"
            assert "full" in took or passed_s < full_s, f"does not charge with all that it may: {self}"
        return took

    def __str__(self) -> str:
        reasons = {name: str(decision.reason) for name, decision in self.site.decisions.items()}
        told = "; ".join(f"{at:g}: {each.charger_id} {each.action} {each.amps}" for at, each in self.site.commands[-8:])
        return f"{self.site.flows} A of {self.settings.max_amps}, cars {self.site.draws}, {reasons}; {told}"


def liveness(
    controller: Controller,
    cars: list[HonestCar],
    house: tuple[float, ...],
    *,
    settings: SiteSettings,
    chargers: dict[str, ChargerSettings],
    now: float,
) -> Liveness:
    """From here on, everything is as it should be."""
    return Liveness(HonestSite(controller, cars, lambda _: house, now=now), settings, chargers)
