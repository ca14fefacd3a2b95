"""What a run leaves: one Dataset, the tables made from it, the regions' shapes and where everything came from."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import xarray as xr

from cobalance import __version__
from cobalance.study.spec import Study
from cobalance.vocabulary.errors import Place, nearest, refuse

DATASET_FILE, REGIONS_FILE, PROVENANCE_FILE, TABLES_FOLDER = "results.nc", "regions.gpkg", "provenance.json", "tables"
_GPKG_DATE = "2000-01-01T00:00:00.000Z"  # a GeoPackage notes when it was changed; the same run gives the same bytes


@dataclass(frozen=True)
class Results:
    """The results of a study.

    dataset     every quantity, labelled, in the units of its attribute ``units``
    tables      name → tidy table, as written to ``tables/NAME.csv``
    regions     name_zh, name_en, geometry (empty where the study has no boundary), indexed by region
    provenance  the resolved study, input hashes, versions, seed
    """

    dataset: xr.Dataset
    tables: Mapping[str, pd.DataFrame]
    regions: gpd.GeoDataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def study(self) -> Study:
        """The study as it was run, defaults filled in; E905 where another version's study file has other keys."""
        try:
            return Study.model_validate(self.provenance["study"])
        except (KeyError, ValueError) as error:
            raise refuse("E905", found=self.provenance.get("cobalance", "?"), version=__version__) from error

    def table(self, name: str) -> pd.DataFrame:
        """The tidy table ``name``; E902 with the nearest name where there is none."""
        if name not in self.tables:
            raise refuse("E902", found=name, expected=list(self.tables), nearest=nearest(name, self.tables))
        return self.tables[name]

    def save(self, directory: Path) -> None:
        """Write ``results.nc``, ``tables/*.csv``, ``regions.gpkg`` and ``provenance.json`` into ``directory``."""
        directory.mkdir(parents=True, exist_ok=True)
        with written(directory / DATASET_FILE) as file:
            _storable(self.dataset).to_netcdf(file, engine="h5netcdf")
        (directory / TABLES_FOLDER).mkdir(exist_ok=True)
        for name, frame in self.tables.items():
            with written(directory / TABLES_FOLDER / f"{name}.csv") as file:
                frame.to_csv(file, index=False, encoding="utf-8", lineterminator="\n")
        if not self.regions.geometry.isna().all():
            write_layers(directory / REGIONS_FILE, {"regions": self.regions.reset_index(names="region")})
        with written(directory / PROVENANCE_FILE) as file:
            text = json.dumps(self.provenance, ensure_ascii=False, indent=2, sort_keys=True)
            file.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def open(cls, directory: Path) -> Results:
        """Read what :meth:`save` wrote. Raises E901 where ``directory`` holds no results."""
        if not (directory / DATASET_FILE).is_file():
            raise refuse("E901", Place(file=str(directory)), found=directory)
        dataset = xr.load_dataset(directory / DATASET_FILE, engine="h5netcdf")
        tables = {file.stem: _read_table(file) for file in sorted((directory / TABLES_FOLDER).glob("*.csv"))}
        provenance = json.loads((directory / PROVENANCE_FILE).read_text(encoding="utf-8"))
        return cls(dataset, tables, _read_regions(directory, dataset), provenance)


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """A temporary name beside ``file`` that takes its place when the block ends well; nothing half-written stays."""
    handle, name = tempfile.mkstemp(prefix=f".{file.stem}-", suffix=file.suffix, dir=file.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.unlink()
    try:
        yield temporary
        temporary.replace(file)
    except OSError as error:
        raise refuse("E903", Place(file=str(file)), found=file, reason=error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_layers(file: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write a GeoPackage of ``layers`` whose bytes depend on nothing but them."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _GPKG_DATE})
    with written(file) as temporary:
        for name, layer in layers.items():
            layer.to_file(temporary, layer=name, driver="GPKG", engine="pyogrio")


@contextmanager
def replaced(directory: Path) -> Iterator[Path]:
    """A new folder that takes the place of ``directory`` when the block ends well; until then an earlier run stays.

    Raises E904 where ``directory`` holds anything that is not a run's, E903 where it cannot be written.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / PROVENANCE_FILE).is_file():
        first = sorted(item.name for item in directory.iterdir())[0]
        raise refuse("E904", Place(file=str(directory)), found=directory, file=first)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise refuse(
            "E903", Place(file=str(directory)), found=directory, reason=error.strerror or str(error)
        ) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        if directory.exists():
            shutil.rmtree(directory)
        temporary.replace(directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


_TEXT_COLUMNS = frozenset(
    """
    region from_region to_region group scenario name_zh name_en source item set status sheet column printed
    note reason flag stage locator basis place code participants
    """.split()  # noqa: SIM905
)
"""Columns that stay text although every cell may look like a number, or be empty: codes, names, places in files."""


def _read_table(file: Path) -> pd.DataFrame:
    """A result table as it was written; an empty text is empty, not missing."""
    frame = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    return frame.assign(**{name: _typed(frame[name]) for name in frame.columns if name not in _TEXT_COLUMNS})


def _typed(texts: pd.Series[str]) -> pd.Series[Any]:
    """Whole numbers, numbers, truth values or text, by what every cell holds."""
    if texts.isin(["True", "False"]).all() and len(texts):
        return texts == "True"
    try:
        # Python's own conversion gives back the very number that was written; pandas' faster one does not
        numbers = texts.replace("", "nan").astype(float)
    except ValueError:
        return texts
    whole = len(texts) > 0 and texts.str.fullmatch(r"-?\d+").all()
    return numbers.astype(int) if whole else numbers


def _read_regions(directory: Path, dataset: xr.Dataset) -> gpd.GeoDataFrame:
    if (directory / REGIONS_FILE).is_file():
        return gpd.read_file(directory / REGIONS_FILE, layer="regions", engine="pyogrio").set_index("region")
    names = {name: dataset[name].values for name in ("name_zh", "name_en")}
    index = pd.Index(dataset["region"].values, name="region")
    return gpd.GeoDataFrame(names, index=index, geometry=[None] * len(index))


def _storable(dataset: xr.Dataset) -> xr.Dataset:
    """NetCDF keeps no empty attributes and no object arrays but of text."""
    return dataset.map(lambda array: array.astype(str) if array.dtype == object else array, keep_attrs=True)
