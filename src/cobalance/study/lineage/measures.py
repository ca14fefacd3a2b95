"""What stands in tables only: growth and z of Moran's I, and the levers that close a gap."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from cobalance.study.lineage.accounts import total
from cobalance.study.lineage.node import Node, Text
from cobalance.study.lineage.outlook import BURDEN, burden_of
from cobalance.study.lineage.space import value_of
from cobalance.study.lineage.tree import PART_MISSING, Labels, Rule, Tree

CAPACITY = {"carbon": "carbon_sequestration", "oxygen": "oxygen_release"}
LEVERS: Mapping[str, str] = {
    "emission_cut": "max(0, burden − max(0, capacity) / phi) / burden · 100",
    "rate_gain": "max(0, phi · burden / capacity − 1) · 100",
    "compensation": "max(0, phi · burden − capacity)",
}
"""Lever → its formula; ``burden`` of the target year, ``capacity`` of the base year."""

EXCESS = "max(0, burden − max(0, capacity) / phi)"
GROWING = (*BURDEN.values(), *CAPACITY.values(), "carbon_balance_coefficient", "oxygen_balance_coefficient")
TOO_FEW: Text = {
    "en": "too few tested regions, or all values equal",
    "zh": "参与检验的区域过少，或各区域数值相同",
}
NO_FIRST: Text = {"en": "the first year is missing or zero", "zh": "首年缺失或为零"}


def growth(tree: Tree, name: str, labels: Labels) -> Node:
    """Change since the first year of the study, in percent, as the table ``balance`` has it."""
    first_year = tree.labels("year")[0]
    value, first = (value_of(tree, labels["growing"], labels["region"], year) for year in (labels["year"], first_year))
    keys = (labels["growing"], labels["region"], int(labels["year"]))
    stated = _stated(tree, "balance", ["variable", "region", "year"], "growth", keys)
    operands = (("value", value), ("first", first))
    reason = NO_FIRST if math.isnan(stated) else {}
    return Node(name, labels, stated, "%", "(value / first − 1) · 100", operands, reason=reason)


def moran_z(tree: Tree, name: str, labels: Labels) -> Node:
    """The z of Moran's I under randomisation, from I, its expectation and its variance."""
    keys = (labels["variable"], int(labels["year"]))
    found = {
        column: _stated(tree, "global_moran", ["variable", "year"], column, keys)
        for column in ("z_randomisation", "expected", "variance_randomisation")
    }
    own = tree.node("moran_i", **labels)
    moments: dict[str, Text] = {
        "expected": {"en": "expectation: −1 / (n − 1)", "zh": "期望值：−1 / (n − 1)"},
        "variance_randomisation": {
            "en": "variance under randomisation (Cliff and Ord 1981)",
            "zh": "随机化假设下的方差（Cliff 和 Ord，1981）",
        },
    }
    parts = [
        (column, Node(column, labels, found[column], "1", reason=_too_few(found[column]), remark=text))
        for column, text in moments.items()
    ]
    formula = "(moran_i − expected) / sqrt(variance_randomisation)"
    value = found["z_randomisation"]
    return Node(name, labels, value, "1", formula, (("moran_i", own), *parts), reason=_too_few(value))


def _too_few(value: float) -> Text:
    return TOO_FEW if math.isnan(value) else {}


def closing_lever(tree: Tree, name: str, labels: Labels) -> Node:
    """The change in one lever that would close a gap by itself."""
    lever, target, region = labels["lever"], labels["target"], labels["region"]
    value, unit = _lever(tree, region, target, lever, "")
    reason = PART_MISSING if math.isnan(value) else {}
    return Node(name, labels, value, unit, LEVERS[lever], tuple(_sides(tree, region, target)), reason=reason)


def source_cut(tree: Tree, name: str, labels: Labels) -> Node:
    """How much of one source would have to go; above 100 it does not suffice alone."""
    region, target, source = labels["region"], labels["target"], labels["source"]
    value, unit = _lever(tree, region, target, "source_cut", source)
    variable = BURDEN[target]
    if tree.study.outlook:
        own = tree.node(f"outlook_{variable}", region=region, source=source)
    else:
        own = tree.node(variable, region=region, year=str(tree.base_year), source=source)
    excess = tree.derived(
        "excess_burden", {"region": region, "target": target}, own.unit, EXCESS, _sides(tree, region, target)
    )
    operands = (("excess_burden", excess), ("own", own))
    reason = PART_MISSING if math.isnan(value) else {}
    return Node(name, labels, value, unit, "excess_burden / own · 100", operands, reason=reason)


def _sides(tree: Tree, region: str, target: str) -> list[tuple[str, Node]]:
    """Burden, capacity and φ."""
    at = {"region": region, "year": str(tree.base_year)}
    return [
        ("burden", burden_of(tree, {"region": region, "target": target})),
        ("capacity", total(tree, CAPACITY[target], at)),
        ("phi", tree.setting("phi", tree.study.ecological_land.phi, "ecological_land.phi")),
    ]


def _lever(tree: Tree, region: str, target: str, lever: str, source: str) -> tuple[float, str]:
    columns = ["region", "target", "lever", "source"]
    indexed = tree.once(("levers",), lambda: tree.results.tables["levers"].fillna({"source": ""}).set_index(columns))
    position = indexed.index.get_indexer_for(pd.Index([(region, target, lever, source)]))[0]
    return float(indexed["value"].iloc[position]), str(indexed["unit"].iloc[position])


def _stated(tree: Tree, table: str, columns: list[str], column: str, keys: tuple[object, ...]) -> float:
    """A cell of a table."""
    indexed: pd.DataFrame = tree.once(
        (table, *columns), lambda: tree.results.tables[table].set_index(columns).sort_index()
    )
    return float(indexed.loc[keys, column])  # type: ignore[arg-type, index]


RULES: dict[str, Rule] = {
    "growth": growth,
    "moran_z": moran_z,
    "closing_lever": closing_lever,
    "source_cut": source_cut,
}
