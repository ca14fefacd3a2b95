"""``cobalance explain``: a number of the results, and from what it was formed, down to coefficient rows and cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cobalance.study.lineage import accounts, inputs, measures, outlook, space
from cobalance.study.lineage.node import Node
from cobalance.study.lineage.question import explainable, read_question
from cobalance.study.lineage.text import MOST_PARTS, Printer
from cobalance.study.lineage.tree import Rule, Tree
from cobalance.study.results import Results
from cobalance.vocabulary.errors import Language

RULES: dict[str, Rule] = {**inputs.RULES, **accounts.RULES, **space.RULES, **outlook.RULES, **measures.RULES}
"""Variable → the function that says what it was formed from."""


@dataclass(frozen=True)
class Explanation:
    """A number with everything that it was formed from."""

    root: Node
    tree: Tree

    def text(self, language: Language = "en", *, depth: int | None = None, most: int | None = MOST_PARTS) -> str:
        """The tree as lines.

        depth  levels below the number; None for all, down to the cells
        most   parts of a sum that are printed, the largest first chosen; None for all
        """
        return "\n".join(Printer(self.tree, language, depth, most).lines(self.root))

    def as_dict(self) -> dict[str, Any]:
        """The tree for other programs: ``nodes``, each once, the root first; ``operands`` name nodes by position."""
        order: dict[int, int] = {}
        nodes: list[Node] = [self.root]
        for node in nodes:  # grows as it is walked
            if id(node) in order:
                continue
            order[id(node)] = len(order)
            nodes += [operand for _, operand in node.operands]
        distinct = {id(node): node for node in nodes}
        return {"nodes": [_as_dict(node, order) for node in distinct.values()]}


def explain(results: Results, question: str) -> Explanation:
    """From what a number was formed.

    question  ``ecological_land_gap[310000, carbon]``: a variable of the results and its labels in any order, codes or
              names, Chinese or English; ``dim=label`` where a label fits two dimensions. Without its land class or
              source an account is the total over them; a group in place of a region asks for the group's number.

    Raises E921–E925.
    """
    tree = Tree(results, RULES)
    asked = read_question(question, tree)
    if asked.over:
        return Explanation(accounts.total(tree, asked.name, asked.labels), tree)
    return Explanation(tree.node(asked.name, **asked.labels), tree)


def questions(results: Results) -> list[str]:
    """The variables that a question may name."""
    return explainable(Tree(results, RULES))


def _as_dict(node: Node, order: Mapping[int, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {"variable": node.name, "labels": dict(node.labels)}
    entry["value"] = None if node.missing else node.value
    texts = {"unit": node.unit, "formula": node.formula, "reason": dict(node.reason), "remark": dict(node.remark)}
    entry |= {key: text for key, text in texts.items() if text}
    if node.origin is not None:
        origin = {key: _plain(value) for key, value in asdict(node.origin).items()}
        entry["origin"] = {"kind": type(node.origin).__name__, **origin}
    if node.operands:
        entry["operands"] = [{"symbol": symbol, "node": order[id(operand)]} for symbol, operand in node.operands]
    return entry


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
