"""The explanations of both examples: a sample of every variable adds up, and ends at cells that are there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cobalance.study.explain import RULES, explain
from cobalance.study.lineage.node import Cell, CoefficientRow, Node
from cobalance.study.lineage.tree import Tree
from cobalance.study.pipeline import run_study
from cobalance.study.results import Results
from cobalance.vocabulary import units

from .nodes import cells, nodes_of, wrong

EXAMPLES = Path(__file__).parents[2] / "examples"
SAMPLE = 3
OF_DRAWS = ("_interval", "_above_0", "_above_1", "_above_3", "_defined", "_top_five", "_share")
"""What sums up draws has no operands but the draws themselves, which results do not keep."""


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run_of("us-states", tmp_path_factory.mktemp("us-states"))


@pytest.fixture(scope="module")
def provinces(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run_of("china-provinces", tmp_path_factory.mktemp("china-provinces"))


def run_of(name: str, output: Path) -> Results:
    """The results of an example as read back from the folder of a run."""
    run_study(EXAMPLES / name / "study.yaml").save(output)
    return Results.open(output)


def leaves(root: Node) -> list[Node]:
    return [node for node in nodes_of(root, set()) if not node.operands]


@pytest.mark.parametrize(("name", "folder"), [("states", "us-states"), ("provinces", "china-provinces")])
def test_a_sample_of_every_variable_follows_from_its_operands(
    name: str, folder: str, request: pytest.FixtureRequest
) -> None:
    results: Results = request.getfixturevalue(name)
    tree = Tree(results, RULES)
    variables = [name for name in map(str, results.dataset.data_vars) if not name.endswith(OF_DRAWS)]
    lacking = set(variables) - set(RULES)
    assert not lacking, f"add a rule to study/lineage for {sorted(lacking)}"
    seen: set[int] = set()
    faults: list[str] = []
    files: dict[str, pd.DataFrame] = {}
    counted = 0
    for variable in variables:
        for labels in cells(tree, variable, 1 if variable.endswith("_p") else SAMPLE):
            for node in nodes_of(tree.node(variable, **labels), seen):
                faults += [fault] if (fault := wrong(node)) else []
                if isinstance(node.origin, Cell) and not node.missing:
                    faults += misplaced(node, node.origin, EXAMPLES / folder, files)
                    counted += 1
    assert not faults, faults[:5]
    assert counted > 300


def misplaced(node: Node, cell: Cell, folder: Path, files: dict[str, pd.DataFrame]) -> list[str]:
    """What is wrong with where a cell is said to be: the file must print that text there, and it must convert."""
    if cell.file not in files:
        files[cell.file] = pd.read_csv(folder / cell.file, header=None, dtype=str, keep_default_na=False)
    there = files[cell.file].iat[cell.row - 1, ord(cell.column) - ord("A")]
    factor = units.factor(cell.original_unit, node.unit.removesuffix(" / yr"))
    converts = node.value == pytest.approx(float(cell.printed) * factor, rel=1e-12)
    return [] if there == cell.printed and converts else [f"{node.title}: {cell} but {there!r}"]


@pytest.mark.parametrize(
    ("question", "printed"),
    [
        ("ecological_land_gap[310000, carbon]", {"4826.0 10^4 t", "10.2 10^4 ha", "24.4 10^4 ha", "2.1 10^4 ha"}),
        ("碳平衡系数[北京, 2021]", {"23.17 10^4 ha", "74.23 10^4 ha", "33.8 10^4 ha"}),
        ("oxygen_consumption[上海, 2021, coal]", {"4826.0 10^4 t"}),
    ],
)
def test_numbers_of_china_lead_to_the_yearbooks_figures(provinces: Results, question: str, printed: set[str]) -> None:
    found = {
        f"{node.origin.printed} {node.origin.original_unit}"
        for node in leaves(explain(provinces, question).root)
        if isinstance(node.origin, Cell)
    }
    assert printed <= found


def test_a_number_of_california_is_followed_by_hand(states: Results) -> None:
    """Coal of 2018: 33 256 billion Btu at 26 kg C per million Btu are 33 256 · 26 = 864 656 t C."""
    root = explain(states, "carbon_emission[California, 2018, coal]").root
    assert root.value == pytest.approx(33_256 * 26, rel=1e-12)
    use, factor = (node for _, node in root.operands)
    assert isinstance(use.origin, Cell)
    assert (use.origin.printed, use.origin.original_unit) == ("33256", "billion Btu")
    assert isinstance(factor.origin, CoefficientRow)
    assert (factor.origin.set, factor.origin.status) == ("eia-gross", "D")
    assert "26 kg C / MMBtu" in factor.origin.locator
