"""A study of four made-up provinces with nine fuels and twenty years: small, and with every source of uncertainty."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from shapely import box

from cobalance.study.pipeline import run_study
from cobalance.study.prepare import Prepared, prepare

STUDY = """\
title: {en: Four provinces, zh: 四省}
years: 2011-2015
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
spatial: {permutations: 99, crs: "EPSG:6933", significance: 0.3}
outlook: {window: [2011, 2015], target: 2018, inputs: [series.csv], models: [linear, growth]}
ecological_land: {phi: 1/3, reference: forest}
seed: 11
"""
REGIONS = "region,name_en,name_zh\nA,Alpha,甲省\nB,Beta,乙省\nC,Gamma,丙省\nD,Delta,丁省\n"
FUELS = ("coal", "coke", "crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil", "lpg")
RATES = """\
quantity,item,region,year,value,low,high,unit,basis,source,locator,status,note
sequestration_rate,forest,*,,5,4,6,t C / ha / yr,gross,this test,,U,
sequestration_rate,cropland,*,,2,1.5,3,t C / ha / yr,gross,this test,,U,
oxygen_release_rate,forest,*,,14,12,16,t O2 / ha / yr,gross,this test,,U,
oxygen_release_rate,cropland,*,,5,4,6,t O2 / ha / yr,gross,this test,,U,
cement_factor,cement,*,,0.1,0.08,0.11,t C / t,process,this test,,U,
respiration_carbon,person,*,,0.1,0.09,,t C / person / yr,,this test,,U,
respiration_oxygen,person,*,,0.3,,,t O2 / person / yr,,this test,,U,
"""
LAND = {"A": (1000, 500), "B": (200, 800), "C": (50, 100), "D": (400, 40)}  # forest, cropland, ha


def _rates() -> str:
    rows = [
        f"emission_factor,{fuel},*,,{0.5 + 0.03 * k},{0.4},{0.9},t C / t,,this test,,U," for k, fuel in enumerate(FUELS)
    ]
    rows += [f"oxygen_per_carbon,{fuel},*,,3.3,3.1,3.5,t O2 / t C,,this test,,U," for fuel in FUELS]
    return RATES + "\n".join(rows) + "\n"


def _activities(first: int, last: int) -> list[str]:
    generator = np.random.default_rng(5)
    rows = ["region,year,variable,unit,value"]
    for size, region in enumerate(LAND, start=1):
        for position, name in enumerate((*FUELS, "cement", "population")):
            unit = "person" if name == "population" else "t"
            course = 100.0 * size * (1 + position) * np.cumprod(1 + generator.normal(0.02, 0.05, last - first + 1))
            rows += [
                f"{region},{year},{name},{unit},{value:.6g}"
                for year, value in zip(range(first, last + 1), course, strict=True)
            ]
    return rows


@pytest.fixture(scope="package")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study file, with everything that it names beside it."""
    folder = tmp_path_factory.mktemp("four")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "regions.csv").write_text(REGIONS, encoding="utf-8")
    (folder / "rates.csv").write_text(_rates(), encoding="utf-8")
    activities = _activities(1996, 2015)
    (folder / "series.csv").write_text("\n".join(activities) + "\n", encoding="utf-8")
    inside = [row for row in activities[1:] if int(row.split(",")[1]) >= 2011]
    land = [
        f"{region},2011,{name},ha,{area}"
        for region, areas in LAND.items()
        for name, area in zip(("forest", "cropland"), areas, strict=True)
    ]
    (folder / "data.csv").write_text("\n".join([activities[0], *inside, *land]) + "\n", encoding="utf-8")
    squares = [box(100_000 * i, 4_000_000, 100_000 * (i + 1), 4_100_000) for i in range(4)]  # metres, in a row
    frame = gpd.GeoDataFrame({"region": list(LAND)}, geometry=squares, crs="EPSG:6933")
    frame.to_crs("EPSG:4326").to_file(folder / "regions.geojson", driver="GeoJSON")
    return folder / "study.yaml"


@pytest.fixture(scope="package")
def prepared(small_study: Path) -> Prepared:
    found, problems = prepare(small_study)
    problems.raise_errors()
    assert found is not None
    return found


@pytest.fixture(scope="package")
def dataset(small_study: Path) -> xr.Dataset:
    return run_study(small_study).dataset
