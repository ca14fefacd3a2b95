"""``cobalance init``: a study file from people's own tables, which then checks as far as the table goes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from ruamel.yaml import YAML

from cobalance.study.init import write_study_file
from cobalance.study.pipeline import check_study
from cobalance.study.spec import Study, read_study
from cobalance.vocabulary.errors import CobalanceError

TIDY = "region,year,variable,unit,value\n" + "".join(
    f"{region},{year},{variable},{unit},{value}\n"
    for region in ("北京", "天津")
    for year in range(2011, 2021)
    for variable, unit, value in (
        ("林地", "万公顷", 70),
        ("耕地", "万公顷", 20),
        ("煤炭", "万吨", 2000),
        ("人口", "万人", 1500),
    )
)


def _written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_tidy_table_gives_a_study_that_checks_and_explains_itself(tmp_path: Path) -> None:
    table = _written(tmp_path, "data.csv", TIDY)
    notes = write_study_file(table, tmp_path / "study.yaml")
    assert "2 regions, 10 years, 4 variables" in notes[0]["en"]
    assert "2 个区域" in notes[0]["zh"]
    study, _ = read_study(tmp_path / "study.yaml")
    assert study.years == list(range(2011, 2021))
    assert study.regions.table == "china-provinces"
    assert study.regions.select == ["110000", "120000"]
    assert check_study(tmp_path / "study.yaml").errors == ()
    text = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    for name in ("years", "regions", "inputs", "coefficients", "outlook"):
        assert f"# {Study.model_fields[name].description}" in text
    assert (tmp_path / "study.schema.json").is_file()
    assert "$schema=study.schema.json" in text


def test_a_yearbook_sheet_is_recognised_as_wide(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["能源消费量（煤炭）"],
        ["单位：万吨"],
        ["地区", "2018年", "2019年"],
        ["北京", 276, 182],
        ["合计", 1, 1],
    ):
        sheet.append(row)
    book.save(tmp_path / "煤炭.xlsx")
    write_study_file(tmp_path / "煤炭.xlsx", tmp_path / "study.yaml")
    item = YAML(typ="safe").load((tmp_path / "study.yaml").read_text(encoding="utf-8"))["inputs"][0]
    assert item["layout"] == "wide"
    assert (item["down"], item["across"]) == (["region"], "year")
    assert "unit" not in item  # the sheet states it


def test_regions_of_ones_own_get_a_table(tmp_path: Path) -> None:
    table = _written(tmp_path, "data.csv", TIDY.replace("北京", "North").replace("天津", "South"))
    write_study_file(table, tmp_path / "study.yaml")
    assert (tmp_path / "regions.csv").read_text(encoding="utf-8").splitlines()[1] == "North,North,North"
    assert check_study(tmp_path / "study.yaml").errors == ()


def test_a_table_elsewhere_is_named_from_the_study_files_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = _written(tmp_path / "data", "data.csv", TIDY)
    write_study_file(table, tmp_path / "studies" / "study.yaml")
    study, _ = read_study(tmp_path / "studies" / "study.yaml")
    assert study.inputs[0].file == Path("../data/data.csv")


def test_what_is_there_stays_unless_forced(tmp_path: Path) -> None:
    table = _written(tmp_path, "data.csv", TIDY)
    write_study_file(table, tmp_path / "study.yaml")
    with pytest.raises(CobalanceError, match="E115 .*study.yaml exists already.*--force"):
        write_study_file(table, tmp_path / "study.yaml")
    write_study_file(table, tmp_path / "study.yaml", force=True)


def test_an_unrecognised_table_is_refused_with_its_headings(tmp_path: Path) -> None:
    table = _written(tmp_path, "data.csv", "alpha,beta\n1,2\n3,4\n")
    with pytest.raises(CobalanceError, match="E114 data.csv.*alpha, beta"):
        write_study_file(table, tmp_path / "study.yaml")
    assert not (tmp_path / "study.yaml").exists()
