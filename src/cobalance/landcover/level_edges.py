"""Level edges that run exactly through pixel centres: the one case that crossings do not decide.

A crossing rule that is half-open in y gives such centres to the region below the edge only. GDAL gives them to a region
whose shell ends there (from above) as well, and where regions are burnt one after another the later one keeps them.
Here likewise: both have them, and where the two share the edge the later of them has them alone, so that a pixel on
a shared border counts once. Such edges are rare (grids on half a pixel, drawn maps), so this is plain Python.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

ROW, FIRST, END, ZONE, ABOVE = range(5)
"""Columns of a table of level edges: row, columns first … end-1, zone, 1 where the zone's shell ends from above."""

Runs = list[tuple[int, int]]


def with_level_edges(spans: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Spans (span, 4) of some rows with the pixels on level edges given to their regions.

    levels  (edge, 5)  int64, rows counted as in the spans
    """
    if not len(levels):
        return spans
    touched = np.isin(spans[:, 0], np.unique(levels[:, ROW]))
    runs: dict[tuple[int, int], Runs] = defaultdict(list)
    for row, first, end, zone in spans[touched].tolist():
        runs[row, zone].append((first, end))
    for row, first, end, zone, above in levels.tolist():
        if above:
            runs[row, zone].append((first, end))
    for row, zone, first, end in _lost_borders(levels):
        runs[row, zone] = _without(runs[row, zone], first, end)
    rows = [
        (row, first, end, zone) for (row, zone), held in runs.items() for first, end in _joined(held) if first < end
    ]
    return np.concatenate([spans[~touched], np.array(rows, np.int64).reshape(-1, 4)])


def _lost_borders(levels: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Parts of shared level edges as (row, zone that loses them, first, end): the earlier zone loses."""
    lost = []
    below = levels[levels[:, ABOVE] == 0]
    for row, first, end, zone, _ in levels[levels[:, ABOVE] == 1].tolist():
        partners = below[(below[:, ROW] == row) & (below[:, FIRST] < end) & (below[:, END] > first)]
        for _, other_first, other_end, other, _ in partners.tolist():
            if other != zone:
                lost.append((row, min(zone, other), max(first, other_first), min(end, other_end)))
    return lost


def _joined(runs: Runs) -> Runs:
    joined: Runs = []
    for first, end in sorted(runs):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return joined


def _without(runs: Runs, first: int, end: int) -> Runs:
    return [part for a, b in runs for part in ((a, min(b, first)), (max(a, end), b)) if part[0] < part[1]]
