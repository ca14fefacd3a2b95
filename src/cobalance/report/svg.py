"""matplotlib's SVG made fit for one page: small, without clashing names, in the reader's light or dark mode.

Styles become classes (so that the page's content policy can forbid inline styles), coordinates keep two decimals,
glyph outlines are shared by all figures of the page, and the neutral colours become the page's own.
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
_BLANK = re.compile(r">\s+<")


class Page:
    """What the figures of one page share: glyph outlines and style classes."""

    def __init__(self) -> None:
        self._glyphs: dict[str, str] = {}
        self._classes: dict[str, str] = {}

    def inline(self, svg: str, name: str, title: str) -> str:
        """The figure ``svg`` as an element of the page; ``name`` keeps its inner names apart from other figures'."""
        text = _COMMENT.sub("", _METADATA.sub("", _HEAD.sub(r"\1", svg)))
        text = re.sub(r"<style\b.*?</style>", "", text, flags=re.DOTALL)
        text = _GLYPH.sub(self._share, text)
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
        return f'<svg class="glyphs" aria-hidden="true" width="0" height="0"><defs>{"".join(self._glyphs.values())}</defs></svg>'

    def css(self) -> str:
        """The shared classes."""
        return "\n".join(f".{name}{{{declarations}}}" for declarations, name in self._classes.items())

    def _share(self, match: re.Match[str]) -> str:
        name, outline, transform = match[1], re.sub(r"\s+", " ", match[2]).strip(), match[3]
        moved = f' transform="{transform}"' if transform else ""
        self._glyphs.setdefault(name, f'<path id="{name}" d="{outline}"{moved}/>')
        return ""

    def _class(self, match: re.Match[str]) -> str:
        declarations = match[1]
        for colour, variable in _THEME.items():
            declarations = declarations.replace(colour, variable)
        return f' class="{self._classes.setdefault(declarations, f"s{len(self._classes)}")}"'
