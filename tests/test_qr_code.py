"""A QR code says what it was given, and is dark on white."""

import base64
import hashlib
import io

from PIL import Image
import pytest

from custom_components.amp_sensor.flows.qr_code import LONGEST, SIZE, matrix, png_url

URL = "http://192.168.1.2:8123/api/webhook/" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        (URL, "2f02736634dc1473e4d842facd3ed5c4f2142b3153d71a52c498fc9cc8552da8"),
        ("x" * LONGEST, "c27cc0ff6ff3c0382f94c6c3969cdd8f035b153e22b5c1552375ab7b41e6f87c"),
        (
            "https://example.ui.nabu.casa/api/webhook/0",
            "e518d86b21530ef04fe2086e257acd12d31a3ce20bc20ba99e51d5405c00e21e",
        ),
    ],
)
def test_it_is_module_for_module_what_another_program_makes_of_it(text: str, modules: str) -> None:
    """The sums are of what the package qrcode 8.2 makes: version 9, error correction L, mask 0, bytes."""
    text = "".join(str(int(dark)) for row in matrix(text) for dark in row)
    assert hashlib.sha256(text.encode()).hexdigest() == modules


def test_the_image_is_the_code_dark_on_white_with_a_quiet_margin() -> None:
    data = base64.b64decode(png_url(URL).removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(data)) as image:
        side = 5 * (SIZE + 8)
        assert image.size == (side, side)
        shown = [[image.getpixel((5 * x + 2, 5 * y + 2)) == 0 for x in range(SIZE + 8)] for y in range(SIZE + 8)]
    quiet = [False] * 4
    light = [[False] * (SIZE + 8)] * 4
    assert shown == [*light, *([*quiet, *row, *quiet] for row in matrix(URL)), *light]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="231 bytes are too long"):
        matrix("x" * (LONGEST + 1))
