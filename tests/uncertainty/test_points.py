"""Designs: seeded, even, and the same in whatever chunks they are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.uncertainty.draws import draw_choice
from cobalance.uncertainty.points import DESIGNS, InTurn, PickFreeze, Sample, two_samples
from cobalance.vocabulary.errors import CobalanceError

NAMES = ("coal", "forest", "phi")


@pytest.mark.parametrize("design", DESIGNS)
def test_a_seed_decides_everything(design: str) -> None:
    one, same, other = (Sample(64, seed, design, NAMES).column("coal", range(64)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@given(st.sampled_from(DESIGNS), st.integers(1, 90), st.data())
@settings(max_examples=40, deadline=None)
def test_chunks_are_cut_from_the_whole(design: str, count: int, data: st.DataObject) -> None:
    sample = Sample(count, 3, design, NAMES)
    cut = data.draw(st.integers(0, count))
    parts = [range(cut), range(cut, count)]
    whole = range(count)
    np.testing.assert_array_equal(
        np.concatenate([sample.column("phi", part) for part in parts]), sample.column("phi", whole)
    )
    np.testing.assert_array_equal(
        np.concatenate([sample.block("forecasts", (2, 3), part) for part in parts], axis=-1),
        sample.block("forecasts", (2, 3), whole),
    )


def test_a_hypercube_visits_each_slice_once() -> None:
    column = Sample(50, 0).column("coal", range(50))
    assert sorted((column * 50).astype(int).tolist()) == list(range(50))


def test_columns_of_a_hypercube_stand_on_their_own_name() -> None:
    alone = Sample(30, 1, columns=("coal",)).column("coal", range(30))
    among = Sample(30, 1, columns=("forest", "coal", "phi")).column("coal", range(30))
    np.testing.assert_array_equal(alone, among)


def test_columns_are_not_alike() -> None:
    sample = Sample(512, 0)
    coal, forest = sample.column("coal", range(512)), sample.column("forest", range(512))
    assert abs(np.corrcoef(coal, forest)[0, 1]) < 0.15  # three standard errors of no correlation: 3 / √512


@pytest.mark.parametrize("design", DESIGNS)
def test_pick_freeze_takes_one_group_from_the_other_design(design: str) -> None:
    rows = range(16)
    one, other = two_samples(16, 5, design, NAMES)
    mixed = PickFreeze(one, other, {"coal": "emission", "forest": "land", "phi": "phi"}, ("emission",))
    np.testing.assert_array_equal(mixed.column("coal", rows), other.column("coal", rows))
    np.testing.assert_array_equal(mixed.column("forest", rows), one.column("forest", rows))
    np.testing.assert_array_equal(mixed.block("phi", (2,), rows), one.block("phi", (2,), rows))
    np.testing.assert_array_equal(mixed.block("coal", (2,), rows), other.block("coal", (2,), rows))
    assert (one.column("coal", rows) != other.column("coal", rows)).all()


def test_an_unknown_design_is_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E854 .*'latin'.*latin hypercube"):
        Sample(10, 0, "latin")


def test_no_draws_are_refused() -> None:
    with pytest.raises(CobalanceError, match=r"E855 .*0 draws"):
        Sample(0, 0)


def test_in_turn_every_alternative_is_taken_once() -> None:
    points = InTurn(7)
    assert draw_choice([1.0] * 7, points, range(7)).tolist() == list(range(7))
    assert draw_choice([1.0] * 7, points, range(3, 5)).tolist() == [3, 4]
    assert points.block("forecasts", (2, 3), range(7)).shape == (2, 3, 7)
