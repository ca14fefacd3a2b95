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


def subsets(n: int, neighbours: Integers) -> int:
    """Neighbour sets of all regions together: the sum of C(n − 1, k)."""
    sizes, counts = np.unique(neighbours, return_counts=True)
    return sum(comb(n - 1, int(k)) * int(count) for k, count in zip(sizes, counts, strict=True) if k)


def halves_fit(n: int, most: int) -> bool:
    """Whether the sums of one half fit in memory, and all counts in 64 bits."""
    half = (n + 1) // 2
    return sum(comb(half, size) for size in range(most + 1)) <= _HALF_SUMS and comb(n - 1, most) < 2**62


def enumerated_counts(values: Floats, neighbours: Integers, low: Floats, high: Floats) -> tuple[Integers, Integers]:
    """For each region, how many sets of its number of neighbours sum to at least ``low`` and at most ``high``.

    values, low, high   (region)   on the grid of :func:`cobalance.spatial.permutation.on_grid`
    """
    n, most = len(values), int(neighbours.max(initial=0))
    half = n // 2
    above, below = np.zeros((2, n), dtype=np.int64)
    for own, other in ((range(half), values[half:]), (range(half, n), values[:half])):
        partners = [np.sort(sums) for sums in sums_by_size(other, most)]
        members = np.array(own)
        for unit in own:
            k = int(neighbours[unit])
            if k:
                parts = sums_by_size(values[members[members != unit]], k)
                above[unit], below[unit] = _completed(parts, partners, k, low[unit], high[unit])
    return above, below


def sums_by_size(values: Floats, most: int) -> list[Floats]:
    """Sums of all subsets of 0, 1, … ``most`` of the values."""
    sums = [np.zeros(1)] + [np.empty(0) for _ in range(most)]
    for value in values.tolist():
        for size in range(most, 0, -1):
            sums[size] = np.concatenate([sums[size], sums[size - 1] + value])
    return sums


def _completed(parts: list[Floats], partners: list[Floats], k: int, low: float, high: float) -> tuple[int, int]:
    above = below = 0
    for size in range(k + 1):
        part, partner = parts[size], partners[k - size]
        above += len(part) * len(partner) - int(partner.searchsorted(low - part, side="left").sum())
        below += int(partner.searchsorted(high - part, side="right").sum())
    return above, below
