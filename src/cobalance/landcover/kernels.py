"""Counting: the pixels of every class under the spans of a tile, and their area.

A *span* is a run of pixels of one row that belongs to one zone: ``(row, first, end, zone)``, columns ``first … end-1``,
worth two integers a pixel: its weight (1 by the pixel-centre rule, else the covered part in units of 2**-shift) and
its area (see ``cell_area``). A *table* is int64 (zone, class column, 2): the sums of both. Integers, so the sums are
exact in any order. :func:`span_counts` and :func:`span_changes` are the NumPy twins that define *correct*.
"""

# numba types these functions itself; what mypy makes of scalars in them is beside the point
# mypy: disable-error-code="arg-type, assignment, call-arg, call-overload, return-value, operator, no-any-return"

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cobalance.landcover.popcount import BLOCK_BYTES, count_equal

SHORT_SPAN = 12
"""Below this length pixels are looked up one by one: cheaper than a block comparison per class."""


@njit(cache=True, nogil=True)
def _first_unknown(pixels: Any, start: int, end: int, column_of: np.ndarray) -> int:
    """The first pixel of ``start … end-1`` whose code has no column; ``end`` if there is none."""
    i = start
    while i < end and column_of[pixels[i]] >= 0:
        i += 1
    return i


@njit(cache=True, nogil=True)
def count_spans(
    pixels: Any,
    width: int,
    spans: np.ndarray,
    worth: np.ndarray,
    column_of: np.ndarray,
    codes: np.ndarray,
    table: np.ndarray,
    start: int,
) -> int:
    """Add the classes under ``spans[start:]`` to ``table``; returns where it stopped.

    pixels      (rows · width + one block)  uint8 or uint16, a decoded tile
    spans       (span, 4)  int32: row, first, end, zone
    worth       (span, 2)  int64: weight and area of one pixel
    column_of   (code)     int16, column of a code or -1;  codes (column) int64, the reverse, -1 where free
    table       (zone, column, 2)  int64

    It stops before a span that brings a code for which no column is left; the caller makes room and goes on.
    """
    known = 0
    while known < codes.size and codes[known] >= 0:
        known += 1
    # classes in the order in which they are asked for, and the sums of the zone at hand beside them
    columns = np.arange(codes.size)
    values = codes.astype(pixels.dtype)
    sums = np.zeros((codes.size, 2), np.int64)
    summed = -1
    base = np.uintp(pixels.ctypes.data)
    size = np.uintp(pixels.itemsize)
    lanes = BLOCK_BYTES // pixels.itemsize
    for s in range(start, spans.shape[0]):
        first, end, zone = np.int64(spans[s, 1]), np.int64(spans[s, 2]), np.int64(spans[s, 3])
        weight, area = worth[s, 0], worth[s, 1]
        at = np.int64(spans[s, 0]) * width + first
        left = end - first
        short = left < SHORT_SPAN
        if not short:
            if zone != summed:
                _put_down(sums, columns, known, table, summed)
                summed = zone
            run = base + np.uintp(at) * size
            t, before = 0, left
            while left > 0 and t < known:
                count = count_equal(run, end - first, values[t], lanes)
                sums[t, 0] += count * weight
                sums[t, 1] += count * area
                left -= count
                if count > 2 * before:  # what is frequent is asked for earlier in the next span
                    _swap(values, columns, sums, t)
                before = count
                t += 1
        if left > 0:  # a short span, or one with a code that has no column yet
            counted = 0 if short else known
            i = _first_unknown(pixels, at, at + end - first, column_of)
            while i < at + end - first:
                if known == codes.size:
                    for t in range(counted):
                        count = count_equal(base + np.uintp(at) * size, end - first, values[t], lanes)
                        sums[t, 0] -= count * weight
                        sums[t, 1] -= count * area
                    _put_down(sums, columns, known, table, summed)
                    return s
                column_of[pixels[i]] = known
                codes[known] = pixels[i]
                values[known] = pixels[i]
                known += 1
                i = _first_unknown(pixels, i + 1, at + end - first, column_of)
            for i in range(at, at + end - first):
                column = column_of[pixels[i]]
                if column >= counted:
                    table[zone, column, 0] += weight
                    table[zone, column, 1] += area
    _put_down(sums, columns, known, table, summed)
    return spans.shape[0]


@njit(cache=True, nogil=True)
def _swap(values: np.ndarray, columns: np.ndarray, sums: np.ndarray, t: int) -> None:
    """Exchange the classes at ``t - 1`` and ``t``."""
    values[t], values[t - 1] = values[t - 1], values[t]
    columns[t], columns[t - 1] = columns[t - 1], columns[t]
    for part in range(2):
        sums[t, part], sums[t - 1, part] = sums[t - 1, part], sums[t, part]


@njit(cache=True, nogil=True)
def _put_down(sums: np.ndarray, columns: np.ndarray, known: int, table: np.ndarray, zone: int) -> None:
    """Add the sums of a zone to the table and begin anew."""
    for t in range(known):
        table[zone, columns[t], 0] += sums[t, 0]
        table[zone, columns[t], 1] += sums[t, 1]
        sums[t, 0] = sums[t, 1] = 0


def span_counts(pixels: np.ndarray, spans: np.ndarray, worth: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    """The twin of :func:`count_spans`: (zone, code) → (weighted pixels, area), from a 2-D tile."""
    sums: dict[tuple[int, int], tuple[int, int]] = {}
    for (row, first, end, zone), (weight, area) in zip(spans.tolist(), worth.tolist(), strict=True):
        for code, count in zip(*np.unique(pixels[row, first:end], return_counts=True), strict=True):
            before = sums.get((zone, int(code)), (0, 0))
            sums[zone, int(code)] = (before[0] + int(count) * weight, before[1] + int(count) * area)
    return sums


@njit(cache=True, nogil=True)
def count_changes(
    before: Any,
    after: Any,
    width: int,
    spans: np.ndarray,
    worth: np.ndarray,
    column_before: np.ndarray,
    column_after: np.ndarray,
    table: np.ndarray,
) -> None:
    """Add class-to-class changes under the spans to ``table`` (zone, column before, column after, 2).

    Both tiles must have been counted by :func:`count_spans` first, so that every code has its column.
    """
    for s in range(spans.shape[0]):
        row, first, end, zone = spans[s, 0], spans[s, 1], spans[s, 2], spans[s, 3]
        weight, area = worth[s, 0], worth[s, 1]
        at = np.int64(row) * width
        i = at + first
        while i < at + end:
            old, new = before[i], after[i]
            j = i + 1
            while j < at + end and before[j] == old and after[j] == new:
                j += 1
            table[zone, column_before[old], column_after[new], 0] += weight * (j - i)
            table[zone, column_before[old], column_after[new], 1] += area * (j - i)
            i = j


def span_changes(
    before: np.ndarray, after: np.ndarray, spans: np.ndarray, worth: np.ndarray
) -> dict[tuple[int, int, int], tuple[int, int]]:
    """The twin of :func:`count_changes`: (zone, old, new) → (weighted pixels, area), from 2-D tiles."""
    sums: dict[tuple[int, int, int], tuple[int, int]] = {}
    for (row, first, end, zone), (weight, area) in zip(spans.tolist(), worth.tolist(), strict=True):
        pairs = zip(before[row, first:end].tolist(), after[row, first:end].tolist(), strict=True)
        for old, new in pairs:
            known = sums.get((zone, old, new), (0, 0))
            sums[zone, old, new] = (known[0] + weight, known[1] + area)
    return sums
