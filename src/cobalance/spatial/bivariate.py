"""Moran's I between two quantities, between two years, and of rates with unequal populations."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.global_statistics import cross_tails
from cobalance.spatial.groups import Group, deviations, tested_groups, tested_values
from cobalance.spatial.links import Weights
from cobalance.spatial.local import local_statistic, test_attributes
from cobalance.spatial.moran import LocalOptions, global_moran, local_moran
from cobalance.spatial.panels import panel_of, weights_for
from cobalance.spatial.permutation import Permutation
from cobalance.spatial.significance import check_tail, tail_probability
from cobalance.vocabulary.errors import refuse

Floats = NDArray[np.float64]


def bivariate_local_moran(
    focal: xr.DataArray, neighbours: xr.DataArray, weights: Weights, **options: Unpack[LocalOptions]
) -> xr.Dataset:
    """Is a region with much of one quantity surrounded by much of another? Carbon against oxygen, for example.

    focal, neighbours   (region, …)   the same dims and labels; NaN in either is missing
    returns             (region, …)   as :func:`~cobalance.spatial.moran.local_moran`; ``z`` is the focal quantity's,
                                      ``lag`` the neighbours'; ``low-high`` is low focal, high neighbours

        I_i = z_i^x · Σ_j w_ij z_j^y

    Conditional permutation shuffles y over the other regions. It measures x here against y around, not the
    correlation of x and y in one place (Lee 2001, doi 10.1007/s101090100064). Options as for ``local_moran``.
    """
    other = _same_labels(focal, neighbours)
    plan = Permutation(
        options.get("permutations", 99_999),
        options.get("seed", 0),
        options.get("draws", "auto"),
        options.get("threads", 1),
    )
    decision = (options.get("correction"), options.get("alpha", 0.05), options.get("family", "map"))
    return local_statistic(focal, other, weights, plan, options.get("tail", "directed"), decision)


def bivariate_moran(
    focal: xr.DataArray,
    neighbours: xr.DataArray,
    weights: Weights,
    *,
    permutations: int = 99_999,
    seed: int = 0,
    tail: str = "two-sided",
) -> xr.Dataset:
    """Global bivariate Moran's I of each map: moran_i, pseudo_p, n.

        I = Σ_i z_i^x Σ_j w_ij z_j^y · n / (S0 · √(Σ z^x² · Σ z^y²))

    Permutation shuffles y over the map and leaves x. ``moran_i`` of a quantity against itself is Moran's I, but its
    p is not: this test breaks the tie between x and y in place, too.
    """
    check_tail(tail, ("two-sided", "greater", "less"))
    plan = Permutation(permutations, seed)
    other = panel_of(_same_labels(focal, neighbours), "neighbours").matrix
    panel = panel_of(focal, "focal")
    weights = weights_for(focal, weights, "focal")
    columns = {name: np.full(len(other), np.nan) for name in ("moran_i", "pseudo_p", "n")}
    for group in tested_groups(np.where(np.isnan(other), np.nan, panel.matrix), weights):
        x, y = (tested_values(matrix, group.variables, group.members) for matrix in (panel.matrix, other))
        found = _cross_moran(x, y, group, plan)
        columns["moran_i"][group.variables] = found[0]
        columns["pseudo_p"][group.variables] = tail_probability(found[1], found[2], tail)
        columns["n"][group.variables] = group.weights.n
    result = xr.Dataset({name: panel.mapwise(column) for name, column in columns.items()})
    result["n"] = result["n"].astype(np.int64)
    return result.assign_attrs(test_attributes(weights, plan, tail, "neighbours"))


def differential_local_moran(
    values: xr.DataArray, weights: Weights, first: Any, last: Any, **options: Unpack[LocalOptions]
) -> xr.Dataset:
    """Local Moran of the change between two years: where did neighbours rise, or fall, together?

    values (region, year, …). The change removes what is fixed in a region (Anselin, Syabri and Smirnov 2002).
    """
    return local_moran(change(values, first, last), weights, **options)


def differential_moran(values: xr.DataArray, weights: Weights, first: Any, last: Any, **options: Any) -> xr.Dataset:
    """Global Moran's I of the change between two years; values (region, year, …)."""
    return global_moran(change(values, first, last), weights, **options)


def change(values: xr.DataArray, first: Any, last: Any) -> xr.DataArray:
    """values(last) − values(first) along ``year``. Raises E709 for a year that is not there."""
    years = np.asarray(values["year"].values).tolist() if "year" in values.coords else []
    for year in (first, last):
        if year not in years:
            raise refuse("E709", option=year, valid=years)
    before, after = (values.sel(year=year).drop_vars("year") for year in (first, last))
    return (after - before).assign_attrs(values.attrs)


def empirical_bayes_rate(events: xr.DataArray, population: xr.DataArray) -> xr.DataArray:
    """Rates standardised for unequal precision, for Moran's I (Assunção and Reis 1999).

    events, population   (region, …)   events > = 0, population > 0; NaN is missing
    returns              (region, …)   z, dimensionless

        b = Σe / Σp,  a = Σ p (e/p − b)² / Σp − b / (Σp / m),  v_i = a + b / p_i,  z_i = (e_i/p_i − b) / √v_i

    with v_i = b / p_i where a < 0 (doi 10.1002/(SICI)1097-0258(19990830)18:16<2147::AID-SIM179>3.0.CO;2-I). Small
    populations give wild rates; without this, they alone make clusters. Raises E720 for a population that is not
    positive or events that are negative.
    """
    population = _same_labels(events, population)
    wrong = (population <= 0) | (events < 0)
    if bool(wrong.any()):
        rows = np.asarray(wrong.transpose("region", ...).values).reshape(wrong.sizes["region"], -1).any(axis=1)
        raise refuse("E720", regions=np.asarray(events["region"].values).astype(str)[rows].tolist())
    valid = events.notnull() & population.notnull()
    e, p = events.where(valid), population.where(valid)
    total, regions = p.sum("region"), valid.sum("region")
    overall = e.sum("region") / total
    rate = e / p
    spread = (p * (rate - overall) ** 2).sum("region") / total
    excess = spread - overall / (total / regions)
    variance = excess.clip(min=0.0) + overall / p
    result: xr.DataArray = ((rate - overall) / np.sqrt(variance)).transpose(*events.dims)
    return result.assign_attrs(units="1")


def _same_labels(focal: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """``other`` in the dims of ``focal``; refuses unless dims and labels agree (E703, E715)."""
    if set(other.dims) != set(focal.dims):
        raise refuse("E715", argument="second array", dims=[str(dim) for dim in other.dims], dtype=str(other.dtype))
    other = other.transpose(*focal.dims)
    for dim in focal.dims:
        here, there = focal[dim].values.tolist(), other[dim].values.tolist()
        if here != there:
            missing = sorted(set(map(str, here)) ^ set(map(str, there))) or [f"{dim}: order"]
            raise refuse("E703", argument=f"second array ({dim})", other="the first", missing=missing)
    return other


def _cross_moran(x: Floats, y: Floats, group: Group, plan: Permutation) -> tuple[Floats, Floats, Floats]:
    zx, flat_x = deviations(x)
    zy, flat_y = deviations(y)
    flat = flat_x | flat_y
    found = np.full((3, len(x)), np.nan)
    varied = np.flatnonzero(~flat)
    if len(varied) and group.weights.links:
        scale = group.weights.n / (group.weights.values.sum() * (group.weights.n - 1))
        drawn = cross_tails(zx[varied], zy[varied], group.weights, plan)
        found[:, varied] = np.stack([drawn[0] * scale, drawn[1], drawn[2]])
    return found[0], found[1], found[2]
