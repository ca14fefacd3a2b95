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

    Σ w (z_i − z_j)² = z_i² − 2 z_i Σ w z_j + Σ w z_j² with standardised rows: two matrix products for each tile. c is
    that of standardised rows, too.
    """
    matrix = reference.weights.matrix()
    observed = z**2 - 2 * z * (matrix @ z.T).T + (matrix @ (z**2).T).T
    above, below = np.zeros((2, *z.shape), dtype=np.int64)
    for block in reference.blocks:
        for variable, values in enumerate(z):
            for part, lags, squares in block.tiles(values, values**2):
                own = values[part, None]
                excess = own**2 - 2 * own * lags + squares - observed[variable, part, None]
                slack = TIE * (1 + own**2)
                above[variable, part] += row_counts(excess >= -slack)
                below[variable, part] += row_counts(excess <= slack)
    return observed, above, below
