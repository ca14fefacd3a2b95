"""The coefficients of a study as labelled arrays, with the row behind every number.

:func:`coefficients` turns a choice of sets (:data:`DEFAULT_SELECTION` is the recommended one) into the rates and
factors that the accounts multiply by; ``table`` lists each row used with source, locator, status and bounds.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.coefficients.choice import (
    DEFAULT_SELECTION,
    OXYGEN_PER_CARBON,
    Choice,
    Scope,
    Selection,
    frame_like,
    matching,
    names_of,
    place_of,
    sets_with,
    weakest,
)
from cobalance.coefficients.sets import EVERYWHERE, coefficient_sets, read_set, set_names
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import CobalanceError, Place, Problem, Problems, nearest

__all__ = [
    "DEFAULT_SELECTION", "TABLE_COLUMNS", "Coefficients", "FuelUnit", "Selection",
    "coefficient_sets", "coefficients", "read_set", "set_names",
]  # fmt: skip

TABLE_COLUMNS = (
    "quantity", "item", "region", "year", "value", "low", "high",
    "unit", "basis", "set", "source", "locator", "status",
)  # fmt: skip
FuelUnit: TypeAlias = "str | tuple[str, str]"
"""A fuel's unit, or its heat unit with the heat's basis: ``("billion Btu", "gross heat")``."""

_HEAT_BASES = ("net heat", "gross heat")
_STANDARD_COAL = re.compile(r"[tg]ce\b|标准?煤")  # defined on net heat (GB/T 2589)


@dataclass(frozen=True)
class Coefficients:
    """Rates and factors of a study.

    sequestration_rate   (land_class[, region][, year])  t C / ha / yr
    oxygen_release_rate  (land_class[, region][, year])  t O2 / ha / yr
    emission_factor      (fuel[, region][, year])        t C / {fuel_unit}, coordinate fuel_unit(fuel)
    oxygen_per_carbon    (fuel[, region][, year])        t O2 / t C
    cement_factor        (year[, region])                t C / t
    respiration_carbon   ([region][, year])              t C / person / yr
    respiration_oxygen   ([region][, year])              t O2 / person / yr

    ``region`` and ``year`` are there only where a chosen set tells them apart. ``table`` has the columns
    ``TABLE_COLUMNS``, values and bounds in the arrays' units; ``basis`` is that of the land's rates.
    """

    sequestration_rate: xr.DataArray
    oxygen_release_rate: xr.DataArray
    emission_factor: xr.DataArray
    oxygen_per_carbon: xr.DataArray
    cement_factor: xr.DataArray
    respiration_carbon: xr.DataArray
    respiration_oxygen: xr.DataArray
    table: pd.DataFrame
    basis: str
    notices: tuple[Problem, ...]


def coefficients(
    selection: Selection,
    *,
    land_classes: Sequence[str],
    fuels: Sequence[str],
    regions: Sequence[str],
    years: Sequence[int],
    fuel_units: Mapping[str, FuelUnit],
) -> Coefficients:
    """The coefficients that ``selection`` gives for the labels of a study.

    A family that ``selection`` leaves out takes that of ``DEFAULT_SELECTION``; one given as None (a study without
    cement, say) is NaN throughout, with no row in ``table`` and no notice. A fuel without an entry in
    ``fuel_units`` is a source of an inventory that is already in carbon: it gets its oxygen and no emission factor.

        oxygen_per_carbon   = oxidative ratio · 32/12                  where a set gives the molar ratio
        oxygen_release_rate = s · 32/12 · photosynthetic quotient      where the set of s gives no oxygen

    Raises E501–E515 (sets), E520–E522 (selection), E523, E524, E527 (no row that fits), E525 (gross with net),
    E526, E529, E530 (heat bases), E528 (a unit for no fuel), all at once. Notices: W501–W504.
    """
    problems = Problems()
    scope = Scope(tuple(regions), tuple(years))
    items = {
        "sequestration": land_classes,
        "photosynthesis": land_classes,
        "emission": fuels,
        "oxygen": fuels,
        "cement": ("cement",),
        "respiration": ("person",),
    }
    choice = Choice(selection, items, problems)
    for fuel in fuel_units:
        if fuel not in fuels:
            known = {"expected": ", ".join(fuels) or "–", "nearest": nearest(fuel, fuels)}
            problems.add("E528", Place(key="fuel_units"), found=fuel, **known)
    unit_of = {fuel: _unit_and_heat(fuel, fuel_units[fuel], problems) for fuel in fuels if fuel in fuel_units}
    chosen = {
        "sequestration_rate": {item: choice.rows("sequestration_rate", item, scope) for item in land_classes},
        "emission_factor": _emission_rows(choice, unit_of, scope),
        "oxygen_per_carbon": {fuel: choice.rows("oxygen_per_carbon", fuel, scope) for fuel in fuels},
        "cement_factor": {"cement": choice.rows("cement_factor", "cement", scope)},
        "respiration_carbon": {"person": choice.rows("respiration_carbon", "person", scope)},
        "respiration_oxygen": {"person": choice.rows("respiration_oxygen", "person", scope)},
    }
    chosen["oxygen_release_rate"] = _oxygen_release_rows(choice, chosen["sequestration_rate"], scope)
    basis = _land_basis(chosen, problems)
    _check_heat(chosen["emission_factor"], unit_of, problems)
    problems.raise_errors()
    return _assembled(chosen, unit_of, scope, basis, problems)


def _assembled(
    chosen: Mapping[str, Mapping[str, pd.DataFrame]],
    unit_of: Mapping[str, tuple[str, str]],
    scope: Scope,
    basis: str,
    problems: Problems,
) -> Coefficients:
    wanted = {
        "sequestration_rate": ("land_class", "t C / ha / yr"),
        "oxygen_release_rate": ("land_class", "t O2 / ha / yr"),
        "emission_factor": ("fuel", "t C / {fuel_unit}"),
        "oxygen_per_carbon": ("fuel", "t O2 / t C"),
        "cement_factor": (None, "t C / t"),
        "respiration_carbon": (None, "t C / person / yr"),
        "respiration_oxygen": (None, "t O2 / person / yr"),
    }
    arrays: dict[str, xr.DataArray] = {}
    rows: list[pd.DataFrame] = []
    for quantity, (dim, unit) in wanted.items():
        converted = {
            item: _in_unit(frame, unit.format(fuel_unit=unit_of.get(item, ("",))[0]))
            for item, frame in chosen[quantity].items()
        }
        arrays[quantity] = _array(converted, dim, scope).rename(quantity).assign_attrs(units=unit)
        rows += converted.values()
    fuel_unit = np.array([unit for unit, _ in unit_of.values()], dtype=object)
    arrays["emission_factor"] = arrays["emission_factor"].assign_coords(fuel_unit=("fuel", fuel_unit))
    if "year" not in arrays["cement_factor"].dims:
        arrays["cement_factor"] = arrays["cement_factor"].expand_dims(year=np.array(scope.years, dtype=int)).copy()
    filled = [frame for frame in rows if len(frame)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(TABLE_COLUMNS))
    table = table[list(TABLE_COLUMNS)]
    _notice_weak(table, problems)
    return Coefficients(**arrays, table=table, basis=basis, notices=problems.notices)


def _emission_rows(choice: Choice, unit_of: Mapping[str, tuple[str, str]], scope: Scope) -> dict[str, pd.DataFrame]:
    """Rows whose unit goes with the fuel's; E524 where the sets have the fuel, but in other units only."""
    result: dict[str, pd.DataFrame] = {}
    for fuel, (unit, declared) in unit_of.items():
        frames = choice.frames("emission", fuel)
        found = [matching(frame, "emission_factor", fuel) for frame in frames]
        fits = [[units.convertible(text, f"t C / {unit}") for text in frame["unit"]] for frame in found]
        fitting = [frame[np.array(which, dtype=bool)] for frame, which in zip(found, fits, strict=True)]
        if unit and any(map(len, found)) and not any(map(len, fitting)):
            choice.problems.add(
                "E524",
                place_of("emission"),
                quantity="emission_factor",
                item=fuel,
                sets=names_of(found),
                found=list(dict.fromkeys(text for frame in found for text in frame["unit"])),
                fuel_unit=unit,
                fitting=_fitting_sets(fuel, unit, declared or None) or "–",
            )
            result[fuel] = found[0].iloc[:0]
        elif unit:
            useful = fitting if any(map(len, fitting)) else frames
            result[fuel] = choice.rows("emission_factor", fuel, scope, useful)
    return result


def _fitting_sets(fuel: str, unit: str, basis: str | None = None) -> list[str]:
    """Shipped sets with an emission factor of a fuel that goes with its unit (and heat basis)."""

    def fits(name: str) -> bool:
        rows = matching(read_set(name), "emission_factor", fuel)
        return any(
            units.convertible(text, f"t C / {unit}") and basis in (None, own)
            for text, own in zip(rows["unit"], rows["basis"], strict=True)
        )

    return [name for name in sets_with("emission_factor", fuel) if fits(name)]


def _unit_and_heat(fuel: str, given: FuelUnit, problems: Problems) -> tuple[str, str]:
    """A fuel's unit and the basis of its heat; ``""`` where that is not stated or the unit is of no use."""
    unit, basis = (given, "") if isinstance(given, str) else given
    place = Place(key=f"fuel_units.{fuel}")
    try:
        units.parse(unit)
    except CobalanceError as error:
        problems.extend(Problem(problem.code, place, problem.details) for problem in error.problems)
        return "", ""
    heat = units.convertible(unit, "GJ")
    standard_coal = heat and _STANDARD_COAL.search(unit)
    if basis and (basis not in _HEAT_BASES or not heat or (standard_coal and basis != "net heat")):
        problems.add("E529", place, item=fuel, found=basis)
    return unit, "net heat" if standard_coal else basis


def _check_heat(
    rows_of: Mapping[str, pd.DataFrame], unit_of: Mapping[str, tuple[str, str]], problems: Problems
) -> None:
    """Net and gross heat differ by 5 to 10 %: the factor must stand on the basis of the fuel's own heat."""
    undeclared: dict[str, list[str]] = {basis: [] for basis in _HEAT_BASES}
    for fuel, rows in rows_of.items():
        unit, declared = unit_of[fuel]
        bases = [basis for basis in dict.fromkeys(rows["basis"]) if basis in _HEAT_BASES]
        for found in bases if units.convertible(unit, "GJ") else []:
            if not declared:
                undeclared[found].append(fuel)
            elif found != declared:
                fitting = _fitting_sets(fuel, unit, declared) or "–"
                details = {"declared": declared, "sets": names_of([rows]), "found": found, "fitting": fitting}
                problems.add("E526", place_of("emission"), item=fuel, **details)
    net, gross = (undeclared[basis] for basis in _HEAT_BASES)
    if net and gross:
        problems.add("E530", place_of("emission"), net=net, gross=gross)
    elif net or gross:
        found = _HEAT_BASES[0] if net else _HEAT_BASES[1]
        problems.add("W504", place_of("emission"), items=net or gross, found=found)


def _oxygen_release_rows(choice: Choice, rates: Mapping[str, pd.DataFrame], scope: Scope) -> dict[str, pd.DataFrame]:
    """For every rate the oxygen of its own set, or the rate × 32/12 × photosynthetic quotient."""
    result: dict[str, pd.DataFrame] = {}
    for item, frame in rates.items():
        quotients: list[dict[Any, Any]] | None = None
        # A later row of the same region and year replaces an earlier one: rows for every place come first.
        found: dict[tuple[Any, Any], dict[Any, Any]] = {}
        for rate in _general_first(frame):
            own = choice.oxygen_rows(rate, scope.years).to_dict("records")
            if not own and quotients is None:
                quotients = _general_first(choice.rows("photosynthetic_quotient", item, scope))
            derived = own or [row for other in quotients or [] if (row := _released(rate, other)) is not None]
            found |= {(row["region"], str(row["year"])): row for row in derived}
        result[item] = frame_like(frame, list(found.values()))
    return result


def _general_first(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows, those for every place before those of one region."""
    return sorted(frame.to_dict("records"), key=lambda row: row["region"] != EVERYWHERE)


def _released(rate: dict[Any, Any], quotient: dict[Any, Any]) -> dict[Any, Any] | None:
    """The oxygen that goes with a rate: o = s · 32/12 · PQ, bounds from the corners of both.

    None where the two are of different regions or years.
    """
    places = {rate["region"], quotient["region"]} - {EVERYWHERE}
    years = {row["year"] for row in (rate, quotient) if not pd.isna(row["year"])}
    if len(places) > 1 or len(years) > 1:
        return None
    corners = [
        one * other * OXYGEN_PER_CARBON
        for one, other in itertools.product(_triple(rate), _triple(quotient))
        if not math.isnan(one * other)
    ]
    bounded = len(corners) > 1
    return {
        **rate,
        "quantity": "oxygen_release_rate",
        "region": next(iter(places), EVERYWHERE),
        "year": next(iter(years), pd.NA),
        "value": rate["value"] * quotient["value"] * OXYGEN_PER_CARBON,
        "low": min(corners) if bounded else math.nan,
        "high": max(corners) if bounded else math.nan,
        "unit": "t O2 / ha / yr",
        "locator": f"{rate['locator']}; s × 32/12 × {quotient['value']:g} (photosynthesis: {quotient['set']})",
        "status": weakest("D", rate["status"], quotient["status"]),
    }


def _triple(row: dict[Any, Any]) -> tuple[float, float, float]:
    return row["low"], row["value"], row["high"]


def _land_basis(chosen: Mapping[str, Mapping[str, pd.DataFrame]], problems: Problems) -> str:
    """``gross`` or ``net``, the one basis of all land rates (E525 where both occur); ``""`` without land."""
    found: dict[str, list[str]] = {"gross": [], "net": []}
    for quantity in ("sequestration_rate", "oxygen_release_rate"):
        for item, frame in chosen[quantity].items():
            for basis, name in dict.fromkeys(zip(frame["basis"], frame["set"], strict=True)):
                found[basis].append(f"{item} ({name})")
    gross, net = (list(dict.fromkeys(found[basis])) for basis in ("gross", "net"))
    if gross and net:
        problems.add("E525", place_of("sequestration"), gross=gross, net=net)
    return "gross" if gross else "net" if net else ""


def _in_unit(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """``frame`` in ``unit``; where that changes a number, ``locator`` keeps what the set says."""
    scale = np.array([units.factor(text, unit) for text in frame["unit"]], dtype=float)
    kept = [
        row.locator if factor == 1.0 else f"{row.locator}; {row.value:g} {row.unit} in the set"
        for row, factor in zip(frame.itertuples(), scale, strict=True)
    ]
    numbers = {name: frame[name] * scale for name in ("value", "low", "high")}
    return frame.assign(**numbers, unit=unit, locator=pd.Series(kept, index=frame.index, dtype=object))


def _array(rows_of: Mapping[str, pd.DataFrame], dim: str | None, scope: Scope) -> xr.DataArray:
    """The rows as an array over ``dim``, and over region and year where rows tell them apart."""
    rows = pd.concat(rows_of.values()) if rows_of else None
    coords: dict[str, Any] = {dim: np.array(list(rows_of), dtype=str)} if dim else {}
    if rows is not None and (rows["region"] != EVERYWHERE).any():
        coords["region"] = np.array(scope.regions, dtype=str)
    if rows is not None and rows["year"].notna().any():
        coords["year"] = np.array(scope.years, dtype=int)
    array = xr.DataArray(np.full([len(labels) for labels in coords.values()], np.nan), coords, list(coords))
    for item, frame in rows_of.items():
        for row in _general_first(frame):  # so that a region's own row stands
            at: dict[str, Any] = {dim: item} if dim else {}
            at |= {"region": row["region"]} if row["region"] != EVERYWHERE else {}
            at |= {"year": row["year"]} if not pd.isna(row["year"]) else {}
            array.loc[at] = row["value"]
    return array


def _notice_weak(table: pd.DataFrame, problems: Problems) -> None:
    """W501 and W502: what the study stands on that was recalled or fitted."""
    for code, status in (("W501", "R"), ("W502", "F")):
        items: list[str] = []
        for names, rows in table[table["status"] == status].groupby(["quantity", "item", "set"], sort=False):
            years = sorted(set(rows["year"].dropna()))
            when = f", {years[0]} … {years[-1]}" if len(years) > 1 else "".join(f", {year}" for year in years)
            items.append("{} {} ({}{})".format(*names, when))
        if items:
            problems.add(code, place_of(), items=items)
