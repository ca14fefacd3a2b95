"""The chapters of outlook and ecological land: activities to the target year, the burden then, the land it needs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.accounts.ecological_land import ecological_land, ecological_rate
from cobalance.accounts.totals import total_along
from cobalance.coefficients import Coefficients
from cobalance.outlook.backtest import backtest, backtest_errors
from cobalance.outlook.combination import NEED_ERRORS
from cobalance.outlook.ensemble import ENSEMBLE, outlook
from cobalance.study import accounts
from cobalance.study.accounts import CEMENT, burdens
from cobalance.study.spec import EcologicalLand, Outlook
from cobalance.vocabulary.errors import Place, Problems

POPULATION = "population"
LAST_VALUE_HELD = "last value held"
CONVERTIBLE = ("cropland", "grassland", "garden", "shrub", "barren")
"""Classes that could become the reference class where the study says nothing: neither cities, water nor wetland."""


def activities(inputs: xr.Dataset) -> xr.DataArray:
    """Every activity and inventory source along one dimension, each in its own unit.

    inputs   fuel_use (region, year, fuel), cement_output, population (region, year), carbon_emission (…, source)
    returns  (region, activity, year) in ``{activity_unit}``, with the coordinate activity_unit(activity)
    """
    parts: list[xr.DataArray] = []
    unit: list[str] = []
    if "fuel_use" in inputs:
        fuel_use = inputs["fuel_use"]
        parts.append(fuel_use.drop_vars("fuel_unit").rename(fuel="activity"))
        unit += [fuel_use.attrs["units"].format(fuel_unit=text) for text in fuel_use["fuel_unit"].values]
    if "carbon_emission" in inputs:
        parts.append(inputs["carbon_emission"].rename(source="activity"))
        unit += [inputs["carbon_emission"].attrs["units"]] * inputs.sizes["source"]
    for variable, label in (("cement_output", CEMENT), (POPULATION, POPULATION)):
        if variable in inputs:
            parts.append(inputs[variable].expand_dims(activity=np.array([label], dtype=object)))
            unit.append(inputs[variable].attrs["units"])
    joined = xr.concat(parts, "activity", join="exact", coords="minimal", compat="override", combine_attrs="drop")
    joined = joined.transpose("region", "activity", "year", ...).rename("activity")
    labels = {"activity": joined["activity"].values.astype(object)}
    joined = joined.assign_coords(labels).assign_coords(activity_unit=("activity", np.array(unit, dtype=object)))
    return joined.assign_attrs(units="{activity_unit}")


def check_outlook(settings: Outlook, series: xr.DataArray, problems: Problems, place: Place) -> None:
    """Add E112 where the window reaches beyond the years of the series."""
    years = series["year"].values
    if settings.window[0] < years.min() or settings.window[1] > years.max():
        problems.add("E112", place, window=list(settings.window), found=f"{years.min()}–{years.max()}")


def study_outlook(series: xr.DataArray, settings: Outlook) -> xr.Dataset:
    """Observed series of the window and what each model makes of them, year by year to the target."""
    first, last = settings.window
    errors = None
    if settings.combination in NEED_ERRORS:
        length = last - first
        past = backtest(series, window_length=length, horizons=[1], models=settings.models)
        errors = backtest_errors(past)
    result = outlook(
        series,
        window=settings.window,
        years=list(range(last + 1, settings.target + 1)),
        models=settings.models,
        combination=settings.combination,
        errors=errors,
    )
    observed = series.sel(year=slice(first, last)).rename(year="window_year").rename("outlook_observed")
    result = accounts.joined(result, observed)
    return _with_last_value(result) if settings.fallback == "last value" else result


def _with_last_value(forecast: xr.Dataset) -> xr.Dataset:
    """The ensemble holds the last observed value where no model applies, and its reason says so."""
    value, reason = forecast["outlook"], forecast["outlook_reason"]
    last = forecast["outlook_observed"].reduce(_last_value, "window_year")
    held = value.isnull().all("outlook_year") & (value["model"] == ENSEMBLE) & last.notnull()
    return forecast.assign(
        outlook=value.where(~held, last).transpose(*value.dims).assign_attrs(value.attrs),
        outlook_reason=reason.astype(object).where(~held, LAST_VALUE_HELD),
    )


def _last_value(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The last value along ``axis`` that is not missing."""
    later_first = np.flip(values, axis)
    position = np.expand_dims(np.argmax(np.isfinite(later_first), axis), axis)
    found: NDArray[np.float64] = np.take_along_axis(later_first, position, axis).squeeze(axis)
    return found


def target_inputs(inputs: xr.Dataset, forecast: xr.Dataset, settings: Outlook, base_year: int) -> xr.Dataset:
    """The inputs of the target year: the ensemble itself, or its growth since the base year times that year's input.

    returns  the variables of ``inputs`` with ``year`` = the target year alone
    """
    ensemble = forecast["outlook"].sel(model=ENSEMBLE, drop=True)
    target = ensemble.sel(outlook_year=settings.target, drop=True)
    if settings.apply == "growth":
        own = activities(inputs.drop_vars("land_area", errors="ignore"))
        base = own.sel(year=base_year, drop=True)
        target = base * growth_since(forecast, settings.target, base_year).reindex_like(base)
    return _as_inputs(target, inputs, settings.target)


def growth_since(forecast: xr.Dataset, target: int, base_year: int) -> xr.DataArray:
    """Target over base year within the outlook's own series; a series that stays at zero has growth 1."""
    ensemble = forecast["outlook"].sel(model=ENSEMBLE, drop=True)
    observed = forecast["outlook_observed"]
    if base_year in observed["window_year"].values:
        base = observed.sel(window_year=base_year, drop=True)
    else:
        base = ensemble.sel(outlook_year=base_year, drop=True)
    later = ensemble.sel(outlook_year=target, drop=True)
    ratio = later / base.where(base != 0)
    return ratio.where((base != 0) | (later != 0), 1.0).where(base.notnull() & later.notnull())


def target_burdens(inputs: xr.Dataset, coefficients: Coefficients) -> tuple[xr.DataArray, xr.DataArray]:
    """Carbon emission and oxygen consumption of the target year by (region, source)."""
    carbon, oxygen = burdens(inputs, coefficients)
    return (
        carbon.isel(year=0, drop=True).rename("outlook_carbon_emission"),
        oxygen.isel(year=0, drop=True).rename("outlook_oxygen_consumption"),
    )


def land_needed(
    land_area: xr.DataArray,
    rates: tuple[xr.DataArray, xr.DataArray],
    burden: tuple[xr.DataArray, xr.DataArray],
    settings: EcologicalLand,
) -> xr.Dataset:
    """Ecological land of the base year against what the burden needs, for the carbon and the oxygen target.

    land_area  (region, land_class)          ha, of the base year
    rates      (land_class) each             t C / ha / yr, t O2 / ha / yr
    burden     (region, source) each         t C / yr, t O2 / yr
    """
    totals = [total_along(part, "source").assign_attrs(part.attrs) for part in burden]
    chosen = [ecological_rate(rate, settings.classes) for rate in rates]
    return ecological_land(
        land_area,
        dict(zip(("carbon", "oxygen"), chosen, strict=True)),
        dict(zip(("carbon", "oxygen"), totals, strict=True)),
        phi=settings.phi,
        reference=settings.reference,
        caps=conversion_caps(land_area, settings),
    )


def conversion_caps(land_area: xr.DataArray, settings: EcologicalLand) -> xr.DataArray:
    """Share of each class that may become the reference class (land_class), 1."""
    shares = settings.convertible or dict.fromkeys(CONVERTIBLE, 1.0)
    return xr.DataArray(
        [shares.get(str(label), 0.0) for label in land_area["land_class"].values],
        coords={"land_class": land_area["land_class"].values},
        dims="land_class",
        attrs={"units": "1"},
    )


def _as_inputs(target: xr.DataArray, inputs: xr.Dataset, year: int) -> xr.Dataset:
    """Activities of one year back in the shape of the inputs."""
    at_year = target.drop_vars("activity_unit", errors="ignore").expand_dims(year=[year])
    result = xr.Dataset()
    if "fuel_use" in inputs:
        fuels = inputs["fuel_use"]["fuel"]
        fuel_use = at_year.sel(activity=fuels.values).rename(activity="fuel").transpose("region", "year", "fuel", ...)
        result["fuel_use"] = fuel_use.assign_coords(fuel_unit=inputs["fuel_unit"]).assign_attrs(
            inputs["fuel_use"].attrs
        )
    if "carbon_emission" in inputs:
        sources = inputs["carbon_emission"]["source"].values
        inventory = at_year.sel(activity=sources).rename(activity="source").transpose("region", "year", "source", ...)
        result["carbon_emission"] = inventory.assign_attrs(inputs["carbon_emission"].attrs)
    for variable, label in (("cement_output", CEMENT), (POPULATION, POPULATION)):
        if variable in inputs:
            single = at_year.sel(activity=label, drop=True).transpose("region", "year", ...)
            result[variable] = single.assign_attrs(inputs[variable].attrs)
    return result
