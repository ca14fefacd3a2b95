"""Chunks: they cover all draws, bound the memory, and change nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cobalance.uncertainty.chunks import draw_chunks, gathered
from cobalance.uncertainty.points import Sample
from cobalance.vocabulary.errors import CobalanceError


def work(rows: range) -> Mapping[str, NDArray[np.float64]]:
    column = Sample(20, 1).column("coal", rows)
    return {"plain": column, "table": np.stack([column, 2 * column])}


@given(st.integers(1, 500), st.floats(0, 1e4), st.integers(1, 100_000))
def test_chunks_cover_every_draw_once_and_fit(count: int, each: float, memory: int) -> None:
    chunks = draw_chunks(count, each, memory)
    assert [row for chunk in chunks for row in chunk] == list(range(count))
    assert all(len(chunk) * each <= memory or len(chunk) == 1 for chunk in chunks)


@pytest.mark.parametrize("memory", [1 << 20, 1])
def test_results_do_not_depend_on_the_chunks_nor_on_where_they_lie(memory: int) -> None:
    whole = gathered(work, [range(20)])
    for chunks in (draw_chunks(20, 1, 3), draw_chunks(20, 1, 1)):
        found = gathered(work, chunks, memory=memory)
        assert isinstance(found["table"], np.memmap) == (memory == 1)
        for name, values in whole.items():
            np.testing.assert_array_equal(found[name], values)


def test_a_dask_scheduler_gives_the_same() -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    )
    try:
        found = gathered(work, draw_chunks(20, 1, 3), scheduler=cluster.scheduler_address)
    finally:
        cluster.close()
    for name, values in gathered(work, [range(20)]).items():
        np.testing.assert_array_equal(found[name], values)


def test_a_scheduler_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")

    def unreachable(address: str, timeout: str) -> None:
        raise TimeoutError(f"no answer from {address} within {timeout}")

    monkeypatch.setattr(distributed, "Client", unreachable)
    with pytest.raises(CobalanceError, match=r"E857 .*tcp://nowhere:8786 .*no answer"):
        gathered(work, [range(2)], scheduler="tcp://nowhere:8786")
