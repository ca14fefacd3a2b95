"""What several tables say together: the same cell twice, values out of bounds, jumps, gaps, land against polygons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from cobalance.inputs.names import ITEM_DIMENSION
from cobalance.inputs.tables import OBSERVATION_COLUMNS, Observations
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Place, Problem, Problems

CELL = ["region", "year", "variable", "item"]
MISSING_COLUMNS = ("variable", "item", "region", "year", "reason")
JUMP_FACTOR = 1000.0
"""A step between neighbouring years from which a mistaken unit is likelier than growth."""

LAND_TOLERANCE = 0.20
_EXAMPLES = 5


def combined(observations: Iterable[Observations], same: Literal["notice", "error"] = "notice") -> Observations:
    """The observations of all tables in one frame, each cell once, with the notices of all.

    Raises, all at once: E315 (two figures for one cell), E316 (out of the bounds of ``variables.csv``), E320 (a fuel in
    mass here and heat there), E323 (the same figure twice, with ``same="error"``; else W304 and the first is kept).
    W305 tells jumps between years. A missing figure gives way to one that another table has.
    """
    tables = list(observations)
    problems = Problems(notice for table in tables for notice in table.notices)
    frames = [table.frame for table in tables if not table.frame.empty]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(OBSERVATION_COLUMNS))
    _check_fuel_units(frame, problems)
    _check_bounds(frame, problems)
    frame = _each_cell_once(frame, same, problems)
    if not problems.errors:
        problems.extend(jumps(frame))
    problems.raise_errors()
    return Observations(frame, problems.notices)


def missing_table(frame: pd.DataFrame, regions: Sequence[str], years: Sequence[int]) -> pd.DataFrame:
    """Region-years without a figure, for every variable and item that ``frame`` knows (``MISSING_COLUMNS``).

    ``reason`` is "no row", or says where the table prints a mark of no figure.
    """
    cells = frame.loc[:, ["variable", "item"]].drop_duplicates()
    grid = cells.merge(pd.DataFrame({"region": list(regions)}), how="cross")
    grid = grid.merge(pd.DataFrame({"year": list(map(int, years))}), how="cross")
    columns = [*CELL, "value", "file", "sheet", "row", "column", "printed"]
    joined = grid.merge(frame.loc[:, columns], on=CELL, how="left")
    gaps = joined[joined["value"].isna()]
    reasons = [
        f"'{row['printed']}' in {_text(row)}" if isinstance(row["file"], str) else "no row"
        for _, row in gaps.iterrows()
    ]
    return gaps.assign(reason=reasons).loc[:, list(MISSING_COLUMNS)].reset_index(drop=True)


def missing_notices(missing: pd.DataFrame, regions: Sequence[str], years: Sequence[int]) -> list[Problem]:
    """W307 for each variable and item with gaps."""
    notices = []
    for (variable, item), rows in missing.groupby(["variable", "item"], sort=False):
        examples = [f"{row.region} {row.year}" for row in rows.head(_EXAMPLES).itertuples(index=False)]
        more = " …" if len(rows) > _EXAMPLES else ""
        details = {"variable": f"{variable} {item}".strip(), "count": len(rows), "total": len(regions) * len(years)}
        notices.append(Problem("W307", Place(), {**details, "examples": ", ".join(examples) + more}))
    return notices


def jumps(frame: pd.DataFrame, factor: float = JUMP_FACTOR) -> list[Problem]:
    """W305 where a series steps by ``factor`` or more between neighbouring years that have figures above zero."""
    figures = frame[frame["value"] > 0].sort_values([*CELL[:1], *CELL[2:], "year"], kind="stable")
    series = figures.groupby(["region", "variable", "item"], sort=False)
    ratio = figures["value"] / series["value"].shift()
    before = series.cumcount().to_numpy() > 0
    steep = before & ((ratio >= factor) | (ratio <= 1 / factor)).to_numpy()
    notices = []
    for position in np.flatnonzero(steep):
        earlier, later = figures.iloc[position - 1], figures.iloc[position]
        times = max(later["value"] / earlier["value"], earlier["value"] / later["value"])
        details = {"cell": _cell(later), "factor": f"{times:,.0f}", **_both(earlier, later)}
        notices.append(Problem("W305", _place(later), details))
    return notices


def land_against_polygons(
    frame: pd.DataFrame, polygon_area: Mapping[str, float], tolerance: float = LAND_TOLERANCE
) -> list[Problem]:
    """W306 for each region whose land classes sum to an area (ha) off its polygon's by more than ``tolerance``.

    Of each region the year that differs most is told. ``polygon_area`` maps region codes to ha.
    """
    land = frame[frame["variable"] == "land_area"]
    sums = land.groupby(["region", "year"], sort=False)["value"].sum(min_count=1).dropna().reset_index()
    sums["area"] = sums["region"].map(dict(polygon_area))
    sums["difference"] = sums["value"] / sums["area"] - 1
    off = sums[sums["difference"].abs() > tolerance]
    worst = (
        off.loc[off.groupby("region", sort=False)["difference"].apply(lambda each: each.abs().idxmax())]
        if len(off)
        else off
    )
    notices = []
    for _, row in worst.iterrows():
        details = {
            "region": row["region"],
            "year": int(row["year"]),
            "sum": f"{row['value']:,.0f}",
            "area": f"{row['area']:,.0f}",
            "difference": f"{row['difference'] * 100:+.0f}",
            "tolerance": f"{tolerance * 100:.0f}",
        }
        notices.append(Problem("W306", Place(key="land_area"), details))
    return notices


def _each_cell_once(frame: pd.DataFrame, same: str, problems: Problems) -> pd.DataFrame:
    """``frame`` with each cell once; figures come before missing ones, else the first table's row is kept."""
    order = frame["value"].isna().to_numpy().argsort(kind="stable")
    ordered = frame.iloc[order]
    kept = ordered.drop_duplicates(CELL).sort_index()
    repeated = ordered[ordered.duplicated(CELL) & ordered["value"].notna()]
    first = repeated.loc[:, CELL].merge(kept, on=CELL, how="left")
    first.index = repeated.index
    equal = np.isclose(first["value"].to_numpy(float), repeated["value"].to_numpy(float), rtol=1e-12, atol=0.0)
    for index in repeated.index[~equal]:
        earlier, later = first.loc[index], repeated.loc[index]
        problems.add("E315", _place(later), cell=_cell(later), **_both(earlier, later))
    twice = repeated.index[equal]
    for index in twice if same == "error" else twice[:1]:
        earlier, later = first.loc[index], repeated.loc[index]
        places = {"first_place": _text(earlier), "second_place": _text(later)}
        code = "E323" if same == "error" else "W304"
        problems.add(code, _place(later), cell=_cell(later), found=f"{later['value']:g}", count=len(twice), **places)
    return kept.reset_index(drop=True)


def _check_bounds(frame: pd.DataFrame, problems: Problems) -> None:
    for name in ITEM_DIMENSION:
        entry = schema.variable(name)
        rows = frame[(frame["variable"] == name) & ((frame["value"] < entry.lower) | (frame["value"] > entry.upper))]
        for _, row in rows.iterrows():
            found = f"{row['value']:g} {row['unit']} ('{row['printed']}')"
            bounds = {"lower": entry.lower, "upper": entry.upper}
            problems.add("E316", _place(row), cell=_cell(row), found=found, variable=name, **bounds)


def _check_fuel_units(frame: pd.DataFrame, problems: Problems) -> None:
    fuels = frame[(frame["variable"] == "fuel_use") & frame["value"].notna()]
    for item, rows in fuels.groupby("item", sort=False):
        first = rows.drop_duplicates("unit")
        if len(first) > 1:
            places = " | ".join(f"{row['unit']}: {_text(row)}" for _, row in first.iterrows())
            problems.add("E320", _place(first.iloc[1]), item=item, units=list(first["unit"]), places=places)


def _both(first: pd.Series, second: pd.Series) -> dict[str, str]:
    return {
        "first": f"{first['value']:g} {first['unit']}",
        "first_place": _text(first),
        "second": f"{second['value']:g} {second['unit']}",
        "second_place": _text(second),
    }


def _cell(row: pd.Series) -> str:
    return re.sub(r"\s+", " ", f"{row['variable']} {row['item']} {row['region']} {row['year']}")


def _place(row: pd.Series) -> Place:
    return Place(file=row["file"], sheet=row["sheet"] or None, row=int(row["row"]), column=row["column"])


def _text(row: pd.Series) -> str:
    """A place in a sentence, the same in both languages: energy.xlsx[煤炭]!B12"""
    sheet = f"[{row['sheet']}]" if row["sheet"] else ""
    return f"{row['file']}{sheet}!{row['column']}{int(row['row'])}"
