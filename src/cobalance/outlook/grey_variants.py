"""Variants of the grey model: discrete, with an optimised background value, and rolling."""

from __future__ import annotations

import numpy as np

from cobalance.outlook.grey import (
    admissible_shift,
    grey_diagnostics,
    grey_parameters,
    grey_response,
    neighbour_mean,
    posterior_accuracy,
    steps_ahead,
)
from cobalance.outlook.panel import Codes, Fit, Floats, Panel, declined, judged, on_equal_steps, screened, where_applied


@on_equal_steps
def grey_discrete(panel: Panel) -> Fit:
    """DGM(1,1): the running sum as a recurrence, exact on any exponential.

        x¹(k+1) = β1 x¹(k) + β2  by least squares, k = 1 … n−1
        x̂⁰(k+1) = β1^{k−1} ((β1 − 1) x⁰(1) + β2)

    (Xie and Liu 2009, doi 10.1016/j.apm.2008.01.011.) There is no discretisation, so no level-ratio test and no shift;
    zeros inside the series are allowed. Diagnostics: ``beta_1``, ``beta_2``, ``posterior_ratio``,
    ``small_error_probability``.
    """
    values = panel.values
    total = np.cumsum(values, axis=0)
    before, after = total[:-1], total[1:]
    offset = before - before.mean(axis=0)
    slope = (offset * (after - after.mean(axis=0))).sum(axis=0) / (offset * offset).sum(axis=0)
    level = after.mean(axis=0) - slope * before.mean(axis=0)

    def response(steps: Floats) -> Floats:
        value: Floats = slope ** (steps[:, None] - 1.0) * ((slope - 1.0) * values[0] + level)
        return value

    reason = declined(screened(panel), values[0] == 0, "zeros")
    forecast, reason = judged(panel, response(steps_ahead(panel)), reason)
    fitted = np.concatenate([values[:1], response(np.arange(1.0, len(values)))])
    ratio, share = posterior_accuracy(values, fitted)
    diagnostics = {"beta_1": slope, "beta_2": level, "posterior_ratio": ratio, "small_error_probability": share}
    return Fit(forecast, reason, where_applied(reason, diagnostics))


@on_equal_steps
def grey_background(panel: Panel) -> Fit:
    """GM(1,1) with the background value that an exponential has, in place of the mean of neighbours.

        z(k) = x¹(k) + x⁰(k) · (1/c − 1/(1 − e^{−c})),   c = ln(x⁰(k) / x⁰(k−1))

    This is the integral of the running sum over the step when the series is exponential, so an exponential is recovered
    exactly; as c → 0 it tends to the mean. Level ratios and shift are as in GM(1,1), and so are the diagnostics.
    """
    shift, reason = admissible_shift(panel)
    values = panel.values + shift
    a, b = grey_parameters(values, exponential_background(values))
    forecast, reason = judged(panel, grey_response(values[0], a, b, steps_ahead(panel)) - shift, reason)
    return Fit(forecast, reason, where_applied(reason, grey_diagnostics(panel, shift, a, b)))


def exponential_background(values: Floats) -> Floats:
    """Background values z(k), k = 2 … n, exact for an exponential (year − 1, series)."""
    growth = np.log(values[1:] / values[:-1])
    near_zero = np.abs(growth) < 1e-3  # the two terms cancel there: their series is exact to 1e-13
    safe = np.where(near_zero, 1.0, growth)
    part = np.where(near_zero, -0.5 - growth / 12.0 + growth**3 / 720.0, 1.0 / safe + 1.0 / np.expm1(-safe))
    return np.cumsum(values, axis=0)[1:] + values[1:] * part


@on_equal_steps
def grey_rolling(panel: Panel) -> Fit:
    """Rolling (metabolic) GM(1,1): forecast one step, take it in, drop the oldest value, fit again.

    Every step has the parameters and the shift of its own window; a series that becomes inapplicable on the way is
    inapplicable. Targets between two steps are refused (*unequal steps*). Diagnostics: those of the first window.
    """
    shift, reason = admissible_shift(panel)
    values = panel.values + shift
    a, b = grey_parameters(values, neighbour_mean(values))
    diagnostics = grey_diagnostics(panel, shift, a, b)
    step = int(panel.years[1] - panel.years[0])
    wanted = -((panel.years[-1] - panel.targets) // step)  # whole steps that reach the target
    path = np.full((int(wanted.max()), len(reason)), np.nan)
    window = panel.values
    for ahead in range(len(path)):
        path[ahead], own = _next_value(window)
        reason = np.where(reason == 0, own, reason)
        window = np.concatenate([window[1:], path[ahead : ahead + 1]])
    uneven = ((panel.targets - panel.years[-1]) % step).any()
    reason = declined(reason, np.broadcast_to(uneven, reason.shape), "unequal steps")
    forecast, reason = judged(panel, path[wanted - 1], reason)
    return Fit(forecast, reason, where_applied(reason, diagnostics))


def _next_value(window: Floats) -> tuple[Floats, Codes]:
    """One GM(1,1) step beyond a window of values, and the reason where there is none."""
    steps = np.arange(len(window))
    panel = Panel(steps, window, steps[-1:] + 1)
    shift, reason = admissible_shift(panel)
    values = window + shift
    a, b = grey_parameters(values, neighbour_mean(values))
    forecast, reason = judged(panel, grey_response(values[0], a, b, steps_ahead(panel)) - shift, reason)
    return forecast[0], reason
