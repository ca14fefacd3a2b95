"""A study as a function of a design of draws: the chapters' own functions on arrays that have a dimension ``draw``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from cobalance.accounts import balance, sequestration
from cobalance.accounts.ecological_land import INFEASIBLE, UNDEFINED
from cobalance.accounts.groups import group_total
from cobalance.accounts.totals import total_along
from cobalance.coefficients import Coefficients
from cobalance.study import future, measures
from cobalance.study.accounts import ACCOUNTS, CEMENT, burdens
from cobalance.study.spec import EcologicalLand, Outlook
from cobalance.uncertainty.assumptions import uncertain
from cobalance.uncertainty.draws import (
    FORECAST,
    SET_CHOICE,
    chosen_arrays,
    draw_choice,
    draw_coefficients,
    draw_factors,
    draw_forecast_ratios,
    draw_number,
)
from cobalance.uncertainty.points import Points

Floats = NDArray[np.float64]

QUANTITIES = {
    "sequestration": ("sequestration_rate", "oxygen_release_rate"),
    "emission": ("emission_factor",),
    "oxygen": ("oxygen_per_carbon",),
    "cement": ("cement_factor",),
    "respiration": ("respiration_carbon", "respiration_oxygen"),
}
"""The arrays that the choice of sets of a family decides."""

PHI, ACTIVITY, PHOTOSYNTHESIS = "phi", "activity", "photosynthesis"
BALANCES = ("carbon_balance_coefficient", "oxygen_balance_coefficient")
FUTURE_TOTALS = ("outlook_carbon_emission", "outlook_oxygen_consumption")
LAND = ("standard_ecological_land", "needed_ecological_land", "ecological_land_gap")
KEPT_RATIOS = (0.01, 0.99)
"""Past forecast errors beyond these quantiles are held at them: the ends of a sample say little."""


@dataclass(frozen=True)
class Alternative:
    """One coherent choice of sets of a family: its arrays and the rows behind them, with ``cause`` and ``group``."""

    name: str
    arrays: Mapping[str, xr.DataArray]
    table: pd.DataFrame


@dataclass(frozen=True)
class DrawnStudy:
    """Everything that a draw goes through.

    inputs        land_area and the activities over the study's years
    coefficients  the study's own, over its years and the target year
    alternatives  family → the sets that draws choose among; the first is the study's own
    groups        group → regions
    forecast      of :func:`~cobalance.study.future.study_outlook`, or None
    past          of :func:`~cobalance.study.forecast_errors.forecast_ratios`, horizons labelled by calendar year; None:
                  forecasts are held fixed
    phi           (low, high) of the share φ, or None: held fixed
    quotient      (low, high) factors of the photosynthetic quotient, or None; it moves ``quotient_items``
    activities    activity or land class → relative half-width or (low, high) factors
    kinds         quantity → kind of distribution
    """

    inputs: xr.Dataset
    coefficients: Coefficients
    alternatives: Mapping[str, Sequence[Alternative]]
    groups: Mapping[str, Sequence[str]]
    base_year: int
    land: EcologicalLand
    outlook: Outlook | None = None
    forecast: xr.Dataset | None = None
    past: xr.Dataset | None = None
    phi: tuple[float, float] | None = None
    quotient: tuple[float, float] | None = None
    quotient_items: Sequence[str] = ()
    activities: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def everyone(self) -> dict[str, Sequence[str]]:
        """The groups, and ``total``: all regions."""
        return {**self.groups, "total": [str(region) for region in self.inputs["region"].values]}

    @property
    def group_of(self) -> dict[str, str]:
        """Every cause that moves anything → its group, in the order of the chapters."""
        found: dict[str, str] = {}
        for versions in self.alternatives.values():
            for version in versions:
                rows = version.table[uncertain(version.table)]
                found |= dict(zip(rows["cause"], rows["group"], strict=True))
        found |= {PHOTOSYNTHESIS: PHOTOSYNTHESIS} if self.quotient else {}
        found |= {f"{ACTIVITY} {name}": f"{ACTIVITY} {name}" for name in self.activities}
        found |= {_choice(family): SET_CHOICE for family, versions in self.alternatives.items() if len(versions) > 1}
        if self.forecast is not None and self.past is not None:
            found |= {FORECAST: FORECAST}
            found |= {f"{FORECAST} {name}": FORECAST for name in map(str, self.past["activity"].values)}
        return found | ({PHI: PHI} if self.phi else {})

    def accounts(self, points: Points, rows: range, years: Sequence[int]) -> dict[str, Floats]:
        """Totals and balance of regions, (region, year, draw), and of groups, ``group_…`` (group, year, draw)."""
        inputs = self._activities(self.inputs.sel(year=list(years)), points, rows)
        factors = self._coefficients(points, rows, years)
        parts = dict(
            zip(
                ACCOUNTS,
                (
                    sequestration.carbon_sequestration(inputs["land_area"], factors.sequestration_rate),
                    sequestration.oxygen_release(inputs["land_area"], factors.oxygen_release_rate),
                    *burdens(inputs, factors),
                ),
                strict=True,
            )
        )
        grouped = {name: group_total(part, self.everyone) for name, part in parts.items()}
        return {
            **_headlines(parts, len(rows)),
            **{f"group_{name}": values for name, values in _headlines(grouped, len(rows), "group").items()},
        }

    def future(self, points: Points, rows: range) -> dict[str, Floats]:
        """Burdens of the target year (region, draw) and ecological land (region, target, draw)."""
        year = self.base_year
        factors = self._coefficients(points, rows, [year])
        inputs = self._activities(self.inputs, points, rows)
        burden = self._burden(inputs, points, rows, factors)
        rates = tuple(
            rate.isel(year=0, drop=True) if "year" in rate.dims else rate
            for rate in (factors.sequestration_rate, factors.oxygen_release_rate)
        )
        settings = self.land
        if self.phi:
            drawn = draw_number(float(settings.phi), self.phi, PHI, points, rows, self._kind(PHI))
            settings = settings.model_copy(update={"phi": drawn})
        area = inputs["land_area"].sel(year=year, drop=True)
        land = future.land_needed(area, (rates[0], rates[1]), burden, settings)
        everyone = self.everyone
        grouped = measures.group_ecological_land(land, everyone)
        found = {name: _values(land[name], ("region", "target"), len(rows)) for name in LAND}
        found |= {f"group_{name}": _values(grouped[f"group_{name}"], ("group", "target"), len(rows)) for name in LAND}
        status = land["ecological_land_status"]
        infeasible = (status == INFEASIBLE).astype(float).where(status != UNDEFINED)
        found["infeasible_on_own_land"] = _values(infeasible, ("region", "target"), len(rows))
        totals = [total_along(part, "source") for part in burden]
        for name, total in zip(FUTURE_TOTALS, totals, strict=True):
            found[name] = _values(total, ("region",), len(rows))
            found[f"group_{name}"] = _values(group_total(total, everyone), ("group",), len(rows))
        return found

    def _kind(self, name: str) -> str:
        return self.kinds.get(name, self.kinds.get("default", "triangular"))

    def _coefficients(self, points: Points, rows: range, years: Sequence[int]) -> Coefficients:
        own = {name: getattr(self.coefficients, name) for names in QUANTITIES.values() for name in names}
        drawn: dict[str, Any] = _of_years(own, years)
        for family, versions in self.alternatives.items():
            made = [
                draw_coefficients(version.table, _of_years(version.arrays, years), points, rows, kinds=self.kinds)
                for version in versions
            ]
            if len(made) > 1:
                choice = draw_choice([1.0] * len(made), points, rows, _choice(family))
                drawn |= chosen_arrays(made, choice)
            else:
                drawn |= made[0]
        if self.quotient:
            factor = draw_number(1.0, self.quotient, PHOTOSYNTHESIS, points, rows, self._kind(PHOTOSYNTHESIS))
            items = dict.fromkeys(self.quotient_items, factor)
            drawn["oxygen_release_rate"] = _scaled(drawn["oxygen_release_rate"], "land_class", items)
        return dataclasses.replace(self.coefficients, **drawn)

    def _activities(self, inputs: xr.Dataset, points: Points, rows: range) -> xr.Dataset:
        """``inputs`` with every activity times its factor, where the study states how sure it is."""
        if not self.activities:
            return inputs
        drawn = draw_factors(self.activities, points, rows, self._kind(ACTIVITY), f"{ACTIVITY} ")
        result = inputs.copy()
        for name, dim in (("land_area", "land_class"), ("fuel_use", "fuel"), ("carbon_emission", "source")):
            if name in inputs and (own := [label for label in map(str, inputs[dim].values) if label in drawn]):
                result[name] = _scaled(inputs[name], dim, {label: drawn[label] for label in own})
        for name, label in (("cement_output", CEMENT), ("population", future.POPULATION)):
            if name in inputs and label in drawn:
                result[name] = (inputs[name] * drawn[label]).assign_attrs(inputs[name].attrs)
        return result

    def _burden(
        self, inputs: xr.Dataset, points: Points, rows: range, factors: Coefficients
    ) -> tuple[xr.DataArray, xr.DataArray]:
        """Of the target year, or of the base year where the study has no outlook."""
        if self.outlook is None or self.forecast is None:
            carbon, oxygen = burdens(inputs.sel(year=[self.base_year]), factors)
            return carbon.isel(year=0, drop=True), oxygen.isel(year=0, drop=True)
        target = future.target_inputs(inputs, self._forecast(points, rows), self.outlook, self.base_year)
        if self.outlook.apply == "level":  # growth already starts from inputs that have their factors
            target = self._activities(target, points, rows)
        return future.target_burdens(target, self._coefficients(points, rows, [self.outlook.target]))

    def _forecast(self, points: Points, rows: range) -> xr.Dataset:
        """The forecast times what past forecasts were off by."""
        assert self.forecast is not None
        if self.past is None:
            return self.forecast
        regions = [str(region) for region in self.forecast["region"].values]
        drawn = draw_forecast_ratios(self.past, regions, points, rows, keep=KEPT_RATIOS)
        path = drawn.rename(horizon="outlook_year").reindex(
            outlook_year=self.forecast["outlook_year"].values, fill_value=np.nan
        )
        value = self.forecast["outlook"]
        with xr.set_options(arithmetic_join="exact"):  # type: ignore[no-untyped-call]
            drawn = (value * path).transpose(*value.dims, "draw").assign_attrs(value.attrs)
        return self.forecast.assign(outlook=drawn)


def _choice(family: str) -> str:
    return f"{SET_CHOICE} {family}"


def _of_years(arrays: Mapping[str, xr.DataArray], years: Sequence[int]) -> dict[str, xr.DataArray]:
    return {name: array.sel(year=list(years)) if "year" in array.dims else array for name, array in arrays.items()}


def _scaled(data: xr.DataArray, dim: str, drawn: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """``data`` with some labels along ``dim`` times their factors (draw)."""
    one = xr.ones_like(next(iter(drawn.values())))
    labels = data[dim].values
    factor = xr.concat([drawn.get(str(label), one) for label in labels], dim, coords="minimal", compat="override")
    plain = [name for name in data.dims if name != "draw"]
    return (data * factor.assign_coords({dim: labels})).transpose(*plain, "draw").assign_attrs(data.attrs)


def _headlines(parts: Mapping[str, xr.DataArray], draws: int, place: str = "region") -> dict[str, Floats]:
    """Totals of the four accounts and the two balances as (place, year, draw)."""
    carbon = balance.carbon_balance_coefficient(parts["carbon_emission"], parts["carbon_sequestration"])
    oxygen = balance.oxygen_balance_coefficient(parts["oxygen_consumption"], parts["oxygen_release"])
    totals = {name: total_along(part, _parts_of(part)) for name, part in parts.items()}
    found = {**totals, **dict(zip(BALANCES, (carbon, oxygen), strict=True))}
    return {name: _values(array, (place, "year"), draws) for name, array in found.items()}


def _parts_of(array: xr.DataArray) -> str:
    return "land_class" if "land_class" in array.dims else "source"


def _values(array: xr.DataArray, dims: Sequence[str], draws: int) -> Floats:
    """Bare numbers (*dims, draw); what no assumption moves is the same in every draw."""
    if "draw" not in array.dims:
        array = array.expand_dims(draw=draws)
    values: Any = array.transpose(*dims, "draw").values
    return np.asarray(values, dtype=float)
