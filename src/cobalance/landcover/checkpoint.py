"""A journal of finished bands: what was counted before an interruption is not counted again.

The file begins with the fingerprint of the plan; each batch of bands follows as one record with length and CRC-32,
flushed to the disk before the next begins. A record torn by a ``kill -9`` or a full disk is recognised and cut off.
Nothing in it is ever executed: records are plain arrays and JSON.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cobalance.landcover.band import BandSums, UnreadTile
from cobalance.vocabulary.errors import Place, refuse

_MAGIC = b"cobalance landcover 1\n"
_HEAD = struct.Struct("<QI")
_ARRAYS = ("zone_ids", "years", "codes", "table", "totals", "inside", "lost", "changes")


class Journal:
    """An open checkpoint: ``finished`` bands were read from it, ``add`` writes more."""

    def __init__(self, path: Path, digest: str) -> None:
        """Open or create the file. Raises E622 where it belongs to another plan."""
        self.path = path
        head = _MAGIC + digest.encode() + b"\n"
        self.finished: list[BandSums] = []
        end = len(head)
        if path.exists() and path.stat().st_size >= len(head):
            with path.open("rb") as stream:
                if stream.read(len(head)) != head:
                    raise refuse("E622", Place(file=str(path)))
                for bands, position in _records(stream):
                    self.finished += bands
                    end = position
            self._stream = path.open("r+b")
        elif path.exists() and not head.startswith(path.read_bytes()):
            raise refuse("E622", Place(file=str(path)))
        else:
            self._stream = path.open("w+b")
            self._stream.write(head)
        self._stream.truncate(end)  # what a broken-off run left half-written
        self._stream.seek(end)
        self._flush()

    def add(self, bands: Sequence[BandSums]) -> None:
        """Write a batch of bands and see it to the disk."""
        data = encoded(bands)
        self._stream.write(_HEAD.pack(len(data), zlib.crc32(data)) + data)
        self._flush()

    def close(self) -> None:
        self._stream.close()

    def _flush(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())


def _records(stream: io.BufferedReader) -> Iterator[tuple[list[BandSums], int]]:
    """Whole records from where the stream stands, each with the position of its end."""
    size = os.fstat(stream.fileno()).st_size
    while True:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        length, checksum = _HEAD.unpack(head)
        if length > size - stream.tell():
            return
        data = stream.read(length)
        if zlib.crc32(data) != checksum:
            return
        yield decoded(data), stream.tell()


def encoded(bands: Sequence[BandSums]) -> bytes:
    """Bands as bytes: an NPZ archive with a JSON member."""
    arrays = {f"{i}.{name}": getattr(band, name) for i, band in enumerate(bands) for name in _ARRAYS}
    notes = [[b.number, b.tiles, b.bytes_read, [list(tile) for tile in b.unread]] for b in bands]
    text = json.dumps(notes, ensure_ascii=False).encode()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, notes=np.frombuffer(text, np.uint8), **arrays)
    return buffer.getvalue()


def decoded(data: bytes) -> list[BandSums]:
    """The reverse of :func:`encoded`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        notes = json.loads(archive["notes"].tobytes().decode())
        return [
            BandSums(
                number=number,
                tiles=tiles,
                bytes_read=bytes_read,
                unread=[UnreadTile(*tile) for tile in unread],
                **{name: archive[f"{i}.{name}"] for name in _ARRAYS},
            )
            for i, (number, tiles, bytes_read, unread) in enumerate(notes)
        ]
