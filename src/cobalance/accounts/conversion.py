"""Which land to convert into what, at least cost, so that a region closes its gap on its own land."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from cobalance.vocabulary.errors import refuse
from cobalance.vocabulary.units import quantities

Floats = NDArray[np.float64]

NO_GAP, CLOSED, PARTLY, NOT_CLOSED = "no gap", "closed on own land", "closed in part", "not closed"
UNDEFINED = "undefined"
OUTCOMES = (NO_GAP, CLOSED, PARTLY, NOT_CLOSED, UNDEFINED)
TOLERANCE = 1e-6
"""Share of a shortfall below which what is left is rounding of the solver."""


@quantities(
    convertible="ha",
    shortfall="ha",
    returns={"converted_area": "ha", "remaining_shortfall": "ha"},
)
def least_cost_conversion(
    convertible: xr.DataArray,
    rates: Mapping[str, xr.DataArray],
    shortfall: xr.DataArray,
    *,
    reference: str = "forest",
    into: Sequence[str] | None = None,
    cost: xr.DataArray | None = None,
) -> xr.Dataset:
    """The cheapest conversion of a region's own land that closes its shortfall for all targets, or as much as it can.

    convertible  (region, land_class)             ha that may be converted, by the class that the land has now
    rates        target → (land_class[, region])  t C / ha / yr, t O2 / ha / yr
    shortfall    (region, target)                 ha of the reference class (``ecological_land_shortfall``)
    into         classes that land may become; None for all that take up something for every target
    cost         (from_class, to_class)           per ha, any currency; None for 1 per ha: the least area
    returns      a Dataset: ``converted_area`` (region, from_class, to_class) ha, ``conversion_cost`` (region),
                 ``remaining_shortfall`` (region, target) ha, ``conversion_outcome`` (region) as words

        min Σ_kj c[k, j] x[r, k, j]   with   Σ_j x[r, k, j] ≤ V[r, k],   x ≥ 0
        Σ_kj x[r, k, j] (s[j] − s[k]) / s[reference] ≥ shortfall[r, target]   for every target

    First the uncovered shortfall is made as small as it can be, then the cost. One sparse linear programme for all
    regions (HiGHS). Regions with a missing figure are *undefined* and get no plan. Raises E201–E205, E814 for classes
    without a rate or a cost. Source: the standard land of the paper, put as a linear programme by this project.
    """
    for name, array, dims in (
        ("convertible", convertible, ("region", "land_class")),
        ("shortfall", shortfall, ("region", "target")),
    ):
        if set(array.dims) != set(dims):
            found = ", ".join(map(str, array.dims))
            raise refuse("E205", argument=f"least_cost_conversion({name})", found=found, expected=", ".join(dims))
    targets = [str(target) for target in shortfall["target"].values]
    classes = [str(label) for label in convertible["land_class"].values]
    gain = _gain(convertible, rates, targets, reference)
    receivers = _receivers(rates, classes, into)
    price = _price(cost, classes, receivers)
    area = convertible.transpose("region", "land_class").values.astype(float)
    short = shortfall.transpose("region", "target").values.astype(float)
    known = np.isfinite(area).all(axis=1) & np.isfinite(short).all(axis=1) & np.isfinite(gain).all(axis=(1, 2, 3))

    plan = np.full((len(area), len(classes), len(classes)), np.nan)
    left = np.full(short.shape, np.nan)
    if known.any():
        plan[known], left[known] = _solve(area[known], gain[known], short[known], price)
    outcome = _outcome(short, left, known)
    region = convertible["region"].values
    coords: dict[str, Any] = {"region": region, "from_class": classes, "to_class": classes, "target": targets}
    result = xr.Dataset(
        {
            "converted_area": (["region", "from_class", "to_class"], plan),
            "conversion_cost": (["region"], (plan * np.nan_to_num(price)).sum(axis=(1, 2))),
            "remaining_shortfall": (["region", "target"], left),
            "conversion_outcome": (["region"], outcome),
        },
        coords,
    )
    unit = "ha" if cost is None else cost.attrs.get("units", "1")
    result["conversion_cost"].attrs["units"] = unit
    return result.sel(to_class=[classes[at] for at in receivers])


def _gain(
    convertible: xr.DataArray, rates: Mapping[str, xr.DataArray], targets: list[str], reference: str
) -> NDArray[np.float64]:
    """Reference hectares gained by a hectare, (region, target, from, to)."""
    gains = []
    for target in targets:
        rate = rates[target]
        missing = set(map(str, convertible["land_class"].values)) - set(map(str, rate["land_class"].values))
        if missing or reference not in rate["land_class"].values:
            raise refuse("E814", what=f"rates['{target}']", missing=sorted(missing) or [reference])
        own = rate.sel(land_class=convertible["land_class"]).broadcast_like(convertible.isel(land_class=0, drop=True))
        values = own.transpose("region", "land_class").values
        at_reference = rate.sel(land_class=reference).broadcast_like(convertible["region"]).values
        unit = np.where(at_reference > 0, at_reference, np.nan)
        gains.append((values[:, None, :] - values[:, :, None]) / unit[:, None, None])
    return np.stack(gains, axis=1)


def _receivers(rates: Mapping[str, xr.DataArray], classes: list[str], into: Sequence[str] | None) -> list[int]:
    if into is not None:
        if unknown := [label for label in into if label not in classes]:
            raise refuse("E814", what="into", missing=unknown)
        return [classes.index(label) for label in into]
    useful = [all(bool((rate.sel(land_class=label) > 0).all()) for rate in rates.values()) for label in classes]
    return [at for at, useful_one in enumerate(useful) if useful_one]


def _price(cost: xr.DataArray | None, classes: list[str], receivers: list[int]) -> Floats:
    """Cost of a hectare, (from, to); NaN on pairs that are not to be used."""
    price = np.full((len(classes), len(classes)), np.nan)
    if cost is None:
        price[:, receivers] = 1.0
    else:
        wanted = [classes[at] for at in receivers]
        lacking = [label for label in classes if label not in cost["from_class"].values]
        lacking += [label for label in wanted if label not in cost["to_class"].values]
        if lacking:
            raise refuse("E814", what="cost", missing=lacking)
        price[:, receivers] = cost.sel(from_class=classes, to_class=wanted).transpose("from_class", "to_class").values
    np.fill_diagonal(price, np.nan)
    return price


def _solve(area: Floats, gain: Floats, short: Floats, price: Floats) -> tuple[Floats, Floats]:
    """Plan (region, from, to) and what is left (region, target), for regions without missing figures.

    The programme is solved in shares: of each class's useful area and of each shortfall. Regions do not touch one
    another, so that each may have its own unit, and the solver's tolerances then suit islands and provinces alike.
    """
    giver, receiver = np.nonzero(np.isfinite(price))
    own_gain = gain[:, :, giver, receiver]
    useful = _useful_area(area, own_gain, short, giver)
    wanted = (short > 0).astype(float).ravel()
    per_short = useful[:, None, giver] / np.where(short > 0, short, np.inf)[:, :, None]
    use, cover = _constraints(area.shape, own_gain * per_short, giver)
    columns = use.shape[1]
    both = sparse.block_array([[use, None], [cover, -sparse.eye_array(wanted.size)]]).tocsr()
    every_area = np.ones(area.size)
    objective = np.concatenate([np.zeros(columns), np.ones(wanted.size)])
    unmet = _optimum(objective, both, np.concatenate([every_area, -wanted]))[columns:]
    limit = np.concatenate([every_area, unmet * (1.0 + TOLERANCE) - wanted + 1e-9])
    hectares = useful[:, giver]
    spent = price[giver, receiver] * hectares / np.maximum(hectares.max(axis=1, keepdims=True), 1e-300)
    shares = _optimum(spent.ravel(), sparse.vstack([use, cover]).tocsr(), limit)
    plan = np.zeros((len(area), area.shape[1], area.shape[1]))
    plan[:, giver, receiver] = shares.reshape(len(area), -1) * hectares
    left = np.where(unmet <= TOLERANCE, 0.0, unmet).reshape(short.shape) * short
    return plan, left


def _useful_area(area: Floats, gain: Floats, short: Floats, giver: NDArray[np.intp]) -> Floats:
    """The area of each class, or what would close every shortfall alone where that is less; (region, class)."""
    alone = np.where(gain > 0, short[:, :, None] / np.where(gain > 0, gain, 1.0), 0.0).max(axis=1)
    enough = np.zeros_like(area)
    for pair, at in enumerate(giver):
        enough[:, at] = np.maximum(enough[:, at], alone[:, pair])
    return np.minimum(area, enough)


def _constraints(
    shape: tuple[int, ...], gain: Floats, giver: NDArray[np.intp]
) -> tuple[sparse.coo_array, sparse.coo_array]:
    """Rows Σ_j x[r, k, j] (region, class) and −Σ gain · x (region, target); columns x (region, pair)."""
    regions, classes = shape
    _, targets, pairs = gain.shape
    column = np.arange(regions * pairs).reshape(regions, pairs)
    row = np.arange(regions)[:, None] * classes + giver
    use = sparse.coo_array((np.ones(column.size), (row.ravel(), column.ravel())), (regions * classes, column.size))
    target_row = np.arange(regions * targets).reshape(regions, targets, 1)
    rows, columns = np.broadcast_arrays(target_row, column[:, None])
    cover = sparse.coo_array((-gain.ravel(), (rows.ravel(), columns.ravel())), (regions * targets, column.size))
    return use, cover


def _optimum(objective: Floats, matrix: sparse.csr_array, limit: Floats) -> Floats:
    result = linprog(objective, A_ub=matrix, b_ub=limit, method="highs")
    if result.x is None:
        raise RuntimeError(f"HiGHS found no optimum: {result.message}")
    optimum: Floats = np.clip(result.x, 0.0, None)
    return optimum


def _outcome(short: Floats, left: Floats, known: NDArray[np.bool_]) -> NDArray[np.object_]:
    outcome = np.full(len(short), UNDEFINED, dtype=object)
    gap = known & (short > 0).any(axis=1)
    outcome[known & ~gap] = NO_GAP
    remaining, whole = left.sum(axis=1), short.sum(axis=1)
    outcome[gap & (remaining == 0)] = CLOSED
    outcome[gap & (remaining > 0)] = PARTLY
    outcome[gap & (remaining >= whole * (1.0 - TOLERANCE))] = NOT_CLOSED
    return outcome
