"""How far such forecasts have missed before: rolling origins over the observed years, beside two baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr

from cobalance.outlook.combination import COMBINATIONS, NEED_ERRORS
from cobalance.outlook.ensemble import ENSEMBLE, outlook
from cobalance.outlook.models import BASELINES, PAPER
from cobalance.vocabulary.errors import Problems

POOLED = ("origin", "region")


def backtest(
    activity: xr.DataArray,
    *,
    window_length: int = 10,
    horizons: Sequence[int] = range(1, 11),
    models: Sequence[str] = PAPER,
    combination: Literal["mean", "median"] = "mean",
    origins: Sequence[int] | None = None,
) -> xr.Dataset:
    """What the models would have forecast at each past year, and what then happened.

    activity       (region, activity, year)  any unit
    window_length  years that each model is fitted on, as the outlook's window is
    horizons       years ahead
    origins        last years of the windows; None for every year with a full window before and a year after it
    returns        a Dataset: ``forecast`` (model, region, activity, origin, horizon) and ``observed`` (region,
                   activity, origin, horizon) in the activity's unit, ``yearly_change`` (region, activity, origin): the
                   mean absolute change from one observed year to the next within the window

    ``model`` holds the models, their ``ensemble``, and the baselines ``last_value`` and ``mean_growth``. Each horizon
    is a forecast of its own: a model that would fail ten years ahead still counts one year ahead. Nothing after an
    origin is seen by the models. Raises E821–E823 and the refusals of :func:`~cobalance.outlook.ensemble.outlook`.
    """
    chosen = _origins(activity, window_length, horizons, origins, combination)
    both = [model for model in BASELINES if model not in models]
    forecasts, observations, changes = [], [], []
    for origin in chosen:
        window = (origin - window_length + 1, origin)
        ahead = [origin + horizon for horizon in horizons]
        apart = []
        for year in ahead:
            own = outlook(activity, window=window, years=[year], models=models, combination=combination)["outlook"]
            parts = [own]
            if both:
                plain = outlook(activity, window=window, years=[year], models=both)["outlook"]
                parts.append(plain.sel(model=both))
            apart.append(xr.concat(parts, "model", join="exact", coords="minimal", compat="override"))
        joined = xr.concat(apart, "outlook_year", join="exact", coords="minimal", compat="override")
        forecasts.append(_by_horizon(joined, "outlook_year", horizons))
        observations.append(_by_horizon(activity.reindex(year=ahead), "year", horizons))
        inside = activity.sortby("year").sel(year=slice(*window))
        changes.append(abs(inside.diff("year")).mean("year"))
    along = xr.DataArray(list(chosen), dims="origin", name="origin")
    return xr.Dataset(
        {
            "forecast": _joined(forecasts, along, "horizon"),
            "observed": _joined(observations, along, "horizon"),
            "yearly_change": _joined(changes, along),
        }
    ).assign_attrs(window_length=window_length, combination=combination)


def backtest_scores(result: xr.Dataset, *, common: bool = True) -> xr.Dataset:
    """Error measures by model, activity and horizon, pooled over regions and origins.

    result   of :func:`backtest`
    common   score only the cells in which every model gave a forecast: the fair comparison, since a model that declines
             the hard series would else look better than one that dares
    returns  a Dataset over (model, activity, horizon):

        mape         mean |f − y| / y · 100            %, over cells with y > 0
        median_ape   median of the same                %
        mase         mean |f − y| / yearly_change      1, below 1: better than one year's usual change
        bias         Σ (f − y) / Σ y · 100             %, positive where too much was forecast
        count        cells that were scored            1
    """
    forecast, observed = result["forecast"], result["observed"]
    scored = forecast.notnull() & observed.notnull()
    if common:
        scored = scored.all("model") & xr.ones_like(scored)
    pooled = [dim for dim in POOLED if dim in forecast.dims]
    error = (forecast - observed).where(scored)
    share = abs(error) / observed.where(observed > 0) * 100
    relative = abs(error) / result["yearly_change"].where(result["yearly_change"] > 0)
    total = observed.where(scored).sum(pooled)
    scores = xr.Dataset(
        {
            "mape": share.mean(pooled).assign_attrs(units="%"),
            "median_ape": share.median(pooled).assign_attrs(units="%"),
            "mase": relative.mean(pooled).assign_attrs(units="1"),
            "bias": (error.sum(pooled) / total.where(total > 0) * 100).assign_attrs(units="%"),
            "count": scored.sum(pooled).assign_attrs(units="1"),
        }
    )
    return scores.transpose("model", "activity", "horizon", ...)


def backtest_errors(result: xr.Dataset, horizons: Sequence[int] | None = None) -> xr.DataArray:
    """Mean absolute error of each model on each series, for the combinations ``inverse error`` and ``best``.

    result    of :func:`backtest`
    horizons  the horizons to judge by; None for all
    returns   (model, region, activity) in the activity's unit; NaN where a model never gave a forecast

    Only cells in which some observation exists count; a model is judged on the cells where it gave a forecast.
    """
    chosen = result if horizons is None else result.sel(horizon=list(horizons))
    error: xr.DataArray = abs(chosen["forecast"] - chosen["observed"]).mean(["origin", "horizon"])
    return error.rename("backtest_error").assign_attrs(units=result["forecast"].attrs.get("units", "1"))


def best_models(scores: xr.Dataset, measure: str = "mape") -> xr.DataArray:
    """The model with the smallest error by activity and horizon, as its name; "" where nothing was scored."""
    error = scores[measure]
    known = error.notnull().any("model")
    best = error.fillna(np.inf).idxmin("model")
    return best.where(known, "").rename("best_model").drop_attrs()


def backtest_notices(scores: xr.Dataset) -> Problems:
    """One notice (W821) for each activity whose ensemble has lost to the last value at the longest scored horizon.

    By the median error: a mean of percentages is ruled by the regions where an activity all but vanishes.
    """
    notices = Problems()
    for name in scores["activity"].values:
        error = scores["median_ape"].sel(activity=name).dropna("horizon", how="any")
        if error.sizes["horizon"] == 0:
            continue
        last = error.isel(horizon=-1)
        own, naive = float(last.sel(model=ENSEMBLE)), float(last.sel(model="last_value"))
        if own > naive:
            notices.add(
                "W821",
                activity=str(name),
                horizon=int(last["horizon"]),
                ensemble=f"{own:.1f}",
                last_value=f"{naive:.1f}",
            )
    return notices


def _origins(
    activity: xr.DataArray, window_length: int, horizons: Sequence[int], origins: Sequence[int] | None, combination: str
) -> list[int]:
    years = sorted(int(year) for year in activity["year"].values)
    possible = [year for year in years if year - window_length + 1 >= years[0] and year + min(horizons) <= years[-1]]
    problems = Problems()
    if combination in NEED_ERRORS:
        # such weights come from a backtest: to use them inside it would let it see what it is judged by
        allowed = [name for name in COMBINATIONS if name not in NEED_ERRORS]
        problems.add("E823", combination=combination, expected=allowed)
    if origins is None and not possible:
        problems.add(
            "E821", years=f"{years[0]}–{years[-1]}", window=window_length, needed=window_length + min(horizons)
        )
    if wrong := [origin for origin in origins or [] if origin not in possible]:
        first_last = f"{possible[0]}–{possible[-1]}" if possible else "—"
        problems.add("E822", found=wrong, window=window_length, possible=first_last)
    problems.raise_errors()
    return possible if origins is None else list(origins)


def _by_horizon(values: xr.DataArray, dim: str, horizons: Sequence[int]) -> xr.DataArray:
    return values.rename({dim: "horizon"}).assign_coords(horizon=list(horizons))


def _joined(parts: list[xr.DataArray], along: xr.DataArray, *last: str) -> xr.DataArray:
    joined = xr.concat(parts, along, join="exact", coords="minimal", compat="override")
    return joined.transpose(..., "origin", *last)
