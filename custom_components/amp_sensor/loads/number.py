"""A load whose power is a number, such as a boiler behind a power controller."""

from typing import override

from homeassistant.components.number.const import ATTR_MAX, ATTR_MIN, ATTR_VALUE, SERVICE_SET_VALUE
from homeassistant.core import State

from .kind import Before, Call, Kind


class Number(Kind):
    """Set to its minimum."""

    domains = ("number", "input_number")

    @override
    def is_on(self, state: State) -> bool:
        return float(state.state) > float(state.attributes[ATTR_MIN])

    @override
    def before(self, state: State) -> Before:
        return {ATTR_VALUE: float(state.state), ATTR_MAX: float(state.attributes[ATTR_MAX])}

    @override
    def shed(self, state: State) -> Call:
        return SERVICE_SET_VALUE, {ATTR_VALUE: float(state.attributes[ATTR_MIN])}

    @override
    def restore(self, before: Before) -> Call:
        return SERVICE_SET_VALUE, {ATTR_VALUE: before[ATTR_VALUE]}
