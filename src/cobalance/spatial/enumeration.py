"""Exact reference distributions: all neighbour sets of a small map, counted without listing them.

A region with k neighbours among n − 1 others has C(n − 1, k) possible sets. The regions are split in two halves; a set
is a part from one half and a part from the other, so the sums of the second half are sorted once by size, and each
part of the first half asks by binary search how many partners complete it to a sum at or beyond the observed
(Horowitz and Sahni 1974, doi 10.1145/321812.321823). 10⁷ sets take some thousand searches.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_HALF_SUMS = 1 << 23
_SLAB_SUMS = 1 << 22


def subsets(n: int, neighbours: Integers) -> int:
    """Neighbour sets of all regions together: the sum of C(n − 1, k)."""
    sizes, counts = np.unique(neighbours, return_counts=True)
    return sum(comb(n - 1, int(k)) * int(count) for k, count in zip(sizes, counts, strict=True) if k)


def halves_fit(n: int, most: int) -> bool:
    """Whether the sums of one half fit in memory, and all counts in 64 bits."""
    if most == 0:
        return True
    half = (n + 1) // 2
    return sum(comb(half, size) for size in range(most + 1)) <= _HALF_SUMS and comb(n - 1, most) < 2**62


def variables_at_once(n: int, most: int) -> int:
    """How many variables to enumerate together, so that the sums of a half stay within some tens of megabytes."""
    half = (n + 1) // 2
    return max(1, _SLAB_SUMS // sum(comb(half, size) for size in range(most + 1)))


def enumerated_counts(values: Floats, neighbours: Integers, low: Floats, high: Floats) -> tuple[Integers, Integers]:
    """For each region, how many sets of its number of neighbours sum to at least ``low`` and at most ``high``.

    values, low, high   (variable, region)   on the grid of :func:`cobalance.spatial.permutation.on_grid`
    """
    n, most = len(neighbours), int(neighbours.max(initial=0))
    above, below = np.zeros((2, *values.shape), dtype=np.int64)
    for own in (np.arange(n // 2), np.arange(n // 2, n)):
        other = np.setdiff1d(np.arange(n), own)
        partners = [np.sort(sums, axis=1) for sums in sums_by_size(values[:, other], most)]
        for unit in own[neighbours[own] > 0].tolist():
            k = int(neighbours[unit])
            parts = sums_by_size(values[:, own[own != unit]], k)
            for variable in range(len(values)):
                above[variable, unit], below[variable, unit] = _completed(
                    [part[variable] for part in parts],
                    [partner[variable] for partner in partners[k::-1]],
                    low[variable, unit],
                    high[variable, unit],
                )
    return above, below


def sums_by_size(values: Floats, most: int) -> list[Floats]:
    """(variable, subset) sums of all subsets of 0, 1, … ``most`` of the values (variable, region)."""
    sums = [np.zeros((len(values), 1))] + [np.empty((len(values), 0)) for _ in range(most)]
    for column in values.T:
        for size in range(most, 0, -1):
            sums[size] = np.concatenate([sums[size], sums[size - 1] + column[:, None]], axis=1)
    return sums


def _completed(parts: list[Floats], partners: list[Floats], low: float, high: float) -> tuple[int, int]:
    """Pairs of a part and a partner that sum to at least ``low``, and to at most ``high``; partners are sorted."""
    above = below = 0
    for part, partner in zip(parts, partners, strict=True):
        falling = np.sort(part)[::-1]  # so that the searches go upwards and share their paths
        above += len(part) * len(partner) - int(partner.searchsorted(low - falling, side="left").sum())
        below += int(partner.searchsorted(high - falling, side="right").sum())
    return above, below
