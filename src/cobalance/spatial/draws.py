"""Random ordered ids for permutation tests, the same for any number of threads and any size of block.

Shared draws come in chunks, each with its own stream; chunk *c* of a seed is what it is, whoever draws it. Independent
draws come from a counter-based generator (Philox 4×32-10: Salmon et al. 2011, doi 10.1145/2063384.2063405) keyed by
permutation and region, so that no draw depends on another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

CHUNK = 1024
_PERMUTED_CELLS = 1 << 22
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)


def keep_freed_memory() -> None:
    """Let the process reuse freed memory instead of returning it at once; changes no result.

    glibc hands blocks above a threshold back to the system when they are freed, and a loop of products then faults
    its pages in anew every time (four times the CPU, measured). The threshold follows the largest block freed so far,
    up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD), so one untouched block raises it. Elsewhere this does nothing.
    """
    np.empty(31 << 20, dtype=np.uint8)


def chunk_sizes(permutations: int) -> list[int]:
    """Sizes of the chunks that make up ``permutations``."""
    whole, rest = divmod(permutations, CHUNK)
    return [CHUNK] * whole + ([rest] if rest else [])


def shared_blocks(n: int, count: int, permutations: int, seed: int, block: int) -> Iterator[Integers]:
    """Ordered ids (count, up to ``block`` permutations), block after block; ``block`` counts in chunks."""
    sizes = chunk_sizes(permutations)
    for first in range(0, len(sizes), block):
        chunks = [
            shared_chunk(n, count, size, seed, number)
            for number, size in enumerate(sizes[first : first + block], start=first)
        ]
        yield np.concatenate(chunks, axis=1)


def shared_chunk(n: int, count: int, size: int, seed: int, number: int) -> Integers:
    """(count, size): in each column the first ``count`` ids of a random order of 0 … n − 1.

    Where repeats are rare, ids are drawn with repetition and a column that holds one is drawn anew; whether a column
    repeats does not depend on which ids it holds, so what is kept is uniform. Else whole orders are shuffled.
    """
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(number,))))
    if count * count >= 2 * n:
        return _shuffled(generator, n, count, size)
    ids = generator.integers(0, n, size=(size, count))
    again = _repeating(ids)
    while len(again):
        ids[again] = generator.integers(0, n, size=(len(again), count))
        again = again[_repeating(ids[again])]
    return np.ascontiguousarray(ids.T)


def shuffled_orders(n: int, permutations: int, seed: int, at_once: int) -> Iterator[Integers]:
    """(up to ``at_once``, n) whole random orders, piece after piece; the pieces' size does not change the orders."""
    for number, size in enumerate(chunk_sizes(permutations)):
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(number,))))
        for first in range(0, size, at_once):
            orders = np.tile(np.arange(n), (min(at_once, size - first), 1))
            generator.permuted(orders, axis=1, out=orders)
            yield orders


def _shuffled(generator: np.random.Generator, n: int, count: int, size: int) -> Integers:
    ids = np.empty((count, size), dtype=np.int64)
    rows = max(1, _PERMUTED_CELLS // n)
    for first in range(0, size, rows):
        many = min(rows, size - first)
        orders = np.tile(np.arange(n, dtype=np.int32), (many, 1))
        generator.permuted(orders, axis=1, out=orders)
        ids[:, first : first + many] = orders[:, :count].T
    return ids


def _repeating(ids: Integers) -> Integers:
    ordered = np.sort(ids, axis=1)
    return np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))


def independent_ids(n: int, unit: int, count: int, permutations: range, seed: int) -> Integers:
    """(count, permutations): ordered ids of other regions for one region, from its own Philox stream."""
    uniform = _uniform(unit, count, permutations, seed)
    chosen: list[Integers] = []
    ids = np.empty((count, len(permutations)), dtype=np.int64)
    for position in range(count):
        remaining = n - 1 - position
        pick = np.minimum((uniform[position] * remaining).astype(np.int64), remaining - 1)
        for taken in chosen:  # ascending: the pick-th of those that are left
            pick = pick + (pick >= taken)
        ids[position] = pick
        for slot, taken in enumerate(chosen):
            chosen[slot], pick = np.minimum(taken, pick), np.maximum(taken, pick)
        chosen.append(pick)
    return ids + (ids >= unit)


def _uniform(unit: int, count: int, permutations: range, seed: int) -> NDArray[np.float64]:
    """(count, permutations) in [0, 1) with 53 bits: counter (permutation, region, pair of draws), key = seed."""
    pairs = (count + 1) // 2
    counter = np.zeros((4, pairs, len(permutations)), dtype=np.uint64)
    counter[0] = np.arange(permutations.start, permutations.stop, dtype=np.uint64)
    counter[1] = np.uint64(unit)
    counter[2] = np.arange(pairs, dtype=np.uint64)[:, None]
    words = philox(counter, seed)
    halves = [(words[0] << np.uint64(32)) | words[1], (words[2] << np.uint64(32)) | words[3]]
    doubles = np.stack([(half >> np.uint64(11)) * 2.0**-53 for half in halves], axis=1)
    return doubles.reshape(2 * pairs, len(permutations))[:count]


def philox(counter: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Philox 4×32 with ten rounds: (4, …) counters of 32 bits to (4, …) random words of 32 bits."""
    x0, x1, x2, x3 = counter
    key0, key1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        product0, product1 = x0 * _MULTIPLIERS[0], x2 * _MULTIPLIERS[1]
        x0, x1, x2, x3 = (
            (product1 >> np.uint64(32)) ^ x1 ^ np.uint64(key0),
            product1 & _LOW,
            (product0 >> np.uint64(32)) ^ x3 ^ np.uint64(key1),
            product0 & _LOW,
        )
        key0, key1 = (key0 + _KEY_STEPS[0]) & 0xFFFFFFFF, (key1 + _KEY_STEPS[1]) & 0xFFFFFFFF
    return np.stack([x0, x1, x2, x3])
