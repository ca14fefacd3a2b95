"""Exact agreement of labels, with errors that name what is missing.

Plain xarray drops an unmatched class in silence; here nothing is dropped: arrays that share a dimension hold the same
labels, or the call is refused with the missing ones named.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from cobalance.vocabulary.errors import Problems


def agreeing(arrays: Mapping[str, xr.DataArray], function: str) -> dict[str, xr.DataArray]:
    """``arrays`` with the labels of every shared dimension in the order of the first array that has it.

    Raises E203 (a label that one array lacks), E204 (a label twice); all of them at once.
    """
    problems = Problems()
    first: dict[str, tuple[str, xr.DataArray]] = {}
    result = dict(arrays)
    for name, array in arrays.items():
        for dim in map(str, array.dims):
            if dim not in array.indexes:
                continue
            _find_repeated(problems, array, dim, f"{function}({name})")
            other, reference = first.setdefault(dim, (name, array))
            if reference is not array and _find_missing(problems, (name, array), (other, reference), dim, function):
                continue
            if not array.indexes[dim].equals(reference.indexes[dim]) and not problems.errors:
                result[name] = result[name].sel({dim: reference[dim].values})
    problems.raise_errors()
    return result


def _find_repeated(problems: Problems, array: xr.DataArray, dim: str, argument: str) -> None:
    index = array.indexes[dim]
    if not index.is_unique:
        problems.add("E204", argument=argument, dim=dim, repeated=sorted(set(index[index.duplicated()]), key=str))


def _find_missing(
    problems: Problems,
    array: tuple[str, xr.DataArray],
    reference: tuple[str, xr.DataArray],
    dim: str,
    function: str,
) -> bool:
    """Add a problem for each side that lacks labels of the other; whether there was any."""
    found = False
    for (name, one), (other, two) in ((array, reference), (reference, array)):
        missing = two.indexes[dim].difference(one.indexes[dim], sort=False)
        if len(missing):
            labels = [repr(label.item() if isinstance(label, np.generic) else label) for label in missing]
            problems.add("E203", argument=f"{function}({name})", dim=dim, missing=labels, other=f"{function}({other})")
            found = True
    return found
