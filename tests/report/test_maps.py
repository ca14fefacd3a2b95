"""Maps: classes that both years share, every region in one of them, words in their colours, drafts marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from cobalance.report import maps, style
from cobalance.report.facts import Facts
from cobalance.study.results import Results

DESIGN = {  # colour-blind-safe, measured
    "high-high": "#b2182b",
    "low-low": "#2166ac",
    "low-high": "#92c5de",
    "high-low": "#fdb863",
    "not significant": "#efefef",
    "isolated": "#999999",
    "undefined": "#464646",
}


@pytest.fixture(autouse=True)
def faces() -> Iterator[None]:
    with style.drawing():
        yield


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts] + [t.get_text() for axes in figure.axes for t in axes.texts]


def patches(figure: Figure) -> list[PathPatch]:
    return [artist for artist in figure.axes[0].get_children() if isinstance(artist, PathPatch)]


def test_clusters_have_the_colours_of_the_design() -> None:
    assert style.CLUSTERS == DESIGN


@given(st.lists(st.floats(0.001, 500, allow_nan=False), max_size=60))
def test_breaks_rise_and_one_is_always_among_them(values: list[float]) -> None:
    limits = maps.balance_breaks(values)
    assert limits == sorted(set(limits)) and 1.0 in limits and len(limits) < maps.MOST_CLASSES
    looks = maps.balance_looks(limits)
    assert len(looks) == len(limits) + 1 and len({look.face for look in looks}) == len(looks)


def test_breaks_divide_where_values_lie() -> None:
    # values 0.2, 0.4, 0.8, 1.5, 2.5, 4 lie between 0.2 and 4: limits .25 .5 1 2 3
    assert maps.balance_breaks([0.2, 0.4, 0.8, 1.5, 2.5, 4.0]) == [0.25, 0.5, 1.0, 2.0, 3.0]


def test_breaks_keep_three_where_it_divides() -> None:
    assert 3.0 in maps.balance_breaks(np.geomspace(0.01, 300, 200).tolist())


def test_sides_of_one_differ_in_colour() -> None:
    looks = maps.balance_looks([0.5, 1.0, 2.0])
    assert [look.text for look in looks] == ["≤ 0.5", "0.5–1", "1–2", "> 2"]
    assert [look.face in style.BELOW_ONE for look in looks] == [True, True, False, False]


def test_balance_map_counts_every_region_once(results: Results) -> None:
    figure = maps.balance_map(Facts(results), "carbon", 2020, "en")
    counts = [int(text.rsplit("(", 1)[1].rstrip(")")) for text in texts(figure) if text.endswith(")")]
    assert sum(counts) == 12
    assert "no data  (1)" in texts(figure)  # Larch
    assert "Carbon balance coefficient, 2020" in texts(figure)


def test_region_without_data_is_drawn_hatched(results: Results) -> None:
    figure = maps.balance_map(Facts(results), "carbon", 2020, "zh")
    hatched = [patch for patch in patches(figure) if patch.get_hatch() == style.NO_DATA_HATCH]
    assert len(hatched) == 1 and "无数据  (1)" in texts(figure)


def test_years_share_their_classes(results: Results) -> None:
    facts = Facts(results)
    legends = [
        [text.split("  (")[0] for text in texts(maps.balance_map(facts, "carbon", year, "en")) if "  (" in text]
        for year in (2000, 2020)
    ]
    assert legends[0] == legends[1]


def test_cluster_map_colours_words_and_writes_letters(results: Results) -> None:
    figure = maps.cluster_map(Facts(results), "carbon_balance_coefficient", 2020, "en")
    faces = {to_hex(patch.get_facecolor()) for patch in patches(figure)}
    assert {DESIGN["high-high"], DESIGN["low-low"], DESIGN["isolated"]} <= faces
    assert texts(figure).count("HH") == 2 and texts(figure).count("LL") == 3
    # Larch has no value: no data, not an undefined cluster
    assert "no data  (1)" in texts(figure) and DESIGN["undefined"] not in faces


def test_gap_map_marks_what_own_land_cannot_close(results: Results) -> None:
    # Ash needs 213 % for oxygen, more than 100: infeasible in the made-up study
    figure = maps.gap_map(Facts(results), "oxygen", "en")
    assert "infeasible  (1)" in texts(figure) and "100–300 %  (1)" in texts(figure)
    figure = maps.gap_map(Facts(results), "carbon", "en")
    assert not any("infeasible  (" in text for text in texts(figure))


def test_footer_names_the_source_of_the_boundary(results: Results) -> None:
    assert "Boundary: made up for tests" in texts(maps.balance_map(Facts(results), "carbon", 2020, "en"))


def as_china(results: Results, number: str | None) -> Facts:
    study = {**results.provenance["study"]}
    study["regions"] = {**study["regions"], "table": "china-provinces"}
    study["regions"]["boundary"] = {**study["regions"]["boundary"], "review_number": number}
    return Facts(replace(results, provenance={**results.provenance, "study": study}))


def test_map_of_china_without_a_review_number_is_a_draft(results: Results) -> None:
    facts = as_china(results, None)
    for figure in (
        maps.balance_map(facts, "carbon", 2020, "en"),
        maps.gravity_map(facts, "carbon_balance_coefficient", "en"),
    ):
        assert "draft 草图" in texts(figure)


def test_map_with_a_review_number_prints_it(results: Results) -> None:
    found = texts(maps.balance_map(as_china(results, "GS(2020)4619号"), "carbon", 2020, "zh"))
    assert not any("草图" in text for text in found)
    assert any("审图号：GS(2020)4619号" in text for text in found)


def test_other_countries_need_no_review_number(results: Results) -> None:
    assert not any("draft" in text for text in texts(maps.balance_map(Facts(results), "carbon", 2020, "en")))


def test_gravity_map_draws_the_track_and_both_ellipses(results: Results) -> None:
    facts = Facts(results)
    figure = maps.gravity_map(facts, "carbon_balance_coefficient", "en")
    overview, detail = figure.axes
    ellipses = [line for line in overview.lines if len(line.get_xdata()) > 50]
    assert [line.get_linestyle() for line in ellipses] == ["--", "-"]
    # the last ellipse: semi-axes 150 and 90 km in UTM 48N, 2.2° west of its meridian: areas and lengths within 2 %
    x, y = (np.asarray(values) for values in ellipses[-1].get_data())
    length = np.hypot(x - x.mean(), y - y.mean())
    assert length.max() == pytest.approx(150_000, rel=0.02) and length.min() == pytest.approx(90_000, rel=0.02)
    labels = {text.get_text() for text in detail.texts}
    assert {"2000", "2020"} <= labels


def test_labelled_years_keep_clear_of_one_another() -> None:
    years = list(range(1990, 2020))
    centres = np.column_stack([np.linspace(0, 100, 30), np.zeros(30)])
    kept = maps.labelled_years(years, centres, 200.0)
    assert {0, 29} <= set(kept)
    gaps = np.diff(np.sort(centres[kept, 0]))
    assert gaps.min() > 0.075 * 200


def test_study_without_shapes_has_no_map(results: Results) -> None:
    bare = results.regions.assign(geometry=None).set_geometry("geometry")
    with pytest.raises(ValueError, match="no maps"):
        maps.balance_map(Facts(replace(results, regions=bare)), "carbon", 2020, "en")
