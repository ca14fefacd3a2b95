"""From a value and its bounds to a distribution: what stands at each probability.

Every kind is a quantile function, so that one uniform number moves all that share a cause, and a value without width
comes out as it went in, to the last bit.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from cobalance.vocabulary.errors import Problems, nearest

Floats = NDArray[np.float64]
Kind = Literal["triangular", "uniform", "normal", "lognormal"]
KINDS: tuple[str, ...] = get_args(Kind)
NORMAL_95 = float(ndtri(0.975))
_SMALLEST = 2.0**-53


def quantiles(kind: str, value: ArrayLike, low: ArrayLike, high: ArrayLike, probability: ArrayLike) -> Floats:
    """What a number is at each probability; the arguments broadcast, any one unit.

    triangular   between ``low`` and ``high``, which are never passed, most often near ``value``
    uniform      between ``low`` and ``high``, all alike (the spread of sets of which none is to be preferred)
    normal       median ``value``; ``low`` and ``high`` are the 2.5 and 97.5 % points, each side its own deviation
    lognormal    the same in logarithms, for positive numbers

    A bound that is missing (NaN) is the value: no scatter on that side. Raises E851 (unknown kind), E852
    (low ≤ value ≤ high does not hold), E853 (lognormal of a number that is not positive), all at once.
    """
    middle, below, above = _bounds(value, low, high)
    check_bounds(kind, middle, below, above)
    at = np.clip(np.asarray(probability, dtype=float), _SMALLEST, 1 - _SMALLEST)
    found: Floats
    if kind == "uniform":
        found = below + at * (above - below)
    elif kind == "triangular":
        found = _triangular(middle, below, above, at)
    elif kind == "normal":
        score = ndtri(at)
        found = middle + score * np.where(score < 0, middle - below, above - middle) / NORMAL_95
    else:
        score = ndtri(at)
        found = middle * np.exp(score * np.log(np.where(score < 0, middle / below, above / middle)) / NORMAL_95)
    return found


def check_bounds(kind: str, value: ArrayLike, low: ArrayLike, high: ArrayLike, place: Any = None) -> None:
    """Raise what :func:`quantiles` would."""
    middle, below, above = _bounds(value, low, high)
    problems = Problems()
    if kind not in KINDS:
        problems.add("E851", place, found=kind, expected=list(KINDS), nearest=nearest(kind, KINDS))
    for wrong in np.argwhere(np.atleast_1d((below > middle) | (middle > above))):
        found = [f"{float(np.atleast_1d(part)[tuple(wrong)]):g}" for part in (below, middle, above)]
        problems.add("E852", place, low=found[0], value=found[1], high=found[2])
    if kind == "lognormal" and bool((below <= 0).any()):
        problems.add("E853", place, found=f"{float(np.nanmin(below)):g}")
    problems.raise_errors()


def _bounds(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats, Floats]:
    middle, below, above = (np.asarray(part, dtype=float) for part in np.broadcast_arrays(value, low, high))
    return middle, np.where(np.isnan(below), middle, below), np.where(np.isnan(above), middle, above)


def _triangular(middle: Floats, below: Floats, above: Floats, at: Floats) -> Floats:
    width = above - below
    turn = np.divide(middle - below, width, out=np.zeros_like(width), where=width > 0)
    left = below + np.sqrt(at * width * (middle - below))
    right = above - np.sqrt((1 - at) * width * (above - middle))
    return np.where(at < turn, left, right)
