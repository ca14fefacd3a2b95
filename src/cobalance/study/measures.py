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
from cobalance.accounts.scenarios import AS_FORECAST, Conversion, Scenario, scenario_burdens, scenario_outcomes
from cobalance.accounts.totals import total_along
from cobalance.outlook.backtest import backtest
from cobalance.outlook.ensemble import ENSEMBLE
from cobalance.outlook.intervals import backtest_coverage, outlook_intervals
from cobalance.spatial.points import geographic_centroids
from cobalance.study import future
from cobalance.study.spec import Compensation, EcologicalLand, Outlook
from cobalance.study.spec import Scenario as ScenarioKeys

LEVEL = 0.8
"""Share of outcomes that an interval of the outlook is to hold."""

TARGETS = ("carbon", "oxygen")
CAPACITIES = {"carbon": "carbon_sequestration", "oxygen": "oxygen_release"}

Burden = Mapping[str, xr.DataArray]
"""Target → (region, source) of the target year."""


def outlook_backtest(series: xr.DataArray, settings: Outlook) -> xr.Dataset | None:
    """Past forecasts beside what happened; None where the series leaves no year to compare with.

    series  (region, activity, year); the windows are as long as the outlook's own, or shorter where the series is
    """
    years = series["year"].values
    own = settings.window[1] - settings.window[0] + 1
    length = min(own, len(years) - 1 if len(years) <= own else own)
    longest = int(years[-1] - years[0]) + 1 - length
    if length < 5:
        return None
    horizons = range(1, max(1, min(settings.target - settings.window[1], longest)) + 1)
    return backtest(series, window_length=length, horizons=horizons, models=settings.models)


def ensemble_intervals(forecast: xr.Dataset, tested: xr.Dataset) -> xr.Dataset:
    """``outlook_lower`` and ``outlook_upper`` (region, activity, outlook_year, level) of the combined forecast."""
    return outlook_intervals(forecast, tested)[["outlook_lower", "outlook_upper"]].sel(model=ENSEMBLE, drop=True)


def coverage(tested: xr.Dataset) -> xr.DataArray:
    """How often outcomes fell within the 80 % interval made without them; missing where one origin leaves no other."""
    if tested.sizes["origin"] > 1:
        return backtest_coverage(tested, LEVEL).rename("coverage_80")
    forecast = tested["forecast"].isel(region=0, origin=0, drop=True)
    return xr.full_like(forecast, np.nan).rename("coverage_80").drop_attrs()


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
    """Oxygen per carbon of natural gas over that of coal, where both are known; NaN where none burns."""
    per_carbon = []
    for fuel in ("natural_gas", "coal"):
        carbon, oxygen = (burden[target].sel(source=fuel) for target in TARGETS)
        known = carbon.notnull() & oxygen.notnull()
        released = float(carbon.where(known, 0).sum())
        per_carbon.append(float(oxygen.where(known, 0).sum()) / released if released > 0 else np.nan)
    return per_carbon[0] / per_carbon[1]


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
    scenarios: Sequence[Scenario],
    year: int,
    burdens: Burden,
    base: tuple[xr.DataArray, Mapping[str, xr.DataArray]],
    settings: EcologicalLand,
    groups: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """Burden and gap of the target year in each scenario, for regions and groups, the plain forecast first.

    burdens  target → (region, source) of the target year
    base     land_area (region, land_class) of the base year, and target → rates
    """
    land_area, rates = base
    everyone = {**groups, "total": [str(region) for region in land_area["region"].values]}
    outcomes = scenario_outcomes(
        scenarios,
        year,
        land_area=land_area,
        rates={target: ecological_rate(rate, settings.classes) for target, rate in rates.items()},
        burdens=burdens,
        phi=settings.phi,
        reference=settings.reference,
        caps=future.conversion_caps(land_area, settings),
    )
    named = {AS_FORECAST: Scenario(AS_FORECAST), **{scenario.name: scenario for scenario in scenarios}}
    frames = []
    for name, scenario in named.items():
        changed = scenario_burdens(scenario, burdens, year)
        frames.append(_scenario_frame(changed, outcomes.sel(scenario=name, drop=True), everyone).assign(scenario=name))
    return pd.concat(frames, ignore_index=True)


def named_scenarios(scenarios: Mapping[str, ScenarioKeys]) -> list[Scenario]:
    """The study file's scenarios for the accounts."""
    return [
        Scenario(
            name,
            activity=keys.activities,
            land_class=keys.land,
            rate=keys.rates,
            convert=[Conversion(one.from_class, one.to_class, one.share) for one in keys.convert],
        )
        for name, keys in scenarios.items()
    ]


def _scenario_frame(burdens: Burden, land: xr.Dataset, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    grouped = group_ecological_land(land, groups)["group_ecological_land_gap"].rename(group="region")
    parts = []
    for target, name in (("carbon", "carbon_emission"), ("oxygen", "oxygen_consumption")):
        total = total_along(burdens[target], "source").assign_attrs(burdens[target].attrs)
        parts += [part.rename(name) for part in (total, group_total(total, groups).rename(group="region"))]
    for target in TARGETS:
        own = land["ecological_land_gap"], grouped
        parts += [part.sel(target=target, drop=True).rename(f"ecological_land_gap_{target}") for part in own]
    frames = [
        pd.DataFrame({"region": part["region"].values, "variable": part.name, "value": part.values}).assign(
            unit=part.attrs["units"]
        )
        for part in parts
    ]
    return pd.concat(frames, ignore_index=True)
