"""A study of four provinces that reaches every way a number can be formed; small enough to follow by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from openpyxl import Workbook
from shapely import box

from cobalance.study.pipeline import run_study
from cobalance.study.results import Results

STUDY = """\
title: {en: Four provinces, zh: 四省}
years: 2014-2020
regions:
  table: regions.csv
  boundary: {file: regions.geojson, key: region, source: drawn for this test}
groups:
  west: {en: West, zh: 西部, members: [A, 乙省]}
inputs:
  - data.csv
  - {file: land.xlsx, sheet: 面积, layout: wide, down: [region], across: variable, year: 2016, unit: km2}
  - {file: late.csv}
  - {file: lime.csv, names: {lime: carbon_emission lime}}
land_classes: {orchard: cropland, arable: cropland, woods: forest, city: null}
coefficients:
  sequestration: rates.csv
  emission: rates.csv
  oxygen: rates.csv
  cement: rates.csv
  respiration: rates.csv
  photosynthesis: rates.csv
fill:
  land_area: {before: hold, between: linear, after: hold}
spatial: {permutations: 99, crs: "EPSG:6933", gravity: [carbon_balance_coefficient, carbon_emission]}
outlook: {window: [2015, 2020], target: 2030}
ecological_land: {phi: 1/3, reference: forest, base_year: 2019, convertible: {cropland: 1/2}}
seed: 7
"""

REGIONS = "region,name_en,name_zh\nA,Alpha,甲省\nB,Beta,乙省\nC,Gamma,丙省\nD,Delta,丁省\n"

RATES = """\
quantity,item,region,year,value,low,high,unit,basis,source,locator,status,note
sequestration_rate,forest,*,,5,4,6,t C / ha / yr,gross,this test,table 1,S,
sequestration_rate,forest,B,,6,4,7,t C / ha / yr,gross,this test,table 2,P,
sequestration_rate,cropland,*,,2,1,3,t C / ha / yr,gross,this test,,R,
oxygen_release_rate,forest,*,,14,12,16,t O2 / ha / yr,gross,this test,,U,
photosynthetic_quotient,cropland,*,,1,,,1,,this test,,U,
photosynthetic_quotient,forest,*,,1,,,1,,this test,,U,
emission_factor,coal,*,,0.5,0.4,0.6,t C / t,,this test,,U,
oxygen_per_carbon,*,*,,3,2.9,3.1,t O2 / t C,,this test,,U,
cement_factor,cement,*,2014,0.11,,,t C / t,process,this test,,U,
cement_factor,cement,*,2020,0.1,,,t C / t,process,this test,,U,
respiration_carbon,person,*,,0.1,,,t C / person / yr,,this test,,U,
respiration_oxygen,person,*,,0.3,,,t O2 / person / yr,,this test,,U,
"""

AREAS = {
    "A": (10, 4, 1, 2),
    "B": (2, 8, 0, 1),
    "C": (1, 1, 0, 0.5),
    "D": (3, 3, 1, 1),
}  # woods, arable, orchard, city; km2
COAL = {"A": 1000, "B": 6000, "C": 2000, "D": 500}  # t in 2014


def data_rows() -> list[str]:
    """Coal grows by 3 % a year; cement of C is zero throughout; people of D are known to 2016 only, so none later."""
    rows = ["region,year,variable,unit,value,source,flag,note"]
    for position, (region, coal) in enumerate(COAL.items()):
        for year in range(2014, 2021):
            rows.append(f"{region},{year},coal,万吨,{coal * 1.03 ** (year - 2014) / 1e4:.6f},yearbook {year},,")
            cement = 0 if region == "C" else 100 + 10 * (year - 2014) + position
            rows.append(f"{region},{year},cement,t,{cement},yearbook,estimated,by share")
            if region != "D" or year <= 2016:
                rows.append(
                    f'{region},{year},population,person,"{1000 + 40 * (year - 2014) + 7 * position:,}",census,,'
                )
    return rows


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file, with everything that it names beside it."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "regions.csv").write_text(REGIONS, encoding="utf-8")
    (folder / "rates.csv").write_text(RATES, encoding="utf-8")
    (folder / "data.csv").write_text("\n".join(data_rows()) + "\n", encoding="utf-8")
    late = [
        "region,year,variable,unit,value",
        *(f"{code},2018,woods,ha,{areas[0] * 90}" for code, areas in AREAS.items()),
    ]
    (folder / "late.csv").write_text("\n".join(late) + "\n", encoding="utf-8")
    lime = ["region,year,variable,unit,value"]
    lime += [f"{code},{year},lime,t CO2,{44 * (year - 2000)}" for code in AREAS for year in range(2014, 2021)]
    (folder / "lime.csv").write_text("\n".join(lime) + "\n", encoding="utf-8")
    book = Workbook()
    book.active.title = "面积"
    book.active.append(["region", "woods", "arable", "orchard", "city"])
    for code, areas in AREAS.items():
        book.active.append([code, *areas])
    book.save(folder / "land.xlsx")
    squares = [
        box(
            100_000 * (i % 2),
            4_000_000 + 100_000 * (i // 2),
            100_000 * (i % 2) + 100_000,
            4_100_000 + 100_000 * (i // 2),
        )
        for i in range(4)
    ]
    frame = gpd.GeoDataFrame({"region": list(AREAS)}, geometry=squares, crs="EPSG:6933")
    frame.to_crs("EPSG:4326").to_file(folder / "regions.geojson", driver="GeoJSON")
    return folder / "study.yaml"


@pytest.fixture(scope="session")
def results(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results as they are read back from the folder of a run."""
    folder = tmp_path_factory.mktemp("results")
    run_study(study).save(folder)
    return Results.open(folder)
