"""The demo's dashboard: Home Assistant's own cards only, so that anyone can build the same."""

from collections.abc import Mapping
from typing import Any, Final

URL_PATH: Final = "amp-sensor"
TITLE: Final = "Amp Sensor"
ICON: Final = "mdi:ev-station"
GRAPH_HOURS: Final = 0.25

RED, BLUE, AMBER, PURPLE = "#f44336", "#2196f3", "#ffb300", "#926bc7"
"""What the tiles call by these names: graphs take numbers only."""

type Card = dict[str, Any]

STORY: Final = """\
## {{{{ state_translated('{reason}') }}}}
{{% if is_state('{charging_state}', 'charging') -%}}
The car may take **{{{{ states('{target_current}') | int(0) }}}} A**, and takes \
{{{{ states('{charging_current}') | int(0) }}}} A.
{{%- else -%}}
The car: {{{{ state_translated('{charging_state}') | lower }}}}.
{{%- endif %}} \
The house itself draws **{{{{ states('{house_current}') | round(1, default='?') }}}} A** \
of **{{{{ states('{max_amps}') | int(0) }}}} A**.
"""


def dashboard(entities: Mapping[str, str]) -> Card:
    """Return the dashboard of a site with one car: `entities` are the ids of its entities, by the keys of both."""

    def tile(key: str, name: str, *, color: str, columns: int = 6, **more: Any) -> Card:
        return {
            "type": "tile",
            "entity": entities[key],
            "name": name,
            "color": color,
            "grid_options": {"columns": columns},
            **more,
        }

    def graph(*lines: tuple[str, str, str | None], **more: Any) -> Card:
        return {
            "type": "history-graph",
            "hours_to_show": GRAPH_HOURS,
            "entities": [
                {"entity": entities[key], "name": name, **({"color": color} if color else {})}
                for key, name, color in lines
            ],
            "grid_options": {"columns": "full"},
            **more,
        }

    def control(key: str, name: str, feature: Card, *, color: str) -> Card:
        return tile(key, name, color=color, columns=12, features=[feature], features_position="inline")

    def heading(text: str, icon: str) -> Card:
        return {"type": "heading", "heading": text, "heading_style": "title", "icon": icon}

    now = [
        heading("Now", "mdi:home-lightning-bolt"),
        {
            "type": "gauge",
            "entity": entities["budget_used"],
            "name": "of the budget",
            "min": 0,
            "max": 150,
            "needle": True,
            "severity": {"green": 0, "yellow": 90, "red": 101},
            "grid_options": {"columns": 12},
        },
        tile("current", "House and car", color="blue"),
        tile("headroom", "Headroom", color="green"),
        tile("house_current", "House", color="amber"),
        tile("charging_current", "Car, says its cloud", color="purple"),
    ]
    why = [
        heading("What the car may take, and why", ICON),
        {"type": "markdown", "content": STORY.format_map(entities), "grid_options": {"columns": 12}},
        tile("target_current", "Asked of the car", color="purple"),
        tile("charging_state", "The car is", color="purple"),
        control("max_amps", "Budget", {"type": "numeric-input", "style": "buttons"}, color="green"),
        control("mode", "Mode", {"type": "select-options"}, color="blue"),
        tile("managed", "Car is managed", color="blue", columns=12),
    ]
    history = [
        heading("The last quarter of an hour", "mdi:chart-line"),
        graph(
            ("max_amps", "Budget", RED),
            ("current", "House and car", BLUE),
            ("house_current", "House", AMBER),
            ("target_current", "Asked of the car", PURPLE),
            min_y_axis=0,
        ),
        graph(("reason", "Why", None), ("over_budget", "Over budget", None)),
    ]
    sections: list[Card] = [{"type": "grid", "cards": cards} for cards in (now, why)]
    sections.append({"type": "grid", "column_span": 2, "cards": history})
    return {
        "views": [
            {"title": TITLE, "path": "home", "icon": ICON, "type": "sections", "max_columns": 2, "sections": sections}
        ]
    }
