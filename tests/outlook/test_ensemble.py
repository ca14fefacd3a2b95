"""The outlook of a study: combination, who took part, units and draws, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.outlook.combination import COMBINATIONS, Combination, combination_weights, combined
from cobalance.outlook.ensemble import outlook
from cobalance.outlook.panel import code
from cobalance.vocabulary.errors import CobalanceError

YEARS = np.arange(2011, 2021)


def activities(**series: list[float]) -> xr.DataArray:
    """One activity, ``coal``, of regions by name."""
    return xr.DataArray(
        np.array(list(series.values()))[:, None],
        dims=("region", "activity", "year"),
        coords={"region": list(series), "activity": ["coal"], "year": YEARS, "activity_unit": ("activity", ["t"])},
        attrs={"units": "{activity_unit} / yr"},
    )


LINE = [10.0 + k for k in range(10)]
FALLING = [10.0 - k for k in range(10)]
ZERO_INSIDE = [10.0, 11.0, 12.0, 0.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0]


def test_plain_mean_by_hand_with_who_took_part() -> None:
    result = outlook(activities(up=LINE, hole=ZERO_INSIDE), window=(2011, 2020), years=[2030])
    ahead = result["outlook"].sel(activity="coal", outlook_year=2030)
    # linear: 19 + 10 = 29; growth: 19 · 1.9^(10/9) = 38.76…
    assert float(ahead.sel(model="linear", region="up")) == pytest.approx(29)
    assert float(ahead.sel(model="growth", region="up")) == pytest.approx(19 * 1.9 ** (10 / 9))
    three = ahead.sel(region="up", model=["linear", "grey", "growth"])
    assert float(ahead.sel(model="ensemble", region="up")) == pytest.approx(float(three.mean()))
    two = ahead.sel(region="hole", model=["linear", "growth"])
    assert float(ahead.sel(model="ensemble", region="hole")) == pytest.approx(float(two.mean()))
    assert result["participants"].sel(activity="coal").values.tolist() == ["linear, grey, growth", "linear, growth"]
    assert result["outlook_weight"].sel(region="hole", activity="coal").values.tolist() == [0.5, 0.0, 0.5, 1.0]
    assert str(result["outlook_reason"].sel(model="grey", region="hole", activity="coal").item()) == "zeros"


def test_dims_units_and_coordinates_are_the_contract() -> None:
    result = outlook(activities(up=LINE), window=(2011, 2020), years=[2025, 2030])
    assert result["outlook"].dims == ("model", "region", "activity", "outlook_year")
    assert result["outlook_reason"].dims == ("model", "region", "activity")
    assert result["outlook"].attrs["units"] == "{activity_unit} / yr"
    assert result["activity_unit"].values.tolist() == ["t"]
    assert result["model"].values.tolist() == ["linear", "grey", "growth", "ensemble"]
    assert result.attrs["last_year"] == 2020
    assert {"grey_a", "grey_grade", "linear_r_squared", "growth_rate"} <= set(result.data_vars)


def test_always_zero_gives_zero_and_says_so() -> None:
    result = outlook(activities(none=[0.0] * 10), window=(2011, 2020), years=[2030])
    assert (result["outlook"] == 0).all()
    assert (result["outlook_reason"] == "always zero").all()
    assert result["participants"].item() == ""


def test_a_series_that_no_model_can_take_is_missing_with_the_reason() -> None:
    nothing = [np.nan] * 10
    ends_at_zero = [9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    result = outlook(activities(nothing=nothing, ends=ends_at_zero), window=(2011, 2020), years=[2030])
    ensemble = result.sel(model="ensemble", activity="coal")
    assert ensemble["outlook"].isnull().all()
    assert ensemble["outlook_reason"].values.tolist() == ["no data", "no model applies"]
    assert result["observations"].sel(activity="coal").values.tolist() == [0, 10]


def test_only_the_window_is_used() -> None:
    data = activities(up=LINE)
    changed = data.where(data["year"] > 2013, 99.0)
    one, two = (outlook(item, window=(2014, 2020), years=[2030])["outlook"] for item in (data, changed))
    xr.testing.assert_identical(one, two)


def test_the_order_of_years_and_dims_does_not_matter() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    turned = data.transpose("year", "activity", "region").isel(year=slice(None, None, -1))
    one = outlook(data, window=(2011, 2020), years=[2030])["outlook"]
    two = outlook(turned, window=(2011, 2020), years=[2030])["outlook"]
    xr.testing.assert_allclose(one, two.transpose(*one.dims))


def test_draws_pass_through_as_single_studies_would() -> None:
    random = np.random.default_rng(3)
    data = activities(up=LINE, hole=ZERO_INSIDE)
    noise = xr.DataArray(random.uniform(0.9, 1.1, (4, 10)), dims=("draw", "year"), coords={"year": YEARS})
    drawn = (data * noise).assign_attrs(data.attrs)
    together = outlook(drawn, window=(2011, 2020), years=[2030])
    assert together["outlook"].dims == ("model", "region", "activity", "outlook_year", "draw")
    for number in range(4):
        alone = outlook(drawn.isel(draw=number), window=(2011, 2020), years=[2030])
        xr.testing.assert_allclose(together.isel(draw=number)["outlook"], alone["outlook"])
        assert (together.isel(draw=number)["outlook_reason"] == alone["outlook_reason"]).all()


def test_the_input_is_left_alone() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    before = data.copy(deep=True)
    outlook(data, window=(2011, 2020), years=[2030])
    xr.testing.assert_identical(data, before)


# ---- combination


def errors_of(data: xr.DataArray, values: dict[str, float]) -> xr.DataArray:
    error = xr.DataArray(list(values.values()), dims="model", coords={"model": list(values)})
    return error.expand_dims(region=data["region"].values, activity=data["activity"].values)


def test_inverse_error_weights_by_hand() -> None:
    data = activities(up=LINE)
    errors = errors_of(data, {"growth": 0.4, "linear": 0.1, "grey": 0.2})
    result = outlook(data, window=(2011, 2020), years=[2030], combination="inverse error", errors=errors)
    # 1/.1 : 1/.2 : 1/.4 = 4 : 2 : 1
    assert result["outlook_weight"].values.ravel()[:3] == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    linear, grey, growth, ensemble = result["outlook"].values.ravel()
    assert ensemble == pytest.approx((4 * linear + 2 * grey + growth) / 7)


def test_best_takes_the_model_with_the_smallest_error_of_those_that_apply() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    errors = errors_of(data, {"linear": 0.3, "grey": 0.1, "growth": 0.2})
    result = outlook(data, window=(2011, 2020), years=[2030], combination="best", errors=errors)
    assert result["participants"].values.ravel().tolist() == ["grey", "growth"]


@pytest.mark.parametrize("combination", ["mean", "median"])
def test_errors_change_nothing_where_the_combination_does_not_weigh_by_them(combination: Combination) -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    errors = errors_of(data, {"linear": 0.3, "grey": 0.1, "growth": 0.2})
    one = outlook(data, window=(2011, 2020), years=[2030], combination=combination)
    two = outlook(data, window=(2011, 2020), years=[2030], combination=combination, errors=errors)
    xr.testing.assert_identical(one, two)


def test_a_model_without_an_error_takes_no_part_and_none_at_all_is_named() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    errors = errors_of(data, {"linear": 0.3, "grey": np.nan, "growth": 0.2})
    errors = errors.where(errors["region"] == "up")
    result = outlook(data, window=(2011, 2020), years=[2030], combination="inverse error", errors=errors)
    assert result["participants"].values.ravel().tolist() == ["linear, growth", ""]
    assert result["outlook_reason"].sel(model="ensemble").values.ravel().tolist() == ["", "no backtest error"]


def test_median_is_the_middle_of_the_models_that_apply() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    result = outlook(data, window=(2011, 2020), years=[2030], combination="median")
    linear, grey, growth, middle = result["outlook"].sel(region="up").values.ravel()
    assert middle == sorted([linear, grey, growth])[1]
    linear, _, growth, middle = result["outlook"].sel(region="hole").values.ravel()
    assert middle == pytest.approx((linear + growth) / 2)


@settings(deadline=None, max_examples=60)
@given(
    forecast=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    fails=st.lists(st.booleans(), min_size=3, max_size=3),
    errors=st.lists(st.floats(0, 10), min_size=3, max_size=3),
    kind=st.sampled_from(COMBINATIONS),
)
def test_a_combination_lies_within_its_members(
    forecast: list[float], fails: list[bool], errors: list[float], kind: str
) -> None:
    reason = np.where(fails, code("exploding"), 0).astype(np.int8)[:, None]
    values = np.where(fails, np.nan, forecast)[:, None, None]
    known = np.array(errors)[:, None] if kind in ("inverse error", "best") else None
    value, outcome, weight = combined(kind, values, reason, known)
    if all(fails):
        assert np.isnan(value).all()
        assert outcome.tolist() == [code("exploding")]
    else:
        assert np.nanmin(values) * (1 - 1e-12) <= value[0, 0] <= np.nanmax(values) * (1 + 1e-12)
        assert weight.sum() == pytest.approx(1)
        assert not weight[np.array(fails)].any()


def test_equal_errors_give_the_plain_mean() -> None:
    reason = np.zeros((3, 1), np.int8)
    assert combination_weights("inverse error", reason, np.full((3, 1), 0.2)) == pytest.approx(
        combination_weights("mean", reason, None)
    )


# ---- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": (1990, 1999)}, r"E801.*1990–1999.*2011–2020"),
        ({"years": [2020]}, r"E802.*2020"),
        ({"years": []}, r"E802"),
        ({"models": ["linear", "gray"]}, r"E803.*'gray'.*nearest: grey"),
        ({"combination": "average"}, r"E804.*'average'.*mean, median"),
        ({"combination": "best"}, r"E807.*linear, grey, growth"),
        ({"models": []}, r"E808"),
        ({"models": ["linear", "linear"]}, r"E808.*linear, linear"),
    ],
)
def test_wrong_requests_are_refused(change: dict[str, object], message: str) -> None:
    request: dict[str, object] = {"window": (2011, 2020), "years": [2030], **change}
    with pytest.raises(CobalanceError, match=message):
        outlook(activities(up=LINE), **request)  # type: ignore[arg-type]


def test_all_problems_are_told_at_once() -> None:
    data = activities(up=LINE).drop_attrs()
    with pytest.raises(CobalanceError) as refused:
        outlook(data, window=(2011, 2020), years=[2019], models=["x"], combination="y")  # type: ignore[arg-type]
    assert [problem.code for problem in refused.value.problems] == ["E805", "E802", "E803", "E804"]


def test_errors_that_lack_a_region_are_refused() -> None:
    data = activities(up=LINE, hole=ZERO_INSIDE)
    errors = errors_of(data, {"linear": 0.3, "grey": 0.1, "growth": 0.2}).sel(region=["up"])
    with pytest.raises(CobalanceError, match=r"E203.*errors.*region.*'hole'"):
        outlook(data, window=(2011, 2020), years=[2030], combination="best", errors=errors)


def test_activities_without_years_are_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E806.*region, activity"):
        outlook(activities(up=LINE).isel(year=0), window=(2011, 2020), years=[2030])
