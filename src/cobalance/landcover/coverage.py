"""Spans by exact coverage: how much of every pixel lies in each zone.

Green's theorem, cell by cell: an edge that falls by h inside a pixel adds ±h to everything on its right (*cover*) and ±
the strip between itself and the pixel's right side to the pixel (*area*). The coverage of a pixel is the cover summed
from the left plus its own area. Between pixels with edges the coverage is constant, so rows become a few spans again:
runs at full weight inside, runs at a lesser weight where a border runs level through the row, single pixels at
the border. Rings must be oriented (shells one way, holes the other) and must not cross themselves.

Weights are integers in units of 2**-shift, so sums are exact in any order. :func:`exact_sweep` is the kernel,
:func:`exact_spans` its twin that defines *correct* (it cuts every pixel with the polygon).
"""

from __future__ import annotations

import numpy as np
import shapely
from numba import njit



@njit(cache=True, nogil=True)
def _sort_cells(columns: np.ndarray, covers: np.ndarray, areas: np.ndarray, start: int, end: int) -> None:
    """Sort the cells ``start … end-1`` by column, in place."""
    if end - start > 48:
        order = np.argsort(columns[start:end], kind="mergesort")
        columns[start:end] = columns[start:end][order]
        covers[start:end] = covers[start:end][order]
        areas[start:end] = areas[start:end][order]
        return
    for i in range(start + 1, end):
        column, cover, area = columns[i], covers[i], areas[i]
        j = i - 1
        while j >= start and columns[j] > column:
            columns[j + 1], covers[j + 1], areas[j + 1] = columns[j], covers[j], areas[j]
            j -= 1
        columns[j + 1], covers[j + 1], areas[j + 1] = column, cover, area


@njit(cache=True, nogil=True)
def _x_at(edges: np.ndarray, e: int, y: float) -> float:
    """Where edge ``e`` is at height ``y``; at its ends exactly the end points."""
    x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    if y <= y1:
        return x1
    if y >= y2:
        return x2
    return (y - y1) * (x2 - x1) / (y2 - y1) + x1


@njit(cache=True, nogil=True)
def _cell_counts(edges: np.ndarray, begin: int, end: int, row0: int, row1: int, counts: np.ndarray) -> int:
    """Count the pixels that each edge meets, by row; returns how many in all."""
    total = 0
    for e in range(begin, end):
        for row in range(
            max(np.int64(np.floor(edges[e, 1])), row0), min(np.int64(np.ceil(edges[e, 3])), row1)
        ):
            xa, xb = _x_at(edges, e, np.float64(row)), _x_at(edges, e, row + 1.0)
            met = abs(np.int64(np.floor(xb)) - np.int64(np.floor(xa))) + 1
            counts[row - row0] += met
            total += met
    return total


@njit(cache=True, nogil=True)
def _fill_cells(
    edges: np.ndarray,
    signs: np.ndarray,
    e: int,
    row: int,
    columns: np.ndarray,
    covers: np.ndarray,
    areas: np.ndarray,
    at: int,
) -> int:
    """Write what edge ``e`` adds to the pixels it meets in ``row``, from ``at`` on; returns the next place."""
    ya, yb = max(edges[e, 1], np.float64(row)), min(edges[e, 3], row + 1.0)
    xa, xb = _x_at(edges, e, ya), _x_at(edges, e, yb)
    left, right = min(xa, xb), max(xa, xb)
    fall = signs[e] * (yb - ya)
    for column in range(np.int64(np.floor(left)), np.int64(np.floor(right)) + 1):
        enter, leave = max(left, np.float64(column)), min(right, column + 1.0)
        part = fall if right == left else fall * ((leave - enter) / (right - left))
        columns[at] = column
        covers[at] = part
        areas[at] = part * (column + 1.0 - 0.5 * (enter + leave))
        at += 1
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
    counts = np.zeros(height, np.int64)
    total = _cell_counts(edges, 0, edges.shape[0], row0, row1, counts)
    spans = np.empty((2 * total, 4), np.int64)
    weights = np.empty(2 * total, np.int64)
    columns, covers, areas = np.empty(total, np.int64), np.empty(total), np.empty(total)
    starts = np.zeros(height + 1, np.int64)
    count = begin = 0
    while begin < edges.shape[0]:
        end = begin
        while end < edges.shape[0] and zones[end] == zones[begin]:
            end += 1
        counts[:] = 0
        _cell_counts(edges, begin, end, row0, row1, counts)
        for row in range(height):
            starts[row + 1] = starts[row] + counts[row]
            counts[row] = starts[row]
        for e in range(begin, end):
            for row in range(
                max(np.int64(np.floor(edges[e, 1])), row0), min(np.int64(np.ceil(edges[e, 3])), row1)
            ):
                at = counts[row - row0]
                counts[row - row0] = _fill_cells(edges, signs, e, row, columns, covers, areas, at)
        for row in range(height):
            i, stop = starts[row], counts[row]
            _sort_cells(columns, covers, areas, i, stop)
            cover = 0.0
            next_column = columns[i] if i < stop else 0
            while i < stop:
                column = columns[i]
                level = np.int64(np.rint(min(max(cover, 0.0), 1.0) * one))
                count = _add_span(spans, weights, count, row, next_column, column, zones[begin], level)
                area = cover
                while i < stop and columns[i] == column:
                    area += areas[i]
                    cover += covers[i]
                    i += 1
                level = np.int64(np.rint(min(max(area, 0.0), 1.0) * one))
                count = _add_span(spans, weights, count, row, column, column + 1, zones[begin], level)
                next_column = column + 1
        begin = end
    return spans[:count], weights[:count]


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
