"""Named scenarios: multipliers or paths per source, land class and rate, and conversions of land, all in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from cobalance.accounts.ecological_land import PHI, ecological_land
from cobalance.accounts.levers import closing_levers
from cobalance.accounts.totals import total_along
from cobalance.vocabulary.errors import Problems, nearest

Path = float | Mapping[int, float]
"""One multiplier, or multipliers by year with straight lines between them."""

AS_FORECAST = "as forecast"
BREATHING = {"population": "respiration"}
"""Activities whose source has another name."""


@dataclass(frozen=True)
class Conversion:
    """A share of one land class that becomes another; the region's area stays what it is."""

    from_class: str
    to_class: str
    share: float


@dataclass(frozen=True)
class Scenario:
    """What changes: multipliers by label, 1 where none is given.

    activity    source or activity (``population`` moves ``respiration``) → multiplier of its burden
    land_class  land class → multiplier of its area (areas then need not add up; conversions keep them)
    rate        land class → multiplier of its rates, carbon and oxygen alike
    convert     conversions of land, each of the area before any conversion
    """

    name: str
    activity: Mapping[str, Path] = field(default_factory=dict)
    land_class: Mapping[str, Path] = field(default_factory=dict)
    rate: Mapping[str, Path] = field(default_factory=dict)
    convert: Sequence[Conversion] = ()


def multiplier(path: Path, year: int) -> float:
    """The multiplier of a path in a year: the number itself, or linear between the years of the path.

    Raises a KeyError outside the path's years; :func:`scenario_outcomes` refuses such a path with E843 beforehand.
    """
    if not isinstance(path, Mapping):
        return float(path)
    years = sorted(path)
    if not years or not years[0] <= year <= years[-1]:
        raise KeyError(year)
    return float(np.interp(year, years, [path[at] for at in years]))


def scenario_outcomes(
    scenarios: Sequence[Scenario],
    year: int,
    *,
    land_area: xr.DataArray,
    rates: Mapping[str, xr.DataArray],
    burdens: Mapping[str, xr.DataArray],
    phi: float = PHI,
    reference: str = "forest",
    caps: xr.DataArray | None = None,
) -> xr.Dataset:
    """The account of ecological land and the levers left under every scenario, with the plain forecast first.

    year       the target year: a path is read at it
    land_area  (region, land_class)            ha, of the base year
    rates      target → (land_class[, region]) t C / ha / yr, t O2 / ha / yr
    burdens    target → (region, source)       t C / yr, t O2 / yr, forecast for the target year
    returns    a Dataset over (scenario, region, target): the variables of
               :func:`~cobalance.accounts.ecological_land.ecological_land` and ``emission_cut``, ``rate_gain`` in %

    Raises E841 (unknown label), E842 (share outside 0 … 1, or more than a class has), E843 (the path does not reach the
    year), E844 (a name twice), E845 (a multiplier below zero), all at once; and what the accounts refuse.
    """
    everyone = [Scenario(AS_FORECAST), *scenarios]
    problems = Problems()
    classes = [str(label) for label in land_area["land_class"].values]
    sources = sorted({str(label) for burden in burdens.values() for label in burden["source"].values})
    check_scenarios(everyone, year, classes, sources, problems)
    problems.raise_errors()
    outcomes = []
    for scenario in everyone:
        area = converted(_times(land_area, "land_class", scenario.land_class, year), scenario.convert)
        own_rates = {target: _times(rate, "land_class", scenario.rate, year) for target, rate in rates.items()}
        own_burdens = scenario_burdens(scenario, burdens, year)
        outcomes.append(_outcome(area, own_rates, own_burdens, phi=phi, reference=reference, caps=caps))
    joined = xr.concat(outcomes, "scenario", join="exact", combine_attrs="drop_conflicts")
    return joined.assign_coords(scenario=[scenario.name for scenario in everyone]).transpose("scenario", ...)


def scenario_burdens(scenario: Scenario, burdens: Mapping[str, xr.DataArray], year: int) -> dict[str, xr.DataArray]:
    """What is emitted and consumed under a scenario.

    burdens  target → (region, source)  t C / yr, t O2 / yr, as forecast
    returns  the same, each source times its multiplier in ``year``
    """
    activity = {BREATHING.get(label, label): path for label, path in scenario.activity.items()}
    return {target: _times(burden, "source", activity, year) for target, burden in burdens.items()}


def converted(land_area: xr.DataArray, conversions: Sequence[Conversion]) -> xr.DataArray:
    """Areas after conversions, each a share of the area that its class has in ``land_area``; the total is kept."""
    result = land_area
    for conversion in conversions:
        moved = land_area.sel(land_class=conversion.from_class, drop=True) * conversion.share
        change = xr.concat([-moved, moved], "land_class")
        change = change.assign_coords(land_class=[conversion.from_class, conversion.to_class])
        result = result + change.reindex(land_class=land_area["land_class"], fill_value=0.0)
    return result.assign_attrs(land_area.attrs)


def _outcome(
    area: xr.DataArray,
    rates: Mapping[str, xr.DataArray],
    burdens: Mapping[str, xr.DataArray],
    *,
    phi: float,
    reference: str,
    caps: xr.DataArray | None,
) -> xr.Dataset:
    totals = {target: total_along(burden, "source").assign_attrs(burden.attrs) for target, burden in burdens.items()}
    account = ecological_land(area, rates, totals, phi=phi, reference=reference, caps=caps)
    levers = []
    for target, rate in rates.items():
        unit = rate.attrs["units"]
        capacity = total_along(area * rate, "land_class").assign_attrs(units=f"({unit}) * ({area.attrs['units']})")
        levers.append(closing_levers(burdens[target], capacity, phi)[["emission_cut", "rate_gain"]])
    joined = xr.concat(levers, "target", join="exact").assign_coords(target=list(rates))
    return account.assign({name: joined[name].transpose(..., "target") for name in joined.data_vars})


def _times(array: xr.DataArray, dim: str, paths: Mapping[str, Path], year: int) -> xr.DataArray:
    if not paths:
        return array
    scale = [multiplier(paths[label], year) if (label := str(item)) in paths else 1.0 for item in array[dim].values]
    factor = xr.DataArray(scale, dims=[dim], coords={dim: array[dim].values})
    return (array * factor).transpose(*array.dims).assign_attrs(array.attrs)


def check_scenarios(
    scenarios: Sequence[Scenario], year: int, classes: Sequence[str], sources: Sequence[str], problems: Problems
) -> None:
    """Add E841 (unknown label), E842 (shares), E843 (a path that does not reach the year), E844, E845 (see above)."""
    names = [scenario.name for scenario in scenarios]
    for repeated in sorted({name for name in names if names.count(name) > 1}):
        problems.add("E844", scenario=repeated)
    for scenario in scenarios:
        place = f"scenarios.{scenario.name}"
        known = {"activity": [*sources, *BREATHING], "land_class": classes, "rate": classes}
        for kind, labels in known.items():
            for label, path in getattr(scenario, kind).items():
                if label not in labels:
                    problems.add("E841", function=place, dim=kind, found=label, nearest=nearest(label, labels))
                _check_path(problems, scenario.name, label, path, year)
        for conversion in scenario.convert:
            for label in (conversion.from_class, conversion.to_class):
                if label not in classes:
                    problems.add("E841", function=place, dim="convert", found=label, nearest=nearest(label, classes))
        given = {one.from_class for one in scenario.convert}
        shares = [sum(one.share for one in scenario.convert if one.from_class == label) for label in sorted(given)]
        if any(not 0 <= one.share <= 1 for one in scenario.convert) or any(share > 1 + 1e-12 for share in shares):
            problems.add("E842", found=[one.share for one in scenario.convert])


def _check_path(problems: Problems, scenario: str, label: str, path: Path, year: int) -> None:
    try:
        value = multiplier(path, year)
    except KeyError:
        years = sorted(path) if isinstance(path, Mapping) else []
        problems.add("E843", scenario=scenario, label=label, year=year, years=years or "—")
        return
    if not value >= 0:
        problems.add("E845", scenario=scenario, label=label, found=f"{value:g}")
