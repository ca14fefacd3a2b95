"""Outlines on a grid of whole numbers, each border stored once: TopoJSON without the parts that nobody reads.

Neighbours that share a line of vertices share its *arc*. An arc ends where three outlines meet or where the company
on a line changes, so that dissolving or highlighting never opens a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int]
Ring = list[Point]
Floats = NDArray[np.float64]


def topology(
    rings: Mapping[str, Sequence[Floats]], bounds: tuple[float, float, float, float], width: int
) -> dict[str, Any]:
    """Outlines as arcs on a grid ``width`` cells wide, y downwards.

    rings    region → its rings, each (n, 2) closed, in map units
    bounds   west, south, east, north of the map
    returns  ``width``, ``height``; ``arcs``: each [x0, y0, dx1, dy1, …]; ``rings``: region → rings, each a list of
             arc numbers, ~n for arc n backwards
    """
    west, south, east, north = bounds
    scale = width / (east - west)
    height = max(int(np.ceil((north - south) * scale)), 1)
    snapped = {
        region: [ring for points in parts if (ring := _snapped(points, (west, north), scale))]
        for region, parts in rings.items()
    }
    junctions = _junctions([ring for parts in snapped.values() for ring in parts])
    arcs: dict[tuple[Point, ...], int] = {}
    numbered = {region: [_numbered(ring, junctions, arcs) for ring in parts] for region, parts in snapped.items()}
    return {"width": width, "height": height, "arcs": [_differences(arc) for arc in arcs], "rings": numbered}


def _snapped(points: Floats, origin: tuple[float, float], scale: float) -> Ring:
    """A ring on the grid, open, without repeated or collinear-by-collapse points; empty where nothing is left."""
    grid = np.rint((points - origin) * (scale, -scale)).astype(int)
    keep = np.ones(len(grid), dtype=bool)
    keep[1:] = (grid[1:] != grid[:-1]).any(axis=1)
    ring = [(int(x), int(y)) for x, y in grid[keep]]
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring.pop()
    return ring if len(ring) >= 3 else []


def _junctions(rings: Sequence[Ring]) -> set[Point]:
    """Points where an outline has other neighbours than another outline through the same point."""
    company: dict[Point, frozenset[Point]] = {}
    found: set[Point] = set()
    for ring in rings:
        for index, point in enumerate(ring):
            beside = frozenset((ring[index - 1], ring[(index + 1) % len(ring)]))
            if company.setdefault(point, beside) != beside:
                found.add(point)
    return found


def _numbered(ring: Ring, junctions: set[Point], arcs: dict[tuple[Point, ...], int]) -> list[int]:
    """The arcs of a ring, added to ``arcs`` where they are new."""
    cuts = [index for index, point in enumerate(ring) if point in junctions]
    # a ring without junctions may stand twice, as an island's outline and as the hole it fills: one start for both
    start = cuts[0] if cuts else ring.index(min(ring))
    turned = [*ring[start:], *ring[:start], ring[start]]
    ends = [index for index, point in enumerate(turned) if index > 0 and point in junctions] if cuts else []
    ends = ends or [len(turned) - 1]
    numbers, first = [], 0
    for last in ends:
        arc = tuple(turned[first : last + 1])
        if arc in arcs:
            numbers.append(arcs[arc])
        elif arc[::-1] in arcs:
            numbers.append(~arcs[arc[::-1]])
        else:
            numbers.append(arcs.setdefault(arc, len(arcs)))
        first = last
    return numbers


def _differences(arc: Sequence[Point]) -> list[int]:
    points = np.array(arc)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=int))
    flat: list[int] = steps.ravel().tolist()
    return flat
