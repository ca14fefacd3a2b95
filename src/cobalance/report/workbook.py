"""A plain XLSX writer: sheets of text and number cells, the same bytes for the same cells.

A study of 51 regions and 30 years has a million cells. A sheet is written column-wise as text and carries no hour, so
that the same results give the same file. Formats: ECMA-376, Office Open XML; two styles (plain, heading),
inline strings, frozen headings.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

MOST_ROWS = 1_048_576  # of a sheet, by the format
_DATE = (2000, 1, 1, 0, 0, 0)
_STAMP = "2000-01-01T00:00:00Z"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_BOLD, _MUTED, _WRAPPED = 1, 2, 3


@dataclass(frozen=True)
class Worksheet:
    """A sheet: headings, a row beneath them (units), then the rows of ``frame`` (numbers as numbers)."""

    name: str
    headings: Sequence[str]
    second: Sequence[str]
    frame: pd.DataFrame
    wrapped: bool = False


def write(file: Path, sheets: Sequence[Worksheet], title: str) -> None:
    """Write ``sheets`` to ``file``."""
    parts = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _root_relations(),
        "docProps/core.xml": _core(title),
        "xl/workbook.xml": _workbook([sheet.name for sheet in sheets]),
        "xl/_rels/workbook.xml.rels": _relations(len(sheets)),
        "xl/styles.xml": _styles(),
    }
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            _add(archive, name, text)
        for number, sheet in enumerate(sheets, 1):
            _add(archive, f"xl/worksheets/sheet{number}.xml", _sheet(sheet))


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    archive.writestr(entry, text.encode("utf-8"), zipfile.ZIP_DEFLATED, 6)


def _sheet(sheet: Worksheet) -> str:
    letters = [_letters(position) for position in range(len(sheet.headings))]
    width = [_width(sheet, position) for position in range(len(sheet.headings))]
    columns = "".join(f'<col min="{i}" max="{i}" width="{w}" customWidth="1"/>' for i, w in enumerate(width, 1))
    frozen = 2 if sheet.second else 1
    view = (
        f'<sheetViews><sheetView workbookViewId="0"><pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" '
        'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    )
    rows = [_text_row(1, letters, sheet.headings, _BOLD)]
    if sheet.second:
        rows.append(_text_row(2, letters, sheet.second, _MUTED))
    cells = [
        _cells(letter, sheet.frame.iloc[:, position], frozen + 1, _WRAPPED if sheet.wrapped else 0)
        for position, letter in enumerate(letters)
    ]
    numbers = range(frozen + 1, frozen + 1 + len(sheet.frame))
    rows += [f'<row r="{n}">{"".join(row)}</row>' for n, row in zip(numbers, zip(*cells, strict=True), strict=True)]
    body = "".join(rows)
    return f'{_HEAD}<worksheet xmlns="{_MAIN}">{view}<cols>{columns}</cols><sheetData>{body}</sheetData></worksheet>'


def _cells(letter: str, column: pd.Series, start: int, style: int) -> list[str]:
    """The cells of a column as XML; missing ones are no cells."""
    mark = f' s="{style}"' if style else ""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(float, na_value=np.nan)
        known = np.isfinite(values).tolist()
        return [
            f'<c r="{letter}{row}"{mark}><v>{value!r}</v></c>' if here else ""
            for row, (value, here) in enumerate(zip(values.tolist(), known, strict=True), start)
        ]
    codes, words = pd.factorize(column.fillna("").astype(str))
    texts = [f'<is><t xml:space="preserve">{_clean(word)}</t></is></c>' if word else "" for word in words]
    return [
        f'<c r="{letter}{row}"{mark} t="inlineStr">{texts[code]}' if texts[code] else ""
        for row, code in enumerate(codes.tolist(), start)
    ]


def _text_row(row: int, letters: Sequence[str], texts: Sequence[str], style: int) -> str:
    cells = "".join(
        f'<c r="{letter}{row}" s="{style}" t="inlineStr"><is><t>{_clean(text)}</t></is></c>'
        for letter, text in zip(letters, texts, strict=True)
    )
    return f'<row r="{row}">{cells}</row>'


def _clean(text: str) -> str:
    """Text that XML can hold."""
    return escape("".join(character for character in text if character >= " " or character in "\t\n"))


def _width(sheet: Worksheet, position: int) -> int:
    column = sheet.frame.iloc[:, position]
    longest = max((len(str(value)) for value in column.head(200)), default=0)
    return int(min(max(longest, len(sheet.headings[position])) + 3, 90 if sheet.wrapped else 40))


def _letters(position: int) -> str:
    letters, rest = "", position + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _content_types(count: int) -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
        for n in range(1, count + 1)
    )
    core = "application/vnd.openxmlformats-package.core-properties+xml"
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        f'<Override PartName="/docProps/core.xml" ContentType="{core}"/>{sheets}</Types>'
    )


def _root_relations() -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
        "</Relationships>"
    )


def _core(title: str) -> str:
    terms = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    date = f'<dcterms:{{0}} xsi:type="dcterms:W3CDTF">{_STAMP}</dcterms:{{0}}>'
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" {terms} '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_clean(title)}</dc:title><dc:creator>cobalance</dc:creator>"
        f"{date.format('created')}{date.format('modified')}</cp:coreProperties>"
    )


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>'


def _relations(count: int) -> str:
    sheets = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, count + 1)
    )
    styles = f'<Relationship Id="rId{count + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{sheets}{styles}</Relationships>'


def _styles() -> str:
    face = '<name val="Calibri"/>'
    fonts = (
        f'<font><sz val="11"/>{face}</font><font><b/><sz val="11"/>{face}</font>'
        f'<font><i/><sz val="10"/><color rgb="FF5C676C"/>{face}</font>'
    )
    plain = '<xf numFmtId="0" fontId="{0}" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    wrapped = (
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyAlignment="1">'
        '<alignment vertical="top" wrapText="1"/></xf>'
    )
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="3">{fonts}</fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="4">{plain.format(0)}{plain.format(1)}{plain.format(2)}{wrapped}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
