"""Moran's I of the columns of a table: for those who come with a (Geo)DataFrame and want one function.

local_moran(counties, "rate", weights="queen").to_frame()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.spatial.links import Weights
from cobalance.spatial.panels import REGION
from cobalance.vocabulary.errors import nearest, refuse

VARIABLE = "variable"


def labelled_columns(
    data: pd.DataFrame, columns: str | Sequence[str], weights: Weights | str | dict[str, Any] | None
) -> tuple[xr.DataArray, Weights]:
    """Columns of a table as (variable, region), and the weights: ready ones, or made from the geometries.

    Regions are the index. Raises E717 (no usable weights), E718 (no such column, or not numeric).
    """
    names = [columns] if isinstance(columns, str) else [str(name) for name in columns or ()]
    usable = [str(name) for name in data.columns if pd.api.types.is_numeric_dtype(data[name])]
    wrong = [name for name in names if name not in usable]
    if wrong or not names:
        raise refuse("E718", columns=wrong or ["–"], valid=nearest(wrong[0], usable) if wrong else usable)
    if not isinstance(weights, Weights):
        if not hasattr(data, "geometry"):
            raise refuse("E717", found=type(weights).__name__)
        from cobalance.spatial.weights import weights_from

        weights = weights_from(data, weights or "queen")
    array = xr.DataArray(
        data[names].to_numpy(dtype=float).T,
        dims=(VARIABLE, REGION),
        coords={VARIABLE: names, REGION: np.asarray(data.index).astype(str)},
    )
    return array, weights


class _Result:
    def __init__(self, dataset: xr.Dataset, index: pd.Index, several: bool) -> None:
        self.dataset, self._index, self._several = dataset, index, several

    def _one_or_many(self, name: str) -> Any:
        array = self.dataset[name]
        if REGION in array.dims:
            table = pd.DataFrame(array.transpose(REGION, VARIABLE).values, index=self._index)
            table.columns = pd.Index(array[VARIABLE].values)
            return table if self._several else table.iloc[:, 0].rename(name)
        column = pd.Series(array.values, index=pd.Index(array[VARIABLE].values), name=name)
        return column if self._several else column.iloc[0]

    @property
    def weights(self) -> str:
        """The weights, with n, links, mean neighbours and islands."""
        return str(self.dataset.attrs["weights"])

    def __repr__(self) -> str:
        attributes = self.dataset.attrs
        told = "; ".join(f"{name} {attributes[name]}" for name in ("test", "tail", "permutations", "seed"))
        return f"{type(self).__name__}({told}; weights {self.weights})\n{self.to_frame()}"

    def to_frame(self) -> pd.DataFrame:
        raise NotImplementedError


class LocalMoran(_Result):
    """Local Moran of one column (Series) or several (DataFrame, a column each); ``dataset`` holds everything."""

    @property
    def I(self) -> Any:  # noqa: E743 — the statistic's own name
        return self._one_or_many("local_i")

    @property
    def p(self) -> Any:
        return self._one_or_many("pseudo_p")

    @property
    def cluster(self) -> Any:
        return self._one_or_many("cluster")

    def to_frame(self) -> pd.DataFrame:
        """One row a region (and variable), a column each for value, z, lag, I, p, quadrant, cluster, status."""
        table = self.dataset.to_dataframe().reset_index()
        if self._several:
            return table
        return table.drop(columns=[VARIABLE, REGION]).set_axis(self._index, axis="index")


class GlobalMoran(_Result):
    """Global Moran of one column (scalars) or several (Series by column); ``dataset`` holds everything."""

    @property
    def I(self) -> Any:  # noqa: E743 — the statistic's own name
        return self._one_or_many("moran_i")

    @property
    def p(self) -> Any:
        return self._one_or_many("pseudo_p")

    @property
    def p_analytic(self) -> Any:
        """p under randomisation."""
        return self._one_or_many("p_randomisation")

    def to_frame(self) -> pd.DataFrame:
        """One row a variable."""
        return self.dataset.to_dataframe()
