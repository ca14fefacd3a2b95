"""regions.gpkg: the regions for those who go on in a GIS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest

from cobalance.report.export import attributes, write_layers_of
from cobalance.report.facts import Facts
from cobalance.study.results import Results


@pytest.fixture(scope="module")
def file(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layers_of(Facts(results), tmp_path_factory.mktemp("layers"))[0]


def test_layers(file: Path) -> None:
    layers = ["regions", "results", "gravity_centre", "layer_styles"]  # the last is how QGIS finds the styles
    assert [name for name, _ in pyogrio.list_layers(file)] == layers


def test_results_can_still_be_opened(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path)
    write_layers_of(Facts(results), tmp_path)
    again = Results.open(tmp_path).regions
    assert list(again.columns) == ["name_zh", "name_en", "geometry"]
    assert again.geometry.geom_equals(results.regions.geometry).all()


def test_results_layer_is_wide(results: Results, file: Path) -> None:
    layer = gpd.read_file(file, layer="results").set_index("region")
    assert list(layer.index) == list(results.regions.index)  # every region, also the one without data
    # Ash, 2020: coal 144·1.8e5·0.7 + gas half of it + cement 6e5·0.1 + people 12e5·0.09 = 27,384,000 t C
    assert layer.at["ra", "carbon_emission_2020"] == pytest.approx(144 * 1.8e5 * 0.7 * 1.5 + 6e4 + 1.08e5)
    # its land: forest 1e6 ha · 5 + cropland 0.5e6 ha · 4 = 7e6 t C
    assert layer.at["ra", "carbon_sequestration_2020"] == pytest.approx(7e6)
    assert layer.at["ra", "carbon_balance_coefficient_2020"] == pytest.approx(27_384_000 / 7e6)
    assert layer.at["ra", "cluster_carbon_balance_2020"] == "high-high"
    assert layer.at["ra", "ecological_land_status_oxygen"] == "infeasible on own land"
    assert layer.loc["rl", ["carbon_emission_2020", "ecological_land_gap_carbon"]].isna().all()


def test_same_bytes(results: Results, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = (write_layers_of(Facts(results), tmp_path / name)[0].read_bytes() for name in "ab")
    assert one == two


def test_without_shapes_there_is_no_file(results: Results, tmp_path: Path) -> None:
    bare = results.regions.assign(geometry=None).set_geometry("geometry")
    assert write_layers_of(Facts(replace(results, regions=bare)), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_study_without_space_and_outlook_has_fewer_columns(results: Results) -> None:
    names = [str(name) for name in results.dataset.data_vars if "ecological" in str(name)]
    tables = {name: table for name, table in results.tables.items() if "moran" not in name}
    bare = replace(results, dataset=results.dataset.drop_vars(names), tables=tables)
    columns = attributes(Facts(bare)).columns
    assert len(columns) == 12 and not any("cluster" in column for column in columns)
