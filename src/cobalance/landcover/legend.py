"""From class codes to land classes: the shipped crosswalks of the common products, or a file of the user's own."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from cobalance.vocabulary.errors import Place, refuse

NODATA_CLASS = "nodata"
"""The land class of codes that mean no data; it is counted as such, never as land."""

Legend = Mapping[int, str]


@cache
def crosswalks() -> dict[str, dict[int, str]]:
    """Product → code → land class, from ``crosswalks.csv`` (product, code, name, land_class, source)."""
    tables: dict[str, dict[int, str]] = {}
    with (resources.files("cobalance.landcover") / "crosswalks.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            tables.setdefault(row["product"], {})[int(row["code"])] = row["land_class"]
    return tables


def read_legend(name: str | Path) -> dict[int, str]:
    """Code → land class: a product of the crosswalks by name, else a CSV (code, land_class or name).

    Raises E624 for an unknown product, a file without the columns, a code that is no integer or stands twice.
    """
    if str(name) in crosswalks():
        return dict(crosswalks()[str(name)])
    path = Path(name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _legend_of(list(csv.DictReader(stream)))
    except (OSError, ValueError) as error:
        cause = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise refuse("E624", Place(file=str(name)), cause=cause, products=sorted(crosswalks())) from error


def _legend_of(rows: list[dict[str, str]]) -> dict[int, str]:
    if not rows:
        raise ValueError("no rows")
    column = next((name for name in ("land_class", "name") if name in rows[0]), None)
    if "code" not in rows[0] or column is None:
        raise ValueError(f"columns {', '.join(rows[0])}")
    legend: dict[int, str] = {}
    for number, row in enumerate(rows, start=2):
        code, label = (row["code"] or "").strip(), (row[column] or "").strip()
        try:
            value = int(code)
        except ValueError:
            raise ValueError(f"row {number}: code '{code}'") from None
        if not label or value in legend:
            raise ValueError(f"row {number}: code {value} {'stands twice' if label else 'has no name'}")
        legend[value] = label
    return legend
