"""Check the compiled tables against what is known, in plain pandas: run ``python checks.py`` in this folder.

Nothing here goes through the package, so that it can stand beside the package's own results. No number is tuned.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"
FUELS = ["coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas"]

# t C per t; natural gas t C per 10^4 m3. ipcc2006: net heat × carbon content of chapter 1, bituminous coal; gas by the
# volumetric heat of GB/T 2589 (38.931 GJ per 1000 m3), because the guidelines give it per tonne
FACTORS = {
    "paper-emulation": [0.7559, 0.815, 0.841, 0.863, 0.884, 5.96],
    "china-specific": [0.54, 0.80, 0.83, 0.85, 0.87, 5.90],
    "ipcc2006": [0.666, 0.837, 0.860, 0.869, 0.852, 5.96],
}
# National process carbon of cement, 10^4 t C (Andrew 2025, Mt CO2 × 100 × 12/44)
CEMENT_CARBON = {year: 100 * mt * 12 / 44 for year, mt in {1990: 83.07, 2000: 240.2, 2005: 411.6}.items()}
CEMENT_CARBON |= {year: 100 * mt * 12 / 44 for year, mt in {2010: 628.7, 2015: 706.3, 2021: 802.5}.items()}
RESPIRATION = 0.079  # t C per person and year, usual in the Chinese literature
PAPER_EMISSION = {1990: 9.75, 2020: 42.42}  # 10^8 t C, as printed
OXYGEN_PER_CARBON = {  # t O2 per t C: coal, four oil products, gas
    "stoichiometric (OR × 32/12)": [3.12, 3.84, 3.84, 3.84, 3.84, 5.20],
    "paper-emulation (OR × 44/12)": [4.29, 5.28, 5.28, 5.28, 5.28, 7.15],
}
RESPIRATION_OXYGEN = 0.274  # t O2 per person and year
CEMENT_FACTOR_1990 = 0.108  # t C per t
SEQUESTRATION = {  # t C per ha and year: cultivated, garden, forest, pasture, construction
    "npp-footprint": [4.243, 4.243, 6.583, 4.835, 0.997],
    "paper-fit": [6.0, 6.0, 7.9, 3.3, 0.0],
}
LAND = ["cultivated", "garden", "forest", "pasture", "construction"]


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv", dtype={"region": str})


def fuel_carbon(factors: list[float]) -> pd.Series:
    """10^4 t C by region and year: 10^4 t × t C/t; gas 10^8 m3 = 10^4 × 10^4 m3 × t C per 10^4 m3."""
    use = table("fuels").pivot_table(index=["region", "year"], columns="variable", values="value")[FUELS]
    return (use * factors).sum(axis=1)


def national_emission() -> pd.DataFrame:
    """10^8 t C: the provinces' fuels, national cement, the population of 31 provinces."""
    people = table("population").groupby("year")["value"].sum()
    rows = {}
    for name, factors in FACTORS.items():
        carbon = fuel_carbon(factors).groupby("year").sum()
        rows[name] = {
            year: (carbon[year] + CEMENT_CARBON[year] + RESPIRATION * people[year]) / 1e4 for year in carbon.index
        }
    rows["paper (printed)"] = PAPER_EMISSION
    return pd.DataFrame(rows).T[[1990, 2000, 2005, 2010, 2015, 2020, 2021]]


def shanghai_1990() -> pd.DataFrame:
    """B_O / B_C of Shanghai in 1990 = (consumption / emission) / (8/3); the printed 12.29 / 7.45 = 1.650."""
    use = table("fuels").query("region == '310000' and year == 1990").set_index("variable")["value"][FUELS]
    people = table("population").query("region == '310000' and year == 1990")["value"].item()
    cement = table("cement_estimated").query("region == '310000' and year == 1990")["value"].item()
    rows = []
    for name, factors in FACTORS.items():
        carbon = use.to_numpy() * factors
        emission = carbon.sum() + CEMENT_FACTOR_1990 * cement + RESPIRATION * people
        for oxygen, ratios in OXYGEN_PER_CARBON.items():
            consumption = (carbon * ratios).sum() + RESPIRATION_OXYGEN * people
            rows.append([name, oxygen, emission, consumption, consumption / emission / (8 / 3)])
    return pd.DataFrame(rows, columns=["emission set", "oxygen", "10^4 t C", "10^4 t O2", "B_O / B_C"])


def sequestration() -> pd.DataFrame:
    """10^8 t C of the land of 2008 in 31 provinces, and Shanghai's balance coefficient of 1990 on it."""
    area = table("land").pivot_table(index="region", columns="variable", values="value")[LAND]
    emission = shanghai_1990().query("`emission set` == 'paper-emulation'")["10^4 t C"].iloc[0]
    rows = {}
    for name, rates in SEQUESTRATION.items():
        uptake = (area * rates).sum(axis=1)
        rows[name] = {"nation, 10^8 t C": uptake.sum() / 1e4, "Shanghai B_C 1990": emission / uptake["310000"]}
    rows["paper (printed)"] = {"nation, 10^8 t C": 40.02, "Shanghai B_C 1990": 7.45}
    return pd.DataFrame(rows).T


def main() -> None:
    coal = table("fuels").query("variable == 'coal'").groupby("year")["value"].agg(["count", "sum"])
    print("Coal, provinces and Mt\n", coal.assign(sum=coal["sum"] / 100).round(1), "\n")
    print("National emission, 10^8 t C\n", national_emission().round(2), "\n")
    print("Shanghai 1990\n", shanghai_1990().round(3).to_string(index=False), "\n")
    print("Sequestration on the survey of 2008\n", sequestration().round(2))


if __name__ == "__main__":
    main()
