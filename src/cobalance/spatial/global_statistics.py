"""Global Moran's I: moments under normality and randomisation, and the permutation of whole maps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.draws import chunk_sizes, shuffled_orders
from cobalance.spatial.links import Weights
from cobalance.spatial.permutation import TIE, Permutation

Floats = NDArray[np.float64]

_CACHE_CELLS = 1 << 17


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
        s2 = float((np.asarray(matrix.sum(axis=0)) + np.asarray(matrix.sum(axis=1))).__pow__(2).sum())
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
    by_region = np.ascontiguousarray(z.T)
    observed = np.einsum("ij,ij->j", by_region, pairs @ by_region)
    slack = TIE * max(float(weights.values.sum()), 1.0)
    above, below = np.zeros((2, len(z)), dtype=np.int64)
    at_once = max(1, _CACHE_CELLS // z.size)
    for number, size in enumerate(chunk_sizes(plan.permutations)):
        orders = shuffled_orders(weights.n, size, plan.seed, number)
        for first in range(0, size, at_once):
            shuffled = by_region[orders[first : first + at_once].T]  # (region, permutation, variable)
            flat = shuffled.reshape(weights.n, -1)
            sums = np.einsum("ij,ij->j", flat, pairs @ flat).reshape(-1, len(z))
            above += np.count_nonzero(sums >= observed - slack, axis=0)
            below += np.count_nonzero(sums <= observed + slack, axis=0)
    return (above + 1) / (plan.permutations + 1), (below + 1) / (plan.permutations + 1)


def cross_tails(x: Floats, y: Floats, weights: Weights, plan: Permutation) -> tuple[Floats, Floats, Floats]:
    """(variable) Σ_i x_i Σ_j w_ij y_j, and its pseudo-p above and below when y is shuffled over the map."""
    pull = np.ascontiguousarray(weights.matrix().T @ x.T)  # (region, variable): what each y is multiplied with
    by_region = np.ascontiguousarray(y.T)
    observed = np.einsum("ij,ij->j", pull, by_region)
    slack = TIE * max(float(weights.values.sum()), 1.0)
    above, below = np.zeros((2, len(y)), dtype=np.int64)
    at_once = max(1, _CACHE_CELLS // y.size)
    for number, size in enumerate(chunk_sizes(plan.permutations)):
        orders = shuffled_orders(weights.n, size, plan.seed, number)
        for first in range(0, size, at_once):
            shuffled = by_region[orders[first : first + at_once]]
            sums = np.einsum("rij,ij->rj", shuffled, pull)
            above += np.count_nonzero(sums >= observed - slack, axis=0)
            below += np.count_nonzero(sums <= observed + slack, axis=0)
    return observed, (above + 1) / (plan.permutations + 1), (below + 1) / (plan.permutations + 1)
