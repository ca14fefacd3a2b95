"""Two small studies, run for real once, their pages, and a Chromium to open them in.

*plain* forecasts levels with gross rates whose oxygen follows from a quotient. *growth* takes the pace of another
series, has rates with oxygen of their own, coefficients by region and by year, caps on conversion, a fuel that is
always zero, a region without data and one without neighbours. Names hold what a page must survive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from cobalance.explorer.page import page_of
from cobalance.explorer.payload import payload
from cobalance.study.pipeline import run_study
from cobalance.study.results import Results

YEARS = list(range(2010, 2020))
CODES = [f"r{number:02d}" for number in range(12)]
HOSTILE = '<img src=x onerror="document.title=1">"\'&</script><script>document.title=2</script>'
LONG = "Länge " * 50
RTL = "\u202eمنطقة evil\u202c"
NAMES = ["Ash", "Birch", HOSTILE, LONG, RTL, "Fir", "Gum", "Holly", "Ivy", "Juniper", "Kelp", "Larch"]
ISLAND, EMPTY = 10, 11


@dataclass(frozen=True)
class Ran:
    """A study that was run: its folder, its results, what the page holds of it, its page."""

    folder: Path
    results: Results
    content: dict[str, Any]
    page: Path


def _rows(values: Callable[[int, int], float], variable: str, unit: str, *, empty: bool = True) -> list[dict[str, Any]]:
    regions = [r for r in range(12) if not (empty and r == EMPTY)]
    return [
        {"region": CODES[r], "year": year, "variable": variable, "unit": unit, "value": values(r, t)}
        for r in regions
        for t, year in enumerate(YEARS)
    ]


def _table(folder: Path, name: str, rows: list[dict[str, Any]]) -> str:
    pd.DataFrame(rows).to_csv(folder / name, index=False, encoding="utf-8")
    return name


def _write_common(folder: Path) -> dict[str, Any]:
    """Regions on a grid of 4 by 3, the eleventh an island far off, the twelfth without data."""
    squares = [box(100 + r % 4, 30 + r // 4, 101 + r % 4, 31 + r // 4) for r in range(12)]
    squares[ISLAND] = box(112.0, 24.0, 112.8, 24.6)
    frame = gpd.GeoDataFrame({"code": CODES}, geometry=squares, crs="EPSG:4326")
    frame.to_file(folder / "squares.geojson", driver="GeoJSON")
    zh = [f"区域{number}" for number in range(12)]
    pd.DataFrame({"region": CODES, "name_en": NAMES, "name_zh": zh}).to_csv(folder / "regions.csv", index=False)
    land = {"forest": 40, "cropland": 30, "grassland": 20, "built": 4}
    inputs = [
        _table(
            folder,
            "land.csv",
            [
                row
                for item, size in land.items()
                for row in _rows(lambda r, t, s=size: 1e4 * (s + r + (0.3 * t if s == 4 else -0.1 * t)), item, "ha")
            ],
        ),
        _table(folder, "people.csv", _rows(lambda r, t: 1e5 * (1 + (r * 7) % 5) * 1.01**t, "population", "person")),
        _table(folder, "cement.csv", _rows(lambda r, t: 2e4 * (1 + r % 3) * (1 + 0.02 * t), "cement_output", "t")),
    ]
    return {
        "title": {"en": f"Squares {HOSTILE}", "zh": "方格研究 <b>甲</b>"},
        "years": YEARS,
        "regions": {
            "table": "regions.csv",
            "boundary": {"file": "squares.geojson", "key": "code", "source": "made up for tests"},
        },
        "groups": {"west": {"en": "West", "zh": "西部", "members": ["r00", "r04", "r08"]}},
        "inputs": inputs,
        "spatial": {"permutations": 999},
        "seed": 7,
    }


def plain_study(folder: Path) -> Path:
    content = _write_common(folder)
    coal = _rows(lambda r, t: 4e6 * (1 + (r * 5) % 7) * 1.03**t, "coal", "t")
    gas = _rows(lambda r, t: 1e7 * (1 + (r * 3) % 4) * (1 + 0.05 * t), "natural_gas", "m3")
    # one region starts at zero and leaves gas again: no model applies and its last value is held
    gas = [
        {**row, "value": 0.0 if row["year"] == 2010 else 1e7 * (2020 - row["year"])} if row["region"] == "r01" else row
        for row in gas
    ]
    content["inputs"].append(_table(folder, "fuels.csv", coal + gas))
    content["coefficients"] = {"emission": "china-specific"}
    content["outlook"] = {"window": [2010, 2019], "target": 2030, "combination": "median"}
    content["ecological_land"] = {"phi": 0.5}
    return _study_file(folder, content)


def growth_study(folder: Path) -> Path:
    content = _write_common(folder)
    coal = _rows(lambda r, t: 4e6 * (1 + (r * 5) % 7) * 1.03**t, "coal", "t")
    diesel = _rows(lambda r, t: 0.0 if r < 2 else 1e4 * (1 + r % 3) * 0.97**t, "diesel", "t")
    content["inputs"].append(_table(folder, "fuels.csv", coal + diesel))
    scaled = [{**row, "value": row["value"] * (0.8 + 0.01 * (row["year"] - 2010))} for row in coal + diesel]
    series = _table(folder, "series.csv", scaled)
    own = {"source": "made up", "locator": "row", "status": "U", "low": "", "high": "", "note": "", "basis": ""}
    factors = [
        {"region": "*", "year": "", "value": 0.54},
        {"region": "r03", "year": "", "value": 0.6},
        {"region": "r05", "year": 2010, "value": 0.5},
        {"region": "r05", "year": 2019, "value": 0.59},
    ]
    table = [{"quantity": "emission_factor", "item": "coal", "unit": "t C / t", **row, **own} for row in factors]
    content["coefficients"] = {
        "sequestration": ["npp-literature", "npp-footprint"],
        "emission": [_table(folder, "own.csv", table), "china-specific"],
    }
    content["outlook"] = {
        "window": [2010, 2019],
        "target": 2030,
        "inputs": [series, "people.csv", "cement.csv"],
        "definition": "another definition",
        "apply": "growth",
    }
    content["ecological_land"] = {
        "classes": ["forest", "grassland", "cropland"],
        "convertible": {"cropland": 0.1, "built": 0.05},
    }
    return _study_file(folder, content)


def _study_file(folder: Path, content: dict[str, Any]) -> Path:
    file = folder / "study.yaml"
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")  # JSON is YAML
    return file


def _ran(folder: Path, make: Callable[[Path], Path]) -> Ran:
    results = run_study(make(folder))
    content = payload(results)
    page = folder / "explorer.html"
    page.write_text(page_of(content), encoding="utf-8", newline="\n")
    return Ran(folder, results, content, page)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return _ran(tmp_path_factory.mktemp("plain"), plain_study)


@pytest.fixture(scope="session")
def growth(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return _ran(tmp_path_factory.mktemp("growth"), growth_study)


@pytest.fixture(params=["plain", "growth"])
def ran(request: pytest.FixtureRequest) -> Ran:
    found: Ran = request.getfixturevalue(request.param)
    return found


class Watched:
    """A page whose errors and requests are kept, to be asked at the end."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str) -> Any:
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready]", timeout=20_000)
        return self.page


@pytest.fixture
def watched(chromium: Any) -> Iterator[Callable[..., Watched]]:
    """Open pages offline in contexts of their own; at the end none may have failed or asked the network."""
    contexts: list[Any] = []
    pages: list[Watched] = []

    def make(**options: Any) -> Watched:
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, "locale": "en-US", **options}
        )
        context.set_offline(True)
        contexts.append(context)
        pages.append(Watched(context.new_page()))
        return pages[-1]

    yield make
    for context in contexts:
        context.close()
    assert [error for page in pages for error in page.errors] == []
    outside = [url for page in pages for url in page.requests if not url.startswith(("file:", "blob:", "data:"))]
    assert outside == []


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE
