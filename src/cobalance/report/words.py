"""The report's sentences and labels in both languages, from ``words.csv``."""

from __future__ import annotations

import csv
import functools
import math
from importlib import resources

from cobalance.accounts import balance, ecological_land
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Language

_SCALES: dict[Language, tuple[tuple[float, str], ...]] = {
    "en": ((1e9, "G"), (1e6, "M"), (1e3, "k")),
    "zh": ((1e8, "亿 "), (1e4, "万 ")),
}


@functools.cache
def sentences() -> dict[str, dict[str, str]]:
    """Key → its text in en and zh."""
    source = resources.files("cobalance.report") / "words.csv"
    with source.open("r", encoding="utf-8") as stream:
        return {row["key"]: {"en": row["en"], "zh": row["zh"]} for row in csv.DictReader(stream)}


def say(key: str, language: Language, /, **values: object) -> str:
    """The sentence ``key``; a KeyError is a defect of the caller."""
    return sentences()[key][language].format(**values)


def label(word: str, language: Language) -> str:
    """A word of the data (class, source, flag, cluster, status, reason, variable) for a reader; unknown ones as is."""
    entry = sentences().get(f"label.{word}")
    if entry is not None:
        return entry[language]
    for reasons in (balance.REASONS, ecological_land.REASONS):
        if word in reasons:
            return reasons[word][language]
    if word in schema.variables():
        return schema.variables()[word].title(language)
    return word.replace("_", " ") if language == "en" and word.isascii() else word


def heading(column: str, language: Language) -> str:
    """The heading of a table's column."""
    entry = sentences().get(f"heading.{column}")
    return entry[language] if entry else label(column, language)


def capital(text: str) -> str:
    """``text`` as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def unit_text(unit: str, language: Language) -> str:
    """A unit as printed: ``t C / yr`` → t C/yr, t C/a in Chinese."""
    if unit == "1":
        return ""
    text = unit.replace(" / ", "/").replace("m3", "m³").replace("km2", "km²").replace("O2", "O₂").replace("CO2", "CO₂")
    if language == "en":
        return "people" if text == "person" else text
    return text.replace("/yr", "/a").replace("person", "人").replace("ha", "hm²")


def scaled(value: float, unit: str, language: Language, digits: int = 3) -> str:
    """A quantity with the prefix that keeps it short: 1.42 Gt C/yr, 14.2 亿 t C/a; an em dash where missing."""
    if not math.isfinite(value):
        return "—"
    factor, prefix = scale_of(value, unit, language)
    return f"{number(value / factor, digits)} {prefix}{unit_text(unit, language)}".rstrip()


def scale_of(value: float, unit: str, language: Language) -> tuple[float, str]:
    """(divisor, prefix) that brings ``value`` between 1 and 1000 where the unit takes prefixes."""
    takes_prefix = unit.startswith("t ") or unit in ("t", "t / yr")
    for size, prefix in _SCALES[language]:
        if abs(value) >= size:
            if language == "zh":
                return size, prefix
            if takes_prefix:
                return size, prefix
            words = {"G": "billion ", "M": "million ", "k": "thousand "}
            return size, words[prefix]
    return 1.0, ""


def number(value: float, digits: int = 3) -> str:
    """A number for reading, with ``digits`` significant ones and a true minus sign."""
    if not math.isfinite(value):
        return "—"
    if value == 0:
        return "0"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{min(decimals, 6)}f}".replace("-", "−")


def signed(value: float) -> str:
    """A change in percent with its sign."""
    if not math.isfinite(value):
        return "—"
    return f"{value:+,.1f} %".replace("-", "−")
