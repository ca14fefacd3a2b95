"""Charts show the numbers they are given, in either language, and say what they leave out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from cobalance.report import figures, gallery, style
from cobalance.report.facts import Facts
from cobalance.study.results import Results


@pytest.fixture(autouse=True)
def faces() -> Iterator[None]:
    with style.drawing():
        yield


def texts(figure: Figure) -> str:
    return " | ".join([t.get_text() for t in figure.texts] + [t.get_text() for axes in figure.axes for t in axes.texts])


def tops(figure: Figure) -> np.ndarray:
    """The upper end of each year's bars, over all sources."""
    bars = [artist for artist in figure.axes[0].get_children() if isinstance(artist, PathPatch)]
    heights = np.stack([bar.get_path().vertices.reshape(-1, 5, 2)[:, 1, 1] for bar in bars])
    return heights.max(axis=0)


def test_bars_reach_the_total_of_regions_with_both_sides(results: Results) -> None:
    facts = Facts(results)
    # coal of year t: Σ (12 − i)² · 1e5 · (1 + 0.4 t) · 0.7, gas half of it; i = 0 … 10, and in 2000 without Elm (i = 4)
    squares = np.array([sum((12 - i) ** 2 for i in range(11) if not (t == 0 and i == 4)) for t in range(3)])
    fuels = squares * 1e5 * np.array([1.0, 1.4, 1.8]) * 0.7 * 1.5
    people = np.array([sum(12 - i for i in range(11) if not (t == 0 and i == 4)) for t in range(3)]) * 1e5
    expected = fuels + people * 0.5 * 0.1 + people * 0.09
    np.testing.assert_allclose(tops(figures.stacked_bars(facts, "carbon_emission", "en")) * 1e6, expected, rtol=1e-12)


def test_bars_say_which_regions_a_year_covers(results: Results) -> None:
    text = texts(figures.stacked_bars(Facts(results), "carbon_emission", "en"))
    assert "2000: 10, 2010: 11" in text.replace(" | ", " ") and "Mt C/yr" in text
    assert "亿 t C/a" in texts(figures.stacked_bars(Facts(results), "carbon_emission", "zh"))


def test_negative_classes_hang_below_zero(results: Results) -> None:
    data = results.dataset.copy(deep=True)
    data["carbon_sequestration"].loc[{"land_class": "cropland"}] *= -1
    figure = figures.stacked_bars(Facts(replace(results, dataset=data)), "carbon_sequestration", "en")
    assert figure.axes[0].get_ylim()[0] < 0


def test_moran_scatter_has_quadrants_slope_and_names(results: Results) -> None:
    figure = figures.moran_scatter(Facts(results), "carbon_balance_coefficient", 2020, "en")
    text = texts(figure)
    assert "I = 0.310" in text and "n = 10" in text
    assert all(word in text for word in ("HH", "LH", "LL", "HL", "Ash", "Juniper"))
    slope = next(line for line in figure.axes[0].lines if line.get_color() == style.INK)
    x, y = slope.get_data()
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(0.31)


def test_outlook_shows_observed_models_and_ensemble(results: Results) -> None:
    figure = figures.outlook_activities(Facts(results), "en")
    axes = figure.axes[0]
    assert len(axes.lines) == 5
    # coal over the 11 regions with data; GM(1,1) does not apply to Cedar, so its line of the sum has no points
    ensemble = next(line for line in axes.lines if line.get_color() == style.MODELS["ensemble"])
    last = float(results.dataset["fuel_use"].sel(fuel="coal", year=2020).sum())
    assert ensemble.get_ydata()[-1] * 1e9 == pytest.approx(1.2 * last) or ensemble.get_ydata()[
        -1
    ] * 1e6 == pytest.approx(1.2 * last)
    grey = next(line for line in axes.lines if line.get_color() == style.MODELS["grey"])
    assert np.isnan(grey.get_ydata()).all()
    assert "n = 11" in texts(figure)


def test_largest_emitters_come_first_with_their_largest_source(results: Results) -> None:
    chosen = figures.largest_activities(Facts(results))
    assert chosen == [("ra", "coal"), ("rb", "coal"), ("rc", "coal"), ("rd", "coal"), ("re", "coal"), ("rf", "coal")]


def test_gap_bars_name_regions_with_a_gap_only(results: Results) -> None:
    figure = figures.gap_bars(Facts(results), "en")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Ash", "Birch"]
    assert "The 2 largest of 2 regions with a gap." in texts(figure)


def test_no_gap_anywhere_is_a_figure_too(results: Results) -> None:
    data = results.dataset.copy(deep=True)
    data["ecological_land_gap"] = data["ecological_land_gap"] * 0
    assert "0 largest of 0" in texts(figures.gap_bars(Facts(replace(results, dataset=data)), "en"))


@pytest.mark.parametrize(
    ("p", "text"), [(0.0123, "0.0123"), (1e-6, "1.0·10^−6"), (2.5e-13, "2.5·10^−13"), (float("nan"), "—")]
)
def test_probabilities(p: float, text: str) -> None:
    assert figures.p_text(p) == text


def test_same_figure_same_bytes(results: Results) -> None:
    for form in ("svg", "pdf", "png"):
        one, two = (
            style.written(figures.stacked_bars(Facts(results), "carbon_emission", "zh"), form) for _ in range(2)
        )
        assert one == two, form


def test_pdf_embeds_the_chinese_face(results: Results) -> None:
    pdf = style.written(figures.stacked_bars(Facts(results), "carbon_emission", "zh"), "pdf")
    assert b"CobalanceSansSC" in pdf and b"/FontFile2" in pdf  # TrueType


def test_character_without_a_glyph_is_named_not_boxed(results: Results) -> None:
    regions = results.regions.copy()
    regions.loc["ra", "name_zh"] = "𠮷州"  # beyond GB 2312
    facts = Facts(replace(results, regions=regions))
    lacking: set[str] = set()
    plates = [plate for plate in gallery.plates(facts, ["zh"], lacking) if plate.drawing.name == "ecological_land_gap"]
    assert lacking == {"𠮷"}
    assert "〓州" in [label.get_text() for label in plates[0].figure.axes[0].get_yticklabels()]


def test_settings_do_not_leak() -> None:
    import matplotlib

    before = dict(matplotlib.rcParamsDefault)
    with style.drawing():
        pass
    assert matplotlib.rcParamsDefault == before


def test_mathematics_is_not_read_into_names(results: Results) -> None:
    regions = results.regions.copy()
    regions.loc["ra", "name_en"] = "$\\frac{1}$ & Co"
    figure = figures.gap_bars(Facts(replace(results, regions=regions)), "en")
    assert style.written(figure, "svg")


def test_chinese_breaks_before_no_closing_sign_and_latin_between_words() -> None:
    lines = style.wrap("边界来源：Apache ECharts 4.9 (Apache-2.0), generalised，概化。", 18)
    assert all(line[0] not in "，。,)" for line in lines)
    assert not any(line.endswith("generalise") for line in lines)
    assert "".join(lines).replace(" ", "") == "边界来源：ApacheECharts4.9(Apache-2.0),generalised，概化。"
