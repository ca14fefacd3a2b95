"""Many draws in bounded memory: chunks of draws, one after the other or on a Dask cluster, the same result either way.

Nothing random happens in a chunk: a draw is what its number and the seed make it. So chunks differ in nothing but how
much memory they take, and it does not matter who works on them or which is done first.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cobalance.vocabulary.errors import refuse

Floats = NDArray[np.float64]
Work = Callable[[range], Mapping[str, Floats]]
"""A chunk of draws to its results: name → (…, draws of the chunk)."""

MEMORY = 512 << 20
"""Bytes that a run with draws may take for its own arrays where nothing else is said."""


def draw_chunks(count: int, bytes_a_draw: float, memory: int = MEMORY) -> list[range]:
    """All draws in chunks whose arrays fit in ``memory``, at least one draw each, of nearly equal size."""
    most = max(1, int(memory // max(bytes_a_draw, 1.0)))
    number = -(-count // most)
    edges = [count * part // number for part in range(number + 1)]
    return [range(first, last) for first, last in itertools.pairwise(edges)]


def gathered(
    work: Work, chunks: Sequence[range], *, memory: int = MEMORY, scheduler: str | None = None
) -> dict[str, Floats]:
    """The results of all chunks side by side: name → (…, draw).

    work       results of a chunk; for a scheduler it has to be picklable
    memory     bytes; where the results need more they lie in a temporary file instead (``numpy.memmap``)
    scheduler  address of a Dask scheduler (``tcp://…``); None: here, one chunk at a time

    Raises E857 where the scheduler cannot be reached.
    """
    count = chunks[-1].stop
    results: dict[str, Floats] = {}
    for chunk, found in _worked(work, chunks, scheduler):
        if not results:
            each = memory / max(1, len(found))
            results = {name: _room((*part.shape[:-1], count), each) for name, part in found.items()}
        for name, part in found.items():
            results[name][..., chunk.start : chunk.stop] = part
    return results


def _worked(work: Work, chunks: Sequence[range], scheduler: str | None) -> Iterator[tuple[range, Mapping[str, Floats]]]:
    if scheduler is None:
        for chunk in chunks:
            yield chunk, work(chunk)
        return
    client = _client(scheduler)
    from distributed import as_completed

    with client:
        [shared] = client.scatter([work], broadcast=True)
        waiting = iter(chunks)
        ahead = 2 * max(1, len(client.scheduler_info()["workers"]))
        first = itertools.islice(waiting, ahead)
        running = {client.submit(_run, shared, chunk, pure=False): chunk for chunk in first}
        arriving: Any = as_completed(list(running))  # type: ignore[no-untyped-call]
        for done in arriving:
            yield running.pop(done), done.result()
            done.release()
            for chunk in itertools.islice(waiting, 1):
                following = client.submit(_run, shared, chunk, pure=False)
                running[following] = chunk
                arriving.add(following)


def _run(work: Work, chunk: range) -> Mapping[str, Floats]:
    return work(chunk)


def _client(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise refuse("E857", scheduler=scheduler, reason="Dask is not installed", reason_zh="未安装 Dask") from error
    try:
        return Client(scheduler, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise refuse("E857", scheduler=scheduler, reason=str(error), reason_zh=str(error)) from error


def _room(shape: tuple[int, ...], memory: float) -> Floats:
    """Room for results, in memory or, where that is too much, in a file that ends with the process."""
    if np.prod(shape) * 8 <= memory:
        return np.empty(shape)
    with tempfile.NamedTemporaryFile(prefix="cobalance-draws-", delete=False) as file:
        room: Floats = np.memmap(file, dtype=np.float64, mode="w+", shape=shape)
    Path(file.name).unlink()  # the mapping keeps it until it is let go
    return room
