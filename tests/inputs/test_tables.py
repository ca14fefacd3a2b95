"""Tables as yearbooks have them, written by the tests themselves."""

from __future__ import annotations

import pandas as pd
import pytest
from openpyxl import Workbook

from cobalance.inputs.names import VariableNames
from cobalance.inputs.regions import RegionNames
from cobalance.inputs.tables import TableSource, read_observations
from cobalance.vocabulary.errors import CobalanceError

CHINA = RegionNames.builtin("china_provinces")


def read(folder, name, content, encoding="utf-8", regions=CHINA, **options):
    (folder / name).write_bytes(content.encode(encoding))
    return read_observations(TableSource(name, **options), regions, VariableNames(), folder)


def figures(observations):
    frame = observations.frame
    keys = zip(frame["region"], frame["year"], frame["variable"], frame["item"], strict=True)
    return dict(zip(keys, frame["value"], strict=True))


def codes(observations):
    return [notice.code for notice in observations.notices]


@pytest.fixture
def yearbook(tmp_path):
    """A workbook page as printed: title, unit, merged headings, a units row, 合计, 续表, footnote."""
    book = Workbook()
    sheet = book.active
    sheet.title = "能源"
    for row in [
        ["表 7-3 分地区能源消费量", None, None, None],
        ["地  区", "煤炭", "汽油", "天然气"],
        [None, "（万吨）", "（万吨）", "（亿立方米）"],
        ["合  计", "3,000.5", 300, 40],
        ["北 京 Beijing", "2,634.6", "371.5①", 74.8],
        ["天  津 Tianjin", "4806.8", "—", "22.9"],
        ["续表", None, None, None],
        ["地  区", "煤炭", "汽油", "天然气"],
        [None, "（万吨）", "（万吨）", "（亿立方米）"],
        ["河  北 Hebei", 27464.7, 240, "29.7"],
        ["注：①含调出量。", None, None, None],
    ]:
        sheet.append(row)
    for area in ("A1:D1", "A2:A3", "A8:A9", "A11:D11"):
        sheet.merge_cells(area)
    book.create_sheet("说明")["A1"] = "编者说明"
    book.save(tmp_path / "energy.xlsx")
    return tmp_path


def test_a_yearbook_page_is_read_with_every_cell_in_its_place(yearbook):
    source = TableSource("energy.xlsx", sheet="能源", layout="wide", across="variable", year=2010)
    found = read_observations(source, CHINA, base_dir=yearbook)
    values = figures(found)
    assert len(values) == 9
    assert values["110000", 2010, "fuel_use", "coal"] == 2634.6e4  # 万吨 → t
    assert values["110000", 2010, "fuel_use", "gasoline"] == 371.5e4
    assert pd.isna(values["120000", 2010, "fuel_use", "gasoline"])
    assert values["130000", 2010, "fuel_use", "natural_gas"] == pytest.approx(29.7e8)  # 亿立方米 → m3
    cell = found.frame.query("region == '130000' and item == 'coal'").iloc[0]
    assert (cell["file"], cell["sheet"], cell["row"], cell["column"]) == ("energy.xlsx", "能源", 10, "B")
    assert (cell["unit"], cell["original_unit"], cell["flag"]) == ("t / yr", "万吨", "observed")
    assert found.frame.query("region == '120000' and item == 'gasoline'")["flag"].item() == "missing"
    told = {notice.code: notice.text() for notice in found.notices}
    assert "合  计" in told["W301"] and "row 4" in told["W301"]
    assert "注：①含调出量。" in told["W302"]


def test_continuation_columns_go_on_with_the_years_of_their_own_heading(tmp_path):
    content = (
        "单位：万人,,\n地区,2009年,2010年\n北京市,1860,1962\n上海市,2210,2303\n续表,,\n地区,2011年,2012年\n"
        "北京市,2019,2069\n上海市,2347,2380\n"
    )
    found = read(tmp_path, "population.csv", content, layout="wide", variable="population")
    assert figures(found)["310000", 2012, "population", ""] == 2380e4
    assert len(found.frame) == 8


def test_gb18030_and_marked_utf8_read_alike(tmp_path):
    content = "地区,年份,指标,数值,单位\n北京,2010,耕地,23.17,万公顷\n上海,2010,林地,5.9,万公顷\n"
    expected = figures(read(tmp_path, "a.csv", content))
    assert expected["110000", 2010, "land_area", "cropland"] == pytest.approx(231700.0)
    for encoding in ("gb18030", "utf-8-sig", "utf-16"):
        assert figures(read(tmp_path, "b.csv", content, encoding)) == expected


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("region,2010,2011\n11,1,2\n31,3,4\n", {"variable": "coal"}),
        (",2010,2011\n北京,1,2\n上海,3,4\n", {"variable": "coal"}),
        ("年份,北京,上海\n2010,1,3\n2011,2,4\n", {"variable": "煤炭", "down": ("year",), "across": "region"}),
        (
            "region,year,coal\n11,2010,1\n11,2011,2\n31,2010,3\n31,2011,4\n",
            {"down": ("region", "year"), "across": "variable"},
        ),
        ("region,variable,2010,2011\n11,coal,1,2\n31,煤炭,3,4\n", {"down": ("region", "variable")}),
    ],
)
def test_layouts_say_the_same(tmp_path, content, options):
    found = read(tmp_path, "x.csv", content, layout="wide", unit="t", **options)
    key = ("fuel_use", "coal")
    assert figures(found) == {
        ("110000", 2010, *key): 1, ("110000", 2011, *key): 2, ("310000", 2010, *key): 3, ("310000", 2011, *key): 4,
    }  # fmt: skip


def test_one_region_with_years_down_and_variables_across(tmp_path):
    content = "年份,煤炭(万吨),年末总人口(万人)\n2010,1,2\n2011,3,4\n"
    found = read(tmp_path, "x.csv", content, layout="wide", down=("year",), across="variable", region="北京")
    assert figures(found)["110000", 2011, "population", ""] == 4e4
    assert figures(found)["110000", 2010, "fuel_use", "coal"] == 1e4


def test_cells_with_their_own_unit_outrank_the_tables(tmp_path):
    content = "region,year,variable,value\n11,2010,cement,12万吨\n31,2010,cement,7\n"
    values = figures(read(tmp_path, "x.csv", content, unit="t"))
    assert values["110000", 2010, "cement_output", ""] == 12e4
    assert values["310000", 2010, "cement_output", ""] == 7


def test_an_inventory_of_carbon_dioxide_becomes_carbon(tmp_path):
    content = "region,year,item,value\n11,2010,raw_coal,44\n11,2010,Own kilns,22\n"
    values = figures(read(tmp_path, "x.csv", content, unit="Mt CO2", variable="carbon_emission"))
    assert values["110000", 2010, "carbon_emission", "coal"] == pytest.approx(12e6)  # 44 Mt CO2 · 12/44
    assert values["110000", 2010, "carbon_emission", "own_kilns"] == pytest.approx(6e6)


def test_heat_stays_heat(tmp_path):
    found = read(tmp_path, "x.csv", "region,year,variable,value\n11,2010,coal,1\n", unit="billion Btu")
    assert found.frame["unit"].item() == "GJ / yr"
    assert found.frame["value"].item() == pytest.approx(1055.05585262)  # 1e9 · 1055.05585262 J


def test_names_of_the_study_file_outrank_the_built_in_ones(tmp_path):
    content = "region,year,forest,草场,其他\n11,2010,1,2,3\n"
    options = {"layout": "wide", "down": ("region", "year"), "across": "variable", "unit": "ha"}
    names = {"forest": "land_area shrub", "草场": "grassland"}
    found = read(tmp_path, "x.csv", content, names=names, **options)
    assert set(found.frame["item"]) == {"shrub", "grassland"}
    assert codes(found) == ["W303"]
    assert "其他" in found.notices[0].text("zh")


def test_source_flag_and_note_are_kept(tmp_path):
    content = (
        "region,year,variable,value,source,flag,note\n11,2010,cement,1,CSY 2011,estimated,n\n31,2010,cement,2,,±5 %,\n"
    )
    found = read(tmp_path, "x.csv", content, unit="t")
    assert found.frame.loc[0, ["source", "flag", "note"]].tolist() == ["CSY 2011", "estimated", "n"]
    assert found.frame.loc[1, ["flag", "note"]].tolist() == ["observed", "±5 %"]
    assert codes(found) == ["W309"]


def test_regions_outside_the_study_are_told_and_left_out(tmp_path):
    two = RegionNames.builtin("china_provinces", ["310000", "110000"])
    content = "region,year,variable,value\n北京,2010,cement,1\n广东省,2010,cement,2\n"
    found = read(tmp_path, "x.csv", content, regions=two, unit="t")
    assert list(found.frame["region"]) == ["110000"]
    assert "广东省" in found.notices[0].text() and codes(found) == ["W405"]


def test_total_columns_and_dropped_rows_are_told(tmp_path):
    content = "年份,全国,北京,自定义\n2010,9,1,5\n"
    options = {"layout": "wide", "down": ("year",), "across": "region", "variable": "cement", "unit": "t"}
    found = read(tmp_path, "x.csv", content, drop=("自定义",), **options)
    assert figures(found) == {("110000", 2010, "cement_output", ""): 1}
    assert "全国, 自定义" in found.notices[0].text()


def test_columns_beside_the_years_are_told(tmp_path):
    content = "地区,2010,2011,平均增长\n北京,1,2,100\n"
    found = read(tmp_path, "x.csv", content, layout="wide", variable="cement", unit="t")
    assert len(found.frame) == 2
    assert [notice.code for notice in found.notices] == ["W303"] and "平均增长" in found.notices[0].text()


def test_a_unit_that_the_sheet_says_otherwise_is_told(tmp_path):
    content = "单位：万吨,\n地区,2010\n北京,3\n"
    found = read(tmp_path, "x.csv", content, layout="wide", variable="cement", unit="t")
    assert figures(found) == {("110000", 2010, "cement_output", ""): 3}
    assert codes(found) == ["W310"]


def test_parquet_and_integer_codes(tmp_path):
    frame = pd.DataFrame({"region": [110000, 310000], "year": [2010, 2010], "variable": "cement", "value": [1.5, None]})
    frame.to_parquet(tmp_path / "x.parquet")
    found = read_observations(TableSource("x.parquet", unit="t"), CHINA, base_dir=tmp_path)
    assert found.frame["value"].iloc[0] == 1.5
    assert list(found.frame["flag"]) == ["observed", "missing"]


def test_the_ambiguous_pinyin_is_read_where_the_table_settles_it(tmp_path):
    content = "region,year,variable,value\nShanxi,2010,cement,1\nShaanxi,2010,cement,2\n"
    found = read(tmp_path, "x.csv", content, unit="t")
    assert figures(found)["140000", 2010, "cement_output", ""] == 1
    assert codes(found) == ["W406"]


TIDY = "region,year,variable,value\n"
WIDE = {"layout": "wide", "variable": "cement", "unit": "t"}
BAD = [
    ("E303", "region,year,煤炭\n11,2010,1\n", {"encoding_of_file": "gb18030"}, "encoding"),
    ("E303", "地區,年份,臺灣省\n", {"encoding_of_file": "big5"}, "big5"),
    ("E302", "", {"name": "x.xls"}, ".xls"),
    ("E301", None, {"name": "absent.csv"}, "absent.csv"),
    ("E306", "region,jahr,variable,value\n11,2010,cement,1\n", {}, "no heading with year"),
    ("E306", "地区,甲,乙\n北京,1,2\n", WIDE, "year …"),
    ("E307", "region,year,variable,value,value\n11,2010,cement,1,2\n", {}, "columns: D, E"),
    ("E307", "地区,2010,2010\n北京,1,2\n", WIDE, "the heading '2010' stands in several columns: B, C"),
    ("E308", TIDY + "11,2010,cement,1,23\n11,2011,cement,abc\n", {"unit": "t"}, "row 3, column D: 'abc'"),
    ("E309", TIDY + "11,2010/11,cement,1\n", {"unit": "t"}, "'2010/11' is not a year"),
    ("E310", TIDY + "11,2010,cemnt,1\n", {"unit": "t"}, "nearest: cement"),
    ("E310", TIDY + "11,2010,land_area,1\n", {"unit": "ha"}, "land_area"),
    ("E311", TIDY + "11,2010,cement,1\n", {}, "cement_output has no unit (1 figures)"),
    ("E312", TIDY + "11,2010,cement,1\n", {"unit": "km2"}, "convertible to t / yr"),
    ("E312", TIDY + "11,2010,cement,12r\n", {"unit": "t"}, "'r'"),
    ("E314", TIDY + ",2010,cement,1\n", {"unit": "t"}, "rows 2 have figures but no region"),
    ("E317", TIDY, {"unit": "t"}, "no rows of figures"),
    ("E317", TIDY + "全国,2010,cement,1\n", {"unit": "t"}, "no rows of figures"),
    ("E318", "地区,2010\n北京,1\n", {"layout": "wide", "unit": "t"}, "says nothing of variable"),
    ("E318", "地区,2010\n北京,1\n", {**WIDE, "year": 2010}, "year twice"),
    ("E322", TIDY + "11,2010,population,1.2亿\n", {"unit": "万人"}, "multiplier of its own"),
    ("E325", 'region,year\n"11,2010\n', {}, "cannot be read"),
    ("E326", TIDY + "11,2010,x,1\n", {"names": {"x": "forst"}}, "nearest: forest"),
    ("E402", TIDY + "Bejing,2010,cement,1\n", {"unit": "t"}, "nearest: Beijing"),
    ("E402", TIDY + "京津冀,2010,cement,1\n", {"unit": "t"}, "row 2: the region '京津冀'"),
    ("E403", TIDY + "Shanxi,2010,cement,1\n", {"unit": "t"}, "140000 山西省 Shanxi | 610000 陕西省 Shaanxi"),
]


@pytest.mark.parametrize(
    ("code", "content", "options", "words"),
    BAD,
    ids=lambda each: each if isinstance(each, str) and len(each) == 4 else "",
)
def test_bad_tables_are_refused_with_place_and_remedy(tmp_path, code, content, options, words):
    options = dict(options)
    name = options.pop("name", "x.csv")
    encoding = options.pop("encoding_of_file", "utf-8")
    if content is not None:
        (tmp_path / name).write_bytes(content.encode(encoding))
    with pytest.raises(CobalanceError) as caught:
        read_observations(TableSource(name, **options), CHINA, VariableNames(), tmp_path)
    problem = next(each for each in caught.value.problems if each.code == code)
    assert words in problem.text("en")
    if code != "E326":
        assert problem.place.file == name
    for part in ("found", "expected", "remedy"):
        assert problem.part(part, "en").strip() and problem.part(part, "zh").strip()


def test_all_problems_of_a_table_come_at_once(tmp_path):
    content = TIDY + "Bejing,2010,cement,1\n11,20x0,cement,1\n11,2010,cemnt,1\n11,2010,cement,abc\n"
    with pytest.raises(CobalanceError) as caught:
        read(tmp_path, "x.csv", content, unit="t")
    assert sorted(problem.code for problem in caught.value.problems) == ["E308", "E309", "E310", "E402"]


def workbook(folder, rows, merges=(), sheets=("A",)):
    book = Workbook()
    book.remove(book.active)
    for title in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for area in merges:
            sheet.merge_cells(area)
    book.save(folder / "x.xlsx")


@pytest.mark.parametrize(
    ("code", "source", "rows", "merges", "sheets", "words"),
    [
        ("E304", {"sheet": "煤"}, [["地区", 2010], ["北京", 1]], (), ("煤炭", "油"), "nearest is"),
        ("E305", {}, [["地区", 2010], ["北京", 1]], (), ("A", "B"), "A, B"),
        (
            "E313",
            {},
            [["地区", 2010], ["北京", 1], ["上海", None]],
            ("B2:B3",),
            ("A",),
            "row 3, column B: the figure 1",
        ),
        ("E319", {}, [["地区", 2010], ["北京", "=1+1"]], (), ("A",), "row 2, column B: the formula =1+1"),
    ],
)
def test_bad_workbooks_are_refused(tmp_path, code, source, rows, merges, sheets, words):
    workbook(tmp_path, rows, merges, sheets)
    with pytest.raises(CobalanceError, match=code) as caught:
        read_observations(TableSource("x.xlsx", **WIDE, **source), CHINA, base_dir=tmp_path)
    assert words in str(caught.value)


def test_a_heading_of_two_rows_is_refused_not_misread(tmp_path):
    rows = [["地区", "煤炭", None, "汽油", None], [None, 2010, 2011, 2010, 2011], ["北京", 1, 2, 3, 4]]
    workbook(tmp_path, rows, ("A1:A2", "B1:C1", "D1:E1"))
    for options in ({"variable": "coal"}, {"across": "variable", "year": 2010}):
        source = TableSource("x.xlsx", layout="wide", unit="t", **options)
        with pytest.raises(CobalanceError, match=r"E307.*columns: B, [CD]"):
            read_observations(source, CHINA, base_dir=tmp_path)


def test_sections_repeated_headings_and_merged_labels(tmp_path):
    rows = [
        ["地区", "年份", "水泥"],
        ["东部", None, None],
        ["北京", 2010, 1],
        [None, 2011, 2],
        ["地区", "年份", "水泥"],
        ["上海", 2010, 3],
    ]
    workbook(tmp_path, rows, ("A2:C2", "A3:A4"))
    source = TableSource("x.xlsx", layout="wide", down=("region", "year"), across="variable", unit="t")
    found = read_observations(source, CHINA, base_dir=tmp_path)
    assert list(figures(found).values()) == [1, 2, 3]
    assert list(found.frame["row"]) == [3, 4, 6]
    assert "东部" in found.notices[0].text()


def test_a_broken_workbook_is_refused(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(CobalanceError, match="E325"):
        read_observations(TableSource("x.xlsx", **WIDE), CHINA, base_dir=tmp_path)
