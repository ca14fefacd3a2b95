"""The explorer: one page, offline, in which the results of a study are looked at, questioned and varied."""

from __future__ import annotations


from cobalance.explorer.payload import payload

__all__ = ["payload"]
