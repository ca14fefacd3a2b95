"""Moran's I of whole panels: global and local, with the weights, n, test and tail beside every p.

Both functions take a labelled array ``(region, …)`` and a :class:`~cobalance.spatial.weights.Weights` and return a
Dataset; or a (Geo)DataFrame with the names of columns, and return an object with ``.I``, ``.p``, ``.cluster`` and
``.to_frame()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.global_statistics import global_tails, moran_moments
from cobalance.spatial.groups import Group, deviations, tested_groups, tested_values
from cobalance.spatial.links import Weights
from cobalance.spatial.local import local_statistic, ready_weights, test_attributes
from cobalance.spatial.panels import panel_of, weights_for
from cobalance.spatial.permutation import Draws, Permutation
from cobalance.spatial.significance import Correction, Tail, check_tail, normal_tail, tail_probability

if TYPE_CHECKING:
    import pandas as pd

    from cobalance.spatial.frames import GlobalMoran, LocalMoran

Floats = NDArray[np.float64]
GlobalTail = Literal["two-sided", "greater", "less"]

_GLOBAL_TAILS = ("two-sided", "greater", "less")
_GLOBAL = (
    "moran_i",
    "expected",
    "variance_randomisation",
    "z_randomisation",
    "p_randomisation",
    "variance_normality",
    "z_normality",
    "p_normality",
    "pseudo_p",
)


class GlobalOptions(TypedDict, total=False):
    """Keyword options of :func:`global_moran`."""

    permutations: int
    seed: int
    tail: GlobalTail


class LocalOptions(TypedDict, total=False):
    """Keyword options of :func:`local_moran`."""

    permutations: int
    seed: int
    draws: Draws
    threads: int
    tail: Tail
    correction: Correction | None
    alpha: float
    family: str | Sequence[str]


@overload
def global_moran(
    data: xr.DataArray, columns: Weights | None = ..., weights: Weights | None = ..., **options: Unpack[GlobalOptions]
) -> xr.Dataset: ...
@overload
def global_moran(
    data: pd.DataFrame, columns: str | Sequence[str], weights: Any = ..., **options: Unpack[GlobalOptions]
) -> GlobalMoran: ...
def global_moran(
    data: xr.DataArray | pd.DataFrame,
    columns: Any = None,
    weights: Any = None,
    *,
    permutations: int = 99_999,
    seed: int = 0,
    tail: GlobalTail = "two-sided",
) -> xr.Dataset | GlobalMoran:
    """Global Moran's I of every map of a panel.

    data      (region, …)   any unit; NaN is missing     or a (Geo)DataFrame with ``columns``
    returns   (…)           moran_i, expected, variance, z and p under randomisation and under normality, pseudo_p,
                            n, links, permutations, missing, isolated

        I = n / S0 · Σ_i Σ_j w_ij z_i z_j / Σ_i z_i²

    ``global_moran(values, weights)`` or ``global_moran(frame, "rate", weights="queen")``. Missing and isolated regions
    are left out of n, mean and variance together with their links, and named in ``missing`` and ``isolated``. The
    permutation test shuffles all values over the map; p's are those of ``tail``; two-sided is twice the smaller
    tail. Constant maps and fewer than 4 tested regions give NaN. Moments: Cliff and Ord 1981, ch. 2. Raises E703,
    E709, E713, E715, E716.
    """
    if not isinstance(data, xr.DataArray):
        from cobalance.spatial.frames import GlobalMoran, labelled_columns

        values, ready = labelled_columns(data, columns, weights)
        result = global_moran(values, ready, permutations=permutations, seed=seed, tail=tail)
        return GlobalMoran(result, data.index, several=not isinstance(columns, str))
    check_tail(tail, _GLOBAL_TAILS)
    plan = Permutation(permutations, seed)
    weights = weights_for(data, ready_weights(columns, weights))
    panel = panel_of(data)
    groups = tested_groups(panel.matrix, weights)
    table = {name: np.full(len(panel.matrix), np.nan) for name in _GLOBAL}
    counts = {name: np.zeros(len(panel.matrix), dtype=np.int64) for name in ("n", "links")}
    names = {name: np.full(len(panel.matrix), "", dtype=object) for name in ("missing", "isolated")}
    for group in groups:
        rows = group.variables
        for name, column in _global_of(tested_values(panel.matrix, rows, group.members), group, plan, tail).items():
            table[name][rows] = column
        counts["n"][rows], counts["links"][rows] = group.weights.n, group.weights.links
        names["missing"][rows] = ", ".join(weights.ids[group.missing].tolist())
        names["isolated"][rows] = ", ".join(weights.ids[group.isolated].tolist())
    columns_of = {**table, **counts, **names}
    result = xr.Dataset({name: panel.mapwise(column) for name, column in columns_of.items()})
    result["permutations"] = xr.full_like(result["n"], permutations)
    return result.assign_attrs(test_attributes(weights, plan, tail, "map"))


@overload
def local_moran(
    data: xr.DataArray, columns: Weights | None = ..., weights: Weights | None = ..., **options: Unpack[LocalOptions]
) -> xr.Dataset: ...
@overload
def local_moran(
    data: pd.DataFrame, columns: str | Sequence[str], weights: Any = ..., **options: Unpack[LocalOptions]
) -> LocalMoran: ...
def local_moran(
    data: xr.DataArray | pd.DataFrame,
    columns: Any = None,
    weights: Any = None,
    *,
    permutations: int = 99_999,
    seed: int = 0,
    draws: Draws = "auto",
    threads: int = 1,
    tail: Tail = "directed",
    correction: Correction | None = None,
    alpha: float = 0.05,
    family: str | Sequence[str] = "map",
) -> xr.Dataset | LocalMoran:
    """Local Moran's I (LISA) of every region of every map of a panel.

    data      (region, …)   any unit; NaN is missing     or a (Geo)DataFrame with ``columns``
    returns   (region, …)   value, z, lag, local_i, pseudo_p, adjusted_p, smallest_p, quadrant, cluster, status; n (…)

        z = (y − ȳ) / s,   lag_i = Σ_j w_ij z_j,   I_i = z_i · lag_i

    with s the sample standard deviation (n − 1), which makes I_i what both esda and GeoDa print. p comes from
    conditional permutation: region i keeps its value, the others are shuffled (``draws``, ``threads``: see
    :class:`~cobalance.spatial.permutation.Permutation`). ``tail`` ``directed`` is the peers' p.
    ``correction`` over a ``family``: ``map`` (each map for itself), ``all``, or dims joined to the regions. Clusters
    are words, given where the adjusted p <= ``alpha``; *isolated* regions and *undefined* ones (missing, constant)
    never have one. Anselin 1995, doi 10.1111/j.1538-4632.1995.tb00338.x. Raises E703, E709, E713–E716.
    """
    plan = Permutation(permutations, seed, draws, threads)
    if not isinstance(data, xr.DataArray):
        from cobalance.spatial.frames import LocalMoran, labelled_columns

        values, ready = labelled_columns(data, columns, weights)
        result = local_statistic(values, values, ready, plan, tail, (correction, alpha, family))
        return LocalMoran(result, data.index, several=not isinstance(columns, str))
    ready = ready_weights(columns, weights)
    return local_statistic(data, data, ready, plan, tail, (correction, alpha, family))


def _global_of(values: Floats, group: Group, plan: Permutation, tail: str) -> dict[str, Floats]:
    """Moments and p of the maps of one group; NaN where a map is constant or too small."""
    z, constant = deviations(values)
    found = moran_moments(z, group.weights)
    if group.weights.n >= 4 and group.weights.links and not constant.all():
        varied = np.flatnonzero(~constant)
        greater, less = global_tails(z[varied], group.weights, plan)
        found["pseudo_p"][varied] = tail_probability(greater, less, tail)
    for assumption in ("randomisation", "normality"):
        z_score = found[f"z_{assumption}"]
        found[f"p_{assumption}"] = tail_probability(normal_tail(z_score), normal_tail(-z_score), tail)
    for column in found.values():
        column[constant] = np.nan
    return found
