"""Where regions are drawn: nothing left out, nothing covered, areas true."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS
from shapely.geometry import Polygon, box

from cobalance.report.geometry import CHINA_ALBERS, is_china, outlines


def frame(shapes: dict[str, object]) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="region")
    return gpd.GeoDataFrame(
        {"name_zh": list(shapes), "name_en": list(shapes)}, index=index, geometry=list(shapes.values()), crs="EPSG:4326"
    )


def grid(west: float, south: float, columns: int, rows: int, prefix: str = "r") -> dict[str, object]:
    return {
        f"{prefix}{i}{j}": box(west + i, south + j, west + i + 1, south + j + 1)
        for i in range(columns)
        for j in range(rows)
    }


def areas(path: object) -> float:
    return sum(abs(Polygon(part).area) for part in path.to_polygons() if len(part) > 3)  # type: ignore[attr-defined]


def test_every_region_is_drawn_with_its_true_share_of_area() -> None:
    # on the sphere a 1° square at 30–31° N is to one at 34–35° N as sin 31° − sin 30° to sin 35° − sin 34°
    drawn = outlines(frame(grid(100, 30, 4, 5)))
    assert drawn is not None
    assert set(drawn.regions) == {f"r{i}{j}" for i in range(4) for j in range(5)}
    expected = (np.sin(np.radians(31)) - np.sin(np.radians(30))) / (np.sin(np.radians(35)) - np.sin(np.radians(34)))
    assert areas(drawn.paths["r00"]) / areas(drawn.paths["r04"]) == pytest.approx(expected, rel=2e-3)


def test_no_shapes_no_outlines() -> None:
    assert outlines(frame({"a": None, "b": None})) is None


def test_region_without_shape_is_left_out_and_the_others_are_drawn() -> None:
    drawn = outlines(frame({"a": box(0, 40, 1, 41), "b": None}))
    assert drawn is not None and set(drawn.regions) == {"a"}


def test_far_part_moves_into_an_inset_that_covers_nothing() -> None:
    drawn = outlines(frame(grid(-100, 35, 6, 4) | {"far": box(-155, 20, -153, 22)}))
    assert drawn is not None
    assert len(drawn.frames) == 1
    frame_box = box(*drawn.frames[0])
    for region in drawn.regions:
        path = drawn.outline([region])
        shape = shapely.union_all([Polygon(part) for part in path.to_polygons() if len(part) > 3])
        if region == "far":
            assert frame_box.contains(shape)
        else:
            assert not frame_box.intersects(shape)


def test_near_island_stays_in_place() -> None:
    drawn = outlines(frame(grid(100, 30, 5, 5) | {"isle": box(105.3, 29.0, 105.8, 29.5)}))
    assert drawn is not None and drawn.frames == ()


def test_archipelago_is_not_taken_apart() -> None:
    isles = {f"i{k}": box(150 + 6 * k, (k % 3) * 6, 150.5 + 6 * k, (k % 3) * 6 + 0.5) for k in range(9)}
    drawn = outlines(frame(isles))
    assert drawn is not None and drawn.frames == () and set(drawn.regions) == set(isles)


def test_region_too_small_to_see_is_a_dot() -> None:
    drawn = outlines(frame(grid(100, 30, 8, 8) | {"dot": box(108.0, 30.0, 108.01, 30.01)}))
    assert drawn is not None
    assert set(drawn.specks) == {"dot"} and "dot" not in drawn.paths
    assert areas(drawn.specks["dot"]) > 50e6  # a dot of 100 km²; the square itself has about 1.07


def test_geographic_system_of_the_user_gives_way_to_an_equal_area_one() -> None:
    drawn = outlines(frame(grid(100, 30, 2, 2)), "EPSG:4326")
    assert drawn is not None and drawn.crs.is_projected
    drawn = outlines(frame(grid(-100, 30, 2, 2)), "EPSG:5070")
    assert drawn is not None and drawn.crs.to_epsg() == 5070


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["110000", "650000"], True),
        (["110000", "US-CA"], False),
        (["010000"], False),  # 01 is no province
        (["11"], False),  # an FIPS code of a state, not a code of GB/T 2260
        ([], False),
    ],
)
def test_is_china(codes: list[str], expected: bool) -> None:
    assert is_china(codes) is expected


def china() -> dict[str, object]:
    squares = {
        f"{code}0000": box(80 + 4 * i, 22, 84 + 4 * i, 50)
        for i, code in enumerate((65, 63, 62, 61, 14, 13, 37, 31, 22))
    }
    sea = shapely.union_all(
        [
            box(108.8, 18.2, 111.0, 20.1),
            box(112.0, 16.5, 112.4, 16.9),
            box(114.0, 9.0, 114.5, 9.4),
            box(112.2, 3.9, 112.5, 4.2),
        ]
    )
    return squares | {"460000": sea}


def test_china_reaching_south_gets_the_customary_inset() -> None:
    drawn = outlines(frame(china()))
    assert drawn is not None
    assert drawn.crs.equals(CRS.from_proj4(CHINA_ALBERS))
    assert len(drawn.frames) == 1
    # the islands at 16.7, 9.2 and 4 degrees north are all in the inset, beside Hainan itself
    inset = box(*drawn.frames[0])
    parts = [Polygon(part) for part in drawn.outline(["460000"]).to_polygons() if len(part) > 3]
    assert sum(inset.contains(part) for part in parts) == 4
    assert sum(not inset.intersects(part) for part in parts) == 1


def test_china_inset_covers_no_land() -> None:
    drawn = outlines(frame(china()))
    assert drawn is not None
    inset = box(*drawn.frames[0])
    edge = inset.boundary
    for region in drawn.regions:
        for part in (Polygon(points) for points in drawn.outline([region]).to_polygons() if len(points) > 3):
            # what touches the frame is the window's own cut, inside it; no outline of the main map crosses it
            assert inset.buffer(10.0).contains(part) or not part.intersects(edge)


def test_enlarged_part_holds_only_what_the_window_shows() -> None:
    drawn = outlines(frame(grid(100, 30, 4, 4)))
    assert drawn is not None
    centre = drawn.project([101.5], [31.5])
    window = (centre[0, 0] - 2e4, centre[0, 1] - 2e4, centre[0, 0] + 2e4, centre[0, 1] + 2e4)
    parts = drawn.enlarged(window, centre)
    assert set(parts) == {"r11"}
    assert parts["r11"][2] == pytest.approx(1.0)  # the window lies inside the square
