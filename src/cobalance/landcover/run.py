"""Runs a plan: in threads here, or on a Dask cluster; with progress, cancellation and a checkpoint."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Protocol

from cobalance.landcover.band import BandSums, BandTask, tabulate_band
from cobalance.landcover.checkpoint import Journal
from cobalance.landcover.plan import Plan
from cobalance.landcover.sums import Sums

_BATCH_SECONDS = 2.0
_BATCH_BANDS = 16


class Progress(Protocol):
    """Called as work gets done: stage, units done, units in all, stored bytes read so far."""

    def __call__(self, stage: str, done: int, total: int, read_bytes: int) -> None: ...


def no_progress(stage: str, done: int, total: int, read_bytes: int) -> None:
    """Tells nobody."""


def run_plan(
    plan: Plan,
    *,
    threads: int | None = None,
    scheduler: str | None = None,
    checkpoint: Path | None = None,
    progress: Progress = no_progress,
) -> Sums:
    """Do all tasks of a plan and add them up; the same integers however it is run.

    With a checkpoint, finished bands are taken from it and new ones written to it, every two seconds at the latest
    once a band is done: an interruption loses one batch. Raises what the tasks raise, and E622, E629.
    """
    sums = Sums(plan)
    total = plan.task_count
    journal = Journal(checkpoint, plan.digest) if checkpoint is not None else None
    try:
        finished = set()
        for band in journal.finished if journal else ():
            finished.add(band.number)
            sums.add(band)
        progress("count", len(finished), total, sums.bytes_read)
        todo = (task for task in plan.tasks() if task.number not in finished)
        if scheduler is not None and scheduler != "local":
            from cobalance.landcover.cluster import on_cluster

            done = on_cluster(todo, scheduler)
        else:
            done = _in_threads(todo, threads or _processors())
        with closing(done):
            _collect(done, sums, journal, total, progress)
    finally:
        if journal:
            journal.close()
    return sums


def _collect(
    done: Iterable[list[BandSums]], sums: Sums, journal: Journal | None, total: int, progress: Progress
) -> None:
    batch: list[BandSums] = []
    since = time.monotonic()
    count = len(journal.finished) if journal else 0
    try:
        for bands in done:
            for band in bands:
                sums.add(band)
            if journal:
                batch += bands
                if len(batch) >= _BATCH_BANDS or time.monotonic() - since > _BATCH_SECONDS:
                    journal.add(batch)
                    batch, since = [], time.monotonic()
            count += len(bands)
            progress("count", count, total, sums.bytes_read)
    finally:
        if journal and batch:
            journal.add(batch)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_threads(tasks: Iterable[BandTask], threads: int) -> Generator[list[BandSums], None, None]:
    """Results as they come; only a few tasks exist at a time. Leaving early cancels what has not begun."""
    if threads == 1:
        for task in tasks:
            yield [tabulate_band(task)]
        return
    with ThreadPoolExecutor(threads) as pool:
        pending: set[Future[BandSums]] = set()
        try:
            for task in tasks:
                pending.add(pool.submit(tabulate_band, task))
                if len(pending) >= 2 * threads:
                    finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield [future.result() for future in finished]
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield [future.result() for future in finished]
        finally:
            for future in pending:
                future.cancel()
