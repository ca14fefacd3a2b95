"""Points of the unit cube, a column for each cause: seeded, and the same however they are cut into chunks.

A column is known by its *name*. What it holds depends on the seed, the name and the number of draws alone, so that one
assumption more or less leaves the draws of all others as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from cobalance.vocabulary.errors import nearest, refuse

Floats = NDArray[np.float64]
Design = Literal["latin hypercube", "sobol"]
DESIGNS: tuple[str, ...] = get_args(Design)


class Points(Protocol):
    """What draws are made from."""

    @property
    def count(self) -> int: ...

    def column(self, name: str, rows: range) -> Floats:
        """(rows) uniform numbers of one cause."""

    def block(self, name: str, shape: tuple[int, ...], rows: range) -> Floats:
        """(*shape, rows) independent uniform numbers: what each place has to itself of a cause."""


@dataclass(frozen=True)
class Sample:
    """Latin hypercube or Sobol' points.

    count     draws
    seed      of everything here
    design    ``latin hypercube``: each column visits each of ``count`` equal slices once, in an order of its own
              ``sobol``: one scrambled Sobol' sequence (Owen), best with a power of two draws
    columns   names, in order; Sobol' points need them all beforehand (each is one dimension of the sequence)

    Raises E854 (design), E855 (fewer than one draw).
    """

    count: int
    seed: int
    design: str = "latin hypercube"
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise refuse("E854", found=self.design, expected=list(DESIGNS), nearest=nearest(self.design, DESIGNS))
        if self.count < 1:
            raise refuse("E855", found=self.count)

    def column(self, name: str, rows: range) -> Floats:
        if self.design == "sobol":
            sequence = _sobol(self.count, len(self.columns), self.seed)
            return sequence[rows.start : rows.stop, self.columns.index(name)]
        return _hypercube_column(self.count, self.seed, name)[rows.start : rows.stop]

    def block(self, name: str, shape: tuple[int, ...], rows: range) -> Floats:
        # a stream of its own for each draw, so that a draw is what it is in whatever chunk it comes
        streams = (np.random.Generator(np.random.Philox(_seed(self.seed, name, row))) for row in rows)
        values = np.empty((len(rows), *shape))
        for position, stream in enumerate(streams):
            values[position] = stream.random(shape)
        return np.ascontiguousarray(np.moveaxis(values, 0, -1))


@dataclass(frozen=True)
class PickFreeze:
    """The points of ``one``, with the columns of some groups taken from ``other`` (Saltelli's design A with B's group).

    group_of  column → group; columns that it does not know stay with ``one``
    """

    one: Points
    other: Points
    group_of: Mapping[str, str] = field(default_factory=dict)
    groups: Collection[str] = ()

    @property
    def count(self) -> int:
        return self.one.count

    def column(self, name: str, rows: range) -> Floats:
        return self._source(name).column(name, rows)

    def block(self, name: str, shape: tuple[int, ...], rows: range) -> Floats:
        return self._source(name).block(name, shape, rows)

    def _source(self, name: str) -> Points:
        return self.other if self.group_of.get(name) in self.groups else self.one


@dataclass(frozen=True)
class Renamed:
    """Points whose columns bear another name in ``points``: how two designs share one Sobol' sequence."""

    points: Points
    suffix: str

    @property
    def count(self) -> int:
        return self.points.count

    def column(self, name: str, rows: range) -> Floats:
        return self.points.column(name + self.suffix, rows)

    def block(self, name: str, shape: tuple[int, ...], rows: range) -> Floats:
        return self.points.block(name + self.suffix, shape, rows)


@dataclass(frozen=True)
class InTurn:
    """Nothing random: every column passes equal slices in order, so that draw *i* takes the *i*-th alternative."""

    count: int

    def column(self, name: str, rows: range) -> Floats:
        return (np.arange(rows.start, rows.stop) + 0.5) / self.count

    def block(self, name: str, shape: tuple[int, ...], rows: range) -> Floats:
        return np.broadcast_to(self.column(name, rows), (*shape, len(rows)))


def two_samples(count: int, seed: int, design: str, columns: Collection[str]) -> tuple[Points, Points]:
    """Two independent designs over the same columns, for pick-freeze; Sobol' points are halves of one sequence."""
    names = tuple(name + suffix for suffix in ("", _OTHER) for name in columns)
    sample = Sample(count, seed, design, names)
    return sample, Renamed(sample, _OTHER)


_OTHER = " (B)"


def _seed(seed: int, name: str, row: int | None = None) -> np.random.SeedSequence:
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    key = (digest & 0xFFFFFFFF, digest >> 32) + (() if row is None else (row,))
    return np.random.SeedSequence(seed, spawn_key=key)


@lru_cache(maxsize=512)
def _hypercube_column(count: int, seed: int, name: str) -> Floats:
    sampler = qmc.LatinHypercube(1, rng=np.random.default_rng(_seed(seed, name)))
    return _frozen(sampler.random(count)[:, 0])


@lru_cache(maxsize=4)
def _sobol(count: int, dimensions: int, seed: int) -> Floats:
    sampler: Any = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
    return _frozen(sampler.random_base2(max(0, (count - 1).bit_length()))[:count])


def _frozen(values: Floats) -> Floats:
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
