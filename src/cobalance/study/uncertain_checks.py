"""What the study file says of its draws, held against what the study has."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from cobalance.study import future
from cobalance.study.accounts import CEMENT
from cobalance.study.spec import Bounds, Uncertainty
from cobalance.uncertainty.distributions import KINDS, check_bounds
from cobalance.vocabulary.errors import CobalanceError, Place, Problems, nearest

KEY, QUOTIENT = "uncertainty", "photosynthetic_quotient"
OTHER_KINDS = ("default", "phi", "activity", "photosynthesis")


def check_uncertainty(settings: Uncertainty, inputs: xr.Dataset, table: pd.DataFrame, phi: float) -> None:
    """Raise all that is wrong with the key ``uncertainty`` at once.

    inputs  land_area and the activities of the study
    table   its coefficients (``Coefficients.table``)
    phi     the share φ that its bounds must hold

    Raises E851 (kind of distribution), E852 (bounds that do not hold their value), E853 (lognormal with a bound that is
    not positive), E858–E861 (names and years that the study does not have).
    """
    problems = Problems()
    _check_names("activities", settings.activities, _activities(inputs), "E858", problems)
    rows = {QUOTIENT} | set(table["quantity"]) | set(table["quantity"] + " " + table["item"])
    _check_names("bounds", settings.bounds, sorted(rows), "E859", problems)
    kinds = [*OTHER_KINDS, *dict.fromkeys(table["quantity"])]
    _check_names("distributions", settings.distributions, kinds, "E860", problems)
    for name, kind in settings.distributions.items():
        if kind not in KINDS:
            place = Place(key=f"{KEY}.distributions.{name}")
            problems.add("E851", place, found=kind, expected=list(KINDS), nearest=nearest(kind, KINDS))
    if settings.phi is not None:
        _check_width(settings, "phi", (phi, *settings.phi), f"{KEY}.phi", problems)
    for name, width in settings.activities.items():
        low, high = width if isinstance(width, tuple) else (1 - width, 1 + width)
        _check_width(settings, "activity", (1.0, low, high), f"{KEY}.activities.{name}", problems)
    _check_stated(settings, table, problems)
    years = inputs["year"].values.tolist()
    for year in settings.cluster_years or []:
        if year not in years:
            problems.add("E861", Place(key=f"{KEY}.cluster_years"), found=year, expected=years)
    problems.raise_errors()


def _activities(inputs: xr.Dataset) -> list[str]:
    """What can be uncertain among the inputs: land classes, fuels, sources, cement, population."""
    dims = [dim for dim in ("land_class", "fuel", "source") if dim in inputs.dims]
    known = [str(label) for dim in dims for label in inputs[dim].values]
    known += [CEMENT] if "cement_output" in inputs else []
    return known + ([future.POPULATION] if "population" in inputs else [])


def _check_names(
    key: str, given: Mapping[str, Bounds] | Mapping[str, str], known: list[str], code: str, problems: Problems
) -> None:
    for name in given:
        if name not in known:
            details = {"found": name, "expected": known, "nearest": nearest(name, known)}
            problems.add(code, Place(key=f"{KEY}.{key}.{name}"), **details)


def _check_stated(settings: Uncertainty, table: pd.DataFrame, problems: Problems) -> None:
    """Each row that stated bounds apply to, against its own value."""
    for name, given in settings.bounds.items():
        quantity, _, item = name.partition(" ")
        rows = table[(table["quantity"] == quantity) & ((table["item"] == item) if item else True)]
        for value in dict.fromkeys(rows["value"].tolist()):
            low, high = given if isinstance(given, tuple) else (value - abs(value) * given, value + abs(value) * given)
            _check_width(settings, quantity, (value, low, high), f"{KEY}.bounds.{name}", problems)


def _check_width(
    settings: Uncertainty, quantity: str, bounds: tuple[float, float, float], key: str, problems: Problems
) -> None:
    kind = settings.distributions.get(quantity, settings.distributions.get("default", "triangular"))
    try:
        check_bounds(kind if kind in KINDS else "triangular", *bounds, place=Place(key=key))
    except CobalanceError as error:
        told = {(problem.code, problem.place) for problem in problems}
        problems.extend(problem for problem in error.problems if (problem.code, problem.place) not in told)
