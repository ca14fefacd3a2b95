"""Getis–Ord G and G*, and local Geary, on the same engine.

G and G* ask how large the neighbours' sum is, with region *i* left out or let in. Under conditional permutation *i*
keeps its value, so both have the reference distribution of the neighbours' sum: the engine's tails as they are.
Local Geary depends on the value of *i* itself; it uses the same shared draws, evaluated one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.geary import geary_tails
from cobalance.spatial.groups import Group, deviations, tested_groups, tested_values
from cobalance.spatial.links import Weights
from cobalance.spatial.local import test_attributes
from cobalance.spatial.panels import Panel, panel_of, weights_for
from cobalance.spatial.permutation import Permutation, Reference
from cobalance.spatial.significance import (
    ISOLATED,
    NOT_SIGNIFICANT,
    UNDEFINED,
    adjusted_over,
    check_tail,
    tail_probability,
)

Floats = NDArray[np.float64]
Worker = Callable[[Floats, Group], dict[str, Floats]]
Decision = tuple[str | None, float]  # correction (each map for itself), alpha


def getis_ord(
    values: xr.DataArray,
    weights: Weights,
    *,
    star: bool = True,
    plan: Permutation | None = None,
    tail: str = "directed",
    decision: Decision = (None, 0.05),
) -> xr.Dataset:
    """Getis–Ord G* (or G with ``star=False``) of every region: hot and cold spots.

    values    (region, …)   any unit; NaN is missing
    returns   (region, …)   value, g (a z-score), pseudo_p, adjusted_p, cluster: ``hot spot``, ``cold spot``,
                            ``not significant``, ``isolated``, ``undefined``

        G_i* = (Σ_j w_ij x_j − x̄ W_i) / (s √((n Σ_j w_ij² − W_i²) / (n − 1)))   over all j, i included
        G_i      the same over j ≠ i, with mean and s of the others

    (Ord and Getis 1995, doi 10.1111/j.1538-4632.1995.tb00912.x; s with divisor n.) For G*, region i counts with the
    mean weight of its row; row-standardised rows are standardised again. ``tail`` refers to the sum. Raises E703,
    E709, E715, E716.
    """
    check_tail(tail)
    plan = plan or Permutation()
    drawn: dict[str, None] = {}

    def work(matrix: Floats, group: Group) -> dict[str, Floats]:
        reference = Reference(group.weights, plan)
        drawn[reference.draws] = None
        z, _ = deviations(matrix)
        tails = reference.tails(np.nan_to_num(z))
        greater, less = tails.probability(tails.above), tails.probability(tails.below)
        return {"g": _g_scores(z, group.weights, star), "pseudo_p": tail_probability(greater, less, tail)}

    panel, result, isolated = _worked(values, weights, work, ("g", "pseudo_p"))
    words = np.where(panel.matrix_of(result["g"]) > 0, "hot spot", "cold spot").astype(object)
    return _decided(panel, result, isolated, words, decision).assign_attrs(
        test_attributes(weights, plan, tail, *drawn), statistic="G*" if star else "G"
    )


def local_geary(
    values: xr.DataArray,
    weights: Weights,
    *,
    plan: Permutation | None = None,
    tail: str = "directed",
    decision: Decision = (None, 0.05),
) -> xr.Dataset:
    """Local Geary of every region: how different are the neighbours?

    values    (region, …)   any unit; NaN is missing
    returns   (region, …)   value, local_c, pseudo_p, adjusted_p, cluster: ``similar``, ``different``,
                            ``not significant``, ``isolated``, ``undefined``

        c_i = Σ_j w_ij (z_i − z_j)²,   z with the sample standard deviation

    (Anselin 1995; 2019, doi 10.1111/gean.12164.) ``similar`` where c is below the middle of its reference
    distribution, ``different`` where above. Draws are shared, whatever ``plan.draws`` says: no faster way is exact.
    """
    check_tail(tail)
    plan = plan or Permutation()

    def work(matrix: Floats, group: Group) -> dict[str, Floats]:
        z, _ = deviations(matrix)
        reference = Reference(group.weights, Permutation(plan.permutations, plan.seed, "shared", plan.threads))
        observed, above, below = geary_tails(np.nan_to_num(z), reference)
        greater, less = ((counts + 1) / (plan.permutations + 1) for counts in (above, below))
        return {
            "local_c": observed * group.weights.matrix().sum(axis=1),
            "pseudo_p": tail_probability(greater, less, tail),
            "lower": np.where(less <= greater, 1.0, 0.0),
        }

    panel, result, isolated = _worked(values, weights, work, ("local_c", "pseudo_p", "lower"))
    words = np.where(panel.matrix_of(result["lower"]) == 1.0, "similar", "different").astype(object)
    decided = _decided(panel, result.drop_vars("lower"), isolated, words, decision)
    return decided.assign_attrs(test_attributes(weights, plan, tail, "shared"), statistic="local Geary")


def _worked(
    values: xr.DataArray, weights: Weights, work: Worker, names: tuple[str, ...]
) -> tuple[Panel, xr.Dataset, NDArray[np.bool_]]:
    """Statistics of all groups of maps; NaN for regions that are missing, isolated or in a constant map."""
    weights = weights_for(values, weights)
    panel = panel_of(values)
    arrays = {name: np.full(panel.matrix.shape, np.nan) for name in names}
    isolated = np.zeros(panel.matrix.shape, dtype=bool)
    for group in tested_groups(panel.matrix, weights):
        isolated[np.ix_(group.variables, group.isolated)] = True
        at = np.ix_(group.variables, group.members)
        tested = tested_values(panel.matrix, group.variables, group.members)
        _, constant = deviations(tested)
        untested = constant[:, None] | (group.weights.cardinalities == 0)
        for name, found in work(tested, group).items():
            arrays[name][at] = np.where(untested, np.nan, found)
    result = xr.Dataset({"value": panel.regional(panel.matrix)})
    for name, array in arrays.items():
        result[name] = panel.regional(array)
    return panel, result, isolated


def _decided(
    panel: Panel, result: xr.Dataset, isolated: NDArray[np.bool_], words: NDArray[np.object_], decision: Decision
) -> xr.Dataset:
    correction, alpha = decision
    result["adjusted_p"] = adjusted_over(result["pseudo_p"], correction, "map")
    p = panel.matrix_of(result["adjusted_p"])
    words[~(p <= alpha)] = NOT_SIGNIFICANT
    words[np.isnan(p)] = UNDEFINED
    words[isolated] = ISOLATED
    result["cluster"] = panel.regional(words)
    return result.assign_attrs(alpha=alpha, correction=correction or "none")


def _g_scores(z: Floats, weights: Weights, star: bool) -> Floats:
    """(variable, region) z-scores of G or G*; z in deviations from the mean."""
    n, counts = weights.n, weights.cardinalities.astype(float)
    first, second = (
        np.asarray(np.bincount(weights.focal, weights=weights.values**power, minlength=n), dtype=np.float64)
        for power in (1, 2)
    )
    sums = (weights.matrix() @ z.T).T
    with np.errstate(invalid="ignore", divide="ignore"):
        if star:
            own = np.asarray(first / counts, dtype=float)
            sums = sums + own * z
            spread = np.sqrt((z**2).mean(axis=1, keepdims=True))
            room = n * (second + own**2) - (first + own) ** 2  # the scale of a row cancels
            return np.asarray(sums / (spread * np.sqrt(room / (n - 1))))
        others = n - 1
        mean = -z / others  # z sums to zero
        spread = np.sqrt(((z**2).sum(axis=1, keepdims=True) - z**2) / others - mean**2)
        return np.asarray((sums - mean * first) / (spread * np.sqrt((others * second - first**2) / (others - 1))))
