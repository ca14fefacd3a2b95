"""Write everything that a reader of a study takes away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from markupsafe import Markup

from cobalance.report import gallery
from cobalance.report.export import write_layers_of, write_workbook
from cobalance.report.facts import Facts
from cobalance.report.page import PageFigure, page
from cobalance.report.svg import Page
from cobalance.study.results import Results, written
from cobalance.vocabulary.errors import Language, refuse

REPORT_FILE, WORKBOOK_FILE, FIGURES_FOLDER = "report.html", "tables.xlsx", "figures"
NEEDED = ("balance", "emission", "sequestration")


def write_report(
    results: Results,
    directory: Path,
    languages: Sequence[Language] | None = None,
    progress: Callable[[float], None] | None = None,
    forms: Sequence[str] = ("svg", "png"),
) -> list[Path]:
    """Write ``report.html``, ``tables.xlsx``, ``regions.gpkg`` and ``figures/LANGUAGE/`` into ``directory``.

    languages   of page and figures; default the study's own
    progress    told how much is done, 0 to 1
    forms       files of each figure, of svg, png and pdf; empty for none
    returns     the files written

    The same results give the same bytes. Raises E903 where a file cannot be written, E951 where the results lack a
    table that every study has, E952 for a language that there is none of.
    """
    facts = Facts(results)
    chosen = list(languages if languages is not None else facts.study.languages)
    _check(facts, chosen)
    directory.mkdir(parents=True, exist_ok=True)
    tell = progress or (lambda done: None)
    count = len(gallery.drawings(facts)) * len(chosen)
    shared, figures, lacking, files = Page(), dict[str, PageFigure](), set[str](), list[Path]()
    for done, plate in enumerate(gallery.plates(facts, chosen, lacking)):
        tell(0.8 * done / count)
        name = plate.drawing.name
        own = figures.setdefault(name, PageFigure(name, plate.drawing.chapter, {}))
        own.svg[plate.language] = Markup(shared.inline(plate.svg, f"{name}-{plate.language}", plate.title))
        files += gallery.save(plate, directory / FIGURES_FOLDER, forms)
    tell(0.8)
    text = page(facts, list(figures.values()), shared, chosen, lacking)
    with written(directory / REPORT_FILE) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    workbook = write_workbook(facts, directory / WORKBOOK_FILE)
    layers = write_layers_of(facts, directory)
    tell(1.0)
    return [directory / REPORT_FILE, workbook, *layers, *files]


def _check(facts: Facts, languages: Sequence[str]) -> None:
    for language in languages:
        if language not in ("en", "zh"):
            raise refuse("E952", found=language)
    lacking = [name for name in NEEDED if name not in facts.results.tables]
    if lacking:
        raise refuse("E951", found=lacking)
