"""A made-up study with every variable and table of the contract: 12 regions, 3 years, holes where studies have them.

Ten regions are squares of a grid, one (k) is an island far off, one (l) is a square without any data. Numbers are
arithmetic of the position, so that a test can say what a figure or page must show.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import box

from cobalance.study.results import Results
from cobalance.study.spec import Study

YEARS = [2000, 2010, 2020]
REGIONS = [f"r{letter}" for letter in "abcdefghijkl"]
NAMES_ZH = ["甲州", "乙州", "丙州", "丁州", "戊州", "己州", "庚州", "辛州", "壬州", "癸州", "子岛", "丑州"]
NAMES_EN = [
    "Ash",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Gum",
    "Holly",
    "Ivy & <Oak>",
    "Juniper",
    "Kelp Island",
    "Larch",
]
CLASSES, SOURCES, FUELS = (
    ["forest", "cropland", "built"],
    ["coal", "natural_gas", "cement", "respiration"],
    ["coal", "natural_gas"],
)
BURDENS, CAPACITIES = ("carbon_emission", "oxygen_consumption"), ("carbon_sequestration", "oxygen_release")
BALANCES = ("carbon_balance_coefficient", "oxygen_balance_coefficient")
GROUPS = {"north": REGIONS[:4], "total": REGIONS}


def regions_frame() -> gpd.GeoDataFrame:
    squares = [box(100 + i % 4, 30 + i // 4, 101 + i % 4, 31 + i // 4) for i in range(12)]
    squares[10] = box(118.0, 20.0, 118.6, 20.5)
    index = pd.Index(REGIONS, name="region")
    return gpd.GeoDataFrame({"name_zh": NAMES_ZH, "name_en": NAMES_EN}, index=index, geometry=squares, crs="EPSG:4326")


def study() -> Study:
    return Study.model_validate(
        {
            "title": {"en": "A made-up study <of> squares", "zh": "虚构方格研究"},
            "years": YEARS,
            "regions": {
                "table": "regions.csv",
                "boundary": {"file": "squares.geojson", "key": "region", "source": "made up for tests"},
            },
            "groups": {"north": {"en": "North", "zh": "北部", "members": REGIONS[:4]}},
            "outlook": {"window": [2000, 2020], "target": 2030},
            "seed": 7,
        }
    )


def dataset() -> xr.Dataset:
    place = np.arange(12, dtype=float)[:, None, None]
    time = np.arange(3, dtype=float)[None, :, None]
    area = (1 + place) * np.array([1.0, 0.5, 0.1])[None, None, :] * 1e6 + 0 * time
    use = (12 - place) ** 2 * (1 + 0.4 * time) * np.array([1.0, 0.5])[None, None, :] * 1e5
    people = (12 - place[:, :, 0]) * 1e5 + 0 * time[:, :, 0]
    cement = people * 0.5
    area[11], use[11], people[11], cement[11] = np.nan, np.nan, np.nan, np.nan
    use[4, 0, 0] = np.nan  # Elm: no coal in 2000
    carbon = area * np.array([5.0, 4.0, 0.0])
    emission = np.concatenate([use * 0.7, (cement * 0.1)[..., None], (people * 0.09)[..., None]], axis=2)
    oxygen = emission * np.array([3.12, 5.2, 0.0, 2.67])
    coords = {"region": REGIONS, "year": YEARS, "land_class": CLASSES, "source": SOURCES, "fuel": FUELS}
    data = xr.Dataset(coords=coords)
    by_class, by_source = ("region", "year", "land_class"), ("region", "year", "source")
    data["land_area"] = by_class, area, {"units": "ha"}
    data["carbon_sequestration"] = by_class, carbon, {"units": "t C / yr"}
    data["oxygen_release"] = by_class, carbon * 32 / 12, {"units": "t O2 / yr"}
    data["fuel_use"] = ("region", "year", "fuel"), use, {"units": "{fuel_unit} / yr"}
    data = data.assign_coords(fuel_unit=("fuel", ["t", "m3"]))
    data["cement_output"] = ("region", "year"), cement, {"units": "t / yr"}
    data["population"] = ("region", "year"), people, {"units": "person"}
    data["carbon_emission"] = by_source, emission, {"units": "t C / yr"}
    data["oxygen_consumption"] = by_source, oxygen, {"units": "t O2 / yr"}
    for burden, capacity, balance in zip(BURDENS, CAPACITIES, BALANCES, strict=True):
        ratio = data[burden].sum("source", skipna=False) / data[capacity].sum("land_class", skipna=False)
        data[balance] = ratio.assign_attrs(units="1")
        data[balance.replace("coefficient", "reason")] = xr.where(ratio.notnull(), "", "burden missing")
    return _with_land(_with_outlook(_with_groups(data)))


def _with_groups(data: xr.Dataset) -> xr.Dataset:
    data = data.assign_coords(group=list(GROUPS))
    for name in (*BURDENS, *CAPACITIES):
        parts = [data[name].sel(region=members).sum("region", skipna=False) for members in GROUPS.values()]
        data[f"group_{name}"] = (
            xr.concat(parts, "group").assign_coords(group=list(GROUPS)).assign_attrs(data[name].attrs)
        )
    for burden, capacity, balance in zip(BURDENS, CAPACITIES, BALANCES, strict=True):
        top, bottom = (
            data[f"group_{burden}"].sum("source", skipna=False),
            data[f"group_{capacity}"].sum("land_class", skipna=False),
        )
        data[f"group_{balance}"] = (top / bottom).assign_attrs(units="1")
        word = xr.where((top / bottom).notnull(), "", "burden missing")
        data[f"group_{balance.replace('coefficient', 'reason')}"] = word
    return data


def _with_outlook(data: xr.Dataset) -> xr.Dataset:
    activities = [*FUELS, "cement", "population"]
    last = np.concatenate(
        [
            data["fuel_use"].values[:, -1, :],
            data["cement_output"].values[:, -1, None],
            data["population"].values[:, -1, None],
        ],
        1,
    )
    growth = np.array([1.1, 1.3, 1.2, 1.2])[:, None, None, None]
    values = last[None, :, :, None] * growth
    values = np.repeat(values, 2, axis=3) * np.array([0.9, 1.0])
    values[1, 2] = np.nan  # Cedar: GM(1,1) does not apply
    data = data.assign_coords(
        model=["linear", "grey", "growth", "ensemble"], activity=activities, outlook_year=[2025, 2030]
    )
    data = data.assign_coords(activity_unit=("activity", ["t / yr", "m3 / yr", "t / yr", "person"]))
    data["outlook"] = ("model", "region", "activity", "outlook_year"), values, {"units": "{activity_unit}"}
    reason = np.where(np.isnan(values[..., 0]), "level ratios outside the bounds", "")
    data["outlook_reason"] = ("model", "region", "activity"), reason
    data["outlook_carbon_emission"] = data["carbon_emission"].isel(year=-1, drop=True) * 1.2
    data["outlook_carbon_emission"].attrs["units"] = "t C / yr"
    data["outlook_oxygen_consumption"] = data["oxygen_consumption"].isel(year=-1, drop=True) * 1.2
    data["outlook_oxygen_consumption"].attrs["units"] = "t O2 / yr"
    return data


def _with_land(data: xr.Dataset) -> xr.Dataset:
    standard = data["carbon_sequestration"].isel(year=-1, drop=True).sum("land_class", skipna=False) / 5
    needed = data["outlook_carbon_emission"].sum("source", skipna=False) / 15
    both = (
        xr.concat([standard, standard], "target")
        .assign_coords(target=["carbon", "oxygen"])
        .transpose("region", "target")
    )
    want = (
        xr.concat([needed, needed * 2], "target")
        .assign_coords(target=["carbon", "oxygen"])
        .transpose("region", "target")
    )
    gap = (np.maximum(want / both - 1, 0) * 100).where(both.notnull())
    status = xr.where(gap > 100, "infeasible on own land", xr.where(gap > 0, "gap", "no gap"))
    data["standard_ecological_land"] = both.assign_attrs(units="ha")
    data["needed_ecological_land"] = want.assign_attrs(units="ha")
    data["ecological_land_gap"] = gap.assign_attrs(units="%")
    data["ecological_land_status"] = status.where(gap.notnull(), "undefined")
    return data


def _named(frame: pd.DataFrame, key: str = "region") -> pd.DataFrame:
    zh, en = dict(zip(REGIONS, NAMES_ZH, strict=True)), dict(zip(REGIONS, NAMES_EN, strict=True))
    zh |= {"north": "北部", "total": "全部区域"}
    en |= {"north": "North", "total": "All regions"}
    at = list(frame.columns).index(key) + 1
    frame.insert(at, "name_zh", frame[key].map(zh))
    frame.insert(at + 1, "name_en", frame[key].map(en))
    return frame


def _long(data: xr.Dataset, variables: tuple[str, ...], dims: list[str]) -> pd.DataFrame:
    frames = []
    for name in variables:
        frame = data[name].to_series().rename("value").reset_index()[[*dims, "value"]]
        frames.append(frame.assign(variable=name, unit=data[name].attrs.get("units", "")))
    return pd.concat(frames, ignore_index=True)[[*dims, "variable", "value", "unit"]]


def _flagged(frame: pd.DataFrame) -> pd.DataFrame:
    flag = np.where(frame["value"].isna(), "missing", np.where(frame["year"] == 2010, "interpolated", "observed"))
    return _named(frame.assign(flag=flag))


def _totals(data: xr.Dataset, prefix: str) -> xr.Dataset:
    totals = xr.Dataset()
    for name in (*CAPACITIES, *BURDENS):
        dim = "source" if name in BURDENS else "land_class"
        totals[name] = data[prefix + name].sum(dim, skipna=False, keep_attrs=True)
    for name in BALANCES:
        totals[name] = data[prefix + name]
    return totals


def _spatial_tables(data: xr.Dataset) -> dict[str, pd.DataFrame]:
    centres, overall, local = [], [], []
    clusters = [
        "high-high",
        "high-high",
        "high-low",
        "low-high",
        "not significant",
        "not significant",
        "low-low",
        "low-low",
    ]
    clusters += ["low-low", "not significant", "isolated", "undefined"]
    for variable in BALANCES:
        for step, year in enumerate(YEARS):
            at = {"longitude_deg": 101.5 + 0.3 * step, "latitude_deg": 31.2 - 0.1 * step**2, "crs": "EPSG:32648"}
            at |= {"easting_m": 170_000.0 + 28_000 * step, "northing_m": 3_458_000.0 - 11_000 * step**2, "region": "rf"}
            at |= {"distance_km": np.nan if step == 0 else 31.0, "bearing_deg": np.nan if step == 0 else 110.0}
            at |= {"semi_major_m": 150_000.0, "semi_minor_m": 90_000.0, "rotation_deg": 80.0}
            centres.append({"variable": variable, "year": year} | at)
            line = {"variable": variable, "year": year, "n": 10, "moran_i": 0.41 - 0.05 * step, "expected": -1 / 9}
            for way in ("randomisation", "normality"):
                line |= {f"variance_{way}": 0.04, f"z_{way}": 2.3, f"p_{way}": 0.02}
            overall.append(
                line
                | {
                    "pseudo_p": 0.012 + 0.03 * step,
                    "permutations": 999,
                    "tail": "greater",
                    "weights": "queen, row-standardised",
                }
            )
            z = (np.arange(12) - 5.5) / -3.0
            z[10:] = np.nan
            for i, region in enumerate(REGIONS):
                row = {
                    "variable": variable,
                    "region": region,
                    "year": year,
                    "value": float(data[variable].sel(region=region, year=year)),
                }
                row |= {
                    "z": z[i],
                    "lag": z[i] * 0.5 + (0.4 if i == 2 else 0),
                    "local_i": z[i] ** 2 * 0.5,
                    "pseudo_p": 0.01,
                }
                local.append(row | {"quadrant": "HH" if z[i] > 0 else "LL", "cluster": clusters[i]})
    return {
        "gravity_centre": _named(pd.DataFrame(centres)),
        "global_moran": pd.DataFrame(overall),
        "local_moran": _named(pd.DataFrame(local)),
    }


def _outlook_table(data: xr.Dataset) -> pd.DataFrame:
    forecast = data["outlook"].to_series().rename("value").reset_index()
    forecast = forecast.rename(columns={"model": "kind", "outlook_year": "year"})
    frames = [forecast]
    for step, year in enumerate(YEARS):
        own = data["outlook"].isel(model=0, outlook_year=1, drop=True).to_series().rename("value").reset_index()
        frames.append(own.assign(kind="observed", year=year, value=own["value"] * (0.5 + 0.2 * step)))
    table = pd.concat(frames, ignore_index=True)
    units = dict(zip(data["activity"].values, data["activity_unit"].values, strict=True))
    table = table.assign(unit=table["activity"].map(units), reason=np.where(table["value"].isna(), "level ratios", ""))
    return _named(table[["region", "activity", "year", "kind", "value", "unit", "reason"]])


def tables(data: xr.Dataset) -> dict[str, pd.DataFrame]:
    balance = _long(_totals(data, ""), (*CAPACITIES, *BURDENS, *BALANCES), ["region", "year"])
    balance["rank"] = balance.groupby(["variable", "year"])["value"].rank(ascending=False)
    first = balance.groupby(["variable", "region"])["value"].transform("first")
    balance = balance.assign(
        growth=(balance["value"] / first - 1) * 100, reason=np.where(balance["value"].isna(), "burden missing", "")
    )
    groups = _long(_totals(data, "group_"), (*CAPACITIES, *BURDENS, *BALANCES), ["group", "year"])
    groups["reason"] = np.where(groups["value"].isna(), "burden missing", "")
    land = ("standard_ecological_land", "needed_ecological_land", "ecological_land_gap")
    ecological = _long(data, land, ["region", "target"])
    ecological["status"] = [
        str(data["ecological_land_status"].sel(region=r, target=t).item())
        for r, t in ecological[["region", "target"]].values
    ]
    columns = [
        "quantity",
        "item",
        "region",
        "year",
        "value",
        "low",
        "high",
        "unit",
        "basis",
        "set",
        "source",
        "locator",
        "status",
    ]
    rows = [
        (
            "sequestration_rate",
            "forest",
            "*",
            np.nan,
            5.0,
            4.0,
            6.0,
            "t C / ha / yr",
            "gross",
            "made-up",
            "a <book>",
            "p. 1",
            "S",
        ),
        (
            "sequestration_rate",
            "cropland",
            "*",
            np.nan,
            4.0,
            3.0,
            5.0,
            "t C / ha / yr",
            "gross",
            "made-up",
            "a book",
            "p. 2",
            "R",
        ),
        ("emission_factor", "coal", "*", np.nan, 0.7, 0.6, 0.8, "t C / t", "", "fitted-set", "a paper", "Table 1", "F"),
        ("cement_factor", "cement", "*", 2010, 0.1, 0.09, 0.11, "t C / t", "", "made-up", "a paper", "Table 2", "S"),
    ]
    lack = {"variable": "fuel_use", "item": "coal", "region": "re", "year": 2000, "reason": "no value in the inputs"}
    notice = {
        "code": "W301",
        "place": "fuels.csv, row 12",
        "found_en": "Elm has no coal in 2000 <b>.",
        "found_zh": "戊州 2000 年缺煤炭数据。",
    }
    notice |= {"remedy_en": "Add the row.", "remedy_zh": "请补充该行。"}
    return {
        "land_area": _flagged(_long(data, ("land_area",), ["region", "year", "land_class"])),
        "sequestration": _flagged(_long(data, CAPACITIES, ["region", "year", "land_class"])),
        "emission": _flagged(_long(data, BURDENS, ["region", "year", "source"])),
        "balance": _named(balance),
        "groups": _named(groups, "group"),
        **_spatial_tables(data),
        "outlook": _outlook_table(data),
        "ecological_land": _named(ecological),
        "coefficients": pd.DataFrame(rows, columns=columns),
        "missing": _named(pd.DataFrame([lack])),
        "notices": pd.DataFrame([notice]),
    }


def made_up_results() -> Results:
    data = dataset()
    provenance = {
        "study": study().model_dump(mode="json"),
        "study_file": {"name": "study.yaml", "sha256": "cd" * 32},
        "inputs": {"data/fuels.csv": "ab" * 32},
        "cobalance": "0.1.0",
        "python": "3.11",
        "packages": {"numpy": "2.4"},
        "seed": 7,
    }
    return Results(data, tables(data), regions_frame(), provenance)


@pytest.fixture(scope="session")
def results() -> Results:
    return made_up_results()
