"""Sobol' indices with bootstrap limits of many outputs: all at once against SALib, output by output.

    python benchmarks/uncertainty/indices_against_salib.py [--outputs 1054] [--rows 512] [--groups 12]

SALib has to be installed. Both get the same results of the same designs; printed are CPU seconds and how far the
indices lie apart at most.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from SALib.analyze import sobol

from cobalance.uncertainty.sensitivity import indices


def results(rows: int, groups: int, outputs: int) -> np.ndarray:
    """(design, row, output) of a made-up model with interactions: A, A with each group of B, B."""
    generator = np.random.default_rng(0)
    first, second = generator.random((2, rows, groups))
    weight = generator.lognormal(0, 1, (groups, outputs))
    designs = [first]
    for group in range(groups):
        mixed = first.copy()
        mixed[:, group] = second[:, group]
        designs.append(mixed)
    return np.stack([(1 + 0.1 * points.sum(axis=1))[:, None] * (points @ weight) for points in [*designs, second]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outputs", type=int, default=1054)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--groups", type=int, default=12)
    parser.add_argument("--resamples", type=int, default=100)
    given = parser.parse_args()
    names = [f"group {number}" for number in range(given.groups)]
    runs = results(given.rows, given.groups, given.outputs)

    started = time.process_time()
    ours = indices(runs[0], runs[-1], list(runs[1:-1]), names, resamples=given.resamples)
    own = time.process_time() - started

    problem = {"num_vars": given.groups, "names": names, "bounds": [[0, 1]] * given.groups}
    options = {"calc_second_order": False, "num_resamples": given.resamples, "seed": 1}
    started = time.process_time()
    theirs = [sobol.analyze(problem, runs[:, :, output].T.ravel(), **options) for output in range(given.outputs)]
    peer = time.process_time() - started

    apart = {
        "S1": abs(ours.first_order - np.stack([found["S1"] for found in theirs], axis=1)).max(),
        "ST": abs(ours.total - np.stack([found["ST"] for found in theirs], axis=1)).max(),
    }
    print(f"{given.outputs} outputs, {given.groups} groups, {given.rows} rows, {given.resamples} resamples")
    print(f"all at once {own:8.2f} CPU s")
    print(f"SALib       {peer:8.2f} CPU s, {peer / own:.0f} times as long")
    print(f"apart at most: S1 {apart['S1']:.1e}, ST {apart['ST']:.1e}")


if __name__ == "__main__":
    main()
