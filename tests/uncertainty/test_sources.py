"""Further sources: the registry, its arithmetic, and what would be counted twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import xarray as xr

from cobalance.coefficients import read_set, set_names
from cobalance.coefficients.sets import quantities
from cobalance.study.pipeline import run_study
from cobalance.study.prepare import prepare
from cobalance.study.spec import Uncertainty
from cobalance.study.uncertainty import drawn_study
from cobalance.uncertainty.sources import cement_carbonation, double_counting, source_registry
from cobalance.vocabulary import units


def texts(sources: list[str], basis: str = "gross") -> list[str]:
    return [problem.text("en") for problem in double_counting(sources, basis)]


def test_the_registry_is_whole() -> None:
    table = source_registry()
    assert table["source"].is_unique
    assert set(table["kind"]) == {"source", "sink"}
    assert {"lime", "steel", "livestock_respiration", "straw_burning", "waste_incineration", "ocean"} <= set(
        table["source"]
    )
    assert (table[["name_en", "name_zh", "unit", "quantity", "factor", "oxygen"]] != "").all().all()
    for unit in table["unit"]:
        units.parse(unit)
    assert set(table["quantity"]) <= set(quantities())


def test_what_the_registry_calls_shipped_is_in_a_shipped_set() -> None:
    table = source_registry().set_index("source")
    shipped = {(row.quantity, row.item) for name in set_names() for row in read_set(name).itertuples()}
    quantities_of = {quantity for quantity, _ in shipped}
    other = {"livestock_respiration": "dairy_cow", "biomass_burning": "wood", "cement_carbonation": "cement"}
    for source, row in table.iterrows():
        item = other.get(str(source), str(source))
        assert row["quantity"] in quantities_of
        assert ((row["quantity"], item) in shipped) == (row["factor"] == "shipped"), source
        if row["oxygen"] == "ratio":
            ratio = "biomass" if source in ("straw_burning", "biomass_burning") else item
            assert ("oxidative_ratio", ratio) in shipped, source


def test_coke_beside_coal_is_warned_of_by_name() -> None:
    (text,) = texts(["coal", "coke", "gasoline"])
    assert text.startswith("W854")
    assert "coal and coke may count the same carbon twice: coke is made from coal" in text
    found = double_counting(["coal", "coke"], "gross", chinese={"coal": "煤炭"})
    assert ["煤炭与焦炭可能重复计碳：焦炭由煤炼成" in problem.text("zh") for problem in found] == [True]


def test_crude_beside_its_products_is_one_notice_that_names_them_all() -> None:
    (text,) = texts(["crude_oil", "gasoline", "diesel", "natural_gas"])
    assert "crude_oil and gasoline, diesel may count" in text


def test_breath_and_harvest_collide_only_where_the_sink_is_net() -> None:
    sources = ["respiration", "livestock_respiration", "natural_gas"]
    assert texts(sources) == []
    found = texts(sources, "net")
    assert len(found) == 2
    assert all("the land's net sink" in text for text in found)


def test_what_does_not_overlap_is_not_warned_of() -> None:
    assert texts(["coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas", "cement", "respiration"]) == []


def test_carbonation_is_a_share_of_the_process_carbon() -> None:
    carbon = xr.DataArray([[200.0]], {"region": ["A"], "year": [2020]}, attrs={"units": "t C / yr"})
    assert cement_carbonation(carbon, 0.5).item() == 100.0


def test_a_further_source_is_a_row_in_the_tables_and_a_factor_in_a_set_of_ones_own(
    small_study: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "with_lime"
    shutil.copytree(small_study.parent, folder)
    study = (folder / "study.yaml").read_text(encoding="utf-8")
    lime = "inputs: [data.csv, {file: lime.csv, names: {lime: fuel_use lime}}]\n"
    study = study.replace("inputs: [data.csv]\n", lime).replace("outlook: ", "# ")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    rows = [f"{region},{year},lime,t,{50 * (1 + k)}" for k, region in enumerate("ABCD") for year in range(2011, 2016)]
    (folder / "lime.csv").write_text("region,year,variable,unit,value\n" + "\n".join(rows) + "\n", encoding="utf-8")
    factors = (folder / "rates.csv").read_text(encoding="utf-8")
    factors += "emission_factor,lime,*,,0.2,0.18,0.21,t C / t,,this test,,U,\n"
    factors += "oxygen_per_carbon,lime,*,,0,,,t O2 / t C,,this test,,U,calcination uses none\n"
    (folder / "rates.csv").write_text(factors, encoding="utf-8")
    results = run_study(folder / "study.yaml")
    source = results.dataset.sel(source="lime", year=2015)
    # region C: 150 t · 0.2 t C/t
    assert source["carbon_emission"].sel(region="C").item() == pytest.approx(30.0)
    assert source["oxygen_consumption"].sel(region="C").item() == 0.0
    prepared, _ = prepare(folder / "study.yaml")
    assert prepared is not None
    model = drawn_study(prepared, results.dataset, Uncertainty(sets="none"))
    assert model.group_of["emission lime"] == "emission lime"
