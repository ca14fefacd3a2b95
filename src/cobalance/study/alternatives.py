"""What other literature would have said: the coherent choices of sets, and how far their numbers lie apart."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from cobalance.coefficients import Coefficients, coefficients, read_set, set_names
from cobalance.study.accounts import inventory_sources
from cobalance.study.drawn import QUANTITIES, Alternative
from cobalance.study.prepare import Prepared
from cobalance.uncertainty.assumptions import EVERYWHERE, with_causes, with_set_bounds, with_stated_bounds
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError, Problem

FITTED, QUOTIENT = "F", "photosynthetic_quotient"
MOST_FILLED = 0.1
"""The share of a total that a set may lack and still be compared; what it lacks is then filled and named."""

_SOURCES = {"oxygen_per_carbon": ("oxygen_per_carbon", "oxidative_ratio")}
"""Quantities that sets also hold in another form."""


@dataclass(frozen=True)
class SetChoice:
    """One family's sets exchanged for another: the coefficients, or the reason why they do not fit the study.

    filled  items that the set lacks and another set on its basis gives, at most :data:`MOST_FILLED` of the total
    """

    family: str
    name: str
    chosen: bool
    coefficients: Coefficients | None
    filled: tuple[str, ...] = ()
    refusal: Problem | None = None


def used_families(inputs: xr.Dataset) -> tuple[str, ...]:
    """The families of coefficients that the inputs of a study call for."""
    burns = "fuel_use" in inputs or "carbon_emission" in inputs
    needs = {
        "sequestration": True,
        "emission": "fuel_use" in inputs,
        "oxygen": burns,
        "cement": "cement_output" in inputs,
        "respiration": "population" in inputs,
    }
    return tuple(family for family in QUANTITIES if needs[family])


def set_choices(prepared: Prepared, accounts: xr.Dataset) -> list[SetChoice]:
    """For each family the study's own choice, then every shipped set that could stand in its place.

    accounts   carbon_sequestration (…, land_class) and carbon_emission (…, source): how much each item weighs

    A set on another basis or in another unit, or one that lacks items of weight, is not mixed in: it comes with its
    refusal. What little it lacks is ``filled`` from the study's own sets, or from another set on the same basis. Gross
    and net are both there, each for itself. Fitted numbers are no literature and stay out.
    """
    found: list[SetChoice] = []
    for family in used_families(prepared.inputs):
        own = _names(getattr(prepared.study.coefficients, family))
        found.append(SetChoice(family, ", ".join(own), True, prepared.coefficients))
        shares = _shares(prepared, family, accounts)
        for name in (name for name in _sets_of(family) if name not in own):
            lacking = _lacking(prepared, family, name)
            if len(lacking) < len(shares):
                others = [[one.name] for one in found if one.family == family and one.coefficients and not one.chosen]
                found.append(_exchanged(prepared, family, (name, lacking, shares), [own, *others]))
    return found


def alternatives(choices: Sequence[SetChoice], basis: str, families: Sequence[str]) -> dict[str, list[Alternative]]:
    """Family → the study's own choice and, for ``families``, all others on the same ``basis`` of land."""
    found: dict[str, list[Alternative]] = {}
    for choice in choices:
        made = choice.coefficients
        if made is not None and (choice.chosen or (choice.family in families and made.basis == basis)):
            found.setdefault(choice.family, []).append(_alternative(choice.family, choice.name, made))
    return found


def plain_alternatives(choices: Sequence[SetChoice], family: str) -> list[Alternative]:
    """The choices of a family that fit the study, on whatever basis, without anything to draw."""
    found = []
    for choice in choices:
        if choice.family == family and choice.coefficients is not None:
            one = _alternative(family, choice.name, choice.coefficients)
            found.append(Alternative(one.name, one.arrays, with_causes(one.table.iloc[:0])))
    return found


def own_alternatives(coefficients: Coefficients, families: Sequence[str]) -> dict[str, list[Alternative]]:
    """Family → the study's own choice alone."""
    return {family: [_alternative(family, "", coefficients)] for family in families}


def with_bounds(
    found: Mapping[str, Sequence[Alternative]],
    stated: Mapping[str, float | tuple[float, float]],
    *,
    from_sets: bool,
) -> dict[str, list[Alternative]]:
    """Every row with its bounds: those that the study states, its own, or the spread of the sets (``from_sets``)."""
    return {
        family: [
            Alternative(version.name, version.arrays, _bounded(version.table, stated, from_sets))
            for version in versions
        ]
        for family, versions in found.items()
    }


def quotient_width(
    prepared: Prepared, stated: Mapping[str, float | tuple[float, float]], *, from_sets: bool
) -> tuple[float, float] | None:
    """How far the photosynthetic quotient may lie from the one taken, as factors; None where nothing says so."""
    value = _plain_quotient(prepared)
    if value is None or not quotient_items(prepared):
        return None
    given = stated.get(QUOTIENT)
    if given is not None:
        return (given[0] / value, given[1] / value) if isinstance(given, tuple) else (1 - given, 1 + given)
    if not from_sets:
        return None
    others = _literature(QUOTIENT, EVERYWHERE)["value"].to_numpy(float) / value
    return min(1.0, float(others.min())), max(1.0, float(others.max()))


def quotient_items(prepared: Prepared) -> list[str]:
    """Land classes whose oxygen follows from their carbon by a photosynthetic quotient without bounds of its own."""
    if _plain_quotient(prepared) is None:
        return []
    table = prepared.coefficients.table
    derived = (table["quantity"] == "oxygen_release_rate") & table["locator"].str.contains("photosynthesis: ")
    return list(dict.fromkeys(table.loc[derived, "item"].astype(str)))


def _plain_quotient(prepared: Prepared) -> float | None:
    """The one quotient of the study; None where there are several, or where it has bounds.

    It is not among the coefficients of a study but inside the oxygen release that follows from it, which bounds of its
    own have widened already.
    """
    name = prepared.study.coefficients.photosynthesis
    if not isinstance(name, str):
        return None
    rows = read_set(prepared.folder / name if name.endswith(".csv") else name)
    rows = rows[rows["quantity"] == QUOTIENT]
    if len(rows) != 1 or bool(rows[["low", "high"]].notna().any(axis=None)):
        return None
    return float(rows["value"].iloc[0])


def item_spread(table: pd.DataFrame) -> pd.DataFrame:
    """How far the shipped sets lie apart for each quantity and item of a coefficient table.

    table    quantity, item, unit, basis (``Coefficients.table``)
    returns  quantity, item, low, high in the unit of ``table``, sets (how many)

    Only numbers for everywhere, on the same basis and in a convertible unit count; fitted ones do not.
    """
    rows: list[dict[str, Any]] = []
    wanted = table.drop_duplicates(["quantity", "item"])
    for quantity, item, unit, basis in wanted[["quantity", "item", "unit", "basis"]].itertuples(index=False):
        found = _literature(str(quantity), str(item))
        found = found[found["basis"] == basis]
        numbers = [
            value * units.factor(str(own), str(unit))
            for value, own in zip(found["value"].to_numpy(float).tolist(), found["unit"], strict=True)
            if units.convertible(str(own), str(unit))
        ]
        if len(numbers) > 1:
            rows.append({"quantity": quantity, "item": item, "low": min(numbers), "high": max(numbers)})
    return pd.DataFrame(rows, columns=["quantity", "item", "low", "high"])


@functools.cache
def _shipped() -> pd.DataFrame:
    """All rows of all shipped sets that say something of everywhere and are not fitted."""
    rows = pd.concat([read_set(name) for name in set_names()], ignore_index=True)
    return rows[(rows["region"] == EVERYWHERE) & (rows["status"] != FITTED)]


@functools.cache
def _literature(quantity: str, item: str) -> pd.DataFrame:
    """What the shipped sets have of an item: each its rows for the item, or else those for every item."""
    rows = _shipped()
    rows = rows[rows["quantity"] == quantity]
    own = rows[rows["item"] == item]
    general = rows[(rows["item"] == EVERYWHERE) & ~rows["set"].isin(own["set"])]
    return pd.concat([own, general])


def _bounded(table: pd.DataFrame, stated: Mapping[str, float | tuple[float, float]], from_sets: bool) -> pd.DataFrame:
    nothing = pd.DataFrame(columns=["quantity", "item", "low", "high"], dtype=object)
    filled = with_set_bounds(table, item_spread(table) if from_sets else nothing)
    filled = _following(with_stated_bounds(filled, stated))
    return with_causes(filled)


def _following(table: pd.DataFrame) -> pd.DataFrame:
    """Oxygen release without bounds of its own goes as far, relatively, as the carbon rate of its class."""
    rates = table[(table["quantity"] == "sequestration_rate") & (table["value"] != 0)]
    low, high = (rates[side].fillna(rates["value"]) / rates["value"] for side in ("low", "high"))
    places = zip(rates["item"], rates["region"], strict=True)
    relative = dict(zip(places, zip(low, high, rates["bounds"], strict=True), strict=True))
    rows = table.to_dict("records")
    for row in rows:
        lower, upper, bounds = relative.get((row["item"], row["region"]), (1.0, 1.0, "none"))
        if row["quantity"] == "oxygen_release_rate" and row["bounds"] == "none" and bounds != "none":
            row["low"], row["high"] = sorted((row["value"] * lower, row["value"] * upper))
            row["bounds"] = bounds
    types: Any = table.dtypes.to_dict()
    return pd.DataFrame(rows, columns=table.columns).astype(types)


def _alternative(family: str, name: str, made: Coefficients) -> Alternative:
    quantities = QUANTITIES[family]
    arrays = {quantity: getattr(made, quantity) for quantity in quantities}
    table = made.table[made.table["quantity"].isin(quantities)].reset_index(drop=True)
    return Alternative(name, arrays, table)


def _exchanged(
    prepared: Prepared,
    family: str,
    candidate: tuple[str, Sequence[str], Mapping[str, float]],
    fillers: Sequence[Sequence[str]],
) -> SetChoice:
    """The study with a set (name, items that it lacks, shares of all items) in place of a family's own.

    What the set lacks comes from the first of ``fillers`` that goes with it: a net set is not filled from gross ones.
    """
    name, lacking, shares = candidate
    if sum(shares[item] for item in lacking) > MOST_FILLED:
        # told here because a refusal by the coefficients would search all other sets for what this one lacks
        details = {"name": name, "missing": lacking}
        return SetChoice(family, name, False, None, refusal=Problem("W851", details=details))
    refusal: Problem | None = None
    for filler in fillers if lacking else [()]:
        try:
            made = _with_sets(prepared, family, [name, *filler])
        except CobalanceError as error:
            refusal = refusal or error.problems[0]
        else:
            return SetChoice(family, name, False, made, tuple(lacking))
    return SetChoice(family, name, False, None, refusal=refusal)


def _with_sets(prepared: Prepared, family: str, names: Sequence[str]) -> Coefficients:
    """The study's coefficients with other sets of one family, in order of preference."""
    study, inputs, heat = prepared.study, prepared.inputs, prepared.study.fuel_heat
    fuels = [str(fuel) for fuel in inputs["fuel"].values] if "fuel_use" in inputs else []
    units_of = [str(unit) for unit in inputs["fuel_unit"].values] if fuels else []
    selection = {**study.coefficients.model_dump(), family: list(names)}
    return coefficients(
        {name: _with_folder(choice, prepared.folder) for name, choice in selection.items()},
        land_classes=[str(label) for label in inputs["land_class"].values],
        fuels=[*fuels, *inventory_sources(inputs)],
        regions=[str(region) for region in inputs["region"].values],
        years=[*study.years, *([study.outlook.target] if study.outlook else [])],
        fuel_units={
            fuel: (unit, heat) if heat and unit == "GJ" else unit for fuel, unit in zip(fuels, units_of, strict=True)
        },
    )


def _with_folder(choice: Any, folder: Path) -> Any:
    """A user's own CSV counts from the study file's folder."""
    if isinstance(choice, list):
        return [_with_folder(item, folder) for item in choice]
    if isinstance(choice, dict):
        return {key: _with_folder(item, folder) for key, item in choice.items()}
    return folder / choice if str(choice).endswith(".csv") else choice


def _lacking(prepared: Prepared, family: str, name: str) -> list[str]:
    """Items of the study that a set does not have for everywhere in a fitting unit."""
    own = prepared.coefficients.table
    own = own[own["quantity"].isin(_required(family))]
    lacking = []
    for quantity, item, unit in own[["quantity", "item", "unit"]].drop_duplicates().itertuples(index=False):
        rows = pd.concat([_literature(source, str(item)) for source in _SOURCES.get(str(quantity), (str(quantity),))])
        own_units = rows.loc[rows["set"] == name, "unit"].astype(str)
        if not any(units.convertible(found, str(unit)) or found == "1" for found in own_units):
            lacking.append(str(item))
    return list(dict.fromkeys(lacking))


def _shares(prepared: Prepared, family: str, accounts: xr.Dataset) -> dict[str, float]:
    """How much of the study's total each item of a family makes up, over all years and regions with data."""
    table = prepared.coefficients.table
    items = list(dict.fromkeys(table.loc[table["quantity"].isin(_required(family)), "item"].astype(str)))
    name, dim = ("carbon_sequestration", "land_class") if family == "sequestration" else ("carbon_emission", "source")
    amounts = abs(accounts[name]).sum([other for other in accounts[name].dims if other != dim])
    known = {str(label): float(amount) for label, amount in zip(amounts[dim].values, amounts.values, strict=True)}
    weights = {
        item: known.get(item, 0.0 if family in ("sequestration", "emission", "oxygen") else 1.0) for item in items
    }
    total = sum(weights.values())
    return {item: weight / total if total > 0 else 1.0 for item, weight in weights.items()}


def _required(family: str) -> tuple[str, ...]:
    """What a set has to have itself: oxygen release may follow from the photosynthetic quotient."""
    return QUANTITIES[family][:1] if family == "sequestration" else QUANTITIES[family]


def _sets_of(family: str) -> list[str]:
    """Shipped sets that have a number of the family."""
    leading = QUANTITIES[family][0]
    names = _SOURCES.get(leading, (leading,))
    rows = _shipped()
    return list(dict.fromkeys(rows.loc[rows["quantity"].isin(names), "set"].astype(str)))


def _names(choice: Any) -> list[str]:
    """The sets of a choice in the order in which they are named."""
    if isinstance(choice, Mapping):
        return list(dict.fromkeys(name for entry in choice.values() for name in _names(entry)))
    return [str(name) for name in choice] if isinstance(choice, (list, tuple)) else [str(choice)]
