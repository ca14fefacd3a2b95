"""Least-cost conversion: by hand, against enumeration, conservation of land, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.accounts.conversion import CLOSED, NO_GAP, NOT_CLOSED, PARTLY, UNDEFINED, least_cost_conversion
from cobalance.vocabulary.errors import CobalanceError

CLASSES = ["forest", "cropland", "grassland", "barren"]
CARBON = xr.DataArray([6.0, 3.0, 1.5, 0.0], dims="land_class", coords={"land_class": CLASSES})
OXYGEN = xr.DataArray([16.0, 12.0, 4.0, 0.0], dims="land_class", coords={"land_class": CLASSES})


def land(*rows: list[float]) -> xr.DataArray:
    coords = {"region": [f"r{number}" for number in range(len(rows))], "land_class": CLASSES}
    return xr.DataArray(list(rows), dims=("region", "land_class"), coords=coords, attrs={"units": "ha"})


def shortfall(*rows: list[float], targets: tuple[str, ...] = ("carbon",)) -> xr.DataArray:
    coords = {"region": [f"r{number}" for number in range(len(rows))], "target": list(targets)}
    return xr.DataArray(list(rows), dims=("region", "target"), coords=coords, attrs={"units": "ha"})


def test_the_least_area_by_hand() -> None:
    # a hectare of barren land made forest gains 1, of grassland 3/4, of cropland 1/2
    result = least_cost_conversion(land([0.0, 100.0, 20.0, 10.0]), {"carbon": CARBON}, shortfall([30.0]))
    area = result["converted_area"].sel(region="r0", to_class="forest")
    # 10 · 1 + 20 · 3/4 = 25; the last 5 from 10 ha of cropland
    assert area.sel(from_class=["barren", "grassland", "cropland"]).values == pytest.approx([10, 20, 10], rel=1e-6)
    assert result["conversion_cost"].item() == pytest.approx(40, rel=1e-6)
    assert result["conversion_outcome"].item() == CLOSED
    assert result["conversion_cost"].attrs["units"] == "ha"


def test_costs_turn_the_plan_by_hand() -> None:
    cost = xr.DataArray(
        [[0.0], [1.0], [9.0], [10.0]],
        dims=("from_class", "to_class"),
        coords={"from_class": CLASSES, "to_class": ["forest"]},
        attrs={"units": "10^4 yuan / ha"},
    )
    result = least_cost_conversion(
        land([0.0, 100.0, 20.0, 10.0]), {"carbon": CARBON}, shortfall([30.0]), into=["forest"], cost=cost
    )
    # per hectare gained: cropland 1 / .5 = 2, grassland 9 / .75 = 12, barren 10: 60 ha of cropland
    assert result["converted_area"].sel(from_class="cropland", to_class="forest").item() == pytest.approx(60, rel=1e-6)
    assert result["conversion_cost"].item() == pytest.approx(60, rel=1e-6)


def test_words_for_what_a_region_can_do() -> None:
    area = land([0, 0, 0, 10], [0, 0, 0, 10], [0, 0, 0, 10], [10, 0, 0, 0], [np.nan, 0, 0, 0])
    result = least_cost_conversion(area, {"carbon": CARBON}, shortfall([0], [10], [15], [5], [5]))
    assert result["conversion_outcome"].values.tolist() == [NO_GAP, CLOSED, PARTLY, NOT_CLOSED, UNDEFINED]
    assert result["remaining_shortfall"].values[:4, 0] == pytest.approx([0, 0, 5, 5])
    assert result["converted_area"].sel(region="r4").isnull().all()


def test_both_targets_are_closed_at_once() -> None:
    # cropland gains .5 forest hectares of carbon but only .25 of oxygen: oxygen decides
    result = least_cost_conversion(
        land([0.0, 100.0, 0.0, 0.0]),
        {"carbon": CARBON, "oxygen": OXYGEN},
        shortfall([10.0, 10.0], targets=("carbon", "oxygen")),
    )
    assert result["converted_area"].sel(from_class="cropland", to_class="forest").item() == pytest.approx(40, rel=1e-6)
    assert result["remaining_shortfall"].values == pytest.approx(np.zeros((1, 2)))


amounts = st.floats(0.0, 100.0)


@settings(max_examples=40, deadline=None)
@given(area=st.lists(amounts, min_size=4, max_size=4), short=st.floats(0.1, 200.0))
def test_the_least_area_is_the_greedy_one(area: list[float], short: float) -> None:
    # with one target and equal costs the best is known: take the land that gains most first
    result = least_cost_conversion(land(area), {"carbon": CARBON}, shortfall([short]))
    left, used = short, 0.0
    for gain, hectares in zip((1.0, 0.75, 0.5), (area[3], area[2], area[1]), strict=True):
        take = min(hectares, left / gain)
        left, used = left - take * gain, used + take
    assert result["remaining_shortfall"].item() == pytest.approx(left, abs=1e-4)
    assert result["conversion_cost"].item() == pytest.approx(used, abs=1e-3, rel=1e-5)


def test_no_corner_of_the_programme_is_cheaper() -> None:
    # two classes into two classes, one target: every vertex uses at most as many pairs as there are binding rows
    random = np.random.default_rng(3)
    pairs = [(1, 0), (2, 0), (2, 1)]
    for _ in range(10):
        area = np.array([0.0, *random.uniform(5, 20, 2), 0.0])
        price = random.uniform(1, 5, len(pairs))
        cost = xr.DataArray(np.full((4, 2), 1e6), dims=("from_class", "to_class"))
        cost = cost.assign_coords(from_class=CLASSES, to_class=CLASSES[:2])
        for (one, two), value in zip(pairs, price, strict=True):
            cost[one, two] = value
        wanted = 5.0
        result = least_cost_conversion(
            land(area.tolist()), {"carbon": CARBON}, shortfall([wanted]), into=CLASSES[:2], cost=cost
        )
        gains = np.array([(CARBON[two] - CARBON[one]).item() / 6 for one, two in pairs])
        cheapest = np.inf
        steps = np.linspace(0, 1, 41)
        for share in itertools.product(steps, steps):
            x = np.array([share[0] * area[1], share[1] * area[2], 0.0])
            missing = wanted - gains @ x
            x[2] = max(0.0, missing / gains[2])
            if x[1] + x[2] <= area[2]:
                cheapest = min(cheapest, float(price @ x))
        assert result["conversion_cost"].item() <= cheapest + 1e-4


@settings(max_examples=25, deadline=None)
@given(area=st.lists(st.floats(1.0, 1e7), min_size=4, max_size=4), short=st.floats(1.0, 1e8))
def test_no_class_gives_more_than_it_has_and_the_gain_covers_the_shortfall(area: list[float], short: float) -> None:
    result = least_cost_conversion(land(area), {"carbon": CARBON}, shortfall([short]))
    plan = result["converted_area"].isel(region=0)
    assert (plan.sum("to_class").values <= np.array(area) * (1 + 1e-6)).all()
    gain = float((plan * (CARBON.rename(land_class="to_class") - CARBON.rename(land_class="from_class"))).sum()) / 6
    assert gain + result["remaining_shortfall"].item() >= short * (1 - 1e-5)


def test_missing_classes_are_named() -> None:
    area = land([1.0, 1.0, 1.0, 1.0])
    with pytest.raises(CobalanceError, match=r"E814.*rates\['carbon'\].*barren"):
        least_cost_conversion(area, {"carbon": CARBON.isel(land_class=slice(0, 3))}, shortfall([1.0]))
    with pytest.raises(CobalanceError, match=r"E814.*into.*wetland"):
        least_cost_conversion(area, {"carbon": CARBON}, shortfall([1.0]), into=["wetland"])
    cost = xr.DataArray(
        [[1.0]], dims=("from_class", "to_class"), coords={"from_class": ["forest"], "to_class": ["forest"]}
    )
    with pytest.raises(CobalanceError, match=r"E814.*cost.*cropland"):
        least_cost_conversion(area, {"carbon": CARBON}, shortfall([1.0]), into=["forest"], cost=cost)


def test_areas_without_units_are_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E201.*convertible"):
        least_cost_conversion(land([1.0, 1.0, 1.0, 1.0]).drop_attrs(), {"carbon": CARBON}, shortfall([1.0]))


def test_draws_are_not_planned_for() -> None:
    drawn = land([1.0, 1.0, 1.0, 1.0]).expand_dims(draw=2)
    with pytest.raises(CobalanceError, match=r"E205.*convertible.*region, land_class"):
        least_cost_conversion(drawn, {"carbon": CARBON}, shortfall([1.0]))
