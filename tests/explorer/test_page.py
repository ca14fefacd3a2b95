"""The page in a real Chromium, offline, from a file: views, both brushes, keys, languages, take-away, hostile names."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cobalance.study.pipeline import run_study

Open = Callable[..., Any]
VIEWS = ("map", "selection", "clusters", "scatter", "gravity", "outlook", "land")


def _selected(page: Any) -> list[str]:
    found: list[str] = page.evaluate("[...cobalance.selected].map((r) => cobalance.payload.regions.codes[r]).sort()")
    return found


def _centre(page: Any, selector: str) -> tuple[float, float]:
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _drag(page: Any, start: tuple[float, float], *stops: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    for stop in stops:
        page.mouse.move(*stop, steps=4)
    page.wait_for_timeout(60)
    page.mouse.up()


def _wait(page: Any, condition: str) -> None:
    """Until ``condition`` holds. Playwright's own waiting evaluates text in the page, which the policy forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(80)
    raise AssertionError(f"never came: {condition}")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_every_view_is_there_and_fits(ran: Any, watched: Open, language: str, width: int) -> None:
    page = watched(viewport={"width": width, "height": 900}).open(f"{ran.page.as_uri()}#l={language}")
    for view in VIEWS:
        assert page.locator(f"#{view}").count() == 1, view
        assert page.locator(f"#{view} svg.plot").count() >= 1, view
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "differ by" not in page.inner_text(".about")


def test_names_are_text_whatever_they_hold(plain: Any, watched: Open, hostile: str) -> None:
    page = watched().open(plain.page.as_uri())
    page.evaluate("cobalance.select([2, 3, 4])")
    assert hostile in page.inner_text("h1")
    assert hostile in page.inner_text("#land table")
    assert page.title() == f"Squares {hostile}"
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    page.hover("#map path[data-i='2']")
    assert hostile in page.inner_text(".tip")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_policy_lets_nothing_else_run(plain: Any, chromium: Any) -> None:
    """A script that someone puts into the page is refused, and so is a request."""
    page = chromium.new_page()
    page.goto(plain.page.as_uri())
    page.wait_for_selector("html[data-ready]")
    script = """() => { const s = document.createElement('script');
      s.textContent = 'window.evil = 1'; document.body.append(s);
      return window.evil ?? fetch('https://example.invalid/').then(() => 'reached', () => 'refused'); }"""
    assert page.evaluate(script) == "refused"
    page.close()


def test_brushing_the_map_selects_in_the_scatter_and_back(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    first, last = _centre(page, "#map path[data-i='0']"), _centre(page, "#map path[data-i='5']")
    _drag(
        page,
        (min(first[0], last[0]) - 20, min(first[1], last[1]) - 20),
        (max(first[0], last[0]) + 20, max(first[1], last[1]) + 20),
    )
    assert _selected(page) == ["r00", "r01", "r04", "r05"]
    assert page.locator("#scatter circle.dot.on").count() == 4
    page.keyboard.press("Escape")
    assert _selected(page) == []
    # the scatter's right half: above the mean
    page.locator("#scatter svg.plot").scroll_into_view_if_needed()
    box = page.locator("#scatter svg.plot").bounding_box()
    zero = page.evaluate("Number(document.querySelectorAll('#scatter line.axis')[1].getAttribute('x1'))")
    _drag(page, (box["x"] + zero + 1, box["y"] + 2), (box["x"] + box["width"] - 1, box["y"] + box["height"] - 2))
    above = page.evaluate(
        "[...cobalance.moran.z.keys()].filter((r) => cobalance.moran.z[r] > 0)"
        ".map((r) => cobalance.payload.regions.codes[r]).sort()"
    )
    assert _selected(page) == above
    assert 0 < len(above) < 10
    page.locator("#clusters svg.plot").scroll_into_view_if_needed()
    assert page.locator("#clusters .some path.region[aria-selected='false']").count() == 12 - len(above)


def test_lasso_shift_click_legend_and_quadrant(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    page.locator("#map .segmented button").nth(1).click()
    x, y = _centre(page, "#map path[data-i='0']")
    _drag(page, (x - 30, y - 30), (x + 30, y - 30), (x + 30, y + 30), (x - 30, y + 30), (x - 30, y - 28))
    assert _selected(page) == ["r00"]
    page.keyboard.down("Shift")
    page.mouse.click(*_centre(page, "#map path[data-i='6']"))
    page.keyboard.up("Shift")
    assert _selected(page) == ["r00", "r06"]
    page.mouse.click(*_centre(page, "#map path[data-i='6']"))
    assert _selected(page) == ["r06"]
    page.mouse.click(*_centre(page, "#map path[data-i='6']"))
    assert _selected(page) == []
    button = page.locator("#map .legend button:not([disabled])").first
    count = int(button.locator("em").inner_text())
    button.click()
    assert len(_selected(page)) == count
    page.locator("#scatter .chips button").nth(2).click()
    assert _selected(page) == page.evaluate(
        "[...cobalance.moran.z.keys()].filter((r) => cobalance.moran.z[r] <= 0 && cobalance.moran.lag[r] <= 0)"
        ".map((r) => cobalance.payload.regions.codes[r]).sort()"
    )


def test_keys_alone_do_everything(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skip to the map
    assert page.evaluate("document.activeElement.getAttribute('role')") == "listbox"
    page.keyboard.press("ArrowDown")
    first = page.evaluate("document.activeElement.getAttribute('aria-activedescendant')")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-activedescendant')") != first
    page.keyboard.press("Enter")
    assert len(_selected(page)) == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Enter")
    assert len(_selected(page)) == 2
    page.keyboard.press("Escape")
    assert _selected(page) == []
    page.keyboard.press("[")
    assert page.evaluate("cobalance.year") == 2018
    page.keyboard.press("]")
    assert page.evaluate("cobalance.year") == 2019
    page.keyboard.press("a")
    assert page.locator("aside.drawer").count() == 1
    page.focus("#a-phi")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("cobalance.scenario.phi") > 0.5


def test_years_play_to_the_end(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    page.evaluate("cobalance.t = 7")
    page.keyboard.press("p")
    _wait(page, "cobalance.t === 9 && !cobalance.playing")
    assert page.inner_text(".timeline output") == "2019"


def test_the_address_keeps_the_state(growth: Any, watched: Open) -> None:
    page = watched().open(growth.page.as_uri())
    page.evaluate(
        """() => { cobalance.language = 'zh'; cobalance.theme = 'dark'; cobalance.t = 3;
        cobalance.metric = 'oxygen_release';
        cobalance.select([1, 4]); cobalance.change({ phi: 0.4, models: ['grey'] });
        cobalance.put('sets', 'cement', 'cement-ipcc2006'); cobalance.put('values', 'sequestration_rate/forest', 5.25);
        cobalance.put('cuts', 'coal', 0.3); cobalance.put('convert', 'built', 0.1); }"""
    )
    _wait(page, "location.hash.includes('phi=0.4')")
    parts = "c.language, c.theme, c.t, c.metric, [...c.selected], c.scenario"
    kept = f"((c) => JSON.stringify([{parts}]))(cobalance)"
    before, address = page.evaluate(kept), page.url
    other = watched().open(address)
    assert other.evaluate(kept) == before
    assert other.evaluate("document.documentElement.lang") == "zh-CN"


@pytest.mark.parametrize(
    "hash_",
    ["l=xx&y=1&m=none&r=zz.&phi=9", "phi=NaN&cuts=coal:7&values=a:b&sets=x:y", "%E0%A4%A", "values=__proto__:1"],
)
def test_a_foreign_address_changes_nothing(plain: Any, watched: Open, hash_: str) -> None:
    page = watched().open(f"{plain.page.as_uri()}#{hash_}")
    assert page.evaluate("cobalance.changed") is False
    assert page.evaluate("cobalance.selected.size") == 0


def test_a_slider_changes_the_numbers_and_reset_brings_them_back(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    before = page.inner_text("#selection .figure.lead strong")
    assert page.locator(".badge").count() == 0
    page.click("nav.bar button.solid")
    page.fill("aside .slider:has(label[for='a-sequestration_rate/forest']) input[type=number]", "3.3")
    page.keyboard.press("Tab")
    assert page.inner_text("#selection .figure.lead strong") != before
    assert page.locator(".badge").inner_text() == "Differs from the study file · 1"
    assert "999 permutations" in page.inner_text("#clusters .subtitle")
    page.click("aside .actions button:nth-child(2)")
    assert page.inner_text("#selection .figure.lead strong") == before
    assert page.locator(".badge").count() == 0


SCENARIO = """() => { cobalance.change({ phi: 0.45, models: ['linear', 'growth'] });
  cobalance.put('values', 'sequestration_rate/forest', 5.5);
  cobalance.put('values', 'oxygen_release_rate/cropland', 10.5);
  cobalance.put('values', 'emission_factor/coal', EMISSION); cobalance.put('values', 'cement_factor/cement', 1.1);
  cobalance.put('cuts', 'coal', 0.25); cobalance.put('cuts', 'cement', 0.5);
  cobalance.put('cuts', 'respiration', 0.01); }"""


@pytest.mark.parametrize(("study", "factor"), [("plain", "0.6"), ("growth", "1.2")])
def test_an_exported_scenario_runs_to_the_same_numbers(
    study: str, factor: str, request: pytest.FixtureRequest, watched: Open
) -> None:
    ran = request.getfixturevalue(study)
    page = watched().open(ran.page.as_uri())
    page.evaluate(SCENARIO.replace("EMISSION", factor))
    if study == "plain":
        page.evaluate("cobalance.put('sets', 'respiration', 'chinese-literature')")
    page.click("nav.bar button.solid:last-child")
    with page.expect_download() as download:
        page.click("aside .actions button:first-child")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["study-scenario.yaml", "scenario-coefficients.csv"]
        archive.extractall(ran.folder)
    results = run_study(ran.folder / "study-scenario.yaml")
    for name, script in {
        "carbon_balance_coefficient": "cobalance.outcome.balance.carbon",
        "oxygen_balance_coefficient": "cobalance.outcome.balance.oxygen",
    }.items():
        _same(page, script, results.dataset[name].transpose("region", "year").values.ravel())
    for target in ("carbon", "oxygen"):
        gap = results.dataset["ecological_land_gap"].sel(target=target)
        assert (gap > 0).any()
        _same(page, f"cobalance.outcome.land.{target}.gap", gap.values)
    assert not np.allclose(
        results.dataset["ecological_land_gap"], ran.results.dataset["ecological_land_gap"], equal_nan=True
    )


def _same(page: Any, script: str, values: Any) -> None:
    found = page.evaluate(f"Array.from({script}, (v) => (Number.isNaN(v) ? null : v))")
    own = np.array([np.nan if value is None else value for value in found])
    np.testing.assert_allclose(own, values, rtol=1e-9, atol=1e-9, err_msg=script)


def test_what_a_study_file_cannot_say_is_said(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    page.evaluate("cobalance.put('convert', 'built', 0.2); cobalance.drawer = true")
    with page.expect_download() as download:
        page.click("aside .actions button:first-child")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "# Not carried" in text
    assert "land conversion of built: 0.2" in text


def test_any_number_leads_to_its_origin(growth: Any, watched: Open) -> None:
    """From a gap down to the row of the user's own coefficient."""
    page = watched().open(growth.page.as_uri())
    page.fill("#land input[type=search]", "Fir")
    page.click("#land tbody td.gap button")
    dialog = page.locator("dialog.origin")
    assert "Gap, carbon · Fir" in dialog.inner_text()
    dialog.locator("button.number", has_text=" ha").first.click()
    assert "A* = φ · E / s_ref" in dialog.inner_text()
    dialog.locator("button.number", has_text="t C/yr").click()
    dialog.locator("button.number", has_text="t C/yr").first.click()
    text = dialog.inner_text()
    assert "coal · Fir · 2030" in text
    assert "own.csv" in text  # r05's own rows of the user's table
    dialog.get_by_role("button", name="0.59 t C / t").click()
    assert "made up" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog.origin[open]").count() == 0


def test_views_and_tables_can_be_taken_away(plain: Any, watched: Open, hostile: str) -> None:
    page = watched().open(plain.page.as_uri())
    for view in ("map", "scatter", "outlook"):
        page.click(f"#{view} .menu > button")
        with page.expect_download() as download:
            page.click(f"#{view} .pop button:has-text('SVG')")
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert "var(--" not in text
        assert "<img" not in text  # names are escaped here too
    page.click("#map .menu > button")
    with page.expect_download() as download:
        page.click("#map .pop button:has-text('PNG')")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.click("#land .menu > button")
    with page.expect_download() as download:
        page.click("#land .pop button:has-text('CSV')")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"), newline="")))
    assert len(rows) == 24
    assert rows[2]["name"] == hostile
    gap = plain.results.dataset["ecological_land_gap"].sel(target="carbon").values
    assert float(rows[0]["gap_percent"]) == pytest.approx(gap[0], rel=1e-12)
    assert rows[11]["gap_percent"] == ""  # missing is not zero


def test_paper_shows_every_map(plain: Any, watched: Open, tmp_path: Path) -> None:
    page = watched().open(plain.page.as_uri())
    page.emulate_media(media="print")
    assert page.locator("nav.bar").is_hidden()
    file = tmp_path / "page.pdf"
    page.pdf(path=file, format="A4")
    assert file.read_bytes().startswith(b"%PDF")
    fills = page.evaluate("[...document.querySelectorAll('#land path.region')].map((p) => p.getAttribute('fill'))")
    assert all(fills)


def test_region_without_data_is_hatched_and_never_zero(plain: Any, watched: Open) -> None:
    page = watched().open(plain.page.as_uri())
    assert page.get_attribute("#map path[data-i='11']", "fill").startswith("url(#hatch")
    page.mouse.click(*_centre(page, "#map path[data-i='11']"))
    assert page.inner_text("#selection .figure.lead strong") == "—"
    assert "emission or consumption is missing" in page.evaluate(
        "cobalance.show({ of: 'balance', target: 'carbon', regions: [11], t: 0 }), new Promise((done) => "
        "setTimeout(() => done(document.querySelector('dialog.origin').innerText), 100))"
    )


def test_the_file_keeps_to_its_budget(plain: Any) -> None:
    """At most 80 KB of compressed program; no address but the names of SVG and MathML."""
    import gzip

    from cobalance.explorer.page import asset

    program = asset("explorer.js")
    assert len(gzip.compress(program.encode("utf-8"))) <= 80_000
    addresses = set(re.findall(r"https?://[^\s\"'`<>)]+", program + asset("explorer.css")))
    allowed = ("http://www.w3.org/", "https://svelte.dev/e/")
    assert [address for address in addresses if not address.startswith(allowed)] == []


def test_saved_results_give_the_same_bytes(plain: Any, tmp_path: Path) -> None:
    """Written again, from results that were saved and read back: the same page to the last byte."""
    from cobalance.explorer.page import write_explorer
    from cobalance.study.results import Results

    plain.results.save(tmp_path)
    again = write_explorer(Results.open(tmp_path), tmp_path / "again.html")
    assert again.read_bytes() == plain.page.read_bytes()
