"""Which assumption moves the answer: Sobol' indices by group of assumptions, of all outputs at once.

Two independent designs A and B are run, and for each group a third one: A with the columns of that group from B
(pick-freeze: Sobol' 2001, doi 10.1016/S0378-4754(00)00270-6; Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018).
Groups, not single numbers, keep the count of runs at N · (groups + 2) and the answer readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cobalance.uncertainty.points import PickFreeze, Points, two_samples
from cobalance.vocabulary.errors import nearest, refuse

Floats = NDArray[np.float64]
FirstOrder = Literal["jansen", "saltelli"]
ESTIMATORS: tuple[str, ...] = get_args(FirstOrder)
Evaluate = Callable[[Points], Floats]
"""A design to the results of its draws, (draw, output)."""

FEWEST = 16
_NOTHING = 1e-26  # of the squared size of an output: variance below is rounding, not an answer that moves


@dataclass(frozen=True)
class Indices:
    """First-order and total indices with their bootstrap limits.

    first_order, first_order_low, first_order_high, total, total_low, total_high   (group, output), unit 1
    used   (output)  rows of the design in which every run gave a number

    NaN where an output does not vary or fewer than :data:`FEWEST` rows are of use.
    """

    groups: tuple[str, ...]
    first_order: Floats
    first_order_low: Floats
    first_order_high: Floats
    total: Floats
    total_low: Floats
    total_high: Floats
    used: NDArray[np.int64]


def sobol_indices(
    evaluate: Evaluate,
    group_of: Mapping[str, str],
    count: int,
    *,
    seed: int = 0,
    design: str = "sobol",
    estimator: str = "saltelli",
    resamples: int = 200,
    level: float = 0.95,
) -> Indices:
    """Run the designs and estimate: ``count`` · (groups + 2) draws.

    group_of   column of the design → its group; blocks (what each place has to itself) are columns too
    count      rows of each design; a power of two for Sobol' points
    returns    indices in the order in which groups first occur

    Raises E854, E855 (design), E856 (estimator).
    """
    groups = tuple(dict.fromkeys(group_of.values()))
    one, other = two_samples(count, seed, design, tuple(group_of))
    first, second = evaluate(one), evaluate(other)
    mixed = (evaluate(PickFreeze(one, other, group_of, (group,))) for group in groups)
    return indices(first, second, mixed, groups, estimator=estimator, resamples=resamples, level=level, seed=seed)


def indices(
    first: Floats,
    second: Floats,
    mixed: Iterable[Floats],
    groups: Sequence[str],
    *,
    estimator: str = "saltelli",
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Indices:
    """Indices from the results of the designs.

    first, second   (draw, output)  results of A and of B
    mixed           group by group (draw, output)  results of A with the group's columns from B; any iterable, each is
                    let go before the next is asked for
    resamples       bootstrap resamples of the rows, the same for all outputs

        total          T_g = E[(f_A − f_AB)²] / 2V                                     (Jansen 1999)
        first order    S_g = 1 − E[(f_B − f_AB)²] / 2V        ``jansen``               (Jansen 1999)
                       S_g = E[f_B (f_AB − f_A)] / V          ``saltelli``             (Saltelli et al. 2010)

    with V the variance of A and B together. ``saltelli`` is exact where a group does nothing, ``jansen`` where it does
    all; most groups do little. A row in which one of the three runs has no number (a balance that is
    undefined there) is left out of that output's and group's means.
    """
    if estimator not in ESTIMATORS:
        raise refuse("E856", found=estimator, expected=list(ESTIMATORS), nearest=nearest(estimator, ESTIMATORS))
    runs = _Runs(first, second, _weights(len(first), resamples, seed), estimator)
    tails = [(1 - level) / 2, (1 + level) / 2]
    columns: list[list[Floats]] = []
    used = np.full(first.shape[1], len(first))
    for run in mixed:
        first_order, total, known = runs.of_group(run)
        used = np.minimum(used, known)
        columns.append([part for values in (first_order, total) for part in (values[0], *_limits(values, tails))])
    stacked = [np.where(used < FEWEST, np.nan, np.stack(part)) for part in zip(*columns, strict=True)]
    first_order, low, high, total, total_low, total_high = stacked
    return Indices(tuple(groups), first_order, low, high, total, total_low, total_high, used)


class _Runs:
    """The two designs' results, held against one group's at a time."""

    def __init__(self, first: Floats, second: Floats, weights: Floats, estimator: str) -> None:
        self.first, self.second, self.weights, self.estimator = first, second, weights, estimator
        self.both_known = np.isfinite(first) & np.isfinite(second)
        self.centred = _Centred(self, self.both_known)

    def of_group(self, run: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """First-order and total index, (resample, output): all rows, then each resample; and rows used, (output)."""
        known = self.both_known & np.isfinite(run)
        if not np.array_equal(known, self.centred.known):  # mostly the same rows have numbers in every group
            self.centred = _Centred(self, known)
        centred = self.centred
        base, other, scale = centred.first, centred.second, centred.count * centred.variance
        mixed = np.where(known, run - centred.centre, 0.0)
        total = _ratio(self.weights @ (base - mixed) ** 2, 2 * scale)
        if self.estimator == "jansen":
            first_order = 1.0 - _ratio(self.weights @ (other - mixed) ** 2, 2 * scale)
        else:
            first_order = _ratio(self.weights @ (other * (mixed - base)), scale)
        return first_order, total, known.sum(axis=0)


class _Centred:
    """A and B less their mean over the rows ``known``, zero elsewhere; their variance in each resample."""

    def __init__(self, runs: _Runs, known: NDArray[np.bool_]) -> None:
        self.known = known
        self.count = runs.weights.sum(axis=1, keepdims=True) if known.all() else runs.weights @ known
        # centred first: the squares of a large mean would eat the digits of a small variance
        both = np.where(known, runs.first, 0.0) + np.where(known, runs.second, 0.0)
        self.centre = _ratio(both.sum(axis=0), 2.0 * known.sum(axis=0))
        self.first, self.second = (np.where(known, part - self.centre, 0.0) for part in (runs.first, runs.second))
        mean = _ratio(runs.weights @ (self.first + self.second), 2 * self.count)
        variance = _ratio(runs.weights @ (self.first**2 + self.second**2), 2 * self.count) - mean**2
        self.variance = np.where(variance > _NOTHING * self.centre**2, variance, np.nan)


def _weights(count: int, resamples: int, seed: int) -> Floats:
    """(1 + resamples, draw): all rows once, then how often each row is drawn with replacement."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0xB007,)))
    drawn = generator.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    return np.vstack([np.ones((1, count)), drawn])


def _limits(values: Floats, tails: Sequence[float]) -> Floats:
    """(2, output) percentiles over the resamples; NaN without any."""
    if len(values) < 2:
        return np.full((2, values.shape[1]), np.nan)
    found: Floats = np.quantile(values[1:], tails, axis=0)
    return found


def _ratio(above: Floats, below: Floats) -> Floats:
    """The ratio, NaN where the divisor is not positive."""
    result: Floats = np.divide(
        above, below, out=np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), np.nan), where=below > 0
    )
    return result
