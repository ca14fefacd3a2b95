"""The dataset for other programs: NetCDF by the CF conventions 1.11.

Inside, a unit names the substance (``t C / yr``), because carbon, carbon dioxide and oxygen must not be added. UDUNITS
reads ``C`` as coulomb, so the file says ``t year-1`` in ``units``, the substance in ``long_name`` and our own unit in
``cobalance_units``. A variable whose unit differs by label (fuels) becomes one variable a unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.report.facts import Facts
from cobalance.study.results import written
from cobalance.vocabulary import schema

CONVENTIONS = "CF-1.11"
REFERENCE_DAY = "1850-01-01"
_SUBSTANCES = {"C": "carbon", "CO2": "carbon dioxide", "O2": "oxygen"}
_TERMS = {"yr": "year", "person": "", "%": "percent", "m3": "m3"}
_AXES = {
    "region": "code of the region",
    "group": "key of the group of regions",
    "year": "calendar year",
    "outlook_year": "calendar year of the outlook",
    "window_year": "calendar year of the observed series",
    "land_class": "land class",
    "fuel": "fuel",
    "source": "source of emission",
    "target": "substance that land has to balance",
    "activity": "activity that is extrapolated",
    "model": "model of the outlook",
    "variable": "variable that is tested",
    "name_zh": "name in Chinese",
    "name_en": "name in English",
    "fuel_unit": "unit of the fuel",
    "activity_unit": "unit of the activity",
}


def write_netcdf(facts: Facts, file: Path) -> Path:
    """Write :func:`conforming` to ``file``; the same results give the same bytes. Raises E903."""
    dataset = conforming(facts)
    with written(file) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf")
    return file


def conforming(facts: Facts) -> xr.Dataset:
    """The results with the names, units, coordinates and attributes that CF asks for.

    Beside ``year`` stands the auxiliary coordinate ``time`` with its bounds (the whole year); where the study has
    shapes, each region has the longitude and latitude of a point inside it.
    """
    parts = [part for name in facts.dataset.data_vars for part in _by_unit(facts.dataset[name])]
    arrays = {str(part.name): _described(part) for part in parts}
    result = xr.Dataset(arrays).drop_attrs(deep=False)
    result = _with_time(_with_places(result, facts))
    for name in result.coords:
        if str(name) in _AXES:
            result[name].attrs = {"long_name": _AXES[str(name)]}
        result[name].encoding["_FillValue"] = None
    result["time_bounds"].encoding["_FillValue"] = None
    return result.assign_attrs(_about(facts))


def udunits(unit: str) -> tuple[str, str]:
    """(unit as UDUNITS writes it, substance or thing that it counts): ``t C / yr`` → ``t year-1``, ``carbon``."""
    above, *below = [part.split() for part in unit.split("/")]
    words = [word for part in (above, *below) for word in part]
    counted = [_SUBSTANCES.get(word, word) for word in words if word in _SUBSTANCES or word == "person"]
    terms = [_TERMS.get(word, word) for word in above if word not in _SUBSTANCES and word != "1"]
    terms += [f"{_TERMS.get(word, word)}-1" for part in below for word in part if word not in _SUBSTANCES]
    return " ".join(term for term in terms if term not in ("", "-1")) or "1", " per ".join(counted)


def _by_unit(data: xr.DataArray) -> Iterator[xr.DataArray]:
    """The array itself, or one for each unit where it is a template such as ``{fuel_unit} / yr``."""
    template = re.search(r"\{(\w+)_unit\}", str(data.attrs.get("units", "")))
    if template is None:
        yield data
        return
    dim = template[1]
    units = data[f"{dim}_unit"].values.astype(str)
    for unit in dict.fromkeys(units.tolist()):
        part = data.isel({dim: np.flatnonzero(units == unit)}).drop_vars(f"{dim}_unit")
        slug = re.sub(r"\W+", "_", unit.replace("/", "per")).strip("_")
        filled = str(data.attrs["units"]).replace("{" + dim + "_unit}", unit)
        yield part.rename(f"{data.name}_{slug}").rename({dim: f"{dim}_{slug}"}).assign_attrs(units=filled, of=dim)


def _described(data: xr.DataArray) -> xr.DataArray:
    """The array with ``long_name``, ``units`` and, for yearly amounts, the cell method."""
    own = str(data.attrs.get("units", ""))
    name = re.sub(r"_(t|m3|GJ)(_per_yr)?$", "", str(data.name)) if "of" in data.attrs else str(data.name)
    entry = schema.variables().get(name.removeprefix("group_"))
    title = entry.en if entry else name.replace("_", " ")
    attributes: dict[str, Any] = {"long_name": title}
    if entry:
        attributes["long_name_zh"] = entry.zh
        attributes["comment"] = entry.definition_en
    if data.dtype.kind in "fi":
        unit, counted = udunits(own or "1")
        attributes["units"] = unit
        if own:
            attributes["cobalance_units"] = own
        if counted:
            attributes["long_name"] = f"{title} ({counted})"
        if "year" in data.dims and "/ yr" in own:
            attributes["cell_methods"] = "time: mean"
    text = data.astype(str) if data.dtype == object else data
    dim = data.attrs.get("of")
    result: xr.DataArray = text.drop_attrs().assign_attrs(attributes)
    result.encoding = {}
    if dim is not None:
        label = next(str(own) for own in result.dims if str(own).startswith(f"{dim}_") and own not in _AXES)
        result[label].attrs["long_name"] = _AXES[str(dim)]
    return result


def _with_time(result: xr.Dataset) -> xr.Dataset:
    """``time(year)``, the middle of each year, with its first and last moment as bounds."""
    years = result["year"].values.astype(int)
    origin = np.datetime64(REFERENCE_DAY)
    edges = np.array([[f"{year:04d}-01-01", f"{year + 1:04d}-01-01"] for year in years], dtype="datetime64[D]")
    days = (edges - origin).astype("timedelta64[D]").astype(float)
    attributes = {
        "standard_name": "time",
        "long_name": "middle of the year",
        "units": f"days since {REFERENCE_DAY}",
        "calendar": "standard",
        "units_metadata": "leap_seconds: none",
        "bounds": "time_bounds",
    }
    result = result.assign_coords(time=("year", days.mean(axis=1), attributes))
    return result.assign(time_bounds=(("year", "bound"), days))


def _with_places(result: xr.Dataset, facts: Facts) -> xr.Dataset:
    """Longitude and latitude of a point inside each region; NaN where a region has no shape."""
    if not facts.has_shapes:
        return result
    geometry = facts.results.regions.geometry.reindex(pd.Index(facts.regions)).to_crs("EPSG:4326")
    known = geometry.notna() & ~geometry.is_empty
    points = geometry[known].representative_point().reindex(geometry.index)
    for name, values, unit in (("longitude", points.x, "degrees_east"), ("latitude", points.y, "degrees_north")):
        attributes = {"standard_name": name, "long_name": f"{name} of a point in the region", "units": unit}
        result = result.assign_coords({name: ("region", values.to_numpy(float), attributes)})
    return result


def _about(facts: Facts) -> dict[str, str]:
    provenance = facts.results.provenance
    program = f"cobalance {provenance.get('cobalance', '')}".strip()
    return {
        "Conventions": CONVENTIONS,
        "title": facts.study.title.en,
        "title_zh": facts.study.title.zh,
        "source": f"{program}; coefficient sets: {', '.join(provenance.get('coefficient_sets', []))}",
        "history": f"{program}: run of {provenance.get('study_file', {}).get('name', 'a study')}",
        "institution": "not stated",
        "references": "Acta Ecologica Sinica 46(4), 2026, stxb202505191230 (method)",
        "comment": f"Basis of the land's rates: {provenance.get('basis') or 'none'}. Missing is NaN, never zero.",
    }
