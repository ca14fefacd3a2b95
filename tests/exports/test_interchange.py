"""What other programs get: the numbers are the results', the formats are those that they name."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from cobalance.report.extent import extent_account, surveyed_years
from cobalance.report.facts import Facts
from cobalance.report.iamc import COLUMNS, iamc_table
from cobalance.report.interchange import DESCRIPTIONS, FORMS, write_csv, write_interchange
from cobalance.report.manuscript import Table, latex, manuscript_tables, write_docx
from cobalance.report.netcdf import conforming, udunits
from cobalance.study.results import Results
from cobalance.vocabulary.errors import CobalanceError

PLAIN = [form for form in FORMS if form != "docx"]
needs_docx = pytest.mark.skipif(importlib.util.find_spec("docx") is None, reason="python-docx is not installed")


@pytest.fixture
def facts(results: Results) -> Facts:
    return Facts(results)


def test_every_form_is_written_and_is_the_same_twice(results: Results, tmp_path: Path) -> None:
    one, two = (write_interchange(results, tmp_path / name, PLAIN) for name in ("one", "two"))
    names = {path.name for path in one}
    assert {
        "regions.parquet",
        "results-cf.nc",
        "iamc.csv",
        "extent_account.csv",
        "tables-en.tex",
        "tables-zh.tex",
    } <= names
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert set(DESCRIPTIONS) == set(FORMS)


def test_an_unknown_form_is_refused(results: Results, tmp_path: Path) -> None:
    with pytest.raises(CobalanceError, match="E920 .*no form 'geoparqet'.*nearest: geoparquet"):
        write_interchange(results, tmp_path / "out", ["geoparqet"])
    assert not (tmp_path / "out").exists()


def test_geoparquet_1_1_with_boxes(results: Results, tmp_path: Path) -> None:
    (file,) = write_interchange(results, tmp_path, ["geoparquet"])
    about = json.loads(pq.read_schema(file).metadata[b"geo"])
    assert about["version"] == "1.1.0"
    column = about["columns"]["geometry"]
    assert set(column["covering"]["bbox"]) == {"xmin", "ymin", "xmax", "ymax"}
    frame = gpd.read_parquet(file).set_index("region")
    balance = results.dataset["carbon_balance_coefficient"].sel(year=2020).to_series()
    assert frame["carbon_balance_coefficient_2020"].to_dict() == pytest.approx(balance.to_dict(), nan_ok=True)
    assert np.isnan(frame.loc["D", "carbon_balance_coefficient_2020"])
    assert list(frame["name_zh"]) == ["甲省", "乙省", "丙省", "丁省"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("t C / yr", ("t year-1", "carbon")),
        ("t O2 / yr", ("t year-1", "oxygen")),
        ("t CO2 / yr", ("t year-1", "carbon dioxide")),
        ("ha", ("ha", "")),
        ("%", ("percent", "")),
        ("1", ("1", "")),
        ("person", ("1", "person")),
        ("GJ / yr", ("GJ year-1", "")),
        ("t C / person / yr", ("t year-1", "carbon per person")),
    ],
)
def test_units_as_udunits_reads_them(ours: str, theirs: tuple[str, str]) -> None:
    assert udunits(ours) == theirs


def test_the_dataset_follows_cf(facts: Facts) -> None:
    dataset = conforming(facts)
    assert dataset.attrs["Conventions"] == "CF-1.11"
    assert {"title", "institution", "source", "history", "references", "comment"} <= set(dataset.attrs)
    for name, array in dataset.data_vars.items():
        if name == "time_bounds":
            continue
        assert array.attrs["long_name"], name
        assert re.fullmatch(r"[A-Za-z]\w*", str(name))
        if array.dtype.kind in "fi":
            assert "{" not in array.attrs["units"]
            assert not re.search(r"\b(C|CO2|O2|person)\b", array.attrs["units"]), name
    emission = dataset["carbon_emission"]
    assert emission.attrs["units"] == "t year-1"
    assert emission.attrs["cobalance_units"] == "t C / yr"
    assert emission.attrs["long_name"] == "carbon emission (carbon)"
    assert emission.attrs["cell_methods"] == "time: mean"


def test_time_stands_in_the_middle_of_its_bounds(facts: Facts, tmp_path: Path) -> None:
    """2016 is a leap year: 366 days, its middle at the end of 1 July."""
    dataset = conforming(facts)
    days = dataset["time_bounds"].sel(year=2016).values
    assert days[1] - days[0] == 366
    assert pd.Timestamp("1850-01-01") + pd.Timedelta(days=float(dataset["time"].sel(year=2016))) == pd.Timestamp(
        "2016-07-02"
    )


def test_the_file_holds_the_results(results: Results, facts: Facts, tmp_path: Path) -> None:
    (file,) = write_interchange(results, tmp_path, ["netcdf"])
    with xr.open_dataset(file, engine="h5netcdf") as read:
        for name in ("carbon_emission", "land_area", "ecological_land_gap", "group_oxygen_release"):
            np.testing.assert_array_equal(read[name].values, results.dataset[name].values)
        coal = results.dataset["fuel_use"].sel(fuel="coal").values
        np.testing.assert_array_equal(read["fuel_use_t"].sel(fuel_t="coal").values, coal)
        people = read["outlook_person"]
        assert people.attrs["units"] == "1"
        assert list(people["activity_person"].values) == ["population"]
        assert 0 < float(read["latitude"].min()) < 90


def test_the_iamc_table_gives_carbon_as_co2(facts: Facts) -> None:
    """Lime of C in 2017: 748 t CO2, so 0.000748 Mt; the total is the sum of its parts."""
    table = iamc_table(facts)
    assert tuple(table.columns) == COLUMNS
    assert not table["value"].isna().any()
    assert not table.duplicated(list(COLUMNS[:6])).any()
    of = table[(table["region"] == "Gamma") & (table["year"] == 2017)].set_index("variable")["value"]
    assert of["Emissions|CO2|Other|Lime"] == pytest.approx(748e-6, rel=1e-12)
    parts = of[[name for name in of.index if name.startswith("Emissions|CO2|")]]
    assert of["Emissions|CO2"] == pytest.approx(parts.sum(), rel=1e-12)
    assert of["Carbon Balance Coefficient"] == pytest.approx(
        of["Emissions|CO2"] / of["Carbon Sequestration|Land Cover"], rel=1e-12
    )
    assert {"West", "All regions", "Alpha"} <= set(table["region"])


def test_a_total_with_a_missing_part_has_no_row(facts: Facts) -> None:
    """D has no people after 2016."""
    table = iamc_table(facts)
    late = table[(table["region"] == "Delta") & (table["year"] == 2018) & (table["scenario"] == "historical")]
    assert "Emissions|CO2" not in set(late["variable"])
    assert "Emissions|CO2|Energy|Coal" in set(late["variable"])


def test_the_target_year_is_its_own_scenario(facts: Facts, results: Results) -> None:
    table = iamc_table(facts)
    outlook = table[(table["scenario"] == "outlook") & (table["region"] == "Beta")].set_index("variable")["value"]
    gap = results.dataset["ecological_land_gap"].sel(region="B", target="oxygen").item()
    assert outlook["Ecological Land Gap|Oxygen"] == pytest.approx(gap, rel=1e-12)
    assert set(table.loc[table["scenario"] == "outlook", "year"]) == {2030}


def test_the_extent_account_closes(facts: Facts) -> None:
    """Surveys of 2016 and 2018: woods of A 1000 → 900 ha, arable and orchard unchanged."""
    account = extent_account(facts)
    assert surveyed_years(facts.table("land_area")) == [2016, 2018]
    sum_of = account["opening_ha"] + account["additions_ha"] - account["reductions_ha"]
    np.testing.assert_allclose(sum_of, account["closing_ha"], rtol=1e-12)
    row = account.set_index(["region", "land_class"]).loc[("A", "forest")]
    assert (row["opening_ha"], row["additions_ha"], row["reductions_ha"], row["closing_ha"]) == (1000, 0, 100, 900)
    assert row["basis"] == "net"
    whole = account[account["land_class"] == "all"].set_index("region")
    parts = account[account["land_class"] != "all"].groupby("region")["closing_ha"].sum()
    np.testing.assert_allclose(whole["closing_ha"], parts, rtol=1e-12)


def test_one_survey_gives_no_extent_account(facts: Facts, results: Results, tmp_path: Path) -> None:
    land = facts.table("land_area")
    once = land.assign(flag=land["flag"].where(land["year"] == 2016, "held"))
    single = Results(results.dataset, {**results.tables, "land_area": once}, results.regions, results.provenance)
    assert extent_account(Facts(single)).empty
    assert write_interchange(single, tmp_path, ["seea"]) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_tables_of_a_manuscript(facts: Facts, language: str) -> None:
    tables = manuscript_tables(facts, language)  # type: ignore[arg-type]
    assert [table.name for table in tables] == ["coefficients", "accounts", "balance", "moran", "gap"]
    for table in tables:
        assert all(len(row) == len(table.headings) == len(table.numeric) for row in table.rows)
        assert not any(text == "nan" for row in table.rows for text in row)
    cement = next(row for row in tables[0].rows if row[1] in ("cement", "水泥"))
    assert "2030" in cement  # the factor differs by year: the last year is shown and named
    assert ("the last is shown" if language == "en" else "只列最后一年") in tables[0].note
    balance = tables[2]
    assert [row[0] for row in balance.rows] == (
        ["Alpha", "Beta", "Gamma", "Delta"] if language == "en" else ["甲省", "乙省", "丙省", "丁省"]
    )
    assert balance.rows[3][2] == "–"


def test_latex_is_a_three_line_table() -> None:
    table = Table("gap", "Gap & burden", ["Region", "CO₂ (%)"], [["A_1", "−5"]], [False, True], "50 %")
    assert latex(table).splitlines() == [
        "\\begin{longtable}{lr}",
        "\\caption{Gap \\& burden}\\label{tab:gap}\\\\",
        "\\toprule",
        "Region & CO$_2$ (\\%) \\\\",
        "\\midrule",
        "\\endhead",
        "A\\_1 & $-$5 \\\\",
        "\\bottomrule",
        "\\multicolumn{2}{l}{\\footnotesize 50 \\%} \\\\",
        "\\end{longtable}",
    ]


@needs_docx
def test_word_holds_the_same_tables(facts: Facts, tmp_path: Path) -> None:
    import docx

    file = write_docx(facts, tmp_path / "tables.docx", "zh")
    assert file.read_bytes() == write_docx(facts, tmp_path / "again.docx", "zh").read_bytes()
    document = docx.Document(str(file))
    tables = manuscript_tables(facts, "zh")
    assert len(document.tables) == len(tables)
    for grid, table in zip(document.tables, tables, strict=True):
        assert [[cell.text for cell in row.cells] for row in grid.rows] == [
            list(table.headings),
            *map(list, table.rows),
        ]
    assert document.core_properties.title == "四省"
    assert "表 3  碳氧平衡系数" in [paragraph.text for paragraph in document.paragraphs]


def test_without_python_docx_word_is_refused_with_the_remedy(
    facts: Facts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "docx", None)
    with pytest.raises(CobalanceError, match="E929 .*python-docx"):
        write_docx(facts, tmp_path / "tables.docx")


def test_a_byte_order_mark_on_request(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["甲省"]})
    assert write_csv(frame, tmp_path / "a.csv", bom=True).read_bytes().startswith("\ufeff".encode())
    assert write_csv(frame, tmp_path / "b.csv").read_bytes() == "name\n甲省\n".encode()
