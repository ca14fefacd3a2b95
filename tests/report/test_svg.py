"""Figures inside the page: the same lines, fewer bytes, no clash of names."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cobalance.report.svg import Page, relative


def points_of(first: tuple[float, float], steps: str) -> list[tuple[str, float, float]]:
    """A plain reader of relative paths, to check the writer with."""
    found, command, here, start = [], "", first, first
    numbers: list[float] = []
    for token in re.findall(r"[mlz]|-?(?:\d+\.\d+|\.\d+|\d+)", steps):
        if token in "mlz":
            command = token
            here = start if token == "z" else here
            continue
        numbers.append(float(token))
        if len(numbers) == 2:
            here = (here[0] + numbers[0], here[1] + numbers[1])
            start = here if command == "m" else start
            found.append((command, *here))
            numbers = []
            command = "l" if command == "m" else command
    return found


coordinate = st.floats(-500, 500, allow_nan=False)
ring = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=12)


@given(st.lists(ring, min_size=1, max_size=4))
def test_steps_lead_to_the_same_points_within_a_tenth(rings: list[list[tuple[float, float]]]) -> None:
    path = " ".join(
        " ".join(f"{'M' if i == 0 else 'L'} {x:f} {y:f}" for i, (x, y) in enumerate(points)) + " z" for points in rings
    )
    reached = [(x, y) for _, x, y in points_of(*relative(path))]
    # each point is at most a rounding (0.05) of itself and one of the first point away; equal neighbours are one
    for points in rings:
        for x, y in points:
            assert any(abs(x - px) <= 0.1001 and abs(y - py) <= 0.1001 for px, py in reached)


def test_worked_path() -> None:
    # a square of 10 with a corner at (10, 10.55): steps 10 right, 0.6 down (rounded), back and close; then a new part
    assert relative("M 10 10 L 20 10.55 L 20 20 z M 30.04 30 L 31 30 z") == (
        (10.0, 10.0),
        "m0 0l10 .6 0 9.4zm20 20l1 0z",
    )


SVG = """<?xml version="1.0"?>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="10pt" height="10pt" viewBox="0 0 10 10" version="1.1">
 <metadata>who knows</metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="patch_1"><path d="M 0 0 L 10.123456 0 L 10 10 z" style="fill: #ffffff; stroke: #1d2528"/></g>
 <defs><path id="FaceSC-41" d="M 1 1 Q 2 2 3 3" transform="scale(0.015625)"/></defs>
 <g><use xlink:href="#FaceSC-41"/></g>
 <clipPath id="p0"><rect x="0" y="0"/></clipPath><g clip-path="url(#p0)"/>
</svg>"""


def test_names_styles_and_glyphs() -> None:
    page = Page()
    first, second = page.inline(SVG, "one", "A <title>"), page.inline(SVG, "two", "B")
    assert 'aria-label="A &lt;title&gt;"' in first
    assert 'id="one-p0"' in first and "url(#one-p0)" in first and "one-p0" not in second
    assert 'href="#FaceSC-41"' in first  # a glyph is the page's, not the figure's
    assert page.glyphs().count('id="FaceSC-41"') == 1
    assert "style=" not in first and "metadata" not in first and "<?xml" not in first
    assert page.css() == ".s0{fill: var(--paper); stroke: var(--ink)}"


def test_long_outlines_are_told_once() -> None:
    zigzag = "M 0 0 " + " ".join(f"L {i} {i % 7}" for i in range(1, 200)) + " z"
    moved = "M 5 30 " + " ".join(f"L {i + 5} {i % 7 + 30}" for i in range(1, 200)) + " z"
    page = Page()
    one = page.inline(f'<svg viewBox="0 0 1 1"><path d="{zigzag}" style="fill: red"/></svg>', "a", "")
    two = page.inline(f'<svg viewBox="0 0 1 1"><path d="{moved}" style="fill: blue"/></svg>', "b", "")
    assert '<use href="#h0" x="0" y="0" class="s0"/>' in one
    assert '<use href="#h0" x="5" y="30" class="s1"/>' in two
    assert page.glyphs().count("<path") == 1
