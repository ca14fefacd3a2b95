"""matplotlib's SVG made fit for one page: small, without clashing names, in the reader's light or dark mode.

Styles become classes (so that the page's content policy can forbid inline styles); straight outlines are told by
steps of a tenth of a point, and those that figures share, as a map in two languages does, are told once; so are
glyphs. The neutral colours become the page's own.
"""

from __future__ import annotations

import re
from html import escape

from cobalance.report.style import INK, MUTED, PAPER, RULE

_THEME = {INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)", PAPER: "var(--paper)"}
_HEAD = re.compile(r"^.*?(<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_GLYPH = re.compile(r'\s*<path id="([A-Za-z0-9]+-[0-9a-f]+)" d="([^"]*)"(?: transform="([^"]*)")?\s*/>')
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_STYLE = re.compile(r' style="([^"]*)"')
_GROUP_ID = re.compile(r'<g id="[A-Za-z]+[A-Za-z_0-9]*">')
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')
_PATH = re.compile(r'<path d="(M [^"CQ]*)"([^>]*)/>')
_BLANK = re.compile(r">\s+<")


SHORTEST_SHARED = 300  # characters of an outline


def relative(path: str) -> tuple[tuple[float, float], str]:
    """First point and the steps from it (``m0 0l…z``) of a path of lines; errors of rounding do not add up."""
    tokens = path.split()
    pieces: list[str] = []
    first: tuple[float, float] | None = None
    here = start = (0, 0)
    position, last = 0, ""
    while position < len(tokens):
        command = tokens[position]
        if command == "z":
            pieces.append("z")
            here, last, position = start, "z", position + 1
            continue
        x, y = float(tokens[position + 1]), float(tokens[position + 2])
        if first is None:
            first = (round(x, 1), round(y, 1))
            origin = (x, y)
        point = (round((x - origin[0]) * 10), round((y - origin[1]) * 10))
        step = (point[0] - here[0], point[1] - here[1])
        position += 3
        if command == "M":
            pieces.append(f"m{_tenths(step[0])} {_tenths(step[1])}")
            start, last = point, "m"
        elif step != (0, 0):
            mark = "" if last == "l" else "l"
            second = _tenths(step[1])
            lead = _tenths(step[0])
            pieces.append(
                f"{mark or ('' if lead.startswith('-') else ' ')}{lead}{'' if second.startswith('-') else ' '}{second}"
            )
            last = "l"
        here = point
    return first or (0.0, 0.0), "".join(pieces)


def _tenths(value: int) -> str:
    """A number of tenths as short as SVG allows: 0, 3, .4, -12.5."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    whole, tenth = divmod(size, 10)
    text = (str(whole) if whole else "") + (f".{tenth}" if tenth else "")
    return sign + text if text else "0"


class Page:
    """What the figures of one page share: glyph outlines and style classes."""

    def __init__(self) -> None:
        self._glyphs: dict[str, str] = {}
        self._classes: dict[str, str] = {}
        self._outlines: dict[str, str] = {}

    def inline(self, svg: str, name: str, title: str) -> str:
        """The figure ``svg`` as an element of the page; ``name`` keeps its inner names apart from other figures'."""
        text = _COMMENT.sub("", _METADATA.sub("", _HEAD.sub(r"\1", svg)))
        text = re.sub(r"<style\b.*?</style>", "", text, flags=re.DOTALL)
        text = _GLYPH.sub(self._share, text)
        text = _PATH.sub(self._outline, text)
        text = _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), text)
        text = _STYLE.sub(self._class, text)
        text = _GROUP_ID.sub("<g>", text)
        own = set(_ID.findall(text))
        text = _ID.sub(lambda match: f'id="{name}-{match[1]}"', text)
        text = _REFERENCE.sub(lambda m: f"{m[1]}{name}-{m[2]}" if m[2] in own else m[0], text)
        text = text.replace("xlink:href", "href").replace("<defs>\n </defs>", "").replace("\n", " ")
        text = _BLANK.sub("><", re.sub(r" {2,}", " ", text))
        return re.sub(r"<svg\b[^>]*?viewBox", f'<svg role="img" aria-label="{escape(title)}" viewBox', text, count=1)

    def glyphs(self) -> str:
        """The shared outlines, as an element that takes no room."""
        outlines = (f'<path id="{name}" d="{steps}"/>' for steps, name in self._outlines.items())
        shared = "".join((*self._glyphs.values(), *outlines))
        return f'<svg class="glyphs" aria-hidden="true" width="0" height="0"><defs>{shared}</defs></svg>'

    def css(self) -> str:
        """The shared classes."""
        return "\n".join(f".{name}{{{declarations}}}" for declarations, name in self._classes.items())

    def _share(self, match: re.Match[str]) -> str:
        name, outline, transform = match[1], re.sub(r"\s+", " ", match[2]).strip(), match[3]
        moved = f' transform="{transform}"' if transform else ""
        self._glyphs.setdefault(name, f'<path id="{name}" d="{outline}"{moved}/>')
        return ""

    def _outline(self, match: re.Match[str]) -> str:
        start, steps = relative(match[1])
        rest = match[2]
        if len(steps) < SHORTEST_SHARED or "clip-path" in rest:
            return f'<path d="M{start[0]:g} {start[1]:g}{steps.removeprefix("m0 0")}"{rest}/>'
        name = self._outlines.setdefault(steps, f"h{len(self._outlines)}")
        return f'<use href="#{name}" x="{start[0]:g}" y="{start[1]:g}"{rest}/>'

    def _class(self, match: re.Match[str]) -> str:
        declarations = match[1]
        for colour, variable in _THEME.items():
            declarations = declarations.replace(colour, variable)
        return f' class="{self._classes.setdefault(declarations, f"s{len(self._classes)}")}"'
