"""Backtest, scores, intervals: by hand, no peeking, coverage, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cobalance.outlook.backtest import backtest, backtest_errors, backtest_notices, backtest_scores, best_models
from cobalance.outlook.ensemble import outlook
from cobalance.outlook.intervals import backtest_coverage, outlook_intervals, ratio_quantiles
from cobalance.vocabulary.errors import CobalanceError

YEARS = np.arange(2000, 2020)


def activities(*series: np.ndarray) -> xr.DataArray:
    return xr.DataArray(
        np.array(series, dtype=float)[:, None],
        dims=("region", "activity", "year"),
        coords={"region": [f"r{number}" for number in range(len(series))], "activity": ["coal"], "year": YEARS},
        attrs={"units": "t / yr"},
    )


LINE = 100.0 + 2.0 * np.arange(20)


def test_a_line_is_forecast_by_the_line_and_missed_by_the_last_value_by_hand() -> None:
    tested = backtest(activities(LINE), horizons=[1, 4], models=["linear"])
    # windows of ten years end in 2009 … 2018; a horizon of four has an outcome up to the origin 2015
    assert tested["origin"].values.tolist() == list(range(2009, 2019))
    scores = backtest_scores(tested).sel(activity="coal")
    assert scores["mape"].sel(model="linear").values == pytest.approx([0, 0], abs=1e-9)
    outcomes = LINE[13:]  # of 2013 … 2019, four years after 2009 … 2015; the last value is 8 below each
    naive = scores.sel(model="last_value", horizon=4)
    assert float(naive["mape"]) == pytest.approx(np.mean(8 / outcomes * 100))
    assert float(naive["median_ape"]) == pytest.approx(np.median(8 / outcomes * 100))
    assert float(naive["mase"]) == pytest.approx(4)  # 8 off, where a year's usual change is 2
    assert float(naive["bias"]) == pytest.approx(-8 * 7 / outcomes.sum() * 100)
    assert int(naive["count"]) == 7
    assert int(scores["count"].sel(model="linear", horizon=1)) == 10


def test_the_models_do_not_see_what_comes_after_the_origin() -> None:
    random = np.random.default_rng(2)
    data = activities(*random.uniform(50, 60, (3, 20)))
    later = data.where(data["year"] <= 2012, 1e3)
    one = backtest(data, horizons=[1, 3], origins=[2010, 2012])["forecast"]
    two = backtest(later, horizons=[1, 3], origins=[2010, 2012])["forecast"]
    xr.testing.assert_identical(one, two)


def test_a_backtest_forecast_is_the_outlook_of_that_year() -> None:
    random = np.random.default_rng(2)
    data = activities(*random.uniform(50, 60, (3, 20)))
    tested = backtest(data, horizons=[5], origins=[2012])["forecast"].isel(origin=0, horizon=0, drop=True)
    then = outlook(data, window=(2003, 2012), years=[2017])["outlook"].isel(outlook_year=0, drop=True)
    models = then["model"].values
    xr.testing.assert_allclose(tested.sel(model=models).transpose(*then.dims), then)


def test_common_cells_compare_like_with_like() -> None:
    hole = LINE.copy()
    hole[14] = 0.0  # the grey model declines every window that holds it
    tested = backtest(activities(LINE, hole), horizons=[1])
    fair, own = backtest_scores(tested), backtest_scores(tested, common=False)
    assert len(np.unique(fair["count"].values)) == 1
    counts = own["count"].sel(activity="coal", horizon=1)
    assert int(counts.sel(model="grey")) < int(counts.sel(model="linear")) == 20


def test_a_missing_outcome_is_not_scored() -> None:
    data = activities(LINE)
    tested = backtest(data.where(data["year"] != 2015), horizons=[1], models=["linear"])
    assert int(backtest_scores(tested)["count"].sel(model="linear").item()) == 9


def test_the_best_model_and_its_errors_feed_the_outlook() -> None:
    exponential = 10 * 1.05 ** np.arange(20)
    data = activities(LINE, exponential)
    errors = backtest_errors(backtest(data, horizons=[1, 5]))
    assert errors.dims == ("model", "region", "activity")
    result = outlook(data, window=(2010, 2019), years=[2024], combination="best", errors=errors)
    assert result["participants"].values.ravel().tolist() == ["linear", "growth"]
    best = best_models(backtest_scores(backtest(activities(LINE), horizons=[1])))
    assert best.sel(activity="coal", horizon=1).item() in {"linear", "mean_growth"}


def test_a_lost_comparison_with_the_last_value_is_said_plainly() -> None:
    bends = np.concatenate([np.linspace(10, 100, 10), np.full(10, 100.0)])
    (notice,) = backtest_notices(backtest_scores(backtest(activities(bends), horizons=[1, 3])))
    assert notice.code == "W821"
    assert not notice.is_error
    assert "coal, 3 years ahead" in notice.text()
    assert "沿用末年值的误差中位数为 0.0%" in notice.text("zh")
    assert not len(backtest_notices(backtest_scores(backtest(activities(LINE), horizons=[3]))))


# ---- intervals


def made_up(ratios: np.ndarray) -> xr.Dataset:
    """A backtest in which forecasts were 100 and outcomes 100 times the ratios; (origin, region)."""
    coords = {"model": ["linear"], "region": list(range(ratios.shape[1])), "activity": ["coal"], "horizon": [1]}
    observed = xr.DataArray(
        100 * ratios[None, :, :, None],
        dims=("activity", "origin", "region", "horizon"),
        coords={**{name: coords[name] for name in ("region", "activity", "horizon")}, "origin": range(len(ratios))},
    )
    forecast = xr.full_like(observed, 100.0).expand_dims(model=["linear"])
    return xr.Dataset({"forecast": forecast, "observed": observed})


def test_conformal_bounds_are_order_statistics() -> None:
    # nine ratios 1.1 … 1.9; level .8: ranks ⌊10 · .1⌋ = 1 and ⌈10 · .9⌉ = 9
    bounds = ratio_quantiles(made_up(np.linspace(1.1, 1.9, 9)[:, None]), [0.8, 0.6, 0.95]).squeeze()
    assert bounds["lower"].values[:2] == pytest.approx([1.1, 1.2])
    assert bounds["upper"].values[:2] == pytest.approx([1.9, 1.8])
    assert np.isnan(bounds["lower"].values[2])  # nine errors say nothing of a 95 % interval
    assert np.isnan(bounds["upper"].values[2])


def test_intervals_hold_what_they_promise() -> None:
    random = np.random.default_rng(4)
    for level in (0.5, 0.8):
        held = []
        for _ in range(100):
            ratios = np.exp(random.normal(0, 0.3, 20))
            bounds = ratio_quantiles(made_up(ratios[:19, None]), [level]).squeeze()
            held.append(float(bounds["lower"]) <= ratios[19] <= float(bounds["upper"]))
        # 100 trials: three standard errors of a share of .8 are .12, of .5 .15
        assert abs(np.mean(held) - level) < 0.15


def test_coverage_is_judged_without_the_origin_in_question() -> None:
    ratios = np.ones((6, 20)) + np.linspace(-0.1, 0.1, 20)
    ratios[5] = 3.0  # one year in which everything went wrong
    coverage = backtest_coverage(made_up(ratios), 0.8)
    # the odd year against .9 … 1.1: none of 20 inside. Each other year against 80 ordinary ratios (every value four
    # times) and 20 odd ones: rank ⌊101 · .1⌋ = 10 is the third value, rank ⌈101 · .9⌉ = 91 is 3: 18 of 20 inside.
    assert coverage.item() == pytest.approx(100 * 5 * 18 / 120)
    assert coverage.attrs["units"] == "%"


def test_fan_chart_data_around_the_outlook() -> None:
    random = np.random.default_rng(6)
    data = activities(*(LINE * random.uniform(0.95, 1.05, (8, 20))))
    tested = backtest(data, horizons=[1, 5])
    result = outlook(data, window=(2010, 2019), years=[2020, 2024, 2030])
    fan = outlook_intervals(result, tested, [0.5, 0.8])
    assert fan["outlook_lower"].dims == ("model", "region", "activity", "outlook_year", "level")
    assert fan["outlook_lower"].attrs["units"] == "t / yr"
    near = fan.sel(outlook_year=[2020, 2024])
    width = near["outlook_upper"] - near["outlook_lower"]
    assert (width.sel(level=0.8) >= width.sel(level=0.5)).all()
    assert (near["outlook_lower"] > 0).all()
    assert fan.sel(outlook_year=2030)["outlook_lower"].isnull().all()  # eleven years ahead was not backtested


# ---- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_length": 20}, r"E821.*2000–2019.*at least 21 years"),
        ({"origins": [2003, 2010]}, r"E822.*2003.*2009–2018"),
        ({"combination": "best"}, r"E823.*'best'.*mean, median"),
        ({"models": ["linnear"]}, r"E803.*linear"),
    ],
)
def test_wrong_backtests_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(CobalanceError, match=message):
        backtest(activities(LINE), **change)  # type: ignore[arg-type]
