"""Patterns under draws: how firmly a region keeps its cluster, and how far the gravity centre wanders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.spatial import gravity, moran
from cobalance.spatial.links import Weights
from cobalance.spatial.points import crs_text, to_degrees
from cobalance.spatial.significance import CLUSTERS
from cobalance.study.prepare import Prepared
from cobalance.study.spec import Uncertainty
from cobalance.uncertainty import summary
from cobalance.vocabulary.errors import Problems

CLUSTER, GRAVITY = "cluster_stability", "gravity_uncertainty"
ELLIPSE_LEVEL = 0.9
CLUSTER_COLUMNS = [
    "variable",
    "region",
    "name_zh",
    "name_en",
    "year",
    "cluster",
    "stability",
    "most_frequent",
    *CLUSTERS,
]
GRAVITY_COLUMNS = ["variable", "year", "longitude_deg", "latitude_deg", "easting_m", "northing_m", "crs"]
GRAVITY_COLUMNS += ["level", "semi_major_m", "semi_minor_m", "rotation_deg", "draws"]


def of_years(
    drawn: Mapping[str, xr.DataArray],
    dataset: xr.Dataset,
    prepared: Prepared,
    links: Weights | None,
    settings: Uncertainty,
) -> list[pd.DataFrame]:
    """The patterns of the years at hand, a frame a kind, variable and year.

    drawn   name → (region, year, draw): the totals and balances
    """
    study = prepared.study
    followed = study.years[-1:] if settings.cluster_years is None else settings.cluster_years
    frames: list[pd.DataFrame] = []
    for year in next(iter(drawn.values()))["year"].values.tolist():
        if links is not None and year in followed:
            frames += [
                _clusters(drawn[name].sel(year=year), dataset, prepared, links, settings.permutations)
                for name in study.spatial.variables
                if name in drawn
            ]
        if study.regions.boundary is not None:
            frames += [_centre(drawn[name].sel(year=year), prepared) for name in study.spatial.gravity if name in drawn]
    return frames


def tables(frames: Sequence[pd.DataFrame], prepared: Prepared) -> dict[str, pd.DataFrame]:
    """The frames of all years as two tables."""
    found: dict[str, pd.DataFrame] = {}
    for kind, columns in ((CLUSTER, CLUSTER_COLUMNS), (GRAVITY, GRAVITY_COLUMNS)):
        own = [frame for frame in frames if frame.attrs["kind"] == kind]
        joined = pd.concat(own, ignore_index=True) if own else pd.DataFrame(columns=columns)
        if kind == CLUSTER and own:
            joined = joined.join(prepared.names[["name_zh", "name_en"]], on="region")
        found[kind] = joined.reindex(columns=columns).sort_values(
            ["variable", "year"], kind="stable", ignore_index=True
        )
        found[kind].attrs = {}
    return found


def _clusters(
    values: xr.DataArray, dataset: xr.Dataset, prepared: Prepared, links: Weights, permutations: int
) -> pd.DataFrame:
    """In how many draws each region has each class, beside the class it has without draws."""
    spatial = prepared.study.spatial
    tested = moran.local_moran(
        values.drop_vars("year"),
        links,
        permutations=permutations,
        seed=prepared.study.seed,
        draws="shared",  # a class in each of a thousand draws, not a p to print: enumeration would take too long
        correction=None if spatial.correction == "none" else spatial.correction,
        alpha=spatial.significance,
    )
    shares = summary.class_shares(tested["cluster"].transpose("region", "draw"), CLUSTERS)
    name, year = str(values.name), int(values["year"])
    reference = _reference(dataset, name, year, tested)
    table = pd.DataFrame(shares.values, columns=list(CLUSTERS))
    table["stability"] = summary.class_stability(tested["cluster"], reference).values
    table["most_frequent"] = np.array(CLUSTERS, dtype=object)[shares.values.argmax(axis=1)]
    table = table.assign(variable=name, region=values["region"].values, year=year, cluster=reference.values)
    table.attrs["kind"] = CLUSTER
    return table


def _reference(dataset: xr.Dataset, name: str, year: int, tested: xr.Dataset) -> xr.DataArray:
    """The class of each region in the results without draws; *undefined* where they have none."""
    if "local_cluster" in dataset and name in dataset["local_cluster"]["variable"].values:
        return dataset["local_cluster"].sel(variable=name, year=year, drop=True)
    return xr.full_like(tested["cluster"].isel(draw=0, drop=True), CLUSTERS[-1])


def _centre(values: xr.DataArray, prepared: Prepared) -> pd.DataFrame:
    """The centre of the draws' gravity centres and the ellipse that holds most of them."""
    weight = values.drop_vars("year").rename(draw="year")  # the chapter's function: a map a year, here a map a draw
    weight = weight.where(~(weight < 0).any("region"))  # a draw with negative weights has no centre
    problems = Problems()
    masses = gravity.masses_of(weight, prepared.regions, prepared.study.spatial.crs, problems)
    points = gravity.centres(masses)
    place: dict[str, Any] = summary.place_ellipse(points[:, 0], points[:, 1], ELLIPSE_LEVEL)
    known = np.array([[place["easting_m"], place["northing_m"]]])
    longitude, latitude = to_degrees(known, masses.crs)[0] if place["draws"] else (np.nan, np.nan)
    row = {"variable": str(values.name), "year": int(values["year"]), **place, "level": ELLIPSE_LEVEL}
    row |= {"longitude_deg": longitude, "latitude_deg": latitude, "crs": crs_text(masses.crs)}
    table = pd.DataFrame([row])
    table.attrs["kind"] = GRAVITY
    return table
