"""The standard deviational ellipse of weighted points, and the bootstrap ellipse of their centre."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Convention = Literal["plain", "sqrt2"]
Ellipse = tuple[float, float, float]

_NONE: Ellipse = (float("nan"), float("nan"), float("nan"))


def deviational_ellipse(points: Floats, weight: Floats, convention: Convention = "plain") -> Ellipse:
    """Semi-major axis, semi-minor axis (unit of the points), rotation (degrees) of weighted points.

    points (region, 2) easting, northing; weight (region), NaN left out

        C = Σ w (x − X)(x − X)ᵀ / Σ w,   semi-axes = √eigenvalues of C   (× √2 with ``convention="sqrt2"``)

    ``plain`` is the weighted standard deviation along each principal axis, Yuill's (1971, doi 10.2307/490885) formula
    as printed; ``sqrt2`` is the form enlarged by √2 that CrimeStat and others use. Rotation: major axis, clockwise
    from grid north, in [0, 180). NaN without weight.
    """
    held = np.isfinite(weight) & (weight > 0)
    if not held.any():
        return _NONE
    away = points[held] - weight[held] @ points[held] / weight[held].sum()
    covariance = (away * weight[held, None]).T @ away / weight[held].sum()
    return axes(covariance, np.sqrt(2.0) if convention == "sqrt2" else 1.0)


def axes(covariance: Floats, factor: float = 1.0) -> Ellipse:
    """Semi-axes, enlarged by ``factor``, and rotation of the ellipse of a 2 × 2 covariance."""
    values, vectors = np.linalg.eigh(covariance)
    minor, major = np.sqrt(np.maximum(values, 0.0)) * factor
    east, north = vectors[:, 1]
    rotation = float(np.degrees(np.arctan2(east, north)) % 180.0)
    return float(major), float(minor), 0.0 if rotation == 180.0 else rotation
