"""``report.html``: one file for all languages that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from typing import Any

import jinja2
from markupsafe import Markup

from cobalance.report import standing, summary, tables
from cobalance.report.facts import Facts
from cobalance.report.findings import findings
from cobalance.report.gallery import ACCOUNTS, BALANCES, LAND, OUTLOOK, SPACE, UNCERTAINTY
from cobalance.report.svg import Page
from cobalance.report.words import say, sentences
from cobalance.vocabulary.errors import Language, Problem

TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
MOST_NOTICES, MOST_OF_A_CODE = 12, 2
FIGURE_CHAPTERS = (ACCOUNTS, BALANCES, SPACE, OUTLOOK, LAND, UNCERTAINTY)
CHAPTERS = ("summary", "standing", *FIGURE_CHAPTERS, "tables", "provenance")
SCRIPT_WORDS = ("search", "rows", "previous", "next", "page", "none_found", "unsupported")
ORDER = (
    "balance", "groups", "emission", "sequestration", "land_area", "gravity_centre", "global_moran", "local_moran",
    "outlook", "backtest", "ecological_land", "conversion", "levers", "scenarios", "compensation", "compensation_flows",
    "coefficients", "missing", "notices", "observations",
)  # fmt: skip


@dataclass
class PageFigure:
    """A figure of the page in its languages."""

    name: str
    chapter: str
    svg: dict[Language, Markup]


def page(
    facts: Facts, figures: Sequence[PageFigure], shared: Page, languages: Sequence[Language], lacking: set[str]
) -> str:
    """The whole page as HTML; ``figures`` were inlined with ``shared``."""
    style = _text("page.css") + shared.css()
    script = _text("page.js")
    packed = [tables.packed(name, facts.table(name), languages) for name in table_names(facts)]
    known = [f"table.{table.name}" in sentences() for table in packed]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_text("page.html")).render(
        languages=list(languages),
        tag=TAGS,
        say=say,
        policy=_policy(style, script),
        css=Markup(style),
        script=Markup(script),
        glyphs=Markup(shared.glyphs()),
        version=version(),
        chapters=CHAPTERS,
        figures=figures,
        figure_chapters=[
            {
                "name": name,
                "lack": _lack(facts, figures, name),
                "findings": [
                    dict(zip(languages, texts, strict=True))
                    for texts in zip(*(findings(facts, name, code) for code in languages), strict=True)
                ],
            }
            for name in FIGURE_CHAPTERS
        ],
        tables=[
            {"name": t.name, "rows": t.rows, "shown": t.shown, "packed": t, "known": k}
            for t, k in zip(packed, known, strict=True)
        ],
        words=Markup(_script_words(facts, languages)),
        **_summary(facts, languages),
        **_standing(facts, languages, lacking),
        **_provenance(facts, languages),
    )


def version() -> str:
    return metadata.version("cobalance")


def table_names(facts: Facts) -> list[str]:
    """The study's tables: those of the contract in its order, then others by name."""
    names = sorted(facts.results.tables)
    return [name for name in ORDER if name in names] + [name for name in names if name not in ORDER]


def _text(name: str) -> str:
    return (resources.files("cobalance.report") / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, and only this script and this style count."""

    def allowed(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"

    return (
        f"default-src 'none'; script-src {allowed(script)}; style-src {allowed(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _script_words(facts: Facts, languages: Sequence[Language]) -> str:
    words = {
        code: {key: sentences()[f"table.{key}"][code] for key in SCRIPT_WORDS} | {"title": facts.study.title.get(code)}
        for code in languages
    }
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")


def _lack(facts: Facts, figures: Sequence[PageFigure], chapter: str) -> str:
    """Why a chapter has no figure or no map, as a key of the words."""
    if chapter in (BALANCES, SPACE) and not facts.has_shapes:
        return "page.no_shapes"
    if any(figure.chapter == chapter for figure in figures):
        return ""
    reasons = {SPACE: "page.no_space", OUTLOOK: "page.no_outlook", LAND: "page.no_land"}
    reasons[UNCERTAINTY] = "page.no_uncertainty"
    return reasons.get(chapter, "page.no_data")


def _summary(facts: Facts, languages: Sequence[Language]) -> dict[str, Any]:
    years = facts.years
    key = "page.years" if len(years) > 1 else "page.one_year"
    numbers = {"first": years[0], "last": years[-1], "n": len(facts.regions)}
    return {
        "title": {code: facts.study.title.get(code) for code in languages},
        "extent": {code: say(key, code, **numbers) for code in languages},
        "cards": {code: summary.cards(facts, code) for code in languages},
        "summary_tables": summary.blocks(facts, list(languages)),
    }


def _standing(facts: Facts, languages: Sequence[Language], lacking: set[str]) -> dict[str, Any]:
    notices, more = _notices(facts, languages, lacking)
    count = len(facts.table("missing"))
    return {
        "basis": {code: standing.basis(facts, code) for code in languages},
        "standing": {code: standing.standing_sentence(facts, code) for code in languages},
        "statuses": {code: standing.statuses(facts, code) for code in languages},
        "is_weak": bool(standing.weak(facts, languages[0])),
        "sets": standing.sets(facts),
        "flags": {code: standing.flags_sentence(facts, code) for code in languages},
        "missing": {
            code: say("missing.lead", code, n=f"{count:,}") if count else say("missing.none", code)
            for code in languages
        },
        "draft": facts.draft and facts.has_shapes,
        "notices": notices,
        "notices_more": more,
    }


def _notices(facts: Facts, languages: Sequence[Language], lacking: set[str]) -> tuple[list[dict[str, Any]], int]:
    """The first notices with both languages' texts, and how many more there are."""
    rows = facts.table("notices")
    shown = rows.groupby("code", sort=False).head(MOST_OF_A_CODE).head(MOST_NOTICES) if len(rows) else rows
    notices = [
        {"code": row["code"], "text": {code: f"{row[f'found_{code}']} {row[f'remedy_{code}']}" for code in languages}}
        for row in shown.to_dict("records")
    ]
    if lacking:
        own = Problem("W951", details={"characters": " ".join(sorted(lacking))})
        notices.insert(0, {"code": own.code, "text": {code: _sentence(own, code) for code in languages}})
    return notices, len(rows) - len(shown)


def _sentence(notice: Problem, language: Language) -> str:
    return f"{notice.part('found', language)} {notice.part('remedy', language)}"


def _provenance(facts: Facts, languages: Sequence[Language]) -> dict[str, Any]:
    provenance = facts.results.provenance
    versions = {key: provenance[key] for key in ("cobalance", "python") if key in provenance}
    versions |= provenance.get("packages", {})
    study = json.dumps(provenance.get("study", {}), ensure_ascii=False, indent=2, sort_keys=True)
    return {
        "boundary": facts.footer,
        "seed": facts.study.seed,
        "inputs": input_hashes(provenance),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()) if versions else "",
        "study": study,
    }


def input_hashes(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(file, SHA-256) of the study file and of every input."""
    study = provenance.get("study_file")
    own = [(str(study["name"]), str(study["sha256"]))] if study else []
    return own + [(str(file), str(digest)) for file, digest in provenance.get("inputs", {}).items()]
