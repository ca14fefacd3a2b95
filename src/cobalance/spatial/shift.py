"""What moves a gravity centre, and how sure its place is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.ellipse import axes
from cobalance.spatial.gravity import centres, masses_of
from cobalance.spatial.points import crs_text
from cobalance.vocabulary.errors import Problems, refuse

if TYPE_CHECKING:
    import geopandas

Floats = NDArray[np.float64]


def shift_contributions(
    weight: xr.DataArray,
    boundaries: geopandas.GeoDataFrame,
    *,
    crs: Any = None,
    problems: Problems | None = None,
) -> xr.Dataset:
    """How much each region pushed the mean centre since the year before.

    weight    (region, year)   as for :func:`~cobalance.spatial.gravity.gravity_centre`
    returns   (region, year)   eastward_m, northward_m, along_m (in the direction of the shift), share; NaN in the
                               first year

        X_t − X_{t−1} = Σ_i (s_{i,t} − s_{i,t−1}) (x_i − X_{t−1}),   s_i = w_i / Σ w

    The contributions add up to the shift exactly, and do not depend on the origin of the map, because the changes of
    the shares add up to zero. A region that gains share pulls the centre towards itself. A region without a weight in
    one of the two years enters with share zero there, so that its contribution is its entry into, or exit from, the
    record (W721 names it). Raises as ``gravity_centre``.
    """
    if isinstance(crs, str) and crs == "sphere":
        raise refuse("E709", option="sphere", valid="a projected CRS")
    masses = masses_of(weight, boundaries, crs, problems)
    mass = np.nan_to_num(masses.weight, nan=0.0)
    total = mass.sum(axis=1, keepdims=True)
    share = np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > 0)
    centre = centres(masses)
    pushed = np.full((*mass.shape, 2), np.nan)
    pushed[1:] = (share[1:] - share[:-1])[:, :, None] * (masses.points[None] - centre[:-1, None, :])
    shift = pushed.sum(axis=1)
    length = np.hypot(shift[:, 0], shift[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        along = (pushed * shift[:, None, :]).sum(axis=2) / length[:, None]
        part = np.where(length[:, None] > 0, along / length[:, None], np.nan)
    columns = {"eastward_m": pushed[..., 0], "northward_m": pushed[..., 1], "along_m": along, "share": part}
    result = xr.Dataset(
        {name: (("year", "region"), column) for name, column in columns.items()},
        {"year": masses.years, "region": masses.labels},
    ).transpose("region", "year")
    for name in columns:
        result[name].attrs["units"] = "1" if name == "share" else "m"
    return result.assign_attrs(crs=crs_text(masses.crs))


def centre_uncertainty(
    weight: xr.DataArray,
    boundaries: geopandas.GeoDataFrame,
    *,
    crs: Any = None,
    replicates: int = 999,
    seed: int = 0,
    level: float = 0.95,
) -> xr.Dataset:
    """Bootstrap ellipse of the mean centre: regions drawn with repetition, each with its weight and its place.

    weight    (region, year)
    returns   (year)           semi_major_m, semi_minor_m, rotation_deg: the ellipse that holds ``level`` of a normal
                               distribution with the replicates' covariance; centre_easting_m, centre_northing_m: their
                               mean

    semi-axes = √(χ²₂(level) · eigenvalues), χ²₂(level) = −2 ln(1 − level). It says how much the centre rests on
    which regions there are; it is not the uncertainty of the weights, for which draws are made. The same regions are
    drawn for every year. Raises as ``gravity_centre``, and E710, E713.
    """
    if not 0 < level < 1:
        raise refuse("E710", option="level", value=level, rule="between 0 and 1", rule_zh="0 与 1 之间的数")
    if replicates < 2:
        raise refuse("E713", option="replicates", value=replicates, least=2)
    if isinstance(crs, str) and crs == "sphere":
        raise refuse("E709", option="sphere", valid="a projected CRS")
    masses = masses_of(weight, boundaries, crs, None)
    regions = len(masses.labels)
    picks = np.random.default_rng(seed).integers(0, regions, (replicates, regions))
    times = np.zeros((replicates, regions))
    np.add.at(times, (np.arange(replicates)[:, None], picks), 1.0)
    mass = np.nan_to_num(masses.weight, nan=0.0)
    factor = float(np.sqrt(-2.0 * np.log1p(-level)))
    rows = [_ellipse_of(_replicates(times, one, masses.points), factor) for one in mass]
    names = ("semi_major_m", "semi_minor_m", "rotation_deg", "centre_easting_m", "centre_northing_m")
    table = np.array(rows, dtype=float).reshape(-1, len(names))
    result = xr.Dataset({name: ("year", table[:, at]) for at, name in enumerate(names)}, {"year": masses.years})
    for name in names:
        result[name].attrs["units"] = "degree" if name == "rotation_deg" else "m"
    return result.assign_attrs(crs=crs_text(masses.crs), replicates=replicates, seed=seed, level=level)


def _replicates(times: Floats, mass: Floats, points: Floats) -> Floats:
    """(replicate, 2) centres of regions that each count so many ``times``; replicates without weight are left out."""
    drawn = times * mass
    total = drawn.sum(axis=1)
    held = total > 0
    return np.asarray((drawn[held] @ points) / total[held, None])


def _ellipse_of(points: Floats, factor: float) -> tuple[float, ...]:
    """Ellipse and mean of replicates; NaN where fewer than two have any weight."""
    if len(points) < 2:
        return (np.nan,) * 5
    return (*axes(np.cov(points.T), factor), *points.mean(axis=0))
