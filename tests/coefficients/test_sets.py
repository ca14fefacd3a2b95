"""The shipped sets against arithmetic, and the refusals of a user's own file."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pandas as pd
import pytest

from cobalance.coefficients.sets import (
    COLUMNS,
    STATUSES,
    coefficient_sets,
    quantities,
    read_set,
    set_names,
)
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "coefficients" / "coefficients.csv"
GOOD = {
    "quantity": "sequestration_rate",
    "item": "garden",
    "region": "*",
    "year": "",
    "value": "0.9",
    "low": "0.5",
    "high": "1.3",
    "unit": "t C / ha / yr",
    "basis": "net",
    "source": "own plots",
    "locator": "field book",
    "status": "U",
    "note": "",
}


def number(name: str, quantity: str, item: str, unit: str | None = None) -> float:
    rows = read_set(name).query("quantity == @quantity and item == @item")
    rows = rows if unit is None else rows[rows["unit"] == unit]
    (value,) = rows["value"]
    return float(value)


def written(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("name", set_names())
def test_a_shipped_set_is_valid_and_every_row_can_be_traced(name: str) -> None:
    frame = read_set(name)
    assert len(frame) > 0
    assert list(frame.columns) == ["set", *COLUMNS]
    assert (frame["source"] != "").all()
    assert (frame["locator"] != "").all()
    assert set(frame["status"]) <= set(STATUSES) - {"U"}
    land = frame[frame["quantity"].isin(["sequestration_rate", "oxygen_release_rate"])]
    assert land["basis"].nunique() <= 1, "gross and net never share a file"


def test_the_sets_of_the_method_are_all_there() -> None:
    expected = {
        "china-specific", "ipcc2006", "ipcc2006-energy", "per-tce", "paper-emulation", "eia-gross", "epa-gross",
        "china-provincial-2011", "china-provincial-2025", "china-enterprise", "ndrc-2007", "du-limin", "gbt2589",
        "cement-andrew2025", "cement-ipcc2006", "nasa-rp1324", "chinese-literature", "oxidative-ratio",
        "npp-footprint", "npp-literature", "inventory-net", "lucc-net", "paper-fit", "npp-haihe", "npp-anhui",
        "ipcc2006-forest", "ipcc2019-forest", "pq-1",
    }  # fmt: skip
    assert expected <= set(set_names())


def test_the_list_of_sets_tells_what_each_holds() -> None:
    listed = coefficient_sets().set_index("set")
    assert tuple(listed.index) == set_names()
    assert listed.loc["npp-footprint", "quantities"] == "sequestration_rate"
    assert listed.loc["npp-footprint", "basis"] == "gross"
    assert listed.loc["npp-footprint", "count"] == 7
    assert listed.loc["paper-fit", "statuses"] == "F"


# fuel: kJ per kg (gas: per m3) × kg C per GJ × oxidation
CHINA_SPECIFIC = {
    "coal": (20908, 26.4, 0.98, 0.541),
    "gasoline": (43070, 18.9, 0.98, 0.798),
    "kerosene": (43070, 19.6, 0.98, 0.827),
    "diesel": (42653, 20.3, 0.98, 0.849),
    "fuel_oil": (41816, 21.1, 0.98, 0.865),
}


@pytest.mark.parametrize("fuel", CHINA_SPECIFIC)
def test_china_specific_is_heat_times_carbon_times_oxidation(fuel: str) -> None:
    heat, content, oxidation, printed = CHINA_SPECIFIC[fuel]
    # coal: 20908 kJ/kg × 26.4 kg C/GJ × 0.98 = 0.0209 GJ/kg × 25.87 kg C/GJ = 0.5409 t C/t
    factor = number("china-specific", "emission_factor", fuel)
    assert factor == pytest.approx(heat / 1e6 * content * oxidation, rel=1e-5)
    assert factor == pytest.approx(printed, abs=5e-4)
    assert number("china-specific", "net_calorific_value", fuel) == heat


def test_china_specific_gas_is_per_ten_thousand_cubic_metres() -> None:
    # 38931 kJ/m3 × 15.3 kg C/GJ × 0.99 = 0.58968 kg C/m3 = 5.897 t C per 10^4 m3
    assert number("china-specific", "emission_factor", "natural_gas") == pytest.approx(5.897, abs=5e-4)


def test_per_tce_times_tce_per_unit_is_the_factor_per_unit() -> None:
    frame = read_set("per-tce")
    fuels = frame.loc[frame["unit"] == "t C / tce", "item"]
    assert len(fuels) == 8
    for fuel in fuels:
        per_tce = number("per-tce", "emission_factor", fuel, "t C / tce")
        tce = number("per-tce", "standard_coal", fuel)
        unit, scale = ("t C / 10^4 m3", 10.0) if fuel == "natural_gas" else ("t C / t", 1.0)
        # coal: 0.7559 × 0.7143 = 0.5399; gas: 0.4483 × 1.33 kgce/m3 × 10^4 m3 = 5.962
        assert number("per-tce", "emission_factor", fuel, unit) == pytest.approx(per_tce * tce * scale, rel=1e-3)


def test_paper_emulation_is_per_tce_with_coal_left_unconverted() -> None:
    assert number("paper-emulation", "emission_factor", "coal") == number(
        "per-tce", "emission_factor", "coal", "t C / tce"
    )
    for fuel in ("gasoline", "kerosene", "diesel", "fuel_oil"):
        per_tonne = number("per-tce", "emission_factor", fuel, "t C / t")
        assert number("paper-emulation", "emission_factor", fuel) == per_tonne
    # OR × 44/12, the mass of CO2 in place of O2: 1.17 × 3.667 = 4.29
    for fuel, ratio in (("coal", 1.17), ("diesel", 1.44), ("natural_gas", 1.95)):
        oxygen = number("paper-emulation", "oxygen_per_carbon", fuel)
        assert oxygen == pytest.approx(ratio * 44 / 12, abs=5e-3)


def test_ipcc_mass_factors_are_heat_value_times_carbon_content() -> None:
    frame = read_set("ipcc2006")
    heat = frame[frame["quantity"] == "net_calorific_value"]
    assert len(heat) > 20
    for fuel, value in zip(heat["item"], heat["value"], strict=True):
        content = number("ipcc2006-energy", "emission_factor", fuel)  # kg C/GJ
        # coal: 25.8 GJ/t × 25.8 kg C/GJ = 0.6656 t C/t
        factor = number("ipcc2006", "emission_factor", fuel, "t C / t")
        assert factor == pytest.approx(value * content / 1000, rel=2e-3), fuel


def test_gross_heat_factors_are_co2_factors_times_twelve_over_forty_four() -> None:
    # kg CO2/MMBtu as printed: 95.35, 53.07, 71.3, 73.16, 70.9, 78.79
    printed = {
        "coal": 95.35, "natural_gas": 53.07, "gasoline": 71.3, "diesel": 73.16, "jet_fuel": 70.9, "fuel_oil": 78.79,
    }  # fmt: skip
    for fuel, dioxide in printed.items():
        assert number("eia-gross", "emission_factor", fuel) == pytest.approx(dioxide * 12 / 44, abs=6e-3)
    assert number("eia-gross", "emission_factor", "coal") == 26.0
    assert set(read_set("eia-gross")["basis"]) == {"gross heat"}


def test_cement_by_year_is_process_dioxide_over_output() -> None:
    frame = read_set("cement-andrew2025")
    series = frame[frame["quantity"] == "cement_factor"].set_index("year")["value"]
    process = frame[(frame["quantity"] == "process_emission") & (frame["region"] == "China")]
    output = frame[frame["quantity"] == "cement_output"].set_index("year")["value"]
    dioxide = process.set_index("year")["value"]
    for year in output.index:
        # 1998: 207.8 Mt CO2 × 12/44 ÷ 536 Mt = 0.1057 t C/t
        assert series[year] == pytest.approx(dioxide[year] * 12 / 44 / (output[year] / 1000), rel=2e-3)
    assert (series[1998], series[2015]) == (0.1057, 0.08166)


def test_land_rates_of_the_method() -> None:
    rates = read_set("npp-footprint").set_index("item")["value"].to_dict()
    assert rates == {
        "cropland": 4.243, "forest": 6.583, "grassland": 4.835, "water": 5.344, "ocean": 0.959, "built": 0.997,
        "wetland": 11.8,
    }  # fmt: skip
    # inventory-net: 3.9 t CO2/ha × 12/44 = 1.06 t C/ha
    assert number("inventory-net", "sequestration_rate", "forest") == pytest.approx(3.9 * 12 / 44, abs=5e-3)
    assert number("lucc-net", "sequestration_rate", "cropland") == -0.422


def test_the_verified_table_carries_over_unchanged() -> None:
    if not SHARED.exists():
        pytest.skip(f"the collected table is not at {SHARED}; the sets themselves are tested above")
    table = pd.read_csv(SHARED, keep_default_na=False, dtype=str)
    renamed = {"ncv-stxb2017": "stxb-2017-ncv", "npp-modis-shandong": "npp-modis"}
    own_arithmetic = {("ipcc2006", "natural_gas", "t C / m3"), ("du-limin", "cement", "t C / t")}
    skipped = {"npp-literature", "oxidative-ratio", "lucc-net"}  # rows of the method beside those of the table
    compared = 0
    for name in sorted(set(set_names()) - skipped):
        known = table[table["set"] == renamed.get(name, name)]
        values = {float(text) for text in known["value"] if text}
        for row in read_set(name).itertuples() if len(known) else ():
            if row.status in "SD" and (name, row.item, row.unit) not in own_arithmetic:
                assert row.value in values, (name, row.quantity, row.item)
                compared += 1
    assert compared > 600


def test_every_quantity_has_names_and_a_family_of_known_units() -> None:
    for quantity in quantities().values():
        assert quantity.name_en and quantity.name_zh
        assert quantity.units
        assert all(units.convertible(unit, unit) for unit in quantity.units)


def test_a_users_file_is_read_in_either_encoding(tmp_path: Path) -> None:
    chinese = {**GOOD, "source": "自测样地"}
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        frame = read_set(written(tmp_path / "own.csv", chinese, encoding=encoding))
        assert frame.loc[0, "source"] == "自测样地"
        assert frame.loc[0, "set"] == "own.csv"
        assert frame.loc[0, "value"] == 0.9
    assert math.isnan(read_set(written(tmp_path / "own.csv", {**GOOD, "low": ""})).loc[0, "low"])


def test_a_read_set_is_a_copy() -> None:
    read_set("npp-footprint")["value"] = 0.0
    assert number("npp-footprint", "sequestration_rate", "forest") == 6.583


BAD_ROWS = {
    "number in words": ({"value": "about 1"}, "E504", r"row 2, column value: 'about 1' is not a number"),
    "not a number": ({"high": "nan"}, "E504", r"column high: 'nan' is not a number"),
    "year": ({"year": "90"}, "E504", r"'90' is not a year"),
    "bounds": ({"low": "1.1"}, "E505", r"low, value and high are 1\.1, 0\.9, 1\.3"),
    "bounds without value between": ({"low": "2", "high": "1"}, "E505", r"low ≤ value ≤ high"),
    "unreadable unit": ({"unit": "furlong"}, "E506", r"'furlong' is not a unit .* t C / ha / yr"),
    "unit of oxygen": ({"unit": "t O2 / ha / yr"}, "E507", r"sequestration_rate is in 't O2 / ha / yr' \(mass·oxygen"),
    "quantity": ({"quantity": "sequestration_rat"}, "E508", r"nearest: sequestration_rate"),
    "status": ({"status": "X"}, "E509", r"status is 'X'.*P, S, D, U, R, F"),
    "no basis": ({"basis": ""}, "E510", r"basis of sequestration_rate .* is ''.*gross, net"),
    "heat basis for land": ({"basis": "net heat"}, "E510", r"'net heat'.*gross, net"),
    "no source": ({"source": ""}, "E511", r"column source: The cell is empty"),
    "no value": ({"value": ""}, "E511", r"column value: The cell is empty"),
    "negative factor": (
        {"quantity": "emission_factor", "unit": "t C / t", "basis": "", "value": "-1", "low": "", "high": ""},
        "E513",
        r"emission_factor is -1.*within 0",
    ),
    "factor per heat without its basis": (
        {"quantity": "emission_factor", "unit": "kg C / GJ", "basis": "", "value": "26", "low": "", "high": ""},
        "E510",
        r"net heat, gross heat",
    ),
    "more than all": (
        {"quantity": "oxidation_factor", "unit": "1", "basis": "", "value": "98", "low": "", "high": ""},
        "E513",
        r"within 0(\.0)? … 1",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    change, code, message = BAD_ROWS[case]
    with pytest.raises(CobalanceError, match=message) as refused:
        read_set(written(tmp_path / "own.csv", {**GOOD, **change}))
    (problem,) = refused.value.problems
    assert problem.code == code
    assert problem.place.row == 2
    assert "own.csv，第 2 行，列 " in problem.text("zh").replace(", ", "，")


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    rows = (
        {**GOOD, "value": "x"},
        {**GOOD, "item": "a", "unit": "t"},
        {**GOOD, "item": "b", "status": "", "source": ""},
    )
    with pytest.raises(CobalanceError) as refused:
        read_set(written(tmp_path / "own.csv", *rows))
    assert [(problem.code, problem.place.row) for problem in refused.value.problems] == [
        ("E504", 2), ("E507", 3), ("E511", 4), ("E511", 4),
    ]  # fmt: skip


def test_a_repeated_row_names_both(tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match=r"E512 .*row 3: The row repeats row 2: sequestration_rate, garden"):
        read_set(
            written(
                tmp_path / "own.csv", GOOD, {**GOOD, "value": "1.0", "unit": "kg C / ha / yr", "high": "", "low": ""}
            )
        )


def test_a_factor_per_tonne_and_one_per_heat_are_two_rows(tmp_path: Path) -> None:
    factor = {**GOOD, "quantity": "emission_factor", "item": "coal", "low": "", "high": ""}
    tonne = {**factor, "unit": "t C / t", "basis": "", "value": "0.6"}
    heat = {**factor, "unit": "kg C / GJ", "basis": "net heat", "value": "26"}
    assert len(read_set(written(tmp_path / "own.csv", tonne, heat))) == 2


def test_columns_must_be_exactly_those_of_a_set(tmp_path: Path) -> None:
    columns = (*[name for name in COLUMNS if name != "basis"], "remark")
    with pytest.raises(CobalanceError, match=r"E503 .*missing basis; unknown remark"):
        read_set(written(tmp_path / "own.csv", GOOD, columns=columns))


def test_a_row_cut_by_a_comma_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "own.csv", GOOD)
    path.write_text(path.read_text(encoding="utf-8").replace("own plots", "own, plots"), encoding="utf-8")
    with pytest.raises(CobalanceError, match=r"E514 .*The row has 14 cells.*13 cells"):
        read_set(path)


@pytest.mark.parametrize("content", ["", ",".join(COLUMNS) + "\n"])
def test_an_empty_file_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CobalanceError, match=r"E515|E503"):
        read_set(path)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match=r"E502 .*none\.csv.*cannot be read"):
        read_set(tmp_path / "none.csv")
    (tmp_path / "own.csv").write_bytes(b"\xff\xff\x00\x81")
    with pytest.raises(CobalanceError, match=r"E502 .*neither UTF-8 nor GB18030"):
        read_set(str(tmp_path / "own.csv"))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(CobalanceError, match=r"E501 .*'npp-fotprint'.*nearest: npp-footprint"):
        read_set("npp-fotprint")
