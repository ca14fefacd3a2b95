"""Clusters through time, between quantities, and across uncertainty draws. Classes are words throughout."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.significance import CLUSTERS
from cobalance.vocabulary.errors import refuse

Words = NDArray[np.object_]


def cluster_transitions(classes: xr.DataArray) -> xr.Dataset:
    """Who moved from which class to which between successive years, and the Markov matrix of all steps.

    classes   (region, year)             words, e.g. ``cluster`` or ``quadrant`` of ``local_moran``
    returns   count (step, from, to), total (from, to), probability (from, to), mobility ()

        probability = total / Σ_to total,    mobility = (m − Σ_i probability_ii) / (m − 1)

    A step joins two successive years of the table, whatever lies between; its label is ``1990–2000``. Probability is
    NaN for a class that no region ever left or kept. Mobility is Shorrocks' (1978, doi 10.2307/1911445) over the m
    classes that occur. LISA Markov: Rey 2001, doi 10.1111/j.1538-4632.2001.tb00444.x.
    """
    table, years, labels = _coded(classes)
    steps = [f"{first}–{last}" for first, last in pairwise(years)]
    m = len(labels)
    count = np.zeros((len(steps), m, m), dtype=np.int64)
    for step in range(len(steps)):
        np.add.at(count[step], (table[:, step], table[:, step + 1]), 1)
    total = count.sum(axis=0)
    leaving = total.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        probability = np.where(leaving > 0, total / leaving, np.nan)
    seen = np.flatnonzero(leaving[:, 0])
    kept = probability[seen, seen].sum()
    mobility = (len(seen) - kept) / (len(seen) - 1) if len(seen) > 1 else np.nan
    return xr.Dataset(
        {
            "count": (("step", "from", "to"), count),
            "total": (("from", "to"), total),
            "probability": (("from", "to"), probability),
            "mobility": ((), mobility),
        },
        {"step": steps, "from": labels, "to": labels},
    )


def cluster_moves(classes: xr.DataArray) -> pd.DataFrame:
    """The regions that changed class: columns region, from_year, to_year, from, to; classes (region, year)."""
    table, years, labels = _coded(classes)
    region, step = np.nonzero(table[:, 1:] != table[:, :-1])
    words = np.array(labels, dtype=object)
    return pd.DataFrame(
        {
            "region": np.asarray(classes["region"].values).astype(str)[region],
            "from_year": np.array(years)[:-1][step],
            "to_year": np.array(years)[1:][step],
            "from": words[table[region, step]],
            "to": words[table[region, step + 1]],
        }
    )


def cluster_persistence(classes: xr.DataArray) -> xr.Dataset:
    """How faithful each region is to its class; classes (region, year).

    returns (region): ``main_class`` (the most frequent; of equals, the first in the order of classes), ``share`` of
    the years it holds, ``longest_run`` in successive years of the table, ``changes``; and share_of (region, class).
    """
    table, years, labels = _coded(classes)
    held = (table[:, :, None] == np.arange(len(labels))).sum(axis=1)
    main = held.argmax(axis=1)
    moved = table[:, 1:] != table[:, :-1]
    columns = {
        "main_class": np.array(labels, dtype=object)[main],
        "share": held.max(axis=1) / len(years),
        "longest_run": np.array([_longest_run(row) for row in moved], dtype=np.int64),
        "changes": moved.sum(axis=1),
    }
    result = xr.Dataset({name: ("region", column) for name, column in columns.items()})
    result["share_of"] = (("region", "class"), held / len(years))
    return result.assign_coords({"region": classes["region"].values, "class": labels})


def colocated_clusters(first: xr.DataArray, second: xr.DataArray) -> xr.Dataset:
    """Where two quantities (carbon, oxygen) belong to the same cluster, and how often classes meet.

    first, second   (region, …)   cluster words, same labels
    returns         joint (region, …): the word where both have it, ``both not significant``, ``different``, or
                    ``undefined`` where either is undefined or isolated; count (first, second)
    """
    second = second.transpose(*first.dims)
    if first.shape != second.shape or any(
        first[dim].values.tolist() != second[dim].values.tolist() for dim in first.dims
    ):
        raise refuse("E715", argument="second", dims=[str(dim) for dim in second.dims], dtype=str(second.dtype))
    one, two = first.values.astype(object), second.values.astype(object)
    same = one == two
    joint = np.where(same, one, "different").astype(object)
    joint[same & (one == "not significant")] = "both not significant"
    joint[np.isin(one, ("undefined", "isolated")) | np.isin(two, ("undefined", "isolated"))] = "undefined"
    labels = _labels([*one.ravel().tolist(), *two.ravel().tolist()])
    rank = {word: number for number, word in enumerate(labels)}
    count = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(count, ([rank[w] for w in one.ravel()], [rank[w] for w in two.ravel()]), 1)
    result = xr.Dataset({"joint": first.copy(data=joint)})
    result["count"] = (("first", "second"), count)
    return result.assign_coords({"first": labels, "second": labels})


def cluster_stability(classes: xr.DataArray, dim: str = "draw") -> xr.Dataset:
    """How sure a cluster is across uncertainty draws: the share of draws in which a region has each class.

    classes (…, draw) words; returns share (…, class), stable_class (…), stability (…): the share of the class that
    most draws give (of equals, the first in the order of classes).
    """
    if dim not in classes.dims:
        raise refuse("E715", argument="classes", dims=[str(name) for name in classes.dims], dtype=str(classes.dtype))
    moved = classes.transpose(..., dim)
    words = moved.values.astype(object)
    labels = _labels(np.unique(words.astype(str)).tolist())
    share = np.stack([(words == word).mean(axis=-1) for word in labels], axis=-1)
    rest = moved.dims[:-1]
    result = xr.Dataset({"share": ((*rest, "class"), share)}, {"class": labels})
    result["stable_class"] = (rest, np.array(labels, dtype=object)[share.argmax(axis=-1)])
    result["stability"] = (rest, share.max(axis=-1))
    return result.assign_coords({name: moved[name] for name in rest if name in moved.coords})


def _coded(classes: xr.DataArray) -> tuple[NDArray[np.int64], list[object], list[str]]:
    """(region, year) codes, the years in ascending order, and the words in the order of classes."""
    if set(classes.dims) != {"region", "year"}:
        raise refuse("E715", argument="classes", dims=[str(dim) for dim in classes.dims], dtype=str(classes.dtype))
    table = classes.transpose("region", "year").sortby("year")
    words = table.values.astype(object)
    labels = _labels(words.ravel().tolist())
    rank = {word: number for number, word in enumerate(labels)}
    codes = np.array([[rank[word] for word in row] for row in words.tolist()], dtype=np.int64)
    return codes.reshape(words.shape), table["year"].values.tolist(), labels


def _labels(words: Sequence[str]) -> list[str]:
    """The words that occur: clusters in their own order, then others by alphabet."""
    seen = set(words)
    return [word for word in CLUSTERS if word in seen] + sorted(seen - set(CLUSTERS))


def _longest_run(moved: NDArray[np.bool_]) -> int:
    longest = run = 1
    for step in moved.tolist():
        run = 1 if step else run + 1
        longest = max(longest, run)
    return longest
