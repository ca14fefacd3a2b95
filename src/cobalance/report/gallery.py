"""Which figures a study has, chapter by chapter, and their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from cobalance.report import figures, maps, measures, ranges, style
from cobalance.report.facts import BALANCE, BURDEN, CAPACITY, CARBON, OXYGEN, TARGETS, Facts
from cobalance.study.results import written
from cobalance.vocabulary.errors import Language

ACCOUNTS, BALANCES, SPACE, OUTLOOK, LAND = "accounts", "balance", "space", "outlook", "land"
UNCERTAINTY = "uncertainty"


@dataclass(frozen=True)
class Drawing:
    """A figure that a study has: its file's name, its chapter, and how it is drawn in a language."""

    name: str
    chapter: str
    draw: Callable[[Language], Figure]


@dataclass(frozen=True)
class Plate:
    """A drawn figure."""

    drawing: Drawing
    language: Language
    figure: Figure
    svg: str

    @property
    def title(self) -> str:
        return str(self.figure.get_label())


def drawings(facts: Facts) -> list[Drawing]:
    """The study's figures in the order of the report; what a study has no data for is left out."""
    chapters = (_accounts, _balances, _space, _outlook, _land, _uncertainty)
    return [drawing for chapter in chapters for drawing in chapter(facts)]


def plates(facts: Facts, languages: Sequence[Language], lacking: set[str]) -> Iterator[Plate]:
    """Every figure in every language; characters that no face has are added to ``lacking``."""
    with style.drawing():
        for drawing in drawings(facts):
            for language in languages:
                figure = drawing.draw(language)
                lacking |= style.mend_glyphs(figure)
                svg = style.written(figure, "svg").decode("utf-8")
                yield Plate(drawing, language, figure, svg)


def save(plate: Plate, directory: Path, forms: Sequence[str]) -> list[Path]:
    """Write a plate as ``directory/LANGUAGE/NAME.FORM`` for each form (svg, png, pdf)."""
    folder, files = directory / plate.language, []
    for form in forms:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{plate.drawing.name}.{form}"
        with style.drawing(), written(file) as temporary:
            temporary.write_bytes(plate.svg.encode() if form == "svg" else style.written(plate.figure, form))
        files.append(file)
    return files


def _accounts(facts: Facts) -> Iterator[Drawing]:
    if facts.has_shapes and facts.study.groups:
        yield Drawing("study_area", ACCOUNTS, partial(maps.area_map, facts))
    for target in TARGETS:
        for variable in (BURDEN[target], CAPACITY[target]):
            if facts.has(variable) and facts.total(variable).sum.notna().any():
                yield Drawing(
                    f"{variable}_by_{'source' if variable == BURDEN[target] else 'class'}",
                    ACCOUNTS,
                    partial(figures.stacked_bars, facts, variable),
                )


def _balances(facts: Facts) -> Iterator[Drawing]:
    if not facts.has_shapes:
        return
    for target in TARGETS:
        years = facts.shared_years(target) if facts.has(BALANCE[target]) else None
        for year in dict.fromkeys(years or ()):
            yield Drawing(
                f"{target}_balance_map_{year}",
                BALANCES,
                partial(maps.balance_map, facts, target, year),
            )


def _space(facts: Facts) -> Iterator[Drawing]:
    centres = facts.table("gravity_centre")
    for variable in _variables(centres, "longitude_deg"):
        if facts.has_shapes:
            yield Drawing(
                f"gravity_centre_{variable}",
                SPACE,
                partial(maps.gravity_map, facts, variable),
            )
    if len(facts.table("global_moran")) and facts.table("global_moran")["year"].nunique() > 1:
        yield Drawing("global_moran", SPACE, partial(figures.moran_series, facts))
    local = facts.table("local_moran")
    for variable in _variables(local, "z"):
        known = local[(local["variable"] == variable) & local["z"].notna()]
        first, last = int(known["year"].min()), int(known["year"].max())
        yield Drawing(
            f"moran_scatter_{variable}_{last}",
            SPACE,
            partial(figures.moran_scatter, facts, variable, last),
        )
        for year in dict.fromkeys((first, last) if facts.has_shapes else ()):
            yield Drawing(
                f"lisa_map_{variable}_{year}",
                SPACE,
                partial(maps.cluster_map, facts, variable, year),
            )


def _outlook(facts: Facts) -> Iterator[Drawing]:
    rows = facts.table("outlook")
    if len(rows) and rows["value"].notna().any():
        if figures.whole_activities(facts):
            yield Drawing("outlook_activities", OUTLOOK, partial(figures.outlook_activities, facts))
        if facts.has(BURDEN[CARBON], BALANCE[CARBON]) and figures.largest_activities(facts):
            yield Drawing("outlook_regions", OUTLOOK, partial(figures.outlook_regions, facts))
    if len(measures.misses(facts)):
        yield Drawing("backtest", OUTLOOK, partial(measures.backtest_lines, facts))


def _land(facts: Facts) -> Iterator[Drawing]:
    if not facts.has("ecological_land_gap"):
        return
    known = [str(target) for target in facts.dataset["target"].values]
    for target in (CARBON, OXYGEN):
        if facts.has_shapes and target in known:
            yield Drawing(
                f"ecological_land_gap_map_{target}",
                LAND,
                partial(maps.gap_map, facts, target),
            )
    yield Drawing("ecological_land_gap", LAND, partial(figures.gap_bars, facts))
    for target in TARGETS:
        if len(measures.lever_table(facts, target)):
            yield Drawing(f"levers_{target}", LAND, partial(measures.lever_bars, facts, target))
    if len(measures.scenario_gaps(facts)):
        yield Drawing("scenarios", LAND, partial(measures.scenario_rows, facts))
    flows = facts.table("compensation_flows")
    for target in flows["target"].unique() if len(flows) and facts.has_shapes else ():
        yield Drawing(f"compensation_{target}", LAND, partial(maps.flow_map, facts, str(target)))


def _uncertainty(facts: Facts) -> Iterator[Drawing]:
    for target in TARGETS:
        for quantity in ("balance", "gap"):
            if len(ranges.intervals(facts, target, quantity)):
                draw = partial(ranges.interval_rows, facts, target, quantity)
                yield Drawing(f"{target}_{quantity}_intervals", UNCERTAINTY, draw)
        if len(ranges.influence(facts, target)):
            yield Drawing(f"{target}_sensitivity", UNCERTAINTY, partial(ranges.tornado, facts, target))
    if len(ranges.spread(facts)):
        yield Drawing("set_spread", UNCERTAINTY, partial(ranges.set_rows, facts))


def _variables(table: pd.DataFrame, column: str) -> list[str]:
    """Variables of a table that have a value in ``column`` somewhere."""
    if not len(table):
        return []
    known = table[table[column].notna()]
    return [str(variable) for variable in known["variable"].unique()]
