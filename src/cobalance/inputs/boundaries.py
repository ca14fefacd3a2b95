"""Polygons of the regions: read, matched both ways, repaired in the open, in the study's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from cobalance.inputs.cells import is_blank
from cobalance.inputs.encoding import text_encoding
from cobalance.inputs.regions import RegionNames
from cobalance.vocabulary.errors import Place, Problem, Problems, nearest, refuse

_WGS84 = pyproj.Geod(ellps="WGS84")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class BoundaryOptions:
    """How to read a boundary file.

    layer     of a GeoPackage with several
    encoding  of a Shapefile's table without a .cpg file, where it is ambiguous
    repeated  rows of one region: ``refuse`` (E413) or ``dissolve`` (W403)
    surplus   polygons that are no region of the study: ``refuse`` (E412) or ``leave out`` (W404)
    """

    layer: str | None = None
    encoding: str | None = None
    repeated: Literal["refuse", "dissolve"] = "refuse"
    surplus: Literal["refuse", "leave out"] = "refuse"


@dataclass(frozen=True)
class Boundaries:
    """``frame``: indexed by ``region`` in the study's order, columns name_zh, name_en, geometry (valid polygons,
    exterior rings counter-clockwise) in the file's CRS. ``notices``: repairs, dissolves, what was left out."""

    frame: gpd.GeoDataFrame
    notices: tuple[Problem, ...] = ()


def read_boundaries(
    file: str | Path,
    key: str,
    regions: RegionNames,
    options: BoundaryOptions | None = None,
    base_dir: str | Path = ".",
) -> Boundaries:
    """The polygon of every region; ``key`` is the column of names or codes, read as :class:`RegionNames` reads them.

    Raises E301, E406 (unreadable), E407 (no such column), E408 (no CRS), E418 (encoding), E419 (layer); and, all at
    once, E403 (ambiguous), E409 (no polygon), E410 (empty), E411 (region without polygon), E412 (polygon without
    region), E413 (repeated).
    """
    options = options or BoundaryOptions()
    place = Place(file=str(file))
    problems = Problems()
    frame = _read(Path(base_dir) / file, place, options, problems)
    if key not in frame.columns or key == frame.geometry.name:
        present = [str(column) for column in frame.columns if column != frame.geometry.name]
        raise refuse("E407", place, found=key, present=present, nearest=nearest(key, present))
    if frame.crs is None:
        raise refuse("E408", place)
    matched = _matched(frame, key, regions, options, (place, problems))
    _check_shapes(matched, place, problems)
    lacking = [regions.label(code) for code in regions.codes if code not in set(matched["region"])]
    if lacking:
        problems.add("E411", place, found=_listed(lacking))
    matched = _one_row_each(matched, regions, options, (place, problems))
    problems.raise_errors()
    repaired = _repaired(matched, regions, place, problems)
    _note_antimeridian(repaired, regions, place, problems)
    names = regions.table.set_index("code").loc[:, ["name_zh", "name_en"]]
    geometry = repaired.set_index("region").geometry.loc[list(regions.codes)]
    result = gpd.GeoDataFrame(names.loc[list(regions.codes)], geometry=geometry.to_numpy(), crs=frame.crs)
    return Boundaries(result.rename_axis("region"), problems.notices)


def polygon_area_ha(boundaries: Boundaries) -> dict[str, float]:
    """Area of each region's polygon on the WGS 84 ellipsoid, in ha."""
    lonlat = boundaries.frame.to_crs("EPSG:4326").geometry
    return {str(code): _area_m2(shape) / 1e4 for code, shape in lonlat.items()}


def _read(path: Path, place: Place, options: BoundaryOptions, problems: Problems) -> gpd.GeoDataFrame:
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise refuse("E301", place, nearest=nearest(path.name, siblings) if siblings else "–", folder=path.parent)
    encoding = options.encoding
    if path.suffix.lower() == ".shp" and encoding is None:
        encoding = _table_encoding(path, place)
    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if (options.layer is not None and options.layer not in layers) or (options.layer is None and len(layers) != 1):
            raise refuse("E419", place, found=options.layer or "–", present=layers)
        frame = _frame(path, options.layer, encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError, UnicodeDecodeError) as error:
        raise refuse("E406", place, reason=str(error).splitlines()[0]) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise refuse("E406", place, reason="no geometry")
    cut = [
        str(text)
        for column in frame.columns.drop(frame.geometry.name)
        for text in (column, *frame[column])
        if isinstance(text, str) and _REPLACEMENT in text
    ]
    if cut:
        problems.add("W407", place, found=list(dict.fromkeys(cut)))
    return frame


def _frame(path: Path, layer: str | None, encoding: str | None) -> gpd.GeoDataFrame | pd.DataFrame:
    """The layer; texts that a Shapefile cut inside a character keep what can be read, with U+FFFD at the cut."""
    try:
        return pyogrio.read_dataframe(path, layer=layer, encoding=encoding)
    except UnicodeDecodeError as error:
        used = encoding or error.encoding
    frame = pyogrio.read_dataframe(path, layer=layer, encoding="ISO-8859-1")

    def readable(text: Any) -> Any:
        return text.encode("ISO-8859-1").decode(used, "replace") if isinstance(text, str) else text

    for column in frame.columns.drop("geometry"):
        frame[column] = frame[column].map(readable)
    return frame.rename(columns=readable)


def _table_encoding(path: Path, place: Place) -> str | None:
    """The encoding of a Shapefile's table: its .cpg file's (None lets the reader take it), or what the texts say."""
    if any(path.with_suffix(suffix).exists() for suffix in (".cpg", ".CPG")):
        return None
    table = next((file for suffix in (".dbf", ".DBF") if (file := path.with_suffix(suffix)).exists()), None)
    if table is None:
        raise refuse("E406", place, reason=f"{path.with_suffix('.dbf').name} is missing")
    raw = table.read_bytes()
    header = int.from_bytes(raw[8:10], "little")
    records = raw[header:].rstrip(b"\x1a")
    encoding = text_encoding(records)
    if encoding is None and _mostly_unicode(records):
        return "utf-8"  # names cut inside a character: told as W407
    if encoding is None:
        sample = records[:60].decode("ascii", "backslashreplace").strip()
        raise refuse("E418", place, sample=sample)
    return encoding


def _mostly_unicode(raw: bytes) -> bool:
    text = raw.decode("utf-8", "replace")
    foreign = sum(ord(character) > 127 for character in text)
    return text.count(_REPLACEMENT) <= 0.1 * foreign


def _matched(
    frame: gpd.GeoDataFrame,
    key: str,
    regions: RegionNames,
    options: BoundaryOptions,
    told: tuple[Place, Problems],
) -> gpd.GeoDataFrame:
    """Rows of the study's regions with their codes in the column ``region``."""
    place, problems = told
    matches = regions.matches(frame[key].tolist())
    for label in matches.ambiguous:
        candidates = " | ".join(map(regions.label, matches.ambiguous[label]))
        problems.add("E403", place, found=label, candidates=candidates)
    surplus = ["(blank)" if is_blank(label) else str(label) for label in (*matches.unknown, *matches.outside)]
    if surplus:
        problems.add("E412" if options.surplus == "refuse" else "W404", place, found=_listed(surplus))
    codes = [matches.codes[label] for label in frame[key]]
    matched = gpd.GeoDataFrame({"region": codes}, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    return matched[matched["region"].notna()].reset_index(drop=True)


def _check_shapes(frame: gpd.GeoDataFrame, place: Place, problems: Problems) -> None:
    for code, shape in zip(frame["region"], frame.geometry, strict=True):
        if shape is None or shape.is_empty:
            problems.add("E410", place, region=code)
        elif shape.geom_type not in ("Polygon", "MultiPolygon"):
            problems.add("E409", place, region=code, found=shape.geom_type)


def _one_row_each(
    frame: gpd.GeoDataFrame, regions: RegionNames, options: BoundaryOptions, told: tuple[Place, Problems]
) -> gpd.GeoDataFrame:
    place, problems = told
    counts = frame["region"].value_counts()
    repeated = [code for code in regions.codes if counts.get(code, 0) > 1]
    for code in repeated:
        details = {"region": regions.label(code), "count": int(counts[code])}
        problems.add("E413" if options.repeated == "refuse" else "W403", place, **details)
    if not repeated or problems.errors:
        return frame
    valid = frame.assign(geometry=[_polygons(shape) for shape in frame.geometry])
    return valid.dissolve(by="region", as_index=False)


def _repaired(frame: gpd.GeoDataFrame, regions: RegionNames, place: Place, problems: Problems) -> gpd.GeoDataFrame:
    """Valid polygons with exterior rings counter-clockwise; W401 for each that had to be repaired."""
    shapes: list[Any] = []
    invalid = ~frame.geometry.is_valid
    for code, shape, broken in zip(frame["region"], frame.geometry, invalid, strict=True):
        mended = shape
        if broken:
            mended = _polygons(shape)
            before, after = (_area_m2(_lonlat(each, frame.crs)) for each in (shape, mended))
            change = f"{(after / before - 1) * 100:+.4f}" if before else "–"
            reason = shapely.is_valid_reason(shape)
            problems.add("W401", place, region=regions.label(code), reason=reason, change=change)
            if mended.is_empty:
                problems.add("E410", place, region=regions.label(code))
        shapes.append(shapely.orient_polygons(mended))
    problems.raise_errors()
    return frame.assign(geometry=shapes)


def _polygons(shape: Any) -> Any:
    """``shape`` made valid, without the points and lines that this may leave."""
    valid = shape if shape.is_valid else shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = shapely.get_parts(valid)
    kept = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
    return valid if len(kept) == len(parts) and valid.geom_type != "GeometryCollection" else shapely.union_all(kept)


def _note_antimeridian(frame: gpd.GeoDataFrame, regions: RegionNames, place: Place, problems: Problems) -> None:
    if not frame.crs.is_geographic:
        return
    crossing = _crosses_antimeridian(frame.geometry.tolist())
    for code, crosses in zip(frame["region"], crossing, strict=True):
        if crosses:
            problems.add("W402", place, region=regions.label(code))


def _crosses_antimeridian(shapes: Sequence[Any]) -> list[bool]:
    bounds = shapely.bounds(np.asarray(shapes, dtype=object))
    return [bool(east - west > 180 or east > 180 or west < -180) for west, _, east, _ in bounds]


def _listed(labels: Sequence[str]) -> str:
    """All labels in one line, as far as one can read: which regions are wanting is what the user must know."""
    return ", ".join(labels[:60]) + (f" … ({len(labels)})" if len(labels) > 60 else "")


def _lonlat(shape: Any, crs: Any) -> Any:
    return gpd.GeoSeries([shape], crs=crs).to_crs("EPSG:4326").iloc[0]


def _area_m2(lonlat: Any) -> float:
    """Ellipsoidal area; rings are turned first, because the geodesic area of a ring carries its winding as its sign."""
    return float(abs(_WGS84.geometry_area_perimeter(shapely.orient_polygons(lonlat))[0]))
