"""Three provinces worked by hand, every quantity from area to gap.

          forest  cropland  coal   cement  people
A          1000      500    1000     100     100
B           200      800    6000       0    1000
C             0      100    2000    1000     500

rates      forest 5 t C, 14 t O2; cropland 2 t C, 5 t O2 (ha, year)
factors    coal 0.5 t C/t and 3 t O2/t C; cement 0.1 t C/t; a person 0.1 t C and 0.3 t O2
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cobalance.study.pipeline import run_study
from cobalance.study.results import Results


@pytest.fixture
def results(toy: Path) -> Results:
    return run_study(toy)


def _values(results: Results, name: str, **at: object) -> list[float]:
    return results.dataset[name].sel(at).values.tolist()


def test_land_area_is_in_hectares_and_held_from_its_one_year(results: Results) -> None:
    assert _values(results, "land_area", year=2018, land_class="cropland") == [500, 800, 100]  # 5, 8, 1 km2
    assert _values(results, "land_area", year=2020, land_class="forest") == [1000, 200, 0]
    flags = results.table("land_area").set_index(["region", "year", "land_class"])["flag"]
    assert flags["A", 2018, "forest"] == "observed"
    assert flags["A", 2020, "forest"] == flags["A", 2016, "forest"] == "held"


def test_sequestration_and_release(results: Results) -> None:
    # A: 1000 × 5 = 5000, 500 × 2 = 1000; B: 200 × 5 = 1000, 800 × 2 = 1600; C: 0, 100 × 2 = 200
    assert _values(results, "carbon_sequestration", year=2020) == [[5000, 1000], [1000, 1600], [0, 200]]
    # A: 1000 × 14 = 14000, 500 × 5 = 2500; B: 2800, 4000; C: 0, 500
    assert _values(results, "oxygen_release", year=2020) == [[14000, 2500], [2800, 4000], [0, 500]]


def test_emission_and_consumption(results: Results) -> None:
    assert results.dataset["source"].values.tolist() == ["coal", "cement", "respiration"]
    # A: 1000 × .5 = 500, 100 × .1 = 10, 100 × .1 = 10; B: 3000, 0, 100; C: 1000, 100, 50
    expected = [[500, 10, 10], [3000, 0, 100], [1000, 100, 50]]
    np.testing.assert_allclose(_values(results, "carbon_emission", year=2020), expected, rtol=1e-12)
    # A: 500 × 3 = 1500, cement uses none, 100 × .3 = 30; B: 9000, 0, 300; C: 3000, 0, 150
    expected = [[1500, 0, 30], [9000, 0, 300], [3000, 0, 150]]
    np.testing.assert_allclose(_values(results, "oxygen_consumption", year=2020), expected, rtol=1e-12)


def test_balance_coefficients(results: Results) -> None:
    # carbon: A 520/6000, B 3100/2600, C 1150/200; oxygen: A 1530/16500, B 9300/6800, C 3150/500
    carbon, oxygen = [520 / 6000, 3100 / 2600, 5.75], [1530 / 16500, 9300 / 6800, 6.3]
    np.testing.assert_allclose(_values(results, "carbon_balance_coefficient", year=2020), carbon, rtol=1e-12)
    np.testing.assert_allclose(_values(results, "oxygen_balance_coefficient", year=2020), oxygen, rtol=1e-12)
    assert set(results.dataset["carbon_balance_reason"].values.ravel()) == {""}


def test_groups_add_quantities_first_and_form_the_ratio_last(results: Results) -> None:
    # west = A + B: (520 + 3100) / (6000 + 2600); total: 4770 / 8800
    groups = results.dataset["group_carbon_balance_coefficient"].sel(year=2020)
    assert groups.sel(group="west").item() == pytest.approx(3620 / 8600, rel=1e-12)
    assert groups.sel(group="total").item() == pytest.approx(4770 / 8800, rel=1e-12)


def test_rank_and_growth(results: Results) -> None:
    table = results.table("balance").query("variable == 'carbon_balance_coefficient' and year == 2020")
    assert table["rank"].tolist() == [3, 2, 1]
    assert table["growth"].tolist() == [0, 0, 0]  # nothing changes from 2016 to 2020


def test_shares_add_up_to_the_whole(results: Results) -> None:
    table = (
        results.table("emission")
        .query("variable == 'carbon_emission' and year == 2020")
        .set_index(["region", "source"])
    )
    assert table.loc[("A", "coal"), "share"] == pytest.approx(500 / 520 * 100)
    np.testing.assert_allclose(table.groupby("region")["share"].sum(), 100)
    areas = results.table("sequestration").query("variable == 'oxygen_release' and year == 2020")
    assert areas.set_index(["region", "land_class"]).loc[("B", "forest"), "share"] == pytest.approx(2800 / 6800 * 100)


def test_an_inventory_enters_as_it_is_and_its_oxygen_follows_from_its_source(toy: Path) -> None:
    data = (toy.parent / "data.csv").read_text(encoding="utf-8")
    for region, coal in (("A", 1000), ("B", 6000), ("C", 2000)):
        # the coal of before, as t CO2 by an inventory: 1000 t × 0.5 t C/t × 44/12
        data = data.replace(",coal,t,", ",carbon_emission coal,t CO2,") if region == "A" else data
        data = data.replace(
            f"carbon_emission coal,t CO2,{coal}\n", f"carbon_emission coal,t CO2,{coal * 0.5 * 44 / 12!r}\n"
        )
    (toy.parent / "data.csv").write_text(data, encoding="utf-8")
    results = run_study(toy)
    np.testing.assert_allclose(_values(results, "carbon_emission", year=2020, source="coal"), [500, 3000, 1000])
    np.testing.assert_allclose(_values(results, "oxygen_consumption", year=2020, source="coal"), [1500, 9000, 3000])
    carbon = _values(results, "carbon_balance_coefficient", year=2020)
    np.testing.assert_allclose(carbon, [520 / 6000, 3100 / 2600, 5.75])
    assert "emission_factor" not in set(results.table("coefficients")["quantity"])


def test_gravity_centre(results: Results) -> None:
    # centroids at 50, 150, 250 km: (520/6000 × 50 + 3100/2600 × 150 + 5.75 × 250) / (520/6000 + 3100/2600 + 5.75)
    weights = np.array([520 / 6000, 3100 / 2600, 5.75])
    expected = float(weights @ [50_000, 150_000, 250_000] / weights.sum())
    track = results.table("gravity_centre").query("variable == 'carbon_balance_coefficient'")
    assert track["easting_m"].iloc[-1] == pytest.approx(expected, rel=1e-6)  # the boundary went through degrees
    assert track["region"].iloc[-1] == "C"
    assert track["distance_km"].iloc[-1] == pytest.approx(0, abs=1e-6)


def test_outlook_of_constant_series_is_the_series(results: Results) -> None:
    outlook = results.dataset["outlook"].sel(outlook_year=2030, activity="coal", model="ensemble")
    np.testing.assert_allclose(outlook.values, [1000, 6000, 2000], rtol=1e-9)
    assert (
        results.dataset["outlook_reason"].sel(model="ensemble", region="B", activity="cement").item() == "always zero"
    )
    total = results.dataset["outlook_carbon_emission"].sum("source")
    np.testing.assert_allclose(total.values, [520, 3100, 1150], rtol=1e-9)


def test_ecological_land(results: Results) -> None:
    data = results.dataset
    # carbon, standard: A 1000 + 500 × 2/5 = 1200; B 200 + 800 × 2/5 = 520; C 100 × 2/5 = 40
    np.testing.assert_allclose(data["standard_ecological_land"].sel(target="carbon"), [1200, 520, 40], rtol=1e-12)
    # needed: E/3/5: A 34.667, B 206.667, C 76.667
    needed = data["needed_ecological_land"].sel(target="carbon")
    np.testing.assert_allclose(needed, [520 / 15, 3100 / 15, 1150 / 15], rtol=1e-9)
    # gap: C (76.667/40 − 1) × 100 = 91.667 %; and the identity E / (3 S) − 1 with S = 200
    np.testing.assert_allclose(data["ecological_land_gap"].sel(target="carbon"), [0, 0, 275 / 3], rtol=1e-9)
    assert data["ecological_land_gap"].sel(target="carbon", region="C").item() == pytest.approx((1150 / 600 - 1) * 100)
    # oxygen: C needs 3150/3/14 = 75 ha against 100 × 5/14 = 35.714: 110 %
    np.testing.assert_allclose(data["ecological_land_gap"].sel(target="oxygen"), [0, 0, 110], rtol=1e-9)
    # C could turn 100 ha of cropland into forest: 100 × 3/5 = 60 ha of forest-equivalents, more than 36.667 wanted
    assert data["ecological_land_status"].sel(target="carbon").values.tolist() == ["no gap", "no gap", "gap"]


def test_results_come_back_from_their_folder(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "out")
    opened = Results.open(tmp_path / "out")
    for name in results.dataset.data_vars:
        np.testing.assert_array_equal(
            opened.dataset[name].values, results.dataset[name].values.astype(opened.dataset[name].dtype)
        )
    assert opened.study == results.study
    assert list(opened.regions.index) == ["A", "B", "C"]
    assert opened.table("balance")["value"].tolist() == results.table("balance")["value"].tolist()


def test_two_runs_leave_the_same_bytes(toy: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run_study(toy).save(tmp_path / name)
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
