"""Counts are those of GDAL's rasterize and a histogram, for maps and files of every kind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from maps import codings, counted, north_up, partitions, plain_counts, polygons, region_frame, write_raster
from rasterio.transform import Affine

from cobalance.landcover import Options, class_areas, tabulate

QUICK = settings(max_examples=60, deadline=None, phases=[p for p in Phase if p is not Phase.explain])


def test_four_pixels_by_hand(tmp_path: Path) -> None:
    """2 × 2 cells of 100 m: the left column is region r0, 1 ha a cell; the right one r1."""
    pixels = np.array([[1, 2], [1, 1]], np.uint8)
    path = write_raster(tmp_path / "four.tif", pixels, transform=north_up(0, 200, 100, 100), tiled=False)
    areas = class_areas({2000: path}, region_frame([shapely.box(0, 0, 100, 200), shapely.box(100, 0, 200, 200)]))
    assert areas.dims == ("region", "year", "land_class")
    assert areas.attrs["units"] == "ha"
    assert areas.sel(region="r0", year=2000).to_series().to_dict() == {1: 2.0, 2: 0.0}
    assert areas.sel(region="r1", year=2000).to_series().to_dict() == {1: 1.0, 2: 1.0}


@QUICK
@given(data=st.data())
def test_counts_equal_rasterize_and_bincount(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    shapes = data.draw(st.one_of(st.lists(polygons(width, height), min_size=1, max_size=4), partitions(width, height)))
    dtype = data.draw(st.sampled_from(["uint8", "uint16", "int16"]))
    pixels = _classes(data.draw(st.integers(0, 2**31)), (height, width), dtype)
    options = data.draw(codings())
    with tempfile.TemporaryDirectory() as folder:
        path = write_raster(Path(folder) / "map.tif", pixels, **options)
        result = tabulate({2000: path}, region_frame(shapes), Options(threads=1, overlap="last"))
        alone = tabulate({2000: path}, region_frame(shapes[:1]), Options(threads=1))
    transform = north_up(0, height, 1, 1)
    assert counted(result.pixels) == plain_counts(pixels, transform, shapes)
    assert counted(alone.pixels) == plain_counts(pixels, transform, shapes[:1])
    assert (result.conservation["difference_pixels"] == 0).all()


@QUICK
@given(data=st.data())
def test_a_partition_shares_no_pixel_and_leaves_none(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(2, 30)), data.draw(st.integers(2, 30))
    cells = data.draw(partitions(width, height))
    pixels = np.ones((height, width), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = write_raster(Path(folder) / "map.tif", pixels)
        parts = tabulate({1: path}, region_frame(cells), Options(threads=1, overlap="error")).pixels
        whole = tabulate({1: path}, region_frame([shapely.union_all(cells)]), Options(threads=1)).pixels
    # the frame is a box, so the cuts move no border of the union
    assert np.nansum(parts) == np.nansum(whole)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_geographic_grids_of_awkward_step(data: st.DataObject) -> None:
    """Steps and origins that no binary fraction holds: the arithmetic is GDAL's, to the last bit."""
    step = data.draw(st.sampled_from([1 / 3, 0.1, 1 / 120, 0.05, 8.333333333333333e-05]))
    left, top = data.draw(st.sampled_from([(73.0, 54.0), (6.1, 3.3), (-120.7, 49.9)]))
    transform = north_up(left, top, step, step)
    grid = [data.draw(polygons(30, 25)) for _ in range(3)]
    shapes = [shapely.transform(s, lambda p: np.array([left, top - 25 * step]) + p * step) for s in grid]
    shapes = [shape for shape in shapes if shapely.is_valid(shape)]
    pixels = _classes(data.draw(st.integers(0, 99)), (25, 30), "uint8")
    with tempfile.TemporaryDirectory() as folder:
        path = write_raster(Path(folder) / "map.tif", pixels, crs="EPSG:4326", transform=transform)
        result = (
            tabulate({1: path}, region_frame(shapes, "EPSG:4326"), Options(threads=1, overlap="last"))
            if shapes
            else None
        )
    if result:
        assert counted(result.pixels) == plain_counts(pixels, transform, shapes)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_no_bit(tmp_path: Path, threads: int) -> None:
    pixels = _classes(3, (700, 90), "uint8")
    path = write_raster(tmp_path / "map.tif", pixels, crs="EPSG:4326", transform=north_up(10, 50, 0.01, 0.01))
    shapes = [shapely.Point(10.4, 46.5).buffer(r) for r in (0.5, 3.0, 0.1)]
    results = [
        tabulate({1: path}, region_frame(shapes, "EPSG:4326"), Options(threads=count, coverage="exact"))
        for count in (1, threads)
    ]
    assert results[0].table.equals(results[1].table)
    assert results[0].conservation.equals(results[1].conservation)


def test_more_classes_than_the_first_table_holds(tmp_path: Path) -> None:
    pixels = np.arange(40 * 40).reshape(40, 40).astype(np.uint16) % 300 + 500
    path = write_raster(tmp_path / "map.tif", pixels)
    result = tabulate({1: path}, region_frame([shapely.box(0, 0, 40, 40)]), Options(threads=1))
    assert counted(result.pixels) == plain_counts(pixels, north_up(0, 40, 1, 1), [shapely.box(0, 0, 40, 40)])


def test_a_sparse_file_is_nodata_where_nothing_is_stored(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:16, :16] = 7
    path = write_raster(tmp_path / "map.tif", pixels, nodata=0, SPARSE_OK="TRUE")
    result = tabulate({1: path}, region_frame([shapely.box(0, 0, 64, 64)]), Options(threads=1))
    assert counted(result.pixels) == {("r0", 7): 256}
    assert result.conservation.loc[0, "nodata_pixels"] == 64 * 64 - 256


def test_an_unstored_tile_of_a_file_without_nodata_is_class_zero(tmp_path: Path) -> None:
    pixels = np.zeros((32, 32), np.uint8)
    pixels[0, 0] = 7
    path = write_raster(tmp_path / "map.tif", pixels, SPARSE_OK="TRUE")
    result = tabulate({1: path}, region_frame([shapely.box(0, 0, 32, 32)]), Options(threads=1))
    assert counted(result.pixels) == {("r0", 0): 1023, ("r0", 7): 1}


def test_a_mask_hides_pixels(tmp_path: Path) -> None:
    pixels = np.full((32, 32), 5, np.uint8)
    path = write_raster(tmp_path / "map.tif", pixels)
    mask = np.full((32, 32), 255, np.uint8)
    mask[:, :10] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    result = tabulate({1: path}, region_frame([shapely.box(0, 0, 32, 32)]), Options(threads=1))
    assert counted(result.pixels) == {("r0", 5): 22 * 32}
    assert result.conservation.loc[0, "nodata_pixels"] == 320


def test_south_up_rasters_count_alike(tmp_path: Path) -> None:
    pixels = _classes(1, (20, 30), "uint8")
    shape = shapely.Polygon([(101.3, 202.2), (125.1, 204.9), (114.2, 218.7)])
    north = write_raster(tmp_path / "north.tif", pixels, transform=north_up(100, 220, 1, 1))
    south = write_raster(tmp_path / "south.tif", pixels[::-1].copy(), transform=Affine(1, 0, 100, 0, 1, 200))
    results = [tabulate({1: path}, region_frame([shape]), Options(threads=1)) for path in (north, south)]
    assert counted(results[0].pixels) == counted(results[1].pixels)
    exact = [
        tabulate({1: path}, region_frame([shape]), Options(threads=1, coverage="exact")).pixels.sum()
        for path in (north, south)
    ]
    assert exact[0] == pytest.approx(float(shape.area), abs=1e-6)
    assert exact[1] == pytest.approx(float(exact[0]), abs=1e-6)


def _classes(seed: int, shape: tuple[int, int], dtype: str) -> np.ndarray:
    """Classes in runs, as maps have them; negative codes where the type has them."""
    rng = np.random.default_rng(seed)
    low = -3 if dtype == "int16" else 0
    values: Any = rng.integers(low, 12, shape)
    runs = np.repeat(rng.integers(low, 12, (shape[0], shape[1] // 20 + 1)), 20, axis=1)[:, : shape[1]]
    return np.where(rng.random(shape) < 0.3, values, runs).astype(dtype)
