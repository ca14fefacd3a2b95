"""Tails, corrections for many tests, and the words of quadrants and clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cobalance.vocabulary.errors import nearest, refuse

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Tail = Literal["directed", "two-sided", "greater", "less"]
Correction = Literal["bh", "by", "bonferroni"]

TAILS: tuple[Tail, ...] = ("directed", "two-sided", "greater", "less")
CORRECTIONS = ("bh", "by", "bonferroni")

HIGH_HIGH, LOW_LOW, LOW_HIGH, HIGH_LOW = "high-high", "low-low", "low-high", "high-low"
NOT_SIGNIFICANT, ISOLATED, UNDEFINED = "not significant", "isolated", "undefined"
CLUSTERS = (HIGH_HIGH, LOW_LOW, LOW_HIGH, HIGH_LOW, NOT_SIGNIFICANT, ISOLATED, UNDEFINED)

# quadrant codes inside: 0 undefined, 1 isolated, 2 … 5 the quadrants
_QUADRANT_WORDS = np.array([UNDEFINED, ISOLATED, LOW_LOW, LOW_HIGH, HIGH_LOW, HIGH_HIGH], dtype=object)
UNDEFINED_CODE, ISOLATED_CODE, QUADRANT_CODE = 0, 1, 2


def check_tail(tail: str, valid: Sequence[str] = TAILS) -> None:
    if tail not in valid:
        raise refuse("E709", option=tail, valid=nearest(tail, valid))


def tail_probability(greater: Floats, less: Floats, tail: str) -> Floats:
    """p of the named tail from the two one-sided probabilities, each counting values equal to the observed.

    ``greater``, ``less``; ``two-sided``: twice the smaller, at most 1; ``directed``: the smaller of the two, chosen by
    the data, which is what GeoDa and PySAL print. It is half of the two-sided p and not a 5 % test at 0.05.
    """
    if tail == "greater":
        return greater
    if tail == "less":
        return less
    smaller = np.minimum(greater, less)
    return smaller if tail == "directed" else np.minimum(2.0 * smaller, 1.0)


def normal_tail(z: Floats) -> Floats:
    """P(Z >= z) of a standard normal variable; accurate far out in the tail."""
    return np.array([0.5 * math.erfc(value / math.sqrt(2.0)) for value in z.tolist()], dtype=float)


def quadrant_codes(z: Floats, lag: Floats) -> NDArray[np.int8]:
    """Quadrant of the Moran scatter plot: high is above the mean, everything else low (as esda and GeoDa)."""
    return (QUADRANT_CODE + 2 * (z > 0) + (lag > 0)).astype(np.int8)


def quadrant_words(codes: NDArray[np.int8]) -> NDArray[Any]:
    return _QUADRANT_WORDS[codes]


def cluster_words(codes: NDArray[np.int8], p: Floats, alpha: float) -> NDArray[Any]:
    """Words of design: the quadrant where p <= alpha, else *not significant*; isolates and undefined keep theirs."""
    words = quadrant_words(codes)
    insignificant = (codes >= QUADRANT_CODE) & ~(p <= alpha)
    words[insignificant] = NOT_SIGNIFICANT
    return words


def adjusted(p: Floats, correction: str | None) -> Floats:
    """Adjusted p of one family; NaN is no test and does not count.

    ``bh`` Benjamini and Hochberg 1995, ``by`` Benjamini and Yekutieli 2001 (any dependence), ``bonferroni``.
    """
    if correction is None:
        return p
    if correction not in CORRECTIONS:
        raise refuse("E709", option=correction, valid=nearest(correction, CORRECTIONS))
    result = np.full(p.shape, np.nan)
    valid = ~np.isnan(p)
    tests = p[valid]
    m = len(tests)
    if m == 0:
        return result
    if correction == "bonferroni":
        result[valid] = np.minimum(tests * m, 1.0)
        return result
    order = np.argsort(tests, kind="stable")
    factor = m / np.arange(1, m + 1)
    if correction == "by":
        factor = factor * (1.0 / np.arange(1, m + 1)).sum()
    stepped = np.minimum.accumulate((tests[order] * factor)[::-1])[::-1]
    back = np.empty(m)
    back[order] = np.minimum(stepped, 1.0)
    result[valid] = back
    return result


def adjusted_over(p: xr.DataArray, correction: str | None, family: str | Sequence[str]) -> xr.DataArray:
    """Adjusted p where a family is one map (``map``), everything (``all``), or the regions and the dims named."""
    if correction is None:
        return p
    rest = [str(dim) for dim in p.dims if dim != "region"]
    joined = {"map": [], "all": rest}.get(family) if isinstance(family, str) else list(family)
    if joined is None or not set(joined) <= set(rest):
        raise refuse("E709", option=family, valid=["map", "all", *rest])
    within = ["region", *joined]
    outside = [dim for dim in rest if dim not in within]
    ordered = p.transpose(*outside, *within)
    size = int(np.prod([p.sizes[dim] for dim in within]))
    families = ordered.values.reshape(-1, size)
    found = np.stack([adjusted(one, correction) for one in families]) if len(families) else families
    return ordered.copy(data=found.reshape(ordered.shape)).transpose(*p.dims)
