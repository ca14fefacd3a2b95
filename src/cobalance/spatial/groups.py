"""Which regions of each map are tested, and their deviations from the mean.

A region is *tested* in a map when it has a value and at least one neighbour that has one. A region without a value
is *missing*; one whose neighbours are none, or all missing, is *isolated*. Neither enters the mean, the variance,
n or the permutations, so an isolate changes nothing for the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.links import Weights

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Maps in which the same regions are tested.

    variables   rows of the panel
    members     positions of the tested regions, in the order of their labels: results do not depend on row order
    weights     weights among them
    isolated    positions of regions with a value but no neighbour
    missing     positions of regions without a value
    """

    variables: Integers
    members: Integers
    weights: Weights
    isolated: Integers
    missing: Integers


def tested_groups(matrix: Floats, weights: Weights) -> list[Group]:
    """Maps grouped by the regions that have a value; one group where nothing is missing."""
    present = ~np.isnan(matrix)
    if present.all():
        return [_group(np.arange(len(matrix)), np.ones(weights.n, dtype=bool), weights)]
    patterns, which = np.unique(np.packbits(present, axis=1), axis=0, return_inverse=True)
    which = which.reshape(-1)
    rows = [np.flatnonzero(which == number) for number in range(len(patterns))]
    return [_group(variables, present[variables[0]], weights) for variables in rows]


def _group(variables: Integers, present: NDArray[np.bool_], weights: Weights) -> Group:
    among = weights if present.all() else weights.selected(present)
    where = np.flatnonzero(present)
    alone = among.cardinalities == 0
    # a region that others count as a neighbour belongs to the population even if it has no neighbour itself
    counted = ~alone
    counted[among.indices] = True
    tested = among if counted.all() else among.selected(counted)
    members = where[counted]
    order = np.argsort(tested.ids, kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        tested = tested.ordered(tested.ids[order])
    return Group(variables, members[order], tested, where[alone], np.flatnonzero(~present))


def tested_values(matrix: Floats, variables: Integers, members: Integers) -> Floats:
    """(variable, member) values in C order: sums along a row then never depend on how many rows there are."""
    return np.ascontiguousarray(matrix[variables].take(members, axis=1))


def deviations(values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """z-values (variable, region) with the sample standard deviation (n − 1), and which variables are constant.

    A constant variable has no z-values: they are NaN.
    """
    n = values.shape[1]
    if n == 0:
        return values.copy(), np.ones(len(values), dtype=bool)
    largest = np.abs(values).max(axis=1)
    constant = np.ptp(values, axis=1) <= 8 * np.finfo(float).eps * largest
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred**2).sum(axis=1) / max(n - 1, 1))
    spread[constant] = np.nan
    centred /= spread[:, None]
    return centred, constant
