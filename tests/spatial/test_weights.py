"""Weights by hand on small maps, files there and back, and every refusal."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, Polygon, box

from cobalance.spatial.links import assembled
from cobalance.spatial.points import crs_text, equal_area_crs, geodesic, longitude_span
from cobalance.spatial.weights import (
    contiguity,
    distance_band,
    from_libpysal,
    higher_order,
    inverse_distance,
    k_nearest,
    kernel,
    read_weights,
    to_libpysal,
    weights_from,
    write_gal,
)
from cobalance.vocabulary.errors import CobalanceError


@pytest.fixture
def squares():
    """Four unit squares in a block and one to the east across the water, in metres.

    c d
    a b    e
    """
    places = {"a": (0, 0), "b": (1, 0), "c": (0, 1), "d": (1, 1), "e": (4, 0)}
    shapes = [box(x, y, x + 1, y + 1) for x, y in places.values()]
    return gpd.GeoSeries(shapes, index=list(places), crs="EPSG:32650")


@pytest.fixture
def meridian():
    """Small squares on the equator at 0, 1, 2 and 4 degrees east: 1° is 111.3195 km there."""
    shapes = [Point(x, 0).buffer(0.05, cap_style="square") for x in (0, 1, 2, 4)]
    return gpd.GeoSeries(shapes, index=list("wxyz"), crs="EPSG:4326")


DEGREE = 111.31949  # km, on the equator of WGS 84


def names(weights, region):
    return sorted(weights.neighbours(region))


def test_queen_and_rook_by_hand(squares):
    queen, rook = contiguity(squares), contiguity(squares, rook=True)
    assert queen.neighbours("a") == pytest.approx({"b": 1 / 3, "c": 1 / 3, "d": 1 / 3})
    assert rook.neighbours("a") == {"b": 0.5, "c": 0.5}
    assert queen.islands == rook.islands == ("e",)
    assert (queen.n, queen.links, rook.links) == (5, 12, 8)
    assert queen.mean_neighbours == 12 / 5
    binary = contiguity(squares, row_standardised=False)
    assert set(binary.values.tolist()) == {1.0}


def test_what_is_printed_beside_a_p(squares):
    weights = contiguity(squares)
    assert weights.summary() == (
        "queen, order 1, row-standardised; n = 5, links 12, mean neighbours 2.40, islands 1 (e)"
    )
    assert weights.summary("zh") == (
        "Queen 邻接，阶数 1，行标准化；n = 5，连接数 12，平均邻居数 2.40，孤立区域 1 个（e）"
    )


def test_islands_by_policy(squares):
    assert contiguity(squares, islands="own class").islands == ("e",)
    linked = contiguity(squares, islands="nearest")
    assert names(linked, "e") == ["b"]  # b's edge is 2 m away, d's corner √5
    assert "e" in names(linked, "b")
    bridged = contiguity(squares, bridges=[["e", "d"]])
    assert names(bridged, "e") == ["d"]
    assert "bridges e–d" in bridged.description
    assert names(contiguity(squares, bridges=[("e", "d"), ("d", "e")]), "e") == ["d"]


def test_higher_orders_by_hand(squares):
    rook = contiguity(squares, rook=True, bridges=[("b", "e")])
    second = higher_order(rook, 2)
    # a–b–e and a–b–d, a–c–d: two steps from a are d and e
    assert names(second, "a") == ["d", "e"]
    assert names(contiguity(squares, rook=True, bridges=[("b", "e")], order=2), "a") == ["d", "e"]
    assert names(higher_order(rook, 2, lower_orders=True), "a") == ["b", "c", "d", "e"]
    assert names(higher_order(rook, 3), "c") == ["e"]
    assert higher_order(rook, 1).links == rook.links


def test_distances_by_hand(meridian):
    assert geodesic(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))[0][0] == pytest.approx(DEGREE, abs=1e-4)
    nearest = k_nearest(meridian, 2)
    assert names(nearest, "z") == ["x", "y"]
    assert names(nearest, "w") == ["x", "y"]  # not symmetric: z is nobody's second
    band = distance_band(meridian, 1.5 * DEGREE)
    assert names(band, "x") == ["w", "y"]
    assert band.islands == ("z",)
    # w to x, y, z: 1, 1/2, 1/4 per degree: shares 4/7, 2/7, 1/7
    assert inverse_distance(meridian).neighbours("w") == pytest.approx({"x": 4 / 7, "y": 2 / 7, "z": 1 / 7}, rel=1e-5)
    square = inverse_distance(meridian, power=2, distance_km=2.5 * DEGREE)
    assert square.neighbours("w") == pytest.approx({"x": 4 / 5, "y": 1 / 5}, rel=1e-5)


def test_kernels_by_hand(meridian):
    # bandwidth 4°: K(u) = 1 − u at u = 1/4, 1/2, 1: 3/4, 1/2, 0 (no neighbour)
    triangular = kernel(meridian, bandwidth_km=4 * DEGREE * 1.0000001, row_standardised=False)
    assert triangular.neighbours("w") == pytest.approx({"x": 0.75, "y": 0.5, "z": 0}, abs=1e-5)
    # the two nearest, scaled by the distance to the third (4°): 3/4 and 1/2
    adaptive = kernel(meridian, k=2, row_standardised=False)
    assert adaptive.neighbours("w") == pytest.approx({"x": 0.75, "y": 0.5}, abs=1e-5)
    for function, at_half in {
        "uniform": 0.5,
        "epanechnikov": 0.75 * 0.75,
        "quartic": 15 / 16 * 0.75**2,
        "gaussian": np.exp(-1 / 8) / np.sqrt(2 * np.pi),
    }.items():
        made = kernel(meridian, function=function, k=2, row_standardised=False)
        assert made.neighbours("w")["y"] == pytest.approx(at_half, rel=1e-4), function


def test_the_study_file_asks_for_weights(squares, meridian):
    assert weights_from(squares, "rook").links == 8
    asked = weights_from(squares, {"type": "queen", "islands": "nearest", "k": None, "row_standardised": False})
    assert (asked.links, asked.row_standardised) == (14, False)
    assert weights_from(meridian, {"type": "k_nearest", "k": 1}).links == 4
    assert weights_from(meridian, {"type": "distance band", "distance_km": 120}).links == 4
    assert weights_from(meridian, "inverse_distance").links == 12
    assert weights_from(meridian, {"type": "kernel", "k": 2}).links == 8


def test_bridges_go_with_every_type_whose_neighbours_count_the_same(meridian, tmp_path):
    band = weights_from(meridian, {"type": "distance-band", "distance_km": 120, "islands": "nearest", "bridges": []})
    assert band.neighbours("z") == {"y": 1.0}
    assert band.neighbours("y") == {"x": 0.5, "z": 0.5}
    nearest = weights_from(meridian, {"type": "k-nearest", "k": 1, "bridges": [["w", "z"]], "islands": "own class"})
    assert nearest.neighbours("w") == {"x": 0.5, "z": 0.5}
    assert nearest.neighbours("z") == {"w": 0.5, "y": 0.5}
    assert "bridges w–z" in nearest.description
    reach = weights_from(meridian, {"type": "kernel", "distance_km": 250, "islands": "own class", "bridges": []})
    assert reach.parameters["bandwidth_km"] == 250
    with pytest.raises(CobalanceError, match="E708 .*kernel"):
        weights_from(meridian, {"type": "kernel", "k": 2, "bridges": [["w", "z"]]})
    with pytest.raises(CobalanceError, match="E708 .*kernel"):
        asked = {"type": "kernel", "distance_km": 200, "islands": "nearest", "row_standardised": False}
        weights_from(meridian, asked)


def test_files_there_and_back(squares, tmp_path):
    weights = contiguity(squares, rook=True)
    write_gal(weights, tmp_path / "map.gal")
    back = read_weights(tmp_path / "map.gal")
    assert np.array_equal(back.indices, weights.indices)
    assert back.islands == ("e",)
    assert back.description == "file, file map.gal, row-standardised"
    (tmp_path / "map.gwt").write_text("0 3 map id\na b 2\nb a 2\nb c 6\nc b 6\n")
    assert read_weights(tmp_path / "map.gwt").neighbours("b") == {"a": 0.25, "c": 0.75}
    assert read_weights(tmp_path / "map.gwt", row_standardised=False).neighbours("b") == {"a": 2.0, "c": 6.0}
    asked = weights_from(squares, {"file": str(tmp_path / "map.gal")})
    assert asked.ids.tolist() == list("abcde")
    # an island's empty line may be left out; a BOM and a bare count as heading are read
    (tmp_path / "short.gal").write_text("\ufeff3\na 1\nb\nc 0\nb 1\na\n", encoding="utf-8")
    assert read_weights(tmp_path / "short.gal").islands == ("c",)


@pytest.fixture(scope="module")
def graph_of():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from libpysal.graph import Graph, read_parquet
        from libpysal.weights import W
    return Graph, W, read_parquet


def test_libpysal_there_and_back(squares, graph_of, tmp_path):
    weights = contiguity(squares)
    graph = to_libpysal(weights)
    assert graph.isolates.tolist() == ["e"]
    back = from_libpysal(graph)
    assert back.row_standardised
    assert np.array_equal(back.values, weights.values)
    assert np.array_equal(back.ids, weights.ids)
    graph.to_parquet(tmp_path / "map.parquet")
    again = read_weights(tmp_path / "map.parquet")
    assert again.islands == ("e",)
    assert np.array_equal(again.indices, weights.indices)
    theirs = graph_of[0].build_contiguity(squares, rook=False)
    ours = from_libpysal(theirs, row_standardised=True)
    assert np.array_equal(ours.indices, weights.indices)


def test_libpysal_keeps_the_order_of_labels_that_are_not_sorted(map_of, graph_of):
    weights = map_of(14)
    numbers = assembled(np.arange(14).astype(str), weights.focal, weights.indices, None, "given", True)
    graph = to_libpysal(numbers)  # "10" comes before "2" in the alphabet, not on the map
    assert graph.unique_ids.tolist() == numbers.ids.tolist()
    assert np.array_equal(graph.sparse.toarray(), numbers.matrix().toarray())
    assert np.array_equal(from_libpysal(graph).indices, numbers.indices)


def test_an_old_w_is_read_and_not_rewritten(graph_of):
    w = graph_of[1]({0: [1], 1: [0, 2], 2: [1], 3: []}, silence_warnings=True)
    before = {key: list(value) for key, value in w.weights.items()}
    assert from_libpysal(w, row_standardised=True).neighbours("1") == {"0": 0.5, "2": 0.5}
    assert from_libpysal(w).neighbours("1") == {"0": 1.0, "2": 1.0}
    assert from_libpysal(w).islands == ("3",)
    assert {key: list(value) for key, value in w.weights.items()} == before
    assert w.transform == "O"


def test_libpysals_contiguity_is_ours_on_a_generated_map(graph_of):
    rng = np.random.default_rng(0)
    from shapely import MultiPoint, voronoi_polygons

    cells = voronoi_polygons(MultiPoint(rng.uniform(size=(80, 2))))
    table = gpd.GeoSeries(list(cells.geoms), index=[f"r{i:02d}" for i in range(80)], crs="EPSG:32650")
    ours = contiguity(table, rook=True)
    theirs = from_libpysal(graph_of[0].build_contiguity(table, rook=True), row_standardised=True)
    assert np.array_equal(ours.indptr, theirs.indptr)
    assert np.array_equal(ours.indices, theirs.indices)


def test_the_lower_48_states_have_214_queen_links(shared_data):
    states = gpd.read_file(shared_data / "us" / "us_states_10m.geojson").set_index("fips")
    lower = states[~states.index.isin(["02", "11", "15"])]
    assert (len(lower), contiguity(lower).links) == (48, 214)


def test_weights_are_immutable_and_selected_by_name(squares):
    weights = contiguity(squares)
    with pytest.raises(ValueError, match="read-only"):
        weights.values[0] = 2.0
    with pytest.raises(AttributeError):
        weights.kind = "mine"
    some = weights.selected(np.array([True, True, True, False, False]))
    assert some.ids.tolist() == ["a", "b", "c"]
    assert some.neighbours("a") == {"b": 0.5, "c": 0.5}
    turned = weights.ordered(list("edcba"))
    assert turned.neighbours("a") == weights.neighbours("a")
    assert turned.islands == ("e",)


def test_the_arc_of_longitudes_may_cross_the_antimeridian():
    # Alaska: 172° E … 130° W is an arc of 58°, not of 302°
    assert longitude_span(np.array([172.0, 179.0, -179.0, -130.0])) == (172.0, 230.0)
    assert longitude_span(np.array([73.0, 135.0])) == (73.0, 135.0)
    assert longitude_span(np.array([-5.0, 5.0])) == (355.0, 365.0)


def test_the_fitted_crs_is_equal_area_and_named():
    # 20° of latitude from 30° to 50°: a sixth is 3.33°, parallels 33.33 and 46.67, middle 40; meridian 105
    china = gpd.GeoSeries([box(95, 30, 115, 50)], index=["x"], crs="EPSG:4326")
    text = crs_text(equal_area_crs(china))
    assert "+proj=aea" in text
    for part in ("+lat_1=33.33", "+lat_2=46.67", "+lat_0=40", "+lon_0=105"):
        assert part in text
    across = gpd.GeoSeries([box(95, -10, 115, 10)], index=["x"], crs="EPSG:4326")
    assert "+proj=cea" in crs_text(equal_area_crs(across))
    assert crs_text(None) == ""


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("map.txt", "", r"E701 .*suffix txt"),
        ("map.gal", "2\na one\nb\nb 1\na\n", r"E702 .*map.gal, line 2: 'a one'.*id count"),
        ("map.gal", "2\na 2\nb\nb 1\na\n", r"E702 .*line 2: 'a 2'.*2 neighbour ids"),
        ("map.gal", "2\na 1\nx\nb 1\na\n", r"E702 .*line 3: 'x'.*a region of this file"),
        ("map.gal", "0 3 map id\na 1\nb\nb 1\na\n", r"E702 .*line 1: '0 3 map id'.*n = 2"),
        ("map.gwt", "0 2 m i\na b\nb a 1\n", r"E702 .*line 2: 'a b'.*origin destination weight"),
        ("map.gwt", "0 2 m i\na b much\nb a 1\n", r"E702 .*line 2: 'a b much'"),
        ("map.gwt", "0 2 m i\na b -1\nb a 1\n", r"E705 .*1 weights are negative.*a–b: -1"),
        ("map.gal", "2\na 1\nb\na 1\nb\n", r"E702|E704"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(CobalanceError, match=message):
        read_weights(tmp_path / name)


def test_bad_requests_are_refused(squares, meridian, tmp_path):
    with pytest.raises(CobalanceError, match="E701 .*exists: no"):
        read_weights(tmp_path / "none.gal")
    with pytest.raises(CobalanceError, match="E709 weights.type: 'quen'.*queen"):
        weights_from(squares, "quen")
    with pytest.raises(CobalanceError, match="E709 weights.odrer: 'odrer'.*order"):
        weights_from(squares, {"type": "queen", "odrer": 2})
    with pytest.raises(CobalanceError, match="E709 weights.islands: 'drop'"):
        contiguity(squares, islands="drop")
    with pytest.raises(CobalanceError, match="E712 weights.bridges: bridge 2 is .e, f."):
        contiguity(squares, bridges=[("e", "d"), ("e", "f")])
    with pytest.raises(CobalanceError, match="E712"):
        contiguity(squares, bridges=[("e",)])
    with pytest.raises(CobalanceError, match="E710 .*order is 0"):
        contiguity(squares, order=0)
    with pytest.raises(CobalanceError, match="E710 .*k is 4"):
        k_nearest(meridian, 4)
    with pytest.raises(CobalanceError, match="E710 .*distance_km is -1"):
        distance_band(meridian, -1)
    with pytest.raises(CobalanceError, match="E710 .*exactly one"):
        kernel(meridian, k=2, bandwidth_km=3)
    with pytest.raises(CobalanceError, match="E709 .*'box'"):
        kernel(meridian, function="box", k=2)
    with pytest.raises(CobalanceError, match="E707 .*no coordinate reference system"):
        k_nearest(meridian.set_crs(None, allow_override=True), 2)
    with pytest.raises(CobalanceError, match="E711 .*w–v"):
        shapes = [Point(0, 0).buffer(1), Point(0, 0).buffer(1)]
        inverse_distance(gpd.GeoSeries(shapes, index=["w", "v"], crs="EPSG:4326"))
    with pytest.raises(CobalanceError, match="E704 .*a stand more than once"):
        contiguity(gpd.GeoSeries([box(0, 0, 1, 1)] * 2, index=["a", "a"]))
    with pytest.raises(CobalanceError, match="E706 .*no geometry for b"):
        contiguity(gpd.GeoSeries([box(0, 0, 1, 1), Polygon()], index=["a", "b"]))
    with pytest.raises(CobalanceError, match="E705 .*nan"):
        assembled(["a", "b"], [0], [1], [np.nan], "given", True)


def test_messages_are_chinese_too(squares):
    with pytest.raises(CobalanceError) as caught:
        contiguity(squares, bridges=[("e", "f")])
    assert "第 1 条连接为 [e, f]" in caught.value.text("zh")
