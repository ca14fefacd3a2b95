"""Pixels that lie in several zones, resolved row by row by the pixel-centre rule."""

from __future__ import annotations

import numpy as np


class OverlapFound(Exception):
    """Two zones share pixels of one row: their numbers in the task, and how many pixels."""

    def __init__(self, one: int, other: int, pixels: int) -> None:
        super().__init__(one, other, pixels)
        self.one, self.other, self.pixels = one, other, pixels


def last_zone_wins(spans: np.ndarray, *, refuse_overlap: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Spans in which every pixel belongs to the last zone that covers it, and the spans taken from earlier zones.

    spans    (span, 4)  row, first, end, zone; zones in the order of the regions
    returns  kept, lost: spans of the same form

    Raises :class:`OverlapFound` for the first overlap where ``refuse_overlap`` is set.
    """
    order = np.lexsort((spans[:, 1], spans[:, 0]))
    by_row = spans[order]
    rows, row_starts = np.unique(by_row[:, 0], return_index=True)
    row_ends = np.append(row_starts[1:], len(by_row))
    # the furthest end so far within a row: a span that begins before it overlaps another
    beyond = int(by_row[:, 2].max(initial=0)) + 1
    furthest = np.maximum.accumulate(by_row[:, 0] * beyond + by_row[:, 2]) - by_row[:, 0] * beyond
    clash = np.flatnonzero((by_row[1:, 0] == by_row[:-1, 0]) & (by_row[1:, 1] < furthest[:-1])) + 1
    if not clash.size:
        return spans, spans[:0]
    if refuse_overlap:
        raise _first_overlap(by_row, int(clash[0]))
    bad_rows = np.unique(by_row[clash, 0])
    untouched = by_row[~np.isin(by_row[:, 0], bad_rows)]
    kept, lost = [untouched], []
    for at in np.flatnonzero(np.isin(rows, bad_rows)):
        winners, losers = _painted(by_row[row_starts[at] : row_ends[at]])
        kept.append(winners)
        lost.append(losers)
    return np.concatenate(kept), np.concatenate(lost)


def _first_overlap(by_row: np.ndarray, later: int) -> OverlapFound:
    row, first, end, zone = by_row[later].tolist()
    earlier = by_row[:later][(by_row[:later, 0] == row) & (by_row[:later, 2] > first)][0]
    return OverlapFound(int(earlier[3]), zone, min(end, int(earlier[2])) - first)


def _painted(spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row painted zone by zone: the runs that remain, and the runs painted over."""
    left, right = int(spans[:, 1].min()), int(spans[:, 2].max())
    owner = np.full(right - left, -1, np.int64)
    row = int(spans[0, 0])
    lost = []
    for _, first, end, zone in spans[np.argsort(spans[:, 3], kind="stable")].tolist():
        under = owner[first - left : end - left]
        lost.append(_runs(under, first, row))
        under[:] = zone
    return _runs(owner, left, row), np.concatenate(lost)


def _runs(owner: np.ndarray, first: int, row: int) -> np.ndarray:
    """Runs of equal owners as spans; −1 owns nothing."""
    cuts = np.flatnonzero(np.diff(owner)) + 1
    starts, ends = np.append(0, cuts), np.append(cuts, owner.size)
    owned = owner[starts] >= 0
    starts, ends = starts[owned], ends[owned]
    return np.column_stack([np.full(starts.size, row), starts + first, ends + first, owner[starts]])
