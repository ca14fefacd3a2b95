"""Land-cover rasters opened, checked and put on lattices, before any pixel is read.

A *lattice* is the endless grid of cells that a raster is a window of: CRS, cell size, origin. The files of one year (a
mosaic) must lie on one lattice and must not overlap; years on different lattices are taken only when so declared.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import numpy as np
import rasterio
from pyproj import CRS
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning

from cobalance.landcover.decode import CODECS, TileFile, local_path
from cobalance.landcover.tiff import DamagedIndex, NotTiff, TileIndex, read_tile_index
from cobalance.vocabulary.errors import Place, Problems

MOST_TILE_PIXELS = 2**28
_DTYPES = {"uint8": "uint8", "uint16": "uint16", "int8": "uint8", "int16": "uint16"}
_GDAL_BLOCK = 512

RasterPath = str | Path
RasterPaths = Mapping[int, RasterPath | Sequence[RasterPath]]


@dataclass(frozen=True)
class Lattice:
    """The endless grid of a raster: ``x = left + column · dx``, ``y = top + row · dy`` (dy usually negative)."""

    crs_wkt: str
    left: float
    top: float
    dx: float
    dy: float

    @property
    def crs(self) -> CRS:
        return CRS.from_wkt(self.crs_wkt)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Coordinates (point, 2) of the CRS → columns and rows, by the arithmetic that GDAL uses."""
        inverse_x, inverse_y = 1.0 / self.dx, 1.0 / self.dy
        columns = -self.left / self.dx + points[:, 0] * inverse_x
        rows = -self.top / self.dy + points[:, 1] * inverse_y
        return np.column_stack([columns, rows])

    def coordinates(self, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows → coordinates of the CRS."""
        return self.left + columns * self.dx, self.top + rows * self.dy


@dataclass(frozen=True)
class Raster:
    """One file of one year, as a window of its lattice. ``dtype`` is how pixels are counted (unsigned)."""

    year: int
    path: str
    lattice: Lattice
    row0: int
    column0: int
    width: int
    height: int
    tile_width: int
    tile_height: int
    dtype: str
    signed: bool
    nodata: int | None
    masked: int | None
    index: TileIndex | None
    stamp: str
    signature: str

    @property
    def layout(self) -> tuple[Any, ...]:
        """What years must share to be read in one pass."""
        size = (self.width, self.height, self.tile_width, self.tile_height)
        return (self.lattice, self.row0, self.column0, *size, self.dtype, self.signed)

    def tile_file(self, first: int, end: int) -> TileFile:
        """What reads the tile rows ``first … end-1``."""
        index = self.index
        empty = np.zeros((0, 0), np.int64)
        return TileFile(
            path=self.path,
            dtype=self.dtype,
            tile_width=self.tile_width,
            tile_height=self.tile_height,
            width=self.width,
            height=self.height,
            first_row=first * self.tile_height,
            compression=index.compression if index else 0,
            predictor=index.predictor if index else 1,
            fill=self.nodata if self.nodata is not None else 0,
            masked=self.masked,
            native=index is not None,
            striped=index is not None and index.striped,
            offsets=index.offsets[first:end] if index else empty,
            sizes=index.sizes[first:end] if index else empty,
        )


def open_rasters(rasters: RasterPaths, *, mixed_grids: bool = False) -> tuple[Raster, ...]:
    """Open and check all files of all years; nothing but headers and indexes is read.

    rasters  year → file, or the files of that year's mosaic; paths, or addresses that GDAL opens (``https://…``)
    returns  the rasters in order of year and file

    Raises E601–E608, E610, E626, E631, all problems at once.
    """
    problems = Problems()
    opened: list[Raster] = []
    for year in sorted(rasters):
        files = rasters[year]
        members = [files] if isinstance(files, (str, Path)) else list(files)
        opened += [r for path in members if (r := _opened(year, str(path), problems)) is not None]
    if not opened and not problems.errors:
        problems.add("E631")
    opened = _on_known_lattices(opened)
    for year in rasters:
        _check_mosaic([r for r in opened if r.year == year], problems)
    _check_years(opened, mixed_grids, problems)
    problems.raise_errors()
    return tuple(opened)


def file_signature(path: str) -> str:
    """Size and time of change of a local file; the address itself for a remote one."""
    local = local_path(path)
    if local is None:
        return path
    status = local.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"


def _opened(year: int, path: str, problems: Problems) -> Raster | None:
    place = Place(file=path)
    index = None
    local = local_path(path)
    try:
        if local is not None:
            index = read_tile_index(local)
    except NotTiff:
        index = None
    except DamagedIndex as damage:
        problems.add("E608", place, what=damage.what, offset=damage.offset)
        return None
    except OSError as error:
        problems.add("E601", place, cause=error.strerror or str(error))
        return None
    try:
        # a file without georeference is told of as E602 or E603, not as a warning
        with catch_warnings(action="ignore", category=NotGeoreferencedWarning), rasterio.open(path) as dataset:
            return _described(year, path, dataset, index, problems)
    except rasterio.errors.RasterioError as error:
        problems.add("E601", place, cause=str(error))
        return None


def _described(year: int, path: str, dataset: Any, index: TileIndex | None, problems: Problems) -> Raster | None:
    before = len(problems)
    place = Place(file=path)
    transform, kind = dataset.transform, dataset.dtypes[0]
    if dataset.crs is None:
        problems.add("E602", place)
    if transform.b != 0 or transform.d != 0 or transform.a <= 0 or transform.e == 0 or transform.is_identity:
        problems.add("E603", place, transform=tuple(transform)[:6])
    if kind not in _DTYPES:
        problems.add("E604", place, dtype=kind)
    if dataset.count != 1:
        problems.add("E610", place, count=dataset.count)
    if index is not None and (index.width, index.height) != (dataset.width, dataset.height):
        index = None
    flags = dataset.mask_flag_enums[0]
    has_mask = MaskFlags.per_dataset in flags or MaskFlags.alpha in flags
    if index is not None and (has_mask or not _is_native(index, kind)):
        index = None
    tile_height, tile_width = _tile_shape(dataset, index)
    if tile_height * tile_width > MOST_TILE_PIXELS:
        problems.add("E626", place, height=tile_height, width=tile_width)
    if len(problems) > before:
        return None
    dtype = _DTYPES[kind]
    masked = None
    if has_mask:
        masked = 65535 if dtype == "uint16" else 256
        dtype = "uint16"
    lattice = Lattice(dataset.crs.to_wkt(), transform.c, transform.f, transform.a, transform.e)
    return Raster(
        year=year,
        path=path,
        lattice=lattice,
        row0=0,
        column0=0,
        width=dataset.width,
        height=dataset.height,
        tile_width=tile_width,
        tile_height=tile_height,
        dtype=dtype,
        signed=kind.startswith("int"),
        nodata=masked if has_mask else _nodata_code(dataset.nodata, kind),
        masked=masked,
        index=index,
        stamp=(stamp := file_signature(path)),
        signature=_signature(stamp, index),
    )


def _is_native(index: TileIndex, kind: str) -> bool:
    same_bytes = index.byte_order == "<" or index.dtype.endswith("8")
    known = index.compression in CODECS and index.predictor in (1, 2) and index.samples == 1
    return known and same_bytes and index.dtype == kind


def _tile_shape(dataset: Any, index: TileIndex | None) -> tuple[int, int]:
    if index is not None:
        return index.tile_height, index.tile_width
    height, width = dataset.block_shapes[0]
    width = width if width >= 256 else min(_GDAL_BLOCK, dataset.width)
    return min(height * math.ceil(256 / height), max(dataset.height, 1)), width


def _nodata_code(nodata: float | None, kind: str) -> int | None:
    """The declared nodata value as the unsigned code of the pixel, None where it cannot occur."""
    limits = np.iinfo(kind)
    if nodata is None or not math.isfinite(nodata) or nodata != int(nodata):
        return None
    if not limits.min <= nodata <= limits.max:
        return None
    return int(np.array(int(nodata), kind).view(_DTYPES[kind]))


def _signature(stamp: str, index: TileIndex | None) -> str:
    digest = hashlib.sha256(stamp.encode())
    if index is not None:
        digest.update(index.offsets.tobytes())
        digest.update(index.sizes.tobytes())
    return digest.hexdigest()[:32]


def _on_known_lattices(rasters: list[Raster]) -> list[Raster]:
    """Rasters of one grid as windows of the same lattice: that of the first of them."""
    lattices: list[Lattice] = []
    placed = []
    for raster in rasters:
        for lattice in lattices:
            offset = window_offset(raster.lattice, lattice)
            if offset is not None:
                raster = replace(raster, lattice=lattice, row0=offset[0], column0=offset[1])
                break
        else:
            lattices.append(raster.lattice)
        placed.append(raster)
    return placed


def _check_mosaic(members: list[Raster], problems: Problems) -> None:
    """The files of one year lie on one lattice and do not overlap."""
    for i, one in enumerate(members):
        if one.lattice != members[0].lattice:
            problems.add("E607", Place(file=one.path), first=members[0].path, year=one.year)
            continue
        for other in members[:i]:
            down = min(one.row0 + one.height, other.row0 + other.height) - max(one.row0, other.row0)
            across = min(one.column0 + one.width, other.column0 + other.width) - max(one.column0, other.column0)
            if other.lattice == one.lattice and down > 0 and across > 0:
                problems.add("E606", Place(file=one.path), other=other.path, rows=down, columns=across)


def window_offset(lattice: Lattice, base: Lattice) -> tuple[int, int] | None:
    """Row and column of a lattice's origin on another; None where the two are not the same grid."""
    if lattice.crs_wkt != base.crs_wkt and lattice.crs != base.crs:
        return None
    if not (math.isclose(lattice.dx, base.dx, rel_tol=1e-9) and math.isclose(lattice.dy, base.dy, rel_tol=1e-9)):
        return None
    column, row = (lattice.left - base.left) / base.dx, (lattice.top - base.top) / base.dy
    if abs(column - round(column)) > 1e-3 or abs(row - round(row)) > 1e-3:
        return None
    return round(row), round(column)


def _check_years(rasters: Iterable[Raster], mixed_grids: bool, problems: Problems) -> None:
    grids: dict[tuple[Any, ...], list[int]] = {}
    windows: dict[int, set[tuple[Any, ...]]] = {}
    for r in rasters:
        windows.setdefault(r.year, set()).add((r.lattice, r.row0, r.column0, r.width, r.height))
    for year, members in windows.items():
        grids.setdefault(tuple(sorted(members, key=str)), []).append(year)
    if len(grids) > 1 and not mixed_grids:
        years = [" ".join(str(year) for year in members) for members in grids.values()]
        problems.add("E605", years=" | ".join(years))
