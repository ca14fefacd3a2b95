"""Units as they are written, and the border that functions declare."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("万吨", "t", 1e4),
        ("亿吨", "t", 1e8),
        ("10^4 t", "t", 1e4),
        ("10⁴ t", "t", 1e4),
        ("1e4 t", "t", 1e4),
        ("kt", "t", 1e3),  # kilotonne, never a knot
        ("Mt CO2", "t C", 1e6 * 12 / 44),
        ("t CO2 ha-1 a-1", "t C / ha / yr", 12 / 44),
        ("g C m⁻² yr⁻¹", "t C / ha / yr", 0.01),  # 1 g/m2 = 1e-6 t / 1e-4 ha
        ("km²", "ha", 100),
        ("万公顷", "ha", 1e4),
        ("亩", "m2", 2000 / 3),
        ("1,000 acres", "ha", 404.68564224),
        ("亿立方米", "m3", 1e8),
        ("10^8 m3", "m3", 1e8),
        ("吨标准煤", "GJ", 29.3076),
        ("billion Btu", "GJ", 1055.05585262),
        ("kg C per million Btu", "t C / billion Btu", 1.0),  # 1e-3 t / 1e-3 billion
        ("t C / 10^4 m3", "t C / m3", 1e-4),
        ("t C/10⁴ m³", "t C / m3", 1e-4),
        ("10^4 persons", "person", 1e4),
        ("万人", "人", 1e4),
        ("吨/人/年", "t / person / yr", 1.0),
        ("%", "1", 0.01),
        ("kcal/kg", "kJ/kg", 4.1868),
    ],
)
def test_units_of_the_field_are_understood(source: str, target: str, expected: float) -> None:
    assert units.factor(source, target) == pytest.approx(expected, rel=1e-12)


def test_powers_of_ten_convert_exactly() -> None:
    assert units.factor("万吨", "t") == 10_000
    assert units.factor("10^8 m3", "m3") == 100_000_000


@pytest.mark.parametrize(
    ("source", "target", "remedy"),
    [
        ("t C", "t O2", "oxidative ratio"),
        ("t CO2", "t O2", "oxidative ratio"),
        ("t C", "t", "Correct the unit"),
        ("t", "GJ", "net calorific value"),
        ("t / yr", "t", "per year"),
        ("ha", "t", "Correct the unit"),
    ],
)
def test_different_dimensions_are_refused_with_what_to_do(source: str, target: str, remedy: str) -> None:
    with pytest.raises(CobalanceError, match=f"E202.*{remedy}"):
        units.factor(source, target)


@pytest.mark.parametrize("text", ["knot", "tonnage", "t C //", "t of coal", "立方", "t^"])
def test_what_is_not_a_unit_is_refused(text: str) -> None:
    with pytest.raises(CobalanceError, match="E206"):
        units.parse(text)


def test_dimension_in_plain_words() -> None:
    assert units.dimension("t C / ha / yr") == "carbon·mass / length^2 / time"
    assert units.dimension("%") == "1"


@given(
    st.sampled_from(["t", "万吨", "kg", "Mt", "lb"]), st.sampled_from(["t", "亿吨", "g"]), st.sampled_from(["t", "Gt"])
)
def test_conversions_compose(first: str, second: str, third: str) -> None:
    direct = units.factor(first, third)
    assert math.isclose(units.factor(first, second) * units.factor(second, third), direct, rel_tol=1e-12)


def _array(values: list[float], unit: str, **coordinates: list[str]) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, float), coords=coordinates, dims=list(coordinates), attrs={"units": unit})


@units.quantities(area="ha", rate="t C / ha / yr", returns="t C / yr")
def uptake(area: xr.DataArray, rate: xr.DataArray) -> xr.DataArray:
    return area * rate


@units.quantities(fuel_use="{fuel_unit} / yr", factor="t C / {fuel_unit}", returns="t C / yr")
def burnt(fuel_use: xr.DataArray, factor: xr.DataArray) -> xr.DataArray:
    return fuel_use * factor


def test_arguments_are_converted_at_the_border() -> None:
    area = _array([1.0, 2.0], "km2", land_class=["forest", "cropland"])  # 100 and 200 ha
    rate = _array([44.0, 88.0], "t CO2 / ha / yr", land_class=["forest", "cropland"])  # 12 and 24 t C
    result = uptake(area, rate)
    assert result.values.tolist() == pytest.approx([1200.0, 4800.0])
    assert result.attrs == {"units": "t C / yr"}
    assert result.name == "uptake"
    assert area.attrs == {"units": "km2"}, "the input is not changed"


def test_labels_in_another_order_are_matched_by_name() -> None:
    area = _array([1.0, 2.0], "ha", land_class=["forest", "cropland"])
    rate = _array([20.0, 10.0], "t C / ha / yr", land_class=["cropland", "forest"])
    result = uptake(area, rate)
    assert result["land_class"].values.tolist() == ["forest", "cropland"]
    assert result.values.tolist() == [10.0, 40.0]


def test_a_missing_class_is_named_never_dropped() -> None:
    area = _array([1.0, 2.0], "ha", land_class=["forest", "shrub"])
    rate = _array([5.0], "t C / ha / yr", land_class=["forest"])
    with pytest.raises(
        CobalanceError, match=r"E203.*uptake\(rate\): land_class lacks 'shrub', which uptake\(area\) has"
    ):
        uptake(area, rate)


def test_all_label_problems_are_told_at_once() -> None:
    area = _array([1.0, 2.0], "ha", land_class=["forest", "shrub"])
    rate = _array([5.0, 1.0, 1.0], "t C / ha / yr", land_class=["forest", "water", "water"])
    with pytest.raises(CobalanceError) as caught:
        uptake(area, rate)
    assert [problem.code for problem in caught.value.problems] == ["E204", "E203", "E203"]


def test_an_array_without_units_is_refused() -> None:
    area = _array([1.0], "ha", land_class=["forest"])
    with pytest.raises(CobalanceError, match=r"E201.*uptake\(rate\) has no units"):
        uptake(area, area.drop_attrs())


def test_a_bare_number_is_refused_where_a_unit_is_due() -> None:
    with pytest.raises(CobalanceError, match=r"E208.*uptake\(rate\) is a float"):
        uptake(_array([1.0], "ha", land_class=["forest"]), 3.0)  # type: ignore[arg-type]


def test_a_wrong_dimension_names_function_argument_found_and_expected() -> None:
    area = _array([1.0], "ha", land_class=["forest"])
    with pytest.raises(CobalanceError, match=r"E202.*uptake\(rate\) is in 't O2 / ha / yr'.*'t C / ha / yr'"):
        uptake(area, _array([1.0], "t O2 / ha / yr", land_class=["forest"]))


def test_each_fuel_stands_in_its_own_unit() -> None:
    fuels = ["coal", "natural_gas"]
    fuel_use = _array([2.0, 3.0], "10^4 {fuel_unit} / yr", fuel=fuels).assign_coords(fuel_unit=("fuel", ["t", "m3"]))
    factor = _array([0.5, 6.0], "t C / {fuel_unit}", fuel=fuels).assign_coords(fuel_unit=("fuel", ["t", "10^4 m3"]))
    result = burnt(fuel_use, factor)
    # coal: 2e4 t × 0.5 t C/t; gas: 3e4 m3 × 6 t C per 1e4 m3
    assert result.values.tolist() == pytest.approx([10_000.0, 18.0])


def test_heat_against_mass_is_refused_by_the_fuels_name_of_unit() -> None:
    fuel_use = _array([2.0], "{fuel_unit} / yr", fuel=["coal"]).assign_coords(fuel_unit=("fuel", ["t"]))
    factor = _array([0.026], "t C / {fuel_unit}", fuel=["coal"]).assign_coords(fuel_unit=("fuel", ["MMBtu"]))
    with pytest.raises(CobalanceError, match=r"E202.*burnt\(factor\).*MMBtu"):
        burnt(fuel_use, factor)
