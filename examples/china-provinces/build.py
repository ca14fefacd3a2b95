"""Compile the tables of this example from the public files that hold the facts.

Run once by a maintainer; the study itself needs only what lies in ``data/``. Every path is an argument, nothing is
downloaded. Rows keep the source's own units and digits; what is neither printed nor exact arithmetic on printed numbers
is flagged ``estimated`` and its note says how it was formed. ``DATA.md`` describes sources, terms and holes.

    python build.py --energy energy_balance.csv --ceads provincial_fuels_cement_wide.csv \
        --population population.csv --land land_use.csv --echarts china.json --output data
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

COLUMNS = ["region", "year", "variable", "unit", "value", "source", "flag", "note"]
YEARS = [1990, 2000, 2005, 2010, 2015, 2021]
WINDOW = range(2010, 2020)
FUELS = ["coal", "gasoline", "kerosene", "diesel", "fuel_oil", "natural_gas"]
COORDINATE_DIGITS = 4

YEARBOOKS = {
    "191336f": "China Energy Statistical Yearbook, provincial balance, via LBNL Databook 9, GCAM-China @191336f",
    "da07ef2": "China Energy Statistical Yearbook, provincial balance, via GCAM-China @da07ef2",
}
CEADS = "CEADs 1997-2019 (Shan et al. 2016, 2018, 2020; Guan et al. 2021), CO2 / CEADs factor"
POPULATIONS = {
    "China Compendium of Statistics 1949-2008, via umd-cgs/gcam-china": "China Compendium of Statistics 1949-2008",
    "China Statistical Yearbook, via umd-cgs/gcam-china": "China Statistical Yearbook",
    "NBS data portal (revised after 2020 census), via pik-piam/PyPSA-China-PIK": (
        "NBS data portal, revised after the 2020 census"
    ),
}
LAND_CLASSES = {
    "cultivated": "cultivated",
    "garden": "garden",
    "forest_plus_other_agri": "forest",
    "pasture": "pasture",
    "construction_land": "construction",
    "unused_and_natural_water": "unused_and_water",
}
NATIONAL_CEMENT = {  # 10^4 t, year whose provincial shares distribute it, where the total stands
    1990: (20971.0, 1997, "NBS China Statistical Yearbook, national output 1990 (recalled, to be verified)"),
    2021: (236300.0, 2019, "NBS monthly statistics, output of January to December 2021: 2.363 billion t"),
}

# Fuel oil that refineries take in as feed, 10^6 tce as printed in the rows "Petroleum Refineries - Petroleum Products
# Input" of en_balance_Mtce_Yh_province.csv @da07ef2; provinces not named print zero
TCE_PER_TONNE = 1.429
REFINERY_FEED = {
    2015: {
        "120000": 0.6104688,
        "130000": 0.0238643,
        "210000": 0.1803398,
        "230000": 0.8113862,
        "320000": 0.0460138,
        "330000": 1.8767057,
        "370000": 42.667082,
        "440000": 0.0188628,
        "510000": 0.1783392,
        "610000": 0.0505866,
        "640000": 0.7207876,
        "650000": 0.0208634,
    },
    2021: {
        "130000": 1.0454564,
        "210000": 0.0681633,
        "230000": 0.2409294,
        "320000": 0.0817388,
        "330000": 1.4107088,
        "350000": 0.0167193,
        "370000": 24.7847189,
        "410000": 0.0012861,
        "430000": 0.0151474,
        "440000": 0.5002929,
        "450000": 0.3003758,
        "510000": 0.5324454,
        "640000": 2.0431842,
    },
}

# adcode, full Chinese name, short Chinese name, English name, pinyin (陕西 and 山西 kept apart as in the postal forms)
REGIONS = """
110000 北京市 北京 Beijing Beijing
120000 天津市 天津 Tianjin Tianjin
130000 河北省 河北 Hebei Hebei
140000 山西省 山西 Shanxi Shanxi
150000 内蒙古自治区 内蒙古 Inner_Mongolia Neimenggu
210000 辽宁省 辽宁 Liaoning Liaoning
220000 吉林省 吉林 Jilin Jilin
230000 黑龙江省 黑龙江 Heilongjiang Heilongjiang
310000 上海市 上海 Shanghai Shanghai
320000 江苏省 江苏 Jiangsu Jiangsu
330000 浙江省 浙江 Zhejiang Zhejiang
340000 安徽省 安徽 Anhui Anhui
350000 福建省 福建 Fujian Fujian
360000 江西省 江西 Jiangxi Jiangxi
370000 山东省 山东 Shandong Shandong
410000 河南省 河南 Henan Henan
420000 湖北省 湖北 Hubei Hubei
430000 湖南省 湖南 Hunan Hunan
440000 广东省 广东 Guangdong Guangdong
450000 广西壮族自治区 广西 Guangxi Guangxi
460000 海南省 海南 Hainan Hainan
500000 重庆市 重庆 Chongqing Chongqing
510000 四川省 四川 Sichuan Sichuan
520000 贵州省 贵州 Guizhou Guizhou
530000 云南省 云南 Yunnan Yunnan
540000 西藏自治区 西藏 Tibet Xizang
610000 陕西省 陕西 Shaanxi Shaanxi
620000 甘肃省 甘肃 Gansu Gansu
630000 青海省 青海 Qinghai Qinghai
640000 宁夏回族自治区 宁夏 Ningxia Ningxia
650000 新疆维吾尔自治区 新疆 Xinjiang Xinjiang
710000 台湾省 台湾 Taiwan Taiwan
810000 香港特别行政区 香港 Hong_Kong Xianggang
820000 澳门特别行政区 澳门 Macao Aomen
"""


def regions() -> pd.DataFrame:
    """All 34 provincial units; those without facts stay in the table, so that they are drawn as no data."""
    rows = [line.split() for line in REGIONS.strip().splitlines()]
    table = pd.DataFrame(rows, columns=["region", "name_zh", "short_zh", "name_en", "pinyin"])
    return table.assign(name_en=table["name_en"].str.replace("_", " "))


def fuels(energy: pd.DataFrame, ceads: pd.DataFrame) -> pd.DataFrame:
    """Yearbook consumption of the six fuels, refinery feed of fuel oil taken out (``without_refinery_feed``)."""
    chosen = energy["year"].isin(YEARS) & energy["variable"].isin(FUELS) & (energy["region"] != "China")
    rows = energy[chosen]
    commit = rows["source"].str.extract(r"@(\w+)")[0]
    table = pd.DataFrame(
        {
            "region": rows["adcode"],
            "year": rows["year"],
            "variable": rows["variable"],
            "unit": rows["unit"],
            "value": rows["value"],
            "source": commit.map(YEARBOOKS),
            "flag": "observed",
            "note": rows["definition"].map(_definition),
        }
    )
    table = pd.concat([table, qinghai_kerosene(ceads)], ignore_index=True)
    including_chongqing = (table["region"] == "510000") & (table["year"] == 1990)
    partly_read = table["note"].str.contains("slight underestimate")
    table.loc[including_chongqing | partly_read, "flag"] = "estimated"
    return without_refinery_feed(table, ceads).sort_values(["year", "region", "variable"])[COLUMNS]


def _definition(text: str) -> str:
    """The source's wording of how consumption was formed, without the words that all rows share."""
    for shared in ("NBS total consumption (all uses): ", "NBS total consumption ", "NBS coal total: "):
        text = text.replace(shared, "")
    text = text.replace("; Sichuan incl. Chongqing", "; Sichuan of 1990 includes Chongqing")
    return text[1:-1] if text.startswith("(") else text


def qinghai_kerosene(ceads: pd.DataFrame) -> pd.DataFrame:
    """The one fuel that the balance of a studied province-year lacks; CEADs publishes none either."""
    row = ceads[(ceads["adcode"] == "630000") & (ceads["year"] == 2005)].iloc[0]
    note = "no kerosene row in the balance; CEADs publishes zero for 2001-2006"
    fact = ["630000", 2005, "kerosene", "10^4 t", row["kerosene"], CEADS, "estimated", note]
    return pd.DataFrame([fact], columns=COLUMNS)


def without_refinery_feed(table: pd.DataFrame, ceads: pd.DataFrame) -> pd.DataFrame:
    """Fuel oil that is burnt: what refineries take in again as feed is taken out of the yearbook's consumption.

    2015 and 2021: the balances print the feed (``REFINERY_FEED``), it is subtracted. 2010: the balance has only the
    refineries' net, so CEADs' final use, power and heat of 2010 stands in where the row was formed from supply plus
    refinery output and exceeds CEADs by more than 10 % and 10 x 10^4 t. Jilin's excess of 2010 is left: its balances
    of 2015 and 2021 print no feed but as much non-energy use, which CEADs leaves out. 1990 to 2005 hold hardly any.
    """
    table = table.copy()
    burnt = ceads.set_index(["adcode", "year"])["fuel_oil"]
    for index, row in table[table["variable"] == "fuel_oil"].iterrows():
        feed = REFINERY_FEED.get(row["year"], {}).get(row["region"], 0.0) / TCE_PER_TONNE
        if feed:
            value = round(row["value"] - 100 * feed, 2)
            note = f"printed {row['value']:.2f} less {100 * feed:.2f} that refineries take in (same balance)"
            correction: dict[str, Any] = {"value": value, "flag": "estimated", "note": note}
            for column, entry in correction.items():
                table.at[index, column] = entry
        if row["year"] == 2010 and row["region"] != "220000" and "TPES + refinery output" in row["note"]:
            combustion = float(burnt[(row["region"], 2010)])
            if row["value"] - combustion > max(10, 0.1 * combustion):
                note = f"printed {row['value']:.2f} holds refinery feed; CEADs final use, power and heat instead"
                replacement: dict[str, Any] = {"value": combustion, "source": CEADS, "flag": "estimated", "note": note}
                for column, entry in replacement.items():
                    table.at[index, column] = entry
    return table


def outlook_activity(ceads: pd.DataFrame) -> pd.DataFrame:
    """Annual activity 2010-2019 in CEADs' definition (final use, power and heat), for the outlook only."""
    units = dict.fromkeys(FUELS, "10^4 t") | {"natural_gas": "10^8 m3"}
    notes = dict.fromkeys(FUELS, "CEADs definition: final use + power + heat, without losses and non-energy use")
    notes["coal"] = (
        "CEADs definition; CO2 of coal, briquettes, coke and coke gases / 1.80 t CO2 per t: raw-coal equivalent, +-5 %"
    )
    window = ceads[ceads["year"].isin(WINDOW)].rename(columns={"coal_equivalent": "coal"})
    long = window.melt(["adcode", "year"], FUELS, "variable", "value").dropna(subset="value")
    return pd.DataFrame(
        {
            "region": long["adcode"],
            "year": long["year"],
            "variable": long["variable"],
            "unit": long["variable"].map(units),
            "value": long["value"],
            "source": CEADS,
            "flag": long["variable"].map(lambda fuel: "estimated" if fuel == "coal" else "observed"),
            "note": long["variable"].map(notes),
        }
    ).sort_values(["region", "variable", "year"])[COLUMNS]


def cement(ceads: pd.DataFrame) -> pd.DataFrame:
    """Output of the study's years and of the window, from CEADs' process emissions (CO2 / 0.2906: printed output)."""
    note = "process CO2 / 0.2906 t CO2 per t"
    rows = ceads[ceads["year"].isin([*YEARS, *WINDOW])].dropna(subset="cement")
    table = _facts(rows, "cement_output", "10^4 t", rows["cement"], CEADS, note)
    slip = (table["region"] == "530000") & (table["year"] == 2019)
    table.loc[slip, "flag"] = "estimated"
    table.loc[slip, "note"] = "CEADs prints 1.28 where neighbours are near 12,800: read as 1.28 x 10^8 t"
    return table.sort_values(["region", "year"])[COLUMNS]


def cement_estimated(ceads: pd.DataFrame) -> pd.DataFrame:
    """1990 and 2021, for which no provincial output could be had: the national output by the nearest year's shares."""
    parts = []
    for year, (total, share_year, source) in NATIONAL_CEMENT.items():
        base = ceads[ceads["year"] == share_year]
        shares = base["cement"] / base["cement"].sum()
        note = f"national {total:g} x 10^4 t by the provincial shares of {share_year}; 30 provinces, Tibet left out"
        parts.append(_facts(base.assign(year=year), "cement_output", "10^4 t", total * shares, source, note))
    table = pd.concat(parts).assign(flag="estimated")
    return table.assign(value=table["value"].round(1)).sort_values(["region", "year"])[COLUMNS]


def _facts(
    rows: pd.DataFrame, variable: str, unit: str, value: pd.Series, source: str | pd.Series, note: str | pd.Series
) -> pd.DataFrame:
    table = pd.DataFrame({"region": rows["adcode"], "year": rows["year"], "variable": variable, "unit": unit})
    return table.assign(value=value, source=source, flag="observed", note=note)


def population(people: pd.DataFrame) -> pd.DataFrame:
    """31 provinces at the study's years and over the outlook's window."""
    rows = people[people["year"].isin([*YEARS, *WINDOW])]
    note = rows["basis"].where(rows["year"] >= 2000, rows["basis"] + "; series breaks between 1999 and 2000")
    table = _facts(rows, "population", "10^4 person", rows["value"], rows["source"].map(POPULATIONS), note)
    return table.sort_values(["region", "year"])[COLUMNS]


def land(survey: pd.DataFrame) -> pd.DataFrame:
    """The land survey of 2008, six classes that add up to the survey area of a province."""
    rows = survey[(survey["year"] == 2008) & survey["variable"].isin(LAND_CLASSES)]
    notes = {
        "forest_plus_other_agri": (
            "residual: agricultural land less cultivated, garden and pasture; holds other farm land "
            "(ridges, ponds, farm roads) besides forest"
        ),
        "unused_and_natural_water": (
            "residual: survey area less agricultural and construction land; bare land, ice, natural water and wetland, "
            "and natural grassland not in use"
        ),
        "pasture": "pasture land of the survey; natural grassland not in use stands under unused land",
        "construction_land": "settlements, mining, transport and water-conservancy works",
    }
    table = _facts(rows, "", "10^4 ha", rows["value"], "", "").assign(
        variable=rows["variable"].map(LAND_CLASSES),
        source=rows["variable"].map(
            lambda name: "China Statistical Yearbook 2009, " + ("table 12-3" if name == "cultivated" else "table 11-34")
        ),
        note=rows["variable"].map(notes).fillna(""),
    )
    residual = rows["variable"].isin(["forest_plus_other_agri", "unused_and_natural_water"])
    derived = (rows["adcode"] == "650000") & (rows["variable"] != "cultivated")
    table.loc[residual | derived, "flag"] = "estimated"
    table.loc[derived, "note"] = (table["note"] + "; Xinjiang = nation less the 30 others").str.lstrip("; ")
    return table.sort_values(["region", "variable"])[COLUMNS].assign(value=table["value"].round(2))


def boundaries(encoded: dict[str, Any]) -> dict[str, Any]:
    """GeoJSON of the 34 provincial units, decoded, repaired, rounded, in the order of the region table."""
    features = {feature["id"]: feature for feature in encoded["features"]}
    table = regions()
    missing = sorted(set(table["region"]) ^ set(features))
    if missing:
        raise SystemExit(f"boundary file and region table differ: {missing}")
    return {
        "type": "FeatureCollection",
        "name": "china_provinces",
        "features": [
            {
                "type": "Feature",
                "properties": {"region": row.region, "name_zh": row.name_zh, "name_en": row.name_en},
                "geometry": rounded(repaired(decoded(features[row.region]["geometry"]))),
            }
            for row in table.itertuples()
        ],
    }


def decoded(geometry: dict[str, Any]) -> BaseGeometry:
    """The polygon behind ECharts' text encoding: zigzag deltas in units of 1/1024 degree from an offset."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    offsets = geometry["encodeOffsets"] if geometry["type"] == "MultiPolygon" else [geometry["encodeOffsets"]]
    rings = [
        [decoded_ring(text, start) for text, start in zip(polygon, starts, strict=True)]
        for polygon, starts in zip(polygons, offsets, strict=True)
    ]
    return shape({"type": "MultiPolygon", "coordinates": rings})


def decoded_ring(text: str, start: list[int]) -> list[tuple[float, float]]:
    """Degrees of a ring: each pair of characters is a zigzag-coded step of longitude and latitude."""
    steps = [(code >> 1) ^ -(code & 1) for code in (ord(character) - 64 for character in text)]
    ring, (x, y) = [], start
    for step_x, step_y in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + step_x, y + step_y
        ring.append((x / 1024, y / 1024))
    return ring if ring[0] == ring[-1] else [*ring, ring[0]]


def repaired(geometry: BaseGeometry) -> BaseGeometry:
    """A valid geometry of polygons only: crossed rings are united, islets of fewer than three points are dropped."""
    valid = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    parts = [part for part in shapely.get_parts(valid) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)


def rounded(geometry: BaseGeometry) -> dict[str, Any]:
    """The geometry on a grid of 0.0001 degree (about 10 m), still valid."""
    return dict(mapping(shapely.set_precision(geometry, 10.0**-COORDINATE_DIGITS)))


def geojson_text(collection: dict[str, Any]) -> str:
    """One feature a line, coordinates without spurious digits."""
    lines = [
        json.dumps(_rounded_numbers(feature), ensure_ascii=False, separators=(",", ":"))
        for feature in collection["features"]
    ]
    head = f'{{"type":"FeatureCollection","name":"{collection["name"]}","features":[\n'
    return head + ",\n".join(lines) + "\n]}\n"


def _rounded_numbers(item: object) -> object:
    if isinstance(item, float):
        return round(item, COORDINATE_DIGITS)
    if isinstance(item, list | tuple):
        return [_rounded_numbers(member) for member in item]
    return {key: _rounded_numbers(member) for key, member in item.items()} if isinstance(item, dict) else item


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("energy", "ceads", "population", "land", "echarts", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    paths = parser.parse_args()
    source = {
        name: pd.read_csv(getattr(paths, name), dtype={"adcode": str})
        for name in ("energy", "ceads", "population", "land")
    }
    tables = {
        "regions": regions(),
        "fuels": fuels(source["energy"], source["ceads"]),
        "outlook_activity": outlook_activity(source["ceads"]),
        "cement": cement(source["ceads"]),
        "cement_estimated": cement_estimated(source["ceads"]),
        "population": population(source["population"]),
        "land": land(source["land"]),
    }
    paths.output.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(paths.output / f"{name}.csv", index=False, lineterminator="\n")
    encoded = json.loads(paths.echarts.read_text(encoding="utf-8"))
    (paths.output / "provinces.geojson").write_text(geojson_text(boundaries(encoded)), encoding="utf-8")


if __name__ == "__main__":
    main()
