"""How texts of a table are compared, and the words that a table says about itself: headings, totals, notes, units."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np

from cobalance.inputs.cells import is_blank
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError

HEADINGS: dict[str, tuple[str, ...]] = {
    "region": (
        "region", "adcode", "code", "fips", "state", "province", "city", "county", "name", "region_zh", "region_en",
        "county_code", "geoid", "地区", "区域", "省份", "省", "省市", "省市区", "省（市、区）", "省（区、市）", "城市",
        "市县", "州", "行政区", "代码", "行政区划代码", "地区名称", "省份名称",
    ),
    "year": ("year", "年份", "年", "年度", "时间"),
    "variable": (
        "variable", "indicator", "指标", "指标名称", "变量", "项目", "item", "land_class", "fuel", "class",
        "地类", "燃料", "品种", "能源品种",
    ),
    "item": ("item", "land_class", "fuel", "class", "地类", "燃料", "品种", "能源品种", "类别"),
    "value": ("value", "数值", "值", "数据"),
    "unit": ("unit", "units", "单位", "计量单位"),
    "source": ("source", "来源", "资料来源", "数据来源"),
    "flag": ("flag", "标记"),
    "note": ("note", "notes", "备注", "说明"),
}  # fmt: skip
"""Role of a column → the headings that name it, the first ones preferred."""

TOTALS = frozenset(
    """
    合计 总计 共计 小计 全国 全国合计 全国总计 全国总计数 全国平均 地区合计 地区总计 各地区合计 各省合计 中国
    全省 全省合计 全省总计 全市 全市合计 东部 中部 西部 东北 东部地区 中部地区 西部地区 东北地区
    华北 华东 华中 华南 中南 西南 西北 华北地区 华东地区 华中地区 华南地区 中南地区 西南地区 西北地区
    total grandtotal sum subtotal national nationaltotal nationwide china prchina chinatotal
    us usa unitedstates unitedstatestotal ustotal allstates allregions
    """.split()  # noqa: SIM905
)
"""Labels of rows and columns that add up others (folded)."""

NATIONAL_CODES = frozenset({"0", "00", "000000", "100000", "CN", "CHN"})

_NOTE_ROW = re.compile(
    r"\s*(?:[*※]|[①-⑳]|\d[.、)]|(?:注释?|附注|说明|资料来源|数据来源|来源|备注|notes?|sources?|remarks?)(?:\s*[\d①-⑳a-z]?\s*[:：.、]|$))",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"[（(]?\s*(?:续\s*表|continued\b|cont\.)"
    r"|.*(?:[（(]\s*续\s*[\d一二三四五六七八九十]*\s*[)）]|[（(]?continued[)）]?)\s*$",
    re.IGNORECASE,
)
_TITLE_UNIT = re.compile(r"(?:单\s*位|\bunits?)\s*[:：]\s*(.+?)\s*(?:\bunits?\s*[:：].*)?[)）]?\s*$", re.IGNORECASE)
_YEAR = re.compile(r"([12]\d{3})(?:\.0)?\s*(?:年|年末|年底)?")
_CHINESE = r"\u3400-\u9fff"
_MISSING_UNIT = re.compile(r"[^\W\d_]|%")


def folded(text: Any) -> str:
    """A text without blanks, underscores, hyphens, full width and case."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", str(text)).casefold())


def readings(text: Any) -> tuple[str, ...]:
    """The readings, folded, of a label such as 北 京 Beijing: the whole, its Chinese part, its Latin part."""
    whole = unicodedata.normalize("NFKC", str(text))
    if not (re.search(f"[{_CHINESE}]", whole) and re.search("[A-Za-z]", whole)):
        return (folded(whole),)
    chinese = "".join(re.findall(f"[{_CHINESE}]+", whole))
    latin = re.sub(f"[^A-Za-z ]|[{_CHINESE}]", " ", whole)
    return folded(whole), folded(chinese), folded(latin)


def is_unit(text: Any) -> bool:
    if is_blank(text) or not _MISSING_UNIT.search(str(text)):
        return False
    try:
        units.parse(str(text).strip())
    except CobalanceError:
        return False
    return True


def heading_parts(cell: Any) -> tuple[str, str]:
    """A heading and the unit that it prints: 煤炭（万吨） → 煤炭, 万吨. The unit is "" where there is none."""
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    for pattern in (r"(.*\S)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]", r"(.*\S)\s*[/,]\s*([^/,]+)"):
        match = re.fullmatch(pattern, text, re.DOTALL)
        if match and is_unit(match[2]):
            return match[1].strip(), match[2].strip()
    return text, ""


def unit_alone(cell: Any) -> str:
    """The unit that a cell of a units row prints, bracketed or not; "" where it is none."""
    if not isinstance(cell, str):
        return ""
    text = re.sub(r"^[(（\[]\s*|\s*[)）\]]$", "", cell.strip())
    return text if is_unit(text) else ""


def title_unit(cell: Any) -> str:
    """The unit of 单位：万吨 or "Unit: 10^4 t"; "" where the cell says none."""
    match = _TITLE_UNIT.search(cell) if isinstance(cell, str) else None
    return match[1].strip() if match and is_unit(match[1]) else ""


def year_of(cell: Any) -> int | None:
    """2010, "2010年", "2010年末", or a date of that year; None for anything else."""
    if isinstance(cell, bool) or is_blank(cell):
        return None
    if isinstance(getattr(cell, "year", None), int):
        return int(cell.year)
    if isinstance(cell, (int, float, np.integer, np.floating)):
        return int(cell) if float(cell).is_integer() and 1000 <= cell < 3000 else None
    match = _YEAR.fullmatch(unicodedata.normalize("NFKC", str(cell)).strip())
    return int(match[1]) if match else None


def is_total(label: Any) -> bool:
    """Whether a label says that it adds up others: 合 计, 全国 National Total, Total of states, 000000."""
    plain = [reading.strip("()[]:") for reading in readings(re.sub(r"[.·、,，]", "", str(label)))]
    return str(label).strip() in NATIONAL_CODES or any(text in TOTALS or text.startswith("total") for text in plain)


def is_key_heading(label: Any) -> bool:
    """Whether a heading names a region, a year or the like rather than a variable."""
    names = {folded(name) for role in HEADINGS if role != "variable" for name in HEADINGS[role]}
    return bool(names.intersection(readings(label)))


def is_note(text: Any) -> bool:
    return isinstance(text, str) and bool(_NOTE_ROW.match(text))


def is_continuation(text: Any) -> bool:
    return isinstance(text, str) and bool(_CONTINUATION.match(text.strip()))
