"""Where a sheet keeps its headings, units, blocks and totals: a grid of cells → one raw row a value cell.

A sheet is cut into blocks at 续表 rows and at headings that are printed again; each block has its own heading, or goes
on under the one before. Nothing here knows what a region or a unit means; it only says which cell stands for what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cobalance.inputs import words
from cobalance.inputs.cells import Grid, column_letter, is_blank
from cobalance.vocabulary.errors import CobalanceError, Problems, nearest, refuse

KEYS = ("region", "year", "variable")
SIDE_ROLES = ("item", "unit", "source", "flag", "note")
RAW_COLUMNS = (
    "region",
    "year",
    "variable",
    *SIDE_ROLES,
    "heading_unit",
    "title_unit",
    "cell",
    "merged",
    "row",
    "column",
)
_DEEPEST_HEADING = 40


@dataclass(frozen=True)
class Layout:
    """What to look for. ``down``: the keys in columns of their own; ``across``: the key along the heading, or None in a
    tidy table; ``columns``: role → heading as the user names it; ``is_region``: whether a label names a region."""

    down: tuple[str, ...]
    across: str | None
    columns: Mapping[str, str]
    is_region: Callable[[Any], bool]
    is_variable: Callable[[Any], bool]


@dataclass(frozen=True)
class _Heading:
    """Heading row and last row of headings (units row, merged headings), from 0; columns of roles and of values."""

    row: int
    last: int
    roles: dict[str, int]
    across: dict[int, Any]
    units: dict[int, str]


def raw_rows(grid: Grid, layout: Layout, problems: Problems) -> pd.DataFrame:
    """One row a value cell with the labels that stand for it (columns ``RAW_COLUMNS``, ``row`` and column from 0).

    Raises E306 (no heading), E307 (a heading twice), E317 (no rows under it); text rows left out are noted
    as W302, headings beside years that are none as W303.
    """
    pieces: list[pd.DataFrame] = []
    heading: _Heading | None = None
    title = ""
    unread: list[str] = []
    for start, stop in _blocks(grid):
        while start < stop:
            found = _heading(grid, start, stop, layout)
            if found is None and heading is None:
                raise _no_heading(grid, start, stop, layout)
            heading = found or heading
            assert heading is not None
            if found:
                unread += [each for each in _unread(grid, found, layout) if each not in unread]
            first = found.last + 1 if found else start
            title = _title_unit(grid, start, found.row if found else start) or title
            end = _printed_again(grid, heading, first, stop) if found else stop
            pieces.append(_block_rows(grid, layout, heading, (first, end), problems).assign(title_unit=title))
            start = end
    if unread:
        problems.add("W303", grid.where, headings=unread)
    rows = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=list(RAW_COLUMNS))
    if rows.empty:
        raise refuse("E317", grid.where)
    rows = rows.reindex(columns=list(RAW_COLUMNS)).astype(object)
    return rows.where(rows.notna(), None)


def _blocks(grid: Grid) -> Iterator[tuple[int, int]]:
    """Stretches of rows between 续表 rows."""
    opening = pd.DataFrame(grid.cells[:, :3])
    texts = {cell for column in opening for cell in pd.unique(opening[column]) if words.is_continuation(cell)}
    found = opening.isin(texts).any(axis=1).to_numpy() if texts else np.zeros(len(grid.cells), dtype=bool)
    # a row of a table with many filled cells is one of figures, whatever its label says
    marks = [int(row) for row in np.flatnonzero(found) if len(set(filter(None, grid.cells[row]))) <= 3]
    starts = [0, *(mark + 1 for mark in marks)]
    for start, stop in zip(starts, [*marks, len(grid.cells)], strict=True):
        if any(not is_blank(cell) for cell in grid.cells[start:stop].flat):
            yield start, stop


def _heading(grid: Grid, start: int, stop: int, layout: Layout) -> _Heading | None:
    for row in range(start, min(stop, start + _DEEPEST_HEADING)):
        roles = _roles(grid, row, layout)
        needed = [key for key in layout.down if key not in roles]
        across = _across(grid, row, roles, layout)
        if needed and layout.across and len(layout.down) == 1 and len(across) > 0:
            corner = _corner(grid, row, across, layout)
            if corner is not None:
                roles, needed = {**roles, layout.down[0]: corner}, []
                across.pop(corner, None)
        if needed or (layout.across and not across) or (layout.across is None and "value" not in roles):
            continue
        last, units = _units_row(grid, row, roles, across)
        return _Heading(row, last, roles, across, units)
    return None


def _roles(grid: Grid, row: int, layout: Layout) -> dict[str, int]:
    """Role → column by the heading cells of ``row``; the user's own headings first, then the usual ones."""
    cells = {column: cell for column, cell in enumerate(grid.cells[row]) if not is_blank(cell)}
    texts = {
        column: {*words.readings(cell), *words.readings(words.heading_parts(cell)[0])} for column, cell in cells.items()
    }
    wanted = (*layout.down, *SIDE_ROLES) if layout.across else (*layout.down, "value", *SIDE_ROLES)
    roles: dict[str, int] = {}
    for role in wanted:
        names = [layout.columns[role]] if role in layout.columns else words.HEADINGS[role]
        for name in names:
            at = [column for column, readings in texts.items() if words.folded(name) in readings]
            at = [column for column in at if column not in roles.values()]
            if len(at) > 1 and not any(grid.merged[row, column] for column in at[1:]):
                raise refuse("E307", grid.place(row), found=name, columns=[column_letter(column) for column in at])
            if at:
                roles[role] = at[0]
                break
    return roles


def _across(grid: Grid, row: int, roles: Mapping[str, int], layout: Layout) -> dict[int, Any]:
    """Value columns → their label along the heading."""
    cells = {
        column: cell
        for column, cell in enumerate(grid.cells[row])
        if column not in roles.values() and not is_blank(cell)
    }
    if layout.across == "year":
        return {column: cell for column, cell in cells.items() if words.year_of(cell) is not None}
    if layout.across == "region":
        known = any(layout.is_region(cell) for cell in cells.values())
        return cells if known else {}
    if layout.across == "variable":
        return {column: cell for column, cell in cells.items() if words.year_of(cell) is None}
    return {}


def _unread(grid: Grid, heading: _Heading, layout: Layout) -> list[str]:
    """Headings beside the years that are none, as 平均增长 or 2011P: their columns are not read, and that is told."""
    if layout.across != "year":
        return []
    used = {*heading.roles.values(), *heading.across}
    cells = enumerate(grid.cells[heading.row])
    return [str(cell).strip() for column, cell in cells if column not in used and not is_blank(cell)]


def _corner(grid: Grid, row: int, across: Mapping[int, Any], layout: Layout) -> int | None:
    """The column of labels where the corner of the table is blank or says something else: the first one."""
    corner = grid.cells[row, 0]
    is_label = layout.down[0] == "region" and not is_blank(corner) and layout.is_region(corner)
    others = [column for column in range(1, grid.cells.shape[1]) if not is_blank(grid.cells[row, column])]
    fits = layout.across != "variable" or is_blank(corner)
    if is_label or not fits or layout.columns.get(layout.down[0]) or any(column not in across for column in others):
        return None
    return 0 if others else None


def _units_row(grid: Grid, row: int, roles: Mapping[str, int], across: Mapping[int, Any]) -> tuple[int, dict[int, str]]:
    """The last heading row, and the unit of each value column: from its heading, or from a row of units below."""
    units = {column: unit for column, cell in across.items() if (unit := words.heading_parts(cell)[1])}
    last = row
    keys = [column for role, column in roles.items() if role in KEYS]
    while last + 1 < len(grid.cells) and keys and all(grid.merged[last + 1, column] for column in keys):
        if any(grid.cells[last + 1, column] != grid.cells[row, column] for column in keys):
            break
        last += 1
        units.update({column: unit for column in across if (unit := words.unit_alone(grid.cells[last, column]))})
    if last == row and last + 1 < len(grid.cells):
        below = {
            column: grid.cells[last + 1, column] for column in across if not is_blank(grid.cells[last + 1, column])
        }
        labels = [grid.cells[last + 1, column] for column in keys]
        is_plain = all(is_blank(cell) or words.folded(cell) in ("单位", "计量单位", "unit", "units") for cell in labels)
        if below and is_plain and all(words.unit_alone(cell) for cell in below.values()):
            last += 1
            units.update({column: words.unit_alone(cell) for column, cell in below.items()})
    return last, units


def _title_unit(grid: Grid, start: int, stop: int) -> str:
    found = [unit for cell in grid.cells[start:stop].flat if (unit := words.title_unit(cell))]
    return found[-1] if found else ""


def _printed_again(grid: Grid, heading: _Heading, first: int, stop: int) -> int:
    """The row where the block's heading is printed again (the top of a new page), or ``stop``."""
    columns = [column for column in heading.roles.values() if not is_blank(grid.cells[heading.row, column])]
    if not columns:
        return stop
    printed = grid.cells[heading.row, columns]
    same = np.all(grid.cells[first:stop][:, columns] == printed, axis=1)
    return first + int(np.argmax(same)) if same.any() else stop


def _block_rows(
    grid: Grid, layout: Layout, heading: _Heading, rows: tuple[int, int], problems: Problems
) -> pd.DataFrame:
    value_columns = list(heading.across) if layout.across else [heading.roles["value"]]
    numbers = _data_rows(grid, layout, heading, value_columns, rows, problems)
    labels = {role: grid.cells[numbers, column] for role, column in heading.roles.items() if role != "value"}
    pieces = []
    for column in value_columns:
        piece = pd.DataFrame({**labels, "cell": grid.cells[numbers, column]}, index=range(len(numbers)), dtype=object)
        if layout.across:
            piece[layout.across] = heading.across[column]
        piece["heading_unit"] = heading.units.get(column, words.heading_parts(grid.cells[heading.row, column])[1])
        pieces.append(piece.assign(merged=grid.merged[numbers, column], row=numbers, column=column))
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=list(RAW_COLUMNS))


def _data_rows(
    grid: Grid, layout: Layout, heading: _Heading, values: Sequence[int], rows: tuple[int, int], problems: Problems
) -> np.ndarray:
    """Rows of figures: no empty ones, and no text rows (footnotes, sources, section titles), which are told as W302."""
    first, stop = rows
    keys = [column for role, column in heading.roles.items() if role in layout.down]
    kept, texts = [], []
    for row in range(first, stop):
        cells = grid.cells[row]
        if any(not is_blank(cells[column]) and not grid.merged[row, column] for column in values):
            kept.append(row)
            continue
        filled = [(column, cell) for column, cell in enumerate(cells) if not is_blank(cell)]
        if not filled:
            continue
        label = cells[keys[0]] if keys else None
        is_data = (
            not is_blank(label)
            and not words.is_note(label)
            and (
                (len(keys) > 1 and all(not is_blank(cells[column]) for column in keys))
                or (len(keys) == 1 and _names_something(label, layout))
            )
        )
        if is_data or any(grid.merged[row, column] and cells[column] != label for column in values):
            kept.append(row)
        else:
            texts.append((row, str(filled[0][1]).strip()))
    if texts:
        problems.add("W302", grid.place(texts[0][0]), count=len(texts), texts=[text[:60] for _, text in texts])
    return np.asarray(kept, dtype=int)


def _names_something(label: Any, layout: Layout) -> bool:
    key = layout.down[0]
    if key == "region":
        return layout.is_region(label) or words.is_total(label)
    return words.year_of(label) is not None if key == "year" else layout.is_variable(label)


def _no_heading(grid: Grid, start: int, stop: int, layout: Layout) -> CobalanceError:
    """E306: the row that comes nearest to a heading, and what it lacks."""
    wanted = [*layout.down, *([] if layout.across else ["value"])]
    best_row, best = start, dict[str, int]()
    for row in range(start, min(stop, start + _DEEPEST_HEADING)):
        roles = _roles(grid, row, layout)
        if len(set(roles) & set(wanted)) > len(set(best) & set(wanted)) or (not best and row == start):
            best_row, best = row, roles
    present = [str(cell).strip() for cell in grid.cells[best_row] if not is_blank(cell)] if len(grid.cells) else []
    missing = [layout.columns.get(role, role) for role in wanted if role not in best]
    across = [f"{layout.across} …"] if layout.across and not missing else []
    return refuse(
        "E306",
        grid.place(best_row) if len(grid.cells) else grid.where,
        missing=missing + across or wanted,
        present=present or "–",
        nearest=nearest(missing[0], present) if missing and present else "–",
    )
