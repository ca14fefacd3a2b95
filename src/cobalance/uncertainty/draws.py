"""Draws of coefficients, activities and forecasts: the study's own arrays with one dimension more, ``draw``.

``draw`` comes last, so that the accounts' functions run along contiguous memory. Draw *i* is what it is by the seed and
its number, in whatever chunk it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from cobalance.uncertainty.assumptions import EVERYWHERE
from cobalance.uncertainty.distributions import quantiles
from cobalance.uncertainty.points import Points, Sample

Floats = NDArray[np.float64]

LABELS = ("land_class", "fuel")
FORECAST = "forecasts"
SET_CHOICE = "set choice"


def draw_coefficients(
    table: pd.DataFrame,
    arrays: Mapping[str, xr.DataArray],
    points: Points | int,
    rows: range | None = None,
    *,
    seed: int = 0,
    kinds: Mapping[str, str] | None = None,
) -> dict[str, xr.DataArray]:
    """Every coefficient array with a last dimension ``draw``.

    table    rows of :func:`~cobalance.uncertainty.assumptions.with_causes`: quantity, item, region, year, value, low,
             high in the arrays' units, ``cause``
    arrays   quantity → ([land_class | fuel][, region][, year]), the arrays that the table stands for
    points   a design, or a number of draws (a Latin hypercube with ``seed``)
    rows     which draws; None for all
    kinds    quantity → kind of distribution; ``default`` for all others; triangular where nothing is said
    returns  quantity → (…, draw), units and coordinates kept

    A cell that no row stands for keeps its value in every draw. Raises E851–E853.
    """
    made = points if not isinstance(points, int) else Sample(points, seed)
    chosen = range(made.count) if rows is None else rows
    uniform = {cause: made.column(cause, chosen) for cause in dict.fromkeys(table["cause"])}
    return {
        quantity: _drawn(table[table["quantity"] == quantity], array, uniform, chosen, _kind(quantity, kinds))
        for quantity, array in arrays.items()
    }


def draw_factors(
    widths: Mapping[str, float | tuple[float, float]],
    points: Points,
    rows: range,
    kind: str = "triangular",
    prefix: str = "activity ",
) -> dict[str, xr.DataArray]:
    """Factors around 1 for data that carry a relative uncertainty: activity → (draw).

    widths  name → relative half-width (0.05 is ± 5 %), or (low, high) as factors
    """
    return {
        name: draw_number(1.0, _around_one(width), prefix + name, points, rows, kind) for name, width in widths.items()
    }


def draw_number(
    value: float, bounds: tuple[float, float], cause: str, points: Points, rows: range, kind: str = "triangular"
) -> xr.DataArray:
    """One number of the study, such as φ: (draw)."""
    drawn = quantiles(kind, value, *bounds, points.column(cause, rows))
    return xr.DataArray(drawn, {"draw": np.arange(rows.start, rows.stop)}, ["draw"], attrs={"units": "1"})


def draw_choice(shares: Sequence[float], points: Points, rows: range, cause: str = SET_CHOICE) -> NDArray[np.int64]:
    """Which of several alternatives each draw takes, (draw): position in ``shares``, which need not sum to 1."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    chosen: NDArray[np.int64] = np.searchsorted(edges / edges[-1], points.column(cause, rows), side="right")
    return np.minimum(chosen, len(edges) - 1)


def chosen_arrays(
    alternatives: Sequence[Mapping[str, xr.DataArray]], choice: NDArray[np.int64]
) -> dict[str, xr.DataArray]:
    """For each draw the arrays of the alternative that it took.

    alternatives  quantity → (…, draw), each of them; dims that one has and another lacks are broadcast
    choice        (draw), positions in ``alternatives``
    """
    result: dict[str, xr.DataArray] = {}
    for quantity, first in alternatives[0].items():
        versions = [alternative[quantity] for alternative in alternatives]
        if all(version is first for version in versions):
            result[quantity] = first
            continue
        spread = xr.broadcast(*versions)
        where = xr.DataArray(choice, {"draw": first["draw"]}, ["draw"])
        taken = spread[0]
        for position, version in enumerate(spread[1:], start=1):
            taken = taken.where(where != position, version)
        result[quantity] = taken.transpose(..., "draw").assign_attrs(first.attrs)
    return result


def draw_forecast_ratios(
    past: xr.Dataset, regions: Sequence[str], points: Points, rows: range, *, keep: tuple[float, float] = (0.0, 1.0)
) -> xr.DataArray:
    """What a forecast is multiplied by, from what past forecasts of the same horizon were off by.

    past     ``ratio`` (activity, horizon, origin, region) observed over forecast of a backtest, NaN where not known;
             ``weight``, alike, the forecast itself: what a ratio stands for
    keep     the quantiles beyond which a ratio is held
    returns  (region, activity, horizon, draw)    unit 1

    The ratio of an activity is drawn from all ratios of its origins and regions, each with the chance of its weight:
    the mean ratio is then that of the totals, and a series that is all but gone, off a thousandfold, moves no other.
    Regions go wrong together as far as they did in the backtest: with ρ the share of the variance between origins,

        u = Φ(√ρ · z_activity + √(1 − ρ) · z_region,activity),   ratio = Q(u)

    and the whole path of a series goes by one u. An activity without known ratios is held at 1.
    """
    names = [str(name) for name in past["activity"].values]
    ordered = past.transpose("activity", "horizon", "origin", "region")
    ratio, weight = ordered["ratio"].values, ordered["weight"].values
    own = ndtri(points.block(FORECAST, (len(regions), len(names)), rows))
    result = np.ones((len(regions), len(names), past.sizes["horizon"], len(rows)))
    for place, name in enumerate(names):
        rho = shared_share(ratio[place, -1], weight[place, -1])
        together = ndtri(points.column(f"{FORECAST} {name}", rows))
        at = ndtr(np.sqrt(rho) * together + np.sqrt(1 - rho) * own[:, place])
        for step in range(past.sizes["horizon"]):
            known = np.isfinite(ratio[place, step]) & (weight[place, step] > 0)
            if known.any():
                pooled = ratio[place, step][known], weight[place, step][known]
                result[:, place, step] = _empirical(*pooled, np.clip(at, *keep))
    coords: dict[str, Any] = {"region": list(regions), "activity": past["activity"].values}
    coords |= {"horizon": past["horizon"].values, "draw": np.arange(rows.start, rows.stop)}
    return xr.DataArray(result, coords, ["region", "activity", "horizon", "draw"], attrs={"units": "1"})


def shared_share(ratio: Floats, weight: Floats) -> float:
    """The share of the variance of log ratios (origin, region) that lies between origins; 0 where it cannot be told.

    One-way analysis of variance: ρ = σ²_between / (σ²_between + σ²_within), Fisher's intraclass correlation, with
    weights that are scaled to add up to the effective number of ratios, (Σw)² / Σw².
    """
    usable = np.isfinite(ratio) & (ratio > 0) & (weight > 0)
    values = np.log(np.where(usable, ratio, 1.0))
    scaled = np.where(usable, weight, 0.0)
    count, rows = scaled.sum() ** 2 / max((scaled**2).sum(), np.finfo(float).tiny), int(usable.any(axis=1).sum())
    if rows < 2 or count <= rows:
        return 0.0
    scaled = scaled * (count / scaled.sum())
    sizes = scaled.sum(axis=1)
    means = (scaled * values).sum(axis=1) / np.where(sizes > 0, sizes, 1.0)
    mean = (sizes * means).sum() / count
    within = (scaled * (values - means[:, None]) ** 2).sum() / (count - rows)
    around = (sizes * (means - mean) ** 2).sum() / (rows - 1)
    size = (count - (sizes**2).sum() / count) / (rows - 1)
    between = max(0.0, float(around - within)) / size
    return float(between / (between + within)) if between + within > 0 else 0.0


def _drawn(
    table: pd.DataFrame, array: xr.DataArray, uniform: Mapping[str, Floats], rows: range, kind: str
) -> xr.DataArray:
    values = np.repeat(array.values[..., None], len(rows), axis=-1).astype(float)
    coords = {**array.coords, "draw": np.arange(rows.start, rows.stop)}
    drawn = xr.DataArray(values, coords, [*array.dims, "draw"], name=array.name, attrs=array.attrs)
    if "year" in array.dims:  # rows of other years than the array's, such as the target year's
        table = table[table["year"].isna() | table["year"].isin(array["year"].values.tolist())]
    if table.empty:
        return drawn
    # a region's own row stands where there is one: rows for every place come first
    ordered = table.iloc[np.argsort((table["region"] != EVERYWHERE).to_numpy(), kind="stable")]
    value, low, high = (ordered[name].to_numpy(float)[:, None] for name in ("value", "low", "high"))
    numbers = quantiles(kind, value, low, high, np.stack([uniform[cause] for cause in ordered["cause"]]))
    label = next((dim for dim in LABELS if dim in array.dims), None)
    places = ordered[["item", "region", "year"]].to_dict("records")
    for place, own in zip(places, numbers, strict=True):
        at: dict[Any, Any] = {label: place["item"]} if label else {}
        at |= {"region": place["region"]} if place["region"] != EVERYWHERE else {}
        at |= {} if pd.isna(place["year"]) or "year" not in array.dims else {"year": place["year"]}
        drawn.loc[at] = own
    return drawn


def _kind(quantity: str, kinds: Mapping[str, str] | None) -> str:
    known = kinds or {}
    return known.get(quantity, known.get("default", "triangular"))


def _around_one(width: float | tuple[float, float]) -> tuple[float, float]:
    return width if isinstance(width, tuple) else (1.0 - width, 1.0 + width)


def _empirical(values: Floats, weight: Floats, at: Floats) -> Floats:
    """Quantiles of a weighted sample: the smallest value up to which that share of the weight lies."""
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weight[order])
    place = np.searchsorted(shares / shares[-1], at, side="left")
    found: Floats = values[order][np.minimum(place, len(values) - 1)]
    return found
