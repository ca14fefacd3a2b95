"""Quantile functions: worked numbers, laws, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobalance.uncertainty.distributions import KINDS, quantiles
from cobalance.vocabulary.errors import CobalanceError

NUMBERS = st.floats(-1e6, 1e6)
SHARES = st.floats(0, 1)


def test_triangular_by_hand() -> None:
    # low 1, value 2, high 5: the turn lies at (2 − 1) / (5 − 1) = 1/4
    # below it low + √(u · 4 · 1): u = 1/16 → 1 + √(1/4) = 1.5; above it high − √((1 − u) · 4 · 3): u = 2/3 → 5 − 2 = 3
    np.testing.assert_allclose(quantiles("triangular", 2, 1, 5, [1 / 16, 1 / 4, 2 / 3]), [1.5, 2.0, 3.0], rtol=1e-14)


def test_uniform_by_hand() -> None:
    # 10 + u · (30 − 10)
    np.testing.assert_allclose(quantiles("uniform", 12, 10, 30, [0.25, 0.5]), [15.0, 20.0])


def test_normal_and_lognormal_have_their_bounds_at_95_percent() -> None:
    points = [0.025, 0.5, 0.975]
    np.testing.assert_allclose(quantiles("normal", 1.0, 0.7, 1.1, points), [0.7, 1.0, 1.1], rtol=1e-12)
    np.testing.assert_allclose(quantiles("lognormal", 1.0, 0.5, 4.0, points), [0.5, 1.0, 4.0], rtol=1e-12)


@given(st.sampled_from(KINDS), st.floats(1e-3, 1e6), SHARES)
def test_a_number_without_width_comes_out_as_it_went_in(kind: str, value: float, share: float) -> None:
    for low, high in ((value, value), (math.nan, math.nan)):
        assert quantiles(kind, value, low, high, share).item() == value


@given(NUMBERS, st.floats(0, 1e6), st.floats(0, 1e6), SHARES)
def test_triangular_stays_within_its_bounds(value: float, below: float, above: float, share: float) -> None:
    low, high = value - below, value + above
    found = quantiles("triangular", value, low, high, share).item()
    rounding = 1e-9 * (abs(low) + abs(high) + 1)
    assert low - rounding <= found <= high + rounding


@given(st.sampled_from(KINDS), SHARES, SHARES)
def test_quantiles_rise(kind: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    found = quantiles(kind, 2.0, 1.0, 5.0, [small, large])
    assert found[0] <= found[1] + 1e-12


def test_a_missing_bound_scatters_on_one_side_only() -> None:
    shares = np.linspace(0, 1, 101)
    for kind in KINDS:
        assert quantiles(kind, 2.0, 1.0, math.nan, shares).max() <= 2.0, kind
        assert quantiles(kind, 2.0, math.nan, 3.0, shares).min() >= 2.0, kind


def test_the_ends_are_finite() -> None:
    assert np.isfinite(quantiles("normal", 1.0, 0.5, 2.0, [0.0, 1.0])).all()


def test_unknown_kinds_and_bounds_in_disorder_are_refused_together() -> None:
    with pytest.raises(CobalanceError) as caught:
        quantiles("triangle", 1.0, 2.0, 3.0, 0.5)
    assert [problem.code for problem in caught.value.problems] == ["E851", "E852"]
    assert "triangular" in str(caught.value)
    assert "2, 1, 3" in str(caught.value)


def test_lognormal_of_a_sink_that_may_be_a_source_is_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E853 .* bound is -0.27"):
        quantiles("lognormal", 0.1, -0.27, 0.3, 0.5)
