"""LZW as TIFF stores it, several times faster than the usual decoders on maps (which are long runs of one class).

Each code's string stands in the output already, right where it was first written: a table entry is a place and a
length, and decoding is copying forward. ``imagecodecs.lzw_decode`` is the twin that defines *correct*.
After the TIFF 6.0 specification (Adobe 1992), section 13.
"""

# numba types this function itself
# mypy: disable-error-code="return-value, call-arg"

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

ROOM = 32
"""Bytes beyond the output that may be written to: strings are copied so many bytes at a time."""

_CLEAR, _END, _FIRST_FREE, _MOST_CODES = 256, 257, 258, 4096


@intrinsic  # type: ignore[misc]
def _copy_block(typingctx: Any, target: Any, source: Any) -> Any:
    """Copy ``ROOM`` bytes from one address to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.VectorType(ir.IntType(8), ROOM).as_pointer()
        block = builder.load(builder.inttoptr(arguments[1], pointer), align=1)
        builder.store(block, builder.inttoptr(arguments[0], pointer), align=1)
        return context.get_dummy_value()

    return types.void(types.uintp, types.uintp), generate


@njit(cache=True, nogil=True)
def decode_lzw(data: np.ndarray, out: np.ndarray) -> int:
    """Decode the bytes ``data`` into ``out``; returns how many came, or -1 where a code has no meaning.

    data  (stored bytes) uint8, with three bytes of room at its end
    out   (tile bytes) uint8, with ``ROOM`` bytes that may be overwritten behind it. More than ``out`` is an error.
    """
    places = np.empty(_MOST_CODES + 1, np.uint32)
    lengths = np.empty(_MOST_CODES + 1, np.uint32)
    free, width = _FIRST_FREE, 9
    base = np.uintp(out.ctypes.data)
    bit, last_bit = np.uint64(0), np.uint64(8 * (data.size - 3))
    position = np.uint64(0)
    before, before_length = np.uint64(0), np.uint64(0)  # the string written last; length 0 after a clear
    while bit + np.uint64(width) <= last_bit:
        at = bit >> np.uint64(3)
        word = (
            (np.uint64(data[at]) << np.uint64(24))
            | (np.uint64(data[at + np.uint64(1)]) << np.uint64(16))
            | (np.uint64(data[at + np.uint64(2)]) << np.uint64(8))
            | np.uint64(data[at + np.uint64(3)])
        )
        shift = np.uint64(32 - width) - (bit & np.uint64(7))
        code = (word >> shift) & np.uint64((1 << width) - 1)
        bit += np.uint64(width)
        if code == _END:
            return np.int64(position)
        if code == _CLEAR:
            free, width, before_length = _FIRST_FREE, 9, np.uint64(0)
            continue
        if before_length > 0 and free < _MOST_CODES:
            places[free], lengths[free] = before, before_length + np.uint64(1)
            free += 1
            if free + 1 >= (1 << width) and width < 12:
                width += 1
        if code < _CLEAR:
            if position >= out.size:
                return -1
            out[position] = code
            before, before_length = position, np.uint64(1)
            position += np.uint64(1)
            continue
        if code >= free:
            return -1
        place, length = np.uint64(places[code]), np.uint64(lengths[code])
        if position + length > out.size:
            return -1
        if position - place >= ROOM:
            for done in range(np.uint64(0), length, np.uint64(ROOM)):
                offset = np.uintp(done)
                _copy_block(base + np.uintp(position) + offset, base + np.uintp(place) + offset)
        else:
            for i in range(length):
                out[position + np.uint64(i)] = out[place + np.uint64(i)]
        before, before_length = position, length
        position += length
    return np.int64(position)
