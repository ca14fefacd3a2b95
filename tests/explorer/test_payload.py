"""What the page is made of: arrays, borders, parameters, and the built front end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely.geometry import Polygon, box

from cobalance.explorer import page as page_module
from cobalance.explorer.encoding import array, packed, read_array, unpacked, words
from cobalance.explorer.page import page_of
from cobalance.explorer.payload import payload
from cobalance.explorer.topology import topology
from cobalance.study.results import Results
from cobalance.vocabulary.errors import CobalanceError

ROOT = Path(__file__).parents[2]


@given(arrays(float, (3, 2), elements=st.floats(width=64)))
def test_arrays_come_back_bit_for_bit(values: Any) -> None:
    assert read_array(array(values)).tobytes() == values.astype("<f8").tobytes()


def test_words_come_back() -> None:
    given_words = np.array([["gap", "no gap"], ["gap", "undefined"]])
    coded = words(given_words)
    assert coded["words"] == ["gap", "no gap", "undefined"]
    assert (np.array(coded["words"])[read_array(coded["codes"])] == given_words).all()


def test_payload_text_is_the_same_for_the_same_content() -> None:
    content = {"a": [1, 2.5, array([[1.5, float("nan")], [-0.0, 7.0]])], "名": {"省": array([1, 2, 65535], "u2")}}
    assert packed(content) == packed(content)
    assert unpacked(packed(content)) == content
    with pytest.raises(ValueError, match="JSON"):  # a bare NaN is no JSON: missing numbers travel as arrays or null
        packed({"a": float("nan")})


def _rings(shape: dict[str, Any], region: str) -> list[list[tuple[int, int]]]:
    """The rings of a region put together from their arcs."""
    arcs = [np.cumsum(np.array(arc).reshape(-1, 2), axis=0).tolist() for arc in shape["arcs"]]
    made = []
    for ring in shape["rings"][region]:
        points: list[tuple[int, int]] = []
        for number in ring:
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += [tuple(point) for point in (arc if not points else arc[1:])]
        made.append(points)
    return made


def test_a_border_is_stored_once() -> None:
    squares = {"a": box(0, 0, 1, 1), "b": box(1, 0, 2, 1)}
    shape = topology({key: [np.array(own.exterior.coords)] for key, own in squares.items()}, (0, 0, 2, 1), 20)
    # 3 arcs: the outer line of each and the border between them, which one of the two runs backwards
    assert len(shape["arcs"]) == 3
    numbers = [number for rings in shape["rings"].values() for ring in rings for number in ring]
    assert sorted(number if number >= 0 else ~number for number in numbers) == [0, 1, 1, 2] or len(numbers) == 4
    assert {number for number in numbers if number < 0}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000))
def test_rings_close_and_areas_add_up(columns: int, rows: int, seed: int) -> None:
    """A jittered grid: every ring closes, the areas sum to the frame's, nothing overlaps."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(columns + 1) * 10.0, np.arange(rows + 1) * 10.0, indexing="ij")
    x[1:-1] += rng.integers(-3, 4, x[1:-1].shape)
    y[:, 1:-1] += rng.integers(-3, 4, y[:, 1:-1].shape)
    rings = {}
    for i in range(columns):
        for j in range(rows):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            rings[f"{i}-{j}"] = [np.array([(x[c], y[c]) for c in corners])]
    width = columns * 10
    shape = topology(rings, (0.0, 0.0, width, rows * 10.0), width)
    total = 0.0
    for region in rings:
        (ring,) = _rings(shape, region)
        assert ring[0] == ring[-1]
        total += Polygon(ring).area
    assert total == pytest.approx(columns * rows * 100)


def test_an_enclave_shares_its_outline_with_the_hole() -> None:
    outer, inner = box(0, 0, 10, 10), box(4, 4, 6, 6)
    ring = np.array(inner.exterior.coords)
    turned = np.vstack([ring[2:-1], ring[:3]])  # the same ring begun elsewhere
    shape = topology({"a": [np.array(outer.exterior.coords), turned[::-1]], "b": [ring]}, (0, 0, 10, 10), 10)
    assert len(shape["arcs"]) == 2
    assert Polygon(_rings(shape, "b")[0]).area == 4


def test_parameters_know_where_they_come_from(growth: Any) -> None:
    content = growth.content
    by_id = {parameter["id"]: parameter for parameter in content["parameters"]}
    coal = by_id["emission_factor/coal"]["rows"]
    assert {row["region"] for row in coal} == {"*", "r03", "r05"}
    assert {row["set"] for row in coal} == {"own.csv"} or {row["source"] for row in coal} == {"made up"}
    assert by_id["oxygen_release_rate/forest"]["follows"] is False  # npp-literature gives oxygen itself
    assert by_id["oxygen_release_rate/built"]["follows"] is True  # npp-footprint does not: 32/12 times the quotient
    assert by_id["sequestration_rate/forest"]["rows"][0]["status"] == "S"


def test_alternatives_stay_on_the_study_s_heat_and_leave_out_what_is_in_use(plain: Any) -> None:
    found = plain.content["alternatives"]
    names = {family: [entry["set"] for entry in entries] for family, entries in found.items()}
    assert "china-specific" not in names["emission"]
    assert "ipcc2006" in names["emission"]
    assert "eia-gross" not in names["emission"]  # per heat, and the study has tonnes
    assert "npp-footprint" not in names["sequestration"]


def test_a_study_without_boundary_or_outlook_still_has_a_page(plain: Any, chromium: Any, tmp_path: Path) -> None:
    results = plain.results
    bare = gpd.GeoDataFrame(results.regions[["name_zh", "name_en"]], geometry=[None] * len(results.regions))
    study = {**results.provenance["study"], "outlook": None}
    study["regions"] = {**study["regions"], "boundary": None}
    dataset = results.dataset.drop_vars([name for name in results.dataset if str(name).startswith("outlook")])
    tables = {name: table for name, table in results.tables.items() if "moran" not in name and name != "gravity_centre"}
    content = payload(Results(dataset, tables, bare, {**results.provenance, "study": study}))
    assert content["map"] is None
    assert content["space"] is None
    file = tmp_path / "bare.html"
    file.write_text(page_of(content), encoding="utf-8")
    errors: list[str] = []
    page = chromium.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.locator("section.card").count() == 4  # map (which says there is none), selection, land, about
    assert errors == []
    page.close()


def test_the_built_front_end_is_that_of_the_sources() -> None:
    """What ships is what stands in explorer/src: after a change there, npm run build."""
    sources = ROOT / "explorer" / "src"
    if not sources.is_dir():
        pytest.skip("no sources beside an installed package")
    digest = hashlib.sha256()
    for file in sorted(sources.iterdir(), key=lambda entry: entry.name):
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    built = ROOT / "src" / "cobalance" / "explorer" / "assets" / "sources.sha256"
    assert built.read_text(encoding="utf-8").strip() == digest.hexdigest()


def test_words_are_complete_in_both_languages() -> None:
    messages = json.loads((ROOT / "explorer" / "src" / "messages.json").read_text(encoding="utf-8"))
    assert len(messages) > 150
    for key, texts in messages.items():
        assert set(texts) == {"en", "zh"}, key
        assert all(text.strip() for text in texts.values()), key


def test_a_damaged_front_end_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page_module.resources, "files", lambda _: tmp_path)
    with pytest.raises(CobalanceError, match=r"E970 .*'explorer.css' is missing or damaged"):
        page_module.asset("explorer.css")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "explorer.js").write_text("'</SCRIPT>'")
    with pytest.raises(CobalanceError, match="E970"):
        page_module.asset("explorer.js")


def test_a_page_that_cannot_be_written_leaves_nothing(
    plain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "payload", lambda _: plain.content)
    with pytest.raises((CobalanceError, FileNotFoundError)):
        page_module.write_explorer(plain.results, tmp_path / "nowhere" / "explorer.html")
    assert list(tmp_path.iterdir()) == []
