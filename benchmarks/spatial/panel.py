"""Local and global Moran of panels: ours beside esda and pygeoda, one thread each, every run in its own process.

    python benchmarks/spatial/panel.py            everything (some minutes)
    python benchmarks/spatial/panel.py --small    maps of at most 3,085 regions
    python benchmarks/spatial/panel.py --quick    of these, 999 permutations only

Maps are Voronoi cells of random points (k from 3 to about 12, mean 6, as counties have), values are normal. CPU and
wall are those of the statistic alone, after a warm-up on a small map (esda compiles): the best of the runs that fit in
a second, seven at most. Memory is the peak of the whole process, interpreter and libraries included, with what the
process held before the statistic beside it. Where a peer would take too long for all variables, it runs on one and its
time is multiplied: marked ×V.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM")}


@dataclass(frozen=True)
class Case:
    """What is measured: a test on n regions × variables × permutations, and the bar for our ratio to esda."""

    test: str
    n: int
    variables: int
    permutations: int
    tools: tuple[str, ...] = ("ours", "esda", "lookup", "complete")


CASES = [
    Case("local", 34, 1, 999),
    Case("local", 34, 62, 999),
    Case("local", 34, 62, 99_999),
    Case("local", 34, 12_400, 999, ("ours",)),
    Case("local", 3085, 1, 999),
    Case("local", 3085, 62, 999),
    Case("local", 3085, 1, 99_999),
    Case("local", 3085, 62, 99_999),
    Case("local", 40_000, 1, 999),
    Case("local", 40_000, 62, 999),
    Case("local", 250_000, 1, 999),
    Case("local", 250_000, 62, 999),
    Case("unequal", 3085, 62, 999, ("ours", "esda")),
    Case("global", 3085, 62, 999, ("ours", "esda")),
    Case("global", 34, 62, 99_999, ("ours", "esda")),
    Case("exact", 31, 62, 0, ("ours",)),
]


def cells(n: int, folder: Path) -> Path:
    """Neighbours of n Voronoi cells as CSR (npz) and GAL; made once a run."""
    target = folder / f"map{n}.npz"
    if target.exists():
        return target
    from scipy.spatial import Delaunay

    from cobalance.spatial.links import assembled
    from cobalance.spatial.weights import write_gal

    points = np.random.default_rng(n).uniform(size=(n, 2))
    # Voronoi cells touch along the edges of the Delaunay triangulation; the hull's long edges are left out
    start, ends = Delaunay(points).vertex_neighbor_vertices
    focal = np.repeat(np.arange(n), np.diff(start))
    near = np.hypot(*(points[focal] - points[ends]).T) < 4 / np.sqrt(n)
    weights = assembled(np.arange(1, n + 1).astype(str), focal[near], ends[near], None, "given", True)
    assert not weights.islands
    distance = np.hypot(*(points[weights.focal] - points[weights.indices]).T)
    np.savez(target, indptr=weights.indptr, indices=weights.indices, distance=distance)
    write_gal(weights, folder / f"map{n}.gal")
    return target


def ready(case: Case, folder: Path, tool: str, variables: int):
    """A function without arguments that runs the statistic, with everything it needs made beforehand."""
    stored = np.load(cells(case.n, folder))
    n = case.n
    values = np.random.default_rng(1).normal(size=(variables, n))
    focal = np.repeat(np.arange(n), np.diff(stored["indptr"]))
    raw = 1 / stored["distance"] if case.test == "unequal" else None
    if tool == "ours":
        return ours(case, (focal, stored["indices"], raw), values)
    if tool == "esda":
        return esda(case, (focal, stored["indices"], raw), values)
    return pygeoda(case, folder, tool, values)


def ours(case: Case, links, values):
    from cobalance.spatial.arrays import local_arrays
    from cobalance.spatial.global_statistics import global_tails
    from cobalance.spatial.groups import deviations
    from cobalance.spatial.links import assembled
    from cobalance.spatial.permutation import Permutation

    ids = np.char.zfill(np.arange(case.n).astype(str), 6)
    weights = assembled(ids, links[0], links[1], links[2], "given", True)
    plan = Permutation(max(case.permutations, 1), draws="exact" if case.test == "exact" else "shared")
    if case.test == "global":
        return lambda: global_tails(deviations(values)[0], weights, plan)
    return lambda: local_arrays(values, None, weights, plan, wanted=("local_i", "pseudo_p"))


def esda(case: Case, links, values):
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda import Moran, Moran_Local
        from libpysal.graph import Graph
    weight = np.ones(len(links[0])) if links[2] is None else links[2]
    index = pd.MultiIndex.from_arrays([links[0], links[1]], names=["focal", "neighbor"])
    graph = Graph(pd.Series(weight, index=index, name="weight"), is_sorted=True).transform("r")
    options = {"permutations": case.permutations}
    if case.test == "global":
        return lambda: [Moran(y, graph, **options) for y in values]
    options |= {"n_jobs": 1, "seed": 1, "keep_simulations": False}
    return lambda: [Moran_Local(y, graph, **options) for y in values]


def pygeoda(case: Case, folder: Path, tool: str, values):
    import pygeoda

    weights = pygeoda.weights.read_gal(str(folder / f"map{case.n}.gal"), [str(i + 1) for i in range(case.n)])
    columns = [y.tolist() for y in values]
    method = {"lookup": "lookup-table", "complete": "complete"}[tool]
    options = {"permutations": case.permutations, "permutation_method": method, "cpu_threads": 1}
    return lambda: [pygeoda.local_moran(weights, column, **options) for column in columns]


def child(case: Case, folder: Path, tool: str, variables: int) -> None:
    small = Case(case.test, 40 if case.test == "exact" else 200, 1, min(case.permutations, 99))
    if case.test != "exact":
        ready(small, folder, tool, 1)()
    run = ready(case, folder, tool, variables)
    held = memory("VmRSS")
    best = (np.inf, np.inf)
    started, runs = time.perf_counter(), 0
    while runs == 0 or (runs < 7 and time.perf_counter() - started < 1.0):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        best = min(best, (time.process_time() - cpu, time.perf_counter() - wall))
        runs += 1
    print(json.dumps({"cpu": best[0], "wall": best[1], "peak": memory("VmHWM"), "held": held}))


def memory(word: str) -> float:
    """Megabytes of the process: ``VmHWM`` its peak, ``VmRSS`` now (Linux; getrusage would count the parent's, too)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(word))
    return int(line.split()[1]) / 1024


def variables_run(case: Case, tool: str) -> int:
    """All of them, or one where a peer would need minutes."""
    cells_done = case.n * case.variables * max(case.permutations, 1)
    limit = {"ours": np.inf, "lookup": 3e9, "complete": 4e8, "esda": 4e8}[tool]
    many_maps = case.test == "global" and case.variables * case.permutations > 1e6 and tool != "ours"
    return 1 if many_maps or cells_done > limit else case.variables


def measured(case: Case, folder: Path, tool: str, seen: dict) -> dict[str, float]:
    """Time and memory of one tool; a run on one variable that was made before is not made again."""
    variables = variables_run(case, tool)
    key = (case.test, case.n, variables, case.permutations, tool)
    if key not in seen:
        seen[key] = run_alone(case, folder, tool, variables)
    found, factor = seen[key], case.variables / variables
    if "failed" in found:
        return found
    return {**found, "cpu": found["cpu"] * factor, "wall": found["wall"] * factor, "factor": factor}


def run_alone(case: Case, folder: Path, tool: str, variables: int) -> dict[str, float]:
    command = [
        sys.executable,
        __file__,
        "--child",
        json.dumps([*vars(case).values()]),
        str(folder),
        tool,
        str(variables),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD}, check=False)
    if answer.returncode:
        return {"failed": (answer.stderr.strip() or f"ended with {answer.returncode}").splitlines()[-1]}
    return json.loads(answer.stdout.strip().splitlines()[-1])


def cold_start() -> tuple[float, float]:
    """(array form, labelled form): seconds from the start of Python to p-values of a map of 31 regions."""
    make = (
        "import numpy as np; from cobalance.spatial.links import assembled; n = 31; i = np.arange(n - 1);"
        "w = assembled([f'{k:02d}' for k in range(n)], np.r_[i, i + 1], np.r_[i + 1, i], None, 'given', True);"
        "y = np.random.default_rng(0).normal(size=(1, n));"
    )
    array = make + (
        "from cobalance.spatial.arrays import local_arrays; from cobalance.spatial.permutation import Permutation;"
        "local_arrays(y, None, w, Permutation())"
    )
    labelled = make + (
        "import xarray as xr; from cobalance.spatial.moran import local_moran;"
        "local_moran(xr.DataArray(y[0], dims='region', coords={'region': w.ids}), w)"
    )
    times = []
    for code in (array, labelled):
        best = np.inf
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **ONE_THREAD})
            best = min(best, time.perf_counter() - start)
        times.append(best)
    return times[0], times[1]


def row(case: Case, tool: str, found: dict[str, float], ours_cpu: float) -> str:
    name = f"{case.test:8} {case.n:>7,} × {case.variables:>6,} × {case.permutations:>6,}  {tool:9}"
    if "failed" in found:
        return f"{name} failed: {found['failed']}"
    scaled = f" ×{found['factor']:.0f}" if found["factor"] > 1 else ""
    ratio = "" if tool == "ours" else f"{found['cpu'] / ours_cpu:9.1f}"
    times = f"{found['cpu']:10.4f} {found['wall']:10.4f}"
    return f"{name} {times} {found['peak']:8.0f} {found['held']:8.0f} {ratio:>10}{scaled}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="maps of at most 3,085 regions and 999 permutations")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--small", action="store_true", help="maps of at most 3,085 regions")
    asked = parser.parse_args()
    if asked.child:
        case, folder, tool, variables = asked.child
        child(Case(*json.loads(case)), Path(folder), tool, int(variables))
        return
    load = os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, {os.cpu_count()} cores, load {load:.1f}")
    print(f"{'test':8} {'regions × variables × permutations':35} {'CPU s':>10} {'wall s':>10} {'peak MB':>8} "
          f"{'held MB':>8} {'CPU / ours':>10}")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cells(200, folder)
        seen: dict = {}
        for case in CASES:
            if asked.quick and case.n * max(case.permutations, 1) > 3085 * 999:
                continue
            if asked.small and case.n > 3085:
                continue
            cells(case.n, folder)
            ours_cpu = np.nan
            for tool in case.tools:
                found = measured(case, folder, tool, seen)
                ours_cpu = found.get("cpu", np.nan) if tool == "ours" else ours_cpu
                print(row(case, tool, found, ours_cpu), flush=True)
    array, labelled = cold_start()
    print(f"cold start to p of 31 regions, import included, best of 3: arrays {array:.2f} s, labelled {labelled:.2f} s")


if __name__ == "__main__":
    main()
