"""The index of a TIFF or BigTIFF file: where each tile lies, read once, without touching a pixel.

Only what the fast reader needs is read, and every number is checked against the file's size: a damaged index ends in
a :class:`DamagedIndex` that names the place, never in a crash, a hang or an absurd allocation. After the TIFF 6.0
specification (Adobe 1992) and the BigTIFF extension.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_TYPE_CODES = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

WIDTH, LENGTH, BITS, COMPRESSION, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = (
    256, 257, 258, 259, 273, 277, 278, 279,
)  # fmt: skip
PLANAR, PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_BYTES, SAMPLE_FORMAT = (
    284, 317, 322, 323, 324, 325, 339,
)  # fmt: skip
_WANTED = {
    WIDTH, LENGTH, BITS, COMPRESSION, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES,
    PLANAR, PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_BYTES, SAMPLE_FORMAT,
}  # fmt: skip


class NotTiff(Exception):
    """The file does not begin as a TIFF."""


class DamagedIndex(Exception):
    """The index contradicts itself or the file's size; ``offset`` is the byte where it stands."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.what, self.offset = what, offset


@dataclass(frozen=True)
class TileIndex:
    """Where the tiles (or strips: tiles as wide as the raster) of the first image lie.

    offsets, sizes  (tile row, tile column)  int64 bytes; size 0: a sparse tile, nothing stored
    """

    width: int
    height: int
    tile_width: int
    tile_height: int
    dtype: str
    byte_order: str
    compression: int
    predictor: int
    samples: int
    striped: bool
    offsets: np.ndarray
    sizes: np.ndarray


def read_tile_index(path: Path) -> TileIndex:
    """Read the index of the first image of a TIFF. Raises :class:`NotTiff`, :class:`DamagedIndex`, OSError."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        header = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(header[:2])
        if order is None or len(header) < 8:
            raise NotTiff
        magic = struct.unpack(order + "H", header[2:4])[0]
        if magic == 42:
            tags = _read_tags(stream, order, struct.unpack(order + "I", header[4:8])[0], size, big=False)
        elif magic == 43 and len(header) == 16:
            tags = _read_tags(stream, order, struct.unpack(order + "Q", header[8:16])[0], size, big=True)
        else:
            raise NotTiff
    return _index_of(tags, order, size)


def _read_tags(stream: BinaryIO, order: str, start: int, size: int, *, big: bool) -> dict[int, np.ndarray]:
    count_bytes, entry_bytes = (8, 20) if big else (2, 12)
    if not 8 <= start <= size - count_bytes:
        raise DamagedIndex("the first image directory lies outside the file", start)
    stream.seek(start)
    count = struct.unpack(order + ("Q" if big else "H"), stream.read(count_bytes))[0]
    if not 0 < count <= 4096 or start + count_bytes + count * entry_bytes > size:
        raise DamagedIndex(f"the image directory claims {count} entries", start)
    entries = stream.read(count * entry_bytes)
    tags: dict[int, np.ndarray] = {}
    for i in range(count):
        at = i * entry_bytes
        tag, kind = struct.unpack_from(order + "HH", entries, at)
        if tag not in _WANTED:
            continue
        number = struct.unpack_from(order + ("Q" if big else "I"), entries, at + 4)[0]
        place = start + count_bytes + at
        if kind not in _TYPE_CODES:
            raise DamagedIndex(f"tag {tag} has the type {kind}, not an integer", place)
        length = number * _TYPE_BYTES[kind]
        inline = entries[at + (12 if big else 8) : at + entry_bytes]
        if length <= len(inline):
            data = inline[:length]
        else:
            offset = struct.unpack(order + ("Q" if big else "I"), inline)[0]
            if offset + length > size:
                raise DamagedIndex(f"the {number} values of tag {tag} lie outside the file", place)
            stream.seek(offset)
            data = stream.read(length)
        tags[tag] = np.frombuffer(data, np.dtype(order + _TYPE_CODES[kind]))
    return tags


def _one(tags: dict[int, np.ndarray], tag: int, default: int | None = None) -> int:
    values = tags.get(tag)
    if values is None or values.size == 0:
        if default is None:
            raise DamagedIndex(f"tag {tag} is missing", 0)
        return default
    return int(values[0])


def _index_of(tags: dict[int, np.ndarray], order: str, size: int) -> TileIndex:
    width, height = _one(tags, WIDTH), _one(tags, LENGTH)
    striped = TILE_OFFSETS not in tags
    tile_width = width if striped else _one(tags, TILE_WIDTH)
    tile_height = min(_one(tags, ROWS_PER_STRIP, height), height) if striped else _one(tags, TILE_LENGTH)
    for name, value in (("width", width), ("height", height), ("tile width", tile_width), ("tile height", tile_height)):
        if not 0 < value < 2**31:
            raise DamagedIndex(f"the {name} is {value}", 0)
    across, down = -(-width // tile_width), -(-height // tile_height)
    samples = _one(tags, SAMPLES, 1)
    planes = samples if _one(tags, PLANAR, 1) == 2 else 1
    offsets = tags.get(STRIP_OFFSETS if striped else TILE_OFFSETS, np.empty(0))
    sizes = tags.get(STRIP_BYTES if striped else TILE_BYTES, np.empty(0))
    if not offsets.size == sizes.size == across * down * planes:
        raise DamagedIndex(
            f"{across * down * planes} tiles are due, {offsets.size} offsets and {sizes.size} sizes stand there", 0
        )
    first_plane = slice(0, across * down)
    starts, lengths = offsets[first_plane].astype(np.uint64), sizes[first_plane].astype(np.uint64)
    wrong = np.flatnonzero((lengths > 0) & ((starts > size) | (lengths > size) | (starts + lengths > size)))
    if wrong.size:
        row, column = divmod(int(wrong[0]), across)
        raise DamagedIndex(
            f"tile (row {row}, column {column}) and {wrong.size - 1} others lie outside the file", int(starts[wrong[0]])
        )
    bits, kind = _one(tags, BITS, 1), _one(tags, SAMPLE_FORMAT, 1)
    return TileIndex(
        width=width,
        height=height,
        tile_width=tile_width,
        tile_height=tile_height,
        dtype={1: "uint", 2: "int", 3: "float"}.get(kind, "other") + str(bits),
        byte_order=order,
        compression=_one(tags, COMPRESSION, 1),
        predictor=_one(tags, PREDICTOR, 1),
        samples=samples if planes == 1 else 1,
        striped=striped,
        offsets=starts.astype(np.int64).reshape(down, across),
        sizes=lengths.astype(np.int64).reshape(down, across),
    )
