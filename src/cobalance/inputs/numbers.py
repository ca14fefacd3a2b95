"""Numbers as statistical yearbooks print them.

``1,234.5`` · ``１２３`` · ``12万吨`` · ``1.2亿`` · ``12.3①`` · ``(12.3)`` · ``—`` · ``…`` · ``NA``

A cell is a *number* (with its own unit, if it prints one), *missing*, or *not a number*. Missing is NaN and never 0;
a text that is neither is never guessed at. Commas, blanks and apostrophes count only as marks of thousands (``1,23``
is not a number); a number in brackets is negative, as accountants print it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["number", "missing", "not a number"]

MISSING_MARKS = frozenset(
    r"""
    - -- --- ---- — —— ——— – − ― ─ ── … …… ... ...... .. / // \
    na n/a n.a. n.a nan #n/a null none nil (na) missing
    缺 缺失 缺测 暂缺 无数据 暂无 暂无数据 不详 未统计
    """.split()  # noqa: SIM905
)
"""What stands for "no figure", in lower case and without blanks. ``无`` is not among them: it may mean zero."""

BARE_MULTIPLIERS = {
    "百": 1e2, "千": 1e3, "万": 1e4, "十万": 1e5, "百万": 1e6, "千万": 1e7, "亿": 1e8, "十亿": 1e9, "万亿": 1e12,
    "thousand": 1e3, "million": 1e6, "billion": 1e9,
}  # fmt: skip

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_POWER_OF_TEN = re.compile(r"(?<=[×xX*· ])10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_CIRCLED = "①-⑳⓪❶-❿㊀-㊉⑴-⒇"
_FOOTNOTE = re.compile(
    rf"(?:[{_CIRCLED}*＊†‡§#]+|(?<=\d)[⁰¹²³⁴⁵⁶⁷⁸⁹]+|\s*\[[0-9a-z]{{1,2}}\]|\s+[0-9a-z]\)|\s+\*+)\s*$", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)\s*"
    r"(?P<digits>\d{1,3}(?:(?P<mark>[,' ])\d{3})(?:(?P=mark)\d{3})*(?![\d])|\d+)?"
    r"(?P<fraction>\.\d*)?"
    r"(?P<exponent>[eE][+-]?\d+|\s*[×xX*]\s*10\s*(?:\^|\*\*)\s*[+-]?\d+)?"
    r"\s*(?P<unit>.*)",
    re.DOTALL,
)
_PLAIN_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_UNIT_START = re.compile(r"[^\W\d_]|%|10\s*\^?\s*\d")


@dataclass(frozen=True)
class Number:
    """A cell read: ``value`` (NaN unless a number), its own ``unit`` ("" if none), ``kind``, and ``scaled`` where a
    bare 万 or 亿 was multiplied in."""

    value: float
    unit: str = ""
    kind: Kind = "number"
    scaled: bool = False


_MISSING = Number(math.nan, kind="missing")
_NOT_A_NUMBER = Number(math.nan, kind="not a number")


@dataclass(frozen=True)
class NumberColumn:
    """Cells read as arrays of one length: float values, object units, object kinds, bool scaled."""

    value: np.ndarray
    unit: np.ndarray
    kind: np.ndarray
    scaled: np.ndarray


def number(cell: Any) -> Number:
    """What a single cell (text, number or None) says.

    >>> number("12万吨")
    Number(value=12.0, unit='万吨', kind='number', scaled=False)
    >>> number("—").kind
    'missing'
    """
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return _MISSING
    if isinstance(cell, (bool, np.bool_)):
        return _NOT_A_NUMBER
    if isinstance(cell, Real):
        value = float(cell)
        return _MISSING if math.isnan(value) else Number(value) if math.isfinite(value) else _NOT_A_NUMBER
    return _from_text(cell) if isinstance(cell, str) else _NOT_A_NUMBER


def numbers(cells: Iterable[Any]) -> NumberColumn:
    """Many cells at once: plain numbers in one sweep, each distinct other text once."""
    column = np.asarray([*cells, None], dtype=object)[:-1]  # the None keeps NumPy from seeing nested sequences
    value = np.array([_plain_value(cell) for cell in column], dtype=float)
    unit = np.full(len(column), "", dtype=object)
    kind = np.full(len(column), "number", dtype=object)
    scaled = np.zeros(len(column), dtype=bool)
    read: dict[tuple[type, Any], Number] = {}
    for position in np.flatnonzero(~np.isfinite(value)):
        cell = column[position]
        key = (type(cell), cell if isinstance(cell, (str, Real)) else str(cell))
        if key not in read:
            read[key] = number(cell)
        found = read[key]
        value[position], unit[position], kind[position] = found.value, found.unit, found.kind
        scaled[position] = found.scaled
    return NumberColumn(value, unit, kind, scaled)


def _plain_value(cell: Any) -> float:
    """The value of a number or of a text of plain digits; NaN leaves the cell to :func:`number`."""
    kind = type(cell)
    if kind is float or kind is int:
        return float(cell)
    if kind is str and cell.isascii():
        if cell.replace(".", "", 1).isdigit():
            return float(cell)
        if "," in cell and _PLAIN_THOUSANDS.fullmatch(cell):
            return float(cell.replace(",", ""))
    return math.nan


def _from_text(text: str) -> Number:
    stripped = _POWER_OF_TEN.sub(lambda found: "10^" + found.group(1).translate(_SUPERSCRIPTS), text.strip())
    if _is_missing_mark(stripped):
        return _MISSING
    without_note = _FOOTNOTE.sub("", stripped)
    if re.fullmatch(r"10[⁰¹²³⁴⁵⁶⁷⁸⁹]+", stripped):
        return _NOT_A_NUMBER  # 10² may be a hundred, or ten with a footnote
    plain = unicodedata.normalize("NFKC", without_note).replace("−", "-").replace("–", "-").strip()
    if _is_missing_mark(plain):
        return _MISSING
    bracketed = re.fullmatch(r"\(\s*(\d[\d,.' ]*)\s*\)", plain)
    found = _from_plain(bracketed.group(1)) if bracketed else _from_plain(plain)
    return Number(-found.value, found.unit, found.kind, found.scaled) if bracketed else found


def _is_missing_mark(text: str) -> bool:
    return not text or re.sub(r"\s+", "", text).lower() in MISSING_MARKS


def _from_plain(text: str) -> Number:
    """A number, its exponent and its unit; all other texts are not a number."""
    match = _NUMBER.fullmatch(text)
    if match is None or not (match["digits"] or re.fullmatch(r"\.\d+", match["fraction"] or "")):
        return _NOT_A_NUMBER
    digits = re.sub(r"[,' ]", "", match["digits"] or "0")
    exponent = re.sub(r"\s*[×xX*]\s*10\s*(?:\^|\*\*)\s*", "e", match["exponent"] or "")
    value = float(f"{match['sign']}{digits}{match['fraction'] or ''}{exponent}")
    unit = match["unit"].strip()
    unit = unit[1:-1].strip() if re.fullmatch(r"\([^()]*\)", unit) else unit
    if not math.isfinite(value) or (unit and not _UNIT_START.match(unit)):
        return _NOT_A_NUMBER
    if unit.lower() in BARE_MULTIPLIERS:
        return Number(value * BARE_MULTIPLIERS[unit.lower()], scaled=True)
    return Number(value, unit)
