"""From the study file to everything that a run needs, checked: all problems are collected, nothing is computed yet."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from cobalance.accounts import scenarios
from cobalance.coefficients import Coefficients, coefficients
from cobalance.inputs import boundaries, checks, fill, regions, tables
from cobalance.inputs.names import VariableNames
from cobalance.study import accounts, future, measures, space
from cobalance.study.rasters import Counting, check_rasters, raster_observations
from cobalance.study.source import StudySource, dotted
from cobalance.study.spec import BUILTIN_REGIONS, InputFile, Study, read_study
from cobalance.study.uncertain_checks import check_uncertainty
from cobalance.vocabulary.errors import CobalanceError, Place, Problem, Problems, nearest

EMISSION_VARIABLES = ("fuel_use", "cement_output", "population", "carbon_emission")


@dataclass(frozen=True)
class Prepared:
    """A study that has been read and checked.

    names         region code, name_zh, name_en, indexed by code
    regions       polygons, indexed by code; empty where the study has no boundary
    groups        group → its regions' codes
    inputs        land_area in the method's classes, activities, inventories; missing cells are NaN
    flags         the word of each input cell: observed, estimated, interpolated, held, missing
    observations  every input cell with its place in the file
    series        activities that the outlook extrapolates
    series_observations  their input cells, where they are of another definition than the accounts'
    coefficients  rates and factors over the study's years and the target year
    """

    study: Study
    source: StudySource
    names: pd.DataFrame
    regions: gpd.GeoDataFrame
    groups: Mapping[str, tuple[str, ...]]
    inputs: xr.Dataset
    flags: xr.Dataset
    observations: pd.DataFrame
    series: xr.DataArray | None
    series_observations: pd.DataFrame | None
    coefficients: Coefficients

    @property
    def folder(self) -> Path:
        return self.source.file.parent

    @property
    def base_year(self) -> int:
        return self.study.ecological_land.base_year or self.study.years[-1]

    def coefficients_of(self, years: Sequence[int]) -> Coefficients:
        """The coefficients of some years, where a set tells years apart."""
        fields = {field.name: getattr(self.coefficients, field.name) for field in dataclasses.fields(Coefficients)}
        at: dict[str, Any] = {
            name: value.sel(year=list(years))
            for name, value in fields.items()
            if isinstance(value, xr.DataArray) and "year" in value.dims
        }
        return dataclasses.replace(self.coefficients, **at)


def prepare(file: Path, counting: Counting | None = None) -> tuple[Prepared | None, Problems]:
    """Read and check the study of ``file``. Where there is an error, None comes back with all problems found.

    Without ``counting`` the study's rasters are opened and planned, not counted; what hangs on them is not checked.
    """
    problems = Problems()
    try:
        study, source = read_study(file)
    except CobalanceError as error:
        return None, Problems(error.problems)
    preparation = _Preparation(study, source, problems, counting)
    prepared = preparation.prepared()
    return (None if problems.errors else prepared), problems


class _Preparation:
    """The steps of :func:`prepare`; each adds its problems and the later ones go on as far as they can."""

    def __init__(self, study: Study, source: StudySource, problems: Problems, counting: Counting | None) -> None:
        self.study, self.source, self.problems, self.counting = study, source, problems, counting
        self.folder = source.file.parent
        self.series_observations: pd.DataFrame | None = None

    def prepared(self) -> Prepared | None:
        region_names = self._attempt(("regions", "table"), self._region_names)
        if region_names is None:
            return None
        codes = list(region_names.codes)
        outlines = self._attempt(("regions", "boundary"), lambda: self._boundary(region_names))
        groups = self._attempt(("groups",), lambda: self._groups(region_names)) or {}
        observations = self._observations(self.study.inputs, ("inputs",), region_names, self._rasters(outlines))
        if self.study.land_cover is not None and self.counting is None:
            return None  # the classes are known only when the pixels have been counted
        if outlines is not None and observations is not None and self.study.regions.boundary is not None:
            self.problems.extend(checks.land_against_polygons(observations, boundaries.polygon_area_ha(outlines)))
        inputs, flags = self._inputs(observations, codes) or (None, None)
        if inputs is None or flags is None or not self._has_enough(inputs):
            return None
        series = self._attempt(("outlook",), lambda: self._series(inputs, region_names))
        factors = self._attempt(("coefficients",), lambda: self._coefficients(inputs, codes))
        self._check_settings(inputs, series)
        if factors is not None:
            self._check_uncertainty(inputs, factors)
        if factors is None or outlines is None or observations is None:
            return None
        self.problems.extend(factors.notices)
        names = cast(pd.DataFrame, region_names.table).set_index("code")[["name_zh", "name_en"]].rename_axis("region")
        return Prepared(
            study=self.study,
            source=self.source,
            names=names,
            regions=outlines.frame,
            groups=groups,
            inputs=inputs,
            flags=flags,
            observations=observations,
            series=series,
            series_observations=self.series_observations,
            coefficients=factors,
        )

    def _attempt(self, path: tuple[str | int, ...], step: Any) -> Any:
        """The outcome of ``step``, or None with its problems added, each placed at the study file's key if nowhere."""
        try:
            return step()
        except CobalanceError as error:
            self.problems.extend(self._placed(problem, path) for problem in error.problems)
            return None

    def _placed(self, problem: Problem, path: tuple[str | int, ...]) -> Problem:
        if problem.place.file is not None or problem.place.row is not None:
            return problem
        keys = tuple(problem.place.key.split(".")) if problem.place.key else ()
        known = keys if keys[:1] == path[:1] else (*path, *keys)
        return dataclasses.replace(problem, place=self.source.place(known))

    def _region_names(self) -> regions.RegionNames:
        chosen = self.study.regions
        if chosen.table in BUILTIN_REGIONS:
            names = regions.RegionNames.builtin(BUILTIN_REGIONS[chosen.table])
        else:
            names = regions.read_region_table(chosen.table, self.folder)
        if chosen.select is None:
            return names
        codes = self._codes(names, chosen.select, "regions.select")
        return regions.RegionNames(names.table[names.table["code"].isin(codes)].reset_index(drop=True))

    def _codes(self, names: regions.RegionNames, labels: Sequence[str], key: str) -> list[str]:
        """The codes of regions that the study file names. Raises E402, E403."""
        matches = names.matches(labels)
        found = names.problems(matches, dict.fromkeys(labels, Place(key=key)))
        for label in matches.outside:
            found.add("E402", Place(key=key), found=label, nearest=names.nearest(label))
        found.raise_errors()
        return [code for label in labels if (code := matches.codes[label]) is not None]

    def _boundary(self, names: regions.RegionNames) -> boundaries.Boundaries:
        boundary = self.study.regions.boundary
        if boundary is None:
            self.problems.add("W101", self.source.place(("regions",)))
            index = pd.Index(list(names.codes), name="region")
            return boundaries.Boundaries(gpd.GeoDataFrame(geometry=[None] * len(index), index=index, crs="EPSG:4326"))
        options = boundaries.BoundaryOptions(
            **boundary.model_dump(include={"layer", "encoding", "repeated", "surplus"})
        )
        found = boundaries.read_boundaries(boundary.file, boundary.key, names, options, self.folder)
        self.problems.extend(found.notices)
        if boundary.review_number is None and is_china(names.codes):
            self.problems.add("W103", self.source.place(("regions", "boundary", "review_number")))
        return found

    def _rasters(self, outlines: boundaries.Boundaries | None) -> list[tables.Observations | None]:
        """The observations of the study's rasters; nothing where it has none, or they are only checked."""
        land_cover = self.study.land_cover
        if land_cover is None or outlines is None:
            return []
        counting, polygons = self.counting, outlines.frame
        if counting is None:
            self._attempt(("land_cover",), lambda: check_rasters(land_cover, polygons, self.folder))
            return []
        return [
            self._attempt(("land_cover",), lambda: raster_observations(land_cover, polygons, self.folder, counting))
        ]

    def _groups(self, names: regions.RegionNames) -> dict[str, tuple[str, ...]]:
        members = {key: group.members for key, group in self.study.groups.items()}
        return regions.checked_groups(members, names, Place(file=self.source.file.name))

    def _observations(
        self,
        files: Sequence[InputFile],
        path: tuple[str | int, ...],
        names: regions.RegionNames,
        others: Sequence[tables.Observations | None] = (),
    ) -> pd.DataFrame | None:
        read = [
            self._attempt((*path, position), lambda item=item: self._read(item, names))
            for position, item in enumerate(files)
        ]
        read += others
        if not read or any(part is None for part in read):
            return None
        combined: pd.DataFrame | None = self._attempt(path, lambda: self._combined(read))
        return combined

    def _read(self, item: InputFile, names: regions.RegionNames) -> tables.Observations:
        source = tables.TableSource(
            file=str(item.file),
            down=tuple(item.down),
            drop=tuple(item.drop),
            **item.model_dump(exclude={"file", "down", "drop"}),
        )
        own = {raw: f"land_area {land_class_token(raw)}" for raw in self.study.land_classes}
        return tables.read_observations(source, names, VariableNames(own), self.folder)

    def _combined(self, read: Sequence[tables.Observations]) -> pd.DataFrame:
        combined = checks.combined(read)
        self.problems.extend(combined.notices)
        return combined.frame

    def _inputs(self, observations: pd.DataFrame | None, codes: list[str]) -> tuple[xr.Dataset, xr.Dataset] | None:
        """The inputs in the method's land classes, gaps filled as the study says, and the flag of every cell."""
        if observations is None:
            return None
        rules = {name: fill.Fill(**rule.model_dump()) for name, rule in self.study.fill.items()}
        read = tables.Observations(observations)
        found = self._attempt(("inputs",), lambda: fill.assemble(read, codes, self.study.years, rules))
        if found is None:
            return None
        self.problems.extend(found.notices)
        return self._in_method_classes(found.dataset, found.flags)

    def _in_method_classes(self, dataset: xr.Dataset, flags: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
        """Land classes of the inputs added up into the method's; those mapped to null are left out by name (W102)."""
        if "land_area" not in dataset:
            return dataset, flags
        mapping = {land_class_token(raw): target for raw, target in self.study.land_classes.items()}
        area, words = dataset["land_area"], flags["land_area"]
        members: dict[str, list[str]] = {}
        for label in map(str, area["land_class"].values):
            target = mapping.get(label, label)
            if target is not None:
                members.setdefault(target, []).append(label)
                continue
            last = area.sel(land_class=label).isel(year=-1)
            total = f"{float(last.sum()):,.0f}"
            place = self.source.place(("land_classes", label))
            self.problems.add("W102", place, found=label, area=total, year=int(last["year"]))
        labels = {"land_class": np.array(list(members), dtype=object)}
        parts = [area.sel(land_class=names).sum("land_class", skipna=False) for names in members.values()]
        marks = [accounts.weakest_flag(words.sel(land_class=names), "land_class") for names in members.values()]
        method_area = xr.concat(parts, "land_class").transpose(*area.dims).assign_coords(labels)
        method_words = xr.concat(marks, "land_class").transpose(*area.dims).assign_coords(labels)
        rest = dataset.drop_dims("land_class"), flags.drop_dims("land_class")
        return (
            rest[0].assign(land_area=method_area.assign_attrs(area.attrs)),
            rest[1].assign(land_area=method_words),
        )

    def _has_enough(self, inputs: xr.Dataset) -> bool:
        """Whether there is land and something that emits; E111 for what is lacking."""
        wanted = {"land_area": "E111"} if "land_area" not in inputs else {}
        for name in wanted:
            details = {"expected": "the areas of land classes", "expected_zh": "各地类面积"}
            self.problems.add("E111", self.source.place(("inputs",)), found=name, **details)
        emitting = any(name in inputs for name in EMISSION_VARIABLES)
        if not emitting:
            details = {
                "expected": "fuels, cement, population or an inventory of emissions",
                "expected_zh": "燃料、水泥、人口或排放清单",
            }
            found = " / ".join(EMISSION_VARIABLES)
            self.problems.add("E111", self.source.place(("inputs",)), found=found, **details)
        accounts.check_sources(inputs, self.problems)
        return emitting and not wanted

    def _series(self, inputs: xr.Dataset, names: regions.RegionNames) -> xr.DataArray | None:
        """What the outlook extrapolates: the study's own activities, or series of another definition."""
        settings = self.study.outlook
        if settings is None:
            return None
        own = inputs.drop_vars("land_area", errors="ignore")
        if settings.inputs:
            rows = self._observations(settings.inputs, ("outlook", "inputs"), names)
            if rows is None:
                return None
            self.series_observations = rows
            years = sorted(int(year) for year in rows["year"].unique())
            own = fill.assemble(tables.Observations(rows), list(names.codes), years).dataset
            definition = settings.definition
            text = (definition.en, definition.zh) if definition else ("another definition", "其他口径")
            place = self.source.place(("outlook", "inputs"))
            self.problems.add("W104", place, definition=text[0], definition_zh=text[1])
            self._check_same_activities(future.activities(own), future.activities(inputs))
        series = future.activities(own)
        future.check_outlook(settings, series, self.problems, self.source.place(("outlook", "window")))
        return series

    def _check_same_activities(self, series: xr.DataArray, wanted: xr.DataArray) -> None:
        """Add E117 for each activity of the accounts that the outlook's own series lack."""
        known = [str(label) for label in series["activity"].values]
        for label in map(str, wanted["activity"].values):
            if label not in known:
                self.problems.add("E117", self.source.place(("outlook", "inputs")), found=label, expected=known)

    def _coefficients(self, inputs: xr.Dataset, codes: list[str]) -> Coefficients:
        study = self.study
        fuels = [str(fuel) for fuel in inputs["fuel_use"]["fuel"].values] if "fuel_use" in inputs else []
        units = [str(unit) for unit in inputs["fuel_unit"].values] if fuels else []
        heat = study.fuel_heat
        years = [*study.years, *([study.outlook.target] if study.outlook else [])]
        chosen = {family: self._set_paths(choice) for family, choice in study.coefficients.model_dump().items()}
        unwanted = {"cement": "cement_output", "respiration": "population"}
        chosen.update({family: None for family, variable in unwanted.items() if variable not in inputs})
        return coefficients(
            chosen,
            land_classes=[str(label) for label in inputs["land_area"]["land_class"].values],
            fuels=[*fuels, *accounts.inventory_sources(inputs)],
            regions=codes,
            years=years,
            fuel_units={
                fuel: (unit, heat) if heat and unit == "GJ" else unit for fuel, unit in zip(fuels, units, strict=True)
            },
        )

    def _set_paths(self, choice: Any) -> Any:
        """A user's own CSV counts from the study file's folder."""
        if isinstance(choice, list):
            return [self._set_paths(item) for item in choice]
        if isinstance(choice, dict):
            return {key: self._set_paths(item) for key, item in choice.items()}
        return self.folder / choice if str(choice).endswith(".csv") else choice

    def _check_settings(self, inputs: xr.Dataset, series: xr.DataArray | None) -> None:
        """What the study file says of later chapters, held against what is there."""
        land = self.study.ecological_land
        if land.base_year is not None and land.base_year not in self.study.years:
            place = self.source.place(("ecological_land", "base_year"))
            self.problems.add("E113", place, found=land.base_year, expected=self.study.years)
        classes = [str(label) for label in inputs["land_area"]["land_class"].values]
        named = {"reference": [land.reference], "classes": land.classes or [], "convertible": list(land.convertible)}
        for key, labels in named.items():
            for label in labels:
                if label not in classes:
                    self._add_unknown(("ecological_land", key), label, classes, "a land class", "地类")
        known = [str(label) for label in series["activity"].values] if series is not None else self._activities(inputs)
        self._check_scenarios(known, classes)
        space.check_variables(self.study.spatial, self.problems, self.source.place)

    def _check_uncertainty(self, inputs: xr.Dataset, factors: Coefficients) -> None:
        settings, phi = self.study.uncertainty, self.study.ecological_land.phi
        if settings is not None:
            self._attempt(("uncertainty",), lambda: check_uncertainty(settings, inputs, factors.table, phi))

    def _check_scenarios(self, activities: Sequence[str], classes: Sequence[str]) -> None:
        found = Problems()
        year = self.study.outlook.target if self.study.outlook else self.study.years[-1]
        scenarios.check_scenarios(
            measures.named_scenarios(self.study.scenarios), year, classes, [*activities, "respiration"], found
        )
        self.problems.extend(self._placed(problem, ("scenarios",)) for problem in found)

    @staticmethod
    def _activities(inputs: xr.Dataset) -> list[str]:
        return [str(label) for label in future.activities(inputs.drop_vars("land_area"))["activity"].values]

    def _add_unknown(
        self, path: tuple[str | int, ...], found: str, expected: Sequence[str], what: str, what_zh: str
    ) -> None:
        details = {"what": what, "what_zh": what_zh, "expected": expected, "nearest": nearest(found, expected)}
        self.problems.add("E109", self.source.place(path), key=dotted(path), found=found, **details)


def land_class_token(raw: str) -> str:
    """A land class of the inputs as one word: ``other special uses`` → ``other_special_uses``."""
    return re.sub(r"\W+", "_", raw.strip())


def is_china(codes: Sequence[str]) -> bool:
    """Whether the regions are China's: their codes begin as GB/T 2260 has them."""
    provinces = {code[:2] for code in regions.RegionNames.builtin("china_provinces").codes}
    return all(len(code) == 6 and code.isdigit() and code[:2] in provinces for code in codes)
