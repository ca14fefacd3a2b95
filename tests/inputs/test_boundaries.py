"""Polygons of regions: read, matched, repaired, refused."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from cobalance.inputs.boundaries import BoundaryOptions, polygon_area_ha, read_boundaries
from cobalance.inputs.checks import land_against_polygons
from cobalance.inputs.regions import RegionNames
from cobalance.vocabulary.errors import CobalanceError

TWO = RegionNames.builtin("china_provinces", ["310000", "110000"])
BEIJING, SHANGHAI = box(116, 39, 117, 40), box(121, 31, 122, 32)
BOW_TIE = Polygon([(116, 39), (117, 40), (117, 39), (116, 40)])


def write(folder, rows, name="b.gpkg", crs="EPSG:4326", key="name", **options):
    labels, shapes = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame({key: list(labels)}, geometry=list(shapes), crs=crs)
    frame.to_file(folder / name, **options)
    return name


@pytest.mark.parametrize("name", ["b.gpkg", "b.geojson", "b.shp"])
def test_regions_come_in_the_studys_order(tmp_path, name):
    write(tmp_path, [("北京", BEIJING), ("上海市", SHANGHAI)], name, encoding="utf-8")
    found = read_boundaries(name, "name", TWO, base_dir=tmp_path)
    assert list(found.frame.index) == ["310000", "110000"]
    assert list(found.frame["name_en"]) == ["Shanghai", "Beijing"]
    assert found.frame.geometry.iloc[1].equals(BEIJING)
    assert found.frame.crs.to_epsg() == 4326
    assert found.notices == ()


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_chinese_shapefile_without_cpg_is_read(tmp_path, encoding):
    write(tmp_path, [("北京", BEIJING), ("上海", SHANGHAI)], "b.shp", encoding=encoding)
    (tmp_path / "b.cpg").unlink()
    found = read_boundaries("b.shp", "name", TWO, base_dir=tmp_path)
    assert list(found.frame["name_zh"]) == ["上海市", "北京市"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the writer says that it cuts, which is the point
def test_texts_that_a_shapefile_cut_inside_a_character_are_told(tmp_path):
    frame = gpd.GeoDataFrame({"name": ["北京", "上海"], "省级行政区划名称": ["京", "沪"]}, geometry=[BEIJING, SHANGHAI])
    frame.set_crs("EPSG:4326").to_file(tmp_path / "b.shp", encoding="utf-8")
    (tmp_path / "b.cpg").unlink()
    found = read_boundaries("b.shp", "name", TWO, base_dir=tmp_path)
    assert list(found.frame["name_zh"]) == ["上海市", "北京市"]
    assert [notice.code for notice in found.notices] == ["W407"]
    assert "省级行" in found.notices[0].text()


def test_rings_run_counter_clockwise_outside(tmp_path):
    clockwise = Polygon(list(BEIJING.exterior.coords)[::-1] if BEIJING.exterior.is_ccw else BEIJING.exterior.coords)
    write(tmp_path, [("北京", clockwise), ("上海", SHANGHAI)])
    frame = read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path).frame
    assert all(shape.exterior.is_ccw for shape in frame.geometry)


def test_a_broken_polygon_is_repaired_and_told(tmp_path):
    write(tmp_path, [("北京", BOW_TIE), ("上海", SHANGHAI)])
    found = read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path)
    assert found.frame.geometry.is_valid.all()
    assert [notice.code for notice in found.notices] == ["W401"]
    assert "北京市" in found.notices[0].text() and "Self-intersection" in found.notices[0].text()


def test_repeated_rows_are_dissolved_where_told(tmp_path):
    islands = [("北京", BEIJING), ("上海", SHANGHAI), ("上海市", box(121, 33, 122, 34))]
    write(tmp_path, islands)
    with pytest.raises(CobalanceError, match=r"E413.*2 rows"):
        read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path)
    found = read_boundaries("b.gpkg", "name", TWO, BoundaryOptions(repeated="dissolve"), tmp_path)
    assert len(found.frame.loc["310000"].geometry.geoms) == 2
    assert [notice.code for notice in found.notices] == ["W403"]


def test_surplus_polygons_are_left_out_where_told(tmp_path):
    write(tmp_path, [("北京", BEIJING), ("上海", SHANGHAI), ("广东", box(113, 23, 114, 24))])
    found = read_boundaries("b.gpkg", "name", TWO, BoundaryOptions(surplus="leave out"), tmp_path)
    assert len(found.frame) == 2
    assert "广东" in found.notices[0].text() and found.notices[0].code == "W404"


def test_the_180th_meridian_is_noted(tmp_path):
    alaska = RegionNames.builtin("us_states", ["02"])
    aleutians = MultiPolygon([box(-170, 60, -150, 65), box(172, 52, 174, 53)])
    write(tmp_path, [("AK", aleutians)])
    found = read_boundaries("b.gpkg", "name", alaska, base_dir=tmp_path)
    assert [notice.code for notice in found.notices] == ["W402"]


def test_land_far_from_the_polygons_area_is_noted(tmp_path):
    import pandas as pd

    write(tmp_path, [("北京", BEIJING), ("上海", SHANGHAI)])
    area = polygon_area_ha(read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path))
    # a degree cell at 39.5° is 111.0 km high and 111.32 · cos 39.5° = 85.9 km wide: about 9,535 km2
    assert area["110000"] == pytest.approx(953_500, rel=2e-3)
    rows = [
        ("110000", 2010, "land_area", "forest", area["110000"] * 0.5),
        ("310000", 2010, "land_area", "forest", area["310000"] * 0.9),
    ]
    frame = pd.DataFrame(rows, columns=["region", "year", "variable", "item", "value"])
    (notice,) = land_against_polygons(frame, area)
    assert notice.code == "W306" and notice.text("zh")
    assert notice.details["region"] == "110000" and notice.details["difference"] == "-50"


REFUSED = [
    ("E407", [("北京", BEIJING), ("上海", SHANGHAI)], {"key": "nom"}, "nearest: nom"),
    ("E408", [("北京", BEIJING), ("上海", SHANGHAI)], {"crs": None, "name": "b.shp"}, "no coordinate reference system"),
    ("E409", [("北京", Point(116, 39)), ("上海", SHANGHAI)], {}, "Point of '110000'"),
    ("E409", [("北京", LineString([(0, 0), (1, 1)])), ("上海", SHANGHAI)], {}, "LineString"),
    ("E410", [("北京", Polygon()), ("上海", SHANGHAI)], {}, "empty geometry"),
    ("E410", [("北京", None), ("上海", SHANGHAI)], {}, "empty geometry"),
    ("E411", [("北京", BEIJING)], {}, "without a polygon: 310000 上海市 Shanghai"),
    ("E412", [("北京", BEIJING), ("上海", SHANGHAI), ("广东", BEIJING)], {}, "without a region: 广东"),
]


@pytest.mark.parametrize(("code", "rows", "options", "words"), REFUSED)
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_bad_boundaries_are_refused(tmp_path, code, rows, options, words):
    name = write(tmp_path, rows, **options)
    with pytest.raises(CobalanceError, match=code) as caught:
        read_boundaries(name, "name" if code != "E407" else "nam", TWO, base_dir=tmp_path)
    assert words in str(caught.value)
    for problem in caught.value.problems:
        assert problem.place.file == name
        assert problem.text("zh")


def test_both_lists_of_a_mismatch_are_named_at_once(tmp_path):
    write(tmp_path, [("北京", BEIJING), ("广东", SHANGHAI)])
    with pytest.raises(CobalanceError) as caught:
        read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path)
    assert sorted(problem.code for problem in caught.value.problems) == ["E411", "E412"]


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "b.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(CobalanceError, match="E406"):
        read_boundaries("b.geojson", "name", TWO, base_dir=tmp_path)
    with pytest.raises(CobalanceError, match="E301"):
        read_boundaries("absent.gpkg", "name", TWO, base_dir=tmp_path)
    write(tmp_path, [("北京", BEIJING)], layer="a")
    write(tmp_path, [("北京", BEIJING)], layer="c")
    with pytest.raises(CobalanceError, match=r"E419.*one of a, c"):
        read_boundaries("b.gpkg", "name", TWO, base_dir=tmp_path)


def test_a_shapefile_in_an_unknown_encoding_is_refused(tmp_path):
    write(tmp_path, [("臺灣省縣", BEIJING), ("灣縣臺灣", SHANGHAI)], "b.shp", encoding="big5")
    (tmp_path / "b.cpg").unlink()
    with pytest.raises(CobalanceError, match="E418"):
        read_boundaries("b.shp", "name", TWO, base_dir=tmp_path)
