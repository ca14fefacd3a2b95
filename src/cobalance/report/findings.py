"""What a chapter's numbers say, in plain sentences formed from them."""

from __future__ import annotations

from collections.abc import Callable

from cobalance.report import measures, ranges
from cobalance.report.facts import CARBON, OXYGEN, Facts
from cobalance.report.words import label, number, say
from cobalance.vocabulary.errors import Language


def findings(facts: Facts, chapter: str, language: Language) -> list[str]:
    """The chapter's sentences; none where its tables are not there."""
    made = [one(facts, language) for one in _CHAPTERS.get(chapter, ())]
    return [text for text in made if text]


def _backtest(facts: Facts, language: Language) -> str:
    missed = measures.misses(facts)
    if not len(missed):
        return ""
    lost = int((missed["ensemble"] > missed["last_value"]).sum())
    values = {"lost": lost, "n": len(missed), "horizon": int(missed["horizon"].max())}
    return say("finding.backtest", language, **values)


def _levers(facts: Facts, language: Language) -> str:
    own = measures.lever_table(facts, CARBON)
    if not len(own):
        return ""
    largest = str(own.index[0])
    values = {
        "n": len(own),
        "region": facts.names(language)[largest],
        "cut": number(float(own["emission_cut"].iloc[0])),
    }
    return say("finding.levers", language, **values)


def _scenarios(facts: Facts, language: Language) -> str:
    own = measures.scenario_gaps(facts)
    if not len(own):
        return ""
    titles = facts.table("scenarios").drop_duplicates("scenario").set_index("scenario")[f"scenario_{language}"]
    mark = "；" if language == "zh" else "; "
    parts = mark.join(
        say("finding.scenario", language, scenario=titles[name], n=int((own[name] > 0).sum())) for name in own.columns
    )
    return say("finding.scenarios", language, parts=parts)


def _compensation(facts: Facts, language: Language) -> str:
    flows = facts.table("compensation_flows")
    rows = facts.table("compensation")
    if not len(flows) or not len(rows):
        return ""
    unmet = rows[(rows["variable"] == "unmet_deficit") & (rows["value"] > 0)]
    givers, takers = flows["from_region"].nunique(), flows["to_region"].nunique()
    values = {"flows": len(flows), "givers": givers, "takers": takers}
    if not len(unmet):
        return say("finding.compensated", language, **values)
    return say("finding.compensation", language, **values, unmet=unmet["region"].nunique())


def _above(facts: Facts, language: Language) -> str:
    own = ranges.intervals(facts, CARBON, "balance")
    if not len(own):
        return ""
    sure = int((own["p05"] > 1).sum())
    open_ = int(((own["p05"] <= 1) & (own["p95"] > 1)).sum())
    return say("finding.above", language, n=len(own), sure=sure, open=open_, year=int(own["year"].iloc[0]))


def _gap(facts: Facts, language: Language) -> str:
    parts = []
    for target in (CARBON, OXYGEN):
        own = ranges.intervals(facts, target, "gap")
        if len(own):
            sure = int((own["probability_above_0"] >= 0.95).sum())
            values = {"target": label(target, language), "n": len(own), "sure": sure}
            parts.append(say("finding.gap", language, **values))
    return ("" if language == "zh" else " ").join(parts)


def _spread(facts: Facts, language: Language) -> str:
    own = ranges.spread(facts)
    if not len(own) or CARBON not in own or len(own) < 2:
        return ""
    ordered = own.sort_values(CARBON, kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    values = {"name": own.attrs[language], "year": own.attrs["year"], "n": own["set"].nunique()}
    values |= {"low": number(low[CARBON]), "low_set": low["set"], "high": number(high[CARBON]), "high_set": high["set"]}
    return say("finding.spread", language, **values)


def _dominance(facts: Facts, language: Language) -> str:
    return str(facts.dataset.attrs.get(f"dominance_{language}", ""))


_CHAPTERS: dict[str, tuple[Callable[[Facts, Language], str], ...]] = {
    "outlook": (_backtest,),
    "land": (_levers, _scenarios, _compensation),
    "uncertainty": (_dominance, _above, _gap, _spread),
}
