"""Compensation: by hand, against brute force and the full programme, zero-sum, groups first, refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cobalance.accounts import compensation
from cobalance.accounts.compensation import (
    borders_crossed,
    compensation_balance,
    compensation_flows,
    compensation_payments,
    region_distance,
    responsible_burden,
)
from cobalance.vocabulary.errors import CobalanceError


def by_region(*values: float, units: str = "t C / yr") -> xr.DataArray:
    coords = {"region": [f"r{number}" for number in range(len(values))]}
    return xr.DataArray(list(values), dims="region", coords=coords, attrs={"units": units})


def costs(rows: np.ndarray | list[list[float]], units: str = "km") -> xr.DataArray:
    values = np.array(rows, dtype=float)
    names = [f"r{number}" for number in range(len(values))]
    coords = {"from_region": names, "to_region": names}
    return xr.DataArray(values, dims=("from_region", "to_region"), coords=coords, attrs={"units": units})


def listed(flows: xr.Dataset) -> dict[tuple[str, str], float]:
    columns = (flows["from_region"].values, flows["to_region"].values, flows["amount"].values)
    return {(str(one), str(two)): round(float(amount), 6) for one, two, amount in zip(*columns, strict=True)}


def total_cost(flows: xr.Dataset) -> float:
    return float((flows["amount"] * flows["flow_cost"]).sum())


def test_balance_by_hand() -> None:
    # φ = 1/3: 900 → 300 against 100; 300 → 100 against 250; 300 → 100 against 100
    balance = compensation_balance(by_region(900.0, 300.0, 300.0), by_region(100.0, 250.0, 100.0))
    assert balance["deficit"].values == pytest.approx([200, 0, 0])
    assert balance["surplus"].values == pytest.approx([0, 150, 0])
    assert balance["deficit"].attrs["units"] == "t C / yr"


LINE = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0))) * 100  # four regions 100 km apart on a line


def test_flows_by_hand() -> None:
    # deficits r0 50, r3 30; surpluses r1 40, r2 60: r1 → r0 40 (100 km), r2 → r0 10 (200 km), r2 → r3 30 (100 km)
    flows = compensation_flows(by_region(50.0, 0.0, 0.0, 30.0), by_region(0.0, 40.0, 60.0, 0.0), costs(LINE))
    assert listed(flows) == {("r1", "r0"): 40.0, ("r2", "r0"): 10.0, ("r2", "r3"): 30.0}
    assert total_cost(flows) == pytest.approx(40 * 100 + 10 * 200 + 30 * 100)
    assert flows["given"].values == pytest.approx([0, 40, 40, 0])
    assert flows["received"].values == pytest.approx([50, 0, 0, 30])
    assert flows["unmet_deficit"].values.tolist() == [0, 0, 0, 0]
    assert flows["unused_surplus"].values == pytest.approx([0, 0, 20, 0])
    assert flows["amount"].attrs["units"] == "t C / yr"
    assert flows["flow_cost"].attrs["units"] == "km"


def test_what_cannot_be_met_is_reported() -> None:
    flows = compensation_flows(by_region(50.0, 0.0, 0.0, 80.0), by_region(0.0, 40.0, 60.0, 0.0), costs(LINE))
    assert float(flows["unmet_deficit"].sum()) == pytest.approx(30)
    assert float(flows["unused_surplus"].sum()) == 0
    # the nearest needs go first: r2 serves r3 with 60, r1 serves r0 with 40; what is missing is 10 and 20
    assert flows["unmet_deficit"].values == pytest.approx([10, 0, 0, 20])


def test_no_deficit_or_no_surplus_gives_no_flow() -> None:
    none = by_region(0.0, 0.0, 0.0, 0.0)
    some = by_region(5.0, 0.0, 0.0, 0.0)
    assert compensation_flows(none, some, costs(LINE)).sizes["flow"] == 0
    empty = compensation_flows(some, none, costs(LINE))
    assert empty.sizes["flow"] == 0
    assert empty["unmet_deficit"].values.tolist() == [5, 0, 0, 0]


def test_groups_are_served_first_though_it_costs_more() -> None:
    deficit, surplus = by_region(50.0, 0.0, 0.0, 30.0), by_region(0.0, 40.0, 60.0, 0.0)
    flows = compensation_flows(deficit, surplus, costs(LINE), first_within={"south": ["r1", "r3"]})
    # r1 first gives 30 to r3 (200 km) inside the group; r0 then takes 10 of r1 and 40 of r2
    assert listed(flows) == {("r1", "r3"): 30.0, ("r1", "r0"): 10.0, ("r2", "r0"): 40.0}
    assert flows["stage"].values.tolist() == ["south", "", ""]
    assert flows["unmet_deficit"].values.tolist() == [0, 0, 0, 0]


def test_where_no_way_leads_no_flow_goes_and_coverage_comes_before_cost() -> None:
    far = np.full((4, 4), 100.0)
    far[1, 3] = np.inf  # r1 can only serve r0, r2 can serve both
    far[2, 0] = 1.0
    flows = compensation_flows(by_region(10.0, 0.0, 0.0, 10.0), by_region(0.0, 10.0, 10.0, 0.0), costs(far))
    # r2 → r0 would be cheapest, but then r3 would go without
    assert listed(flows) == {("r1", "r0"): 10.0, ("r2", "r3"): 10.0}
    cut_off = compensation_flows(by_region(10.0, 0.0), by_region(0.0, 10.0), costs([[0, 1], [np.inf, 0]]))
    assert cut_off.sizes["flow"] == 0
    assert cut_off["unmet_deficit"].values.tolist() == [10, 0]


def test_a_region_with_a_missing_figure_stands_aside() -> None:
    flows = compensation_flows(by_region(50.0, np.nan, 0.0, 30.0), by_region(0.0, 40.0, 60.0, 0.0), costs(LINE))
    assert listed(flows) == {("r2", "r0"): 30.0, ("r2", "r3"): 30.0}
    assert np.isnan(flows["given"].sel(region="r1"))
    assert np.isnan(compensation_payments(flows, 10.0).sel(region="r1"))


def test_units_are_brought_together() -> None:
    surplus = by_region(0.0, 0.004, 0.006, 0.0, units="10^4 t C / yr")
    flows = compensation_flows(by_region(50.0, 0.0, 0.0, 30.0), surplus, costs(LINE))
    assert listed(flows) == {("r1", "r0"): 40.0, ("r2", "r0"): 10.0, ("r2", "r3"): 30.0}


# ---- optimality


small = st.lists(st.integers(0, 3), min_size=2, max_size=2)


@settings(max_examples=60, deadline=None)
@given(wants=small, has=small, cost=st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_optimal_against_brute_force(wants: list[int], has: list[int], cost: list[int]) -> None:
    # two receivers r0 r1, two givers r2 r3; whole amounts suffice, since the corners of the programme are whole
    matrix = np.zeros((4, 4))
    matrix[2:, :2] = np.reshape(cost, (2, 2))
    flows = compensation_flows(
        by_region(*map(float, wants), 0.0, 0.0), by_region(0.0, 0.0, *map(float, has)), costs(matrix)
    )
    cover = min(sum(wants), sum(has))
    best = min(
        a * cost[0] + b * cost[1] + c * cost[2] + d * cost[3]
        for a, b, c, d in itertools.product(range(4), repeat=4)
        if a + b <= has[0] and c + d <= has[1] and a + c <= wants[0] and b + d <= wants[1] and a + b + c + d == cover
    )
    assert float(flows["received"].sum()) == pytest.approx(cover)
    assert total_cost(flows) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("closed", [0.0, 0.6])
def test_pricing_pairs_in_reaches_the_optimum_of_the_full_programme(
    seed: int, closed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compensation, "NEAREST", 2)  # so that many pairs have to be priced in
    random = np.random.default_rng(seed)
    demand, supply = random.uniform(0, 10, 12), random.uniform(0, 12, 9)
    cost = random.uniform(1, 50, (9, 12))
    cost[random.random(cost.shape) < closed] = np.inf
    matrix = np.full((21, 21), np.inf)
    matrix[12:, :12] = cost
    flows = compensation_flows(
        by_region(*demand, *np.zeros(9)), by_region(*np.zeros(12), *supply), costs(np.where(np.eye(21) > 0, 0, matrix))
    )
    open_pairs = np.isfinite(cost)
    one, two = np.nonzero(open_pairs)
    gives = np.array([one == giver for giver in range(9)]).astype(float)
    takes = np.array([two == receiver for receiver in range(12)]).astype(float)
    rows, limits = np.vstack([gives, takes]), np.concatenate([supply, demand])
    most = -linprog(-np.ones(len(one)), A_ub=rows, b_ub=limits).fun
    cheapest = linprog(cost[one, two], A_ub=rows, b_ub=limits, A_eq=np.ones((1, len(one))), b_eq=[most]).fun
    assert float(flows["received"].sum()) == pytest.approx(most)
    assert total_cost(flows) == pytest.approx(cheapest)


# ---- money


def test_payments_by_hand_and_zero_sum() -> None:
    flows = compensation_flows(by_region(50.0, 0.0, 0.0, 30.0), by_region(0.0, 40.0, 60.0, 0.0), costs(LINE))
    assert compensation_payments(flows, 10.0).values == pytest.approx([-500, 400, 400, -300])
    ranged = compensation_payments(flows, [10.0, 50.0])
    assert ranged.dims == ("region", "price")
    assert ranged.sel(price=50.0).values == pytest.approx([-2500, 2000, 2000, -1500])
    assert ranged.sum("region").values == pytest.approx([0, 0], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    demand=st.lists(st.floats(0, 1e9), min_size=3, max_size=3),
    supply=st.lists(st.floats(0, 1e9), min_size=3, max_size=3),
)
def test_what_is_given_is_received_and_paid_for(demand: list[float], supply: list[float]) -> None:
    matrix = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    flows = compensation_flows(by_region(*demand, 0, 0, 0), by_region(0, 0, 0, *supply), costs(matrix))
    scale = max(*demand, *supply, 1e-9)
    assert float(flows["given"].sum()) == pytest.approx(min(sum(demand), sum(supply)), rel=1e-6, abs=1e-6 * scale)
    assert abs(float(flows["given"].sum() - flows["received"].sum())) <= 1e-9 * scale
    assert abs(float(compensation_payments(flows, 3.0).sum())) <= 1e-8 * scale
    assert (flows["given"].values <= np.array([0, 0, 0, *supply]) + 1e-6 * scale).all()
    assert (flows["unmet_deficit"].values >= 0).all()


# ---- responsibility and distance


def test_responsibility_by_another_measure_keeps_the_total() -> None:
    burden = by_region(900.0, 300.0)
    per_head = responsible_burden(burden, by_region(10.0, 30.0, units="person"))
    assert per_head.values == pytest.approx([300, 900])
    assert per_head.attrs["units"] == "t C / yr"
    assert responsible_burden(burden, burden).values == pytest.approx(burden.values)


def test_borders_crossed_and_islands() -> None:
    adjacent = costs([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    hops = borders_crossed(adjacent)
    assert hops.sel(from_region="r0").values.tolist() == [0, 1, 2, np.inf]


def test_geodesic_distance_between_two_cities() -> None:
    # Beijing and Shanghai: 1,067 km on the ellipsoid (a sphere of 6,371 km gives 1,067.3)
    distance = region_distance(by_region(116.407, 121.474, units="1"), by_region(39.904, 31.230, units="1"))
    assert float(distance[0, 1]) == pytest.approx(1067, abs=2)
    assert float(distance[0, 1]) == float(distance[1, 0])
    assert float(distance[0, 0]) == 0
    assert distance.attrs["units"] == "km"


# ---- refusals


def test_wrong_inputs_are_refused() -> None:
    deficit, surplus = by_region(50.0, 0.0, 0.0, 30.0), by_region(0.0, 40.0, 60.0, 0.0)
    holed = costs(np.where(LINE == 300, np.nan, LINE))
    with pytest.raises(CobalanceError, match=r"E862.*2 costs.*r0 → r3"):
        compensation_flows(deficit, surplus, holed)
    with pytest.raises(CobalanceError, match=r"E203.*from_region.*r3"):
        compensation_flows(deficit, surplus, costs(LINE[:3, :3]))
    with pytest.raises(CobalanceError, match=r"E202.*compensation_flows\(surplus\)"):
        compensation_flows(deficit, by_region(0.0, 1.0, 1.0, 0.0, units="t O2 / yr"), costs(LINE))
    with pytest.raises(CobalanceError, match=r"E203.*region.*r3"):
        compensation_flows(deficit, by_region(0.0, 1.0, 1.0), costs(LINE))
    with pytest.raises(CobalanceError, match=r"E865.*'r9'"):
        compensation_flows(deficit, surplus, costs(LINE), first_within={"a": ["r0", "r9"]})
    with pytest.raises(CobalanceError, match=r"E865.*'r0'"):
        compensation_flows(deficit, surplus, costs(LINE), first_within={"a": ["r0"], "b": ["r0"]})


def test_wrong_prices_and_weights_are_refused() -> None:
    flows = compensation_flows(by_region(5.0, 0.0), by_region(0.0, 5.0), costs([[0, 1], [1, 0]]))
    with pytest.raises(CobalanceError, match=r"E863.*-1"):
        compensation_payments(flows, [1.0, -1.0])
    with pytest.raises(CobalanceError, match=r"E864.*weight.*r1"):
        responsible_burden(by_region(5.0, 1.0), by_region(1.0, np.nan, units="person"))
    with pytest.raises(CobalanceError, match=r"E864.*weight"):
        responsible_burden(by_region(5.0, 1.0), by_region(0.0, 0.0, units="person"))
