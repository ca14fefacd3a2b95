"""What people release and use: fuels, cement, breathing, or an inventory of their own."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from cobalance.vocabulary.units import quantities


@quantities(fuel_use="{fuel_unit} / yr", emission_factor="t C / {fuel_unit}", returns="t C / yr")
def fuel_carbon_emission(fuel_use: xr.DataArray, emission_factor: xr.DataArray) -> xr.DataArray:
    """Carbon released by burning each fuel.

    fuel_use         (region, year, fuel)             {fuel_unit} / yr, each fuel in its own unit
    emission_factor  (fuel [, region] [, year])       t C / {fuel_unit}
    returns          (region, year, fuel)             t C / yr

        E[r, t, i] = F[r, t, i] · c[i]

    Raises E201–E204. Source: IPCC 2006 Guidelines vol. 2, tier 1 and 2.
    """
    return _without_units(fuel_use * emission_factor).transpose(*fuel_use.dims, ...)


@quantities(carbon="t C / yr", oxygen_per_carbon="t O2 / t C", returns="t O2 / yr")
def combustion_oxygen_consumption(carbon: xr.DataArray, oxygen_per_carbon: xr.DataArray) -> xr.DataArray:
    """Oxygen used by the burning that released ``carbon``.

    carbon             (region, year, fuel)  t C / yr
    oxygen_per_carbon  (fuel)                t O2 / t C, 32/12 times the oxidative ratio
    returns            (region, year, fuel)  t O2 / yr

        O[r, t, i] = E[r, t, i] · 32/12 · OR[i]

    Raises E201–E204. Source: Keeling 1988; Steinbach et al. 2011, doi 10.5194/acp-11-6855-2011.
    """
    return (carbon * oxygen_per_carbon).transpose(*carbon.dims, ...)


@quantities(cement_output="t / yr", cement_factor="t C / t", returns="t C / yr")
def cement_carbon_emission(cement_output: xr.DataArray, cement_factor: xr.DataArray) -> xr.DataArray:
    """Process carbon of cement making: limestone gives up its CO2, and no oxygen is used.

    cement_output  (region, year)  t / yr
    cement_factor  ([year])        t C / t
    returns        (region, year)  t C / yr

        E[r, t, cement] = cement[r, t] · c[t]

    Raises E201–E204. Source: IPCC 2006 Guidelines vol. 3 ch. 2; Andrew 2019, doi 10.5194/essd-11-1675-2019.
    """
    return (cement_output * cement_factor).transpose(*cement_output.dims, ...)


@quantities(population="person", respiration_carbon="t C / person / yr", returns="t C / yr")
def respiration_carbon_emission(population: xr.DataArray, respiration_carbon: xr.DataArray) -> xr.DataArray:
    """Carbon that people breathe out.

    population          (region, year)  person
    respiration_carbon  ()              t C / person / yr
    returns             (region, year)  t C / yr

        E[r, t, respiration] = P[r, t] · c

    Raises E201–E204. Source: the paper's account of carbon release.
    """
    return population * respiration_carbon


@quantities(population="person", respiration_oxygen="t O2 / person / yr", returns="t O2 / yr")
def respiration_oxygen_consumption(population: xr.DataArray, respiration_oxygen: xr.DataArray) -> xr.DataArray:
    """Oxygen that people breathe in.

    population          (region, year)  person
    respiration_oxygen  ()              t O2 / person / yr
    returns             (region, year)  t O2 / yr

        O[r, t, respiration] = P[r, t] · x

    Raises E201–E204. Source: the paper's account of oxygen consumption.
    """
    return population * respiration_oxygen


def by_source(parts: Sequence[xr.DataArray], name: str) -> xr.DataArray:
    """Fuels, cement and breathing along one dimension ``source``.

    parts    each (region, year, fuel) or (region, year) with its source's name, all in one unit
    returns  (region, year, source) in that unit

    A part without a ``fuel`` dimension is one source and is named by its ``source`` coordinate. Sources are never
    added here: a region whose cement is missing has a missing cement, not a smaller total.
    """
    unit = {part.attrs["units"] for part in parts}
    if len(unit) != 1:
        raise ValueError(f"sources in several units: {sorted(unit)}")
    aligned = [_as_source(part) for part in parts]
    joined = xr.concat(aligned, "source", join="exact", coords="minimal", compat="override", combine_attrs="drop")
    joined = joined.assign_coords(source=joined["source"].values.astype(object))
    return joined.transpose("region", "year", "source", ...).rename(name).assign_attrs(units=unit.pop())


def zero_consumption(carbon: xr.DataArray) -> xr.DataArray:
    """The oxygen of a source that releases carbon without burning, such as cement: zero where the carbon is known.

    carbon   (region, year)  t C / yr
    returns  (region, year)  t O2 / yr, NaN where ``carbon`` is missing

    Source: calcination, CaCO3 → CaO + CO2, takes no O2 from the air.
    """
    return xr.zeros_like(carbon).where(carbon.notnull()).assign_attrs(units="t O2 / yr")


def _as_source(part: xr.DataArray) -> xr.DataArray:
    renamed = part.rename(fuel="source") if "fuel" in part.dims else part.expand_dims("source")
    return _without_units(renamed)


def _without_units(data: xr.DataArray) -> xr.DataArray:
    """Drop the coordinate of the fuels' units, which a mass of carbon no longer has."""
    return data.drop_vars("fuel_unit", errors="ignore")
