"""Do our p-values say what they should? Against esda, against complete enumeration, and against ourselves.

    python benchmarks/spatial/agreement.py

A standardised difference is (p − p') / its standard error under pure sampling noise: over many values its SD must be
one. Values with p below .02 or above .48 are left out, where the normal approximation is poor.
"""

from __future__ import annotations

import warnings

import numpy as np
from peer_faults import labelled, ours, queen_grid, smooth

from cobalance.spatial.links import Weights
from cobalance.spatial.moran import global_moran
from cobalance.spatial.permutation import Permutation, Reference
from cobalance.spatial.weights import to_libpysal

PERMUTATIONS = 2999
MAPS = 200  # draws are shared within a map, in esda as in ours: many maps, each with its own


def standardised(p: np.ndarray, other: np.ndarray, samples: int) -> np.ndarray:
    """Differences of one-sided p's in units of their standard error; ``samples`` of the two are drawn."""
    middle = (p + other) / 2 if samples == 2 else other
    inside = (middle > 0.02) & (middle < 0.48)
    return ((p - other) / np.sqrt(samples * middle * (1 - middle) / PERMUTATIONS))[inside]


def told(name: str, scores: list[np.ndarray]) -> None:
    score = np.concatenate(scores)
    print(f"  {name:34} {len(score):6,} values: mean {score.mean():+.3f}, SD {score.std():.3f}")


def against_esda(weights: Weights) -> None:
    from esda import Moran, Moran_Local

    graph = to_libpysal(weights)
    scores, worst, named = [], 0.0, 0
    for seed in range(MAPS):
        values = np.random.default_rng(seed).gamma(2.0, size=weights.n)
        theirs = Moran_Local(values, graph, permutations=PERMUTATIONS, seed=1000 + seed, n_jobs=1)
        mine = ours(values, weights, permutations=PERMUTATIONS, seed=seed, draws="shared")
        scores.append(standardised(mine.pseudo_p.values, theirs.p_sim, 2))
        whole = global_moran(labelled(values, weights), weights, permutations=1)
        single = Moran(values, graph, permutations=0)
        pairs = ((whole.moran_i, single.I), (whole.z_randomisation, single.z_rand), (whole.z_normality, single.z_norm))
        worst = max(worst, np.abs(mine.local_i.values - theirs.Is).max(), *(abs(float(a) - b) for a, b in pairs))
        words = np.array(["", "high-high", "low-high", "low-low", "high-low"])[theirs.q]
        named += int((mine.quadrant.values != words).sum())
    print(
        f"  I, z, local I of {MAPS} maps of {weights.n}: largest difference {worst:.1e}; quadrants that differ: {named}"
    )
    told("pseudo-p, ours − esda", scores)


def against_enumeration() -> None:
    weights = queen_grid(6)
    for draws in ("shared", "independent"):
        scores = []
        for seed in range(MAPS if draws == "shared" else 30):
            values = np.random.default_rng(seed).gamma(1.0, size=weights.n)
            exact = ours(values, weights, draws="exact").pseudo_p.values
            drawn = ours(values, weights, permutations=PERMUTATIONS, seed=seed, draws=draws).pseudo_p.values
            scores.append(standardised(drawn, exact, 1))
        told(f"pseudo-p, {draws} − enumerated", scores)


def against_ourselves() -> None:
    weights = queen_grid(40)
    z = np.random.default_rng(0).normal(size=(9, weights.n))
    z = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, ddof=1, keepdims=True)
    first = Reference(weights, Permutation(20_000, draws="shared")).tails(z)
    for threads, block in ((1, 1), (2, 2), (4, 5)):
        again = Reference(weights, Permutation(20_000, draws="shared", threads=threads, block=block)).tails(z)
        same = np.array_equal(first.above, again.above) and np.array_equal(first.below, again.below)
        print(f"  {threads} threads, blocks of {block} chunks: counts identical: {same}")


def over_seeds() -> None:
    weights, values = queen_grid(), smooth()
    for permutations, seeds in ((999, 20), (9_999, 12), (99_999, 8)):
        counts = [
            int((ours(values, weights, permutations=permutations, seed=seed).pseudo_p <= 0.05).sum())
            for seed in range(seeds)
        ]
        spread = f"SD over {seeds} seeds {np.std(counts):.1f}"
        print(f"  {permutations:6,} shared draws: {np.mean(counts):.1f} cells with p <= .05, {spread}")


def main() -> None:
    warnings.simplefilter("ignore")
    print("Against esda")
    against_esda(queen_grid(15))
    print("Against complete enumeration")
    against_enumeration()
    print("Threads and blocks")
    against_ourselves()
    print("What shared draws cost a map (3,136 cells)")
    over_seeds()


if __name__ == "__main__":
    main()
