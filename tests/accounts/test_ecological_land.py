"""Ecological land: worked by hand, the identity behind the published table, feasibility, refusals, laws."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.accounts.ecological_land import (
    GAP,
    INFEASIBLE,
    NO_GAP,
    REASONS,
    UNDEFINED,
    conversion_capacity,
    convertible_land,
    ecological_land,
    ecological_land_gap,
    ecological_land_status,
    ecological_rate,
    needed_ecological_land,
    standard_ecological_land,
)
from cobalance.vocabulary.errors import CobalanceError

CLASSES = ["forest", "cropland", "grassland", "built"]


def land(*rows: list[float], regions: str = "abc", units: str = "ha") -> xr.DataArray:
    coords = {"region": list(regions[: len(rows)]), "land_class": CLASSES}
    return xr.DataArray(list(rows), dims=("region", "land_class"), coords=coords, attrs={"units": units})


def rates(*values: float, units: str = "t C / ha / yr") -> xr.DataArray:
    return xr.DataArray(list(values), dims="land_class", coords={"land_class": CLASSES}, attrs={"units": units})


def by_region(*values: float, units: str, regions: str = "abc") -> xr.DataArray:
    return xr.DataArray(
        list(values), dims="region", coords={"region": list(regions[: len(values)])}, attrs={"units": units}
    )


AREA = land([100.0, 50.0, 20.0, 30.0])
RATE = rates(6.0, 3.0, 1.5, 0.0)
FOREST = RATE.sel(land_class="forest", drop=True)


def test_standard_land_by_hand() -> None:
    # 100 · 6/6 + 50 · 3/6 + 20 · 1.5/6 + 30 · 0 = 100 + 25 + 5
    standard = standard_ecological_land(AREA, RATE)
    assert standard.values.tolist() == [130.0]
    assert standard.attrs["units"] == "ha"
    assert standard_ecological_land(AREA, RATE, "cropland").values.tolist() == [260.0]


def test_needed_land_and_gap_by_hand() -> None:
    # E = 4680 t C: a third is 1560, which 260 ha of forest at 6 t C take up; 260/130 − 1 = 100 %
    needed = needed_ecological_land(by_region(4680.0, units="t C / yr"), FOREST)
    assert needed.values == pytest.approx([260.0])
    assert ecological_land_gap(needed, standard_ecological_land(AREA, RATE)).values == pytest.approx([100.0])
    half = needed_ecological_land(by_region(4680.0, units="t C / yr"), FOREST, 0.5)
    assert half.values == pytest.approx([390.0])


def test_units_are_converted() -> None:
    assert standard_ecological_land(land([1.0, 0.5, 0.2, 0.3], units="km2"), RATE).values == pytest.approx([130.0])
    dioxide = by_region(4680.0 * 44 / 12, units="t CO2 / yr")
    assert needed_ecological_land(dioxide, FOREST).values == pytest.approx([260.0])


def test_the_oxygen_target_has_the_same_form_in_its_own_units() -> None:
    rate = rates(16.0, 8.0, 4.0, 0.0, units="t O2 / ha / yr")
    forest = rate.sel(land_class="forest", drop=True)
    assert standard_ecological_land(AREA, rate).values.tolist() == [130.0]
    assert needed_ecological_land(by_region(12480.0, units="t O2 / yr"), forest).values == pytest.approx([260.0])


@pytest.mark.parametrize(("printed_gap", "ratio"), [(556.37, 19.69), (1245.60, 40.37)])
def test_table_5_identity_on_shanghais_printed_numbers(printed_gap: float, ratio: float) -> None:
    # gap = E/(3 S) − 1  ⇔  E/S = 3 (gap + 1): 3 · 6.5637 = 19.69 (carbon), 3 · 13.456 = 40.37 (oxygen)
    assert round(3 * (printed_gap / 100 + 1), 2) == ratio
    uptake = float((AREA * RATE).sum())
    needed = needed_ecological_land(by_region(3 * (printed_gap / 100 + 1) * uptake, units="t C / yr"), FOREST)
    gap = ecological_land_gap(needed, standard_ecological_land(AREA, RATE))
    assert gap.values == pytest.approx([printed_gap], rel=1e-12)


def test_convertible_land_without_caps_is_what_takes_up_nothing() -> None:
    assert convertible_land(AREA, RATE).values.tolist() == [[0.0, 0.0, 0.0, 30.0]]
    sink_and_source = rates(6.0, -0.03, 1.5, -0.16)
    assert convertible_land(AREA, sink_and_source).values.tolist() == [[0.0, 50.0, 0.0, 30.0]]


def test_caps_bound_the_conversion_by_class() -> None:
    caps = rates(0.0, 0.1, 1.0, 0.2, units="1")
    convertible = convertible_land(AREA, RATE, caps)
    assert convertible.values.tolist() == [[0.0, 5.0, 20.0, 6.0]]
    # into forest: 5 · (6 − 3)/6 + 20 · (6 − 1.5)/6 + 6 · 1 = 2.5 + 15 + 6
    assert conversion_capacity(convertible, RATE).values == pytest.approx([23.5])
    # into cropland: 20 · (3 − 1.5)/6 + 6 · 3/6; cropland itself stays
    assert conversion_capacity(convertible, RATE, into="cropland").values == pytest.approx([8.0])


def test_land_that_takes_up_more_than_the_reference_is_not_converted() -> None:
    lush = rates(6.0, 9.0, 1.5, 0.0)
    convertible = convertible_land(AREA, lush, rates(0.0, 1.0, 1.0, 0.0, units="1"))
    assert conversion_capacity(convertible, lush, into="forest").item() == pytest.approx(20 * 4.5 / 6)


def test_without_caps_the_best_class_bounds_the_capacity_and_with_caps_the_reference_does() -> None:
    wetland_like = rates(6.0, 3.0, 12.0, 0.0)  # a class that takes up twice what forest does
    assert account(AREA, wetland_like, 1.0)["conversion_capacity"].item() == pytest.approx(30 * 12 / 6)
    caps = {"caps": rates(0.0, 0.0, 0.0, 1.0, units="1")}
    burden = {"carbon": by_region(1.0, units="t C / yr")}
    capped = ecological_land(AREA, {"carbon": wetland_like}, burden, **caps)
    assert capped["conversion_capacity"].item() == pytest.approx(30)


def test_status_words() -> None:
    needed = by_region(130.0, 150.0, 200.0, units="ha")
    standard = by_region(130.0, 130.0, 130.0, units="ha")
    capacity = by_region(30.0, 30.0, 30.0, units="ha")
    assert ecological_land_status(needed, standard, capacity).values.tolist() == [NO_GAP, GAP, INFEASIBLE]


def test_a_gap_with_unknown_capacity_is_undefined_but_no_gap_needs_none() -> None:
    needed, standard = by_region(100.0, 150.0, units="ha"), by_region(130.0, 130.0, units="ha")
    capacity = by_region(np.nan, np.nan, units="ha")
    assert ecological_land_status(needed, standard, capacity).values.tolist() == [NO_GAP, UNDEFINED]


def account(area: xr.DataArray, rate: xr.DataArray, *burden: float) -> xr.Dataset:
    return ecological_land(area, {"carbon": rate}, {"carbon": by_region(*burden, units="t C / yr")}).sel(
        target="carbon"
    )


def test_the_whole_account_of_both_targets() -> None:
    area = land([100.0, 50.0, 20.0, 30.0], [100.0, 50.0, 20.0, 30.0])
    oxygen = (RATE * 8 / 3).assign_attrs(units="t O2 / ha / yr")
    result = ecological_land(
        area,
        {"carbon": RATE, "oxygen": oxygen},
        {
            "carbon": by_region(1000.0, 2400.0, units="t C / yr"),
            "oxygen": by_region(6500.0, 13000.0, units="t O2 / yr"),
        },
    )
    assert result["ecological_land_gap"].dims == ("region", "target")
    # carbon: 1000/18 = 55.6 ha and 2400/18 = 133.3; oxygen at 16 t: 6500/48 = 135.4 and 13000/48 = 270.8
    expected = [[0.0, (6500 / 48 / 130 - 1) * 100], [(2400 / 18 / 130 - 1) * 100, (13000 / 48 / 130 - 1) * 100]]
    assert result["ecological_land_gap"].values == pytest.approx(np.array(expected))
    assert result["ecological_land_shortfall"].values[1] == pytest.approx([2400 / 18 - 130, 13000 / 48 - 130])
    # 30 ha of built land could become forest
    assert result["ecological_land_status"].values.tolist() == [[NO_GAP, GAP], [GAP, INFEASIBLE]]
    assert (result["ecological_land_reason"] == "").all()
    assert result["ecological_land_gap"].attrs["units"] == "%"


@pytest.mark.parametrize(
    ("area", "rate", "burden", "reason"),
    [
        ([100.0, 50.0, 20.0, 30.0], (6.0, 3.0, 1.5, 0.0), np.nan, "burden missing"),
        ([100.0, np.nan, 20.0, 30.0], (6.0, 3.0, 1.5, 0.0), 1.0, "land missing"),
        ([100.0, 50.0, 20.0, 30.0], (6.0, np.nan, 1.5, 0.0), 1.0, "land missing"),
        ([100.0, 50.0, 20.0, 30.0], (0.0, 3.0, 1.5, 0.0), 1.0, "reference rate not positive"),
        ([100.0, 50.0, 20.0, 30.0], (-1.0, 3.0, 1.5, 0.0), 1.0, "reference rate not positive"),
        ([0.0, 0.0, 0.0, 30.0], (6.0, 3.0, 1.5, 0.0), 1.0, "standard land not positive"),
        ([1.0, 50.0, 0.0, 30.0], (6.0, -3.0, 1.5, 0.0), 1.0, "standard land not positive"),
    ],
)
def test_undefined_with_its_reason_and_never_infinite(
    area: list[float], rate: tuple[float, ...], burden: float, reason: str
) -> None:
    result = account(land(area), rates(*rate), burden)
    assert result["ecological_land_status"].item() == UNDEFINED
    assert result["ecological_land_reason"].item() == reason
    assert reason in REASONS
    assert np.isnan(result["ecological_land_gap"].item())
    for name in ("standard_ecological_land", "needed_ecological_land", "ecological_land_shortfall"):
        assert not np.isinf(result[name].item())


def test_a_missing_region_leaves_the_others_alone() -> None:
    result = account(land([100.0, 50.0, 20.0, 30.0], [np.nan] * 4), RATE, 1000.0, 1000.0)
    assert result["ecological_land_status"].values.tolist() == [NO_GAP, UNDEFINED]


def test_rates_may_differ_by_region_and_by_draw() -> None:
    area = land([100.0, 50.0, 20.0, 30.0], [100.0, 50.0, 20.0, 30.0])
    scale = by_region(1.0, 2.0, units="1").drop_attrs()
    own = (RATE * scale).assign_attrs(RATE.attrs)
    result = ecological_land(area, {"carbon": own}, {"carbon": by_region(4680.0, 4680.0, units="t C / yr")})
    assert result["standard_ecological_land"].values.ravel() == pytest.approx([130.0, 130.0])
    assert result["needed_ecological_land"].values.ravel() == pytest.approx([260.0, 130.0])
    drawn = (RATE * xr.DataArray([1.0, 2.0], dims="draw")).assign_attrs(RATE.attrs)
    result = ecological_land(area, {"carbon": drawn}, {"carbon": by_region(4680.0, 4680.0, units="t C / yr")})
    assert result["needed_ecological_land"].sel(region="a", target="carbon").values == pytest.approx([260.0, 130.0])


def test_groups_and_the_nation_are_regions_of_summed_land() -> None:
    area = land([100.0, 50.0, 20.0, 30.0], [10.0, 0.0, 0.0, 0.0])
    total = area.sum("region").expand_dims(region=["total"]).assign_attrs(area.attrs)
    parts = standard_ecological_land(area, RATE)
    assert standard_ecological_land(total, RATE).item() == pytest.approx(float(parts.sum()))


def test_classes_that_do_not_count_get_no_rate() -> None:
    only = ecological_rate(RATE, ["forest", "grassland"])
    assert only.values.tolist() == [6.0, 0.0, 1.5, 0.0]
    assert only.attrs == RATE.attrs
    assert standard_ecological_land(AREA, only).values.tolist() == [105.0]
    assert ecological_rate(RATE, None) is RATE


SHANGHAI_2008 = {"forest": 10.2, "cropland": 24.4 + 2.1, "water": 20.3, "built": 25.4}
"""10⁴ ha, land survey (China Statistical Yearbook 2009, tables 11-34 and 12-3); garden with cropland, other
agricultural land with forest, unused land with water."""
PAPER_FIT = {"forest": 7.9, "cropland": 6.0, "water": 6.5, "built": 0.0}


@pytest.mark.parametrize(("target", "gap"), [("carbon", 556.37), ("oxygen", 1245.60)])
def test_shanghai_cannot_close_its_printed_gap_on_its_own_land(target: str, gap: float) -> None:
    substance = {"carbon": "C", "oxygen": "O2"}[target]
    coords = {"land_class": list(SHANGHAI_2008)}
    area = xr.DataArray(
        [list(SHANGHAI_2008.values())],
        dims=("region", "land_class"),
        coords={**coords, "region": ["310000"]},
        attrs={"units": "10^4 ha"},
    )
    rate = xr.DataArray(list(PAPER_FIT.values()), dims="land_class", coords=coords)
    rate.attrs["units"] = f"t {substance} / ha / yr"
    uptake = float((area * rate).sum()) * 1e4
    burden = xr.DataArray([3 * (1 + gap / 100) * uptake], dims="region", coords={"region": ["310000"]})
    burden.attrs["units"] = f"t {substance} / yr"
    everything = xr.ones_like(rate).assign_attrs(units="1")
    for caps in (None, everything):  # not even if every hectare of the city became forest
        result = ecological_land(area, {target: rate}, {target: burden}, caps=caps)
        assert result["ecological_land_status"].item() == INFEASIBLE
        assert result["ecological_land_gap"].item() == pytest.approx(gap)
    # 65 · 10⁴ ha of forest equivalents would have to be added to a city of 82.4 · 10⁴ ha several times over
    assert result["needed_ecological_land"].item() > 3 * 82.4e4


# ---- laws

sizes = st.floats(1.0, 1e6)
positive_rates = st.floats(0.1, 20.0)


@settings(deadline=None, max_examples=40)
@given(
    area=st.lists(sizes, min_size=4, max_size=4),
    rate=st.lists(positive_rates, min_size=4, max_size=4),
    burden=st.floats(1.0, 1e8),
    phi=st.floats(0.05, 1.0),
)
def test_the_gap_does_not_depend_on_the_reference_class(
    area: list[float], rate: list[float], burden: float, phi: float
) -> None:
    rate_array = rates(*rate)
    expected = max(0.0, phi * burden / sum(a * s for a, s in zip(area, rate, strict=True)) - 1) * 100
    for reference in CLASSES[:2]:
        result = ecological_land(
            land(area),
            {"carbon": rate_array},
            {"carbon": by_region(burden, units="t C / yr")},
            phi=phi,
            reference=reference,
        )
        assert result["ecological_land_gap"].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(area=st.lists(sizes, min_size=4, max_size=4), burden=st.floats(1.0, 1e8), more=st.floats(1.0, 5.0))
def test_more_burden_never_narrows_and_more_land_never_widens_the_gap(
    area: list[float], burden: float, more: float
) -> None:
    base = account(land(area), RATE, burden)["ecological_land_gap"].item()
    assert account(land(area), RATE, burden * more)["ecological_land_gap"].item() >= base - 1e-9
    wider = [value * more for value in area]
    assert account(land(wider), RATE, burden)["ecological_land_gap"].item() <= base + 1e-9


@settings(deadline=None, max_examples=40)
@given(caps=st.lists(st.floats(0, 1), min_size=4, max_size=4), wider=st.floats(0, 1))
def test_wider_caps_never_lessen_the_capacity(caps: list[float], wider: float) -> None:
    narrow = conversion_capacity(convertible_land(AREA, RATE, rates(*caps, units="1")), RATE)
    more = [cap + (1 - cap) * wider for cap in caps]
    broad = conversion_capacity(convertible_land(AREA, RATE, rates(*more, units="1")), RATE)
    assert broad.item() >= narrow.item() - 1e-9


# ---- refusals


def test_a_reference_class_without_a_rate_is_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E811.*'forrest'.*nearest: forest"):
        standard_ecological_land(AREA, RATE, "forrest")
    with pytest.raises(CobalanceError, match=r"E811 .*ecological_rate.*'wetland'"):
        ecological_rate(RATE, ["forest", "wetland"])


@pytest.mark.parametrize("phi", [0.0, -0.1, float("nan")])
def test_a_share_that_is_not_positive_is_refused(phi: float) -> None:
    with pytest.raises(CobalanceError, match="E812"):
        needed_ecological_land(by_region(1.0, units="t C / yr"), FOREST, phi)


def test_caps_outside_zero_and_one_are_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E813.*30\.0"):
        convertible_land(AREA, RATE, rates(0.0, 30.0, 0.0, 1.0, units="1"))


def test_carbon_and_oxygen_do_not_mix() -> None:
    with pytest.raises(CobalanceError, match=r"E202.*burden.*t O2 / yr"):
        needed_ecological_land(by_region(1.0, units="t O2 / yr"), FOREST)
    with pytest.raises(CobalanceError, match=r"E202.*rate.*t / ha"):
        standard_ecological_land(AREA, rates(6.0, 3.0, 1.5, 0.0, units="t / ha / yr"))


def test_a_class_without_a_rate_is_named() -> None:
    with pytest.raises(CobalanceError, match=r"E203.*land_class.*'built'"):
        standard_ecological_land(AREA, RATE.isel(land_class=slice(0, 3)))
