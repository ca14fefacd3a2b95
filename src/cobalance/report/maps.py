"""Maps: balance by class, LISA clusters, ecological-land gap, the track of a gravity centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from pyproj import Transformer
from shapely import Point

from cobalance.report import style
from cobalance.report.facts import BALANCE, Facts
from cobalance.report.geometry import Bounds, Outlines
from cobalance.report.style import Sheet
from cobalance.report.words import label, number, say, scaled
from cobalance.vocabulary.errors import Language

BREAKS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 25.0, 100.0)
KEPT = (1.0, 3.0)  # above 1 more is released than taken up; above 3 the land carries less than a third
MOST_CLASSES = 7
GAP_BREAKS = (25.0, 50.0, 100.0, 300.0)
TALLEST = 3.7
NO_DATA = "no data"


@dataclass(frozen=True)
class Look:
    """How the regions of one class are filled."""

    face: str
    hatch: str = ""
    text: str = ""


@dataclass(frozen=True)
class Classes:
    """What a map of classes shows.

    words     region → its class; a region without one has no data
    looks     class → how it is filled, in the order of the legend
    letters   whether clusters are lettered
    over      a hatch over some regions, whatever their class
    """

    words: Mapping[str, str]
    looks: Mapping[str, Look]
    title: str
    subtitle: str
    letters: bool = False
    over: tuple[Look, Sequence[str]] | None = None


def balance_breaks(values: Sequence[float]) -> list[float]:
    """Class limits that first and last year share: always 1, 3 where it divides the values, others where many lie."""
    known = np.asarray([value for value in values if np.isfinite(value)], dtype=float)
    if known.size == 0:
        return [1.0]
    limits = [limit for limit in BREAKS if limit == 1.0 or known.min() < limit < known.max()]
    while len(limits) >= MOST_CLASSES:
        counts = np.histogram(known, [-np.inf, *limits, np.inf])[0]
        merged = {limit: counts[i] + counts[i + 1] for i, limit in enumerate(limits) if limit not in KEPT}
        limits.remove(min(merged, key=lambda limit: merged[limit]))
    return limits


def balance_looks(limits: Sequence[float]) -> list[Look]:
    """One look a class, green-blue below 1 and brown above it, paler near 1."""
    below = sum(1 for limit in limits if limit <= 1.0)
    above = len(limits) + 1 - below
    faces = [*style.BELOW_ONE[len(style.BELOW_ONE) - below :], *style.ABOVE_ONE[:above]]
    edges = [None, *limits, None]
    return [Look(face, text=_interval(low, high)) for face, (low, high) in zip(faces, pairwise(edges), strict=True)]


def balance_map(facts: Facts, target: str, year: int, language: Language) -> Figure:
    """Balance coefficient of one year, in classes shared with the other year, with their counts."""
    first, last = facts.shared_years(target) or (facts.first, facts.last)
    pooled = np.concatenate([facts.of_year(BALANCE[target], own) for own in {first, last}])
    limits = balance_breaks(pooled.tolist())
    values = facts.of_year(BALANCE[target], year).astype(float)
    looks = {str(i): look for i, look in enumerate(balance_looks(limits))}
    classes = np.searchsorted(limits, values.to_numpy(), side="left")
    words = {
        region: str(own) if np.isfinite(value) else NO_DATA
        for region, own, value in zip(values.index, classes, values, strict=True)
    }
    title = say("map.balance.title", language, variable=label(BALANCE[target], language), year=year)
    subtitle = say(f"map.balance.{target}", language)
    return _class_map(facts, Classes(words, looks, title, subtitle), language)


def cluster_map(facts: Facts, variable: str, year: int, language: Language) -> Figure:
    """LISA clusters as words: colour and letters say the same."""
    rows = facts.table("local_moran")
    rows = rows[(rows["variable"] == variable) & (rows["year"] == year)]
    rows = rows[rows["value"].notna()]  # the others have no data, which is less than an undefined cluster
    words = dict(zip(rows["region"].astype(str), rows["cluster"].astype(str), strict=True))
    looks = {word: Look(face, text=label(word, language)) for word, face in style.CLUSTERS.items()}
    title = say("map.lisa.title", language, variable=label(variable, language), year=year)
    spatial = facts.study.spatial
    correction = say(f"correction.{spatial.correction}", language)
    subtitle = say("map.lisa.subtitle", language, p=f"{spatial.significance:g}", correction=correction)
    return _class_map(facts, Classes(words, looks, title, subtitle, letters=True), language)


def gap_map(facts: Facts, target: str, language: Language) -> Figure:
    """Ecological-land gap of each region, crossed where the region's own land cannot close it."""
    gap = facts.dataset["ecological_land_gap"].sel(target=target).to_series()
    status = facts.dataset["ecological_land_status"].sel(target=target).to_series().astype(str)
    looks = {"no gap": Look(style.GAPS[0], text=label("no gap", language))}
    edges = [0.0, *GAP_BREAKS, None]
    for i, (low, high) in enumerate(pairwise(edges)):
        looks[f"gap{i}"] = Look(style.GAPS[i + 1], text=_interval(low, high, " %"))
    known = gap[(status != "undefined") & gap.notna()]
    classes = np.searchsorted(GAP_BREAKS, known, side="left")
    words = {
        str(region): f"gap{own}" if value > 0 else "no gap"
        for (region, value), own in zip(known.items(), classes, strict=True)
    }
    infeasible = [str(region) for region in status.index[status == "infeasible on own land"]]
    cross = Look("none", style.INFEASIBLE_HATCH, say("map.gap.cross", language))
    year = facts.study.outlook.target if facts.study.outlook else facts.study.ecological_land.base_year or facts.last
    title = say("map.gap.title", language, target=label(target, language), year=year)
    subtitle = say("map.gap.subtitle", language, phi=number(facts.study.ecological_land.phi, 3))
    return _class_map(facts, Classes(words, looks, title, subtitle, over=(cross, infeasible)), language)


def gravity_map(facts: Facts, variable: str, language: Language) -> Figure:
    """The track of the centre: where it lies in the study area, and enlarged, with years and directions."""
    drawn = _needed(facts)
    track = facts.table("gravity_centre")
    track = track[(track["variable"] == variable) & track["longitude_deg"].notna()].sort_values("year")
    centres = drawn.project(track["longitude_deg"], track["latitude_deg"])
    ratio = (drawn.bounds[3] - drawn.bounds[1]) / (drawn.bounds[2] - drawn.bounds[0])
    width = style.WIDTH - 2 * style.MARGIN
    upper = min(width * ratio, 2.9)
    lower = 2.2
    title = say("gravity.title", language, variable=label(variable, language))
    years = {"first": int(track["year"].iloc[0]), "last": int(track["year"].iloc[-1])}
    subtitle = say("gravity.subtitle", language, **years)
    mark = say("map.draft", language) if facts.draft else ""
    sheet = style.sheet(upper + lower + 0.25, title, subtitle, facts.footer[language], mark)
    overview = _map_axes(sheet, drawn, sheet.top - upper - 0.05, upper)
    _draw_ground(overview, drawn)
    _draw_ellipses(overview, drawn, track)
    window = _window(centres, width / lower)
    size = window[2] - window[0], window[3] - window[1]
    overview.add_artist(Rectangle(window[:2], *size, fill=False, ec=style.ON_LIGHT, lw=0.7, zorder=6))
    overview.plot(centres[:, 0], centres[:, 1], ".", ms=1.5, color=style.ON_LIGHT, zorder=5)
    detail = sheet.axes(style.MARGIN, sheet.bottom + 0.08, width, lower)
    _draw_part(detail, drawn.enlarged(window, centres), facts.names(language))
    _frame(detail, window)
    _draw_track(detail, track["year"].astype(int).tolist(), centres)
    return sheet.figure


def area_map(facts: Facts, language: Language) -> Figure:
    """The regions by group, a region of several groups in the first that the study names."""
    groups = facts.study.groups
    words = dict.fromkeys(facts.regions, "none")
    for key, group in reversed(list(groups.items())):
        words |= {str(member): f"group {key}" for member in group.members}
    looks = {
        f"group {key}": Look(style.SPARE[i % len(style.SPARE)], text=group.zh if language == "zh" else group.en)
        for i, (key, group) in enumerate(groups.items())
    }
    looks["none"] = Look(style.GROUND, text=say("area.none", language))
    content = Classes(words, looks, say("area.title", language), say("area.subtitle", language))
    return _class_map(facts, content, language)


def flow_map(facts: Facts, target: str, language: Language) -> Figure:
    """Compensation as arrows from givers to receivers, as wide as what they carry."""
    drawn, rows = _needed(facts), facts.table("compensation_flows")
    rows = rows[(rows["target"] == target) & (rows["value"] > 0)]
    most = float(rows["value"].max())
    ratio = (drawn.bounds[3] - drawn.bounds[1]) / (drawn.bounds[2] - drawn.bounds[0])
    high = min((style.WIDTH - 2 * style.MARGIN) * ratio, TALLEST)
    title = say("flows.title", language, target=label(target, language))
    subtitle = say("flows.subtitle", language, most=scaled(most, str(rows["unit"].iloc[0]), language))
    mark = say("map.draft", language) if facts.draft else ""
    sheet = style.sheet(high + 0.12, title, subtitle, facts.footer[language], mark)
    axes = _map_axes(sheet, drawn, sheet.top - high - 0.05, high)
    _draw_ground(axes, drawn)
    for start, end, value in zip(rows["from_region"], rows["to_region"], rows["value"], strict=True):
        if str(start) in drawn.points and str(end) in drawn.points:
            arrow = FancyArrowPatch(
                drawn.points[str(start)], drawn.points[str(end)], arrowstyle="-|>", color=style.CARBON, alpha=0.85,
                mutation_scale=5 + 4 * value / most, lw=0.5 + 2.5 * value / most, shrinkA=0, shrinkB=0, zorder=5,
                connectionstyle="arc3,rad=0.12",
            )  # fmt: skip
            axes.add_artist(arrow)
    return sheet.figure


def _class_map(facts: Facts, content: Classes, language: Language) -> Figure:
    drawn = _needed(facts)
    missing = Look(style.PAPER, style.NO_DATA_HATCH, say("map.no_data", language))
    looks = {**content.looks, NO_DATA: missing}
    words = {region: content.words.get(region, NO_DATA) for region in drawn.regions}
    counts = pd.Series(words).value_counts()
    shown = [word for word in looks if counts.get(word, 0) > 0 or word.isdigit()]
    layers = [(looks[word], [region for region, own in words.items() if own == word]) for word in shown]
    if content.over is not None and content.over[1]:
        layers.append((content.over[0], list(content.over[1])))
    columns = 2 if max(style.width(look.text) for look, _ in layers) > 10 else 3
    rows = -(-len(layers) // columns)
    ratio = (drawn.bounds[3] - drawn.bounds[1]) / (drawn.bounds[2] - drawn.bounds[0])
    high = min((style.WIDTH - 2 * style.MARGIN) * ratio, TALLEST)
    mark = say("map.draft", language) if facts.draft else ""
    sheet = style.sheet(high + 0.19 * rows + 0.2, content.title, content.subtitle, facts.footer[language], mark)
    axes = _map_axes(sheet, drawn, sheet.top - high - 0.05, high)
    for look, regions in layers:
        _fill(axes, drawn, regions, look)
    if content.letters:
        _write_letters(axes, drawn, words)
    _legend(sheet, [(look, len(regions)) for look, regions in layers], rows, columns)
    return sheet.figure


def _needed(facts: Facts) -> Outlines:
    drawn = facts.outlines
    if drawn is None:
        raise ValueError("a study without shapes has no maps")
    return drawn


def _map_axes(sheet: Sheet, drawn: Outlines, bottom: float, height: float) -> Axes:
    axes = sheet.axes(style.MARGIN, bottom, style.WIDTH - 2 * style.MARGIN, height)
    west, south, east, north = drawn.bounds
    pad = 0.008 * (east - west)
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad, north + pad)
    axes.set_aspect("equal", anchor="C")
    axes.axis("off")
    for x0, y0, x1, y1 in drawn.frames:
        axes.add_artist(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=style.MUTED, lw=0.6, zorder=4))
    return axes


def _frame(axes: Axes, window: Bounds) -> None:
    axes.set_xlim(window[0], window[2])
    axes.set_ylim(window[1], window[3])
    axes.set_aspect("equal")
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(style.MUTED)


def _fill(axes: Axes, drawn: Outlines, regions: Sequence[str], look: Look) -> None:
    """All regions of a class as one path: one element of the file, however many they are."""
    fine = 0.45 if len(drawn.regions) < 400 else 0.15
    for outlines, edge, order in ((drawn.paths, style.PAPER, 1.0), (drawn.specks, style.MUTED, 3.0)):
        own = [outlines[region] for region in regions if region in outlines]
        if not own:
            continue
        path = Path.make_compound_path(*own)
        if look.face != "none":
            colour = style.MUTED if look.hatch else edge
            axes.add_artist(PathPatch(path, fc=look.face, ec=colour, lw=fine, zorder=order, clip_on=False))
        if look.hatch:
            patch = PathPatch(path, fc="none", lw=0, zorder=order + 0.5, clip_on=False)
            axes.add_artist(_hatched(patch, look.hatch))


def _hatched(patch: Patch, hatch: str) -> Patch:
    patch.set_hatch(hatch)
    patch.set_hatchcolor(style.MUTED if hatch == style.NO_DATA_HATCH else style.ON_LIGHT)
    patch.set_hatch_linewidth(0.6 if hatch == style.NO_DATA_HATCH else 0.4)
    return patch


def _legend(sheet: Sheet, entries: Sequence[tuple[Look, int]], rows: int, columns: int) -> None:
    """Swatches with the class and its count, read down the columns."""
    column = (style.WIDTH - 2 * style.MARGIN) / columns
    for position, (look, count) in enumerate(entries):
        across, down = divmod(position, rows)
        x, y = style.MARGIN + across * column, sheet.bottom + 0.19 * (rows - down) - 0.1
        sheet.add(Rectangle((x, y), 0.2, 0.12, fc=look.face, ec=style.MUTED, lw=0.5))
        if look.hatch:
            sheet.add(_hatched(Rectangle((x, y), 0.2, 0.12, fc="none", lw=0), look.hatch))
        text = style.shortened(look.text, column * 72 / 8 - 5)
        sheet.write(x + 0.26, y + 0.06, f"{text}  ({count})", va="center", size=8)


def _write_letters(axes: Axes, drawn: Outlines, words: Mapping[str, str]) -> None:
    for region, word in words.items():
        if word in style.LETTERS and drawn.size[region] > 7:
            ink = style.ON_LIGHT if _luminance(style.CLUSTERS[word]) > 0.35 else style.ON_DARK
            x, y = drawn.points[region]
            size = 6.5 if drawn.size[region] > 11 else 4.5
            axes.text(x, y, style.LETTERS[word], size=size, color=ink, ha="center", va="center", zorder=5)


def _draw_ground(axes: Axes, drawn: Outlines) -> None:
    path = drawn.outline(drawn.regions)
    axes.add_artist(PathPatch(path, fc=style.GROUND, ec=style.BORDER, lw=0.35, zorder=1, clip_on=False))


def _draw_part(axes: Axes, parts: Mapping[str, tuple[Path, Point, float]], names: Mapping[str, str]) -> None:
    """The regions inside a window, named where there is room."""
    if parts:
        path = Path.make_compound_path(*(path for path, _, _ in parts.values()))
        axes.add_artist(PathPatch(path, fc=style.GROUND, ec=style.BORDER, lw=0.35, zorder=1, clip_on=False))
    for region, (_, point, share) in parts.items():
        if share > 0.03 and not point.is_empty:
            axes.text(point.x, point.y, names[region], size=7, color=style.NAME, ha="center", va="center", zorder=2)


def _draw_ellipses(axes: Axes, drawn: Outlines, track: pd.DataFrame) -> None:
    """Standard deviational ellipses of first (dashed) and last year, from the table's own system into the map's."""
    turn = np.linspace(0.0, 2 * np.pi, 91)
    for row, dash in ((0, (0, (3, 2))), (len(track) - 1, "solid")):
        record = track.iloc[row]
        if not np.isfinite(record["semi_major_m"]) or record["crs"] in ("", "sphere"):
            continue
        bearing = np.radians(float(record["rotation_deg"]))  # of the major axis, clockwise from north
        along, across = record["semi_major_m"] * np.cos(turn), record["semi_minor_m"] * np.sin(turn)
        east = record["easting_m"] + along * np.sin(bearing) + across * np.cos(bearing)
        north = record["northing_m"] + along * np.cos(bearing) - across * np.sin(bearing)
        transformer = Transformer.from_crs(record["crs"], drawn.crs, always_xy=True)
        axes.plot(*transformer.transform(east, north), color=style.CARBON, lw=1.1, ls=dash, zorder=4, clip_on=False)


def _window(centres: np.ndarray, aspect: float) -> Bounds:
    """A rectangle of the given aspect around the track with room for its labels."""
    low, high = centres.min(axis=0), centres.max(axis=0)
    middle = (low + high) / 2
    span = np.maximum((high - low) * 1.45, 1.0)
    width = max(span[0], span[1] * aspect, 20_000.0)
    height = width / aspect
    return middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2


def _draw_track(axes: Axes, years: Sequence[int], centres: np.ndarray) -> None:
    shades = np.linspace(0.25, 1.0, len(years))
    for i in range(len(years) - 1):
        arrow = FancyArrowPatch(
            tuple(centres[i]), tuple(centres[i + 1]), arrowstyle="-|>", mutation_scale=7, lw=1.0,
            color=style.CARBON, alpha=float(shades[i + 1]), shrinkA=2, shrinkB=2, zorder=5,
        )  # fmt: skip
        axes.add_artist(arrow)
    axes.scatter(centres[:, 0], centres[:, 1], s=11, color=style.CARBON, zorder=6, linewidths=0)
    for i in labelled_years(years, centres, axes.get_xlim()[1] - axes.get_xlim()[0]):
        axes.annotate(
            str(years[i]), centres[i], (3, 4), textcoords="offset points", size=7.5, color=style.ON_LIGHT, zorder=7,
            path_effects=[withStroke(linewidth=1.6, foreground=style.GROUND)],
        )  # fmt: skip


def labelled_years(years: Sequence[int], centres: np.ndarray, width: float) -> list[int]:
    """Positions whose year is printed: the last, the first, then those that keep clear of the printed ones."""
    order = [
        len(years) - 1,
        0,
        *sorted(range(1, len(years) - 1), key=lambda i: (years[i] % 10 != 0, years[i] % 5 != 0, i)),
    ]
    kept: list[int] = []
    for i in dict.fromkeys(order):
        apart = [np.abs(centres[i] - centres[j]) for j in kept]
        if all(gap[0] > 0.075 * width or gap[1] > 0.03 * width for gap in apart):
            kept.append(i)
    return kept


def _interval(low: float | None, high: float | None, unit: str = "") -> str:
    if low is None:
        return f"≤ {high:g}{unit}"
    return f"> {low:g}{unit}" if high is None else f"{low:g}–{high:g}{unit}"


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
