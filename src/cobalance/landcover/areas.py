"""Rasters × regions → areas of land classes: the room's front door."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import geopandas as gpd
import xarray as xr

from cobalance.landcover.legend import Legend, read_legend
from cobalance.landcover.plan import Coverage, Overlap, Plan, Rules, make_plan
from cobalance.landcover.rasters import RasterPaths, open_rasters
from cobalance.landcover.result import Tabulation, tabulation
from cobalance.landcover.run import Progress, no_progress, run_plan
from cobalance.landcover.zones import Zones, grid_zones, invalid_regions, region_zones
from cobalance.vocabulary.errors import Problems

Unread = Literal["stop", "list"]


@dataclass(frozen=True)
class Options:
    """How rasters are counted.

    coverage     ``centre``: a pixel belongs to the region that holds its centre; ``exact``: by the covered part
    overlap      pixels in several regions: ``each`` region counts them, the ``last`` has them, or an ``error``
    legend       code → land class: a mapping, a product of the crosswalks, or a CSV; None keeps the codes
    key          column of region codes (else the column ``region``, else the index)
    transitions  count class-to-class changes between successive years too
    unread       damaged tiles: ``stop`` with an error, or ``list`` them and leave them out as unread
    mixed_grids  years may lie on different grids or extents
    threads      how many (None: one a processor); scheduler: address of a Dask scheduler instead of threads
    checkpoint   file from which an interrupted run goes on
    """

    coverage: Coverage = "centre"
    overlap: Overlap = "each"
    legend: Legend | str | Path | None = None
    key: str | None = None
    transitions: bool = False
    unread: Unread = "stop"
    mixed_grids: bool = False
    threads: int | None = None
    scheduler: str | None = None
    checkpoint: Path | None = None


def class_areas(
    rasters: RasterPaths,
    regions: gpd.GeoDataFrame,
    *,
    coverage: Coverage = "centre",
    overlap: Overlap = "each",
    legend: Legend | str | Path | None = None,
    progress: Progress = no_progress,
) -> xr.DataArray:
    """Area of each land class in each region and year.

    rasters  year → file, or the files of that year's mosaic
    regions  polygons in any CRS; codes in the column ``region``, else in the index
    returns  land_area (region, year, land_class)  ha; land_class holds the raster's codes, or a legend's names

        A[r, t, k] = Σ_p  w[p, r] · a[p] · (class[p, t] = k)

    with a[p] the area of pixel p on the ellipsoid and w[p, r] how much of it belongs to the region. A region without a
    pixel is NaN, never zero. :func:`tabulate` gives the pixels, the table of conservation and the notices too.
    Raises :class:`CobalanceError` with codes E601–E633.
    """
    options = Options(coverage=coverage, overlap=overlap, legend=legend)
    return tabulate(rasters, regions, options, progress).land_area


def tabulate(
    rasters: RasterPaths,
    regions: gpd.GeoDataFrame | float,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> Tabulation:
    """Count rasters under regions: areas, pixels, conservation, changes, notices.

    regions  polygons in any CRS, or the step of a grid of square cells in units of the raster's CRS

    Raises :class:`CobalanceError` with codes E601–E633.
    """
    options = options or Options()
    legend = _legend(options.legend)
    plan = planned(rasters, regions, options)
    sums = run_plan(
        plan,
        threads=options.threads,
        scheduler=options.scheduler,
        checkpoint=options.checkpoint,
        progress=progress,
    )
    return tabulation(plan, sums, legend)


def planned(rasters: RasterPaths, regions: gpd.GeoDataFrame | float, options: Options) -> Plan:
    """Check all input and plan the run; no pixel is read."""
    _check_options(options, regions)
    opened = open_rasters(rasters, mixed_grids=options.mixed_grids)
    zones = regions_or_grid(regions, opened, options)
    rules = Rules(options.coverage, options.overlap, options.transitions, options.unread == "list")
    return make_plan(opened, zones, rules)


def regions_or_grid(regions: gpd.GeoDataFrame | float, rasters: tuple, options: Options) -> Zones:
    """The zones: a grid's cells, or the regions, which exact coverage wants valid (E618)."""
    if not isinstance(regions, gpd.GeoDataFrame):
        return grid_zones(float(regions), rasters)
    zones = region_zones(regions, options.key)
    if options.coverage == "exact":
        problems = Problems()
        for code, reason in invalid_regions(zones).items():
            problems.add("E618", regions=code, reason=reason)
        problems.raise_errors()
    return zones


def _legend(legend: Legend | str | Path | None) -> Legend | None:
    return read_legend(legend) if isinstance(legend, (str, Path)) else legend


def _check_options(options: Options, regions: gpd.GeoDataFrame | float) -> None:
    problems = Problems()
    for name, choices in (("coverage", Coverage), ("overlap", Overlap), ("unread", Unread)):
        value = getattr(options, name)
        if value not in get_args(choices):
            problems.add("E632", value=value, option=name, expected=" | ".join(get_args(choices)))
    if options.threads is not None and options.threads < 1:
        problems.add("E632", value=options.threads, option="threads", expected="≥ 1")
    if not isinstance(regions, gpd.GeoDataFrame) and not float(regions) > 0:
        problems.add("E632", value=regions, option="grid", expected="> 0")
    if options.coverage == "exact" and options.overlap != "each":
        problems.add("E620", overlap=options.overlap)
    problems.raise_errors()
