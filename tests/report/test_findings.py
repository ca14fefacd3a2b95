"""Measures and uncertainty: sentences are counted from the tables, charts show the numbers, bases are not mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cobalance.report import findings, gallery, measures, ranges, style, summary
from cobalance.report.facts import Facts
from cobalance.study.results import Results

BALANCE = "carbon_balance_coefficient"
TOTALS = ("total", "total_low", "total_high")


@pytest.fixture(autouse=True)
def faces() -> Iterator[None]:
    with style.drawing():
        yield


@pytest.fixture
def facts(results: Results) -> Facts:
    errors = {("coal", 1): (5, 4), ("coal", 5): (30, 12), ("cement", 5): (10, 20), ("population", 5): (3, 1)}
    backtest = pd.DataFrame(
        [
            (activity, model, horizon, value)
            for (activity, horizon), pair in errors.items()
            for model, value in zip(("ensemble", "last_value"), pair, strict=True)
        ],
        columns=["activity", "model", "horizon", "median_ape"],
    )
    levers = pd.DataFrame(
        [
            (region, "carbon", lever, value, "t C / yr" if lever == "compensation" else "%")
            for region, values in {"ra": (80, 400, 900, 5e6), "rb": (20, 25, 60, 1e6), "rc": (0, 0, 0, 0)}.items()
            for lever, value in zip(measures.LEVERS, values, strict=True)
        ],
        columns=["region", "target", "lever", "value", "unit"],
    )
    scenarios = pd.DataFrame(
        [
            (key, key, key, region, "ecological_land_gap_carbon", value)
            for key, values in {"base": (400.0, 25.0), "less": (90.0, 0.0)}.items()
            for region, value in zip(("ra", "rb"), values, strict=True)
        ],
        columns=["scenario", "scenario_en", "scenario_zh", "region", "variable", "value"],
    )
    flows = pd.DataFrame(
        {"target": ["carbon"], "from_region": ["rd"], "to_region": ["ra"], "value": [5e6], "unit": ["t C / yr"]}
    )
    compensation = pd.DataFrame({"region": ["ra"], "variable": ["unmet_deficit"], "value": [0.0]})
    regions = [("ra", 1.5, 2.0, 4.0), ("rb", 0.8, 1.2, 1.5), ("rc", 0.1, 0.2, 0.3)]
    drawn = pd.DataFrame(
        [("region", code, BALANCE, None, 2020, *values, "1", np.nan) for code, *values in regions]
        + [("region", "ra", "ecological_land_gap", "carbon", 2030, 90.0, 200.0, 400.0, "%", 0.99)]
        + [("group", "total", BALANCE, None, 2020, 0.5, 0.6, 0.7, "1", np.nan)],
        columns=[
            "level",
            "region",
            "variable",
            "target",
            "year",
            "p05",
            "median",
            "p95",
            "unit",
            "probability_above_0",
        ],
    )
    sensitivity = pd.DataFrame(
        [
            ("region", code, BALANCE, name, name, name, total, total - 0.1, total + 0.1)
            for code, totals in {"ra": (0.7, 0.4), "rb": (0.5, 0.4)}.items()
            for name, total in zip(("coal", "forest"), totals, strict=True)
        ],
        columns=[
            "level",
            "region",
            "variable",
            "assumption",
            "assumption_en",
            "assumption_zh",
            "total",
            "total_low",
            "total_high",
        ],
    )
    spread = pd.DataFrame(
        [
            ("sequestration", "chosen-npp", "gross", True, 0.6),
            ("sequestration", "other-npp", "gross", False, 0.9),
            ("sequestration", "net-set", "net", False, 30.0),
            ("emission", "factors", None, True, 0.6),
        ],
        columns=["family", "set", "basis", "chosen", "value"],
    ).assign(level="group", region="total", name_en="All", name_zh="全部", variable=BALANCE, year=2020.0)
    own = {"backtest": backtest, "levers": levers, "scenarios": scenarios, "compensation_flows": flows}
    own |= {"compensation": compensation, "uncertainty": drawn, "sensitivity": sensitivity, "set_spread": spread}
    dataset = results.dataset.assign_attrs(dominance_en="Coal dominates.", dominance_zh="煤炭占主导。")
    return Facts(replace(results, dataset=dataset, tables={**results.tables, **own}))


def test_lost_backtests_are_counted_at_the_longest_horizon(facts: Facts) -> None:
    # coal 30 > 12 and population 3 > 1 lose, cement 10 < 20 wins
    assert "In 2 of 3 activities" in findings.findings(facts, "outlook", "en")[0]
    assert "3 项活动里有 2 项" in findings.findings(facts, "outlook", "zh")[0]


def test_measures_in_words(facts: Facts) -> None:
    levers, scenarios, flows = findings.findings(facts, "land", "en")
    assert levers.startswith("2 regions have a gap") and "Ash" in levers and "80.0 %" in levers
    assert "base: 2; less: 1" in scenarios
    assert "no deficit unmet" in flows


def test_uncertainty_in_words(facts: Facts) -> None:
    dominance, above, gap, spread = findings.findings(facts, "uncertainty", "en")
    assert dominance == "Coal dominates."
    assert "1 of 3 regions release more" in above and "for 1 the interval" in above
    assert "1 regions may have a gap, 1 of them" in gap
    assert "0.600 (chosen-npp) and 0.900 (other-npp)" in spread


def test_sets_on_another_basis_are_not_compared(facts: Facts) -> None:
    assert "net-set" not in set(ranges.spread(facts)["set"])


def test_influence_is_the_mean_over_regions(facts: Facts) -> None:
    own = ranges.influence(facts, "carbon").set_index("assumption")["total"]
    assert list(own.index) == ["coal", "forest"]
    assert own["coal"] == pytest.approx((0.7 + 0.5) / 2)


def test_switch_beyond_the_whole_is_a_dash(facts: Facts) -> None:
    words = [text.get_text() for text in measures.lever_bars(facts, "carbon", "en").texts]
    assert "60.0 %" in words and "—" in words and "900 %" not in words


def test_whiskers_end_at_the_interval(facts: Facts) -> None:
    axes = ranges.interval_rows(facts, "carbon", "balance", "en").axes[0]
    ends = sorted(tuple(segment[:, 0]) for segment in axes.collections[0].get_segments())  # type: ignore[attr-defined]
    assert ends == [(0.1, 0.3), (0.8, 1.5), (1.5, 4.0)]


def test_card_carries_the_interval(facts: Facts) -> None:
    assert any("0.500 to 0.700" in card.note for card in summary.cards(facts, "en"))


def test_every_figure_is_drawn_in_both_languages_with_all_glyphs(facts: Facts) -> None:
    lacking: set[str] = set()
    wanted = {"backtest", "levers_carbon", "scenarios", "compensation_carbon", "carbon_balance_intervals"}
    wanted |= {"carbon_gap_intervals", "carbon_sensitivity", "set_spread", "study_area"}
    made = [drawing for drawing in gallery.drawings(facts) if drawing.name in wanted]
    assert {drawing.name for drawing in made} == wanted
    for drawing in made:
        for language in ("en", "zh"):
            figure = drawing.draw(language)  # type: ignore[arg-type]
            lacking |= style.mend_glyphs(figure)
            assert style.written(figure, "svg")
    assert not lacking
