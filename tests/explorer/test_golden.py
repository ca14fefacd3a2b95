"""The closed-form layer in the page against Python's own functions, scenario by scenario, to 1e-9."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from cobalance.accounts import balance, ecological_land, emission, sequestration
from cobalance.coefficients import coefficients
from cobalance.explorer.encoding import array, read_array
from cobalance.explorer.page import page_of
from cobalance.explorer.payload import payload
from cobalance.outlook.combination import combined
from cobalance.outlook.panel import REASONS
from cobalance.spatial import moran
from cobalance.study.future import conversion_caps
from cobalance.study.pipeline import run_study
from cobalance.study.space import study_weights

Scenario = Mapping[str, Any]
NOTHING: dict[str, Any] = {"phi": None, "sets": {}, "values": {}, "cuts": {}, "convert": {}, "models": None}
SCENARIOS: dict[str, dict[str, Any]] = {
    "study": {},
    "phi": {"phi": 0.42},
    "rate": {"values": {"sequestration_rate/forest": 5.5}},
    "rate-and-oxygen": {"values": {"sequestration_rate/cropland": 3.25, "oxygen_release_rate/cropland": 9.0}},
    "reference-zero": {"values": {"sequestration_rate/forest": 0.0}},
    "negative-land": {"values": {"sequestration_rate/built": -40.0}},
    "factor": {"values": {"emission_factor/coal": 0.7, "oxygen_per_carbon/coal": 2.9}},
    "by-year": {"values": {"cement_factor/cement": 1.25}},
    "breath": {"values": {"respiration_carbon/person": 0.08, "respiration_oxygen/person": 0.2}},
    "cuts": {"cuts": {"coal": 0.35, "cement": 0.1, "respiration": 0.02}},
    "everything-cut": {"cuts": {"coal": 1.0, "cement": 1.0, "respiration": 1.0}},
    "convert": {"convert": {"cropland": 0.15, "built": 0.5}},
    "one-model": {"models": ["linear"]},
    "two-models": {"models": ["linear", "growth"]},
    "set": {"sets": {"sequestration": "npp-world-carbon", "cement": "cement-ipcc2006"}},
    "set-of-breath": {"sets": {"respiration": "chinese-literature"}},
    "set-and-value": {"sets": {"sequestration": "npp-literature"}, "values": {"sequestration_rate/grassland": 3.0}},
    "all": {
        "phi": 0.25,
        "values": {"sequestration_rate/grassland": 4.0},
        "cuts": {"coal": 0.2},
        "convert": {"built": 0.05},
        "models": ["linear", "grey"],
    },
}  # fmt: skip


def _table_of(results: Any, content: Mapping[str, Any], scenario: Scenario) -> pd.DataFrame:
    """The rows of coefficients that hold in a scenario."""
    rows = results.table("coefficients").to_dict("records")
    for family, name in scenario["sets"].items():
        chosen = next(entry for entry in content["alternatives"][family] if entry["set"] == name)
        for own in chosen["parameters"]:
            key = own["quantity"], own["item"]
            if any((row["quantity"], row["item"]) == key for row in rows):
                rows = [row for row in rows if (row["quantity"], row["item"]) != key]
                rows += [{**row, "quantity": key[0], "item": key[1]} for row in own["rows"]]
    table = pd.DataFrame([{**row, "year": None if pd.isna(row["year"]) else row["year"]} for row in rows])
    follows = {
        parameter["id"]
        for parameter in [
            *content["parameters"],
            *(
                own
                for family, name in scenario["sets"].items()
                for entry in content["alternatives"][family]
                if entry["set"] == name
                for own in entry["parameters"]
            ),
        ]
        if parameter["follows"]
    }
    before = table.copy()
    for identity, value in scenario["values"].items():
        quantity, item = identity.split("/")
        same = (table["quantity"] == quantity) & (table["item"] == item)
        table.loc[same, "value"] = value if same.sum() == 1 else table.loc[same, "value"] * value
        oxygen = f"oxygen_release_rate/{item}"
        if quantity == "sequestration_rate" and oxygen in follows and oxygen not in scenario["values"]:
            old = before.loc[(before["quantity"] == quantity) & (before["item"] == item), "value"].iloc[0]
            its = (table["quantity"] == "oxygen_release_rate") & (table["item"] == item)
            quotient = before.loc[its, "value"].iloc[0] / old
            table.loc[its, "value"] = value * quotient
    return table


def _array_of(table: pd.DataFrame, quantity: str, item: str, dataset: xr.Dataset, years: list[int]) -> xr.DataArray:
    """A coefficient over region and year; a region's own row stands over the general one."""
    rows = table[(table["quantity"] == quantity) & (table["item"] == item)]
    shape = (dataset.sizes["region"], len(years))
    found = xr.DataArray(
        np.full(shape, np.nan), {"region": dataset["region"].values, "year": years}, ("region", "year")
    )
    for row in sorted(rows.to_dict("records"), key=lambda row: row["region"] != "*"):
        at: dict[str, Any] = {} if row["region"] == "*" else {"region": row["region"]}
        at |= {} if pd.isna(row["year"]) else {"year": int(row["year"])}
        found.loc[at] = row["value"]
    return found.assign_attrs(units=rows["unit"].iloc[0])


def _stack(parts: dict[str, xr.DataArray], dim: str) -> xr.DataArray:
    return (
        xr.concat(list(parts.values()), dim)
        .assign_coords({dim: list(parts)})
        .assign_attrs(units=next(iter(parts.values())).attrs["units"])
    )


def _burdens(activity: xr.Dataset, of: Any) -> tuple[xr.DataArray, xr.DataArray]:
    """Carbon and oxygen of activities by the functions of cobalance.accounts."""
    fuels = [str(fuel) for fuel in activity["fuel"].values]
    factor = _stack({fuel: of("emission_factor", fuel) for fuel in fuels}, "fuel")
    factor = factor.assign_coords(fuel_unit=activity["fuel_unit"]).assign_attrs(units="t C / {fuel_unit}")
    burnt = emission.fuel_carbon_emission(activity["fuel_use"], factor)
    carbon = {fuel: burnt.sel(fuel=fuel, drop=True).drop_vars("fuel_unit", errors="ignore") for fuel in fuels}
    oxygen = {
        fuel: emission.combustion_oxygen_consumption(carbon[fuel], of("oxygen_per_carbon", fuel)) for fuel in fuels
    }
    carbon["cement"] = emission.cement_carbon_emission(activity["cement_output"], of("cement_factor", "cement"))
    oxygen["cement"] = emission.zero_consumption(carbon["cement"])
    carbon["respiration"] = emission.respiration_carbon_emission(
        activity["population"], of("respiration_carbon", "person")
    )
    oxygen["respiration"] = emission.respiration_oxygen_consumption(
        activity["population"], of("respiration_oxygen", "person")
    )
    return _stack(carbon, "source"), _stack(oxygen, "source")


def _at_target(results: Any, scenario: Scenario) -> xr.Dataset:
    """Activities of the target year from the models of the scenario."""
    dataset, settings = results.dataset, results.study.outlook
    models = scenario["models"] or list(settings.models)
    own = dataset["outlook"].sel(model=models).transpose("model", "outlook_year", "region", "activity")
    reason = dataset["outlook_reason"].sel(model=models).transpose("model", "region", "activity")
    codes = np.vectorize(REASONS.index)(reason.values.astype(str)).astype(np.int8).reshape(len(models), -1)
    value, _, _ = combined(settings.combination, own.values.reshape(len(models), own.shape[1], -1), codes, None)
    observed = dataset["outlook_observed"].transpose("window_year", "region", "activity").values
    last = observed.reshape(len(observed), -1)[-1]
    assert np.isfinite(observed).all(axis=0).reshape(-1)[np.isfinite(last)].all()  # no series ends early here
    if settings.fallback == "last value":
        value = np.where(np.isnan(value).all(axis=0), last, value)
    shaped = own.isel(model=0, drop=True).copy(data=value.reshape(own.shape[1:]))
    target = shaped.sel(outlook_year=settings.target, drop=True)
    if settings.apply == "growth":
        base = dataset["outlook_observed"].sel(window_year=results.study.years[-1], drop=True)
        ratio = (target / base.where(base != 0)).where((base != 0) | (target != 0), 1.0)
        ratio = ratio.where(base.notnull() & target.notnull())
        parts = [dataset["fuel_use"].sel(fuel=fuel, drop=True) for fuel in dataset["fuel"].values]
        parts += [dataset["cement_output"], dataset["population"]]
        labels = [*map(str, dataset["fuel"].values), "cement", "population"]
        now = xr.concat([part.isel(year=-1, drop=True) for part in parts], "activity").assign_coords(activity=labels)
        target = now * ratio.sel(activity=labels)
    target = target.drop_vars(["activity_unit", "fuel_unit"], errors="ignore").expand_dims(year=[settings.target])
    fuels = [str(fuel) for fuel in dataset["fuel"].values]
    return xr.Dataset(
        {
            "fuel_use": target.sel(activity=fuels).rename(activity="fuel").assign_attrs(dataset["fuel_use"].attrs),
            "cement_output": target.sel(activity="cement", drop=True).assign_attrs(units="t / yr"),
            "population": target.sel(activity="population", drop=True).assign_attrs(units="person"),
        }
    ).assign_coords(fuel_unit=("fuel", dataset["fuel_unit"].values))


def expected(results: Any, content: Mapping[str, Any], changes: Scenario) -> dict[str, np.ndarray[Any, Any]]:
    """What Python finds for a scenario."""
    scenario = {**NOTHING, **changes}
    dataset, study = results.dataset, results.study
    years = [*map(int, dataset["year"].values), study.outlook.target]
    table = _table_of(results, content, scenario)

    def of(quantity: str, item: str) -> xr.DataArray:
        return _array_of(table, quantity, item, dataset, years)

    classes = [str(item) for item in dataset["land_class"].values]
    rate = _stack({item: of("sequestration_rate", item) for item in classes}, "land_class")
    oxygen_rate = _stack({item: of("oxygen_release_rate", item) for item in classes}, "land_class")
    past = {"year": years[:-1]}
    sequestered = sequestration.carbon_sequestration(dataset["land_area"], rate.sel(past))
    released = sequestration.oxygen_release(dataset["land_area"], oxygen_rate.sel(past))
    carbon, oxygen = _burdens(dataset, lambda quantity, item: of(quantity, item).sel(past))
    future_carbon, future_oxygen = _burdens(
        _at_target(results, scenario), lambda quantity, item: of(quantity, item).sel(year=years[-1:])
    )
    kept = xr.DataArray(
        [1 - scenario["cuts"].get(str(source), 0) for source in carbon["source"].values], {"source": carbon["source"]}
    )
    future_carbon = (future_carbon * kept).isel(year=0, drop=True).assign_attrs(units="t C / yr")
    future_oxygen = (future_oxygen * kept).isel(year=0, drop=True).assign_attrs(units="t O2 / yr")
    settings = study.ecological_land
    area = dataset["land_area"].isel(year=-1, drop=True).copy(deep=True)
    before = area.copy(deep=True)
    for item, share in scenario["convert"].items():
        area.loc[{"land_class": item}] = before.sel(land_class=item) * (1 - share)
        area.loc[{"land_class": settings.reference}] += before.sel(land_class=item) * share
    caps = conversion_caps(area, settings)
    base = {"year": years[-2]}
    land = ecological_land.ecological_land(
        area,
        {
            "carbon": ecological_land.ecological_rate(rate.sel(base, drop=True), settings.classes),
            "oxygen": ecological_land.ecological_rate(oxygen_rate.sel(base, drop=True), settings.classes),
        },
        {
            "carbon": future_carbon.sum("source", skipna=False, keep_attrs=True),
            "oxygen": future_oxygen.sum("source", skipna=False, keep_attrs=True),
        },
        phi=settings.phi if scenario["phi"] is None else scenario["phi"],
        reference=settings.reference,
        caps=caps,
    )
    made = {
        "balance.carbon": balance.carbon_balance_coefficient(carbon, sequestered),
        "balance.oxygen": balance.oxygen_balance_coefficient(oxygen, released),
        "totals.emission": carbon.sum("source", skipna=False),
        "totals.consumption": oxygen.sum("source", skipna=False),
        "totals.sequestration": sequestered.sum("land_class", skipna=False),
        "totals.release": released.sum("land_class", skipna=False),
        "target.totals.carbon": future_carbon.sum("source", skipna=False),
        "target.totals.oxygen": future_oxygen.sum("source", skipna=False),
    }
    result = {key: value.transpose("region", ...).values.ravel() for key, value in made.items()}
    names = {
        "standard": "standard_ecological_land",
        "needed": "needed_ecological_land",
        "shortfall": "ecological_land_shortfall",
        "capacity": "conversion_capacity",
        "gap": "ecological_land_gap",
        "status": "ecological_land_status",
    }
    for target in ("carbon", "oxygen"):
        for short, name in names.items():
            result[f"land.{target}.{short}"] = land[name].sel(target=target).transpose("region").values
    return result


_EVALUATE = """(changes) => {
  const scenario = { phi: null, sets: {}, values: {}, cuts: {}, convert: {}, models: null, ...changes };
  const outcome = cobalance.model.evaluate(scenario), result = {};
  const put = (name, value) => {
    result[name] = value instanceof Float64Array ? Array.from(value, (v) => (Number.isNaN(v) ? null : v)) : value;
  };
  for (const [key, part] of Object.entries({ balance: outcome.balance, totals: outcome.totals })) {
    for (const [name, value] of Object.entries(part)) put(`${key}.${name}`, value);
  }
  for (const [name, value] of Object.entries(outcome.target.totals)) put(`target.totals.${name}`, value);
  for (const [target, account] of Object.entries(outcome.land)) {
    for (const [name, value] of Object.entries(account)) put(`land.${target}.${name}`, value);
  }
  return result;
}"""


@pytest.fixture(scope="module", params=["plain", "growth"])
def opened(request: pytest.FixtureRequest, chromium: Any) -> Any:
    """A study's results, its payload and its page."""
    ran = request.getfixturevalue(request.param)
    page = chromium.new_page()
    page.goto(ran.page.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=20_000)
    yield ran.results, ran.content, page
    page.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_page_agrees_with_python(opened: Any, name: str) -> None:
    results, content, page = opened
    changes = SCENARIOS[name]
    for family, chosen in changes.get("sets", {}).items():
        if not any(entry["set"] == chosen for entry in content["alternatives"][family]):
            changes = {**changes, "sets": {key: own for key, own in changes["sets"].items() if key != family}}
    theirs = page.evaluate(_EVALUATE, changes)
    ours = expected(results, content, changes)
    assert set(ours) == set(theirs)
    for key, values in ours.items():
        if values.dtype.kind in "OU":
            assert list(map(str, values)) == theirs[key], key
            continue
        found = np.array([np.nan if value is None else value for value in theirs[key]])
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-12, err_msg=f"{name}: {key}")


def test_the_scenarios_change_something(opened: Any) -> None:
    """A scenario that left all as it is would prove nothing."""
    _, _, page = opened
    study = page.evaluate(_EVALUATE, {})
    for name, changes in SCENARIOS.items():
        assert (page.evaluate(_EVALUATE, changes) != study) is (name != "study"), name


def test_another_set_is_what_the_coefficients_room_gives(plain: Any) -> None:
    content = plain.content
    entry = next(own for own in content["alternatives"]["sequestration"] if own["set"] == "npp-world-carbon")
    resolved = coefficients(
        {"sequestration": ["npp-world-carbon", "npp-footprint"]},
        land_classes=content["land_classes"],
        fuels=[],
        regions=content["regions"]["codes"],
        years=content["years"],
        fuel_units={},
    ).table
    resolved = resolved[resolved["set"] == "npp-world-carbon"].set_index(["quantity", "item"])["value"]
    assert entry["parameters"]
    for parameter in entry["parameters"]:
        assert parameter["rows"][0]["value"] == resolved[(parameter["quantity"], parameter["item"])]


def test_moran_agrees_with_the_run(opened: Any) -> None:
    """z, lag and I of every year, islands and regions without data left out as Python leaves them out."""
    results, _, page = opened
    weights = study_weights(results.regions, results.study.spatial, None)
    local = moran.local_moran(results.dataset["carbon_balance_coefficient"], weights, permutations=99)
    script = """(t) => { cobalance.metric = 'carbon_balance'; cobalance.t = t; const m = cobalance.moran;
      const plain = (a) => Array.from(a, (v) => (Number.isNaN(v) ? null : v));
      return { z: plain(m.z), lag: plain(m.lag), i: m.i, n: m.n }; }"""
    table = results.table("global_moran").query("variable == 'carbon_balance_coefficient'").reset_index()
    assert len(table) == len(results.study.years)
    for t, row in table.iterrows():
        found = page.evaluate(script, t)
        for name in ("z", "lag"):
            own = np.array([np.nan if value is None else value for value in found[name]])
            np.testing.assert_allclose(own, local[name].isel(year=t).values, rtol=1e-9, atol=1e-12)
        assert found["n"] == row["n"] == 10
        assert found["i"] == pytest.approx(row["moran_i"], rel=1e-9)


def test_page_says_that_it_agrees(opened: Any) -> None:
    assert opened[2].evaluate("cobalance.agreement()") < 1e-9


def test_page_says_that_it_differs(plain: Any, chromium: Any, tmp_path: Any) -> None:
    """A payload whose printed numbers are off by a millionth is found out."""
    content = {**plain.content, "printed": dict(plain.content["printed"])}
    printed = content["printed"]["carbon_balance_coefficient"]
    content["printed"]["carbon_balance_coefficient"] = array(read_array(printed) * (1 + 1e-6))
    file = tmp_path / "off.html"
    file.write_text(page_of(content), encoding="utf-8")
    page = chromium.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("cobalance.agreement()") == pytest.approx(1e-6, rel=1e-3)
    assert "do not rely" in page.inner_text(".about")
    page.close()


def test_the_two_studies_hold_what_they_are_for(plain: Any, growth: Any) -> None:
    """Else the golden scenarios would pass without having met the cases."""
    reason = plain.results.dataset["outlook_reason"].astype(str)
    assert (reason.sel(model="ensemble") == "last value held").any()
    zero = growth.results.dataset["outlook_reason"].astype(str).sel(activity="diesel")
    assert (zero == "always zero").any()
    for ran in (plain, growth):
        status = set(map(str, ran.results.dataset["ecological_land_status"].values.ravel()))
        assert {"no gap", "infeasible on own land", "undefined"} <= status
        clusters = set(ran.results.table("local_moran")["cluster"])
        assert {"isolated", "undefined"} <= clusters


def test_an_inventory_is_taken_as_it_is(plain: Any, chromium: Any, tmp_path: Path) -> None:
    """Cement as carbon of the user's own inventory: no factor, no oxygen, its own outlook; the page agrees with it."""
    content = json.loads((plain.folder / "study.yaml").read_text(encoding="utf-8"))
    for name in [*content["inputs"], "regions.csv", "squares.geojson"]:
        shutil.copy(plain.folder / name, tmp_path)
    rows = pd.read_csv(tmp_path / "cement.csv").assign(variable="cement", unit="t CO2")
    rows.to_csv(tmp_path / "cement.csv", index=False)
    own = {"file": "cement.csv", "names": {"cement": "carbon_emission cement"}}
    content["inputs"] = [own if name == "cement.csv" else name for name in content["inputs"]]
    (tmp_path / "study.yaml").write_text(json.dumps(content), encoding="utf-8")
    results = run_study(tmp_path / "study.yaml")
    held = payload(results)
    assert {"key": "cement", "kind": "inventory", "unit": "t C"} in held["sources"]
    file = tmp_path / "page.html"
    file.write_text(page_of(held), encoding="utf-8")
    page = chromium.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("cobalance.agreement()") < 1e-9
    part = page.evaluate("cobalance.payload.sources.findIndex((source) => source.key === 'cement')")
    carbon = results.dataset["carbon_emission"].sel(source="cement").values.ravel()
    found = page.evaluate(f"Array.from(cobalance.outcome.emission[{part}], (v) => (Number.isNaN(v) ? null : v))")
    np.testing.assert_allclose([np.nan if v is None else v for v in found], carbon, rtol=1e-12)
    page.close()
