"""Local Moran with labels: the part that univariate, bivariate and differential Moran have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.arrays import local_arrays
from cobalance.spatial.links import Weights
from cobalance.spatial.panels import panel_of, weights_for
from cobalance.spatial.permutation import METHODS, METHODS_ZH, Permutation
from cobalance.spatial.significance import adjusted_over, check_tail, cluster_words, quadrant_words
from cobalance.vocabulary.errors import refuse

Floats = NDArray[np.float64]
Decision = tuple[str | None, float, str | Sequence[str]]  # correction, alpha, family


def local_statistic(
    focal: xr.DataArray,
    other: xr.DataArray,
    weights: Weights,
    plan: Permutation,
    tail: str,
    decision: Decision,
) -> xr.Dataset:
    """The labelled form of :func:`local_arrays`: one Dataset with words for quadrants and clusters."""
    check_tail(tail)
    correction, alpha, family = decision
    if not 0 < alpha < 1:
        raise refuse("E710", option="alpha", value=alpha, rule="a number between 0 and 1", rule_zh="0 与 1 之间的数")
    panel = panel_of(focal)
    weights = weights_for(focal, weights)
    second = None if other is focal else panel_of(other.transpose(*focal.dims)).matrix
    arrays = local_arrays(panel.matrix, second, weights, plan, tail)
    result = xr.Dataset({"value": panel.regional(panel.matrix)})
    for name, array in arrays.floats.items():
        result[name] = panel.regional(array)
    result["adjusted_p"] = adjusted_over(result["pseudo_p"], correction, family)
    result["quadrant"] = panel.regional(quadrant_words(arrays.codes))
    by_region = panel.matrix_of(result["adjusted_p"])
    result["cluster"] = panel.regional(cluster_words(arrays.codes, by_region, alpha))
    result["status"] = panel.regional(_status(panel.matrix, second, arrays.codes))
    result["n"] = (result["status"] == "tested").sum("region")
    attributes = test_attributes(weights, plan, tail, *arrays.draws)
    attributes |= {"alpha": alpha, "correction": correction or "none"}
    attributes |= {"family": family if isinstance(family, str) else ", ".join(family)}
    return result.assign_attrs(attributes)


def _status(focal: Floats, other: Floats | None, codes: NDArray[np.int8]) -> NDArray[np.object_]:
    """Why a region has a class of its own: tested, isolated, missing or constant."""
    words = np.array(["constant", "isolated", "tested"], dtype=object)[np.minimum(codes, 2)]
    words[np.isnan(focal) if other is None else np.isnan(focal) | np.isnan(other)] = "missing"
    return words


def test_attributes(weights: Weights, plan: Permutation, tail: str, *draws: str) -> dict[str, str | int | float]:
    """What is printed beside every p: weights (with n), test, tail, permutations, seed.

    ``permutations`` is 0 where none were drawn: all neighbour sets were counted, or moments stand in for them.
    """
    return {
        "weights": weights.summary("en"),
        "weights_zh": weights.summary("zh"),
        "test": "; ".join(METHODS[how] for how in draws),
        "test_zh": "；".join(METHODS_ZH[how] for how in draws),
        "tail": tail,
        "permutations": 0 if set(draws) <= {"exact", "pearson"} else plan.permutations,
        "seed": plan.seed,
    }


def ready_weights(columns: object, weights: object) -> Weights:
    """The one :class:`Weights` among two arguments. Raises E717 where there is none."""
    for candidate in (weights, columns):
        if isinstance(candidate, Weights):
            return candidate
    given = columns if weights is None else weights
    raise refuse("E717", found=type(given).__name__)
