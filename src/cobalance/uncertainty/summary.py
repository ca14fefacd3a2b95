"""What draws say of a number, a rank, a class or a place: intervals, probabilities, stability.

Draws in which a number is undefined (a balance whose land is a net source there) are left out and counted: every
summary stands beside the share of draws in which there was a number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]

BOUNDS = ("p05", "median", "p95")
PROBABILITIES = (0.05, 0.5, 0.95)
_CELLS = 1 << 21  # quantiles are taken a block of cells at a time: sorting needs a copy


def interval(data: xr.DataArray, probabilities: Sequence[float] = PROBABILITIES) -> xr.DataArray:
    """Quantiles over the draws, (…, bound); NaN where there is no draw with a number.

    data     (…, draw)   any unit
    returns  (…, bound)  in that unit; ``bound`` is ``p05``, ``median``, ``p95``

    Straight lines between order statistics; where all draws are one number it comes out as it is.
    """
    labels = list(BOUNDS) if tuple(probabilities) == PROBABILITIES else [f"{share:g}" for share in probabilities]
    ordered = data.transpose(..., "draw")
    flat = ordered.values.reshape(-1, ordered.sizes["draw"])
    found = np.empty((len(flat), len(probabilities)))
    step = max(1, _CELLS // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        found[start : start + step] = _quantiles(flat[start : start + step], probabilities)
    coords = {**ordered.isel(draw=0, drop=True).coords, "bound": labels}
    dims = [*ordered.dims[:-1], "bound"]
    return xr.DataArray(found.reshape(*ordered.shape[:-1], -1), coords, dims, name=data.name, attrs=data.attrs)


def defined_share(data: xr.DataArray) -> xr.DataArray:
    """The share of draws in which there is a number, (…)."""
    share: xr.DataArray = data.notnull().mean("draw")
    return share.assign_attrs(units="1")


def probability_above(data: xr.DataArray, threshold: float) -> xr.DataArray:
    """The share of the draws with a number in which it is above ``threshold``, (…); NaN where none has one."""
    known: xr.DataArray = data.notnull().sum("draw")
    share: xr.DataArray = (data > threshold).sum("draw") / known.where(known > 0)
    return share.assign_attrs(units="1")


def top_share(data: xr.DataArray, top: int = 5, dim: str = "region") -> xr.DataArray:
    """The share of draws in which a label is among the ``top`` largest along ``dim``, (…).

    A label without a number in a draw is not among them (NaN where it never has one); labels that tie with the last of
    them all are.
    """
    ordered = data.transpose(..., dim, "draw")
    count, known = np.zeros(ordered.shape[:-1]), np.zeros(ordered.shape[:-1], dtype=bool)
    step = max(1, _CELLS // max(1, count.size))
    for start in range(0, ordered.sizes["draw"], step):
        values = np.asarray(ordered.values[..., start : start + step])
        count += (values >= _least_of_top(values, top)).sum(axis=-1)  # a missing value is not above anything
        known |= np.isfinite(values).any(axis=-1)
    dims = [name for name in data.dims if name != "draw"]
    count = np.where(known, count / ordered.sizes["draw"], np.nan)
    share = xr.DataArray(count, ordered.isel(draw=0, drop=True).coords, ordered.dims[:-1])
    return share.transpose(*dims).assign_attrs(units="1")


def ranks(data: xr.DataArray, dim: str = "region") -> xr.DataArray:
    """The rank of each label in each draw, 1 the largest; NaN without a number. Ties share the best rank."""
    values, result = data.values, np.empty(data.shape)
    others = [name for name in data.dims if name != dim]
    axis = data.get_axis_num(dim)
    for index in np.ndindex(*(data.sizes[name] for name in others)):
        at = (*index[:axis], slice(None), *index[axis:])
        result[at] = _ranked(values[at])  # a column at a time: a copy of all draws would double the memory
    return data.copy(data=result).assign_attrs(units="1")


def rank_stability(data: xr.DataArray, reference: xr.DataArray, dim: str = "region") -> xr.DataArray:
    """How far the order of the labels holds: Spearman's rank correlation of each draw with ``reference``, (…, draw).

    data       (…, dim, draw)
    reference  (…, dim)        the run without draws
    """
    both = data.notnull() & reference.notnull()
    one = ranks(data.where(both), dim)
    other = ranks(reference.where(both).transpose(*data.dims), dim)
    one, other = one - one.mean(dim), other - other.mean(dim)
    spread: xr.DataArray = (one**2).sum(dim) * (other**2).sum(dim)
    together: xr.DataArray = (one * other).sum(dim) / np.sqrt(spread.where(spread > 0))
    return together.assign_attrs(units="1")


def class_shares(classes: xr.DataArray, words: Sequence[str]) -> xr.DataArray:
    """The share of draws in which each class was given, (…, class).

    classes  (…, draw) words
    """
    found = [(classes == word).mean("draw") for word in words]
    joined = xr.concat(found, "class", join="exact", coords="minimal", compat="override")
    return joined.assign_coords({"class": list(words)}).transpose(..., "class").assign_attrs(units="1")


def class_stability(classes: xr.DataArray, reference: xr.DataArray) -> xr.DataArray:
    """The share of draws in which a label keeps its class, (…).

    classes (…, draw) words; reference (…) the words of the run without draws
    """
    return (classes == reference).mean("draw").assign_attrs(units="1")


def place_ellipse(x: Floats, y: Floats, level: float = 0.9) -> dict[str, float]:
    """Centre of the draws of a place and the ellipse that holds ``level`` of them if they scatter normally.

    x, y     (draw) projected coordinates, m; draws without a place are NaN
    returns  easting_m, northing_m, semi_major_m, semi_minor_m, rotation_deg (major axis, clockwise from grid north,
             0–180), draws: how many had a place
    """
    known = np.isfinite(x) & np.isfinite(y)
    count = int(known.sum())
    if count == 0:
        names = ("easting_m", "northing_m", "semi_major_m", "semi_minor_m", "rotation_deg")
        return {**dict.fromkeys(names, float("nan")), "draws": 0}
    points = np.vstack([x[known], y[known]])
    centre = points.mean(axis=1)
    spread = np.cov(points) if count > 1 else np.zeros((2, 2))
    values, vectors = np.linalg.eigh(spread)
    semi = np.sqrt(np.maximum(values, 0.0) * chi2.ppf(level, 2))
    east, north = vectors[:, 1]
    return {
        "easting_m": float(centre[0]),
        "northing_m": float(centre[1]),
        "semi_major_m": float(semi[1]),
        "semi_minor_m": float(semi[0]),
        "rotation_deg": float(np.degrees(np.arctan2(east, north)) % 180),
        "draws": count,
    }


def _quantiles(values: Floats, probabilities: Sequence[float]) -> Floats:
    """(cell, probability); a cell with missing draws goes by those it has."""
    if not np.isnan(values).any():
        plain: Floats = np.quantile(values, probabilities, axis=1).T
        return plain
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    place = np.maximum(count - 1, 0)[:, None] * np.asarray(probabilities)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0)[:, None])
    low, high = (np.take_along_axis(ordered, at, axis=1) for at in (below, above))
    found: Floats = np.where(count[:, None] > 0, low + (place - below) * (high - low), np.nan)
    return found


def _ranked(values: Floats) -> Floats:
    order = np.argsort(-values)  # NaN last
    ordered = values[order]
    first = np.arange(len(values))
    first[1:][ordered[1:] == ordered[:-1]] = 0
    place = np.empty(len(values))
    place[order] = np.maximum.accumulate(first) + 1.0
    return np.where(np.isnan(values), np.nan, place)


def _least_of_top(values: Floats, top: int) -> Floats:
    """The ``top``-th largest along the last axis but one, which is kept; minus infinity where there are fewer."""
    if values.shape[-2] <= top:
        return np.full((*values.shape[:-2], 1, values.shape[-1]), -np.inf)
    filled = np.where(np.isnan(values), -np.inf, values)
    found: Floats = -np.partition(-filled, top - 1, axis=-2)[..., top - 1 : top, :]
    return found
