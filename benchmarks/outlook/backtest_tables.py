"""What each model would have missed by: 2010 → 2019, and all rolling origins, on yearly activity tables.

    python benchmarks/outlook/backtest_tables.py TABLE.csv [TABLE.csv …] [--window 10] [--origin 2010] [--target 2019]

Tables are tidy: region, year, variable, unit, value. Printed: for the one origin and for all origins, the mean and the
median absolute percentage error by model and activity over the series that every model could forecast, the share of
outcomes inside the 80 % intervals, and where the combined forecast loses to the last value.
"""

from __future__ import annotations

import argparse

import pandas as pd
import xarray as xr

from cobalance.outlook.backtest import backtest, backtest_notices, backtest_scores, best_models
from cobalance.outlook.intervals import backtest_coverage
from cobalance.outlook.models import BASELINES, PAPER

VARIANTS = ("damped_growth", "theil_sen", "grey_discrete", "grey_background", "grey_rolling")


def activities(paths: list[str]) -> xr.DataArray:
    table = pd.concat([pd.read_csv(path, dtype={"region": str}) for path in paths])
    wide = table.pivot(index=["region", "year"], columns="variable", values="value").to_xarray().to_array("activity")
    return wide.transpose("region", "activity", "year").assign_attrs(units="1")


def printed(scores: xr.DataArray, decimals: int = 1) -> str:
    frame = scores.to_pandas().T.round(decimals)
    header = "| " + " | ".join(["activity", *map(str, frame.columns)]) + " |"
    rule = "|" + "|".join(["---"] + ["---:"] * frame.shape[1]) + "|"
    lines = zip(frame.index, frame.values, strict=True)
    rows = ["| " + " | ".join([str(name), *map(str, row)]) + " |" for name, row in lines]
    return "\n".join([header, rule, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--origin", type=int, default=2010)
    parser.add_argument("--target", type=int, default=2019)
    options = parser.parse_args()
    data = activities(options.tables)
    years = data["year"].values
    print(f"{data.sizes['region']} regions, {data.sizes['activity']} activities, {years[0]}–{years[-1]}\n")
    horizon = options.target - options.origin
    once = backtest(data, window_length=options.window, horizons=[horizon], origins=[options.origin], models=PAPER)
    scores = backtest_scores(once).isel(horizon=0)
    print(f"## {options.origin} → {options.target}, window of {options.window} years\n")
    print(f"Mean absolute percentage error (series: {scores['count'].isel(model=0).to_series().to_dict()})\n")
    print(printed(scores["mape"]), "\n\nMedian absolute percentage error\n")
    print(printed(scores["median_ape"]), "\n\nBias, % of the total\n")
    print(printed(scores["bias"]))
    wider = backtest(
        data, window_length=options.window, horizons=[horizon], origins=[options.origin], models=[*PAPER, *VARIANTS]
    )
    best = best_models(backtest_scores(wider, common=False).drop_sel(model="ensemble"), "median_ape").isel(horizon=0)
    print("\nSmallest median error among all models, each on the series it could forecast:", best.to_series().to_dict())
    horizons = sorted({1, min(5, horizon), horizon})
    tested = backtest(data, window_length=options.window, horizons=horizons, models=PAPER)
    scores = backtest_scores(tested)
    print(f"\n## All {tested.sizes['origin']} origins: {int(tested['origin'][0])}–{int(tested['origin'][-1])}")
    for ahead in horizons:
        print(f"\n{ahead} years ahead, median absolute percentage error\n")
        print(printed(scores["median_ape"].sel(horizon=ahead)))
        print(f"\n{ahead} years ahead, MASE\n")
        print(printed(scores["mase"].sel(horizon=ahead), 2))
    print(f"\nShare of outcomes inside 80 % intervals made from the other origins, {horizons[-1]} years ahead, %\n")
    print(printed(backtest_coverage(tested, 0.8).sel(horizon=horizons[-1])), "\n")
    for notice in backtest_notices(scores):
        print(f"- {notice.text()}")
    assert set(BASELINES) <= set(tested["model"].values)


if __name__ == "__main__":
    main()
