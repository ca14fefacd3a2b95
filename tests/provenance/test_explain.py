"""Every number of a small study is explained, and each explanation adds up."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from cobalance.study.explain import RULES, explain
from cobalance.study.lineage.inputs import OUTLOOK_SERIES
from cobalance.study.lineage.node import Cell, CoefficientRow, Node, Setting, evaluated
from cobalance.study.lineage.question import DIMS, tree_labels
from cobalance.study.lineage.tree import Tree
from cobalance.study.pipeline import run_study
from cobalance.study.results import Results
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError

from .nodes import cells, nodes_of, wrong


def operand(node: Node, *symbols: str) -> Node:
    """The first operand by symbol, level by level."""
    for symbol in symbols:
        node = next(part for name, part in node.operands if name == symbol)
    return node


def test_every_variable_of_the_results_has_a_rule(results: Results) -> None:
    lacking = set(map(str, results.dataset.data_vars)) - set(RULES)
    assert not lacking, f"add a rule to study/lineage for {sorted(lacking)}"


@pytest.mark.parametrize("place", sorted(set(RULES) - set(DIMS)))
def test_every_cell_follows_from_its_operands(results: Results, place: str) -> None:
    tree = Tree(results, RULES)
    seen: set[int] = set()
    most = 4 if place.endswith("_p") else 10_000  # a permutation test is permuted anew for each
    for labels in cells(tree, place, most):
        found = [fault for node in nodes_of(tree.node(place, **labels), seen) if (fault := wrong(node))]
        assert not found, found[:3]


@pytest.mark.parametrize("axis", ["easting_m", "northing_m", "longitude_deg", "latitude_deg"])
@pytest.mark.parametrize("variable", ["carbon_balance_coefficient", "carbon_emission"])
def test_a_gravity_centre_follows_from_centroids_and_weights(results: Results, variable: str, axis: str) -> None:
    root = explain(results, f"gravity_centre[2020, {variable}, {axis}]").root
    table = results.table("gravity_centre").set_index(["variable", "year"])
    assert root.value == table.loc[(variable, 2020), axis]
    assert not [fault for node in nodes_of(root, set()) if (fault := wrong(node))]


@pytest.mark.parametrize("name", sorted(set(DIMS) - {"gravity_centre"}))
def test_what_stands_in_tables_follows_from_its_operands(results: Results, name: str) -> None:
    tree = Tree(results, RULES)
    dims = DIMS[name]
    seen: set[int] = set()
    for labels in itertools.product(*(tree_labels(dim, tree) for dim in dims)):
        root = tree.node(name, **dict(zip(dims, labels, strict=True)))
        found = [fault for node in nodes_of(root, seen) if (fault := wrong(node))]
        assert not found, found[:3]


def test_numbers_of_tables_are_those_of_the_tables(results: Results) -> None:
    balance = results.table("balance").set_index(["variable", "region", "year"])
    root = explain(results, "growth[carbon_emission, B, 2020]").root
    assert root.value == balance.loc[("carbon_emission", "B", 2020), "growth"]
    moran = results.table("global_moran").set_index(["variable", "year"])
    assert (
        explain(results, "moran_z[氧平衡系数, 2016]").root.value
        == moran.loc[("oxygen_balance_coefficient", 2016), "z_randomisation"]
    )
    levers = results.table("levers").set_index(["region", "target", "lever", "source"])["value"]
    assert explain(results, "closing_lever[B, 碳, rate_gain]").root.value == levers["B", "carbon", "rate_gain", ""]
    assert explain(results, "source_cut[B, 碳, 煤炭]").root.value == levers["B", "carbon", "source_cut", "coal"]


def test_a_gap_is_followed_by_hand(results: Results) -> None:
    """Land of A in 2019: woods 1000 ha (2016, xlsx) → 900 ha (2018), held; arable 400 + orchard 100 ha of 2016, held.

    Standard: 900 · 5/5 + 500 · 2/5 = 1100 ha.
    """
    root = explain(results, "ecological_land_gap[carbon, 甲省]").root
    standard = operand(root, "standard_ecological_land")
    assert standard.value == pytest.approx(1100, rel=1e-12)
    forest, cropland = (part for _, part in standard.operands)
    assert operand(forest, "land_area").value == 900
    assert [part.labels["item"] for _, part in operand(cropland, "land_area").operands] == ["arable", "orchard"]
    cell = operand(forest, "land_area", "held").origin
    assert isinstance(cell, Cell)
    assert (cell.file, cell.row, cell.column, cell.printed) == ("late.csv", 2, "E", "900")
    phi = operand(root, "needed_ecological_land", "phi")
    assert phi.origin == Setting("ecological_land.phi")
    assert phi.value == pytest.approx(1 / 3)


def test_an_interpolated_year_shows_both_its_cells(results: Results) -> None:
    """Woods of A: 10 km² in 2016, 900 ha in 2018, so 950 ha in 2017."""
    root = explain(results, "land_area[A, 2017, 林地]").root
    assert root.value == pytest.approx(950, rel=1e-12)
    earlier, later = operand(root, "earlier"), operand(root, "later")
    assert (earlier.value, later.value) == (1000, 900)
    assert isinstance(earlier.origin, Cell)
    assert (earlier.origin.file, earlier.origin.sheet, earlier.origin.printed) == ("land.xlsx", "面积", "10")
    assert root.remark["zh"].startswith("输入地类 woods；在 2016 与 2018 年之间插值")


def test_the_row_of_a_region_stands_before_that_of_all(results: Results) -> None:
    own = operand(explain(results, "carbon_sequestration[B, 2016, forest]").root, "sequestration_rate")
    general = operand(explain(results, "carbon_sequestration[A, 2016, forest]").root, "sequestration_rate")
    assert (own.value, own.labels) == (6, {"item": "forest", "region": "B"})
    assert (general.value, general.labels) == (5, {"item": "forest"})
    row = own.origin
    assert isinstance(row, CoefficientRow)
    assert (row.set, row.source, row.locator, row.status, row.low, row.high) == (
        "rates.csv",
        "this test",
        "table 2",
        "P",
        4,
        7,
    )


def test_a_year_between_two_rows_says_that_it_was_interpolated(results: Results) -> None:
    """0.11 in 2014, 0.10 in 2020: 0.105 in 2017."""
    factor = operand(explain(results, "carbon_emission[A, cement, 2017]").root, "cement_factor")
    assert factor.value == pytest.approx(0.105, rel=1e-12)
    assert isinstance(factor.origin, CoefficientRow)
    assert "interpolated between 2014 and 2020" in factor.origin.locator


def test_an_inventory_is_read_and_its_oxygen_follows(results: Results) -> None:
    """44 · 17 t CO2 of lime in 2017 are 12 · 17 = 204 t C and 3 · 204 t O2."""
    root = explain(results, "oxygen_consumption[C, lime, 2017]").root
    assert root.value == pytest.approx(612, rel=1e-12)
    carbon = operand(root, "carbon_emission")
    assert carbon.value == pytest.approx(204, rel=1e-12)
    assert isinstance(carbon.origin, Cell)
    assert (carbon.origin.printed, carbon.origin.original_unit) == ("748", "t CO2")


def test_what_is_missing_says_why(results: Results) -> None:
    root = explain(results, "carbon_balance_coefficient[D, 2018]").root
    assert root.missing
    assert root.reason["zh"] == "部分排放源或耗氧源缺数据"
    assert operand(root, "carbon_emission").reason["en"] == "a part of it is missing"
    leaf = explain(results, "population[D, 2018]").root
    assert (leaf.reason["en"], leaf.reason["zh"]) == ("no value in the inputs", "输入数据中没有数值")


def test_every_cell_is_where_the_explanation_says(study: Path, results: Results) -> None:
    """The printed text is opened in the file itself, and its conversion gives the value."""
    tree = Tree(results, RULES)
    files = {
        name: pd.read_csv(study.parent / name, header=None, dtype=str).fillna("")
        for name in ("data.csv", "late.csv", "lime.csv")
    }
    sheet = load_workbook(study.parent / "land.xlsx")["面积"]
    seen: set[int] = set()
    counted = 0
    for variable in ("land_area", "fuel_use", "cement_output", "population", "carbon_emission"):
        for labels in cells(tree, variable, 10_000):
            for node in nodes_of(tree.node(variable, **labels), seen):
                if not isinstance(cell := node.origin, Cell) or node.missing:
                    continue
                column = ord(cell.column) - ord("A")
                there = (
                    sheet[f"{cell.column}{cell.row}"].value
                    if cell.sheet
                    else files[cell.file].iat[cell.row - 1, column]
                )
                assert str(there) == cell.printed
                printed = float(cell.printed.replace(",", ""))
                factor = units.factor(cell.original_unit, node.unit.removesuffix(" / yr"))
                assert node.value == pytest.approx(printed * factor, rel=1e-12)
                counted += 1
    assert counted > 80


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("carbon_emission[2018, coal, A]", "carbon_emission[A, 2018, coal]"),
        (" 碳排放量［甲省，2018，煤炭］", "carbon_emission[A, 2018, coal]"),
        ("Carbon Emission[alpha, 2018]", "carbon_emission[A, 2018]"),
        ("carbon_balance_coefficient[West, 2018]", "group_carbon_balance_coefficient[west, 2018]"),
        ("carbon_balance_coefficient[全部区域, 2016]", "group_carbon_balance_coefficient[total, 2016]"),
        ("oxygen_release[group=west, year=2018]", "group_oxygen_release[west, 2018]"),
        ("ecological_land_gap[氧, 乙省]", "ecological_land_gap[B, oxygen]"),
        ("outlook[2030, 灰色, region=A, 煤炭]", "outlook[grey, A, coal, 2030]"),
        ("moran_i[碳平衡系数, 2018]", "moran_i[carbon_balance_coefficient, 2018]"),
        ("population[丁省, 2015]", "population[D, 2015]"),
    ],
)
def test_questions_in_any_order_by_code_or_name(results: Results, question: str, title: str) -> None:
    assert explain(results, question).root.title == title


@pytest.mark.parametrize(
    ("question", "code", "says"),
    [
        ("carbon_emision[A, 2018]", "E921", "nearest: carbon_emission"),
        ("carbon_emission[Alpa, 2018]", "E922", "nearest: Alpha"),
        ("carbon_emission[A, 1918]", "E922", "no label of carbon_emission"),
        ("carbon_balance_coefficient[A]", "E923", "no year"),
        ("outlook[A]", "E923", "no model"),
        ("carbon_emission[A, B, 2018]", "E924", "'B' fits more than one place"),
        ("carbon_emission[A, 2018", "E925", "is no question"),
        ("", "E925", "is no question"),
    ],
)
def test_a_wrong_question_is_refused_with_the_remedy(results: Results, question: str, code: str, says: str) -> None:
    with pytest.raises(CobalanceError) as caught:
        explain(results, question)
    assert caught.value.problems[0].code == code
    assert says in str(caught.value)
    assert all(problem.part("remedy", "zh") for problem in caught.value.problems)


def test_all_that_is_wrong_with_a_question_is_said_at_once(results: Results) -> None:
    with pytest.raises(CobalanceError) as caught:
        explain(results, "outlook[Alpa, coall]")
    assert [problem.code for problem in caught.value.problems] == ["E922", "E922"]


def test_the_text_leads_from_formula_to_cell(results: Results) -> None:
    lines = explain(results, "carbon_emission[A, 2018, coal]").text().splitlines()
    assert lines[0] == "carbon_emission[A Alpha, 2018, coal] = 562.755 t C / yr"
    assert "│ = fuel_use · emission_factor" in lines
    assert "├─ fuel_use[A Alpha, 2018, coal] = 1,125.51 t / yr" in lines
    assert any("data.csv, row 14, column E: printed 0.112551 万吨" in line for line in lines)
    assert any("[observed] source: yearbook 2018" in line for line in lines)
    assert any("set rates.csv, status [U] the user's own, range 0.4 to 0.6" in line for line in lines)


def test_the_text_in_chinese(results: Results) -> None:
    text = explain(results, "碳排放量[甲省, 2018, cement]").text("zh")
    assert "carbon_emission[A 甲省, 2018, cement]" in text
    assert "data.csv，第 15 行，E 列：原文 140 t" in text
    assert "[估计] 来源：yearbook" in text
    assert "说明：by share" in text
    assert "系数集 rates.csv，状态 [U] 用户自定，工艺碳排放" in text


def test_what_stands_twice_is_printed_once_and_long_sums_are_cut_aloud(results: Results) -> None:
    explanation = explain(results, "ecological_land_gap[A, carbon]")
    text = explanation.text()
    assert text.count("data.csv, row 2,") <= 1
    assert "outlook_observed, 6 values: see above" in text
    short = explanation.text(most=2)
    assert "… 2 more, smaller ones" in short
    assert len(short) < len(text)
    assert explanation.text(depth=1).count("… deeper levels are not shown") == 2


def test_the_tree_as_json_has_each_node_once_and_missing_as_null(results: Results) -> None:
    told = json.loads(json.dumps(explain(results, "carbon_emission[D, 2018, respiration]").as_dict(), allow_nan=False))
    root, people, factor = told["nodes"]
    assert (root["variable"], root["value"]) == ("carbon_emission", None)
    assert root["operands"] == [{"symbol": "population", "node": 1}, {"symbol": "respiration_carbon", "node": 2}]
    assert people["reason"]["zh"] == "输入数据中没有数值"
    assert (factor["origin"]["kind"], factor["origin"]["low"]) == ("CoefficientRow", None)
    whole = explain(results, "moran_i[carbon_balance_coefficient, 2016]")
    nodes = whole.as_dict()["nodes"]
    assert len(nodes) == len(list(nodes_of(whole.root, set())))
    assert all(part["node"] < len(nodes) for node in nodes for part in node.get("operands", []))


def changed(study: Path, folder: Path, *pairs: tuple[str, str], **files: str) -> Results:
    """The results of the study with some of its text replaced and some ``files`` (name without .gal → text) added."""
    shutil.copytree(study.parent, folder)
    for name, content in files.items():
        (folder / f"{name}.gal").write_text(content, encoding="utf-8")
    text = study.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    run_study(folder / "study.yaml").save(folder / "results")
    return Results.open(folder / "results")


def faults_of(results: Results) -> list[str]:
    tree, seen = Tree(results, RULES), set[int]()
    every = [(name, labels) for name in map(str, results.dataset.data_vars) for labels in cells(tree, name, 10_000)]
    return [
        fault for name, labels in every for node in nodes_of(tree.node(name, **labels), seen) if (fault := wrong(node))
    ]


def test_a_study_without_outlook_and_boundary(study: Path, tmp_path: Path) -> None:
    """The burden is then that of the base year; only forest counts as ecological land."""
    results = changed(
        study,
        tmp_path / "plain",
        ("  boundary: {file: regions.geojson, key: region, source: drawn for this test}\n", ""),
        ("outlook: {window: [2015, 2020], target: 2030}\n", ""),
        ("reference: forest, ", "reference: forest, classes: [forest], "),
    )
    assert faults_of(results) == []
    root = explain(results, "ecological_land_gap[A, carbon]").root
    assert operand(root, "needed_ecological_land", "burden").title == "carbon_emission[A, 2019]"
    assert operand(root, "standard_ecological_land").value == pytest.approx(900, rel=1e-12)
    with pytest.raises(CobalanceError, match="E921"):
        explain(results, "moran_i[carbon_balance_coefficient, 2018]")


def test_growth_of_an_outlook_of_another_definition(study: Path, tmp_path: Path) -> None:
    results = changed(
        study,
        tmp_path / "growth",
        (
            "target: 2030}",
            "target: 2030, apply: growth, inputs: [data.csv, {file: lime.csv, names: {lime: carbon_emission lime}}]}",
        ),
    )
    assert faults_of(results) == []
    root = explain(results, "outlook_carbon_emission[B, coal]").root
    base = operand(root, "target_activity", "base")
    assert isinstance(base.origin, Cell)
    base = operand(root, "target_activity", "outlook_growth", "base")
    assert base.title == "outlook_observed[B, coal, 2019]"
    series = {**results.tables, OUTLOOK_SERIES: results.table("observations")}  # here both are the same files
    kept = Results(results.dataset, series, results.regions, results.provenance)
    assert faults_of(kept) == []
    cell = operand(explain(kept, "outlook_observed[B, coal, 2019]").root, "fuel_use").origin
    assert isinstance(cell, Cell)
    assert (cell.file, cell.source) == ("data.csv", "yearbook 2019")


def test_weights_of_a_file_are_said_to_be_elsewhere(study: Path, tmp_path: Path) -> None:
    neighbours = "4\nA 2\nB C\nB 2\nA D\nC 2\nA D\nD 2\nB C\n"
    chosen = ("spatial: {", "spatial: {weights: {type: file, file: weights.gal}, ")
    results = changed(study, tmp_path / "file", chosen, weights=neighbours)
    assert faults_of(results) == []
    assert "权重来自单独的文件" in explain(results, "moran_i[carbon_balance_coefficient, 2016]").text("zh")


def test_a_formula_means_what_it_says() -> None:
    """max(0, 30/20 − 1) · 100 = 50; Σ(1, 2, 3) / 3 = 2; sample standard deviation of 1, 2, 3 is 1."""
    assert evaluated("max(0, needed / standard − 1) · 100", {"needed": [30.0], "standard": [20.0]}) == 50
    assert evaluated("Σ(x) / count(x)", {"x": [1.0, 2.0, 3.0]}) == 2
    assert evaluated("mean(x) + deviation(x)", {"x": [1.0, 2.0, 3.0]}) == 3
    assert math.isnan(evaluated("a / b", {"a": [1.0], "b": [0.0]}))
    assert math.isnan(evaluated("max(0, a)", {"a": [math.nan]}))
    with pytest.raises(ValueError, match="too many values"):
        evaluated("a + 1", {"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="not a formula"):
        evaluated("[a]", {"a": [1.0]})
