"""Charts of what is uncertain: intervals of balance and gap, the assumptions that move them, other coefficient sets."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cobalance.report import style
from cobalance.report.facts import BALANCE, CARBON, OXYGEN, TARGETS, Facts
from cobalance.report.rows import Dots, Heading, dot_rows
from cobalance.report.words import label, say
from cobalance.vocabulary.errors import Language

MOST = 24
COLOURS = {CARBON: style.CARBON, OXYGEN: style.OXYGEN}


def intervals(facts: Facts, target: str, quantity: str) -> pd.DataFrame:
    """Rows of the table of uncertainty for regions (index), last year: value, p05, median, p95; largest first.

    quantity  ``balance`` or ``gap``; of the gap only regions that have one in some draws within the interval
    """
    rows = facts.table("uncertainty")
    if not len(rows):
        return rows
    name = BALANCE[target] if quantity == "balance" else "ecological_land_gap"
    own = rows[(rows["level"] == "region") & (rows["variable"] == name) & rows["p05"].notna()]
    if quantity == "gap":
        own = own[(own["target"] == target) & (own["p95"] > 0)]
    own = own[own["year"] == own["year"].max()]
    return own.sort_values("median", ascending=False, kind="stable").set_index("region")


def interval_rows(facts: Facts, target: str, quantity: str, language: Language) -> Figure:
    """Median and 5–95 % of the regions with the largest values; the upright lines are 1 and 3 for the balance."""
    known = intervals(facts, target, quantity)
    own = known.head(MOST)
    names = facts.names(language)
    dots = Dots(label(target, language), COLOURS[target], *(own[c].to_numpy(float) for c in ("median", "p05", "p95")))
    year = int(own["year"].iloc[0])
    if quantity == "balance":
        title = say("interval.balance.title", language, variable=label(BALANCE[target], language), year=year)
        heading = Heading(title, say("interval.subtitle", language, shown=len(own), n=len(known)), "")
        marks: tuple[float, ...] = (1.0, 3.0)
    else:
        title = say("interval.gap.title", language, target=label(target, language), year=year)
        heading = Heading(
            title, say("interval.subtitle", language, shown=len(own), n=len(known)), say("gap_bars.x", language)
        )
        marks = ()
    return dot_rows([names[str(code)] for code in own.index], [dots], heading, marks)


def influence(facts: Facts, target: str) -> pd.DataFrame:
    """Mean over regions of each assumption's total Sobol index (and its ends) for the balance; largest first."""
    rows = facts.table("sensitivity")
    if not len(rows):
        return rows
    own = rows[(rows["level"] == "region") & (rows["variable"] == BALANCE[target]) & rows["total"].notna()]
    columns = ["total", "total_low", "total_high"]
    mean = own.groupby(["assumption", "assumption_en", "assumption_zh"], sort=False)[columns].mean().reset_index()
    return mean.sort_values("total", ascending=False, kind="stable")


def tornado(facts: Facts, target: str, language: Language) -> Figure:
    """Total Sobol index by assumption with its confidence, on average over the regions."""
    own = influence(facts, target).head(MOST)
    dots = Dots("", COLOURS[target], *(own[c].to_numpy(float) for c in ("total", "total_low", "total_high")))
    title = say("tornado.title", language, variable=label(BALANCE[target], language))
    heading = Heading(title, say("tornado.subtitle", language), say("tornado.x", language))
    return dot_rows(own[f"assumption_{language}"].astype(str).tolist(), [dots], heading, share=True)


def spread(facts: Facts) -> pd.DataFrame:
    """Carbon and oxygen balance (columns) of all regions, or of the largest group that is known, by family and set.

    Only sets on the basis of the study's own sink are compared: gross and net are not interchangeable.
    """
    rows = facts.table("set_spread")
    if not len(rows):
        return rows
    own = rows[(rows["level"] == "group") & rows["variable"].isin(BALANCE.values()) & rows["value"].notna()]
    other = own["basis"].fillna("").astype(str)
    bases = set(other[own["chosen"].astype(bool)]) | {""}
    own = own[other.isin(bases)]
    if not len(own):
        return own
    members = {key: len(group.members) for key, group in facts.study.groups.items()} | {"total": len(facts.regions)}
    group = max(own["region"].astype(str).unique(), key=lambda key: members.get(key, 0))
    own = own[own["region"] == group]
    wide = own.pivot_table(index=["family", "set", "chosen"], columns="variable", values="value", sort=False)
    wide = wide.rename(columns={variable: target for target, variable in BALANCE.items()}).reset_index()
    first = own.iloc[0]
    wide.attrs.update(year=int(first["year"]), en=str(first["name_en"]), zh=str(first["name_zh"]))
    return wide


def set_rows(facts: Facts, language: Language) -> Figure:
    """The same study with other coefficient sets, one family at a time."""
    own = spread(facts)
    chosen = say("spread.chosen", language)
    names = [
        f"{name}{chosen if mark else ''}" for name, mark in zip(own["set"], own["chosen"].astype(bool), strict=True)
    ]
    dots = [
        Dots(label(target, language), COLOURS[target], own[target].to_numpy(float))
        for target in TARGETS
        if target in own
    ]
    heading = Heading(
        say("spread.title", language, name=own.attrs[language], year=own.attrs["year"]),
        say("spread.subtitle", language),
        say("spread.x", language),
    )
    return dot_rows(names, dots, heading, (1.0,))
