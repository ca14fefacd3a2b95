"""The sums of a whole job, from those of its bands, in any order."""

from __future__ import annotations

import numpy as np

from cobalance.landcover.band import BandSums, UnreadTile
from cobalance.landcover.plan import Plan, totals_beyond


class Sums:
    """Integers that only grow: the table of classes, and what it must add up to.

    codes    (code)                    table  (year, zone, code, 2)  weighted pixels and area
    totals   (layer, zone, 2)          inside, lost  (year, zone, 2)
    """

    def __init__(self, plan: Plan) -> None:
        years, zones = len(plan.years), len(plan.zones)
        self._column: dict[int, int] = {}
        self._table = np.zeros((years, zones, 16, 2), np.int64)
        self.inside = np.zeros((years, zones, 2), np.int64)
        self.lost = np.zeros((years, zones, 2), np.int64)
        self.totals = np.stack([totals_beyond(plan, layer) for layer in plan.layers])
        self._changes: list[np.ndarray] = []
        self.unread: list[UnreadTile] = []
        self.tiles = self.bytes_read = 0
        self._layer_of_year = [plan.layers.index(plan.layer_of(year)) for year in plan.years]
        alone = {plan.layers.index(layout.layer) for layout in plan.layouts if layout.alone}
        self._summed_by_tasks = [number in alone for number in range(len(plan.layers))]

    @property
    def codes(self) -> np.ndarray:
        return np.array(list(self._column), np.int64)

    @property
    def table(self) -> np.ndarray:
        return self._table[:, :, : len(self._column)]

    @property
    def changes(self) -> np.ndarray:
        """Rows (year, next year, zone, code, next code, pixels, area), each combination once."""
        return merged_changes(self._changes)

    def add(self, band: BandSums) -> None:
        """Add one band; each band of a plan exactly once."""
        for code in band.codes.tolist():
            self._column.setdefault(code, len(self._column))
        self._make_room()
        columns = np.array([self._column[code] for code in band.codes.tolist()], np.int64)
        at = np.ix_(band.years, band.zone_ids, columns)
        self._table[at] += band.table
        self.inside[np.ix_(band.years, band.zone_ids)] += band.inside
        self.lost[np.ix_(band.years, band.zone_ids)] += band.lost
        layer = self._layer_of_year[int(band.years[0])]
        if self._summed_by_tasks[layer]:
            self.totals[layer, band.zone_ids] += band.totals
        if len(band.changes):
            self._changes = [merged_changes([*self._changes, band.changes])]
        self.unread += band.unread
        self.tiles += band.tiles
        self.bytes_read += band.bytes_read

    def totals_of_year(self, year: int) -> np.ndarray:
        """int64 (zone, 2): the whole region on the lattice of the year (by its number)."""
        return self.totals[self._layer_of_year[year]]

    def _make_room(self) -> None:
        years, zones, room, _ = self._table.shape
        while room < len(self._column):
            room *= 2
        if room > self._table.shape[2]:
            wider = np.zeros((years, zones, room, 2), np.int64)
            wider[:, :, : self._table.shape[2]] = self._table
            self._table = wider


def merged_changes(parts: list[np.ndarray]) -> np.ndarray:
    """Change rows with equal keys (first five columns) added up, in the order of the keys."""
    if not parts:
        return np.zeros((0, 7), np.int64)
    rows = np.concatenate(parts)
    keys, number = np.unique(rows[:, :5], axis=0, return_inverse=True)
    sums = np.zeros((len(keys), 2), np.int64)
    np.add.at(sums, number.ravel(), rows[:, 5:])
    return np.hstack([keys, sums])
