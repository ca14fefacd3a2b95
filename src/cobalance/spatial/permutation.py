"""Reference distributions of spatial lags under conditional permutation: one engine for whole panels.

The question is always the same: region *i* keeps its value, the others' values are shuffled over the map; how often
is the sum over *i*'s neighbours at least, or at most, what was observed? Local Moran (univariate, bivariate,
differential) and Getis–Ord G and G* are that question; see ``docs/spatial.md`` for the proof behind shared draws.

Sums are formed on a binary grid (:func:`on_grid`), where adding is exact in float64. So the order of adding, the size
of a block and the number of threads cannot change a count, and sets with the same sum are ties, not rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.blocks import TIE, Block
from cobalance.spatial.draws import CHUNK, independent_ids, keep_freed_memory, shared_blocks
from cobalance.spatial.enumeration import enumerated_counts, halves_fit, subsets, variables_at_once
from cobalance.spatial.links import Weights
from cobalance.vocabulary.errors import nearest, refuse

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_Count = Callable[[Floats, Floats], tuple[Integers, Integers]]
Draws = Literal["auto", "shared", "independent", "exact", "pearson"]

DRAWS: tuple[Draws, ...] = ("auto", "shared", "independent", "exact", "pearson")
EXACT_SUBSETS = 10**8  # "auto" enumerates below this many neighbour sets
_BLOCK_BYTES = 48 << 20
_CACHE_CELLS = 1 << 17
_FEW = 8  # regions of the same k, on average, up to which comparing beats sorting
METHODS = {
    "shared": "conditional permutation, draws shared by all regions",
    "independent": "conditional permutation, independent draws for each region",
    "exact": "complete enumeration of neighbour sets",
    "pearson": "Pearson type III preview (three moments, no permutation)",
    "map": "permutation of the whole map",
    "neighbours": "permutation of the neighbours' quantity",
}
METHODS_ZH = {
    "shared": "条件置换检验，各区域共用随机抽样",
    "independent": "条件置换检验，各区域独立随机抽样",
    "exact": "邻居组合完全枚举",
    "pearson": "皮尔逊 III 型近似预览（前三阶矩，未作置换）",
    "map": "全图随机置换检验",
    "neighbours": "对邻居变量作随机置换检验",
}


@dataclass(frozen=True)
class Permutation:
    """How a reference distribution is formed.

    ``draws``: ``shared`` (default beyond the reach of enumeration), ``independent``, ``exact``, ``pearson`` (a
    preview), or ``auto``: exact where all neighbour sets number at most ``EXACT_SUBSETS`` and the weights of a row
    are equal, else shared. ``threads`` and ``block`` (chunks of permutations worked on at once; None: by memory)
    change no count. Raises E713 for a setting that makes no sense.
    """

    permutations: int = 99_999
    seed: int = 0
    draws: Draws = "auto"
    threads: int = 1
    block: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("permutations", 1), ("seed", 0), ("threads", 1)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < least:
                raise refuse("E713", option=name, value=value, least=least)
        if self.draws not in DRAWS:
            raise refuse("E709", option=self.draws, valid=nearest(self.draws, DRAWS))


@dataclass(frozen=True)
class Tails:
    """How much of the reference distribution lies at or beyond the observed lag, on either side.

    above, below   (variable, region)   number of sets (a probability for ``pearson``), the observed value included
                                        among those that equal it
    total          (region)             sets in all; 0 for a region without neighbours
    """

    above: NDArray[Any]
    below: NDArray[Any]
    total: NDArray[Any]
    draws: Draws

    def probability(self, counts: NDArray[Any]) -> Floats:
        """(count + 1) / (total + 1) where sets were drawn, count / total where all were enumerated."""
        extra = 1 if self.draws in ("shared", "independent") else 0
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.total > 0, (counts + extra) / (self.total + extra), np.nan)

    @property
    def method(self) -> str:
        return METHODS[self.draws]

    @property
    def smallest(self) -> Floats:
        """(region) the smallest probability that a region can attain."""
        return self.probability(np.zeros_like(self.total) if self.draws != "exact" else np.ones_like(self.total))


def on_grid(values: Floats, terms: int) -> Floats:
    """Values rounded to multiples of a power of two so small that sums of ``terms`` of them are exact in float64.

    values (…, region), in standard deviations. The step is 2⁻⁴⁰ or so: far below :data:`TIE`.
    """
    largest = np.maximum(np.abs(values).max(axis=-1, keepdims=True, initial=0.0), 1.0)
    step = 2.0 ** (np.ceil(np.log2(largest * (terms + 2))) - 51)
    return np.asarray(np.rint(values / step) * step)


class Reference:
    """The reference distributions of one set of regions and weights, ready for any number of variables.

    All regions of ``weights`` are permuted. ``tails`` takes (variable, region) in standard deviations. Rows are
    standardised here, whatever the weights say: the scale of a row moves observed and drawn sums alike, and with it
    gone one tie width fits all.
    """

    def __init__(self, weights: Weights, permutation: Permutation) -> None:
        self.weights, self.permutation = weights.standardised(), permutation
        self.neighbours = weights.cardinalities
        self.most = int(self.neighbours.max(initial=0))
        self.order = np.argsort(self.neighbours, kind="stable")
        self.rank = np.empty_like(self.order)
        self.rank[self.order] = np.arange(len(self.order))
        self.equal = weights.equal_rows
        self.draws = self._resolved()

    def _resolved(self) -> Draws:
        wanted = self.permutation.draws
        if wanted not in ("auto", "exact"):
            return wanted
        number = subsets(self.weights.n, self.neighbours)
        fits = halves_fit(self.weights.n, self.most)
        if wanted == "auto":
            return "exact" if self.equal and number <= EXACT_SUBSETS and fits else "shared"
        if not (self.equal and fits):
            words = ("equal", "相等") if self.equal else ("unequal", "不等")
            raise refuse("E714", number=f"{number:.3g}", equal=words[0], equal_zh=words[1])
        return "exact"

    @cached_property
    def groups(self) -> list[tuple[int, slice]]:
        """Regions in ``order`` with the same number of neighbours: (k, slice of the order), k from 1 on."""
        ks = self.neighbours[self.order]
        edges = np.flatnonzero(np.diff(ks, prepend=-1))
        stops = [*edges[1:].tolist(), len(ks)]
        return [(int(ks[at]), slice(at, end)) for at, end in zip(edges.tolist(), stops, strict=True) if ks[at]]

    @property
    def total(self) -> NDArray[Any]:
        some = self.neighbours > 0
        if self.draws == "exact":
            each = {k: subsets(self.weights.n, np.array([k])) for k in np.unique(self.neighbours).tolist()}
            return np.array([each[k] if k else 0 for k in self.neighbours.tolist()], dtype=np.int64)
        return some * (1 if self.draws == "pearson" else self.permutation.permutations)

    def tails(self, values: Floats) -> Tails:
        """Tails of the neighbours' sums of each variable: values (variable, region) in standard deviations."""
        if self.draws == "pearson":
            from cobalance.spatial.preview import pearson_probabilities

            above, below = pearson_probabilities(values, self.weights)
            return Tails(above, below, self.total, self.draws)
        keep_freed_memory()
        work = {"exact": self._exact, "independent": self._independent}.get(self.draws, self._shared)
        dtype = np.int64 if self.draws == "exact" else np.int32
        above, below = (np.zeros(values.shape, dtype=dtype) for _ in range(2))
        if self.most:
            work(on_grid(values, self.most + 1), above, below)
        return Tails(above, below, self.total, self.draws)

    def observed(self, values: Floats) -> Floats:
        """Sum over the neighbours, (region) or (region, variable): plain for equal rows, then exact; weighted else."""
        return np.asarray(self._matrix @ values)

    @cached_property
    def _matrix(self) -> csr_array:
        matrix = self.weights.matrix()
        if self.equal:
            matrix.data = np.ones_like(matrix.data)
        return matrix

    def _each(self, work: Callable[[int], None], pieces: int) -> None:
        """Do all pieces of work, on the threads there are; each writes its own part of the result."""
        if self.permutation.threads == 1 or pieces == 1:
            for piece in range(pieces):
                work(piece)
            return
        with ThreadPoolExecutor(self.permutation.threads) as pool:
            list(pool.map(work, range(pieces)))

    def _exact(self, values: Floats, above: Integers, below: Integers) -> None:
        step = variables_at_once(self.weights.n, self.most)

        def work(number: int) -> None:
            part = slice(number * step, (number + 1) * step)
            observed = self.observed(values[part].T).T
            above[part], below[part] = enumerated_counts(values[part], self.neighbours, observed - TIE, observed + TIE)

        self._each(work, -(-len(values) // step))

    def _shared(self, values: Floats, above: NDArray[Any], below: NDArray[Any]) -> None:
        for block in self.blocks:
            step = max(1, _CACHE_CELLS // block.ids.shape[1])
            if not self.equal:
                count, step = block.counts_unequal, 1
            elif self.weights.n > _FEW * len(self.groups):
                count, step = block.counts_sorted, max(1, min(step, _CACHE_CELLS // self.weights.n))
            else:
                count = block.counts_compared

            def work(number: int, count: _Count = count, step: int = step) -> None:
                part = slice(number * step, (number + 1) * step)
                high, low = count(values[part], self.observed(values[part].T).T)
                above[part] += high
                below[part] += low

            self._each(work, -(-len(values) // step))

    @cached_property
    def _kept_block(self) -> Block:
        return next(self._new_blocks())

    @property
    def blocks(self) -> Iterator[Block]:
        """Blocks of shared draws; kept between calls where one block holds all of them."""
        return iter([self._kept_block]) if self.permutation.permutations <= self._block_size else self._new_blocks()

    @property
    def _block_size(self) -> int:
        most = 1 if not self.equal else max(1, _BLOCK_BYTES // (8 * (self.most + 1) * CHUNK))
        chunks = self.permutation.block or most
        return chunks * CHUNK

    def _new_blocks(self) -> Iterator[Block]:
        chunks = self._block_size // CHUNK
        settings = self.permutation
        for ids in shared_blocks(self.weights.n, self.most + 1, settings.permutations, settings.seed, chunks):
            yield Block(self, ids)

    def _independent(self, values: Floats, above: NDArray[Any], below: NDArray[Any]) -> None:
        observed = np.stack([self.observed(row) for row in values])
        weights = self.weights
        for unit in np.flatnonzero(self.neighbours).tolist():
            k = int(self.neighbours[unit])
            own = weights.values[weights.indptr[unit] : weights.indptr[unit + 1]]
            row = np.ones(k) if self.equal else own
            for first in range(0, self.permutation.permutations, 64 * CHUNK):
                span = range(first, min(first + 64 * CHUNK, self.permutation.permutations))
                ids = independent_ids(weights.n, unit, k, span, self.permutation.seed)
                for variable in range(len(values)):
                    lags = row @ values[variable][ids]
                    above[variable, unit] += np.count_nonzero(lags >= observed[variable, unit] - TIE)
                    below[variable, unit] += np.count_nonzero(lags <= observed[variable, unit] + TIE)
