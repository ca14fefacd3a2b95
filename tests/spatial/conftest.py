"""Maps small enough to work by hand, and the plain evaluation that defines *correct* for the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cobalance.spatial.blocks import TIE
from cobalance.spatial.draws import shared_blocks
from cobalance.spatial.links import Weights, assembled
from cobalance.spatial.permutation import on_grid

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the data folder beside the repository is absent")
    return SHARED


@pytest.fixture(scope="session")
def map_of() -> Callable[..., Weights]:
    """Weights of a random planar-like map: a grid whose diagonals are kept at random, so k varies from 2 to 8."""

    def build(n: int, seed: int = 0, row_standardised: bool = True, unequal: bool = False) -> Weights:
        rng = np.random.default_rng(seed)
        side = int(np.ceil(np.sqrt(n)))
        at = np.arange(n)
        row, column = at // side, at % side
        pairs = []
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            there, across = (row + down) * side + column + right, column + right
            kept = (there < n) & (across >= 0) & (across < side)
            kept &= (rng.random(n) < 0.5) | (down * right == 0)
            pairs.append(np.column_stack([at[kept], there[kept]]))
        links = np.concatenate(pairs)
        both = np.concatenate([links, links[:, ::-1]])
        values = rng.uniform(0.2, 2.0, len(both)) if unequal else None
        ids = np.char.zfill(at.astype(str), 4)
        return assembled(ids, both[:, 0], both[:, 1], values, "given", row_standardised)

    return build


@pytest.fixture(scope="session")
def plain_counts() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Tails by evaluating every permutation of every region one by one, from the same draws."""

    def counts(values: np.ndarray, weights: Weights, permutations: int, seed: int, equal: bool):
        most = int(weights.cardinalities.max())
        ids = np.concatenate(list(shared_blocks(weights.n, most + 1, permutations, seed, 1)), axis=1)
        z = on_grid(values[None], most + 1)[0]
        above, below = np.zeros((2, weights.n), dtype=int)
        for unit in range(weights.n):
            span = slice(weights.indptr[unit], weights.indptr[unit + 1])
            k = span.stop - span.start
            if k == 0:
                continue
            w = np.ones(k) if equal else weights.values[span]
            observed = float((w * z[weights.indices[span]]).sum())
            for draw in range(permutations):
                own = ids[:k, draw].copy()
                own[own == unit] = ids[k, draw]
                drawn = float((w * z[own]).sum())
                above[unit] += drawn >= observed - TIE
                below[unit] += drawn <= observed + TIE
        return above, below

    return counts
