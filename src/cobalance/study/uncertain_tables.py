"""The tidy tables of uncertainty, and the paragraph that says which assumption moves the answer most."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.accounts.groups import group_total
from cobalance.accounts.totals import total_along
from cobalance.study.alternatives import SetChoice
from cobalance.study.drawn import DrawnStudy
from cobalance.study.prepare import Prepared
from cobalance.uncertainty.assumptions import group_name
from cobalance.uncertainty.sensitivity import Indices
from cobalance.uncertainty.summary import BOUNDS
from cobalance.vocabulary.errors import Language

if TYPE_CHECKING:
    from cobalance.study.uncertainty import Output

PLACE = ["level", "region", "name_zh", "name_en"]
PROBABILITIES = ("above_0", "above_1", "above_3", "top_five")
UNCERTAINTY_COLUMNS = ["variable", *PLACE, "year", "target", "value", *BOUNDS, "unit", "defined"]
UNCERTAINTY_COLUMNS += [f"probability_{name}" for name in PROBABILITIES] + ["rank_p05", "rank_median", "rank_p95"]
SENSITIVITY_COLUMNS = ["variable", *PLACE, "year", "target", "assumption", "assumption_en", "assumption_zh"]
SENSITIVITY_COLUMNS += ["first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high"]
SET_COLUMNS = ["family", "set", "basis", "chosen", "filled", "variable", *PLACE, "year", "target", "value", "unit"]
SET_COLUMNS += ["reason_en", "reason_zh"]


def uncertainty(summary: xr.Dataset, dataset: xr.Dataset, prepared: Prepared) -> pd.DataFrame:
    """A row for each headline number: its value without draws, its interval, and the probabilities that it has."""
    frames = [
        _quantity(str(name).removesuffix("_interval"), summary, dataset, prepared)
        for name in summary.data_vars
        if str(name).endswith("_interval") and not str(name).endswith("_rank_interval")
    ]
    return _named(pd.concat(frames, ignore_index=True), prepared).reindex(columns=UNCERTAINTY_COLUMNS)


def sensitivity(found: Indices | None, outputs: Sequence[Output], prepared: Prepared) -> pd.DataFrame:
    """A row for each output and group of assumptions that moves it; outputs that do not vary are left out."""
    if found is None:
        return pd.DataFrame(columns=SENSITIVITY_COLUMNS)
    places = pd.DataFrame(outputs, columns=["variable", "level", "region", "year", "target"])
    numbers = [name for name in SENSITIVITY_COLUMNS if name.startswith(("first_order", "total"))]
    frames = [
        places.assign(
            assumption=group,
            assumption_en=group_name(group, "en"),
            assumption_zh=group_name(group, "zh", chinese_items()),
            **{name: getattr(found, name)[position] for name in numbers},
        )
        for position, group in enumerate(found.groups)
    ]
    joined = pd.concat(frames, ignore_index=True).dropna(subset=["total"])
    order = joined.sort_values("total", ascending=False, kind="stable").index
    keys = ["variable", "level", "region", "year", "target"]
    by_output = joined.loc[order].sort_values(keys, kind="stable", ignore_index=True)
    return _named(by_output, prepared).reindex(columns=SENSITIVITY_COLUMNS)


def set_spread(
    choices: Sequence[SetChoice],
    headlines: Mapping[tuple[str, str], list[tuple[Output, float]]],
    prepared: Prepared,
) -> pd.DataFrame:
    """The groups' headline numbers under every coherent choice of sets, one family at a time; why others are not there.

    A set that cannot stand in the study's place has one row, without a number and with its reason.
    """
    rows: list[dict[str, object]] = []
    for choice in choices:
        made = choice.coefficients
        base: dict[str, object] = {"family": choice.family, "set": choice.name, "chosen": choice.chosen}
        if made is None:
            assert choice.refusal is not None
            reasons = {f"reason_{language}": choice.refusal.part("found", language) for language in ("en", "zh")}
            rows.append({**base, **reasons})
            continue
        base |= {"basis": made.basis, "filled": ", ".join(choice.filled), "reason_en": "", "reason_zh": ""}
        for (variable, level, region, year, target), value in headlines[choice.family, choice.name]:
            if level == "group":
                place = {"level": level, "region": region, "year": year, "target": target}
                rows.append({**base, **place, "variable": variable, "value": value, "unit": _unit(variable)})
    return _named(pd.DataFrame(rows), prepared).reindex(columns=SET_COLUMNS)


def assumptions(model: DrawnStudy) -> pd.DataFrame:
    """What was drawn: every coefficient row with its bounds, where they come from, its cause and its group."""
    columns = ["cause", "group", "quantity", "item", "region", "year", "value", "low", "high", "unit", "bounds", "set"]
    frames = [version.table for versions in model.alternatives.values() for version in versions]
    joined = pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)
    return joined.assign(
        distribution=[model.kinds.get(q, model.kinds.get("default", "triangular")) for q in joined["quantity"]]
    )


@functools.cache
def chinese_items() -> dict[str, str]:
    """Land class, fuel or other activity → the first Chinese name under which inputs may have it."""
    with (resources.files("cobalance.inputs") / "variable_names.csv").open("r", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = {}
    for row in rows:
        names = [name for name in row["names"].split("|") if not name.isascii()]
        found[row["item"] or row["variable"].removesuffix("_output")] = names[0] if names else row["item"]
    return found


def dominance(table: pd.DataFrame, chinese: Mapping[str, str] | None = None) -> dict[Language, str]:
    """One paragraph: for each balance and the gap, which assumption moves it most over the regions.

    By the mean of the total indices over regions; the number of regions in which it comes first stands beside it.
    ``chinese`` gives the Chinese names of items; without it :func:`chinese_items`.
    """
    words = {"en": None, "zh": chinese_items() if chinese is None else chinese}
    sentences: dict[Language, list[str]] = {"en": [], "zh": []}
    regions = table[table["level"] == "region"]
    for (variable, year, target), own in regions.groupby(["variable", "year", "target"], sort=False):
        mean = own.groupby("assumption")["total"].mean().sort_values(ascending=False)
        first = str(mean.index[0])
        leading = own.loc[own.groupby("region")["total"].idxmax(), "assumption"]
        details = {"year": year, "share": f"{100 * mean.iloc[0]:.0f}", "count": int((leading == first).sum())}
        details |= {f"assumption_{language}": group_name(first, language, words[language]) for language in words}
        details |= {"all": own["region"].nunique(), "second_en": "", "second_zh": ""}
        if len(mean) > 1:
            second, share = str(mean.index[1]), f"{100 * mean.iloc[1]:.0f}"
            details["second_en"] = f", then {group_name(second, 'en')} ({share} %)"
            details["second_zh"] = f"，其次为{group_name(second, 'zh', words['zh'])}（{share}%）"
        for language in ("en", "zh"):
            quantity = _QUANTITY_WORDS[language].get((str(variable), str(target)), str(variable))
            sentences[language].append(_SENTENCE[language].format(quantity=quantity, **details))
    return {"en": " ".join(sentences["en"]), "zh": "".join(sentences["zh"])}


_SENTENCE: dict[str, str] = {
    "en": "{quantity} ({year}) depends most on: {assumption_en} ({share} % of its variance on average over regions, "
    "interactions included; first in {count} of {all} regions){second_en}.",
    "zh": "{quantity}（{year} 年）受影响最大的假设为{assumption_zh}（含交互作用，平均占各区域方差的 {share}%；"
    "在 {all} 个区域中有 {count} 个居首）{second_zh}。",
}
_QUANTITY_WORDS: dict[str, dict[tuple[str, str], str]] = {
    "en": {
        ("carbon_balance_coefficient", ""): "The carbon balance coefficient",
        ("oxygen_balance_coefficient", ""): "The oxygen balance coefficient",
        ("uncut_ecological_land_gap", "carbon"): "The gap of ecological land for carbon",
        ("uncut_ecological_land_gap", "oxygen"): "The gap of ecological land for oxygen",
    },
    "zh": {
        ("carbon_balance_coefficient", ""): "碳平衡系数",
        ("oxygen_balance_coefficient", ""): "氧平衡系数",
        ("uncut_ecological_land_gap", "carbon"): "碳目标下的生态用地缺口",
        ("uncut_ecological_land_gap", "oxygen"): "氧目标下的生态用地缺口",
    },
}


def _quantity(name: str, summary: xr.Dataset, dataset: xr.Dataset, prepared: Prepared) -> pd.DataFrame:
    interval = summary[f"{name}_interval"]
    level = "group" if "group" in interval.dims else "region"
    columns = {bound: interval.sel(bound=bound, drop=True) for bound in BOUNDS}
    if (value := _value(name, dataset, prepared)) is not None:
        columns["value"] = value
    for word in PROBABILITIES:
        if f"{name}_{word}" in summary:
            columns[f"probability_{word}"] = summary[f"{name}_{word}"]
    if f"{name}_defined" in summary:
        columns["defined"] = summary[f"{name}_defined"]
    if f"{name}_rank_interval" in summary:
        ranks = summary[f"{name}_rank_interval"]
        columns |= {f"rank_{bound}": ranks.sel(bound=bound, drop=True) for bound in BOUNDS}
    plain = {column: array.drop_vars(["name_zh", "name_en"], errors="ignore") for column, array in columns.items()}
    frame = xr.Dataset(plain).to_dataframe().reset_index().rename(columns={"group": "region"})
    variable = name.removeprefix("group_")
    outlook = prepared.study.outlook
    if "year" not in frame:
        frame["year"] = outlook.target if outlook else prepared.base_year
    return frame.assign(variable=variable, level=level, unit=interval.attrs.get("units", ""))


def _value(name: str, dataset: xr.Dataset, prepared: Prepared) -> xr.DataArray | None:
    """The number without draws; None where the results do not have it."""
    plain = name.removeprefix("group_")
    if name in dataset:
        data = dataset[name]
    elif plain in dataset and plain.startswith("outlook"):
        everyone = {**prepared.groups, "total": [str(region) for region in dataset["region"].values]}
        data = group_total(dataset[plain], everyone)
    else:
        return None
    parts = [str(dim) for dim in ("land_class", "source") if dim in data.dims]
    return total_along(data, parts[0]) if parts else data


def _unit(variable: str) -> str:
    if "coefficient" in variable:
        return "1"
    if variable.endswith("gap"):
        return "%"
    return "t O2 / yr" if "oxygen" in variable else "t C / yr"


def _named(frame: pd.DataFrame, prepared: Prepared) -> pd.DataFrame:
    """Names of regions and groups in both languages."""
    groups = prepared.study.groups
    zh = {**prepared.names["name_zh"], **{key: group.zh for key, group in groups.items()}, "total": "全部区域"}
    en = {**prepared.names["name_en"], **{key: group.en for key, group in groups.items()}, "total": "All regions"}
    if "region" not in frame:
        frame = frame.assign(region=np.nan)
    return frame.assign(name_zh=frame["region"].map(zh), name_en=frame["region"].map(en))
