"""``cobalance landcover`` without its command line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from maps import region_frame, write_raster

from cobalance.landcover.command import LandcoverOptions, run_landcover
from cobalance.vocabulary.errors import CobalanceError, Problem


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, object]:
    pixels = np.array([[1, 1, 2, 2], [1, 3, 2, 2]], np.uint8)
    paths = [write_raster(tmp_path / f"{year}.tif", pixels, tiled=False) for year in (1990, 2000)]
    regions = region_frame([shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2), shapely.box(8, 8, 9, 9)])
    regions.rename(columns={"region": "code"}).to_file(tmp_path / "regions.gpkg")
    return {
        "rasters": tuple(map(str, paths)),
        "years": (1990, 2000),
        "regions": tmp_path / "regions.gpkg",
        "key": "code",
    }


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_are_written(tmp_path: Path, inputs: dict, ending: str) -> None:
    notices: list[Problem] = []
    output = tmp_path / "out" / f"areas.{ending}"
    options = LandcoverOptions(**inputs, output=output, legend="CLCD", transitions=True)
    assert run_landcover(options, notice=notices.append) == output
    table = pd.read_csv(output) if ending == "csv" else pd.read_parquet(output)
    assert table.columns.tolist() == ["region", "year", "land_class", "area_ha", "pixels"]
    first = table[(table["region"] == "r0") & (table["year"] == 1990)]
    assert dict(zip(first["land_class"], first["pixels"], strict=True)) == {"cropland": 3, "forest": 0, "shrub": 1}
    assert first["area_ha"].tolist() == [0.0003, 0.0, 0.0001]
    assert table[table["region"] == "r2"]["area_ha"].isna().all()
    assert [notice.code for notice in notices] == ["W601", "W601"]
    changes = pd.read_csv(output.with_name("areas.transitions.csv"))
    assert changes["pixels"].sum() == 8
    conservation = pd.read_csv(output.with_name("areas.conservation.csv"))
    assert conservation["difference_ha"].abs().max() < 1e-15
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "areas.conservation.csv",
        f"areas.{ending}",
        "areas.transitions.csv",
    ]


def test_progress_tells_bands_and_bytes(tmp_path: Path, inputs: dict) -> None:
    calls: list[tuple[str, int, int, int]] = []
    run_landcover(LandcoverOptions(**inputs, output=tmp_path / "areas.csv"), lambda *arguments: calls.append(arguments))
    assert calls[0] == ("count", 0, 1, 0)
    assert calls[-1][:3] == ("count", 1, 1)
    assert calls[-1][3] > 0


def test_what_does_not_fit_together(tmp_path: Path, inputs: dict) -> None:
    with pytest.raises(CobalanceError) as caught:
        run_landcover(LandcoverOptions(**{**inputs, "regions": None}, output=tmp_path / "areas.xls"))
    assert [problem.code for problem in caught.value.problems] == ["E627", "E628"]
    with pytest.raises(CobalanceError, match="E628 .*2 of regions and grid are given"):
        run_landcover(LandcoverOptions(**inputs, grid=0.1, output=tmp_path / "areas.csv"))
    with pytest.raises(CobalanceError, match="E611 .*2 rasters stand beside 1 years"):
        run_landcover(LandcoverOptions(**{**inputs, "years": (1990,)}, output=tmp_path / "areas.csv"))
    with pytest.raises(CobalanceError, match="E630 .*none.gpkg"):
        run_landcover(LandcoverOptions(**{**inputs, "regions": tmp_path / "none.gpkg"}, output=tmp_path / "areas.csv"))
    assert not list(tmp_path.glob("areas*"))


def test_every_option_says_what_it_does() -> None:
    for option in fields(LandcoverOptions):
        assert option.metadata["help"].endswith("."), option.name


def test_a_grid_of_billions_of_cells_is_refused(tmp_path: Path) -> None:
    raster = tmp_path / "wide.tif"
    write_raster(raster, np.ones((4, 4), np.uint8))
    with pytest.raises(CobalanceError, match="E632 .*grid.*10,000,000 cells"):
        run_landcover(LandcoverOptions((str(raster),), (2000,), tmp_path / "areas.csv", grid=1e-4))
