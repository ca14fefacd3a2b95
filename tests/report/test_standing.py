"""The statements a reader needs before the numbers: basis, weak coefficients, cells that are not observed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from cobalance.report import standing
from cobalance.report.facts import Facts
from cobalance.study.results import Results


def with_coefficients(results: Results, **columns: list[object]) -> Facts:
    rows = pd.DataFrame(
        {"set": "s", "quantity": "sequestration_rate", "item": "forest", "status": "S", "basis": "", **columns}
    )
    return Facts(replace(results, tables={**results.tables, "coefficients": rows}))


@pytest.mark.parametrize(
    ("bases", "english", "chinese"),
    [
        (["gross", "gross"], "gross</strong> basis", "总量</strong>口径"),
        (["net", "net"], "net</strong> basis", "净量</strong>口径"),
        (["gross", "net"], "mixes bases", "混用了不同口径"),
        (["", ""], "do not say", "未注明"),
    ],
)
def test_basis(results: Results, bases: list[object], english: str, chinese: str) -> None:
    facts = with_coefficients(results, basis=bases, item=["forest", "cropland"])
    assert english in standing.basis(facts, "en")
    assert chinese in standing.basis(facts, "zh")


def test_basis_of_mixed_rates_names_the_classes_and_escapes_them(results: Results) -> None:
    facts = with_coefficients(results, basis=["gross", "net"], item=["forest", "<i>marsh"])
    assert "forest gross (NPP)" in standing.basis(facts, "en")
    assert "&lt;i&gt;marsh net" in standing.basis(facts, "en")


def test_basis_looks_at_the_sink_alone(results: Results) -> None:
    facts = with_coefficients(results, quantity=["sequestration_rate", "emission_factor"], basis=["net", "gross heat"])
    assert "net</strong> basis" in standing.basis(facts, "en")


def test_weak_numbers_are_named_with_their_set(results: Results) -> None:
    text = standing.standing_sentence(Facts(results), "en")
    assert "recalled [R] or fitted [F] numbers" in text
    assert "sequestration rate: cropland [R] from made-up" in text
    assert "coal [F] from fitted-set" in text
    assert "forest" not in text  # that one is read in its source


def test_study_on_read_numbers_says_so(results: Results) -> None:
    facts = with_coefficients(results, status=["S", "D"])
    assert standing.standing_sentence(facts, "en") == "No coefficient of this study is recalled [R] or fitted [F]."
    assert standing.weak(facts, "en") == ""


def test_inventory_has_no_coefficients(results: Results) -> None:
    facts = Facts(replace(results, tables={**results.tables, "coefficients": pd.DataFrame()}))
    assert "inventory" in standing.standing_sentence(facts, "en")
    assert standing.basis(facts, "en") == ""


def test_flags_are_counted_over_areas_and_emissions(results: Results) -> None:
    # land_area 12 × 3 × 3 and emission 2 × 12 × 3 × 4: 108 + 288 cells. Of 2010 (36 + 96 = 132), Larch's 3 + 8 are
    # missing: 121 interpolated. Missing: Larch 9 + 24, and Elm's coal of 2000 in carbon and oxygen: 35.
    assert standing.flags(Facts(results)) == {"observed": 240, "interpolated": 121, "missing": 35}
    assert standing.flags_sentence(Facts(results), "en").startswith("156 of 396 input-based cells are not observed")


@pytest.mark.parametrize(("text", "letters"), [("S", ["S"]), ("[R]", ["R"]), ("S+D", ["S", "D"]), ("", [])])
def test_letters(text: str, letters: list[str]) -> None:
    assert standing.letters(text) == letters
