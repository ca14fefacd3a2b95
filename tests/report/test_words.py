"""Every sentence exists in both languages with the same placeholders, and the faces can set it."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from cobalance.report import style, words
from cobalance.report.page import CHAPTERS, FIGURE_CHAPTERS, ORDER, SCRIPT_WORDS
from cobalance.vocabulary.errors import placeholders

FOLDER = resources.files("cobalance.report")
SOURCES = "\n".join(
    entry.read_text(encoding="utf-8") for entry in FOLDER.iterdir() if entry.name.endswith((".py", ".html"))
)


def test_keys_that_the_code_names_exist() -> None:
    named = set(re.findall(r'(?:say|both|add|same)\(\s*"([a-z_.]+[a-z_])"', SOURCES))
    assert len(named) > 60  # the pattern still finds them
    assert named <= set(words.sentences())


def test_keys_made_from_names_exist() -> None:
    keys = {f"chapter.{name}" for name in CHAPTERS} | {f"chapter.{name}.lead" for name in FIGURE_CHAPTERS}
    keys |= {f"table.{name}" for name in (*ORDER, *SCRIPT_WORDS)} | {f"status.{letter}" for letter in "PSDFR"}
    assert keys <= set(words.sentences())


@pytest.mark.parametrize("key", sorted(words.sentences()))
def test_languages_agree(key: str) -> None:
    texts = words.sentences()[key]
    assert texts["en"] and texts["zh"]
    assert placeholders(texts["en"]) == placeholders(texts["zh"])


def test_faces_have_every_character_of_the_words() -> None:
    with style.drawing():
        known = style._known()
    text = "".join(entry for row in words.sentences().values() for entry in row.values())
    assert {character for character in text if ord(character) not in known} == set()


def test_faces_have_the_names_of_the_built_in_regions() -> None:
    with style.drawing():
        known = style._known()
    tables = resources.files("cobalance.inputs")
    text = "".join((tables / f"{name}.csv").read_text(encoding="utf-8") for name in ("china_provinces", "us_states"))
    assert {character for character in text if character > " " and ord(character) not in known} == set()


def test_face_is_small_and_comes_with_its_licence() -> None:
    face = FOLDER / "fonts" / "CobalanceSansSC.ttf"
    assert len(face.read_bytes()) < 2_500_000
    licence = (FOLDER / "fonts" / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


@pytest.mark.parametrize(
    ("value", "unit", "language", "expected"),
    [
        (1.234e9, "t C / yr", "en", "1.23 Gt C/yr"),
        (1.234e9, "t C / yr", "zh", "12.3 亿 t C/a"),
        (98_700.0, "t C / yr", "zh", "9.87 万 t C/a"),
        (-2.5e6, "t O2 / yr", "en", "−2.50 Mt O₂/yr"),
        (3.3e8, "person", "en", "330 million people"),
        (0.0, "ha", "en", "0 ha"),
        (float("nan"), "t C / yr", "en", "—"),
    ],
)
def test_quantities_for_reading(value: float, unit: str, language: str, expected: str) -> None:
    assert words.scaled(value, unit, language) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0123456, "0.0123"), (1234.5, "1,234"), (-0.5, "−0.500"), (12.34, "12.3"), (0, "0")]
)
def test_numbers_for_reading(value: float, expected: str) -> None:
    assert words.number(value) == expected


def test_labels_fall_back_to_the_word() -> None:
    assert words.label("my_own_source", "en") == "my own source"
    assert words.label("自备电厂", "en") == "自备电厂"
    assert words.label("land_area", "zh") == "用地面积"
    assert words.heading("growth", "en") != words.label("growth", "en")  # a change in one table, a model in another
