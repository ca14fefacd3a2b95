"""Theil–Sen trend: the median of all slopes, which a few odd years cannot turn."""

from __future__ import annotations

import numpy as np

from cobalance.outlook.panel import Fit, Floats, Panel, judged, screened, where_applied


def theil_sen(panel: Panel) -> Fit:
    """Median slope over all pairs of observed years, through the median level.

        g = median_{i<j} (x_j − x_i) / (t_j − t_i),   x(t) = median(x − g t) + g t

    Up to 29 % of the years may be wrong without breaking it (Sen 1968, doi 10.1080/01621459.1968.10480934). Missing
    years are left out. Diagnostic: ``slope`` (unit a year).
    """
    year = panel.years.astype(float) - panel.years[0]
    early, late = np.triu_indices(len(year), 1)
    slopes = (panel.values[late] - panel.values[early]) / (year[late] - year[early])[:, None]
    slope = _median_of_present(slopes)
    level = _median_of_present(panel.values - slope * year[:, None])
    forecast, reason = judged(panel, level + slope * (panel.targets - panel.years[0])[:, None], screened(panel))
    return Fit(forecast, reason, where_applied(reason, {"slope": slope}))


def _median_of_present(values: Floats) -> Floats:
    """Median along the first axis without the NaN, which sort to the end; (series)."""
    ordered = np.sort(values, axis=0)
    count = np.maximum(np.isfinite(values).sum(axis=0), 1)
    middle = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in ((count - 1) // 2, count // 2)]
    median: Floats = 0.5 * (middle[0] + middle[1])
    return median
