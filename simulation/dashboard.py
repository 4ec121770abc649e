"""The demo's dashboard: Home Assistant's own cards only, so that anyone can build the same."""

from collections.abc import Mapping
from typing import Any, Final

URL_PATH: Final = "amp-sensor"
TITLE: Final = "Amp Sensor"
ICON: Final = "mdi:ev-station"
GRAPH_HOURS: Final = 0.25

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

    def graph(title: str, lines: Mapping[str, str]) -> Card:
        return {
            "type": "history-graph",
            "title": title,
            "hours_to_show": GRAPH_HOURS,
            "entities": [{"entity": entities[key], "name": name} for key, name in lines.items()],
            "grid_options": {"columns": "full"},
        }

    def slider(key: str, name: str, *, color: str) -> Card:
        features = [{"type": "numeric-input", "style": "buttons"}]
        return tile(key, name, color=color, columns=12, features=features, features_position="inline")

    now = [
        {"type": "heading", "heading": "Now", "heading_style": "title", "icon": "mdi:home-lightning-bolt"},
        {
            "type": "gauge",
            "entity": entities["budget_used"],
            "name": "House and car, of the budget",
            "min": 0,
            "max": 150,
            "needle": True,
            "severity": {"green": 0, "yellow": 90, "red": 101},
            "grid_options": {"columns": 12},
        },
        tile("current", "House and car", color="blue"),
        tile("headroom", "Headroom", color="green"),
        tile("house_current", "House", color="amber"),
        tile("charging_current", "Car", color="purple"),
    ]
    why = [
        {"type": "heading", "heading": "What the car may take, and why", "heading_style": "title", "icon": ICON},
        {"type": "markdown", "content": STORY.format_map(entities), "grid_options": {"columns": 12}},
        tile("target_current", "Asked for", color="purple"),
        tile("charging_state", "Car", color="purple"),
        slider("max_amps", "Budget", color="green"),
        tile(
            "mode",
            "Mode",
            color="blue",
            columns=12,
            features=[{"type": "select-options"}],
            features_position="inline",
        ),
        tile("managed", "Car is managed", color="blue", columns=12),
    ]
    history = [
        {
            "type": "heading",
            "heading": "The last quarter of an hour",
            "heading_style": "title",
            "icon": "mdi:chart-line",
        },
        graph(
            "Current",
            {
                "max_amps": "Budget",
                "current": "House and car",
                "house_current": "House",
                "charging_current": "Car",
            },
        ),
        graph("Decisions", {"reason": "Reason", "over_budget": "Over budget"}),
    ]
    sections: list[Card] = [{"type": "grid", "cards": cards} for cards in (now, why)]
    sections.append({"type": "grid", "column_span": 2, "cards": history})
    return {
        "views": [
            {"title": TITLE, "path": "home", "icon": ICON, "type": "sections", "max_columns": 2, "sections": sections}
        ]
    }
