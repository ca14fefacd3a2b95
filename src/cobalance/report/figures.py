"""Charts: emission and consumption by source, sequestration by class, Moran's I, outlook, ecological-land gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FuncFormatter, MaxNLocator

from cobalance.report import style
from cobalance.report.facts import BURDEN, CAPACITY, CARBON, OXYGEN, Facts, Total
from cobalance.report.style import Sheet
from cobalance.report.words import label, number, say, scale_of, unit_text
from cobalance.vocabulary.errors import Language

LEFT, RIGHT = 0.62, 0.12
MOST_BARS = 24
LARGEST = 6
BAR = 0.41  # half a bar's width, in years
STEPS = (1, 2, 2.5, 5, 10)


def stacked_bars(facts: Facts, variable: str, language: Language) -> Figure:
    """A quantity by source or class and year, over all regions with data; the other side of the balance as a line."""
    total = facts.total(variable)
    target = CARBON if variable in (BURDEN[CARBON], CAPACITY[CARBON]) else OXYGEN
    partner = CAPACITY[target] if variable == BURDEN[target] else None
    order = [str(item) for item in total.values if (total.values[item].fillna(0) != 0).any()]
    unit = str(facts.dataset[variable].attrs.get("units", ""))
    line = facts.total(partner).sum if partner else None
    highest = float(np.nanmax([total.sum.max(), line.max() if line is not None else np.nan]))
    factor, prefix = scale_of(highest, unit, language)
    rows = -(-(len(order) + (line is not None)) // 3)
    title = say("bars.title", language, variable=label(variable, language))
    sheet = style.sheet(2.9 + 0.18 * rows, title, _regions_note(total, language))
    axes = plot_axes(sheet, 2.3, f"{prefix}{unit_text(unit, language)}", below=0.35 + 0.18 * rows)
    _stack(axes, total, order, factor, highest / factor)
    colours = [style.colour(item, i) for i, item in enumerate(order)]
    entries = [(colour, label(item, language)) for colour, item in zip(colours, order, strict=True)]
    if line is not None and partner is not None:
        positions = np.arange(len(total.values))
        axes.plot(positions, line.to_numpy() / factor, color=style.SINK, lw=1.8, marker="o", ms=2.5, zorder=4)
        entries.append((style.SINK, label(partner, language)))
    _year_ticks(axes, [int(year) for year in total.values.index])
    swatches(sheet, entries, rows)
    return sheet.figure


def moran_scatter(facts: Facts, variable: str, year: int, language: Language) -> Figure:
    """Standardised value against the neighbours' mean, in quadrants; the slope is Moran's I."""
    rows = facts.table("local_moran")
    rows = rows[(rows["variable"] == variable) & (rows["year"] == year)]
    rows = rows[rows["z"].notna() & rows["lag"].notna()]
    slope = _moran_value(facts, variable, year)
    title = say("moran.title", language, variable=label(variable, language), year=year)
    subtitle = say("moran.subtitle", language, i=number(slope), n=len(rows)) + _p_values(
        facts, variable, year, language
    )
    sheet = style.sheet(3.85, title, subtitle)
    axes = plot_axes(sheet, 3.15, say("moran.y", language), below=0.45, left=0.55)
    axes.set_xlabel(say("moran.x", language))
    x, y = rows["z"].to_numpy(float), rows["lag"].to_numpy(float)
    for word, face in style.CLUSTERS.items():
        own = (rows["cluster"] == word).to_numpy()
        edge = style.MUTED if word == "not significant" else style.PAPER
        axes.scatter(x[own], y[own], s=22, c=face, edgecolors=edge, linewidths=0.5, zorder=3)
    axes.axhline(0, color=style.RULE, lw=0.8, zorder=1)
    axes.axvline(0, color=style.RULE, lw=0.8, zorder=1)
    _margins(axes, x, y)
    if np.isfinite(slope):
        ends = np.array(axes.get_xlim())
        axes.plot(ends, slope * ends, color=style.INK, lw=1.1, zorder=2, scalex=False, scaley=False)
    for word, place in {"HH": (0.985, 0.98), "LH": (0.015, 0.98), "LL": (0.015, 0.02), "HL": (0.985, 0.02)}.items():
        axes.text(
            *place, word, transform=axes.transAxes, color=style.MUTED, size=9,
            ha="right" if place[0] > 0.5 else "left", va="top" if place[1] > 0.5 else "bottom",
        )  # fmt: skip
    _name_outliers(axes, rows, facts.names(language))
    return sheet.figure


def moran_series(facts: Facts, language: Language) -> Figure:
    """Global Moran's I of each variable by year, filled where its permutation p is below the study's level."""
    rows = facts.table("global_moran")
    level = facts.study.spatial.significance
    sheet = style.sheet(
        2.75, say("moran_series.title", language), say("moran_series.subtitle", language, p=f"{level:g}")
    )
    axes = plot_axes(sheet, 1.95, label("moran_i", language), below=0.55)
    entries = []
    for position, (variable, own) in enumerate(rows.groupby("variable", sort=False)):
        colour = (style.CARBON, style.OXYGEN, *style.SPARE)[position]
        own = own.sort_values("year")
        years, values = own["year"].to_numpy(float), own["moran_i"].to_numpy(float)
        significant = own["pseudo_p"].to_numpy(float) < level
        axes.plot(years, values, color=colour, lw=1.4)
        axes.scatter(
            years,
            values,
            s=16,
            zorder=3,
            linewidths=1,
            edgecolors=colour,
            c=[colour if s else style.PAPER for s in significant],
        )
        entries.append((colour, label(str(variable), language)))
    axes.axhline(0, color=style.MUTED, lw=0.7)
    known = sorted({int(year) for year in rows["year"]})
    axes.set_xticks(known if len(known) <= 8 else [year for year in known if year % 5 == 0])
    swatches(sheet, entries, 1)
    return sheet.figure


def outlook_activities(facts: Facts, language: Language) -> Figure:
    """Each activity over the regions whose observed years and ensemble are known throughout."""
    panels = [
        (label(activity, language), f"n = {count}", series, unit)
        for activity, count, series, unit in whole_activities(facts)
    ]
    subtitle = say("outlook.subtitle", language, n=facts.table("outlook")["region"].nunique())
    return _small_multiples(panels, say("outlook.title", language), subtitle, language)


def whole_activities(facts: Facts) -> list[tuple[str, int, pd.Series, str]]:
    """(activity, regions, their sum by kind and year, unit) of activities that some region knows throughout."""
    found = []
    for activity, own in facts.table("outlook").groupby("activity", sort=False):
        wide = own.set_index(["kind", "year", "region"])["value"].unstack("region")
        kinds = set(wide.index.get_level_values(0)) & {"observed", "ensemble"}
        regions = wide.columns[wide.loc[sorted(kinds)].notna().all()]
        if len(regions) and float(np.nansum(np.abs(wide[regions].to_numpy()))) > 0:
            series = wide[regions].sum(axis=1, skipna=False)
            found.append((str(activity), len(regions), series, str(own["unit"].iloc[0])))
    return found


def outlook_regions(facts: Facts, language: Language) -> Figure:
    """The largest emitters' largest activity: observed and forecast."""
    rows, names = facts.table("outlook"), facts.names(language)
    panels = []
    for region, activity in largest_activities(facts):
        own = rows[(rows["region"].astype(str) == region) & (rows["activity"] == activity)]
        series = own.set_index(["kind", "year"])["value"]
        text = label(activity, language)
        panels.append((names[region], text, series, str(own["unit"].iloc[0])))
    subtitle = say("outlook_regions.subtitle", language)
    return _small_multiples(panels, say("outlook_regions.title", language), subtitle, language)


def gap_bars(facts: Facts, language: Language) -> Figure:
    """Gap of carbon and oxygen for the regions with the largest ones, on a logarithmic scale where they differ much."""
    names = facts.names(language)
    gap = facts.dataset["ecological_land_gap"]
    frame = pd.DataFrame({target: gap.sel(target=target).to_series() for target in (CARBON, OXYGEN)})
    status = facts.dataset["ecological_land_status"]
    frame = frame[(frame.fillna(0) > 0).any(axis=1)]
    frame = frame.assign(key=frame.max(axis=1)).sort_values("key", ascending=False, kind="stable")
    shown = frame.head(MOST_BARS)
    title = say("gap_bars.title", language)
    subtitle = say("gap_bars.subtitle", language, shown=len(shown), n=len(frame))
    height = max(0.19 * len(shown), 0.4)
    sheet = style.sheet(height + 0.75, title, subtitle)
    axes = plot_axes(sheet, height, "", below=0.62, left=1.42 if language == "en" else 1.15)
    positions = np.arange(len(shown))[::-1]
    axes.set_ylim(-0.6, len(shown) - 0.4)
    if len(shown):
        _gap_pairs(axes, shown, status, positions)
    axes.set_yticks(positions)
    axes.yaxis.set_major_formatter(FixedFormatter([style.shortened(names[str(code)], 12) for code in shown.index]))
    axes.tick_params(axis="y", length=0, labelcolor=style.INK)
    axes.set_xlabel(say("gap_bars.x", language))
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    entries = [(style.CARBON, label(CARBON, language)), (style.OXYGEN, label(OXYGEN, language))]
    swatches(sheet, [*entries, ("", say("gap_bars.mark", language))], 1)
    return sheet.figure


def largest_activities(facts: Facts) -> list[tuple[str, str]]:
    """(region, activity): the largest emitters of the last year with data, each with its largest source that the
    outlook has."""
    rows, span = facts.table("outlook"), facts.shared_years(CARBON)
    if span is None:
        return []
    emission = pd.DataFrame(facts.dataset[BURDEN[CARBON]].sel(year=span[1]).to_pandas())
    known = set(zip(rows["region"].astype(str), rows["activity"].astype(str), strict=True))
    totals = emission.sum(axis=1, skipna=False).dropna().sort_values(ascending=False, kind="stable")
    chosen: list[tuple[str, str]] = []
    for region in map(str, totals.index):
        sources = pd.Series(emission.loc[region]).sort_values(ascending=False, kind="stable")
        found = [str(source) for source in sources.index if (region, str(source)) in known]
        if found and len(chosen) < LARGEST:
            chosen.append((region, found[0]))
    return chosen


def _stack(axes: Axes, total: Total, order: Sequence[str], factor: float, highest: float) -> None:
    """Bars upwards for gains and downwards for losses, each from where its own sign ended; room up to ``highest``."""
    positions = np.arange(len(total.values))
    above, below = np.zeros(len(positions)), np.zeros(len(positions))
    for position, item in enumerate(order):
        values = total.values[item].to_numpy() / factor
        base = np.where(values >= 0, above, below)
        _draw_bars(axes, positions, base, values, style.colour(item, position))
        above, below = above + np.maximum(np.nan_to_num(values), 0), below + np.minimum(np.nan_to_num(values), 0)
    if (below < 0).any():
        axes.axhline(0, color=style.MUTED, lw=0.7)
    axes.set_xlim(-0.7, len(positions) - 0.3)
    axes.set_ylim(1.05 * below.min(), 1.05 * max(above.max(), highest))


def _draw_bars(axes: Axes, positions: np.ndarray, base: np.ndarray, heights: np.ndarray, colour: str) -> None:
    """All bars of one source as one path; a missing height has no bar."""
    known = np.isfinite(heights)
    x, y, top = positions[known], base[known], (base + heights)[known]
    corners = np.stack([x - BAR, y, x - BAR, top, x + BAR, top, x + BAR, y, x - BAR, y], axis=1).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], known.sum())
    axes.add_artist(PathPatch(Path(corners, codes), fc=colour, lw=0))


def _regions_note(total: Total, language: Language) -> str:
    low, high = int(total.regions.min()), int(total.regions.max())
    if low == high:
        return say("bars.all", language, n=high)
    counts = ", ".join(f"{year}: {count}" for year, count in total.regions.items())
    if len(total.regions) > 8:
        return say("bars.varying_range", language, low=low, high=high)
    return say("bars.varying", language, counts=counts)


def plot_axes(sheet: Sheet, height: float, unit: str, below: float, left: float = LEFT) -> Axes:
    axes = sheet.axes(left, sheet.bottom + below, style.WIDTH - left - RIGHT, height)
    axes.grid(True, axis="y")
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    if unit:
        axes.text(0, 1.02, unit, transform=axes.transAxes, ha="left", va="bottom", size=8, color=style.MUTED)
    return axes


def tick(value: float, _position: object = None) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _year_ticks(axes: Axes, years: Sequence[int]) -> None:
    """Years under the bars: all of them while they fit, else round ones, always first and last."""
    step = 1 if len(years) <= 11 else 5
    keep = [i for i, year in enumerate(years) if step == 1 or year % step == 0 or i in (0, len(years) - 1)]
    if step > 1:
        ends = {0, len(years) - 1}
        keep = [i for i in keep if i in ends or all(abs(i - end) > 2 for end in ends)]
    axes.set_xticks(keep, [str(years[i]) for i in keep])


def swatches(sheet: Sheet, entries: Sequence[tuple[str, str]], rows: int) -> None:
    """A legend under the axes: in one row as wide as its texts, else in three columns, read down."""
    x, room = LEFT - 0.3, style.WIDTH - LEFT - RIGHT + 0.3
    for position, (colour, text) in enumerate(entries):
        down = position % rows
        if rows > 1:
            x = LEFT - 0.3 + position // rows * room / 3
        y = sheet.bottom + 0.1 + 0.18 * (rows - 1 - down)
        if colour:
            sheet.write(x, y, "■", color=colour, size=9, va="center")
        shown = style.shortened(text, room / 3 * 72 / 8 - 2) if rows > 1 else text
        sheet.write(x + (0.15 if colour else 0), y, shown, size=8, va="center")
        x += 0.34 + style.width(text) * 8 / 72


def _moran_value(facts: Facts, variable: str, year: int) -> float:
    rows = facts.table("global_moran")
    own = rows[(rows["variable"] == variable) & (rows["year"] == year)]
    return float(own["moran_i"].iloc[0]) if len(own) else float("nan")


def _p_values(facts: Facts, variable: str, year: int, language: Language) -> str:
    rows = facts.table("global_moran")
    own = rows[(rows["variable"] == variable) & (rows["year"] == year)]
    if not len(own):
        return ""
    first = own.iloc[0]
    analytic, pseudo = float(first["p_randomisation"]), float(first["pseudo_p"])
    return say("moran.p", language, analytic=p_text(analytic), pseudo=p_text(pseudo))


def p_text(p: float) -> str:
    """A probability: never zero, scientific where small."""
    if not np.isfinite(p):
        return "—"
    return f"{p:.4f}" if p >= 1e-4 else f"{p:.1e}".replace("e-0", "e-").replace("e-", "·10^−")


def _margins(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    for values, setter in ((x, axes.set_xlim), (y, axes.set_ylim)):
        low, high = min(values.min(initial=0), 0), max(values.max(initial=0), 0)
        pad = 0.08 * (high - low or 1)
        setter(low - pad, high + pad)


def _name_outliers(axes: Axes, rows: pd.DataFrame, names: dict[str, str]) -> None:
    """Names of the points farthest out, skipping one that would lie on a name already set."""
    x, y = rows["z"].to_numpy(float), rows["lag"].to_numpy(float)
    width, height = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    distance = np.hypot(x / width, y / height)
    placed: list[tuple[float, float]] = []
    for i in np.argsort(-distance, kind="stable")[:12]:
        if (
            len(placed) == 7
            or distance[i] < 0.4 * distance.max()
            or any(abs(x[i] - px) < 0.2 * width and abs(y[i] - py) < 0.045 * height for px, py in placed)
        ):
            continue
        right = x[i] > axes.get_xlim()[0] + 0.72 * width
        name = names[str(rows["region"].iloc[i])]
        axes.annotate(
            name, (x[i], y[i]), (-4 if right else 4, 3), textcoords="offset points", size=7.5,
            ha="right" if right else "left", zorder=5,
        )  # fmt: skip
        placed.append((x[i], y[i]))


Panels = Sequence[tuple[str, str, pd.Series, str]]


def _small_multiples(panels: Panels, title: str, subtitle: str, language: Language) -> Figure:
    """One little chart a series (indexed by kind and year), two in a row, one legend for all."""
    rows = -(-len(panels) // 2)
    each = 1.62
    sheet = style.sheet(rows * each + 0.3, title, subtitle)
    width = (style.WIDTH - 2 * style.MARGIN) / 2
    for position, (name, note, series, unit) in enumerate(panels):
        down, across = divmod(position, 2)
        left = style.MARGIN + across * width + 0.42
        bottom = sheet.top - (down + 1) * each + 0.25
        axes = sheet.axes(left, bottom, width - 0.52, each - 0.76)
        factor, prefix = scale_of(float(np.nanmax(np.abs(series.to_numpy(float)), initial=0)), unit, language)
        _draw_models(axes, series, factor)
        sheet.write(left - 0.4, bottom + each - 0.44, name, size=8.5, va="center")
        caption = f"{prefix}{unit_text(unit, language)}" + (f" · {note}" if note else "")
        sheet.write(left - 0.4, bottom + each - 0.58, caption, size=7, color=style.MUTED, va="center")
    entries = [(colour, label(kind, language)) for kind, colour in style.MODELS.items()]
    swatches(sheet, entries, 1)
    return sheet.figure


def _draw_models(axes: Axes, series: pd.Series, factor: float) -> None:
    kinds = series.index.get_level_values(0)
    for kind, colour in style.MODELS.items():
        if kind not in kinds:
            continue
        own = series[kind].sort_index() / factor
        if kind == "observed":
            axes.plot(own.index, own.to_numpy(), color=colour, lw=1.3, marker="o", ms=2, zorder=4)
        else:
            thick, dash = (1.8, "solid") if kind == "ensemble" else (1.0, (0, (3, 1.5)))
            axes.plot(own.index, own.to_numpy(), color=colour, lw=thick, ls=dash, zorder=3)
    axes.grid(True, axis="y")
    axes.tick_params(length=0, labelsize=7)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(tick))
    axes.margins(y=0.12)


def _gap_pairs(axes: Axes, shown: pd.DataFrame, status: object, positions: np.ndarray) -> None:
    values = shown[[CARBON, OXYGEN]].to_numpy(float)
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.max() > 50 * np.median(positive):
        axes.set_xscale("symlog", linthresh=max(float(np.median(positive)), 1.0))
    for shift, target, colour in ((0.2, CARBON, style.CARBON), (-0.2, OXYGEN, style.OXYGEN)):
        lengths = shown[target].fillna(0).to_numpy(float)
        axes.barh(positions + shift, lengths, 0.36, color=colour, linewidth=0)
        words = status.sel(target=target).to_series().astype(str)  # type: ignore[attr-defined]
        for place, length, code in zip(positions, lengths, shown.index, strict=True):
            if words[code].startswith("infeasible"):
                axes.annotate("×", (length, place + shift), (2, 0), textcoords="offset points", size=7, va="center")
    axes.set_xlim(0, float(positive.max()) * 1.08)
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
