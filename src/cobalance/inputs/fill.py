"""Observations → labelled arrays, and the gaps between years: they stay gaps unless the study says how to fill them.

    between  ``linear``: on the line between the neighbouring figures · ``hold``: the earlier one · ``none``
    after    ``hold``: the last figure · ``none``
    before   ``hold``: the first figure · ``none``

Every filled cell is flagged ``interpolated`` or ``held``; nothing else fills a cell, and a filled one is never
interpolated from again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.inputs.checks import missing_notices, missing_table
from cobalance.inputs.names import ITEM_DIMENSION, ordered_items
from cobalance.inputs.tables import Observations
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Place, Problem, Problems, refuse

_WAYS = {"between": ("linear", "hold", "none"), "after": ("hold", "none"), "before": ("hold", "none")}


@dataclass(frozen=True)
class Fill:
    """How the gaps of a variable are filled; see the module. Raises E321 for an unknown word."""

    between: str = "none"
    after: str = "none"
    before: str = "none"

    def __post_init__(self) -> None:
        problems = Problems()
        for name, ways in _WAYS.items():
            if getattr(self, name) not in ways:
                problems.add("E321", Place(key=f"fill.{name}"), found=getattr(self, name), where=name, expected=ways)
        problems.raise_errors()


@dataclass(frozen=True)
class Assembled:
    """``dataset``: the variables of the data model, NaN where missing. ``flags``: words of the same names and dims.
    ``missing``: region-years without a figure (after filling). ``notices``: gaps, fills and years left out."""

    dataset: xr.Dataset
    flags: xr.Dataset
    missing: pd.DataFrame
    notices: tuple[Problem, ...] = field(default=())


def assemble(
    observations: Observations, regions: Sequence[str], years: Sequence[int], fill: Mapping[str, Fill] | None = None
) -> Assembled:
    """Labelled arrays (region, year[, land_class | fuel | source]) of the observations, gaps filled as ``fill`` says.

    ``fill`` maps a variable (``land_area``) or a variable with an item (``fuel_use coal``), which goes first, to its
    :class:`Fill`. Figures of years outside ``years`` serve to interpolate and to hold. The frame must have each cell
    once (:func:`cobalance.inputs.checks.combined`). Raises E321 (fill of an unknown variable), E324 (no figures).
    """
    fill = dict(fill or {})
    _check_fill(fill)
    frame = observations.frame[observations.frame["region"].isin(list(regions))]
    if frame.empty or not frame["value"].notna().any():
        raise refuse("E324")
    arrays, flags, notices = {}, {}, []
    for name in [name for name in ITEM_DIMENSION if (frame["variable"] == name).any()]:
        own = frame[frame["variable"] == name]
        items = ordered_items(name, own["item"])
        filled = [_filled(own[own["item"] == item], regions, years, _fill_of(fill, name, item)) for item in items]
        arrays[name] = _array(name, items, [value for value, _ in filled], (regions, years), own)
        flags[name] = _array(name, items, [flag for _, flag in filled], (regions, years), own).drop_attrs()
        notices += _fill_notice(name, flags[name])
    dataset, words = xr.Dataset(arrays), xr.Dataset(flags)
    missing = _still_missing(missing_table(frame, regions, years), words)
    notices += missing_notices(missing, regions, years) + _years_left_out(frame, years)
    return Assembled(dataset, words, missing, tuple(notices))


def _filled(
    own: pd.DataFrame, regions: Sequence[str], years: Sequence[int], fill: Fill
) -> tuple[np.ndarray, np.ndarray]:
    """Values and flags (region, year) of one item."""
    every = np.array(sorted({*map(int, years), *own["year"].astype(int)}))
    value = np.full((len(regions), len(every)), np.nan)
    flag = np.full(value.shape, "missing", dtype=object)
    at = (
        pd.Index(list(regions)).get_indexer(pd.Index(own["region"])),
        np.searchsorted(every, own["year"].to_numpy(int)),
    )
    value[at], flag[at] = own["value"].to_numpy(float), own["flag"].to_numpy(object)
    for row, marks in zip(value, flag, strict=True):
        _fill_series(every, row, marks, fill)
    wanted = np.searchsorted(every, np.asarray(years, dtype=int))
    return value[:, wanted], flag[:, wanted]


def _fill_series(years: np.ndarray, value: np.ndarray, flag: np.ndarray, fill: Fill) -> None:
    """Fill one region's series in place."""
    known = np.flatnonzero(~np.isnan(value))
    if not len(known):
        return
    gaps = np.flatnonzero(np.isnan(value))
    between = gaps[(gaps > known[0]) & (gaps < known[-1])]
    after, before = gaps[gaps > known[-1]], gaps[gaps < known[0]]
    earlier = known[np.searchsorted(known, between) - 1]
    if fill.between == "linear":
        value[between] = np.interp(years[between], years[known], value[known])
        flag[between] = "interpolated"
    elif fill.between == "hold":
        value[between], flag[between] = value[earlier], "held"
    if fill.after == "hold":
        value[after], flag[after] = value[known[-1]], "held"
    if fill.before == "hold":
        value[before], flag[before] = value[known[0]], "held"


def _array(
    name: str,
    items: list[str],
    layers: list[np.ndarray],
    labels: tuple[Sequence[str], Sequence[int]],
    own: pd.DataFrame,
) -> xr.DataArray:
    """Layers (region, year) of the items as an array of the data model, with its units."""
    regions, years = labels
    dimension = ITEM_DIMENSION[name]
    unit = schema.variable(name).unit
    coordinates: dict[str, object] = {"region": np.asarray(list(regions), dtype=object), "year": list(map(int, years))}
    if dimension is None:
        return xr.DataArray(layers[0], coords=coordinates, dims=["region", "year"], attrs={"units": unit}, name=name)
    coordinates[dimension] = np.asarray(items, dtype=object)
    dims = ["region", "year", dimension]
    result = xr.DataArray(np.stack(layers, axis=-1), coords=coordinates, dims=dims, attrs={"units": unit}, name=name)
    if "{fuel_unit}" in unit:
        suffix = unit.removeprefix("{fuel_unit}")
        figures = own[own["value"].notna()].drop_duplicates("item").set_index("item")["unit"]
        texts = [str(figures.get(item, "")).removesuffix(suffix) for item in items]
        result = result.assign_coords(fuel_unit=(dimension, np.asarray(texts, dtype=object)))
    return result


def _still_missing(missing: pd.DataFrame, flags: xr.Dataset) -> pd.DataFrame:
    """The rows of ``missing`` that no fill has given a value."""
    unfilled = []
    for row in missing.itertuples(index=False):
        label = {"region": row.region, "year": row.year}
        name = str(row.variable)
        dimension = ITEM_DIMENSION[name]
        label |= {dimension: row.item} if dimension else {}
        unfilled.append(flags[name].sel(label).item() == "missing")
    return missing[np.array(unfilled, dtype=bool)].reset_index(drop=True)


def _fill_of(fill: Mapping[str, Fill], name: str, item: str) -> Fill:
    return fill.get(f"{name} {item}".strip(), fill.get(name, Fill()))


def _check_fill(fill: Mapping[str, Fill]) -> None:
    problems = Problems()
    for key in fill:
        if key.split(" ")[0] not in ITEM_DIMENSION:
            problems.add("E321", Place(key=f"fill.{key}"), found=key, where="fill", expected=list(ITEM_DIMENSION))
    problems.raise_errors()


def _fill_notice(name: str, flags: xr.DataArray) -> list[Problem]:
    interpolated, held = (int((flags == word).sum()) for word in ("interpolated", "held"))
    counts = {"count": interpolated + held, "interpolated": interpolated, "held": held}
    return [Problem("W308", Place(), {"variable": name, **counts})] if interpolated + held else []


def _years_left_out(frame: pd.DataFrame, years: Sequence[int]) -> list[Problem]:
    outside = sorted({int(year) for year in frame["year"]} - set(map(int, years)))
    return [Problem("W311", Place(), {"years": outside})] if outside else []
