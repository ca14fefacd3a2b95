"""``tables.xlsx`` and ``regions.gpkg``: the results for those who go on with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import xarray as xr
from markupsafe import Markup

from cobalance.report import standing, workbook
from cobalance.report.facts import BALANCE, BURDEN, CAPACITY, TARGETS, Facts
from cobalance.report.layers import style_layers
from cobalance.report.page import table_names, version
from cobalance.report.tables import UNITS
from cobalance.report.words import say, sentences
from cobalance.study.results import REGIONS_FILE, write_layers, written
from cobalance.vocabulary.errors import Language, Problem

_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_OWN_UNITS = {**UNITS, "growth": "%", "population": "person"}
_FIRST_DATA_ROW = 3


def write_workbook(facts: Facts, file: Path) -> Path:
    """Write every table as a sheet: heading, a row of units, then the rows; and a sheet of notes."""
    sheets, cut = [], list[Problem]()
    for name in table_names(facts):
        frame = facts.table(name)
        room = workbook.MOST_ROWS - _FIRST_DATA_ROW + 1
        if len(frame) > room:
            cut.append(Problem("W952", details={"table": name, "shown": f"{room:,}", "all": f"{len(frame):,}"}))
        columns = [str(column) for column in frame.columns]
        units = [_unit_of(frame, column) for column in columns]
        sheets.append(workbook.Worksheet(name, columns, units, frame.head(room)))
    notes = _notes(facts, cut)
    headings = [str(column) for column in notes.columns]
    sheets.insert(0, workbook.Worksheet("notes", headings, [], notes, wrapped=True))
    with written(file) as temporary:
        workbook.write(temporary, sheets, facts.study.title.en)
    return file


def write_layers_of(facts: Facts, directory: Path) -> list[Path]:
    """Write ``regions.gpkg``: the regions, the same with their results, and the gravity centres.

    Layer ``regions`` has the columns that ``Results.save`` gives it; ``results`` adds first and last year's totals,
    balance coefficients and clusters and the ecological-land gap, one column each.
    """
    if not facts.has_shapes:
        return []
    regions = facts.results.regions
    plain = regions.reset_index(names="region")
    wide = plain.merge(attributes(facts), left_on="region", right_index=True, how="left", validate="one_to_one")
    layers = {"regions": plain, "results": wide}
    centres = _centres(facts)
    if len(centres):
        layers["gravity_centre"] = centres
    file = directory / REGIONS_FILE
    write_layers(file, layers)
    style_layers(facts, file)
    return [file]


def attributes(facts: Facts) -> pd.DataFrame:
    """One row a region, one column a quantity of the first or last year (``carbon_emission_2019`` in t C / yr …)."""
    columns: dict[str, Any] = {}
    years = list(dict.fromkeys((facts.first, facts.last)))
    for target in TARGETS:
        for variable in (CAPACITY[target], BURDEN[target], BALANCE[target]):
            if variable not in facts.dataset:
                continue
            totals = _over_regions(facts.dataset[variable])
            for year in years:
                columns[f"{variable}_{year}"] = totals.sel(year=year).values
    frame = pd.DataFrame(columns, index=pd.Index(facts.regions, name="region"))
    return frame.join(_clusters(facts)).join(_land(facts))


def _over_regions(data: xr.DataArray) -> xr.DataArray:
    rest = [dim for dim in data.dims if dim not in ("region", "year")]
    return data.sum(rest, skipna=False) if rest else data


def _clusters(facts: Facts) -> pd.DataFrame:
    """Cluster words of each variable's first and last mapped year."""
    rows = facts.table("local_moran")
    found: dict[str, pd.Series] = {}
    for variable, own in rows.groupby("variable", sort=False) if len(rows) else ():
        for year in dict.fromkeys((own["year"].min(), own["year"].max())):
            words = own[own["year"] == year].set_index("region")["cluster"]
            found[f"cluster_{str(variable).removesuffix('_coefficient')}_{int(year)}"] = words
    return pd.DataFrame(found)


def _land(facts: Facts) -> pd.DataFrame:
    found: dict[str, pd.Series] = {}
    if "ecological_land_gap" in facts.dataset:
        for target in facts.dataset["target"].values:
            for variable in ("ecological_land_gap", "ecological_land_status"):
                values = facts.dataset[variable].sel(target=target).to_series()
                found[f"{variable}_{target}"] = values.astype(str) if values.dtype == object else values
    return pd.DataFrame(found)


def _centres(facts: Facts) -> gpd.GeoDataFrame:
    rows = facts.table("gravity_centre")
    rows = rows[rows["longitude_deg"].notna()] if len(rows) else pd.DataFrame({"longitude_deg": [], "latitude_deg": []})
    points = gpd.points_from_xy(rows["longitude_deg"], rows["latitude_deg"])
    return gpd.GeoDataFrame(rows.reset_index(drop=True), geometry=points, crs="EPSG:4326")


def _unit_of(frame: pd.DataFrame, column: str) -> str:
    """The unit under a heading: the column's own, or the one that all its rows have, or where to look."""
    if column in _OWN_UNITS:
        return _OWN_UNITS[column]
    if column in ("value", "low", "high") and "unit" in frame:
        units = frame["unit"].dropna().unique()
        return str(units[0]) if len(units) == 1 else "unit"
    return ""


def _notes(facts: Facts, cut: list[Problem]) -> pd.DataFrame:
    """Title, basis, sets, statuses, notices and what each sheet holds, in both languages side by side."""
    rows: list[dict[str, str]] = []

    def add(key: str, **texts: str) -> None:
        rows.append(
            {code: say(key, code) for code in _LANGUAGES} | {f"text_{code}": texts[code] for code in _LANGUAGES}
        )

    def same(key: str, text: str) -> None:
        add(key, en=text, zh=text)

    years = ", ".join(map(str, facts.years))
    add("notes.title", en=facts.study.title.en, zh=facts.study.title.zh)
    same("notes.years", years)
    same("notes.regions", str(len(facts.regions)))
    if len(facts.table("coefficients")):
        add("notes.basis", **{code: _plain(standing.basis(facts, code)) for code in _LANGUAGES})
        same("notes.sets", ", ".join(standing.sets(facts)))
    add("notes.status", **{code: standing.standing_sentence(facts, code) for code in _LANGUAGES})
    if facts.footer["en"]:
        add("notes.boundary", **facts.footer)
    same("notes.seed", str(facts.study.seed))
    same("notes.version", f"cobalance {version()}")
    add("label.unit", **{code: say("notes.units", code) for code in _LANGUAGES})
    for name in table_names(facts):
        key = f"table.{name}"
        if key in sentences():
            add("notes.sheet", **{code: f"{name}: {say(key, code)}" for code in _LANGUAGES})
    for problem in cut:
        add("notes.notices", **{code: f"{problem.code} {problem.part('found', code)}" for code in _LANGUAGES})
    for notice in facts.table("notices").to_dict("records"):
        texts = {code: f"{notice['code']} {notice[f'found_{code}']} {notice[f'remedy_{code}']}" for code in _LANGUAGES}
        add("notes.notices", **texts)
    return pd.DataFrame(rows)[["en", "text_en", "zh", "text_zh"]]


def _plain(text: Markup) -> str:
    return str(text.striptags())
