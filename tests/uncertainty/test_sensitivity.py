"""Sobol' indices: analytic values, an oracle, and outputs without a number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cobalance.uncertainty.points import DESIGNS, Points
from cobalance.uncertainty.sensitivity import ESTIMATORS, FEWEST, indices, sobol_indices
from cobalance.vocabulary.errors import CobalanceError

Floats = NDArray[np.float64]
GROUPS = {"a": "first", "b": "second", "c": "third"}


def uniform(points: Points) -> list[Floats]:
    return [points.column(name, range(points.count)) for name in GROUPS]


def additive(points: Points) -> Floats:
    """3a + 2b + c of uniform numbers: variances 9/12, 4/12, 1/12, so shares 9/14, 4/14, 1/14."""
    a, b, c = uniform(points)
    return np.stack([3 * a + 2 * b + c, 1e6 + 1e-3 * (3 * a + 2 * b + c)], axis=1)


def ishigami(points: Points) -> Floats:
    x, y, z = (np.pi * (2 * column - 1) for column in uniform(points))
    return (np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))[:, None]


def ishigami_indices() -> tuple[Floats, Floats]:
    """Analytic first-order and total indices (Ishigami and Homma 1990), a = 7, b = 0.1."""
    own_x, own_y = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 7**2 / 8
    both = 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50)
    variance = own_x + own_y + both
    return np.array([own_x, own_y, 0]) / variance, np.array([own_x + both, own_y, both]) / variance


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_additive_shares_lie_within_their_confidence(design: str, estimator: str) -> None:
    shares = np.array([[9], [4], [1]]) / 14
    held = []
    for seed in range(20):
        found = sobol_indices(additive, GROUPS, 128, seed=seed, design=design, estimator=estimator, resamples=100)
        held.append((found.first_order_low <= shares) & (shares <= found.first_order_high))
        held.append((found.total_low <= shares) & (shares <= found.total_high))
        assert (found.total_high - found.total_low < 0.6).all(), "the limits say something"
    # 95 % intervals of 120 estimates for each output
    assert np.mean(held, axis=(0, 1)).min() > 0.85


def test_interactions_stand_in_the_total_only() -> None:
    found = sobol_indices(ishigami, GROUPS, 1024, seed=1)
    first_order, total = ishigami_indices()
    np.testing.assert_allclose(found.first_order[:, 0], first_order, atol=0.03)
    np.testing.assert_allclose(found.total[:, 0], total, atol=0.03)


def test_a_group_of_two_columns_is_one_answer() -> None:
    found = sobol_indices(additive, {"a": "both", "b": "both", "c": "third"}, 512)
    np.testing.assert_allclose(found.total[:, 0], [13 / 14, 1 / 14], atol=0.03)


def test_a_group_that_does_nothing_has_exactly_nothing() -> None:
    found = sobol_indices(lambda points: additive(points)[:, :1], {**GROUPS, "d": "idle"}, 64)
    assert (found.first_order[3], found.total[3]) == (0.0, 0.0)


def test_all_outputs_at_once_are_as_one_by_one() -> None:
    def both(points: Points) -> Floats:
        return np.concatenate([additive(points), ishigami(points)], axis=1)

    together = sobol_indices(both, GROUPS, 128, seed=2)
    alone = sobol_indices(ishigami, GROUPS, 128, seed=2)
    np.testing.assert_allclose(together.total[:, 2], alone.total[:, 0], rtol=1e-10)
    np.testing.assert_allclose(together.first_order_low[:, 2], alone.first_order_low[:, 0], rtol=1e-9, atol=1e-12)


def test_rows_without_a_number_are_left_out() -> None:
    def holed(points: Points) -> Floats:
        full = additive(points)[:, 0]
        a = points.column("a", range(points.count))
        rare = np.where(a > 0.99, np.nan, full)
        return np.stack([full, rare, np.full(len(full), np.nan), np.ones(len(full))], axis=1)

    found = sobol_indices(holed, GROUPS, 512, seed=3)
    np.testing.assert_allclose(found.total[:, 1], found.total[:, 0], atol=0.02)
    assert found.used[0] == 512
    assert 480 < found.used[1] < 512
    assert np.isnan(found.total[:, 2:]).all(), "never a number, and never another number"


def test_a_mixed_run_without_a_number_is_left_out_of_its_group() -> None:
    def holed(points: Points) -> Floats:
        full = additive(points)[:, :1]
        a, b, _ = uniform(points)
        return np.where(
            ((a > 0.8) & (b > 0.8))[:, None], np.nan, full
        )  # often so in a mixture of two that have numbers

    found = sobol_indices(holed, GROUPS, 512, seed=3)
    assert np.isfinite(found.total).all()
    assert np.isfinite(found.first_order_low).all()
    assert 400 < found.used[0] < 490


def test_too_few_rows_are_no_answer() -> None:
    found = sobol_indices(additive, GROUPS, FEWEST - 1)
    assert np.isnan(found.first_order).all()


def test_an_unknown_estimator_is_refused() -> None:
    nothing = np.zeros((4, 1))
    with pytest.raises(CobalanceError, match=r"E856 .*'sobol'"):
        indices(nothing, nothing, [nothing], ["a"], estimator="sobol")


def test_salib_says_the_same() -> None:
    analyze = pytest.importorskip("SALib.analyze.sobol", reason="SALib, the oracle, is not installed").analyze
    from SALib.sample import sobol as sampler

    problem = {"num_vars": 3, "names": list(GROUPS), "bounds": [[0, 1]] * 3}
    sampled = sampler.sample(problem, 256, calc_second_order=False, seed=4).reshape(256, 5, 3)

    def run(cube: Floats) -> Floats:
        x, y, z = (np.pi * (2 * column - 1) for column in cube.T)
        return np.asarray(np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))

    results = np.stack([run(sampled[:, position]) for position in range(5)], axis=1)
    theirs = analyze(problem, results.ravel(), calc_second_order=False, num_resamples=10, seed=1)
    # SALib orders a row as A, then A with each column of B, then B
    ours = indices(results[:, :1], results[:, 4:], [results[:, k : k + 1] for k in (1, 2, 3)], list(GROUPS))
    # SALib takes the mean of all five designs off, we that of A and B: this moves S1 by their sampling error's square
    np.testing.assert_allclose(ours.first_order[:, 0], theirs["S1"], atol=1e-3)
    np.testing.assert_allclose(ours.total[:, 0], theirs["ST"], rtol=1e-10)
