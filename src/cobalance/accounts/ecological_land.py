"""Ecological land: how much there is in forest-equivalent hectares, how much is needed, and whether it can be had.

Carbon and oxygen are two targets with the same equations and different units. Functions that take either are checked
by :func:`for_carbon_and_oxygen`: the unit of the rate says which target it is, and all other units must follow it.
In their docstrings ``{substance}`` stands for C or O2.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from cobalance.accounts.totals import total_along
from cobalance.vocabulary import units
from cobalance.vocabulary.errors import Problems, nearest, refuse
from cobalance.vocabulary.units import quantities

PHI = 1 / 3
"""Share of the burden that land ecosystems should carry (the paper)."""

NO_GAP, GAP, INFEASIBLE, UNDEFINED = "no gap", "gap", "infeasible on own land", "undefined"
STATUSES = (NO_GAP, GAP, INFEASIBLE, UNDEFINED)

REASONS = {
    "": {"en": "", "zh": ""},
    "burden missing": {
        "en": "the burden of the target year is missing for some source",
        "zh": "目标年部分来源的负荷缺失",
    },
    "land missing": {"en": "the area or rate of some land class is missing", "zh": "部分地类缺面积或速率数据"},
    "reference rate not positive": {
        "en": "the reference class takes up nothing, so no land is equivalent to it",
        "zh": "基准地类的速率不为正，无法折算当量面积",
    },
    "standard land not positive": {
        "en": "the land of the base year takes up nothing or is a net source",
        "zh": "基准年土地净吸收为零或为净排放源",
    },
    "convertible land missing": {"en": "the convertible land is not known", "zh": "可转换土地面积未知"},
}
"""Why a gap is undefined, word by word, in both languages."""

Function = TypeVar("Function", bound=Callable[..., Any])


def for_carbon_and_oxygen(
    decides: str, *, returns: str | Mapping[str, str], **declared: str
) -> Callable[[Function], Function]:
    """:func:`quantities` for either target: ``{substance}`` in a unit is C or O2 as the argument ``decides`` has it.

    An argument that is neither is refused as a carbon argument would be (E201, E202, E208).
    """

    def in_substance(text: str, substance: str) -> str:
        return text.replace("{substance}", substance)

    def decorate(function: Function) -> Function:
        checked = {}
        for substance in ("C", "O2"):
            result = (
                in_substance(returns, substance)
                if isinstance(returns, str)
                else {name: in_substance(unit, substance) for name, unit in returns.items()}
            )
            own = {name: in_substance(unit, substance) for name, unit in declared.items()}
            checked[substance] = quantities(returns=result, **own)(function)
        signature = inspect.signature(function)

        @functools.wraps(function)
        def dispatched(*args: Any, **kwargs: Any) -> Any:
            value = signature.bind(*args, **kwargs).arguments[decides]
            unit = value.attrs.get("units", "") if isinstance(value, xr.DataArray) else ""
            is_oxygen = unit != "" and units.convertible(unit, in_substance(declared[decides], "O2"))
            return checked["O2" if is_oxygen else "C"](*args, **kwargs)

        dispatched.units = {**declared, "return": returns}  # type: ignore[attr-defined]
        return dispatched  # type: ignore[return-value]

    return decorate


@for_carbon_and_oxygen("rate", land_area="ha", rate="t {substance} / ha / yr", returns="ha")
def standard_ecological_land(land_area: xr.DataArray, rate: xr.DataArray, reference: str = "forest") -> xr.DataArray:
    """Land of all classes, each counted as the forest that takes up as much.

    land_area  (region, land_class[, …])  ha
    rate       (land_class[, region][, draw])  t {substance} / ha / yr
    reference  the class counted in, a label of ``rate``
    returns    (region[, …])              ha of the reference class; NaN where the reference rate is not positive

        A_std[r] = Σ_k A[r, k] · s[k] / s[reference]

    A class that is not to count has rate 0 (see :func:`ecological_rate`). Raises E201–E204, E811. Source: the paper.
    """
    reference_rate = _rate_of(rate, reference, "standard_ecological_land")
    return total_along(land_area * (rate / reference_rate.where(reference_rate > 0)), "land_class")


@for_carbon_and_oxygen(
    "reference_rate",
    burden="t {substance} / yr",
    reference_rate="t {substance} / ha / yr",
    phi="1",
    returns="ha",
)
def needed_ecological_land(
    burden: xr.DataArray, reference_rate: xr.DataArray, phi: xr.DataArray | float = PHI
) -> xr.DataArray:
    """Land of the reference class that takes up the share φ of a burden.

    burden          (region[, …])       t {substance} / yr, emitted (C) or consumed (O2) in the target year
    reference_rate  ([region][, draw])  t {substance} / ha / yr
    phi             ([draw])            1, the share that land has to carry; a plain number will do
    returns         (region[, …])       ha; NaN where the reference rate is not positive

        A*[r] = φ · E[r] / s[reference]

    Raises E201–E204, E812. Source: the paper, φ = 1/3.
    """
    if not bool((xr.DataArray(phi) > 0).all()):
        raise refuse("E812", found=float(np.min(np.asarray(phi))))
    return phi * burden / reference_rate.where(reference_rate > 0)


@quantities(needed="ha", standard="ha", returns="%")
def ecological_land_gap(needed: xr.DataArray, standard: xr.DataArray) -> xr.DataArray:
    """Land needed beyond what stands, in percent of what stands.

    needed    (region[, target][, …])  ha
    standard  (region[, target][, …])  ha
    returns   (region[, target][, …])  %; NaN where either is missing or ``standard`` is not positive

        gap[r] = max(0, A*[r] / A_std[r] − 1) · 100

    With both in the same reference class this is max(0, φ E / S − 1) · 100. Raises E201–E204. Source: the paper,
    Table 5.
    """
    ratio = needed / standard.where(standard > 0)
    return ((ratio - 1) * 100).where(~(ratio < 1), 0.0)


def ecological_rate(rate: xr.DataArray, classes: Sequence[str] | None) -> xr.DataArray:
    """Rates in which only the classes that count as ecological land count: the others get 0.

    rate     (land_class[, …])  any unit
    classes  labels of ``rate``, or None for all of them
    returns  as ``rate``

    Raises E811 for a class that ``rate`` lacks.
    """
    if classes is None:
        return rate
    for label in classes:
        _rate_of(rate, label, "ecological_rate")
    return rate.where(rate["land_class"].isin(list(classes)), 0.0).assign_attrs(rate.attrs)


@for_carbon_and_oxygen("rate", land_area="ha", rate="t {substance} / ha / yr", caps="1", returns="ha")
def convertible_land(land_area: xr.DataArray, rate: xr.DataArray, caps: xr.DataArray | None = None) -> xr.DataArray:
    """Land that may be turned into ecological land, by the class that it has now.

    land_area  (region, land_class)     ha
    rate       (land_class[, region])   t {substance} / ha / yr
    caps       (land_class[, region])   1, the share of each class that may be converted (red lines, protected cropland)
    returns    (region, land_class)     ha

        V[r, k] = A[r, k] · cap[k]

    Without caps it is all land of the classes that take up nothing (rate ≤ 0): the most that could be thought of, so a
    gap that even this does not close is surely infeasible. Raises E201–E204, E813 where a cap is not within 0 … 1.
    Source: this project's reading of feasibility; the paper prints none.
    """
    if caps is not None:
        if not bool(((caps >= 0) & (caps <= 1)).all()):
            raise refuse("E813", found=[float(cap) for cap in caps.values.ravel() if not 0 <= cap <= 1])
        return land_area * caps
    takes_up_nothing = (rate <= 0).astype(float).where(rate.notnull())
    return (land_area * takes_up_nothing).transpose(*land_area.dims, ...)


@for_carbon_and_oxygen("rate", convertible="ha", rate="t {substance} / ha / yr", returns="ha")
def conversion_capacity(
    convertible: xr.DataArray, rate: xr.DataArray, reference: str = "forest", into: str | None = None
) -> xr.DataArray:
    """The most that converting land could add, in hectares of the reference class.

    convertible  (region, land_class)    ha, by the class that the land has now
    rate         (land_class[, region])  t {substance} / ha / yr
    into         the class that all of it becomes; None for whichever takes up most
    returns      (region)                ha of the reference class

        C[r] = Σ_k V[r, k] · max(0, s[into] − s[k]) / s[reference]

    Raises E201–E204, E811. Source: as :func:`standard_ecological_land`, applied to the difference of two classes.
    """
    reference_rate = _rate_of(rate, reference, "conversion_capacity")
    best = rate.max("land_class", skipna=False) if into is None else _rate_of(rate, into, "conversion_capacity")
    gain = (best - rate).clip(min=0) / reference_rate.where(reference_rate > 0)
    return total_along(convertible * gain, "land_class")


def ecological_land_status(needed: xr.DataArray, standard: xr.DataArray, capacity: xr.DataArray) -> xr.DataArray:
    """Whether there is a gap and whether the region's own land can close it, as words.

    needed, standard, capacity  (region[, …])  ha of the reference class
    returns                     (region[, …])  ``no gap``, ``gap``, ``infeasible on own land``, ``undefined``

    Undefined where land is missing or not positive, and where there is a gap but the capacity is not known.
    """
    gap = ecological_land_gap(needed, standard)
    status = xr.full_like(gap, NO_GAP, dtype=object).where(~(gap > 0), GAP)
    status = status.where(~((gap > 0) & (needed - standard > capacity)), INFEASIBLE)
    unknown = gap.isnull() | ((gap > 0) & capacity.isnull())
    return status.where(~unknown, UNDEFINED).rename("ecological_land_status").drop_attrs()


def undefined_gap_reason(
    burden: xr.DataArray, standard: xr.DataArray, reference_rate: xr.DataArray, capacity: xr.DataArray | None = None
) -> xr.DataArray:
    """Why the gap of a region is undefined, a word of :data:`REASONS`; empty where it is defined.

    burden, standard, capacity  (region[, …]);  reference_rate  ([region][, …])
    """
    reason = xr.full_like(burden, "", dtype=object)
    # the later rows prevail: a missing burden is the reason even where the land is missing too
    if capacity is not None:
        reason = reason.where(capacity.notnull(), "convertible land missing")
    reason = reason.where(standard > 0, "standard land not positive")
    reason = reason.where(standard.notnull(), "land missing")
    reason = reason.where(reference_rate > 0, "reference rate not positive")
    return reason.where(burden.notnull(), "burden missing").rename("ecological_land_reason").drop_attrs()


def ecological_land(
    land_area: xr.DataArray,
    rates: Mapping[str, xr.DataArray],
    burdens: Mapping[str, xr.DataArray],
    *,
    phi: xr.DataArray | float = PHI,
    reference: str = "forest",
    caps: xr.DataArray | None = None,
) -> xr.Dataset:
    """The whole account of ecological land for every target.

    land_area  (region, land_class)            ha, of the base year
    rates      target → (land_class[, region]) t C / ha / yr for ``carbon``, t O2 / ha / yr for ``oxygen``
    burdens    target → (region)               t C / yr, t O2 / yr, of the target year
    phi, reference, caps                       see :func:`needed_ecological_land`, :func:`convertible_land`
    returns    a Dataset over (region, target): ``standard_ecological_land``, ``needed_ecological_land``,
               ``ecological_land_shortfall``, ``conversion_capacity`` in ha of the reference class,
               ``ecological_land_gap`` in %, ``ecological_land_status`` and ``ecological_land_reason`` as words

    With caps the convertible land is taken to become the reference class; without caps the capacity is the most that
    could be thought of (see :func:`convertible_land`): whichever class takes up most. Instead of ``region`` the arrays
    may have ``group``. Raises E201–E204, E811–E813.
    """
    accounts = [
        _account(land_area, rates[target], burdens[target], phi=phi, reference=reference, caps=caps) for target in rates
    ]
    joined = xr.concat(accounts, "target", join="exact", combine_attrs="drop_conflicts")
    return joined.assign_coords(target=list(rates)).transpose(..., "target")


def _account(
    land_area: xr.DataArray,
    rate: xr.DataArray,
    burden: xr.DataArray,
    *,
    phi: xr.DataArray | float,
    reference: str,
    caps: xr.DataArray | None,
) -> xr.Dataset:
    reference_rate = _rate_of(rate, reference, "ecological_land").assign_attrs(rate.attrs)
    standard = standard_ecological_land(land_area, rate, reference)
    needed = needed_ecological_land(burden, reference_rate, phi)
    into = None if caps is None else reference
    capacity = conversion_capacity(convertible_land(land_area, rate, caps), rate, reference, into)
    shortfall = (needed - standard).clip(min=0, keep_attrs=False).assign_attrs(units="ha")
    gap = ecological_land_gap(needed, standard)
    reason = undefined_gap_reason(burden, standard, reference_rate, capacity)
    status = ecological_land_status(needed, standard, capacity)
    return xr.Dataset(
        {
            "standard_ecological_land": standard,
            "needed_ecological_land": needed,
            "ecological_land_shortfall": shortfall,
            "conversion_capacity": capacity,
            "ecological_land_gap": gap,
            "ecological_land_status": status,
            "ecological_land_reason": reason.where(status == UNDEFINED, ""),
        }
    )


def _rate_of(rate: xr.DataArray, label: str, function: str) -> xr.DataArray:
    """The rate of one class, or E811."""
    known = [str(item) for item in rate["land_class"].values]
    if label not in known:
        problems = Problems()
        problems.add("E811", function=function, found=label, known=known, nearest=nearest(label, known))
        problems.raise_errors()
    return rate.sel(land_class=label, drop=True)
