"""The rates and factors of a study as the page varies them: the rows that were used, and what other sets would give."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from cobalance.coefficients import coefficients, read_set, set_names
from cobalance.coefficients.sets import COLUMNS
from cobalance.study.results import Results
from cobalance.vocabulary.errors import CobalanceError

FAMILY_OF = {
    "sequestration_rate": "sequestration",
    "oxygen_release_rate": "sequestration",
    "emission_factor": "emission",
    "oxygen_per_carbon": "oxygen",
    "cement_factor": "cement",
    "respiration_carbon": "respiration",
    "respiration_oxygen": "respiration",
}
_DECIDING = {
    "sequestration": ("sequestration_rate",),
    "emission": ("emission_factor",),
    "oxygen": ("oxidative_ratio", "oxygen_per_carbon"),
    "cement": ("cement_factor",),
    "respiration": ("respiration_carbon", "respiration_oxygen"),
}
_TEXTS = ("unit", "basis", "set", "source", "locator", "status")
OWN = "study"
"""The name under which the study's own rows stand in for what another set lacks."""


def parameters(table: pd.DataFrame) -> list[dict[str, Any]]:
    """One parameter for each quantity and item of a table of coefficients, with its rows.

    table    as the result table ``coefficients``
    returns  ``{id, quantity, item, family, follows, rows}``; a row has ``region`` ("*" or a code), ``year`` or null,
             ``value``, ``low``, ``high`` (or null), and the words that say where it comes from
    """
    made = []
    for (quantity, item), rows in table.groupby(["quantity", "item"], sort=False):
        made.append(
            {
                "id": f"{quantity}/{item}",
                "quantity": str(quantity),
                "item": str(item),
                "family": FAMILY_OF[str(quantity)],
                "follows": _follows(str(quantity), rows),
                "rows": [_row(row) for row in rows.to_dict("records")],
            }
        )
    return made


def alternatives(results: Results) -> dict[str, list[dict[str, Any]]]:
    """What each shipped set would give instead, family by family: ``[{set, basis, parameters}]``.

    A set counts where it gives at least one row for the labels of the study and mixes no gross with net rates; what it
    lacks stays as the study has it. The study's own rows are not needed as files: they are in the results.
    """
    used = results.table("coefficients")
    given = set(used["set"])
    found: dict[str, list[dict[str, Any]]] = {family: [] for family in _DECIDING}
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / f"{OWN}.csv"
        _as_set(used).to_csv(own, index=False, encoding="utf-8")
        base: dict[str, Any] = {family: str(own) for family in _DECIDING}
        quotient = results.study.coefficients.photosynthesis
        if ".csv" not in str(quotient):
            base["photosynthesis"] = quotient
        labels = _labels(results)
        for family, quantities in _DECIDING.items():
            items = set(used.loc[used["quantity"].map(FAMILY_OF) == family, "item"])
            for name in set_names():
                rows = read_set(name)
                rows = rows[rows["quantity"].isin(quantities)]
                own_items = items if "*" in set(rows["item"]) else items & set(rows["item"])
                if own_items and (name not in given or family not in _families(used, name)):
                    chosen = {"default": str(own)} | {item: [name, str(own)] for item in sorted(own_items)}
                    narrowed = _narrowed(labels, family, dated=bool(rows["year"].notna().any()))
                    found[family] += _alternative(family, name, {**base, family: chosen}, narrowed)
    _drop_other_heat(found["emission"], used)
    return found


def _alternative(
    family: str, name: str, selection: Mapping[str, Any], labels: Mapping[str, Any]
) -> Iterable[dict[str, Any]]:
    """The set in place of the study's, or nothing where it does not fit the study."""
    try:
        resolved = coefficients(selection, **labels).table
    except CobalanceError:  # other units, another basis, other regions: not an alternative for this study
        return []
    rows = resolved[resolved["quantity"].map(FAMILY_OF) == family]
    rows = rows[rows["set"] == name]
    if rows.empty:
        return []
    bases = sorted({str(basis) for basis in rows["basis"] if isinstance(basis, str) and basis})
    return [{"set": name, "basis": ", ".join(bases), "parameters": parameters(rows)}]


def _labels(results: Results) -> dict[str, Any]:
    dataset = results.dataset
    study = results.study
    units = dict(zip(_names(dataset, "fuel"), _names(dataset, "fuel_unit"), strict=True)) if "fuel" in dataset else {}
    heat = study.fuel_heat
    ratios = results.table("coefficients").query("quantity == 'oxygen_per_carbon'")["item"]
    return {
        "land_classes": _names(dataset, "land_class"),
        "fuels": list(dict.fromkeys([*units, *map(str, ratios)])),
        "regions": _names(dataset, "region"),
        "years": [*study.years, *([study.outlook.target] if study.outlook else [])],
        "fuel_units": {fuel: (unit, heat) if heat and unit == "GJ" else unit for fuel, unit in units.items()},
    }


def _narrowed(labels: Mapping[str, Any], family: str, *, dated: bool) -> dict[str, Any]:
    """The labels that a family needs; what has no part in it is not resolved again."""
    land, fuels = family == "sequestration", family in ("emission", "oxygen")
    return {
        **labels,
        "land_classes": labels["land_classes"] if land else [],
        "fuels": labels["fuels"] if fuels else [],
        "fuel_units": labels["fuel_units"] if fuels else {},
        "years": labels["years"] if dated else labels["years"][-1:],
    }


def _drop_other_heat(found: list[dict[str, Any]], used: pd.DataFrame) -> None:
    """A factor per net heat is no alternative where the study measures gross heat: leave such sets out."""
    heats = {str(basis) for basis in used["basis"] if str(basis).endswith("heat")}
    found[:] = [entry for entry in found if not heats or not entry["basis"] or entry["basis"] in heats]


def _as_set(used: pd.DataFrame) -> pd.DataFrame:
    """The rows of the results in the columns of a coefficient set."""
    return used.assign(note="", year=used["year"].astype("Int64"))[list(COLUMNS)]


def _families(used: pd.DataFrame, name: str) -> set[str]:
    return set(used.loc[used["set"] == name, "quantity"].map(FAMILY_OF))


def _names(dataset: xr.Dataset, coordinate: str) -> list[str]:
    return [str(label) for label in dataset[coordinate].values]


def _follows(quantity: str, rows: pd.DataFrame) -> bool:
    """Whether an oxygen rate was made from the carbon rate by a photosynthetic quotient and so moves with it."""
    return quantity == "oxygen_release_rate" and bool(rows["locator"].str.contains("s × 32/12 ×", regex=False).all())


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    numbers = {name: _number(row[name]) for name in ("value", "low", "high")}
    texts = {name: "" if not isinstance(row[name], str) else row[name] for name in _TEXTS}
    year = None if pd.isna(row["year"]) else int(row["year"])
    return {"region": str(row["region"]), "year": year, **numbers, **texts}


def _number(value: Any) -> float | None:
    return None if pd.isna(value) or not math.isfinite(value) else float(value)


def sets_of(parameter: Mapping[str, Any]) -> Sequence[str]:
    """The sets that a parameter's rows come from."""
    return list(dict.fromkeys(row["set"] for row in parameter["rows"]))
