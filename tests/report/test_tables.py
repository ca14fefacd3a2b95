"""Tables as the page carries them: unpacked, they are the same tables."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cobalance.report import tables
from cobalance.study.results import Results


def unpacked(table: tables.PackedTable) -> list[dict[str, Any]]:
    return json.loads(zlib.decompress(base64.b64decode(table.data)))["columns"]


@pytest.mark.parametrize(
    "name",
    [
        *("land_area", "sequestration", "emission", "balance", "groups", "gravity_centre", "global_moran"),
        *("local_moran", "outlook", "ecological_land", "coefficients", "missing", "notices"),
    ],
)
def test_every_table_of_the_contract_comes_back(results: Results, name: str) -> None:
    frame = results.table(name)
    columns = {column["name"]: column for column in unpacked(tables.packed(name, frame, ["en", "zh"]))}
    for column in frame.columns:
        pair = next((name for name, both in tables.pairs(list(frame.columns)).items() if column in both), None)
        if pair:
            language = column[-2:]
            words = columns[pair]["words"][language]
            assert [words[i] for i in columns[pair]["at"]] == frame[column].fillna("").tolist()
        elif pd.api.types.is_numeric_dtype(frame[column]):
            values = np.array([np.nan if v is None else v for v in columns[column]["values"]], dtype=float)
            np.testing.assert_allclose(values, frame[column].to_numpy(float), rtol=5e-6)
        else:
            assert len(columns[column]["at"]) == len(frame)
            assert len(set(columns[column]["at"])) == frame[column].fillna("").nunique()


def test_words_are_translated_and_references_are_not() -> None:
    frame = pd.DataFrame({"source": ["coal", "cement"], "value": [1.0, np.nan]})
    column, number = unpacked(tables.packed("emission", frame, ["en", "zh"]))
    assert column["words"] == {"en": ["coal", "cement"], "zh": ["煤炭", "水泥"]}
    assert number["values"] == [1, None]
    reference = unpacked(tables.packed("coefficients", frame, ["zh"]))[0]
    assert reference["words"] == {"zh": ["coal", "cement"]}


def test_long_table_is_cut_to_its_ends_and_says_so() -> None:
    years = np.repeat(np.arange(2000, 2020), 3000)
    table = tables.packed("emission", pd.DataFrame({"year": years, "value": 1.0}), ["en"])
    assert (table.rows, table.shown, table.years) == (60_000, 6_000, (2000, 2019))
    assert (
        "60,000" in table.note("en") and "2000, 2019" in table.note("en") and "tables/emission.csv" in table.note("en")
    )


def test_long_table_without_years_is_cut_to_its_head() -> None:
    table = tables.packed("x", pd.DataFrame({"value": np.zeros(50_001)}), ["en", "zh"])
    assert (table.shown, table.years) == (tables.MOST_ROWS, ())
    assert "50,001" in table.note("zh")


def test_table_that_fits_needs_no_note() -> None:
    assert tables.packed("x", pd.DataFrame({"value": [1.5]}), ["en"]).note("en") == ""


def test_empty_table_packs() -> None:
    table = tables.packed("missing", pd.DataFrame({"variable": [], "region": []}), ["en"])
    assert (table.rows, table.shown) == (0, 0)


def test_columns_in_both_languages_are_one_beside_their_key() -> None:
    frame = pd.DataFrame(
        {"scenario": ["base"], "scenario_zh": ["基准"], "scenario_en": ["Baseline"], "name_en": ["Ash"]}
    )
    columns = unpacked(tables.packed("scenarios", frame, ["en", "zh"]))
    assert [column["name"] for column in columns] == ["scenario", "scenario_name", "name_en"]
    assert columns[1]["words"] == {"en": ["Baseline"], "zh": ["基准"]}
