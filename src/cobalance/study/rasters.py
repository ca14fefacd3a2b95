"""Land areas of a study from its rasters, as observations like those of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from cobalance.inputs.tables import OBSERVATION_COLUMNS, Observations
from cobalance.study.spec import LandCover

if TYPE_CHECKING:
    from cobalance.landcover import Options


@dataclass(frozen=True)
class Counting:
    """How rasters are counted: where an interrupted run goes on, and who is told how much is done, 0 to 1."""

    checkpoint: Path | None = None
    tell: Callable[[float], None] = lambda done: None


def raster_files(land_cover: LandCover, folder: Path) -> dict[int, list[Path]]:
    """Year → the files of its raster or mosaic."""
    several = {year: files if isinstance(files, list) else [files] for year, files in land_cover.rasters.items()}
    return {year: [folder / file for file in files] for year, files in several.items()}


def check_rasters(land_cover: LandCover, regions: gpd.GeoDataFrame, folder: Path) -> None:
    """Open the rasters and plan the count; no pixel is read. Raises E601–E633."""
    from cobalance.landcover.areas import planned

    planned(_paths(land_cover, folder), regions, _options(land_cover, folder, Counting()))


def raster_observations(
    land_cover: LandCover, regions: gpd.GeoDataFrame, folder: Path, counting: Counting
) -> Observations:
    """The area (ha) of each land class of each region and year, one observation a class. Raises E601–E633.

    Source: pixels counted under the regions' polygons, areas on the ellipsoid; see :mod:`cobalance.landcover`.
    """
    from cobalance.landcover import tabulate

    def progress(stage: str, done: int, total: int, read_bytes: int) -> None:
        counting.tell(done / total if total else 1.0)

    options = _options(land_cover, folder, counting)
    found = tabulate(_paths(land_cover, folder), regions, options, progress)
    if counting.checkpoint is not None:
        counting.checkpoint.unlink(missing_ok=True)
    table = found.table
    files = {year: " + ".join(file.name for file in names) for year, names in raster_files(land_cover, folder).items()}
    frame = pd.DataFrame(
        {
            "region": table["region"].astype(str),
            "year": table["year"].astype(int),
            "variable": "land_area",
            "item": table["land_class"].astype(str),
            "value": table["area_ha"],
            "unit": "ha",
            "file": table["year"].map(files),
            "sheet": "",
            "row": 0,
            "column": "",
            "source": "pixels counted under the polygons",
            "flag": np.where(table["area_ha"].notna(), "observed", "missing"),
            "note": "",
            "original_unit": "px",
            "printed": table["pixels"].map("{:.10g}".format),
        }
    )
    return Observations(frame.reindex(columns=list(OBSERVATION_COLUMNS)), found.notices)


def _paths(land_cover: LandCover, folder: Path) -> dict[int, list[str]]:
    return {year: [str(file) for file in files] for year, files in raster_files(land_cover, folder).items()}


def _options(land_cover: LandCover, folder: Path, counting: Counting) -> Options:
    from cobalance.landcover import Options

    legend = land_cover.legend
    return Options(
        coverage=land_cover.coverage,
        overlap=land_cover.overlap,
        legend=folder / legend if legend and legend.endswith(".csv") else legend,
        mixed_grids=land_cover.mixed_grids,
        checkpoint=counting.checkpoint,
    )
