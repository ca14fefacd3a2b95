"""report.html in a browser, from a file, with the network cut: switch, tables, sections, small screens."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cobalance.report import write_report
from cobalance.report.page import CHAPTERS


def _made_up_study() -> Any:
    """The module of the made-up study that the report's own tests stand on."""
    file = Path(__file__).parents[1] / "report" / "conftest.py"
    specification = importlib.util.spec_from_file_location("made_up_study", file)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    write_report(_made_up_study().made_up_results(), folder, forms=())
    return (folder / "report.html").as_uri()


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """The page, opened offline; a complaint, an error or a request for anything else fails the test."""
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request", lambda request: complaints.append(request.url) if request.url.split("#")[0] != address else None
    )
    opened.goto(address)
    yield opened
    context.close()
    assert complaints == []


def rows(page: Any, table: str) -> list[list[str]]:
    lines = page.locator(f"#table-{table} tbody tr")
    return [line.locator("td").all_inner_texts() for line in lines.all()]


def opened(page: Any, table: str) -> Any:
    page.click(f"#table-{table} summary")
    page.wait_for_selector(f"#table-{table} tbody tr")
    return page.locator(f"#table-{table}")


def test_every_section_is_on_the_page_and_in_the_contents(page: Any) -> None:
    for chapter in CHAPTERS:
        assert page.locator(f"section#{chapter} h2").inner_text().strip()
        assert page.locator(f"nav.contents a[href='#{chapter}']").is_visible()


def test_figures_are_seen(page: Any) -> None:
    shapes = page.evaluate(
        """() => [...document.querySelectorAll('figure')].map(figure => {
             const svg = [...figure.querySelectorAll('svg')].find(item => item.getBoundingClientRect().width > 0);
             return svg ? svg.getBoundingClientRect().height : 0; })"""
    )
    assert len(shapes) > 15 and min(shapes) > 100


def test_switch_of_language(page: Any) -> None:
    assert page.locator("h1").inner_text() == "A made-up study <of> squares"
    opened(page, "emission")
    assert rows(page, "emission")[0][1] == "Ash"
    page.click("button[data-language='zh']")
    assert page.locator("h1").inner_text() == "虚构方格研究"
    assert page.title() == "虚构方格研究"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.locator("#summary h2").inner_text() == "摘要"
    assert rows(page, "emission")[0][1] == "甲州" and rows(page, "emission")[0][3] == "煤炭"
    page.click("button[data-language='en']")
    assert page.locator("#summary h2").inner_text() == "Summary"


def test_sort_by_number_and_by_name(page: Any) -> None:
    table = opened(page, "ecological_land")
    heading = table.locator("th", has_text="value")
    position = table.locator("th").all_inner_texts().index("value")
    heading.locator("button").click()
    assert table.locator("th[aria-sort='ascending']").inner_text().startswith("value")

    def values() -> list[float]:
        return [
            float(row[position].replace(",", "").replace("−", "-"))
            for row in rows(page, "ecological_land")
            if row[position] != "—"
        ]

    assert values() == sorted(values())
    heading.locator("button").click()
    assert values() == sorted(values(), reverse=True)
    table.locator("th", has_text="name").locator("button").click()
    names = [row[1] for row in rows(page, "ecological_land")]
    assert names == sorted(names)


def test_missing_values_come_last_either_way(page: Any) -> None:
    table = opened(page, "ecological_land")
    button = table.locator("th", has_text="value").locator("button")
    for _ in range(2):
        button.click()
        assert rows(page, "ecological_land")[0][table.locator("th").all_inner_texts().index("value")] != "—"


def test_search(page: Any) -> None:
    table = opened(page, "balance")
    table.locator("input").fill("kelp 2010")
    assert "6 of 216 rows" in table.locator(".count").inner_text()
    assert {row[1] for row in rows(page, "balance")} == {"Kelp Island"}
    table.locator("input").fill("nothing like this")
    assert "No row matches." in table.inner_text()
    table.locator("input").fill("")
    assert "216 of 216 rows" in table.locator(".count").inner_text()


def test_pages(page: Any) -> None:
    table = opened(page, "balance")
    assert len(rows(page, "balance")) == 25 and "Page 1 of 9" in table.inner_text()
    assert table.locator("button", has_text="Previous").is_disabled()
    first = rows(page, "balance")[0]
    table.locator("button", has_text="Next").click()
    assert rows(page, "balance")[0] != first and "Page 2 of 9" in table.inner_text()


def test_texts_of_the_user_stay_texts(page: Any) -> None:
    opened(page, "notices")
    assert "Elm has no coal in 2000 <b>." in page.locator("#table-notices").inner_text()
    assert page.locator("#table-notices td b").count() == 0


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_no_sideways_scrolling_of_the_page(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, "global_moran")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_mode_turns_ground_and_ink(page: Any) -> None:
    def lightness(selector: str, name: str) -> float:
        colour = page.evaluate(f"getComputedStyle(document.querySelector({selector!r})).{name}")
        return sum(float(part) for part in colour.strip("rgba()").split(",")[:3])

    assert lightness("body", "backgroundColor") > lightness("body", "color")
    page.emulate_media(color_scheme="dark")
    assert lightness("body", "backgroundColor") < lightness("body", "color")
    assert lightness("figure", "backgroundColor") < 150


def test_keyboard_reaches_the_switch_and_the_tables(page: Any) -> None:
    page.locator("button[data-language='zh']").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.locator("#table-groups summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#table-groups tbody tr")
