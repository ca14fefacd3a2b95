"""Gravity centres: where the weight of a quantity lies, and how that place moves.

All centres are formed in a projected CRS that is stated in the result: the one asked for, or an equal-area one fitted
to the regions. On longitude and latitude a weighted mean is off by tens of kilometres for a country such as China;
that is offered (a geographic CRS) with a notice, as is the mean on the sphere (``crs="sphere"``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.ellipse import Convention, deviational_ellipse
from cobalance.spatial.links import check_same_regions
from cobalance.spatial.points import centroids, crs_text, geodesic, geometry_of, region_labels, to_degrees
from cobalance.vocabulary.errors import Problems, refuse

if TYPE_CHECKING:
    import geopandas

Floats = NDArray[np.float64]
Centre = Literal["mean", "median"]

_UNITS = {
    "longitude_deg": "degree",
    "latitude_deg": "degree",
    "easting_m": "m",
    "northing_m": "m",
    "distance_km": "km",
    "bearing_deg": "degree",
    "semi_major_m": "m",
    "semi_minor_m": "m",
    "rotation_deg": "degree",
}


@dataclass(frozen=True)
class Masses:
    """Weights of one quantity at the centroids of its regions.

    labels (region), points (region, 2) in ``crs``, weight (year, region) with NaN for missing, years (year)
    """

    labels: NDArray[np.str_]
    points: Floats
    weight: Floats
    years: NDArray[Any]
    crs: Any


def gravity_centre(
    weight: xr.DataArray,
    boundaries: geopandas.GeoDataFrame,
    *,
    crs: Any = None,
    centre: Centre = "mean",
    convention: Convention = "plain",
    problems: Problems | None = None,
) -> xr.Dataset:
    """Weighted centre of the regions for each year, its track, and the standard deviational ellipse.

    weight      (region, year)   zero or positive, any unit; NaN is missing
    boundaries  polygons indexed by region, with a CRS
    returns     (year)           longitude_deg, latitude_deg, easting_m, northing_m, region, distance_km, bearing_deg,
                                 semi_major_m, semi_minor_m, rotation_deg, n, missing

        X = Σ w x / Σ w   (mean)      or      argmin_X Σ w |x − X|   (median)

    ``crs`` None: equal-area, fitted to the regions; ``"sphere"``: mean of the unit vectors (easting and northing are
    then NaN). Distance and bearing lead from the year before, on the WGS 84 ellipsoid. ``region`` is that whose polygon
    covers the centre, '' where none does. Ellipse: semi-axes are the weighted standard deviations along the principal
    axes, times √2 with ``convention="sqrt2"`` (Yuill 1971, doi 10.2307/490885); rotation of the major axis is
    clockwise from grid north, 0–180. Regions without a weight are left out of that year's centre and named in
    ``missing`` and in a notice (W721) to ``problems``; a year without any weight is NaN (W722). Raises E703, E706,
    E707, E715, E716, E719 (negative weights).
    """
    if centre not in ("mean", "median"):
        raise refuse("E709", option=centre, valid="mean, median")
    masses = masses_of(weight, boundaries, crs, problems)
    if isinstance(crs, str) and crs == "sphere":
        degrees, points = _sphere_means(masses), np.full((len(masses.years), 2), np.nan)
        ellipses = np.full((len(masses.years), 3), np.nan)
    else:
        points = centres(masses, centre)
        degrees = to_degrees(points, masses.crs)
        ellipses = np.array(
            [deviational_ellipse(masses.points, row, convention) for row in masses.weight], dtype=float
        ).reshape(-1, 3)
    columns: dict[str, Any] = {
        "longitude_deg": degrees[:, 0],
        "latitude_deg": degrees[:, 1],
        "easting_m": points[:, 0],
        "northing_m": points[:, 1],
        "region": region_at(degrees, boundaries),
        **_track(degrees),
        **dict(zip(("semi_major_m", "semi_minor_m", "rotation_deg"), ellipses.T, strict=True)),
        "n": (masses.weight > 0).sum(axis=1),
        "missing": _missing_names(masses),
    }
    result = xr.Dataset({name: ("year", column) for name, column in columns.items()}, {"year": masses.years})
    for name, unit in _UNITS.items():
        result[name].attrs["units"] = unit
    return result.assign_attrs(
        crs="sphere" if masses.crs is None else crs_text(masses.crs), centre=centre, ellipse=convention
    )


def masses_of(weight: xr.DataArray, boundaries: geopandas.GeoDataFrame, crs: Any, problems: Problems | None) -> Masses:
    """Checked weights and centroids, in the order of the weight's regions; notices go to ``problems``."""
    from pyproj import CRS

    if set(weight.dims) != {"region", "year"} or not np.issubdtype(weight.dtype, np.number):
        dims = [str(dim) for dim in weight.dims]
        raise refuse("E715", argument="weight", dims=dims, dtype=str(weight.dtype))
    table = weight.transpose("year", "region")
    labels, values = np.asarray(table["region"].values).astype(str), np.asarray(table.values, dtype=float)
    known = region_labels(boundaries)
    check_same_regions(labels, known, "weight", "boundaries")
    _check_values(values, labels, table["year"].values)
    notices = Problems() if problems is None else problems
    _notice_gaps(values, labels, table["year"].values, notices)
    series = geometry_of(boundaries)
    if series.crs is None:
        raise refuse("E707", what="a gravity centre", what_zh="重心")
    sphere = isinstance(crs, str) and crs == "sphere"
    projection = None if crs is None or sphere else CRS.from_user_input(crs)
    if projection is not None and projection.is_geographic:
        notices.add("W723", crs=crs_text(projection))
        points, used = _centroids_in_degrees(series, projection), projection
    else:
        points, used = centroids(series, projection)
    rank = {label: position for position, label in enumerate(known.tolist())}
    order = [rank[label] for label in labels.tolist()]
    points = to_degrees(points, used)[order] if sphere else points[order]
    return Masses(labels, points, values, table["year"].values, None if sphere else used)


def centres(masses: Masses, centre: Centre = "mean") -> Floats:
    """(year, 2) weighted centres in the CRS of the masses; NaN for a year without any weight."""
    found = np.full((len(masses.weight), 2), np.nan)
    for year, row in enumerate(masses.weight):
        held = np.isfinite(row) & (row > 0)
        if held.any():
            mean = weighted_mean(masses.points[held], row[held])
            found[year] = mean if centre == "mean" else weighted_median(masses.points[held], row[held], mean)
    return found


def weighted_mean(points: Floats, weight: Floats) -> Floats:
    """Σ w x / Σ w over (region, 2) points."""
    return np.asarray(weight @ points / weight.sum())


def weighted_median(points: Floats, weight: Floats, start: Floats, tolerance: float = 1e-3) -> Floats:
    """The point with the least weighted sum of distances: Weiszfeld's steps, safe at the points themselves.

    Vardi and Zhang 2000, doi 10.1073/pnas.97.4.1423. ``tolerance`` in the unit of the points (metres).
    """
    here = start
    for _ in range(10_000):
        away = points - here
        distance: Floats = np.hypot(away[:, 0], away[:, 1])
        on: NDArray[np.bool_] = distance < 1e-9
        pull = weight[~on] / distance[~on]
        if not pull.size:
            return here
        step = (pull @ points[~on]) / pull.sum()
        if on.any():
            force = np.hypot(*(pull @ away[~on]))
            stay = 1.0 if force == 0 else min(1.0, float(weight[on].sum()) / force)
            step = (1 - stay) * step + stay * here
        if np.hypot(*(step - here)) < tolerance:
            return np.asarray(step)
        here = step
    return here


def region_at(degrees: Floats, boundaries: geopandas.GeoDataFrame) -> NDArray[np.str_]:
    """(point) label of the region that covers each longitude, latitude; '' where none does.

    The first in the order of the table where several do (a point on a common boundary).
    """
    import shapely

    shapes = np.asarray(boundaries.geometry.to_crs("EPSG:4326").array)
    labels = np.append(np.asarray(boundaries.index).astype(str), "")
    found = np.full(len(degrees), len(shapes))
    known = np.flatnonzero(np.isfinite(degrees).all(axis=1))
    points = shapely.points(degrees[known])
    point, shape = shapely.STRtree(shapes).query(points, predicate="covered_by")
    np.minimum.at(found, known[point], shape)
    return np.asarray(labels[found])


def _track(degrees: Floats) -> dict[str, Floats]:
    """Distance (km) and bearing (degrees) from the centre before; NaN at the first."""
    distance, bearing = np.full((2, len(degrees)), np.nan)
    if len(degrees) > 1:
        known = np.atleast_1d(np.isfinite(degrees).all(axis=1))
        steps = np.flatnonzero(known[1:] & known[:-1])
        distance[steps + 1], bearing[steps + 1] = geodesic(degrees[steps], degrees[steps + 1])
        bearing[distance == 0] = np.nan  # who stays has no direction
    return {"distance_km": distance, "bearing_deg": bearing}


def _sphere_means(masses: Masses) -> Floats:
    """(year, 2) longitude, latitude of the mean of unit vectors, brought back to the surface."""
    longitude, latitude = np.radians(masses.points).T
    vectors = np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
    weight = np.nan_to_num(masses.weight, nan=0.0)
    total = weight @ vectors
    empty = weight.sum(axis=1) == 0
    degrees = np.degrees(
        np.column_stack(
            [np.arctan2(total[:, 1], total[:, 0]), np.arctan2(total[:, 2], np.hypot(total[:, 0], total[:, 1]))]
        )
    )
    degrees[empty] = np.nan
    return np.asarray(degrees)


def _centroids_in_degrees(series: geopandas.GeoSeries, crs: Any) -> Floats:
    """Centroids formed in an equal-area CRS, given in the geographic CRS that was asked for."""
    from pyproj import Transformer

    points, projection = centroids(series)
    transformer = Transformer.from_crs(projection, crs, always_xy=True)
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def _check_values(values: Floats, labels: NDArray[np.str_], years: NDArray[Any]) -> None:
    problems = Problems()
    if np.isinf(values).any():
        problems.add("E716", argument="weight", regions=labels[np.isinf(values).any(axis=0)].tolist())
    year, region = np.nonzero(values < 0)
    if len(year):
        cells = [f"{labels[r]} {years[y]}: {values[y, r]:g}" for y, r in zip(year, region, strict=True)]
        problems.add("E719", cells=cells)
    problems.raise_errors()


def _notice_gaps(values: Floats, labels: NDArray[np.str_], years: NDArray[Any], notices: Problems) -> None:
    for year, row in zip(years.tolist(), values, strict=True):
        if not (row > 0).any():
            notices.add("W722", year=year)
        elif np.isnan(row).any():
            notices.add("W721", year=year, regions=labels[np.isnan(row)].tolist(), count=int(np.isnan(row).sum()))


def _missing_names(masses: Masses) -> NDArray[np.object_]:
    names = [", ".join(masses.labels[np.isnan(row)].tolist()) for row in masses.weight]
    return np.array(names, dtype=object)
