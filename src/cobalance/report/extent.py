"""The ecosystem extent account of the SEEA EA: opening extent, additions, reductions, closing extent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from cobalance.report.facts import Facts

COLUMNS = (
    "region",
    "name_zh",
    "name_en",
    "land_class",
    "opening_year",
    "closing_year",
    "opening_ha",
    "additions_ha",
    "reductions_ha",
    "net_change_ha",
    "closing_ha",
    "basis",
)
BASIS = "net"
NOT_SURVEYED = ("held", "interpolated", "missing")


def extent_account(facts: Facts) -> pd.DataFrame:
    """One row a region, land class and accounting period, the sum of the classes as ``all``.

        closing = opening + additions − reductions

    The periods run between years of which some area is a survey's (observed or estimated): an interpolated or held
    area tells of no change. Areas by class say only what a class gained or lost in all, so additions and reductions
    are *net* (column ``basis``): a hectare lost here and one gained there cancel. Empty where the land has fewer than
    two such years. Source: UN 2021, System of Environmental-Economic Accounting: Ecosystem Accounting, chapter 4.
    """
    land = facts.table("land_area")
    years = surveyed_years(land)
    if len(years) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    keys = ["region", "name_zh", "name_en", "land_class"]
    wide = land[land["year"].isin(years)].pivot_table("value", keys, "year", dropna=False, sort=False, aggfunc="first")
    wide = wide[wide.index.isin(land.set_index(keys).index)]
    known = wide.notna().groupby(level=keys[:3], sort=False).all()
    whole = wide.groupby(level=keys[:3], sort=False).sum().where(known)
    whole = whole.assign(land_class="all").set_index("land_class", append=True)
    both = pd.concat([wide, whole])
    frames = [_period(both, opening, closing) for opening, closing in pairwise(years)]
    order = {code: position for position, code in enumerate(facts.regions)}
    table = pd.concat(frames, ignore_index=True)
    return table.sort_values("region", key=lambda codes: codes.map(order), kind="stable").reset_index(drop=True)


def surveyed_years(land: pd.DataFrame) -> list[int]:
    """Years in which some region's area was surveyed, not held from another year or interpolated."""
    if land.empty:
        return []
    return sorted({int(year) for year in land.loc[~land["flag"].isin(NOT_SURVEYED), "year"]})


def _period(areas: pd.DataFrame, opening: int, closing: int) -> pd.DataFrame:
    first, last = areas[opening].to_numpy(float), areas[closing].to_numpy(float)
    change = last - first
    entries = {
        "opening_year": opening,
        "closing_year": closing,
        "opening_ha": first,
        "additions_ha": np.where(np.isnan(change), np.nan, np.maximum(change, 0.0)),
        "reductions_ha": np.where(np.isnan(change), np.nan, np.maximum(-change, 0.0)),
        "net_change_ha": change,
        "closing_ha": last,
        "basis": BASIS,
    }
    return areas.index.to_frame(index=False).assign(**entries).reindex(columns=list(COLUMNS))
