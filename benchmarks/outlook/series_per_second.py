"""How many series a second the outlook fits, beside libraries that are looped over the same series.

    python benchmarks/outlook/series_per_second.py [--regions 3000] [--activities 8] [--draws 1000] [--peers 1000]

Regions × activities × draws of ten years, fitted by linear, GM(1,1) and average growth with all their diagnostics, one
block of regions after the other (a study draws them so too: all draws at once would be gigabytes). Peers get the first
series of the same data: greytheory (GM(1,1)), statsmodels (least squares), statsforecast (ETS, Theta, ARIMA). All times
are CPU seconds of this process; memory is the largest resident size.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections.abc import Callable

import numpy as np

from cobalance.outlook.grey import grey_parameters, grey_response, neighbour_mean
from cobalance.outlook.models import MODELS, PAPER
from cobalance.outlook.panel import Panel, fit_model

YEARS = np.arange(2011, 2021)
TARGET = np.array([2030])


def drawn_series(random: np.random.Generator, count: int) -> np.ndarray:
    """Ten years of ``count`` series, (year, series): growing or shrinking, with year-to-year noise of 5 %."""
    pace = random.normal(0.02, 0.05, count)
    noise = random.normal(0.0, 0.05, (len(YEARS), count))
    return random.lognormal(5.0, 2.0, count) * np.exp(np.arange(len(YEARS))[:, None] * pace + noise)


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def panel_run(regions: int, activities: int, draws: int, regions_a_block: int = 25) -> dict[str, float]:
    """CPU seconds by model for all series, drawing excluded; no fit is kept, so the memory is that of one block."""
    spent = dict.fromkeys(PAPER, 0.0)
    random = np.random.default_rng(1)
    for first in range(0, regions, regions_a_block):
        count = min(regions_a_block, regions - first) * activities * draws
        panel = Panel(YEARS, drawn_series(random, count), TARGET)
        for name in PAPER:
            started = time.process_time()
            fit_model(MODELS[name], panel)
            spent[name] += time.process_time() - started
    return spent


def peer_runs(count: int) -> dict[str, tuple[int, float]]:
    """Number of series and CPU seconds by peer, each looped over the same first series."""
    values = drawn_series(np.random.default_rng(1), count)
    return {
        "greytheory GM(1,1)": (count, greytheory_seconds(values)),
        "statsmodels OLS": (count, statsmodels_seconds(values)),
        **statsforecast_seconds(values[:, : max(count // 10, 1)]),
    }


def greytheory_seconds(values: np.ndarray) -> float:
    """greytheory on each series; its answers must be ours without the shift, which it does not make."""
    from greytheory import GM11

    answers = np.empty(values.shape[1])

    def work() -> None:
        for number, series in enumerate(values.T):
            answers[number] = GM11().fit(series.tolist()).predict(10)[-1]

    spent = seconds(work)
    a, b = grey_parameters(values, neighbour_mean(values))
    ours = grey_response(values[0], a, b, np.array([19.0]))[0]
    print(f"largest relative difference to greytheory: {np.max(np.abs(answers / ours - 1)):.1e}")
    return spent


def statsmodels_seconds(values: np.ndarray) -> float:
    from statsmodels.regression.linear_model import OLS

    design = np.column_stack([np.ones(len(YEARS)), YEARS])
    answers = np.empty(values.shape[1])

    def work() -> None:
        for number, series in enumerate(values.T):
            fit = OLS(series, design).fit()
            answers[number] = fit.params[0] + fit.params[1] * TARGET[0] + 0.0 * fit.rsquared

    spent = seconds(work)
    offset = YEARS - YEARS.mean()
    slope = (offset[:, None] * (values - values.mean(axis=0))).sum(axis=0) / (offset**2).sum()
    ours = values.mean(axis=0) + slope * (TARGET[0] - YEARS.mean())
    scale = np.abs(values).max(axis=0)
    print(f"largest difference to statsmodels, of the series' size: {np.max(np.abs(answers - ours) / scale):.1e}")
    return spent


def statsforecast_seconds(values: np.ndarray) -> dict[str, tuple[int, float]]:
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

    spent = {}
    for model in (AutoETS(season_length=1), AutoTheta(season_length=1), AutoARIMA(season_length=1)):
        model.forecast(y=values[:, 0].copy(), h=10)  # compiled before the clock starts

        def work(model: object = model) -> None:
            for series in values.T:
                model.forecast(y=series.copy(), h=10)  # type: ignore[attr-defined]

        spent[f"statsforecast {type(model).__name__}"] = (values.shape[1], seconds(work))
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("regions", 3000), ("activities", 8), ("draws", 1000), ("peers", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    series = options.regions * options.activities * options.draws
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = panel_run(options.regions, options.activities, options.draws)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(spent.values())
    print(f"{series:,} series of {len(YEARS)} years, three models: {3 * series:,} fits in {total:.1f} CPU s")
    print(f"resident memory: {memory / 1024:.0f} MiB at most, {before / 1024:.0f} MiB before the first block\n")
    rows = [(f"cobalance {name}", series, taken) for name, taken in spent.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows += [(name, count, taken) for name, (count, taken) in peer_runs(options.peers).items()]
    print(f"\n| {'model':28} | {'series':>12} | {'CPU s':>8} | {'series per CPU s':>18} |")
    print(f"|{'-' * 30}|{'-' * 13}:|{'-' * 9}:|{'-' * 19}:|")
    for name, count, taken in rows:
        print(f"| {name:28} | {count:12,} | {taken:8.2f} | {count / taken:18,.0f} |")


if __name__ == "__main__":
    main()
