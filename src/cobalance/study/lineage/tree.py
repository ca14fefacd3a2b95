"""The tree's builder: it finds a variable's rule and forms each node once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from cobalance.accounts import balance, ecological_land
from cobalance.study.lineage.node import CoefficientRow, Node, Setting, Text
from cobalance.study.results import Results
from cobalance.study.spec import Study

Labels: TypeAlias = Mapping[str, str]
Operands: TypeAlias = Sequence[tuple[str, Node]]
Kept = TypeVar("Kept")
EVERYWHERE = "*"

NO_VALUE: Text = {"en": "no value in the inputs", "zh": "输入数据中没有数值"}
PART_MISSING: Text = {"en": "a part of it is missing", "zh": "其组成部分有缺失"}


class Tree:
    """Nodes of one study's results, each formed once.

    ``rules`` maps a variable to the function that says what it was formed from.
    """

    def __init__(self, results: Results, rules: Mapping[str, Rule]) -> None:
        self.results, self.rules = results, rules
        self.dataset: xr.Dataset = results.dataset
        self._made: dict[tuple[str, tuple[tuple[str, str], ...]], Node] = {}
        self._kept: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def study(self) -> Study:
        return self.results.study

    @cached_property
    def base_year(self) -> int:
        return self.study.ecological_land.base_year or self.study.years[-1]

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Group → codes of its regions, and ``total`` with all of them."""
        codes = [str(code) for code in self.dataset["region"].values]
        named = {
            str(name): code
            for column in ("name_zh", "name_en")
            for code, name in zip(codes, self.dataset[column].values, strict=True)
        }
        members = {
            key: [member if member in codes else named.get(member, member) for member in group.members]
            for key, group in self.study.groups.items()
        }
        return {**members, "total": codes}

    def once(self, key: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
        """What ``make`` gives, made at the first asking."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[no-any-return]

    def labels(self, dim: str) -> list[str]:
        return [str(label) for label in self.dataset[dim].values]

    def node(self, name: str, **labels: str) -> Node:
        """The node of a variable at its labels."""
        key = name, tuple(sorted(labels.items()))
        if key not in self._made:
            self._made[key] = self.rules[name](self, name, labels)
        return self._made[key]

    def cell(self, name: str, labels: Labels) -> float | str:
        """The results' own number or word."""
        values, dims = self._arrays(name)
        value = values[tuple(self._positions[dim][labels[dim]] for dim in dims)]
        return str(value) if isinstance(value, str) else float(value)

    def unit(self, name: str, labels: Labels) -> str:
        """The unit of a cell, with what belongs to the fuel or activity filled in."""
        text = self.once(("unit", name), lambda: str(self.dataset[name].attrs.get("units", "")))
        for dim, coordinate in (("fuel", "fuel_unit"), ("activity", "activity_unit")):
            if "{" + coordinate + "}" in text:
                own = str(self.dataset[coordinate].sel({dim: labels[dim]}).item())
                text = text.replace("{" + coordinate + "}", own)
        return text

    def result(self, name: str, labels: Labels, formula: str, operands: Operands, reason: Text | None = None) -> Node:
        """A node whose number stands in the results."""
        value = self.cell(name, labels)
        undefined = not isinstance(value, str) and math.isnan(value)
        unit = self.unit(name, labels)
        return Node(
            name, labels, value, unit, formula, tuple(operands), reason=(reason or PART_MISSING) if undefined else {}
        )

    def derived(self, name: str, labels: Labels, unit: str, formula: str, operands: Operands) -> Node:
        """A node between two results that they do not hold themselves."""
        node = Node(name, labels, math.nan, unit, formula, tuple(operands))
        value = node.recomputed()
        reason = PART_MISSING if math.isnan(value) else {}
        return Node(name, labels, value, unit, formula, tuple(operands), reason=reason)

    def reason(self, name: str, labels: Labels) -> Text:
        """The words of a reason variable, such as ``carbon_balance_reason``."""
        known = balance.REASONS if "balance" in name else ecological_land.REASONS
        return known[str(self.cell(name, labels))]  # type: ignore[return-value]

    def setting(self, name: str, value: float, key: str, unit: str = "1", remark: Text | None = None) -> Node:
        return Node(name, {}, value, unit, origin=Setting(key), remark=remark or {})

    @cached_property
    def _positions(self) -> dict[str, dict[str, int]]:
        dims = map(str, self.dataset.dims)
        return {dim: {label: position for position, label in enumerate(self.labels(dim))} for dim in dims}

    def _arrays(self, name: str) -> tuple[NDArray[Any], tuple[str, ...]]:
        data = self.dataset[name]
        return self.once(("array", name), lambda: (data.values, tuple(map(str, data.dims))))

    @cached_property
    def _coefficients(self) -> dict[tuple[str, str], list[dict[Any, Any]]]:
        """Rows by quantity and item, those for every region first."""
        table = self.results.tables.get("coefficients", pd.DataFrame())
        rows: dict[tuple[str, str], list[dict[Any, Any]]] = {}
        for row in sorted(table.to_dict("records"), key=lambda row: row["region"] != EVERYWHERE):
            rows.setdefault((str(row["quantity"]), str(row["item"])), []).append(row)
        return rows

    def coefficient(self, quantity: str, item: str, region: str, year: int) -> Node:
        """The row of the coefficients that held for an item, region and year: the region's own before that of all."""
        labels = {"item": item, "region": region, "year": str(year)}
        key = quantity, tuple(labels.items())
        if key not in self._made:
            self._made[key] = self._coefficient(quantity, labels)
        return self._made[key]

    def _coefficient(self, quantity: str, labels: Labels) -> Node:
        item, region, year = labels["item"], labels["region"], int(labels["year"])
        fitting = [
            row
            for row in self._coefficients.get((quantity, item), [])
            if row["region"] in (region, EVERYWHERE) and (pd.isna(row["year"]) or row["year"] == year)
        ]
        if not fitting:
            return Node(quantity, labels, math.nan, "", reason=NO_VALUE)
        row = fitting[-1]  # the later one stands: a region's own
        where = {"region": str(row["region"])} if row["region"] != EVERYWHERE else {}
        when = {} if pd.isna(row["year"]) else {"year": str(int(row["year"]))}
        texts = {name: str(row[name]) for name in ("quantity", "item", "set", "source", "locator", "status", "basis")}
        origin = CoefficientRow(**texts, low=float(row["low"]), high=float(row["high"]))
        return Node(quantity, {"item": item, **where, **when}, float(row["value"]), str(row["unit"]), origin=origin)

    def sum_of(self, symbol: str, nodes: Iterable[Node]) -> tuple[str, list[tuple[str, Node]]]:
        """Formula and operands of a sum."""
        return f"Σ({symbol})", [(symbol, node) for node in nodes]


Rule: TypeAlias = Callable[[Tree, str, Labels], Node]
