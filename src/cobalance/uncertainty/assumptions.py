"""Which numbers of a study are uncertain, what moves together, and in which groups the sensitivity is asked.

A *cause* is one uncertain thing: one column of the design. A coefficient is one cause for all regions and years unless
its row is of one region; oxygen release follows the carbon rate of its class, oxygen breathed the carbon breathed; and
items whose rows hold the same printed number of the same source (one oxidative ratio for all oil products) share it.
A *group* is what the sensitivity analysis reports: one or more causes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

EVERYWHERE = "*"
PER_ITEM = {"sequestration_rate": "sequestration", "emission_factor": "emission", "oxygen_per_carbon": "oxygen ratio"}
ALONE = {"cement_factor": "cement", "respiration_carbon": "respiration", "respiration_oxygen": "respiration"}
FOLLOWS = {"oxygen_release_rate": "sequestration_rate"}
ONE_GROUP = {"oxygen ratio": "oxygen ratios"}
"""Causes that are reported together: the kind of cause → the group."""

FIXED = "fixed"
GROUP_WORDS = {
    "sequestration": {"en": "Sequestration rate: {}", "zh": "固碳率：{}"},
    "emission": {"en": "Emission factor: {}", "zh": "排放因子：{}"},
    "activity": {"en": "Activity data: {}", "zh": "活动水平：{}"},
    "photosynthesis": {"en": "Oxygen per carbon fixed", "zh": "固碳释氧比（光合商）"},
    "oxygen ratios": {"en": "Oxygen ratios", "zh": "氧化比"},
    "cement": {"en": "Cement factor", "zh": "水泥排放因子"},
    "respiration": {"en": "Respiration", "zh": "呼吸"},
    "forecasts": {"en": "Forecasts", "zh": "预测"},
    "phi": {"en": "Share φ", "zh": "份额 φ"},
    "set choice": {"en": "Choice of coefficient sets", "zh": "系数集的选择"},
}
"""How a group is called; ``{}`` takes the names of its items."""

_PRINTED = ["quantity", "set", "region", "year", "value", "low", "high", "source", "locator"]


def with_causes(table: pd.DataFrame) -> pd.DataFrame:
    """A coefficient table with ``cause`` and ``group`` of each row, in the order of the table.

    table    quantity, item, region, year, value, low, high, set, source, locator (``Coefficients.table``)
    returns  the same with ``cause`` (column of the design) and ``group``; rows without width have a cause too, it moves
             nothing
    """
    items = {quantity: _item_names(table[table["quantity"] == quantity]) for quantity in PER_ITEM}
    causes, groups = [], []
    for quantity, item, region in zip(table["quantity"], table["item"], table["region"], strict=True):
        if quantity in ALONE:
            cause = ALONE[quantity]
            group = cause
        else:
            leading = FOLLOWS.get(quantity, quantity)
            kind = PER_ITEM[leading]
            cause = f"{kind} {items[leading].get(item, item)}"
            group = ONE_GROUP.get(kind, cause)
        causes.append(cause if region == EVERYWHERE else f"{cause} @ {region}")
        groups.append(group)
    return table.assign(cause=causes, group=groups)


def uncertain(table: pd.DataFrame) -> pd.Series:
    """Which rows have width: a bound on at least one side that differs from the value."""
    below = table["low"].fillna(table["value"]) < table["value"]
    above = table["high"].fillna(table["value"]) > table["value"]
    return below | above


def with_set_bounds(table: pd.DataFrame, spread: pd.DataFrame) -> pd.DataFrame:
    """Rows without any bound take the spread of the sets, where there is one; ``bounds`` says where bounds come from.

    spread   quantity, item, low, high in the units of ``table``: the range over comparable sets
    returns  ``table`` with ``bounds``: ``row`` (its own), ``sets`` (the spread) or ``none`` (held fixed)

    The spread is made to hold the value itself, which may lie outside what the other sets say.
    """
    own = table[["low", "high"]].notna().any(axis=1)
    keyed = spread.set_index(["quantity", "item"])[["low", "high"]]
    found = keyed.reindex(pd.MultiIndex.from_frame(table[["quantity", "item"]]))
    low = np.fmin(found["low"].to_numpy(float), table["value"].to_numpy(float))
    high = np.fmax(found["high"].to_numpy(float), table["value"].to_numpy(float))
    known = found["low"].notna().to_numpy() & found["high"].notna().to_numpy()
    filled = table.assign(
        low=table["low"].where(own | ~known, low),
        high=table["high"].where(own | ~known, high),
        bounds=np.where(own, "row", np.where(known, "sets", "none")),
    )
    return filled.assign(bounds=filled["bounds"].where(uncertain(filled), "none"))


def with_stated_bounds(table: pd.DataFrame, stated: Mapping[str, float | tuple[float, float]]) -> pd.DataFrame:
    """Bounds that the study itself states replace all others.

    stated  ``quantity item`` or ``quantity`` → a relative half-width (0.05 is ± 5 %) or (low, high) in the row's unit
    """
    result = table.copy()
    for name, given in stated.items():
        quantity, _, item = name.partition(" ")
        rows = (result["quantity"] == quantity) & ((result["item"] == item) if item else True)
        value = result.loc[rows, "value"]
        if isinstance(given, tuple):
            result.loc[rows, "low"], result.loc[rows, "high"] = given
        else:
            result.loc[rows, "low"] = value - abs(value) * given
            result.loc[rows, "high"] = value + abs(value) * given
        result.loc[rows, "bounds"] = "study"
    return result


def group_name(group: str, language: str, item_words: Mapping[str, str] | None = None) -> str:
    """A group as people read it: ``emission coal`` → Emission factor: coal; item words in that language, if given."""
    kind, _, items = group.partition(" ")
    if group in GROUP_WORDS or kind not in GROUP_WORDS:
        return GROUP_WORDS.get(group, {}).get(language, group)
    words = [(item_words or {}).get(item, item.replace("_", " ")) for item in items.split(", ")]
    return GROUP_WORDS[kind][language].format(("、" if language == "zh" else ", ").join(words))


def _item_names(rows: pd.DataFrame) -> dict[str, str]:
    """Item → the joint name of all items whose rows hold the same printed number."""
    printed: dict[str, tuple[object, ...]] = {}
    for item, own in rows.groupby("item", sort=False):
        wide = bool(uncertain(own).any())
        rows_as_printed = own[_PRINTED].astype(str).to_numpy().tolist()
        printed[str(item)] = tuple(map(tuple, rows_as_printed)) if wide else (str(item),)
    members: dict[tuple[object, ...], list[str]] = {}
    for item, key in printed.items():
        members.setdefault(key, []).append(item)
    return {item: ", ".join(members[key]) for item, key in printed.items()}
