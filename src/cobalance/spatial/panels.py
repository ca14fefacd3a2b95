"""Panels of maps: labelled arrays as (variable, region) matrices, and back."""

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

REGION = "region"


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
    _check_dims(values, argument)
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
    _check_dims(values, argument)
    labels = regions_of(values)
    check_same_regions(labels, weights.ids, argument)
    return weights.ordered(labels)


def _check_dims(values: xr.DataArray, argument: str) -> None:
    if REGION not in values.dims or REGION not in values.coords or not np.issubdtype(values.dtype, np.number):
        raise refuse("E715", argument=argument, dims=[str(dim) for dim in values.dims], dtype=str(values.dtype))
