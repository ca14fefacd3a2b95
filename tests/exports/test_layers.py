"""The styles in the GeoPackage, read back by GDAL: every region is drawn once, with no data drawn as such."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pyogrio
import pytest

from cobalance.report import style
from cobalance.report.export import write_layers_of
from cobalance.report.facts import Facts
from cobalance.report.layers import TABLE, LayerStyle, style_layers
from cobalance.study.results import Results


@pytest.fixture
def styled(results: Results, tmp_path: Path) -> tuple[Path, list[LayerStyle]]:
    facts = Facts(results)
    (file,) = write_layers_of(facts, tmp_path)
    return file, style_layers(facts, file)


def test_qgis_finds_a_default_style_for_each_layer(styled: tuple[Path, list[LayerStyle]]) -> None:
    file, _ = styled
    assert {name for name, _ in pyogrio.list_layers(file)} == {"regions", "results", "gravity_centre", TABLE}
    rows = pyogrio.read_dataframe(file, layer=TABLE)
    defaults = rows[rows["useAsDefault"]]
    assert sorted(defaults["f_table_name"]) == ["gravity_centre", "regions", "results"]
    assert set(rows["f_geometry_column"]) == {"geom"}
    assert not rows["styleName"].duplicated().any()
    assert "carbon balance 2020 碳平衡系数" in set(rows["styleName"])
    assert "LISA oxygen balance 2014" in set(rows["styleName"])


def test_the_stored_text_is_the_style(styled: tuple[Path, list[LayerStyle]]) -> None:
    file, chosen = styled
    rows = pyogrio.read_dataframe(file, layer=TABLE).set_index("styleName")
    for own in chosen:
        text = rows.loc[own.name, "styleQML"]
        root = ET.fromstring(text.split("\n", 1)[1])
        rules = root.findall("./renderer-v2/rules/rule")
        assert [rule.get("label", "") for rule in rules] == [rule.label for rule in own.rules]
        symbols = {symbol.get("name"): symbol for symbol in root.findall("./renderer-v2/symbols/symbol")}
        for rule, written in zip(own.rules, rules, strict=True):
            assert written.get("filter", "") == rule.filter
            values = [option.get("value") for option in symbols[written.get("symbol")].iter("Option")]
            if rule.face:
                assert ",".join(str(int(rule.face[i : i + 2], 16)) for i in (1, 3, 5)) + ",255" in values


def test_every_region_is_drawn_by_one_rule(styled: tuple[Path, list[LayerStyle]]) -> None:
    """GDAL itself asks for the features of each rule: filled rules share out the regions, the rest lie over them."""
    file, chosen = styled
    for own in chosen:
        if own.layer != "results":
            continue
        drawn: list[str] = []
        for rule in own.rules:
            found = pyogrio.read_dataframe(file, layer=own.layer, where=rule.filter)
            drawn += list(found["region"]) if rule.face else []
        assert sorted(drawn) == ["A", "B", "C", "D"], own.name


def test_a_region_without_data_is_hatched(styled: tuple[Path, list[LayerStyle]]) -> None:
    file, chosen = styled
    late = next(own for own in chosen if own.name.startswith("carbon balance 2020"))
    hatched = late.rules[-1]
    assert hatched.hatch is not None
    assert hatched.label == "无数据 no data"
    assert list(pyogrio.read_dataframe(file, layer="results", where=hatched.filter)["region"]) == ["D"]


def test_clusters_are_coloured_as_everywhere_else(styled: tuple[Path, list[LayerStyle]]) -> None:
    _, chosen = styled
    lisa = next(own for own in chosen if own.name.startswith("LISA"))
    faces = {rule.filter.split("'")[1]: rule.face for rule in lisa.rules if "'" in rule.filter}
    assert faces == style.CLUSTERS
    assert "THEN 'HH'" in lisa.letters


def test_the_same_results_give_the_same_bytes(results: Results, tmp_path: Path) -> None:
    def once(name: str) -> bytes:
        folder = tmp_path / name
        folder.mkdir()
        (file,) = write_layers_of(Facts(results), folder)
        style_layers(Facts(results), file)
        return file.read_bytes()

    assert once("one") == once("two")
