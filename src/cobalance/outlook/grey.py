"""The grey model GM(1,1) (Deng 1982, doi 10.1016/S0167-6911(82)80025-X)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cobalance.outlook.panel import (
    Array,
    Codes,
    Fit,
    Floats,
    Panel,
    declined,
    judged,
    on_equal_steps,
    screened,
    where_applied,
)

LARGEST_SHIFT = 10.0
GRADES = ("good", "pass", "marginal", "fail")
HORIZONS = ("long", "short only", "very short only", "unsuitable")


@on_equal_steps
def grey(panel: Panel) -> Fit:
    """GM(1,1): an exponential fitted to the running sum.

        x¹ = cumsum x⁰,   z(k) = (x¹(k) + x¹(k−1)) / 2,   x⁰(k) = −a z(k) + b  by least squares, k = 2 … n
        x̂¹(k+1) = (x⁰(1) − b/a) e^{−ak} + b/a,            x̂⁰(k+1) = x̂¹(k+1) − x̂¹(k)

    The observed years must stand at equal steps without a hole. Where a level ratio x⁰(k−1)/x⁰(k) leaves
    (e^{−2/(n+1)}, e^{2/(n+1)}), the smallest constant that brings all ratios to the bounds is added and taken off the
    forecast; more than ten times the series' mean is refused (*level ratios fail*): little of the series would be left.
    Diagnostics: ``a``, ``b`` (of the shifted series), ``shift``, ``level_ratio_low``, ``level_ratio_high`` (before the
    shift), ``posterior_ratio`` C, ``small_error_probability`` P, ``grade`` (of C and P), ``horizon`` (of −a).
    """
    shift, reason = admissible_shift(panel)
    values = panel.values + shift
    a, b = grey_parameters(values, neighbour_mean(values))
    forecast, reason = judged(panel, grey_response(values[0], a, b, steps_ahead(panel)) - shift, reason)
    return Fit(forecast, reason, where_applied(reason, grey_diagnostics(panel, shift, a, b)))


def admissible_shift(panel: Panel) -> tuple[Floats, Codes]:
    """The constant to add to each series so that its level ratios are admissible, and why it cannot be.

    With q = e^{2/(n+1)}, a pair of neighbours is admissible when max + c ≤ q · (min + c), so the smallest shift is the
    largest (max − q · min) / (q − 1) over the pairs, and zero where that is negative.
    """
    values = panel.values
    reason = declined(screened(panel), (values == 0).any(axis=0), "zeros")
    bound = np.exp(2.0 / (len(values) + 1))
    larger, smaller = np.maximum(values[1:], values[:-1]), np.minimum(values[1:], values[:-1])
    shift = np.maximum((larger - bound * smaller).max(axis=0) / (bound - 1.0), 0.0)
    return shift, declined(reason, shift > LARGEST_SHIFT * values.mean(axis=0), "level ratios fail")


def neighbour_mean(values: Floats) -> Floats:
    """Background values z(k), k = 2 … n: means of neighbouring running sums (year − 1, series)."""
    total = np.cumsum(values, axis=0)
    return 0.5 * (total[1:] + total[:-1])


def grey_parameters(values: Floats, background: Floats) -> tuple[Floats, Floats]:
    """Development coefficient a and grey input b by least squares of x⁰(k) = −a z(k) + b; each (series)."""
    level = values[1:]
    mean_level, mean_background = level.mean(axis=0), background.mean(axis=0)
    offset = background - mean_background
    a = -(offset * (level - mean_level)).sum(axis=0) / (offset * offset).sum(axis=0)
    return a, mean_level + a * mean_background


def grey_response(first: Floats, a: Floats, b: Floats, steps: Floats) -> Floats:
    """x̂⁰(k+1) for k = ``steps`` (steps, series); steps count from the first value.

    x̂⁰(k+1) = (b − a x⁰(1)) · (e^a − 1)/a · e^{−ak},   which stays finite as a → 0
    """
    spread = np.where(a == 0, 1.0, np.expm1(a) / a)
    response: Floats = (b - a * first) * spread * np.exp(-a * steps[:, None])
    return response


def steps_ahead(panel: Panel) -> Floats:
    """Steps from the first year to each target; fractions of a step interpolate on the fitted exponential."""
    steps: Floats = (panel.targets - panel.years[0]) / float(panel.years[1] - panel.years[0])
    return steps


def fitted_values(values: Floats, a: Floats, b: Floats) -> Floats:
    """Values that the model gives back for the observed years (year, series); the first is the observed one."""
    later = grey_response(values[0], a, b, np.arange(1.0, len(values)))
    return np.concatenate([values[:1], later])


def grey_diagnostics(panel: Panel, shift: Floats, a: Floats, b: Floats) -> dict[str, Array]:
    """Parameters, level ratios and accuracy of a grey fit, by name (see :func:`grey`)."""
    values = panel.values + shift
    ratio, share = posterior_accuracy(values, fitted_values(values, a, b))
    level_ratio = panel.values[:-1] / panel.values[1:]
    return {
        "a": a,
        "b": b,
        "shift": shift,
        "level_ratio_low": level_ratio.min(axis=0),
        "level_ratio_high": level_ratio.max(axis=0),
        "posterior_ratio": ratio,
        "small_error_probability": share,
        "grade": accuracy_grade(ratio, share),
        "horizon": horizon_class(a),
    }


def posterior_accuracy(values: Floats, fitted: Floats) -> tuple[Floats, Floats]:
    """Posterior ratio C = S2 / S1 and small-error probability P = share of |e − ē| < 0.6745 S1, over all n years.

    S1 and S2 are the standard deviations of the series and of the errors. A constant series has C = 0, P = 1.
    """
    error = values - fitted
    spread, error_spread = values.std(axis=0), error.std(axis=0)
    small = np.abs(error - error.mean(axis=0)) < 0.6745 * spread
    constant = spread == 0
    return np.where(constant, 0.0, error_spread / spread), np.where(constant, 1.0, small.mean(axis=0))


def accuracy_grade(ratio: Floats, share: Floats) -> NDArray[np.str_]:
    """Grade by C and P together: good (< .35, > .95), pass (< .50, > .80), marginal (< .65, > .70), else fail."""
    steps = [(ratio < c) & (share > p) for c, p in ((0.35, 0.95), (0.50, 0.80), (0.65, 0.70))]
    return np.select(steps, GRADES[:3], GRADES[3])


def horizon_class(a: Floats) -> NDArray[np.str_]:
    """For how far −a lets one forecast: ≤ .3 long, ≤ .5 short only, ≤ 1 very short only, above it unsuitable."""
    return np.select([-a <= 0.3, -a <= 0.5, -a <= 1.0], HORIZONS[:3], HORIZONS[3])
