"""report.html as a file: whole, safe, self-contained, the same every time."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from cobalance.report import write_report
from cobalance.report.page import CHAPTERS
from cobalance.study.results import Results
from cobalance.vocabulary.errors import CobalanceError


class Document(HTMLParser):
    """Ids, references, tags and texts by language."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.addresses: set[str] = set()
        self.open: list[tuple[str, str]] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.attributes |= set(values)
        if "id" in values:
            self.ids.append(str(values["id"]))
        for name in ("href", "src", "xlink:href"):
            if values.get(name):
                (self.references if str(values[name]).startswith("#") else self.addresses).add(str(values[name]))
        self.references |= set(re.findall(r"url\((#[^)]+)\)", " ".join(str(value) for value in values.values())))


@pytest.fixture(scope="module")
def folder(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    write_report(results, directory)
    return directory


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def document(text: str) -> Document:
    return Document(text)


def test_every_chapter_and_table_is_there(document: Document, results: Results) -> None:
    assert set(CHAPTERS) <= set(document.ids)
    assert {f"table-{name}" for name in results.tables} <= set(document.ids)
    assert {f"data-{name}" for name, frame in results.tables.items() if len(frame)} <= set(document.ids)


def test_every_figure_that_the_issue_names_is_there(document: Document) -> None:
    balance = "carbon_balance_coefficient"
    wanted = {"carbon_balance_map_2000", "carbon_balance_map_2020", "carbon_emission_by_source"}
    wanted |= {"oxygen_consumption_by_source", "carbon_sequestration_by_class", f"gravity_centre_{balance}"}
    wanted |= {f"moran_scatter_{balance}_2020", f"lisa_map_{balance}_2020", "global_moran", "outlook_activities"}
    wanted |= {"outlook_regions", "ecological_land_gap", "ecological_land_gap_map_carbon"}
    assert {f"figure-{name}" for name in wanted} <= set(document.ids)


def test_ids_are_unique_and_references_lead_somewhere(document: Document) -> None:
    assert len(document.ids) == len(set(document.ids))
    assert {reference[1:] for reference in document.references} <= set(document.ids)


def test_nothing_is_fetched(document: Document, text: str) -> None:
    assert document.addresses == set()
    # names of namespaces and DOIs in texts are no addresses; nothing else may look like one
    assert not re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//", text)
    assert "@import" not in text and "<link" not in text and "<img" not in text and "<iframe" not in text


def test_policy_allows_this_script_and_this_style_and_nothing_else(text: str, document: Document) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = policy[1].replace("&#39;", "'")
    assert rules.startswith("default-src 'none'") and "unsafe" not in rules
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode("utf-8")).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in rules
    assert "style" not in document.attributes and not {name for name in document.attributes if name.startswith("on")}


def test_texts_of_the_user_are_escaped(text: str) -> None:
    assert "A made-up study &lt;of&gt; squares" in text and "<of>" not in text
    assert "Ivy &amp; &lt;Oak&gt;" in text and "<Oak>" not in text
    assert "Elm has no coal in 2000 &lt;b&gt;." in text


def test_both_languages_side_by_side(text: str) -> None:
    assert '<html lang="en">' in text
    assert "虚构方格研究" in text and "碳氧收支核算" in text
    assert len(re.findall(r'lang="zh-CN"', text)) == len(re.findall(r'lang="en"', text)) - 1  # the page's own


def test_statements_on_standing(text: str) -> None:
    assert "<strong>gross</strong> basis" in text and "<strong>总量</strong>口径" in text
    assert "This study stands on recalled [R] or fitted [F] numbers" in text
    assert "156 of 396 input-based cells are not observed" in text
    assert "Input cells missing: 1." in text
    assert "W301" in text


def test_headline(text: str) -> None:
    # E 2020 over the 11 regions with data: 649 (12²+…+2²) · 1.8e5 · 0.7 · 1.5 + 77e5 · (0.05 + 0.09) = 123,739,000 t C
    assert sum((12 - i) ** 2 for i in range(11)) == 649 and sum(12 - i for i in range(11)) == 77
    assert "124 Mt C/yr" in text and "1.24 亿 t C/a" in text
    # S: Σ(1+i) = 66 · (5 + 2) · 1e6 = 462 Mt, B = 123.739 / 462 = 0.2678
    assert "462 Mt C/yr" in text and "0.268" in text
    # since 2000, over the 10 regions with both years: Elm had no coal then, so 64 and 8 leave the sums;
    # fuels 585e5 · 1.05 · (1.8 / 1), people 69e5 · 0.14: 111,531,000 / 62,391,000
    assert "+78.8 % since 2000 in the 10 regions with both years · 11 of 12 regions" in text
    assert "2 of 11" in text  # Ash 3.91 and Birch 1.64 are above 1


def test_provenance(text: str) -> None:
    assert "data/fuels.csv" in text and "ab" * 32 in text and "cd" * 32 in text
    assert "Seed of everything random: 7" in text and "numpy 2.4" in text


def test_same_results_same_bytes(results: Results, folder: Path, tmp_path: Path) -> None:
    write_report(results, tmp_path)
    one = {file.relative_to(folder): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    two = {file.relative_to(tmp_path): file.read_bytes() for file in sorted(tmp_path.rglob("*")) if file.is_file()}
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_report_can_be_made_again_from_the_folder(results: Results, text: str, tmp_path: Path) -> None:
    results.save(tmp_path)
    again = write_report(Results.open(tmp_path), tmp_path, forms=())[0].read_text(encoding="utf-8")
    assert again == text


def test_files(folder: Path) -> None:
    assert {item.name for item in folder.iterdir()} == {"report.html", "tables.xlsx", "regions.gpkg", "figures"}
    for language in ("en", "zh"):
        files = list((folder / "figures" / language).iterdir())
        assert {file.suffix for file in files} == {".svg", ".png"}
        assert len({file.stem for file in files}) * 2 == len(files)


def test_one_language(results: Results, tmp_path: Path) -> None:
    files = write_report(results, tmp_path, ["zh"], forms=())
    text = files[0].read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in text and "data-language=" not in re.sub(
        r"<script>.*?</script>", "", text, flags=re.S
    )
    assert "What the numbers stand on" not in text
    assert not (tmp_path / "figures").exists()


def test_progress_rises_to_one(results: Results, tmp_path: Path) -> None:
    told: list[float] = []
    write_report(results, tmp_path, ["en"], told.append, forms=())
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1


def lean(results: Results) -> Iterator[tuple[str, Results]]:
    """Studies that lack a chapter."""
    space = ("gravity_centre", "global_moran", "local_moran")
    bare = results.regions.assign(geometry=None).set_geometry("geometry")
    tables = {name: frame for name, frame in results.tables.items() if name not in space}
    yield "names no boundary", replace(results, regions=bare, tables=tables)
    future = [
        str(name) for name in results.dataset.data_vars if str(name).startswith(("outlook", "ecological", "needed"))
    ]
    tables = {name: frame for name, frame in results.tables.items() if name not in ("outlook", "ecological_land")}
    study = {**results.provenance["study"], "outlook": None}
    provenance = {**results.provenance, "study": study}
    yield (
        "asks for no outlook",
        replace(results, dataset=results.dataset.drop_vars(future), tables=tables, provenance=provenance),
    )
    nothing = results.dataset.copy(deep=True)
    for name in nothing.data_vars:
        if nothing[name].dtype.kind == "f":
            nothing[name] = nothing[name] * float("nan")
    empty = {name: frame.head(0) for name, frame in results.tables.items()}
    yield "No region has both sides", replace(results, dataset=nothing, tables=empty)


@pytest.mark.parametrize("case", range(3))
def test_study_that_lacks_a_chapter_says_so(results: Results, tmp_path: Path, case: int) -> None:
    sentence, poor = list(lean(results))[case]
    text = write_report(poor, tmp_path, ["en"], forms=())[0].read_text(encoding="utf-8")
    assert sentence in text
    assert set(CHAPTERS) <= set(Document(text).ids)


def test_many_notices_of_a_kind_do_not_bury_the_others(results: Results, tmp_path: Path) -> None:
    row = results.table("notices").iloc[0]
    rows = pd.DataFrame(
        [{**row, "found_en": f"finding {i}"} for i in range(30)] + [{**row, "code": "W999", "found_en": "the last"}]
    )
    poor = replace(results, tables={**results.tables, "notices": rows})
    text = write_report(poor, tmp_path, ["en"], forms=())[0].read_text(encoding="utf-8")
    assert "finding 1" in text and "finding 5" not in text and "the last" in text
    assert "28 more" in text


def test_results_without_accounts_are_refused(results: Results, tmp_path: Path) -> None:
    poor = replace(results, tables={"notices": results.table("notices")})
    with pytest.raises(
        CobalanceError, match=r"E951.*the results lack balance, emission, sequestration.*Run the study again"
    ):
        write_report(poor, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unknown_language_is_refused(results: Results, tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match="E952.*no language 'fr'.*en or zh"):
        write_report(results, tmp_path / "out", ["fr"])  # type: ignore[list-item]
    assert not (tmp_path / "out").exists()
