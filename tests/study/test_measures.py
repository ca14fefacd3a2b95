"""What can be done, for the three provinces that are worked by hand (see test_toy.py)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cobalance.study.pipeline import run_study
from cobalance.study.results import Results

SCENARIOS = """
scenarios:
  half: {en: Half the coal, zh: 煤炭减半, activities: {coal: {2025: 1.0, 2035: 0.0}}}
  green:
    en: Better rates and more forest
    zh: 提高速率、增加林地
    rates: {cropland: 2}
    convert: [{from_class: cropland, to_class: forest, share: 1/2}]
"""


@pytest.fixture
def results(toy: Path) -> Results:
    toy.write_text(toy.read_text(encoding="utf-8") + SCENARIOS, encoding="utf-8")
    return run_study(toy)


def _lever(results: Results, lever: str, target: str = "carbon", region: str = "C", source: str = "") -> float:
    table = results.table("levers").set_index(["region", "target", "lever", "source"])["value"]
    return float(table[region, target, lever, source])


def test_each_lever_closes_the_gap_alone(results: Results) -> None:
    # C: E = 1150, S = 200, φ = 1/3; land carries a third of 600, so 550 have to go
    assert _lever(results, "emission_cut") == pytest.approx(550 / 1150 * 100)
    assert _lever(results, "source_cut", source="coal") == pytest.approx(55)  # 550 of the 1000 from coal
    assert _lever(results, "source_cut", source="cement") == pytest.approx(550)  # not enough alone
    assert _lever(results, "rate_gain") == pytest.approx(275 / 3)  # the gap itself
    assert _lever(results, "compensation") == pytest.approx(1150 / 3 - 200)
    assert _lever(results, "emission_cut", region="A") == 0
    # oxygen: E = 3150, S = 500: 3150 − 1500 = 1650 have to go
    assert _lever(results, "emission_cut", "oxygen") == pytest.approx(1650 / 3150 * 100)


def test_the_conversion_closes_both_gaps_on_the_least_land(results: Results) -> None:
    # carbon: 36.667 ha wanted, a hectare of cropland gives 3/5; oxygen: 39.286 ha, 9/14; both ask for 61.111 ha
    (row,) = results.table("conversion").itertuples()
    assert (row.region, row.from_class, row.to_class, row.status) == ("C", "cropland", "forest", "closed on own land")
    assert row.value == pytest.approx(550 / 9)


def test_the_nearest_surplus_covers_the_deficit(results: Results) -> None:
    (flow,) = results.table("compensation_flows").itertuples()
    assert (flow.from_region, flow.to_region) == ("B", "C")
    assert flow.value == pytest.approx(1150 / 3 - 200)
    table = results.table("compensation")
    payments = table[table["variable"] == "payment"].set_index("region")["value"]
    assert payments.sum() == pytest.approx(0, abs=1e-9)
    assert payments["B"] == pytest.approx(1150 / 3 - 200)


def test_scenarios_stand_beside_the_baseline(results: Results) -> None:
    table = results.table("scenarios").set_index(["scenario", "region", "variable"])["value"]
    assert table["as forecast", "C", "ecological_land_gap_carbon"] == pytest.approx(275 / 3)
    # half the coal in 2030: C emits 500 + 100 + 50 = 650, (650/600 − 1) × 100
    assert table["half", "C", "carbon_emission"] == pytest.approx(650)
    assert table["half", "C", "ecological_land_gap_carbon"] == pytest.approx(25 / 3)
    assert table["half", "total", "carbon_emission"] == pytest.approx(4770 - 2250)
    # half of C's cropland becomes forest, the rest takes up 4 t C: 50 + 50 × 4/5 = 90 ha stand, 1150/15 are needed
    assert table["green", "C", "ecological_land_gap_carbon"] == 0
    # oxygen: 50 + 50 × 10/14 = 85.714 ha stand, 75 are needed
    assert table["green", "C", "ecological_land_gap_oxygen"] == 0
    assert table["half", "C", "ecological_land_gap_oxygen"] == pytest.approx((1650 / 1500 - 1) * 100)
    assert table["green", "total", "ecological_land_gap_carbon"] == 0
    names = results.table("scenarios").set_index("scenario")
    assert names.loc["half", "scenario_zh"].iloc[0] == "煤炭减半"


def test_groups_form_their_gap_from_added_land(results: Results) -> None:
    data = results.dataset.sel(target="carbon")
    # all regions: 1200 + 520 + 40 = 1760 ha stand, 4770/15 = 318 are needed
    assert data["group_standard_ecological_land"].sel(group="total").item() == pytest.approx(1760)
    assert data["group_needed_ecological_land"].sel(group="total").item() == pytest.approx(318)
    assert data["group_ecological_land_gap"].sel(group="total").item() == 0


def test_a_series_too_short_to_look_back_has_no_backtest(results: Results) -> None:
    assert "backtest" not in results.tables  # five years: a window of four leaves too little


def test_longer_series_are_held_against_what_happened(toy: Path) -> None:
    text = toy.read_text(encoding="utf-8").replace("years: 2016-2020", "years: 2010-2020")
    toy.write_text(text.replace("[2016, 2020]", "[2010, 2020]"), encoding="utf-8")
    data = pd.read_csv(toy.parent / "data.csv", dtype=str)
    first = data[(data["year"] == "2016")]
    earlier = [first.assign(year=str(year)) for year in range(2010, 2016)]
    pd.concat([data, *earlier]).to_csv(toy.parent / "data.csv", index=False)
    scores = run_study(toy).table("backtest").set_index(["activity", "model", "horizon"])
    assert scores.loc[("coal", "linear", 1), "mape"] == pytest.approx(0, abs=1e-9)  # constant series are foreseen
    assert scores.loc[("coal", "last_value", 1), "count"] > 0
