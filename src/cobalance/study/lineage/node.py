"""A number and what it was formed from: one node of the tree, and the little language its formula is written in.

A formula names its operands: ``max(0, needed / standard − 1) · 100``. It is written once; what is printed is what
:func:`evaluated` computes, so that a formula that misstates the accounts shows in the test that recomputes every node.
"""

from __future__ import annotations

import ast
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from cobalance.vocabulary.errors import Language

Text: TypeAlias = Mapping[Language, str]
Values: TypeAlias = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Cell:
    """A cell of an input file, as printed there."""

    file: str
    sheet: str
    row: int
    column: str
    printed: str
    original_unit: str
    flag: str
    source: str
    note: str


@dataclass(frozen=True)
class CoefficientRow:
    """A row of a coefficient set. ``low`` and ``high`` are NaN where the set gives none."""

    quantity: str
    item: str
    set: str
    source: str
    locator: str
    status: str
    basis: str
    low: float
    high: float


@dataclass(frozen=True)
class Setting:
    """A key of the study file."""

    key: str


@dataclass(frozen=True, eq=False)
class Node:
    """A number (or a word) and what it was formed from.

    name, labels  the variable and its labels, dim → label
    formula       over the symbols of ``operands``; empty for what is read and not computed
    operands      (symbol, node) in the order of the formula; a symbol of a sum (``Σ x``) stands for several
    method        computes the number from the operands' values where ``formula`` is a model's own equation
    origin        where it was read: a cell, a coefficient row, a key of the study file
    reason        why it is undefined or missing, in both languages; empty where it is neither
    remark        what else a reader must know
    """

    name: str
    labels: Mapping[str, str]
    value: float | str
    unit: str = ""
    formula: str = ""
    operands: tuple[tuple[str, Node], ...] = ()
    method: Callable[[Values], float] | None = None
    origin: Cell | CoefficientRow | Setting | None = None
    reason: Text = field(default_factory=dict)
    remark: Text = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        return not isinstance(self.value, str) and math.isnan(self.value)

    @property
    def title(self) -> str:
        """``carbon_emission[310000, 2021, coal]``, as a question would put it."""
        return f"{self.name}[{', '.join(self.labels.values())}]" if self.labels else self.name

    def recomputed(self) -> float:
        """The number once more, from the operands alone; NaN where an operand is missing."""
        values: dict[str, list[float]] = {}
        for symbol, operand in self.operands:
            values.setdefault(symbol, []).append(math.nan if isinstance(operand.value, str) else operand.value)
        return self.method(values) if self.method else evaluated(self.formula, values)


def total(values: Sequence[float]) -> float:
    """The sum in order, as the accounts add."""
    result = 0.0
    for value in values:
        result += value
    return result


_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "max": lambda *values: math.nan if any(map(math.isnan, values)) else max(values),
    "total": total,
    "mean": lambda values: total(values) / len(values),
    "median": statistics.median,
    "count": lambda values: float(len(values)),
    "deviation": statistics.stdev,
    "sqrt": math.sqrt,
}
_SIGNS = {"·": "*", "−": "-", "Σ": "total"}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b if b else math.nan,
}


def evaluated(formula: str, values: Values) -> float:
    """The value of ``formula``: numbers, symbols, + − · /, brackets, ``max(…)``, ``mean(x)``, ``Σ(x)``, ``count(x)``,
    ``deviation(x)`` (the sample standard deviation), ``sqrt(…)``.

    A symbol outside such a function must stand for one value. Division by zero is NaN: undefined, as in the accounts.
    """
    return float(_value(_parsed(formula), values))


@cache
def _parsed(formula: str) -> ast.expr:
    for sign, word in _SIGNS.items():
        formula = formula.replace(sign, word)
    return ast.parse(formula, mode="eval").body


def _value(node: ast.AST, values: Values) -> Any:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        (only,) = values[node.id]
        return only
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("max", "sqrt"):
            return _FUNCTIONS[node.func.id](*(_value(argument, values) for argument in node.args))
        (symbol,) = node.args
        assert isinstance(symbol, ast.Name)
        return _FUNCTIONS[node.func.id](values[symbol.id])
    raise ValueError(f"not a formula: {ast.dump(node)}")
