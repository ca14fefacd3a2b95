"""Scenarios: by hand, paths, conversions that keep the land, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from cobalance.accounts.scenarios import Conversion, Scenario, converted, multiplier, scenario_outcomes
from cobalance.vocabulary.errors import CobalanceError

CLASSES = ["forest", "cropland", "built"]
AREA = xr.DataArray(
    [[100.0, 50.0, 30.0]],
    dims=("region", "land_class"),
    coords={"region": ["a"], "land_class": CLASSES},
    attrs={"units": "ha"},
)
CARBON = xr.DataArray(
    [6.0, 3.0, 0.0], dims="land_class", coords={"land_class": CLASSES}, attrs={"units": "t C / ha / yr"}
)
OXYGEN = (CARBON * 8 / 3).assign_attrs(units="t O2 / ha / yr")
BURDEN = xr.DataArray(
    [[3000.0, 600.0, 900.0]],
    dims=("region", "source"),
    coords={"region": ["a"], "source": ["coal", "natural_gas", "respiration"]},
    attrs={"units": "t C / yr"},
)
USED = (BURDEN * 3).assign_attrs(units="t O2 / yr")


def outcomes(*scenarios: Scenario, **changes: Any) -> xr.Dataset:
    arguments: dict[str, Any] = {
        "land_area": AREA,
        "rates": {"carbon": CARBON, "oxygen": OXYGEN},
        "burdens": {"carbon": BURDEN, "oxygen": USED},
    }
    return scenario_outcomes(scenarios, 2030, **{**arguments, **changes})


def gap(result: xr.Dataset, scenario: str, target: str = "carbon") -> float:
    return float(result["ecological_land_gap"].sel(scenario=scenario, target=target, region="a"))


def test_scenarios_by_hand() -> None:
    # base: S = 100 · 6 + 50 · 3 = 750, E = 4500: gap = 4500/(3 · 750) − 1 = 100 %
    result = outcomes(
        Scenario("less coal", activity={"coal": 0.5}),
        Scenario("better woods", rate={"forest": 1.25}),
        Scenario("more woods", convert=[Conversion("built", "forest", 1.0)]),
        Scenario("all", activity={"coal": 0.5, "population": 2.0}, rate={"forest": 1.25}, land_class={"cropland": 0.0}),
    )
    assert result["scenario"].values.tolist() == ["as forecast", "less coal", "better woods", "more woods", "all"]
    assert gap(result, "as forecast") == pytest.approx(100)
    assert gap(result, "less coal") == pytest.approx((3000 / 2250 - 1) * 100)
    assert gap(result, "better woods") == pytest.approx((4500 / (3 * 900) - 1) * 100)
    assert gap(result, "more woods") == pytest.approx((4500 / (3 * 930) - 1) * 100)
    # coal 1500, gas 600, respiration 1800: 3900 against 100 · 7.5
    assert gap(result, "all") == pytest.approx((3900 / (3 * 750) - 1) * 100)
    # the oxygen side has 8/3 of the uptake and three times the burden
    assert gap(result, "as forecast", "oxygen") == pytest.approx((13500 / (3 * 2000) - 1) * 100)
    assert (
        result["ecological_land_status"].sel(scenario="as forecast", target="carbon").item() == "infeasible on own land"
    )


def test_the_levers_left_are_stated_with_each_scenario() -> None:
    result = outcomes(Scenario("less coal", activity={"coal": 0.5}))
    left = result.sel(scenario="less coal", target="carbon", region="a")
    assert float(left["emission_cut"]) == pytest.approx((1 - 2250 / 3000) * 100)
    assert float(left["rate_gain"]) == pytest.approx(gap(result, "less coal"))


def test_a_path_is_read_at_the_target_year() -> None:
    assert multiplier(0.7, 2030) == 0.7
    assert multiplier({2020: 1.0, 2040: 0.5}, 2030) == pytest.approx(0.75)
    assert multiplier({2030: 0.6}, 2030) == 0.6
    result = outcomes(
        Scenario("path", activity={"coal": {2020: 1.0, 2040: 0.0}}), Scenario("half", activity={"coal": 0.5})
    )
    assert gap(result, "path") == pytest.approx(gap(result, "half"))


def test_conversions_keep_the_land() -> None:
    after = converted(AREA, [Conversion("cropland", "forest", 0.2), Conversion("built", "forest", 0.5)])
    assert after.isel(region=0).values == pytest.approx([125, 40, 15])
    assert float(after.sum()) == pytest.approx(float(AREA.sum()))
    # both are shares of the area before: what one gives the other cannot pass on
    chain = converted(AREA, [Conversion("built", "cropland", 1.0), Conversion("cropland", "forest", 1.0)])
    assert chain.isel(region=0).values == pytest.approx([150, 30, 0])


def test_inputs_are_left_alone_and_an_empty_scenario_changes_nothing() -> None:
    before = [array.copy(deep=True) for array in (AREA, CARBON, BURDEN)]
    result = outcomes(Scenario("nothing"))
    for array, copy in zip((AREA, CARBON, BURDEN), before, strict=True):
        xr.testing.assert_identical(array, copy)
    one, two = result.sel(scenario="as forecast", drop=True), result.sel(scenario="nothing", drop=True)
    xr.testing.assert_identical(one, two)


def test_areas_in_other_units_give_the_same() -> None:
    other = (AREA / 100).assign_attrs(units="km2")
    xr.testing.assert_allclose(outcomes()["emission_cut"], outcomes(land_area=other)["emission_cut"])


def test_missing_stays_missing_under_every_scenario() -> None:
    holed = BURDEN.where(BURDEN["source"] != "natural_gas")
    result = outcomes(Scenario("no gas", activity={"natural_gas": 0.0}), burdens={"carbon": holed, "oxygen": USED})
    assert np.isnan(gap(result, "no gas"))
    assert result["ecological_land_reason"].sel(scenario="no gas", target="carbon").item() == "burden missing"


def test_all_problems_of_all_scenarios_are_told_at_once() -> None:
    wrong = [
        Scenario("a", activity={"coall": 0.5}),
        Scenario("b", rate={"woods": 1.1}),
        Scenario("c", convert=[Conversion("built", "forrest", 0.5)]),
        Scenario("d", convert=[Conversion("built", "forest", 0.7), Conversion("built", "cropland", 0.7)]),
        Scenario("e", activity={"coal": {2020: 1.0, 2025: 0.5}}),
        Scenario("f", land_class={"forest": -1.0}),
        Scenario("f"),
    ]
    with pytest.raises(CobalanceError) as refused:
        outcomes(*wrong)
    codes = [problem.code for problem in refused.value.problems]
    assert sorted(codes) == ["E841", "E841", "E841", "E842", "E843", "E844", "E845"]
    text = str(refused.value)
    assert "nearest: coal" in text
    assert "nearest: forest" in text
    assert "2020, 2025, which do not enclose 2030" in text
    assert "情景名称“f”重复" in refused.value.text("zh")
