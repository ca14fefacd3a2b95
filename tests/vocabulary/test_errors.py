"""The catalogue: every code has its sentences in both languages, and every sentence its facts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cobalance.vocabulary.errors import (
    CobalanceError,
    Place,
    Problem,
    Problems,
    catalogue,
    nearest,
    placeholders,
    refuse,
)

SOURCE = Path(__file__).parents[2] / "src" / "cobalance"


def test_both_languages_say_something_about_the_same_facts() -> None:
    for code, row in catalogue().items():
        assert re.fullmatch(r"[EW]\d{3}", code)
        for part in ("found", "expected", "remedy"):
            assert row[f"{part}_en"].strip(), (code, part)
            assert re.search("[一-鿿]|{", row[f"{part}_zh"]), (code, part, "has no Chinese")
        english, chinese = (
            set().union(*(placeholders(row[f"{part}_{language}"]) for part in ("found", "expected", "remedy")))
            for language in ("en", "zh")
        )
        assert {name.removesuffix("_zh") for name in chinese} == {name.removesuffix("_zh") for name in english}, code


def test_every_code_is_used_and_every_used_code_is_in_the_catalogue() -> None:
    used = set()
    for file in SOURCE.rglob("*.py"):
        used |= set(re.findall(r"""["']([EW]\d{3})["']""", file.read_text(encoding="utf-8")))
    assert used - set(catalogue()) == set()
    assert set(catalogue()) - used == set()


def test_a_problem_prints_place_finding_expectation_and_remedy_in_either_language() -> None:
    place = Place(file="fuels.xlsx", sheet="5-1", row=7, column="煤炭")
    problem = Problem("E206", place, {"found": "吨煤"})
    assert problem.text("en").startswith("E206 fuels.xlsx, sheet 5-1, row 7, column 煤炭: '吨煤' is not a unit")
    assert problem.text("zh").startswith("E206 fuels.xlsx, 工作表 5-1, 第 7 行, 列 煤炭：“吨煤”不是可识别的单位")
    assert problem.as_dict()["place"] == {"file": "fuels.xlsx", "sheet": "5-1", "row": 7, "column": "煤炭"}


def test_all_errors_are_raised_at_once_and_notices_never() -> None:
    problems = Problems()
    problems.add("W101")
    problems.raise_errors()
    problems.add("E206", found="a")
    problems.add("E206", found="b")
    with pytest.raises(CobalanceError) as caught:
        problems.raise_errors()
    assert len(caught.value.problems) == 2
    assert len(problems.notices) == 1


def test_an_unknown_code_is_a_defect_of_the_caller() -> None:
    with pytest.raises(KeyError):
        refuse("E000")


def test_nearest_names_the_close_one_or_all() -> None:
    assert nearest("quen", ["queen", "rook"]) == "queen"
    assert nearest("xyz", ["queen", "rook"]) == "queen, rook"
