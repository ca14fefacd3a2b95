"""Charts of one row a region, assumption, set or activity: dots with whiskers on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FuncFormatter
from numpy.typing import NDArray

from cobalance.report import style
from cobalance.report.figures import plot_axes, swatches, tick

ROW = 0.19
LONGEST, WIDEST = 16.0, 36.0  # ems: of a row's name, of a line of the legend
FAR = 30.0  # values that lie farther apart than this ratio get a logarithmic axis


@dataclass(frozen=True)
class Dots:
    """One series over the rows: where each dot is, and the ends of its whisker (NaN for none)."""

    name: str
    colour: str
    values: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Heading:
    title: str
    subtitle: str
    axis: str


def dot_rows(
    names: Sequence[str], series: Sequence[Dots], heading: Heading, marks: Sequence[float] = (), share: bool = False
) -> Figure:
    """Rows from the top, each with a dot a series; ``marks`` are upright lines at values that mean something.

    share   the values are parts of a whole, so the axis is linear whatever they are
    """
    height = max(ROW * len(names), 0.4)
    entries = [(own.colour, own.name) for own in series] if len(series) > 1 else []
    lines = [[entry] for entry in entries] if sum(style.width(name) + 4 for _, name in entries) > WIDEST else [entries]
    rise = 0.18 * (len(lines) - 1)
    left = min(max((style.width(name) for name in names), default=1.0), LONGEST) * 8 / 72 + 0.25
    sheet = style.sheet(height + 0.78 + rise, heading.title, heading.subtitle)
    axes = plot_axes(sheet, height, "", below=0.66 + rise, left=left)
    positions = np.arange(len(names))[::-1]
    axes.set_ylim(-0.6, len(names) - 0.4)
    shifts = np.linspace(0.22, -0.22, len(series)) if len(series) > 1 else np.zeros(1)
    for shift, own in zip(shifts, series, strict=True):
        if own.low is not None and own.high is not None:
            axes.hlines(positions + shift, own.low, own.high, color=own.colour, lw=1.1, zorder=2)
        axes.scatter(own.values, positions + shift, s=15, color=own.colour, linewidths=0, zorder=3)
    ends = [part for own in series for part in (own.values, own.low, own.high) if part is not None]
    known = np.concatenate([*ends, np.asarray(marks, dtype=float)]) if ends else np.zeros(0)
    positive = known[np.isfinite(known) & (known > 0)]
    if not share and positive.size and positive.max() > FAR * np.median(positive):
        axes.set_xscale("symlog", linthresh=float(np.median(positive)))
    for mark in marks:
        axes.axvline(mark, color=style.MUTED, lw=0.8, ls=(0, (3, 2)), zorder=1)
    axes.set_yticks(positions)
    axes.yaxis.set_major_formatter(FixedFormatter([style.shortened(name, LONGEST) for name in names]))
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel(heading.axis)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    for line, parts in enumerate(lines):
        swatches(replace(sheet, bottom=sheet.bottom + rise - 0.18 * line), parts, 1)
    return sheet.figure
