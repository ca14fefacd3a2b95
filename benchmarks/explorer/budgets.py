"""The explorer's budgets in headless Chromium, beside ECharts: 48 and 3,111 made-up regions, medians of repeated steps.

    python benchmarks/explorer/budgets.py [--regions 48 3111] [--echarts FOLDER]

FOLDER holds ``echarts.min.js`` (of ``npm pack echarts``); without it the peer is left out. Brush, year step and slider
are timed from the event to the frame after it was drawn. Budgets: program 80 KB gzipped, file 0.6 and 2 MB, brush
p95 60 ms, year step 150 ms, slider 100 ms, first paint 0.5 and 1 s, no request.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Polygon, mapping

YEARS = list(range(2010, 2020))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EDGE = 8
"""Vertices along each border, as of a county in a generalised boundary."""


def polygons(count: int, seed: int = 1) -> list[Polygon]:
    """A grid of ``count`` regions with crooked borders that neighbours share."""
    rng = np.random.default_rng(seed)
    columns = round((count * 1.2) ** 0.5)
    rows = -(-count // columns)
    corner = np.stack(np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0), indexing="ij"), axis=-1)
    corner += rng.uniform(-0.25, 0.25, corner.shape)
    share = np.linspace(0, 1, EDGE + 1)[1:-1, None]

    def border(start: Any, end: Any) -> Any:
        wiggle = rng.uniform(-0.06, 0.06, (EDGE - 1, 2))
        return np.vstack([start, start + (end - start) * share + wiggle])

    across = {(i, j): border(corner[i, j], corner[i + 1, j]) for i in range(columns) for j in range(rows + 1)}
    up = {(i, j): border(corner[i, j], corner[i, j + 1]) for i in range(columns + 1) for j in range(rows)}
    made = []
    for k in range(count):
        i, j = k % columns, k // columns
        back = np.vstack([across[i, j + 1][1:], corner[i + 1, j + 1][None]])[::-1]
        down = np.vstack([up[i, j][1:], corner[i, j + 1][None]])[::-1]
        points = np.vstack([across[i, j], up[i + 1, j], back, down])
        made.append(Polygon(points * (40 / columns, 25 / rows) + (-110, 28)))
    return made


def study(folder: Path, count: int) -> Path:
    """A study of ``count`` made-up regions over ten years."""
    codes = [f"c{number:05d}" for number in range(count)]
    rng = np.random.default_rng(2)
    gpd.GeoDataFrame({"code": codes}, geometry=polygons(count), crs="EPSG:4326").to_file(folder / "b.geojson")
    names = {
        "region": codes,
        "name_en": [f"County {k}" for k in range(count)],
        "name_zh": [f"县{k}" for k in range(count)],
    }
    pd.DataFrame(names).to_csv(folder / "regions.csv", index=False)
    frames = []
    for variable, unit, size in (
        *(("forest", "ha", 4e4), ("cropland", "ha", 3e4), ("grassland", "ha", 2e4), ("built", "ha", 4e3)),
        *(("coal", "t", 2e5), ("natural_gas", "m3", 2e7), ("population", "person", 1e5)),
    ):
        level = size * rng.lognormal(0, 0.8, count)
        for t, year in enumerate(YEARS):
            values = level * (1.01**t if unit != "ha" else 1.0)
            frames.append(
                pd.DataFrame({"region": codes, "year": year, "variable": variable, "unit": unit, "value": values})
            )
    pd.concat(frames).round({"value": 1}).to_csv(folder / "data.csv", index=False)
    content = {
        "title": f"{count} regions",
        "years": YEARS,
        "regions": {"table": "regions.csv", "boundary": {"file": "b.geojson", "key": "code", "source": "made up"}},
        "inputs": ["data.csv"],
        "coefficients": {"emission": "china-specific"},
        "spatial": {"permutations": 99},
        "outlook": {"window": [2010, 2019], "target": 2030, "backtest": False},
    }
    (folder / "study.yaml").write_text(json.dumps(content), encoding="utf-8")
    return folder / "study.yaml"


DRAWN = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"
STEPS = {
    "brush": f"""async (k) => {{ const n = cobalance.model.n, all = [...Array(n).keys()];
      const start = performance.now(); cobalance.select(all.filter((r) => (r * 7919 + k * 104729) % 10 < 3));
      return (await {DRAWN}) - start; }}""",
    "year step": f"""async (k) => {{ const start = performance.now(); cobalance.t = k % cobalance.model.T;
      return (await {DRAWN}) - start; }}""",
    "slider φ": f"""async (k) => {{ const start = performance.now(); cobalance.change({{ phi: 0.2 + 0.01 * k }});
      return (await {DRAWN}) - start; }}""",
    "slider rate": f"""async (k) => {{ const start = performance.now();
      cobalance.put('values', 'sequestration_rate/forest', 5 + 0.05 * k); return (await {DRAWN}) - start; }}""",
}


def measured(browser: Any, page_file: Path, repeats: int = 25) -> dict[str, Any]:
    """Milliseconds of each step, first paint, and how many requests the page made."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    page.wait_for_timeout(500)
    found: dict[str, Any] = {
        "first paint": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"),
        "requests": len([url for url in requests if not url.startswith(("file:", "blob:", "data:"))]),
    }
    for name, script in STEPS.items():
        times = [page.evaluate(script, k) for k in range(repeats)][3:]
        found[name] = {"median": float(np.median(times)), "p95": float(np.percentile(times, 95))}
        page.evaluate("cobalance.reset(); cobalance.clear()")
    page.close()
    return found


PEER = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<div id="c" style="width:620px;height:520px"></div>
<script src="echarts.min.js"></script><script>
const shape = SHAPE; echarts.registerMap('m', shape);
const chart = echarts.init(document.getElementById('c'), null, { renderer: 'RENDERER' });
const names = shape.features.map((f) => f.properties.name);
const data = (k) => names.map((name, r) => ({ name, value: (r * 7919 + k * 104729) % 100 }));
chart.setOption({ animation: false, visualMap: { min: 0, max: 100 },
  series: [{ type: 'map', map: 'm', selectedMode: 'multiple', data: data(0) }] });
window.brush = async (k) => { const start = performance.now();
  chart.setOption({ series: [{ data: names.map((name, r) => ({ name, value: r % 100,
    itemStyle: { opacity: (r * 7919 + k * 104729) % 10 < 3 ? 1 : 0.2 } })) }] });
  return (await DRAWN) - start; };
window.step = async (k) => { const start = performance.now(); chart.setOption({ series: [{ data: data(k) }] });
  return (await DRAWN) - start; };
document.documentElement.dataset.ready = 'true';
</script>"""


def peer(browser: Any, folder: Path, library: Path, count: int, renderer: str) -> dict[str, Any]:
    """The same brush and year step of one map in ECharts."""
    shutil.copy(library, folder / "echarts.min.js")
    features = [
        {"type": "Feature", "properties": {"name": f"c{k}"}, "geometry": mapping(polygon)}
        for k, polygon in enumerate(polygons(count))
    ]
    shape = json.dumps({"type": "FeatureCollection", "features": features})
    text = PEER.replace("SHAPE", shape).replace("RENDERER", renderer).replace("DRAWN", DRAWN)
    (folder / "peer.html").write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((folder / "peer.html").as_uri())
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    found = {}
    for name, call in (("brush", "brush"), ("year step", "step")):
        times = [page.evaluate(f"(k) => {call}(k)", k) for k in range(25)][3:]
        found[name] = {"median": float(np.median(times)), "p95": float(np.percentile(times, 95))}
    page.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, nargs="+", default=[48, 3111])
    parser.add_argument("--echarts", type=Path)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from cobalance.explorer import write_explorer
    from cobalance.explorer.page import asset
    from cobalance.study.pipeline import run_study

    program = asset("explorer.js").encode("utf-8")
    print(f"program: {len(program) / 1e3:.0f} KB, {len(gzip.compress(program)) / 1e3:.1f} KB gzipped")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as made:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )
        print(f"Chromium {browser.version}")
        for count in arguments.regions:
            folder = Path(made) / str(count)
            folder.mkdir()
            results = run_study(study(folder, count))
            start = time.process_time()
            file = write_explorer(results, folder / "explorer.html")
            size, spent = file.stat().st_size / 1e6, time.process_time() - start
            print(f"\n{count} regions: file {size:.2f} MB, written in {spent:.1f} CPU s")
            for name, value in measured(browser, file).items():
                print(f"  {name:12} {_text(value)}")
            if arguments.echarts:
                for renderer in ("canvas", "svg"):
                    for name, value in peer(
                        browser, folder, arguments.echarts / "echarts.min.js", count, renderer
                    ).items():
                        print(f"  ECharts {renderer}, one map: {name:12} {_text(value)}")
        browser.close()


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return f"median {value['median']:.0f} ms, p95 {value['p95']:.0f} ms"
    return f"{value:.0f}" if value is not None else "—"


if __name__ == "__main__":
    main()
