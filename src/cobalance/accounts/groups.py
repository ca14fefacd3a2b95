"""Groups of regions: agglomerations, the nation, any grouping. Quantities are added first, ratios formed last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import xarray as xr

from cobalance.accounts.totals import total_along
from cobalance.vocabulary.errors import Problems, nearest


def group_total(data: xr.DataArray, groups: Mapping[str, Sequence[str]]) -> xr.DataArray:
    """Totals of a physical quantity over groups of regions.

    data     (region, …)  a quantity that adds up (t C / yr, ha, person), never a ratio
    groups   group → its regions; a region may stand in several groups
    returns  (group, …)   in the unit of ``data``; missing where a member is missing

        X[g] = Σ_{r ∈ g} X[r]

    Raises E205 where ``data`` has no regions and E203 where a member is not a region of ``data``.
    """
    problems = Problems()
    if "region" not in data.dims:
        problems.add("E205", argument=str(data.name), found=", ".join(map(str, data.dims)), expected="region, …")
        problems.raise_errors()
    known = set(data["region"].values.tolist())
    for group, members in groups.items():
        if missing := [member for member in members if member not in known]:
            other = f"group '{group}' (nearest: {nearest(missing[0], known)})"
            problems.add("E203", argument=str(data.name), dim="region", missing=missing, other=other)
    problems.raise_errors()
    totals = [total_along(data.sel(region=list(members)), "region") for members in groups.values()]
    joined = xr.concat(totals, "group", join="exact", coords="minimal", compat="override")
    return joined.assign_coords(group=list(groups)).rename(data.name).assign_attrs(data.attrs)
