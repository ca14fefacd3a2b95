"""Choosing and mixing sets: worked numbers, laws, refusals, notices."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.coefficients import DEFAULT_SELECTION, Coefficients, coefficients, read_set, set_names
from cobalance.coefficients.load import TABLE_COLUMNS
from cobalance.vocabulary.errors import CobalanceError

HEADING = "quantity,item,region,year,value,low,high,unit,basis,source,locator,status,note\n"


def loaded(selection: Any = DEFAULT_SELECTION, **changes: Any) -> Coefficients:
    arguments: dict[str, Any] = {
        "land_classes": ["forest", "cropland"],
        "fuels": ["coal", "gasoline"],
        "regions": ["11", "12"],
        "years": [2000, 2010],
        "fuel_units": {"coal": "t", "gasoline": "t"},
    }
    return coefficients(selection, **{**arguments, **changes})


def own_set(folder: Path, *rows: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text(HEADING + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def heat(fuels: dict[str, Any], selection: str | list[str] = "eia-gross") -> Coefficients:
    return loaded({"emission": selection}, fuels=list(fuels), fuel_units=fuels)


def codes(found: Coefficients) -> list[str]:
    return [notice.code for notice in found.notices]


# ---- worked numbers


def test_the_recommended_sets_give_the_printed_numbers() -> None:
    found = loaded()
    assert found.sequestration_rate.sel(land_class="forest").item() == 6.583
    # o = s · 32/12 · PQ = 6.583 · 2.6667 · 1 = 17.555
    assert found.oxygen_release_rate.sel(land_class="forest").item() == pytest.approx(17.5547, abs=1e-4)
    assert found.emission_factor.sel(fuel="coal").item() == 0.6656
    assert found.cement_factor.sel(year=2010).item() == 0.09411
    assert found.respiration_carbon.item() == 0.0995
    assert found.respiration_oxygen.item() == 0.307
    assert found.basis == "gross"


def test_arrays_have_only_the_dimensions_that_sets_tell_apart_and_say_their_units() -> None:
    found = loaded()
    assert found.sequestration_rate.dims == found.oxygen_release_rate.dims == ("land_class",)
    assert found.emission_factor.dims == found.oxygen_per_carbon.dims == ("fuel",)
    assert found.cement_factor.dims == ("year",)
    assert found.respiration_carbon.dims == ()
    expected = {
        "sequestration_rate": "t C / ha / yr",
        "oxygen_release_rate": "t O2 / ha / yr",
        "emission_factor": "t C / {fuel_unit}",
        "oxygen_per_carbon": "t O2 / t C",
        "cement_factor": "t C / t",
        "respiration_carbon": "t C / person / yr",
        "respiration_oxygen": "t O2 / person / yr",
    }
    for name, unit in expected.items():
        assert getattr(found, name).attrs["units"] == unit
        assert getattr(found, name).name == name
    assert found.emission_factor["fuel_unit"].values.tolist() == ["t", "t"]


def test_oxygen_per_carbon_is_the_molar_ratio_times_32_over_12() -> None:
    found = loaded(fuels=["coal", "diesel", "natural_gas", "lpg", "cement"], fuel_units={})
    # 1.17 · 32/12 = 3.12; 1.44 → 3.84; 1.95 → 5.20; 1.65 → 4.40; cement burns nothing
    assert found.oxygen_per_carbon.values == pytest.approx([3.12, 3.84, 5.20, 4.40, 0.0])
    coal = found.table.query("quantity == 'oxygen_per_carbon' and item == 'coal'").iloc[0]
    # bounds ± 2σ of 3 %: 1.10 · 32/12 = 2.933, 1.24 · 32/12 = 3.307
    assert (coal["low"], coal["high"]) == (pytest.approx(2.9333, abs=1e-4), pytest.approx(3.3067, abs=1e-4))
    assert coal["status"] == "D" and coal["locator"].endswith("× 32/12")


def test_gross_heat_factor_goes_with_fuel_in_billion_btu() -> None:
    # 26.0 kg C per million Btu = 26.0 t C per billion Btu
    found = heat({"coal": "billion Btu", "diesel": "MMBtu"})
    assert found.emission_factor.sel(fuel="coal").item() == pytest.approx(26.0)
    assert found.emission_factor.sel(fuel="diesel").item() == pytest.approx(19.95 / 1000)
    # 11 314 840 billion Btu of coal (US 2019) · 26.0 t C = 294.2 Mt C
    assert 11_314_840 * found.emission_factor.sel(fuel="coal").item() == pytest.approx(294.186e6, rel=1e-5)


def test_per_tce_goes_with_fuel_in_standard_coal_and_with_fuel_in_tonnes() -> None:
    found = loaded({"emission": "per-tce"}, fuel_units={"coal": "tce", "gasoline": "t"})
    # coal 0.7559 t C/tce; gasoline 0.5538 t C/tce · 1.4714 tce/t = 0.8149 t C/t
    assert found.emission_factor.values == pytest.approx([0.7559, 0.8149])
    assert codes(found) == []


def test_kilojoule_and_tce_agree_through_the_heat_of_standard_coal() -> None:
    in_gj = heat({"coal": ("GJ", "net heat")}, "per-tce").emission_factor.item()
    # 0.7559 t C / 29.3076 GJ = 0.025792 t C/GJ = 25.79 kg C/GJ, IPCC 25.8
    assert in_gj == pytest.approx(0.7559 / 29.3076)
    ipcc = heat({"coal": ("GJ", "net heat")}, "ipcc2006-energy").emission_factor.item()
    assert ipcc == pytest.approx(0.0258)


def test_gas_by_volume_in_the_units_of_yearbooks() -> None:
    for unit, scale in (("m3", 1.0), ("10^4 m3", 1e4), ("亿立方米", 1e8)):
        found = heat({"natural_gas": unit}, "china-specific")
        # 38931 kJ/m3 · 15.3 kg C/GJ · 0.99 = 5.897e-4 t C/m3
        assert found.emission_factor.item() == pytest.approx(5.89687e-4 * scale, rel=1e-4)


def test_printed_oxygen_is_used_before_the_quotient() -> None:
    found = loaded({"sequestration": "npp-literature"}, land_classes=["forest", "grassland"])
    # forest 14.3 as printed; grassland 2.31 · 32/12 = 6.16
    assert found.oxygen_release_rate.values == pytest.approx([14.3, 6.16])
    forest, grassland = found.table.query("quantity == 'oxygen_release_rate'").to_dict("records")
    assert "photosynthesis" not in forest["locator"]
    assert "× 32/12 × 1 (photosynthesis: pq-1)" in grassland["locator"]
    assert grassland["status"] == "R", "what is derived from a recalled rate is no firmer than it"


def test_another_quotient_scales_the_oxygen_and_widens_its_bounds() -> None:
    found = loaded({"sequestration": "paper-fit", "photosynthesis": "pq-land-biosphere"}, land_classes=["forest"])
    row = found.table.query("quantity == 'oxygen_release_rate'").iloc[0]
    # 7.9 (6.7–8.8) · 32/12 · 1.1 (1.05–1.15) = 23.17 (18.76–26.99)
    assert row["value"] == pytest.approx(7.9 * 32 / 12 * 1.1)
    assert row["low"] == pytest.approx(6.7 * 32 / 12 * 1.05)
    assert row["high"] == pytest.approx(8.8 * 32 / 12 * 1.15)


def test_bounds_of_a_negative_rate_stay_in_order() -> None:
    found = loaded({"sequestration": "inventory-net", "photosynthesis": "pq-land-biosphere"}, land_classes=["cropland"])
    row = found.table.query("quantity == 'oxygen_release_rate'").iloc[0]
    # −0.0273 (−0.273 … 0.327): the lowest corner is −0.273 · 1.15, the highest 0.327 · 1.15
    assert row["low"] == pytest.approx(-0.273 * 1.15 * 32 / 12)
    assert row["high"] == pytest.approx(0.327 * 1.15 * 32 / 12)
    assert found.basis == "net"


# ---- cement by year


def test_cement_between_years_is_interpolated_and_marked() -> None:
    found = loaded(years=[1990, 1994, 1998, 2018])
    # (0.108 + 0.1057)/2 = 0.10685 in 1994; (0.0824 + 0.09438)/2 = 0.08839 in 2018
    assert found.cement_factor.values == pytest.approx([0.108, 0.10685, 0.1057, 0.08839])
    rows = found.table.query("quantity == 'cement_factor'").set_index("year")
    assert rows.loc[1994, "locator"].endswith("interpolated between 1990 and 1998")
    assert rows.loc[2018, "locator"].endswith("interpolated between 2016 and 2020")
    assert "interpolated" not in rows.loc[1998, "locator"]
    assert rows["status"].tolist() == ["R", "R", "D", "R"]
    assert "W503" not in codes(found)


def test_cement_outside_its_series_is_held_with_a_notice() -> None:
    found = loaded(years=[1985, 2016, 2030])
    assert found.cement_factor.values.tolist() == [0.108, 0.0824, 0.09438]
    (notice,) = [notice for notice in found.notices if notice.code == "W503"]
    assert "nothing for 1985, 2030; the nearest year, 1990, 2020, is used" in notice.text()


def test_a_cement_factor_without_years_holds_for_each() -> None:
    found = loaded({"cement": "cement-ceads"})
    assert found.cement_factor.dims == ("year",)
    assert found.cement_factor.values.tolist() == [0.07925, 0.07925]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1990, 2020), min_size=1, max_size=8, unique=True))
def test_interpolated_years_lie_between_their_neighbours(years: list[int]) -> None:
    rows = read_set("cement-andrew2025").query("quantity == 'cement_factor'")
    known = dict(zip(rows["year"].astype(int), rows["value"], strict=True))
    found = loaded(years=sorted(years)).cement_factor
    for year in years:
        before = max(other for other in known if other <= year)
        after = min(other for other in known if other >= year)
        low, high = sorted((known[before], known[after]))
        assert low - 1e-12 <= found.sel(year=year).item() <= high + 1e-12


# ---- mixing and the user's own


def test_items_may_come_from_different_sets() -> None:
    found = loaded(
        {"emission": {"default": "china-specific", "lpg": "ipcc2006"}},
        fuels=["coal", "lpg"],
        fuel_units={"coal": "t", "lpg": "t"},
    )
    assert found.emission_factor.values == pytest.approx([0.540932, 0.8136])
    used = found.table.query("quantity == 'emission_factor'")
    assert used["set"].tolist() == ["china-specific", "ipcc2006"]


def test_the_first_set_that_has_an_item_decides() -> None:
    found = loaded({"sequestration": ["npp-haihe", "npp-footprint"]}, land_classes=["cropland", "water"])
    assert found.sequestration_rate.values.tolist() == [2.9522, 5.344]


def test_a_users_row_for_a_region_overrides_the_one_for_all(tmp_path: Path) -> None:
    own = own_set(
        tmp_path,
        "sequestration_rate,forest,11,,3.0,2.0,4.0,t C / ha / yr,gross,own plots,p. 1,U,",
        "oxygen_release_rate,forest,11,,9.0,,,t O2 / ha / yr,gross,own plots,p. 1,U,",
    )
    found = loaded({"sequestration": [own, "npp-footprint"]})
    assert found.sequestration_rate.dims == ("land_class", "region")
    assert found.sequestration_rate.sel(land_class="forest").values.tolist() == [3.0, 6.583]
    assert found.sequestration_rate.sel(land_class="cropland").values.tolist() == [4.243, 4.243]
    assert found.oxygen_release_rate.sel(land_class="forest").values == pytest.approx([9.0, 17.5547], abs=1e-4)
    forest = found.table.query("quantity == 'sequestration_rate' and item == 'forest'")
    assert forest[["region", "set", "status"]].values.tolist() == [["11", "own.csv", "U"], ["*", "npp-footprint", "S"]]
    assert forest["low"].iloc[0] == 2.0


def test_a_row_for_all_that_no_region_needs_is_not_listed(tmp_path: Path) -> None:
    rows = [
        f"respiration_carbon,person,{region},,0.{region},,,t C / person / yr,,own,p. 1,U," for region in ("11", "12")
    ]
    own = own_set(tmp_path, *rows, "respiration_carbon,person,*,,0.5,,,t C / person / yr,,own,p. 1,U,")
    found = loaded({"respiration": [own, "nasa-rp1324"]})
    assert found.respiration_carbon.values.tolist() == [0.11, 0.12]
    assert found.table.query("quantity == 'respiration_carbon'")["region"].tolist() == ["11", "12"]
    assert found.respiration_oxygen.item() == 0.307, "what the first set lacks comes from the next"


def test_outside_a_series_the_row_without_a_year_holds(tmp_path: Path) -> None:
    own = own_set(
        tmp_path,
        "cement_factor,cement,*,,0.10,,,t C / t,process,own,p. 1,U,",
        "cement_factor,cement,*,2000,0.12,,,t C / t,process,own,p. 1,U,",
        "cement_factor,cement,*,2004,0.08,,,t C / t,process,own,p. 1,U,",
    )
    found = loaded({"cement": own}, years=[1990, 2000, 2001, 2010])
    # 2001: 0.12 · 3/4 + 0.08 · 1/4 = 0.11
    assert found.cement_factor.values == pytest.approx([0.10, 0.12, 0.11, 0.10])
    assert codes(found) == []


def test_a_quotient_may_differ_by_region(tmp_path: Path) -> None:
    own = own_set(
        tmp_path,
        "photosynthetic_quotient,*,*,,1.0,,,1,,own,p. 1,U,",
        "photosynthetic_quotient,*,12,,1.2,,,1,,own,p. 1,U,",
    )
    found = loaded({"photosynthesis": own}, land_classes=["forest"])
    assert found.sequestration_rate.dims == ("land_class",)
    # 6.583 · 32/12 · 1.0 and · 1.2
    assert found.oxygen_release_rate.values[0] == pytest.approx([17.5547, 21.0656], abs=1e-4)


def test_a_row_for_every_item_stands_under_the_item_it_served(tmp_path: Path) -> None:
    own = own_set(
        tmp_path,
        "oxidative_ratio,*,*,,1.5,,,1,,own,p. 1,U,",
        "oxidative_ratio,coal,*,,1.2,,,1,,own,p. 1,U,",
    )
    found = loaded({"oxygen": own})
    # 1.2 · 32/12 = 3.2 for coal, 1.5 · 32/12 = 4.0 for whatever else
    assert found.oxygen_per_carbon.values == pytest.approx([3.2, 4.0])
    assert found.table.query("quantity == 'oxygen_per_carbon'")["item"].tolist() == ["coal", "gasoline"]


def test_a_users_unit_is_converted_and_the_set_number_kept(tmp_path: Path) -> None:
    own = own_set(tmp_path, "sequestration_rate,forest,*,,0.5,0.4,0.6,kg C / m2 / yr,gross,own plots,p. 1,U,")
    found = loaded({"sequestration": str(own)}, land_classes=["forest"])
    # 0.5 kg C/m2 = 5 t C/ha
    row = found.table.query("quantity == 'sequestration_rate'").iloc[0]
    assert (row["value"], row["low"], row["high"]) == pytest.approx((5.0, 4.0, 6.0))
    assert row["unit"] == "t C / ha / yr"
    assert row["locator"] == "p. 1; 0.5 kg C / m2 / yr in the set"


def test_sources_of_an_inventory_need_no_emission_factor() -> None:
    found = loaded(fuels=["coal", "cement", "respiration"], fuel_units={"coal": "t"})
    assert found.emission_factor["fuel"].values.tolist() == ["coal"]
    # respiration: (0.84/32) / (1.00/44) · 32/12 = 1.155 · 2.667 = 3.08
    assert found.oxygen_per_carbon.values == pytest.approx([3.12, 0.0, 3.08])


def test_nothing_asked_for_gives_empty_arrays() -> None:
    found = loaded(land_classes=[], fuels=[], fuel_units={}, years=[])
    assert found.sequestration_rate.sizes == {"land_class": 0}
    assert found.emission_factor.sizes == {"fuel": 0}
    assert found.cement_factor.sizes == {"year": 0}
    assert found.basis == ""


def test_a_family_that_is_not_wanted_is_missing_and_brings_no_notice() -> None:
    found = loaded({"cement": None, "respiration": None}, years=[1990, 2030])
    assert found.cement_factor.dims == ("year",)
    assert np.isnan(found.cement_factor.values).all() and np.isnan(found.respiration_carbon.item())
    assert not {"cement_factor", "respiration_carbon"} & set(found.table["quantity"])
    assert codes(found) == []


# ---- laws


def test_table_and_arrays_hold_the_same_numbers() -> None:
    found = loaded({"emission": "eia-gross"}, fuel_units={"coal": "billion Btu", "gasoline": "GJ"})
    assert tuple(found.table.columns) == TABLE_COLUMNS
    dims = {"sequestration_rate": "land_class", "oxygen_release_rate": "land_class"}
    for row in found.table.itertuples():
        array = getattr(found, row.quantity)
        at = {dims.get(row.quantity, "fuel"): row.item} if {"land_class", "fuel"} & set(array.dims) else {}
        at |= {} if pd.isna(row.year) else {"year": row.year}
        assert array.sel(at).item() == row.value
        for bound, sign in ((row.low, 1), (row.high, -1)):
            assert math.isnan(bound) or sign * bound <= sign * row.value


TONNES = {"g": 1e-6, "kg": 1e-3, "t": 1.0, "10^4 t": 1e4, "亿吨": 1e8, "lb": 453.59237e-6}


@pytest.mark.parametrize("name", ["ipcc2006", "china-specific", "du-limin"])
@pytest.mark.parametrize("unit", TONNES)
def test_carbon_does_not_depend_on_the_unit_of_the_fuel(unit: str, name: str) -> None:
    in_tonnes = heat({"coal": "t"}, name).emission_factor.item()
    assert heat({"coal": unit}, name).emission_factor.item() == pytest.approx(in_tonnes * TONNES[unit])


@settings(max_examples=20, deadline=None)
@given(st.permutations(["forest", "cropland", "grassland", "water", "wetland", "built"]))
def test_labels_keep_their_order_and_their_numbers(classes: list[str]) -> None:
    found = loaded(land_classes=classes)
    assert found.sequestration_rate["land_class"].values.tolist() == classes
    rates = read_set("npp-footprint").set_index("item")["value"]
    assert found.sequestration_rate.values.tolist() == rates[classes].tolist()


def test_the_choice_is_not_changed_and_the_same_twice() -> None:
    selection = {"emission": {"default": ["china-specific", "ipcc2006"]}, "sequestration": "npp-footprint"}
    before = repr(selection)
    one, two = loaded(selection), loaded(selection)
    assert repr(selection) == before
    pd.testing.assert_frame_equal(one.table, two.table)
    assert np.array_equal(one.emission_factor.values, two.emission_factor.values)


REGIONAL = ("ipcc2006-forest", "ipcc2019-forest")  # by continent: to be copied into a set of one's own


@pytest.mark.parametrize("name", [name for name in set_names() if name not in REGIONAL])
def test_every_shipped_rate_and_factor_can_be_chosen(name: str, tmp_path: Path) -> None:
    frame = read_set(name)
    land = list(dict.fromkeys(frame.loc[frame["quantity"] == "sequestration_rate", "item"]))
    factors = frame[frame["quantity"] == "emission_factor"].drop_duplicates("item").set_index("item")
    fuel_units = {str(item): str(unit).partition(" / ")[2] for item, unit in factors["unit"].items()}
    ratio = own_set(tmp_path, "oxidative_ratio,*,*,,1.4,,,1,,any,p. 1,U,")
    found = loaded(
        {"sequestration": name if land else "npp-footprint", "emission": name, "oxygen": ratio},
        land_classes=land,
        fuels=list(fuel_units),
        fuel_units=fuel_units,
    )
    assert found.sequestration_rate.notnull().all() and found.oxygen_release_rate.notnull().all()
    printed = [0.001 if unit.startswith("kg C") else 1.0 for unit in factors["unit"]] * factors["value"].to_numpy()
    assert found.emission_factor.values == pytest.approx(printed, rel=1e-12)


# ---- refusals


REFUSED = {
    "family": ({"emision": "ipcc2006"}, {}, "E520", r"'emision' is not a family.*nearest: emission"),
    "set": ({"oxygen": "oxidative-ratios"}, {}, "E501", r"coefficients\.oxygen: .*nearest: oxidative-ratio"),
    "number for a set": ({"cement": 0.1}, {}, "E521", r"coefficients\.cement: 0\.1 is no choice"),
    "no default": ({"emission": {"coal": "ipcc2006"}}, {}, "E521", r"coefficients\.emission"),
    "empty list": ({"emission": []}, {}, "E521", r"\[\] is no choice"),
    "item": (
        {"emission": {"default": "ipcc2006", "gasolin": "per-tce"}}, {}, "E522", r"'gasolin'.*nearest: gasoline",
    ),
    "land class": (
        {}, {"land_classes": ["forest", "shrub"]}, "E523",
        r"npp-footprint has no sequestration_rate for 'shrub'.*sets that have one: npp-haihe, .*CSV of your own",
    ),
    "fuel": (
        {"emission": "china-specific"}, {"fuels": ["lpg"], "fuel_units": {"lpg": "t"}}, "E523",
        r"china-specific has no emission_factor for 'lpg'.*ipcc2006",
    ),
    "heat factor for tonnes": (
        {"emission": "eia-gross"}, {"fuels": ["coal"], "fuel_units": {"coal": "t"}}, "E524",
        r"in eia-gross is in kg C / MMBtu, but the fuel is measured in t\..*china-specific.*ipcc2006",
    ),
    "mass factor for heat": (
        {}, {"fuels": ["coal"], "fuel_units": {"coal": "TJ"}}, "E524", r"ipcc2006 is in t C / t.*TJ.*ipcc2006-energy",
    ),
    "gross with net": (
        {"sequestration": {"default": "npp-footprint", "garden": "ipcc-garden"}},
        {"land_classes": ["forest", "garden"]}, "E525",
        r"mix gross and net: gross forest \(npp-footprint\); net garden \(ipcc-garden\)",
    ),
    "gross factor, net heat": (
        {"emission": "eia-gross"}, {"fuels": ["coal"], "fuel_units": {"coal": ("GJ", "net heat")}}, "E526",
        r"heat of 'coal' is net heat, but its factor in eia-gross is on gross heat.*ipcc2006-energy, per-tce\)",
    ),
    "standard coal is net": (
        {"emission": "eia-gross"}, {"fuels": ["coal"], "fuel_units": {"coal": "万吨标准煤"}}, "E526", r"is net heat",
    ),
    "region": (
        {"sequestration": "ipcc2019-forest"}, {"land_classes": ["boreal_coniferous"]}, "E527",
        r"only in Asia, Europe, North America; nothing holds for 11, 12",
    ),
    "unit for no fuel": ({}, {"fuel_units": {"coal": "t", "gasolene": "t"}}, "E528", r"'gasolene'.*nearest: gasoline"),
    "basis word": ({}, {"fuel_units": {"coal": ("GJ", "net"), "gasoline": "t"}}, "E529", r"basis of 'coal' is 'net'"),
    "basis of a mass": (
        {}, {"fuel_units": {"coal": ("t", "net heat"), "gasoline": "t"}}, "E529", r"only for a fuel in heat units",
    ),
    "two bases": (
        {"emission": {"default": "eia-gross", "coal": "ipcc2006-energy"}},
        {"fuel_units": {"coal": "GJ", "gasoline": "GJ"}}, "E530", r"net heat coal; gross heat gasoline",
    ),
    "unit": ({}, {"fuel_units": {"coal": "barrow", "gasoline": "t"}}, "E206", r"fuel_units\.coal: 'barrow'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_choice_that_does_not_fit_is_refused(case: str) -> None:
    selection, changes, code, message = REFUSED[case]
    with pytest.raises(CobalanceError, match=message) as refused:
        loaded(selection, **changes)
    assert code in [problem.code for problem in refused.value.problems]
    assert all(problem.text("zh") for problem in refused.value.problems)


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    own = own_set(tmp_path, "cement_factor,cement,*,,x,,,t C / t,process,own,p. 1,U,")
    with pytest.raises(CobalanceError) as refused:
        loaded({"sequestration": "lucc-nett", "cement": own}, fuels=["coal", "peat"], fuel_units={"coal": "m3"})
    assert [problem.code for problem in refused.value.problems] == ["E501", "E504", "E524"]
    assert refused.value.problems[1].place.row == 2


# ---- notices


def test_recalled_and_fitted_numbers_are_noticed() -> None:
    found = loaded({"sequestration": "paper-fit", "respiration": "chinese-literature"}, years=[2000])
    weak = {notice.code: notice.text() for notice in found.notices}
    assert set(weak) == {"W501", "W502"}
    assert "respiration_carbon person (chinese-literature)" in weak["W501"]
    assert "sequestration_rate forest (paper-fit)" in weak["W502"]


def test_the_paper_emulation_says_that_it_is_fitted() -> None:
    found = loaded({"emission": "paper-emulation", "oxygen": "paper-emulation"}, years=[2000])
    assert found.oxygen_per_carbon.values.tolist() == [4.29, 5.28]
    assert codes(found) == ["W502"]


def test_a_study_on_sourced_numbers_alone_has_no_notice() -> None:
    assert codes(loaded(years=[1998, 2010])) == []


def test_an_unstated_heat_basis_is_noticed_and_a_stated_one_is_not() -> None:
    assert codes(heat({"coal": "billion Btu"})) == ["W504"]
    assert codes(heat({"coal": ("billion Btu", "gross heat")})) == []
