"""Spans by the pixel-centre rule: which run of pixels of each row has its centres inside each zone.

All coordinates are pixels: x to the right, y down, pixel (row r, column c) covers [c, c+1) × [r, r+1) and has its
centre at (c + ½, r + ½). A centre on a border belongs to one side only, GDAL's rule: an edge from y1 to y2 > y1 is
crossed by row r where y1 ≤ r + ½ < y2, and between two crossings a < b the columns ⌊a + ½⌋ … ⌊b + ½⌋ − 1 are
inside. Neighbours that share an edge therefore share no pixel and leave none between them. What level edges through
pixel centres add is in ``level_edges``.

:func:`centre_sweep` is the kernel, :func:`centre_spans` its NumPy twin that defines *correct*.
"""

# numba types these functions itself; what mypy makes of scalars in them is beside the point
# mypy: disable-error-code="arg-type, call-arg, call-overload, return-value, operator, no-any-return"

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def first_row(y: float) -> int:
    """The first row whose centre is at or below ``y``."""
    row = np.int64(np.floor(y - 0.5))
    while row + 0.5 < y:
        row += 1
    return row


@njit(cache=True, nogil=True)
def sort_slice(values: np.ndarray, start: int, end: int) -> None:
    """Sort ``values[start:end]`` in place; the few crossings of a row are nearly always a handful."""
    if end - start > 48:
        values[start:end] = np.sort(values[start:end])
        return
    for i in range(start + 1, end):
        value = values[i]
        j = i - 1
        while j >= start and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@njit(cache=True, nogil=True)
def centre_sweep(edges: np.ndarray, zones: np.ndarray, row0: int, row1: int) -> np.ndarray:
    """Spans of the rows ``row0 … row1-1``, not clipped to any raster.

    edges    (edge, 4)  x1, y1, x2, y2 with y1 < y2, edges of a zone together
    zones    (edge)     int32
    returns  (span, 4)  int64: row − row0, first column, end column, zone
    """
    height = row1 - row0
    total = 0
    for e in range(edges.shape[0]):
        total += max(0, min(first_row(edges[e, 3]), row1) - max(first_row(edges[e, 1]), row0))
    spans = np.empty((total // 2, 4), np.int64)
    crossings = np.empty(total)
    starts = np.zeros(height + 1, np.int64)
    filled = np.zeros(height, np.int64)
    count = 0
    begin = 0
    while begin < edges.shape[0]:
        end = begin
        top, bottom = row1, row0
        while end < edges.shape[0] and zones[end] == zones[begin]:
            a, b = max(first_row(edges[end, 1]), row0), min(first_row(edges[end, 3]), row1)
            if a < b:
                top, bottom = min(top, a), max(bottom, b)
                for row in range(a - row0, b - row0):
                    filled[row] += 1
            end += 1
        starts[top - row0 if top < row1 else 0] = 0
        for row in range(top - row0, bottom - row0):
            starts[row + 1] = starts[row] + filled[row]
            filled[row] = 0
        for e in range(begin, end):
            x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
            for row in range(max(first_row(y1), row0), min(first_row(y2), row1)):
                x = (row + 0.5 - y1) * (x2 - x1) / (y2 - y1) + x1
                crossings[starts[row - row0] + filled[row - row0]] = x
                filled[row - row0] += 1
        for row in range(top - row0, bottom - row0):
            sort_slice(crossings, starts[row], starts[row + 1])
            for i in range(starts[row], starts[row + 1] - 1, 2):
                first = np.int64(np.floor(crossings[i] + 0.5))
                last = np.int64(np.floor(crossings[i + 1] + 0.5))
                if last > first:
                    spans[count, 0], spans[count, 1] = row, first
                    spans[count, 2], spans[count, 3] = last, zones[begin]
                    count += 1
            filled[row] = 0
        begin = end
    return spans[:count]


def centre_spans(edges: np.ndarray, zones: np.ndarray, row0: int, row1: int) -> np.ndarray:
    """The twin of :func:`centre_sweep`, row by row and zone by zone, from the rule itself."""
    spans = []
    for zone in dict.fromkeys(zones.tolist()):
        x1, y1, x2, y2 = edges[zones == zone].T
        for row in range(row0, row1):
            centre = row + 0.5
            crossed = (y1 <= centre) & (centre < y2)
            a, b, c, d = x1[crossed], y1[crossed], x2[crossed], y2[crossed]
            columns = np.floor(np.sort((centre - b) * (c - a) / (d - b) + a) + 0.5).astype(np.int64)
            spans += [
                (row - row0, first, end, zone)
                for first, end in zip(columns[::2], columns[1::2], strict=True)
                if end > first
            ]
    return np.array(spans, np.int64).reshape(-1, 4)


@njit(cache=True, nogil=True)
def clip_spans(spans: np.ndarray, weights: np.ndarray, column0: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The spans within the columns ``column0 … column0+width-1``, columns counted from ``column0``."""
    clipped = np.empty_like(spans)
    kept = np.empty_like(weights)
    count = 0
    for s in range(spans.shape[0]):
        first, end = max(spans[s, 1] - column0, 0), min(spans[s, 2] - column0, width)
        if first < end:
            clipped[count, 0], clipped[count, 1] = spans[s, 0], first
            clipped[count, 2], clipped[count, 3] = end, spans[s, 3]
            kept[count] = weights[s]
            count += 1
    return clipped[:count], kept[:count]


@njit(cache=True, nogil=True)
def bucket_edges(y1: np.ndarray, y2: np.ndarray, band_starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which edges touch which band of rows; an edge keeps its place among the others.

    band_starts  (band + 1)  int64, first row of each band and the end of the last; bands follow on one another
    returns      starts (band + 1) and edge numbers by band
    """
    bands = band_starts.size - 1
    starts = np.zeros(bands + 1, np.int64)
    low = np.empty(y1.size, np.int64)
    high = np.empty(y1.size, np.int64)
    for e in range(y1.size):
        low[e] = max(np.searchsorted(band_starts, np.int64(np.floor(y1[e])), side="right") - 1, 0)
        high[e] = min(np.searchsorted(band_starts, np.int64(np.floor(y2[e])), side="right") - 1, bands - 1)
        for band in range(low[e], high[e] + 1):
            starts[band + 1] += 1
    for band in range(bands):
        starts[band + 1] += starts[band]
    numbers = np.empty(starts[-1], np.int64)
    position = starts[:-1].copy()
    for e in range(y1.size):
        for band in range(low[e], high[e] + 1):
            numbers[position[band]] = e
            position[band] += 1
    return starts, numbers
