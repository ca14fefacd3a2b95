"""Spans of a band of rows cut along the borders of tiles (and of area chunks), each with what its pixels are worth."""

# numba types these functions itself; what mypy makes of scalars in them is beside the point
# mypy: disable-error-code="arg-type, call-arg, call-overload, return-value, operator, no-any-return"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class TileGrid(NamedTuple):
    """The tiles of a band: size of a tile, and how many across and down. The last ones may hang over."""

    height: int
    width: int
    across: int
    down: int


@njit(cache=True, nogil=True)
def weighted_area(cell_area: int, weight: int, shift: int) -> int:
    """Area of ``weight`` · 2**-shift of a cell, rounded to the unit of ``cell_area``."""
    if shift == 0:
        return cell_area * weight
    return np.int64(np.rint(np.float64(cell_area) * (np.float64(weight) / np.float64(1 << shift))))


@njit(cache=True, nogil=True)
def tile_spans(
    spans: np.ndarray, weights: np.ndarray, cell_areas: np.ndarray, chunk: int, shift: int, grid: TileGrid
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clipped spans of a band, cut at borders of tiles and chunks and put together by tile.

    spans       (span, 4)  int64: row and columns in the band, zone;  weights (span) int64
    cell_areas  (row, chunk)  int64, area of one cell; a chunk is ``chunk`` columns of the band wide
    returns     starts (tile + 1): pieces of tile t are ``starts[t] … starts[t+1]-1``, tiles row by row;
                pieces (piece, 4) int32: row and columns in the tile, zone;  worth (piece, 2) int64: weight, area
    """
    starts = np.zeros(grid.across * grid.down + 1, np.int64)
    for s in range(spans.shape[0]):
        column, end = spans[s, 1], spans[s, 2]
        tile = column // grid.width
        tile_end, chunk_end = (tile + 1) * grid.width, (column // chunk + 1) * chunk
        tile += spans[s, 0] // grid.height * grid.across
        while column < end:
            starts[tile + 1] += 1
            column = min(end, tile_end, chunk_end)
            if column == tile_end:
                tile += 1
                tile_end += grid.width
            if column == chunk_end:
                chunk_end += chunk
    for t in range(starts.size - 1):
        starts[t + 1] += starts[t]
    pieces = np.empty((starts[-1], 4), np.int32)
    worth = np.empty((starts[-1], 2), np.int64)
    position = starts[:-1].copy()
    for s in range(spans.shape[0]):
        row, column, end, weight = spans[s, 0], spans[s, 1], spans[s, 2], weights[s]
        tile, piece_chunk = column // grid.width, column // chunk
        tile_end, chunk_end = (tile + 1) * grid.width, (piece_chunk + 1) * chunk
        down = row // grid.height
        tile += down * grid.across
        area = weighted_area(cell_areas[row, piece_chunk], weight, shift)
        while column < end:
            cut = min(end, tile_end, chunk_end)
            p = position[tile]
            position[tile] += 1
            pieces[p, 0], pieces[p, 3] = row - down * grid.height, spans[s, 3]
            pieces[p, 1], pieces[p, 2] = column - (tile_end - grid.width), cut - (tile_end - grid.width)
            worth[p, 0], worth[p, 1] = weight, area
            column = cut
            if column == tile_end:
                tile += 1
                tile_end += grid.width
            if column == chunk_end and column < end:
                piece_chunk += 1
                chunk_end += chunk
                area = weighted_area(cell_areas[row, piece_chunk], weight, shift)
    return starts, pieces, worth


@njit(cache=True, nogil=True)
def add_inside(pieces: np.ndarray, worth: np.ndarray, totals: np.ndarray) -> None:
    """Add weight and area of all pieces to ``totals`` (zone, 2): what the classes must sum to."""
    for p in range(pieces.shape[0]):
        length = pieces[p, 2] - pieces[p, 1]
        totals[pieces[p, 3], 0] += worth[p, 0] * length
        totals[pieces[p, 3], 1] += worth[p, 1] * length
