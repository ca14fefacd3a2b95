"""The pattern in space: Moran's I, local Moran and gravity centres, back to the values of the regions."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cobalance.spatial import gravity
from cobalance.spatial.groups import tested_groups
from cobalance.spatial.links import Weights
from cobalance.spatial.points import to_degrees
from cobalance.study import space
from cobalance.study.lineage.accounts import DIM, total
from cobalance.study.lineage.node import Node, Setting, Text, Values
from cobalance.study.lineage.tree import Labels, Operands, Rule, Tree

PERMUTED: Text = {
    "en": "pseudo p of {permutations} permutations with seed {seed}; weights: {weights}",
    "zh": "由 {permutations} 次置换（随机种子 {seed}）得到的伪 p 值；权重：{weights}",
}
NOT_TESTED: Text = {
    "en": "not tested: no value, no neighbour, or all values equal",
    "zh": "未检验：无数值、无邻居或各区域数值相同",
}
NOT_KEPT: Text = {
    "en": "the weights stand in a file of their own (spatial.weights.file), which the results do not keep",
    "zh": "权重来自单独的文件（spatial.weights.file），结果中未保存",
}
CENTROID: Text = {"en": "centroid of the region's polygon", "zh": "区域面的形心"}
WEIGHT: Text = {"en": "weight of the neighbour", "zh": "邻居的权重"}
AXES = ("easting_m", "northing_m", "longitude_deg", "latitude_deg")


def local_i(tree: Tree, name: str, labels: Labels) -> Node:
    operands = [(part, tree.node(f"local_{part}", **labels)) for part in ("z", "lag")]
    return tree.result(name, labels, "z · lag", operands, NOT_TESTED)


def z(tree: Tree, name: str, labels: Labels) -> Node:
    """A region's value in standard deviations from the mean of the tested regions."""
    rest = {key: labels[key] for key in ("variable", "year")}
    own = value_of(tree, labels["variable"], labels["region"], labels["year"])
    tested = _tested_regions(tree, **rest)
    reason: Text = {} if labels["region"] in tested else NOT_TESTED
    values = [value_of(tree, labels["variable"], region, labels["year"]) for region in tested]
    operands: Operands = [("value", own), *(("values", node) for node in values)]
    value = _local(tree, labels, "z")
    formula = "(value − mean(values)) / deviation(values)"
    return Node(name, labels, value, "1", formula, tuple(operands), reason=reason or _undefined(value))


def lag(tree: Tree, name: str, labels: Labels) -> Node:
    """The weighted z of the neighbours."""
    value = _local(tree, labels, "lag")
    if tree.study.spatial.weights.file is not None:
        return Node(name, labels, value, "1", reason=_undefined(value), remark=NOT_KEPT)
    links = _tested(tree, labels["variable"], labels["year"])
    if labels["region"] not in links.ids:
        return Node(name, labels, value, "1", reason=NOT_TESTED)
    parts = []
    for region, weight in links.neighbours(labels["region"]).items():
        neighbour = tree.node("local_z", **{**labels, "region": region})
        counts = Node("weight", {"region": region}, weight, "1", origin=Setting("spatial.weights"), remark=WEIGHT)
        at = {**labels, "neighbour": region}
        parts.append(tree.derived("weighted_z", at, "1", "weight · z", [("weight", counts), ("z", neighbour)]))
    formula, operands = tree.sum_of("weighted_z", parts)
    return Node(name, labels, value, "1", formula, tuple(operands), reason=_undefined(value))


def moran_i(tree: Tree, name: str, labels: Labels) -> Node:
    parts = [tree.node("local_i", region=region, **labels) for region in _tested_regions(tree, **labels)]
    if tree.study.spatial.weights.file is not None:
        node = tree.result(name, labels, "", [("local_i", part) for part in parts], NOT_TESTED)
        return dataclasses.replace(node, remark=NOT_KEPT)
    links = _tested(tree, **labels)
    weight = Node("weight_sum", {}, float(links.values.sum()), "1", origin=Setting("spatial.weights"))
    operands = [*(("local_i", node) for node in parts), ("weight_sum", weight)]
    formula = "count(local_i) / (count(local_i) − 1) · Σ(local_i) / weight_sum"
    return tree.result(name, labels, formula, operands, NOT_TESTED)


def pseudo_p(tree: Tree, name: str, labels: Labels) -> Node:
    """The share of permutations that are as extreme; computed by permuting once more with the same seed."""
    statistic = {"moran_pseudo_p": "moran_i", "local_pseudo_p": "local_i"}[name]
    node = tree.result(
        name, labels, "permutation(statistic)", [("statistic", tree.node(statistic, **labels))], NOT_TESTED
    )
    spatial = tree.study.spatial
    words = {"permutations": f"{spatial.permutations:,}", "seed": tree.study.seed, "weights": spatial.weights.type}
    remark: Text = {language: text.format(**words) for language, text in PERMUTED.items()}
    if spatial.weights.file is not None:
        return dataclasses.replace(node, formula="", remark=remark)

    def again(_: Values) -> float:
        # all years at once: a map's permutations depend on the panel that it stands in
        only = spatial.model_copy(update={"variables": [labels["variable"]]})
        found = tree.once(
            ("permuted", labels["variable"]),
            lambda: space.pattern(tree.dataset, _links(tree), only, tree.study.seed),
        )
        kind = "global" if name == "moran_pseudo_p" else "local"
        at = {dim: int(label) if dim == "year" else label for dim, label in labels.items()}
        return float(found[kind]["pseudo_p"].sel(at).item())

    return Node(name, labels, node.value, "1", node.formula, node.operands, again, reason=node.reason, remark=remark)


def cluster(tree: Tree, name: str, labels: Labels) -> Node:
    """The word hangs on the quadrant (signs of z and lag) and on whether p is below the significance."""
    significance = tree.setting("significance", tree.study.spatial.significance, "spatial.significance")
    operands: Operands = [
        ("local_i", tree.node("local_i", **labels)),
        ("pseudo_p", tree.node("local_pseudo_p", **labels)),
        ("significance", significance),
    ]
    return Node(name, labels, tree.cell(name, labels), operands=tuple(operands))


def centre(tree: Tree, name: str, labels: Labels) -> Node:
    """Σ w x / Σ w over the centroids of the regions that have a weight; longitude and latitude from these."""
    variable, year, axis = labels["weighing"], labels["year"], labels["axis"]
    value = _centre(tree, variable, year, axis)
    if axis in AXES[2:]:
        plane = [tree.node(name, weighing=variable, year=year, axis=own) for own in AXES[:2]]
        text = f"{axis.split('_')[0]}(easting, northing)"
        operands: Operands = list(zip(("easting", "northing"), plane, strict=True))
        return Node(
            name, labels, value, "degree", text, tuple(operands), _unprojected(tree, axis), reason=_undefined(value)
        )
    masses = _masses(tree, variable)
    parts: list[tuple[str, Node]] = []
    for region, point in zip(masses.labels.tolist(), masses.points, strict=True):
        weight = value_of(tree, variable, region, year)
        if isinstance(weight.value, str) or not weight.value > 0:
            continue
        coordinate, origin = float(point[AXES.index(axis)]), Setting("regions.boundary")
        place = Node(axis, {"region": region}, coordinate, "m", origin=origin, remark=CENTROID)
        at = {**labels, "region": region}
        moment = tree.derived("moment", at, "", "weight · place", [("weight", weight), ("place", place)])
        parts += [("moment", moment), ("weight", weight)]
    return Node(name, labels, value, "m", "Σ(moment) / Σ(weight)", tuple(parts), reason=_undefined(value))


def value_of(tree: Tree, variable: str, region: str, year: str) -> Node:
    """A variable of a region and year: a coefficient as it is, an account summed over its classes or sources."""
    if variable in DIM:
        return total(tree, variable, {"region": region, "year": year})
    return tree.node(variable, region=region, year=year)


def _undefined(value: float) -> Text:
    return NOT_TESTED if math.isnan(value) else {}


def _local(tree: Tree, labels: Labels, column: str) -> float:
    """A column of the table ``local_moran``."""
    return float(_indexed(tree, "local_moran")[column][labels["variable"], labels["region"], int(labels["year"])])


def _centre(tree: Tree, variable: str, year: str, axis: str) -> float:
    rows = tree.results.tables["gravity_centre"]
    return float(rows[(rows["variable"] == variable) & (rows["year"] == int(year))][axis].iloc[0])


def _indexed(tree: Tree, table: str) -> pd.DataFrame:
    keys = ["variable", "region", "year"]
    return tree.once(("indexed", table), lambda: tree.results.tables[table].set_index(keys).sort_index())


def _links(tree: Tree) -> Weights:
    return tree.once(("links",), lambda: space.study_weights(tree.results.regions, tree.study.spatial, None))


def _tested_regions(tree: Tree, variable: str, year: str) -> list[str]:
    """Regions that a map's test counts, in the order of the study: those that have a z."""
    rows = _indexed(tree, "local_moran")["z"]
    return [region for region in tree.labels("region") if not math.isnan(rows[variable, region, int(year)])]


def _tested(tree: Tree, variable: str, year: str) -> Weights:
    """Weights among the regions that a map's test counts: with a value and a neighbour."""

    def make() -> Weights:
        values = space.quantity(tree.dataset, variable).sel(year=int(year)).values.astype(float)
        return tested_groups(values[None, :], _links(tree).ordered(tree.labels("region")))[0].weights

    return tree.once(("tested", variable, year), make)


def _masses(tree: Tree, variable: str) -> gravity.Masses:
    weight, crs = space.quantity(tree.dataset, variable), tree.study.spatial.crs
    return tree.once(("masses", variable), lambda: gravity.masses_of(weight, tree.results.regions, crs, None))


def _unprojected(tree: Tree, axis: str) -> Callable[[Values], float]:
    """Easting and northing back to degrees."""

    def again(values: Values) -> float:
        point: NDArray[np.float64] = np.array([[values["easting"][0], values["northing"][0]]])
        crs = _masses(tree, tree.study.spatial.gravity[0]).crs
        return float(to_degrees(point, crs)[0, AXES.index(axis) - 2])

    return again


RULES: dict[str, Rule] = {
    "moran_i": moran_i,
    "moran_pseudo_p": pseudo_p,
    "local_i": local_i,
    "local_z": z,
    "local_lag": lag,
    "local_pseudo_p": pseudo_p,
    "local_cluster": cluster,
    "gravity_centre": centre,
}
