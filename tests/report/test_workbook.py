"""tables.xlsx: read back with another library, numbers are numbers, and the same results give the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cobalance.report import workbook
from cobalance.report.export import write_workbook
from cobalance.report.facts import Facts
from cobalance.study.results import Results


@pytest.fixture(scope="module")
def book(results: Results, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    return openpyxl.load_workbook(write_workbook(Facts(results), tmp_path_factory.mktemp("book") / "tables.xlsx"))


def test_one_sheet_a_table_and_the_notes_first(results: Results, book: openpyxl.Workbook) -> None:
    assert book.sheetnames[0] == "notes"
    assert set(book.sheetnames[1:]) == set(results.tables)


def test_headings_units_and_numbers(results: Results, book: openpyxl.Workbook) -> None:
    sheet, frame = book["balance"], results.table("balance")
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0]) == list(frame.columns)
    units = dict(zip(rows[0], rows[1], strict=True))
    assert units["growth"] == "%" and units["value"] == "unit"  # t C / yr and 1 in one column: the column unit says
    assert len(rows) == len(frame) + 2
    values = [row[rows[0].index("value")] for row in rows[2:]]
    assert all(value is None or isinstance(value, int | float) for value in values)
    np.testing.assert_array_equal(np.array(values, dtype=float), frame["value"].to_numpy(float))  # unrounded
    assert sum(value is None for value in values) == frame["value"].isna().sum() > 0


def test_unit_stands_under_the_heading_where_there_is_one(book: openpyxl.Workbook) -> None:
    rows = list(book["land_area"].iter_rows(max_row=2, values_only=True))
    assert dict(zip(*rows, strict=True))["value"] == "ha"
    rows = list(book["gravity_centre"].iter_rows(max_row=2, values_only=True))
    units = dict(zip(*rows, strict=True))
    assert (units["distance_km"], units["bearing_deg"], units["easting_m"]) == ("km", "°", "m")


def test_codes_stay_text(book: openpyxl.Workbook) -> None:
    assert book["balance"]["A3"].value == "ra" and book["balance"]["A3"].data_type == "s"


def test_notes_hold_title_basis_sets_statuses_and_notices(book: openpyxl.Workbook) -> None:
    notes = {(row[0], row[1]) for row in book["notes"].iter_rows(values_only=True)}
    texts = "\n".join(str(text) for _, text in notes)
    assert ("Title", "A made-up study <of> squares") in notes
    assert "gross basis" in texts and "<strong>" not in texts
    assert "fitted-set" in texts and "recalled [R]" in texts and "W301" in texts
    chinese = "\n".join(str(row[3]) for row in book["notes"].iter_rows(values_only=True))
    assert "虚构方格研究" in chinese and "总量口径" in chinese


def test_same_bytes_and_no_clock(results: Results, tmp_path: Path) -> None:
    one, two = (write_workbook(Facts(results), tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert one == two
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_texts_that_xml_cannot_hold(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["<&>\"'", "one\x0btwo", " kept ", ""], "b": [1, np.nan, -2.5e-300, np.inf], "c": 7})
    workbook.write(tmp_path / "x.xlsx", [workbook.Worksheet("s", ["a", "b", "c"], ["", "t", ""], frame)], "T & <T>")
    rows = list(openpyxl.load_workbook(tmp_path / "x.xlsx")["s"].iter_rows(min_row=3, values_only=True))
    assert rows == [("<&>\"'", 1, 7), ("onetwo", None, 7), (" kept ", -2.5e-300, 7), (None, None, 7)]


def test_many_columns(tmp_path: Path) -> None:
    frame = pd.DataFrame([range(800)])
    workbook.write(tmp_path / "x.xlsx", [workbook.Worksheet("s", [str(i) for i in range(800)], [], frame)], "")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["s"]
    assert [cell.value for cell in sheet[2]] == list(range(800))  # columns A … ADT


def test_sheet_that_is_too_long_is_cut_and_says_so(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 22)
    book = openpyxl.load_workbook(write_workbook(Facts(results), tmp_path / "x.xlsx"))
    assert book["balance"].max_row == 22
    notes = [str(row[1]) for row in book["notes"].iter_rows(values_only=True)]
    assert any("The sheet balance holds the first 20 of 216 rows" in note for note in notes)
