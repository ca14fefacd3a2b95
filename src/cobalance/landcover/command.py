"""What ``cobalance landcover`` does: files in, one table out, beside it the table of conservation."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from cobalance.landcover.areas import Options, tabulate
from cobalance.landcover.plan import Coverage, Overlap
from cobalance.landcover.rasters import RasterPath
from cobalance.landcover.result import Tabulation
from cobalance.landcover.run import Progress, no_progress
from cobalance.vocabulary.errors import Place, Problem, Problems, refuse

OUTPUTS = (".csv", ".parquet")


@dataclass(frozen=True)
class LandcoverOptions:
    """The options of ``cobalance landcover``; each field's ``help`` is its sentence."""

    rasters: tuple[str, ...] = field(metadata={"help": "Land-cover rasters: GeoTIFF, COG, VRT, or https addresses."})
    years: tuple[int, ...] = field(
        metadata={"help": "The year of each raster, separated by commas; a year may stand again for a mosaic's files."}
    )
    output: Path = field(metadata={"help": "Table to write, .csv or .parquet; *.conservation.csv comes beside it."})
    regions: Path | None = field(default=None, metadata={"help": "Polygons of the regions, in any CRS."})
    key: str | None = field(default=None, metadata={"help": "Column of region codes (default: region)."})
    grid: float | None = field(
        default=None, metadata={"help": "Instead of regions: square cells of this step, in units of the raster's CRS."}
    )
    coverage: Coverage = field(
        default="centre", metadata={"help": "centre: a pixel counts where its centre lies; exact: by the covered part."}
    )
    overlap: Overlap = field(
        default="each", metadata={"help": "Pixels in several regions: each counts them, the last has them, or error."}
    )
    legend: str | None = field(
        default=None, metadata={"help": "A product (CLCD, WorldCover, NLCD, …) or a CSV with code and land_class."}
    )
    transitions: bool = field(
        default=False, metadata={"help": "Also write class-to-class changes between years, as *.transitions.csv."}
    )
    unread: str = field(
        default="stop", metadata={"help": "Damaged tiles: stop, or list them as *.unread.csv and leave them out."}
    )
    mixed_grids: bool = field(
        default=False, metadata={"help": "The years may lie on different grids or extents; each is counted on its own."}
    )
    scheduler: str = field(
        default="local", metadata={"help": "local: threads of this machine; or the address of a Dask scheduler."}
    )
    threads: int | None = field(default=None, metadata={"help": "How many threads (default: one a processor)."})
    resume: bool = field(
        default=False,
        metadata={"help": "Keep a checkpoint beside the output, and go on from it after an interruption."},
    )
    checkpoint: Path | None = field(default=None, metadata={"help": "The checkpoint's file, if not beside the output."})


def run_landcover(
    options: LandcoverOptions,
    progress: Progress = no_progress,
    notice: Callable[[Problem], None] = lambda problem: None,
) -> Path:
    """Count the rasters and write the table (region, year, land_class, area_ha, pixels); returns its path.

    ``notice`` is called with each notice (W6xx). Beside the table stand NAME.conservation.csv and, where asked for,
    NAME.transitions.csv and NAME.unread.csv. A checkpoint is removed when the tables are written.
    Raises :class:`CobalanceError` with codes E601–E633.
    """
    _check(options)
    checkpoint = options.checkpoint or (_beside(options.output, "checkpoint") if options.resume else None)
    regions = options.grid if options.regions is None else read_region_file(options.regions)
    assert regions is not None  # _check saw to it that one of the two is there
    result = tabulate(
        rasters_by_year(options.rasters, options.years),
        regions,
        Options(
            coverage=options.coverage,
            overlap=options.overlap,
            legend=options.legend,
            key=options.key,
            transitions=options.transitions,
            unread="list" if options.unread == "list" else "stop",
            mixed_grids=options.mixed_grids,
            threads=options.threads,
            scheduler=None if options.scheduler == "local" else options.scheduler,
            checkpoint=checkpoint,
        ),
        progress,
    )
    for problem in result.notices:
        notice(problem)
    write_tables(result, options.output)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return options.output


def rasters_by_year(rasters: tuple[str, ...], years: tuple[int, ...]) -> dict[int, list[RasterPath]]:
    """Files by their years; a year that stands several times has a mosaic. Raises E611."""
    if len(rasters) != len(years):
        raise refuse("E611", rasters=len(rasters), years=len(years))
    by_year: dict[int, list[RasterPath]] = {}
    for path, year in zip(rasters, years, strict=True):
        by_year.setdefault(year, []).append(path)
    return by_year


def read_region_file(path: Path) -> gpd.GeoDataFrame:
    """Polygons of a vector file. Raises E630."""
    try:
        return gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise refuse("E630", Place(file=str(path)), cause=str(error)) from error


def write_tables(result: Tabulation, output: Path) -> None:
    """The table and those beside it, each complete or not there at all. Numbers are written in full."""
    table = result.table
    if result.pixels.attrs["coverage"] == "centre":
        table = table.astype({"pixels": "Int64"})  # whole pixels, or none at all
    _write(table, output)
    _write(result.conservation, _beside(output, "conservation.csv"))
    if result.transitions is not None:
        _write(result.transitions, _beside(output, "transitions.csv"))
    if result.unread:
        _write(pd.DataFrame(result.unread), _beside(output, "unread.csv"))


def _write(table: pd.DataFrame, path: Path) -> None:
    unfinished = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        whole = table.astype({name: str for name in table.columns if name.endswith("land_class")})
        whole.to_parquet(unfinished, index=False)
    else:
        table.to_csv(unfinished, index=False, encoding="utf-8", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    unfinished.replace(path)


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(f"{output.stem}.{ending}")


def _check(options: LandcoverOptions) -> None:
    problems = Problems()
    if options.output.suffix not in OUTPUTS:
        problems.add("E627", output=options.output)
    given = (options.regions is not None) + (options.grid is not None)
    if given != 1:
        problems.add("E628", given=given)
    if options.unread not in ("stop", "list"):
        problems.add("E632", value=options.unread, option="unread", expected="stop | list")
    problems.raise_errors()
