"""Every snippet of the documentation runs.

A page is read from top to bottom, in a folder of its own: a block with a ``title`` of a file name is written as that
file; ``python`` runs, all blocks of a page in one namespace; ``sh`` runs its ``cobalance`` lines; every line of a
``text`` block that follows stands in what they printed; ``yaml`` is held against the model of the study file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from typer.testing import CliRunner

from cobalance.cli import app
from cobalance.study.spec import InputFile, Spatial, Study
from cobalance.vocabulary.errors import CobalanceError

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
FENCE = re.compile(r"^```(\w+)[^\S\n]*(?:title=\"([^\"]*)\")?[^\S\n]*\n(.*?)^```[^\S\n]*$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"[^\s/\\]+\.(csv|yaml)")
OTHERS = ("pip ", "uv ", "make ", "git ")
"""Commands that set things up; they are not ours to run."""


@dataclass(frozen=True)
class Snippet:
    """A fenced block and the line of the page that it begins on."""

    kind: str
    title: str
    text: str
    line: int


def snippets(page: str) -> Iterator[Snippet]:
    whole = (DOCS / page).read_text(encoding="utf-8")
    for found in FENCE.finditer(whole):
        yield Snippet(found[1], found[2] or "", found[3], whole[: found.start()].count("\n") + 1)


@pytest.mark.parametrize("page", [page for page in PAGES if any(snippets(page))])
def test_every_snippet_runs(page: str, stage: Path, regions: gpd.GeoDataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COBALANCE_LANGUAGE", "zh" if page.startswith("zh/") else "en")
    if any(snippet.title == "study.yaml" for snippet in snippets(page)):
        for file in stage.iterdir():  # the page brings its own study
            file.unlink()
    namespace: dict[str, Any] = {"__name__": "page"} | ({"regions": regions} if page == "landcover.md" else {})
    printed = ""
    for snippet in snippets(page):
        where = f"docs/{page}, line {snippet.line}"
        if FILE.fullmatch(snippet.title):
            (stage / snippet.title).write_text(snippet.text, encoding="utf-8")
        if snippet.kind == "python":
            exec(compile("\n" * snippet.line + snippet.text, str(DOCS / page), "exec"), namespace)
        elif snippet.kind == "sh" and not page.endswith("index.md"):
            printed = "".join(run(line, where) for line in commands(snippet.text))
        elif snippet.kind == "text" and not snippet.title:
            lacking = [line for line in snippet.text.splitlines() if line.strip() and line.strip() not in printed]
            assert not lacking, f"{where}: not printed: {lacking}\nbut:\n{printed}"
        elif snippet.kind == "yaml":
            check_yaml(YAML(typ="safe").load(snippet.text), where)


def commands(text: str) -> list[str]:
    """The commands of a block, without comments."""
    lines = [line.split("  #")[0].removeprefix("$ ").strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", *OTHERS))]


def run(line: str, where: str) -> str:
    """What a command prints; it may refuse, but not fail otherwise."""
    program, *arguments = shlex.split(line)
    assert program == "cobalance", f"{where}: {line}"
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, CobalanceError):
        return f"{result.output}{result.exception.text('zh' if 'docs/zh/' in where else 'en')}\n"
    assert result.exception is None or isinstance(result.exception, SystemExit), (
        f"{where}: {line}: {result.exception!r}"
    )
    assert result.exit_code == 0, f"{where}: {line}\n{result.output}"
    return result.output


def check_yaml(content: Any, where: str) -> None:
    """A piece of a study file: whole, some of its keys, some keys of ``spatial``, or a list of inputs."""
    if isinstance(content, list):
        for item in content:
            InputFile.model_validate(item)
        return
    model: type[BaseModel] = Study if set(content) <= set(Study.model_fields) else Spatial
    unknown = set(content) - set(model.model_fields)
    assert not unknown, f"{where}: no keys of a study file: {sorted(unknown)}"
    if "title" in content:
        Study.model_validate(content)
        return
    for key, value in content.items():
        field = model.model_fields[key]
        TypeAdapter(Annotated[field.annotation, key, *field.metadata]).validate_python(value)


def test_the_runner_sees_a_page_that_lies(stage: Path) -> None:
    """The check of printed lines can fail: what no command prints is found out."""
    assert "Wrote" not in run("cobalance check study.yaml", "here")
    with pytest.raises(AssertionError, match="no keys of a study file"):
        check_yaml({"titel": "x"}, "here")
    with pytest.raises(ValidationError):
        check_yaml([{"file": "a.csv", "layuot": "wide"}], "here")
    with pytest.raises(ValidationError):
        check_yaml({"outlook": {"window": [2020, 2011], "target": 2030}}, "here")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    generated = {"reference/study-file.md", "reference/command-line.md"}
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", text):
        path = (DOCS / page).parent / target.split("#")[0]
        known = path.exists() or path.resolve().relative_to(DOCS.resolve()).as_posix().removeprefix("zh/") in generated
        assert known, f"docs/{page}: {target}"
