"""The LZW decoder does what imagecodecs does, and no damage makes it write where it must not."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalance.landcover.lzw import ROOM, decode_lzw


def _decoded(stored: bytes, size: int) -> tuple[int, np.ndarray, np.ndarray]:
    buffer = np.full(size + ROOM + 16, 77, np.uint8)
    written = decode_lzw(np.frombuffer(stored + b"\0\0\0", np.uint8), buffer[:size])
    return written, buffer[:size], buffer[size + ROOM :]


def _map(seed: int, size: int, run: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.repeat(rng.integers(0, 12, size // run + 1), run)[:size].astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40_000), st.sampled_from([1, 2, 7, 30, 33, 500]))
def test_decodes_what_was_encoded(seed: int, size: int, run: int) -> None:
    pixels = _map(seed, size, run)
    written, found, beyond = _decoded(imagecodecs.lzw_encode(pixels.tobytes()), size)
    assert written == size
    assert (found == pixels).all()
    assert (beyond == 77).all()


def test_bytes_that_fill_the_table(tmp_path: object) -> None:
    """Noise: the table is cleared again and again, at every width of the codes."""
    pixels = np.random.default_rng(0).integers(0, 256, 60_000).astype(np.uint8)
    written, found, _ = _decoded(imagecodecs.lzw_encode(pixels.tobytes()), pixels.size)
    assert written == pixels.size
    assert (found == pixels).all()


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damage_never_writes_beyond(data: st.DataObject) -> None:
    stored = bytearray(imagecodecs.lzw_encode(_map(1, 5000, 3).tobytes()))
    for _ in range(data.draw(st.integers(1, 5))):
        stored[data.draw(st.integers(1, len(stored) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.sampled_from([0, 1, 100, 4999, 5000]))
    written, _, beyond = _decoded(bytes(stored), size)
    assert -1 <= written <= size
    assert (beyond == 77).all()


@pytest.mark.parametrize("cut", [0, 1, 2, 10, 400])
def test_a_stream_cut_short_gives_fewer_bytes(cut: int) -> None:
    stored = imagecodecs.lzw_encode(_map(1, 5000, 3).tobytes())
    written, _, _ = _decoded(stored[:cut], 5000)
    assert 0 <= written < 5000


def test_more_than_there_is_room_for_is_an_error() -> None:
    stored = imagecodecs.lzw_encode(_map(1, 5000, 3).tobytes())
    assert _decoded(stored, 4000)[0] == -1
