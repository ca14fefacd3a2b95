"""Holds the fuel table against EIA's own CO2 of every state, and writes what it finds as CHECKS.md.

    python checks.py --eia table1.xlsx --seds SEDS.csv > CHECKS.md

``--eia`` is EIA's "State energy-related carbon dioxide emissions by year (1970-2021)", Table 1, million t CO2: an
outside check of the account, never an input. ``--seds`` is the SEDS table that build.py reads; here it only tells how
much of the fuels that the study leaves out each state burns or makes into products.

The factors below are EIA's printed ones in CO2 (February 2016, per million Btu of gross heat), written out here so
that the check does not lean on the software that it checks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import openpyxl
import pandas as pd

HERE = Path(__file__).parent
YEARS = (1990, 2000, 2010, 2019)
SHOWN = 8

CO2_FACTORS = {  # kg CO2 per million Btu
    "coal": 95.35,
    "natural_gas": 53.07,
    "gasoline": 71.30,
    "diesel": 73.16,
    "jet_fuel": 70.90,
    "fuel_oil": 78.79,
    "kerosene": 72.30,
}
# Left out of the study; CO2 as if all were burnt. HGL with propane's factor, the rest with crude oil's rounded.
LEFT_OUT_FACTORS = {"petroleum_coke": 102.10, "hgl_lpg": 63.07, "other_petroleum": 72.0}
NOT_OTHER = [
    "aviation_gasoline",
    "distillate_excl_biodiesel",
    "hgl_lpg",
    "jet_fuel",
    "kerosene",
    "motor_gasoline_excl_ethanol",
    "petroleum_coke",
    "residual_fuel_oil",
]

HEAD = """# What the fuel account was held against

Made by

    python checks.py --eia table1.xlsx --seds SEDS.csv > CHECKS.md

CO2 of the study's seven fuels (`data/fuels.csv`, gross heat × EIA's printed factors) beside EIA's own energy CO2 of
every state. EIA's table is not an input of the study.

**Reading.** The account carries 94–95 % of EIA's national total in every year and orders the states as EIA does. What
is short is petroleum that the study leaves out, and it is short where that petroleum is:

- **Louisiana, Texas**: refineries and petrochemistry, whose still gas and petroleum coke are outside the seven fuels.
  The gap is far smaller than the left-out fuels would give if burnt, since most of their HGL (ethane, propane) becomes
  plastics and EIA takes that carbon out.
- **Delaware, Washington, Montana, Mississippi, Kansas, Minnesota**: large refineries for their people; petroleum coke
  and other petroleum together make most of the gap or more than it.
- **Vermont, New Hampshire**: propane for heating; HGL alone is about as large as the gap.
- **District of Columbia, Massachusetts, Connecticut, West Virginia, Alaska**: little or none of these, so the ratio is
  near 1. D.C. even passes 1 by a hair.
- The ratio is lowest in 2019: coal, which is complete here, fell from 26.5 % of fossil heat in 1990 to 14.1 %, while
  HGL rose from 3.1 to 4.8 %.

Likely but not shown by these tables: one factor a fuel for all states and years, where EIA's own move a little; natural
gas used as feedstock is counted here as burnt, where EIA takes a part of it out (it narrows the gap in Louisiana and
Texas).

The correlation of state totals is near 1 almost whatever one does, since large states are large; the correlation per
person is the sharper test. The left-out petroleum is shown as if *all* of it were burnt: an upper bound."""


def account() -> pd.DataFrame:
    """CO2 of the study's seven fuels, million t; a row a region, a column a year."""
    fuels = pd.read_csv(HERE / "data" / "fuels.csv", dtype={"region": str})
    assert set(fuels["unit"]) == {"billion Btu"}
    megatonnes = fuels["value"] * fuels["variable"].map(CO2_FACTORS) / 1e6
    return fuels.assign(co2=megatonnes).pivot_table(index="region", columns="year", values="co2", aggfunc="sum")


def eia_totals(file: Path, regions: pd.DataFrame) -> pd.DataFrame:
    """EIA's CO2, million t; a row a region, a column a year."""
    sheet = openpyxl.load_workbook(file, data_only=True).worksheets[0]
    header, *rows = sheet.iter_rows(min_row=5, values_only=True)
    years = {year: at for at, year in enumerate(header) if isinstance(year, int)}
    by_name = {row[0]: {year: row[at] for year, at in years.items()} for row in rows if row[0]}
    return pd.DataFrame({code: by_name[name] for code, name in regions["name_en"].items()}).T.astype(float)


def left_out(file: Path, regions: pd.DataFrame) -> pd.DataFrame:
    """CO2 of the petroleum that the study leaves out, as if all of it were burnt, million t; rows (region, year)."""
    seds = pd.read_csv(file)
    code = {usps: region for region, usps in regions["usps"].items()}
    seds = seds[seds["state"].isin(code.keys())]
    seds["other_petroleum"] = seds["all_petroleum_excl_biofuels"] - seds[NOT_OTHER].sum(axis=1)
    seds["region"] = seds["state"].map(code)
    columns = list(LEFT_OUT_FACTORS)
    return seds.set_index(["region", "year"])[columns] * pd.Series(LEFT_OUT_FACTORS) / 1e6


def national_table(ours: pd.DataFrame, eia: pd.DataFrame, population: pd.DataFrame) -> list[str]:
    lines = ["| year | seven fuels, Mt CO2 | EIA, Mt CO2 | ratio | correlation of states | of states, per person |"]
    lines += ["|---|---|---|---|---|---|"]
    for year in YEARS:
        per_person = (ours[year] / population[year]).corr(eia[year] / population[year])
        total, other = ours[year].sum(), eia[year].sum()
        lines += [
            f"| {year} | {total:,.1f} | {other:,.1f} | {total / other:.4f} "
            f"| {ours[year].corr(eia[year]):.4f} | {per_person:.4f} |"
        ]
    ratio = (ours.sum() / eia[ours.columns].sum()).agg(["min", "idxmin", "max", "idxmax"])
    span = f"Over all years 1990–2019 the ratio lies between {ratio['min']:.4f} ({ratio['idxmin']:.0f}) "
    return [*lines, "", span + f"and {ratio['max']:.4f} ({ratio['idxmax']:.0f})."]


def state_table(ours: pd.Series, eia: pd.Series, without: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """The states furthest below EIA's total, and the three nearest to or above it."""
    table = pd.DataFrame({"ours": ours, "eia": eia, "gap": eia - ours, "ratio": ours / eia}).join(without)
    ordered = table.sort_values("ratio")
    lines = [
        "| state | seven fuels | EIA | ratio | EIA − ours | petroleum coke | HGL (LPG, ethane) | other petroleum |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for region, row in pd.concat([ordered.head(SHOWN), ordered.tail(3)]).iterrows():
        cells = [f"{row[name]:.2f}" for name in ("ours", "eia")] + [f"{row['ratio']:.3f}", f"{row['gap']:.2f}"]
        cells += [f"{row[name]:.2f}" for name in LEFT_OUT_FACTORS]
        lines.append(f"| {names[str(region)]} | " + " | ".join(cells) + " |")
    all_left_out = table[list(LEFT_OUT_FACTORS)].sum(axis=1)
    share = table.loc[["22", "48"], "gap"].sum() / table["gap"].sum()
    correlation = table["gap"].corr(all_left_out)
    lines += ["", f"Correlation over the states of EIA − ours with the petroleum left out: {correlation:.3f}."]
    return [*lines, f"Louisiana and Texas make {share:.0%} of the national gap."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--eia", type=Path, required=True)
    parser.add_argument("--seds", type=Path, required=True)
    arguments = parser.parse_args()
    regions = pd.read_csv(HERE / "data" / "regions.csv", dtype=str, keep_default_na=False).set_index("region")
    people = pd.read_csv(HERE / "data" / "population.csv", dtype={"region": str})
    population = people.pivot(index="region", columns="year", values="value")
    ours, eia = account(), eia_totals(arguments.eia, regions)
    without = left_out(arguments.seds, regions)
    lines = [HEAD, "", "## The nation", ""]
    lines += national_table(ours, eia, population)
    for year in (1990, 2019):
        lines += ["", f"## The states that differ most, {year} (Mt CO2)", ""]
        in_year = without[without.index.get_level_values("year") == year].droplevel("year")
        lines += state_table(ours[year], eia[year], in_year, dict(zip(regions.index, regions["name_en"], strict=True)))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
