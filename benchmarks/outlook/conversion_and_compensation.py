"""How long the two linear programmes of the land chapter take: conversion of own land, compensation between regions.

    python benchmarks/outlook/conversion_and_compensation.py [--regions 3000]

Random regions: burdens and uptakes log-normal, centres anywhere in China's bounding box, eight land classes. CPU
seconds of this process; for compensation also how many of all pairs the last programme held.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import xarray as xr

from cobalance.accounts import compensation
from cobalance.accounts.compensation import compensation_balance, compensation_flows, region_distance
from cobalance.accounts.conversion import least_cost_conversion

CLASSES = ["forest", "cropland", "grassland", "water", "wetland", "built", "barren", "shrub"]


def by_region(values: np.ndarray, units: str) -> xr.DataArray:
    region = [f"{number:04d}" for number in range(len(values))]
    return xr.DataArray(values, dims="region", coords={"region": region}, attrs={"units": units})


def compensation_run(regions: int, random: np.random.Generator) -> None:
    burden = by_region(3 * random.lognormal(10, 1, regions), "t C / yr")
    balance = compensation_balance(burden, by_region(random.lognormal(10, 1, regions), "t C / yr"))
    started = time.process_time()
    distance = region_distance(
        by_region(random.uniform(74, 135, regions), ""), by_region(random.uniform(18, 54, regions), "")
    )
    print(f"geodesic distances of {regions:,} regions: {time.process_time() - started:.1f} CPU s")
    pairs = []
    solve = compensation._solve

    def counted(*arguments: object) -> object:
        pairs.append(len(arguments[3]))  # type: ignore[arg-type]
        return solve(*arguments)  # type: ignore[arg-type]

    compensation._solve = counted  # type: ignore[assignment]
    started = time.process_time()
    flows = compensation_flows(balance["deficit"], balance["surplus"], distance)
    spent = time.process_time() - started
    compensation._solve = solve
    possible = int((balance["deficit"] > 0).sum()) * int((balance["surplus"] > 0).sum())
    print(
        f"compensation: {spent:.1f} CPU s, {len(pairs)} programmes, the last with {pairs[-1]:,} of {possible:,} pairs;"
    )
    mean = float(flows["flow_cost"].weighted(flows["amount"]).mean())
    print(f"  {flows.sizes['flow']:,} flows, mean distance {mean:.0f} km")


def conversion_run(regions: int, random: np.random.Generator) -> None:
    region = [f"{number:04d}" for number in range(regions)]
    area = xr.DataArray(
        random.lognormal(9, 1.5, (regions, len(CLASSES))),
        dims=("region", "land_class"),
        coords={"region": region, "land_class": CLASSES},
        attrs={"units": "ha"},
    )
    carbon = xr.DataArray([6.6, 4.2, 4.8, 0.5, 5.0, 0.0, 0.0, 3.0], dims="land_class", coords={"land_class": CLASSES})
    oxygen = carbon * xr.DataArray([2.7, 2.6, 2.7, 2.5, 2.8, 2.7, 2.7, 2.7], dims="land_class")
    shortfall = xr.DataArray(
        random.lognormal(10, 1, (regions, 2)),
        dims=("region", "target"),
        coords={"region": region, "target": ["carbon", "oxygen"]},
        attrs={"units": "ha"},
    )
    started = time.process_time()
    plan = least_cost_conversion(area, {"carbon": carbon, "oxygen": oxygen}, shortfall)
    outcome, count = np.unique(plan["conversion_outcome"].values.astype(str), return_counts=True)
    words = ", ".join(f"{number:,} {word}" for word, number in zip(outcome, count, strict=True))
    print(f"conversion of own land, both targets: {time.process_time() - started:.1f} CPU s; {words}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--regions", type=int, default=3000)
    options = parser.parse_args()
    compensation_run(options.regions, np.random.default_rng(1))
    conversion_run(options.regions, np.random.default_rng(2))


if __name__ == "__main__":
    main()
