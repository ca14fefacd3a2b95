"""Global and local Moran: worked numbers, the peers' numbers, laws, and the classes nothing may be made of."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.spatial.links import assembled
from cobalance.spatial.moran import global_moran, local_moran
from cobalance.spatial.significance import adjusted, normal_tail, tail_probability
from cobalance.spatial.weights import read_weights, to_libpysal
from cobalance.vocabulary.errors import CobalanceError


def panel(values, weights, years=None):
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return xr.DataArray(values, dims="region", coords={"region": weights.ids})
    years = range(2000, 2000 + values.shape[1]) if years is None else years
    return xr.DataArray(values, dims=("region", "year"), coords={"region": weights.ids, "year": list(years)})


@pytest.fixture
def path():
    """a – b – c – d, row-standardised."""
    return assembled(list("abcd"), [0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2], None, "given", True)


def test_path_of_four_by_hand(path):
    # y = 1 2 3 6, mean 3, deviations d = −2 −1 0 3, Σd² = 14
    # lags of d: −1, (−2 + 0)/2 = −1, (−1 + 3)/2 = 1, 0;  Σ d·lag = 2 + 1 + 0 + 0 = 3;  S0 = 4 = n
    # I = 4/4 · 3/14 = 0.2142857;  E = −1/3
    result = global_moran(panel([1, 2, 3, 6], path), path, permutations=99)
    assert float(result.moran_i) == pytest.approx(3 / 14, abs=1e-15)
    assert float(result.expected) == pytest.approx(-1 / 3)
    assert int(result.n) == 4
    assert int(result.links) == 6
    # S1 = ½ Σ (w_ij + w_ji)²: pairs a–b and c–d 1 + ½, b–c ½ + ½; each pair twice: 1.5² + 1² + 1.5² = 5.5
    # S2 = Σ (row + column)²: a 1 + ½, b 1 + 1½, c 1 + 1½, d 1 + ½: 2.25 + 6.25 + 6.25 + 2.25 = 17
    # normality: (16 · 5.5 − 4 · 17 + 3 · 16) / (15 · 16) − 1/9 = 68/240 − 1/9
    assert float(result.variance_normality) == pytest.approx(68 / 240 - 1 / 9)
    # b2 = 4 · (16 + 1 + 0 + 81) / 14² = 2;  n²−3n+3 = 7: 4 (7·5.5 − 68 + 48) = 74;  b2 part 2 (12·5.5 − 136 + 96) = 52
    # (74 − 52) / (3·2·1·16) − 1/9 = 22/96 − 1/9
    assert float(result.variance_randomisation) == pytest.approx(22 / 96 - 1 / 9)
    # local: s² = 14/3, I_i = d_i lag_i / s²: 2, 1, 0, 0 times 3/14
    local = local_moran(panel([1, 2, 3, 6], path), path)
    assert local.local_i.values == pytest.approx(np.array([2, 1, 0, 0]) * 3 / 14)
    assert local.quadrant.values.tolist() == ["low-low", "low-low", "low-high", "high-low"]
    # exact p: a has b; of b, c, d one is as low as b: 1/3. b has a, c (sum 4); sets of two of 1 3 6: 4 7 9: 1/3
    # c is at the mean: 1. d has c = 3, others 1 2 3: three at most 3, one at least 3: smaller tail 1/3
    assert local.pseudo_p.values == pytest.approx([1 / 3, 1 / 3, 1, 1 / 3])
    assert local.attrs["test"] == "complete enumeration of neighbour sets"


def test_columbus_gives_the_numbers_that_pysal_and_spdep_give(shared_data):
    folder = shared_data / "reference" / "columbus"
    geopandas = pytest.importorskip("geopandas")
    weights = read_weights(folder / "columbus.gal")
    table = geopandas.read_file(folder / "columbus.shp", ignore_geometry=True)
    crime = pd.Series(table["CRIME"].to_numpy(), index=table["POLYID"].astype(int).astype(str))
    result = global_moran(panel(crime.loc[weights.ids], weights), weights, permutations=999)
    assert float(result.moran_i) == pytest.approx(0.5001885571828611, abs=1e-13)
    assert float(result.variance_randomisation) == pytest.approx(0.008689289201332044, abs=1e-15)
    assert float(result.z_randomisation) == pytest.approx(5.58938267504451, abs=1e-11)
    assert float(result.pseudo_p) == 0.002  # two-sided: twice (0 + 1) / 1000


@pytest.fixture(scope="module")
def esda_moran():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda import moran
    return moran


@pytest.mark.parametrize("row_standardised", [True, False])
def test_statistics_equal_esdas(map_of, esda_moran, row_standardised):
    weights = map_of(64, seed=8, row_standardised=row_standardised)
    values = np.random.default_rng(8).gamma(2.0, size=64)
    ours, ours_local = (test(panel(values, weights), weights, permutations=99) for test in (global_moran, local_moran))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_libpysal(weights)
        how = "r" if row_standardised else "o"
        theirs = esda_moran.Moran(values, graph, transformation=how, permutations=0)
        local = esda_moran.Moran_Local(values, graph, transformation=how, permutations=0)  # p: benchmarks
    expected = {
        "moran_i": theirs.I,
        "expected": theirs.EI,
        "variance_randomisation": theirs.VI_rand,
        "z_randomisation": theirs.z_rand,
        "p_randomisation": theirs.p_rand,
        "variance_normality": theirs.VI_norm,
        "z_normality": theirs.z_norm,
        "p_normality": theirs.p_norm,
    }
    for name, value in expected.items():
        assert float(ours[name]) == pytest.approx(value, abs=1e-12), name
    assert np.abs(ours_local.local_i.values - local.Is).max() < 1e-12
    words = np.array(["", "high-high", "low-high", "low-low", "high-low"])[local.q]
    assert ours_local.quadrant.values.tolist() == words.tolist()


def test_global_pseudo_p_is_that_of_all_permutations(path):
    from itertools import permutations

    values = np.array([1.0, 2.0, 4.0, 9.0])
    every = [
        float(global_moran(panel(list(order), path), path, permutations=1).moran_i)
        for order in permutations(values.tolist())
    ]
    observed = every[0]
    greater = np.mean(np.array(every) >= observed - 1e-12)
    result = global_moran(panel(values, path), path, permutations=20_000, tail="greater")
    assert float(result.pseudo_p) == pytest.approx(greater, abs=5 * np.sqrt(0.25 / 20_000))


def test_one_panel_is_each_map_alone(map_of):
    weights = map_of(150, seed=2)
    values = np.random.default_rng(2).normal(size=(150, 4))
    values[7, 2] = np.nan
    together = local_moran(panel(values, weights), weights, permutations=499)
    whole = global_moran(panel(values, weights), weights, permutations=199)
    for at, year in enumerate(together.year.values):
        alone = local_moran(panel(values[:, at], weights), weights, permutations=499)
        xr.testing.assert_equal(together.sel(year=year, drop=True), alone)
        one = global_moran(panel(values[:, at], weights), weights, permutations=199)
        xr.testing.assert_allclose(whole.sel(year=year, drop=True), one, rtol=1e-13)
        assert float(whole.pseudo_p.sel(year=year)) == float(one.pseudo_p)


# --- missing, constant, isolated -------------------------------------------------------------------------------------


def test_an_island_is_isolated_and_has_no_p(map_of):
    weights = map_of(30)
    with_island = assembled([*weights.ids, "9999"], weights.focal, weights.indices, None, "given", True)
    values = np.random.default_rng(1).normal(size=31)
    result = local_moran(panel(values, with_island), with_island, permutations=99)
    island = result.sel(region="9999")
    assert str(island.cluster.values) == "isolated"
    assert str(island.status.values) == "isolated"
    assert np.isnan(island.pseudo_p)
    assert np.isnan(island.local_i)
    assert str(global_moran(panel(values, with_island), with_island, permutations=9).isolated.values) == "9999"


def test_one_missing_value_spoils_one_region_only(map_of):
    weights = map_of(49)
    values = np.random.default_rng(3).normal(size=49)
    values[10] = np.nan
    result = local_moran(panel(values, weights), weights, permutations=99)
    assert result.cluster.values[10] == "undefined"
    assert result.status.values[10] == "missing"
    assert np.isnan(result.pseudo_p.values).sum() == 1
    # the others: as if the map had never had that region
    keep = np.arange(49) != 10
    without = weights.selected(keep)
    alone = local_moran(panel(values[keep], without), without, permutations=99)
    assert np.array_equal(result.local_i.values[keep], alone.local_i.values)
    assert np.array_equal(result.pseudo_p.values[keep], alone.pseudo_p.values)
    whole = global_moran(panel(values, weights), weights, permutations=9)
    assert int(whole.n) == 48
    assert str(whole.missing.values) == weights.ids[10]
    assert int(whole.links) == without.links


def test_a_region_whose_neighbours_are_missing_is_isolated(path):
    values = np.array([1.0, np.nan, 3.0, 4.0])
    result = local_moran(panel(values, path), path, permutations=99)
    assert result.status.values.tolist() == ["isolated", "missing", "tested", "tested"]


def test_a_constant_map_is_undefined(map_of):
    weights = map_of(25)
    values = np.column_stack([np.full(25, 0.1 + 0.2), np.random.default_rng(0).normal(size=25)])
    result = local_moran(panel(values, weights), weights, permutations=99)
    assert set(result.cluster.values[:, 0]) == {"undefined"}
    assert set(result.status.values[:, 0]) == {"constant"}
    assert np.isnan(result.pseudo_p.values[:, 0]).all()
    assert not np.isnan(result.pseudo_p.values[:, 1]).any()
    whole = global_moran(panel(values, weights), weights, permutations=9)
    assert np.isnan(whole.moran_i.values).tolist() == [True, False]
    assert np.isnan(whole.pseudo_p.values).tolist() == [True, False]


def test_a_year_without_values_is_undefined(map_of):
    weights = map_of(16)
    values = np.column_stack([np.full(16, np.nan), np.random.default_rng(0).normal(size=16)])
    result = local_moran(panel(values, weights), weights, permutations=99)
    assert set(result.cluster.values[:, 0]) == {"undefined"}
    assert int(global_moran(panel(values, weights), weights, permutations=9).n[0]) == 0


# --- laws ------------------------------------------------------------------------------------------------------------

seeds = st.integers(0, 10_000)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_order_of_the_rows_changes_nothing(map_of, seed):
    weights = map_of(60, seed % 7)
    rng = np.random.default_rng(seed)
    values = panel(rng.normal(size=60), weights)
    shuffled = values.isel(region=rng.permutation(60))
    options = {"permutations": 199, "draws": "shared", "seed": seed}
    first, second = local_moran(values, weights, **options), local_moran(shuffled, weights, **options)
    # sums add up in another order: the statistic agrees to rounding, the counts exactly
    assert np.abs((first.local_i - second.local_i.reindex(region=values.region)).values).max() < 1e-12
    assert np.array_equal(first.pseudo_p.values, second.pseudo_p.sel(region=values.region).values)
    assert np.array_equal(first.cluster.values, second.cluster.sel(region=values.region).values)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(-100, 100), st.floats(0.01, 1e3), st.sampled_from(["shared", "exact"]))
def test_an_affine_change_of_unit_changes_nothing(map_of, seed, shift, scale, draws):
    weights = map_of(24, seed % 5)
    values = np.round(np.random.default_rng(seed).normal(size=24), 1)  # rounded: there are ties
    options = {"permutations": 199, "draws": draws}
    first = local_moran(panel(values, weights), weights, **options)
    second = local_moran(panel(shift + scale * values, weights), weights, **options)
    assert np.abs((first.local_i - second.local_i).values).max() < 1e-7
    inside = np.abs(first.z.values) > 1e-6
    assert np.array_equal(first.pseudo_p.values[inside], second.pseudo_p.values[inside])


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(-1e6, 1e6))
def test_an_isolate_changes_no_other_region(map_of, seed, value):
    weights = map_of(40, seed % 5)
    more = assembled([*weights.ids, "9999"], weights.focal, weights.indices, None, "given", True)
    values = np.random.default_rng(seed).normal(size=40)
    options = {"permutations": 199, "seed": seed, "draws": "shared"}
    without = local_moran(panel(values, weights), weights, **options)
    with_it = local_moran(panel([*values, value], more), more, **options).isel(region=slice(0, 40))
    for name in ("z", "lag", "local_i", "pseudo_p", "cluster"):
        assert np.array_equal(without[name].values, with_it[name].values), name
    one = global_moran(panel(values, weights), weights, permutations=99)
    two = global_moran(panel([*values, value], more), more, permutations=99)
    assert float(one.moran_i) == float(two.moran_i)
    assert float(one.pseudo_p) == float(two.pseudo_p)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_identical_variables_have_identical_results(map_of, seed):
    weights = map_of(120, seed % 5)
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(2, 120))
    result = local_moran(panel(np.column_stack([one, other, one]), weights), weights, permutations=199, seed=seed)
    for name in ("local_i", "pseudo_p", "cluster"):
        assert np.array_equal(result[name].values[:, 0], result[name].values[:, 2])


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_sum_of_local_is_the_global(map_of, seed):
    # row-standardised, no islands: S0 = n, so Σ I_i = Σ d lag / s² = (n − 1) I
    weights = map_of(36, seed % 5)
    values = panel(np.random.default_rng(seed).normal(size=36), weights)
    total = float(local_moran(values, weights, permutations=9, draws="shared").local_i.sum())
    assert total == pytest.approx(35 * float(global_moran(values, weights, permutations=9).moran_i), abs=1e-10)


def test_results_follow_the_seed_and_leave_the_input_alone(map_of):
    weights = map_of(130)
    values = panel(np.random.default_rng(0).normal(size=130), weights)
    before = values.copy(deep=True)
    one, same, other = (local_moran(values, weights, permutations=199, seed=s) for s in (1, 1, 2))
    xr.testing.assert_identical(one, same)
    assert not np.array_equal(one.pseudo_p.values, other.pseudo_p.values)
    xr.testing.assert_identical(values, before)


# --- tails and corrections -------------------------------------------------------------------------------------------


def test_tails_by_hand():
    greater, less = np.array([0.01, 0.6, 1.0]), np.array([0.99, 0.45, 1.0])
    assert tail_probability(greater, less, "directed").tolist() == [0.01, 0.45, 1.0]
    assert tail_probability(greater, less, "two-sided").tolist() == [0.02, 0.9, 1.0]
    assert tail_probability(greater, less, "greater").tolist() == greater.tolist()
    assert tail_probability(greater, less, "less").tolist() == less.tolist()
    assert normal_tail(np.array([1.959963984540054]))[0] == pytest.approx(0.025, abs=1e-15)


def test_corrections_by_hand():
    # m = 4, sorted .01 .02 .03 .5: BH 4·.01 = .04, 4/2·.02 = .04, 4/3·.03 = .04, .5
    # BY: BH times 1 + 1/2 + 1/3 + 1/4 = 25/12
    p = np.array([0.5, 0.01, np.nan, 0.03, 0.02])
    assert adjusted(p, "bh") == pytest.approx([0.5, 0.04, np.nan, 0.04, 0.04], nan_ok=True)
    assert adjusted(p, "by") == pytest.approx([1.0, 1 / 12, np.nan, 1 / 12, 1 / 12], nan_ok=True)
    assert adjusted(p, "bonferroni") == pytest.approx([1.0, 0.04, np.nan, 0.12, 0.08], nan_ok=True)


def test_the_family_of_a_correction_is_named(map_of):
    weights = map_of(49)
    values = panel(np.random.default_rng(4).normal(size=(49, 3)), weights)
    maps, every = (
        local_moran(values, weights, permutations=199, correction="bonferroni", family=family)
        for family in ("map", "all")
    )
    small = maps.pseudo_p.values < 1 / 147
    assert np.allclose(every.adjusted_p.values[small], maps.pseudo_p.values[small] * 147)
    assert np.allclose(maps.adjusted_p.values[small], maps.pseudo_p.values[small] * 49)
    joined = local_moran(values, weights, permutations=199, correction="bonferroni", family=("year",))
    assert np.array_equal(joined.adjusted_p.values, every.adjusted_p.values)
    assert every.attrs["family"] == "all"
    significant = np.isin(every.cluster.values, ["high-high", "low-low", "low-high", "high-low"])
    assert np.array_equal(significant, every.adjusted_p.values <= 0.05)


def test_everything_stands_beside_the_p(map_of):
    weights = map_of(25)
    values = panel(np.random.default_rng(0).normal(size=25), weights)
    attributes = local_moran(values, weights, permutations=99, seed=3, draws="shared", tail="two-sided").attrs
    assert attributes["weights"].startswith("given, row-standardised; n = 25, links")
    assert "n = 25" in attributes["weights_zh"]
    assert (attributes["tail"], attributes["permutations"], attributes["seed"]) == ("two-sided", 99, 3)
    assert "shared" in attributes["test"]
    exact = local_moran(values, weights, permutations=99).attrs
    assert (exact["test"], exact["permutations"]) == ("complete enumeration of neighbour sets", 0)
    assert exact["test_zh"] == "邻居组合完全枚举"


# --- tables ----------------------------------------------------------------------------------------------------------


def test_columns_of_a_table(map_of):
    weights = map_of(25)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=25), "b": rng.normal(size=25)}, index=weights.ids)
    one = local_moran(table, "a", weights=weights, permutations=99)
    assert one.I.index.equals(table.index)
    assert one.I.to_numpy() == pytest.approx(local_moran(panel(table["a"], weights), weights).local_i.values)
    assert list(one.to_frame().columns[:4]) == ["value", "z", "lag", "local_i"]
    assert one.to_frame().index.equals(table.index)
    many = local_moran(table, ["a", "b"], weights=weights, permutations=99)
    assert list(many.p.columns) == ["a", "b"]
    assert many.cluster.shape == (25, 2)
    assert len(many.to_frame()) == 50
    assert "weights given" in repr(many)
    whole = global_moran(table, "a", weights=weights, permutations=99)
    assert pytest.approx(float(global_moran(panel(table["a"], weights), weights, permutations=9).moran_i)) == whole.I
    assert 0 < whole.p <= 1
    assert 0 < whole.p_analytic <= 1
    assert list(global_moran(table, ["a", "b"], weights=weights, permutations=9).I.index) == ["a", "b"]


def test_a_geodataframe_and_a_word_are_enough():
    geopandas = pytest.importorskip("geopandas")
    from shapely import box

    boxes = [box(x, y, x + 1, y + 1) for x in range(4) for y in range(4)]
    table = geopandas.GeoDataFrame({"rate": np.arange(16.0)}, geometry=boxes, crs="EPSG:32650")
    result = local_moran(table, "rate")
    assert result.weights.startswith("queen, order 1")
    assert result.cluster.iloc[0] == "low-low"
    assert local_moran(table, "rate", weights="rook").weights.startswith("rook")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_bad_input_is_refused(map_of):
    weights = map_of(16)
    values = panel(np.random.default_rng(0).normal(size=16), weights)
    with pytest.raises(CobalanceError, match="E703 .*values lacks 0003, which weights has"):
        local_moran(values.drop_sel(region="0003"), weights)
    with pytest.raises(CobalanceError, match="E715 .*dims place"):
        global_moran(values.rename(region="place"), weights)
    with pytest.raises(CobalanceError, match="E716 .*infinite for 0000"):
        local_moran(values.where(values.region != "0000", np.inf), weights)
    with pytest.raises(CobalanceError, match="E709 .*'both'"):
        global_moran(values, weights, tail="both")
    with pytest.raises(CobalanceError, match="E709 .*'directed'.*two-sided"):
        global_moran(values, weights, tail="directed")
    with pytest.raises(CobalanceError, match="E709 .*'fdr'"):
        local_moran(values, weights, correction="fdr")
    with pytest.raises(CobalanceError, match="E709 .*'month'"):
        local_moran(values, weights, correction="bh", family="month")
    with pytest.raises(CobalanceError, match="E710 .*alpha is 5"):
        local_moran(values, weights, alpha=5)
    with pytest.raises(CobalanceError, match="E717 .*found NoneType"):
        local_moran(values)
    table = pd.DataFrame({"rate": np.arange(16.0), "name": ["x"] * 16}, index=weights.ids)
    with pytest.raises(CobalanceError, match="E718 .*rat.*rate"):
        local_moran(table, "rat", weights=weights)
    with pytest.raises(CobalanceError, match="E718 .*name"):
        local_moran(table, "name", weights=weights)
    with pytest.raises(CobalanceError, match="E717 .*found str"):
        local_moran(table, "rate", weights="queen")
