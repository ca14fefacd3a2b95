"""What the land takes up and gives back."""

from __future__ import annotations

import xarray as xr

from cobalance.vocabulary.units import quantities


@quantities(land_area="ha", rate="t C / ha / yr", returns="t C / yr")
def carbon_sequestration(land_area: xr.DataArray, rate: xr.DataArray) -> xr.DataArray:
    """Carbon that each land class takes up in a year.

    land_area  (region, year, land_class)  ha
    rate       (land_class [, region])     t C / ha / yr
    returns    (region, year, land_class)  t C / yr

        S[r, t, k] = A[r, t, k] · s[k]

    The result stands on the basis of the rate, gross (NPP) or net. Raises E201–E204.
    Source: the paper's account of carbon fixation; Zhang et al. 2026, Acta Ecologica Sinica 46(4).
    """
    return (land_area * rate).transpose(*land_area.dims, ...)


@quantities(land_area="ha", rate="t O2 / ha / yr", returns="t O2 / yr")
def oxygen_release(land_area: xr.DataArray, rate: xr.DataArray) -> xr.DataArray:
    """Oxygen that each land class gives back in a year.

    land_area  (region, year, land_class)  ha
    rate       (land_class [, region])     t O2 / ha / yr
    returns    (region, year, land_class)  t O2 / yr

        R[r, t, k] = A[r, t, k] · o[k]

    Raises E201–E204. Source: as for carbon.
    """
    return (land_area * rate).transpose(*land_area.dims, ...)


@quantities(rate="t C / ha / yr", quotient="1", returns="t O2 / ha / yr")
def photosynthetic_oxygen_rate(rate: xr.DataArray, quotient: xr.DataArray | float) -> xr.DataArray:
    """Oxygen given back by a hectare whose carbon uptake is known.

    rate      (land_class)  t C / ha / yr
    quotient  ()            1, mol O2 given back per mol C taken up
    returns   (land_class)  t O2 / ha / yr

        o[k] = s[k] · 32/12 · PQ

    Raises E201, E202. Source: stoichiometry of photosynthesis; PQ 1 is pure carbohydrate, CH2O.
    """
    return rate * (32 / 12) * quotient
