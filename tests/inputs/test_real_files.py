"""Real files beside the repository, where they are there: read whole, with their known sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from cobalance.inputs.boundaries import polygon_area_ha, read_boundaries
from cobalance.inputs.checks import combined
from cobalance.inputs.regions import RegionNames
from cobalance.inputs.tables import TableSource, read_observations

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CHINA = RegionNames.builtin("china_provinces")
STATES = RegionNames.builtin("us_states")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not beside the repository")


def test_population_of_the_provinces():
    found = combined([read_observations(TableSource("china/population_provinces_1990_2024.csv"), CHINA, None, DATA)])
    assert len(found.frame) == 31 * 35  # provinces × years 1990–2024, no gaps
    cell = found.frame.query("region == '110000' and year == 1990")
    assert cell["value"].item() == 1086.0e4


def test_energy_balances_with_a_national_row():
    source = TableSource("china/energy_balance_gcam_china.csv", drop=("raw_coal",))
    found = combined([read_observations(source, CHINA, None, DATA)])
    coal = found.frame.query("year == 1990 and item == 'coal'")["value"]
    assert len(coal) == 28
    assert coal.sum() == pytest.approx(1053e6, rel=1e-3)
    assert any(notice.code == "W301" and "China" in notice.text() for notice in found.notices)


def test_fuels_of_the_states():
    names = {"coal": "coal", "motor_gasoline": "gasoline"}
    source = TableSource(
        "us/seds_fuel_use_billion_btu_1960_2019.csv",
        layout="wide", down=("region", "year"), across="variable", unit="billion Btu", names=names,
    )  # fmt: skip
    frame = read_observations(source, STATES, None, DATA).frame
    coal = frame.query("year == 2019 and item == 'coal'")
    assert len(coal) == 51
    # the US row (11,314,840 billion Btu) is left out; the states sum to it
    assert coal["value"].sum() / 1055.05585262 == pytest.approx(11_314_840, rel=1e-4)


def test_boundaries_of_the_provinces():
    folder = DATA / "china" / "boundaries"
    good = read_boundaries("china_provinces_wgs84_tol02.geojson", "name_zh", CHINA, base_dir=folder)
    assert len(good.frame) == 34 and good.notices == ()
    mended = read_boundaries("china_provinces_echarts4_apache2.geojson", "name_zh", CHINA, base_dir=folder)
    assert [notice.code for notice in mended.notices] == ["W401"] * 11
    total, other = (sum(polygon_area_ha(each).values()) for each in (good, mended))
    assert total == pytest.approx(other, rel=1e-3)
