"""The outlook of every activity of every region: the models, and their combination."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from cobalance.outlook.combination import COMBINATIONS, NEED_ERRORS, Combination, combined, participants
from cobalance.outlook.models import ALL_MODELS, PAPER
from cobalance.outlook.panel import APPLIES, Fit, Floats, Panel, fit_model, words
from cobalance.vocabulary.errors import Problems, nearest

ENSEMBLE = "ensemble"


def outlook(
    activity: xr.DataArray,
    *,
    window: tuple[int, int],
    years: Sequence[int],
    models: Sequence[str] = PAPER,
    combination: Combination = "mean",
    errors: xr.DataArray | None = None,
) -> xr.Dataset:
    """Each activity extrapolated from its last years by several models, and the models combined.

    activity     (region, activity, year[, draw])  any unit; ``attrs["units"]``, or a template as ``{activity_unit}``
    window       first and last year to fit on; years of it that ``activity`` lacks or holds as NaN are missing, and
                 each model decides: linear and growth work on any four, GM(1,1) on four or more at equal steps
    years        calendar years to forecast, after the window
    combination  ``mean`` (the published method), ``median``, ``inverse error``, ``best``
    errors       (model, region, activity)  backtest errors, used by the last two (see ``backtest_errors``)
    returns      a Dataset:

    ============================  =======================================  ==========================================
    ``outlook``                   model, region, activity, outlook_year    the activity's unit; NaN where inapplicable
    ``outlook_reason``            model, region, activity                  "" or why the model does not apply
    ``outlook_weight``            model, region, activity                  share in the ensemble (0: took no part)
    ``participants``              region, activity                         names of the models that took part
    ``observations``              region, activity                         observed years in the window
    ``MODEL_DIAGNOSTIC``          region, activity                         as each model's docstring names them
    ============================  =======================================  ==========================================

    ``attrs`` give the window, the first and last year that the input has in it, and the combination.
    The model ``ensemble`` stands last on ``model``. A ``draw`` dimension comes last on every variable. A series whose
    observed years are all zero is forecast as zero with the reason *always zero*: a rule, not a fit.

    Raises E801–E808 and E203, all that apply at once.
    """
    _refuse_wrong(activity, window, years, models, combination, errors)
    panel, shape = _panel(activity, window, years)
    fits = {name: fit_model(ALL_MODELS[name], panel) for name in models}
    forecast = np.stack([fit.forecast for fit in fits.values()])
    reason = np.stack([fit.reason for fit in fits.values()])
    known = None
    if errors is not None and combination in NEED_ERRORS:
        known = _series_errors(errors, activity, models)
    value, outcome, weight = combined(combination, forecast, reason, known)

    dims, coords = _series_dims(activity), _coords(activity, years, models)
    draw = [dim for dim in dims if dim == "draw"]
    plain = [dim for dim in dims if dim != "draw"]
    everything = np.concatenate([forecast, value[None]]).reshape(len(models) + 1, len(panel.targets), *shape)
    by_model = ["model", *dims]
    variables: dict[str, Any] = {
        "outlook": xr.DataArray(everything, dims=["model", "outlook_year", *dims]).transpose(
            "model", *plain, "outlook_year", *draw
        ),
        "outlook_reason": (by_model, words(np.concatenate([reason, outcome[None]])).reshape(-1, *shape)),
        "outlook_weight": (by_model, np.concatenate([weight, (outcome == APPLIES)[None]]).reshape(-1, *shape)),
        "participants": (dims, participants(tuple(models), weight > 0).reshape(shape)),
        "observations": (dims, panel.present.sum(axis=0).reshape(shape)),
        **_diagnostics(fits, dims, shape),
    }
    result = xr.Dataset(variables, coords)
    result["outlook"].attrs["units"] = activity.attrs["units"]
    result["outlook_weight"].attrs["units"] = "1"
    result.attrs.update(
        window_first=int(window[0]),
        window_last=int(window[1]),
        first_year=int(panel.years[0]),
        last_year=int(panel.years[-1]),
        combination=combination,
    )
    return result


def _panel(activity: xr.DataArray, window: tuple[int, int], years: Sequence[int]) -> tuple[Panel, tuple[int, ...]]:
    """The window of the activity as a panel, and the shape of its series."""
    ordered = activity.transpose("year", *_series_dims(activity)).sortby("year")
    inside = ordered.sel(year=slice(*window))
    values = np.asarray(inside.values, dtype=float)
    panel = Panel(inside["year"].values.astype(np.int64), values.reshape(len(values), -1), np.asarray(years, np.int64))
    return panel, values.shape[1:]


def _series_dims(activity: xr.DataArray) -> list[str]:
    """All dimensions but the year, ``draw`` last."""
    dims = [str(dim) for dim in activity.dims if dim != "year"]
    return sorted(dims, key=lambda dim: dim == "draw")


def _coords(activity: xr.DataArray, years: Sequence[int], models: Sequence[str]) -> dict[str, Any]:
    kept = {str(name): coord for name, coord in activity.coords.items() if "year" not in coord.dims}
    return {**kept, "model": [*models, ENSEMBLE], "outlook_year": np.asarray(years, np.int64)}


def _series_errors(errors: xr.DataArray, activity: xr.DataArray, models: Sequence[str]) -> Floats:
    """Backtest errors as (model, series), in the order of the models and of the panel's series."""
    dims = _series_dims(activity)
    example = activity.isel(year=0, drop=True)
    labels = {str(dim): example[dim].values for dim in errors.dims if dim in example.indexes}
    spread = errors.sel({"model": list(models), **labels}).broadcast_like(example)
    return spread.transpose("model", *dims).values.reshape(len(models), -1)


def _diagnostics(fits: dict[str, Fit], dims: list[str], shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        f"{model}_{name}": (dims, values.reshape(shape))
        for model, fit in fits.items()
        for name, values in fit.diagnostics.items()
    }


def _refuse_wrong(
    activity: xr.DataArray,
    window: tuple[int, int],
    years: Sequence[int],
    models: Sequence[str],
    combination: str,
    errors: xr.DataArray | None,
) -> None:
    problems = Problems()
    if "units" not in activity.attrs:
        problems.add("E805")
    if "year" not in activity.dims:
        problems.add("E806", found=", ".join(map(str, activity.dims)))
    elif not ((activity["year"] >= window[0]) & (activity["year"] <= window[1])).any():
        at_hand = sorted(int(year) for year in activity["year"].values)
        problems.add("E801", first=window[0], last=window[1], years=f"{at_hand[0]}–{at_hand[-1]}")
    early = [int(year) for year in years if year <= window[1]]
    if early or not len(years):
        problems.add("E802", found=early or "—", last=window[1])
    for name in [name for name in models if name not in ALL_MODELS]:
        problems.add("E803", found=name, nearest=nearest(name, ALL_MODELS))
    if not models or len(set(models)) < len(models):
        problems.add("E808", found=list(models))
    if combination not in COMBINATIONS:
        problems.add("E804", found=combination, expected=list(COMBINATIONS))
    if combination in NEED_ERRORS:
        lacking = list(models) if errors is None else [m for m in models if m not in errors["model"].values]
        if lacking:
            problems.add("E807", combination=combination, missing=lacking)
    if errors is not None and combination in NEED_ERRORS:
        _find_missing_errors(problems, activity, errors)
    problems.raise_errors()


def _find_missing_errors(problems: Problems, activity: xr.DataArray, errors: xr.DataArray) -> None:
    for dim in errors.dims:
        if dim in activity.indexes and len(
            missing := activity.indexes[dim].difference(errors.indexes[dim], sort=False)
        ):
            labels = [repr(str(label)) for label in missing]
            problems.add("E203", argument="outlook(errors)", dim=dim, missing=labels, other="outlook(activity)")
