"""Local Moran of panels as plain arrays: the engine without labels, for large maps and quick starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cobalance.spatial.groups import Group, deviations, tested_groups, tested_values
from cobalance.spatial.links import Weights
from cobalance.spatial.permutation import Permutation, Reference
from cobalance.spatial.significance import ISOLATED_CODE, quadrant_codes, tail_probability

Floats = NDArray[np.float64]

_ALL = ("z", "lag", "local_i", "pseudo_p", "smallest_p")
_SLAB_BYTES = 4 << 20
_AT_MEAN = 1e-12


@dataclass(frozen=True)
class LocalArrays:
    """Local Moran of a panel as plain arrays (variable, region); ``floats`` holds those that were wanted.

    codes     (variable, region)   0 undefined, 1 isolated, 2 low-low, 3 low-high, 4 high-low, 5 high-high
    draws     how the reference distributions were formed: words of ``permutation.DRAWS``
    """

    floats: dict[str, Floats]
    codes: NDArray[np.int8]
    draws: tuple[str, ...]


def local_arrays(
    focal: Floats,
    other: Floats | None,
    weights: Weights,
    plan: Permutation,
    tail: str = "directed",
    wanted: Sequence[str] = _ALL,
) -> LocalArrays:
    """Local Moran of (variable, region) matrices: the engine without labels, for large panels.

    ``focal`` gives z_i, ``other`` (None: the same) the neighbours' values; NaN in either is missing. Besides the
    arrays that are wanted, working memory stays below some tens of megabytes whatever the number of variables.
    """
    floats = {name: np.full(focal.shape, np.nan) for name in wanted}
    codes = np.zeros(focal.shape, dtype=np.int8)
    draws: dict[str, None] = {}  # a set that keeps its order
    result = LocalArrays(floats, codes, ())
    seen = focal if other is None or other is focal else np.where(np.isnan(other), np.nan, focal)
    for group in tested_groups(seen, weights):
        reference = Reference(group.weights, plan)
        codes[np.ix_(group.variables, group.isolated)] = ISOLATED_CODE
        slab = max(1, _SLAB_BYTES // (8 * max(group.weights.n, 1)))
        for first in range(0, len(group.variables), slab):
            rows = group.variables[first : first + slab]
            _work_slab((focal, other), group, rows, reference, tail, result)
        draws[reference.draws] = None
    return LocalArrays(floats, codes, tuple(draws))


def _work_slab(
    pair: tuple[Floats, Floats | None],
    group: Group,
    rows: NDArray[np.int64],
    reference: Reference,
    tail: str,
    into: LocalArrays,
) -> None:
    """Fill some variables of one group of maps."""
    members = group.members
    focal, other = pair
    z, constant = deviations(tested_values(focal, rows, members))
    around = z
    if other is not None and other is not focal:
        around, flat = deviations(tested_values(other, rows, members))
        constant = constant | flat
    around = np.where(constant[:, None], 0.0, around) if constant.any() else around
    lag = np.ascontiguousarray((group.weights.matrix() @ around.T).T)
    tails = reference.tails(around)
    untested = constant[:, None] | (reference.neighbours == 0)
    greater, less = sided(z, tails.probability(tails.above), tails.probability(tails.below))
    found = {"pseudo_p": tail_probability(greater, less, tail), "z": z, "lag": lag, "local_i": z * lag}
    if "smallest_p" in into.floats:
        least = np.minimum(tails.smallest * (2 if tail == "two-sided" else 1), 1.0)
        found["smallest_p"] = np.broadcast_to(least, z.shape)
    at = np.ix_(rows, members)
    for name, array in into.floats.items():
        array[at] = found[name] if name == "z" else np.where(untested, np.nan, found[name])
    codes = quadrant_codes(z, lag)
    codes[:, reference.neighbours == 0] = ISOLATED_CODE
    codes[constant] = 0
    into.codes[at] = codes


def sided(z: Floats, above: Floats, below: Floats) -> tuple[Floats, Floats]:
    """Probabilities of a larger, and of a smaller, local I from those of the lag: z_i < 0 turns the sides round.

    At z_i = 0 every permutation gives I_i = 0: both are 1.
    """
    greater, less = np.where(z > 0, above, below), np.where(z > 0, below, above)
    at_mean = np.abs(z) <= _AT_MEAN
    greater[at_mean] = less[at_mean] = 1.0
    return greater, less
