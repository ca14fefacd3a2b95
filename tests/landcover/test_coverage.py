"""Exact coverage: a worked number, the twin, exactextract, and that parts make wholes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import north_up, partitions, polygons, region_frame, write_raster
from pyproj import CRS

from cobalance.landcover import Options, tabulate
from cobalance.landcover.coverage import exact_spans, exact_sweep
from cobalance.landcover.rasters import Lattice
from cobalance.landcover.zones import lattice_edges, region_zones
from cobalance.vocabulary.errors import CobalanceError

LATTICE = Lattice(CRS("EPSG:6933").to_wkt(), 0.0, 30.0, 1.0, -1.0)


def test_a_box_that_cuts_four_pixels(tmp_path: Path) -> None:
    """0.5 … 1.25 by 0.5 … 1.5: ½·½, ¼·½ above and below = 0.25 + 0.125 + 0.25 + 0.125 = 0.75 px."""
    pixels = np.array([[1, 2], [3, 4]], np.uint8)
    path = write_raster(tmp_path / "map.tif", pixels)
    result = tabulate({1: path}, region_frame([shapely.box(0.5, 0.5, 1.25, 1.5)]), Options(coverage="exact"))
    assert result.pixels.sel(region="r0", year=1).to_series().to_dict() == {1: 0.25, 2: 0.125, 3: 0.25, 4: 0.125}
    assert result.conservation.loc[0, "total_pixels"] == 0.75


def test_a_level_border_within_a_row_covers_it_in_part(tmp_path: Path) -> None:
    """A band from y = 0.25 to 0.75 across ten pixels: half of each, with edges in none of the inner ones."""
    path = write_raster(tmp_path / "map.tif", np.full((3, 10), 6, np.uint8))
    result = tabulate({1: path}, region_frame([shapely.box(-2, 0.25, 12, 0.75)]), Options(coverage="exact"))
    assert float(result.pixels.sum()) == 5.0
    row = result.conservation.loc[0]
    assert (row["outside_pixels"], row["total_pixels"]) == (2.0, 7.0)


@settings(max_examples=60, deadline=None)
@given(polygons(24, 24))
def test_kernel_equals_its_twin(shape: shapely.Geometry) -> None:
    edges = lattice_edges(region_zones(region_frame([shape])), LATTICE)
    spans, weights = exact_sweep(edges.points, edges.zones, edges.signs, -5, 40, 20)
    found = {
        (int(row) - 5, column): int(weight)
        for (row, first, end, _), weight in zip(spans, weights, strict=True)
        for column in range(first, end)
    }
    in_pixels = shapely.transform(shape, LATTICE.pixels)
    expected = exact_spans(in_pixels, -5, 40, 20)
    for pixel in found.keys() | expected.keys():
        assert abs(found.get(pixel, 0) - expected.get(pixel, 0)) <= 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_equal_to_exactextract(data: st.DataObject) -> None:
    exactextract = pytest.importorskip("exactextract")
    width, height = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 30))
    shapes = data.draw(st.lists(polygons(width, height), min_size=1, max_size=3))
    # exactextract leaves out features that miss the raster: that case is in test_result
    shapes = [shape for shape in shapes if shape.intersects(shapely.box(0.5, 0.5, width - 0.4, height - 0.4))]
    pixels = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 5, (height, width)).astype(np.uint8)
    if not shapes:
        return
    regions = region_frame(shapes)
    with tempfile.TemporaryDirectory() as folder:
        path = write_raster(Path(folder) / "map.tif", pixels)
        ours = tabulate({1: path}, regions, Options(coverage="exact", threads=1)).pixels.isel(year=0)
        theirs = exactextract.exact_extract(str(path), regions, ["unique", "frac", "count"], include_cols=["region"])
    for feature in theirs:
        values = feature["properties"]
        for code, share in zip(values["unique"], values["frac"], strict=True):
            found = float(ours.sel(region=values["region"], land_class=int(code)))
            assert found == pytest.approx(share * values["count"], abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(partitions(20, 20))
def test_parts_cover_as_the_whole_does(cells: list[shapely.Geometry]) -> None:
    regions = region_frame(cells)
    edges = lattice_edges(region_zones(regions), LATTICE)
    spans, weights = exact_sweep(edges.points, edges.zones, edges.signs, -10, 50, 30)
    area = np.bincount(spans[:, 3], weights * (spans[:, 2] - spans[:, 1]), minlength=len(cells)) / 2**30
    assert area == pytest.approx(shapely.area(cells), abs=1e-6)


def test_many_edges_in_one_row_are_sorted_too(tmp_path: Path) -> None:
    """A comb of 200 teeth: more crossings in a row than the short sort takes."""
    teeth = [shapely.box(i + 0.2, 0.4, i + 0.6, 3) for i in range(200)]
    comb = shapely.union_all([*teeth, shapely.box(0, 0, 200, 0.4)])
    path = write_raster(tmp_path / "map.tif", np.ones((3, 200), np.uint8))
    for coverage in ("exact", "centre"):
        result = tabulate({1: path}, region_frame([comb]), Options(coverage=coverage))
        expected = {"exact": 200 * 0.4 * 2.6 + 200 * 0.4, "centre": 200 * 3}[coverage]
        assert float(result.pixels.sum()) == pytest.approx(expected, abs=1e-6)


def test_exact_coverage_refuses_crossing_rings(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((4, 4), np.uint8))
    bow = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
    with pytest.raises(CobalanceError, match=r"E618 .*r0 cross themselves: Self-intersection.*make_valid"):
        tabulate({1: path}, region_frame([bow]), Options(coverage="exact"))
    notices = tabulate({1: path}, region_frame([bow])).notices
    assert [notice.code for notice in notices] == ["W605"]


@pytest.mark.parametrize("overlap", ["last", "error"])
def test_exact_coverage_has_no_owner_of_a_part(tmp_path: Path, overlap: str) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((4, 4), np.uint8), transform=north_up(0, 4, 1, 1))
    with pytest.raises(CobalanceError, match="E620 .*" + overlap):
        tabulate({1: path}, region_frame([shapely.box(0, 0, 1, 1)]), Options(coverage="exact", overlap=overlap))
