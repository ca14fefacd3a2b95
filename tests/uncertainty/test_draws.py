"""Drawn coefficients, factors and forecast ratios."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cobalance.uncertainty.assumptions import (
    group_name,
    uncertain,
    with_causes,
    with_set_bounds,
    with_stated_bounds,
)
from cobalance.uncertainty.draws import (
    chosen_arrays,
    draw_choice,
    draw_coefficients,
    draw_factors,
    draw_forecast_ratios,
    shared_share,
)
from cobalance.uncertainty.points import Sample
from cobalance.vocabulary.errors import CobalanceError

COLUMNS = ["quantity", "item", "region", "year", "value", "low", "high", "set", "source", "locator"]
NAN = float("nan")


def rows(*found: tuple[object, ...]) -> pd.DataFrame:
    frame = pd.DataFrame([(*row, "our set", "a paper", f"row {row[1]}") for row in found], columns=COLUMNS)
    return frame.astype({"year": "Int64"})


def table() -> pd.DataFrame:
    return with_causes(
        rows(
            ("emission_factor", "coal", "*", pd.NA, 0.5, 0.4, 0.7),
            ("emission_factor", "gas", "*", pd.NA, 0.3, NAN, NAN),
            ("emission_factor", "coal", "B", pd.NA, 0.6, 0.6, 0.8),
            ("sequestration_rate", "forest", "*", pd.NA, 5.0, 4.0, 6.0),
            ("oxygen_release_rate", "forest", "*", pd.NA, 14.0, 11.2, 16.8),
            ("cement_factor", "cement", "*", 2019, 0.10, 0.08, 0.12),
            ("cement_factor", "cement", "*", 2020, 0.20, 0.16, 0.24),
        )
    )


def arrays() -> dict[str, xr.DataArray]:
    factor = xr.DataArray(
        [[0.5, 0.6], [0.3, 0.3]], {"fuel": ["coal", "gas"], "region": ["A", "B"]}, attrs={"units": "t C / {fuel_unit}"}
    )
    return {
        "emission_factor": factor.assign_coords(fuel_unit=("fuel", ["t", "m3"])),
        "sequestration_rate": xr.DataArray([5.0], {"land_class": ["forest"]}, attrs={"units": "t C / ha / yr"}),
        "oxygen_release_rate": xr.DataArray([14.0], {"land_class": ["forest"]}, attrs={"units": "t O2 / ha / yr"}),
        "cement_factor": xr.DataArray([0.1, 0.2], {"year": [2019, 2020]}, attrs={"units": "t C / t"}),
    }


def test_every_array_gets_its_draws_last_and_keeps_what_it_was() -> None:
    drawn = draw_coefficients(table(), arrays(), 40, seed=1)
    factor = drawn["emission_factor"]
    assert factor.dims == ("fuel", "region", "draw")
    assert factor.attrs["units"] == "t C / {fuel_unit}"
    assert factor["fuel_unit"].values.tolist() == ["t", "m3"]
    assert (factor.sel(fuel="gas") == 0.3).all(), "a row without bounds is held"
    coal = factor.sel(fuel="coal", region="A")
    assert float(coal.min()) >= 0.4
    assert float(coal.max()) <= 0.7
    assert float(coal.std()) > 0.01


def test_a_region_with_a_row_of_its_own_goes_by_that() -> None:
    factor = draw_coefficients(table(), arrays(), 40)["emission_factor"].sel(fuel="coal")
    own = factor.sel(region="B")
    assert float(own.min()) >= 0.6
    assert abs(np.corrcoef(own, factor.sel(region="A"))[0, 1]) < 0.6, "a cause of its own"


def test_what_shares_a_cause_moves_together() -> None:
    drawn = draw_coefficients(table(), arrays(), 40)
    # both triangular, ± 20 % around the value, one uniform number: always the same share of the value
    np.testing.assert_allclose(drawn["sequestration_rate"] / 5.0, drawn["oxygen_release_rate"] / 14.0, rtol=1e-12)
    years = drawn["cement_factor"]
    np.testing.assert_allclose(years.sel(year=2020), 2 * years.sel(year=2019), rtol=1e-12)


def test_rows_of_other_years_are_left_alone() -> None:
    late = {"cement_factor": arrays()["cement_factor"].sel(year=[2020])}
    whole = draw_coefficients(table(), arrays(), 10)["cement_factor"].sel(year=[2020])
    xr.testing.assert_identical(draw_coefficients(table(), late, 10)["cement_factor"], whole)


@pytest.mark.parametrize("kind", ["triangular", "uniform", "normal", "lognormal"])
def test_rows_without_width_give_the_arrays_themselves_to_the_last_bit(kind: str) -> None:
    narrow = table().assign(low=lambda frame: frame["value"], high=lambda frame: frame["value"])
    for quantity, drawn in draw_coefficients(narrow, arrays(), 7, kinds={"default": kind}).items():
        for draw in range(7):
            np.testing.assert_array_equal(drawn.isel(draw=draw).values, arrays()[quantity].values)


def test_draws_do_not_depend_on_the_chunk() -> None:
    points = Sample(25, 4)
    whole = draw_coefficients(table(), arrays(), points)
    for chunk in (range(3), range(3, 4), range(4, 25)):
        part = draw_coefficients(table(), arrays(), points, chunk)
        for quantity, drawn in part.items():
            xr.testing.assert_identical(drawn, whole[quantity].sel(draw=list(chunk)))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E851 .*'gaussian'"):
        draw_coefficients(table(), arrays(), 4, kinds={"emission_factor": "gaussian"})


def test_the_same_printed_number_is_one_cause() -> None:
    printed = rows(
        ("oxygen_per_carbon", "coal", "*", pd.NA, 3.12, 2.9, 3.3),
        ("oxygen_per_carbon", "diesel", "*", pd.NA, 3.84, 3.6, 4.1),
        ("oxygen_per_carbon", "gasoline", "*", pd.NA, 3.84, 3.6, 4.1),
        ("emission_factor", "coke", "*", pd.NA, 0.8, NAN, NAN),
        ("emission_factor", "wood", "*", pd.NA, 0.8, NAN, NAN),
    ).assign(locator="one table")
    found = with_causes(printed)
    assert found["cause"].tolist()[:3] == [
        "oxygen ratio coal",
        "oxygen ratio diesel, gasoline",
        "oxygen ratio diesel, gasoline",
    ]
    assert set(found["group"][:3]) == {"oxygen ratios"}
    assert found["cause"].tolist()[3:] == ["emission coke", "emission wood"], "what does not move need not be joined"


def test_missing_bounds_come_from_the_sets_and_hold_the_value() -> None:
    spread = pd.DataFrame(
        [("emission_factor", "gas", 0.31, 0.35), ("emission_factor", "coal", 0.1, 0.9)],
        columns=["quantity", "item", "low", "high"],
    )
    found = with_set_bounds(table(), spread)
    coal, gas = found.iloc[0], found.iloc[1]
    assert gas[["low", "high", "bounds"]].tolist() == [0.3, 0.35, "sets"], "the spread is widened to the value 0.3"
    assert coal[["low", "high", "bounds"]].tolist() == [0.4, 0.7, "row"], "a row's own bounds stand"


def test_stated_bounds_replace_all_others() -> None:
    bounded = with_set_bounds(table(), pd.DataFrame(columns=["quantity", "item", "low", "high"]))
    found = with_stated_bounds(bounded, {"emission_factor gas": 0.1, "sequestration_rate": (4.5, 5.5)})
    gas = found[found["item"] == "gas"].iloc[0]
    np.testing.assert_allclose([gas["low"], gas["high"]], [0.27, 0.33])  # 0.3 ± 10 %
    forest = found[found["quantity"] == "sequestration_rate"].iloc[0]
    assert (forest["low"], forest["high"], forest["bounds"]) == (4.5, 5.5, "study")
    assert uncertain(found)[found["item"] == "gas"].all()


def test_group_names_in_both_languages() -> None:
    assert group_name("emission fuel_oil", "en") == "Emission factor: fuel oil"
    assert (
        group_name("sequestration water, wetland", "zh", {"water": "水域", "wetland": "湿地"}) == "固碳率：水域、湿地"
    )
    assert group_name("oxygen ratios", "zh") == "氧化比"


def test_factors_stay_around_one() -> None:
    drawn = draw_factors({"coal": 0.05, "cement": (0.9, 1.3)}, Sample(200, 0), range(200))
    assert 0.95 <= float(drawn["coal"].min()) < 0.96
    assert 1.2 < float(drawn["cement"].max()) <= 1.3


def test_a_choice_is_taken_by_share() -> None:
    choice = draw_choice([1, 3], Sample(400, 0), range(400))
    assert np.bincount(choice).tolist() == [100, 300], "a Latin hypercube visits each quarter a hundred times"


def test_each_draw_has_the_arrays_of_its_choice() -> None:
    one = {"rate": xr.DataArray([[1.0, 2.0, 3.0]], {"k": ["a"], "draw": [0, 1, 2]})}
    other = {"rate": xr.DataArray([[[10.0, 20.0, 30.0]]], {"k": ["a"], "year": [2020], "draw": [0, 1, 2]})}
    found = chosen_arrays([one, other], np.array([0, 1, 0]))["rate"]
    assert found.sel(k="a", year=2020).values.tolist() == [1.0, 20.0, 3.0]


def past(values: np.ndarray, weight: np.ndarray | float = 1.0) -> xr.Dataset:
    coords = {"activity": ["coal"], "horizon": [2030], "origin": range(values.shape[0]), "region": list("ABCD")}
    ratio = xr.DataArray(values[None, None], coords, ["activity", "horizon", "origin", "region"])
    return xr.Dataset({"ratio": ratio, "weight": xr.zeros_like(ratio) + weight})


def test_forecast_ratios_have_the_quantiles_of_the_backtest() -> None:
    known = np.random.default_rng(0).lognormal(0, 0.3, (50, 4))
    drawn = draw_forecast_ratios(past(known), list("ABCD"), Sample(500, 1), range(500))
    assert drawn.dims == ("region", "activity", "horizon", "draw")
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.5, 0.9]), np.quantile(known, [0.1, 0.5, 0.9]), rtol=0.08)


def test_a_series_that_is_all_but_gone_moves_no_other() -> None:
    known = np.array([[1.1, 0.9, 1.0, 5000.0], [1.2, 0.8, 1.0, 3000.0]])
    weight = np.array([100.0, 100.0, 100.0, 1e-9])
    drawn = draw_forecast_ratios(past(known, weight), list("ABCD"), Sample(2000, 1), range(2000))
    assert float(drawn.max()) < 1.3
    # the mean ratio is that of the totals: Σ observed / Σ forecast
    assert float(drawn.mean()) == pytest.approx((known * weight).sum() / (2 * weight.sum()), abs=0.01)


def test_forecasts_that_were_right_stay_as_they_are() -> None:
    drawn = draw_forecast_ratios(past(np.ones((3, 4))), list("ABCD"), Sample(5, 1), range(5))
    assert (drawn == 1.0).all()


def test_an_activity_that_was_never_tested_is_held() -> None:
    drawn = draw_forecast_ratios(past(np.full((3, 4), np.nan)), list("ABCD"), Sample(5, 1), range(5))
    assert (drawn == 1.0).all()


def test_regions_go_wrong_together_as_far_as_they_did() -> None:
    together = np.exp(np.array([[-0.5], [0.0], [0.5], [0.2]]) + np.zeros((4, 4)))
    apart = np.exp(np.array([-0.5, 0.0, 0.5, 0.2]) + np.zeros((4, 4)))
    assert shared_share(together, np.ones((4, 4))) == 1.0
    assert shared_share(apart, np.ones((4, 4))) == 0.0
    drawn = draw_forecast_ratios(past(together), list("ABCD"), Sample(50, 1), range(50))
    np.testing.assert_array_equal(drawn.sel(region="A"), drawn.sel(region="D"))


def test_intraclass_correlation_by_hand() -> None:
    # log ratios (0, 2) and (4, 6): means 1 and 5; within ((1 + 1) + (1 + 1)) / (4 − 2) = 2;
    # around (2 · 4 + 2 · 4) / (2 − 1) = 16; between (16 − 2) / 2 = 7; ρ = 7 / (7 + 2)
    ratio = np.exp(np.array([[0.0, 2.0], [4.0, 6.0]]))
    assert shared_share(ratio, np.full((2, 2), 7.0)) == pytest.approx(7 / 9)
    # a third region without weight is as if it were not there, whatever its ratio
    more = np.hstack([ratio, [[1e6], [1e-6]]])
    assert shared_share(more, np.array([[7.0, 7.0, 0.0]] * 2)) == pytest.approx(7 / 9)
    assert shared_share(ratio[:1], np.ones((1, 2))) == 0.0, "one origin says nothing of others"


def test_half_shared_errors_keep_their_quantiles_and_half_their_correlation() -> None:
    generator = np.random.default_rng(4)
    logs = generator.normal(0, 0.2, (300, 1)) + generator.normal(0, 0.2, (300, 4))
    known = past(np.exp(logs))
    rho = shared_share(np.exp(logs), np.ones(logs.shape))
    assert rho == pytest.approx(0.5, abs=0.08)
    drawn = draw_forecast_ratios(known, list("ABCD"), Sample(2000, 2), range(2000))
    shares = [0.05, 0.25, 0.75, 0.95]
    np.testing.assert_allclose(np.quantile(np.log(drawn), shares), np.quantile(logs, shares), atol=0.02)
    together = np.corrcoef(np.log(drawn.sel(region="A").values.ravel()), np.log(drawn.sel(region="B").values.ravel()))
    assert together[0, 1] == pytest.approx(rho, abs=0.06)  # three standard errors: 3 · (1 − ρ²) / √2000


def test_a_whole_path_goes_by_one_number() -> None:
    generator = np.random.default_rng(5)
    near, far = (past(generator.lognormal(0, width, (20, 4))) for width in (0.1, 0.3))
    both = xr.concat([near, far.assign_coords(horizon=[2040])], "horizon")
    drawn = draw_forecast_ratios(both, list("ABCD"), Sample(100, 1), range(100))
    order = np.argsort(drawn.sel(horizon=2030, region="C").values.ravel(), kind="stable")
    later = drawn.sel(horizon=2040, region="C").values.ravel()[order]
    assert np.corrcoef(np.arange(100), later)[0, 1] > 0.8


def test_ratios_beyond_the_kept_quantiles_are_held_at_them() -> None:
    known = np.arange(1.0, 101.0).reshape(25, 4)
    drawn = draw_forecast_ratios(past(known), list("ABCD"), Sample(400, 1), range(400), keep=(0.25, 0.75))
    assert (float(drawn.min()), float(drawn.max())) == (25.0, 75.0)
