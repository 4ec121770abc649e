"""Draw the wiring diagrams of README.md: python draw_wiring.py writes images/*.svg."""

from collections.abc import Sequence
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[1] / "images"
Point = tuple[float, float]

STYLE = """
  svg { font-family: sans-serif; font-size: 14px; }
  .wire { fill: none; stroke: #333; stroke-width: 2; }
  .supply { stroke: #c62828; } .ground { stroke: #111; } .signal { stroke: #1565c0; }
  .mains { stroke: #6d4c41; stroke-width: 9; } .danger { stroke: #c62828; stroke-dasharray: 6 4; fill: #fdecea; }
  .part { fill: #fff; stroke: #333; stroke-width: 2; } .board { fill: #e8f0e4; stroke: #4b6b3c; stroke-width: 2; }
  .clamp { fill: #cfd8dc; stroke: #37474f; stroke-width: 2; }
  .pin { fill: #d4af37; stroke: #333; } .small { font-size: 12px; fill: #444; } .warning { fill: #b71c1c; }
  .title { font-size: 18px; font-weight: bold; }
"""


class Drawing:
    """Collects SVG elements; coordinates in pixels, y downwards."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = width, height
        self._parts = [f"<title>{title}</title>", f"<style>{STYLE}</style>"]
        self._parts.append(f'<rect width="{width}" height="{height}" fill="#fff"/>')
        self.text((24, 34), title, "title")

    def text(self, at: Point, words: str, kind: str = "", anchor: str = "start") -> None:
        self._parts.append(f'<text x="{at[0]}" y="{at[1]}" class="{kind}" text-anchor="{anchor}">{words}</text>')

    def box(self, at: Point, size: Point, kind: str = "part", corner: float = 4) -> None:
        place = f'x="{at[0]}" y="{at[1]}" width="{size[0]}" height="{size[1]}" rx="{corner}"'
        self._parts.append(f'<rect {place} class="{kind}"/>')

    def wire(self, points: Sequence[Point], kind: str = "") -> None:
        line = " ".join(f"{x},{y}" for x, y in points)
        self._parts.append(f'<polyline points="{line}" class="wire {kind}"/>')

    def joint(self, at: Point) -> None:
        self._parts.append(f'<circle cx="{at[0]}" cy="{at[1]}" r="4"/>')

    def resistor(self, middle: Point, name: str, *, upright: bool = True) -> None:
        x, y = middle
        size = (16, 44) if upright else (44, 16)
        self.box((x - size[0] / 2, y - size[1] / 2), size, corner=0)
        if upright:
            self.text((x + 14, y + 5), name)
        else:
            self.text((x, y - 14), name, anchor="middle")

    def capacitor(self, middle: Point, name: str) -> None:
        x, y = middle
        self._parts.append(f'<rect x="{x - 16}" y="{y - 4}" width="32" height="8" fill="#fff"/>')
        for side in (-4, 4):
            self.wire([(x - 16, y + side), (x + 16, y + side)])
        self.text((x + 22, y + 5), name)

    def pin(self, at: Point, name: str) -> None:
        self._parts.append(f'<circle cx="{at[0]}" cy="{at[1]}" r="6" class="pin"/>')
        self.text((at[0] + 14, at[1] + 5), name)

    def ring(self, at: Point, radius: float, colour: str) -> None:
        self._parts.append(f'<circle cx="{at[0]}" cy="{at[1]}" r="{radius}" fill="{colour}"/>')

    def clamp(self, at: Point, name: str, wire: str) -> None:
        """Draw a clamp around one mains wire, which runs upright behind it."""
        x, y = at
        self.wire([(x, y - 90), (x, y + 90)], "mains")
        self.box((x - 34, y - 28), (68, 56), "clamp", 12)
        self.ring((x, y), 14, "#fff")
        self.ring((x, y), 6, "#6d4c41")
        self.text((24, y - 100), wire, "small")
        self.text((x, y + 110), name, anchor="middle")

    def save(self, name: str) -> None:
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        )
        text = "\n".join([head, *self._parts, "</svg>", ""])
        (IMAGES / name).write_text(text)


def board(drawing: Drawing, x: float, top: float, bottom: float, pins: dict[str, float]) -> None:
    drawing.box((x, top), (150, bottom - top), "board", 8)
    drawing.text((x + 75, top - 10), "ESP32 board", anchor="middle")
    for name, y in pins.items():
        drawing.pin((x, y), name)


def bias(drawing: Drawing, x: float, node_y: float, supply_y: float, ground_y: float) -> None:
    """Draw the divider that lifts the clamp's zero to 1.3 V, between both rails."""
    drawing.wire([(x, supply_y), (x, ground_y)])
    drawing.resistor((x, supply_y + 36), "15 kΩ")
    drawing.resistor((x, (node_y + ground_y) / 2), "10 kΩ")
    for y in (supply_y, node_y, ground_y):
        drawing.joint((x, y))
    drawing.wire([(x + 80, node_y), (x + 80, ground_y)])
    drawing.capacitor((x + 80, (node_y + ground_y) / 2), "10 µF")
    drawing.joint((x + 80, node_y))
    drawing.joint((x + 80, ground_y))
    drawing.text((x - 12, node_y + 22), "1.3 V", "small", "end")


def one_clamp(name: str, model: str, *, burden: bool) -> None:
    drawing = Drawing(760, 440, f"One phase: {model}")
    supply, signal, node, ground = 90, 170, 230, 360
    drawing.clamp((90, 210), model, "the live wire only")
    drawing.wire([(124, 200), (170, 200), (170, signal), (600, signal)], "signal")
    drawing.wire([(124, 220), (170, 220), (170, node), (400, node)])
    drawing.wire([(600, supply), (320, supply)], "supply")
    drawing.wire([(600, ground), (320, ground)], "ground")
    bias(drawing, 320, node, supply, ground)
    drawing.text((182, signal - 10), "tip", "small")
    drawing.text((182, node + 18), "sleeve", "small")
    if burden:
        drawing.wire([(240, signal), (240, node)])
        drawing.resistor((240, (signal + node) / 2), "22 Ω")
        drawing.text((254, (signal + node) / 2 + 21), "burden", "small")
        drawing.joint((240, signal))
        drawing.joint((240, node))
    drawing.wire([(520, signal), (520, ground)])
    drawing.capacitor((520, 290), "100 nF")
    drawing.joint((520, signal))
    drawing.joint((520, ground))
    board(drawing, 600, 60, 400, {"3V3": supply, "GPIO34": signal, "GND": ground})
    note = "Fit the burden before the clamp goes around a wire." if burden else "The burden is built into this clamp."
    drawing.text((24, 420), f"{note} Lines that cross without a dot do not touch.", "small")
    drawing.save(name)


def three_clamps() -> None:
    drawing = Drawing(860, 680, "Three phases: three SCT-013-000")
    supply, ground = 90, 620
    signals = {"GPIO34": 170, "GPIO35": 300, "GPIO32": 430}
    node_x, bus = 470, 530
    for number, (_pin, y) in enumerate(signals.items(), 1):
        x = 90
        drawing.wire([(x, y - 30), (x, y + 70)], "mains")
        drawing.box((x - 34, y - 8), (68, 56), "clamp", 12)
        drawing.ring((x, y + 20), 14, "#fff")
        drawing.ring((x, y + 20), 6, "#6d4c41")
        drawing.text((x - 62, y + 25), f"L{number}")
        drawing.wire([(124, y + 10), (150, y + 10), (150, y), (700, y)], "signal")
        drawing.wire([(124, y + 30), (150, y + 30), (150, y + 60), (400, y + 60), (400, bus)])
        drawing.wire([(230, y), (230, y + 60)])
        drawing.resistor((230, y + 30), "22 Ω")
        for joint in ((230, y), (230, y + 60)):
            drawing.joint(joint)
        if number > 1:
            drawing.joint((400, y + 60))
        drawing.wire([(620, y), (620, y + 40)])
        drawing.capacitor((620, y + 40), "100 nF")
        drawing.wire([(620, y + 44), (620, y + 62)])
        drawing.wire([(608, y + 62), (632, y + 62)], "ground")
    drawing.wire([(400, bus), (550, bus)])
    drawing.wire([(node_x, supply), (node_x, 120)], "supply")
    # The bias divider stands beside the signals, which cross it without touching
    drawing.wire([(node_x, 120), (node_x, ground)])
    drawing.resistor((node_x, 120), "15 kΩ")
    drawing.resistor((node_x, 578), "", upright=True)
    drawing.text((node_x - 14, 583), "10 kΩ", anchor="end")
    drawing.wire([(550, bus), (550, ground)])
    drawing.capacitor((550, 578), "10 µF")
    for joint in ((node_x, bus), (node_x, ground), (550, ground), (node_x, supply)):
        drawing.joint(joint)
    drawing.text((392, bus + 5), "1.3 V", "small", "end")
    drawing.wire([(700, supply), (node_x, supply)], "supply")
    drawing.wire([(700, ground), (node_x, ground)], "ground")
    board(drawing, 700, 60, 650, {"3V3": supply, **signals, "GND": ground})
    drawing.text((24, 664), "All three clamps share one bias. Lines that cross without a dot do not touch.", "small")
    drawing.save("three-phases.svg")


def hall_sensor() -> None:
    drawing = Drawing(760, 440, "One phase: ACS712 (mains on its board!)")
    supply, signal, ground = 110, 210, 360
    drawing.box((40, 90), (220, 290), "danger", 8)
    drawing.text((150, 114), "MAINS: in a closed box", "warning", "middle")
    drawing.wire([(20, 180), (110, 180)], "mains")
    drawing.wire([(20, 290), (110, 290)], "mains")
    drawing.box((110, 150), (130, 170))
    drawing.text((175, 215), "ACS712", anchor="middle")
    drawing.text((175, 235), "30 A type", "small", "middle")
    drawing.text((50, 168), "in", "small")
    drawing.text((50, 278), "out", "small")
    for name, y in {"VCC": 170, "OUT": signal, "GND": 300}.items():
        drawing.text((234, y + 5), name, "small", "end")
    drawing.wire([(240, 170), (300, 170), (300, supply), (600, supply)], "supply")
    drawing.wire([(240, signal), (440, signal)])
    drawing.resistor((360, signal), "10 kΩ", upright=False)
    drawing.wire([(440, signal), (600, signal)], "signal")
    drawing.wire([(440, signal), (440, ground)])
    drawing.resistor((440, 285), "10 kΩ")
    drawing.wire([(530, signal), (530, ground)])
    drawing.capacitor((530, 285), "100 nF")
    drawing.wire([(240, 300), (300, 300), (300, ground), (600, ground)], "ground")
    for joint in ((440, signal), (440, ground), (530, signal), (530, ground)):
        drawing.joint(joint)
    board(drawing, 600, 60, 400, {"5V (VIN)": supply, "GPIO34": signal, "GND": ground})
    drawing.text(
        (24, 420), "Switch off, lock, and have an electrician join the mains side. A clamp needs none of this.", "small"
    )
    drawing.save("acs712.svg")


def main() -> None:
    one_clamp("sct-013-030.svg", "SCT-013-030", burden=False)
    one_clamp("sct-013-000.svg", "SCT-013-000", burden=True)
    three_clamps()
    hall_sensor()


if __name__ == "__main__":
    main()
