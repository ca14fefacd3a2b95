"""Rasters and regions for the benchmarks, made from seeds: nothing is fetched.

The raster has the shape of the field's usual national product seen from afar: 45,600 × 26,400 pixels (1.2 Gpx) of
uint8 over 73–135° E, 18–53.9° N, EPSG:4326, 512-pixel deflate tiles, nine classes in patches; ``noise`` is the worst
case for every codec: each pixel drawn alone. Regions are the cells of a Voronoi diagram of random points within a
lobed outline that fills about half of the frame; their shared borders are roughened by midpoint displacement, alike
on both sides.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import from_bounds
from scipy.ndimage import gaussian_filter

WEST, SOUTH, EAST, NORTH = 73.0, 18.0, 135.0, 53.9
WIDTH, HEIGHT, TILE = 45_600, 26_400, 512
SHARES = (0.24, 0.23, 0.16, 0.14, 0.10, 0.05, 0.04, 0.025, 0.015)
"""How common the nine classes are."""


def make_raster(path: Path, *, noise: bool = False, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Write one raster; a file that is there already is left as it is."""
    if path.exists():
        return path
    width, height = size
    transform = from_bounds(WEST, SOUTH, EAST, NORTH, width, height)
    profile = {
        "driver": "GTiff", "width": width, "height": height, "count": 1, "dtype": "uint8", "nodata": 0,
        "crs": "EPSG:4326", "transform": transform, "tiled": True, "blockxsize": TILE, "blockysize": TILE,
        "compress": "deflate", "BIGTIFF": "IF_SAFER", "NUM_THREADS": "1",
    }  # fmt: skip
    unfinished = path.with_suffix(".part.tif")
    with rasterio.open(unfinished, "w", **profile) as dataset:
        for top in range(0, height, TILE):
            rows = min(TILE, height - top)
            rng = np.random.default_rng((seed, top))
            classes = _noise(rng, width) if noise else _patches(rng, width)
            dataset.write(classes[:rows], 1, window=rasterio.windows.Window(0, top, width, rows))
    unfinished.rename(path)
    return path


def _noise(rng: np.random.Generator, width: int) -> np.ndarray:
    return rng.integers(1, 10, (TILE, width), dtype=np.uint8)


def _patches(rng: np.random.Generator, width: int) -> np.ndarray:
    """Patches of a dozen pixels within a landscape of hundreds: level sets of smoothed noise."""
    small = gaussian_filter(rng.standard_normal((TILE, width), np.float32), 6.0, mode="wrap", truncate=3.0)
    coarse = gaussian_filter(rng.standard_normal((TILE // 16, width // 16 + 1)), 6.0, mode="wrap")
    large = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)[:, :width]
    field = small / small.std() + large / large.std()
    borders = np.quantile(field[::8, ::64], np.cumsum(SHARES)[:-1])
    return (np.searchsorted(borders, field.ravel()).reshape(field.shape) + 1).astype(np.uint8)


def make_regions(count: int, *, seed: int = 0, steps: int = 7) -> gpd.GeoDataFrame:
    """``count`` cells with codes, in EPSG:4326; each border is halved ``steps`` times."""
    rng = np.random.default_rng((seed, count))
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius = 0.84 + 0.10 * np.sin(3 * angle + 0.4) + 0.06 * np.sin(7 * angle)
    centre = np.array([(WEST + EAST) / 2, (SOUTH + NORTH) / 2])
    half = np.array([(EAST - WEST) / 2, (NORTH - SOUTH) / 2])
    outline = shapely.Polygon(centre + half * np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    seeds = []
    while len(seeds) < count:
        point = centre + half * rng.uniform(-1, 1, 2)
        if outline.contains(shapely.Point(point)):
            seeds.append(point)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=outline))
    cells = shapely.intersection(cells, outline)
    shapes = [shapely.Polygon(_rough_ring(shapely.get_coordinates(cell.exterior), steps)) for cell in cells]
    shapes = [shape if shape.is_valid else shapely.make_valid(shape) for shape in shapes]
    codes = [f"r{i:05d}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"region": codes}, geometry=shapes, crs="EPSG:4326")


def _rough_ring(ring: np.ndarray, steps: int) -> np.ndarray:
    """Midpoint displacement of every side, seeded by its two ends, so that neighbours displace alike."""
    ring = np.round(ring, 9)
    return np.concatenate([_rough_side(a, b, steps)[:-1] for a, b in pairwise(ring)])


def _rough_side(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    turned = tuple(a) > tuple(b)
    first, last = (b, a) if turned else (a, b)
    length = float(np.hypot(*(last - first)))
    steps = min(steps, max(0, int(np.log2(max(length / 0.005, 1.0)))))
    rng = np.random.default_rng(np.abs(np.concatenate([first, last]) * 1e9).astype(np.int64))
    points = np.array([first, last])
    for _ in range(steps):
        side = np.diff(points, axis=0)
        normal = np.column_stack([-side[:, 1], side[:, 0]])
        middle = (points[1:] + points[:-1]) / 2 + normal * rng.uniform(-0.15, 0.15, (len(side), 1))
        merged = np.empty((len(points) + len(middle), 2))
        merged[::2], merged[1::2] = points, middle
        points = merged
    return points[::-1] if turned else points
