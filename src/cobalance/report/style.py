"""How figures look: colours that hang on words, the faces they are set in, and how they are written.

matplotlib is used through its objects only; its settings hold inside :func:`drawing` and nowhere else.
"""

from __future__ import annotations

import functools
import io
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

from cobalance.vocabulary.errors import Language

FAMILY = "Cobalance Sans SC"
FALLBACK = "DejaVu Sans"
INK, MUTED, RULE, PAPER = "#1d2528", "#5c676c", "#c5ccd0", "#ffffff"
"""Neutral colours; in the page they follow the reader's light or dark mode (see ``svg.inline``)."""

ON_LIGHT, ON_DARK = "#11181b", "#fdfdfd"
"""Letters on coloured ground; they stay as they are in either mode."""

GROUND, NAME, BORDER = "#e8ecea", "#6f7a7f", "#97a1a5"
"""Regions under a track, their names and their borders; light in either mode."""
NO_DATA_HATCH, INFEASIBLE_HATCH = "/////", "xx"
LETTERS = {"high-high": "HH", "low-low": "LL", "low-high": "LH", "high-low": "HL"}
CLUSTERS = {
    "high-high": "#b2182b",
    "low-low": "#2166ac",
    "low-high": "#92c5de",
    "high-low": "#fdb863",
    "not significant": "#efefef",
    "isolated": "#999999",
    "undefined": "#464646",
}
CARBON, OXYGEN, SINK, DRAFT = "#b5651d", "#018571", "#018571", "#b2182b"
BELOW_ONE = ("#003c30", "#01665e", "#35978f", "#80cdc1", "#c7eae5")
ABOVE_ONE = ("#f6e8c3", "#dfc27d", "#bf812d", "#8c510a", "#6b3d07", "#3d2303")
GAPS = ("#dfe8e2", "#dadaeb", "#bcbddc", "#9e9ac8", "#756bb1", "#54278f")
MODELS = {"observed": INK, "linear": "#0072b2", "grey": "#e69f00", "growth": "#009e73", "ensemble": "#d55e00"}
SOURCES = {
    "coal": "#64646f",
    "coke": "#8a8a94",
    "crude_oil": "#7c4a2d",
    "gasoline": "#d55e00",
    "kerosene": "#e9a23b",
    "jet_fuel": "#f0c571",
    "diesel": "#b5651d",
    "fuel_oil": "#8a3b3b",
    "lpg": "#cc79a7",
    "natural_gas": "#56a0d3",
    "cement": "#a3a3a3",
    "respiration": "#6aa84f",
    "forest": "#1b7837",
    "shrub": "#5aae61",
    "garden": "#a6d96a",
    "cropland": "#e0b94d",
    "grassland": "#a6dba0",
    "wetland": "#35978f",
    "water": "#67a9cf",
    "built": "#9a8fa8",
    "barren": "#d9c9a8",
    "snow_ice": "#bcd6e6",
}
SPARE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#44aa99", "#882255", "#ddcc77")

SETTINGS = {
    "font.family": [FAMILY, FALLBACK],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "hatch.color": MUTED,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "patch.linewidth": 0.4,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",
    "svg.hashsalt": "cobalance",
    "pdf.fonttype": 42,
    "path.simplify": False,
}


def colour(label: str, position: int) -> str:
    """The colour of a source or land class by its word; the user's own ones take spare colours in order."""
    return SOURCES.get(label, SPARE[position % len(SPARE)])


@contextmanager
def drawing() -> Iterator[None]:
    """Our settings and faces, for as long as the block lasts."""
    _add_face()
    with matplotlib.rc_context(SETTINGS):  # type: ignore[arg-type]
        yield


@dataclass(frozen=True)
class Sheet:
    """A figure with its title and footer set; ``top`` and ``bottom`` (inches) bound what is left for axes."""

    figure: Figure
    width: float
    height: float
    top: float
    bottom: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Axes at a place in inches from the lower left corner."""
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def write(self, x: float, y: float, text: str, **style: object) -> Text:
        """Text at a place in inches."""
        return self.figure.text(x / self.width, y / self.height, text, **style)  # type: ignore[arg-type]

    def add(self, patch: Patch) -> None:
        """A patch whose coordinates are inches."""
        patch.set_transform(self.figure.dpi_scale_trans)
        self.figure.add_artist(patch)


_PIECES = re.compile(r"[!-~–]+ ?|.", re.DOTALL)
_CLOSING = "，。；：、）”’,.;:)"
WIDTH = 4.6
MARGIN = 0.12


def sheet(body: float, title: str, subtitle: str = "", footer: str = "", mark: str = "") -> Sheet:
    """A blank sheet with ``body`` inches of height between its heading and its footer, both wrapped to the width.

    ``mark`` (such as *draft*) stands in the lower right corner, clear of the footer.
    """
    room = (WIDTH - 2 * MARGIN) * 72
    title = title[:1].upper() + title[1:]
    head, sub = wrap(title, room / 11.0), wrap(subtitle, room / 8.5)
    foot = wrap(footer, (room - 9 * width(mark)) / 6.8) or ([""] if mark else [])
    rise = 0.1 + 0.2 * len(head) + 0.155 * len(sub)
    fall = 0.06 + 0.125 * len(foot)
    height = body + rise + fall
    result = Sheet(Figure(figsize=(WIDTH, height)), WIDTH, height, height - rise, fall)
    result.figure.set_label(title)
    y = height - 0.06
    for line in head:
        result.write(MARGIN, y, line, va="top", size=11)
        y -= 0.2
    for line in sub:
        result.write(MARGIN, y - 0.02, line, va="top", size=8.5, color=MUTED)
        y -= 0.155
    for number, line in enumerate(reversed(foot)):
        result.write(MARGIN, 0.07 + 0.125 * number, line, va="baseline", size=6.8, color=MUTED)
    if mark:
        result.write(WIDTH - MARGIN, 0.07, mark, va="baseline", ha="right", size=8, color=DRAFT)
    return result


def wrap(text: str, ems: float) -> list[str]:
    """Lines of ``text`` that are at most ``ems`` wide, a Chinese character being one and a Latin letter about half.

    Chinese breaks anywhere but before a closing sign, Latin between words.
    """
    if not text:
        return []
    if not any(_is_wide(character) for character in text):
        return textwrap.wrap(text, max(int(ems / 0.52), 10))
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and width(line) + width(piece.rstrip()) > ems and piece[0] not in _CLOSING:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()]


def width(text: str) -> float:
    """About how many ems a text is wide."""
    return sum(1.0 if _is_wide(character) else 0.52 for character in text)


def shortened(text: str, ems: float) -> str:
    """``text``, cut with an ellipsis where it is wider than ``ems``."""
    lines = wrap(text, ems)
    return text if len(lines) <= 1 else lines[0] + "…"


def mend_glyphs(figure: Figure) -> set[str]:
    """Put 〓, the printer's sign for a lacking type, where neither face has a character; return those characters."""
    lacking: set[str] = set()
    for item in _texts(figure):
        item.set_text(_mended(item.get_text(), lacking))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                axis.set_major_formatter(FixedFormatter([_mended(text, lacking) for text in formatter.seq]))
    return lacking


def _mended(text: str, lacking: set[str]) -> str:
    found = {character for character in text if ord(character) not in _known() and character != "\n"}
    lacking |= found
    return "".join("〓" if character in found else character for character in text) if found else text


def _texts(figure: Figure) -> Iterator[Text]:
    """The texts that someone has written; numbers on axes are matplotlib's and need no look."""
    yield from figure.texts
    for axes in figure.axes:
        yield from axes.texts
        yield from (axes.xaxis.label, axes.yaxis.label)


def written(figure: Figure, form: str) -> bytes:
    """The figure as ``svg``, ``png`` or ``pdf``; the same figure gives the same bytes."""
    stream = io.BytesIO()
    metadata: dict[str, dict[str, object]] = {
        "svg": {"Date": None, "Creator": "cobalance"},
        "pdf": {"CreationDate": None, "Creator": "cobalance", "Producer": None},
        "png": {"Software": "cobalance"},
    }
    figure.savefig(stream, format=form, metadata=metadata[form], dpi=160)
    return stream.getvalue()


def other(language: Language) -> Language:
    return "zh" if language == "en" else "en"


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


@functools.cache
def _add_face() -> None:
    with resources.as_file(resources.files("cobalance.report") / "fonts" / "CobalanceSansSC.ttf") as file:
        font_manager.fontManager.addfont(str(file))


@functools.cache
def _known() -> frozenset[int]:
    """Characters that the faces can set."""
    known: set[int] = set()
    for family in (FAMILY, FALLBACK):
        file = Path(font_manager.findfont(family, fallback_to_default=False))
        known |= set(font_manager.get_font(str(file)).get_charmap())
    return frozenset(known)
