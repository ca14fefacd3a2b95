"""What stands beside the numbers of the page: past errors, intervals, compensation, and the cell of every input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cobalance.explorer.encoding import array
from cobalance.study.prepare import land_class_token
from cobalance.study.results import Results

BALANCES = {"carbon": "carbon_balance_coefficient", "oxygen": "oxygen_balance_coefficient"}
GAP = "ecological_land_gap"
_DIGITS = 3  # of an interval on hover; what is rounded compresses
_NO_ROW = 0


def past_errors(results: Results) -> list[dict[str, Any]]:
    """Median absolute error of each model and activity, one year ahead and as far as was tested, in percent."""
    if "backtest" not in results.tables:
        return []
    table = _numeric(results.table("backtest"), "median_ape", "horizon")
    table = table[table["median_ape"].notna()]
    furthest = table.groupby("activity")["horizon"].transform("max")
    kept = table[(table["horizon"] == 1) | (table["horizon"] == furthest)]
    return [
        {
            "activity": str(row["activity"]),
            "model": str(row["model"]),
            "horizon": int(row["horizon"]),
            "error": float(f"{float(row['median_ape']):.{_DIGITS}g}"),
        }
        for row in kept.to_dict("records")
    ]


def intervals(results: Results, codes: list[str]) -> dict[str, Any] | None:
    """5 and 95 % quantiles and the probability beyond 1 (balance) or 0 (gap); None where the study drew nothing.

    ``balance``: target → (region, year, 3); ``gap``: target → (region, 3)
    """
    if "uncertainty" not in results.tables:
        return None
    columns = ("year", "p05", "p95", "probability_above_0", "probability_above_1")
    table = _numeric(results.table("uncertainty"), *columns)
    table = table[table["level"] == "region"]
    years = [int(year) for year in results.dataset["year"].values]
    balance = {
        target: array(
            _rounded(table[table["variable"] == name], [codes, years], ["region", "year"], "probability_above_1"), "f4"
        )
        for target, name in BALANCES.items()
    }
    gaps = table[table["variable"] == GAP]
    gap = {
        target: array(_rounded(gaps[gaps["target"] == target], [codes], ["region"], "probability_above_0"), "f4")
        for target in BALANCES
    }
    attributes = results.dataset.attrs
    text = {language: str(attributes.get(f"dominance_{language}", "")) for language in ("en", "zh")}
    return {"balance": balance, "gap": gap, "text": text}


def compensation(results: Results, codes: list[str]) -> dict[str, Any] | None:
    """Flows between regions by position, and what each region lacks still; None where the study has none."""
    if not {"compensation_flows", "compensation"} <= set(results.tables):
        return None
    position = {code: index for index, code in enumerate(codes)}
    flows = _numeric(results.table("compensation_flows"), "value", "distance_km")
    table = _numeric(results.table("compensation"), "value")
    unmet = table[(table["variable"] == "unmet_deficit") & (table["value"] > 0)]
    settings = results.study.compensation
    return {
        "target": settings.target,
        "price": settings.price,
        "flows": [
            {
                "from": position[str(row["from_region"])],
                "to": position[str(row["to_region"])],
                "value": float(row["value"]),
                "km": float(f"{float(row['distance_km']):.4g}"),
            }
            for row in flows.to_dict("records")
            if str(row["from_region"]) in position and str(row["to_region"]) in position
        ],
        "unmet": [
            {"region": position[str(row["region"])], "value": float(row["value"])} for row in unmet.to_dict("records")
        ],
    }


def cells(results: Results, sources: list[dict[str, str]]) -> dict[str, Any] | None:
    """The file and row of every input cell, in the order of ``activity`` and ``land_area``.

    ``source`` and ``land`` hold, cell after cell, the difference of the row number to the cell before (rows count as a
    spreadsheet does; 0 is no row) and of the file's number: what is read in order is then nearly constant.
    """
    if "observations" not in results.tables:
        return None
    table = _numeric(results.table("observations"), "row", "year")
    table["row"] = table["row"].fillna(_NO_ROW).astype(int)
    files = list(dict.fromkeys(table["file"].astype(str)))
    table["number"] = table["file"].astype(str).map({name: index for index, name in enumerate(files)})
    regions, years = results.dataset["region"].values, results.dataset["year"].values
    raw = _raw_classes(results.study.land_classes, [str(item) for item in results.dataset["land_class"].values])
    land = [_at(table, "land_area", raw[item][0] if raw[item] else item, regions, years) for item in raw]
    source = [_at(table, *_variable(entry), regions, years) for entry in sources]
    return {
        "files": files,
        "raw": list(raw.values()),
        "land": _differences(np.stack(land, axis=2)) if land else None,
        "source": _differences(np.stack(source)) if source else None,
    }


def _variable(source: Mapping[str, str]) -> tuple[str, str]:
    kinds = {"fuel": "fuel_use", "cement": "cement_output", "respiration": "population"}
    variable = kinds.get(source["kind"], "carbon_emission")
    return variable, source["key"] if variable in ("fuel_use", "carbon_emission") else ""


def _at(table: pd.DataFrame, variable: str, item: str, regions: Any, years: Any) -> np.ndarray[Any, Any]:
    """(region, year, 2) file and row of a variable's cells."""
    rows = table[table["variable"] == variable]
    if item:
        rows = rows[rows["item"].astype(str) == item]
    index = pd.MultiIndex.from_product([[str(region) for region in regions], [int(year) for year in years]])
    keyed = rows.assign(region=rows["region"].astype(str), year=rows["year"].astype(int))
    first = keyed.drop_duplicates(["region", "year"]).set_index(["region", "year"])[["number", "row"]]
    return first.reindex(index).fillna(_NO_ROW).to_numpy(int).reshape(len(regions), len(years), 2)


def _raw_classes(mapping: Mapping[str, str | None], classes: list[str]) -> dict[str, list[str]]:
    """Method class → the inputs' own classes that were added up to it."""
    tokens = {land_class_token(raw): target for raw, target in mapping.items()}
    return {item: [raw for raw, target in tokens.items() if target == item] or [item] for item in classes}


def _differences(cells_: np.ndarray[Any, Any]) -> dict[str, list[int]]:
    flat = cells_.reshape(-1, 2)
    return {
        name: np.diff(flat[:, column], prepend=0).astype(int).tolist() for column, name in ((0, "file"), (1, "row"))
    }


def _numeric(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """``table`` with some columns as numbers: read back from CSV they may be text."""
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in columns})


def _rounded(
    table: pd.DataFrame, labels: list[list[Any]], keys: list[str], probability: str
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(…labels, 3) p05, p95 and a probability, to a few significant digits; NaN where there is none."""
    columns = ["p05", "p95", probability]
    keyed = table.assign(**{key: table[key].astype(str if key == "region" else int) for key in keys})
    index = pd.MultiIndex.from_product(labels, names=keys) if len(keys) > 1 else pd.Index(labels[0], name=keys[0])
    values = keyed.set_index(keys).reindex(columns=columns).astype(float).reindex(index).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (np.floor(np.log10(np.abs(values))) - _DIGITS + 1)
        rounded = np.where(values == 0, 0.0, np.round(values / power) * power)
    return rounded.reshape(*[len(own) for own in labels], len(columns))
