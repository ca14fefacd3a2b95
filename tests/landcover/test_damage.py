"""Damaged files end in an error that names the place, or in the right answer: never in a crash, a hang or a zero."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import shapely
from maps import counted, north_up, plain_counts, region_frame, write_raster

from cobalance.landcover import Options, Tabulation, tabulate
from cobalance.landcover.tiff import TILE_BYTES, TILE_OFFSETS, DamagedIndex, NotTiff, read_tile_index
from cobalance.vocabulary.errors import CobalanceError

SHAPE = shapely.box(0, 0, 64, 64)
PIXELS = np.random.default_rng(8).integers(0, 4, (64, 64)).astype(np.uint8)
RIGHT = plain_counts(PIXELS, north_up(0, 64, 1, 1), [SHAPE])


def _run(path: Path, **options: object) -> Tabulation:
    return tabulate({2000: path}, region_frame([SHAPE]), Options(threads=1, **options))  # type: ignore[arg-type]


def _entry(data: bytes, tag: int) -> int:
    """Where a tag's entry begins in the first directory of a little-endian classic TIFF."""
    start = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, start)[0]):
        if struct.unpack_from("<H", data, start + 2 + 12 * i)[0] == tag:
            return start + 2 + 12 * i
    raise AssertionError(tag)


def _patched(tag: int, at: int, layout: str, value: int) -> Callable[[bytes], bytes]:
    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        struct.pack_into(layout, changed, _entry(data, tag) + at, value)
        return bytes(changed)

    return damage


def _array_value(tag: int, number: int, value: int) -> Callable[[bytes], bytes]:
    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        kind, offset = struct.unpack_from("<H", data, _entry(data, tag) + 2)[0], _entry(data, tag) + 8
        size, layout = (2, "<H") if kind == 3 else (4, "<I")
        struct.pack_into(layout, changed, struct.unpack_from("<I", data, offset)[0] + size * number, value)
        return bytes(changed)

    return damage


def _flip(tile: int, byte: int) -> Callable[[bytes], bytes]:
    def damage(data: bytes) -> bytes:
        offset = struct.unpack_from("<I", data, _entry(data, TILE_OFFSETS) + 8)[0]
        at = struct.unpack_from("<I", data, offset + 4 * tile)[0] + byte
        return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]

    return damage


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "four bytes": lambda data: data[:4],
    "header only": lambda data: data[:8],
    "cut in the middle": lambda data: data[: len(data) // 2],
    "last byte missing": lambda data: data[:-1],
    "not a TIFF": lambda data: b"PK" + data[2:],
    "directory beyond the end": lambda data: data[:4] + struct.pack("<I", 2**31) + data[8:],
    "directory at zero": lambda data: data[:4] + struct.pack("<I", 0) + data[8:],
    "absurd number of entries": lambda data: (
        data[: (at := struct.unpack_from("<I", data, 4)[0])] + struct.pack("<H", 65535) + data[at + 2 :]
    ),
    "absurd width": _patched(256, 8, "<I", 2**31 - 1),
    "zero height": _patched(257, 8, "<I", 0),
    "zero tile width": _patched(322, 8, "<I", 0),
    "absurd tile height": _patched(323, 8, "<I", 2**20),
    "unknown compression": _patched(259, 8, "<H", 777),
    "wrong compression": _patched(259, 8, "<H", 5),
    "too many offsets": _patched(TILE_OFFSETS, 4, "<I", 2**30),
    "too few sizes": _patched(TILE_BYTES, 4, "<I", 3),
    "a float for an offset": _patched(TILE_OFFSETS, 2, "<H", 12),
    "an offset beyond the end": _array_value(TILE_OFFSETS, 5, 2**31),
    "an offset on another tile": _array_value(TILE_OFFSETS, 5, 20),
    "a size beyond the end": _array_value(TILE_BYTES, 3, 60_000),
    "a size cut short": _array_value(TILE_BYTES, 3, 9),
    "a flipped first byte": _flip(2, 0),
    "a flipped byte in a tile": _flip(7, 40),
    "a flipped checksum": _flip(7, 60),
    "wrong predictor": _patched(339, 0, "<H", 60_000),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_an_error_that_names_the_place_or_the_right_answer(tmp_path: Path, name: str) -> None:
    path = write_raster(tmp_path / "map.tif", PIXELS)
    path.write_bytes(DAMAGES[name](path.read_bytes()))
    try:
        found = counted(_run(path).pixels)
    except CobalanceError as error:
        assert {problem.code for problem in error.problems} <= {"E601", "E604", "E608", "E609", "E626"}
        assert "map.tif" in str(error)
    else:
        assert found == RIGHT


def test_most_damages_are_noticed(tmp_path: Path) -> None:
    """The test above would pass if damage were harmless: all but these two are refused."""
    refused = set()
    for number, (name, damage) in enumerate(DAMAGES.items()):
        path = write_raster(tmp_path / f"{number}.tif", PIXELS)
        path.write_bytes(damage(path.read_bytes()))
        try:
            _run(path)
        except CobalanceError:
            refused.add(name)
    assert set(DAMAGES) - refused <= {"wrong predictor", "last byte missing"}


def test_a_damaged_tile_is_named(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", PIXELS)
    path.write_bytes(_flip(7, 40)(path.read_bytes()))
    offset = read_tile_index(path).offsets[1, 3]
    with pytest.raises(CobalanceError, match=rf"E609 .*map.tif: Tile \(row 1, column 3\) at byte {offset} .* decoded"):
        _run(path)


def test_unread_tiles_are_listed_and_never_zero(tmp_path: Path) -> None:
    """The damaged tile holds the only pixels of class 9: that class is missing, the others lower bounds."""
    pixels = PIXELS.copy()
    pixels[16:32, 48:64] = 9
    path = write_raster(tmp_path / "map.tif", pixels)
    other = write_raster(tmp_path / "other.tif", np.where(pixels == 9, 9, 1).astype(np.uint8))
    data = path.read_bytes()
    index = read_tile_index(path)
    at = int(index.offsets[1, 3]) + int(index.sizes[1, 3]) - 1
    path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    result = tabulate({1: path, 2: other}, region_frame([SHAPE]), Options(threads=1, unread="list"))
    assert [(tile.row, tile.column) for tile in result.unread] == [(1, 3)]
    assert result.notices[0].code == "W603"
    row = result.conservation.iloc[0]
    assert (row["unread_pixels"], row["classified_pixels"], row["total_pixels"]) == (256, 4096 - 256, 4096)
    assert np.isnan(result.pixels.sel(year=1, land_class=9).item())
    assert result.pixels.sel(year=2, land_class=9).item() == 256
    assert result.pixels.sel(year=1, land_class=1).item() == (pixels == 1).sum()


def test_the_index_reader_tells_what_is_wrong(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", PIXELS)
    good = path.read_bytes()
    cases = {
        "directory beyond the end": "outside the file",
        "absurd number of entries": "claims 65535 entries",
        "too many offsets": "lie outside the file",
        "too few sizes": "16 tiles are due, 16 offsets and 3 sizes",
        "an offset beyond the end": re.escape("tile (row 1, column 1)"),
        "a float for an offset": "type 12, not an integer",
    }
    for name, words in cases.items():
        path.write_bytes(DAMAGES[name](good))
        with pytest.raises(DamagedIndex, match=words):
            read_tile_index(path)
    path.write_bytes(b"GIF89a")
    with pytest.raises(NotTiff):
        read_tile_index(path)
