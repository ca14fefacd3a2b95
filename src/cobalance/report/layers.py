"""Styles of the map layers: QGIS opens ``regions.gpkg`` drawn as the report draws it, no-data hatch included.

The styles stand in the GeoPackage itself, in the table ``layer_styles`` that QGIS reads (one default style a layer,
further ones by name). Each is a rule for every class, so that a region without data is drawn and not left out.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from cobalance.report import style
from cobalance.report.facts import BALANCE, TARGETS, Facts
from cobalance.report.maps import GAP_BREAKS, balance_breaks, balance_looks
from cobalance.report.words import label
from cobalance.study.results import written

TABLE = "layer_styles"
NO_DATA_ANGLE, INFEASIBLE_ANGLE = 45, 135
QGIS = "3.22.0"
_DATE = "2000-01-01T00:00:00.000Z"  # the same run gives the same bytes
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


@dataclass(frozen=True)
class Rule:
    """A class of a layer: which features (a QGIS expression), what the legend says, how it is filled.

    hatch  angle in degrees of lines over the face; None for none
    """

    filter: str
    label: str
    face: str | None
    hatch: int | None = None


@dataclass(frozen=True)
class LayerStyle:
    """A named style of a layer; ``letters`` is a QGIS expression of what is written on the features."""

    layer: str
    name: str
    rules: Sequence[Rule]
    geometry: str = "fill"
    default: bool = False
    letters: str = ""

    @property
    def qml(self) -> str:
        """The style as QGIS stores it."""
        categories = "Symbology|Labeling" if self.letters else "Symbology"
        root = ET.Element("qgis", version=QGIS, styleCategories=categories, labelsEnabled=str(int(bool(self.letters))))
        renderer = ET.SubElement(
            root, "renderer-v2", type="RuleRenderer", forceraster="0", symbollevels="0", enableorderby="0"
        )
        rules = ET.SubElement(renderer, "rules", key="rules")
        symbols = ET.SubElement(renderer, "symbols")
        for position, rule in enumerate(self.rules):
            keys = {"key": f"rule{position}", "filter": rule.filter, "label": rule.label, "symbol": str(position)}
            ET.SubElement(rules, "rule", {key: value for key, value in keys.items() if value})
            symbols.append(_symbol(rule, self.geometry, str(position)))
        if self.letters:
            root.append(_labels(self.letters))
        ET.indent(root)
        return _DOCTYPE + ET.tostring(root, encoding="unicode")


def style_layers(facts: Facts, file: Path) -> list[LayerStyle]:
    """Write the styles of the layers of ``file``, a GeoPackage as the report writes it, into it.

    Returns the styles. Layers and columns that ``file`` has not got are left out. The same results give the same
    bytes. Raises E903.
    """
    import pyogrio

    known = {str(name): _columns(file, str(name)) for name, _ in pyogrio.list_layers(file)}
    chosen = [own for own in styles(facts, known) if own.layer in known]
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE})
    with written(file) as temporary:
        temporary.write_bytes(file.read_bytes())
        pyogrio.write_dataframe(_table(chosen), temporary, layer=TABLE, driver="GPKG")
    return chosen


def styles(facts: Facts, columns: Mapping[str, Sequence[str]]) -> Iterator[LayerStyle]:
    """Every style of the layers, given each layer's columns; the first of a layer is its default."""
    yield LayerStyle("regions", "regions 区域", [Rule("", "", style.GAPS[0])], default=True)
    first = True
    for own in _of_results(facts, columns.get("results", ())):
        yield LayerStyle(own.layer, own.name, own.rules, own.geometry, first, own.letters)
        first = False
    weighing = dict.fromkeys(facts.table("gravity_centre").get("variable", ()))
    for position, variable in enumerate(weighing):
        rule = Rule(f"\"variable\" = '{variable}'", _both(str(variable)), style.MODELS["ensemble"])
        name = f"gravity {_short(str(variable))} {_zh(str(variable))}"
        yield LayerStyle("gravity_centre", name, [rule], "marker", position == 0, '"year"')


def _of_results(facts: Facts, columns: Sequence[str]) -> Iterator[LayerStyle]:
    """Balances, clusters and gaps, one style a column."""
    for target in TARGETS:
        variable = BALANCE[target]
        own = [column for column in columns if column.startswith(f"{variable}_")]
        years = [int(column.rsplit("_", 1)[1]) for column in own]
        pooled = np.concatenate([facts.of_year(variable, year) for year in years]) if years else np.array([])
        limits = balance_breaks(pooled.tolist())
        for column, year in zip(reversed(own), reversed(years), strict=True):
            looks = balance_looks(limits)
            rules = _ranges(column, limits, [look.text for look in looks], [look.face for look in looks])
            yield LayerStyle("results", f"{_short(variable)} {year} {_zh(variable)}", [*rules, _no_data(column)])
    for column in columns:
        if column.startswith("cluster_"):
            yield _cluster_style(column, columns)
    for target in TARGETS:
        if f"ecological_land_gap_{target}" in columns:
            yield _gap_style(target)


def _cluster_style(column: str, columns: Sequence[str]) -> LayerStyle:
    """Words by colour and letters; a region without a value has no data, which is less than an undefined cluster."""
    variable, year = column.removeprefix("cluster_").rsplit("_", 1)
    value = next((own for own in (f"{variable}_coefficient_{year}", f"{variable}_{year}") if own in columns), column)
    known = f' AND "{value}" IS NOT NULL'
    rules = [Rule(f"\"{column}\" = '{word}'{known}", _both(word), face) for word, face in style.CLUSTERS.items()]
    cases = " ".join(f"WHEN \"{column}\" = '{word}' THEN '{letters}'" for word, letters in style.LETTERS.items())
    name = f"LISA {column.removeprefix('cluster_').replace('_', ' ')}"
    return LayerStyle("results", name, [*rules, _no_data(value)], letters=f"CASE {cases} END")


def _gap_style(target: str) -> LayerStyle:
    column, status = f"ecological_land_gap_{target}", f"ecological_land_status_{target}"
    texts = [f"{low:g}–{high:g} %" for low, high in pairwise((0.0, *GAP_BREAKS))]
    faces = list(style.GAPS[1:])
    rules = [Rule(f'"{column}" = 0', _both("no gap"), style.GAPS[0])]
    for low, high, text, face in zip(
        (0.0, *GAP_BREAKS), (*GAP_BREAKS, None), [*texts, f"> {GAP_BREAKS[-1]:g} %"], faces, strict=True
    ):
        upper = "" if high is None else f' AND "{column}" <= {high:g}'
        rules.append(Rule(f'"{column}" > {low:g}{upper}', text, face))
    crossed = Rule(f"\"{status}\" = 'infeasible on own land'", _both("infeasible on own land"), None, INFEASIBLE_ANGLE)
    name = f"gap {target} {label('ecological_land_gap', 'zh')}（{label(target, 'zh')}）"
    return LayerStyle("results", name, [*rules, _no_data(column), crossed])


def _ranges(column: str, limits: Sequence[float], texts: Sequence[str], faces: Sequence[str]) -> list[Rule]:
    """A rule for each class (low, high], as the maps have them."""
    rules = []
    for low, high, text, face in zip((None, *limits), (*limits, None), texts, faces, strict=True):
        parts = [f'"{column}" > {low:g}'] if low is not None else []
        parts += [f'"{column}" <= {high:g}'] if high is not None else []
        rules.append(Rule(" AND ".join(parts), text, face))
    return rules


def _no_data(column: str) -> Rule:
    return Rule(f'"{column}" IS NULL', _both("no data"), style.PAPER, NO_DATA_ANGLE)


def _both(word: str) -> str:
    return f"{label(word, 'zh')} {label(word, 'en')}"


def _zh(variable: str) -> str:
    return label(variable, "zh")


def _short(variable: str) -> str:
    return variable.removesuffix("_coefficient").replace("_", " ")


def _symbol(rule: Rule, geometry: str, name: str) -> ET.Element:
    symbol = ET.Element("symbol", type=geometry, name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    outline = {"outline_color": _rgb(style.PAPER), "outline_width": "0.2", "outline_width_unit": "MM"}
    if geometry == "marker":
        face = {"name": "circle", "size": "2.4", "size_unit": "MM", "color": _rgb(rule.face or style.INK)}
        symbol.append(_layer("SimpleMarker", face | outline))
        return symbol
    if rule.face is not None:
        edge = outline | {"outline_color": _rgb(style.RULE), "outline_style": "solid"}
        symbol.append(_layer("SimpleFill", {"color": _rgb(rule.face), "style": "solid"} | edge))
    if rule.hatch is not None:
        symbol.append(_hatch(rule.hatch, f"@{name}@{len(symbol)}"))
    return symbol


def _hatch(angle: int, name: str) -> ET.Element:
    """Lines a millimetre and a half apart: QGIS's own brushes run together on small regions."""
    lines = {
        "angle": str(angle),
        "distance": "1.5",
        "distance_unit": "MM",
        "line_width": "0.2",
        "line_width_unit": "MM",
    }
    layer = _layer("LinePatternFill", lines | {"color": _rgb(style.MUTED)})
    line = ET.SubElement(layer, "symbol", type="line", name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    line.append(_layer("SimpleLine", {"line_color": _rgb(style.MUTED), "line_width": "0.2", "line_width_unit": "MM"}))
    return layer


def _layer(kind: str, options: Mapping[str, str]) -> ET.Element:
    layer = ET.Element("layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    held = ET.SubElement(layer, "Option", type="Map")
    for key, value in options.items():
        ET.SubElement(held, "Option", type="QString", name=key, value=value)
    return layer


def _labels(expression: str) -> ET.Element:
    labeling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    text = {"fieldName": expression, "isExpression": "1", "fontSize": "8", "textColor": _rgb(style.INK)}
    ET.SubElement(ET.SubElement(settings, "text-style", text), "text-buffer", bufferDraw="1", bufferSize="0.6")
    return labeling


def _rgb(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _columns(file: Path, layer: str) -> list[str]:
    import pyogrio

    return [str(column) for column in pyogrio.read_info(file, layer=layer)["fields"]]


def _table(chosen: Sequence[LayerStyle]) -> pd.DataFrame:
    """The rows of ``layer_styles``, with the columns that QGIS looks for."""
    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": own.layer,
            "f_geometry_column": "geom",
            "styleName": own.name,
            "styleQML": own.qml,
            "styleSLD": "",
            "useAsDefault": own.default,
            "description": own.name,
            "owner": "cobalance",
            "ui": "",
            "update_time": pd.Timestamp(_DATE).tz_localize(None),
        }
        for own in chosen
    ]
    return pd.DataFrame(rows)
