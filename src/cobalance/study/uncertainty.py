"""The chapter of uncertainty: the study run many times at once, and what that says of every headline number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from cobalance.spatial.links import Weights
from cobalance.study import alternatives as literature
from cobalance.study import future, uncertain_patterns, uncertain_tables
from cobalance.study.accounts import ACCOUNTS
from cobalance.study.drawn import BALANCES, FUTURE_TOTALS, LAND, DrawnStudy
from cobalance.study.forecast_errors import forecast_ratios
from cobalance.study.prepare import Prepared
from cobalance.study.spec import Uncertainty
from cobalance.study.uncertain_checks import check_uncertainty
from cobalance.uncertainty import summary
from cobalance.uncertainty.assumptions import FOLLOWS
from cobalance.uncertainty.chunks import draw_chunks, gathered
from cobalance.uncertainty.points import InTurn, Points, Sample
from cobalance.uncertainty.sensitivity import Indices, sobol_indices
from cobalance.uncertainty.sources import double_counting
from cobalance.vocabulary.errors import Language, Problem, Problems

Floats = NDArray[np.float64]
Told = Callable[[float], None]
Output = tuple[str, str, str, int | None, str]
"""variable, ``region`` or ``group``, its label, year, target"""

THRESHOLDS = (1, 3)
TOP = 5
TARGETS = ("carbon", "oxygen")
UNCUT = "uncut_ecological_land_gap"


@dataclass(frozen=True)
class UncertaintyResults:
    """What the draws say.

    dataset  ``NAME_interval`` (…, bound), ``NAME_above_1``, ``NAME_above_3``, ``NAME_top_five``, ``NAME_defined`` …
             over the dims of the number without draws
    tables   ``uncertainty``, ``sensitivity``, ``set_spread``, ``cluster_stability``, ``gravity_uncertainty``,
             ``assumptions``
    text     one paragraph that says which assumption dominates
    notices  what was held fixed, and which sets could not be compared
    """

    dataset: xr.Dataset
    tables: Mapping[str, pd.DataFrame]
    text: Mapping[Language, str]
    notices: tuple[Problem, ...]


def study_uncertainty(
    prepared: Prepared,
    dataset: xr.Dataset,
    settings: Uncertainty,
    *,
    links: Weights | None = None,
    tested: xr.Dataset | None = None,
    told: Told | None = None,
) -> UncertaintyResults:
    """Every headline number with its interval, and which assumption moves it.

    prepared  the study, read and checked
    dataset   its results without draws: the values beside the intervals, the classes whose stability is asked
    links     weights of the local test; None: classes are not followed
    tested    the backtest of the outlook's series, if it has been run; its horizons must hold the target year
    told      is told the share that is done, 0 to 1

    Draws go through the chapters' own functions. Notices: W852–W856 (W854: carbon counted twice). Raises E851–E861.
    """
    tell = told or (lambda done: None)
    phi = float(prepared.study.ecological_land.phi)
    check_uncertainty(settings, prepared.inputs, prepared.coefficients.table, phi)
    problems = Problems()
    choices = literature.set_choices(prepared, dataset)
    model = drawn_study(prepared, dataset, settings, choices=choices, tested=tested)
    _notice_held(model, prepared, problems)
    sources = [str(source) for source in dataset["source"].values]
    basis = prepared.coefficients.basis
    problems.extend(double_counting(sources, basis, chinese=uncertain_tables.chinese_items()))
    columns = tuple(model.group_of)
    points = Sample(settings.draws, prepared.study.seed, settings.design, columns)
    tell(0.05)
    accounts, patterns = _accounts(model, points, prepared, dataset, links, settings, partial(_part, tell, 0.05, 0.5))
    later = _future(model, points, settings)
    tell(0.55)
    found, outputs = _sensitivity(model, prepared, settings)
    tell(0.9)
    tables = {
        "uncertainty": uncertain_tables.uncertainty(accounts.merge(later), dataset, prepared),
        "sensitivity": uncertain_tables.sensitivity(found, outputs, prepared),
        "set_spread": uncertain_tables.set_spread(choices, _headlines(model, prepared, choices), prepared),
        **uncertain_patterns.tables(patterns, prepared),
        "assumptions": uncertain_tables.assumptions(model),
    }
    tell(1.0)
    text = uncertain_tables.dominance(tables["sensitivity"])
    return UncertaintyResults(accounts.merge(later), tables, text, problems.notices)


def drawn_study(
    prepared: Prepared,
    dataset: xr.Dataset,
    settings: Uncertainty,
    *,
    choices: Sequence[literature.SetChoice] = (),
    tested: xr.Dataset | None = None,
) -> DrawnStudy:
    """The study as a function of a design of draws."""
    study = prepared.study
    families = literature.used_families(prepared.inputs)
    versions = (
        literature.alternatives(choices, prepared.coefficients.basis, families)
        if settings.sets == "choice"
        else literature.own_alternatives(prepared.coefficients, families)
    )
    forecast = past = None
    if study.outlook is not None and prepared.series is not None:
        forecast = future.study_outlook(prepared.series, study.outlook)
        past = forecast_ratios(prepared, tested)
    return DrawnStudy(
        inputs=prepared.inputs,
        coefficients=prepared.coefficients,
        alternatives=literature.with_bounds(versions, settings.bounds, from_sets=settings.sets == "spread"),
        groups=prepared.groups,
        base_year=prepared.base_year,
        land=study.ecological_land,
        outlook=study.outlook,
        forecast=forecast,
        past=past,
        phi=settings.phi,
        quotient=literature.quotient_width(prepared, settings.bounds, from_sets=settings.sets == "spread"),
        quotient_items=literature.quotient_items(prepared),
        activities=settings.activities,
        kinds=settings.distributions,
    )


def _part(tell: Told, first: float, last: float, done: float) -> None:
    tell(first + done * (last - first))


def _accounts(
    model: DrawnStudy,
    points: Points,
    prepared: Prepared,
    dataset: xr.Dataset,
    links: Weights | None,
    settings: Uncertainty,
    tell: Told,
) -> tuple[xr.Dataset, list[pd.DataFrame]]:
    """The accounts' summaries year block by year block, and the patterns of each year."""
    years = list(prepared.study.years)
    stored = 2 * (len(ACCOUNTS) + len(BALANCES)) * model.inputs.sizes["region"] * settings.draws * 8
    block = max(1, int(settings.memory // stored))
    parts: list[xr.Dataset] = []
    patterns: list[pd.DataFrame] = []
    for first in range(0, len(years), block):
        own = years[first : first + block]
        chunks = draw_chunks(settings.draws, _bytes_a_draw(model) * len(own), settings.memory // 2)
        work = partial(model.accounts, points, years=own)
        found = gathered(work, chunks, memory=settings.memory // 2, scheduler=settings.scheduler)
        drawn = _labelled(found, model, {"year": own})
        parts.append(_account_summary(drawn))
        patterns += uncertain_patterns.of_years(drawn, dataset, prepared, links, settings)
        tell((first + len(own)) / len(years))
    return xr.concat(parts, "year", join="exact", data_vars="all", coords="minimal", compat="override"), patterns


def _future(model: DrawnStudy, points: Points, settings: Uncertainty) -> xr.Dataset:
    chunks = draw_chunks(settings.draws, _bytes_a_draw(model), settings.memory // 2)
    work = partial(model.future, points)
    found = gathered(work, chunks, memory=settings.memory // 2, scheduler=settings.scheduler)
    drawn = _labelled(found, model, {"target": list(TARGETS)})
    result = xr.Dataset(
        {f"{name}_interval": summary.interval(drawn[name]) for name in drawn if "infeasible" not in name}
    )
    for name in ("ecological_land_gap", "group_ecological_land_gap"):
        result[f"{name}_defined"] = summary.defined_share(drawn[name])
        result[f"{name}_above_0"] = summary.probability_above(drawn[name], 0.0)
    result["ecological_land_gap_top_five"] = summary.top_share(drawn["ecological_land_gap"], TOP)
    result["infeasible_on_own_land_share"] = drawn["infeasible_on_own_land"].mean("draw").assign_attrs(units="1")
    return result


def _bytes_a_draw(model: DrawnStudy) -> float:
    """Roughly what one draw of one year takes: the arrays by class and by source, twice over for what comes between."""
    sizes = model.inputs.sizes
    parts = 2 * sizes["land_class"] + 4 * (sizes.get("fuel", 0) + sizes.get("source", 0) + 2)
    return 2.0 * 8 * sizes["region"] * parts


def _labelled(
    found: Mapping[str, Floats], model: DrawnStudy, along: Mapping[str, list[Any]]
) -> dict[str, xr.DataArray]:
    """Bare results with their labels: the place first, then what of ``along`` they have, ``draw`` last."""
    places = {
        "region": model.inputs["region"].values.astype(object),
        "group": np.array(list(model.everyone), dtype=object),
    }
    labelled: dict[str, xr.DataArray] = {}
    for name, values in found.items():
        place = "group" if name.startswith("group_") else "region"
        coords: dict[str, Any] = {place: places[place]}
        coords |= dict(along) if values.ndim == 3 else {}
        labelled[name] = xr.DataArray(values, coords, [*coords, "draw"], name, {"units": _unit(name)})
    return labelled


def _unit(name: str) -> str:
    if "coefficient" in name or name.startswith("infeasible"):
        return "1"
    if name.removeprefix("group_") in LAND:
        return "%" if name.endswith("gap") else "ha"
    return "t O2 / yr" if "oxygen" in name else "t C / yr"


def _account_summary(drawn: Mapping[str, xr.DataArray]) -> xr.Dataset:
    found = {f"{name}_interval": summary.interval(data) for name, data in drawn.items()}
    for prefix in ("", "group_"):
        for name in BALANCES:
            data = drawn[prefix + name]
            found[f"{prefix}{name}_defined"] = summary.defined_share(data)
            for threshold in THRESHOLDS:
                found[f"{prefix}{name}_above_{threshold}"] = summary.probability_above(data, threshold)
            if not prefix:
                found[f"{name}_top_five"] = summary.top_share(data, TOP)
                found[f"{name}_rank_interval"] = summary.interval(summary.ranks(data))
    return xr.Dataset(found)


def _outputs(model: DrawnStudy, year: int) -> list[Output]:
    """What the sensitivity is asked of, in the order of :func:`_output_chunk`."""
    regions = [str(region) for region in model.inputs["region"].values]
    groups = list(model.everyone)
    target = model.outlook.target if model.outlook else model.base_year
    outputs: list[Output] = [(name, "region", region, year, "") for name in BALANCES for region in regions]
    outputs += [(name, "group", group, year, "") for name in (*BALANCES, *ACCOUNTS) for group in groups]
    outputs += [(name, "group", group, target, "") for name in FUTURE_TOTALS for group in groups]
    for level, places in (("region", regions), ("group", groups)):
        outputs += [(UNCUT, level, place, target, aim) for place in places for aim in TARGETS]
    return outputs


def _output_chunk(model: DrawnStudy, points: Points, year: int, rows: range) -> dict[str, Floats]:
    """(output, draw) of a chunk."""
    accounts, later = model.accounts(points, rows, [year]), model.future(points, rows)
    parts = [accounts[name][:, 0] for name in BALANCES]
    parts += [accounts[f"group_{name}"][:, 0] for name in (*BALANCES, *ACCOUNTS)]
    parts += [later[f"group_{name}"] for name in FUTURE_TOTALS]
    # the gap before it is cut off at zero: a region that is near one in a few draws would else move by those alone
    for prefix in ("", "group_"):
        needed, standard = (later[f"{prefix}{name}_ecological_land"] for name in ("needed", "standard"))
        ratio = np.divide(needed, standard, out=np.full(needed.shape, np.nan), where=standard > 0)
        parts.append((ratio - 1).reshape(-1, len(rows)) * 100)
    return {"outputs": np.concatenate(parts)}


def _sensitivity(model: DrawnStudy, prepared: Prepared, settings: Uncertainty) -> tuple[Indices | None, list[Output]]:
    year = prepared.study.years[-1]
    outputs = _outputs(model, year)
    if not settings.sensitivity or not model.group_of:
        return None, outputs

    def evaluate(points: Points) -> Floats:
        chunks = draw_chunks(points.count, 2 * _bytes_a_draw(model), settings.memory // 2)
        work = partial(_output_chunk, model, points, year)
        found = gathered(work, chunks, memory=settings.memory // 2, scheduler=settings.scheduler)
        return found["outputs"].T

    seed = prepared.study.seed
    return sobol_indices(
        evaluate, model.group_of, settings.sensitivity, seed=seed, resamples=settings.resamples
    ), outputs


def _headlines(
    model: DrawnStudy, prepared: Prepared, choices: Sequence[literature.SetChoice]
) -> dict[tuple[str, str], list[tuple[Output, float]]]:
    """(family, set) → the study's headline numbers with that family's sets exchanged: each set is a draw."""
    year = prepared.study.years[-1]
    outputs = _outputs(model, year)
    plain = replace(model, phi=None, quotient=None, activities={}, past=None)
    found: dict[tuple[str, str], list[tuple[Output, float]]] = {}
    for family in dict.fromkeys(choice.family for choice in choices):
        versions = literature.plain_alternatives(choices, family)
        points = InTurn(len(versions))
        exchanged = replace(plain, alternatives={family: versions})
        values = _output_chunk(exchanged, points, year, range(points.count))["outputs"]
        for version, numbers in zip(versions, values.T.tolist(), strict=True):
            found[family, version.name] = list(zip(outputs, numbers, strict=True))
    return found


def _notice_held(model: DrawnStudy, prepared: Prepared, problems: Problems) -> None:
    """W852 for what has no bounds, W856 for what lies at their edge, W853 and W855 for forecasts out of reach."""
    held: list[str] = []
    edge: list[str] = []
    for versions in model.alternatives.values():
        for version in versions:
            table = version.table[~version.table["quantity"].isin(FOLLOWS)]
            name = table["quantity"] + " " + table["item"] + " (" + table["set"] + ")"
            held += name[table["bounds"] == "none"].tolist()
            outermost = (table["value"] == table["low"]) | (table["value"] == table["high"])
            edge += name[(table["bounds"] == "sets") & outermost].tolist()
    if edge:
        problems.add("W856", items=list(dict.fromkeys(edge)))
    if model.quotient_items and model.quotient is None:
        held.append(literature.QUOTIENT)
    if model.phi is None:
        held.append("φ")
    if held:
        problems.add("W852", items=list(dict.fromkeys(held)))
    outlook = prepared.study.outlook
    if model.forecast is None or outlook is None:
        return
    horizon = outlook.target - outlook.window[1]
    if model.past is None:
        problems.add("W853", horizon=horizon)
    elif "tested_horizon" in model.past.attrs:
        problems.add("W855", horizon=horizon, tested=model.past.attrs["tested_horizon"])
