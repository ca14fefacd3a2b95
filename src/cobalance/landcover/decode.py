"""Readers of tiles: bytes of a file → pixels in a buffer that is used again and again.

:class:`TileReader` decodes uncompressed, deflate, LZW and ZSTD tiles (predictor 1 or 2) straight from the file;
:class:`GdalReader` reads whatever GDAL can open (VRT, HTTP, other codecs, masks) block by block. Both hand over the
stored bytes of a tile (or none), so that a tile that has not changed since last year need not be decoded again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import imagecodecs
import numpy as np
import rasterio
from rasterio.windows import Window

from cobalance.landcover.lzw import decode_lzw
from cobalance.landcover.popcount import BLOCK_BYTES

NONE, LZW, DEFLATE, OLD_DEFLATE, ZSTD = 1, 5, 8, 32946, 50000
_LZW_CLEAR = 0x80  # the first eight bits of the nine-bit code 256, with which a stream begins
CODECS = {NONE, LZW, DEFLATE, OLD_DEFLATE, ZSTD}


class DamagedTile(Exception):
    """A tile cannot be read; ``offset`` is the byte of the file where it begins (-1: unknown)."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.what, self.offset = what, offset


@dataclass(frozen=True)
class TileFile:
    """What a worker needs to read the tiles of one band of one file: small, and it can be sent anywhere.

    offsets, sizes  (tile row in the band, tile column)  int64, empty for the GDAL reader
    fill            value of a sparse tile;  masked: value put where a mask hides a pixel (None: no mask)
    """

    path: str
    dtype: str
    tile_width: int
    tile_height: int
    width: int
    height: int
    first_row: int
    compression: int
    predictor: int
    fill: int
    masked: int | None
    native: bool
    striped: bool
    offsets: np.ndarray
    sizes: np.ndarray


class Reader(Protocol):
    """Decodes tiles of one band of one file."""

    def stored(self, row: int, column: int) -> bytes | None:
        """The stored bytes of a tile; None where they are not at hand."""

    def decode(self, stored: bytes | None, row: int, column: int, out: np.ndarray) -> None:
        """Decode a tile into ``out`` (tile pixels, flat). Raises :class:`DamagedTile`."""

    def close(self) -> None: ...


def empty_tile(file: TileFile) -> np.ndarray:
    """A buffer for one tile, with the room that block-wise counting reads beyond the last pixel."""
    dtype = np.dtype(file.dtype)
    return np.empty(file.tile_width * file.tile_height + BLOCK_BYTES // dtype.itemsize, dtype)


def open_reader(file: TileFile) -> Reader:
    """The reader that fits the file."""
    return TileReader(file) if file.native else GdalReader(file)


class TileReader:
    """Decodes the tiles of a TIFF without GDAL."""

    def __init__(self, file: TileFile) -> None:
        self._file = file
        self._descriptor = os.open(file.path, os.O_RDONLY)
        self._dtype = np.dtype(file.dtype)

    def close(self) -> None:
        os.close(self._descriptor)

    def stored(self, row: int, column: int) -> bytes:
        size = int(self._file.sizes[row, column])
        if size == 0:
            return b""
        offset = int(self._file.offsets[row, column])
        data = os.pread(self._descriptor, size, offset)
        if len(data) < size:
            raise DamagedTile(f"{len(data)} of {size} bytes are there", offset)
        return data

    def decode(self, stored: bytes | None, row: int, column: int, out: np.ndarray) -> None:
        file = self._file
        if not stored:
            out[:] = file.fill
            return
        rows = file.tile_height
        if file.striped:  # a last strip is cut at the raster's end
            rows = min(rows, file.height - (file.first_row + row * file.tile_height))
        pixels = out[: rows * file.tile_width]
        raw = pixels.view(np.uint8)
        offset = int(file.offsets[row, column])
        try:
            written = _decoded(file.compression, stored, raw)
        except Exception as error:  # each codec has its own error class
            raise DamagedTile(str(error), offset) from error
        if written != raw.size:
            raise DamagedTile(f"it decodes to {written} bytes, not {raw.size}", offset)
        if file.predictor == 2:
            grid = pixels.reshape(rows, file.tile_width)
            imagecodecs.delta_decode(grid, axis=1, out=grid)


def _decoded(compression: int, stored: bytes, raw: Any) -> int:
    """Decode into ``raw`` (bytes, with a block's room behind them); returns how many came."""
    if compression == NONE:
        count = min(len(stored), raw.size)
        raw[:count] = np.frombuffer(stored, np.uint8, count)
        return count
    if compression in (DEFLATE, OLD_DEFLATE):
        return len(imagecodecs.deflate_decode(stored, out=raw))
    if compression == ZSTD:
        return len(imagecodecs.zstd_decode(stored, out=raw))
    if stored[0] != _LZW_CLEAR:  # the bit order of very old files
        return len(imagecodecs.lzw_decode(stored, out=raw))
    written = decode_lzw(np.frombuffer(stored + b"\0\0\0", np.uint8), raw)
    if written < 0:
        raise ValueError("a code without a meaning")
    return written


class GdalReader:
    """Reads blocks of a raster through GDAL; masked pixels become ``masked``."""

    def __init__(self, file: TileFile) -> None:
        self._file = file
        self._dataset = rasterio.open(file.path)

    def close(self) -> None:
        self._dataset.close()

    def stored(self, row: int, column: int) -> None:
        return None

    def decode(self, stored: bytes | None, row: int, column: int, out: np.ndarray) -> None:
        file = self._file
        top, left = file.first_row + row * file.tile_height, column * file.tile_width
        rows, columns = min(file.tile_height, file.height - top), min(file.tile_width, file.width - left)
        window = Window(left, top, columns, rows)  # type: ignore[call-arg]
        grid = out[: file.tile_height * file.tile_width].reshape(file.tile_height, file.tile_width)
        try:
            values = self._dataset.read(1, window=window)
            hidden = None if file.masked is None else self._dataset.read_masks(1, window=window) == 0
        except rasterio.errors.RasterioError as error:
            raise DamagedTile(_first_cause(error), -1) from error
        grid[:rows, :columns] = values.view(file.dtype) if values.itemsize == out.itemsize else values
        if hidden is not None:
            grid[:rows, :columns][hidden] = file.masked


def _first_cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)


def local_path(path: str) -> Path | None:
    """The path of a file on this machine, or None for an address that only GDAL can open."""
    return None if "://" in path or path.startswith("/vsi") else Path(path)
