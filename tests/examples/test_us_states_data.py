"""The tables of examples/us-states: sums printed by the sources, the schema, and the boundary's neighbours.

All but the last two tests need nothing outside the repository.
"""

from __future__ import annotations

import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import geopandas as gpd
import pandas as pd
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "us-states"
SOURCES = Path(__file__).parents[2].parent / "shared" / "data" / "us"
COLUMNS = ["region", "year", "variable", "unit", "value", "source", "flag", "note"]
TABLES = ["land", "fuels", "population", "cement", "land_control"]
FUELS = {"coal", "gasoline", "jet_fuel", "kerosene", "diesel", "fuel_oil", "natural_gas"}
USES = {
    "cropland",
    "grassland_pasture_range",
    "forest_use",
    "rural_parks_wildlife",
    "other_special_uses",
    "urban",
    "miscellaneous",
}
VARIABLES = {
    "land": (USES, "1000 acre", {1987, 1992, 1997, 2002, 2007, 2012, 2017}),
    "fuels": (FUELS, "billion Btu", set(range(1990, 2020))),
    "population": ({"population"}, "person", set(range(1990, 2020))),
    "cement": ({"cement"}, "t CO2", set(range(1990, 2020))),
}
NOT_CONTIGUOUS = {"02", "15", "11"}  # Alaska, Hawaii; D.C. is no state

needs_sources = pytest.mark.skipif(not SOURCES.is_dir(), reason=f"the public source files are not at {SOURCES}")


def table(name: str) -> pd.DataFrame:
    text = ["region", "variable", "unit", "source", "flag", "note"]
    return pd.read_csv(EXAMPLE / "data" / f"{name}.csv", dtype=dict.fromkeys(text, str), keep_default_na=False)


def regions() -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "data" / "regions.csv", dtype=str, keep_default_na=False)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"us_states_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", TABLES)
def test_tables_hold_the_schema(name: str) -> None:
    rows = table(name)
    assert list(rows.columns) == COLUMNS
    assert rows["value"].ge(0).all()  # false for a blank too
    assert rows["source"].ne("").all()
    assert set(rows["flag"]) <= {"observed", "estimated"}
    assert not rows.duplicated(["region", "year", "variable"]).any()
    assert set(rows["region"]) == set(regions()["region"])


@pytest.mark.parametrize("name", VARIABLES)
def test_every_region_has_every_year_and_variable(name: str) -> None:
    rows = table(name)
    variables, unit, years = VARIABLES[name]
    assert set(rows["variable"]) == variables
    assert set(rows["unit"]) == {unit}
    assert set(rows["year"]) == years
    assert len(rows) == 51 * len(years) * len(variables)  # with no cell twice: every cell once


def test_regions_are_fifty_states_and_the_district() -> None:
    listed = regions()
    assert len(listed) == 51
    assert listed["region"].str.fullmatch(r"\d\d").all()
    assert listed["region"].is_monotonic_increasing and listed["region"].is_unique
    names = [name for row in listed.itertuples() for name in (row.name_en, row.name_zh, *row.aliases.split("|"))]
    assert len(names) == len(set(names))  # no name that means two regions
    assert listed["name_zh"].str.endswith(("州", "特区")).all()


@pytest.mark.parametrize(
    ("year", "fuel", "printed"),
    [
        # SEDS's own rows for the United States; a sum of rounded states may differ by 4 billion Btu.
        (2019, "coal", 11_314_840),
        (2019, "natural_gas", 32_169_757),
        (2019, "gasoline", 15_959_958),  # 17,166,236 with 1,206,278 of ethanol
        (2019, "diesel", 8_394_296),
        (2019, "jet_fuel", 3_608_019),
        (2019, "fuel_oil", 631_133),
        (2019, "kerosene", 14_016),
        (1990, "coal", 19_167_682),
        (1990, "gasoline", 13_871_812),
        (1990, "natural_gas", 19_627_801),
    ],
)
def test_fuels_sum_to_the_printed_national_total(year: int, fuel: str, printed: int) -> None:
    rows = table("fuels").query("year == @year and variable == @fuel")
    assert rows["value"].sum() == pytest.approx(printed, abs=4)


def test_fuels_carry_most_of_the_energy_co2_that_eia_gives() -> None:
    """1990: 19,167,686·95.35 + 19,627,802·53.07 + 13,871,810·71.3 + 6,422,080·73.16 + 3,129,487·70.9
    + 2,819,852·78.79 + 88,022·72.3 (billion Btu × kg CO2 per million Btu) = 4.7786e9 t against 5,024.33 Mt."""
    factors = script("checks").CO2_FACTORS
    rows = table("fuels")
    megatonnes = (rows["value"] * rows["variable"].map(factors) / 1e6).groupby(rows["year"]).sum()
    eia = pd.Series({1990: 5024.3348, 2000: 5867.5934, 2010: 5585.1852, 2019: 5159.7263})  # EIA Table 1, Mt CO2
    assert megatonnes[1990] == pytest.approx(4778.6, abs=0.1)
    assert (megatonnes[eia.index] / eia).to_dict() == pytest.approx(
        {1990: 0.9511, 2000: 0.9485, 2010: 0.9478, 2019: 0.9390}, abs=1e-4
    )


def test_population_sums_to_the_printed_national_totals() -> None:
    people = table("population").groupby("year")["value"].sum()
    assert people[2019] == 328_239_523
    assert people[1990] == 248_709_873  # the census count of 1 April 1990
    assert people[2000] == 281_421_906  # the census count of 1 April 2000


def test_land_uses_sum_to_total_land() -> None:
    cell = ["region", "year"]
    total = table("land_control").query("variable == 'total_land'").set_index(cell)["value"]
    uses = table("land").groupby(cell)["value"].sum()
    assert len(total) == 51 * 7
    assert (uses - total).abs().max() <= 2  # the printed classes are rounded to 1000 acres


def test_land_uses_agree_with_the_printed_report_of_2002() -> None:
    """Million acres in "Major Uses of Land in the United States, 2002"; special uses are parks and the rest."""
    million = table("land").query("year == 2002").groupby("variable")["value"].sum() / 1000
    special = million["rural_parks_wildlife"] + million["other_special_uses"]
    found = [million[use] for use in ("forest_use", "grassland_pasture_range", "cropland", "miscellaneous", "urban")]
    assert [round(area) for area in [*found, special]] == [651, 587, 442, 228, 60, 297]


def test_cropland_holds_its_pasture_once() -> None:
    cell = ["region", "year"]
    pasture = table("land_control").query("variable == 'cropland_used_for_pasture'").set_index(cell)["value"]
    cropland = table("land").query("variable == 'cropland'").set_index(cell)["value"]
    assert (pasture <= cropland).all()


def test_the_district_is_all_urban() -> None:
    land = table("land").query("region == '11' and year == 2017").set_index("variable")["value"]
    assert land["urban"] == 39
    assert land.drop("urban").eq(0).all()


def test_cement_shares_out_the_national_process_total() -> None:
    rows = table("cement")
    totals = rows.groupby("year")["value"].sum()
    national = pd.read_csv(EXAMPLE / "sources" / "cement_national.csv").set_index("year")["value"] * 1000
    assert national[[1990, 2000, 2010, 2019]].tolist() == [33_480_000, 41_450_000, 31_450_000, 40_900_000]
    assert (totals - national).abs().max() <= 17  # 34 shares of a total, each rounded to a tonne
    assert set(rows["flag"]) == {"estimated"}


def test_cement_shares_before_2010_are_those_of_2010() -> None:
    cement = table("cement").pivot(index="region", columns="year", values="value")
    shares = cement / cement.sum()
    assert (shares[1990] - shares[2010]).abs().max() < 1e-6
    assert (shares[2019] - shares[2010]).abs().max() > 0.01
    held = table("cement").query("note.str.startswith('share of 2010 held')", engine="python")
    assert set(held["year"]) == set(range(1990, 2010))


def test_boundary_is_valid_and_wound_as_rfc_7946_asks() -> None:
    states = gpd.read_file(EXAMPLE / "data" / "states.geojson")
    assert states["region"].tolist() == regions()["region"].tolist()
    assert states["name_zh"].tolist() == regions()["name_zh"].tolist()
    assert states.is_valid.all()
    polygons = states.geometry.explode()
    assert polygons.exterior.is_ccw.all()
    assert not any(hole.is_ccw for polygon in polygons for hole in polygon.interiors)
    bounds = polygons.bounds
    assert (bounds["maxx"] - bounds["minx"]).max() < 60  # the Aleutians are cut at the antimeridian
    for feature in json.loads((EXAMPLE / "data" / "states.geojson").read_text(encoding="utf-8"))["features"]:
        assert feature["id"] == feature["properties"]["region"]


def test_contiguous_states_have_214_queen_links() -> None:
    """107 pairs of neighbours, each counted both ways; the Four Corners are four states that all touch."""
    states = gpd.read_file(EXAMPLE / "data" / "states.geojson").set_index("region").geometry
    states = states.drop(NOT_CONTIGUOUS)
    one, other = states.sindex.query(states, predicate="intersects")
    links = {(states.index[i], states.index[j]) for i, j in zip(one, other, strict=True) if i != j}
    assert len(states) == 48
    assert len(links) == 214
    assert {("04", "08"), ("35", "49")} <= links  # Arizona–Colorado, New Mexico–Utah: by the corner alone
    assert all((j, i) in links for i, j in links)


def test_boundary_areas_are_near_the_land_areas() -> None:
    """Albers area less water is land; only the Great Lakes states, Alaska and the like have much water within."""
    states = gpd.read_file(EXAMPLE / "data" / "states.geojson").set_index("region").to_crs("EPSG:5070")
    land = table("land_control").query("variable == 'total_land' and year == 2017").set_index("region")["value"]
    ratio = states.area / (land * 4_046_856.4224)  # m2 per 1000 acres
    assert ratio[["08", "48", "56"]].tolist() == pytest.approx([1.0] * 3, abs=0.03)  # Colorado, Texas, Wyoming
    assert ratio.between(0.97, 1.75).all()


def test_topology_decoder_on_two_squares_that_share_an_edge() -> None:
    """West: (0,0)–(1,1) of the grid, east: (1,0)–(2,1); arc 0 is the shared edge from (1,0) up to (1,1).

    A grid step is .5 degrees and the origin is (10, 20): the shared edge runs from (10.5, 20) to (10.5, 20.5).
    East has a spike at (2,1) → (3,1) → (2,1), and a second polygon flattened to a line: both go.
    """
    topology = {
        "transform": {"scale": [0.5, 0.5], "translate": [10, 20]},
        "arcs": [
            [[1, 0], [0, 1]],
            [[1, 1], [-1, 0], [0, -1], [1, 0]],  # round the west, from the edge's head back to its foot
            [[1, 1], [1, 0], [1, 0], [-1, 0], [0, -1], [-1, 0]],  # round the east
            [[5, 5], [1, 0], [-1, 0]],
        ],
        "objects": {
            "states": {
                "geometries": [
                    {"id": "02", "type": "MultiPolygon", "arcs": [[[2, 0]], [[3]]]},
                    {"id": "01", "type": "Polygon", "arcs": [[~1, ~0]]},
                    {"id": "72", "type": "Polygon", "arcs": [[3]]},
                ]
            }
        },
    }
    names = pd.DataFrame({"name_en": ["West", "East"], "name_zh": ["西", "东"]}, index=["01", "02"])
    west, east = script("build").boundary_features(topology, names)
    assert [west["id"], east["id"]] == ["01", "02"]  # in the order of the table; 72 is no region of the study
    [[west_ring]], [[east_ring]] = west["geometry"]["coordinates"], east["geometry"]["coordinates"]
    assert set(west_ring) == {(10.5, 20), (10.5, 20.5), (10, 20.5), (10, 20)}
    assert set(east_ring) == {(10.5, 20), (10.5, 20.5), (11, 20.5), (11, 20)}
    assert west_ring[0] == west_ring[-1] and east_ring[0] == east_ring[-1]
    for ring in (west_ring, east_ring):  # the shoelace sum of a half-degree square, counter-clockwise: 2 × 0.25
        doubled = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
        assert doubled == pytest.approx(0.5)


def test_build_refuses_a_blank_in_a_source_file(tmp_path: Path) -> None:
    file = tmp_path / "population.csv"
    file.write_text("state,year,population\nAL,1990,\nAL,1991,4089000\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"population\.csv: blank cells in \['population'\]; a blank is not a zero"):
        script("build")._source(file, {"AL": "01"}, range(1990, 1992))


def test_groups_of_the_study_part_the_regions() -> None:
    from ruamel.yaml import YAML

    study = YAML(typ="safe").load(EXAMPLE / "study.yaml")
    members = [code for group in study["groups"].values() for code in group["members"]]
    assert sorted(members) == regions()["region"].tolist()  # every region once
    assert set(study["land_classes"]) == USES


@needs_sources
def test_build_from_the_source_files_changes_nothing(tmp_path: Path) -> None:
    build = script("build")
    atlas = tmp_path / "atlas.json"
    geometries = [{"id": code, "type": "Polygon", "arcs": [[0]]} for code in regions()["region"]]
    square = [[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]
    transform = {"scale": [1, 1], "translate": [0, 0]}
    topology = {"transform": transform, "arcs": [square], "objects": {"states": {"geometries": geometries}}}
    atlas.write_text(json.dumps(topology), encoding="utf-8")
    files = {
        "seds": "seds_fuel_use_billion_btu_1960_2019.csv",
        "land": "ers_major_land_use_kacres_1945_2017.csv",
        "population": "population_by_state_1960_2019.csv",
        "cement": "epa_ghgrp_cement_by_state_2010_2023.csv",
    }
    words = [word for name, file in files.items() for word in (f"--{name}", str(SOURCES / file))]
    build.main([*words, "--atlas", str(atlas), "--output", str(tmp_path)])
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (EXAMPLE / "data" / f"{name}.csv").read_bytes(), name


@needs_sources
def test_account_orders_the_states_as_eia_does() -> None:
    checks = script("checks")
    ours = checks.account()
    eia = checks.eia_totals(SOURCES / "eia_energy_co2_by_state_1970_2021_table1.xlsx", regions().set_index("region"))
    for year in (1990, 2000, 2010, 2019):
        assert ours[year].corr(eia[year]) > 0.996
    lowest = (ours[2019] / eia[2019]).nsmallest(3)
    assert lowest.index.tolist() == ["22", "10", "48"]  # Louisiana, Delaware, Texas: see CHECKS.md
