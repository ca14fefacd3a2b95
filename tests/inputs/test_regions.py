"""Names of regions, in every form that tables use."""

from __future__ import annotations

import pandas as pd
import pytest

from cobalance.inputs.regions import RegionNames, checked_groups, read_region_table
from cobalance.vocabulary.errors import CobalanceError, catalogue

CHINA = RegionNames.builtin("china_provinces")
STATES = RegionNames.builtin("us_states")


def code_of(names, label):
    return names.matches([label]).codes[label]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("北京市", "110000"), ("北京", "110000"), ("北 京", "110000"), ("北　京", "110000"), ("Beijing", "110000"),
        ("BEIJING ", "110000"), ("京", "110000"), ("11", "110000"), (11, "110000"), (110000.0, "110000"),
        ("110000000000", "110000"), ("北 京 Beijing", "110000"), ("内蒙古", "150000"), ("Nei Mongol", "150000"),
        ("广西壮族自治区", "450000"), ("广西", "450000"), ("Guangxi Zhuang Autonomous Region", "450000"),
        ("Xizang", "540000"), ("Tibet", "540000"), ("Hebei Province", "130000"), ("臺灣", "710000"),
        ("Shaanxi", "610000"), ("山西", "140000"),
    ],
)  # fmt: skip
def test_names_of_chinas_provinces(label, code):
    assert code_of(CHINA, label) == code


@pytest.mark.parametrize(
    ("label", "code"),
    [("AL", "01"), (1, "01"), ("1", "01"), ("01", "01"), ("Alabama", "01"), ("US-AL", "01"), ("Washington, D.C.", "11"),
     ("Washington", "53"), ("WEST VIRGINIA", "54"), ("New  York", "36"), ("得克萨斯", "48")],
)  # fmt: skip
def test_names_of_us_states(label, code):
    assert code_of(STATES, label) == code


def test_every_built_in_name_leads_to_its_own_region_only():
    for names in (CHINA, STATES):
        for row in names.table.itertuples(index=False):
            labels = [row.code, row.name_zh, row.short_zh, *row.aliases.split("|")]
            found = names.matches([label for label in labels if label])
            assert set(found.codes.values()) == {row.code}, row
    assert len(CHINA.codes) == 34 and len(STATES.codes) == 51


def test_shanxi_alone_is_refused_with_its_candidates():
    found = CHINA.matches(["Shanxi", "Beijing"])
    assert found.ambiguous == {"Shanxi": ("140000", "610000")}
    assert found.codes["Shanxi"] is None
    only_shanxi = RegionNames.builtin("china_provinces", ["140000"])
    assert only_shanxi.matches(["Shanxi"]).ambiguous  # it may still be Shaanxi's figure


def test_shanxi_beside_shaanxi_is_settled():
    found = CHINA.matches(["Shanxi", "Shaanxi"])
    assert found.codes == {"Shanxi": "140000", "Shaanxi": "610000"}
    assert found.settled == {"Shanxi": ("140000", "610000")}


def test_counties_that_share_a_name_are_ambiguous_and_codes_tell_them_apart():
    table = pd.DataFrame({"code": ["110105", "220104"], "name_zh": ["朝阳区", "朝阳区"]})
    names = RegionNames(table.assign(name_en="", short_zh="", pinyin="", aliases=""))
    found = names.matches(["朝阳区", "220104"])
    assert found.settled == {"朝阳区": ("110105", "220104")}  # the other one is named by its code
    assert names.matches(["朝阳区"]).ambiguous == {"朝阳区": ("110105", "220104")}
    assert names.matches(["朝阳"]).ambiguous


def test_known_regions_outside_the_study_are_not_unknown():
    names = RegionNames.builtin("china_provinces", ["120000", "110000"])
    assert names.codes == ("120000", "110000")
    found = names.matches(["广东", "火星"])
    assert (found.outside, found.unknown) == (("广东",), ("火星",))
    washington = RegionNames.builtin("us_states", ["11"])
    assert washington.matches(["北京"]).unknown == ("北京",)  # code 11 alone does not make a study Chinese


def write(folder, content):
    (folder / "regions.csv").write_text(content, encoding="utf-8")
    return read_region_table("regions.csv", folder)


def test_a_region_table_is_read_in_its_order(tmp_path):
    names = write(tmp_path, "code,name_zh,name_en,aliases\n02,乙,B,\n01,甲,A,first|一\n")
    assert names.codes == ("02", "01")
    assert code_of(names, "first") == "01"
    assert code_of(names, 2) == "02"


@pytest.mark.parametrize(
    ("code", "content", "words"),
    [
        ("E401", "name_zh,name_en\n甲,A\n", "name_zh, name_en"),
        ("E404", "code,name_zh\n01,甲\n01,乙\n", "rows 2, 3"),
        ("E405", "code,name_zh\n01,甲\n,乙\n", "without a code: 3"),
        ("E405", "code,name_zh\n", "without a code"),
    ],
)
def test_bad_region_tables_are_refused(tmp_path, code, content, words):
    with pytest.raises(CobalanceError, match=code) as caught:
        write(tmp_path, content)
    assert words in str(caught.value)
    assert "regions.csv" in caught.value.text("zh")


def test_groups_as_codes():
    groups = checked_groups({"jjj": ["北京", "Tianjin", 13]}, CHINA)
    assert groups == {"jjj": ("110000", "120000", "130000")}


@pytest.mark.parametrize(
    ("code", "groups", "words"),
    [
        ("E414", {"a": ["北京", "Bejing"]}, "nearest: Beijing"),
        ("E415", {"a": []}, "has no members"),
        ("E416", {"a": ["北京", "11"]}, "110000 北京市 Beijing more than once"),
        ("E417", {"total": ["北京"]}, "all regions"),
    ],
)
def test_bad_groups_are_refused(code, groups, words):
    with pytest.raises(CobalanceError, match=code) as caught:
        checked_groups(groups, CHINA)
    assert words in str(caught.value)
    assert caught.value.problems[0].place.key == f"groups.{next(iter(groups))}"


def test_the_catalogue_speaks_both_languages_with_the_same_placeholders():
    from cobalance.vocabulary.errors import placeholders

    own = {code: row for code, row in catalogue().items() if code[1] in "34"}
    assert len(own) > 60
    for code, row in own.items():
        for part in ("found", "expected", "remedy"):
            english, chinese = row[f"{part}_en"], row[f"{part}_zh"]
            assert english.strip() and chinese.strip(), code
            assert placeholders(english) == placeholders(chinese), (code, part)
