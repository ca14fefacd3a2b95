"""The regions as drawn: projected, simplified for the eye, far-away parts moved into insets, tiny ones as dots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.path import Path
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from cobalance.spatial.points import equal_area_crs

Bounds = tuple[float, float, float, float]
CHINA_ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m +no_defs"
SOUTH_CHINA_SEA: Bounds = (106.0, 2.5, 123.0, 24.5)
MOST_INSETS = 5
INSET_MARGIN = 1.12
INSET_GAIN = 1.5  # a far part gets an inset where it would enlarge the map's area by more
POINTS_WIDE = 315.0  # a map's width on the sheet
SMALL, DOT = 4.0, 2.2  # points: parts smaller than a square of SMALL are specks, regions smaller than DOT are dots
PROVINCES = frozenset(
    map(
        str,
        (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82),
    )
)
"""First two digits of the provincial units of GB/T 2260."""


@dataclass(frozen=True)
class Outlines:
    """Drawable regions in the coordinates of one map.

    paths   region → outline of its parts that are large enough for a pale edge
    specks  region → outline of its small parts, which a pale edge would hide; of a region too small to see, a dot
    points  region → centre of the largest circle inside it, for letters
    size    region → diameter of that circle, in points of the sheet
    frames  rectangles of the insets
    bounds  of everything
    crs     of the main map; coordinates in it are map coordinates outside the insets
    plane   the regions in ``crs`` with all their vertices, for enlarged parts
    """

    paths: dict[str, Path]
    specks: dict[str, Path]
    points: dict[str, tuple[float, float]]
    size: dict[str, float]
    frames: tuple[Bounds, ...]
    bounds: Bounds
    crs: CRS
    plane: dict[str, shapely.Geometry]

    @property
    def regions(self) -> list[str]:
        return list(self.points)

    def outline(self, regions: Iterable[str]) -> Path:
        """All parts of some regions as one path."""
        own = list(regions)
        parts = [source[region] for source in (self.paths, self.specks) for region in own if region in source]
        return Path.make_compound_path(*parts)

    def enlarged(self, window: Bounds, track: NDArray[np.float64]) -> dict[str, tuple[Path, shapely.Point, float]]:
        """Region → its outline inside ``window``, a point in it clear of edges and ``track`` (or empty), its share."""
        west, south, east, north = window
        tolerance = (east - west) / POINTS_WIDE * 0.2
        across, up = 0.12 * (east - west), 0.05 * (east - west)  # half of a name's room
        busy = shapely.box(track[:, 0] - across, track[:, 1] - up, track[:, 0] + across, track[:, 1] + up)
        inner = shapely.box(west + across, south + up, east - across, north - up)
        free = shapely.difference(inner, shapely.union_all(busy))
        found = {}
        for label, shape in self.plane.items():
            part = _polygonal(shapely.clip_by_rect(shape, west, south, east, north))
            if not part.is_empty:
                clear = shapely.intersection(part, free)
                place = clear if clear.is_empty else shapely.point_on_surface(_largest(clear))
                found[label] = (_path(shapely.simplify(part, tolerance)), place, part.area / _area(window))
        return found

    def project(self, longitudes: Iterable[float], latitudes: Iterable[float]) -> NDArray[np.float64]:
        """(n, 2) map coordinates of degrees on WGS 84."""
        transformer = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        return np.column_stack(transformer.transform(np.asarray(longitudes), np.asarray(latitudes)))


def is_china(regions: Iterable[str]) -> bool:
    """Whether all codes are six digits that begin with a province of GB/T 2260."""
    codes = [str(region) for region in regions]
    return bool(codes) and all(len(code) == 6 and code.isdigit() and code[:2] in PROVINCES for code in codes)


def outlines(regions: gpd.GeoDataFrame, crs: str | None = None) -> Outlines | None:
    """The regions laid out for a map; None where they have no shapes.

    crs   an equal-area system of the user's; default Albers 25/47/105 for China, else one fitted to the regions.
    """
    shapes = regions.geometry[regions.geometry.notna() & ~regions.geometry.is_empty]
    if shapes.empty:
        return None
    china = is_china(regions.index)
    projection = _projection(shapes, crs, china)
    plane = shapes.to_crs(projection)
    geometries = {str(label): shape for label, shape in zip(plane.index, _simplified(plane), strict=True)}
    if china and shapes.total_bounds[1] < 16.0:
        return _finished(*_with_sea(geometries, projection), plane)
    mainland, far = _parts(geometries)
    main = _bounds([geometries[label] for label in mainland])
    placed = {label: geometries[label] for label in mainland}
    frames: list[Bounds] = []
    for labels in far:
        box = _fitted_inset(shapes.loc[labels])
        frame = _free_place(main, list(placed.values()), frames, _inset_size(main, _bounds(box.values())))
        placed |= _moved(box, frame)
        frames.append(frame)
    return _finished({label: placed[label] for label in geometries}, frames, main, plane)


def _projection(shapes: gpd.GeoSeries, crs: str | None, china: bool) -> CRS:
    if crs is not None:
        chosen = CRS.from_user_input(crs)
        if chosen.is_projected:
            return chosen
    return CRS.from_proj4(CHINA_ALBERS) if china else equal_area_crs(shapes)


def _simplified(plane: gpd.GeoSeries) -> NDArray[np.object_]:
    """Outlines without the vertices that no eye can see, neighbours still sharing their border."""
    west, south, east, north = plane.total_bounds
    tolerance = max(east - west, north - south) / POINTS_WIDE * 0.45
    geometries = shapely.force_2d(plane.array)
    polygons = np.array([_polygonal(shape) for shape in geometries], dtype=object)
    return shapely.orient_polygons(shapely.coverage_simplify(polygons, tolerance))


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape; a repaired boundary may bring lines along."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)


def _parts(geometries: dict[str, shapely.Geometry]) -> tuple[list[str], list[list[str]]]:
    """Regions of the main map, and those so far off that they would shrink it, in groups that lie together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    labels, shapes = list(geometries), np.array(list(geometries.values()), dtype=object)
    west, south, east, north = _bounds(shapes)
    reach = 0.05 * float(np.hypot(east - west, north - south))
    first, second = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(labels), len(labels)))
    count, membership = connected_components(graph, directed=False)
    main = int(np.bincount(membership).argmax())
    inside = [label for label, part in zip(labels, membership, strict=True) if part == main]
    bounds, far = _bounds([geometries[label] for label in inside]), []
    for part in range(count):
        members = [label for label, own in zip(labels, membership, strict=True) if own == part]
        if part == main:
            continue
        joined = _union(bounds, _bounds([geometries[label] for label in members]))
        if _area(joined) > INSET_GAIN * _area(bounds):
            far.append(members)
        else:
            inside, bounds = inside + members, joined
    if len(far) > MOST_INSETS:  # an archipelago: nothing is moved
        return labels, []
    return [label for label in labels if label in set(inside)], far


def _fitted_inset(shapes: gpd.GeoSeries) -> dict[str, shapely.Geometry]:
    """A far-away part in an equal-area projection of its own, so that it stands upright."""
    plane = shapes.to_crs(equal_area_crs(shapes))
    return {str(label): shape for label, shape in zip(plane.index, _simplified(plane), strict=True)}


def _free_place(
    main: Bounds, taken: list[shapely.Geometry], frames: list[Bounds], size: tuple[float, float], right: bool = False
) -> Bounds:
    """A rectangle of a size that covers nothing: in an empty lower corner, else below the map; left or right first."""
    west, south, east, north = main
    (width, height), gap = size, 0.015 * (east - west)
    union = shapely.union_all(taken)
    shapely.prepare(union)
    places = [(down, along) for down in np.arange(0.0, 0.36, 0.03) for along in np.arange(0.0, 1.0, 0.03)]
    cost = 1.0 if right else 0.3  # of moving along, against moving down
    for down, along in sorted(places, key=lambda place: place[0] + cost * place[1]):
        x = west + (1 - along if right else along) * (east - west - width)
        y = south - down * (north - south)
        place = shapely.box(x - gap, y - gap, x + width + gap, y + height + gap)
        clear = not shapely.intersects(union, place)
        if clear and all(not shapely.box(*frame).intersects(place) for frame in frames):
            return (x, y, x + width, y + height)
    lowest = min([south, *(frame[1] for frame in frames)])
    left = east - width if right else west
    return (left, lowest - gap - height, left + width, lowest - gap)


def _inset_size(main: Bounds, box: Bounds) -> tuple[float, float]:
    """Width and height of an inset for ``box``: at most a quarter of the map either way, with a margin."""
    wide, high = main[2] - main[0], main[3] - main[1]
    ratio = (box[3] - box[1]) / (box[2] - box[0])
    width = min(0.24 * wide, 0.24 * high / ratio)
    return width * INSET_MARGIN, width * ratio + width * (INSET_MARGIN - 1)


def _moved(box: dict[str, shapely.Geometry], frame: Bounds) -> dict[str, shapely.Geometry]:
    """The inset's regions in the frame, at the scale that fits."""
    x0, y0, x1, y1 = _bounds(list(box.values()))
    scale = (frame[2] - frame[0]) / (x1 - x0) / INSET_MARGIN
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    middle = np.array([(frame[0] + frame[2]) / 2, (frame[1] + frame[3]) / 2])
    return {
        label: shapely.transform(shape, lambda points: (points - centre) * scale + middle)
        for label, shape in box.items()
    }


def _with_sea(
    geometries: dict[str, shapely.Geometry], projection: CRS
) -> tuple[dict[str, shapely.Geometry], list[Bounds], Bounds]:
    """China with the South China Sea in the customary inset: the main map ends south of Hainan, nothing is left out."""
    transformer = Transformer.from_crs("EPSG:4326", projection, always_xy=True)
    west, south, east, north = transformer.transform_bounds(*SOUTH_CHINA_SEA)
    cut = transformer.transform(110.0, 17.6)[1]
    whole = _bounds(list(geometries.values()))
    upper = {
        label: shapely.clip_by_rect(shape, whole[0], cut, whole[2], whole[3]) for label, shape in geometries.items()
    }
    main = _bounds([shape for shape in upper.values() if not shape.is_empty])
    window = {label: shapely.clip_by_rect(shape, west, south, east, north) for label, shape in geometries.items()}
    seen = {label: shape for label, shape in window.items() if not shape.is_empty}
    height = 0.27 * (main[3] - main[1])
    size = (height * (east - west) / (north - south), height)
    frame = _free_place(main, [shape for shape in upper.values() if not shape.is_empty], [], size, right=True)
    scale = height / (north - south)
    origin, corner = np.array([west, south]), np.array(frame[:2])
    placed = {
        label: shapely.union_all(
            [upper[label], shapely.transform(seen[label], lambda points: (points - origin) * scale + corner)]
            if label in seen
            else [upper[label]]
        )
        for label in geometries
    }
    return placed, [frame], main


def _finished(
    placed: dict[str, shapely.Geometry], frames: list[Bounds], main: Bounds, plane: gpd.GeoSeries
) -> Outlines:
    bounds = main
    for frame in frames:
        bounds = _union(bounds, frame)
    unit = (bounds[2] - bounds[0]) / POINTS_WIDE  # one point on paper
    paths, specks, points, size = {}, {}, {}, {}
    for label, shape in placed.items():
        biggest = _largest(shape)
        reach = shapely.maximum_inscribed_circle(biggest, tolerance=unit)  # from its centre to the border
        points[label], size[label] = reach.coords[0][:2], 2 * reach.length / unit
        parts = shapely.get_parts(shape)
        small = shapely.area(parts) < (SMALL * unit) ** 2
        if biggest.area < (DOT * unit) ** 2:
            specks[label] = _path(biggest.centroid.buffer(DOT * unit, quad_segs=6))
            continue
        if small.any():
            specks[label] = _path(parts[small])
        if not small.all():
            paths[label] = _path(parts[~small])
    whole = {str(label): shape for label, shape in zip(plane.index, plane.array, strict=True)}
    return Outlines(paths, specks, points, size, tuple(frames), bounds, CRS(plane.crs), whole)


def _path(shape: shapely.Geometry | NDArray[np.object_]) -> Path:
    vertices, codes = [], []
    for polygon in shapely.get_parts(shape):
        for ring in (polygon.exterior, *polygon.interiors):
            points = shapely.get_coordinates(ring)
            if len(points) < 4:
                continue
            own = np.full(len(points), Path.LINETO, dtype=Path.code_type)
            own[0], own[-1] = Path.MOVETO, Path.CLOSEPOLY
            vertices.append(points)
            codes.append(own)
    return Path(np.concatenate(vertices), np.concatenate(codes))


def _largest(shape: shapely.Geometry) -> shapely.Geometry:
    return max(shapely.get_parts(shape), key=lambda part: part.area)


def _bounds(shapes: Iterable[shapely.Geometry]) -> Bounds:
    west, south, east, north = shapely.total_bounds(np.array(list(shapes), dtype=object))
    return float(west), float(south), float(east), float(north)


def _union(one: Bounds, two: Bounds) -> Bounds:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])


def _area(bounds: Bounds) -> float:
    return (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
