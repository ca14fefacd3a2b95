"""Coded problems in English and Chinese, each with its place and its remedy.

A *problem* is one thing wrong (code ``E…``) or one thing the reader must know (``W…``, a notice). The sentences
stand in ``vocabulary/messages/*.csv``, one file a room; code and place are data, so that the same problem prints in
either language and as JSON. A :class:`CobalanceError` carries all problems of an input at once.
"""

from __future__ import annotations

import csv
import difflib
import string
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

Language = Literal["en", "zh"]

_PLACE_WORDS: dict[Language, dict[str, str]] = {
    "en": {"sheet": "sheet {}", "line": "line {}", "row": "row {}", "column": "column {}", "key": "{}"},
    "zh": {"sheet": "工作表 {}", "line": "第 {} 行", "row": "第 {} 行", "column": "列 {}", "key": "{}"},
}
_SENTENCES: dict[Language, str] = {
    "en": "{code} {place}: {found} Expected: {expected} Remedy: {remedy}",
    "zh": "{code} {place}：{found} 应为：{expected} 处理：{remedy}",
}


@dataclass(frozen=True)
class Place:
    """Where a problem is: as much of file, sheet, row, column or study-file key as applies.

    ``row`` counts as a spreadsheet does (the heading is row 1); ``line`` and ``character`` count in a text file.
    """

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    key: str | None = None
    line: int | None = None
    character: int | None = None

    def text(self, language: Language = "en") -> str:
        words = _PLACE_WORDS[language]
        parts = [self.file] if self.file else []
        if self.line is not None:
            at = words["line"].format(self.line)
            parts.append(at + (f":{self.character}" if self.character is not None else ""))
        parts += [
            words[name].format(value)
            for name in ("sheet", "row", "column", "key")
            if (value := getattr(self, name)) is not None
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class Problem:
    """One coded finding. ``details`` fill the placeholders of its sentences in the catalogue."""

    code: str
    place: Place = field(default_factory=Place)
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        catalogue()[self.code]  # a code without sentences is a defect of the caller

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")

    def part(self, name: Literal["found", "expected", "remedy"], language: Language = "en") -> str:
        template = catalogue()[self.code][f"{name}_{language}"]
        return template.format(**{key: _printed(value) for key, value in self.details.items()})

    def text(self, language: Language = "en") -> str:
        return _SENTENCES[language].format(
            code=self.code,
            place=self.place.text(language) or ("study" if language == "en" else "研究"),
            found=self.part("found", language),
            expected=self.part("expected", language),
            remedy=self.part("remedy", language),
        )

    def as_dict(self) -> dict[str, Any]:
        place = {name: value for name, value in asdict(self.place).items() if value is not None}
        sentences = {
            f"{part}_{language}": self.part(part, language)
            for part in ("found", "expected", "remedy")
            for language in ("en", "zh")
        }
        details = {name: _printed(value) for name, value in self.details.items()}
        return {"code": self.code, "place": place, "details": details, **sentences}


class CobalanceError(Exception):
    """All problems of one input; ``str()`` is English, :meth:`text` either language."""

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("a CobalanceError needs at least one problem")
        self.problems = problems
        super().__init__(*problems)

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: Language = "en") -> str:
        return "\n".join(problem.text(language) for problem in self.problems)


class Problems:
    """Collects problems while an input is read, so that all are told at once."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._problems: list[Problem] = list(problems)

    def add(self, code: str, place: Place | None = None, **details: Any) -> None:
        self._problems.append(Problem(code, place or Place(), details))

    def extend(self, problems: Iterable[Problem]) -> None:
        self._problems.extend(problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def __len__(self) -> int:
        return len(self._problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._problems if problem.is_error)

    @property
    def notices(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._problems if not problem.is_error)

    def raise_errors(self) -> None:
        """Raise a :class:`CobalanceError` of all errors; notices alone raise nothing."""
        if self.errors:
            raise CobalanceError(*self.errors)


def refuse(code: str, place: Place | None = None, **details: Any) -> CobalanceError:
    """The error of a single problem, to be raised: ``raise refuse("E201", …)``."""
    return CobalanceError(Problem(code, place or Place(), details))


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Code → its sentences (found, expected, remedy × en, zh), from ``vocabulary/messages/*.csv``."""
    rows: dict[str, dict[str, str]] = {}
    folder = resources.files("cobalance.vocabulary") / "messages"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".csv"):
            continue
        with entry.open("r", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if row["code"] in rows:
                    raise ValueError(f"{entry.name}: code {row['code']} stands twice in the catalogue")
                rows[row["code"]] = row
    return rows


def placeholders(template: str) -> set[str]:
    """The names that a sentence of the catalogue wants filled."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def nearest(name: str, names: Iterable[str]) -> str:
    """The valid name closest to ``name``, or all of them where none is close."""
    known = sorted(str(item) for item in names)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    return close[0] if close else ", ".join(known[:12]) + (" …" if len(known) > 12 else "")


def _printed(value: Any) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [str(item) for item in (value if isinstance(value, (list, tuple)) else sorted(value, key=str))]
        return ", ".join(items[:10]) + (f" … ({len(items)})" if len(items) > 10 else "")
    return value.name if isinstance(value, Path) else str(value)
