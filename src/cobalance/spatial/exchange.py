"""Weights to and from files (GAL, GWT, libpysal's Graph as Parquet) and libpysal's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cobalance.spatial.links import Weights, assembled
from cobalance.vocabulary.errors import Place, Problems, refuse

_READERS = ("gal", "gwt", "parquet")


def read_weights(file: str | Path, *, row_standardised: bool = True) -> Weights:
    """Weights of a GAL, GWT or Graph-Parquet file, told apart by the suffix.

    ``row_standardised`` is applied to what the file holds. Raises E701 (no such file, unknown suffix) and E702 (a line
    that cannot be read: all of them at once).
    """
    path = Path(file)
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in _READERS or not path.is_file():
        raise refuse("E701", Place(file=str(file)), suffix=suffix or "–", exists="yes" if path.is_file() else "no")
    values: list[float] | None
    if suffix == "parquet":
        ids, focal, neighbour, values = _graph_parquet(path)
    else:
        lines = list(_lines(path))
        ids, focal, neighbour, values = (_gal if suffix == "gal" else _gwt)(path, lines)
    return assembled(np.array(ids, dtype=str), focal, neighbour, values, "file", row_standardised, {"file": path.name})


def write_gal(weights: Weights, file: str | Path) -> None:
    """Write who neighbours whom as GAL (weights themselves are not kept by that format)."""
    rows = [f"0 {weights.n} cobalance region"]
    for position, label in enumerate(weights.ids.tolist()):
        row = slice(weights.indptr[position], weights.indptr[position + 1])
        neighbours = weights.ids[weights.indices[row]].tolist()
        rows += [f"{label} {len(neighbours)}", " ".join(neighbours)]
    Path(file).write_text("\n".join(rows) + "\n", encoding="utf-8")


def from_libpysal(weights: Any, *, row_standardised: bool | None = None) -> Weights:
    """Weights from a ``libpysal.graph.Graph`` or ``libpysal.weights.W``; the original is left untouched.

    ``row_standardised`` None keeps the transformation that the object carries; True or False applies to the
    weights as they are. Links to itself are left out.
    """
    kept = str(getattr(weights, "transformation", None) or getattr(weights, "transform", "")).lower() == "r"
    standardise = kept if row_standardised is None else row_standardised
    if hasattr(weights, "adjacency"):
        adjacency = weights.adjacency
        ids = [str(label) for label in weights.unique_ids]
        rank = {label: position for position, label in enumerate(ids)}
        focal = [rank[str(label)] for label in adjacency.index.get_level_values(0)]
        neighbour = [rank[str(label)] for label in adjacency.index.get_level_values(1)]
        return assembled(ids, focal, neighbour, adjacency.to_numpy(dtype=float), "given", standardise)
    order = list(weights.id_order)
    ids = [str(label) for label in order]
    rank = {label: position for position, label in enumerate(order)}
    links = [
        (rank[label], rank[other], value)
        for label in order
        for other, value in zip(weights.neighbors[label], weights.weights[label], strict=True)
    ]
    rows, columns, values = zip(*links, strict=True) if links else ((), (), ())
    return assembled(ids, rows, columns, values, "given", standardise)


def to_libpysal(weights: Weights) -> Any:
    """The weights as a ``libpysal.graph.Graph`` with the regions' labels (imports libpysal: seconds)."""
    from libpysal.graph import Graph

    return Graph(_adjacency(weights), transformation="R" if weights.row_standardised else "O")


def _adjacency(weights: Weights) -> pd.Series:
    """Links as libpysal keeps them: an isolate is a link to itself of weight zero."""
    alone = np.flatnonzero(weights.cardinalities == 0)
    focal = np.concatenate([weights.focal, alone])
    neighbour = np.concatenate([weights.indices, alone])
    values = np.concatenate([weights.values, np.zeros(len(alone))])
    order = np.lexsort((neighbour, focal))
    index = pd.MultiIndex.from_arrays(
        [weights.ids[focal[order]].astype(object), weights.ids[neighbour[order]].astype(object)],
        names=["focal", "neighbor"],
    )
    return pd.Series(values[order], index=index, name="weight")


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    text = path.read_text(encoding="utf-8-sig")
    for number, line in enumerate(text.splitlines(), start=1):
        yield number, line.split()


def _gal(path: Path, lines: list[tuple[int, list[str]]]) -> tuple[list[str], list[int], list[int], None]:
    """GAL: a heading (n, or ``0 n file key``), then two lines a region: ``id count`` and the neighbours' ids."""
    problems = Problems()
    rows: list[tuple[int, str, list[str]]] = []
    heading, body = lines[:1], lines[1:]
    at = 0
    while at < len(body):
        number, words = body[at]
        at += 1
        if not words:
            continue
        if len(words) != 2 or not words[1].isdigit():
            problems.add("E702", Place(file=str(path), line=number), text=" ".join(words), form="id count")
            break
        count = int(words[1])
        neighbours = body[at][1] if at < len(body) else []
        # an island's line of neighbours is empty, or left out altogether
        if count or (at < len(body) and not neighbours):
            at += 1
        if len(neighbours if count else []) != count:
            problems.add(
                "E702", Place(file=str(path), line=number), text=" ".join(words), form=f"{count} neighbour ids"
            )
        rows.append((number, words[0], neighbours if count else []))
    _check_count(path, heading, len(rows), problems)
    rank = {label: position for position, (_, label, _) in enumerate(rows)}
    for number, _, neighbours in rows:
        for unknown in [name for name in neighbours if name not in rank]:
            problems.add("E702", Place(file=str(path), line=number + 1), text=unknown, form="a region of this file")
    problems.raise_errors()
    focal = [rank[label] for _, label, neighbours in rows for _ in neighbours]
    neighbour = [rank[name] for _, _, neighbours in rows for name in neighbours]
    return [label for _, label, _ in rows], focal, neighbour, None


def _gwt(path: Path, lines: list[tuple[int, list[str]]]) -> tuple[list[str], list[int], list[int], list[float]]:
    """GWT: a heading ``0 n file key``, then ``origin destination weight``.

    Regions are those that occur in a link: the format has no place for an island, so a heading with a larger n is
    an error, not a guess.
    """
    problems = Problems()
    links: list[tuple[str, str, float]] = []
    for number, words in lines[1:]:
        if not words:
            continue
        try:
            origin, destination, value = words
            links.append((origin, destination, float(value)))
        except ValueError:
            problems.add(
                "E702", Place(file=str(path), line=number), text=" ".join(words), form="origin destination weight"
            )
    ids = list(dict.fromkeys([origin for origin, _, _ in links] + [end for _, end, _ in links]))
    _check_count(path, lines[:1], len(ids), problems)
    problems.raise_errors()
    rank = {label: position for position, label in enumerate(ids)}
    return (
        ids,
        [rank[origin] for origin, _, _ in links],
        [rank[end] for _, end, _ in links],
        [value for _, _, value in links],
    )


def _check_count(path: Path, heading: list[tuple[int, list[str]]], rows: int, problems: Problems) -> None:
    words = heading[0][1] if heading else []
    count = words[0] if len(words) == 1 else (words[1] if len(words) > 1 else "–")
    if count != str(rows) and len(problems) == 0:
        problems.add("E702", Place(file=str(path), line=1), text=" ".join(words), form=f"n = {rows}")


def _graph_parquet(path: Path) -> tuple[list[str], list[int], list[int], list[float]]:
    table = pd.read_parquet(path)
    if table.index.nlevels == 2:
        table = table.reset_index()
    missing = {"focal", "neighbor", "weight"} - set(table.columns)
    if missing:
        raise refuse(
            "E702", Place(file=str(path)), text=sorted(map(str, table.columns)), form="focal, neighbor, weight"
        )
    focal, neighbour = table["focal"].astype(str), table["neighbor"].astype(str)
    ids = list(dict.fromkeys(focal))
    rank = {label: position for position, label in enumerate(ids)}
    unknown = sorted(set(neighbour) - set(rank))
    if unknown:
        raise refuse("E702", Place(file=str(path)), text=unknown, form="focal")
    return ids, focal.map(rank).tolist(), neighbour.map(rank).tolist(), table["weight"].tolist()
