"""Further sources: the registry, its arithmetic, and what would be counted twice."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cobalance.coefficients import read_set, set_names
from cobalance.coefficients.sets import quantities
from cobalance.uncertainty.sources import (
    cement_carbonation,
    double_counting,
    source_carbon_emission,
    source_oxygen_consumption,
    source_registry,
)
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError


def texts(sources: list[str], basis: str = "gross") -> list[str]:
    return [problem.text("en") for problem in double_counting(sources, basis)]


def test_the_registry_is_whole() -> None:
    table = source_registry()
    assert table["source"].is_unique
    assert set(table["kind"]) == {"source", "sink"}
    assert {"lime", "steel", "livestock_respiration", "straw_burning", "waste_incineration", "ocean"} <= set(
        table["source"]
    )
    assert (table[["name_en", "name_zh", "unit", "oxygen", "note_en", "note_zh"]] != "").all().all()
    for unit in table["unit"]:
        units.parse(unit)
    assert set(table["quantity"]) - {""} <= set(quantities())


def test_a_quantity_that_the_registry_names_is_in_a_shipped_set() -> None:
    shipped = {quantity for name in set_names() for quantity in read_set(name)["quantity"]}
    assert set(source_registry()["quantity"]) - {""} <= shipped


def test_coke_beside_coal_is_warned_of_by_name() -> None:
    (text,) = texts(["coal", "coke", "gasoline"])
    assert text.startswith("W854")
    assert "coal and coke may count the same carbon twice: coke is made from coal" in text
    (chinese,) = [problem.text("zh") for problem in double_counting(["coal", "coke"], "gross")]
    assert "coal 与 coke 可能重复计碳：焦炭由煤炼成" in chinese


def test_crude_beside_its_products_is_one_notice_that_names_them_all() -> None:
    (text,) = texts(["crude_oil", "gasoline", "diesel", "natural_gas"])
    assert "crude_oil and gasoline, diesel may count" in text


def test_breath_and_harvest_collide_only_where_the_sink_is_net() -> None:
    sources = ["respiration", "livestock_respiration", "natural_gas"]
    assert texts(sources) == []
    found = texts(sources, "net")
    assert len(found) == 2
    assert all("the land's net sink" in text for text in found)


def test_what_does_not_overlap_is_not_warned_of() -> None:
    assert texts(["coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas", "cement", "respiration"]) == []


def activity() -> xr.DataArray:
    values = [[[100.0, 20.0]], [[0.0, np.nan]]]
    coords = {"region": ["A", "B"], "year": [2020], "source": ["lime", "dairy_cow"]}
    array = xr.DataArray(values, coords, attrs={"units": "{source_unit} / yr"})
    return array.assign_coords(source_unit=("source", ["t", "head"]))


def test_each_source_goes_by_its_own_unit() -> None:
    # lime: 100 t · 0.22 t C/t = 22; cows: 20 head · 4.7 t CO2 · 12/44 = 25.6363… t C; what is missing stays missing
    factor = xr.DataArray(
        [0.22 * 44 / 12, 4.7], {"source": ["lime", "dairy_cow"]}, attrs={"units": "t CO2 / {source_unit}"}
    )
    factor = factor.assign_coords(source_unit=("source", ["t", "head"]))
    carbon = source_carbon_emission(activity(), factor)
    np.testing.assert_allclose(carbon.values, [[[22.0, 20 * 4.7 * 12 / 44]], [[0.0, np.nan]]])
    assert carbon.attrs["units"] == "t C / yr"
    ratio = xr.DataArray([0.0, 8 / 3], {"source": ["lime", "dairy_cow"]}, attrs={"units": "t O2 / t C"})
    oxygen = source_oxygen_consumption(carbon, ratio)
    np.testing.assert_allclose(oxygen.sel(region="A", year=2020), [0.0, 20 * 4.7 * 32 / 44])


def test_factors_may_be_drawn() -> None:
    factor = xr.DataArray(
        [[0.2, 0.3], [1.0, 2.0]],
        {"source": ["lime", "dairy_cow"], "draw": [0, 1]},
        attrs={"units": "t C / {source_unit}"},
    ).assign_coords(source_unit=("source", ["t", "head"]))
    carbon = source_carbon_emission(activity(), factor)
    assert carbon.dims == ("region", "year", "source", "draw")
    np.testing.assert_allclose(carbon.sel(region="A", source="lime").values, [[20.0, 30.0]])


def test_a_source_without_a_factor_is_named() -> None:
    factor = xr.DataArray([0.2], {"source": ["lime"]}, attrs={"units": "t C / {source_unit}"})
    with pytest.raises(CobalanceError, match=r"E203 .*dairy_cow"):
        source_carbon_emission(activity(), factor.assign_coords(source_unit=("source", ["t"])))


def test_carbonation_is_a_share_of_the_process_carbon() -> None:
    carbon = xr.DataArray([[200.0]], {"region": ["A"], "year": [2020]}, attrs={"units": "t C / yr"})
    assert cement_carbonation(carbon, 0.5).item() == 100.0
