"""Tables for a manuscript: three-line tables in LaTeX (booktabs) and in Word, numbers rounded for reading.

The full tables with every digit are ``tables.xlsx`` and ``tables/*.csv``; these are what goes into the appendix.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cobalance.report.facts import BALANCE, BURDEN, CAPACITY, TARGETS, Facts
from cobalance.report.words import heading, label, number, unit_text
from cobalance.study.results import written
from cobalance.vocabulary.errors import Language, Place, refuse

TITLES: Mapping[str, Mapping[Language, str]] = {
    "coefficients": {"en": "Rates and factors used", "zh": "采用的速率与系数"},
    "accounts": {"en": "Accounts of carbon and oxygen by group", "zh": "各区域组碳氧收支"},
    "balance": {"en": "Carbon and oxygen balance coefficients", "zh": "碳氧平衡系数"},
    "moran": {"en": "Global Moran's I of the balance coefficients", "zh": "碳氧平衡系数的全局莫兰指数"},
    "gap": {"en": "Ecological land that restores balance", "zh": "恢复平衡需提高的生态用地"},
}
_WORDS: Mapping[str, Mapping[Language, str]] = {
    "region": {"en": "Region", "zh": "区域"},
    "group": {"en": "Group", "zh": "区域组"},
    "year": {"en": "Year", "zh": "年份"},
    "variable": {"en": "Variable", "zh": "变量"},
    "quantity": {"en": "Quantity", "zh": "系数"},
    "item": {"en": "Item", "zh": "对象"},
    "value": {"en": "Value", "zh": "数值"},
    "unit": {"en": "Unit", "zh": "单位"},
    "set": {"en": "Set", "zh": "系数集"},
    "status": {"en": "Status", "zh": "状态"},
    "growth": {"en": "Change (%)", "zh": "变化（%）"},
    "pseudo_p": {"en": "Pseudo p", "zh": "伪 p 值"},
    "missing": {"en": "Missing values are shown as a dash.", "zh": "缺失值以短横表示。"},
    "dated": {
        "en": "Of values that differ by year the last is shown; all stand in the table coefficients.",
        "zh": "逐年不同的系数只列最后一年，全部数值见 coefficients 表。",
    },
    "statuses": {
        "en": "Status: P printed in the paper, S read in its source, D derived, U user's own, R recalled, F fitted.",
        "zh": "状态：P 论文所载，S 读自来源，D 推算，U 用户自定，R 凭文献记忆，F 拟合。",
    },
    "weights": {"en": "Weights: {}.", "zh": "权重：{}。"},
    "gap": {"en": "Percent of the standard ecological land of the base year.", "zh": "占基准年标准生态用地的百分比。"},
}


_NUMBERED: Mapping[Language, str] = {"en": "Table", "zh": "表"}


@dataclass(frozen=True)
class Table:
    """A table of texts; ``numeric`` says which columns are numbers and so stand right."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]
    note: str = ""


def manuscript_tables(facts: Facts, language: Language) -> list[Table]:
    """Every table that the results have something for, in the order of the chapters."""
    makers: Mapping[str, Callable[[Facts, Language], Table | None]] = {
        "coefficients": _coefficients,
        "accounts": _accounts,
        "balance": _balance,
        "moran": _moran,
        "gap": _gap,
    }
    return [table for make in makers.values() if (table := make(facts, language)) is not None]


def write_latex(facts: Facts, file: Path, language: Language = "en") -> Path:
    """Write the tables as LaTeX, a ``longtable`` each, for the packages booktabs and longtable. Raises E903."""
    head = ["% \\usepackage{booktabs,longtable}"]
    head += ["% \\usepackage{ctex}  % XeLaTeX or LuaLaTeX"] if language == "zh" else []
    text = "\n\n".join(["\n".join(head), *(latex(table) for table in manuscript_tables(facts, language))])
    with written(file) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    return file


def latex(table: Table) -> str:
    """A three-line table that may run over pages."""
    columns = "".join("r" if right else "l" for right in table.numeric)
    lines = [
        f"\\begin{{longtable}}{{{columns}}}",
        f"\\caption{{{_tex(table.title)}}}\\label{{tab:{table.name}}}\\\\",
        "\\toprule",
        " & ".join(map(_tex, table.headings)) + " \\\\",
        "\\midrule",
        "\\endhead",
        *(" & ".join(map(_tex, row)) + " \\\\" for row in table.rows),
        "\\bottomrule",
    ]
    if table.note:
        lines.append(f"\\multicolumn{{{len(table.headings)}}}{{l}}{{\\footnotesize {_tex(table.note)}}} \\\\")
    return "\n".join([*lines, "\\end{longtable}"])


def write_docx(facts: Facts, file: Path, language: Language = "en") -> Path:
    """Write the tables as a Word document of three-line tables; the same results give the same bytes.

    Raises E929 where the package python-docx is not installed, E903.
    """
    try:
        import docx
    except ImportError as error:
        raise refuse("E929", Place(file=str(file)), found="docx", package="python-docx", extra="docx") from error
    document = docx.Document()
    _set_face(document)
    for position, table in enumerate(manuscript_tables(facts, language), 1):
        document.add_paragraph(f"{_NUMBERED[language]} {position}  {table.title}", style="Caption")
        _add_table(document, table)
        document.add_paragraph(table.note)
    _set_properties(document, facts, language)
    stream = io.BytesIO()
    document.save(stream)
    with written(file) as temporary:
        _copy_without_clock(stream, temporary)
    return file


def _coefficients(facts: Facts, language: Language) -> Table | None:
    rows = facts.table("coefficients")
    if rows.empty:
        return None
    last = rows.drop_duplicates(["quantity", "item", "region", "set"], keep="last")
    many = last["region"].ne("*").any()
    names = facts.names(language)
    dated = last["year"].notna().any()
    heads = ["quantity", "item", *(["region"] if many else []), *(["year"] if dated else [])]
    heads += ["value", "unit", "set", "status"]
    body = [
        [
            label(str(row["quantity"]), language),
            label(str(row["item"]), language),
            *([names.get(str(row["region"]), str(row["region"]))] if many else []),
            *(["–" if math.isnan(float(row["year"])) else str(int(row["year"]))] if dated else []),
            number(float(row["value"]), 4),
            unit_text(str(row["unit"]), language),
            str(row["set"]),
            str(row["status"]),
        ]
        for row in last.to_dict("records")
    ]
    numeric = [name in ("value", "year") for name in heads]
    note = " ".join(_WORDS[key][language] for key in (("dated", "statuses") if dated else ("statuses",)))
    return _table("coefficients", heads, body, numeric, language, note)


def _accounts(facts: Facts, language: Language) -> Table | None:
    """Totals of each group in the first and the last year."""
    rows = facts.table("groups")
    variables = [side for target in TARGETS for side in (CAPACITY[target], BURDEN[target])]
    rows = rows[rows["variable"].isin(variables)] if len(rows) else rows
    if rows.empty:
        return None
    body = []
    for (group, variable), own in rows.groupby(["group", "variable"], sort=False):
        by_year = own.set_index("year")["value"]
        first, last = float(by_year.loc[facts.first]), float(by_year.loc[facts.last])
        name = str(own[f"name_{language}"].iloc[0]) or str(group)
        unit = f"10⁶ {unit_text(str(own['unit'].iloc[0]), language)}"
        amounts = [_dash(first / 1e6), _dash(last / 1e6), _dash(_growth(first, last))]
        body.append([name, label(str(variable), language), unit, *amounts])
    heads = ["group", "variable", "unit", str(facts.first), str(facts.last), "growth"]
    return _table("accounts", heads, body, [False, False, False, True, True, True], language, _missing(language))


def _balance(facts: Facts, language: Language) -> Table | None:
    found = [BALANCE[target] for target in TARGETS if facts.has(BALANCE[target])]
    if not found:
        return None
    names = facts.names(language)
    columns = [(variable, facts.of_year(variable, year)) for variable in found for year in (facts.first, facts.last)]
    body = [[names[region], *(_dash(float(values[region])) for _, values in columns)] for region in facts.regions]
    heads = [
        "region",
        *(f"{label(variable, language)} {year}" for variable in found for year in (facts.first, facts.last)),
    ]
    return _table("balance", heads, body, [False] + [True] * len(columns), language, _missing(language))


def _moran(facts: Facts, language: Language) -> Table | None:
    rows = facts.table("global_moran")
    if rows.empty:
        return None
    body = [
        [
            label(str(row["variable"]), language),
            str(int(row["year"])),
            _dash(float(row["moran_i"]), 4),
            _dash(float(row["z_randomisation"])),
            _dash(float(row["p_randomisation"]), 2),
            _dash(float(row["pseudo_p"]), 2),
            str(int(row["n"])),
        ]
        for row in rows.to_dict("records")
    ]
    heads = ["variable", "year", "I", "z", "p", "pseudo_p", "n"]
    note = _WORDS["weights"][language].format(rows["weights"].iloc[0])
    return _table("moran", heads, body, [False] + [True] * 6, language, note)


def _gap(facts: Facts, language: Language) -> Table | None:
    rows = facts.table("ecological_land")
    rows = rows[rows["variable"] == "ecological_land_gap"] if len(rows) else rows
    if rows.empty:
        return None
    targets = [str(target) for target in rows["target"].unique()]
    cells = {(str(row["region"]), str(row["target"])): row for row in rows.to_dict("records")}
    names = facts.names(language)
    body = []
    for region in facts.regions:
        parts = [cells[region, target] for target in targets]
        words = [text for part in parts for text in (_dash(float(part["value"])), label(str(part["status"]), language))]
        body.append([names[region], *words])
    heads = ["region"]
    for target in targets:
        heads += [f"{label(target, language)} (%)", f"{label(target, language)}: {heading('status', language)}"]
    return _table("gap", heads, body, [False] + [True, False] * len(targets), language, _WORDS["gap"][language])


def _table(
    name: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    language: Language,
    note: str,
) -> Table:
    words = [_WORDS[head][language] if head in _WORDS else head for head in heads]
    return Table(name, TITLES[name][language], words, rows, numeric, note)


def _missing(language: Language) -> str:
    return _WORDS["missing"][language]


def _dash(value: float, digits: int = 3) -> str:
    return "–" if math.isnan(value) else number(value, digits)


def _growth(first: float, last: float) -> float:
    return (last / first - 1) * 100 if first else math.nan


_TEX = {
    "\\": "\\textbackslash{}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "{": "\\{",
    "}": "\\}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "−": "$-$",
    "₂": "$_2$",
    "²": "$^2$",
    "³": "$^3$",
    "⁶": "$^6$",
    "·": "$\\cdot$",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _set_face(document: Any) -> None:
    """Times New Roman and SimSun, as journals ask; ten points."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name in ("Normal", "Caption"):
        face = document.styles[name].font
        face.color.rgb = RGBColor(0, 0, 0)
        face.name, face.size = "Times New Roman", Pt(9 if name == "Normal" else 10.5)
        document.styles[name].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "SimSun")


def _add_table(document: Any, table: Table) -> None:
    """A three-line table: thick rules above and below, a thin one under the headings, which repeat on each page."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement

    grid = document.add_table(rows=0, cols=len(table.headings))
    for position, row in enumerate([table.headings, *table.rows]):
        cells = grid.add_row().cells
        for cell, text, right in zip(cells, row, table.numeric, strict=True):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = 0
            paragraph.add_run(text).bold = position == 0
            if right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        for cell in cells:
            _rule(cell, position, len(table.rows))
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _rule(cell: Any, position: int, last: int) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    rules = {"top": 12} if position == 0 else {}
    if position == 0:
        rules["bottom"] = 6
    if position == last:
        rules["bottom"] = 12
    if not rules:
        return
    borders = OxmlElement("w:tcBorders")
    for side, size in rules.items():
        edge = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", "auto")):
            edge.set(qn(f"w:{key}"), value)
        borders.append(edge)
    cell._tc.get_or_add_tcPr().append(borders)


def _set_properties(document: Any, facts: Facts, language: Language) -> None:
    import datetime

    about = document.core_properties
    about.title, about.author = facts.study.title.get(language), "cobalance"
    about.created = about.modified = datetime.datetime(2000, 1, 1)


def _copy_without_clock(stream: io.BytesIO, file: Path) -> None:
    """The document's parts, in order of name, with the earliest stamp that a zip can hold."""

    def parts() -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            first = "[Content_Types].xml"  # readers look for it first
            for name in [first, *sorted(set(names) - {first})]:
                yield name, archive.read(name)

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
