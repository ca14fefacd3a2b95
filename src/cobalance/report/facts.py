"""What figures and page say about a study, taken from its results: names, totals over regions with data, extremes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.report.geometry import Outlines, is_china, outlines
from cobalance.study.results import Results
from cobalance.study.spec import Study
from cobalance.vocabulary.errors import Language

CARBON, OXYGEN = "carbon", "oxygen"
TARGETS = (CARBON, OXYGEN)
BURDEN = {CARBON: "carbon_emission", OXYGEN: "oxygen_consumption"}
CAPACITY = {CARBON: "carbon_sequestration", OXYGEN: "oxygen_release"}
BALANCE = {CARBON: "carbon_balance_coefficient", OXYGEN: "oxygen_balance_coefficient"}


@dataclass(frozen=True)
class Total:
    """A quantity summed over the regions that have both sides of the balance, year by year.

    values   (year, label)  in the quantity's unit; a year in which no region has both sides is missing
    regions  (year,)        how many regions are in the sum
    """

    values: pd.DataFrame
    regions: pd.Series

    @property
    def sum(self) -> pd.Series:
        return self.values.sum(axis=1, skipna=False)


class Facts:
    """Read-only views of results, each formed once."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.dataset: xr.Dataset = results.dataset

    @functools.cached_property
    def study(self) -> Study:
        return self.results.study

    @functools.cached_property
    def regions(self) -> list[str]:
        return [str(code) for code in self.dataset["region"].values]

    @functools.cached_property
    def years(self) -> list[int]:
        return [int(year) for year in self.dataset["year"].values]

    @property
    def first(self) -> int:
        return self.years[0]

    @property
    def last(self) -> int:
        return self.years[-1]

    @functools.cached_property
    def outlines(self) -> Outlines | None:
        return outlines(self.results.regions, self.study.spatial.crs)

    @functools.cached_property
    def china(self) -> bool:
        return self.study.regions.table == "china-provinces" or is_china(self.regions)

    @functools.cached_property
    def has_shapes(self) -> bool:
        geometry = self.results.regions.geometry
        return bool((geometry.notna() & ~geometry.is_empty).any())

    @functools.cache  # noqa: B019 - as long-lived as the report
    def names(self, language: Language) -> dict[str, str]:
        """Region code → name."""
        frame = self.results.regions
        column = frame[f"name_{language}"].fillna("").astype(str)
        return {str(code): name or str(code) for code, name in zip(frame.index, column, strict=True)}

    def has(self, *variables: str) -> bool:
        """Whether the dataset holds all of them, each with a value somewhere."""
        return all(name in self.dataset and bool(self.dataset[name].notnull().any()) for name in variables)

    def table(self, name: str) -> pd.DataFrame:
        """A table, empty where the study has none."""
        return self.results.tables.get(name, pd.DataFrame())

    @functools.cache  # noqa: B019
    def complete(self, target: str) -> xr.DataArray:
        """(region, year) whether both sides of the balance are known in all their parts."""
        burden = self.dataset[BURDEN[target]].notnull().all("source")
        return burden & self.dataset[CAPACITY[target]].notnull().all("land_class")

    @functools.cache  # noqa: B019
    def total(self, variable: str) -> Total:
        """A side of the balance, summed over regions with data."""
        target = CARBON if variable in (BURDEN[CARBON], CAPACITY[CARBON]) else OXYGEN
        data, known = self.dataset[variable], self.complete(target)
        label = next(str(dim) for dim in data.dims if dim not in ("region", "year"))
        count = known.sum("region")
        summed = data.where(known, 0.0).sum("region").where(count > 0).transpose("year", label)
        values = pd.DataFrame(summed.values, index=self.years, columns=[str(item) for item in data[label].values])
        return Total(values, pd.Series(count.values, index=self.years))

    @functools.cache  # noqa: B019
    def nation(self, target: str) -> pd.Series:
        """Balance of all regions with data together, year by year: the ratio of the sums."""
        burden, capacity = self.total(BURDEN[target]).sum, self.total(CAPACITY[target]).sum
        return burden / capacity.where(capacity > 0)

    def in_both(self, target: str, first: int, last: int) -> tuple[pd.DataFrame, int]:
        """Burden and capacity (columns) of two years (rows) over the regions that have them in both, and how many."""
        known = self.complete(target).sel(year=[first, last]).all("year")
        sides = {}
        for name in (BURDEN[target], CAPACITY[target]):
            data = self.dataset[name].sel(year=[first, last]).where(known, 0.0)
            sides[name] = data.sum([str(dim) for dim in data.dims if dim != "year"]).values
        return pd.DataFrame(sides, index=[first, last]), int(known.sum())

    @functools.cache  # noqa: B019
    def shared_years(self, target: str) -> tuple[int, int] | None:
        """First and last year in which some region has a balance; what maps compare."""
        defined = self.dataset[BALANCE[target]].notnull().any("region")
        years = [year for year, known in zip(self.years, defined.values, strict=True) if known]
        return (years[0], years[-1]) if years else None

    def of_year(self, variable: str, year: int) -> pd.Series:
        """A (region, year) variable in one year, by region code."""
        values = self.dataset[variable].sel(year=year)
        return pd.Series(np.asarray(values.values), index=self.regions)

    @functools.cached_property
    def footer(self) -> dict[Language, str]:
        """Source of the boundary and its review number."""
        boundary = self.study.regions.boundary
        if boundary is None:
            return {"en": "", "zh": ""}
        number = boundary.review_number
        en = f"Boundary: {boundary.source}" + (f"; map review number {number}" if number else "")
        zh = f"边界来源：{boundary.source}" + (f"；审图号：{number}" if number else "")
        return {"en": en, "zh": zh}

    @property
    def draft(self) -> bool:
        """A map of China without a review number is a draft and says so."""
        boundary = self.study.regions.boundary
        return self.china and boundary is not None and not boundary.review_number
