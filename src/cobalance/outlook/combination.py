"""Several forecasts of one series made into one, with who took part."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cobalance.outlook.panel import ALWAYS_ZERO, APPLIES, Codes, Floats, code

Combination = Literal["mean", "median", "inverse error", "best"]
COMBINATIONS: tuple[str, ...] = get_args(Combination)
NEED_ERRORS = ("inverse error", "best")
SMALLEST_ERROR = 1e-12


def combination_weights(kind: str, reason: Codes, errors: Floats | None) -> Floats:
    """How much each model counts in each series, (model, series); the weights of a series sum to 1 or are all 0.

    mean, median   1/m for each of the m models that apply (the median takes the middle of them instead of the sum)
    inverse error  proportional to 1/e, e the model's backtest error
    best           1 for the model with the smallest e (the first of equals)

    A model that does not apply, or whose error is not known where errors are asked for, counts 0.
    """
    applies = reason == APPLIES
    if errors is None:
        raw = applies.astype(float)
    else:
        known = applies & np.isfinite(errors)
        error = np.where(known, np.maximum(errors, SMALLEST_ERROR), np.inf)
        raw = np.where(known, 1.0 / error, 0.0)
        if kind == "best":
            smallest = np.arange(len(error))[:, None] == error.argmin(axis=0)
            raw = np.where(known & smallest, 1.0, 0.0)
    total = raw.sum(axis=0)
    weight: Floats = np.divide(raw, total, out=np.zeros_like(raw), where=total > 0)
    return weight


def combined(kind: str, forecast: Floats, reason: Codes, errors: Floats | None) -> tuple[Floats, Codes, Floats]:
    """Combined forecast (horizon, series), its reason (series) and the weights (model, series).

    forecast (model, horizon, series), reason and errors (model, series). A model that failed is never averaged in.
    Where none applies the forecast is NaN, with the models' common reason or *no model applies*.
    """
    weight = combination_weights(kind, reason, errors)
    took_part = weight > 0
    if kind == "median":
        value = _median(forecast, took_part)
    else:
        value = np.where(took_part[:, None], weight[:, None] * np.nan_to_num(forecast), 0.0).sum(axis=0)
    shared = np.where((reason == reason[0]).all(axis=0), reason[0], np.int8(code("no model applies")))
    without_error = (reason == APPLIES).any(axis=0) & ~took_part.any(axis=0)
    shared = np.where(without_error, np.int8(code("no backtest error")), shared)
    outcome = np.where(took_part.any(axis=0), np.int8(APPLIES), shared)
    value = np.where(outcome == APPLIES, value, np.where(outcome == ALWAYS_ZERO, 0.0, np.nan))
    return value, outcome, weight


def participants(names: tuple[str, ...], took_part: NDArray[np.bool_]) -> NDArray[np.object_]:
    """The models that took part in each series, as ``"linear, growth"``; (series)."""
    code_of_set = np.tensordot(1 << np.arange(len(names)), took_part.astype(np.int64), axes=1)
    every_set = range(1 << len(names))
    lists = [", ".join(name for bit, name in enumerate(names) if members >> bit & 1) for members in every_set]
    return np.array(lists, dtype=object)[code_of_set]


def _median(forecast: Floats, took_part: NDArray[np.bool_]) -> Floats:
    """Median over the models that took part, (horizon, series); whatever where none did."""
    ordered = np.sort(np.where(took_part[:, None], forecast, np.inf), axis=0)
    count = np.maximum(took_part.sum(axis=0), 1)
    middle = [np.take_along_axis(ordered, at[None, None], axis=0)[0] for at in ((count - 1) // 2, count // 2)]
    median: Floats = 0.5 * (middle[0] + middle[1])
    return median
