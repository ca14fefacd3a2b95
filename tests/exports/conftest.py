"""The four provinces of ``tests/provenance``, with all that its study brings forth."""

from __future__ import annotations

from ..provenance.conftest import results, study

__all__ = ["results", "study"]
