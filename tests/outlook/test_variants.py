"""Variants and baselines: exactness where it is claimed, and peers as oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from cobalance.outlook.baselines import last_value, mean_growth
from cobalance.outlook.grey import grey, grey_parameters, grey_response, neighbour_mean
from cobalance.outlook.grey_variants import exponential_background, grey_background, grey_discrete, grey_rolling
from cobalance.outlook.linear import linear
from cobalance.outlook.panel import Panel, fit_model, words
from cobalance.outlook.theil_sen import theil_sen

NOISE = [71.1, 72.4, 72.4, 72.1, 71.4, 72.0, 71.6]


def panel(series: list[float], *ahead: int) -> Panel:
    years = np.arange(1, len(series) + 1)
    return Panel(years, np.array(series, dtype=float)[:, None], len(series) + np.array(ahead or (1,)))


def exponential(first: float, rate: float, years: int) -> list[float]:
    return [first * (1 + rate) ** k for k in range(years)]


@settings(deadline=None, max_examples=60)
@given(first=st.floats(0.01, 1e6), rate=st.floats(-0.3, 0.25), years=st.integers(4, 12), ahead=st.integers(1, 8))
def test_the_discrete_model_is_exact_on_exponentials(first: float, rate: float, years: int, ahead: int) -> None:
    fit = fit_model(grey_discrete, panel(exponential(first, rate, years), ahead))
    assert fit.forecast[0, 0] == pytest.approx(first * (1 + rate) ** (years - 1 + ahead), rel=1e-6)
    assert fit.diagnostics["beta_1"][0] == pytest.approx(1 + rate, rel=1e-8)


@settings(deadline=None, max_examples=60)
@given(first=st.floats(0.01, 1e6), rate=st.floats(-0.15, 0.18), years=st.integers(5, 10), ahead=st.integers(1, 8))
def test_the_background_of_an_exponential_makes_the_grey_model_exact(
    first: float, rate: float, years: int, ahead: int
) -> None:
    fit = fit_model(grey_background, panel(exponential(first, rate, years), ahead))
    assert fit.diagnostics["shift"][0] == 0
    assert fit.forecast[0, 0] == pytest.approx(first * (1 + rate) ** (years - 1 + ahead), rel=1e-6)
    assert -fit.diagnostics["a"][0] == pytest.approx(math.log1p(rate), rel=1e-6, abs=1e-9)


def test_the_background_value_by_hand() -> None:
    # 1, 2: c = ln 2; running sum at the second 3; z = 3 + 2 (1/ln 2 − 1/(1 − 1/2)) = 3 + 2 (1.442695 − 2)
    assert exponential_background(np.array([[1.0], [2.0]]))[0, 0] == pytest.approx(3 + 2 * (1 / math.log(2) - 2))


def test_the_background_value_is_smooth_where_growth_vanishes() -> None:
    for growth in (0.0, 1e-9, 0.99e-3, 1.01e-3):
        pair = np.array([[1.0], [math.exp(growth)]])
        truth = 1.0 if growth == 0 else math.expm1(growth) / growth  # ∫ of e^{ct} over the step, x¹ being e^{ct}/c …
        shape = exponential_background(pair)[0, 0]
        total = 1 / -math.expm1(-growth) if growth else math.inf  # the running sum from −∞ at the first year
        expected = 1.5 if growth == 0 else (truth * total - total) + 1.0
        assert shape == pytest.approx(expected, rel=2e-7)


def test_the_discrete_model_by_hand() -> None:
    # 1 2 3 5: x¹ 1 3 6 11; regress (3 6 11) on (1 3 6): means 10/3 and 20/3
    # Σ = (−7/3)(−11/3) + (−1/3)(−2/3) + (8/3)(13/3) = (77 + 2 + 104)/9 = 183/9; Σ² = (49 + 1 + 64)/9 = 114/9
    slope = 183 / 114
    level = 20 / 3 - slope * 10 / 3
    fit = fit_model(grey_discrete, panel([1, 2, 3, 5], 1))
    assert fit.diagnostics["beta_1"][0] == pytest.approx(slope)
    assert fit.diagnostics["beta_2"][0] == pytest.approx(level)
    assert fit.forecast[0, 0] == pytest.approx(slope**3 * ((slope - 1) * 1 + level))


def test_rolling_starts_as_grey_and_then_takes_its_own_forecast_in() -> None:
    plain = fit_model(grey, panel(NOISE, 1)).forecast[0, 0]
    rolled = fit_model(grey_rolling, panel(NOISE, 1, 2)).forecast[:, 0]
    assert rolled[0] == pytest.approx(plain, rel=1e-13)
    again = fit_model(grey, panel([*NOISE[1:], plain], 1)).forecast[0, 0]
    assert rolled[1] == pytest.approx(again, rel=1e-13)


def test_rolling_refuses_a_target_between_two_steps() -> None:
    five = Panel(np.arange(1995, 2016, 5), np.array([3.0, 3.1, 3.2, 3.3, 3.4])[:, None], np.array([2018]))
    assert words(fit_model(grey_rolling, five).reason).tolist() == ["unequal steps"]
    assert words(fit_model(grey, five).reason).tolist() == [""]


@settings(deadline=None, max_examples=60)
@given(series=st.lists(st.floats(1.0, 100.0), min_size=4, max_size=11))
def test_theil_sen_equals_scipy(series: list[float]) -> None:
    slope = theilslopes(series, np.arange(1, len(series) + 1)).slope
    fit = fit_model(theil_sen, panel(series, 1))
    if not fit.reason[0]:
        assert fit.diagnostics["slope"][0] == pytest.approx(slope, abs=1e-9)


def test_theil_sen_is_not_turned_by_one_odd_year() -> None:
    straight = [10.0, 11, 12, 13, 14, 15, 16, 17]
    odd = [10.0, 11, 12, 99, 14, 15, 16, 17]
    assert fit_model(theil_sen, panel(odd, 3)).forecast[0, 0] == pytest.approx(20.0)
    assert fit_model(linear, panel(straight, 3)).forecast[0, 0] == pytest.approx(20.0)
    assert fit_model(linear, panel(odd, 3)).forecast[0, 0] > 21


def test_theil_sen_leaves_missing_years_out() -> None:
    fit = fit_model(theil_sen, panel([10.0, math.nan, 12, 13, math.nan, 15], 4))
    assert fit.forecast[0, 0] == pytest.approx(19.0)


def test_baselines_by_hand() -> None:
    series = [10.0, 14.0, 11.0, 16.0]
    assert fit_model(last_value, panel(series, 1, 9)).forecast[:, 0].tolist() == [16.0, 16.0]
    assert fit_model(mean_growth, panel(series, 1, 9)).forecast[:, 0] == pytest.approx([18.0, 34.0])  # +2 a year


def test_greytheory_gives_the_same_unshifted_grey_model() -> None:
    greytheory = pytest.importorskip("greytheory")
    random = np.random.default_rng(8)
    for series in random.uniform(1.0, 3.0, (20, 8)):
        peer = greytheory.GM11().fit(series.tolist())
        values = series[:, None]
        a, b = grey_parameters(values, neighbour_mean(values))
        assert [a[0], b[0]] == pytest.approx(peer.coefficients_, rel=1e-9)
        ours = grey_response(values[0], a, b, np.array([8.0, 9.0, 10.0]))[:, 0]
        assert ours == pytest.approx(peer.predict(3), rel=1e-9)


def test_statsmodels_gives_the_same_line_and_r_squared() -> None:
    ols = pytest.importorskip("statsmodels.regression.linear_model")
    random = np.random.default_rng(9)
    for series in random.uniform(1.0, 3.0, (20, 8)):
        design = np.column_stack([np.ones(8), np.arange(1, 9)])
        peer = ols.OLS(series, design).fit()
        fit = fit_model(linear, panel(series.tolist(), 1))
        assert fit.diagnostics["slope"][0] == pytest.approx(peer.params[1], rel=1e-9, abs=1e-12)
        assert fit.diagnostics["r_squared"][0] == pytest.approx(peer.rsquared, rel=1e-9, abs=1e-12)
        assert fit.forecast[0, 0] == pytest.approx(peer.predict([[1, 9]])[0], rel=1e-9)
