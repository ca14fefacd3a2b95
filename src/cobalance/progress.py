"""Progress for people: stage and time left on a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from cobalance.vocabulary.errors import Language

Step = Callable[[str, float], None]


class Count(Protocol):
    """Told of a stage, units done and in all, and bytes read so far."""

    def __call__(self, stage: str, done: int, total: int, read_bytes: int) -> None: ...


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


@contextmanager
def counted(language: Language) -> Iterator[Count]:
    """A function to tell of a long count: stage, units done and in all, bytes read; with the time left."""
    if not sys.stderr.isatty():
        yield _tenths(language)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[read]}")
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", read="")

        def tell(stage: str, done: int, total: int, read_bytes: int) -> None:
            progress.update(task, description=stage, completed=done, total=total, read=f"{read_bytes / 1e6:,.0f} MB")

        yield tell


def _tenths(language: Language) -> Count:
    """A line for each tenth that is done."""
    told = -1

    def tell(stage: str, done: int, total: int, read_bytes: int) -> None:
        nonlocal told
        tenth = 10 * done // total if total else 10
        if tenth > told:
            told = tenth
            read = {"en": "read", "zh": "已读"}[language]
            print(f"{stage} {10 * tenth} %, {read} {read_bytes / 1e6:,.0f} MB", file=sys.stderr, flush=True)

    return tell
