"""Maps whose numbers are known from elsewhere. The files stand beside the repository and may be absent."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
import shapely
from maps import region_frame

from cobalance.landcover import Options, tabulate

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"the reference maps are not at hand ({DATA})")


def test_sao_tome_and_principe() -> None:
    folder = DATA / "rasters" / "esa_worldcover_saotome_principe_10m"
    rasters = {2020: next(folder.glob("*2020*.tif")), 2021: next(folder.glob("*2021*.tif"))}
    result = tabulate(rasters, region_frame([shapely.box(6, 0, 9, 3)], "EPSG:4326"), Options(legend="WorldCover"))
    assert result.pixels.sel(region="r0", land_class="forest").values.tolist() == [10_800_572, 10_819_361]
    land = result.land_area.sum("land_class") - result.land_area.sel(land_class="water")
    assert (land.values.ravel() / 100).round(1).tolist() == [987.3, 985.7]
    assert result.conservation["total_pixels"].tolist() == [36_000**2] * 2
    assert result.conservation["difference_ha"].abs().max() < 1e-9


def test_itanhanga() -> None:
    """A sinusoidal grid of a sphere: equal-area, so every cell has its nominal size."""
    folder = DATA / "rasters" / "brazil_itanhanga_250m"
    rasters = {year: folder / f"itanhanga_{year}.tif" for year in range(2001, 2017)}
    with rasterio.open(rasters[2001]) as dataset:
        frame = region_frame([shapely.box(*dataset.bounds)], dataset.crs.to_wkt())
    areas = tabulate(rasters, frame).land_area.sel(region="r0", land_class=4) / 100
    assert [round(float(areas.sel(year=year))) for year in (2001, 2016)] == [2503, 1409]


def test_china_beside_the_table_of_modis() -> None:
    """The table was counted elsewhere from the same map, by other means.

    The total agrees to 0.01 %, provinces to 0.5 % except Hainan and Hong Kong (1.2 and 1.7 %: islands and inlets
    smaller than a cell) and Macau (one cell); national totals of the classes to 1 %.
    """
    china = DATA / "china"
    table = pd.read_csv(china / "landcover_modis_mcd12c1_2019_simplified_by_province.csv", dtype={"adcode": str})
    regions = gpd.read_file(china / "boundaries" / "china_provinces_wgs84_tol005.geojson")
    regions["adcode"] = regions["adcode"].astype(str)
    raster = china / "rasters" / "mcd12c1_2019_igbp_china_005deg.tif"
    result = tabulate({2019: raster}, regions, Options(key="adcode", coverage="exact", legend="MCD12C1"))
    areas = result.land_area.sel(year=2019) / 100
    ours, theirs = areas.sum("land_class").to_series(), table.groupby("adcode")["area_km2"].sum()
    assert set(ours.index) == set(theirs.index)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=2e-4)
    differences = (ours / theirs - 1).abs()
    islands = ["460000", "810000", "820000"]
    assert differences.drop(islands).max() < 5e-3
    assert differences[islands].max() < 2e-2
    named = table.replace({"class": {"builtup": "built"}}).groupby("class")["area_km2"].sum()
    assert (areas.sum("region").to_series() / named - 1).abs().max() < 1e-2
