"""Results come back from their folder as they went: every table of a study with codes, gaps and empty columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cobalance.study.pipeline import run_study
from cobalance.study.results import Results, replaced
from cobalance.vocabulary.errors import CobalanceError


@pytest.fixture
def results(toy: Path) -> Results:
    text = toy.read_text(encoding="utf-8").replace("title:", "uncertainty: {draws: 20, sensitivity: 0}\ntitle:")
    toy.write_text(text, encoding="utf-8")
    return run_study(toy)


def test_every_table_comes_back_cell_by_cell(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "out")
    opened = Results.open(tmp_path / "out")
    assert sorted(opened.tables) == sorted(results.tables)
    for name, table in results.tables.items():
        written = table.reset_index(drop=True).astype(object)
        read = opened.tables[name].astype(object)
        assert list(read.columns) == list(written.columns), name
        for column in written.columns:
            for one, other in zip(written[column], read[column], strict=True):
                # an empty cell of a column without any text may come back as missing, and the reverse
                same = _is_empty(other) if _is_empty(one) else one == other
                assert same, (name, column, one, other)


def _is_empty(cell: object) -> bool:
    return bool(pd.isna(cell)) or cell == ""


def test_an_unknown_table_is_refused_with_the_nearest(results: Results) -> None:
    with pytest.raises(CobalanceError, match="E902.*'balanc'.*nearest: balance"):
        results.table("balanc")


def test_results_of_another_version_say_so(results: Results) -> None:
    older = replace(results, provenance={"cobalance": "0.0.9", "study": {"titel": "x"}})
    with pytest.raises(CobalanceError, match="E905.*cobalance 0.0.9"):
        _ = older.study


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match="E901.*holds no results"):
        Results.open(tmp_path)


def test_a_folder_that_is_not_a_runs_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "draft.docx").write_text("years of work")
    with pytest.raises(CobalanceError, match="E904.*draft.docx"), replaced(tmp_path / "thesis"):
        pass
    assert (tmp_path / "thesis" / "draft.docx").read_text() == "years of work"


def test_what_fails_half_way_leaves_the_earlier_run_and_nothing_else(results: Results, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with replaced(output) as folder:
        results.save(folder)
    before = sorted(path.name for path in output.rglob("*"))
    with pytest.raises(RuntimeError), replaced(output) as folder:
        (folder / "half").write_text("written")
        raise RuntimeError
    assert sorted(path.name for path in output.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
