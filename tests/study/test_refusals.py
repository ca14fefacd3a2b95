"""Bad studies: each is refused with its place, its finding, what was expected and what to do; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cobalance import cli
from cobalance.study.pipeline import check_study, run_study
from cobalance.vocabulary.errors import CobalanceError

Change = Callable[[Path], None]


def study(old: str, new: str) -> Change:
    """The study file with ``old`` replaced."""

    def change(folder: Path) -> None:
        text = (folder / "study.yaml").read_text(encoding="utf-8")
        assert old in text, old
        (folder / "study.yaml").write_text(text.replace(old, new), encoding="utf-8")

    return change


def file(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, old
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


REFUSED: list[tuple[str, Change, str]] = [
    ("unknown key", study("groups:", "gruops:"), r"E103 study.yaml, line 6:1, gruops: .*nearest: groups"),
    ("unknown nested key", study("crs: ", "csr: "), r"E103 study.yaml, line 17:\d+, spatial.csr.*nearest: crs"),
    ("missing key", study("title: {en: Three provinces, zh: 三省}\n", ""), r"E105 .*title.*'title' is missing"),
    ("missing nested key", study(", source: drawn for this test", ""), r"E105 .*regions.boundary.*'source' is missing"),
    ("wrong type", study("target: 2030", "target: soon"), r"E104 study.yaml, line 18:\d+, outlook.target.*'soon'.*integer"),
    ("years backwards", study("2016-2020", "[2020, 2016]"), r"E104 .*years.*increasing order"),
    ("years unreadable", study("2016-2020", "from 2016 on"), r"E104 .*years such as 1990-2019"),
    ("window after target", study("target: 2030", "target: 2018"), r"E104 .*outlook.*in order"),
    ("share out of bounds", study("phi: 1/3", "phi: 1.5"), r"E104 .*ecological_land.phi.*less than or equal to 1"),
    ("share not a number", study("phi: 1/3", "phi: a third"), r"E104 .*phi.*a fraction such as 1/3"),
    ("title in one language", study("zh: 三省", ""), r"E105 .*title.*'zh' is missing"),
    ("not YAML", study("years: 2016-2020", "years: [2016"), r"E102 study.yaml, line \d+:\d+: The file is not YAML"),
    ("key twice", study("years: 2016-2020", "years: 2016-2020\nyears: 2016"), r"E107 study.yaml, line 3"),
    ("a list", lambda folder: (folder / "study.yaml").write_text("- a\n"), r"E108 study.yaml: .*CommentedSeq"),
    ("no input file", study("[data.csv]", "[dat.csv]"), r"E106 study.yaml, line 8:\d+, inputs\[1\].*dat.csv.*nearest: data.csv"),
    ("no boundary file", without("regions.geojson"), r"E106 .*regions.boundary.file.*regions.geojson"),
    ("no region table", without("regions.csv"), r"E106 .*regions.table.*regions.csv"),
    ("unknown coefficient set", study("emission: rates.csv", "emission: ipcc206"), r"E501 study.yaml, line 11:\d+, coefficients.emission.*ipcc2006"),
    ("no rate for a class", file("data.csv", ",cropland,", ",shrub,"), r"E523 .*shrub"),
    ("no factor for a fuel", file("data.csv", ",coal,", ",coke,"), r"E523 .*coke"),
    ("member of no region", study("[A, B]", "[A, Z]"), r"E414 .*groups.west.*Z"),
    ("base year outside", study("{phi: 1/3,", "{phi: 1/3, base_year: 1999,"), r"E113 .*base_year.*1999"),
    ("reference class unknown", study("reference: forest", "reference: forrest"), r"E109 .*forrest.*nearest: forest"),
    ("variable unknown", study("permutations: 99", "variables: [carbon_balance]"), r"E109 .*carbon_balance.*nearest: carbon_balance_coefficient"),
    ("window beyond data", study("[2016, 2020]", "[2010, 2020]"), r"E112 .*outlook.window.*2016–2020"),
    ("column missing", file("data.csv", "region,year,variable,unit,value", "region,year,variable,unit,amount"), r"E306 data.csv"),
    ("region unknown", file("data.csv", "\nA,2016,", "\nAlpa,2016,"), r"E402 data.csv, row \d+.*Alpa.*Alpha"),
    ("unit unknown", file("data.csv", ",coal,t,", ",coal,knots,"), r"E31[12] data.csv, row \d+.*knots"),
    ("unit of another dimension", file("data.csv", ",forest,ha,", ",forest,t,"), r"E312 data.csv, row 2.*'t'"),
    ("not a number", file("data.csv", ",coal,t,1000", ",coal,t,about a thousand"), r"E308 data.csv, row \d+.*about a thousand"),
    ("the same cell twice", file("data.csv", "\nA,2016,coal,t,1000", "\nA,2016,coal,t,1000\nA,2016,coal,t,1001"), r"E315 data.csv, row \d+.*1000.*1001"),
    ("negative area", file("data.csv", ",forest,ha,1000", ",forest,ha,-1000"), r"E316 data.csv, row 2.*-1000"),
    ("polygon lacking", file("regions.csv", "C,Gamma,丙省", "C,Gamma,丙省\nD,Delta,丁省"), r"E411 regions.geojson.*Delta"),
    ("polygon of no region", file("regions.csv", "C,Gamma,丙省\n", ""), r"E4(02|12) regions.geojson"),
    ("boundary key unknown", study("key: region", "key: regoin"), r"E407 regions.geojson.*regoin.*nearest: region"),
    ("no land", lambda folder: _only(folder, "coal|cement|population"), r"E111 .*land_area"),
    ("nothing emits", lambda folder: _only(folder, "forest|cropland"), r"E111 .*fuel_use"),
    ("gross mixed with net", file("rates.csv", "2,1,3,t C / ha / yr,gross", "2,1,3,t C / ha / yr,net"), r"E525 .*gross"),
    ("own rates damaged", file("rates.csv", "forest,*,,5,4,6", "forest,*,,5,6,4"), r"E505 .*rates.csv, row 2"),
    ("activity and inventory at once", file("data.csv", "\nA,2016,coal", "\nA,2016,carbon_emission coal,t C,5\nA,2016,coal"), r"E116 .*coal"),
]  # fmt: skip


def _only(folder: Path, variables: str) -> None:
    lines = (folder / "data.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith("region") or re.search(f",({variables}),", line)]
    (folder / "data.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")


@pytest.mark.parametrize(("change", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_bad_study_is_refused_and_nothing_is_written(
    toy: Path, change: Change, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(toy.parent)
    output = toy.parent / "out"
    monkeypatch.setattr("sys.argv", ["cobalance", "run", str(toy), "--output", str(output)])
    monkeypatch.setenv("COBALANCE_LANGUAGE", "en")
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    printed = capsys.readouterr().err
    assert re.search(message, printed), printed
    assert "Remedy: " in printed
    assert not output.exists()
    assert not list(toy.parent.glob(".out*")), "no half-written folder is left"


def test_there_are_forty_of_them_and_each_speaks_chinese_too(toy: Path) -> None:
    assert len(REFUSED) >= 40
    study("groups:", "gruops:")(toy.parent)
    (problem,) = check_study(toy).errors
    assert (
        problem.text("zh")
        == "E103 study.yaml, 第 6 行:1, gruops：未知的键“gruops”。 应为：研究文件中的键；最接近：groups。 处理：请更正或删除该键。"
    )


def test_problems_of_every_file_are_told_at_once(toy: Path) -> None:
    for change in (study("[A, B]", "[A, Z]"), study("reference: forest", "reference: forrest")):
        change(toy.parent)
    file("data.csv", ",coal,t,1000", ",coal,t,about")(toy.parent)
    file("regions.geojson", '"region": "C"', '"region": "D"')(toy.parent)
    codes = {problem.code for problem in check_study(toy).errors}
    assert {"E308", "E411", "E414"} <= codes


def test_an_earlier_run_stays_where_a_later_one_fails(toy: Path) -> None:
    run_study(toy).save(toy.parent / "out")
    before = {path: path.read_bytes() for path in (toy.parent / "out").rglob("*") if path.is_file()}
    study("[data.csv]", "[dat.csv]")(toy.parent)
    with pytest.raises(CobalanceError, match="E106"):
        run_study(toy)
    assert {path: path.read_bytes() for path in (toy.parent / "out").rglob("*") if path.is_file()} == before
