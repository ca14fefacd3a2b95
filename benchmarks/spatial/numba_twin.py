"""Is numba worth it? The sorted path as a numba kernel beside the NumPy one, same draws, same counts.

    python benchmarks/spatial/numba_twin.py

The kernel sums, patches and searches in loops; it takes NumPy's sort (vectorised) from outside, because numba's own
sort is slower. Compile and import are printed apart.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from panel import cells

from cobalance.spatial.blocks import TIE, Block
from cobalance.spatial.groups import deviations
from cobalance.spatial.links import assembled
from cobalance.spatial.permutation import Permutation, Reference, on_grid


def kernels():
    import numba

    @numba.njit(cache=False, fastmath=False)
    def add(sums, row, ids):
        for draw in range(len(sums)):
            sums[draw] += row[ids[draw]]

    @numba.njit(cache=False, fastmath=False)
    def search(ordered, low, high, above, below):
        n = len(ordered)
        for at in range(len(low)):
            start, length = 0, n
            while length > 0:
                half = length >> 1
                if ordered[start + half] < low[at]:
                    start += half + 1
                    length -= half + 1
                else:
                    length = half
            above[at] = n - start
            while start < n and ordered[start] <= high[at]:
                start += 1
            below[at] = start

    @numba.njit(cache=False, fastmath=False)
    def patch(sums, row, ids, unit, draw, own, low, high, above, below):
        for at in range(len(unit)):
            u, d = unit[at], draw[at]
            held = sums[d]
            given = held + row[ids[d]] - own[u]
            above[u] += int(given >= low[u]) - int(held >= low[u])
            below[u] += int(given <= high[u]) - int(held <= high[u])

    return add, search, patch


def twin(block: Block, row: np.ndarray, observed: np.ndarray, made) -> tuple[np.ndarray, np.ndarray]:
    add, search, patch = made
    reference = block.reference
    ordered, target = row[reference.order], observed[reference.order]
    above, below = np.zeros((2, len(row)), dtype=np.int64)
    groups = dict(reference.groups)
    sums = np.zeros(block.ids.shape[1])
    for k in range(1, reference.most + 1):
        add(sums, row, block.ids[k - 1])
        if k not in groups:
            continue
        part = groups[k]
        low, high = target[part] - TIE, target[part] + TIE
        search(np.sort(sums), low, high, above[part], below[part])
        own = block._own(part)
        patch(sums, row, block.ids[k], block.unit[own] - part.start, block.draw[own], ordered[part], low, high,
              above[part], below[part])  # fmt: skip
    return above[reference.rank], below[reference.rank]


def best(work, times: int = 5) -> float:
    found = np.inf
    for _ in range(times):
        start = time.process_time()
        work()
        found = min(found, time.process_time() - start)
    return found


def compared(n: int, variables: int, permutations: int, made, folder: Path) -> str:
    stored = np.load(cells(n, folder))
    focal = np.repeat(np.arange(n), np.diff(stored["indptr"]))
    labels = np.char.zfill(np.arange(n).astype(str), 6)
    weights = assembled(labels, focal, stored["indices"], None, "given", True)
    reference = Reference(weights, Permutation(permutations, draws="shared"))
    (block,) = reference.blocks
    z = on_grid(deviations(np.random.default_rng(0).normal(size=(variables, n)))[0], reference.most + 1)
    observed = reference.observed(z.T).T
    mine, theirs = block.counts_sorted(z[:1], observed[:1]), twin(block, z[0], observed[0], made)
    same = all(np.array_equal(one[0], other) for one, other in zip(mine, theirs, strict=True))
    plain = best(lambda: [block.counts_sorted(z[v : v + 1], observed[v : v + 1]) for v in range(variables)])
    compiled = best(lambda: [twin(block, z[v], observed[v], made) for v in range(variables)])
    return (
        f"{n:7,} × {variables:2} × {permutations:6,}: CPU NumPy {plain:.4f} s, numba {compiled:.4f} s, "
        f"ratio {plain / compiled:.2f}; counts identical: {same}"
    )


def main() -> None:
    start = time.perf_counter()
    made = kernels()
    imported = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        compared(200, 1, 99, made, folder)
        print(f"numba: import {imported:.2f} s, compile {time.perf_counter() - start:.2f} s")
        for n, variables, permutations in ((3085, 62, 999), (3085, 6, 99_999), (40_000, 6, 999), (250_000, 3, 999)):
            print(compared(n, variables, permutations, made, folder), flush=True)


if __name__ == "__main__":
    main()
