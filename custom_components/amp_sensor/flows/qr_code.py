"""A QR code that is dark on white in every theme.

Home Assistant's own is light on dark at night, which many scanners do not read. This one always is of version 9 with
error correction L (ISO/IEC 18004), which holds the longest address: one size needs no tables.
"""

from base64 import b64encode
from collections.abc import Iterator
from itertools import chain, product
import struct
from typing import Final
import zlib

SIZE: Final = 53
LONGEST: Final = 230
"""Bytes that it holds."""
_BLOCKS, _DATA, _CHECK = 2, 116, 30
"""Blocks, and their bytes of data and for error correction."""
_ALIGNMENT: Final = (6, 26, 46)
_FORMAT: Final = 0b111011111000100
"""Error correction L and mask 0, with their own error correction."""
_VERSION: Final = 0b001001101010011001
_MARGIN, _PIXELS = 4, 5
"""Modules around it, and pixels of one."""


def png_url(text: str) -> str:
    """Return an image of the code as a data URL."""
    side = (SIZE + 2 * _MARGIN) * _PIXELS
    modules = matrix(text)
    white = b"\0" + b"\xff" * -(-side // 8)  # no filter, then eight pixels a byte
    rows = [white] * (_MARGIN * _PIXELS)
    for line in modules:
        bits = [1] * (_MARGIN * _PIXELS) + [int(not dark) for dark in line for _ in range(_PIXELS)]
        bits += [1] * (8 * (len(white) - 1) - len(bits))
        rows += [b"\0" + int("".join(map(str, bits)), 2).to_bytes(len(white) - 1)] * _PIXELS
    rows += [white] * (_MARGIN * _PIXELS)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    image = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return f"data:image/png;base64,{b64encode(image).decode()}"


def matrix(text: str) -> list[list[bool]]:
    """Return the code by rows: True is dark."""
    fixed = _fixed()
    bits = (byte >> shift & 1 for byte in _codewords(text.encode()) for shift in range(7, -1, -1))
    for row, column in _way():
        if (row, column) not in fixed:
            fixed[row, column] = bool(next(bits)) != ((row + column) % 2 == 0)
    return [[fixed[row, column] for column in range(SIZE)] for row in range(SIZE)]


def _fixed() -> dict[tuple[int, int], bool]:
    """Return what is the same in each code of this version and mask, by row and column."""
    fixed: dict[tuple[int, int], bool] = {}

    def draw(row: int, column: int, radius: int, light: tuple[int, ...]) -> None:
        for y, x in product(range(-radius, radius + 1), repeat=2):
            if 0 <= row + y < SIZE and 0 <= column + x < SIZE:
                fixed[row + y, column + x] = max(abs(y), abs(x)) not in light

    for at in range(SIZE):
        fixed[6, at] = fixed[at, 6] = at % 2 == 0
    ends = (3, SIZE - 4)
    for row, column in product(_ALIGNMENT, repeat=2):
        if (row, column) not in ((6, 6), (6, 46), (46, 6)):
            draw(row, column, 2, (1,))
    for row, column in ((ends[0], ends[0]), (ends[0], ends[1]), (ends[1], ends[0])):
        draw(row, column, 4, (2, 4))
    for bit in range(18):
        near, far = bit // 3, SIZE - 11 + bit % 3
        fixed[near, far] = fixed[far, near] = bool(_VERSION >> bit & 1)
    down = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    along = [(8, SIZE - 1 - bit) for bit in range(8)] + [(SIZE - 15 + bit, 8) for bit in range(8, 15)]
    for place, bit in chain(zip(down, range(15), strict=True), zip(along, range(15), strict=True)):
        fixed[place] = bool(_FORMAT >> bit & 1)
    fixed[SIZE - 8, 8] = True
    return fixed


def _way() -> Iterator[tuple[int, int]]:
    """Yield the places of the bits: in pairs of columns from the right, up and down in turn, past the column at 6."""
    for pair, right in enumerate([*range(SIZE - 1, 6, -2), *range(5, 0, -2)]):
        rows = range(SIZE) if pair % 2 else range(SIZE - 1, -1, -1)
        yield from ((row, column) for row in rows for column in (right, right - 1))


def _codewords(data: bytes) -> Iterator[int]:
    """Return mode, length, data and filling in blocks, each with what corrects it, taken in turn from both."""
    if len(data) > LONGEST:
        raise ValueError(f"{len(data)} bytes are too long for a QR code of {LONGEST}")
    whole = int.from_bytes(data) << 4 | (0b0100 << 8 | len(data)) << 8 * len(data) + 4
    content = whole.to_bytes(len(data) + 2) + b"\xec\x11" * LONGEST
    blocks = [content[block * _DATA : (block + 1) * _DATA] for block in range(_BLOCKS)]
    yield from chain.from_iterable(zip(*blocks, strict=True))
    yield from chain.from_iterable(zip(*map(_check, blocks), strict=True))


def _check(block: bytes) -> list[int]:
    """Return the rest of a Reed-Solomon division."""
    divisor = [1]
    for power in range(_CHECK):
        root = _times_two(1, power)
        divisor = [left ^ _product(right, root) for left, right in zip([*divisor, 0], [0, *divisor], strict=True)]
    rest = [*block, *[0] * _CHECK]
    for at in range(_DATA):
        factor = rest[at]
        for offset, value in enumerate(divisor):
            rest[at + offset] ^= _product(value, factor)
    return rest[_DATA:]


def _times_two(value: int, times: int) -> int:
    """Double in the field of 256 elements."""
    for _ in range(times):
        value <<= 1
        if value & 0x100:
            value ^= 0x11D
    return value


def _product(one: int, other: int) -> int:
    """Multiply in that field."""
    product_ = 0
    for bit in range(8):
        if other >> bit & 1:
            product_ ^= _times_two(one, bit)
    return product_
