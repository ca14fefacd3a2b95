"""The plan of a job: which tasks there are and what each needs. Pure; nothing but headers has been read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from cobalance.landcover.band import BandTask, YearFile, band_spans, span_sums
from cobalance.landcover.cell_area import CellAreas, area_scale, figure_of, row_areas, weight_shift
from cobalance.landcover.level_edges import ZONE
from cobalance.landcover.rasters import Lattice, Raster
from cobalance.landcover.sweep import bucket_edges
from cobalance.landcover.tiling import TileGrid
from cobalance.landcover.zones import Edges, Zones, lattice_edges
from cobalance.vocabulary.errors import Problems

BAND_ROWS = 256
"""A band has at least so many rows: enough that its fixed cost is small beside decoding."""

Coverage = Literal["centre", "exact"]
Overlap = Literal["each", "last", "error"]


@dataclass(frozen=True)
class Rules:
    """What is counted: the rule of coverage, of overlaps, changes between years, damaged tiles."""

    coverage: Coverage = "centre"
    overlap: Overlap = "each"
    transitions: bool = False
    skip_damaged: bool = False


@dataclass(frozen=True)
class Layer:
    """One lattice with the regions on it: edges in pixels, unit of area, unit of weight."""

    lattice: Lattice
    edges: Edges
    areas: CellAreas
    shift: int


class Bands(NamedTuple):
    """The bands of a layout: borders in tile rows and in rows of the lattice; ``edges[starts[b] : starts[b+1]]``
    are the numbers of the edges that meet band b."""

    tile_rows: np.ndarray
    borders: np.ndarray
    starts: np.ndarray
    edges: np.ndarray

    @property
    def met(self) -> np.ndarray:
        """Bands that some edge meets: there are no others with a region in them."""
        return np.flatnonzero(np.diff(self.starts))


@dataclass(frozen=True)
class Layout:
    """Files of several years that share size, place and tiles: read in one pass."""

    layer: Layer
    rasters: tuple[Raster, ...]
    tile_rows: int
    alone: bool

    @property
    def first(self) -> Raster:
        return self.rasters[0]

    @cached_property
    def bands(self) -> Bands:
        raster, edges = self.first, self.layer.edges.points
        down = -(-raster.height // raster.tile_height)
        tile_rows = np.append(np.arange(0, down, self.tile_rows), down)
        borders = np.minimum(tile_rows * raster.tile_height, raster.height) + raster.row0
        starts, numbers = bucket_edges(edges[:, 1], edges[:, 3], borders.astype(np.int64))
        return Bands(tile_rows, borders, starts, numbers)


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know; ``tasks()`` makes the work on demand."""

    zones: Zones
    rasters: tuple[Raster, ...]
    years: tuple[int, ...]
    rules: Rules
    layers: tuple[Layer, ...]
    layouts: tuple[Layout, ...]

    @cached_property
    def digest(self) -> str:
        """A fingerprint of all that the result depends on: files, regions, rules."""
        digest = hashlib.sha256(repr((sorted(asdict(self.rules).items()), self.years, self.zones.codes)).encode())
        for raster in self.rasters:
            digest.update(repr((raster.year, raster.path, raster.layout, raster.signature)).encode())
        for layer in self.layers:
            digest.update(layer.edges.points.tobytes() + layer.edges.zones.tobytes())
        return digest.hexdigest()

    def tasks(self) -> Iterator[BandTask]:
        """All tasks that meet a region, numbered; the same plan always makes the same tasks."""
        number = 0
        for layout in self.layouts:
            for band in layout.bands.met:
                yield _band_task(self, layout, int(band), number + int(band))
            number += len(layout.bands.borders)

    @property
    def task_count(self) -> int:
        """How many tasks there are."""
        return sum(len(layout.bands.met) for layout in self.layouts)

    @property
    def stored_bytes(self) -> int:
        """Stored bytes of the native tiles of all files: the most that can be read."""
        return int(sum(raster.index.sizes.sum() for raster in self.rasters if raster.index is not None))

    def layer_of(self, year: int) -> Layer:
        """The layer of a year (all files of a year share it)."""
        lattice = next(raster.lattice for raster in self.rasters if raster.year == year)
        return next(layer for layer in self.layers if layer.lattice == lattice)


def make_plan(rasters: tuple[Raster, ...], zones: Zones, rules: Rules) -> Plan:
    """Put regions on the lattices of the rasters and group the files that can be read together.

    Raises E617, E621.
    """
    years = tuple(sorted({raster.year for raster in rasters}))
    _check_transitions(rasters, years, rules)
    layers = {}
    for raster in rasters:
        if raster.lattice not in layers:
            layers[raster.lattice] = _layer(zones, raster.lattice, rules)
    groups: dict[tuple[Any, ...], list[Raster]] = {}
    for raster in rasters:
        groups.setdefault(raster.layout, []).append(raster)
    on_lattice = Counter(members[0].lattice for members in groups.values())
    layouts = tuple(
        Layout(
            layer=layers[members[0].lattice],
            rasters=tuple(members),
            tile_rows=-(-BAND_ROWS // members[0].tile_height),
            alone=on_lattice[members[0].lattice] == 1,
        )
        for members in groups.values()
    )
    return Plan(zones, rasters, years, rules, tuple(layers.values()), layouts)


def totals_beyond(plan: Plan, layer: Layer) -> np.ndarray:
    """int64 (zone, 2): weighted pixels and area of the regions in the rows of the lattice that no task sums up.

    The only layout of a lattice sums up its own rows; where there are several, all rows are summed here.
    """
    edges, zones = layer.edges, len(plan.zones)
    sums = np.zeros((zones, 2), np.int64)
    if not len(edges.points):
        return sums
    first, last = int(np.floor(edges.points[:, 1].min())), int(np.ceil(edges.points[:, 3].max()))
    ranges = [(first, last)]
    for layout in plan.layouts:
        if layout.layer is layer and layout.alone:
            top, bottom = layout.first.row0, layout.first.row0 + layout.first.height
            ranges = [(first, min(top, last)), (max(bottom, first), last)]
    exact = plan.rules.coverage == "exact"
    for begin, end in ranges:
        if begin >= end:
            continue
        borders = np.append(np.arange(begin, end, 2 * BAND_ROWS), end).astype(np.int64)
        touching = (edges.points[:, 3] > begin) & (edges.points[:, 1] < end)
        part = edges.chosen(touching, begin, end)
        starts, numbers = bucket_edges(part.points[:, 1], part.points[:, 3], borders)
        for band, (row0, row1) in enumerate(pairwise(borders.tolist())):
            chosen = numbers[starts[band] : starts[band + 1]]
            band_edges = part.chosen(chosen, row0, row1)
            spans, weights = band_spans(band_edges, row0, row1, exact, layer.shift)
            sums += span_sums(spans, weights, layer.areas, row0, layer.shift, zones)
    return sums


def _layer(zones: Zones, lattice: Lattice, rules: Rules) -> Layer:
    edges = lattice_edges(zones, lattice)
    cells, area = _largest_zone(edges, lattice, len(zones))
    shift = weight_shift(cells) if rules.coverage == "exact" else 0
    return Layer(lattice, edges, CellAreas(lattice, area_scale(area)), shift)


def _largest_zone(edges: Edges, lattice: Lattice, zones: int) -> tuple[int, float]:
    """A bound on cells and m² of the largest zone, from the frames of the zones."""
    if not len(edges.points):
        return 1, 1.0
    low, high = np.full((2, zones), np.inf), np.full((2, zones), -np.inf)
    x = edges.points[:, [0, 2]]
    np.minimum.at(low[0], edges.zones, x.min(axis=1))
    np.maximum.at(high[0], edges.zones, x.max(axis=1))
    np.minimum.at(low[1], edges.zones, edges.points[:, 1])
    np.maximum.at(high[1], edges.zones, edges.points[:, 3])
    there = np.isfinite(low[0])
    cells = (high - low + 2)[:, there].prod(axis=0)
    figure = figure_of(lattice.crs_wkt)
    if figure.geographic:
        rows = np.array([low[1, there].min(), high[1, there].max()])
        _, y = lattice.coordinates(rows, rows)
        nearest_equator = 0.0 if y.min() < 0 < y.max() else float(np.abs(y).min())
        at = round((nearest_equator - lattice.top) / lattice.dy)
        largest_cell = float(row_areas(lattice, at - 1, at + 1).max())
    else:
        # projections shrink areas little where they are used at all
        largest_cell = 4.0 * abs(lattice.dx * lattice.dy) * figure.unit**2
    return int(cells.max()), float(cells.max() * largest_cell)


def _band_task(plan: Plan, layout: Layout, band: int, number: int) -> BandTask:
    raster, edges, bands = layout.first, layout.layer.edges, layout.bands
    chosen = bands.edges[bands.starts[band] : bands.starts[band + 1]]
    row0, row1 = int(bands.borders[band]), int(bands.borders[band + 1])
    part = edges.chosen(chosen, row0, row1)
    zone_ids, local = np.unique(part.zones, return_inverse=True)
    levels = part.levels.copy()
    levels[:, ZONE] = np.searchsorted(zone_ids, levels[:, ZONE])
    first, end = int(bands.tile_rows[band]), int(bands.tile_rows[band + 1])
    across = -(-raster.width // raster.tile_width)
    return BandTask(
        number=number,
        row0=row0,
        rows=row1 - row0,
        column0=raster.column0,
        width=raster.width,
        grid=TileGrid(raster.tile_height, raster.tile_width, across, end - first),
        edges=Edges(part.points, local.astype(np.int32), part.signs, levels),
        zone_ids=zone_ids.astype(np.int64),
        zone_codes=tuple(plan.zones.codes[zone] for zone in zone_ids),
        areas=layout.layer.areas,
        years=tuple(
            YearFile(plan.years.index(r.year), r.tile_file(first, end), r.nodata, r.stamp) for r in layout.rasters
        ),
        signed=raster.signed,
        exact=plan.rules.coverage == "exact",
        shift=layout.layer.shift,
        overlap=plan.rules.overlap,
        changes=plan.rules.transitions,
        skip_damaged=plan.rules.skip_damaged,
    )


def _check_transitions(rasters: tuple[Raster, ...], years: tuple[int, ...], rules: Rules) -> None:
    if not rules.transitions:
        return
    problems = Problems()
    layouts: dict[int, set[tuple[Any, ...]]] = {}
    for raster in rasters:
        layouts.setdefault(raster.year, set()).add(raster.layout)
    different = [year for year in years if layouts[year] != layouts[years[0]]]
    if len(years) < 2 or different:
        problems.add("E621", years=list(years), different=different)
    problems.raise_errors()
