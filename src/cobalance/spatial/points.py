"""Where regions are: equal-area projections fitted to them, their centroids, distances on the ellipsoid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cobalance.vocabulary.errors import refuse

if TYPE_CHECKING:
    import geopandas
    from pyproj import CRS

Floats = NDArray[np.float64]


def region_labels(geometries: geopandas.GeoSeries | geopandas.GeoDataFrame) -> NDArray[np.str_]:
    """Labels of the index as strings. Raises E704 where a label stands twice."""
    labels = np.asarray(geometries.index).astype(str)
    unique, counts = np.unique(labels, return_counts=True)
    if len(unique) != len(labels):
        raise refuse("E704", repeated=unique[counts > 1].tolist())
    return labels


def geometry_of(geometries: geopandas.GeoSeries | geopandas.GeoDataFrame) -> geopandas.GeoSeries:
    """The geometry column. Raises E706 for regions whose geometry is missing or empty."""
    series = geometries.geometry
    holes = np.asarray(series.isna() | series.is_empty)
    if holes.any():
        raise refuse("E706", regions=np.asarray(series.index).astype(str)[holes].tolist())
    return series


def longitude_span(longitudes: Floats) -> tuple[float, float]:
    """(west, east) degrees of the shortest arc that holds all longitudes; east may pass 180°.

    Alaska reaches across the antimeridian: its arc is 172 … 230, not −180 … 180.
    """
    turns = np.unique(np.mod(longitudes, 360.0))
    if len(turns) == 1:
        return float(turns[0]), float(turns[0])
    gaps = np.diff(np.append(turns, turns[0] + 360.0))
    widest = int(np.argmax(gaps))
    west = turns[(widest + 1) % len(turns)]
    return float(west), float(west + 360.0 - gaps[widest])


def equal_area_crs(geometries: geopandas.GeoSeries | geopandas.GeoDataFrame) -> CRS:
    """An equal-area CRS fitted to the regions: Albers with the one-sixth rule, cylindrical across the equator.

    Central meridian: middle of the shortest arc of longitude that holds all vertices. Standard parallels: one sixth
    of the range of latitude inside its ends (Deetz and Adams 1934; Snyder 1987, USGS Professional Paper 1395, ch. 14).
    Albers is degenerate where the parallels lie symmetrically to the equator; there, the cylindrical equal-area
    projection with the same parallel is taken. Raises E707 without a CRS.
    """
    import shapely
    from pyproj import CRS

    series = geometry_of(geometries)
    if series.crs is None:
        raise refuse("E707", what="an equal-area CRS", what_zh="等积坐标系")
    degrees = series.to_crs("EPSG:4326")
    vertices = shapely.get_coordinates(degrees.array)
    west, east = longitude_span(vertices[:, 0])
    middle = (west + east) / 2.0
    middle = middle - 360.0 if middle > 180.0 else middle
    south, north = float(vertices[:, 1].min()), float(vertices[:, 1].max())
    sixth = (north - south) / 6.0
    lower, upper = south + sixth, north - sixth
    if abs(lower + upper) < 10.0:
        parallel = max(abs(lower), abs(upper)) / 2.0
        return CRS.from_proj4(f"+proj=cea +lat_ts={parallel:.2f} +lon_0={middle:.2f} +datum=WGS84 +units=m +no_defs")
    return CRS.from_proj4(
        f"+proj=aea +lat_1={lower:.2f} +lat_2={upper:.2f} +lat_0={(south + north) / 2:.2f} +lon_0={middle:.2f}"
        " +datum=WGS84 +units=m +no_defs"
    )


def crs_text(crs: CRS | None) -> str:
    """A CRS as its authority code where it has one, else as its PROJ string."""
    if crs is None:
        return ""
    authority = crs.to_authority(min_confidence=90)
    return ":".join(authority) if authority else _proj_string(crs)


def _proj_string(crs: CRS) -> str:
    import warnings

    with warnings.catch_warnings():  # pyproj warns that a PROJ string may lose detail; it is only printed here
        warnings.simplefilter("ignore", UserWarning)
        return crs.to_proj4().replace(" +type=crs", "") or crs.name


def centroids(geometries: geopandas.GeoSeries | geopandas.GeoDataFrame, crs: Any = None) -> tuple[Floats, CRS]:
    """(n, 2) centroids in an equal-area CRS (fitted where none is given) and that CRS."""
    from pyproj import CRS

    series = geometry_of(geometries)
    projection = equal_area_crs(series) if crs is None else CRS.from_user_input(crs)
    points = series.to_crs(projection).centroid
    return np.column_stack([points.x.to_numpy(), points.y.to_numpy()]), projection


def to_degrees(points: Floats, crs: Any) -> Floats:
    """(n, 2) projected points as longitude, latitude on WGS 84."""
    from pyproj import Transformer

    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def geographic_centroids(geometries: geopandas.GeoSeries | geopandas.GeoDataFrame) -> Floats:
    """(n, 2) longitude, latitude of the centroids, formed in an equal-area CRS. Raises E707 without a CRS."""
    points, projection = centroids(geometries)
    return to_degrees(points, projection)


def geodesic(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Distance (km) and initial bearing (degrees clockwise from north, 0–360) on the WGS 84 ellipsoid."""
    from pyproj import Geod

    forward, _, metres = Geod(ellps="WGS84").inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.asarray(metres) / 1000.0, np.mod(np.asarray(forward), 360.0)


def geocentric(degrees: Floats) -> Floats:
    """(n, 3) km: points on the WGS 84 ellipsoid as straight-line coordinates; a chord never exceeds its geodesic."""
    major, flattening = 6378.137, 1 / 298.257223563
    squared = flattening * (2 - flattening)
    longitude, latitude = np.radians(degrees).T
    normal = major / np.sqrt(1 - squared * np.sin(latitude) ** 2)
    return np.column_stack(
        [
            normal * np.cos(latitude) * np.cos(longitude),
            normal * np.cos(latitude) * np.sin(longitude),
            normal * (1 - squared) * np.sin(latitude),
        ]
    )
