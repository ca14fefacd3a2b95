"""The chapter of uncertainty on a small study: laws, agreement with the run without draws, tables, refusals."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cobalance.accounts.totals import total_along
from cobalance.spatial.links import Weights
from cobalance.study import alternatives, space
from cobalance.study.accounts import joined
from cobalance.study.drawn import BALANCES, LAND, Alternative, DrawnStudy
from cobalance.study.forecast_errors import forecast_ratios
from cobalance.study.pipeline import run_study
from cobalance.study.prepare import Prepared, prepare
from cobalance.study.spec import Uncertainty
from cobalance.study.uncertainty import UncertaintyResults, drawn_study, study_uncertainty
from cobalance.uncertainty.points import Sample
from cobalance.vocabulary.errors import CobalanceError

SETTINGS = Uncertainty(draws=40, sensitivity=32, resamples=20, permutations=99, phi=(0.25, 0.5), sets="none")
YEARS = range(2011, 2016)


@pytest.fixture(scope="module")
def links(prepared: Prepared) -> Weights:
    return space.study_weights(prepared.regions, prepared.study.spatial, prepared.folder)


@pytest.fixture(scope="module")
def found(prepared: Prepared, dataset: xr.Dataset, links: Weights) -> UncertaintyResults:
    return study_uncertainty(prepared, dataset, SETTINGS, links=links)


def model_of(prepared: Prepared, dataset: xr.Dataset, settings: Uncertainty = SETTINGS) -> DrawnStudy:
    return drawn_study(prepared, dataset, settings)


def narrowed(model: DrawnStudy) -> DrawnStudy:
    """The study with every width taken away but none of the machinery."""
    versions = {
        family: [Alternative(one.name, one.arrays, one.table.assign(low=one.table["value"], high=one.table["value"]))]
        for family, (one,) in model.alternatives.items()
    }
    assert model.past is not None
    phi = float(model.land.phi)
    activities = dict.fromkeys(("coal", "cement", "population", "forest"), 0.0)
    past = model.past.assign(ratio=xr.ones_like(model.past["ratio"]))
    return replace(model, alternatives=versions, past=past, phi=(phi, phi), activities=activities)


def test_distributions_without_width_give_the_run_without_draws_to_the_last_bit(
    prepared: Prepared, dataset: xr.Dataset
) -> None:
    model = narrowed(model_of(prepared, dataset))
    assert dataset.sizes["source"] >= 8, "from eight parts on a sum depends on the order in which it is formed"
    points = Sample(3, 0)
    for rows in (range(3), range(1, 2)):
        drawn = model.accounts(points, rows, list(YEARS)) | model.future(points, rows)
        for name, values in drawn.items():
            if name in dataset:
                plain = dataset[name]
                parts = [str(dim) for dim in ("land_class", "source") if dim in plain.dims]
                plain = total_along(plain, parts[0]) if parts else plain
                for draw in range(len(rows)):
                    np.testing.assert_array_equal(values[..., draw], plain.values, err_msg=name)
        assert {*BALANCES, *LAND, "group_carbon_emission", "outlook_carbon_emission"} <= set(drawn) & set(dataset)


def test_doubling_a_rate_halves_the_balance_in_every_draw(prepared: Prepared, dataset: xr.Dataset) -> None:
    model = model_of(prepared, dataset)
    (land,) = model.alternatives["sequestration"]
    twice = land.table.assign(**{name: 2 * land.table[name] for name in ("value", "low", "high")})
    doubled = {name: 2 * array.assign_attrs() for name, array in land.arrays.items()}
    doubled = {name: array.assign_attrs(land.arrays[name].attrs) for name, array in doubled.items()}
    other = replace(model, alternatives={**model.alternatives, "sequestration": [Alternative("", doubled, twice)]})
    points, rows = Sample(20, 1), range(20)
    plain, halved = (study.accounts(points, rows, [2015]) for study in (model, other))
    for name in BALANCES:
        assert np.ptp(plain[name], axis=-1).min() > 0
        np.testing.assert_array_equal(halved[name], plain[name] / 2)


def test_draws_do_not_depend_on_chunks_or_on_blocks_of_years(
    prepared: Prepared, dataset: xr.Dataset, links: Weights, found: UncertaintyResults
) -> None:
    # two blocks of years, eight chunks of draws
    little = SETTINGS.model_copy(update={"memory": 100_000, "sensitivity": 0})
    again = study_uncertainty(prepared, dataset, little, links=links)
    xr.testing.assert_identical(again.dataset, found.dataset)
    for name in ("uncertainty", "cluster_stability", "gravity_uncertainty"):
        pd.testing.assert_frame_equal(again.tables[name], found.tables[name])


def test_a_seed_decides_everything(prepared: Prepared, dataset: xr.Dataset) -> None:
    model = model_of(prepared, dataset)
    one, same, other = (model.accounts(Sample(4, seed), range(4), [2015]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["carbon_emission"], same["carbon_emission"])
    assert (one["carbon_emission"] != other["carbon_emission"]).all()


def test_what_is_sent_to_workers_can_be_packed(prepared: Prepared, dataset: xr.Dataset) -> None:
    work = partial(model_of(prepared, dataset).accounts, Sample(2, 0), years=[2015])
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(work))(range(2))["carbon_emission"], work(range(2))["carbon_emission"]
    )


def test_every_headline_number_has_its_interval(found: UncertaintyResults, dataset: xr.Dataset) -> None:
    table = found.tables["uncertainty"]
    # 4 regions and 2 groups: 6 quantities in 5 years, 2 in the target year, 3 of the land for 2 targets
    assert len(table) == 6 * (6 * 5 + 2 + 3 * 2)
    assert (table["p05"] <= table["median"]).all()
    assert (table["median"] <= table["p95"]).all()
    assert table[["name_zh", "name_en", "value"]].notna().all().all()
    row = table.query("variable == 'carbon_balance_coefficient' and region == 'C' and year == 2015").iloc[0]
    assert row["value"] == float(dataset["carbon_balance_coefficient"].sel(region="C", year=2015))
    assert row["p05"] < row["value"] < row["p95"]
    west = table.query("variable == 'outlook_carbon_emission' and region == 'west'").iloc[0]
    plain = dataset["outlook_carbon_emission"].sum("source").sel(region=["A", "B"]).sum("region")
    assert west["value"] == pytest.approx(float(plain))
    assert west["year"] == 2018


def test_probabilities_are_those_of_the_draws(
    prepared: Prepared, dataset: xr.Dataset, found: UncertaintyResults
) -> None:
    model = model_of(prepared, dataset)
    points = Sample(SETTINGS.draws, prepared.study.seed, columns=tuple(model.group_of))
    values = model.accounts(points, range(SETTINGS.draws), [2015])["carbon_balance_coefficient"][:, 0]
    own = found.dataset["carbon_balance_coefficient_above_3"].sel(year=2015)
    np.testing.assert_array_equal(own, (values > 3).mean(axis=-1))
    assert own.min() < own.max()
    gap = model.future(points, range(SETTINGS.draws))["ecological_land_gap"]
    np.testing.assert_array_equal(found.dataset["ecological_land_gap_above_0"], (gap > 0).mean(axis=-1))
    assert (found.dataset["carbon_balance_coefficient_top_five"] == 1).all(), "there are but four regions"


def test_sensitivity_names_groups_and_what_moves_them(found: UncertaintyResults) -> None:
    table = found.tables["sensitivity"]
    groups = set(table["assumption"])
    assert {
        "sequestration forest",
        "emission coal",
        "oxygen ratios",
        "cement",
        "respiration",
        "forecasts",
        "phi",
    } <= groups
    emission = table.query("variable == 'carbon_emission' and level == 'group'").set_index(["region", "assumption"])
    for idle in ("sequestration forest", "oxygen ratios", "forecasts", "phi"):
        assert (emission.xs(idle, level="assumption")["total"] == 0).all()
    # emission is a sum of independent parts: no interactions, so the totals make up all of the variance
    np.testing.assert_allclose(emission["total"].groupby("region").sum(), 1.0, atol=0.35)
    gap = table.query("variable == 'uncut_ecological_land_gap' and region == 'A' and target == 'carbon'")
    assert gap.set_index("assumption").loc["oxygen ratios", "total"] == 0
    assert gap.set_index("assumption").loc["phi", "total"] > 0.05
    assert (table["total_low"] <= table["total_high"]).all()


def test_one_paragraph_names_the_dominant_assumption(found: UncertaintyResults) -> None:
    table = found.tables["sensitivity"].query("level == 'region' and variable == 'carbon_balance_coefficient'")
    first = table.groupby("assumption")["total"].mean().idxmax()
    english = table[table["assumption"] == first]["assumption_en"].iloc[0]
    chinese = table[table["assumption"] == first]["assumption_zh"].iloc[0]
    assert f"The carbon balance coefficient (2015) depends most on: {english}" in found.text["en"]
    assert f"碳平衡系数（2015 年）受影响最大的假设为{chinese}" in found.text["zh"]


def test_cluster_stability_is_a_share_of_draws(found: UncertaintyResults, dataset: xr.Dataset) -> None:
    table = found.tables["cluster_stability"]
    assert set(table["year"]) == {2015}
    words = [name for name in table.columns if name in ("high-high", "low-low", "low-high", "high-low")]
    words += ["not significant", "isolated", "undefined"]
    np.testing.assert_allclose(table[words].sum(axis=1), 1.0)
    for row in table.to_dict("records"):
        assert row["stability"] == row[row["cluster"]]
        plain = dataset["local_cluster"].sel(variable=row["variable"], region=row["region"], year=2015)
        assert row["cluster"] == plain.item()


def test_gravity_centres_scatter_about_the_centre_without_draws(found: UncertaintyResults) -> None:
    table = found.tables["gravity_uncertainty"]
    assert len(table) == 2 * 5
    assert (table["draws"] == SETTINGS.draws).all()
    assert table["longitude_deg"].between(0, 4.5).all()
    assert (table["semi_major_m"] > table["semi_minor_m"]).all()


def test_assumptions_say_what_was_drawn(found: UncertaintyResults) -> None:
    table = found.tables["assumptions"].set_index(["quantity", "item"])
    assert table.loc[("emission_factor", "coal"), "bounds"] == "row"
    assert table.loc[("respiration_oxygen", "person"), "bounds"] == "none"
    causes = table.loc["oxygen_per_carbon", "cause"]
    assert causes.nunique() == 1, "eight fuels, one printed number"
    held = next(problem for problem in found.notices if problem.code == "W852").text("en")
    assert "respiration_oxygen person (rates.csv)" in held
    assert "φ" not in held


def test_a_number_at_the_edge_of_the_literature_is_told(prepared: Prepared, dataset: xr.Dataset) -> None:
    table = prepared.coefficients.table.assign(low=np.nan, high=np.nan)
    table.loc[table["item"] == "forest", "value"] = 50.0  # ten times what any set has
    bare = replace(prepared, coefficients=replace(prepared.coefficients, table=table))
    settings = SETTINGS.model_copy(update={"draws": 4, "sensitivity": 0, "sets": "spread"})
    found = study_uncertainty(bare, dataset, settings)
    told = next(problem.text("en") for problem in found.notices if problem.code == "W856")
    assert "sequestration_rate forest (rates.csv)" in told
    assert "respiration_oxygen" not in told
    bounds = found.tables["assumptions"].set_index(["quantity", "item"])["bounds"]
    assert bounds["sequestration_rate", "forest"] == "sets"
    assert bounds["oxygen_release_rate", "forest"] == "sets", "oxygen goes with the carbon of its class"


def test_carbon_counted_twice_is_warned_of(found: UncertaintyResults) -> None:
    twice = [problem.text("en") for problem in found.notices if problem.code == "W854"]
    assert any("coal and coke" in text for text in twice)
    assert any("crude_oil and gasoline, kerosene, diesel, fuel_oil, lpg" in text for text in twice)


def test_forecasts_carry_the_errors_of_the_past(prepared: Prepared, dataset: xr.Dataset) -> None:
    model = model_of(prepared, dataset)
    ratio = forecast_ratios(prepared)
    assert ratio is not None
    # windows of five years from 1996 on, outcomes three years later, to 2015: origins 2000 … 2012
    assert ratio["origin"].values.tolist() == list(range(2000, 2013))
    fixed = replace(model, past=None)
    points, rows = Sample(200, 0), range(200)
    wide, narrow = (np.std(study.future(points, rows)["outlook_carbon_emission"], axis=-1) for study in (model, fixed))
    assert (wide > 1.05 * narrow).all()


def test_a_series_too_short_for_a_backtest_is_held_and_said(prepared: Prepared, dataset: xr.Dataset) -> None:
    assert prepared.series is not None
    short = replace(prepared, series=prepared.series.sel(year=slice(2010, 2015)))
    found = study_uncertainty(short, dataset, SETTINGS.model_copy(update={"draws": 4, "sensitivity": 0}))
    notices = {problem.code: problem.text("en") for problem in found.notices}
    assert "3 years later" in notices["W853"]
    assert "W855" not in notices
    assert found.tables["sensitivity"].empty
    assert found.tables["cluster_stability"].empty, "no weights were given"


def test_errors_at_a_horizon_out_of_reach_are_scaled_up(prepared: Prepared) -> None:
    assert prepared.series is not None
    assert prepared.study.outlook is not None
    # nine years: windows of five, three origins, so two years ahead at most; the study asks for nine
    later = prepared.study.outlook.model_copy(update={"target": 2024})
    study = prepared.study.model_copy(update={"outlook": later})
    series = prepared.series.sel(year=slice(2007, 2015))
    past = forecast_ratios(replace(prepared, study=study, series=series))
    assert past is not None
    assert past.attrs["tested_horizon"] == 2
    assert past["horizon"].values.tolist() == [2024]
    coal = series.sel(activity="coal", region="A")
    window = coal.sel(year=slice(2007, 2011)).values
    slope, level = np.polyfit(np.arange(5), window, 1)
    growth = (window[-1] / window[0]) ** (1 / 4)
    forecast = (level + 6 * slope + window[-1] * growth**2) / 2  # the mean of both models, two years after the window
    own = past.sel(activity="coal", region="A", origin=2011, horizon=2024)
    assert float(own["weight"]) == pytest.approx(forecast)
    assert float(own["ratio"]) == pytest.approx((float(coal.sel(year=2013)) / forecast) ** (4.5**0.7))


def test_set_spread_keeps_gross_and_net_apart(found: UncertaintyResults) -> None:
    table = found.tables["set_spread"]
    chosen = table[table["chosen"]]
    assert (chosen.groupby("family")["basis"].nunique() == 1).all()
    other = table[~table["chosen"] & (table["family"] == "sequestration")]
    assert {"gross", "net"} <= set(other["basis"].dropna())
    refused = table[table["variable"].isna()]
    assert refused["reason_en"].str.len().min() > 10
    assert refused["reason_zh"].str.len().min() > 5
    net = other.query("basis == 'net' and variable == 'carbon_sequestration' and region == 'total'")["value"].min()
    gross = chosen.query("family == 'sequestration' and variable == 'carbon_sequestration' and region == 'total'")
    assert net < gross["value"].iloc[0] / 2, "a net sink is a fraction of what plants fix"


def test_draws_may_choose_among_sets_of_one_basis(prepared: Prepared, dataset: xr.Dataset) -> None:
    settings = SETTINGS.model_copy(update={"sets": "choice", "sensitivity": 0})
    choices = alternatives.set_choices(prepared, dataset)
    model = drawn_study(prepared, dataset, settings, choices=choices)
    versions = model.alternatives["sequestration"]
    assert len(versions) > 1
    by_name = {choice.name: choice for choice in choices if choice.family == "sequestration"}
    assert {made.basis for one in versions if (made := by_name[one.name].coefficients)} == {"gross"}
    assert model.group_of["set choice sequestration"] == "set choice"
    drawn = model.accounts(Sample(50, 0), range(50), [2015])["carbon_sequestration"][0, 0]
    assert len(np.unique(drawn.round(3))) > len(versions), "a choice, and the scatter within each"


def test_activities_may_be_uncertain_too(prepared: Prepared, dataset: xr.Dataset) -> None:
    settings = SETTINGS.model_copy(
        update={"activities": {"coal": 0.1, "forest": (0.9, 1.0), "cement": 0.2, "population": 0.01}}
    )
    model = model_of(prepared, dataset, settings)
    assert {"activity coal", "activity forest"} <= set(model.group_of)
    held = replace(model, alternatives=narrowed(model).alternatives, phi=None, past=None)
    drawn = held.accounts(Sample(200, 0), range(200), [2015])
    area = drawn["carbon_sequestration"][:, 0] / drawn["carbon_sequestration"][:, 0].max(axis=-1, keepdims=True)
    # region A: forest 1000 ha × 5, cropland 500 ha × 2; forest at 0.9 leaves (4500 + 1000) / 6000
    assert area[0].min() == pytest.approx(5500 / 6000, abs=0.01)
    later = held.future(Sample(200, 0), range(200))["outlook_carbon_emission"]
    assert (np.ptp(later, axis=-1) > 0).all(), "the forecast of an uncertain series is as uncertain"


def test_oxygen_that_follows_by_a_quotient_is_as_uncertain_as_the_quotient(small_study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "derived"
    shutil.copytree(small_study.parent, folder)
    rates = (folder / "rates.csv").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rates if not row.startswith("oxygen_release_rate")]
    (folder / "rates.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    derived, _ = prepare(folder / "study.yaml")
    assert derived is not None
    settings = SETTINGS.model_copy(update={"sets": "spread"})
    model = model_of(derived, xr.Dataset(), settings)
    assert list(model.quotient_items) == ["forest", "cropland"]
    # of the shipped quotients 0.9997, 1, 1.0038 and 1.1; the study takes 1
    assert model.quotient == pytest.approx((0.9997, 1.1))
    assert model.group_of["photosynthesis"] == "photosynthesis"
    points, rows = Sample(50, 0), range(50)
    drawn, held = (one.accounts(points, rows, [2015]) for one in (model, replace(model, quotient=None)))
    np.testing.assert_array_equal(drawn["carbon_sequestration"], held["carbon_sequestration"])
    ratio = drawn["oxygen_release"] / held["oxygen_release"]
    assert 0.9997 <= ratio.min() < 1.01
    assert 1.05 < ratio.max() <= 1.1
    np.testing.assert_allclose(ratio, ratio[:1].repeat(4, axis=0), rtol=1e-12)  # one quotient for all regions
    stated = SETTINGS.model_copy(update={"bounds": {"photosynthetic_quotient": (0.9, 1.2)}})
    assert model_of(derived, xr.Dataset(), stated).quotient == pytest.approx((0.9, 1.2))
    assert model_of(derived, xr.Dataset(), SETTINGS).quotient is None


def test_growth_of_uncertain_activities(prepared: Prepared, dataset: xr.Dataset) -> None:
    assert prepared.study.outlook is not None
    outlook = prepared.study.outlook.model_copy(update={"apply": "growth"})
    growing = replace(prepared, study=prepared.study.model_copy(update={"outlook": outlook}))
    model = model_of(growing, dataset, SETTINGS.model_copy(update={"activities": {"coal": 0.1, "population": 0.1}}))
    points, rows = Sample(20, 0), range(20)
    drawn = model.future(points, rows)["outlook_carbon_emission"]
    fixed = replace(model, activities={}).future(points, rows)["outlook_carbon_emission"]
    assert drawn.shape == fixed.shape == (4, 20)
    assert (drawn != fixed).all(), "the base year's coal and people carry their uncertainty into the target year"


def test_the_summary_joins_the_results_and_is_stored_with_them(
    small_study: Path, found: UncertaintyResults, tmp_path: Path
) -> None:
    results = run_study(small_study)
    whole = replace(results, dataset=joined(results.dataset, found.dataset), tables={**results.tables, **found.tables})
    whole.save(tmp_path / "out")
    again = type(results).open(tmp_path / "out")
    name = "carbon_balance_coefficient_interval"
    xr.testing.assert_equal(again.dataset[name].drop_vars(["name_zh", "name_en"]), found.dataset[name])
    assert len(again.table("uncertainty")) == len(found.tables["uncertainty"])


def test_wrong_settings_are_refused_together_each_at_its_key(prepared: Prepared, dataset: xr.Dataset) -> None:
    wrong = SETTINGS.model_copy(
        update={
            "activities": {"coals": 0.1, "coal": (1.1, 1.2)},
            "bounds": {"emission_factor peat": 0.1, "emission_factor coal": (0.6, 0.7), "cement_factor": 1.5},
            "distributions": {"default": "gaussian", "cement_factor": "lognormal", "rates": "normal"},
            "phi": (0.4, 0.5),
            "cluster_years": [2015, 1990],
        }
    )
    with pytest.raises(CobalanceError) as caught:
        study_uncertainty(prepared, dataset, wrong)
    found = {problem.place.key: problem.code for problem in caught.value.problems}
    assert found == {
        "uncertainty.activities.coals": "E858",
        "uncertainty.bounds.emission_factor peat": "E859",
        "uncertainty.distributions.rates": "E860",
        "uncertainty.distributions.default": "E851",
        "uncertainty.phi": "E852",
        "uncertainty.activities.coal": "E852",
        "uncertainty.bounds.emission_factor coal": "E852",
        "uncertainty.bounds.cement_factor": "E853",
        "uncertainty.cluster_years": "E861",
    }
    assert "nearest: coal" in str(caught.value)
    assert "low, value and high are 0.6, 0.5, 0.7" in str(caught.value)
