"""The served page in a real Chromium: Python's own test behind the sliders, and a study set up by hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cobalance.explorer.server import ExplorerServer


@pytest.fixture
def served(chromium: Any) -> Iterator[Any]:
    """Serve a folder and open its page; at the end no error may have come up and only this server been asked."""
    servers: list[ExplorerServer] = []
    contexts: list[Any] = []
    errors: list[str] = []
    requests: list[str] = []

    def start(folder: Path) -> Any:
        server = ExplorerServer(folder)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-US", bypass_csp=False)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(server.address)
        page.wait_for_selector("html[data-ready]", timeout=20_000)
        return page

    yield start
    for context in contexts:
        context.close()
    own = tuple(f"http://127.0.0.1:{server.server_port}/" for server in servers)
    for server in servers:
        server.shutdown()
        server.server_close()
    assert errors == []
    assert [url for url in requests if not url.startswith((*own, "blob:", "data:"))] == []


def _wait(page: Any, condition: str) -> None:
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came: {condition}\n{page.inner_text('body')[-1500:]}")


def test_python_tests_the_clusters_of_a_scenario(served: Any, plain: Any, tmp_path: Path) -> None:
    plain.results.save(tmp_path)
    page = served(tmp_path)
    assert page.evaluate("cobalance.live") is True
    page.evaluate("cobalance.put('values', 'sequestration_rate/cropland', 0.5)")
    page.locator("#clusters svg.plot").scroll_into_view_if_needed()
    _wait(page, "cobalance.serverTested !== null")
    assert "tested again by Python, 999 permutations" in page.inner_text("#clusters .subtitle")
    assert page.evaluate("cobalance.clusters") == page.evaluate("cobalance.serverTested.cluster")
    # the index of the page and that of Python are one
    assert page.evaluate("Math.abs(cobalance.moran.i / cobalance.serverTested.moran_i - 1)") < 1e-9
    page.evaluate("cobalance.reset()")
    assert page.evaluate("cobalance.serverTested") is None


def test_a_study_is_set_up_checked_and_run(served: Any, plain: Any, tmp_path: Path) -> None:
    page = served(tmp_path)
    content = json.loads((plain.folder / "study.yaml").read_text(encoding="utf-8"))
    names = [*content["inputs"], "regions.csv", "squares.geojson"]
    page.set_input_files("input[type=file]", [str(plain.folder / name) for name in names])
    page.wait_for_selector(f".files li:nth-child({len(names)})")
    page.select_option(".actions select >> nth=0", "fuels.csv")
    page.click("button:has-text('Make a study file')")
    page.wait_for_selector("#s-study")
    assert page.locator(".field").count() > 30  # the form, from the JSON schema
    content["inputs"] = [f"inputs/{name}" for name in content["inputs"]]
    content["regions"]["table"] = "inputs/regions.csv"
    content["regions"]["boundary"]["file"] = "inputs/squares.geojson"
    content["spatial"]["permutations"] = 99
    page.get_by_role("button", name="Study file", exact=True).click()
    page.fill("textarea", json.dumps({**content, "yaers": 1}, ensure_ascii=False))
    page.click("button:has-text('Save and check')")
    page.wait_for_selector("#s-check")
    _wait(page, "document.querySelector('.notices')?.innerText.includes('yaers') ?? false")
    page.fill("textarea", json.dumps(content, ensure_ascii=False))
    page.click("button:has-text('Run')")
    page.wait_for_selector("#map svg.plot", timeout=60_000)
    assert page.evaluate("cobalance.payload.regions.codes.length") == 12
    assert (tmp_path / "results" / "report.html").is_file()


def test_the_form_keeps_what_it_is_given(served: Any, plain: Any, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text((plain.folder / "study.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    page = served(tmp_path)
    page.wait_for_selector(".form .field")
    group = page.locator(".field.group", has=page.locator("> summary code", has_text="ecological_land"))
    field = group.locator("label.field", has=page.locator("code", has_text="phi")).locator("input")
    assert field.input_value() == "0.5"
    field.fill("0.25")
    field.press("Tab")
    page.click("button:has-text('Save and check')")
    page.wait_for_selector("#s-check")
    kept = (tmp_path / "study.yaml").read_text(encoding="utf-8")
    assert "phi: 0.25" in kept
    assert "Missing" not in kept
