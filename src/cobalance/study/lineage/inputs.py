"""What the accounts read: land, activities and inventories, back to the cells that they were read from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

import pandas as pd

from cobalance.inputs.names import ordered_items
from cobalance.study.lineage.node import Cell, Node, Text
from cobalance.study.lineage.tree import NO_VALUE, Labels, Rule, Tree
from cobalance.study.prepare import land_class_token
from cobalance.study.spec import Fill
from cobalance.vocabulary.errors import Language

LINEAR = "earlier + (later − earlier) · (year − first_year) / (last_year − first_year)"
Row: TypeAlias = Mapping[Hashable, Any]
OWN_SERIES, OUTLOOK_SERIES = "observations", "outlook_observations"
NOT_KEPT: Text = {
    "en": "read from the files of outlook.inputs; these results do not keep its cell",
    "zh": "读自 outlook.inputs 所列文件；本结果未保存其单元格",
}


def land_area(tree: Tree, name: str, labels: Labels) -> Node:
    """The inputs' own classes that the study file counts as one of the method's, added up."""
    parts = [item_of(tree, "land_area", item, labels) for item in land_parts(tree, labels["land_class"])]
    if not parts:
        return tree.result(name, labels, "", (), NO_VALUE)
    if len(parts) > 1:
        return tree.result(name, labels, *tree.sum_of("input", parts))
    return _as_read(tree, name, labels, parts[0])


def land_parts(tree: Tree, land_class: str) -> list[str]:
    """The classes of the inputs behind one of the method's, in the order in which they are added."""
    mapping = {land_class_token(raw): target for raw, target in tree.study.land_classes.items()}
    found = [item for own, item, _ in _rows(tree, OWN_SERIES) if own == "land_area"]
    return [item for item in ordered_items("land_area", found) if mapping.get(item, item) == land_class]


def fuel_use(tree: Tree, name: str, labels: Labels) -> Node:
    return _read(tree, name, labels, labels["fuel"])


def single(tree: Tree, name: str, labels: Labels) -> Node:
    """Cement and people: no items."""
    return _read(tree, name, labels, "")


def inventory(tree: Tree, variable: str, labels: Labels) -> Node:
    """Emission or consumption as the inputs state it for a source."""
    return _read(tree, variable, labels, labels["source"])


def is_stated(tree: Tree, variable: str, source: str) -> bool:
    """Whether the inputs hold an inventory of ``variable`` for ``source``."""
    stated = tree.once(("stated",), lambda: {(own, item) for own, item, _ in _rows(tree, OWN_SERIES)})
    return (variable, source) in stated


def _read(tree: Tree, name: str, labels: Labels, item: str) -> Node:
    return _as_read(tree, name, labels, item_of(tree, name, item, labels))


def _as_read(tree: Tree, name: str, labels: Labels, part: Node) -> Node:
    """An input that the results hold as it was read or filled: one node for both."""
    value = tree.cell(name, labels)
    assert not isinstance(value, str)
    reason = NO_VALUE if math.isnan(value) else {}
    item = part.labels.get("item", "")
    own: Text = {} if item in ("", *labels.values()) else {"en": f"the inputs' class {item}", "zh": f"输入地类 {item}"}
    marks: dict[Language, str] = {"en": "; ", "zh": "；"}
    remark: dict[Language, str] = {
        language: mark.join(text[language] for text in (own, part.remark) if text)
        for language, mark in marks.items()
        if own or part.remark
    }
    return dataclasses.replace(
        part, name=name, labels=labels, value=value, unit=tree.unit(name, labels), reason=reason, remark=remark
    )


def item_of(tree: Tree, variable: str, item: str, labels: Labels, table: str = OWN_SERIES) -> Node:
    """The figure of an item in a region and year: its cell, or the cells that a gap was filled from."""
    region, year = labels["region"], int(labels["year"])
    own = {"region": region, "year": str(year), **({"item": item} if item else {})}
    rows = _rows(tree, table).get((variable, item, region), [])
    known = [row for row in rows if not math.isnan(row["value"])]
    at = [row for row in known if row["year"] == year]
    if at:
        return _cell(variable, own, at[0])
    rule = tree.study.fill.get(f"{variable} {item}".strip(), tree.study.fill.get(variable, Fill()))
    filled = _filled(variable, own, known, year, rule) if known and table == OWN_SERIES else None
    return filled or _missing(variable, own, rows, year)


def _rows(tree: Tree, table: str) -> dict[tuple[str, str, str], list[Row]]:
    """Observations by variable, item and region, years ascending."""
    return tree.once(("rows", table), lambda: _grouped(tree.results.tables.get(table, pd.DataFrame())))


def _grouped(frame: pd.DataFrame) -> dict[tuple[str, str, str], list[Row]]:
    found: dict[tuple[str, str, str], list[Row]] = {}
    texts = frame.fillna({"item": ""}).sort_values("year", kind="stable") if len(frame) else frame
    for row in texts.to_dict("records"):
        found.setdefault((str(row["variable"]), str(row["item"]), str(row["region"])), []).append(row)
    return found


def _cell(variable: str, labels: Labels, row: Row) -> Node:
    texts = {
        name: str(row[name])
        for name in ("file", "sheet", "column", "printed", "original_unit", "flag", "source", "note")
    }
    origin = Cell(row=int(row["row"]), **texts)
    at = {**labels, "year": str(int(row["year"]))}
    return Node(variable, at, float(row["value"]), str(row["unit"]), origin=origin)


def _filled(variable: str, labels: Labels, known: list[Row], year: int, rule: Fill) -> Node | None:
    """The node of a filled gap; None where the study leaves it a gap."""
    before, after = [row for row in known if row["year"] < year], [row for row in known if row["year"] > year]
    if before and after:
        earlier, later = _cell(variable, labels, before[-1]), _cell(variable, labels, after[0])
        if rule.between == "linear":
            return _interpolated(variable, labels, earlier, later)
        return _held(variable, labels, earlier) if rule.between == "hold" else None
    if before:
        return _held(variable, labels, _cell(variable, labels, before[-1])) if rule.after == "hold" else None
    return _held(variable, labels, _cell(variable, labels, after[0])) if rule.before == "hold" else None


def _held(variable: str, labels: Labels, cell: Node) -> Node:
    word = {"en": f"held from {cell.labels['year']}", "zh": f"沿用 {cell.labels['year']} 年的数值"}
    return Node(variable, labels, cell.value, cell.unit, "held", (("held", cell),), remark=word)  # type: ignore[arg-type]


def _interpolated(variable: str, labels: Labels, earlier: Node, later: Node) -> Node:
    first, last = (float(node.labels["year"]) for node in (earlier, later))
    years = [
        (symbol, Node(symbol, {}, value))
        for symbol, value in (("year", float(labels["year"])), ("first_year", first), ("last_year", last))
    ]
    operands = (("earlier", earlier), ("later", later), *years)
    node = Node(variable, labels, math.nan, earlier.unit, LINEAR, operands)
    word: Text = {
        "en": f"interpolated between {first:.0f} and {last:.0f}",
        "zh": f"在 {first:.0f} 与 {last:.0f} 年之间插值",
    }
    return Node(variable, labels, node.recomputed(), earlier.unit, LINEAR, operands, remark=word)


def _missing(variable: str, labels: Labels, rows: list[Row], year: int) -> Node:
    """A gap: the cell that prints no figure, where there is one."""
    blank = next((row for row in rows if row["year"] == year), None)
    if blank is None:
        return Node(variable, labels, math.nan, reason=NO_VALUE)
    return dataclasses.replace(_cell(variable, labels, blank), value=math.nan, reason=NO_VALUE)


RULES: dict[str, Rule] = {
    "land_area": land_area,
    "fuel_use": fuel_use,
    "cement_output": single,
    "population": single,
}
