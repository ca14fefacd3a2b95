"""The unit of work: some rows of tiles × all years of one layout, from file bytes to sums. Pure but for reading.

A :class:`BandTask` holds all it needs (its own edges, where its tiles lie), so it runs alike in a thread, in another
process or on another machine. A :class:`BandSums` is small, made of integers, and adds up in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cobalance.landcover.cell_area import CellAreas
from cobalance.landcover.coverage import exact_sweep
from cobalance.landcover.decode import DamagedTile, Reader, TileFile, empty_tile, open_reader
from cobalance.landcover.kernels import count_changes, count_spans
from cobalance.landcover.level_edges import ROW, with_level_edges
from cobalance.landcover.overlap import OverlapFound, last_zone_wins
from cobalance.landcover.rasters import file_signature, local_path
from cobalance.landcover.sweep import centre_sweep, clip_spans
from cobalance.landcover.tiling import TileGrid, add_inside, tile_spans
from cobalance.landcover.zones import Edges
from cobalance.vocabulary.errors import Place, refuse

NODATA, UNREAD = -(2**31), -(2**31) + 1
"""Codes of a :class:`BandSums` besides the raster's own."""

_FIRST_COLUMNS = 16
MOST_CODES = 1024


class YearFile(NamedTuple):
    """One year of a task: its number among the study's years, its file, its nodata code, its file's signature."""

    year: int
    file: TileFile
    nodata: int | None
    signature: str


@dataclass(frozen=True)
class BandTask:
    """Rows ``row0 … row0 + rows - 1`` of a lattice, under one file a year. ``edges.zones`` count in ``zone_ids``."""

    number: int
    row0: int
    rows: int
    column0: int
    width: int
    grid: TileGrid
    edges: Edges
    zone_ids: np.ndarray
    zone_codes: tuple[str, ...]
    areas: CellAreas
    years: tuple[YearFile, ...]
    signed: bool
    exact: bool
    shift: int
    overlap: str
    changes: bool
    skip_damaged: bool


class UnreadTile(NamedTuple):
    """A damaged tile that was left out, by the user's choice."""

    path: str
    row: int
    column: int
    offset: int
    what: str


@dataclass
class BandSums:
    """What a task found; every number an integer.

    codes     (code)            raster codes, NODATA and UNREAD
    table     (year, zone, code, 2)   weighted pixels and area, of the task's years and zones
    totals    (zone, 2)         the zone's share of the rows, wherever; inside: under the files; lost: to later zones
    changes   (row, 7)          year, next year, zone, code, next code, pixels, area
    """

    number: int
    zone_ids: np.ndarray
    years: np.ndarray
    codes: np.ndarray
    table: np.ndarray
    totals: np.ndarray
    inside: np.ndarray
    lost: np.ndarray
    changes: np.ndarray
    tiles: int = 0
    bytes_read: int = 0
    unread: list[UnreadTile] = field(default_factory=list)


class _Codes:
    """Columns given to codes as they turn up."""

    def __init__(self, dtype: np.dtype) -> None:
        self.column_of = np.full(np.iinfo(dtype).max + 1, -1, np.int16)
        self.codes = np.full(_FIRST_COLUMNS, -1, np.int64)

    def grow(self, table: np.ndarray, path: str) -> np.ndarray:
        """Room for as many codes again, in the list and in the table."""
        if self.codes.size >= MOST_CODES:
            raise refuse("E625", Place(file=path), most=MOST_CODES)
        self.codes = np.concatenate([self.codes, np.full(self.codes.size, -1, np.int64)])
        shape = list(table.shape)
        shape[2] = self.codes.size
        wider = np.zeros(shape, np.int64)
        wider[:, :, : table.shape[2]] = table
        return wider


def tabulate_band(task: BandTask) -> BandSums:
    """Run one task. Raises E609, E619, E623, E625 as :class:`CobalanceError`."""
    spans, weights = band_spans(task.edges, task.row0, task.row0 + task.rows, task.exact, task.shift)
    inner, inner_weights = clip_spans(spans, weights, task.column0, task.width)
    lost = np.zeros((len(task.zone_ids), 2), np.int64)
    cell_areas = task.areas.grid(task.row0, task.row0 + task.rows, task.column0, task.width)
    chunk = task.areas.chunk
    totals = outside_totals(task, spans, weights)
    if task.overlap != "each":
        inner, lost_spans = _resolved(task, inner)
        inner_weights = np.ones(len(inner), np.int64)
        ones = np.ones(len(lost_spans), np.int64)
        _, pieces, worth = tile_spans(lost_spans, ones, cell_areas, chunk, task.shift, task.grid)
        add_inside(pieces, worth, lost)
    starts, pieces, worth = tile_spans(inner, inner_weights, cell_areas, chunk, task.shift, task.grid)
    inside = np.zeros_like(lost)
    add_inside(pieces, worth, inside)
    totals += inside + lost
    return _read_tiles(task, (starts, pieces, worth), totals, inside, lost)


def band_spans(edges: Edges, row0: int, row1: int, exact: bool, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Spans of some rows of the lattice and their weights, by the chosen rule."""
    if exact:
        return exact_sweep(edges.points, edges.zones, edges.signs, row0, row1, shift)
    spans = centre_sweep(edges.points, edges.zones, row0, row1)
    if len(edges.levels):
        levels = edges.levels.copy()
        levels[:, ROW] -= row0
        spans = with_level_edges(spans, levels)
    return spans, np.ones(len(spans), np.int64)


def span_sums(
    spans: np.ndarray, weights: np.ndarray, areas: CellAreas, row0: int, shift: int, zones: int
) -> np.ndarray:
    """int64 (zone, 2): weighted pixels and area of whole spans, wherever on the lattice."""
    sums = np.zeros((zones, 2), np.int64)
    np.add.at(sums[:, 0], spans[:, 3], weights * (spans[:, 2] - spans[:, 1]))
    np.add.at(sums[:, 1], spans[:, 3], areas.of_spans(spans, weights, row0, shift))
    return sums


def outside_totals(task: BandTask, spans: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """int64 (zone, 2): what lies left and right of the files, in the task's rows."""
    end = task.column0 + task.width
    if not len(spans) or (spans[:, 1].min() >= task.column0 and spans[:, 2].max() <= end):
        return np.zeros((len(task.zone_ids), 2), np.int64)
    left, right = spans.copy(), spans.copy()
    left[:, 2] = np.minimum(left[:, 2], task.column0)
    right[:, 1] = np.maximum(right[:, 1], end)
    beyond = np.concatenate([left, right])
    weights = np.concatenate([weights, weights])
    there = beyond[:, 2] > beyond[:, 1]
    return span_sums(beyond[there], weights[there], task.areas, task.row0, task.shift, len(task.zone_ids))


def _resolved(task: BandTask, spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        return last_zone_wins(spans, refuse_overlap=task.overlap == "error")
    except OverlapFound as found:
        one, other = task.zone_codes[found.one], task.zone_codes[found.other]
        raise refuse("E619", one=one, other=other, pixels=found.pixels) from None


def _read_tiles(
    task: BandTask,
    cut: tuple[np.ndarray, np.ndarray, np.ndarray],
    totals: np.ndarray,
    inside: np.ndarray,
    lost: np.ndarray,
) -> BandSums:
    starts, pieces, worth = cut
    run = _BandRun(task)
    try:
        for tile in np.flatnonzero(np.diff(starts)):
            part = slice(starts[tile], starts[tile + 1])
            run.read_tile(*divmod(int(tile), task.grid.across), pieces[part], worth[part])
    finally:
        run.close()
    codes, table = run.sums()
    return BandSums(
        number=task.number,
        zone_ids=task.zone_ids,
        years=np.array([year.year for year in task.years], np.int64),
        codes=codes,
        table=table,
        totals=totals,
        inside=inside,
        lost=lost,
        changes=run.change_rows(),
        tiles=run.tiles,
        bytes_read=run.bytes_read,
        unread=run.unread,
    )


class _BandRun:
    """Buffers, readers and sums while a task runs."""

    def __init__(self, task: BandTask) -> None:
        for year in task.years:
            if local_path(year.file.path) is not None and file_signature(year.file.path) != year.signature:
                raise refuse("E623", Place(file=year.file.path))
        self.task = task
        self.readers: list[Reader] = []
        for year in task.years:
            self.readers.append(open_reader(year.file))
        first = task.years[0].file
        self.buffers = [empty_tile(first), empty_tile(first)]
        self.codes = _Codes(np.dtype(first.dtype))
        self.table = np.zeros((len(task.years), len(task.zone_ids), self.codes.codes.size, 2), np.int64)
        self.unread_sums = np.zeros((len(task.years), len(task.zone_ids), 2), np.int64)
        self.changes: dict[tuple[int, int, int, int], np.ndarray] = {}
        self.tiles = self.bytes_read = 0
        self.unread: list[UnreadTile] = []

    def close(self) -> None:
        for reader in self.readers:
            reader.close()

    def read_tile(self, row: int, column: int, pieces: np.ndarray, worth: np.ndarray) -> None:
        """One tile in all years; a tile stored in the same bytes as the year before is not decoded again."""
        current, before = self.buffers
        before_bytes: bytes | None = None
        before_read = False
        for y, (year, reader) in enumerate(zip(self.task.years, self.readers, strict=True)):
            self.tiles += 1
            try:
                stored = reader.stored(row, column)
                self.bytes_read += len(stored or b"")
                previous = self.task.years[y - 1].file
                same = before_read and bool(stored) and stored == before_bytes and _coded_alike(year.file, previous)
                if not same:
                    current, before = before, current
                    reader.decode(stored, row, column, current)
            except DamagedTile as damage:
                self._damaged(y, row, column, damage, pieces, worth)
                before_read = False
                continue
            self._count(y, current, pieces, worth)
            if self.task.changes and before_read:
                self._count_changes(y, current if same else before, current, pieces, worth)
            before_bytes, before_read = stored, True

    def _count(self, y: int, pixels: np.ndarray, pieces: np.ndarray, worth: np.ndarray) -> None:
        width, codes = self.task.grid.width, self.codes
        done = 0
        while True:
            done = count_spans(pixels, width, pieces, worth, codes.column_of, codes.codes, self.table[y], done)
            if done == len(pieces):
                return
            self.table = codes.grow(self.table, self.task.years[y].file.path)

    def _count_changes(
        self, y: int, before: np.ndarray, after: np.ndarray, pieces: np.ndarray, worth: np.ndarray
    ) -> None:
        zones, local = np.unique(pieces[:, 3], return_inverse=True)
        present = np.flatnonzero(self.codes.codes >= 0)
        table = np.zeros((zones.size, present.size, present.size, 2), np.int64)
        pieces = pieces.copy()
        pieces[:, 3] = local
        column_of = self.codes.column_of
        count_changes(before, after, self.task.grid.width, pieces, worth, column_of, column_of, table)
        for zone, old, new in zip(*np.nonzero(table[..., 0]), strict=True):
            key = (y, int(zones[zone]), int(old), int(new))
            self.changes[key] = self.changes.get(key, 0) + table[zone, old, new]

    def _damaged(
        self, y: int, row: int, column: int, damage: DamagedTile, pieces: np.ndarray, worth: np.ndarray
    ) -> None:
        file = self.task.years[y].file
        tile_row = file.first_row // file.tile_height + row
        if not self.task.skip_damaged:
            raise refuse(
                "E609", Place(file=file.path), row=tile_row, column=column, offset=damage.offset, what=damage.what
            ) from damage
        self.unread.append(UnreadTile(file.path, tile_row, column, damage.offset, damage.what))
        add_inside(pieces, worth, self.unread_sums[y])

    def _real(self, codes: np.ndarray) -> np.ndarray:
        """Codes as the raster means them: negative where a signed raster has its highest bit set."""
        limit = self.codes.column_of.size
        return np.where(codes >= limit // 2, codes - limit, codes) if self.task.signed else codes

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes and table, with each year's own nodata code moved to the column NODATA."""
        known = int((self.codes.codes >= 0).sum())
        years, zones = self.table.shape[:2]
        table = np.zeros((years, zones, known + 2, 2), np.int64)
        table[:, :, :known] = self.table[:, :, :known]
        table[:, :, known + 1] = self.unread_sums
        for y, year in enumerate(self.task.years):
            column = -1 if year.nodata is None else int(self.codes.column_of[year.nodata])
            if column >= 0:
                table[y, :, known] = table[y, :, column]
                table[y, :, column] = 0
        codes = np.append(self._real(self.codes.codes[:known]), [NODATA, UNREAD])
        used = table[..., 0].any(axis=(0, 1))
        return codes[used], table[:, :, used]

    def change_rows(self) -> np.ndarray:
        """Changes as rows (year, next year, zone, code, next code, pixels, area), nodata as NODATA."""
        rows = []
        years = self.task.years
        real = self._real(self.codes.codes)
        for (y, zone, old, new), (pixels, area) in sorted(self.changes.items(), key=lambda item: item[0]):
            codes = [
                NODATA if self.codes.codes[column] == years[at].nodata else int(real[column])
                for at, column in ((y - 1, old), (y, new))
            ]
            zone_id = int(self.task.zone_ids[zone])
            rows.append([years[y - 1].year, years[y].year, zone_id, *codes, int(pixels), int(area)])
        return np.array(rows, np.int64).reshape(-1, 7)


def _coded_alike(one: TileFile, other: TileFile) -> bool:
    """Whether equal bytes of the two files mean equal pixels."""
    return (one.compression, one.predictor) == (other.compression, other.predictor)
