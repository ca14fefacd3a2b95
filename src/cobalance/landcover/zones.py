"""Regions → edges in pixels of a lattice.

Edges keep the order of the regions. A region in another CRS is reprojected with its edges densified until the
middle of each piece lies within a thousandth of a pixel of where its curve goes; the two sides of a shared border are
cut at the same points, so that neighbours stay neighbours to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer

from cobalance.landcover.rasters import Lattice, Raster
from cobalance.vocabulary.errors import Place, Problems, refuse

DENSIFY_PIXELS = 0.001
_MOST_HALVINGS = 14


MOST_CELLS = 10_000_000
"""Cells of a grid; a step in the wrong unit (degrees for metres) asks for billions."""


class Edges(NamedTuple):
    """Edges in pixels, those of a zone together.

    points  (edge, 4)  x1, y1, x2, y2 with y1 < y2;  zones (edge) int32
    signs   (edge)     +1 where the zone lies to the right, −1 to the left
    levels  (edge, 5)  int64, the level edges that run through pixel centres (see ``level_edges``)
    """

    points: np.ndarray
    zones: np.ndarray
    signs: np.ndarray
    levels: np.ndarray

    def chosen(self, edges: np.ndarray, row0: int, row1: int) -> Edges:
        """Some of the edges, and the level ones of the rows ``row0 … row1-1``."""
        levels = self.levels
        levels = levels[(levels[:, 0] >= row0) & (levels[:, 0] < row1)]
        return Edges(self.points[edges], self.zones[edges], self.signs[edges], levels)


@dataclass(frozen=True)
class Zones:
    """Region codes and their polygons, in one CRS."""

    codes: tuple[str, ...]
    shapes: np.ndarray
    crs: CRS

    def __len__(self) -> int:
        return len(self.codes)


def region_zones(regions: gpd.GeoDataFrame, key: str | None = None, source: str | None = None) -> Zones:
    """Check a table of regions and take its codes and polygons; the table is not changed.

    ``key`` names the column of codes; without it the column ``region``, else the index, holds them.
    Raises E612–E616, all problems at once.
    """
    problems = Problems()
    column = key or ("region" if "region" in regions.columns else None)
    if column is not None and column not in regions.columns:
        present = [str(name) for name in regions.columns if name != regions.geometry.name]
        raise refuse("E612", Place(file=source), key=column, present=present)
    values = regions.index if column is None else regions[column]
    codes = tuple(str(value) for value in values)
    repeated = sorted({code for code in codes if codes.count(code) > 1}) if len(set(codes)) < len(codes) else []
    if repeated:
        problems.add("E613", Place(file=source, column=column), repeated=repeated)
    shapes = np.asarray(regions.geometry.values)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if missing.any():
        problems.add("E614", Place(file=source), regions=_named(codes, missing))
    kinds = shapely.get_type_id(shapes)
    other = ~missing & ~np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    if other.any():
        problems.add("E615", Place(file=source), regions=_named(codes, other))
    if regions.crs is None:
        problems.add("E616", Place(file=source))
    problems.raise_errors()
    return Zones(codes, shapes, CRS.from_user_input(regions.crs))


def invalid_regions(zones: Zones) -> dict[str, str]:
    """Regions whose polygons cross themselves, with the reason and place that GEOS gives."""
    wrong = np.flatnonzero(~shapely.is_valid(zones.shapes))
    return {zones.codes[i]: str(shapely.is_valid_reason(zones.shapes[i])) for i in wrong}


def grid_zones(step: float, rasters: tuple[Raster, ...]) -> Zones:
    """Square cells of ``step`` (units of the first raster's CRS) on multiples of ``step``, over all rasters.

    A cell's code is its lower left corner, ``x,y``.
    """
    lattice = rasters[0].lattice
    windows = [r for r in rasters if r.lattice == lattice]
    columns = np.array([[r.column0, r.column0 + r.width] for r in windows], float)
    rows = np.array([[r.row0, r.row0 + r.height] for r in windows], float)
    x, y = lattice.coordinates(columns, rows)
    # a hundredth of a pixel keeps a raster that ends on a multiple from opening one more row of empty cells
    slack = 0.01 * abs(lattice.dx)
    first_x, last_x = np.floor((x.min() + slack) / step), np.ceil((x.max() - slack) / step)
    first_y, last_y = np.floor((y.min() + slack) / step), np.ceil((y.max() - slack) / step)
    cells = (last_x - first_x) * (last_y - first_y)
    if cells > MOST_CELLS:
        raise refuse("E632", value=step, option="grid", expected=f"≤ {MOST_CELLS:,} cells (this step: {cells:,.0f})")
    across, up = np.meshgrid(np.arange(first_x, last_x), np.arange(first_y, last_y))
    i, j = across.ravel(), up.ravel()
    digits = max(0, int(np.ceil(-np.log10(step))) + 6)
    shapes = shapely.box(i * step, j * step, (i + 1) * step, (j + 1) * step)
    codes = tuple(
        f"{_number(a * step, digits)},{_number(b * step, digits)}" for a, b in zip(i.tolist(), j.tolist(), strict=True)
    )
    return Zones(codes, np.asarray(shapes), lattice.crs)


def lattice_edges(zones: Zones, lattice: Lattice) -> Edges:
    """All edges of all zones in pixels of the lattice. Raises E617 where a point has no place in its CRS."""
    start, end, tag = _segments(zones.shapes)
    if zones.crs == lattice.crs:
        start, end = lattice.pixels(start), lattice.pixels(end)
    else:
        transformer = Transformer.from_crs(zones.crs, lattice.crs, always_xy=True)
        start, end, tag = _reprojected(start, end, tag, transformer, lattice)
    bad = ~(np.isfinite(start).all(axis=1) & np.isfinite(end).all(axis=1))
    if bad.any():
        lost = sorted({zones.codes[t // 2] for t in tag[bad]})
        raise refuse("E617", regions=lost, crs=lattice.crs.name)
    return _directed(start, end, tag, len(zones))


def _segments(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All ring segments of polygons, shells counterclockwise: start, end (segment, 2) and a tag (segment).

    The tag is twice the polygon's number, plus one on the ring of a hole.
    """
    parts, shape_of_part = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    hole = np.diff(part_of_ring, prepend=-1) == 0  # a part's first ring is its shell
    tag_of_ring = 2 * shape_of_part[part_of_ring] + hole
    joined = ring_of_point[1:] == ring_of_point[:-1]
    tag = tag_of_ring[ring_of_point[:-1][joined]]
    return points[:-1][joined], points[1:][joined], tag


def _reprojected(
    start: np.ndarray, end: np.ndarray, tag: np.ndarray, transformer: Transformer, lattice: Lattice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments in pixels, halved until the middle of each lies where its curve goes."""

    def pixels(points: np.ndarray) -> np.ndarray:
        return lattice.pixels(np.column_stack(transformer.transform(points[:, 0], points[:, 1])))

    done: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    start_pixels, end_pixels = pixels(start), pixels(end)
    for halving in range(_MOST_HALVINGS + 1):
        middle = 0.5 * (start + end)
        middle_pixels = pixels(middle)
        with np.errstate(invalid="ignore"):  # a point without a place is told of by the caller
            bend = np.abs(middle_pixels - 0.5 * (start_pixels + end_pixels)).max(axis=1, initial=0.0)
        curved = (bend > DENSIFY_PIXELS) & (halving < _MOST_HALVINGS)
        done.append((start_pixels[~curved], end_pixels[~curved], tag[~curved]))
        if not curved.any():
            break
        start_pixels, end_pixels = (
            np.concatenate([start_pixels[curved], middle_pixels[curved]]),
            np.concatenate([middle_pixels[curved], end_pixels[curved]]),
        )
        start, end = (
            np.concatenate([start[curved], middle[curved]]),
            np.concatenate([middle[curved], end[curved]]),
        )
        tag = np.concatenate([tag[curved], tag[curved]])
    starts, ends, numbers = (np.concatenate(group) for group in zip(*done, strict=True))
    order = np.argsort(numbers, kind="stable")
    return starts[order], ends[order], numbers[order]


def _directed(start: np.ndarray, end: np.ndarray, tag: np.ndarray, count: int) -> Edges:
    """Edges with y1 < y2, level ones apart, and on which side the zone lies."""
    zone = (tag // 2).astype(np.int32)
    origin = np.floor(start.mean(axis=0)) if start.size else np.zeros(2)
    a, b = start - origin, end - origin
    doubled = np.bincount(zone, a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1], minlength=count)
    turned = np.where(doubled < 0, -1.0, 1.0)  # a flipped axis turns all rings of a zone
    rising = start[:, 1] > end[:, 1]
    signs = turned[zone]
    signs[~rising] *= -1.0
    points = np.concatenate([start, end], axis=1)
    points[rising] = points[rising][:, [2, 3, 0, 1]]
    level = points[:, 1] == points[:, 3]
    levels = _level_edges(start[level], end[level], tag[level], turned)
    if level.any():
        points, zone, signs = points[~level], zone[~level], signs[~level]
    return Edges(points, zone, signs, levels)


def _level_edges(start: np.ndarray, end: np.ndarray, tag: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """Level edges at the height of pixel centres: row, first and end column, zone, whether its shell ends there."""
    zone = tag // 2
    row = np.floor(start[:, 1])
    through = start[:, 1] == row + 0.5
    first = np.floor(np.minimum(start[:, 0], end[:, 0]) + 0.5)
    last = np.floor(np.maximum(start[:, 0], end[:, 0]) + 0.5)
    # shells turn so that a zone lies to the left of its edges, seen with y upwards: above in pixels where x falls
    above = ((end[:, 0] < start[:, 0]) == (turned[zone] > 0)) & (tag % 2 == 0)
    table = np.column_stack([row, first, last, zone, above]).astype(np.int64)
    return table[through & (first < last)]


def _named(codes: tuple[str, ...], chosen: np.ndarray) -> list[str]:
    return [codes[i] for i in np.flatnonzero(chosen)]


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return "0" if text == "-0" else text
