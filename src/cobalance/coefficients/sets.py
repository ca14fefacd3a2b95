"""Coefficient sets: the literature's rates and factors, one CSV file a set, read and checked.

Every row carries its unit, basis, source, locator and status; :func:`read_set` takes the name of a shipped set or the
path of a user's own file in the same columns.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError, Place, Problems, nearest, refuse

COLUMNS = (
    "quantity", "item", "region", "year", "value", "low", "high",
    "unit", "basis", "source", "locator", "status", "note",
)  # fmt: skip
REQUIRED = ("quantity", "item", "region", "value", "unit", "source", "status")
NUMBERS = ("value", "low", "high")
EVERYWHERE = "*"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

STATUSES = {
    "P": "printed in the paper",
    "S": "read in the source named",
    "D": "derived by arithmetic from such numbers",
    "U": "the user's own",
    "R": "recalled from the literature, to be verified",
    "F": "fitted so that the paper's totals come out",
}
"""Where a number comes from, from the firmest to the weakest."""


@dataclass(frozen=True)
class Quantity:
    """A kind of coefficient: its family in a selection, the units and bases it may have, its bounds and its names."""

    name: str
    family: str
    units: tuple[str, ...]
    basis: tuple[str, ...]
    minimum: float
    maximum: float
    name_en: str
    name_zh: str

    def unit_kind(self, unit: str) -> str | None:
        """The one of ``units`` that has the dimension of ``unit``. Raises E206 where ``unit`` cannot be read."""
        dimension = units.parse(unit).dimensionality
        return next((known for known in self.units if units.parse(known).dimensionality == dimension), None)

    def needs_basis(self, unit: str) -> bool:
        """Rates per area always say gross or net, numbers per heat always net or gross heat."""
        return self.family == "sequestration" or (bool(self.basis) and unit.endswith("GJ"))


@cache
def quantities() -> dict[str, Quantity]:
    """Every quantity that a set may hold, by name (``quantities.csv``)."""
    with (resources.files("cobalance.coefficients") / "quantities.csv").open("r", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {
        row["quantity"]: Quantity(
            name=row["quantity"],
            family=row["family"],
            units=_listed(row["units"]),
            basis=_listed(row["basis"]),
            minimum=float(row["minimum"] or "-inf"),
            maximum=float(row["maximum"] or "inf"),
            name_en=row["name_en"],
            name_zh=row["name_zh"],
        )
        for row in rows
    }


@cache
def set_names() -> tuple[str, ...]:
    """Names of the shipped sets."""
    folder = resources.files("cobalance.coefficients") / "sets"
    return tuple(sorted(file.name[:-4] for file in folder.iterdir() if file.name.endswith(".csv")))


def coefficient_sets() -> pd.DataFrame:
    """What is shipped: one row a set with its quantities, items, basis, number of rows and statuses."""

    def words(column: pd.Series) -> str:
        return ", ".join(word for word in dict.fromkeys(column) if word)

    rows = [
        {
            "set": name,
            "quantities": words(frame["quantity"]),
            "items": words(frame["item"]),
            "basis": words(frame["basis"]),
            "count": len(frame),
            "statuses": words(frame["status"]),
        }
        for name in set_names()
        for frame in (_shipped(name),)
    ]
    return pd.DataFrame(rows, columns=["set", "quantities", "items", "basis", "count", "statuses"])


def read_set(name_or_path: str | Path) -> pd.DataFrame:
    """A coefficient set, checked: the columns ``COLUMNS`` with ``set`` (its name, or the file's) before them.

    ``value``, ``low`` and ``high`` are floats (NaN where there is no bound), ``year`` is a nullable integer.

    Raises E501 (no such set), E502 and E503 (file, columns), E504–E515 (rows), all problems of a file at once.
    """
    if isinstance(name_or_path, Path) or name_or_path.lower().endswith(".csv"):
        path = Path(name_or_path)
        try:
            content = path.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise refuse("E502", Place(file=str(path)), reason=reason, reason_zh=reason) from error
        return _checked(_decoded(content, str(path)), str(path), path.name)
    if name_or_path not in set_names():
        raise refuse("E501", name=name_or_path, nearest=nearest(name_or_path, set_names()))
    return _shipped(name_or_path).copy()


@cache
def _shipped(name: str) -> pd.DataFrame:
    file = resources.files("cobalance.coefficients") / "sets" / f"{name}.csv"
    return _checked(file.read_text(encoding="utf-8"), f"{name}.csv", name)


def _decoded(content: bytes, file: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refuse("E502", Place(file=file), reason="neither UTF-8 nor GB18030", reason_zh="既非 UTF-8 也非 GB18030")


def _checked(text: str, file: str, name: str) -> pd.DataFrame:
    """The rows of ``text`` as a frame. Row numbers count as a spreadsheet does: the heading is row 1."""
    lines = list(csv.reader(io.StringIO(text, newline="")))
    heading = [cell.strip() for cell in lines[0]] if lines else []
    problems = Problems()
    missing = [column for column in COLUMNS if column not in heading]
    unknown = [column for column in heading if column not in COLUMNS or heading.count(column) > 1]
    if missing or unknown:
        found = {"missing": missing or "–", "unknown": list(dict.fromkeys(unknown)) or "–"}
        raise refuse("E503", Place(file=file, row=1), expected=", ".join(COLUMNS), **found)
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[object, ...], int] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heading):
            problems.add("E514", Place(file=file, row=number), found=len(cells), expected=len(heading))
            continue
        row = _checked_row(dict(zip(heading, map(str.strip, cells), strict=True)), file, number, problems)
        _check_repeated(row, seen, Place(file=file, row=number), problems)
        rows.append(row)
    if len(lines) < 2 or not (rows or problems.errors):
        problems.add("E515", Place(file=file))
    problems.raise_errors()
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(NUMBERS, float))
    frame["year"] = frame["year"].astype("Int64")
    frame.insert(0, "set", name)
    return frame


def _checked_row(cells: dict[str, str], file: str, number: int, problems: Problems) -> dict[str, Any]:
    """One row with numbers as numbers; what is wrong with it goes to ``problems``."""

    def at(column: str) -> Place:
        return Place(file=file, row=number, column=column)

    for column in REQUIRED:
        if not cells[column]:
            problems.add("E511", at(column), expected=", ".join(REQUIRED))
    row: dict[str, Any] = dict(cells)
    for column in NUMBERS:
        row[column] = _number(cells[column], at(column), problems)
    row["year"] = _year(cells["year"], at("year"), problems)
    if cells["status"] and cells["status"] not in STATUSES:
        problems.add("E509", at("status"), found=cells["status"], expected=", ".join(STATUSES))
    low, value, high = (float(row[name]) for name in ("low", "value", "high"))
    if low > value or value > high:
        problems.add("E505", at("value"), low=cells["low"], value=cells["value"], high=cells["high"])
    if cells["quantity"] in quantities():
        _check_quantity(quantities()[cells["quantity"]], row, at, problems)
    elif cells["quantity"]:
        close = nearest(cells["quantity"], quantities())
        problems.add("E508", at("quantity"), found=cells["quantity"], nearest=close)
    return row


def _check_quantity(quantity: Quantity, row: Mapping[str, Any], at: Callable[[str], Place], problems: Problems) -> None:
    """Unit, basis and bounds that the quantity of a row allows."""
    unit, basis = str(row["unit"]), str(row["basis"])
    expected = ", ".join(quantity.units)
    try:
        kind = quantity.unit_kind(unit) if unit else None
    except CobalanceError:
        problems.add("E506", at("unit"), found=unit, expected=expected)
        return
    if not unit:
        return
    if kind is None:
        details = {"found": unit, "dimension": units.dimension(unit), "expected": expected}
        problems.add("E507", at("unit"), quantity=quantity.name, **details)
        return
    allowed = quantity.basis if quantity.needs_basis(kind) else (*quantity.basis, "")
    if quantity.basis and basis not in allowed:
        words = ", ".join(word or "(empty)" for word in allowed)
        problems.add("E510", at("basis"), quantity=quantity.name, unit=unit, found=basis, expected=words)
    for column in NUMBERS:
        number = float(row[column])
        if number < quantity.minimum or number > quantity.maximum:
            bounds = {"minimum": quantity.minimum, "maximum": quantity.maximum}
            problems.add("E513", at(column), quantity=quantity.name, found=f"{number:g}", **bounds)


def _check_repeated(row: dict[str, Any], seen: dict[tuple[object, ...], int], place: Place, problems: Problems) -> None:
    """A fuel may have a factor per tonne and one per GJ, but only one of each kind."""
    unit = str(row["unit"])
    kind = units.dimension(unit) if units.convertible(unit, unit) else unit
    key = (row["quantity"], row["item"], row["region"], row["year"], kind)
    if key in seen:
        names = {name: row[name] or "–" for name in ("quantity", "item", "region")}
        problems.add("E512", place, other=seen[key], year=row["year"] or "–", **names)
    seen.setdefault(key, place.row or 0)


def _number(text: str, place: Place, problems: Problems) -> float:
    if not text:
        return math.nan
    if not _NUMBER.fullmatch(text):
        problems.add("E504", place, found=text, kind="number", kind_zh="数字")
        return math.nan
    return float(text)


def _year(text: str, place: Place, problems: Problems) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        problems.add("E504", place, found=text, kind="year", kind_zh="年份")
        return None
    return int(text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())
