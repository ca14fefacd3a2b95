"""The page for everyone: axe-core finds nothing to mend, in both languages, both colours, both widths."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("theme", ["", "&d=1"])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(plain: Any, chromium: Any, theme: str, language: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{plain.page.as_uri()}#l={language}{theme}")
    page.wait_for_selector("html[data-ready]")
    page.evaluate("cobalance.put('cuts', 'coal', 0.2), cobalance.select([0, 5]), (cobalance.drawer = true)")
    page.wait_for_selector("aside.drawer")
    found = axe.run(page).response["violations"]
    page.evaluate("cobalance.show({ of: 'needed', target: 'carbon', r: 5 })")
    page.wait_for_selector("dialog[open]")
    found += axe.run(page).response["violations"]
    page.close()
    assert [(own["id"], own["nodes"][0]["html"][:200]) for own in found] == []
