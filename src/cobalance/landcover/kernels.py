"""Counting: the pixels of every class under the spans of a tile, and their area.

A *span* is a run of pixels of one row that belongs to one zone: ``(row, first, end, zone)``, columns ``first … end-1``,
worth two integers a pixel: its weight (1 by the pixel-centre rule, else the covered part in units of 2**-shift) and
its area (see ``cell_area``). A *table* is int64 (zone, class column, 2): the sums of both. Integers, so the sums are
exact in any order. :func:`span_counts` and :func:`span_changes` are the NumPy twins that define *correct*.
"""

# numba types these functions itself; what mypy makes of scalars in them is beside the point
# mypy: disable-error-code="arg-type, call-arg, call-overload, return-value, operator, no-any-return"

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
    order = np.arange(codes.size)
    found = np.zeros(codes.size, np.int64)
    base = np.uintp(pixels.ctypes.data)
    size = np.uintp(pixels.itemsize)
    lanes = BLOCK_BYTES // pixels.itemsize
    for s in range(start, spans.shape[0]):
        row, first, end, zone = spans[s, 0], spans[s, 1], spans[s, 2], spans[s, 3]
        at = np.int64(row) * width + first
        length = np.int64(end - first)
        weight, area = worth[s, 0], worth[s, 1]
        short = length < SHORT_SPAN
        left = length
        tried = 0
        while not short and left > 0 and tried < known:
            value = pixels.dtype.type(codes[order[tried]])
            found[tried] = count_equal(base + np.uintp(at) * size, length, value, lanes)
            left -= found[tried]
            tried += 1
        if left > 0:  # a short span, or one with a code that has no column yet
            i = _first_unknown(pixels, at, at + length, column_of)
            while i < at + length:
                if known == codes.size:
                    return s
                column_of[pixels[i]] = known
                codes[known] = pixels[i]
                known += 1
                i = _first_unknown(pixels, i + 1, at + length, column_of)
            for i in range(at, at + length):
                column = column_of[pixels[i]]
                table[zone, column, 0] += weight
                table[zone, column, 1] += area
            continue
        for t in range(tried):
            column = order[t]
            table[zone, column, 0] += found[t] * weight
            table[zone, column, 1] += found[t] * area
            if t > 0 and found[t] > found[t - 1]:
                order[t] = order[t - 1]  # what is frequent is asked for first in the next span
                order[t - 1] = column
                found[t] = found[t - 1]
    return spans.shape[0]


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
