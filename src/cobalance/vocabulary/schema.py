"""Tidy table ⇄ labelled Dataset: one conversion each way, and the vocabulary that both follow.

A tidy table has one row a cell: the dimensions' columns, then ``variable``, ``value`` and ``unit``. A Dataset has one
labelled array a variable. ``dataset(table(dataset))`` is the same Dataset; missing cells stay missing.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Hashable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.vocabulary.errors import Language, Place, Problems, nearest, refuse

VALUE_COLUMNS = ("variable", "value", "unit")


@dataclass(frozen=True)
class Variable:
    """A row of ``variables.csv``: the name that code, tables, figures and pages use, in both languages."""

    name: str
    zh: str
    en: str
    dims: tuple[str, ...]
    unit: str
    lower: float
    upper: float
    definition_en: str
    definition_zh: str

    def title(self, language: Language = "en") -> str:
        return self.zh if language == "zh" else self.en


@functools.cache
def variables() -> dict[str, Variable]:
    """The vocabulary by name."""
    source = resources.files("cobalance.vocabulary") / "variables.csv"
    with source.open("r", encoding="utf-8") as stream:
        return {row["name"]: _variable(row) for row in csv.DictReader(stream)}


def variable(name: str) -> Variable:
    """The vocabulary's entry of ``name``; E211 with the nearest name where there is none."""
    if name not in variables():
        raise refuse("E211", found=name, nearest=nearest(name, variables()))
    return variables()[name]


def table(data: xr.DataArray | xr.Dataset) -> pd.DataFrame:
    """The tidy table of an array or of a Dataset: every cell a row, dims in order, missing cells as NaN.

    Columns: the dims of all variables (empty where a variable has not got one), ``variable``, ``value``, ``unit``.
    """
    if isinstance(data, xr.Dataset):
        frames = [table(data[name]) for name in data.data_vars]
        dims = list(dict.fromkeys(str(dim) for array in data.data_vars.values() for dim in array.dims))
        joined = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
        joined["value"] = joined["value"].astype(float)
        return joined.reindex(columns=[*dims, *VALUE_COLUMNS])
    labels = np.meshgrid(*(data[dim].values.astype(object) for dim in data.dims), indexing="ij")
    columns: dict[Hashable, object] = {dim: grid.ravel() for dim, grid in zip(data.dims, labels, strict=True)}
    frame = pd.DataFrame(columns, index=range(data.size))
    return frame.assign(variable=str(data.name), value=data.values.ravel(), unit=_unit_column(data)).infer_objects()


def array(rows: pd.DataFrame, name: str, place: Place | None = None) -> xr.DataArray:
    """The labelled array of variable ``name`` in a tidy table; labels in the order of first appearance.

    Cells that no row names are NaN. Raises E209 (a cell twice), E210 (columns missing), E211 (no such rows),
    E212 (several units where one is due); all at once.
    """
    problems = Problems()
    lacking = [column for column in VALUE_COLUMNS if column not in rows.columns]
    if lacking:
        raise refuse("E210", place, missing=lacking, present=list(map(str, rows.columns)), expected=VALUE_COLUMNS)
    own = rows[rows["variable"] == name]
    if own.empty:
        raise refuse("E211", place, found=name, nearest=nearest(name, rows["variable"].unique()))
    dims = _dims(own, name)
    repeated = own.duplicated(dims, keep=False) if dims else pd.Series(len(own) > 1, index=own.index)
    for cell, group in own[repeated].groupby(dims or "variable", sort=False):
        label = ", ".join(map(str, cell)) if isinstance(cell, tuple) else str(cell)
        problems.add("E209", place, cell=label, rows=[int(row) + 2 for row in group.index], keys=dims)
    coordinates = {dim: pd.unique(own[dim]) for dim in dims}
    found_units = own["unit"].fillna("").astype(str)
    template = re.search(r"\{(\w+)\}", variables()[name].unit) if name in variables() else None
    if template is None and found_units.nunique() > 1:
        problems.add("E212", place, variable=name, found=list(pd.unique(found_units)))
    problems.raise_errors()
    values = np.full([len(labels) for labels in coordinates.values()], np.nan)
    positions = tuple(pd.Index(labels).get_indexer(pd.Index(own[dim])) for dim, labels in coordinates.items())
    values[positions] = own["value"].to_numpy(float)
    result = xr.DataArray(values, coords=coordinates, dims=dims, name=name)
    if template is None:
        return result.assign_attrs(units=found_units.iloc[0])
    return _with_unit_coordinate(result, own.assign(unit=found_units), template.group(1), place)


def dataset(rows: pd.DataFrame, place: Place | None = None) -> xr.Dataset:
    """The Dataset of every variable in a tidy table; dims that variables share hold the union of their labels."""
    arrays = [array(rows, str(name), place) for name in pd.unique(rows["variable"])]
    return xr.merge(arrays, join="outer", compat="equals", combine_attrs="drop_conflicts")


def check_bounds(data: xr.DataArray, problems: Problems, place: Place | None = None) -> None:
    """Add E207 where values of a vocabulary variable stand outside its bounds; NaN is missing, not out of bounds."""
    entry = variable(str(data.name))
    outside = (data < entry.lower) | (data > entry.upper)
    if bool(outside.any()):
        first = data.where(outside).stack(cell=data.dims).dropna("cell").isel(cell=0)
        labels = ", ".join(f"{dim}={first[dim].item()}" for dim in data.dims)
        problems.add(
            "E207",
            place,
            argument=str(data.name),
            variable=entry.name,
            count=int(outside.sum()),
            first=f"{labels}: {first.item():g}",
            lower=entry.lower,
            upper=entry.upper,
        )


def read_csv(file: Path) -> pd.DataFrame:
    """A tidy CSV of our own: every column text but ``year`` and ``value``, so that codes keep their leading zeros."""
    rows = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    numeric = {column: pd.to_numeric(rows[column]) for column in ("year", "value") if column in rows}
    return rows.assign(**numeric)


def _variable(row: dict[str, str]) -> Variable:
    dims = tuple(dim.strip() for dim in row["dims"].split(",") if dim.strip())
    lower = float(row["lower"] or "-inf")
    upper = float(row["upper"] or "inf")
    texts = {name: row[name] for name in ("name", "zh", "en", "unit", "definition_en", "definition_zh")}
    return Variable(**texts, dims=dims, lower=lower, upper=upper)


def _dims(own: pd.DataFrame, name: str) -> list[str]:
    """The dimension columns of a variable: the vocabulary's, or every filled column that is not a value column."""
    if name in variables() and variables()[name].dims:
        known = [dim for dim in variables()[name].dims if dim in own.columns]
        if len(known) == len(variables()[name].dims):
            return known
    others = [str(column) for column in own.columns if column not in VALUE_COLUMNS]
    return [column for column in others if own[column].notna().all()]


def _unit_column(data: xr.DataArray) -> str | list[str]:
    """A cell's unit: the array's, or filled in label by label where it is a template such as ``{fuel_unit} / yr``."""
    unit = str(data.attrs.get("units", ""))
    template = re.search(r"\{(\w+)\}", unit)
    if template is None:
        return unit
    name = template.group(1)
    own = data.coords[name].broadcast_like(data).transpose(*data.dims)
    return [unit.format(**{name: text}) for text in own.values.ravel()]


def _with_unit_coordinate(
    result: xr.DataArray, own: pd.DataFrame, coordinate: str, place: Place | None
) -> xr.DataArray:
    """Read a templated variable's units back into its coordinate: ``t / yr`` under ``{fuel_unit} / yr`` is ``t``."""
    entry = variables()[str(result.name)]
    dim = coordinate.removesuffix("_unit")
    per_label = own.groupby(dim, sort=False)["unit"].unique()
    problems = Problems()
    for label, found in per_label.items():
        if len(found) > 1:
            problems.add("E212", place, variable=f"{result.name}[{label}]", found=list(found))
    problems.raise_errors()
    pattern = re.escape(entry.unit).replace(re.escape("{" + coordinate + "}"), "(.+)")
    texts = [_filled(pattern, str(per_label[label][0])) for label in result[dim].values]
    return result.assign_coords({coordinate: (dim, np.asarray(texts, dtype=object))}).assign_attrs(units=entry.unit)


def _filled(pattern: str, text: str) -> str:
    found = re.fullmatch(pattern, text)
    if found is None:
        raise refuse("E206", found=text)
    return found.group(1)
