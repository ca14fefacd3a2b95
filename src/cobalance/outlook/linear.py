"""Least squares on the year."""

from __future__ import annotations

import numpy as np

from cobalance.outlook.panel import Fit, Panel, judged, screened, where_applied


def linear(panel: Panel) -> Fit:
    """Straight line through the observed years, of each series.

        x(t) = m + g · (t − t̄),   g = Σ (t − t̄)(x − m) / Σ (t − t̄)²

    Years that are missing are left out of the sums; four must be there. Diagnostics: ``slope`` (unit a year),
    ``r_squared`` (1 for a constant series, which the line fits exactly), ``residual_autocorrelation`` (lag one, over
    neighbouring observed years).
    """
    present = panel.present
    complete = bool(present.all())
    count = present.sum(axis=0)
    weight = 1.0 if complete else present.astype(float)
    values = panel.values if complete else np.where(present, panel.values, 0.0)
    year = panel.years[:, None].astype(float)
    mean_year = (weight * year).sum(axis=0) / count
    mean = values.sum(axis=0) / count
    offset = weight * (year - mean_year)
    slope = (offset * (values - mean)).sum(axis=0) / (offset * offset).sum(axis=0)
    forecast = mean + slope * (panel.targets[:, None] - mean_year)
    forecast, reason = judged(panel, forecast, screened(panel))

    residual = weight * (values - mean) - slope * offset
    left = (residual * residual).sum(axis=0)
    total = (weight * (values - mean) ** 2).sum(axis=0)
    diagnostics = {
        "slope": slope,
        "r_squared": np.where(total > 0, 1.0 - left / total, 1.0),
        "residual_autocorrelation": (residual[1:] * residual[:-1]).sum(axis=0) / left,
    }
    return Fit(forecast, reason, where_applied(reason, diagnostics))
