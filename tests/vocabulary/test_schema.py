"""Tables and Datasets: one conversion each way, and back to the same."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import CobalanceError, Problems

LABELS = st.lists(st.text("abc01_京津冀", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)
VALUES = st.floats(allow_infinity=False, width=64)


@st.composite
def land_areas(draw: st.DrawFn) -> xr.DataArray:
    regions, classes = draw(LABELS), draw(LABELS)
    years = draw(st.lists(st.integers(1900, 2100), min_size=1, max_size=3, unique=True))
    shape = (len(regions), len(years), len(classes))
    values = np.array(draw(st.lists(VALUES, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))))
    coordinates = {
        "region": np.array(regions, dtype=object),
        "year": years,
        "land_class": np.array(classes, dtype=object),
    }
    return xr.DataArray(
        values.reshape(shape), coords=coordinates, dims=list(coordinates), name="land_area", attrs={"units": "ha"}
    )


@given(land_areas())
@settings(deadline=None, max_examples=60)
def test_an_array_comes_back_from_its_table(area: xr.DataArray) -> None:
    xr.testing.assert_identical(schema.array(schema.table(area), "land_area"), area)


@given(land_areas())
@settings(deadline=None, max_examples=30)
def test_a_table_comes_back_through_a_csv_file(area: xr.DataArray) -> None:
    text = schema.table(area).to_csv(index=False)
    read = pd.read_csv(io.StringIO(text), dtype={"region": str, "land_class": str}, float_precision="round_trip")
    xr.testing.assert_equal(schema.array(read, "land_area"), area)


def _fuel_use() -> xr.DataArray:
    return xr.DataArray(
        [[[1.0, np.nan], [3.0, 4.0]]],
        coords={
            "region": np.array(["11"], object),
            "year": [1990, 2000],
            "fuel": np.array(["coal", "natural_gas"], object),
        },
        dims=["region", "year", "fuel"],
        name="fuel_use",
        attrs={"units": "{fuel_unit} / yr"},
    ).assign_coords(fuel_unit=("fuel", np.array(["t", "m3"], object)))


def test_each_fuels_unit_stands_in_its_rows() -> None:
    table = schema.table(_fuel_use())
    assert table["unit"].tolist() == ["t / yr", "m3 / yr"] * 2
    xr.testing.assert_identical(schema.array(table, "fuel_use"), _fuel_use())


def test_a_dataset_comes_back_with_all_its_variables() -> None:
    population = xr.DataArray(
        [[5.0, 6.0]],
        coords={"region": np.array(["11"], object), "year": [1990, 2000]},
        dims=["region", "year"],
        name="population",
        attrs={"units": "person"},
    )
    data = xr.Dataset({"fuel_use": _fuel_use(), "population": population})
    back = schema.dataset(schema.table(data))
    xr.testing.assert_identical(back["population"], population)
    xr.testing.assert_identical(back["fuel_use"], _fuel_use())


def test_cells_without_a_row_are_missing_not_zero() -> None:
    rows = schema.table(_fuel_use()).iloc[[0, 3]]
    assert np.isnan(schema.array(rows, "fuel_use").sel(year=1990, fuel="natural_gas").item())


def test_a_repeated_cell_names_both_rows() -> None:
    rows = schema.table(_fuel_use())
    with pytest.raises(CobalanceError, match="E209.*11, 1990, coal in rows 2, 6"):
        schema.array(pd.concat([rows, rows.iloc[[0]]], ignore_index=True), "fuel_use")


def test_missing_columns_and_unknown_variables_are_refused() -> None:
    with pytest.raises(CobalanceError, match="E210.*lacks the columns unit"):
        schema.array(schema.table(_fuel_use()).drop(columns="unit"), "fuel_use")
    with pytest.raises(CobalanceError, match="E211.*nearest: fuel_use"):
        schema.array(schema.table(_fuel_use()), "fuel_uses")


def test_one_variable_in_two_units_is_refused() -> None:
    rows = schema.table(_fuel_use())
    rows.loc[0, "unit"] = "kg / yr"
    with pytest.raises(CobalanceError, match=r"E212.*fuel_use\[coal\]"):
        schema.array(rows, "fuel_use")


def test_values_out_of_bounds_are_counted_and_the_first_named() -> None:
    problems = Problems()
    schema.check_bounds(_fuel_use() - 2, problems)
    (problem,) = problems
    assert problem.code == "E207"
    assert "fuel_use holds 1 values outside 0" in problem.text()
    assert "region=11, year=1990, fuel=coal: -1" in problem.text()


def test_the_vocabulary_has_both_languages_readable_units_and_known_dims() -> None:
    from cobalance.vocabulary import units

    for entry in schema.variables().values():
        assert entry.zh and entry.en and entry.definition_en and entry.definition_zh
        if entry.unit and "{" not in entry.unit:
            units.parse(entry.unit)
    assert schema.variable("carbon_balance_coefficient").title("zh") == "碳平衡系数"
    with pytest.raises(CobalanceError, match="nearest: population"):
        schema.variable("populatoin")
