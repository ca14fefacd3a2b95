"""Intervals, probabilities, ranks, classes and places over draws."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2, spearmanr

from cobalance.uncertainty import summary

NAN = np.nan


def drawn(values: object, *dims: str) -> xr.DataArray:
    data = np.asarray(values, dtype=float)
    names = [*dims, "draw"]
    coords = {name: list("ABCDEFGH"[:size]) for name, size in zip(names[:-1], data.shape, strict=False)}
    return xr.DataArray(data, coords, names, attrs={"units": "1"})


def test_interval_by_hand() -> None:
    # 21 draws 0 … 20: the 5 % quantile is the draw at 0.05 · 20 = 1, the median 10, the 95 % quantile 19
    found = summary.interval(drawn([np.random.default_rng(0).permutation(21)], "region"))
    assert found.dims == ("region", "bound")
    assert found.sel(region="A").values.tolist() == [1.0, 10.0, 19.0]
    assert found.attrs["units"] == "1"


def test_draws_without_a_number_are_left_out_and_counted() -> None:
    data = drawn([[NAN, *range(21)], [NAN] * 22, range(22)], "region")
    found = summary.interval(data)
    assert found.sel(region="A").values.tolist() == [1.0, 10.0, 19.0]
    assert np.isnan(found.sel(region="B")).all()
    assert summary.defined_share(data).values.tolist() == [21 / 22, 0.0, 1.0]


@given(arrays(float, (3, 9), elements=st.one_of(st.floats(-1e6, 1e6), st.just(NAN))))
def test_interval_is_numpys_nanquantile(values: np.ndarray) -> None:
    found = summary.interval(drawn(values, "region"))
    for row, own in zip(values, found.values, strict=True):
        known = row[np.isfinite(row)]
        expected = np.quantile(known, summary.PROBABILITIES) if len(known) else [NAN] * 3
        np.testing.assert_allclose(own, expected, rtol=1e-12, atol=1e-9)


@given(st.floats(-1e9, 1e9), st.integers(1, 30))
def test_one_number_in_all_draws_comes_out_as_it_is(value: float, draws: int) -> None:
    assert (summary.interval(drawn([[value] * draws], "region")) == value).all()


def test_probability_above_is_of_the_draws_with_a_number() -> None:
    data = drawn([[0.5, 1.5, 2.5, NAN], [NAN] * 4, [1.0, 1.0, 1.0, 1.0]], "region")
    found = summary.probability_above(data, 1.0)
    assert found.values[0] == pytest.approx(2 / 3)
    assert np.isnan(found.values[1])
    assert found.values[2] == 0.0, "at the threshold is not above it"


def test_top_share_counts_ties_and_never_the_missing() -> None:
    # draw 0: A 5, C 4 are the two largest; draw 1: B and C tie for the second place behind A
    data = drawn([[5, 9], [1, 3], [4, 3], [NAN, 1]], "region")
    assert summary.top_share(data, 2).values.tolist() == [1.0, 0.5, 1.0, 0.0]
    assert summary.top_share(data, 5).values.tolist() == [1.0, 1.0, 1.0, 0.5], "fewer than five regions have a number"
    assert np.isnan(summary.top_share(drawn([[NAN, NAN], [1, 3]], "region"), 2)).values.tolist() == [True, False]


def test_top_share_keeps_the_other_dims_and_does_not_care_about_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = drawn(np.random.default_rng(1).random((6, 2, 50)), "region", "year")
    whole = summary.top_share(data, 2)
    assert whole.dims == ("region", "year")
    np.testing.assert_allclose(whole.sum("region"), 2.0)
    monkeypatch.setattr(summary, "_CELLS", 12)
    xr.testing.assert_identical(summary.top_share(data, 2), whole)
    xr.testing.assert_identical(summary.interval(data), summary.interval(data))


def test_ranks_one_is_the_largest() -> None:
    found = summary.ranks(drawn([[3.0], [7.0], [NAN], [3.0]], "region"))
    np.testing.assert_array_equal(found.values[:, 0], [2, 1, NAN, 2])


def test_rank_stability_is_spearmans() -> None:
    values = np.random.default_rng(2).random((8, 3))
    reference = drawn(values[:, :1], "region").isel(draw=0, drop=True)
    found = summary.rank_stability(drawn(values, "region"), reference)
    expected = [spearmanr(values[:, draw], values[:, 0]).statistic for draw in range(3)]
    np.testing.assert_allclose(found, expected)


def test_class_shares_and_stability() -> None:
    words = np.array([["high-high", "high-high", "not significant", "high-high"], ["low-low"] * 4], dtype=object)
    classes = xr.DataArray(words, {"region": ["A", "B"]}, ["region", "draw"])
    reference = xr.DataArray(np.array(["high-high", "isolated"], dtype=object), {"region": ["A", "B"]}, ["region"])
    shares = summary.class_shares(classes, ["high-high", "low-low", "not significant"])
    assert shares.values.tolist() == [[0.75, 0.0, 0.25], [0.0, 1.0, 0.0]]
    assert summary.class_stability(classes, reference).values.tolist() == [0.75, 0.0]


def test_a_places_ellipse_by_hand() -> None:
    # along the diagonal from south-west to north-east: bearing 45°, no width; variance along it 2 · var(−1, 0, 1) = 2
    found = summary.place_ellipse(np.array([-1.0, 0.0, 1.0, NAN]), np.array([-1.0, 0.0, 1.0, 2.0]))
    assert found["draws"] == 3
    assert (found["easting_m"], found["northing_m"]) == (0.0, 0.0)
    assert found["rotation_deg"] == pytest.approx(45.0)
    assert found["semi_major_m"] == pytest.approx(np.sqrt(2.0 * chi2.ppf(0.9, 2)))
    assert found["semi_minor_m"] == pytest.approx(0.0, abs=1e-7)


def test_an_ellipse_holds_its_level() -> None:
    x, y = np.random.default_rng(3).multivariate_normal([5, -2], [[4, 1], [1, 2]], 4000).T
    found = summary.place_ellipse(x, y, 0.9)
    angle = np.radians(found["rotation_deg"])
    along = (x - found["easting_m"]) * np.sin(angle) + (y - found["northing_m"]) * np.cos(angle)
    across = (x - found["easting_m"]) * np.cos(angle) - (y - found["northing_m"]) * np.sin(angle)
    inside = (along / found["semi_major_m"]) ** 2 + (across / found["semi_minor_m"]) ** 2 <= 1
    assert inside.mean() == pytest.approx(0.9, abs=0.02)


def test_no_place_in_any_draw() -> None:
    found = summary.place_ellipse(np.array([NAN]), np.array([NAN]))
    assert found["draws"] == 0
    assert np.isnan(found["easting_m"])
