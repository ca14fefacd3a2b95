"""The map of the explorer: outlines as the report lays them out, on a grid of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from cobalance.explorer.topology import topology
from cobalance.report.geometry import Bounds, Outlines, outlines
from cobalance.study.results import Results

WIDTH = 2400
"""Cells across the map: finer than the screen of a projector."""
MARGIN = 0.005  # of the width, so that no stroke is cut off


@dataclass(frozen=True)
class Grid:
    """Where a point of the map lies on the grid, y downwards."""

    bounds: Bounds

    @property
    def cells_per_metre(self) -> float:
        return WIDTH / (self.bounds[2] - self.bounds[0])

    def cells(self, x: float, y: float) -> list[float]:
        scale = self.cells_per_metre
        return [round((x - self.bounds[0]) * scale, 1), round((self.bounds[3] - y) * scale, 1)]


def laid_out(results: Results) -> Outlines | None:
    """The regions as the report draws them; None where the study has no boundary."""
    regions = gpd.GeoDataFrame(results.regions)
    if regions.geometry.isna().all():
        return None
    return outlines(regions if regions.crs else regions.set_crs("EPSG:4326"), results.study.spatial.crs)


def grid_of(shapes: Outlines) -> Grid:
    west, south, east, north = shapes.bounds
    margin = MARGIN * (east - west)
    return Grid((west - margin, south - margin, east + margin, north + margin))


def map_of(shapes: Outlines, codes: list[str]) -> dict[str, Any]:
    """Arcs and rings by position of the region, inset frames, label points and dots, in grid cells."""
    grid = grid_of(shapes)
    made = topology(
        {code: _rings(shapes.outline([code])) for code in codes if code in shapes.points}, grid.bounds, WIDTH
    )
    return {
        **made,
        "rings": [made["rings"].get(code, []) for code in codes],
        "points": [grid.cells(*shapes.points[code]) if code in shapes.points else None for code in codes],
        "frames": [_frame(grid, frame) for frame in shapes.frames],
        "metres": 1 / grid.cells_per_metre,
    }


def _frame(grid: Grid, frame: Bounds) -> list[float]:
    (left, top), (right, bottom) = grid.cells(frame[0], frame[3]), grid.cells(frame[2], frame[1])
    return [left, top, round(right - left, 1), round(bottom - top, 1)]


def _rings(path: Path) -> list[NDArray[np.float64]]:
    vertices, codes = np.asarray(path.vertices, dtype=float), np.asarray(path.codes)
    starts = np.flatnonzero(codes == Path.MOVETO)
    rings = [vertices[first:last].copy() for first, last in zip(starts, [*starts[1:], len(codes)], strict=True)]
    for ring in rings:
        ring[-1] = ring[0]  # matplotlib's closing vertex has no meaning of its own
    return rings
