"""What closes a gap: the emission cut, the rate gain, the fuel switch or the compensation that would do it alone.

Every lever is stated as the change that, everything else unchanged, makes the land carry the share φ of the burden.
In docstrings ``{substance}`` stands for C or O2, whichever the burden's unit has.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from cobalance.accounts.ecological_land import PHI, for_carbon_and_oxygen
from cobalance.accounts.totals import total_along
from cobalance.vocabulary.errors import nearest, refuse
from cobalance.vocabulary.units import quantities


@for_carbon_and_oxygen(
    "burden",
    burden="t {substance} / yr",
    capacity="t {substance} / yr",
    phi="1",
    returns={
        "emission_cut": "%",
        "source_cut": "%",
        "rate_gain": "%",
        "compensation": "t {substance} / yr",
        "excess_burden": "t {substance} / yr",
    },
)
def closing_levers(burden: xr.DataArray, capacity: xr.DataArray, phi: xr.DataArray | float = PHI) -> xr.Dataset:
    """The change in one lever that closes the gap by itself.

    burden    (region, source)  t {substance} / yr, emitted (C) or consumed (O2) in the target year
    capacity  (region)          t {substance} / yr, taken up (C) or released (O2) in the base year
    phi       ()                1, the share that land has to carry
    returns   a Dataset; every lever is 0 where there is no gap and NaN where it is undefined:

        excess_burden  X = max(0, E − S/φ)        (region)          what has to go: land then carries φ of the rest
        emission_cut   X / E · 100                (region)          % of the whole burden
        source_cut     X / E_i · 100              (region, source)  % of that source; above 100 it is not enough alone
        rate_gain      max(0, φ E / S − 1) · 100  (region)          % on every rate; equals the land gap
        compensation   max(0, φ E − S)            (region)          taken up elsewhere on the region's account

    A capacity that is not positive leaves only the compensation and the cut (all of the burden must go). Raises
    E201–E204. Source: the gap of the paper's Table 5, φ E = S, solved for each quantity in turn.
    """
    total = total_along(burden, "source")
    excess = (total - capacity.clip(min=0) / phi).clip(min=0)
    gain = ((phi * total / capacity.where(capacity > 0) - 1) * 100).clip(min=0)
    return xr.Dataset(
        {
            "excess_burden": excess,
            "emission_cut": excess / total.where(total > 0) * 100,
            "source_cut": (excess / burden.where(burden > 0) * 100).transpose(*burden.dims, ...),
            "rate_gain": gain,
            "compensation": (phi * total - capacity).clip(min=0),
        }
    )


@quantities(factor="t C / GJ", oxygen_per_carbon="t O2 / t C", returns={"carbon": "1", "oxygen": "1"})
def switch_ratio(
    factor: xr.DataArray, oxygen_per_carbon: xr.DataArray, from_fuel: str = "coal", to_fuel: str = "natural_gas"
) -> xr.Dataset:
    """What one fuel emits and consumes of what another does, for the same heat.

    factor             (fuel)  t C / GJ
    oxygen_per_carbon  (fuel)  t O2 / t C
    returns            ``carbon`` and ``oxygen``, 1

        ρ_C = c[to] / c[from],   ρ_O = ρ_C · x[to] / x[from]

    Coal to natural gas saves two fifths of the carbon and next to no oxygen: 15.3/25.8 = .593, times 1.95/1.17 = .988.
    Raises E201–E204, E841. Source: IPCC 2006 Guidelines vol. 2 ch. 1; Steinbach et al. 2011.
    """
    for fuel in (from_fuel, to_fuel):
        _require(factor, "fuel", fuel, "switch_ratio")
    start, end = factor.sel(fuel=from_fuel, drop=True), factor.sel(fuel=to_fuel, drop=True)
    carbon = end / start.where(start > 0)
    start, end = oxygen_per_carbon.sel(fuel=from_fuel, drop=True), oxygen_per_carbon.sel(fuel=to_fuel, drop=True)
    return xr.Dataset({"carbon": carbon, "oxygen": carbon * end / start.where(start > 0)})


@for_carbon_and_oxygen("burden", burden="t {substance} / yr", ratio="1", share="1", returns="t {substance} / yr")
def switched_burden(
    burden: xr.DataArray,
    ratio: xr.DataArray | float,
    share: xr.DataArray | float,
    from_source: str = "coal",
    to_source: str = "natural_gas",
) -> xr.DataArray:
    """The burden when a share of one fuel's heat comes from another fuel.

    burden   (region, source)  t {substance} / yr
    ratio    ()                1, ρ of :func:`switch_ratio` for the same target
    share    ([region])        1, of the heat of ``from_source``; a plain number will do
    returns  (region, source)  t {substance} / yr

        E'[from] = (1 − w) E[from],   E'[to] = E[to] + w ρ E[from]

    Raises E201–E204, E841 for an unknown source, E842 for a share outside 0 … 1. Source: equal heat before and after.
    """
    for source in (from_source, to_source):
        _require(burden, "source", source, "switched_burden")
    if not bool(((xr.DataArray(share) >= 0) & (xr.DataArray(share) <= 1)).all()):
        raise refuse("E842", found=np.asarray(share).ravel().tolist())
    moved = burden.sel(source=from_source, drop=True) * share
    change = xr.concat([-moved, moved * ratio], "source").assign_coords(source=[from_source, to_source])
    return burden + change.reindex(source=burden["source"], fill_value=0.0)


@for_carbon_and_oxygen(
    "burden", burden="t {substance} / yr", capacity="t {substance} / yr", ratio="1", phi="1", returns="%"
)
def closing_switch(
    burden: xr.DataArray,
    capacity: xr.DataArray,
    ratio: xr.DataArray | float,
    phi: xr.DataArray | float = PHI,
    from_source: str = "coal",
) -> xr.DataArray:
    """The share of one fuel's heat that has to come from another fuel to close the gap by that alone.

    burden    (region, source)  t {substance} / yr
    capacity  (region)          t {substance} / yr
    ratio     ()                1, ρ of :func:`switch_ratio` for the same target
    phi       ()                1, the share that land has to carry
    returns   (region)          %; above 100 the switch cannot do it alone, NaN where it saves nothing

        w = (E − S/φ) / (E[from] (1 − ρ)) · 100

    Raises E201–E204, E841. Source: φ E' = S with E' of :func:`switched_burden`, solved for w.
    """
    _require(burden, "source", from_source, "closing_switch")
    excess = (total_along(burden, "source") - capacity.clip(min=0) / phi).clip(min=0)
    saving = burden.sel(source=from_source, drop=True) * (1 - ratio)
    return (excess / saving.where(saving > 0) * 100).where(excess != 0, 0.0)


def _require(array: xr.DataArray, dim: str, label: str, function: str) -> None:
    known = [str(item) for item in array[dim].values]
    if label not in known:
        raise refuse("E841", function=function, dim=dim, found=label, nearest=nearest(label, known))
