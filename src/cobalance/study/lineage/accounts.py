"""The accounts: sequestration and release, emission and consumption, balance, groups."""

from __future__ import annotations

from cobalance.study.accounts import CEMENT, RESPIRATION
from cobalance.study.lineage import inputs
from cobalance.study.lineage.node import Node
from cobalance.study.lineage.tree import Labels, Operands, Rule, Tree

RATES = {"carbon_sequestration": "sequestration_rate", "oxygen_release": "oxygen_release_rate"}
CARBON_OF = {"oxygen_consumption": "carbon_emission", "outlook_oxygen_consumption": "outlook_carbon_emission"}
SIDES = {
    "carbon_balance_coefficient": ("carbon_emission", "carbon_sequestration"),
    "oxygen_balance_coefficient": ("oxygen_consumption", "oxygen_release"),
}
DIM = {
    "carbon_sequestration": "land_class",
    "oxygen_release": "land_class",
    "carbon_emission": "source",
    "oxygen_consumption": "source",
    "outlook_carbon_emission": "source",
    "outlook_oxygen_consumption": "source",
    "land_area": "land_class",
}
"""The dimension that a total of the variable adds over."""

PER_HEAD = {"carbon_emission": "respiration_carbon", "oxygen_consumption": "respiration_oxygen"}
PROCESS_OXYGEN = {"en": "no oxygen is used: the source burns nothing", "zh": "该来源不燃烧，不耗氧"}


def uptake(tree: Tree, name: str, labels: Labels) -> Node:
    rate = RATES[name]
    operands = [
        ("land_area", tree.node("land_area", **labels)),
        (rate, tree.coefficient(rate, labels["land_class"], labels["region"], int(labels["year"]))),
    ]
    return tree.result(name, labels, f"land_area · {rate}", operands)


def carbon_emission(tree: Tree, name: str, labels: Labels) -> Node:
    region, year, source = labels["region"], int(labels["year"]), labels["source"]
    if inputs.is_stated(tree, name, source):
        return inputs.inventory(tree, name, labels)
    activity, factor, item = activity_of(source, name)
    at = {"region": region, "year": str(year), **({"fuel": source} if activity == "fuel_use" else {})}
    operands = [(activity, tree.node(activity, **at)), (factor, tree.coefficient(factor, item, region, year))]
    return tree.result(name, labels, f"{activity} · {factor}", operands)


def oxygen_consumption(tree: Tree, name: str, labels: Labels) -> Node:
    region, year, source = labels["region"], int(labels["year"]), labels["source"]
    if inputs.is_stated(tree, name, source) and inputs.is_stated(tree, "carbon_emission", source):
        return inputs.inventory(tree, name, labels)
    formula, operands = oxygen_parts(tree, region, year, source, tree.node("carbon_emission", **labels))
    if source == RESPIRATION and not inputs.is_stated(tree, "carbon_emission", source):
        operands = [("population", tree.node("population", region=region, year=str(year))), *operands]
    return tree.result(name, labels, formula, operands)


def activity_of(source: str, name: str = "carbon_emission") -> tuple[str, str, str]:
    """(activity, factor, the factor's item) of a source that is no inventory."""
    if source == CEMENT:
        return "cement_output", "cement_factor", CEMENT
    if source == RESPIRATION:
        return "population", PER_HEAD[name], "person"
    return "fuel_use", "emission_factor", source


def oxygen_parts(tree: Tree, region: str, year: int, source: str, carbon: Node) -> tuple[str, list[tuple[str, Node]]]:
    """Formula and operands of a source's oxygen, population aside."""
    if source == CEMENT:
        zero = Node("oxygen_per_carbon", {"item": CEMENT}, 0.0, "t O2 / t C", remark=PROCESS_OXYGEN)  # type: ignore[arg-type]
        return "carbon_emission · oxygen_per_carbon", [("carbon_emission", carbon), ("oxygen_per_carbon", zero)]
    if source == RESPIRATION:
        breathed = tree.coefficient("respiration_oxygen", "person", region, year)
        if not inputs.is_stated(tree, "carbon_emission", source):
            return "population · respiration_oxygen", [("respiration_oxygen", breathed)]
        breath = tree.coefficient("respiration_carbon", "person", region, year)
        parts = [("carbon_emission", carbon), ("respiration_oxygen", breathed), ("respiration_carbon", breath)]
        return "carbon_emission · (respiration_oxygen / respiration_carbon)", parts
    ratio = tree.coefficient("oxygen_per_carbon", source, region, year)
    return "carbon_emission · oxygen_per_carbon", [("carbon_emission", carbon), ("oxygen_per_carbon", ratio)]


def balance(tree: Tree, name: str, labels: Labels) -> Node:
    """Burden over capacity, for a region or (``group_…``) for a group."""
    prefix = "group_" if name.startswith("group_") else ""
    burden, capacity = SIDES[name.removeprefix(prefix)]
    operands = [(side, total(tree, prefix + side, labels)) for side in (burden, capacity)]
    reason = tree.reason(name.replace("_coefficient", "_reason"), labels)
    return tree.result(name, labels, f"{burden} / {capacity}", operands, reason)


def total(tree: Tree, name: str, labels: Labels) -> Node:
    """A variable added over its classes or sources."""
    dim = DIM[name.removeprefix("group_")]
    parts = [tree.node(name, **labels, **{dim: label}) for label in tree.labels(dim)]
    symbol = name.removeprefix("group_")
    return tree.derived(name, labels, parts[0].unit, *tree.sum_of(symbol, parts))


def group(tree: Tree, name: str, labels: Labels) -> Node:
    """The members of a group, added up."""
    own = name.removeprefix("group_")
    rest = {dim: label for dim, label in labels.items() if dim != "group"}
    members = [tree.node(own, region=region, **rest) for region in tree.groups[labels["group"]]]
    return tree.result(name, labels, *tree.sum_of(own, members))


def reason(tree: Tree, name: str, labels: Labels) -> Node:
    """The word why a number is undefined hangs on that number."""
    number = name.replace("_reason", "_coefficient") if "balance" in name else "ecological_land_gap"
    operands: Operands = [(number, tree.node(number, **labels))]
    return Node(name, labels, tree.cell(name, labels), "", "", tuple(operands))


RULES: dict[str, Rule] = {
    **dict.fromkeys(RATES, uptake),
    "carbon_emission": carbon_emission,
    "oxygen_consumption": oxygen_consumption,
    **{prefix + name: balance for name in SIDES for prefix in ("", "group_")},
    **{f"group_{name}": group for sides in SIDES.values() for name in sides},
    **{f"{prefix}{target}_balance_reason": reason for target in ("carbon", "oxygen") for prefix in ("", "group_")},
}
