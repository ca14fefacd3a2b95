"""Totals that come out the same, to the last bit, whatever other dimensions stand beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def total_along(data: xr.DataArray, dim: str) -> xr.DataArray:
    """The sum along ``dim``, missing where a part is missing.

    data     (…, dim, …)  any unit
    returns  (…)          in that unit, without attributes

    Parts are added one after the other in the order of their labels. A plain ``sum`` adds in an order that depends on
    how the array lies in memory, so that a run with draws would differ from one without in the last digit.
    """
    total: xr.DataArray = xr.apply_ufunc(_added_in_order, data, input_core_dims=[[dim]], keep_attrs=False)
    return total


def _added_in_order(values: NDArray[Any]) -> NDArray[Any]:
    parts = np.moveaxis(values, -1, 0)
    if len(parts) == 0:
        return np.zeros(parts.shape[1:])
    result: NDArray[Any] = parts[0].copy()
    for part in parts[1:]:
        result += part
    return result
