"""Two quantities, two years, rates, classes through time, hot spots and local Geary."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from cobalance.spatial.bivariate import (
    bivariate_local_moran,
    bivariate_moran,
    change,
    differential_local_moran,
    differential_moran,
    empirical_bayes_rate,
)
from cobalance.spatial.hotspots import getis_ord, local_geary
from cobalance.spatial.links import assembled
from cobalance.spatial.moran import global_moran, local_moran
from cobalance.spatial.permutation import Permutation
from cobalance.spatial.transitions import (
    cluster_moves,
    cluster_persistence,
    cluster_stability,
    cluster_transitions,
    colocated_clusters,
)
from cobalance.spatial.weights import to_libpysal
from cobalance.vocabulary.errors import CobalanceError


def labelled(values, weights, years=(2000, 2010)):
    values = np.asarray(values, dtype=float)
    coords = {"region": weights.ids}
    if values.ndim == 1:
        return xr.DataArray(values, dims="region", coords=coords)
    return xr.DataArray(values, dims=("region", "year"), coords=coords | {"year": list(years)})


@pytest.fixture
def path():
    return assembled(list("abcd"), [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], None, "given", True)


def test_bivariate_by_hand(path):
    # x deviations −2 −1 0 3 (s² 14/3), y = 4 2 1 1: deviations 2 0 −1 −1 (s² = 2)
    # lags of y: 0, (2 − 1)/2 = .5, (0 − 1)/2 = −.5, −1;  I = x · lag / (sx sy)
    x, y = labelled([1, 2, 3, 6], path), labelled([4, 2, 1, 1], path)
    scale = np.sqrt(14 / 3 * 2)
    local = bivariate_local_moran(x, y, path)
    assert local.local_i.values == pytest.approx(np.array([0, -0.5, 0, -3]) / scale)
    assert local.quadrant.values.tolist()[1::2] == ["low-high", "high-low"]
    # global: Σ / (n − 1), S0 = n: −3.5 / (3 · scale)
    whole = bivariate_moran(x, y, path, permutations=99)
    assert float(whole.moran_i) == pytest.approx(-3.5 / (3 * scale))


def test_a_quantity_against_itself_is_moran(map_of):
    weights = map_of(49)
    x = labelled(np.random.default_rng(0).normal(size=49), weights)
    xr.testing.assert_equal(
        bivariate_local_moran(x, x.copy(), weights, permutations=199), local_moran(x, weights, permutations=199)
    )
    both = bivariate_moran(x, x, weights, permutations=9)
    assert float(both.moran_i) == pytest.approx(float(global_moran(x, weights, permutations=9).moran_i))


def test_missing_in_either_is_missing(map_of):
    weights = map_of(25)
    rng = np.random.default_rng(0)
    x, y = (labelled(rng.normal(size=25), weights) for _ in range(2))
    x[3], y[7] = np.nan, np.nan
    result = bivariate_local_moran(x, y, weights, permutations=99)
    assert np.flatnonzero(result.status.values == "missing").tolist() == [3, 7]
    assert int(bivariate_moran(x, y, weights, permutations=9).n) == 23


def test_bivariate_p_is_uniform_when_nothing_is_there(map_of):
    weights = map_of(49)
    rng = np.random.default_rng(1)
    dims, coords = ("region", "draw"), {"region": weights.ids, "draw": range(300)}
    x, y = (xr.DataArray(rng.normal(size=(49, 300)), dims=dims, coords=coords) for _ in range(2))
    p = bivariate_moran(x, y, weights, permutations=199, tail="greater").pseudo_p.values
    assert abs(p.mean() - 0.5) < 0.07  # SD of the mean .29 / √300 = .017
    assert 0.01 < (p <= 0.05).mean() < 0.11


def test_differential_is_moran_of_the_change(map_of):
    weights = map_of(36)
    values = labelled(np.random.default_rng(0).normal(size=(36, 2)), weights)
    gain = labelled(values.values[:, 1] - values.values[:, 0], weights)
    local = differential_local_moran(values, weights, 2000, 2010, permutations=99)
    xr.testing.assert_equal(local, local_moran(gain, weights, permutations=99))
    whole = differential_moran(values, weights, 2000, 2010, permutations=99)
    xr.testing.assert_equal(whole, global_moran(gain, weights, permutations=99))
    with pytest.raises(CobalanceError, match="E709 .*'1999'.*2000, 2010"):
        change(values, 1999, 2010)


def test_empirical_bayes_by_hand(path):
    # e 1 3 2 10, p 10 20 40 30: b = 16/100 = .16, rates .1 .15 .05 1/3
    # Σ p (r − b)² / Σp = (10·.0036 + 20·.0001 + 40·.0121 + 30·.030044…)/100 = .0142333…
    # a = .0142333 − .16 / 25 = .0078333;  v_i = a + .16 / p_i
    events, people = labelled([1, 3, 2, 10], path), labelled([10, 20, 40, 30], path)
    rate, b = np.array([0.1, 0.15, 0.05, 1 / 3]), 0.16
    a = (np.array([10, 20, 40, 30]) * (rate - b) ** 2).sum() / 100 - b / 25
    assert a == pytest.approx(0.0078333, abs=1e-6)
    expected = (rate - b) / np.sqrt(a + b / np.array([10, 20, 40, 30]))
    assert empirical_bayes_rate(events, people).values == pytest.approx(expected)
    # a below zero is taken as zero: rates all alike
    alike = empirical_bayes_rate(labelled([1, 2, 4, 3.1], path), people)
    b = 10.1 / 100
    assert alike.values[3] == pytest.approx((3.1 / 30 - b) / np.sqrt(b / 30))
    with pytest.raises(CobalanceError, match="E720 .*in b"):
        empirical_bayes_rate(events, labelled([10, 0, 40, 30], path))
    missing = empirical_bayes_rate(events.where(events.region != "c"), people)
    assert np.isnan(missing.values).tolist() == [False, False, True, False]


def test_second_array_must_have_the_same_labels(map_of):
    weights = map_of(16)
    x = labelled(np.arange(16.0), weights)
    with pytest.raises(CobalanceError, match="E703 .*order"):
        bivariate_moran(x, x[::-1], weights)
    with pytest.raises(CobalanceError, match="E715"):
        bivariate_local_moran(x, x.rename(region="place"), weights)


# --- classes through time --------------------------------------------------------------------------------------------

HH, LL, NS = "high-high", "low-low", "not significant"


@pytest.fixture
def classes():
    words = [[HH, HH, HH], [HH, LL, LL], [LL, LL, LL], [NS, NS, HH]]
    coords = {"region": list("abcd"), "year": [1990, 2000, 2010]}
    return xr.DataArray(np.array(words, dtype=object), dims=("region", "year"), coords=coords)


def test_transitions_by_hand(classes):
    result = cluster_transitions(classes)
    assert result["from"].values.tolist() == [HH, LL, NS]
    assert result.step.values.tolist() == ["1990–2000", "2000–2010"]
    # from HH: a stays twice, b goes to LL once; LL: c stays twice, b once; NS: d stays, then HH
    assert result.total.values.tolist() == [[2, 1, 0], [0, 3, 0], [1, 0, 1]]
    assert result["count"].sel(step="1990–2000").values.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert result.probability.values == pytest.approx(np.array([[2 / 3, 1 / 3, 0], [0, 1, 0], [0.5, 0, 0.5]]))
    # Shorrocks: (3 − (2/3 + 1 + 1/2)) / 2 = 5/12
    assert float(result.mobility) == pytest.approx(5 / 12)
    moves = cluster_moves(classes)
    assert moves.to_dict("records") == [
        {"region": "b", "from_year": 1990, "to_year": 2000, "from": HH, "to": LL},
        {"region": "d", "from_year": 2000, "to_year": 2010, "from": NS, "to": HH},
    ]


def test_years_are_put_in_order(classes):
    xr.testing.assert_equal(cluster_transitions(classes[:, ::-1]), cluster_transitions(classes))


def test_a_class_nobody_left_has_no_probability():
    words = np.array([[HH, LL]], dtype=object)
    one = xr.DataArray(words, dims=("region", "year"), coords={"region": ["a"], "year": [1, 2]})
    result = cluster_transitions(one)
    assert result.probability.values == pytest.approx(np.array([[0, 1], [np.nan, np.nan]]), nan_ok=True)
    assert np.isnan(result.mobility)


def test_persistence_by_hand(classes):
    result = cluster_persistence(classes)
    assert result.main_class.values.tolist() == [HH, LL, LL, NS]
    assert result.share.values == pytest.approx([1, 2 / 3, 1, 2 / 3])
    assert result.longest_run.values.tolist() == [3, 2, 3, 2]
    assert result.changes.values.tolist() == [0, 1, 0, 1]
    assert result.share_of.sel(region="b").values == pytest.approx([1 / 3, 2 / 3, 0])


def test_colocation_by_hand():
    coords = {"region": list("abcde")}
    carbon = xr.DataArray(np.array([HH, HH, NS, NS, "isolated"], dtype=object), dims="region", coords=coords)
    oxygen = xr.DataArray(np.array([HH, LL, NS, HH, "isolated"], dtype=object), dims="region", coords=coords)
    result = colocated_clusters(carbon, oxygen)
    assert result.joint.values.tolist() == [HH, "different", "both not significant", "different", "undefined"]
    assert int(result["count"].sel(first=HH, second=LL)) == 1
    assert int(result["count"].sum()) == 5
    with pytest.raises(CobalanceError, match="E715"):
        colocated_clusters(carbon, oxygen[:3])


def test_stability_across_draws(map_of):
    words = np.array([[HH, HH, LL, HH], [NS, NS, NS, NS]], dtype=object)
    coords = {"region": ["a", "b"], "draw": range(4)}
    result = cluster_stability(xr.DataArray(words, dims=("region", "draw"), coords=coords))
    assert result.stable_class.values.tolist() == [HH, NS]
    assert result.stability.values.tolist() == [0.75, 1.0]
    assert result.share.sel({"region": "a", "class": LL}) == 0.25
    # and on real clusters of many draws at once
    weights = map_of(36)
    draws = xr.DataArray(
        np.random.default_rng(0).normal(size=(36, 50)), dims=("region", "draw"), coords={"region": weights.ids}
    )
    found = cluster_stability(local_moran(draws, weights, permutations=199).cluster)
    assert found.share.sum("class").values == pytest.approx(np.ones(36))
    with pytest.raises(CobalanceError, match="E715"):
        cluster_stability(draws.astype(str), "sample")


# --- G, G*, Geary ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def esda():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import esda
    return esda


def test_g_scores_equal_esdas(map_of, esda):
    weights = map_of(49, row_standardised=False)
    values = np.random.default_rng(0).gamma(2.0, size=49)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_libpysal(weights).to_W()
        star = esda.G_Local(values, graph, transform="B", star=True, permutations=0)
        plain = esda.G_Local(values, graph, transform="B", star=False, permutations=0)
    plan = Permutation(99, draws="shared")
    assert getis_ord(labelled(values, weights), weights, plan=plan).g.values == pytest.approx(star.Zs, abs=1e-10)
    ours = getis_ord(labelled(values, weights), weights, star=False, plan=plan)
    assert ours.g.values == pytest.approx(plain.Zs, abs=1e-10)


def test_hot_and_cold_spots(map_of):
    weights = map_of(100, seed=1)
    values = np.zeros(100) + np.random.default_rng(0).normal(scale=0.1, size=100)
    values[[0, 1, 10, 11]] += 5
    values[[88, 89, 98, 99]] -= 5
    result = getis_ord(labelled(values, weights), weights, plan=Permutation(999))
    assert result.cluster.values[0] == "hot spot"
    assert result.cluster.values[99] == "cold spot"
    # p is local Moran's p of the lag: the same tails
    local = local_moran(labelled(values, weights), weights, permutations=999)
    assert np.array_equal(result.pseudo_p.values, local.pseudo_p.values)


def test_local_geary_by_hand_and_by_force(path, map_of):
    # s² = 14/3; a: (−2 + 1)² = 1; b: (1 + 1)/2; c: (1 + 9)/2; d: 9, each divided by s²
    local = local_geary(labelled([1, 2, 3, 6], path), path, plan=Permutation(99))
    assert local.local_c.values == pytest.approx(np.array([1, 1, 5, 9]) * 3 / 14)
    weights = map_of(30)
    values = labelled(np.random.default_rng(0).normal(size=30), weights)
    result = local_geary(values, weights, plan=Permutation(4000), tail="less")
    z = ((values - values.mean()) / values.std(ddof=1)).values
    rng = np.random.default_rng(5)
    for unit in (0, 11, 29):
        around = weights.indices[weights.indptr[unit] : weights.indptr[unit + 1]]
        others = np.delete(z, unit)
        drawn = np.array(
            [((z[unit] - rng.choice(others, len(around), replace=False)) ** 2).mean() for _ in range(4000)]
        )
        p = ((drawn <= ((z[unit] - z[around]) ** 2).mean()).sum() + 1) / 4001
        assert float(result.pseudo_p[unit]) == pytest.approx(p, abs=5 * np.sqrt(2 * 0.25 / 4000))


@pytest.mark.parametrize("unequal", [False, True])
def test_the_scale_of_the_weights_changes_no_p(map_of, unequal):
    weights = map_of(60, row_standardised=False, unequal=unequal)
    small = assembled(weights.ids, weights.focal, weights.indices, weights.values * 1e-9, "given", False)
    values = labelled(np.random.default_rng(0).normal(size=60), weights)
    for test in (local_moran, global_moran):
        one, other = (test(values, each, permutations=499) for each in (weights, small))
        assert np.array_equal(one.pseudo_p.values, other.pseudo_p.values)
    for draws in ("shared", "pearson", "independent"):
        one, other = (getis_ord(values, each, plan=Permutation(99, draws=draws)) for each in (weights, small))
        assert one.pseudo_p.values == pytest.approx(other.pseudo_p.values, abs=1e-12)
        assert one.g.values == pytest.approx(other.g.values, rel=1e-9)
    one, other = (local_geary(values, each, plan=Permutation(99)) for each in (weights, small))
    assert np.array_equal(one.pseudo_p.values, other.pseudo_p.values)
    assert other.local_c.values == pytest.approx(one.local_c.values * 1e-9)
    assert len(np.unique(one.pseudo_p.values)) > 20


def test_local_geary_words(map_of):
    weights = map_of(100, seed=1)
    values = np.random.default_rng(0).normal(size=100)
    values[[0, 1, 10, 11]] = 6.0
    result = local_geary(labelled(values, weights), weights, plan=Permutation(999))
    assert result.cluster.values[0] == "similar"
    assert result.cluster.values[2] == "different"  # beside the block
    values[50] = np.nan
    gap = local_geary(labelled(values, weights), weights, plan=Permutation(99))
    assert gap.cluster.values[50] == "undefined"


def test_islands_and_constants_have_no_spot(map_of):
    weights = map_of(25)
    more = assembled([*weights.ids, "9999"], weights.focal, weights.indices, None, "given", True)
    rng = np.random.default_rng(0)
    values = labelled(np.column_stack([rng.normal(size=26), np.ones(26)]), more)
    for test in (getis_ord, local_geary):
        result = test(values, more, plan=Permutation(99))
        assert result.cluster.values[25, 0] == "isolated"
        assert set(result.cluster.values[:25, 1]) == {"undefined"}
