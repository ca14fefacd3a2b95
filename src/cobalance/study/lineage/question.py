"""The question: ``variable[labels…]``, the labels in any order, as codes or names, in Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cobalance.inputs.names import VariableNames
from cobalance.study.lineage.accounts import DIM
from cobalance.study.lineage.measures import GROWING, LEVERS
from cobalance.study.lineage.space import AXES
from cobalance.study.lineage.tree import Tree
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Problems, nearest, refuse

SHAPE = re.compile(r"\s*([^\[\]［］【】]+?)\s*(?:[\[［【](.*)[\]］】]\s*)?")
SEPARATORS = re.compile(r"[,，、;；]")
DIMS: Mapping[str, tuple[str, ...]] = {
    "gravity_centre": ("weighing", "year", "axis"),
    "local_z": ("variable", "region", "year"),
    "local_lag": ("variable", "region", "year"),
    "target_activity": ("region", "activity"),
    "outlook_growth": ("region", "activity"),
    "class_standard": ("region", "target", "land_class"),
    "class_capacity": ("region", "target", "land_class"),
    "growth": ("growing", "region", "year"),
    "moran_z": ("variable", "year"),
    "closing_lever": ("region", "target", "lever"),
    "source_cut": ("region", "target", "source"),
}
"""Dimensions of what the results hold in a table, or only on the way to another number."""

NEEDS: Mapping[str, str] = {
    "gravity_centre": "local_i",
    "local_z": "local_i",
    "local_lag": "local_i",
    "target_activity": "outlook",
    "outlook_growth": "outlook",
    "class_standard": "ecological_land_gap",
    "class_capacity": "ecological_land_gap",
    "growth": "carbon_emission",
    "moran_z": "moran_i",
    "closing_lever": "ecological_land_gap",
    "source_cut": "ecological_land_gap",
}
"""… and the variable of the results without which there is none of it."""

ITEM_DIMS: Mapping[str, str] = {
    "land_class": "land_area",
    "fuel": "fuel_use",
    "source": "carbon_emission",
    "activity": "carbon_emission",
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "carbon": ("碳",),
    "oxygen": ("氧",),
    "linear": ("线性",),
    "grey": ("灰色", "GM(1,1)"),
    "growth": ("平均增长",),
    "ensemble": ("集成", "平均"),
    "total": ("全部区域", "All regions"),
}
SHORT = re.compile(r"(特别行政区|(壮族|回族|维吾尔)?自治区|省|市)$")


@dataclass(frozen=True)
class Question:
    """A variable of the results and a label for each of its dimensions; ``over`` is the one that is added over."""

    name: str
    labels: Mapping[str, str]
    over: str | None = None


def read_question(text: str, tree: Tree) -> Question:
    """What ``text`` asks for. Raises E921–E925, all label problems at once."""
    found = SHAPE.fullmatch(text)
    if found is None:
        raise refuse("E925", found=text)
    given = [part.strip() for part in SEPARATORS.split(found[2] or "") if part.strip()]
    name = _variable(found[1], tree)
    if "group_" + name in tree.rules and _names_group(given, tree):
        name = "group_" + name
    dims = dims_of(name, tree)
    problems = Problems()
    labels = _placed(given, dims, tree, name, problems)
    open_dims = [dim for dim in dims if dim not in labels]
    over = DIM.get(name.removeprefix("group_"))
    if not problems.errors and open_dims == [over]:
        return Question(name, labels, over)
    for dim in open_dims if not problems.errors else ():
        problems.add("E923", variable=name, dim=dim, expected=tree_labels(dim, tree))
    problems.raise_errors()
    return Question(name, {dim: labels[dim] for dim in dims})


def explainable(tree: Tree) -> list[str]:
    """The variables of these results that a question may name."""
    return [name for name in tree.rules if NEEDS.get(name, name) in tree.dataset]


def dims_of(name: str, tree: Tree) -> tuple[str, ...]:
    return DIMS[name] if name in DIMS else tuple(map(str, tree.dataset[name].dims))


def tree_labels(dim: str, tree: Tree) -> list[str]:
    own = {"weighing": tree.study.spatial.gravity, "growing": GROWING, "lever": LEVERS, "axis": AXES}
    return list(own[dim]) if dim in own else tree.labels(dim)


def _variable(text: str, tree: Tree) -> str:
    known = explainable(tree)
    titles = {name: entry for name in known if (entry := schema.variables().get(name))}
    for name in known:
        entry = titles.get(name)
        if text == name or (entry and text.casefold() in (entry.zh, entry.en.casefold())):
            return name
    names = [*known, *(entry.zh for entry in titles.values()), *(entry.en for entry in titles.values())]
    raise refuse("E921", found=text, nearest=nearest(text, names), expected=known)


def _names_group(given: list[str], tree: Tree) -> bool:
    """Whether a label names a group and no region."""
    regions, groups = _names("region", tree), _names("group", tree)
    plain = [_split(label)[1].casefold() for label in given]
    return any(_split(label)[0] == "group" for label in given) or any(
        label in groups and label not in regions for label in plain
    )


def _split(label: str) -> tuple[str | None, str]:
    """``region=310000`` as (dimension, label)."""
    dim, mark, rest = label.partition("=")
    return (dim.strip(), rest.strip()) if mark else (None, label)


def _placed(given: list[str], dims: tuple[str, ...], tree: Tree, name: str, problems: Problems) -> dict[str, str]:
    """Each label at its dimension; E922 for one that no dimension has, E924 for one that two have."""
    labels: dict[str, str] = {}
    for raw in given:
        stated, text = _split(raw)
        places = {
            dim: code
            for dim in dims
            if stated in (None, dim) and (code := _names(dim, tree).get(text.casefold())) is not None
        }
        free = {dim: code for dim, code in places.items() if dim not in labels}
        if not places:
            names = [word for dim in dims if stated in (None, dim) for word in _printed(dim, tree)]
            problems.add("E922", variable=name, found=raw, nearest=nearest(text, names), dims=list(dims))
        elif len(free) != 1:
            problems.add("E924", variable=name, found=raw, dims=list(free or places))
        else:
            labels.update(free)
    return labels


def _names(dim: str, tree: Tree) -> dict[str, str]:
    """Every name of a dimension's labels, folded → the label; a name of two labels is none."""

    def make() -> dict[str, str]:
        found: dict[str, set[str]] = {}
        for label in tree_labels(dim, tree):
            for name in (label, *_other_names(dim, label, tree)):
                found.setdefault(name.casefold(), set()).add(label)
        exact = {label.casefold(): label for label in tree_labels(dim, tree)}
        return {name: next(iter(labels)) for name, labels in found.items() if len(labels) == 1} | exact

    return tree.once(("names", dim), make)


def _other_names(dim: str, label: str, tree: Tree) -> Iterator[str]:
    yield from WORDS.get(label, ())
    if dim == "region":
        row = tree.dataset.sel(region=label)
        for column in ("name_zh", "name_en"):
            name = str(row[column].item())
            yield from (name, SHORT.sub("", name))
    elif dim == "group" and label in tree.study.groups:
        yield from (tree.study.groups[label].zh, tree.study.groups[label].en)
    elif dim in ("variable", "weighing", "growing") and label in schema.variables():
        yield from (schema.variables()[label].zh, schema.variables()[label].en)
    elif dim in ITEM_DIMS:
        yield from (name for name, item in _item_names(ITEM_DIMS[dim], tree) if item == label)


def _item_names(variable: str, tree: Tree) -> list[tuple[str, str]]:
    """(printed name, item) of fuels, sources or land classes, as tables may print them."""

    def make() -> list[tuple[str, str]]:
        names = VariableNames()
        own = [("respiration", "respiration"), ("呼吸", "respiration"), ("人口", "population")]
        known = [(name, names.quantity(name)) for name in names.known()]
        items = [
            (name, quantity.item or {"cement_output": "cement"}.get(quantity.variable, ""))
            for name, quantity in known
            if quantity is not None and (quantity.variable == variable or variable == "carbon_emission")
        ]
        return [*own, *items]

    return tree.once(("item names", variable), make)


def _printed(dim: str, tree: Tree) -> list[str]:
    """Names to offer where a label is unknown."""
    labels = tree_labels(dim, tree)
    if dim == "region":
        return labels + [str(name) for column in ("name_zh", "name_en") for name in tree.dataset[column].values]
    return labels
