"""Charts of how far forecasts missed and of what can be done: backtest, ways to close a gap, scenarios."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cobalance.report import style
from cobalance.report.facts import CARBON, Facts
from cobalance.report.figures import swatches, tick
from cobalance.report.rows import Dots, Heading, dot_rows
from cobalance.report.words import label, number, say
from cobalance.vocabulary.errors import Language

LOOKS = {**style.MODELS, "last_value": style.INK, "mean_growth": "#cc79a7"}
LEVERS = ("emission_cut", "rate_gain", "closing_switch", "compensation")
MOST = 24


def misses(facts: Facts) -> pd.DataFrame:
    """Median absolute error (%) by activity and model at the longest horizon at which both are known."""
    rows = facts.table("backtest")
    if not len(rows):
        return rows
    wide = rows.pivot_table(index=["activity", "horizon"], columns="model", values="median_ape", sort=False)
    if not {"ensemble", "last_value"} <= set(wide.columns):
        return wide.head(0)
    known = wide.dropna(subset=["ensemble", "last_value"]).reset_index()
    return known.sort_values("horizon", kind="stable").groupby("activity", sort=False).tail(1).set_index("activity")


def backtest_lines(facts: Facts, language: Language) -> Figure:
    """Median absolute error by years ahead, a panel an activity, the errors on a logarithmic axis."""
    rows = facts.table("backtest")
    rows = rows[rows["median_ape"] > 0]
    activities = list(rows["activity"].unique())
    each, lines = 1.45, -(-len(activities) // 2)
    sheet = style.sheet(lines * each + 0.45, say("backtest.title", language), say("backtest.subtitle", language))
    width = (style.WIDTH - 2 * style.MARGIN) / 2
    models = [model for model in LOOKS if model in set(rows["model"])]
    for position, activity in enumerate(activities):
        down, across = divmod(position, 2)
        left, bottom = style.MARGIN + across * width + 0.42, sheet.top - (down + 1) * each + 0.25
        axes = sheet.axes(left, bottom, width - 0.52, each - 0.6)
        axes.set_yscale("log")
        for model in models:
            own = rows[(rows["activity"] == activity) & (rows["model"] == model)].sort_values("horizon")
            heavy = model in ("ensemble", "last_value")
            dash = "solid" if heavy else (0, (3, 1.5))
            axes.plot(
                own["horizon"], own["median_ape"], color=LOOKS[model], lw=1.7 if heavy else 0.9, ls=dash,
                zorder=4 if heavy else 3,
            )  # fmt: skip
        axes.grid(True, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.tick_params(length=0, labelsize=7, which="both")
        axes.spines["left"].set_visible(False)
        _log_ticks(axes, rows.loc[rows["activity"] == activity, "median_ape"].to_numpy(float))
        sheet.write(left - 0.4, bottom + each - 0.48, label(str(activity), language), size=8.5, va="center")
    swatches(sheet, [(LOOKS[model], label(model, language)) for model in models], 2)
    return sheet.figure


def _log_ticks(axes: object, values: np.ndarray) -> None:
    """A handful of round percentages between the ends."""
    low, high = values.min(), values.max()
    rounds = np.array([m * 10.0**e for e in range(-3, 7) for m in (1, 2, 5)])
    found = rounds[(rounds >= low * 0.9) & (rounds <= high * 1.1)]
    axes.set_yticks(found[:: -(-len(found) // 4) or 1], [tick(v) for v in found[:: -(-len(found) // 4) or 1]])  # type: ignore[attr-defined]
    axes.set_yticks([], minor=True)  # type: ignore[attr-defined]


def lever_table(facts: Facts, target: str) -> pd.DataFrame:
    """Region × lever for regions with a gap; the largest needed cut first."""
    rows = facts.table("levers")
    if not len(rows):
        return rows
    own = rows[(rows["target"] == target) & rows["lever"].isin(LEVERS)]
    wide = own.pivot_table(index="region", columns="lever", values="value", sort=False)
    if "emission_cut" not in wide:
        return wide.head(0)
    return wide[wide["emission_cut"] > 0].sort_values("emission_cut", ascending=False, kind="stable")


def lever_bars(facts: Facts, target: str, language: Language) -> Figure:
    """What each lever alone would have to do, side by side; a dash where it cannot close the gap."""
    known = lever_table(facts, target)
    own, names = known.head(MOST), facts.names(language)
    rows = facts.table("levers")
    height = max(0.2 * len(own), 0.4)
    title = say("levers.title", language, target=label(target, language))
    sheet = style.sheet(height + 0.6, title, say("levers.subtitle", language, shown=len(own), n=len(known)))
    levers = [lever for lever in LEVERS if lever in own]
    first = 1.25
    width = (style.WIDTH - first - style.MARGIN) / len(levers)
    bottom = sheet.bottom + 0.08
    for down, code in enumerate(own.index):
        y = bottom + height - 0.2 * (down + 0.5)
        sheet.write(first - 0.08, y, style.shortened(names[str(code)], 11), ha="right", va="center", size=8)
    for across, lever in enumerate(levers):
        values = own[lever].to_numpy(float)
        unit = rows.loc[(rows["target"] == target) & (rows["lever"] == lever), "unit"].iloc[0]
        possible = np.where(values <= 100, values, np.nan) if lever == "closing_switch" else values
        factor = 1e6 if lever == "compensation" else 1.0
        axes = sheet.axes(first + across * width, bottom, width * 0.5, height)
        axes.axis("off")
        axes.set_ylim(-0.5, len(own) - 0.5)
        whole = 100.0 if unit == "%" else float(np.nanmax(values, initial=1.0))
        axes.set_xlim(0, whole)
        axes.barh(np.arange(len(own))[::-1], np.minimum(np.nan_to_num(possible), whole), 0.6, color=style.SPARE[across])
        for down, value in enumerate(possible):
            y = bottom + height - 0.2 * (down + 0.5)
            text = number(value / factor) + (" %" if unit == "%" and np.isfinite(value) else "")
            sheet.write(first + (across + 0.53) * width, y, text, va="center", size=7)
        name = say(f"levers.{lever}", language, unit=_large(target, language))
        for line, text in enumerate(style.wrap(name, width * 72 / 7.5)[:3]):
            sheet.write(first + across * width, bottom + height + 0.36 - 0.12 * line, text, va="center", size=7)
    return sheet.figure


def _large(target: str, language: Language) -> str:
    gas = "C" if target == CARBON else "O₂"
    return f"百万 t {gas}/a" if language == "zh" else f"Mt {gas}/yr"


def scenario_gaps(facts: Facts) -> pd.DataFrame:
    """Region × scenario: the gap for carbon (%) of regions that have one in some scenario."""
    rows = facts.table("scenarios")
    if not len(rows):
        return rows
    own = rows[rows["variable"] == "ecological_land_gap_carbon"]
    wide = own.pivot_table(index="region", columns="scenario", values="value", sort=False)
    wide = wide[[s for s in own["scenario"].unique() if s in wide]]
    if wide.shape[1] < 2:  # nothing to compare
        return wide.head(0)
    wide = wide[(wide > 0).any(axis=1) & wide.index.isin(facts.regions)]
    return wide.loc[wide.max(axis=1).sort_values(ascending=False, kind="stable").index]


def scenario_rows(facts: Facts, language: Language) -> Figure:
    """The gap for carbon in each scenario, region by region."""
    known = scenario_gaps(facts)
    own, names = known.head(MOST), facts.names(language)
    titles = facts.table("scenarios").drop_duplicates("scenario").set_index("scenario")[f"scenario_{language}"]
    colours = (style.INK, *style.SPARE)
    dots = [
        Dots(str(titles[scenario]), colours[i % len(colours)], own[scenario].to_numpy(float))
        for i, scenario in enumerate(own.columns)
    ]
    heading = Heading(
        say("scenarios.title", language),
        say("scenarios.subtitle", language, shown=len(own), n=len(known)),
        say("gap_bars.x", language),
    )
    return dot_rows([names[str(code)] for code in own.index], dots, heading)
