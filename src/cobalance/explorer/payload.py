"""What the page holds of a study: everything that the closed-form layer needs, and where each number comes from.

Emission, sequestration and balance are not in it: the page multiplies areas and activities by the coefficients, as
:mod:`cobalance.accounts` does, so that a changed assumption and the study itself run through the same arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cobalance import __version__
from cobalance.accounts.balance import REASONS as BALANCE_REASONS
from cobalance.accounts.ecological_land import REASONS as LAND_REASONS
from cobalance.explorer.encoding import array, drawn, words
from cobalance.explorer.extras import cells, compensation, intervals, past_errors
from cobalance.explorer.parameters import alternatives, parameters
from cobalance.explorer.shapes import Grid, grid_of, laid_out, map_of
from cobalance.report.geometry import Outlines
from cobalance.study.future import conversion_caps
from cobalance.study.results import Results
from cobalance.study.space import study_weights
from cobalance.study.spec import Study
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import CobalanceError

FORMAT = 1
LIVE_COMBINATIONS = ("mean", "median")
FUEL, CEMENT, RESPIRATION, INVENTORY = "fuel", "cement", "respiration", "inventory"


def payload(results: Results) -> dict[str, Any]:
    """The results as plain values and encoded arrays, ready for :func:`cobalance.explorer.encoding.packed`."""
    dataset, study = results.dataset, results.study
    codes = _labels(dataset, "region")
    shapes = laid_out(results)
    return {
        "format": FORMAT,
        "generator": f"cobalance {__version__}",
        "title": study.title.model_dump(),
        "languages": study.languages,
        "years": [int(year) for year in dataset["year"].values],
        "regions": {"codes": codes, **_names(results, codes)},
        "groups": _groups(results, codes),
        "land_classes": _labels(dataset, "land_class"),
        "land_area": array(dataset["land_area"].transpose("region", "year", "land_class")),
        "sources": _sources(dataset),
        "activity": array(np.stack([_activity(dataset, source) for source in _labels(dataset, "source")])),
        "own_oxygen": _own_oxygen(dataset, results.table("coefficients")),
        "flags": _flags(results),
        "parameters": parameters(results.table("coefficients")),
        "alternatives": alternatives(results),
        "land": _land_settings(study, dataset),
        "outlook": _outlook(results),
        "space": _space(results, codes, grid_of(shapes) if shapes else None, shapes),
        "map": map_of(shapes, codes) if shapes else None,
        "boundary": study.regions.boundary.model_dump(mode="json") if study.regions.boundary else None,
        "compensation": compensation(results, codes),
        "intervals": intervals(results, codes),
        "cells": cells(results, _sources(dataset)),
        "printed": _printed(dataset),
        "basis": str(results.provenance.get("basis", "")),
        "weak": results.provenance.get("weak_statuses", {}),
        "notices": results.table("notices").astype(str).to_dict("records"),
        "reasons": {"balance": BALANCE_REASONS, "land": LAND_REASONS},
        "variables": _variables(),
        "study": study.model_dump(mode="json"),
        "study_file": results.provenance.get("study_file", {}).get("name", "study.yaml"),
    }


def _labels(dataset: xr.Dataset, dim: str) -> list[str]:
    return [str(label) for label in dataset[dim].values] if dim in dataset.coords else []


def _names(results: Results, codes: list[str]) -> dict[str, list[str]]:
    if {"name_zh", "name_en"} <= set(results.dataset.coords):
        found = {name: [str(text) for text in results.dataset[name].values] for name in ("name_zh", "name_en")}
    else:
        found = {name: [str(text) for text in results.regions[name].reindex(codes)] for name in ("name_zh", "name_en")}
    return {"zh": found["name_zh"], "en": found["name_en"]}


def _groups(results: Results, codes: list[str]) -> list[dict[str, Any]]:
    """The study's groups; members by position, whether the study names them by code or by name."""
    names = _names(results, codes)
    position = {name: index for labels in (names["zh"], names["en"], codes) for index, name in enumerate(labels)}
    made = []
    for key, group in results.study.groups.items():
        members = [position[member] for member in group.members if member in position]
        if len(members) == len(group.members):  # an alias that only the inputs room knows: better none than a wrong one
            made.append({"key": key, "en": group.en, "zh": group.zh, "members": members})
    return made


def _sources(dataset: xr.Dataset) -> list[dict[str, str]]:
    fuels = dict(zip(_labels(dataset, "fuel"), _labels(dataset, "fuel_unit"), strict=True))
    made = []
    for key in _labels(dataset, "source"):
        if key in fuels:
            made.append({"key": key, "kind": FUEL, "unit": fuels[key]})
        elif key == "cement" and "cement_output" in dataset:
            made.append({"key": key, "kind": CEMENT, "unit": "t"})
        elif key == "respiration" and "population" in dataset:
            made.append({"key": key, "kind": RESPIRATION, "unit": "person"})
        else:
            made.append({"key": key, "kind": INVENTORY, "unit": "t C"})
    return made


def _activity(dataset: xr.Dataset, source: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What the source's carbon is computed from, (region, year); of an inventory, its carbon itself."""
    kind = next(entry["kind"] for entry in _sources(dataset) if entry["key"] == source)
    if kind == FUEL:
        found = dataset["fuel_use"].sel(fuel=source)
    elif kind == CEMENT:
        found = dataset["cement_output"]
    elif kind == RESPIRATION:
        found = dataset["population"]
    else:
        found = dataset["carbon_emission"].sel(source=source)
    return np.asarray(found.transpose("region", "year").values, dtype=float)


def _own_oxygen(dataset: xr.Dataset, used: pd.DataFrame) -> dict[str, Any]:
    """Oxygen per carbon, (region, year), of inventory sources whose oxygen follows from no coefficient."""
    ratios = set(used.loc[used["quantity"] == "oxygen_per_carbon", "item"])
    made = {}
    for source in _sources(dataset):
        if source["kind"] == INVENTORY and source["key"] not in (*ratios, "cement"):
            cell = dataset[["carbon_emission", "oxygen_consumption"]].sel(source=source["key"])
            ratio = cell["oxygen_consumption"] / cell["carbon_emission"].where(cell["carbon_emission"] != 0)
            made[source["key"]] = array(ratio.transpose("region", "year"))
    return made


def _flags(results: Results) -> dict[str, Any]:
    """The word of each cell of land and of each cell of a source, in the order of ``land_area`` and ``activity``."""
    dataset = results.dataset
    land = results.table("land_area").set_index(["region", "year", "land_class"])["flag"]
    sources = results.table("emission").query("variable == 'carbon_emission'")
    source = sources.set_index(["source", "region", "year"])["flag"]
    by_land = pd.MultiIndex.from_product(
        [dataset["region"].values, dataset["year"].values, dataset["land_class"].values]
    )
    by_source = pd.MultiIndex.from_product([dataset["source"].values, dataset["region"].values, dataset["year"].values])
    return {
        "land": words(land.reindex(by_land).fillna("missing").to_numpy()),
        "source": words(source.reindex(by_source).fillna("missing").to_numpy()),
    }


def _land_settings(study: Study, dataset: xr.Dataset) -> dict[str, Any]:
    settings = study.ecological_land
    caps = conversion_caps(dataset["land_area"].isel(year=-1, drop=True), settings)
    return {
        "phi": settings.phi,
        "base_year": settings.base_year or int(dataset["year"].values[-1]),
        "reference": settings.reference,
        "classes": settings.classes,
        "convertible": {
            str(item): float(share) for item, share in zip(caps["land_class"].values, caps.values, strict=True)
        },
    }


def _outlook(results: Results) -> dict[str, Any] | None:
    """Each model's path and value in the target year, the observed window, and who takes no part and why.

    A combination that goes by past errors is not made again in the page: it carries the ensemble's own value.
    """
    dataset, study = results.dataset, results.study
    settings = study.outlook
    if settings is None or "outlook" not in dataset:
        return None
    members = [model for model in _labels(dataset, "model") if model != "ensemble"]
    forecast = dataset["outlook"].sel(model=members).transpose("model", "activity", "region", "outlook_year")
    observed = dataset["outlook_observed"].transpose("activity", "region", "window_year")
    base_year = study.ecological_land.base_year or int(dataset["year"].values[-1])
    target = forecast.sel(outlook_year=settings.target)
    inside = base_year in observed["window_year"].values
    later = base_year in forecast["outlook_year"].values
    ensemble = dataset["outlook"].sel(model="ensemble").transpose("activity", "region", "outlook_year")
    by_errors = settings.combination not in LIVE_COMBINATIONS
    return {
        "target": settings.target,
        "window": list(settings.window),
        "apply": settings.apply,
        "definition": settings.definition.model_dump() if settings.definition else None,
        "models": members,
        "chosen": settings.models,
        "activities": _labels(dataset, "activity"),
        "units": _labels(dataset, "activity_unit"),
        "years": [int(year) for year in forecast["outlook_year"].values],
        "window_years": [int(year) for year in observed["window_year"].values],
        "path": drawn(forecast),
        "at_target": array(target),
        "at_base": array(forecast.sel(outlook_year=base_year)) if later and not inside else None,
        "combination": settings.combination,
        "ensemble_at_target": array(ensemble.sel(outlook_year=settings.target)) if by_errors else None,
        "ensemble_at_base": array(ensemble.sel(outlook_year=base_year)) if by_errors and later and not inside else None,
        "ensemble_path": drawn(ensemble) if by_errors else None,
        "last_value": settings.fallback == "last value",
        "past_errors": past_errors(results),
        "observed": array(observed),
        "reason": words(dataset["outlook_reason"].sel(model=members).transpose("model", "activity", "region")),
    }


def _space(results: Results, codes: list[str], grid: Grid | None, shapes: Outlines | None) -> dict[str, Any] | None:
    """Weights, clusters and pseudo-p of the run, and the tracks of the gravity centres on the grid."""
    if not {"global_moran", "local_moran"} <= set(results.tables):
        return None
    local = results.table("local_moran")
    variables = list(dict.fromkeys(map(str, local["variable"])))
    index = pd.MultiIndex.from_product([variables, results.dataset["year"].values, codes])
    found = local.set_index(["variable", "year", "region"]).reindex(index)
    shape = (len(variables), results.dataset.sizes["year"], len(codes))
    return {
        "variables": variables,
        "significance": results.study.spatial.significance,
        "weights": _weights(results, codes),
        "cluster": words(found["cluster"].fillna("undefined").to_numpy().reshape(shape)),
        "pseudo_p": _steps(found["pseudo_p"].to_numpy(dtype=float).reshape(shape)),
        "global": _records(results.table("global_moran")),
        "gravity": _gravity(results, grid, shapes),
    }


def _steps(share: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    """Shares for reading, in steps of 1/65534; 65535 where there is none."""
    return array(np.where(np.isfinite(share), np.rint(np.nan_to_num(share) * 65534), 65535), "u2")


def _weights(results: Results, codes: list[str]) -> dict[str, Any] | None:
    """The weights in compressed sparse rows over the study's regions; None where they cannot be made again here."""
    if results.study.spatial.weights.file is not None:
        return None
    try:
        links = study_weights(results.regions, results.study.spatial, None).ordered(np.array(codes))
    except CobalanceError:
        return None
    return {
        "offsets": array(links.indptr, "i4"),
        "neighbours": array(links.indices, "i4"),
        "values": array(links.values),
        "row_standardised": links.row_standardised,
        "en": links.summary("en"),
        "zh": links.summary("zh"),
    }


def _gravity(results: Results, grid: Grid | None, shapes: Outlines | None) -> list[dict[str, Any]]:
    """The gravity table with each centre's place on the map and its ellipse, in grid cells and degrees."""
    if "gravity_centre" not in results.tables or grid is None or shapes is None:
        return []
    table = results.table("gravity_centre")
    records = _records(table)
    known = table["longitude_deg"].notna() & table["latitude_deg"].notna()
    places = shapes.project(table["longitude_deg"][known], table["latitude_deg"][known])
    for record, place in zip([r for r, k in zip(records, known, strict=True) if k], places, strict=True):
        record["place"] = grid.cells(float(place[0]), float(place[1]))
    return records


def _printed(dataset: xr.Dataset) -> dict[str, Any]:
    """What Python found for the last year and the target; the page computes the same and says whether it agrees."""
    last = dataset.isel(year=-1)
    made: dict[str, Any] = {
        name: array(last[name]) for name in ("carbon_balance_coefficient", "oxygen_balance_coefficient")
    }
    if "ecological_land_gap" in dataset:
        gap = dataset["ecological_land_gap"].sel(target=["carbon", "oxygen"])
        made["ecological_land_gap"] = array(gap.transpose("region", "target"))
    return made


def _variables() -> dict[str, dict[str, str]]:
    return {
        name: {"en": variable.title("en"), "zh": variable.title("zh")} for name, variable in schema.variables().items()
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; a missing number is null, and counts are whole whether fresh or read back."""
    whole = {name: table[name].astype("Int64") for name in ("year", "n", "permutations") if name in table}
    table = table.assign(**whole)
    return [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def study_of(content: Mapping[str, Any]) -> Study:
    """The study that a payload stands on."""
    return Study.model_validate(content["study"])
