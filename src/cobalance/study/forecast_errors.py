"""What past forecasts were off by at the horizons that a study needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import xarray as xr

from cobalance.outlook.backtest import backtest
from cobalance.outlook.ensemble import ENSEMBLE
from cobalance.study.prepare import Prepared
from cobalance.vocabulary.errors import CobalanceError

SHORTEST_WINDOW, FEWEST_ORIGINS = 5, 3
ERROR_GROWTH = 0.7
"""How forecast errors grow with the horizon: among nine activities of 51 US states the spread of log ratios rose from 3
to 11 years ahead by powers of 0.52 to 0.95, 0.70 in the middle (a random walk has 0.5, a wrong growth rate 1)."""


def forecast_ratios(prepared: Prepared, tested: xr.Dataset | None = None) -> xr.Dataset | None:
    """``ratio``: observed over forecast, ``weight``: the forecast, at the horizons that the study needs.

    Both are (activity, horizon, origin, region).

    ``horizon`` is labelled by calendar year. Where the series do not reach that far beyond a window, the errors of a
    shorter window at the longest horizon with :data:`FEWEST_ORIGINS` origins are scaled up (attribute
    ``tested_horizon``; W855 says so):

        log ratio(h) = (h / h₀)^0.7 · log ratio(h₀)

    None where even that cannot be had.
    """
    outlook = prepared.study.outlook
    assert outlook is not None and prepared.series is not None
    last = outlook.window[1]
    years = sorted({outlook.target, *([prepared.base_year] if prepared.base_year > last else [])})
    horizons = [year - last for year in years]
    if tested is None or not set(horizons) <= set(tested["horizon"].values.tolist()):
        tested = _tested(prepared, outlook.window[1] - outlook.window[0] + 1, horizons)
    ratio = None if tested is None else _ratio(tested, horizons)
    if ratio is None or not bool(ratio["ratio"].sel(horizon=horizons[-1]).notnull().any()):
        ratio = _scaled_ratio(prepared, horizons)
    return None if ratio is None else ratio.assign_coords(horizon=years)


def _scaled_ratio(prepared: Prepared, horizons: Sequence[int]) -> xr.Dataset | None:
    """Ratios at horizons that no past forecast has reached, from a shorter window and a shorter horizon."""
    assert prepared.series is not None
    count = prepared.series.sizes["year"]
    window = max(SHORTEST_WINDOW, count // 2)
    reach = count - window - FEWEST_ORIGINS + 1
    tested = _tested(prepared, window, [reach]) if reach > 0 else None
    if tested is None:
        return None
    found = _ratio(tested, [reach]).isel(horizon=0, drop=True)
    if not bool(found["ratio"].notnull().any()):
        return None
    powers = xr.DataArray([(horizon / reach) ** ERROR_GROWTH for horizon in horizons], {"horizon": list(horizons)})
    scaled = xr.Dataset({"ratio": found["ratio"] ** powers, "weight": found["weight"].expand_dims(horizon=horizons)})
    return scaled.assign_attrs(tested_horizon=reach)


def _tested(prepared: Prepared, window: int, horizons: Sequence[int]) -> xr.Dataset | None:
    outlook = prepared.study.outlook
    assert outlook is not None and prepared.series is not None
    how: Literal["mean", "median"] = "median" if outlook.combination == "median" else "mean"
    try:
        return backtest(
            prepared.series, window_length=window, horizons=horizons, models=outlook.models, combination=how
        )
    except CobalanceError:
        return None  # too short a series: the caller has another way, and says so


def _ratio(tested: xr.Dataset, horizons: Sequence[int]) -> xr.Dataset:
    own = tested.sel(model=ENSEMBLE, horizon=list(horizons), drop=True)
    weight = own["forecast"].where(own["forecast"] > 0)
    return xr.Dataset({"ratio": own["observed"] / weight, "weight": weight.where(own["observed"].notnull())})
