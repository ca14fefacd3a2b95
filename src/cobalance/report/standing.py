"""What the numbers stand on: gross or net basis, sets, statuses of the coefficients, cells that are not observed."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from markupsafe import Markup

from cobalance.report.facts import Facts
from cobalance.report.words import label, say, sentences
from cobalance.vocabulary.errors import Language

STATUSES = ("P", "S", "D", "F", "R")
WEAK = ("R", "F")
MOST_ITEMS = 8


def basis(facts: Facts, language: Language) -> Markup:
    """The sentence on the sink's basis, as safe HTML."""
    rows = facts.table("coefficients")
    if not len(rows):
        return Markup("")
    rates = rows[rows["quantity"].isin(("sequestration_rate", "oxygen_release_rate"))]
    found = {str(word) for word in rates["basis"].dropna() if str(word)}
    if found in ({"gross"}, {"net"}):
        return Markup(sentences()[f"basis.{found.pop()}"][language])
    if not found:
        return Markup(sentences()["basis.unknown"][language])
    parts = [
        say(
            "basis.part",
            language,
            items=_list(
                [label(item, language) for item in rates.loc[rates["basis"] == word, "item"].unique()], language
            ),
            basis=label(word, language),
        )
        for word in sorted(found)
    ]
    return Markup(sentences()["basis.mixed"][language]).format(parts=_list(parts, language, ";"))


def statuses(facts: Facts, language: Language) -> list[str]:
    """A line for each status that occurs: its letter, its meaning, its number of coefficient rows."""
    rows = facts.table("coefficients")
    if not len(rows):
        return []
    counts = Counter(letter for text in rows["status"].astype(str) for letter in letters(text))
    meanings = {letter: say(f"status.{letter}", language) for letter in STATUSES if counts[letter]}
    return [
        say("status.line", language, letter=letter, meaning=meaning, n=counts[letter])
        for letter, meaning in meanings.items()
    ]


def weak(facts: Facts, language: Language) -> str:
    """Which coefficients are recalled or fitted; empty where none is."""
    rows = facts.table("coefficients")
    if not len(rows):
        return ""
    parts = []
    for (quantity, name, status), own in rows.groupby(["quantity", "set", "status"], sort=False):
        if any(letter in WEAK for letter in letters(str(status))):
            items = [label(str(item), language) for item in own["item"].unique() if str(item) not in ("", "*")]
            named = _list(items, language) if items else label("value", language)
            values = {"quantity": label(str(quantity), language), "items": named, "status": status, "set": name}
            parts.append(say("status.part", language, **values))
    return _list(parts, language, ";")


def standing_sentence(facts: Facts, language: Language) -> str:
    """The whole statement on statuses in one sentence."""
    if not len(facts.table("coefficients")):
        return say("status.none", language)
    parts = weak(facts, language)
    return say("status.warning", language, parts=parts) if parts else say("status.clean", language)


def sets(facts: Facts) -> list[str]:
    """Names of the coefficient sets that were used, in order."""
    rows = facts.table("coefficients")
    return [str(name) for name in rows["set"].unique()] if len(rows) else []


def flags(facts: Facts) -> dict[str, int]:
    """Flag → number of cells, over the tables of land area and emission."""
    frames = [facts.table(name) for name in ("land_area", "emission")]
    columns = [frame["flag"] for frame in frames if "flag" in frame]
    return {str(word): int(count) for word, count in pd.concat(columns).value_counts().items()} if columns else {}


def flags_sentence(facts: Facts, language: Language) -> str:
    """How many cells are not observed, by flag."""
    counts = flags(facts)
    total, other = sum(counts.values()), {word: count for word, count in counts.items() if word != "observed"}
    if not other:
        return say("flags.lead.clean", language, all=f"{total:,}")
    parts = _list([f"{label(word, language)} {count:,}" for word, count in other.items()], language)
    return say("flags.lead.changed", language, n=f"{sum(other.values()):,}", all=f"{total:,}", parts=parts)


def letters(status: str) -> list[str]:
    """The letters of a status such as ``S``, ``[R]`` or ``S+D``."""
    return [letter for letter in status if letter in STATUSES]


def _list(parts: list[str], language: Language, mark: str = ",") -> str:
    if len(parts) > MOST_ITEMS and mark == ",":
        parts = [*parts[:MOST_ITEMS], f"… ({len(parts)})"]
    marks = {(",", "en"): ", ", (",", "zh"): "、", (";", "en"): "; ", (";", "zh"): "；"}
    return marks[mark, language].join(parts)
