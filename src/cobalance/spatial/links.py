"""Spatial weights: who is a neighbour of whom, and how much each neighbour counts.

One immutable value, :class:`Weights`, in compressed sparse rows: row *i* holds the neighbours of region ``ids[i]``.
A region without neighbours is an *island*; it stays in the weights, and every test gives it a class of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cobalance.vocabulary.errors import Language, Problems

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_KIND_WORDS: dict[str, str] = {
    "queen": "Queen 邻接",
    "rook": "Rook 邻接",
    "k-nearest": "K 近邻",
    "distance band": "距离阈值",
    "inverse distance": "反距离",
    "kernel": "核函数",
    "file": "权重文件",
    "given": "用户给定",
}
_PARAMETER_WORDS: dict[str, str] = {
    "order": "阶数",
    "k": "近邻数",
    "distance_km": "距离（千米）",
    "power": "幂次",
    "function": "函数",
    "bandwidth_km": "带宽（千米）",
    "bridges": "连接",
    "islands": "孤立区域",
    "nearest": "归入最近区域",
    "file": "文件",
}


@dataclass(frozen=True, eq=False)
class Weights:
    """Spatial weights of ``n`` regions in compressed sparse rows; arrays are read-only.

    ids        (n)        region labels, strings, each once
    indptr     (n + 1)    row i is ``indices[indptr[i]:indptr[i + 1]]``, ascending
    indices    (links)    positions of the neighbours, never i itself
    values     (links)    weight of each neighbour, positive

    ``kind`` and ``parameters`` say how the weights were made and are printed beside every p-value.
    """

    ids: NDArray[np.str_]
    indptr: Integers
    indices: Integers
    values: Floats
    kind: str
    row_standardised: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("ids", "indptr", "indices", "values"):
            array = np.array(getattr(self, name))  # a copy: the caller's arrays are never frozen under his hands
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def n(self) -> int:
        return len(self.ids)

    @property
    def links(self) -> int:
        """Directed links: a pair of neighbours counts twice."""
        return len(self.indices)

    @property
    def cardinalities(self) -> Integers:
        """(n) number of neighbours of each region."""
        return np.diff(self.indptr)

    @property
    def mean_neighbours(self) -> float:
        return self.links / self.n if self.n else 0.0

    @property
    def islands(self) -> tuple[str, ...]:
        """Labels of the regions without a neighbour."""
        return tuple(self.ids[self.cardinalities == 0].tolist())

    @property
    def focal(self) -> Integers:
        """(links) position of the region that each link starts from."""
        return np.repeat(np.arange(self.n), self.cardinalities)

    @property
    def equal_rows(self) -> bool:
        """Whether all neighbours of a region count the same, for every region (to rounding)."""
        some = np.flatnonzero(self.cardinalities)
        if len(some) == 0:
            return True
        starts = self.indptr[some]
        largest = np.maximum.reduceat(self.values, starts)
        smallest = np.minimum.reduceat(self.values, starts)
        return bool(np.all(largest - smallest <= 1e-12 * largest))

    @property
    def description(self) -> str:
        return self.described("en")

    def described(self, language: Language = "en") -> str:
        """How the weights were made, e.g. ``queen, order 1, row-standardised``."""
        chinese = language == "zh"
        words = [_KIND_WORDS.get(self.kind, self.kind) if chinese else self.kind]
        for name, value in self.parameters.items():
            label = _PARAMETER_WORDS.get(name, name) if chinese else name.replace("_", " ")
            shown = _PARAMETER_WORDS.get(str(value), value) if chinese else value
            words.append(f"{label} {shown}")
        if self.row_standardised:
            words.append("行标准化" if chinese else "row-standardised")
        return ("，" if chinese else ", ").join(words)

    def summary(self, language: Language = "en") -> str:
        """Description, n, links, mean neighbours and islands in one line: what is printed beside every p-value."""
        islands = ", ".join(self.islands)
        if language == "zh":
            named = f"（{islands}）" if islands else ""
            return (
                f"{self.described('zh')}；n = {self.n}，连接数 {self.links}，平均邻居数 {self.mean_neighbours:.2f}，"
                f"孤立区域 {len(self.islands)} 个{named}"
            )
        named = f" ({islands})" if islands else ""
        return (
            f"{self.description}; n = {self.n}, links {self.links}, mean neighbours {self.mean_neighbours:.2f}, "
            f"islands {len(self.islands)}{named}"
        )

    def matrix(self) -> csr_array:
        """The weights as a SciPy sparse array (n × n)."""
        from scipy.sparse import csr_array

        return csr_array((self.values, self.indices, self.indptr), shape=(self.n, self.n))

    def standardised(self) -> Weights:
        """The same neighbours with the weights of each row divided by their sum."""
        if self.row_standardised:
            return self
        total = np.bincount(self.focal, weights=self.values, minlength=self.n)
        return self._with(values=self.values / total[self.focal], row_standardised=True)

    def neighbours(self, region: str) -> dict[str, float]:
        """Neighbours of one region and their weights."""
        at = self.position(region)
        row = slice(self.indptr[at], self.indptr[at + 1])
        return dict(zip(self.ids[self.indices[row]].tolist(), self.values[row].tolist(), strict=True))

    def position(self, region: str) -> int:
        found = np.flatnonzero(self.ids == region)
        if len(found) == 0:
            raise KeyError(region)
        return int(found[0])

    def ordered(self, ids: Sequence[str] | NDArray[Any]) -> Weights:
        """The same weights with rows in the order of ``ids``. Raises E703 where the labels differ."""
        wanted = np.asarray(ids).astype(str)
        if np.array_equal(wanted, self.ids):
            return self
        check_same_regions(wanted, self.ids)
        rank = {label: position for position, label in enumerate(wanted.tolist())}
        new = np.array([rank[label] for label in self.ids.tolist()], dtype=np.int64)
        return assembled(
            wanted, new[self.focal], new[self.indices], self.values, self.kind, False, self.parameters
        )._with(row_standardised=self.row_standardised)

    def selected(self, keep: NDArray[np.bool_]) -> Weights:
        """Weights among the regions where ``keep`` (n) is true; standardised rows that lose links are so anew."""
        inside = keep[self.focal] & keep[self.indices]
        focal, values = self.focal[inside], self.values[inside]
        if self.row_standardised:
            lost = np.bincount(focal, minlength=self.n) < self.cardinalities
            total = np.bincount(focal, weights=values, minlength=self.n)
            values = values / np.where(lost, total, 1.0)[focal]
        new = np.cumsum(keep) - 1
        chosen = assembled(
            self.ids[keep], new[focal], new[self.indices[inside]], values, self.kind, False, self.parameters
        )
        return chosen._with(row_standardised=self.row_standardised)

    def _with(self, **changes: Any) -> Weights:
        from dataclasses import replace

        return replace(self, **changes)


def assembled(
    ids: Sequence[str] | NDArray[Any],
    focal: ArrayLike,
    neighbour: ArrayLike,
    values: ArrayLike | None,
    kind: str,
    row_standardised: bool,
    parameters: Mapping[str, Any] | None = None,
) -> Weights:
    """Weights from a list of links (positions in ``ids``).

    Links to itself and weights of zero are left out: neither is a neighbour. Raises E704 for repeated labels and
    E705 for weights that are negative or not finite.
    """
    labels = np.asarray(ids).astype(str)
    n = len(labels)
    rows, columns = np.asarray(focal, dtype=np.int64), np.asarray(neighbour, dtype=np.int64)
    data = np.ones(len(rows)) if values is None else np.asarray(values, dtype=np.float64)
    _check_links(labels, rows, columns, data)
    wanted = (rows != columns) & (data != 0)
    rows, columns, data = rows[wanted], columns[wanted], data[wanted]
    order = np.lexsort((columns, rows))
    rows, columns, data = rows[order], columns[order], data[order]
    counts = np.bincount(rows, minlength=n)
    if row_standardised and len(data):
        data = data / np.bincount(rows, weights=data, minlength=n)[rows]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Weights(labels, indptr, columns, data, kind, row_standardised, dict(parameters or {}))


def check_same_regions(
    found: Iterable[str], expected: Iterable[str], argument: str = "values", other: str = "weights"
) -> None:
    """Raise E703 unless both name the same regions (in any order)."""
    here, there = set(map(str, found)), set(map(str, expected))
    if here == there:
        return
    problems = Problems()
    if there - here:
        problems.add("E703", argument=argument, other=other, missing=sorted(there - here))
    if here - there:
        problems.add("E703", argument=other, other=argument, missing=sorted(here - there))
    problems.raise_errors()


def _check_links(labels: NDArray[Any], rows: Integers, columns: Integers, data: Floats) -> None:
    problems = Problems()
    unique, counts = np.unique(labels, return_counts=True)
    if len(unique) != len(labels):
        problems.add("E704", repeated=unique[counts > 1].tolist())
    wrong = ~np.isfinite(data) | (data < 0)
    if wrong.any():
        pairs = [f"{labels[i]}–{labels[j]}: {value}" for i, j, value in _first(rows, columns, data, wrong)]
        problems.add("E705", count=int(wrong.sum()), links=pairs)
    problems.raise_errors()


def _first(rows: Integers, columns: Integers, data: Floats, wrong: NDArray[np.bool_]) -> list[tuple[int, int, float]]:
    at = np.flatnonzero(wrong)[:10]
    return list(zip(rows[at].tolist(), columns[at].tolist(), data[at].tolist(), strict=True))
