"""Outlook and ecological land: from the gap back to forecasts, and from these to the observed series."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable

import numpy as np

from cobalance.outlook.ensemble import ENSEMBLE
from cobalance.outlook.models import ALL_MODELS
from cobalance.outlook.panel import Panel, fit_model
from cobalance.study.accounts import CEMENT, RESPIRATION
from cobalance.study.future import CONVERTIBLE, LAST_VALUE_HELD, POPULATION
from cobalance.study.lineage import inputs
from cobalance.study.lineage.accounts import CARBON_OF, activity_of, group, oxygen_parts, total
from cobalance.study.lineage.node import Node, Text, Values
from cobalance.study.lineage.tree import NO_VALUE, PART_MISSING, Labels, Operands, Rule, Tree
from cobalance.study.spec import Outlook

RATE = {"carbon": "sequestration_rate", "oxygen": "oxygen_release_rate"}
BURDEN = {"carbon": "carbon_emission", "oxygen": "oxygen_consumption"}
ALWAYS_ZERO = "always zero"
NOT_ECOLOGICAL: Text = {
    "en": "not counted as ecological land (ecological_land.classes)",
    "zh": "未计为生态用地（ecological_land.classes）",
}
WHY: dict[str, Text] = {
    "no data": {"en": "no data", "zh": "无数据"},
    "too short": {"en": "the series is too short", "zh": "序列过短"},
    "missing years": {"en": "years are missing in the window", "zh": "窗口内缺年份"},
    "unequal steps": {"en": "the years are not equally spaced", "zh": "年份间隔不等"},
    "zeros": {"en": "zeros in the series", "zh": "序列含零值"},
    "negative": {"en": "negative values", "zh": "序列含负值"},
    "level ratios fail": {"en": "level ratios outside the bounds of GM(1,1)", "zh": "级比超出 GM(1,1) 允许范围"},
    "falls below zero": {"en": "the forecast falls below zero", "zh": "预测值降至零以下"},
    "exploding": {"en": "the forecast explodes", "zh": "预测值发散"},
    "not identified": {"en": "the parameters are not identified", "zh": "参数无法识别"},
    "no model applies": {"en": "no model applies", "zh": "没有适用的模型"},
    "no backtest error": {"en": "no backtest error", "zh": "无回测误差"},
}
"""Why a model does not apply, word by word, in both languages."""

QUANTILE: Text = {
    "en": "quantile of observed / forecast in the backtest at this level; read off the bound, for the results keep "
    "scores of the backtest and not its single errors",
    "zh": "回测中“观测/预测”之比在该置信水平下的分位数；由区间端点反推，因结果只保存回测评分，不保存逐项误差",
}
NOT_BACKTESTED: Text = {
    "en": "no forecast, or too few errors of the backtest for this horizon and level",
    "zh": "无预测值，或该预测期与置信水平的回测误差过少",
}
GROWTH_FROM_ZERO: Text = {
    "en": "both years are zero: growth 1",
    "zh": "两年均为零：增长率取 1",
}


def forecast(tree: Tree, name: str, labels: Labels) -> Node:
    """A model's forecast from the observed series, or the ensemble's from the models that took part."""
    series = {key: labels[key] for key in ("region", "activity")}
    word = str(tree.cell("outlook_reason", {**series, "model": labels["model"]}))
    observed = _observed(tree, series)
    if word == ALWAYS_ZERO:
        return tree.result(
            name, labels, "max(0, 0 · Σ(outlook_observed))", [("outlook_observed", node) for node in observed]
        )
    if word == LAST_VALUE_HELD:
        last = [node for node in observed if not node.missing][-1]
        return tree.result(name, labels, "outlook_observed", [("outlook_observed", last)])
    if word:
        return tree.result(name, labels, "", [("outlook_observed", node) for node in observed], WHY[word])
    if labels["model"] == ENSEMBLE:
        how = str(tree.dataset.attrs.get("combination", "mean"))
        took_part = [part.strip() for part in str(tree.cell("participants", series)).split(",")]
        models = [tree.node(name, **{**labels, "model": model}) for model in took_part]
        return tree.result(name, labels, f"{how}(outlook)", [("outlook", node) for node in models])
    return _modelled(tree, name, labels, observed)


def _observed(tree: Tree, series: Labels) -> list[Node]:
    return [tree.node("outlook_observed", **series, window_year=year) for year in tree.labels("window_year")]


def _modelled(tree: Tree, name: str, labels: Labels, observed: list[Node]) -> Node:
    """A node computed by the model itself; its equation is the one in the model's own description."""
    node = tree.result(name, labels, "", [("outlook_observed", part) for part in observed])
    model = ALL_MODELS[labels["model"]]
    years = np.array([int(part.labels["window_year"]) for part in observed])

    def again(values: Values) -> float:
        series = np.array(values["outlook_observed"], dtype=float)[:, None]
        target = np.array([int(labels["outlook_year"])])
        fit = fit_model(model, Panel(years, series, np.arange(years[-1] + 1, target[0] + 1)))
        return float(fit.forecast[-1, 0])

    text = _equation(model)
    return Node(name, labels, node.value, node.unit, text, node.operands, again, reason=node.reason)


def _equation(model: Callable[..., object]) -> str:
    """The indented lines of a model's description: its equation."""
    paragraphs = re.split(r"\n\s*\n", inspect.getdoc(model) or "")
    equation = next((part for part in paragraphs if part.startswith("    ")), model.__name__)
    return "\n".join(" ".join(line.split()) for line in equation.splitlines())


def bound(tree: Tree, name: str, labels: Labels) -> Node:
    """An end of the forecast's interval: the combined forecast times a quantile of what the backtest saw."""
    at = {key: labels[key] for key in ("region", "activity", "outlook_year")}
    value = tree.cell(name, labels)
    middle = tree.node("outlook", model=ENSEMBLE, **at)
    assert not isinstance(value, str) and not isinstance(middle.value, str)
    factor = value / middle.value if middle.value else 1.0
    reason = NOT_BACKTESTED if math.isnan(factor) else {}
    quantile = Node("error_quantile", {**labels}, factor, "1", reason=reason, remark=QUANTILE)
    operands = [("outlook", middle), ("error_quantile", quantile)]
    return tree.result(name, labels, "outlook · error_quantile", operands, NOT_BACKTESTED)


def observed(tree: Tree, name: str, labels: Labels) -> Node:
    """A year of the series that is extrapolated: the study's own input, or a series of another definition."""
    variable, item = series_of(tree, labels["activity"])
    at = {"region": labels["region"], "year": labels["window_year"]}
    settings = _settings(tree)
    table = inputs.OUTLOOK_SERIES if settings.inputs else inputs.OWN_SERIES
    value, unit = tree.cell(name, labels), tree.unit(name, labels)
    if table not in tree.results.tables:
        missing = not isinstance(value, str) and math.isnan(value)
        return Node(name, labels, value, unit, reason=NO_VALUE if missing else {}, remark=inputs.NOT_KEPT)
    part = inputs.item_of(tree, variable, item, at, table)
    reason = NO_VALUE if part.missing else {}
    return Node(name, labels, value, unit, variable, ((variable, part),), reason=reason)


def series_of(tree: Tree, activity: str) -> tuple[str, str]:
    """The input variable and item behind an activity."""
    if inputs.is_stated(tree, "carbon_emission", activity):
        return "carbon_emission", activity
    if activity == CEMENT:
        return "cement_output", ""
    return (POPULATION, "") if activity == POPULATION else ("fuel_use", activity)


def target_activity(tree: Tree, name: str, labels: Labels) -> Node:
    """An activity in the target year: the ensemble itself, or its growth since the base year times the account's."""
    settings, base = _settings(tree), str(tree.base_year)
    later = tree.node("outlook", model=ENSEMBLE, outlook_year=str(settings.target), **labels)
    if settings.apply == "level":
        return tree.derived(name, labels, later.unit, "outlook", [("outlook", later)])
    variable, item = series_of(tree, labels["activity"])
    at = {"region": labels["region"], "year": base}
    dim = {"fuel_use": "fuel", "carbon_emission": "source"}.get(variable)
    own = tree.node(variable, **at, **({dim: item} if dim else {}))
    growth = tree.node("outlook_growth", **labels)
    return tree.derived(name, labels, own.unit, "base · outlook_growth", [("base", own), ("outlook_growth", growth)])


def growth(tree: Tree, name: str, labels: Labels) -> Node:
    """Target over base year within the outlook's own series."""
    settings, base_year = _settings(tree), str(tree.base_year)
    later = tree.node("outlook", model=ENSEMBLE, outlook_year=str(settings.target), **labels)
    if base_year in tree.labels("window_year"):
        base = tree.node("outlook_observed", window_year=base_year, **labels)
    else:
        base = tree.node("outlook", model=ENSEMBLE, outlook_year=base_year, **labels)
    if base.value == 0 and later.value == 0:
        operands = (("target", later), ("base", base))
        return Node(name, labels, 1.0, "1", "1 + target + base", operands, remark=GROWTH_FROM_ZERO)
    return tree.derived(name, labels, "1", "target / base", [("target", later), ("base", base)])


def target_carbon(tree: Tree, name: str, labels: Labels) -> Node:
    region, source, year = labels["region"], labels["source"], _settings(tree).target
    if inputs.is_stated(tree, "carbon_emission", source):
        stated = tree.node("target_activity", region=region, activity=source)
        return tree.result(name, labels, "target_activity", [("target_activity", stated)])
    _, factor, item = activity_of(source)
    activity = tree.node("target_activity", region=region, activity=_activity(source))
    operands = [("target_activity", activity), (factor, tree.coefficient(factor, item, region, year))]
    return tree.result(name, labels, f"target_activity · {factor}", operands)


def target_oxygen(tree: Tree, name: str, labels: Labels) -> Node:
    region, source, year = labels["region"], labels["source"], _settings(tree).target
    carbon = tree.node(CARBON_OF[name], **labels)
    formula, operands = oxygen_parts(tree, region, year, source, carbon)
    if source == RESPIRATION and not inputs.is_stated(tree, "carbon_emission", source):
        operands = [("population", tree.node("target_activity", region=region, activity=POPULATION)), *operands]
    return tree.result(name, labels, formula, operands)


def _activity(source: str) -> str:
    return POPULATION if source == RESPIRATION else source


def _settings(tree: Tree) -> Outlook:
    assert tree.study.outlook is not None  # only a study with an outlook has its variables
    return tree.study.outlook


def standard(tree: Tree, name: str, labels: Labels) -> Node:
    parts = [tree.node("class_standard", **labels, land_class=label) for label in tree.labels("land_class")]
    return tree.result(name, labels, *tree.sum_of("class_standard", parts))


def class_standard(tree: Tree, name: str, labels: Labels) -> Node:
    """A class's land, counted as the reference class that takes up as much."""
    at = {"region": labels["region"], "year": str(tree.base_year), "land_class": labels["land_class"]}
    operands = [
        ("land_area", tree.node("land_area", **at)),
        ("rate", _rate(tree, labels, labels["land_class"])),
        ("reference_rate", _rate(tree, labels, tree.study.ecological_land.reference)),
    ]
    return tree.derived(name, labels, "ha", "land_area · (rate / reference_rate)", operands)


def needed(tree: Tree, name: str, labels: Labels) -> Node:
    settings = tree.study.ecological_land
    operands = [
        ("phi", tree.setting("phi", settings.phi, "ecological_land.phi")),
        ("burden", burden_of(tree, labels)),
        ("reference_rate", _rate(tree, labels, settings.reference)),
    ]
    return tree.result(name, labels, "phi · burden / reference_rate", operands, _why(tree, labels))


def burden_of(tree: Tree, labels: Labels) -> Node:
    """What is released or used in the target year, or in the base year where the study has no outlook."""
    variable, region = BURDEN[labels["target"]], {"region": labels["region"]}
    if tree.study.outlook:
        return total(tree, f"outlook_{variable}", region)
    return total(tree, variable, {**region, "year": str(tree.base_year)})


def _rate(tree: Tree, labels: Labels, land_class: str) -> Node:
    """The rate of a class in the base year; 0 for a class that does not count."""
    quantity, counted = RATE[labels["target"]], tree.study.ecological_land.classes
    node = tree.coefficient(quantity, land_class, labels["region"], tree.base_year)
    if counted is None or land_class in counted:
        return node
    return Node(quantity, node.labels, 0.0, node.unit, remark=NOT_ECOLOGICAL)


def gap(tree: Tree, name: str, labels: Labels) -> Node:
    """Of a region, or of a group: there land is added first and the gap formed last."""
    prefix = "group_" if name.startswith("group_") else ""
    formula = "max(0, needed_ecological_land / standard_ecological_land − 1) · 100"
    reason = PART_MISSING if prefix else _why(tree, labels)
    return tree.result(name, labels, formula, _land(tree, labels, prefix), reason)


def shortfall(tree: Tree, name: str, labels: Labels) -> Node:
    formula = "max(0, needed_ecological_land − standard_ecological_land)"
    return tree.result(name, labels, formula, _land(tree, labels), _why(tree, labels))


def _land(tree: Tree, labels: Labels, prefix: str = "") -> list[tuple[str, Node]]:
    names = ("needed_ecological_land", "standard_ecological_land")
    return [(name, tree.node(prefix + name, **labels)) for name in names]


def _why(tree: Tree, labels: Labels) -> Text:
    return tree.reason("ecological_land_reason", labels)


def capacity(tree: Tree, name: str, labels: Labels) -> Node:
    parts = [tree.node("class_capacity", **labels, land_class=label) for label in tree.labels("land_class")]
    return tree.result(name, labels, *tree.sum_of("class_capacity", parts), _why(tree, labels))


def class_capacity(tree: Tree, name: str, labels: Labels) -> Node:
    """What a class's convertible land would add if it became the reference class."""
    settings, land_class = tree.study.ecological_land, labels["land_class"]
    shares = settings.convertible or dict.fromkeys(CONVERTIBLE, 1.0)
    at = {"region": labels["region"], "year": str(tree.base_year), "land_class": land_class}
    share = tree.setting("convertible_share", shares.get(land_class, 0.0), f"ecological_land.convertible.{land_class}")
    operands = [
        ("land_area", tree.node("land_area", **at)),
        ("convertible_share", share),
        ("rate", _rate(tree, labels, land_class)),
        ("reference_rate", _rate(tree, labels, settings.reference)),
    ]
    formula = "land_area · convertible_share · (max(0, reference_rate − rate) / reference_rate)"
    return tree.derived(name, labels, "ha", formula, operands)


def status(tree: Tree, name: str, labels: Labels) -> Node:
    """The word hangs on the gap, the shortfall and what the region's own land could add."""
    names = ("ecological_land_gap", "ecological_land_shortfall", "conversion_capacity")
    operands: Operands = [(own, tree.node(own, **labels)) for own in names]
    return Node(name, labels, tree.cell(name, labels), operands=tuple(operands))


def outlook_word(tree: Tree, name: str, labels: Labels) -> Node:
    """Why a model does not apply, or who took part: words that hang on the observed series."""
    series = {key: labels[key] for key in ("region", "activity")}
    operands = tuple(("outlook_observed", node) for node in _observed(tree, series))
    return Node(name, labels, tree.cell(name, labels) or "–", operands=operands)


RULES: dict[str, Rule] = {
    "outlook": forecast,
    "outlook_observed": observed,
    "outlook_lower": bound,
    "outlook_upper": bound,
    "outlook_reason": outlook_word,
    "participants": outlook_word,
    "target_activity": target_activity,
    "outlook_growth": growth,
    "outlook_carbon_emission": target_carbon,
    "outlook_oxygen_consumption": target_oxygen,
    "standard_ecological_land": standard,
    "class_standard": class_standard,
    "needed_ecological_land": needed,
    "ecological_land_gap": gap,
    "group_standard_ecological_land": group,
    "group_needed_ecological_land": group,
    "group_ecological_land_gap": gap,
    "ecological_land_shortfall": shortfall,
    "conversion_capacity": capacity,
    "class_capacity": class_capacity,
    "ecological_land_status": status,
    "ecological_land_reason": status,
}
