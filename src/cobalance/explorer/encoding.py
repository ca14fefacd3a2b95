"""Arrays and a whole payload as text that a page can carry: base64 of little-endian numbers, gzip around all."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

KINDS = {"f8": "<f8", "f4": "<f4", "i4": "<i4", "u2": "<u2", "u1": "u1"}
"""Kinds of numbers that the page can read, by the name they have in the payload."""


def array(values: ArrayLike, kind: str = "f8") -> dict[str, Any]:
    """``values`` as ``{kind, shape, data}``; bytes in C order, so the last dimension runs fastest."""
    numbers = np.ascontiguousarray(np.asarray(values), dtype=KINDS[kind])
    return {"kind": kind, "shape": list(numbers.shape), "data": base64.b64encode(numbers.tobytes()).decode("ascii")}


def read_array(encoded: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """What :func:`array` encoded."""
    flat = np.frombuffer(base64.b64decode(encoded["data"]), dtype=KINDS[encoded["kind"]])
    return flat.reshape(encoded["shape"])


MISSING = 65535
"""The step that stands for a missing number in :func:`drawn`."""


def drawn(values: ArrayLike) -> dict[str, Any]:
    """Numbers that are only drawn, (…, n): each line in 65,534 steps of its own largest value, NaN kept.

    returns  ``{scale, steps}``: value = steps / 65534 · scale of its line
    """
    numbers = np.asarray(values, dtype=float)
    known = np.where(np.isfinite(numbers), np.abs(numbers), 0.0)
    scale = known.max(axis=-1, initial=0.0)
    steps = np.rint(np.divide(known, scale[..., None], out=np.zeros_like(known), where=scale[..., None] > 0) * 65534)
    return {"scale": array(scale, "f4"), "steps": array(np.where(np.isfinite(numbers), steps, MISSING), "u2")}


def words(values: ArrayLike) -> dict[str, Any]:
    """An array of few different words as ``{words, codes}``, words in the order of the alphabet."""
    text = np.asarray(values).astype(str)
    vocabulary, codes = np.unique(text, return_inverse=True)
    if len(vocabulary) > 255:
        raise ValueError(f"{len(vocabulary)} different words: not a classification")
    return {"words": vocabulary.tolist(), "codes": array(codes.reshape(text.shape), "u1")}


def packed(content: Mapping[str, Any]) -> str:
    """A payload as base64 of gzip; the same content gives the same text.

    Inside: the length of the JSON (4 bytes, little-endian), the JSON with each array's place in ``at``, the arrays'
    bytes. Of each array the first bytes of all numbers come first, then the second: alike bytes compress together.
    """
    pieces: list[bytes] = []
    header = json.dumps(_placed(content, pieces), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = header.encode("utf-8")
    whole = len(text).to_bytes(4, "little") + text + b"".join(pieces)
    return base64.b64encode(gzip.compress(whole, 9, mtime=0)).decode("ascii")


def unpacked(text: str) -> dict[str, Any]:
    """What :func:`packed` packed."""
    whole = gzip.decompress(base64.b64decode(text))
    end = 4 + int.from_bytes(whole[:4], "little")
    content: dict[str, Any] = _filled(json.loads(whole[4:end]), whole[end:])
    return content


def _placed(node: Any, pieces: list[bytes]) -> Any:
    """``node`` with every array's bytes moved to ``pieces``."""
    if isinstance(node, Mapping):
        if set(node) == {"kind", "shape", "data"}:
            at = sum(map(len, pieces))
            flat = np.frombuffer(base64.b64decode(node["data"]), dtype=np.uint8)
            width = np.dtype(KINDS[node["kind"]]).itemsize
            pieces.append(flat.reshape(-1, width).T.tobytes())
            return {"kind": node["kind"], "shape": node["shape"], "at": at}
        return {key: _placed(value, pieces) for key, value in node.items()}
    return [_placed(value, pieces) for value in node] if isinstance(node, (list, tuple)) else node


def _filled(node: Any, blob: bytes) -> Any:
    if isinstance(node, dict):
        if set(node) == {"kind", "shape", "at"}:
            width = np.dtype(KINDS[node["kind"]]).itemsize
            size = int(np.prod(node["shape"])) * width
            planes = np.frombuffer(blob, dtype=np.uint8, count=size, offset=node["at"]).reshape(width, -1)
            return {
                "kind": node["kind"],
                "shape": node["shape"],
                "data": base64.b64encode(planes.T.tobytes()).decode("ascii"),
            }
        return {key: _filled(value, blob) for key, value in node.items()}
    return [_filled(value, blob) for value in node] if isinstance(node, list) else node
