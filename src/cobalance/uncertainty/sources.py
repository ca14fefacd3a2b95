"""Further sources and sinks: what may be added to an account, with what factor, and what must not be counted twice.

A further source goes the way of the fuels: rows ``fuel_use lime`` in the tables, a row ``emission_factor lime`` and
one ``oxygen_per_carbon lime`` (0 for what is calcined) in a coefficient set, with the bounds from which it is drawn.
The registry (``sources.csv``) and the overlaps (``overlaps.csv``) are data: a row more is a source more. A source that
is in neither may be added all the same; it is then only not checked for double counting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

import pandas as pd
import xarray as xr

from cobalance.vocabulary.errors import Place, Problems
from cobalance.vocabulary.units import quantities

LAND = "land"
"""How the overlaps call what the land takes up."""
LAND_EN, LAND_ZH = "the land's net sink", "土地净碳汇"


def source_registry() -> pd.DataFrame:
    """Every further source and sink that is known by name.

    source, kind (``source`` or ``sink``), name_en, name_zh, unit of the activity, quantity of the coefficient tables
    that holds its factor, factor (``shipped``: some set has one; ``own``: one has to be given), oxygen (``ratio``: by
    an oxidative ratio that a set has; ``own``: a ratio has to be given; ``none``: it uses no oxygen), note_en, note_zh
    """
    return _read("sources.csv").copy()


def double_counting(
    sources: Collection[str], basis: str, place: Place | None = None, *, chinese: Mapping[str, str] | None = None
) -> Problems:
    """Notices (W854) for sources that hold the same carbon, each pair by name and with the reason.

    sources  labels of the account's sources: fuels, cement, respiration, further ones
    basis    ``gross`` or ``net``: of the rates at which the land takes up carbon
    chinese  what the labels are called in Chinese; those of the registry are known
    """
    known = _read("overlaps.csv")
    present = {*sources, LAND}
    hit = known[known["one"].isin(present) & known["other"].isin(present) & known["basis"].isin(["", basis])]
    registry = _read("sources.csv")
    words = dict(zip(registry["source"], registry["name_zh"], strict=True)) | dict(chinese or {}) | {LAND: LAND_ZH}
    problems = Problems()
    for (one, why, why_zh), rows in hit.groupby(["one", "why_en", "why_zh"], sort=False):
        others = rows["other"].tolist()
        details = {"one_zh": words.get(one, one), "others_zh": "、".join(words.get(other, other) for other in others)}
        named = [LAND_EN if other == LAND else other for other in others]
        problems.add("W854", place, one=one, others=named, why=why, why_zh=why_zh, **details)
    return problems


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
