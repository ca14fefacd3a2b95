"""What rasters are refused for, and mosaics, mixed grids, VRT, HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from maps import EQUAL_AREA, counted, north_up, region_frame, write_raster
from rasterio.transform import Affine

from cobalance.landcover import Options, tabulate
from cobalance.landcover.rasters import open_rasters
from cobalance.vocabulary.errors import CobalanceError

BOX = region_frame([shapely.box(0, 0, 20, 10)])
ONES = np.ones((10, 20), np.uint8)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    bare = write_raster(tmp_path / "bare.tif", ONES, crs=None)
    turned = write_raster(tmp_path / "turned.tif", ONES, transform=Affine(1, 0.5, 0, 0.5, -1, 10))
    floats = write_raster(tmp_path / "floats.tif", ONES.astype(np.float32))
    with pytest.raises(CobalanceError) as caught:
        open_rasters({1990: bare, 1995: turned, 2000: floats, 2005: tmp_path / "none.tif"})
    text = str(caught.value)
    assert [problem.code for problem in caught.value.problems][:4] == ["E602", "E603", "E604", "E601"]
    for name in ("bare.tif", "turned.tif", "floats.tif", "none.tif"):
        assert name in text
    assert "values are of type float32. Expected: integer class codes" in text
    assert "栅格没有坐标参考系" in caught.value.text("zh")


def test_no_raster_is_a_problem() -> None:
    with pytest.raises(CobalanceError, match="E631"):
        open_rasters({})


def test_two_bands_are_refused(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "two.tif", ONES, count=2)
    with pytest.raises(CobalanceError, match="E610 .*two.tif: The raster has 2 bands"):
        open_rasters({1: path})


def test_a_mosaic_counts_as_one_raster(tmp_path: Path) -> None:
    """Four files with tile sizes of their own, beside one file of the whole."""
    pixels = np.random.default_rng(5).integers(0, 6, (50, 60)).astype(np.uint8)
    whole = write_raster(tmp_path / "whole.tif", pixels)
    parts = []
    for number, (top, bottom, left, right) in enumerate(
        [(0, 23, 0, 31), (0, 23, 31, 60), (23, 50, 0, 31), (23, 50, 31, 60)]
    ):
        transform = north_up(left, 50 - top, 1, 1)
        size = 16 * (1 + number % 2)
        parts.append(
            write_raster(
                tmp_path / f"part{number}.tif",
                pixels[top:bottom, left:right],
                transform=transform,
                blockxsize=size,
                blockysize=size,
            )
        )
    regions = region_frame(
        [shapely.Point(30, 25).buffer(20), shapely.Point(55, 45).buffer(12), shapely.box(-9, 3, 4, 8)]
    )
    for coverage in ("centre", "exact"):
        one = tabulate({2000: whole}, regions, Options(coverage=coverage))
        four = tabulate({2000: parts}, regions, Options(coverage=coverage))
        assert one.table.equals(four.table)
        assert one.conservation.equals(four.conservation)
        assert (four.conservation["outside_pixels"].iloc[1:] > 0).all()


def test_files_of_a_mosaic_must_fit(tmp_path: Path) -> None:
    first = write_raster(tmp_path / "first.tif", ONES)
    over = write_raster(tmp_path / "over.tif", ONES, transform=north_up(15, 10, 1, 1))
    shifted = write_raster(tmp_path / "shifted.tif", ONES, transform=north_up(20.4, 10, 1, 1))
    with pytest.raises(
        CobalanceError, match=r"E606 .*over.tif: The file overlaps .*first.tif by 10 rows and 5 columns"
    ):
        open_rasters({2000: [first, over]})
    with pytest.raises(CobalanceError, match=r"E607 .*shifted.tif: .* not lie on the grid of .*first.tif"):
        open_rasters({2000: [first, shifted]})


def test_years_on_different_grids_must_be_declared(tmp_path: Path) -> None:
    fine = write_raster(tmp_path / "fine.tif", ONES)
    coarse = write_raster(tmp_path / "coarse.tif", ONES[:5, :10], transform=north_up(0, 10, 2, 2))
    small = write_raster(tmp_path / "small.tif", ONES[:, :10])
    with pytest.raises(CobalanceError, match=r"E605 .*\(1990 2000 \| 2010\)"):
        open_rasters({1990: fine, 2000: fine, 2010: coarse})
    rasters = {1990: fine, 2000: coarse, 2010: small}
    result = tabulate(rasters, BOX, Options(mixed_grids=True))
    assert result.land_area.sel(region="r0", land_class=1).to_series().to_dict() == pytest.approx(
        {1990: 0.02, 2000: 0.02, 2010: 0.01}
    )
    assert result.pixels.sel(region="r0", land_class=1).values.tolist() == [200, 50, 100]
    assert result.conservation["outside_pixels"].tolist() == [0, 0, 100]
    assert [notice.code for notice in result.notices] == ["W602"]


def test_grids_that_differ_in_the_last_digit_are_one(tmp_path: Path) -> None:
    step = 1 / 3
    one = write_raster(tmp_path / "one.tif", ONES, transform=north_up(0, 10, step, step))
    two = write_raster(tmp_path / "two.tif", ONES, transform=north_up(1e-13, 10, step * (1 + 1e-15), step))
    rasters = open_rasters({1990: one, 2000: two})
    assert rasters[0].layout == rasters[1].layout


@pytest.mark.parametrize("nodata", [[0, 9], [9, None]])
def test_each_year_has_its_own_nodata(tmp_path: Path, nodata: list[int | None]) -> None:
    pixels = np.array([[0, 9, 1, 1]], np.uint8)
    paths = {
        year: write_raster(tmp_path / f"{year}.tif", pixels, nodata=value, tiled=False)
        for year, value in zip((1, 2), nodata, strict=True)
    }
    result = tabulate(paths, region_frame([shapely.box(0, 0, 4, 1)]))
    for year, value in zip((1, 2), nodata, strict=True):
        found = result.pixels.sel(region="r0", year=year).to_series()
        expected = {0: 1, 9: 1, 1: 2}
        if value is not None:
            expected[value] = 0
        assert found.to_dict() == {k: v for k, v in expected.items() if k in found.index}
    assert result.conservation["nodata_pixels"].tolist() == [0 if value is None else 1 for value in nodata]


def test_a_vrt_is_read_through_gdal(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 6, (40, 60)).astype(np.uint8)
    path = write_raster(tmp_path / "map.tif", pixels)
    vrt = tmp_path / "map.vrt"
    wkt = open_rasters({1: path})[0].lattice.crs_wkt.replace('"', "&quot;")
    vrt.write_text(
        f"""<VRTDataset rasterXSize="60" rasterYSize="40"><SRS>{wkt}</SRS>
        <GeoTransform>0, 1, 0, 40, 0, -1</GeoTransform><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
        <SourceFilename relativeToVRT="1">map.tif</SourceFilename><SourceBand>1</SourceBand>
        <SrcRect xOff="0" yOff="0" xSize="60" ySize="40"/><DstRect xOff="0" yOff="0" xSize="60" ySize="40"/>
        </SimpleSource></VRTRasterBand></VRTDataset>"""
    )
    regions = region_frame([shapely.Point(30, 20).buffer(15)])
    results = [tabulate({1: source}, regions) for source in (path, vrt)]
    assert open_rasters({1: vrt})[0].index is None
    assert results[0].table.equals(results[1].table)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own: GDAL holds the interpreter's lock while it waits for an answer."""
    command = [sys.executable, str(Path(__file__).with_name("range_server.py")), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


def test_a_remote_file_is_read_by_ranges(
    tmp_path: Path, server: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert server.stdout
    address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    pixels = np.random.default_rng(1).integers(0, 250, (1024, 1024)).astype(np.uint8)
    path = write_raster(tmp_path / "map.tif", pixels, blockxsize=256, blockysize=256)
    regions = region_frame([shapely.box(3, 1000, 40, 1020)])
    local = tabulate({1: path}, regions, Options(threads=1))
    with rasterio.Env(GDAL_HTTP_TIMEOUT=10, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        remote = tabulate({1: f"{address}/map.tif"}, regions, Options(threads=1))
    server.terminate()
    sent = sum(int(line) for line in server.stdout)
    assert counted(local.pixels) == counted(remote.pixels)
    assert local.conservation.equals(remote.conservation)
    assert 0 < sent < path.stat().st_size / 2


def test_a_file_that_changes_during_the_run_is_noticed(tmp_path: Path) -> None:
    from cobalance.landcover.areas import planned
    from cobalance.landcover.run import run_plan

    path = write_raster(tmp_path / "map.tif", ONES)
    plan = planned({1: path}, BOX, Options())
    write_raster(path, ONES * 3, crs=EQUAL_AREA, compress="none")
    with pytest.raises(CobalanceError, match="E623 .*map.tif"):
        run_plan(plan, threads=1)
