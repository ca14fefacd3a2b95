"""Reference distribution of local Geary: shared draws, evaluated region by region in tiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.blocks import TIE, row_counts
from cobalance.spatial.permutation import Reference

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def geary_tails(z: Floats, reference: Reference) -> tuple[Floats, Integers, Integers]:
    """(variable, region): c, and how many permutations give at least, and at most, that c.

    Σ w (z_i − z_j)² = z_i² Σ w − 2 z_i Σ w z_j + Σ w z_j²: two matrix products for each tile.
    """
    weights = reference.weights
    matrix = weights.matrix()
    total = np.bincount(weights.focal, weights=weights.values, minlength=weights.n)
    observed = z**2 * total - 2 * z * (matrix @ z.T).T + (matrix @ (z**2).T).T
    above, below = np.zeros((2, *z.shape), dtype=np.int64)
    for block in reference.blocks:
        for variable, values in enumerate(z):
            for part, lags, squares in block.tiles(values, values**2):
                own = values[part, None]
                drawn = own**2 * total[part, None] - 2 * own * lags + squares
                slack = TIE * (1 + own**2) * np.maximum(total[part, None], 1.0)
                above[variable, part] += row_counts(drawn >= observed[variable, part, None] - slack)
                below[variable, part] += row_counts(drawn <= observed[variable, part, None] + slack)
    return observed, above, below
