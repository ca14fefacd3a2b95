"""Spatial weights from geometries, from the study file, from files and from libpysal.

Contiguity comes straight from shapely's STRtree; distances are geodesic, between centroids formed in an equal-area
CRS. libpysal takes seconds to import and is touched only by :func:`from_libpysal` and :func:`to_libpysal`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.exchange import from_libpysal, read_weights, to_libpysal, write_gal
from cobalance.spatial.links import Weights, assembled, check_same_regions
from cobalance.spatial.points import (
    centroids,
    equal_area_crs,
    geocentric,
    geodesic,
    geometry_of,
    region_labels,
    to_degrees,
)
from cobalance.vocabulary.errors import Place, Problems, nearest, refuse

if TYPE_CHECKING:
    import geopandas

    Geometries: TypeAlias = "geopandas.GeoSeries | geopandas.GeoDataFrame"

__all__ = [
    "Weights",
    "bridged",
    "check_same_regions",
    "contiguity",
    "distance_band",
    "from_libpysal",
    "higher_order",
    "inverse_distance",
    "k_nearest",
    "kernel",
    "read_weights",
    "to_libpysal",
    "weights_from",
    "write_gal",
]

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
IslandPolicy = Literal["own class", "nearest"]
KernelFunction = Literal["triangular", "uniform", "epanechnikov", "quartic", "gaussian"]
Bridges = Iterable[Sequence[str]]

_KERNELS = {
    "triangular": lambda u: 1 - u,
    "uniform": lambda u: np.full_like(u, 0.5),
    "epanechnikov": lambda u: 0.75 * (1 - u**2),
    "quartic": lambda u: 15 / 16 * (1 - u**2) ** 2,
    "gaussian": lambda u: np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi),
}


def contiguity(
    geometries: Geometries,
    *,
    rook: bool = False,
    order: int = 1,
    bridges: Bridges = (),
    islands: IslandPolicy = "own class",
    row_standardised: bool = True,
) -> Weights:
    """Regions that touch: queen (a common point is enough) or rook (a common edge of positive length).

    geometries   polygons, indexed by region
    order        regions exactly so many steps away; :func:`higher_order` also gives "up to"
    bridges      pairs of regions that count as touching though water lies between, e.g. ``[["460000", "440000"]]``
    islands      ``own class``: a region without neighbours stays so; ``nearest``: it is linked, both ways, to the
                 region whose boundary is nearest (equal-area CRS where the geometries have one)

    Bridges and island links are first-order links: they are made before ``order`` is applied. Overlapping polygons
    touch; polygons with a gap between them do not. Raises E704, E706, E709, E710.
    """
    import shapely

    labels, series = region_labels(geometries), geometry_of(geometries)
    shapes = np.asarray(series.array)
    focal, neighbour = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = focal < neighbour
    focal, neighbour = focal[once], neighbour[once]
    if rook:
        shared = shapely.length(shapely.intersection(shapes[focal], shapes[neighbour])) > 0
        focal, neighbour = focal[shared], neighbour[shared]
    pairs = np.column_stack([focal, neighbour])
    touching = _binary(labels, np.concatenate([pairs, pairs[:, ::-1]]), "rook" if rook else "queen", {"order": 1})
    first = bridged(touching, series, bridges, islands)
    last = first if order == 1 else higher_order(first, order)
    return last.standardised() if row_standardised else last


def bridged(weights: Weights, geometries: Geometries, bridges: Bridges, islands: str = "own class") -> Weights:
    """Weights with links added, both ways: the ``bridges``, then each island's by the policy ``islands``.

    For weights whose neighbours count the same; they go on doing so. Raises E708 where they are not, E709, E712.
    """
    labels, series = region_labels(geometries), geometry_of(geometries)
    added = np.array(_bridge_positions(labels, bridges), dtype=np.int64).reshape(-1, 2)
    links = np.column_stack([weights.focal, weights.indices])
    found = _island_links(series, np.concatenate([links, added]), islands)
    if len(added) + len(found) == 0:
        return weights
    alike = weights.equal_rows if weights.row_standardised else bool((weights.values == 1).all())
    if not alike:
        raise refuse("E708", kind=weights.kind)
    parameters = dict(weights.parameters)
    if len(added):
        parameters["bridges"] = " ".join(f"{labels[i]}–{labels[j]}" for i, j in added.tolist())
    if len(found):
        parameters["islands"] = "nearest"
    links = np.concatenate([links, added, added[:, ::-1], found, found[:, ::-1]])
    made = _binary(labels, links, weights.kind, parameters)
    return made.standardised() if weights.row_standardised else made


def higher_order(weights: Weights, order: int, *, lower_orders: bool = False) -> Weights:
    """Binary weights of the regions exactly ``order`` steps away, or up to ``order`` with ``lower_orders``.

    The region itself is never its own neighbour. Raises E710 for an order below 1.
    """
    from scipy.sparse import csr_array

    if order < 1:
        raise refuse("E710", option="order", value=order, rule="a whole number from 1 on", rule_zh="不小于 1 的整数")
    step = csr_array((np.ones(weights.links), weights.indices, weights.indptr), shape=(weights.n, weights.n))
    reached, frontier = step.copy(), step
    for _ in range(order - 1):
        wider = ((reached @ step) + reached + frontier).tocsr()
        wider.data[:] = 1.0
        frontier = (wider - reached).tocsr()
        frontier.eliminate_zeros()
        reached = wider
    chosen = (reached if lower_orders or order == 1 else frontier).tocoo()
    parameters = {**weights.parameters, "order": f"1–{order}" if lower_orders and order > 1 else order}
    return assembled(weights.ids, chosen.row, chosen.col, None, weights.kind, weights.row_standardised, parameters)


def k_nearest(geometries: Geometries, k: int = 4, *, crs: Any = None, row_standardised: bool = True) -> Weights:
    """The ``k`` regions whose centroids are nearest on the ellipsoid; not symmetric. Raises E706, E707, E710."""
    labels, degrees = region_labels(geometries), _degrees(geometries, crs)
    _check_k(k, len(labels) - 1)
    focal, neighbour, _ = _nearest_links(degrees, k)
    return assembled(labels, focal, neighbour, None, "k-nearest", row_standardised, {"k": k})


def distance_band(
    geometries: Geometries, distance_km: float, *, crs: Any = None, row_standardised: bool = True
) -> Weights:
    """Regions whose centroids lie within ``distance_km`` on the ellipsoid. Raises E706, E707, E710."""
    _check_positive("distance_km", distance_km)
    focal, neighbour, _ = _links_within(_degrees(geometries, crs), distance_km)
    return assembled(
        region_labels(geometries),
        focal,
        neighbour,
        None,
        "distance band",
        row_standardised,
        {"distance_km": distance_km},
    )


def inverse_distance(
    geometries: Geometries,
    *,
    power: float = 1.0,
    distance_km: float | None = None,
    crs: Any = None,
    row_standardised: bool = True,
) -> Weights:
    """w = d ** -power, d geodesic between centroids, up to ``distance_km`` (all pairs where None).

    Raises E706, E707, E710, and E711 where two centroids coincide.
    """
    _check_positive("power", power)
    if distance_km is not None:
        _check_positive("distance_km", distance_km)
    labels = region_labels(geometries)
    focal, neighbour, distance = _links_within(_degrees(geometries, crs), distance_km or 20_100.0)
    if (distance == 0).any():
        same = [f"{labels[i]}–{labels[j]}" for i, j in zip(focal, neighbour, strict=True) if i < j]
        at = [pair for pair, d in zip(same, distance[focal < neighbour], strict=True) if d == 0]
        raise refuse("E711", pairs=at)
    parameters: dict[str, Any] = {"power": power}
    if distance_km is not None:
        parameters["distance_km"] = distance_km
    return assembled(labels, focal, neighbour, distance**-power, "inverse distance", row_standardised, parameters)


def kernel(
    geometries: Geometries,
    *,
    function: KernelFunction = "triangular",
    bandwidth_km: float | None = None,
    k: int | None = None,
    crs: Any = None,
    row_standardised: bool = True,
) -> Weights:
    """w = K(d / h) for d <= h; h is ``bandwidth_km``; or the ``k`` nearest, h being the distance to the next after.

    The region's weight on itself, K(0), is left out: a region is not its own neighbour. Gaussian is cut at h as the
    others are. Raises E706, E707, E710.
    """
    labels, degrees = region_labels(geometries), _degrees(geometries, crs)
    if function not in _KERNELS:
        raise refuse("E709", option=function, valid=nearest(function, _KERNELS))
    if (bandwidth_km is None) == (k is None):
        raise refuse(
            "E710",
            option="bandwidth_km, k",
            value=f"{bandwidth_km}, {k}",
            rule="exactly one of the two",
            rule_zh="二者只给其一",
        )
    parameters: dict[str, Any] = {"function": function}
    if bandwidth_km is not None:
        _check_positive("bandwidth_km", bandwidth_km)
        focal, neighbour, distance = _links_within(degrees, bandwidth_km)
        scaled = distance / bandwidth_km
        parameters["bandwidth_km"] = bandwidth_km
    else:
        _check_k(int(k or 0), len(labels) - 2)
        focal, neighbour, distance = _nearest_links(degrees, int(k or 0) + 1)
        by_region = distance.reshape(len(labels), -1)
        scaled = (by_region[:, :-1] / by_region[:, -1:]).ravel()
        focal, neighbour = (ends.reshape(by_region.shape)[:, :-1].ravel() for ends in (focal, neighbour))
        parameters["k"] = k
    return assembled(labels, focal, neighbour, _KERNELS[function](scaled), "kernel", row_standardised, parameters)


_EVERY = {"bridges", "islands"}
_KEYS: dict[str, set[str]] = {
    "queen": {"order"},
    "rook": {"order"},
    "k_nearest": {"k"},
    "distance_band": {"distance_km"},
    "inverse_distance": {"power", "distance_km"},
    "kernel": {"function", "bandwidth_km", "distance_km", "k"},
    "file": {"file"},
}


def weights_from(geometries: Geometries, specification: Mapping[str, Any] | str, crs: Any = None) -> Weights:
    """Weights as the study file asks for them: ``queen``, or a mapping with ``type`` and that type's options.

    ``{type: queen, order: 1, islands: own class, bridges: [[a, b]]}`` · ``{type: k_nearest, k: 4}`` ·
    ``{type: distance_band, distance_km: 800}`` · ``{type: inverse_distance, power: 1}`` ·
    ``{type: kernel, function: triangular, k: 6}`` (or ``distance_km``, its bandwidth) · ``{type: file, file:
    provinces.gal}``; each with ``row_standardised: true``. Bridges and ``islands: nearest`` go with every type whose
    neighbours count the same (E708 else). ``crs`` is the CRS in which centroids are formed (default: fitted,
    equal-area). Raises E709 for words it does not know, all at once.
    """
    given = {"type": specification} if isinstance(specification, str) else dict(specification)
    given = {key: value for key, value in given.items() if value is not None}
    kind = str(given.pop("type", "file" if "file" in given else "queen")).replace("-", "_").replace(" ", "_")
    standardised = bool(given.pop("row_standardised", True))
    problems = Problems()
    if kind not in _KEYS:
        problems.add("E709", Place(key="weights.type"), option=kind, valid=nearest(kind, _KEYS))
    for key in given.keys() - _EVERY - _KEYS.get(kind, set(given)):
        problems.add("E709", Place(key=f"weights.{key}"), option=key, valid=nearest(key, _EVERY | _KEYS[kind]))
    problems.raise_errors()
    if kind in ("queen", "rook"):
        return contiguity(geometries, rook=kind == "rook", row_standardised=standardised, **given)
    bridges, islands = given.pop("bridges", ()), given.pop("islands", "own class")
    if kind == "kernel" and "distance_km" in given:
        given["bandwidth_km"] = given.pop("distance_km")
    if kind == "file":
        made = read_weights(given["file"], row_standardised=standardised).ordered(region_labels(geometries))
    else:
        made = _MAKERS[kind](geometries, crs=crs, row_standardised=standardised, **given)
    return bridged(made, geometries, bridges, islands)


_MAKERS: dict[str, Callable[..., Weights]] = {
    "k_nearest": k_nearest,
    "distance_band": distance_band,
    "inverse_distance": inverse_distance,
    "kernel": kernel,
}


def _binary(labels: NDArray[Any], links: Integers, kind: str, parameters: dict[str, Any]) -> Weights:
    """Binary weights from directed links, each counted once however often it is given."""
    once = np.unique(links, axis=0)
    return assembled(labels, once[:, 0], once[:, 1], None, kind, False, parameters)


def _bridge_positions(labels: NDArray[Any], bridges: Bridges) -> list[tuple[int, int]]:
    rank = {label: position for position, label in enumerate(labels.tolist())}
    problems, pairs = Problems(), []
    for number, bridge in enumerate(bridges, start=1):
        ends = [str(end) for end in bridge] if not isinstance(bridge, str) else [bridge]
        unknown = [end for end in ends if end not in rank]
        if len(ends) != 2 or unknown or ends[0] == ends[1]:
            problems.add(
                "E712",
                Place(key="weights.bridges"),
                number=number,
                bridge=ends,
                valid=nearest(unknown[0], rank) if unknown else "–",
            )
        else:
            pairs.append((rank[ends[0]], rank[ends[1]]))
    problems.raise_errors()
    return pairs


def _island_links(series: geopandas.GeoSeries, links: Integers, islands: str) -> Integers:
    """(found, 2) each region without a link and the nearest other one, where the policy says so."""
    import shapely

    if islands not in ("own class", "nearest"):
        raise refuse("E709", Place(key="weights.islands"), option=islands, valid="own class, nearest")
    alone = np.setdiff1d(np.arange(len(series)), links.ravel())
    if islands == "own class" or len(alone) == 0 or len(series) < 2:
        return np.empty((0, 2), dtype=np.int64)
    planar = series.to_crs(equal_area_crs(series)) if series.crs is not None else series
    shapes = np.asarray(planar.array)
    found = []
    for position in alone.tolist():
        distance = shapely.distance(shapes[position], shapes)
        distance[position] = np.inf
        found.append((position, int(np.argmin(distance))))
    return np.array(found, dtype=np.int64)


def _degrees(geometries: Geometries, crs: Any) -> Floats:
    series = geometry_of(geometries)
    if series.crs is None:
        raise refuse("E707", what="distances in km", what_zh="以千米计的距离")
    points, projection = centroids(series, crs)
    return to_degrees(points, projection)


def _nearest_links(degrees: Floats, k: int) -> tuple[Integers, Integers, Floats]:
    """Links to the k nearest, distance in km: candidates by chord, ranked by geodesic."""
    from scipy.spatial import KDTree

    n, spare = len(degrees), 8
    wanted = min(n, k + 1 + spare)
    _, candidate = KDTree(geocentric(degrees)).query(geocentric(degrees), k=wanted)
    candidate = candidate.reshape(n, wanted)
    focal = np.repeat(np.arange(n), wanted)
    distance, _ = geodesic(degrees[focal], degrees[candidate.ravel()])
    distance[focal == candidate.ravel()] = np.inf
    distance = distance.reshape(n, wanted)
    order = np.lexsort((candidate, distance), axis=1)[:, :k]
    rows = np.arange(n)[:, None]
    return np.repeat(np.arange(n), k), candidate[rows, order].ravel(), distance[rows, order].ravel()


def _links_within(degrees: Floats, distance_km: float) -> tuple[Integers, Integers, Floats]:
    """Links between points at most so far apart; a chord is never longer than its geodesic, so none is missed."""
    from scipy.spatial import KDTree

    pairs = KDTree(geocentric(degrees)).query_pairs(distance_km, output_type="ndarray").astype(np.int64)
    distance, _ = geodesic(degrees[pairs[:, 0]], degrees[pairs[:, 1]])
    inside = distance <= distance_km
    pairs, distance = pairs[inside], distance[inside]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return both[:, 0], both[:, 1], np.concatenate([distance, distance])


def _check_positive(option: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise refuse("E710", option=option, value=value, rule="a positive number", rule_zh="正数")


def _check_k(k: int, most: int) -> None:
    if not 1 <= k <= most:
        rule, rule_zh = f"a whole number from 1 to {most}", f"1 至 {most} 的整数"
        raise refuse("E710", option="k", value=k, rule=rule, rule_zh=rule_zh)
