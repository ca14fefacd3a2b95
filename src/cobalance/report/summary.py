"""The headline: cards and the two short tables at the top of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cobalance.report.facts import BALANCE, BURDEN, CAPACITY, CARBON, OXYGEN, TARGETS, Facts
from cobalance.report.figures import p_text
from cobalance.report.words import capital, heading, label, number, say, scaled, signed
from cobalance.vocabulary.errors import Language

TOP = 10
Texts = dict[Language, str]


@dataclass(frozen=True)
class Card:
    title: str
    value: str
    note: str


@dataclass(frozen=True)
class Block:
    """A short table: headings and rows of cells, each in every language."""

    title: Texts
    lead: Texts | None
    heads: list[Texts]
    rows: list[list[Texts]]


def cards(facts: Facts, language: Language) -> list[Card]:
    """The headline numbers, each with its change or its count."""
    found = [
        *(_quantity(facts, variable, language) for variable in (BURDEN[CARBON], CAPACITY[CARBON])),
        *(_nation(facts, target, language) for target in TARGETS),
        _above(facts, language),
        _outlook(facts, language),
        _gap(facts, language),
        _moran(facts, language),
    ]
    return [card for card in found if card is not None]


def blocks(facts: Facts, languages: list[Language]) -> list[Block]:
    """The regions with the largest balance, and the groups, where the study has them."""
    made = [_top_regions(facts, languages), _groups(facts, languages)]
    return [block for block in made if block is not None]


def _span(facts: Facts, target: str) -> tuple[int, int] | None:
    return facts.shared_years(target) if facts.has(BALANCE[target]) else None


def _count(facts: Facts, target: str, last: int, language: Language) -> str:
    now = int(facts.complete(target).sel(year=last).sum())
    return say("card.count", language, n=now, all=len(facts.regions))


def _quantity(facts: Facts, variable: str, language: Language) -> Card | None:
    span = _span(facts, CARBON)
    if span is None:
        return None
    first, last = span
    key = "card.emission" if variable == BURDEN[CARBON] else "card.sequestration"
    unit = str(facts.dataset[variable].attrs.get("units", ""))
    value = float(facts.total(variable).sum[last])
    note = _since(facts, CARBON, lambda sides: sides[variable], first, last, language)
    count = _joined(_count(facts, CARBON, last, language), _interval(facts, variable, last, language), language)
    return Card(say(key, language, year=last), scaled(value, unit, language), _joined(note, count, language))


def _interval(facts: Facts, variable: str, year: int, language: Language) -> str:
    """The 5–95 % interval of all regions together; nothing where a region is missing, as the sum differs then."""
    rows = facts.table("uncertainty")
    if not len(rows):
        return ""
    own = rows[(rows["level"] == "group") & (rows["region"] == "total") & (rows["variable"] == variable)]
    own = own[(own["year"] == year) & own["p05"].notna()]
    if not len(own):
        return ""
    unit = str(own["unit"].iloc[0])
    low, high = (scaled(float(own[column].iloc[0]), unit, language) for column in ("p05", "p95"))
    return say("card.interval", language, low=low, high=high)


def _nation(facts: Facts, target: str, language: Language) -> Card | None:
    span = _span(facts, target)
    if span is None:
        return None
    first, last = span

    def balance(sides: pd.DataFrame) -> pd.Series:
        return sides[BURDEN[target]] / sides[CAPACITY[target]].where(sides[CAPACITY[target]] > 0)

    note = _since(facts, target, balance, first, last, language)
    value = number(float(facts.nation(target)[last]))
    return Card(
        say(f"card.{target}", language, year=last),
        value,
        _joined(
            note,
            _joined(_count(facts, target, last, language), _interval(facts, BALANCE[target], last, language), language),
            language,
        ),
    )


def _above(facts: Facts, language: Language) -> Card | None:
    span = _span(facts, CARBON)
    if span is None:
        return None
    first, last = span
    now, before = (facts.of_year(BALANCE[CARBON], year).astype(float) for year in (last, first))
    value = say("card.above.value", language, above=int((now > 1).sum()), n=int(now.notna().sum()))
    earlier = say("card.above.value", language, above=int((before > 1).sum()), n=int(before.notna().sum()))
    note = "" if first == last else f"{first}: {earlier}"
    return Card(say("card.above", language, year=last), value, note)


def _outlook(facts: Facts, language: Language) -> Card | None:
    if not facts.has("outlook_carbon_emission") or facts.study.outlook is None or not facts.years:
        return None
    emission = facts.dataset["outlook_carbon_emission"].sum("source", skipna=False)
    known = emission.notnull()
    unit = str(facts.dataset["outlook_carbon_emission"].attrs.get("units", ""))
    title = say("card.outlook", language, year=facts.study.outlook.target)
    note = say("card.count", language, n=int(known.sum()), all=len(facts.regions))
    return Card(title, scaled(float(emission.where(known, 0.0).sum()), unit, language), note) if known.any() else None


def _gap(facts: Facts, language: Language) -> Card | None:
    if not facts.has("ecological_land_gap") or CARBON not in facts.dataset["target"].values:
        return None
    gap = facts.dataset["ecological_land_gap"].sel(target=CARBON)
    status = facts.dataset["ecological_land_status"].sel(target=CARBON).astype(str)
    infeasible = int((status == "infeasible on own land").sum())
    value = say("card.above.value", language, above=int((gap > 0).sum()), n=int(gap.notnull().sum()))
    return Card(say("card.gap", language), value, say("card.gap.note", language, infeasible=infeasible))


def _moran(facts: Facts, language: Language) -> Card | None:
    rows = facts.table("global_moran")
    if not len(rows):
        return None
    known = rows[rows["moran_i"].notna()]
    if not len(known):
        return None
    first = str(known["variable"].iloc[0])
    last = known[known["variable"] == first].sort_values("year").iloc[-1]
    title = say("card.moran", language, variable=label(first, language), year=int(last["year"]))
    note = say("card.moran.note", language, p=p_text(float(last["pseudo_p"])))
    return Card(title, number(float(last["moran_i"])), note)


def _since(
    facts: Facts,
    target: str,
    of: Callable[[pd.DataFrame], pd.Series],
    first: int,
    last: int,
    language: Language,
) -> str:
    """The change between two years, over the regions that have both, which are counted where they are not all."""
    if first == last:
        return ""
    sides, count = facts.in_both(target, first, last)
    before, now = (float(of(sides)[year]) for year in (first, last))
    if not count or not np.isfinite(before) or before == 0:
        return ""
    key = "card.since" if count == int(facts.complete(target).sel(year=last).sum()) else "card.since.common"
    return say(key, language, change=signed((now / before - 1) * 100), year=first, n=count)


def _joined(one: str, two: str, language: Language) -> str:
    return ("；" if language == "zh" else " · ").join(part for part in (one, two) if part)


def _top_regions(facts: Facts, languages: list[Language]) -> Block | None:
    span = _span(facts, CARBON)
    if span is None:
        return None
    last = span[1]
    values = facts.of_year(BALANCE[CARBON], last).astype(float).dropna()
    chosen = values.sort_values(ascending=False, kind="stable").head(TOP).index
    emission = facts.dataset[BURDEN[CARBON]].sel(year=last).sum("source", skipna=False)
    uptake = facts.dataset[CAPACITY[CARBON]].sel(year=last).sum("land_class", skipna=False)
    oxygen = facts.of_year(BALANCE[OXYGEN], last).astype(float) if BALANCE[OXYGEN] in facts.dataset else values * np.nan
    units = [str(facts.dataset[name].attrs.get("units", "")) for name in (BURDEN[CARBON], CAPACITY[CARBON])]
    rows = [
        [
            {code: facts.names(code)[str(region)] for code in languages},
            {code: scaled(float(emission.sel(region=region)), units[0], code) for code in languages},
            {code: scaled(float(uptake.sel(region=region)), units[1], code) for code in languages},
            {code: number(float(values[region])) for code in languages},
            {code: number(float(oxygen[region])) for code in languages},
        ]
        for region in chosen
    ]
    heads = [{code: heading("name", code) for code in languages}]
    heads += [{code: say(f"head.{key}", code) for code in languages} for key in ("emission", "sequestration", *TARGETS)]
    return Block({code: say("head.top", code, year=last) for code in languages}, None, heads, rows)


def _groups(facts: Facts, languages: list[Language]) -> Block | None:
    rows = facts.table("groups")
    rows = rows[rows["variable"] == BALANCE[CARBON]] if len(rows) else rows
    if not len(rows) or rows["group"].nunique() < 2:
        return None
    years = _few([int(year) for year in sorted(rows["year"].unique())])
    wide = rows.pivot(index="group", columns="year", values="value").reindex(rows["group"].unique())
    names = rows.drop_duplicates("group").set_index("group")
    body: list[list[Texts]] = []
    for group in wide.index:
        name: Texts = {code: str(names.at[group, f"name_{code}"]) for code in languages}
        values = wide.loc[group, years].to_numpy(float)
        body.append([name, *({code: number(float(value)) for code in languages} for value in values)])
    heads = [{code: heading("group", code) for code in languages}]
    heads += [{code: str(year) for code in languages} for year in years]
    title = {code: _group_title(code) for code in languages}
    return Block(title, {code: say("groups.lead", code) for code in languages}, heads, body)


def _group_title(language: Language) -> str:
    return capital(say("groups.title", language, variable=label(BALANCE[CARBON], language)))


def _few(years: list[int]) -> list[int]:
    """Years for a short table: all while they fit, else the first, the last and round ones."""
    if len(years) <= 8:
        return years
    return [year for year in years if year % 10 == 0 or year in (years[0], years[-1])][:8]
