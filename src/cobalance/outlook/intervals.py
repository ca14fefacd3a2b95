"""Prediction intervals from what the backtest saw (split conformal, multiplicative).

The ratios observed / forecast of past forecasts, pooled over regions and origins for each model, activity and horizon,
say how far off the next one may be: their quantiles times the forecast bound it. Nothing is assumed of their shape;
they are assumed exchangeable between regions and origins, which overlapping windows only roughly are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from cobalance.outlook.backtest import POOLED
from cobalance.outlook.panel import Floats

LEVELS = (0.5, 0.8, 0.95)


def outlook_intervals(result: xr.Dataset, tested: xr.Dataset, levels: Sequence[float] = LEVELS) -> xr.Dataset:
    """Lower and upper bound of each forecast at each level: the data of a fan chart.

    result   of :func:`~cobalance.outlook.ensemble.outlook`
    tested   of :func:`~cobalance.outlook.backtest.backtest`, with the same models
    levels   shares of outcomes that the interval is to hold
    returns  ``outlook_lower``, ``outlook_upper`` (model, region, activity, outlook_year, level) in the activity's unit;
             NaN where the horizon was not backtested or too few errors are known for the level

        [f · q_{α/2}(y/f),  f · q_{1−α/2}(y/f)],   α = 1 − level

    The quantiles are order statistics ⌊(n+1) α/2⌋ and ⌈(n+1)(1−α/2)⌉ of the n ratios, so that a new exchangeable ratio
    lies inside with at least the stated probability (Vovk et al. 2005; Lei et al. 2018,
    doi 10.1080/01621459.2017.1307116).
    """
    models = [name for name in result["model"].values if name in tested["model"].values]
    bounds = ratio_quantiles(tested.sel(model=models), levels)
    ahead = result["outlook_year"] - result.attrs["last_year"]
    bounds = bounds.reindex(horizon=ahead.values).rename(horizon="outlook_year")
    bounds = bounds.assign_coords(outlook_year=result["outlook_year"].values)
    value = result["outlook"].sel(model=models)
    made = {f"outlook_{side}": value * bounds[side] for side in ("lower", "upper")}
    attrs = {"units": result["outlook"].attrs.get("units", "1")}
    dims = [*value.dims, "level"]
    return xr.Dataset({name: array.transpose(*dims).assign_attrs(attrs) for name, array in made.items()})


def ratio_quantiles(tested: xr.Dataset, levels: Sequence[float] = LEVELS) -> xr.Dataset:
    """``lower`` and ``upper`` quantile of observed / forecast, (model, activity, horizon, level), unit 1."""
    ratio = tested["observed"] / tested["forecast"].where(tested["forecast"] > 0)
    pooled = [dim for dim in POOLED if dim in ratio.dims]
    kept = [str(dim) for dim in ratio.dims if dim not in pooled]
    stacked = ratio.transpose(*kept, *pooled).values.reshape(*(ratio.sizes[dim] for dim in kept), -1)
    ordered = np.sort(stacked, axis=-1)
    count = np.isfinite(stacked).sum(axis=-1)
    sides: dict[str, list[Floats]] = {"lower": [], "upper": []}
    for level in levels:
        tail = (1.0 - level) / 2.0
        # a hair against (n + 1) α/2 coming out as 0.9999…
        sides["lower"].append(_order_statistic(ordered, count, np.floor((count + 1) * tail + 1e-9)))
        sides["upper"].append(_order_statistic(ordered, count, np.ceil((count + 1) * (1.0 - tail) - 1e-9)))
    coords = {dim: ratio[dim].values for dim in kept} | {"level": list(levels)}
    return xr.Dataset({side: ([*kept, "level"], np.stack(values, axis=-1)) for side, values in sides.items()}, coords)


def backtest_coverage(tested: xr.Dataset, level: float = 0.8) -> xr.DataArray:
    """How often outcomes fell inside intervals made without them: each origin against all other origins.

    tested   of :func:`~cobalance.outlook.backtest.backtest`, at least two origins
    returns  (model, activity, horizon)  %, to be held against ``level``; NaN where no interval could be made
    """
    inside = []
    for origin in tested["origin"].values:
        bounds = ratio_quantiles(tested.sel(origin=tested["origin"] != origin), [level]).isel(level=0, drop=True)
        here = tested.sel(origin=[origin])
        forecast, observed = here["forecast"], here["observed"]
        known = forecast.notnull() & observed.notnull() & bounds["lower"].notnull() & bounds["upper"].notnull()
        held = (observed >= forecast * bounds["lower"]) & (observed <= forecast * bounds["upper"])
        inside.append(held.where(known))
    pooled = [dim for dim in POOLED if dim in inside[0].dims]
    joined = xr.concat(inside, "origin", join="exact")
    coverage = joined.mean(pooled) * 100
    return coverage.transpose("model", "activity", "horizon", ...).rename("coverage").assign_attrs(units="%")


def _order_statistic(ordered: Floats, count: np.ndarray, rank: Floats) -> Floats:
    """The ``rank``-th smallest (from 1) along the last axis; NaN where there is no such rank."""
    position = np.clip(rank - 1, 0, ordered.shape[-1] - 1).astype(int)
    value = np.take_along_axis(ordered, position[..., None], axis=-1)[..., 0]
    return np.where((rank >= 1) & (rank <= count), value, np.nan)
