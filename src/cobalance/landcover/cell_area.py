"""The area of a raster's cells, as integers.

Geographic coordinates: the cell between two meridians and two parallels of an ellipsoid (a, e²) has the area

    A = Δλ · ∫ a² (1 − e²) cos φ / (1 − e² sin² φ)² dφ

(Snyder 1987, *Map projections – a working manual*, USGS Professional Paper 1395, p. 16–17). The integral is taken by
Gauss–Legendre quadrature; unlike the closed form it loses no digits in small cells. Equal-area coordinates:
A = |Δx Δy|. Other projections: |Δx Δy| over the true areal scale at the cell.

Areas are kept in int64 units of 1 / ``scale`` m². The unit is 10⁻⁴ m² or finer, as fine as the largest region allows,
so that sums are exact: threads, workers and their order cannot change a bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from pyproj import CRS, Transformer

from cobalance.landcover.rasters import Lattice

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)

_ELLIPSOIDAL_EQUAL_AREA = (
    "albers equal area",
    "lambert azimuthal equal area",
    "lambert cylindrical equal area",
    "sinusoidal",
    "equal earth",
    "bonne",
)
_SPHERICAL_EQUAL_AREA = ("mollweide", "eckert ii", "eckert iv", "eckert vi", "goode homolosine", "wagner iv", "hammer")

_LARGEST_SUM = 2**61
_FINEST_SCALE = 10**12
_CHUNK_METRES = 1000.0
_DIFFERENCE_METRES = 20.0
_ENDLESS = 2**40
COARSEST_SCALE = 10**4
"""Units per m² at the least: 10⁻⁴ m², with which the whole Earth still fits int64."""


class Figure(NamedTuple):
    """What areas need to know of a CRS: its ellipsoid (a in metres, e²), the size of its unit (metres, or degrees in
    geographic coordinates), whether it is geographic, and whether all cells of a row have the same area."""

    semi_major: float
    eccentricity2: float
    unit: float
    geographic: bool
    by_row: bool


@cache
def figure_of(crs_wkt: str) -> Figure:
    """The figure of a CRS, which is parsed once."""
    crs = CRS.from_wkt(crs_wkt)
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        raise ValueError(f"{crs.name} has no ellipsoid")
    a = ellipsoid.semi_major_metre
    factor = float(crs.axis_info[0].unit_conversion_factor)
    return Figure(
        semi_major=a,
        eccentricity2=1.0 - (ellipsoid.semi_minor_metre / a) ** 2,
        unit=math.degrees(factor) if crs.is_geographic else factor,
        geographic=crs.is_geographic,
        by_row=crs.is_geographic or is_equal_area(crs),
    )


def ellipsoid_cell_areas(latitude: np.ndarray, width_deg: float, figure: Figure) -> np.ndarray:
    """Area (m²) of the cells between successive parallels.

    latitude   (row + 1)  degrees, borders of the rows, clipped to ±90
    width_deg             east–west extent of a cell, degrees
    returns    (row)      m²
    """
    a, e2 = figure.semi_major, figure.eccentricity2
    phi = np.radians(np.clip(latitude, -90.0, 90.0))
    half = np.abs(np.diff(phi)) / 2.0
    middle = (phi[1:] + phi[:-1]) / 2.0
    at = middle[:, None] + half[:, None] * _NODES
    integrand = a**2 * (1.0 - e2) * np.cos(at) / (1.0 - e2 * np.sin(at) ** 2) ** 2
    areas: np.ndarray = np.radians(abs(width_deg)) * half * (integrand @ _WEIGHTS)
    return areas


def is_equal_area(crs: CRS) -> bool:
    """Whether a projected CRS keeps the areas of its own ellipsoid, by the name of its method.

    Mollweide, Eckert and the like are computed on a sphere: on an ellipsoid they do not (0.2–0.5 % off).
    """
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if operation is None or ellipsoid is None:
        return False
    method = operation.method_name.lower()
    sphere = ellipsoid.semi_major_metre == ellipsoid.semi_minor_metre
    if sphere:
        return any(name in method for name in _ELLIPSOIDAL_EQUAL_AREA + _SPHERICAL_EQUAL_AREA)
    return "spherical" not in method and any(name in method for name in _ELLIPSOIDAL_EQUAL_AREA)


def area_scale(largest: float) -> int:
    """Units per m² for sums of up to ``largest`` m²: a power of ten from 10⁴ to 10¹²."""
    scale = _FINEST_SCALE
    while scale > COARSEST_SCALE and largest * scale > _LARGEST_SUM:
        scale //= 10
    return scale


def weight_shift(largest: int) -> int:
    """Binary digits of a pixel's fraction, for sums of up to ``largest`` pixels in int64: at most 32."""
    return max(0, min(32, 61 - int(largest).bit_length()))


@dataclass(frozen=True)
class CellAreas:
    """Cell areas of one lattice in integer units of 1 / ``scale`` m².

    Where the area depends on the row alone (geographic and equal-area coordinates) a row is one chunk. Elsewhere a
    row is cut into chunks short enough (about a kilometre) that the mean of a chunk's cells is the area at its middle,
    to 1e-8.
    """

    lattice: Lattice
    scale: int

    @property
    def by_row(self) -> bool:
        """Whether all cells of a row have the same area."""
        return figure_of(self.lattice.crs_wkt).by_row

    @property
    def chunk(self) -> int:
        """Columns of a chunk; more than any raster has where a row is one chunk."""
        if self.by_row:
            return _ENDLESS
        return max(1, int(_CHUNK_METRES / (abs(self.lattice.dx) * figure_of(self.lattice.crs_wkt).unit)))

    def grid(self, row0: int, row1: int, column0: int, width: int) -> np.ndarray:
        """int64 (row, chunk): area of one cell, chunks counted from ``column0``."""
        chunk = self.chunk
        if self.by_row:
            return np.rint(row_areas(self.lattice, row0, row1) * self.scale).astype(np.int64)[:, None]
        first = np.arange(0, width, chunk)
        middle = column0 + (first + np.minimum(first + chunk, width)) / 2.0
        rows = np.arange(row0, row1) + 0.5
        columns, rows = np.meshgrid(middle, rows)
        return np.rint(scaled_areas(self.lattice, columns, rows) * self.scale).astype(np.int64)

    def of_spans(self, spans: np.ndarray, weights: np.ndarray, row0: int, shift: int) -> np.ndarray:
        """int64 (span): weighted area of whole spans (row − row0, first, end, zone), wherever on the lattice."""
        if not len(spans):
            return np.zeros(0, np.int64)
        length = spans[:, 2] - spans[:, 1]
        share = weights / float(1 << shift)
        if self.by_row:
            first, last = int(spans[:, 0].min()), int(spans[:, 0].max())
            area = self.grid(row0 + first, row0 + last + 1, 0, 1)[spans[:, 0] - first, 0]
            return np.rint(area * share).astype(np.int64) * length
        rows = row0 + spans[:, 0] + 0.5
        total = np.zeros(len(spans))
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):  # along the span the scale is smooth
            columns = (spans[:, 1] + spans[:, 2]) / 2.0 + node * length / 2.0
            total += weight / 2.0 * scaled_areas(self.lattice, columns, rows)
        return np.rint(total * length * share * self.scale).astype(np.int64)


def row_areas(lattice: Lattice, row0: int, row1: int) -> np.ndarray:
    """Area (m²) of one cell in each of the rows ``row0 … row1-1``; rows beyond a pole have none."""
    figure = figure_of(lattice.crs_wkt)
    if figure.geographic:
        borders = lattice.top + np.arange(row0, row1 + 1) * lattice.dy
        return ellipsoid_cell_areas(borders * figure.unit, lattice.dx * figure.unit, figure)
    return np.full(row1 - row0, abs(lattice.dx * lattice.dy) * figure.unit**2)


def scaled_areas(lattice: Lattice, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True area (m²) of cells at the given places of a projected lattice.

        A = |Δx Δy| · |∂(λ, φ)/∂(x, y)| · a² (1 − e²) cos φ / (1 − e² sin² φ)²

    The Jacobian is taken by central differences of the inverse projection, so the answer refers to the ellipsoid even
    where the projection is computed on a sphere (Web Mercator, Mollweide), whose own factors do not.
    """
    crs, figure = lattice.crs, figure_of(lattice.crs_wkt)
    x, y = lattice.coordinates(columns, rows)
    step = _DIFFERENCE_METRES / figure.unit
    inverse = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform
    east, west, north, south = (
        np.radians(inverse(x + along, y + up)) for along, up in ((step, 0), (-step, 0), (0, step), (0, -step))
    )
    (lon_x, lat_x), (lon_y, lat_y) = east - west, north - south
    turn = 2.0 * np.pi
    lon_x, lon_y = (np.remainder(d + np.pi, turn) - np.pi for d in (lon_x, lon_y))
    jacobian = np.abs(lon_x * lat_y - lon_y * lat_x) / (2.0 * step) ** 2
    phi = np.radians(inverse(x, y)[1])
    a, e2 = figure.semi_major, figure.eccentricity2
    element = a**2 * (1.0 - e2) * np.cos(phi) / (1.0 - e2 * np.sin(phi) ** 2) ** 2
    areas: np.ndarray = abs(lattice.dx * lattice.dy) * jacobian * element
    return areas
