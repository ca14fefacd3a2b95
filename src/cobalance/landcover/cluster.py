"""The same tasks on a Dask cluster: a few bands a task, results gathered as they come.

A task carries its own edges and where its tiles lie, so a worker needs nothing but the files (under the same paths or
addresses) and this package. A worker that is lost costs its running tasks, which Dask runs elsewhere; keys come
from the task's content, and integers add up in any order, so the result is the same to the last bit.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from cobalance.landcover.band import BandSums, BandTask, tabulate_band
from cobalance.vocabulary.errors import refuse

BANDS_PER_TASK = 4
_TASKS_PER_WORKER = 4
CONNECT_SECONDS = 10


def tabulate_bands(tasks: tuple[BandTask, ...]) -> list[BandSums]:
    """What a worker does: a few bands, one after another."""
    return [tabulate_band(task) for task in tasks]


def on_cluster(tasks: Iterable[BandTask], scheduler: str) -> Generator[list[BandSums], None, None]:
    """Results as they come; at most a few tasks a worker are under way. Raises E629."""
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise refuse("E629", scheduler=scheduler, cause=str(error)) from error
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise refuse("E629", scheduler=scheduler, cause=str(error)) from error
    with client:
        groups = _groups(iter(tasks))
        room = _TASKS_PER_WORKER * max(2, len(client.scheduler_info().get("workers", {})))
        under_way = as_completed([_submitted(client, group) for group in islice(groups, room)], loop=client.loop)
        for future in under_way:
            yield future.result()
            future.release()
            for group in islice(groups, 1):
                under_way.add(_submitted(client, group))


def _groups(tasks: Iterator[BandTask]) -> Iterator[tuple[BandTask, ...]]:
    while group := tuple(islice(tasks, BANDS_PER_TASK)):
        yield group


def _submitted(client: Any, group: tuple[BandTask, ...]) -> Any:
    digest = hashlib.sha256(pickle.dumps(group, protocol=5)).hexdigest()[:16]
    key = f"landcover-{group[0].number}-{digest}"
    return client.submit(tabulate_bands, group, key=key, retries=3, pure=True)
