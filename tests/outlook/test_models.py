"""The three published models: worked numbers, laws, and when each declines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.outlook.grey import (
    accuracy_grade,
    admissible_shift,
    grey,
    grey_parameters,
    grey_response,
    horizon_class,
    neighbour_mean,
    posterior_accuracy,
)
from cobalance.outlook.growth import DAMPING, damped_growth, growth
from cobalance.outlook.linear import linear
from cobalance.outlook.models import MODELS
from cobalance.outlook.panel import Fit, Panel, fit_model, words

NOISE = [71.1, 72.4, 72.4, 72.1, 71.4, 72.0, 71.6]
DENG = [2.874, 3.278, 3.337, 3.390, 3.679]
NAN = math.nan


def panel(*series: list[float], first: int = 2011, targets: tuple[int, ...] = (2030,)) -> Panel:
    values = np.array(series, dtype=float).T
    return Panel(np.arange(first, first + len(values)), values, np.array(targets))


def reason(model: Callable[[Panel], Fit], series: list[float], targets: tuple[int, ...] = (2030,)) -> str:
    return str(words(fit_model(model, panel(series, targets=targets)).reason)[0])


def unshifted(series: list[float]) -> tuple[float, float]:
    """a and b of GM(1,1) without the level-ratio shift."""
    values = np.array(series, dtype=float)[:, None]
    a, b = grey_parameters(values, neighbour_mean(values))
    return float(a[0]), float(b[0])


# ---- GM(1,1)


def test_grey_noise_series_to_the_printed_digits() -> None:
    fit = fit_model(grey, panel(NOISE, first=1, targets=(8, 9)))
    assert round(fit.diagnostics["a"][0], 7) == 0.0023438
    assert round(fit.diagnostics["b"][0], 5) == 72.65727
    assert round(fit.diagnostics["posterior_ratio"][0], 4) == 0.4807
    assert round(fit.diagnostics["small_error_probability"][0], 3) == 0.857  # 6 of 7 years
    assert fit.diagnostics["grade"][0] == "pass"
    assert np.round(fit.forecast[:, 0], 4).tolist() == [71.3946, 71.2275]


def test_grey_deng_series_to_the_printed_digits() -> None:
    fit = fit_model(grey, panel(DENG, first=1, targets=(6,)))
    assert round(fit.diagnostics["a"][0], 4) == -0.0372
    assert math.floor(fit.diagnostics["b"][0] * 1e4) / 1e4 == 3.0653  # 3.06536…: printed cut, not rounded
    assert fit.diagnostics["horizon"][0] == "long"


def test_grey_parameters_by_hand() -> None:
    # x = 1 2 3 5, running sum 1 3 6 11, z = 2, 4.5, 8.5; means: z 5, x(2…4) 10/3
    # Σ(z − 5)(x − 10/3) = (−3)(−4/3) + (−.5)(−1/3) + 3.5 · 5/3 = 4 + 1/6 + 35/6 = 10
    # Σ(z − 5)² = 9 + .25 + 12.25 = 21.5   ⇒   a = −10/21.5,  b = 10/3 + 5a
    assert unshifted([1, 2, 3, 5]) == pytest.approx((-10 / 21.5, 10 / 3 - 50 / 21.5), rel=1e-14)


def test_level_ratios_outside_the_bounds_get_the_smallest_shift() -> None:
    # n = 4: bounds e^{±2/5} = 1.4918. 1 → 2 wants c = (2 − 1.4918)/.4918 = 1.0332, 2 → 3 nearly none,
    # 3 → 5 wants (5 + c)/(3 + c) = e^{.4}  ⇒  c = (5 − 3 · 1.4918)/.4918 = 1.0665, the largest
    series = [1.0, 2.0, 3.0, 5.0]
    fit = fit_model(grey, panel(series, targets=(2016,)))
    shift = (5 - 3 * math.exp(0.4)) / (math.exp(0.4) - 1)
    assert fit.diagnostics["shift"][0] == pytest.approx(shift, rel=1e-12)
    assert fit.diagnostics["level_ratio_low"][0] == pytest.approx(0.5)
    assert fit.diagnostics["level_ratio_high"][0] == pytest.approx(2 / 3)
    a, b = unshifted([value + shift for value in series])
    expected = (b - a * (1 + shift)) * (math.exp(a) - 1) / a * math.exp(-5 * a) - shift
    assert fit.forecast[0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("rate", "bias"), [(0.10, -0.0021), (0.20, -0.0120)])
def test_known_bias_of_the_unshifted_model_on_an_exponential(rate: float, bias: float) -> None:
    a, b = unshifted([(1 + rate) ** k for k in range(10)])
    assert -a == pytest.approx(2 * rate / (2 + rate), rel=1e-12)  # the trapezoid takes 2(q − 1)/(q + 1) for ln q
    ahead = grey_response(np.ones(1), np.array([a]), np.array([b]), np.array([19.0]))[0, 0]
    assert round(ahead / (1 + rate) ** 19 - 1, 4) == bias


def test_twenty_percent_growth_over_ten_years_is_just_beyond_the_level_ratio_bounds() -> None:
    fit = fit_model(grey, panel([1.2**k for k in range(10)]))
    bound = math.exp(2 / 11)
    assert bound < 1.2  # hence a small shift, which costs accuracy: −1.87 % instead of −1.20 %
    assert fit.diagnostics["shift"][0] == pytest.approx(1.2**8 * (1.2 - bound) / (bound - 1), rel=1e-9)
    assert round(fit.forecast[0, 0] / 1.2**19 - 1, 4) == -0.0187


def test_grey_on_five_year_steps_counts_in_steps() -> None:
    yearly = Panel(np.arange(1, 6), np.array(DENG)[:, None], np.array([6]))
    five = Panel(np.arange(1990, 2011, 5), np.array(DENG)[:, None], np.array([2015]))
    assert fit_model(grey, five).forecast == pytest.approx(fit_model(grey, yearly).forecast, rel=1e-14)


def test_posterior_ratio_and_small_error_probability_by_hand() -> None:
    # S1 = 1; errors ±.7, ±.1 with mean 0: S2 = √((2 · .49 + 2 · .01)/4) = .5; .1 < .6745 < .7: half are small
    values, error = np.array([0.0, 2.0, 0.0, 2.0]), np.array([0.7, -0.7, 0.1, -0.1])
    ratio, share = posterior_accuracy(values[:, None], (values - error)[:, None])
    assert ratio[0] == pytest.approx(0.5)
    assert share[0] == 0.5


@pytest.mark.parametrize(
    ("ratio", "share", "grade"),
    [(0.34, 0.96, "good"), (0.34, 0.95, "pass"), (0.49, 0.81, "pass"), (0.5, 1.0, "marginal"), (0.65, 1.0, "fail")],
)
def test_accuracy_grade_takes_the_worse_of_the_two(ratio: float, share: float, grade: str) -> None:
    assert accuracy_grade(np.array([ratio]), np.array([share])).tolist() == [grade]


def test_horizon_class_hangs_on_minus_a() -> None:
    a = np.array([0.1, -0.3, -0.31, -0.5, -0.9, -1.1])
    expected = ["long", "long", "short only", "short only", "very short only", "unsuitable"]
    assert horizon_class(a).tolist() == expected


# ---- linear and growth


def test_linear_by_hand() -> None:
    # 2011 … 2014: 10, 12, 13, 17; mean 13, slope = (−1.5·−3 + −.5·−1 + .5·0 + 1.5·4)/5 = 11/5
    # residuals .3, .1, −1.1, .7: Σe² = 1.8, Σ(x − 13)² = 26; Σ e e₋₁ = .03 − .11 − .77 = −.85
    fit = fit_model(linear, panel([10, 12, 13, 17], targets=(2020,)))
    assert fit.diagnostics["slope"][0] == pytest.approx(2.2)
    assert fit.forecast[0, 0] == pytest.approx(13 + 2.2 * 7.5)
    assert fit.diagnostics["r_squared"][0] == pytest.approx(1 - 1.8 / 26)
    assert fit.diagnostics["residual_autocorrelation"][0] == pytest.approx(-0.85 / 1.8)


def test_growth_by_hand() -> None:
    # 100 → 133.1 in three years: 10 % a year; six years on: 133.1 · 1.1⁶
    fit = fit_model(growth, panel([100, 105, 130, 133.1], targets=(2020,)))
    assert fit.diagnostics["rate"][0] == pytest.approx(0.1)
    assert fit.forecast[0, 0] == pytest.approx(133.1 * 1.1**6)


def test_damped_growth_by_hand() -> None:
    fit = fit_model(damped_growth, panel([100, 105, 130, 133.1], targets=(2016,)))
    assert fit.forecast[0, 0] == pytest.approx(133.1 * 1.1 ** (DAMPING + DAMPING**2))


def test_linear_and_growth_work_around_missing_years() -> None:
    holed = panel([10.0, NAN, 14.0, 16.0, NAN, 20.0], targets=(2020,))
    assert fit_model(linear, holed).forecast[0, 0] == pytest.approx(10 + 2 * 9)
    assert fit_model(growth, holed).forecast[0, 0] == pytest.approx(20 * 2 ** (4 / 5))
    late = panel([NAN, 10.0, 14.0, 16.0, 20.0, NAN], targets=(2020,))
    assert fit_model(growth, late).forecast[0, 0] == pytest.approx(20 * 2 ** (5 / 3))  # from 2015, the last observed


# ---- laws


@settings(deadline=None, max_examples=60)
@given(
    first=st.floats(1e-3, 1e6),
    rate=st.floats(-0.1, 0.15),
    years=st.integers(5, 12),
    ahead=st.integers(1, 10),
)
def test_an_exponential_is_recovered(first: float, rate: float, years: int, ahead: int) -> None:
    series = [first * (1 + rate) ** k for k in range(years)]
    given_panel = panel(series, targets=(2010 + years + ahead,))
    truth = first * (1 + rate) ** (years - 1 + ahead)
    assert fit_model(growth, given_panel).forecast[0, 0] == pytest.approx(truth, rel=1e-8)
    grey_fit = fit_model(grey, given_panel)
    # discretisation: 2(q − 1)/(q + 1) stands for ln q, off by ln(q)³/12 a step, over at most 22 steps
    allowed = abs(math.log1p(rate)) ** 3 / 12 * (years + ahead) + abs(rate) ** 2 / 6 + 1e-9
    if grey_fit.diagnostics["shift"][0] == 0:
        assert grey_fit.forecast[0, 0] == pytest.approx(truth, rel=allowed)


@settings(deadline=None, max_examples=60)
@given(level=st.floats(1e-3, 1e9), slope=st.floats(0, 0.2), ahead=st.integers(1, 20))
def test_a_line_is_recovered(level: float, slope: float, ahead: int) -> None:
    series = [level * (1 + slope * k) for k in range(10)]
    fit = fit_model(linear, panel(series, targets=(2020 + ahead,)))
    assert fit.forecast[0, 0] == pytest.approx(level * (1 + slope * (9 + ahead)), rel=1e-9)


positive = st.lists(st.floats(1.0, 10.0), min_size=8, max_size=8)


@pytest.mark.parametrize("name", list(MODELS))
@settings(deadline=None, max_examples=60)
@given(series=positive, scale=st.sampled_from([1e-6, 0.37, 1e4]))
def test_the_unit_changes_nothing(name: str, series: list[float], scale: float) -> None:
    targets = (2019, 2025)
    one = fit_model(MODELS[name], panel(series, targets=targets))
    other = fit_model(MODELS[name], panel([scale * value for value in series], targets=targets))
    if words(one.reason)[0] == words(other.reason)[0] == "":
        assert other.forecast == pytest.approx(scale * one.forecast, rel=1e-6)


@pytest.mark.parametrize("name", list(MODELS))
@settings(deadline=None, max_examples=60)
@given(series=positive)
def test_a_forecast_is_never_negative_and_never_silent(name: str, series: list[float]) -> None:
    fit = fit_model(MODELS[name], panel(series, targets=(2019, 2050)))
    word = words(fit.reason)[0]
    assert np.isnan(fit.forecast).all() if word else (fit.forecast >= 0).all()


@pytest.mark.parametrize("name", list(MODELS))
def test_a_panel_equals_its_series_one_by_one_in_any_block(name: str) -> None:
    random = np.random.default_rng(5)
    values = random.uniform(0.5, 1.5, (10, 40)) * np.linspace(1, 2, 10)[:, None] ** random.uniform(-2, 2, 40)
    values[random.integers(0, 10, 12), np.arange(12)] = NAN
    values[:, 12], values[3, 13], values[5, 14], values[2:, 15] = 0.0, 0.0, -1.0, NAN
    whole = Panel(np.arange(2011, 2021), values, np.array([2021, 2030]))
    together = fit_model(MODELS[name], whole, block=7)
    for number in range(values.shape[1]):
        alone = fit_model(MODELS[name], whole.part(slice(number, number + 1)))
        assert together.reason[number] == alone.reason[0]
        assert together.forecast[:, number] == pytest.approx(alone.forecast[:, 0], rel=1e-12, nan_ok=True)


def loop_twin(series: list[float], ahead: int) -> dict[str, float]:
    """The three models written as plainly as the textbook has them, one series, no arrays."""
    n = len(series)
    mean_t, mean_x = (n + 1) / 2, sum(series) / n
    slope = sum((t - mean_t) * (x - mean_x) for t, x in enumerate(series, 1))
    slope /= sum((t - mean_t) ** 2 for t in range(1, n + 1))
    rate = (series[-1] / series[0]) ** (1 / (n - 1)) - 1
    total = [sum(series[: k + 1]) for k in range(n)]
    z = [(total[k] + total[k - 1]) / 2 for k in range(1, n)]
    matrix = np.array([[-value, 1.0] for value in z])
    a, b = np.linalg.lstsq(matrix, np.array(series[1:]), rcond=None)[0]
    summed = [(series[0] - b / a) * math.exp(-a * k) + b / a for k in (n + ahead - 1, n + ahead - 2)]
    return {
        "linear": mean_x + slope * (n + ahead - mean_t),
        "growth": series[-1] * (1 + rate) ** ahead,
        "grey": summed[0] - summed[1],
    }


def test_the_panel_form_equals_a_plain_loop_to_1e_12() -> None:
    random = np.random.default_rng(11)
    # level ratios stay within the bounds, so the twin needs no shift; growth apart from 0 keeps b/a well-conditioned
    rates = random.uniform(0.03, 0.08, 50)
    values = np.exp(np.outer(np.arange(10), rates)) * random.uniform(0.97, 1.03, (10, 50))
    whole = Panel(np.arange(2011, 2021), values, np.array([2030]))
    for name in ("linear", "growth", "grey"):
        fit = fit_model(MODELS[name], whole)
        assert not fit.reason.any()
        twin = [loop_twin(values[:, number].tolist(), 10)[name] for number in range(50)]
        assert fit.forecast[0] == pytest.approx(twin, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(series=positive)
def test_the_shift_is_enough_and_not_more(series: list[float]) -> None:
    given_panel = panel(series)
    bound = math.exp(2 / (len(series) + 1))
    shift = float(admissible_shift(given_panel)[0][0])
    moved = [value + shift for value in series]
    widest = max(max(one / two, two / one) for one, two in itertools.pairwise(moved))
    assert widest <= bound * (1 + 1e-9)
    if shift > 0:
        assert widest == pytest.approx(bound, rel=1e-9)


# ---- when a model declines


@pytest.mark.parametrize(
    ("series", "word"),
    [
        ([NAN] * 10, "no data"),
        ([NAN] * 7 + [1.0, 2.0, 3.0], "too short"),
        ([1.0, 2.0, 3.0], "too short"),
        ([1.0, 2.0, -3.0, 4.0, 5.0], "negative"),
        ([0.0] * 10, "always zero"),
        ([0.0] * 9 + [NAN], "always zero"),
    ],
)
@pytest.mark.parametrize("name", list(MODELS))
def test_reasons_that_all_models_share(name: str, series: list[float], word: str) -> None:
    assert reason(MODELS[name], series) == word


@pytest.mark.parametrize("name", list(MODELS))
def test_always_zero_is_forecast_as_zero_even_around_a_hole(name: str) -> None:
    fit = fit_model(MODELS[name], panel([0.0] * 10, [0.0, 0.0, NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    assert fit.forecast.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("model", "series", "word"),
    [
        (grey, [1.0, 2.0, 0.0, 2.0, 1.0], "zeros"),
        (grey, [1.0, 1.1, NAN, 1.2, 1.3, 1.4], "missing years"),
        (grey, [NAN, 1.0, 1.1, 1.2, 1.3, 1.4], ""),  # a hole at the end leaves equal steps
        (grey, [1.0, NAN, 1.1, NAN, 1.2, NAN, 1.3], ""),
        (grey, [1.0, 1.0, 1.0, 1.0, 1.0, 200.0], "level ratios fail"),
        (growth, [0.0, 1.0, 2.0, 3.0], "zeros"),
        (growth, [3.0, 2.0, 1.0, 0.0], "zeros"),
        (growth, [3.0, 0.0, 1.0, 2.0], ""),
        (growth, [1.0, 1.5, 2.2, 3.3], "exploding"),
        (linear, [4.0, 3.0, 2.0, 1.0], "falls below zero"),
        (linear, [0.0, 1.0, 0.0, 2.0], ""),
    ],
)
def test_reasons_of_each_model(model: Callable[[Panel], Fit], series: list[float], word: str) -> None:
    assert reason(model, series) == word


def test_uneven_labels_are_unequal_steps() -> None:
    uneven = Panel(np.array([2000, 2005, 2010, 2015, 2021]), np.full((5, 1), 3.0), np.array([2030]))
    assert words(fit_model(grey, uneven).reason).tolist() == ["unequal steps"]
    assert fit_model(linear, uneven).forecast[0, 0] == pytest.approx(3.0)


def test_a_constant_series_stays_constant() -> None:
    for name in MODELS:
        assert fit_model(MODELS[name], panel([3.0] * 10)).forecast[0, 0] == pytest.approx(3.0)
    fit = fit_model(grey, panel([3.0] * 10))
    assert fit.diagnostics["posterior_ratio"][0] == 0
    assert fit.diagnostics["grade"][0] == "good"
    assert fit_model(linear, panel([3.0] * 10)).diagnostics["r_squared"][0] == 1


def test_exploding_is_tenfold_in_ten_years_and_tenfold_a_decade_beyond() -> None:
    quarter = [1.25**k for k in range(10)]  # 1.25¹⁰ = 9.3
    assert reason(growth, quarter, (2030,)) == ""
    assert reason(growth, quarter, (2050,)) == ""
    faster = [1.27**k for k in range(10)]  # 1.27¹⁰ = 10.9
    assert reason(growth, faster, (2030,)) == "exploding"
    assert reason(growth, faster, (2025,)) == ""


def test_a_model_is_judged_over_all_years_asked_for() -> None:
    fit = fit_model(linear, panel([40.0, 39.0, 38.0, 37.0], targets=(2015, 2060)))
    assert words(fit.reason).tolist() == ["falls below zero"]
    assert np.isnan(fit.forecast).all()


def test_diagnostics_are_blank_where_a_model_declines() -> None:
    fit = fit_model(grey, panel([1.0, 2.0, 0.0, 2.0, 1.0], [1.0, 1.1, 1.2, 1.3, 1.4]))
    assert np.isnan(fit.diagnostics["a"]).tolist() == [True, False]
    assert fit.diagnostics["grade"].tolist() == ["", "good"]
