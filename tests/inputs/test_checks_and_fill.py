"""Several tables together, and the gaps between their years."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cobalance.inputs.checks import combined, jumps, missing_table
from cobalance.inputs.fill import Fill, assemble
from cobalance.inputs.regions import RegionNames
from cobalance.inputs.tables import OBSERVATION_COLUMNS, Observations, TableSource, read_observations
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import CobalanceError

REGIONS = ["110000", "310000"]


def observations(*rows, file="a.csv"):
    """Rows (region, year, variable, item, value, unit)."""
    frame = pd.DataFrame(rows, columns=list(OBSERVATION_COLUMNS[:6]))
    frame = frame.assign(file=file, sheet="", row=range(2, len(rows) + 2), column="D", source="", note="")
    frame["flag"] = ["missing" if np.isnan(value) else "observed" for value in frame["value"]]
    return Observations(frame.assign(original_unit=frame["unit"], printed=frame["value"].astype(str)))


def cement(*values, region="110000", **options):
    return observations(*((region, year, "cement_output", "", value, "t / yr") for year, value in values), **options)


def test_two_figures_for_a_cell_are_shown_with_both_places():
    with pytest.raises(CobalanceError) as caught:
        combined([cement((2010, 1.0)), cement((2009, 7.0), (2010, 2.0), file="b.csv")])
    (problem,) = caught.value.problems
    assert problem.code == "E315"
    assert "1 t / yr at a.csv!D2, 2 t / yr at b.csv!D3" in problem.text()
    assert problem.text("zh").startswith("E315 b.csv")


def test_the_same_figure_twice_is_told_or_refused():
    pair = [cement((2010, 1.0)), cement((2010, 1.0), file="b.csv")]
    found = combined(pair)
    assert len(found.frame) == 1 and found.frame["file"].item() == "a.csv"
    assert [notice.code for notice in found.notices] == ["W304"]
    with pytest.raises(CobalanceError, match="E323"):
        combined(pair, same="error")


def test_a_missing_figure_gives_way_to_a_known_one():
    found = combined([cement((2010, np.nan)), cement((2010, 5.0), file="b.csv")])
    assert found.frame["value"].tolist() == [5.0]
    assert found.notices == ()


def test_negative_figures_are_out_of_bounds():
    with pytest.raises(CobalanceError, match=r"E316 a.csv, row 3.*-1 t / yr"):
        combined([cement((2009, 1.0), (2010, -1.0))])


def test_a_fuel_in_mass_and_in_heat_is_refused():
    tonnes = observations(("110000", 2010, "fuel_use", "coal", 1.0, "t / yr"))
    heat = observations(("110000", 2011, "fuel_use", "coal", 1.0, "GJ / yr"), file="b.csv")
    with pytest.raises(CobalanceError, match=r"E320.*coal.*a.csv!D2.*b.csv!D2"):
        combined([tonnes, heat])


def test_a_jump_as_of_a_wrong_unit_is_told():
    found = jumps(cement((2009, 100.0), (2010, 1_100_000.0), (2011, 1_200_000.0)).frame)
    assert [notice.code for notice in found] == ["W305"]
    assert "11,000" in found[0].text()  # 1,100,000 / 100
    assert jumps(cement((2009, 100.0), (2010, 900.0)).frame) == []


def test_missing_region_years_say_why():
    frame = pd.concat([cement((2010, 1.0), (2011, np.nan)).frame])
    table = missing_table(frame, REGIONS, [2010, 2011])
    assert list(table.columns) == ["variable", "item", "region", "year", "reason"]
    reasons = {(row.region, row.year): row.reason for row in table.itertuples()}
    assert reasons == {("110000", 2011): "'nan' in a.csv!D3", ("310000", 2010): "no row", ("310000", 2011): "no row"}


SERIES = ((2000, 10.0), (2004, 30.0))
YEARS = [1999, 2000, 2002, 2004, 2005]


@pytest.mark.parametrize(
    ("fill", "values", "flags"),
    [
        (Fill(), [np.nan, 10, np.nan, 30, np.nan], "missing observed missing observed missing"),
        # between 10 (2000) and 30 (2004): 10 + (2002 - 2000) / (2004 - 2000) · 20 = 20
        (Fill(between="linear"), [np.nan, 10, 20, 30, np.nan], "missing observed interpolated observed missing"),
        (Fill(between="hold", after="hold"), [np.nan, 10, 10, 30, 30], "missing observed held observed held"),
        (Fill(before="hold"), [10, 10, np.nan, 30, np.nan], "held observed missing observed missing"),
    ],
)
def test_gaps_are_filled_as_told_and_flagged(fill, values, flags):
    found = assemble(cement(*SERIES), REGIONS, YEARS, {"cement_output": fill})
    np.testing.assert_array_equal(found.dataset["cement_output"].sel(region="110000"), values)
    assert found.flags["cement_output"].sel(region="110000").values.tolist() == flags.split()
    assert found.dataset["cement_output"].sel(region="310000").isnull().all()
    assert len(found.missing) == np.isnan(values).sum() + 5
    told = next(notice for notice in found.notices if notice.code == "W307")
    assert f"{len(found.missing)} region-years of 10" in told.text()
    assert found.dataset["cement_output"].attrs["units"] == "t / yr"


def test_figures_outside_the_studys_years_serve_to_interpolate():
    found = assemble(cement(*SERIES), REGIONS[:1], [2001], {"cement_output": Fill(between="linear")})
    assert found.dataset["cement_output"].item() == 15.0  # 10 + 1/4 · 20
    assert {"W308", "W311"} <= {notice.code for notice in found.notices}


def test_fuels_keep_their_own_units_and_the_vocabularys_order():
    rows = [
        ("110000", 2010, "fuel_use", "natural_gas", 2.0, "m3 / yr"),
        ("110000", 2010, "fuel_use", "coal", 1.0, "t / yr"),
    ]
    array = assemble(observations(*rows), REGIONS, [2010]).dataset["fuel_use"]
    assert list(array["fuel"].values) == ["coal", "natural_gas"]
    assert list(array["fuel_unit"].values) == ["t", "m3"]
    assert array.attrs["units"] == "{fuel_unit} / yr"
    assert array.dims == ("region", "year", "fuel")


def test_a_table_without_gaps_has_none_missing():
    found = assemble(cement((2010, 1.0)), REGIONS[:1], [2010])
    assert found.missing.empty and list(found.missing.columns) == ["variable", "item", "region", "year", "reason"]
    assert found.notices == ()


def test_an_items_fill_outranks_its_variables():
    rows = [("110000", 2010, "land_area", item, 1.0, "ha") for item in ("forest", "cropland")]
    fill = {"land_area": Fill(after="hold"), "land_area cropland": Fill()}
    array = assemble(observations(*rows), REGIONS[:1], [2010, 2011], fill).dataset["land_area"]
    assert array.sel(land_class="forest", year=2011).item() == 1.0
    assert array.sel(land_class="cropland", year=2011).isnull().item()


def test_bad_fills_and_empty_studies_are_refused():
    with pytest.raises(CobalanceError, match="E321 fill.after: 'linear' is no way"):
        Fill(after="linear")
    with pytest.raises(CobalanceError, match="E321.*cemnt"):
        assemble(cement(*SERIES), REGIONS, YEARS, {"cemnt": Fill()})
    with pytest.raises(CobalanceError, match="E324"):
        assemble(cement(*SERIES), ["310000"], YEARS)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_dataset_to_table_to_dataset(tmp_path, data):
    """What assemble gives, written as a tidy table and read again, is the same."""
    value = st.one_of(st.just(np.nan), st.floats(0, 1e12).map(lambda each: round(each, 4)))
    cells = [(region, year) for region in REGIONS for year in (2010, 2011)]
    rows = [(*cell, "fuel_use", "coal", data.draw(value), "t / yr") for cell in cells]
    rows += [(*cell, "population", "", data.draw(value), "person") for cell in cells]
    rows.append(("110000", 2010, "land_area", "forest", 1.0, "ha"))
    first = assemble(observations(*rows), REGIONS, [2010, 2011])
    table = schema.table(first.dataset)
    table["item"] = table["land_class"].fillna(table["fuel"])
    table.drop(columns=["land_class", "fuel"]).to_csv(tmp_path / "t.csv", index=False)
    read = read_observations(TableSource("t.csv"), RegionNames.builtin("china_provinces", REGIONS), None, tmp_path)
    again = assemble(combined([read]), REGIONS, [2010, 2011])
    for name in first.dataset.data_vars:
        np.testing.assert_array_equal(again.dataset[name].values, first.dataset[name].values)
        assert again.dataset[name].attrs == first.dataset[name].attrs
        assert (again.flags[name].values == first.flags[name].values).all()
