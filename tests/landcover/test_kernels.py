"""Each kernel does what its plain twin does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import polygons, region_frame
from numba import njit
from pyproj import CRS

from cobalance.landcover.kernels import count_changes, count_spans, span_changes, span_counts
from cobalance.landcover.popcount import BLOCK_BYTES, count_equal, count_equal_plain
from cobalance.landcover.rasters import Lattice
from cobalance.landcover.sweep import bucket_edges, centre_spans, centre_sweep
from cobalance.landcover.tiling import TileGrid, tile_spans
from cobalance.landcover.zones import lattice_edges, region_zones

LATTICE = Lattice(CRS("EPSG:6933").to_wkt(), 0.0, 30.0, 1.0, -1.0)
DTYPES = [np.uint8, np.uint16]


@njit
def _equal(pixels: np.ndarray, start: int, length: int, value: int) -> int:
    lanes = BLOCK_BYTES // pixels.itemsize
    at = np.uintp(pixels.ctypes.data) + np.uintp(start * pixels.itemsize)
    return count_equal(at, length, pixels.dtype.type(value), lanes)


@pytest.mark.parametrize("dtype", DTYPES)
def test_block_counting_equals_plain_counting(dtype: type) -> None:
    """Every start and length around the block's size, with the same value waiting beyond the end."""
    pixels = np.random.default_rng(0).integers(0, 3, 800).astype(dtype)
    padded = np.concatenate([pixels, np.full(BLOCK_BYTES, 1, dtype)])
    for start in (0, 1, 7, 31, 63, 64, 65):
        for length in (0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 400, 735):
            expected = count_equal_plain(padded[start : start + length], 1)
            assert _equal(padded, start, length, 1) == expected


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_counting_equals_its_twin(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(DTYPES))
    pixels, spans, worth = _case(data.draw(st.integers(0, 2**31)), dtype)
    column_of, codes, table = _tables(dtype, 32)
    assert count_spans(_flat(pixels), pixels.shape[1], spans, worth, column_of, codes, table, 0) == len(spans)
    found = {
        (zone, int(codes[column])): tuple(int(v) for v in table[zone, column])
        for zone, column in zip(*np.nonzero(table[..., 0]), strict=True)
    }
    assert found == span_counts(pixels, spans, worth)


def test_counting_stops_before_a_span_it_has_no_room_for() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(2, 32)
    spans = np.array([[0, 0, 32, 0], [1, 0, 32, 0]], np.int32)
    worth = np.ones((2, 2), np.int64)
    column_of, codes, table = _tables(np.uint8, 40)
    done = count_spans(_flat(pixels), 32, spans, worth, column_of, codes, table, 0)
    assert done == 1
    assert table[0, :32, 0].tolist() == [1] * 32
    assert table[0, 32:].sum() == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_changes_equal_their_twin(seed: int) -> None:
    before, spans, worth = _case(seed, np.uint8)
    after = np.where(np.random.default_rng(seed).random(before.shape) < 0.3, 5, before).astype(np.uint8)
    column_of, codes, table = _tables(np.uint8, 32)
    for pixels in (before, after):
        count_spans(_flat(pixels), pixels.shape[1], spans, worth, column_of, codes, table, 0)
    changes = np.zeros((3, 32, 32, 2), np.int64)
    count_changes(_flat(before), _flat(after), before.shape[1], spans, worth, column_of, column_of, changes)
    found = {
        (zone, int(codes[old]), int(codes[new])): tuple(int(v) for v in changes[zone, old, new])
        for zone, old, new in zip(*np.nonzero(changes[..., 0]), strict=True)
    }
    assert found == span_changes(before, after, spans, worth)


@settings(max_examples=60, deadline=None)
@given(st.lists(polygons(24, 24), min_size=1, max_size=3))
def test_sweeping_equals_its_twin(shapes: list) -> None:
    edges = lattice_edges(region_zones(region_frame(shapes)), LATTICE)
    for row0, row1 in ((-4, 40), (5, 9), (17, 18)):
        swept = centre_sweep(edges.points, edges.zones, row0, row1)
        plain = centre_spans(edges.points, edges.zones, row0, row1)
        assert sorted(swept.tolist()) == sorted(plain.tolist())


@settings(max_examples=40, deadline=None)
@given(st.lists(polygons(24, 24), min_size=1, max_size=3), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_bands_see_every_edge_that_they_need(shapes: list, heights: list[int]) -> None:
    edges = lattice_edges(region_zones(region_frame(shapes)), LATTICE)
    borders = np.cumsum([-3, *heights]).astype(np.int64)
    starts, numbers = bucket_edges(edges.points[:, 1], edges.points[:, 3], borders)
    rows = []
    for band in range(len(heights)):
        chosen = numbers[starts[band] : starts[band + 1]]
        spans = centre_sweep(edges.points[chosen], edges.zones[chosen], borders[band], borders[band + 1])
        rows += [[row + borders[band] - borders[0], *rest] for row, *rest in spans.tolist()]
    whole = centre_sweep(edges.points, edges.zones, borders[0], borders[-1])
    assert sorted(rows) == sorted(whole.tolist())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cut_spans_cover_the_same_pixels(data: st.DataObject) -> None:
    """Painted back into the band, the pieces are the spans, each with the area of its own chunk."""
    tile_height, tile_width = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 9))
    chunk = data.draw(st.integers(1, 30))
    grid = TileGrid(tile_height, tile_width, -(-25 // tile_width), -(-12 // tile_height))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    spans = np.array([[r, *sorted(rng.choice(26, 2, replace=False)), 0] for r in range(12)], np.int64)
    areas = rng.integers(1, 100, (12, -(-25 // chunk)))
    starts, pieces, worth = tile_spans(spans, np.full(12, 3), areas, chunk, 0, grid)
    painted = np.zeros((12, 25), np.int64)
    for tile in range(len(starts) - 1):
        down, across = divmod(tile, grid.across)
        for p in range(starts[tile], starts[tile + 1]):
            row, first, end, _ = pieces[p]
            assert 0 <= first < end <= tile_width
            assert worth[p, 0] == 3
            painted[down * tile_height + row, across * tile_width + first : across * tile_width + end] += worth[p, 1]
    expected = np.zeros_like(painted)
    for row, first, end, _ in spans:
        for column in range(first, end):
            expected[row, column] = 3 * areas[row, column // chunk]
    assert (painted == expected).all()


def _case(seed: int, dtype: type) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 300))
    noise = rng.integers(0, 20, (9, width))
    runs = np.repeat(rng.integers(0, 20, (9, width // 30 + 1)), 30, axis=1)[:, :width]
    pixels = np.where(rng.random((9, width)) < 0.2, noise, runs).astype(dtype)
    ends = np.sort(rng.integers(0, width + 1, (25, 2)), axis=1)
    spans = np.column_stack([rng.integers(0, 9, 25), ends, rng.integers(0, 3, 25)]).astype(np.int32)
    return pixels, spans[ends[:, 0] < ends[:, 1]], rng.integers(1, 50, (int((ends[:, 0] < ends[:, 1]).sum()), 2))


def _tables(dtype: type, room: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    column_of = np.full(np.iinfo(dtype).max + 1, -1, np.int16)
    return column_of, np.full(room, -1, np.int64), np.zeros((3, room, 2), np.int64)


def _flat(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels.ravel(), np.zeros(BLOCK_BYTES, pixels.dtype)])
