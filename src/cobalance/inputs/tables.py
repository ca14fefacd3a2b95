"""A user's tables → observations: one row a cell, in the method's names and units, each with its place in the file.

source = TableSource("energy.xlsx", sheet="煤炭", layout="wide", across="year", variable="coal", unit="10^4 t")
observations = read_observations(source, regions, VariableNames(), base_dir)
observations.frame, observations.notices
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cobalance.inputs import words
from cobalance.inputs.cells import Grid, column_letter, is_blank, read_grid
from cobalance.inputs.layout import KEYS, Layout, raw_rows
from cobalance.inputs.names import ITEM_DIMENSION, Quantity, VariableNames, stated_quantity
from cobalance.inputs.numbers import numbers
from cobalance.inputs.regions import RegionNames
from cobalance.vocabulary import schema, units
from cobalance.vocabulary.errors import Place, Problem, Problems, refuse

Key = Literal["region", "year", "variable"]
OBSERVATION_COLUMNS = (
    "region", "year", "variable", "item", "value", "unit", "file", "sheet", "row", "column",
    "source", "flag", "note", "original_unit", "printed",
)  # fmt: skip
FLAGS = ("observed", "interpolated", "held", "estimated", "missing")
FUEL_UNITS = ("t", "m3", "GJ")
_SCALING = r"10\s*[\^⁰-⁹]|1e\d|[百千万亿]|thousand|million|billion|\d{3}|^[kMGTP][a-zA-Z]"


@dataclass(frozen=True)
class TableSource:
    """A table and how to read it; plain values only, so that a study file can state it.

    file       path relative to the study file: CSV (UTF-8, GB18030, UTF-16 with its mark), TSV, XLSX or Parquet
    sheet      of a workbook; needed where several sheets are filled
    layout     ``tidy``: a row a value, columns region, year, variable, value (and unit, item, source, flag, note)
               ``wide``: keys ``down`` in columns of their own, values under headings that name the key ``across``
    down       wide only: ``("region",)``, ``("year",)``, ``("variable",)`` or two of them, as ``("region", "year")``
    across     wide only: ``year``, ``variable`` or ``region``
    columns    role → heading where the usual headings are not found: ``{"region": "省(市)", "value": "产量"}``;
               roles: region, year, variable, item, value, unit, source, flag, note
    region, year, variable
               what the whole table is about, where no column or heading says it; ``variable`` may be any known name
               (``coal``, ``煤炭``, ``land_area cropland``) or, with an ``item`` column, a variable (``land_area``)
    unit       of values that print no unit themselves; it outranks 单位：… above the table (told as W310)
    names      name of a variable, item or heading → ``"variable item"`` or a known name
               (``{"耕地": "land_area cropland"}``);
               wide tables with variables across then read these headings only (others are told as W303)
    drop       labels of rows and columns to leave out (told as W301); 合计, 全国, Total … are recognised without
    encoding   of a text file whose encoding is ambiguous
    """

    file: str
    sheet: str | None = None
    layout: Literal["tidy", "wide"] = "tidy"
    down: tuple[Key, ...] = ("region",)
    across: Key = "year"
    columns: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    year: int | None = None
    variable: str | None = None
    unit: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    encoding: str | None = None


@dataclass(frozen=True)
class Observations:
    """Cells read. ``frame`` has ``OBSERVATION_COLUMNS``: region code, year, variable, item ("" if none), value (NaN
    where the table prints none) in ``unit``, its place (``row`` as a spreadsheet counts), source, flag, note, the
    unit and the text as printed. ``notices`` say what the reader did beyond reading."""

    frame: pd.DataFrame
    notices: tuple[Problem, ...] = ()


def read_observations(
    source: TableSource,
    region_names: RegionNames,
    variable_names: VariableNames | None = None,
    base_dir: str | Path = ".",
) -> Observations:
    """The observations of one table, in the method's names and units (ha, t, person, t C; fuels in t, m3, GJ).

    Raises E301–E326, E402, E403: every problem of the table at once, each with file, sheet, row and column.
    """
    known = VariableNames({**(variable_names.own if variable_names else {}), **source.names})
    down, across = _keys(source)
    grid = read_grid(source.file, base_dir, source.sheet, source.encoding)
    problems = Problems()

    def is_region(label: Any) -> bool:
        found = region_names.matches([label])
        return not found.unknown

    layout = Layout(down, across, source.columns, is_region, lambda label: known.quantity(label) is not None)
    raw = raw_rows(grid, layout, problems)
    for key in KEYS:
        if getattr(source, key) is not None:
            raw[key] = getattr(source, key)
    reader = _Reader(grid, source, known, problems)
    raw = reader.without_left_out(raw, is_region)
    frame = reader.observations(raw, region_names)
    if frame.empty:
        problems.add("E317", grid.where)
    problems.raise_errors()
    return Observations(frame, problems.notices)


def canonical_unit(quantity: Quantity, unit: str) -> tuple[str, float] | None:
    """The unit in which a quantity is held, and the factor from ``unit``; None where ``unit`` cannot become it.

    A fuel is held in t, m3 or GJ by the dimension of its unit. A unit without "per year" is a year's amount.
    """
    template = schema.variable(quantity.variable).unit
    targets = [template.format(fuel_unit=each) for each in FUEL_UNITS] if "{" in template else [template]
    for target in targets:
        for wanted in (target, target.removesuffix(" / yr")):
            if units.convertible(unit, wanted):
                return target, units.factor(unit, wanted)
    return None


def _keys(source: TableSource) -> tuple[tuple[str, ...], str | None]:
    """Keys in columns, and the key along the heading; E318 unless each key is said exactly once."""
    stated = tuple(key for key in KEYS if getattr(source, key) is not None)
    if source.layout == "tidy":
        # a table of one variable may still have its items in a column
        return tuple(key for key in KEYS if key not in stated), None
    said = (*source.down, source.across, *stated)
    if sorted(said) != sorted(KEYS):
        missing = [key for key in KEYS if key not in said]
        twice = sorted({key for key in said if said.count(key) > 1})
        place = Place(file=source.file, sheet=source.sheet)
        raise refuse("E318", place, missing=missing or "–", twice=twice or "–")
    return tuple(source.down), source.across


class _Reader:
    """The steps from raw rows to observations; problems are collected, never raised one by one."""

    def __init__(self, grid: Grid, source: TableSource, names: VariableNames, problems: Problems) -> None:
        self.grid, self.source, self.names, self.problems = grid, source, names, problems

    def without_left_out(self, raw: pd.DataFrame, is_region: Callable[[Any], bool]) -> pd.DataFrame:
        """Rows and columns that add up others (合计, Total, and those of ``drop``) left out and told by name."""
        raw = self._without_unread_columns(raw)
        dropped = {words.folded(label) for label in self.source.drop}
        is_known: dict[str, Callable[[Any], bool]] = {
            "region": is_region,
            "variable": lambda label: self.names.quantity(label) is not None,
        }
        for key in (*KEYS, "item"):
            if key == "year" or getattr(self.source, key, None) is not None:
                continue
            labels = [label for label in pd.unique(raw[key]) if not is_blank(label)]
            out = [
                label
                for label in labels
                if dropped.intersection(words.readings(label))
                or (key in is_known and words.is_total(label) and not is_known[key](label))
            ]
            if out:
                rows = raw[raw[key].isin(out)]
                at = sorted({int(row) + 1 for row in rows["row"]})
                self.problems.add("W301", self._place(rows.iloc[0], column=False), labels=out, rows=at)
                raw = raw[~raw[key].isin(out)]
        self._refuse_repeated_headings(raw)
        return raw.reset_index(drop=True)

    def _refuse_repeated_headings(self, raw: pd.DataFrame) -> None:
        """E307 where columns of one row carry the same heading, as under a heading of two rows."""
        if self.source.layout != "wide":
            return
        repeated = raw[raw.duplicated(["row", self.source.across], keep=False)]
        for label, rows in repeated.groupby(repeated[self.source.across].map(str), sort=False):
            columns = [column_letter(column) for column in pd.unique(rows["column"])]
            self.problems.add("E307", self._place(rows.iloc[0], column=False), found=label, columns=columns)

    def _without_unread_columns(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Variables along the heading: those that ``names`` omits, or that hold text only, are told as W303."""
        if self.source.layout != "wide" or self.source.across != "variable":
            return raw
        if self.source.names:
            listed = {words.folded(name) for name in self.source.names}
            unread = [label for label in pd.unique(raw["variable"]) if not listed.intersection(self._readings(label))]
        else:
            unread = []
            for label, cells in raw.groupby("variable", sort=False)["cell"]:
                if self.names.quantity(label) is None and (
                    words.is_key_heading(label) or not (numbers(cells).kind == "number").any()
                ):
                    unread.append(label)
        if unread:
            row = raw[raw["variable"].isin(unread)].iloc[0]
            self.problems.add("W303", self._place(row, column=False), headings=unread)
        return raw[~raw["variable"].isin(unread)]

    @staticmethod
    def _readings(label: Any) -> set[str]:
        return {*words.readings(label), *words.readings(words.heading_parts(label)[0])}

    def observations(self, raw: pd.DataFrame, region_names: RegionNames) -> pd.DataFrame:
        raw, region = self._regions(raw, region_names)
        year = self._labels(raw, "year", words.year_of, "E309")
        quantity = self._quantities(raw)
        value, own_unit, scaled = self._values(raw)
        used = self._units(raw, own_unit, scaled)
        frame = pd.DataFrame(
            {
                "region": region,
                "year": year,
                "variable": [each.variable if each else None for each in quantity],
                "item": [each.item if each else None for each in quantity],
                "value": value,
                "unit": used,
            },
            dtype=object,
        )
        frame = self._converted(frame, raw)
        frame["file"], frame["sheet"] = self.grid.file, self.grid.sheet or ""
        frame["row"] = raw["row"].to_numpy(int) + 1
        frame["column"] = self._columns(raw)
        frame["source"], frame["note"] = self._text(raw, "source"), self._text(raw, "note")
        self._add_flags(frame, raw)
        frame["printed"] = ["" if cell is None else str(cell) for cell in raw["cell"]]
        if not self.problems.errors:
            frame = frame.astype({"year": int, "value": float})
        return frame.reindex(columns=list(OBSERVATION_COLUMNS))

    def _regions(self, raw: pd.DataFrame, region_names: RegionNames) -> tuple[pd.DataFrame, list[str | None]]:
        """The code of each row; rows of known regions outside the study are left out and told as W405."""
        self._refuse_blank(raw, "region", "E314")
        labels = [label for label in pd.unique(raw["region"]) if not is_blank(label)]
        matches = region_names.matches(labels)
        places = self._first_places(raw, "region")
        self.problems.extend(region_names.problems(matches, places))
        if matches.outside:
            self.problems.add("W405", places[matches.outside[0]], found=list(map(str, matches.outside)))
            raw = raw[~raw["region"].isin(matches.outside)].reset_index(drop=True)
        return raw, [matches.codes.get(label) for label in raw["region"]]

    def _labels(self, raw: pd.DataFrame, key: str, meaning: Callable[[Any], Any], code: str) -> list[Any]:
        """The meaning of each row's label; ``code`` once for each distinct label without one."""
        found = {label: meaning(label) for label in pd.unique(raw[key])}
        places = self._first_places(raw, key)
        for label, meant in found.items():
            if meant is None:
                count = int((raw[key] == label).sum()) if not is_blank(label) else int(raw[key].map(is_blank).sum())
                shown = "" if is_blank(label) else label
                self.problems.add(code, places.get(label, self.grid.where), found=shown, count=count)
        return [found[label] for label in raw[key]]

    def _quantities(self, raw: pd.DataFrame) -> list[Quantity | None]:
        """Variable and item of each row; E310 once for each name that means none."""
        pairs = list(zip(raw["variable"], raw["item"], strict=True))
        found = {pair: self._quantity(*pair) for pair in dict.fromkeys(pairs)}
        unknown = [pair for pair, quantity in found.items() if quantity is None]
        for variable, item in unknown:
            first = raw.iloc[pairs.index((variable, item))]
            name = variable if is_blank(item) else f"{variable} {item}"
            hint = self.names.nearest(str(variable if is_blank(item) else item))
            place = self._place(first, column=self.source.layout == "wide")
            self.problems.add("E310", place, found="" if is_blank(name) else name, nearest=hint)
        return [found[pair] for pair in pairs]

    def _quantity(self, variable: Any, item: Any) -> Quantity | None:
        if is_blank(variable):
            return None
        if is_blank(item):
            stated = stated_quantity(str(variable)) if self.source.variable else None
            quantity = stated or self.names.quantity(variable)
            return quantity if quantity and (quantity.item or ITEM_DIMENSION[quantity.variable] is None) else None
        name = str(variable).strip()
        if name not in ITEM_DIMENSION:
            return None
        meant = self.names.item(name, item)
        return Quantity(name, meant) if meant else None

    def _values(self, raw: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values with their own units; E308 once for each distinct text that is no number, E313 in merged cells."""
        read = numbers(raw["cell"])
        wrong = raw[read.kind == "not a number"]
        for text, rows in wrong.groupby(wrong["cell"].map(str), sort=False):
            self.problems.add("E308", self._place(rows.iloc[0]), found=text, count=len(rows))
        merged = raw[raw["merged"].astype(bool) & (read.kind == "number")]
        for _, row in merged.iterrows():
            self.problems.add("E313", self._place(row), found=row["cell"])
        return read.value, read.unit, read.scaled

    def _units(self, raw: pd.DataFrame, own: np.ndarray, scaled: np.ndarray) -> list[str]:
        """The unit of each cell: its own, else its unit column's, its heading's, the source's, the title's."""
        column = self._text(raw, "unit")
        stated = self.source.unit or ""
        titles = {title for title in raw["title_unit"] if title} if stated else set()
        for title in sorted(titles):
            if not units.convertible(title, stated) or units.factor(title, stated) != 1.0:
                self.problems.add("W310", self.grid.where, title=title, stated=stated)
        heading, title = raw["heading_unit"].fillna(""), raw["title_unit"].fillna("")
        used = [
            mine or given or head or stated or above
            for mine, given, head, above in zip(own, column, heading, title, strict=True)
        ]
        doubtful = scaled & pd.Series(used, dtype=object).str.contains(_SCALING, regex=True).to_numpy(bool)
        for position in np.flatnonzero(doubtful):
            row = raw.iloc[position]
            self.problems.add("E322", self._place(row), found=row["cell"], unit=used[position])
        return used

    def _converted(self, frame: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
        """Values in canonical units; E311 where a figure has no unit, E312 where its unit cannot be converted."""
        frame["original_unit"] = frame["unit"]
        keys = ["variable", "item", "unit"]
        has_value = frame["value"].notna()
        for (variable, item, unit), rows in frame.groupby(keys, sort=False, dropna=True):
            quantity = Quantity(str(variable), str(item))
            figures = rows.index[has_value[rows.index]]
            found = canonical_unit(quantity, str(unit)) if unit else None
            if found:
                frame.loc[rows.index, "unit"] = found[0]
                frame.loc[rows.index, "value"] = frame.loc[rows.index, "value"].astype(float) * found[1]
            elif len(figures):
                expected = schema.variable(quantity.variable).unit.format(fuel_unit="|".join(FUEL_UNITS))
                details = {"quantity": quantity, "found": unit, "expected": expected, "count": len(figures)}
                self.problems.add("E312" if unit else "E311", self._place(raw.loc[figures[0]]), **details)
        return frame

    def _add_flags(self, frame: pd.DataFrame, raw: pd.DataFrame) -> None:
        """Flag words; other marks are kept in the note and told as W309; cells without a figure are ``missing``."""
        given = pd.Series(self._text(raw, "flag"), dtype=object)
        lowered = given.str.casefold()
        other = (given != "") & ~lowered.isin(FLAGS)
        if other.any():
            self.problems.add("W309", self._place(raw[other].iloc[0]), found=list(pd.unique(given[other])))
            frame.loc[other, "note"] = [
                "; ".join(filter(None, texts)) for texts in zip(frame["note"][other], given[other], strict=True)
            ]
        frame["flag"] = lowered.where(lowered.isin(FLAGS), "observed")
        frame.loc[frame["value"].isna(), "flag"] = "missing"

    def _refuse_blank(self, raw: pd.DataFrame, key: str, code: str) -> None:
        blank = raw[raw[key].map(is_blank)]
        if not blank.empty:
            rows = sorted({int(row) + 1 for row in blank["row"]})
            self.problems.add(code, self._place(blank.iloc[0], column=False), rows=rows)

    def _first_places(self, raw: pd.DataFrame, key: str) -> dict[Any, Place]:
        first = raw.drop_duplicates(key)
        return {row[key]: self._place(row, column=False) for _, row in first.iterrows()}

    def _columns(self, raw: pd.DataFrame) -> list[str]:
        names = {column: column_letter(column) for column in pd.unique(raw["column"])}
        return [names[column] for column in raw["column"]]

    def _place(self, row: pd.Series, column: bool = True) -> Place:
        return self.grid.place(row["row"], int(row["column"]) if column else None)

    @staticmethod
    def _text(raw: pd.DataFrame, role: str) -> list[str]:
        texts = {cell: "" if is_blank(cell) else str(cell).strip() for cell in pd.unique(raw[role])}
        return [texts[cell] for cell in raw[role]]
