"""Further sources and sinks: what may be added to an account, with what factor, and what must not be counted twice.

The registry (``sources.csv``) and the overlaps (``overlaps.csv``) are data: a row more is a source more. A source that
is in neither may be added all the same; it is then only not checked for double counting.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import resources

import pandas as pd
import xarray as xr

from cobalance.vocabulary.errors import Place, Problems
from cobalance.vocabulary.units import quantities

LAND = "land"
"""How the overlaps call what the land takes up."""


def source_registry() -> pd.DataFrame:
    """Every further source and sink that is known by name.

    source, kind (``source`` or ``sink``), name_en, name_zh, unit of the activity, quantity of the coefficient tables
    that holds its factor ("" where no shipped set has one), oxygen (``oxygen_per_carbon``: by the oxidative ratio;
    ``own``: a ratio of its own has to be given; ``none``: it uses no oxygen), note_en, note_zh
    """
    return _read("sources.csv").copy()


def double_counting(sources: Collection[str], basis: str, place: Place | None = None) -> Problems:
    """Notices (W854) for sources that hold the same carbon, each pair by name and with the reason.

    sources  labels of the account's sources: fuels, cement, respiration, further ones
    basis    ``gross`` or ``net``: of the rates at which the land takes up carbon
    """
    known = _read("overlaps.csv")
    present = {*sources, LAND}
    hit = known[known["one"].isin(present) & known["other"].isin(present) & known["basis"].isin(["", basis])]
    problems = Problems()
    for (one, why, why_zh), rows in hit.groupby(["one", "why_en", "why_zh"], sort=False):
        others = rows["other"].tolist()
        named = ["the land's net sink" if other == LAND else other for other in others]
        named_zh = ["土地净碳汇" if other == LAND else other for other in others]
        problems.add("W854", place, one=one, others=named, others_zh=named_zh, why=why, why_zh=why_zh)
    return problems


@quantities(activity="{source_unit} / yr", factor="t C / {source_unit}", returns="t C / yr")
def source_carbon_emission(activity: xr.DataArray, factor: xr.DataArray) -> xr.DataArray:
    """Carbon that further sources release.

    activity  (region, year, source)            {source_unit} / yr, each source in its own unit
    factor    (source [, region] [, year][, draw])  t C / {source_unit}; a factor in t CO2 is converted
    returns   (region, year, source[, draw])    t C / yr

        E[r, t, i] = A[r, t, i] · c[i]

    A sink has a negative factor. Raises E201–E204.
    """
    carbon = (activity * factor).transpose(*activity.dims, ...)
    return carbon.drop_vars("source_unit", errors="ignore")


@quantities(carbon="t C / yr", oxygen_per_carbon="t O2 / t C", returns="t O2 / yr")
def source_oxygen_consumption(carbon: xr.DataArray, oxygen_per_carbon: xr.DataArray) -> xr.DataArray:
    """Oxygen that further sources use.

    carbon             (region, year, source)  t C / yr
    oxygen_per_carbon  (source[, draw])        t O2 / t C; calcined: 0, breathed: 32/12 ÷ respiratory quotient
    returns            (region, year, source)  t O2 / yr

        O[r, t, i] = E[r, t, i] · x[i]

    Raises E201–E204.
    """
    return (carbon * oxygen_per_carbon).transpose(*carbon.dims, ...)


@quantities(process_carbon="t C / yr", share="1", returns="t C / yr")
def cement_carbonation(process_carbon: xr.DataArray, share: xr.DataArray | float) -> xr.DataArray:
    """Carbon that concrete and mortar take up again in a year.

    process_carbon  (region, year)  t C / yr, of making cement
    share           ([year])        1, of the same year's process carbon
    returns         (region, year)  t C / yr

        U[r, t] = s[t] · E[r, t, cement]

    The share is a nation's: cement that was made in one region is built in at another. Raises E201–E204. Source: Guo et
    al. 2021, doi 10.5194/essd-13-1791-2021.
    """
    return process_carbon * share


@cache
def _read(name: str) -> pd.DataFrame:
    with (resources.files("cobalance.uncertainty") / name).open("r", encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)
