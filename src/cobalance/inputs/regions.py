"""The names under which a region may stand in a table: in full, short, in pinyin, in English, or by code.

Ambiguous names are refused with their candidates. Pinyin "Shanxi" may be 山西 or 陕西: it is read as 山西 only where
the same table names 陕西 otherwise (as "Shaanxi"), and the reader says so.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cobalance.inputs.cells import Grid, is_blank, read_grid
from cobalance.vocabulary.errors import Place, Problems, nearest

RESERVED_GROUP = "total"
_NAMED_APART = 30  # unknown labels beyond these come as one problem: a wrong column has thousands
BUILTIN = ("china_provinces", "us_states")

_CHINESE_SUFFIX = re.compile(
    "(?:(?:壮族|回族|维吾尔|藏族|彝族|苗族|侗族|布依族|土家族|朝鲜族|蒙古族?|哈萨克|傣族|白族|哈尼族|羌族|傈僳族|景颇族|黎族|柯尔克孜)*"
    "(?:自治区|自治州|自治县)|特别行政区|省|市|地区|州|盟|区|县|林区)$"
)
_LATIN_SUFFIX = re.compile(
    r"\s+(?:province|municipality|(?:\w+\s+)?autonomous (?:region|prefecture|county)|sheng|shi|zizhiqu|prefecture|city"
    r"|county|special administrative region|s\.?a\.?r\.?|state)$"
)
_COLUMNS = {
    "code": ("code", "region", "adcode", "fips", "geoid", "id", "代码", "行政区划代码", "区划代码", "编码"),
    "name_zh": ("name_zh", "region_zh", "zh", "中文名", "中文名称", "名称", "地区", "省份"),
    "name_en": ("name_en", "region_en", "en", "name", "english", "英文名", "英文名称"),
    "short_zh": ("short_zh", "short", "简称"),
    "pinyin": ("pinyin", "拼音"),
    "aliases": ("aliases", "alias", "别名"),
}


@dataclass(frozen=True)
class RegionMatches:
    """What a column of labels means: ``codes`` (None where not a region of the study), and the problems met.

    ``outside`` holds the labels that are known regions but no part of the study.
    """

    codes: dict[Any, str | None]
    outside: tuple[Any, ...]
    unknown: tuple[Any, ...]
    ambiguous: dict[Any, tuple[str, ...]]
    settled: dict[Any, tuple[str, ...]]


@dataclass(frozen=True)
class RegionNames:
    """The regions of a study in their order. ``table`` has columns code, name_zh, name_en, short_zh, pinyin, aliases
    (alternatives joined by "|"); all text, "" where there is none."""

    table: pd.DataFrame

    @classmethod
    def builtin(cls, name: Literal["china_provinces", "us_states"], codes: Iterable[str] | None = None) -> RegionNames:
        """China's 34 provincial units (GB/T 2260) or the 50 states and DC (FIPS); ``codes`` picks and orders them."""
        table = _builtin_table(name)
        wanted = list(codes) if codes is not None else list(table["code"])
        return cls(table.set_index("code", drop=False).loc[wanted].reset_index(drop=True))

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.table["code"])

    @functools.cached_property
    def _outside(self) -> pd.DataFrame:
        """The other regions of the built-in table that the study's regions come from; none where they do not."""
        for name in BUILTIN:
            known = _builtin_table(name)
            if _is_part(self.table, known):
                own = {_plain_code(code) for code in self.codes}
                return known[[_plain_code(code) not in own for code in known["code"]]]
        return self.table.iloc[:0]

    @functools.cached_property
    def _index(self) -> dict[str, dict[str, tuple[str, ...]]]:
        return _indexed(pd.concat([self.table, self._outside]))

    def label(self, code: str) -> str:
        """``110000 北京市 Beijing``"""
        known = pd.concat([self.table, self._outside])
        row = known.loc[known["code"] == code].iloc[0]
        return " ".join(filter(None, (code, row["name_zh"], row["name_en"])))

    def matches(self, labels: Iterable[Any]) -> RegionMatches:
        """The codes that the distinct ``labels`` of one table mean, each in the context of the others."""
        found = {label: _candidates(self._index, label) for label in dict.fromkeys(labels)}
        ambiguous = {label: candidates for label, candidates in found.items() if len(candidates) > 1}
        named = {candidates[0] for candidates in found.values() if len(candidates) == 1}
        settled = self._settled(ambiguous, named)
        ambiguous = {label: candidates for label, candidates in ambiguous.items() if label not in settled}
        meant = {label: candidates[0] for label, candidates in found.items() if candidates and label not in ambiguous}
        meant.update({label: candidates[0] for label, candidates in settled.items()})
        own = set(self.codes)
        return RegionMatches(
            codes={label: code if (code := meant.get(label)) in own else None for label in found},
            outside=tuple(label for label, code in meant.items() if code not in own),
            unknown=tuple(label for label, candidates in found.items() if not candidates),
            ambiguous=ambiguous,
            settled=settled,
        )

    def _settled(self, ambiguous: dict[Any, tuple[str, ...]], named: set[str]) -> dict[Any, tuple[str, ...]]:
        """Ambiguous labels of which all candidates but one are named otherwise: that one first, then the others."""
        settled = {}
        for label, candidates in ambiguous.items():
            left = [code for code in candidates if code not in named]
            if len(left) == 1:
                settled[label] = (left[0], *(code for code in candidates if code != left[0]))
        return settled

    def nearest(self, label: Any) -> str:
        """The region's name (or code, for a code) closest to ``label``."""
        kinds = ("code",) if _text(label).isdigit() else ("name_zh", "short_zh", "name_en")
        return nearest(_text(label), [str(name) for kind in kinds for name in self.table[kind] if name])

    def problems(self, matches: RegionMatches, places: Mapping[Any, Place]) -> Problems:
        """E402 and E403 for what could not be read, W406 for what its table settled, each at its first place."""
        found = Problems()
        for label in matches.unknown[:_NAMED_APART]:
            found.add("E402", places.get(label), found=label, nearest=self.nearest(label))
        if rest := matches.unknown[_NAMED_APART:]:
            found.add(
                "E402",
                places.get(rest[0]),
                found=", ".join(map(str, rest[:20])) + (" …" if len(rest) > 20 else ""),
                nearest="–",
            )
        for label, candidates in matches.ambiguous.items():
            found.add("E403", places.get(label), found=label, candidates=" | ".join(map(self.label, candidates)))
        for label, (code, *others) in matches.settled.items():
            other = " | ".join(map(self.label, others))
            found.add("W406", places.get(label), found=label, chosen=self.label(code), others=other)
        return found


def read_region_table(file: str | Path, base_dir: str | Path = ".", sheet: str | None = None) -> RegionNames:
    """The regions of a study from a CSV, XLSX or Parquet with a code and names. Raises E401, E404, E405 and E30x."""
    grid = read_grid(file, base_dir, sheet)
    headings = ["" if is_blank(cell) else str(cell).strip() for cell in grid.cells[0]] if len(grid.cells) else []
    lowered = [heading.casefold() for heading in headings]
    columns = {
        name: next((lowered.index(word) for word in words if word in lowered), None) for name, words in _COLUMNS.items()
    }
    problems = Problems()
    if columns["code"] is None or (columns["name_zh"] is None and columns["name_en"] is None):
        problems.add("E401", grid.where, found=headings)
        problems.raise_errors()
    rows = [row for row in range(1, len(grid.cells)) if not all(map(is_blank, grid.cells[row]))]
    texts = {
        name: [_text(grid.cells[row, column]) if column is not None else "" for row in rows]
        for name, column in columns.items()
    }
    _check_codes(texts["code"], rows, grid, problems)
    problems.raise_errors()
    return RegionNames(pd.DataFrame(texts))


def checked_groups(
    groups: Mapping[str, Sequence[Any]], regions: RegionNames, place: Place | None = None
) -> dict[str, tuple[str, ...]]:
    """Groups with their members as codes, in the order given. A region may belong to several groups.

    Raises E414 (a member that is no region of the study, or ambiguous), E415 (empty), E416 (a member twice), E417
    (the reserved name ``total``), all at once.
    """
    problems = Problems()
    result: dict[str, tuple[str, ...]] = {}
    for name, members in groups.items():
        at = Place(file=place.file if place else None, key=f"groups.{name}")
        if name == RESERVED_GROUP:
            problems.add("E417", at, found=name)
        if not members:
            problems.add("E415", at, found=name)
        matches = regions.matches(members)
        for member in (*matches.unknown, *matches.outside, *matches.ambiguous):
            problems.add("E414", at, found=member, group=name, nearest=regions.nearest(member))
        codes = [code for member in members if (code := matches.codes[member]) is not None]
        repeated = [regions.label(code) for code in dict.fromkeys(codes) if codes.count(code) > 1]
        if repeated:
            problems.add("E416", at, found=repeated, group=name)
        result[name] = tuple(codes)
    problems.raise_errors()
    return result


def _check_codes(codes: list[str], rows: list[int], grid: Grid, problems: Problems) -> None:
    if not rows:
        problems.add("E405", grid.where, rows="–")
    empty = [row + 1 for row, code in zip(rows, codes, strict=True) if not code]
    if empty:
        problems.add("E405", grid.place(empty[0] - 1), rows=empty)
    for code in dict.fromkeys(filter(None, codes)):
        if codes.count(code) > 1:
            at = [row + 1 for row, each in zip(rows, codes, strict=True) if each == code]
            problems.add("E404", grid.place(at[0] - 1), found=code, rows=at)


def _text(cell: Any) -> str:
    if is_blank(cell):
        return ""
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _indexed(table: pd.DataFrame) -> dict[str, dict[str, tuple[str, ...]]]:
    """Name → codes in tiers that are tried one after another: codes, full names, then short names and aliases."""
    tiers: dict[str, dict[str, list[str]]] = {"code": {}, "plain_code": {}, "name": {}, "short": {}}

    def note(tier: str, key: str, code: str) -> None:
        if key and code not in tiers[tier].setdefault(key, []):
            tiers[tier][key].append(code)

    for row in table.itertuples(index=False):
        code = str(row.code)
        note("code", code, code)
        note("plain_code", _plain_code(code), code)
        note("name", _folded(row.name_zh), code)
        for latin in (row.name_en, row.pinyin):
            # English and pinyin share a tier: "Shanxi" is the English of one province and the pinyin of two
            note("name", _folded(latin), code)
        short = str(row.short_zh) or _CHINESE_SUFFIX.sub("", _folded(row.name_zh))
        for alias in (short, *str(row.aliases).split("|")):
            note("short", _folded(alias), code)
    return {tier: {key: tuple(codes) for key, codes in names.items()} for tier, names in tiers.items()}


def _candidates(index: Mapping[str, Mapping[str, tuple[str, ...]]], label: Any) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", _text(label)).strip()
    if re.fullmatch(r"\d+(?:\.0)?", text):
        digits = text.removesuffix(".0")
        return index["code"].get(digits) or index["plain_code"].get(_plain_code(digits), ())
    if text in index["code"]:
        return index["code"][text]
    folded = _folded(text)
    stripped = _folded(_LATIN_SUFFIX.sub("", text.casefold()))
    for key in dict.fromkeys((folded, stripped, _CHINESE_SUFFIX.sub("", folded))):
        if not key:
            continue
        found = index["name"].get(key, ()) or index["short"].get(key, ())
        if found:
            return found
    return _bilingual_candidates(index, text)


def _bilingual_candidates(index: Mapping[str, Mapping[str, tuple[str, ...]]], text: str) -> tuple[str, ...]:
    """北 京 Beijing, as yearbooks print it: the Chinese part, unless the English part says another region."""
    chinese, latin = re.sub(r"[^\u3400-\u9fff]", "", text), re.sub(r"[^A-Za-z' -]", "", text).strip()
    if not chinese or not latin:
        return ()
    by_chinese, by_latin = _candidates(index, chinese), _candidates(index, latin)
    agreed = tuple(code for code in by_chinese if code in by_latin)
    return agreed or (by_chinese if not by_latin else tuple(dict.fromkeys((*by_chinese, *by_latin))))


def _folded(text: Any) -> str:
    """A name without blanks, signs, case and tone marks: 北 京 → 北京, Xī'ān → xian."""
    decomposed = unicodedata.normalize("NFKD", str(text)).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _plain_code(code: str) -> str:
    """A code without what spreadsheets and registers add or drop: leading zeros, and the empty levels of an adcode."""
    digits = code.strip()
    if not digits.isdigit():
        return digits.casefold()
    if len(digits) in (6, 9, 12) and not digits.startswith("00"):
        digits = re.sub(r"(?:00)+$", "", digits[:6]) if not digits[6:].strip("0") else digits
    return digits.lstrip("0")


@functools.cache
def _builtin_table(name: str) -> pd.DataFrame:
    with (resources.files("cobalance.inputs") / f"{name}.csv").open("r", encoding="utf-8") as stream:
        return pd.DataFrame(list(csv.DictReader(stream)), dtype=str)


def _is_part(table: pd.DataFrame, known: pd.DataFrame) -> bool:
    """Whether every row of ``table`` is one of ``known``, by code and by a name."""
    names = {
        _plain_code(str(row.code)): {_folded(text) for text in (row.name_zh, row.name_en, row.short_zh)}
        for row in known.itertuples(index=False)
    }
    return all(
        {_folded(row.name_zh), _folded(row.name_en)} & names.get(_plain_code(str(row.code)), set())
        for row in table.itertuples(index=False)
    )
