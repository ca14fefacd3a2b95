"""The long table that integrated-assessment tools read: model, scenario, region, variable, unit, year, value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.report.facts import Facts
from cobalance.vocabulary import units

COLUMNS = ("model", "scenario", "region", "variable", "unit", "year", "value")
HISTORICAL, OUTLOOK = "historical", "outlook"
_FAMILIES = {
    "land_area": ("Land Cover", "million ha"),
    "carbon_sequestration": ("Carbon Sequestration|Land Cover", "Mt CO2/yr"),
    "oxygen_release": ("Oxygen Release|Land Cover", "Mt O2/yr"),
    "carbon_emission": ("Emissions|CO2", "Mt CO2/yr"),
    "oxygen_consumption": ("Oxygen Consumption", "Mt O2/yr"),
    "fuel_use": ("Fuel Use", ""),
    "cement_output": ("Production|Cement", "Mt/yr"),
    "population": ("Population", "million"),
    "carbon_balance_coefficient": ("Carbon Balance Coefficient", ""),
    "oxygen_balance_coefficient": ("Oxygen Balance Coefficient", ""),
}
"""Variable → its name in the table and the unit there; fuels keep their own unit."""

_SCALES = {"million ha": 1e-6, "Mt CO2/yr": 1e-6, "Mt O2/yr": 1e-6, "Mt/yr": 1e-6, "million": 1e-6, "": 1.0}
_SOURCES = {"cement": "Industrial Processes|Cement", "respiration": "Respiration"}


def iamc_table(facts: Facts) -> pd.DataFrame:
    """Accounts of regions and groups as ``historical``, burden and gap of the target year as ``outlook``.

    Carbon is given as CO2 (× 44/12), as these tables have it. ``Emissions|CO2`` is the sum of its parts, respiration
    among them; it is missing where a part is. A missing value has no row: the table ``missing`` lists the cells.
    """
    rows = [frame for name in _FAMILIES if name in facts.dataset for frame in _frames(facts, name)]
    rows += [
        frame for name in _FAMILIES if f"group_{name}" in facts.dataset for frame in _frames(facts, f"group_{name}")
    ]
    rows += list(_outlook(facts))
    table = pd.concat(rows, ignore_index=True).dropna(subset="value")
    version = facts.results.provenance.get("cobalance", "")
    return table.assign(model=f"cobalance {version}".strip()).reindex(columns=COLUMNS).reset_index(drop=True)


def _frames(facts: Facts, name: str) -> Iterator[pd.DataFrame]:
    """Rows of a variable: its total where it has parts that add up, then each part."""
    own = name.removeprefix("group_")
    title, unit = _FAMILIES[own]
    data = _in_co2(facts.dataset[name])
    place = "group" if name != own else "region"
    part = next((str(dim) for dim in data.dims if dim not in (place, "year")), None)
    names = _place_names(facts, place)
    if part is None:
        yield _rows(data, place, names, title, unit)
        return
    if own != "fuel_use":
        yield _rows(data.sum(part, skipna=False), place, names, title, unit)
    for label in map(str, data[part].values):
        own_unit = unit or f"{data['fuel_unit'].sel(fuel=label).item()}/yr"
        yield _rows(
            data.sel({part: label}, drop=True), place, names, f"{title}|{_part_title(facts, own, label)}", own_unit
        )


def _rows(data: xr.DataArray, place: str, names: dict[str, str], title: str, unit: str) -> pd.DataFrame:
    """Rows of one variable over (place, year), in the table's unit."""
    scaled = (data * _SCALES.get(unit, 1.0)).transpose(place, "year")
    regions = [names[str(label)] for label in scaled[place].values]
    years = scaled["year"].values.astype(int)
    return pd.DataFrame(
        {
            "scenario": HISTORICAL,
            "region": np.repeat(np.array(regions, dtype=object), len(years)),
            "variable": title,
            "unit": unit,
            "year": np.tile(years, len(regions)),
            "value": scaled.values.astype(float).ravel(),
        }
    )


def _outlook(facts: Facts) -> Iterator[pd.DataFrame]:
    """The target year: burden by source and in all, and the gap of ecological land."""
    settings = facts.study.outlook
    if settings is None or "outlook_carbon_emission" not in facts.dataset:
        return
    names = _place_names(facts, "region")
    for name in ("carbon_emission", "oxygen_consumption"):
        title, unit = _FAMILIES[name]
        data = _in_co2(facts.dataset[f"outlook_{name}"]).expand_dims(year=[settings.target])
        yield _rows(data.sum("source", skipna=False), "region", names, title, unit).assign(scenario=OUTLOOK)
        for label in map(str, data["source"].values):
            part = _rows(
                data.sel(source=label, drop=True), "region", names, f"{title}|{_part_title(facts, name, label)}", unit
            )
            yield part.assign(scenario=OUTLOOK)
    if "ecological_land_gap" in facts.dataset:
        gap = facts.dataset["ecological_land_gap"].expand_dims(year=[settings.target])
        for target in map(str, gap["target"].values):
            rows = _rows(
                gap.sel(target=target, drop=True), "region", names, f"Ecological Land Gap|{_words(target)}", "%"
            )
            yield rows.assign(scenario=OUTLOOK)


def _in_co2(data: xr.DataArray) -> xr.DataArray:
    """Masses of carbon as those of CO2; everything else as it is."""
    if data.attrs.get("units") == "t C / yr":
        return data * units.factor("t C", "t CO2")
    return data


def _part_title(facts: Facts, name: str, label: str) -> str:
    """A source under the sector that it belongs to; one of a user's own inventory under ``Other``."""
    if name not in ("carbon_emission", "oxygen_consumption"):
        return _words(label)
    fuels = facts.dataset["fuel"].values.astype(str) if "fuel" in facts.dataset else ()
    sector = "Energy" if label in fuels else "Other"
    return _SOURCES.get(label, f"{sector}|{_words(label)}")


def _words(label: str) -> str:
    return label.replace("_", " ").title()


def _place_names(facts: Facts, place: str) -> dict[str, str]:
    if place == "region":
        return dict(facts.names("en"))
    return {key: group.en for key, group in facts.study.groups.items()} | {"total": "All regions"}
