"""What comes out: missing is not zero, conservation, overlaps, changes, grids, legends."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import EQUAL_AREA, counted, north_up, polygons, region_frame, write_raster

from cobalance.landcover import Options, class_areas, tabulate
from cobalance.landcover.legend import crosswalks, read_legend
from cobalance.vocabulary.errors import CobalanceError


def test_a_region_without_a_pixel_is_missing_not_zero(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.full((4, 4), 2, np.uint8))
    shapes = [shapely.box(0, 0, 4, 4), shapely.box(0.6, 0.6, 0.9, 0.9), shapely.box(90, 90, 95, 95)]
    result = tabulate({2000: path}, region_frame(shapes))
    assert result.land_area.coords["region"].values.tolist() == ["r0", "r1", "r2"]
    assert np.isnan(result.land_area.values[:, 0, 0]).tolist() == [False, True, True]
    assert "W601" in result.notices[0].text() or result.notices[0].code == "W601"
    assert "r1, r2 got no pixel in 2000" in result.notices[0].text()
    assert result.conservation["outside_pixels"].tolist() == [0, 0, 25]
    exact = tabulate({2000: path}, region_frame(shapes), Options(coverage="exact"))
    assert exact.pixels.sel(region="r1").item() == pytest.approx(0.09, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_parts_sum_to_the_region(data: st.DataObject) -> None:
    """Classes + nodata + lost + outside = the region, exactly in pixels, to 1e-9 ha; exact coverage: its area."""
    shapes = data.draw(st.lists(polygons(20, 20), min_size=1, max_size=3))
    coverage = data.draw(st.sampled_from(["centre", "exact"]))
    overlap = "each" if coverage == "exact" else data.draw(st.sampled_from(["each", "last"]))
    pixels = np.random.default_rng(data.draw(st.integers(0, 99))).integers(0, 4, (20, 20)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = write_raster(Path(folder) / "map.tif", pixels, nodata=data.draw(st.sampled_from([None, 0, 3])))
        result = tabulate({1: path}, region_frame(shapes), Options(coverage=coverage, overlap=overlap, threads=1))
    table = result.conservation
    for unit, tolerance in (("pixels", 1e-9), ("ha", 1e-9)):
        parts = table[[f"{part}_{unit}" for part in ("classified", "nodata", "unread", "lost", "outside")]]
        assert parts.sum(axis=1).to_numpy() == pytest.approx(table[f"total_{unit}"].to_numpy(), abs=tolerance)
        assert table[f"difference_{unit}"].abs().max() <= tolerance
    if coverage == "exact":
        assert table["total_pixels"].to_numpy() == pytest.approx(shapely.area(shapes), abs=1e-6)
        assert table["total_ha"].to_numpy() * 1e4 == pytest.approx(shapely.area(shapes), abs=1e-6)


def test_overlaps_by_each_policy(tmp_path: Path) -> None:
    """Two boxes of 4 × 2 that share 2 × 2 pixels."""
    path = write_raster(tmp_path / "map.tif", np.ones((2, 6), np.uint8), tiled=False)
    regions = region_frame([shapely.box(0, 0, 4, 2), shapely.box(2, 0, 6, 2)])
    each = tabulate({1: path}, regions).pixels.values.ravel()
    assert each.tolist() == [8, 8]
    last = tabulate({1: path}, regions, Options(overlap="last"))
    assert last.pixels.values.ravel().tolist() == [4, 8]
    assert last.conservation["lost_pixels"].tolist() == [4, 0]
    with pytest.raises(CobalanceError, match="E619 .*r0 and r1 share 2 pixels"):
        tabulate({1: path}, regions, Options(overlap="error"))


def test_changes_between_years(tmp_path: Path) -> None:
    """1 1 2 2 → 1 2 2 2 → the same: one pixel from 1 to 2, then none; 1 ha a pixel."""
    rows = {1990: [[1, 1, 2, 2]], 2000: [[1, 2, 2, 2]], 2010: [[1, 2, 2, 2]]}
    transform = north_up(0, 100, 100, 100)
    paths = {
        year: write_raster(tmp_path / f"{year}.tif", np.array(row, np.uint8), transform=transform, tiled=False)
        for year, row in rows.items()
    }
    table = tabulate(paths, region_frame([shapely.box(0, 0, 400, 100)]), Options(transitions=True)).transitions
    assert table is not None
    assert table.values.tolist() == [
        ["r0", 1990, 2000, 1, 1, 1.0, 1.0],
        ["r0", 1990, 2000, 1, 2, 1.0, 1.0],
        ["r0", 1990, 2000, 2, 2, 2.0, 2.0],
        ["r0", 2000, 2010, 1, 1, 1.0, 1.0],
        ["r0", 2000, 2010, 2, 2, 3.0, 3.0],
    ]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_changes_sum_to_both_years(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    first = rng.integers(0, 4, (40, 33)).astype(np.uint8)
    second = np.where(rng.random(first.shape) < 0.2, 3, first).astype(np.uint8)
    second[:16, :16] = first[:16, :16]  # a tile stored in the same bytes is not decoded again
    third = second.copy()
    coverage = data.draw(st.sampled_from(["centre", "exact"]))
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            year: write_raster(Path(folder) / f"{year}.tif", pixels, nodata=0)
            for year, pixels in ((1, first), (2, second), (3, third))
        }
        regions = region_frame(data.draw(st.lists(polygons(33, 40), min_size=1, max_size=3)))
        result = tabulate(paths, regions, Options(transitions=True, coverage=coverage, threads=1))
    table = result.transitions
    assert table is not None
    for side, year_column in (("land_class", "year"), ("next_land_class", "next_year")):
        summed = table.groupby(["region", year_column, side])["pixels"].sum()
        for (region, year, label), pixels in summed.items():
            if label != "nodata":
                assert pixels == pytest.approx(result.pixels.sel(region=region, year=year, land_class=label).item())


def test_changes_want_files_alike(tmp_path: Path) -> None:
    one = write_raster(tmp_path / "one.tif", np.ones((4, 4), np.uint8))
    two = write_raster(tmp_path / "two.tif", np.ones((4, 4), np.uint16))
    box = region_frame([shapely.box(0, 0, 4, 4)])
    with pytest.raises(CobalanceError, match="E621 .*but 2 differ"):
        tabulate({1: one, 2: two}, box, Options(transitions=True))
    with pytest.raises(CobalanceError, match="E621"):
        tabulate({1: one}, box, Options(transitions=True))
    assert tabulate({1: one, 2: two}, box).pixels.values.ravel().tolist() == [16, 16]


def test_a_grid_of_cells(tmp_path: Path) -> None:
    pixels = np.repeat(np.repeat(np.array([[1, 2, 3], [4, 5, 6]], np.uint8), 10, axis=0), 10, axis=1)
    path = write_raster(tmp_path / "map.tif", pixels, crs="EPSG:4326", transform=north_up(6.0, 2.2, 0.01, 0.01))
    result = tabulate({1: path}, 0.1)
    assert result.pixels.coords["region"].values.tolist() == ["6,2", "6.1,2", "6.2,2", "6,2.1", "6.1,2.1", "6.2,2.1"]
    assert counted(result.pixels) == {
        ("6,2.1", 1): 100, ("6.1,2.1", 2): 100, ("6.2,2.1", 3): 100,
        ("6,2", 4): 100, ("6.1,2", 5): 100, ("6.2,2", 6): 100,
    }  # fmt: skip


def test_a_grid_through_pixel_centres_counts_each_pixel_once(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((10, 10), np.uint8))
    result = tabulate({1: path}, 2.5)
    assert np.nansum(result.pixels) == 100
    assert result.pixels.sizes["region"] == 16


@pytest.mark.parametrize("step", [0, -1, float("nan")])
def test_a_grid_needs_a_step(tmp_path: Path, step: float) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((10, 10), np.uint8))
    with pytest.raises(CobalanceError, match="E632 .*grid"):
        tabulate({1: path}, step)


def test_regions_in_another_crs_bend_with_it(tmp_path: Path) -> None:
    """A straight side of 600 km in Albers is a curve in degrees; neighbours still share no pixel and leave none."""
    albers = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84"
    path = write_raster(
        tmp_path / "map.tif", np.ones((900, 900), np.uint8), crs="EPSG:4326", transform=north_up(100, 45, 0.01, 0.01)
    )
    halves = [shapely.box(-300e3, 4.0e6, 300e3, 4.3e6), shapely.box(-300e3, 4.3e6, 300e3, 4.6e6)]
    apart = tabulate({1: path}, region_frame(halves, albers), Options(overlap="error"))
    whole = tabulate({1: path}, region_frame([shapely.box(-300e3, 4.0e6, 300e3, 4.6e6)], albers))
    assert apart.pixels.sum().item() == whole.pixels.sum().item()
    exact = tabulate({1: path}, region_frame(halves, albers), Options(coverage="exact"))
    assert exact.land_area.values.ravel() == pytest.approx([600 * 300 * 100, 600 * 300 * 100], rel=3e-6)


def test_regions_are_checked(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((4, 4), np.uint8))
    box = shapely.box(0, 0, 1, 1)
    frame = gpd.GeoDataFrame({"region": ["a", "a", "b", "c"]}, geometry=[box, box, None, shapely.Point(0, 0)])
    with pytest.raises(CobalanceError) as caught:
        tabulate({1: path}, frame)
    assert [problem.code for problem in caught.value.problems] == ["E613", "E614", "E615", "E616"]
    with pytest.raises(CobalanceError, match=r"E612 .*no column 'code' \(they have region\)"):
        tabulate({1: path}, region_frame([box]), Options(key="code"))
    far = gpd.GeoDataFrame({"region": ["x"]}, geometry=[shapely.box(179, 89, 181, 95)], crs="EPSG:4326")
    with pytest.raises(CobalanceError, match="E617 .*regions x have points without a place"):
        tabulate({1: write_raster(tmp_path / "m.tif", np.ones((4, 4), np.uint8), crs="EPSG:3035")}, far)


def test_codes_come_from_the_column_or_the_index(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((4, 4), np.uint8))
    frame = gpd.GeoDataFrame(
        {"adcode": [11, 12]}, geometry=[shapely.box(0, 0, 2, 4), shapely.box(2, 0, 4, 4)], crs=EQUAL_AREA
    )
    by_key = tabulate({1: path}, frame, Options(key="adcode")).land_area
    by_index = class_areas({1: path}, frame.set_index("adcode"))
    assert by_key.coords["region"].values.tolist() == by_index.coords["region"].values.tolist() == ["11", "12"]


def test_a_legend_names_and_joins_classes(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.array([[10, 20, 95, 90], [0, 0, 77, 77]], np.uint8), tiled=False)
    box = region_frame([shapely.box(0, 0, 4, 2)])
    result = tabulate({1: path}, box, Options(legend="WorldCover"))
    found = result.pixels.sel(region="r0", year=1).to_series().to_dict()
    assert found == {"forest": 1, "shrub": 1, "wetland": 2, "77": 2}
    assert result.conservation.loc[0, "nodata_pixels"] == 2
    assert [notice.code for notice in result.notices] == ["W604"]
    own = tabulate({1: path}, box, Options(legend={10: "a", 20: "a", 95: "b", 90: "b", 0: "b", 77: "c"}))
    assert own.pixels.sel(region="r0", year=1).to_series().to_dict() == {"a": 2, "b": 4, "c": 2}


def test_crosswalks_hold_every_product_with_its_source() -> None:
    import csv
    from importlib import resources

    with (resources.files("cobalance.landcover") / "crosswalks.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert all(row["source"] and row["name"] and row["land_class"] for row in rows)
    assert len({(row["product"], row["code"]) for row in rows}) == len(rows)
    wanted = {"CLCD", "GlobeLand30", "WorldCover", "CCI-LC", "MCD12Q1", "MCD12C1", "CORINE", "NLCD", "CNLUCC"}
    assert wanted <= set(crosswalks())
    assert crosswalks()["CLCD"][2] == "forest"
    assert crosswalks()["MCD12C1"][0] == crosswalks()["MCD12Q1"][17] == "water"
    assert crosswalks()["CORINE"][23] == crosswalks()["CORINE_level3"][311] == "forest"
    classes = {row["land_class"] for row in rows}
    assert classes <= {
        "forest", "cropland", "grassland", "water", "wetland", "built", "barren", "shrub", "garden", "snow_ice",
        "urban_green", "ocean", "nodata",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,colour\n1,red\n", "columns code, colour"),
        ("code,name\n1,a\n1,b\n", "row 3: code 1 stands twice"),
        ("code,name\nx,a\n", "row 2: code 'x'"),
        ("code,name\n1,\n", "row 2: code 1 has no name"),
        ("code,name\n", "no rows"),
    ],
)
def test_a_legend_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "legend.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CobalanceError, match=f"E624 .*legend.csv: .*{words}.*CLCD"):
        read_legend(path)
    with pytest.raises(CobalanceError, match="E624 .*CLDC: The legend cannot be used: No such file"):
        read_legend("CLDC")


def test_a_continuous_surface_is_not_a_map(tmp_path: Path) -> None:
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    path = write_raster(tmp_path / "map.tif", pixels)
    with pytest.raises(CobalanceError, match="E625 .*more than 1024 different values"):
        tabulate({1: path}, region_frame([shapely.box(0, 0, 64, 64)]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"coverage": "all"}, "E632 .*all is not a valid coverage. Expected: centre | exact"),
        ({"overlap": "first"}, "first is not a valid overlap"),
        ({"unread": "skip"}, "skip is not a valid unread"),
        ({"threads": 0}, "0 is not a valid threads"),
    ],
)
def test_options_are_checked(tmp_path: Path, options: dict, words: str) -> None:
    path = write_raster(tmp_path / "map.tif", np.ones((4, 4), np.uint8))
    with pytest.raises(CobalanceError, match=words.replace("|", r"\|")):
        tabulate({1: path}, region_frame([shapely.box(0, 0, 1, 1)]), Options(**options))
