"""Spans by exact coverage: how much of every pixel lies in each zone.

Green's theorem, cell by cell: an edge that falls by h inside a pixel adds ±h to everything on its right (*cover*) and ±
the strip between itself and the pixel's right side to the pixel (*area*). The coverage of a pixel is the cover summed
from the left plus its own area. Between pixels with edges the coverage is constant, so rows become a few spans again:
runs at full weight inside, runs at a lesser weight where a border runs level through the row, single pixels at
the border. Rings must be oriented (shells one way, holes the other) and must not cross themselves.

Weights are integers in units of 2**-shift, so sums are exact in any order. :func:`exact_sweep` is the kernel,
:func:`exact_spans` its twin that defines *correct* (it cuts every pixel with the polygon).
"""

# numba types these functions itself; what mypy makes of scalars in them is beside the point
# mypy: disable-error-code="arg-type, call-arg, call-overload, return-value, operator, no-any-return"

from __future__ import annotations

import numpy as np
import shapely
from numba import njit


@njit(cache=True, nogil=True)
def _sort_by_column(order: np.ndarray, columns: np.ndarray, start: int, end: int) -> None:
    """Sort the cell numbers ``order[start:end]`` by column, in place."""
    if end - start > 48:
        chosen = order[start:end].copy()
        order[start:end] = chosen[np.argsort(columns[chosen], kind="mergesort")]
        return
    for i in range(start + 1, end):
        cell = order[i]
        j = i - 1
        while j >= start and columns[order[j]] > columns[cell]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = cell


@njit(cache=True, nogil=True)
def _most_cells(edges: np.ndarray, row0: int, row1: int) -> int:
    """A bound on the pixels that the edges meet: a line enters a new row or a new column each time."""
    total = 0
    for e in range(edges.shape[0]):
        rows = min(np.int64(np.floor(edges[e, 3])), row1) - max(np.int64(np.floor(edges[e, 1])), row0) + 1
        total += max(rows, 0) + abs(np.int64(np.floor(edges[e, 2])) - np.int64(np.floor(edges[e, 0]))) + 2
    return total


@njit(cache=True, nogil=True)
def _edge_cells(
    edges: np.ndarray,
    e: int,
    sign: float,
    rows: tuple[int, int],
    columns: np.ndarray,
    cell_rows: np.ndarray,
    values: np.ndarray,
    at: int,
) -> int:
    """Write what edge ``e`` adds to the pixels it meets, from ``at`` on; returns the next place."""
    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    slope = (x2 - x1) / (y2 - y1)
    first, end = max(np.int64(np.floor(y1)), rows[0]), min(np.int64(np.ceil(y2)), rows[1])
    ya = max(y1, np.float64(first))
    xa = x1 if ya == y1 else min(max(x1 + (ya - y1) * slope, min(x1, x2)), max(x1, x2))
    for row in range(first, end):
        if row + 1.0 >= y2:
            yb, xb = y2, x2
        else:
            yb = row + 1.0
            xb = min(max(x1 + (yb - y1) * slope, min(x1, x2)), max(x1, x2))
        fall = sign * (yb - ya)
        left, right = min(xa, xb), max(xa, xb)
        column, last = np.int64(np.floor(left)), np.int64(np.floor(right))
        rate = fall / (right - left) if last > column else 0.0
        while column <= last:
            enter, leave = max(left, np.float64(column)), min(right, column + 1.0)
            part = rate * (leave - enter) if rate != 0.0 else fall
            columns[at], cell_rows[at] = column, row - rows[0]
            values[at, 0] = part
            values[at, 1] = part * (column + 1.0 - 0.5 * (enter + leave))
            at += 1
            column += 1
        xa, ya = xb, yb
    return at


@njit(cache=True, nogil=True)
def _add_span(
    spans: np.ndarray, weights: np.ndarray, count: int, row: int, first: int, end: int, zone: int, weight: int
) -> int:
    """Write a span, or lengthen the one before where it goes on unchanged; returns how many spans there are."""
    if weight <= 0 or end <= first:
        return count
    last = count - 1
    if (
        last >= 0
        and spans[last, 0] == row
        and spans[last, 2] == first
        and spans[last, 3] == zone
        and weights[last] == weight
    ):
        spans[last, 2] = end
        return count
    spans[count, 0], spans[count, 1], spans[count, 2], spans[count, 3] = row, first, end, zone
    weights[count] = weight
    return count + 1


@njit(cache=True, nogil=True)
def exact_sweep(
    edges: np.ndarray, zones: np.ndarray, signs: np.ndarray, row0: int, row1: int, shift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted spans of the rows ``row0 … row1-1``, not clipped to any raster.

    edges    (edge, 4)  x1, y1, x2, y2 with y1 < y2, edges of a zone together
    zones    (edge)     int32;  signs (edge) float: +1 where the zone lies to the right of the edge, −1 to the left
    returns  (span, 4)  int64: row − row0, first column, end column, zone;  weights (span) in 2**-shift
    """
    one = np.float64(1 << shift)
    height = row1 - row0
    most = _most_cells(edges, row0, row1)
    spans, weights = np.empty((2 * most, 4), np.int64), np.empty(2 * most, np.int64)
    columns, cell_rows = np.empty(most, np.int64), np.empty(most, np.int32)
    values = np.empty((most, 2))  # cover and area
    order = np.empty(most, np.int64)
    starts = np.zeros(height + 1, np.int64)
    count = begin = 0
    while begin < edges.shape[0]:
        end, cells = begin, 0
        while end < edges.shape[0] and zones[end] == zones[begin]:
            cells = _edge_cells(edges, end, signs[end], (row0, row1), columns, cell_rows, values, cells)
            end += 1
        _order_by_row(cell_rows, cells, starts, order)
        for row in range(height):
            i, stop = starts[row], starts[row + 1]
            _sort_by_column(order, columns, i, stop)
            cover = 0.0
            next_column = columns[order[i]] if i < stop else 0
            while i < stop:
                column = columns[order[i]]
                level = np.int64(np.rint(min(max(cover, 0.0), 1.0) * one))
                count = _add_span(spans, weights, count, row, next_column, column, zones[begin], level)
                area = cover
                while i < stop and columns[order[i]] == column:
                    area += values[order[i], 1]
                    cover += values[order[i], 0]
                    i += 1
                level = np.int64(np.rint(min(max(area, 0.0), 1.0) * one))
                count = _add_span(spans, weights, count, row, column, column + 1, zones[begin], level)
                next_column = column + 1
        begin = end
    return spans[:count].copy(), weights[:count].copy()


@njit(cache=True, nogil=True)
def _order_by_row(cell_rows: np.ndarray, cells: int, starts: np.ndarray, order: np.ndarray) -> None:
    """Numbers of the cells row by row: those of row r are ``order[starts[r]:starts[r+1]]``."""
    starts[:] = 0
    for cell in range(cells):
        starts[cell_rows[cell] + 1] += 1
    for row in range(starts.size - 1):
        starts[row + 1] += starts[row]
    for cell in range(cells - 1, -1, -1):
        row = cell_rows[cell]
        starts[row + 1] -= 1
        order[starts[row + 1]] = cell
    # each start now stands one row too far to the right: starts[r+1] is where row r begins
    for row in range(starts.size - 1):
        starts[row] = starts[row + 1]
    starts[starts.size - 1] = cells


def exact_spans(polygon: shapely.Geometry, row0: int, row1: int, shift: int) -> dict[tuple[int, int], int]:
    """The twin of :func:`exact_sweep` for one polygon in pixels: (row, column) → weight, by cutting each pixel."""
    left, _, right, _ = polygon.bounds
    columns = np.arange(int(np.floor(left)), int(np.ceil(right)) + 1)
    weights = {}
    for row in range(row0, row1):
        cut = shapely.area(shapely.intersection(shapely.box(columns, row, columns + 1, row + 1), polygon))
        levels = np.rint(np.clip(cut, 0, 1) * (1 << shift)).astype(np.int64)
        weights.update({(row, int(c)): int(w) for c, w in zip(columns, levels, strict=True) if w > 0})
    return weights
