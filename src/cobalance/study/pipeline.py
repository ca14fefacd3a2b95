"""The pipeline: from the study file through every chapter to the results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from cobalance.study import accounts, future, space, tables
from cobalance.study.prepare import Prepared, prepare
from cobalance.study.provenance import provenance
from cobalance.study.rasters import Counting
from cobalance.study.results import Results
from cobalance.vocabulary.errors import Language, Problems

Step = Callable[[str, float], None]
"""Told which stage has begun and how much of it is done, 0 to 1."""

STAGES: dict[str, dict[Language, str]] = {
    "inputs": {"en": "Reading and checking inputs", "zh": "读取并检查输入"},
    "land_cover": {"en": "Counting land cover", "zh": "统计土地覆盖"},
    "accounts": {"en": "Accounts and balance", "zh": "核算与平衡"},
    "space": {"en": "Spatial pattern", "zh": "空间格局"},
    "outlook": {"en": "Outlook", "zh": "预测"},
    "ecological_land": {"en": "Ecological land", "zh": "生态用地"},
    "results": {"en": "Writing results", "zh": "写出结果"},
    "report": {"en": "Drawing figures and report", "zh": "绘制图件与报告"},
}


def check_study(file: Path) -> Problems:
    """Every problem of a study file and its inputs, errors and notices; nothing is computed."""
    return prepare(file)[1]


def run_study(file: Path, step: Step | None = None, checkpoint: Path | None = None) -> Results:
    """Run the study of ``file``.

    ``checkpoint`` is a file from which an interrupted count of rasters goes on; it is gone when the count is done.

    Raises a :class:`CobalanceError` with all problems of the study file and its inputs before anything is computed.
    ``step`` is told of each stage of :data:`STAGES` as it begins.
    """
    tell = step or (lambda stage, done: None)
    tell("inputs", 0)
    counting = Counting(checkpoint, lambda done: tell("land_cover", done))
    prepared, problems = prepare(file, counting)
    problems.raise_errors()
    assert prepared is not None  # without errors there is a study
    tell("accounts", 0)
    dataset = _accounts(prepared)
    tell("space", 0)
    dataset, space_tables = _space(dataset, prepared)
    tell("outlook", 0)
    dataset = _outlook(dataset, prepared)
    tell("ecological_land", 0)
    dataset = _ecological_land(dataset, prepared)
    dataset = dataset.assign_coords(
        {name: ("region", prepared.names[name].to_numpy(object)) for name in prepared.names}
    )
    return Results(
        dataset=dataset,
        tables={**_tables(dataset, prepared), **space_tables, **_records(prepared)},
        regions=prepared.regions.assign(name_zh=prepared.names["name_zh"], name_en=prepared.names["name_en"]),
        provenance=provenance(prepared),
    )


def _accounts(prepared: Prepared) -> xr.Dataset:
    account = accounts.account(prepared.inputs, prepared.coefficients_of(prepared.study.years))
    return accounts.joined(account, accounts.group_account(account, prepared.groups))


def _space(dataset: xr.Dataset, prepared: Prepared) -> tuple[xr.Dataset, dict[str, pd.DataFrame]]:
    """The chapter of space; left out where the study has no boundary."""
    if prepared.study.regions.boundary is None:
        return dataset, {}
    settings = prepared.study.spatial
    links = space.study_weights(prepared.regions, settings, prepared.folder)
    statistics = space.pattern(dataset, links, settings, prepared.study.seed)
    tracks = space.centres(dataset, prepared.regions, settings)
    named = (
        statistics["global"]["moran_i"],
        statistics["global"]["pseudo_p"].rename("moran_pseudo_p"),
        statistics["local"]["local_i"],
        statistics["local"]["pseudo_p"].rename("local_pseudo_p"),
        statistics["local"]["cluster"].rename("local_cluster"),
    )
    return accounts.joined(dataset, *named), {
        "gravity_centre": tables.gravity_centre(tracks, prepared.names),
        "global_moran": space.global_table(statistics["global"], links),
        "local_moran": space.local_table(statistics["local"], prepared.names),
    }


def _outlook(dataset: xr.Dataset, prepared: Prepared) -> xr.Dataset:
    settings = prepared.study.outlook
    if settings is None or prepared.series is None:
        return dataset
    forecast = future.study_outlook(prepared.series, settings)
    inputs = future.target_inputs(prepared.inputs, forecast, settings, prepared.base_year)
    burden = future.target_burdens(inputs, prepared.coefficients_of([settings.target]))
    kept = ("outlook", "outlook_reason", "outlook_observed", "participants")
    return accounts.joined(dataset, forecast[list(kept)], *burden)


def _ecological_land(dataset: xr.Dataset, prepared: Prepared) -> xr.Dataset:
    """Against the burden of the target year, or of the base year where the study has no outlook."""
    year = prepared.base_year
    factors = prepared.coefficients_of([year])
    rates = tuple(
        rate.isel(year=0, drop=True) if "year" in rate.dims else rate
        for rate in (factors.sequestration_rate, factors.oxygen_release_rate)
    )
    if prepared.study.outlook:
        burden = dataset["outlook_carbon_emission"], dataset["outlook_oxygen_consumption"]
    else:
        at_base = dataset[["carbon_emission", "oxygen_consumption"]].sel(year=year, drop=True)
        burden = at_base["carbon_emission"], at_base["oxygen_consumption"]
    area = dataset["land_area"].sel(year=year, drop=True)
    land = future.land_needed(area, (rates[0], rates[1]), burden, prepared.study.ecological_land)
    return accounts.joined(dataset, land)


def _tables(dataset: xr.Dataset, prepared: Prepared) -> dict[str, pd.DataFrame]:
    flags = accounts.account_flags(dataset, prepared.flags)
    names = prepared.names
    group_names = {key: {"name_zh": group.zh, "name_en": group.en} for key, group in prepared.study.groups.items()}
    group_names["total"] = {"name_zh": "全部区域", "name_en": "All regions"}
    made = {
        "land_area": tables.land_area(dataset, flags, names),
        "sequestration": tables.sequestration(dataset, flags, names),
        "emission": tables.emission(dataset, flags, names),
        "balance": tables.balance_table(dataset, names),
        "groups": tables.groups(dataset, group_names),
        "ecological_land": tables.ecological_land(dataset, names),
    }
    return made | ({"outlook": tables.outlook(dataset, names)} if "outlook" in dataset else {})


def _records(prepared: Prepared) -> dict[str, pd.DataFrame]:
    """What the numbers stand on: coefficients, missing cells, notices."""
    variables = ("land_area", "fuel_use", "cement_output", "population", "carbon_emission")
    return {
        "coefficients": prepared.coefficients.table,
        "missing": tables.missing(prepared.inputs, variables, prepared.names),
        "notices": tables.notices(prepared.notices),
        "observations": prepared.observations,
    }
