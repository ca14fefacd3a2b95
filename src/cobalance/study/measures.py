"""The chapter of what can be done: past errors, levers, conversion of own land, scenarios, compensation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from cobalance.accounts import compensation, conversion, levers
from cobalance.accounts.ecological_land import convertible_land, ecological_rate
from cobalance.accounts.groups import group_total
from cobalance.accounts.totals import total_along
from cobalance.coefficients import Coefficients
from cobalance.outlook.backtest import backtest, backtest_scores
from cobalance.spatial.points import geographic_centroids
from cobalance.study import accounts, future
from cobalance.study.spec import Compensation, EcologicalLand, Multiplier, Outlook, Scenario

TARGETS = ("carbon", "oxygen")
BURDENS = {"carbon": "outlook_carbon_emission", "oxygen": "outlook_oxygen_consumption"}
CAPACITIES = {"carbon": "carbon_sequestration", "oxygen": "oxygen_release"}
BASELINE = "baseline"

Burden = Mapping[str, xr.DataArray]
"""Target → (region, source) of the target year."""


def outlook_backtest(series: xr.DataArray, settings: Outlook) -> xr.Dataset | None:
    """Scores of past forecasts by model, activity and horizon; None where the series leaves no year to compare with.

    series  (region, activity, year); the windows are as long as the outlook's own, or shorter where the series is
    """
    years = series["year"].values
    own = settings.window[1] - settings.window[0] + 1
    length = min(own, len(years) - 1 if len(years) <= own else own)
    longest = int(years[-1] - years[0]) + 1 - length
    if length < 5:
        return None
    horizons = range(1, max(1, min(settings.target - settings.window[1], longest)) + 1)
    found = backtest(series, window_length=length, horizons=horizons, models=settings.models)
    return backtest_scores(found)


def group_ecological_land(land: xr.Dataset, groups: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """Ecological land of groups: the standard and the needed land of the members added up, the gap formed last."""
    standard, needed = (
        group_total(land[name], groups) for name in ("standard_ecological_land", "needed_ecological_land")
    )
    ratio = needed / standard.where(standard > 0)
    gap = ((ratio - 1) * 100).where(~(ratio < 1), 0.0)
    return xr.Dataset(
        {
            "group_standard_ecological_land": standard,
            "group_needed_ecological_land": needed,
            "group_ecological_land_gap": gap.assign_attrs(units="%"),
        }
    )


def closing_levers(burden: Burden, capacity: Burden, phi: float) -> xr.Dataset:
    """What each lever alone has to do to close a region's gap, for both targets (target, region[, source])."""
    found = [levers.closing_levers(burden[target], capacity[target], phi) for target in TARGETS]
    for one, target in zip(found, TARGETS, strict=True):
        one["closing_switch"] = _closing_switch(burden, capacity[target], phi, target)
        # the two targets' masses are different substances: each keeps its unit in its own column
        for name in ("compensation", "excess_burden"):
            one[name].attrs.clear()
    return xr.concat(found, "target", join="exact", combine_attrs="drop_conflicts").assign_coords(target=list(TARGETS))


def _closing_switch(burden: Burden, capacity: xr.DataArray, phi: float, target: str) -> xr.DataArray:
    """Share of coal's heat that gas has to give; NaN where the study lacks either fuel."""
    sources = set(map(str, burden["carbon"]["source"].values))
    if not {"coal", "natural_gas"} <= sources:
        return xr.full_like(capacity, np.nan).assign_attrs(units="%")
    ratio = GAS_FOR_COAL if target == "carbon" else GAS_FOR_COAL * _oxygen_ratio(burden)
    return levers.closing_switch(burden[target], capacity, ratio, phi)


GAS_FOR_COAL = 15.3 / 25.8
"""Carbon of natural gas for the same heat of bituminous coal: IPCC 2006 Guidelines vol. 2, table 1.3 (kg C / GJ)."""


def _oxygen_ratio(burden: Burden) -> float:
    """Oxygen per carbon of natural gas over that of coal, as the study's own oxidative ratios have it."""
    per_carbon = {
        fuel: float(burden["oxygen"].sel(source=fuel).sum() / burden["carbon"].sel(source=fuel).sum())
        for fuel in ("coal", "natural_gas")
    }
    return per_carbon["natural_gas"] / per_carbon["coal"]


def conversion_plan(
    land_area: xr.DataArray, rates: Mapping[str, xr.DataArray], land: xr.Dataset, settings: EcologicalLand
) -> xr.Dataset:
    """The least area of own land, by class, whose conversion closes the gaps of both targets."""
    caps = future.conversion_caps(land_area, settings)
    chosen = {target: ecological_rate(rate, settings.classes) for target, rate in rates.items()}
    convertible = convertible_land(land_area, chosen["carbon"], caps)
    return conversion.least_cost_conversion(
        convertible, chosen, land["ecological_land_shortfall"], reference=settings.reference, into=[settings.reference]
    )


def compensated(
    burden: xr.DataArray,
    capacity: xr.DataArray,
    phi: float,
    regions: gpd.GeoDataFrame,
    groups: Mapping[str, Sequence[str]],
    settings: Compensation,
) -> tuple[xr.Dataset, xr.DataArray]:
    """Flows from regions with a surplus to those with a deficit, and what they pay at the study's price.

    burden, capacity  (region) of the chosen target
    """
    balance = compensation.compensation_balance(burden, capacity, phi)
    centres = geographic_centroids(regions)
    labels = {"region": regions.index.to_numpy(object)}
    longitude, latitude = (xr.DataArray(centres[:, axis], labels, ["region"]) for axis in (0, 1))
    distance = compensation.region_distance(longitude, latitude)
    first = groups if settings.first_within_groups else None
    flows = compensation.compensation_flows(balance["deficit"], balance["surplus"], distance, first_within=first)
    return flows, compensation.compensation_payments(flows, settings.price)


def scenario_table(
    scenarios: Mapping[str, Scenario],
    inputs: xr.Dataset,
    coefficients: Coefficients,
    base: tuple[xr.DataArray, tuple[xr.DataArray, xr.DataArray]],
    settings: tuple[EcologicalLand, int],
    groups: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Burden, balance and gap of the target year in each scenario, the study's own course first.

    inputs  of the target year; base  land_area (region, land_class) of the base year and the rates of both targets
    """
    land_area, rates = base
    ecological, target_year = settings
    everyone = {**groups, "total": [str(region) for region in land_area["region"].values]}
    frames = []
    for name, scenario in {BASELINE: Scenario(en="Baseline", zh="基准情景"), **scenarios}.items():
        area = _multiplied(land_area, scenario.land, "land_class", target_year)
        changed = tuple(_multiplied(rate, scenario.rates, "land_class", target_year) for rate in rates)
        burden = accounts.burdens(_changed_inputs(inputs, scenario, target_year), coefficients)
        at_target = tuple(part.isel(year=0, drop=True) for part in burden)
        own = ecological if scenario.phi is None else ecological.model_copy(update={"phi": scenario.phi})
        land = future.land_needed(area, (changed[0], changed[1]), (at_target[0], at_target[1]), own)
        frames.append(_scenario_frame(name, at_target, land, everyone))
    return pd.concat(frames, ignore_index=True)


def check_scenarios(
    scenarios: Mapping[str, Scenario], activities: Sequence[str], classes: Sequence[str], add: future.AddUnknown
) -> None:
    """Tell ``add`` of each activity or land class that a scenario names and the study does not have."""
    for name, scenario in scenarios.items():
        for label in scenario.activities:
            if label not in activities:
                add(("scenarios", name, "activities", label), label, activities, "an activity", "活动水平")
        for key in ("land", "rates"):
            for label in getattr(scenario, key):
                if label not in classes:
                    add(("scenarios", name, key, label), label, classes, "a land class", "地类")


def _scenario_frame(
    name: str, burden: tuple[xr.DataArray, ...], land: xr.Dataset, groups: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    totals = [total_along(part, "source").assign_attrs(part.attrs) for part in burden]
    parts = [
        *_both(totals[0].rename("carbon_emission"), groups),
        *_both(totals[1].rename("oxygen_consumption"), groups),
    ]
    grouped = group_ecological_land(land, groups)
    for position, target in enumerate(TARGETS):
        gap = f"ecological_land_gap_{target}"
        parts.append(land["ecological_land_gap"].isel(target=position, drop=True).rename(gap))
        group_gap = grouped["group_ecological_land_gap"].isel(target=position, drop=True)
        parts.append(group_gap.rename(group="region").rename(gap))
    frames = [
        pd.DataFrame({"region": part["region"].values, "variable": part.name, "value": part.values}).assign(
            unit=part.attrs["units"]
        )
        for part in parts
    ]
    return pd.concat(frames, ignore_index=True).assign(scenario=name)


def _both(total: xr.DataArray, groups: Mapping[str, Sequence[str]]) -> tuple[xr.DataArray, xr.DataArray]:
    return total, group_total(total, groups).rename(group="region")


def _changed_inputs(inputs: xr.Dataset, scenario: Scenario, year: int) -> xr.Dataset:
    """Inputs of the target year with a scenario's multipliers on fuels, sources, cement and population."""
    result = inputs.copy()
    for variable, dim in (("fuel_use", "fuel"), ("carbon_emission", "source")):
        if variable in inputs:
            result[variable] = _multiplied(inputs[variable], scenario.activities, dim, year)
    for variable, label in (("cement_output", accounts.CEMENT), ("population", future.POPULATION)):
        if variable in inputs and label in scenario.activities:
            factor = multiplier(scenario.activities[label], year)
            result[variable] = (inputs[variable] * factor).assign_attrs(inputs[variable].attrs)
    return result


def _multiplied(data: xr.DataArray, factors: Mapping[str, Multiplier], dim: str, year: int) -> xr.DataArray:
    labels = [str(label) for label in data[dim].values]
    values = [multiplier(factors[label], year) if label in factors else 1.0 for label in labels]
    return (data * xr.DataArray(values, coords={dim: data[dim].values}, dims=dim)).assign_attrs(data.attrs)


def multiplier(path: Multiplier, year: int) -> float:
    """A scenario's multiplier in ``year``: a number, or the line through a path of years (held beyond its ends)."""
    if not isinstance(path, dict):
        return float(path)
    years = sorted(path)
    return float(np.interp(year, years, [path[at] for at in years]))
