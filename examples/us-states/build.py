"""Compiles the tables of data/ from the public source files, and the boundary from npm us-atlas.

    python build.py --seds SEDS.csv --land MLU.csv --population POP.csv --cement GHGRP.csv --atlas states-10m.json

Kept beside the tables for review: running it again must change nothing. The tables are facts in this project's own
schema (region, year, variable, unit, value, source, flag, note; one row a fact); the source files stay where they
are. What each table means, assumes and lacks is in DATA.md.

Source files (tidy CSV: a row per postal code ``state`` and ``year``):

    --seds        EIA State Energy Data System, total consumption in billion Btu; a column a fuel
    --land        USDA ERS Major Land Uses, 1,000 acres; a column a use
    --population  Census Bureau resident population; column ``population``
    --cement      EPA GHGRP, reported CO2 of cement plants summed by state; column ``cement_process_co2_t``
    --atlas       states-10m.json of ``npm pack us-atlas@3`` (TopoJSON, quantised, longitude and latitude in NAD83)

The national cement series is sources/cement_national.csv, 30 numbers that carry their source. Nothing is
interpolated or extrapolated here but the state shares of cement before 2010, and those rows say so; filling land
between censuses is the study file's ``fill`` and is done, and flagged, by the software.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
YEARS = range(1990, 2020)
LAND_YEARS = (1987, 1992, 1997, 2002, 2007, 2012, 2017)
COLUMNS = ("region", "year", "variable", "unit", "value", "source", "flag", "note")

# Fossil carbon only: ethanol and biodiesel are left out because their carbon is not fossil (the crop fields are
# already in the land account), supplemental gas because SEDS counts it again in the fuel it was made from.
FUELS = {
    "coal": ("coal", ""),
    "gasoline": ("motor_gasoline_excl_ethanol", "motor gasoline without fuel ethanol"),
    "jet_fuel": ("jet_fuel", ""),
    "kerosene": ("kerosene", ""),
    "diesel": ("distillate_excl_biodiesel", "distillate fuel oil without biodiesel"),
    "fuel_oil": ("residual_fuel_oil", "residual fuel oil"),
    "natural_gas": ("natural_gas_excl_supplemental", "without supplemental gaseous fuels"),
}
LAND_USES = (
    "cropland",
    "grassland_pasture_range",
    "forest_use",
    "rural_parks_wildlife",
    "other_special_uses",
    "urban",
    "miscellaneous",
)

SEDS = "EIA SEDS 1960-2019, total consumption, gross heat"
MLU = "USDA ERS Major Land Uses"
CENSUS = "US Census Bureau, resident population"
CEMENT = "Andrew 2025 (doi 10.5281/zenodo.14931651) x EPA GHGRP state shares"

Row = tuple[str, int, str, str, float | int, str, str, str]


def main(words: list[str] | None = None) -> None:
    arguments = _arguments(words)
    regions = pd.read_csv(HERE / "data" / "regions.csv", dtype=str, keep_default_na=False)
    code = dict(zip(regions["usps"], regions["region"], strict=True))
    land = _source(arguments.land, code, LAND_YEARS)
    cement = _source(arguments.cement, code, range(2010, 2020))
    tables = {
        "fuels": fuel_rows(_source(arguments.seds, code, YEARS)),
        "land": land_rows(land),
        "land_control": land_control_rows(land),
        "population": population_rows(_source(arguments.population, code, YEARS)),
        "cement": cement_rows(cement, national_cement(), list(code.values())),
    }
    for name, rows in tables.items():
        _write_table(arguments.output / f"{name}.csv", rows)
    topology = json.loads(arguments.atlas.read_text(encoding="utf-8"))
    _write_boundary(arguments.output / "states.geojson", boundary_features(topology, regions.set_index("region")))


def fuel_rows(seds: pd.DataFrame) -> Iterator[Row]:
    """Every fuel of every state and year; a zero is SEDS's own zero (it has no blanks in these columns)."""
    for record in seds.to_dict("records"):
        for fuel, (column, note) in FUELS.items():
            yield _row(record, fuel, "billion Btu", record[column], SEDS, note)


def land_rows(land: pd.DataFrame) -> Iterator[Row]:
    """Seven uses that do not overlap and sum to total land: special uses are split in parks and the rest."""
    for record in land.to_dict("records"):
        record["other_special_uses"] = record["special_uses"] - record["rural_parks_wildlife"]
        for use in LAND_USES:
            note = "special uses less rural parks and wildlife areas" if use == "other_special_uses" else ""
            yield _row(record, use, "1000 acre", record[use], MLU, note)


def land_control_rows(land: pd.DataFrame) -> Iterator[Row]:
    """What the land table is checked with; not an input of the study."""
    notes = {"total_land": "printed total", "cropland_used_for_pasture": "of which: inside cropland"}
    for record in land.to_dict("records"):
        for variable, note in notes.items():
            yield _row(record, variable, "1000 acre", record[variable], MLU, note)


def population_rows(population: pd.DataFrame) -> Iterator[Row]:
    for record in population.to_dict("records"):
        note = "census count of 1 April" if record["year"] in (1990, 2000) else "estimate for 1 July"
        yield _row(record, "population", "person", record["population"], CENSUS, note)


def cement_rows(plants: pd.DataFrame, national: dict[int, int], regions: list[str]) -> Iterator[Row]:
    """Process CO2 of cement by state, t CO2: national process total (kt CO2) x the state's share of plant CO2.

    Plant CO2 is in part from burning fuel, so only its shares are used. Before 2010 the shares of 2010 are held.
    """
    plant = plants.set_index(["region", "year"])["cement_process_co2_t"]
    shares = (plant / plant.groupby("year").transform("sum")).to_dict()
    for year, total in national.items():
        for region in regions:
            # Every cement plant must report to GHGRP whatever its size: a state without a row has no plant.
            share = shares.get((region, max(year, 2010)), 0.0)
            note = "share of 2010 held" if year < 2010 else "share of the year"
            note += "" if share else "; no plant reported"
            yield region, year, "cement", "t CO2", round(total * 1000 * share), CEMENT, "estimated", note


def national_cement() -> dict[int, int]:
    """Process CO2 of US cement by year, kt."""
    with (HERE / "sources" / "cement_national.csv").open(encoding="utf-8") as stream:
        return {int(row["year"]): int(row["value"]) for row in csv.DictReader(stream)}


def boundary_features(topology: dict[str, Any], names: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The states of the atlas that are in the study, decoded to GeoJSON features in the order of their codes.

    Degrees are rounded to four decimals: finer than the atlas's own grid (0.0036 by 0.00086 degrees), so that no
    two of its points fall together and neighbours still share every point of their border. The atlas's grid has
    flattened a sliver of Delaware to a line and left a spike on Oregon's corner with Nevada: both have no area and
    are taken out.
    """
    arcs = [_decoded(arc, topology["transform"]) for arc in topology["arcs"]]
    geometries = {geometry["id"]: geometry for geometry in topology["objects"]["states"]["geometries"]}
    for region in names.index:
        geometry = geometries[region]
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        rings = [[_ring(ring, arcs, hole=at > 0) for at, ring in enumerate(one)] for one in polygons]
        yield {
            "type": "Feature",
            "id": region,
            "properties": {"region": region, **names.loc[region, ["name_en", "name_zh"]].to_dict()},
            "geometry": {"type": "MultiPolygon", "coordinates": [one for one in rings if len(one[0]) >= 4]},
        }


def _decoded(arc: list[list[int]], transform: dict[str, list[float]]) -> list[tuple[float, float]]:
    """The points of an arc: TopoJSON keeps differences on an integer grid."""
    (scale_x, scale_y), (origin_x, origin_y) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        points.append((round(x * scale_x + origin_x, 4), round(y * scale_y + origin_y, 4)))
    return points


def _ring(indices: list[int], arcs: list[list[tuple[float, float]]], hole: bool) -> list[tuple[float, float]]:
    """Arcs joined to a closed ring, wound as RFC 7946 asks: outer rings counter-clockwise, holes clockwise."""
    points: list[tuple[float, float]] = []
    for index in indices:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]  # ~i stands for arc i read backwards
        points += arc[1:] if points else arc
    points = _without_spikes(points)
    doubled_area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(points))
    return points if (doubled_area < 0) == hole else points[::-1]


def _without_spikes(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The ring less what goes out and straight back (a, b, a becomes a)."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if len(kept) > 1 and kept[-2] == point:
            kept.pop()
        else:
            kept.append(point)
    return kept


def _source(file: Path, code: dict[str, str], years: Iterable[int]) -> pd.DataFrame:
    """A source file's rows of the 51 regions and the wanted years, in the order of region and year.

    Rows of other states (US, PR) are left out; a wanted cell that is blank stops the script.
    """
    rows = pd.read_csv(file, keep_default_na=False, na_values=[""])
    rows = rows[rows["state"].isin(code.keys()) & rows["year"].isin(list(years))]
    if blank := rows.columns[rows.isna().any()].tolist():
        raise SystemExit(f"{file}: blank cells in {blank}; a blank is not a zero")
    if rows.duplicated(["state", "year"]).any():
        raise SystemExit(f"{file}: a state and year occurs twice")
    return rows.assign(region=rows["state"].map(code)).sort_values(["region", "year"])


def _row(record: dict[Any, Any], variable: str, unit: str, value: float, source: str, note: str) -> Row:
    number = int(value) if float(value).is_integer() else float(value)
    return record["region"], int(record["year"]), variable, unit, number, source, "observed", note


def _write_table(file: Path, rows: Iterable[Row]) -> None:
    """Text is quoted, numbers are not: a code such as "01" shows that it is text."""
    ordered = sorted(rows, key=lambda row: (row[2], row[0], row[1]))
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(ordered)


def _write_boundary(file: Path, features: Iterable[dict[str, Any]]) -> None:
    """One feature a line, so that a change of one state shows as one line."""
    lines = (json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    file.write_text(text, encoding="utf-8")


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("seds", "land", "population", "cement", "atlas"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=HERE / "data", help="where the tables go")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
