"""Global Moran's I: moments under normality and randomisation, and the permutation of whole maps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.blocks import TIE
from cobalance.spatial.draws import keep_freed_memory, shuffled_orders
from cobalance.spatial.links import Weights
from cobalance.spatial.permutation import Permutation

Floats = NDArray[np.float64]

_CACHE_CELLS = 1 << 17
_SLAB_CELLS = 1 << 22


def moran_moments(z: Floats, weights: Weights) -> dict[str, Floats]:
    """I and its moments for each variable; z (variable, region) in deviations from the mean.

    With S0 = Σ w_ij, S1 = ½ Σ (w_ij + w_ji)², S2 = Σ_i (w_i. + w_.i)², b2 = n Σ z⁴ / (Σ z²)²:

        E = −1 / (n − 1)
        Var_N = (n² S1 − n S2 + 3 S0²) / ((n² − 1) S0²) − E²
        Var_R = (n ((n² − 3n + 3) S1 − n S2 + 3 S0²) − b2 ((n² − n) S1 − 2n S2 + 6 S0²))
                / ((n − 1)(n − 2)(n − 3) S0²) − E²

    Cliff and Ord 1981, Spatial Processes, ch. 2. NaN without links, and for n < 4.
    """
    n = weights.n
    names = ("moran_i", "expected", "variance_randomisation", "z_randomisation", "variance_normality", "z_normality")
    found = {name: np.full(len(z), np.nan) for name in (*names, "p_randomisation", "p_normality", "pseudo_p")}
    if n < 2 or weights.links == 0:
        return found
    matrix = weights.matrix()
    squares = np.einsum("ij,ij->i", z, z)
    s0 = float(weights.values.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        found["moran_i"] = n / s0 * np.einsum("ij,ij->i", z, (matrix @ z.T).T) / squares
        found["expected"][:] = -1.0 / (n - 1)
        if n < 4:
            return found
        both = matrix + matrix.T
        s1 = float((both.data**2).sum()) / 2
        s2 = float(((matrix.sum(axis=0) + matrix.sum(axis=1)) ** 2).sum())
        b2 = n * np.einsum("ij,ij,ij,ij->i", z, z, z, z) / squares**2
        normal = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2) - 1 / (n - 1) ** 2
        even = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
        tailed = b2 * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
        randomised = (even - tailed) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1 / (n - 1) ** 2
    for assumption, variance in (("normality", np.full(len(z), normal)), ("randomisation", randomised)):
        found[f"variance_{assumption}"] = variance
        with np.errstate(invalid="ignore", divide="ignore"):
            found[f"z_{assumption}"] = (found["moran_i"] - found["expected"]) / np.sqrt(variance)
    return found


def global_tails(z: Floats, weights: Weights, plan: Permutation) -> tuple[Floats, Floats]:
    """(variable) pseudo-p of an I at least, and at most, the observed one, over permutations of the whole map.

    All variables of a panel share the permutations. Only Σ_i<j (w_ij + w_ji) z_i z_j changes between them.
    """
    from scipy.sparse import triu

    matrix = weights.matrix()
    pairs = triu(matrix + matrix.T, k=1, format="csr")

    def sums(shuffled: Floats) -> Floats:
        flat = shuffled.reshape(weights.n, -1)  # (region, permutation × variable)
        return np.asarray(np.einsum("ij,ij->j", flat, pairs @ flat))

    _, above, below = _shuffled_tails(z, weights, plan, lambda shuffled, _: sums(shuffled))
    return above, below


def cross_tails(x: Floats, y: Floats, weights: Weights, plan: Permutation) -> tuple[Floats, Floats, Floats]:
    """(variable) Σ_i x_i Σ_j w_ij y_j, and its pseudo-p above and below when y is shuffled over the map."""
    pull = np.ascontiguousarray(weights.matrix().T @ x.T)  # (region, variable): what each y is multiplied with
    return _shuffled_tails(
        y, weights, plan, lambda shuffled, part: np.einsum("irj,ij->rj", shuffled, pull[:, part]).ravel()
    )


def _shuffled_tails(
    values: Floats, weights: Weights, plan: Permutation, statistic: Callable[[Floats, slice], Floats]
) -> tuple[Floats, Floats, Floats]:
    """(variable) the statistic, and its pseudo-p above and below, when the values are shuffled over the map.

    ``statistic`` takes (region, permutation, variable) and the slice of the variables, and gives their flat values.
    """
    keep_freed_memory()
    by_region = np.ascontiguousarray(values.T)
    slack = TIE * float(weights.values.sum())
    step = max(1, _SLAB_CELLS // weights.n)
    parts = [slice(first, first + step) for first in range(0, len(values), step)]
    observed = np.concatenate([statistic(by_region[:, None, part], part) for part in parts])
    above, below = np.zeros((2, len(values)), dtype=np.int64)
    for orders in shuffled_orders(weights.n, plan.permutations, plan.seed, max(1, _CACHE_CELLS // values.size)):
        places = np.ascontiguousarray(orders.T)
        for part in parts:
            drawn = statistic(by_region[:, part][places], part).reshape(len(orders), -1)
            above[part] += np.count_nonzero(drawn >= observed[part] - slack, axis=0)
            below[part] += np.count_nonzero(drawn <= observed[part] + slack, axis=0)
    return observed, (above + 1) / (plan.permutations + 1), (below + 1) / (plan.permutations + 1)
