"""The tidy tables of a study, made from its Dataset: one function a table, columns as ``docs/design.md`` lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.accounts import balance
from cobalance.accounts.scenarios import AS_FORECAST
from cobalance.outlook.ensemble import ENSEMBLE
from cobalance.study.measures import LEVEL
from cobalance.study.spec import Study
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Problem

Names = pd.DataFrame
"""name_zh and name_en of each region, indexed by code."""

TOTALS = {
    "carbon_sequestration": "land_class",
    "oxygen_release": "land_class",
    "carbon_emission": "source",
    "oxygen_consumption": "source",
}
COEFFICIENTS = ("carbon_balance_coefficient", "oxygen_balance_coefficient")


def land_area(dataset: xr.Dataset, flags: xr.Dataset, names: Names) -> pd.DataFrame:
    return _long(dataset, ["land_area"], flags, names, ["region", "year", "land_class"])


def sequestration(dataset: xr.Dataset, flags: xr.Dataset, names: Names) -> pd.DataFrame:
    variables = ["carbon_sequestration", "oxygen_release"]
    return _with_share(dataset, _long(dataset, variables, flags, names, ["region", "year", "land_class"]))


def emission(dataset: xr.Dataset, flags: xr.Dataset, names: Names) -> pd.DataFrame:
    variables = ["carbon_emission", "oxygen_consumption"]
    return _with_share(dataset, _long(dataset, variables, flags, names, ["region", "year", "source"]))


def _with_share(dataset: xr.Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with each class's or source's share in the region's total, in percent."""
    shares = [balance.share(dataset[name], TOTALS[name]).values.ravel() for name in pd.unique(frame["variable"])]
    return frame.assign(share=np.concatenate(shares))


def balance_table(dataset: xr.Dataset, names: Names) -> pd.DataFrame:
    """Totals and coefficients of each region and year, with rank, growth since the first year and why undefined."""
    frames = []
    for variable, array in _totals(dataset, "").items():
        frame = schema.table(array)
        frame["rank"] = balance.rank(array).values.ravel()
        frame["growth"] = balance.growth(array).values.ravel()
        frame["reason"] = _reasons(dataset, variable, "").values.ravel()
        frames.append(frame)
    return _named(pd.concat(frames, ignore_index=True), names)


def groups(dataset: xr.Dataset, group_names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Totals and coefficients of each group and of all regions together."""
    frames = []
    for variable, array in _totals(dataset, "group_").items():
        frame = schema.table(array.rename(variable))
        frame["reason"] = _reasons(dataset, variable, "group_").values.ravel()
        frames.append(frame)
    return _named(pd.concat(frames, ignore_index=True), pd.DataFrame(group_names).T, "group")


def outlook(dataset: xr.Dataset, names: Names) -> pd.DataFrame:
    """The observed series of the window and each model's forecast, side by side."""
    observed = schema.table(dataset["outlook_observed"].rename("outlook")).rename(columns={"window_year": "year"})
    forecast = schema.table(dataset["outlook"].rename("outlook")).rename(columns={"outlook_year": "year"})
    reasons = dataset["outlook_reason"].to_series().rename("reason")
    forecast = forecast.rename(columns={"model": "kind"})
    forecast = forecast.join(reasons.rename_axis(index={"model": "kind"}), on=["kind", "region", "activity"])
    joined = pd.concat([observed.assign(kind="observed", reason=""), forecast], ignore_index=True)
    columns = ["region", "activity", "year", "kind", "value", "unit", "reason", "low_80", "high_80"]
    return _named(_with_interval(joined, dataset)[columns], names)


def _with_interval(frame: pd.DataFrame, dataset: xr.Dataset) -> pd.DataFrame:
    """The interval of past errors beside the combined forecast; missing elsewhere, and where there is no backtest."""
    if "outlook_lower" not in dataset:
        return frame.assign(low_80=np.nan, high_80=np.nan)
    bounds = {
        column: dataset[name].sel(level=LEVEL, drop=True).to_series().rename(column)
        for column, name in (("low_80", "outlook_lower"), ("high_80", "outlook_upper"))
    }
    keyed = pd.concat(bounds.values(), axis=1).reset_index().rename(columns={"outlook_year": "year"})
    return frame.merge(keyed.assign(kind=ENSEMBLE), on=["region", "activity", "year", "kind"], how="left")


def ecological_land(dataset: xr.Dataset, names: Names) -> pd.DataFrame:
    """Standard and needed ecological land, shortfall, gap and the word for what it means, per region and target."""
    variables = [
        "standard_ecological_land",
        "needed_ecological_land",
        "ecological_land_shortfall",
        "conversion_capacity",
        "ecological_land_gap",
    ]
    status = dataset["ecological_land_status"].to_series().rename("status")
    reason = dataset["ecological_land_reason"].to_series().rename("reason")
    table = pd.concat([schema.table(dataset[variable]) for variable in variables], ignore_index=True)
    table = table.join(status, on=["region", "target"]).join(reason, on=["region", "target"])
    return _named(table, names)


def gravity_centre(centres: Mapping[str, xr.Dataset], names: Names) -> pd.DataFrame:
    """The track of each weighting variable."""
    frames = [
        track.to_dataframe().reset_index().assign(variable=variable, crs=str(track.attrs.get("crs", "")))
        for variable, track in centres.items()
    ]
    columns = ["variable", "year", "longitude_deg", "latitude_deg", "easting_m", "northing_m", "crs", "region"]
    columns += ["distance_km", "bearing_deg", "semi_major_m", "semi_minor_m", "rotation_deg"]
    joined = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return _named(joined.reindex(columns=columns), names)


def levers(closing: xr.Dataset, names: Names) -> pd.DataFrame:
    """What each lever alone has to do, a row for each region, target and lever (and source, for cuts by source)."""
    frames = []
    for name in ("emission_cut", "source_cut", "rate_gain", "closing_switch", "compensation"):
        frame = schema.table(closing[name].rename(name)).rename(columns={"variable": "lever"})
        if name == "compensation":
            frame["unit"] = frame["target"].map({"carbon": "t C / yr", "oxygen": "t O2 / yr"})
        frames.append(frame)
    joined = pd.concat(frames, ignore_index=True)
    joined["source"] = joined["source"].fillna("")
    return _named(joined[["region", "target", "lever", "source", "value", "unit"]], names)


def conversion(plan: xr.Dataset, names: Names) -> pd.DataFrame:
    """The area of own land that is converted, by class, and whether that closes the gaps."""
    frame = schema.table(plan["converted_area"].assign_attrs(units="ha"))
    frame = frame.join(plan["conversion_outcome"].to_series().rename("status"), on="region")
    frame = frame[(frame["value"] > 0) | frame["value"].isna()].drop(columns="variable")
    return _named(frame.reset_index(drop=True), names)


def compensation_flows(flows: xr.Dataset, target: str, names: Names) -> pd.DataFrame:
    """From whom to whom, how much and how far."""
    columns = ["from_region", "to_region", "amount", "flow_cost", "stage"]
    frame = flows[columns].to_dataframe().reset_index(drop=True)
    frame = frame.rename(columns={"amount": "value", "flow_cost": "distance_km"})
    frame.insert(0, "target", target)
    frame["unit"] = flows["amount"].attrs["units"]
    for end in ("from", "to"):
        frame[f"{end}_name_zh"] = frame[f"{end}_region"].map(names["name_zh"])
        frame[f"{end}_name_en"] = frame[f"{end}_region"].map(names["name_en"])
    return frame


def compensation(flows: xr.Dataset, payments: xr.DataArray, target: str, names: Names) -> pd.DataFrame:
    """What each region gives, receives, still lacks and is paid (or pays, below zero)."""
    parts = [flows[name] for name in ("given", "received", "unmet_deficit", "unused_surplus")] + [payments]
    frame = pd.concat([schema.table(part) for part in parts], ignore_index=True)
    frame.insert(1, "target", target)
    return _named(frame, names)


def scenarios(table: pd.DataFrame, study: Study, names: Names) -> pd.DataFrame:
    """Each scenario's outcome, with the names of scenario and region or group."""
    titles = {AS_FORECAST: {"scenario_zh": "按预测", "scenario_en": "As forecast"}}
    titles |= {key: {"scenario_zh": item.zh, "scenario_en": item.en} for key, item in study.scenarios.items()}
    places = {key: {"name_zh": group.zh, "name_en": group.en} for key, group in study.groups.items()}
    places["total"] = {"name_zh": "全部区域", "name_en": "All regions"}
    frame = table.join(pd.DataFrame(titles).T, on="scenario")
    columns = ["scenario", "scenario_zh", "scenario_en", "region", "variable", "value", "unit"]
    return _named(frame[columns], pd.concat([names, pd.DataFrame(places).T]))


def missing(dataset: xr.Dataset, variables: Iterable[str], names: Names) -> pd.DataFrame:
    """Every cell of the accounts' inputs that no table gave and no rule filled."""
    frames = []
    for variable in variables:
        if variable in dataset:
            frame = schema.table(dataset[variable])
            item = next((column for column in ("land_class", "fuel", "source") if column in frame), None)
            frame = frame.assign(item=frame[item] if item else "", reason="no value in the inputs")
            frames.append(frame[frame["value"].isna()])
    columns = ["variable", "item", "region", "year", "reason"]
    joined = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return _named(joined[columns], names)


def notices(problems: Iterable[Problem]) -> pd.DataFrame:
    """What the reader must know, in both languages."""
    rows = [
        {
            "code": problem.code,
            "place": problem.place.text("en"),
            "found_en": problem.part("found", "en"),
            "found_zh": problem.part("found", "zh"),
            "remedy_en": problem.part("remedy", "en"),
            "remedy_zh": problem.part("remedy", "zh"),
        }
        for problem in problems
    ]
    return pd.DataFrame(rows, columns=["code", "place", "found_en", "found_zh", "remedy_en", "remedy_zh"])


def _totals(dataset: xr.Dataset, prefix: str) -> dict[str, xr.DataArray]:
    """The four totals and the two coefficients, each over (region or group, year)."""
    totals = {
        variable: dataset[prefix + variable].sum(dim, skipna=False, keep_attrs=True).rename(variable)
        for variable, dim in TOTALS.items()
    }
    return totals | {variable: dataset[prefix + variable].rename(variable) for variable in COEFFICIENTS}


def _reasons(dataset: xr.Dataset, variable: str, prefix: str) -> xr.DataArray:
    if variable in COEFFICIENTS:
        return dataset[prefix + variable.replace("_coefficient", "_reason")]
    total = dataset[prefix + variable].sum(TOTALS[variable], skipna=False)
    word = balance.MISSING_CAPACITY if TOTALS[variable] == "land_class" else balance.MISSING_BURDEN
    return xr.full_like(total, "", dtype=object).where(np.isfinite(total), word)


def _long(dataset: xr.Dataset, variables: list[str], flags: xr.Dataset, names: Names, dims: list[str]) -> pd.DataFrame:
    frames = []
    for variable in variables:
        frame = schema.table(dataset[variable])
        frame["flag"] = flags[variable].transpose(*dataset[variable].dims).values.ravel()
        frames.append(frame)
    return _named(pd.concat(frames, ignore_index=True)[[*dims, *schema.VALUE_COLUMNS, "flag"]], names)


def _named(frame: pd.DataFrame, names: Names, key: str = "region") -> pd.DataFrame:
    """``frame`` with name_zh and name_en behind ``key``."""
    known = names[["name_zh", "name_en"]]
    joined = frame.join(known, on=key)
    columns = [column for column in frame.columns if column not in known.columns]
    position = columns.index(key) + 1
    return joined[[*columns[:position], *known.columns, *columns[position:]]]
