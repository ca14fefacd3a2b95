"""The reference pages name every key and every command, in both languages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

from cobalance.cli import app
from cobalance.study.spec import Outlook, Study

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    specification = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_stands_with_its_meaning(reference: ModuleType, language: str) -> None:
    page = reference.study_file(language)
    for model in (Study, Outlook):
        for name, field in model.model_fields.items():
            english, chinese = (field.description or "").split(reference.MARK)
            line = next(
                line
                for line in page.splitlines()
                if line.startswith(f"| `{name}` |") and (english in line or chinese in line)
            )
            assert (chinese if language == "zh" else english) in line
    assert re.search(r"^## `spatial\.weights`$", page, re.MULTILINE)
    assert ("必填" if language == "zh" else "required") in page


def test_every_row_has_four_cells(reference: ModuleType) -> None:
    for line in reference.study_file("en").splitlines():
        if line.startswith("|"):
            assert len(re.split(r"(?<!\\)\|", line)) == 6, line


def test_every_command_stands_with_its_options(reference: ModuleType) -> None:
    page = reference.command_line("zh")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {"run", "check", "init"} <= set(commands)
    for name, command in commands.items():
        assert f"## `{name}`" in page
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[0] in page


def test_the_pages_are_those_that_the_site_lists(reference: ModuleType) -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for path, text in reference.pages():
        assert path in listed
        assert text.startswith("# ")
    for page in re.findall(r"[\w/-]+\.md", listed):
        assert (ROOT / "docs" / page).exists() or "reference/" in page, page


def test_every_page_is_listed() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    lacking = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert not [path for path in lacking if path not in listed]
