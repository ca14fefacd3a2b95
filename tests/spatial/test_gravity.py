"""Centres, tracks, ellipses and shifts by hand; what is missing; what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from cobalance.spatial.ellipse import axes, deviational_ellipse
from cobalance.spatial.gravity import gravity_centre, weighted_median
from cobalance.spatial.shift import centre_uncertainty, shift_contributions
from cobalance.vocabulary.errors import CobalanceError, Problems

UTM = "EPSG:32650"


@pytest.fixture
def squares():
    """Four squares of 2 km, centroids (±1, ±1) km around (500 km, 4000 km) of UTM 50N, and their codes."""
    corners = {"sw": (-2, -2), "se": (0, -2), "nw": (-2, 0), "ne": (0, 0)}
    shapes = [box(500e3 + 1e3 * x, 4000e3 + 1e3 * y, 502e3 + 1e3 * x, 4002e3 + 1e3 * y) for x, y in corners.values()]
    return gpd.GeoDataFrame(index=list(corners), geometry=shapes, crs=UTM)


def masses(columns, labels=("sw", "se", "nw", "ne")):
    years = sorted(columns)
    return xr.DataArray(
        np.array([columns[year] for year in years], dtype=float).T,
        dims=("region", "year"),
        coords={"region": list(labels), "year": years},
    )


def test_centre_and_track_by_hand(squares):
    # equal masses: the middle; 1 1 1 5: x = (−1 + 1 − 1 + 5)/8 km = 0.5 km, y likewise; only ne: (1, 1) km
    result = gravity_centre(masses({2000: [1, 1, 1, 1], 2010: [1, 1, 1, 5], 2020: [0, 0, 0, 3]}), squares, crs=UTM)
    assert result.easting_m.values - 500e3 == pytest.approx([0, 500, 1000], abs=1e-6)
    assert result.northing_m.values - 4000e3 == pytest.approx([0, 500, 1000], abs=1e-6)
    assert result.region.values.tolist()[1:] == ["ne", "ne"]
    assert np.isnan(result.distance_km[0])
    # 500 √2 m on the map is 1/0.9996 of it on the ellipsoid at the central meridian; grid north is true north there
    assert result.distance_km.values[1:] == pytest.approx([0.5 * np.sqrt(2) / 0.9996] * 2, rel=1e-5)
    assert result.bearing_deg.values[1:] == pytest.approx([45, 45], abs=0.01)
    assert result.attrs["crs"] == UTM
    assert result.n.values.tolist() == [4, 4, 1]
    assert result.easting_m.attrs["units"] == "m"


def test_bearing_has_no_meaning_for_who_stays(squares):
    result = gravity_centre(masses({2000: [1, 1, 1, 1], 2010: [2, 2, 2, 2]}), squares, crs=UTM)
    assert float(result.distance_km[1]) == 0
    assert np.isnan(result.bearing_deg[1])


def test_centre_outside_all_regions_falls_in_none():
    shapes = [box(0, 0, 1, 1), box(10, 0, 11, 1)]
    apart = gpd.GeoDataFrame(index=["a", "b"], geometry=shapes, crs="EPSG:4326")
    result = gravity_centre(masses({2000: [1, 1]}, ["a", "b"]), apart)
    assert result.region.values.tolist() == [""]
    assert float(result.longitude_deg[0]) == pytest.approx(5.5, abs=1e-3)


def test_the_default_crs_is_equal_area_and_stated(squares):
    result = gravity_centre(masses({2000: [1, 1, 1, 1]}), squares)
    assert result.attrs["crs"].startswith("+proj=aea")


def test_degrees_are_offered_with_a_notice_and_the_sphere_without():
    # two regions at 60° N, 100° of longitude apart: their mean lies far north of 60° on the sphere, not in degrees
    shapes = [box(0, 59.9, 0.2, 60.1), box(100, 59.9, 100.2, 60.1)]
    far = gpd.GeoDataFrame(index=["a", "b"], geometry=shapes, crs="EPSG:4326")
    problems = Problems()
    flat = gravity_centre(masses({2000: [1, 1]}, ["a", "b"]), far, crs="EPSG:4326", problems=problems)
    assert [problem.code for problem in problems] == ["W723"]
    assert "mean of longitude and latitude" in problems.notices[0].text()
    assert float(flat.latitude_deg[0]) == pytest.approx(60.0, abs=0.01)
    sphere = gravity_centre(masses({2000: [1, 1]}, ["a", "b"]), far, crs="sphere")
    # tan φ = tan 60° / cos 50°
    assert float(sphere.latitude_deg[0]) == pytest.approx(
        np.degrees(np.arctan(np.sqrt(3) / np.cos(np.radians(50)))), abs=0.01
    )
    assert float(sphere.longitude_deg[0]) == pytest.approx(50.1, abs=0.01)
    assert np.isnan(sphere.easting_m[0])
    assert sphere.attrs["crs"] == "sphere"


def test_what_is_missing_is_left_out_and_told(squares):
    problems = Problems()
    weight = masses({2000: [1, np.nan, 1, np.nan], 2010: [np.nan] * 4, 2020: [0, 0, 0, 0], 2030: [1, 1, 1, 1]})
    result = gravity_centre(weight, squares, crs=UTM, problems=problems)
    assert [(problem.code, problem.details["year"]) for problem in problems] == [
        ("W721", 2000),
        ("W722", 2010),
        ("W722", 2020),
    ]
    assert result.missing.values.tolist() == ["se, ne", "sw, se, nw, ne", "", ""]
    assert float(result.easting_m[0]) == pytest.approx(499e3)  # sw and nw: x = −1 km
    assert np.isnan(result.easting_m.values).tolist() == [False, True, True, False]
    assert result.region.values.tolist()[1] == ""
    assert np.isnan(result.distance_km.values).tolist() == [
        True,
        True,
        True,
        True,
    ]  # no year before, or no centre in it


def test_median_by_hand():
    # a square with equal weights: the middle; one point with half of all weight: that point
    points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    start = np.array([0.7, 0.4])
    assert weighted_median(points, np.ones(4), start, 1e-9) == pytest.approx([1, 1], abs=1e-6)
    assert weighted_median(points, np.array([5.0, 1, 1, 1]), start, 1e-9) == pytest.approx([0, 0], abs=1e-6)
    # three points with angles below 120° at (0, 0), (4, 0), (2, 2√3): the Fermat point is the centroid
    triangle = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 2 * np.sqrt(3)]])
    assert weighted_median(triangle, np.ones(3), triangle[0], 1e-10) == pytest.approx([2, 2 / np.sqrt(3)], abs=1e-5)


def test_the_median_centre_is_offered(squares):
    weight = masses({2000: [1, 1, 1, 9]})
    result = gravity_centre(weight, squares, crs=UTM, centre="median")
    assert float(result.easting_m[0]) == pytest.approx(501e3, abs=0.01)  # ne holds more than half
    assert result.attrs["centre"] == "median"


def test_ellipse_by_hand():
    # (±3, 0) and (0, ±1): covariance diag(18/4, 2/4): semi-axes √4.5 and √0.5, the major axis points east
    points = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert deviational_ellipse(points, np.ones(4)) == pytest.approx((np.sqrt(4.5), np.sqrt(0.5), 90.0))
    assert deviational_ellipse(points, np.ones(4), "sqrt2") == pytest.approx((3.0, 1.0, 90.0))
    turned = points @ np.array([[np.cos(0.5), np.sin(0.5)], [-np.sin(0.5), np.cos(0.5)]])  # anticlockwise by 0.5
    assert deviational_ellipse(turned, np.ones(4))[2] == pytest.approx(90 - np.degrees(0.5))
    assert np.isnan(deviational_ellipse(points, np.full(4, np.nan))).all()
    assert axes(np.array([[1.0, 0.0], [0.0, 4.0]])) == pytest.approx((2.0, 1.0, 0.0))


def test_yuills_angle_is_the_principal_axis():
    # tan θ = (A + √(A² + 4C²)) / 2C with A = Σ w x² − Σ w y², C = Σ w x y: θ clockwise from north (Yuill 1971)
    rng = np.random.default_rng(0)
    points, weight = rng.normal(size=(30, 2)) @ np.array([[2.0, 0.7], [0.0, 1.0]]), rng.uniform(1, 2, 30)
    x, y = (points - weight @ points / weight.sum()).T
    a, c = (weight * (x**2 - y**2)).sum(), (weight * x * y).sum()
    angle = np.degrees(np.arctan2(a + np.sqrt(a**2 + 4 * c**2), 2 * c)) % 180
    assert deviational_ellipse(points, weight)[2] == pytest.approx(angle)


def test_contributions_add_up_to_the_shift(squares):
    weight = masses({2000: [1, 1, 1, 1], 2010: [1, 1, 1, 5], 2020: [4, 1, 2, 5]})
    track = gravity_centre(weight, squares, crs=UTM)
    pushed = shift_contributions(weight, squares, crs=UTM)
    assert pushed.eastward_m.sum("region").values[1:] == pytest.approx(np.diff(track.easting_m.values), abs=1e-6)
    assert pushed.northward_m.sum("region").values[1:] == pytest.approx(np.diff(track.northing_m.values), abs=1e-6)
    assert pushed.share.sum("region").values[1:] == pytest.approx([1, 1])
    # 2000 → 2010: shares 1/4 … to 1/8 1/8 1/8 5/8; ne pulls 3/8 · (1, 1) km, sw pushes −1/8 · (−1, −1) km
    assert pushed.eastward_m.sel(year=2010).values == pytest.approx([125, -125, 125, 375], abs=1e-6)
    assert pushed.northward_m.sel(year=2010).values == pytest.approx([125, 125, -125, 375], abs=1e-6)
    assert np.isnan(pushed.along_m.sel(year=2000)).all()


def test_bootstrap_ellipse(squares):
    weight = masses({2000: [1, 1, 1, 1], 2010: [0, 0, 0, 1]})
    first, again = (centre_uncertainty(weight, squares, crs=UTM, replicates=4000, seed=1) for _ in range(2))
    xr.testing.assert_identical(first, again)
    # 4 draws of (±1, ±1) km: the mean has variance 1/4 km² along each axis: √(χ²₂(.95) / 4) km = 1.224 km
    assert float(first.semi_major_m[0]) == pytest.approx(1e3 * np.sqrt(-2 * np.log(0.05) / 4), rel=0.06)
    assert float(first.semi_minor_m[0]) == pytest.approx(1e3 * np.sqrt(-2 * np.log(0.05) / 4), rel=0.06)
    # one region alone: wherever it is drawn at all, the centre is its own
    assert float(first.semi_major_m[1]) == pytest.approx(0, abs=1e-3)
    assert float(first.centre_easting_m[1]) == pytest.approx(501e3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=4), st.floats(0.01, 1000))
def test_the_unit_of_the_weight_changes_nothing(weights, scale):
    shapes = [box(x, 0, x + 1, 1) for x in range(4)]
    table = gpd.GeoDataFrame(index=list("abcd"), geometry=shapes, crs=UTM)
    one, other = (
        gravity_centre(masses({2000: np.array(weights) * s}, list("abcd")), table, crs=UTM) for s in (1, scale)
    )
    assert float(one.easting_m[0]) == pytest.approx(float(other.easting_m[0]), abs=1e-6)
    assert float(one.semi_major_m[0]) == pytest.approx(float(other.semi_major_m[0]), abs=1e-6)


def test_equal_weights_give_the_plain_centroid(squares):
    result = gravity_centre(masses({2000: [7, 7, 7, 7]}), squares, crs=UTM)
    plain = squares.geometry.centroid
    assert float(result.easting_m[0]) == pytest.approx(plain.x.mean())
    assert float(result.northing_m[0]) == pytest.approx(plain.y.mean())


def test_bad_weights_are_refused(squares):
    with pytest.raises(CobalanceError, match="E719 .*se 2000: -1, ne 2010: -2"):
        gravity_centre(masses({2000: [1, -1, 1, 1], 2010: [1, 1, 1, -2]}), squares)
    with pytest.raises(CobalanceError, match="E716 .*weight is infinite for nw"):
        gravity_centre(masses({2000: [1, 1, np.inf, 1]}), squares)
    with pytest.raises(CobalanceError, match="E703 .*weight lacks ne, which boundaries has"):
        gravity_centre(masses({2000: [1, 1, 1]}, ["sw", "se", "nw"]), squares)
    with pytest.raises(CobalanceError, match="E715 .*weight has dims region"):
        gravity_centre(masses({2000: [1, 1, 1, 1]}).sel(year=2000), squares)
    with pytest.raises(CobalanceError, match="E707 .*gravity centre"):
        gravity_centre(masses({2000: [1, 1, 1, 1]}), squares.set_crs(None, allow_override=True))
    with pytest.raises(CobalanceError, match="E709 .*'mode'"):
        gravity_centre(masses({2000: [1, 1, 1, 1]}), squares, centre="mode")
    with pytest.raises(CobalanceError, match="E709 .*'sphere'"):
        shift_contributions(masses({2000: [1, 1, 1, 1]}), squares, crs="sphere")
    with pytest.raises(CobalanceError, match="E710 .*level is 95"):
        centre_uncertainty(masses({2000: [1, 1, 1, 1]}), squares, level=95)
