"""The result tables as the page carries them: by column, texts as positions in a word list, packed.

A table of 30,000 rows takes some 100 kB so; the browser unpacks one when it is opened. What is longer than
:data:`MOST_ROWS` is cut to its first and last year, and the page says so and where the whole is.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cobalance.report.words import heading, label, say
from cobalance.vocabulary.errors import Language

MOST_ROWS = 50_000
WORDS = frozenset(
    (
        *("variable", "land_class", "source", "flag", "reason", "status", "cluster", "activity", "kind", "target"),
        *("quantity", "item", "basis", "tail", "model", "lever", "from_class", "to_class", "level"),
    )
)
"""Columns whose words have a translation."""

PLAIN_SOURCE = frozenset(("coefficients", "observations"))  # there, `source` is a reference, not one of emission


@dataclass(frozen=True)
class PackedTable:
    """A table for the page: its name, its rows, what of them is shown, and the packed columns (base64 of zlib)."""

    name: str
    rows: int
    shown: int
    years: tuple[int, ...]
    data: str

    def note(self, language: Language) -> str:
        """What the page leaves out, or nothing."""
        if self.shown == self.rows:
            return ""
        if self.years:
            years = ", ".join(map(str, self.years))
            return say("table.cut", language, all=f"{self.rows:,}", years=years, name=self.name)
        return say("table.cut_rows", language, all=f"{self.rows:,}", shown=f"{self.shown:,}", name=self.name)


def packed(name: str, frame: pd.DataFrame, languages: Sequence[Language]) -> PackedTable:
    """``frame`` packed for the page."""
    shown, years = _cut(frame)
    columns = [_column(name, column, shown, languages) for column in _columns(shown)]
    text = '{"columns":[' + ",".join(columns) + "]}"
    data = base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")
    return PackedTable(name, len(frame), len(shown), years, data)


def _cut(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[int, ...]]:
    if len(frame) <= MOST_ROWS:
        return frame, ()
    if "year" in frame and frame["year"].nunique() > 2:
        ends = (int(frame["year"].min()), int(frame["year"].max()))
        few = frame[frame["year"].isin(ends)]
        if len(few) <= MOST_ROWS:
            return few, ends
    return frame.head(MOST_ROWS), ()


def pairs(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name of the joint column → its English and Chinese column, for columns that come in both languages."""
    stems = [column[:-3] for column in columns if column.endswith("_en") and f"{column[:-3]}_zh" in columns]
    return {f"{stem}_name" if stem in columns else stem: (f"{stem}_en", f"{stem}_zh") for stem in stems}


def _columns(frame: pd.DataFrame) -> list[str]:
    """The table's columns, those of a language pair as one."""
    joint = {column: name for name, pair in pairs(list(frame.columns)).items() for column in pair}
    return list(dict.fromkeys(joint.get(str(column), str(column)) for column in frame.columns))


def _column(table: str, column: str, frame: pd.DataFrame, languages: Sequence[Language]) -> str:
    of_emission = column == "source" and table not in PLAIN_SOURCE
    headings = {language: _heading("emission_source" if of_emission else column, language) for language in languages}
    joint = pairs(list(frame.columns))
    if column in joint:
        texts = dict(zip(("en", "zh"), joint[column], strict=True))
        pair = {language: frame[texts[language]].fillna("").astype(str) for language in languages}
        joined = pd.Series(list(zip(*pair.values(), strict=True)), dtype=object)
        positions, values = pd.factorize(joined)
        words = {language: [str(value[i]) for value in values] for i, language in enumerate(pair)}
        return _json(name=column, heading=headings, words=words, at=positions.tolist())
    series = frame[column]
    if pd.api.types.is_numeric_dtype(series):
        return _number_column(column, headings, series)
    positions, values = pd.factorize(series.fillna("").astype(str))
    translated = column in WORDS and (column != "source" or of_emission)
    words = {language: [label(value, language) if translated else value for value in values] for language in languages}
    return _json(name=column, heading=headings, words=words, at=positions.tolist())


def _heading(column: str, language: Language) -> str:
    text = heading(column, language)
    unit = UNITS.get(column, "")
    return f"{text} ({unit})" if unit else text


UNITS = {
    "longitude_deg": "°",
    "latitude_deg": "°",
    "easting_m": "m",
    "northing_m": "m",
    "distance_km": "km",
    "bearing_deg": "°",
    "semi_major_m": "m",
    "semi_minor_m": "m",
    "rotation_deg": "°",
}
"""Units of the columns that are not in the column ``unit``."""


def _number_column(column: str, headings: dict[Language, str], series: pd.Series) -> str:
    """Numbers to six significant digits, missing ones as null; written by hand, for speed and brevity."""
    values = series.to_numpy(float, na_value=np.nan)
    known = np.isfinite(values)
    whole = bool(known.any()) and bool((values[known] == np.round(values[known])).all())
    form = "%d" if whole and float(np.abs(values[known]).max()) < 1e15 else "%.6g"
    texts = [form % value if here else "null" for value, here in zip(values.tolist(), known.tolist(), strict=True)]
    kind = "year" if column == "year" else "number"
    return _json(name=column, heading=headings, kind=kind)[:-1] + ',"values":[' + ",".join(texts) + "]}"


def _json(**content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
