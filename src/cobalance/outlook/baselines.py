"""What a model has to beat: the last value, and the last value carried on by the mean yearly change."""

from __future__ import annotations

import numpy as np

from cobalance.outlook.panel import Fit, Panel, first_and_last, judged, screened, where_applied


def last_value(panel: Panel) -> Fit:
    """The last observed value, for ever.  x(t) = x_last"""
    _, last, _, _ = first_and_last(panel)
    forecast, reason = judged(panel, np.broadcast_to(last, (len(panel.targets), len(last))), screened(panel))
    return Fit(forecast, reason)


def mean_growth(panel: Panel) -> Fit:
    """The last observed value plus the mean yearly growth in absolute terms (a random walk with drift).

        x(t) = x_last + (t − t_last) · (x_last − x_first) / (t_last − t_first)

    Diagnostic: ``change`` (unit a year).
    """
    first, last, first_year, last_year = first_and_last(panel)
    change = (last - first) / (last_year - first_year)
    ahead = np.subtract.outer(panel.targets, last_year)
    forecast, reason = judged(panel, last + change * ahead, screened(panel))
    return Fit(forecast, reason, where_applied(reason, {"change": change}))
