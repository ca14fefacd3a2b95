"""Small rasters and regions for the tests, and the slow, plain way to count them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
import shapely.affinity
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.ops import split

EQUAL_AREA = "EPSG:6933"


def north_up(left: float, top: float, width: float, height: float) -> Affine:
    """The transform of a raster whose rows run southwards."""
    return Affine(width, 0.0, left, 0.0, -height, top)


def write_raster(
    path: Path,
    pixels: np.ndarray,
    *,
    crs: str | None = EQUAL_AREA,
    transform: Affine | None = None,
    **options: Any,
) -> Path:
    """A GeoTIFF of one band; by default one-metre cells with the lower left corner at 0, 0."""
    height, width = pixels.shape
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": 1,
        "dtype": pixels.dtype.name,
        "crs": crs,
        "transform": transform or north_up(0, height, 1, 1),
        "compress": "deflate",
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
    }
    profile.update(options)
    if not profile["tiled"]:
        profile.pop("blockxsize")
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(pixels, 1)
    return path


def region_frame(shapes: list[Any], crs: str = EQUAL_AREA) -> gpd.GeoDataFrame:
    """Regions r0, r1, … of shapes."""
    return gpd.GeoDataFrame({"region": [f"r{i}" for i in range(len(shapes))]}, geometry=shapes, crs=crs)


def plain_counts(pixels: np.ndarray, transform: Affine, shapes: list[Any]) -> dict[tuple[str, int], int]:
    """(region, code) → pixels, by GDAL's rasterize (a later region is burnt over an earlier one) and NumPy."""
    burnt = rasterize([(shape, i + 1) for i, shape in enumerate(shapes)], out_shape=pixels.shape, transform=transform)
    counts = {}
    for i in range(len(shapes)):
        for code, count in zip(*np.unique(pixels[burnt == i + 1], return_counts=True), strict=True):
            counts[f"r{i}", int(code)] = int(count)
    return counts


def counted(pixels: Any) -> dict[tuple[str, int], int]:
    """(region, code) → pixels of a result, zeros and missing left out."""
    series = pixels.isel(year=0, drop=True).to_series()
    return {(str(r), int(k)): int(v) for (r, k), v in series.items() if v > 0}


@st.composite
def polygons(draw: st.DrawFn, width: int, height: int) -> Any:
    """One valid polygon on a lattice of quarter pixels: centres of pixels, level edges and slivers are common."""
    points = st.tuples(
        st.integers(-8, 4 * width + 8).map(lambda v: v / 4), st.integers(-8, 4 * height + 8).map(lambda v: v / 4)
    )
    kind = draw(st.sampled_from(["hull", "box", "ring", "star", "parts"]))
    if kind == "hull":
        shape = shapely.MultiPoint(draw(st.lists(points, min_size=3, max_size=7))).convex_hull
    elif kind == "star":
        shape = shapely.make_valid(shapely.Polygon(draw(st.lists(points, min_size=3, max_size=7))))
    else:
        corners = draw(st.lists(points, min_size=2, max_size=2))
        (x1, y1), (x2, y2) = corners
        shape = shapely.box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
        if kind == "ring":
            shape = shape.difference(shapely.box(x1 - 1.5, y1 - 1.5, x1 + 1.5, y1 + 1.5))
            shape = shape.difference(shape.buffer(-2.25, join_style="mitre"))
        if kind == "parts":
            shape = shape.union(shapely.affinity.translate(shape, 0.75 * width, 0.25))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
    if not parts:
        return shapely.box(0.25, 0.25, 1.25, 1.75)
    return shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0]


@st.composite
def partitions(draw: st.DrawFn, width: int, height: int) -> list[Any]:
    """A frame cut by random lines into pieces that share all their borders."""
    cells = [shapely.box(-1.5, 0.5, width + 1.25, height - 0.5)]
    for _ in range(draw(st.integers(1, 4))):
        ends = [draw(st.integers(-4, 4 * max(width, height) + 4)) / 4 for _ in range(4)]
        line = shapely.LineString([(-2, ends[0]), (ends[1], ends[2]), (width + 2, ends[3])])
        cut = [
            piece for cell in cells for piece in shapely.get_parts(split(cell, line)) if piece.geom_type == "Polygon"
        ]
        cells = cut
    return cells


@st.composite
def codings(draw: st.DrawFn) -> dict[str, Any]:
    """How a GeoTIFF is written: codec, tiles or strips, predictor, byte order, BigTIFF."""
    compress = draw(st.sampled_from(["none", "deflate", "lzw", "zstd", "packbits"]))
    options: dict[str, Any] = {"tiled": draw(st.booleans()), "compress": compress}
    if not options["tiled"]:
        options["blockysize"] = draw(st.integers(1, 9))
    if compress in ("deflate", "lzw", "zstd"):
        options["predictor"] = draw(st.sampled_from([1, 2]))
    options["BIGTIFF"] = draw(st.sampled_from(["YES", "NO"]))
    options["ENDIANNESS"] = draw(st.sampled_from(["LITTLE", "BIG"]))
    return options
