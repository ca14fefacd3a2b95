"""Panels of maps: labelled arrays as (variable, region) matrices, and which regions of each map are tested.

A region is *tested* in a map when it has a value and at least one neighbour that has one. A region without a value
is *missing*; one whose neighbours are none, or all missing, is *isolated*. Neither enters the mean, the variance,
n or the permutations, so an isolate changes nothing for the others.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.links import Weights, check_same_regions
from cobalance.vocabulary.errors import refuse

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REGION = "region"


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


@dataclass(frozen=True)
class Panel:
    """A labelled array as a matrix (variable, region), with the way back."""

    matrix: Floats
    dims: tuple[Hashable, ...]
    rest: tuple[Hashable, ...]
    template: xr.DataArray

    def regional(self, matrix: NDArray[Any]) -> xr.DataArray:
        """(variable, region) back to the dims of the values."""
        shape = [self.template.sizes[dim] for dim in (*self.rest, REGION)]
        array = xr.DataArray(matrix.reshape(shape), dims=(*self.rest, REGION), coords=self.template.coords)
        return array.transpose(*self.dims)

    def matrix_of(self, array: xr.DataArray) -> NDArray[Any]:
        """The dims of the values to (variable, region)."""
        return array.transpose(*self.rest, REGION).values.reshape(self.matrix.shape)

    def mapwise(self, column: NDArray[Any]) -> xr.DataArray:
        """(variable) back to the dims of the values without ``region``."""
        shape = [self.template.sizes[dim] for dim in self.rest]
        coords = {
            name: coordinate for name, coordinate in self.template.coords.items() if REGION not in coordinate.dims
        }
        return xr.DataArray(column.reshape(shape), dims=self.rest, coords=coords)


def panel_of(values: xr.DataArray, argument: str = "values") -> Panel:
    """The panel of a labelled array with a ``region`` dimension. Raises E715, E716 (infinite values)."""
    if REGION not in values.dims or not np.issubdtype(values.dtype, np.number) or REGION not in values.coords:
        raise refuse("E715", argument=argument, dims=[str(dim) for dim in values.dims], dtype=str(values.dtype))
    rest = tuple(dim for dim in values.dims if dim != REGION)
    matrix = np.asarray(values.transpose(*rest, REGION).values, dtype=np.float64)
    matrix = matrix.reshape(-1, values.sizes[REGION])
    infinite = np.isinf(matrix).any(axis=0)
    if infinite.any():
        raise refuse("E716", argument=argument, regions=regions_of(values)[infinite].tolist())
    return Panel(matrix, values.dims, rest, values)


def regions_of(values: xr.DataArray) -> NDArray[np.str_]:
    return np.asarray(values[REGION].values).astype(str)


def weights_for(values: xr.DataArray, weights: Weights, argument: str = "values") -> Weights:
    """The weights in the order of the values' regions. Raises E703 where the labels differ."""
    labels = regions_of(values)
    check_same_regions(labels, weights.ids, argument)
    return weights.ordered(labels)


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
    spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / max(n - 1, 1))
    spread[constant] = np.nan
    centred /= spread[:, None]
    return centred, constant
