"""A run as an archive: what is in it, that it runs again to the same bytes, and what is refused."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from cobalance.study import crate
from cobalance.study.crate import METADATA, PROFILE, REQUIREMENTS, rerun_crate, write_crate
from cobalance.study.pipeline import run_study
from cobalance.vocabulary.errors import CobalanceError

DAY = datetime.date(2026, 5, 1)


def run(study: Path, output: Path) -> None:
    run_study(study).save(output)


@pytest.fixture
def copied(study: Path, tmp_path: Path) -> Path:
    """The study in a folder of its own, which a test may change."""
    folder = tmp_path / "somewhere" / "study"
    shutil.copytree(study.parent, folder)
    (folder / "NOTICE").write_text("The data are invented.\n", encoding="utf-8")
    return folder / study.name


@pytest.fixture(scope="module")
def ran(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("ran")
    run(study, output)
    return output


def test_an_archive_runs_again_to_the_same_bytes(study: Path, ran: Path, tmp_path: Path) -> None:
    file = write_crate(ran, study, tmp_path / "run.zip", published=DAY)
    again = rerun_crate(file, tmp_path / "again", run)
    assert again.reproduced
    assert set(again.same) == {path.relative_to(ran).as_posix() for path in ran.rglob("*") if path.is_file()}
    assert again.notices == ()
    assert again.text("en") == f"Files that are the same, byte for byte: {len(again.same)}."


def test_the_same_run_gives_the_same_archive(copied: Path, ran: Path, tmp_path: Path) -> None:
    one = write_crate(ran, copied, tmp_path / "one.zip", published=DAY).read_bytes()
    moved = tmp_path / "elsewhere"
    shutil.copytree(copied.parent, moved)
    other = write_crate(ran, moved / copied.name, tmp_path / "two.zip", published=DAY).read_bytes()
    assert one == other
    later = write_crate(ran, copied, tmp_path / "three.zip", published=DAY + datetime.timedelta(1)).read_bytes()
    assert one != later


def test_what_the_archive_says_of_itself(copied: Path, ran: Path, tmp_path: Path) -> None:
    file = write_crate(
        ran, copied, tmp_path / "run.zip", published=DAY, license_url="https://spdx.org/licenses/CC0-1.0"
    )
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        graph = {entity["@id"]: entity for entity in json.loads(archive.read(METADATA))["@graph"]}
        for name in names - {METADATA}:
            assert graph[name]["sha256"] == hashlib.sha256(archive.read(name)).hexdigest()
            assert graph[name]["contentSize"] == str(archive.getinfo(name).file_size)
        lines = archive.read(REQUIREMENTS).decode().splitlines()
    root, action = graph["./"], graph["#run"]
    assert {part["@id"] for part in root["hasPart"]} == names - {METADATA}
    assert root["conformsTo"] == {"@id": PROFILE}
    assert (root["name"], root["alternateName"], root["datePublished"]) == ("Four provinces", "四省", "2026-05-01")
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}
    assert graph[METADATA]["about"] == {"@id": "./"}
    assert action["@type"] == "CreateAction"
    assert graph[action["instrument"]["@id"]]["softwareVersion"]
    inputs = {part["@id"] for part in action["object"]}
    needed = {
        "study.yaml",
        "data.csv",
        "land.xlsx",
        "late.csv",
        "lime.csv",
        "rates.csv",
        "regions.csv",
        "regions.geojson",
        "NOTICE",
    }
    assert inputs == {f"study/{name}" for name in needed}
    assert action["object"][0] == {"@id": "study/study.yaml"}
    assert "results/results.nc" in {part["@id"] for part in action["result"]}
    assert {line.split("==")[0] for line in lines} >= {"cobalance", "numpy", "xarray"}


def test_inputs_beside_and_above_the_study_keep_their_places(copied: Path, tmp_path: Path) -> None:
    (copied.parent / "data.csv").rename(copied.parents[1] / "data.csv")
    copied.write_text(copied.read_text("utf-8").replace("- data.csv", "- ../data.csv"), encoding="utf-8")
    run(copied, tmp_path / "results")
    file = write_crate(tmp_path / "results", copied, tmp_path / "run.zip", published=DAY)
    with zipfile.ZipFile(file) as archive:
        assert {"study/data.csv", "study/study/study.yaml"} <= set(archive.namelist())
    assert rerun_crate(file, tmp_path / "again", run).reproduced


def test_what_comes_out_otherwise_is_named(
    study: Path, ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_badly(study_file: Path, output: Path) -> None:
        run(study_file, output)
        (output / "tables" / "balance.csv").write_text("other\n", encoding="utf-8")
        (output / "tables" / "groups.csv").unlink()

    file = write_crate(ran, study, tmp_path / "run.zip", published=DAY)
    lines = crate.requirements()
    monkeypatch.setattr(
        crate, "requirements", lambda: [line if not line.startswith("numpy==") else "numpy==0.1" for line in lines]
    )
    again = rerun_crate(file, tmp_path / "again", run_badly)
    assert not again.reproduced
    assert (again.different, again.missing) == (("tables/balance.csv",), ("tables/groups.csv",))
    assert [notice.code for notice in again.notices] == ["W921"]
    assert "here it is 0.1" in again.notices[0].text("en")
    assert "内容不同的文件：1 个：tables/balance.csv\n未生成的文件：1 个：tables/groups.csv\nW921" in again.text("zh")


@pytest.mark.parametrize("name", ["data.csv", "study.yaml"])
def test_an_input_that_has_changed_is_refused(copied: Path, ran: Path, tmp_path: Path, name: str) -> None:
    with (copied.parent / name).open("a", encoding="utf-8") as stream:
        stream.write("# changed\n" if name.endswith("yaml") else "A,2020,cement,t,1,,,\n")
    with pytest.raises(CobalanceError, match=f"E926 .*'{name}' is not what it was"):
        write_crate(ran, copied, tmp_path / "run.zip", published=DAY)
    assert not (tmp_path / "run.zip").exists()


def test_paths_that_no_other_machine_would_find_are_refused_at_once(copied: Path, ran: Path, tmp_path: Path) -> None:
    folder = copied.parent
    text = (
        copied.read_text("utf-8")
        .replace("late.csv", str(folder / "late.csv"))
        .replace("- data.csv", f"- {folder}/data.csv")
    )
    copied.write_text(text, encoding="utf-8")
    with pytest.raises(CobalanceError, match="E927") as caught:
        write_crate(ran, copied, tmp_path / "run.zip", published=DAY)
    assert len(caught.value.problems) == 2


def test_what_is_no_run_and_what_is_no_archive(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match="E901"):
        write_crate(tmp_path, copied, tmp_path / "run.zip", published=DAY)
    (tmp_path / "plain.zip").write_bytes(b"no zip")
    with pytest.raises(CobalanceError, match="E928"):
        rerun_crate(tmp_path / "plain.zip", tmp_path / "again", run)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(CobalanceError, match="E928"):
        rerun_crate(tmp_path / "other.zip", tmp_path / "again", run)


def test_an_archive_cannot_write_outside_its_folder(study: Path, ran: Path, tmp_path: Path) -> None:
    file = write_crate(ran, study, tmp_path / "run.zip", published=DAY)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("study/../../escaped.txt", "out")
    rerun_crate(file, tmp_path / "again", run)
    assert not list(tmp_path.rglob("escaped.txt"))
    assert not (tmp_path.parent / "escaped.txt").exists()
