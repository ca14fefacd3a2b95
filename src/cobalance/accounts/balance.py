"""The balance coefficients, and why one is undefined."""

from __future__ import annotations

import numpy as np
import scipy.stats
import xarray as xr

from cobalance.accounts.totals import total_along
from cobalance.vocabulary.units import quantities

MISSING_BURDEN = "burden missing"
MISSING_CAPACITY = "capacity missing"
ZERO_CAPACITY = "capacity zero"
NEGATIVE_CAPACITY = "capacity negative"

REASONS = {
    "": {"en": "", "zh": ""},
    MISSING_BURDEN: {
        "en": "emission or consumption is missing for some source",
        "zh": "部分排放源或耗氧源缺数据",
    },
    MISSING_CAPACITY: {"en": "the area of some land class is missing", "zh": "部分地类缺面积数据"},
    ZERO_CAPACITY: {"en": "the land takes up nothing", "zh": "土地固碳（释氧）量为零"},
    NEGATIVE_CAPACITY: {"en": "the land is a net source", "zh": "土地为净排放源"},
}
"""Why a coefficient is undefined, word by word, in both languages."""


@quantities(emission="t C / yr", sequestration="t C / yr", returns="1")
def carbon_balance_coefficient(emission: xr.DataArray, sequestration: xr.DataArray) -> xr.DataArray:
    """Carbon emission over carbon sequestration.

    emission       (region, year, source)      t C / yr
    sequestration  (region, year, land_class)  t C / yr
    returns        (region, year)              1

        B_C[r, t] = Σ_i E[r, t, i] / Σ_k S[r, t, k]

    NaN where a part is missing or the land takes up nothing or less; :func:`undefined_reason` says why. Above 1 people
    release more than the land takes up. Raises E201–E204. Source: the paper, section 1.3.
    """
    return _ratio(total_along(emission, "source"), total_along(sequestration, "land_class"))


@quantities(consumption="t O2 / yr", release="t O2 / yr", returns="1")
def oxygen_balance_coefficient(consumption: xr.DataArray, release: xr.DataArray) -> xr.DataArray:
    """Oxygen consumption over oxygen release.

    consumption  (region, year, source)      t O2 / yr
    release      (region, year, land_class)  t O2 / yr
    returns      (region, year)              1

        B_O[r, t] = Σ_i O[r, t, i] / Σ_k R[r, t, k]

    NaN as for carbon. Raises E201–E204. Source: the paper, section 1.3.
    """
    return _ratio(total_along(consumption, "source"), total_along(release, "land_class"))


def undefined_reason(burden: xr.DataArray, capacity: xr.DataArray) -> xr.DataArray:
    """Why a balance coefficient is undefined.

    burden    (region, year, source)      emission or consumption
    capacity  (region, year, land_class)  sequestration or release
    returns   (region, year)              a word of :data:`REASONS`; empty where the coefficient is defined
    """
    total, capacity_total = total_along(burden, "source"), total_along(capacity, "land_class")
    reason = xr.full_like(total, "", dtype=object)
    # the later rows prevail: a missing part is the reason even where the other part is zero
    reason = reason.where(capacity_total >= 0, NEGATIVE_CAPACITY)
    reason = reason.where(capacity_total != 0, ZERO_CAPACITY)
    reason = reason.where(np.isfinite(capacity_total), MISSING_CAPACITY)
    return reason.where(np.isfinite(total), MISSING_BURDEN).drop_attrs()


def growth(value: xr.DataArray) -> xr.DataArray:
    """Change since the first year of the study, in percent of it.

    value    (…, year)
    returns  (…, year)  %; NaN where either year is missing or the first is zero

        g[t] = (v[t] / v[t0] − 1) · 100
    """
    first = value.isel(year=0, drop=True)
    return ((value / first.where(first != 0) - 1) * 100).assign_attrs(units="%")


def rank(value: xr.DataArray, dim: str = "region") -> xr.DataArray:
    """Rank of each region, the largest value first; equal values share the mean rank, missing ones have none."""
    ranks = scipy.stats.rankdata(-value.values, axis=value.get_axis_num(dim), nan_policy="omit")
    return value.copy(data=ranks).drop_attrs().assign_attrs(units="1")


def share(value: xr.DataArray, dim: str) -> xr.DataArray:
    """Share of each label in the total along ``dim``, in percent; NaN where a part of the total is missing."""
    total = total_along(value, dim)
    return (value / total.where(total != 0) * 100).assign_attrs(units="%")


def _ratio(burden: xr.DataArray, capacity: xr.DataArray) -> xr.DataArray:
    return burden / capacity.where(capacity > 0)
