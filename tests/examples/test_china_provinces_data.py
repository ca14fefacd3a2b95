"""The tables of examples/china-provinces: printed totals, holes exactly as the data card states, outlines."""

from __future__ import annotations

import importlib.util
import itertools
import json
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import shapely
from shapely.geometry import shape

from cobalance.vocabulary import units

EXAMPLE = Path(__file__).parents[2] / "examples" / "china-provinces"
COLUMNS = ["region", "year", "variable", "unit", "value", "source", "flag", "note"]
TIDY = ["fuels", "outlook_activity", "cement", "cement_estimated", "population", "land"]
FUELS = {"coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas"}
YEARS = [1990, 2000, 2005, 2010, 2015, 2021]
UNITS = {"10^4 t": "t", "10^8 m3": "m3", "10^4 ha": "ha", "10^4 person": "person"}
NO_DATA = {"710000", "810000", "820000"}
TIBET = "540000"


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "data" / f"{name}.csv", dtype={"region": str}, keep_default_na=False)


def script(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"china_{name}", EXAMPLE / f"{name}.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return script("build")


@pytest.fixture(scope="module")
def outlines() -> dict[str, shapely.Geometry]:
    features = json.loads((EXAMPLE / "data" / "provinces.geojson").read_text(encoding="utf-8"))["features"]
    return {feature["properties"]["region"]: shape(feature["geometry"]) for feature in features}


@pytest.mark.parametrize("name", TIDY)
def test_every_row_is_one_fact_with_unit_source_and_flag(name: str) -> None:
    rows = table(name)
    assert list(rows.columns) == COLUMNS
    assert set(rows["region"]) <= set(table("regions")["region"])
    assert not rows.duplicated(["region", "year", "variable"]).any()
    assert pd.to_numeric(rows["value"]).notna().all() and (rows["value"] >= 0).all()
    assert (rows["source"] != "").all()
    assert set(rows["flag"]) <= {"observed", "estimated"}
    assert (rows.loc[rows["flag"] == "estimated", "note"] != "").all()
    for unit in rows["unit"].unique():
        assert units.factor(unit, UNITS[unit]) in (1e4, 1e8)


def test_region_table_holds_all_34_units_with_distinct_names() -> None:
    regions = table("regions")
    assert len(regions) == 34
    for column in ("region", "name_zh", "short_zh", "name_en", "pinyin"):
        assert regions[column].is_unique
    assert dict(regions.set_index("region").loc[["140000", "610000"], "short_zh"]) == {
        "140000": "山西",
        "610000": "陕西",
    }


def test_fuels_lack_exactly_the_stated_holes() -> None:
    regions = set(table("regions")["region"])
    present = set(table("fuels")[["region", "year", "variable"]].itertuples(index=False, name=None))
    expected = set(itertools.product(regions - NO_DATA - {TIBET}, YEARS, FUELS))
    holes = {(region, year) for region, year, _ in expected - present}
    assert holes == {("460000", 1990), ("500000", 1990), ("640000", 2000)}
    assert present <= expected
    assert len(present) == 27 * 6 * 6 + 3 * 5 * 6  # 27 provinces in six years, three in five, six fuels


@pytest.mark.parametrize(
    ("year", "megatonnes"),
    [(1990, 1053.2), (2000, 1451.0), (2005, 2638.6), (2010, 3813.6), (2015, 4231.4), (2021, 4861.3)],
)
def test_provincial_coal_sums_to_the_yearbooks(year: int, megatonnes: float) -> None:
    coal = table("fuels").query("variable == 'coal' and year == @year")["value"].sum()
    assert coal / 100 == pytest.approx(megatonnes, abs=0.05)


def test_shanghai_of_1990_is_as_printed() -> None:
    rows = table("fuels").query("region == '310000' and year == 1990")
    printed = {
        "coal": 2742.33,
        "gasoline": 49.96,
        "kerosene": 20.53,
        "diesel": 99.59,
        "fuel_oil": 434.28,
        "natural_gas": 0,
    }
    assert dict(zip(rows["variable"], rows["value"], strict=True)) == pytest.approx(printed)
    assert set(rows["flag"]) == {"observed"}


def test_sichuan_of_1990_says_that_it_includes_chongqing() -> None:
    rows = table("fuels").query("region == '510000' and year == 1990")
    assert len(rows) == 6
    assert set(rows["flag"]) == {"estimated"}
    assert rows["note"].str.contains("includes Chongqing").all()


def test_partly_read_balances_are_estimates() -> None:
    rows = table("fuels")
    partly = rows[rows["note"].str.contains("slight underestimate")]
    assert set(zip(partly["region"], partly["year"], strict=True)) == {
        ("110000", 2000),
        ("340000", 2005),
        ("340000", 2010),
        ("430000", 2010),
    }
    assert set(partly["flag"]) == {"estimated"}


def test_refinery_feed_is_out_of_fuel_oil_and_said_so() -> None:
    oil = table("fuels").query("variable == 'fuel_oil'").set_index(["region", "year"])
    # Shandong 2015: 3247.01 − 100 × 42.667082 / 1.429 = 3247.01 − 2985.80; 2021: 1790.56 − 1734.41
    assert oil.loc[("370000", 2015), "value"] == pytest.approx(261.21)
    assert oil.loc[("370000", 2021), "value"] == pytest.approx(56.15)
    corrected = oil[oil["note"].str.startswith("printed")]
    assert set(corrected["flag"]) == {"estimated"}
    assert corrected.groupby("year").size().to_dict() == {2010: 6, 2015: 12, 2021: 13}
    assert oil.loc[("220000", 2010), "value"] == pytest.approx(39.96)  # Jilin: non-energy use, not feed


def test_outlook_series_is_complete_and_names_its_definition() -> None:
    rows = table("outlook_activity")
    assert len(rows) == 30 * 10 * 6
    assert sorted(rows["year"].unique()) == list(range(2010, 2020))
    assert rows["note"].str.contains("CEADs definition").all()
    assert set(rows.query("variable == 'coal'")["flag"]) == {"estimated"}


def test_cement_has_no_provincial_1990_or_2021_but_by_stated_shares() -> None:
    known, shared = table("cement"), table("cement_estimated")
    assert not {1990, 2021} & set(known["year"])
    window = known[known["year"].between(2010, 2019)]
    lacking = set(itertools.product(set(known["region"]), range(2010, 2020))) - set(
        zip(window["region"], window["year"], strict=True)
    )
    assert lacking == {("110000", 2017), ("310000", 2017)}
    assert set(shared["flag"]) == {"estimated"}
    assert shared.groupby("year")["value"].sum().to_dict() == pytest.approx({1990: 20971, 2021: 236300}, abs=2)
    assert known.query("year == 2010")["value"].sum() == pytest.approx(187972.05)


def test_population_breaks_between_1999_and_2000_and_says_so() -> None:
    people = table("population")
    assert people.groupby("year")["region"].nunique().eq(31).all()
    assert people.query("year == 1990")["note"].str.contains("breaks between 1999 and 2000").all()
    assert people.query("year == 2021")["value"].sum() == pytest.approx(141060)


def test_land_classes_add_up_to_the_survey() -> None:
    land = table("land")
    assert set(land["year"]) == {2008}
    assert land.groupby("region")["variable"].nunique().eq(6).all() and land["region"].nunique() == 31
    totals = land.groupby("region")["value"].sum()
    assert totals.sum() == pytest.approx(95069.3, abs=0.01)
    assert totals["110000"] == pytest.approx(164.1)  # 33.8 + 23.17 + 74.23 + 12 + 0.2 + 20.7
    xinjiang = land.query("region == '650000' and variable != 'cultivated'")
    assert xinjiang["note"].str.contains("nation less the 30 others").all()
    assert set(xinjiang["flag"]) == {"estimated"}


def test_outlines_are_34_valid_and_in_the_order_of_the_region_table(outlines: dict[str, shapely.Geometry]) -> None:
    assert list(outlines) == table("regions")["region"].tolist()
    assert all(geometry.is_valid and not geometry.is_empty for geometry in outlines.values())


def test_seventy_pairs_of_outlines_touch_and_hainan_touches_none(outlines: dict[str, shapely.Geometry]) -> None:
    pairs = [pair for pair in itertools.combinations(outlines, 2) if outlines[pair[0]].intersects(outlines[pair[1]])]
    assert len(pairs) == 70
    assert not any("460000" in pair or "710000" in pair for pair in pairs)
    assert ("110000", "120000") in pairs and ("810000" in {region for pair in pairs for region in pair})


def test_areas_are_those_of_the_survey(outlines: dict[str, shapely.Geometry]) -> None:
    geopandas = pytest.importorskip("geopandas")
    albers = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84"
    area = geopandas.GeoSeries(outlines, crs=4326).to_crs(albers).area / 1e8  # 10^4 ha
    assert area["650000"] == pytest.approx(16306, rel=1e-3)  # 1.63 × 10^6 km2
    survey = table("land").groupby("region")["value"].sum()
    ratio = survey / area.reindex(survey.index)
    assert ratio.between(0.94, 1.07).all()
    assert ratio.median() == pytest.approx(1, abs=0.002)


def test_a_ring_is_decoded_from_zigzag_deltas(build: ModuleType) -> None:
    # characters less 64: 2, 1, 0, 2 → steps +1, −1, 0, +1 in 1/1024 degree from (1024, 2048); then closed
    assert build.decoded_ring("BA@B", [1024, 2048]) == [
        (1025 / 1024, 2047 / 1024),
        (1025 / 1024, 2048 / 1024),
        (1025 / 1024, 2047 / 1024),
    ]


def test_refinery_rule_on_worked_rows(build: ModuleType) -> None:
    def row(region: str, year: int, value: float, note: str) -> dict[str, object]:
        facts = [region, year, "fuel_oil", "10^4 t", value, "yearbook", "observed", note]
        return dict(zip(COLUMNS, facts, strict=True))

    supply, use = "TPES + refinery output - statistical difference", "final + power/heat/gas inputs + losses"
    rows = pd.DataFrame(
        [
            row("110000", 2010, 66.68, supply),  # 66.68 − 15.57 > 10 and > 10 %: replaced
            row("350000", 2010, 66.68, use),  # counts no refinery: kept
            row("210000", 2010, 17.0, supply),  # excess of 1.43: kept
            row("640000", 2021, 143.17, "Total Energy Consumption row"),  # 143.17 − 100 × 2.0431842 / 1.429 = 0.19
        ]
    )
    ceads = pd.DataFrame({"adcode": ["110000", "350000", "210000"], "year": 2010, "fuel_oil": 15.57})
    result = build.without_refinery_feed(rows, ceads)
    assert result["value"].tolist() == pytest.approx([15.57, 66.68, 17.0, 0.19])
    assert result["flag"].tolist() == ["estimated", "observed", "observed", "estimated"]
    assert rows["value"].tolist() == [66.68, 66.68, 17.0, 143.17]


def test_checks_give_the_numbers_of_the_page() -> None:
    checks = script("checks")
    emission = checks.national_emission()
    assert emission.loc["paper-emulation", [1990, 2000, 2010]].tolist() == pytest.approx(
        [9.86, 13.85, 34.89], abs=0.005
    )
    ratios = checks.shanghai_1990()["B_O / B_C"].round(3).tolist()
    page = (EXAMPLE / "CHECKS.md").read_text(encoding="utf-8")
    assert all(f"{ratio:.3f}" in page for ratio in ratios)
    for row in (emission, checks.sequestration()):
        for value in row.drop(index="paper (printed)").to_numpy().ravel():
            assert value != value or f"{value:.2f}" in page


def test_the_data_come_out_of_the_public_files_again(build: ModuleType) -> None:
    source = Path(__file__).parents[2].parent / "shared" / "data" / "china"
    if not source.is_dir():
        pytest.skip("the public source files are not beside the repository")
    energy = pd.read_csv(source / "energy_balance_gcam_china.csv", dtype={"adcode": str})
    ceads = pd.read_csv(source / "provincial_fuels_cement_1997_2019_wide_clean.csv", dtype={"adcode": str})
    for name, made in {"fuels": build.fuels(energy, ceads), "cement": build.cement(ceads)}.items():
        assert made.to_csv(index=False, lineterminator="\n") == (EXAMPLE / "data" / f"{name}.csv").read_text(
            encoding="utf-8"
        )
