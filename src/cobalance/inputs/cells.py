"""A file's cells as they stand, before anything is understood: CSV, XLSX and Parquet as one grid.

Rows keep the numbers that a spreadsheet shows (the first is 1). Merged cells are spread over their range and marked,
so that a heading or a label holds for all that it spans, while a value never counts twice.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cobalance.inputs.encoding import text_encoding
from cobalance.vocabulary.errors import Place, Problems, nearest, refuse

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")


@dataclass(frozen=True)
class Grid:
    """Cells of one sheet. ``cells`` (row, column) of objects, None where empty; ``merged`` marks the cells that only
    repeat the upper left one of their merged range."""

    file: str
    sheet: str | None
    cells: np.ndarray
    merged: np.ndarray

    def place(self, row: int, column: int | str | None = None) -> Place:
        """The place of a cell, its row and column counted from 0; a column given as text is printed as it is."""
        name = column_letter(column) if isinstance(column, (int, np.integer)) else column
        return Place(file=self.file, sheet=self.sheet, row=int(row) + 1, column=name)

    @property
    def where(self) -> Place:
        return Place(file=self.file, sheet=self.sheet)


def read_grid(
    file: str | Path, base_dir: str | Path = ".", sheet: str | None = None, encoding: str | None = None
) -> Grid:
    """The cells of ``file`` (relative to ``base_dir``). Raises E301–E305, E319, E325."""
    path, name = Path(base_dir) / file, str(file)
    if not path.is_file():
        folder = path.parent
        siblings = [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
        raise refuse("E301", Place(file=name), nearest=nearest(path.name, siblings) or "–", folder=folder)
    kind = path.suffix.lower()
    content = path.read_bytes() if kind in SUFFIXES else b""
    if kind not in SUFFIXES or (
        kind in (".csv", ".tsv", ".txt") and content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    ):
        raise refuse("E302", Place(file=name), suffix=kind or "–")
    try:
        if kind == ".parquet":
            return _parquet_grid(path, name)
        if kind in (".xlsx", ".xlsm"):
            return _workbook_grid(content, name, sheet)
        return _text_grid(content, name, encoding)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, csv.Error) as error:
        raise refuse("E325", Place(file=name), reason=str(error).splitlines()[0] if str(error) else kind) from error


def column_letter(column: int | np.integer[Any]) -> str:
    """A spreadsheet's name of a column counted from 0: A … Z, AA …"""
    letters, number = "", int(column) + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and cell != cell)


def _grid(file: str, sheet: str | None, rows: Sequence[Sequence[Any]]) -> Grid:
    cells = np.full((len(rows), max(map(len, rows), default=0)), None, dtype=object)
    for number, row in enumerate(rows):
        cells[number, : len(row)] = row
    return Grid(file, sheet, cells, np.zeros(cells.shape, dtype=bool))


def _text_grid(raw: bytes, name: str, encoding: str | None) -> Grid:
    used = encoding or text_encoding(raw)
    if used is None:
        raise refuse("E303", Place(file=name), sample=_first_foreign_line(raw))
    try:
        text = raw.decode(used)
    except (UnicodeDecodeError, LookupError) as error:
        raise refuse("E303", Place(file=name), sample=f"{used}: {error}") from error
    first = text.split("\n", 1)[0]
    separator = "\t" if name.lower().endswith(".tsv") else max(",;\t", key=text[:20_000].count) if text else ","
    if separator == ";" and "," in first and ";" not in first:
        separator = ","
    return _grid(name, None, list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)))


def _first_foreign_line(raw: bytes) -> str:
    line = next((line for line in raw.splitlines() if any(byte > 127 for byte in line)), b"")
    return line[:60].decode("ascii", "backslashreplace")


def _parquet_grid(path: Path, name: str) -> Grid:
    frame = pd.read_parquet(path)
    cells = frame.astype(object).where(frame.notna(), None).to_numpy(dtype=object)
    heading = np.empty((1, len(frame.columns)), dtype=object)
    heading[0, :] = [str(column) for column in frame.columns]
    stacked = np.vstack([heading, cells])
    return Grid(name, None, stacked, np.zeros(stacked.shape, dtype=bool))


def _workbook_grid(content: bytes, name: str, sheet: str | None) -> Grid:
    from openpyxl import load_workbook  # slow to import, and only workbooks need it

    workbook = load_workbook(io.BytesIO(content), data_only=True)
    filled = [each.title for each in workbook.worksheets if each.max_row > 1 or each["A1"].value is not None]
    if sheet is not None and sheet not in workbook.sheetnames:
        raise refuse("E304", Place(file=name, sheet=sheet), nearest=nearest(sheet, workbook.sheetnames))
    if sheet is None and len(filled) != 1:
        raise refuse("E305", Place(file=name), sheets=filled or workbook.sheetnames)
    chosen = sheet or filled[0]
    worksheet = workbook[chosen]
    grid = _grid(name, chosen, list(worksheet.iter_rows(values_only=True)))
    for area in worksheet.merged_cells.ranges:
        rows, columns = slice(area.min_row - 1, area.max_row), slice(area.min_col - 1, area.max_col)
        anchor = grid.cells[area.min_row - 1, area.min_col - 1]
        grid.cells[rows, columns] = anchor
        grid.merged[rows, columns] = True
        grid.merged[area.min_row - 1, area.min_col - 1] = False
    _refuse_uncalculated(content, chosen, grid)
    return grid


def _refuse_uncalculated(content: bytes, sheet: str, grid: Grid) -> None:
    """E319 for formulas that carry no stored result: read as they are they would pass for empty cells."""
    from openpyxl import load_workbook

    if not any(b"<f" in sheet for sheet in _sheet_contents(content)):
        return
    problems = Problems()
    for row, cells in enumerate(load_workbook(io.BytesIO(content))[sheet].iter_rows()):
        for column, cell in enumerate(cells):
            if cell.data_type == "f" and grid.cells[row, column] is None:
                problems.add("E319", grid.place(row, column), formula=str(cell.value))
    problems.raise_errors()


def _sheet_contents(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(entry) for entry in archive.namelist() if entry.startswith("xl/worksheets/sheet")]
