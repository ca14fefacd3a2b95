"""The chapter of space: weights, gravity centres, global and local pattern of the study's variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from cobalance.spatial import gravity, moran, weights
from cobalance.spatial.links import Weights
from cobalance.study.accounts import ACCOUNTS
from cobalance.study.spec import BALANCES, Spatial
from cobalance.vocabulary.errors import Place, Problems, nearest

MAPPED = (*ACCOUNTS, *BALANCES)
"""What has a value for each region and year, and so a pattern in space."""


def study_weights(regions: gpd.GeoDataFrame, spatial: Spatial, folder: Any) -> Weights:
    """The weights that the study file describes."""
    chosen = spatial.weights
    specification: dict[str, Any] = {
        "type": chosen.type,
        "row_standardised": chosen.row_standardised,
        "islands": chosen.islands,
        "bridges": [list(pair) for pair in chosen.bridges],
    }
    if chosen.type in ("queen", "rook"):
        specification["order"] = chosen.order
    for key in ("k", "distance_km"):
        if (value := getattr(chosen, key)) is not None:
            specification[key] = value
    if chosen.file is not None:
        specification["file"] = str(folder / chosen.file)
    return weights.weights_from(regions, specification, spatial.crs)


def pattern(accounts: xr.Dataset, links: Weights, spatial: Spatial, seed: int) -> dict[str, xr.Dataset]:
    """Global and local Moran of each tested variable, stacked on ``variable``."""
    correction = None if spatial.correction == "none" else spatial.correction
    local, overall = {}, {}
    for name in spatial.variables:
        values = quantity(accounts, name)
        overall[name] = moran.global_moran(values, links, permutations=spatial.permutations, seed=seed)
        local[name] = moran.local_moran(
            values,
            links,
            permutations=spatial.permutations,
            seed=seed,
            correction=correction,
            alpha=spatial.significance,
        )
    return {"global": _stacked(overall), "local": _stacked(local)}


def centres(
    accounts: xr.Dataset, regions: gpd.GeoDataFrame, spatial: Spatial, problems: Problems
) -> dict[str, xr.Dataset]:
    """The gravity centre's track of each weighing variable; what is to be known of it goes to ``problems``."""
    return {
        name: gravity.gravity_centre(quantity(accounts, name), regions, crs=spatial.crs, problems=problems)
        for name in spatial.gravity
    }


def quantity(accounts: xr.Dataset, name: str) -> xr.DataArray:
    """A variable over (region, year): a coefficient as it is, an account summed over its classes or sources."""
    data = accounts[name]
    others = [dim for dim in data.dims if dim not in ("region", "year")]
    return data.sum(others, skipna=False, keep_attrs=True) if others else data


def check_variables(spatial: Spatial, problems: Problems, place: Callable[[Sequence[str | int]], Place]) -> None:
    """Add E109 for each tested or weighing variable that the accounts do not have."""
    for key in ("variables", "gravity"):
        for position, name in enumerate(getattr(spatial, key)):
            if name not in MAPPED:
                details = {
                    "what": "a variable of the accounts",
                    "what_zh": "核算变量",
                    "nearest": nearest(name, MAPPED),
                }
                at = place(("spatial", key, position))
                problems.add("E109", at, key=f"spatial.{key}", found=name, expected=MAPPED, **details)


def global_table(statistics: xr.Dataset, links: Weights) -> pd.DataFrame:
    """A row for each variable and year, with the weights and the test beside every p."""
    columns = ["variable", "year", "n", "moran_i", "expected"]
    columns += ["variance_randomisation", "z_randomisation", "p_randomisation"]
    columns += ["variance_normality", "z_normality", "p_normality", "pseudo_p", "permutations", "tail", "weights"]
    table = statistics.to_dataframe().reset_index().assign(tail=statistics.attrs["tail"], weights=links.summary("en"))
    return table.reindex(columns=columns)


def local_table(statistics: xr.Dataset, names: pd.DataFrame, links: Weights) -> pd.DataFrame:
    """A row for each variable, year and region; clusters are words, and the test stands beside every p."""
    columns = ["variable", "region", "name_zh", "name_en", "year"]
    columns += ["value", "z", "lag", "local_i", "pseudo_p", "adjusted_p", "smallest_p", "quadrant", "cluster"]
    columns += ["n", "test", "tail", "permutations", "weights"]
    table = statistics.to_dataframe().reset_index().drop(columns=["name_zh", "name_en"], errors="ignore")
    told = {name: statistics.attrs[name] for name in ("test", "tail", "permutations")}
    table = table.assign(weights=links.summary("en"), **told)
    return table.join(names[["name_zh", "name_en"]], on="region").reindex(columns=columns)


def _stacked(by_variable: dict[str, xr.Dataset]) -> xr.Dataset:
    labels = np.array(list(by_variable), dtype=object)
    joined = xr.concat(list(by_variable.values()), "variable", join="exact", combine_attrs="drop_conflicts")
    return joined.assign_coords(variable=labels)
