"""A study whose land comes from rasters: the same areas as counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from cobalance.study.pipeline import check_study, run_study

COUNTED = {"A": (60, 40), "B": (20, 80), "C": (0, 100)}  # pixels of forest (code 2) and cropland (code 1), 100 a square


def _use_raster(toy: Path) -> None:
    """Land of 2018 as a raster of 10 km pixels in the toy's own equal-area CRS: 10 × 10 a square."""
    pixels = np.ones((10, 30), dtype=np.uint8)
    for square, (forest, _) in enumerate(COUNTED.values()):
        pixels[: forest // 10, 10 * square : 10 * square + 10] = 2
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 1,
        "width": 30,
        "height": 10,
        "crs": "EPSG:6933",
        "nodata": 0,
    }
    with rasterio.open(
        toy.parent / "2018.tif", "w", transform=from_origin(0, 4_100_000, 10_000, 10_000), **profile
    ) as sink:
        sink.write(pixels, 1)
    text = toy.read_text(encoding="utf-8")
    text = text.replace(
        "inputs: [data.csv]", "inputs: [data.csv]\nland_cover: {rasters: {2018: 2018.tif}, legend: CLCD}"
    )
    toy.write_text(text, encoding="utf-8")
    data = (toy.parent / "data.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in data if ",forest," not in line and ",cropland," not in line]
    (toy.parent / "data.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")


def test_land_is_counted_and_every_chapter_stands_on_it(toy: Path) -> None:
    _use_raster(toy)
    results = run_study(toy)
    area = results.dataset["land_area"].sel(year=2018)
    # a pixel is 10 km × 10 km = 10,000 ha in an equal-area CRS
    for region, (forest, cropland) in COUNTED.items():
        np.testing.assert_allclose(area.sel(region=region, land_class="forest"), forest * 1e4, rtol=1e-6)
        np.testing.assert_allclose(area.sel(region=region, land_class="cropland"), cropland * 1e4, rtol=1e-6)
    cells = results.table("observations").query("variable == 'land_area' and region == 'A'").set_index("item")
    assert cells.loc["forest", "file"] == "2018.tif"
    assert cells.loc["forest", "printed"] == "60"
    assert not list(toy.parent.glob(".*land-cover")), "the checkpoint is gone when the count is done"


def test_check_opens_the_rasters_and_counts_nothing(toy: Path) -> None:
    _use_raster(toy)
    assert check_study(toy).errors == ()
    (toy.parent / "2018.tif").write_bytes(b"not a raster")
    (problem,) = check_study(toy).errors
    assert problem.code.startswith("E6")
    assert "2018.tif" in problem.text()
