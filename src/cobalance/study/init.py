"""``cobalance init``: a commented study file that fits the user's own table."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from cobalance.inputs import words
from cobalance.inputs.cells import Grid, is_blank, read_grid
from cobalance.inputs.layout import Layout, raw_rows
from cobalance.inputs.names import VariableNames
from cobalance.inputs.regions import RegionNames
from cobalance.study.results import written
from cobalance.study.spec import (
    BUILTIN_REGIONS,
    SCHEMA_NAME,
    Coefficients,
    EcologicalLand,
    Fill,
    Outlook,
    Spatial,
    Study,
    json_schema,
)
from cobalance.vocabulary.errors import CobalanceError, Language, Place, Problems, refuse

LAYOUTS: tuple[tuple[tuple[str, ...], str | None], ...] = (
    (("region", "year", "variable"), None),
    (("region", "year"), "variable"),
    (("region", "variable"), "year"),
    (("region",), "year"),
    (("region",), "variable"),
    (("year",), "region"),
)
"""What may run down and across a table, the most telling first."""


@dataclass(frozen=True)
class Sketch:
    """What a table was recognised as."""

    down: tuple[str, ...]
    across: str | None
    labels: dict[str, list[Any]]
    has_units: bool


Note = dict[Language, str]


def write_study_file(table: Path, output: Path, *, boundary: Path | None = None, force: bool = False) -> list[Note]:
    """Write a study file for ``table``; beside it the JSON schema that editors complete from, and a region
    table where no built-in one fits.

    Returns sentences that say what was recognised and what is left to the user. Raises E114 (the table is not
    recognised), E115 (``output`` is there already), E301–E305 (the table cannot be read).
    """
    if output.exists() and not force:
        raise refuse("E115", Place(file=str(output)), found=output)
    sketch = recognised(read_grid(table.name, table.parent))
    regions, own_regions = _regions(sketch.labels["region"])
    unknown = [label for label in sketch.labels["variable"] if VariableNames().quantity(label) is None]
    folder = output.parent
    folder.mkdir(parents=True, exist_ok=True)
    outline = _relative(boundary, folder) if boundary else None
    texts = {output: _study_text(_relative(table, folder), sketch, regions, unknown, outline)}
    texts[folder / SCHEMA_NAME] = json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
    if own_regions is not None:
        texts[folder / "regions.csv"] = own_regions
    for path, text in texts.items():
        with written(path) as file:
            file.write_text(text, encoding="utf-8")
    return _notes(sketch, own_regions is not None, unknown)


def _notes(sketch: Sketch, own_regions: bool, unknown: Sequence[Any]) -> list[Note]:
    """What was recognised, and what the user has to fill in."""
    count = {key: len(labels) for key, labels in sketch.labels.items()}
    across = {
        "year": ("years", "年份"),
        "variable": ("variables", "变量"),
        "region": ("regions", "区域"),
        None: ("", ""),
    }
    english, chinese = across[sketch.across]
    notes: list[Note] = [
        {
            "en": (f"Recognised: {english} across; " if english else "Recognised: one row a value; ")
            + f"{count['region']} regions, {count['year']} years, {count['variable']} variables.",
            "zh": (f"识别结果：{chinese}横排；" if chinese else "识别结果：一行一值；")
            + f"{count['region']} 个区域，{count['year']} 个年份，{count['variable']} 个变量。",
        }
    ]
    if own_regions:
        notes.append(
            {
                "en": "Wrote regions.csv: give its regions their names in both languages.",
                "zh": "已写入 regions.csv：请补全各区域的中英文名称。",
            }
        )
    if unknown:
        names = ", ".join(map(str, unknown[:8]))
        notes.append(
            {
                "en": f"Not recognised, name them under inputs.names: {names}",
                "zh": f"未识别，请在 inputs.names 中说明：{names}",
            }
        )
    if not sketch.has_units:
        notes.append(
            {"en": "The table states no units: fill in inputs.unit.", "zh": "表中未写单位：请填写 inputs.unit。"}
        )
    return notes


def recognised(grid: Grid) -> Sketch:
    """How a table is laid out; E114 where no layout fits it."""
    known = VariableNames()

    def is_variable(label: Any) -> bool:
        return known.quantity(label) is not None

    for down, across in LAYOUTS:
        layout = Layout(down, across, {}, lambda label: words.year_of(label) is None, is_variable)
        try:
            rows = raw_rows(grid, layout, Problems())
        except CobalanceError:
            continue
        labels = {
            key: [text for text in pd.unique(rows[key]) if not is_blank(text)] for key in ("region", "year", "variable")
        }
        if _fits(labels, down, across, is_variable):
            has_units = any(rows[name].map(lambda text: not is_blank(text)).any() for name in _UNIT_COLUMNS)
            return Sketch(down, across, labels, has_units)
    headings = [str(cell) for cell in grid.cells[0] if not is_blank(cell)]
    raise refuse("E114", grid.where, found=grid.file, missing="region, year, value", headings=headings)


_UNIT_COLUMNS = ("unit", "heading_unit", "title_unit")


def _fits(labels: dict[str, list[Any]], down: Sequence[str], across: str | None, is_variable: Any) -> bool:
    """Whether what stands under each key is of its kind: years are years, and some variable is a known one."""
    keys = {*down, across} - {None}
    if "year" in keys and not (labels["year"] and all(words.year_of(text) for text in labels["year"])):
        return False
    return "variable" not in keys or across is None or any(map(is_variable, labels["variable"]))


def _regions(labels: Sequence[Any]) -> tuple[list[str], str | None]:
    """Lines of ``regions`` for the study file, and a region table where none built in fits."""
    named = [label for label in labels if not words.is_total(label)]
    for name, table in BUILTIN_REGIONS.items():
        matches = RegionNames.builtin(table).matches(named)
        if named and not matches.unknown and not matches.ambiguous:
            codes = list(dict.fromkeys(code for code in matches.codes.values() if code))
            everyone = len(codes) == len(RegionNames.builtin(table).codes)
            lines = [f"  table: {name}"]
            return lines + ([] if everyone else [f"  select: [{', '.join(map(_quoted, codes))}]"]), None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["region", "name_en", "name_zh"])
    writer.writerows([str(label), str(label), str(label)] for label in named)
    return ["  table: regions.csv"], text.getvalue()


def _study_text(
    table: str, sketch: Sketch, regions: Sequence[str], unknown: Sequence[Any], boundary: str | None
) -> str:
    years = sorted(int(year) for label in sketch.labels["year"] if (year := words.year_of(label)))
    span = f"{years[0]}-{years[-1]}" if years and years == list(range(years[0], years[-1] + 1)) else str(years)
    title = Path(table).stem
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_NAME}",
        "# A cobalance study. Check it with `cobalance check`, run it with `cobalance run`. 研究文件：先检查，再运行。",
        "# Paths count from this file's folder. Lines that begin with # are suggestions. 路径相对于本文件。",
        "",
        f"title: {{en: {_quoted(title)}, zh: {_quoted(title)}}}",
        "",
        _comment(Study, "years"),
        f"years: {span if years else '[2020]  # ← the years of your table'}",
        "",
        _comment(Study, "regions"),
        "regions:",
        *regions,
        *_boundary_lines(boundary),
        "",
        _comment(Study, "inputs"),
        "inputs:",
        f"  - file: {_quoted(table)}",
        *_layout_lines(sketch),
        *_names_lines(unknown),
        "",
        _comment(Study, "land_classes"),
        "# land_classes: {paddy: cropland, orchard: garden, unused: null}",
        "",
        _comment(Study, "fill"),
        f"# fill:\n#   land_area: {{between: linear, after: hold}}  # {_choices(Fill, 'between')}",
        "",
        *_section("coefficients", Coefficients),
        "",
        *_section("spatial", Spatial, skip=("weights", "crs", "variables", "gravity")),
        "",
        *_outlook_lines(years),
        "",
        *_section("ecological_land", EcologicalLand, skip=("base_year", "classes", "convertible", "phi")),
        "  phi: 1/3",
        "",
        "seed: 0",
        "languages: [en, zh]",
    ]
    return "\n".join(lines) + "\n"


def _boundary_lines(boundary: str | None) -> list[str]:
    lines = [
        "  boundary:",
        f"    file: {_quoted(boundary or 'regions.geojson')}",
        "    key: region  # column of the region's code or name 区域代码或名称字段",
        '    source: "?"  # whose boundary it is 边界来源',
        "    review_number: null  # 审图号",
    ]
    return lines if boundary else ["  # " + line[2:] for line in lines]


def _layout_lines(sketch: Sketch) -> list[str]:
    lines = []
    if sketch.across is not None:
        lines += ["    layout: wide", f"    down: [{', '.join(sketch.down)}]", f"    across: {sketch.across}"]
        keys = {*sketch.down, sketch.across}
        if "year" not in keys:
            lines.append("    year: 2020  # ← the year of this table 本表年份")
        if "variable" not in keys:
            lines.append("    variable: coal  # ← what this table holds, as `coal` or `land_area forest` 本表的变量")
    if not sketch.has_units:
        lines.append('    unit: "10^4 t"  # ← the unit of this table, as 万吨 or t 本表单位')
    return lines


def _names_lines(unknown: Sequence[Any]) -> list[str]:
    if not unknown:
        return []
    return ["    names:  # ← say what each is, as `fuel_use coal` 逐一说明其含义"] + [
        f"      # {_quoted(str(label))}: fuel_use coal" for label in unknown
    ]


def _outlook_lines(years: Sequence[int]) -> list[str]:
    comment = _comment(Study, "outlook")
    if len(years) < 4 or years[-1] - years[0] < 3:
        return [comment, "# outlook: {window: [2011, 2020], target: 2030}  # needs four years or more"]
    first = max(years[0], years[-1] - 9)
    return [comment, "outlook:", f"  window: [{first}, {years[-1]}]", f"  target: {max(2030, years[-1] + 5)}"] + [
        f"  # {name}: {Outlook.model_fields[name].default}  # {_choices(Outlook, name)}"
        for name in ("apply", "fallback")
    ]


def _section(key: str, model: Any, skip: Sequence[str] = ()) -> list[str]:
    """A section of the study file with every default written out and explained."""
    lines = [_comment(Study, key), f"{key}:"]
    for name, field in model.model_fields.items():
        if name not in skip:
            lines.append(f"  {name}: {field.get_default(call_default_factory=True)}  # {field.description}")
    return lines


def _comment(model: Any, name: str) -> str:
    return f"# {model.model_fields[name].description}"


def _choices(model: Any, name: str) -> str:
    return " | ".join(map(str, get_args(model.model_fields[name].annotation)))


def _relative(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
