"""The files that the pages' snippets name without printing them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely import box

STUDY = """\
title: {en: Two places, zh: 两地}
years: 2016-2020
regions:
  table: regions.csv
  boundary: {file: regions.geojson, key: region, source: drawn for the documentation}
inputs: [data.csv]
coefficients: {sequestration: npp-footprint, emission: china-specific}
fill: {land_area: {before: hold, after: hold}}
spatial: {permutations: 99, crs: "EPSG:6933"}
outlook: {window: [2016, 2020], target: 2030}
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``study.yaml`` and all else that pages name: vectors, rasters, coefficients; tests run in it."""
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "regions.csv").write_text(
        "region,name_en,name_zh\nhere,Here,此地\nthere,There,彼地\n", encoding="utf-8"
    )
    rows = ["region,year,variable,unit,value"]
    for factor, region in enumerate(("here", "there"), 1):
        rows += [f"{region},2018,forest,ha,{1000 * factor}", f"{region},2018,cropland,ha,{500 * factor}"]
        for year in range(2016, 2021):
            rows += [f"{region},{year},coal,t,{4000 * factor + 50 * (year - 2016)}"]
            rows += [f"{region},{year},population,person,{2000 + 10 * (year - 2016)}"]
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    squares = [box(100_000 * i, 4_000_000, 100_000 * (i + 1), 4_100_000) for i in range(2)]
    frame = gpd.GeoDataFrame({"region": ["here", "there"]}, geometry=squares, crs="EPSG:6933").to_crs("EPSG:4326")
    frame.to_file(tmp_path / "regions.geojson", driver="GeoJSON")
    grid = [box(i % 4, i // 4, i % 4 + 1, i // 4 + 1) for i in range(16)]
    values = np.random.default_rng(0).normal(size=16)
    counties = gpd.GeoDataFrame(
        {"code": [f"c{i:02}" for i in range(16)], "rate": values}, geometry=grid, crs="EPSG:6933"
    )
    counties.to_file(tmp_path / "counties.gpkg", driver="GPKG")
    plots = "quantity,item,region,year,value,low,high,unit,basis,source,locator,status,note\n"
    plots += "sequestration_rate,forest,*,,6.1,5.5,6.6,t C / ha / yr,gross,own plots,,U,\n"
    (tmp_path / "my-plots.csv").write_text(plots, encoding="utf-8")
    for name in ("clcd_1990", "clcd_2000"):
        write_raster(tmp_path / f"{name}.tif", 0, 20)
    write_raster(tmp_path / "tile_w.tif", 0, 10)
    write_raster(tmp_path / "tile_e.tif", 10, 10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def regions() -> gpd.GeoDataFrame:
    """The two squares of the study, which a page on rasters takes as given."""
    squares = [box(100_000 * i, 4_000_000, 100_000 * (i + 1), 4_100_000) for i in range(2)]
    return gpd.GeoDataFrame(index=["here", "there"], geometry=squares, crs="EPSG:6933").rename_axis("region")


def write_raster(file: Path, first: int, width: int) -> None:
    """Ten-kilometre pixels over the two regions, forest (2) and cropland (1) by turns; columns ``first`` and on."""
    corner = from_origin(10_000 * first, 4_100_000, 10_000, 10_000)
    classes = (np.indices((10, width)).sum(axis=0) % 2 + 1).astype("uint8")
    shape = {"height": 10, "width": width, "count": 1, "dtype": "uint8", "nodata": 0}
    with rasterio.open(file, "w", driver="GTiff", crs="EPSG:6933", transform=corner, **shape) as raster:
        raster.write(classes, 1)
