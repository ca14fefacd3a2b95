"""Levers: by hand, closing what they claim to close, Shanghai's printed numbers, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.accounts.levers import closing_levers, closing_switch, switch_ratio, switched_burden
from cobalance.vocabulary.errors import CobalanceError

SOURCES = ["coal", "natural_gas", "cement"]


def burden(*rows: list[float], units: str = "t C / yr") -> xr.DataArray:
    coords = {"region": [f"r{number}" for number in range(len(rows))], "source": SOURCES}
    return xr.DataArray(list(rows), dims=("region", "source"), coords=coords, attrs={"units": units})


def capacity(*values: float, units: str = "t C / yr") -> xr.DataArray:
    coords = {"region": [f"r{number}" for number in range(len(values))]}
    return xr.DataArray(list(values), dims="region", coords=coords, attrs={"units": units})


def test_levers_by_hand() -> None:
    # E = 600 + 200 + 100 = 900, S = 200, φ = 1/3: the land carries 600, so 300 have to go
    levers = closing_levers(burden([600.0, 200.0, 100.0]), capacity(200.0)).isel(region=0)
    assert levers["excess_burden"].item() == pytest.approx(300)
    assert levers["emission_cut"].item() == pytest.approx(100 / 3)
    assert levers["source_cut"].values == pytest.approx([50, 150, 300])  # coal alone could, gas and cement could not
    assert levers["rate_gain"].item() == pytest.approx(50)  # 900/3 = 300 against 200
    assert levers["compensation"].item() == pytest.approx(100)
    assert levers["compensation"].attrs["units"] == "t C / yr"
    assert levers["source_cut"].dims == ("source",)


def test_no_gap_needs_no_lever() -> None:
    levers = closing_levers(burden([60.0, 20.0, 10.0]), capacity(200.0))
    for name in levers.data_vars:
        assert (levers[name] == 0).all(), name


@pytest.mark.parametrize(
    ("target", "gap", "cut"),
    # E/S = 3 (gap + 1) = 19.69 and 40.37; the cut is 1 − 3/(E/S) = 1 − 1/(gap + 1)
    [("C", 556.37, 84.76), ("O2", 1245.60, 92.57)],
)
def test_shanghais_levers_on_its_printed_numbers(target: str, gap: float, cut: float) -> None:
    ratio = 3 * (gap / 100 + 1)
    shares = np.array([0.7, 0.2, 0.1])
    levers = closing_levers(
        burden((ratio * shares).tolist(), units=f"t {target} / yr"), capacity(1.0, units=f"t {target} / yr")
    ).isel(region=0)
    assert round(levers["emission_cut"].item(), 2) == cut
    assert levers["rate_gain"].item() == pytest.approx(gap)
    assert levers["compensation"].item() == pytest.approx(gap / 100)  # in units of the city's own uptake
    assert levers["compensation"].attrs["units"] == f"t {target} / yr"
    assert (levers["source_cut"] > 100).all()  # no single source is enough


def test_what_is_missing_or_not_positive_stays_undefined() -> None:
    levers = closing_levers(burden([np.nan, 1.0, 1.0], [3.0, 3.0, 3.0], [0.0, 3.0, 3.0]), capacity(1.0, -2.0, np.nan))
    assert levers["emission_cut"].isnull().values.tolist() == [True, False, True]
    assert levers["emission_cut"].values[1] == pytest.approx(100)  # a net source carries nothing: all has to go
    assert np.isnan(levers["rate_gain"].values[1])
    assert levers["compensation"].values[1] == pytest.approx(3 + 2)
    assert not np.isinf(levers.to_array()).any()


def test_coal_to_gas_saves_carbon_and_next_to_no_oxygen() -> None:
    factor = xr.DataArray([25.8, 15.3], dims="fuel", coords={"fuel": ["coal", "natural_gas"]})
    per_carbon = xr.DataArray([1.17 * 32 / 12, 1.95 * 32 / 12], dims="fuel", coords={"fuel": ["coal", "natural_gas"]})
    ratio = switch_ratio(factor.assign_attrs(units="kg C / GJ"), per_carbon.assign_attrs(units="t O2 / t C"))
    assert ratio["carbon"].item() == pytest.approx(0.5930, abs=5e-5)
    assert ratio["oxygen"].item() == pytest.approx(0.9884, abs=5e-5)


def test_a_switch_by_hand() -> None:
    # half of 600 goes; 300 · .6 = 180 comes to gas
    after = switched_burden(burden([600.0, 200.0, 100.0]), 0.6, 0.5)
    assert after.isel(region=0).values == pytest.approx([300, 380, 100])
    # E = 900, S = 200: 300 have to go, a full switch saves 240: not enough; with S = 240 it takes 180 of 240
    assert closing_switch(burden([600.0, 200.0, 100.0]), capacity(200.0), 0.6).item() == pytest.approx(125)
    assert closing_switch(burden([600.0, 200.0, 100.0]), capacity(240.0), 0.6).item() == pytest.approx(75)
    assert closing_switch(burden([600.0, 200.0, 100.0]), capacity(999.0), 0.6).item() == 0
    assert np.isnan(closing_switch(burden([600.0, 200.0, 100.0]), capacity(200.0), 1.2).item())  # saves nothing


tonnes = st.floats(1.0, 1e6)


@settings(deadline=None, max_examples=40)
@given(values=st.lists(tonnes, min_size=3, max_size=3), own=tonnes, phi=st.floats(0.1, 1.0))
def test_every_lever_closes_the_gap_it_is_stated_for(values: list[float], own: float, phi: float) -> None:
    given_burden, given_capacity = burden(values), capacity(own)
    levers = closing_levers(given_burden, given_capacity, phi).isel(region=0)
    total = sum(values)
    if phi * total <= own:
        assert levers["emission_cut"].item() == levers["rate_gain"].item() == 0
        return
    assert phi * total * (1 - levers["emission_cut"].item() / 100) == pytest.approx(own)
    assert phi * total == pytest.approx(own * (1 + levers["rate_gain"].item() / 100))
    assert phi * total == pytest.approx(own + levers["compensation"].item())
    for number, cut in enumerate(levers["source_cut"].values):
        if cut <= 100:
            assert phi * (total - values[number] * cut / 100) == pytest.approx(own)
    switch = closing_switch(given_burden, given_capacity, 0.6, phi).item()
    if switch <= 100:
        after = switched_burden(given_burden, 0.6, switch / 100)
        assert phi * float(after.sum()) == pytest.approx(own)


def test_wrong_sources_and_shares_are_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E841.*'naturalgas'.*nearest: natural_gas"):
        switched_burden(burden([1.0, 1.0, 1.0]), 0.6, 0.5, "coal", "naturalgas")
    with pytest.raises(CobalanceError, match=r"E841 .*closing_switch.*'oil'"):
        closing_switch(burden([1.0, 1.0, 1.0]), capacity(1.0), 0.6, from_source="oil")
    with pytest.raises(CobalanceError, match=r"E842.*50"):
        switched_burden(burden([1.0, 1.0, 1.0]), 0.6, 50)


def test_units_of_the_two_targets_do_not_mix() -> None:
    with pytest.raises(CobalanceError, match=r"E202.*capacity"):
        closing_levers(burden([1.0, 1.0, 1.0], units="t O2 / yr"), capacity(1.0))
