"""Progress for people: stage and time left on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cobalance.vocabulary.errors import Language

Step = Callable[[str, float], None]


@contextmanager
def shown(stages: dict[str, dict[Language, str]], language: Language) -> Iterator[Step]:
    """A function to tell of ``stage`` and the part of it that is done; everything goes to standard error."""
    if not sys.stderr.isatty():
        yield _lines(stages, language)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    names = list(stages)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(names))

        def step(stage: str, done: float) -> None:
            progress.update(task, description=stages[stage][language], completed=names.index(stage) + done)

        yield step


def _lines(stages: dict[str, dict[Language, str]], language: Language) -> Step:
    started = time.monotonic()
    told: set[str] = set()

    def step(stage: str, done: float) -> None:
        if stage not in told:
            told.add(stage)
            print(f"[{time.monotonic() - started:5.1f} s] {stages[stage][language]}", file=sys.stderr, flush=True)

    return step
