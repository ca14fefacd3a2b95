"""The engine against plain evaluation, brute-force enumeration and itself in other shapes."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.spatial import draws
from cobalance.spatial.arrays import local_arrays
from cobalance.spatial.blocks import TIE
from cobalance.spatial.enumeration import enumerated_counts, halves_fit, subsets, sums_by_size
from cobalance.spatial.links import assembled
from cobalance.spatial.permutation import Permutation, Reference, on_grid
from cobalance.vocabulary.errors import CobalanceError


def standardised(values):
    return (values - values.mean(axis=-1, keepdims=True)) / values.std(axis=-1, ddof=1, keepdims=True)


@pytest.mark.parametrize("n", [12, 100])  # compared, sorted
@pytest.mark.parametrize("ties", [False, True])
def test_counts_are_the_plain_evaluation_of_the_same_draws(map_of, plain_counts, n, ties):
    weights = map_of(n, seed=n)
    values = np.random.default_rng(n).normal(size=(2, n))
    z = standardised(np.round(values) if ties else values)
    reference = Reference(weights, Permutation(400, seed=5, draws="shared"))
    assert (n > 8 * len(reference.groups)) == (n == 100)
    tails = reference.tails(z)
    for variable in range(2):
        above, below = plain_counts(z[variable], weights, 400, 5, equal=True)
        assert np.array_equal(tails.above[variable], above)
        assert np.array_equal(tails.below[variable], below)


def test_unequal_weights_are_the_plain_evaluation_of_the_same_draws(map_of, plain_counts):
    weights = map_of(40, seed=3, unequal=True)
    z = standardised(np.random.default_rng(3).normal(size=(1, 40)))
    reference = Reference(weights, Permutation(300, seed=2))
    assert reference.draws == "shared"
    assert not reference.equal
    tails = reference.tails(z)
    above, below = plain_counts(z[0], weights, 300, 2, equal=False)
    assert np.array_equal(tails.above[0], above)
    assert np.array_equal(tails.below[0], below)


def test_sorting_and_comparing_count_the_same(map_of):
    weights = map_of(50, seed=1)
    z = on_grid(standardised(np.round(np.random.default_rng(1).normal(size=(5, 50)), 1)), 9)
    reference = Reference(weights, Permutation(999, draws="shared"))
    (block,) = reference.blocks
    observed = reference.observed(z.T).T
    above, below = block.counts_compared(z, observed)
    for variable in range(5):
        row = slice(variable, variable + 1)
        high, low = block.counts_sorted(z[row], observed[row])
        assert np.array_equal(high[0], above[variable])
        assert np.array_equal(low[0], below[variable])


def test_matrix_products_count_what_sorting_counts(map_of):
    weights = map_of(50, seed=1)
    z = on_grid(standardised(np.random.default_rng(1).normal(size=(1, 50))), 9)
    reference = Reference(weights, Permutation(999, draws="shared"))
    (block,) = reference.blocks
    by_sum = block.counts_sorted(z, reference.observed(z.T).T)
    by_lag = block.counts_unequal(z, (weights.matrix() @ z.T).T)  # rows of 1/k: the same question
    assert np.array_equal(by_sum[0], by_lag[0])
    assert np.array_equal(by_sum[1], by_lag[1])


@pytest.mark.parametrize("unequal", [False, True])
def test_blocks_and_threads_change_no_count(map_of, unequal):
    weights = map_of(90, seed=4, unequal=unequal)
    z = standardised(np.random.default_rng(4).normal(size=(7, 90)))
    whole = Reference(weights, Permutation(10_000, draws="shared")).tails(z)
    for threads, block in ((1, 1), (2, None), (4, 2)):
        other = Reference(weights, Permutation(10_000, draws="shared", threads=threads, block=block)).tails(z)
        assert np.array_equal(whole.above, other.above)
        assert np.array_equal(whole.below, other.below)


def test_every_region_may_be_every_neighbour_when_all_others_are(map_of):
    # k = n - 1: all sets are the set of all others, every permutation ties with the observed one
    n = 6
    focal, neighbour = np.nonzero(~np.eye(n, dtype=bool))
    weights = assembled(list("abcdef"), focal, neighbour, None, "given", True)
    z = standardised(np.random.default_rng(0).normal(size=(1, n)))
    tails = Reference(weights, Permutation(500, draws="shared")).tails(z)
    assert (tails.above == 500).all()
    assert (tails.below == 500).all()


@pytest.mark.parametrize("n", [7, 10])
def test_enumeration_is_every_combination(map_of, n):
    weights = map_of(n, seed=n)
    z = standardised(np.round(np.random.default_rng(n).normal(size=(1, n)), 1))
    grid = on_grid(z, n)[0]
    tails = Reference(weights, Permutation(draws="exact")).tails(z)
    for unit in range(n):
        around = weights.indices[weights.indptr[unit] : weights.indptr[unit + 1]]
        others = [at for at in range(n) if at != unit]
        sums = np.array([grid[list(some)].sum() for some in combinations(others, len(around))])
        observed = grid[around].sum()
        assert tails.total[unit] == len(sums) == comb(n - 1, len(around))
        assert tails.above[0, unit] == (sums >= observed - TIE).sum()
        assert tails.below[0, unit] == (sums <= observed + TIE).sum()


def test_sums_by_size_by_hand():
    # of 1, 2, 4: one of size 0; 1 2 4; 3 5 6; 7
    sums = sums_by_size(np.array([[1.0, 2.0, 4.0]]), 3)
    assert [sorted(each[0].tolist()) for each in sums] == [[0.0], [1.0, 2.0, 4.0], [3.0, 5.0, 6.0], [7.0]]


def test_number_of_sets_by_hand():
    # 31 provinces: one with 2 neighbours C(30, 2) = 435, two with 3 C(30, 3) = 4060 each, an island none
    assert subsets(31, np.array([2, 3, 3, 0])) == 435 + 2 * 4060
    assert halves_fit(34, 8)
    assert not halves_fit(400, 12)


def test_shared_draws_agree_with_enumeration_in_distribution(map_of):
    """(drawn p − exact p) / √(p (1 − p) / R) over many regions and variables has mean 0 and SD 1."""
    weights = map_of(25, seed=9)
    permutations = 4000
    scores = []
    for seed in range(24):  # fresh draws each: p's of one set of draws move together
        z = standardised(np.random.default_rng(seed).gamma(1.0, size=(12, 25)))
        exact = Reference(weights, Permutation(draws="exact")).tails(z)
        drawn = Reference(weights, Permutation(permutations, seed=seed, draws="shared")).tails(z)
        p = exact.above / exact.total
        inside = (p > 0.02) & (p < 0.98)
        difference = drawn.above / permutations - p
        scores.append((difference / np.sqrt(np.maximum(p * (1 - p), 1e-12) / permutations))[inside])
    score = np.concatenate(scores)
    assert len(score) > 5000
    assert 0.95 < score.std() < 1.05
    assert abs(score.mean()) < 0.1


def test_independent_draws_agree_with_enumeration(map_of):
    weights = map_of(16, seed=2)
    z = standardised(np.random.default_rng(2).normal(size=(3, 16)))
    exact = Reference(weights, Permutation(draws="exact")).tails(z)
    drawn = Reference(weights, Permutation(20_000, draws="independent")).tails(z)
    p = exact.above / exact.total
    error = np.sqrt(np.maximum(p * (1 - p), 1e-5) / 20_000)
    assert np.abs((drawn.above / 20_000 - p) / error).max() < 4.5  # 48 values: beyond 4.5 once in 3000 runs


def test_pearson_preview_is_near_and_named(map_of):
    weights = map_of(100, seed=5)
    z = standardised(np.random.default_rng(5).normal(size=(4, 100)))
    preview = Reference(weights, Permutation(draws="pearson")).tails(z)
    drawn = Reference(weights, Permutation(20_000, draws="shared")).tails(z)
    assert np.abs(preview.above - drawn.probability(drawn.above)).max() < 0.03
    assert "preview" in preview.method
    # moments are exact: with unequal weights too
    unequal = map_of(100, seed=5, unequal=True)
    preview = Reference(unequal, Permutation(draws="pearson")).tails(z)
    drawn = Reference(unequal, Permutation(20_000, draws="shared")).tails(z)
    assert np.abs(preview.above - drawn.probability(drawn.above)).max() < 0.03


def test_auto_enumerates_small_maps_and_draws_for_large_ones(map_of):
    assert Reference(map_of(20), Permutation()).draws == "exact"
    assert Reference(map_of(400), Permutation(99)).draws == "shared"
    assert Reference(map_of(20, unequal=True), Permutation(99)).draws == "shared"


def test_smallest_attainable_p():
    # a path a–b–c–d: the ends have one neighbour among three others, C(3, 1) = 3; the middle C(3, 2) = 3
    weights = assembled(list("abcd"), [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], None, "given", True)
    z = standardised(np.array([[1.0, 2.0, 3.0, 5.0]]))
    assert Reference(weights, Permutation(draws="exact")).tails(z).smallest == pytest.approx([1 / 3] * 4)
    assert Reference(weights, Permutation(99, draws="shared")).tails(z).smallest == pytest.approx([0.01] * 4)


def test_draws_are_ordered_samples_without_repeats():
    for n, count in ((5, 5), (40, 6), (1000, 9)):
        ids = draws.shared_chunk(n, count, 500, seed=1, number=0)
        assert ids.shape == (count, 500)
        assert all(len(set(column)) == count for column in ids.T.tolist())
        assert ids.min() >= 0
        assert ids.max() < n


@pytest.mark.parametrize(("n", "count"), [(6, 4), (40, 3)])
def test_draws_are_uniform_in_every_place(n, count):
    ids = np.concatenate([draws.shared_chunk(n, count, 1024, seed=2, number=c) for c in range(20)], axis=1)
    expected = ids.shape[1] / n
    for place in range(count):
        seen = np.bincount(ids[place], minlength=n)
        chi2 = ((seen - expected) ** 2 / expected).sum()
        assert abs(chi2 - (n - 1)) < 5 * np.sqrt(2 * (n - 1))


def test_independent_ids_leave_the_region_out_and_depend_on_nothing_else():
    ids = draws.independent_ids(9, 4, 5, range(2000), seed=7)
    assert not (ids == 4).any()
    assert all(len(set(column)) == 5 for column in ids.T.tolist())
    assert np.array_equal(ids[:, 1200:1300], draws.independent_ids(9, 4, 5, range(1200, 1300), seed=7))
    assert not np.array_equal(ids, draws.independent_ids(9, 3, 5, range(2000), seed=7))
    seen = np.bincount(ids.ravel(), minlength=9)[[0, 1, 2, 3, 5, 6, 7, 8]]
    assert np.abs(seen - 1250).max() < 5 * np.sqrt(1250)


def test_philox_gives_the_published_words():
    # known answers of Random123 (philox4x32, 10 rounds): zero counter and key; all bits set
    zero = draws.philox(np.zeros((4, 1), dtype=np.uint64), 0)
    assert [f"{word:08x}" for word in zero[:, 0].tolist()] == ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]
    ones = draws.philox(np.full((4, 1), 0xFFFFFFFF, dtype=np.uint64), 0xFFFFFFFFFFFFFFFF)
    assert [f"{word:08x}" for word in ones[:, 0].tolist()] == ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_sums_on_the_grid_do_not_depend_on_the_order(values, random):
    grid = on_grid(np.array([values]), len(values))[0].tolist()
    shuffled = list(grid)
    random.shuffle(shuffled)
    assert np.cumsum(grid)[-1] == np.cumsum(shuffled)[-1]
    assert np.abs(np.array(grid) - np.array(values)).max() < 2.0**-36


def test_large_panel_needs_no_more_than_its_arrays(map_of):
    # slabs and one slab give the same
    weights = map_of(64)
    values = np.random.default_rng(0).normal(size=(9, 64))
    from cobalance.spatial import arrays

    whole = local_arrays(values, None, weights, Permutation(99, draws="shared"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "_SLAB_BYTES", 64 * 8 * 2)
        parts = local_arrays(values, None, weights, Permutation(99, draws="shared"))
    for name in whole.floats:
        assert np.array_equal(whole.floats[name], parts.floats[name])


def test_settings_that_make_no_sense_are_refused(map_of):
    with pytest.raises(CobalanceError, match="E713 .*permutations is 0"):
        Permutation(0)
    with pytest.raises(CobalanceError, match="E713 .*seed is -1"):
        Permutation(9, seed=-1)
    with pytest.raises(CobalanceError, match="E709 .*'sharred'.*shared"):
        Permutation(9, draws="sharred")
    with pytest.raises(CobalanceError, match="E714 .*unequal weights"):
        Reference(map_of(20, unequal=True), Permutation(draws="exact"))


def test_enumerated_counts_skip_islands():
    values, zero = np.array([[1.0, 2.0, 3.0]]), np.zeros((1, 3))
    counts = enumerated_counts(values, np.array([1, 0, 1]), zero, zero)
    assert counts[0].tolist() == [[2, 0, 2]]
