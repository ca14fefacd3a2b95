"""Shared draws at work: counting, for every region, the permutations at or beyond what was observed.

Three ways that count the same: sorting (equal weights, many regions of each k), comparing (equal weights, few), and
matrix products (unequal weights). ``permutation.Reference`` chooses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cobalance.spatial.permutation import Reference

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE = 2.0**-26  # sums closer than this many standard deviations are equal
_PRODUCT_CELLS = 1 << 18


class Block:
    """Some shared draws: ordered ids (most + 1, permutations), and which of them hold which region.

    A region that stands among its own first k ids gives its place to the next id, the (k + 1)-th.
    """

    def __init__(self, reference: Reference, ids: Integers) -> None:
        self.reference, self.ids = reference, ids
        neighbours, rank = reference.neighbours, reference.rank
        place, draw = np.nonzero(neighbours[ids[:-1]] > np.arange(len(ids) - 1)[:, None])
        unit = rank[ids[place, draw]]
        by_unit = np.argsort(unit, kind="stable")
        self.place, self.draw, self.unit = place[by_unit], draw[by_unit], unit[by_unit]

    def _own(self, part: slice) -> slice:
        """The draws that hold a region of ``part`` (a slice of the order)."""
        start, stop = np.searchsorted(self.unit, [part.start, part.stop])
        return slice(int(start), int(stop))

    def counts_sorted(self, values: Floats, observed: Floats) -> tuple[Integers, Integers]:
        """Counts by sorting: one sort for each number of neighbours k, one binary search for each region.

        values, observed   (variable, region)
        """
        reference = self.reference
        ordered, target = (array.take(reference.order, axis=1) for array in (values, observed))
        above, below = np.zeros((2, *values.shape), dtype=np.int64)
        groups = dict(reference.groups)
        sums = np.zeros((len(values), self.ids.shape[1]))
        for k in range(1, reference.most + 1):
            sums += values.take(self.ids[k - 1], axis=1)
            if k not in groups:
                continue
            part = groups[k]
            low, high = target[:, part] - TIE, target[:, part] + TIE
            above[:, part], below[:, part] = _sorted_counts(sums, low, high)
            own = self._own(part)
            unit, draw = self.unit[own] - part.start, self.draw[own]
            with_itself = sums.take(draw, axis=1)
            own_values = ordered[:, part].take(unit, axis=1)
            without = with_itself + values.take(self.ids[k].take(draw), axis=1) - own_values
            low, high = low.take(unit, axis=1), high.take(unit, axis=1)
            above[:, part] += _change(unit, with_itself >= low, without >= low, part)
            below[:, part] += _change(unit, with_itself <= high, without <= high, part)
        return above.take(reference.rank, axis=1), below.take(reference.rank, axis=1)

    def counts_compared(self, values: Floats, observed: Floats) -> tuple[Integers, Integers]:
        """Counts by comparing: for maps with few regions of each k, where sorting does not pay; many variables at once.

        values, observed   (variable, region)
        """
        above, below = np.zeros((2, *values.shape), dtype=np.int64)
        groups = dict(self.reference.groups)
        sums = np.zeros((len(values), self.ids.shape[1]))
        for k in range(1, self.reference.most + 1):
            sums += values.take(self.ids[k - 1], axis=1)
            part = groups.get(k, slice(0, 0))
            for place, unit in enumerate(self.reference.order[part].tolist(), start=part.start):
                low, high = observed[:, unit, None] - TIE, observed[:, unit, None] + TIE
                draw = self.draw[self._own(slice(place, place + 1))]
                mended = sums.take(draw, axis=1)
                above[:, unit] = row_counts(sums >= low) - row_counts(mended >= low)
                below[:, unit] = row_counts(sums <= high) - row_counts(mended <= high)
                mended += values.take(self.ids[k].take(draw), axis=1) - values[:, unit, None]
                above[:, unit] += row_counts(mended >= low)
                below[:, unit] += row_counts(mended <= high)
        return above, below

    def counts_unequal(self, values: Floats, observed: Floats) -> tuple[Integers, Integers]:
        """Counts by evaluation, in tiles of regions.

        values, observed   (1, region)
        """
        above, below = np.zeros((2, *values.shape), dtype=np.int64)
        for part, excess in self.tiles(values[0], centre=observed[0]):
            above[0, part] = row_counts(excess >= -TIE)
            below[0, part] = row_counts(excess <= TIE)
        return above, below

    def tiles(self, *quantities: Floats, centre: Floats | None = None) -> Iterator[tuple[NDArray[Any], ...]]:
        """Positions of some regions, and their lags (region, permutation) of each quantity, tile after tile.

        Weights (region, k) @ drawn values (k, permutation); then the draws that hold the region itself are mended.
        ``centre`` (region) is taken off within the product: comparing with one number is three times as fast as
        with a column.
        """
        ones = np.ones((1, self.ids.shape[1]))
        drawn = [np.concatenate([ones, values[self.ids]]) for values in quantities]
        offset = np.zeros(len(quantities[0])) if centre is None else -centre
        for tile in self._tile_plan:
            rows = tile.rows.copy()
            rows[:, 0] = offset[tile.part]
            lags = [rows @ one[: tile.k + 1] for one in drawn]
            if len(tile.unit):
                own = tile.part[tile.unit]
                for lag, one, values in zip(lags, drawn, quantities, strict=True):
                    instead = one[tile.k + 1, tile.draw] - values[own]
                    lag[tile.unit, tile.draw] += rows[tile.unit, tile.place] * instead
            yield tile.part, *lags

    @cached_property
    def _tile_plan(self) -> list[_Tile]:
        reference, weights = self.reference, self.reference.weights
        plan = []
        for k, group in reference.groups:
            step = _tile_rows(k, self.ids.shape[1])
            for start in range(group.start, group.stop, step):
                span = slice(start, min(start + step, group.stop))
                part, own = reference.order[span], self._own(span)
                row = weights.values[weights.indptr[part][:, None] + np.arange(-1, k)]
                plan.append(_Tile(k, part, row, self.unit[own] - start, self.draw[own], self.place[own] + 1))
        return plan


@dataclass(frozen=True)
class _Tile:
    """Regions with k neighbours: positions, weights (region, 1 + k) with a column to spare, and the draws that hold
    a region of the tile: which region, which draw, and the column of the weight of the place that it gives up."""

    k: int
    part: Integers
    rows: Floats
    unit: Integers
    draw: Integers
    place: Integers


def _tile_rows(k: int, draws: int) -> int:
    """Regions in a tile: products so small that no BLAS starts threads for them, which would cost more than they do
    (and which spin when cores are busy); where many neighbours make even a few rows large, threads are welcome."""
    small = _PRODUCT_CELLS // ((k + 1) * draws)
    return small if small >= 4 else 64


def _sorted_counts(sums: Floats, low: Floats, high: Floats) -> tuple[Integers, Integers]:
    """(variable, region) how many sums (variable, permutation) are at least ``low`` and at most ``high``."""
    ordered = np.sort(sums, axis=1)
    order = np.argsort(low, axis=1)  # searches in ascending order share their paths: twice as fast on a large map
    above, below = np.empty((2, *low.shape), dtype=np.int64)
    for row, (line, places) in enumerate(zip(ordered, order, strict=True)):
        at_most = high[row].take(places)
        under = line.searchsorted(low[row].take(places), side="left")
        above[row, places] = len(line) - under
        # as many are below, unless some sum lies between low and high: a tie, and rare
        tied = np.flatnonzero(line.take(under, mode="clip") <= at_most)
        tied = tied[under[tied] < len(line)]
        if len(tied):
            under[tied] = line.searchsorted(at_most[tied], side="right")
        below[row, places] = under
    return above, below


def _change(unit: Integers, before: NDArray[np.bool_], after: NDArray[np.bool_], part: slice) -> Integers:
    """(variable, region of the part) how many more draws count after the region gave up its own place."""
    moved = np.flatnonzero(before != after)
    sign = np.where(after.ravel()[moved], 1.0, -1.0)
    size = part.stop - part.start
    row, column = np.divmod(moved, max(len(unit), 1))
    counts = np.bincount(row * size + unit[column], weights=sign, minlength=len(before) * size)
    return counts.astype(np.int64).reshape(-1, size)


def row_counts(mask: NDArray[np.bool_]) -> Integers:
    """True values in each row, eight at a time."""
    return np.asarray(np.bitwise_count(np.packbits(mask, axis=1)).sum(axis=1, dtype=np.int64))
