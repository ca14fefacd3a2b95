"""The chapter of accounts: inputs and coefficients in, emission, sequestration and balance out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from cobalance.accounts import balance, emission, sequestration
from cobalance.accounts.groups import group_total
from cobalance.coefficients import Coefficients
from cobalance.vocabulary.errors import Place, Problems

CEMENT, RESPIRATION = "cement", "respiration"
ACCOUNTS = ("carbon_sequestration", "oxygen_release", "carbon_emission", "oxygen_consumption")
FLAG_ORDER = ("observed", "estimated", "interpolated", "held", "missing")


def account(inputs: xr.Dataset, coefficients: Coefficients) -> xr.Dataset:
    """The account of every region and year.

    inputs   land_area (region, year, land_class) and, where the study has them, fuel_use (region, year, fuel),
             cement_output, population (region, year), carbon_emission, oxygen_consumption (region, year, source)
    returns  the inputs' activities, the four account variables by class and source, the two balance coefficients
             and the words why one is undefined

    A source that stands in the inputs as an inventory of emissions is taken as it is.
    """
    area = inputs["land_area"]
    parts = [
        sequestration.carbon_sequestration(area, coefficients.sequestration_rate),
        sequestration.oxygen_release(area, coefficients.oxygen_release_rate),
        *burdens(inputs, coefficients),
    ]
    return with_balance(joined(inputs.drop_dims("source", errors="ignore"), *parts))


def joined(dataset: xr.Dataset, *parts: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """``dataset`` with ``parts``, whose labels must agree: plain assignment would drop unmatched ones in silence."""
    return xr.merge([dataset, *parts], join="exact", compat="equals", combine_attrs="drop_conflicts")


def burdens(inputs: xr.Dataset, coefficients: Coefficients) -> tuple[xr.DataArray, xr.DataArray]:
    """Carbon emission and oxygen consumption (region, year, source) of activities and inventories."""
    carbon: list[xr.DataArray] = []
    oxygen: list[xr.DataArray] = []
    if "fuel_use" in inputs:
        burnt = emission.fuel_carbon_emission(inputs["fuel_use"], coefficients.emission_factor)
        ratio = coefficients.oxygen_per_carbon.sel(fuel=burnt["fuel"].values)
        carbon.append(burnt)
        oxygen.append(emission.combustion_oxygen_consumption(burnt, ratio))
    if "cement_output" in inputs:
        cement = emission.cement_carbon_emission(inputs["cement_output"], coefficients.cement_factor)
        carbon.append(cement.assign_coords(source=CEMENT))
        oxygen.append(emission.zero_consumption(cement).assign_coords(source=CEMENT))
    if "carbon_emission" in inputs:
        inventory_carbon, inventory_oxygen = _inventory(inputs, coefficients)
        carbon += inventory_carbon
        oxygen += inventory_oxygen
    if "population" in inputs and RESPIRATION not in _sources(inputs):
        people = inputs["population"]
        breath = emission.respiration_carbon_emission(people, coefficients.respiration_carbon)
        breathed = emission.respiration_oxygen_consumption(people, coefficients.respiration_oxygen)
        carbon.append(breath.assign_coords(source=RESPIRATION))
        oxygen.append(breathed.assign_coords(source=RESPIRATION))
    return emission.by_source(carbon, "carbon_emission"), emission.by_source(oxygen, "oxygen_consumption")


def with_balance(accounts: xr.Dataset, prefix: str = "") -> xr.Dataset:
    """``accounts`` with the two balance coefficients and their reasons; ``prefix`` is ``group_`` for groups."""
    carbon = accounts[prefix + "carbon_emission"], accounts[prefix + "carbon_sequestration"]
    oxygen = accounts[prefix + "oxygen_consumption"], accounts[prefix + "oxygen_release"]
    return accounts.assign(
        {
            prefix + "carbon_balance_coefficient": balance.carbon_balance_coefficient(*carbon),
            prefix + "oxygen_balance_coefficient": balance.oxygen_balance_coefficient(*oxygen),
            prefix + "carbon_balance_reason": balance.undefined_reason(*carbon),
            prefix + "oxygen_balance_reason": balance.undefined_reason(*oxygen),
        }
    )


def group_account(accounts: xr.Dataset, groups: Mapping[str, Sequence[str]]) -> xr.Dataset:
    """The account of each group and of ``total``, all regions: quantities added first, the ratio formed last."""
    everyone = {**groups, "total": [str(region) for region in accounts["region"].values]}
    totals = xr.Dataset({f"group_{name}": group_total(accounts[name], everyone) for name in ACCOUNTS})
    return with_balance(totals, "group_")


def account_flags(accounts: xr.Dataset, flags: xr.Dataset) -> xr.Dataset:
    """The flag of each cell of the accounts: that of the input cell it stands on, word for word."""
    land = flags["land_area"]
    result = {"land_area": land, "carbon_sequestration": land, "oxygen_release": land}
    sources = accounts["carbon_emission"]
    word = xr.full_like(sources, "missing", dtype=object).drop_attrs()
    for source in map(str, sources["source"].values):
        word.loc[{"source": source}] = _source_flag(source, flags).transpose("region", "year").values
    return xr.Dataset({**result, "carbon_emission": word, "oxygen_consumption": word})


def check_sources(inputs: xr.Dataset, problems: Problems) -> None:
    """Add E116 for each source that the inputs hold both as an activity and as an inventory: it would count twice."""
    if "carbon_emission" not in inputs:
        return
    inventory = set(map(str, inputs["carbon_emission"]["source"].values))
    activities = set(map(str, inputs["fuel_use"]["fuel"].values)) if "fuel_use" in inputs else set()
    activities |= {CEMENT} if "cement_output" in inputs else set()
    for source in sorted(inventory & activities):
        problems.add("E116", Place(key="inputs"), found=source)


def inventory_sources(inputs: xr.Dataset) -> list[str]:
    """Sources of the user's own inventory that burn something and so need an oxygen ratio."""
    if "carbon_emission" not in inputs:
        return []
    own = set(map(str, inputs["oxygen_consumption"]["source"].values)) if "oxygen_consumption" in inputs else set()
    sources = map(str, inputs["carbon_emission"]["source"].values)
    return [source for source in sources if source not in (CEMENT, RESPIRATION) and source not in own]


def _inventory(inputs: xr.Dataset, coefficients: Coefficients) -> tuple[list[xr.DataArray], list[xr.DataArray]]:
    """A user's own emissions source by source, with the oxygen stated for a source or following from its ratio."""
    carbon = [inputs["carbon_emission"].sel(source=source) for source in _sources(inputs)]
    stated = set(_sources(inputs, "oxygen_consumption"))
    oxygen = []
    for part in carbon:
        source = str(part["source"].item())
        if source in stated:
            oxygen.append(inputs["oxygen_consumption"].sel(source=source))
        elif source == CEMENT:
            oxygen.append(emission.zero_consumption(part))
        else:
            ratio = _oxygen_ratio(source, coefficients)
            oxygen.append(emission.combustion_oxygen_consumption(part, ratio).assign_coords(source=source))
    return carbon, oxygen


def _oxygen_ratio(source: str, coefficients: Coefficients) -> xr.DataArray:
    if source == RESPIRATION:
        breath: xr.DataArray = coefficients.respiration_oxygen / coefficients.respiration_carbon
        return breath.assign_attrs(units="t O2 / t C")
    own: xr.DataArray = coefficients.oxygen_per_carbon.sel(fuel=source, drop=True)
    return own


def _sources(inputs: xr.Dataset, variable: str = "carbon_emission") -> list[str]:
    return [str(source) for source in inputs[variable]["source"].values] if variable in inputs else []


def _source_flag(source: str, flags: xr.Dataset) -> xr.DataArray:
    if "carbon_emission" in flags and source in flags["carbon_emission"]["source"].values:
        return flags["carbon_emission"].sel(source=source)
    if "fuel_use" in flags and source in flags["fuel_use"]["fuel"].values:
        return flags["fuel_use"].sel(fuel=source)
    return flags["cement_output" if source == CEMENT else "population"]


def weakest_flag(flags: xr.DataArray, dim: str) -> xr.DataArray:
    """The least certain of several cells' flags, for a cell that adds them up."""
    order = {word: position for position, word in enumerate(FLAG_ORDER)}
    positions = flags.copy(data=np.vectorize(order.__getitem__, otypes=[int])(flags.values)).max(dim)
    return positions.copy(data=np.array(FLAG_ORDER, dtype=object)[positions.values])
