"""A study of three provinces, small enough to be worked by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

STUDY = """\
title: {en: Three provinces, zh: 三省}
years: 2016-2020
regions:
  table: regions.csv
  boundary: {file: regions.geojson, key: region, source: drawn for this test}
groups:
  west: {en: West, zh: 西部, members: [A, B]}
inputs: [data.csv]
coefficients:
  sequestration: rates.csv
  emission: rates.csv
  oxygen: rates.csv
  cement: rates.csv
  respiration: rates.csv
fill:
  land_area: {before: hold, after: hold}
spatial: {permutations: 99, crs: "EPSG:6933"}
outlook: {window: [2016, 2020], target: 2030}
ecological_land: {phi: 1/3, reference: forest}
"""

REGIONS = "region,name_en,name_zh\nA,Alpha,甲省\nB,Beta,乙省\nC,Gamma,丙省\n"

RATES = """\
quantity,item,region,year,value,low,high,unit,basis,source,locator,status,note
sequestration_rate,forest,*,,5,4,6,t C / ha / yr,gross,this test,,U,
sequestration_rate,cropland,*,,2,1,3,t C / ha / yr,gross,this test,,U,
oxygen_release_rate,forest,*,,14,12,16,t O2 / ha / yr,gross,this test,,U,
oxygen_release_rate,cropland,*,,5,4,6,t O2 / ha / yr,gross,this test,,U,
emission_factor,coal,*,,0.5,0.4,0.6,t C / t,,this test,,U,
oxygen_per_carbon,coal,*,,3,2.9,3.1,t O2 / t C,,this test,,U,
cement_factor,cement,*,,0.1,,,t C / t,process,this test,,U,
respiration_carbon,person,*,,0.1,,,t C / person / yr,,this test,,U,
respiration_oxygen,person,*,,0.3,,,t O2 / person / yr,,this test,,U,
"""

AREAS = {"A": (1000, 500), "B": (200, 800), "C": (0, 100)}  # forest, cropland, ha
ACTIVITIES = {"A": (1000, 100, 100), "B": (6000, 0, 1000), "C": (2000, 1000, 500)}  # coal t, cement t, people


def data_rows() -> list[str]:
    rows = ["region,year,variable,unit,value"]
    for region, (forest, cropland) in AREAS.items():
        rows += [f"{region},2018,forest,ha,{forest}", f"{region},2018,cropland,km2,{cropland / 100}"]
    for region, (coal, cement, people) in ACTIVITIES.items():
        for year in range(2016, 2021):
            rows += [f"{region},{year},coal,t,{coal}", f"{region},{year},cement,万吨,{cement / 1e4}"]
            rows += [f"{region},{year},population,万人,{people / 1e4}"]
    return rows


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The study file, with everything that it names beside it."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "regions.csv").write_text(REGIONS, encoding="utf-8")
    (tmp_path / "rates.csv").write_text(RATES, encoding="utf-8")
    (tmp_path / "data.csv").write_text("\n".join(data_rows()) + "\n", encoding="utf-8")
    squares = [box(100_000 * i, 4_000_000, 100_000 * (i + 1), 4_100_000) for i in range(3)]  # metres, in a row
    frame = gpd.GeoDataFrame({"region": ["A", "B", "C"]}, geometry=squares, crs="EPSG:6933")
    frame.to_crs("EPSG:4326").to_file(tmp_path / "regions.geojson", driver="GeoJSON")
    return tmp_path / "study.yaml"
