"""The pipeline: from the study file through every chapter to the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from cobalance.accounts.totals import total_along
from cobalance.coefficients import Coefficients
from cobalance.outlook.backtest import backtest_notices, backtest_scores
from cobalance.study import accounts, future, measures, space, tables
from cobalance.study.prepare import Prepared, prepare
from cobalance.study.provenance import provenance
from cobalance.study.rasters import Counting
from cobalance.study.results import Results
from cobalance.study.uncertainty import study_uncertainty
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
    "uncertainty": {"en": "Uncertainty", "zh": "不确定性"},
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
    dataset, space_tables = _space(dataset, prepared, problems)
    tell("outlook", 0)
    dataset, course = _outlook(dataset, prepared)
    tell("ecological_land", 0)
    dataset = _ecological_land(dataset, prepared, course)
    measured = _measures(dataset, prepared, course, problems)
    dataset, drawn = _uncertainty(dataset, prepared, course, problems, lambda done: tell("uncertainty", done))
    for name in ("name_zh", "name_en"):
        dataset = dataset.assign_coords({name: ("region", prepared.names[name].to_numpy(object))})
    return Results(
        dataset=dataset,
        tables={
            **_tables(dataset, prepared),
            **space_tables,
            **measured,
            **drawn,
            **_records(prepared, problems),
        },
        regions=prepared.regions.assign(name_zh=prepared.names["name_zh"], name_en=prepared.names["name_en"]),
        provenance=provenance(prepared),
    )


def _accounts(prepared: Prepared) -> xr.Dataset:
    account = accounts.account(prepared.inputs, prepared.coefficients_of(prepared.study.years))
    return accounts.joined(account, accounts.group_account(account, prepared.groups))


def _space(dataset: xr.Dataset, prepared: Prepared, problems: Problems) -> tuple[xr.Dataset, dict[str, pd.DataFrame]]:
    """The chapter of space; left out where the study has no boundary."""
    if prepared.study.regions.boundary is None:
        return dataset, {}
    settings = prepared.study.spatial
    links = space.study_weights(prepared.regions, settings, prepared.folder)
    statistics = space.pattern(dataset, links, settings, prepared.study.seed)
    tracks = space.centres(dataset, prepared.regions, settings, problems)
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
        "local_moran": space.local_table(statistics["local"], prepared.names, links),
    }


@dataclass(frozen=True)
class Course:
    """Where the burden goes: inputs and burdens of the target year, or of the base year without an outlook; and how
    such forecasts have fared before (None where the series is too short to say)."""

    inputs: xr.Dataset
    year: int
    coefficients: Coefficients
    burden: dict[str, xr.DataArray]
    tested: xr.Dataset | None = None


def _outlook(dataset: xr.Dataset, prepared: Prepared) -> tuple[xr.Dataset, Course]:
    settings = prepared.study.outlook
    if settings is None or prepared.series is None:
        year = prepared.base_year
        at_base = prepared.inputs.sel(year=[year])
        burden = {
            target: dataset[name].sel(year=year, drop=True)
            for target, name in (("carbon", "carbon_emission"), ("oxygen", "oxygen_consumption"))
        }
        return dataset, Course(at_base, year, prepared.coefficients_of([year]), burden)
    forecast = future.study_outlook(prepared.series, settings)
    inputs = future.target_inputs(prepared.inputs, forecast, settings, prepared.base_year)
    coefficients = prepared.coefficients_of([settings.target])
    burdens = future.target_burdens(inputs, coefficients)
    kept = forecast[["outlook", "outlook_reason", "outlook_observed", "participants"]]
    tested = measures.outlook_backtest(prepared.series, settings) if settings.backtest else None
    intervals = xr.Dataset() if tested is None else measures.ensemble_intervals(forecast, tested)
    joined = accounts.joined(dataset, kept, intervals, *burdens)
    by_target = dict(zip(measures.TARGETS, burdens, strict=True))
    return joined, Course(inputs, settings.target, coefficients, by_target, tested)


def _ecological_land(dataset: xr.Dataset, prepared: Prepared, course: Course) -> xr.Dataset:
    area, rates = _base(dataset, prepared)
    burden = course.burden["carbon"], course.burden["oxygen"]
    land = future.land_needed(area, rates, burden, prepared.study.ecological_land)
    everyone = {**prepared.groups, "total": [str(region) for region in dataset["region"].values]}
    return accounts.joined(dataset, land, measures.group_ecological_land(land, everyone))


def _measures(dataset: xr.Dataset, prepared: Prepared, course: Course, problems: Problems) -> dict[str, pd.DataFrame]:
    """What can be done about the gaps, how far such outlooks have missed before, and what is to be known of that."""
    study, names = prepared.study, prepared.names
    area, rates = _base(dataset, prepared)
    by_target = dict(zip(measures.TARGETS, rates, strict=True))
    at_base = dataset.sel(year=prepared.base_year, drop=True)
    capacity = {
        target: total_along(at_base[name], "land_class").assign_attrs(at_base[name].attrs)
        for target, name in measures.CAPACITIES.items()
    }
    phi = study.ecological_land.phi
    plan = measures.conversion_plan(area, by_target, dataset, study.ecological_land)
    made = {
        "levers": tables.levers(measures.closing_levers(course.burden, capacity, phi), names),
        "conversion": tables.conversion(plan, names),
        "scenarios": tables.scenarios(
            measures.scenario_table(
                measures.named_scenarios(study.scenarios),
                course.year,
                course.burden,
                (area, by_target),
                study.ecological_land,
                prepared.groups,
            ),
            study,
            names,
        ),
    }
    if study.regions.boundary is not None:
        target = study.compensation.target
        burden = total_along(course.burden[target], "source").assign_attrs(course.burden[target].attrs)
        flows, payments = measures.compensated(
            burden, capacity[target], phi, prepared.regions, prepared.groups, study.compensation
        )
        made["compensation_flows"] = tables.compensation_flows(flows, target, names)
        made["compensation"] = tables.compensation(flows, payments, target, names)
    if course.tested is None:
        return made
    scores = backtest_scores(course.tested)
    made["backtest"] = accounts.joined(scores, measures.coverage(course.tested)).to_dataframe().reset_index()
    problems.extend(backtest_notices(scores))
    return made


def _uncertainty(
    dataset: xr.Dataset, prepared: Prepared, course: Course, problems: Problems, tell: Callable[[float], None]
) -> tuple[xr.Dataset, dict[str, pd.DataFrame]]:
    """Intervals of the headline numbers, and which assumption moves them; nothing where the study asks for none."""
    study = prepared.study
    if study.uncertainty is None:
        return dataset, {}
    links = None
    if study.regions.boundary is not None:
        links = space.study_weights(prepared.regions, study.spatial, prepared.folder)
    found = study_uncertainty(prepared, dataset, study.uncertainty, links=links, tested=course.tested, told=tell)
    problems.extend(found.notices)
    told = {f"dominance_{language}": text for language, text in found.text.items()}
    return accounts.joined(dataset, found.dataset).assign_attrs(told), dict(found.tables)


def _base(dataset: xr.Dataset, prepared: Prepared) -> tuple[xr.DataArray, tuple[xr.DataArray, xr.DataArray]]:
    """Land of the base year and the rates that it has."""
    factors = prepared.coefficients_of([prepared.base_year])
    carbon, oxygen = (
        rate.isel(year=0, drop=True) if "year" in rate.dims else rate
        for rate in (factors.sequestration_rate, factors.oxygen_release_rate)
    )
    return dataset["land_area"].sel(year=prepared.base_year, drop=True), (carbon, oxygen)


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


def _records(prepared: Prepared, problems: Problems) -> dict[str, pd.DataFrame]:
    """What the numbers stand on: coefficients, missing cells, notices, input cells."""
    variables = ("land_area", "fuel_use", "cement_output", "population", "carbon_emission")
    records = {
        "coefficients": prepared.coefficients.table,
        "missing": tables.missing(prepared.inputs, variables, prepared.names),
        "notices": tables.notices(problems.notices),
        "observations": prepared.observations,
    }
    own = prepared.series_observations
    return records if own is None else records | {"outlook_observations": own}
