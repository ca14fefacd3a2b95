"""Draws through the accounts: CPU time, peak memory, and the ratio to a plain loop of runs without draws.

    python benchmarks/uncertainty/draws_through_accounts.py --units 51 --years 28 --draws 10000
    python benchmarks/uncertainty/draws_through_accounts.py --units 3000 --years 30 --draws 10000 [--some-years 2]

Every draw of seven land classes, six fuels, cement and breathing goes through the chapters' own functions; interval,
probabilities, top five and ranks of every unit and year are formed of all draws. The loop calls the same functions
once a draw (timed over ``--loop`` draws) and forms nothing. With ``--some-years`` only so many years are run and all
years are estimated from them: time is proportional to the years, which are worked on block by block.
"""

from __future__ import annotations

import argparse
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.coefficients import Coefficients
from cobalance.study.drawn import QUANTITIES, Alternative, DrawnStudy
from cobalance.study.spec import EcologicalLand
from cobalance.study.uncertainty import _account_summary, _bytes_a_draw, _labelled
from cobalance.uncertainty.assumptions import with_causes
from cobalance.uncertainty.chunks import MEMORY, draw_chunks, gathered
from cobalance.uncertainty.points import Sample

CLASSES = ("forest", "cropland", "grassland", "water", "wetland", "built", "barren")
FUELS = ("coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas")
UNITS = {
    "sequestration_rate": ("land_class", CLASSES, "t C / ha / yr", 5.0),
    "oxygen_release_rate": ("land_class", CLASSES, "t O2 / ha / yr", 13.0),
    "emission_factor": ("fuel", FUELS, "t C / {fuel_unit}", 0.7),
    "oxygen_per_carbon": ("fuel", FUELS, "t O2 / t C", 3.5),
    "cement_factor": (None, ("cement",), "t C / t", 0.1),
    "respiration_carbon": (None, ("person",), "t C / person / yr", 0.1),
    "respiration_oxygen": (None, ("person",), "t O2 / person / yr", 0.3),
}


def study(units: int, years: int) -> DrawnStudy:
    """A made-up study of that size, every coefficient ± 20 %."""
    generator = np.random.default_rng(0)
    place = {"region": [f"{unit:05d}" for unit in range(units)], "year": list(range(1990, 1990 + years))}
    fuel_use = random(generator, {**place, "fuel": list(FUELS)}, "{fuel_unit} / yr")
    inputs = xr.Dataset(
        {
            "land_area": random(generator, {**place, "land_class": list(CLASSES)}, "ha"),
            "fuel_use": fuel_use.assign_coords(fuel_unit=("fuel", ["t"] * len(FUELS))),
            "cement_output": random(generator, place, "t / yr"),
            "population": random(generator, place, "person"),
        }
    )
    arrays, rows = {}, []
    for quantity, (dim, items, unit, value) in UNITS.items():
        shape = {dim: list(items)} if dim else {}
        arrays[quantity] = xr.DataArray(np.full([len(items)] if dim else [], value), shape, attrs={"units": unit})
        rows += [(quantity, item, "*", pd.NA, value, 0.8 * value, 1.2 * value, unit, item) for item in items]
    arrays["emission_factor"] = arrays["emission_factor"].assign_coords(fuel_unit=("fuel", ["t"] * len(FUELS)))
    columns = ["quantity", "item", "region", "year", "value", "low", "high", "unit", "locator"]
    table = with_causes(pd.DataFrame(rows, columns=columns).assign(set="made up", source="made up"))
    versions = {
        family: [Alternative("", {name: arrays[name] for name in names}, table[table["quantity"].isin(names)])]
        for family, names in QUANTITIES.items()
    }
    coefficients = Coefficients(**arrays, table=table, basis="gross", notices=())
    return DrawnStudy(inputs, coefficients, versions, {}, place["year"][-1], EcologicalLand())


def random(generator: np.random.Generator, coords: dict[str, list[object]], unit: str) -> xr.DataArray:
    values = generator.lognormal(10, 1, [len(labels) for labels in coords.values()])
    return xr.DataArray(values, coords, list(coords), attrs={"units": unit})


class Peak(threading.Thread):
    """The largest anonymous memory seen: what arrays take, without files that are mapped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.done = 0.0, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.02):
            status = Path("/proc/self/status").read_text()
            [line] = [line for line in status.splitlines() if line.startswith("RssAnon")]
            self.most = max(self.most, int(line.split()[1]) / 1024)


def drawn(model: DrawnStudy, draws: int, years: list[int], memory: int) -> float:
    """CPU seconds of all draws of ``years`` with their summaries, in chunks as a study runs them."""
    started = time.process_time()
    points = Sample(draws, 0)
    stored = 2 * 6 * model.inputs.sizes["region"] * draws * 8
    block = max(1, int(memory // stored))
    for first in range(0, len(years), block):
        own = years[first : first + block]
        chunks = draw_chunks(draws, _bytes_a_draw(model) * len(own), memory // 2)
        found = gathered(partial(model.accounts, points, years=own), chunks, memory=memory // 2)
        _account_summary(_labelled(found, model, {"year": own}))
    return time.process_time() - started


def looped(model: DrawnStudy, draws: int, loop: int, years: list[int]) -> float:
    """CPU seconds that a loop of runs, one a draw, would take for all draws."""
    points = Sample(draws, 0)
    model.accounts(points, range(1), years)
    started = time.process_time()
    for draw in range(loop):
        model.accounts(points, range(draw, draw + 1), years)
    return (time.process_time() - started) / loop * draws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=51)
    parser.add_argument("--years", type=int, default=28)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=20)
    parser.add_argument("--some-years", type=int, default=None)
    parser.add_argument("--memory", type=int, default=MEMORY >> 20, help="MiB for arrays of draws")
    given = parser.parse_args()
    model = study(given.units, given.years)
    years = [int(year) for year in model.inputs["year"].values]
    run = years[: given.some_years]
    peak = Peak()
    peak.start()
    seconds = drawn(model, given.draws, run, given.memory << 20) * len(years) / len(run)
    peak.done.set()
    loop = looped(model, given.draws, given.loop, years)
    cells = given.units * given.years * given.draws
    print(f"{given.units} units × {given.years} years × {given.draws} draws = {cells:.3g} balances of each kind")
    print(f"draws      {seconds:9.1f} CPU s{'' if run == years else f' (from {len(run)} years)'}")
    print(f"memory     {peak.most:9.0f} MiB at most, {given.memory} MiB allowed for draws")
    print(f"loop       {loop:9.1f} CPU s (from {given.loop} draws)")
    print(f"ratio      {loop / seconds:9.1f}")


if __name__ == "__main__":
    main()
