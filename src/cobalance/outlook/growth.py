"""Average yearly growth, plain and damped."""

from __future__ import annotations

import numpy as np

from cobalance.outlook.panel import (
    Codes,
    Fit,
    Floats,
    Panel,
    declined,
    first_and_last,
    judged,
    screened,
    where_applied,
)

DAMPING = 0.9


def growth(panel: Panel) -> Fit:
    """The last value carried on at the average yearly growth between the first and the last observed year.

        r = (x_last / x_first)^(1 / (t_last − t_first)) − 1,   x(t) = x_last · (1 + r)^(t − t_last)

    Only the two ends count; a zero at either end makes it inapplicable. Diagnostic: ``rate`` (per year).
    """
    last, rate, ahead, reason = _rate(panel)
    forecast, reason = judged(panel, last * (1.0 + rate) ** ahead, reason)
    return Fit(forecast, reason, where_applied(reason, {"rate": rate}))


def damped_growth(panel: Panel) -> Fit:
    """Average growth that fades: each further year adds ``DAMPING`` times the log growth of the year before.

        x(t) = x_last · (1 + r)^(d + d² + … + d^h),   h = t − t_last,  d = 0.9

    The exponent tends to d / (1 − d) = 9 years of growth (a damped multiplicative trend, Taylor 2003,
    doi 10.1016/S0169-2070(03)00003-7). Diagnostic: ``rate`` (per year, before damping).
    """
    last, rate, ahead, reason = _rate(panel)
    years_of_growth = DAMPING * (1.0 - DAMPING**ahead) / (1.0 - DAMPING)
    forecast, reason = judged(panel, last * (1.0 + rate) ** years_of_growth, reason)
    return Fit(forecast, reason, where_applied(reason, {"rate": rate}))


def _rate(panel: Panel) -> tuple[Floats, Floats, Floats, Codes]:
    """Last value, yearly rate, years ahead (horizon, series), reasons."""
    first, last, first_year, last_year = first_and_last(panel)
    reason = declined(screened(panel), (first == 0) | (last == 0), "zeros")
    rate = (last / first) ** (1.0 / (last_year - first_year)) - 1.0
    return last, rate, np.subtract.outer(panel.targets, last_year).astype(float), reason
