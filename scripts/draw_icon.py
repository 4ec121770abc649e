"""Draw the integration's icon: a split-core clamp around a wire, with the budget as a gauge on its core.

Writes icon.png (256 px) and icon@2x.png (512 px) into the integration's brand folder.
"""

import math
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

BRAND = Path(__file__).parent.parent / "custom_components" / "amp_sensor" / "brand"
SIZE = 512  # of the units below
SCALE = 4  # drawn larger, then scaled down: smooth edges

OUTER, INNER = 206, 118  # radii of the core
GAUGE, GAUGE_WIDTH = 163, 28
GAUGE_FROM, GAUGE_USED, GAUGE_TO = 197, 303, 343  # degrees, clockwise from the right
BOLT = [(284, 128), (184, 274), (244, 274), (218, 394), (328, 234), (266, 234), (310, 128)]

NAVY = (16, 30, 78)
CORE = [(74, 128, 222), (34, 62, 140)]
RIM = (176, 204, 255)
WIRE = [(170, 68, 28), (255, 176, 104), (170, 68, 28)]
BUDGET = [(76, 217, 140), (255, 202, 58), (242, 84, 75)]
LIGHTNING = [(255, 240, 140), (255, 172, 16)]

type Colour = tuple[int, ...]
type Box = tuple[float, float, float, float]


def scaled(*values: float) -> list[float]:
    return [value * SCALE for value in values]


def disc(radius: float, x: float = SIZE / 2, y: float = SIZE / 2) -> list[float]:
    return scaled(x - radius, y - radius, x + radius, y + radius)


def blend(stops: list[Colour], part: float) -> Colour:
    """Return the colour at `part` (0 to 1) of the way through `stops`."""
    at = part * (len(stops) - 1)
    index = min(int(at), len(stops) - 2)
    return tuple(round(a + (b - a) * (at - index)) for a, b in zip(stops[index], stops[index + 1], strict=True))


def gradient(stops: list[Colour], box: Box, *, across: bool = False) -> Image.Image:
    """Return a picture with `stops` running down, or across, `box`."""
    left, top, right, bottom = (round(value) for value in scaled(*box))
    length = right - left if across else bottom - top
    line = Image.new("RGB", (length, 1) if across else (1, length))
    line.putdata([blend(stops, position / (length - 1)) for position in range(length)])
    picture = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE))
    picture.paste(line.resize((right - left, bottom - top)), (left, top))
    return picture


class Icon:
    """The picture so far."""

    def __init__(self) -> None:
        self.picture = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE))

    def mask(self) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        mask = Image.new("L", self.picture.size)
        return mask, ImageDraw.Draw(mask)

    def paint(self, fill: Image.Image | Colour, where: Image.Image) -> None:
        part = (fill if isinstance(fill, Image.Image) else Image.new("RGB", self.picture.size, fill)).convert("RGBA")
        part.putalpha(where)
        self.picture.alpha_composite(part)

    def shade(self, where: Image.Image) -> None:
        """Cast the shadow of `where` on what is drawn so far, and on nothing else."""
        soft = ImageChops.offset(where, 0, 6 * SCALE).filter(ImageFilter.GaussianBlur(9 * SCALE))
        soft = ImageChops.multiply(soft.point(lambda value: value // 2), self.picture.getchannel("A"))
        self.paint(NAVY, soft)

    def wire(self) -> None:
        box = (224, 4, 288, 508)
        where, pen = self.mask()
        pen.rounded_rectangle(scaled(*box), radius=16 * SCALE, fill=255)
        self.paint(gradient(WIRE, box, across=True), where)

    def core(self) -> None:
        where, pen = self.mask()
        pen.rounded_rectangle(scaled(404, 204, 490, 308), radius=24 * SCALE, fill=255)  # the clasp
        pen.ellipse(disc(40, 56), fill=255)  # the hinge
        pen.ellipse(disc(OUTER), fill=255)
        pen.ellipse(disc(INNER), fill=0)
        pen.rectangle(scaled(360, 250, SIZE, 262), fill=0)  # where it opens
        self.shade(where)
        self.paint(gradient(CORE, (0, 40, SIZE, 472)), where)
        # Light on the edges: whatever a slightly smaller core would leave
        inside = where.filter(ImageFilter.MinFilter(4 * SCALE + 1))
        self.paint(RIM, ImageChops.subtract(where, inside).point(lambda value: value // 3))
        where, pen = self.mask()
        pen.ellipse(disc(13, 54), fill=255)
        self.paint(RIM, where)

    def gauge(self) -> None:
        pen = ImageDraw.Draw(self.picture)
        free = [(angle, NAVY) for angle in range(GAUGE_USED, GAUGE_TO + 1)]
        span = GAUGE_USED - GAUGE_FROM
        used = [(GAUGE_FROM + step, blend(BUDGET, 0.8 * step / span)) for step in range(span + 1)]
        for angle, colour in free + used:
            x, y = (SIZE / 2 + GAUGE * way(math.radians(angle)) for way in (math.cos, math.sin))
            pen.ellipse(disc(GAUGE_WIDTH / 2, x, y), fill=colour)

    def bolt(self) -> None:
        where, pen = self.mask()
        pen.polygon([(x * SCALE, y * SCALE) for x, y in BOLT], fill=255)
        outline = where.filter(ImageFilter.GaussianBlur(6 * SCALE)).point(lambda value: 255 if value > 8 else 0)
        self.shade(outline)
        self.paint(NAVY, outline)
        self.paint(gradient(LIGHTNING, (0, 100, SIZE, 410)), where)


def main() -> None:
    icon = Icon()
    icon.wire()
    icon.core()
    icon.gauge()
    icon.bolt()
    BRAND.mkdir(exist_ok=True)
    for name, size in (("icon.png", 256), ("icon@2x.png", 512)):
        icon.picture.resize((size, size), Image.Resampling.LANCZOS).save(BRAND / name, optimize=True)


if __name__ == "__main__":
    main()
