"""Compensation between regions: who takes up carbon or oxygen on whose account, over what distance, at what price.

Deficits and surpluses are matched as a transport problem. Its optimum is found with a fraction of the pairs: starting
from the nearest, pairs are added as long as their reduced cost says that they would lower the total. In docstrings
``{substance}`` stands for C or O2, whichever the burden's unit has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import Geod
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import shortest_path

from cobalance.accounts.ecological_land import PHI, for_carbon_and_oxygen
from cobalance.accounts.totals import total_along
from cobalance.vocabulary.errors import Problems, nearest, refuse
from cobalance.vocabulary.units import quantities

Floats = NDArray[np.float64]
NEAREST = 6
WORTH_KEEPING = 0.005
"""Reduced cost, as a share of the dearest pair, up to which a pair is kept from one programme to the next."""
SMALLEST_SHARE = 1e-9
"""Share of the largest deficit or surplus below which an amount is rounding of the solver."""


@for_carbon_and_oxygen(
    "burden",
    burden="t {substance} / yr",
    capacity="t {substance} / yr",
    phi="1",
    returns={"deficit": "t {substance} / yr", "surplus": "t {substance} / yr"},
)
def compensation_balance(burden: xr.DataArray, capacity: xr.DataArray, phi: xr.DataArray | float = PHI) -> xr.Dataset:
    """What each region lacks and what it could give.

    burden    (region)  t {substance} / yr, emitted (C) or consumed (O2)
    capacity  (region)  t {substance} / yr, taken up (C) or released (O2) by its land
    phi       ()        1, the share that land has to carry
    returns   ``deficit`` and ``surplus`` (region), NaN where either is missing

        D[r] = max(0, φ E[r] − S[r]),   U[r] = max(0, S[r] − φ E[r])

    Raises E201–E204. Source: the paper advises compensation between regions and prints no method; this is ours.
    """
    lacking = phi * burden - capacity
    return xr.Dataset({"deficit": lacking.clip(min=0), "surplus": (-lacking).clip(min=0)})


@for_carbon_and_oxygen("burden", burden="t {substance} / yr", returns="t {substance} / yr")
def responsible_burden(burden: xr.DataArray, weight: xr.DataArray) -> xr.DataArray:
    """The nation's burden shared out by another measure of responsibility than who emits.

    burden   (region)  t {substance} / yr
    weight   (region)  any one unit: population (equal shares per head), GDP, emission added up over the past
    returns  (region)  t {substance} / yr, with the same total

        E'[r] = Σ E · w[r] / Σ w

    Raises E201–E204, and E864 for a missing burden or weight: a share of an unknown total is unknown for everyone.
    Source: proportional sharing; the measures are those usual in burden-sharing debates.
    """
    problems = Problems()
    for name, array in (("burden", burden), ("weight", weight)):
        wrong = array["region"].values[~(array.values >= 0)]
        if len(wrong) or not float(array.sum()) > 0:
            problems.add("E864", argument=name, regions=wrong.tolist() or "—")
    problems.raise_errors()
    return total_along(burden, "region") * weight / total_along(weight, "region")


def compensation_flows(
    deficit: xr.DataArray,
    surplus: xr.DataArray,
    cost: xr.DataArray,
    *,
    first_within: Mapping[str, Sequence[str]] | None = None,
) -> xr.Dataset:
    """The flows that cover as much deficit as surplus allows, at the least total of amount × cost.

    deficit, surplus  (region)                  t C / yr or t O2 / yr (:func:`compensation_balance`)
    cost              (from_region, to_region)  km, borders crossed, or any other; inf where no flow may go
    first_within      group → its regions: deficits are first met inside the groups, the rest then anywhere
    returns           a Dataset over ``flow``: ``from_region``, ``to_region``, ``amount`` (the unit of ``deficit``),
                      ``flow_cost`` (the unit of ``cost``), ``stage`` (the group, or "" for anywhere), and over
                      ``region``: ``given``, ``received``, ``unmet_deficit``, ``unused_surplus``

        min Σ_ij c[i, j] x[i, j]   with   Σ_j x[i, j] ≤ U[i],   Σ_i x[i, j] + unmet[j] = D[j],   x ≥ 0

    ``unmet`` is priced so high that it is never left where a way exists. Regions with a missing figure neither give
    nor receive and are missing in the result. Raises E201, E202 for units that differ, E203 for regions that differ,
    E862 for a cost that is missing or negative, E865 for an unknown or repeated region of a group.
    """
    lacking, having, costs = _checked(deficit, surplus, cost)
    regions = lacking["region"].values
    demand = np.nan_to_num(lacking.values.astype(float))
    supply = np.nan_to_num(having.values.astype(float))
    flows: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats, str]] = []
    for name, members in _stages(first_within, [str(region) for region in regions]):
        givers = members[supply[members] > 0]
        receivers = members[demand[members] > 0]
        if not len(givers) or not len(receivers):
            continue
        one, two, amount = _transport(supply[givers], demand[receivers], costs[np.ix_(givers, receivers)])
        flows.append((givers[one], receivers[two], amount, name))
        np.subtract.at(supply, givers[one], amount)
        np.subtract.at(demand, receivers[two], amount)
    return _flow_table(flows, lacking, having, costs, cost.attrs.get("units", "1"))


def compensation_payments(flows: xr.Dataset, price: xr.DataArray | float | Sequence[float]) -> xr.DataArray:
    """What each region pays (negative) or is paid (positive) at a price or a range of prices.

    flows    of :func:`compensation_flows`
    price    per t and year: a number, or several (dimension ``price``)
    returns  (region[, price])  in the price's currency a year, adding up to zero; missing where the region is

        T[r] = p · (given[r] − received[r])

    Raises E863 for a price that is missing or negative.
    """
    if not isinstance(price, xr.DataArray):
        several = np.atleast_1d(np.asarray(price, dtype=float))
        price = xr.DataArray(several, dims="price", coords={"price": several})
        price = price if np.size(several) > 1 else price.isel(price=0, drop=True)
    if not bool((price >= 0).all()):
        raise refuse("E863", found=np.asarray(price).ravel().tolist())
    net = flows["given"] - flows["received"]
    return (net * price).rename("payment").assign_attrs(units=price.attrs.get("units", "currency / yr"))


def region_distance(longitude: xr.DataArray, latitude: xr.DataArray) -> xr.DataArray:
    """Geodesic distance between the regions' centres on the WGS 84 ellipsoid.

    longitude, latitude  (region)                  degrees
    returns              (from_region, to_region)  km
    """
    size = longitude.sizes["region"]
    one, two = np.triu_indices(size, 1)
    lon, lat = longitude.values, latitude.values
    _, _, metres = Geod(ellps="WGS84").inv(lon[one], lat[one], lon[two], lat[two])
    distance = np.zeros((size, size))
    distance[one, two] = distance[two, one] = np.asarray(metres) / 1000.0
    return _by_pair(distance, longitude["region"].values).assign_attrs(units="km")


def borders_crossed(adjacent: xr.DataArray) -> xr.DataArray:
    """The fewest borders between two regions: the cost when only neighbours are near.

    adjacent  (from_region, to_region)  true where two regions share a border
    returns   (from_region, to_region)  1; inf where no way leads over land borders
    """
    linked = sparse.csr_array(adjacent.transpose("from_region", "to_region").values.astype(float))
    hops = shortest_path(linked, directed=False, unweighted=True)
    return _by_pair(hops, adjacent["from_region"].values).assign_attrs(units="1")


def _by_pair(values: Floats, regions: NDArray[np.str_]) -> xr.DataArray:
    coords = {"from_region": regions, "to_region": regions}
    return xr.DataArray(values, dims=("from_region", "to_region"), coords=coords)


def _checked(
    deficit: xr.DataArray, surplus: xr.DataArray, cost: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray, Floats]:
    """Deficit and surplus in one unit and order, with both missing where either is; costs in that order."""
    _same_regions(cost, deficit)
    unit = deficit.attrs.get("units", "")
    together = quantities(deficit=unit, surplus=unit, returns=unit)(_paired)(deficit, surplus)
    regions = together["region"].values
    costs = cost.sel(from_region=regions, to_region=regions).transpose("from_region", "to_region").values
    known = np.isfinite(together.isel(side=0).values)
    pairs = known[:, None] & known
    if not bool((costs[pairs] >= 0).all()):
        one, two = np.nonzero(pairs & ~(costs >= 0))
        raise refuse("E862", count=len(one), pair=f"{regions[one[0]]} → {regions[two[0]]}", found=costs[one[0], two[0]])
    return together.isel(side=0), together.isel(side=1), costs


def _paired(deficit: xr.DataArray, surplus: xr.DataArray) -> xr.DataArray:
    known = deficit.notnull() & surplus.notnull()
    return xr.concat([deficit.where(known), surplus.where(known)], "side")


_paired.__name__ = compensation_flows.__name__  # the function that a refusal names


def _same_regions(cost: xr.DataArray, deficit: xr.DataArray) -> None:
    problems = Problems()
    for dim in ("from_region", "to_region"):
        missing = deficit.indexes["region"].difference(cost.indexes[dim], sort=False)
        if len(missing):
            labels = [str(label) for label in missing]
            problems.add("E203", argument="compensation_flows(cost)", dim=dim, missing=labels, other="deficit")
    problems.raise_errors()


def _stages(first_within: Mapping[str, Sequence[str]] | None, regions: list[str]) -> list[tuple[str, NDArray[np.intp]]]:
    """The groups in turn and then everyone, as positions of regions."""
    problems = Problems()
    position = {region: at for at, region in enumerate(regions)}
    seen: dict[str, str] = {}
    for group, members in (first_within or {}).items():
        for member in members:
            if member not in position or member in seen:
                problems.add("E865", group=group, found=member, nearest=nearest(member, regions))
            seen[member] = group
    problems.raise_errors()
    groups = [(group, np.array([position[one] for one in members])) for group, members in (first_within or {}).items()]
    return [*groups, ("", np.arange(len(regions)))]


def _transport(supply: Floats, demand: Floats, cost: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """The optimal flows as (giver, receiver, amount), by pricing in the pairs that the optimum needs."""
    allowed = np.isfinite(cost)
    if not allowed.any():
        nothing = np.zeros(0, np.intp)
        return nothing, nothing, np.zeros(0)
    size = max(supply.max(), demand.max())
    largest = max(float(cost[allowed].max()), 1e-300)
    # an unmet unit may have to be met by a chain of exchanges, each no dearer than the dearest pair
    penalty = 2.0 if allowed.all() else min(cost.shape) + 2.0
    priced = np.where(allowed, cost / largest, np.inf)
    chosen = _nearest_pairs(priced) & allowed
    least = np.inf
    while True:
        one, two = np.nonzero(chosen)
        pairs = priced[one, two]
        amount, giver_price, receiver_price, total = _solve(supply / size, demand / size, (one, two), pairs, penalty)
        reduced = priced - giver_price[:, None] - receiver_price
        wanted = (reduced < -1e-7) & allowed & ~chosen
        if not wanted.any():
            break
        if total < least * (1.0 - 1e-9):
            # far from any use: leave them out, so that the programme stays small; not while the total stands still,
            # or the same pairs could come and go for ever
            chosen[one, two] = (amount > 0) | (reduced[one, two] < WORTH_KEEPING)
            least = total
        chosen |= wanted & _nearest_pairs(np.where(wanted, reduced, np.inf))
    real = amount > SMALLEST_SHARE
    return one[real], two[real], amount[real] * size


def _nearest_pairs(cost: Floats) -> NDArray[np.bool_]:
    """The cheapest pairs of each giver and of each receiver."""
    chosen = np.zeros(cost.shape, bool)
    for axis in (0, 1):
        count = min(NEAREST, cost.shape[axis])
        best = np.argpartition(cost, count - 1, axis=axis)
        np.put_along_axis(chosen, np.take(best, range(count), axis=axis), True, axis=axis)
    return chosen & np.isfinite(cost)


def _solve(
    supply: Floats, demand: Floats, pair: tuple[NDArray[np.intp], NDArray[np.intp]], cost: Floats, penalty: float
) -> tuple[Floats, Floats, Floats, float]:
    """Amount of each pair, the dual prices of givers (≤ 0) and receivers, and the total cost."""
    one, two = pair
    number = np.arange(len(one))
    ones = np.ones(len(one))
    gives = sparse.csr_array((ones, (one, number)), (len(supply), len(one) + len(demand)))
    receives = sparse.csr_array((ones, (two, number)), (len(demand), len(one)))
    met = sparse.hstack([receives, sparse.eye_array(len(demand))]).tocsr()
    objective = np.concatenate([cost, np.full(len(demand), penalty)])
    result = linprog(objective, A_ub=gives, b_ub=supply, A_eq=met, b_eq=demand, method="highs")
    if result.x is None:
        raise RuntimeError(f"HiGHS found no optimum: {result.message}")
    return result.x[: len(one)], result.ineqlin.marginals, result.eqlin.marginals, float(result.fun)


def _flow_table(
    flows: Sequence[tuple[NDArray[np.intp], NDArray[np.intp], Floats, str]],
    deficit: xr.DataArray,
    surplus: xr.DataArray,
    costs: Floats,
    cost_unit: str,
) -> xr.Dataset:
    regions = deficit["region"].values
    givers = np.concatenate([flow[0] for flow in flows]) if flows else np.zeros(0, np.intp)
    receivers = np.concatenate([flow[1] for flow in flows]) if flows else np.zeros(0, np.intp)
    amounts = np.concatenate([flow[2] for flow in flows]) if flows else np.zeros(0)
    stages = np.array([flow[3] for flow in flows for _ in flow[2]], dtype=object)
    known = np.isfinite(deficit.values)
    given = np.where(known, np.bincount(givers, amounts, len(regions)), np.nan)
    received = np.where(known, np.bincount(receivers, amounts, len(regions)), np.nan)
    unit = {"units": deficit.attrs["units"]}
    left = {"unmet_deficit": deficit.values - received, "unused_surplus": surplus.values - given}
    scale = max(float(np.nanmax(deficit.values, initial=0)), float(np.nanmax(surplus.values, initial=0)))
    left = {name: np.where(np.abs(value) <= 1e-7 * scale, 0.0, value) for name, value in left.items()}
    by_region = {"given": given, "received": received, **left}
    return xr.Dataset(
        {
            "from_region": ("flow", regions[givers]),
            "to_region": ("flow", regions[receivers]),
            "amount": ("flow", amounts, unit),
            "flow_cost": ("flow", costs[givers, receivers], {"units": cost_unit}),
            "stage": ("flow", stages),
            **{name: ("region", value, unit) for name, value in by_region.items()},
        },
        {"region": regions},
    )
