"""Faults of esda and pygeoda that decided how ours behaves, each reproduced once on a generated map, ours beside.

python benchmarks/spatial/peer_faults.py
"""

from __future__ import annotations

import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.spatial.links import Weights, assembled
from cobalance.spatial.moran import local_moran
from cobalance.spatial.weights import to_libpysal, write_gal

SIDE = 56


def queen_grid(side: int = SIDE, order: np.ndarray | None = None, islands: int = 0) -> Weights:
    """A square grid, cells numbered along rows (or in another order), with islands at the end."""
    n = side * side
    at = np.arange(n)
    row, column = np.divmod(at, side)
    pairs = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        inside = (row + down < side) & (column + right >= 0) & (column + right < side)
        pairs.append(np.column_stack([at[inside], ((row + down) * side + column + right)[inside]]))
    links = np.concatenate(pairs)
    both = np.concatenate([links, links[:, ::-1]])
    if order is not None:
        rank = np.empty(n, dtype=int)
        rank[order] = at
        both = rank[both]
    return assembled(np.arange(1, n + islands + 1).astype(str), both[:, 0], both[:, 1], None, "queen", True)


def labelled(values: np.ndarray, weights: Weights) -> xr.DataArray:
    return xr.DataArray(values, dims="region", coords={"region": weights.ids})


def ours(values: np.ndarray, weights: Weights, **options: object) -> xr.Dataset:
    return local_moran(labelled(values, weights), weights, **options)


def smooth(seed: int = 0) -> np.ndarray:
    """Waves over the grid with noise: rows in spatial order are alike, as counties sorted by state are."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    noise = np.random.default_rng(seed).normal(size=SIDE * SIDE)
    return np.sin(row / 9) + np.cos(column / 7) + 1.5 * noise


def esda_island() -> None:
    from esda import Moran_Local

    weights = queen_grid(10, islands=1)
    values = np.append(np.random.default_rng(0).normal(size=100), -3.0)
    for name, given in (("Graph", to_libpysal(weights)), ("W", to_libpysal(weights).to_W())):
        found = Moran_Local(values, given, permutations=999, seed=1, n_jobs=1)
        cluster = found.get_cluster_labels(crit_value=0.05)[-1]
        print(f"  esda, {name:6} island: I {found.Is[-1]:g}, p {found.p_sim[-1]:.3f}, cluster {cluster!r}")
    result = ours(values, weights, permutations=999).isel(region=-1)
    print(f"  ours           island: p {float(result.pseudo_p):g}, cluster {str(result.cluster.values)!r}")


def esda_missing() -> None:
    from esda import Moran_Local

    weights = queen_grid(10)
    values = np.random.default_rng(0).normal(size=100)
    values[7] = np.nan
    found = Moran_Local(values, to_libpysal(weights), permutations=999, seed=1, n_jobs=1)
    labels = pd.Series(found.get_cluster_labels(crit_value=0.05)).value_counts().to_dict()
    print(
        f"  esda: one NaN of 100: {int(np.isnan(found.Is).sum())} I are NaN, "
        f"{(found.p_sim <= 0.05).sum()} p <= .05; {labels}"
    )
    result = ours(values, weights, permutations=999)
    counts = pd.Series(result.cluster.values).value_counts().to_dict()
    print(f"  ours: one NaN of 100: {int(np.isnan(result.local_i).sum())} I is NaN; {counts}")


def geoda_weights(weights: Weights, folder: Path, name: str):
    import pygeoda

    write_gal(weights, folder / name)
    return pygeoda.weights.read_gal(str(folder / name), weights.ids.tolist())


def significant(found) -> int:
    return int((np.array(found.lisa_pvalues()) <= 0.05).sum())


def geoda_threads(folder: Path) -> None:
    import pygeoda

    weights, values = queen_grid(), smooth()
    theirs = geoda_weights(weights, folder, "grid.gal")
    for method in ("complete", "lookup-table"):
        counts = [
            significant(
                pygeoda.local_moran(theirs, values.tolist(), permutation_method=method, seed=5, cpu_threads=threads)
            )
            for threads in (1, 2, 4)
        ]
        print(f"  pygeoda {method:12}, seed 5, 1 2 4 threads: {counts} cells with p <= .05")
    counts = [
        int((ours(values, weights, permutations=999, seed=5, threads=threads).pseudo_p <= 0.05).sum())
        for threads in (1, 2, 4)
    ]
    print(f"  ours,                 seed 5, 1 2 4 threads: {counts}")


def geoda_order(folder: Path) -> None:
    import pygeoda

    values = smooth()
    order = np.random.default_rng(1).permutation(SIDE * SIDE)
    maps = (("in spatial order", queen_grid(), values), ("shuffled", queen_grid(order=order), values[order]))
    for name, weights, column in maps:
        theirs = geoda_weights(weights, folder, "order.gal")
        counts = [
            significant(pygeoda.local_moran(theirs, column.tolist(), permutations=999, seed=seed, cpu_threads=1))
            for seed in range(1, 13)
        ]
        mine = [int((ours(column, weights, seed=seed).pseudo_p <= 0.05).sum()) for seed in range(4)]
        print(
            f"  rows {name:16}, cells with p <= .05: pygeoda (default, 999) {np.mean(counts):.0f} ± "
            f"{np.std(counts):.0f}; ours (99,999) {np.mean(mine):.0f} ± {np.std(mine):.0f}"
        )


def geoda_island(folder: Path) -> None:
    import pygeoda

    weights = queen_grid(10, islands=1)
    values = np.append(np.random.default_rng(0).normal(size=100), -3.0)
    found = pygeoda.local_moran(geoda_weights(weights, folder, "island.gal"), values.tolist(), cpu_threads=1)
    print(f"  pygeoda island: p {found.lisa_pvalues()[-1]:g}")
    print(f"  ours    island: p {float(ours(values, weights, permutations=999).pseudo_p[-1]):g}")


def geoda_labels(folder: Path) -> None:
    import pygeoda

    weights, values = queen_grid(), smooth()
    theirs = geoda_weights(weights, folder, "labels.gal")
    one = pygeoda.local_moran(theirs, values.tolist(), cpu_threads=1)
    batch = pygeoda.batch_local_moran(theirs, [values.tolist()], cpu_threads=1)
    truth = ours(values, weights, permutations=999).quadrant.values
    for name, codes, labels in (
        ("local_moran", one.lisa_clusters(), one.lisa_labels()),
        ("batch_local_moran", batch.lisa_clusters(0), batch.lisa_labels()),
    ):
        words = np.array([labels[code].lower() for code in codes])
        tested = words != "not significant"
        wrong = int((words[tested] != truth[tested]).sum())
        print(f"  pygeoda {name:18}: {wrong} of {int(tested.sum())} clusters have another name than their quadrant")


def main() -> None:
    warnings.simplefilter("ignore")
    print(", ".join(f"{name} {version(name)}" for name in ("esda", "libpysal", "pygeoda")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, show in (
            ("An island", esda_island),
            ("A missing value", esda_missing),
            ("The number of threads", lambda: geoda_threads(folder)),
            ("The order of the rows", lambda: geoda_order(folder)),
            ("An island again", lambda: geoda_island(folder)),
            ("The names of the clusters", lambda: geoda_labels(folder)),
        ):
            print(title, flush=True)
            show()


if __name__ == "__main__":
    main()
