"""Walking a tree and checking every node of it against its own operands."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from cobalance.study.lineage.node import Node
from cobalance.study.lineage.tree import Tree


def nodes_of(root: Node, seen: set[int]) -> Iterator[Node]:
    """Every node below ``root`` that ``seen`` does not hold yet, each once."""
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            stack += [operand for _, operand in node.operands]


def wrong(node: Node) -> str | None:
    """What is wrong with a node, or None: its operands must give its number to 1e-12, and what is missing a reason."""
    if isinstance(node.value, str):
        return None
    if node.missing:
        return None if all(node.reason.get(language) for language in ("en", "zh")) else f"{node.title}: no reason"
    if not node.operands:
        known = node.origin is not None or node.remark or node.name in ("year", "first_year", "last_year")
        return None if known else f"{node.title}: from nowhere"
    if not node.formula:  # words of its own say what it hangs on
        return None if node.remark else f"{node.title}: no formula"
    again = node.recomputed()
    # a z-score, a Moran or a moment is a difference of near numbers: there the scale is that of its parts, about 1
    slack = 1e-12 if node.unit in ("1", "") else 0.0
    same = math.isclose(again, node.value, rel_tol=1e-12, abs_tol=slack)
    return None if same else f"{node.title} = {node.value!r}, its operands give {again!r}: {node.formula}"


def cells(tree: Tree, variable: str, most: int, seed: int = 0) -> list[dict[str, str]]:
    """Labels of ``most`` cells of a variable, drawn at random; all where there are fewer."""
    dims = [str(dim) for dim in tree.dataset[variable].dims]
    every = list(itertools.product(*(tree.labels(dim) for dim in dims)))
    chosen = np.random.default_rng(seed).permutation(len(every))[:most]
    return [dict(zip(dims, every[position], strict=True)) for position in chosen]
