"""Many short yearly series at once: what a model is given, what it gives back, and why it may decline.

A panel holds its series side by side, years first: ``values[year, series]``. Sums over years then run over
contiguous memory, so that regions × activities × draws are fitted by a handful of array operations. A model is one
function ``Panel -> Fit``; :func:`fit_model` runs it in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]
Array = NDArray[Any]

REASONS = (
    "",
    "always zero",
    "no data",
    "too short",
    "missing years",
    "unequal steps",
    "zeros",
    "negative",
    "level ratios fail",
    "falls below zero",
    "exploding",
    "not identified",
    "no model applies",
    "no backtest error",
)
"""Why a model does not apply (``""``: it does). ``always zero`` is a rule, not a refusal: the forecast is zero."""

APPLIES, ALWAYS_ZERO = 0, 1
FEWEST_YEARS = 4
TENFOLD = 10.0
BLOCK = 8192


@dataclass(frozen=True)
class Panel:
    """Observed series and the years asked for.

    years    (year)          ascending calendar years, steps may differ
    values   (year, series)  any one unit a series; NaN where not observed
    targets  (horizon)       calendar years after the last of ``years``
    """

    years: NDArray[np.int64]
    values: Floats
    targets: NDArray[np.int64]

    @property
    def present(self) -> Flags:
        return np.isfinite(self.values)

    @property
    def equal_steps(self) -> bool:
        return np.unique(np.diff(self.years)).size <= 1

    @property
    def last_years(self) -> NDArray[np.int64]:
        """The last observed year of each series."""
        latest: NDArray[np.int64] = self.years[len(self.years) - 1 - self.present[::-1].argmax(axis=0)]
        return latest

    def part(self, series: slice) -> Panel:
        return Panel(self.years, self.values[:, series], self.targets)


@dataclass(frozen=True)
class Fit:
    """What a model makes of a panel.

    forecast     (horizon, series)  in the series' unit; NaN where the model does not apply
    reason       (series)           index into :data:`REASONS`
    diagnostics  name → (series)    numbers or words; NaN or "" where the model does not apply
    """

    forecast: Floats
    reason: Codes
    diagnostics: Mapping[str, Array] = field(default_factory=dict)


Model = Callable[[Panel], Fit]


def code(reason: str) -> int:
    """The index of a reason word."""
    return REASONS.index(reason)


def words(reason: Codes) -> NDArray[np.object_]:
    """Reason codes as words (objects: a word is stored once, however many series share it)."""
    return np.array(REASONS, dtype=object)[reason]


def declined(reason: Codes, where: Flags | np.bool_, word: str) -> Codes:
    """``reason`` with ``word`` entered where it holds and no earlier reason stands."""
    return np.where((reason == APPLIES) & where, np.int8(code(word)), reason)


def screened(panel: Panel) -> Codes:
    """Reasons that hold for every model: no data, too short (fewer than four years), negative, always zero."""
    count = panel.present.sum(axis=0)
    reason = np.zeros(panel.values.shape[1], np.int8)
    reason = declined(reason, count == 0, "no data")
    reason = declined(reason, count < FEWEST_YEARS, "too short")
    reason = declined(reason, (panel.values < 0).any(axis=0), "negative")
    return declined(reason, ~(panel.values > 0).any(axis=0), "always zero")


def judged(panel: Panel, forecast: Floats, reason: Codes) -> tuple[Floats, Codes]:
    """The forecast with what cannot stand taken out: not finite, below zero, exploding.

    *Exploding* is more than ten times the largest observed value within ten years of the last observed year, or more
    than tenfold a decade beyond. A model is judged over all the years asked for: it takes part in all of them or in
    none, so that a combined path has no kink where a member drops out.
    """
    with np.errstate(invalid="ignore"):
        decades = np.maximum(np.subtract.outer(panel.targets, panel.last_years) / 10.0, 1.0)
        largest = np.where(panel.present, panel.values, 0.0).max(axis=0)
        ceiling = TENFOLD**decades * largest
        reason = declined(reason, ~np.isfinite(forecast).all(axis=0), "not identified")
        reason = declined(reason, (forecast < 0).any(axis=0), "falls below zero")
        reason = declined(reason, (forecast > ceiling).any(axis=0), "exploding")
    held = np.where(reason == ALWAYS_ZERO, 0.0, np.nan)
    return np.where(reason == APPLIES, forecast, held), reason


def fit_model(model: Model, panel: Panel, block: int = BLOCK) -> Fit:
    """``model`` on every series of ``panel``, a block of series at a time (the block size changes no number)."""
    count = panel.values.shape[1]
    with np.errstate(all="ignore"):
        fits = [model(panel.part(slice(at, at + block))) for at in range(0, max(count, 1), block)]
    if len(fits) == 1:
        return fits[0]
    names = {name: values.dtype for fit in fits for name, values in fit.diagnostics.items()}
    return Fit(
        np.concatenate([fit.forecast for fit in fits], axis=1),
        np.concatenate([fit.reason for fit in fits]),
        {name: np.concatenate([_diagnostic(fit, name, dtype) for fit in fits]) for name, dtype in names.items()},
    )


def _diagnostic(fit: Fit, name: str, dtype: np.dtype[Any]) -> Array:
    """A diagnostic of a block; blank where no series of the block could be fitted at all."""
    if name in fit.diagnostics:
        return fit.diagnostics[name]
    return np.full(len(fit.reason), "" if dtype.kind == "U" else np.nan, dtype)


def where_applied(reason: Codes, diagnostics: Mapping[str, Array]) -> dict[str, Array]:
    """Diagnostics kept only where the model applies: NaN for numbers, "" for words elsewhere."""
    applies = reason == APPLIES
    return {
        name: np.where(applies, values, "" if values.dtype.kind == "U" else np.nan)
        for name, values in diagnostics.items()
    }


def first_and_last(panel: Panel) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64]]:
    """First and last observed value of each series, and their years."""
    present = panel.present
    first = present.argmax(axis=0)
    last = len(present) - 1 - present[::-1].argmax(axis=0)
    series = np.arange(present.shape[1])
    return panel.values[first, series], panel.values[last, series], panel.years[first], panel.years[last]


def on_equal_steps(model: Model) -> Model:
    """``model`` for series whose *observed* years stand at equal steps, at the ends of the window or every fifth year.

    Series are grouped by which years they have; a group with a hole inside gets the reason *missing years*, labels that
    are themselves uneven *unequal steps*. The model then sees complete panels of at least four years only.
    """

    @wraps(model)
    def fitted(panel: Panel) -> Fit:
        reason = screened(panel)
        if panel.equal_steps and panel.present.all() and len(panel.years) >= FEWEST_YEARS:
            return model(panel)
        patterns, which = np.unique(panel.present, axis=1, return_inverse=True)
        forecast = np.full((len(panel.targets), len(reason)), np.nan)
        diagnostics: dict[str, Array] = {}
        for number, pattern in enumerate(patterns.T):
            mine = which.ravel() == number
            part = Panel(panel.years[pattern], panel.values[pattern][:, mine], panel.targets)
            if pattern.sum() >= FEWEST_YEARS and part.equal_steps:
                fit = model(part)
                forecast[:, mine], reason[mine] = fit.forecast, fit.reason
                for name, values in fit.diagnostics.items():
                    blank = np.full(len(reason), "" if values.dtype.kind == "U" else np.nan, values.dtype)
                    diagnostics.setdefault(name, blank)[mine] = values
            else:
                word = "unequal steps" if pattern.all() else "missing years"
                reason[mine] = declined(reason[mine], np.ones(mine.sum(), bool), word)
        forecast[:, reason == ALWAYS_ZERO] = 0.0
        return Fit(forecast, reason, diagnostics)

    return fitted
