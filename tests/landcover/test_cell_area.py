"""Areas of cells: worked numbers, geodesics, and what keeps int64 from overflowing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from maps import north_up, region_frame, write_raster
from pyproj import CRS, Geod, Transformer

from cobalance.landcover import Options, tabulate
from cobalance.landcover.cell_area import (
    CellAreas,
    area_scale,
    ellipsoid_cell_areas,
    figure_of,
    is_equal_area,
    row_areas,
    scaled_areas,
    weight_shift,
)
from cobalance.landcover.rasters import Lattice

WGS84 = CRS("EPSG:4326")
FIGURE = figure_of(WGS84.to_wkt())


def test_the_whole_ellipsoid() -> None:
    """WGS 84 has 510,065,621.724 km² (NIMA TR8350.2): rows of one degree around the whole globe."""
    rows = ellipsoid_cell_areas(np.arange(-90.0, 91.0), 360.0, FIGURE)
    assert rows.sum() / 1e6 == pytest.approx(510_065_621.724, rel=1e-11)


def test_a_sphere_by_hand() -> None:
    """R² Δλ (sin φ₂ − sin φ₁): MODIS' sphere, 0 … 30° N, 1° wide: 6371007.181² · π/180 · ½."""
    sphere = figure_of(CRS("+proj=longlat +R=6371007.181 +no_defs").to_wkt())
    area = ellipsoid_cell_areas(np.array([0.0, 30.0]), 1.0, sphere)[0]
    assert area == pytest.approx(6371007.181**2 * np.pi / 180 * 0.5, rel=1e-13)


@pytest.mark.parametrize("latitude", [0.0, 23.5, 40.0, 66.0, -51.3])
@pytest.mark.parametrize("step", [8.333333333333333e-05, 1 / 3600, 0.05])
def test_cells_equal_geodesic_polygons(latitude: float, step: float) -> None:
    geod = Geod(ellps="WGS84")
    along = np.linspace(0, step, 400)
    longitudes = np.concatenate([along, along[::-1]])
    latitudes = np.concatenate([np.full(400, latitude), np.full(400, latitude + step)])
    expected = abs(geod.polygon_area_perimeter(longitudes, latitudes)[0])
    assert ellipsoid_cell_areas(np.array([latitude, latitude + step]), step, FIGURE)[0] == pytest.approx(
        expected, rel=1e-8
    )


@pytest.mark.parametrize("code", ["EPSG:32650", "EPSG:3857", "EPSG:4499", "EPSG:2154"])
def test_other_projections_by_their_true_scale(code: str) -> None:
    crs = CRS(code)
    place = (2.0, 46.0) if code == "EPSG:2154" else (118.0, 40.0)
    x, y = Transformer.from_crs(WGS84, crs, always_xy=True).transform(*place)
    lattice = Lattice(crs.to_wkt(), x, y + 30, 30.0, -30.0)
    assert scaled_areas(lattice, np.array([0.5]), np.array([0.5]))[0] == pytest.approx(
        _geodesic_cell(crs, x, y, 30.0), rel=1e-8
    )
    assert not CellAreas(lattice, 1).by_row


def test_web_mercator_areas_add_up_to_the_truth(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A degree square at 60° N on Web Mercator, whose cells seem four times too large."""
    transformer = Transformer.from_crs(WGS84, "EPSG:3857", always_xy=True)
    left, bottom = transformer.transform(10.0, 60.0)
    right, top = transformer.transform(11.0, 61.0)
    cell = (right - left) / 200
    rows = int((top - bottom) // cell) + 1
    path = write_raster(
        tmp_path / "m.tif", np.ones((rows, 200), np.uint8), crs="EPSG:3857", transform=north_up(left, top, cell, cell)
    )
    square = region_frame([shapely.box(10, 60, 11, 61)], "EPSG:4326")
    area = float(tabulate({1: path}, square, Options(coverage="exact")).land_area.sum()) / 100
    truth = ellipsoid_cell_areas(np.array([60.0, 61.0]), 1.0, FIGURE)[0] / 1e6
    assert area == pytest.approx(truth, rel=1e-7)


def test_utm_areas_are_those_on_the_ellipsoid(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A UTM raster far from its meridian: 0.06 % larger than |Δx Δy| says; outside parts alike."""
    path = write_raster(
        tmp_path / "u.tif",
        np.ones((40, 60), np.uint8),
        crs="EPSG:32650",
        transform=north_up(700_000, 4_500_000, 1000, 1000),
    )
    inside = region_frame([shapely.box(700_000, 4_460_000, 760_000, 4_500_000)], "EPSG:32650")
    around = region_frame([shapely.box(680_000, 4_440_000, 780_000, 4_520_000)], "EPSG:32650")
    result = tabulate({1: path}, inside)
    assert float(result.land_area.sum()) == pytest.approx(_geodesic_ha(inside), rel=1e-6)
    wide = tabulate({1: path}, around)
    row = wide.conservation.loc[0]
    assert row["classified_ha"] == pytest.approx(float(result.land_area.sum()), rel=1e-12)
    assert row["total_ha"] == pytest.approx(_geodesic_ha(around), rel=1e-6)


def test_which_projections_keep_areas() -> None:
    kept = ["EPSG:6933", "EPSG:5070", "EPSG:3035", "EPSG:8857", "ESRI:54008", "ESRI:102025"]
    lost = ["EPSG:32650", "EPSG:3857", "ESRI:54009"]  # Mollweide is computed on a sphere
    assert [is_equal_area(CRS(code)) for code in kept] == [True] * len(kept)
    assert [is_equal_area(CRS(code)) for code in lost] == [False] * len(lost)
    assert is_equal_area(CRS("+proj=moll +R=6371007.181"))


def test_equal_area_cells_are_their_nominal_size_in_any_unit() -> None:
    feet = CRS("+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +datum=NAD83 +units=us-ft")
    lattice = Lattice(feet.to_wkt(), 0.0, 0.0, 100.0, -100.0)
    assert row_areas(lattice, 0, 1)[0] == pytest.approx((100 * 1200 / 3937) ** 2, rel=1e-12)


def test_units_are_as_fine_as_int64_allows() -> None:
    assert area_scale(5.1e14) == 10**4
    assert 5.1e14 * 10**4 < 2**63
    assert area_scale(9.6e12) == 10**5
    assert area_scale(1e6) == 10**12
    assert weight_shift(1000) == 32
    assert weight_shift(10_000_000_000) == 61 - 34


def _geodesic_cell(crs: CRS, x: float, y: float, size: float) -> float:
    n = np.linspace(0, size, 50)
    xs = np.concatenate([x + n, np.full(50, x + size), x + n[::-1], np.full(50, x)])
    ys = np.concatenate([np.full(50, y), y + n, np.full(50, y + size), y + n[::-1]])
    points = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(xs, ys)
    return abs(crs.get_geod().polygon_area_perimeter(*points)[0])


def _geodesic_ha(regions) -> float:  # type: ignore[no-untyped-def]
    fine = regions.geometry.segmentize(500).to_crs("EPSG:4326").iloc[0]
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(fine)[0]) / 1e4
