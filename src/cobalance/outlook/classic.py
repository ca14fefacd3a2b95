"""The classic automatic models, for comparison: ETS, Theta and ARIMA of statsforecast, which is not a dependency.

They are fitted series by series by that library, some thousands of times slower than the panel models, and choose their
own form from ten or twenty values. Named beside the others they give columns to compare with.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from cobalance.outlook.panel import APPLIES, Fit, Panel, declined, judged, on_equal_steps, screened
from cobalance.vocabulary.errors import refuse


@on_equal_steps
def auto_ets(panel: Panel) -> Fit:
    """Exponential smoothing, its form chosen by corrected AIC (Hyndman et al. 2002)."""
    return _automatic("AutoETS", panel)


@on_equal_steps
def auto_theta(panel: Panel) -> Fit:
    """The Theta method, its variant chosen by in-sample error (Assimakopoulos and Nikolopoulos 2000)."""
    return _automatic("AutoTheta", panel)


@on_equal_steps
def auto_arima(panel: Panel) -> Fit:
    """ARIMA, its orders chosen by corrected AIC (Hyndman and Khandakar 2008)."""
    return _automatic("AutoARIMA", panel)


def _automatic(name: str, panel: Panel) -> Fit:
    """The library's model on each applicable series; targets between two steps are refused (*unequal steps*)."""
    model = _library_model(name)
    reason = screened(panel)
    step = int(panel.years[1] - panel.years[0])
    steps, rest = np.divmod(panel.targets - panel.years[-1], step)
    reason = declined(reason, np.broadcast_to(rest.any(), reason.shape), "unequal steps")
    forecast = np.full((len(panel.targets), len(reason)), np.nan)
    for series in np.flatnonzero(reason == APPLIES):
        # the library divides by what it fits and complains of constant series: its answers are judged, not its warnings
        path = model.forecast(y=panel.values[:, series].copy(), h=int(steps.max()))["mean"]
        forecast[:, series] = path[steps - 1]
    forecast, reason = judged(panel, forecast, reason)
    return Fit(forecast, reason)


def _library_model(name: str) -> Any:
    try:
        models = importlib.import_module("statsforecast.models")
    except ImportError as error:
        raise refuse("E831", model=name) from error
    return getattr(models, name)(season_length=1)
