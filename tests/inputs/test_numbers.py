"""Numbers as yearbooks print them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobalance.inputs.numbers import number, numbers


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,234.5", 1234.5, ""),
        ("１２３", 123.0, ""),
        ("１，２３４．５", 1234.5, ""),
        ("12万吨", 12.0, "万吨"),
        ("12(万吨)", 12.0, "万吨"),
        ("2.5 10^4 t", 2.5, "10^4 t"),
        ("12.3 km²", 12.3, "km2"),
        ("1.2亿", 1.2e8, ""),
        ("3.5 万", 3.5e4, ""),
        ("12.3①", 12.3, ""),
        ("12.3*", 12.3, ""),
        ("12.3²", 12.3, ""),
        ("12 1)", 12.0, ""),
        ("12 [1]", 12.0, ""),
        ("(12.3)", -12.3, ""),
        ("（12.3）", -12.3, ""),
        ("−5", -5.0, ""),
        ("1 234 567", 1234567.0, ""),
        ("1'234", 1234.0, ""),
        ("1.2E+05", 1.2e5, ""),
        ("3×10⁴", 3e4, ""),
        ("12%", 12.0, "%"),
        (7, 7.0, ""),
        (np.float64(2.5), 2.5, ""),
    ],
)
def test_numbers_of_yearbooks(text, value, unit):
    found = number(text)
    assert (found.value, found.unit, found.kind) == (pytest.approx(value, rel=1e-15), unit, "number")


@pytest.mark.parametrize(
    "mark", ["", "  ", "—", "——", "–", "-", "…", "……", "...", "NA", "n.a.", "#N/A", "①", "缺", None, math.nan, "/"]
)
def test_marks_of_no_figure_are_missing_and_never_zero(mark):
    found = number(mark)
    assert found.kind == "missing"
    assert math.isnan(found.value)


@pytest.mark.parametrize(
    "text",
    ["abc", "无", "1,23", "1,234,56", "12 34", "1.2.3", "2010-2011", "10²", "inf", True, "1_000", "#REF!", math.inf],
)
def test_what_could_be_read_in_two_ways_is_not_a_number(text):
    assert number(text).kind == "not a number"


def test_a_bare_multiplier_is_marked():
    assert number("1.2亿").scaled
    assert not number("12万吨").scaled


def test_a_column_reads_like_its_cells():
    cells = ["1,234", 5, "—", "12万吨", "abc", True, 1, 1.0, None, "1.2亿", "7"]
    column = numbers(cells)
    singles = [number(cell) for cell in cells]
    np.testing.assert_array_equal(column.value, [each.value for each in singles])
    assert list(column.kind) == [each.kind for each in singles]
    assert list(column.unit) == [each.unit for each in singles]
    assert list(column.scaled) == [each.scaled for each in singles]


@given(st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: round(value, 3)))
def test_a_printed_number_reads_back(value):
    for text in (f"{value:,.3f}", f"{value:.3f}", f"{value:,.3f}①", f" {value:.3f} ", repr(value)):
        assert number(text).value == value
    full_width = f"{value:.3f}".translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789.-"})
    assert number(full_width).value == value


@given(st.text(max_size=12))
def test_no_text_becomes_a_number_without_a_digit(text):
    found = number(text)
    assert (found.kind == "number") == math.isfinite(found.value)
    if not any(character.isnumeric() for character in text):
        assert found.kind != "number"
